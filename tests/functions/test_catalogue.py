"""What is released, pinned to the letter; and that the catalogue says what the core does."""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
import subprocess
import sys
from fractions import Fraction
from types import ModuleType

import pytest

from xl_conversion import __version__, core, functions, inputs
from xl_conversion.core import adjustments, clauses
from xl_conversion.functions.boundary import CellError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Argument, Function, Kind
from xl_conversion.functions.definition import HOW_TO_ROUND
from xl_conversion.functions.evaluate import evaluate, evaluate_exact, steps_of
from xl_conversion.functions.typed import argument_of, cell_of, shown_number

# Never change a line here: workbooks in the world are written with these. New arguments go to the end.
RELEASED = """
CP_WEIGHTED_AVERAGE(conversion_price, outstanding, consideration, issued, [other_securities], [decimals], \
[rounding_type])
CP_FULL_RATCHET(conversion_price, issue_price, [decimals], [rounding_type])
CP_SPLIT(conversion_price, split_new, split_old, [decimals], [rounding_type])
CP_STOCK_DIVIDEND(conversion_price, outstanding, dividend_shares, [decimals], [rounding_type])
CP_CASH_DIVIDEND(conversion_price, dividend, [market_price], [threshold], [method], [decimals], [rounding_type])
CP_RIGHTS(conversion_price, outstanding, offered, offer_price, market_price, [decimals], [rounding_type])
CP_SPIN_OFF(conversion_price, distributed_value, market_price, [method], [decimals], [rounding_type])
CP_TENDER_OFFER(conversion_price, consideration, outstanding_before, outstanding_after, market_price, [decimals], \
[rounding_type])
CP_RATIO(original_issue_price, conversion_price, [decimals], [rounding_type])
CP_CONVERSION_SHARES(preferred_shares, original_issue_price, conversion_price, [rounding_type])
CP_CASH_IN_LIEU(preferred_shares, original_issue_price, conversion_price, market_price, [decimals], \
[rounding_type])
CP_ROUND(number, decimals, [rounding_type])
CP_OUTSTANDING(capitalization, [base])
CP_ISSUANCE(securities)
CP_HISTORY(series, events, [securities], [capitalization])
CP_EXPLAIN(function_name, [argument_1], [argument_2], [argument_3], [argument_4], [argument_5], [argument_6], \
[argument_7], [argument_8], [argument_9], [argument_10], [argument_11], [argument_12])
CP_TIE_OUT(stated, series, events, [securities], [capitalization], [conversions])
CP_SOLVE_ROUND(capitalization, series, new_money, pre_money, [pool_percent], [adjustment_in_price], [decimals], \
[rounding_type])
CP_ENUM(enumeration)
CP_LIST()
CP_HELP(function_name)
CP_VERSION()
"""
# Released too: workbooks may have them typed in, and CP_ENUM lists them.
WORDS = {
    ("CP_CASH_DIVIDEND", "method"): ("ratio", "excess", "subtract"),
    ("CP_SPIN_OFF", "method"): ("over_sum", "over_market"),
}
DEFAULTS: dict[str | tuple[str, str], str | None] = {
    "threshold": "0",
    "pool_percent": "0",
    "adjustment_in_price": "TRUE",
    "base": "broad",
    ("CP_CASH_DIVIDEND", "market_price"): "",
    ("CP_CASH_DIVIDEND", "method"): "ratio",
    ("CP_SPIN_OFF", "method"): "over_sum",
    **{f"argument_{place}": "left out" for place in range(1, 13)},
    **{(name, "securities"): "none" for name in ("CP_HISTORY", "CP_TIE_OUT")},
    **{(name, "capitalization"): "none" for name in ("CP_HISTORY", "CP_TIE_OUT")},
    "conversions": "none",
    "other_securities": "0",
    "decimals": "unrounded",
    "rounding_type": "half_up",
    ("CP_CONVERSION_SHARES", "rounding_type"): "floor",
    ("CP_ROUND", "decimals"): None,
}
UNITS = {
    "money",
    "money per share",
    "shares of common",
    "shares of preferred",
    "common per preferred",
    "digits",
    "number",
    "percent",
    "text",
    "table",
    "TRUE or FALSE",
    "as in the function",
}
HELP_LIMIT = 255  # of Excel, for a function and for an argument

