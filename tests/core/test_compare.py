"""Charters and rounds side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import ClassKind, ShareClass
from xl_conversion.core.compare import NEXT_ROUND, Outcome, compare_methods, compare_rounds, outcomes
from xl_conversion.core.events import Counts, Issued, Split
from xl_conversion.core.history import Company, history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.terms import Basis, Method, Rounding, Series

DAY = date(2010, 5, 3)
A = Series(
    "A",
    "Company",
    Fraction(2),
    Fraction(2),
    price=Rounding(4),
    ratio=Rounding(4),
    preferred_shares=Fraction(1_000_000),
)
HELD = (
    ShareClass("Common", ClassKind.COMMON, Fraction(4_000_000)),
    ShareClass("Options", ClassKind.OPTION, Fraction(1_500_000)),
    ShareClass("Pool", ClassKind.POOL, Fraction(500_000)),
)


def issued(name: str, shares: int, paid: int, day: date = DAY) -> Issued:
    return Issued(
        event=name, date=day, securities=(Security(name, SecurityKind.SHARES, Fraction(shares), Fraction(paid)),)
    )


ROUND = issued("round", 1_000_000, 1_000_000)
COMPANY = Company((A,), (ROUND,), HELD)


def by(found: tuple[Outcome, ...]) -> dict[tuple[str, str], Outcome]:
    return {(one.variant, one.holder): one for one in found}


def test_charters_on_the_same_events() -> None:
    """The figures of the worked histories with this company."""
    found = by(compare_methods(COMPANY, [m for m in Method if m is not Method.LISTED]))
    prices = {variant: one.price for (variant, holder), one in found.items() if holder == "A"}
    assert prices == {
        "broad": Fraction("1.8667"),
        "broad_with_pool": Fraction("1.8750"),
        "narrow": Fraction("1.8333"),
        "common": Fraction("1.8000"),
        "full_ratchet": 1,
        "none": 2,
    }
    ratchet = found["full_ratchet", "A"]
    assert (ratchet.ratio, ratchet.common, ratchet.part) == (2, 2_000_000, Fraction(2, 9))
    assert found["none", "common"] == Outcome("none", "common", None, None, Fraction(5_000_000), Fraction(5, 8))


def test_holders_in_reading_order() -> None:
    found = compare_methods(COMPANY, [Method.NONE, Method.BROAD])
    assert [one.holder for one in found] == ["common", "A", "Options", "Pool"] * 2
    assert [one.variant for one in found] == ["none"] * 4 + ["broad"] * 4


def test_a_ratchet_for_a_period_is_left_out() -> None:
    company = replace(COMPANY, series=(replace(A, ratchet_until=date(2099, 1, 1)),))
    assert by(compare_methods(company, [Method.BROAD])) == by(compare_methods(COMPANY, [Method.BROAD]))


def test_only_what_is_known_on_the_day() -> None:
    later = issued("later", 1_000_000, 500_000, date(2011, 1, 3))
    company = replace(COMPANY, events=(ROUND, later))
    assert compare_methods(company, list(Method)[:3], DAY) == compare_methods(COMPANY, list(Method)[:3])
    assert compare_rounds(company, ["1"], [100], DAY) == compare_rounds(COMPANY, ["1"], [100])


def test_the_ratio_is_from_the_price_that_the_charter_takes() -> None:
    """2 / (28/15) from the unrounded price; 2 / 1.87 from one of two decimals."""
    a = replace(A, price=Rounding(2))
    for basis, ratio in ((Basis.UNROUNDED, Fraction("1.0714")), (Basis.ROUNDED, Fraction("1.0695"))):
        company = replace(COMPANY, series=(replace(a, ratio_basis=basis),))
        (change,) = history(company).changes
        found = by(compare_methods(company, [Method.BROAD]))["broad", "A"]
        assert found.ratio == change.ratio == ratio


def test_the_next_round_at_other_prices_and_sizes() -> None:
    """On 5,000,000 common, and Series A at 1.8667: (1.8667 x 6,500,000 + 2,000,000 + paid) / ..."""
    found = by(compare_rounds(COMPANY, ["1.00", "1.90"], [1_000_000, "500000"]))
    assert {variant for variant, _ in found} == {
        "1000000 at 1",
        "500000 at 1",
        "1000000 at 1.9",
        "500000 at 1.9",
    }
    base = 6_500_000 + Fraction(2_000_000) / Fraction("1.8667")
    expected = (Fraction("1.8667") * base + 1_000_000) / (base + 1_000_000)
    assert abs(found["1000000 at 1", "A"].price - expected) <= Fraction(1, 20_000)  # type: ignore[operator]
    assert found["1000000 at 1.9", "A"].price == Fraction("1.8667")
    assert found["500000 at 1", NEXT_ROUND].common == 500_000
    assert found["500000 at 1", "common"].common == 5_000_000


@given(
    st.lists(st.integers(1, 500).map(lambda n: Fraction(n, 100)), min_size=1, max_size=3),
    st.lists(st.integers(1, 10**7), min_size=1, max_size=3),
)
def test_parts_make_a_whole(prices: list[Fraction], sizes: list[int]) -> None:
    found = compare_rounds(COMPANY, prices, sizes)
    holders = ["common", "A", "Options", "Pool", NEXT_ROUND]
    for first in range(0, len(found), len(holders)):
        rows = found[first : first + len(holders)]
        assert [one.holder for one in rows] == holders
        assert sum(one.part or 0 for one in rows) == 1
        whole = sum(one.common for one in rows)
        assert all(one.part == one.common / whole for one in rows)


@given(st.sampled_from([m for m in Method if m is not Method.LISTED]), st.integers(1, 10**7), st.integers(1, 300))
def test_a_round_is_an_event_like_any_other(method: Method, size: int, price: int) -> None:
    company = replace(COMPANY, series=(replace(A, method=method),))
    each = Fraction(price, 100)
    found = by(compare_rounds(company, [each], [size]))
    sold = Security("x", SecurityKind.SHARES, Fraction(size), size * each)
    state = history(replace(company, events=(ROUND, Issued(event="x", date=DAY, securities=(sold,))))).state
    prices = {holder: one.price for (_, holder), one in found.items() if one.price is not None}
    assert prices == {"A": state.positions["A"].price}


def test_a_company_that_has_a_next_round() -> None:
    named = replace(COMPANY, events=(replace(ROUND, event=NEXT_ROUND),))
    assert compare_rounds(named, ["1"], [100]) == compare_rounds(COMPANY, ["1"], [100])


def test_before_any_event() -> None:
    found = by(compare_rounds(replace(COMPANY, events=()), ["1"], [1_000_000]))
    assert found["1000000 at 1", "A"].price == Fraction("1.8667")


def test_where_the_common_is_not_known_there_are_no_parts() -> None:
    counted = Counts(*map(Fraction, (4_000_000, 2_500_000, 5_000_000, 2_500_000)))
    company = Company((A,), (replace(ROUND, counts=counted),))
    found = by(compare_methods(company, [Method.BROAD]))["broad", "A"]
    assert (found.price, found.part) == (Fraction("1.8667"), None)


def test_classes_with_nothing_are_left_out_but_not_series() -> None:
    state = history(Company((replace(A, preferred_shares=Fraction(0)),), (), HELD[:1])).state
    assert [one.holder for one in outcomes("", state)] == ["common", "A"]


def test_a_split_shows_in_every_class() -> None:
    split = Split(event="split", date=DAY, new=Fraction(2), old=Fraction(1))
    before = by(compare_methods(replace(COMPANY, events=()), [Method.NONE]))
    after = by(compare_methods(replace(COMPANY, events=(split,)), [Method.NONE]))
    for key, one in after.items():
        assert one.common == 2 * before[key].common
        assert one.part == before[key].part


@pytest.mark.parametrize(
    ("price", "size", "message"),
    [
        ("-1", 100, "event next round: consideration is -100; it must be 0 or above"),
        ("1", -100, "event next round: consideration is -100; it must be 0 or above"),
    ],
)
def test_refuses_a_round_that_cannot_be(price: str, size: int, message: str) -> None:
    with pytest.raises(ImpossibleArgument) as caught:
        compare_rounds(COMPANY, [price], [size])
    assert str(caught.value) == message


def test_a_listed_base_that_lists_nothing() -> None:
    with pytest.raises(ImpossibleArgument, match=r"^event round: outstanding is 0; it must be above 0"):
        compare_methods(COMPANY, [Method.LISTED])
