"""The workbook that is open in Excel on Windows: its inputs are replaced there, and Excel recalculates.

Through xlwings. Nothing is saved: what was written can be looked at, and the user saves or closes without saving.
Excel's own Undo does not take it back.

Not seen in a running Excel: it was run with xlwings' own Windows classes on top of a stand-in for Excel's objects.
So whatever is written is read back, and counts as written only if Excel holds exactly that.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, Final, NamedTuple, ParamSpec, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from openpyxl.cell.cell import ERROR_CODES
from openpyxl.utils import get_column_letter

from xl_conversion.books.refresh.package import Constant, StoredCell
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.hosts.excel.errors import ERRORS

MAX_CELLS: Final = 2_000_000
"""Of the used range of a sheet, so that a stray format in the last row is told and not read for minutes."""
MAX_TEXT: Final = 32_767

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Box: TypeAlias = tuple[int, int, int, int]  # first row and column, last row and column

_WINDOWS = "xlwings._xlwindows"
_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts while Excel is busy
_REJECTED = {-2147418111, -2147417846}  # RPC_E_CALL_REJECTED, RPC_E_SERVERCALL_RETRYLATER
_IGNORED = -2146777998  # 0x800AC472: a cell is being edited, or a dialog is open
_ERROR_BASE = 0x800A0000 - 2**32  # the HRESULT of a cell's error, less its number
_ERRORS = {**ERRORS, 2051: "#BUSY!"}
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_TEXT_FORMAT = "@"
_VISIBLE = -1  # xlSheetVisible
_QUIET = {"calculation": "manual", "screen_updating": False, "enable_events": False}


class LiveError(Exception):
    """The open workbook could not be read or written.

    `message` says in one line what is wrong, `hint` what to do about it.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint


class LiveSheet(NamedTuple):
    """A worksheet of the open workbook."""

    title: str
    code_name: str
    visible: bool


@dataclass(frozen=True)
class _Target:
    """A cell to be written: its range in Excel, what it shall hold, and what it held."""

    name: str
    range: Any
    text_format: bool
    value: Constant
    before: StoredCell


