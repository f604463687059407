"""The tie-out: stated figures against recomputed ones, and what would explain each difference.

A figure ties when the recomputed one, rounded at the digits written and as the charter rounds, is the one
stated. Nothing is corrected: an exception keeps both figures and every explanation that was tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import Any

from xl_conversion.core.adjustments import conversion_ratio, weighted_average_charter
from xl_conversion.core.changes import Change
from xl_conversion.core.issuance import Adjustment, Conversion, Issuance
from xl_conversion.core.rounding import RoundingType, exact_text, round_to, round_whole, shown
from xl_conversion.core.stated import (
    MAX_WRITTEN_DECIMALS,
    OF_SECURITIES,
    Item,
    Stated,
    Written,
    read_written,
    shown_with_commas,
    with_commas,
)
from xl_conversion.core.terms import Basis, Method

MAX_SUBSETS_OF = 12
"""More securities than this have too many combinations to try leaving some out."""


class Check(StrEnum):
    """How a stated figure was tested; the letter is its tick mark."""

    RECOMPUTED = "R"
    ROLLED_FORWARD = "F"
    OTHER_COUNT = "C"
    STATED_PRICE = "P"
    CHAIN = "H"
    REFERENCE = "D"

    @property
    def meaning(self) -> str:
        """The tick mark in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Check.RECOMPUTED: "recomputed from the inputs",
    Check.ROLLED_FORWARD: "count after less count before, against the securities listed",
    Check.OTHER_COUNT: "recomputed with the count of the securities listed",
    Check.STATED_PRICE: "recomputed from the price as stated",
    Check.CHAIN: "recomputed from principal to preferred to common",
    Check.REFERENCE: "compared with another document",
}


class Result(StrEnum):
    """Of one finding."""

    TIES = "ties"
    EXCEPTION = "exception"


