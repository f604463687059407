"""The references in a formula: those that follow a table's row, and those that stand for all its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from openpyxl.utils import quote_sheetname

_PART = r"\$?[A-Z]{1,3}\$?[1-9][0-9]{0,6}"
_TOKEN = re.compile(
    r'"(?:[^"]|"")*"'  # a text
    # in another workbook
    r"|(?:'(?:[^'\[]|'')*\[(?:[^']|'')*'|\[[0-9]+\][^'!\[\]]*)!(?:\$?[A-Z]+\$?[0-9]*(?::\$?[A-Z]+\$?[0-9]*)?)?"
    r"|(?P<sheet>(?:'(?:[^']|'')+'|[^\W\d][\w.]*(?::[^\W\d][\w.]*)?)!)?"
    rf"(?P<first>{_PART})(?::(?P<last>{_PART}))?(?![\w(.!\[])"
    r"|\[(?:[^\[\]]|\[[^\[\]]*\])*\]"  # a column of an Excel table
    r"|'(?:[^']|'')*'!"
    r"|[^\W\d][\w.]*!?"  # a name or a function
    r"|[0-9][0-9.]*(?:[Ee][+-]?[0-9]+)?",
    re.IGNORECASE,
)
_TABLE = re.compile(r"[^\W\d][\w.]*")
_SPLIT = re.compile(r"(\$?)([A-Z]{1,3})(\$?)([0-9]+)", re.IGNORECASE)

_BRACKET = re.compile(r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|[\w.]*\(|\)")
# Functions of any number of arguments that are treated alike.
_OF_MANY = re.compile(
    r"AND|AVEDEV|AVERAGE|AVERAGEA|CONCAT|COUNT|COUNTA|DEVSQ|GCD|GEOMEAN|HARMEAN|HSTACK|KURT|LCM|MAX|MAXA"
    r"|MEDIAN|MIN|MINA|MODE|MODE\.MULT|MODE\.SNGL|OR|PRODUCT|SKEW|SKEW\.P|STDEV|STDEV\.P|STDEV\.S|STDEVA|STDEVP"
    r"|STDEVPA|SUBTOTAL|SUM|SUMSQ|TEXTJOIN|VAR|VAR\.P|VAR\.S|VARA|VARP|VARPA|VSTACK|XOR"
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a table stands: its sheet, and the row in the design that is repeated."""

    table: str
    title: str
    row: int


@dataclass(frozen=True, slots=True)
class Area:
    """A range down to the row of a table, which becomes one down to its last row."""

    table: str
    sheet: str
    """The sheet in front, with the exclamation mark, or nothing."""
    first: str
    last: str
    """The last column with its dollar signs, the row left out."""
    alone: bool = False
    """Whether it is the range on its own sheet only, whatever the table takes of further sheets."""


@dataclass(frozen=True, slots=True)
class OwnRow:
    """The number of the row that a formula stands in."""


OWN_ROW = OwnRow()
Piece: TypeAlias = str | Area | OwnRow
Anchors: TypeAlias = Mapping[str, Anchor]
"""By the title of the sheet in small letters."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows that a table takes on one sheet."""

    title: str
    last: int


Layout: TypeAlias = Mapping[str, Sequence[Stretch]]
"""By table: its stretches, the first on the sheet of the design."""


def pieces_of(
    formula: str, title: str, anchors: Anchors, *, row: int | None = None, where: str = "", alone: bool = False
) -> tuple[Piece, ...]:
    """A formula on sheet `title` in pieces; `row` is that of the table if it stands there.

    >>> anchors = {"data": Anchor("steps", "Data", 8)}
    >>> pieces_of("SUM(Data!D8:D8)/2", "Summary", anchors)
    ('SUM(', Area(table='steps', sheet='Data!', first='D8', last='D', alone=False), ')/2')
    >>> pieces_of("D8*$E$3", "Data", anchors, row=8)
    ('D', OwnRow(), '*$E$3')
    """
    pieces: list[Piece] = []
    at = 0
    for token in _TOKEN.finditer(formula):
        first, last = token["first"], token["last"]
        if first is None:
            continue
        named = _title(token["sheet"]) if token["sheet"] else title
        anchor = anchors.get(named.lower())
        replaced: list[Piece] = []
        if last and anchor and _whole(first, last, anchor.row):
            replaced = [Area(anchor.table, token["sheet"] or "", first, _without_row(last), alone)]
        elif row is not None:
            own = anchor is not None and named.lower() == title.lower()
            replaced = [token["sheet"] or "", *_followed(first, row, own, where)]
            if last:
                replaced += [":", *_followed(last, row, own, where)]
        if replaced:
            pieces += [formula[at : token.start()], *replaced]
            at = token.end()
    return merged([*pieces, formula[at:]])


def area_of(reference: str, anchor: Anchor) -> tuple[Piece, ...]:
    """Cells that something applies to, such as a table's ``A7:F8`` or ``F8 H8``; down to the row is to the end."""
    pieces: list[Piece] = []
    for one in reference.split():
        first, _, last = one.partition(":")
        if _row(last or first) == anchor.row and _row(first) <= anchor.row:
            pieces += [" ", Area(anchor.table, "", first, _without_row(last or first), alone=True)]
        else:
            pieces += [" ", one]
    return merged(pieces[1:])


