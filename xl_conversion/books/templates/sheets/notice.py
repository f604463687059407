"""The notice to the holders, with the figures filled in: a page to print, check and send."""

from __future__ import annotations

from dataclasses import dataclass

from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.header_footer import HeaderFooterItem

from xl_conversion.books.page import BAD_INK, FONT, INK, Page
from xl_conversion.books.templates.lines import iso_day
from xl_conversion.books.templates.model import NO_ADDIN, OK, Model
from xl_conversion.books.templates.sheets.holders import PAID
from xl_conversion.books.templates.sheets.rounding import rounded

PURPOSE = "To the holders, with the figures of this workbook"
WIDTHS = (7, 40, 20, 20)
FOOTER = "Prepared with xl_conversion; check the figures on Calculation and Tie-out before it is sent"
DRAFT = "DRAFT: checks are not all OK"
LONG = "A name or a description of some sixty letters, as they come,"
"""A name or a description as long as may be expected, for the height of a row that holds one."""
NO_AVERAGE = "OR(METHOD=METHODS_full_ratchet, METHOD=METHODS_none, CP2r>=CP0)"
"""Whether the letters of the weighted average go into nothing."""
_MARGIN, SPACE = 0.9, 6
"""Inches beside the text, and points under a paragraph."""


def write_notice(model: Model, page: Page) -> None:
    """The letter. It is printed without the sheet's title and status, which stand above it."""
    first = page.row
    notice = _Notice(model, page)
    notice.opening()
    notice.event()
    notice.prices()
    notice.computation()
    notice.settlement()
    notice.signature()
    sheet = page.sheet
    sheet.oddFooter = HeaderFooterItem()  # a letter says nothing of the pages of a workbook
    sheet.print_area = f"A{first}:{page.last_column}{notice.end - 1}"
    sheet.page_margins.left = sheet.page_margins.right = _MARGIN
    sheet.page_setup.fitToHeight = 1
    sheet.freeze_panes = f"A{first}"


