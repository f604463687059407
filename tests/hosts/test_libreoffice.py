"""The add-in in the real LibreOffice: the same doubles as `evaluate`, bit for bit, and the same errors."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from support.office import ERROR_CODES, Error, Office

from xl_conversion import __version__
from xl_conversion.functions import boundary
from xl_conversion.functions.boundary import MISSING, Cell, CellError, Range
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Argument, Function, Kind
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.hosts.libreoffice import addin, runtime

pytest_plugins = ["support.calc"]

Content = float | str | ArrayFormula | None
Shown = float | str | Error

SPLIT = FUNCTIONS["CP_SPLIT"]
AWKWARD = (0.1 + 0.2, 1.005, 2.675, 1 / 3, 2 / 3 * 100, 1e-7, 1e22, 123456789012345.0, 999999999999.995, 0.0, 1.0)
DESCRIPTIONS = """
import json, sys, uno
resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
remote = resolver.resolve(f"uno:pipe,name={sys.argv[1]};urp;StarOffice.ComponentContext")
known = remote.ServiceManager.createInstance("com.sun.star.sheet.FunctionDescriptions")
for place in range(known.Count):
    found = {p.Name: p.Value for p in known.getByIndex(place)}
    arguments = [(a.Name, a.Description) for a in found["Arguments"] or ()]
    print(json.dumps([found["Name"], found["Description"], arguments]))
