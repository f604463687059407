"""The register of a portfolio: every series, position and figure that does not tie, and what was left out.

It is written with :meth:`~xl_conversion.books.streaming.Plan.write`: the rows are made while they are written, so
that a million positions need no more memory than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import fsum

from openpyxl.utils import get_column_letter

from xl_conversion.books.page import DAY, Look, Page
from xl_conversion.books.statements.holder import BY_CERTIFICATE, HELD, SAME_NAME, SMALLER, TOLERANCE
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.sheets import (
    AGREE,
    COUNT,
    EXACT_COUNT,
    FRACTION,
    LEAST,
    NO_DAY,
    OK,
    PRICE,
    STATUS,
    Design,
    Draft,
    Values,
    day_words,
    heights_of,
    high,
    link_text,
    print_area,
    rounding_of,
    whole_shares,
)
from xl_conversion.books.streaming import Plan, Row, Value, make_plan
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.portfolio import problem_rows
from xl_conversion.inputs.problems import Problem

SUMMARY, SERIES, POSITIONS, EXCEPTIONS = "Summary", "Series", "Positions", "Exceptions"
LEFT_OUT, PROBLEMS = "Left out", "Problems"
SUMMARY_WIDTHS = [12, 20, 20, 22, 20, 20, 14, 14, 12]
SERIES_WIDTHS = [28, 15, 11, 10, 10, 10, 13, 11, 13, 8, 12, 11, 15, 15, 10, 44, 15]
POSITIONS_WIDTHS = [26, 28, 13, 13, 10, 13, 13, 18, 13, 13, 10, 13, 8, 10, 44]
EXCEPTIONS_WIDTHS = [25, 14, 20, 36, 14, 14, 14, 58]
LEFT_OUT_WIDTHS = [60, 40]
PROBLEMS_WIDTHS = [30, 14, 22, 24, 50, 46]
TOTAL, FIRST = 7, 8
"""On the sheets with tables, the row of the totals and the first one of the table."""
GIVEN = 21
"""On the first sheet, the row of the figure that is given."""
RELATIVE, DECIMALS = f"{SUMMARY}!$E${GIVEN}", "$D$4"
"""The latter on the sheet of the positions: formulas of one sheet are stored once for many rows."""
SURELY_ONE_LINE = 16
"""Characters of a holder's name."""
NAMELESS = "(no name)"
Rows = Iterable["tuple[Value, ...] | Row"]


@cache
def register_plan() -> Plan:
    """The plan of a register, made once a process."""
    return make_plan(*register_design())


def register_tables(
    results: Sequence[SeriesResult],
    workbooks: Mapping[tuple[str, str], str],
    problems: Sequence[Problem] = (),
    left_out: Sequence[tuple[str, str]] = (),
) -> tuple[Values, dict[str, Rows]]:
    """What the plan of a register is written with. The tables are made row by row while they are read, once.

    `workbooks` has the path of each series' workbook from the folder of the register, by company and series;
    `problems` is what is wrong with the input, and `left_out` the company and series of what it kept out.
    """
    paths = {key: link_text(path) for key, path in workbooks.items()}
    return _totals(results, problems, left_out), {
        "series": _series_rows(results, paths),
        "positions": _position_rows(results, paths),
        "exceptions": _exception_rows(results),
        # A cell that is blank would not be counted.
        "left_out": (
            high(row, tuple(zip(row, LEFT_OUT_WIDTHS, strict=True)))
            for row in ((company, series or NAMELESS) for company, series in left_out)
        ),
        "problems": problem_table(problems),
    }


def problem_table(problems: Iterable[Problem] | Iterable[Sequence[str]]) -> Iterator[Row]:
    """The rows of the table of problems, given as such or as their rows."""
    for one in problems:
        texts = problem_rows([one])[0] if isinstance(one, Problem) else tuple(one)
        yield high(texts, tuple(zip(texts, PROBLEMS_WIDTHS, strict=True)))


