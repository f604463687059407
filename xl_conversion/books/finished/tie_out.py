"""The tie-out sheet: stated against recomputed figures, and every explanation that was tried."""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.books.finished.draft import Draft, finding_name
from xl_conversion.books.native import rounded
from xl_conversion.books.page import Look, Page, places
from xl_conversion.core.rounding import RoundingType, exact
from xl_conversion.core.stated import Item, Written, read_written
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import Check, Finding, Result

_PRICES = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO)
_OF_OTHER_ROWS = (Check.ROLLED_FORWARD, Check.OTHER_COUNT, Check.STATED_PRICE)
"""Checks of what is stated in other rows already."""
WIDTHS = [5, 40, 14, 14, 8, 18, 16, 18, 12, 11, 50, 20]
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
    page.header(HEADER, numeric="CDEFGHI", centred="AJ", freeze=True)
    first = page.row
    for finding in draft.findings:
        _finding(draft, page, finding, first)
    draft.results = page.address(f"J{first}") + ":" + page.address(f"J{page.row - 1}").partition("!")[2]
    page.mark(f"J{first}:J{page.row - 1}", Result.TIES.value, Result.EXCEPTION.value)
    page.section("Tick marks")
    for check in Check:
        page.text(f"A{page.row}", check.value, "symbol", align="center")
        page.sheet.merge_cells(f"B{page.row}:F{page.row}")
        page.text(f"B{page.row}", check.meaning, "muted")
        page.row += 1


def explanations_page(draft: Draft) -> None:
    """Every explanation that was tried of every exception, if any was."""
    explained = [finding for finding in draft.findings if finding.tried]
    if not explained:
        return
    widths = [60, 18, 52, 42, 16]
    page = draft.book.page("Explanations", "What was tried to explain each exception", widths)
    page.header(["Figure", "Stated", "Explanation tried", "It would be", "Outcome"], numeric="B", freeze=True)
    for finding in explained:
        for tried in finding.tried:
            row = page.row
            figure = f"{finding_name(draft, finding)}, {finding.check.meaning}"
            page.text(f"A{row}", figure, "plain")
            page.text(f"B{row}", finding.stated, "plain", align="right")
            page.text(f"C{row}", tried.text, "plain")
            page.text(f"D{row}", tried.figure, "plain")
            page.text(f"E{row}", tried.outcome.value, "plain")
            page.height([(figure, widths[0]), (tried.text, widths[2]), (tried.figure, widths[3])])
            page.row += 1


def _finding(draft: Draft, page: Page, finding: Finding, first: int) -> None:
    row = page.row
    against = "against " if finding.check is Check.REFERENCE else ""
    figure = f"{finding_name(draft, finding)}\n{against}{finding.basis.replace('*', '×')}"
    page.text(f"A{row}", finding.check.value, "symbol", align="center")
    page.text(f"B{row}", figure, "plain")
    look: Look = "plain" if finding.check in _OF_OTHER_ROWS else "input"
    page.text(f"C{row}", finding.stated, look, align="right")
    page.text(f"K{row}", finding.explanation, "plain")
    page.text(f"L{row}", finding.source, "muted")
    if finding.recomputed is None:
        _reference_finding(draft, page, finding)
    else:
        _number_finding(draft, page, finding, finding.recomputed, first)
    texts = (figure, finding.explanation, finding.source, finding.stated)
    page.height([(text, WIDTHS[column]) for text, column in zip(texts, (1, 10, 11, 2), strict=True)])
    page.row += 1


def _reference_finding(draft: Draft, page: Page, finding: Finding) -> None:
    """Two documents: their numbers are compared where both state one, else their texts."""
    row = page.row
    page.text(f"G{row}", finding.at_precision, "input", align="right")
    for column in "EI":
        page.text(f"{column}{row}", "")
    stated, reference = read_written(finding.stated), read_written(finding.at_precision)
    compared = f"C{row}=G{row}"
    if stated is None or reference is None:
        for column in "DH":
            page.text(f"{column}{row}", "")
        page.text(f"F{row}", "other document", "muted", align="right")
    else:
        compared = f"D{row}=F{row}"
        for column, number in (("D", stated), ("F", reference)):
            page.number(f"{column}{row}", number.value, _as_written(finding, number))
        difference = stated.value - reference.value
        page.formula(f"H{row}", f"=D{row}-F{row}", difference, _unrounded(draft, finding))
    page.formula(f"J{row}", f'=IF({compared},"ties","exception")', finding.result.value, align="center")


