"""Each company of a portfolio is read as if it were alone; what is wrong in one leaves the others as they are."""

from __future__ import annotations

import csv
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.inputs.portfolio import (
    PROBLEM_COLUMNS,
    CompanyChecked,
    CompanyTables,
    Portfolio,
    check_company,
    problem_rows,
    read_portfolio,
    split,
)
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case, cases_of
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import Table, read_tables, table_of

Rows = dict[str, list[dict[str, str]]]
OWN_COLUMN = {"series", "events", "capitalization"}
"""Tables whose records say the company themselves."""


def company(name: str, *, series: tuple[str, ...] = ("Series A", "Series B"), named: bool = True) -> Rows:
    """The tables of a company; `named`: each row says whose it is."""
    rows: Rows = {
        "series": [
            {
                "series": one,
                "company": name,
                "original_issue_price": "10",
                "conversion_price": "10",
                "price_decimals": "4",
            }
            for one in series
        ],
        "events": [
            {
                "series": one,
                "event": "Bridge",
                "date": "2020-01-01",
                "kind": "issuance",
                "outstanding_before": "1000",
                "other_before": "0",
            }
            for one in series
        ],
        "securities": [
            {
                "series": one,
                "event": "Bridge",
                "security": "Notes",
                "kind": "convertible_note",
                "shares": "100",
                "consideration": "500",
            }
            for one in series
        ],
        "conversions": [
            {
                "series": one,
                "event": "Bridge",
                "security": "Notes",
                "principal": "500",
                "preferred_price": "10",
                "common_per_preferred": "2",
            }
            for one in series
        ],
        "stated": [
            {"series": one, "event": "Bridge", "item": "conversion_price", "stated": "9.5455"} for one in series
        ],
        "holders": [
            {"series": one, "holder": holder, "shares": "60"} for one in series for holder in ("Ada", "Birch")
        ],
    }
    if named:
        rows = {table: [{"company": name, **row} for row in found] for table, found in rows.items()}
    return rows


def together(*parts: Rows) -> Rows:
    return {table: [row for part in parts for row in part.get(table, ())] for table in parts[0]}


def made(rows: Rows) -> dict[str, Table]:
    """The tables of these rows, as from a folder of CSV files."""
    found = {}
    for name, records in rows.items():
        columns = list(dict.fromkeys(column for record in records for column in record))
        lines = [(n, [record.get(c, "") for c in columns]) for n, record in enumerate(records, start=2)]
        found[name] = table_of(name, f"{name}.csv", [(1, columns), *lines])
    return found


def portfolio(*parts: Rows) -> Portfolio:
    return split(made(together(*parts)), "in")


def checked(*parts: Rows) -> dict[str, CompanyChecked]:
    return {one.name: check_company(one) for one in portfolio(*parts).companies}


def told(problems: tuple[Problem, ...]) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.row, problem.rule) for problem in problems]


def refused(*parts: Rows) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        portfolio(*parts)
    return caught.value.problems