class Outcome(StrEnum):
    """Of one explanation that was tried."""

    RECONCILES = "reconciles"
    POSSIBLE = "possible"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One thing that could explain a difference, what the figure would be then, and whether it is the one
    stated."""

    text: str
    figure: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """One stated figure and what came of testing it.

    `recomputed` is exact, `at_precision` rounded as it would have been written; both None and empty for a
    finding on a text. `basis` says how it was recomputed.
    """

    event: str
    item: Item
    subject: str
    check: Check
    stated: str
    recomputed: Fraction | None
    at_precision: str
    difference: Fraction | None
    """Stated less recomputed."""
    tolerance: Fraction | None
    """Half of the last digit written."""
    result: Result
    basis: str
    tried: tuple[Explanation, ...] = ()
    remark: str = ""
    source: str = ""

    @property
    def is_exception(self) -> bool:
        """Whether the figure does not tie."""
        return self.result is Result.EXCEPTION

    @property
    def shown_difference(self) -> str:
        """Stated less recomputed, for a reader; empty for a finding on a text."""
        return "" if self.difference is None else shown_with_commas(self.difference, 4)

    def as_dict(self) -> dict[str, Any]:
        """The finding for programs; exact figures as fractions."""
        return {
            "event": self.event,
            "item": self.item.value,
            "subject": self.subject,
            "check": self.check.name.lower(),
            "stated": self.stated,
            "recomputed": self.recomputed,
            "at_precision": self.at_precision,
            "difference": self.difference,
            "tolerance": self.tolerance,
            "result": self.result.value,
            "basis": self.basis,
            "tried": [{"explanation": e.text, "figure": e.figure, "outcome": e.outcome.value} for e in self.tried],
            "explanation": self.explanation,
            "source": self.source,
        }

    @property
    def explanation(self) -> str:
        """The difference explained in one sentence, or the statement that nothing tried explains it."""
        if not self.is_exception:
            return self.remark
        parts = []
        for outcome, words in ((Outcome.RECONCILES, "Reconciled by"), (Outcome.POSSIBLE, "Possible")):
            found = [f"{e.text} ({e.figure})" for e in self.tried if e.outcome is outcome]
            if found:
                parts.append(f"{words}: {', or '.join(found)}.")
        if self.recomputed is not None and not any(e.outcome is Outcome.RECONCILES for e in self.tried):
            tried = len(self.tried)
            none = (
                f"None of the {tried} explanations tried reconciles it." if tried else "No rounding explains it."
            )
            parts.insert(0, none)
        return " ".join([*parts, self.remark]).strip()


def tie_out(adjustment: Adjustment, stated: Iterable[Stated]) -> tuple[Finding, ...]:
    """The findings on every figure that is `stated` of one adjustment, in the order stated.

    Raises ValueError for a figure that cannot be read or has nothing to be compared with.
    """
    rows = [row for row in stated if row.event == adjustment.issuance.event]
    return tuple(_Tie(adjustment, rows).findings()) if rows else ()


def tie_out_change(change: Change, stated: Iterable[Stated]) -> tuple[Finding, ...]:
    """The findings on the price and the ratio that are `stated` after any event of a history.

    Raises ValueError for another figure: only an issuance with the company's own counts has more.
    """
    series, event = change.series, change.event.event
    figures = {
        Item.CONVERSION_PRICE: (change.price, f"price in force after it: {change.reason}", series.price),
        Item.CONVERSION_RATIO: (
            change.ratio_unrounded,
            f"original issue price / price, {series.ratio_basis.value}",
            series.ratio,
        ),
    }
    found = []
    for row in (row for row in stated if row.event == event):
        if row.item in figures:
            value, basis, rounding = figures[row.item]
            found.append(_compared(row, _read(row), Check.RECOMPUTED, value, basis, rounding.rounding_type, []))
        elif row.item is not Item.DATE:
            raise ValueError(f"{row.item} of {event}: the event has no such figure")
        if row.reference:
            found.append(_reference(row))
    return tuple(found)


def tie_out_history(
    changes: Iterable[Change], issuances: Iterable[Issuance], stated: Sequence[Stated]
) -> tuple[Finding, ...]:
    """The findings on every figure that is `stated` of a series, event by event: all letters of the `issuances`
    that bring the company's own counts, price and ratio of any other event."""
    counted = {issuance.event: issuance for issuance in issuances}
    found: list[Finding] = []
    for change in changes:
        issuance = counted.get(change.event.event)
        if issuance is None:
            found.extend(tie_out_change(change, stated))
        else:
            found.extend(tie_out(_adjustment(change, issuance), stated))
    return tuple(found)


def _adjustment(change: Change, issuance: Issuance) -> Adjustment:
    """A row of a history as an adjustment; without the steps, which nothing is compared with."""
    return Adjustment(
        change.series,
        issuance,
        change.start,
        change.unrounded,
        change.price,
        change.ratio_unrounded,
        change.ratio,
        (),
        (),
    )


