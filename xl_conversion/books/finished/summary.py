"""The first sheet: the results, the exceptions, and what the other sheets hold."""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.books.finished.draft import Draft, figure_text, number_format
from xl_conversion.books.page import UNROUNDED, Page
from xl_conversion.core.adjustments import conversion_ratio

SHEETS = {
    "Inputs": "Terms of the series and the capitalization around each event; inputs are blue.",
    "Securities": "What was issued, and the consideration.",
    "Conversions": "From principal to preferred to common.",
    "Calculation": "Every step, with its clause, recomputed by native formulas.",
    "Tie-out": "Stated figures against recomputed ones, and what would explain each difference.",
    "Checks": "Whether this workbook's formulas give the exact figures.",
}
WIDTHS = [40, 20, 22, 64, 22]


def summary_page(draft: Draft, page: Page, master: str) -> None:
    """Results first."""
    series = draft.case.series
    before = series.conversion_price
    for adjustment in draft.adjustments:
        event, issuance = adjustment.issuance.event, adjustment.issuance
        page.section(f"{issuance.date.isoformat()}: {issuance.description or 'issuance'}")
        page.header(["Result", "As the charter rounds", "Unrounded", "Exact figure", "Unit"], numeric="BC")
        price_unit, ratio_unit = "money per share", "common per preferred"
        ratio_before = conversion_ratio(series.original_issue_price, before)
        lines: list[tuple[str, str, Fraction, str, Fraction, str]] = [
            (
                "Conversion price before",
                draft.steps[event, "CP1"],
                before,
                draft.steps[event, "CP1"],
                before,
                price_unit,
            ),
            (
                "Conversion price after",
                draft.steps[event, "price"],
                adjustment.price,
                draft.steps[event, "CP2"],
                adjustment.price_unrounded,
                price_unit,
            ),
            (
                "Common per preferred before",
                f"{draft.terms['original_issue_price']}/{draft.steps[event, 'CP1']}",
                ratio_before,
                f"{draft.terms['original_issue_price']}/{draft.steps[event, 'CP1']}",
                ratio_before,
                ratio_unit,
            ),
            (
                "Common per preferred after",
                draft.steps[event, "ratio"],
                adjustment.ratio,
                draft.steps[event, "CR"],
                adjustment.ratio_unrounded,
                ratio_unit,
            ),
        ]
        for label, rounded_at, rounded, unrounded_at, unrounded, unit in lines:
            row = page.row
            page.text(f"A{row}", label, "label")
            decimals = series.price.decimals if unit == price_unit else series.ratio.decimals
            number = number_format(rounded, unit) if decimals is None else f"0.{'0' * decimals}".rstrip(".")
            page.formula(f"B{row}", f"={rounded_at}", rounded, number, "result")
            page.formula(f"C{row}", f"={unrounded_at}", unrounded, UNROUNDED)
            page.text(f"D{row}", figure_text(unrounded), "plain")
            page.text(f"E{row}", unit, "muted")
            page.row += 1
        before = adjustment.price if series.carried_price == "rounded" else adjustment.price_unrounded
    _exceptions(draft, page)
    page.section("Checks")
    page.text(f"A{page.row}", "All checks of this workbook", "label")
    page.formula(f"B{page.row}", f"={master}", "OK", look="result", align="center")
    page.mark(f"B{page.row}", "OK", "CHECK")
    page.row += 1
    page.section("Sheets")
    for sheet in draft.book.workbook.sheetnames[1:]:
        page.text(f"A{page.row}", sheet, "label")
        page.sheet[f"A{page.row}"].hyperlink = f"#'{sheet}'!A1"
        page.sheet.merge_cells(f"B{page.row}:E{page.row}")
        page.text(f"B{page.row}", SHEETS[sheet], "muted")
        page.row += 1
    page.section("About")
    for label, text in (
        (
            "Exactness",
            "Each figure is computed in exact fractions and rounded once, as the charter says; the "
            "formulas here are a recomputation that needs no add-in.",
        ),
        ("Input", f"SHA-256 {draft.book.digest}"),
    ):
        page.text(f"A{page.row}", label, "label")
        page.sheet.merge_cells(f"B{page.row}:E{page.row}")
        page.text(f"B{page.row}", text, "muted")
        page.height([(text, 120)])
        page.row += 1


def _exceptions(draft: Draft, page: Page) -> None:
    page.section("Tie-out to the stated figures")
    if not draft.findings:
        page.text(f"A{page.row}", "No figure is stated", "muted")
        page.row += 1
        return
    count = Fraction(sum(finding.is_exception for finding in draft.findings))
    total = Fraction(len(draft.findings))
    for label, formula, value in (
        ("Comparisons", f"=ROWS({draft.results})", total),
        ("Exceptions", f'=COUNTIF({draft.results},"exception")', count),
    ):
        page.text(f"A{page.row}", label, "label")
        page.formula(f"B{page.row}", formula, value, "0", "result")
        page.row += 1
    if not count:
        return
    page.row += 1
    page.header(["Exception", "Stated", "Recomputed", "Explanation", "Stated less recomputed"], numeric="BCE")
    for finding in draft.findings:
        if not finding.is_exception:
            continue
        row = page.row
        label = f"{finding.item.value.replace('_', ' ')} {finding.subject}".strip() + f"\n{finding.check.meaning}"
        page.text(f"A{row}", label, "plain")
        page.text(f"B{row}", finding.stated, "plain", align="right")
        page.text(f"C{row}", finding.at_precision, "plain", align="right")
        page.text(f"D{row}", finding.explanation, "plain")
        page.text(f"E{row}", finding.shown_difference, "plain", align="right")
        page.height([(label, 40), (finding.explanation, 64)])
        page.row += 1
