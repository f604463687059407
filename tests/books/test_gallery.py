"""The function gallery: a sheet for every function, of cells only, which follows what is put into it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Document, Error, Office

import xl_conversion
from xl_conversion.books.gallery.cases import DOWN, SENSITIVITIES, case_of
from xl_conversion.books.gallery.gallery import gallery, gallery_bytes, save_gallery
from xl_conversion.functions.boundary import Cell, Range
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Function
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.typed import argument_of

ROOT = Path(xl_conversion.__file__).parents[1]
# What to put into which argument; with a row and a column, of a table.
CHANGES: dict[str, tuple[str, tuple[int, int] | None, float | str]] = {
    "CP_WEIGHTED_AVERAGE": ("issued", None, 1_000_000.0),
    "CP_FULL_RATCHET": ("issue_price", None, 4.123456),
    "CP_SPLIT": ("split_old", None, 3.0),
    "CP_STOCK_DIVIDEND": ("dividend_shares", None, 2.0),
    "CP_CASH_DIVIDEND": ("method", None, "excess"),
    "CP_RIGHTS": ("offer_price", None, 6.5),
    "CP_SPIN_OFF": ("method", None, "over_sum"),
    "CP_TENDER_OFFER": ("market_price", None, 12.0),
    "CP_RATIO": ("rounding_type", None, "ceiling"),
    "CP_CONVERSION_SHARES": ("preferred_shares", None, 100.0),
    "CP_CASH_IN_LIEU": ("market_price", None, 1.25),
    "CP_ROUND": ("number", None, 2.675),
    "CP_OUTSTANDING": ("base", None, "narrow"),
    "CP_ISSUANCE": ("securities", (2, 3), 900.0),
    "CP_HISTORY": ("events", (4, 7), 600_000.0),
    "CP_EXPLAIN": ("argument_4", None, 1_000_000.0),
    "CP_TIE_OUT": ("stated", (4, 3), "$0.7222"),
    "CP_SOLVE_ROUND": ("capitalization", (2, 3), 5_000_000.0),
    "CP_ENUM": ("enumeration", None, "base"),
    "CP_HELP": ("function_name", None, "CP_LIST"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gallery") / "gallery.xlsx"
    save_gallery(made)
    return made


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    return load_workbook(path)


def formula_cells(workbook: Workbook) -> Iterator[tuple[str, str, str]]:
    """Sheet, cell or range, and formula."""
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, ArrayFormula):
                    yield sheet.title, cell.value.ref, str(cell.value.text)
                elif cell.data_type == "f":
                    yield sheet.title, cell.coordinate, str(cell.value)


def place(workbook: Workbook, name: str) -> tuple[str, str]:
    """The sheet, and the cell or range that a name stands for."""
    (found,) = workbook.defined_names[name].destinations
    return found[0], found[1].replace("$", "")


def cells_of(where: str) -> list[list[str]]:
    left, top, right, bottom = range_boundaries(where)
    return [[f"{get_column_letter(c)}{r}" for c in range(left, right + 1)] for r in range(top, bottom + 1)]


class TestFile:
    def test_the_same_bytes_each_time_and_everywhere(self) -> None:
        code = (
            "import hashlib; from xl_conversion.books.gallery.gallery import gallery_bytes;"
            "print(hashlib.sha256(gallery_bytes()).hexdigest())"
        )
        environment = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LANG": "tr_TR.UTF-8"}
        other = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert hashlib.sha256(gallery_bytes()).hexdigest() == other

    def test_every_function_has_a_sheet(self, book: Workbook) -> None:
        assert book.sheetnames == ["Functions", *FUNCTIONS, "_IntelliSense_"]
        links = {
            cell.value: cell.hyperlink.location or cell.hyperlink.target
            for cell in book["Functions"]["A"]
            if cell.hyperlink
        }
        assert links == {name: f"#'{name}'!A1" for name in FUNCTIONS}
        for name in FUNCTIONS:
            assert book[name]["A1"].value == name
            called = [text for sheet, _, text in formula_cells(book) if sheet == name]
            assert any(text.startswith(f"={name}(") for text in called)

    def test_nothing_is_hidden(self, book: Workbook) -> None:
        for sheet in book.worksheets:
            assert sheet.sheet_state == "visible"
            dimensions = [*sheet.row_dimensions.values(), *sheet.column_dimensions.values()]
            assert not any(dimension.hidden for dimension in dimensions)

    def test_functions_take_cells_only(self, book: Workbook) -> None:
        cell = r"[A-Z]{1,2}\d+(:[A-Z]{1,2}\d+)?"
        called = 0
        for sheet, at, text in formula_cells(book):
            for arguments in re.findall(r"CP_[A-Z_]+\(([^()]*)\)", text):
                called += 1
                assert re.fullmatch(rf"({cell}([,*]{cell})*)?", arguments), (sheet, at, text)
        assert called > 60

    def test_every_argument_of_a_case_is_a_cell_or_a_range(self, book: Workbook) -> None:
        for function in CATALOGUE:
            _, result = place(book, f"out_{function.name.lower()}")
            cell = book[function.name][result.partition(":")[0]]
            text = str(cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value)
            given = case_of(function).cells
            where = [
                place(book, f"in_{function.name.lower()}_{a.name}")
                for a, _ in zip(function.arguments, given, strict=False)
            ]
            assert text == f"={function.name}({','.join(at for _, at in where)})"
            assert {sheet for sheet, _ in where} <= {function.name}

    def test_names_are_of_the_interface(self, book: Workbook) -> None:
        assert all(re.fullmatch(r"(in|out|chk)_[a-z0-9_]+", name) for name in book.defined_names)
        for function in CATALOGUE:
            assert f"chk_{function.name.lower()}" in book.defined_names
            assert (f"chk_{function.name.lower()}_steps" in book.defined_names) == (function.explain is not None)

    def test_every_formula_carries_a_value(self, path: Path, book: Workbook) -> None:
        made = gallery()
        cells = {(sheet, cell) for sheet, at, _ in formula_cells(book) for row in cells_of(at) for cell in row}
        assert cells == set(made.cached)
        carried = load_workbook(path, data_only=True)
        for sheet, at in cells:
            value = carried[sheet][at].value
            assert ("" if value is None else value) == made.cached[sheet, at], (sheet, at)

    def test_text_is_text(self, book: Workbook) -> None:
        """Whatever it begins with; the formulas that are shown are texts too."""
        shown = 0
        given = {(sheet, at) for sheet, where, _ in formula_cells(book) for row in cells_of(where) for at in row}
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if (sheet.title, cell.coordinate) in given or not isinstance(cell.value, str):
                        continue
                    assert cell.data_type == "s"
                    if cell.value.startswith(("=", "+", "-", "@")):
                        shown += 1
                        assert cell.quotePrefix, (sheet.title, cell.coordinate)
        assert shown > len(CATALOGUE)

    def test_rules_of_the_host_name_the_rule(self, book: Workbook) -> None:
        lists = 0
        for sheet in book.worksheets:
            for rule in sheet.data_validations.dataValidation:
                assert rule.showErrorMessage
                assert " must be " in (rule.error or "")
                assert len(rule.error or "") <= 255
                if rule.type != "list" or rule.formula1.startswith('"'):
                    continue
                lists += 1
                title = rule.formula1.replace("'", "").partition("!")[0]
                assert title in ("CP_ENUM", "CP_LIST")
        assert lists > 15

    def test_the_words_of_a_list_are_live_and_right(self, path: Path) -> None:
        carried = load_workbook(path, data_only=True)
        for sheet in load_workbook(path).worksheets:
            for rule in sheet.data_validations.dataValidation:
                if rule.type != "list" or rule.formula1.startswith('"'):
                    continue
                title, where = rule.formula1.replace("'", "").replace("$", "").split("!")
                words = [carried[title][at].value for row in cells_of(where) for at in row]
                for area in rule.sqref.ranges:
                    for row in sheet[area.coord] if ":" in area.coord else [[sheet[area.coord]]]:
                        assert all(cell.value in words for cell in row), (sheet.title, area.coord)

    def test_print_set_up(self, book: Workbook) -> None:
        for sheet in book.worksheets:
            assert sheet.freeze_panes
            assert sheet.print_title_rows
            assert sheet.oddFooter.right.text == "Page &P of &N"
            fitted = sheet.page_setup.fitToWidth == 1 and sheet.sheet_properties.pageSetUpPr.fitToPage
            assert fitted or (sheet.page_setup.scale or 100) >= 40

    def test_intellisense_prints_one_page_of_functions_and_descriptions(self, book: Workbook) -> None:
        sheet = book["_IntelliSense_"]
        assert sheet.print_area == f"'_IntelliSense_'!$A$1:$B${len(FUNCTIONS) + 1}"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 1)
        assert sheet.max_column > 2

    def test_large_numbers_have_separators(self, path: Path) -> None:
        for sheet in load_workbook(path, data_only=True).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, int | float) and abs(cell.value) >= 1000:
                        assert cell.number_format.startswith("#,##0"), (sheet.title, cell.coordinate)

    def test_no_part_of_a_share_is_hidden(self, book: Workbook) -> None:
        """Whole shares have no decimals, and every cell that shows them so shows other figures with theirs."""
        for sheet in book.worksheets:
            whole = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.number_format == "#,##0"}
            ruled: set[str] = set()
            for area in sheet.conditional_formatting:
                (rule, *_) = area.rules
                if rule.dxf.numFmt is not None:
                    first = str(area.sqref).partition(":")[0]
                    assert rule.formula == [f"{first}<>INT({first})"]
                    assert rule.dxf.numFmt.formatCode == "#,##0.00########"
                    ruled.update(at for row in cells_of(str(area.sqref)) for at in row)
            assert ruled == whole, sheet.title

    def test_no_currency_format(self, book: Workbook) -> None:
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                assert not any(re.search(r"[$€£¥]|_\(|\[\$", cell.number_format) for cell in row)

    def test_cases_are_the_examples_or_their_own(self) -> None:
        for function in CATALOGUE:
            case = case_of(function)
            result = evaluate(function, case.cells)
            assert tuple(result[-1] if isinstance(result, list) else [result]) == case.expected
            example = [argument_of(text) for text in function.example]
            if function.name not in ("CP_HISTORY", "CP_EXPLAIN", "CP_TIE_OUT"):
                assert list(case.cells[: len(example)]) == example

    def test_what_varies_is_an_argument(self) -> None:
        for name, what in SENSITIVITIES.items():
            assert what.varied.keys() <= {argument.name for argument in FUNCTIONS[name].arguments}
            assert DOWN in what.varied.values()
        figures = {f.name for f in CATALOGUE if not f.spills and f.arguments}
        assert figures == set(SENSITIVITIES)


class TestLibreOffice:
    def test_a_result_follows_its_inputs(self, calc: Office, path: Path, book: Workbook) -> None:
        """One input of every sheet is changed, and every result is what the function then gives."""
        assert CHANGES.keys() == {f.name for f in CATALOGUE if f.arguments}
        with calc.session() as session:
            document = session.open(path)
            for name, (argument, cell, value) in CHANGES.items():
                sheet, where = place(book, f"in_{name.lower()}_{argument}")
                at = where if cell is None else cells_of(where)[cell[0] - 1][cell[1] - 1]
                document.set(sheet, at, value)
            for name in CHANGES:
                function = FUNCTIONS[name]
                result = evaluate(function, _changed(function))
                _, where = place(book, f"out_{name.lower()}")
                wanted = result if isinstance(result, list) else [[result]]
                for row, cells in zip(wanted, cells_of(where), strict=False):  # a range does not grow by itself
                    assert [document.value(name, at) for at in cells] == row, name
                assert _check(document, book, name) == "CHANGED"
                if function.explain is not None:
                    assert _check(document, book, f"{name}_steps") == "OK"
            assert _check(document, book, "all") == "CHANGED"
            assert document.value("Functions", "F1") == "Formulas agree: CHANGED"

    def test_a_figure_shows_the_digits_it_is_rounded_to(self, calc: Office, path: Path, book: Workbook) -> None:
        with calc.session() as session:
            document = session.open(path)

            def varied(name: str) -> str:
                (found,) = [
                    at for _, at, text in formula_cells(book) if ":" in at and text.startswith(f"={name}(")
                ]
                return found

            def shown(sheet: str, cells: str) -> list[list[str]]:
                return [[document.cell(sheet, at).text for at in row] for row in cells_of(cells)]

            assert shown("CP_RATIO", varied("CP_RATIO"))[0] == ["6", "6.4", "6.41", "6.410", "6.4100"]
            shares = shown("CP_CONVERSION_SHARES", varied("CP_CONVERSION_SHARES"))
            assert shares[-1][0] == "99,822,986"
            assert document.cell(*place(book, "out_cp_split")).text == "25.0000"
            sheet, at = place(book, "in_cp_solve_round_adjustment_in_price")
            assert [document.cell(sheet, f"{column}{at[1:]}").text for column in "BE"] == ["TRUE", "TRUE"]

    def test_a_wrong_result_is_seen(self, calc: Office, path: Path, book: Workbook) -> None:
        with calc.session() as session:
            document = session.open(path)
            sheet, check = place(book, "chk_cp_split")
            document.set(sheet, f"E{check[1:]}", 24.0)
            assert _check(document, book, "cp_split") == "CHECK"
            assert _check(document, book, "cp_ratio") == "OK"
            assert _check(document, book, "all") == "CHECK"

    def test_without_the_add_in_the_checks_say_so(self, office: Office, path: Path, book: Workbook) -> None:
        with office.session() as session:
            document = session.open(path)
            names = [name for name in book.defined_names if name.startswith("chk_")]
            assert {_check(document, book, name.removeprefix("chk_")) for name in names} == {"NO ADD-IN"}
            assert document.value(*place(book, "out_cp_version")) == Error("#NAME?")


def _changed(function: Function) -> Sequence[Cell | Range]:
    name, where, value = CHANGES[function.name]
    cells: list[Any] = list(case_of(function).cells)
    index = [argument.name for argument in function.arguments].index(name)
    if where is None:
        cells[index] = value
    else:
        table = [list(row) for row in cells[index]]
        table[where[0] - 1][where[1] - 1] = value
        cells[index] = table
    return cells


def _check(document: Document, book: Workbook, name: str) -> float | str | Error | None:
    return document.value(*place(book, f"chk_{name.lower()}"))