every_function = pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)
every_argument = pytest.mark.parametrize(
    ("function", "argument"),
    [
        pytest.param(function, argument, id=f"{function.name}-{argument.name}")
        for function in CATALOGUE
        for argument in function.arguments
    ],
)


def test_names_and_argument_orders_are_released() -> None:
    assert [function.signature for function in CATALOGUE] == RELEASED.strip().splitlines()
    assert list(FUNCTIONS) == [function.name for function in CATALOGUE]
    assert all(FUNCTIONS[function.name] is function for function in CATALOGUE)


@every_function
def test_name(function: Function) -> None:
    assert re.fullmatch(r"CP_[A-Z]+(_[A-Z]+)*", function.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", function.since)
    names = [argument.name for argument in function.arguments]
    assert len(set(names)) == len(names)
    required = [not argument.optional for argument in function.arguments]
    assert required == sorted(required, reverse=True)


@every_argument
def test_defaults_are_released(function: Function, argument: Argument) -> None:
    assert argument.default == DEFAULTS.get((function.name, argument.name), DEFAULTS.get(argument.name))


@every_argument
def test_help_of_an_argument(function: Function, argument: Argument) -> None:
    assert 0 < len(argument.help) <= HELP_LIMIT
    assert argument.help.endswith(".")
    assert argument.unit in UNITS
    assert argument.rule.startswith("it must be ")
    assert ("Left out" in argument.help) == argument.optional
    if argument.optional:
        default = f"Left out or blank: {argument.default}."
        own_words = ("unrounded", "", "left out")
        assert argument.help.endswith(default) or argument.default in own_words


def test_words_are_released() -> None:
    found = {(f.name, a.name): a.choices for f in CATALOGUE for a in f.arguments if a.kind is Kind.CHOICE}
    assert found == WORDS
    assert all(a.choices == () for f in CATALOGUE for a in f.arguments if a.kind is not Kind.CHOICE)


@every_function
def test_help_of_a_function(function: Function) -> None:
    assert 0 < len(function.summary) <= HELP_LIMIT
    assert function.summary.endswith(".")
    assert 0 < len(function.returns) <= HELP_LIMIT
    assert function.unit in UNITS
    assert function.source or function.name in ("CP_ENUM", "CP_LIST", "CP_HELP", "CP_VERSION")
    assert len(function.remarks) <= HELP_LIMIT
    assert (function.unit == "table") == function.spills


@every_function
def test_errors_name_every_rule(function: Function) -> None:
    text = "\n".join(function.errors)
    for argument in function.arguments:
        if argument.kind in (Kind.NUMBER, Kind.DECIMALS):
            assert f"{argument.name}: {argument.rule}" in text
        elif argument.kind in (Kind.CHOICE, Kind.FLAG, Kind.TEXT):
            assert f"{argument.name} breaks its rule ({argument.rule})" in text


@every_function
def test_every_error_that_a_cell_shows_is_listed(function: Function) -> None:
    listed = {error.split()[0] for error in function.errors}
    if not function.arguments:
        assert listed == set()
        return
    kinds = {argument.kind for argument in function.arguments}
    numbers = {"#NUM!:"} if kinds & {Kind.NUMBER, Kind.DECIMALS, Kind.TABLE, Kind.CELL} else set()
    assert listed == {"#VALUE!:", "any"} | numbers | (set() if function.spills else {"#N/A:"})


@pytest.mark.parametrize("name", ["CP_WEIGHTED_AVERAGE", "CP_FULL_RATCHET", "CP_SPLIT", "CP_STOCK_DIVIDEND"])
def test_that_no_price_is_rounded_to_zero_is_listed(name: str) -> None:
    assert any("rounds to zero" in error for error in FUNCTIONS[name].errors)


@every_function
def test_as_a_dictionary(function: Function) -> None:
    said = function.as_dict()
    assert json.loads(json.dumps(said)) == said
    assert said["signature"] == function.signature
    assert [argument["name"] for argument in said["arguments"]] == [a.name for a in function.arguments]


@pytest.mark.parametrize(
    "function",
    [
        function
        for function in CATALOGUE
        if function.compute.__module__ in (adjustments.__name__, clauses.__name__)
    ],
    ids=lambda function: function.name,
)
def test_argument_order_is_the_cores(function: Function) -> None:
    numbers = [argument.name for argument in function.arguments if argument.kind not in HOW_TO_ROUND]
    assert numbers == list(inspect.signature(function.compute).parameters)
    assert function.explain is not None
    explained = list(inspect.signature(function.explain).parameters)
    assert explained[: len(numbers)] == numbers
    rounding = {argument.name for argument in function.arguments if argument.kind in HOW_TO_ROUND}
    assert set(explained[len(numbers) :]) == rounding | {"source"}


@pytest.mark.parametrize("function", [f for f in CATALOGUE if f.explain], ids=lambda function: function.name)
def test_source_is_that_of_the_explanation(function: Function) -> None:
    assert function.explain is not None
    assert inspect.signature(function.explain).parameters["source"].default == function.source


@every_function
def test_example(function: Function) -> None:
    assert function.example_formula == f"={function.name}({','.join(function.example)})"
    result = evaluate(function, [argument_of(text) for text in function.example])
    if isinstance(result, list):
        assert function.spills
        last = (shown_number(cell) if isinstance(cell, float) else str(cell) for cell in result[-1])
        assert " | ".join(last) == function.example_result
    elif isinstance(result, str):
        assert result == function.example_result
    else:
        assert not isinstance(result, CellError)
        assert result == float(function.example_result)


@pytest.mark.parametrize(
    ("name", "formula", "result"),
    [
        ("CP_WEIGHTED_AVERAGE", "=CP_WEIGHTED_AVERAGE(6.41,33831184,8187842.70,81728433,1411724,2)", "2"),
        ("CP_RATIO", '=CP_RATIO(6.41,2.00,2,"half_even")', "3.2"),
        ("CP_CONVERSION_SHARES", "=CP_CONVERSION_SHARES(23685,10000,2.3727)", "99822986"),
        ("CP_ROUND", "=CP_ROUND(3.205,2)", "3.21"),
        ("CP_VERSION", "=CP_VERSION()", __version__),
    ],
)
def test_example_as_typed(name: str, formula: str, result: str) -> None:
    assert (FUNCTIONS[name].example_formula, FUNCTIONS[name].example_result) == (formula, result)


def test_version_takes_and_explains_nothing() -> None:
    version = FUNCTIONS["CP_VERSION"]
    assert evaluate(version, []) == evaluate_exact(version, []) == __version__
    assert version.finish is None


@every_function
def test_explanation_of_the_example_ends_with_its_result(function: Function) -> None:
    if function.explain is None:
        assert function.arguments == () or function.spills or function.arguments[0].kind is Kind.TABLE
        return
    steps = steps_of(function, [cell_of(text) for text in function.example])
    assert steps[-1].value == Fraction(function.example_result)


WITH_NUMPY = {"xl_conversion.functions.arrays", "xl_conversion.functions.kernels"}
"""Loaded for large ranges, where numpy is there."""


def _modules(room: ModuleType) -> list[str]:
    return [f"{room.__name__}.{module.name}" for module in pkgutil.iter_modules(room.__path__)]


@pytest.mark.parametrize(
    ("modules", "rooms"),
    [
        (_modules(core), [core]),
        (_modules(inputs), [core, inputs]),
        ([name for name in _modules(functions) if name not in WITH_NUMPY], [core, inputs, functions]),
    ],
    ids=["core", "inputs", "functions"],
)
def test_needs_the_standard_library_only(modules: list[str], rooms: list[ModuleType]) -> None:
    program = (
        f"import sys; before = set(sys.modules); import {', '.join(modules)}; print(*set(sys.modules) - before)"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(run.stdout.split())
    ours = {name for name in loaded if name.partition(".")[0] == "xl_conversion"}
    assert {name.partition(".")[0] for name in loaded - ours} <= sys.stdlib_module_names
    reachable = {"xl_conversion", *(name for room in rooms for name in [room.__name__, *_modules(room)])}
    assert set(modules) <= ours <= reachable
