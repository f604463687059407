"""The VBA of the worksheet functions: a wrapper for each one of the catalogue, and what they need of xlwings.

The module of the wrappers asks Python as the module does that xlwings' own import writes, and has its name, so
that an import replaces it. Unlike that one it gives Excel's errors, where xlwings gives texts that a sum passes
over, and it carries the help of the function wizard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from xl_conversion import __version__
from xl_conversion.core.rounding import shorten
from xl_conversion.functions.catalogue import CATALOGUE, Function
from xl_conversion.hosts.excel import udfs
from xl_conversion.hosts.excel.errors import ERRORS
from xl_conversion.hosts.excel.project import MARK, MODULE

SETTING: Final = "ERROR_TEXTS"
"""Key on the sheet of settings or in the user's file: with "yes" a cell tells why it is an error."""
MAX_LINE: Final = 1023
"""Characters that VBA reads of a line."""

UNREACHABLE: Final = "#NAME?"
"""What a cell shows where Python does not answer: there the functions are as good as absent."""

_HELPERS = """
Private Function AsCells(ByVal answer As Variant) As Variant
    ' What Python answers, with an error of Excel for each text such as "#NUM! CP_SPLIT: split_new is 0".
    ' A single element is no array, so that it works where a cell is expected.
    Dim keep As Variant, row As Long, column As Long
    Select Case Dimensions(answer)
    Case 0
        AsCells = AsCell(answer, keep)
    Case 1
        For column = LBound(answer) To UBound(answer)
            answer(column) = AsCell(answer(column), keep)
        Next column
        If LBound(answer) = UBound(answer) Then AsCells = answer(LBound(answer)) Else AsCells = answer
    Case Else
        For row = LBound(answer, 1) To UBound(answer, 1)
            For column = LBound(answer, 2) To UBound(answer, 2)
                answer(row, column) = AsCell(answer(row, column), keep)
            Next column
        Next row
        If LBound(answer, 1) = UBound(answer, 1) And LBound(answer, 2) = UBound(answer, 2) Then
            AsCells = answer(LBound(answer, 1), LBound(answer, 2))
        Else
            AsCells = answer
        End If
    End Select
End Function

Private Function Dimensions(ByRef answer As Variant) As Long
    Dim bound As Long
    If Not IsArray(answer) Then Exit Function
    Dimensions = 1
    On Error Resume Next
    bound = UBound(answer, 2)
    If Err.Number = 0 Then Dimensions = 2
    On Error GoTo 0
End Function

Private Function AsCell(ByVal value As Variant, ByRef keep As Variant) As Variant
    ' `keep` is whether texts are kept: asked for when there is the first one, since it takes a while.
    Dim number As Long
    AsCell = value
    If VarType(value) <> vbString Then Exit Function
    If Left$(value, 1) <> "#" Then Exit Function
    number = ErrorNumber(value)
    If number = 0 Then Exit Function
    If IsEmpty(keep) Then keep = KeepsTexts()
    If Not keep Then AsCell = CVErr(number)
End Function

Private Function ErrorNumber(ByVal text As String) As Long
    ' The code alone, or a space after it. With anything else after it, it is a text about an error.
    Dim gap As Long
    gap = InStr(text, " ")
    If gap > 0 Then text = Left$(text, gap - 1)
    Select Case text
{cases}
    End Select
End Function

Private Function KeepsTexts() As Boolean
    On Error Resume Next
    KeepsTexts = (LCase$(Trim$(ErrorTexts())) = "yes")
End Function

Private Sub NeedWindows()
    #If Mac Then
        Err.Raise 5, , "xlwings has worksheet functions in Excel for Windows only"
    #End If
End Sub

Private Function Unreachable(ByVal name As String, ByVal reason As String) As Variant
    ' An error, not a text: a sum would pass over a text, and a check would not see it.
    Dim keep As Variant
    Unreachable = AsCell("{unreachable} " & name & ": Python did not answer: " & reason, keep)
End Function
"""

