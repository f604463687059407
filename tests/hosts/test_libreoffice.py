"""The add-in in the real LibreOffice: the same doubles as `evaluate`, bit for bit, and the same errors."""

from __future__ import annotations

import csv
import json
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from defusedxml import ElementTree
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula
from support.office import ERROR_CODES, Error, Office

import xl_conversion
from xl_conversion import __version__
from xl_conversion.functions import boundary
from xl_conversion.functions.boundary import MISSING, Cell, CellError, Range
from xl_conversion.functions.catalogue import ABOVE_ZERO, CATALOGUE, FUNCTIONS, Argument, Function, Kind
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.sheet_tables import AS_WRITTEN
from xl_conversion.functions.typed import argument_of, cell_of
from xl_conversion.hosts.libreoffice import addin, runtime

pytest_plugins = ["support.calc"]

Content = float | str | date | ArrayFormula | None
Shown = float | str | Error
Rows = list[list[str]]

SPLIT = FUNCTIONS["CP_SPLIT"]
AWKWARD = (0.1 + 0.2, 1.005, 2.675, 1 / 3, 2 / 3 * 100, 1e-7, 1e22, 123456789012345.0, 999999999999.995, 0.0, 1.0)
DESCRIPTIONS = """
import json, sys, uno
resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
remote = resolver.resolve(f"uno:pipe,name={sys.argv[1]};urp;StarOffice.ComponentContext")
known = remote.ServiceManager.createInstance("com.sun.star.sheet.FunctionDescriptions")
for place in range(known.Count):
    found = {p.Name: p.Value for p in known.getByIndex(place)}
    arguments = [(a.Name, a.Description, a.IsOptional) for a in found["Arguments"] or ()]
    print(json.dumps([found["Name"], found["Description"], found["Category"], arguments]))
"""
FINANCIAL = 3  # the category as the function wizard numbers it
# Where an example of the package has days; elsewhere a date in a cell would be the text that the CSV file has.
DAYS = {"date", "recorded", "ratchet_until"}
SCALAR = [function for function in CATALOGUE if function.explain]


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


def all_bits(result: float | str | CellError | Sequence[Sequence[Any]]) -> Rows:
    """What `evaluate` gave, as rows of :func:`bits`."""
    rows = result if isinstance(result, list) else [[result]]
    return [[bits(value) for value in row] for row in rows]


class Sheet:
    """Contents of a sheet, one thing below the other, and what is expected where."""

    def __init__(self) -> None:
        self.cells: dict[str, Content] = {}
        self.expected: dict[str, Rows] = {}
        self.next = 1

    def table(self, rows: Sequence[Sequence[Any]]) -> str:
        """Puts a table there; its address."""
        first, width = self.next, len(rows[0])
        self.next += len(rows) + 1
        for place, row in enumerate(rows, first):
            for column, cell in enumerate(row, 1):
                self.cells[f"{get_column_letter(column)}{place}"] = cell
        return f"A{first}:{get_column_letter(width)}{self.next - 2}"

    def formula(self, formula: str, expected: float | str | CellError | Sequence[Sequence[Any]]) -> None:
        """Puts an array formula there that is as large as what is expected."""
        rows = all_bits(expected)
        area = f"A{self.next}:{get_column_letter(len(rows[0]))}{self.next + len(rows) - 1}"
        single = len(rows) == len(rows[0]) == 1
        self.cells[f"A{self.next}"] = formula if single else ArrayFormula(area, formula)
        self.expected[formula] = rows
        self.next += len(rows) + 1

    def of(self, found: Mapping[str, Shown]) -> dict[str, Rows]:
        """What was found where something is expected, in the same shape."""
        answers: dict[str, Rows] = {}
        for address, content in self.cells.items():
            formula = content.text if isinstance(content, ArrayFormula) else content
            if isinstance(formula, str) and formula in self.expected:
                rows, first = self.expected[formula], int(address[1:])
                answers[formula] = [
                    [
                        bits(found[f"{get_column_letter(column)}{first + place}"])
                        for column in range(1, len(row) + 1)
                    ]
                    for place, row in enumerate(rows)
                ]
        return answers


def example(name: str) -> dict[str, list[list[Any]]]:
    """The tables of an example of the package as cells; days are dates, stated figures texts as others."""
    tables = {}
    for path in (Path(xl_conversion.__file__).parent / "examples" / name).glob("*.csv"):
        header, *rows = csv_rows(path)
        tables[path.stem] = [
            header,
            *(
                [
                    value
                    if (isinstance(value := cell_of(text), float | None) or name in DAYS)
                    and name not in AS_WRITTEN
                    else text or None
                    for name, text in zip(header, row, strict=True)
                ]
                for row in rows
            ),
        ]
    return tables


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def typed(argument: Argument, text: str) -> Any:
    """What Calc hands over for an argument typed into a formula."""
    if text == "" or (argument.optional and argument.rule == ABOVE_ZERO and float(text) == 0):
        return MISSING  # the 0 may be a blank cell's
    return argument_of(text)


