"""The inputs: the terms of the series, the counts of common, a holder, and what the checks allow."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Page
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
from xl_conversion.core.events import SecurityKind
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType
from xl_conversion.core.terms import Basis

PURPOSE = "Everything the model starts from, with its unit, rule and source: overwrite the blue cells"
WIDTHS = (8, 50, 20, 21, 38, 46)
HEADER = ("Symbol", "Input", "Value", "Unit", "Rule", "Source")

ILLUSTRATION = "Illustration, in no document: overwrite"
MODEL = "Of this model"
PLACES = range(MAX_DECIMALS + 1)

_TYPES = {
    RoundingType.HALF_UP: "to the nearest; a tie goes up, as Excel's ROUND does",
    RoundingType.HALF_EVEN: "to the nearest; a tie goes to the even digit",
    RoundingType.FLOOR: "down",
    RoundingType.CEILING: "up",
}
_BASES = {Basis.ROUNDED: "the price as the charter rounds it", Basis.UNROUNDED: "the price before it is rounded"}
_KINDS = {
    SecurityKind.SHARES: "shares of common",
    SecurityKind.OPTION: "counts its most shares, and the least still to be paid",
    SecurityKind.WARRANT: "counts its most shares, and the least still to be paid",
    SecurityKind.CONVERTIBLE_NOTE: "counts its most shares; its principal is paid",
    SecurityKind.PREFERRED: "counts the common that it converts into",
}


@dataclass
class _Inputs:
    model: Model
    page: Page

    def number(
        self,
        symbol: str,
        label: str,
        value: Fraction,
        number_format: str,
        unit: str,
        rule: DataValidation,
        source: str,
        *,
        name: str,
        shown: str = "",
    ) -> None:
        cell = self._line(label, unit, rule, source, shown)
        self.model.number(self.page, cell, symbol, value, number_format, name=name)
        self._end(rule, cell)

    def choice(
        self, symbol: str, label: str, value: str, names: str, unit: str, source: str, *, name: str
    ) -> None:
        known = self.model.value(names)
        listed = ", ".join(str(text) for text in known) if isinstance(known, tuple) else ""
        rule = one_of(label, self.model.places[names], listed)
        cell = self._line(label, unit, rule, source, "")
        self.model.text(self.page, cell, symbol, value, name=name)
        self._end(rule, cell)

    def text(self, label: str, text: str, source: str, *, name: str) -> None:
        cell = self._line(label, "text", None, source, "")
        self.model.text(self.page, cell, name.upper(), text, align="left", name=name)
        self.page.height([(text, WIDTHS[2]), (source, WIDTHS[5])])
        self.page.row += 1

    def _line(self, label: str, unit: str, rule: DataValidation | None, source: str, shown: str) -> str:
        row = self.page.row
        words = rule.error.removeprefix(f"{label}: it must be ").rstrip(".") if rule and rule.error else ""
        self.page.text(f"A{row}", shown, "symbol")
        for column, text in (("B", label), ("D", unit), ("E", words), ("F", source)):
            self.page.text(f"{column}{row}", text, "plain" if column == "B" else "muted")
        self.page.height([(label, WIDTHS[1]), (words, WIDTHS[4]), (source, WIDTHS[5])])
        return f"C{row}"

    def _end(self, rule: DataValidation, cell: str) -> None:
        self.model.validate(self.page, cell, rule)
        self.page.row += 1


def write_inputs(model: Model, page: Page, subject: Subject) -> None:
    """All sections; the lists come last on the sheet but are written first, since the choices refer to them."""
    inputs = _Inputs(model, page)
    page.header(HEADER, numeric="C", freeze=True)
    top, page.row = page.row, page.row + _ROWS_ABOVE_LISTS
    _lists(model, page)
    bottom, page.row = page.row, top
    _identity(inputs, subject)
    _terms(inputs, subject)
    _counts(inputs, subject)
    _holder(inputs)
    _allowances(inputs)
    if page.row != top + _ROWS_ABOVE_LISTS:
        raise AssertionError(f"the inputs take {page.row - top} rows above the lists")
    page.row = bottom


_ROWS_ABOVE_LISTS = 40


def _identity(inputs: _Inputs, subject: Subject) -> None:
    series, issuance = subject.series, subject.issuance
    inputs.page.section("Series and event", 0)
    inputs.text("Company", series.company, series.source, name="in_company")
    inputs.text("Series", series.name, series.source, name="in_series")
    inputs.text("Event", issuance.event, issuance.source, name="in_event")
    row = inputs.page.row
    inputs.text("Date of the event", "", issuance.source, name="in_event_date")
    inputs.model.book.cached.pop((inputs.page.sheet.title, f"C{row}"), None)
    inputs.page.day(f"C{row}", issuance.date)
    inputs.text("Clause", subject.clause, series.source, name="in_clause")


def _terms(inputs: _Inputs, subject: Subject) -> None:
    series, source = subject.series, subject.series.source
    inputs.page.section("Terms of the series")
    inputs.number(
        "OIP",
        "Original issue price",
        series.original_issue_price,
        PRICE,
        PER_SHARE,
        above_zero("Original issue price"),
        source,
        name="in_original_issue_price",
        shown="OIP",
    )
    inputs.number(
        "IN_CP1",
        "Conversion price before",
        subject.adjustment.price_before,
        PRICE,
        PER_SHARE,
        above_zero("Conversion price before"),
        source,
        name="in_conversion_price",
        shown="CP1",
    )
    for stem, what, terms in (("price", "Price", series.price), ("ratio", "Ratio", series.ratio)):
        label = f"{what} decimals"
        inputs.number(
            f"{stem.upper()}_DECIMALS",
            label,
            Fraction(MAX_DECIMALS if terms.decimals is None else terms.decimals),
            WHOLE,
            "digits",
            whole(label, PLACES[0], PLACES[-1]),
            source if terms.decimals is not None else f"No rounding in the charter: {MAX_DECIMALS} digits",
            name=f"in_{stem}_decimals",
        )
        inputs.choice(
            f"{stem.upper()}_TYPE",
            f"{what} rounding type",
            terms.rounding_type.value,
            "TYPES",
            "rounding type",
            source,
            name=f"in_{stem}_rounding_type",
        )
    for symbol, label, basis, name in (
        ("CARRIED", "Price that the next adjustment starts from", series.carried_price, "in_carried_price"),
        ("BASIS", "Price that the ratio is taken from", series.ratio_basis, "in_ratio_basis"),
    ):
        inputs.choice(symbol, label, basis.value, "BASES", "price", source, name=name)
    inputs.choice(
        "SHARE_TYPE",
        "Rounding type of whole shares on conversion",
        series.share_rounding_type.value,
        "TYPES",
        "rounding type",
        source,
        name="in_share_rounding_type",
    )


def _counts(inputs: _Inputs, subject: Subject) -> None:
    issuance = subject.issuance
    inputs.page.section("Counts of common around the event")
    for letter, label, value, name in (
        ("A", "Common outstanding before", issuance.outstanding_before, "in_outstanding_before"),
        ("C", "Common underlying other securities before", issuance.other_before, "in_other_before"),
        ("X", "Common outstanding after", issuance.outstanding_after, "in_outstanding_after"),
        ("Y", "Common underlying other securities after", issuance.other_after, "in_other_after"),
    ):
        rule = above_zero(label) if letter in "AX" else zero_or_above(label)
        inputs.number(f"IN_{letter}", label, value, SHARES, COMMON, rule, issuance.source, name=name, shown=letter)


def _holder(inputs: _Inputs) -> None:
    inputs.page.section("Conversion of one holder")
    held, market, cash = "Preferred held by one holder", "Market price of a share of common", "Cash decimals"
    inputs.number(
        "IN_H",
        held,
        Fraction(100),
        SHARES,
        PREFERRED,
        zero_or_above(held),
        ILLUSTRATION,
        name="in_preferred_shares",
        shown="H",
    )
    inputs.number(
        "IN_M",
        market,
        Fraction(1, 10),
        PRICE,
        PER_SHARE,
        above_zero(market),
        ILLUSTRATION,
        name="in_market_price",
        shown="M",
    )
    inputs.number(
        "CASH_DECIMALS",
        cash,
        Fraction(2),
        WHOLE,
        "digits",
        whole(cash, PLACES[0], PLACES[-1]),
        ILLUSTRATION,
        name="in_cash_decimals",
    )
    inputs.choice(
        "CASH_TYPE",
        "Cash rounding type",
        RoundingType.HALF_UP.value,
        "TYPES",
        "rounding type",
        ILLUSTRATION,
        name="in_cash_rounding_type",
    )


def _allowances(inputs: _Inputs) -> None:
    inputs.page.section("Tolerances and constants")
    for symbol, label, value, number_format, unit, name in (
        ("TOLERANCE", "Tolerance of prices, ratios and rounded figures", "1e-9", SMALL, "each", "in_tolerance"),
        ("TOLERANCE_AMOUNT", "Tolerance of amounts", "1e-6", SMALL, "money", "in_tolerance_amount"),
        ("ZERO", "Decimals of a whole share, and the tolerance of counts", "0", WHOLE, "digits", "in_zero"),
        ("TEN", "Base of the digits written", "10", WHOLE, "number", "in_ten"),
        ("HALF", "Part of the last digit written that is allowed", "0.5", "0.0", "of a digit", "in_half"),
    ):
        inputs.number(
            symbol, label, Fraction(value), number_format, unit, zero_or_above(label), MODEL, name=name
        )


def _lists(model: Model, page: Page) -> None:
    page.section("Lists that the choices come from")
    for symbol, heading, names in (
        ("TYPES", "Rounding types", _TYPES),
        ("BASES", "Prices", _BASES),
        ("KINDS", "Kinds of security", _KINDS),
    ):
        first = page.row
        for name, meaning in names.items():
            page.text(f"A{page.row}", "")
            page.text(f"B{page.row}", heading if page.row == first else "", "label")
            model.listed(page, f"C{page.row}", f"{symbol}_{name.value}", name.value)
            page.text(f"D{page.row}", meaning, "muted")
            page.sheet.merge_cells(f"D{page.row}:F{page.row}")
            page.row += 1
        model.range(page, symbol, f"C{first}", f"C{page.row - 1}")