def _totals(
    results: Sequence[SeriesResult], problems: Sequence[Problem], left_out: Sequence[tuple[str, str]]
) -> Values:
    held = [one for result in results for one in result.holders]
    preferred = _sum(one.preferred for one in held)
    whole = sum(one.common for one in held)
    # Not as fractions: thousands of denominators would be multiplied with one another.
    unrounded = fsum(one.unrounded.numerator / one.unrounded.denominator for one in held)
    fraction = fsum(
        (one.unrounded.numerator - one.common * one.unrounded.denominator) / one.unrounded.denominator
        for one in held
    )
    exceptions = sum(result.exceptions for result in results)
    prices = fsum(float(one.price) for one in results)
    ratios = fsum(float(one.ratio) for one in results)
    return {
        "as_of_words": day_words(max((one.as_of for one in results if one.as_of), default=None)),
        "companies": len({one.series.company for one in results}),
        "all_series": len(results),
        "holders": len({one.holder.strip() for one in held}),
        "all_positions": len(held),
        "preferred": preferred,
        "unrounded": unrounded,
        "whole": whole,
        "fraction": fraction,
        "events": sum(one.events for one in results),
        "comparisons": sum(len(one.findings) for one in results),
        "all_exceptions": exceptions,
        "all_left_out": len(left_out),
        "all_problems": len(problems),
        "relative": TOLERANCE,
        "tolerance_preferred": preferred * TOLERANCE,
        "tolerance_unrounded": unrounded * float(TOLERANCE),
        "prices": prices,
        "ratios": ratios,
        "tolerance_prices": prices * float(TOLERANCE),
        "tolerance_ratios": ratios * float(TOLERANCE),
        "zero": 0,
        "ok": OK,
        STATUS: AGREE,
    }


def _sum(values: Iterable[Fraction]) -> Fraction:
    """Most are whole, and whole numbers are added much faster."""
    whole, rest = 0, Fraction(0)
    for value in values:
        if value.denominator == 1:
            whole += value.numerator
        else:
            rest += value
    return rest + whole


def _series_rows(results: Iterable[SeriesResult], paths: Mapping[tuple[str, str], str]) -> Iterator[Row]:
    for one in results:
        series = one.series
        path = paths.get((series.company, series.name), "")
        row: tuple[Value, ...] = (
            series.company,
            series.name,
            one.as_of or NO_DAY,
            series.original_issue_price,
            series.conversion_price,
            one.price,
            one.price_unrounded,
            one.ratio,
            one.ratio_unrounded,
            one.events,
            len(one.findings),
            one.exceptions,
            _sum(held.preferred for held in one.holders),
            sum(held.common for held in one.holders),
            "open" if path else "",
            path,
            one.digest[:12],
        )
        yield high(row, ((series.company, 28), (series.name, 15), (path, 44 * SMALLER)))


def _position_rows(results: Iterable[SeriesResult], paths: Mapping[tuple[str, str], str]) -> Rows:
    """One row a position. There may be a million: what is the same for all of a series is made once, and a height
    is given only where a name needs more than a line."""
    of_holder = heights_of(POSITIONS_WIDTHS[0])
    for one in results:
        series = one.series
        company, name = series.company, series.name
        path = paths.get((company, name), "")
        link = "open" if path else ""
        issued, price = float(series.original_issue_price), float(one.ratio_price)
        per_preferred = float(series.original_issue_price / one.ratio_price)
        rounding = rounding_of(series)
        texts = (company, 28), (name, 13), (rounding, 13), (path, 44 * SMALLER)
        height = high((), texts).height or LEAST
        for held in one.holders:
            holder, preferred, exact, whole = held.holder.strip(), held.preferred, held.unrounded, held.common
            count, part = exact.numerator, exact.denominator
            row = (
                holder,
                company,
                name,
                preferred.numerator / preferred.denominator,
                issued,
                price,
                per_preferred,
                count / part,
                rounding,
                whole,
                (count - whole * part) / part,
                whole,
                0,
                link,
                path,
            )
            needed = height if len(holder) <= SURELY_ONE_LINE else max(height, of_holder(holder))
            yield row if needed == LEAST else Row(row, needed)


