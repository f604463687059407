"""Tables become cases: the same from every form, and every bad cell is named with its rule, all at once."""

from __future__ import annotations

import contextlib
import copy
import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from support.papers import write_papers

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import tie_out, tie_out_history
from xl_conversion.examples import write_example
from xl_conversion.inputs.fields import Unfit
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case, read_cases, read_companies
from xl_conversion.inputs.records import RECORDS, ClassRecord, Record
from xl_conversion.inputs.rows import read_row

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


def refused(tmp_path: Path, tables: Tables, form: str = "csv") -> list[Problem]:
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

    @pytest.mark.parametrize("example", ["vsource", "company"])
    def test_the_examples_too(self, tmp_path: Path, example: str) -> None:
        cases = []
        for form in FORMS:
            (first, *_) = write_example(tmp_path / form, form, example)
            cases.append(read_cases(tmp_path / form if form == "csv" else first))
        assert cases[0] == cases[1] == cases[2]
        assert len({tuple(case.digest for case in one) for one in cases}) == 1

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
    def test_is_the_same_in_every_process(self, tmp_path: Path) -> None:
        path = write(tmp_path, changed(("series", 0, "exempted", "Notes; shares; option; warrant")), "json")
        code = (
            "from pathlib import Path; from xl_conversion.inputs.reading import read_cases; "
            f"print(read_cases(Path({str(path)!r}))[0].digest)"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": str(seed)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in (1, 2, 3)
        }
        assert len(found) == 1

    def test_blank_and_missing_columns_are_the_same(self, tmp_path: Path) -> None:
        without = changed(("events", 0, "other_after", None), ("series", 0, "ratio_decimals", None))
        assert read(tmp_path, without).digest == read(tmp_path, BASE).digest

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("series", "conversion_price", "8.50"),
            ("series", "price_rounding_type", " FLOOR"),
            ("events", "outstanding_before", "1000000.0"),
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
SCIENTIFIC = "it is in scientific notation, which hides digits"
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
    ("series", "original_issue_price", "1e999999999", SCIENTIFIC),
    ("series", "original_issue_price", "4.56E+07", SCIENTIFIC),
    ("series", "original_issue_price", "-.5e-3", SCIENTIFIC),
    ("series", "original_issue_price", "e5", NUMBER),
    ("series", "original_issue_price", "1" + "0" * 18, RANGE),
    ("series", "original_issue_price", "0." + "0" * 17 + "1", RANGE),
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
    ("stated", "stated", "4.56E+07", SCIENTIFIC),
]


