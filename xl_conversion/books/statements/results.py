"""What one series came to: what its workbook, its holders' workbooks and the register are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from xl_conversion.core.holders import HolderShares, convert
from xl_conversion.core.terms import Series
from xl_conversion.core.tie_out import Finding, tie_out_history
from xl_conversion.inputs.reading import Case
from xl_conversion.inputs.records import ClassRecord, SeriesRecord


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """The outcome for one series after all its events. Small and picklable; the case itself is not kept."""

    series: Series
    """Its terms; `series.company` and `series.name` say which it is, `series.conversion_price` how it began."""
    as_of: date | None
    """The day of the last event; None where nothing has happened."""
    digest: str
    """SHA-256 of its input."""
    history: tuple[str, ...]
    """Its events, by name; one of all series of a company is in the history of each."""
    since: date | None
    """The day of the last event that moved the price; None where none has."""
    price_before: Fraction
    """In force before that event; the one at the beginning where there was none."""
    price: Fraction
    """In force, rounded as the charter says."""
    price_unrounded: Fraction
    ratio_price: Fraction
    """The price that the ratio is taken from."""
    ratio: Fraction
    """Common per preferred, rounded as the charter says."""
    ratio_unrounded: Fraction
    outstanding: Fraction | None
    """Preferred after the events; None where the input does not say how much there was."""
    holders: tuple[HolderShares, ...]
    findings: tuple[Finding, ...]

    @property
    def events(self) -> int:
        """How many rows its history has."""
        return len(self.history)

    @property
    def exceptions(self) -> int:
        """How many stated figures do not tie."""
        return sum(finding.is_exception for finding in self.findings)


def result_of(case: Case) -> SeriesResult:
    """Ties a case out and gives its outcome."""
    findings = tie_out_history(case.changes, case.issuances, case.stated)
    return outcome(case, findings)


def outcome(case: Case, findings: Sequence[Finding]) -> SeriesResult:
    """The outcome of a case that has been tied out."""
    series = case.series
    last = case.changes[-1] if case.changes else None
    moved = next((c for c in reversed(case.changes) if c.price != c.price_before), None)
    price = unrounded = ratio_price = series.conversion_price
    if last is not None:
        price, ratio_price = last.price, last.ratio_price
        unrounded = price if moved is None else moved.unrounded
    ratio_unrounded = series.original_issue_price / ratio_price
    return SeriesResult(
        series,
        None if last is None else last.event.date,
        case.digest,
        tuple(change.event.event for change in case.changes),
        None if moved is None else moved.event.date,
        price if moved is None else moved.price_before,
        price,
        unrounded,
        ratio_price,
        series.ratio.price(ratio_unrounded),
        ratio_unrounded,
        _outstanding(case),
        convert(series, ratio_price, case.holdings),
        tuple(findings),
    )


def _outstanding(case: Case) -> Fraction | None:
    name, records = case.series.name, case.records
    said = any(isinstance(row, SeriesRecord) and row.preferred_shares is not None for row in records["series"])
    listed = any(isinstance(row, ClassRecord) and row.class_ == name for row in records["capitalization"])
    return case.preferred if said or listed or case.preferred else None
