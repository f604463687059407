"""What is built for Excel: the VBA, the project that holds it, the macro workbooks, the add-in and the command.

No Excel runs here. The project is walked record by record by a checker of its own, read by two other readers, and
its VBA is run by an interpreter of VBA and by LibreOffice's Basic.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from defusedxml.ElementTree import fromstring
from olefile import OleFileIO
from openpyxl import load_workbook
from pyopenvba import ExcelFile
from pyopenvba.interpreter import (
    EMPTY,
    MISSING,
    HostBridge,
    Interpreter,
    VBAArray,
    VBAErrorValue,
    VBAObject,
    VBARuntimeError,
    member,
    method,
    setter,
)
from support import office_agent
from support.excel import MODULE, OMITTED, call, import_functions
from support.office import Error, Office
from support.ooxml import Finding

from xl_conversion import __version__
from xl_conversion.books.templates.price_model import price_model_bytes
from xl_conversion.cli_excel import excel
from xl_conversion.files import SaveError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Function
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.hosts.excel import build
from xl_conversion.hosts.excel.project import Kind, Module, document, modules_of, project_bytes
from xl_conversion.hosts.excel.vba import _on_windows, module_text, shortened

MODEL = "conversion-price-model.xlsm"
QUICKSTART = Path(build.xw.__file__).parent / "quickstart_standalone.xlsm"
CARRIED = "xlwings"
FREE, END = 0xFFFFFFFF, 0xFFFFFFFE
SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

each_function = pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files, as the command writes them."""
    path = tmp_path_factory.mktemp("built")
    build.build_files(path)
    return path