class _Tie:
    def __init__(self, adjustment: Adjustment, rows: Sequence[Stated]) -> None:
        self.adjustment = adjustment
        self.series = adjustment.series
        self.issuance = adjustment.issuance
        self.rows = rows
        self.written: dict[tuple[Item, str], Written] = {
            (row.item, row.subject): _read(row) for row in rows if row.item is not Item.DATE
        }
        issuance, cp1 = self.issuance, adjustment.price_before
        self.consideration, self.listed = issuance.consideration, issuance.listed
        self.b = self.consideration / cp1
        self.figures: dict[Item, tuple[Fraction, str, RoundingType]] = {
            Item.A: (issuance.outstanding_before, "input", RoundingType.HALF_UP),
            Item.B: (self.b, "aggregate consideration / CP1", RoundingType.HALF_UP),
            Item.C: (issuance.other_before, "input", RoundingType.HALF_UP),
            Item.NUMERATOR: (
                issuance.outstanding_before + self.b + issuance.other_before,
                "A + B + C",
                RoundingType.HALF_UP,
            ),
            Item.X: (issuance.outstanding_after, "input", RoundingType.HALF_UP),
            Item.Y: (issuance.other_after, "input", RoundingType.HALF_UP),
            Item.DENOMINATOR: (
                issuance.outstanding_after + issuance.other_after,
                "X + Y",
                RoundingType.HALF_UP,
            ),
            Item.CONVERSION_PRICE: (
                adjustment.price_unrounded,
                "CP1 * (A + B + C) / (X + Y)",
                self.series.price.rounding_type,
            ),
            Item.CONVERSION_RATIO: (
                adjustment.ratio_unrounded,
                f"original issue price / CP2, {self.series.ratio_basis.value}",
                self.series.ratio.rounding_type,
            ),
        }

    def findings(self) -> Iterable[Finding]:
        for row in self.rows:
            if row.item is Item.DATE:
                if not row.reference:
                    raise ValueError(f"date of {row.subject or 'the event'}: no other document to compare it with")
                continue
            yield self._chain(row) if row.item in OF_SECURITIES else self._recomputed(row)
        yield from self._rolled_forward()
        yield from self._from_stated_price()
        yield from (_reference(row) for row in self.rows if row.reference)

    # One check each.

    def _recomputed(self, row: Stated) -> Finding:
        value, basis, rounding_type = self.figures[row.item]
        parts = self._parts(row.item)
        others: list[tuple[str, Fraction]] = []
        if parts:
            rounded = sum(round_whole(part, RoundingType.HALF_UP) for part in parts.values())
            others.append(("each part rounded before adding", Fraction(rounded)))
            as_stated = [self.written.get((Item(name), "")) for name in parts]
            if (footed := sum(part.value for part in as_stated if part is not None)) != rounded and all(as_stated):
                others.append(("the parts as stated, added", Fraction(footed)))
        elif row.item is Item.CONVERSION_PRICE:
            top, bottom = (self.written.get((item, "")) for item in (Item.NUMERATOR, Item.DENOMINATOR))
            if top is not None and bottom is not None and bottom.value > 0:
                price = self.adjustment.price_before * top.value / bottom.value
                others = [("the numerator and denominator as stated", price)]
        elif row.item is Item.CONVERSION_RATIO:
            others = [
                ("ratio from the unrounded price", self._ratio(self.adjustment.price_unrounded)),
                ("ratio from the rounded price", self._ratio(self.adjustment.price)),
            ]
        finding = self._finding(row, Check.RECOMPUTED, value, basis, rounding_type, others)
        if finding.is_exception and parts:
            uneven = [f"{name} {shown_with_commas(part)}" for name, part in parts.items() if part.denominator != 1]
            of_which = f", of which {' and '.join(uneven)}" if uneven else ""
            return replace(finding, remark=_sentence(f"The unrounded sum is {shown_with_commas(value)}{of_which}"))
        return finding

    def _rolled_forward(self) -> Iterable[Finding]:
        issuance = self.issuance
        stated_x, stated_a = self.written.get((Item.X, "")), self.written.get((Item.A, ""))
        if stated_x is None or stated_a is None or not issuance.securities:
            return
        row = self._row(Item.X)
        count, listed = stated_x.value - stated_a.value, self.listed
        written = Written(count, max(stated_x.decimals, stated_a.decimals))
        rounded = round_to(listed, written.decimals, RoundingType.HALF_UP)
        # What became common left the other securities, and what counts as one of them is not in X.
        others = "the counts of other securities moved (Y - C)"
        moved = _at(others, listed - self._other_moved(), written, RoundingType.HALF_UP)
        tried = [
            *([moved] if self._other_moved() else []),
            *self._left_out(written),
        ]
        within_rounding = abs(count - listed) <= Fraction(len(issuance.securities) + 2, 2)
        tried.append(
            Explanation(
                "rounding of the counts",
                f"at most {(len(issuance.securities) + 2) / 2:g} apart",
                Outcome.POSSIBLE if within_rounding else Outcome.NO,
            )
        )
        same = count == rounded
        yield Finding(
            row.event,
            Item.X,
            "issued, X - A",
            Check.ROLLED_FORWARD,
            with_commas(count, written.decimals),
            listed,
            with_commas(rounded, written.decimals),
            count - listed,
            written.half_unit,
            Result.TIES if same else Result.EXCEPTION,
            "sum of the securities listed",
            () if same else tuple(tried),
            "" if same else self._count_that_b_follows(count),
            row.source,
        )
        averaged = self.series.method not in (Method.FULL_RATCHET, Method.NONE)
        if not same and issuance.issued != listed and averaged:
            yield from self._with_listed_count()

    def _with_listed_count(self) -> Iterable[Finding]:
        """What the results would be had X been A and the listed securities."""
        issuance = self.issuance
        price = weighted_average_charter(
            self.adjustment.price_before,
            issuance.outstanding_before,
            self.consideration,
            issuance.other_before,
            issuance.outstanding_before + self.listed,
            issuance.other_after,
        )
        rounded = self.series.price.price(price, not_above=self.adjustment.price_before)
        ratio = self._ratio(price if self.series.ratio_basis is Basis.UNROUNDED else rounded)
        for item, value in ((Item.CONVERSION_PRICE, price), (Item.CONVERSION_RATIO, ratio)):
            for row in self.rows:
                if row.item is item:
                    _, basis, rounding_type = self.figures[item]
                    basis = f"{basis}, X = A + securities listed"
                    finding = self._finding(row, Check.OTHER_COUNT, value, basis, rounding_type, [])
                    listed, x = (shown_with_commas(figure, 6) for figure in (value, self.figures[item][0]))
                    yield replace(finding, remark=f"It is {listed} with the securities listed and {x} with X.")

    def _from_stated_price(self) -> Iterable[Finding]:
        """The stated ratio can only be checked by its reader against the stated price."""
        price = self.written.get((Item.CONVERSION_PRICE, ""))
        if price is None or price.value <= 0:
            return
        for row in self.rows:
            if row.item is Item.CONVERSION_RATIO:
                value = self._ratio(price.value)
                others = [("ratio from the unrounded price", self.adjustment.ratio_unrounded)]
                _, _, rounding_type = self.figures[row.item]
                finding = self._finding(
                    row,
                    Check.STATED_PRICE,
                    value,
                    f"original issue price / {self._row(Item.CONVERSION_PRICE).text}, the price as stated",
                    rounding_type,
                    others,
                )
                half = (value * 10 ** self.written[row.item, row.subject].decimals).denominator == 2
                tie = f"Exactly {exact_text(value)}, half-way between two digits." if half else ""
                yield replace(finding, remark=tie)

    def _chain(self, row: Stated) -> Finding:
        chain = [c for c in self.issuance.conversions if c.security == row.subject]
        if not chain:
            security = next((s for s in self.issuance.securities if s.name == row.subject), None)
            if security is None or row.item is not Item.COMMON_SHARES:
                raise ValueError(
                    f"{row.item} of {row.subject or 'no security'}: nothing to compare it with; "
                    "name a security of the event, or give its conversion"
                )
            return self._finding(row, Check.RECOMPUTED, security.shares, "input", RoundingType.HALF_UP, [])
        if row.item is Item.PREFERRED_SHARES:
            value = sum((c.preferred for c in chain), Fraction(0))
            basis = f"principal / {_every(c.preferred_price for c in chain)}"
            others = [_per_holder("preferred", chain, [Fraction(int(c.preferred)) for c in chain])]
        else:
            value = sum((c.common for c in chain), Fraction(0))
            basis = f"principal / {_every(c.conversion_price for c in chain)}"
            others = self._common_otherwise(row, chain)
        known = len(chain) > 1
        finding = self._finding(
            row, Check.CHAIN, value, basis, RoundingType.HALF_UP, [o for o in others if o is not None]
        )
        if finding.result is Result.TIES or known:
            return finding
        return replace(finding, tried=(*finding.tried, *_holders_needed(finding)))

    def _common_otherwise(self, row: Stated, chain: Sequence[Conversion]) -> list[tuple[str, Fraction] | None]:
        others: list[tuple[str, Fraction] | None] = []
        preferred = self.written.get((Item.PREFERRED_SHARES, row.subject))
        rates = {c.common_per_preferred for c in chain}
        if preferred is not None and len(rates) == 1:
            rate = rates.pop()
            name = f"{with_commas(preferred.value, preferred.decimals)} preferred as stated x {shown(rate)}"
            others.append((name, preferred.value * rate))
        floored = sum((int(c.preferred) * c.common_per_preferred for c in chain), Fraction(0))
        others.append(("preferred rounded down, then converted", floored))
        others.append(_per_holder("common", chain, [Fraction(int(c.common)) for c in chain]))
        return others

    # What they share.

    def _finding(
        self,
        row: Stated,
        check: Check,
        value: Fraction,
        basis: str,
        rounding_type: RoundingType,
        others: Sequence[tuple[str, Fraction]],
    ) -> Finding:
        return _compared(row, self.written[row.item, row.subject], check, value, basis, rounding_type, others)

    def _row(self, item: Item) -> Stated:
        return next(row for row in self.rows if row.item is item)

    def _ratio(self, price: Fraction) -> Fraction:
        return conversion_ratio(self.series.original_issue_price, price)

    def _parts(self, item: Item) -> dict[str, Fraction]:
        issuance = self.issuance
        if item is Item.NUMERATOR:
            return {"A": issuance.outstanding_before, "B": self.b, "C": issuance.other_before}
        if item is Item.DENOMINATOR:
            return {"X": issuance.outstanding_after, "Y": issuance.other_after}
        return {}

    def _other_moved(self) -> Fraction:
        return self.issuance.other_after - self.issuance.other_before

    def _left_out(self, count: Written) -> Iterable[Explanation]:
        securities = self.issuance.securities
        if len(securities) > MAX_SUBSETS_OF:
            return
        # In whole numbers, of which there may be thousands of sums; only what comes near is rounded.
        missing, half = self.listed - count.value, count.half_unit
        unit = lcm(missing.denominator, half.denominator, *(s.shares.denominator for s in securities))
        shares = [int(s.shares * unit) for s in securities]
        least, most = int((missing - half) * unit), int((missing + half) * unit)
        for size in range(1, len(securities)):
            for places in combinations(range(len(securities)), size):
                if not least <= sum([shares[place] for place in places]) <= most:
                    continue
                out = [securities[place] for place in places]
                left = self.listed - sum((s.shares for s in out), Fraction(0))
                if round_to(left, count.decimals, RoundingType.HALF_UP) == count.value:
                    names = " and ".join(s.name for s in out)
                    yield Explanation(f"without {names}", with_commas(left, count.decimals), Outcome.RECONCILES)
                    return
        yield Explanation("one or more securities left out", "no combination", Outcome.NO)

    def _count_that_b_follows(self, count: Fraction) -> str:
        written = self.written.get((Item.B, ""))
        if written is None or self.listed == 0:
            return ""
        by_count = self.b * count / self.listed
        follows = {
            name
            for name, b in (("the securities listed", self.b), ("X - A", by_count))
            if round_to(b, written.decimals, RoundingType.HALF_UP) == written.value
        }
        if follows == {"the securities listed"}:
            return "B as stated follows the securities listed, X does not."
        return "B as stated follows X - A, not the securities listed." if follows == {"X - A"} else ""


