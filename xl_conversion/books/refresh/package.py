"""A workbook file in which some cells are changed, and every part that is not concerned stays byte for byte.

openpyxl cannot do that: what it does not know (pictures, slicers, shapes, rich values, add-ins) it loses. Here the
zip file itself is edited. Entries are copied as they are stored, compressed; only worksheets with changes are
written anew, and the workbook part, which tells the host to recalculate on opening.
"""

from __future__ import annotations

import hashlib
import posixpath
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from xl_conversion.books.refresh.cells import (
    Cached,
    Change,
    Constant,
    Range,
    StoredCell,
    Worksheet,
    range_of,
    shared_strings,
)
from xl_conversion.books.refresh.scanning import (
    RefreshError,
    XmlScan,
    damaged,
    prefix_of,
    shown,
    spliced,
    strict,
    tree_of,
    with_attributes,
)
from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.tables import MAX_FILE, MAX_UNPACKED

__all__ = ["Cached", "Changes", "Constant", "Package", "RefreshError", "SheetPart", "StoredCell"]

MAX_ENTRIES = 10_000
MAX_PART = 128 * 1024 * 1024
MAX_RATIO = 250
"""Times that a part of more than 1 MiB may be larger than it is stored. Worksheets come to 50."""

Changes: TypeAlias = Mapping[tuple[str, str], Change]
"""By sheet and coordinate: a constant for a constant, a Cached for the stored value of a formula."""