def _exception_rows(results: Iterable[SeriesResult]) -> Iterator[Row]:
    for one in results:
        company, series = one.series.company, one.series.name
        for finding in one.findings:
            if finding.is_exception:
                figure = _figure(finding)
                row = (
                    company,
                    series,
                    finding.event,
                    figure,
                    finding.stated,
                    finding.at_precision,
                    finding.shown_difference,
                    finding.explanation,
                )
                yield high(row, tuple(zip(row, EXCEPTIONS_WIDTHS, strict=True)))


def _figure(finding: Finding) -> str:
    name = f"{finding.item.value.replace('_', ' ')} {finding.subject}".strip()
    return f"{name}\n{finding.check.meaning}"


def register_design() -> Design:
    """The design of a register, and the placeholders that give the values of its formulas."""
    draft = Draft("Portfolio", "Register of a portfolio", short="Register of a portfolio")
    summary = draft.page(SUMMARY, "What there is in all, and whether it foots", SUMMARY_WIDTHS)
    series = draft.page(SERIES, "The outcome for each series", SERIES_WIDTHS)
    positions = draft.page(POSITIONS, "What each holder has of each series", POSITIONS_WIDTHS)
    exceptions = draft.page(EXCEPTIONS, "Stated figures that do not tie", EXCEPTIONS_WIDTHS)
    left_out = draft.page(LEFT_OUT, "Series that could not be exported; Problems says why", LEFT_OUT_WIDTHS)
    problems = draft.page(PROBLEMS, "What is wrong with the input", PROBLEMS_WIDTHS)
    _series(draft, series)
    _positions(draft, positions)
    _exceptions(draft, exceptions)
    _left_out(draft, left_out)
    problems_page(draft, problems)
    return draft.finish(_summary(draft, summary))


