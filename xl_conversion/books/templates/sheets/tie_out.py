"""The tie-out: stated figures as written against recomputed ones, at the digits written; nothing is corrected."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import MUTED, when_ready, wide
from xl_conversion.books.templates.model import WHOLE, Model
from xl_conversion.books.templates.sheets.rounding import WAYS, Roundings, ways_of
from xl_conversion.books.templates.sheets.stated import ITEMS, ROWS
from xl_conversion.core.stated import Item
from xl_conversion.core.tie_out import Check, Result

PURPOSE = "Stated figures against recomputed ones, compared at the digits written; nothing is corrected"
WIDTHS = (4, 5, 40, 16, 16, 9, 19, 16, 17, 9, 11, 17, 11, 30)
HEADER = (
    "No.",
    "Tick",
    "Stated figure",
    "As written",
    "Stated",
    "Decimals written",
    "Recomputed",
    "At the digits written",
    "Stated less recomputed",
    "Half of the last digit",
    "Result",
    "Roundings that give it",
    "Other document",
    "Source",
)
SECTION = "Recomputed figures, at the digits in which they were stated"
NO_NUMBER = "no number"
"""The result of what is stated and cannot be read as a figure."""
REMARKS = "in_remarks"
REMARK_TICK, REMARK_FIGURE, REMARK = "Tick", "Stated figure", "Remark"
REMARK_ROWS = 10
SHOWN = "#,##0.00########"
DIFFERENCES = "#,##0.00########;-#,##0.00########;0"
FIGURES: dict[Item, tuple[str, str]] = {
    Item.A: ("A", "TYPES_half_up"),
    Item.B: ("B", "TYPES_half_up"),
    Item.C: ("C", "TYPES_half_up"),
    Item.NUMERATOR: ("N", "TYPES_half_up"),
    Item.X: ("X", "TYPES_half_up"),
    Item.Y: ("Y", "TYPES_half_up"),
    Item.DENOMINATOR: ("D", "TYPES_half_up"),
    Item.CONVERSION_PRICE: ("CP2", "PRICE_TYPE"),
    Item.CONVERSION_RATIO: ("R", "RATIO_TYPE"),
}
"""Where a figure is recomputed, and how it is rounded."""
RESULTS = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO)
"""The figures that a notice is about."""
CURRENCIES = ("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "CNY", "US", "$", "€", "£", "¥")
"""What may stand before a figure as written; what contains another comes first."""


@dataclass
class TieOut:
    """The sheet."""

    model: Model
    page: Page
    roundings: Roundings

    def write(self) -> None:
        """A row for each stated figure, the tests that follow from several of them, the count of exceptions, and
        what is remarked."""
        counts_row = self.page.row
        self.page.row += 3
        self.page.header(HEADER, numeric="DEFGHIJ", centred="BKLM", freeze=True)
        first = self.page.row
        self.roundings.page.section("Recomputed figures by item, and how each is rounded")
        self._figures()
        self.roundings.page.section(SECTION)
        first_rounded = self.roundings.page.row
        for number in range(1, ROWS + 1):
            self._stated(number)
        self.model.range(self.page, "W_RESULTS", f"K{first}", f"K{self.page.row - 1}")
        self.model.range(self.page, "W_STATED", f"E{first}", f"E{self.page.row - 1}")
        self.model.range(self.page, "W_DECIMALS", f"F{first}", f"F{self.page.row - 1}")
        self._derived()
        last, last_rounded = self.page.row - 1, self.roundings.page.row - 1
        self.model.group(
            self.roundings.page,
            "Rounding of the figures on Tie-out",
            "TIE_OUT_ROUNDED",
            f"N{first_rounded}",
            f"N{last_rounded}",
        )
        self.model.range(self.page, "AT_DIGITS", f"H{first}", f"H{last}")
        self.model.range(self.roundings.page, "AT_DIGITS_TAKEN", f"J{first_rounded}", f"J{last_rounded}")
        for symbol, column in (("RESULTS", "K"), ("OTHERS", "M")):
            self.page.mark(f"{column}{first}:{column}{last}", Result.TIES, Result.EXCEPTION)
            self.model.range(self.page, symbol, f"{column}{first}", f"{column}{last}")
        end, self.page.row = self.page.row, counts_row
        self._count()
        self.page.row = end
        self._ticks()
        self._remarks()

    def _figures(self) -> None:
        """The recomputed figures stand on Rounding, where a row of this sheet looks them up by item."""
        model, page = self.model, self.roundings.page
        first = page.row
        for item, words in ITEMS.items():
            row = page.row
            figure, rounding_type = FIGURES.get(item, ('""', "TYPES_half_up"))
            model.formula(page, f"A{row}", f'ITEMS_{item.value}&""', symbol=f"FIGURE_{item.value}", look="symbol")
            model.listed(page, f"B{row}", f"FIGURE_{item.value}_WORDS", words)
            model.formula(
                page, f"C{row}", when_ready(figure), SHOWN, symbol=f"FIGURE_{item.value}_VALUE", align="right"
            )
            page.text(f"D{row}", "")
            model.formula(page, f"E{row}", f'{rounding_type}&""', symbol=f"FIGURE_{item.value}_TYPE")
            page.row += 1
        for symbol, column in (
            ("FIGURES", "A"),
            ("FIGURES_WORDS", "B"),
            ("FIGURES_VALUE", "C"),
            ("FIGURES_TYPE", "E"),
        ):
            model.range(page, symbol, f"{column}{first}", f"{column}{page.row - 1}")

    def _stated(self, number: int) -> None:
        """A row of Stated: the number in the text as written, what it should be, and whether it is."""
        model, page, row, this = self.model, self.page, self.page.row, f"W{number}"
        item, subject, written, other = (f"T{number}_{c}" for c in ("ITEM", "SUBJECT", "WRITTEN", "OTHER"))
        there, is_date = f'IF({item}="", "", {{}})', f"{item}=ITEMS_date"
        figure = f'IF({item}="", "", IF({is_date}, "", {{}}))'
        page.number(f"A{row}", Fraction(number), WHOLE, "muted")
        tick = f'IF({is_date}, "{Check.REFERENCE}", "{Check.RECOMPUTED}")'
        model.formula(page, f"B{row}", there.format(tick), look="symbol", align="center")
        place = f"MATCH({item}, FIGURES, ZERO)"
        words = (
            f'IFERROR(INDEX(FIGURES_WORDS, {place}), "not an item: "&{item})&IF({subject}="", "", ": "&{subject})'
        )
        model.formula(page, f"C{row}", there.format(words))
        model.formula(page, f"D{row}", f'{written}&""', align="right")
        stated = f'IFERROR({_number(written)}, "")'
        model.formula(page, f"E{row}", figure.format(stated), SHOWN, symbol=f"{this}_STATED", align="right")
        point = f'FIND(".", TRIM({written}))'
        digits = f"IF(ISERROR({point}), ZERO, LEN(TRIM({written}))-{point})"
        self._digits(this, figure.format(f'IF(ISNUMBER({this}_STATED), {digits}, "")'))
        common = f"SUMPRODUCT(EXACT(S_SECURITY, {subject})*ONE, S_SHARES)"
        recomputed = f'IF({item}=ITEMS_common_shares, {common}, IFERROR(INDEX(FIGURES_VALUE, {place}), ""))'
        kind = f'IFERROR(INDEX(FIGURES_TYPE, {place}), "")'
        again = f"IF({item}=ITEMS_common_shares, {common}, SUMIF(FIGURES, {item}, FIGURES_VALUE))"
        self._compared(this, figure.format(when_ready(recomputed)), kind, f"Tie-out no. {number}", again)
        ties = f'IF({this}_STATED={this}_AT_DIGITS, "{Result.TIES}", "{Result.EXCEPTION}")'
        # The number and its decimals are what was written, if together they give all its digits back.
        all_digits = _number(f'SUBSTITUTE({written}, ".", "")')
        back = f"IFERROR({all_digits}=ROUND({this}_STATED*TEN^{this}_DECIMALS, ZERO), FALSE())"
        ties = f'IF(IF(ISNUMBER({this}_STATED), {back}, FALSE()), {ties}, "{NO_NUMBER}")'
        same = f'IF({other}="", "", IF({{}}, "{Result.TIES}", "{Result.EXCEPTION}"))'.format
        text = f"TRIM({written})=TRIM({other})"
        self._result(this, there.format(f"IF({is_date}, {same(text)}, {when_ready(ties)})"))
        # One document may write a figure with a currency or with more zeros than another does.
        as_figures = same(f"IFERROR({_number(written)}={_number(other)}, {text})")
        model.formula(page, f"M{row}", figure.format(as_figures), align="center")
        source = f"T{number}_SOURCE"
        model.formula(page, f"N{row}", f'{source}&""', look="muted")
        subject_text = f"{model.value(subject) or ''}"
        about = f"{ITEMS[Item.DATE]}: {subject_text}" if subject_text else ""
        page.height([(about, WIDTHS[2]), (str(model.value(source) or ""), MUTED * WIDTHS[13])])
        page.row += 1

    def _derived(self) -> None:
        """The tests that take several stated figures together."""
        model, page, names = self.model, self.page, {}
        lookup = self.roundings.page
        for item in (Item.A, Item.X, Item.CONVERSION_PRICE, Item.CONVERSION_RATIO):
            names[item] = f"LOOK_{item.value}", f"LOOK_{item.value}_DECIMALS"
            for column in "AJN":
                lookup.text(f"{column}{lookup.row}", "")
            lookup.text(f"B{lookup.row}", f"{ITEMS[item]}, as stated")
            for column, symbol, cells in zip("CD", names[item], ("W_STATED", "W_DECIMALS"), strict=True):
                formula = f'IFERROR(INDEX({cells}, MATCH(ITEMS_{item.value}, T_ITEM, ZERO)), "")'
                model.formula(lookup, f"{column}{lookup.row}", formula, SHOWN, symbol=symbol, align="right")
            lookup.row += 1
        (a, a_digits), (x, x_digits) = names[Item.A], names[Item.X]
        (price, price_digits), (ratio, ratio_digits) = names[Item.CONVERSION_PRICE], names[Item.CONVERSION_RATIO]
        apart = f'IF(ISNUMBER({x}), IF(ISNUMBER({a}), {x}-{a}, ""), "")'
        others = (
            "AND(ISNUMBER(V1_STATED), V1_STATED<>V1_AT_DIGITS, ABS(X-A-L)>TOLERANCE, "
            "METHOD<>METHODS_full_ratchet, METHOD<>METHODS_none)"
        )
        for number, (check, label, figure, decimals, recomputed, kind, when) in enumerate(
            (
                (
                    Check.ROLLED_FORWARD,
                    "X - A as stated, against the securities issued",
                    apart,
                    f"MAX({x_digits}, {a_digits})",
                    "L",
                    "TYPES_half_up",
                    "LISTED>ZERO",
                ),
                (
                    Check.OTHER_COUNT,
                    "Conversion price after, with the securities issued counted",
                    price,
                    price_digits,
                    "CPL",
                    "PRICE_TYPE",
                    others,
                ),
                (
                    Check.OTHER_COUNT,
                    "Common per preferred, with the securities issued counted",
                    ratio,
                    ratio_digits,
                    "RL",
                    "RATIO_TYPE",
                    others,
                ),
                (
                    Check.STATED_PRICE,
                    "Common per preferred, from the price as stated",
                    ratio,
                    ratio_digits,
                    f"OIP/{price}",
                    "RATIO_TYPE",
                    f"COUNT({price})",
                ),
            ),
            start=1,
        ):
            row, this = page.row, f"V{number}"
            applies = when_ready(f'IF({when}, {{}}, "")').format
            page.number(f"A{row}", Fraction(ROWS + number), WHOLE, "muted")
            page.text(f"B{row}", check.value, "symbol", align="center")
            page.text(f"C{row}", label)
            for column in "DM":
                page.text(f"{column}{row}", "")
            model.formula(page, f"E{row}", applies(figure), SHOWN, symbol=f"{this}_STATED", align="right")
            known = f'IF(ISNUMBER({this}_STATED), {{}}, "")'.format
            self._digits(this, known(decimals))
            self._compared(this, known(recomputed), kind, f"Tie-out no. {ROWS + number}", recomputed)
            self._result(this, known(f'IF({this}_STATED={this}_AT_DIGITS, "{Result.TIES}", "{Result.EXCEPTION}")'))
            page.text(f"N{row}", "follows from the rows above", "muted")
            page.height([(label, WIDTHS[2])])
            page.row += 1

    def _digits(self, this: str, formula: str) -> None:
        self.model.formula(
            self.page, f"F{self.page.row}", formula, WHOLE, symbol=f"{this}_DECIMALS", align="right"
        )

    def _compared(self, this: str, recomputed: str, kind: str, what: str, again: str) -> None:
        """The recomputed figure, at the digits written, the difference and half of the last digit; `again` gives
        the figure another way."""
        model, page, row = self.model, self.page, self.page.row
        figure = f"{this}_RECOMPUTED"
        model.formula(page, f"G{row}", recomputed, SHOWN, symbol=figure, align="right")
        digits = f"{this}_DECIMALS"
        of = f'IF(ISNUMBER({digits}), {figure}, "")'
        taken = self.roundings.add(this, what, of, digits, kind, number_format=SHOWN, listed=False, again=again)
        known = f'IF(AND(ISNUMBER({figure}), ISNUMBER({digits})), {{}}, "")'.format
        model.formula(page, f"H{row}", known(taken), SHOWN, symbol=f"{this}_AT_DIGITS", align="right")
        apart = known(f'IF(ISNUMBER({this}_STATED), {this}_STATED-{figure}, "")')
        model.formula(page, f"I{row}", apart, DIFFERENCES, align="right")
        half = known(f"HALF/TEN^{digits}")
        model.formula(page, f"J{row}", half, "0.0########", look="muted", align="right")

    def _result(self, this: str, formula: str) -> None:
        model, page, row = self.model, self.page, self.page.row
        result = f"{this}_RESULT"
        model.formula(page, f"K{row}", formula, symbol=result, align="center")
        each = "&".join(
            f'IF({this}_{way.value}={this}_STATED, WAY_{column}&" ", "")' for column, way in WAYS.items()
        )
        given_by = (
            f'IF(ISERROR(MATCH({this}_STATED, {ways_of(this)}, ZERO)), "none", '
            f'SUBSTITUTE(TRIM({each}), " ", ", "))'
        )
        shown = f'IF({result}="{Result.EXCEPTION}", IF(ISNUMBER({this}_STATED), {given_by}, ""), "")'
        model.formula(page, f"L{row}", shown, align="center")

    def _count(self) -> None:
        ties, exceptions = (
            f'COUNTIF(RESULTS, "{result}")+COUNTIF(OTHERS, "{result}")'
            for result in (Result.TIES, Result.EXCEPTION)
        )
        for symbol, label, formula in (
            ("COMPARISONS", "Comparisons", f"{ties}+{exceptions}"),
            ("EXCEPTIONS", "Exceptions among them", exceptions),
        ):
            row = self.page.row
            for column, text in zip("ABC", (label, "", ""), strict=True):
                self.page.text(f"{column}{row}", text, "label")
            self.page.sheet.merge_cells(f"A{row}:C{row}")
            name = f"out_{symbol.lower()}"
            self.model.formula(self.page, f"D{row}", formula, WHOLE, symbol=symbol, look="result", name=name)
            self.page.row += 1

    def _ticks(self) -> None:
        self.page.section("Tick marks")
        for check in (
            Check.RECOMPUTED,
            Check.ROLLED_FORWARD,
            Check.OTHER_COUNT,
            Check.STATED_PRICE,
            Check.REFERENCE,
        ):
            self.page.text(f"B{self.page.row}", check.value, "symbol", align="center")
            wide(self.page, ("C", "N"), WIDTHS[2:], check.meaning)
            self.page.row += 1

    def _remarks(self) -> None:
        """What the product found on the figures as delivered or last refreshed; texts, replaced by a refresh."""
        page = self.page
        page.section("Remarks on the figures as delivered or last refreshed")
        top = page.row
        remarks = self.model.filling.tables.get(REMARKS, ())
        page.header(["", REMARK_TICK, REMARK_FIGURE, REMARK, *[""] * 10], centred="B")
        for number in range(REMARK_ROWS):
            row = remarks[number] if number < len(remarks) else {}
            tick, figure, remark = (str(row.get(name) or "") for name in (REMARK_TICK, REMARK_FIGURE, REMARK))
            if number >= len(remarks):
                tick = figure = remark = ""
            page.text(f"A{page.row}", "", "plain")
            page.text(f"B{page.row}", tick, "symbol", align="center")
            page.text(f"C{page.row}", figure, "plain")
            wide(page, ("D", "N"), WIDTHS[3:], remark, (figure, WIDTHS[2]))
            page.row += 1
        self.model.book.name(REMARKS, f"{page.address(f'B{top}')}:$D${page.row - 1}")


def _number(text: str) -> str:
    """The expression that reads a figure as written."""
    for currency in CURRENCIES:
        text = f'SUBSTITUTE({text}, "{currency}", "")'
    return f'NUMBERVALUE({text}, ".", ",")'
