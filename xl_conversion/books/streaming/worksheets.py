"""Worksheets of a design read: rows, cells and what applies to them, in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from openpyxl.formula.translate import Translator
from openpyxl.utils import quote_sheetname

from xl_conversion.books.saving import CellKey
from xl_conversion.books.streaming.package import Package, attributes, relations_name, unescaped
from xl_conversion.books.streaming.pieces import Formula, Merges, Part, Put, Sheet, joined, plain
from xl_conversion.books.streaming.placeholders import (
    STYLES_TITLE,
    names_in,
    nothing_left,
    nothing_refers_to_styles,
    source_of,
    told,
)
from xl_conversion.books.streaming.references import Anchor, Area, OwnRow, area_of, pieces_of, structured_in

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
# What in the rest of a sheet hangs on rows: where things apply, their formulas; and texts of bounded length.
_TAIL = re.compile(
    r"(?P<where>\b(?:sqref|ref)=(?P<quote>[\"']))(?P<cells>[^\"']*)(?P=quote)"
    r"|(?P<open><(?P<tag>formula|formula1|formula2|xm:f|xm:sqref|oddHeader|oddFooter|evenHeader|evenFooter"
    r"|firstHeader|firstFooter)\b[^>]*(?<!/)>)(?P<inside>.*?)(?P<close></(?P=tag)>)"
    r"|(?P<says>\b(?P<attribute>promptTitle|prompt|errorTitle|error|tooltip)=)"
    r"(?P<mark>[\"'])(?P<said>(?:(?!(?P=mark)).)*)(?P=mark)",
    re.DOTALL,
)
_MOST = {"promptTitle": 32, "errorTitle": 32, "prompt": 255, "error": 255, "tooltip": 255}
_MAX_HEADER = 255
_COLUMN_FORMULA = re.compile(r"<calculatedColumnFormula\b[^>]*(?<!/)>(.*?)</calculatedColumnFormula>", re.DOTALL)


class Worksheets:
    """The worksheets of a design, which refer to each other's rows."""

    def __init__(self, package: Package, workbook: str, cached: dict[CellKey, str], keep_values: bool) -> None:
        """What has been found of `cached` is taken out of it."""
        self.package, self.cached, self.keep_values = package, cached, keep_values
        self.anchors: dict[str, Anchor] = {}
        """By the title of the sheet in small letters."""
        self.excel: dict[str, tuple[str, Anchor]] = {}
        """The Excel tables over rows that are repeated, by their names in small letters."""
        self.single_only: list[tuple[str, str, str, str]] = []
        self.tables: dict[str, list[Part]] = {}
        """The parts of Excel tables that rows make longer."""
        self.shared = self._shared_strings(workbook)

    def read(self, sheets: Sequence[Sheet]) -> None:
        """Put into the sheets what they consist of."""
        data = {sheet.title: self._rows(sheet) for sheet in sheets}
        for sheet in sheets:
            self._find_table(sheet, data[sheet.title][1])
            self._find_excel_tables(sheet)
        for sheet in sheets:
            self._sheet(sheet, *data[sheet.title])
            self._check_links(sheet, data[sheet.title][2])

    def variants(self, part: str) -> dict[str, int]:
        """The styles of the sheet that holds nothing but the names of variants."""
        found: dict[str, int] = {}
        data = _DATA.search(self.package.text(part))
        for _, inside in _rows_of(data[1] or "" if data else ""):
            for cell, content in _cells_of(inside):
                text = self._cell_text(cell, content)
                if text:
                    if text in found:
                        raise ValueError(f"the sheet {STYLES_TITLE} names the style {text!r} twice")
                    found[text] = int(cell.get("s", "0"))
        return found

    def structured(self, formula: str, where: str) -> None:
        """Keep in mind that a formula takes columns of Excel tables, which are of one sheet."""
        for one in sorted(structured_in(formula) & self.excel.keys()):
            name, anchor = self.excel[one]
            sheet = quote_sheetname(anchor.title)
            instead = f"write a range such as {sheet}!B{anchor.row}:B{anchor.row} instead of {name}[...]"
            self.single_only.append((where, anchor.table, f"the Excel table {name!r}", instead))

    def _shared_strings(self, workbook: str) -> list[str]:
        """The shared strings; those with placeholders are emptied, since their cells get texts of their own."""
        for kind, target in self.package.relations(workbook).values():
            if kind.endswith("/sharedStrings"):
                xml = self.package.text(target)
                items = [_inner_text(item[1] or "") for item in _ITEM.finditer(xml)]
                if any("{{" in item for item in items):
                    self.package.parts[target] = _ITEM.sub(
                        lambda item: "<si><t></t></si>" if "{{" in _inner_text(item[1] or "") else item[0], xml
                    ).encode()
                return items
        return []

    def _rows(self, sheet: Sheet) -> tuple[str, list[tuple[dict[str, str], str]], str]:
        """A worksheet up to its rows, its rows with the attributes of each, and what follows."""
        xml = self.package.text(sheet.name)
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
                    for name in names_in(self._cell_text(cell, content)):
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

    def _find_excel_tables(self, sheet: Sheet) -> None:
        """The Excel tables of a sheet. Their columns are named as their headers, so no value goes into these."""
        sheet.tables = [
            target for kind, target in self.package.relations(sheet.name).values() if kind.endswith("/table")
        ]
        for part in sheet.tables:
            xml = self.package.text(part)
            start = re.search(r"<table\b[^>]*>", xml)
            tag = attributes(start[0]) if start else {}
            name = tag.get("displayName", "")
            nothing_left(xml, f"a header of the Excel table {name!r}")
            if sheet.anchor and any(
                isinstance(piece, Area) for piece in area_of(tag.get("ref", ""), sheet.anchor)
            ):
                self.excel[name.lower()] = name, sheet.anchor

    def _check_links(self, sheet: Sheet, after: str) -> None:
        """Links lead where the design says: no value goes into their addresses."""
        name = relations_name(sheet.name)
        if name not in self.package.parts:
            return
        links = {}
        for tag in map(attributes, re.findall(r"<hyperlink\b[^>]*>", after)):
            links[next((value for key, value in tag.items() if key.endswith(":id")), "")] = tag.get("ref", "")
        for tag in map(attributes, re.findall(r"<Relationship\b[^>]*>", self.package.text(name))):
            cell = links.get(tag.get("Id", ""))
            where = f"the link of {sheet.title}!{cell}" if cell else f"a link of the sheet {sheet.title!r}"
            nothing_left(unescaped(tag.get("Target", "")), where)

    def _sheet(self, sheet: Sheet, before: str, rows: Sequence[tuple[dict[str, str], str]], after: str) -> None:
        nothing_left(before, f"sheet {sheet.title!r}")
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
        if anchor:
            before = _DIMENSION.sub("", before)
            for name in sheet.tables:
                xml = self.package.text(name)
                for formula in _COLUMN_FORMULA.findall(xml):
                    self.structured(unescaped(formula), f"the formula of a column on the sheet {sheet.title!r}")
                self.tables[name] = [part for part in self._applied(sheet, xml) if isinstance(part, str | Area)]
                del self.package.parts[name]
        sheet.head = joined([f"{before}<sheetData>", *head])
        sheet.tail = joined(["</sheetData>", *tail])

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
            source = source_of(text, where, repeated)
            return [*start, Put(source, style, extra, "", (), where)]
        tag, text = attributes(formula[1]), unescaped(formula[2] or "")
        if "{{" in text:
            nothing_refers_to_styles(text, where)
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
        self.structured(text, where)
        row = sheet.anchor.row if repeated and sheet.anchor else None
        pieces = pieces_of(text, sheet.title, self.anchors, row=row, where=where)
        opening = "<f" + "".join(f' {key}="{value}"' for key, value in tag.items()) + ">"
        name = self.cached.pop((sheet.title, reference), None)
        if name is not None:
            source = source_of(f"{{{{{name}}}}}", where, repeated)
            return [*start, Put(source, style, extra, opening, pieces, where)]
        value = _VALUE.search(content)
        kept = self.keep_values and value is not None and bool(value[1]) and not repeated
        kind = f' t="{cell["t"]}"' if kept and "t" in cell else ""
        last = value[0] if kept and value else ""
        inner: Part = Formula(pieces, where)
        if all(isinstance(piece, str) for piece in pieces):
            inner = plain(pieces)
        return [*start, f"{shown}{extra}{kind}>{opening}", inner, f"</f>{last}</c>"]

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
            done += told(xml[at : match.start()], sheet.title)
            at = match.end()
            anchor = sheet.anchor
            if match["where"]:
                nothing_left(match["cells"], f"sheet {sheet.title!r}")
                done.append(match["where"])
                done += area_of(match["cells"], anchor) if anchor else (match["cells"],)
                done.append(match["quote"])
            elif match["says"]:
                said = told(match["said"], sheet.title, most=_MOST[match["attribute"]])
                done += [match["says"], match["mark"], *said, match["mark"]]
            elif match["tag"] == "xm:sqref":
                inside = area_of(match["inside"], anchor) if anchor else (match["inside"],)
                done += [match["open"], *inside, match["close"]]
            elif match["tag"].endswith(("Header", "Footer")):
                done.append(match["open"])
                done += told(match["inside"], sheet.title, header=True, most=_MAX_HEADER)
                done.append(match["close"])
            else:
                text, where = unescaped(match["inside"]), f"sheet {sheet.title!r}"
                if "{{" in text:
                    nothing_refers_to_styles(text, where)
                    raise ValueError(f"{where}: a placeholder within a formula of a rule")
                self.structured(text, f"{where}: a formula of a rule")
                pieces = pieces_of(text, sheet.title, self.anchors, alone=True)
                fixed = all(isinstance(piece, str) for piece in pieces)
                done += [match["open"], match["inside"] if fixed else Formula(pieces), match["close"]]
        return [*done, *told(xml[at:], sheet.title)]


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


def _inner_text(xml: str) -> str:
    """The text of a string, its phonetic guide left out."""
    return unescaped("".join(text or "" for text in _TEXT.findall(_PHONETIC.sub("", xml))))
