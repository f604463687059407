"""The workbook of one holder: what it has of every series and company of a portfolio, and converts into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from math import fsum

from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from xl_conversion.books.page import BAD_INK, DAY, FONT, INK, Page
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.sheets import (
    AGREE,
    AS_IT_IS,
    COUNT,
    DIFFERENCE,
    EXACT_COUNT,
    FRACTION,
    NO_DAY,
    OK,
    PER_SHARE,
    PRICE,
    STATUS,
    Column,
    Design,
    Draft,
    Table,
    Tables,
    Values,
    day_words,
    link_text,
    priced,
    print_area,
    rounding_of,
    short,
    whole_shares,
)
from xl_conversion.books.statements.step_rows import exact_words
from xl_conversion.books.streaming import Plan, Row, make_plan
from xl_conversion.books.wording import figure_text
from xl_conversion.core.terms import Rounding

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
MOST_BITS = 1000
"""Of an exact figure that is written without loss: some lines of digits."""


@dataclass(frozen=True, slots=True)
class Position:
    """What one holder has of one series. Small and picklable."""

    holder: str
    company: str
    series: str
    as_of: date | None
    """The day of the last event; None where nothing has happened."""
    since: date | None
    """The day from which the price is in force; None for the beginning."""
    preferred: Fraction
    original_issue_price: Fraction
    price_before: Fraction
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
    price_rounding: Rounding = AS_IT_IS
    ratio_rounding: Rounding = AS_IT_IS

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
            result.since,
            held.preferred,
            series.original_issue_price,
            result.price_before,
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
            series.price,
            series.ratio,
        )
        for held in result.holders
    )


STATEMENT = Table(
    "Statement",
    "positions",
    8,
    (
        Column("no", "No.", 5, "", "0", "muted"),
        Column("company", "Company", 22),
        Column("series", "Series", 13),
        Column("as_of", "As of", 11, "last event", DAY),
        Column("preferred", "Preferred held", 13, "preferred", COUNT, "input", total="preferred"),
        Column("original_issue_price", "Original issue price", 13, PER_SHARE, PRICE, "input"),
        Column("price", "Price in force", 13, PER_SHARE, PRICE),
        Column("ratio_price", "Price converted at", 13, PER_SHARE, PRICE, "input"),
        Column("ratio", "Common per preferred", 12, "rounded", PRICE),
        Column("unrounded", "Common, unrounded", 17, "common", EXACT_COUNT, total="unrounded"),
        Column("rounding", "Made whole", 12, look="input"),
        Column("whole", "Common, whole", 13, "common", COUNT, "result", total="whole"),
        Column("fraction", "Fraction left", 10, "common", FRACTION, total="fraction"),
        Column("exceptions", "Stated, not tied", 10, "figures", "0", total="exceptions"),
        Column("link", "Series' workbook", 10, align="center"),
        Column("source", "Source", 24, "terms; SHA-256 of input", look="muted"),
    ),
)
LETTER = Table(
    "Letter",
    "letter",
    24,
    (
        Column("no", "No.", 4, "", "0", "muted"),
        Column("company", "Company", 18),
        Column("series", "Series", 12),
        Column("preferred", "Preferred held", 12, "preferred", COUNT, total="preferred"),
        Column("price_before", "Price before", 10, "per share", PRICE),
        Column("price", "Price in force", 10, "per share", PRICE),
        Column("since", "In force since", 11, "day", DAY),
        Column("ratio", "Common per preferred", 11, "rounded", PRICE),
        Column("whole", "Common, whole", 12, "common", COUNT, "result", total="whole"),
        Column("fraction", "Fraction left", 10, "common", FRACTION, total="fraction"),
    ),
)
EXACT = Table(
    "Exact figures",
    "checks",
    6,
    (
        Column("no", "No.", 5, "", "0", "muted"),
        Column("company", "Company", 22),
        Column("series", "Series", 13),
        Column("exact", "Common, unrounded: exact figure", 34, align="right"),
        Column("unrounded", "Exact figure as a cell holds it", 17, "", EXACT_COUNT),
        Column("unrounded_here", "This workbook", 17, "", EXACT_COUNT),
        Column("difference", "Difference", 10, "", DIFFERENCE),
        Column("tolerance", "Tolerance", 10, "", DIFFERENCE),
        Column("whole", "Common, whole: exact", 13, "", COUNT),
        Column("whole_here", "This workbook", 13, "", COUNT),
        Column("whole_difference", "Difference", 10, "", "0"),
        Column("result", "Result", 8, align="center"),
        Column("file", "File of the series", 44, look="muted"),
    ),
)
CHECKS = "Checks"
CHECKS_WIDTHS = [12, 20, 20, 22, 20, 20, 14, 14, 12]
DECIMALS, RELATIVE = f"{CHECKS}!$E$5", f"{CHECKS}!$E$6"


@cache
def holder_plan() -> Plan:
    """The plan of a holder's workbook, made once a process."""
    return make_plan(*holder_design())


