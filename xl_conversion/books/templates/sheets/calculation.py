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
    PRICE,
    RATIO,
    SHARES_UNROUNDED,
    UNROUNDED,
    Model,
)
from xl_conversion.books.templates.sheets.rounding import Roundings, cleaned

PURPOSE = "Each figure by a worksheet function and by native formulas, rounded and unrounded"
CONVERSION = "conversion clause"


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
    page.section("Had the securities listed been counted in place of X - A")
    _listed(calculation)


def _fraction(calculation: _Calculation) -> None:
    own = "COUNTED=COUNTS_AFTER_own_counts"
    for symbol, label, formula, native, number_format, unit in (
        ("CP0", "Conversion price in force before", "Price history", "IN_FORCE_IN", UNROUNDED, PER_SHARE),
        ("CP1", "Price that the adjustment starts from", "Price history", "CARRIED_IN", UNROUNDED, PER_SHARE),
        ("K", "Aggregate consideration", "Securities issued", "CONSIDERATION", AMOUNT, MONEY),
        ("L", "Common of the securities issued", "Securities issued", "LISTED", SHARES_UNROUNDED, COMMON),
        (
            "A",
            "Common outstanding before, on the charter's base",
            "Capitalization",
            "SUM_A",
            SHARES_UNROUNDED,
            COMMON,
        ),
        ("B", "Shares that the consideration would buy at CP1", "K / CP1", "K/CP1", SHARES_UNROUNDED, COMMON),
        ("C", "Common underlying other securities before", "Capitalization", "SUM_C", SHARES_UNROUNDED, COMMON),
        ("N", "Numerator", "A + B + C", "A+B+C", SHARES_UNROUNDED, COMMON),
        (
            "X",
            "Common outstanding after, on that base",
            "own count, or A + L",
            f"IF({own}, SUM_X, A+L)",
            SHARES_UNROUNDED,
            COMMON,
        ),
        (
            "Y",
            "Common underlying other securities after",
            "own count, or C",
            f"IF({own}, SUM_Y, C)",
            SHARES_UNROUNDED,
            COMMON,
        ),
        ("D", "Denominator", "X + Y", "X+Y", SHARES_UNROUNDED, COMMON),
        ("I", "Increase that is counted; X - A where Y = C", "D - A - C", "D-A-C", SHARES_UNROUNDED, COMMON),
        (
            "P",
            "Price that is tested: on average, or the lowest for a ratchet",
            "K / L, or the lowest",
            "IF(METHOD=METHODS_full_ratchet, LOWEST, K/L)",
            UNROUNDED,
            PER_SHARE,
        ),
    ):
        calculation.lines.figure(symbol, label, formula, native, number_format, unit, CLAUSE)
    verdict = 'IF(METHOD=METHODS_none, "no such clause", IF(P<CP1, "below: adjusts", "not below: stays"))'
    calculation.lines.figure(
        "T", "Whether that is below the conversion price", "P < CP1", verdict, "General", "", CLAUSE
    )


def is_decimal(price: str) -> str:
    """The condition that a price is a decimal, and not what is left of a fraction such as two thirds.

    >>> is_decimal("CP1")
    'CP1=ROUND(CP1, MIN(PRICE_DECIMALS, GUARD)+GUARD)'
    """
    return f"{price}=ROUND({price}, MIN(PRICE_DECIMALS, GUARD)+GUARD)"


def as_fraction(price: str = "CP2", increase: str = "I") -> tuple[str, str, str]:
    """Whether the ratio from an unrounded price is known as a fraction, what stands over its line, and under it.

    A cell holds no more than 15 digits of the price, by which a ratio that comes out even would miss that by the
    last of them: ``OIP / (CP1 * N / D)`` is ``OIP * D / (CP1 * N)``, and both are decimals.
    """
    averaged = f"AND(METHOD<>METHODS_full_ratchet, {price}<CP1, {is_decimal('CP1')})"
    return averaged, f"OIP*(A+C+{increase})", "CP1*(A+C)+K"


def _once(figure: str, exact: str, stem: str) -> str:
    """The function's own `figure` rounded; where it is not `exact`, the digits in which that shows go first."""
    decimals = f"{stem}_DECIMALS"
    return f"CP_ROUND(IF({exact}, {figure}, {cleaned(figure, decimals)}), {decimals}, {stem}_TYPE)"


def _by_method(average: str, ratchet: str) -> str:
    return f"IF(METHOD=METHODS_none, CP1, IF(P<CP1, IF(METHOD=METHODS_full_ratchet, {ratchet}, {average}), CP1))"


