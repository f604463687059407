"""The checks: native formulas against the exact figures, and laws that every adjustment obeys."""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.books.finished.draft import Draft
from xl_conversion.books.page import Page
from xl_conversion.books.wording import label_words, symbol_words
from xl_conversion.core.steps import Step

OK, CHECK = "OK", "CHECK"
HEADER = ["Check", "Exact figure", "This workbook", "Difference", "Tolerance", "Result"]
UNROUNDED_TOLERANCE = Fraction(1, 10**9)
"""Of an unrounded figure, as a part of it: what the doubles of a spreadsheet may be off."""


def checks_page(draft: Draft) -> str:
    """Every check and the master check, whose address is returned."""
    page = draft.book.page(
        "Checks", "Whether the formulas of this workbook give the exact figures", [64, 24, 24, 16, 16, 12]
    )
    page.section("Tolerance")
    page.text(f"A{page.row}", "Relative, of an unrounded figure; a rounded one must be equal", "label")
    page.number(f"B{page.row}", UNROUNDED_TOLERANCE, "0E+00")
    relative = page.address(f"B{page.row}")
    page.row += 1
    page.section("Checks")
    page.header(HEADER, numeric="BCDE", centred="F", freeze=True)
    first = page.row
    for adjustment in draft.adjustments:
        event = adjustment.issuance.event
        for step in (*adjustment.price_steps, *adjustment.ratio_steps):
            if step.formula:
                _against_core(draft, page, event, step, relative)
        _never_rises(draft, page, event)
        _same_as_nvca(draft, page, event, adjustment.price_unrounded, relative)
    if draft.results:
        exceptions = Fraction(draft.exceptions)
        draft.exceptions_at = page.address(f"C{page.row}")
        page.text(f"A{page.row}", "Tie-out: number of exceptions, as found by the exact computation", "plain")
        page.number(f"B{page.row}", exceptions, "0", "plain")
        page.formula(f"C{page.row}", f'=COUNTIF({draft.results},"exception")', exceptions, "0")
        _result(page, Fraction(0), Fraction(0), "0")
    last = page.row - 1
    page.mark(f"F{first}:F{last}", OK, CHECK)
    page.row += 1
    page.text(f"A{page.row}", "All checks: the formulas agree", "result")
    for column in "BCDE":
        page.text(f"{column}{page.row}", "", "result")
    formula = f'=IF(COUNTIF(F{first}:F{last},"OK")=ROWS(F{first}:F{last}),"OK","CHECK")'
    page.formula(f"F{page.row}", formula, OK, look="result", align="center")
    page.mark(f"F{page.row}", OK, CHECK)
    master = page.address(f"F{page.row}")
    draft.book.name("chk_all", master)
    return master


def _against_core(draft: Draft, page: Page, event: str, step: Step, relative: str) -> None:
    row = page.row
    number = draft.formats[event, step.symbol]
    rounded = step.symbol.endswith("_rounded")
    page.text(f"A{row}", f"Event {event}: {symbol_words(step.symbol)}, {label_words(step.label)}")
    page.number(f"B{row}", step.value, number, "plain")
    page.formula(f"C{row}", f"={draft.steps[event, step.symbol]}", step.value, number)
    tolerance = Fraction(0) if rounded else abs(step.value) * UNROUNDED_TOLERANCE
    _result(page, Fraction(0), tolerance, number, "" if rounded else f"=ABS(B{row})*{relative}")


def _never_rises(draft: Draft, page: Page, event: str) -> None:
    row = page.row
    before, after = draft.steps[event, "CP1"], draft.steps[event, "price"]
    page.text(f"A{row}", f"Event {event}: the price does not rise (by how much it would have)")
    page.number(f"B{row}", Fraction(0), "0", "plain")
    page.formula(f"C{row}", f"=MAX(B{row},{after}-{before})", 0, "0.00")
    _result(page, Fraction(0), Fraction(0), "0.00")


def _same_as_nvca(draft: Draft, page: Page, event: str, price: Fraction, relative: str) -> None:
    """The charter's letters and the NVCA form are the same fraction, where Y = C."""
    row = page.row
    letters = {symbol: draft.find(event, symbol) for symbol in ("A", "C", "X", "Y", "K", "CP1", "P")}
    base = f"({letters['A']}+{letters['C']})"
    issued = f"({letters['X']}+{letters['Y']}-{letters['A']}-{letters['C']})"
    adjusted = f"MIN({letters['CP1']},({letters['CP1']}*{base}+{letters['K']})/({base}+{issued}))"
    formula = f"=IF({letters['P']}<{letters['CP1']},{adjusted},{letters['CP1']})"
    page.text(f"A{row}", f"Event {event}: the same price by the NVCA form, CP1 × (A + B) / (A + C)")
    number = draft.formats[event, "CP2"]
    page.number(f"B{row}", price, number, "plain")
    page.formula(f"C{row}", formula, price, number)
    tolerance = price * UNROUNDED_TOLERANCE
    _result(page, Fraction(0), tolerance, number, f"=ABS(B{row})*{relative}")


def _result(page: Page, difference: Fraction, tolerance: Fraction, number: str, formula: str = "") -> None:
    row = page.row
    page.formula(f"D{row}", f"=C{row}-B{row}", difference, "0.0E+00" if formula else "0")
    if formula:
        page.formula(f"E{row}", formula, tolerance, "0.0E+00")
    else:
        page.number(f"E{row}", tolerance, "0", "plain")
    page.formula(
        f"F{row}", f'=IF(ISERROR(D{row}),"CHECK",IF(ABS(D{row})<=E{row},"OK","CHECK"))', OK, align="center"
    )
    page.row += 1
