"""The worksheet functions on tables, against the core and against what the same rows give as files."""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.solver import solve_round
from xl_conversion.core.tie_out import tie_out_history
from xl_conversion.examples import write_example
from xl_conversion.functions import tabular
from xl_conversion.functions.boundary import MAX_MESSAGE, CellError, WorksheetError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS
from xl_conversion.functions.evaluate import evaluate, evaluate_exact
from xl_conversion.functions.sheet_tables import SheetTable, companies
from xl_conversion.functions.tabular import ENUMERATIONS
from xl_conversion.functions.typed import cell_of
from xl_conversion.inputs import problems
from xl_conversion.inputs.reading import read_cases, read_companies

CLASSES = [
    ["Class", "Kind", "Shares"],
    ["Common", "common", 4_000_000.0],
    ["Series Z", "preferred", 900_000.0],
    ["Options", "option", 500_000.0],
    ["Notes", "convertible_note", 70_000.0],
    ["Warrants", "warrant", 3_000.5],
    ["Pool", "pool", 250_000.0],
]
NO_TABLE = "it must be a range with a header row"
SERIES = [["series", "original_issue_price", "conversion_price", "price_decimals"], ["A", 10.0, 10.0, 2.0]]
EVENTS = [["event", "date", "kind", "split_new", "split_old"], ["Split", "2026-01-15", "split", 2.0, 1.0]]
STATED = [["event", "item", "stated"], ["Split", "conversion_price", "5.00"]]


def call(name: str, *cells: Any) -> Any:
    return evaluate(FUNCTIONS[name], cells)


def column(rows: Any, name: str) -> list[Any]:
    return [row[rows[0].index(name)] for row in rows[1:]]


def changed(table: list[list[Any]], row: int, place: int, cell: Any) -> list[list[Any]]:
    rows = [list(line) for line in table]
    rows[row][place] = cell
    return rows


