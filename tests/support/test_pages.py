"""The checks of printed pages see what they are there to see: each on a sheet that prints badly in that way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.pagebreak import Break, ColBreak
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from support.office import Office
from support.pages import page_findings

Findings = Callable[[Workbook], list[str]]
WRAPPED = Alignment(wrap_text=True, vertical="top")


@pytest.fixture
def findings(office: Office, tmp_path: Path) -> Findings:
    """What is found on the pages of a workbook."""

    def find(book: Workbook) -> list[str]:
        path = tmp_path / "book.xlsx"
        book.save(path)
        return page_findings(path, office, tmp_path / "pages")

    return find


def table(rows: int, columns: int = 3, titles: str | None = "1:1") -> tuple[Workbook, Worksheet]:
    """A table under a header row, `titles` repeated on each page, with a footer."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Sheet & Co"
    for column in range(1, columns + 1):
        sheet.cell(1, column, f"Header{column}")
        for row in range(2, rows + 2):
            sheet.cell(row, column, f"r{row}c{column}")
    if titles:
        sheet.print_title_rows = titles
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "Foot && page of &A", "Page &P of &N"
    return book, sheet


def test_a_sound_table_of_two_pages_passes(findings: Findings) -> None:
    book, sheet = table(80)
    sheet["E2"] = 'A text of several lines, with "quotes", eﬃcient ligatures and ' + "x" * 60
    sheet["E2"].alignment = WRAPPED
    sheet["E3"], sheet["E4"], sheet["E5"] = "שלום עולם", "优先股转换价格", "#N/A ## -5"
    sheet["E6"] = "=A1, شركة ممتازة. Mixed"
    sheet["E6"].data_type = "s"
    sheet["B90"] = "hidden"
    sheet.row_dimensions[90].hidden = True
    for row in range(82, 92):
        sheet.cell(row, 1, "more" if row != 90 else None)
    other = book.create_sheet("Unseen")
    other["A1"] = "x" * 500
    other.sheet_state = "hidden"
    assert findings(book) == []


def test_a_figure_that_its_column_cannot_show(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["B3"] = 123456789012345
    sheet["B3"].number_format = "#,##0.00"
    assert findings(book) == ["Sheet & Co, page 1: 1 x ###, for a column that is too narrow"]


def test_letters_that_cannot_be_read(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["A3"].font = Font("Calibri", 5)
    sheet["A4"].font = Font("Calibri", 6)
    assert findings(book) == ["Sheet & Co, page 1: letters of 5.0 to 5.3 points: 'r3c1'"]


def test_a_sheet_that_is_fitted_to_a_page_too_small_for_it(findings: Findings) -> None:
    book, sheet = table(5, columns=30)
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    (found,) = findings(book)
    assert found.startswith("Sheet & Co, page 1: letters of ")


def test_a_page_of_nothing_but_the_header(findings: Findings) -> None:
    book, sheet = table(5)
    sheet.row_breaks.append(Break(6))
    sheet["A30"] = " "
    sheet["A30"].font = Font(underline="single")
    sheet.print_area = "A1:C30"
    assert findings(book) == ["Sheet & Co, page 2: holds nothing but the header row"]


def test_a_page_of_nothing(findings: Findings) -> None:
    book, sheet = table(5, titles=None)
    sheet.row_breaks.append(Break(6))
    sheet["A30"] = " "
    sheet["A30"].font = Font(underline="single")
    assert findings(book) == ["Sheet & Co, page 2: holds nothing"]


def test_a_page_of_one_row(findings: Findings) -> None:
    book, sheet = table(20)
    sheet.row_breaks.append(Break(20))
    assert findings(book) == ["Sheet & Co, page 2: holds nearly nothing: r21c1 r21c2 r21c3"]


def test_a_sheet_of_two_pages_in_width(findings: Findings) -> None:
    book, sheet = table(20, columns=6)
    sheet.col_breaks = ColBreak()
    sheet.col_breaks.append(Break(4))
    assert findings(book) == ["Sheet & Co, pages 1, 2: is more than one page wide"]


def test_a_column_alone_on_its_page(findings: Findings) -> None:
    book, sheet = table(20, columns=4)
    sheet.col_breaks = ColBreak()
    sheet.col_breaks.append(Break(3))
    assert findings(book) == [
        "Sheet & Co, pages 1, 2: is more than one page wide",
        "Sheet & Co, page 2: holds column D alone",
    ]


def test_a_text_that_its_neighbour_cuts(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["A3"] = "Convertible promissory notes of the year"
    assert findings(book) == ["Sheet & Co, cell A3: cut, without 'promissory notes of the year'"]


def test_lines_that_a_low_row_cuts(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["E3"] = "Lines that nobody sees since their row is low"
    sheet["E3"].alignment = WRAPPED
    sheet.row_dimensions[3].height = 15
    found = findings(book)
    assert "Sheet & Co, page 1: 'their' cannot be seen (cell E3)" in found
    assert all("cell E3" in finding for finding in found)


def test_lines_that_run_into_the_row_below(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["B3"] = "Lines that nobody sees"
    sheet["B3"].alignment = WRAPPED
    sheet.row_dimensions[3].height = 15
    found = findings(book)
    assert any("are printed over one another" in finding for finding in found)
    assert all("over one another" in finding or "(cell B3)" in finding for finding in found)


def test_the_end_of_a_word_that_the_edge_of_the_cell_cuts(findings: Findings) -> None:
    book, sheet = table(5)
    sheet["A3"] = "Unconvertible"
    sheet["A3"].alignment = Alignment(horizontal="left")
    sheet.column_dimensions["A"].width = 8
    (found, *_) = findings(book)
    assert "Unconvertible" in found


@pytest.mark.parametrize("long", ["y" * 45, "x y " * 20])
def test_parts_of_a_footer_that_touch(findings: Findings, long: str) -> None:
    book, sheet = table(5)
    sheet.oddFooter.left.text = f"Left {long}"
    sheet.oddFooter.center.text = "Middle && more of it"
    sheet.oddFooter.right.text = "Page &P of &N"
    found = findings(book)
    assert found
    assert all("header or footer without" in finding or "over one another" in finding for finding in found)