class TestSplitting:
    @given(
        st.lists(
            st.tuples(
                st.lists(st.sampled_from(["Series A", "Series B", "Seed"]), min_size=1, max_size=3, unique=True),
                st.sampled_from(["", "stated", "holders", "conversions", "securities", "events"]),
            ),
            min_size=1,
            max_size=4,
        ),
        st.randoms(use_true_random=False),
    )
    def test_the_parts_are_the_whole_and_each_is_read_as_if_alone(
        self, companies: list[tuple[list[str], str]], order: Any
    ) -> None:
        parts = []
        for number, (series, wrong) in enumerate(companies):
            part = company(f"Company {number}", series=tuple(series))
            if wrong:
                order.choice(part[wrong])["event" if wrong != "holders" else "shares"] = ""
            parts.append(part)
        whole = together(*parts)
        for records in whole.values():
            order.shuffle(records)  # rows of several companies among one another
        tables = made(whole)
        found = split(tables, "in")
        assert not found.problems
        for name, table in tables.items():
            rows = [row for one in found.companies for row in one.tables[name].rows]
            assert Counter(row.number for row in rows) == Counter(row.number for row in table.rows)
            assert {row.number: row.cells for row in rows} == {row.number: row.cells for row in table.rows}
        names = [row["company"] for row in whole["series"]]
        assert [one.name for one in found.companies] == list(dict.fromkeys(names))
        for one in found.companies:
            alone = {
                name: [
                    {k: v for k, v in row.items() if k != "company" or name in OWN_COLUMN}
                    for row in records
                    if row["company"] == one.name
                ]
                for name, records in whole.items()
            }
            self._same(check_company(one), alone)

    def _same(self, found: CompanyChecked, alone: Rows) -> None:
        """What is found of a company is what is found without the others."""
        refusal: tuple[Problem, ...] = ()
        cases: list[Case] = []
        try:
            cases = cases_of(made(alone), "in")
        except InputError as caught:
            refusal = caught.problems
        places = [(p.file, p.column, p.value, p.rule) for p in found.problems]
        assert places[: len(refusal)] == [(p.file, p.column, p.value, p.rule) for p in refusal]
        if not refusal:
            assert not found.problems
            assert list(found.cases) == cases
            assert [case.digest for case in found.cases] == [case.digest for case in cases]

    @given(named=st.booleans(), separate=st.booleans())
    def test_whose_a_row_is_where_it_says_nothing(self, named: bool, separate: bool) -> None:
        """The name of its series says it, where no other company has a series of that name."""
        second = ("Seed",) if separate else ("Series A",)
        parts = company("One", named=named), company("Two", series=second, named=named)
        if named or separate:
            found = checked(*parts)
            assert [len(one.cases) for one in found.values()] == [2, 1]
            assert [len(case.holdings) for one in found.values() for case in one.cases] == [2, 2, 2]
        else:
            seed = company("Three", series=("Seed",), named=False)
            whole = portfolio(*parts, seed)
            # A company without such a series has nothing to do with it.
            assert [len(check_company(one).cases) for one in whole.companies] == [0, 0, 1]
            problems = whole.problems
            assert {problem.rule for problem in problems} == {
                "the series Series A is of several companies: name the company"
            }
            # Both rows of every table but series, and both of each of two holders; no other.
            assert Counter(problem.file for problem in problems) == {
                **dict.fromkeys(("events.csv", "securities.csv", "conversions.csv", "stated.csv"), 2),
                "holders.csv": 4,
            }
            assert all(problem.hint == "fill a column company" for problem in problems)

    def test_one_company_needs_no_names(self) -> None:
        rows = company("One", named=False)
        for record in (*rows["events"], *rows["securities"], *rows["conversions"]):
            del record["series"]
        rows = {name: [dict(t) for t in {tuple(r.items()): None for r in found}] for name, found in rows.items()}
        (found,) = portfolio(rows).companies
        assert [case.series.name for case in check_company(found).cases] == ["Series A", "Series B"]

    def test_a_row_of_no_company_may_be_any_ones(self) -> None:
        lost = company("Two", named=False)
        lost["events"][0]["series"] = ""
        lost["events"][1]["series"] = "Serie B"
        lost["securities"][0] |= {"company": "Too", "series": "Serie A"}
        lost["holders"][0] |= {"series": "Series Z", "company": ""}
        two = company("Two")
        lost["series"] = two["series"]
        one = company("One", series=("Seed",))
        problems = refused(one, lost)
        assert told(problems) == [
            ("events.csv", 3, "the input has several companies: name one, or a series"),
            ("events.csv", 4, "no such row in series"),
            ("securities.csv", 3, "no series is of that company"),
            ("holders.csv", 4, "no such row in series; this row was not used"),
        ]
        assert [problem.hint for problem in problems[1:3]] == ["did you mean Series B?", "did you mean Two?"]

    @pytest.mark.parametrize("table", ["stated", "holders", "conversions"])
    def test_a_row_that_spoils_nobodys_series_is_told_and_left(self, table: str) -> None:
        lost = company("Two")
        lost[table][0] |= {"company": "", "series": "Series Y"}
        found = portfolio(company("One"), lost)
        assert [(p.file, p.column, p.value, p.rule) for p in found.problems] == [
            (f"{table}.csv", "series", "Series Y", "no such row in series; this row was not used")
        ]
        assert found.problems[0].hint.startswith("did you mean Series ")
        assert [len(check_company(one).cases) for one in found.companies] == [2, 2]

    def test_a_cell_that_is_not_known_is_the_problem_of_its_row(self) -> None:
        def found(table: str, column: str, series: str) -> tuple[list[str], dict[str, int]]:
            tables = made(together(company("One"), company("Two", series=(series, "Series C"))))
            first, *others = tables[table].rows
            problem = tables[table].problem("never calculated", first.number, column, "=A1")
            row = replace(first, cells={**first.cells, column: ""}, problems=(problem,))
            tables[table] = replace(tables[table], rows=(row, *others))
            parts = split(tables, "")
            each = [check_company(one) for one in parts.companies]
            problems = [*parts.problems, *(p for one in each for p in one.problems)]
            return [p.rule for p in problems], {one.name: len(one.cases) for one in each}

        told = ["never calculated"]
        assert found("holders", "shares", "Series A") == (told, {"One": 1, "Two": 2})
        assert found("holders", "holder", "Series A") == (told, {"One": 1, "Two": 2})
        assert found("holders", "series", "Series A") == (told, {"One": 0, "Two": 2})
        assert found("events", "date", "Series A") == (told, {"One": 0, "Two": 2})
        assert found("series", "conversion_price", "Series A") == (told, {"One": 0, "Two": 2})
        # Whose it is: any company's that has such a series.
        assert found("holders", "company", "Series A") == (told, {"One": 1, "Two": 1})
        assert found("holders", "company", "Series B") == (told, {"One": 1, "Two": 2})
        problems, sound = found("events", "company", "Series B")
        assert (problems[:1], sound) == (told, {"One": 0, "Two": 2})
        with pytest.raises(InputError, match="never calculated"):
            found("series", "company", "Series B")

    @pytest.mark.parametrize("table", ["stated", "holders", "conversions"])
    def test_a_row_of_an_unknown_series_of_a_company_may_be_any_series(self, table: str) -> None:
        one = company("One")
        one[table][0]["series"] = "Series AA"
        found = checked(one, company("Two"))
        assert not found["One"].cases
        assert told(found["One"].problems)[0][:2] == (f"{table}.csv", 2)
        assert len(found["Two"].cases) == 2

    @pytest.mark.parametrize("table", ["stated", "holders", "conversions"])
    def test_a_row_that_may_be_of_several_companies_leaves_out_that_series_of_each(self, table: str) -> None:
        one = company("One")
        one[table][0]["company"] = ""
        found = checked(one, company("Two"))
        assert [case.series.name for each in found.values() for case in each.cases] == ["Series B", "Series B"]

    def test_who_holds_what_is_left_out_is_known(self) -> None:
        one = company("One")
        one["holders"][0]["shares"] = "-1"
        one["holders"][1]["holder"] = "Crane"
        lost = company("Two")
        lost["holders"][0] |= {"company": "", "series": "Series Y", "holder": "Dune"}
        found = portfolio(one, lost)
        assert found.holders == {"Dune"}
        assert [check_company(each).holders for each in found.companies] == [{"Ada", "Crane"}, set()]

    def test_a_series_without_a_company(self) -> None:
        """Any company may be the one whose base has its shares."""
        nameless = company("", series=("Seed",))
        problems = refused(company("One"), nameless)
        assert [(p.file, p.row, p.column, p.rule) for p in problems] == [
            ("series.csv", 4, "company", "a value is required")
        ]
        (only,) = checked(nameless).values()
        assert [(p.row, p.rule) for p in only.problems] == [(2, "a value is required")]

    @pytest.mark.parametrize("name", ["ACME Inc", "Acme, Inc.", "Acme\N{NO-BREAK SPACE}Inc", "Ａcme Inc"])
    def test_companies_whose_names_look_alike_may_be_one(self, name: str) -> None:
        acme = company("Acme Inc", named=True)
        found = portfolio(company("One"), acme, company(name, series=("Seed",)))
        assert told(found.problems) == [("series.csv", 6, "row 4 writes it 'Acme Inc'")]
        assert found.problems[0].value == name
        assert found.problems[0].hint.startswith("write a company's name the same way")
        assert [len(check_company(one).cases) for one in found.companies] == [2, 0, 0]
        assert [check_company(one).problems for one in found.companies] == [(), (), ()]

    @pytest.mark.parametrize(
        ("table", "left"),
        [("events", []), ("securities", []), ("holders", ["Series B"]), ("stated", ["Series B"])],
    )
    def test_a_row_that_nearly_names_a_company_makes_it_doubtful(self, table: str, left: list[str]) -> None:
        two = company("Two Inc")
        two[table][0]["company"] = "two inc"
        found = portfolio(company("One"), two)
        rows = 2 if table != "holders" else 4
        assert told(found.problems) == [(f"{table}.csv", rows + 2, "no series is of that company")]
        assert found.problems[0].hint == "did you mean Two Inc?"
        first, second = map(check_company, found.companies)
        assert len(first.cases) == 2
        assert [case.series.name for case in second.cases] == left

    def test_a_company_nobody_knows_concerns_those_with_such_a_series(self) -> None:
        two = company("Two", series=("Seed",))
        two["events"][0]["company"] = "Quarterdeck"
        found = portfolio(company("One"), two)
        assert [(p.column, p.value) for p in found.problems] == [("company", "Quarterdeck")]
        assert [len(check_company(one).cases) for one in found.companies] == [2, 0]

    def test_columns_are_told_once_for_all(self) -> None:
        rows = together(*(company(f"C{n}") for n in range(5)))
        for record in rows["holders"]:
            record["share"] = record.pop("shares")
        rows["events"][0]["dote"] = "x"
        with pytest.raises(InputError) as caught:
            split(made(rows), "in")
        assert told(caught.value.problems) == [
            ("events.csv", 0, "the column dote is not known"),
            ("holders.csv", 0, "the column share is not known"),
            ("holders.csv", 0, "the column shares is missing"),
        ]

    def test_without_series(self) -> None:
        rows = company("One")
        del rows["series"]
        with pytest.raises(InputError, match="in: the table series is missing"):
            split(made(rows), "in")

    def test_a_table_without_rows(self) -> None:
        tables = made(company("One"))
        tables["holders"] = table_of("holders", "holders.csv", [(1, ["series", "holder", "shares"])])
        found = split(tables, "in")
        assert told(found.problems) == [("holders.csv", 0, "it has a header but no rows")]
        assert len(check_company(found.companies[0]).cases) == 2