def sheet(folder: Path, name: str, *, without: tuple[str, ...] = ()) -> list[list[Any]]:
    """A table of an input as a person would have it on a sheet: numbers as numbers, but stated figures as text."""
    rows = list(csv.reader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"))))
    kept = [place for place, head in enumerate(rows[0]) if head not in without]
    typed = [rows[0], *([cell if name == "stated" else cell_of(cell) for cell in row] for row in rows[1:])]
    return [[row[place] for place in kept] for row in typed]


@pytest.fixture(scope="module", params=["notice", "company"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "input"
    write_example(folder, example={"notice": "vsource"}.get(request.param, request.param))
    return folder


def tables(folder: Path) -> dict[str, Any]:
    names = ("series", "events", "securities", "capitalization", "conversions", "stated")
    return {name: sheet(folder, name) if (folder / f"{name}.csv").exists() else None for name in names}


class TestOutstanding:
    @pytest.mark.parametrize(
        ("base", "expected"),
        [
            ("common", 4_000_000),
            ("narrow", 4_900_000),
            ("broad", 5_473_000.5),
            ("broad_with_pool", 5_723_000.5),
            (None, 5_473_000.5),
            ("Broad_With_Pool", 5_723_000.5),
            ("common; pool", 4_250_000),
            ("common; preferred; warrant; option; convertible_note", 5_473_000.5),
            ("Series Z;notes", 970_000),
            ("OPTION; warrant; common", 4_503_000.5),
        ],
    )
    def test_bases(self, base: str | None, expected: float) -> None:
        assert call("CP_OUTSTANDING", CLASSES, base) == expected

    def test_many_bases_at_once(self) -> None:
        assert call("CP_OUTSTANDING", CLASSES, [["common"], ["nothing"], ["narrow"]])[0::2] == [[4e6], [4.9e6]]

    @pytest.mark.parametrize(
        ("table", "base", "error"),
        [
            (CLASSES, "common; founders", "base names 'founders'; it must be one of common, narrow,"),
            (CLASSES, " ; ", "base is blank; it must be one of common, narrow,"),
            (CLASSES, 2.0, "base is 2; a text is required"),
            (CLASSES[:1] + CLASSES[2:], "broad", "capitalization: it has no class of kind common"),
            (
                [["class", "kind", "shares"]],
                "broad",
                f"capitalization is a row; {NO_TABLE}",
            ),
            (5.0, "broad", f"capitalization is 5; {NO_TABLE}"),
            (None, "broad", f"capitalization is blank; {NO_TABLE}"),
            (CLASSES[2:], "broad", "capitalization: row 1 must hold the column names"),
            (
                changed(CLASSES, 1, 1, "stock"),
                "broad",
                "capitalization, row 2: kind is 'stock'; it must be",
            ),
            (
                changed(CLASSES, 1, 2, "many"),
                "broad",
                "capitalization, row 2: shares is 'many'; it must be",
            ),
            (changed(CLASSES, 2, 0, "common"), "broad", "capitalization, row 3: class is 'common'; the name is"),
            (
                [["class", "company", "kind", "shares"], ["C", "X", "common", 1.0], ["D", "Y", "common", 2.0]],
                "broad",
                "capitalization: it has classes of several companies; a base is of one",
            ),
        ],
    )
    def test_what_is_wrong_is_told(self, table: Any, base: Any, error: str) -> None:
        result = call("CP_OUTSTANDING", table, base)
        assert isinstance(result, CellError)
        assert str(result).startswith(f"#VALUE! CP_OUTSTANDING: {error}")
        assert len(str(result)) <= MAX_MESSAGE

    def test_a_number_that_cannot_be_is_another_error(self) -> None:
        result = call("CP_OUTSTANDING", changed(CLASSES, 1, 2, -1.0))
        assert str(result) == "#NUM! CP_OUTSTANDING: capitalization, row 2: shares is '-1'; it must be 0 or above"

    def test_a_kind_that_the_table_does_not_have_counts_nothing(self) -> None:
        assert call("CP_OUTSTANDING", CLASSES[:2], "common; preferred") == 4_000_000

    def test_an_error_in_a_table_is_handed_on(self) -> None:
        result = call("CP_OUTSTANDING", changed(CLASSES, 2, 2, CellError("#REF!")))
        assert str(result) == "#REF! CP_OUTSTANDING: capitalization, row 3 has #REF!; an error is handed on"
        result = call("CP_OUTSTANDING", CellError("#N/A"))
        assert str(result) == "#N/A CP_OUTSTANDING: capitalization is #N/A; an error is handed on"

    def test_blank_rows_and_columns_are_none(self) -> None:
        ragged = [[*row, None] for row in CLASSES]
        ragged.insert(3, [None] * 4)
        assert call("CP_OUTSTANDING", [*ragged, [None] * 4]) == call("CP_OUTSTANDING", CLASSES)

    @given(
        st.lists(
            st.tuples(st.sampled_from(list(ClassKind)), st.integers(0, 10**14).map(lambda n: n / 1000)), max_size=8
        )
    )
    def test_adds_up_exactly(self, classes: list[tuple[ClassKind, float]]) -> None:
        rows = [["class", "kind", "shares"], ["Stock", "common", 1.0]]
        rows += [[f"Class {n}", kind.value, shares] for n, (kind, shares) in enumerate(classes)]
        counted = {
            "common": {"common"},
            "narrow": {"common", "preferred"},
            "broad": {kind.value for kind in ClassKind} - {"pool"},
            "broad_with_pool": {kind.value for kind in ClassKind},
        }
        for base, kinds in counted.items():
            exact = 1 + sum(Fraction(f"{s:.15g}") for k, s in classes if k.value in kinds)
            assert evaluate_exact(FUNCTIONS["CP_OUTSTANDING"], [rows, base]) == exact


class TestIssuance:
    def test_the_notice(self, tmp_path: Path) -> None:
        write_example(tmp_path / "notice")
        rows = call("CP_ISSUANCE", sheet(tmp_path / "notice", "securities", without=("event",)))
        (issuance,) = read_cases(tmp_path / "notice")[0].issuances
        assert rows[-1][:4] == ["together", "", float(issuance.listed), float(issuance.consideration)]
        assert column(rows, "security")[:-1] == [s.name for s in issuance.securities]
        assert column(rows, "price per share")[:-1] == [
            float(s.consideration / s.shares) for s in issuance.securities
        ]

    def test_what_is_not_calculable_is_not_counted(self) -> None:
        table = [
            ["security", "kind", "shares", "consideration", "calculable"],
            ["Shares", "shares", 1000.0, 500.0, True],
            ["Earn-out", "warrant", 700.0, None, False],
        ]
        rows = call("CP_ISSUANCE", table)
        assert rows[2] == ["Earn-out", "warrant", 700.0, "", "", "no"]
        assert rows[3] == ["together", "", 1000.0, 500.0, 0.5, "yes"]
        assert (
            call("CP_ISSUANCE", [[*row[:4], {True: 1.0, False: 0.0}.get(row[4], row[4])] for row in table]) == rows
        )
        rows = call("CP_ISSUANCE", [table[0], table[2]])
        assert rows[2] == ["together", "", 0.0, 0.0, "", "no"]

    def test_options_by_what_was_paid_and_what_is_still_to_be_paid(self) -> None:
        table = [
            ["security", "kind", "shares", "paid", "exercise_price"],
            ["Warrant", "warrant", 500.0, 25.0, 0.5],
            ["Option", "option", 100.0, None, 0.75],
            ["Stock", "shares", 100.0, 80.0, None],
        ]
        rows = call("CP_ISSUANCE", table)
        assert column(rows, "consideration") == [275.0, 75.0, 80.0, 430.0]
        both = [[*row, cell] for row, cell in zip(table, ["consideration", 1.0, 2.0, 3.0], strict=True)]
        rule = "give consideration, consideration_per_share, or paid and exercise_price: one of them (and 2 more)"
        assert str(call("CP_ISSUANCE", both)).endswith(rule)

    def test_is_of_one_issuance(self) -> None:
        table = [["event", "security", "kind", "shares", "consideration"]]
        table += [["One", "S", "shares", 10.0, 10.0], ["Two", "S", "shares", 10.0, 100.0]]
        rule = "securities: it has securities of 2 issuances; give those of one"
        assert str(call("CP_ISSUANCE", table)) == f"#VALUE! CP_ISSUANCE: {rule}"
        assert "the name is taken" in str(
            call("CP_ISSUANCE", [table[0], ["One", "together", "warrant", 1.0, 1.0]])
        )

    @given(
        st.permutations(range(5)),
        st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), min_size=5, max_size=5),
    )
    def test_securities_add_up_in_any_order(self, order: list[int], sizes: list[tuple[int, int]]) -> None:
        head = ["security", "kind", "shares", "consideration"]
        rows = [[f"S{n}", list(SecurityKind)[n % 3].value, *sizes[n]] for n in order]
        last = evaluate_exact(FUNCTIONS["CP_ISSUANCE"], [[head, *rows]])[-1]  # type: ignore[index]
        shares, paid = sum(s for s, _ in sizes), sum(p for _, p in sizes)
        assert last == ["together", "", Fraction(shares), Fraction(paid), Fraction(paid, shares), "yes"]


class TestHistory:
    def test_is_what_the_command_shows(self, example: Path) -> None:
        given = tables(example)
        rows = evaluate_exact(
            FUNCTIONS["CP_HISTORY"], [given[n] for n in ("series", "events", "securities", "capitalization")]
        )
        assert isinstance(rows, list)
        expected = [
            [
                change.event.date.isoformat(),
                change.event.event,
                change.start,
                str(change.factor),
                change.unrounded,
                change.ratio,
                change.clause,
                change.reason,
                series.name,
                change.price,
            ]
            for one in read_companies(example)
            for series in one.company.series
            for change in one.history.of(series.name)
        ]
        assert len(expected) > 0
        carried = rows[0].index("price carried")
        assert [[*row[:carried], *row[carried + 1 :]] for row in rows[1:]] == expected
        for row, following in pairwise(rows[1:]):
            assert row[2] * Fraction(str(row[3])) == row[4]
            if row[9] == following[9]:
                assert following[2] == row[carried]

    def test_what_is_carried_is_what_the_next_one_starts_from(self) -> None:
        terms = [
            ["series", "original_issue_price", "conversion_price", "price_decimals", "carried_price"],
            ["A", 10.0, 10.0, 2.0, "unrounded"],
        ]
        events = [
            ["event", "date", "kind", "split_new", "split_old"],
            ["One", 46037.0, "split", 3.0, 1.0],
            ["Two", 46038.0, "split", 3.0, 1.0],
        ]
        rows = evaluate_exact(FUNCTIONS["CP_HISTORY"], [terms, events])
        third = Fraction(10, 3)
        assert column(rows, "price carried") == [third, third / 3]
        assert column(rows, "price before") == [10, third]
        assert column(rows, "price in force") == [Fraction("3.33"), Fraction("1.11")]

    def test_digits_that_double_end_in_an_error(self) -> None:
        terms = [[*SERIES[0][:3], "preferred_shares"], ["A", 10.0, 10.0, 1000.0]]
        classes = [["class", "kind", "shares"], ["Common", "common", 1e6]]
        head = ["event", "date", "kind", "shares", "consideration"]
        for count in (14, 60):
            events = [[f"E{n}", 46037.0 + n, "issuance", 1000.0, 5000.0] for n in range(count)]
            result = call("CP_HISTORY", terms, [head, *events], None, classes)
            if count == 14:
                assert isinstance(column(result, "exact factor")[-1], float)
                assert (
                    column(result, "exact factor")[0] == "1001000/1001001"
                    or "/" in column(result, "exact factor")[0]
                )
            else:
                assert "the unrounded price of A has too many digits by now; give it the charter's" in str(result)

    @pytest.mark.parametrize(
        "day", ["2026-01-15", 46037.0, date(2026, 1, 15), datetime.fromisoformat("2026-01-15T00:00:00")], ids=str
    )
    def test_days_in_every_form(self, day: Any) -> None:
        assert column(call("CP_HISTORY", SERIES, changed(EVENTS, 1, 1, day)), "date") == ["2026-01-15"]

    @pytest.mark.parametrize("day", [46037.5, 0.0, -5.0, 1e9, "15.1.2026", True], ids=str)
    def test_what_is_no_day(self, day: Any) -> None:
        result = call("CP_HISTORY", SERIES, changed(EVENTS, 1, 1, day))
        assert str(result).startswith("#VALUE! CP_HISTORY: events, row 2: date is ")

    def test_an_issuance_in_one_row(self) -> None:
        events = [
            ["event", "date", "kind", "shares", "consideration", "outstanding_before", "other_before"],
            ["Round", 46037.0, "issuance", 2_000_000.0, 1_000_000.0, 7_000_000.0, 0.0],
        ]
        rows = call("CP_HISTORY", [SERIES[0][:3], ["A", 1.0, 1.0]], events)
        assert column(rows, "unrounded price") == [8 / 9]
        assert column(rows, "exact factor") == ["8/9"]

    def test_a_history_without_events_is_its_header(self) -> None:
        result = call("CP_HISTORY", SERIES, EVENTS[:1])
        assert str(result).startswith("#VALUE! CP_HISTORY: events is a row; it must be a range with a header row")

    def test_every_problem_is_counted(self) -> None:
        result = call("CP_HISTORY", changed(SERIES, 1, 2, -1.0), changed(EVENTS, 1, 1, "soon"))
        first = "#NUM! CP_HISTORY: series, row 2: conversion_price is '-1'; it must be above 0"
        assert str(result) == f"{first} (and 1 more)"

    def test_what_cannot_be_replayed(self) -> None:
        events = [["event", "date", "kind", "security"], ["Lapse", "2026-01-15", "expiry", "Options"]]
        result = call("CP_HISTORY", SERIES, events)
        assert isinstance(result, CellError)
        assert "Options" in str(result)

    @pytest.mark.parametrize("place", [0, 1])
    def test_a_table_that_is_none(self, place: int) -> None:
        cells: list[Any] = [SERIES, EVENTS]
        cells[place] = "A1\x1f:B2\ud800"
        assert "it must be a range with a header row" in str(call("CP_HISTORY", *cells))


class TestTieOut:
    def test_is_what_the_command_finds(self, example: Path) -> None:
        given = tables(example)
        names = ("stated", "series", "events", "securities", "capitalization", "conversions")
        rows = evaluate_exact(FUNCTIONS["CP_TIE_OUT"], [given[name] for name in names])
        assert isinstance(rows, list)
        expected = []
        for one in read_companies(example):
            for series in one.company.series:
                found = tie_out_history(
                    one.history.of(series.name), one.issuances[series.name], one.stated[series.name]
                )
                expected += [[f.event, f.item.value, f.stated, f.result.value, f.difference] for f in found]
        names_of = ("event", "item", "stated", "result", "difference")
        places = [rows[0].index(name) for name in names_of]
        assert [[row[place] for place in places] for row in rows[1:]] == [
            ["" if cell is None else cell for cell in row] for row in expected
        ]

    def test_the_notice_does_not_add_up(self, tmp_path: Path) -> None:
        write_example(tmp_path / "notice")
        given = tables(tmp_path / "notice")
        names = ("stated", "series", "events", "securities", "capitalization", "conversions")
        rows = call("CP_TIE_OUT", *(given[name] for name in names))
        assert column(rows, "result").count("exception") == 6
        assert all(len(text) <= MAX_MESSAGE for row in rows for text in row if isinstance(text, str))

    def test_the_only_series_need_not_be_named(self) -> None:
        rows = call("CP_TIE_OUT", STATED, SERIES, EVENTS)
        assert column(rows, "result") == ["ties"]
        assert column(rows, "series") == ["A"]

    @pytest.mark.parametrize("number", [4.9, 5, Decimal("5.00")], ids=repr)
    def test_a_number_does_not_say_how_exact_it_is(self, number: Any) -> None:
        result = call("CP_TIE_OUT", changed(STATED, 1, 2, number), SERIES, EVENTS)
        assert str(result).startswith("#VALUE! CP_TIE_OUT: stated, row 2: stated is the number ")
        assert str(result).endswith("; write it as text, such as '5.00: its decimals count")


class TestSolveRound:
    TERMS = (
        ["series", "original_issue_price", "conversion_price", "preferred_shares", "method"],
        ["A", 1.0, 1.0, 2_000_000.0, "broad"],
        ["B", 2.5, 2.5, 1_200_000.0, "narrow"],
    )

    @settings(max_examples=25)
    @given(
        st.integers(10**5, 10**7),
        st.integers(10**5, 10**7),
        st.integers(0, 50),
        st.booleans(),
        st.sampled_from([None, 0, 2, 4]),
    )
    def test_is_the_core(self, new: int, pre: int, pool: int, counted: bool, decimals: int | None) -> None:
        cells = [CLASSES, self.TERMS, float(new), float(pre), float(pool), counted, decimals]
        exact = evaluate_exact(FUNCTIONS["CP_SOLVE_ROUND"], cells)
        if isinstance(exact, CellError):
            assert "rounds to zero" in str(exact) or "there is no price" in str(exact)
            return
        # The same, by what the command does with the same tables.
        given = {"capitalization": CLASSES, "series": self.TERMS}
        found = {name: SheetTable(name, rows) for name, rows in given.items()}
        (one,) = companies(found, {"series": {"company": "it"}})
        assert exact == solve_round(one.history.state, new, pre, pool, adjustment_in_price=counted).price

    def test_a_grid_of_rounds(self) -> None:
        grid = call("CP_SOLVE_ROUND", CLASSES, self.TERMS, [[1e6], [2e6]], [[3e6, 4e6, 0.0]], 10.0, True, 4.0)
        assert [len(row) for row in grid] == [3, 3]
        assert grid[0][0] == call("CP_SOLVE_ROUND", CLASSES, self.TERMS, 1e6, 3e6, 10.0, None, 4.0)
        assert str(grid[0][2]) == "#NUM! CP_SOLVE_ROUND: pre_money is 0; it must be above 0"

    @pytest.mark.parametrize(
        ("place", "cell", "error"),
        [
            (4, 100.0, "#NUM! CP_SOLVE_ROUND: pool_percent is 100; it must be from 0 to below 100"),
            (5, "perhaps", "#VALUE! CP_SOLVE_ROUND: adjustment_in_price is 'perhaps'; it must be TRUE or FALSE"),
            (5, 2.0, "#VALUE! CP_SOLVE_ROUND: adjustment_in_price is 2; it must be TRUE or FALSE"),
        ],
    )
    def test_bad_arguments(self, place: int, cell: Any, error: str) -> None:
        cells = [CLASSES, self.TERMS, 1e6, 3e6, 10.0, True]
        cells[place] = cell
        assert str(call("CP_SOLVE_ROUND", *cells)) == error

    def test_a_ratchet_for_a_period_needs_a_date(self) -> None:
        terms = [[*row, cell] for row, cell in zip(self.TERMS, ["ratchet_until", "2099-01-01", None], strict=True)]
        result = call("CP_SOLVE_ROUND", CLASSES, terms, 1e6, 3e6)
        assert str(result).startswith(
            "#VALUE! CP_SOLVE_ROUND: series: A has ratchet_until, and the round has no date"
        )

    def test_classes_of_another_company(self) -> None:
        terms = [[*row, name] for row, name in zip(self.TERMS, ["company", "Acme", "Acme"], strict=True)]
        classes = [[*row, "Acme Inc"] for row in CLASSES]
        classes[0][-1] = "company"
        result = call("CP_SOLVE_ROUND", classes, terms, 1e6, 3e6)
        assert "company is 'Acme Inc'; no series is of that company" in str(result)
        assert "did you mean Acme?" in str(result)

    def test_one_is_true_where_a_host_has_no_booleans(self) -> None:
        for flag, number, text in ((True, 1.0, "true"), (False, 0.0, "FALSE")):
            results = {call("CP_SOLVE_ROUND", CLASSES, self.TERMS, 1e6, 3e6, 0.0, f) for f in (flag, number, text)}
            assert len(results) == 1

    def test_a_round_is_of_one_company(self) -> None:
        terms = [[*row, name] for row, name in zip(self.TERMS, ["company", "X", "Y"], strict=True)]
        classes = [[*row, "X" if place else "company"] for place, row in enumerate(CLASSES)]
        rule = "series: the series are of 2 companies; a round is of one"
        assert str(call("CP_SOLVE_ROUND", classes, terms, 1.0, 1.0)) == f"#VALUE! CP_SOLVE_ROUND: {rule}"


class TestWhatATableMayHold:
    @pytest.mark.parametrize("name", [f.name for f in CATALOGUE if f.arguments and f.arguments[0].unit == "table"])
    def test_a_table_left_out(self, name: str) -> None:
        first = FUNCTIONS[name].arguments[0].name
        assert str(call(name)) == f"#VALUE! {name}: {first} is blank; {NO_TABLE} and at least one row below it"

    @pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 10**400, Decimal("1e400")], ids=str)
    def test_numbers_that_no_cell_can_hold(self, number: Any) -> None:
        for table, row, place in ((EVENTS, 1, 1), (EVENTS, 1, 3), (EVENTS, 0, 3)):
            result = call("CP_HISTORY", SERIES, changed(table, row, place, number))
            assert isinstance(result, CellError)
            assert "a number that cell can hold" in str(result) or "a number that a cell can hold" in str(result)

    @pytest.mark.parametrize("text", ["-", ".", "+", "1 2"])
    def test_what_is_no_number(self, text: str) -> None:
        result = call("CP_OUTSTANDING", changed(CLASSES, 1, 2, text))
        assert str(result).startswith(
            f"#VALUE! CP_OUTSTANDING: capitalization, row 2: shares is {text!r}; it must be"
        )

    def test_a_blank_first_row(self) -> None:
        for day in ("2026-01-15", 46037.0):
            events = [[None] * 5, *changed(EVENTS, 1, 1, day)]
            assert call("CP_HISTORY", [[None] * 4, *SERIES], events) == call("CP_HISTORY", SERIES, EVENTS)

    def test_a_blank_company(self) -> None:
        terms = [[*SERIES[0], "company"], [*SERIES[1], None]]
        assert call("CP_HISTORY", terms, EVENTS) == call("CP_HISTORY", SERIES, EVENTS)

    def test_words_in_any_spelling(self) -> None:
        events = [["event", "date", "kind", "dividend", "market_price", "form"]]
        events.append(["D", 46037.0, "Cash Dividend", 1.0, 20.0, " Excess "])
        terms = [[*SERIES[0], "price_rounding_type"], [*SERIES[1], "HALF_EVEN"]]
        assert column(call("CP_HISTORY", terms, events), "price in force") == [9.5]

    def test_no_common_to_pay_a_dividend_on(self) -> None:
        terms = [[*SERIES[0][:3], "preferred_shares"], ["A", 10.0, 10.0, 1000.0]]
        events = [["event", "date", "kind", "shares", "of"], ["W", "2026-01-01", "waiver", None, "SD"]]
        events.append(["SD", "2026-01-15", "stock_dividend", 5.0, None])
        classes = [["class", "kind", "shares"], ["Common", "common", 0.0]]
        assert "outstanding is 0; it must be above 0" in str(call("CP_HISTORY", terms, events, None, classes))

    def test_an_error_is_found_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        monkeypatch.setattr(tabular, "records", lambda table, *_: read.append(table.name) or _fail(table))
        bases = [["broad"], ["narrow"], ["common"]]
        assert [str(row[0]) for row in call("CP_OUTSTANDING", CLASSES, bases)] == [
            "#VALUE! CP_OUTSTANDING: no"
        ] * 3
        assert read == ["capitalization"]

    def test_few_of_many_misspelt_references_are_looked_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        count = 300
        head = ["event", "date", "kind", "outstanding_before", "other_before"]
        events = [[f"event number {n}", 46037.0, "issuance", 1e6, 0.0] for n in range(count)]
        securities = [["event", "security", "kind", "shares", "consideration"]]
        securities += [[f"evnt numbr {n}", f"S{n}", "shares", 1.0, 1.0] for n in range(count)]
        asked: list[str] = []
        search = problems.get_close_matches
        monkeypatch.setattr(
            problems,
            "get_close_matches",
            lambda word, names, **b: asked.extend([word] if names else []) or search(word, names, **b),
        )
        result = str(call("CP_HISTORY", SERIES, [head, *events], securities))
        assert "(and 599 more)" in result
        assert len(asked) <= 20  # each of them looks at every name


