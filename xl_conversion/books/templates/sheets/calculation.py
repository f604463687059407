"""The calculation: each letter of the charter's fraction, the price, the ratio, and a holder's conversion."""

from __future__ import annotations

from dataclasses import dataclass

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import CLAUSE, Lines, by_function
from xl_conversion.books.templates.model import (
    AMOUNT,
    COMMON,
    MONEY,
    PER_SHARE,
    PREFERRED,
    PRICE,
    RATIO,
    SHARES,
    SHARES_UNROUNDED,
    UNROUNDED,
    Model,
)
from xl_conversion.books.templates.sheets.rounding import Roundings

PURPOSE = "Each figure by a worksheet function and by native formulas, rounded and unrounded"
CONVERSION, FRACTION_OF_A_SHARE = "conversion clause", "fractional shares clause"


@dataclass
class _Calculation:
    lines: Lines
    roundings: Roundings


def write_calculation(model: Model, page: Page, roundings: Roundings) -> None:
    """All sections of the sheet."""
    lines = Lines(model, page, "Clause")
    lines.header(freeze=True)
    calculation = _Calculation(lines, roundings)
    page.section("The fraction", 0)
    _fraction(calculation)
    page.section("Conversion price")
    _price(calculation)
    page.section("Conversion ratio")
    _ratio(calculation)
    page.section("Conversion of one holder")
    _holder(calculation)
    page.section("Had the securities listed been counted in place of X - A")
    _listed(calculation)


def _fraction(calculation: _Calculation) -> None:
    for symbol, label, formula, native, number_format, unit in (
        ("CP1", "Conversion price before", "Inputs", "IN_CP1", UNROUNDED, PER_SHARE),
        ("K", "Aggregate consideration", "Securities", "CONSIDERATION", AMOUNT, MONEY),
        ("A", "Common outstanding before", "Inputs", "IN_A", SHARES_UNROUNDED, COMMON),
        ("B", "Shares that the consideration would buy at CP1", "K / CP1", "K/CP1", SHARES_UNROUNDED, COMMON),
        ("C", "Common underlying other securities before", "Inputs", "IN_C", SHARES_UNROUNDED, COMMON),
        ("N", "Numerator", "A + B + C", "A+B+C", SHARES_UNROUNDED, COMMON),
        ("X", "Common outstanding after", "Inputs", "IN_X", SHARES_UNROUNDED, COMMON),
        ("Y", "Common underlying other securities after", "Inputs", "IN_Y", SHARES_UNROUNDED, COMMON),
        ("D", "Denominator", "X + Y", "X+Y", SHARES_UNROUNDED, COMMON),
        ("I", "Increase that is counted; X - A where Y = C", "D - A - C", "D-A-C", SHARES_UNROUNDED, COMMON),
        ("P", "Consideration per share of the increase", "K / I", "K/I", UNROUNDED, PER_SHARE),
    ):
        calculation.lines.figure(symbol, label, formula, native, number_format, unit, CLAUSE)
    verdict = 'IF(P<CP1, "below: adjusts", "not below: stays")'
    calculation.lines.figure(
        "T", "Whether that is below the conversion price", "P < CP1", verdict, "General", "", CLAUSE
    )


def _price(calculation: _Calculation) -> None:
    lines, arguments = calculation.lines, "CP1, A, K, I, C"
    lines.figure(
        "CP2",
        "Conversion price after, unrounded",
        "CP1 × N / D, at most CP1",
        "MIN(CP1, CP1*N/D)",
        UNROUNDED,
        PER_SHARE,
        CLAUSE,
        function=f"CP_WEIGHTED_AVERAGE({arguments})",
        name="out_conversion_price_unrounded",
    )
    taken = calculation.roundings.add("CP2r", "conversion price after", "CP2", "PRICE_DECIMALS", "PRICE_TYPE")
    lines.figure(
        "CP2r",
        "Conversion price after",
        "CP2 rounded, at most CP1",
        f"IF(CP2<CP1, MIN({taken}, CP1), CP1)",
        PRICE,
        PER_SHARE,
        CLAUSE,
        function=f"CP_WEIGHTED_AVERAGE({arguments}, PRICE_DECIMALS, PRICE_TYPE)",
        result=True,
        name="out_conversion_price",
    )


def _ratio(calculation: _Calculation) -> None:
    lines = calculation.lines
    prices = (("R1", "unrounded", "CP2"), ("R2", "rounded", "CP2r"))
    for symbol, which, price in prices:
        lines.figure(
            symbol,
            f"Ratio from the {which} price, unrounded",
            f"OIP / {price}",
            f"OIP/{price}",
            UNROUNDED,
            RATIO,
            CONVERSION,
            function=f"CP_RATIO(OIP, {by_function(price)})",
        )
        what = f"ratio from the {which} price"
        taken = calculation.roundings.add(f"{symbol}r", what, symbol, "RATIO_DECIMALS", "RATIO_TYPE")
        lines.figure(
            f"{symbol}r",
            f"Ratio from the {which} price, rounded",
            f"{symbol} rounded",
            taken,
            PRICE,
            RATIO,
            CONVERSION,
            function=f"CP_RATIO(OIP, {by_function(price)}, RATIO_DECIMALS, RATIO_TYPE)",
        )
    for symbol, label, formula, ends, number_format, name in (
        ("CPb", "Price that the charter takes the ratio from", "CP2 or CP2r", ("CP2", "CP2r"), UNROUNDED, ""),
        (
            "R",
            "Common per preferred, unrounded",
            "R1 or R2",
            ("R1", "R2"),
            UNROUNDED,
            "out_conversion_ratio_unrounded",
        ),
        ("Rr", "Common per preferred", "R1r or R2r", ("R1r", "R2r"), PRICE, "out_conversion_ratio"),
    ):
        unrounded, rounded = ends
        lines.figure(
            symbol,
            label,
            f"{formula}, as Inputs say",
            _by_basis(unrounded, rounded),
            number_format,
            PER_SHARE if symbol == "CPb" else RATIO,
            CONVERSION,
            function=_by_basis(by_function(unrounded), by_function(rounded)),
            result=symbol == "Rr",
            name=name,
        )


