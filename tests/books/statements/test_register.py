"""The register of a portfolio of many companies, made from real inputs: it foots, and its checks turn."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from support.lint import lint
from support.office import Office
from support.ooxml import Finding
from support.pages import page_findings

from xl_conversion.books.statements.register import FIRST, TOTAL, register_plan, register_tables
from xl_conversion.books.statements.results import SeriesResult, result_of
from xl_conversion.core.holders import HolderShares
from xl_conversion.core.terms import Series
from xl_conversion.examples import write_example
from xl_conversion.inputs.problems import Problem
from xl_conversion.inputs.reading import Case, cases_of, read_cases
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import read_tables

AS_OF = date(2022, 10, 1)
PROBLEMS = [
    Problem("holders.csv", "it must be above 0", 7, "shares", "-1", "check it"),
    Problem("events.csv", "there is no such event", 3, "event", "=Bridge", "did you mean Bridge?"),
]
LEFT_OUT = [("=Acme", "Series X"), ("Blank & Co.", "")]
ROUNDINGS = ("floor", "ceiling", "half_up", "half_even")


def all_cases(folder: Path) -> list[Case]:
    """Of an input that needs no securities."""
    return cases_of(read_tables(folder, [record.table for record in RECORDS]), str(folder))


def portfolio_of(folder: Path, companies: int) -> list[SeriesResult]:
    """Companies of one series each, with every rounding, certificates, and holders that have several of them."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[Sequence[object]]] = {
        "series": [
            (
                *(
                    "series",
                    "company",
                    "original_issue_price",
                    "conversion_price",
                    "price_decimals",
                    "ratio_decimals",
                ),
                *("share_rounding_type", "shares_per", "method"),
            )
        ],
        "events": [("event", "date", "kind", "series", "split_new", "split_old")],
        "holders": [("series", "holder", "certificate", "shares")],
        "stated": [("series", "event", "item", "stated", "source")],
    }
    for number in range(companies):
        name, company = f"Series {number}", f"Company {number:02} & Söhne"
        rounding, per = ROUNDINGS[number % 4], "certificate" if number % 7 == 6 else "holder"
        tables["series"].append((name, company, "1.50", "1.50", 4, 4, rounding, per, "none"))
        tables["events"].append((f"Split {number}", "2021-05-01", "split", name, 3 + number % 5, 2))
        for holder in range(3):
            tables["holders"].append(
                (name, f"Holder {(number + holder) % 11}", f"{number}-{holder}", 1001 + 7 * number)
            )
            tables["holders"].append(
                (name, f"Holder {(number + holder) % 11}", f"{number}+{holder}", 502 + number)
            )
        tables["stated"].append((name, f"Split {number}", "conversion_price", "$0.5000", "Notice"))
    for table, rows in tables.items():
        with (folder / f"{table}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return [result_of(case) for case in all_cases(folder)]


def workbooks_of(results: Sequence[SeriesResult]) -> dict[tuple[str, str], str]:
    return {
        (one.series.company, one.series.name): f"series/{one.series.company} 50% #1.xlsx"
        for one in results
        if one.series.name != "Series 1"
    }


def made(
    path: Path,
    results: Sequence[SeriesResult],
    workbooks: Mapping[tuple[str, str], str],
    problems: Sequence[Problem] = PROBLEMS,
    left_out: Sequence[tuple[str, str]] = LEFT_OUT,
    **more: int,
) -> Path:
    values, tables = register_tables(results, workbooks, problems, left_out)
    with path.open("wb") as file:
        register_plan().write(file, values, tables, as_of=AS_OF, **more)
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[SeriesResult]:
    return portfolio_of(tmp_path_factory.mktemp("portfolio") / "input", 50)


@pytest.fixture(scope="module")
def register(results: list[SeriesResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("register") / "register.xlsx", results, workbooks_of(results))


def column(sheet: Worksheet, letter: str) -> list[object]:
    return [sheet[f"{letter}{row}"].value for row in range(FIRST, sheet.max_row + 1)]


def summary(book: openpyxl.Workbook) -> dict[str, object]:
    sheet = book["Summary"]
    return {sheet[f"A{row}"].value: sheet[f"E{row}"].value for row in range(6, 19)}


def test_totals_foot_to_the_exact_figures(register: Path, results: list[SeriesResult]) -> None:
    book = openpyxl.load_workbook(register, data_only=True)
    held = [one for result in results for one in result.holders]
    preferred, whole = sum(one.preferred for one in held), sum(one.common for one in held)
    exact = sum((one.unrounded for one in held), Fraction(0))
    found = summary(book)
    assert found.pop("Common, unrounded") == pytest.approx(float(exact), rel=1e-13)
    assert found.pop("Fractions left") == pytest.approx(float(exact - whole), rel=1e-9)
    assert found == {
        "Companies": 50,
        "Series": 50,
        "Holders": 11,
        "Positions": 150,
        "Preferred held": preferred,
        "Common, whole": whole,
        "Events": 50,
        "Stated figures compared": 50,
        "Stated figures that do not tie": sum(one.exceptions for one in results),
        "Series left out": 2,
        "Problems of the input": 2,
    }
    assert 0 < sum(one.exceptions for one in results) < 50
    series, positions = book["Series"], book["Positions"]
    assert sum(column(series, "N")) == sum(column(positions, "J")) == sum(column(positions, "L")) == whole
    assert sum(column(series, "M")) == sum(column(positions, "D")) == preferred
    assert len(column(book["Exceptions"], "A")) == sum(column(series, "L"))


def test_positions_are_those_of_the_results(register: Path, results: list[SeriesResult]) -> None:
    sheet = openpyxl.load_workbook(register, data_only=True)["Positions"]
    held = [(result, one) for result in results for one in result.holders]
    for row, (result, one) in enumerate(held, start=FIRST):
        unrounded = one.preferred * result.series.original_issue_price / result.ratio_price
        assert [sheet.cell(row, place).value for place in (1, 2, 3)] == [
            one.holder,
            result.series.company,
            result.series.name,
        ]
        assert sheet[f"H{row}"].value == float(unrounded)
        assert sheet[f"J{row}"].value == sheet[f"L{row}"].value == one.common
        assert sheet[f"K{row}"].value == float(unrounded - one.common)
        assert (sheet[f"N{row}"].value == "open") == (result.series.name != "Series 1")


def test_exceptions_and_problems_are_told(register: Path, results: list[SeriesResult]) -> None:
    book = openpyxl.load_workbook(register)
    finding = next(f for result in results for f in result.findings if f.is_exception)
    row = [cell.value for cell in book["Exceptions"][FIRST]]
    assert row[2:] == [
        finding.event,
        f"conversion price\n{finding.check.meaning}",
        "$0.5000",
        finding.at_precision,
        finding.shown_difference,
        finding.explanation,
    ]
    assert [cell.value for cell in book["Problems"][FIRST + 1]] == [
        *("events.csv", "row 3", "event", "=Bridge", "there is no such event", "did you mean Bridge?")
    ]
    assert [cell.data_type for cell in book["Left out"][FIRST]] == ["s", "s"]
    assert book["Left out"][f"B{FIRST + 1}"].value == "(no name)"


def test_libreoffice_recalculates_the_cached_values(register: Path, office: Office) -> None:
    cached, formulas = openpyxl.load_workbook(register, data_only=True), openpyxl.load_workbook(register)
    with office.session() as session:
        values = session.open(register).values()
    count = 0
    for sheet in formulas:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            known, found = cached[sheet.title][cell.coordinate].value, values.get((sheet.title, cell.coordinate))
            count += 1
            if isinstance(known, int | float):
                assert found == pytest.approx(known, rel=1e-12, abs=1e-7), (sheet.title, cell.coordinate)
            else:
                assert (found or "") == (known or ""), (sheet.title, cell.coordinate)
    assert count > 900


@pytest.mark.parametrize(
    ("sheet", "cell", "value"),
    [
        ("Positions", f"D{FIRST}", 5),
        ("Positions", f"F{FIRST + 1}", 9),
        ("Positions", f"I{FIRST}", "up"),
        ("Positions", f"J{FIRST + 2}", 7),
        ("Positions", f"L{FIRST + 149}", 7),
        ("Positions", f"D{FIRST + 149}", None),
        ("Series", f"M{FIRST + 49}", 1),
        ("Series", f"N{FIRST}", 1),
        ("Series", f"L{FIRST}", 7),
        ("Series", f"F{FIRST}", 7),
        ("Series", f"H{FIRST + 1}", 7),
        ("Left out", f"B{FIRST}", None),
        ("Problems", f"A{FIRST + 1}", None),
        ("Series", f"B{FIRST + 3}", None),
        ("Exceptions", f"D{FIRST}", None),
    ],
)
def test_a_check_turns_when_a_figure_is_overwritten(
    register: Path, office: Office, sheet: str, cell: str, value: float | str | None
) -> None:
    corners = {
        "Summary": "I1",
        "Series": "Q1",
        "Positions": "O1",
        "Exceptions": "H1",
        "Left out": "B1",
        "Problems": "F1",
    }
    with office.session() as session:
        document = session.open(register)
        assert {document.value(*at) for at in corners.items()} == {"Formulas agree: OK"}
        document.set(sheet, cell, value)
        assert {document.value(*at) for at in corners.items()} == {"Formulas agree: CHECK"}


def test_it_can_be_sent_out(
    register: Path, office: Office, tmp_path: Path, validator: Callable[[Path], list[Finding]]
) -> None:
    write_example(tmp_path / "company", example="company")
    small = [result_of(case) for case in read_cases(tmp_path / "company")]
    for path in (register, made(tmp_path / "small.xlsx", small, {}, [], [])):
        assert validator(path) == []
        assert lint(path, hidden=False) == []
        assert page_findings(path, office, tmp_path / path.stem) == []


def test_nothing_held_stated_or_left_out(tmp_path: Path, office: Office) -> None:
    """Tables without a row."""
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "series.csv").write_text(
        "series,company,original_issue_price,conversion_price\nA,B,1,1\n"
    )
    (tmp_path / "input" / "events.csv").write_text("event,date,kind,split_new,split_old\nS,2020-01-01,split,2,1\n")
    path = made(tmp_path / "a.xlsx", [result_of(case) for case in all_cases(tmp_path / "input")], {}, [], [])
    with office.session() as session:
        document = session.open(path)
        assert document.value("Summary", "I1") == "Formulas agree: OK"
        assert document.value("Summary", "E9") == 0


def test_what_is_too_long_for_a_sheet_goes_on(results: list[SeriesResult], tmp_path: Path, office: Office) -> None:
    """The totals and the checks stand for all the sheets."""
    path = made(tmp_path / "a.xlsx", results, workbooks_of(results), max_rows=FIRST + 59)
    book = openpyxl.load_workbook(path)
    assert sum(title.startswith("Positions") for title in book.sheetnames) == 3
    with office.session() as session:
        document = session.open(path)
        assert document.value("Summary", "I1") == "Formulas agree: OK"
        assert document.value("Summary", "E9") == 150
        last = next(title for title in reversed(book.sheetnames) if title.startswith("Positions"))
        document.set(last, f"J{FIRST}", 1)
        assert document.value("Summary", "I1") == "Formulas agree: CHECK"


def test_rows_are_made_while_they_are_read() -> None:
    """A hundred thousand positions take no memory until somebody asks for them."""
    held = tuple(HolderShares(f"Holder {n}", Fraction(n), Fraction(n), n) for n in range(1, 1001))
    one = Fraction(1)
    series = Series("A", "B", one, one)
    results = [SeriesResult(series, None, "", 0, one, one, one, one, one, held, ())] * 100
    _, tables = register_tables(results, {})
    tracemalloc.start()
    try:
        assert sum(1 for _ in tables["positions"]) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_same_results_give_the_same_bytes(results: list[SeriesResult], register: Path) -> None:
    values, tables = register_tables(results, workbooks_of(results), PROBLEMS, LEFT_OUT)
    file = BytesIO()
    register_plan().write(file, values, tables, as_of=AS_OF)
    assert file.getvalue() == register.read_bytes()
    sheet = openpyxl.load_workbook(register)["Positions"]
    assert sheet[f"D{TOTAL}"].value == f"=SUM(D{FIRST}:D{FIRST + 149})"
    assert sheet.auto_filter.ref == f"A{TOTAL}:O{FIRST + 149}"
