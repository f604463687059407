"""A design read: which cells, texts and ranges of its parts hang on values, as pieces between plain XML."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.sax import SAXParseException  # the class only; parsing is left to defusedxml
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parseString
from openpyxl.formula.translate import Translator

from xl_conversion.books.saving import CellKey
from xl_conversion.books.streaming.references import (
    Anchor,
    Area,
    OwnRow,
    Piece,
    area_of,
    name_pieces,
    pieces_of,
)
from xl_conversion.books.streaming.values import escaped
from xl_conversion.books.streaming.zipping import unpacked

STYLES_TITLE = "{{styles}}"
AS_OF = "\0as_of"
"""The name of the day that a workbook is of, which no placeholder can have."""
CONTENT_TYPES = "[Content_Types].xml"
CORE = "docProps/core.xml"
APPLICATION = "docProps/app.xml"

_PLACEHOLDER = re.compile(r"\{\{ *([^\W\d]\w*(?:\.[^\W\d]\w*)?) *\}\}")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROW = re.compile(r"<row\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?:/>|>(.*?)</row>)", re.DOTALL)
_CELL = re.compile(r"<c\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_FORMULA = re.compile(r"<f\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?:/>|>(.*?)</f>)", re.DOTALL)
_VALUE = re.compile(r"<v\b[^>]*?(?:/>|>(.*?)</v>)", re.DOTALL)
_ITEM = re.compile(r"<si\b[^>]*?(?:/>|>(.*?)</si>)", re.DOTALL)
_TEXT = re.compile(r"<t\b[^>]*?(?:/>|>(.*?)</t>)", re.DOTALL)
_PHONETIC = re.compile(r"<rPh\b.*?</rPh>", re.DOTALL)
_DATA = re.compile(r"<sheetData\b[^>]*?(?:/>|>(.*?)</sheetData>)", re.DOTALL)
_DIMENSION = re.compile(r"<dimension\b[^>]*?(?:/>|></dimension>)")
_MERGES = re.compile(r"<mergeCells\b[^>]*>(.*?)</mergeCells>", re.DOTALL)
_MERGE = re.compile(r"<mergeCell\b[^>]*?\bref=[\"']([^\"']*)[\"'][^>]*?(?:/>|></mergeCell>)")
# What in the rest of a sheet hangs on rows: where things apply, their formulas, headers and footers.
_TAIL = re.compile(
    r"(?P<where>\b(?:sqref|ref)=(?P<quote>[\"']))(?P<cells>[^\"']*)(?P=quote)"
    r"|(?P<open><(?P<tag>formula|formula1|formula2|xm:f|xm:sqref|oddHeader|oddFooter|evenHeader|evenFooter"
    r"|firstHeader|firstFooter)\b[^>]*(?<!/)>)(?P<inside>.*?)(?P<close></(?P=tag)>)",
    re.DOTALL,
)
_CHART_FORMULA = re.compile(r"(<c:f\b[^>]*>)(.*?)(</c:f>)", re.DOTALL)
_XF = re.compile(r"<xf\b(?:[^>]*?/>|[^>]*>.*?</xf>)", re.DOTALL)
_FONT_SIZE = re.compile(r"&[0-9]+$")
_ENTITY = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NOT_TEXT = re.compile(r"\[Content_Types\]\.xml|.*\.rels|xl/(workbook|styles|sharedStrings|theme/.*)\.xml")


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


def read_design(data: bytes, cached: Mapping[CellKey, str], *, keep_values: bool = True) -> Design:
    """The design in pieces. ValueError says what is wrong, and where."""
    parts = unpacked(data)
    _checked(parts)
    return _Reader(parts, dict(cached), keep_values).read()


class _Reader:
    def __init__(self, parts: dict[str, bytes], cached: dict[CellKey, str], keep_values: bool) -> None:
        self.parts = parts
        self.keep_values = keep_values
        self.cached = cached
        self.anchors: dict[str, Anchor] = {}
        self.texts: dict[str, list[Part]] = {}

    def read(self) -> Design:
        workbook = self._workbook_part()
        xml = self._text(workbook)
        if re.search(r"<workbookPr\b[^>]*\bdate1904=[\"'](1|true)", xml):
            raise ValueError("the design counts its dates from 1904: clear that option of the workbook")
        relations = self._relations(workbook)
        inside = _between(xml, "sheets", workbook)
        entries = [attributes(tag) for tag in re.findall(r"<sheet\b[^>]*>", xml[inside[0] : inside[1]])]
        self.shared = self._shared_strings(relations)
        sheets: list[Sheet] = []
        dropped: int | None = None
        variants: dict[str, int] = {}
        for number, entry in enumerate(entries):
            relation = next((value for key, value in entry.items() if key.endswith(":id")), "")
            kind, target = relations.get(relation, ("", ""))
            if entry.get("name") == STYLES_TITLE:
                variants = self._variants(target)
                dropped = number
                self._drop(workbook, relation, target)
                continue
            sheet = Sheet(entry["name"], target if kind.endswith("/worksheet") else "", relation)
            sheets.append(sheet)
        if dropped is not None:
            del entries[dropped]
        for relation, (kind, target) in relations.items():
            if kind.endswith("/calcChain"):  # it lists formula cells; a host makes it anew
                self._drop(workbook, relation, target)
        data = {sheet.title: self._rows(sheet) for sheet in sheets if sheet.name}
        for sheet in sheets:
            if sheet.name:
                self._find_table(sheet, data[sheet.title][1])
        for sheet in sheets:
            if sheet.name:
                self._sheet(sheet, *data[sheet.title])
        if self.cached:
            title, cell = next(iter(self.cached))
            raise ValueError(f"{title}!{cell} is to have a cached value, but the design has no formula there")
        names, around = self._names(xml, inside[1], dropped, len(sheets) + (dropped is not None))
        before, between, after = xml[: inside[0]], xml[inside[1] : around[0]], xml[around[1] :]
        if dropped is not None:
            before = _without_sheet(before, dropped)
            if APPLICATION in self.parts:
                self.parts[APPLICATION] = without_titles(self._text(APPLICATION)).encode()
        between, after = _recalculating(between, after)
        self._others(workbook)
        styles = self._styles_part(relations)
        twins = self._twins(styles, sheets, variants)
        for sheet in sheets:
            if sheet.changed:
                del self.parts[sheet.name]
        del self.parts[workbook]
        return Design(
            parts=self.parts,
            sheets=sheets,
            texts=self.texts,
            workbook=workbook,
            before=before,
            between=between,
            after=after,
            entries=entries,
            names=names,
            anchors={anchor.table: anchor for anchor in self.anchors.values()},
            twins=twins,
            variants={name: (style, twins[style]) for name, style in variants.items()},
        )

    # Parts and their relations

    def _text(self, name: str) -> str:
        try:
            return self.parts[name].decode().removeprefix("\ufeff")
        except KeyError:
            raise ValueError(f"the design is damaged: the part {name} is missing") from None
        except UnicodeDecodeError:
            raise ValueError(f"the design's part {name} is not in UTF-8: save it again in Excel") from None

    def _workbook_part(self) -> str:
        for kind, target in self._relations("").values():
            if kind.endswith("/officeDocument"):
                return target
        raise ValueError("the design is no Excel workbook: it names no workbook part")

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """By its number: the kind of a relation and the part that it leads to."""
        name = relations_name(part)
        if name not in self.parts:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for tag in re.findall(r"<Relationship\b[^>]*>", self._text(name)):
            relation = attributes(tag)
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), relation["Target"]))
                found[relation["Id"]] = relation["Type"], target.lstrip("/")
        return found

    def _drop(self, owner: str, relation: str, part: str) -> None:
        """Leave out a part, its relations and every mention of it."""
        self.parts.pop(part, None)
        self.parts.pop(relations_name(part), None)
        name = relations_name(owner)
        found = rf"<Relationship\b(?=[^>]*\bId=[\"']{re.escape(relation)}[\"'])[^>]*?(?:/>|></Relationship>)"
        self.parts[name] = re.sub(found, "", self._text(name)).encode()
        found = rf"<Override\b(?=[^>]*\bPartName=[\"']/{re.escape(part)}[\"'])[^>]*?(?:/>|></Override>)"
        self.parts[CONTENT_TYPES] = re.sub(found, "", self._text(CONTENT_TYPES)).encode()

    def _shared_strings(self, relations: Mapping[str, tuple[str, str]]) -> list[str]:
        """The shared strings; those with placeholders are emptied, since their cells get texts of their own."""
        for kind, target in relations.values():
            if kind.endswith("/sharedStrings"):
                xml = self._text(target)
                items = [_inner_text(item[1] or "") for item in _ITEM.finditer(xml)]
                if any("{{" in item for item in items):
                    self.parts[target] = _ITEM.sub(
                        lambda item: "<si><t></t></si>" if "{{" in _inner_text(item[1] or "") else item[0], xml
                    ).encode()
                return items
        return []

    def _styles_part(self, relations: Mapping[str, tuple[str, str]]) -> str:
        for kind, target in relations.values():
            if kind.endswith("/styles"):
                return target
        raise ValueError("the design has no styles: save it again in Excel")

    def _twins(self, part: str, sheets: Sequence[Sheet], variants: Mapping[str, int]) -> dict[int, int]:
        """For each style that a value is put in: the same with the quote prefix, added if it is not there."""
        used = {
            piece.style
            for sheet in sheets
            for piece in (*sheet.head, *sheet.row)
            if isinstance(piece, Put) and not piece.tag
        } | set(variants.values())
        xml = self._text(part)
        start, end = _between(xml, "cellXfs", part)
        styles = _XF.findall(xml[start:end])
        twins: dict[int, int] = {}
        added: list[str] = []
        for style in sorted(used):
            if style >= len(styles):
                raise ValueError(f"the design is damaged: it has no style {style}")
            tag = styles[style]
            if re.match(r"<xf\b[^>]*\bquotePrefix=[\"'](1|true)", tag):
                twins[style] = style
                continue
            head, close, rest = tag.partition(">")
            bare = re.sub(r"\s+quotePrefix=[\"'][^\"']*[\"']", "", head)
            added.append(bare.replace("<xf", '<xf quotePrefix="1"', 1) + close + rest)
            twins[style] = len(styles) + len(added) - 1
        # For cached values, which have no use for a quote prefix.
        for sheet in sheets:
            for piece in (*sheet.head, *sheet.row):
                if isinstance(piece, Put):
                    twins.setdefault(piece.style, piece.style)
        if added:
            opening = re.sub(r"\s+count=[\"'][^\"']*[\"']", "", xml[xml.rindex("<", 0, start) : start - 1])
            opening += f' count="{len(styles) + len(added)}">'
            begin = xml.rindex("<", 0, start)
            self.parts[part] = (xml[:begin] + opening + xml[start:end] + "".join(added) + xml[end:]).encode()
        return twins

    def _variants(self, part: str) -> dict[str, int]:
        """The styles of the sheet that holds nothing but the names of variants."""
        found: dict[str, int] = {}
        data = _DATA.search(self._text(part))
        for _, inside in _rows_of(data[1] or "" if data else ""):
            for cell, content in _cells_of(inside):
                text = self._cell_text(cell, content)
                if text:
                    if text in found:
                        raise ValueError(f"the sheet {STYLES_TITLE} names the style {text!r} twice")
                    found[text] = int(cell.get("s", "0"))
        return found

    # Worksheets

    def _rows(self, sheet: Sheet) -> tuple[str, list[tuple[dict[str, str], str]], str]:
        """A worksheet up to its rows, its rows with the attributes of each, and what follows."""
        xml = self._text(sheet.name)
        if not re.search(r"<worksheet\b", xml):
            raise ValueError(f"sheet {sheet.title!r} is written in an unusual form: save it again in Excel")
        data = _DATA.search(xml)
        if data is None:
            raise ValueError(f"sheet {sheet.title!r} of the design has no rows")
        inside = data[1] or ""
        if re.search(r"<!--|<!\[CDATA\[", xml):
            raise ValueError(f"sheet {sheet.title!r} holds comments in its XML: save it again in Excel")
        rows = list(_rows_of(inside))
        if len(rows) != len(re.findall(r"<row\b", inside)):
            raise ValueError(f"sheet {sheet.title!r} is written in an unusual form: save it again in Excel")
        at = 0
        for row, _ in rows:  # the number may be left out
            at = int(row.get("r", at + 1))
            row["r"] = str(at)
        return xml[: data.start()], rows, xml[data.end() :]

    def _find_table(self, sheet: Sheet, rows: Sequence[tuple[dict[str, str], str]]) -> None:
        for row, inside in rows:
            tables = {}
            for cell, content in _cells_of(inside):
                if _is_text(cell):
                    for name in _names_in(self._cell_text(cell, content)):
                        if "." in name:
                            tables[name.partition(".")[0]] = cell["r"]
            for table, where in tables.items():
                place = f"{sheet.title}!{where}"
                if sheet.anchor is not None:
                    raise ValueError(
                        f"{place}: a sheet has one row that is repeated, and {sheet.title!r} has row"
                        f" {sheet.anchor.row} of the table {sheet.anchor.table!r} already"
                    )
                if other := next((each for each in self.anchors.values() if each.table == table), None):
                    raise ValueError(f"{place}: the table {table!r} stands on the sheet {other.title!r} already")
                sheet.anchor = Anchor(table, sheet.title, int(row["r"]))
                self.anchors[sheet.title.lower()] = sheet.anchor

    def _sheet(self, sheet: Sheet, before: str, rows: Sequence[tuple[dict[str, str], str]], after: str) -> None:
        anchor = sheet.anchor
        shared: dict[str, tuple[str, str]] = {}
        head: list[Part] = []
        for row, inside in rows:
            number = int(row["r"])
            tag = "".join(f' {key}="{value}"' for key, value in row.items() if key != "r")
            if anchor and number > anchor.row:
                for cell, content in _cells_of(inside):
                    if content:
                        raise ValueError(
                            f"sheet {sheet.title!r}: {cell['r']} stands below row {anchor.row}, which is"
                            f" repeated for the table {anchor.table!r}: nothing may stand below it"
                        )
                continue
            repeated = anchor is not None and number == anchor.row
            into: list[Part] = []
            for cell, content in _cells_of(inside):
                into += self._cell(sheet, cell, content, shared, repeated)
            if not repeated:
                head += [f'<row r="{number}"{tag}>', *into, "</row>"]
                continue
            height = "".join(f' {key}="{row.pop(key)}"' for key in ("ht", "customHeight") if key in row)
            others = "".join(f' {key}="{value}"' for key, value in row.items() if key != "r")
            sheet.row_tag = '<row r="', f'"{others}', height
            sheet.row = [part for part in into if isinstance(part, str | OwnRow | Put | Formula)]
            for cell, _ in _cells_of(inside):
                column = cell["r"].rstrip("0123456789")
                style = f' s="{cell["s"]}"' if "s" in cell else ""
                sheet.blank += [f'<c r="{column}', OwnRow(), f'"{style}/>']
        sheet.changed = anchor is not None or any(isinstance(part, Put | Formula) for part in head)
        tail = self._tail(sheet, after)
        sheet.changed = sheet.changed or any(not isinstance(part, str) for part in tail)
        sheet.tables = [target for kind, target in self._relations(sheet.name).values() if kind.endswith("/table")]
        if anchor:
            before = _DIMENSION.sub("", before)
            for name in sheet.tables:
                self.texts[name] = [
                    part for part in self._applied(sheet, self._text(name)) if isinstance(part, str | Area)
                ]
                del self.parts[name]
        sheet.head = _joined([f"{before}<sheetData>", *head])
        sheet.tail = _joined(["</sheetData>", *tail])

    def _cell(
        self, sheet: Sheet, cell: dict[str, str], content: str, shared: dict[str, tuple[str, str]], repeated: bool
    ) -> list[Part]:
        """A cell in pieces."""
        reference = cell["r"]
        column = reference.rstrip("0123456789")
        where = f"{sheet.title}!{reference}"
        start: list[Part] = [f'<c r="{column}', OwnRow(), '"'] if repeated else [f'<c r="{reference}"']
        extra = "".join(f' {key}="{value}"' for key, value in cell.items() if key not in ("r", "s", "t", "vm"))
        style = int(cell.get("s", "0"))
        shown = f' s="{style}"' if style else ""
        formula = _FORMULA.search(content)
        if formula is None:
            text = self._cell_text(cell, content) if _is_text(cell) else ""
            if "{{" not in text:
                kind = f' t="{cell["t"]}"' if "t" in cell else ""
                return [*start, f"{shown}{extra}{kind}>{content}</c>" if content else f"{shown}{extra}/>"]
            source = self._source(text, where, repeated)
            return [*start, Put(source, style, extra, "", (), where)]
        tag, text = attributes(formula[1]), unescaped(formula[2] or "")
        if "{{" in text:
            raise ValueError(f"{where}: a placeholder within a formula; put it in a cell of its own")
        if tag.get("t") == "shared":
            if text:
                shared[tag["si"]] = reference, text
            else:
                origin, master = shared.get(tag["si"], ("", ""))
                if not origin:
                    raise ValueError(f"{where}: the design is damaged: a shared formula without its origin")
                translated: str = Translator(f"={master}", origin).translate_formula(reference)
                text = translated[1:]
            tag = {key: value for key, value in tag.items() if key not in ("t", "si", "ref")}
        if repeated and tag.get("t") in ("array", "dataTable"):
            raise ValueError(f"{where}: an array formula cannot be repeated")
        row = sheet.anchor.row if repeated and sheet.anchor else None
        pieces = pieces_of(text, sheet.title, self.anchors, row=row, where=where)
        opening = "<f" + "".join(f' {key}="{value}"' for key, value in tag.items()) + ">"
        name = self.cached.pop((sheet.title, reference), None)
        if name is not None:
            source = self._source(f"{{{{{name}}}}}", where, repeated)
            return [*start, Put(source, style, extra, opening, pieces, where)]
        value = _VALUE.search(content)
        kept = self.keep_values and value is not None and bool(value[1]) and not repeated
        kind = f' t="{cell["t"]}"' if kept and "t" in cell else ""
        last = value[0] if kept and value else ""
        inner: Part = Formula(pieces, where)
        if all(isinstance(piece, str) for piece in pieces):
            inner = _plain(pieces)
        return [*start, f"{shown}{extra}{kind}>{opening}", inner, f"</f>{last}</c>"]

    def _source(self, text: str, where: str, repeated: bool) -> str | Mixed:
        """What a text with placeholders takes: one value as it is, or a text."""
        whole = _PLACEHOLDER.fullmatch(text.strip(" "))
        source: str | Mixed = whole[1] if whole else _mixed(text, where)
        for name in source.names if isinstance(source, Mixed) else (source,):
            if "." in name and not repeated:
                raise ValueError(f"{where}: {name!r} is a column of a table, outside of the row that is repeated")
        return source

    def _cell_text(self, cell: Mapping[str, str], content: str) -> str:
        if cell.get("t") == "s":
            value = _VALUE.search(content)
            number = int(value[1]) if value and value[1] else -1
            return self.shared[number] if 0 <= number < len(self.shared) else ""
        if cell.get("t") == "inlineStr":
            return _inner_text(content)
        value = _VALUE.search(content)
        return unescaped(value[1] or "") if cell.get("t") == "str" and value else ""

    def _tail(self, sheet: Sheet, after: str) -> list[Part]:
        """What follows the rows, in pieces."""
        found = _MERGES.search(after)
        anchor = sheet.anchor
        if found is None or anchor is None:
            return self._applied(sheet, after)
        head, row = [], []
        for reference in _MERGE.findall(found[1]):
            first, _, last = reference.partition(":")
            top, bottom = (int(re.sub(r"[^0-9]", "", one)) for one in (first, last or first))
            if bottom < anchor.row:
                head.append(reference)
            elif top == bottom == anchor.row:
                row.append((re.sub(r"[0-9$]", "", first), re.sub(r"[0-9$]", "", last)))
            else:
                raise ValueError(
                    f"sheet {sheet.title!r}: the merged cells {reference} reach across row {anchor.row}, which is"
                    f" repeated for the table {anchor.table!r}"
                )
        if not row:
            return self._applied(sheet, after)
        return [
            *self._applied(sheet, after[: found.start()]),
            Merges(tuple(head), tuple(row)),
            *self._applied(sheet, after[found.end() :]),
        ]

    def _applied(self, sheet: Sheet, xml: str) -> list[Part]:
        """XML outside of the cells of a sheet, in pieces."""
        done: list[Part] = []
        at = 0
        for match in _TAIL.finditer(xml):
            done += self._told(xml[at : match.start()], sheet.title)
            at = match.end()
            anchor = sheet.anchor
            if match["where"]:
                done.append(match["where"])
                done += area_of(match["cells"], anchor) if anchor else (match["cells"],)
                done.append(match["quote"])
            elif match["tag"] == "xm:sqref":
                inside = area_of(match["inside"], anchor) if anchor else (match["inside"],)
                done += [match["open"], *inside, match["close"]]
            elif match["tag"].endswith(("Header", "Footer")):
                done.append(match["open"])
                done += self._told(match["inside"], sheet.title, header=True)
                done.append(match["close"])
            else:
                if "{{" in match["inside"]:
                    raise ValueError(f"sheet {sheet.title!r}: a placeholder within a formula of a rule")
                text = unescaped(match["inside"])
                pieces = pieces_of(text, sheet.title, self.anchors, alone=True)
                plain = all(isinstance(piece, str) for piece in pieces)
                done += [match["open"], match["inside"] if plain else Formula(pieces), match["close"]]
        return [*done, *self._told(xml[at:], sheet.title)]

    def _told(self, xml: str, where: str, header: bool = False) -> list[Part]:
        """XML with placeholders among its texts, in pieces. A header is one piece, as its length is bounded."""
        if not _PLACEHOLDER.search(xml):
            return [xml] if xml else []
        where = f"a header or footer of {where!r}" if header else f"a text of {where!r}"
        if header:
            source = _mixed(unescaped(xml), where)
            if any(_FONT_SIZE.search(literal) for literal in source.parts[0:-1:2]):
                raise ValueError(f"{where}: put a blank between the size of the font and the placeholder")
            parts: list[Part] = [Told(source, True, where)]
        else:
            pieces = _PLACEHOLDER.split(xml)
            parts = [
                Told(Mixed(("", piece, "")), False, where) if number % 2 else piece
                for number, piece in enumerate(pieces)
                if piece
            ]
        for part in parts:
            if isinstance(part, Told) and any("." in name for name in part.source.names):
                raise ValueError(f"{where}: a column of a table, outside of the row that is repeated")
        return parts

    # The rest of the workbook

    def _names(self, xml: str, start: int, dropped: int | None, count: int) -> tuple[list[Name], tuple[int, int]]:
        """The defined names, and from where to where they stand."""
        found = re.compile(r"<definedNames\b[^>]*>(.*?)</definedNames>", re.DOTALL).search(xml, start)
        if found is None:
            place = xml.index("</sheets>") + len("</sheets>")
            for tag in ("</functionGroups>", "</externalReferences>"):
                if (end := xml.find(tag)) >= 0:
                    place = end + len(tag)
            return [], (place, place)
        names = []
        for match in re.finditer(r"<definedName\b([^>]*)>(.*?)</definedName>", found[1], re.DOTALL):
            given = attributes(match[1])
            sheet = int(given.pop("localSheetId")) if "localSheetId" in given else None
            if sheet is not None and dropped is not None:
                if sheet == dropped:
                    continue
                sheet -= sheet > dropped
            alone = given.get("name", "").startswith("_xlnm.")
            tag = "".join(f' {key}="{value}"' for key, value in given.items())
            names.append(Name(tag, sheet, name_pieces(unescaped(match[2]), self.anchors, alone)))
        return names, found.span()

    def _others(self, workbook: str) -> None:
        """Texts with placeholders, and ranges of charts, in all other parts."""
        sheets = {name for name in self.parts if name.startswith("xl/worksheets/")}
        for name, content in list(self.parts.items()):
            known = name in sheets or name == workbook or _NOT_TEXT.fullmatch(name) is not None
            if known or not name.lower().endswith((".xml", ".vml")):
                continue
            chart = bool(self.anchors) and b"<c:f" in content
            if b"{{" not in content and not chart and name != CORE:
                continue
            parts: list[Part] = []
            at = 0
            xml = self._text(name)
            for match in _CHART_FORMULA.finditer(xml) if chart else ():
                pieces = name_pieces(unescaped(match[2]), self.anchors, False)
                if any(isinstance(piece, Area) for piece in pieces):
                    parts += [*self._told(xml[at : match.start()], name), match[1], Formula(pieces), match[3]]
                    at = match.end()
            parts += self._told(xml[at:], name)
            if name == CORE:
                parts = [piece for part in parts for piece in _dated(part)]
            if name == CORE or any(not isinstance(part, str) for part in parts):
                self.texts[name] = _joined(parts)
                del self.parts[name]


def attributes(tag: str) -> dict[str, str]:
    """The attributes of a tag, those of its names still escaped except for `name`."""
    found = {name: one or other for name, one, other in _ATTRIBUTE.findall(tag)}
    if "name" in found:
        found["name"] = unescaped(found["name"])
    return {key: value.replace('"', "&quot;") if key != "name" else value for key, value in found.items()}


def relations_name(part: str) -> str:
    """The part that holds the relations of another, or of the whole file."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def without_titles(application: str) -> str:
    """The properties of the application without its list of sheets, which nothing reads."""
    return re.sub(r"<(HeadingPairs|TitlesOfParts)\b.*?</\1>", "", application, flags=re.DOTALL)