class TestBadCells:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(("table", "column", "value", "rule"), BAD_CELLS)
    def test_are_named_with_their_rule(
        self, tmp_path: Path, form: str, table: str, column: str, value: str, rule: str
    ) -> None:
        (problem,) = refused(tmp_path, changed((table, 0, column, value)), form)
        assert problem.rule.startswith(rule)
        place = (1, "object") if form == "json" else (2, "row")
        assert (problem.row, problem.unit, problem.column, problem.value) == (*place, column, value)
        assert table in problem.file.lower()
        assert str(problem).startswith(f"{problem.file}, {place[1]} {place[0]}: {column} is ")
        if rule == SCIENTIFIC:
            assert problem.hint == "format the column as a number and save again"

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
                "give consideration, consideration_per_share, or paid and exercise_price: one of them",
                "",
            ),
            (
                [("securities", 1, "consideration", "")],
                3,
                "consideration",
                "consideration, consideration_per_share, or paid and exercise_price is required",
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
                [("events", 0, "outstanding_before", "")],
                2,
                "outstanding_before",
                "an issuance needs it where there is no capitalization, or with the other counts",
                "or add a table capitalization",
            ),
            (
                [
                    ("series", 0, "conversion_price", "0.01"),
                    ("series", 0, "price_decimals", "2"),
                    ("securities", 0, "consideration_per_share", "0"),
                    ("securities", 1, "consideration", "0"),
                ],
                2,
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


class TestARow:
    def test_becomes_a_record_with_its_types(self) -> None:
        cells = {"class": "Pool", "kind": "POOL", "shares": "1/3", "company": "", "source": "Plan"}
        made = read_row(ClassRecord, cells)
        assert isinstance(made, ClassRecord)
        assert (made.class_, made.kind, made.shares) == ("Pool", ClassKind.POOL, Fraction(1, 3))
        assert (made.company, made.source, made.note) == ("", "Plan", "")
        assert made.model_fields_set == {"class_", "kind", "shares", "source"}
        assert made == ClassRecord(class_="Pool", kind=ClassKind.POOL, shares=Fraction(1, 3), source="Plan")
        with pytest.raises(AttributeError):
            made.shares = Fraction(1)  # type: ignore[misc]

    def test_tells_all_its_problems_in_the_order_of_the_columns(self) -> None:
        cells = {"shares": "-1", "kind": "", "class": "", "company": "x" * 256}
        broken = read_row(ClassRecord, cells)
        assert isinstance(broken, list)
        assert [(one.column, one.rule) for one in broken] == [
            ("company", "it must have at most 255 characters"),
            ("class", "a value is required"),
            ("kind", "it must be one of common, preferred, option, warrant, convertible_note, pool"),
            ("shares", "it must be 0 or above"),
        ]

    @pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.table)
    def test_has_the_types_that_its_class_says(self, record: type[Record]) -> None:
        samples = ("1", "x", "2020-01-01", "yes", "option", "common", "rounded", "floor", "broad", "before")
        samples += ("as_first", "holder", "A")
        for name, column in record.model_fields.items():
            read = []
            for text in samples:
                with contextlib.suppress(Unfit):
                    read.append(column.read(text))
            held = get_args(column.type) if type(None) in get_args(column.type) else (column.type,)
            assert {type(value) for value in read} == {get_origin(one) or one for one in held} - {type(None)}, name


class TestImpossible:
    """A value of the right type that cannot be is told from one that is missing or of another type."""

    @pytest.mark.parametrize(
        ("table", "column", "value", "impossible"),
        [
            ("series", "original_issue_price", "", False),
            ("series", "original_issue_price", "ten", False),
            ("series", "original_issue_price", "$6.41", False),
            ("series", "original_issue_price", "4.56E+07", False),
            ("series", "original_issue_price", "0", True),
            ("series", "original_issue_price", "-6.41", True),
            ("series", "original_issue_price", "1" + "0" * 18, True),
            ("series", "original_issue_price", "9" * 400, True),
            ("series", "price_decimals", "two", False),
            ("series", "price_decimals", "2.5", True),
            ("series", "price_decimals", "-1", True),
            ("series", "price_decimals", "16", True),
            ("series", "price_rounding_type", "up", False),
            ("series", "company", "x" * 256, False),
            ("events", "date", "", False),
            ("events", "date", "2002-02-30", False),
            ("events", "date", "1900-02-28", True),
            ("events", "kind", "bond", False),
            ("events", "other_before", "-1", True),
            ("events", "outstanding_after", "1000000", True),
            ("events", "outstanding_before", "", False),
            ("securities", "kind", "bond", False),
            ("securities", "event", "frist", False),
            ("stated", "stated", "many", False),
            ("stated", "stated", "1." + "0" * 16, True),
        ],
    )
    def test_cells(self, tmp_path: Path, table: str, column: str, value: str, impossible: bool) -> None:
        problems = refused(tmp_path, changed((table, 0, column, value)))
        assert {problem.impossible for problem in problems if problem.column == column} == {impossible}

    @pytest.mark.parametrize(
        ("changes", "impossible"),
        [
            ([("shares", "0.5")], True),
            ([("shares", "")], False),
            ([("kind", "split"), ("shares", ""), ("split_new", "1"), ("split_old", "2")], True),
        ],
    )
    def test_events(self, tmp_path: Path, changes: list[tuple[str, str]], impossible: bool) -> None:
        problems = refused(tmp_path, company(*(("events", 1, *change) for change in changes)), "json")
        assert [problem.impossible for problem in problems] == [impossible]

    def test_histories(self, tmp_path: Path) -> None:
        tables = changed(
            ("series", 0, "conversion_price", "0.01"),
            ("series", 0, "price_decimals", "2"),
            ("securities", 0, "consideration_per_share", "0"),
            ("securities", 1, "consideration", "0"),
        )
        assert [problem.impossible for problem in refused(tmp_path, tables)] == [True]


