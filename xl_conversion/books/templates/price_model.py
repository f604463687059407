"""The template "Conversion price model": one adjustment, by worksheet functions and by native formulas."""

from __future__ import annotations

import os
from importlib.resources import as_file, files

from xl_conversion import __version__
from xl_conversion.books.page import Book
from xl_conversion.books.saving import save_workbook, workbook_bytes
from xl_conversion.books.templates.lines import WIDTHS
from xl_conversion.books.templates.model import Model
from xl_conversion.books.templates.sheets import about, calculation, chain, checks, inputs, securities, what_if
from xl_conversion.books.templates.sheets import rounding as rounding_sheet
from xl_conversion.books.templates.sheets import tie_out as tie_out_sheet
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.inputs.reading import Case, read_cases

TITLE = "Conversion price model"
AS_OF = (
    'IFERROR(YEAR(IN_EVENT_DATE)&"-"&TEXT(MONTH(IN_EVENT_DATE), "00")&"-"&TEXT(DAY(IN_EVENT_DATE), "00"), '
    'IN_EVENT_DATE&"")'
)
"""Not by one TEXT, whose letters for year, month and day differ with the language of the host."""
ONE_PAGE = ("About", "Inputs", "Calculation", "What if")
"""Sheets whose length is always the same."""
SHEETS = {
    "Inputs": (inputs.PURPOSE, inputs.WIDTHS),
    "Securities": (securities.PURPOSE, securities.WIDTHS),
    "Chain": (chain.PURPOSE, WIDTHS),
    "Calculation": (calculation.PURPOSE, WIDTHS),
    "What if": (what_if.PURPOSE, WIDTHS),
    "Rounding": (rounding_sheet.PURPOSE, rounding_sheet.WIDTHS),
    "Tie-out": (tie_out_sheet.PURPOSE, tie_out_sheet.WIDTHS),
    "Checks": (checks.PURPOSE, checks.WIDTHS),
}


def price_model(case: Case | None = None, event: str = "") -> Book:
    """The model of the last `event` of `case` or of the one named; without a case, of the notice that is shipped.

    Chain is left out where nothing was converted, Tie-out where nothing is stated. Raises LookupError for an event
    that is not there, ValueError for figures with which the model would show errors.
    """
    subject = Subject.of(case or shipped_case(), event)
    series = subject.series
    title = f"{series.company}, {series.name}"
    book = Book(title, subject.issuance.date, subject.case.digest, overwritten=True)
    book.workbook.properties.title = TITLE
    book.workbook.properties.creator = "xl_conversion"
    model = Model(book)
    present = {"Chain": bool(subject.conversions), "Tie-out": bool(subject.findings)}
    shown = {title: sheet for title, sheet in SHEETS.items() if present.get(title, True)}
    first = book.page("About", about.PURPOSE, about.WIDTHS, landscape=False)
    pages = {title: book.page(title, purpose, widths) for title, (purpose, widths) in shown.items()}
    for page in (first, *pages.values()):
        page.sheet.page_setup.fitToHeight = int(page.sheet.title in ONE_PAGE)

    about.write_about(model, first, subject, {title: purpose for title, (purpose, _) in shown.items()})
    inputs.write_inputs(model, pages["Inputs"], subject)
    securities.write_securities(model, pages["Securities"], subject)
    roundings = rounding_sheet.Roundings(model, pages["Rounding"])
    roundings.header()
    tie_out = None
    if subject.findings:
        tie_out = tie_out_sheet.TieOut(model, pages["Tie-out"], subject, roundings)
        tie_out.write_stated()
    if subject.conversions:
        chain.write_chain(model, pages["Chain"], subject, roundings, tie_out.stated if tie_out else {})
    calculation.write_calculation(model, pages["Calculation"], roundings)
    what_if.write_what_if(model, pages["What if"], roundings)
    if tie_out:
        tie_out.write_results()
    master = checks.write_checks(model, pages["Checks"])
    digest = f" SHA-256 of the figures as delivered: {book.digest[:12]}." if book.digest else ""
    for page in book.pages:
        subtitle = f'IN_COMPANY&", "&IN_SERIES&". {page.purpose}"'
        model.heading(page, subtitle, f'"As of "&{AS_OF}&". xl_conversion {__version__}.{digest}"')
    exceptions = model.places["EXCEPTIONS"].address() if tie_out else ""
    count = sum(finding.is_exception for finding in subject.findings)
    book.show_status(model.places[master].address(), model.texts(master), exceptions, count)
    return book


def price_model_bytes(case: Case | None = None, event: str = "") -> bytes:
    """The .xlsx of :func:`price_model`: the same bytes for the same input."""
    book = price_model(case, event)
    return workbook_bytes(book.workbook, book.cached, as_of=book.as_of)


def save_price_model(path: str | os.PathLike[str], case: Case | None = None, event: str = "") -> None:
    """Writes :func:`price_model` to `path`. Raises SaveError where it cannot be written."""
    book = price_model(case, event)
    save_workbook(book.workbook, book.cached, path, as_of=book.as_of)


def shipped_case() -> Case:
    """The notice of 5 February 2002 that the package carries."""
    with as_file(files("xl_conversion.examples") / "vsource") as folder:
        return read_cases(folder)[0]
