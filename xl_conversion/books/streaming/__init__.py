"""Workbooks from a design, planned once and rendered many times: small ones in a fraction of a millisecond,
registers of any length in constant memory.

A design is a workbook made with openpyxl or in Excel whose cells hold placeholders:

- ``{{name}}`` alone in a cell takes the value of that name with its type, in the style of the cell. Within other
  text, and in headers, footers, shapes, comments, tips and the title of the document, it is replaced by the value
  as text: numbers as a person writes them, in the decimals of their variant.
- The row with ``{{table.column}}`` is repeated for each row of that table; it is the last of its sheet. Formulas
  in it refer to their own row (``F8``) or to fixed ones (``$C$3``).
- A range from that row to itself, such as ``Steps!D8:D8``, becomes the range over all rows: in formulas, names,
  print areas, rules and validations, Excel tables, charts. In a chart a cell of that row does, too.
- The sheet titled ``{{styles}}`` is left out; each of its cells holds the name of a style for `Styled` values.
- Titles of sheets, addresses, names, headers of Excel tables and formulas take no placeholders: with one there, a
  design is refused.

>>> from datetime import date
>>> from io import BytesIO
>>> from openpyxl import Workbook, load_workbook
>>> design = Workbook()
>>> design.active.append(["Holder", "{{holder}}", "=SUM(B3:B3)"])
>>> design.active.append(["Class", "Shares"])
>>> design.active.append(["{{lines.class}}", "{{lines.shares}}"])
>>> file = BytesIO()
>>> design.save(file)
>>> plan = make_plan(file.getvalue(), {("Sheet", "C1"): "total"})
>>> plan.names, plan.tables
(('holder', 'total'), {'lines': ('class', 'shares')})
>>> values = {"holder": "=Alpha LP", "total": 300}
>>> made = plan.render(values, {"lines": [("A", 100), ("B", 200)]}, as_of=date(2026, 1, 31))
>>> [[cell.value for cell in row] for row in load_workbook(BytesIO(made)).active.iter_rows()]
[['Holder', '=Alpha LP', '=SUM(B3:B4)'], ['Class', 'Shares', None], ['A', 100, None], ['B', 200, None]]
"""

from __future__ import annotations

from collections.abc import Mapping

from xl_conversion.books.saving import CellKey, ExcelErrorText
from xl_conversion.books.streaming.plan import Plan
from xl_conversion.books.streaming.sheets import MAX_ROWS
from xl_conversion.books.streaming.values import Columns, Formula, Row, Styled, Value

__all__ = ["MAX_ROWS", "Columns", "ExcelErrorText", "Formula", "Plan", "Row", "Styled", "Value", "make_plan"]


def make_plan(design: bytes, cached: Mapping[CellKey, str] | None = None, *, keep_values: bool = True) -> Plan:
    """The plan of a design, an .xlsx file. `cached` names, for formula cells, whose value is their cached value.

    Formulas without are written without a value, unless the design's own cell has one and `keep_values` says that
    it may be kept. ValueError says what is wrong with the design, and where.
    """
    return Plan(design, cached or {}, keep_values)