"""


def write_book(path: Path, cells: Mapping[str, Content]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "T"
    for address, content in cells.items():
        sheet[address] = content
    book.save(path)
    return path


def calculated(calc: Office, path: Path, cells: Mapping[str, Content]) -> dict[str, Shown]:
    """What Calc shows, cell by cell, for a workbook with these contents."""
    with calc.session() as session:
        found = session.open(write_book(path, cells)).values()
    return {address: value for (_, address), value in found.items()}


def bits(value: Shown | CellError) -> str:
    """A value so that equal means the same double, bit for bit."""
    if isinstance(value, CellError):
        return value.code
    return value.hex() if isinstance(value, float) else value.name if isinstance(value, Error) else f"text {value}"


def typed(text: str) -> float | str:
    """What an argument typed into a formula stands for."""
    return text[1:-1] if text.startswith('"') else float(text)


def random_argument(source: random.Random, argument: Argument) -> str:
    """As typed into a formula; "" leaves it out."""
    if argument.optional and source.random() < 0.2:
        return ""
    if argument.kind is Kind.ROUNDING_TYPE:
        return f'"{source.choice(("half_up", "HALF_EVEN", "Floor", "ceiling", "NORMAL", "nearest"))}"'
    if argument.kind is Kind.DECIMALS:
        return repr(float(source.choice((-3, -1, 0, 1, 2, 2, 3, 4, 4, 6, 10, 15, 16, 0.5))))
    value = source.choice(
        (
            source.choice(AWKWARD),
            source.randrange(1, 10**9) / 100,
            float(source.randrange(1, 10**9)),
            source.uniform(0, 100),
            source.randrange(10**14, 10**15) / 10 ** source.randrange(15),
            -source.uniform(0, 0.2) if source.random() < 0.2 else source.uniform(0, 1e6),
        )
    )
    return repr(value).upper()


@pytest.fixture(scope="module")
def examples(calc: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    path = tmp_path_factory.mktemp("examples") / "examples.xlsx"
    return calculated(calc, path, {f"A{row}": f.example_formula for row, f in enumerate(CATALOGUE, 1)})


@pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)
def test_the_example_of_every_function(examples: dict[str, Shown], function: Function) -> None:
    expected = evaluate(function, [typed(text) for text in function.example])
    assert not isinstance(expected, list | CellError)
    assert bits(examples[f"A{CATALOGUE.index(function) + 1}"]) == bits(expected)


def test_random_arguments_typed_and_in_cells(calc: Office, tmp_path: Path) -> None:
    source = random.Random(20020205)  # noqa: S311
    cells: dict[str, Content] = {}
    expected: dict[str, str] = {}
    cases = [function for function in CATALOGUE if function.arguments for _ in range(60)]
    for row, function in enumerate(cases, 1):
        texts = [random_argument(source, argument) for argument in function.arguments]
        value = evaluate(function, [typed(text) if text else MISSING for text in texts])
        assert not isinstance(value, list)
        references = list(texts)
        for place, text in enumerate(texts):
            if text and source.random() < 0.5:  # as a formula: openpyxl writes a number with 16 digits only
                references[place] = f"{chr(ord('B') + place)}{row}"
                cells[references[place]] = f"={text}"
        cells[f"A{row}"] = f"={function.name}({','.join(references)})"
        expected[f"A{row}"] = bits(value)
    found = calculated(calc, tmp_path / "random.xlsx", cells)
    differing = {
        cells[address]: (bits(found[address]), value)
        for address, value in expected.items()
        if bits(found[address]) != value
    }
    assert differing == {}
    assert 200 < sum(not value.startswith("#") for value in expected.values()) < len(cases) - 20  # both occur


def test_a_number_typed_into_a_formula_is_the_nearest_double(calc: Office, tmp_path: Path) -> None:
    source = random.Random(7)  # noqa: S311
    numbers = ["6.41", "8187842.70", "0.1", "9007199254740993", "1E-300", "2.2250738585072014E-308"]
    numbers += [repr(source.uniform(0, 10) ** source.randrange(1, 12)) for _ in range(300)]
    numbers += [f"0.{source.randrange(10**15):015d}" for _ in range(300)]
    found = calculated(calc, tmp_path / "typed.xlsx", {f"A{row}": f"={n}" for row, n in enumerate(numbers, 1)})
    assert [found[f"A{row}"] for row in range(1, len(numbers) + 1)] == [float(n) for n in numbers]


def test_errors(calc: Office, tmp_path: Path) -> None:
    inputs = {
        "H1": "#DIV/0!",
        "H2": "#N/A",
        "H3": "#REF!",
        "H4": "#NAME?",
        "H5": "#NULL!",
        "H6": "#VALUE!",
        "H7": "#NUM!",
    }
    formulas = {
        "=CP_SPLIT(0,2,1)": "#NUM!",
        '=CP_SPLIT("x",2,1)': "#VALUE!",
        '=CP_SPLIT("50",2,1)': "#VALUE!",
        "=CP_SPLIT(50,2)": "#VALUE!",
        "=CP_SPLIT(50,,1)": "#VALUE!",
        '=CP_SPLIT(IF(A99="","",A99),2,1)': "#VALUE!",
        "=CP_SPLIT(50,2,1,16)": "#NUM!",
        '=CP_SPLIT(50,2,1,2,"nearest")': "#VALUE!",
        "=CP_SPLIT(50,2,1,2,3)": "#VALUE!",
        "=CP_SPLIT(1/0,2,1)": "#DIV/0!",
        "=CP_SPLIT(50,2,1,NA())": "#N/A",
        "=CP_SPLIT(CP_SPLIT(0,2,1),2,1)": "#NUM!",
        **{f"=CP_SPLIT(50,{address},1)": error for address, error in inputs.items()},
    }
    cells = {**inputs, **{f"A{row}": formula for row, formula in enumerate(formulas, 1)}}
    found = calculated(calc, tmp_path / "errors.xlsx", cells)
    shown = {formula: found[f"A{row}"] for row, formula in enumerate(formulas, 1)}
    assert shown == {formula: Error(code) for formula, code in formulas.items()}


def test_the_result_works_inside_other_formulas(calc: Office, tmp_path: Path) -> None:
    formulas: dict[str, float | str] = {
        "=CP_SPLIT(50,2,1)+1": 26.0,
        '=IF(CP_SPLIT(50,2,1)=25,"yes","no")': "yes",
        '=IFERROR(CP_SPLIT(0,2,1),"bad")': "bad",
        "=SUM(1,CP_SPLIT(50,2,1))": 26.0,
        "=CP_SPLIT(CP_SPLIT(50,2,1),2,1)": 12.5,
        '=TEXT(CP_SPLIT(50,2,1),"0.00")': "25.00",
        "=SUMPRODUCT(CP_SPLIT({50,30},2,1))": 40.0,
        '=CP_VERSION()&"!"': f"{__version__}!",
        '=CP_SPLIT(50,3,1,IF(H1="","",H1))': 50 / 3,  # a blank cell in the way that keeps it blank
    }
    found = calculated(calc, tmp_path / "nested.xlsx", {f"A{row}": f for row, f in enumerate(formulas, 1)})
    assert {formula: found[f"A{row}"] for row, formula in enumerate(formulas, 1)} == formulas


def test_an_array_formula_spills_a_column_against_a_row(calc: Office, tmp_path: Path) -> None:
    column: Sequence[float | str | None] = (50.0, None, 0.0, "x", 1 / 3)
    row = (2.0, 3.0, 0.0)
    cells = {
        **{
            f"A{place}": f"={value!r}" if isinstance(value, float) else value
            for place, value in enumerate(column, 1)
        },
        **{f"{letter}7": value for letter, value in zip("BCD", row, strict=True)},
        "E1": ArrayFormula("E1:G5", "=CP_SPLIT(A1:A5,B7:D7,1)"),
        "H1": ArrayFormula("H1:H5", "=CP_SPLIT(A1:A5,A1:A2,1)"),
        "I1": ArrayFormula("I1:I5", '=CP_SPLIT(IFERROR(A1:A5/(A1:A5<>50),"error"),2,1)'),
    }
    found = calculated(calc, tmp_path / "array.xlsx", cells)
    spills: tuple[tuple[str, list[Cell | Range]], ...] = (
        ("EFG", [[[cell] for cell in column], [list(row)], 1.0]),
        ("H", [[[cell] for cell in column], [[cell] for cell in column[:2]], 1.0]),
        ("I", [[["error"], [0.0], [0.0], ["error"], [1 / 3]], 2.0, 1.0]),
    )
    for letters, arguments in spills:
        expected = evaluate(SPLIT, arguments)
        assert isinstance(expected, list)
        spilled = [[bits(found[f"{letter}{place}"]) for letter in letters] for place in range(1, 6)]
        assert spilled == [[bits(value) for value in values] for values in expected]


def test_what_calc_does_not_hand_over(calc: Office, tmp_path: Path) -> None:
    """The limits that the docstring of the runtime tells; a Calc that has lost one should be noticed."""
    cells: dict[str, Content] = {
        "A1": 50.0,
        "A2": "#N/A",
        "C1": "=CP_ROUND(1.25,B1)",
        "C2": "=CP_ROUND(TRUE,2)",
        "C3": ArrayFormula("C3:C4", "=CP_SPLIT(A1:A2,2,1)"),
    }
    found = calculated(calc, tmp_path / "limits.xlsx", cells)
    assert [found["C1"], found["C2"], found["C3"], found["C4"]] == [1.0, 1.0, Error("Err:504"), Error("Err:504")]


def test_a_result_follows_its_inputs(calc: Office, tmp_path: Path) -> None:
    with calc.session() as session:
        document = session.open(write_book(tmp_path / "live.xlsx", {"A1": 50, "B1": "=CP_SPLIT(A1,2,1)"}))
        assert document.value("T", "B1") == 25.0
        document.set("T", "A1", 0.0)
        assert document.value("T", "B1") == Error("#NUM!")
        document.set("T", "A1", 30.0)
        assert document.value("T", "B1") == 15.0


def test_a_recalculated_file_shows_values_under_the_same_names(calc: Office, tmp_path: Path) -> None:
    cells = {"A1": "=CP_ROUND(3.205,2)", "A2": "=CP_SPLIT(0,2,1)", "A3": "=CP_SPLIT(50,2,1,,)"}
    copy = calc.recalculate(write_book(tmp_path / "plain.xlsx", cells))
    for data_only, expected in ((True, [3.21, "#NUM!", 25]), (False, list(cells.values()))):
        sheet = openpyxl.load_workbook(copy, data_only=data_only)["T"]
        assert [sheet[address].value for address in cells] == expected


def test_an_ods_file_holds_names_that_stay(calc: Office, tmp_path: Path) -> None:
    book = write_book(tmp_path / "names.xlsx", {"A1": "=CP_FULL_RATCHET(10,5)"})
    (written,) = calc.convert([book], tmp_path, "ods")
    content = zipfile.ZipFile(written).read("content.xml").decode()
    assert "of:=XLCONVERSION.CALC.FUNCTIONS.CPFULLRATCHET(10;5)" in content
    with calc.session() as session:
        assert session.open(written).value("T", "A1") == 5.0


def test_the_function_wizard_has_the_texts_of_the_catalogue(calc: Office, tmp_path: Path) -> None:
    with calc.session() as session:
        session.open(write_book(tmp_path / "any.xlsx", {"A1": 1}))
        command = ["/usr/bin/python3", "-c", DESCRIPTIONS, f"agent{calc.group}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    known = {name: [summary, arguments] for name, summary, arguments in map(json.loads, answer.splitlines())}
    for function in CATALOGUE:
        arguments = [[argument.name, argument.help] for argument in function.arguments]
        assert known[function.name] == [function.summary, arguments]


def test_the_extension_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    one, two = (addin.write_oxt(tmp_path / name).read_bytes() for name in ("one.oxt", "two.oxt"))
    assert one == two
    with zipfile.ZipFile(tmp_path / "one.oxt") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == addin.files()
    folder = addin.write_folder(tmp_path / "xl_conversion.oxt")
    assert {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    } == addin.files()


def test_the_carried_package_needs_the_standard_library_only(tmp_path: Path) -> None:
    folder = addin.write_folder(tmp_path / "xl_conversion.oxt")
    program = (
        f"import sys; sys.path.insert(0, {str(folder / 'python')!r})\n"
        "from xl_conversion.functions.catalogue import FUNCTIONS\n"
        "from xl_conversion.hosts.libreoffice import runtime\n"
        "print(runtime.__file__, runtime.call(FUNCTIONS['CP_SPLIT'], (50.0, 2.0, 1.0, None, None)))\n"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert printed == f"{folder / 'python/xl_conversion/hosts/libreoffice/runtime.py'} ((25.0,),)\n"


def error_number(value: float | str) -> int:
    assert isinstance(value, float)
    number: int = struct.unpack("<Q", struct.pack("<d", value))[0] & 0xFFFFFFFF
    return number


@pytest.mark.parametrize("code", boundary.ERROR_CODES)
def test_an_error_goes_out_under_its_number(code: str) -> None:
    ((value,),) = runtime.call(SPLIT, (CellError(code), 2.0, 1.0))
    assert error_number(value) == ERROR_CODES[code]


def test_a_defect_is_a_value_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(runtime, "evaluate", broken)
    ((value,),) = runtime.call(SPLIT, (50.0, 2.0, 1.0))
    assert error_number(value) == ERROR_CODES["#VALUE!"]
