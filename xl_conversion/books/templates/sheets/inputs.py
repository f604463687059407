"""The inputs that are single cells: event, notice, terms of the series, and what the model allows itself."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.model import (
    COMMON,
    PER_SHARE,
    PRICE,
    RATIO,
    SHARES,
    SMALL,
    WHOLE,
    Model,
)
from xl_conversion.books.templates.sheets.input_lines import InputLines

PURPOSE = "The terms and the event, each with its unit, rule and source: overwrite the blue cells"


def write_inputs(model: Model, page: Page) -> InputLines:
    """All sections of the sheet; the caller finishes it when the other input sheets are there."""
    lines = InputLines(model, page)
    lines.start()
    _event(lines)
    _terms(lines)
    _conversion(lines)
    _sensitivity(lines)
    constants(lines)
    return lines


def _event(lines: InputLines) -> None:
    lines.page.section("Series and event", 0)
    lines.text("COMPANY", "Company", "in_company", required=True)
    lines.text("SERIES", "Series", "in_series", required=True)
    lines.text("CLAUSE", "Clause", "in_clause")
    lines.text("EVENT", "Event", "in_event", required=True)
    lines.day("EVENT_DATE", "Date of the event", "in_event_date", required=True)
    lines.day("AS_OF", "As of", "in_as_of")
    lines.text("CURRENCY", "Currency, as the notice writes it before a price", "in_currency")
    lines.page.section("Notice that was given of this event")
    lines.text("NOTICE", "Notice, blank if none was given yet", "in_notice")
    lines.number("NOTICE_PRICE", "Conversion price in the notice", "in_notice_price", PRICE, PER_SHARE)
    lines.number("NOTICE_RATIO", "Common per preferred in the notice", "in_notice_ratio", PRICE, RATIO)


def _terms(lines: InputLines) -> None:
    lines.page.section("Terms of the series")
    lines.number(
        "OIP",
        "Original issue price",
        "in_original_issue_price",
        PRICE,
        PER_SHARE,
        shown="OIP",
        required=True,
    )
    lines.number(
        "START",
        "Conversion price before the first event",
        "in_conversion_price",
        PRICE,
        PER_SHARE,
        required=True,
    )
    lines.choice("METHOD", "Method of an issuance below the price", "in_method", "METHODS", "method")
    lines.decimals("PRICE_DECIMALS", "Price decimals", "in_price_decimals")
    lines.choice("PRICE_TYPE", "Price rounding type", "in_price_rounding_type", "TYPES", "rounding type")
    lines.choice("CARRIED", "Price that the next adjustment starts from", "in_carried_price", "BASES", "price")
    lines.decimals("RATIO_DECIMALS", "Ratio decimals", "in_ratio_decimals")
    lines.choice("RATIO_TYPE", "Ratio rounding type", "in_ratio_rounding_type", "TYPES", "rounding type")
    lines.choice("BASIS", "Price that the ratio is taken from", "in_ratio_basis", "BASES", "price")
    lines.choice("COUNTED", "Count after the event", "in_counts_after", "COUNTS_AFTER", "see About")


def _conversion(lines: InputLines) -> None:
    lines.page.break_before()
    lines.page.section("Conversion of the holders")
    lines.choice(
        "SHARE_TYPE",
        "Rounding type of shares on conversion",
        "in_share_rounding_type",
        "TYPES",
        "rounding type",
    )
    lines.choice("SHARES_PER", "Whole shares for each", "in_shares_per", "PER", "see About")
    lines.number("MARKET", "Market price of a share of common", "in_market_price", PRICE, PER_SHARE)
    lines.decimals("CASH_DECIMALS", "Cash decimals", "in_cash_decimals")
    lines.choice("CASH_TYPE", "Cash rounding type", "in_cash_rounding_type", "TYPES", "rounding type")


def _sensitivity(lines: InputLines) -> None:
    lines.page.section("Sensitivity: sizes and prices of an issue")
    for symbol, label, number_format, unit in (
        ("SENS_SIZE", "Smallest size", SHARES, COMMON),
        ("SENS_SIZE_STEP", "Step from size to size", SHARES, COMMON),
        ("SENS_PRICE", "Lowest price", PRICE, PER_SHARE),
        ("SENS_PRICE_STEP", "Step from price to price", PRICE, PER_SHARE),
    ):
        name = f"in_{symbol.lower().replace('sens', 'sensitivity')}"
        lines.number(symbol, label, name, number_format, unit, required=True)


def constants(lines: InputLines) -> None:
    """Tolerances, and the numbers that formulas use."""
    lines.page.section("Tolerances of the checks")
    for symbol, label, number_format, unit, name in (
        ("TOLERANCE", "Tolerance of prices, ratios and rounded figures", SMALL, "each", "in_tolerance"),
        ("TOLERANCE_AMOUNT", "Tolerance of amounts", SMALL, "money", "in_tolerance_amount"),
    ):
        lines.number(symbol, label, name, number_format, unit, positive=False, required=True)
    lines.page.section("Numbers that formulas use, not to be changed")
    for symbol, label, number_format, unit, name in (
        ("ZERO", "Decimals of whole shares; tolerance of counts", WHOLE, "digits", "in_zero"),
        ("ONE", "One", WHOLE, "number", "in_one"),
        ("TEN", "Base of the digits written", WHOLE, "number", "in_ten"),
        ("HALF", "Part of the last digit written that is allowed", "0.0", "of a digit", "in_half"),
        ("GUARD", "Digits beyond the last that count in rounding", WHOLE, "digits", "in_guard"),
    ):
        lines.constant(symbol, label, name, number_format, unit)
