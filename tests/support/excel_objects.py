"""Excel's objects as xlwings sees them on Windows, on any system: xlwings' own Windows classes over a fake Excel.

What is imitated of Excel, as its reference says, and where that is silent as it is told of it:

- several instances, each with its workbooks, found by their windows;
- what is assigned to Value, Value2 or Formula is read as if typed: a text becomes a number, a date with the format
  of one, a truth value, an error or a formula, unless an apostrophe stands before it or the cell has the format
  Text, in which a number becomes a text too;
- Value gives a Decimal of 4 digits in a currency format and a date in a date format, Value2 the number; an error
  is the int of its HRESULT; Formula gives a constant as a text; a single cell gives no rows; where cells differ
  there is Null;
- array formulas, formulas that spill, merged cells, locked cells of a protected sheet;
- calculation after each entry, or when asked for, or when it is set to automatic again;
- while it is busy every call is refused, in the two ways in which that happens.

Formulas are products of cells; any other gives #NAME?. A test can let any access fail, see `Application.watch`.
"""

# ruff: noqa: N802

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import itertools
import re
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeAlias
from unittest.mock import MagicMock, patch

import xlwings
from openpyxl.utils import range_boundaries

from support.excel import Error

Content: TypeAlias = float | str | bool | Error | None
Box: TypeAlias = tuple[int, int, int, int]  # first row and column, last row and column

AUTOMATIC, MANUAL = -4105, -4135
REJECTED = -2147418111  # RPC_E_CALL_REJECTED
EXCEPTION = -2147352567  # DISP_E_EXCEPTION
IGNORED = -2146777998  # VBA_E_IGNORE, 0x800AC472
REFUSED = -2146827284  # 0x800A03EC, "application-defined error"
UNKNOWN_NAME = -2147352570  # DISP_E_UNKNOWNNAME

_ERRORS = {"#N/A": 2042, "#DIV/0!": 2007, "#VALUE!": 2015, "#REF!": 2023, "#NAME?": 2029, "#NUM!": 2036}
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?")


class ComError(Exception):
    """pywintypes.com_error."""

    def __init__(self, hresult: int, text: str, scode: int | None = None) -> None:
        details = None if scode is None else (0, "Microsoft Excel", text, None, 0, scode)
        super().__init__(hresult, text, details, None)
        self.hresult, self.strerror, self.excepinfo, self.argerror = self.args


def rejected() -> ComError:
    """How Excel refuses every call while it is busy."""
    return ComError(REJECTED, "Call was rejected by callee.")


def ignored() -> ComError:
    """How Excel refuses some calls while a cell is being edited."""
    return ComError(EXCEPTION, "Exception occurred.", IGNORED)


def refused(text: str) -> ComError:
    """How Excel says that it does not do something."""
    return ComError(EXCEPTION, text, REFUSED)


class ComObject:
    """What pywin32 makes of one of Excel's objects. Names in capitals are Excel's, and each access is watched."""

    app: Application

    def __getattribute__(self, name: str) -> Any:
        if name[0].isupper():
            self.app.watch(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0].isupper():
            self.app.watch(self, f"{name}=")
        super().__setattr__(name, value)

    @property
    def _oleobj_(self) -> Any:
        return self

    def GetIDsOfNames(self, _locale: int, name: str) -> None:
        """Asked by xlwings for a name that is not there."""
        raise ComError(UNKNOWN_NAME, f"Unknown name: {name}")


