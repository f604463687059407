"""How high the rows of a statement are: wording comes again and again and is measured once; figures are digits, as
wide as a column's unit."""

from __future__ import annotations

from functools import lru_cache

from xl_conversion.books.page import HIGHEST_ROW
from xl_conversion.books.widths import lines

SMALL = 10 / 9
"""More letters go into a column at 9 points."""


def height_of(high: int) -> float | None:
    """The height of a row of so many lines in points; None for that of the design, which has one."""
    return min(HIGHEST_ROW, 12.75 * high + 2.25) if high > 1 else None


@lru_cache(maxsize=8192)
def lines_of(text: str, width: float) -> int:
    """The lines of wording in a column so wide."""
    return lines(text, width)


def lines_of_figures(text: str, width: float) -> int:
    """Of figures and signs."""
    return 1 if len(text) + 3 <= width else lines(text, width)


def lines_of_text(text: str, width: float) -> int:
    """Of a sentence that comes once: letters are narrower than digits, and words that go to the next line leave
    about as much free."""
    return -(-len(text) // int(width - 3)) if text.isascii() else lines(text, width)


def lines_of_formula(text: str, width: float) -> int:
    """Of a formula in words, with its figures on a line of their own."""
    words, _, numbers = text.partition("\n")
    return lines_of(words, width) + (lines_of_figures(numbers, width) if numbers else 0)
