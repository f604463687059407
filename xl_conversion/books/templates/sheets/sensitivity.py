"""The conversion price against the size and the price of an issue: one array formula, a native grid, a chart."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from openpyxl.chart import Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.worksheet.formula import ArrayFormula

from xl_conversion.books.page import INK, LINE, Look, Page
from xl_conversion.books.templates.formulas import written
from xl_conversion.books.templates.model import DIFFERENCE, NOT_AVAILABLE, PRICE, SHARES, UNROUNDED, Model
from xl_conversion.books.templates.sheets.rounding import rounded

PURPOSE = "The conversion price against the size and the price of an issue"
WIDTHS = (20, 16, 16, 16, 16, 16, 3, 20, 16, 16, 16, 16, 16)
SIZES, PRICES = 10, 5
LEFT, RIGHT = "ABCDEF", "HIJKLM"
CHECKED = "KLM"
CORNER = "Shares issued, by the price of one"
METHOD_TEXT = (
    'IF(METHOD=METHODS_full_ratchet, "Inputs name a full ratchet: this sheet shows the weighted average all the '
    'same, for comparison. ", IF(METHOD=METHODS_none, "Inputs say that an issuance moves nothing: this sheet '
    'shows the weighted average all the same, for comparison. ", ""))&"After an issue of so many shares of common '
    'at such a price, in place of the event; A and C as on Calculation, first values and steps as in Inputs."'
)
THERE = (
    "AND(READY, N(A)>ZERO, ISNUMBER(SENS_SIZE), ISNUMBER(SENS_SIZE_STEP), ISNUMBER(SENS_PRICE), "
    "ISNUMBER(SENS_PRICE_STEP))"
)
"""Whether every figure that the grids need is there."""
SIZE_CELLS = [f"SENS_SIZE{place}" for place in range(1, SIZES + 1)]
PRICE_CELLS = [f"SENS_PRICE{place}" for place in range(1, PRICES + 1)]
CHART_ROWS, CHART_WIDTH, CHART_HEIGHT = 19, 39, 9
"""Rows that the chart covers, and its size in centimetres."""
_COLOURS = ("9C1C1C", "C96A1F", "8A8A2A", "2E7D5B", INK)


def write_sensitivity(model: Model, page: Page) -> None:
    """The grids side by side, what they differ by, and the chart."""
    page.sheet.freeze_panes, page.sheet.page_setup.fitToHeight = f"A{page.row}", 1
    model.formula(page, f"A{page.row}", METHOD_TEXT, look="muted")
    page.sheet.merge_cells(f"A{page.row}:{page.last_column}{page.row}")
    page.height([("", 1)])
    page.row += 1
    grids = _Grids(model, page)
    grids.headings("Unrounded, by native formulas", "Unrounded, by one array formula of CP_WEIGHTED_AVERAGE")
    top = page.row
    grids.axes(LEFT, _stepped("SENS_SIZE", SIZES), _stepped("SENS_PRICE", PRICES), own=True)
    grids.axes(RIGHT, SIZE_CELLS, PRICE_CELLS)
    page.row += 1
    grids.fill(LEFT, "SN", _native, UNROUNDED)
    spill(
        model,
        page,
        RIGHT[1:],
        f'IF({THERE}, CP_WEIGHTED_AVERAGE(CP1, A, SENS_SIZES*SENS_PRICES, SENS_SIZES, C), "")',
        {"SENS_SIZES": SIZE_CELLS},
        {"SENS_PRICES": PRICE_CELLS},
        UNROUNDED,
        "SF",
    )
    page.row += SIZES
    grids.headings("Rounded as the charter says, not above the price before", "How far the two are apart")
    for columns in (LEFT, RIGHT):
        grids.axes(columns, SIZE_CELLS, PRICE_CELLS)
    page.row += 1
    grids.fill(LEFT, "SR", _rounded, PRICE)
    grids.fill(RIGHT, "SD", _apart, DIFFERENCE)
    page.row += SIZES
    grids.greatest()
    _chart(page, top)
    page.row += CHART_ROWS


def spill(
    model: Model,
    page: Page,
    columns: Sequence[str],
    expression: str,
    down: Mapping[str, Sequence[str]],
    across: Mapping[str, Sequence[str]],
    number_format: str,
    stem: str,
) -> None:
    """One array formula over a range from the next row on, each of its cells with the symbol ``STEMi_j``.

    In the cell (i, j) the ranges of `down` (by symbol, the symbols of their cells) stand for their i-th cell,
    those of `across` for their j-th, which is how a host computes a column against a row.
    """
    rows = max(map(len, down.values()))
    for i in range(rows):
        for j, column in enumerate(columns):
            element, cell = expression, f"{column}{page.row + i}"
            for symbol, own in (
                *((s, of[i]) for s, of in down.items()),
                *((s, of[j]) for s, of in across.items()),
            ):
                element = re.sub(rf"\b{symbol}\b", own, element)
            model.formula(page, cell, element, number_format, symbol=f"{stem}{i + 1}_{j + 1}", align="right")
            page.sheet[cell].value = None
    first = f"{columns[0]}{page.row}"
    reference = f"{first}:{columns[-1]}{page.row + rows - 1}"
    page.sheet[first].value = ArrayFormula(reference, written(expression, model.places, page.sheet.title))


@dataclass
class _Grids:
    model: Model
    page: Page

    def headings(self, left: str, right: str) -> None:
        """The headings of two grids side by side."""
        page = self.page
        page.section(left)
        heading, other = page.sheet[f"A{page.row - 1}"], page.sheet[f"{RIGHT[0]}{page.row - 1}"]
        other.value, other.font, other.alignment = right, copy(heading.font), copy(heading.alignment)

    def axes(self, columns: str, sizes: Sequence[str], prices: Sequence[str], *, own: bool = False) -> None:
        """Sizes down and prices across, by formulas; to the `own` ones the others refer."""
        page, row = self.page, self.page.row
        page.text(f"{columns[0]}{row}", CORNER, "header")
        page.height([(CORNER, WIDTHS[0])], 20)
        for column, formula, symbol in zip(columns[1:], prices, PRICE_CELLS, strict=True):
            self._axis(f"{column}{row}", formula, PRICE, symbol if own else "", "header")
        for place, (formula, symbol) in enumerate(zip(sizes, SIZE_CELLS, strict=True), start=1):
            self._axis(f"{columns[0]}{row + place}", formula, SHARES, symbol if own else "", "label")
        if own:
            self.model.range(page, "SENS_SIZES", f"{columns[0]}{row + 1}", f"{columns[0]}{row + SIZES}")
            self.model.range(page, "SENS_PRICES", f"{columns[1]}{row}", f"{columns[-1]}{row}")

    def fill(self, columns: str, stem: str, formula: Callable[[int, int], str], number_format: str) -> None:
        """A formula for each size and price, from 1; the cells have the symbols ``STEMi_j``."""
        page = self.page
        for i in range(1, SIZES + 1):
            for j, column in enumerate(columns[1:], start=1):
                cell, symbol = f"{column}{page.row + i - 1}", f"{stem}{i}_{j}"
                self.model.formula(page, cell, formula(i, j), number_format, symbol=symbol, align="right")
        self.model.range(page, stem, f"{columns[1]}{page.row}", f"{columns[-1]}{page.row + SIZES - 1}")

    def greatest(self) -> None:
        """The greatest of the differences, as a check."""
        page, label = self.page, "Greatest difference"
        page.row += 1
        for column, text in zip(RIGHT, ("", label, "", "Difference", "Tolerance", "Check"), strict=True):
            page.text(f"{column}{page.row}", text, "header", align="center" if text == "Check" else "right")
        page.row += 1
        for column in RIGHT:
            page.text(f"{column}{page.row}", "", "result")
        # Where the function gives no number there is no difference, and the check must not miss that.
        self.model.formula(
            page,
            f"{RIGHT[1]}{page.row}",
            f'IF({THERE}, IF(COUNT(SD)=COUNT(SN), MAX(SD), NA()), "")',
            DIFFERENCE,
            symbol="SENS_GREATEST",
            look="result",
            align="right",
        )
        self.model.check(
            page,
            CHECKED,
            "Array formula of CP_WEIGHTED_AVERAGE, greatest difference",
            "ZERO",
            "SENS_GREATEST",
            "TOLERANCE",
            DIFFERENCE,
            symbol="SENSITIVITY",
            when=THERE,
            otherwise="",
        )
        page.row += 1

    def _axis(self, cell: str, formula: str, number_format: str, symbol: str, look: Look) -> None:
        self.model.formula(self.page, cell, formula, number_format, symbol=symbol, look=look, align="right")


def _stepped(stem: str, count: int) -> list[str]:
    """The first value as Inputs give it, then each the one before and a step."""
    further = [f"{stem}{place}" for place in range(1, count)]
    step = f"{stem}_STEP"
    return [
        f'IF(ISNUMBER({stem}), {stem}, "")',
        *(f'IF(AND(ISNUMBER({before}), ISNUMBER({step})), {before}+{step}, "")' for before in further),
    ]


def _native(i: int, j: int) -> str:
    size, price = f"SENS_SIZE{i}", f"SENS_PRICE{j}"
    return f'IF({THERE}, MIN(CP1, CP1*(A+C+{size}*{price}/CP1)/(A+C+{size})), "")'


def _rounded(i: int, j: int) -> str:
    of = f"SN{i}_{j}"
    taken = rounded(of, "PRICE_DECIMALS", "PRICE_TYPE")
    return f'IF(ISNUMBER({of}), IF({of}<CP1, MIN({taken}, CP0), CP0), "")'


def _apart(i: int, j: int) -> str:
    native, function = f"SN{i}_{j}", f"SF{i}_{j}"
    apart = f'IF(ISERROR({function}), "{NOT_AVAILABLE}", ABS({function}-{native}))'
    return f'IF(ISNUMBER({native}), {apart}, "")'


def _chart(page: Page, top: int) -> None:
    """A line for each price, from the native grid whose header row is `top`; the axes follow the inputs."""
    sheet = page.sheet
    chart = ScatterChart(scatterStyle="lineMarker")
    chart.style = None
    chart.title = "Conversion price after an issue, by the price of a share issued"
    chart.x_axis.title, chart.y_axis.title = "shares issued", "conversion price, unrounded"
    chart.x_axis.number_format, chart.y_axis.number_format = SHARES, "0.00"
    # Left to itself, openpyxl writes axes that Excel does not show.
    chart.x_axis.delete = chart.y_axis.delete = False
    for axis in (chart.x_axis, chart.y_axis):
        axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=LINE, w=6_000)))
    chart.legend = Legend()
    chart.width, chart.height = CHART_WIDTH, CHART_HEIGHT
    sizes = Reference(sheet, min_col=1, min_row=top + 1, max_row=top + SIZES)
    for place in range(PRICES):
        values = Reference(sheet, min_col=2 + place, min_row=top, max_row=top + SIZES)
        series = Series(values, sizes, title_from_data=True)
        series.smooth = False
        series.marker.symbol = "none"
        series.graphicalProperties.line.solidFill = _COLOURS[place]
        series.graphicalProperties.line.width = 22_000
        chart.series.append(series)
    sheet.add_chart(chart, f"A{page.row + 1}")
