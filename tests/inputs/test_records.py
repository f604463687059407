"""Tables become cases: the same from every form, and every bad cell is named with its rule, all at once."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from xl_conversion.core.history import replay
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import tie_out
from xl_conversion.examples import write_example
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.records import Case, read_cases

FORMS = ("csv", "json", "xlsx")
Tables = dict[str, list[dict[str, str]]]
BASE: Tables = {
    "series": [
        {
            "series": "A",
            "company": "Some, Inc.",
            "original_issue_price": "10",
            "conversion_price": "8.5",
            "price_decimals": "4",
            "price_rounding_type": "floor",
            "ratio_decimals": "",
            "note": "=1+1",
        }
    ],
    "events": [
        {
            "series": "A",
            "event": "first",
            "date": "2020-02-29",
            "kind": "issuance",
            "outstanding_before": "1000000",
            "other_before": "0",
            "outstanding_after": "1250000",
            "other_after": "",
        }
    ],
    "securities": [
        {
            "series": "A",
            "event": "first",
            "security": "Notes",
            "kind": "convertible_note",
            "shares": "200000",
            "consideration_per_share": "5",
            "consideration": "",
        },
        {
            "series": "A",
            "event": "first",
            "security": "Common",
            "kind": "shares",
            "shares": "50000",
            "consideration_per_share": "",
            "consideration": "1234.56",
        },
    ],
    "conversions": [
        {
            "series": "A",
            "event": "first",
            "security": "Notes",
            "holder": "@one",
            "principal": "1000000",
            "preferred_price": "50",
            "common_per_preferred": "10",
        }
    ],
    "stated": [
        {"series": "A", "event": "first", "item": "A", "subject": "", "stated": "1,000,000", "reference": ""},
        {
            "series": "A",
            "event": "first",
            "item": "common_shares",
            "subject": "Notes",
            "stated": "200,000",
            "reference": "",
        },
        {
            "series": "A",
            "event": "first",
            "item": "date",
            "subject": "Notes",
            "stated": "1 May 2019",
            "reference": "2019-05-01",
        },
    ],
}


def write(folder: Path, tables: Tables, form: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if form == "json":
        path = folder / "input.json"
        path.write_text(json.dumps(tables), encoding="utf-8")
        return path
    if form == "csv":
        for name, rows in tables.items():
            with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]) if rows else ["series"])
                writer.writeheader()
                writer.writerows(rows)
        return folder
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables.items():
        sheet = book.create_sheet(name.title())
        for row, cells in enumerate([list(rows[0]) if rows else ["series"], *(list(r.values()) for r in rows)], 1):
            for column, text in enumerate(cells, start=1):
                if text:
                    cell = sheet.cell(row, column, text)
                    cell.data_type = "s"
    book.save(folder / "input.xlsx")
    return folder / "input.xlsx"


def changed(*changes: tuple[str, int, str, str | None]) -> Tables:
    """The base with other values; None removes the column."""
    tables = copy.deepcopy(BASE)
    for table, row, column, value in changes:
        for number, cells in enumerate(tables[table]):
            if value is None:
                cells.pop(column)
            elif number == row:
                cells[column] = value
            else:
                cells.setdefault(column, "")
    return tables


def read(tmp_path: Path, tables: Tables, form: str = "json") -> Case:
    (case,) = read_cases(write(tmp_path / form, tables, form))
    return case


def refused(tmp_path: Path, tables: Tables, form: str = "json") -> list[Problem]:
    with pytest.raises(InputError) as caught:
        read_cases(write(tmp_path / form, tables, form))
    for problem in caught.value.problems:
        assert str(problem).isprintable()
        assert len(str(problem)) < 600
    return list(caught.value.problems)


class TestForms:
    def test_all_give_the_same_case_and_digest(self, tmp_path: Path) -> None:
        cases = [read(tmp_path, BASE, form) for form in FORMS]
        assert cases[0] == cases[1] == cases[2]
        assert len({case.digest for case in cases}) == 1

    def test_the_example_too(self, tmp_path: Path) -> None:
        cases = []
        for form in FORMS:
            (first, *_) = write_example(tmp_path / form, form)
            cases += read_cases(tmp_path / form if form == "csv" else first)
        assert cases[0] == cases[1] == cases[2]
        assert len({case.digest for case in cases}) == 1

    def test_what_becomes_of_the_base(self, tmp_path: Path) -> None:
        case = read(tmp_path, BASE)
        series, (issuance,) = case.series, case.issuances
        assert (series.name, series.company) == ("A", "Some, Inc.")
        assert (series.price.decimals, series.price.rounding_type) == (4, RoundingType.FLOOR)
        assert (series.ratio.decimals, series.ratio_basis) == (None, Basis.UNROUNDED)
        assert (series.carried_price, series.share_rounding_type) == (Basis.ROUNDED, RoundingType.FLOOR)
        assert (issuance.outstanding_after, issuance.other_after) == (1_250_000, 0)
        assert [s.consideration for s in issuance.securities] == [1_000_000, Fraction("1234.56")]
        assert (issuance.conversions[0].holder, issuance.conversions[0].common) == ("@one", 200_000)
        assert [s.text for s in case.stated] == ["1,000,000", "200,000", "1 May 2019"]
        assert [s.reference for s in case.stated] == ["", "", "2019-05-01"]

    def test_cells_of_a_workbook_may_be_numbers_and_dates(self, tmp_path: Path) -> None:
        path = write(tmp_path, BASE, "xlsx")
        book = load_workbook(path)
        for sheet in book.worksheets:
            for row in sheet.iter_rows(min_row=2):
                for cell in row:
                    if sheet.title != "Stated" and isinstance(cell.value, str):
                        try:
                            cell.value = float(cell.value)
                        except ValueError:
                            continue
        import datetime

        book["Events"]["C2"] = datetime.date(2020, 2, 29)
        book["Stated"]["E2"] = 1_000_000
        book["Stated"]["E2"].number_format = "#,##0"
        book.save(path)
        (case,) = read_cases(path)
        assert case.issuances == read(tmp_path, BASE).issuances
        assert case.series == read(tmp_path, BASE).series
        assert case.stated[0].text == "1000000"

    def test_optional_tables_and_columns_may_be_left_out(self, tmp_path: Path) -> None:
        tables = changed(("events", 0, "outstanding_after", None), ("events", 0, "other_after", None))
        del tables["conversions"], tables["stated"]
        (issuance,) = read(tmp_path, tables).issuances
        assert (issuance.outstanding_after, issuance.other_after) == (1_250_000, 0)
        assert (issuance.listed, issuance.conversions) == (250_000, ())

    def test_a_case_for_each_series(self, tmp_path: Path) -> None:
        tables = copy.deepcopy(BASE)
        for rows in tables.values():
            rows.extend({**row, "series": "B"} for row in list(rows))
        cases = read_cases(write(tmp_path, tables, "csv"))
        assert [case.series.name for case in cases] == ["A", "B"]
        assert cases[0].issuances == cases[1].issuances
        assert cases[0].digest != cases[1].digest


class TestDigest:
    def test_blank_and_missing_columns_are_the_same(self, tmp_path: Path) -> None:
        without = changed(("events", 0, "other_after", None), ("series", 0, "ratio_decimals", None))
        assert read(tmp_path, without).digest == read(tmp_path, BASE).digest

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("series", "conversion_price", "8.50"),
            ("series", "price_rounding_type", " FLOOR"),
            ("events", "outstanding_before", "1E+6"),
            ("securities", "shares", "200000.00"),
        ],
    )
    def test_the_same_value_written_otherwise(self, tmp_path: Path, table: str, column: str, value: str) -> None:
        assert read(tmp_path, changed((table, 0, column, value))).digest == read(tmp_path, BASE).digest

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("series", "conversion_price", "8.51"),
            ("series", "note", "another"),
            ("series", "ratio_basis", "rounded"),
            ("events", "date", "2020-03-01"),
            ("securities", "consideration_per_share", "5.0001"),
            ("stated", "stated", "1,000,000.0"),
            ("conversions", "holder", "two"),
        ],
    )
    def test_anything_else_changes_it(self, tmp_path: Path, table: str, column: str, value: str) -> None:
        assert read(tmp_path, changed((table, 0, column, value))).digest != read(tmp_path, BASE).digest


NUMBER = "it must be a number, such as 6.41"
RANGE = "it must be between 1e-18 and 1e18"
BAD_CELLS = [
    ("series", "company", "", "a value is required"),
    ("series", "series", "", "a value is required"),
    ("series", "company", "x" * 256, "it must have at most 255 characters"),
    ("series", "original_issue_price", "", "a value is required"),
    ("series", "original_issue_price", "ten", NUMBER),
    ("series", "original_issue_price", "0", "it must be above 0"),
    ("series", "original_issue_price", "-6.41", "it must be above 0"),
    ("series", "original_issue_price", "$6.41", "it must be a plain number: write 6.41"),
    ("series", "original_issue_price", "6,41", NUMBER),
    ("series", "original_issue_price", "6.41.1", NUMBER),
    ("series", "original_issue_price", "6 41", NUMBER),
    ("series", "original_issue_price", "٦", NUMBER),
    ("series", "original_issue_price", "1/0", NUMBER),
    ("series", "original_issue_price", "0x10", NUMBER),
    ("series", "original_issue_price", "1_000", NUMBER),
    ("series", "original_issue_price", "TRUE", NUMBER),
    ("series", "original_issue_price", "=1+1", NUMBER),
    ("series", "original_issue_price", "5%", NUMBER),
    ("series", "original_issue_price", "NaN", NUMBER),
    ("series", "original_issue_price", "inf", NUMBER),
    ("series", "original_issue_price", "-Infinity", NUMBER),
    ("series", "original_issue_price", "1e999999999", RANGE),
    ("series", "original_issue_price", "1e18", RANGE),
    ("series", "original_issue_price", "1e-18", RANGE),
    ("series", "original_issue_price", "9" * 400, RANGE),
    ("series", "original_issue_price", "9" * 30_000, RANGE),
    ("series", "price_decimals", "2.5", "it must be a whole number from 0 to 15, or blank for no rounding"),
    ("series", "price_decimals", "-1", "it must be a whole number from 0 to 15, or blank for no rounding"),
    ("series", "price_decimals", "16", "it must be a whole number from 0 to 15, or blank for no rounding"),
    ("series", "price_decimals", "9" * 5000, "it must be a whole number from 0 to 15, or blank for no rounding"),
    ("series", "price_rounding_type", "up", "it must be one of half_up, half_even, floor, ceiling"),
    ("series", "ratio_basis", "stated", "it must be one of rounded, unrounded"),
    ("events", "date", "", "a value is required"),
    ("events", "date", "5 February 2002", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "05/02/2002", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "2002-02-30", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "20020205", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "2002-W06-2", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "37292", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "2002-02-05T10:00:00", "it must be a date as YYYY-MM-DD"),
    ("events", "date", "1900-02-28", "it must be 1900-03-01 or later"),
    ("events", "outstanding_before", "33,831,184", "it must be a plain number: write 33831184"),
    ("events", "outstanding_before", "0", "it must be above 0"),
    ("events", "other_before", "-1", "it must be 0 or above"),
    ("events", "other_after", "none", NUMBER),
    ("securities", "kind", "bond", "it must be one of shares, option, warrant, convertible_note, preferred"),
    ("securities", "shares", "0", "it must be above 0"),
    ("securities", "consideration_per_share", "-0.10", "it must be 0 or above"),
    ("conversions", "principal", "0", "it must be above 0"),
    ("conversions", "common_per_preferred", "", "a value is required"),
    ("stated", "item", "price", "it must be one of A, B, C, numerator, X, Y, denominator, conversion_price, "),
    ("stated", "stated", "", "a value is required"),
]


class TestBadCells:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(("table", "column", "value", "rule"), BAD_CELLS)
    def test_are_named_with_their_rule(
        self, tmp_path: Path, form: str, table: str, column: str, value: str, rule: str
    ) -> None:
        (problem,) = refused(tmp_path, changed((table, 0, column, value)), form)
        assert problem.rule.startswith(rule)
        assert (problem.row, problem.column, problem.value) == (2, column, value)
        assert table in problem.file.lower()
        assert str(problem).startswith(f"{problem.file}, row 2: {column} is ")

    @pytest.mark.parametrize(
        ("changes", "row", "column", "rule", "hint"),
        [
            ([("events", 0, "series", "a")], 2, "series", "no such row in series", ""),
            ([("events", 0, "kind", "bond")], 2, "kind", ", redemption", ""),
            ([("events", 0, "kind", "split")], 2, "other_before", "a split has no other_before", ""),
            ([("securities", 1, "event", "frist")], 3, "event", "no such event of that series", "first"),
            ([("conversions", 0, "security", "Note")], 2, "security", "no such security of that event", "Notes"),
            ([("conversions", 0, "event", "x")], 2, "event", "no such event of that series", ""),
            ([("stated", 1, "subject", "Comon")], 3, "subject", "no such security of that event", "Common"),
            ([("stated", 1, "subject", "")], 3, "subject", "common_shares is stated of one security: name it", ""),
            ([("stated", 0, "subject", "Notes")], 2, "subject", "A is of the whole event: leave it blank", ""),
            (
                [("stated", 1, "item", "preferred_shares"), ("stated", 1, "subject", "Common")],
                3,
                "subject",
                "it has no row in conversions to recompute it from",
                "",
            ),
            (
                [("stated", 2, "reference", "")],
                4,
                "reference",
                "a date is compared with the one in another document",
                "",
            ),
            (
                [("stated", 0, "stated", "many")],
                2,
                "stated",
                "it must be a number as written, such as 1,234.50",
                "",
            ),
            ([("stated", 0, "stated", "1." + "0" * 16)], 2, "stated", "it must have at most 15 decimals", ""),
            (
                [("securities", 0, "consideration", "1")],
                2,
                "consideration",
                "give consideration or consideration_per_share, not both",
                "",
            ),
            (
                [("securities", 1, "consideration", "")],
                3,
                "consideration",
                "consideration or consideration_per_share is required",
                "",
            ),
            (
                [("events", 0, "outstanding_after", "1000000")],
                2,
                "outstanding_after",
                "it must be above outstanding_before, since shares were issued",
                "",
            ),
            (
                [("events", 0, "outstanding_after", "999999"), ("events", 0, "other_after", "1000")],
                2,
                "outstanding_after",
                "it must be above outstanding_before, since shares were issued",
                "",
            ),
            (
                [
                    ("series", 0, "conversion_price", "0.01"),
                    ("series", 0, "price_decimals", "2"),
                    ("securities", 0, "consideration_per_share", "0"),
                    ("securities", 1, "consideration", "0"),
                ],
                0,
                "",
                "rounds to zero there; more decimals are needed",
                "",
            ),
        ],
    )
    def test_that_do_not_fit_together(
        self,
        tmp_path: Path,
        changes: list[tuple[str, int, str, str]],
        row: int,
        column: str,
        rule: str,
        hint: str,
    ) -> None:
        found = [p for p in refused(tmp_path, changed(*changes)) if p.rule.endswith(rule)]
        assert [(p.row, p.column) for p in found] == [(row, column)]
        assert hint in found[0].hint

    def test_rights_may_be_counted_among_the_other_securities(self, tmp_path: Path) -> None:
        tables = changed(("events", 0, "outstanding_after", "1000000"), ("events", 0, "other_after", "250000"))
        assert read(tmp_path, tables).issuances[0].other_after == 250_000

    def test_a_reference_to_another_events_conversion(self, tmp_path: Path) -> None:
        tables = changed(("stated", 1, "item", "preferred_shares"), ("stated", 1, "event", "second"))
        tables["events"].append({**BASE["events"][0], "event": "second"})
        tables["securities"] += [{**row, "event": "second"} for row in BASE["securities"]]
        (problem,) = refused(tmp_path, tables)
        assert problem.rule == "it has no row in conversions to recompute it from"

    @pytest.mark.parametrize(
        ("table", "columns"),
        [
            ("series", "series"),
            ("events", "series, event"),
            ("securities", "series, event, security"),
            ("conversions", "series, event, security, holder"),
            ("stated", "series, event, item, subject"),
        ],
    )
    def test_a_row_that_is_there_twice(self, tmp_path: Path, table: str, columns: str) -> None:
        tables = copy.deepcopy(BASE)
        tables[table].append(dict(tables[table][0]))
        (problem,) = refused(tmp_path, tables)
        assert problem.rule == f"the same {columns} as in row 2"
        assert problem.row == len(tables[table]) + 1

    def test_a_series_without_events_and_an_event_without_securities(self, tmp_path: Path) -> None:
        tables = copy.deepcopy(BASE)
        tables["series"].append({**tables["series"][0], "series": "B"})
        tables["events"].append({**tables["events"][0], "event": "second"})
        assert [(p.row, p.value, p.rule) for p in refused(tmp_path, tables)] == [
            (3, "B", "it has no row in events"),
            (3, "second", "the event has no row in securities"),
        ]

    def test_all_at_once(self, tmp_path: Path) -> None:
        tables = changed(
            ("series", 0, "company", ""),
            ("series", 0, "conversion_price", "x"),
            ("events", 0, "date", "x"),
            ("securities", 0, "shares", "-1"),
            ("securities", 1, "kind", "x"),
            ("stated", 2, "item", "z"),
        )
        assert [(p.row, p.column) for p in refused(tmp_path, tables)] == [
            (2, "company"),
            (2, "conversion_price"),
            (2, "date"),
            (2, "shares"),
            (3, "kind"),
            (4, "item"),
        ]


class TestBadTables:
    @pytest.mark.parametrize("form", FORMS)
    def test_missing_ones_are_all_named(self, tmp_path: Path, form: str) -> None:
        tables = {name: rows for name, rows in BASE.items() if name in ("series", "stated")}
        rules = [problem.rule for problem in refused(tmp_path, tables, form)]
        assert rules == ["the table events is missing", "the table securities is missing"]

    @pytest.mark.parametrize("form", FORMS)
    def test_a_misspelt_one(self, tmp_path: Path, form: str) -> None:
        tables = {("serie" if name == "series" else name): rows for name, rows in BASE.items()}
        (problem,) = refused(tmp_path, tables, form)
        assert problem.rule.lower() == "there is no table 'serie'"
        assert problem.hint == "did you mean series?"

    @pytest.mark.parametrize("form", FORMS)
    def test_missing_and_unknown_columns(self, tmp_path: Path, form: str) -> None:
        tables = copy.deepcopy(BASE)
        tables["series"] = [{"conversion_prise": "8", "xyzzy": "red", "series": "A", "company": "x"}]
        found = {problem.rule: problem.hint for problem in refused(tmp_path, tables, form)}
        assert found.pop("the column conversion_prise is not known") == "did you mean conversion_price?"
        assert set(found) == {
            "the column xyzzy is not known",
            "the column original_issue_price is missing",
            "the column conversion_price is missing",
        }
        for hint in found.values():
            assert hint.startswith("the columns are ")
            assert ", original_issue_price, conversion_price, " in hint

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    @pytest.mark.parametrize("table", ["series", "stated"])
    def test_a_header_without_rows(self, tmp_path: Path, form: str, table: str) -> None:
        path = write(tmp_path / form, {**BASE, table: []}, form)
        with pytest.raises(InputError) as caught:
            read_cases(path)
        assert any("missing" in p.rule or "no rows" in p.rule for p in caught.value.problems)

    def test_a_full_header_without_rows(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "csv", BASE, "csv")
        (folder / "conversions.csv").write_text(",".join(BASE["conversions"][0]) + "\n")
        with pytest.raises(InputError) as caught:
            read_cases(folder)
        (problem,) = caught.value.problems
        assert (problem.rule, problem.hint) == ("it has a header but no rows", "add a row, or remove the table")

    def test_a_finished_workbook_is_no_input(self, tmp_path: Path) -> None:
        book = Workbook()
        book.worksheets[0].title = "Summary"
        book.create_sheet("Securities").append(["Securities"])
        book.save(tmp_path / "out.xlsx")
        with pytest.raises(InputError):
            read_cases(tmp_path / "out.xlsx")


NASTY = [
    "",
    "0",
    "-1",
    "1",
    "0.001",
    "1e17",
    "1e-17",
    "999999999999999999",
    "1/3",
    "0.1234567890123456789",
    "NaN",
    "-0",
    "=1+1",
    "A",
    "first",
    "Notes",
    "2020-01-01",
    "9999-12-31",
    "rounded",
    "half_even",
    "15",
    "$1.5",
    "1,000.25",
    "x" * 255,
    "a\nb",
    "\N{ARABIC LETTER ALEF}",
    '"',
    "{=}",
    "common_shares",
    "date",
]
CELLS = [
    (table, row, column) for table, rows in BASE.items() for row, cells in enumerate(rows) for column in cells
]


class TestAnything:
    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.sampled_from(CELLS), st.sampled_from(NASTY)), min_size=1, max_size=4))
    def test_is_computed_or_refused(self, tmp_path: Path, changes: list[tuple[Any, str]]) -> None:
        path = write(tmp_path, changed(*((*place, value) for place, value in changes)), "json")
        cases = cases_or_none(path)
        for case in cases:
            for adjustment in replay(case.series, case.issuances):
                assert adjustment.price <= adjustment.price_before
                for finding in tie_out(adjustment, case.stated):
                    assert finding.as_dict()
                    assert finding.explanation or not finding.is_exception

    def test_a_problem_names_what_is_blank(self) -> None:
        assert str(Problem("a.csv", "a value is required", 2, "event")) == (
            "a.csv, row 2: event is blank; a value is required"
        )
        assert str(Problem("a.csv", "no", 2, "event", "x" * 50)) == f"a.csv, row 2: event is '{'x' * 37}...'; no"


def cases_or_none(path: Path) -> list[Case]:
    try:
        return read_cases(path)
    except InputError:
        return []


def test_records_are_frozen(tmp_path: Path) -> None:
    case = read(tmp_path, BASE)
    make: Callable[..., Case] = replace
    assert make(case) == case
    with pytest.raises(AttributeError):
        case.series = case.series  # type: ignore[misc]
