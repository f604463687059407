"""Reads the cells of plain sheets out of their XML, many times faster than openpyxl and with the same answer.

openpyxl opens the workbook with its cells taken out, so that everything else is as openpyxl sees it: which sheets
there are, what a number format is, which formats are dates. The cells are read here if each of them is written the
way that Excel, LibreOffice, openpyxl and XlsxWriter write plain ones. Where anything else stands (an error, a
formula that was never calculated, a cell out of order) :class:`Unusual` is raised, and openpyxl reads it all.
"""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRINGS = "xl/sharedStrings.xml"
# Each part ends where it can end only once: else looking for the end of a long one would take its length squared.
_FRAME = re.compile(r"(\s*(?:<\?xml [^<>?]*\?>\s*)?<(?:worksheet|sst)( [^<>]*)>)")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|]]>")
_STRING = re.compile(
    r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>\s*|(<si/>|<si>.*?</si>)\s*|(.+)', re.DOTALL
)
# What is none takes all the rest with it, so that looking ends there.
_ATTRIBUTE = r' (?:[a-zA-Z]+|x14ac:dyDescent)="[^"<]*"'
_BEFORE_ROW = re.compile(rf'\s*(?:<row r="[0-9]{{1,7}}"(?:{_ATTRIBUTE})*/>\s*)*')
_ROW = re.compile(rf'<row r="([1-9][0-9]{{0,6}})"((?:{_ATTRIBUTE})*)>\s*')
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"(?: s="([0-9]{1,5})")?(?: t="(n|s|str|b|inlineStr)")?(?:/>|>'
    r"(<f(?: [^<>]*)?(?:/>|>[^<]*</f>))?"
    r'(?:<v>([^<]*)</v>|<v ?/>|(<is>)<t(?: xml:space="preserve")?>([^<]*)</t></is>)?'
    r"</c>)\s*|(.+)",
    re.DOTALL,
)
_STYLE = re.compile(r' s="([0-9]+)"')
_WHOLE = re.compile("-?[1-9][0-9]{0,299}|0")
_SHORT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9]")
_NUMBER = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{0,400})?(?:[eE][+-]?[0-9]{1,3})?")
_SHOWN_DIGITS = 15


class Unusual(Exception):
    """Something stands in a workbook that is for openpyxl to judge."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet without its cells, and its cells."""

    before: str
    cells: str
    after: str

    @property
    def styles(self) -> list[str]:
        """Numbers of the styles that its cells have."""
        return sorted({"0", *_STYLE.findall(self.cells)}, key=int)

    def emptied(self, mark: str) -> bytes:
        """The sheet with a mark in its first cell, and below it one number in each style."""
        rows = [f'<row r="1"><c r="A1" t="inlineStr"><is><t>{mark}</t></is></c></row>']
        rows += [
            f'<row r="{n}"><c r="A{n}" s="{style}"><v>1</v></c></row>'
            for n, style in enumerate(self.styles, start=2)
        ]
        return f"{self.before}{''.join(rows)}{self.after}".encode()


@dataclass(frozen=True, slots=True)
class _Format:
    """What a style makes of a number: decimals are shown, or it is a day counted from `epoch`."""

    decimals: int
    is_day: bool
    epoch: Any


