"""Exact numbers in, one rounding at the end.

>>> from fractions import Fraction
>>> round_to(Fraction("3.205"), 2, RoundingType.HALF_UP)
Fraction(321, 100)
>>> round_to(Fraction("3.205"), 2, RoundingType.HALF_EVEN)
Fraction(16, 5)
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

Exact = str | int | Decimal | Fraction
"""What the core accepts as a number. A float is refused: the caller must say which decimal it is."""

MAX_DECIMALS = 15
MAX_DIGITS = 400
_REMEMBERED_BITS = 128
"""Of the parts of a figure whose text is kept: longer ones seldom come again, and would fill the memory."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?\Z|[+-]?\d+/\d+\Z", re.ASCII)


class RoundingType(StrEnum):
    """How the last digit is chosen. The Open Cap Format's NORMAL, FLOOR and CEILING are accepted too."""

    HALF_UP = "half_up"
    """To the nearest; a tie goes away from zero, as Excel's ROUND does."""
    HALF_EVEN = "half_even"
    """To the nearest; a tie goes to the even digit."""
    FLOOR = "floor"
    """Down, towards minus infinity."""
    CEILING = "ceiling"
    """Up, towards plus infinity."""

    @classmethod
    def parse(cls, text: str) -> RoundingType:
        """The rounding type that `text` names, in any letter case.

        >>> RoundingType.parse("Normal")
        <RoundingType.HALF_UP: 'half_up'>

        Raises ValueError for any other text.
        """
        name = text.strip().lower()
        if name != "normal" and name not in list(cls):
            raise ValueError(f"{shorten(text)!r} is not one of {', '.join(cls)}")
        return cls("half_up" if name == "normal" else name)


