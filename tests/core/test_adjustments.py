"""The clauses of a charter: against formulas written anew, and by the laws they must keep."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xl_conversion.core import adjustments
from xl_conversion.core.adjustments import (
    ImpossibleArgument,
    above_zero,
    cash_dividend,
    cash_dividend_excess,
    cash_dividend_subtracted,
    cash_in_lieu,
    conversion_ratio,
    conversion_shares,
    full_ratchet,
    rights,
    round_price,
    spin_off,
    spin_off_over_market,
    split,
    stock_dividend,
    tender_offer,
    weighted_average,
    weighted_average_charter,
)
from xl_conversion.core.rounding import RoundingType, round_to

prices = st.fractions(Fraction(1, 1000), 1000, max_denominator=10**6)
amounts = st.fractions(0, 10**9, max_denominator=100)
counts = st.one_of(st.integers(1, 10**10).map(Fraction), st.fractions(1, 10**6, max_denominator=100))
counts_or_none = st.one_of(st.just(Fraction(0)), counts)
shares_of_one = st.fractions(0, 1, max_denominator=1000).filter(lambda part: part < 1)
decimals = st.integers(0, 8)
rounding_types = st.sampled_from(RoundingType)


class TestWeightedAverage:
    @given(prices, counts, amounts, counts, counts_or_none)
    def test_formula(
        self, cp1: Fraction, outstanding: Fraction, paid: Fraction, issued: Fraction, other: Fraction
    ) -> None:
        a, b, c = outstanding + other, paid / cp1, issued
        expected = cp1 * (a + b) / (a + c) if paid / issued < cp1 else cp1
        assert weighted_average(cp1, outstanding, paid, issued, other) == expected

    @given(prices, counts, counts, counts_or_none)
    def test_nothing_moves_at_the_price(
        self, cp1: Fraction, outstanding: Fraction, issued: Fraction, other: Fraction
    ) -> None:
        assert weighted_average(cp1, outstanding, cp1 * issued, issued, other) == cp1

    @given(prices, counts, counts, counts_or_none, shares_of_one)
    def test_moves_strictly_below_the_price_and_not_beyond_the_issue_price(
        self, cp1: Fraction, outstanding: Fraction, issued: Fraction, other: Fraction, part: Fraction
    ) -> None:
        issue_price = cp1 * part
        cp2 = weighted_average(cp1, outstanding, issue_price * issued, issued, other)
        assert issue_price < cp2 < cp1

    def test_a_hair_below_the_price_moves_it(self) -> None:
        assert weighted_average("2.00", 1000, "199.99", 100) < 2
        assert weighted_average("2.00", 1000, "200.00", 100) == 2
        assert weighted_average("2.00", 1000, "200.01", 100) == 2

    @given(prices, counts, counts, counts_or_none, shares_of_one)
    def test_full_ratchet_is_never_above_it(
        self, cp1: Fraction, outstanding: Fraction, issued: Fraction, other: Fraction, part: Fraction
    ) -> None:
        issue_price = cp1 * part
        assume(issue_price > 0)
        average = weighted_average(cp1, outstanding, issue_price * issued, issued, other)
        assert full_ratchet(cp1, issue_price) < average

    @given(prices, counts, st.lists(st.tuples(amounts, counts), min_size=1, max_size=5), st.randoms())
    def test_securities_of_one_issuance_add_up_in_any_order(
        self, cp1: Fraction, outstanding: Fraction, securities: list[tuple[Fraction, Fraction]], order: Any
    ) -> None:
        numerator = cp1 * outstanding + sum(paid for paid, _ in securities)
        denominator = outstanding + sum(shares for _, shares in securities)
        order.shuffle(securities)
        together = weighted_average(
            cp1, outstanding, sum(paid for paid, _ in securities), sum(shares for _, shares in securities)
        )
        assert together == min(cp1, numerator / denominator)

    @given(prices, counts, st.tuples(counts, shares_of_one), st.tuples(counts, shares_of_one))
    def test_two_closings_at_falling_prices_are_one_issuance(
        self,
        cp1: Fraction,
        outstanding: Fraction,
        first: tuple[Fraction, Fraction],
        second: tuple[Fraction, Fraction],
    ) -> None:
        (issued, part), (issued_later, part_later) = first, second
        paid, paid_later = cp1 * part * issued, cp1 * part * part_later * issued_later
        between = weighted_average(cp1, outstanding, paid, issued)
        after = weighted_average(between, outstanding + issued, paid_later, issued_later)
        assert after == weighted_average(cp1, outstanding, paid + paid_later, issued + issued_later)

    @given(prices, counts, amounts, counts, counts_or_none)
    def test_outstanding_and_other_securities_are_one_base(
        self, cp1: Fraction, outstanding: Fraction, paid: Fraction, issued: Fraction, other: Fraction
    ) -> None:
        split_base = weighted_average(cp1, outstanding, paid, issued, other)
        assert split_base == weighted_average(cp1, outstanding + other, paid, issued)

    @given(prices, counts, amounts, counts, counts_or_none)
    def test_charter_form_is_the_same_number(
        self, cp1: Fraction, a: Fraction, paid: Fraction, issued: Fraction, c: Fraction
    ) -> None:
        charter = weighted_average_charter(cp1, a, paid, c, a + issued, c)
        assert charter == weighted_average(cp1, a, paid, issued, c)

    @given(prices, counts, amounts, counts_or_none, counts, counts_or_none)
    def test_charter_formula(
        self, cp1: Fraction, a: Fraction, paid: Fraction, c: Fraction, x: Fraction, y: Fraction
    ) -> None:
        five_letters = cp1 * ((a + paid / cp1 + c) / (x + y))
        expected = cp1 if five_letters > cp1 else five_letters
        assert weighted_average_charter(cp1, a, paid, c, x, y) == expected

    @given(prices, counts, amounts, counts, counts_or_none, counts, counts)
    def test_a_split_before_or_after_is_the_same(
        self,
        cp1: Fraction,
        outstanding: Fraction,
        paid: Fraction,
        issued: Fraction,
        other: Fraction,
        new: Fraction,
        old: Fraction,
    ) -> None:
        after = split(weighted_average(cp1, outstanding, paid, issued, other), new, old)
        times = new / old
        before = weighted_average(split(cp1, new, old), outstanding * times, paid, issued * times, other * times)
        assert after == before


class TestFullRatchet:
    @given(prices, prices)
    def test_is_the_issue_price_if_lower(self, cp1: Fraction, issue_price: Fraction) -> None:
        assert full_ratchet(cp1, issue_price) == (issue_price if issue_price < cp1 else cp1)


class TestSplit:
    @given(prices, counts, counts)
    def test_formula(self, cp1: Fraction, new: Fraction, old: Fraction) -> None:
        assert split(cp1, new, old) == cp1 / (new / old)

    @given(prices, counts, counts)
    def test_then_its_inverse_is_where_it_began(self, cp1: Fraction, new: Fraction, old: Fraction) -> None:
        assert split(split(cp1, new, old), old, new) == cp1

    @given(prices, counts, counts)
    def test_keeps_the_money_of_a_conversion(self, cp1: Fraction, new: Fraction, old: Fraction) -> None:
        # Twice the shares at half the price: what converts is worth the same.
        assert conversion_shares(1, cp1, split(cp1, new, old)) == new / old

    @given(prices, counts, counts)
    def test_by_a_dividend_is_a_stock_dividend(self, cp1: Fraction, before: Fraction, paid: Fraction) -> None:
        assert stock_dividend(cp1, before, paid) == split(cp1, before + paid, before)


class TestStockDividend:
    @given(prices, counts, counts_or_none)
    def test_formula(self, cp1: Fraction, outstanding: Fraction, paid: Fraction) -> None:
        assert stock_dividend(cp1, outstanding, paid) == cp1 / (1 + paid / outstanding)

    @given(prices, counts, counts)
    def test_only_the_proportion_counts(self, cp1: Fraction, outstanding: Fraction, paid: Fraction) -> None:
        assert stock_dividend(cp1, outstanding, paid) == stock_dividend(cp1, 1, paid / outstanding)


class TestCashDividend:
    @given(prices, prices, shares_of_one, shares_of_one)
    def test_ratio_form(self, cp1: Fraction, market: Fraction, part: Fraction, least: Fraction) -> None:
        dividend, threshold = part * market, least * market
        expected = cp1 if part <= least else cp1 * (1 - part) / (1 - least)
        assert cash_dividend(cp1, dividend, market, threshold) == expected

    @given(prices, prices, shares_of_one, shares_of_one)
    def test_excess_form(self, cp1: Fraction, market: Fraction, part: Fraction, least: Fraction) -> None:
        expected = cp1 if part <= least else cp1 * (1 - (part - least))
        assert cash_dividend_excess(cp1, part * market, market, least * market) == expected

    @given(prices, shares_of_one, shares_of_one)
    def test_subtracted_form(self, cp1: Fraction, part: Fraction, least: Fraction) -> None:
        expected = cp1 if part <= least else cp1 * (1 - part)
        assert cash_dividend_subtracted(cp1, part * cp1, least * cp1) == expected

    @given(prices, prices, shares_of_one)
    def test_without_a_threshold_ratio_and_excess_agree(
        self, cp1: Fraction, market: Fraction, part: Fraction
    ) -> None:
        dividend = part * market
        assert cash_dividend(cp1, dividend, market) == cash_dividend_excess(cp1, dividend, market)

    @given(prices, prices, prices, shares_of_one)
    def test_nothing_moves_at_or_below_the_threshold(
        self, cp1: Fraction, market: Fraction, threshold: Fraction, part: Fraction
    ) -> None:
        # Even where the threshold is above the market price, and the formulas would divide by zero or less.
        for dividend in (threshold, part * threshold):
            assert cash_dividend(cp1, dividend, market, threshold) == cp1
            assert cash_dividend_excess(cp1, dividend, market, threshold) == cp1
            assert cash_dividend_subtracted(cp1, dividend, threshold) == cp1


class TestRights:
    @given(prices, counts, counts, prices, prices)
    def test_formula(
        self, cp1: Fraction, common: Fraction, offered: Fraction, offer: Fraction, market: Fraction
    ) -> None:
        bought_at_market = offered * offer / market
        expected = cp1 * (common + bought_at_market) / (common + offered) if offer < market else cp1
        assert rights(cp1, common, offered, offer, market) == expected

    @given(prices, counts, counts, prices)
    def test_for_nothing_are_a_stock_dividend(
        self, cp1: Fraction, common: Fraction, offered: Fraction, market: Fraction
    ) -> None:
        assert rights(cp1, common, offered, 0, market) == stock_dividend(cp1, common, offered)

    @given(prices, counts, counts, prices)
    def test_below_the_conversion_price_are_an_issuance(
        self, cp1: Fraction, common: Fraction, offered: Fraction, offer: Fraction
    ) -> None:
        # Where the market price is the conversion price, the two clauses say the same.
        assert rights(cp1, common, offered, offer, cp1) == weighted_average(cp1, common, offered * offer, offered)


class TestSpinOff:
    @given(prices, prices, st.one_of(st.just(Fraction(0)), prices))
    def test_over_the_market_after(self, cp1: Fraction, market: Fraction, value: Fraction) -> None:
        assert spin_off(cp1, value, market) == cp1 / (1 + value / market)

    @given(prices, prices, shares_of_one)
    def test_over_the_market_before(self, cp1: Fraction, market: Fraction, part: Fraction) -> None:
        assert spin_off_over_market(cp1, part * market, market) == cp1 * (1 - part)

    @given(prices, prices, prices)
    def test_the_two_agree_where_the_market_falls_by_the_value(
        self, cp1: Fraction, after: Fraction, value: Fraction
    ) -> None:
        assert spin_off(cp1, value, after) == spin_off_over_market(cp1, value, after + value)


class TestTenderOffer:
    @given(prices, amounts, counts, counts_or_none, prices)
    def test_is_the_rate_form_turned_over(
        self, cp1: Fraction, paid: Fraction, after: Fraction, bought: Fraction, market: Fraction
    ) -> None:
        before = after + bought
        rate = (paid + market * after) / (market * before)
        assert tender_offer(cp1, paid, before, after, market) == (cp1 / rate if rate > 1 else cp1)

    @given(prices, counts, counts, prices, shares_of_one)
    def test_nothing_moves_at_or_below_the_market_price(
        self, cp1: Fraction, after: Fraction, bought: Fraction, market: Fraction, part: Fraction
    ) -> None:
        assert tender_offer(cp1, bought * market, after + bought, after, market) == cp1
        assert tender_offer(cp1, bought * market * part, after + bought, after, market) == cp1

    @given(prices, counts, counts, prices, prices)
    def test_moves_above_the_market_price(
        self, cp1: Fraction, after: Fraction, bought: Fraction, market: Fraction, premium: Fraction
    ) -> None:
        assert tender_offer(cp1, bought * (market + premium), after + bought, after, market) < cp1

    def test_common_does_not_grow_by_buying_it_back(self) -> None:
        with pytest.raises(ImpossibleArgument, match=r"^outstanding_after is 101; it must not be above .*100$"):
            tender_offer(10, 300, 100, 101, 10)
        assert tender_offer(10, 0, 100, 100, 10) == 10


class TestConversion:
    @given(prices, prices)
    def test_ratio(self, original: Fraction, cp: Fraction) -> None:
        assert conversion_ratio(original, cp) * cp == original

    @given(counts_or_none, prices, prices)
    def test_shares(self, preferred: Fraction, original: Fraction, cp: Fraction) -> None:
        assert conversion_shares(preferred, original, cp) * cp == preferred * original

    @given(counts_or_none, prices, prices, prices)
    def test_cash_pays_for_what_is_no_whole_share(
        self, preferred: Fraction, original: Fraction, cp: Fraction, market: Fraction
    ) -> None:
        cash = cash_in_lieu(preferred, original, cp, market)
        whole = preferred * original / cp - cash / market
        assert 0 <= cash < market
        assert whole.denominator == 1


class TestRoundPrice:
    @given(prices, decimals, rounding_types, prices, counts, amounts, counts)
    def test_no_issuance_raises_a_price(
        self,
        cp1: Fraction,
        digits: int,
        rounding_type: RoundingType,
        issue_price: Fraction,
        outstanding: Fraction,
        paid: Fraction,
        issued: Fraction,
    ) -> None:
        for cp2 in (
            weighted_average(cp1, outstanding, paid, issued),
            weighted_average_charter(cp1, outstanding, paid, 0, outstanding + issued, issued),
            full_ratchet(cp1, issue_price),
            stock_dividend(cp1, outstanding, issued),
        ):
            assert cp2 <= cp1
            try:
                rounded = round_price(cp2, digits, rounding_type, not_above=cp1)
            except ImpossibleArgument:
                assert round_to(cp2, digits, rounding_type) == 0
            else:
                assert 0 < rounded <= cp1
                assert rounded in (cp1, round_to(cp2, digits, rounding_type))

    @given(prices, st.one_of(st.none(), decimals), rounding_types, counts_or_none)
    def test_a_price_that_did_not_move_is_not_rounded(
        self, cp1: Fraction, digits: int | None, rounding_type: RoundingType, above: Fraction
    ) -> None:
        assert round_price(cp1 + above, digits, rounding_type, not_above=cp1) == cp1

    @given(prices, rounding_types)
    def test_no_decimals_is_no_rounding(self, price: Fraction, rounding_type: RoundingType) -> None:
        assert round_price(price, None, rounding_type) == price
        assert round_price(price, None, rounding_type, not_above=price + 1) == price

    @pytest.mark.parametrize("not_above", [None, Fraction(5)])
    @pytest.mark.parametrize(
        ("price", "digits", "rounding_type"),
        [
            ("0.004", 2, RoundingType.HALF_UP),
            ("0.005", 2, RoundingType.HALF_EVEN),
            ("0.999", 0, RoundingType.FLOOR),
        ],
    )
    def test_nothing_left_of_a_price_is_refused(
        self, price: str, digits: int, rounding_type: RoundingType, not_above: Fraction | None
    ) -> None:
        with pytest.raises(ImpossibleArgument) as problem:
            round_price(Fraction(price), digits, rounding_type, not_above=not_above)
        assert str(problem.value) == (
            f"decimals is {digits}; {price} rounds to zero there; more decimals are needed"
        )
        assert round_price(Fraction(price), digits, RoundingType.CEILING) > 0


# Arguments that can be, by function; what makes one impossible follows below.
POSSIBLE: dict[Callable[..., Fraction], dict[str, Any]] = {
    weighted_average: {
        "conversion_price": "6.41",
        "outstanding": 33_831_184,
        "consideration": "8187842.70",
        "issued": 81_728_433,
        "other_securities": 1_411_724,
    },
    weighted_average_charter: {
        "conversion_price": "6.41",
        "outstanding_before": 33_831_184,
        "consideration": "8187842.70",
        "other_before": 1_411_724,
        "outstanding_after": 115_559_617,
        "other_after": 1_411_724,
        "issued": 81_878_427,
    },
    full_ratchet: {"conversion_price": 10, "issue_price": 5},
    split: {"conversion_price": 50, "split_new": 2, "split_old": 1},
    stock_dividend: {"conversion_price": "12.28", "outstanding": 10, "dividend_shares": 1},
    cash_dividend: {"conversion_price": 10, "dividend": 3, "market_price": 20, "threshold": 1},
    cash_dividend_excess: {"conversion_price": 10, "dividend": 3, "market_price": 20, "threshold": 1},
    cash_dividend_subtracted: {"conversion_price": 10, "dividend": 3, "threshold": 1},
    rights: {
        "conversion_price": 12,
        "outstanding": 100,
        "offered": 20,
        "offer_price": 5,
        "market_price": 10,
    },
    spin_off: {"conversion_price": 10, "distributed_value": 5, "market_price": 20},
    spin_off_over_market: {"conversion_price": 10, "distributed_value": 5, "market_price": 20},
    tender_offer: {
        "conversion_price": 10,
        "consideration": 300,
        "outstanding_before": 100,
        "outstanding_after": 80,
        "market_price": 10,
    },
    conversion_ratio: {"original_issue_price": "6.41", "conversion_price": "2.00"},
    conversion_shares: {"preferred_shares": 100, "original_issue_price": "6.41", "conversion_price": "2.00"},
    cash_in_lieu: {
        "preferred_shares": 101,
        "original_issue_price": "6.41",
        "conversion_price": "2.00",
        "market_price": "0.50",
    },
}
MAY_BE_ZERO = {
    "consideration",
    "other_securities",
    "other_before",
    "other_after",
    "dividend_shares",
    "dividend",
    "threshold",
    "offer_price",
    "distributed_value",
    "preferred_shares",
}
EVERY_ARGUMENT = [
    pytest.param(function, argument, id=f"{function.__name__}-{argument}")
    for function, arguments in POSSIBLE.items()
    for argument in arguments
]
every_function = pytest.mark.parametrize("function", POSSIBLE, ids=lambda function: function.__name__)
every_argument = pytest.mark.parametrize(("function", "argument"), EVERY_ARGUMENT)


class TestArguments:
    def test_every_clause_is_tried(self) -> None:
        public = {
            function
            for name, function in inspect.getmembers(adjustments, inspect.isfunction)
            if function.__module__ == adjustments.__name__ and not name.startswith("_")
        }
        assert public - set(POSSIBLE) == {round_price, above_zero}

    @every_function
    def test_all_arguments_are_tried(self, function: Callable[..., Fraction]) -> None:
        assert list(inspect.signature(function).parameters) == list(POSSIBLE[function])

    @every_argument
    def test_below_zero_is_impossible(self, function: Callable[..., Fraction], argument: str) -> None:
        rule = "it must be 0 or above" if argument in MAY_BE_ZERO else "it must be above 0"
        with pytest.raises(ImpossibleArgument) as problem:
            function(**POSSIBLE[function] | {argument: "-0.01"})
        assert (problem.value.argument, problem.value.value, problem.value.rule) == (argument, "-0.01", rule)
        assert str(problem.value) == f"{argument} is -0.01; {rule}"

    @every_argument
    def test_zero(self, function: Callable[..., Fraction], argument: str) -> None:
        arguments = POSSIBLE[function] | {argument: 0}
        if argument in MAY_BE_ZERO:
            assert function(**arguments) >= 0
            return
        with pytest.raises(ImpossibleArgument, match=f"^{argument} is 0; it must be above 0$"):
            function(**arguments)

    @pytest.mark.parametrize("value", [20, 25])
    def test_a_distribution_that_would_leave_no_price(self, value: int) -> None:
        assert spin_off_over_market(10, "19.99", 20) > 0
        with pytest.raises(ImpossibleArgument) as problem:
            spin_off_over_market(10, value, 20)
        assert str(problem.value) == f"distributed_value is {value}; it must be below market_price, 20"

    @pytest.mark.parametrize("size", [300, 5000])
    def test_a_number_beyond_all_reason_is_still_named_briefly(self, size: int) -> None:
        with pytest.raises(ImpossibleArgument, match=r"^split_new is -1.*; it must be above 0$") as problem:
            split(50, -(10**size), 1)
        assert len(str(problem.value)) < 100

    @every_argument
    @pytest.mark.parametrize("value", [1.0, float("nan"), True, None])
    def test_what_is_no_exact_number_is_refused(
        self, function: Callable[..., Fraction], argument: str, value: Any
    ) -> None:
        if value is None and inspect.signature(function).parameters[argument].default is None:
            assert function(**POSSIBLE[function] | {argument: None}) == function(
                **{name: given for name, given in POSSIBLE[function].items() if name != argument}
            )
            return
        with pytest.raises(TypeError, match="is not an exact number"):
            function(**POSSIBLE[function] | {argument: value})

    @every_function
    def test_text_int_decimal_and_fraction_are_the_same(self, function: Callable[..., Fraction]) -> None:
        given = POSSIBLE[function]
        expected = function(**given)
        for as_type in (str, lambda value: Decimal(str(value)), lambda value: Fraction(str(value))):
            assert function(**{name: as_type(value) for name, value in given.items()}) == expected

    @pytest.mark.parametrize(
        ("function", "arguments", "limit"),
        [
            (cash_dividend, {"conversion_price": 10, "market_price": 20}, 20),
            (cash_dividend, {"conversion_price": 10, "market_price": 20, "threshold": 1}, 20),
            (cash_dividend_excess, {"conversion_price": 10, "market_price": 20}, 20),
            (cash_dividend_excess, {"conversion_price": 10, "market_price": 20, "threshold": 1}, 21),
            (cash_dividend_subtracted, {"conversion_price": 10}, 10),
            (cash_dividend_subtracted, {"conversion_price": 10, "threshold": 1}, 10),
        ],
    )
    def test_a_dividend_that_would_leave_no_price(
        self, function: Callable[..., Fraction], arguments: dict[str, Any], limit: int
    ) -> None:
        assert 0 < function(**arguments, dividend=Fraction(limit) - Fraction(1, 100)) < 10
        for dividend in (limit, limit + 5):
            with pytest.raises(ImpossibleArgument) as problem:
                function(**arguments, dividend=dividend)
            assert (problem.value.argument, problem.value.value) == ("dividend", str(dividend))
            assert "must be below " in problem.value.rule
