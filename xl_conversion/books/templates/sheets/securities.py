"""The securities issued: shares of common and consideration of each, and of all together."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import (
    AMOUNT,
    CHECK,
    OK,
    PRICE,
    SHARES,
    Model,
    above_zero,
    one_of,
    zero_or_above,
)
from xl_conversion.books.templates.tables import Column, write_table

PURPOSE = "What the event issued, and what was or will at least be paid for it"
WIDTHS = (30, 17, 14, 16, 19, 19, 11, 11, 34, 40)
TABLE = "in_securities"
SECURITY, KIND, SECURITY_SHARES, EACH, IN_ALL, SOURCE, NOTE = (
    "Security",
    "Kind",
    "Shares",
    "Consideration per share",
    "Consideration in all",
    "Source",
    "Note",
)
ROWS = 12
RULE = (
    "Shares are shares of common: for options, warrants and convertibles the most that they can become. Each "
    "security needs its shares and one of the two: consideration per share of common, or in all, with the least "
    "that is still to be paid on exercise or conversion."
)


def write_securities(model: Model, page: Page) -> None:
    """The table, the totals, and the lowest price of one of them."""
    columns = [
        Column(SECURITY, "SECURITY"),
        Column(KIND, "KIND", rule=one_of(KIND, model.places["KINDS"], model.texts("KINDS"))),
        Column(SECURITY_SHARES, "SHARES", SHARES, align="right", rule=above_zero(SECURITY_SHARES)),
        Column(EACH, "EACH", PRICE, align="right", rule=zero_or_above(EACH)),
        Column(IN_ALL, "IN_ALL", AMOUNT, align="right", rule=zero_or_above(IN_ALL)),
        Column("Consideration, money", "PAID", AMOUNT, align="right", formula=_paid),
        Column("Price, per share", "PRICE", PRICE, align="right", formula=_price),
        Column("Complete", "COMPLETE", align="center", formula=_complete),
        Column(SOURCE, "SOURCE"),
        Column(NOTE, "NOTE"),
    ]
    first, last = write_table(model, page, TABLE, "S", columns, ROWS)
    page.mark(f"H{first}:H{last}", OK, CHECK)
    row = page.row
    for column, text in zip("ABEGHIJ", ("All securities", *[""] * 6), strict=True):
        page.text(f"{column}{row}", text, "result")
    for column, formula, number_format, symbol, name in (
        ("C", "SUM(S_SHARES)", SHARES, "LISTED", "out_shares_listed"),
        ("F", "SUM(S_PAID)", AMOUNT, "CONSIDERATION", "out_consideration"),
        ("D", 'IF(LISTED>ZERO, CONSIDERATION/LISTED, "")', PRICE, "EACH_ON_AVERAGE", ""),
        ("G", 'IF(COUNT(S_PRICE)>ZERO, MIN(S_PRICE), "")', PRICE, "LOWEST", "out_lowest_price"),
    ):
        model.formula(
            page, f"{column}{row}", formula, number_format, symbol=symbol, look="result", align="right", name=name
        )
    page.row += 1
    for column, text in zip("CDFG", ("in all", "on average", "in all", "the lowest"), strict=True):
        page.text(f"{column}{page.row}", text, "muted", align="right")
    page.row += 2
    wide(page, ("A", "J"), WIDTHS, RULE)
    page.row += 1


def _paid(number: int) -> str:
    shares, each, in_all = (f"S{number}_{column}" for column in ("SHARES", "EACH", "IN_ALL"))
    return f'IF(COUNT({shares}), IF(COUNT({in_all}), {in_all}, {shares}*{each}), "")'


def _price(number: int) -> str:
    paid, shares = f"S{number}_PAID", f"S{number}_SHARES"
    return f'IF(AND(COUNT({paid}), N({shares})>ZERO), {paid}/{shares}, "")'


def _complete(number: int) -> str:
    name, shares, each, in_all = (f"S{number}_{column}" for column in ("SECURITY", "SHARES", "EACH", "IN_ALL"))
    one = f"COUNT({each}, {in_all})=COUNT({shares}), COUNT({each}, {in_all})=COUNTA({each}, {in_all})"
    complete = f'IF(AND({one}, N({shares})>ZERO, N({each})>=ZERO, N({in_all})>=ZERO), "{OK}", "{CHECK}")'
    return f'IF(COUNTA({name}, {shares}, {each}, {in_all}), {complete}, "")'