def _price(calculation: _Calculation) -> None:
    lines, arguments = calculation.lines, "CP1, A, K, I, C"
    lines.figure(
        "CP2",
        "Conversion price after, unrounded",
        "CP1 × N / D, at most CP1; P for a ratchet",
        _by_method("MIN(CP1, CP1*N/D)", "P"),
        UNROUNDED,
        PER_SHARE,
        CLAUSE,
        function=_by_method(f"CP_WEIGHTED_AVERAGE({arguments})", "CP_FULL_RATCHET(CP1, P)"),
        name="out_conversion_price_unrounded",
    )
    taken = calculation.roundings.add("CP2r", "conversion price after", "CP2", "PRICE_DECIMALS", "PRICE_TYPE")
    moved = by_function("CP2")
    lines.figure(
        "CP2r",
        "Conversion price after",
        "CP2 rounded, at most CP0",
        f"IF(CP2<CP1, MIN({taken}, CP0), CP0)",
        PRICE,
        PER_SHARE,
        CLAUSE,
        function=f"IF({moved}<CP1, MIN({_once(moved, is_decimal('CP1'), 'PRICE')}, CP0), CP0)",
        result=True,
        name="out_conversion_price",
    )
    lines.figure(
        "CPu",
        "The same before it was rounded",
        "CP2; as it was if nothing moves",
        "IF(CP2<CP1, CP2, UNROUNDED_IN)",
        UNROUNDED,
        PER_SHARE,
        CLAUSE,
        function=f"IF({moved}<CP1, {moved}, UNROUNDED_IN)",
    )
    lines.figure(
        "CPn",
        "Price that the next adjustment starts from",
        "CP2r or CPu, as Inputs say",
        "IF(CP2<CP1, IF(CARRIED=BASES_rounded, CP2r, CP2), CP1)",
        UNROUNDED,
        PER_SHARE,
        CLAUSE,
        function=f"IF({moved}<CP1, IF(CARRIED=BASES_rounded, {by_function('CP2r')}, {moved}), CP1)",
    )


def _ratio(calculation: _Calculation) -> None:
    lines, before = calculation.lines, _by_basis("UNROUNDED_IN", "CP0")
    lines.figure(
        "R0",
        "Common per preferred before, unrounded",
        "OIP / CP0 or as it was unrounded",
        f"OIP/{before}",
        UNROUNDED,
        RATIO,
        CONVERSION,
        function=f"CP_RATIO(OIP, {before})",
    )
    taken = calculation.roundings.add("R0r", "common per preferred before", "R0", "RATIO_DECIMALS", "RATIO_TYPE")
    lines.figure(
        "R0r",
        "Common per preferred before",
        "R0 rounded",
        taken,
        PRICE,
        RATIO,
        CONVERSION,
        function=_once(by_function("R0"), is_decimal(before), "RATIO"),
        name="out_conversion_ratio_before",
    )
    averaged, over, under = as_fraction()
    from_prices = {price: f"CP_RATIO(OIP, {by_function(price)})" for price in ("CPu", "CP2r")}
    decimals = {price: is_decimal(by_function(price)) for price in from_prices}
    for symbol, which, price, function, exact in (
        (
            "R1",
            "unrounded",
            "CPu",
            f"IF({averaged}, CP_RATIO({over}, {under}), {from_prices['CPu']})",
            f"OR({averaged}, {decimals['CPu']})",
        ),
        ("R2", "rounded", "CP2r", from_prices["CP2r"], decimals["CP2r"]),
    ):
        lines.figure(
            symbol,
            f"Ratio from the {which} price, unrounded",
            f"OIP / {price}",
            f"OIP/{price}",
            UNROUNDED,
            RATIO,
            CONVERSION,
            function=function,
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
            function=_once(by_function(symbol), exact, "RATIO"),
        )
    for symbol, label, formula, ends, number_format, name in (
        ("CPb", "Price that the charter takes the ratio from", "CPu or CP2r", ("CPu", "CP2r"), UNROUNDED, ""),
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


def _listed(calculation: _Calculation) -> None:
    lines, clause = calculation.lines, CLAUSE
    for symbol, label, formula, native in (
        ("G", "Securities listed less the increase counted", "L - I", "L-I"),
        ("DL", "Denominator with the securities listed", "A + L + Y", "A+L+Y"),
        ("IL", "Increase of that count", "DL - A - C", "DL-A-C"),
    ):
        lines.figure(symbol, label, formula, native, SHARES_UNROUNDED, COMMON, clause)
    arguments, moved = "CP1, A, K, IL, C", by_function("CPL")
    lines.figure(
        "CPL",
        "Conversion price, unrounded",
        "CP1 × N / DL, at most CP1",
        _by_method("MIN(CP1, CP1*N/DL)", "P"),
        UNROUNDED,
        PER_SHARE,
        clause,
        function=_by_method(f"CP_WEIGHTED_AVERAGE({arguments})", "CP_FULL_RATCHET(CP1, P)"),
    )
    taken = calculation.roundings.add(
        "CPLr", "conversion price, securities listed", "CPL", "PRICE_DECIMALS", "PRICE_TYPE"
    )
    lines.figure(
        "CPLr",
        "Conversion price",
        "CPL rounded, at most CP0",
        f"IF(CPL<CP1, MIN({taken}, CP0), CP0)",
        PRICE,
        PER_SHARE,
        clause,
        function=f"IF({moved}<CP1, MIN({_once(moved, is_decimal('CP1'), 'PRICE')}, CP0), CP0)",
    )
    native = _by_basis("CPL", "CPLr")
    function = _by_basis(moved, by_function("CPLr"))
    averaged, over, under = as_fraction("CPL", "IL")
    averaged = f"AND(BASIS=BASES_unrounded, {averaged})"
    lines.figure(
        "RL",
        "Common per preferred, unrounded",
        "OIP / CPL or CPLr",
        f"OIP/{native}",
        UNROUNDED,
        RATIO,
        CONVERSION,
        function=f"IF({averaged}, CP_RATIO({over}, {under}), CP_RATIO(OIP, {function}))",
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
        function=_once(by_function("RL"), f"OR({averaged}, {is_decimal(function)})", "RATIO"),
    )
