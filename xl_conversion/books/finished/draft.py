"""What the sheets of a finished workbook share: the figures, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from xl_conversion.books.page import Book
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.rounding import exact_text
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.reading import Case

MOST_PLACES = 10
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
    text = exact_text(value)
    most = max(0, min(MOST_PLACES, CELL_DIGITS - len(str(int(abs(value))))))
    decimals = most if text is None else min(most, len(text.partition(".")[2]))
    if unit.startswith("money"):
        decimals = max(decimals, 2)
    whole = "#,##0" if unit.startswith("shares") or unit == "money" else "0"
    return whole + ("." + "0" * decimals if decimals else "")


def figure_text(value: Fraction) -> str:
    """A figure without loss: its digits where they end, else the fraction.

    >>> figure_text(Fraction(641, 100)), figure_text(Fraction(8, 9))
    ('6.41', '8/9')
    """
    text = exact_text(value)
    return text if text is not None and len(text) <= 24 else str(value)