class Application(ComObject):
    """A running Excel. `watch` is called with the object and the name at each access, `Value2=` for one to set."""

    def __init__(self, window: int) -> None:
        self.app = self
        self.window = window
        self.books: list[Workbook] = []
        self.windowless = False
        self.calculations = 0
        self.watch: Callable[[ComObject, str], None] = lambda _object, _name: None
        self.settings = {"screen": True, "events": True, "calculation": AUTOMATIC}
        self.changes_seen = 0
        """By handlers of events, which other people's add-ins have."""

    def open(self, full_name: str, *titles: str, read_only: bool = False) -> Workbook:
        """Opens a workbook with empty sheets."""
        book = Workbook(self, full_name, read_only)
        book.sheets = [Worksheet(book, title) for title in titles]
        self.books.append(book)
        return book

    def settle(self, sheet: Worksheet) -> None:
        """What happens after an entry."""
        sheet.book.dirty = True
        self.changes_seen += self.settings["events"]
        self.recalculate()

    def recalculate(self) -> None:
        if self.settings["calculation"] != MANUAL and any(book.dirty for book in self.books):
            self.calculate()

    def calculate(self) -> None:
        self.calculations += 1
        for book in self.books:
            book.dirty = False
            for sheet in book.sheets:
                for cell in sheet.content.values():
                    if cell.formula:
                        cell.content = book.evaluate(cell.formula)

    @property
    def Application(self) -> Application:
        return self

    @property
    def Workbooks(self) -> Collection:
        return Collection(self, self.books)

    @property
    def Hwnd(self) -> int:
        return self.window

    def Calculate(self) -> None:
        self.calculate()

    @property
    def Calculation(self) -> int:
        return self.settings["calculation"]

    @Calculation.setter
    def Calculation(self, value: int) -> None:
        self.settings["calculation"] = value
        self.recalculate()

    @property
    def ScreenUpdating(self) -> bool:
        return bool(self.settings["screen"])

    @ScreenUpdating.setter
    def ScreenUpdating(self, value: bool) -> None:
        self.settings["screen"] = value

    @property
    def EnableEvents(self) -> bool:
        return bool(self.settings["events"])

    @EnableEvents.setter
    def EnableEvents(self, value: bool) -> None:
        self.settings["events"] = value


class Collection(ComObject):
    """Workbooks, Worksheets or Names: by number from 1, or by name."""

    def __init__(self, app: Application, items: list[Any]) -> None:
        self.app = app
        self.items = items

    def __call__(self, key: int | str) -> Any:
        for number, item in enumerate(self.items, 1):
            if key in (number, item.name):
                return item
        raise ComError(EXCEPTION, "Invalid index.", -2147352565)

    def __iter__(self) -> Iterator[Any]:
        self.app.watch(self, "_NewEnum")
        return iter(self.items)

    @property
    def Count(self) -> int:
        return len(self.items)


class Workbook(ComObject):
    """An open workbook."""

    def __init__(self, app: Application, full_name: str, read_only: bool) -> None:
        self.app = app
        self.full_name = full_name
        self.name = re.split(r"[/\\]", full_name)[-1]
        self.read_only = read_only
        self.date1904 = False
        self.sheets: list[Worksheet] = []
        self.names: list[Name] = []
        self.dirty = False
        self.saves = 0

    def __getitem__(self, title: str) -> Worksheet:
        return next(sheet for sheet in self.sheets if sheet.name == title)

    def evaluate(self, formula: str) -> Content:
        product = 1.0
        for factor in formula.removeprefix("=").split("*"):
            found = re.fullmatch(r"(\w+)!([A-Z]+[0-9]+)", factor)
            if not found:
                return Error(2029)
            content = self[found[1]][found[2]].content
            if isinstance(content, str | Error):
                return Error(2015)
            product *= content or 0.0
        return product

    @property
    def Application(self) -> Application:
        return self.app

    @property
    def Name(self) -> str:
        return self.name

    @property
    def FullName(self) -> str:
        return self.full_name

    @property
    def ReadOnly(self) -> bool:
        return self.read_only

    @property
    def Date1904(self) -> bool:
        return self.date1904

    @property
    def Worksheets(self) -> Collection:
        return Collection(self.app, self.sheets)

    @property
    def Names(self) -> Collection:
        return Collection(self.app, self.names)

    def Save(self) -> None:
        self.saves += 1


class Name(ComObject):
    """A defined name."""

    def __init__(self, book: Workbook, name: str, refers_to: str) -> None:
        self.app, self.name, self.refers_to = book.app, name, refers_to

    @property
    def Name(self) -> str:
        return self.name

    @property
    def RefersTo(self) -> str:
        return self.refers_to


@dataclass
class Cell:
    """A cell as it is stored."""

    content: Content = None
    formula: str = ""
    number_format: str = "General"
    locked: bool = True
    prefix: str = ""


@dataclass
class Array:
    """A range that one formula fills."""

    box: Box
    spills: bool