@pytest.fixture(params=[*build.TEMPLATES, build.ADDIN], scope="module")
def file(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A macro workbook, and the add-in."""
    return folder / str(request.param)


def part(path: Path, name: str) -> bytes:
    with ZipFile(path) as archive:
        return archive.read(name)


def unwrapped(source: str) -> str:
    """VBA with its continued lines put together."""
    return re.sub(r" _\r\n +", " ", source)


# The text of the module

# What no name may be: [MS-VBAL] 3.3.5.2.
RESERVED = frozenset(
    """
    abs addressof and any array as attribute boolean byref byte byval call case cbool cbyte ccur cdate cdbl cdec
    cdecl cint circle clng clnglng clngptr close const csng cstr currency cvar cverr date debug decimal declare
    defbool defbyte defcur defdate defdbl defdec defint deflng deflnglng deflngptr defobj defsng defstr defvar
    dim do doevents double each else elseif empty end endif enum eqv erase event exit false fix for friend
    function get global gosub goto if imp implements in input inputb int integer is lbound len lenb let like
    linput lock long longlong longptr loop lset me mod new next not nothing null on open option optional or
    paramarray preserve print private pset public put raiseevent redim rem resume return rset scale seek select
    set sgn shared single spc static stop string sub tab then to true type typeof ubound unlock until variant
    vb_name wend while with withevents write xor
    """.split()  # noqa: SIM905
)
USED_BY_WRAPPERS = frozenset(
    "activeworkbook application array ascells err failed needwindows thisworkbook unreachable xlpy".split()  # noqa: SIM905
)


class TestModule:
    @each_function
    @pytest.mark.parametrize("addin", [False, True])
    def test_agrees_with_what_xlwings_generates(self, function: Function, addin: bool) -> None:
        theirs = import_functions().vba
        head = re.search(rf"^Function {function.name}\(.*\)$", theirs, re.MULTILINE)
        asks = re.search(
            rf'= (XLPy\.CallUDF\("{re.escape(MODULE)}", "{function.name}", .*\))$', theirs, re.MULTILINE
        )
        assert head
        assert asks
        # For an add-in xlwings gives the other workbook: see its generate_vba_wrapper.
        asked = asks[1].replace("ThisWorkbook", "ActiveWorkbook") if addin else asks[1]
        ours = unwrapped(module_text(addin=addin)).splitlines()
        begin = ours.index(head[0])
        body = ours[begin : ours.index("End Function", begin)]
        assert [line for line in body if "XLPy" in line] == [f"    {function.name} = AsCells({asked})"]

    def test_has_the_functions_and_no_others(self) -> None:
        for addin in (False, True):
            found = re.findall(r"^Function (\w+)", module_text(addin=addin), re.MULTILINE)
            assert found == [function.name for function in CATALOGUE]

    def test_has_the_name_that_an_import_of_xlwings_replaces(self) -> None:
        name = 'Attribute VB_Name = "xlwings_udfs"'
        assert import_functions().vba.startswith(name)
        assert module_text().startswith(name)

    @each_function
    def test_says_what_a_function_does(self, function: Function) -> None:
        quoted = import_functions().options[function.name]["Description"].replace('"', '""')
        line = f'Attribute {function.name}.VB_Description = "{quoted}"\r\n'
        assert line in module_text()
        assert line in module_text(addin=True)

    def test_runs_nothing_by_itself_in_an_addin(self) -> None:
        assert "Auto_Open" in module_text()
        assert not re.search("Auto_?Open|Workbook_|MacroOptions", module_text(addin=True))

    @pytest.mark.parametrize("addin", [False, True])
    @pytest.mark.parametrize("functions", [CATALOGUE, "wide"], ids=["catalogue", "wide"])
    def test_keeps_the_limits_of_vba(self, functions: Sequence[Function], addin: bool) -> None:
        text = module_text([wide()] if functions == "wide" else functions, addin=addin)
        assert text.isascii()
        assert text.endswith("\r\n")
        lines = text.split("\r\n")
        assert not any(re.search("[\r\n]", line) for line in lines)
        assert max(map(len, lines)) < 1024
        continued = "".join("_" if line.endswith(" _") else "." for line in lines)
        assert max(map(len, re.findall("_+", continued))) <= 24

    @each_function
    def test_names_are_no_words_of_vba(self, function: Function) -> None:
        names = [function.name.lower(), *(argument.name.lower() for argument in function.arguments)]
        assert not (RESERVED | USED_BY_WRAPPERS).intersection(names)

    def test_a_text_that_vba_cannot_hold_is_refused(self) -> None:
        with pytest.raises(ValueError, match="VBA cannot hold"):
            module_text([replace(wide(), summary="1 \u00d7 2")])

    def test_knows_every_error(self) -> None:
        cases = re.findall(r'^    Case "(.+)": ErrorNumber = (\d+)\r$', module_text(), re.MULTILINE)
        assert [(int(number), code) for code, number in cases] == ERRORS


# XlCVError, of Excel's object model, with the texts that a cell shows.
ERRORS = [
    (2000, "#NULL!"),
    (2007, "#DIV/0!"),
    (2015, "#VALUE!"),
    (2023, "#REF!"),
    (2029, "#NAME?"),
    (2036, "#NUM!"),
    (2042, "#N/A"),
    (2043, "#GETTING_DATA"),
    (2045, "#SPILL!"),
    (2046, "#CONNECT!"),
    (2047, "#BLOCKED!"),
    (2048, "#UNKNOWN!"),
    (2049, "#FIELD!"),
    (2050, "#CALC!"),
]


def wide() -> Function:
    """A function with as many arguments, and as long a help, as there may be."""
    model = FUNCTIONS["CP_SPLIT"]
    arguments = [
        replace(model.arguments[-1], name=f"argument_number_{place}_of_a_table", help='A "range". ' * 50)
        for place in range(13)
    ]
    return replace(model, name="CP_WIDE", summary='Says "x". ' * 50, arguments=tuple(arguments))


# The VBA, run by an interpreter of VBA


class FakePython(VBAObject):
    """What XLPy gives: the object through which VBA asks Python."""

    def __init__(self, answer: Callable[..., object]) -> None:
        self.answer = answer

    @method
    def CallUDF(self, script: str, name: str, given: VBAArray, book: object, caller: str) -> object:  # noqa: N802
        assert (script, caller) == (MODULE, "the caller")
        assert isinstance(book, FakeWorkbook)
        return self.answer(name, given.items)


class FakeWorkbook(VBAObject):
    """The workbook that holds the macros."""

    saved: object = True

    @member
    def Name(self) -> str:  # noqa: N802
        return "Anna's model.xlsm"

    @member
    def Saved(self) -> object:  # noqa: N802
        return self.saved

    @setter("Saved")
    def _set_saved(self, value: object) -> None:
        self.saved = value


class FakeApplication(VBAObject):
    """Excel, as far as the module asks it for something."""

    def __init__(self, book: FakeWorkbook) -> None:
        self.book = book
        self.options: dict[str, tuple[str, str, list[object]]] = {}
        self.refuses = False

    @member
    def Name(self) -> str:  # noqa: N802
        return "Microsoft Excel"

    @member
    def Caller(self) -> str:  # noqa: N802
        return "the caller"

    @method
    def MacroOptions(  # noqa: N802
        self,
        Macro: str,  # noqa: N803
        Description: str,  # noqa: N803
        Category: str,  # noqa: N803
        ArgumentDescriptions: Any = MISSING,  # noqa: N803
    ) -> object:
        self.book.saved = False
        if self.refuses:
            raise VBARuntimeError(1004, "Cannot edit a macro on a hidden workbook")
        described = [] if ArgumentDescriptions is MISSING else ArgumentDescriptions.items
        assert max(map(len, [Description, *described])) <= 255, "Excel takes no more"
        assert len(described) <= len(FUNCTIONS[Macro.rpartition("!")[2]].arguments), "nor more than there are"
        self.options[Macro] = (Description, Category, described)
        return EMPTY


class Excel(HostBridge):
    """What the module finds in a workbook: Excel's objects, and XLPy and ErrorTexts of the module xlwings."""

    def __init__(self, answer: Callable[..., object], settings: Mapping[str, object], *, addin: bool) -> None:
        self.book = FakeWorkbook()
        self.application = FakeApplication(self.book)
        self.python = FakePython(answer)
        self.settings = settings
        self.asked = 0
        self.names = {
            "application": self.application,
            "activeworkbook" if addin else "thisworkbook": self.book,
        }

    def global_object(self, name: str) -> object:
        found = self.names.get(name.lower())
        return super().global_object(name) if found is None else found

    def has_global_member(self, name: str) -> bool:
        return name.lower() in ("xlpy", "errortexts")

    def call_global(self, name: str, args: list[object], named: dict[str, object]) -> object:
        if name.lower() == "xlpy":
            return self.python
        self.asked += 1
        found = self.settings.get("ERROR_TEXTS", "no")
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Vba:
    """The module, loaded."""

    interpreter: Interpreter
    host: Excel

    def cell(self, name: str, *arguments: object) -> object:
        """What a cell gets from `=name(arguments)`."""
        return self.interpreter.run(name, arguments)


def vba(
    answer: Callable[..., object] = lambda name, arguments: EMPTY,
    settings: Mapping[str, object] | None = None,
    *,
    addin: bool = False,
    mac: bool = False,
) -> Vba:
    host = Excel(answer, settings or {}, addin=addin)
    interpreter = Interpreter(host)
    # Attributes of procedures are no statements; the interpreter takes them for some.
    source = re.sub(r"^Attribute \w+\.VB_.*\r\n", "", module_text(addin=addin), flags=re.MULTILINE)
    interpreter.add_module(source.replace("#If Mac", "#If True") if mac else source, name="xlwings_udfs")
    return Vba(interpreter, host)


def variant(value: Any) -> Any:
    """What pywin32 makes of an answer: an array of one or two dimensions from 0 on, stored column by column."""
    if not isinstance(value, list):
        return value
    if not isinstance(value[0], list):
        return VBAArray([(0, len(value) - 1)], items=list(value))
    items = [row[column] for column in range(len(value[0])) for row in value]
    return VBAArray([(0, len(value) - 1), (0, len(value[0]) - 1)], items=items)


def plain(value: Any) -> Any:
    """The other way round, with an error by its number."""
    if isinstance(value, VBAArray):
        if value.dimensions == 1:
            return [plain(item) for item in value.items]
        height = value.bounds[0][1] + 1
        return [[plain(item) for item in value.items[row::height]] for row in range(height)]
    return value.number if isinstance(value, VBAErrorValue) else value


ANSWERS: list[tuple[Any, Any]] = [
    (25.0, 25.0),
    ("0.1.0", "0.1.0"),
    ("", ""),
    ("#1 of 3", "#1 of 3"),
    ("# comment", "# comment"),
    ("#num! x", "#num! x"),
    ("a #NUM! b", "a #NUM! b"),
    ("#VALUE!: a required argument is blank", "#VALUE!: a required argument is blank"),
    ("#N/A.", "#N/A."),
    ("#N/AB x", "#N/AB x"),
    ("#NUM!x", "#NUM!x"),
    ("#NUM! ", 2036),
    (True, True),
    ("#NUM! CP_SPLIT: split_new is 0; it must be above 0", 2036),
    ("#N/A", 2042),
    ([1.0, "#N/A CP_SPLIT: the ranges differ in size", "x"], [1.0, 2042, "x"]),
    ([[1.0, "#NUM! a"], ["#VALUE! b", "x"], [2.0, 3.0]], [[1.0, 2036], [2015, "x"], [2.0, 3.0]]),
    ([["#NUM! a"], [1.0]], [[2036], [1.0]]),
    ([["error", "#NUM!: why"], ["price", "#NUM! why"]], [["error", "#NUM!: why"], ["price", 2036]]),
    ([[1.0, "#NUM! a"]], [[1.0, 2036]]),
    ([["#DIV/0! x"]], 2007),
    ([[25.0]], 25.0),
    (["#REF!"], 2023),
    ([25.0], 25.0),
    *((f"{code} why", number) for number, code in ERRORS),
]


class TestRun:
    @pytest.mark.parametrize("addin", [False, True])
    @pytest.mark.parametrize(("answer", "shown"), ANSWERS, ids=str)
    def test_texts_of_errors_become_errors(self, answer: Any, shown: Any, addin: bool) -> None:
        got = vba(lambda *_: variant(answer), addin=addin).cell("CP_SPLIT", 50.0, 2.0, 1.0)
        assert plain(got) == shown

    @pytest.mark.parametrize("setting", ["yes", "Yes", " YES "])
    def test_a_setting_keeps_the_texts(self, setting: str) -> None:
        for answer in ("#NUM! x", "#N/A", "x", ["#NUM! x", 1.0], [["#NUM! x", 1.0], [2.0, "#N/A y"]]):
            got = vba(lambda *_, answer=answer: variant(answer), {"ERROR_TEXTS": setting}).cell("CP_VERSION")
            assert plain(got) == answer

    @pytest.mark.parametrize("setting", ["no", "", "maybe"])
    def test_any_other_setting_gives_errors(self, setting: str) -> None:
        assert plain(vba(lambda *_: "#N/A x", {"ERROR_TEXTS": setting}).cell("CP_VERSION")) == 2042

    def test_the_setting_is_asked_for_once_and_only_where_there_is_an_error(self) -> None:
        right = vba(lambda *_: variant([[1.0, 2.0]]))
        right.cell("CP_VERSION")
        assert right.host.asked == 0
        wrong = vba(lambda *_: variant([["#N/A"]] * 100))
        wrong.cell("CP_VERSION")
        assert wrong.host.asked == 1

    def test_a_setting_that_cannot_be_read_changes_nothing(self) -> None:
        loaded = vba(lambda *_: "#N/A", {"ERROR_TEXTS": VBARuntimeError(457, "This key is already there")})
        assert plain(loaded.cell("CP_VERSION")) == 2042

    @pytest.mark.parametrize("addin", [False, True])
    def test_where_python_does_not_answer_there_is_an_error_and_its_reason(self, addin: bool) -> None:
        def fail(*_: object) -> object:
            raise VBARuntimeError(1, "Could not load xlwings64-0.37.8.dll from either folder")

        # As where the functions are not there: the template's checks then say so.
        assert plain(vba(fail, addin=addin).cell("CP_SPLIT", 50.0, 2.0, 1.0)) == 2029
        assert vba(fail, {"ERROR_TEXTS": "yes"}, addin=addin).cell("CP_SPLIT", 50.0, 2.0, 1.0) == (
            "#NAME? CP_SPLIT: Python did not answer: Could not load xlwings64-0.37.8.dll from either folder"
        )

    def test_on_a_mac_nothing_is_asked(self) -> None:
        loaded = vba(lambda *_: 1.0, {"ERROR_TEXTS": "yes"}, mac=True)
        expected = (
            "#NAME? CP_VERSION: Python did not answer: xlwings has worksheet functions in Excel for Windows only"
        )
        assert loaded.cell("CP_VERSION") == expected

    @each_function
    def test_arguments_come_in_order_and_omitted_ones_are_missing(self, function: Function) -> None:
        seen: list[list[object]] = []
        required = [f"<{argument.name}>" for argument in function.arguments if not argument.optional]
        loaded = vba(lambda name, given: seen.append([name, *given]))
        loaded.cell(function.name, *required)
        optional = len(function.arguments) - len(required)
        everything = [f"<{argument.name}>" for argument in function.arguments]
        loaded.cell(function.name, *everything)
        assert seen == [[function.name, *required, *[MISSING] * optional], [function.name, *everything]]

    def test_all_the_way_to_the_functions_and_back(self) -> None:
        """VBA asks xlwings' own dispatcher, as Excel would."""

        def ask(name: str, given: list[object]) -> Any:
            return variant(call(name, *(OMITTED if value is MISSING else python(value) for value in given)))

        def python(value: object) -> object:
            return tuple(map(tuple, plain(value))) if isinstance(value, VBAArray) else value

        loaded = vba(ask)
        assert loaded.cell("CP_SPLIT", 50.0, 2.0, 1.0) == 25.0
        assert plain(loaded.cell("CP_SPLIT", 50.0, 0.0, 1.0)) == 2036
        assert plain(loaded.cell("CP_SPLIT", 50.0, "x", 1.0)) == 2015
        assert plain(loaded.cell("CP_SPLIT", variant([[50.0], [-1.0], [10.0]]), 2.0, 1.0)) == [
            [25.0],
            [2036],
            [5.0],
        ]
        assert plain(loaded.cell("CP_SPLIT", variant([[50.0, -1.0]]), 2.0, 1.0)) == [25.0, 2036]
        assert loaded.cell("CP_VERSION") == __version__
        help_of_split = plain(loaded.cell("CP_HELP", "CP_SPLIT"))
        assert help_of_split == evaluate(FUNCTIONS["CP_HELP"], [[["CP_SPLIT"]]])
        errors = [text for what, text in help_of_split if what == "error"]
        assert errors[0].startswith("#VALUE!: a required argument ")

    def test_what_it_tells_the_wizard_is_what_xlwings_tells(self) -> None:
        loaded = vba()
        loaded.cell("Auto_Open")
        told = loaded.host.application.options
        theirs = import_functions().options
        assert told.keys() == {f"'Anna''s model.xlsm'!{name}" for name in theirs}
        for name, options in theirs.items():
            expected = (options["Description"], options["Category"], options["ArgumentDescriptions"] or [])
            assert told[f"'Anna''s model.xlsm'!{name}"] == expected
        assert loaded.host.book.saved is True

    def test_a_workbook_opens_where_the_wizard_takes_no_help(self) -> None:
        loaded = vba()
        loaded.host.application.refuses = True
        loaded.cell("Auto_Open")
        assert loaded.host.application.options == {}


# What is carried of xlwings

PRIVATE = {
    "XLPyCommand",
    "XLPyLoadDLL",
    "GetConfig",
    "GetConfigFromSheet",
    "GetConfigFromFile",
    "GetConfigFilePath",
    "GetDirectoryConfigFilePath",
    "GetDirectoryPath",
    "GetDirectory",
    "GetFullName",
    "ParentFolder",
    "FileExists",
    "FileExistsOnWindows",
    "SheetExists",
    "ExpandEnvironmentStrings",
    "WScript",
}
DECLARED = {"XLPyDLLActivateAuto", "LoadLibrary"}
HEAD = re.compile(
    r"(?m)^ *((?:Public |Private |Friend |Static )*)(Declare (?:PtrSafe )?)?"
    r"(?:Function|Sub|Property \w+) (\w+)(.*)$"
)


class TestCarried:
    def test_what_a_cell_of_any_workbook_can_call(self, file: Path) -> None:
        """The public procedures, all of them: a loaded add-in offers them to every workbook."""
        public = {}
        for source in sources(file).values():
            for access, declared, name, rest in HEAD.findall(source):
                if "Private" not in access:
                    assert not declared
                    public[name] = rest.strip()
        starts = {} if file.name == build.ADDIN else {"Auto_Open": "()"}
        functions = {function.name: public.get(function.name) for function in CATALOGUE}
        assert public == {"XLPy": "()", "ErrorTexts": "() As Variant", **starts, **functions}

    def test_nothing_else_is_there(self, file: Path) -> None:
        source = sources(file)[CARRIED]
        found = HEAD.findall(source)
        assert {name for _, declared, name, _ in found if declared} == DECLARED
        names = [name for _, declared, name, _ in found if not declared]
        assert sorted(names) == sorted(PRIVATE | {"XLPy", "ErrorTexts"})
        assert not re.search(r"(?m)^ *(?:Const|Declare|Global|Public (?!Function))", source)
        code = re.sub("'.*", "", re.sub('"[^"\r\n]*"', '""', source))
        assert not re.search(r"\b(?:Shell|Kill|MkDir|Write|Output|FileCopy|MacScript|Popup|Mac)\b", code)
        assert re.findall(r"\bWScript\.\w+", code) == ["WScript.ExpandEnvironmentStrings"]
        assert source.splitlines()[1] == "Option Private Module"

    def test_every_line_is_one_of_theirs(self, file: Path) -> None:
        (theirs,) = (module.source for module in modules_of(quickstart()) if module.name == CARRIED)
        rest = iter(theirs.replace('As String = "xlwings"', 'As String = "xl_conversion"').splitlines())
        ours = sources(file)[CARRIED].partition("\r\nPublic Function ErrorTexts")[0]
        access = re.compile("^( *)(?:Public |Private )?")
        for line in ours.splitlines():
            if line != "Option Private Module":
                wanted = access.sub(r"\1", line)
                assert any(access.sub(r"\1", other) == wanted for other in rest), line

    @pytest.mark.parametrize(
        "name", ["XLPy", "XLPyCommand", "GetConfig", "XLPyDLLActivateAuto", "LoadLibrary", "PROJECT_NAME"]
    )
    def test_what_is_missing_is_named(self, name: str) -> None:
        (theirs,) = (module.source for module in modules_of(quickstart()) if module.name == CARRIED)
        with pytest.raises(ValueError, match=f"its VBA has no {name}$"):
            shortened(re.sub(rf"\b{name}\b", "Other", theirs))

    def test_conditions_are_decided_as_excel_on_windows_does(self) -> None:
        lines = """
        a
        #If Mac Then ' of it
            b
            #If VBA7 Then
            c
            #End If
        #ElseIf App = "Microsoft Excel" Then
            d
            #If VBA7 Then
            e
            #Else
            f
            #End If
        #Else
            g
        #End If
        #If Not Mac Then
            h
        #End If
        """
        kept = [line.strip() for line in _on_windows(lines.splitlines()) if line.strip()]
        assert kept == ["a", "d", "#If VBA7 Then", "e", "#Else", "f", "#End If", "h"]


USER = r"C:\Users\me\.xl_conversion\xl_conversion.conf"
BESIDE = r"C:\deals\\xl_conversion.conf"
# In VBA, since a function of the host cannot give a value through an argument.
FILE = r"""
Private Function Environ(name As String) As String
    If name = "USERPROFILE" Then Environ = "C:\Users\me"
End Function

Private Function GetConfigFromFile(sFile As String, sName As String, Optional sValue As String) As Boolean
    sValue = ValueIn(sFile, sName)
    GetConfigFromFile = (sValue <> "")
End Function

Private Function GetConfigFromSheet(wb As Variant) As Variant
    Dim d As Object
    Set d = CreateObject("Scripting.Dictionary")
    d.Add "ERROR_TEXTS", "of the sheet"
    Set GetConfigFromSheet = d
End Function
"""


class Shell(VBAObject):
    """WScript.Shell."""

    @method
    def ExpandEnvironmentStrings(self, text: str) -> str:  # noqa: N802
        return text.replace("%USERPROFILE%", r"C:\Users\me")


class Deal(VBAObject):
    """A workbook with a sheet of settings."""

    @member
    def FullName(self) -> str:  # noqa: N802
        return r"C:\deals\Anna's & co.xlsm"

    @member
    def Path(self) -> str:  # noqa: N802
        return r"C:\deals"

    @method
    def Sheets(self, name: str) -> VBAObject:  # noqa: N802
        assert name == "xl_conversion.conf"
        return self


class Windows(HostBridge):
    """What the module xlwings finds: files of settings, libraries, and the workbook."""

    def __init__(self, settings: Mapping[str, Mapping[str, str]], libraries: Sequence[str] = ()) -> None:
        self.settings, self.libraries = settings, libraries
        self.seen: list[str] = []
        self.names = {
            "application": FakeApplication(FakeWorkbook()),
            "thisworkbook": Deal(),
            "wscript": Shell(),
        }

    def global_object(self, name: str) -> object:
        found = self.names.get(name.lower())
        return super().global_object(name) if found is None else found

    def has_global_member(self, name: str) -> bool:
        return name.lower() in ("loadlibrary", "fileexistsonwindows", "valuein")

    def call_global(self, name: str, args: list[object], named: dict[str, object]) -> object:
        if name.lower() == "valuein":
            return self.settings[str(args[0])].get(str(args[1]), "")
        self.seen.append(str(args[0]))
        return (
            args[0] in self.settings if name.lower() == "fileexistsonwindows" else int(args[0] in self.libraries)
        )


def reaching(source: str, host: Windows) -> Interpreter:
    """The module xlwings, loaded, with what it needs of Windows replaced."""
    replaced = "GetConfigFromFile|GetConfigFromSheet|FileExistsOnWindows|WScript"
    source = source.replace("\r\n", "\n").replace('As String = "xlwings"', 'As String = "xl_conversion"')
    source = re.sub(rf"(?ms)^(?:Private )?Function (?:{replaced})\(.*?^End Function", "", source)
    source = re.sub("(?m)^(?:Attribute|Option) .*$|^.*Declare .*$", "", source)
    source = re.sub("(?m)^( *#(?:If .* Then|Const .*\")) *'.*$", r"\1", source)  # it takes no comment there
    # Nor does it compare a text with a truth value, as VBA does.
    source = source.replace('GetConfig("SHOW CONSOLE", False) = True', 'CBool(GetConfig("SHOW CONSOLE", False))')
    interpreter = Interpreter(host)
    interpreter.add_module("\n".join(line.rstrip() for line in (source + FILE).split("\n")), name="xlwings")
    return interpreter


TAIL = (
    r' -B -c "import sys, os;import xlwings.utils;xlwings.utils.prepare_sys_path(\"'
    r"true;C:\\deals\\Anna\'s ^& co.xlsm;C:\\deals\\Anna\'s ^& co.xlsm;;;;"
    r"""\");import xlwings; xlwings.serve('$(CLSID)')"""
    '""'
)


@pytest.mark.parametrize("origin", ["ours", "theirs"])
class TestReachingPython:
    """The shortened module gives what xlwings' own does."""

    @pytest.fixture
    def module(self, origin: str, folder: Path) -> str:
        (theirs,) = (module.source for module in modules_of(quickstart()) if module.name == CARRIED)
        return theirs if origin == "theirs" else sources(folder / MODEL)[CARRIED]

    @pytest.mark.parametrize(
        ("settings", "command", "tried"),
        [
            (
                {"INTERPRETER_WIN": r"C:\my venv\Scripts\python.exe"},
                r'cmd.exe  /K ""C:\my venv\Scripts\python.exe"',
                [r"C:\my venv\Scripts", r"C:\my venv"],
            ),
            (
                {"INTERPRETER_WIN": r"%USERPROFILE%\v\python.exe", "SHOW CONSOLE": "True"},
                r'cmd.exe /showconsole /K ""C:\Users\me\v\python.exe"',
                [r"C:\Users\me\v", r"C:\Users\me"],
            ),
            (
                {"INTERPRETER_WIN": "python", "CONDA PATH": r"C:\mini conda", "CONDA ENV": "deals"},
                r'cmd.exe  /K ""C:\mini conda\condabin\conda" activate deals && python',
                [r"C:\mini conda\envs\deals", r"C:\mini conda\envs"],
            ),
            (
                {"INTERPRETER_WIN": "python", "CONDA PATH": r"C:\conda", "CONDA ENV": "base"},
                r'cmd.exe  /K ""C:\conda\condabin\conda" activate base && python',
                [r"C:\conda", "C:"],
            ),
            (
                {"INTERPRETER_WIN": "python", "CONDA PATH": r"C:\conda", "CONDA ENV": r"D:\envs\deals"},
                r'cmd.exe  /K ""C:\conda\condabin\conda" activate D:\envs\deals && python',
                [r"D:\envs\deals", r"D:\envs"],
            ),
            ({"PYTHONPATH": ""}, 'cmd.exe  /K ""pythonw"', []),
        ],
        ids=["space", "variable", "conda", "base", "elsewhere", "none"],
    )
    def test_the_command_and_the_library(
        self, module: str, settings: dict[str, str], command: str, tried: list[str]
    ) -> None:
        host = Windows({USER: settings})
        interpreter = reaching(module, host)
        assert interpreter.run("XLPyCommand", ()) == command + TAIL
        name = rf"\xlwings64-{version('xlwings')}.dll"
        for present in tried:  # in the first folder, then in the second one only
            host = Windows({USER: settings}, [present + name])
            reaching(module, host).run("XLPyLoadDLL", ())
            loaded = [path for path in host.seen if path.endswith(".dll")]
            assert loaded == [one + name for one in tried[: tried.index(present) + 1]]
        host = Windows({USER: settings})
        if tried:
            with pytest.raises(VBARuntimeError, match="Could not load xlwings64-"):
                reaching(module, host).run("XLPyLoadDLL", ())
        else:
            reaching(module, host).run("XLPyLoadDLL", ())
            assert not [path for path in host.seen if path.endswith(".dll")]

    def test_sheet_then_the_folder_then_the_user(self, module: str) -> None:
        host = Windows({USER: {"INTERPRETER_WIN": "mine"}})
        interpreter = reaching(module, host)

        def looked(key: str) -> tuple[object, list[str]]:
            host.seen.clear()
            return interpreter.run("GetConfig", (key, "nowhere")), list(dict.fromkeys(host.seen))

        assert looked("ERROR_TEXTS") == ("of the sheet", [])
        assert looked("INTERPRETER_WIN") == ("mine", [BESIDE, USER])
        assert looked("SHOW CONSOLE") == ("nowhere", [BESIDE, USER])
        if "ErrorTexts" in module:
            assert interpreter.run("ErrorTexts", ()) == "of the sheet"


# The project in the file


@dataclass
class Entry:
    """A name in a compound file: [MS-CFB] 2.6."""

    name: str
    kind: int
    black: bool
    left: int
    right: int
    child: int
    start: int
    size: int
    rest: bytes


class Container:
    """A compound file, read strictly: whatever [MS-CFB] says about version 3 is asserted."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        assert data[:8] == bytes.fromhex("D0CF11E0A1B11AE1")
        assert data[8:24] == bytes(16)
        assert len(data) % 512 == 0
        minor, major, order, sector, small = struct.unpack_from("<5H", data, 24)
        assert (minor, major, order, sector, small) == (0x3E, 3, 0xFFFE, 9, 6)
        assert data[34:44] == bytes(10)
        tables, names, signature, cutoff, smalls, small_tables, more, mores = struct.unpack_from("<8I", data, 44)
        assert (signature, cutoff, more, mores) == (0, 4096, END, 0)
        listed = struct.unpack_from("<109I", data, 76)
        assert set(listed[tables:]) == {FREE}
        self.table = [n for at in listed[:tables] for n in struct.unpack_from("<128I", data, self.offset(at))]
        sectors = len(data) // 512 - 1
        assert len(self.table) >= sectors
        assert set(self.table[sectors:]) <= {FREE}
        assert [n for n, value in enumerate(self.table) if value == 0xFFFFFFFD] == list(listed[:tables])
        small_chain = self.chain(smalls, self.table)
        assert len(small_chain) == small_tables
        self.small = [n for at in small_chain for n in struct.unpack_from("<128I", data, self.offset(at))]
        self.used = [*listed[:tables], *small_chain, *self.chain(names, self.table)]
        raw = b"".join(data[self.offset(at) : self.offset(at) + 512] for at in self.chain(names, self.table))
        self.entries = [self.entry(raw[at : at + 128]) for at in range(0, len(raw), 128)]
        root = self.entries[0]
        assert (root.name, root.kind, root.black) == ("Root Entry", 5, True)
        self.smalls = self.sectors(root.start, root.size)
        self.used_smalls: list[int] = []
        self.streams = dict(self.walk(0, ""))
        assert sorted(self.used) == sorted(set(self.used)) == list(range(sectors))
        assert sorted(self.used_smalls) == sorted(set(self.used_smalls))
        reached = {name.rpartition("/")[2] for name in self.streams} | {"Root Entry", "VBA"}
        assert {entry.name for entry in self.entries if entry.kind} == reached

    @staticmethod
    def offset(sector: int) -> int:
        return 512 * (sector + 1)

    @staticmethod
    def chain(start: int, table: Sequence[int]) -> list[int]:
        found: list[int] = []
        while start != END:
            assert start not in found
            found.append(start)
            start = table[start]
        return found

    @staticmethod
    def entry(raw: bytes) -> Entry:
        length, kind, colour, left, right, child = struct.unpack_from("<HBB3I", raw, 64)
        start, size, high = struct.unpack_from("<3I", raw, 116)
        assert high == 0
        name = raw[: max(0, length - 2)].decode("utf-16-le")
        if kind == 0:
            assert (length, left, right, child, size) == (0, FREE, FREE, FREE, 0)
        else:
            assert raw[length - 2 : 64] == bytes(66 - length)
            assert not set("/\\:!").intersection(name)
        return Entry(name, kind, bool(colour), left, right, child, start, size, raw[80:116])

    def sectors(self, start: int, size: int) -> bytes:
        found = self.chain(start, self.table)
        assert len(found) == -(-size // 512)
        self.used += found
        return b"".join(self.data[self.offset(at) : self.offset(at) + 512] for at in found)[:size]

    def walk(self, storage: int, path: str) -> Iterator[tuple[str, bytes]]:
        """The streams below a storage, whose names are a red-black tree: [MS-CFB] 2.6.4."""
        names: list[tuple[int, str]] = []

        def below(at: int, above_is_black: bool) -> Iterator[tuple[str, bytes]]:
            if at == FREE:
                return
            entry = self.entries[at]
            assert entry.black or above_is_black
            yield from below(entry.left, entry.black)
            names.append((len(entry.name), entry.name.upper()))
            if entry.kind == 1:
                yield from self.walk(at, f"{path}{entry.name}/")
            else:
                assert (entry.kind, entry.child) == (2, FREE)
                yield f"{path}{entry.name}", self.content(entry)
            yield from below(entry.right, entry.black)

        yield from below(self.entries[storage].child, True)
        assert names == sorted(set(names))

    def content(self, entry: Entry) -> bytes:
        if entry.size >= 4096:
            return self.sectors(entry.start, entry.size)
        found = self.chain(entry.start, self.small)
        assert len(found) == -(-entry.size // 64)
        self.used_smalls += found
        return b"".join(self.smalls[64 * at : 64 * at + 64] for at in found)[: entry.size]


def decompressed(data: bytes) -> bytes:
    """[MS-OVBA] 2.4.1.3, read strictly."""
    assert data[0] == 1
    done, at = bytearray(), 1
    while at < len(data):
        (header,) = struct.unpack_from("<H", data, at)
        assert header >> 12 == 0b1011, "every chunk is compressed"
        end, at, begin = at + (header & 0xFFF) + 3, at + 2, len(done)
        assert end <= len(data)
        while at < end:
            flags, at = data[at], at + 1
            for bit in range(8):
                if at >= end:
                    break
                if not flags >> bit & 1:
                    done.append(data[at])
                    at += 1
                    continue
                (token,) = struct.unpack_from("<H", data, at)
                bits = max(4, (len(done) - begin - 1).bit_length())
                back, length = (token >> 16 - bits) + 1, (token & (0xFFFF >> bits)) + 3
                assert back <= len(done) - begin
                for _ in range(length):
                    done.append(done[-back])
                at += 2
        assert len(done) - begin <= 4096
        assert len(done) - begin == 4096 or end == len(data)
    return bytes(done)


class Records:
    """The records of a dir stream, taken one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, number: int, size: int | None = None) -> bytes:
        found, length = struct.unpack_from("<HI", self.data, self.at)
        assert found == number, f"record {found:#x} where {number:#x} belongs"
        assert size is None or length == size
        self.at += 6 + length
        return self.data[self.at - length : self.at]

    def number(self, number: int, size: int = 4) -> int:
        return int.from_bytes(self.take(number, size), "little")

    def both(self, number: int, unicode_number: int) -> str:
        text = self.take(number).decode("cp1252")
        assert self.take(unicode_number).decode("utf-16-le") == text
        return text


