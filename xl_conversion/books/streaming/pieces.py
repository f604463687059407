"""A design in pieces: plain XML, and between it what hangs on values and numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xl_conversion.books.streaming.references import Anchor, Area, OwnRow, Piece
from xl_conversion.books.streaming.values import Digits, escaped

AS_OF = "\0as_of"
"""The name of the day that a workbook is of, which no placeholder can have."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A text with placeholders in it: at odd places are their names."""

    parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts[1::2]


@dataclass(frozen=True, slots=True)
class Put:
    """A cell that takes the value of a name or a mixed text. A formula keeps its place between both parts."""

    source: str | Mixed
    style: int
    extra: str
    tag: str
    """The opening tag of its formula, empty for none."""
    formula: tuple[Piece, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Told:
    """A text elsewhere: in a header or footer, a title, a shape."""

    source: Mixed
    header: bool
    where: str
    most: int = 0
    """The characters that it can have; 0 for any number."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What is in the element of a formula, which goes through XML's escaping when it is complete."""

    pieces: tuple[Piece, ...]
    where: str = ""
    """Its cell; nothing for one that stands elsewhere."""


@dataclass(frozen=True, slots=True)
class Merges:
    """The merged cells of a sheet: those of its head, and the columns of those in the row."""

    head: tuple[str, ...]
    row: tuple[tuple[str, str], ...]


Part: TypeAlias = str | Area | OwnRow | Put | Told | Formula | Merges
RowPart: TypeAlias = str | OwnRow | Put | Formula


@dataclass(slots=True)
class Sheet:
    """A worksheet in pieces: up to the row that is repeated, this row, and what follows all rows."""

    title: str
    name: str
    relation: str
    anchor: Anchor | None = None
    head: list[Part] = field(default_factory=list)
    row_tag: tuple[str, str, str] = ("", "", "")
    """The tag of the row up to its number, its other attributes, its height."""
    row: list[RowPart] = field(default_factory=list)
    blank: list[str | OwnRow] = field(default_factory=list)
    """The row without values."""
    tail: list[Part] = field(default_factory=list)
    changed: bool = False
    tables: list[str] = field(default_factory=list)
    """The parts of its Excel tables."""


@dataclass(slots=True)
class Name:
    """A defined name: its attributes without the sheet, the number of the sheet or None, what it stands for."""

    attributes: str
    sheet: int | None
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Design:
    """All that a plan is made of."""

    parts: dict[str, bytes]
    """Parts that no value touches."""
    sheets: list[Sheet]
    texts: dict[str, list[Part]]
    """Other parts with placeholders or ranges."""
    workbook: str
    before: str
    """The workbook part up to its sheets, between those and the names, and the rest."""
    between: str
    after: str
    entries: list[dict[str, str]]
    """The attributes of the sheets in the workbook part."""
    names: list[Name]
    anchors: dict[str, Anchor]
    twins: dict[int, int]
    """By style: the same with the quote prefix."""
    variants: dict[str, tuple[int, int]]
    formats: dict[str, Digits]
    """By variant: the decimals that its style shows, where they are fixed."""
    single_only: list[tuple[str, str, str, str]]
    """What cannot take the rows of a table from several sheets: where it is, the table, what it is, what to do."""


def joined(parts: Sequence[Part]) -> list[Part]:
    """The same with neighbouring texts as one."""
    done: list[Part] = []
    for part in parts:
        if isinstance(part, str) and done and isinstance(done[-1], str):
            done[-1] += part
        elif part != "":
            done.append(part)
    return done


def plain(pieces: Sequence[Piece]) -> str:
    """A formula that hangs on nothing, as XML."""
    return escaped("".join(piece for piece in pieces if isinstance(piece, str))).replace("&quot;", '"')
