"""Every explanation is computed again from its own formulas, by an evaluator of its own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from support.formulas import WHOLE, compute

from xl_conversion.core import adjustments, explanations
from xl_conversion.core.adjustments import ImpossibleArgument, round_price
from xl_conversion.core.rounding import RoundingType, round_to, round_whole
from xl_conversion.core.steps import Step, Working

NONE_OR_DECIMALS = st.one_of(st.none(), st.integers(0, 6))


@dataclass(frozen=True)
class Case:
    """One explanation, the figure that it explains, and the arguments to try."""

    explain: Callable[..., tuple[Step, ...]]
    figure: Callable[..., Fraction]
    arguments: Mapping[str, st.SearchStrategy[Fraction]]
    decimals: st.SearchStrategy[int | None] | None = NONE_OR_DECIMALS


def _adjusted(adjust: Callable[..., Fraction]) -> Callable[..., Fraction]:
    """The figure of an adjustment, which never raises the price."""

    def figure(
        conversion_price: Fraction, *others: Fraction, decimals: int | None, rounding_type: RoundingType
    ) -> Fraction:
        price = adjust(conversion_price, *others)
        return round_price(price, decimals, rounding_type, not_above=conversion_price)

    return figure


def _split(*arguments: Fraction, decimals: int | None, rounding_type: RoundingType) -> Fraction:
    return round_price(adjustments.split(*arguments), decimals, rounding_type)


def _ratio(*arguments: Fraction, decimals: int | None, rounding_type: RoundingType) -> Fraction:
    return round_price(adjustments.conversion_ratio(*arguments), decimals, rounding_type)


def _shares(*arguments: Fraction, rounding_type: RoundingType) -> Fraction:
    return Fraction(round_whole(adjustments.conversion_shares(*arguments), rounding_type))


def _cash(*arguments: Fraction, decimals: int | None, rounding_type: RoundingType) -> Fraction:
    cash = adjustments.cash_in_lieu(*arguments)
    return cash if decimals is None else round_to(cash, decimals, rounding_type)


# Small whole numbers are frequent, so that arguments are often equal and limits are met.
small = st.integers(1, 5).map(Fraction)
prices = st.one_of(small, st.fractions(Fraction(1, 1000), 50, max_denominator=1000))
counts = st.one_of(small, st.integers(1, 10**9).map(Fraction))
counts_or_none = st.one_of(st.just(Fraction(0)), counts)
amounts = st.one_of(st.just(Fraction(0)), small, st.fractions(0, 10**9, max_denominator=100))
dividends = st.one_of(st.just(Fraction(0)), small, st.fractions(0, 50, max_denominator=1000))
numbers = st.fractions(-(10**6), 10**6, max_denominator=10**6)

CASES = {
    "weighted_average": Case(
        explanations.explain_weighted_average,
        _adjusted(adjustments.weighted_average),
        {
            "conversion_price": prices,
            "outstanding": counts,
            "consideration": amounts,
            "issued": counts,
            "other_securities": counts_or_none,
        },
    ),
    "weighted_average_charter": Case(
        explanations.explain_weighted_average_charter,
        _adjusted(adjustments.weighted_average_charter),
        {
            "conversion_price": prices,
            "outstanding_before": counts,
            "consideration": amounts,
            "other_before": counts_or_none,
            "outstanding_after": counts,
            "other_after": counts_or_none,
            "issued": st.one_of(st.none(), counts),
        },
    ),
    "full_ratchet": Case(
        explanations.explain_full_ratchet,
        _adjusted(adjustments.full_ratchet),
        {"conversion_price": prices, "issue_price": prices},
    ),
    "split": Case(
        explanations.explain_split,
        _split,
        {"conversion_price": prices, "split_new": counts, "split_old": counts},
    ),
    "stock_dividend": Case(
        explanations.explain_stock_dividend,
        _adjusted(adjustments.stock_dividend),
        {"conversion_price": prices, "outstanding": counts, "dividend_shares": counts_or_none},
    ),
    "cash_dividend": Case(
        explanations.explain_cash_dividend,
        _adjusted(adjustments.cash_dividend),
        {"conversion_price": prices, "dividend": dividends, "market_price": prices, "threshold": dividends},
    ),
    "cash_dividend_excess": Case(
        explanations.explain_cash_dividend_excess,
        _adjusted(adjustments.cash_dividend_excess),
        {"conversion_price": prices, "dividend": dividends, "market_price": prices, "threshold": dividends},
    ),
    "cash_dividend_subtracted": Case(
        explanations.explain_cash_dividend_subtracted,
        _adjusted(adjustments.cash_dividend_subtracted),
        {"conversion_price": prices, "dividend": dividends, "threshold": dividends},
    ),
    "rights": Case(
        explanations.explain_rights,
        _adjusted(adjustments.rights),
        {
            "conversion_price": prices,
            "outstanding": counts,
            "offered": counts,
            "offer_price": dividends,
            "market_price": prices,
        },
    ),
    "spin_off": Case(
        explanations.explain_spin_off,
        _adjusted(adjustments.spin_off),
        {"conversion_price": prices, "distributed_value": dividends, "market_price": prices},
    ),
    "spin_off_over_market": Case(
        explanations.explain_spin_off_over_market,
        _adjusted(adjustments.spin_off_over_market),
        {"conversion_price": prices, "distributed_value": dividends, "market_price": prices},
    ),
    "tender_offer": Case(
        explanations.explain_tender_offer,
        _adjusted(adjustments.tender_offer),
        {
            "conversion_price": prices,
            "consideration": amounts,
            "outstanding_before": counts,
            "outstanding_after": counts,
            "market_price": prices,
        },
    ),
    "conversion_ratio": Case(
        explanations.explain_conversion_ratio,
        _ratio,
        {"original_issue_price": prices, "conversion_price": prices},
    ),
    "conversion_shares": Case(
        explanations.explain_conversion_shares,
        _shares,
        {"preferred_shares": counts_or_none, "original_issue_price": prices, "conversion_price": prices},
        decimals=None,
    ),
    "cash_in_lieu": Case(
        explanations.explain_cash_in_lieu,
        _cash,
        {
            "preferred_shares": counts_or_none,
            "original_issue_price": prices,
            "conversion_price": prices,
            "market_price": prices,
        },
    ),
    "round": Case(explanations.explain_round, round_to, {"number": numbers}, decimals=st.integers(-6, 6)),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def _draw(case: Case, data: st.DataObject) -> tuple[dict[str, Fraction], dict[str, Any]]:
    arguments = {name: data.draw(values, name) for name, values in case.arguments.items()}
    options: dict[str, Any] = {"rounding_type": data.draw(st.sampled_from(RoundingType), "rounding_type")}
    if case.decimals is not None:
        options["decimals"] = data.draw(case.decimals, "decimals")
    return arguments, options


def _explained(case: Case, data: st.DataObject) -> tuple[Step, ...]:
    """The steps for arguments drawn, the last of which is the figure."""
    arguments, options = _draw(case, data)
    try:
        figure = case.figure(*arguments.values(), **options)
    except ImpossibleArgument:
        reject()
    steps = case.explain(**arguments, **options)
    assert steps[-1].value == figure
    return steps


def test_every_explanation_is_tried() -> None:
    twins = {name.removeprefix("explain_") for name in dir(explanations) if name.startswith("explain_")}
    assert twins == set(CASES)


@pytest.mark.parametrize("name", [name for name in CASES if name != "round"])
def test_takes_the_arguments_of_its_figure(name: str) -> None:
    figure = inspect.signature(getattr(adjustments, name)).parameters
    explained = inspect.signature(CASES[name].explain).parameters
    for argument, parameter in zip(explained, figure.values(), strict=False):
        assert explained[argument] == parameter
    assert set(explained) - set(figure) <= {"decimals", "rounding_type", "source"}


@every_case
@given(data=st.data())
def test_every_formula_gives_its_value(case: Case, data: st.DataObject) -> None:
    steps = _explained(case, data)
    values: dict[str, Fraction] = {}
    for step in steps:
        if step.formula:
            assert compute(step.formula, values) == step.value
        values[step.symbol] = step.value
    assert len(values) == len(steps)


@every_case
@given(data=st.data())
def test_formulas_in_numbers(case: Case, data: st.DataObject) -> None:
    given_or_made: dict[str, Step] = {}
    for step in _explained(case, data):
        words = set(re.findall(r"[A-Za-z_]\w*", step.with_numbers))
        assert words <= {"min", "max", "when", *WHOLE}
        used = [given_or_made[name].shown for name in re.findall(r"\w+", step.formula) if name not in words]
        assert re.findall(r"\d[\d.]*", step.with_numbers) == [number.lstrip("-") for number in used]
        if "..." not in step.with_numbers and step.formula:
            assert compute(step.with_numbers, {}) == step.value
        given_or_made[step.symbol] = step


@every_case
@given(data=st.data())
def test_what_a_step_says(case: Case, data: st.DataObject) -> None:
    for step in _explained(case, data):
        assert step.label
        assert step.unit
        assert step.source
        assert bool(step.formula) == bool(step.with_numbers)
        if not step.shown.endswith("..."):
            assert Fraction(step.shown) == step.value


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.decimals is NONE_OR_DECIMALS])
@given(data=st.data())
def test_without_decimals_nothing_is_called_rounded(name: str, data: st.DataObject) -> None:
    without = replace(CASES[name], decimals=st.none())
    for step in _explained(without, data):
        assert "rounded" not in step.symbol
        assert "decimals" not in step.formula


EXAMPLES: dict[str, dict[str, Any]] = {
    "weighted_average": {
        "conversion_price": "6.41",
        "outstanding": 33_831_184,
        "consideration": "8187842.70",
        "issued": 81_728_433,
        "other_securities": 1_411_724,
    },
    "weighted_average_charter": {
        "conversion_price": "6.41",
        "outstanding_before": 33_831_184,
        "consideration": "8187842.70",
        "other_before": 1_411_724,
        "outstanding_after": 115_559_617,
        "other_after": 1_411_725,
        "issued": 81_878_427,
    },
    "full_ratchet": {"conversion_price": 10, "issue_price": 5},
    "split": {"conversion_price": 50, "split_new": 2, "split_old": 1},
    "stock_dividend": {"conversion_price": "12.28", "outstanding": 10, "dividend_shares": 1},
    "cash_dividend": {"conversion_price": 10, "dividend": 3, "market_price": 20, "threshold": 1},
    "cash_dividend_excess": {"conversion_price": 10, "dividend": 3, "market_price": 20, "threshold": 1},
    "cash_dividend_subtracted": {"conversion_price": 10, "dividend": 3, "threshold": 1},
    "rights": {
        "conversion_price": 12,
        "outstanding": 100,
        "offered": 20,
        "offer_price": 5,
        "market_price": 10,
    },
    "spin_off": {"conversion_price": 10, "distributed_value": 5, "market_price": 20},
    "spin_off_over_market": {"conversion_price": 10, "distributed_value": 5, "market_price": 20},
    "tender_offer": {
        "conversion_price": 10,
        "consideration": 300,
        "outstanding_before": 100,
        "outstanding_after": 80,
        "market_price": 10,
    },
    "conversion_ratio": {"original_issue_price": "6.41", "conversion_price": "2.00"},
    "conversion_shares": {"preferred_shares": 101, "original_issue_price": "6.41", "conversion_price": 2},
    "cash_in_lieu": {
        "preferred_shares": 101,
        "original_issue_price": "6.41",
        "conversion_price": "2.00",
        "market_price": "0.50",
    },
    "round": {"number": "-3.205"},
}
every_example = pytest.mark.parametrize("name", CASES)


def _options(name: str) -> dict[str, Any]:
    return {} if CASES[name].decimals is None else {"decimals": 2}


@every_example
def test_begins_with_what_is_given(name: str) -> None:
    steps = CASES[name].explain(**EXAMPLES[name], **_options(name))
    stated = [step.value for step in steps if not step.formula]
    for value in EXAMPLES[name].values():
        stated.remove(Fraction(value))
    # What is left says how to round: to the decimals, or to whole shares.
    assert set(stated) <= {Fraction(2), Fraction(0)}


@every_example
def test_the_source_is_the_callers(name: str) -> None:
    steps = CASES[name].explain(**EXAMPLES[name], **_options(name), source="Section 7d(6)")
    assert {step.source for step in steps} == {"Section 7d(6)"}


@pytest.mark.parametrize("name", [name for name in CASES if name != "round"])  # any number can be rounded
def test_refuses_what_the_figure_refuses(name: str) -> None:
    for argument in EXAMPLES[name]:
        impossible = EXAMPLES[name] | {argument: -1}
        with pytest.raises(ImpossibleArgument, match=f"^{argument} is -1; it must be "):
            CASES[name].explain(**impossible, **_options(name))


def test_refuses_to_round_a_price_away() -> None:
    with pytest.raises(ImpossibleArgument, match=r"^decimals is 2; 0\.004 rounds to zero there"):
        explanations.explain_full_ratchet(10, "0.004", decimals=2)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            explanations.explain_weighted_average(
                "6.41", 33_831_184, "8187842.70", 81_728_433, 1_411_724, decimals=2
            ),
            [
                ("CP1", "6.41"),
                ("outstanding", "33831184"),
                ("other", "1411724"),
                ("A", "33831184 + 1411724"),
                ("K", "8187842.7"),
                ("C", "81728433"),
                ("P", "8187842.7 / 81728433"),
                ("B", "8187842.7 / 6.41"),
                (
                    "CP2",
                    "min(6.41, 6.41 * (35242908 + 1277354.5553822152...) / (35242908 + 81728433))",
                ),
                ("decimals", "2"),
                (
                    "CP2_rounded",
                    "when(2.0013011817... < 6.41, min(half_up(2.0013011817..., 2), 6.41), 6.41)",
                ),
            ],
        ),
        (
            explanations.explain_full_ratchet("1.005", "2", decimals=2),
            [
                ("CP1", "1.005"),
                ("P", "2"),
                ("CP2", "min(1.005, 2)"),
                ("decimals", "2"),
                ("CP2_rounded", "when(1.005 < 1.005, min(half_up(1.005, 2), 1.005), 1.005)"),
            ],
        ),
        (
            explanations.explain_round("-2.5", decimals=0),
            [("V", "-2.5"), ("decimals", "0"), ("V_rounded", "half_up((-2.5), 0)")],
        ),
    ],
    ids=["moved", "not moved", "negative"],
)
def test_as_a_reader_sees_it(steps: tuple[Step, ...], expected: list[tuple[str, str]]) -> None:
    assert [(step.symbol, step.with_numbers or step.shown) for step in steps] == expected


def test_a_symbol_is_used_once() -> None:
    work = Working("4.4.4")
    work.given("A", "common outstanding", Fraction(1), "shares of common")
    with pytest.raises(ValueError, match="symbol A is used twice"):
        work.then("A", "base", "A + A", Fraction(2), "shares of common")
