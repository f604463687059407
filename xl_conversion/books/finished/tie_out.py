"""The tie-out sheet: stated against recomputed figures, and every explanation that was tried."""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.books.finished.draft import Draft, number_format
from xl_conversion.books.native import rounded
from xl_conversion.books.page import Page, places
from xl_conversion.core.rounding import RoundingType, exact
from xl_conversion.core.stated import Item, read_written
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import Check, Finding, Result

WIDTHS = [6, 34, 15, 15, 8, 18, 15, 14, 11, 12, 48, 20]
HEADER = [
    "Tick",
    "Figure, and how it was recomputed",
    "Stated, as written",
    "Stated",
    "Digits",
    "Recomputed",
    "At the digits written",
    "Stated less recomputed",
    "Half of the last digit",
    "Result",
    "Explanation",
    "Source",
]


def tie_out_page(draft: Draft) -> None:
    """Every finding, computed again by native formulas."""
    page = draft.book.page("Tie-out", "Stated figures against recomputed ones; nothing is corrected", WIDTHS)
    page.section("Findings")
    page.header(HEADER, numeric="CDEFGHI", freeze=True)
    first = page.row
    for finding in draft.findings:
        _finding(draft, page, finding, first)
    draft.results = page.address(f"J{first}") + ":" + page.address(f"J{page.row - 1}").partition("!")[2]
    page.mark(f"J{first}:J{page.row - 1}", Result.TIES.value, Result.EXCEPTION.value)
    page.section("Explanations that were tried")
    for finding in draft.findings:
        if finding.tried:
            page.text(f"B{page.row}", f"{_figure(finding)}, stated {finding.stated}", "label")
            page.row += 1
            for tried in finding.tried:
                row = page.row
                page.text(f"B{row}", tried.text, "muted")
                page.sheet.merge_cells(f"C{row}:F{row}")
                page.text(f"C{row}", tried.figure, "muted")
                page.text(f"G{row}", tried.outcome.value, "plain")
                page.height([(tried.text, 38), (tried.figure, 52)])
                page.row += 1
    page.section("Tick marks")
    for check in Check:
        page.text(f"A{page.row}", check.value, "symbol", align="center")
        page.sheet.merge_cells(f"B{page.row}:F{page.row}")
        page.text(f"B{page.row}", check.meaning, "muted")
        page.row += 1


def _finding(draft: Draft, page: Page, finding: Finding, first: int) -> None:
    row = page.row
    figure = f"{_figure(finding)}\n{finding.basis}"
    page.text(f"A{row}", finding.check.value, "symbol", align="center")
    page.text(f"B{row}", figure.replace("*", "×"), "plain")
    page.text(f"C{row}", finding.stated, "input", align="right")
    page.text(f"K{row}", finding.explanation, "plain")
    page.text(f"L{row}", finding.source, "muted")
    if finding.recomputed is None:
        _text_finding(page, finding)
    else:
        _number_finding(draft, page, finding, finding.recomputed, first)
    page.height([(figure, 34), (finding.explanation, 48), (finding.source, 20), (finding.stated, 15)])
    page.row += 1


def _text_finding(page: Page, finding: Finding) -> None:
    row = page.row
    for column in "DEHI":
        page.text(f"{column}{row}", "")
    page.text(f"F{row}", "see the source", "muted", align="right")
    page.text(f"G{row}", finding.at_precision, "input", align="right")
    page.formula(f"J{row}", f'=IF(C{row}=G{row},"ties","exception")', finding.result.value, align="center")


def _number_finding(draft: Draft, page: Page, finding: Finding, recomputed: Fraction, first: int) -> None:
    row = page.row
    written = read_written(finding.stated)
    if written is None:
        raise ValueError(f"{finding.stated!r} is not a number as written")
    shares = "#,##0" if finding.item not in (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO) else ""
    as_written = shares if shares and not written.decimals else places(written.decimals)
    page.number(f"D{row}", written.value, as_written)
    page.number(f"E{row}", Fraction(written.decimals), "0")
    unit = "shares" if shares else "money per share"
    page.formula(f"F{row}", f"={_formula(draft, finding, first)}", recomputed, _at_most(recomputed, unit))
    at_precision = exact(finding.at_precision.replace(",", ""))
    round_type = _rounding_type(draft, finding)
    page.formula(f"G{row}", f"={rounded(round_type, f'F{row}', f'E{row}')}", at_precision, as_written)
    difference = written.value - recomputed
    page.formula(f"H{row}", f"=D{row}-F{row}", difference, _at_most(difference, unit))
    half = written.half_unit
    page.formula(f"I{row}", f"=10^-E{row}/2", half, places(written.decimals + 1))
    page.formula(f"J{row}", f'=IF(G{row}=D{row},"ties","exception")', finding.result.value, align="center")


def _at_most(value: Fraction, unit: str) -> str:
    """Four decimals of a count and eight of a price are enough to see a difference."""
    if value.denominator == 1:
        return "#,##0" if unit == "shares" else number_format(value, unit)
    return "#,##0.0000" if unit == "shares" else "0.00000000"


def _rounding_type(draft: Draft, finding: Finding) -> RoundingType:
    series = draft.case.series
    if finding.item is Item.CONVERSION_PRICE:
        return series.price.rounding_type
    return series.ratio.rounding_type if finding.item is Item.CONVERSION_RATIO else RoundingType.HALF_UP


def _formula(draft: Draft, finding: Finding, first: int) -> str:
    """How Excel recomputes a finding's figure, from the other sheets."""
    event = finding.event

    def at(symbol: str) -> str:
        return draft.find(event, symbol)

    match finding.check:
        case Check.ROLLED_FORWARD:
            return at("listed")
        case Check.STATED_PRICE:
            stated = next(f for f in draft.findings if f.event == event and f.item is Item.CONVERSION_PRICE)
            return f"{draft.terms['original_issue_price']}/D{first + draft.findings.index(stated)}"
        case Check.CHAIN:
            column = "preferred" if finding.item is Item.PREFERRED_SHARES else "common"
            return draft.conversions[event, finding.subject, column]
        case Check.OTHER_COUNT:
            price = f"MIN({at('CP1')},{at('CP1')}*{at('N')}/({at('A')}+{at('listed')}+{at('Y')}))"
            if finding.item is Item.CONVERSION_PRICE:
                return price
            if draft.case.series.ratio_basis is Basis.ROUNDED and "price_decimals" in draft.terms:
                price = rounded(draft.case.series.price.rounding_type, price, draft.terms["price_decimals"])
            return f"{draft.terms['original_issue_price']}/{price}"
    if finding.item is Item.COMMON_SHARES:
        return at(finding.subject)
    symbols = {
        Item.NUMERATOR: "N",
        Item.DENOMINATOR: "D",
        Item.CONVERSION_PRICE: "CP2",
        Item.CONVERSION_RATIO: "CR",
    }
    return at(symbols.get(finding.item, finding.item.value))


def _figure(finding: Finding) -> str:
    return f"{finding.item.value.replace('_', ' ')} {finding.subject}".strip()
