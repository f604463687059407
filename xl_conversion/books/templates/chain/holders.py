"""What each holder gets, rounded in every way: by native formulas, and again by worksheet functions."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.looks import SHARES_UNROUNDED
from xl_conversion.books.templates.chain.roundings import down, nearest
from xl_conversion.books.templates.chain.words import YES
from xl_conversion.books.templates.model import AMOUNT, PRICE, SHARES, Model
from xl_conversion.books.templates.sheets.rounding import rounded

PURPOSE = "Preferred and common of each holder, in every way of rounding, by native formulas"
AGAIN = "Holders by function"
PURPOSE_AGAIN = "The same by worksheet functions, and a check for each holder"
WIDTHS = (5, 18, 16, 14, 17, 10, 12, 12, 14, 13, 13, 13, 13, 17, 13)
WIDTHS_AGAIN = (5, 18, 14, 11, 10, 12, 12, 12, 15, 15, 14, 13, 13, 3, 13)
FRACTION = "0.0000"
WHOLE_PREFERRED = f'PREFERRED_ROUNDED="{YES}"'


class _Column(NamedTuple):
    letter: str
    header: str
    symbol: str
    number_format: str
    native: str
    """Of the figures of a holder, ``{AMOUNT}`` for one of them."""
    function: str = ""


COLUMNS = (
    _Column("C", "Amount converted", "AMOUNT", AMOUNT, ""),
    _Column("D", "Preferred, unrounded", "PREFERRED", SHARES_UNROUNDED, "{AMOUNT}/PP"),
    _Column("E", "Common, unrounded", "COMMON", SHARES_UNROUNDED, "{AMOUNT}*OIP/(PP*CP)"),
    _Column("F", "Fraction of a share", "FRACTION", FRACTION, "{COMMON}-{COMMON_DOWN}"),
    _Column(
        "G",
        "Preferred to the nearest",
        "PREFERRED_NEAREST",
        SHARES,
        nearest("{PREFERRED}"),
        "CP_ROUND({PREFERRED}, ZERO, TYPES_half_up)",
    ),
    _Column(
        "H",
        "Preferred down",
        "PREFERRED_DOWN",
        SHARES,
        down("{PREFERRED}"),
        "CP_ROUND({PREFERRED}, ZERO, TYPES_floor)",
    ),
    _Column(
        "I",
        "Preferred as chosen",
        "PREFERRED_CHOSEN",
        SHARES_UNROUNDED,
        f"IF({WHOLE_PREFERRED}, {rounded('{PREFERRED}', 'PREFERRED_DECIMALS', 'PREFERRED_TYPE')}, {{PREFERRED}})",
        f"IF({WHOLE_PREFERRED}, CP_ROUND({{PREFERRED}}, PREFERRED_DECIMALS, PREFERRED_TYPE), {{PREFERRED}})",
    ),
    _Column(
        "J",
        "Common from preferred to the nearest",
        "FROM_NEAREST",
        SHARES,
        rounded("{PREFERRED_NEAREST}*R", "ZERO", "SHARE_TYPE"),
        "CP_CONVERSION_SHARES({PREFERRED_NEAREST}, OIP, CP, SHARE_TYPE)",
    ),
    _Column(
        "K",
        "Common from preferred down",
        "FROM_DOWN",
        SHARES,
        rounded("{PREFERRED_DOWN}*R", "ZERO", "SHARE_TYPE"),
        "CP_CONVERSION_SHARES({PREFERRED_DOWN}, OIP, CP, SHARE_TYPE)",
    ),
    _Column("L", "Common down", "COMMON_DOWN", SHARES, down("{COMMON}"), "CP_ROUND({COMMON}, ZERO, TYPES_floor)"),
    _Column(
        "M",
        "Common to the nearest",
        "COMMON_NEAREST",
        SHARES,
        nearest("{COMMON}"),
        "CP_ROUND({COMMON}, ZERO, TYPES_half_up)",
    ),
    _Column(
        "N",
        "Common before rounding, as chosen",
        "BEFORE_CHOSEN",
        SHARES_UNROUNDED,
        f"IF({WHOLE_PREFERRED}, {{PREFERRED_CHOSEN}}*R, {{COMMON}})",
    ),
    _Column(
        "O",
        "Common as chosen",
        "CHOSEN",
        SHARES,
        rounded("{BEFORE_CHOSEN}", "ZERO", "SHARE_TYPE"),
        f"IF({WHOLE_PREFERRED}, CP_CONVERSION_SHARES({{PREFERRED_CHOSEN}}, OIP, CP, SHARE_TYPE), "
        "CP_ROUND({COMMON}, ZERO, SHARE_TYPE))",
    ),
)
BY_FUNCTION = [column for column in COLUMNS if column.function]
NATIVE_ORDER = [*(c for c in COLUMNS if c.symbol != "FRACTION"), *(c for c in COLUMNS if c.symbol == "FRACTION")]
"""So that what a formula reads is there before it."""


def total_of(symbol: str) -> str:
    """The symbol of a column's total, by native formulas."""
    return f"SUM_{symbol}"


