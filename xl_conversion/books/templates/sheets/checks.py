"""The checks: every one of them, and the master check."""

from __future__ import annotations

from collections.abc import Iterator

from xl_conversion.books.page import Page
from xl_conversion.books.templates.model import (
    AMOUNT,
    CHECK,
    DIFFERENCE,
    NO_ADDIN,
    NOT_AVAILABLE,
    OK,
    SMALL,
    WHOLE,
    Check,
    Model,
)
from xl_conversion.core.tie_out import Result

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
NUMBERS = ("OIP", "IN_CP1", "IN_A", "IN_C", "IN_X", "IN_Y", "IN_H", "IN_M")
ABOVE_ZERO = ("OIP", "IN_CP1", "IN_A", "IN_X", "IN_M")
DIGITS = ("PRICE_DECIMALS", "RATIO_DECIMALS", "CASH_DECIMALS")
TYPES, BASES = ("PRICE_TYPE", "RATIO_TYPE", "SHARE_TYPE", "CASH_TYPE"), ("CARRIED", "BASIS")


def write_checks(model: Model, page: Page) -> str:
    """The sheet; gives the symbol of the master check."""
    master_row = page.row + 1
    page.row += 3
    page.header(HEADER, numeric="DEFG", centred="H", freeze=True)
    first, number = page.row, 0
    order = model.book.workbook.sheetnames
    linked = sorted(model.checks, key=lambda check: order.index(check.sheet))
    for label, sheet, expected, actual, number_format in _of_the_model(model):
        number += 1
        _words(page, number, label, sheet)
        symbols = f"M{number}_EXPECTED", f"M{number}_ACTUAL"
        for column, symbol, formula in zip("DE", symbols, (expected, actual), strict=True):
            model.formula(page, f"{column}{page.row}", formula, number_format, symbol=symbol)
        tolerance = "TOLERANCE_AMOUNT" if number_format == AMOUNT else "ZERO"
        model.check(page, "FGH", label, *symbols, tolerance, number_format, symbol=f"MODEL{number}", native=True)
        page.row += 1
    for check in linked:
        number += 1
        _linked(model, page, number, check)
    end, page.row = page.row, master_row
    model.range(page, "ALL_CHECKS", f"H{first}", f"H{end - 1}")
    page.mark(f"H{first}:H{end - 1}", OK, CHECK, NO_ADDIN)
    page.text(f"A{page.row}", "", "result")
    page.text(f"B{page.row}", "Master check: all checks below", "result")
    for column in "CDEFG":
        page.text(f"{column}{page.row}", "", "result")
    holds, absent, all_of_them = (
        f'COUNTIF(ALL_CHECKS, "{OK}")',
        f'COUNTIF(ALL_CHECKS, "{NO_ADDIN}")',
        "ROWS(ALL_CHECKS)",
    )
    model.formula(
        page,
        f"H{page.row}",
        f'IF({holds}={all_of_them}, "{OK}", IF({holds}+{absent}={all_of_them}, "{NO_ADDIN}", "{CHECK}"))',
        symbol="MASTER",
        look="result",
        align="center",
        name="chk_all",
    )
    page.mark(f"H{page.row}", OK, CHECK, NO_ADDIN)
    page.row = end
    return "MASTER"


def _linked(model: Model, page: Page, number: int, check: Check) -> None:
    """A check that another sheet makes."""
    row = page.row
    _words(page, number, check.label, check.sheet)
    model.formula(page, f"D{row}", check.expected, check.number_format)
    actual = f'IF(ISERROR({check.actual}), "{NOT_AVAILABLE}", {check.actual})'
    model.formula(page, f"E{row}", actual, check.number_format, align="right")
    model.formula(page, f"F{row}", check.difference, DIFFERENCE, align="right")
    model.formula(page, f"G{row}", check.tolerance, SMALL, look="muted")
    model.formula(page, f"H{row}", check.result, align="center")
    page.row += 1


def _words(page: Page, number: int, label: str, sheet: str) -> None:
    row = page.row
    page.text(f"A{row}", str(number), "muted")
    page.text(f"B{row}", label)
    page.text(f"C{row}", sheet, "muted")
    page.height([(label, WIDTHS[1])])


def _of_the_model(model: Model) -> Iterator[tuple[str, str, str, str, str]]:
    """Checks of inputs and totals: what, where, expected, actual, number format."""
    numbers = ", ".join((*NUMBERS, *DIGITS))
    one_each = "+".join(f"ROWS({symbol})" for symbol in (*NUMBERS, *DIGITS))
    yield "Inputs: every number is there and is a number", "Inputs", one_each, f"COUNT({numbers})", WHOLE
    chosen = "+".join(f"ROWS({symbol})" for symbol in (*TYPES, *BASES))
    known = "+".join([*(f"COUNTIF(TYPES, {t})" for t in TYPES), *(f"COUNTIF(BASES, {b})" for b in BASES)])
    yield "Inputs: every choice is one of its list", "Inputs", chosen, known, WHOLE
    for label, sheet, holds in (
        ("Inputs: prices, A and X are above 0 (1 if so)", "Inputs", f"MIN({', '.join(ABOVE_ZERO)})>ZERO"),
        ("Inputs: no number is below 0 (1 if so)", "Inputs", f"MIN({numbers})>=ZERO"),
        ("Inputs: more common after than before, X + Y > A + C (1 if so)", "Inputs", "IN_X+IN_Y>IN_A+IN_C"),
        ("Calculation: P is not below 0 (1 if so)", "Calculation", "P>=ZERO"),
        (
            "Securities: no consideration is below 0 (1 if so)",
            "Securities",
            "MIN(PAID_RANGE, CONSIDERATION)>=ZERO",
        ),
    ):
        # The rows of a cell are the number one, and a comparison that holds counts as one.
        yield label, sheet, "ROWS(P)", f"({holds})*ROWS(P)", WHOLE
    yield (
        "Securities: rows that are not complete",
        "Securities",
        "ZERO",
        f'COUNTIF(COMPLETE_RANGE, "{CHECK}")',
        WHOLE,
    )
    yield (
        "Securities: total consideration, another way",
        "Securities",
        "SUMPRODUCT(SHARES_RANGE, EACH_RANGE)+SUM(IN_ALL_RANGE)",
        "CONSIDERATION",
        AMOUNT,
    )
    yield (
        "Calculation: the price is not above the one before",
        "Calculation",
        "CP2r",
        "MIN(CP2r, CP1)",
        AMOUNT,
    )
    if "RESULTS" in model.places:
        results = "+".join(f'COUNTIF(RESULTS, "{result}")' for result in Result)
        yield "Tie-out: every comparison has a result", "Tie-out", "COMPARISONS", results, WHOLE
