"""The checks: every one of them, and the master check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import when_ready
from xl_conversion.books.templates.model import (
    CHECK,
    DIFFERENCE,
    NO_ADDIN,
    NOT_AVAILABLE,
    OK,
    OPEN,
    READY,
    SMALL,
    UNROUNDED,
    WHOLE,
    Check,
    Group,
    Model,
)

PURPOSE = (
    "Every check of this workbook. Of a figure, expected is the native formula and actual the worksheet function"
)
WIDTHS = (6, 62, 15, 22, 22, 14, 13, 13)
HEADER = (
    "No.",
    "Check",
    "Sheet",
    "Expected",
    "Actual",
    "Difference",
    "Tolerance",
    "Result",
)


_IF_SO = " (1 if so)"
_TOLERANCES = {WHOLE: "ZERO", UNROUNDED: "TOLERANCE"}
"""Of a check, by the number format of its figures; of sums of shares or money it is that of amounts."""


class Total(NamedTuple):
    """A check of inputs or totals: what, where, and two expressions that must be equal.

    Its name is ``chk_`` and the `key`, or what its label makes.
    """

    label: str
    sheet: str
    expected: str
    actual: str
    number_format: str = WHOLE
    key: str = ""

    @property
    def symbol(self) -> str:
        """What its cells are called by.

        >>> Total("Exceptions and ties: all", "Tie-out", "X", "Y").symbol
        'exceptions_and_ties_all'
        """
        return self.key or re.sub(r"[^a-z0-9]+", "_", self.label.removesuffix(_IF_SO).casefold()).strip("_")


def holds(label: str, sheet: str, condition: str, key: str = "") -> Total:
    """A check that a condition holds; it counts as one if so."""
    return Total(f"{label}{_IF_SO}", sheet, "N(TRUE)", f"N({condition})", key=key)


def is_word(cell: str, words: str) -> str:
    """1 if what a cell holds is one of a range of words, letter by letter, else 0.

    >>> is_word("METHOD", "METHODS")
    'SUMPRODUCT(EXACT(METHODS, METHOD)*ONE)'
    """
    return f"SUMPRODUCT(EXACT({words}, {cell})*ONE)"


def write_checks(model: Model, page: Page, totals: Iterable[Total]) -> str:
    """The sheet, with `totals` before the checks that the other sheets make; gives the symbol of the master
    check."""
    master_row = page.row + 1
    page.row += 3
    page.header(HEADER, numeric="DEFG", centred="H", freeze=True)
    first, number = page.row, 0
    order = model.book.workbook.sheetnames
    linked = sorted(model.checks, key=lambda check: order.index(check.sheet))
    for total in totals:
        number += 1
        _words(page, number, total.label, total.sheet)
        symbols = f"{total.symbol}_EXPECTED", f"{total.symbol}_ACTUAL"
        for column, symbol, formula in zip("DE", symbols, (total.expected, total.actual), strict=True):
            model.formula(
                page, f"{column}{page.row}", when_ready(formula), total.number_format, symbol=symbol, align="right"
            )
        tolerance = _TOLERANCES.get(total.number_format, "TOLERANCE_AMOUNT")
        model.check(
            page,
            "FGH",
            total.label,
            *symbols,
            tolerance,
            total.number_format,
            symbol=total.symbol,
            native=True,
        )
        page.row += 1
    for check in linked:
        number += 1
        _linked(model, page, number, check)
    for group in model.groups:
        number += 1
        _group(model, page, number, group)
    end, page.row = page.row, master_row
    model.range(page, "ALL_CHECKS", f"H{first}", f"H{end - 1}")
    page.mark(f"H{first}:H{end - 1}", OK, CHECK, NO_ADDIN, OPEN)
    page.text(f"A{page.row}", "", "result")
    page.text(f"B{page.row}", "Master check: all checks below", "result")
    for column in "CDEFG":
        page.text(f"{column}{page.row}", "", "result")
    # A spare row has nothing to check and is blank; an error or a CHECK is in neither count.
    good = f'COUNTIF(ALL_CHECKS, "{OK}")+COUNTBLANK(ALL_CHECKS)'
    absent = f'COUNTIF(ALL_CHECKS, "{NO_ADDIN}")'
    verdict = f'IF({good}=ROWS(ALL_CHECKS), "{OK}", IF({good}+{absent}=ROWS(ALL_CHECKS), "{NO_ADDIN}", "{CHECK}"))'
    model.formula(
        page,
        f"H{page.row}",
        f'IF({READY}, {verdict}, "{OPEN}")',
        symbol="MASTER",
        look="result",
        align="center",
        name="chk_all",
    )
    page.mark(f"H{page.row}", OK, CHECK, NO_ADDIN, OPEN)
    page.row = end
    return "MASTER"


def _linked(model: Model, page: Page, number: int, check: Check) -> None:
    """A check that another sheet makes."""
    row = page.row
    _words(page, number, check.label, check.sheet)
    model.formula(page, f"D{row}", check.expected, check.number_format, align="right")
    actual = f'IF(ISERROR({check.actual}), "{NOT_AVAILABLE}", {check.actual})'
    model.formula(page, f"E{row}", actual, check.number_format, align="right")
    model.formula(page, f"F{row}", check.difference, DIFFERENCE, align="right")
    model.formula(page, f"G{row}", check.tolerance, SMALL, look="muted")
    model.formula(page, f"H{row}", check.result, align="center")
    page.row += 1


def _group(model: Model, page: Page, number: int, group: Group) -> None:
    """The checks of the rows of a table: how many there are, and how many hold."""
    row, results = page.row, group.results
    _words(page, number, group.label, group.sheet)
    made, good = f"G{number}_MADE", f"G{number}_GOOD"
    # A row with nothing in it has no result.
    there = f"ROWS({results})-COUNTBLANK({results})"
    model.formula(page, f"D{row}", there, WHOLE, symbol=made)
    model.formula(page, f"E{row}", f'COUNTIF({results}, "{OK}")', WHOLE, symbol=good)
    model.formula(page, f"F{row}", f"{good}-{made}", DIFFERENCE)
    model.formula(page, f"G{row}", "ZERO", SMALL, look="muted")
    absent = f'COUNTIF({results}, "{NO_ADDIN}")'
    verdict = f'IF({good}={made}, "{OK}", IF({good}+{absent}={made}, "{NO_ADDIN}", "{CHECK}"))'
    model.formula(page, f"H{row}", f'IF({READY}, {verdict}, "{OPEN}")', align="center")
    page.row += 1


def _words(page: Page, number: int, label: str, sheet: str) -> None:
    row = page.row
    page.text(f"A{row}", str(number), "muted")
    page.text(f"B{row}", label)
    page.text(f"C{row}", sheet, "muted")
    page.height([(label, WIDTHS[1])])
