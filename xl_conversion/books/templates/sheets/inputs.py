"""The inputs: the terms of the series, the counts of common, a holder, and what the checks allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import MUTED
from xl_conversion.books.templates.model import (
    COMMON,
    PER_SHARE,
    PREFERRED,
    PRICE,
    SHARES,
    SMALL,
    WHOLE,
    Model,
    above_zero,
    one_of,
    whole,
    zero_or_above,
)
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.books.wording import term_source
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType

PURPOSE = "Everything the model starts from, with its unit, rule and source: overwrite the blue cells"
WIDTHS = (8, 46, 32, 20, 38, 80)
HEADER = ("Symbol", "Input", "Value", "Unit", "Rule", "Source")

ILLUSTRATION = "illustration, in no document: overwrite"
MODEL = "of this model"


@dataclass
class _Lines:
    """Writes a line for each input."""

    model: Model
    page: Page
    source: str = ""
    """Of the inputs that follow."""

    def text(self, label: str, text: str, name: str) -> None:
        cell = self._line(label, "text", None)
        self.model.text(self.page, cell, name.upper(), text, name=name)
        self.page.height([(text, WIDTHS[2] - 1), (self.source, MUTED * WIDTHS[5])])
        self.page.row += 1

    def day(self, label: str, day: date, name: str) -> None:
        self.model.day(self.page, self._line(label, "date", None), name.upper(), day, name=name)
        self.page.row += 1

    def number(
        self,
        symbol: str,
        label: str,
        value: Fraction,
        number_format: str,
        unit: str,
        rule: DataValidation,
        name: str,
        *,
        shown: str = "",
    ) -> None:
        cell = self._line(label, unit, rule, shown)
        self.model.number(self.page, cell, symbol, value, number_format, name=name)
        self.model.validate(self.page, cell, rule)
        self.page.row += 1

    def decimals(self, symbol: str, label: str, decimals: int, name: str) -> None:
        rule = whole(label, 0, MAX_DECIMALS)
        self.number(symbol, label, Fraction(decimals), WHOLE, "digits", rule, name)

    def choice(self, symbol: str, label: str, value: str, names: str, unit: str, name: str) -> None:
        rule = one_of(label, self.model.places[names], self.model.texts(names))
        cell = self._line(label, unit, rule)
        self.model.text(self.page, cell, symbol, value, name=name)
        self.model.validate(self.page, cell, rule)
        self.page.row += 1

    def _line(self, label: str, unit: str, rule: DataValidation | None, shown: str = "") -> str:
        row = self.page.row
        words = (rule.error or "").removeprefix(f"{label}: it must be ").rstrip(".") if rule else ""
        self.page.text(f"A{row}", shown, "symbol")
        self.page.text(f"B{row}", label)
        for column, text in (("D", unit), ("E", words), ("F", self.source)):
            self.page.text(f"{column}{row}", text, "muted")
        self.page.height([(label, WIDTHS[1]), (words, MUTED * WIDTHS[4]), (self.source, MUTED * WIDTHS[5])])
        return f"C{row}"


def write_inputs(model: Model, page: Page, subject: Subject) -> None:
    """All sections of the sheet."""
    page.header(HEADER, numeric="C", freeze=True)
    lines = _Lines(model, page)
    _event(lines, subject)
    _terms(lines, subject)
    _counts(lines, subject)
    _holder(lines)
    _allowances(lines)


def _event(lines: _Lines, subject: Subject) -> None:
    lines.page.section("Series and event", 0)
    lines.source = subject.series.source
    lines.text("Company", subject.series.company, "in_company")
    lines.text("Series", subject.series.name, "in_series")
    lines.text("Clause", subject.clause, "in_clause")
    lines.source = subject.issuance.source
    lines.day("Date of the event", subject.issuance.date, "in_event_date")


def _terms(lines: _Lines, subject: Subject) -> None:
    series, record = subject.series, subject.record
    lines.page.section("Terms of the series")
    lines.source = series.source
    for symbol, shown, label, value, name in (
        ("OIP", "OIP", "Original issue price", series.original_issue_price, "in_original_issue_price"),
        ("IN_CP1", "CP1", "Conversion price before", series.conversion_price, "in_conversion_price"),
    ):
        lines.number(symbol, label, value, PRICE, PER_SHARE, above_zero(label), name, shown=shown)
    for stem, terms in (("price", series.price), ("ratio", series.ratio)):
        source = term_source(record, f"{stem}_decimals")
        lines.source = (
            source if terms.decimals is not None else f"{source}: not rounded, {MAX_DECIMALS} digits kept"
        )
        decimals = terms.decimals if terms.decimals is not None else MAX_DECIMALS
        lines.decimals(f"{stem.upper()}_DECIMALS", f"{stem.title()} decimals", decimals, f"in_{stem}_decimals")
        lines.source = term_source(record, f"{stem}_rounding_type")
        lines.choice(
            f"{stem.upper()}_TYPE",
            f"{stem.title()} rounding type",
            terms.rounding_type.value,
            "TYPES",
            "rounding type",
            f"in_{stem}_rounding_type",
        )
    for symbol, label, basis, name in (
        ("CARRIED", "Price that the next adjustment starts from", series.carried_price, "in_carried_price"),
        ("BASIS", "Price that the ratio is taken from", series.ratio_basis, "in_ratio_basis"),
    ):
        source = term_source(record, name.removeprefix("in_"))
        # What a reader notes of a series says why the ratio is taken from the one price or the other.
        lines.source = f"{source}; {record.note}" if name == "in_ratio_basis" and record.note else source
        lines.choice(symbol, label, basis.value, "BASES", "price", name)
    lines.source = term_source(record, "share_rounding_type")
    lines.choice(
        "SHARE_TYPE",
        "Rounding type of shares on conversion",
        series.share_rounding_type.value,
        "TYPES",
        "rounding type",
        "in_share_rounding_type",
    )


def _counts(lines: _Lines, subject: Subject) -> None:
    issuance = subject.issuance
    lines.page.section("Counts of common around the event")
    lines.source = issuance.source
    for letter, label, value, name in (
        ("A", "Common outstanding before", issuance.outstanding_before, "in_outstanding_before"),
        ("C", "Common underlying other securities before", issuance.other_before, "in_other_before"),
        ("X", "Common outstanding after", issuance.outstanding_after, "in_outstanding_after"),
        ("Y", "Common underlying other securities after", issuance.other_after, "in_other_after"),
    ):
        rule = above_zero(label) if letter in "AX" else zero_or_above(label)
        lines.number(f"IN_{letter}", label, value, SHARES, COMMON, rule, name, shown=letter)


def _holder(lines: _Lines) -> None:
    lines.page.section("Conversion of one holder")
    lines.source = ILLUSTRATION
    held, market = "Preferred held by one holder", "Market price of a share of common"
    rule = zero_or_above(held)
    lines.number("IN_H", held, Fraction(100), SHARES, PREFERRED, rule, "in_preferred_shares", shown="H")
    rule = above_zero(market)
    lines.number("IN_M", market, Fraction("0.10"), PRICE, PER_SHARE, rule, "in_market_price", shown="M")
    lines.decimals("CASH_DECIMALS", "Cash decimals", 2, "in_cash_decimals")
    nearest = RoundingType.HALF_UP.value
    lines.choice("CASH_TYPE", "Cash rounding type", nearest, "TYPES", "rounding type", "in_cash_rounding_type")


def _allowances(lines: _Lines) -> None:
    lines.page.section("Tolerances and constants")
    lines.source = MODEL
    for symbol, label, value, number_format, unit, name in (
        ("TOLERANCE", "Tolerance of prices, ratios and rounded figures", "1e-9", SMALL, "each", "tolerance"),
        ("TOLERANCE_AMOUNT", "Tolerance of amounts", "1e-6", SMALL, "money", "tolerance_amount"),
        ("ZERO", "Decimals of whole shares; tolerance of counts", "0", WHOLE, "digits", "zero"),
        ("TEN", "Base of the digits written", "10", WHOLE, "number", "ten"),
        ("HALF", "Part of the last digit written that is allowed", "0.5", "0.0", "of a digit", "half"),
    ):
        rule = zero_or_above(label)
        lines.number(symbol, label, Fraction(value), number_format, unit, rule, f"in_{name}")
