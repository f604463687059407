"""Native formulas that make a figure whole, in one cell."""

from __future__ import annotations


def nearest(value: str) -> str:
    """To the nearest whole; a tie goes up.

    >>> nearest("PU")
    'ROUND(PU, ZERO)'
    """
    return f"ROUND({value}, ZERO)"


def down(value: str) -> str:
    """Down to the whole. What is beyond the digits that count goes first: a double is hardly ever the decimal that
    it stands for.

    >>> down("PU")
    'ROUNDDOWN(ROUND(PU, GUARD), ZERO)'
    """
    return f"ROUNDDOWN(ROUND({value}, GUARD), ZERO)"