def unescaped(text: str) -> str:
    """The text that XML stands for."""

    def one(match: re.Match[str]) -> str:
        if match[3]:
            return _ENTITIES[match[3]]
        return chr(int(match[1], 16) if match[1] else int(match[2]))

    return _ENTITY.sub(one, text) if "&" in text else text


def _checked(parts: Mapping[str, bytes]) -> None:
    """Refuse what no design may hold: macros, XML that is damaged or an attack, other encodings."""
    if CONTENT_TYPES not in parts:
        raise ValueError("the design is no Excel workbook: its list of contents is missing")
    for name, content in parts.items():
        if name.lower().endswith("vbaproject.bin"):
            raise ValueError("the design holds macros: save it as .xlsx")
        if name.lower().endswith((".xml", ".rels", ".vml")):
            try:
                parseString(content, ContentHandler())
            except (SAXParseException, DefusedXmlException) as error:
                raise ValueError(f"the design's part {name} is damaged: {error}") from None
    if b"macroEnabled" in parts[CONTENT_TYPES]:
        raise ValueError("the design is a macro workbook: save it as .xlsx")


def _rows_of(inside: str) -> Iterator[tuple[dict[str, str], str]]:
    for match in _ROW.finditer(inside):
        yield attributes(match[1]), match[2] or ""


