"""Excel as xlwings sees it, on any system: xlwings' own dispatcher and converters on top of a fake pywin32.

What is imitated of COM and of Excel, as pywin32 hands it on:

- a range comes as a raw IDispatch pointer, whose `Value` gives a scalar or a tuple of rows: numbers as float, a
  blank as None, an error as the int of its HRESULT, a date as pywintypes' datetime in UTC, a cell in currency
  format as a Decimal of 4 digits; `Value2` gives a float for these two; several areas show the first one only;
- a constant, an array or another function's result comes as a value, an omitted argument as DISP_E_PARAMNOTFOUND;
- a result must be a scalar that a VARIANT can hold or an array of one or two dimensions without gaps;
- for an import, a workbook takes the VBA module and `Application.MacroOptions`.

No formula is parsed and nothing is recalculated. The fake needs names in `sys.modules` and `ctypes`, so all of it
runs in one process of its own, started by the first call.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import multiprocessing
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeAlias
from unittest.mock import MagicMock

MODULE: Final = "xl_conversion.hosts.excel.udfs"
OMITTED: Final = -2147352572  # DISP_E_PARAMNOTFOUND
RANGE_IID: Final = "{00020846-0000-0000-C000-000000000046}"
SECONDS: Final = 120


@dataclass(frozen=True)
class Error:
    """An error by its number, as in VBA's CVErr(2042)."""

    number: int

    @property
    def hresult(self) -> int:
        return 0x800A0000 - 2**32 + self.number