def _summary(draft: Draft, page: Page) -> str:
    """The totals and checks; the address of the master check is returned."""
    page.section("Totals")
    page.header(["Figure", "", "", "", "Total", "Unit", "How", "", ""], numeric="E")
    for label, name, formula, number_format, unit, how in (
        ("Companies", "companies", "", COUNT, "companies", "exact computation"),
        ("Series", "all_series", f"=COUNTA({SERIES}!B{FIRST}:B{FIRST})", COUNT, "series", "rows of Series"),
        ("Holders", "holders", "", COUNT, "holders", "exact computation: different names"),
        (
            "Positions",
            "all_positions",
            f"=COUNT({POSITIONS}!D{FIRST}:D{FIRST})",
            COUNT,
            "positions",
            "rows of Positions",
        ),
        ("Preferred held", "preferred", f"={POSITIONS}!D{TOTAL}", COUNT, "preferred", "sum of Positions"),
        ("Common, unrounded", "unrounded", f"={POSITIONS}!H{TOTAL}", EXACT_COUNT, "common", "sum of Positions"),
        ("Common, whole", "whole", f"={POSITIONS}!J{TOTAL}", COUNT, "common", "sum of Positions"),
        ("Fractions left", "fraction", f"={POSITIONS}!K{TOTAL}", EXACT_COUNT, "common", "sum of Positions"),
        ("Events", "events", f"={SERIES}!J{TOTAL}", COUNT, "events", "sum of Series"),
        ("Stated figures compared", "comparisons", f"={SERIES}!K{TOTAL}", COUNT, "figures", "sum of Series"),
        (
            "Stated figures that do not tie",
            "all_exceptions",
            f"={SERIES}!L{TOTAL}",
            COUNT,
            "figures",
            "sum of Series",
        ),
        (
            "Series left out",
            "all_left_out",
            f"=COUNTA('{LEFT_OUT}'!B{FIRST}:B{FIRST})",
            COUNT,
            "series",
            "rows of Left out",
        ),
        (
            "Problems of the input",
            "all_problems",
            f"=COUNTA({PROBLEMS}!A{FIRST}:A{FIRST})",
            COUNT,
            "problems",
            "rows of Problems",
        ),
    ):
        row = page.row
        page.text(f"A{row}", label, "label")
        page.sheet.merge_cells(f"A{row}:D{row}")
        if formula:
            draft.formula(page, f"E{row}", formula, name, number_format, "result")
        else:
            draft.value(page, f"E{row}", name, number_format, "result")
        draft.book.name(f"out_{name}", page.address(f"E{row}"))
        page.text(f"F{row}", unit, "muted")
        page.text(f"G{row}", how, "muted")
        page.sheet.merge_cells(f"G{row}:I{row}")
        page.row += 1
    page.section("Given")
    if page.row != GIVEN:
        raise AssertionError(f"what is given begins in row {page.row}")
    text = "Tolerance of an unrounded figure, as a part of it; a whole one must be equal"
    draft.labelled(page, text, "relative", "0E+00", "input", "relative")
    page.section("Checks")
    draft.check_header(page)
    first = page.row
    positions, series = f"={POSITIONS}!", f"={SERIES}!"
    draft.check(page, "Series", "all_series", f"=COUNTA({SERIES}!B{FIRST}:B{FIRST})", COUNT)
    draft.check(page, "Positions", "all_positions", f"=COUNT({POSITIONS}!D{FIRST}:D{FIRST})", COUNT)
    for label, sheet in (("Positions", f"{positions}D"), ("Series", f"{series}M")):
        text = f"Preferred held, sum of {label}"
        draft.check(page, text, "preferred", f"{sheet}{TOTAL}", COUNT, "tolerance_preferred", RELATIVE)
    draft.check(
        page,
        "Common, unrounded",
        "unrounded",
        f"{positions}H{TOTAL}",
        EXACT_COUNT,
        "tolerance_unrounded",
        RELATIVE,
    )
    draft.check(page, "Common, whole, by formulas", "whole", f"{positions}J{TOTAL}", COUNT)
    draft.check(page, "Common, whole, sum of Series", "whole", f"{series}N{TOTAL}", COUNT)
    draft.check(
        page,
        "Fractions left",
        "fraction",
        f"{positions}K{TOTAL}",
        EXACT_COUNT,
        "tolerance_unrounded",
        RELATIVE,
        scale=f"{POSITIONS}!H{TOTAL}",
    )
    draft.check(
        page, "Whole shares by which positions differ from the exact ones", "zero", f"{positions}M{TOTAL}", "0"
    )
    draft.check(page, "Stated figures that do not tie", "all_exceptions", f"{series}L{TOTAL}", COUNT)
    text = "Rows of Exceptions"
    draft.check(page, text, "all_exceptions", f"=COUNTA({EXCEPTIONS}!D{FIRST}:D{FIRST})", COUNT)
    for label, at, name in (("Prices in force", "F", "prices"), ("Common per preferred", "H", "ratios")):
        text, formula = f"{label}, added up: none is overwritten", f"=SUM({SERIES}!{at}{FIRST}:{at}{FIRST})"
        draft.check(page, text, name, formula, PRICE, f"tolerance_{name}", RELATIVE)
    for text, name, place in (
        ("Rows of Left out", "all_left_out", f"'{LEFT_OUT}'!B{FIRST}:B{FIRST}"),
        ("Rows of Problems", "all_problems", f"{PROBLEMS}!A{FIRST}:A{FIRST}"),
    ):
        draft.check(page, text, name, f"=COUNTA({place})", COUNT)
    last = page.row - 1
    master = draft.master(page, f'=IF(COUNTIF(I{first}:I{last},"OK")=ROWS(I{first}:I{last}),"OK","CHECK")', first)
    page.section("Remarks")
    for text in (
        HELD,
        SAME_NAME,
        "Unrounded figures are exact fractions; a cell holds 15 digits of them. The workbook of a series or of a"
        " holder states them in full, unless they have hundreds of digits. Whole shares are exact, and "
        "compared with those that the formulas give.",
        BY_CERTIFICATE,
    ):
        draft.paragraph(page, page.row, text)
        page.row += 1
    page.sheet.page_setup.fitToHeight = 1
    print_area(page, page.row - 1)
    return master