_ROUNDINGS = {
    RoundingType.HALF_UP: "rounded to the nearest, a tie up",
    RoundingType.HALF_EVEN: "rounded to the nearest, a tie to the even digit",
    RoundingType.FLOOR: "rounded down",
    RoundingType.CEILING: "rounded up",
}


def _read(row: Stated) -> Written:
    written = read_written(row.text)
    if written is None:
        raise ValueError(f"{row.item}: {row.text!r} is not a number as a document writes it (1,234.50)")
    if written.decimals > MAX_WRITTEN_DECIMALS:
        raise ValueError(f"{row.item}: {row.text!r} has more than {MAX_WRITTEN_DECIMALS} decimals")
    return written


def _compared(
    row: Stated,
    written: Written,
    check: Check,
    value: Fraction,
    basis: str,
    rounding_type: RoundingType,
    others: Sequence[tuple[str, Fraction]],
) -> Finding:
    rounded = round_to(value, written.decimals, rounding_type)
    ties = rounded == written.value
    return Finding(
        row.event,
        row.item,
        row.subject,
        check,
        row.text,
        value,
        with_commas(rounded, written.decimals),
        written.value - value,
        written.half_unit,
        Result.TIES if ties else Result.EXCEPTION,
        basis,
        () if ties else tuple(_explanations(value, written, rounding_type, others)),
        "",
        row.source,
    )


