"""The statement of one series: every history, recalculated by another program, and what its checks see."""

from __future__ import annotations

import json
import re
import subprocess
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
from support.statements import HISTORIES, cells, differing, of_example, of_history, of_tables, statement_of

from xl_conversion.books.native import native
from xl_conversion.books.page import PRINTED_WIDTH
from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series_design import FIRST_EVENT, FIRST_FINDING, FIRST_HOLDER, FIRST_STEP
from xl_conversion.books.statements.step_rows import figure_of, words_and_formula
from xl_conversion.books.wording import figure_text, formula_words
from xl_conversion.core.steps import Step
from xl_conversion.examples import write_example

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


def opened(data: bytes, *, values: bool = True) -> Workbook:
    return load_workbook(BytesIO(data), data_only=values)


def of_name(book: Workbook, name: str) -> Any:
    sheet, _, coordinate = book.defined_names[name].attr_text.replace("$", "").replace("'", "").partition("!")
    return book[sheet][coordinate].value


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_every_history_comes_out_as_the_core_computes_it(file: Path, tmp_path: Path) -> None:
    for case in of_history(file.stem, tmp_path):
        result, book = result_of(case), opened(statement_of(case))
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
    sheet = opened(statement_of(case))["Tie-out"]
    assert sheet.max_row == FIRST_FINDING + len(result.findings) - 1
    for row, finding in enumerate(result.findings, start=FIRST_FINDING):
        shown = [cell.value for cell in sheet[row]]
        assert (shown[0], shown[1], shown[3]) == (finding.check.value, finding.event, finding.stated)
        assert (shown[10], shown[11] or "") == (finding.result.value, finding.explanation)
        if finding.recomputed is not None and finding.difference is not None:
            assert (shown[6], shown[8]) == (float(finding.recomputed), float(finding.difference))
    assert opened(statement_of(case))["Statement"]["C17"].value == result.exceptions == 6


def test_formulas_are_native_and_texts_stay_texts(tmp_path: Path) -> None:
    for case in (*of_example("vsource", tmp_path), *of_example("company", tmp_path)):
        used = set()
        for sheet in opened(statement_of(case), values=False).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        bare = re.sub(r'"[^"]*"', "", str(cell.value))
                        used |= set(re.findall(r"([A-Z_.]+)\(", bare))
        assert used <= NATIVE


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (of_example("company", tmp_path / folder)[0] for folder in ("one", "other"))
    assert statement_of(one) == statement_of(other)


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
        paths[name].write_bytes(statement_of(case))
    return paths


def test_another_program_computes_the_same(calc: Office, books: dict[str, Path]) -> None:
    for name, path in books.items():
        kept, found = cells(path), cells(calc.recalculate(path))
        assert not (keys := differing(kept, found)), (
            name,
            [(key, kept.get(key), found.get(key)) for key in keys][:5],
        )


def test_the_lint_finds_nothing(books: dict[str, Path]) -> None:
    for name, path in books.items():
        assert lint(path, hidden=False, print_areas=False) == [], name


@pytest.mark.parametrize("name", ["notice", "company Series A", "odd", "empty =A", "conversion-shares C"])
def test_every_page_prints_well(calc: Office, books: dict[str, Path], tmp_path: Path, name: str) -> None:
    assert page_findings(books[name], calc, tmp_path) == []


def test_every_sheet_is_printed_at_a_size_that_is_read(books: dict[str, Path]) -> None:
    for sheet in load_workbook(books["notice"]).worksheets:
        wide = sum(7 * column.width + 5 for column in sheet.column_dimensions.values())
        landscape = sheet.page_setup.orientation == "landscape"
        # Pixels on paper, 96 to the inch; margins beyond the usual half inch take some.
        margins = sheet.page_margins.left + sheet.page_margins.right - 1
        room = PRINTED_WIDTH["landscape" if landscape else "portrait"] - 96 * margins
        assert room / wide >= 0.7, sheet.title


def test_the_tie_out_of_the_notice_is_printed_on_one_page(
    calc: Office, books: dict[str, Path], tmp_path: Path
) -> None:
    pdf = calc.pdf(books["notice"], tmp_path)
    done = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout.count("Stated, as") == 1  # of its header, which each page has


def test_long_numbers_are_made_smaller(calc: Office, tmp_path: Path) -> None:
    """So that none of them is printed as ###."""
    (source,) = write_example(tmp_path, "json")
    tables: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    (event,) = tables["events"]
    for column in ("outstanding_before", "outstanding_after"):
        event[column] = f"999999{event[column]}"
    tables["holders"] = [{"series": event["series"], "holder": "All", "shares": "9123456789012"}]
    (case,) = of_tables(tables, tmp_path)
    path = tmp_path / "long.xlsx"
    path.write_bytes(statement_of(case))
    done = subprocess.run(
        ["pdftotext", str(calc.pdf(path, tmp_path)), "-"], capture_output=True, check=True, encoding="utf-8"
    )
    assert "9,123,456,789,012" in done.stdout
    assert "##" not in done.stdout


def test_names_of_events_begin_at_the_edge_of_their_column(books: dict[str, Path]) -> None:
    sheet = load_workbook(books["notice"])["Calculation"]
    assert {sheet.cell(row, 1).alignment.indent for row in range(FIRST_STEP, sheet.max_row + 1)} == {0}


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
    data = statement_of(case)
    formulas, values = opened(data, values=False)["Holders"], opened(data)["Holders"]
    whole = [holder.common for holder in result_of(case).holders]
    assert [values[f"E{FIRST_HOLDER + place}"].value for place in range(len(whole))] == whole
    assert formulas[f"E{FIRST_HOLDER}"].data_type == "n"
    assert "certificate" in values[f"G{FIRST_HOLDER}"].value


def test_exact_figures_stand_beside_the_doubles(tmp_path: Path) -> None:
    (case,) = of_example("vsource", tmp_path)
    sheet = opened(statement_of(case))["Statement"]
    assert sheet["E10"].value == figure_text(Fraction(3901581383, 1949522350))
    assert sheet["J2"].value == "Tie-out: 6 of 16 do not tie"
