"""The price through all events, each by a worksheet function and by native formulas, and the notices given.

A row keeps three prices, since a charter may take each for another purpose: the one in force (rounded), the one
that the next adjustment starts from, and the unrounded one. A row without an event hands all three on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from openpyxl.chart import Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines, NumericAxis
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import column_index_from_string

from xl_conversion.books.page import DAY, INK, LINE, Look, Page
from xl_conversion.books.templates.lines import by_function, when_ready, wide
from xl_conversion.books.templates.model import (
    CHECK,
    DIFFERENCE,
    NO_ADDIN,
    OK,
    OPEN,
    PRICE,
    SMALL,
    UNROUNDED,
    WHOLE,
    Model,
)
from xl_conversion.books.templates.sheets.calculation import is_decimal
from xl_conversion.books.templates.sheets.events import EARLIER_ROWS, LATER_ROWS, EventKind, by_kind
from xl_conversion.books.templates.sheets.rounding import cleaned, rounded

_SCALE = 73
"""Percent: what the width of the page allows, and what can still be read."""
PURPOSE = "The price and the ratio through all events, and whether the notices said so"
WIDTHS = (4.5, 22, 10.5, 15, 15, 16, 16, 15, 15, 9, 9, 11, 13, 13)
PRICES = (
    "No.",
    "Event",
    "Date",
    "Kind",
    "Price before",
    "N",
    "D",
    "Price after, unrounded",
    "By worksheet function",
    "Difference",
    "Tolerance",
    "Check",
    "Rounded",
    "Price after",
)
NOTICES = (
    "No.",
    "Event",
    "Date",
    "Next event starts from",
    "Unrounded price",
    "Ratio, unrounded",
    "Ratio",
    "Notice",
    "",
    "",
    "",
    "Price noticed",
    "Ratio noticed",
    "As noticed",
)
AGAIN = (
    "No.",
    "Event",
    "Date",
    "Kind",
    "Price after, unrounded",
    "Next event starts from",
    "Unrounded price",
    "Price after",
    "Ratio",
    "Difference",
    "Tolerance",
    "Check",
)
AGAIN_RULE = (
    "Each row of both tables above once more, by worksheet functions from what the row before has. Difference: "
    "the largest one of the row, the figures that a notice told and the counts at the end included."
)
RULE = (
    "Price after, unrounded: price before × N / D, never above the price before but for a split; Events says what "
    "N and D are. What moves nothing leaves the price as it was. Pale: no event, the price goes on."
)
_NOTICE = "H", "K"
AS_NOTICED, DIFFERS = "as noticed", "differs"
NOT_COMPLETE = "not complete"
_FRACTION = "#,##0.00##"
_TITLE, _FREEZE = "1:2", "C4"
_POINTS = "P", "Q"
"""Columns of the chart's points, beside what is printed."""
_CHART_CM, _CHART_ROWS = (35.0, 7.6), 15
_PAGE_POINTS = 670.0
"""What fits on a printed page at the scale of this sheet."""
_POINTS_PER_CM, _ROW_POINTS = 72 / 2.54, 15.0
_BLANK = ("FROM", "N", "D", "AFTER", "FUNCTION", "APART", "ALLOWED", "RESULT", "ROUNDED")
_PALE_INK, _PAPER = "A9B3BF", "FFFFFF"


Figure: TypeAlias = tuple[str, str, str, str]
"""Column, symbol, expression and number format of a cell."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of both tables: its symbols are ``KEY_PRICE`` and so on, those of the row above ``LAST_PRICE``."""

    key: str
    last: str
    first: int
    second: int
    look: Look = "plain"


