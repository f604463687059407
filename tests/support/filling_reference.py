"""What `xl_conversion.books.streaming` must make of a design, done in openpyxl, slowly and plainly.

`filled` gives the workbook, `assert_same` compares two files cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from io import BytesIO
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formula.translate import Translator
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from xl_conversion.books.saving import ExcelErrorText, put_text, workbook_bytes
from xl_conversion.books.streaming import Formula, Row, Styled, Value
from xl_conversion.core.rounding import shown as digits

PLACEHOLDER = re.compile(r"\{\{ *(\w+(?:\.\w+)?) *\}\}")
REFERENCE = re.compile(r"('(?:[^']|'')+'!|\w+!)?(\$?[A-Z]{1,3}\$?)(\d+):(\$?[A-Z]{1,3}\$?)(\d+)")


def filled(
    design: bytes,
    values: Mapping[str, Value],
    tables: Mapping[str, Sequence[Sequence[Value] | Row]],
    columns: Mapping[str, Sequence[str]],
) -> bytes:
    """The design with its values, as openpyxl saves it."""
    book = load_workbook(BytesIO(design))
    variants: dict[str, Any] = {}
    if "{{styles}}" in book.sheetnames:
        variants = {cell.value: cell for row in book["{{styles}}"] for cell in row if cell.value}
    anchors = {sheet.title: found for sheet in book if sheet.title != "{{styles}}" and (found := anchor(sheet))}
    ends = {title: (row, row + max(1, len(tables[table])) - 1) for title, (table, row) in anchors.items()}
    for sheet in book:
        if sheet.title == "{{styles}}":
            continue
        for row in list(sheet.iter_rows()):
            if sheet.title in anchors and row[0].row == anchors[sheet.title][1]:
                continue
            for cell in row:
                put(cell, cell.value, values, variants)
                if cell.data_type == "f":
                    cell.value = grown(cell.value, sheet.title, ends)
        if sheet.title in anchors:
            table, row_number = anchors[sheet.title]
            repeat_row(sheet, row_number, tables[table], columns[table], table, values, variants, ends)
        rules(sheet, ends)
        for part in (sheet.oddHeader, sheet.oddFooter):
            for place in (part.left, part.center, part.right):
                if place.text:
                    place.text = PLACEHOLDER.sub(
                        lambda match: shown(values[match[1]], variants).replace("&", "&&"), place.text
                    )
    for name in book.defined_names.values():
        name.attr_text = grown(name.attr_text, "", ends)
    if book.properties.title:
        book.properties.title = PLACEHOLDER.sub(
            lambda match: shown(values[match[1]], variants), book.properties.title
        )
    if "{{styles}}" in book.sheetnames:
        del book["{{styles}}"]
    # Not by openpyxl alone, which rounds numbers. The cached values are not compared.
    formulas = {
        (sheet.title, cell.coordinate): 0
        for sheet in book
        for cell in sheet._cells.values()
        if cell.data_type == "f"
    }
    return workbook_bytes(book, formulas, as_of=date(2000, 1, 1))


def saved(book: Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def anchor(sheet: Worksheet) -> tuple[str, int] | None:
    """The table of a sheet and its row."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.data_type == "s":
                for name in PLACEHOLDER.findall(cell.value):
                    if "." in name:
                        return name.partition(".")[0], cell.row
    return None


def repeat_row(
    sheet: Worksheet,
    first: int,
    rows: Sequence[Sequence[Value] | Row],
    columns: Sequence[str],
    table: str,
    values: Mapping[str, Value],
    variants: Mapping[str, Any],
    ends: Mapping[str, tuple[int, int]],
) -> None:
    design = [
        (cell.column, cell.value, cell.data_type, copy(cell._style))
        for cell in sheet[first]
        if cell.value is not None or cell.has_style
    ]
    height = sheet.row_dimensions[first].height
    merges = [one for one in sheet.merged_cells.ranges if one.min_row == one.max_row == first]
    for merge in merges:
        sheet.unmerge_cells(merge.coord)
    for place in range(max(1, len(rows))):
        row = rows[place] if rows else None
        number = first + place
        sheet.row_dimensions[number].height = height
        if isinstance(row, Row):
            if row.height is not None:
                sheet.row_dimensions[number].height = row.height
            row = row.values
        known = dict(values)
        if row is not None:
            known |= {f"{table}.{name}": value for name, value in zip(columns, row, strict=True)}
        for column, value, data_type, style in design:
            cell = sheet.cell(number, column)
            cell.value = None
            cell._style = copy(style)
            if row is None:
                continue
            if data_type == "f":
                cell.value = repeated_formula(value, first, number, sheet.title, ends)
            else:
                put(cell, value, known, variants)
        for merge in merges:
            sheet.merge_cells(
                start_row=number, end_row=number, start_column=merge.min_col, end_column=merge.max_col
            )


