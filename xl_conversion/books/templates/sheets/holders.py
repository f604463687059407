"""The conversion of every holder of the register, and what making whole shares for each of them comes to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter

from xl_conversion.books.page import Look, Page
from xl_conversion.books.templates.lines import by_function, when_ready
from xl_conversion.books.templates.model import (
    AMOUNT,
    CHECK,
    PRICE,
    SHARES,
    SHARES_UNROUNDED,
    UNROUNDED,
    WHOLE,
    Model,
)
from xl_conversion.books.templates.sheets.calculation import as_fraction, is_decimal
from xl_conversion.books.templates.sheets.register import ROWS
from xl_conversion.books.templates.sheets.rounding import cleaned, rounded
from xl_conversion.books.widths import lines

PURPOSE = "What each holder of the register gets on conversion"
WIDTHS = (5, 36, 14, 13, 20, 16, 19, 11, 10, 11, 14, 16, 19, 11, 10, 11)
HEADER = (
    "No.",
    "Holder",
    "Certificate",
    "Preferred counted",
    "Common on conversion, unrounded",
    "Whole shares, native formula",
    "Whole shares, worksheet function",
    "Difference",
    "Tolerance",
    "Check",
    "Fraction of\na share",
    "Cash in lieu,\nnative formula",
    "Cash in lieu,\nworksheet function",
    "Difference",
    "Tolerance",
    "Check",
)
NUMERIC, CENTRED = "ADEFGHIKLMNO", "JP"
SHARES_CHECKED, CASH_CHECKED = "HIJ", "NOP"
SIGNED = "#,##0;-#,##0;0"
PAID = "AND(SHARE_TYPE=TYPES_floor, ISNUMBER(MARKET))"
"""Whether a fraction of a share is paid in cash: only what rounding down leaves over can be."""
_EXACT = f"OR(HOLDERS_UNDER<>HOLDERS_PRICE, {is_decimal('HOLDERS_PRICE')})"
_NOW = "HOLDERS_OVER", "HOLDERS_UNDER", _EXACT
"""The ratio now, as a fraction, and whether that is exact: what is no decimal and no such fraction is known in 15
digits, and the digits in which that shows go first."""


def write_holders(model: Model, page: Page, rows: int = ROWS) -> None:
    """A row for each of the `rows` of the register, the totals, and all preferred together."""
    _how(model, page)
    page.header(HEADER, numeric=NUMERIC, centred=CENTRED, freeze=True)
    holders = _Holders(model, page)
    first = page.row
    for number in range(1, rows + 1):
        holders.row(number)
    for column, symbol in (
        ("D", "HO_PREFERRED"),
        ("F", "HO_COMMON"),
        ("G", by_function("HO_COMMON")),
        ("L", "HO_CASH"),
        ("M", by_function("HO_CASH")),
    ):
        model.range(page, symbol, f"{column}{first}", f"{column}{page.row - 1}")
    last = page.row - 1
    model.group(page, "Common of each holder", "HO_SHARES_CHECKED", f"J{first}", f"J{last}")
    model.group(page, "Cash in lieu of each holder", "HO_CASH_CHECKED", f"P{first}", f"P{last}")
    holders.totals()
    page.section("All preferred together")
    holders.together()


def _how(model: Model, page: Page) -> None:
    """How whole shares are made, and what becomes of fractions."""
    per = (
        'IF(SHARES_PER=PER_certificate, "Each row of the register is made whole shares on its own. ", '
        '"All that a holder has is made whole shares together, on the first row of the holder. ")'
    )
    cash = (
        f'IF({PAID}, "Fractions are paid in cash at the market price of Inputs.", IF(SHARE_TYPE=TYPES_floor, '
        '"No cash: Inputs give no market price of the common.", '
        '"No cash: whole shares are not rounded down, so that no fraction is left over."))'
    )
    model.formula(page, f"A{page.row}", f"{per}&{cash}", look="muted")
    page.sheet.merge_cells(f"A{page.row}:{page.last_column}{page.row}")
    page.height([("", 1)])
    page.row += 1
    averaged, over, under = as_fraction()
    fraction = f"AND(BASIS=BASES_unrounded, PRICE_NOW_UNROUNDED=CPu, {averaged})"
    for label, cells in (
        (
            "Price that the shares follow: the one in force now, as the charter takes the ratio",
            (("E", "HOLDERS_PRICE", "IF(BASIS=BASES_rounded, PRICE_NOW, PRICE_NOW_UNROUNDED)", UNROUNDED),),
        ),
        (
            "Common per preferred as a fraction, for the worksheet functions: the first figure over the second",
            (
                ("E", "HOLDERS_OVER", f"IF({fraction}, {over}, OIP)", AMOUNT),
                ("F", "HOLDERS_UNDER", f"IF({fraction}, {under}, HOLDERS_PRICE)", AMOUNT),
            ),
        ),
    ):
        page.text(f"A{page.row}", label, "label")
        page.sheet.merge_cells(f"A{page.row}:D{page.row}")
        page.height([(label, sum(WIDTHS[:4]))])
        for column, symbol, formula, number_format in cells:
            model.formula(
                page,
                f"{column}{page.row}",
                when_ready(formula),
                number_format,
                symbol=symbol,
                look="result",
                align="right",
            )
        page.row += 1


@dataclass
class _Holders:
    model: Model
    page: Page

    def row(self, number: int) -> None:
        """One row of the register."""
        page, row = self.page, self.page.row
        symbol = f"HO{number}"
        self.model.number(page, f"A{row}", f"{symbol}_NO", Fraction(number), WHOLE, look="muted")
        names = [self._name("B", f"{symbol}_HOLDER", f"H{number}_HOLDER", WIDTHS[1])]
        names.append(self._name("C", f"{symbol}_CERTIFICATE", f"H{number}_CERTIFICATE", WIDTHS[2]))
        self._cell("D", f"{symbol}_PREFERRED", _counted(number), SHARES)
        unrounded, fraction = f"{symbol}_UNROUNDED", f"{symbol}_FRACTION"
        self._cell("E", unrounded, _converted(f"{symbol}_PREFERRED", "HOLDERS_PRICE"), SHARES_UNROUNDED)
        self._whole(f"{symbol}_COMMON", symbol, f"Common of holder no. {number}", _NOW, listed=False)
        # In doubles a whole number may lack its last bits, which is no fraction below 0.
        rest = f"MAX({unrounded}-ROUNDDOWN(ROUND({unrounded}, GUARD), ZERO), ZERO)"
        self._cell("K", fraction, f'IF(ISNUMBER({unrounded}), {rest}, "")', UNROUNDED)
        cash = f"{symbol}_CASH"
        due = f"AND({PAID}, ISNUMBER({fraction}))"
        native = rounded(f"{fraction}*MARKET", "CASH_DECIMALS", "CASH_TYPE")
        self._cell("L", cash, f'IF({due}, {native}, "")', PRICE)
        common = f"{symbol}_PREFERRED*CP_RATIO(HOLDERS_OVER, HOLDERS_UNDER)"
        whole = f"ROUND({common}, ZERO)"
        even = f"IF({cleaned(common, 'ZERO')}={whole}, {whole}, {common})"
        arguments = f"{symbol}_PREFERRED, HOLDERS_OVER, HOLDERS_UNDER", f"{even}, ONE, ONE"
        exactly, nearly = (f"CP_CASH_IN_LIEU({of}, MARKET, CASH_DECIMALS, CASH_TYPE)" for of in arguments)
        function = f"IF({_EXACT}, {exactly}, {nearly})"
        self._cell("M", by_function(cash), f'IF({due}, {function}, "")', PRICE)
        label = f"Cash in lieu of holder no. {number}"
        self._check(CASH_CHECKED, label, cash, "TOLERANCE_AMOUNT", PRICE, listed=False)
        page.height(names)
        page.row += 1

    def totals(self) -> None:
        """The sums of what stands above."""
        page = self.page
        self._words("All holders", "result")
        for column, symbol, formula, number_format, name in (
            ("D", "HOLDERS_PREFERRED", "SUM(HO_PREFERRED)", SHARES, "out_holders_preferred"),
            ("F", "HOLDERS_COMMON", when_ready("SUM(HO_COMMON)"), SHARES, "out_holders_common"),
            ("G", by_function("HOLDERS_COMMON"), when_ready(f"SUM({by_function('HO_COMMON')})"), SHARES, ""),
            (
                "L",
                "HOLDERS_CASH",
                f'IF(AND(READY, {PAID}), SUM(HO_CASH), "")',
                PRICE,
                "out_holders_cash",
            ),
            (
                "M",
                by_function("HOLDERS_CASH"),
                f'IF(AND(READY, {PAID}), SUM({by_function("HO_CASH")}), "")',
                PRICE,
                "",
            ),
        ):
            self._cell(column, symbol, formula, number_format, look="result", name=name)
        self._check(SHARES_CHECKED, "Common of all holders", "HOLDERS_COMMON", "TOLERANCE", SHARES)
        self._check(CASH_CHECKED, "Cash in lieu of all holders", "HOLDERS_CASH", "TOLERANCE_AMOUNT", PRICE)
        page.row += 1

    def together(self) -> None:
        """All preferred as one conversion, after the event and before it, beside the sum of the holders."""
        page = self.page
        self._words("Rounded once, at the price in force now")
        aggregate = "HOLDERS_AGGREGATE"
        self._cell("D", f"{aggregate}_PREFERRED", "REGISTERED", SHARES)
        self._cell(
            "E", f"{aggregate}_UNROUNDED", _converted(f"{aggregate}_PREFERRED", "HOLDERS_PRICE"), SHARES_UNROUNDED
        )
        self._whole(aggregate, aggregate, "Common on all preferred together", _NOW)
        self.model.name("out_holders_common_in_aggregate", aggregate)
        page.row += 1
        less = f'IF(ISNUMBER({aggregate}), HOLDERS_COMMON-{aggregate}, "")'
        self._line("All holders above, less this", "F", "HOLDERS_ROUNDING", less)
        page.row += 1
        before = "HOLDERS_BEFORE"
        self._words("Rounded once, at the price before the event")
        self._cell("D", f"{before}_PREFERRED", "REGISTERED", SHARES)
        self._cell("E", f"{before}_UNROUNDED", _converted(f"{before}_PREFERRED", "CP0"), SHARES_UNROUNDED)
        exact = is_decimal("CP0")
        self._whole(before, before, "Common on all preferred before the event", ("OIP", "CP0", exact))
        page.row += 1
        more = f'IF(ISNUMBER({aggregate}), {aggregate}-{before}, "")'
        self._line("More common than before the event", "F", "HOLDERS_INCREASE", more)
        page.row += 1
        self._line("Preferred of the register, each share once", "D", "HOLDERS_ALL", "REGISTERED")
        self.model.check(
            page,
            SHARES_CHECKED,
            "Preferred of the register, each share once",
            "HOLDERS_ALL",
            "HOLDERS_PREFERRED",
            "TOLERANCE",
            SHARES,
            symbol="HOLDERS_ALL",
            native=True,
        )
        page.row += 1
        incomplete = f'COUNTIF(H_COMPLETE, "{CHECK}")'
        self._line("Rows of the register that are not complete", "D", "HOLDERS_INCOMPLETE", incomplete)
        self.model.check(
            page,
            SHARES_CHECKED,
            "Rows of the register that are not complete",
            "ZERO",
            "HOLDERS_INCOMPLETE",
            "ZERO",
            WHOLE,
            symbol="HOLDERS_INCOMPLETE",
            native=True,
        )
        page.row += 1

    def _name(self, column: str, symbol: str, of: str, width: float) -> tuple[str, float]:
        """A text of the register: wrapped where it is long already; a longer one typed in later, which does not
        make the row higher, is shown smaller."""
        cell = f"{column}{self.page.row}"
        self.model.formula(self.page, cell, f'{of}&""', symbol=symbol)
        text = self.model.texts(symbol)
        long = lines(text, width) > 1
        self.page.sheet[cell].alignment = Alignment(
            horizontal="left", vertical="top", indent=1, wrap_text=long, shrink_to_fit=not long
        )
        return text, width

    def _whole(
        self, common: str, stem: str, label: str, ratio: tuple[str, str, str], *, listed: bool = True
    ) -> None:
        """Whole shares, by native formula and by worksheet function, of what stands before them in the row; the
        `ratio` is a fraction, what is over its line and under it, and whether that is exact."""
        over, under, exact = ratio
        unrounded = f"{stem}_UNROUNDED"
        self._cell("F", common, _whole_shares(unrounded), SHARES)
        exactly = f"CP_CONVERSION_SHARES({stem}_PREFERRED, {over}, {under}, SHARE_TYPE)"
        nearly = cleaned(f"{stem}_PREFERRED*CP_RATIO({over}, {under})", "ZERO")
        function = f"IF({exact}, {exactly}, CP_CONVERSION_SHARES({nearly}, ONE, ONE, SHARE_TYPE))"
        self._cell("G", by_function(common), f'IF(ISNUMBER({unrounded}), {function}, "")', SHARES)
        self._check(SHARES_CHECKED, label, common, "TOLERANCE", SHARES, listed=listed)

    def _check(
        self, columns: str, label: str, symbol: str, tolerance: str, number_format: str, *, listed: bool = True
    ) -> None:
        self.model.check(
            self.page,
            columns,
            label,
            symbol,
            by_function(symbol),
            tolerance,
            number_format,
            symbol=symbol,
            when=f'NOT(IFERROR({symbol}="", FALSE))',  # an error is checked, and found
            otherwise="",
            listed=listed,
        )

    def _line(self, label: str, column: str, symbol: str, formula: str) -> None:
        self._words(label)
        self._cell(column, symbol, formula, SIGNED)

    def _words(self, label: str, look: Look = "plain") -> None:
        """The label of a line, across two columns, and the other cells still blank."""
        page, row = self.page, self.page.row
        for place in range(1, len(WIDTHS) + 1):
            page.text(f"{get_column_letter(place)}{row}", label if place == 2 else "", look)
        page.sheet.merge_cells(f"B{row}:C{row}")
        page.height([(label, WIDTHS[1] + WIDTHS[2])])

    def _cell(
        self, column: str, symbol: str, formula: str, number_format: str, *, look: Look = "plain", name: str = ""
    ) -> None:
        cell = f"{column}{self.page.row}"
        self.model.formula(
            self.page, cell, formula, number_format, symbol=symbol, look=look, align="right", name=name
        )


def _counted(number: int) -> str:
    """The preferred that a row counts: of its holder on the first row, where that is what is made whole."""
    key, shares = f"H{number}_KEY", f"H{number}_SHARES"
    first = f"MATCH({key}, H_KEY, ZERO)"
    held = f'IF({first}=HO{number}_NO, SUMIF(H_KEY, {key}, H_SHARES), "with no. "&{first})'
    return f'IF({key}="", "", IF(SHARES_PER=PER_certificate, IF(ISNUMBER({shares}), {shares}, ""), {held}))'


def _converted(preferred: str, price: str) -> str:
    return f'IF(AND(READY, ISNUMBER({preferred})), {preferred}*OIP/{price}, "")'


def _whole_shares(unrounded: str) -> str:
    return f'IF(ISNUMBER({unrounded}), {rounded(unrounded, "ZERO", "SHARE_TYPE")}, "")'
