"""Puts the sheets of a finished workbook together."""

from __future__ import annotations

from collections.abc import Sequence

from xl_conversion.books.finished.calculation import calculation_page
from xl_conversion.books.finished.checks import checks_page
from xl_conversion.books.finished.draft import Draft
from xl_conversion.books.finished.inputs import conversions_page, inputs_page, securities_page
from xl_conversion.books.finished.summary import WIDTHS, summary_page
from xl_conversion.books.finished.tie_out import explanations_page, tie_out_page
from xl_conversion.books.page import Book
from xl_conversion.books.saving import workbook_bytes
from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case


def paper_adjustments(case: Case) -> tuple[Adjustment, ...]:
    """The adjustments by the issuances of a case, to which nothing else may happen.

    Raises InputError where more does.
    """
    if case.more:
        raise InputError([Problem(case.series.name, case.more, hint="--template statement has the whole life")])
    return replay(case.series, case.issuances)


def finished_workbook(case: Case, findings: Sequence[Finding]) -> bytes:
    """The .xlsx of one series: the same bytes for the same input.

    Raises InputError as :func:`paper_adjustments`.
    """
    series, adjustments = case.series, paper_adjustments(case)
    title = f"{series.company}, {series.name}"
    book = Book(title, max(issuance.date for issuance in case.issuances), case.digest)
    book.workbook.properties.title = f"Conversion price: {title}"
    draft = Draft(case, adjustments, tuple(findings), book)
    summary = book.page("Summary", "Conversion price and ratio, and how they tie to what was stated", WIDTHS)
    # An event's counts may be sums over its securities: their sheet comes second, but is needed first.
    securities_page(draft)
    inputs_page(draft)
    book.workbook.move_sheet("Inputs", -1)
    conversions_page(draft)
    calculation_page(draft)
    if findings:
        tie_out_page(draft)
        explanations_page(draft)
    master = checks_page(draft)
    summary_page(draft, summary, master)
    book.show_status(master, "OK", draft.exceptions_at, draft.exceptions)
    return workbook_bytes(book.workbook, book.cached, as_of=book.as_of)
