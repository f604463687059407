"""The register of a portfolio: every series, position and figure that does not tie, and what was left out.

It is written with :meth:`~xl_conversion.books.streaming.Plan.write`: the rows are made while they are written, so
that a million positions need no more memory than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import fsum

from openpyxl.styles import Font

from xl_conversion.books.page import BAD_FILL, BAD_INK, DAY, FONT, GOOD_INK, Page
from xl_conversion.books.statements.holder import BY_CERTIFICATE, HELD, SAME_NAME, TOLERANCE
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.sheets import (
    AGREE,
    AS_IT_IS,
    COUNT,
    EXACT_COUNT,
    FRACTION,
    INCOMPLETE,
    LEAST,
    NO_DAY,
    OK,
    PER_SHARE,
    PRICE,
    STATUS,
    Column,
    Design,
    Draft,
    Table,
    Values,
    day_words,
    heights_of,
    high,
    link_text,
    priced,
    print_area,
    rounding_of,
    warn,
    whole_shares,
)
from xl_conversion.books.streaming import Plan, Row, Value, make_plan
from xl_conversion.core.tie_out import Finding
from xl_conversion.inputs.portfolio import problem_rows
from xl_conversion.inputs.problems import Problem

SUMMARY = "Summary"
SUMMARY_WIDTHS = [12, 20, 20, 22, 20, 20, 14, 14, 12]
FIRST = 8
"""The first row of each table; the totals stand above it."""
TOTAL = FIRST - 1
SERIES = Table(
    "Series",
    "series",
    FIRST,
    (
        Column("company", "Company", 28),
        Column("series", "Series", 15),
        Column("as_of", "As of", 11, "last event", DAY),
        Column("original_issue_price", "Original issue price", 13, PER_SHARE, PRICE),
        Column("conversion_price", "Price at the beginning", 13, PER_SHARE, PRICE),
        Column("price", "Price in force", 13, PER_SHARE, PRICE, "result"),
        Column("price_unrounded", "Price, unrounded", 13, PER_SHARE, PRICE),
        Column("ratio", "Common per preferred", 11, "rounded", PRICE, "result"),
        Column("ratio_unrounded", "The same, unrounded", 13, "unrounded", PRICE),
        Column("history", "Events of the series", 10, "events", COUNT, total="history"),
        Column("comparisons", "Figures compared", 10, "figures", COUNT, total="comparisons"),
        Column("exceptions", "Stated, not tied", 9, "figures", COUNT, total="all_exceptions"),
        Column("preferred", "Held by holders", 15, "preferred", COUNT, total="preferred"),
        Column("outstanding", "Outstanding", 15, "after the events", COUNT),
        Column("apart", "Held less outstanding", 14, "preferred", COUNT),
        Column("whole", "Common, whole", 15, "common", COUNT, total="whole"),
        Column("link", "Workbook", 10, align="center"),
        Column("file", "File", 44, "from this folder", look="muted"),
        Column("digest", "SHA-256 of the input", 14, "first digits", look="muted"),
    ),
)
POSITIONS = Table(
    "Positions",
    "positions",
    FIRST,
    (
        Column("holder", "Holder", 26),
        Column("company", "Company", 28),
        Column("series", "Series", 13),
        Column("preferred", "Preferred held", 13, "preferred", COUNT, "input", total="preferred"),
        Column("original_issue_price", "Original issue price", 13, PER_SHARE, PRICE, "input"),
        Column("ratio_price", "Price converted at", 13, PER_SHARE, PRICE, "input"),
        Column("ratio", "Common per preferred", 13, "unrounded", PRICE),
        Column("unrounded", "Common, unrounded", 18, "common", EXACT_COUNT, total="unrounded"),
        Column("rounding", "Made whole", 13, look="input"),
        Column("whole", "Common, whole", 13, "common", COUNT, "result", total="whole"),
        Column("fraction", "Fraction left", 10, "common", FRACTION, total="fraction"),
        Column("exact", "Common, whole: exact", 13, "common", COUNT, total="whole"),
        Column("differ", "Differ", 8, "shares", "0", total="zero"),
        Column("link", "Workbook", 10, align="center"),
        Column("file", "File", 44, "from this folder", look="muted"),
    ),
)
EXCEPTIONS = Table(
    "Exceptions",
    "exceptions",
    FIRST,
    (
        Column("company", "Company", 25),
        Column("series", "Series", 14),
        Column("event", "Event", 20),
        Column("figure", "Figure", 36, "and how it was compared"),
        Column("stated", "Stated", 14, "as written", align="right"),
        Column("recomputed", "Recomputed", 14, "at those digits", align="right"),
        Column("difference", "Stated less recomputed", 14, align="right"),
        Column("explanation", "Explanation", 58),
    ),
)
LEFT_OUT = Table("Left out", "left_out", FIRST, (Column("company", "Company", 60), Column("series", "Series", 40)))
PROBLEMS = "Problems"
PROBLEMS_COLUMNS = (
    Column("file", "File", 30),
    Column("place", "Place", 14),
    Column("column", "Column", 22),
    Column("value", "Value", 24),
    Column("rule", "Rule that is broken", 50),
    Column("suggestion", "What to do", 46),
)
PROBLEMS_WIDTHS = [one.width for one in PROBLEMS_COLUMNS]
GIVEN = 24
"""On the first sheet, the row of the figure that is given."""
RELATIVE, DECIMALS = f"{SUMMARY}!$E${GIVEN}", "$D$4"
"""The latter on the sheet of the positions: formulas of one sheet are stored once for many rows."""
SURELY_ONE_LINE = 16
"""Characters of a holder's name."""
NAMELESS, IN_ALL = "(no name)", "In all"
AGREES, NOT_COMPARED = "agrees", "not compared"
"""What is held with what is outstanding; the latter where one of them is not given."""
NOT_ALL_HERE = f"Incomplete: see {LEFT_OUT.sheet} and {PROBLEMS}"
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
            LEFT_OUT.high((company, series or NAMELESS), company=company, series=series)
            for company, series in left_out
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
        "events": len({(one.series.company, event) for one in results for event in one.history}),
        "history": sum(one.events for one in results),
        "apart": sum(not isinstance(_apart(one), str) for one in results),
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
        "complete": _complete(len(left_out), len(problems)),
        "master": INCOMPLETE if left_out or problems else OK,
        STATUS: NOT_ALL_HERE if left_out or problems else AGREE,
    }


