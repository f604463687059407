"""The workbook of one holder: what it has of every series and company of a portfolio, and converts into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from math import fsum
from types import MappingProxyType

from xl_conversion.books.page import DAY, Look, Page
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.sheets import (
    AGREE,
    COUNT,
    EXACT_COUNT,
    FRACTION,
    NO_DAY,
    OK,
    PRICE,
    STATUS,
    Design,
    Draft,
    Tables,
    Values,
    day_words,
    high,
    link_text,
    print_area,
    rounding_of,
    short,
    whole_shares,
)
from xl_conversion.books.statements.step_rows import exact_words
from xl_conversion.books.streaming import Plan, Row, make_plan
from xl_conversion.books.wording import figure_text

STATEMENT, LETTER, CHECKS, EXACT = "Statement", "Letter", "Checks", "Exact figures"
SAME_NAME = (
    "Holders are the same where their names are the same, letter by letter, blanks around them left out; no other"
    " spelling of a name is looked for."
)
HELD = (
    "What is held is what the list of holders says: shares that an event has converted or redeemed are not taken"
    " off it."
)
BY_CERTIFICATE = (
    "Where a charter makes whole shares for each certificate, the exact computation gives them, since no row is a"
    " certificate."
)
TOLERANCE = Fraction(1, 10**12)
"""Of an unrounded figure, as a part of it: what the doubles of a spreadsheet may be off."""


@dataclass(frozen=True, slots=True)
class Position:
    """What one holder has of one series. Small and picklable."""

    holder: str
    company: str
    series: str
    as_of: date | None
    """The day of the last event; None where nothing has happened."""
    preferred: Fraction
    original_issue_price: Fraction
    price: Fraction
    """In force, rounded as the charter says."""
    ratio_price: Fraction
    """The price that the ratio is taken from."""
    ratio: Fraction
    """Common per preferred, rounded as the charter says."""
    unrounded: Fraction
    """Common, before it is made whole."""
    whole: int
    rounding: str
    """How common is made whole, in words."""
    exceptions: int
    """Figures stated of the series that do not tie."""
    digest: str
    """SHA-256 of the input of the series."""
    source: str = ""
    workbook: str = ""
    """Path of the series' workbook from the folder of the holder's; "" for none."""

    @property
    def fraction(self) -> Fraction:
        """Left over; below 0 where shares are rounded up."""
        return self.unrounded - self.whole


def positions_of(result: SeriesResult, workbook: str = "") -> tuple[Position, ...]:
    """What each holder has of a series; `workbook` is the path of its workbook from the folder of the holders'.

    Holders are the same where the name is, blanks around it left out.
    """
    series = result.series
    rounding, exceptions = rounding_of(series), result.exceptions
    return tuple(
        Position(
            held.holder.strip(),
            series.company,
            series.name,
            result.as_of,
            held.preferred,
            series.original_issue_price,
            result.price,
            result.ratio_price,
            result.ratio,
            held.unrounded,
            held.common,
            rounding,
            exceptions,
            result.digest,
            series.source,
            workbook,
        )
        for held in result.holders
    )


STATEMENT_WIDTHS = [5, 22, 13, 11, 13, 10, 12, 13, 12, 17, 12, 13, 9, 10, 10, 22]
LETTER_WIDTHS = [5, 25, 15, 11, 14, 11, 14, 11]
CHECKS_WIDTHS = [12, 20, 20, 22, 20, 20, 14, 14, 12]
EXACT_WIDTHS = [5, 22, 13, 34, 17, 17, 10, 10, 13, 13, 10, 8, 44]
MOST_BITS = 1000
"""Of an exact figure that is written without loss: some lines of digits."""
SMALLER = 10 / 9
"""A column of small letters is as wide as one that is wider by this."""
TOTAL, FIRST = 7, 8
"""On the first sheet, the row of the totals and the first of the positions."""
LETTER_TOTAL, LETTER_FIRST = 13, 14
EXACT_FIRST = 6
DECIMALS, RELATIVE = f"{CHECKS}!$E$5", f"{CHECKS}!$E$6"
FIGURES = "ADEFGHIJLMN"
"""The columns of the first sheet that hold figures."""


@cache
def holder_plan() -> Plan:
    """The plan of a holder's workbook, made once a process."""
    return make_plan(*holder_design())


