"""Macro workbooks and the add-in for Excel on Windows, made on any system from what xlwings carries.

The VBA that reaches Python is that of the installed xlwings: it loads a library by a name with the version in it,
so what is built here goes with this xlwings only. It looks for its settings under a name of ours, so that
they and those of xlwings leave each other alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

import xlwings as xw
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from pyopenvba.exceptions import PyOpenVBAError  # type: ignore[import-untyped]

from xl_conversion import __version__
from xl_conversion.books.gallery.gallery import gallery
from xl_conversion.books.gallery.intellisense import SHEET as INTELLISENSE
from xl_conversion.books.gallery.intellisense import append_intellisense
from xl_conversion.books.page import FONT, INPUT_FILL, INPUT_INK, Book
from xl_conversion.books.saving import put_text, workbook_bytes
from xl_conversion.books.templates.chain_model import chain_model
from xl_conversion.books.templates.price_model import price_model
from xl_conversion.books.widths import lines
from xl_conversion.files import SaveError, write_atomically
from xl_conversion.hosts.excel.environment import ADDIN
from xl_conversion.hosts.excel.project import (
    CARRIED,
    MODULE,
    PROJECT_NAME,
    WORKBOOK_CODE_NAME,
    Kind,
    Module,
    document,
    modules_of,
    project_bytes,
)
from xl_conversion.hosts.excel.vba import SETTING, module_text, shortened
from xl_conversion.hosts.excel.workbook import PROPERTIES, digest

TEMPLATES: Final[Mapping[str, Callable[[], Book]]] = {
    "conversion-price-model.xlsm": price_model,
    "conversion-chain-model.xlsm": chain_model,
    "function-gallery.xlsm": gallery,
}
NOTICE: Final = "xlwings-LICENSE.txt"
CONFIGURATION: Final = f"{PROJECT_NAME}.conf"
"""The sheet from which xlwings' VBA reads its settings: key and value, from A1 down to the first blank cell."""

SOURCE = "quickstart_standalone.xlsm"
PROJECT = "xl/vbaProject.bin"
_WORKBOOK = "xl/workbook.xml"
_PLACE = "digest of the parts"
_THEIR_NAME = 'Public Const PROJECT_NAME As String = "xlwings"'
_OUR_NAME = _THEIR_NAME.replace("xlwings", PROJECT_NAME)
_BLANK_DATE = date(1980, 1, 1)


class _AddIn(Workbook):
    """Excel takes a workbook for an add-in by its content type alone."""

    mime_type = "application/vnd.ms-excel.addin.macroEnabled.main+xml"


@dataclass(frozen=True, slots=True)
class Built:
    """One file; `written` is False where the same bytes were there already."""

    path: Path
    written: bool


def build_files(folder: Path, *, force: bool = False) -> list[Built]:
    """Writes the macro workbooks, the add-in and the notice of what they contain into `folder`.

    Raises SaveError where one cannot be written, or is there, differs, and `force` is not given. All are made
    before the first one is written.
    """
    made = {name: macro_workbook(template()) for name, template in TEMPLATES.items()}
    made |= {ADDIN: addin(), NOTICE: notice().encode()}
    built = []
    for name in made:
        path = folder / name
        same = _holds(path, made[name])
        if path.exists() and not same and not force:
            raise SaveError(f"Cannot write {path}: it is there and differs", "--force replaces it.")
        built.append(Built(path, not same))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SaveError(f"Cannot make the folder {folder}: {problem.strerror}", "Choose another one.") from problem
    for one in built:
        if one.written:
            write_atomically(one.path, made[one.path.name])
    return built


