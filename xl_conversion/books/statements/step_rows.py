"""The wording of a step and its native formula, made once for each kind of step and then only filled.

A batch has the same dozen formulas thousands of times, with other figures and other cells. The wording is made by
:mod:`xl_conversion.books.wording` and the formula by :mod:`xl_conversion.books.native`, of marks in the place of
figures and cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from xl_conversion.books.native import native, rounded
from xl_conversion.books.wording import figure_text, formula_words, label_words, symbol_words
from xl_conversion.core.rounding import RoundingType, shown
from xl_conversion.core.stated import separated
from xl_conversion.core.steps import Step

_NAME = re.compile(r"[A-Za-z_]\w*")
_CONDITION = re.compile(r"when\((\w+) < (\w+),")
_WORDS = frozenset(["min", "max", "when", *RoundingType])
_MARK = 0xE000
"""The first of the private characters, which stand for figures."""
_MARKED = re.compile("([\ue000-\uefff])")
_RESULT = chr(0xEFFF)
_ROUNDING = re.compile(rf"\b({'|'.join(RoundingType)})\((\w+), decimals\)")
TOO_NEAR = "as found: too near to a tie for a double"
_NEAR = 10**6
"""The native formula takes what is nearer than a millionth of the last digit as the same."""
_DIGITS_OF_A_DOUBLE = 2**50
LONGEST_EXACT = 42
"""Digits of a fraction that a reader would still compare."""
_MOST_BITS = 200
"""What has more is longer than that."""


class _Frame(NamedTuple):
    """A text with marks: a template, and the symbols that go into it; "" for the result."""

    template: str
    symbols: tuple[str, ...]

    def filled(self, figures: Mapping[str, str]) -> str:
        """The text with `figures` in the place of the marks."""
        return self.template % tuple([figures[symbol] for symbol in self.symbols])


class _Wording(NamedTuple):
    words: str
    numbers: _Frame
    formula: _Frame


@lru_cache(maxsize=4096)
def symbols_of(formula: str) -> tuple[str, ...]:
    """The symbols in a step's formula, each once.

    >>> symbols_of("when(CP2 < CP1, min(half_up(CP2, decimals), CP1), CP1)")
    ('CP2', 'CP1', 'decimals')
    """
    return tuple(name for name in dict.fromkeys(_NAME.findall(formula)) if name not in _WORDS)


def words_and_formula(
    step: Step, before: Mapping[str, Step], figures: Mapping[str, str], cells: Mapping[str, str]
) -> tuple[str, str]:
    """A computed step in words and with numbers, and its Excel formula without the equals sign.

    `before` are the steps before it, `figures` what is shown of each and `cells` where it stands, by symbol.

    >>> from xl_conversion.core.explanations import explain_split
    >>> *before, last = explain_split("1234.5", 1, 20)
    >>> known = {step.symbol: step for step in before}
    >>> figures = {symbol: figure_of(step) for symbol, step in known.items()}
    >>> words_and_formula(last, known, figures, {"CP1": "E9", "old": "E11", "new": "E10"})
    ('CP1 × old / new\\n= 1,234.5 × 20 / 1', 'E9*E11/E10')
    """
    words, numbers, formula = worded(step, before, figures, cells)
    return f"{words}\n{numbers}", formula


def worded(
    step: Step, before: Mapping[str, Step], figures: Mapping[str, str], cells: Mapping[str, str]
) -> tuple[str, str, str]:
    """The same, the words and the numbers apart."""
    condition = _condition(step.formula)
    below = condition is None or _is_below(before[condition[0]].value, before[condition[1]].value)
    decimals = before.get("decimals")
    made = _wording(step.formula, None if decimals is None else decimals.value.numerator, below)
    known = figures
    if "" in made.numbers.symbols:
        known = {**figures, "": _result(step.shown, None if decimals is None else decimals.value.numerator)}
    return made.words, made.numbers.filled(known), made.formula.filled(cells)


def _is_below(one: Fraction, other: Fraction) -> bool:
    """As ``one < other``, but faster."""
    top, bottom = one.as_integer_ratio()
    other_top, other_bottom = other.as_integer_ratio()
    return top * other_bottom < other_top * bottom


def figure_of(step: Step) -> str:
    """What is shown of a step where it goes into another one: in brackets where it is below 0."""
    text = separated(step.shown)
    return f"({text})" if step.value.numerator < 0 else text


@lru_cache(maxsize=4096)
def symbol_of(symbol: str) -> str:
    """A symbol as a reader sees it."""
    return symbol_words(symbol)


@lru_cache(maxsize=4096)
def label_of(label: str) -> str:
    """The label of a step as a reader sees it."""
    return label_words(label)


def is_too_near(value: Fraction, rounding_type: RoundingType, decimals: int) -> bool:
    """Whether a figure is so near to where its rounding turns that the native formula, which knows it as a double
    and takes the noise of doubles away, could go the other way. Just there it does not.

    >>> [is_too_near(Fraction(text), RoundingType.FLOOR, 2) for text in ("1.9999999999", "2", "1.999")]
    [True, False, False]
    """
    top, bottom = value.as_integer_ratio()
    scale: int = 10**decimals
    top *= scale
    if rounding_type not in (RoundingType.FLOOR, RoundingType.CEILING):
        top, bottom = 2 * top + bottom, 2 * bottom
    rest = top % bottom
    apart = min(rest, bottom - rest)
    return apart > 0 and (apart * _NEAR < bottom or apart * _DIGITS_OF_A_DOUBLE < abs(top))


def rounds_too_near(formula: str, before: Mapping[str, Step]) -> bool:
    """The same of the rounding in a step's formula."""
    found = _rounding(formula)
    return found is not None and is_too_near(before[found[1]].value, found[0], before["decimals"].value.numerator)