def holder_design() -> Design:
    """The design of a holder's workbook, and the placeholders that give the values of its formulas."""
    draft = Draft("Holdings", "Statement of holdings: {{holder}}")
    statement = draft.page(
        STATEMENT, "What is held of each series, and the common that it converts into", STATEMENT_WIDTHS
    )
    letter = draft.page(LETTER, "What you hold, and what it converts into", LETTER_WIDTHS, landscape=False)
    checks = draft.page(CHECKS, "Whether the formulas of this workbook give the exact figures", CHECKS_WIDTHS)
    exact = draft.page(EXACT, "What the exact computation gives, beside what this workbook gives", EXACT_WIDTHS)
    _statement(draft, statement)
    _letter(draft, letter)
    _exact(draft, exact)
    return draft.finish(_checks(draft, checks))


def holder_values(holder: str, positions: Sequence[Position]) -> tuple[Values, Tables]:
    """What the plan of a holder's workbook is rendered with, for one position at least.

    >>> a = Position("Ann", "Acme", "A", None, *map(Fraction, (100, 1, "0.7", "0.7", "1.4286", "142.857142")), 142,
    ...              "down", 0, "ab12")
    >>> values, tables = holder_values("Ann", [a])
    >>> values["whole"], len(tables["positions"])
    (142, 1)
    """
    whole = sum(one.whole for one in positions)
    # Not as fractions: their denominators would be multiplied with one another.
    unrounded = fsum(float(one.unrounded) for one in positions)
    fraction = fsum(float(one.fraction) for one in positions)
    preferred = sum((one.preferred for one in positions), Fraction(0))
    prices = fsum(float(one.price) for one in positions)
    ratios = fsum(float(one.ratio) for one in positions)
    exceptions = sum(one.exceptions for one in positions)
    companies = len({one.company for one in positions})
    as_of = day_words(max((one.as_of for one in positions if one.as_of), default=None))
    series = f"{len(positions)} series" if companies == 1 else f"{len(positions)} series of {companies} companies"
    values: Values = {
        "holder": holder,
        "about_short": short(holder, 40),
        "as_of_words": as_of,
        "series_words": series,
        "count": len(positions),
        "preferred": preferred,
        "unrounded": unrounded,
        "whole": whole,
        "fraction": fraction,
        "exceptions": exceptions,
        "prices": prices,
        "ratios": ratios,
        "relative": TOLERANCE,
        "tolerance_preferred": preferred * TOLERANCE,
        "tolerance_unrounded": unrounded * float(TOLERANCE),
        "tolerance_prices": prices * float(TOLERANCE),
        "tolerance_ratios": ratios * float(TOLERANCE),
        "zero": 0,
        "ok": OK,
        STATUS: AGREE,
        "letter_converts": f"At these prices it converts into {whole:,} whole shares of common."
        f" The unrounded shares less the whole ones are {fraction:.6f} of a share in all.",
        "letter_state": _STATES[exceptions > 0],
    }
    numbered = list(enumerate(positions, start=1))
    return values, {
        "positions": [_position_row(number, one) for number, one in numbered],
        "letter": [_letter_row(number, one) for number, one in numbered],
        "checks": [_check_row(number, one) for number, one in numbered],
    }


def _position_row(number: int, one: Position) -> Row:
    source = f"{one.source or 'not named'}; {one.digest[:12]}"
    return high(
        (
            number,
            one.company,
            one.series,
            one.as_of or NO_DAY,
            one.preferred,
            one.original_issue_price,
            one.price,
            one.ratio_price,
            one.ratio,
            one.unrounded,
            one.rounding,
            one.whole,
            one.fraction,
            one.exceptions,
            "open" if link_text(one.workbook) else "",
            source,
        ),
        _fitting(STATEMENT_WIDTHS, {1: one.company, 2: one.series, 10: one.rounding}, {15: source}),
    )