def total_by_function(symbol: str) -> str:
    """The symbol of a column's total, by worksheet functions."""
    return f"SUM_F_{symbol}"


def write_holders(model: Model, page: Page, holders: int) -> None:
    """A row for each of `holders`, and the totals."""
    page.header(["No.", "Holder", *(c.header for c in COLUMNS)], numeric="ACDEFGHIJKLMNO", freeze=True)
    first = page.row
    for number in range(1, holders + 1):
        _holder(model, page, number)
        for column in NATIVE_ORDER:
            _figure(
                model, page, number, column, f"H{number}_{column.symbol}", column.native or f"NOTE{number}_AMOUNT"
            )
        page.row += 1
    for column in COLUMNS:
        model.range(page, f"H_{column.symbol}", f"{column.letter}{first}", f"{column.letter}{page.row - 1}")
    _totals(model, page, "All holders", {c.letter: (f"H_{c.symbol}", total_of(c.symbol), c) for c in COLUMNS})


def write_by_function(model: Model, page: Page, holders: int) -> None:
    """The same columns by worksheet functions, and a check a row."""
    own = ("Differences added up", "Difference", "Tolerance", "Check")
    headers = [c.header if c.function else "" for c in COLUMNS[len(own) :]]
    page.header(["No.", "Holder", *own, *headers], numeric="ACDEGHIJKLMNO", centred="F", freeze=True)
    first = page.row
    for number in range(1, holders + 1):
        _holder(model, page, number)
        for column in BY_FUNCTION:
            _figure(model, page, number, column, f"F{number}_{column.symbol}", column.function)
        page.text(f"N{page.row}", "")
        apart = "+".join(f"ABS(F{number}_{c.symbol}-H{number}_{c.symbol})" for c in BY_FUNCTION)
        there = f"ISNUMBER(H{number}_AMOUNT)"
        model.formula(
            page, f"C{page.row}", f'IF({there}, {apart}, "")', PRICE, symbol=f"F{number}_APART", align="right"
        )
        model.check(
            page,
            "DEF",
            f"Row {number}: worksheet functions less native formulas, added up",
            "ZERO",
            f"F{number}_APART",
            "TOLERANCE",
            PRICE,
            symbol=f"HOLDER{number}",
            when=there,
            otherwise="",
            listed=False,
        )
        page.row += 1
    model.group(page, "Each holder, by worksheet functions", "HOLDERS_CHECKED", f"F{first}", f"F{page.row - 1}")
    for column in BY_FUNCTION:
        model.range(page, f"F_{column.symbol}", f"{column.letter}{first}", f"{column.letter}{page.row - 1}")
    totals = {c.letter: (f"F_{c.symbol}", total_by_function(c.symbol), c) for c in BY_FUNCTION}
    _totals(model, page, "All holders", totals)


def _holder(model: Model, page: Page, number: int) -> None:
    page.number(f"A{page.row}", Fraction(number), "0", "muted")
    model.formula(page, f"B{page.row}", f'NOTE{number}_HOLDER&""', align="left")
    page.height([(str(model.value(f"NOTE{number}_HOLDER") or ""), WIDTHS[1])])


def _figure(model: Model, page: Page, number: int, column: _Column, symbol: str, expression: str) -> None:
    """One cell, blank where the row has no note."""
    if column.symbol == "AMOUNT":
        expression = f'IF(READY, {expression}, "")'
    else:
        # Worksheet functions convert the preferred that worksheet functions rounded.
        own = "F" if symbol.startswith("F") else "H"
        prefixes = {c.symbol: own if own == "F" and c.function else "H" for c in COLUMNS}
        cells = {name: f"{prefix}{number}_{name}" for name, prefix in prefixes.items()}
        expression = f'IF(ISNUMBER(H{number}_AMOUNT), {expression.format(**cells)}, "")'
    model.formula(
        page, f"{column.letter}{page.row}", expression, column.number_format, symbol=symbol, align="right"
    )


def _totals(model: Model, page: Page, label: str, sums: dict[str, tuple[str, str, _Column]]) -> None:
    row = page.row
    for column in "ABCDEFGHIJKLMNO":
        if column in sums:
            of, symbol, figure = sums[column]
            model.formula(
                page,
                f"{column}{row}",
                f'IF(READY, SUM({of}), "")',
                figure.number_format,
                symbol=symbol,
                look="result",
                align="right",
            )
        else:
            page.text(f"{column}{row}", label if column == "B" else "", "result")
    page.row += 1