def repeated_formula(
    formula: str, first: int, number: int, title: str, ends: Mapping[str, tuple[int, int]]
) -> str:
    """As if filled down; ranges over all rows stay."""
    ranges: list[str] = []

    def hidden(match: re.Match[str]) -> str:
        new = grown(match[0], title, ends)
        if new == match[0] and not whole(match, title, ends):
            return match[0]
        ranges.append(new)
        return f"all_rows_{len(ranges) - 1}_"

    moved = Translator(REFERENCE.sub(hidden, formula), f"A{first}").translate_formula(f"A{number}")
    return re.sub(r"all_rows_(\d+)_", lambda match: ranges[int(match[1])], moved)


def whole(match: re.Match[str], title: str, ends: Mapping[str, tuple[int, int]]) -> bool:
    sheet = match[1][:-1].strip("'").replace("''", "'") if match[1] else title
    fixed = match[2].endswith("$") == match[4].endswith("$")
    return sheet in ends and int(match[3]) == int(match[5]) == ends[sheet][0] and fixed


def grown(formula: str, title: str, ends: Mapping[str, tuple[int, int]]) -> str:
    """Ranges from the row to itself as ranges over all rows."""

    def one(match: re.Match[str]) -> str:
        if not whole(match, title, ends):
            return match[0]
        sheet = match[1][:-1].strip("'").replace("''", "'") if match[1] else title
        return f"{match[1] or ''}{match[2]}{match[3]}:{match[4]}{ends[sheet][1]}"

    return REFERENCE.sub(one, formula)


def rules(sheet: Worksheet, ends: Mapping[str, tuple[int, int]]) -> None:
    """What applies to the row applies to all."""
    if sheet.title not in ends:
        return
    first, last = ends[sheet.title]

    def extended(reference: str) -> str:
        done = []
        for one in str(reference).split():
            if range_boundaries(one)[3] == first:
                start, end = one.partition(":")[0], one.rpartition(":")[2]
                one = f"{start}:{re.sub('[0-9]', '', end)}{last}"
            done.append(one)
        return " ".join(done)

    old = sheet.conditional_formatting
    sheet.conditional_formatting = ConditionalFormattingList()
    for formatting in old:
        for rule in formatting.rules:
            rule.formula = [grown(formula, sheet.title, ends) for formula in rule.formula]
            sheet.conditional_formatting.add(extended(formatting.sqref), rule)
    for validation in sheet.data_validations.dataValidation:
        validation.sqref = type(validation.sqref)(extended(validation.sqref))
    if sheet.auto_filter.ref:
        sheet.auto_filter.ref = extended(sheet.auto_filter.ref)
    for table in sheet.tables.values():
        table.ref = extended(table.ref)
        if table.autoFilter:
            table.autoFilter.ref = extended(table.autoFilter.ref)
    if sheet.print_area:
        sheet.print_area = extended(sheet.print_area.rpartition("!")[2].replace("$", ""))


def put(cell: Any, text: Any, values: Mapping[str, Value], variants: Mapping[str, Any]) -> None:
    """A cell of the design with the values that it names."""
    if isinstance(cell, MergedCell):
        return
    cell.value = text
    if not isinstance(text, str) or "{{" not in text or cell.data_type == "f":
        return
    match = PLACEHOLDER.fullmatch(text.strip())
    value: Any = (
        values[match[1]] if match else PLACEHOLDER.sub(lambda found: shown(values[found[1]], variants), text)
    )
    if isinstance(value, Styled):
        cell._style = copy(variants[value.variant]._style)
        value = value.value
    if isinstance(value, Formula):
        cell.value, cell.data_type = f"={value.text}", "f"
    elif isinstance(value, ExcelErrorText):
        cell.value, cell.data_type = str(value), "e"
    elif isinstance(value, str):
        put_text(cell, value)
    elif isinstance(value, Fraction | Decimal):
        cell.value = float(value)
    elif isinstance(value, date):
        style = copy(cell._style)  # openpyxl would choose a number format
        cell.value = value
        cell._style = style
    else:
        cell.value = value