@dataclass
class History:
    """The sheet, in two parts: the calculation of the event under study stands in between.

    After the first part `CARRIED_IN`, `IN_FORCE_IN` and `UNROUNDED_IN` are known: the price that the event starts
    from, the one that is in force before it, and that one before it was rounded.
    """

    model: Model
    page: Page
    earlier: int = EARLIER_ROWS
    later: int = LATER_ROWS
    _keys: list[str] = field(default_factory=list)
    _events: dict[str, str] = field(default_factory=dict)
    _first: int = 0
    _second: int = 0
    _third: int = 0

    def write_earlier(self) -> None:
        """The headers, the price before the first event, and the events before the one under study."""
        page = self.page
        wide(page, ("A", page.last_column), WIDTHS, RULE)
        page.row += 1
        # There are two tables, each with a header of its own on a page of its own: what is repeated is the title.
        page.sheet.print_title_rows, page.sheet.freeze_panes = _TITLE, _FREEZE
        page.header(PRICES, numeric="AEFGHIJKMN", centred="L")
        self._first = page.row
        page.row += self._rows + 2 + _CHART_ROWS + 1
        page.section("Ratios and notices", 0)
        page.header(NOTICES, numeric="ADEFGLM", centred="N")
        page.sheet.merge_cells(f"{_NOTICE[0]}{page.row - 1}:{_NOTICE[1]}{page.row - 1}")
        self._second = page.row
        self._start()
        for number in range(1, self.earlier + 1):
            self._event("E", number)
        last = self._keys[-1]
        for symbol, column in (("CARRIED_IN", "NEXT"), ("IN_FORCE_IN", "PRICE"), ("UNROUNDED_IN", "UNROUNDED")):
            self.model.places[symbol] = self.model.places[f"{last}_{column}"]

    def write_rest(self) -> None:
        """The event under study, the events after it, what holds now, and the chart."""
        self._studied()
        for number in range(1, self.later + 1):
            self._event("L", number)
        last = self._first + self._rows
        self.model.group(
            self.page, "Prices after the events, unrounded", "HISTORY_CHECKED", f"L{self._first}", f"L{last}"
        )
        self._now()
        self._pale()
        self._points()
        page = self.page
        page.row = self._first + self._rows + 2
        heights = (page.sheet.row_dimensions[row].height for row in range(1, page.row))
        if sum(height or _ROW_POINTS for height in heights) + _CHART_CM[1] * _POINTS_PER_CM > _PAGE_POINTS:
            page.break_before()
        self._chart()
        page.row = self._second - 2
        page.break_before()
        page.row = self._second + self._rows + 1
        self._again()
        page.sheet.page_setup.scale = _SCALE
        page.sheet.print_area = f"A1:{page.last_column}{page.row - 1}"

    @property
    def _rows(self) -> int:
        """Of either table: before the first event, the events and the one under study."""
        return 1 + self.earlier + 1 + self.later

    # The rows.

    def _start(self) -> None:
        row = self._row("H0")
        self._names(row, '"Before the first event"', '""', '""')
        blank = [(column, symbol, '""', UNROUNDED) for column, symbol in zip("EFGHIJKLM", _BLANK, strict=True)]
        self._write(row, [*blank, ("N", "PRICE", when_ready("START"), PRICE)])
        self._write(
            row,
            [
                ("D", "NEXT", when_ready("START"), UNROUNDED),
                ("E", "UNROUNDED", when_ready("START"), UNROUNDED),
                *_ratio(row, f"{row.key}_PRICE"),
            ],
            second=True,
        )
        self._number(row)
        self._notice(row, "", "", "")

    def _event(self, prefix: str, number: int) -> None:
        """An event of the sheet Events."""
        e = f"{prefix}{number}"
        row = self._row(f"H{e}")
        self._events[row.key] = e
        kind, start, after = f"{e}_KIND", f"{row.key}_FROM", f"{row.key}_AFTER"
        day = f'IF(COUNT({e}_DATE), {e}_DATE, "")'
        shown = f'IF({e}_COMPLETE="{CHECK}", "{NOT_COMPLETE}", {kind}&"")'
        self._names(row, f'{e}_EVENT&""', day, shown)
        carried = f"{row.last}_NEXT"
        there = f'AND({e}_COMPLETE="{OK}", COUNT({carried}), {carried}>ZERO)'
        numerator, denominator = _fraction(e, start)
        self._write(
            row,
            [
                ("E", "FROM", f'IF({there}, {carried}, "")', UNROUNDED),
                ("F", "N", f'IF(COUNT({start}), {numerator}, "")', _FRACTION),
                ("G", "D", f'IF(COUNT({start}), {denominator}, "")', _FRACTION),
                ("H", "AFTER", f'IF(COUNT({start}), {_after(row, e)}, "")', UNROUNDED),
                # From what the row above carries on, so that E too is checked.
                ("I", "FUNCTION", f'IF(COUNT({start}), {_function(e, carried)}, "")', UNROUNDED),
            ],
        )
        self.page.row = row.first
        self.model.check(
            self.page,
            "JKL",
            f"History, {'earlier' if prefix == 'E' else 'later'} event {number}: price after, unrounded",
            after,
            f"{row.key}_FUNCTION",
            "TOLERANCE",
            UNROUNDED,
            symbol=f"HISTORY_{e}",
            when=f"AND(COUNT({start}), {kind}<>EVENT_KINDS_replayed)",
            otherwise="",
            listed=False,
        )
        taken = rounded(after, "PRICE_DECIMALS", "PRICE_TYPE")
        self._write(row, [("M", "ROUNDED", f'IF(COUNT({after}), {taken}, "")', PRICE)])
        moved = _moved(row, e, f"{row.key}_FROM", after)
        price = _in_force(row, e, after, f"{row.key}_ROUNDED")
        self._write(row, [("N", "PRICE", _held(row, "PRICE", moved, price), PRICE)])
        carried = f"IF(CARRIED=BASES_rounded, {row.key}_PRICE, {after})"
        self._write(
            row,
            [
                ("D", "NEXT", _held(row, "NEXT", moved, carried), UNROUNDED),
                ("E", "UNROUNDED", _held(row, "UNROUNDED", moved, after), UNROUNDED),
                *_ratio(row, after),
            ],
            second=True,
        )
        self._number(row)
        self._notice(row, f"{e}_NOTICE", f"{e}_NPRICE", f"{e}_NRATIO")

    def _studied(self) -> None:
        """The event under study, as Calculation has it."""
        row = self._row("HX", "label")
        day = 'IF(COUNT(EVENT_DATE), EVENT_DATE, "")'
        self._names(row, 'EVENT&""', day, when_ready("EVENT_KINDS_issuance"))
        no_fraction = "OR(METHOD=METHODS_full_ratchet, METHOD=METHODS_none)"
        prices = [
            ("E", "FROM", "CP1", UNROUNDED),
            ("F", "N", f'IF({no_fraction}, "", N)', _FRACTION),
            ("G", "D", f'IF({no_fraction}, "", D)', _FRACTION),
            ("H", "AFTER", "CP2", UNROUNDED),
            ("I", "FUNCTION", by_function("CP2"), UNROUNDED),
            ("J", "APART", "CP2_APART", DIFFERENCE),
            ("K", "ALLOWED", "CP2_ALLOWED", SMALL),
            ("L", "RESULT", "CP2_RESULT", "General"),
            ("M", "ROUNDED", rounded("CP2", "PRICE_DECIMALS", "PRICE_TYPE"), PRICE),
            ("N", "PRICE", "CP2r", PRICE),
        ]
        ratios = [
            ("D", "NEXT", "CPn", UNROUNDED),
            ("E", "UNROUNDED", f"IF(CP2=CP1, {row.last}_UNROUNDED, CP2)", UNROUNDED),
            ("F", "RATIO_UNROUNDED", "R", UNROUNDED),
            ("G", "RATIO", "Rr", PRICE),
        ]
        self._write(row, [(c, s, when_ready(expression), f) for c, s, expression, f in prices])
        self._write(row, [(c, s, when_ready(expression), f) for c, s, expression, f in ratios], second=True)
        self.page.mark(f"L{row.first}", OK, CHECK, NO_ADDIN, OPEN)
        self._number(row)
        self._notice(row, "NOTICE", "NOTICE_PRICE", "NOTICE_RATIO")

    def _row(self, key: str, look: Look = "plain") -> _Row:
        place = len(self._keys)
        last = self._keys[-1] if self._keys else ""
        self._keys.append(key)
        return _Row(key, last, self._first + place, self._second + place, look)

    def _write(self, row: _Row, figures: Iterable[Figure], *, second: bool = False) -> None:
        """Cells of a row of the first table, or of the second one."""
        for column, symbol, expression, number_format in figures:
            align = "center" if column == "L" and not second else "right"
            self.model.formula(
                self.page,
                f"{column}{row.second if second else row.first}",
                expression,
                number_format,
                symbol=f"{row.key}_{symbol}",
                look=row.look,
                align=align,
            )

    def _names(self, row: _Row, event: str, day: str, kind: str) -> None:
        """Event, date and kind."""
        names = (("B", "EVENT", event, "General"), ("C", "DATE", day, DAY), ("D", "KIND", kind, "General"))
        for column, symbol, expression, number_format in names:
            cell, key = f"{column}{row.first}", f"{row.key}_{symbol}"
            self.model.formula(self.page, cell, expression, number_format, symbol=key, look=row.look, align="left")
        self.page.row = row.first
        self.page.height([(self.model.texts(f"{row.key}_EVENT"), WIDTHS[1])])

    def _number(self, row: _Row) -> None:
        """The number of the event among those that are there, and its names in the second table."""
        key = row.key
        self.model.range(self.page, f"{key}_SO_FAR", f"H{self._first}", f"H{row.first}")
        number = f'IF(COUNT({key}_AFTER), COUNT({key}_SO_FAR), "")' if row.last else when_ready("ZERO")
        self._write(row, [("A", "NUMBER", number, WHOLE)])
        self._write(row, [("A", "NUMBER_AGAIN", f"{key}_NUMBER", WHOLE)], second=True)
        for column, symbol, number_format in (("B", "EVENT", "General"), ("C", "DATE", DAY)):
            cell = f"{column}{row.second}"
            self.model.formula(self.page, cell, f"{key}_{symbol}", number_format, look=row.look, align="left")

    def _notice(self, row: _Row, notice: str, price: str, ratio: str) -> None:
        """What a notice said, and whether that is what follows."""
        key, place = row.key, row.second
        text = f'{notice}&""' if notice else '""'
        first, last = _NOTICE
        self.model.formula(self.page, f"{first}{place}", text, symbol=f"{key}_NOTICE", look=row.look, align="left")
        for column in "IJK":
            self.page.text(f"{column}{place}", "", row.look)
        self.page.sheet.merge_cells(f"{first}{place}:{last}{place}")
        for column, symbol, given in (("L", "TOLD_PRICE", price), ("M", "TOLD_RATIO", ratio)):
            told = f'IF(COUNT({given}), {given}, "")' if given else '""'
            self._write(row, [(column, symbol, told, PRICE)], second=True)
        same = " , ".join(
            f"IF(COUNT({key}_TOLD_{what}), ABS({key}_{what}-{key}_TOLD_{what})<=TOLERANCE, TRUE)"
            for what in ("PRICE", "RATIO")
        )
        nothing = f'OR({key}_NOTICE="", COUNT({key}_AFTER)=ZERO, COUNT({key}_TOLD_PRICE, {key}_TOLD_RATIO)=ZERO)'
        compared = f'IF({nothing}, "", IFERROR(IF(AND({same}), "{AS_NOTICED}", "{DIFFERS}"), "{DIFFERS}"))'
        cell, symbol = f"N{place}", f"{key}_AS_NOTICED"
        self.model.formula(
            self.page, cell, compared if notice else '""', symbol=symbol, look=row.look, align="center"
        )
        self.page.mark(cell, AS_NOTICED, DIFFERS)
        self.page.row = place
        width = sum(WIDTHS[7:11])
        self.page.height(
            [(self.model.texts(f"{key}_NOTICE"), width), (self.model.texts(f"{key}_EVENT"), WIDTHS[1])]
        )

    # What follows the rows.

    def _now(self) -> None:
        model, page, last = self.model, self.page, self._keys[-1]
        first, second = self._first + self._rows, self._second + self._rows
        for row in (first, second):
            for column in "ABCDEFGHIJKLMN":
                page.text(f"{column}{row}", "", "result")
            page.text(f"B{row}", "Now", "result")
        model.range(page, "AS_NOTICED", f"N{self._second}", f"N{second - 1}")
        price = "IF(BASIS=BASES_rounded, PRICE_NOW, PRICE_NOW_UNROUNDED)"
        ratio = f'IF(COUNT(PRICE_NOW), IF(PRICE_NOW>ZERO, OIP/{price}, ""), "")'
        taken = rounded("RATIO_NOW_UNROUNDED", "RATIO_DECIMALS", "RATIO_TYPE")
        page.text(f"C{first}", "events:", "result", align="right")
        page.text(f"L{second}", "notices that differ:", "result", align="right")
        page.sheet.merge_cells(f"L{second}:M{second}")
        for cell, expression, number_format, symbol, name in (
            (f"D{first}", f"COUNT({last}_SO_FAR)", WHOLE, "EVENTS_COUNT", "out_events_count"),
            (f"N{first}", f"{last}_PRICE", PRICE, "PRICE_NOW", "out_conversion_price_now"),
            (f"D{second}", f"{last}_NEXT", UNROUNDED, "NEXT_NOW", ""),
            (f"E{second}", f"{last}_UNROUNDED", UNROUNDED, "PRICE_NOW_UNROUNDED", ""),
            (f"F{second}", ratio, UNROUNDED, "RATIO_NOW_UNROUNDED", ""),
            (
                f"G{second}",
                f'IF(COUNT(RATIO_NOW_UNROUNDED), {taken}, "")',
                PRICE,
                "RATIO_NOW",
                "out_conversion_ratio_now",
            ),
            (
                f"N{second}",
                f'COUNTIF(AS_NOTICED, "{DIFFERS}")',
                WHOLE,
                "NOTICES_DIFFER",
                "out_notices_that_differ",
            ),
        ):
            align = {"NOTICES_DIFFER": "center", "EVENTS_COUNT": "left"}.get(symbol, "right")
            model.formula(
                page, cell, expression, number_format, symbol=symbol, look="result", align=align, name=name
            )

    # Once more.

    def _again(self) -> None:
        """Every price and ratio by worksheet functions: what the next row reads is checked in each row."""
        model, page = self.model, self.page
        page.section("Prices and ratios once more, by worksheet functions")
        page.break_before()
        wide(page, ("A", page.last_column), WIDTHS, AGAIN_RULE)
        page.row += 1
        page.header(AGAIN, numeric="AEFGHIJK", centred="L")
        self._third = page.row
        for last, key in zip(["", *self._keys], [*self._keys, ""], strict=True):
            self._names_again(key)
            if not last:
                figures = dict.fromkeys(("NEXT", "UNROUNDED", "PRICE"), "START")
                self._row_again(key, figures, f"{key}_PRICE")
            elif not key:
                figures = {name: f"{last}_{name}" for name in ("NEXT", "UNROUNDED", "PRICE")}
                self._row_again("NOW", figures, "PRICE_NOW", self._counts())
            elif key in self._events:
                self._event_again(key, last, self._events[key])
            else:
                self._studied_again(key)
            page.row += 1
        results = f"L{self._third}", f"L{page.row - 1}"
        model.group(page, "Prices in force, carried on and unrounded, and ratios", "AGAIN_CHECKED", *results)

    def _names_again(self, key: str) -> None:
        page = self.page
        if not key:
            page.text(f"B{page.row}", "Now")
            return
        for column, symbol, number_format, align in (
            ("A", "NUMBER", WHOLE, "right"),
            ("B", "EVENT", "General", "left"),
            ("C", "DATE", DAY, "left"),
            ("D", "KIND", "General", "left"),
        ):
            self.model.formula(page, f"{column}{page.row}", f"{key}_{symbol}", number_format, align=align)
        page.height([(self.model.texts(f"{key}_EVENT"), WIDTHS[1])])

    def _event_again(self, key: str, last: str, e: str) -> None:
        row, start, native = _Row(key, last, 0, 0), f"{last}_NEXT", f"{key}_AFTER"
        again = f"{key}_AFTER_AGAIN"
        replayed = _replayed(row, e, start)
        after = f"IF({e}_KIND=EVENT_KINDS_replayed, {replayed}, {key}_FUNCTION)"
        moved = _moved(row, e, f"{key}_FROM", native)
        price = _in_force(row, e, again, f"CP_ROUND({again}, PRICE_DECIMALS, PRICE_TYPE)")
        figures = {
            "AFTER": f'IF(COUNT({native}), {after}, "")',
            "PRICE": _held(row, "PRICE", moved, price),
            "NEXT": _held(row, "NEXT", moved, f"IF(CARRIED=BASES_rounded, {key}_PRICE_AGAIN, {again})"),
            "UNROUNDED": _held(row, "UNROUNDED", moved, again),
        }
        told = [
            f"ABS(N({key}_TOLD_PRICE)-N({e}_NPRICE))",
            f"ABS(N({key}_TOLD_RATIO)-N({e}_NRATIO))",
            f"IF(COUNT({key}_FROM), ABS({key}_FROM-{start}), ZERO)",
        ]
        self._row_again(key, figures, native, told)

    def _studied_again(self, key: str) -> None:
        again = f"{key}_AFTER_AGAIN"
        price = f"MIN(CP_ROUND({again}, PRICE_DECIMALS, PRICE_TYPE), IN_FORCE_IN)"
        carried = f"IF(CARRIED=BASES_rounded, {key}_PRICE_AGAIN, {again})"
        figures = {
            "AFTER": by_function("CP2"),
            "PRICE": f"IF(CP2=CP1, IN_FORCE_IN, {price})",
            "NEXT": f"IF(CP2=CP1, CARRIED_IN, {carried})",
            "UNROUNDED": f"IF(CP2=CP1, UNROUNDED_IN, {again})",
        }
        told = [
            f"ABS(N({key}_TOLD_PRICE)-N(NOTICE_PRICE))",
            f"ABS(N({key}_TOLD_RATIO)-N(NOTICE_RATIO))",
            f"ABS({key}_FROM-CARRIED_IN)",
        ]
        self._row_again(key, figures, f"{key}_AFTER", told)

    def _counts(self) -> list[str]:
        """How many events and notices there are, counted another way."""
        events = f'COUNTIF(E_COMPLETE, "{OK}")+COUNTIF(L_COMPLETE, "{OK}")+ONE'
        differ = f'ROWS(AS_NOTICED)-COUNTBLANK(AS_NOTICED)-COUNTIF(AS_NOTICED, "{AS_NOTICED}")'
        return [f"ABS(EVENTS_COUNT-({events}))", f"ABS(NOTICES_DIFFER-({differ}))"]

    def _row_again(self, key: str, figures: dict[str, str], there: str, others: Iterable[str] = ()) -> None:
        """The `figures` of a row by symbol, its ratio where the figure `there` is there, and its check."""
        page, model = self.page, self.model
        native = {name: f"{key}_{name}" for name in (*figures, "RATIO")}
        if key == "NOW":
            native = {"NEXT": "NEXT_NOW", "UNROUNDED": "PRICE_NOW_UNROUNDED", "PRICE": "PRICE_NOW"}
            native["RATIO"] = "RATIO_NOW"
        basis = f"IF(BASIS=BASES_rounded, {key}_PRICE_AGAIN, {key}_UNROUNDED_AGAIN)"
        # Of a price that is no decimal a cell holds 15 digits: those in which that shows go first.
        by_price = f"CP_RATIO(OIP, {basis})"
        exact = f"IF({is_decimal(f'({basis})')}, {by_price}, {cleaned(by_price, 'RATIO_DECIMALS')})"
        ratio = f'IF(COUNT({there}), CP_ROUND({exact}, RATIO_DECIMALS, RATIO_TYPE), "")'
        for column, name, number_format in (
            ("E", "AFTER", UNROUNDED),
            ("H", "PRICE", PRICE),
            ("F", "NEXT", UNROUNDED),
            ("G", "UNROUNDED", UNROUNDED),
            ("I", "RATIO", PRICE),
        ):
            expression = ratio if name == "RATIO" else figures.get(name, '""')
            symbol = f"{key}_{name}_AGAIN"
            cell = f"{column}{page.row}"
            model.formula(page, cell, when_ready(expression), number_format, symbol=symbol, align="right")
        apart = []
        for name, symbol in native.items():
            difference = f"ABS({symbol}-{key}_{name}_AGAIN)"
            there_only = name in ("AFTER", "RATIO")
            apart.append(f"IF(COUNT({there}), {difference}, ZERO)" if there_only else difference)
        model.check(
            page,
            "JKL",
            f"History, {key}",
            "ZERO",
            f"MAX({', '.join([*apart, *others])})",
            "TOLERANCE",
            DIFFERENCE,
            symbol=f"{key}_AGAIN",
            otherwise="",
            listed=False,
        )

    def _pale(self) -> None:
        """A price that only goes on is told from one that an event made; no tolerance where nothing is checked."""
        bottom = self._rows - 1
        for column, right, top, blank, ink in (
            ("N", "N", self._first, "A", _PALE_INK),
            ("D", "E", self._second, "A", _PALE_INK),
            ("K", "K", self._first, "L", _PAPER),
        ):
            rule = Rule(
                type="expression", dxf=DifferentialStyle(font=Font(color=ink)), formula=[f'${blank}{top}=""']
            )
            self.page.sheet.conditional_formatting.add(f"{column}{top}:{right}{top + bottom}", rule)

    # The chart.

    def _points(self) -> None:
        """Where the price goes level and where it steps: rows without an event add nothing to see."""
        page, top = self.page, self._first - 1
        for column, title in zip(_POINTS, ("Events", "Price"), strict=True):
            page.sheet.column_dimensions[column].width = 12
            page.text(f"{column}{top}", title, "header", align="right")
        points: list[tuple[str, str]] = [("ZERO", f"{self._keys[0]}_PRICE")]
        for last, key in pairwise(self._keys):
            count = f"COUNT({key}_SO_FAR)"
            points += [(count, f"{last}_PRICE"), (count, f"{key}_PRICE")]
        points.append(("EVENTS_COUNT+ONE", "PRICE_NOW"))
        across, up = _POINTS
        for row, (count, shown) in enumerate(points, start=self._first):
            self.model.formula(page, f"{across}{row}", count, WHOLE, look="muted", align="right")
            price = f"IF(COUNT({shown}), {shown}, ZERO)"
            self.model.formula(page, f"{up}{row}", price, PRICE, look="muted", align="right")

    def _chart(self) -> None:
        sheet = self.page.sheet
        last = self._first + 2 * len(self._keys) - 1
        right, high = (column_index_from_string(column) for column in _POINTS)
        chart = ScatterChart(scatterStyle="lineMarker")
        chart.style = None
        chart.title = "Conversion price by event"
        chart.x_axis.title, chart.y_axis.title = "events so far, as numbered above", "conversion price"
        chart.x_axis.number_format, chart.y_axis.number_format = WHOLE, "General"
        # Left to itself, openpyxl writes axes that Excel does not show.
        chart.x_axis.delete = chart.y_axis.delete = False
        chart.x_axis.scaling.min = chart.y_axis.scaling.min = 0
        if isinstance(chart.x_axis, NumericAxis):
            chart.x_axis.majorUnit = 1
        for axis in (chart.x_axis, chart.y_axis):
            axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=LINE, w=6_000)))
        chart.legend = None
        # The stubs take what openpyxl starts from, whole centimetres, for all that there is.
        chart.width, chart.height = _CHART_CM  # type: ignore[assignment]
        values = Reference(sheet, min_col=high, min_row=self._first, max_row=last)
        counts = Reference(sheet, min_col=right, min_row=self._first, max_row=last)
        series = Series(values, counts, title="conversion price")
        series.smooth = False
        series.marker.symbol = "none"
        series.graphicalProperties.line.solidFill = INK
        series.graphicalProperties.line.width = 22_000
        chart.series.append(series)
        sheet.add_chart(chart, f"A{self.page.row}")