def random_argument(source: random.Random, argument: Argument) -> str:
    """As typed into a formula; "" leaves it out."""
    if argument.optional and source.random() < 0.2:
        return ""
    if argument.kind is Kind.ROUNDING_TYPE:
        return f'"{source.choice(("half_up", "HALF_EVEN", "Floor", "ceiling", "NORMAL", "nearest"))}"'
    if argument.kind is Kind.CHOICE:
        return f'"{source.choice((*argument.choices, argument.choices[-1].upper(), "nearest"))}"'
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
def examples(calc: Office, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sheet, dict[str, Rows]]:
    sheet = Sheet()
    for function in CATALOGUE:
        sheet.formula(function.example_formula, evaluate(function, [argument_of(t) for t in function.example]))
    path = tmp_path_factory.mktemp("examples") / "examples.xlsx"
    return sheet, sheet.of(calculated(calc, path, sheet.cells))


@pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)
def test_the_example_of_every_function(examples: tuple[Sheet, dict[str, Rows]], function: Function) -> None:
    sheet, found = examples
    expected = sheet.expected[function.example_formula]
    assert found[function.example_formula] == expected
    assert not any(bits.startswith("#") for row in expected for bits in row)
    assert (len(expected) > 1) == function.spills


def test_random_arguments_typed_and_in_cells(calc: Office, tmp_path: Path) -> None:
    source = random.Random(20020205)  # noqa: S311
    cells: dict[str, Content] = {}
    expected: dict[str, str] = {}
    cases = [function for function in SCALAR for _ in range(60)]
    for row, function in enumerate(cases, 1):
        texts = [random_argument(source, argument) for argument in function.arguments]
        value = evaluate(function, list(map(typed, function.arguments, texts)))
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
        "=CP_SPLIT(50,2)": "Err:504",  # as Calc says for its own functions
        "=CP_SPLIT(50,,1)": "Err:502",
        "=CP_ISSUANCE(5)": "#VALUE!",
        "=CP_ISSUANCE(A99)": "#VALUE!",
        "=CP_ISSUANCE(A98:B99)": "#VALUE!",
        '=CP_ISSUANCE({"security","kind"})': "#VALUE!",
        '=CP_ISSUANCE({"security","kind","shares","consideration";"S","shares",0,1})': "#NUM!",
        '=CP_OUTSTANDING({"class","kind","shares";"Common","common",1},"all")': "#VALUE!",
        "=CP_ISSUANCE(H1)": "#DIV/0!",
        '=CP_ENUM("nothing")': "#VALUE!",
        '=CP_HELP("CP_NOTHING")': "#VALUE!",
        '=CP_EXPLAIN("CP_SPLIT",0,2,1)': "#NUM!",
        '=CP_EXPLAIN("CP_SPLIT",50,H2,1)': "#N/A",
        '=CP_EXPLAIN("CP_LIST")': "#VALUE!",
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
        "=INDEX(CP_LIST(),2,1)": CATALOGUE[0].name,
        "=ROWS(CP_LIST())": len(CATALOGUE) + 1.0,
        '=MATCH("floor",CP_ENUM("rounding_type"),0)': 3.0,
        '=CP_ENUM("base")': "common",  # entered in one cell, a table shows its first
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


