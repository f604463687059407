"""What a workbook or an add-in says of itself: its VBA, and the settings on its sheet."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

from xl_conversion.hosts.excel.environment import UDFS
from xl_conversion.hosts.excel.project import modules_of

_VBA = "xl/vbaProject.bin"
_MAX_VBA = 1 << 26
_PROJECT_NAME = re.compile(r'Const PROJECT_NAME As String = "([^"]*)"')
_LIBRARY = re.compile(r"xlwings(?:32|64)-([0-9A-Za-z.]+)\.dll")


def vba_source(book: bytes) -> str:
    """The VBA of an .xlam or .xlsm, module after module, '' without any; ValueError if it cannot be read."""
    if book.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValueError("it is encrypted, or of Excel's format before 2007")
    try:
        with ZipFile(BytesIO(book)) as parts:
            if _VBA not in parts.namelist():
                return ""
            if parts.getinfo(_VBA).file_size > _MAX_VBA:
                raise ValueError("its VBA project is too large")
            return "\n".join(module.source for module in modules_of(parts.read(_VBA)))
    except Exception as problem:  # whatever is wrong with somebody's file
        raise ValueError(f"it is damaged ({' '.join(str(problem).split())})") from problem


def is_ours(book: bytes) -> bool:
    """Whether it was made by this package: its VBA calls our module."""
    try:
        return f'"{UDFS}"' in vba_source(book)
    except ValueError:
        return False


def project_name(source: str) -> str:
    """The PROJECT_NAME of xlwings' VBA, by which it looks for its settings."""
    found = _PROJECT_NAME.search(source)
    return found[1] if found else "xlwings"


def libraries(source: str) -> dict[str, str]:
    """The DLLs that the VBA names, each with the version of xlwings that it belongs to."""
    return {found[0]: found[1] for found in _LIBRARY.finditer(source)}


def sheet_settings(book: bytes, project: str) -> list[tuple[str, str]]:
    """The pairs on the sheet of settings of a workbook; none if there is no such sheet or it cannot be read."""
    from openpyxl import load_workbook

    # openpyxl takes no add-in, which differs from a workbook in this word only.
    data = BytesIO()
    try:
        with ZipFile(BytesIO(book)) as parts, ZipFile(data, "w") as copy:
            for name in parts.namelist():
                copy.writestr(name, parts.read(name).replace(b"ms-excel.addin.macro", b"ms-excel.sheet.macro"))
        workbook = load_workbook(data, read_only=True, data_only=True)
        pairs = []
        for key, value in workbook[f"{project}.conf"].iter_rows(max_col=2, values_only=True):
            if key is None:  # VBA stops there
                break
            pairs.append((str(key), "" if value is None else str(value)))
        return pairs
    except Exception:  # no such sheet, or whatever openpyxl makes of somebody's workbook
        return []