def _fail(table: SheetTable) -> Any:
    raise WorksheetError("#VALUE!", "no")


class TestExplain:
    @pytest.mark.parametrize("name", [f.name for f in CATALOGUE if f.explain])
    def test_the_last_step_is_the_figure(self, name: str) -> None:
        function = FUNCTIONS[name]
        cells = [cell_of(text) for text in function.example]
        rows = evaluate_exact(FUNCTIONS["CP_EXPLAIN"], [f" {name.lower()} ", *cells])
        assert isinstance(rows, list)
        assert float(rows[-1][4]) == evaluate(function, cells)  # type: ignore[arg-type]
        assert rows[0] == ["step", "symbol", "formula", "with numbers", "value", "unit", "source"]

    @pytest.mark.parametrize(
        ("cells", "error"),
        [
            (
                ["CP_SPLITS"],
                "#VALUE! CP_EXPLAIN: function_name is 'CP_SPLITS', and there is no such function; did you",
            ),
            (["CP_LIST"], "#VALUE! CP_EXPLAIN: function_name is CP_LIST; it has no steps"),
            (["CP_OUTSTANDING", CLASSES], "#VALUE! CP_EXPLAIN: function_name is CP_OUTSTANDING; it has no steps"),
            ([7.0], "#VALUE! CP_EXPLAIN: function_name is 7; a text is required"),
            ([None], "#VALUE! CP_EXPLAIN: function_name is blank; a text is required"),
            (["CP_SPLIT", 50.0, 0.0, 1.0], "#NUM! CP_EXPLAIN: split_new is 0; it must be above 0"),
            (["CP_SPLIT", 50.0, 2.0], "#VALUE! CP_EXPLAIN: split_old is blank; a number is required"),
            (
                ["CP_SPLIT", CellError("#REF!")],
                "#REF! CP_EXPLAIN: conversion_price is #REF!; an error is handed on",
            ),
            (["CP_SPLIT", *[1.0] * 6], "#VALUE! CP_EXPLAIN: argument_6 is too many; CP_SPLIT takes at most 5"),
            (
                ["CP_SPLIT", [[50.0], [40.0]], 2.0, 1.0],
                "#VALUE! CP_EXPLAIN: argument_1 is a range of 2 x 1 cells; it must be a single value",
            ),
            (
                ["CP_SPLIT", 1.0, 250.0, 1.0, 2.0],
                "#NUM! CP_EXPLAIN: decimals is 2; 0.004 rounds to zero there; more",
            ),
        ],
    )
    def test_errors(self, cells: list[Any], error: str) -> None:
        assert str(call("CP_EXPLAIN", *cells)).startswith(error)