@dataclass
class _Notice:
    model: Model
    page: Page
    end: int = 0
    """The row under the letter; below it is what is not printed."""

    def opening(self) -> None:
        """Whether it is a draft, who writes, when, to whom and of what."""
        # Without the add-in the native formulas stand for themselves.
        draft = f'IF(AND(READY, OR(MASTER="{OK}", MASTER="{NO_ADDIN}")), "", "{DRAFT}")'
        self._line(draft, Font(FONT, 12, bold=True, color=BAD_INK))
        self._line(_or("COMPANY", "[company]"), Font(FONT, 14, bold=True, color=INK), 20)
        self._line(day_text("AS_OF"), Font(FONT, 10))
        self.page.row += 1
        self._line(f'"To the holders of "&{_or("SERIES", "[series]")}', Font(FONT, 11, bold=True))
        moved = 'IF(CP2r<CP0, "Notice of an adjustment of the conversion price", "Notice on the conversion price")'
        self._line(
            f'IF(READY, {moved}, "Notice on the conversion price")', Font(FONT, 13, bold=True, color=INK), 20
        )

    def event(self) -> None:
        """What happened, what it does to the price, and from when on."""
        after, before = figure_text("CP2r", "PRICE_DECIMALS"), figure_text("CP0", "PRICE_DECIMALS")
        clause = 'IF(CLAUSE="", "", " It falls under "&CLAUSE&" of the terms of the series.")'
        moved = f'" The conversion price is reduced from "&{money(before)}&" to "&{money(after)}&"."'
        tested = money(figure_text("P", "PRICE_DECIMALS"))
        stays = (
            f'" It was issued at "&{tested}&" a share, not below the conversion price: that '
            f'stays at "&{money(before)}&"."'
        )
        effective = (
            f'" Effective date: "&{day_text("EVENT_DATE")}&". A conversion from that day on is made at the price '
            'after the event."'
        )
        now = money(figure_text("PRICE_NOW", "PRICE_DECIMALS"))
        later = (
            f'IF(READY, IF(COUNTA(L_EVENT)>ZERO, " Events since then have led to a conversion price of '
            f'"&{now}&" on "&{day_text("AS_OF")}&".", ""), "")'
        )
        day = day_text("EVENT_DATE")
        issued = (
            f'"On "&{day}&" the company issued common, or securities that become common"&IF(READY, ", for '
            f'"&{money(count_text("K"))}&" in all", "")&IF(OR(EVENT="", EVENT={day}), "", " ("&EVENT&")")&"."'
        )
        self._paragraph(
            f'{issued}&{clause}&IF(READY, IF(CP2r<CP0, {moved}&{effective}, {stays}), "")&{later}',
            "On 2002-02-05 the company issued common, or securities that become common, for "
            f"1,234,567,890.12 in all ({LONG} {LONG}). It falls under {LONG} of the terms of the series. The "
            "conversion price is reduced from 2.00130118179974 to 2.00130118179974. Effective date: 2002-02-05. A "
            "conversion from that day on is made at the price after the event. Events since then have led to a "
            "conversion price of 2.00130118179974 on 2002-02-05.",
        )

    def prices(self) -> None:
        """Price and common per share, before and after."""
        before = rounded("R0", "RATIO_DECIMALS", "RATIO_TYPE")
        page = self.page
        page.sheet.merge_cells(f"A{page.row}:B{page.row}")
        self._header("Adjustment", "", "Before", "After", right="CD")
        for label, left, right in (
            (
                "Conversion price, for a share of common",
                money(figure_text("CP0", "PRICE_DECIMALS")),
                money(figure_text("CP2r", "PRICE_DECIMALS")),
            ),
            (
                "Shares of common for one share of the series",
                rounded_text(before, "RATIO_DECIMALS"),
                rounded_text("Rr", "RATIO_DECIMALS"),
            ),
        ):
            self._row(label, left, right)
        self.page.row += 1
        issued = money(figure_text("OIP", "PRICE_DECIMALS"))
        taken = 'IF(BASIS=BASES_rounded, "as it is stated here", "before it is rounded, "&FIXED(CPu, TEN))'
        self._paragraph(
            f'IF(READY, "The shares of common are the original issue price, "&{issued}&'
            f'", divided by the conversion price "&{taken}&"; the result is "&{_rounding("RATIO")}&".", "")',
            "The shares of common are the original issue price, 2.00130118179974, divided by the conversion price "
            "before it is rounded, 2.0013011818; the result is rounded to 10 decimals, to the nearest; a tie goes "
            "to the even digit.",
        )

    def computation(self) -> None:
        """How the price was computed."""
        average = (
            '"It was computed by the weighted average formula: the conversion price before × N / D, with the '
            f'letters below. The result is "&{_rounding("PRICE")}&"."'
        )
        ratchet = (
            '"It was computed by a full ratchet: the conversion price becomes the lowest price of a share issued, '
            f'where that is below the conversion price before. The result is "&{_rounding("PRICE")}&"."'
        )
        none = '"The terms of the series adjust nothing for an issuance."'
        moves = f"IF(METHOD=METHODS_full_ratchet, {ratchet}, {average})"
        stays = '"Nothing was computed: an issuance at or above the conversion price leaves it as it is."'
        words = f"IF(METHOD=METHODS_none, {none}, IF(CP2r<CP0, {moves}, {stays}))"
        self._paragraph(
            f'IF(READY, {words}, "")',
            "It was computed by a full ratchet: the conversion price becomes the lowest price of a share issued, "
            "where that is below the conversion price before. The result is rounded to 10 decimals, to the "
            "nearest; a tie goes to the even digit.",
        )
        self._header("Letter", "What it is", "Figure", "Unit", right="C")
        for letter, label, unit in (
            ("A", "Common before, on the base of the terms", "shares of common"),
            ("K", "Aggregate consideration for what was issued", "money"),
            ("B", "Common that K would buy at the price before", "shares of common"),
            ("C", "Common underlying other securities before", "shares of common"),
            ("N", "A + B + C", "shares of common"),
            ("X", "Common after, on that base", "shares of common"),
            ("Y", "Common underlying other securities after", "shares of common"),
            ("D", "X + Y", "shares of common"),
        ):
            self._letter(letter, label, unit)
        self.page.row += 1

    def settlement(self) -> None:
        """What becomes of fractions of a share."""
        per = 'IF(SHARES_PER=PER_certificate, "each certificate", "all that a holder converts")'
        ways = (
            'IF(SHARE_TYPE=TYPES_floor, "rounded down", IF(SHARE_TYPE=TYPES_ceiling, "rounded up", '
            'IF(SHARE_TYPE=TYPES_half_even, "rounded to the nearest (a tie to the even number)", '
            '"rounded to the nearest (a tie up)")))'
        )
        market = money(figure_text("MARKET", "CASH_DECIMALS"))
        cash = (
            f'IF({PAID}, " The fraction left over is paid in cash, at a market price of "&{market}&" for a share '
            'of common.", "")'
        )
        words = f'"Fractions: the shares of common for "&{per}&" are "&{ways}&" to whole shares."&{cash}'
        self._paragraph(
            f'IF(READY, {words}, "")',
            "Fractions: the shares of common for all that a holder converts are rounded to the nearest (a tie to "
            "the even number) to whole shares.",
            "Fractions: the shares of common for all that a holder converts are rounded down to whole shares. The "
            "fraction left over is paid in cash, at a market price of 12.345678901234 for a share of common.",
        )

    def signature(self) -> None:
        """Lines to sign on, and what to do before."""
        page = self.page
        self._line(f'"For "&{_or("COMPANY", "[company]")}', Font(FONT, 10, bold=True))
        for label in ("Name", "Title", "Date"):
            page.text(f"A{page.row}", label)
            page.sheet[f"A{page.row}"].border = Border()
            page.sheet[f"A{page.row}"].alignment = Alignment(vertical="bottom")
            page.sheet[f"B{page.row}"].border = Border(bottom=Side(style="thin"))
            page.sheet.row_dimensions[page.row].height = 24
            page.row += 1
        self.end = page.row
        page.row += 1
        page.text(f"A{page.row}", FOOTER, "muted")
        page.sheet[f"A{page.row}"].border = Border()
        self._across()
        page.row += 1

    def _line(self, expression: str, font: Font, height: float = 15) -> None:
        """A line of text, made smaller where it is too long."""
        page = self.page
        cell = f"A{page.row}"
        self.model.formula(page, cell, expression)
        page.sheet[cell].font, page.sheet[cell].border = font, Border()
        page.sheet[cell].alignment = Alignment(vertical="center", shrink_to_fit=True)
        self._across()
        page.sheet.row_dimensions[page.row].height = height
        page.row += 1

    def _paragraph(self, expression: str, *longest: str) -> None:
        """A text of several lines, with room for its `longest` forms, and a little space under it."""
        page = self.page
        cell = f"A{page.row}"
        self.model.formula(page, cell, expression)
        page.sheet[cell].border = Border()
        page.sheet[cell].alignment = Alignment(vertical="top", wrap_text=True)
        self._across()
        page.height([(text, sum(WIDTHS)) for text in longest])
        page.sheet.row_dimensions[page.row].height += SPACE
        page.row += 1

    def _header(self, *texts: str, right: str) -> None:
        """The header of a table, in the columns `right` aligned as figures are."""
        page = self.page
        for column, text in zip("ABCD", texts, strict=True):
            page.text(f"{column}{page.row}", text, "header", align="right" if column in right else "left")
        page.sheet.row_dimensions[page.row].height = 18
        page.row += 1

    def _row(self, label: str, before: str, after: str) -> None:
        page = self.page
        for column, text in (("A", label), ("B", "")):
            page.text(f"{column}{page.row}", text, "label")
        page.sheet.merge_cells(f"A{page.row}:B{page.row}")
        for column, shown in (("C", before), ("D", after)):
            self.model.formula(page, f"{column}{page.row}", f'IF(READY, {shown}, "")', look="label", align="right")
        page.height([("", 1)], 16)
        page.row += 1

    def _letter(self, letter: str, label: str, unit: str) -> None:
        page = self.page
        page.text(f"A{page.row}", letter, "symbol")
        page.text(f"B{page.row}", label)
        self.model.formula(
            page,
            f"C{page.row}",
            f'IF(READY, IF({NO_AVERAGE}, "not used", IF(ISNUMBER({letter}), {count_text(letter)}, "")), "")',
            align="right",
        )
        page.text(f"D{page.row}", unit, "muted")
        page.height([(label, WIDTHS[1])])
        page.row += 1

    def _across(self) -> None:
        self.page.sheet.merge_cells(f"A{self.page.row}:{self.page.last_column}{self.page.row}")


