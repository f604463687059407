"""The tie-out: stated figures as written against recomputed ones, at the digits written; nothing is corrected."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.calculation import known
from xl_conversion.books.templates.chain.looks import SHARES_UNROUNDED, whole_as_whole
from xl_conversion.books.templates.chain.result import CAUTION, routes_that_give
from xl_conversion.books.templates.chain.stated import FORMATS
from xl_conversion.books.templates.lines import when_ready, wide
from xl_conversion.books.templates.model import AMOUNT, APART, WHOLE, Model
from xl_conversion.books.templates.sheets.rounding import rounded
from xl_conversion.core.tie_out import Result

PURPOSE = "Stated figures against recomputed ones; nothing is corrected"
WIDTHS = (4, 30, 13, 14, 9, 14, 17, 15, 11, 10, 9, 13, 9, 11, 26)
HEADER = (
    "No.",
    "Stated figure, and how it is recomputed",
    "As written",
    "Stated",
    "Decimals written",
    "Recomputed",
    "At those digits, worksheet function",
    "At those digits, native formula",
    "Difference",
    "Tolerance",
    "Check",
    "Stated less recomputed",
    "Allowed",
    "Result",
    "Routes that give it",
)
FIGURES = (
    ("PRINCIPAL", "Principal and interest: the sum of Notes", "NA", AMOUNT),
    ("PREFERRED", "Preferred: by the route that Inputs choose", "RESULT_PREFERRED", SHARES_UNROUNDED),
    ("COMMON", "Common: by the route that Inputs choose", "RESULT_COMMON", SHARES_UNROUNDED),
)


def write_tie_out(model: Model, page: Page) -> None:
    """A row a figure, and the count of exceptions."""
    counts = page.row + 1
    page.row += 4
    page.header(HEADER, numeric="CDEFGHIJLM", centred="KN", freeze=True)
    first = page.row
    for number, (figure, label, recomputed, number_format) in enumerate(FIGURES, start=1):
        page.text(f"A{page.row}", str(number), "muted")
        page.text(f"B{page.row}", label)
        _compared(model, page, figure, recomputed, number_format, label)
        page.row += 1
    model.range(page, "RESULTS", f"N{first}", f"N{page.row - 1}")
    page.mark(f"N{first}:N{page.row - 1}", Result.TIES, Result.EXCEPTION)
    page.row += 1
    wide(page, ("A", "O"), WIDTHS, CAUTION)
    end, page.row = page.row + 1, counts
    ties, exceptions = (f'COUNTIF(RESULTS, "{result}")' for result in (Result.TIES, Result.EXCEPTION))
    for symbol, label, formula in (
        ("COMPARISONS", "Comparisons", f"{ties}+{exceptions}"),
        ("EXCEPTIONS", "Exceptions among them", exceptions),
    ):
        for column, text in zip("AB", (label, ""), strict=True):
            page.text(f"{column}{page.row}", text, "label")
        page.sheet.merge_cells(f"A{page.row}:B{page.row}")
        name = f"out_{symbol.lower()}"
        model.formula(page, f"C{page.row}", formula, WHOLE, symbol=symbol, look="result", align="right", name=name)
        page.row += 1
    page.row = end


def _compared(model: Model, page: Page, figure: str, recomputed: str, number_format: str, label: str) -> None:
    row, stated, decimals = page.row, f"STATED_{figure}", f"DECIMALS_{figure}"
    given, native, function = f"TIE_{figure}", f"TIE_{figure}_NATIVE", f"TIE_{figure}_FUNCTION"
    at_digits = rounded(given, decimals, "TYPES_half_up")
    shown = FORMATS[figure]
    compared = f'IF({native}={stated}, "{Result.TIES}", "{Result.EXCEPTION}")'
    for column, formula, digits, symbol in (
        ("D", known(stated, stated), shown, f"TIE_{figure}_STATED"),
        ("E", known(decimals, stated), WHOLE, f"TIE_{figure}_DECIMALS"),
        ("F", when_ready(known(recomputed, stated)), number_format, given),
        ("H", known(at_digits, given), shown, native),
        ("G", known(f"CP_ROUND({given}, {decimals})", given), shown, function),
        ("L", known(f"{stated}-{given}", given), APART, f"TIE_{figure}_LESS"),
        ("M", known(f"HALF/TEN^{decimals}", given), "0.0########", f"TIE_{figure}_HALF"),
    ):
        model.formula(page, f"{column}{row}", formula, digits, symbol=symbol, align="right")
    if number_format == SHARES_UNROUNDED:
        for column in "DFGHL":
            whole_as_whole(page, f"{column}{row}")
    model.formula(page, f"C{row}", f'WRITTEN_{figure}&""', align="right")
    model.check(
        page,
        "IJK",
        f"Tie-out, {label.partition(':')[0].lower()}: rounded",
        native,
        function,
        "TOLERANCE",
        shown,
        symbol=f"TIE_{figure}_ROUNDED",
        when=f"ISNUMBER({given})",
        otherwise="",
    )
    model.formula(
        page,
        f"N{row}",
        known(compared, given),
        symbol=f"TIE_{figure}_RESULT",
        align="center",
        name=f"out_tie_{figure.lower()}",
    )
    if figure == "PRINCIPAL":
        page.text(f"O{row}", "")
        words = ""
    else:
        model.formula(
            page, f"O{row}", when_ready(routes_that_give(figure)), symbol=f"TIE_{figure}_BY", align="left"
        )
        words = str(model.value(f"TIE_{figure}_BY"))
    page.height([(label, WIDTHS[1]), (words, WIDTHS[14])])
