"""The tie-out: stated figures as written against recomputed ones, at the digits written."""

from __future__ import annotations

from dataclasses import dataclass, field

from xl_conversion.books.page import Page, places
from xl_conversion.books.templates.lines import MUTED, wide
from xl_conversion.books.templates.model import (
    APART,
    PRICE,
    SHARES,
    SHARES_UNROUNDED,
    UNROUNDED,
    WHOLE,
    Model,
    whole,
)
from xl_conversion.books.templates.sheets.chain import chain_totals
from xl_conversion.books.templates.sheets.rounding import WAYS, Roundings, ways_of
from xl_conversion.books.templates.sheets.securities import shares_of
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType
from xl_conversion.core.stated import Item, Written, read_written
from xl_conversion.core.tie_out import Check, Finding, Result

PURPOSE = "Stated figures against recomputed ones; nothing is corrected"
WIDTHS = (5, 6, 51, 14, 16, 10, 20, 20, 17, 11, 12, 22, 30)
HEADER = (
    "No.",
    "Tick",
    "Stated figure, and how it is recomputed",
    "As written",
    "Stated",
    "Decimals written",
    "Recomputed",
    "At the digits written",
    "Stated less recomputed",
    "Tolerance",
    "Result",
    "Roundings that give it",
    "Source",
)
SECTION = "Recomputed figures, at the digits in which they were stated"
ITEMS = {
    Item.A: "A, common outstanding before",
    Item.B: "B, shares the consideration would buy",
    Item.C: "C, other securities before",
    Item.NUMERATOR: "Numerator, A + B + C",
    Item.X: "X, common outstanding after",
    Item.Y: "Y, other securities after",
    Item.DENOMINATOR: "Denominator, X + Y",
    Item.CONVERSION_PRICE: "Conversion price after",
    Item.CONVERSION_RATIO: "Common per preferred",
    Item.PREFERRED_SHARES: "Preferred",
    Item.COMMON_SHARES: "Common",
    Item.DATE: "Date",
}
COUNTS = 5
PRICE_APART = "0.0000000000;-0.0000000000;0"
PRICES = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO)
SYMBOLS = {
    Item.NUMERATOR: "N",
    Item.DENOMINATOR: "D",
    Item.CONVERSION_PRICE: "CP2",
    Item.CONVERSION_RATIO: "R",
}
LISTED = {Item.CONVERSION_PRICE: "CPL", Item.CONVERSION_RATIO: "RL"}


