"""Formulas and figures in words, for people: the symbols of the code stay in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from xl_conversion.core.rounding import RoundingType, exact_text, to_text
from xl_conversion.core.stated import separated
from xl_conversion.core.steps import Step
from xl_conversion.inputs.records import Record

ROUNDED = "_rounded"
DEFAULT, UNSOURCED = "default", "given or inferred; no document named"
LONGEST_DECIMAL = 24

_OPERATORS: Mapping[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("-", 1),
    ast.Mult: ("×", 2),
    ast.Div: ("/", 2),
}
_ATOM = 3


def symbol_words(symbol: str) -> str:
    """A symbol as a reader sees it.

    >>> symbol_words("CP2_rounded"), symbol_words("K")
    ('CP2 rounded', 'K')
    """
    return symbol.replace("_", " ")


def label_words(label: str) -> str:
    """The label of a step, without the underscores of the names in it.

    >>> label_words("decimals, rounded half_up")
    'decimals, rounded half up'
    """
    for rounding_type in RoundingType:
        label = label.replace(rounding_type.value, rounding_words(rounding_type))
    return label


def rounding_words(rounding_type: RoundingType) -> str:
    """How the last digit is chosen.

    >>> [rounding_words(rounding_type) for rounding_type in RoundingType]
    ['half up', 'half even', 'down', 'up']
    """
    return {RoundingType.FLOOR: "down", RoundingType.CEILING: "up"}.get(
        rounding_type, rounding_type.value.replace("_", " ")
    )


def formula_words(step: Step, before: Sequence[Step]) -> tuple[str, str]:
    """A step's formula in words and with numbers, given the steps `before` it; ("given", "") for a given figure.

    >>> from xl_conversion.core.explanations import explain_round, explain_split
    >>> *before, last = explain_round("3.205", decimals=2)
    >>> formula_words(last, before)
    ('V rounded to 2 decimals (half up)', '3.205 → 3.21')
    >>> *before, last = explain_split("1234.5", 1, 20)
    >>> formula_words(last, before)
    ('CP1 × old / new', '= 1,234.5 × 20 / 1')
    >>> from xl_conversion.core.explanations import explain_cash_dividend_subtracted
    >>> *before, last = explain_cash_dividend_subtracted("10", "1", "1")
    >>> formula_words(last, before)
    ('CP1 - dividend if T is below dividend, else CP1', '= 10, since 1 is not below 1')
    """
    if not step.formula:
        return "given", ""
    tree = ast.parse(step.formula, mode="eval").body
    known = {earlier.symbol: earlier for earlier in before}

    def number(symbol: str) -> str:
        shown = separated(known[symbol].shown)
        return f"({shown})" if known[symbol].value < 0 else shown

    rounding = _rounding(tree)
    if rounding is None:
        taken, why = _taken(tree, known, number)
        return _words(tree, symbol_words)[0], f"= {_words(taken, number)[0]}{why}"
    value, decimals, words, limit = rounding
    places = int(known[decimals].value)
    if limit and known[value].value >= known[limit].value:
        not_below = f"{symbol_words(value)} is not below it"
        return f"{symbol_words(limit)}, since {not_below}: what stays is not rounded", f"= {number(limit)}"
    text = f"{symbol_words(value)} rounded to {_places(places)} ({words})"
    not_above = f", not above {symbol_words(limit)}" if limit else ""
    result = step.shown if "..." in step.shown else _at_least(step.value, places)
    return text + not_above, f"{number(value)} → {separated(result)}"


def with_separators(text: str) -> str:
    """The whole part of each number in `text` with thousands separators.

    >>> with_separators("33831184 + 1277354.5553822152..."), with_separators("0.12345")
    ('33,831,184 + 1,277,354.5553822152...', '0.12345')
    """
    return re.sub(r"(?<![\d.,])\d{4,}", lambda found: f"{int(found[0]):,}", text)


def figure_text(value: Fraction) -> str:
    """A figure without loss: its digits where they end, else the fraction.

    >>> figure_text(Fraction(641, 100)), figure_text(Fraction(3901581383, 1949522350))
    ('6.41', '3,901,581,383 / 1,949,522,350')
    """
    text = exact_text(value)
    if text is not None and len(text) <= LONGEST_DECIMAL:
        return separated(text)
    return f"{value.numerator:,}" if value.denominator == 1 else f"{value.numerator:,} / {value.denominator:,}"


def term_source(record: Record, column: str) -> str:
    """Where a term comes from that has no source of its own: one that the input left out is the default, and of
    another one no document is known to say it."""
    return UNSOURCED if column in record.model_fields_set else DEFAULT


def _rounding(node: ast.expr) -> tuple[str, str, str, str] | None:
    """Of the formula of a rounding: what is rounded, the decimals, the way in words, and what it is not above."""
    match node:
        case ast.Call(
            ast.Name("when"), [ast.Compare(ast.Name(), [ast.Lt()], [_]), ast.Call(ast.Name("min"), [inner, _]), _]
        ):
            found = _rounding(inner)
            limit = node.args[2]
            return (*found[:3], limit.id) if found and isinstance(limit, ast.Name) else None
        case ast.Call(ast.Name(name), [ast.Name(value), ast.Name(decimals)]) if name in list(RoundingType):
            return value, decimals, rounding_words(RoundingType(name)), ""
    return None


def _taken(node: ast.expr, known: Mapping[str, Step], number: Callable[[str], str]) -> tuple[ast.expr, str]:
    """The one of two ways that a figure is computed by, and why that one."""
    match node:
        case ast.Call(ast.Name("when"), [ast.Compare(ast.Name(left), _, [ast.Name(right)]), then, otherwise]):
            below = known[left].value < known[right].value
            is_below = "is below" if below else "is not below"
            return then if below else otherwise, f", since {number(left)} {is_below} {number(right)}"
    return node, ""


def _words(node: ast.expr, name: Callable[[str], str]) -> tuple[str, int]:
    """An expression in words, and how tightly it holds together."""
    match node:
        case ast.Name(symbol):
            return name(symbol), _ATOM
        case ast.Constant():
            return str(node.value), _ATOM
        case ast.BinOp(left, operator, right):
            sign, strength = _OPERATORS[type(operator)]
            one, other = _words(left, name), _words(right, name)
            first = one[0] if one[1] >= strength else f"({one[0]})"
            second = other[0] if other[1] > strength or (other[1], sign) == (1, "+") else f"({other[0]})"
            return f"{first} {sign} {second}", strength
        case ast.Call(ast.Name("min" | "max" as kind), [first_node, second_node]):
            # "CP1 × N / D, not above CP1": the price that is a limit comes last.
            value, limit = (
                (second_node, first_node) if isinstance(first_node, ast.Name) else (first_node, second_node)
            )
            words = "not above" if kind == "min" else "not below"
            return f"{_words(value, name)[0]}, {words} {_words(limit, name)[0]}", 0
        case ast.Call(ast.Name("when"), [ast.Compare(left, [ast.Lt()], [right]), then, otherwise]):
            condition = f"{_words(left, name)[0]} is below {_words(right, name)[0]}"
            first, strength = _words(then, name)
            comma = "" if strength else ","
            return f"{first}{comma} if {condition}, else {_words(otherwise, name)[0]}", 0
        case ast.Call(ast.Name(kind), [ast.Name(value_name), ast.Name(decimals)]) if kind in list(RoundingType):
            how = rounding_words(RoundingType(kind))
            return f"{name(value_name)} rounded to {name(decimals)} decimals ({how})", 0
    raise ValueError(f"not in the language of formulas: {ast.unparse(node)}")


def _places(decimals: int) -> str:
    return "a whole number" if decimals == 0 else "1 decimal" if decimals == 1 else f"{decimals} decimals"


def _at_least(value: Fraction, decimals: int) -> str:
    text = exact_text(value) or ""
    return text if len(text.partition(".")[2]) > decimals else to_text(value, decimals)