class PlainSheets:
    """The sheets of a package whose cells are plain. `text` makes a text of a day; `decimals` says how many a
    number format shows."""

    def __init__(
        self,
        content: bytes,
        *,
        max_columns: int,
        max_row: int,
        digits: Callable[[float], str],
        padded: Callable[[str, int], str],
        decimals: Callable[[str], int],
    ) -> None:
        self.max_columns = max_columns
        self.max_row = max_row
        self.digits = digits
        self.padded = padded
        self.decimals = decimals
        self._mark = uuid.uuid4().hex  # which no sheet has in a cell
        self._sheets: list[_Sheet] = []
        self._strings: Sequence[str] = ()
        self.emptied = self._empty(content)
        """The workbook without its cells."""

    def _empty(self, content: bytes) -> io.BytesIO:
        emptied = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(emptied, "w") as shell:
            types = package.read("[Content_Types].xml") if "[Content_Types].xml" in package.namelist() else b""
            strings = types.count(b"sharedStrings+xml")
            if strings > 1 or (strings and _STRINGS not in package.namelist()):
                raise Unusual
            for part in package.infolist():
                data = package.read(part)
                if part.filename == _STRINGS and strings:
                    self._strings = _strings(data)
                    data = f'<sst xmlns="{_MAIN}"/>'.encode()
                elif b"<sheetData>" in data and (sheet := _sheet(data)):
                    data = sheet.emptied(f"{self._mark} {len(self._sheets)}")
                    self._sheets.append(sheet)
                shell.writestr(part.filename, data)
        return emptied

    def rows(self, opened: Any) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows of a sheet that openpyxl has opened in :attr:`emptied`, every cell as text.

        Raises Unusual at the first cell that is not plain.
        """
        opened.reset_dimensions()
        cells = [row[0] for row in opened.iter_rows(max_col=1)]
        mark, _, number = str(cells[0].value).partition(" ") if cells else ("", "", "")
        if mark != self._mark:
            raise Unusual
        sheet = self._sheets[int(number)]
        styles = zip(sheet.styles, cells[1:], strict=True)
        return self._rows(sheet, {style: self._format(cell, opened.parent.epoch) for style, cell in styles})

    def _format(self, cell: Any, epoch: Any) -> _Format | None:
        """What a style means; None for one that is not there."""
        try:
            number_format = cell.number_format
        except IndexError:
            return None
        if isinstance(cell.value, timedelta):
            return None
        return _Format(self.decimals(number_format or ""), cell.data_type == "d", epoch)

    def _rows(self, sheet: _Sheet, formats: Mapping[str, _Format | None]) -> Iterator[tuple[int, Sequence[str]]]:
        columns: dict[str, int] = {}
        numbers: dict[tuple[str, str], str] = {}
        strings = self._strings
        last = 0
        *rows, rest = sheet.cells.split("</row>")
        if _BEFORE_ROW.fullmatch(rest) is None:
            raise Unusual
        for one in rows:
            before = _BEFORE_ROW.match(one)
            row = _ROW.match(one, before.end()) if before else None
            if row is None or " r=" in row[2] or not last < (number := int(row[1])) <= self.max_row:
                raise Unusual
            last, written = number, row[1]
            cells: list[str] = []
            for letters, at, style, kind, formula, value, inline, said, other in _CELL.findall(one, row.end()):
                if other or at != written:
                    raise Unusual
                place = columns.get(letters)
                if place is None:
                    place = columns[letters] = _place(letters)
                if place < len(cells):
                    raise Unusual
                if kind == "s" and value:
                    if not value.isdecimal() or not value.isascii() or int(value) >= len(strings):
                        raise Unusual
                    text = strings[int(value)]
                    if text and formats[style or "0"] is None:
                        raise Unusual
                elif value and kind in ("", "n"):
                    key = (style, value)
                    known = numbers.get(key)
                    if known is None:
                        known = numbers[key] = self._number(value, formats[style or "0"])
                    text = known
                else:
                    text = _other(kind, value, inline, said, formula)
                    if text and formats[style or "0"] is None:
                        raise Unusual
                if place <= self.max_columns:
                    if place > len(cells):
                        cells.extend([""] * (place - len(cells)))
                    cells.append(text)
            yield number, cells

    def _number(self, value: str, shown: _Format | None) -> str:
        if shown is None or not _NUMBER.fullmatch(value):
            raise Unusual
        if shown.is_day:
            return self._day(value, shown.epoch)
        if _WHOLE.fullmatch(value) or (len(value) <= _SHOWN_DIGITS and _SHORT.fullmatch(value)):
            text = value
        else:
            text = self.digits(float(value)) if re.search("[.eE]", value) else str(int(value))
        return self.padded(text, shown.decimals) if shown.decimals else text

    def _day(self, value: str, epoch: Any) -> str:
        from openpyxl.utils.datetime import from_excel

        try:
            day = from_excel(float(value) if re.search("[.eE]", value) else int(value), epoch)
        except (OverflowError, ValueError):
            raise Unusual from None
        if not isinstance(day, datetime):
            raise Unusual
        return day.date().isoformat() if day.time() == time() else day.isoformat()


def _place(letters: str) -> int:
    """Where a column stands, the first one at 0."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _other(kind: str, value: str, inline: str, said: str, formula: str) -> str:
    """The text of a cell that holds no number and no shared string."""
    if kind == "inlineStr" and not value and not formula:
        return _unescaped(said)
    if inline or kind == "inlineStr" or (formula and not value and kind in ("", "n")):
        raise Unusual
    if not value:
        return ""
    if kind == "str":
        return _unescaped(value)
    if kind == "b" and value in "01":
        return "TRUE" if value == "1" else "FALSE"
    raise Unusual