def _letter_row(number: int, one: Position) -> Row:
    return high(
        (
            number,
            one.company,
            one.series,
            one.as_of or NO_DAY,
            one.preferred,
            one.price,
            one.whole,
            one.fraction,
        ),
        _fitting(LETTER_WIDTHS, {1: one.company, 2: one.series}),
    )


def _check_row(number: int, one: Position) -> Row:
    exact, file = _in_full(one.unrounded), link_text(one.workbook)
    return high(
        (
            number,
            one.company,
            one.series,
            exact,
            one.unrounded,
            one.unrounded,
            0,
            one.unrounded * TOLERANCE,
            one.whole,
            one.whole,
            0,
            OK,
            file,
        ),
        _fitting(EXACT_WIDTHS, {1: one.company, 2: one.series, 3: exact}, {12: file}),
    )


def _in_full(value: Fraction) -> str:
    """A figure without loss, or, of hundreds of digits, its first ones and how long it is."""
    short_enough = value.numerator.bit_length() + value.denominator.bit_length() <= MOST_BITS
    return figure_text(value) if short_enough else exact_words(value)


def _fitting(
    widths: Sequence[float], texts: Mapping[int, str], small: Mapping[int, str] = MappingProxyType({})
) -> tuple[tuple[str, float], ...]:
    """Texts by the place of their column, each with the characters that have room in it."""
    return (
        *((text, widths[place]) for place, text in texts.items()),
        *((text, widths[place] * SMALLER) for place, text in small.items()),
    )


def _statement(draft: Draft, page: Page) -> None:
    draft.banner(page, 4, "{{holder}}")
    page.row = 5
    names = ["No.", "Company", "Series", "As of", "Preferred held", "Original issue price", "Price in force"]
    names += ["Price converted at", "Common per preferred", "Common, unrounded", "Made whole", "Common, whole"]
    names += ["Fraction left", "Stated, not tied", "Series' workbook", "Source"]
    page.header(names, numeric=FIGURES, centred="O")
    units = ["", "", "", "last event", "preferred", "per share", "per share", "per share", "rounded"]
    units += ["common", "", "common", "common", "figures", "", "terms; SHA-256 of input"]
    draft.units(page, units, FIGURES, "O")
    for column in "ABCDFGHIKOP":
        page.text(f"{column}{TOTAL}", "All positions" if column == "B" else "", "result")
    for column, name, number_format in (
        ("E", "preferred", COUNT),
        ("J", "unrounded", EXACT_COUNT),
        ("L", "whole", COUNT),
        ("M", "fraction", FRACTION),
        ("N", "exceptions", "0"),
    ):
        formula = f"=SUM({column}{FIRST}:{column}{FIRST})"
        draft.formula(page, f"{column}{TOTAL}", formula, name, number_format, "result")
    for column, name in (("E", "preferred"), ("J", "common_unrounded"), ("L", "common"), ("N", "exceptions")):
        draft.book.name(f"out_{name}", page.address(f"{column}{TOTAL}"))
    given: tuple[tuple[str, str, str, Look], ...] = (
        ("A", "no", "0", "muted"),
        ("B", "company", "", "plain"),
        ("C", "series", "", "plain"),
        ("D", "as_of", DAY, "plain"),
        ("E", "preferred", COUNT, "input"),
        ("F", "original_issue_price", PRICE, "input"),
        ("G", "price", PRICE, "plain"),
        ("H", "ratio_price", PRICE, "input"),
        ("I", "ratio", PRICE, "plain"),
        ("K", "rounding", "", "input"),
        ("N", "exceptions", "0", "plain"),
        ("P", "source", "", "muted"),
    )
    row = FIRST
    for column, name, number_format, look in given:
        draft.value(page, f"{column}{row}", f"positions.{name}", number_format, look)
    draft.formula(page, f"J{row}", f"=E{row}*F{row}/H{row}", "positions.unrounded", EXACT_COUNT)
    exact, file = (
        f"INDEX('{EXACT}'!${column}${EXACT_FIRST}:${column}${EXACT_FIRST},A{row})" for column in ("I", "M")
    )
    formula = whole_shares(f"J{row}", f"K{row}", DECIMALS, exact)
    draft.formula(page, f"L{row}", formula, "positions.whole", COUNT, "result")
    draft.formula(page, f"M{row}", f"=J{row}-L{row}", "positions.fraction", FRACTION)
    draft.link(page, f"O{row}", file, "positions.link")
    page.sheet.freeze_panes = f"D{FIRST}"
    page.sheet.print_title_rows = "5:6"
    print_area(page, FIRST)


