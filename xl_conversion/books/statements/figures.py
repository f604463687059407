"""Figures as cells of a statement hold them: their number, their exact text, and the style with their decimals."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from xl_conversion.books.statements.heights import lines_of_figures
from xl_conversion.books.statements.series_design import CALCULATION_WIDTHS, LOOKS, MOST_PLACES, variant
from xl_conversion.books.statements.step_rows import exact_words
from xl_conversion.books.wording import LONGEST_DECIMAL
from xl_conversion.core.explanations import COMMON
from xl_conversion.core.rounding import decimals_of, shown
from xl_conversion.core.stated import separated
from xl_conversion.core.terms import Rounding

CELL_DIGITS = 15
"""What a cell holds truly."""

Ratio: TypeAlias = tuple[int, int]
"""A figure as two whole numbers, which are faster to compare and to remember than a fraction."""

VARIANTS: dict[tuple[str, int, bool], str] = {
    (look, decimals, thousands): variant(look, decimals, thousands=thousands)
    for look in LOOKS
    for decimals in range(MOST_PLACES + 1)
    for thousands in (False, True)
}
"""The styles by look, decimals, and whether thousands are set apart."""
PLAIN = {name: VARIANTS["plain", decimals, thousands] for (_, decimals, thousands), name in VARIANTS.items()}
"""The plain style with the decimals of another."""


class Figure(NamedTuple):
    """What is written of a figure."""

    ratio: Ratio
    number: float
    """What a cell holds."""
    exact: str
    in_formula: str
    high: int
    """The lines of the exact figure on Calculation."""
    places: tuple[int, int, int]
    """The decimals shown of it as a count, as an amount of money, as anything else."""


def _made(value: Fraction, ratio: Ratio) -> Figure:
    numerator, denominator = ratio
    own = _own_places(denominator)
    text, whole = shown(value), abs(numerator) // denominator
    inside = separated(text)
    exact = exact_words(value) if text.endswith("...") or len(text) > LONGEST_DECIMAL else inside
    # All decimals of a figure, ten where there are more, but no more digits than a cell shows truly.
    digits = len(str(whole)) + (numerator < 0 < whole)
    most = min(MOST_PLACES, max(0, CELL_DIGITS - digits))
    if own == 0:
        places = 0, min(2, most), 0
    else:
        other = MOST_PLACES if own is None else own
        count = 4 if own is None and whole else other
        places = min(count, most), min(max(other, 2), most), min(other, most)
    high = lines_of_figures(exact, CALCULATION_WIDTHS[6])
    if numerator < 0:
        inside = f"({inside})"
    return Figure(ratio, quotient(numerator, denominator), exact, inside, high, places)


@lru_cache(maxsize=4096)
def _own_places(denominator: int) -> int | None:
    """How many decimals a figure with this denominator has; None where they do not end, or for very many."""
    places = decimals_of(denominator) if denominator.bit_length() < 64 else None
    return None if places is None or places >= _MANY_PLACES else places


_remembered: dict[Ratio, Figure] = {}
"""Prices, counts and amounts come again in other steps of a series; few of them in another series."""


def as_figure(value: Fraction) -> Figure:
    """What is written of a figure; those of few digits are remembered."""
    ratio = numerator, denominator = value.as_integer_ratio()
    if numerator.bit_length() > _LONG or denominator.bit_length() > _LONG:
        return _made(value, ratio)  # it would fill the memory
    found = _remembered.get(ratio)
    if found is None:
        if len(_remembered) >= _MOST:
            _remembered.clear()
        found = _remembered[ratio] = _made(value, ratio)
    return found


_LONG, _MOST = 128, 1024
_MANY_PLACES = 20


def number_of(value: Fraction) -> float:
    """What a cell holds of a figure."""
    return quotient(*value.as_integer_ratio())


def quotient(numerator: int, denominator: int) -> float:
    """The double nearest to it, or the whole number that it is."""
    if denominator == 1 and -(10**15) < numerator < 10**15:
        return numerator
    return numerator / denominator


def style_of(look: str, figure: Figure, unit: Unit, decimals: int | None = None) -> str:
    """The style with all decimals of a figure, or with those of a rounding where there is one."""
    if decimals is not None and _ends(figure.ratio, decimals):
        return VARIANTS[look, min(MOST_PLACES, max(0, decimals)), unit.thousands]
    return VARIANTS[look, figure.places[unit.kind], unit.thousands]


def rounded_style(look: str, figure: Figure, rounding: Rounding) -> str:
    """The style with the decimals that a figure is rounded to, or with its own where it has more."""
    places = min(MOST_PLACES, max(0, rounding.decimals or 0))
    if rounding.decimals is None or not _ends(figure.ratio, places):
        return style_of(look, figure, PER_SHARE)
    return VARIANTS[look, places, False]


def _ends(ratio: Ratio, decimals: int) -> bool:
    """Whether a figure has no more than so many decimals."""
    return ratio[1] == 1 or 10 ** max(0, decimals) % ratio[1] == 0


class Unit(NamedTuple):
    """What the unit of a figure says of its style."""

    kind: int
    """Which of its :attr:`Figure.places` is shown."""
    thousands: bool
    """Whether they are set apart, as of counts and amounts."""


def unit_of(unit: str) -> Unit:
    """What a unit means for the style, by its name."""
    if unit == COMMON or unit.startswith("shares"):
        return Unit(0, True)
    return Unit(1 if unit.startswith("money") else 2, unit == "money")


MONEY, PER_SHARE, NO_UNIT = map(unit_of, ("money", "money per share", ""))
