"""The calculation sheet: each step in symbols and in numbers, recomputed by a native formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xl_conversion.books.finished.draft import Draft, figure_text, number_format
from xl_conversion.books.native import native
from xl_conversion.books.page import Look, Page, places
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.steps import Step
from xl_conversion.core.terms import Basis

WIDTHS = [13, 34, 44, 22, 27, 21, 22]
HEADER = ["Symbol", "Figure", "Formula, and with numbers", "Value", "Exact value", "Unit", "Clause"]


def calculation_page(draft: Draft) -> None:
    """Every adjustment with its steps."""
    page = draft.book.page("Calculation", "How each price follows, step by step", WIDTHS)
    carried = draft.terms["conversion_price"]
    for place, adjustment in enumerate(draft.adjustments):
        event = adjustment.issuance.event
        title = f"Event {event}: conversion price"
        page.section(title)
        page.header(HEADER, numeric="DE", freeze=place == 0)
        cells = {symbol: draft.find(event, symbol) for symbol in ("A", "C", "K", "X", "Y")}
        cells |= {"CP1": carried, "decimals": draft.terms.get("price_decimals", "")}
        _steps(draft, page, event, adjustment.price_steps, cells)
        rounded = draft.steps.get((event, "CP2_rounded"), draft.steps[event, "CP2"])
        draft.steps[event, "price"] = rounded
        unrounded = draft.steps[event, "CP2"]
        carried = rounded if adjustment.series.carried_price is Basis.ROUNDED else unrounded

        page.section(f"Event {event}: conversion ratio, from the {adjustment.series.ratio_basis.value} price")
        page.header(HEADER, numeric="DE")
        taken = unrounded if adjustment.series.ratio_basis is Basis.UNROUNDED else rounded
        terms = {
            "OIP": draft.terms["original_issue_price"],
            "CP": taken,
            "decimals": draft.terms.get("ratio_decimals", ""),
        }
        _steps(draft, page, event, adjustment.ratio_steps, terms)
        draft.steps[event, "ratio"] = draft.steps.get((event, "CR_rounded"), draft.steps[event, "CR"])
    _name_results(draft)


def _steps(draft: Draft, page: Page, event: str, steps: Sequence[Step], given: Mapping[str, str]) -> None:
    """One row a step. A given figure is linked to where it stands, another one is computed from these rows."""
    own: dict[str, str] = {}
    decimals = next((int(step.value) for step in steps if step.symbol == "decimals"), None)
    for step in steps:
        row = page.row
        look: Look = "result" if step.symbol.endswith("_rounded") else "plain"
        formula = native(step.formula, own) if step.formula else f"={given[step.symbol]}"
        words = f"{step.formula}\n= {step.with_numbers}" if step.formula else "given"
        page.text(f"A{row}", step.symbol, "symbol")
        page.text(f"B{row}", step.label, "plain")
        page.text(f"C{row}", words.replace("*", "×"), "plain" if step.formula else "muted")
        draft.formats[event, step.symbol] = _format(step, decimals)
        page.formula(f"D{row}", formula, step.value, draft.formats[event, step.symbol], look)
        page.text(f"E{row}", figure_text(step.value), "plain", align="right")
        page.text(f"F{row}", step.unit, "muted")
        page.text(f"G{row}", step.source, "muted")
        page.height([(step.label, 34), (words, 44), (figure_text(step.value), 25), (step.source, 24)])
        own[step.symbol] = f"D{row}"
        draft.steps[event, step.symbol] = page.address(f"D{row}")
        page.row += 1


def _format(step: Step, decimals: int | None) -> str:
    if step.symbol.endswith("_rounded") and decimals is not None:
        return places(decimals)
    return "0" if step.unit == "digits" else number_format(step.value, step.unit)


def _name_results(draft: Draft) -> None:
    if not draft.adjustments:
        return
    last: Adjustment = draft.adjustments[-1]
    event = last.issuance.event
    draft.book.name("out_conversion_price", draft.steps[event, "price"])
    draft.book.name("out_conversion_price_unrounded", draft.steps[event, "CP2"])
    draft.book.name("out_conversion_ratio", draft.steps[event, "ratio"])
    draft.book.name("out_conversion_ratio_unrounded", draft.steps[event, "CR"])
