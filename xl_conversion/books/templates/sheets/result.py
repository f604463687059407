"""The result on one page: price and ratio before and after, rounded and unrounded, and how sure they are."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import when_ready
from xl_conversion.books.templates.model import (
    CHECK,
    COMMON,
    NO_ADDIN,
    OK,
    OPEN,
    PER_SHARE,
    PREFERRED,
    PRICE,
    RATIO,
    SHARES,
    UNROUNDED,
    WHOLE,
    Model,
)

PURPOSE = "Price and ratio before and after the event, and whether everything agrees"
WIDTHS = (44, 22, 22, 22, 14, 26)
HEADER = ("Figure", "Before", "After", "Change", "Change, percent", "Unit")
PERCENT = "0.00%"
TEXT = "text"


def write_result(model: Model, page: Page) -> None:
    """The page; the master check and the tie-out are there already."""
    page.header(HEADER, numeric="BCDE", freeze=True)
    for label, before, after, number_format, unit, result in (
        ("Conversion price, as the charter rounds it", "CP0", "CP2r", PRICE, PER_SHARE, True),
        ("Conversion price, unrounded", "UNROUNDED_IN", "CPu", UNROUNDED, PER_SHARE, False),
        ("Common per preferred, as the charter rounds it", "R0r", "Rr", PRICE, RATIO, True),
        ("Common per preferred, unrounded", "R0", "R", UNROUNDED, RATIO, False),
    ):
        row = page.row
        look = "result" if result else "plain"
        page.text(f"A{row}", label, look)  # type: ignore[arg-type]
        for column, formula, digits in (
            ("B", before, number_format),
            ("C", after, number_format),
            ("D", f"{after}-{before}", number_format),
            ("E", f"{after}/{before}-ONE", PERCENT),
        ):
            model.formula(page, f"{column}{row}", when_ready(formula), digits, look=look, align="right")  # type: ignore[arg-type]
        page.text(f"F{row}", unit, "muted")
        page.row += 1
    page.section("After the later events, and for the holders")
    for label, formula, number_format, unit in (
        ("Conversion price now, as the charter rounds it", "PRICE_NOW", PRICE, PER_SHARE),
        ("Common per preferred now, as the charter rounds it", "RATIO_NOW", PRICE, RATIO),
        ("Preferred on the register", "HOLDERS_PREFERRED", SHARES, PREFERRED),
        ("Common on conversion now, whole shares for each holder", "HOLDERS_COMMON", SHARES, COMMON),
        ("Common on conversion now, in aggregate", "HOLDERS_AGGREGATE", SHARES, COMMON),
    ):
        _line(model, page, label, when_ready(formula), number_format, unit)
    page.section("How sure")
    first = page.row
    for label, formula, number_format, unit in (
        ("Master check: native formulas and worksheet functions agree", "MASTER", "General", TEXT),
        ("Worksheet functions", "ADDIN", "General", TEXT),
        ("Stated figures that do not tie", "EXCEPTIONS", WHOLE, "see Tie-out"),
        ("Notices that differ from the recomputed figures", "NOTICES_DIFFER", WHOLE, "see Price history"),
        ("Required inputs that are missing", "MISSING", WHOLE, "see Inputs"),
    ):
        _line(model, page, label, formula, number_format, unit)
    page.mark(f"C{first}", OK, CHECK, NO_ADDIN, OPEN)


def _line(model: Model, page: Page, label: str, formula: str, number_format: str, unit: str) -> None:
    row = page.row
    page.text(f"A{row}", label)
    page.text(f"B{row}", "")
    model.formula(page, f"C{row}", formula, number_format, look="label", align="right")
    for column in "DE":
        page.text(f"{column}{row}", "")
    page.text(f"F{row}", unit, "muted")
    page.height([(label, WIDTHS[0])])
    page.row += 1
