"""The first sheet: the results, the exceptions, and what the other sheets hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from xl_conversion.books.finished.draft import Draft, finding_name, number_format
from xl_conversion.books.native import rounded
from xl_conversion.books.page import UNROUNDED, Page, places
from xl_conversion.books.wording import figure_text
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.rounding import RoundingType, round_to
from xl_conversion.core.tie_out import Check

SHEETS = {
    "Inputs": "Terms of the series and the capitalization around each event; inputs are blue.",
    "Securities": "What was issued, and the consideration.",
    "Conversions": "From principal to preferred to common.",
    "Calculation": "Every step, with its clause, recomputed by native formulas.",
    "Tie-out": "Stated figures against recomputed ones.",
    "Explanations": "What was tried to explain each exception, and whether it reconciles.",
    "Checks": "Whether this workbook's formulas give the exact figures.",
}
ONE_PAGE = 2
ONE_PAGE_OF_EXCEPTIONS = 8
"""So many events and exceptions still fit on one printed page."""
WIDTHS = [50, 20, 20, 80, 22]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure as the charter rounds it and unrounded: its values, and the expressions that give them."""

    label: str
    unit: str
    decimals: int | None
    rounded_at: str
    rounded: Fraction
    unrounded_at: str
    unrounded: Fraction


def summary_page(draft: Draft, page: Page, master: str) -> None:
    """Results first."""
    exceptions = sum(finding.is_exception for finding in draft.findings)
    if len(draft.adjustments) <= ONE_PAGE and exceptions <= ONE_PAGE_OF_EXCEPTIONS:
        page.sheet.page_setup.fitToHeight = 1
    in_force: Fraction | None = None
    for adjustment in draft.adjustments:
        event, issuance = adjustment.issuance.event, adjustment.issuance
        price, ratio = _before(draft, adjustment)
        page.section(f"{issuance.date.isoformat()}: {issuance.description or 'issuance'}")
        page.header(["Result", "As the charter rounds", "Unrounded", "Exact figure", "Unit"], numeric="BC")
        new_price = replace(
            price,
            rounded_at=draft.steps[event, "price"],
            rounded=adjustment.price,
            unrounded_at=draft.steps[event, "CP2"],
            unrounded=adjustment.price_unrounded,
        )
        new_ratio = replace(
            ratio,
            rounded_at=draft.steps[event, "ratio"],
            rounded=adjustment.ratio,
            unrounded_at=draft.steps[event, "CR"],
            unrounded=adjustment.ratio_unrounded,
        )
        # The ratio of the price carried is another one than the ratio in force, if that is of the other price.
        other = in_force is not None and in_force != ratio.rounded
        for figure, when in (
            (price, "before"),
            (new_price, "after"),
            (ratio, "before, at that price" if other else "before"),
            (new_ratio, "after"),
        ):
            _line(page, figure, when)
        in_force = adjustment.ratio
    _exceptions(draft, page)
    page.section("Checks")
    page.text(f"A{page.row}", "Formulas agree: all checks", "label")
    page.formula(f"B{page.row}", f"={master}", "OK", look="result", align="center")
    page.mark(f"B{page.row}", "OK", "CHECK")
    page.sheet.merge_cells(f"C{page.row}:E{page.row}")
    page.text(
        f"C{page.row}",
        "The formulas of this workbook give the exact figures. This says nothing of the stated figures.",
        "muted",
    )
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
        (
            "Input",
            f"SHA-256 of the input: {draft.book.digest}; its first digits are under the title of each sheet",
        ),
    ):
        page.text(f"A{page.row}", label, "label")
        page.sheet.merge_cells(f"B{page.row}:E{page.row}")
        page.text(f"B{page.row}", text, "muted")
        page.height([(text, sum(WIDTHS[1:]) * 10 / 9)])
        page.row += 1


def _before(draft: Draft, adjustment: Adjustment) -> tuple[_Figure, _Figure]:
    """The price that an event starts from, as it was given or carried on, and its ratio."""
    series, given = draft.case.series, adjustment.price_before
    cp1 = draft.steps[adjustment.issuance.event, "CP1"]
    price = _Figure("Conversion price", "money per share", series.price.decimals, cp1, given, cp1, given)
    at, ratio = f"{draft.terms['original_issue_price']}/{cp1}", series.original_issue_price / given
    rounded_at, whole = at, ratio
    decimals, rounding_type = series.ratio.decimals, series.ratio.rounding_type
    if decimals is not None:
        rounded_at = rounded(rounding_type, at, draft.terms["ratio_decimals"])
        whole = round_to(ratio, decimals, rounding_type)
    return price, _Figure("Common per preferred", "common per preferred", decimals, rounded_at, whole, at, ratio)


def _line(page: Page, figure: _Figure, when: str) -> None:
    row, decimals = page.row, figure.decimals
    # What was given, or did not move, is not rounded: all its digits are shown.
    if decimals is not None and round_to(figure.rounded, decimals, RoundingType.FLOOR) == figure.rounded:
        number = places(decimals)
    else:
        number = number_format(figure.rounded, figure.unit)
    page.text(f"A{row}", f"{figure.label} {when}", "label")
    page.formula(f"B{row}", f"={figure.rounded_at}", figure.rounded, number, "result")
    page.formula(f"C{row}", f"={figure.unrounded_at}", figure.unrounded, UNROUNDED)
    page.text(f"D{row}", figure_text(figure.unrounded), "plain")
    page.text(f"E{row}", figure.unit, "muted")
    page.height([(figure_text(figure.unrounded), WIDTHS[3])])
    page.row += 1


def _exceptions(draft: Draft, page: Page) -> None:
    page.section("Tie-out to the stated figures")
    if not draft.findings:
        page.text(f"A{page.row}", "No figure is stated", "muted")
        page.row += 1
        return
    count = Fraction(draft.exceptions)
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
        label = f"{finding_name(draft, finding)}\n{finding.check.meaning}"
        page.text(f"A{row}", label, "plain")
        page.text(f"B{row}", finding.stated, "plain", align="right")
        compared = f"other document:\n{finding.at_precision}" if finding.check is Check.REFERENCE else ""
        page.text(f"C{row}", compared or finding.at_precision, "plain", align="right")
        page.text(f"D{row}", finding.explanation, "plain")
        page.text(f"E{row}", finding.shown_difference, "plain", align="right")
        page.height([(label, WIDTHS[0]), (compared, WIDTHS[2]), (finding.explanation, WIDTHS[3])])
        page.row += 1