def _reference(row: Stated) -> Finding:
    stated, reference = read_written(row.text), read_written(row.reference)
    if stated is not None and reference is not None:
        difference: Fraction | None = stated.value - reference.value
        same = difference == 0
    else:
        difference, same = None, row.text.strip().casefold() == row.reference.strip().casefold()
    return Finding(
        row.event,
        row.item,
        row.subject,
        Check.REFERENCE,
        row.text,
        None,
        row.reference,
        difference,
        None,
        Result.TIES if same else Result.EXCEPTION,
        row.reference_source or "another document",
        (),
        "" if same else f"The other document says {row.reference}.",
        row.source,
    )


def _explanations(
    value: Fraction, written: Written, rounding_type: RoundingType, others: Sequence[tuple[str, Fraction]]
) -> Iterable[Explanation]:
    if round_to(value, written.decimals, RoundingType.FLOOR) != value:
        for other_type, name in _ROUNDINGS.items():
            if other_type is not rounding_type:
                yield _at(name, value, written, other_type)
    for name, other in others:
        if other != value:
            yield _at(name, other, written, rounding_type)


def _at(name: str, value: Fraction, written: Written, rounding_type: RoundingType) -> Explanation:
    rounded = round_to(value, written.decimals, rounding_type)
    figure = with_commas(rounded, written.decimals)
    if rounded == written.value:
        return Explanation(name, figure, Outcome.RECONCILES)
    apart = with_commas(abs(rounded - written.value), written.decimals)
    return Explanation(name, f"{figure}, {apart} apart", Outcome.NO)


def _per_holder(
    unit: str, chain: Sequence[Conversion], floored: Sequence[Fraction]
) -> tuple[str, Fraction] | None:
    if len(chain) < 2:
        return None
    return f"{unit} rounded down for each of {len(chain)} holders", sum(floored, Fraction(0))


def _holders_needed(finding: Finding) -> Iterable[Explanation]:
    """Rounding down loses less than one share a holder: how many holders a difference needs at least."""
    lost = -(finding.difference or Fraction(0))
    if lost <= 0:
        yield Explanation("rounded down for each holder", "would be lower, not higher", Outcome.NO)
        return
    holders = int(lost) + 1
    yield Explanation(
        "rounded down for each holder",
        f"needs at least {holders} holders, who are not listed",
        Outcome.POSSIBLE,
    )


def _sentence(text: str) -> str:
    return text if text.endswith("...") else f"{text}."


def _every(values: Iterable[Fraction]) -> str:
    found = sorted(set(values))
    return shown(found[0]) if len(found) == 1 else "its price"