_HEAD = 64 * 1024
"""Bytes of a worksheet within which its properties stand."""
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/"
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_SAVE_AGAIN = "Open the workbook in Excel, save it and try again."


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet: the name on its tab, its part, the name that VBA has for it ("" for none)."""

    title: str
    part: str
    code_name: str
    visible: bool


class Package:
    """An .xlsx or .xlsm file as it was read; `open` reads it, `patched` gives the file with other values."""

    path: Path
    digest: str
    """SHA-256 of the file."""
    sheets: tuple[SheetPart, ...]
    """The worksheets, in the order of their tabs."""
    names: Mapping[str, str]
    """What the names defined for the whole workbook stand for, such as ``Inputs!$C$5``."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.digest = hashlib.sha256(data).hexdigest()
        self._name = shown(path.name)
        self._zip = _Zip(self._name, data)
        self._refuse_what_breaks()
        self._part = self._workbook_part()
        workbook = _Workbook(self._where(self._part), self._zip.read(self._part))
        if workbook.from_1904:
            raise RefreshError(
                f"{self._name} counts its dates from 1904",
                "Clear File > Options > Advanced > Use 1904 date system, and check the dates.",
            )
        self._workbook = workbook
        self.names = workbook.names
        self._relations = self._relations_of(self._part)
        self.sheets = tuple(self._sheets())
        self._worksheets: dict[str, Worksheet] = {}

    @classmethod
    def open(cls, path: Path) -> Package:
        """The workbook at `path`. RefreshError says why a file is none, or none that can be changed safely."""
        try:
            if path.exists() and not path.is_file() and not path.is_dir():
                raise RefreshError(f"{shown(path.name)} is no ordinary file", "Give the name of a workbook.")
            if path.stat().st_size > MAX_FILE:
                raise RefreshError(
                    f"{shown(path.name)} is larger than {MAX_FILE // 2**20} MiB", "Split the workbook."
                )
            data = path.read_bytes()
        except FileNotFoundError:
            raise RefreshError(f"There is no file {shown(path.name)}", "Check the name.") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise RefreshError(
                f"{shown(path.name)} cannot be read: {reason}", "Check its permissions, and close it elsewhere."
            ) from error
        return cls(path, data)

    def cells(self, title: str) -> Mapping[str, StoredCell]:
        """The cells of a sheet that hold a value or a formula, by coordinate."""
        return self._worksheet(title).cells

    def patched(self, changes: Changes) -> bytes:
        """The file with `changes`; the very same bytes if they are what it holds already.

        RefreshError for a constant in the place of a formula, for a formula that is not there, for cells merged
        into another and for the header and totals of an Excel table. ValueError for what no cell can hold.
        """
        by_sheet: dict[str, dict[str, Change]] = {}
        for (title, coordinate), change in changes.items():
            by_sheet.setdefault(title, {})[coordinate] = change
        contents: dict[str, bytes] = {}
        for title, wanted in by_sheet.items():
            part = self._sheet(title).part
            worksheet = self._worksheet(title)
            xml = worksheet.patched(wanted, self._table_labels(part))
            if xml is not worksheet.xml:
                contents[part] = xml
        if not contents:
            return self._zip.data
        xml = self._workbook.recalculating()
        if xml != self._workbook.xml:
            contents[self._part] = xml
        return self._zip.replaced(contents)

    def _refuse_what_breaks(self) -> None:
        for name in self._zip.names.values():
            if name.lower().startswith("_xmlsignatures/"):
                raise RefreshError(
                    f"{self._name} is signed, and any change would break the signature",
                    "Remove the signature in File > Info, refresh, and sign again.",
                )
            if name.lower().startswith("xl/revisions/"):
                raise RefreshError(
                    f"{self._name} is a shared workbook that keeps a record of changes",
                    "Stop sharing it (Review > Unshare Workbook), and try again.",
                )

    def _workbook_part(self) -> str:
        relation = next((one for one in self._relations_of("") if one.kind == "officeDocument"), None)
        if relation is None:
            raise RefreshError(f"{self._name} is no Excel workbook", "Give an .xlsx or .xlsm file.")
        if relation.strict:
            raise strict(self._name)
        if relation.part.lower().endswith(".bin"):
            raise RefreshError(f"{self._name} is a binary workbook (.xlsb)", "Save it as .xlsx or .xlsm.")
        return relation.part

    def _sheets(self) -> Iterable[SheetPart]:
        parts = {one.id: one for one in self._relations}
        for title, relation, visible in self._workbook.sheets:
            found = parts.get(relation)
            if found is None:
                raise damaged(self._name, f"the sheet {shorten(title)!r} has no part")
            if found.kind == "worksheet":  # others hold no cells, but a chart or a dialog
                head = _Properties(self._where(found.part), self._zip.head(found.part), whole=False)
                yield SheetPart(title, found.part, head.code_name, visible)

    def _sheet(self, title: str) -> SheetPart:
        for sheet in self.sheets:
            if sheet.title == title:
                return sheet
        raise RefreshError(f"{self._name} has no sheet {shorten(title)!r}", "Its name must stay; rename it back.")

    def _worksheet(self, title: str) -> Worksheet:
        if title not in self._worksheets:
            part = self._sheet(title).part
            where = f"{self._name}, sheet {shown(title)}"
            self._worksheets[title] = Worksheet(where, title, self._zip.read(part), lambda: self._strings)
        return self._worksheets[title]

    @cached_property
    def _strings(self) -> Sequence[str]:
        part = next((one.part for one in self._relations if one.kind == "sharedStrings"), None)
        return shared_strings(self._where(part), self._zip.read(part)) if part else ()

    def _table_labels(self, sheet: str) -> list[tuple[Range, str]]:
        """The header and totals rows of the Excel tables on a sheet, whose words the tables' parts repeat."""
        found = []
        for relation in self._relations_of(sheet):
            if relation.kind == "table":
                table = _Table(self._where(relation.part), self._zip.read(relation.part))
                left, top, right, bottom = table.area
                if table.header:
                    found.append(((left, top, right, top), f"in the header row of the table {table.name}"))
                if table.totals:
                    found.append(((left, bottom, right, bottom), f"in the totals row of the table {table.name}"))
        return found

    def _relations_of(self, part: str) -> list[_Relation]:
        folder, name = posixpath.split(part)
        stored = self._zip.names.get(posixpath.join(folder, "_rels", f"{name}.rels").lower())
        if stored is None:
            return []
        found = []
        for relation in _Relations(self._where(stored), self._zip.read(stored)).found:
            if relation.get("TargetMode") == "External":
                continue
            target = posixpath.normpath(posixpath.join("/", folder, unquote(relation.get("Target", ""))))
            name = target.lstrip("/")
            kind = relation.get("Type", "")
            found.append(
                _Relation(
                    relation.get("Id", ""),
                    kind.rpartition("/")[2],
                    self._zip.names.get(name.lower(), name),
                    kind.startswith(_STRICT_RELATION),
                )
            )
        return found

    def _where(self, part: str) -> str:
        return f"{self._name}, {shown(shorten(part, 100))}"


@dataclass(frozen=True, slots=True)
class _Relation:
    id: str
    kind: str
    part: str
    strict: bool


class _Relations(XmlScan):
    tree = {  # noqa: RUF012
        ("", f"{_RELATIONS}}}Relationships"): "Relationships",
        ("Relationships", f"{_RELATIONS}}}Relationship"): "Relationship",
    }

    def __init__(self, where: str, xml: bytes) -> None:
        self.found: list[Mapping[str, str]] = []
        super().__init__(where, xml)

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        if kind == "Relationship":
            self.found.append(attributes)


