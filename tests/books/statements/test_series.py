"""The statement of one series: every history, recalculated by another program, and what its checks see."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from support.lint import lint
from support.office import Office
from support.pages import page_findings

from xl_conversion.books.native import native
from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.books.statements.series_design import FIRST_EVENT, FIRST_FINDING, FIRST_HOLDER, FIRST_STEP
from xl_conversion.books.statements.step_rows import figure_of, words_and_formula
from xl_conversion.books.wording import figure_text, formula_words
from xl_conversion.core.steps import Step
from xl_conversion.examples import write_example
from xl_conversion.inputs.reading import Case, cases_of, read_cases
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import read_tables

HISTORIES: Final = sorted((Path(__file__).parents[2] / "histories").glob("*.toml"))
EXPECTED: Final = ("expect", "expect_shares")
NATIVE: Final = {
    *("ABS", "AND", "IF", "INT", "ISERROR", "MAX", "MIN"),
    *("COUNTA", "COUNTIF", "ROWS", "SUM", "SUMPRODUCT"),
    *("ROUND", "ROUNDDOWN", "ROUNDUP"),
}
SOME: Final = (
    "a-whole-life",
    "catch-up-on-conversion",
    "conversion-shares",
    "expiry-after-a-split",
    "merger",
    "minimum-percent",
    "price-floor",
    "rounding-of-price-and-ratio",
    "waiver-beforehand",
)
"""Histories that differ most in what they put into the workbook."""
ODD: Final = "=1+1 & <b> 优先股\n" + "many words " * 3
EMPTY: Final[dict[str, list[dict[str, str]]]] = {
    "series": [
        {"series": "=A", "company": "-Co & <Sons>", "original_issue_price": "3", "conversion_price": "7"},
        {
            "series": "B",
            "company": "-Co & <Sons>",
            "original_issue_price": "3",
            "conversion_price": "7",
            "ratio_decimals": "4",
        },
    ]
}


def of_tables(tables: dict[str, Any], folder: Path) -> list[Case]:
    given = {name: rows for name, rows in tables.items() if isinstance(rows, list) and name not in EXPECTED}
    file = folder / "input.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    return cases_of(read_tables(file, [record.table for record in RECORDS]), str(file))


def of_history(name: str, folder: Path) -> list[Case]:
    (file,) = (file for file in HISTORIES if file.stem == name)
    return of_tables(tomllib.loads(file.read_text(encoding="utf-8")), folder)


def of_example(name: str, folder: Path) -> list[Case]:
    write_example(folder / name, "csv", name)
    return read_cases(folder / name)


def render(case: Case) -> bytes:
    result = result_of(case)
    values, tables = series_values(case, result)
    return series_plan().render(values, tables, as_of=result.as_of or date(2000, 1, 1))


def opened(data: bytes, *, values: bool = True) -> Workbook:
    return load_workbook(BytesIO(data), data_only=values)


def cells(path: Path) -> dict[tuple[str, str], Any]:
    book = load_workbook(path, data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return bool(one == other)


def of_name(book: Workbook, name: str) -> Any:
    sheet, _, coordinate = book.defined_names[name].attr_text.replace("$", "").replace("'", "").partition("!")
    return book[sheet][coordinate].value


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_every_history_comes_out_as_the_core_computes_it(file: Path, tmp_path: Path) -> None:
    for case in of_history(file.stem, tmp_path):
        result, book = result_of(case), opened(render(case))
        for name, figure in (
            ("out_conversion_price", result.price),
            ("out_conversion_price_unrounded", result.price_unrounded),
            ("out_conversion_ratio", result.ratio),
            ("out_conversion_ratio_unrounded", result.ratio_unrounded),
            ("in_original_issue_price", case.series.original_issue_price),
        ):
            assert of_name(book, name) == float(figure), name
        assert of_name(book, "chk_all") == "OK"
        history = book["Statement"]
        for row, change in enumerate(case.changes, start=FIRST_EVENT):
            shown = [history.cell(row, column).value for column in (1, 4, 5, 6, 7)]
            figures = (change.price_before, change.price, change.unrounded, change.ratio)
            assert shown == [change.event.event, *map(float, figures)]
        steps = [step for change in case.changes for step in (*change.steps(), *change.ratio_steps())]
        sheet = book["Calculation"]
        assert sheet.max_row == FIRST_STEP + max(1, len(steps)) - 1
        for row, step in enumerate(steps, start=FIRST_STEP):
            assert (sheet.cell(row, 5).value, sheet.cell(row, 6).value) == (float(step.value), float(step.value))
        holders = book["Holders"]
        for row, holder in enumerate(result.holders, start=FIRST_HOLDER):
            assert holders.cell(row, 1).value == holder.holder
            assert holders.cell(row, 5).value == holder.common
            assert holders.cell(row, 4).value == float(holder.unrounded)


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_wording_and_formulas_are_those_made_one_by_one(file: Path, tmp_path: Path) -> None:
    for case in of_history(file.stem, tmp_path):
        for change in case.changes:
            for steps in (change.steps(), change.ratio_steps()):
                known: dict[str, Step] = {}
                at: dict[str, str] = {}
                for place, step in enumerate(steps):
                    if step.formula:
                        figures = {symbol: figure_of(one) for symbol, one in known.items()}
                        words, formula = words_and_formula(step, known, figures, at)
                        assert words == "\n".join(formula_words(step, steps[:place]))
                        assert f"={formula}" == native(step.formula, at)
                    known[step.symbol], at[step.symbol] = step, f"E{place + 9}"


def test_the_notice_ties_out_row_by_row(tmp_path: Path) -> None:
    (case,) = of_example("vsource", tmp_path)
    result = result_of(case)
    sheet = opened(render(case))["Tie-out"]
    assert sheet.max_row == FIRST_FINDING + len(result.findings) - 1
    for row, finding in enumerate(result.findings, start=FIRST_FINDING):
        shown = [cell.value for cell in sheet[row]]
        assert (shown[0], shown[1], shown[3]) == (finding.check.value, finding.event, finding.stated)
        assert (shown[10], shown[11] or "") == (finding.result.value, finding.explanation)
        if finding.recomputed is not None and finding.difference is not None:
            assert (shown[6], shown[8]) == (float(finding.recomputed), float(finding.difference))
    assert opened(render(case))["Statement"]["C17"].value == result.exceptions == 6


def test_formulas_are_native_and_texts_stay_texts(tmp_path: Path) -> None:
    for case in (*of_example("vsource", tmp_path), *of_example("company", tmp_path)):
        used = set()
        for sheet in opened(render(case), values=False).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        bare = re.sub(r'"[^"]*"', "", str(cell.value))
                        used |= set(re.findall(r"([A-Z_.]+)\(", bare))
        assert used <= NATIVE


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (of_example("company", tmp_path / folder)[0] for folder in ("one", "other"))
    assert render(one) == render(other)


def odd_tables(folder: Path) -> dict[str, Any]:
    """The notice with odd texts wherever texts are free."""
    (source,) = write_example(folder, "json")
    tables: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    for rows in tables.values():
        for row in rows:
            for column in ("company", "clause", "description", "source", "reference_source", "note"):
                if column in row:
                    row[column] = f"{ODD} {column}"
    return tables


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Workbooks by what they are of: examples, odd histories, odd texts, a series without anything."""
    folder = tmp_path_factory.mktemp("statements")
    cases = {"notice": of_example("vsource", folder)[0]}
    cases |= {f"company {case.series.name}": case for case in of_example("company", folder)}
    for name in SOME:
        cases |= {f"{name} {case.series.name}": case for case in of_history(name, folder)}
    (cases["odd"],) = of_tables(odd_tables(folder), folder)
    cases |= {f"empty {case.series.name}": case for case in of_tables(EMPTY, folder)}
    paths = {}
    for place, (name, case) in enumerate(cases.items()):
        paths[name] = folder / f"{place}.xlsx"
        paths[name].write_bytes(render(case))
    return paths