class LiveWorkbook:
    """The workbook open in Excel, read and written cell by cell."""

    def __init__(self, book: Any) -> None:
        """`book` is xlwings' Book; :meth:`find` looks for it."""
        self._book = book

    @classmethod
    def find(cls, path: Path) -> LiveWorkbook:
        """The workbook with that path in any running Excel; LiveError if it is not there or cannot be written.

        A workbook in OneDrive or SharePoint goes by an address. It is taken if that ends with the path of the file
        below its OneDrive folder or, elsewhere, with the names of the file and of the folder that it is in.
        """
        import xlwings

        # The classes for Windows, since those for macOS offer less than is needed here.
        if _WINDOWS not in sys.modules or "excel" not in [engine.name for engine in xlwings.engines]:
            raise LiveError(
                f"{path.name} cannot be reached: a workbook that is open is refreshed in Excel on Windows only",
                "Close it and refresh the file, without --live; on Windows, see `xl-conversion excel doctor`",
            )
        with _attentive():
            book = _patiently(_open_book, xlwings.engines["excel"], path)
            if _patiently(lambda: book.api.Date1904):
                raise LiveError(
                    f"{path.name} counts its dates from 1904, and dates would be four years off",
                    "Switch that off under File > Options > Advanced, and look at its dates",
                )
        return cls(book)

    @property
    def sheets(self) -> tuple[LiveSheet, ...]:
        """The worksheets in their order."""
        with _attentive():
            return _patiently(
                lambda: tuple(
                    LiveSheet(sheet.name, sheet.api.CodeName, sheet.api.Visible == _VISIBLE)
                    for sheet in self._book.sheets
                )
            )

    @property
    def names(self) -> Mapping[str, str]:
        """What each name refers to, as `=Inputs!$B$3`; the name of one sheet only has its title before it."""
        with _attentive():
            return _patiently(lambda: {name.name: name.refers_to for name in self._book.names})

    def cells(self, title: str) -> Mapping[str, StoredCell]:
        """The cells of a sheet that hold something, by their address, as they are now; LiveError if it cannot be.

        Read at once, and as Value2: a date is its serial number, and a cell in a currency format keeps all digits.
        """
        with _attentive():
            return _patiently(lambda: _cells(self._sheet(title)))

    def apply(self, changes: Mapping[tuple[str, str], Constant]) -> None:
        """Write constants into cells, by the title of the sheet and the address; then Excel calculates once.

        A text stays a text, whatever it begins with, and an empty one is a blank. Nothing is saved. LiveError if a
        cell cannot be written; then those already written are put back, and it says which one and why. Formulas,
        locked cells and the like are found before anything is written.
        """
        with _attentive():
            targets = _patiently(self._targets, changes)
            if targets:
                with _quiet(self._book.app) as app:
                    _write(targets, app.calculate)

    def _sheet(self, title: str) -> Any:
        sheets = {sheet.name: sheet for sheet in self._book.sheets}
        if title not in sheets:
            raise LiveError(f"The open workbook has no sheet {title!r}", f"It has {', '.join(sheets)}")
        return sheets[title]

    def _targets(self, changes: Mapping[tuple[str, str], Constant]) -> list[_Target]:
        """The cells to be written, all of them looked at; LiveError for the first that cannot be."""
        sheets: dict[str, tuple[Any, Mapping[str, StoredCell], bool]] = {}
        targets: dict[str, _Target] = {}
        for (title, address), value in changes.items():
            if title not in sheets:
                sheet = self._sheet(title)
                sheets[title] = sheet, _cells(sheet), bool(sheet.api.ProtectContents)
            sheet, cells, protected = sheets[title]
            name = f"{title}!{address}"
            found = _CELL.fullmatch(address.upper())
            if found is None:
                raise LiveError(f"{name} is not the address of a cell", "Write it as B3")
            address = f"{found[1]}{found[2]}"
            name = f"{title}!{address}"
            if name in targets:
                raise LiveError(f"{name} is to be written twice", "Keep one of the two")
            cell, before = sheet.range(address).api, cells.get(address, StoredCell(None))
            _refuse_unwritable(name, cell, before, protected)
            value = _constant(name, value)
            text_format = cell.NumberFormat == _TEXT_FORMAT
            for number in (value, before.value):  # neither could be written, nor put back
                if text_format and isinstance(number, float | bool):
                    raise LiveError(
                        f"{name} has the format Text, in which {_shown(number)} would become a text",
                        "Give the cell another number format",
                    )
            targets[name] = _Target(name, cell, text_format, value, before)
        return list(targets.values())


