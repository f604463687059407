"""A function over many values in one array formula, and a chart of it."""

from __future__ import annotations

from openpyxl.chart import Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter

from xl_conversion.books.gallery.arguments import Arguments
from xl_conversion.books.gallery.cases import ACROSS, DOWN, Sensitivity
from xl_conversion.books.gallery.drawing import PRICE, Row, array, format_of_rounded, format_of_unit
from xl_conversion.books.page import INK, LINE, SHARES, Page
from xl_conversion.functions.boundary import Cell, Range
from xl_conversion.functions.definition import HOW_TO_ROUND, Kind
from xl_conversion.functions.evaluate import evaluate

_SIX = "#,##0.000000"
_FORMATS = {"money per share": _SIX, "shares of common": SHARES, "money": "#,##0.0000"}
_COLOURS = ("9C1C1C", "C96A1F", "8A8A2A", "2E7D5B", INK)
_CHART_ROWS = 16


def draw_sensitivity(arguments: Arguments, what: Sensitivity) -> None:
    """The section, with the chart if it has one."""
    page, function = arguments.page, arguments.function
    arguments.gallery.section(page, f"Sensitivity. {what.title}")
    units = {argument.name: argument.unit for argument in function.arguments}
    note = f"{what.label(DOWN)} goes down"
    if what.across:
        note += f", {what.label(ACROSS)} goes across"
    given = function.arguments[: len(arguments.references)]
    # How to round comes last, and is left out where it is not what varies.
    rounded = any(a.kind in HOW_TO_ROUND and a.name in what.varied for a in given)
    taken = given if rounded else tuple(a for a in given if a.kind not in HOW_TO_ROUND)
    top = page.row + 2
    width = max(1, len(what.across))
    right = get_column_letter(1 + width)
    ranges = {
        "down": f"A{top}:A{top + len(what.down) - 1}",
        "across": f"B{top - 1}:{right}{top - 1}",
    }
    of_cells = dict(zip((a.name for a in given), arguments.references, strict=True))
    texts = [what.varied.get(a.name, of_cells[a.name]).format(**ranges) for a in taken]
    formula = f"={function.name}({','.join(texts)})"
    text = f"{note}; the other arguments are those above. One array formula: {formula}"
    row = Row(page)
    row.text(f"A:{page.last_column}", text, "muted")
    row.end()
    _values_across(page, what, units)
    values = dict(zip((a.name for a in given), arguments.case.cells, strict=True))
    cells = [_varied(what, what.varied[a.name]) if a.name in what.varied else values[a.name] for a in taken]
    found = evaluate(function, cells)
    if not isinstance(found, list):
        raise ValueError(f"{function.name}: {found}")
    formats = [_FORMATS.get(function.unit, PRICE)] * width
    if rounded:
        (decimals,) = [a.name for a in given if a.kind is Kind.DECIMALS] or [""]
        digits = what.across if what.varied.get(decimals) == ACROSS else [values.get(decimals)] * width
        formats = [format_of_rounded(function.unit, _whole(cell)) for cell in digits]
    down_format = format_of_unit(units.get(what.label(DOWN), ""))
    row_of_first = page.row
    array(page, "B", formula, found, formats)
    for place, value in enumerate(what.down):
        row = Row(page)
        page.row = row_of_first + place
        row.cell("A", value, down_format, "input")
    page.row = row_of_first + len(what.down)
    if what.chart:
        _chart(page, what, top, width)


def _values_across(page: Page, what: Sensitivity, units: dict[str, str]) -> None:
    row = Row(page)
    corner = what.label(DOWN) + (f", by {what.label(ACROSS)}" if what.across else "")
    row.text("A", corner, "header")
    if what.across:
        number_format = format_of_unit(units.get(what.label(ACROSS), "money per share"))
        for place, value in enumerate(what.across):
            row.cell(get_column_letter(2 + place), value, number_format, "input", align="right")
    else:
        row.text("B", "result", "header", align="right")
    row.end()


def _varied(what: Sensitivity, text: str) -> Range:
    if text == DOWN:
        return [[cell] for cell in what.down]
    if text == ACROSS:
        return [list(what.across)]
    return [[_product(one, other) for other in what.across] for one in what.down]


def _whole(decimals: Cell | Range) -> int:
    return int(decimals) if isinstance(decimals, float) else 0


def _product(one: Cell, other: Cell) -> float:
    if not isinstance(one, float) or not isinstance(other, float):
        raise TypeError(f"no numbers: {one!r}, {other!r}")
    return one * other


def _chart(page: Page, what: Sensitivity, top: int, width: int) -> None:
    """A line for each column of the results."""
    sheet = page.sheet
    bottom = top + len(what.down) - 1
    chart = ScatterChart(scatterStyle="lineMarker")
    chart.style = None
    chart.title = what.chart
    chart.x_axis.title, chart.y_axis.title = what.label(DOWN), "conversion price"
    chart.x_axis.number_format, chart.y_axis.number_format = SHARES, "0.00"
    # Left to itself, openpyxl writes axes that Excel does not show.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.scaling.min, chart.y_axis.scaling.min = 0, 0
    chart.x_axis.scaling.max = max(value for value in what.down if isinstance(value, float))
    for axis in (chart.x_axis, chart.y_axis):
        axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=LINE, w=6_000)))
    chart.legend = Legend()
    chart.width, chart.height = 27, 7.6
    across = Reference(sheet, min_col=1, min_row=top, max_row=bottom)
    for place in range(width):
        values = Reference(sheet, min_col=2 + place, min_row=top - 1, max_row=bottom)
        series = Series(values, across, title_from_data=True)
        series.smooth = False
        series.marker.symbol = "none"
        series.graphicalProperties.line.solidFill = _COLOURS[place % len(_COLOURS)]
        series.graphicalProperties.line.width = 22_000
        chart.series.append(series)
    sheet.add_chart(chart, f"A{page.row + 1}")
    page.row += _CHART_ROWS