_STATES = (
    "Of the figures that are stated of these series, if there are any, none differs from the recomputed one.",
    "Draft: some figures that are stated of these series differ from the recomputed ones; the statement counts"
    " them and the workbooks of the series show them.",
)


def _letter(draft: Draft, page: Page) -> None:
    draft.banner(page, 4, "To {{holder}}")
    whole, fraction, exceptions = (f"{STATEMENT}!${column}${TOTAL}" for column in ("L", "M", "N"))
    draft.paragraph(
        page,
        5,
        "You hold preferred stock of {{series_words}}, listed below, each with the conversion price in force"
        " after its last event on record.",
    )
    converts = (
        f'="At these prices it converts into "&TEXT({whole},"#,##0")&" whole shares of common. The "'
        f'&"unrounded shares less the whole ones are "&TEXT({fraction},"0.000000")&" of a share in all."'
    )
    draft.paragraph(page, 6, converts, "letter_converts", longest=150)
    draft.paragraph(
        page,
        7,
        "Common is made whole as the charter of each series says, for all that you hold of it or for each"
        " certificate; where it is rounded up, the fraction left over is below 0.",
    )
    draft.paragraph(
        page, 8, f'=IF({exceptions}>0,"{_STATES[1]}","{_STATES[0]}")', "letter_state", longest=len(_STATES[1])
    )
    draft.paragraph(page, 9, f"{HELD} {SAME_NAME}")
    page.row = 11
    names = ["No.", "Company", "Series", "As of", "Preferred held", "Conversion price", "Common, whole"]
    page.header([*names, "Fraction left"], numeric="ADEFGH")
    draft.units(page, ["", "", "", "last event", "preferred", "per share", "common", "common"], "ADEFGH")
    for column in "ABCDF":
        page.text(f"{column}{LETTER_TOTAL}", "In all" if column == "B" else "", "result")
    for column, name, number_format in (
        ("E", "preferred", COUNT),
        ("G", "whole", COUNT),
        ("H", "fraction", FRACTION),
    ):
        formula = f"=SUM({column}{LETTER_FIRST}:{column}{LETTER_FIRST})"
        draft.formula(page, f"{column}{LETTER_TOTAL}", formula, name, number_format, "result")
    row = LETTER_FIRST
    draft.value(page, f"A{row}", "letter.no", "0", "muted")
    for column, of, name, number_format in (
        ("B", "B", "company", ""),
        ("C", "C", "series", ""),
        ("D", "D", "as_of", DAY),
        ("E", "E", "preferred", COUNT),
        ("F", "G", "price", PRICE),
        ("G", "L", "whole", COUNT),
        ("H", "M", "fraction", FRACTION),
    ):
        draft.linked(
            page, f"{column}{row}", f"{STATEMENT}!{of}{FIRST}", f"A{row}", f"letter.{name}", number_format
        )
    page.sheet.freeze_panes = f"A{row}"
    page.sheet.print_title_rows = "11:12"
    print_area(page, row)


