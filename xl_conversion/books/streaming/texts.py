"""Parts of a design as text: formulas for a layout, texts with their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from xl_conversion.books.streaming.pieces import AS_OF, Mixed, Put, Told
from xl_conversion.books.streaming.pieces import Formula as FormulaPart
from xl_conversion.books.streaming.references import Area, Layout, OwnRow, Piece, Stretch, resolved, tables_in
from xl_conversion.books.streaming.values import (
    Digits,
    Formula,
    Styled,
    Value,
    clean,
    escaped,
    finite,
    utf16_length,
)
from xl_conversion.core.rounding import exact_text, shown, to_text

Formats: TypeAlias = Mapping[str, Digits]
"""By variant: the decimals that its style shows, where they are fixed."""

_SMALLEST, _LARGEST = 1e-15, 1e21
"""From where to where a number within text is written without an exponent."""


def formula_text(pieces: Iterable[Piece], layout: Layout, own: Stretch | None, row: int = 0) -> str:
    """The inside of the element of a formula."""
    done = []
    for piece in pieces:
        match piece:
            case str():
                done.append(piece)
            case OwnRow():
                done.append(str(row))
            case Area():
                done.append(resolved(piece, layout, own))
    return element("".join(done))


def element(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def told_text(told: Told, values: Mapping[str, Value], formats: Formats) -> str:
    """A text elsewhere than in a cell, as XML."""
    parts = list(told.source.parts)
    for place in range(1, len(parts), 2):
        inside = clean(_inside(parts[place], values, formats))
        parts[place] = inside.replace("&", "&&") if told.header else inside
    text = "".join(parts)
    if told.most and (length := utf16_length(text)) > told.most:
        raise ValueError(f"{told.where}: {length} characters; it can have {told.most}")
    # It may stand in an attribute, within either mark.
    return escaped(text).replace("'", "&apos;").replace("\n", "&#10;")


def mixed_text(mixed: Mixed, values: Mapping[str, Value], formats: Formats) -> str:
    parts = list(mixed.parts)
    parts[1::2] = [_inside(name, values, formats) for name in mixed.names]
    return "".join(parts)


def shown_text(value: Value, formats: Formats) -> str:
    """A value inside other text, as a person writes it; in the decimals of its variant if these are fixed.

    >>> formats = {"money": Digits(2, True)}
    >>> [shown_text(value, formats) for value in (2.0, 1e-07, Fraction(1, 3), Styled(1234.5, "money"), True)]
    ['2', '0.0000001', '0.3333333333...', '1,234.50', 'TRUE']
    """
    digits = None
    if isinstance(value, Styled):
        digits = formats.get(value.variant)
        value = value.value
    if isinstance(value, Formula):
        value = value.value
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() | int() | Fraction() | Decimal():
            return _number_text(value, digits)
    return str(value)


def _inside(name: str, values: Mapping[str, Value], formats: Formats) -> str:
    value = values[name]
    if type(value) is str:  # mostly
        return value
    try:
        return shown_text(value, formats)
    except ValueError as error:
        raise ValueError(f"{{{{{name}}}}} within a text: {error}") from None


def _number_text(value: float | Fraction | Decimal, digits: Digits | None) -> str:
    number = finite(value)
    if number and not _SMALLEST <= abs(number) < _LARGEST:
        return f"{number:.15g}".upper()
    # A double in the 15 digits that Excel shows of it, all others exactly.
    exact = Fraction(f"{value:.15g}" if isinstance(value, float) else value)
    if digits is None:
        return (None if isinstance(value, Fraction) else exact_text(exact)) or shown(exact)
    text = to_text(exact, digits.decimals)
    return f"{Decimal(text):,f}" if digits.thousands else text


def key_of(source: str | Mixed) -> str:
    """The name under which a value is found; a mixed text has its own, which no name can be."""
    return source if isinstance(source, str) else "\0" + "\0".join(source.parts)


def puts_of(parts: Iterable[object]) -> Iterator[Put]:
    return (part for part in parts if isinstance(part, Put))


def names_of(part: object) -> tuple[str, ...]:
    if not isinstance(part, Put | Told):
        return ()
    names = part.source.names if isinstance(part.source, Mixed) else (part.source,)
    return tuple(name for name in names if name != AS_OF)


def tables_of(parts: Iterable[object]) -> set[str]:
    """The tables whose number of rows some parts hang on."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, FormulaPart):
            found |= tables_in(part.pieces)
        elif isinstance(part, Put):
            found |= tables_in(part.formula)
        else:
            found |= tables_in([part])
    return found
