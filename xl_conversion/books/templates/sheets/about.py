"""The first sheet: what the workbook is, how to use it, and what its colours and words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xl_conversion import __version__
from xl_conversion.books.page import Look, Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import CHECK, NO_ADDIN, OK, Model
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis

PURPOSE = "What this workbook is and how to use it"
WIDTHS = (22, 24, 36, 26)

WHAT = (
    "A model of one adjustment of the conversion price of convertible preferred stock, by a weighted average "
    "clause. Each figure is computed twice: by a worksheet function (CP_...), exact and rounded once, and by "
    "native formulas, which need no add-in. Stated figures are tied out."
)
USE = (
    "Overwrite the blue cells on Inputs, Securities, Chain, What if and Tie-out; nothing else is typed in.",
    "Read the results on Calculation: each figure, its formula, its clause, rounded and unrounded.",
    "See on Tie-out which stated figures tie and which are exceptions; nothing is corrected.",
    "See in the corner of each sheet whether the formulas agree and how many stated figures do not tie.",
    f"Worksheet functions need the add-in. Without it they show #NAME? and the checks {NO_ADDIN}; the native "
    "formulas, the results and the tie-out work all the same.",
)
LEGEND: Sequence[tuple[str, Look, str]] = (
    ("input", "input", "blue on a light fill: an input, to be overwritten"),
    ("formula", "plain", "black: a formula, not to be touched"),
    ("result", "result", "bold on a fill: a result"),
)
TYPES: Mapping[str, str] = {
    RoundingType.HALF_UP: "to the nearest; a tie goes up, as Excel's ROUND has it",
    RoundingType.HALF_EVEN: "to the nearest; a tie goes to the even digit",
    RoundingType.FLOOR: "down",
    RoundingType.CEILING: "up",
}
BASES: Mapping[str, str] = {
    Basis.ROUNDED: "the price as the charter rounds it",
    Basis.UNROUNDED: "the price before it is rounded",
}
KINDS: Mapping[str, str] = {
    SecurityKind.SHARES: "shares of common",
    SecurityKind.OPTION: "counts at its most shares, with the least that is still to be paid",
    SecurityKind.WARRANT: "counts at its most shares, with the least that is still to be paid",
    SecurityKind.CONVERTIBLE_NOTE: "counts at its most shares; its principal is what was paid",
    SecurityKind.PREFERRED: "counts the common that it converts into",
}


def write_about(model: Model, page: Page, subject: Subject, sheets: Mapping[str, str]) -> None:
    """The sheet; `sheets` are the others with the purpose of each."""
    page.row += 1
    page.section("What it is", 0)
    _wide(page, "A", WHAT)
    page.section("How to use it")
    for number, text in enumerate(USE, start=1):
        page.text(f"A{page.row}", f"Step {number}" if number < len(USE) else "Add-in", "label")
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
    ):
        page.text(f"A{page.row}", sample, align="center")
        page.mark(f"A{page.row}", OK, CHECK, NO_ADDIN)
        _wide(page, "B", meaning)
    page.section("Words that the choices on Inputs and Securities come from")
    _list(model, page, "Rounding types", "TYPES", TYPES)
    _list(model, page, "Prices", "BASES", BASES)
    _list(model, page, "Kinds of security", "KINDS", KINDS)
    page.section("Sources of the figures as delivered")
    for number, source in enumerate(subject.sources, start=1):
        page.text(f"A{page.row}", f"Document {number}", "label")
        _wide(page, "B", source)
    page.section("Version")
    page.text(f"A{page.row}", "Worksheet functions", "label")
    model.formula(page, f"B{page.row}", "CP_VERSION()", symbol="VERSION", name="out_version")
    _wide(page, "C", "version of the add-in that computes the worksheet functions")
    for label, text, meaning in (
        ("Written by", f"xl_conversion {__version__}", "version that this workbook was written by"),
        (
            "Delivered with",
            model.book.digest[:12],
            "SHA-256, first digits, of the figures the workbook was delivered with",
        ),
    ):
        page.text(f"A{page.row}", label, "label")
        page.text(f"B{page.row}", text)
        _wide(page, "C", meaning)


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