class _Workbook(XmlScan):
    tree = tree_of(
        ":workbook",
        "workbook:workbookPr sheets functionGroups externalReferences definedNames calcPr",
        "sheets:sheet",
        "definedNames:definedName",
    )

    def __init__(self, where: str, xml: bytes) -> None:
        self.from_1904 = False
        self.sheets: list[tuple[str, str, bool]] = []
        """Title, relation, whether it is visible."""
        self.names: dict[str, str] = {}
        self._calculation: tuple[int, int] | None = None
        self._before = (b"", 0)
        """The prefix and the end of the last element that the calculation's comes after."""
        self._name: Mapping[str, str] = {}
        super().__init__(where, xml)

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        if kind == "workbookPr":
            self.from_1904 = attributes.get("date1904") in ("1", "true")
        elif kind == "sheet":
            visible = attributes.get("state", "visible") == "visible"
            self.sheets.append((attributes.get("name", ""), attributes.get(f"{_RELATION}}}id", ""), visible))
        elif kind == "definedName":
            self._name = attributes
            self.listen()
        elif kind == "calcPr":
            self._calculation = start, open_end

    def finish(self, kind: str, text: str, start: int, open_end: int, end: int) -> None:
        if kind == "definedName" and "localSheetId" not in self._name:
            self.names[self._name.get("name", "")] = text
        elif kind in ("sheets", "functionGroups", "externalReferences", "definedNames"):
            self._before = prefix_of(self.xml[start:open_end]), end

    def recalculating(self) -> bytes:
        """The part, in which the host is told to recalculate on opening."""
        if self._calculation is None:
            prefix, place = self._before
            return spliced(self.xml, [(place, place, b'<%bcalcPr fullCalcOnLoad="1"/>' % prefix)])
        start, end = self._calculation
        return spliced(self.xml, [(start, end, with_attributes(self.xml[start:end], {b"fullCalcOnLoad": b"1"}))])


class _Properties(XmlScan):
    tree = tree_of(":worksheet", "worksheet:sheetPr")

    code_name = ""

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        if kind == "sheetPr":
            self.code_name = attributes.get("codeName", "")