def _fraction(e: str, start: str) -> tuple[str, str]:
    """N and D of an event: the price after is the price before × N / D. Where nothing moves both are one."""
    out, other, shares, money, each, threshold, market, new, old, form = (
        f"{e}_{symbol}"
        for symbol in ("OUT", "OTHER", "SHARES", "MONEY", "EACH", "THRESHOLD", "MARKET", "NEW", "OLD", "FORM")
    )

    def by_method(ratchet: str, average: str) -> str:
        return f"IF(METHOD=METHODS_none, ONE, IF(METHOD=METHODS_full_ratchet, {ratchet}, {average}))"

    def by_cash_form(ratio: str, excess: str, subtract: str) -> str:
        moves = f"IF({form}=FORMS_ratio, {ratio}, IF({form}=FORMS_excess, {excess}, {subtract}))"
        return f"IF({each}>{threshold}, {moves}, ONE)"

    over_sum = f"{form}=FORMS_over_sum"
    numerator = {
        EventKind.ISSUANCE: by_method(f"{money}/{shares}", f"{out}+{other}+{money}/{start}"),
        EventKind.SPLIT: old,
        EventKind.STOCK_DIVIDEND: out,
        EventKind.CASH_DIVIDEND: by_cash_form(
            f"{market}-{each}", f"{market}-({each}-{threshold})", f"{start}-{each}"
        ),
        EventKind.RIGHTS: f"{out}+{shares}*{each}/{market}",
        EventKind.SPIN_OFF: f"IF({over_sum}, {market}, {market}-{each})",
        EventKind.TENDER_OFFER: f"{market}*{out}",
    }
    denominator = {
        EventKind.ISSUANCE: by_method(start, f"{out}+{other}+{shares}"),
        EventKind.SPLIT: new,
        EventKind.STOCK_DIVIDEND: f"{out}+{shares}",
        EventKind.CASH_DIVIDEND: by_cash_form(f"{market}-{threshold}", market, start),
        EventKind.RIGHTS: f"{out}+{shares}",
        EventKind.SPIN_OFF: f"IF({over_sum}, {market}+{each}, {market})",
        EventKind.TENDER_OFFER: f"{money}+{market}*({out}-{shares})",
    }
    kind = f"{e}_KIND"
    return by_kind(kind, numerator, '""'), by_kind(kind, denominator, '""')


