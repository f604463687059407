"""Values as the XML of their cells: one pass over many, with as little as possible for each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from xl_conversion.books.saving import MAX_TEXT, ExcelErrorText

Plain: TypeAlias = str | bool | int | float | Fraction | Decimal | date | ExcelErrorText | None


class Formula(NamedTuple):
    """A formula of a cell's own, without the equals sign, and its cached value: for rows whose formulas differ.
    Nothing of it is shifted or extended; it is no place for data."""

    text: str
    value: Plain


class Styled(NamedTuple):
    """A value in the style of a variant: a cell of the sheet ``{{styles}}`` that holds the variant's name."""

    value: Plain | Formula
    variant: str


Value: TypeAlias = Plain | Formula | Styled


class Digits(NamedTuple):
    """What a number format with fixed decimals shows, such as ``0.00`` or ``#,##0.0000``."""

    decimals: int
    thousands: bool


class Row(NamedTuple):
    """The values of a row, and its height in points; None for that of the design."""

    values: Sequence[Value]
    height: float | None = None


class Columns(NamedTuple):
    """Many rows at once, column by column, which is faster: all columns are equally long."""

    columns: Sequence[Sequence[Value]]


FORMULA = "\x01"
"""Stands where a formula goes; text from data cannot hold it."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ODD = ("&", "<", ">", "_x", "\n=", "\n+", "\n-", "\n@", "\n ", " \n", "\n\n")
"""What in a column of texts, each on its own line, needs a closer look."""
_EXACT = 2**53
_EPOCH = date(1899, 12, 30).toordinal()
_SHORT = 200
"""Characters up to which a text is kept with its XML, and is not looked at closely if nothing is special in it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A cell that takes a value: everything after its reference, ``<c r="B8"`` and the quotation mark."""

    style: int
    quoted: int
    """The same style with the quote prefix."""
    extra: str = ""
    """Other attributes of the cell."""
    formula: str = ""
    """The element of the formula whose cached value it takes."""
    where: str = ""
    variants: Variants | None = None


K = TypeVar("K")
V = TypeVar("V")


class _Kept(dict[K, V]):
    """What is made of each key, kept since most values of a workbook stand in the next one, too. Its size is
    bounded: it begins anew when it is full, and what is made of long texts is not kept."""

    def __init__(self, make: Callable[[K], V], limit: int = 2**12) -> None:
        super().__init__()
        self.make, self.limit = make, limit

    def __missing__(self, key: K) -> V:
        made = self.make(key)
        if not isinstance(key, str) or len(key) < _SHORT:
            if len(self) >= self.limit:
                self.clear()
            self[key] = made
        return made


class Around:
    """The XML around values in one style, and around one formula or none."""

    __slots__ = ("blank", "formulas", "number", "number_end", "style", "text", "text_end", "texts")

    def __init__(self, style: str, formula: str = "") -> None:
        """`style` is all attributes of the cell, `formula` the element of a formula."""
        self.style = style
        self.number, self.number_end = f"{style}>{formula}<v>", "</v></c>"
        self.text, self.text_end = f'{style} t="inlineStr"><is><t>', "</t></is></c>"
        self.blank = f"{style}/>"
        if formula:
            self.text, self.text_end = f'{style} t="str">{formula}<v>', self.number_end
            self.blank = f"{style}>{formula}</c>"
        self.texts: Mapping[str, str] = _Kept(self._text)
        """The cells of texts; nothing for those that need a closer look."""
        self.formulas: Mapping[str, Around] = _Kept(self._with_formula, 2**9)
        """The same around formulas of cells' own."""

    def _text(self, text: str) -> str:
        shown = _as_it_is(text)
        return f"{self.text}{shown}{self.text_end}" if shown else ""

    def _with_formula(self, formula: str) -> Around:
        return Around(self.style, _element(formula))


@dataclass(frozen=True, slots=True)
class Opening:
    """What a slot has for the commonest kinds of values."""

    around: Around
    variants: Mapping[str, Around] | None
    """By variant, for `Styled` values. None where a formula stands: there, these are looked at closely."""
    slot: Slot | None
    """None for the height of a row."""


class Variants:
    """The variants of a design, and the XML around values in them."""

    def __init__(self, styles: Mapping[str, tuple[int, int]]) -> None:
        self.styles = styles
        self.around: Mapping[str, Around] = _Kept(Around)
        """By all attributes of the cell."""
        self.known: dict[str, Mapping[str, Around]] = {}

    def by_name(self, extra: str) -> Mapping[str, Around]:
        """The variants by name, in cells with these other attributes."""
        if (found := self.known.get(extra)) is None:
            found = {name: self.around[_style(style, extra)] for name, (style, _) in self.styles.items()}
            self.known[extra] = found
        return found