@dataclass
class Worksheet(ComObject):
    """A worksheet; `sheet["B3"]` is the cell as it is stored."""

    book: Workbook
    name: str
    code_name: str = "Sheet1"
    visible: int = -1
    protected: bool = False
    content: dict[tuple[int, int], Cell] = field(default_factory=dict)
    arrays: list[Array] = field(default_factory=list)
    merged: list[Box] = field(default_factory=list)
    used: str = ""

    def __post_init__(self) -> None:
        self.app = self.book.app

    def __getitem__(self, address: str) -> Cell:
        return self.content.setdefault(box_of(address)[:2], Cell())

    def __setitem__(self, address: str, cell: Cell) -> None:
        self.content[box_of(address)[:2]] = cell

    def fill(self, address: str, formula: str, content: Content, *, spills: bool) -> None:
        """Fills a range with one formula, and the same content in all its cells."""
        box = box_of(address)
        self.arrays.append(Array(box, spills))
        for at in cells_of(box):
            self.content[at] = Cell(content)
        for at in [box[:2]] if spills else cells_of(box):
            self.content[at].formula = formula

    @property
    def Parent(self) -> Workbook:
        return self.book

    @property
    def Name(self) -> str:
        return self.name

    @property
    def CodeName(self) -> str:
        return self.code_name

    @property
    def Visible(self) -> int:
        return self.visible

    @property
    def ProtectContents(self) -> bool:
        return self.protected

    def Range(self, address: str) -> Any:
        return Range(self, box_of(address))

    @property
    def UsedRange(self) -> Any:
        if self.used or not self.content:
            return Range(self, box_of(self.used or "A1"))
        rows, columns = zip(*self.content, strict=True)
        return Range(self, (min(rows), min(columns), max(rows), max(columns)))


class Range(ComObject):
    """A rectangle of cells."""

    def __init__(self, sheet: Worksheet, box: Box) -> None:
        self.app, self.sheet, self.box = sheet.app, sheet, box

    def at(self, at: tuple[int, int]) -> Cell:
        return self.sheet.content.get(at, Cell())

    def same(self, give: Callable[[tuple[int, int]], Any]) -> Any:
        """What all cells have, or Null."""
        values = {give(at) for at in cells_of(self.box)}
        return values.pop() if len(values) == 1 else None

    def grid(self, give: Callable[[Cell], Any]) -> Any:
        top, left, bottom, right = self.box
        rows = tuple(tuple(give(self.at((r, c))) for c in range(left, right + 1)) for r in range(top, bottom + 1))
        return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows

    def array(self, at: tuple[int, int]) -> Array | None:
        return next((array for array in self.sheet.arrays if at in cells_of(array.box)), None)

    def merge(self) -> Box:
        return next((box for box in self.sheet.merged if self.box[:2] in cells_of(box)), self.box)

    def enter(self, value: Any) -> None:
        assert self.box[:2] == self.box[2:], "entries into several cells are not imitated"
        at = self.box[:2]
        self.check(at)
        if self.merge()[:2] != at:
            return  # nothing is said, and nothing is kept
        typed(self.sheet.content.setdefault(at, Cell()), value)
        self.app.settle(self.sheet)

    def check(self, at: tuple[int, int]) -> None:
        if self.sheet.protected and self.at(at).locked:
            raise refused("The cell or chart you're trying to change is on a protected sheet.")
        array = self.array(at)
        if array and not array.spills:
            raise refused("You can't change part of an array.")

    @property
    def Worksheet(self) -> Any:
        return self.sheet

    @property
    def Row(self) -> int:
        return self.box[0]

    @property
    def Column(self) -> int:
        return self.box[1]

    @property
    def Rows(self) -> Any:
        return types.SimpleNamespace(Count=self.box[2] - self.box[0] + 1)

    @property
    def Columns(self) -> Any:
        return types.SimpleNamespace(Count=self.box[3] - self.box[1] + 1)

    @property
    def Value(self) -> Any:
        return self.grid(value)

    @Value.setter
    def Value(self, given: Any) -> None:
        self.enter(given)

    @property
    def Value2(self) -> Any:
        return self.grid(value2)

    @Value2.setter
    def Value2(self, given: Any) -> None:
        self.enter(given)

    @property
    def Formula(self) -> Any:
        return self.grid(formula)

    @Formula.setter
    def Formula(self, given: Any) -> None:
        self.enter(given)

    @property
    def NumberFormat(self) -> str | None:
        return self.same(lambda at: self.at(at).number_format)  # type: ignore[no-any-return]

    @property
    def Locked(self) -> bool | None:
        return self.same(lambda at: self.at(at).locked)  # type: ignore[no-any-return]

    @property
    def HasFormula(self) -> bool | None:
        return self.same(lambda at: bool(self.at(at).formula))  # type: ignore[no-any-return]

    @property
    def HasArray(self) -> bool | None:
        return self.same(lambda at: self.array(at) is not None)  # type: ignore[no-any-return]

    @property
    def HasSpill(self) -> bool | None:
        return self.same(lambda at: bool((array := self.array(at)) and array.spills))  # type: ignore[no-any-return]

    @property
    def SpillParent(self) -> Range:
        array = self.array(self.box[:2])
        if not array or not array.spills:
            raise refused("No spill.")
        return Range(self.sheet, (*array.box[:2], *array.box[:2]))

    @property
    def SpillingToRange(self) -> Range:
        array = self.array(self.box[:2])
        if not array or not array.spills or array.box[:2] != self.box[:2]:
            raise refused("Not the cell of the formula.")
        return Range(self.sheet, array.box)

    @property
    def CurrentArray(self) -> Range:
        array = self.array(self.box[:2])
        if not array:
            raise refused("No cells were found.")
        return Range(self.sheet, array.box)

    @property
    def MergeCells(self) -> bool | None:
        return self.same(lambda at: any(at in cells_of(box) for box in self.sheet.merged))  # type: ignore[no-any-return]

    @property
    def MergeArea(self) -> Range:
        return Range(self.sheet, self.merge())

    def ClearContents(self) -> None:
        cut = any(set(cells_of(box)) - set(cells_of(self.box)) for box in self.sheet.merged if self.touches(box))
        if cut:
            raise refused("We can't do that to a merged cell.")
        for at in cells_of(self.box):
            self.check(at)
        for at in cells_of(self.box):
            typed(self.sheet.content.setdefault(at, Cell()), None)
        self.app.settle(self.sheet)

    def touches(self, box: Box) -> bool:
        return not set(cells_of(box)).isdisjoint(cells_of(self.box))