@lru_cache(maxsize=4096)
def _rounding(formula: str) -> tuple[RoundingType, str] | None:
    """The rounding in a formula and the symbol that it rounds."""
    found = _ROUNDING.search(formula)
    return (RoundingType(found[1]), found[2]) if found else None


@lru_cache(maxsize=1024)
def rounding_formula(rounding_type: RoundingType, value: str, decimals: str, row: int) -> str:
    """The native rounding of the cell in column `value` to the digits in column `decimals` of one row."""
    return rounded(rounding_type, f"{value}{row}", f"{decimals}{row}" if decimals.isalpha() else decimals)


def exact_words(value: Fraction) -> str:
    """A figure without loss, or, where that is longer than a reader can use, its first digits and how long it is.

    >>> exact_words(Fraction("6.41")), exact_words(Fraction(1, 3)), exact_words(Fraction(2**300, 3**200))
    ('6.41', '1 / 3', '0.000007669159... (fraction of 91 / 96 digits)')
    """
    if value.denominator == 1 and value.numerator.bit_length() < 64:
        return f"{value.numerator:,}"
    if value.numerator.bit_length() + value.denominator.bit_length() <= _MOST_BITS:
        text = figure_text(value)
        if len(text) <= LONGEST_EXACT:
            return text
    top, bottom = (_digits(number) for number in (value.numerator, value.denominator))
    return f"{separated(shown(value, 12))} (fraction of {top:,} / {bottom:,} digits)"


def _digits(number: int) -> int:
    """How many digits a whole number has, found without writing it out."""
    number = abs(number)
    low = int((number.bit_length() - 1) * 0.30102999566398114)
    return low + 1 if number < 10 ** (low + 1) else low + 2


def _result(text: str, decimals: int | None) -> str:
    """What is shown of a rounded figure, with all decimals that it is rounded to."""
    if "..." in text or decimals is None:
        return separated(text)
    missing = decimals - len(text.partition(".")[2])
    if missing <= 0:
        return separated(text)
    point = "" if "." in text else "."
    return separated(f"{text}{point}{'0' * missing}")


@lru_cache(maxsize=4096)
def _condition(formula: str) -> tuple[str, str] | None:
    found = _CONDITION.match(formula)
    return (found[1], found[2]) if found else None


@lru_cache(maxsize=4096)
def _wording(formula: str, decimals: int | None, below: bool) -> _Wording:
    """The wording of a formula whose condition holds or does not."""
    symbols = symbols_of(formula)
    condition = _condition(formula)
    marks = {symbol: chr(_MARK + place) for place, symbol in enumerate(symbols)}
    values = dict.fromkeys(symbols, Fraction(1))
    if condition:
        values[condition[1]] = Fraction(2 if below else 1)
    if decimals is not None:
        values["decimals"] = Fraction(decimals)
    before = [Step(s, "", "", "", values[s], marks[s], "", "") for s in symbols]
    # An ellipsis keeps the mark as it is, instead of the digits of the value.
    result = Step("", "", formula, "", Fraction(1), f"{_RESULT}...", "", "")
    words, numbers = formula_words(result, before)
    names = {mark: symbol for symbol, mark in marks.items()} | {_RESULT: ""}
    numbers = numbers.replace(f"{_RESULT}...", _RESULT)
    return _Wording(words, _frame(numbers, names), _frame(native(formula, marks)[1:], names))


def _frame(text: str, names: Mapping[str, str]) -> _Frame:
    parts = _MARKED.split(text.replace("%", "%%"))
    return _Frame("%s".join(parts[::2]), tuple(names[mark] for mark in parts[1::2]))
