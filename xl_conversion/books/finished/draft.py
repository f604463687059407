"""What the sheets of a finished workbook share: the figures, and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from xl_conversion.books.page import Book
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.rounding import exact_text
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.reading import Case

MOST_PLACES, MOST_PLACES_OF_COUNTS = 10, 4
CELL_DIGITS = 15


@dataclass
class Draft:
    """A case on its way to a workbook. Addresses are as formulas on any sheet name them."""

    case: Case
    adjustments: tuple[Adjustment, ...]
    findings: tuple[Finding, ...]
    book: Book
    terms: dict[str, str] = field(default_factory=dict)
    """Of the series' terms, by column of the series table."""
    given: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of an event's inputs, by event and symbol (A, C, X, Y, K, listed)."""
    securities: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of the common of each security, by event and name."""
    steps: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of computed figures, by event and symbol."""
    formats: dict[tuple[str, str], str] = field(default_factory=dict)
    """The number formats of computed figures, by event and symbol."""
    conversions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Of sums over a security's conversions, by event, security and column."""
    results: str = ""
    """The range of the tie-out's results."""
    exceptions_at: str = ""
    """Of the number of exceptions."""

    @property
    def exceptions(self) -> int:
        """The stated figures that do not tie."""
        return sum(finding.is_exception for finding in self.findings)

    def find(self, event: str, symbol: str) -> str:
        """The address of a figure of an event."""
        return self.steps.get((event, symbol)) or self.given[event, symbol]


def finding_name(draft: Draft, finding: Finding) -> str:
    """What a finding is about, with its event where there are several."""
    event = f"Event {finding.event}: " if len(draft.adjustments) > 1 else ""
    return f"{event}{finding.item.value.replace('_', ' ')} {finding.subject}".strip()


def number_format(value: Fraction, unit: str) -> str:
    """All decimals of a figure, ten where there are more, but no more digits than a cell shows truly; thousands
    for counts and amounts.

    >>> number_format(Fraction(1277), "shares of common"), number_format(Fraction(1, 3), "money per share")
    ('#,##0', '0.0000000000')
    >>> number_format(Fraction(10**8, 3), "shares of common")
    '#,##0.0000000'
    """
    return _format(_decimals(value, unit), unit)


def column_format(values: Iterable[Fraction], unit: str) -> str:
    """One number format for all figures of a unit that stand in one column, so that their digits align: as many
    decimals as any of them has, four of a count that does not end.

    >>> column_format([Fraction(1277), Fraction(10, 3)], "shares of common")
    '#,##0.0000'
    >>> column_format([Fraction("4557595.1"), Fraction(35000)], "money")
    '#,##0.00'
    """
    figures = list(values)
    small = any(0 < abs(value) < 1 for value in figures)
    endless = MOST_PLACES_OF_COUNTS if unit.startswith("shares") and not small else MOST_PLACES
    decimals = max((_decimals(value, unit, endless) for value in figures), default=0)
    return _format(min([decimals, *(_most_places(value) for value in figures)]), unit)


def _decimals(value: Fraction, unit: str, endless: int = MOST_PLACES) -> int:
    text, most = exact_text(value), _most_places(value)
    decimals = min(most, endless) if text is None else min(most, len(text.partition(".")[2]))
    return max(decimals, 2) if unit.startswith("money") else decimals


def _most_places(value: Fraction) -> int:
    return max(0, min(MOST_PLACES, CELL_DIGITS - len(str(int(abs(value))))))


def _format(decimals: int, unit: str) -> str:
    whole = "#,##0" if unit.startswith("shares") or unit == "money" else "0"
    return whole + ("." + "0" * decimals if decimals else "")
