"""Computes a formula in the language of explanations, by an evaluator of its own."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from fractions import Fraction

WHOLE: dict[str, Callable[[Fraction], int]] = {
    "half_up": lambda value: math.floor(abs(value) + Fraction(1, 2)) * (1 if value > 0 else -1),
    "half_even": round,
    "floor": math.floor,
    "ceiling": math.ceil,
}


def compute(formula: str, values: Mapping[str, Fraction]) -> Fraction:
    """The value of `formula`, its names taken from `values`; only what a spreadsheet can also write."""

    def value(node: ast.expr) -> Fraction:
        match node:
            case ast.Name(name):
                return values[name]
            case ast.Constant():
                return Fraction(str(ast.get_source_segment(formula, node)))
            case ast.UnaryOp(ast.USub(), operand):
                return -value(operand)
            case ast.BinOp(left, ast.Add(), right):
                return value(left) + value(right)
            case ast.BinOp(left, ast.Sub(), right):
                return value(left) - value(right)
            case ast.BinOp(left, ast.Mult(), right):
                return value(left) * value(right)
            case ast.BinOp(left, ast.Div(), right):
                return value(left) / value(right)
            case ast.Call(ast.Name("min" | "max" as name), [first, second], []):
                return (min if name == "min" else max)(value(first), value(second))
            case ast.Call(ast.Name("when"), [ast.Compare(left, [ast.Lt()], [right]), then, otherwise], []):
                return value(then) if value(left) < value(right) else value(otherwise)
            case ast.Call(ast.Name(name), [number, decimals], []):
                scale = Fraction(10) ** int(value(decimals))
                return WHOLE[name](value(number) * scale) / scale
        raise AssertionError(f"not in the language of formulas: {ast.unparse(node)}")

    return value(ast.parse(formula, mode="eval").body)
