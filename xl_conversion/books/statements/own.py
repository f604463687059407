"""A workbook of a series by somebody's own design: the same figures, in cells that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from xl_conversion.books.statements.series import series_plan
from xl_conversion.books.streaming import Formula, Plan, Row, Styled, Value, make_plan
from xl_conversion.inputs.problems import InputError, Problem, suggestion

MOST_BYTES = 50 * 2**20


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
        raise InputError([Problem(str(path), str(problem), hint="save it again as .xlsx")]) from problem
    known, wanted = _named(series_plan()), _named(plan)
    hint = "xl-conversion template statement --out FILE writes a design with every name"
    unknown = [
        Problem(str(path), f"there is no figure {{{{{name}}}}}", hint=suggestion(name, known) or hint)
        for name in sorted(wanted - known)
    ]
    if not wanted:
        unknown = [Problem(str(path), "no cell names a figure, such as {{price}}", hint=hint)]
    if unknown:
        raise InputError(unknown)
    return design


def _named(plan: Plan) -> set[str]:
    """What may stand between the braces."""
    return {*plan.names, *(f"{table}.{column}" for table, columns in plan.tables.items() for column in columns)}


@lru_cache(maxsize=4)
def own_plan(design: bytes) -> Plan:
    """The plan of a design."""
    return make_plan(design)


def fitted(
    plan: Plan, values: Mapping[str, Value], tables: Mapping[str, Sequence[Row]]
) -> tuple[dict[str, Value], dict[str, list[tuple[Value, ...]]]]:
    """What the plan names, of all the values that there are, in the styles of its own cells."""
    found: dict[str, list[tuple[Value, ...]]] = {}
    for name, columns in plan.tables.items():
        places = [series_plan().tables[name].index(column) for column in columns]
        found[name] = [tuple(_plain(row.values[place]) for place in places) for row in tables[name]]
    return {name: _plain(values[name]) for name in plan.names}, found


def _plain(value: Value) -> Value:
    """A value without the style and the formula that it has in the statement."""
    if isinstance(value, Styled):
        value = value.value
    return value.value if isinstance(value, Formula) else value