def holder_design() -> Design:
    """The design of a holder's workbook, and the placeholders that give the values of its formulas."""
    draft = Draft("Holdings", "Statement of holdings: {{holder}}")
    statement = draft.page(
        STATEMENT.sheet, "What is held of each series, and the common that it converts into", STATEMENT.widths
    )
    letter = draft.page(LETTER.sheet, "To be signed and sent", LETTER.widths, landscape=False)
    checks = draft.page(CHECKS, "Whether the formulas of this workbook give the exact figures", CHECKS_WIDTHS)
    exact = draft.page(
        EXACT.sheet, "What the exact computation gives, beside what this workbook gives", EXACT.widths
    )
    _statement(draft, statement)
    _letter(draft, letter)
    _exact(draft, exact)
    return draft.finish(_checks(draft, checks))


def holder_values(holder: str, positions: Sequence[Position]) -> tuple[Values, Tables]:
    """What the plan of a holder's workbook is rendered with, for one position at least.

    >>> figures = map(Fraction, (100, 1, 1, "0.7", "0.7", "1.4286", "142.857142"))
    >>> a = Position("Ann", "Acme", "A", None, None, *figures, 142, "down", 0, "ab12")
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
    companies = list(dict.fromkeys(one.company for one in positions))
    as_of = day_words(max((one.as_of for one in positions if one.as_of), default=None))
    series = f"{len(positions)} series"
    if len(companies) > 1:
        series += f" of {len(companies)} companies"
    sender = companies[0] if len(companies) == 1 else "the companies in the list below"
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
        "master": OK,
        STATUS: AGREE,
        "letterhead": companies[0] if len(companies) == 1 else None,
        "signed_for": f"For {sender}",
        "letter_converts": f"At the prices in force it converts into {whole:,} whole shares of common.",
        "letter_draft": f"{_DRAFT}{exceptions}; see {STATEMENT.sheet}" if exceptions else "",
    }
    numbered = list(enumerate(positions, start=1))
    return values, {
        "positions": [_position_row(number, one) for number, one in numbered],
        "letter": [_letter_row(number, one) for number, one in numbered],
        "checks": [_check_row(number, one) for number, one in numbered],
    }


def _position_row(number: int, one: Position) -> Row:
    source = f"{one.source or 'not named'}; {one.digest[:12]}"
    taken = one.price_rounding if one.ratio_price == one.price else AS_IT_IS
    return STATEMENT.high(
        (
            number,
            one.company,
            one.series,
            one.as_of or NO_DAY,
            one.preferred,
            one.original_issue_price,
            priced(one.price, one.price_rounding),
            priced(one.ratio_price, taken, "input"),
            priced(one.ratio, one.ratio_rounding),
            one.unrounded,
            one.rounding,
            one.whole,
            one.fraction,
            one.exceptions,
            "open" if link_text(one.workbook) else "",
            source,
        ),
        company=one.company,
        series=one.series,
        rounding=one.rounding,
        source=source,
    )


def _letter_row(number: int, one: Position) -> Row:
    row = STATEMENT.first + number - 1
    return LETTER.high(
        (
            number,
            one.company,
            one.series,
            one.preferred,
            priced(one.price_before, one.price_rounding),
            priced(one.price, one.price_rounding, cell=STATEMENT.at("price", row)),
            one.since or NO_DAY,
            priced(one.ratio, one.ratio_rounding, cell=STATEMENT.at("ratio", row)),
            one.whole,
            one.fraction,
        ),
        company=one.company,
        series=one.series,
    )


def _check_row(number: int, one: Position) -> Row:
    exact, file = _in_full(one.unrounded), link_text(one.workbook)
    return EXACT.high(
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
        company=one.company,
        series=one.series,
        exact=exact,
        file=file,
    )


def _in_full(value: Fraction) -> str:
    """A figure without loss, or, of hundreds of digits, its first ones and how long it is."""
    short_enough = value.numerator.bit_length() + value.denominator.bit_length() <= MOST_BITS
    return figure_text(value) if short_enough else exact_words(value)


def _statement(draft: Draft, page: Page) -> None:
    draft.banner(page, 4, "{{holder}}")
    formulas = {
        "unrounded": "{preferred}*{original_issue_price}/{ratio_price}",
        "whole": whole_shares("{unrounded}", "{rounding}", DECIMALS, EXACT.linked("whole")),
        "fraction": "{unrounded}-{whole}",
    }
    draft.table(page, STATEMENT, formulas, {"link": EXACT.linked("file")}, total="All positions")
    total = STATEMENT.first - 1
    for column, name in (
        ("preferred", "preferred"),
        ("unrounded", "common_unrounded"),
        ("whole", "common"),
        ("exceptions", "exceptions"),
    ):
        draft.book.name(f"out_{name}", page.address(f"{STATEMENT.letters[column]}{total}"))
    page.sheet.freeze_panes = f"D{STATEMENT.first}"
    page.sheet.print_title_rows = f"{total - 2}:{total - 1}"
    print_area(page, STATEMENT.first)


_DRAFT = "DRAFT. Stated figures of these series that do not tie: "
_SIGN = ("Signature", "Name", "Title")


def _letter(draft: Draft, page: Page) -> None:
    """What is printed begins under the headings of the sheet: nothing in it is for the sender but that it is a
    draft. The list is last, since the rows of a table are the last ones of a sheet."""
    sheet = page.sheet
    whole, exceptions = (STATEMENT.at(name, STATEMENT.first - 1) for name in ("whole", "exceptions"))
    text = f'=IF({exceptions}>0,"{_DRAFT}"&{exceptions}&"; see {STATEMENT.sheet}","")'
    draft.line(page, 4, text, Font(FONT, 11, bold=True, color=BAD_INK), 18, "letter_draft")
    draft.line(page, 5, "{{letterhead}}", Font(FONT, 14, bold=True, color=INK), 22)
    _blank(page, 6, "Date")
    draft.line(page, 8, "To {{holder}}", Font(FONT, 11, bold=True))
    subject = "Your preferred stock, and the common that it converts into"
    draft.line(page, 10, subject, Font(FONT, 13, bold=True, color=INK), 22)
    draft.paragraph(
        page,
        11,
        "You hold preferred stock of {{series_words}}. The list below, which is part of this letter, has the"
        " shares that you hold of each, the conversion price before and after the last event that moved it, the"
        " shares of common for one share of preferred, and the common for all that you hold.",
    )
    converts = f'="At the prices in force it converts into "&TEXT({whole},"#,##0")&" whole shares of common."'
    draft.paragraph(page, 12, converts, "letter_converts", longest=100)
    draft.paragraph(
        page,
        13,
        "Common is made whole as the charter of each series says, for all that you hold of it or for each"
        " certificate; where it is rounded up, the fraction left is below 0. Please tell us if your records"
        " differ.",
    )
    draft.line(page, 14, "Yours sincerely,", Font(FONT, 10), 24)
    draft.line(page, 15, "{{signed_for}}", Font(FONT, 10, bold=True), 18)
    for row, label in enumerate(_SIGN, start=16):
        _blank(page, row, label)
    draft.table(page, LETTER, {name: STATEMENT.linked(name) for name in _LINKED}, total="In all")
    first = LETTER.first
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = f"{first - 3}:{first - 2}"
    sheet.print_area = f"A4:{page.last_column}{first}"
    sheet.oddFooter = HeaderFooterItem(right=_HeaderFooterPart("Page &P of &N"))


_LINKED = ("company", "series", "preferred", "whole", "fraction")
"""What the letter has from the first sheet, beside price and ratio, each of which has decimals of its own."""


def _blank(page: Page, row: int, label: str) -> None:
    """A line that is filled in by hand."""
    page.text(f"A{row}", label)
    page.sheet.merge_cells(f"A{row}:B{row}")
    page.sheet[f"A{row}"].border = Border()
    page.sheet[f"A{row}"].alignment = Alignment(vertical="bottom")
    for column in "CDEF":
        page.sheet[f"{column}{row}"].border = Border(bottom=Side(style="thin"))
    page.sheet.row_dimensions[row].height = 24


def _checks(draft: Draft, page: Page) -> str:
    """Every check and the master check, whose address is returned."""
    page.section("Given")
    draft.labelled(page, "Decimals of a share of common that is made whole", "zero", "0", "input", "decimals")
    text = "Tolerance of an unrounded figure, as a part of it; a whole one must be equal"
    draft.labelled(page, text, "relative", "0E+00", "input", "relative")
    page.section("Totals")
    draft.check_header(page)
    first = page.row
    preferred, unrounded, whole, fraction, exceptions = (
        f"={STATEMENT.at(name, STATEMENT.first - 1)}"
        for name in ("preferred", "unrounded", "whole", "fraction", "exceptions")
    )
    draft.check(page, "Positions", "count", f"=COUNT({STATEMENT.all('preferred')})", "0")
    draft.check(page, "Preferred held", "preferred", preferred, COUNT, "tolerance_preferred", RELATIVE)
    draft.check(page, "Common, unrounded", "unrounded", unrounded, EXACT_COUNT, "tolerance_unrounded", RELATIVE)
    draft.check(page, "Common, whole", "whole", whole, COUNT)
    scale = unrounded[1:]
    draft.check(
        page, "Fractions left", "fraction", fraction, FRACTION, "tolerance_unrounded", RELATIVE, scale=scale
    )
    draft.check(page, "Common, whole, of the letter", "whole", f"={LETTER.at('whole', LETTER.first - 1)}", COUNT)
    for label, column in (("Prices in force", "price"), ("Common per preferred", "ratio")):
        text, formula = f"{label}, added up: none is overwritten", f"=SUM({STATEMENT.all(column)})"
        draft.check(page, text, f"{column}s", formula, PRICE, f"tolerance_{column}s", RELATIVE)
    draft.check(page, "Stated figures that do not tie", "exceptions", exceptions, "0")
    results = EXACT.all("result")
    formula = f'=ROWS({results})-COUNTIF({results},"OK")'
    draft.check(page, "Positions whose figures differ from the exact ones", "zero", formula, "0")
    master = draft.master(page, first)
    page.section("Remarks for the sender")
    for text in (
        HELD,
        SAME_NAME,
        BY_CERTIFICATE,
        "The letter is a draft as long as a stated figure of one of its series does not tie: the column of the"
        " first sheet counts them, and the workbook of the series explains them.",
    ):
        draft.paragraph(page, page.row, text)
        page.row += 1
    page.sheet.page_setup.fitToHeight = 1
    print_area(page, page.row - 1)
    return master


def _exact(draft: Draft, page: Page) -> None:
    """Every position in full, and whether the formulas agree with it."""
    formulas = {
        "company": STATEMENT.linked("company"),
        "series": STATEMENT.linked("series"),
        "unrounded_here": STATEMENT.linked("unrounded"),
        "difference": "{unrounded_here}-{unrounded}",
        "tolerance": f"ABS({{unrounded}})*{RELATIVE}",
        "whole_here": STATEMENT.linked("whole"),
        "whole_difference": "{whole_here}-{whole}",
        "result": 'IF(ISERROR({difference}+{whole_difference}),"CHECK",'
        'IF(AND(ABS({difference})<={tolerance},{whole_here}={whole}),"OK","CHECK"))',
    }
    draft.table(page, EXACT, formulas)
    first, result = EXACT.first, EXACT.letters["result"]
    page.mark(f"{result}{first}:{result}{first}", OK, "CHECK")
    page.sheet.freeze_panes = f"D{first}"
    page.sheet.print_title_rows = f"{first - 1}:{first - 1}"
    print_area(page, first)
