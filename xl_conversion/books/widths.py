"""How many lines a wrapped text takes in a column, by the widths of Calibri's letters."""

from __future__ import annotations

_OF_LETTERS = {
    " 'il": 23,
    "j,.I": 25,
    ":;": 27,
    "`()-[]f{}": 31,
    "J!t": 33,
    "r": 35,
    '/\\s"z': 40,
    "Lcx": 43,
    "kvyFS?|": 46,
    "Zga": 48,
    "ETYe#*+<=>^_~×": 50,
    "$0123456789": 51,
    "VA": 58,
    "DHG": 63,
    "UNOQ&": 67,
    "%w": 72,
    "m": 80,
    "M@W→…": 91,
}
"""Hundredths of the size of the font."""
_OTHER, _WIDE, _FIRST_WIDE = 54, 105, 0x2E80


class _Widths(dict[str, int]):
    """The width of each letter, found without a call of Python's own for those that are listed."""

    def __missing__(self, letter: str) -> int:
        return _WIDE if ord(letter) >= _FIRST_WIDE else _OTHER


_WIDTHS = _Widths({letter: width for letters, width in _OF_LETTERS.items() for letter in letters})
_of = _WIDTHS.__getitem__
_UNIT, _MARGIN = 52, 115
"""One character of a column's width, and what its padding and an indent take, in the same unit at 10 points."""


def lines(text: str, width: float) -> int:
    """The lines of `text` at 10 points in a column of `width` characters.

    >>> lines("common underlying other securities before", 38), lines("common underlying other securities", 24)
    (1, 2)
    >>> lines("1" * 100, 20), lines("One\\nTwo", 20), lines("", 5)
    (6, 2, 1)
    """
    room = max(_WIDE, width * _UNIT - _MARGIN)
    return sum([_wrapped(line, room) for line in text.split("\n")]) if "\n" in text else _wrapped(text, room)


def _wrapped(line: str, room: float) -> int:
    """Words go to the next line whole; one that is longer than a line is broken."""
    if len(line) * _WIDE <= room or sum(map(_of, line)) <= room:
        return 1
    count, used, space = 1, 0.0, _WIDTHS[" "]
    for word in line.split(" "):
        length: float = sum(map(_of, word))
        if used and used + length > room:
            count, used = count + 1, 0.0
        while length > room:
            count, length = count + 1, length - room
        used += length + space
    return count