def modules_in(directory: bytes) -> list[tuple[str, bool]]:
    """The modules of a dir stream, and whether each is a procedural one: [MS-OVBA] 2.3.4.2, in its order."""
    records = Records(directory)
    assert records.number(0x01) in (1, 3)
    assert records.number(0x02) == 0x409
    assert records.number(0x14) == 0x409
    assert records.number(0x03, 2) == 1252
    assert re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,127}", records.take(0x04).decode("ascii"))
    assert records.both(0x05, 0x40) == ""
    assert records.both(0x06, 0x3D) == ""
    assert (records.number(0x07), records.number(0x08)) == (0, 0)
    assert struct.unpack_from("<HI", records.data, records.at) == (0x09, 4)
    records.at += 12
    assert records.both(0x0C, 0x3C) == ""
    count = records.number(0x0F, 2)  # at once: the project refers to no library
    assert records.number(0x13, 2) == 0xFFFF
    found = []
    for _ in range(count):
        name = records.both(0x19, 0x47)
        assert re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,30}", name)
        assert records.both(0x1A, 0x32) == name
        records.both(0x1C, 0x48)
        assert records.number(0x31) == 0
        assert records.number(0x1E) == 0
        assert records.number(0x2C, 2) == 0xFFFF
        kind = struct.unpack_from("<H", records.data, records.at)[0]
        assert kind in (0x21, 0x22)
        records.take(kind, 0)
        records.take(0x2B, 0)
        found.append((name, kind == 0x21))
    records.take(0x10, 0)
    assert records.at == len(records.data)
    return found