def _constant(name: str, value: Constant) -> Constant:
    """The value as Excel will hold it: an empty text as a blank and any number as a float."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise LiveError(f"{name}: a text of {len(value)} characters", f"A cell holds {MAX_TEXT} of them")
        return value or None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number != value:
        shown = _shown(value) if math.isfinite(number) else number  # Python shows no integer of 5000 digits
        raise LiveError(f"{name}: {shown} is not a number that a cell can hold", "A cell holds a finite double")
    return number


def _refuse_unwritable(name: str, cell: Any, before: StoredCell, protected: bool) -> None:
    if before.spilled_from:
        raise LiveError(f"{name} is filled by the formula of {before.spilled_from}", "Only inputs are written")
    if before.formula:
        raise LiveError(f"{name} holds a formula, {_shown(f'={before.formula}')}", "Only inputs are written")
    if protected and cell.Locked is not False:
        raise LiveError(
            f"{name} is locked on a protected sheet", "Only its input cells are open: see Review > Unprotect Sheet"
        )
    if cell.MergeCells and (cell.MergeArea.Row, cell.MergeArea.Column) != (cell.Row, cell.Column):
        raise LiveError(f"{name} is hidden behind merged cells", "Write the first of them")


def _write(targets: Sequence[_Target], calculate: Callable[[], None]) -> None:
    """All of them, or none and LiveError."""
    begun: list[_Target] = []
    doing = ""
    try:
        for target in targets:
            begun.append(target)
            doing = f"while writing {target.name}"
            _patiently(_enter, target, target.value)
            if not _patiently(_holds, target, target.value):
                raise LiveError(
                    f"{target.name} does not take {_shown(target.value)}", "Enter it by hand to see why"
                )
        doing = "while calculating"
        _patiently(calculate)
    except BaseException as problem:  # whatever it is, half a refresh is the worst outcome
        left = _put_back(begun)
        # Without the type library of Excel, pywin32 says that a property cannot be set, whatever Excel says.
        if not isinstance(problem, LiveError | AttributeError) and not _of_excel(problem):
            raise
        told = problem if isinstance(problem, LiveError) else _told(problem, doing)
        if left:
            raise LiveError(
                told.message, f"Not put back, and changed therefore: {', '.join(left)}. {told.hint}"
            ) from problem
        raise LiveError(told.message, f"Nothing was changed. {told.hint}") from problem


def _put_back(targets: Sequence[_Target]) -> list[str]:
    """Each target as it was before; the names of those for which that failed."""
    left = []
    for target in reversed(targets):
        try:
            if not _patiently(_holds_before, target):
                _patiently(_enter_before, target)
                if not _patiently(_holds_before, target):
                    left.append(target.name)
        except Exception:  # the others are put back all the same
            left.append(target.name)
    return left[::-1]


def _enter(target: _Target, value: Constant) -> None:
    """Excel reads a text as if it were typed: 1/2 becomes a date, with the format of one, and =A1 a formula.

    So it goes behind an apostrophe, which Excel takes off and which leaves the number format alone. In the format
    Text nothing is read, and an apostrophe is needed only before another.
    """
    if value is None:
        target.range.MergeArea.ClearContents()  # part of merged cells cannot be cleared
    elif isinstance(value, str) and (not target.text_format or value.startswith("'")):
        target.range.Value2 = f"'{value}"
    else:
        target.range.Value2 = value


def _holds(target: _Target, value: Constant) -> bool:
    held = target.range.Value2
    return type(held) is type(value) and held == value and not target.range.HasFormula


def _enter_before(target: _Target) -> None:
    if isinstance(target.before.value, ExcelErrorText):
        target.range.Formula = str(target.before.value)  # the code of an error, typed in, is that error
    else:
        _enter(target, target.before.value)


def _holds_before(target: _Target) -> bool:
    if isinstance(target.before.value, ExcelErrorText):
        return _error(target.range.Value2) == target.before.value and not target.range.HasFormula
    return _holds(target, target.before.value)


@contextmanager
def _quiet(app: Any) -> Iterator[Any]:
    """Neither calculation nor redrawing nor events, and afterwards as it was, whatever happens in between."""
    before: dict[str, Any] = {}
    try:
        for name, value in _QUIET.items():
            before[name] = _patiently(getattr, app, name)
            _patiently(setattr, app, name, value)
        yield app
    except BaseException as problem:
        left = _set_back(app, before)
        if left and (isinstance(problem, LiveError) or _of_excel(problem)):
            told = problem if isinstance(problem, LiveError) else _told(problem, "before writing")
            raise LiveError(told.message, f"{told.hint}. {left}") from problem
        raise
    left = _set_back(app, before)
    if left:
        raise LiveError("All cells are written, but Excel's settings are not as they were", left)


def _set_back(app: Any, before: Mapping[str, Any]) -> str:
    """What is to be done by hand, since Excel did not take a setting back."""
    left = []
    for name, value in reversed(list(before.items())):
        try:
            _patiently(setattr, app, name, value)
        except Exception:  # the others are set back all the same
            left.append(f"{name} = {value}")
    return f"Restart Excel, or set back by hand: {', '.join(left)}" if left else ""


def _open_book(engine: Any, path: Path) -> Any:
    here: list[Any] = []
    in_cloud: list[Any] = []
    running, busy = False, None
    for app in engine.apps:
        running = True
        try:
            for book in app.books:
                full_name = book.api.FullName
                if "://" in full_name:
                    in_cloud += [book] if _same_in_cloud(full_name, path) else []
                elif _real(full_name) == _real(path):
                    here.append(book)
        except Exception as problem:
            # OSError is an Excel without a window of a workbook, which has none to offer.
            if not isinstance(problem, OSError):
                if not _busy(problem):
                    raise
                busy = problem
    found = here or in_cloud
    if not running:
        raise LiveError("Excel is not running", f"Open {path.name} in Excel, or refresh the file, without --live")
    if not found and busy:  # it may be the one that does not answer
        raise busy
    if not found:
        raise LiveError(
            f"{path} is not open in Excel",
            "Open it there (and Enable Editing where that is offered), or refresh the file, without --live",
        )
    writable = [book for book in found if not book.api.ReadOnly]
    if not writable:
        raise LiveError(f"{path.name} is open read-only", "Close it and open it for editing, then once more")
    if len(writable) > 1:
        which = ", ".join(book.api.FullName for book in writable)
        raise LiveError(
            f"{path.name} is open {len(writable)} times: {which}", "Close all but the one that is meant"
        )
    return writable[0]


def _real(path: str | Path) -> str:
    """The path without links, in lower case, since Windows does not tell them apart."""
    return os.path.realpath(path).casefold()


def _same_in_cloud(address: str, path: Path) -> bool:
    parts = [part.casefold() for part in path.absolute().parts]
    tail = parts[-2:]
    for index, part in enumerate(parts[:-1]):
        if part == "onedrive" or part.startswith("onedrive - "):
            tail = parts[index + 1 :]
    there = [part.casefold() for part in unquote(urlsplit(address).path).split("/")]
    return there[-len(tail) :] == tail


def _cells(sheet: Any) -> dict[str, StoredCell]:
    used = sheet.used_range
    top, left = used.row, used.column
    height, width = used.shape
    if height * width > MAX_CELLS:
        raise LiveError(
            f"The sheet {sheet.name!r} uses {height} rows and {width} columns",
            f"Delete the empty rows and columns at its end: {MAX_CELLS} cells are read",
        )
    values, formulas = _grid(used.api.Value2), _grid(used.api.Formula)
    arrays = _arrays(sheet, (top, left, top + height - 1, left + width - 1))
    cells = {}
    for row, (row_values, row_formulas) in enumerate(zip(values, formulas, strict=True), top):
        for column, (value, formula) in enumerate(zip(row_values, row_formulas, strict=True), left):
            address = f"{get_column_letter(column)}{row}"
            array = arrays.get((row, column), "")
            if not (isinstance(formula, str) and formula.startswith("=")) or (
                # A text that looks like a formula, as both properties give it.
                value == formula and not sheet.range(address).api.HasFormula
            ):
                formula = ""
            first = array.partition(":")[0]
            error = _error(value)
            # Errors that files know none of, such as #SPILL!, are #VALUE! to a formula that reads them.
            shown = ExcelErrorText(error if error in ERROR_CODES else "#VALUE!") if error else value
            if array and first != address:
                cell = StoredCell(shown, spilled_from=first)
            else:
                cell = StoredCell(shown, formula.removeprefix("="), array)
            if cell != StoredCell(None):
                cells[address] = cell
    return cells


def _arrays(sheet: Any, box: _Box) -> dict[tuple[int, int], str]:
    """The range of the array formula that fills a cell; asked of blocks, and of parts only where there is one."""
    found: dict[tuple[int, int], str] = {}
    blocks = [box]
    while blocks:
        top, left, bottom, right = block = blocks.pop()
        if (top, left) == (bottom, right) and (top, left) in found:
            continue
        cells = sheet.range(_address(block)).api
        spills = _spills(cells)
        if spills is False and cells.HasArray is False:
            continue
        if (top, left) == (bottom, right):
            whole = cells.SpillParent.SpillingToRange if spills else cells.CurrentArray
            height, width = whole.Rows.Count, whole.Columns.Count
            filled = whole.Row, whole.Column, whole.Row + height - 1, whole.Column + width - 1
            for row in range(filled[0], filled[2] + 1):
                for column in range(filled[1], filled[3] + 1):
                    found[row, column] = _address(filled)
        elif bottom - top >= right - left:
            middle = (top + bottom) // 2
            blocks += [(middle + 1, left, bottom, right), (top, left, middle, right)]
        else:
            middle = (left + right) // 2
            blocks += [(top, middle + 1, bottom, right), (top, left, bottom, middle)]
    return found


def _spills(cells: Any) -> bool | None:
    """Whether a formula spills over the cells; None if over some of them."""
    try:
        spills: bool | None = cells.HasSpill
    except Exception as problem:
        if _busy(problem):
            raise
        return False  # Excel 2019 and before: no formula spills
    return spills


def _address(box: _Box) -> str:
    top, left, bottom, right = box
    first, last = f"{get_column_letter(left)}{top}", f"{get_column_letter(right)}{bottom}"
    return first if first == last else f"{first}:{last}"


def _grid(values: Any) -> Sequence[Sequence[Any]]:
    """Rows of what Excel gives for a range; for a single cell it gives no rows."""
    return values if isinstance(values, tuple) else ((values,),)


def _error(value: Any) -> str:
    """The code of a cell's error, '' for anything else. Numbers are floats, so an integer is an error."""
    if not isinstance(value, int) or isinstance(value, bool):
        return ""
    number = value - _ERROR_BASE
    return _ERRORS.get(number, f"#ERROR {number}")