def tables_sheet() -> Sheet:
    """Every function that takes a table, on tables as people have them: dates, blanks, booleans, blank rows."""
    sheet = Sheet()
    tables = example("company")
    tables["series"] = [
        [*row, flag] for row, flag in zip(tables["series"], ("downward_only", True, False, None), strict=True)
    ]
    tables["securities"] = [
        [*row, flag] for row, flag in zip(tables["securities"], ("calculable", *[True, None] * 9), strict=False)
    ]
    tables["capitalization"].append([None] * len(tables["capitalization"][0]))
    tables["class"] = [["class", "kind", "shares"], ["Common", "common", 4e6], ["Pool", "pool", 1 / 3]]
    tables["new series"] = [
        ["series", "original_issue_price", "conversion_price", "preferred_shares", "method"],
        ["A", 1, 1, 2e6, None],
        ["B", 1.5, 1.2, 1e6, "full_ratchet"],
    ]
    tables["blank"] = [[None, None], [None, None]]
    tables["row"] = [["broad", "common", "pool", "nothing"]]
    tables["column"] = [[1e6], [None], [0.0], [2.5e6]]
    tables |= {f"vsource {name}": rows for name, rows in example("vsource").items()}
    where = {name: sheet.table(rows) for name, rows in tables.items()}

    def formula(name: str, *arguments: str | float | bool | None) -> None:
        texts, cells = [], []
        for argument in arguments:
            known = isinstance(argument, str) and argument in where
            cells.append(tables[argument] if known else MISSING if argument is None else argument)
            quoted = f'"{argument}"' if isinstance(argument, str) else "" if argument is None else str(argument)
            texts.append(where[argument] if known else quoted.upper() if isinstance(argument, bool) else quoted)
        sheet.formula(f"={name}({','.join(texts)})", evaluate(FUNCTIONS[name], cells))

    formula("CP_HISTORY", "series", "events", "securities", "capitalization")
    formula("CP_HISTORY", "vsource series", "vsource events", "vsource securities")
    formula("CP_HISTORY", "vsource series", "vsource events", "vsource securities", "blank")
    formula("CP_TIE_OUT", "stated", "series", "events", "securities", "capitalization")
    formula("CP_TIE_OUT", "stated", "series", "events", "securities", "capitalization", "blank")
    conversions = (None, "vsource conversions")
    formula("CP_TIE_OUT", *(f"vsource {n}" for n in ("stated", "series", "events", "securities")), *conversions)
    formula("CP_ISSUANCE", "vsource securities")
    formula("CP_OUTSTANDING", "capitalization")
    formula("CP_OUTSTANDING", "capitalization", "row")
    formula("CP_SOLVE_ROUND", "class", "new series", "column", 9_000_000, 10)
    formula("CP_SOLVE_ROUND", "class", "new series", 3_000_000, 9_000_000, None, False, 4, "floor")
    formula("CP_SOLVE_ROUND", "class", "new series", 3_000_000, 9_000_000, None, True, 4)
    formula("CP_EXPLAIN", "CP_CASH_DIVIDEND", 10, 1, None, None, "subtract", 2)
    formula("CP_EXPLAIN", "CP_WEIGHTED_AVERAGE", 6.41, 33831184, 8187842.7, 81728433, None, 2, "floor")
    return sheet


def test_tables_in_ranges(calc: Office, tmp_path: Path) -> None:
    sheet = tables_sheet()
    tables = [rows for rows in sheet.expected.values() if len(rows) * len(rows[0]) > 1]
    assert len(tables) == len(sheet.expected) - 3  # all but what gives one figure
    path = write_book(tmp_path / "tables.xlsx", sheet.cells)
    with calc.session() as session:
        document = session.open(path)
        assert sheet.of({address: value for (_, address), value in document.values().items()}) == sheet.expected
        kept = [document.save(tmp_path / "kept" / f"tables.{to}", to) for to in ("xlsx", "ods")]
        for again in map(session.open, kept):
            assert sheet.of({address: value for (_, address), value in again.values().items()}) == sheet.expected
    book = openpyxl.load_workbook(kept[0])["T"]
    for address, content in sheet.cells.items():
        if isinstance(content, ArrayFormula):
            there = book[address].value
            assert (there.ref, there.text.replace("FALSE()", "FALSE")) == (content.ref, content.text)


def test_whole_columns_are_a_table() -> None:
    rows = (("class", "kind", "shares"), ("Common", "common", 4e6), ("Pool", "pool", 1e5))
    blank = (("", "", ""),) * (2**20 - len(rows))
    assert runtime.call(FUNCTIONS["CP_OUTSTANDING"], ((*rows, *blank), None)) == ((4e6,),)
    for empty in ((rows[0], *blank), blank):
        ((value,),) = runtime.call(FUNCTIONS["CP_OUTSTANDING"], (empty, None))
        assert error_number(value) == ERROR_CODES["#VALUE!"]


def test_what_calc_does_not_hand_over(calc: Office, tmp_path: Path) -> None:
    """The limits that the docstring of the runtime tells; a Calc that has lost one should be noticed."""
    cells: dict[str, Content] = {
        "A1": 50.0,
        "A2": "#N/A",
        "A3": date(2026, 1, 15),
        "C1": "=CP_ROUND(1.25,B1)",
        "C2": "=CP_ROUND(TRUE,2)",
        "C3": ArrayFormula("C3:C4", "=CP_SPLIT(A1:A2,2,1)"),
        "C5": "=CP_ROUND(A3,0)",
        "C6": "=CP_ISSUANCE(A1:B3)",
        "C7": '=INDEX(CP_HISTORY({"series","original_issue_price","conversion_price";"A",1,1},E1:I2),2,2)',
        **dict(
            zip(("E1", "F1", "G1", "H1", "I1"), ("event", "date", "kind", "split_new", "split_old"), strict=True)
        ),
        **dict(
            zip(("E2", "F2", "G2", "H2", "I2"), (date(2026, 1, 15), date(2026, 1, 15), "split", 2, 1), strict=True)
        ),
    }
    found = calculated(calc, tmp_path / "limits.xlsx", cells)
    refused = Error("Err:504")
    assert [found[f"C{row}"] for row in range(1, 8)] == [1.0, 1.0, refused, refused, 46037.0, refused, "46037"]


