"""The register of a portfolio of many companies, made from real inputs: it foots, and its checks turn."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from xl_conversion.inputs.reading import Case, cases_of, companies_of, read_cases
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


def of_tables(folder: Path, terms: str, *events: str, held: bool = True) -> list[SeriesResult]:
    """Of one series, of which 300 shares are held."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = "price_decimals,ratio_decimals,ratio_basis,method,preferred_shares"
    (folder / "series.csv").write_text(
        f"series,company,original_issue_price,conversion_price,{columns}\n{terms}\n"
    )
    if events:
        rows = "\n".join(["event,date,kind,series,split_new,split_old,shares,of,corrects,recorded", *events])
        (folder / "events.csv").write_text(f"{rows}\n")
    if held:
        (folder / "holders.csv").write_text("series,holder,shares\nA,Ann,100\nA,Bob,200\n")
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
    return {sheet[f"A{row}"].value: sheet[f"E{row}"].value for row in range(7, 22)}


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
        "Events, each counted once": 50,
        "Events, counted for each series that they concern": 50,
        "Series of which holders have more or less than is outstanding": 0,
        "Stated figures compared": 50,
        "Stated figures that do not tie": sum(one.exceptions for one in results),
        "Series left out": 2,
        "Problems of the input": 2,
    }
    assert 0 < sum(one.exceptions for one in results) < 50
    series, positions = book["Series"], book["Positions"]
    assert sum(column(series, "P")) == sum(column(positions, "J")) == sum(column(positions, "L")) == whole
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
        ("Series", f"P{FIRST}", 1),
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
        "Series": "S1",
        "Positions": "O1",
        "Exceptions": "H1",
        "Left out": "B1",
        "Problems": "F1",
    }
    with office.session() as session:
        document = session.open(register)
        assert {document.value(*at) for at in corners.items()} == {"Incomplete: see Left out and Problems"}
        document.set(sheet, cell, value)
        assert {document.value(*at) for at in corners.items()} == {"Formulas agree: CHECK"}


def test_it_can_be_sent_out(
    register: Path, office: Office, tmp_path: Path, validator: Callable[[Path], list[Finding]]
) -> None:
    write_example(tmp_path / "company", example="company")
    small = [result_of(case) for case in read_cases(tmp_path / "company")]
    long = [
        replace(
            one,
            series=replace(
                one.series, company=f"The Company for the Advancement of {'Robotics ' * 5}", name="A " * 40
            ),
            outstanding=Fraction(123456789),
        )
        for one in small
    ]
    for path in (
        register,
        made(tmp_path / "small.xlsx", small, {}, [], []),
        made(tmp_path / "long.xlsx", long, {}),
        made(tmp_path / "one.xlsx", small[:1], {}, [], []),
    ):
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
        assert document.value("Summary", "E10") == 0


def test_what_is_left_out_is_told(results: list[SeriesResult], tmp_path: Path, office: Office) -> None:
    """No sheet says OK where something of the input is not here; and all do where everything is."""
    cases: list[tuple[Sequence[Problem], Sequence[tuple[str, str]], str, str]] = [
        (PROBLEMS, LEFT_OUT, "INCOMPLETE", "Incomplete. Series left out: 2. Problems of the input: 2. "),
        (PROBLEMS[:1], [], "INCOMPLETE", "Incomplete. Series left out: 0. Problems of the input: 1. "),
        ([], LEFT_OUT[:1], "INCOMPLETE", "Incomplete. Series left out: 1. Problems of the input: 0. "),
        ([], [], "OK", "Complete: nothing is left out."),
    ]
    for number, (problems, left_out, master, words) in enumerate(cases):
        path = made(tmp_path / f"{number}.xlsx", results[:3], {}, problems, left_out)
        cached = openpyxl.load_workbook(path, data_only=True)
        place = cached.defined_names["chk_all"].attr_text.partition("!")[2].replace("$", "")
        told = [cached["Summary"][at].value for at in (place, "A4", "I1")]
        with office.session() as session:
            document = session.open(path)
            assert [document.value("Summary", at) for at in (place, "A4", "I1")] == told
        assert told[0] == master
        assert told[1].startswith(words)
        assert ("OK" in told[2]) == (master == "OK")