def box_of(address: str) -> Box:
    """The rectangle of an address as B3 or B3:C7."""
    left, top, right, bottom = range_boundaries(address)
    assert None not in (left, top, right, bottom)
    return int(top or 0), int(left or 0), int(bottom or 0), int(right or 0)


def cells_of(box: Box) -> list[tuple[int, int]]:
    """Row and column of each cell."""
    return list(itertools.product(range(box[0], box[2] + 1), range(box[1], box[3] + 1)))


def typed(cell: Cell, given: Any) -> None:
    """What becomes of a cell into which something is entered."""
    assert given is None or type(given) in (float, int, bool, str), f"{type(given)} is not imitated"
    cell.formula = cell.prefix = ""
    if given is None or given == "":
        cell.content = None
    elif not isinstance(given, str):
        number = given if isinstance(given, bool) else float(given)
        cell.content = general(number) if cell.number_format == "@" else number
    elif len(given) > 32767:
        raise refused("The text is too long.")
    elif given.startswith("'"):
        cell.content, cell.prefix = given[1:], "'"
    elif cell.number_format == "@":
        cell.content = given
    else:
        read(cell, given)


def read(cell: Cell, text: str) -> None:
    """A text as it is read when it is typed."""
    date = _DATE.fullmatch(text)
    if text.upper() in ("TRUE", "FALSE"):
        cell.content = text.upper() == "TRUE"
    elif text.upper() in _ERRORS:
        cell.content = Error(_ERRORS[text.upper()])
    elif date and int(date[1]) in range(1, 13) and int(date[2]) in range(1, 29):
        moment = datetime(int(date[3] or 2026), int(date[1]), int(date[2]), tzinfo=UTC)
        cell.content = (moment - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1)
        cell.number_format = "m/d/yyyy"
    elif re.fullmatch(r"[-+ ]*[\d,]*\.?\d+(?:[eE][-+]?\d{1,2})?%? *", text):
        plain = text.replace(" ", "").replace(",", "").lstrip("+")
        cell.content = float(plain.rstrip("%")) / (100 if plain.endswith("%") else 1)
        cell.number_format = "0.00%" if plain.endswith("%") else cell.number_format
    elif text[0] in "=+-@" and len(text) > 1:
        if text[0] == "@" or " " in text.strip():
            raise refused("There's a problem with this formula.")
        cell.formula = text if text[0] == "=" else f"={text}"
        cell.content = Error(2029)
    else:
        cell.content = text


