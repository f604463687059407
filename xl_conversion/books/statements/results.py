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


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """The outcome for one series after all its events. Small and picklable; the case itself is not kept."""

    series: Series
    """Its terms; `series.company` and `series.name` say which it is, `series.conversion_price` how it began."""
    as_of: date | None
    """The day of the last event; None where nothing has happened."""
    digest: str
    """SHA-256 of its input."""
    events: int
    price: Fraction
    """In force, rounded as the charter says."""
    price_unrounded: Fraction
    ratio_price: Fraction
    """The price that the ratio is taken from."""
    ratio: Fraction
    """Common per preferred, rounded as the charter says."""
    ratio_unrounded: Fraction
    holders: tuple[HolderShares, ...]
    findings: tuple[Finding, ...]

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
    price = unrounded = ratio_price = series.conversion_price
    if last is not None:
        price, ratio_price = last.price, last.ratio_price
        moved = next((c for c in reversed(case.changes) if c.price != c.price_before), None)
        unrounded = price if moved is None else moved.unrounded
    ratio_unrounded = series.original_issue_price / ratio_price
    return SeriesResult(
        series,
        None if last is None else last.event.date,
        case.digest,
        len(case.changes),
        price,
        unrounded,
        ratio_price,
        series.ratio.price(ratio_unrounded),
        ratio_unrounded,
        convert(series, ratio_price, case.holdings),
        tuple(findings),
    )
