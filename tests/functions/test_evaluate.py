"""Calls of the worksheet functions as a cell makes them: figures to the last bit, errors, ranges."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.boundary import ERROR_CODES, MISSING, CellError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Argument, Kind
from xl_conversion.functions.evaluate import MAX_SPILL, evaluate, evaluate_exact

# Cells that every function takes, one for each argument.
GOOD: dict[str, list[Any]] = {
    "CP_WEIGHTED_AVERAGE": [6.41, 33831184.0, 8187842.7, 81728433.0, 1411724.0, 2.0, "half_up"],
    "CP_FULL_RATCHET": [10.0, 5.0, 2.0, "half_up"],
    "CP_SPLIT": [50.0, 2.0, 1.0, 2.0, "half_up"],
    "CP_STOCK_DIVIDEND": [12.28, 10.0, 1.0, 3.0, "half_up"],
    "CP_CASH_DIVIDEND": [10.0, 1.0, 20.0, 0.5, "ratio", 4.0, "half_up"],
    "CP_RIGHTS": [12.0, 100.0, 20.0, 5.0, 10.0, 2.0, "half_up"],
    "CP_SPIN_OFF": [10.0, 5.0, 20.0, "over_market", 2.0, "half_up"],
    "CP_TENDER_OFFER": [10.0, 300.0, 100.0, 80.0, 10.0, 4.0, "half_up"],
    "CP_RATIO": [6.41, 2.0, 2.0, "half_up"],
    "CP_CONVERSION_SHARES": [101.0, 6.41, 2.0, "floor"],
    "CP_CASH_IN_LIEU": [101.0, 6.41, 2.0, 0.5, 2.0, "half_up"],
    "CP_ROUND": [3.205, 2.0, "half_up"],
    "CP_VERSION": [],
}
EXPECTED = {
    "CP_WEIGHTED_AVERAGE": 2.0,
    "CP_FULL_RATCHET": 5.0,
    "CP_SPLIT": 25.0,
    "CP_STOCK_DIVIDEND": 11.164,
    "CP_CASH_DIVIDEND": 9.7436,
    "CP_RIGHTS": 11.0,
    "CP_SPIN_OFF": 7.5,
    "CP_TENDER_OFFER": 9.0909,
    "CP_RATIO": 3.21,
    "CP_CONVERSION_SHARES": 323.0,
    "CP_CASH_IN_LIEU": 0.35,
    "CP_ROUND": 3.21,
}
MAX_MESSAGE = 255  # a longer text inside an array turns into #VALUE! in Excel

Case = tuple[str, int, Argument]
ARGUMENTS: list[Case] = [
    (function.name, place, argument)
    for function in CATALOGUE
    if function.name in GOOD
    for place, argument in enumerate(function.arguments)
]


def _arguments(*kinds: Kind, where: Callable[[Argument], bool] = lambda argument: True) -> Any:
    return pytest.mark.parametrize(
        ("name", "place", "argument"),
        [
            pytest.param(*case, id=f"{case[0]}-{case[2].name}")
            for case in ARGUMENTS
            if case[2].kind in kinds and where(case[2])
        ],
    )


every_argument = _arguments(*Kind)
every_choice = _arguments(Kind.CHOICE)
every_number = _arguments(Kind.NUMBER)
every_number_or_decimals = _arguments(Kind.NUMBER, Kind.DECIMALS)
every_decimals = _arguments(Kind.DECIMALS)
every_rounding_type = _arguments(Kind.ROUNDING_TYPE)


def _call(name: str, *cells: Any) -> Any:
    return evaluate(FUNCTIONS[name], cells)


def _with(name: str, place: int, cell: Any) -> Any:
    """The result with one of the good cells replaced."""
    return _call(name, *GOOD[name][:place], cell, *GOOD[name][place + 1 :])


def _check_error(result: Any, code: str, name: str, argument: str, value: str, rule: str) -> None:
    """`result` is an error whose text begins with its code and names function, argument, value and rule."""
    assert isinstance(result, CellError)
    assert result.code == code
    text = str(result)
    assert text.startswith(f"{code} {name}: {argument} is {value}")
    assert text.endswith(rule)
    assert len(text) <= MAX_MESSAGE


def test_every_function_is_called() -> None:
    # Those on tables have tests of their own.
    assert list(GOOD) == [f.name for f in CATALOGUE if f.explain is not None or f.name == "CP_VERSION"]
    for name, expected in EXPECTED.items():
        assert len(GOOD[name]) == len(FUNCTIONS[name].arguments)
        assert _call(name, *GOOD[name]) == expected
    assert set(GOOD) - set(EXPECTED) == {"CP_VERSION"}


class TestBadCells:
    @_arguments(Kind.NUMBER, Kind.DECIMALS, where=lambda argument: not argument.optional)
    @pytest.mark.parametrize("blank", [None, MISSING, ""], ids=repr)
    def test_blank_where_a_value_is_required(self, name: str, place: int, argument: Argument, blank: Any) -> None:
        result = _with(name, place, blank)
        _check_error(result, "#VALUE!", name, argument.name, "blank", "a number is required")

    @every_number_or_decimals
    @pytest.mark.parametrize(
        ("cell", "value", "rule"),
        [
            ("abc", "the text 'abc'", "a number is required"),
            ("2", "the text '2'", "a number is required"),
            ("x" * 32767, "the text 'xxx", "a number is required"),
            (True, "TRUE", "a number is required, not a boolean"),
            (False, "FALSE", "a number is required, not a boolean"),
            (date(2026, 1, 2), "the date 2026-01-02", "a number is required"),
            (datetime.fromisoformat("2026-01-02T03:04:05"), "the date 2026-01-02", "a number is required"),
        ],
        ids=["text", "number as text", "longest text", "true", "false", "date", "datetime"],
    )
    def test_of_another_kind(
        self, name: str, place: int, argument: Argument, cell: Any, value: str, rule: str
    ) -> None:
        _check_error(_with(name, place, cell), "#VALUE!", name, argument.name, value, rule)

    @every_number_or_decimals
    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            (math.nan, "not a number"),
            (math.inf, "beyond what a cell can hold"),
            (-math.inf, "beyond what a cell can hold"),
            (10**400, "beyond what a cell can hold"),
            (-(10**400), "beyond what a cell can hold"),
        ],
        ids=["nan", "inf", "-inf", "400 digits", "-400 digits"],
    )
    def test_that_no_cell_can_hold(self, name: str, place: int, argument: Argument, cell: Any, value: str) -> None:
        rule = "a number that a cell can hold is required"
        _check_error(_with(name, place, cell), "#NUM!", name, argument.name, value, rule)

    @every_argument
    @pytest.mark.parametrize("code", [*ERROR_CODES, "#SPILL!"])
    def test_error_is_handed_on(self, name: str, place: int, argument: Argument, code: str) -> None:
        result = _with(name, place, CellError(code, "of another cell"))
        _check_error(result, code, name, argument.name, code, "an error is handed on")

    @_arguments(Kind.NUMBER, where=lambda argument: argument.name != "number")
    @pytest.mark.parametrize(
        ("cell", "value"),
        [(-1.0, "-1"), (-0.01, "-0.01"), (-1e-300, "-")],
        ids=["-1", "-0.01", "-1e-300"],
    )
    def test_negative(self, name: str, place: int, argument: Argument, cell: Any, value: str) -> None:
        assert argument.rule in ("it must be above 0", "it must be 0 or above")
        _check_error(_with(name, place, cell), "#NUM!", name, argument.name, value, argument.rule)

    @_arguments(Kind.NUMBER, where=lambda argument: argument.rule == "it must be above 0")
    @pytest.mark.parametrize("zero", [0.0, -0.0, 0])
    def test_zero_where_the_rule_forbids_it(self, name: str, place: int, argument: Argument, zero: float) -> None:
        _check_error(_with(name, place, zero), "#NUM!", name, argument.name, "0", argument.rule)

    @_arguments(Kind.NUMBER, where=lambda argument: argument.rule != "it must be above 0")
    def test_zero_where_the_rule_allows_it(self, name: str, place: int, argument: Argument) -> None:
        assert isinstance(_with(name, place, 0.0), float)

    @every_number
    def test_little_above_zero_is_possible(self, name: str, place: int, argument: Argument) -> None:
        numbers = sum(argument.kind is Kind.NUMBER for argument in FUNCTIONS[name].arguments)
        cells = GOOD[name][:numbers]
        cells[place] = 1e-9
        if (name, argument.name) in (
            ("CP_CASH_DIVIDEND", "market_price"),
            ("CP_TENDER_OFFER", "outstanding_before"),
        ):
            return  # it must be above another argument
        if name == "CP_ROUND":
            cells.append(2.0)
        assert isinstance(_call(name, *cells), float)

    @pytest.mark.parametrize("place", range(3))
    def test_the_rule_is_still_named_where_the_value_is_long(self, place: int) -> None:
        argument = FUNCTIONS["CP_SPLIT"].arguments[place]
        result = _with("CP_SPLIT", place, -1e308)
        _check_error(result, "#NUM!", "CP_SPLIT", argument.name, "-1", argument.rule)

    @every_decimals
    @pytest.mark.parametrize(("cell", "value"), [(2.5, "2.5"), (16.0, "16"), (-16.0, "-16"), (1e308, "1e+308")])
    def test_decimals_out_of_bounds(
        self, name: str, place: int, argument: Argument, cell: float, value: str
    ) -> None:
        _check_error(_with(name, place, cell), "#NUM!", name, argument.name, value, argument.rule)

    @every_decimals
    def test_negative_decimals(self, name: str, place: int, argument: Argument) -> None:
        result = _with(name, place, -1.0)
        if name == "CP_ROUND":
            assert result == 0
            assert _call(name, 125.0, -1.0) == 130
        else:
            _check_error(result, "#NUM!", name, "decimals", "-1", "it must be a whole number from 0 to 15")

    @every_decimals
    def test_bounds_of_decimals(self, name: str, place: int, argument: Argument) -> None:
        for bound in (argument.least, 15):
            assert isinstance(_with(name, place, float(bound)), float)

    @every_rounding_type
    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("bankers", "'bankers'"),
            (" ", "' '"),
            ("x" * 32767, "'xxx"),
            (2.0, "2"),
            (True, "TRUE"),
            (date(2026, 1, 2), "2026-01-02"),
            (math.nan, "nan"),
        ],
        ids=["unknown", "space", "longest text", "number", "boolean", "date", "nan"],
    )
    def test_unknown_rounding_type(self, name: str, place: int, argument: Argument, cell: Any, value: str) -> None:
        rule = "it must be one of half_up, half_even, floor, ceiling"
        assert argument.rule == rule
        _check_error(_with(name, place, cell), "#VALUE!", name, "rounding_type", value, rule)

    def test_the_first_bad_argument_is_named(self) -> None:
        result = _call("CP_SPLIT", None, CellError("#REF!"), 0.0)
        _check_error(result, "#VALUE!", "CP_SPLIT", "conversion_price", "blank", "a number is required")

    @every_choice
    @pytest.mark.parametrize(
        ("cell", "value"),
        [("sum", "'sum'"), ("x" * 300, "'xxx"), (2.0, "2"), (True, "TRUE"), (" ", "' '")],
        ids=["unknown", "long", "number", "boolean", "space"],
    )
    def test_unknown_method(self, name: str, place: int, argument: Argument, cell: Any, value: str) -> None:
        result = _with(name, place, cell)
        assert str(result).startswith(f"#VALUE! {name}: method is {value}")
        assert str(result).endswith(argument.rule)

    @every_choice
    def test_a_method_in_any_letter_case(self, name: str, place: int, argument: Argument) -> None:
        for choice in argument.choices:
            assert _with(name, place, f" {choice.upper()} ") == _with(name, place, choice)
            assert isinstance(_with(name, place, choice), float)

    def test_a_ratio_needs_a_market_price(self) -> None:
        for method in (None, "ratio", "excess"):
            result = _call("CP_CASH_DIVIDEND", 10.0, 1.0, None, 0.0, method)
            form = method or "ratio"
            _check_error(
                result, "#VALUE!", "CP_CASH_DIVIDEND", "market_price", "blank", f"the {form} form needs it"
            )
        assert _call("CP_CASH_DIVIDEND", 10.0, 1.0, None, 0.0, "subtract") == 9

    def test_what_a_method_makes_impossible(self) -> None:
        rule = "it must be below market_price, 20"
        result = _call("CP_CASH_DIVIDEND", 10.0, 20.0, 20.0)
        _check_error(result, "#NUM!", "CP_CASH_DIVIDEND", "dividend", "20", rule)
        result = _call("CP_SPIN_OFF", 10.0, 20.0, 20.0, "over_market")
        _check_error(result, "#NUM!", "CP_SPIN_OFF", "distributed_value", "20", rule)
        result = _call("CP_TENDER_OFFER", 10.0, 300.0, 100.0, 101.0, 10.0)
        rule = "it must not be above outstanding_before, 100"
        _check_error(result, "#NUM!", "CP_TENDER_OFFER", "outstanding_after", "101", rule)

    def test_too_few_cells_are_blanks(self) -> None:
        result = _call("CP_SPLIT", 50.0, 2.0)
        _check_error(result, "#VALUE!", "CP_SPLIT", "split_old", "blank", "a number is required")

    @pytest.mark.parametrize("name", GOOD)
    def test_too_many_cells_are_a_mistake_of_the_host(self, name: str) -> None:
        with pytest.raises(TypeError, match=f"^{name} takes {len(GOOD[name])} arguments, not "):
            _call(name, *GOOD[name], 1.0)


class TestResultsThatNoCellCanHold:
    @pytest.mark.parametrize(
        ("name", "cells"),
        [
            ("CP_SPLIT", [1e308, 1.0, 1e308]),
            ("CP_RATIO", [1e308, 1e-308]),
            ("CP_CONVERSION_SHARES", [1e308, 1e308, 1.0]),
            ("CP_ROUND", [1.7976931348623157e308, 0.0]),
        ],
    )
    def test_too_large(self, name: str, cells: list[float]) -> None:
        assert str(_call(name, *cells)) == f"#NUM! {name}: the result is too large for a cell"

    @pytest.mark.parametrize(
        ("name", "cells"),
        [
            ("CP_WEIGHTED_AVERAGE", [1e-300, 1.0, 0.0, 1e100]),
            ("CP_FULL_RATCHET", [1.0, 5e-324]),
            ("CP_SPLIT", [1e-308, 1e308, 1.0]),
            ("CP_STOCK_DIVIDEND", [1e-300, 1.0, 1e100]),
            ("CP_RATIO", [1e-308, 1e308]),
            ("CP_CASH_IN_LIEU", [1e-300, 1.0, 1.0, 1e-300]),
        ],
    )
    def test_too_close_to_0(self, name: str, cells: list[float]) -> None:
        assert str(_call(name, *cells)) == f"#NUM! {name}: the result is too close to 0 for a cell"
        assert evaluate_exact(FUNCTIONS[name], cells) > 0

    @pytest.mark.parametrize(
        ("name", "cells", "price"),
        [
            ("CP_WEIGHTED_AVERAGE", [1.0, 1.0, 0.0, 249.0, None, 2.0], "0.004"),
            ("CP_FULL_RATCHET", [1.0, 0.004, 2.0], "0.004"),
            ("CP_SPLIT", [1.0, 250.0, 1.0, 2.0], "0.004"),
            ("CP_STOCK_DIVIDEND", [1.0, 1.0, 249.0, 2.0], "0.004"),
            ("CP_RATIO", [1.0, 250.0, 2.0], "0.004"),
        ],
    )
    def test_a_price_that_rounds_to_zero(self, name: str, cells: list[Any], price: str) -> None:
        rule = f"{price} rounds to zero there; more decimals are needed"
        _check_error(_call(name, *cells), "#NUM!", name, "decimals", "2", rule)
        assert str(evaluate_exact(FUNCTIONS[name], cells)) == str(_call(name, *cells))

    def test_nothing_is_0_only_where_it_is(self) -> None:
        assert _call("CP_CONVERSION_SHARES", 0.0, 6.41, 2.0) == 0
        assert _call("CP_CONVERSION_SHARES", 0.1, 6.41, 2.0) == 0
        assert _call("CP_CASH_IN_LIEU", 100.0, 2.0, 2.0, 0.5) == 0
        assert _call("CP_ROUND", 0.004, 2.0) == 0


class TestLeftOut:
    @_arguments(*Kind, where=lambda argument: argument.optional)
    def test_blank_is_the_default(self, name: str, place: int, argument: Argument) -> None:
        cells = GOOD[name][:place]
        if argument.name == "market_price":
            return  # it may be left out by one of the methods only
        left_out = _call(name, *cells)
        assert isinstance(left_out, float)
        for blank in (None, MISSING, ""):
            assert _call(name, *cells, blank) == left_out

    @pytest.mark.parametrize(
        ("name", "cells", "expected"),
        [
            ("CP_WEIGHTED_AVERAGE", [1.0, 7000000.0, 1000000.0, 2000000.0], Fraction(8, 9)),
            ("CP_WEIGHTED_AVERAGE", [1.0, 7000000.0, 1000000.0, 2000000.0, None, None, "floor"], Fraction(8, 9)),
            ("CP_SPLIT", [1.0, 3.0, 1.0], Fraction(1, 3)),
            ("CP_RATIO", [6.41, 2.0], Fraction("3.205")),
            ("CP_RATIO", [6.41, 2.0, 2.0], Fraction("3.21")),
            ("CP_ROUND", [3.205, 2.0], Fraction("3.21")),
            ("CP_CONVERSION_SHARES", [1.0, 5.0, 3.0], Fraction(1)),
            ("CP_CASH_IN_LIEU", [1.0, 5.0, 3.0, 2.0], Fraction(4, 3)),
        ],
    )
    def test_defaults(self, name: str, cells: list[Any], expected: Fraction) -> None:
        assert _is_nearest(_call(name, *cells), expected)

    def test_zero_decimals_are_not_left_out(self) -> None:
        assert _call("CP_RATIO", 6.41, 2.0, 0.0) == 3


# The figures once more, by formulas written anew: name -> (exact, rounded).


def _round(value: Fraction, decimals: int | None, rounding_type: str) -> Fraction:
    if decimals is None:
        return value
    whole: dict[str, Callable[[Fraction], int]] = {
        "half_up": lambda v: math.floor(abs(v) + Fraction(1, 2)) * (1 if v > 0 else -1),
        "half_even": round,
        "floor": math.floor,
        "ceiling": math.ceil,
    }
    scale = Fraction(10) ** decimals
    return whole[rounding_type](value * scale) / scale


def _average(cp: Fraction, outstanding: Fraction, paid: Fraction, issued: Fraction, other: Fraction) -> Fraction:
    a = outstanding + other
    return cp if paid >= cp * issued else cp * (a + paid / cp) / (a + issued)


def _cash_dividend(cp: Fraction, paid: Fraction, market: Fraction, least: Fraction, method: str) -> Fraction:
    if paid <= least:
        return cp
    if method == "subtract":
        return cp - paid
    return cp * (market - paid) / (market - least) if method == "ratio" else cp * (1 - (paid - least) / market)


EXACT: dict[str, Callable[..., Fraction]] = {
    "CP_WEIGHTED_AVERAGE": _average,
    "CP_FULL_RATCHET": lambda cp, issue_price: issue_price if issue_price < cp else cp,
    "CP_SPLIT": lambda cp, new, old: cp / (new / old),
    "CP_STOCK_DIVIDEND": lambda cp, outstanding, paid: cp / (1 + paid / outstanding),
    "CP_CASH_DIVIDEND": _cash_dividend,
    "CP_RIGHTS": lambda cp, n, r, offer, market: (
        cp if offer >= market else cp * (n + r * (offer / market)) / (n + r)
    ),
    "CP_SPIN_OFF": lambda cp, value, market, method: (
        cp / (1 + value / market) if method == "over_sum" else cp * (1 - value / market)
    ),
    "CP_TENDER_OFFER": lambda cp, paid, before, after, market: min(
        cp, cp / ((paid + market * after) / (market * before))
    ),
    "CP_RATIO": lambda original, cp: original / cp,
    "CP_CONVERSION_SHARES": lambda preferred, original, cp: preferred / cp * original,
    "CP_CASH_IN_LIEU": lambda preferred, original, cp, market: preferred / cp * original % 1 * market,
    "CP_ROUND": lambda number: number,
}
CAPPED = {
    "CP_WEIGHTED_AVERAGE",
    "CP_FULL_RATCHET",
    "CP_STOCK_DIVIDEND",
    "CP_CASH_DIVIDEND",
    "CP_RIGHTS",
    "CP_SPIN_OFF",
    "CP_TENDER_OFFER",
}
NEVER_ZERO = CAPPED | {"CP_SPLIT", "CP_RATIO"}


def _figure(name: str, numbers: Sequence[Any], decimals: int | None, rounding_type: str) -> Fraction | None:
    """What the cell must show; None where nothing would be left of a price."""
    value = EXACT[name](*numbers)
    if name == "CP_CONVERSION_SHARES":
        return _round(value, 0, rounding_type)
    rounded = _round(value, decimals, rounding_type)
    if name in CAPPED and value == numbers[0]:
        return value
    if name in NEVER_ZERO and rounded == 0:
        return None
    return min(rounded, numbers[0]) if name in CAPPED else rounded  # numbers[0] is the price before


def _displayed(double: float) -> Fraction:
    """The number of 15 significant digits that a cell displays."""
    return Fraction(Context(prec=15, rounding=ROUND_HALF_EVEN).create_decimal_from_float(double))


def _is_nearest(double: float, value: Fraction) -> bool:
    """Whether no other double is nearer to `value`, and in a tie the last bit is 0."""
    error = abs(Fraction(double) - value)
    others = [abs(Fraction(math.nextafter(double, way)) - value) for way in (math.inf, -math.inf)]
    return all(error < other or (error == other and struct.pack(">d", double)[-1] % 2 == 0) for other in others)


written = st.builds(lambda digits, places: float(f"{digits}E-{places}"), st.integers(1, 10**9), st.integers(0, 6))
money = st.one_of(written, st.floats(0.0001, 1e6), st.floats(0.5, 20.0).map(lambda x: x + 0.1 + 0.2))
shares = st.one_of(st.integers(1, 10**12).map(float), st.integers(1, 10**12), st.floats(1.0, 1e12))
shares_or_none = st.one_of(st.just(0.0), shares)
little = st.floats(0.0, 4.9)
more = money.map(lambda price: price + 5)
total = st.one_of(st.just(0.0), money, st.floats(0.0, 1e12))
signed = st.one_of(st.floats(-1e15, 1e15), st.integers(-(10**12), 10**12).map(lambda n: n / 1000))
CELLS: dict[str, list[st.SearchStrategy[Any]]] = {
    "CP_WEIGHTED_AVERAGE": [money, shares, total, shares, shares_or_none],
    "CP_FULL_RATCHET": [money, money],
    "CP_SPLIT": [money, shares, shares],
    "CP_STOCK_DIVIDEND": [money, shares, shares_or_none],
    "CP_CASH_DIVIDEND": [more, little, more, little, st.sampled_from(list(CashForm))],
    "CP_RIGHTS": [money, shares, shares, money, money],
    "CP_SPIN_OFF": [money, little, more, st.sampled_from(list(SpinOffForm))],
    "CP_TENDER_OFFER": [money, total, st.just(2e12), shares, money],
    "CP_RATIO": [money, money],
    "CP_CONVERSION_SHARES": [shares_or_none, money, money],
    "CP_CASH_IN_LIEU": [shares_or_none, money, money, money],
    "CP_ROUND": [signed],
}
LEAST_DECIMALS = {"CP_ROUND": -15}


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=100)
@given(data=st.data(), rounding_type=st.sampled_from(["half_up", "half_even", "floor", "ceiling"]))
def test_exact_to_the_last_bit(name: str, data: st.DataObject, rounding_type: str) -> None:
    function = FUNCTIONS[name]
    cells: list[Any] = [data.draw(cell, "cell") for cell in CELLS[name]]
    numbers = [cell if isinstance(cell, str) else _displayed(cell) for cell in cells]
    decimals = None
    options: dict[str, Any] = {"rounding_type": RoundingType(rounding_type)}
    if any(argument.name == "decimals" for argument in function.arguments):
        whole = st.integers(LEAST_DECIMALS.get(name, 0), 15)
        decimals = data.draw(whole if name == "CP_ROUND" else st.one_of(st.none(), whole), "decimals")
        cells.append(decimals)
        options["decimals"] = decimals
    cells.append(rounding_type)

    result, figure = evaluate(function, cells), _figure(name, numbers, decimals, rounding_type)
    if figure is None:
        assert isinstance(result, CellError)
        assert result.code == "#NUM!"
        return
    assert isinstance(result, float)
    assert _is_nearest(result, figure)
    assert evaluate_exact(function, cells) == EXACT[name](*numbers)
    # The explanation ends with the same figure.
    assert function.explain is not None
    assert function.explain(*numbers, **options)[-1].value == figure


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        # Each is another number when computed in doubles.
        ("CP_ROUND", [1.005, 2.0], "1.01"),
        ("CP_ROUND", [2.675, 2.0], "2.68"),
        ("CP_ROUND", [-1.005, 2.0], "-1.01"),
        ("CP_ROUND", [0.1 + 0.2, 1.0, "ceiling"], "0.3"),
        ("CP_ROUND", [1.1 * 3, 1.0, "ceiling"], "3.3"),
        ("CP_CONVERSION_SHARES", [100.0, 0.29, 0.01], "2900"),
        ("CP_CONVERSION_SHARES", [3.0, 1.1, 0.1], "33"),
        ("CP_CASH_IN_LIEU", [3.0, 1.1, 0.1, 5.0], "0"),
        ("CP_RATIO", [6.41, 2.0, 2.0, "half_even"], "3.2"),
        ("CP_STOCK_DIVIDEND", [12.88, 10.0, 1.0, 3.0], "11.709"),
    ],
)
def test_where_doubles_go_wrong(name: str, cells: list[Any], expected: str) -> None:
    assert _call(name, *cells) == float(expected)


some_cells = st.one_of(
    st.sampled_from([None, "", "abc", True, math.nan, 0.0, -1.0, 1e308, CellError("#REF!"), date(2026, 1, 2)]),
    st.integers(1, 50).map(float),
)


def _ranges(rows: int, columns: int) -> st.SearchStrategy[list[list[Any]]]:
    row = st.lists(some_cells, min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


class TestRanges:
    @given(st.data(), st.integers(1, 4), st.integers(2, 4))
    def test_column_against_row_is_a_grid(self, data: st.DataObject, rows: int, columns: int) -> None:
        column, row = data.draw(_ranges(rows, 1)), data.draw(_ranges(1, columns))
        grid = _call("CP_SPLIT", column, row, 3.0, 2.0)
        # Every element is what a call of its own gives, the errors of other elements notwithstanding.
        assert grid == [[_call("CP_SPLIT", left, above, 3.0, 2.0) for above in row[0]] for (left,) in column]

    @given(st.data(), st.integers(1, 3), st.integers(2, 3))
    def test_equal_ranges_go_element_by_element(self, data: st.DataObject, rows: int, columns: int) -> None:
        first, second, third = (data.draw(_ranges(rows, columns)) for _ in range(3))
        assert _call("CP_SPLIT", first, second, 1.0, third) == [
            [_call("CP_SPLIT", *cells[:2], 1.0, cells[2]) for cells in zip(*lines, strict=True)]
            for lines in zip(first, second, third, strict=True)
        ]

    @given(*[st.integers(1, 3)] * 4)
    def test_sizes_that_differ(self, rows: int, columns: int, rows2: int, columns2: int) -> None:
        first = [[50.0] * columns] * rows
        second = [[2.0] * columns2] * rows2
        result = _call("CP_SPLIT", first, second, 1.0)
        height, width = max(rows, rows2), max(columns, columns2)
        if height == width == 1:
            assert result == 25
            return
        assert [len(line) for line in result] == [width] * height
        for row, line in enumerate(result):
            for column, value in enumerate(line):
                inside = all(
                    size == 1 or place < size
                    for size, place in [(rows, row), (rows2, row), (columns, column), (columns2, column)]
                )
                assert value == (25 if inside else CellError("#N/A", "CP_SPLIT: the ranges differ in size"))

    @pytest.mark.parametrize("name", EXPECTED)
    def test_every_argument_takes_a_range(self, name: str) -> None:
        for place, cell in enumerate(GOOD[name]):
            assert _with(name, place, [[cell], [cell]]) == [[EXPECTED[name]]] * 2
            assert _with(name, place, ((cell, cell, cell),)) == [[EXPECTED[name]] * 3]
        assert _call(name, *([[cell, cell]] for cell in GOOD[name])) == [[EXPECTED[name]] * 2]

    @every_argument
    def test_an_error_stays_in_its_element(self, name: str, place: int, argument: Argument) -> None:
        good = GOOD[name][place]
        first, (error, *_), last = _with(name, place, [[good], [CellError("#REF!")], [good]])
        assert first == last == [EXPECTED[name]]
        _check_error(error, "#REF!", name, argument.name, "#REF!", "an error is handed on")

    @every_argument
    def test_one_cell_is_a_scalar(self, name: str, place: int, argument: Argument) -> None:
        cell = GOOD[name][place]
        for one in ([[cell]], ((cell,),), [(cell,)]):
            assert _with(name, place, one) == EXPECTED[name]

    @pytest.mark.parametrize("empty", [[], [[]], (), ((),), [[], []]], ids=repr)
    def test_an_empty_range_is_a_blank(self, empty: Any) -> None:
        assert _call("CP_SPLIT", empty, 2.0, 1.0) == _call("CP_SPLIT", None, 2.0, 1.0)
        assert _call("CP_SPLIT", 50.0, 2.0, 1.0, empty) == 25

    def test_a_short_row_is_filled_with_blanks(self) -> None:
        result = _call("CP_SPLIT", [[50.0, 40.0], [], [30.0]], 2.0, 1.0)
        blank = _call("CP_SPLIT", None, 2.0, 1.0)
        assert result == [[25, 20], [blank, blank], [15, blank]]

    def test_a_giant_spill_is_refused_before_it_is_computed(self) -> None:
        result = _call("CP_SPLIT", [[50.0]] * 5001, [[2.0] * 1000], 1.0)
        assert str(result) == f"#NUM! CP_SPLIT: a result of 5001 x 1000 cells; at most {MAX_SPILL}"

    def test_cells_are_not_changed(self) -> None:
        ragged = [[50.0], [40.0, 30.0]]
        _call("CP_SPLIT", ragged, 2.0, 1.0)
        assert ragged == [[50.0], [40.0, 30.0]]

    def test_exact_figures_spill_too(self) -> None:
        exact = evaluate_exact(FUNCTIONS["CP_SPLIT"], [[[1.0], [None], [2.0]], 3.0, 1.0])
        assert isinstance(exact, list)
        assert exact[0] == [Fraction(1, 3)]
        assert exact[2] == [Fraction(2, 3)]
        _check_error(exact[1][0], "#VALUE!", "CP_SPLIT", "conversion_price", "blank", "a number is required")
