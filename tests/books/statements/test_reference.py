"""The streamed workbooks are, cell by cell, what plain openpyxl makes of the same designs and values."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from support.filling_reference import assert_same, filled
from support.portfolio import company_tables, portfolio

from xl_conversion.books.statements.holder import Position, holder_design, holder_plan, holder_values, positions_of
from xl_conversion.books.statements.register import register_design, register_plan, register_tables
from xl_conversion.books.statements.results import SeriesResult, result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.books.statements.series_design import series_design
from xl_conversion.inputs.portfolio import check_company
from xl_conversion.inputs.problems import Problem
from xl_conversion.inputs.reading import Case


def cases() -> Iterator[Case]:
    """Of four companies, two of them with several series."""
    tables = portfolio(4, holders=4)
    for name in dict.fromkeys(row["company"] for row in tables["series"]):
        own = {table: [row for row in rows if row["company"] == name] for table, rows in tables.items()}
        yield from check_company(company_tables(name, {table: rows for table, rows in own.items() if rows})).cases


@pytest.fixture(scope="module")
def found() -> list[tuple[Case, SeriesResult]]:
    return [(case, result_of(case)) for case in cases()]


def test_of_each_series(found: list[tuple[Case, SeriesResult]]) -> None:
    design, _ = series_design()
    plan = series_plan()
    for case, result in found:
        values, tables = series_values(case, result)
        assert result.as_of is not None
        streamed = plan.render(values, tables, as_of=result.as_of)
        assert_same(streamed, filled(design, values, tables, plan.tables))


def test_of_a_holder(found: list[tuple[Case, SeriesResult]]) -> None:
    design, _ = holder_design()
    positions: list[Position] = [one for _, result in found for one in positions_of(result, "../series/a.xlsx")]
    values, tables = holder_values("=Everybody", positions)
    as_of = max(one.as_of for one in positions if one.as_of)
    streamed = holder_plan().render(values, tables, as_of=as_of)
    assert_same(streamed, filled(design, values, tables, holder_plan().tables))


def test_of_the_register(found: list[tuple[Case, SeriesResult]]) -> None:
    design, _ = register_design()
    results = [result for _, result in found]
    workbooks = {(r.series.company, r.series.name): f"series/{n}.xlsx" for n, r in enumerate(results)}
    told = [Problem("holders.csv", "it must be 0 or above", 7, "shares", "-5")]
    as_of = max(result.as_of for result in results if result.as_of)
    values, tables = register_tables(results, workbooks, told, [("Another, Inc.", "Series A")])
    file = BytesIO()
    register_plan().write(file, values, tables, as_of=as_of)
    _, again = register_tables(results, workbooks, told, [("Another, Inc.", "Series A")])
    rows = {name: list(table) for name, table in again.items()}
    assert_same(file.getvalue(), filled(design, values, rows, register_plan().tables))
