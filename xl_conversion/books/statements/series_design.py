"""The statement of one series: a workbook that is designed once and filled for each series of a batch.

Six sheets: the statement with the history of the price, the notice to the holders, the calculation step by step,
the tie-out, the holders, the checks. Its formulas are Excel's own, each with its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import product

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from xl_conversion import __version__
from xl_conversion.books.page import (
    BAD_INK,
    FONT,
    GOOD_INK,
    INK,
    TEXT,
    UNROUNDED,
    Book,
    Look,
    Page,
    places,
)
from xl_conversion.books.saving import CellKey, workbook_bytes
from xl_conversion.books.statements.notice import SIGN
from xl_conversion.core.tie_out import Check, Result

MADE = date(2000, 1, 1)
"""Of the design; each workbook is dated by its series."""
OK, CHECK = "OK", "CHECK"
STYLES = "{{styles}}"
LOOKS: tuple[Look, ...] = ("input", "plain", "result")
MOST_PLACES = 10
ZERO = Fraction(0)
TOLERANCE = Fraction(1, 10**9)
"""Of an unrounded figure, as a part of it: what the doubles of a spreadsheet may be off."""

# A sheet of these widths is printed at 70 % of its size or more.
STATEMENT_WIDTHS = (24, 11, 14, 14, 15, 15, 13, 46, 20, 22)
NOTICE_WIDTHS = (12, 43, 50, 16)
NOTICE_MARGIN = 0.75
"""In inches."""
NOTICE_LINES = 15
"""Room for the text of the notice: each name, description and clause in it is cut before it takes more."""
CALCULATION_WIDTHS = (15, 12, 33, 43, 16, 16, 22, 17, 15, 8)
TIE_OUT_WIDTHS = (5, 11, 32, 13, 12, 6, 14, 12, 12, 11, 10, 39, 18)
HOLDERS_WIDTHS = (44, 17, 17, 20, 16, 16, 36)
CHECKS_WIDTHS = (66, 24, 24, 16, 16, 12)

# Rows of the design that formulas of the values name. The first rows of tables are the last of each sheet.
ISSUE_PRICE, START, PRICE_DIGITS, RATIO_DIGITS, PRICE, RATIO_PRICE, RATIO = range(6, 13)
FIRST_EVENT, FIRST_STEP, FIRST_FINDING, FIRST_HOLDER, FIRST_LETTER = 25, 5, 6, 11, 23
NO_DIGITS = "Holders!$B$5"
"""Where the digits of whole shares stand: none."""
ISSUANCE = "Issuance"


def variant(look: Look, decimals: int, *, thousands: bool = False) -> str:
    """The name of a style for numbers.

    >>> variant("input", 2), variant("plain", 0, thousands=True)
    ('input 2', 'plain 0,')
    """
    return f"{look} {decimals}{',' if thousands else ''}"


@cache
def series_design() -> tuple[bytes, Mapping[CellKey, str]]:
    """The workbook with placeholders, and the name of the value of each formula in it."""
    book = Book("{{title}}", MADE, overwritten=True)
    book.workbook.properties.title = "Conversion price: {{title}}"
    _statement(book)
    _notice(book)
    _calculation(book)
    _tie_out(book)
    _holders(book)
    _checks(book)
    _headings(book)
    _styles(book)
    _numbers_fit(book)
    cached = {key: str(name) for key, name in book.cached.items()}
    return workbook_bytes(book.workbook, book.cached, as_of=MADE), cached


def _statement(book: Book) -> None:
    page = book.page("Statement", "Conversion price and ratio of one series, and its history", STATEMENT_WIDTHS)
    page.section("Price and ratio")
    page.header(["Figure", "", "Rounded", "Unrounded", "Exact figure", "", "", "Source", "Unit", ""], numeric="CD")
    per_share, ratio = "money per share", "common per preferred"
    for label, rounded, unrounded, exact, unit, source in (
        ("Original issue price", "issue_price", "", "issue_price_exact", per_share, "{{source}}"),
        ("Conversion price at the beginning", "start", "", "start_exact", per_share, "{{source}}"),
        ("Decimals of the price", "price_digits", "", "price_rounding", "digits", "terms of the series"),
        ("Decimals of the ratio", "ratio_digits", "", "ratio_rounding", "digits", "terms of the series"),
        ("Conversion price in force", "price", "price_unrounded", "price_exact", per_share, "Calculation"),
        (
            "Price that the ratio is taken from",
            "",
            "ratio_price",
            "ratio_price_exact",
            per_share,
            "{{ratio_basis}}",
        ),
        ("Common per preferred", "ratio", "ratio_unrounded", "ratio_exact", ratio, "Calculation"),
    ):
        row = page.row
        page.text(f"A{row}", label, "label")
        page.text(f"B{row}", "", "label")
        page.sheet.merge_cells(f"A{row}:B{row}")
        _put(page, f"C{row}", rounded, "result" if rounded in ("price", "ratio") else "plain")
        _put(page, f"D{row}", unrounded, "plain")
        page.text(f"E{row}", f"{{{{{exact}}}}}", "plain")
        for column in "FGJ":
            page.text(f"{column}{row}", "", "plain")
        page.sheet.merge_cells(f"E{row}:G{row}")
        page.text(f"H{row}", source, "muted")
        page.text(f"I{row}", unit, "muted")
        page.sheet.row_dimensions[row].height = 27.75 if source == "{{source}}" else 15
        page.row += 1
    book.name("in_original_issue_price", page.address(f"C{ISSUE_PRICE}"))
    book.name("in_conversion_price", page.address(f"C{START}"))
    book.name("out_conversion_price", page.address(f"C{PRICE}"))
    book.name("out_conversion_price_unrounded", page.address(f"D{PRICE}"))
    book.name("out_conversion_ratio", page.address(f"C{RATIO}"))
    book.name("out_conversion_ratio_unrounded", page.address(f"D{RATIO}"))

    page.section("Counts")
    for label, formula, name, number, words in (
        ("Events", f"=COUNTA({_own('A', FIRST_EVENT)})", "events", "0", "their history is below"),
        (
            "Comparisons with stated figures",
            f"=COUNTA({_column('Tie-out', 'A')})",
            "comparisons",
            "0",
            "{{stated}}",
        ),
        (
            "of which do not tie",
            f'=COUNTIF({_column("Tie-out", "K")},"{Result.EXCEPTION}")',
            "exceptions",
            "0",
            "each is explained on Tie-out; nothing is corrected",
        ),
        ("Holders", "=Holders!$A$8", "holders_text", "@", "{{whole_shares}}"),
        ("Preferred that they hold", "=Holders!$B$8", "preferred", "#,##0.####", "shares of preferred"),
        (
            "Common for it in whole shares",
            "=Holders!$E$8",
            "whole",
            "#,##0",
            "shares of common, fractions left over",
        ),
        ("All checks", "=Checks!$F$6", "master", "General", "{{checks_say}}"),
    ):
        row = page.row
        page.text(f"A{row}", label, "label")
        page.text(f"B{row}", "", "label")
        page.sheet.merge_cells(f"A{row}:B{row}")
        page.formula(f"C{row}", formula, name, number, "result", align="right")
        page.text(f"D{row}", words, "muted")
        for column in "EFGHIJ":
            page.text(f"{column}{row}", "", "muted")
        page.sheet.merge_cells(f"D{row}:J{row}")
        page.row += 1
    page.mark(f"C{page.row - 1}", OK, CHECK)

    page.section("Price history")
    header = [
        "Event",
        "Date",
        "Kind",
        "Price before",
        "Price after",
        "Unrounded",
        "Ratio",
        "What happened, and why",
    ]
    page.header([*header, "Clause", "Source"], numeric="BDEFG", freeze=True)
    _same(page.row, FIRST_EVENT)
    row = page.row
    _texts(page, "history", {"A": "event", "C": "kind", "H": "what"}, "plain")
    _texts(page, "history", {"I": "clause", "J": "source"}, "muted")
    page.day(f"B{row}", MADE, "plain")
    page.sheet[f"B{row}"].value = "{{history.date}}"
    for column, name in zip("DEFG", ("before", "after", "unrounded", "ratio"), strict=True):
        _put(page, f"{column}{row}", f"history.{name}", "result" if name == "after" else "plain")


def _notice(book: Book) -> None:
    page = book.page(
        "Notice", "To the holders, on the last event that moved the price", NOTICE_WIDTHS, landscape=False
    )
    sheet = page.sheet
    first = page.row
    _line(page, "{{draft}}", Font(FONT, 11, bold=True, color=BAD_INK), 18)
    _line(page, "{{company}}", Font(FONT, 14, bold=True, color=INK), 22)
    _line(page, "{{notice_day}}", Font(FONT, 10))
    _gap(page)
    _line(page, "{{addressee}}", Font(FONT, 11, bold=True))
    _line(page, "{{subject}}", Font(FONT, 13, bold=True, color=INK), 22)
    page.header(["Adjustment", "", "Before", "After"], numeric="CD")
    for place in (1, 2):
        row = page.row
        page.text(f"A{row}", f"{{{{line_{place}}}}}", "label")
        page.text(f"B{row}", "", "label")
        sheet.merge_cells(f"A{row}:B{row}")
        _put(page, f"C{row}", f"before_{place}", "plain")
        _put(page, f"D{row}", f"after_{place}", "result")
        page.row += 1
    _gap(page)
    cell = sheet[f"A{page.row}"]
    # All paragraphs in one cell: rows of their own would be as high for short ones as for long ones.
    cell.value, cell.font = "{{notice_text}}", Font(FONT, 10)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    _across(page, 12.75 * NOTICE_LINES + 2.25)
    _line(page, "For {{company}}", Font(FONT, 10, bold=True))
    for label in SIGN:
        page.text(f"A{page.row}", label)
        sheet[f"A{page.row}"].border = Border()
        sheet[f"A{page.row}"].alignment = Alignment(vertical="bottom")
        sheet[f"B{page.row}"].border = Border(bottom=Side(style="thin"))
        sheet.row_dimensions[page.row].height = 20
        page.row += 1
    _gap(page)
    page.section("{{computation}}", gap=0)
    page.header(["Letter", "What it is", "How it follows", "Figure"], numeric="D")
    sheet.print_title_rows = f"{page.row - 2}:{page.row - 1}"
    _same(page.row, FIRST_LETTER)
    _texts(page, "letters", {"A": "symbol"}, "symbol")
    _texts(page, "letters", {"B": "label", "C": "how"}, "plain")
    _put(page, f"D{page.row}", "letters.value", "plain")
    sheet.print_area = f"A{first}:D{page.row}"
    sheet.page_margins.left = sheet.page_margins.right = NOTICE_MARGIN
    sheet.freeze_panes = f"A{first}"


def _calculation(book: Book) -> None:
    page = book.page("Calculation", "How each price and ratio follows, step by step", CALCULATION_WIDTHS)
    header = [
        "Event",
        "Symbol",
        "Figure",
        "Formula, and with numbers",
        "Value",
        "Exact, as a double",
        "Exact figure",
    ]
    page.header([*header, "Unit", "Clause", "Agrees"], numeric="EFG", centred="J", freeze=True)
    _same(page.row, FIRST_STEP)
    row = page.row
    _texts(page, "steps", {"A": "event"}, "muted")
    _texts(page, "steps", {"B": "symbol"}, "symbol")
    _texts(page, "steps", {"C": "label", "D": "formula"}, "plain")
    _put(page, f"E{row}", "steps.value", "plain")
    _put(page, f"F{row}", "steps.double", "plain")
    page.text(f"G{row}", "{{steps.exact}}", "plain", align="right")
    _texts(page, "steps", {"H": "unit", "I": "clause"}, "muted")
    agrees = f'=IF(ISERROR(E{row}),"{CHECK}",IF(ABS(E{row}-F{row})<=ABS(F{row})*Checks!$B$4,"{OK}","{CHECK}"))'
    page.formula(f"J{row}", agrees, "steps.agrees", align="center")
    page.mark(f"J{row}", OK, CHECK)


def _tie_out(book: Book) -> None:
    page = book.page("Tie-out", "Stated figures against recomputed ones; nothing is corrected", TIE_OUT_WIDTHS)
    page.text("A4", f"Tick marks: {_ticks()}", "muted")
    page.sheet["A4"].border = Border()
    page.sheet.merge_cells("A4:M4")
    page.sheet.row_dimensions[4].height = 27.75
    page.row = 5
    header = ["Tick", "Event", "Figure, and how it was recomputed", "Stated, as written", "Stated", "Digits"]
    header += ["Recomputed", "At the digits written", "Stated less recomputed", "Half of the last digit", "Result"]
    page.header([*header, "Explanation", "Source"], numeric="DEFGHIJ", centred="AK", freeze=True)
    _same(page.row, FIRST_FINDING)
    row = page.row
    page.text(f"A{row}", "{{findings.tick}}", "symbol", align="center")
    _texts(page, "findings", {"B": "event", "M": "source"}, "muted")
    _texts(page, "findings", {"C": "figure", "L": "explanation"}, "plain")
    page.text(f"D{row}", "{{findings.written}}", "input", align="right")
    for column, name in zip(
        "EFGHIJ", ("stated", "digits", "recomputed", "rounded", "difference", "half"), strict=True
    ):
        _put(page, f"{column}{row}", f"findings.{name}", "plain")
    page.text(f"K{row}", "{{findings.result}}", "plain", align="center")
    page.mark(f"K{row}", Result.TIES.value, Result.EXCEPTION.value)


def _holders(book: Book) -> None:
    page = book.page("Holders", "What each holder gets on conversion at the price in force", HOLDERS_WIDTHS)
    page.section("Terms and totals")
    page.text(f"A{page.row}", "Decimals of whole shares", "label")
    page.number(f"B{page.row}", ZERO, "0")
    page.text(f"C{page.row}", "{{whole_shares}}", "muted")
    for column in "DEFG":
        page.text(f"{column}{page.row}", "", "muted")
    page.sheet.merge_cells(f"C{page.row}:G{page.row}")
    page.row += 2
    page.header(["Totals", "Preferred", "", "Common, unrounded", "Whole shares", "Fractions", ""], numeric="BCDEF")
    row, first = page.row, FIRST_HOLDER
    count = f'=COUNTA({_own("A", first)})&IF(COUNTA({_own("A", first)})=ROWS(A{row})," holder"," holders")'
    page.formula(f"A{row}", count, "holders_text", look="result", align="left")
    page.formula(f"B{row}", f"=SUM({_own('B', first)})", "preferred", "#,##0.####", "result", align="right")
    page.text(f"C{row}", "", "result")
    page.formula(f"D{row}", f"=SUM({_own('D', first)})", "common", "#,##0.0000", "result", align="right")
    page.formula(f"E{row}", f"=SUM({_own('E', first)})", "whole", "#,##0", "result", align="right")
    page.formula(f"F{row}", f"=D{row}-E{row}", "fractions", "#,##0.0000", "result", align="right")
    page.text(f"G{row}", "", "result")
    page.row += 2
    header = [
        "Holder",
        "Preferred",
        "Price that it is taken from",
        "Common, unrounded",
        "Whole shares",
        "Fraction",
    ]
    page.header([*header, "Remark"], numeric="BCDEF", freeze=True)
    _same(page.row, FIRST_HOLDER)
    row = page.row
    _texts(page, "holders", {"A": "holder"}, "plain")
    _put(page, f"B{row}", "holders.preferred", "input", "#,##0.####")
    page.formula(f"C{row}", f"=Statement!$D${RATIO_PRICE}", "ratio_price_value", UNROUNDED, align="right")
    unrounded = f"=B{row}*Statement!$C${ISSUE_PRICE}/C{row}"
    page.formula(f"D{row}", unrounded, "holders.unrounded", "#,##0.0000", align="right")
    _put(page, f"E{row}", "holders.whole", "result", "#,##0")
    page.formula(f"F{row}", f"=D{row}-E{row}", "holders.fraction", "0.0000", align="right")
    _texts(page, "holders", {"G": "remark"}, "muted")


def _checks(book: Book) -> None:
    page = book.page("Checks", "Whether the formulas here give the exact figures", CHECKS_WIDTHS)
    page.text("A4", "Tolerance: a part of an unrounded figure; a rounded one and a count must be equal", "label")
    page.number("B4", TOLERANCE, "0E+00")
    page.row = 6
    last = page.row + 2 + len(_CHECKS)
    page.text("A6", "All checks: the formulas agree", "result")
    for column in "BCDE":
        page.text(f"{column}6", "", "result")
    results = f"F9:F{last}"
    page.formula(
        "F6",
        f'=IF(COUNTIF({results},"{OK}")=ROWS({results}),"{OK}","{CHECK}")',
        "master",
        look="result",
        align="center",
    )
    page.mark("F6", OK, CHECK)
    book.name("chk_all", page.address("F6"))
    page.row = 8
    page.header(
        ["Check", "Exact figure", "This workbook", "Difference", "Tolerance", "Result"],
        numeric="BCDE",
        centred="F",
        freeze=True,
    )
    for label, expected, formula, name, number, rounded in _CHECKS:
        row = page.row
        page.text(f"A{row}", label)
        if expected.startswith("="):
            page.formula(f"B{row}", expected, name, number, align="right")
        elif expected == "0":
            page.number(f"B{row}", ZERO, number, "plain")
        else:
            _put(page, f"B{row}", expected, "plain", number)
        if formula:
            page.formula(f"C{row}", formula.replace("{row}", str(row)), name, number, align="right")
        else:
            _put(page, f"C{row}", "last_price", "plain", number)
        page.formula(f"D{row}", f"=C{row}-B{row}", "none", "0.0E+00", align="right")
        if rounded:
            page.number(f"E{row}", ZERO, "0", "plain")
        else:
            tolerance = f"{name}_tolerance"
            page.formula(f"E{row}", f"=ABS(B{row})*$B$4", tolerance, "0.0E+00", align="right")
        result = f'=IF(ISERROR(D{row}),"{CHECK}",IF(ABS(D{row})<=E{row},"{OK}","{CHECK}"))'
        page.formula(f"F{row}", result, "ok", align="center")
        page.row += 1
    page.mark(f"F9:F{page.row - 1}", OK, CHECK)


def _own(column: str, row: int) -> str:
    """A column of a table, which grows with its rows."""
    return f"{column}{row}:{column}{row}"


def _column(sheet: str, column: str) -> str:
    row = {"Statement": FIRST_EVENT, "Calculation": FIRST_STEP, "Tie-out": FIRST_FINDING, "Holders": FIRST_HOLDER}[
        sheet
    ]
    quoted = f"'{sheet}'" if "-" in sheet else sheet
    return f"{quoted}!{column}{row}:{column}{row}"


_KINDS, _BEFORE, _AFTER = (_column("Statement", column) for column in "CDE")
# Of each check: what it is, the placeholder or formula of the figure that must come out, the formula (none for the
# last row of the history), the name of its value, the number format, whether it must be equal.
_CHECKS: Sequence[tuple[str, str, str, str, str, bool]] = (
    (
        "The last step of Calculation is the price in force",
        "price_value",
        f"=Statement!C{PRICE}",
        "price_value",
        UNROUNDED,
        False,
    ),
    (
        "The price in force before it is rounded",
        "unrounded_value",
        f"=Statement!D{PRICE}",
        "unrounded_value",
        UNROUNDED,
        False,
    ),
    (
        "The last price of the history is the price in force",
        f"=Statement!C{PRICE}",
        "",
        "price_value",
        UNROUNDED,
        True,
    ),
    ("Common per preferred, rounded", "ratio_value", f"=Statement!C{RATIO}", "ratio_value", UNROUNDED, False),
    (
        "Common per preferred, unrounded",
        "ratio_unrounded_value",
        f"=Statement!D{RATIO}",
        "ratio_unrounded_value",
        UNROUNDED,
        False,
    ),
    (
        "Steps that do not agree with their exact figure",
        "0",
        f'=COUNTA({_column("Calculation", "A")})-COUNTIF({_column("Calculation", "J")},"{OK}")',
        "none",
        "0",
        True,
    ),
    (
        "Issuances that raise the price",
        "0",
        # LibreOffice finds #N/A where the only row is blank.
        f'=IF(COUNTA({_KINDS})=B{{row}},B{{row}},SUMPRODUCT(({_KINDS}="{ISSUANCE}")*({_AFTER}>{_BEFORE})))',
        "none",
        "0",
        True,
    ),
    ("Events", "events", f"=COUNTA({_column('Statement', 'A')})", "events", "0", True),
    (
        "Comparisons with stated figures",
        "comparisons",
        f"=COUNTA({_column('Tie-out', 'A')})",
        "comparisons",
        "0",
        True,
    ),
    (
        "Stated figures that do not tie",
        "exceptions",
        f'=COUNTIF({_column("Tie-out", "K")},"{Result.EXCEPTION}")',
        "exceptions",
        "0",
        True,
    ),
    (
        "Preferred of all holders",
        "preferred",
        f"=SUM({_column('Holders', 'B')})",
        "preferred",
        "#,##0.####",
        False,
    ),
    (
        "Common of all holders, unrounded",
        "common",
        f"=SUM({_column('Holders', 'D')})",
        "common",
        "#,##0.0000",
        False,
    ),
    ("Common of all holders, whole shares", "whole", f"=SUM({_column('Holders', 'E')})", "whole", "#,##0", True),
)


def _headings(book: Book) -> None:
    """The lines under the titles, the corners and the footers, the same on each sheet."""
    for page in book.pages:
        sheet, corner = page.sheet, page.last_column
        sheet["A2"].value = f"{{{{heading}}}}. {page.purpose}"
        sheet["A3"].value = f"{{{{as_of_words}}}} xl_conversion {__version__}. Input SHA-256 {{{{digest}}}}."
        for coordinate in ("A2", "A3"):
            sheet[coordinate].data_type = "s"
        _corner(page, f"{corner}1", '="Formulas agree: "&chk_all', "agree_line", 'chk_all="OK"', 'chk_all<>"OK"')
        comparisons, exceptions = "Statement!$C$16", "Statement!$C$17"
        _corner(
            page,
            f"{corner}2",
            f'=IF({comparisons}=0,"Tie-out: nothing is stated",'
            f'"Tie-out: "&{exceptions}&" of "&{comparisons}&" do not tie")',
            "tie_line",
            f"AND({comparisons}>0,{exceptions}=0)",
            f"{exceptions}>0",
        )
        if sheet.title == "Notice":
            sheet.oddFooter = HeaderFooterItem(right=_HeaderFooterPart("Page &P of &N"))
        else:
            sheet.oddFooter = HeaderFooterItem(
                left=_HeaderFooterPart("{{footer}}"),
                center=_HeaderFooterPart(f"{sheet.title}, {{{{as_of_footer}}}}"),
                right=_HeaderFooterPart("Page &P of &N"),
            )


def _corner(page: Page, coordinate: str, formula: str, name: str, good: str, bad: str) -> None:
    page.formula(coordinate, formula, name, look="label", align="right")
    cell = page.sheet[coordinate]
    cell.border = Border()
    cell.alignment = Alignment(horizontal="right", vertical="center", wrap_text=False)
    for condition, ink in ((good, GOOD_INK), (bad, BAD_INK)):
        style = DifferentialStyle(font=Font(color=ink, bold=True))
        rule = Rule(type="expression", dxf=style, formula=[condition])
        page.sheet.conditional_formatting.add(coordinate, rule)


def _styles(book: Book) -> None:
    """The styles of numbers, by look and decimals, and those of a few texts."""
    page = Page(book, book.workbook.create_sheet(STYLES), "", (20,), landscape=True)
    for coordinate in ("A1", "A2", "A3"):
        page.sheet[coordinate].value = None
    for look, decimals, thousands in product(LOOKS, range(MOST_PLACES + 1), (False, True)):
        _put(page, f"A{page.row}", "", look, f"#,##{places(decimals)}" if thousands else places(decimals))
        page.sheet[f"A{page.row}"].value = variant(look, decimals, thousands=thousands)
        page.row += 1
    page.text(f"A{page.row}", "first", "symbol")  # a text in the first column has no indent
    for name, look, align in (
        ("given", "muted", "left"),
        ("found", "plain", "right"),
        ("stated", "input", "right"),
        ("compared", "muted", "right"),
        ("rounded result", "result", "right"),
    ):
        page.text(f"B{page.row}", name, look, align=align)
        page.row += 1


def _numbers_fit(book: Book) -> None:
    """Numbers are made smaller where they are too long for their column, as ### says nothing."""
    for sheet in book.workbook.worksheets:
        for cell in (cell for row in sheet.iter_rows(min_row=4) for cell in row):
            if cell.alignment.horizontal == "right" and cell.number_format not in ("General", TEXT):
                cell.alignment = Alignment(horizontal="right", vertical="top", shrink_to_fit=True)