def day_text(symbol: str) -> str:
    """The expression that writes a date as YYYY-MM-DD, or what stands in its place."""
    return f'IF(ISBLANK({symbol}), "[date]", IFERROR({iso_day(symbol)}, {symbol}&""))'


def money(text: str) -> str:
    """The expression with the currency before it, where Inputs name one."""
    return f'CURRENCY&IF(ISBLANK(CURRENCY), "", IF(LEN(CURRENCY)>ONE, " ", ""))&{text}'


def figure_text(value: str, decimals: str) -> str:
    """The expression that writes a figure with its decimals, or with all of its own where it has more.

    >>> figure_text("P", "TWO")
    'IF(ROUND(P, TWO)=P, IF(TWO>TEN, P&"", FIXED(P, TWO)), P&"")'
    """
    return f'IF(ROUND({value}, {decimals})={value}, {rounded_text(value, decimals)}, {value}&"")'


def rounded_text(value: str, decimals: str) -> str:
    """The same for a figure that is rounded; so many decimals that it is not are not padded with zeros."""
    return f'IF({decimals}>TEN, {value}&"", FIXED({value}, {decimals}))'


def count_text(value: str) -> str:
    """The expression that writes a count whole, or with two decimals where it is not."""
    return f"IF(ROUND({value}, ZERO)={value}, FIXED({value}, ZERO), FIXED({value}, ONE+ONE))"


def _or(symbol: str, placeholder: str) -> str:
    return f'IF({symbol}="", "{placeholder}", {symbol})'


def _rounding(stem: str) -> str:
    """How a figure is rounded, in words."""
    kind = f"{stem}_TYPE"
    ways = (
        f'IF({kind}=TYPES_floor, "down", IF({kind}=TYPES_ceiling, "up", IF({kind}=TYPES_half_even, '
        '"to the nearest; a tie goes to the even digit", "to the nearest; a tie goes up")))'
    )
    decimals = f'{stem}_DECIMALS&IF({stem}_DECIMALS=ONE, " decimal, ", " decimals, ")'
    return f'IF({stem}_DECIMALS>TEN, "not rounded", "rounded to "&{decimals}&{ways})'
