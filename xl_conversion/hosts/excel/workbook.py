"""What a workbook or an add-in says of itself: its VBA, and the settings on its sheet.

It may be anybody's, so nothing is unpacked before its size is known.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from xl_conversion.hosts.excel.project import CARRIED, MARK, MODULE, Kind, Module, modules_of

PROPERTIES: Final = "docProps/core.xml"
"""The part in which the add-in says what its other parts come to."""

_TYPES = "[Content_Types].xml"
_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_VBA = "xl/vbaProject.bin"
_MAX_SIZE = 1 << 25
_PROJECT_NAME = re.compile(r'Const PROJECT_NAME As String = "([A-Za-z0-9_-]+)"')
_LIBRARY = re.compile(r"xlwings(?:32|64)-([0-9A-Za-z.]+)\.dll")


def vba_source(book: bytes) -> str:
    """The VBA of an .xlam or .xlsm, module after module, '' without any; ValueError if it cannot be read."""
    return "\n".join(module.source for module in _modules(book))


def is_ours(book: bytes) -> bool:
    """Whether it is an add-in as this package makes it, of whatever version, and unchanged since."""
    try:
        modules = {one.name: one.source for one in _modules(book) if one.kind is not Kind.DOCUMENT}
        if modules.keys() != {MODULE, CARRIED} or MARK not in modules[MODULE].splitlines():
            return False
        with ZipFile(BytesIO(book)) as archive:
            parts = _parts(archive, archive.namelist())
        return digest(parts).encode() in parts[PROPERTIES]
    except Exception:  # whatever is wrong with somebody's file
        return False


def digest(parts: Mapping[str, bytes]) -> str:
    """What all parts but that with the properties come to."""
    sums = {name: sha256(data).hexdigest() for name, data in sorted(parts.items()) if name != PROPERTIES}
    return f"sha256:{sha256(repr(sums).encode()).hexdigest()}"


def project_name(source: str) -> str:
    """The PROJECT_NAME of xlwings' VBA, by which it looks for its settings; it may be part of a path."""
    found = _PROJECT_NAME.search(source)
    return found[1] if found else "xlwings"


def libraries(source: str) -> dict[str, str]:
    """The DLLs that the VBA names, each with the version of xlwings that it belongs to."""
    return {found[0]: found[1] for found in _LIBRARY.finditer(source)}


def sheet_settings(book: bytes, project: str) -> list[tuple[str, str]]:
    """The pairs on the sheet of settings of a workbook; none if there is no such sheet or it cannot be read."""
    from openpyxl import load_workbook

    try:
        with ZipFile(BytesIO(book)) as archive:
            parts = _parts(archive, _needed(archive, f"{project}.conf"))
        # openpyxl takes no add-in, which differs from a workbook in this word only.
        parts[_TYPES] = parts[_TYPES].replace(b"ms-excel.addin.macro", b"ms-excel.sheet.macro")
        data = BytesIO()
        with ZipFile(data, "w") as copy:
            for name, content in parts.items():
                copy.writestr(name, content)
        with warnings.catch_warnings(action="ignore"):  # on the sheets that are left out
            workbook = load_workbook(data, read_only=True, data_only=True)
        pairs = []
        for key, value in workbook[f"{project}.conf"].iter_rows(max_col=2, values_only=True):
            if key is None:  # VBA stops there
                break
            pairs.append((str(key), "" if value is None else str(value)))
        return pairs
    except Exception:  # no such sheet, or whatever openpyxl makes of somebody's workbook
        return []


def _modules(book: bytes) -> list[Module]:
    if book.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValueError("it is encrypted, or of Excel's format before 2007")
    try:
        with ZipFile(BytesIO(book)) as archive:
            return modules_of(_parts(archive, [_VBA])[_VBA]) if _VBA in archive.namelist() else []
    except Exception as problem:  # whatever is wrong with somebody's file
        raise ValueError(f"it is damaged ({' '.join(str(problem).split())})") from problem


def _needed(archive: ZipFile, title: str) -> list[str]:
    """The parts without which openpyxl reads no sheet, and those of the sheet of that title."""
    from defusedxml import ElementTree
    from openpyxl.packaging.relationship import RelationshipList
    from openpyxl.packaging.workbook import WorkbookPackage

    parts = _parts(archive, [_BOOK, _LINKS])
    parse: Callable[[bytes], Any] = ElementTree.fromstring
    book: Any = WorkbookPackage.from_tree(parse(parts[_BOOK]))
    wanted = next(sheet.id for sheet in book.sheets if sheet.name == title)
    links: Any = RelationshipList.from_tree(parse(parts[_LINKS]))
    target = next(link.Target for link in links if link.Id == wanted)
    sheet = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    others = ("xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels")
    return [_TYPES, _BOOK, _LINKS, sheet, *(name for name in others if name in archive.namelist())]


def _parts(archive: ZipFile, names: list[str]) -> dict[str, bytes]:
    """The parts, if together they are not too large."""
    entries = [archive.getinfo(name) for name in dict.fromkeys(names)]
    # The size that it states bounds only these kinds of compression.
    if any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries):
        raise ValueError("it is compressed as Excel does not do it")
    if sum(entry.file_size for entry in entries) > _MAX_SIZE:
        raise ValueError("it is too large")
    return {entry.filename: archive.read(entry) for entry in entries}
