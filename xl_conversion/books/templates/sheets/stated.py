"""The figures as a notice states them, typed as written: their decimals say how exact they are."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import Model, one_of
from xl_conversion.books.templates.tables import Column, write_table
from xl_conversion.core.stated import Item

PURPOSE = "What the notice says, as it is written, and what another document says of the same"
WIDTHS = (22, 36, 22, 44, 24, 44)
TABLE = "in_stated"
ITEM, SUBJECT, WRITTEN, SOURCE, OTHER, OTHER_SOURCE = (
    "Item",
    "Of the security",
    "As written",
    "Source",
    "Other document says",
    "Other document",
)
ROWS = 20
ITEMS = {
    Item.A: "A, common outstanding before",
    Item.B: "B, shares the consideration would buy",
    Item.C: "C, other securities before",
    Item.NUMERATOR: "Numerator, A + B + C",
    Item.X: "X, common outstanding after",
    Item.Y: "Y, other securities after",
    Item.DENOMINATOR: "Denominator, X + Y",
    Item.CONVERSION_PRICE: "Conversion price after",
    Item.CONVERSION_RATIO: "Common per preferred",
    Item.COMMON_SHARES: "Common of a security",
    Item.DATE: "Date, against the other document",
}
"""What can be stated here; a chain from notes to preferred to common has a model of its own."""
RULE = (
    "Type figures with their commas and all their decimals. A figure of one security names it; a date is compared "
    "with the other document and needs both."
)


def write_stated(model: Model, page: Page) -> None:
    """The table."""
    columns = [
        Column(ITEM, "ITEM", rule=one_of(ITEM, model.places["ITEMS"], "the list on About")),
        Column(SUBJECT, "SUBJECT"),
        Column(WRITTEN, "WRITTEN", align="right"),
        Column(SOURCE, "SOURCE"),
        Column(OTHER, "OTHER", align="right"),
        Column(OTHER_SOURCE, "OTHER_SOURCE"),
    ]
    write_table(model, page, TABLE, "T", columns, ROWS)
    page.row += 1
    wide(page, ("A", "F"), WIDTHS, RULE)
