"""The securities issued: shares of common and consideration of each, and of all together."""

from __future__ import annotations

from fractions import Fraction

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
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.inputs.records import SecurityRecord

PURPOSE = "What was issued, and what was or will at least be paid for it"
WIDTHS = (5, 32, 17, 18, 18, 20, 21, 10, 39, 46)
HEADER = (
    "No.",
    "Security",
    "Kind",
    "Shares of common",
    "Consideration per share",
    "Consideration in all, if given so",
    "Consideration, money",
    "Complete",
    "Source",
    "Note",
)
LEAST_ROWS, SPARE_ROWS = 8, 3
RULE = (
    "Each security needs its shares and one of the two: its consideration per share of common, or in all. Spare "
    "rows are for further securities."
)


def write_securities(model: Model, page: Page, subject: Subject) -> None:
    """A row for each security, spare rows, and the totals."""
    page.header(HEADER, numeric="ADEFG", centred="H", freeze=True)
    first = page.row
    securities = subject.securities
    rows = max(LEAST_ROWS, len(securities) + SPARE_ROWS)
    padded: list[SecurityRecord | None] = [*securities, *[None] * (rows - len(securities))]
    for place, security in enumerate(padded, start=1):
        _row(model, page, place, security)
    last = page.row - 1
    for column, symbol in (("D", "SHARES"), ("E", "EACH"), ("F", "IN_ALL"), ("G", "PAID"), ("H", "COMPLETE")):
        model.range(page, f"{symbol}_RANGE", f"{column}{first}", f"{column}{last}")
    page.mark(f"H{first}:H{last}", OK, CHECK)
    _totals(model, page)
    page.row += 1
    wide(page, ("B", "J"), WIDTHS[1:], RULE)
    page.row += 1


def shares_of(security: int) -> str:
    """The symbol of the shares of the security in that place, from 1."""
    return f"S{security}_SHARES"


def _row(model: Model, page: Page, place: int, security: SecurityRecord | None) -> None:
    row = page.row
    shares, each, in_all = shares_of(place), f"S{place}_EACH", f"S{place}_IN_ALL"
    page.number(f"A{row}", Fraction(place), "0", "muted")
    page.text(f"B{row}", security.security if security else "", "input")
    page.text(f"C{row}", security.kind.value if security else "", "input")
    _given(model, page, f"D{row}", shares, security.shares if security else None, SHARES)
    _given(model, page, f"E{row}", each, security.consideration_per_share if security else None, PRICE)
    _given(model, page, f"F{row}", in_all, security.consideration if security else None, AMOUNT)
    page.text(f"I{row}", security.source if security else "", "input")
    page.text(f"J{row}", security.note if security else "", "input")
    model.formula(
        page,
        f"G{row}",
        f'IF(COUNT({shares}), IF(COUNT({in_all}), {in_all}, {shares}*{each}), "")',
        AMOUNT,
        align="right",
    )
    complete = f'IF(COUNT({each}, {in_all})=COUNT({shares}), "{OK}", "{CHECK}")'
    model.formula(page, f"H{row}", f'IF(COUNT({shares}, {each}, {in_all}), {complete}, "")', align="center")
    model.validate(page, f"C{row}", one_of("Kind", model.places["KINDS"], model.texts("KINDS")))
    model.validate(page, f"D{row}", above_zero("Shares of common"))
    model.validate(page, f"E{row}", zero_or_above("Consideration per share"))
    model.validate(page, f"F{row}", zero_or_above("Consideration in all"))
    if security:
        texts = (security.security, security.source, security.note)
        page.height(list(zip(texts, (WIDTHS[1], WIDTHS[8], WIDTHS[9]), strict=True)))
    page.row += 1


def _given(
    model: Model, page: Page, coordinate: str, symbol: str, value: Fraction | None, number_format: str
) -> None:
    if value is None:
        model.blank(page, coordinate, symbol, number_format)
    else:
        model.number(page, coordinate, symbol, value, number_format)


def _totals(model: Model, page: Page) -> None:
    row = page.row
    for column, text in zip("ABCHIJ", ("", "All securities", "", "", "", ""), strict=True):
        page.text(f"{column}{row}", text, "result")
    model.formula(
        page, f"D{row}", "SUM(SHARES_RANGE)", SHARES, symbol="LISTED", look="result", name="out_shares_listed"
    )
    page.text(f"F{row}", "", "result")
    model.formula(
        page,
        f"G{row}",
        "SUM(PAID_RANGE)",
        AMOUNT,
        symbol="CONSIDERATION",
        look="result",
        name="out_consideration",
    )
    model.formula(page, f"E{row}", "CONSIDERATION/LISTED", PRICE, symbol="EACH_ON_AVERAGE", look="result")
    page.row += 1