def macro_workbook(book: Book) -> bytes:
    """The .xlsm of `book`, which gets a sheet of settings and the worksheet functions."""
    settings = {
        **_settings(),
        SETTING: (
            "no",
            "yes: a cell that is an error shows the reason as a text. no: it shows Excel's error, which other "
            "formulas see. Ctrl+Alt+F9 recalculates after a change.",
        ),
    }
    _write_settings(
        book.workbook,
        settings,
        "Which Python answers is set for the user, by xl-conversion excel install. For another one in this "
        "workbook add, right below the rows above, Interpreter_Win and the path of its python.exe.",
    )
    # The sheet with the help comes last.
    if INTELLISENSE in book.workbook.sheetnames:
        book.workbook.move_sheet(CONFIGURATION, -1)
    else:
        append_intellisense(book.workbook)
    return _packed(book, module_text())


def addin() -> bytes:
    """The .xlam: the worksheet functions for every workbook.

    It takes its Python and everything else from the user's file of settings: nobody sees its sheet. It says of
    itself what its parts come to, so that one that was changed is known.
    """
    book = Book("", _BLANK_DATE, workbook=_AddIn())
    book.workbook.remove(book.workbook.worksheets[0])
    book.workbook.properties.title = "Conversion price functions (xl_conversion)"
    book.workbook.properties.description = (
        f"Exact worksheet functions for conversion prices of preferred stock. xl_conversion {__version__}, for "
        f"xlwings {xlwings_version()}."
    )
    book.workbook.properties.creator = "xl_conversion"
    book.workbook.properties.identifier = _PLACE
    _write_settings(book.workbook, _settings())
    with ZipFile(BytesIO(_packed(book, module_text(addin=True)))) as archive:
        entries = archive.infolist()
        parts = {entry.filename: archive.read(entry) for entry in entries}
    # It has no formulas, and is opened at each start: nothing to recalculate then.
    parts[_WORKBOOK] = re.sub(rb"<calcPr [^>]*/>", b"", parts[_WORKBOOK])
    parts[PROPERTIES] = parts[PROPERTIES].replace(_PLACE.encode(), digest(parts).encode())
    done = BytesIO()
    with ZipFile(done, "w") as archive:
        for entry in entries:
            archive.writestr(entry, parts[entry.filename], compresslevel=6)
    return done.getvalue()


def notice() -> str:
    """The licence of what the files contain, from the comments at the head of the module itself."""
    return "\n".join(
        [
            f"{', '.join([*TEMPLATES, ADDIN])} contain VBA of xlwings {xlwings_version()}",
            "in the module xlwings: shortened to what reaches Python from Excel on Windows, made private, with",
            "settings of another name and with the function ErrorTexts of xl_conversion. Its head says:",
            _head(_carried()),
            "",
        ]
    )


def dll_name() -> str:
    """The library that the VBA loads in 64-bit Excel, and that pip puts beside the interpreter on Windows."""
    found = re.search(r'"(xlwings64-[^"]*\.dll)"', _carried().source)
    if found is None:
        raise _unusable("its VBA names no library")
    return found[1]


def xlwings_version() -> str:
    """The version of xlwings that is installed, for which everything is built."""
    version: str = xw.__version__
    return version


def _packed(book: Book, functions: str) -> bytes:
    if dll_name() != f"xlwings64-{xlwings_version()}.dll":
        raise _unusable(f"its VBA loads {dll_name()}, which is of another version")
    workbook = book.workbook
    workbook.code_name = WORKBOOK_CODE_NAME
    documents = [document(WORKBOOK_CODE_NAME)]
    for number, sheet in enumerate(workbook.worksheets, start=1):
        # A template names its sheets itself, so that a refresh finds them.
        sheet.sheet_properties.codeName = sheet.sheet_properties.codeName or f"Sheet{number}"
        documents.append(document(sheet.sheet_properties.codeName))
    modules = [*documents, Module(MODULE, Kind.STANDARD, functions), _carried()]
    workbook.vba_archive = _archive(project_bytes(_template(), modules))
    return workbook_bytes(workbook, book.cached, as_of=book.as_of)