def deciphered(text: str, key: str) -> bytes:
    """[MS-OVBA] 2.4.3.3: what CMG, DPB and GC say; ValueError where they do not belong to the project's ID."""
    data = bytes.fromhex(text)
    seed, cipher_version, cipher_key = data[:3]
    if seed ^ cipher_version != 2 or seed ^ cipher_key != sum(key.encode()) & 0xFF:
        raise ValueError(key)
    plain_before, before, before_that = seed ^ cipher_key, cipher_key, cipher_version
    done = bytearray()
    for byte in data[3:]:
        plain_before = byte ^ (before_that + plain_before & 0xFF)
        before_that, before = before, byte
        done.append(plain_before)
    ignored = (seed & 6) // 2
    assert int.from_bytes(done[ignored : ignored + 4], "little") == len(done) - ignored - 4
    return bytes(done[ignored + 4 :])


def code_names(path: Path) -> dict[str, str]:
    """The code name of each sheet by its title, in order, from the parts themselves."""
    workbook = fromstring(part(path, "xl/workbook.xml"))
    relations = {r.get("Id"): r.get("Target") for r in fromstring(part(path, "xl/_rels/workbook.xml.rels"))}
    found = {}
    for sheet in workbook.iter(f"{SPREADSHEET}sheet"):
        key = next(value for name, value in sheet.attrib.items() if name.endswith("}id"))
        xml = fromstring(part(path, str(relations[key]).lstrip("/")))
        properties = xml[0]
        assert properties.tag == f"{SPREADSHEET}sheetPr"
        found[str(sheet.get("name"))] = str(properties.get("codeName"))
    return found