def _number_finding(draft: Draft, page: Page, finding: Finding, recomputed: Fraction, first: int) -> None:
    row = page.row
    written = read_written(finding.stated)
    if written is None:
        raise ValueError(f"{finding.stated!r} is not a number as written")
    as_written = _as_written(finding, written)
    _stated(draft, page, finding, written, first)
    page.formula(f"F{row}", f"={_formula(draft, finding, first)}", recomputed, _unrounded(draft, finding))
    at_precision = exact(finding.at_precision.replace(",", ""))
    round_type = _rounding_type(draft, finding)
    page.formula(f"G{row}", f"={rounded(round_type, f'F{row}', f'E{row}')}", at_precision, as_written)
    difference = written.value - recomputed
    page.formula(f"H{row}", f"=D{row}-F{row}", difference, _unrounded(draft, finding))
    half = written.half_unit
    page.formula(f"I{row}", f"=10^-E{row}/2", half, places(written.decimals + 1))
    page.formula(f"J{row}", f'=IF(G{row}=D{row},"ties","exception")', finding.result.value, align="center")


def _stated(draft: Draft, page: Page, finding: Finding, written: Written, first: int) -> None:
    """The stated number and its digits: given, or taken from the rows where they are."""
    row, as_written, digits = page.row, _as_written(finding, written), Fraction(written.decimals)
    if finding.check is Check.ROLLED_FORWARD:
        x, a = (_row_of(draft, finding.event, item, first) for item in (Item.X, Item.A))
        page.formula(f"D{row}", f"=D{x}-D{a}", written.value, as_written)
        page.formula(f"E{row}", f"=MAX(E{x},E{a})", digits, "0")
    elif finding.check in _OF_OTHER_ROWS:
        given = _row_of(draft, finding.event, finding.item, first)
        page.formula(f"D{row}", f"=D{given}", written.value, as_written)
        page.formula(f"E{row}", f"=E{given}", digits, "0")
    else:
        page.number(f"D{row}", written.value, as_written)
        page.number(f"E{row}", digits, "0")


def _row_of(draft: Draft, event: str, item: Item, first: int) -> int:
    """Where an event's stated figure was entered."""
    given = (event, item, Check.RECOMPUTED)
    return next(r for r, f in enumerate(draft.findings, start=first) if (f.event, f.item, f.check) == given)


def _as_written(finding: Finding, written: Written) -> str:
    return "#,##0" if finding.item not in _PRICES and not written.decimals else places(written.decimals)


def _unrounded(draft: Draft, finding: Finding) -> str:
    """One format for all counts and one for all prices: four and eight decimals are enough to see a difference;
    none of counts too wide for the column."""
    if finding.item in _PRICES:
        return "0.00000000"
    counts = [f.recomputed for f in draft.findings if f.recomputed is not None and f.item not in _PRICES]
    whole = all(count.denominator == 1 for count in counts) or any(abs(count) >= 10**9 for count in counts)
    return "#,##0" if whole else "#,##0.0000"


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
            return f"{draft.terms['original_issue_price']}/D{_row_of(draft, event, Item.CONVERSION_PRICE, first)}"
        case Check.CHAIN:
            column = "preferred" if finding.item is Item.PREFERRED_SHARES else "common"
            return draft.conversions[event, finding.subject, column]
        case Check.OTHER_COUNT:
            cp1 = at("CP1")
            price = f"MIN({cp1},{cp1}*{at('N')}/({at('A')}+{at('listed')}+{at('Y')}))"
            if finding.item is Item.CONVERSION_PRICE:
                return price
            if draft.case.series.ratio_basis is Basis.ROUNDED and "price_decimals" in draft.terms:
                taken = rounded(draft.case.series.price.rounding_type, price, draft.terms["price_decimals"])
                price = f"IF({price}<{cp1},MIN({cp1},{taken}),{cp1})"
            return f"{draft.terms['original_issue_price']}/{price}"
    if finding.item is Item.COMMON_SHARES:
        return draft.securities[event, finding.subject]
    symbols = {
        Item.NUMERATOR: "N",
        Item.DENOMINATOR: "D",
        Item.CONVERSION_PRICE: "CP2",
        Item.CONVERSION_RATIO: "CR",
    }
    return at(symbols.get(finding.item, finding.item.value))