def _archive(project: bytes) -> ZipFile:
    """The project as openpyxl keeps it for a workbook that it has read."""
    package = "http://schemas.openxmlformats.org/package/2006/"
    kept = BytesIO()
    with ZipFile(kept, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}content-types"/>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{package}relationships"/>')
        archive.writestr(PROJECT, project)
    return ZipFile(kept)


def _settings() -> dict[str, tuple[str, str]]:
    return {
        # As text: VBA would make a word of the user's language of a truth value.
        "ADD_WORKBOOK_TO_PYTHONPATH": (
            "False",
            "False: Python does not take modules from the folder of the workbook, whoever put them there.",
        ),
    }


def _write_settings(workbook: Workbook, settings: Mapping[str, tuple[str, str]], more: str = "") -> None:
    sheet = workbook.create_sheet(CONFIGURATION)
    for letter, width in zip("ABC", (30, 34, 78), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    top = Alignment(vertical="top", wrap_text=True)
    for row, (key, (value, meaning)) in enumerate(settings.items(), start=1):
        for column, text in enumerate((key, value, meaning), start=1):
            cell = sheet.cell(row, column)
            cell.font = Font(FONT, 10, bold=column == 1, color=INPUT_INK if column == 2 else None)
            cell.alignment = top
            put_text(cell, text)
        sheet.cell(row, 2).fill = PatternFill("solid", INPUT_FILL)
        if key == SETTING:
            choice = DataValidation("list", formula1='"no,yes"', allow_blank=False, showErrorMessage=True)
            sheet.add_data_validation(choice)
            choice.add(sheet.cell(row, 2).coordinate)
    notes: Sequence[str] = (
        "xlwings reads these settings, from A1 down to the first blank cell.",
        *([more] if more else []),
        f"Built by xl_conversion {__version__} for xlwings {xlwings_version()} ({dll_name()}): another version of "
        "xlwings needs another build, by xl-conversion excel build.",
    )
    for row, text in enumerate(notes, start=len(settings) + 4):  # so that a row or two can be added
        cell = sheet.cell(row, 1)
        cell.font = Font(FONT, 9, color="5B6673")
        cell.alignment = top
        put_text(cell, text)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=3)
        sheet.row_dimensions[row].height = 12.75 * lines(text, 142)  # merged cells get no height by themselves


@cache
def _template() -> bytes:
    """The VBA project of the workbook that xlwings gives to those who distribute it with their macros."""
    path = Path(xw.__file__).parent / SOURCE
    try:
        with ZipFile(path) as archive:
            return archive.read(PROJECT)
    except (OSError, KeyError, BadZipFile) as problem:
        raise _unusable(f"{path} is missing or damaged") from problem


@cache
def _carried() -> Module:
    """The module of xlwings that reaches Python, shortened to that."""
    try:
        found = next((one for one in modules_of(_template()) if one.name == CARRIED), None)
    except PyOpenVBAError as problem:
        raise _unusable(f"the macros of {SOURCE} are damaged") from problem
    if found is None:
        raise _unusable(f"{SOURCE} has no module {CARRIED}")
    if _THEIR_NAME not in found.source:
        raise _unusable("its VBA does not name its settings where expected")
    try:
        return replace(found, source=shortened(found.source.replace(_THEIR_NAME, _OUR_NAME)))
    except ValueError as problem:
        raise _unusable(str(problem)) from problem


def _head(module: Module) -> str:
    """The comments before the first line of code."""
    head = [""]
    for line in module.source.splitlines():
        if line.startswith("'Attribute") or (line.strip() and not line.startswith(("'", "Attribute ", "Option "))):
            break
        if line.startswith("'") and ((text := line.strip("'~ ")) or head[-1]):
            head.append(text)
    return "\n".join(head).rstrip()


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == data
    except OSError:
        return False


def _unusable(reason: str) -> SaveError:
    return SaveError(
        f"Cannot build for Excel with xlwings {xlwings_version()}: {reason}",
        "Install xlwings anew with pip, in a version that xl_conversion allows.",
    )