def exact(value: Exact) -> Fraction:
    """`value` as a fraction, without loss.

    >>> exact("6.41"), exact(3), exact(Decimal("0.10")), exact("8/9")
    (Fraction(641, 100), Fraction(3, 1), Fraction(1, 10), Fraction(8, 9))

    Raises TypeError for a float, a bool or anything else that is no exact number; ValueError for a text that
    is no plain number, is not finite or has more than 400 digits.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        shown_value = shorten(repr(value))
        raise TypeError(f"{type(value).__name__} is not an exact number: {shown_value}; give text, int or Decimal")
    if isinstance(value, int):
        return Fraction(value)
    text = str(value).strip()
    # The length and the exponent are bounded before anything is computed: 1e999999999 would never end.
    if len(text) > 3 * MAX_DIGITS or not _NUMBER.match(text) or sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise ValueError(f"not a number of at most {MAX_DIGITS} digits: {shorten(text)!r}")
    _, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > MAX_DIGITS:
        raise ValueError(f"exponent beyond {MAX_DIGITS}: {shorten(text)!r}")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"division by zero: {shorten(text)!r}") from None


def round_to(value: Fraction, decimals: int, rounding_type: RoundingType) -> Fraction:
    """`value` rounded once to `decimals` places (-15 to 15; negative ones are left of the point).

    >>> round_to(Fraction(-5, 2), 0, RoundingType.HALF_UP), round_to(Fraction(-5, 2), 0, RoundingType.FLOOR)
    (Fraction(-3, 1), Fraction(-3, 1))
    >>> round_to(Fraction(1250), -2, RoundingType.HALF_EVEN)
    Fraction(1200, 1)

    Raises ValueError for decimals outside that range, TypeError for decimals that are no int.
    """
    if not isinstance(decimals, int) or isinstance(decimals, bool):
        raise TypeError(f"decimals must be an int, not {type(decimals).__name__}: {decimals!r}")
    if not -MAX_DECIMALS <= decimals <= MAX_DECIMALS:
        raise ValueError(f"decimals {decimals} is not from -{MAX_DECIMALS} to {MAX_DECIMALS}")
    # In whole numbers: a batch rounds hundreds of figures a series, and fractions are slow.
    if decimals >= 0:
        scale = 10**decimals
        return Fraction(_whole(value.numerator * scale, value.denominator, rounding_type), scale)
    scale = 10**-decimals
    return Fraction(_whole(value.numerator, value.denominator * scale, rounding_type) * scale)


def round_whole(value: Fraction, rounding_type: RoundingType) -> int:
    """`value` as a whole number.

    >>> round_whole(Fraction("75959.93"), RoundingType.HALF_UP)
    75960

    Raises ValueError for an unknown rounding type.
    """
    return _whole(value.numerator, value.denominator, rounding_type)


def _whole(numerator: int, denominator: int, rounding_type: RoundingType) -> int:
    """`numerator / denominator`, the latter above 0, as a whole number."""
    if type(rounding_type) is not RoundingType:
        rounding_type = RoundingType(rounding_type)  # its text would do too, but never as another type
    below, rest = divmod(numerator, denominator)
    if rounding_type is RoundingType.FLOOR or rest == 0:
        return below
    if rounding_type is RoundingType.CEILING:
        return below + 1
    twice = 2 * rest - denominator
    if twice != 0:
        return below + (twice > 0)
    if rounding_type is RoundingType.HALF_EVEN:
        return below + below % 2
    return below + (numerator > 0)


def to_text(value: Fraction, decimals: int, *, rounding_type: RoundingType = RoundingType.HALF_UP) -> str:
    """`value` in decimal digits with exactly `decimals` of them after the point.

    >>> to_text(Fraction(2), 2), to_text(Fraction(-1, 3), 4), to_text(Fraction(1234567), 0)
    ('2.00', '-0.3333', '1234567')

    Raises ValueError for fewer than 0 decimals.
    """
    if decimals < 0:
        raise ValueError(f"decimals {decimals} is below 0")
    return _digits(_whole(value.numerator * 10**decimals, value.denominator, rounding_type), decimals)


def _digits(scaled: int, decimals: int) -> str:
    """A whole number with a point before its last `decimals` digits."""
    digits = str(abs(scaled)).rjust(decimals + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else sign + digits


def exact_text(value: Fraction) -> str | None:
    """All the digits of `value`, or None when its decimal expansion does not end.

    >>> exact_text(Fraction(641, 100)), exact_text(Fraction(1, 3))
    ('6.41', None)
    """
    return _exact_text(*value.as_integer_ratio())


def _exact_text(numerator: int, denominator: int) -> str | None:
    places = decimals_of(denominator)
    return None if places is None else _digits(numerator * (10**places // denominator), places)


def decimals_of(denominator: int) -> int | None:
    """How many decimals a figure with this denominator, in lowest terms, has; None where they do not end.

    >>> decimals_of(100), decimals_of(8), decimals_of(3)
    (2, 3, None)
    """
    twos, fives = (denominator & -denominator).bit_length() - 1, 0  # the zeros that it ends on in binary
    rest = denominator >> twos
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


def shown(value: Fraction, places: int = 10) -> str:
    """`value` for a reader: all its digits when there are few, else the first ones and an ellipsis.

    >>> shown(Fraction(641, 100)), shown(Fraction(1, 3), 6), shown(Fraction(-2, 3), 6)
    ('6.41', '0.333333...', '-0.666666...')
    """
    # Prices and counts come again and again; two whole numbers are found faster than a fraction.
    numerator, denominator = value.as_integer_ratio()
    if denominator == 1:
        return str(numerator)
    if denominator.bit_length() > _REMEMBERED_BITS or numerator.bit_length() > _REMEMBERED_BITS:
        return _shown(numerator, denominator, places)
    return _remembered(numerator, denominator, places)


def _shown(numerator: int, denominator: int, places: int) -> str:
    size = abs(numerator)
    if 0 < size * 10**places < denominator:
        # Figures nearer to 0 than that are shown from their first digit on.
        places = len(str(denominator // size)) + 2
    decimals = decimals_of(denominator)
    if decimals is not None and decimals <= places:
        return _digits(numerator * (10**decimals // denominator), decimals)
    # Cut, not rounded: every digit in front of the ellipsis is a digit of the figure.
    return f"{'-' if numerator < 0 else ''}{_digits(size * 10**places // denominator, places)}..."


_remembered = lru_cache(maxsize=1024)(_shown)


def brief(value: Fraction) -> str:
    """`value` for a message: as :func:`shown`, or by its magnitude where that would be long.

    >>> brief(Fraction("6.41")), brief(Fraction(-(10**308))), brief(Fraction(1, 10**20))
    ('6.41', '-1E+308', '1E-20')
    """
    if value == 0 or Fraction(1, 10**9) <= abs(value) < 10**21:
        return shown(value)
    with localcontext(prec=3):
        return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():E}"


def shorten(text: str, limit: int = 40) -> str:
    """`text` cut for a message.

    >>> shorten("9" * 400, 10)
    '9999999...'
    """
    return text if len(text) <= limit else text[: limit - 3] + "..."