class _Table(XmlScan):
    tree = tree_of(":table")

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        self.name = shown(shorten(attributes.get("displayName", "")))
        self.header = attributes.get("headerRowCount", "1") != "0"
        self.totals = attributes.get("totalsRowCount", "0") != "0"
        try:
            self.area = range_of(attributes.get("ref", ""))
        except ValueError as error:
            raise damaged(self.where, str(error)) from None


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the zip file: its record in the central directory, and from where to where its own goes."""

    info: ZipInfo
    central: bytes
    start: int
    end: int


class _Zip:
    """The entries of a zip file, and the file with the content of some replaced."""

    def __init__(self, where: str, data: bytes) -> None:
        self.where, self.data = where, data
        if data.startswith(_OLE):
            raise RefreshError(
                f"{where} is protected by a password or in the old format (.xls)",
                "Remove the password, or save it as .xlsx or .xlsm.",
            )
        try:
            self._archive = ZipFile(BytesIO(data))
        except (BadZipFile, ValueError, struct.error, NotImplementedError):
            raise RefreshError(f"{where} is no Excel workbook", "Give an .xlsx or .xlsm file.") from None
        infos = self._archive.infolist()
        self._bounded(infos)
        self.names = {info.filename.lower(): info.filename for info in infos}
        """By the name in small letters, which is how parts are told apart."""
        if len(self.names) < len(infos):
            raise damaged(where, "a part is there twice")
        self._entries = self._located(infos)

    def read(self, name: str) -> bytes:
        """The content of an entry."""
        return self._content(name, -1)

    def head(self, name: str) -> bytes:
        """How the content of an entry begins."""
        return self._content(name, _HEAD)

    def replaced(self, contents: Mapping[str, bytes]) -> bytes:
        """The file with the `contents` of some entries; all others, and the order, are kept as they are."""
        parts, central, at = [], [], 0
        starts: dict[str, int] = {}
        headers: dict[str, tuple[int, int, int, int]] = {}
        for entry in sorted(self._entries, key=lambda entry: entry.start):
            name = entry.info.filename
            record = self.data[entry.start : entry.end]
            if name in contents:
                record, headers[name] = self._record(entry, contents[name])
            starts[name] = at
            parts.append(record)
            at += len(record)
        for entry in self._entries:
            name = entry.info.filename
            fields = list(_CENTRAL.unpack_from(entry.central))
            if name in headers:
                fields[3], fields[7], fields[8], fields[9] = headers[name]
            fields[16] = starts[name]
            central.append(_CENTRAL.pack(*fields) + entry.central[_CENTRAL.size :])
        directory = b"".join(central)
        end = list(_END.unpack_from(self.data, self._end))
        end[5:7] = len(directory), at
        return b"".join([*parts, directory, _END.pack(*end), self.data[self._end + _END.size :]])

    def _record(self, entry: _Entry, content: bytes) -> tuple[bytes, tuple[int, int, int, int]]:
        """The record of an entry with another content; its flags, check sum and sizes."""
        fields = list(_LOCAL.unpack_from(self.data, entry.start))
        name_end = entry.start + _LOCAL.size + fields[9]
        name, extra = self.data[entry.start + _LOCAL.size : name_end], self.data[name_end : name_end + fields[10]]
        extra = _without_zip64(extra)
        packed = content
        if entry.info.compress_type == ZIP_DEFLATED:
            compressor = zlib.compressobj(wbits=-15)
            packed = compressor.compress(content) + compressor.flush()
        flags = fields[2] & ~0x8  # sizes stand in front now, not behind
        sizes = zlib.crc32(content), len(packed), len(content)
        fields[2], fields[6:9], fields[10] = flags, sizes, len(extra)
        return _LOCAL.pack(*fields) + name + extra + packed, (flags, *sizes)

    def _content(self, name: str, size: int) -> bytes:
        try:
            # Not by -1, which would unpack whatever there is, however small it says that it is.
            most = self._archive.getinfo(name).file_size if size < 0 else size
            with self._archive.open(name) as stream:
                return stream.read(most + 1)[:most]
        except KeyError:
            raise damaged(self.where, f"the part {shown(shorten(name))} is missing") from None
        except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error):
            raise damaged(self.where, f"the part {shown(shorten(name))} cannot be unpacked") from None

    def _bounded(self, infos: Sequence[ZipInfo]) -> None:
        def too_much(what: str) -> RefreshError:
            return RefreshError(f"{self.where} {what}", "Split the workbook, or look for what made it so large.")

        if len(infos) > MAX_ENTRIES:
            raise too_much(f"has more than {MAX_ENTRIES:,} parts")
        if sum(info.file_size for info in infos) > MAX_UNPACKED:
            raise too_much(f"unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        for info in infos:
            if info.flag_bits & 0x1:
                raise RefreshError(f"{self.where} is protected by a password", "Save it without.")
            if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise damaged(
                    self.where, f"the part {shown(shorten(info.filename))} is compressed as Excel never does"
                )
            if info.file_size > MAX_PART:
                raise too_much(
                    f"has a part of more than {MAX_PART // 2**20} MiB ({shown(shorten(info.filename))})"
                )
            if info.file_size > max(2**20, MAX_RATIO * info.compress_size):
                raise too_much(
                    f"has a part that unpacks to a multiple of its size ({shown(shorten(info.filename))})"
                )

    def _located(self, infos: Sequence[ZipInfo]) -> list[_Entry]:
        """Where each entry stands, in the order of the central directory; only plain files are taken."""
        odd = RefreshError(f"{self.where} is a zip file of an unusual form", _SAVE_AGAIN)
        data, at = self.data, self._archive.start_dir
        starts = sorted({info.header_offset for info in infos} | {at})
        follows = dict(pairwise(starts))
        if len(starts) != len(infos) + 1 or starts[0] or starts[-1] != at:
            raise odd
        entries = []
        for info in infos:
            fields = _CENTRAL.unpack_from(data, at)
            size = _CENTRAL.size + fields[10] + fields[11] + fields[12]
            # A larger offset stands elsewhere (Zip64), one that zipfile corrects has something in front.
            if fields[0] != b"PK\x01\x02" or fields[8:10] != (info.compress_size, info.file_size):
                raise odd
            start = fields[16]
            if start != info.header_offset:
                raise odd
            name = data[at + _CENTRAL.size : at + _CENTRAL.size + fields[10]]
            local = _LOCAL.unpack_from(data, start)
            begin = start + _LOCAL.size
            if local[0] != b"PK\x03\x04" or data[begin : begin + local[9]] != name or local[3] != fields[4]:
                raise odd
            if begin + local[9] + local[10] + info.compress_size > follows[start]:
                raise odd
            entries.append(_Entry(info, data[at : at + size], start, follows[start]))
            at += size
        if data[at : at + 4] != b"PK\x05\x06":
            raise odd
        self._end = at
        return entries


def _without_zip64(extra: bytes) -> bytes:
    """The extra field of an entry without the sizes of large files."""
    kept, at = b"", 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        kept += extra[at : at + 4 + size] if kind != 1 else b""
        at += 4 + size
    return kept + extra[at:]