def _by_basis(unrounded: str, rounded: str) -> str:
    return f"IF(BASIS=BASES_rounded, {rounded}, {unrounded})"


def _holder(calculation: _Calculation) -> None:
    lines, roundings = calculation.lines, calculation.roundings
    lines.figure("H", "Preferred held", "Inputs", "IN_H", SHARES, PREFERRED, CONVERSION)
    lines.figure("M", "Market price of a share of common", "Inputs", "IN_M", PRICE, PER_SHARE, FRACTION_OF_A_SHARE)
    lines.figure(
        "S", "Common on conversion, unrounded", "H × R", "H*OIP/CPb", SHARES_UNROUNDED, COMMON, CONVERSION
    )
    taken = roundings.add("W", "common on conversion, whole shares", "S", "ZERO", "SHARE_TYPE", shares=True)
    lines.figure(
        "W",
        "Common on conversion, whole shares",
        "S, whole shares",
        taken,
        SHARES,
        COMMON,
        CONVERSION,
        function=f"CP_CONVERSION_SHARES(H, OIP, {by_function('CPb')}, SHARE_TYPE)",
        result=True,
        name="out_conversion_shares",
    )
    lines.figure(
        "F",
        "Fraction of a share, whole shares rounded down",
        "S less S rounded down",
        "S-ROUNDDOWN(S, ZERO)",
        UNROUNDED,
        COMMON,
        FRACTION_OF_A_SHARE,
    )
    cash = f"H, OIP, {by_function('CPb')}, M"
    lines.figure(
        "V",
        "Cash in lieu of the fraction, unrounded",
        "F × M",
        "F*M",
        UNROUNDED,
        MONEY,
        FRACTION_OF_A_SHARE,
        function=f"CP_CASH_IN_LIEU({cash})",
        tolerance="TOLERANCE_AMOUNT",
    )
    taken = roundings.add("Vr", "cash in lieu", "V", "CASH_DECIMALS", "CASH_TYPE")
    lines.figure(
        "Vr",
        "Cash in lieu of the fraction",
        "V rounded",
        taken,
        PRICE,
        MONEY,
        FRACTION_OF_A_SHARE,
        function=f"CP_CASH_IN_LIEU({cash}, CASH_DECIMALS, CASH_TYPE)",
        result=True,
        name="out_cash_in_lieu",
    )


def _listed(calculation: _Calculation) -> None:
    lines, clause = calculation.lines, CLAUSE
    for symbol, label, formula, native in (
        ("L", "Common of the securities listed", "Securities", "LISTED"),
        ("G", "Securities listed less the increase counted", "L - I", "L-I"),
        ("DL", "Denominator with the securities listed", "A + L + Y", "A+L+Y"),
        ("IL", "Increase of that count", "DL - A - C", "DL-A-C"),
    ):
        lines.figure(symbol, label, formula, native, SHARES_UNROUNDED, COMMON, clause)
    arguments = "CP1, A, K, IL, C"
    lines.figure(
        "CPL",
        "Conversion price, unrounded",
        "CP1 × N / DL, at most CP1",
        "MIN(CP1, CP1*N/DL)",
        UNROUNDED,
        PER_SHARE,
        clause,
        function=f"CP_WEIGHTED_AVERAGE({arguments})",
    )
    taken = calculation.roundings.add(
        "CPLr", "conversion price, securities listed", "CPL", "PRICE_DECIMALS", "PRICE_TYPE"
    )
    lines.figure(
        "CPLr",
        "Conversion price",
        "CPL rounded, at most CP1",
        f"IF(CPL<CP1, MIN({taken}, CP1), CP1)",
        PRICE,
        PER_SHARE,
        clause,
        function=f"CP_WEIGHTED_AVERAGE({arguments}, PRICE_DECIMALS, PRICE_TYPE)",
    )
    native = _by_basis("CPL", "CPLr")
    function = _by_basis(by_function("CPL"), by_function("CPLr"))
    lines.figure(
        "RL",
        "Common per preferred, unrounded",
        "OIP / CPL or CPLr",
        f"OIP/{native}",
        UNROUNDED,
        RATIO,
        CONVERSION,
        function=f"CP_RATIO(OIP, {function})",
    )
    taken = calculation.roundings.add(
        "RLr", "common per preferred, securities listed", "RL", "RATIO_DECIMALS", "RATIO_TYPE"
    )
    lines.figure(
        "RLr",
        "Common per preferred",
        "RL rounded",
        taken,
        PRICE,
        RATIO,
        CONVERSION,
        function=f"CP_RATIO(OIP, {function}, RATIO_DECIMALS, RATIO_TYPE)",
    )
