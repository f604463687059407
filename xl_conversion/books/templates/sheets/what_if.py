"""What other clauses would do: a full ratchet, a split or combination, a stock dividend."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import NATIVE, Lines
from xl_conversion.books.templates.model import (
    COMMON,
    PER_SHARE,
    PRICE,
    SHARES,
    SHARES_UNROUNDED,
    UNROUNDED,
    Model,
    above_zero,
    zero_or_above,
)
from xl_conversion.books.templates.sheets.rounding import Roundings

PURPOSE = "What other clauses would make of the price: overwrite the blue cells"
ILLUSTRATION = "illustration: overwrite"
PERCENT = "0.00%"


@dataclass
class _WhatIf:
    lines: Lines
    roundings: Roundings

    def given(
        self,
        symbol: str,
        label: str,
        value: Fraction,
        number_format: str,
        unit: str,
        rule: DataValidation,
        name: str,
    ) -> None:
        cell = f"{NATIVE}{self.lines.given(symbol, label, unit, ILLUSTRATION)}"
        self.lines.model.number(self.lines.page, cell, symbol, value, number_format, name=name)
        self.lines.model.validate(self.lines.page, cell, rule)

    def prices(
        self, symbol: str, formula: str, native: str, rounded: str, function: str, arguments: str, clause: str
    ) -> None:
        """The price after, unrounded and rounded; `rounded` is a formula in which ``{}`` is the rounding."""
        label = "Conversion price after"
        self.lines.figure(
            symbol,
            f"{label}, unrounded",
            formula,
            native,
            UNROUNDED,
            PER_SHARE,
            clause,
            function=f"{function}({arguments})",
        )
        taken = self.roundings.add(
            f"{symbol}r", f"conversion price, {clause}", symbol, "PRICE_DECIMALS", "PRICE_TYPE"
        )
        self.lines.figure(
            f"{symbol}r",
            label,
            f"{symbol} rounded",
            rounded.format(taken),
            PRICE,
            PER_SHARE,
            clause,
            function=f"{function}({arguments}, PRICE_DECIMALS, PRICE_TYPE)",
            result=True,
            name=f"out_{symbol.lower()}_conversion_price",
        )


def write_what_if(model: Model, page: Page, roundings: Roundings) -> None:
    """One section for each clause."""
    lines = Lines(model, page, "Clause or source")
    what_if = _WhatIf(lines, roundings)
    lines.header(freeze=True)
    page.section("If the clause were a full ratchet", 0)
    _ratchet(what_if)
    page.section("If the common were split or combined after the adjustment")
    _split(what_if)
    page.section("If a stock dividend were paid on the common after the adjustment")
    _dividend(what_if)


def _ratchet(what_if: _WhatIf) -> None:
    clause, label = "full ratchet clause", "Issue price"
    what_if.lines.figure("Q1", "Conversion price before", "Inputs", "IN_CP1", UNROUNDED, PER_SHARE, clause)
    what_if.given("Q", label, Fraction("0.10"), PRICE, PER_SHARE, above_zero(label), "in_ratchet_issue_price")
    what_if.prices(
        "FR", "lower of Q1 and Q", "MIN(Q1, Q)", "IF(FR<Q1, MIN({}, Q1), Q1)", "CP_FULL_RATCHET", "Q1, Q", clause
    )


def _split(what_if: _WhatIf) -> None:
    clause = "splits and combinations clause"
    what_if.lines.figure(
        "CPn",
        "Price that the next adjustment starts from",
        "CP2 or CP2r, as Inputs say",
        "IF(CARRIED=BASES_rounded, CP2r, CP2)",
        UNROUNDED,
        PER_SHARE,
        clause,
    )
    for symbol, label, value, name in (
        ("SN", "Shares after, for every", "1", "in_split_new"),
        ("SO", "Shares before", "20", "in_split_old"),
    ):
        what_if.given(symbol, label, Fraction(value), SHARES, COMMON, above_zero(label), name)
    what_if.prices("SP", "CPn × SO / SN", "CPn*SO/SN", "{}", "CP_SPLIT", "CPn, SN, SO", clause)


def _dividend(what_if: _WhatIf) -> None:
    clause, label = "stock dividends clause", "Dividend shares for each share outstanding"
    what_if.lines.figure("O", "Common outstanding", "X", "X", SHARES_UNROUNDED, COMMON, clause)
    what_if.given("E", label, Fraction("0.10"), PERCENT, "of a share", zero_or_above(label), "in_dividend_rate")
    what_if.lines.figure("U", "Dividend shares", "O × E", "O*E", SHARES_UNROUNDED, COMMON, clause)
    what_if.prices(
        "SD",
        "CPn × O / (O + U)",
        "CPn*O/(O+U)",
        "IF(SD<CPn, MIN({}, CPn), CPn)",
        "CP_STOCK_DIVIDEND",
        "CPn, O, U",
        clause,
    )
