"""Values as the XML of their cells: one pass over many, with as little as possible for each."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias, cast

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
_FAST = 200
"""Characters up to which a text without anything special is not looked at closely."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A cell that takes a value: everything after its reference, ``<c r="B8"`` and the quotation mark."""

    style: int
    quoted: int
    """The same style with the quote prefix."""
    extra: str = ""
    """Other attributes of the cell."""
    formula: str = ""
    """The element of the formula whose cached value it takes, ``%`` not doubled."""
    where: str = ""
    variants: Mapping[str, tuple[int, int]] | None = None


class Opening(NamedTuple):
    """The XML around the two commonest kinds of values in a slot."""

    text: str
    text_end: str
    number: str
    number_end: str
    slot: Slot | None
    """None for the height of a row."""
    blank: str


def opening(slot: Slot) -> Opening:
    """The XML around a value in `slot`."""
    style = f' s="{slot.style}"{slot.extra}' if slot.style else slot.extra
    number, end = f"{style}>{slot.formula}<v>", "</v></c>"
    if slot.formula:
        return Opening(f'{style} t="str">{slot.formula}<v>', end, number, end, slot, f"{style}>{slot.formula}</c>")
    return Opening(f'{style} t="inlineStr"><is><t>', "</t></is></c>", number, end, slot, f"{style}/>")


def height_opening(default: str) -> Opening:
    """The same for the height of a row, whose tag has `default` in its place."""
    return Opening("", "", ' ht="', '" customHeight="1"', None, default)


def cells(values: Sequence[Any], openings: Sequence[Opening]) -> list[str]:
    """Each value in its slot."""
    done: list[str] = []
    put = done.append
    for value, (text, text_end, number, number_end, slot, blank) in zip(values, openings, strict=True):
        kind = type(value)
        if kind is str:
            if (
                value.isprintable()
                and len(value) < _FAST
                and value[:1] not in "=+-@ "  # the empty text, too
                and "_x" not in value
                and value[-1] != " "
                and slot is not None
            ):
                if "&" in value or "<" in value or ">" in value:
                    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                put(f"{text}{value}{text_end}")
            else:
                put(_closely(value, slot))
        elif kind is float:
            if value - value == 0.0:  # finite
                shown = repr(value + 0.0)  # adding zero turns -0.0 into 0.0
                put(f"{number}{shown[:-2] if shown[-2:] == '.0' else shown}{number_end}")
            else:
                put(_closely(value, slot))
        elif value is None:
            put(blank)
        elif kind is int and -_EXACT <= value <= _EXACT:
            put(f"{number}{value}{number_end}")
        elif kind is date and value.toordinal() > _EPOCH + 60:
            put(f"{number}{value.toordinal() - _EPOCH}{number_end}")
        else:
            put(_closely(value, slot))
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


def shown_text(value: Value) -> str:
    """A value inside other text."""
    if isinstance(value, Styled):
        value = value.value
    if isinstance(value, Formula):
        value = value.value
    return "" if value is None else str(value)


def clean(text: str) -> str:
    """Text with what a workbook can hold: line ends as one character, U+FFFD for what XML cannot carry."""
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
        variants: Collection[str] = slot.variants or ()
        if slot.variants is None or value.variant not in slot.variants:
            known = ", ".join(sorted(variants)) or "none"
            raise ValueError(f"{slot.where}: there is no style {value.variant!r}; the design has {known}")
        style, value = slot.variants[value.variant], value.value
    formula = slot.formula
    if isinstance(value, Formula):
        if formula:
            raise ValueError(f"{slot.where}: the design has a formula there already")
        formula, value = f"<f>{escaped(value.text)}</f>", value.value
    try:
        kind, content = _content(value, bool(formula))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{slot.where}: {error}") from None
    except TypeError as error:
        raise TypeError(f"{slot.where}: {error}") from None
    # As put_text: the prefix keeps Excel from making a formula of it when the cell is entered again.
    quoted = kind == ' t="inlineStr"' and value.startswith(("=", "+", "-", "@"))
    number = style[1] if quoted else style[0]
    attributes = (f' s="{number}"' if number else "") + slot.extra + kind
    inner = formula + content
    return f"{attributes}>{inner}</c>" if inner else f"{attributes}/>"


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
            if (length := len(text.encode("utf-16-le")) // 2) > MAX_TEXT:
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
            try:
                number = float(value)
            except OverflowError:
                raise ValueError("a number that no cell can hold, beyond 1.8E+308") from None
            if not math.isfinite(number):
                raise ValueError(f"a number that no cell can hold: {number}")
            return "", f"<v>{_shortest(number)}</v>"
        case _:
            raise TypeError(f"{value!r} is nothing that a cell can hold: text, number, date, truth value or error")


def _height(value: Any) -> str:
    height = float(value)
    if not 0 <= height <= 409.5:
        raise ValueError(f"a row is 0 to 409.5 points high, not {value}")
    return f' ht="{_shortest(height)}" customHeight="1"'


def _shortest(number: float) -> str:
    return repr(number + 0.0).removesuffix(".0")


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
