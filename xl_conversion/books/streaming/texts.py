"""Parts of a design as text: formulas for a layout, texts with their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from xl_conversion.books.streaming.design import AS_OF, Formula, Mixed, Put, Told
from xl_conversion.books.streaming.references import Area, Layout, OwnRow, Piece, Stretch, resolved, tables_in
from xl_conversion.books.streaming.values import Value, clean, escaped, shown_text

_MAX_HEADER = 255


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


def told_text(told: Told, values: Mapping[str, Value]) -> str:
    """A text elsewhere than in a cell, as XML."""
    parts = list(told.source.parts)
    for place in range(1, len(parts), 2):
        shown = clean(shown_text(values[parts[place]]))
        parts[place] = shown.replace("&", "&&") if told.header else shown
    text = "".join(parts)
    if told.header and len(text) > _MAX_HEADER:
        raise ValueError(f"{told.where}: {len(text)} characters; it can have {_MAX_HEADER}")
    return escaped(text)


def mixed_text(mixed: Mixed, values: Mapping[str, Value]) -> str:
    parts = list(mixed.parts)
    parts[1::2] = [shown_text(values[name]) for name in mixed.names]
    return "".join(parts)


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
        if isinstance(part, Formula):
            found |= tables_in(part.pieces)
        elif isinstance(part, Put):
            found |= tables_in(part.formula)
        else:
            found |= tables_in([part])
    return found