def test_a_blank_cell_where_0_is_no_answer_is_blank(calc: Office, tmp_path: Path) -> None:
    formulas: dict[str, float | str | Error] = {
        "=CP_SPLIT(50,3,1,2,Z1)": 16.67,
        "=CP_CASH_DIVIDEND(10,1,Z1,Z1,Z1)": Error("#VALUE!"),
        '=CP_CASH_DIVIDEND(10,1,Z1,Z1,"subtract")': 9.0,
        "=CP_SPIN_OFF(10,5,20,Z1)": 8.0,
        '=CP_OUTSTANDING({"class","kind","shares";"Common","common",7},Z1)': 7.0,
        '=INDEX(CP_EXPLAIN("CP_SPLIT",50,2,1,2,Z1),7,5)': 25.0,
        '=CP_EXPLAIN("cp_cash_dividend",10,1,Z1,Z1,"subtract",2,Z1)': "step",
        "=CP_SPLIT(Z1,2,1)": Error("#NUM!"),
        '=ROWS(CP_HISTORY({"series","original_issue_price","conversion_price";"A",1,1},'
        '{"event","date","kind","split_new","split_old";"S","2026-01-15","split",2,1},Z1,Z1))': 2.0,
    }
    found = calculated(calc, tmp_path / "blank.xlsx", {f"A{row}": f for row, f in enumerate(formulas, 1)})
    assert {formula: found[f"A{row}"] for row, formula in enumerate(formulas, 1)} == formulas


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
    cells |= {"A4": "=CP_SPLIT(50,,1)", "A5": "=CP_SPLIT(50,2)"}
    copy = calc.recalculate(write_book(tmp_path / "plain.xlsx", cells))
    for data_only, expected in ((True, [3.21, "#NUM!", 25, "#VALUE!", "#VALUE!"]), (False, list(cells.values()))):
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
    known = {name: said for name, *said in map(json.loads, answer.splitlines())}
    for function in CATALOGUE:
        arguments = [[a.name, a.help, a.optional] for a in function.arguments]
        assert known[function.name] == [function.summary, FINANCIAL, arguments]


def test_the_extension_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    one, two = (addin.write_oxt(tmp_path / name).read_bytes() for name in ("one.oxt", "two.oxt"))
    assert one == two == addin.oxt()
    with zipfile.ZipFile(tmp_path / "one.oxt") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == addin.files()
    folder = addin.write_folder(tmp_path / "xl_conversion.oxt")
    assert {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    } == addin.files()


def test_the_extension_asks_for_the_libreoffice_that_it_was_run_in() -> None:
    description = ElementTree.fromstring(addin.files()["description.xml"])
    (needed,) = (node for node in description.iter() if node.tag.endswith("}LibreOffice-minimal-version"))
    assert needed.attrib["value"] == addin.OLDEST


def test_the_carried_package_needs_the_standard_library_only(tmp_path: Path) -> None:
    folder = addin.write_folder(tmp_path / "xl_conversion.oxt")
    program = (
        f"import json, sys; sys.path.insert(0, {str(folder / 'python')!r})\n"
        "from xl_conversion.functions.catalogue import CATALOGUE\n"
        "from xl_conversion.functions.typed import argument_of\n"
        "from xl_conversion.hosts.libreoffice import runtime\n"
        "def uno(value):\n"
        "    return tuple(map(tuple, value)) if isinstance(value, list) else value\n"
        "given = {f.name: [uno(argument_of(text)) for text in f.example] for f in CATALOGUE}\n"
        "results = {f.name: runtime.call(f, given[f.name]) for f in CATALOGUE}\n"
        "modules = [m.__file__ for n, m in sys.modules.items() if n.startswith('xl_conversion')]\n"
        "print(json.dumps([results, modules]))\n"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    results, modules = json.loads(printed)
    for function in CATALOGUE:
        expected = evaluate(function, [argument_of(text) for text in function.example])
        assert all_bits(results[function.name]) == all_bits(expected)
    carried = {folder / name for name in addin.files() if name.startswith("python/")}
    assert carried == set(map(Path, modules))


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
