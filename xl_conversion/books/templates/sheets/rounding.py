"""Every rounded figure rounded in all four ways by native formulas, and the one that the charter names taken."""

from __future__ import annotations

from dataclasses import dataclass

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import by_function
from xl_conversion.books.templates.model import PRICE, SHARES, SHARES_UNROUNDED, UNROUNDED, WHOLE, Model
from xl_conversion.core.rounding import RoundingType

PURPOSE = "Each rounded figure in all four ways, and the way that the charter names"
WIDTHS = (17, 40, 20, 9, 11, 15, 15, 15, 15, 16, 16, 10, 9, 11)
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
        self,
        symbol: str,
        what: str,
        of: str,
        decimals: str,
        rounding_type: str,
        *,
        shares: bool = False,
        number_format: str = "",
        listed: bool = True,
        again: str = "",
    ) -> str:
        """Rounds figure `of`, all by symbols; gives the symbol of the rounded one. Where it is not `listed`, its
        check is one of a group. The worksheet function rounds what `again` comes to, where that is given: the
        same figure, taken another way."""
        page, row = self.page, self.page.row
        digits = number_format or (SHARES if shares else PRICE)
        value, places, named = f"{symbol}_OF", f"{symbol}_PLACES", f"{symbol}_NAMED"
        page.text(f"A{row}", symbol, "symbol")
        page.text(f"B{row}", what[:1].upper() + what[1:])
        self.model.formula(
            page,
            f"C{row}",
            f'IF(ISNUMBER({of}), {of}, "")',
            number_format or (SHARES_UNROUNDED if shares else UNROUNDED),
            symbol=value,
            align="right",
        )
        self.model.formula(page, f"D{row}", decimals, WHOLE, symbol=places, align="right")
        self.model.formula(page, f"E{row}", rounding_type, symbol=named, align="left")
        known, ways = f"ISNUMBER({value})", {column: f"{symbol}_{way.value}" for column, way in WAYS.items()}
        floor, ceiling, half_up, _ = ways.values()
        # What is beyond the digits that count is what doubles left over.
        clean = cleaned(value, places)
        even = f"IF(ISEVEN(ROUND({floor}*TEN^{places}, ZERO)), {floor}, {ceiling})"
        tie = f"IF(AVERAGE({floor}, {ceiling})={clean}, {even}, {half_up})"
        for (column, name), formula in zip(
            ways.items(),
            (
                f"ROUNDDOWN({clean}, {places})",
                f"ROUNDUP({clean}, {places})",
                f"ROUND({value}, {places})",
                tie,
            ),
            strict=True,
        ):
            self.model.formula(
                page, f"{column}{row}", f'IF({known}, {formula}, "")', digits, symbol=name, align="right"
            )
        self.model.range(page, ways_of(symbol), f"F{row}", f"I{row}")
        taken, function = f"{symbol}_TAKEN", by_function(f"{symbol}_TAKEN")
        self.model.formula(
            page,
            f"J{row}",
            f'IF({known}, INDEX({ways_of(symbol)}, MATCH({named}, WAYS, ZERO)), "")',
            digits,
            symbol=taken,
            look="result",
            align="right",
        )
        self.model.formula(
            page,
            f"K{row}",
            f'IF({known}, CP_ROUND({again or value}, {places}, {named}), "")',
            digits,
            symbol=function,
            align="right",
        )
        self.model.check(
            page,
            "LMN",
            f"Rounding of {symbol}: {what}",
            taken,
            function,
            "TOLERANCE",
            digits,
            symbol=f"{symbol}_ROUNDED",
            when=known,
            otherwise="",
            listed=listed,
        )
        page.height([(what, WIDTHS[1])])
        page.row += 1
        return taken


def cleaned(value: str, decimals: str) -> str:
    """A value without the digits beyond those that count in rounding it, which are what doubles left over."""
    return f"ROUND({value}, {decimals}+GUARD)"


def rounded(value: str, decimals: str, rounding_type: str) -> str:
    """The expression that rounds `value` as the word in `rounding_type` says, all by symbols, in one cell.

    A double is hardly ever the decimal that it stands for, so what is beyond the digits that count goes first.
    """
    clean = cleaned(value, decimals)
    down, up = f"ROUNDDOWN({clean}, {decimals})", f"ROUNDUP({clean}, {decimals})"
    even = f"IF(ISEVEN(ROUND({down}*TEN^{decimals}, ZERO)), {down}, {up})"
    tie = f"IF(AVERAGE({down}, {up})={clean}, {even}, ROUND({value}, {decimals}))"
    nearest = f"IF({rounding_type}=TYPES_half_even, {tie}, ROUND({value}, {decimals}))"
    return f"IF({rounding_type}=TYPES_floor, {down}, IF({rounding_type}=TYPES_ceiling, {up}, {nearest}))"


def ways_of(symbol: str) -> str:
    """The symbol of the four ways in which a figure was rounded."""
    return f"{symbol}_WAYS"
