"""Every rounded figure rounded in all four ways by native formulas, and the one that the charter names taken."""

from __future__ import annotations

from dataclasses import dataclass

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import by_function
from xl_conversion.books.templates.model import PRICE, SHARES, SHARES_UNROUNDED, UNROUNDED, WHOLE, Model
from xl_conversion.core.rounding import RoundingType

PURPOSE = "Each rounded figure in all four ways, and the way that the charter names"
WIDTHS = (8, 48, 19, 9, 11, 13, 13, 13, 13, 14, 14, 11, 10, 11)
HEADER = ("Figure", "What", "Unrounded", "Decimals", "Rounding type")
LAST = ("Taken", "Worksheet function", "Difference", "Tolerance", "Check")
WAYS = {
    "F": RoundingType.FLOOR,
    "G": RoundingType.CEILING,
    "H": RoundingType.HALF_UP,
    "I": RoundingType.HALF_EVEN,
}


@dataclass
class Roundings:
    """The sheet, to which the other sheets add what they round."""

    model: Model
    page: Page

    def header(self) -> None:
        """The header row, in which the four ways have their names."""
        row = self.page.row
        self.page.header([*HEADER, *WAYS.values(), *LAST], numeric="CDFGHIJKLM", centred="N", freeze=True)
        for column, way in WAYS.items():
            self.model.formula(
                self.page,
                f"{column}{row}",
                f"TYPES_{way.value}",
                symbol=f"WAY_{column}",
                look="header",
                align="right",
            )
        self.model.range(self.page, "WAYS", f"F{row}", f"I{row}")

    def add(
        self, symbol: str, what: str, of: str, decimals: str, rounding_type: str, *, shares: bool = False
    ) -> str:
        """Rounds figure `of`, all by symbols; gives the symbol of the rounded one."""
        page, row = self.page, self.page.row
        digits = SHARES if shares else PRICE
        value, places, named = f"{symbol}_OF", f"{symbol}_PLACES", f"{symbol}_NAMED"
        page.text(f"A{row}", symbol, "symbol")
        page.text(f"B{row}", what[:1].upper() + what[1:])
        self.model.formula(page, f"C{row}", of, SHARES_UNROUNDED if shares else UNROUNDED, symbol=value)
        self.model.formula(page, f"D{row}", decimals, WHOLE, symbol=places)
        self.model.formula(page, f"E{row}", rounding_type, symbol=named)
        ways = {column: f"{symbol}_{way.value}" for column, way in WAYS.items()}
        floor, ceiling, half_up, _ = ways.values()
        even = f"IF(ISEVEN(ROUND({ceiling}/({ceiling}-{floor}), ZERO)), {ceiling}, {floor})"
        tie = f"IF({floor}={ceiling}, {half_up}, IF(AVERAGE({floor}, {ceiling})={value}, {even}, {half_up}))"
        for (column, name), formula in zip(
            ways.items(),
            (f"ROUNDDOWN({value}, {places})", f"ROUNDUP({value}, {places})", f"ROUND({value}, {places})", tie),
            strict=True,
        ):
            self.model.formula(page, f"{column}{row}", formula, digits, symbol=name)
        self.model.range(page, ways_of(symbol), f"F{row}", f"I{row}")
        taken, function = f"{symbol}_TAKEN", by_function(f"{symbol}_TAKEN")
        self.model.formula(
            page,
            f"J{row}",
            f"INDEX({ways_of(symbol)}, MATCH({named}, WAYS, ZERO))",
            digits,
            symbol=taken,
            look="result",
        )
        self.model.formula(page, f"K{row}", f"CP_ROUND({value}, {places}, {named})", digits, symbol=function)
        self.model.check(
            page,
            "LMN",
            f"Rounding of {symbol}: {what}",
            taken,
            function,
            "TOLERANCE",
            digits,
            symbol=f"{symbol}_ROUNDED",
        )
        page.height([(what, WIDTHS[1])])
        page.row += 1
        return taken


def ways_of(symbol: str) -> str:
    """The symbol of the four ways in which a figure was rounded."""
    return f"{symbol}_WAYS"
