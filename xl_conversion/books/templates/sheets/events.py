"""The events before and after the one under study: what happened, and which notice was given of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import DAY, Page
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
from xl_conversion.core.events import CashForm, SpinOffForm

PURPOSE = "The events before and after the one under study, oldest first: overwrite the blue cells"
WIDTHS = (18, 10.5, 14.5, 12.5, 11.5, 12.5, 14, 9.5, 9.5, 9.5, 5.5, 5.5, 11, 12, 12, 14.5, 9.5, 9.5, 12, 10)
EARLIER, LATER = "in_earlier_events", "in_later_events"
EARLIER_ROWS, LATER_ROWS = 12, 6
_MARGIN, _FOOT = 0.3, 0.5
"""Inches: narrow, so that what stands in so many columns can still be read on paper."""


class EventKind(StrEnum):
    """What happened."""

    ISSUANCE = "issuance"
    SPLIT = "split"
    STOCK_DIVIDEND = "stock_dividend"
    CASH_DIVIDEND = "cash_dividend"
    RIGHTS = "rights"
    SPIN_OFF = "spin_off"
    TENDER_OFFER = "tender_offer"
    REPLAYED = "replayed"
    """A readjustment, a waiver, what is exempted or not made: the price that became of it is given."""


EVENT_KINDS: Mapping[str, str] = {
    EventKind.ISSUANCE: "shares or rights to shares were issued. Needs Outstanding before, Shares and Money in "
    "all, and Other securities before where they count; for a full ratchet Shares and Money in all. N = "
    "outstanding + other + money / price before, D = outstanding + other + shares",
    EventKind.SPLIT: "a split or a combination of the common. Needs New and Old: 2 and 1, or 1 and 20. N = old, "
    "D = new",
    EventKind.STOCK_DIVIDEND: "common was paid on common. Needs Outstanding before and Shares, all that were "
    "paid. N = outstanding, D = outstanding + shares",
    EventKind.CASH_DIVIDEND: "cash was paid on the common. Needs Money per share and Form, and Market price but "
    "for subtract; Threshold where the charter has one. At or below it nothing moves",
    EventKind.RIGHTS: "all holders of common were offered more of it. Needs Outstanding before, Shares, all that "
    "were offered, Money per share, the price of the offer, and Market price. N = outstanding + shares × offer / "
    "market, D = outstanding + shares",
    EventKind.SPIN_OFF: "other property was distributed on the common. Needs Money per share, the value on a "
    "share, Market price and Form",
    EventKind.TENDER_OFFER: "common was bought back. Needs Outstanding before, Shares, Money in all and Market "
    "price. N = market × outstanding, D = money + market × (outstanding - shares)",
    EventKind.REPLAYED: "readjusted, waived, exempted or not made: what became of the price, as xl-conversion "
    "history says. Needs Price as replayed, unrounded; and Price in force as replayed, if not that one rounded",
}
FORMS: Mapping[str, str] = {
    CashForm.RATIO: "of a cash dividend: N = market - dividend, D = market - threshold",
    CashForm.EXCESS: "of a cash dividend: N = market - (dividend - threshold), D = market",
    CashForm.SUBTRACT: "of a cash dividend: N = price before - dividend, D = price before",
    SpinOffForm.OVER_SUM: "of a spin-off: N = market, D = market + value, the market price after it",
    SpinOffForm.OVER_MARKET: "of a spin-off: N = market - value, D = market, the market price before it",
}
GUIDE = (
    "Every row needs Event, Date and Kind, and what its kind needs (see Words below): the other cells stay blank. "
    "The event under study stands on Inputs, not here.",
    "Shares: issued, paid as dividend, offered or bought back, as of the day of the event. Money per share: "
    "dividend, value distributed or offer price. Threshold: dividend at or below which nothing moves.",
    "Notice: which notice holders were given, blank if none, with the price and ratio that it told them. Whether "
    "these are the ones that follow is said where the price is computed.",
)


class _Header(NamedTuple):
    header: str
    symbol: str
    number_format: str = "@"
    least: str = ""
    """The rule of a number: above 0 or from 0."""


_ABOVE, _FROM = "above", "from"
_HEADERS = (
    _Header("Event", "EVENT"),
    _Header("Date", "DATE", DAY),
    _Header("Kind", "KIND"),
    _Header("Outstanding before", "OUT", SHARES, _ABOVE),
    _Header("Other securities before", "OTHER", SHARES, _FROM),
    _Header("Shares", "SHARES", SHARES, _ABOVE),
    _Header("Money in all", "MONEY", AMOUNT, _FROM),
    _Header("Money per share", "EACH", PRICE, _FROM),
    _Header("Threshold", "THRESHOLD", PRICE, _FROM),
    _Header("Market price", "MARKET", PRICE, _ABOVE),
    _Header("New", "NEW", SHARES, _ABOVE),
    _Header("Old", "OLD", SHARES, _ABOVE),
    _Header("Form", "FORM"),
    _Header("Price as replayed", "REPLAYED", PRICE, _ABOVE),
    _Header("Price in force as replayed", "INFORCE", PRICE, _ABOVE),
    _Header("Notice", "NOTICE"),
    _Header("Price noticed", "NPRICE", PRICE, _ABOVE),
    _Header("Ratio noticed", "NRATIO", PRICE, _ABOVE),
    _Header("Source", "SOURCE"),
)
EVENT_COLUMNS = tuple(header.header for header in _HEADERS)
"""The columns that a reader fills, by which a filling names them."""
_COMPLETE = "Complete"


def write_events(model: Model, page: Page, earlier: int = EARLIER_ROWS, later: int = LATER_ROWS) -> None:
    """Both tables with room for so many events, and below them the words of their lists.

    The sheet Inputs is written before, but for its READY. Rows have the symbols ``E1_DATE`` and ``L1_DATE``, whole
    columns ``E_DATE`` and ``L_DATE``; ``E_COMPLETE`` and ``L_COMPLETE`` hold OK, CHECK or nothing.
    """
    margins = page.sheet.page_margins
    margins.left = margins.right = margins.top = _MARGIN
    margins.bottom, margins.footer = _FOOT, _FOOT / 2
    for text in GUIDE:
        _wide(page, "A", text)
    page.section("Before the event under study", 0)
    top = page.row
    # A header row over each table, a heading with a gap over the second one and over the words.
    page.row = top + 1 + earlier + 2 + 1 + later
    _words(model, page)
    end, page.row = page.row, top
    for name, prefix, rows in ((EARLIER, "E", earlier), (LATER, "L", later)):
        if prefix == "L":
            page.section("After the event under study")
        first, last = write_table(model, page, name, prefix, _columns(model, prefix), rows, freeze=prefix == "E")
        page.mark(f"{page.last_column}{first}:{page.last_column}{last}", OK, CHECK)
    page.row = end
    page.sheet.print_area = f"A1:{page.last_column}{end - 1}"


def _wide(page: Page, first: str, text: str) -> None:
    """A text up to the last column."""
    widths = page.widths[column_index_from_string(first) - 1 :]
    page.text(f"{first}{page.row}", text)
    page.sheet.merge_cells(f"{first}{page.row}:{page.last_column}{page.row}")
    page.height([(text, sum(widths))])
    page.row += 1


def _words(model: Model, page: Page) -> None:
    page.section("Words")
    for heading, symbol, words in (("Kind", "EVENT_KINDS", EVENT_KINDS), ("Form", "FORMS", FORMS)):
        first = page.row
        for word, meaning in words.items():
            page.text(f"A{page.row}", heading if page.row == first else "", "label")
            model.listed(page, f"B{page.row}", f"{symbol}_{word}", str(word))
            page.text(f"C{page.row}", "")
            page.sheet.merge_cells(f"B{page.row}:C{page.row}")
            _wide(page, "D", meaning)
        model.range(page, symbol, f"B{first}", f"B{page.row - 1}")


def _columns(model: Model, prefix: str) -> list[Column]:
    columns = []
    for header, symbol, number_format, least in _HEADERS:
        rule: DataValidation | None = None
        if least:
            rule = above_zero(header) if least == _ABOVE else zero_or_above(header)
        elif symbol == "DATE":
            rule = _day(header)
        elif symbol in ("KIND", "FORM"):
            words = "EVENT_KINDS" if symbol == "KIND" else "FORMS"
            rule = one_of(header, model.places[words], model.texts(words))
        align = "right" if least or symbol == "DATE" else "left"
        columns.append(Column(header, symbol, number_format, align, rule))

    def complete(number: int) -> str:
        return _complete(prefix, number)

    return [*columns, Column(_COMPLETE, "COMPLETE", "General", "center", formula=complete)]


def _day(header: str) -> DataValidation:
    """Refuses what is not a date."""
    return DataValidation(
        type="date",
        operator="greaterThanOrEqual",
        formula1="1",
        allow_blank=True,
        showErrorMessage=True,
        errorTitle=header,
        error=f"{header}: it must be a date, such as 2002-02-05.",
    )


def _complete(prefix: str, number: int) -> str:
    """OK where a row has all that its kind needs, nothing where it is blank."""
    row = f"{prefix}{number}_"
    used = "&".join(f"{row}{header.symbol}" for header in _HEADERS)
    told = f"{row}NPRICE, {row}NRATIO"
    noticed = f"COUNTA({told})=COUNT({told}), N({row}NPRICE)>=ZERO, N({row}NRATIO)>=ZERO"
    day = f"COUNT({row}DATE), N({row}DATE)>ZERO, {_in_order(prefix, number)}"
    needs = f"AND(LEN({row}EVENT)>ZERO, {day}, {noticed}, {_needs(row)})"
    return f'IF({used}="", "", IFERROR(IF({needs}, "{OK}", "{CHECK}"), "{CHECK}"))'


def _in_order(prefix: str, number: int) -> str:
    """Whether an event is not before one in a row above, and on the right side of the one under study."""
    day = f"{prefix}{number}_DATE"
    before = [f"{prefix}{above}_DATE" for above in range(1, number)]
    if prefix == "L":
        return f"{day}>=MAX({', '.join(['EVENT_DATE', *before])})"
    side = f"OR(COUNT(EVENT_DATE)=ZERO, {day}<=EVENT_DATE)"
    return f"{day}>=MAX({', '.join(before)}), {side}" if before else side


def _needs(row: str) -> str:
    """The condition that a row has what its kind needs, and that it can be."""

    def above(*symbols: str) -> str:
        return ", ".join(f"COUNT({row}{symbol}), {row}{symbol}>ZERO" for symbol in symbols)

    def not_below(*symbols: str) -> str:
        return ", ".join(f"COUNT({row}{symbol}), {row}{symbol}>=ZERO" for symbol in symbols)

    def if_given(symbol: str) -> str:
        cell = f"{row}{symbol}"
        return f"COUNTA({cell})=COUNT({cell}), {cell}>=ZERO"

    each, market, threshold, form = (f"{row}{symbol}" for symbol in ("EACH", "MARKET", "THRESHOLD", "FORM"))
    ratchet = f"{row}MONEY>ZERO"
    average = f"OR(METHOD=METHODS_none, AND({above('OUT')}, {if_given('OTHER')}))"
    of_ratio = f"AND({form}=FORMS_ratio, {above('MARKET')}, OR({each}<={threshold}, {each}<{market}))"
    of_excess = f"AND({form}=FORMS_excess, {above('MARKET')}, {each}-{threshold}<{market})"
    of_sum = f"{form}=FORMS_over_sum"
    of_market = f"AND({form}=FORMS_over_market, {each}<{market})"
    return by_kind(
        f"{row}KIND",
        {
            EventKind.ISSUANCE: f"AND({above('SHARES')}, {not_below('MONEY')}, "
            f"IF(METHOD=METHODS_full_ratchet, {ratchet}, {average}))",
            EventKind.SPLIT: f"AND({above('NEW', 'OLD')})",
            EventKind.STOCK_DIVIDEND: f"AND({above('OUT', 'SHARES')})",
            EventKind.CASH_DIVIDEND: f"AND({not_below('EACH')}, {if_given('THRESHOLD')}, "
            f"OR({form}=FORMS_subtract, {of_ratio}, {of_excess}))",
            EventKind.RIGHTS: f"AND({above('OUT', 'SHARES', 'MARKET')}, {not_below('EACH')})",
            EventKind.SPIN_OFF: f"AND({above('MARKET')}, {not_below('EACH')}, OR({of_sum}, {of_market}))",
            EventKind.TENDER_OFFER: f"AND({above('OUT', 'SHARES', 'MARKET')}, {not_below('MONEY')}, "
            f"{row}SHARES<{row}OUT)",
            EventKind.REPLAYED: f"AND({above('REPLAYED')}, OR(COUNTA({row}INFORCE)=ZERO, N({row}INFORCE)>ZERO))",
        },
        "FALSE",
    )


def by_kind(kind: str, expressions: Mapping[EventKind, str], otherwise: str) -> str:
    """The expression of the kind that the cell `kind` holds.

    >>> by_kind("E1_KIND", {EventKind.SPLIT: "E1_OLD"}, "ZERO")
    'IF(E1_KIND=EVENT_KINDS_split, E1_OLD, ZERO)'
    """
    chain = otherwise
    for name, expression in reversed(list(expressions.items())):
        chain = f"IF({kind}=EVENT_KINDS_{name.value}, {expression}, {chain})"
    return chain