def _series(draft: Draft, page: Page) -> None:
    numeric = "CDEFGHIJKLMN"
    names = ["Company", "Series", "As of", "Original issue price", "Price at the beginning", "Price in force"]
    names += ["Price, unrounded", "Common per preferred", "The same, unrounded", "Events", "Figures compared"]
    names += ["Stated, not tied", "Preferred held", "Common, whole", "Workbook", "File", "SHA-256 of the input"]
    units = ["", "", "last event", "per share", "per share", "per share", "per share", "rounded", "unrounded"]
    units += ["events", "figures", "figures", "preferred", "common", "", "from this folder", "first digits"]
    columns: tuple[tuple[str, str, str, Look], ...] = (
        ("A", "company", "", "plain"),
        ("B", "series", "", "plain"),
        ("C", "as_of", DAY, "plain"),
        ("D", "original_issue_price", PRICE, "plain"),
        ("E", "conversion_price", PRICE, "plain"),
        ("F", "price", PRICE, "result"),
        ("G", "price_unrounded", PRICE, "plain"),
        ("H", "ratio", PRICE, "result"),
        ("I", "ratio_unrounded", PRICE, "plain"),
        ("J", "events", "0", "plain"),
        ("K", "comparisons", "0", "plain"),
        ("L", "exceptions", "0", "plain"),
        ("M", "preferred", COUNT, "plain"),
        ("N", "whole", COUNT, "plain"),
        ("P", "file", "", "muted"),
        ("Q", "digest", "", "muted"),
    )
    _head(draft, page, names, units, numeric, "O")
    for column, name in (
        ("J", "events"),
        ("K", "comparisons"),
        ("L", "all_exceptions"),
        ("M", "preferred"),
        ("N", "whole"),
    ):
        formula = f"=SUM({column}{FIRST}:{column}{FIRST})"
        draft.formula(page, f"{column}{TOTAL}", formula, name, COUNT, "result")
    for column, name, number_format, look in columns:
        draft.value(page, f"{column}{FIRST}", f"series.{name}", number_format, look)
    draft.link(page, f"O{FIRST}", f"P{FIRST}", "series.link")
    page.sheet.page_setup.paperSize = page.sheet.PAPERSIZE_A3
    _finish(page, "C")


def _positions(draft: Draft, page: Page) -> None:
    numeric = "DEFGHJKLM"
    names = ["Holder", "Company", "Series", "Preferred held", "Original issue price", "Price converted at"]
    names += ["Common per preferred", "Common, unrounded", "Made whole", "Common, whole", "Fraction left"]
    names += ["Common, whole: exact", "Differ", "Workbook", "File"]
    units = ["", "", "", "preferred", "per share", "per share", "unrounded", "common", "", "common", "common"]
    units += ["common", "shares", "", "from this folder"]
    columns: tuple[tuple[str, str, str, Look], ...] = (
        ("A", "holder", "", "plain"),
        ("B", "company", "", "plain"),
        ("C", "series", "", "plain"),
        ("D", "preferred", COUNT, "input"),
        ("E", "original_issue_price", PRICE, "input"),
        ("F", "ratio_price", PRICE, "input"),
        ("I", "rounding", "", "input"),
        ("L", "exact", COUNT, "plain"),
        ("O", "file", "", "muted"),
    )
    _head(draft, page, names, units, numeric, "N")
    for column, name, number_format in (
        ("D", "preferred", COUNT),
        ("H", "unrounded", EXACT_COUNT),
        ("J", "whole", COUNT),
        ("K", "fraction", FRACTION),
        ("L", "whole", COUNT),
        ("M", "zero", "0"),
    ):
        formula = f"=SUM({column}{FIRST}:{column}{FIRST})"
        draft.formula(page, f"{column}{TOTAL}", formula, name, number_format, "result")
    for column, name, number_format, look in columns:
        draft.value(page, f"{column}{FIRST}", f"positions.{name}", number_format, look)
    page.text("A4", "Decimals of a share of common that is made whole", "label")
    page.sheet.merge_cells("A4:C4")
    draft.value(page, "D4", "zero", "0", "input")
    draft.book.name("in_decimals", page.address("D4"))
    row = FIRST
    draft.formula(page, f"G{row}", f"=E{row}/F{row}", "positions.ratio", PRICE)
    draft.formula(page, f"H{row}", f"=D{row}*E{row}/F{row}", "positions.unrounded", EXACT_COUNT)
    formula = whole_shares(f"H{row}", f"I{row}", DECIMALS, f"L{row}")
    draft.formula(page, f"J{row}", formula, "positions.whole", COUNT, "result")
    draft.formula(page, f"K{row}", f"=H{row}-J{row}", "positions.fraction", FRACTION)
    draft.formula(page, f"M{row}", f"=ABS(J{row}-L{row})", "positions.difference", "0")
    draft.link(page, f"N{row}", f"O{row}", "positions.link")
    page.sheet.page_setup.paperSize = page.sheet.PAPERSIZE_A3
    _finish(page, "D")