def own(**cells: str) -> Tables:
    """The base, of which the event itself says what was issued."""
    tables = copy.deepcopy(BASE)
    del tables["securities"], tables["conversions"], tables["stated"]
    tables["events"][0] |= {"shares": "250000", "consideration": "1000000", **cells}
    return tables


class TestAnIssuanceThatSaysItself:
    def test_issues_one_security_named_like_it(self, tmp_path: Path) -> None:
        (issuance,) = read(tmp_path, own(source="Minutes")).issuances
        assert issuance.securities == (
            Security("first", SecurityKind.SHARES, Fraction(250_000), Fraction(1_000_000), "Minutes"),
        )

    @pytest.mark.parametrize("form", FORMS)
    def test_is_as_one_with_a_row_in_securities(self, tmp_path: Path, form: str) -> None:
        listed = copy.deepcopy(BASE)
        del listed["conversions"], listed["stated"]
        row = {"security": "first", "kind": "shares", "shares": "250000", "consideration": "1000000"}
        listed["securities"] = [{"series": "A", "event": "first", **row}]
        one, other = read(tmp_path / "own", own(), form), read(tmp_path / "listed", listed, form)
        assert (one.series, one.issuances, one.more) == (other.series, other.issuances, other.more)
        assert [change.price for change in one.changes] == [change.price for change in other.changes]
        assert one.records["securities"] == other.records["securities"]

    def test_may_be_for_nothing(self, tmp_path: Path) -> None:
        case = read(tmp_path, own(consideration="0"))
        assert case.issuances[0].consideration == 0
        assert case.changes[0].price < Fraction("8.5")

    def test_beside_one_with_rows_in_securities(self, tmp_path: Path) -> None:
        tables = copy.deepcopy(BASE)
        row = {"event": "second", "date": "2021-01-01", "shares": "10", "consideration": "20"}
        tables["events"] = [{**tables["events"][0], "shares": "", "consideration": ""}]
        tables["events"].append({**tables["events"][0], **row, "outstanding_after": ""})
        first, second = read(tmp_path, tables).issuances
        assert [security.name for security in first.securities] == ["Notes", "Common"]
        assert [security.name for security in second.securities] == ["second"]
        assert second.outstanding_after == 1_000_010

    def test_is_tied_out_and_exported(self, tmp_path: Path) -> None:
        tables = own(outstanding_after="")
        stated = {"series": "A", "event": "first", "reference": ""}
        tables["stated"] = [
            {**stated, "item": "X", "subject": "", "stated": "1,250,000"},
            {**stated, "item": "common_shares", "subject": "first", "stated": "250,001"},
        ]
        case = read(tmp_path, tables)
        found = tie_out_history(case.changes, case.issuances, case.stated)
        assert [(one.item.value, one.is_exception) for one in found] == [("X", False), ("common_shares", True)]
        (exported,) = write_papers([case], tmp_path / "out")
        sheet = load_workbook(exported.path)["Securities"]
        assert any(cell.value == "first" for cell in sheet["B"])

    def test_counts_by_the_capitalization(self, tmp_path: Path) -> None:
        tables = company()
        tables["events"][0] |= {"event": "seed", "shares": "100", "consideration": "500"}
        del tables["securities"]
        tables["series"] = tables["series"][:1]
        (found,) = read_companies(write(tmp_path, tables, "csv"))
        assert found.history.state.common == 1110

    @pytest.mark.parametrize("given", ["shares", "consideration"])
    def test_says_both(self, tmp_path: Path, given: str) -> None:
        (blank,) = {"shares", "consideration"} - {given}
        (problem,) = refused(tmp_path, own(**{blank: ""}))
        assert (problem.row, problem.column, problem.value) == (2, blank, "")
        assert problem.rule == "an issuance needs both shares and consideration, or rows in securities instead"

    @pytest.mark.parametrize("column", ["shares", "consideration"])
    def test_has_no_rows_in_securities(self, tmp_path: Path, column: str) -> None:
        other = {"shares": "consideration", "consideration": "shares"}[column]
        (problem,) = refused(tmp_path / "1", changed(("events", 0, column, "7")))
        assert (problem.row, problem.column, problem.value) == (2, column, "7")
        assert problem.rule == "the event has rows in securities too: give the securities in one place"
        (both,) = refused(tmp_path / "2", changed(("events", 0, column, "7"), ("events", 0, other, "7")))
        assert (both.column, both.rule) == ("shares", problem.rule)

    def test_without_any_there_is_still_none(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, own(shares="", consideration=""))
        assert problem.rule == "the event has no row in securities"

    def test_may_be_what_a_charter_exempts(self, tmp_path: Path) -> None:
        tables = own()
        tables["series"][0]["exempted"] = "First"
        assert read(tmp_path, tables).changes[0].price == Fraction("8.5")


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
    def test_a_title_in_several_cells_above_the_columns(self, tmp_path: Path, form: str) -> None:
        tables = copy.deepcopy(BASE)
        tables["conversions"] = [{"Some, Inc.": "holder", "as of 2020": "principal"}]
        (problem,) = refused(tmp_path, tables, form)
        assert problem.rule == "row 1 must hold the column names"
        assert problem.hint.startswith("the columns are ")

    def test_a_json_problem_counts_objects(self, tmp_path: Path) -> None:
        tables = copy.deepcopy(BASE)
        tables["stated"].append({**tables["stated"][0]})
        (problem,) = refused(tmp_path, tables, "json")
        assert str(problem).endswith(
            "input.json, stated, object 4: the same series, event, item, subject as in object 1"
        )

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


