"""The template "Conversion chain model": notes into preferred into common, every rounding side by side."""

from __future__ import annotations

from datetime import date

from xl_conversion import __version__
from xl_conversion.books.page import Book
from xl_conversion.books.saving import workbook_bytes
from xl_conversion.books.templates import house
from xl_conversion.books.templates.chain import (
    calculation,
    checks,
    feed,
    inputs,
    notes,
    result,
    stated,
    tie_out,
)
from xl_conversion.books.templates.chain import (
    holders as holders_sheet,
)
from xl_conversion.books.templates.chain.about import about
from xl_conversion.books.templates.chain_filling import blank_chain, chain_filling, shipped_chain
from xl_conversion.books.templates.filling import Filling
from xl_conversion.books.templates.lines import WIDTHS, iso_day
from xl_conversion.books.templates.model import Model
from xl_conversion.books.templates.sheets import about as about_sheet
from xl_conversion.books.templates.sheets import change_log
from xl_conversion.books.templates.sheets import checks as checks_sheet

__all__ = ["blank_chain", "chain_filling", "chain_model", "chain_model_bytes", "shipped_chain"]

TITLE = "Conversion chain model"
NO_DATE = date(1980, 1, 1)
"""Of the file, where the filling has no date."""
HOLDERS = 24
"""Room on Notes."""
PRINTED = {"Stated": 1, "Calculation": 1, "Result": 1, "Feed": 1, "Tie-out": 1, "Checks": 2}
"""Pages of the sheets whose length is always the same."""
SHEETS = {
    "Inputs": (inputs.PURPOSE, inputs.WIDTHS),
    "Notes": (notes.PURPOSE, notes.WIDTHS),
    "Stated": (stated.PURPOSE, stated.WIDTHS),
    "Calculation": (calculation.PURPOSE, WIDTHS),
    "Holders": (holders_sheet.PURPOSE, holders_sheet.WIDTHS),
    holders_sheet.AGAIN: (holders_sheet.PURPOSE_AGAIN, holders_sheet.WIDTHS_AGAIN),
    "Result": (result.PURPOSE, result.WIDTHS),
    "Feed": (feed.PURPOSE, feed.WIDTHS),
    "Tie-out": (tie_out.PURPOSE, tie_out.WIDTHS),
    "Checks": (checks_sheet.PURPOSE, checks_sheet.WIDTHS),
    "Change log": (change_log.PURPOSE, change_log.WIDTHS),
}
DAY = iso_day("AS_OF")
"""Not by one TEXT, whose letters for year, month and day differ with the language of the host."""


def chain_model(filling: Filling | None = None, *, holders: int = HOLDERS) -> Book:
    """The model with the inputs of `filling`; without one, as it is shipped. There is room for so many `holders`.

    >>> book = chain_model(blank_chain(), holders=3)
    >>> book.workbook.sheetnames[:3]
    ['About', 'Inputs', 'Notes']

    Raises ValueError where the filling has more holders than there is room for, or inputs that the model has not.
    """
    filling = shipped_chain() if filling is None else filling
    as_of = filling.given("in_as_of").value
    book = Book(TITLE, as_of if isinstance(as_of, date) else NO_DATE, filling.digest, overwritten=True)
    book.workbook.properties.title = TITLE
    book.workbook.properties.creator = "xl_conversion"
    model = Model(book, filling)
    first = book.page("About", about_sheet.PURPOSE, about_sheet.WIDTHS, landscape=False)
    pages = {title: book.page(title, purpose, widths) for title, (purpose, widths) in SHEETS.items()}
    for page in (first, *pages.values()):
        page.sheet.page_setup.fitToHeight = PRINTED.get(page.sheet.title, 0)

    purposes = {title: purpose for title, (purpose, _) in SHEETS.items()}
    about_sheet.write_about(model, first, about(filling), purposes)
    lines = inputs.write_inputs(model, pages["Inputs"])
    notes.write_notes(model, pages["Notes"], holders)
    stated.write_stated(model, pages["Stated"])
    lines.finish(
        {
            "a note, on Notes": "COUNT(NOTE_AMOUNT)=ZERO",
            "common as stated, on Stated": "AND(FEED_SHARES=FEEDS_stated, NOT(ISNUMBER(STATED_COMMON)))",
        }
    )
    figures = calculation.write_calculation(model, pages["Calculation"])
    holders_sheet.write_holders(model, pages["Holders"], holders)
    holders_sheet.write_by_function(model, pages[holders_sheet.AGAIN], holders)
    calculation.write_costs(figures)
    result.write_result(model, pages["Result"])
    feed.write_feed(model, pages["Feed"])
    tie_out.write_tie_out(model, pages["Tie-out"])
    change_log.write_change_log(model, pages["Change log"])
    master = checks_sheet.write_checks(model, pages["Checks"], checks.totals())

    for page in book.pages:
        subtitle = f'IF(COMPANY&""="", "", COMPANY&", "&AGREEMENT&". ")&"{page.purpose.replace(chr(34), "")}"'
        model.heading(
            page, subtitle, f'IF(ISBLANK(AS_OF), "", "As of "&{DAY}&". ")&"xl_conversion {__version__}."'
        )
    exceptions = model.value("EXCEPTIONS")
    book.show_status(
        model.places[master].address(),
        model.texts(master),
        model.places["EXCEPTIONS"].address(),
        int(exceptions) if isinstance(exceptions, float) else 0,
    )
    house.close(book)
    return book


def chain_model_bytes(filling: Filling | None = None, *, holders: int = HOLDERS) -> bytes:
    """The .xlsx of :func:`chain_model`: the same bytes for the same filling."""
    book = chain_model(filling, holders=holders)
    return workbook_bytes(book.workbook, book.cached, as_of=book.as_of)