def name_pieces(formula: str, anchors: Anchors, alone: bool, *, cells: bool = False) -> tuple[Piece, ...]:
    """What a defined name stands for, in pieces; here a range from above down to the row counts, too. With `cells`
    a cell of the row does as well, as in a chart, where it is the range of one row.

    >>> name_pieces("Data!$D$8", {"data": Anchor("steps", "Data", 8)}, False, cells=True)
    (Area(table='steps', sheet='Data!', first='$D$8', last='$D$', alone=False),)
    """
    pieces: list[Piece] = []
    at = 0
    for token in _TOKEN.finditer(formula):
        first, last = token["first"], token["last"]
        if cells:
            last = last or first
        anchor = anchors.get(_title(token["sheet"]).lower()) if last and token["sheet"] else None
        if anchor and _row(last) == anchor.row and _row(first) <= anchor.row:
            area = Area(anchor.table, token["sheet"], first, _without_row(last), alone)
            pieces += [formula[at : token.start()], area]
            at = token.end()
    return merged([*pieces, formula[at:]])


def merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same with neighbouring texts as one."""
    done: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and done and isinstance(done[-1], str):
            done[-1] += piece
        elif piece != "":
            done.append(piece)
    return tuple(done)


def resolved(area: Area, layout: Layout, own: Stretch | None = None) -> str:
    """The range that an area is in a workbook; `own` is the stretch on the sheet that it stands on."""
    stretches = layout[area.table]
    if area.alone or len(stretches) == 1:
        stretch = own if own is not None and area.alone else stretches[0]
        sheet = area.sheet
        if sheet and stretch is not stretches[0]:
            sheet = f"{quote_sheetname(stretch.title)}!"
        return f"{sheet}{area.first}:{area.last}{stretch.last}"
    return ",".join(f"{_quoted(each.title)}!{area.first}:{area.last}{each.last}" for each in stretches)


def tables_in(pieces: Iterable[object]) -> set[str]:
    """The tables whose number of rows the pieces hang on."""
    return {piece.table for piece in pieces if isinstance(piece, Area)}


def single_only(pieces: Sequence[Piece]) -> Iterator[tuple[str, str]]:
    """The tables whose rows must stand on one sheet for a formula, and the function that wants them so.

    Over several sheets a range becomes several arguments, which is right only where each is one of many.

    >>> anchors = {"data": Anchor("steps", "Data", 8)}
    >>> list(single_only(pieces_of("SUM(Data!D8:D8)/COUNTIF(Data!A8:A8,1)", "Summary", anchors)))
    [('steps', 'COUNTIF')]
    """
    functions = [""]
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            for one in _BRACKET.findall(piece):
                if one.endswith("("):
                    functions.append(re.sub(r"^(_XLFN\.|_XLWS\.)+", "", one[:-1].upper()))
                elif one == ")" and len(functions) > 1:
                    functions.pop()
        elif isinstance(piece, Area) and not piece.alone:
            whole = re.search(r"[(,]\s*$", _literal(pieces, place - 1)) and re.match(
                r"\s*[),]", _literal(pieces, place + 1)
            )
            if not whole or not _OF_MANY.fullmatch(functions[-1]):
                yield piece.table, functions[-1]


def structured_in(formula: str) -> set[str]:
    """The Excel tables, in small letters, that a formula refers to by their names.

    >>> structured_in('SUM(Steps[Amount])&"Other[x]"')
    {'steps'}
    """
    return {
        token[0].lower()
        for token in _TOKEN.finditer(formula)
        if formula.startswith("[", token.end()) and _TABLE.fullmatch(token[0])
    }


def _literal(pieces: Sequence[Piece], place: int) -> str:
    """The text at a place, if there is one."""
    piece = pieces[place] if 0 <= place < len(pieces) else ""
    return piece if isinstance(piece, str) else ""


def _quoted(title: str) -> str:
    return title if re.fullmatch(r"[^\W\d]\w*", title) and not _looks_like_cell(title) else quote_sheetname(title)


def _looks_like_cell(title: str) -> bool:
    return re.fullmatch(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*([Cc][0-9]*)?|[Cc][0-9]*", title) is not None


def _title(sheet: str) -> str:
    sheet = sheet.removesuffix("!")
    return sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet


def _split(part: str) -> tuple[str, str, str, str]:
    found = _SPLIT.fullmatch(part)
    if found is None:
        raise ValueError(f"{part!r} is no cell such as B5")
    return found[1], found[2], found[3], found[4]


def _row(part: str) -> int:
    return int(_split(part)[3])


def _without_row(part: str) -> str:
    fixed, column, row_fixed, _ = _split(part)
    return f"{fixed}{column}{row_fixed}"


def _whole(first: str, last: str, row: int) -> bool:
    """Whether it is a range from the row to itself, such as D8:D8; $D$8:D8 is a range that grows."""
    return _row(first) == _row(last) == row and _split(first)[2] == _split(last)[2]


def _followed(part: str, row: int, own: bool, where: str) -> list[Piece]:
    """A reference in the repeated row: to its own row it follows, to another it must be fixed."""
    fixed, column, row_fixed, number = _split(part)
    if row_fixed:
        return [part]
    if own and int(number) == row:
        return [f"{fixed}{column}", OWN_ROW]
    raise ValueError(
        f"{where}: {part} in a formula of a repeated row is neither in that row nor fixed:"
        f" write {fixed}{column}${number}"
    )