class TestChecking:
    @pytest.mark.parametrize(
        ("table", "column", "value", "rule"),
        [
            ("stated", "item", "X!", "it must be one of "),
            ("stated", "event", "Brigde", "no such event of that series"),
            ("stated", "stated", "about 9", "it must be a number as written"),
            ("holders", "shares", "-1", "it must be 0 or above"),
            ("holders", "holder", "", "a value is required"),
            ("conversions", "principal", "", "a value is required"),
            ("conversions", "security", "Nothing", "no such security of that event"),
        ],
    )
    def test_a_wrong_row_of_a_series_spoils_that_series_only(
        self, table: str, column: str, value: str, rule: str
    ) -> None:
        rows = company("One")
        rows[table][0][column] = value
        found = checked(rows, company("Two"))
        assert [case.series.name for case in found["One"].cases] == ["Series B"]
        assert len(found["Two"].cases) == 2
        (problem,) = found["One"].problems
        assert (problem.file, problem.row, problem.column, problem.value) == (f"{table}.csv", 2, column, value)
        assert problem.rule.startswith(rule)

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("series", "conversion_price", "0"),
            ("events", "date", "yesterday"),
            ("securities", "shares", "many"),
            ("events", "outstanding_before", ""),
        ],
    )
    def test_a_wrong_row_of_anything_else_spoils_the_company(self, table: str, column: str, value: str) -> None:
        rows = company("One")
        rows[table][0][column] = value
        rows["stated"][1]["item"] = "X!"
        found = checked(rows, company("Two"))
        assert not found["One"].cases
        assert len(found["Two"].cases) == 2
        assert {problem.file for problem in found["One"].problems} >= {f"{table}.csv"}

    def test_what_is_found_only_after_the_rest_is_left_out(self) -> None:
        """Rows that are wrong in themselves are found first, those that fit nothing after them."""
        rows = company("One", series=("A", "B", "C"))
        rows["holders"][0]["shares"] = "x"
        rows["stated"][1]["event"] = "Nothing"
        found = checked(rows)["One"]
        assert [case.series.name for case in found.cases] == ["C"]
        assert [(problem.file, problem.row) for problem in found.problems] == [
            ("holders.csv", 2),
            ("stated.csv", 3),
        ]

    def test_every_bad_row_of_every_company(self) -> None:
        parts = [company(f"C{n}") for n in range(20)]
        for part in parts:
            for record in part["holders"]:
                record["shares"] = "x"
        found = checked(*parts)
        rows = [problem.row for one in found.values() for problem in one.problems]
        assert rows == list(range(2, 82))
        assert not any(one.cases for one in found.values())

    def test_a_wrong_row_of_no_series(self) -> None:
        rows = company("One")
        rows["stated"][0]["series"] = ""
        found = checked(rows)["One"]
        assert not found.cases
        assert told(found.problems) == [("stated.csv", 2, "a value is required")]

    @pytest.mark.parametrize("name", ["Bridge (final)", "Bridge: final", "Bridge: final (2)"])
    def test_an_impossible_event_is_told_of_its_row_whatever_its_name(self, name: str) -> None:
        rows = company("One", series=("Series A",))
        rows["events"] += [{**rows["events"][0], "event": name, "date": "2021-01-01"}]
        rows["securities"] += [{**rows["securities"][0], "event": name}]
        (problem,) = checked(rows)["One"].problems
        assert (problem.file, problem.row) == ("events.csv", 3)
        assert "Bridge issued it already" in problem.rule

    def test_an_impossible_event_of_one_series_is_told_of_its_row(self) -> None:
        """Events of two series may have one name."""
        rows = company("One")
        for place, security in enumerate(["Warrant", "Notes"]):
            rows["events"].append({**rows["events"][place], "event": "Second"})
            rows["securities"].append({**rows["securities"][place], "event": "Second", "security": security})
        (problem,) = checked(rows)["One"].problems
        assert (problem.file, problem.row) == ("events.csv", 5)

    @given(st.randoms(use_true_random=False))
    def test_rows_stay_in_the_order_given(self, order: Any) -> None:
        """Events of one day happen in the order of the rows, and a digest is of rows in order."""
        rows = company("One")
        for table in ("events", "securities", "conversions"):
            more = [{**row, "event": f"Round {n}"} for n in range(3) for row in rows[table]]
            rows[table] += [
                {**row, "security": f"Notes {row['event']}"} if "security" in row else row for row in more
            ]
            order.shuffle(rows[table])
        for case in checked(rows)["One"].cases:
            for table in ("events", "securities", "conversions"):
                given_rows = [row["event"] for row in rows[table] if row["series"] == case.series.name]
                assert [getattr(row, "event", "") for row in case.records[table]] == given_rows

    def test_it_goes_to_another_process(self) -> None:
        rows = company("One")
        rows["holders"][0]["shares"] = "x"
        found = portfolio(rows, company("Two"))
        with ProcessPoolExecutor(1) as workers:
            digests = list(workers.map(_digests, found.companies))
        assert digests == [_digests(one) for one in found.companies]
        assert [len(one) for one, _ in digests] == [1, 2]