def _cells_of(inside: str) -> Iterator[tuple[dict[str, str], str]]:
    for match in _CELL.finditer(inside):
        cell = attributes(match[1])
        if "r" not in cell:
            raise ValueError("a cell of the design does not say where it stands: save it again in Excel")
        yield cell, match[2] or ""


def _is_text(cell: Mapping[str, str]) -> bool:
    return cell.get("t") in ("s", "inlineStr", "str")


def _names_in(text: str) -> list[str]:
    return _PLACEHOLDER.findall(text) if "{{" in text else []


def _mixed(text: str, where: str) -> Mixed:
    parts = _PLACEHOLDER.split(text)
    for literal in parts[::2]:
        if "{{" in literal or "}}" in literal:
            raise ValueError(f"{where}: {literal.strip()!r} is no placeholder such as {{{{name}}}}")
    return Mixed(tuple(parts))


def _inner_text(xml: str) -> str:
    """The text of a string, its phonetic guide left out."""
    return unescaped("".join(text or "" for text in _TEXT.findall(_PHONETIC.sub("", xml))))


def _dated(part: Part) -> list[Part]:
    """Properties of the document in pieces, with a place for the day that it is of."""
    if not isinstance(part, str):
        return [part]
    pieces = re.split(r"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*", part)
    done: list[Part] = [pieces[0]]
    for tag, rest in zip(pieces[1::2], pieces[2::2], strict=True):
        done += [tag, Told(Mixed(("", AS_OF, "")), False, CORE), rest]
    return done