def _after(row: _Row, e: str) -> str:
    """The unrounded price after an event; nothing where no price is left. What is replayed and left the price in
    force as it was has moved nothing."""
    key = row.key
    kind, moved = f"{e}_KIND", f"{key}_FROM*{key}_N/{key}_D"
    price = f"IF({kind}=EVENT_KINDS_split, {moved}, MIN({key}_FROM, {moved}))"
    return f'IF({kind}=EVENT_KINDS_replayed, {_replayed(row, e, f"{key}_FROM")}, IF({key}_N>ZERO, {price}, ""))'


def _replayed(row: _Row, e: str, start: str) -> str:
    """The unrounded price of what is replayed: where the price in force stays as it was, nothing has moved."""
    stays = f"AND(COUNT({e}_INFORCE)=ZERO, {e}_REPLAYED={row.last}_PRICE)"
    return f"IF({stays}, {start}, {e}_REPLAYED)"


def _function(e: str, start: str) -> str:
    """The same by the worksheet function of its kind; there is none for what is replayed."""
    out, other, shares, money, each, threshold, market, new, old, form = (
        f"{e}_{symbol}"
        for symbol in ("OUT", "OTHER", "SHARES", "MONEY", "EACH", "THRESHOLD", "MARKET", "NEW", "OLD", "FORM")
    )
    ratchet = f"CP_FULL_RATCHET({start}, {money}/{shares})"
    average = f"CP_WEIGHTED_AVERAGE({start}, {out}, {money}, {shares}, {other})"
    return by_kind(
        f"{e}_KIND",
        {
            EventKind.ISSUANCE: f"IF(METHOD=METHODS_none, {start}, "
            f"IF(METHOD=METHODS_full_ratchet, {ratchet}, {average}))",
            EventKind.SPLIT: f"CP_SPLIT({start}, {new}, {old})",
            EventKind.STOCK_DIVIDEND: f"CP_STOCK_DIVIDEND({start}, {out}, {shares})",
            EventKind.CASH_DIVIDEND: f"CP_CASH_DIVIDEND({start}, {each}, {market}, {threshold}, {form})",
            EventKind.RIGHTS: f"CP_RIGHTS({start}, {out}, {shares}, {each}, {market})",
            EventKind.SPIN_OFF: f"CP_SPIN_OFF({start}, {each}, {market}, {form})",
            EventKind.TENDER_OFFER: f"CP_TENDER_OFFER({start}, {money}, {out}, {out}-{shares}, {market})",
        },
        '""',
    )


