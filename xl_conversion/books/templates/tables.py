"""Input tables of a template: a header row and rows to be filled, some columns computed from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Look, Page
from xl_conversion.books.templates.model import Model


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Its cells have the symbols ``PREFIXi_SYMBOL`` (i from 1), all of them ``PREFIX_SYMBOL``."""

    header: str
    symbol: str
    number_format: str = "@"
    align: str = "left"
    rule: DataValidation | None = None
    formula: Callable[[int], str] | None = None
    """Of the row with that number, where the column is computed and no input."""
    look: Look = "plain"


def write_table(
    model: Model, page: Page, name: str, prefix: str, columns: Sequence[Column], rows: int, *, freeze: bool = True
) -> tuple[int, int]:
    """Writes the table `name` (``in_...``) of the filling with room for `rows`; its first and last row.

    The defined name is of the whole table with its header, by which a refresh finds rows and columns. Raises
    ValueError where the filling has more rows than there is room for, or a column that the table has not.
    """
    letters = [get_column_letter(place) for place in range(1, len(columns) + 1)]
    filled = model.filling.tables.get(name, ())
    known = {column.header for column in columns if column.formula is None}
    if len(filled) > rows or any(set(row) - known for row in filled):
        raise ValueError(f"{name}: {len(filled)} rows, columns {sorted({key for row in filled for key in row})}")
    right = "".join(letter for letter, column in zip(letters, columns, strict=True) if column.align == "right")
    centred = "".join(letter for letter, column in zip(letters, columns, strict=True) if column.align == "center")
    top = page.row
    page.header([column.header for column in columns], numeric=right, centred=centred, freeze=freeze)
    first, last = page.row, page.row + rows - 1
    for number in range(1, rows + 1):
        row = filled[number - 1] if number <= len(filled) else {}
        for letter, column in zip(letters, columns, strict=True):
            symbol = f"{prefix}{number}_{column.symbol}"
            cell = f"{letter}{page.row}"
            if column.formula is None:
                content = row.get(column.header)
                model.content(page, cell, symbol, content, column.number_format, align=column.align)
        for letter, column in zip(letters, columns, strict=True):
            if column.formula is not None:
                model.formula(
                    page,
                    f"{letter}{page.row}",
                    column.formula(number),
                    column.number_format,
                    symbol=f"{prefix}{number}_{column.symbol}",
                    look=column.look,
                    align=column.align,
                )
        texts = [(str(row.get(c.header) or ""), w) for c, w in zip(columns, page.widths, strict=False)]
        page.height([(text, width) for (text, width), c in zip(texts, columns, strict=False) if c.align == "left"])
        page.row += 1
    for letter, column in zip(letters, columns, strict=True):
        model.range(page, f"{prefix}_{column.symbol}", f"{letter}{first}", f"{letter}{last}")
        if column.rule is not None:
            model.validate(page, f"{letter}{first}:{letter}{last}", column.rule)
    model.book.name(name, f"{page.address(f'A{top}')}:${letters[-1]}${last}")
    return first, last
