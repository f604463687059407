"""The gallery workbook: an index with the master check, the sheets of the functions, and IntelliSense."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date

from xl_conversion import __version__
from xl_conversion.books.gallery.cases import layout_of
from xl_conversion.books.gallery.drawing import Row, show_parts_of_shares
from xl_conversion.books.gallery.function_sheet import FIRST, RESULT, STEPS, FunctionSheet
from xl_conversion.books.gallery.intellisense import SHEET, append_intellisense
from xl_conversion.books.gallery.printing import fit
from xl_conversion.books.gallery.shared import CHANGED, Gallery, Outcome, mark
from xl_conversion.books.page import Book, Look, Page
from xl_conversion.books.saving import put_text, save_workbook, workbook_bytes
from xl_conversion.books.templates.model import CHECK, NO_ADDIN, OK
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS

TITLE = "Function gallery"
INDEX = "Functions"
PURPOSE = "Every worksheet function: what it takes, what it gives, its steps, checked"
LINE = "Figures as delivered; the blue cells may be overwritten."
WIDTHS = (30, 92, 20, 22, 12, 12)
AS_OF = date(2002, 2, 5)
"""The day of the notice whose figures the weighted average has: the document is dated so."""

LEGEND: tuple[tuple[str, Look, str], ...] = (
    ("input", "input", "blue on a light fill: an input, to be overwritten"),
    ("result", "result", "a result of a worksheet function, or a formula"),
    ("delivered", "muted", "grey: as delivered, which checks compare with; explanations"),
)
SAYINGS = (
    (OK, "the result is the one that is stated, or the last step of CP_EXPLAIN is the result"),
    (CHECK, "it is not"),
    (CHANGED, "an input was changed, so that nothing is stated of the result"),
    (NO_ADDIN, "the worksheet functions are not there"),
)
NOTES = (
    "A table that a function gives is entered as an array formula over as many cells as it has rows and columns. "
    "If it grows, select a larger range, press F2 and Ctrl+Shift+Enter; cells that it does not fill show #N/A.",
    "A blank optional cell counts as left out. LibreOffice hands a single blank cell to a function as 0: write "
    'IF(B9="","",B9) in its place there.',
    f"The sheet {SHEET} is for Excel-DNA's IntelliSense add-in, which shows the help while a formula is typed.",
)


def gallery() -> Book:
    """The workbook."""
    book = Book(TITLE, AS_OF, overwritten=True)
    book.workbook.properties.title = TITLE
    book.workbook.properties.creator = "xl_conversion"
    index = book.page(INDEX, PURPOSE, WIDTHS)
    pages = {one.name: book.page(one.name, one.summary, layout_of(one).widths) for one in CATALOGUE}
    shared = Gallery(book, pages)
    order = [*FIRST, *(one.name for one in CATALOGUE if one.name not in FIRST)]
    outcomes = {name: FunctionSheet(shared, FUNCTIONS[name]).draw() for name in order}
    master, said = _index(index, book, outcomes)
    for page in book.pages:
        put_text(
            page.sheet["A3"],
            f"xl_conversion {__version__}. Figures as delivered; the blue cells may be overwritten.",
        )
    for name, sections in shared.sections.items():
        fit(pages[name], sections)
    index.sheet.page_setup.fitToHeight = 1
    book.show_status(master, said)
    for page in book.pages:
        show_parts_of_shares(page.sheet)
    append_intellisense(book.workbook)
    return book


def gallery_bytes() -> bytes:
    """The .xlsx of :func:`gallery`: always the same bytes."""
    book = gallery()
    return workbook_bytes(book.workbook, book.cached, as_of=book.as_of)


def save_gallery(path: str | os.PathLike[str]) -> None:
    """Writes :func:`gallery` to `path`. Raises SaveError where it cannot be written."""
    book = gallery()
    save_workbook(book.workbook, book.cached, path, as_of=book.as_of)


def _index(page: Page, book: Book, outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    """The index; where the master check stands, and what it says."""
    master_row = page.row + 1
    page.row += 3
    page.header(["Function", "Gives", "Result", "Unit", "Check", "Steps"], numeric="C", centred="EF", freeze=True)
    first = page.row
    for function in CATALOGUE:
        _line(page, function.name, outcomes[function.name])
    last = page.row - 1
    _how_to_read(page)
    end, page.row = page.row, master_row
    checks = f"E{first}:F{last}"
    mark(page, checks)
    states = [said for outcome in outcomes.values() for _, said in outcome.checks.values()]
    said = OK if all(state == OK for state in states) else CHECK
    row = Row(page)
    row.text("A", "Master check", "result")
    row.text("B:D", "All checks below", "result")
    # A sheet without steps has nothing to check there, and its cell is empty.
    present = f'ROWS({checks})*COLUMNS({checks})-COUNTIF({checks},"")'
    good = f'COUNTIF({checks},"{OK}")'
    one_of = "".join(
        f'IF({good}+COUNTIF({checks},"{state}")={present},"{state}",' for state in (CHANGED, NO_ADDIN)
    )
    formula = f'=IF({good}={present},"{OK}",{one_of}"{CHECK}")))'
    page.formula(f"E{page.row}", formula, said, look="result", align="center")
    row.text("F", "", "result")
    mark(page, f"E{page.row}")
    master = page.address(f"E{page.row}")
    book.name("chk_all", master)
    row.end()
    page.row = end
    return master, said


def _line(page: Page, name: str, outcome: Outcome) -> None:
    function, at, row = FUNCTIONS[name], page.row, Row(page)
    row.text("A", name, "symbol")
    page.sheet[f"A{at}"].hyperlink = f"#'{name}'!A1"
    row.text("B", function.summary)
    if outcome.value is None:
        formula = f'=ROWS({outcome.result})&" × "&COLUMNS({outcome.result})&" cells"'
        page.formula(f"C{at}", formula, "{} × {} cells".format(*outcome.size), align="right")
    else:
        page.formula(f"C{at}", f"={outcome.result}", outcome.value, outcome.number_format, align="right")
    row.text("D", function.unit, "muted")
    for column, what in (("E", RESULT), ("F", STEPS)):
        if what in outcome.checks:
            address, said = outcome.checks[what]
            page.formula(f"{column}{at}", f"={address}", said, align="center")
        else:
            row.text(column, "")
    row.end()


def _how_to_read(page: Page) -> None:
    page.section("How to read it")
    for sample, look, meaning in LEGEND:
        row = Row(page)
        row.text("A", sample, look, align="center")
        row.text("B:F", meaning)
        row.end()
    for sample, meaning in SAYINGS:
        row = Row(page)
        row.text("A", sample, align="center")
        mark(page, f"A{page.row}")
        row.text("B:F", meaning)
        row.end()
    for number, text in enumerate(NOTES, start=1):
        row = Row(page)
        row.text("A", f"Note {number}", "label")
        row.text("B:F", text)
        row.end()