def test_another_program_computes_the_same(calc: Office, books: dict[str, Path]) -> None:
    for name, path in books.items():
        kept, found = cells(path), cells(calc.recalculate(path))
        differing = {key for key in kept.keys() | found.keys() if not same(kept.get(key), found.get(key))}
        assert not differing, (name, [(key, kept.get(key), found.get(key)) for key in sorted(differing)][:5])


def test_the_lint_finds_nothing(books: dict[str, Path]) -> None:
    for name, path in books.items():
        assert lint(path, hidden=False, print_areas=False) == [], name


@pytest.mark.parametrize("name", ["notice", "company Series A", "odd", "empty =A", "conversion-shares C"])
def test_every_page_prints_well(calc: Office, books: dict[str, Path], tmp_path: Path, name: str) -> None:
    assert page_findings(books[name], calc, tmp_path) == []


@pytest.mark.parametrize(
    ("sheet", "cell", "value"),
    [
        ("Calculation", f"E{FIRST_STEP + 3}", 7.0),  # a computed figure
        ("Calculation", f"E{FIRST_STEP + 1}", 7.0),  # a given one
        ("Statement", f"E{FIRST_EVENT}", 3.0),
        ("Statement", "C6", 9.0),
        ("Statement", f"D{FIRST_EVENT + 1}", 0.5),  # so that the next issuance raises it
        ("Tie-out", f"E{FIRST_FINDING}", 1.0),
        ("Holders", f"B{FIRST_HOLDER}", 1.0),
        ("Holders", f"E{FIRST_HOLDER}", 1.0),
    ],
)
def test_the_master_check_turns_when_a_figure_is_overwritten(
    calc: Office, books: dict[str, Path], sheet: str, cell: str, value: float
) -> None:
    with calc.session() as session:
        document = session.open(books["company Series A"])
        assert document.value("Checks", "F6") == "OK"
        document.set(sheet, cell, value)
        document.recalculate()
        assert document.value("Checks", "F6") == "CHECK"
        assert str(document.value("Statement", "J1")).endswith("CHECK")


def test_whole_shares_for_each_certificate_are_given_as_found(tmp_path: Path) -> None:
    (case,) = (case for case in of_history("conversion-shares", tmp_path) if case.series.name == "C")
    data = render(case)
    formulas, values = opened(data, values=False)["Holders"], opened(data)["Holders"]
    whole = [holder.common for holder in result_of(case).holders]
    assert [values[f"E{FIRST_HOLDER + place}"].value for place in range(len(whole))] == whole
    assert formulas[f"E{FIRST_HOLDER}"].data_type == "n"
    assert "certificate" in values[f"G{FIRST_HOLDER}"].value


def test_exact_figures_stand_beside_the_doubles(tmp_path: Path) -> None:
    (case,) = of_example("vsource", tmp_path)
    sheet = opened(render(case))["Statement"]
    assert sheet["E10"].value == figure_text(Fraction(3901581383, 1949522350))
    assert sheet["J2"].value == "Tie-out: 6 of 16 do not tie"