def _sheet(data: bytes) -> _Sheet | None:
    """A worksheet in parts; None if it is not written plainly."""
    text = _plain_xml(data)
    if text is None or text.count("<sheetData>") != 1 or text.count("</sheetData>") != 1:
        return None
    frame = _frame(text)
    start, end = text.index("<sheetData>") + len("<sheetData>"), text.index("</sheetData>")
    if frame is None or "<worksheet" not in frame[1] or end < start:
        return None
    cells = text[start:end]
    if " xmlns=" in text[frame.end() :] or ("x14ac:" in cells and "xmlns:x14ac=" not in frame[1]):
        return None
    return _Sheet(text[:start], cells, text[end:])


def _frame(text: str) -> re.Match[str] | None:
    """The beginning of a part up to its cells or strings; None if it is not written plainly."""
    frame = _FRAME.match(text)
    plain = frame and "'" not in frame[2] and f' xmlns="{_MAIN}"' in frame[2]
    return frame if plain else None


def _strings(data: bytes) -> list[str]:
    """The shared strings of a workbook."""
    text = _plain_xml(data)
    frame = _frame(text) if text is not None else None
    if text is None or frame is None or "<sst" not in frame[1]:
        raise Unusual
    if frame[1].endswith("/>"):
        return []
    body, _, rest = text[frame.end() :].lstrip().partition("</sst>")
    if rest.strip() or " xmlns=" in body:
        raise Unusual
    found: list[str] = []
    others: list[tuple[int, str]] = []
    for said, other, junk in _STRING.findall(body):
        if junk:
            raise Unusual
        if other:
            others.append((len(found), other))
        # As openpyxl has it.
        found.append(_unescaped(said).replace("x005F_", ""))
    if others:
        from openpyxl.reader.strings import read_string_table

        xml = f"{frame[1]}{''.join(other for _, other in others)}</sst>".encode()
        for (place, _), said in zip(others, read_string_table(io.BytesIO(xml)), strict=True):
            found[place] = said
    return found


def _plain_xml(data: bytes) -> str | None:
    """The text of a part in UTF-8 without comments and instructions, whose characters XML allows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text[:200].lstrip()
    named = re.match(r"<\?xml[^<>]* encoding=[\"']([^\"']*)", head)
    if (named and named[1].lower() != "utf-8") or _NO_XML.search(text) or "<!" in text:
        return None
    if text.count("<?") != head.startswith("<?xml "):
        return None
    if "&" in text:
        entities = _ENTITY.findall(text)
        if text.count("&") != len(entities):
            return None
        codes = {int(ten) if ten else int(sixteen, 16) for ten, sixteen in entities if ten or sixteen}
        if any(code > 0x10FFFF or 0xD800 <= code < 0xE000 or _NO_XML.match(chr(code)) for code in codes):
            return None
    return text


_NAMED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def _unescaped(text: str) -> str:
    """What an XML text says, its entities being known to be sound."""
    if "&" not in text:
        return text

    def said(entity: re.Match[str]) -> str:
        ten, sixteen = entity.groups()
        return _NAMED[entity[0]] if not ten and not sixteen else chr(int(ten) if ten else int(sixteen, 16))

    return _ENTITY.sub(said, text)