@dataclass
class TieOut:
    """The sheet, written in two passes: what is stated comes first, since the chain compares itself with it."""

    model: Model
    page: Page
    subject: Subject
    roundings: Roundings
    stated: dict[tuple[Item, str], str] = field(default_factory=dict)
    _rows: list[tuple[int, Finding]] = field(default_factory=list)

    def write_stated(self) -> None:
        """The header, and in a row for each finding the figure as stated."""
        self.page.row += 4  # for the counts
        self.page.header(HEADER, numeric="DEFGHIJ", centred="BKL", freeze=True)
        for place, finding in enumerate(self.subject.findings, start=1):
            self._rows.append((self.page.row, finding))
            self._words(place, finding)
            written = read_written(finding.stated)
            if finding.check is Check.REFERENCE or written is None:
                self.model.text(self.page, f"D{self.page.row}", f"T{place}_TEXT", finding.stated)
            elif finding.check is Check.ROLLED_FORWARD:
                self._rolled_forward(place)
            else:
                self._figure(place, finding, written)
            self.page.row += 1

    def write_results(self) -> None:
        """The rest of each row, the count of exceptions, the explanations and the tick marks."""
        self.roundings.page.section(SECTION)
        end, first = self.page.row, self._rows[0][0]
        for place, (row, finding) in enumerate(self._rows, start=1):
            self.page.row = row
            if f"T{place}_TEXT" in self.model.places:
                self._compared_texts(place, finding)
            else:
                self._compared(place, finding)
        self.page.mark(f"K{first}:K{end - 1}", Result.TIES, Result.EXCEPTION)
        self.model.range(self.page, "RESULTS", f"K{first}", f"K{end - 1}")
        self._count()
        self.page.row = end
        self._explanations()
        self._ticks()

    # The first pass.

    def _words(self, place: int, finding: Finding) -> None:
        row, what = self.page.row, _what(finding)
        source = f"{finding.source}; {finding.basis}" if finding.check is Check.REFERENCE else finding.source
        self.page.text(f"A{row}", str(place), "muted")
        self.page.text(f"B{row}", finding.check.value, "symbol", align="center")
        self.page.text(f"C{row}", what)
        self.page.text(f"M{row}", source, "muted")
        self.page.height([(what, WIDTHS[2]), (source, MUTED * WIDTHS[12])])

    def _figure(self, place: int, finding: Finding, written: Written) -> None:
        model, page, row = self.model, self.page, self.page.row
        stated, decimals, number_format = f"T{place}_STATED", f"T{place}_DECIMALS", _as_written(finding, written)
        key = finding.item, finding.subject
        if key in self.stated:  # stated once, tested more than once
            first = self.stated[key].removesuffix("_STATED")
            model.formula(page, f"D{row}", f"{first}_WRITTEN", symbol=f"T{place}_WRITTEN", align="right")
            model.formula(page, f"E{row}", f"{first}_STATED", number_format, symbol=stated)
            model.formula(page, f"F{row}", f"{first}_DECIMALS", WHOLE, symbol=decimals)
            return
        self.stated[key] = stated
        model.text(page, f"D{row}", f"T{place}_WRITTEN", finding.stated)
        model.number(page, f"E{row}", stated, written.value, number_format)
        model.count(page, f"F{row}", decimals, written.decimals)
        model.validate(page, f"F{row}", whole("Decimals written", 0, MAX_DECIMALS))

    def _rolled_forward(self, place: int) -> None:
        row, digits = self.page.row, "{}_DECIMALS"
        after, before = (self.stated[item, ""].removesuffix("_STATED") for item in (Item.X, Item.A))
        self.page.text(f"D{row}", "")
        self.model.formula(
            self.page, f"E{row}", f"{after}_STATED-{before}_STATED", SHARES, symbol=f"T{place}_STATED"
        )
        most = f"MAX({digits.format(after)}, {digits.format(before)})"
        self.model.formula(self.page, f"F{row}", most, WHOLE, symbol=digits.format(f"T{place}"))

    # The second pass.

    def _compared(self, place: int, finding: Finding) -> None:
        model, page, row = self.model, self.page, self.page.row
        stated, recomputed, at_digits = f"T{place}_STATED", f"T{place}_RECOMPUTED", f"T{place}_AT_DIGITS"
        shares = finding.item not in PRICES
        model.formula(
            page,
            f"G{row}",
            self._recomputed(finding),
            SHARES_UNROUNDED if shares else UNROUNDED,
            symbol=recomputed,
        )
        digits = str(page.sheet[f"E{row}"].number_format)
        symbol, decimals = f"T{place}", f"T{place}_DECIMALS"
        what = "Securities listed" if finding.check is Check.ROLLED_FORWARD else ITEMS[finding.item]
        taken = self.roundings.add(
            symbol, f"Tie-out no. {place}: {what}", recomputed, decimals, _type(finding), shares=shares
        )
        model.formula(page, f"H{row}", taken, digits, symbol=at_digits)
        model.formula(page, f"J{row}", f"HALF/TEN^{decimals}", "0.0########", look="muted")
        each = "&".join(f'IF({symbol}_{way.value}={stated}, WAY_{column}&" ", "")' for column, way in WAYS.items())
        match = f"MATCH({stated}, {ways_of(symbol)}, ZERO)"
        given_by = f'IFERROR(IF({match}>ZERO, SUBSTITUTE(TRIM({each}), " ", ", "), ""), "none")'
        model.formula(page, f"I{row}", f"{stated}-{recomputed}", APART if shares else PRICE_APART)
        result = f"T{place}_RESULT"
        ties = f'IF({stated}={at_digits}, "{Result.TIES}", "{Result.EXCEPTION}")'
        model.formula(page, f"K{row}", ties, symbol=result, align="center", name=f"out_tie_out_{place}")
        model.formula(page, f"L{row}", f'IF({result}="{Result.TIES}", "", {given_by})', align="center")

    def _compared_texts(self, place: int, finding: Finding) -> None:
        row, other = self.page.row, f"T{place}_OTHER"
        for column in "EFIJL":
            self.page.text(f"{column}{row}", "")
        self.page.text(f"G{row}", "other document", "muted", align="right")
        self.model.text(self.page, f"H{row}", other, finding.at_precision)
        ties = f'IF(T{place}_TEXT={other}, "{Result.TIES}", "{Result.EXCEPTION}")'
        self.model.formula(self.page, f"K{row}", ties, align="center", name=f"out_tie_out_{place}")

    def _recomputed(self, finding: Finding) -> str:
        """How a finding's figure is recomputed, in symbols."""
        match finding.check:
            case Check.ROLLED_FORWARD:
                return "LISTED"
            case Check.OTHER_COUNT:
                return LISTED[finding.item]
            case Check.STATED_PRICE:
                return f"OIP/{self.stated[Item.CONVERSION_PRICE, '']}"
            case Check.CHAIN:
                preferred, common = chain_totals(self.subject, finding.subject)
                return preferred if finding.item is Item.PREFERRED_SHARES else common
        if finding.item is Item.COMMON_SHARES:
            names = [security.security for security in self.subject.securities]
            return shares_of(names.index(finding.subject) + 1)
        return SYMBOLS.get(finding.item, finding.item.value)

    def _count(self) -> None:
        exceptions = f'COUNTIF(RESULTS, "{Result.EXCEPTION}")'
        for row, symbol, label, formula in (
            (COUNTS, "COMPARISONS", "Comparisons", "ROWS(RESULTS)"),
            (COUNTS + 1, "EXCEPTIONS", "Exceptions among them", exceptions),
        ):
            for column, text in zip("ABC", (label, "", ""), strict=True):
                self.page.text(f"{column}{row}", text, "label")
            self.page.sheet.merge_cells(f"A{row}:C{row}")
            name = f"out_{symbol.lower()}"
            self.model.formula(self.page, f"D{row}", formula, WHOLE, symbol=symbol, look="result", name=name)

    def _explanations(self) -> None:
        self.page.section("Exceptions and remarks, on the figures as delivered")
        for place, (_, finding) in enumerate(self._rows, start=1):
            if finding.explanation:
                self.page.text(f"A{self.page.row}", str(place), "muted")
                self.page.text(f"B{self.page.row}", finding.check.value, "symbol", align="center")
                self.page.text(f"C{self.page.row}", _what(finding), "label")
                wide(self.page, ("D", "M"), WIDTHS[3:], finding.explanation, (_what(finding), WIDTHS[2]))
                self.page.row += 1

    def _ticks(self) -> None:
        self.page.section("Tick marks")
        for check in Check:
            if any(finding.check is check for finding in self.subject.findings):
                self.page.text(f"B{self.page.row}", check.value, "symbol", align="center")
                wide(self.page, ("C", "M"), WIDTHS[2:], check.meaning)
                self.page.row += 1


def _what(finding: Finding) -> str:
    subject = f", {finding.subject}" if finding.subject and finding.check is not Check.ROLLED_FORWARD else ""
    match finding.check:
        case Check.ROLLED_FORWARD:
            return "X - A, against the securities listed"
        case Check.OTHER_COUNT:
            return f"{ITEMS[finding.item]}, with the securities listed"
        case Check.STATED_PRICE:
            return f"{ITEMS[finding.item]}, from the price as stated"
        case Check.REFERENCE:
            return f"{ITEMS[finding.item]}{subject}, against another document"
    return f"{ITEMS[finding.item]}{subject}"


def _type(finding: Finding) -> str:
    """The symbol of the rounding type of a figure."""
    if finding.item in PRICES:
        return "PRICE_TYPE" if finding.item is Item.CONVERSION_PRICE else "RATIO_TYPE"
    return f"TYPES_{RoundingType.HALF_UP.value}"


def _as_written(finding: Finding, written: Written) -> str:
    if finding.item in PRICES:
        return places(written.decimals) if written.decimals else PRICE
    return SHARES if not written.decimals else f"#,##0.{'0' * written.decimals}"