@dataclass(frozen=True)
class Currency:
    """A number in a cell formatted as Currency or Accounting."""

    number: float

    @property
    def four_digits(self) -> Decimal:
        return Decimal(repr(self.number)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Date:
    """A number in a cell formatted as a date."""

    moment: datetime

    @property
    def serial(self) -> float:
        return (self.moment.replace(tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1)


Content: TypeAlias = float | int | str | bool | Error | Currency | Date | None


@dataclass(frozen=True)
class FakeRange:
    """A reference to one cell (a scalar) or to rows of cells; `fails` is what Excel says when it is read."""

    content: Content | Sequence[Sequence[Content]]
    areas: int = 1
    fails: str = ""

    def cells(self, convert: Callable[[Content], Any]) -> Any:
        rows = self.rows
        single = len(rows) == len(rows[0]) == 1
        return convert(rows[0][0]) if single else tuple(tuple(map(convert, row)) for row in rows)

    @property
    def rows(self) -> Sequence[Sequence[Content]]:
        content: Any = self.content
        return content if isinstance(content, list | tuple) else ((content,),)


class UdfRaised(Exception):
    """An exception left the function: Excel would show this traceback in the cell."""


@dataclass(frozen=True)
class Registration:
    """What an import puts into a workbook: the VBA module, and each function's MacroOptions by its name."""

    vba: str
    options: dict[str, dict[str, Any]]


def call(name: str, *arguments: Any, caller: FakeRange | None = None) -> Any:
    """What a cell gets from `=name(arguments)`; an argument is a FakeRange, a value, an array or OMITTED."""
    return _excel().ask(_call, name, arguments, caller or FakeRange(None))


def import_functions() -> Registration:
    """What "Import Functions" of xlwings' ribbon does with the module."""
    registration = _excel().ask(_import_functions)
    assert isinstance(registration, Registration)
    return registration


class _Excel:
    """The other process: `ask` runs a function of this module there."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self._connection.send((function, arguments))
        if not self._connection.poll(SECONDS):
            self._process.kill()
            raise TimeoutError(f"no answer in {SECONDS} s")
        result, failure = self._connection.recv()
        if failure:
            raise UdfRaised(failure)
        return result


@functools.cache
def _excel() -> _Excel:
    return _Excel()


# From here on: what runs in the other process.


def _serve(connection: Connection) -> None:
    install()
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            function, arguments = connection.recv()
            try:
                answer = function(*arguments), ""
            except Exception:
                answer = None, traceback.format_exc()
            connection.send(answer)


def _call(name: str, arguments: Sequence[Any], caller: FakeRange) -> Any:
    return _checked(call_here(name, arguments, caller))


def call_here(name: str, arguments: Sequence[Any], caller: FakeRange | None = None, module: str = MODULE) -> Any:
    """As :func:`call`, in this process, which :func:`install` has prepared; the result is not looked at."""
    from xlwings.com_server import XLPython

    caller = caller or FakeRange(None)
    return XLPython().CallUDF(module, name, tuple(map(_variant, arguments)), None, _Pointer(caller))


def _import_functions() -> Registration:
    from xlwings import udfs

    workbook = _Workbook()
    udfs.get_udf_module(MODULE, None)
    with contextlib.redirect_stdout(io.StringIO()):
        udfs.import_udfs(MODULE, workbook)
    return Registration(workbook.vba, workbook.options)


class _ComError(Exception):
    hresult = 0


class _TimeType(datetime):
    """pywintypes' datetime."""


class _Pointer:
    """A raw IDispatch pointer, as an argument arrives."""

    def __init__(self, target: FakeRange) -> None:
        self.target = target

    def GetTypeInfo(self) -> _Pointer:  # noqa: N802
        return self

    def GetDocumentation(self, member: int) -> tuple[str, str, int, None]:  # noqa: N802
        return "Range", "", 0, None

    def GetTypeAttr(self) -> types.SimpleNamespace:  # noqa: N802
        return types.SimpleNamespace(iid=RANGE_IID)


class _Dispatch:
    """What win32com makes of a pointer to a range; anything not imitated raises AttributeError."""

    def __init__(self, pointer: _Pointer, **_: Any) -> None:
        rows, columns = len(pointer.target.rows), len(pointer.target.rows[0])
        self._oleobj_ = pointer
        self.Row = self.Column = 1
        self.Rows = types.SimpleNamespace(Count=rows)
        self.Columns = types.SimpleNamespace(Count=columns)
        self.Count = rows * columns * pointer.target.areas  # all areas; Rows and Columns are the first one's
        application = types.SimpleNamespace(Hwnd=1)
        book = types.SimpleNamespace(Name="Book1.xlsm", Application=application)
        self.Worksheet = types.SimpleNamespace(Name="Sheet1", Parent=book)

    @property
    def Value(self) -> Any:  # noqa: N802
        return self._read(_value)

    @property
    def Value2(self) -> Any:  # noqa: N802
        return self._read(_value2)

    def _read(self, convert: Callable[[Content], Any]) -> Any:
        if self._oleobj_.target.fails:
            raise _ComError(self._oleobj_.target.fails)
        return self._oleobj_.target.cells(convert)


class _Workbook:
    """A workbook that takes an import."""

    Name = "Book1.xlsm"

    def __init__(self) -> None:
        self.vba = ""
        self.options: dict[str, dict[str, Any]] = {}
        self.VBProject = types.SimpleNamespace(VBComponents=self)
        self.Application = types.SimpleNamespace(Version="16.0", MacroOptions=self._macro_options)

    def __call__(self, component: str) -> None:
        raise _ComError(f"no component {component}")

    def Remove(self, component: None) -> None:  # noqa: N802
        raise AssertionError("a component that does not exist was removed")

    def Import(self, path: str) -> None:  # noqa: N802
        self.vba = Path(path).read_text()

    def _macro_options(self, macro: str, **options: Any) -> None:
        self.options[macro.rpartition("!")[2]] = options


def _value(content: Content) -> Any:
    match content:
        case Error():
            return content.hresult
        case Currency():
            return content.four_digits
        case Date():
            moment = content.moment
            return _TimeType(*moment.timetuple()[:6], moment.microsecond, tzinfo=UTC)
    return content


def _value2(content: Content) -> Any:
    match content:
        case Currency():
            return content.number
        case Date():
            return content.serial
    return _value(content)


def _variant(argument: Any) -> Any:
    match argument:
        case FakeRange():
            return _Pointer(argument)
        case list() | tuple():
            return tuple(map(_variant, argument))
    return _value(argument)


def _checked(result: Any) -> Any:
    if isinstance(result, list | tuple):
        lengths = {len(row) if isinstance(row, list | tuple) else None for row in result}
        if len(lengths) > 1:
            raise ValueError("All dimensions must be a sequence of the same size")
        return type(result)(map(_checked, result))
    if type(result) not in (float, int, str, bool, type(None), datetime, Decimal):
        raise TypeError(f"Objects of type '{type(result).__name__}' can not be converted to a COM VARIANT")
    return result


def _unwrap(value: Any) -> Any:
    raise _ComError(f"not an object of Python's: {value!r}")


def _module(name: str, **contents: Any) -> None:
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update(contents, __file__=f"<fake {name}>")
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def install() -> None:
    """Puts the fake into this process, for good, and makes xlwings register functions as it does on Windows."""
    assert "xlwings" not in sys.modules
    for name in ("win32api", "win32con", "win32event", "win32gui", "win32timezone"):
        _module(name)
    _module("win32process", GetWindowThreadProcessId=lambda window: (1, 1))
    _module("pywintypes", TimeType=_TimeType, com_error=_ComError, error=_ComError, IID=str)
    _module(
        "pythoncom",
        CoInitialize=lambda: None,
        IID_IDispatch="IDispatch",
        TypeIIDs={"IDispatch": _Pointer},
        ole_error=_ComError,
    )
    classes = {name: type(name, (), {}) for name in ("CDispatch", "CoClassBaseClass", "DispatchBaseClass")}
    _module("win32com")
    _module("win32com.client", Dispatch=_Dispatch, DispatchEx=_Dispatch, **classes)
    _module("win32com.server")
    _module("win32com.server.dispatcher")
    _module("win32com.server.policy", DefaultPolicy=object)
    _module("win32com.server.util", unwrap=_unwrap, wrap=lambda value: value)
    vars(ctypes).update(windll=MagicMock(), oledll=MagicMock(), PyDLL=MagicMock())

    import xlwings
    from xlwings import _xlwindows, udfs

    if "excel" not in [engine.name for engine in xlwings.engines]:
        xlwings.engines.add(xlwings.Engine(impl=_xlwindows.engine))
    vars(xlwings).update(func=udfs.xlfunc, arg=udfs.xlarg, ret=udfs.xlret)