_DESCRIBE = """
Private Sub Describe(ByVal name As String, ByVal summary As String, Optional ByVal help As Variant)
    name = "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & name
    If IsMissing(help) Then
        Application.MacroOptions Macro:=name, Description:=summary, Category:="{category}"
    Else
        Application.MacroOptions Macro:=name, Description:=summary, Category:="{category}", _
            ArgumentDescriptions:=help
    End If
End Sub
"""

_REACH = "XLPy"
_ASKED = f"""
Public Function ErrorTexts() As Variant
    ' Of xl_conversion: the setting that its functions ask for.
    ErrorTexts = GetConfig("{SETTING}", "no")
End Function
"""
_DIRECTIVE = re.compile(r"\s*#(?:(If|ElseIf) (.*?) Then\b|(Else|End If)\b|(Const) App\b)")
_PROCEDURE = re.compile(r"(?:(?:Public|Private) )?((?:Function|Sub) (\w+))")
_DECLARED = re.compile(r"( *)(?:(?:Public|Private) )?((?:Declare (?:PtrSafe )?(?:Function|Sub)|Const) (\w+))")


def module_text(functions: Sequence[Function] = CATALOGUE, *, addin: bool = False) -> str:
    """The source of the module, lines ended by CR LF. ValueError for a text that VBA cannot hold.

    With `addin` for an .xlam: there the function wizard shows what a function does, but not what its arguments
    are, since Excel takes that only from code that runs at each start, and from an add-in only while it is made
    visible for a moment.
    """
    lines = [
        f'Attribute VB_Name = "{MODULE}"',
        f"' The worksheet functions of xl_conversion {__version__}, asked of Python through xlwings.",
        MARK,
        "Option Explicit",
        "",
    ]
    for function in functions:
        lines += [*_wrapper(function, "ActiveWorkbook" if addin else "ThisWorkbook"), ""]
    cases = "\n".join(f"    Case {_literal(code)}: ErrorNumber = {number}" for number, code in ERRORS.items())
    helpers = _HELPERS.format(cases=cases, unreachable=UNREACHABLE)
    lines += helpers.strip("\n").split("\n")
    if not addin:
        lines += ["", *_help(functions), *_DESCRIBE.format(category=udfs.CATEGORY).rstrip("\n").split("\n")]
    for line in lines:
        if not line.isascii() or not (line.isprintable() and len(line) <= MAX_LINE):
            raise ValueError(f"VBA cannot hold the line {shorten(line)}")
    return "\r\n".join([*lines, ""])


def shortened(source: str) -> str:
    """Of the module `xlwings` what reaches Python from Excel on Windows, and nothing that a cell could misuse.

    A cell of any workbook can call the public functions of a loaded add-in, and there are some among the others
    that run a command or read a file. So all of it is private but XLPy, which takes no argument, and a function
    without arguments for the one setting that is asked for. ValueError if something is not there.
    """
    head: list[str] = []
    procedures: dict[str, list[str]] = {}
    inside: list[str] | None = None
    for line in _on_windows(source.splitlines()):
        if inside is None and (found := _PROCEDURE.match(line)):
            inside = procedures[found[2].lower()] = []
        if inside is not None:
            inside.append(line)
            if re.match("End (?:Function|Sub)", line):
                inside = None
        elif not procedures:
            head.append(line)
    needed: list[str] = []
    used = {_REACH.lower(), "getconfig"}
    while more := [name for name in procedures if name in used and name not in needed]:
        needed += more
        used |= {word for name in more for line in procedures[name] for word in _words(line)}
    kept = [line for line in head if not (found := _DECLARED.match(line)) or found[3].lower() in used]
    there = {found[3].lower() for line in kept if (found := _DECLARED.match(line))} | set(needed)
    for name in (_REACH, "XLPyCommand", "GetConfig", "XLPyDLLActivateAuto", "LoadLibrary", "PROJECT_NAME"):
        if name.lower() not in there:
            raise ValueError(f"its VBA has no {name}")
    first, *others = (_DECLARED.sub(r"\1Private \2", line) for line in kept)
    lines = [first, "Option Private Module", *others]
    for name in procedures:
        if name in needed:
            access = "Public" if name == _REACH.lower() else "Private"
            opening, *rest = procedures[name]
            lines += [_PROCEDURE.sub(rf"{access} \1", opening, count=1), *rest, ""]
    return "\r\n".join([*lines, *_ASKED.strip("\n").split("\n"), ""])