def _complete(left_out: int, problems: int) -> str:
    if not left_out and not problems:
        return _COMPLETE
    return f"{_LEFT_OUT}{left_out}{_PROBLEMS}{problems}{_SEE}"


_COMPLETE = "Complete: nothing is left out."
_LEFT_OUT, _PROBLEMS = "Incomplete. Series left out: ", ". Problems of the input: "
_SEE = f". The sheets {LEFT_OUT.sheet} and {PROBLEMS} name them; no figure here counts what is left out."


def _apart(one: SeriesResult) -> float | str:
    """What holders have more than is outstanding, as the formula gives it."""
    held, outstanding = _sum(held.preferred for held in one.holders), one.outstanding
    if not held or outstanding is None:
        return NOT_COMPARED
    return float(held) - float(outstanding) or AGREES


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
            priced(one.price, series.price, "result"),
            one.price_unrounded,
            priced(one.ratio, series.ratio, "result"),
            one.ratio_unrounded,
            one.events,
            len(one.findings),
            one.exceptions,
            _sum(held.preferred for held in one.holders),
            one.outstanding,
            _apart(one),
            sum(held.common for held in one.holders),
            "open" if path else "",
            path,
            one.digest[:12],
        )
        yield SERIES.high(row, company=series.company, series=series.name, file=path)


def _position_rows(results: Iterable[SeriesResult], paths: Mapping[tuple[str, str], str]) -> Rows:
    """One row a position. There may be a million: what is the same for all of a series is made once, and a height
    is given only where a name needs more than a line."""
    of_holder = heights_of(POSITIONS.room["holder"])
    for one in results:
        series = one.series
        company, name = series.company, series.name
        path = paths.get((company, name), "")
        link = "open" if path else ""
        issued = float(series.original_issue_price)
        price = priced(one.ratio_price, series.price if one.ratio_price == one.price else AS_IT_IS, "input")
        per_preferred = float(series.original_issue_price / one.ratio_price)
        rounding = rounding_of(series)
        lowest = POSITIONS.high((), company=company, series=name, rounding=rounding, file=path)
        height = lowest.height or LEAST
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
            tall = height if len(holder) <= SURELY_ONE_LINE else max(height, of_holder(holder))
            yield row if tall == LEAST else Row(row, tall)


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
                yield high(row, tuple(zip(row, EXCEPTIONS.widths, strict=True)))


def _figure(finding: Finding) -> str:
    name = f"{finding.item.value.replace('_', ' ')} {finding.subject}".strip()
    return f"{name}\n{finding.check.meaning}"


def register_design() -> Design:
    """The design of a register, and the placeholders that give the values of its formulas."""
    draft = Draft("Portfolio", "Register of a portfolio", short="Register of a portfolio")
    summary = draft.page(SUMMARY, "What there is in all, and whether it foots", SUMMARY_WIDTHS)
    series = draft.page(SERIES.sheet, "The outcome for each series", SERIES.widths)
    positions = draft.page(POSITIONS.sheet, "What each holder has of each series", POSITIONS.widths)
    exceptions = draft.page(EXCEPTIONS.sheet, "Stated figures that do not tie", EXCEPTIONS.widths)
    left_out = draft.page(LEFT_OUT.sheet, "Series that could not be exported; Problems says why", LEFT_OUT.widths)
    problems = draft.page(PROBLEMS, "What is wrong with the input", PROBLEMS_WIDTHS)
    _series(draft, series)
    _positions(draft, positions)
    _exceptions(draft, exceptions)
    _left_out(draft, left_out)
    problems_page(draft, problems)
    return draft.finish(_summary(draft, summary), NOT_ALL_HERE)


