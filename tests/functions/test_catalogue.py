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
from typing import Any

import pytest

from xl_conversion import __version__, core, functions
from xl_conversion.core import adjustments
from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.boundary import CellError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Argument, Function, Kind
from xl_conversion.functions.evaluate import evaluate, evaluate_exact

# Never change a line here: workbooks in the world are written with these. New arguments go to the end.
RELEASED = """
CP_WEIGHTED_AVERAGE(conversion_price, outstanding, consideration, issued, [other_securities], [decimals], \
[rounding_type])
CP_FULL_RATCHET(conversion_price, issue_price, [decimals], [rounding_type])
CP_SPLIT(conversion_price, split_new, split_old, [decimals], [rounding_type])
CP_STOCK_DIVIDEND(conversion_price, outstanding, dividend_shares, [decimals], [rounding_type])
CP_RATIO(original_issue_price, conversion_price, [decimals], [rounding_type])
CP_CONVERSION_SHARES(preferred_shares, original_issue_price, conversion_price, [rounding_type])
CP_CASH_IN_LIEU(preferred_shares, original_issue_price, conversion_price, market_price, [decimals], \
[rounding_type])
CP_ROUND(number, decimals, [rounding_type])
CP_VERSION()
"""
DEFAULTS = {
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
    "text",
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


def _typed(text: str) -> Any:
    """A constant as typed into a formula."""
    return text[1:-1] if text.startswith('"') else float(text)


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
        assert argument.help.endswith(default) or argument.default == "unrounded"


@every_function
def test_help_of_a_function(function: Function) -> None:
    assert 0 < len(function.summary) <= HELP_LIMIT
    assert function.summary.endswith(".")
    assert 0 < len(function.returns) <= HELP_LIMIT
    assert function.unit in UNITS
    assert bool(function.source) == (function.explain is not None) == bool(function.arguments)


@every_function
def test_errors_name_every_rule(function: Function) -> None:
    text = "\n".join(function.errors)
    for argument in function.arguments:
        if argument.kind is not Kind.ROUNDING_TYPE:
            assert f"{argument.name}: {argument.rule}" in text


@every_function
def test_every_error_that_a_cell_shows_is_listed(function: Function) -> None:
    listed = {error.split()[0] for error in function.errors}
    assert listed == ({"#VALUE!:", "#NUM!:", "#N/A:", "any"} if function.arguments else set())


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
    [function for function in CATALOGUE if function.compute.__module__ == adjustments.__name__],
    ids=lambda function: function.name,
)
def test_argument_order_is_the_cores(function: Function) -> None:
    numbers = [argument.name for argument in function.arguments if argument.kind is Kind.NUMBER]
    assert numbers == list(inspect.signature(function.compute).parameters)
    assert function.explain is not None
    explained = list(inspect.signature(function.explain).parameters)
    assert explained[: len(numbers)] == numbers
    rounding = {argument.name for argument in function.arguments if argument.kind is not Kind.NUMBER}
    assert set(explained[len(numbers) :]) == rounding | {"source"}


@every_function
def test_source_is_that_of_the_explanation(function: Function) -> None:
    if function.explain is None:
        assert function.name == "CP_VERSION"
        return
    assert inspect.signature(function.explain).parameters["source"].default == function.source


@every_function
def test_example(function: Function) -> None:
    assert function.example_formula == f"={function.name}({','.join(function.example)})"
    result = evaluate(function, [_typed(text) for text in function.example])
    if isinstance(result, str):
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
        assert function.arguments == ()
        return
    typed = dict(zip([argument.name for argument in function.arguments], function.example, strict=False))
    options: dict[str, Any] = {}
    if "decimals" in typed:
        options["decimals"] = int(typed.pop("decimals"))
    if "rounding_type" in typed:
        options["rounding_type"] = RoundingType(_typed(typed.pop("rounding_type")))
    assert function.explain(*typed.values(), **options)[-1].value == Fraction(function.example_result)


def _modules(room: ModuleType) -> list[str]:
    return [f"{room.__name__}.{module.name}" for module in pkgutil.iter_modules(room.__path__)]


@pytest.mark.parametrize(
    ("modules", "rooms"),
    [(_modules(core), [core]), (_modules(functions), [core, functions])],
    ids=["core", "functions"],
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