def company(*changes: tuple[str, int, str, str]) -> Tables:
    """A company with a capitalization and two series, A before the first event and B issued by one."""
    series = {"company": "Some, Inc.", "original_issue_price": "10", "conversion_price": "8"}
    tables: Tables = {
        "series": [
            {"series": "A", **series, "preferred_shares": "1000", "exempted": "", "base_classes": ""},
            {"series": "B", **series, "preferred_shares": "", "exempted": "", "base_classes": ""},
        ],
        "events": [
            {"series": "", "event": "round", "date": "2020-01-01", "kind": "issuance", "shares": ""},
            {"series": "", "event": "paid", "date": "2020-06-01", "kind": "stock_dividend", "shares": "10"},
        ],
        "securities": [
            {
                "series": "",
                "event": "round",
                "security": name,
                "kind": kind,
                "shares": "100",
                "consideration": "900",
                "category": category,
            }
            for name, kind, category in [("B", "preferred", ""), ("Grant 1", "option", "Plan")]
        ],
        "capitalization": [
            {"class": "Common", "kind": "common", "shares": "1000"},
            {"class": "Old Notes", "kind": "convertible_note", "shares": "50"},
        ],
    }
    for table, row, column, value in changes:
        tables[table][row][column] = value
    return tables


class TestPreferredShares:
    def test_may_be_none_but_are_not_left_open(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, company(("series", 0, "preferred_shares", "")))
        assert (problem.row, problem.column) == (2, "preferred_shares")
        assert str(problem).endswith(
            "preferred_shares is blank; the base needs it where there is a capitalization (0 for none)"
        )
        (read,) = read_companies(write(tmp_path / "0", company(("series", 0, "preferred_shares", "0")), "csv"))
        assert [series.preferred_shares for series in read.company.series] == [0, 0]

    def test_are_those_of_a_class_named_like_the_series(self, tmp_path: Path) -> None:
        tables = company(
            ("series", 0, "preferred_shares", ""),
            ("capitalization", 1, "class", "A"),
            ("capitalization", 1, "kind", "preferred"),
        )
        (read,) = read_companies(write(tmp_path, tables, "csv"))
        assert read.company.series[0].preferred_shares == 0

    def test_are_not_needed_without_a_capitalization(self, tmp_path: Path) -> None:
        assert read(tmp_path, BASE).series.preferred_shares == 0

    def test_of_another_companys_capitalization_nothing_follows(self, tmp_path: Path) -> None:
        tables = company(
            ("capitalization", 0, "company", "Some, Inc."), ("capitalization", 1, "company", "Some, Inc.")
        )
        tables["series"].append({**tables["series"][0], "series": "C", "company": "Other", "preferred_shares": ""})
        for row in tables["events"]:
            row["company"] = "Some, Inc."
        assert len(read_companies(write(tmp_path, tables, "csv"))) == 2

    @pytest.mark.parametrize("shares", ["0", "7"])
    def test_are_blank_where_an_event_issues_the_series(self, tmp_path: Path, shares: str) -> None:
        (problem,) = refused(tmp_path, company(("series", 1, "preferred_shares", shares)))
        assert (problem.row, problem.column, problem.value) == (3, "preferred_shares", shares)
        assert problem.rule == "event round issues the series: leave it blank"

    def test_a_series_that_an_event_issues_is_no_class(self, tmp_path: Path) -> None:
        tables = company(("capitalization", 1, "class", "B"), ("capitalization", 1, "kind", "preferred"))
        (problem,) = refused(tmp_path, tables)
        assert (problem.row, problem.column, problem.value) == (3, "series", "B")
        assert problem.rule.startswith("event round issues the series, so it is no class of the capitalization")