def general(number: float | bool) -> str:
    """A number as a text, of 15 digits."""
    return str(number).upper() if isinstance(number, bool) else f"{number:.15g}"


def value2(cell: Cell) -> Any:
    """What Value2 gives."""
    return cell.content.hresult if isinstance(cell.content, Error) else cell.content


def value(cell: Cell) -> Any:
    """What Value gives."""
    if isinstance(cell.content, float) and "$" in cell.number_format:
        return Decimal(repr(cell.content)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    if isinstance(cell.content, float) and "yy" in cell.number_format:
        return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=cell.content)
    return value2(cell)


def formula(cell: Cell) -> str:
    """What Formula gives."""
    if cell.formula or cell.content is None:
        return cell.formula
    if isinstance(cell.content, Error):
        return next(code for code, number in _ERRORS.items() if number == cell.content.number)
    return cell.content if isinstance(cell.content, str) else general(cell.content)


class Desktop:
    """The machine with its running Excels, the one in front first."""

    def __init__(self) -> None:
        self.running: list[Application] = []

    def start(self) -> Application:
        self.running.append(Application(len(self.running) + 101))
        return self.running[-1]

    def of_window(self, window: int) -> Application:
        app = next(app for app in self.running if app.window == window)
        if app.windowless:
            raise OSError(-2147467259, "Unspecified error")
        return app

    def next_window(self, window: int | None) -> int:
        windows = [app.window for app in self.running]
        index = 0 if window is None else windows.index(window) + 1
        return windows[index] if index < len(windows) else 0


@contextmanager
def desktop() -> Iterator[Desktop]:
    """A machine on which xlwings finds the Excels that run there, by its own classes for Windows."""
    windows, engines = _windows_classes(), xlwings.engines
    before = list(engines.engines), dict(engines.engines_by_name)
    _MACHINES.append(Desktop())
    sys.modules[windows.__name__] = windows
    engines.add(xlwings.Engine(impl=windows.engine))
    try:
        yield _MACHINES[-1]
    finally:
        engines.engines, engines.engines_by_name = before
        del sys.modules[windows.__name__]
        _MACHINES.pop()


_MACHINES: list[Desktop] = []


@functools.cache
def _windows_classes() -> Any:
    """xlwings' module for Windows. It keeps the fakes that it was imported with; nobody else gets to see them."""
    fakes = {name: types.ModuleType(name) for name in ("win32api", "win32con", "win32timezone", "win32com")}
    fakes["pywintypes"] = _module("pywintypes", com_error=ComError, error=ComError, TimeType=datetime, IID=str)
    fakes["pythoncom"] = _module("pythoncom", CoInitialize=lambda: None, ole_error=ComError, __file__="pythoncom")
    fakes["win32gui"] = _module("win32gui", FindWindowEx=lambda parent, _after, _kind, _title: parent)
    fakes["win32process"] = _module("win32process", GetWindowThreadProcessId=lambda window: (1, window + 1000))
    others = {name: type(name, (), {}) for name in ("CoClassBaseClass", "DispatchBaseClass")}
    client = _module("win32com.client", CDispatch=ComObject, Dispatch=lambda app: app, DispatchEx=None, **others)
    fakes[client.__name__] = vars(fakes["win32com"])["client"] = client

    dlls = MagicMock()
    dlls.user32.GetTopWindow = lambda _parent: _MACHINES[-1].next_window(None)
    dlls.user32.GetWindow = lambda window, _direction: _MACHINES[-1].next_window(window)
    dlls.oleacc.AccessibleObjectFromWindow = lambda window, _id, _iid, found: setattr(found._obj, "value", window)
    dlls.PyCom_PyObjectFromIUnknown = lambda pointer, _iid, _counted: _MACHINES[-1].of_window(pointer.value)
    libraries: dict[str, Any] = {"windll": dlls, "oledll": dlls, "PyDLL": lambda _path: dlls}
    assert "xlwings._xlwindows" not in sys.modules, "imported before, with other fakes"
    with patch.dict(sys.modules, fakes), patch.multiple(ctypes, create=True, **libraries):
        windows = importlib.import_module("xlwings._xlwindows")
        del sys.modules["xlwings._xlwindows"], sys.modules["xlwings._win32patch"]
        del vars(xlwings)["_xlwindows"], vars(xlwings)["_win32patch"]
    atexit.unregister(windows.cleanup)  # it would look for processes to end
    return windows


def _module(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(contents)
    return module