def _exceptions(draft: Draft, page: Page) -> None:
    names = [
        "Company",
        "Series",
        "Event",
        "Figure",
        "Stated",
        "Recomputed",
        "Stated less recomputed",
        "Explanation",
    ]
    units = ["", "", "", "and how it was compared", "as written", "at those digits", "", ""]
    _head(draft, page, names, units, "EFG", "", total="All exceptions")
    draft.formula(page, f"D{TOTAL}", f"=COUNTA(D{FIRST}:D{FIRST})", "all_exceptions", COUNT, "result", align="")
    for column, name in zip(
        "ABCDEFGH",
        ("company", "series", "event", "figure", "stated", "recomputed", "difference", "explanation"),
        strict=True,
    ):
        draft.value(page, f"{column}{FIRST}", f"exceptions.{name}", align="right" if column in "EFG" else "left")
    _finish(page, "C")


def _left_out(draft: Draft, page: Page) -> None:
    _head(draft, page, ["Company", "Series"], (), "", "", total="All series left out")
    draft.formula(page, f"B{TOTAL}", f"=COUNTA(B{FIRST}:B{FIRST})", "all_left_out", COUNT, "result")
    draft.value(page, f"A{FIRST}", "left_out.company")
    draft.value(page, f"B{FIRST}", "left_out.series")
    _finish(page, "A", header=1)


def problems_page(draft: Draft, page: Page, first: int = FIRST) -> None:
    """The table of problems, whose first one stands in the row `first`."""
    names = ["File", "Place", "Column", "Value", "Rule that is broken", "What to do"]
    _head(draft, page, names, (), "", "", total="All problems", first=first)
    draft.formula(page, f"B{first - 1}", f"=COUNTA(A{first}:A{first})", "all_problems", COUNT, "result")
    for column, name in zip("ABCDEF", ("file", "place", "column", "value", "rule", "suggestion"), strict=True):
        draft.value(page, f"{column}{first}", f"problems.{name}")
    _finish(page, "A", first, header=1)


def _head(
    draft: Draft,
    page: Page,
    names: Sequence[str],
    units: Sequence[str],
    numeric: str,
    centred: str,
    total: str = "In all",
    first: int = FIRST,
) -> None:
    """The rows of the header, of units and of totals, above the first of the table."""
    page.row = first - 2 - bool(units)
    page.header(names, numeric=numeric, centred=centred)
    if units:
        draft.units(page, units, numeric, centred)
    for place in range(len(names)):
        page.text(f"{get_column_letter(place + 1)}{first - 1}", "" if place else total, "result")


def _finish(page: Page, frozen: str, first: int = FIRST, header: int = 2) -> None:
    """Fixes the header of so many rows on the screen and on paper, and lets the rows be filtered."""
    page.sheet.freeze_panes = f"{frozen}{first}"
    page.sheet.print_title_rows = f"{first - 1 - header}:{first - 2}"
    print_area(page, first)
    # The arrows stand in the row of totals, which a filter or an order never moves.
    page.sheet.auto_filter.ref = f"A{first - 1}:{page.last_column}{first}"