def opening(slot: Slot) -> Opening:
    """The XML around a value in `slot`."""
    style = _style(slot.style, slot.extra)
    if slot.formula or slot.variants is None:
        return Opening(Around(style, slot.formula), None, slot)
    return Opening(slot.variants.around[style], slot.variants.by_name(slot.extra), slot)


def height_opening(default: str) -> Opening:
    """The same for the height of a row, whose tag has `default` in its place."""
    around = Around("")
    around.number, around.number_end, around.blank = ' ht="', '" customHeight="1"', default
    return Opening(around, None, None)


def cells(values: Sequence[Any], openings: Sequence[Opening]) -> list[str]:
    """Each value in its slot."""
    done: list[str] = []
    put, numbers = done.append, _NUMBERS
    for given, one in zip(values, openings, strict=True):
        value = given
        kind = type(value)
        around = one.around
        if kind is Styled and one.variants is not None and (styled := one.variants.get(value.variant)):
            around = styled
            value = value.value
            kind = type(value)
        if kind is Formula and one.variants is not None:
            around = around.formulas[value.text]
            value = value.value
            kind = type(value)
        if kind is str:
            put(around.texts[value] or _closely(given, one.slot))
        elif kind is float:
            if shown := numbers[value]:
                put(f"{around.number}{shown}{around.number_end}")
            else:
                put(_closely(given, one.slot))
        elif value is None:
            put(around.blank)
        elif kind is int and -_EXACT <= value <= _EXACT:
            put(f"{around.number}{value}{around.number_end}")
        elif kind is date and value.toordinal() > _EPOCH + 60:
            put(f"{around.number}{value.toordinal() - _EPOCH}{around.number_end}")
        else:
            put(_closely(given, one.slot))
    return done


def column_cells(values: Sequence[Any], slot: Slot, style: str) -> tuple[str, str, list[str]]:
    """A column in one pass if its values are of one kind: before and after each, and they themselves.

    `style` is the attribute of the plain style.
    """
    kinds = set(map(type, values))
    formula = FORMULA if slot.formula else ""
    if len(kinds) == 1:
        (kind,) = kinds
        shown: list[str] | None = None
        if kind is str:
            shown = _texts(values)
            if shown is not None:
                if formula:
                    return f'{style} t="str">{formula}<v>', "</v></c>", shown
                return f'{style} t="inlineStr"><is><t>', "</t></is></c>", shown
        elif kind is float:
            shown = _floats(values)
        elif kind is int:
            if max(values) <= _EXACT and min(values) >= -_EXACT:
                shown = list(map(str, values))
        elif kind is date:
            if min(values).toordinal() > _EPOCH + 60:
                shown = [str(value.toordinal() - _EPOCH) for value in values]
        elif kind is Decimal or kind is Fraction:
            shown = _floats(_as_floats(values))
        if shown is not None:
            return f"{style}>{formula}<v>", "</v></c>", shown
    return "", "", cells(values, repeated(opening(slot), len(values)))


def repeated(one: Opening, count: int) -> Sequence[Opening]:
    """The same opening so many times."""
    return list(repeat(one, count))


def finite(value: float | Fraction | Decimal) -> float:
    """The nearest double; ValueError for what no cell can hold."""
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("a number that no cell can hold, beyond 1.8E+308") from None
    if not math.isfinite(number):
        raise ValueError(f"a number that no cell can hold: {number}")
    return number


def utf16_length(text: str) -> int:
    """The characters of a text as Excel counts them: those outside of the first plane are two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Text with what a workbook can hold: line ends as one character, U+FFFD for what XML cannot carry."""
    if text.isprintable():
        return text
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", re.sub("\r\n?", "\n", text))