def _checks(draft: Draft, page: Page) -> str:
    """Every check and the master check, whose address is returned."""
    page.section("Given")
    draft.labelled(page, "Decimals of a share of common that is made whole", "zero", "0", "input", "decimals")
    text = "Tolerance of an unrounded figure, as a part of it; a whole one must be equal"
    draft.labelled(page, text, "relative", "0E+00", "input", "relative")
    page.section("Totals")
    draft.check_header(page)
    first = page.row
    table = f"'{EXACT}'!L{EXACT_FIRST}:L{EXACT_FIRST}"
    counted = f"=COUNT({STATEMENT}!E{FIRST}:E{FIRST})"
    draft.check(page, "Positions", "count", counted, "0")
    preferred, unrounded, whole, fraction, exceptions = (f"={STATEMENT}!{c}{TOTAL}" for c in "EJLMN")
    draft.check(page, "Preferred held", "preferred", preferred, COUNT, "tolerance_preferred", RELATIVE)
    draft.check(page, "Common, unrounded", "unrounded", unrounded, EXACT_COUNT, "tolerance_unrounded", RELATIVE)
    draft.check(page, "Common, whole", "whole", whole, COUNT)
    scale = unrounded[1:]
    draft.check(
        page, "Fractions left", "fraction", fraction, FRACTION, "tolerance_unrounded", RELATIVE, scale=scale
    )
    draft.check(page, "Common, whole, of the letter", "whole", f"={LETTER}!G{LETTER_TOTAL}", COUNT)
    for label, column, name in (("Prices in force", "G", "prices"), ("Common per preferred", "I", "ratios")):
        text, formula = (
            f"{label}, added up: none is overwritten",
            f"=SUM({STATEMENT}!{column}{FIRST}:{column}{FIRST})",
        )
        draft.check(page, text, name, formula, PRICE, f"tolerance_{name}", RELATIVE)
    draft.check(page, "Stated figures that do not tie", "exceptions", exceptions, "0")
    formula = f'=ROWS({table})-COUNTIF({table},"OK")'
    draft.check(page, "Positions whose figures differ from the exact ones", "zero", formula, "0")
    last = page.row - 1
    master = draft.master(page, f'=IF(COUNTIF(I{first}:I{last},"OK")=ROWS(I{first}:I{last}),"OK","CHECK")', first)
    page.section("Remarks")
    for text in (HELD, BY_CERTIFICATE):
        draft.paragraph(page, page.row, text)
        page.row += 1
    page.sheet.page_setup.fitToHeight = 1
    print_area(page, page.row - 1)
    return master


def _exact(draft: Draft, page: Page) -> None:
    """Every position in full, and whether the formulas agree with it."""
    page.row = header = EXACT_FIRST - 1
    names = ["No.", "Company", "Series", "Common, unrounded: exact figure", "Exact figure as a cell holds it"]
    names += ["This workbook", "Difference", "Tolerance", "Common, whole: exact", "This workbook", "Difference"]
    names += ["Result", "File of the series"]
    page.header(names, numeric="ADEFGHIJK", centred="L")
    row = EXACT_FIRST
    draft.value(page, f"A{row}", "checks.no", "0", "muted")
    for column in "BC":
        name = "company" if column == "B" else "series"
        draft.linked(page, f"{column}{row}", f"{STATEMENT}!{column}{FIRST}", f"A{row}", f"checks.{name}", "")
    draft.value(page, f"D{row}", "checks.exact", align="right")
    draft.value(page, f"E{row}", "checks.unrounded", EXACT_COUNT)
    draft.linked(page, f"F{row}", f"{STATEMENT}!J{FIRST}", f"A{row}", "checks.unrounded_here", EXACT_COUNT)
    draft.difference(page, row, "GFE", "checks.difference", "H", "checks.tolerance", RELATIVE)
    draft.value(page, f"I{row}", "checks.whole", COUNT)
    draft.linked(page, f"J{row}", f"{STATEMENT}!L{FIRST}", f"A{row}", "checks.whole_here", COUNT)
    draft.formula(page, f"K{row}", f"=J{row}-I{row}", "checks.whole_difference", "0")
    agrees = f"AND(ABS(G{row})<=H{row},J{row}=I{row})"
    formula = f'=IF(ISERROR(G{row}+K{row}),"CHECK",IF({agrees},"OK","CHECK"))'
    draft.formula(page, f"L{row}", formula, "checks.result", align="center")
    page.mark(f"L{row}:L{row}", OK, "CHECK")
    draft.value(page, f"M{row}", "checks.file", look="muted")
    page.sheet.freeze_panes = f"D{row}"
    page.sheet.print_title_rows = f"{header}:{header}"
    print_area(page, row)
