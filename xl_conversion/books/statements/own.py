"""A workbook of a series by somebody's own design: the same figures, in cells that name them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.formula.tokenizer import Token, Tokenizer

from xl_conversion.books.statements.series import series_plan
from xl_conversion.books.statements.series_design import series_design
from xl_conversion.books.streaming import Formula, Plan, Row, Styled, Value, make_plan
from xl_conversion.books.streaming.zipping import MAX_DESIGN as MOST_BYTES
from xl_conversion.inputs.problems import InputError, Problem

EVERY_NAME = "xl-conversion template statement --names lists every name"


class Named(NamedTuple):
    """A name that a design may use."""

    name: str
    """Of a column of a table: with the table, and a point between."""
    label: str
    """What the statement calls it, "" where it has no words for it."""
    cell: str
    """Where the statement has it, "" for a header, a footer or the title of the file."""
    value: Value
    """What it is of one series; of a table, in its first row."""


def named_in(values: Mapping[str, Value], tables: Mapping[str, Sequence[Row]]) -> list[Named]:
    """Every name that a design may use, in the order of the statement, with what it is of one series."""
    plan, places = series_plan(), _places()
    found = [Named(name, *places.get(name, ("", "")), _plain(values[name], ())) for name in plan.names]
    for table, columns in plan.tables.items():
        first = tables[table][0].values if tables[table] else (None,) * len(columns)
        for column, value in zip(columns, first, strict=True):
            name = f"{table}.{column}"
            found.append(Named(name, *places.get(name, ("", "")), _plain(value, ())))
    return found


def _places() -> dict[str, tuple[str, str]]:
    """What the statement calls each name, and the first cell that has it."""
    design, cached = series_design()
    known = _named(series_plan())
    found: dict[str, tuple[str, str]] = {}
    for sheet in load_workbook(BytesIO(design)).worksheets:
        above: Sequence[Any] = ()
        for row in sheet.iter_rows():
            for place, cell in enumerate(row):
                where = f"{sheet.title}!{cell.coordinate}"
                own = cached.get((sheet.title, cell.coordinate), "")
                for name in {own} & known or {one for one in known if f"{{{{{one}}}}}" in str(cell.value)}:
                    texts = above[place : place + 1] if "." in name else row[:place]
                    label = next((str(one.value) for one in texts if _is_label(one.value)), "")
                    found.setdefault(name, (label, where))
            above = row
    return found


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and "{{" not in value and not value.startswith("=")


def read_design(path: Path) -> bytes:
    """The design at `path`.

    Raises InputError where it is not one: not a workbook, or a name in it is of no figure.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                [Problem(str(path), f"larger than {MOST_BYTES // 2**20} MiB", hint="take pictures out")]
            )
        design = path.read_bytes()
    except OSError as problem:
        hint = "it is statement, working-paper, or an .xlsx of yours"
        raise InputError([Problem(str(path), f"it cannot be read: {problem.strerror}", hint=hint)]) from problem
    try:
        plan = own_plan(design)
    except ValueError as problem:
        hint = "a repeated row is the last one of its sheet; a file that is damaged may be saved again as .xlsx"
        raise InputError([Problem(str(path), str(problem), hint=hint)]) from problem
    known, wanted = _named(series_plan()), _named(plan)
    unknown = [
        Problem(str(path), f"there is no figure {{{{{name}}}}}", hint=_meant(name, known))
        for name in sorted(wanted - known)
    ]
    if not wanted:
        unknown = [Problem(str(path), "no cell names a figure, such as {{price}}", hint=EVERY_NAME)]
    if problems := [*unknown, *_lost_sheets(path, design)]:
        raise InputError(problems)
    return design


def _meant(name: str, known: Collection[str]) -> str:
    """The names that one may have been meant for."""
    close = get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(close)}? {EVERY_NAME}" if close else EVERY_NAME


def _lost_sheets(path: Path, design: bytes) -> Iterator[Problem]:
    """The formulas that refer to a sheet that is not there, which a program removed without looking."""
    book = load_workbook(BytesIO(design))
    titles = {title.lower() for title in book.sheetnames}
    formulas = [
        (f"{sheet.title}!{cell.coordinate}", cell.value)
        for sheet in book.worksheets
        for cell in sheet._cells.values()
        if cell.data_type == "f" and isinstance(cell.value, str)
    ]
    formulas += [(f"the name {name}", f"={one.attr_text}") for name, one in book.defined_names.items()]
    for where, formula in formulas:
        for token in Tokenizer(formula).items:
            sheet, found, _ = token.value.rpartition("!")
            title = sheet.strip("'").replace("''", "'")
            if token.subtype == Token.RANGE and found and title.lower() not in titles:
                hint = "clear it, or leave the sheet where it is"
                yield Problem(str(path), f"{where} refers to the sheet {title}, which is not there", hint=hint)
                break


def _named(plan: Plan) -> set[str]:
    """What may stand between the braces."""
    return {*plan.names, *(f"{table}.{column}" for table, columns in plan.tables.items() for column in columns)}


@lru_cache(maxsize=4)
def own_plan(design: bytes) -> Plan:
    """The plan of a design. Where names and formulas stand as in the design of the statement, formulas get the
    same values; else they have none until a program computes them."""
    plan = make_plan(design, keep_values=False)
    return make_plan(design, series_design()[1], keep_values=False) if _is_like_ours(design) else plan


@lru_cache(maxsize=4)
def _is_like_ours(design: bytes) -> bool:
    ours, theirs = _figures_in(series_design()[0]), _figures_in(design)
    return all(theirs.get(place) == ours[place] for place in ours)


def _figures_in(design: bytes) -> dict[tuple[str, str], object]:
    """All in a design that is no plain text, by its place."""
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in load_workbook(BytesIO(design)).worksheets
        for cell in sheet._cells.values()
        if cell.value is not None
        and not (isinstance(cell.value, str) and cell.data_type == "s" and "{{" not in cell.value)
    }


def fitted(
    design: bytes, values: Mapping[str, Value], tables: Mapping[str, Sequence[Row]]
) -> tuple[dict[str, Value], dict[str, Sequence[Row]]]:
    """What a design names, of all the values that there are."""
    plan, same = own_plan(design), _is_like_ours(design)
    if same:
        return {name: values[name] for name in plan.names}, {name: tables[name] for name in plan.tables}
    found: dict[str, Sequence[Row]] = {}
    for name, columns in plan.tables.items():
        places = [series_plan().tables[name].index(column) for column in columns]
        found[name] = [Row(tuple(_plain(row.values[at], plan.variants) for at in places)) for row in tables[name]]
    return {name: _plain(values[name], plan.variants) for name in plan.names}, found


def _plain(value: Value, variants: Collection[str]) -> Value:
    """A value without the formula that it has in the statement, and in a style only if the design has it."""
    if isinstance(value, Styled):
        inner = value.value.value if isinstance(value.value, Formula) else value.value
        return Styled(inner, value.variant) if value.variant in variants else inner
    return value.value if isinstance(value, Formula) else value