def shown(value: Any, variants: Mapping[str, Any]) -> str:
    """A value within text, as a person writes it."""
    places, commas = None, ""
    if isinstance(value, Styled):
        if value.variant in variants:
            code = variants[value.variant].number_format
            if code.removeprefix("#,##").rstrip("0") in ("", "0.") and code != "#,##":
                places = len(code.partition(".")[2])
                commas = "," if code.startswith("#") else ""
        value = value.value
    if isinstance(value, Formula):
        value = value.value
    if isinstance(value, bool):
        return str(value).upper()
    if not isinstance(value, float | int | Fraction | Decimal):
        return "" if value is None else str(value)
    if value and not 1e-15 <= abs(float(value)) < 1e21:
        return f"{float(value):.15g}".upper()
    with localcontext(prec=500):
        if isinstance(value, Fraction):
            number = Decimal(value.numerator) / Decimal(value.denominator)
        else:
            number = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
        if places is not None:
            rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            return f"{abs(rounded) if rounded == 0 else rounded:{commas}.{places}f}"
        if isinstance(value, Fraction):
            return digits(value)
        text = f"{abs(number) if number == 0 else number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def look(file: bytes) -> dict[str, Any]:
    """All that is compared of a workbook, as openpyxl reads it."""
    book = load_workbook(BytesIO(file), rich_text=False)
    found: dict[str, Any] = {
        "sheets": book.sheetnames,
        "names": {name: defined.attr_text for name, defined in book.defined_names.items()},
        "title": book.properties.title,
    }
    for sheet in book:
        title = sheet.title
        for cell in sheet._cells.values():
            key = title, cell.coordinate
            if cell.value is not None or cell.has_style:
                value = float(cell.value) if type(cell.value) is int else cell.value
                found[key] = value, cell.data_type if value is not None else "n"
            if cell.has_style:
                found[key, "style"] = (
                    cell.number_format,
                    # Not cell.font, which stands for the font but is equal to nothing.
                    book._fonts[cell._style.fontId],
                    book._fills[cell._style.fillId],
                    book._borders[cell._style.borderId],
                    book._alignments[cell._style.alignmentId],
                    bool(cell.quotePrefix),
                )
        found[title, "heights"] = {
            number: row.height for number, row in sheet.row_dimensions.items() if row.height is not None
        }
        found[title, "widths"] = {name: column.width for name, column in sheet.column_dimensions.items()}
        found[title, "merged"] = sorted(map(str, sheet.merged_cells.ranges))
        found[title, "rules"] = sorted(
            (str(one.sqref), rule.type, tuple(rule.formula), rule.priority)
            for one in sheet.conditional_formatting
            for rule in one.rules
        )
        found[title, "validations"] = [
            (str(one.sqref), one.formula1, one.prompt) for one in sheet.data_validations.dataValidation
        ]
        found[title, "tables"] = dict(sheet.tables.items())
        found[title, "print"] = sheet.print_area, sheet.print_title_rows, sheet.freeze_panes
        found[title, "filter"] = sheet.auto_filter.ref
        found[title, "headers"] = [
            (place.text, place.size)
            for part in (sheet.oddHeader, sheet.oddFooter)
            for place in (part.left, part.center, part.right)
        ]
    return found


def assert_same(made: bytes, expected: bytes) -> None:
    """Cell by cell, and everything else of `look`."""
    one, other = look(made), look(expected)
    differences = {
        key: (one.get(key), other.get(key)) for key in one.keys() | other.keys() if one.get(key) != other.get(key)
    }
    assert not differences, "\n".join(f"{key}: {pair}" for key, pair in sorted(differences.items(), key=str))