def _digests(one: CompanyTables) -> tuple[list[str], tuple[Problem, ...]]:
    """What is found of a company, in short."""
    found = check_company(one)
    return [case.digest for case in found.cases], found.problems


class TestSources:
    def test_a_folder_and_an_object(self, tmp_path: Path) -> None:
        rows = together(company("One"), company("Two"))
        rows["holders"][1]["shares"] = "x"
        folder = tmp_path / "in"
        folder.mkdir()
        for name, records in rows.items():
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(records[0]))
                writer.writeheader()
                writer.writerows(records)
        (tmp_path / "in.json").write_text(json.dumps(rows))
        by_source = []
        for source in (folder, tmp_path / "in.json"):
            found = read_portfolio(str(source))
            assert found.where == str(source)
            by_source.append([check_company(one) for one in found.companies])
        assert [[c.digest for c in one.cases] for one in by_source[0]] == [
            [c.digest for c in one.cases] for one in by_source[1]
        ]
        (problem,) = by_source[0][0].problems
        assert str(problem) == f"{folder / 'holders.csv'}, row 3: shares is 'x'; it must be a number, such as 6.41"
        (problem,) = by_source[1][0].problems
        assert str(problem).startswith(f"{tmp_path / 'in.json'}, holders, object 2: shares is 'x'")

    def test_the_examples_are_portfolios_of_one(self, tmp_path: Path) -> None:
        from xl_conversion.examples import write_example

        for example in ("vsource", "company"):
            write_example(tmp_path / example, example=example)
            (one,) = read_portfolio(str(tmp_path / example)).companies
            known = [record.table for record in RECORDS]
            assert list(check_company(one).cases) == cases_of(read_tables(tmp_path / example, known), "")


def test_problems_as_rows() -> None:
    problems = (
        Problem("a.csv", "it must be above 0", 7, "shares", "-1", "check it"),
        Problem("b.json, series", "no", 3, unit="object"),
        Problem("c.csv", "it is empty"),
    )
    rows = problem_rows(problems)
    assert rows == [
        ("a.csv", "row 7", "shares", "-1", "it must be above 0", "check it"),
        ("b.json, series", "object 3", "", "", "no", ""),
        ("c.csv", "", "", "", "it is empty", ""),
    ]
    assert all(len(row) == len(PROBLEM_COLUMNS) for row in rows)