class TestNames:
    def test_match_in_any_letter_case(self, tmp_path: Path) -> None:
        tables = company(
            ("series", 0, "exempted", "PLAN; grant 1;Option"),
            ("series", 0, "method", "listed"),
            ("series", 0, "base_classes", "old notes; COMMON ; b"),
        )
        (found,) = read_companies(write(tmp_path, tables, "csv"))
        assert found.company.series[0].exempted == {"plan", "grant 1", "option"}
        assert found.company.series[0].base_classes == {"old notes", "common", "b"}

    @pytest.mark.parametrize("column", ["exempted", "base_classes"])
    @pytest.mark.parametrize(
        ("names", "told", "hint"),
        [
            ("plann", "'plann'", "did you mean Plan?"),
            ("Plan; old note", "'old note'", "did you mean Old Notes?"),
            ("convertible note", "'convertible note'", "did you mean convertible_note?"),
            ("xyzzy", "'xyzzy'", "leave it out until there is such a security"),
        ],
    )
    def test_that_match_nothing(self, tmp_path: Path, column: str, names: str, told: str, hint: str) -> None:
        listed = [("series", 0, "method", "listed")] if column == "base_classes" else []
        (problem,) = refused(tmp_path, company(("series", 0, column, names), *listed))
        assert (problem.row, problem.column, problem.value, problem.hint) == (2, column, names, hint)
        assert problem.rule == f"{told} is no category, kind or name of what the company has or issues"


class TestCorrections:
    def test_a_figure_is_stated_of_the_event_that_is_corrected(self, tmp_path: Path) -> None:
        write_example(tmp_path / "in", example="company")
        path = tmp_path / "in" / "stated.csv"
        path.write_text(path.read_text().replace("Series A,Bridge,", "Series A,Bridge recount,"))
        with pytest.raises(InputError) as refusal:
            read_companies(tmp_path / "in")
        (problem,) = refusal.value.problems
        assert (problem.column, problem.rule) == (
            "event",
            "the row corrects Bridge: state the figure of that event",
        )


class TestMethod:
    def test_a_ratchet_for_a_period_needs_the_method_after_it(self, tmp_path: Path) -> None:
        tables = company(("series", 0, "method", "full_ratchet"), ("series", 0, "ratchet_until", "2021-01-01"))
        (problem,) = refused(tmp_path, tables)
        assert (problem.column, problem.value) == ("method", "full_ratchet")

    def test_a_listed_base_needs_its_classes(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, company(("series", 0, "method", "listed")))
        assert problem.column == "base_classes"

    def test_classes_need_a_listed_base(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, company(("series", 0, "base_classes", "common")))
        assert problem.rule == "only the method listed has them, not broad"