def _put(page: Page, coordinate: str, name: str, look: Look, number: str = UNROUNDED) -> None:
    """A cell that takes a number."""
    page.number(coordinate, ZERO, number, look)
    page.sheet[coordinate].value = f"{{{{{name}}}}}" if name else None


def _texts(page: Page, table: str, columns: Mapping[str, str], look: Look) -> None:
    """Cells of the row that is repeated, which take texts."""
    for column, name in columns.items():
        page.text(f"{column}{page.row}", f"{{{{{table}.{name}}}}}", look)


def _line(page: Page, text: str, font: Font, height: float = 15) -> None:
    """A line of a letter, made smaller where it is too long."""
    cell = page.sheet[f"A{page.row}"]
    cell.value, cell.font = text, font
    cell.alignment = Alignment(vertical="center", shrink_to_fit=True)
    _across(page, height)


def _gap(page: Page) -> None:
    """Between the parts of a letter."""
    page.sheet.row_dimensions[page.row].height = 8
    page.row += 1


def _across(page: Page, height: float) -> None:
    page.sheet.merge_cells(f"A{page.row}:{page.last_column}{page.row}")
    page.sheet.row_dimensions[page.row].height = height
    page.row += 1


def _ticks() -> str:
    """The tick marks in words."""
    return "; ".join(f"{check.value} {check.meaning}" for check in Check)


def _same(found: int, known: int) -> None:
    if found != known:
        raise RuntimeError(f"a table of the statement begins in row {found}, and formulas expect {known}")