def _plain(pieces: Sequence[Piece]) -> str:
    return escaped("".join(piece for piece in pieces if isinstance(piece, str))).replace("&quot;", '"')


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The same with neighbouring texts as one."""
    done: list[Part] = []
    for part in parts:
        if isinstance(part, str) and done and isinstance(done[-1], str):
            done[-1] += part
        elif part != "":
            done.append(part)
    return done


def _between(xml: str, tag: str, part: str) -> tuple[int, int]:
    """From where to where the inside of an element goes."""
    start = re.search(rf"<{tag}\b[^>]*(?<!/)>", xml)
    end = xml.find(f"</{tag}>", start.end() if start else 0)
    if start is None or end < 0:
        raise ValueError(f"the design's part {part} is written in an unusual form: save it again in Excel")
    return start.end(), end


def _without_sheet(before: str, dropped: int) -> str:
    """The views of the workbook as they are when one sheet is missing."""

    def lower(match: re.Match[str]) -> str:
        number = int(match[2])
        return f'{match[1]}"{max(0, number - (number >= dropped and number > 0))}"'

    return re.sub(r"\b((?:activeTab|firstSheet)=)[\"']([0-9]+)[\"']", lower, before)


def _recalculating(between: str, after: str) -> tuple[str, str]:
    """What follows the sheets and the names, in which the host is told to calculate on opening."""
    match = re.search(r"<calcPr\b[^>]*", after)
    if match is None:
        return between, '<calcPr fullCalcOnLoad="1"/>' + after
    tag = re.sub(r"\s+fullCalcOnLoad=[\"'][^\"']*[\"']", "", match[0])
    tag = tag.replace("<calcPr", '<calcPr fullCalcOnLoad="1"', 1)
    return between, after[: match.start()] + tag + after[match.end() :]
