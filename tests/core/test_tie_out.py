"""The tie-out finds what is wrong with a real notice, and nothing where nothing is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.core.issuance import Conversion, Issuance, Security, SecurityKind, adjust
from xl_conversion.core.rounding import RoundingType, round_to
from xl_conversion.core.stated import Item, Stated, read_written, shown_with_commas, with_commas
from xl_conversion.core.terms import Basis, Rounding, Series
from xl_conversion.core.tie_out import MAX_SUBSETS_OF, Check, Finding, Outcome, Result, tie_out

EVENT, NOTES, DATED = "2002-02-05", "Convertible Promissory Notes", "January 2001 Warrants"
SERIES = Series(
    "Series 2-A", "Vsource, Inc.", Fraction("6.41"), Fraction("6.41"), price=Rounding(2), ratio=Rounding(2)
)
LISTED = {NOTES: 45_575_951, "Series B Warrants": 21_256_500, "Adviser warrants": 350_000, DATED: 14_695_976}
STATED: dict[tuple[Item, str], str] = {
    (Item.A, ""): "33,831,184",
    (Item.B, ""): "1,277,355",
    (Item.C, ""): "1,411,724",
    (Item.NUMERATOR, ""): "36,520,262",
    (Item.X, ""): "115,559,617",
    (Item.Y, ""): "1,411,724",
    (Item.DENOMINATOR, ""): "116,971,341",
    (Item.CONVERSION_PRICE, ""): "$2.00",
    (Item.CONVERSION_RATIO, ""): "3.20",
    (Item.PREFERRED_SHARES, NOTES): "75,960",
    (Item.COMMON_SHARES, NOTES): "45,575,951",
    (Item.COMMON_SHARES, "Adviser warrants"): "350,000",
}


def security(name: str, shares: Fraction | int) -> Security:
    return Security(name, SecurityKind.WARRANT, Fraction(shares), Fraction(shares) / 10)


def issuance(securities: Iterable[Security] | None = None, **changes: Any) -> Issuance:
    """The issuance of the real notice."""
    listed = tuple(security(name, shares) for name, shares in LISTED.items())
    real = Issuance(
        EVENT,
        date(2002, 2, 5),
        Fraction(33_831_184),
        Fraction(1_411_724),
        listed if securities is None else tuple(securities),
        Fraction(115_559_617),
        Fraction(1_411_724),
        (Conversion(NOTES, Fraction(4_557_596), Fraction(60), Fraction(600)),),
    )
    return replace(real, **changes)


def statement(figures: dict[tuple[Item, str], str]) -> list[Stated]:
    return [Stated(EVENT, item, text, subject, "Notice") for (item, subject), text in figures.items()]


def findings(
    stated: Sequence[Stated] | None = None, series: Series = SERIES, event: Issuance | None = None
) -> tuple[Finding, ...]:
    dated = Stated(EVENT, Item.DATE, "2001-01-28", DATED, "Notice", "2002-01-28", "Notice of 30 August 2002")
    rows = [*statement(STATED), dated] if stated is None else stated
    return tie_out(adjust(series, event or issuance()), rows)


def the(found: Iterable[Finding], item: Item, check: Check = Check.RECOMPUTED, subject: str = "") -> Finding:
    (finding,) = (f for f in found if (f.item, f.check) == (item, check) and f.subject.startswith(subject))
    return finding


def tried(finding: Finding) -> dict[str, tuple[str, Outcome]]:
    return {explanation.text: (explanation.figure, explanation.outcome) for explanation in finding.tried}


def reconciling(finding: Finding) -> list[str]:
    return [explanation.text for explanation in finding.tried if explanation.outcome is Outcome.RECONCILES]


class TestTheRealNotice:
    def test_what_ties_and_what_does_not(self) -> None:
        found = findings()
        assert [(f.item, f.check, f.subject) for f in found if f.is_exception] == [
            (Item.NUMERATOR, Check.RECOMPUTED, ""),
            (Item.COMMON_SHARES, Check.CHAIN, NOTES),
            (Item.X, Check.ROLLED_FORWARD, "issued, X - A"),
            (Item.CONVERSION_RATIO, Check.OTHER_COUNT, ""),
            (Item.CONVERSION_RATIO, Check.STATED_PRICE, ""),
            (Item.DATE, Check.REFERENCE, DATED),
        ]
        assert len(found) == 17

    def test_nothing_stated_is_corrected(self) -> None:
        found = findings()
        assert [f.stated for f in found if f.check in (Check.RECOMPUTED, Check.CHAIN)] == list(STATED.values())
        assert {f.result for f in found} == {Result.TIES, Result.EXCEPTION}

    def test_the_numerator_was_cut_off_after_adding_while_its_part_was_rounded_up(self) -> None:
        numerator, b = the(findings(), Item.NUMERATOR), the(findings(), Item.B)
        assert (b.stated, b.at_precision, b.result) == ("1,277,355", "1,277,355", Result.TIES)
        assert b.recomputed == Fraction("8187842.7") / Fraction("6.41")
        assert shown_with_commas(b.recomputed) == "1,277,354.555..."
        assert numerator.recomputed == 33_831_184 + b.recomputed + 1_411_724
        assert numerator.at_precision == "36,520,263"
        assert numerator.tolerance == Fraction(1, 2)
        assert numerator.difference == 36_520_262 - numerator.recomputed
        assert tried(numerator) == {
            "rounded to the nearest, a tie to the even digit": ("36,520,263, 1 apart", Outcome.NO),
            "rounded down": ("36,520,262", Outcome.RECONCILES),
            "rounded up": ("36,520,263, 1 apart", Outcome.NO),
            "each part rounded before adding": ("36,520,263, 1 apart", Outcome.NO),
        }
        assert numerator.explanation == (
            "Reconciled by: rounded down (36,520,262). "
            "The unrounded sum is 36,520,262.555..., of which B 1,277,354.555..."
        )

    def test_the_count_after_is_not_the_count_before_and_the_securities_listed(self) -> None:
        count = the(findings(), Item.X, Check.ROLLED_FORWARD)
        assert (count.stated, count.at_precision, count.difference) == ("81,728,433", "81,878,427", -149_994)
        assert count.recomputed == sum(LISTED.values())
        assert reconciling(count) == []
        assert {e.outcome for e in count.tried} == {Outcome.NO}
        assert count.explanation == (
            f"None of the {len(count.tried)} explanations tried reconciles it. "
            "B as stated follows the securities listed, X does not."
        )

    def test_what_the_listed_count_would_make_of_the_results(self) -> None:
        found = findings()
        price = the(found, Item.CONVERSION_PRICE, Check.OTHER_COUNT)
        ratio = the(found, Item.CONVERSION_RATIO, Check.OTHER_COUNT)
        top = Fraction("6.41") * (33_831_184 + 1_411_724) + Fraction("8187842.70")
        assert price.recomputed == top / (33_831_184 + sum(LISTED.values()) + 1_411_724)
        assert shown_with_commas(price.recomputed, 6) == "1.998738..."
        assert (price.at_precision, price.result) == ("2.00", Result.TIES)
        assert price.explanation == "It is 1.998738... with the securities listed and 2.001301... with X."
        assert ratio.recomputed == Fraction("6.41") / price.recomputed
        assert shown_with_commas(ratio.recomputed, 4) == "3.2070..."
        assert (ratio.stated, ratio.at_precision, ratio.result) == ("3.20", "3.21", Result.EXCEPTION)

    def test_the_ratio_is_that_of_the_unrounded_price_and_a_tie_from_the_price_stated(self) -> None:
        found = findings()
        own = the(found, Item.CONVERSION_RATIO)
        assert (own.at_precision, own.result) == ("3.20", Result.TIES)
        assert own.recomputed is not None
        assert shown_with_commas(own.recomputed, 4) == "3.2029..."
        stated = the(found, Item.CONVERSION_RATIO, Check.STATED_PRICE)
        assert stated.recomputed == Fraction("3.205")
        assert (stated.at_precision, stated.difference) == ("3.21", Fraction("-0.005"))
        assert tried(stated) == {
            "rounded to the nearest, a tie to the even digit": ("3.20", Outcome.RECONCILES),
            "rounded down": ("3.20", Outcome.RECONCILES),
            "rounded up": ("3.21, 0.01 apart", Outcome.NO),
            "ratio from the unrounded price": ("3.20", Outcome.RECONCILES),
        }
        assert stated.explanation.endswith("Exactly 3.205, half-way between two digits.")

    @pytest.mark.parametrize(
        ("rounding_type", "ties"),
        [
            (RoundingType.HALF_UP, False),
            (RoundingType.HALF_EVEN, True),
            (RoundingType.FLOOR, True),
            (RoundingType.CEILING, False),
        ],
    )
    def test_the_charter_decides_the_tie(self, rounding_type: RoundingType, ties: bool) -> None:
        found = findings(series=replace(SERIES, ratio=Rounding(2, rounding_type)))
        assert the(found, Item.CONVERSION_RATIO, Check.STATED_PRICE).is_exception is not ties

    def test_the_notes_do_not_convert_into_the_common_stated(self) -> None:
        found = findings()
        preferred = the(found, Item.PREFERRED_SHARES, Check.CHAIN)
        assert preferred.recomputed == Fraction(4_557_596, 60)
        assert (preferred.at_precision, preferred.result) == ("75,960", Result.TIES)
        common = the(found, Item.COMMON_SHARES, Check.CHAIN)
        assert (common.recomputed, common.difference) == (45_575_960, -9)
        assert tried(common) == {
            "75,960 preferred as stated x 600": ("45,576,000, 49 apart", Outcome.NO),
            "preferred rounded down, then converted": ("45,575,400, 551 apart", Outcome.NO),
            "rounded down for each holder": ("needs at least 10 holders, who are not listed", Outcome.POSSIBLE),
        }
        assert common.explanation == (
            "None of the 3 explanations tried reconciles it. Possible: rounded down for each holder "
            "(needs at least 10 holders, who are not listed)."
        )

    def test_a_date_is_compared_with_the_other_document(self) -> None:
        dated = the(findings(), Item.DATE, Check.REFERENCE)
        assert (dated.stated, dated.at_precision, dated.recomputed) == ("2001-01-28", "2002-01-28", None)
        assert dated.basis == "Notice of 30 August 2002"
        assert dated.explanation == "The other document says 2002-01-28."

    def test_every_exception_is_explained_or_said_not_to_be(self) -> None:
        for finding in findings():
            if finding.is_exception:
                words = r"Reconciled by: .|None of the \d+ explanations tried reconciles it\.|The other document"
                assert re.match(words, finding.explanation), finding

    def test_programs_get_exact_figures(self) -> None:
        (numerator,) = (f.as_dict() for f in findings() if f.item is Item.NUMERATOR)
        assert numerator["recomputed"] == Fraction(23_409_488_298, 641)
        assert numerator["difference"] == 36_520_262 - Fraction(23_409_488_298, 641)
        assert (numerator["check"], numerator["result"], numerator["tolerance"]) == (
            "recomputed",
            "exception",
            Fraction(1, 2),
        )
        assert {"explanation": "rounded down", "figure": "36,520,262", "outcome": "reconciles"} in numerator[
            "tried"
        ]


def without_error(event: Issuance, series: Series) -> list[Stated]:
    """The statement that a careful company would make of an issuance."""
    done = adjust(series, event)
    figures = {
        Item.A: event.outstanding_before,
        Item.B: event.consideration / done.price_before,
        Item.C: event.other_before,
        Item.X: event.outstanding_after,
        Item.Y: event.other_after,
        Item.DENOMINATOR: event.outstanding_after + event.other_after,
    }
    figures[Item.NUMERATOR] = figures[Item.A] + figures[Item.B] + figures[Item.C]
    written = {(item, ""): with_commas(value, 0) for item, value in figures.items()}
    written[Item.CONVERSION_PRICE, ""] = "$" + with_commas(done.price, series.price.decimals or 0)
    written[Item.CONVERSION_RATIO, ""] = with_commas(done.ratio, series.ratio.decimals or 0)
    written |= {(Item.COMMON_SHARES, s.name): with_commas(s.shares, 0) for s in event.securities}
    return statement(written)


COUNTS = st.integers(10**5, 10**8).map(Fraction)


@st.composite
def careful_issuances(draw: st.DrawFn) -> tuple[Issuance, Series]:
    securities = [security(f"S{n}", shares) for n, shares in enumerate(draw(st.lists(COUNTS, min_size=1)))]
    before = draw(COUNTS)
    after = before + sum(s.shares for s in securities)
    others = draw(st.integers(0, 10**7).map(Fraction))
    event = issuance(
        securities,
        outstanding_before=before,
        outstanding_after=after,
        other_before=others,
        other_after=others,
        conversions=(),
    )
    kinds = st.sampled_from(RoundingType)
    series = replace(
        SERIES,
        price=Rounding(draw(st.integers(2, 6)), draw(kinds)),
        ratio=Rounding(draw(st.integers(0, 6)), draw(kinds)),
        # From the price stated, so that the reader of the notice comes to the same ratio.
        ratio_basis=Basis.ROUNDED,
    )
    return event, series


class TestANoticeWithoutError:
    @given(careful_issuances())
    def test_has_no_exception(self, made: tuple[Issuance, Series]) -> None:
        event, series = made
        found = findings(without_error(event, series), series, event)
        assert [f for f in found if f.is_exception] == []
        assert [f.check for f in found if f.check is Check.ROLLED_FORWARD] == [Check.ROLLED_FORWARD]
        assert [f.explanation for f in found if f.explanation and f.check is not Check.STATED_PRICE] == []

    @given(careful_issuances(), st.data())
    def test_has_one_as_soon_as_one_digit_is_wrong(
        self, made: tuple[Issuance, Series], data: st.DataObject
    ) -> None:
        event, series = made
        rows = without_error(event, series)
        place = data.draw(st.integers(0, len(rows) - 1))
        wrong = rows[place].text[:-1] + str((int(rows[place].text[-1]) + data.draw(st.integers(1, 9))) % 10)
        rows[place] = replace(rows[place], text=wrong)
        found = findings(rows, series, event)
        exceptions = [(f.item, f.stated) for f in found if f.is_exception]
        assert (rows[place].item, wrong) in exceptions

    @given(careful_issuances())
    def test_a_figure_ties_within_half_of_its_last_digit(self, made: tuple[Issuance, Series]) -> None:
        event, series = made
        for finding in findings(without_error(event, series), series, event):
            assert finding.tolerance is not None
            assert finding.difference is not None
            if finding.item not in (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO):
                assert abs(finding.difference) <= finding.tolerance
            else:  # rounded down or up, a figure may be off by the whole digit
                assert abs(finding.difference) < 2 * finding.tolerance or finding.difference == 0


class TestDigitsWritten:
    def figure(self, text: str, item: Item = Item.B) -> Finding:
        return the(findings(statement({(item, ""): text})), item)

    @pytest.mark.parametrize(
        ("text", "ties"),
        [
            ("1,277,355", True),
            ("1,277,354.6", True),
            ("1,277,354.56", True),
            ("1,277,354.55", False),
            ("1277354.555", True),
            ("1,277,354", False),
        ],
    )
    def test_more_digits_claim_more(self, text: str, ties: bool) -> None:
        # B is 1,277,354.55538...
        assert self.figure(text).is_exception is not ties

    def test_the_tolerance_is_half_of_the_last_digit(self) -> None:
        assert self.figure("1,277,355").tolerance == Fraction(1, 2)
        assert self.figure("1277354.555").tolerance == Fraction(1, 2000)

    def test_a_price_is_written_as_the_charter_rounds(self) -> None:
        down = replace(SERIES, price=Rounding(2, RoundingType.CEILING))
        assert the(findings(series=down), Item.CONVERSION_PRICE).at_precision == "2.01"
        assert the(findings(series=down), Item.A).at_precision == "33,831,184"


class TestHolders:
    SHARED = (Fraction(1_000_010), Fraction(2_000_017), Fraction(1_557_569))

    def chain(self, stated: str, item: Item = Item.COMMON_SHARES, rate: int = 7) -> Finding:
        conversions = tuple(
            Conversion(NOTES, principal, Fraction(60), Fraction(rate), f"holder {n}")
            for n, principal in enumerate(self.SHARED)
        )
        found = findings(statement({(item, NOTES): stated}), event=issuance(conversions=conversions))
        return the(found, item, Check.CHAIN)

    def test_rounding_down_for_each_listed_holder_reconciles(self) -> None:
        each = [principal * 7 / 60 for principal in self.SHARED]
        floored = sum(int(shares) for shares in each)
        assert floored != round_to(sum(each, Fraction(0)), 0, RoundingType.HALF_UP)
        finding = self.chain(with_commas(Fraction(floored), 0))
        assert finding.is_exception
        assert "common rounded down for each of 3 holders" in reconciling(finding)

    def test_preferred_too(self) -> None:
        floored = sum(int(principal / 60) for principal in self.SHARED)
        finding = self.chain(with_commas(Fraction(floored), 0), Item.PREFERRED_SHARES)
        assert "preferred rounded down for each of 3 holders" in reconciling(finding)

    def test_listed_holders_are_not_said_to_be_missing(self) -> None:
        finding = self.chain("531,000")
        assert reconciling(finding) == []
        assert "not listed" not in finding.explanation

    def test_too_many_shares_are_not_explained_by_rounding_down(self) -> None:
        figures = {**STATED, (Item.COMMON_SHARES, NOTES): "45,575,969"}
        common = the(findings(statement(figures)), Item.COMMON_SHARES, Check.CHAIN)
        assert tried(common)["rounded down for each holder"] == ("would be lower, not higher", Outcome.NO)

    @given(st.integers(1, 10**6))
    def test_how_many_holders_a_difference_needs(self, lost: int) -> None:
        figures = {(Item.COMMON_SHARES, NOTES): str(45_575_960 - lost)}
        common = the(findings(statement(figures)), Item.COMMON_SHARES, Check.CHAIN)
        # n holders lose less than n shares.
        assert f"at least {lost + 1} holders" in common.explanation


class TestOtherExplanations:
    def test_securities_that_were_left_out(self) -> None:
        count = 115_559_617 - 81_728_433 + sum(LISTED.values()) - 350_000 - 14_695_976
        figures = {(Item.A, ""): "33,831,184", (Item.X, ""): with_commas(Fraction(count), 0)}
        finding = the(findings(statement(figures)), Item.X, Check.ROLLED_FORWARD)
        assert reconciling(finding) == [f"without Adviser warrants and {DATED}"]

    def test_options_that_were_exercised(self) -> None:
        """What became common went from the other securities into the common."""
        event = issuance(outstanding_after=Fraction(115_859_611), other_after=Fraction(1_261_724))
        figures = {(Item.A, ""): "33,831,184", (Item.X, ""): "115,859,611"}
        finding = the(findings(statement(figures), event=event), Item.X, Check.ROLLED_FORWARD)
        assert finding.stated == with_commas(Fraction(sum(LISTED.values()) + 150_000), 0)
        assert reconciling(finding) == ["the counts of other securities moved (Y - C)"]

    def test_rights_counted_among_the_other_securities(self) -> None:
        listed = sum(LISTED.values())
        event = issuance(outstanding_after=Fraction(33_831_184), other_after=Fraction(1_411_724 + listed))
        figures = {(Item.A, ""): "33,831,184", (Item.X, ""): "33,831,184"}
        finding = the(findings(statement(figures), event=event), Item.X, Check.ROLLED_FORWARD)
        assert reconciling(finding) == ["the counts of other securities moved (Y - C)"]

    def test_a_sum_of_the_parts_as_they_were_stated(self) -> None:
        figures = {**STATED, (Item.A, ""): "33,831,284", (Item.NUMERATOR, ""): "36,520,363"}
        assert reconciling(the(findings(statement(figures)), Item.NUMERATOR)) == ["the parts as stated, added"]

    def test_a_price_from_the_fraction_as_it_was_stated(self) -> None:
        figures = {**STATED, (Item.NUMERATOR, ""): "46,520,262", (Item.CONVERSION_PRICE, ""): "2.55"}
        price = the(findings(statement(figures)), Item.CONVERSION_PRICE)
        assert reconciling(price) == ["the numerator and denominator as stated"]

    def test_a_whole_number_is_not_explained_by_rounding(self) -> None:
        wrong = the(findings(statement({(Item.A, ""): "33,831,185"})), Item.A)
        assert wrong.tried == ()
        assert wrong.explanation == "No rounding explains it."

    def test_fractions_of_listed_shares_are_rounded_like_the_counts(self) -> None:
        parts = [Fraction(200, 3), Fraction(100, 3), Fraction(1, 3)]
        event = issuance(
            [security(f"S{n}", part) for n, part in enumerate(parts)], outstanding_after=Fraction(33_831_284)
        )
        figures = {(Item.A, ""): "33,831,184", (Item.X, ""): "33,831,284"}
        finding = the(findings(statement(figures), event=event), Item.X, Check.ROLLED_FORWARD)
        assert (finding.result, finding.at_precision) == (Result.TIES, "100")
        assert (finding.difference, finding.tolerance) == (Fraction(-1, 3), Fraction(1, 2))

    def test_the_listed_count_is_not_tried_where_it_is_the_count(self) -> None:
        event = issuance(outstanding_after=Fraction(33_831_184 + sum(LISTED.values())))
        found = findings(event=event)
        assert the(found, Item.X, Check.ROLLED_FORWARD).is_exception
        assert [f for f in found if f.check is Check.OTHER_COUNT] == []

    def test_many_securities_are_not_combined_forever(self) -> None:
        securities = [security(f"S{n}", 1_000_003 * (n + 1)) for n in range(50)]
        figures = {(Item.A, ""): "33,831,184", (Item.X, ""): "115,559,617"}
        finding = the(findings(statement(figures), event=issuance(securities)), Item.X, Check.ROLLED_FORWARD)
        assert finding.is_exception
        assert "one or more securities left out" not in tried(finding)
        few = the(
            findings(statement(figures), event=issuance(securities[:MAX_SUBSETS_OF])), Item.X, Check.ROLLED_FORWARD
        )
        assert tried(few)["one or more securities left out"] == ("no combination", Outcome.NO)


class TestReferences:
    def reference(self, stated: str, other: str, item: Item = Item.CONVERSION_PRICE) -> Finding:
        return the(findings([Stated(EVENT, item, stated, reference=other)]), item, Check.REFERENCE)

    @pytest.mark.parametrize(("stated", "other"), [("$2.00", "2"), ("US$2.00", "2.0"), ("2.00", "2.00")])
    def test_numbers_are_compared_as_numbers(self, stated: str, other: str) -> None:
        assert not self.reference(stated, other).is_exception

    def test_numbers_that_differ(self) -> None:
        finding = self.reference("$2.00", "2.01")
        assert (finding.result, finding.difference) == (Result.EXCEPTION, Fraction("-0.01"))

    def test_texts_are_compared_in_any_letter_case(self) -> None:
        assert not self.reference("28 January 2001", "28 JANUARY 2001 ", Item.DATE).is_exception
        assert self.reference("28 January 2001", "2001-01-28", Item.DATE).is_exception

    def test_a_date_needs_one(self) -> None:
        with pytest.raises(ValueError, match="no other document"):
            findings([Stated(EVENT, Item.DATE, "2001-01-28", DATED)])


class TestArguments:
    @pytest.mark.parametrize("text", ["", "two", "1,2", "1.2.3", "--2", "1e3", "2/3", "٣", "1" * 61])
    def test_a_figure_that_is_no_number(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a number as a document writes it"):
            findings(statement({(Item.A, ""): text}))

    def test_more_digits_than_can_be_rounded_to(self) -> None:
        with pytest.raises(ValueError, match="more than 15 decimals"):
            findings(statement({(Item.CONVERSION_PRICE, ""): "2.0000000000000000"}))

    @pytest.mark.parametrize("item", [Item.PREFERRED_SHARES, Item.COMMON_SHARES])
    def test_a_security_that_is_not_of_the_event(self, item: Item) -> None:
        with pytest.raises(ValueError, match="nothing to compare it with"):
            findings(statement({(item, "Series Z"): "1"}))

    def test_other_events_are_left_alone(self) -> None:
        assert findings([Stated("2003-01-01", Item.A, "1")]) == ()

    @pytest.mark.parametrize("text", ["0", "0.00", "-2.00"])
    def test_a_price_of_zero_or_below_gives_no_ratio(self, text: str) -> None:
        figures = {(Item.CONVERSION_PRICE, ""): text, (Item.CONVERSION_RATIO, ""): "3.20"}
        found = findings(statement(figures))
        assert [f.check for f in found] == [Check.RECOMPUTED, Check.RECOMPUTED]
        assert found[0].is_exception


WRITTEN = st.tuples(st.integers(-(10**17), 10**17), st.integers(0, 15))


class TestReading:
    @given(WRITTEN, st.sampled_from(["", "$", "US$", "€", "USD ", "£", "$ "]))
    def test_what_is_written_is_read(self, number: tuple[int, int], currency: str) -> None:
        value, decimals = Fraction(number[0], 10 ** number[1]), number[1]
        text = with_commas(abs(value), decimals)
        sign = "-" if value < 0 else ""
        for written in (text, text.replace(",", "")):
            read = read_written(f" {sign}{currency}{written} ")
            assert read is not None
            assert (read.value, read.decimals) == (value, decimals)
            assert 2 * read.half_unit * 10**decimals == 1
            assert with_commas(read.value, read.decimals).lstrip("-") == text

    @given(st.one_of(st.text(max_size=70), st.from_regex(r"[-+$ ]*[0-9,.]{1,12}", fullmatch=True)))
    def test_any_text_is_read_or_not_but_never_an_error(self, text: str) -> None:
        read = read_written(text)
        if read is not None:
            assert read.value == Fraction(re.sub(r"[^-.\d]", "", text).rstrip("."))

    @pytest.mark.parametrize(
        "text",
        ["36,52", "1,2345", ",123", "1,,000", "1.2,3", "$", "-", ".", "$-2", "2 000", "(2.00)", "50%", "NaN"],
    )
    def test_what_is_no_number(self, text: str) -> None:
        assert read_written(text) is None

    @pytest.mark.parametrize(
        ("text", "value", "decimals"),
        [("$.10", "1/10", 2), ("2.", "2", 0), ("-$2.50", "-5/2", 2), ("000.50", "1/2", 2), ("+3", "3", 0)],
    )
    def test_as_documents_write(self, text: str, value: str, decimals: int) -> None:
        read = read_written(text)
        assert read is not None
        assert (read.value, read.decimals) == (Fraction(value), decimals)

    @given(WRITTEN, st.integers(0, 8))
    def test_a_sentence_shows_true_digits(self, number: tuple[int, int], places: int) -> None:
        value = Fraction(number[0], 10 ** number[1])
        text = shown_with_commas(value, places)
        digits = Fraction(text.rstrip(".").replace(",", ""))
        assert abs(digits) <= abs(value) < abs(digits) + Fraction(1, 10**places)
        assert text.endswith("...") is (digits != value)