def _on_windows(lines: Iterable[str]) -> Iterator[str]:
    """What Excel on Windows compiles of the lines; that which depends on its bits and its age stays open."""
    blocks: list[tuple[bool, bool, bool]] = []  # whether decided; a branch was taken; this one is
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            if all(active for _, _, active in blocks):
                yield line
            continue
        if directive[4]:
            continue
        value = _decided(directive[2]) if directive[2] else None
        decided, taken, _ = blocks.pop() if directive[1] != "If" else (value is not None, False, False)
        if not decided:
            if all(active for _, _, active in blocks):
                yield line
            if directive[3] != "End If":
                blocks.append((False, False, True))
        elif directive[3] != "End If":
            now = not taken and (directive[3] == "Else" or bool(value))
            blocks.append((True, taken or now, now))


def _decided(condition: str) -> bool | None:
    if condition.startswith("App = "):
        return condition == 'App = "Microsoft Excel"'
    return {"Mac": False, "Not Mac": True}.get(condition)


def _words(line: str) -> list[str]:
    """The words of a line of code, without texts and comments."""
    return re.findall(r"\w+", re.sub(r"\"[^\"]*\"|'.*", " ", line).lower())


def _wrapper(function: Function, workbook: str) -> Iterator[str]:
    name = function.name
    declared = ", ".join(f"Optional {a.name}" if a.optional else a.name for a in function.arguments)
    passed = ", ".join(argument.name for argument in function.arguments)
    yield f"Function {name}({declared})"
    yield f"Attribute {name}.VB_Description = {_literal(shorten(function.summary, udfs.MAX_HELP))}"
    yield rf'Attribute {name}.VB_ProcData.VB_Invoke_Func = " \n14"'  # as Excel writes it: no key, category 14
    yield "    On Error GoTo failed"
    yield "    NeedWindows"
    yield f'    {name} = AsCells(XLPy.CallUDF("{udfs.__name__}", "{name}", Array({passed}), _'
    yield f"        {workbook}, Application.Caller))"
    yield "    Exit Function"
    yield "failed:"
    yield f'    {name} = Unreachable("{name}", Err.Description)'
    yield "End Function"


def _help(functions: Sequence[Function]) -> Iterator[str]:
    yield "Sub Auto_Open()"
    yield "    ' What the function wizard says of functions and arguments. Without it, everything else works."
    yield "    Dim saved As Boolean"
    yield "    saved = ThisWorkbook.Saved"
    yield "    On Error Resume Next"
    for function in functions:
        yield f"    Describe_{function.name}"
    yield "    ThisWorkbook.Saved = saved"
    yield "End Sub"
    for function in functions:  # a procedure each, since VBA limits the size of one
        yield ""
        yield f"Private Sub Describe_{function.name}()"
        texts = [function.summary, *(argument.help for argument in function.arguments)]
        summary, *described = [_literal(shorten(text, udfs.MAX_HELP)) for text in texts]
        start = f'    Describe "{function.name}", {summary}'
        if described:
            yield f"{start}, Array( _"
            yield from (f"        {text}, _" for text in described[:-1])
            yield f"        {described[-1]})"
        else:
            yield start
        yield "End Sub"


def _literal(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
