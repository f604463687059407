"""The capitalization around the event: what counts as common outstanding and as other securities."""

from __future__ import annotations

from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import CHECK, OK, SHARES, Model, one_of, zero_or_above
from xl_conversion.books.templates.sheets.checks import is_word
from xl_conversion.books.templates.tables import Column, write_table

PURPOSE = "Common by class just before the event and just after it, and what counts as what"
WIDTHS = (40, 20, 22, 22, 20, 56, 11)
TABLE = "in_capitalization"
CLASS, KIND, BEFORE, AFTER, COUNTED, SOURCE = "Class", "Kind", "Before", "After", "Counted as", "Source"
ROWS = 14
RULE = (
    "Before and After are shares of common: what a class is, converts into or can at most become. After is needed "
    "where Inputs take the company's own counts after the event; else the securities issued are added to A."
)


def write_capitalization(model: Model, page: Page) -> None:
    """The table, and the sums that the letters of the fraction are."""
    columns = [
        Column(CLASS, "CLASS"),
        Column(KIND, "KIND", rule=_choice(model, KIND, "CLASS_KINDS")),
        Column(BEFORE, "BEFORE", SHARES, align="right", rule=zero_or_above(BEFORE)),
        Column(AFTER, "AFTER", SHARES, align="right", rule=zero_or_above(AFTER)),
        Column(COUNTED, "AS", rule=_choice(model, COUNTED, "COUNTED_AS")),
        Column(SOURCE, "SOURCE"),
        Column("Complete", "COMPLETE", align="center", formula=_complete),
    ]
    first, last = write_table(model, page, TABLE, "Q", columns, ROWS)
    page.mark(f"G{first}:G{last}", OK, CHECK)
    for label, counted, before, after in (
        ("Common outstanding: A before, X after", "outstanding", "SUM_A", "SUM_X"),
        ("Common underlying other securities: C before, Y after", "other", "SUM_C", "SUM_Y"),
    ):
        row = page.row
        page.text(f"A{row}", label, "result")
        page.text(f"B{row}", "shares of common", "result")
        for column in "FG":
            page.text(f"{column}{row}", "", "result")
        for column, symbol, cells in (("C", before, "Q_BEFORE"), ("D", after, "Q_AFTER")):
            model.formula(
                page,
                f"{column}{row}",
                f"SUMIF(Q_AS, COUNTED_AS_{counted}, {cells})",
                SHARES,
                symbol=symbol,
                look="result",
                name=f"out_{symbol.lower()}",
            )
        model.formula(page, f"E{row}", f'COUNTED_AS_{counted}&""', look="result")
        page.height([(label, WIDTHS[0])])
        page.row += 1
    page.row += 1
    wide(page, ("A", "G"), WIDTHS, RULE)


def _complete(number: int) -> str:
    name, kind, before, after, counted = (f"Q{number}_{c}" for c in ("CLASS", "KIND", "BEFORE", "AFTER", "AS"))
    known = f"{is_word(counted, 'COUNTED_AS')}*{is_word(kind, 'CLASS_KINDS')}>ZERO"
    needed = f"OR(COUNTED<>COUNTS_AFTER_own_counts, ISNUMBER({after}), {counted}=COUNTED_AS_not_counted)"
    after_known = f"COUNT({after})=COUNTA({after}), N({after})>=ZERO, {needed}"
    complete = f"AND({known}, ISTEXT({name}), ISNUMBER({before}), N({before})>=ZERO, {after_known})"
    return f'IF(COUNTA({name}, {kind}, {before}, {after}, {counted})=ZERO, "", IF({complete}, "{OK}", "{CHECK}"))'


def _choice(model: Model, label: str, names: str) -> DataValidation:
    return one_of(label, model.places[names], model.texts(names))