def _summary(draft: Draft, page: Page) -> str:
    """The totals and checks; the address of the master check is returned."""
    page.row = 5
    page.section("Totals", 0)
    page.header(["Figure", "", "", "", "Total", "Unit", "How", "", ""], numeric="E")
    exact = "exact computation"
    rows_of_series, rows_of_positions = f"=COUNTA({SERIES.all('series')})", f"=COUNT({POSITIONS.all('preferred')})"
    rows_of_left_out = f"=COUNTA({LEFT_OUT.all('series')})"
    rows_of_problems = f"=COUNTA({PROBLEMS}!A{FIRST}:A{FIRST})"
    preferred, unrounded, whole, fraction, differ = (
        f"={POSITIONS.at(name, TOTAL)}" for name in ("preferred", "unrounded", "whole", "fraction", "differ")
    )
    places: dict[str, str] = {}
    for label, name, formula, number_format, unit, how in (
        ("Companies", "companies", "", COUNT, "companies", exact),
        ("Series", "all_series", rows_of_series, COUNT, "series", "rows of Series"),
        ("Holders", "holders", "", COUNT, "holders", f"{exact}: different names"),
        ("Positions", "all_positions", rows_of_positions, COUNT, "positions", "rows of Positions"),
        ("Preferred held", "preferred", preferred, COUNT, "preferred", "sum of Positions"),
        ("Common, unrounded", "unrounded", unrounded, EXACT_COUNT, "common", "sum of Positions"),
        ("Common, whole", "whole", whole, COUNT, "common", "sum of Positions"),
        ("Fractions left", "fraction", fraction, EXACT_COUNT, "common", "sum of Positions"),
        ("Events, each counted once", "events", "", COUNT, "events", exact),
        (
            "Events, counted for each series that they concern",
            "history",
            _sum_of("history"),
            COUNT,
            "rows",
            _OF_SERIES,
        ),
        ("Stated figures compared", "comparisons", _sum_of("comparisons"), COUNT, "figures", _OF_SERIES),
        ("Stated figures that do not tie", "all_exceptions", _sum_of("exceptions"), COUNT, "figures", _OF_SERIES),
        (
            "Series of which holders have more or less than is outstanding",
            "apart",
            f"=COUNT({SERIES.all('apart')})",
            COUNT,
            "series",
            "figures of Series",
        ),
        ("Series left out", "all_left_out", rows_of_left_out, COUNT, "series", "rows of Left out"),
        ("Problems of the input", "all_problems", rows_of_problems, COUNT, "problems", "rows of Problems"),
    ):
        row = page.row
        places[name] = f"E{row}"
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
    for name in _TO_LOOK_AT:
        warn(page, places[name], f"{places[name]}>0")
    left, wrong = places["all_left_out"], places["all_problems"]
    text = f'=IF({left}+{wrong}=0,"{_COMPLETE}","{_LEFT_OUT}"&{left}&"{_PROBLEMS}"&{wrong}&"{_SEE}")'
    draft.line(page, 4, text, Font(FONT, 11, bold=True, color=GOOD_INK), 20, "complete")
    warn(page, "A4", f"{left}+{wrong}>0", BAD_INK, BAD_FILL)
    page.section("Given")
    if page.row != GIVEN:
        raise AssertionError(f"what is given begins in row {page.row}")
    text = "Tolerance of an unrounded figure, as a part of it; a whole one must be equal"
    draft.labelled(page, text, "relative", "0E+00", "input", "relative")
    page.section("Checks")
    draft.check_header(page)
    first = page.row
    draft.check(page, "Series", "all_series", rows_of_series, COUNT)
    draft.check(page, "Positions", "all_positions", rows_of_positions, COUNT)
    for label, formula in (("Positions", preferred), ("Series", _sum_of("preferred"))):
        text = f"Preferred held, sum of {label}"
        draft.check(page, text, "preferred", formula, COUNT, "tolerance_preferred", RELATIVE)
    text = "Common, unrounded"
    draft.check(page, text, "unrounded", unrounded, EXACT_COUNT, "tolerance_unrounded", RELATIVE)
    draft.check(page, "Common, whole, by formulas", "whole", whole, COUNT)
    draft.check(page, "Common, whole, sum of Series", "whole", _sum_of("whole"), COUNT)
    text, scale = "Fractions left", unrounded[1:]
    draft.check(page, text, "fraction", fraction, EXACT_COUNT, "tolerance_unrounded", RELATIVE, scale=scale)
    draft.check(page, "Whole shares by which positions differ from the exact ones", "zero", differ, "0")
    draft.check(page, "Stated figures that do not tie", "all_exceptions", _sum_of("exceptions"), COUNT)
    rows_of_exceptions = f"=COUNTA({EXCEPTIONS.all('figure')})"
    draft.check(page, "Rows of Exceptions", "all_exceptions", rows_of_exceptions, COUNT)
    for label, column in (("Prices in force", "price"), ("Common per preferred", "ratio")):
        text, formula = f"{label}, added up: none is overwritten", f"=SUM({SERIES.all(column)})"
        draft.check(page, text, f"{column}s", formula, PRICE, f"tolerance_{column}s", RELATIVE)
    draft.check(page, "Rows of Left out", "all_left_out", rows_of_left_out, COUNT)
    draft.check(page, "Rows of Problems", "all_problems", rows_of_problems, COUNT)
    master = draft.master(page, first, f"{left}+{wrong}>0")
    page.section("Remarks")
    for text in (
        HELD,
        "What is outstanding of a series is what its input says, less what events have converted and redeemed;"
        " nothing is compared where the input does not say it, or where an event issued the series. A list of"
        " holders may be partial: a difference is a remark, and no check.",
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


_OF_SERIES = "sum of Series"
_TO_LOOK_AT = ("all_exceptions", "apart", "all_left_out", "all_problems")


def _sum_of(name: str) -> str:
    """The total of a column of the series."""
    return f"={SERIES.at(name, TOTAL)}"


def _series(draft: Draft, page: Page) -> None:
    apart = (
        f'IF(OR({{preferred}}=0,{{outstanding}}=""),"{NOT_COMPARED}",'
        f'IF({{preferred}}={{outstanding}},"{AGREES}",{{preferred}}-{{outstanding}}))'
    )
    draft.table(page, SERIES, {"apart": apart}, {"link": "{file}"}, total=IN_ALL)
    cell = f"{SERIES.letters['apart']}{FIRST}"
    warn(page, f"{cell}:{cell}", f"ISNUMBER({cell})")
    page.sheet.page_setup.paperSize = page.sheet.PAPERSIZE_A3
    _finish(page, "C")


def _positions(draft: Draft, page: Page) -> None:
    formulas = {
        "ratio": "{original_issue_price}/{ratio_price}",
        "unrounded": "{preferred}*{original_issue_price}/{ratio_price}",
        "whole": whole_shares("{unrounded}", "{rounding}", DECIMALS, "{exact}"),
        "fraction": "{unrounded}-{whole}",
        "differ": "ABS({whole}-{exact})",
    }
    draft.table(page, POSITIONS, formulas, {"link": "{file}"}, total=IN_ALL)
    page.text("A4", "Decimals of a share of common that is made whole", "label")
    page.sheet.merge_cells("A4:C4")
    draft.value(page, "D4", "zero", "0", "input")
    draft.book.name("in_decimals", page.address("D4"))
    page.sheet.page_setup.paperSize = page.sheet.PAPERSIZE_A3
    _finish(page, "D")


def _exceptions(draft: Draft, page: Page) -> None:
    draft.table(page, EXCEPTIONS, total="All exceptions")
    draft.formula(page, f"D{TOTAL}", f"=COUNTA(D{FIRST}:D{FIRST})", "all_exceptions", COUNT, "result", align="")
    _finish(page, "C")


def _left_out(draft: Draft, page: Page) -> None:
    draft.table(page, LEFT_OUT, total="All series left out")
    draft.formula(page, f"B{TOTAL}", f"=COUNTA(B{FIRST}:B{FIRST})", "all_left_out", COUNT, "result")
    _finish(page, "A", header=1)


def problems_page(draft: Draft, page: Page, first: int = FIRST) -> None:
    """The table of problems, whose first one stands in the row `first`."""
    draft.table(page, Table(PROBLEMS, "problems", first, PROBLEMS_COLUMNS), total="All problems")
    draft.formula(page, f"B{first - 1}", f"=COUNTA(A{first}:A{first})", "all_problems", COUNT, "result")
    _finish(page, "A", first, header=1)


def _finish(page: Page, frozen: str, first: int = FIRST, header: int = 2) -> None:
    """Fixes the header of so many rows on the screen and on paper, and lets the rows be filtered."""
    page.sheet.freeze_panes = f"{frozen}{first}"
    page.sheet.print_title_rows = f"{first - 1 - header}:{first - 2}"
    print_area(page, first)
    # The arrows stand in the row of totals, which a filter or an order never moves.
    page.sheet.auto_filter.ref = f"A{first - 1}:{page.last_column}{first}"
