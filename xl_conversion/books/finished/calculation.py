"""The calculation sheet: each step in words and in numbers, recomputed by a native formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xl_conversion.books.finished.draft import Draft, column_format
from xl_conversion.books.native import native
from xl_conversion.books.page import Look, Page, places
from xl_conversion.books.wording import ROUNDED, figure_text, formula_words, label_words, symbol_words
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.rounding import shorten
from xl_conversion.core.steps import Step
from xl_conversion.core.terms import Basis

WIDTHS = [13, 42, 74, 20, 34, 21, 20]
HEADER = ["Symbol", "Figure", "Formula, and with numbers", "Value", "Exact value", "Unit", "Clause"]
LONGEST_NAME = 90


def calculation_page(draft: Draft) -> None:
    """Every adjustment with its steps, each event on a printed page of its own."""
    page = draft.book.page("Calculation", "How each price follows, step by step", WIDTHS)
    page.header(HEADER, numeric="DE", freeze=True)
    carried = draft.terms["conversion_price"]
    for place, adjustment in enumerate(draft.adjustments):
        issuance = adjustment.issuance
        event = issuance.event
        name = shorten(", ".join(filter(None, (f"Event {event}", issuance.description))), LONGEST_NAME)
        if place:
            page.row += 1
            page.break_before()
        page.section(f"{name}: conversion price", 0)
        cells = {symbol: draft.find(event, symbol) for symbol in ("A", "C", "K", "X", "Y")}
        cells |= {"I": draft.find(event, "listed"), "CP1": carried}
        cells["decimals"] = draft.terms.get("price_decimals", "")
        formats = _formats([*adjustment.price_steps, *adjustment.ratio_steps])
        _steps(draft, page, event, adjustment.price_steps, cells, formats)
        rounded = draft.steps.get((event, "CP2_rounded"), draft.steps[event, "CP2"])
        draft.steps[event, "price"] = rounded
        unrounded = draft.steps[event, "CP2"]
        carried = rounded if adjustment.series.carried_price is Basis.ROUNDED else unrounded

        page.section(f"{name}: conversion ratio, from the {adjustment.series.ratio_basis.value} price")
        taken = unrounded if adjustment.series.ratio_basis is Basis.UNROUNDED else rounded
        terms = {
            "OIP": draft.terms["original_issue_price"],
            "CP": taken,
            "decimals": draft.terms.get("ratio_decimals", ""),
        }
        _steps(draft, page, event, adjustment.ratio_steps, terms, formats)
        draft.steps[event, "ratio"] = draft.steps.get((event, "CR_rounded"), draft.steps[event, "CR"])
    _name_results(draft)


def _steps(
    draft: Draft,
    page: Page,
    event: str,
    steps: Sequence[Step],
    given: Mapping[str, str],
    formats: Mapping[str, str],
) -> None:
    """One row a step. A given figure is linked to where it stands, another one is computed from these rows."""
    own: dict[str, str] = {}
    decimals = next((int(step.value) for step in steps if step.symbol == "decimals"), None)
    for place, step in enumerate(steps):
        row = page.row
        look: Look = "result" if step.symbol.endswith(ROUNDED) else "plain"
        formula = native(step.formula, own) if step.formula else f"={given[step.symbol]}"
        words = "\n".join(filter(None, formula_words(step, steps[:place])))
        label, exact_figure = label_words(step.label), figure_text(step.value)
        page.text(f"A{row}", symbol_words(step.symbol), "symbol")
        page.text(f"B{row}", label, "plain")
        page.text(f"C{row}", words, "plain" if step.formula else "muted")
        own_format = step.symbol.endswith(ROUNDED) and decimals is not None
        draft.formats[event, step.symbol] = places(decimals or 0) if own_format else formats[step.unit]
        page.formula(f"D{row}", formula, step.value, draft.formats[event, step.symbol], look)
        page.text(f"E{row}", exact_figure, "plain", align="right")
        page.text(f"F{row}", step.unit, "muted")
        page.text(f"G{row}", step.source, "muted")
        page.height(
            [(label, WIDTHS[1]), (words, WIDTHS[2]), (exact_figure, WIDTHS[4]), (step.source, WIDTHS[6] * 10 / 9)]
        )
        own[step.symbol] = f"D{row}"
        draft.steps[event, step.symbol] = page.address(f"D{row}")
        page.row += 1


def _formats(steps: Sequence[Step]) -> dict[str, str]:
    """The number format of each unit; a rounded figure has its own."""
    units: dict[str, list[Step]] = {}
    for step in steps:
        if not step.symbol.endswith(ROUNDED):
            units.setdefault(step.unit, []).append(step)
    return {
        unit: "0" if unit == "digits" else column_format((step.value for step in found), unit)
        for unit, found in units.items()
    }


def _name_results(draft: Draft) -> None:
    if not draft.adjustments:
        return
    last: Adjustment = draft.adjustments[-1]
    event = last.issuance.event
    draft.book.name("out_conversion_price", draft.steps[event, "price"])
    draft.book.name("out_conversion_price_unrounded", draft.steps[event, "CP2"])
    draft.book.name("out_conversion_ratio", draft.steps[event, "ratio"])
    draft.book.name("out_conversion_ratio_unrounded", draft.steps[event, "CR"])
