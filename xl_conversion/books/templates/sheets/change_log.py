"""The change log: what the figures came from, when, and what the price was before and after."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.model import PRICE, Model
from xl_conversion.books.templates.tables import Column, write_table

PURPOSE = "Where the figures came from, one row for each refresh; rows of your own are welcome"
WIDTHS = (22, 30, 24, 34, 17, 17, 60)
TABLE = "in_change_log"
WHEN, WHAT, VERSION, DIGEST, BEFORE, AFTER, REMARK = (
    "When",
    "What",
    "Version",
    "Digest of the input, SHA-256",
    "Price before",
    "Price after",
    "Remark",
)
ROWS = 40


def write_change_log(model: Model, page: Page) -> None:
    """The table; the filling has what has happened so far."""
    columns = [
        Column(WHEN, "WHEN"),
        Column(WHAT, "WHAT"),
        Column(VERSION, "VERSION"),
        Column(DIGEST, "DIGEST"),
        Column(BEFORE, "BEFORE", PRICE, align="right"),
        Column(AFTER, "AFTER", PRICE, align="right"),
        Column(REMARK, "REMARK"),
    ]
    write_table(model, page, TABLE, "LOG", columns, ROWS)