class TestNamesThatAreTaken:
    def test_a_class_that_is_a_series_is_preferred(self, tmp_path: Path) -> None:
        tables = company(("series", 0, "preferred_shares", ""), ("capitalization", 1, "class", "A"))
        assert {problem.column for problem in refused(tmp_path, tables)} == {"kind"}

    def test_two_counts_of_one_series(self, tmp_path: Path) -> None:
        tables = company(("capitalization", 1, "class", "A"), ("capitalization", 1, "kind", "preferred"))
        tables["series"][0]["preferred_shares"] = "123"
        assert {problem.column for problem in refused(tmp_path, tables)} == {"shares"}

    def test_a_row_of_the_tables(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, company(("capitalization", 1, "class", "Next round")))
        assert (problem.column, problem.rule) == ("class", "the name is taken: call the class otherwise")


class TestHints:
    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("37292", "format the cell as a date"),
            ("37292.5", "format the cell as a date"),
            ("2/5/2002", "write 2002-02-05 or 2002-05-02"),
            ("02.05.2002", "write 2002-02-05 or 2002-05-02"),
            ("13/5/2002", "write 2002-05-13"),
            ("5/5/2002", "write 2002-05-05"),
            ("31/31/2002", ""),
            ("2002-02-05T10:00:00", "remove the time"),
            ("2002-02-05 00:00", "remove the time"),
            ("20020205", ""),
            ("2002", ""),
        ],
    )
    def test_for_a_date(self, tmp_path: Path, text: str, hint: str) -> None:
        (problem,) = refused(tmp_path, changed(("events", 0, "date", text)))
        assert (problem.rule, problem.hint) == ("it must be a date as YYYY-MM-DD", hint)

    @pytest.mark.parametrize(
        ("shares", "whole"), [("0.5", False), ("10.25", False), ("1/3", False), ("10.0", True)]
    )
    def test_a_stock_dividend_is_of_whole_shares(self, tmp_path: Path, shares: str, whole: bool) -> None:
        tables = company(("events", 1, "shares", shares))
        if whole:
            assert read_companies(write(tmp_path, tables, "csv"))
            return
        (problem,) = refused(tmp_path, tables)
        assert (problem.row, problem.column) == (3, "shares")
        assert problem.rule == "it is all the shares paid together, a whole number"

    def test_common_that_nobody_has_told(self, tmp_path: Path) -> None:
        tables = company()
        tables["series"] = tables["series"][:1]
        tables["events"] = tables["events"][1:]
        del tables["capitalization"], tables["securities"]
        with pytest.raises(InputError) as caught:
            read_companies(write(tmp_path, tables, "csv"))
        (problem,) = caught.value.problems
        assert (problem.row, problem.hint) == (2, "add a table capitalization, or the figure that it names")

    def test_numbers_of_a_workbook_are_plain_digits(self, tmp_path: Path) -> None:
        path = write(tmp_path, BASE, "xlsx")
        book = load_workbook(path)
        for cell, value in (("E2", 1e17), ("F2", 4.56e16), ("G2", 2e17)):
            book["Events"][cell] = value
            book["Events"][cell].number_format = "0.00E+00"
        book.save(path)
        (issuance,) = read_cases(path)[0].issuances
        assert (issuance.outstanding_before, issuance.other_before) == (10**17, 456 * 10**14)
        assert issuance.outstanding_after == 2 * 10**17