class TestAboutTheFunctions:
    def test_every_enumeration_is_listed(self) -> None:
        for name, words in ENUMERATIONS.items():
            assert call("CP_ENUM", name.upper().replace("_", " ")) == [[str(word)] for word in words]
            assert name in FUNCTIONS["CP_ENUM"].arguments[0].help
        for function in CATALOGUE:
            for argument in function.arguments:
                if argument.choices:
                    kind = function.name.removeprefix("CP_").lower()
                    assert ENUMERATIONS[f"{kind}_{argument.name}"] == argument.choices

    def test_an_unknown_enumeration(self) -> None:
        assert str(call("CP_ENUM", "colours")).startswith(
            "#VALUE! CP_ENUM: enumeration is 'colours'; it must be one"
        )

    def test_list(self) -> None:
        rows = call("CP_LIST")
        assert column(rows, "function") == list(FUNCTIONS)

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_help_says_everything(self, name: str) -> None:
        rows = call("CP_HELP", name.lower())
        said = " ".join(row[1] for row in rows)
        assert all(len(row[1]) <= MAX_MESSAGE for row in rows)
        for argument in FUNCTIONS[name].arguments:
            assert any(row[0].startswith(argument.name) for row in rows)
            assert " ".join(argument.help.split()) in said
            assert argument.rule in said

    def test_help_says_the_columns_of_a_table(self) -> None:
        rows = call("CP_HELP", "Events")
        assert rows[0] == ["column", "text"]
        assert [
            "date (required)",
            "Day of the event, YYYY-MM-DD; events of one day happen in the order of the rows",
        ] in rows
        assert any(row[0] == "kind split" and "Needs split_new, split_old." in row[1] for row in rows)
        assert [row[0] for row in call("CP_HELP", "capitalization") if "required" in row[0]] == [
            "class (required)",
            "kind (required)",
            "shares (required)",
        ]

    def test_a_wrong_column_is_told_with_the_right_ones(self) -> None:
        result = call("CP_OUTSTANDING", [["class", "type", "shares"], *CLASSES[1:]])
        assert "the column type is not known (and 1 more); the columns are note, company, class, kind" in str(
            result
        )
        wrong = [["series", "original_issue_price", "conversion_prise", "price_decimals"], *SERIES[1:]]
        assert "did you mean conversion_price?" in str(call("CP_HISTORY", wrong, EVENTS))

    @pytest.mark.parametrize(
        "header", [["series", "series", "x"], ["series", None, "y"], ["", "", ""], ["a", "b\x07", "c"]]
    )
    def test_a_header_that_is_none(self, header: list[Any]) -> None:
        for cells in ([[header, ["A", 1.0, 2.0]], EVENTS], [SERIES, [header, ["A", 1.0, 2.0]]]):
            assert str(call("CP_HISTORY", *cells)).startswith("#VALUE! CP_HISTORY: ")

    def test_results_of_a_spill_fit_into_cells(self) -> None:
        for name in ("CP_LIST", "CP_HELP", "CP_ENUM", "CP_EXPLAIN"):
            cells = {
                "CP_HELP": ["CP_HISTORY"],
                "CP_ENUM": ["stated_item"],
                "CP_EXPLAIN": ["CP_RATIO", 6.41, 3.0],
            }.get(name, [])
            rows = call(name, *cells)
            assert len({len(row) for row in rows}) == 1
            assert all(isinstance(cell, float | str) for row in rows for cell in row)