def test_an_event_of_a_company_is_counted_once(tmp_path: Path) -> None:
    """Of the nine rows of the example, one corrects another; the others are seen by one to three series."""
    write_example(tmp_path / "company", example="company")
    results = [result_of(case) for case in read_cases(tmp_path / "company")]
    found = summary(openpyxl.load_workbook(made(tmp_path / "a.xlsx", results, {}), data_only=True))
    assert found["Events, each counted once"] == 8
    assert found["Events, counted for each series that they concern"] == 7 + 7 + 6
    again = [*results, *(replace(one, series=replace(one.series, company="Another")) for one in results)]
    found = summary(openpyxl.load_workbook(made(tmp_path / "a.xlsx", again, {}), data_only=True))
    assert found["Events, each counted once"] == 16


@pytest.mark.parametrize(
    ("decimals", "price", "ratio"),
    [(0, "3", "2"), (2, "2.50", "2.40"), (4, "2.5000", "2.4000"), ("", "2.50", "2.40")],
)
def test_prices_have_the_decimals_that_they_are_rounded_to(
    decimals: int | str, price: str, ratio: str, tmp_path: Path, office: Office
) -> None:
    """As a number, and as it is shown."""
    terms = f"A,B,6,5,{decimals},{decimals},rounded,none,"
    (result,) = of_tables(tmp_path, terms, "Split,2020-01-01,split,,2,1,")
    path = made(tmp_path / "a.xlsx", [result], {})
    with office.session() as session:
        document = session.open(path)
        shown = [document.cell(*at) for at in (("Series", f"F{FIRST}"), ("Series", f"H{FIRST}"))]
        taken = document.cell("Positions", f"F{FIRST}")
    assert [one.text for one in (*shown, taken)] == [price, ratio, price]
    assert [one.value for one in shown] == [float(price), float(ratio)]


def test_no_figure_has_the_sign_of_a_currency(register: Path) -> None:
    """As in the statement of a series: no input names one. What is stated is shown as it is written."""
    book = openpyxl.load_workbook(register)
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if "$" in cell.number_format]
    for title, columns in (("Series", "DEFG"), ("Positions", "EF")):
        assert {book[title][f"{column}{FIRST - 2}"].value for column in columns} == {"money per share"}


EVENTS_OF_PREFERRED: dict[str, tuple[tuple[str, ...], int | str]] = {
    "nothing": ((), 1000),
    "conversion": (("C,2020-01-01,conversion,A,,,250",), 750),
    "of all series": (("C,2020-01-01,conversion,,,,250",), 750),
    "redemption": (("C,2020-01-01,conversion,A,,,250", "R,2020-02-01,redemption,A,,,50.5"), "699.5"),
    "pay to play": (("P,2020-01-01,pay_to_play,A,,,1000",), 0),
    "cancelled": (
        ("C,2020-01-01,conversion,A,,,250", "D,2020-02-01,conversion,A,,,100", "X,2020-03-01,cancellation,A,,,,C"),
        900,
    ),
    "corrected": (
        ("C,2020-01-01,conversion,A,,,250", "Y,2020-01-01,conversion,A,,,200,,C,2020-03-01"),
        800,
    ),
    "split": (("C,2020-01-01,conversion,A,,,250", "S,2020-02-01,split,,2,1,"), 750),
}


@pytest.mark.parametrize("name", EVENTS_OF_PREFERRED)
def test_what_is_outstanding_after_the_events(name: str, tmp_path: Path) -> None:
    """As the history of the company has it."""
    rows, outstanding = EVENTS_OF_PREFERRED[name]
    (result,) = of_tables(tmp_path, "A,B,6,5,2,2,rounded,none,1000", *rows)
    assert result.outstanding == Fraction(outstanding)
    tables = read_tables(tmp_path, [record.table for record in RECORDS])
    (company,) = companies_of(tables, str(tmp_path))
    assert result.outstanding == company.history.state.positions["A"].preferred