class TestOneMistake:
    """It is told once, and what only follows from it is not."""

    def test_a_series_that_is_misspelt_in_the_event(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, changed(("events", 0, "series", "AA")))
        assert (Path(problem.file).name, problem.row, problem.rule) == ("events.csv", 2, "no such row in series")

    def test_a_series_that_is_misspelt_in_all_but_its_own_table(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, changed(("series", 0, "series", "AA")))
        assert Path(problem.file).name == "events.csv"
        assert problem.rule == "no such row in series, and so in 6 more rows"
        assert problem.hint == "did you mean AA?"

    def test_a_series_that_is_misspelt_in_the_securities(self, tmp_path: Path) -> None:
        tables = changed(("securities", 0, "series", "AA"), ("securities", 1, "series", "AA"))
        (problem,) = refused(tmp_path, tables)
        assert (Path(problem.file).name, problem.row) == ("securities.csv", 2)
        assert problem.rule == "no such row in series, and so in 1 more row"

    def test_an_event_that_is_misspelt_in_the_events(self, tmp_path: Path) -> None:
        tables = changed(("events", 0, "event", "frist"))
        found = [(Path(p.file).name, p.row, p.rule, p.hint) for p in refused(tmp_path, tables)]
        assert found == [
            ("events.csv", 2, "the event has no row in securities", ""),
            ("securities.csv", 2, "no such event of that series, and so in 5 more rows", "did you mean frist?"),
        ]

    def test_a_security_that_is_misspelt_in_its_own_table(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, changed(("securities", 0, "security", "Nots")))
        assert (Path(problem.file).name, problem.row) == ("conversions.csv", 2)
        assert problem.rule == "no such security of that event, and so in 2 more rows"


class TestNoExport:
    def test_says_all_that_is_more(self, tmp_path: Path) -> None:
        assert read(tmp_path / "1", BASE).more == ""
        tables = changed(
            ("series", 0, "exempted", "notes"), ("series", 0, "floor", "1"), ("series", 0, "method", "none")
        )
        tables["events"].append({**BASE["events"][0], "event": "two", "kind": "split", "split_new": "2"})
        for row in tables["events"]:
            row.setdefault("split_new", "")
            row["split_old"] = row["split_new"] and "1"
        for column in ("outstanding_before", "other_before", "outstanding_after"):
            tables["events"][1][column] = ""
        assert read(tmp_path, tables).more == (
            "export writes workbooks for issuances with the company's own counts only; "
            "A also has: method none, exempted, floor, event two"
        )

    def test_many_events_are_counted(self, tmp_path: Path) -> None:
        tables = copy.deepcopy(BASE)
        for number in range(13):
            row = dict.fromkeys(BASE["events"][0], "")
            row |= {"series": "A", "event": f"s{number}", "date": "2021-01-01", "kind": "split"}
            tables["events"].append({**row, "split_new": "2", "split_old": "1"})
        more = read(tmp_path, tables).more
        assert more.endswith(f"A also has: events {', '.join(f's{n}' for n in range(10))} and 3 more")

    def test_counts_that_are_not_there_and_what_is_not_calculable(self, tmp_path: Path) -> None:
        tables = company()
        tables["series"] = [{**tables["series"][0]}]
        tables["securities"] = tables["securities"][1:]
        tables["events"] = tables["events"][:1]
        assert read(tmp_path, tables).more.endswith("A also has: event without counts round")
        tables = changed(("securities", 0, "calculable", "no"), ("securities", 1, "calculable", "yes"))
        assert read(tmp_path / "2", tables).more.endswith("A also has: event with what is not calculable first")


NASTY = [
    "",
    "0",
    "-1",
    "1",
    "0.001",
    "1" + "0" * 17,
    "0." + "0" * 16 + "1",
    "1e17",
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


def test_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    path = write(tmp_path, BASE, "csv")
    code = (
        "import sys\n"
        "sys.modules['pydantic'] = sys.modules['openpyxl'] = None\n"
        "before = set(sys.modules)\n"
        "import xl_conversion.inputs.reading\n"
        "from pathlib import Path\n"
        f"assert xl_conversion.inputs.reading.read_cases(Path({str(path)!r}))\n"
        "import xl_conversion.inputs.pages\n"
        "found = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert found <= {*sys.stdlib_module_names, 'xl_conversion'}, found\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_records_are_frozen(tmp_path: Path) -> None:
    case = read(tmp_path, BASE)
    make: Callable[..., Case] = replace
    assert make(case) == case
    with pytest.raises(AttributeError):
        case.series = case.series  # type: ignore[misc]
