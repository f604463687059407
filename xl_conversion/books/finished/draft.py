"""What the sheets of a finished workbook share: the figures, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from xl_conversion.books.page import Book
from xl_conversion.core.events import Adjustment
from xl_conversion.core.rounding import exact_text
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.records import Case

MOST_PLACES = 10


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
    steps: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of computed figures, by event and symbol."""
    conversions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Of sums over a security's conversions, by event, security and column."""
    results: str = ""
    """The range of the tie-out's results."""

    def find(self, event: str, symbol: str) -> str:
        """The address of a figure of an event."""
        return self.steps.get((event, symbol)) or self.given[event, symbol]


def number_format(value: Fraction, unit: str) -> str:
    """All decimals of a figure, ten where there are more; thousands for counts and amounts.

    >>> number_format(Fraction(1277), "shares of common"), number_format(Fraction(1, 3), "money per share")
    ('#,##0', '0.0000000000')
    """
    text = exact_text(value)
    decimals = MOST_PLACES if text is None else min(MOST_PLACES, len(text.partition(".")[2]))
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