@contextmanager
def _attentive() -> Iterator[None]:
    """While Excel is busy, xlwings asks again without end and without a pause; here it hands the refusal on."""
    windows = sys.modules[_WINDOWS]
    before = windows.N_COM_ATTEMPTS
    vars(windows)["N_COM_ATTEMPTS"] = 1
    try:
        yield
    except Exception as problem:
        if not _of_excel(problem):
            raise
        raise _told(problem, "") from problem
    finally:
        vars(windows)["N_COM_ATTEMPTS"] = before


def _patiently(act: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What it gives, a few seconds later if Excel is busy until then."""
    for pause in _PAUSES:
        try:
            return act(*args, **kwargs)
        except Exception as problem:
            if not _busy(problem):
                raise
        sleep(pause)
    return act(*args, **kwargs)


def _of_excel(problem: BaseException) -> bool:
    """Whether Excel refused something; pywin32, whose exceptions they are, exists on Windows only."""
    return isinstance(getattr(problem, "hresult", None), int) or type(problem).__name__ == "ExcelBusyError"


def _busy(problem: BaseException) -> bool:
    if not _of_excel(problem):
        return False
    details = getattr(problem, "excepinfo", None)
    codes = {getattr(problem, "hresult", None), details[5] if details else None}
    return type(problem).__name__ == "ExcelBusyError" or bool(codes & {*_REJECTED, _IGNORED})


def _told(problem: BaseException, when: str) -> LiveError:
    if _busy(problem):
        return LiveError(
            f"Excel is busy and does not answer{when and ' '}{when}",
            "Finish the cell that is being edited (Enter or Esc), close dialogs, and once more",
        )
    details = getattr(problem, "excepinfo", None)
    reason = " ".join(str((details and details[2]) or problem).split()).rstrip(".")
    return LiveError(f"Excel refused{when and ' '}{when}: {reason}", "Try it by hand there")


def _shown(value: Constant) -> str:
    text = "a blank" if value is None else str(value).upper() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
