"""The inputs that are single cells: who and when, the terms, the roundings, what is handed on."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.model import PER_SHARE, PRICE, Model, one_of
from xl_conversion.books.templates.sheets.input_lines import HEADER, InputLines
from xl_conversion.books.templates.sheets.input_lines import WIDTHS as LINE_WIDTHS
from xl_conversion.books.templates.sheets.inputs import constants

PURPOSE = "Terms, roundings and choices, each with its unit, rule, source and basis: overwrite the blue cells"
WIDTHS = (*LINE_WIDTHS, 14)
BASIS = "Basis"
PER_PREFERRED = "money per preferred"


def write_inputs(model: Model, page: Page) -> InputLines:
    """All sections of the sheet; the caller finishes it when the other input sheets are there."""
    lines = InputLines(model, page)
    lines.start()
    page.row -= 1
    page.header([*HEADER, BASIS], numeric="C", freeze=True)
    _event(lines)
    _terms(lines)
    page.break_before()
    _roundings(lines)
    _results(lines)
    constants(lines)
    return lines


def basis_of(name: str) -> str:
    """The name of the cell that says what the input `name` rests on.

    >>> basis_of("in_conversion_price")
    'in_basis_conversion_price'
    """
    return name.replace("in_", "in_basis_", 1)


def _event(lines: InputLines) -> None:
    lines.page.section("Notes and event", 0)
    for symbol, label, name, required in (
        ("COMPANY", "Issuer", "in_company", True),
        ("AGREEMENT", "Notes, as the securities table names them", "in_agreement", True),
        ("PREFERRED", "Preferred that the notes convert into", "in_preferred", False),
        ("EVENT", "Event", "in_event", False),
        ("NOTICE", "Document that states the figures", "in_notice", False),
    ):
        lines.text(symbol, label, name, required=required)
        _basis(lines, symbol, name)
    for symbol, label, name in (
        ("EVENT_DATE", "Date of conversion", "in_conversion_date"),
        ("AS_OF", "As of", "in_as_of"),
    ):
        lines.day(symbol, label, name, required=symbol == "AS_OF")
        _basis(lines, symbol, name)


def _terms(lines: InputLines) -> None:
    lines.page.section("Terms of conversion")
    for symbol, label, name, unit, required in (
        (
            "PP",
            "Price per share of preferred, in principal and interest",
            "in_preferred_price",
            PER_PREFERRED,
            True,
        ),
        ("CP", "Conversion price of the preferred", "in_conversion_price", PER_SHARE, True),
        (
            "OIP_GIVEN",
            "Original issue price of the preferred; blank: the price per share",
            "in_original_issue_price",
            PER_PREFERRED,
            False,
        ),
    ):
        shown = symbol if required else ""
        lines.number(symbol, label, name, PRICE, unit, shown=shown, required=required)
        _basis(lines, symbol, name)


def _roundings(lines: InputLines) -> None:
    lines.page.section("Roundings of the route as_chosen; common is made whole so after whole preferred too")
    name = "in_preferred_rounded"
    lines.choice("PREFERRED_ROUNDED", "Preferred of a holder rounded", name, "YES_NO", "yes or no")
    _basis(lines, "PREFERRED_ROUNDED", name)
    name = "in_preferred_decimals"
    lines.decimals("PREFERRED_DECIMALS", "Decimals of preferred, not above those that count, below", name)
    _basis(lines, "PREFERRED_DECIMALS", name)
    for symbol, label, name in (
        ("PREFERRED_TYPE", "Rounding type of preferred", "in_preferred_rounding_type"),
        ("SHARE_TYPE", "Rounding type of common, in whole shares", "in_share_rounding_type"),
    ):
        lines.choice(symbol, label, name, "TYPES", "rounding type")
        _basis(lines, symbol, name)


def _results(lines: InputLines) -> None:
    lines.page.section("What is tied out and handed on")
    for symbol, label, name, names, unit in (
        ("ROUTE", "Route whose figures are the result", "in_route", "ROUTES", "see About"),
        ("FEED_SHARES", "Shares for the securities table", "in_feed_shares", "FEEDS", "see About"),
        ("FEED_PAID", "Consideration for the securities table", "in_feed_consideration", "PAID", "see About"),
    ):
        lines.choice(symbol, label, name, names, unit)
        _basis(lines, symbol, name)


def _basis(lines: InputLines, symbol: str, name: str) -> None:
    """What the line just written rests on."""
    page, model = lines.page, lines.model
    cell = f"G{page.row - 1}"
    model.slot(page, cell, basis_of(name), f"{symbol}_BASIS", "@", align="left")
    model.validate(page, cell, one_of(BASIS, model.places["ORIGINS"], model.texts("ORIGINS")))