@pytest.fixture(scope="module")
def container(file: Path) -> Container:
    return Container(part(file, build.PROJECT))


class TestProject:
    def test_is_a_compound_file_to_the_letter(self, container: Container) -> None:
        assert {"PROJECT", "PROJECTwm", "VBA/dir", "VBA/_VBA_PROJECT"} < container.streams.keys()

    def test_has_sources_only(self, container: Container) -> None:
        assert container.streams["VBA/_VBA_PROJECT"] == bytes.fromhex("CC61 FFFF 00 0000")
        assert not [name for name in container.streams if "SRP" in name]
        for name, _ in modules_in(decompressed(container.streams["VBA/dir"])):
            source = decompressed(container.streams[f"VBA/{name}"]).decode("cp1252")
            assert source.startswith(f'Attribute VB_Name = "{name}"\r\n')
            assert source.endswith("\r\n")

    def test_every_sheet_and_the_workbook_have_their_module(self, container: Container, file: Path) -> None:
        sheets = code_names(file)
        book = fromstring(part(file, "xl/workbook.xml")).find(f"{SPREADSHEET}workbookPr")
        assert book is not None
        assert book.get("codeName") == "ThisWorkbook"
        modules = modules_in(decompressed(container.streams["VBA/dir"]))
        assert modules == [
            ("ThisWorkbook", False),
            *((name, False) for name in sheets.values()),
            ("xlwings_udfs", True),
            ("xlwings", True),
        ]
        assert len({name.lower() for name, _ in modules}) == len(modules)
        for name in ("ThisWorkbook", *sheets.values()):
            kind = "00020819" if name == "ThisWorkbook" else "00020820"
            source = decompressed(container.streams[f"VBA/{name}"]).decode("cp1252")
            assert f'Attribute VB_Base = "0{{{kind}-0000-0000-C000-000000000046}}"\r\n' in source
            assert all(line.startswith("Attribute VB_") for line in source.splitlines())
            theirs = {module.name: module.source for module in modules_of(quickstart())}  # Excel wrote these
            sample = name if name == "ThisWorkbook" else "Sheet1"
            assert source == theirs[sample].replace(f'"{sample}"', f'"{name}"')

    def test_the_project_stream_lists_the_same(self, container: Container, file: Path) -> None:
        text = container.streams["PROJECT"].decode("cp1252")
        assert text.endswith("\r\n")
        items, _, hosts = text.partition("\r\n\r\n")
        assert hosts == (
            "[Host Extender Info]\r\n&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000\r\n"
        )
        pairs = [tuple(line.split("=", 1)) for line in items.split("\r\n")]
        keys = [key for key, _ in pairs]
        # [MS-OVBA] 2.3.1: in this order
        last = ["Name", "HelpContextID", "VersionCompatible32", "CMG", "DPB", "GC"]
        assert (keys[0], keys[-6:]) == ("ID", last)
        listed = [(key, value.removesuffix("/&H00000000")) for key, value in pairs[1:-6]]
        kinds = {True: "Module", False: "Class"}
        modules = modules_in(decompressed(container.streams["VBA/dir"]))
        documents = ["ThisWorkbook", *code_names(file).values()]
        assert listed == [
            ("Document" if name in documents else kinds[procedural], name) for name, procedural in modules
        ]
        values = {key: value.strip('"') for key, value in pairs}
        key = values["ID"]
        assert deciphered(values["CMG"], key) == bytes(4)  # no protection
        assert deciphered(values["DPB"], key) == bytes(1)  # no password
        assert deciphered(values["GC"], key) == b"\xff"  # visible

    def test_names_are_listed_in_both_writings(self, container: Container) -> None:
        expected = b""
        for name, _ in modules_in(decompressed(container.streams["VBA/dir"])):
            expected += name.encode() + b"\0" + name.encode("utf-16-le") + b"\0\0"
        assert container.streams["PROJECTwm"] == expected + b"\0\0"

    def test_carries_xlwings_with_our_name_and_our_module(self, container: Container, file: Path) -> None:
        source = decompressed(container.streams[f"VBA/{CARRIED}"]).decode("cp1252")
        assert 'Private Const PROJECT_NAME As String = "xl_conversion"\r\n' in source
        assert source.count("\r\n") == source.count("\n") == source.count("\r")
        ours = decompressed(container.streams["VBA/xlwings_udfs"]).decode("ascii")
        assert ours == module_text(addin=file.name == build.ADDIN)

    def test_says_nothing_of_the_machine_of_its_maker(self, container: Container) -> None:
        everything = b"".join(container.streams.values()) + decompressed(container.streams["VBA/dir"])
        everything += everything.replace(b"\0", b"")
        assert not re.search(rb"Users[\\/]|felix|Windows[\\/]", everything)

    def test_a_module_of_every_size_survives(self) -> None:
        for size in (0, 1, 63, 64, 4095, 4096, 4097, 70_000):
            source = "".join(f"' {place * 7919 % 10007}\r\n" for place in range(size // 5))
            modules = [document("ThisWorkbook"), Module("Module1", Kind.STANDARD, source)]
            data = project_bytes(quickstart(), modules)
            container = Container(data)
            assert decompressed(container.streams["VBA/Module1"]).decode() == source
            assert [module.source for module in modules_of(data)] == [module.source for module in modules]

    def test_other_readers_find_the_same(self, file: Path) -> None:
        data = part(file, build.PROJECT)
        ole = OleFileIO(BytesIO(data))
        assert ole.parsing_issues == []
        container = Container(data)
        assert {"/".join(path): ole.openstream(path).read() for path in ole.listdir()} == container.streams
        with ExcelFile(file) as book:
            names = book.module_names()
            assert names == [name for name, _ in modules_in(decompressed(container.streams["VBA/dir"]))]
            assert book.vba_project().validate() == []
            for name in names:
                assert book.get_module(name) == decompressed(container.streams[f"VBA/{name}"]).decode("cp1252")


def quickstart() -> bytes:
    """The project that xlwings carries."""
    return part(QUICKSTART, build.PROJECT)


# The files


@pytest.fixture(scope="session")
def olevba() -> Any:
    """The reader that mail gateways and virus scanners use; it is noisy when it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oletools import olevba
    return olevba


class TestFile:
    def test_olevba_finds_the_modules(self, file: Path, olevba: Any) -> None:
        scanner = olevba.VBA_Parser(str(file))
        assert scanner.detect_vba_macros()
        found = {name.rpartition(".")[0]: source for _, _, name, source in scanner.extract_macros()}
        assert found == sources(file)

    def test_no_code_differs_from_its_source(self, file: Path, olevba: Any) -> None:
        assert olevba.VBA_Parser(str(file)).detect_vba_stomping() is False

    def test_what_looks_suspicious_is_the_start_and_xlwings(self, file: Path, olevba: Any) -> None:
        def keywords(source: str) -> set[tuple[str, str]]:
            findings = olevba.VBA_Scanner(source).scan()
            return {(kind, word.lower()) for kind, word, _ in findings if kind in ("AutoExec", "Suspicious")}

        text = sources(file)
        code = re.sub("'.*", "", re.sub('"[^"\r\n]*"', '""', text["xlwings_udfs"]))
        start = {("AutoExec", "auto_open")}  # help for the function wizard, in macro workbooks only
        assert keywords(code) == (set() if file.name == build.ADDIN else start)
        others = "".join(source for name, source in text.items() if name not in ("xlwings_udfs", CARRIED))
        assert keywords(others) == {("Suspicious", "hex strings")}  # the class identifiers of Excel

    def test_the_validator_finds_nothing(self, file: Path, validator: Callable[[Path], list[Finding]]) -> None:
        assert validator(file) == []

    def test_other_programs_can_read_it(self, folder: Path) -> None:
        book = load_workbook(folder / MODEL, keep_vba=True)
        assert book.code_name == "ThisWorkbook"
        assert book.vba_archive.read(build.PROJECT) == part(folder / MODEL, build.PROJECT)

    def test_types_and_relations_are_those_of_its_kind(self, file: Path) -> None:
        kind = "addin" if file.name == build.ADDIN else "sheet"
        types = {
            override.get("PartName"): override.get("ContentType")
            for override in fromstring(part(file, "[Content_Types].xml"))
        }
        assert types["/xl/workbook.xml"] == f"application/vnd.ms-excel.{kind}.macroEnabled.main+xml"
        extensions = {
            default.get("Extension"): default.get("ContentType")
            for default in fromstring(part(file, "[Content_Types].xml"))
        }
        assert extensions["bin"] == "application/vnd.ms-office.vbaProject"
        relations = fromstring(part(file, "xl/_rels/workbook.xml.rels"))
        projects = [r for r in relations if str(r.get("Type")).endswith("/vbaProject")]
        assert [r.get("Target") for r in projects] == ["vbaProject.bin"]
        assert projects[0].get("Type") == "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
        assert len({r.get("Id") for r in relations}) == len(relations)

    def test_the_configuration_is_what_xlwings_reads(self, file: Path) -> None:
        book = load_workbook(readable(file))
        last = ["xl_conversion.conf"] if file.name == build.ADDIN else ["xl_conversion.conf", "_IntelliSense_"]
        assert book.sheetnames[-len(last) :] == last
        sheet = book["xl_conversion.conf"]
        assert sheet.sheet_state == "visible"
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        settings = {}
        for key, value, meaning in rows:  # as GetConfigFromSheet does
            if not key:
                break
            assert key.upper() not in settings
            assert isinstance(value, str), "a truth value would become a word of the user's language"
            assert meaning
            settings[key.upper()] = value
        expected = {"ADD_WORKBOOK_TO_PYTHONPATH": "False"}
        # In an add-in nobody sees the sheet: there the file of the user has a say.
        assert settings == expected | ({} if file.name == build.ADDIN else {"ERROR_TEXTS": "no"})
        asked = re.findall(r'GetConfig\("([^"]+)"', "".join(sources(file).values()))
        assert set(settings) <= set(asked)

    def test_the_workbook_is_the_template_with_the_functions(self, folder: Path) -> None:
        with ZipFile(BytesIO(price_model_bytes())) as archive:
            before = {name: archive.read(name) for name in archive.namelist()}
        with ZipFile(folder / MODEL) as archive:
            after = {name: archive.read(name) for name in archive.namelist()}
        assert set(after) - set(before) == {
            build.PROJECT,
            "xl/worksheets/sheet18.xml",
            "xl/worksheets/sheet19.xml",
        }
        assert set(before) <= set(after)
        for name in before:
            if name.startswith("xl/worksheets/"):
                # Formulas, cached values and all: the sheet with one attribute more.
                assert re.sub(rb' codeName="Sheet\d+"', b"", after[name], count=1) == before[name]

    def test_the_addin_says_what_it_is(self, folder: Path) -> None:
        properties = load_workbook(readable(folder / build.ADDIN)).properties
        assert properties.title == "Conversion price functions (xl_conversion)"
        assert __version__ in properties.description
        assert version("xlwings") in properties.description

    def test_only_what_has_formulas_is_recalculated_on_opening(self, file: Path) -> None:
        calculated = fromstring(part(file, "xl/workbook.xml")).find(f"{SPREADSHEET}calcPr")
        if file.name == build.ADDIN:  # Excel opens it at every start
            assert calculated is None
            assert not re.search(rb"<f[ />]", part(file, "xl/worksheets/sheet1.xml"))
        else:
            assert calculated is not None
            assert calculated.get("fullCalcOnLoad") == "1"

    def test_the_addin_knows_whether_it_was_changed(self, folder: Path) -> None:
        said = load_workbook(readable(folder / build.ADDIN)).properties.identifier
        assert re.fullmatch("sha256:[0-9a-f]{64}", str(said))

    def test_goes_with_the_xlwings_that_is_installed(self, file: Path) -> None:
        assert build.xlwings_version() == version("xlwings")
        assert build.dll_name() == f"xlwings64-{version('xlwings')}.dll"
        libraries = set(re.findall(r'Lib "(xlwings[^"]+)"', sources(file)["xlwings"]))
        assert libraries == {f"xlwings{bits}-{version('xlwings')}.dll" for bits in (32, 64)}

    def test_is_the_same_in_every_process(self, folder: Path) -> None:
        program = (
            "import sys; from pathlib import Path; from xl_conversion.hosts.excel import build; "
            "build.build_files(Path(sys.argv[1]))"
        )
        for seed in ("1", "2"):
            other = folder.parent / f"other-{seed}"
            environment = {**os.environ, "PYTHONHASHSEED": seed}
            command = [sys.executable, "-c", program, str(other)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            assert (done.stdout, done.stderr) == ("", "")
            for path in sorted(folder.iterdir()):
                assert (other / path.name).read_bytes() == path.read_bytes()

    def test_the_licences_go_with_it(self, folder: Path, file: Path) -> None:
        notice = (folder / build.NOTICE).read_text()
        assert "Copyright (C) 2014-present, Zoomer Analytics" in notice
        assert "Redistributions in binary form must reproduce" in notice
        assert "shortened" in notice
        assert file.name in notice
        assert "Zoomer Analytics" in sources(file)["xlwings"]


def readable(path: Path) -> BytesIO:
    """A built file for openpyxl, which refuses add-ins."""
    copy = BytesIO()
    with ZipFile(path) as archive, ZipFile(copy, "w") as target:
        for name in archive.namelist():
            target.writestr(name, archive.read(name).replace(b"vnd.ms-excel.addin.", b"vnd.ms-excel.sheet."))
    return copy


def sources(path: Path) -> dict[str, str]:
    """The modules of a built file."""
    streams = Container(part(path, build.PROJECT)).streams
    names = [name for name, _ in modules_in(decompressed(streams["VBA/dir"]))]
    return {name: decompressed(streams[f"VBA/{name}"]).decode("cp1252") for name in names}


# Runs in LibreOffice's Python, as office_agent.py does, and adds one request: a function of a macro library.
BASIC = """
import importlib, sys
sys.path.insert(0, sys.argv.pop(1))
import office_agent
office_agent.uno = importlib.import_module("uno")

class Agent(office_agent.Agent):
    def basic(self, source, name):
        settings = office_agent._properties(Hidden=True, MacroExecutionMode=4)
        document = self.desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, settings)
        libraries = document.BasicLibraries
        libraries.VBACompatibilityMode = True
        libraries.createLibrary("Library").insertByName("Module", source)
        address = f"vnd.sun.star.script:Library.Module.{name}?language=Basic&location=document"
        result, _, _ = document.getScriptProvider().getScript(address).invoke((), (), ())
        document.close(True)
        return result

office_agent.Agent = Agent
office_agent.main()
"""

# What xlwings and Excel give, and what asks the function: each answer, and each cell that comes of it, as a text.
DRIVER = """
Private Answer As Variant
Private Setting As String

Private Function ErrorTexts() As Variant
    If Setting = "" Then ErrorTexts = "no" Else ErrorTexts = Setting
End Function

Private Function Shown(ByVal value As Variant) As String
    If IsError(value) Then
        Shown = "error " & CLng(value)
    ElseIf VarType(value) = vbString Then
        Shown = "text " & value
    Else
        Shown = "number " & value
    End If
End Function

Private Function AllShown(ByVal value As Variant) As String
    Dim row As Long, column As Long
    Select Case Dimensions(value)
    Case 0
        AllShown = Shown(value)
    Case 1
        For column = LBound(value) To UBound(value)
            AllShown = AllShown & "|" & Shown(value(column))
        Next column
    Case Else
        For row = LBound(value, 1) To UBound(value, 1)
            AllShown = AllShown & "/"
            For column = LBound(value, 2) To UBound(value, 2)
                AllShown = AllShown & "|" & Shown(value(row, column))
            Next column
        Next row
    End Select
End Function
"""


@pytest.fixture(scope="module")
def basic(soffice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Runs VBA beside the helpers of the module, and gives what it puts into `Main`."""
    work = tmp_path_factory.mktemp("basic")
    program = work / "basic_agent.py"
    program.write_text(BASIC)
    text = module_text()
    helpers = text[text.index("Private Function AsCells") : text.index("Sub Auto_Open")]

    with Office(work, soffice=soffice) as office:
        office._command[1:2] = [str(program), str(Path(office_agent.__file__).parent)]

        def run(body: str) -> str:
            main = f"Function Main() As String\n{body}\nEnd Function\n"
            source = f"Option VBASupport 1\nOption Explicit\n{DRIVER}\n{helpers}\n{main}"
            return str(office.ask("basic", source=source, name="Main"))

        yield run


class TestLibreOffice:
    def test_its_basic_turns_texts_into_errors_too(self, basic: Callable[[str], str]) -> None:
        assert basic('Main = AllShown(AsCells("#NUM! x"))') == "error 2036"
        assert basic('Main = AllShown(AsCells("x #NUM!"))') == "text x #NUM!"
        assert basic("Main = AllShown(AsCells(25))") == "number 25"
        assert basic('Main = AllShown(AsCells("#VALUE!: why"))') == "text #VALUE!: why"
        assert basic('Main = AllShown(AsCells(Array(1, "#N/A y", "x")))') == "|number 1|error 2042|text x"
        grid = 'Dim a(1, 1) As Variant\na(0, 0) = 1\na(0, 1) = "#N/A"\na(1, 0) = "#VALUE! b"\na(1, 1) = "x"\n'
        shown = "/|number 1|error 2042/|error 2015|text x"
        assert basic(grid + "Main = AllShown(AsCells(a))") == shown
        assert basic('Dim a(0, 0) As Variant\na(0, 0) = "#NUM! x"\nMain = AllShown(AsCells(a))') == "error 2036"
        assert basic('Setting = "yes"\nMain = AllShown(AsCells("#NUM! x"))') == "text #NUM! x"
        assert basic('Main = AllShown(Unreachable("CP_X", "no Python"))') == "error 2029"

    @pytest.mark.parametrize("name", build.TEMPLATES)
    def test_the_workbook_recalculates(self, name: str, folder: Path, calc: Office) -> None:
        with calc.session() as session:
            opened = session.open(folder / name)
            assert opened.sheets()[-2:] == ["xl_conversion.conf", "_IntelliSense_"]
            opened.recalculate()
            values = opened.values()
            errors = {cell: value for cell, value in values.items() if isinstance(value, Error)}
            assert errors == {}
            if name == MODEL:
                checks = [value for (sheet, _), value in values.items() if sheet == "Checks"]
                assert not {"CHECK", "NO ADD-IN"} & set(checks)
                assert checks.count("OK") > 20
            cached = load_workbook(folder / name, data_only=True)
            for (sheet, address), value in values.items():
                kept = cached[sheet][address].value
                if isinstance(kept, int | float) and not isinstance(kept, bool):
                    assert value == pytest.approx(kept, rel=1e-14)
                elif isinstance(kept, str):
                    assert value == kept

    def test_the_addin_opens(self, folder: Path, office: Office, tmp_path: Path) -> None:
        # LibreOffice knows no add-ins of this kind; it opens the workbook that one is.
        path = tmp_path / "addin.xlsm"
        path.write_bytes((folder / build.ADDIN).read_bytes())
        with office.session() as session:
            opened = session.open(path)
            assert opened.sheets() == ["xl_conversion.conf"]
            assert opened.value("xl_conversion.conf", "A1") == "ADD_WORKBOOK_TO_PYTHONPATH"


# The command


class TestCommand:
    def test_writes_everything_and_says_so(self, folder: Path, tmp_path: Path) -> None:
        out = tmp_path / "new" / "excel"
        done = CliRunner().invoke(excel, ["build", "--out", str(out)])
        assert done.exit_code == 0, done.output
        names = [*build.TEMPLATES, build.ADDIN, build.NOTICE]
        assert done.stdout.splitlines() == [str(out / name) for name in names]
        assert done.stderr == f"for xlwings {version('xlwings')}: the Python of Excel must have the same version\n"
        assert sorted(path.name for path in out.iterdir()) == sorted(names)
        for name in names:
            assert (out / name).read_bytes() == (folder / name).read_bytes()

    def test_says_nothing_else_when_it_ends(self, tmp_path: Path) -> None:
        program = "from xl_conversion.cli import main; main()"
        for arguments in (["build"], ["build"], ["build", "--force"]):
            done = subprocess.run(
                [sys.executable, "-X", "dev", "-c", program, "excel", *arguments],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=True,
            )
            assert len(done.stdout.splitlines()) == len(build.TEMPLATES) + 2
            assert re.fullmatch("for xlwings .*\n", done.stderr)

    def test_writes_into_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert CliRunner().invoke(excel, ["build"]).exit_code == 0
        assert (tmp_path / build.ADDIN).exists()

    def test_overwrites_only_when_told(self, tmp_path: Path) -> None:
        build.build_files(tmp_path)
        (tmp_path / MODEL).write_bytes(b"somebody's figures")
        (tmp_path / build.NOTICE).unlink()
        with pytest.raises(SaveError, match="it is there and differs") as refused:
            build.build_files(tmp_path)
        assert refused.value.hint == "--force replaces it."
        assert (tmp_path / MODEL).read_bytes() == b"somebody's figures"
        assert not (tmp_path / build.NOTICE).exists()
        done = CliRunner().invoke(excel, ["build", "--out", str(tmp_path), "--force"])
        assert done.exit_code == 0
        assert done.stdout.splitlines() == [
            str(tmp_path / MODEL),
            f"{tmp_path / 'conversion-chain-model.xlsm'} (unchanged)",
            f"{tmp_path / 'function-gallery.xlsm'} (unchanged)",
            f"{tmp_path / build.ADDIN} (unchanged)",
            str(tmp_path / build.NOTICE),
        ]
        assert (tmp_path / MODEL).read_bytes() != b"somebody's figures"

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(SaveError, match="Cannot make the folder"):
            build.build_files(tmp_path / "file" / "folder")

    def test_help_has_examples(self) -> None:
        for arguments in (["--help"], ["build", "--help"]):
            done = CliRunner().invoke(excel, arguments)
            assert done.exit_code == 0
            assert "xl-conversion excel build --out excel" in done.output


class TestXlwings:
    """An xlwings that is not as expected: one line, and what to do."""

    @pytest.fixture
    def theirs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        (tmp_path / "quickstart_standalone.xlsm").write_bytes(QUICKSTART.read_bytes())
        monkeypatch.setattr(build.xw, "__file__", str(tmp_path / "__init__.py"))
        caches = (build._template, build._carried)
        for cached in caches:
            cached.cache_clear()
        yield tmp_path / "quickstart_standalone.xlsm"
        for cached in caches:
            cached.cache_clear()

    def test_without_its_workbook(self, theirs: Path) -> None:
        theirs.unlink()
        with pytest.raises(SaveError, match="missing or damaged") as refused:
            build.addin()
        assert refused.value.hint.startswith("Install xlwings anew")

    @pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100])
    def test_with_a_damaged_one(self, theirs: Path, content: bytes) -> None:
        theirs.write_bytes(content)
        with pytest.raises(SaveError, match="missing or damaged"):
            build.addin()

    def test_with_a_damaged_project(self, theirs: Path) -> None:
        with ZipFile(theirs, "w") as archive:
            archive.writestr(build.PROJECT, b"nothing")
        with pytest.raises(SaveError, match="are damaged"):
            build.addin()

    def test_with_settings_of_another_name(self, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(build, "_THEIR_NAME", 'Const PROJECT_NAME = "other"')
        with pytest.raises(SaveError, match="does not name its settings where expected"):
            build.addin()

    def test_with_vba_that_has_no_such_function(self, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def without(source: str) -> str:
            return shortened(source.replace("XLPyDLLActivateAuto", "Other"))

        monkeypatch.setattr(build, "shortened", without)
        with pytest.raises(SaveError, match="its VBA has no XLPyDLLActivateAuto"):
            build.addin()

    def test_with_the_vba_of_another_version(self, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(build.xw, "__version__", "0.99.0")
        with pytest.raises(SaveError, match="which is of another version"):
            build.addin()