def _moved(row: _Row, e: str, start: str, after: str) -> str:
    """Whether the event made another price of the one that it starts from; one that is given as in force did."""
    return f"IF(COUNT({row.key}_AFTER), OR({after}<>{start}, {_given(e)}), FALSE)"


def _given(e: str) -> str:
    """Whether the price in force is given, since it is not the unrounded one rounded."""
    return f"AND({e}_KIND=EVENT_KINDS_replayed, COUNT({e}_INFORCE))"


def _held(row: _Row, symbol: str, moved: str, expression: str) -> str:
    """One of the three prices: the `expression` where the event has moved it, else that of the row above."""
    return f"IF({moved}, {expression}, {row.last}_{symbol})"


def _in_force(row: _Row, e: str, after: str, taken: str) -> str:
    """The price in force of one that has moved, `taken` being the rounded one. A split may raise it, and so may
    what is replayed; back at the first price it is that very price."""
    return by_kind(
        f"{e}_KIND",
        {
            EventKind.SPLIT: taken,
            EventKind.REPLAYED: f"IF(COUNT({e}_INFORCE), {e}_INFORCE, IF({after}=START, START, {taken}))",
        },
        f"MIN({taken}, {row.last}_PRICE)",
    )


def _ratio(row: _Row, there: str) -> list[Figure]:
    """The ratio, unrounded and rounded, where the figure `there` is there."""
    key = row.key
    price = f"IF(BASIS=BASES_rounded, {key}_PRICE, {key}_UNROUNDED)"
    unrounded = f'IF(COUNT({there}), IF({key}_PRICE>ZERO, OIP/{price}, ""), "")'
    taken = rounded(f"{key}_RATIO_UNROUNDED", "RATIO_DECIMALS", "RATIO_TYPE")
    return [
        ("F", "RATIO_UNROUNDED", unrounded, UNROUNDED),
        ("G", "RATIO", f'IF(COUNT({key}_RATIO_UNROUNDED), {taken}, "")', PRICE),
    ]