def test_what_is_outstanding_as_a_class_or_not_known(tmp_path: Path) -> None:
    conversion = "C,2021-01-01,conversion,A,,,250"
    (result,) = of_tables(tmp_path / "none", "A,B,6,5,2,2,rounded,none,", "S,2020-01-01,split,,2,1,")
    assert result.outstanding is None
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "capitalization.csv").write_text("class,kind,shares\nCommon,common,5\nA,preferred,400\n")
    (result,) = of_tables(tmp_path / "class", "A,B,6,5,2,2,rounded,none,", conversion)
    assert result.outstanding == 150
    (tmp_path / "issued").mkdir()
    (tmp_path / "issued" / "capitalization.csv").write_text("class,kind,shares\nCommon,common,5\n")
    (tmp_path / "issued" / "securities.csv").write_text(
        "event,security,kind,shares,consideration_per_share\nI,A,preferred,600,5\n"
    )
    (result,) = of_tables(
        tmp_path / "issued", "A,B,6,5,2,2,rounded,none,", "I,2020-01-01,issuance,,,,", conversion
    )
    assert (
        result.outstanding == 600 * Fraction(5, 6) - 250
    )  # what converts into 600 common, less what was converted


def test_what_is_held_is_compared_with_what_is_outstanding(tmp_path: Path, office: Office) -> None:
    """A difference is told with its figure, and no check."""
    found = {}
    for name, preferred, holders in (
        ("less", "400", True),
        ("more", "200", True),
        ("equal", "300", True),
        ("unknown", "", True),
        ("unlisted", "300", False),
    ):
        (found[name],) = of_tables(
            tmp_path / name, f"A,{name},6,5,2,2,rounded,none,{preferred}", "S,2020-01-01,split,,2,1,", held=holders
        )
    path = made(tmp_path / "a.xlsx", list(found.values()), {}, [], [])
    sheet = openpyxl.load_workbook(path, data_only=True)["Series"]
    assert [sheet[f"N{row}"].value for row in range(FIRST, FIRST + 5)] == [400, 200, 300, None, 300]
    told = [-100, 100, "agrees", "not compared", "not compared"]
    assert [sheet[f"O{row}"].value for row in range(FIRST, FIRST + 5)] == told
    with office.session() as session:
        document = session.open(path)
        assert [document.value("Series", f"O{row}") for row in range(FIRST, FIRST + 5)] == told
        assert document.value("Summary", "I1") == "Formulas agree: OK"
        label = "Series of which holders have more or less than is outstanding"
        place = next(row for row in range(7, 22) if document.value("Summary", f"A{row}") == label)
        assert document.value("Summary", f"E{place}") == 2
        document.set("Series", f"N{FIRST}", 300)
        assert document.value("Summary", f"E{place}") == 1


def test_what_is_too_long_for_a_sheet_goes_on(results: list[SeriesResult], tmp_path: Path, office: Office) -> None:
    """The totals and the checks stand for all the sheets."""
    path = made(tmp_path / "a.xlsx", results, workbooks_of(results), [], [], max_rows=FIRST + 59)
    book = openpyxl.load_workbook(path)
    assert sum(title.startswith("Positions") for title in book.sheetnames) == 3
    with office.session() as session:
        document = session.open(path)
        assert document.value("Summary", "I1") == "Formulas agree: OK"
        assert document.value("Summary", "E10") == 150
        last = next(title for title in reversed(book.sheetnames) if title.startswith("Positions"))
        document.set(last, f"J{FIRST}", 1)
        assert document.value("Summary", "I1") == "Formulas agree: CHECK"


def test_rows_are_made_while_they_are_read() -> None:
    """A hundred thousand positions take no memory until somebody asks for them."""
    held = tuple(HolderShares(f"Holder {n}", Fraction(n), Fraction(n), n) for n in range(1, 1001))
    one = Fraction(1)
    series = Series("A", "B", one, one)
    results = [SeriesResult(series, None, "", (), None, one, one, one, one, one, one, None, held, ())] * 100
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
