"""The first sheet: what the workbook is, how to use it, and what its colours and words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xl_conversion import __version__
from xl_conversion.books.page import Look, Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import CHECK, NO_ADDIN, OK, OPEN, Model

PURPOSE = "What this workbook is and how to use it"
WIDTHS = (22, 24, 36, 26)

TITLE_ROWS = "1:3"
ROWS_OF_A_PAGE = 46
LEGEND: Sequence[tuple[str, Look, str]] = (
    ("input", "input", "blue on a light fill: an input, to be overwritten"),
    ("formula", "plain", "black: a formula, not to be touched"),
    ("result", "result", "bold on a fill: a result"),
)


@dataclass(frozen=True, slots=True)
class About:
    """What the first sheet says of a model."""

    what: str
    use: Sequence[str]
    """Steps; the last one is on the add-in."""
    words: Sequence[tuple[str, str, Mapping[str, str]]]
    """Enumerations: heading, symbol, and each word with its meaning."""
    sources: Sequence[str] = ()


def write_about(model: Model, page: Page, about: About, sheets: Mapping[str, str]) -> None:
    """The sheet; `sheets` are the others with the purpose of each."""
    page.sheet.print_title_rows = TITLE_ROWS
    page.row += 1
    page.section("What it is", 0)
    _wide(page, "A", about.what)
    page.section("How to use it")
    for number, text in enumerate(about.use, start=1):
        page.text(f"A{page.row}", f"Step {number}" if number < len(about.use) else "Add-in", "label")
        _wide(page, "B", text)
    page.section("Sheets")
    for sheet, purpose in sheets.items():
        page.text(f"A{page.row}", sheet, "symbol")
        page.sheet[f"A{page.row}"].hyperlink = f"#'{sheet}'!A1"
        _wide(page, "B", purpose)
    page.section("Colours")
    for sample, look, meaning in LEGEND:
        page.text(f"A{page.row}", sample, look, align="center")
        _wide(page, "B", meaning)
    for sample, meaning in (
        (OK, "a check that holds"),
        (CHECK, "a check that fails: a formula was overwritten, or an input is impossible"),
        (NO_ADDIN, "a check that cannot be made, because the worksheet functions are not there"),
        (OPEN, "a check that cannot be made yet, because inputs are missing"),
    ):
        page.text(f"A{page.row}", sample, align="center")
        page.mark(f"A{page.row}", OK, CHECK, NO_ADDIN, OPEN)
        _wide(page, "B", meaning)
    page.break_before()
    broken = page.row
    if about.sources:
        page.section("Sources of the figures as delivered")
    for number, source in enumerate(about.sources, start=1):
        page.text(f"A{page.row}", f"Document {number}", "label")
        _wide(page, "B", source)
    page.section("Version")
    page.text(f"A{page.row}", "Worksheet functions", "label")
    model.formula(page, f"B{page.row}", "CP_VERSION()", symbol="VERSION", name="out_version")
    _wide(page, "C", "version of the add-in that computes the worksheet functions")
    page.text(f"A{page.row}", "Add-in", "label")
    missing = 'IF(ISERROR(VERSION), "missing: native formulas only", "there")'
    model.formula(page, f"B{page.row}", missing, symbol="ADDIN")
    _wide(page, "C", "without it every result is still computed by native formulas; checks of the functions wait")
    page.text(f"A{page.row}", "Written by", "label")
    page.text(f"B{page.row}", f"xl_conversion {__version__}")
    _wide(page, "C", "version that this workbook was written by")
    page.section("Words that the choices on the input sheets come from")
    for heading, symbol, names in about.words:
        if page.row + len(names) - broken > ROWS_OF_A_PAGE:
            page.break_before()
            broken = page.row
        _list(model, page, heading, symbol, names)


def _wide(page: Page, first: str, text: str) -> None:
    wide(page, (first, "D"), WIDTHS["ABCD".index(first) :], text)
    page.row += 1


def _list(model: Model, page: Page, heading: str, symbol: str, names: Mapping[str, str]) -> None:
    first = page.row
    for name, meaning in names.items():
        page.text(f"A{page.row}", heading if page.row == first else "", "label")
        model.listed(page, f"B{page.row}", f"{symbol}_{name}", str(name))
        _wide(page, "C", meaning)
    model.range(page, symbol, f"B{first}", f"B{page.row - 1}")