def escaped(text: str) -> str:
    """Text as XML, in an element or an attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def serial(day: date) -> int:
    """The number that stands for a day in the 1900 system, with its 29 February 1900."""
    number = day.toordinal() - _EPOCH
    if number <= 60:
        number -= 1
    if number < 1:
        raise ValueError(f"{day} is before 1 January 1900, the first day that a workbook knows")
    return number


def _closely(value: Any, slot: Slot | None) -> str:
    """Any value in its slot; ValueError or TypeError names the cell."""
    if slot is None:
        return _height(value)
    style = slot.style, slot.quoted
    if isinstance(value, Styled):
        variants = slot.variants.styles if slot.variants else {}
        if value.variant not in variants:
            known = ", ".join(sorted(variants)) or "none"
            raise ValueError(f"{slot.where}: there is no style {value.variant!r}; the design has {known}")
        style, value = variants[value.variant], value.value
    formula = slot.formula
    if isinstance(value, Formula):
        if formula:
            raise ValueError(f"{slot.where}: the design has a formula there already")
        formula, value = _element(value.text), value.value
    try:
        kind, content = _content(value, bool(formula))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{slot.where}: {error}") from None
    except TypeError as error:
        raise TypeError(f"{slot.where}: {error}") from None
    # As put_text: the prefix keeps Excel from making a formula of it when the cell is entered again.
    quoted = kind == ' t="inlineStr"' and value.startswith(("=", "+", "-", "@"))
    number = style[1] if quoted else style[0]
    attributes = _style(number, slot.extra) + kind
    inner = formula + content
    return f"{attributes}>{inner}</c>" if inner else f"{attributes}/>"


def _style(style: int, extra: str) -> str:
    return f' s="{style}"{extra}' if style else extra


def _element(formula: str) -> str:
    """A formula of a cell's own."""
    return f"<f>{escaped(formula)}</f>"


def _as_it_is(text: str) -> str:
    """The XML of a text that is the same in any cell, cached or not; nothing if it needs a closer look."""
    if len(text) >= _SHORT or text.strip() != text or text.startswith(("=", "+", "-", "@")) or "_x" in text:
        return ""
    if not text.isprintable() and not text.replace("\n", "").isprintable():
        return ""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _content(value: Any, cached: bool) -> tuple[str, str]:
    """The type attribute and the inside of a cell."""
    match value:
        case None:
            return "", ""
        case bool():  # before int, which it is too
            return ' t="b"', f"<v>{int(value)}</v>"
        case ExcelErrorText():
            return ' t="e"', f"<v>{value}</v>"
        case "" if not cached:  # as openpyxl writes it
            return "", ""
        case str():
            text = clean(value)
            if not cached:
                text = _DECODED.sub("_x005F_", text)  # Excel would decode it
            if (length := utf16_length(text)) > MAX_TEXT:
                raise ValueError(f"a text of {length:,} characters; a cell holds {MAX_TEXT:,}")
            space = ' xml:space="preserve"' if text != text.strip() else ""
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            if cached:
                return ' t="str"', f"<v{space}>{text}</v>"
            return ' t="inlineStr"', f"<is><t{space}>{text}</t></is>"
        case datetime():
            raise TypeError("a date with a time; give a date")
        case date():
            return "", f"<v>{serial(value)}</v>"
        case float() | int() | Fraction() | Decimal():
            return "", f"<v>{_shortest(finite(value))}</v>"
        case _:
            raise TypeError(f"{value!r} is nothing that a cell can hold: text, number, date, truth value or error")


def _height(value: Any) -> str:
    height = float(value)
    if not 0 <= height <= 409.5:
        raise ValueError(f"a row is 0 to 409.5 points high, not {value}")
    return f' ht="{_shortest(height)}" customHeight="1"'


def _shortest(number: float) -> str:
    return repr(number + 0.0).removesuffix(".0")


def _finite(number: float) -> str:
    """A number in its shortest form, nothing for one that no cell can hold."""
    return _shortest(number) if math.isfinite(number) else ""


_NUMBERS: Mapping[float, str] = _Kept(_finite)
"""Most figures stand in several cells of a workbook, and to write one out takes longer than to find it again."""


def _texts(values: Sequence[str]) -> list[str] | None:
    """Texts among which none needs a closer look, or None."""
    lines = f"\n{chr(10).join(values)}\n"
    if not "".join(values).isprintable() or any(odd in lines for odd in _ODD):
        return None
    return cast("list[str]", values) if max(map(len, values)) <= MAX_TEXT // 2 else None


def _floats(values: Sequence[float]) -> list[str] | None:
    """Numbers in their shortest form, or None if one is not finite."""
    if not all(map(math.isfinite, values)):
        return None
    shown = ("\n".join(map(repr, values)) + "\n").replace(".0\n", "\n")
    if "-0\n" in shown:
        return [_shortest(value) for value in values]
    return shown[:-1].split("\n")


def _as_floats(values: Sequence[Any]) -> list[float]:
    """The nearest doubles; infinity for what is beyond all of them, so that it is refused by name."""
    try:
        return list(map(float, values))
    except OverflowError:
        return [math.inf]
