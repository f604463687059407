"""A solved round put back into its own conditions, worked by hand, and against a search in 40 digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import ClassKind, ShareClass, State
from xl_conversion.core.events import Issued
from xl_conversion.core.history import Company, history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.solver import Round, solve_round
from xl_conversion.core.terms import Method, Others, Rounding, Series

MILLION = 10**6
DAY = date(2020, 1, 1)


def classes(common: Any, options: Any = 0, pool: Any = 0) -> tuple[ShareClass, ...]:
    """In millions."""
    kinds = {"Common": ClassKind.COMMON, "Options": ClassKind.OPTION, "Pool": ClassKind.POOL}
    held = zip(kinds.items(), (common, options, pool), strict=True)
    return tuple(ShareClass(name, kind, Fraction(shares) * MILLION) for (name, kind), shares in held)


def series(name: str, price: str, preferred: Any, /, **terms: Any) -> Series:
    """At its original issue price; preferred in millions."""
    at = Fraction(price)
    return replace(Series(name, "Company", at, at, preferred_shares=Fraction(preferred) * MILLION), **terms)


def solved(terms: Sequence[Series], held: Sequence[ShareClass], *arguments: Any, **options: Any) -> Round:
    return solve_round(State.of(terms, held), *arguments, **options)


# Worked by hand, in millions.


def test_without_anti_dilution() -> None:
    """8 common and 2 options for 10."""
    found = solved([series("A", "2.00", 2, method=Method.NONE)], classes(6, 2), 5 * MILLION, 10 * MILLION)
    assert (found.price, found.shares, found.paid) == (1, 5 * MILLION, 5 * MILLION)
    assert found.fully_diluted_before == found.counted == 10 * MILLION
    assert [a.price for a in found.adjustments] == [2]
    assert dict(found.holdings_after) == {
        "common": 6 * MILLION,
        "A": 2 * MILLION,
        "Options": 2 * MILLION,
        "Pool": 0,
        "new money": 5 * MILLION,
    }


ONE = classes(6, 2)  # and 2 of Series A at 2.00, worth 4


@pytest.mark.parametrize(
    ("method", "price"),
    [
        # counted = 8 + 4 (10 + 2q) / 22 = 108/11 + 4/11 q, so q = (108/11) / (10 - 4/11) = 54/53
        (Method.BROAD, Fraction(53, 54)),
        # counted = 8 + 4 (8 + 2q) / 18 = 88/9 + 4/9 q, so q = (88/9) / (10 - 4/9) = 44/43
        (Method.NARROW, Fraction(43, 44)),
        # counted = 8 + 4 (6 + 2q) / 14 = 68/7 + 4/7 q, so q = (68/7) / (10 - 4/7) = 34/33
        (Method.COMMON, Fraction(33, 34)),
        # counted = 8 + 4q, so q = 8 / (10 - 4) = 4/3
        (Method.FULL_RATCHET, Fraction(3, 4)),
    ],
)
def test_one_series(method: Method, price: Fraction) -> None:
    found = solved([series("A", "2.00", 2, method=method)], ONE, 2 * MILLION, 10 * MILLION)
    assert found.price == price
    assert found.shares == int(2 * MILLION / price)
    assert found.counted * price == 10 * MILLION


def test_a_pool_in_the_base() -> None:
    """counted = 10 + 4 (12 + 2q) / 26 = 154/13 + 4/13 q, so q = (154/13) / (10 - 4/13) = 11/9."""
    terms = series("A", "2.00", 2, method=Method.BROAD_WITH_POOL)
    assert solved([terms], classes(6, 2, 2), 2 * MILLION, 10 * MILLION).price == Fraction(9, 11)


def test_a_pool_topped_up() -> None:
    """1 + t = 20% of (10 + 2q + t), so t = 5/4 + q/2, and 8q = 11.25 + q/2: q = 3/2."""
    found = solved([], classes(9, 0, 1), 2 * MILLION, 8 * MILLION, 20)
    assert (found.price, found.shares, found.pool_top_up) == (Fraction(2, 3), 3 * MILLION, 2 * MILLION)
    assert sum(found.holdings_after.values()) == 15 * MILLION


def test_a_pool_that_is_large_enough() -> None:
    found = solved([], classes(6, 0, 4), 2 * MILLION, 8 * MILLION, 20)
    assert (found.price, found.pool_top_up) == (Fraction(4, 5), 0)
    assert "pool top-up" not in found.holdings_after


def test_a_pool_and_a_series() -> None:
    """The ratchet adds 4q - 2. The pool of 2 is to be a tenth of 10 + 4q - 2 + 2q and its top-up t, so that
    t = (0.1 (8 + 6q) - 2) / 0.9. At 10q = 8 + 4q, or q = 4/3, it needs none."""
    terms = series("A", "2.00", 2, method=Method.FULL_RATCHET)
    found = solved([terms], classes(4, 2, 2), 2 * MILLION, 10 * MILLION, 10)
    assert (found.price, found.pool_top_up) == (Fraction(3, 4), 0)
    # For a fifth t = (0.2 (8 + 6q) - 2) / 0.8 = 1.5q - 0.5, and 10q = 8 + 4q + 1.5q - 0.5 gives q = 5/3.
    found = solved([terms], classes(4, 2, 2), 2 * MILLION, 10 * MILLION, 20)
    assert found.price == Fraction(3, 5)


def test_several_series_of_which_one_is_not_reached() -> None:
    """B, at 0.90, stays: counted = 8 + 4 (11 + 2q) / 24 + 1 = 65/6 + q/3, so q = (65/6) / (11 - 1/3) = 65/64."""
    terms = [series("A", "2.00", 2), series("B", "0.90", 1, method=Method.FULL_RATCHET)]
    found = solved(terms, ONE, 2 * MILLION, 11 * MILLION)
    assert found.price == Fraction(64, 65)
    assert [a.added > 0 for a in found.adjustments] == [True, False]


def test_one_adjustment_brings_the_next() -> None:
    """At 10 / 10 Series B, at 0.99, would stay; what A adds takes the price below it."""
    terms = [series("A", "2.00", 2), series("B", "0.99", 1, method=Method.FULL_RATCHET)]
    found = solved(terms, classes(6, 1), 2 * MILLION, 10 * MILLION)
    # counted = 7 + 4 (10 + 2q) / 22 + 0.99q = 97/11 + (4/11 + 0.99) q
    q = Fraction(97, 11) / (10 - Fraction(4, 11) - Fraction("0.99"))
    assert found.price == 1 / q < Fraction("0.99")


TWO = [series("A", "4.00", 1), series("B", "10.00", "0.5")]  # 4 and 5 at original issue prices


def test_two_series_with_the_cut_off() -> None:
    """At 2.00 they become 11/3 and 26/3, so that 3.5 + 4 * 3/11 + 5 * 3/26 = 739/143 are worth 1478/143."""
    found = solved(TWO, classes("3.5"), 2 * MILLION, Fraction(1478, 143) * MILLION)
    assert (found.price, found.shares) == (2, MILLION)
    assert [a.price_unrounded for a in found.adjustments] == [Fraction(11, 3), Fraction(26, 3)]


def test_two_series_that_see_each_other() -> None:
    """At 2.00 they become 1124/311 and 281/33: 3.5 + 4 * 311/1124 + 5 * 33/281 = 2919/562, worth 2919/281."""
    terms = [replace(one, others=Others.SOLVED) for one in TWO]
    found = solved(terms, classes("3.5"), 2 * MILLION, Fraction(2919, 281) * MILLION)
    assert (found.price, found.shares) == (2, MILLION)
    assert [a.price_unrounded for a in found.adjustments] == [Fraction(1124, 311), Fraction(281, 33)]


def test_adjustments_that_do_not_count_in_the_price() -> None:
    found = solved([series("A", "2.00", 2)], ONE, 2 * MILLION, 10 * MILLION, adjustment_in_price=False)
    assert (found.price, found.counted) == (1, 10 * MILLION)
    # (2 x 10 + 2) / (10 + 2)
    assert [a.price_unrounded for a in found.adjustments] == [Fraction(11, 6)]


def test_a_ratchet_for_a_period() -> None:
    terms = series("A", "2.00", 2, ratchet_until=DAY)
    assert solved([terms], ONE, 2 * MILLION, 10 * MILLION, day=DAY).price == Fraction(3, 4)
    assert solved([terms], ONE, 2 * MILLION, 10 * MILLION).price == Fraction(53, 54)


def test_a_floor() -> None:
    """A ratchet to 1.00 and no lower: counted = 8 + 4 = 12 from there on, and 10 / 12 is below it."""
    terms = series("A", "2.00", 2, method=Method.FULL_RATCHET, floor=Fraction(1))
    found = solved([terms], ONE, 2 * MILLION, 10 * MILLION)
    assert found.price == Fraction(5, 6)
    assert [(a.price, a.common_after) for a in found.adjustments] == [(1, 4 * MILLION)]
    # Without it there would be no price for 4 million, with it there is.
    assert solved([terms], ONE, 2 * MILLION, 4 * MILLION).price == Fraction(1, 3)


def test_a_floor_of_an_average() -> None:
    """1.90: 8 + 4/1.9 = 192/19, so 10 is 95/96 of it; the average would be (20 + 2) / (10 + 2 * 96/95), below."""
    terms = series("A", "2.00", 2, floor=Fraction("1.90"))
    found = solved([terms], ONE, 2 * MILLION, 10 * MILLION)
    assert found.price == Fraction(95, 96)
    assert found.adjustments[0].price == Fraction("1.90")


def test_a_change_below_the_minimum() -> None:
    """At 10 / 10 the average would fall from 2.00 to 11/6, which is less than 0.20: the series stays."""
    terms = series("A", "2.00", 2, minimum=Fraction("0.20"))
    found = solved([terms], ONE, 2 * MILLION, 10 * MILLION)
    assert (found.price, found.adjustments[0].price) == (1, 2)
    reached = solved([replace(terms, minimum=Fraction("0.15"))], ONE, 2 * MILLION, 10 * MILLION)
    assert reached.price == Fraction(53, 54)
    # At 9.5 / 10 neither: a fall of 0.15 would need a price of 44/47.
    assert solved([replace(terms, minimum_percent=Fraction(15))], ONE, 2 * MILLION, 9 * MILLION).price == (
        Fraction(9, 10)
    )


def test_a_change_of_just_the_minimum_is_made() -> None:
    """At 10 / 10 the average would fall by just 1/6, and so it does not stay: the price is the next that fits."""
    terms = series("A", "2.00", 2, minimum=Fraction(1, 6))
    assert solved([terms], ONE, 2 * MILLION, 10 * MILLION).price == Fraction(53, 54)


def test_at_its_own_price_a_series_stays() -> None:
    """At 2.00 Series B ratchets. Series A would see what that adds, were it moved at all: 6 + 2 + 2 for 20."""
    terms = [
        series("A", "2.00", 2, others=Others.SOLVED),
        series("B", "4.00", 1, method=Method.FULL_RATCHET),
    ]
    found = solved(terms, classes(6), 2 * MILLION, 20 * MILLION)
    assert (found.price, [a.price for a in found.adjustments]) == (2, [2, 2])


def test_an_exempted_round() -> None:
    terms = series("A", "2.00", 2, exempted=frozenset({"shares"}))
    found = solved([terms], ONE, 2 * MILLION, 10 * MILLION)
    assert (found.price, found.adjustments[0].price) == (1, 2)


def test_whole_shares_make_the_final_adjustment() -> None:
    """The price is exact, the shares are floored, and the adjustments are those of an issuance of just these."""
    terms = [series("A", "2.00", 2, price=Rounding(4, RoundingType.CEILING)), series("B", "1.50", 1)]
    found = solved(terms, ONE, 2 * MILLION, 10 * MILLION)
    assert found.shares == int(2 * MILLION / found.price) < 2 * MILLION / found.price
    assert found.paid == found.shares * found.price
    sold = Security("round", SecurityKind.SHARES, Fraction(found.shares), found.paid)
    company = Company(tuple(terms), (Issued(event="round", date=DAY, securities=(sold,)),), ONE)
    positions = history(company).state.positions
    for a in found.adjustments:
        assert (a.price, a.price_before) == (
            positions[a.series].price,
            positions[a.series].series.conversion_price,
        )
        assert a.common_after == positions[a.series].as_converted
    assert found.holdings_after["A"] == positions["A"].as_converted


# What cannot be.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "new_money is 0; it must be above 0"),
        ((1, 0), "pre_money is 0; it must be above 0"),
        ((1, 1, -1), "pool_percent is -1; it must be from 0 to below 100"),
        ((1, 1, 100), "pool_percent is 100; it must be from 0 to below 100"),
        (("0.4", 8 * MILLION), "new_money is 0.4; it buys no share at 0.5"),
        (
            (1, 4 * MILLION),
            "pre_money is 4000000; there is no price: at any price the round adds more than it (4000000) is worth",
        ),
        (
            (2 * MILLION, 5 * MILLION, 30),
            "pre_money is 5000000; there is no price: at any price the round adds more than it (6571428.5714285714"
            "...) is worth",
        ),
    ],
)
def test_refuses_what_cannot_be(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ImpossibleArgument) as caught:
        solved([series("A", "2.00", 2, method=Method.FULL_RATCHET)], ONE, *arguments)
    assert str(caught.value) == message


def test_a_company_without_shares() -> None:
    with pytest.raises(ImpossibleArgument, match=r"^capitalization is 0; there are no shares"):
        solved([], classes(0), 1, 1)


@pytest.mark.parametrize(
    ("term", "value"), [("floor", Fraction("1.95")), ("minimum", Fraction(1)), ("minimum_percent", Fraction(50))]
)
def test_a_limit_within_the_circle_is_refused(term: str, value: Fraction) -> None:
    terms = [series("A", "2.00", 2, others=Others.SOLVED, **{term: value}), series("B", "1.50", 1)]
    with pytest.raises(ImpossibleArgument, match="not solved together with the others"):
        solved(terms, ONE, 2 * MILLION, 10 * MILLION)


def test_series_that_feed_each_other_without_end() -> None:
    both = [series(name, "1.00", 1000, method=Method.COMMON, others=Others.SOLVED) for name in "AB"]
    with pytest.raises(
        ImpossibleArgument, match=r"^others is solved; the adjustments of the series feed each other"
    ):
        solved(both, classes(1), 10, 100 * MILLION)


# Properties. An arithmetic of its own finds what is counted at a price.


@st.composite
def companies(
    draw: st.DrawFn, *, others: Sequence[Others] = tuple(Others), limits: bool = False
) -> tuple[list[Series], tuple[ShareClass, ...]]:
    terms = []
    for number in range(draw(st.integers(1, 4))):
        price = Fraction(draw(st.integers(10, 500)), 100)
        floor = draw(st.sampled_from([None, price / 2, price * 9 / 10])) if limits else None
        terms.append(
            Series(
                f"S{number}",
                "Company",
                Fraction(draw(st.integers(10, 500)), 100),
                price,
                method=draw(st.sampled_from([m for m in Method if m is not Method.LISTED])),
                others=draw(st.sampled_from(others)),
                preferred_shares=Fraction(draw(st.integers(0, 3 * MILLION))),
                floor=floor,
            )
        )
    held = classes(*(Fraction(draw(st.integers(least, 10 * MILLION)), MILLION) for least in (1, 0, 0)))
    return terms, held


moneys = st.integers(1, 20).map(lambda number: Fraction(number * MILLION, 2))
values = st.integers(1, 80).map(lambda number: Fraction(number * MILLION))
percents = st.sampled_from([Fraction(0), Fraction(0), Fraction(10), Fraction("22.5")])


def base_of(terms: Series, every: Sequence[Series], held: Sequence[ShareClass]) -> Fraction:
    kinds = {
        Method.COMMON: {"common"},
        Method.NARROW: {"common"},
        Method.BROAD: {"common", "option"},
        Method.BROAD_WITH_POOL: {"common", "option", "pool"},
    }[terms.method]
    total = sum((one.shares for one in held if one.kind.value in kinds), Fraction(0))
    if terms.method is not Method.COMMON:
        total += sum((had(other) for other in every), Fraction(0))
    return total


def worth(terms: Series) -> Fraction:
    return terms.preferred_shares * terms.original_issue_price


def had(terms: Series) -> Fraction:
    return worth(terms) / terms.conversion_price


def after(every: Sequence[Series], held: Sequence[ShareClass], money: Any, price: Any) -> Mapping[str, Any]:
    """Common of each series after the round: those that see one another by elimination, in whatever numbers the
    price is. CP2 x (A + C + what the others add) = CP1 x A + K, in u = 1 / CP2."""
    number = type(price)
    exact_to = (lambda value: Decimal(value.numerator) / value.denominator) if number is Decimal else Fraction
    new, found, circle = money / price, {}, []
    for one in every:
        cp1, value = exact_to(one.conversion_price), exact_to(worth(one))
        if one.method is Method.NONE or price >= cp1 or not value:
            found[one.name] = exact_to(had(one))
        elif one.method is Method.FULL_RATCHET:
            found[one.name] = value / (max(price, exact_to(one.floor)) if one.floor else price)
        elif one.others is Others.SOLVED:
            circle.append(one)
        else:
            a = exact_to(base_of(one, every, held))
            cp2 = (cp1 * a + money) / (a + new)
            found[one.name] = value / (max(cp2, exact_to(one.floor)) if one.floor else cp2)
    others = sum(found.values(), number(0)) - sum((exact_to(had(one)) for one in every), number(0))
    rows = []
    for one in circle:
        a = exact_to(base_of(one, every, held))
        row = [number(0) if other is one else -exact_to(worth(other)) for other in circle]
        row[circle.index(one)] = exact_to(one.conversion_price) * a + money
        rows.append([*row, a + new + others + exact_to(had(one))])
    for n, pivot in enumerate(rows):
        assume(pivot[n] > 0)
        for row in rows:
            if row is not pivot:
                row[:] = [x - y * row[n] / pivot[n] for x, y in zip(row, pivot, strict=True)]
    for n, (one, row) in enumerate(zip(circle, rows, strict=True)):
        found[one.name] = exact_to(worth(one)) * row[-1] / row[n]
    return found


@given(companies(), moneys, values, percents, st.booleans())
def test_put_back(
    company: tuple[list[Series], tuple[ShareClass, ...]],
    money: Fraction,
    pre: Fraction,
    percent: Fraction,
    in_price: bool,
) -> None:
    """Price x what is counted is the pre-money value exactly, and the pool is its part of everything exactly, the
    shares not being floored yet. The series that adjust are those above the price."""
    terms, held = company
    try:
        found = solved(terms, held, money, pre, percent, adjustment_in_price=in_price)
    except ImpossibleArgument as problem:
        if problem.argument not in ("pre_money", "new_money", "others"):
            raise
        return
    common = after(terms, held, money, found.price)
    added = sum(common.values(), Fraction(0)) - sum(map(had, terms), Fraction(0))
    before = sum((one.shares for one in held), Fraction(0)) + sum(map(had, terms), Fraction(0))
    pool, part = held[-1].shares, percent / 100
    everything = before + added + money / found.price
    top_up = max(Fraction(0), (everything * part - pool) / (1 - part)) if percent else Fraction(0)
    assert found.counted == before + (added if in_price else 0) + top_up
    assert found.counted * found.price == pre
    if top_up:
        assert (pool + top_up) == part * (everything + top_up)
    moved = {a.series for a in found.adjustments if a.price != a.price_before}
    protected = {one.name for one in terms if one.method is not Method.NONE}
    assert moved == {one.name for one in terms if one.conversion_price > found.price} & protected
    if top_up and found.pool_top_up:
        after_all = sum(found.holdings_after.values())
        assert (pool + found.pool_top_up) / after_all == part


@given(companies(others=[Others.BEFORE], limits=True), moneys, values, percents)
def test_against_a_search_in_forty_digits(
    company: tuple[list[Series], tuple[ShareClass, ...]], money: Fraction, pre: Fraction, percent: Fraction
) -> None:
    """The highest price at which what is counted is worth no more than the pre-money value: a walk down in small
    steps, then halving. Floors too."""
    terms, held = company
    with localcontext(prec=60):
        paid, target = Decimal(money.numerator) / money.denominator, Decimal(pre.numerator) / pre.denominator
        part = Decimal(percent.numerator) / percent.denominator / 100
        held_before = sum((Decimal(int(one.shares)) for one in held), Decimal(0))
        pool = Decimal(int(held[-1].shares))

        def too_much(price: Decimal) -> Decimal:
            counted = held_before + sum(after(terms, held, paid, price).values(), Decimal(0))
            top_up = max(Decimal(0), ((counted + paid / price) * part - pool) / (1 - part)) if part else Decimal(0)
            return (counted + top_up) * price - target

        before = held_before + sum((Decimal(had(t).numerator) / had(t).denominator for t in terms), Decimal(0))
        high = target / before
        try:
            found = solved(terms, held, money, pre, percent).price
        except ImpossibleArgument as problem:
            assume(problem.argument == "pre_money")
            assert all(too_much(high * step / 200) > 0 for step in range(1, 200))
            return
        exactly = Decimal(found.numerator) / found.denominator
        assert all(too_much(exactly + (high - exactly) * step / 50) > -(target / 10**40) for step in range(51))
        low = exactly * (1 - Decimal(10) ** -6)
        assume(too_much(low) < 0)  # else it only touches there
        while (high - low) / low > Decimal(10) ** -42:
            middle = (low + high) / 2
            low, high = (middle, high) if too_much(middle) <= 0 else (low, middle)
        assert abs(high - exactly) / exactly < Decimal(10) ** -40


@given(companies(limits=True), moneys, values, values, percents)
def test_more_value_is_a_higher_price(
    company: tuple[list[Series], tuple[ShareClass, ...]],
    money: Fraction,
    pre: Fraction,
    more: Fraction,
    percent: Fraction,
) -> None:
    terms, held = company
    try:
        less = solved(terms, held, money, pre, percent).price
        higher = solved(terms, held, money, pre + more, percent).price
    except ImpossibleArgument:
        return
    assert higher > less


@given(companies(), moneys, values, percents, st.randoms(use_true_random=False))
def test_the_order_of_series_does_not_matter(
    company: tuple[list[Series], tuple[ShareClass, ...]],
    money: Fraction,
    pre: Fraction,
    percent: Fraction,
    chance: Any,
) -> None:
    terms, held = company
    shuffled = list(terms)
    chance.shuffle(shuffled)
    try:
        found = solved(terms, held, money, pre, percent)
    except ImpossibleArgument:
        return
    other = solved(shuffled, held, money, pre, percent)
    assert (found.price, found.holdings_after) == (other.price, other.holdings_after)
    assert set(found.adjustments) == set(other.adjustments)
