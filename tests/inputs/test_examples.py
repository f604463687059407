"""The workbook of an example: figures are figures, dates dates, and columns offer the words that they allow."""

from __future__ import annotations

import csv
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from xl_conversion.examples import write_example
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.words import types_of, words_of

TABLES = {record.table: record for record in RECORDS}
every_example = pytest.mark.parametrize("example", ["vsource", "company", "portfolio"])


def written(folder: Path, example: str) -> Any:
    return load_workbook(write_example(folder, "xlsx", example)[0])


@every_example
def test_every_cell_is_what_its_column_holds(tmp_path: Path, example: str) -> None:
    book = written(tmp_path, example)
    write_example(tmp_path / "csv", "csv", example)
    for sheet in book.worksheets:
        with open(tmp_path / "csv" / f"{sheet.title}.csv", encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        assert [cell.value for cell in sheet[1]] == header
        for texts, cells in zip(rows, sheet.iter_rows(min_row=2), strict=True):
            for column, text, cell in zip(header, texts, cells, strict=True):
                types = types_of(TABLES[sheet.title], column)
                if not text:
                    assert cell.value is None
                elif date in types:
                    assert (cell.value, cell.number_format) == (datetime.fromisoformat(text), "yyyy-mm-dd")
                elif types & {Fraction, int}:
                    assert isinstance(cell.value, int | float)
                    assert Fraction(str(cell.value)) == Fraction(text)
                    decimals = text.partition(".")[2]
                    assert cell.number_format.partition(".")[2] == "0" * len(decimals)
                    assert cell.number_format.startswith("#,##0" if Fraction in types else "0")
                else:
                    assert (cell.value, cell.data_type) == (text, "s")


def test_a_stated_figure_keeps_its_digits(tmp_path: Path) -> None:
    sheet = written(tmp_path, "vsource")["stated"]
    texts = {sheet.cell(row, 3).value: sheet.cell(row, 5).value for row in range(2, sheet.max_row + 1)}
    assert (texts["conversion_price"], texts["conversion_ratio"]) == ("$2.00", "3.20")


def test_the_portfolio_has_the_notice_as_it_is(tmp_path: Path) -> None:
    for example in ("vsource", "portfolio"):
        write_example(tmp_path / example, "csv", example)
    for path in (tmp_path / "vsource").iterdir():
        with open(path, newline="") as one, open(tmp_path / "portfolio" / path.name, newline="") as other:
            notice = list(csv.DictReader(one))
            rows = [row for row in csv.DictReader(other) if row["company"] == "Vsource, Inc."]
        found = [{name: cell for name, cell in row.items() if cell} for row in rows]
        assert found == [{"company": "Vsource, Inc."} | {k: v for k, v in row.items() if v} for row in notice]


@every_example
def test_columns_offer_the_words_that_they_allow(tmp_path: Path, example: str) -> None:
    for sheet in written(tmp_path, example).worksheets:
        offered = {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation}
        for cell in sheet[1]:
            words = words_of(TABLES[sheet.title], cell.value)
            found = offered.pop(f"{cell.column_letter}2:{cell.column_letter}1000", "")
            assert found == (f'"{",".join(words)}"' if words else "")
            assert len(found) <= 257  # what Excel takes
        assert not offered


@every_example
def test_looks_the_same_throughout(tmp_path: Path, example: str) -> None:
    book = written(tmp_path, example)
    fonts = {
        (cell.font.name, cell.font.sz) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row
    }
    assert len(fonts) == 1
    for sheet in book.worksheets:
        assert all(cell.font.b for cell in sheet[1])
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.freeze_panes == "A2"
