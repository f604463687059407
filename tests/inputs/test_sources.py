"""Whatever a table is kept in, it is the same table; what is exact stays exact, and nothing is ever written."""

from __future__ import annotations

import datetime
import decimal
import math
import os
import pwd
import random
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from xl_conversion.examples import write_example
from xl_conversion.inputs import sources, tables
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.sheets import Unusual
from xl_conversion.inputs.sources import read_source, shown
from xl_conversion.inputs.tables import Table

STRINGS = "xl/sharedStrings.xml"
KNOWN = ("people", "cities")
PEOPLE = [["name", "age"], ["Ada", "36"], ["Zoë \N{GRINNING FACE}", "=1+1"], ["Bob", ""]]
D = decimal.Decimal
READABLE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(source: object, known: tuple[str, ...] = KNOWN, **queries: str) -> tuple[Problem, ...]:
    """The problems that reading gives; each fits on one line that a terminal can show."""
    with pytest.raises(InputError) as caught:
        read_source(str(source), known, queries=queries)
    for problem in caught.value.problems:
        assert str(problem).isprintable(), problem
        assert problem.hint.isprintable(), problem
        assert len(str(problem)) < 600
    return caught.value.problems


def the_problem(source: object, known: tuple[str, ...] = KNOWN, **queries: str) -> Problem:
    (problem,) = refused(source, known, **queries)
    return problem


def cells(table: Table) -> list[list[str]]:
    return [list(table.columns), *([row.cells[column] for column in table.columns] for row in table.rows)]


def column(table: Table, name: str) -> list[str]:
    return [row.cells[name] for row in table.rows]


def parquet(folder: Path, columns: dict[str, Any], name: str = "people", schema: Any = None) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns, schema=schema), folder / f"{name}.parquet")
    return folder


def sqlite(folder: Path, *statements: str, rows: Sequence[Sequence[str]] = ()) -> str:
    """A database after these statements, the rows being of a table people with two columns."""
    path = folder / "in.db"
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        if rows:
            database.executemany("INSERT INTO people VALUES (?, ?)", rows)
        database.commit()
    return f"sqlite:///{path}"


def workbook(folder: Path, rows: list[list[Any]], title: str = "people") -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place, value)
            if value == "=1+1":
                cell.data_type = "s"
    path = folder / "in.xlsx"
    book.save(path)
    return path


def kept_in(kind: str, folder: Path) -> str:
    """The same table in each kind of source."""
    columns = list(zip(*PEOPLE[1:], strict=True))
    match kind:
        case "csv":
            (folder / "people.csv").write_text("".join(f'"{a}","{b}"\n' for a, b in PEOPLE), encoding="utf-8")
            return str(folder)
        case "parquet":
            return str(parquet(folder, dict(zip(PEOPLE[0], map(list, columns), strict=True))))
        case "xlsx":
            return str(workbook(folder, PEOPLE))
    return sqlite(folder, "CREATE TABLE People (name, age)", rows=PEOPLE[1:])


class TestAllKinds:
    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "sqlite"])
    def test_give_the_same_table(self, tmp_path: Path, kind: str) -> None:
        found = read_source(kept_in(kind, tmp_path), KNOWN)
        assert list(found) == ["people"]
        assert cells(found["people"]) == PEOPLE
        first = found["people"].rows[0].number
        assert (first, found["people"].unit) == ((2, "row") if kind in ("csv", "xlsx") else (1, "record"))

    def test_csv_and_parquet_in_one_folder(self, tmp_path: Path) -> None:
        (tmp_path / "cities.csv").write_text("name\nUlm\n")
        found = read_source(str(parquet(tmp_path, {"name": ["Ada"]})), KNOWN)
        assert {name: cells(table) for name, table in found.items()} == {
            "cities": [["name"], ["Ulm"]],
            "people": [["name"], ["Ada"]],
        }
        (tmp_path / "people.csv").write_text("name\nBob\n")
        assert the_problem(tmp_path).rule == "the table people is there twice"

    def test_a_text_that_is_too_long(self, tmp_path: Path) -> None:
        ten_megabytes = "x" * 10_000_000
        url = sqlite(tmp_path, "CREATE TABLE people (name, age)", rows=[(ten_megabytes, "")])
        (tmp_path / "csv").mkdir()
        (tmp_path / "csv" / "people.csv").write_text("name\n" + "x" * 100_000 + "\n")
        book = workbook(tmp_path, [["name"], ["short"]])
        with zipfile.ZipFile(book) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in parts.items():
                package.writestr(name, content.replace(b"short", ten_megabytes.encode()))
        for source in (parquet(tmp_path / "parquet", {"name": [ten_megabytes]}), url, tmp_path / "csv", book):
            problem = the_problem(source)
            assert (problem.column, problem.rule) == ("name", "a text has at most 30000 characters")
            assert problem.row == (2 if problem.unit == "row" else 1)

    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "sqlite"])
    def test_too_many_rows(self, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MAX_ROWS", 2)
        monkeypatch.setattr(sources, "MAX_ROWS", 2)
        assert the_problem(kept_in(kind, tmp_path)).rule == "more than 2 rows"

    @pytest.mark.parametrize("name", ["in.db", "in.txt", "in.xls", "in.xlsb"])
    def test_another_kind_of_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("name\n")
        assert the_problem(tmp_path / name).rule == "not an input"

    def test_what_is_no_database(self, tmp_path: Path) -> None:
        problem = the_problem("mysql://ada:hunter2@db.example/fund")
        assert str(problem) == "mysql://db.example/fund: a database of that kind is not read"
        assert the_problem(kept_in("csv", tmp_path), people="SELECT 1").rule.startswith("it is no database")

    def test_a_zip_that_is_no_package(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as package:
            package.writestr("people.csv", "name\n")
        assert the_problem(tmp_path / "in.zip").hint == "unpack it"

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        problem = the_problem(tmp_path)
        assert problem.rule == "the folder holds no CSV or Parquet file"
        assert problem.hint == "expected people.csv, cities.csv"


class TestParquet:
    def test_exact_numbers_stay_exact(self, tmp_path: Path) -> None:
        import pyarrow as pa

        long = "0.1000000000000000055511151231257827"
        folder = parquet(
            tmp_path / "in",
            {
                "whole": pa.array([2**63 - 1, -1, None]),
                "money": pa.array([D("2.00"), D("-0.10"), None], pa.decimal128(20, 2)),
                "long": pa.array([D(long), D(1), None], pa.decimal256(60, 34)),
                "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
                "text": ["2.00", " 007 ", None],
                "name": pa.array(["Ada", "Ada", None]).dictionary_encode(),
            },
        )
        found = read_source(str(folder), KNOWN)["people"]
        assert cells(found)[1:] == [
            ["9223372036854775807", "2.00", long, "18446744073709551615", "2.00", "Ada"],
            ["-1", "-0.10", "1." + "0" * 34, "0", "007", "Ada"],
        ]

    def test_binary_numbers_are_what_excel_shows(self, tmp_path: Path) -> None:
        import pyarrow as pa

        values = [0.1 + 0.2, 1e21, 1e-7, 2.0, None]
        small = pa.array([0.5, 0.1, None, None, 1], pa.float32())
        found = read_source(str(parquet(tmp_path / "in", {"age": values, "small": small})), KNOWN)["people"]
        assert column(found, "age") == ["0.3", "1" + "0" * 21, "0.0000001", "2", ""]
        assert column(found, "small") == ["0.5", "0.1", "", "", "1"]

    def test_single_precision_has_digits_of_its_own(self, tmp_path: Path) -> None:
        """As a double 3.205 would be 3.20499992370605."""
        import pyarrow as pa

        half = pa.array([0.25, None, 3], pa.float16())
        single = pa.array([3.205, 1e-7, 6.41e9], pa.float32())
        found = read_source(str(parquet(tmp_path / "in", {"age": single, "small": half})), KNOWN)["people"]
        assert column(found, "age") == ["3.205", "0.0000001", "6410000000"]
        assert column(found, "small") == ["0.25", "", "3"]

    def test_a_text_that_is_there_often_is_kept_once(self, tmp_path: Path) -> None:
        """A file of some kilobytes may mean a long text a million times."""
        folder = parquet(tmp_path / "in", {"name": ["x" * 20_000, None, "y"] * 3_000})
        assert (folder / "people.parquet").stat().st_size < 20_000
        texts = column(read_source(str(folder), KNOWN)["people"], "name")
        assert texts[:3] == ["x" * 20_000, "y", "x" * 20_000]
        problems = refused(parquet(tmp_path / "in", {"name": [b"x" * 10_000] * 500}))
        assert {problem.rule for problem in problems} == {"bytes is not text, a number or a date"}
        assert len(problems) == 500
        assert len({id(text) for text in texts}) == 2

    def test_days_and_yes_or_no(self, tmp_path: Path) -> None:
        import pyarrow as pa

        day, noon = datetime.date(2002, 2, 5), datetime.datetime.fromisoformat("2002-02-05T12:00:00.5")
        midnight = datetime.datetime.fromisoformat("2002-02-05T00:00:00")
        folder = parquet(
            tmp_path / "in",
            {
                "a": [day, None],
                "b": pa.array([midnight, None], pa.timestamp("ns")),
                "c": pa.array([midnight, None], pa.timestamp("s", "America/New_York")),
                "d": [True, False],
                "e": pa.array([day, None], pa.date64()),
            },
        )
        with pytest.raises(InputError):  # midnight in Greenwich is an evening in New York
            read_source(str(folder), KNOWN)
        folder = parquet(tmp_path / "in", {"a": [day], "b": pa.array([midnight], pa.timestamp("ns")), "d": [True]})
        assert cells(read_source(str(folder), KNOWN)["people"])[1] == ["2002-02-05", "2002-02-05", "TRUE"]
        problem = the_problem(parquet(tmp_path / "in", {"name": ["x", "y"], "at": [midnight, noon]}))
        assert (problem.row, problem.unit, problem.column) == (2, "record", "at")
        assert (problem.value, problem.rule) == ("2002-02-05T12:00:00.500000", "it is a day with a time")
        assert problem.hint == "give the day alone"

    @pytest.mark.parametrize(
        ("value", "told", "rule"),
        [
            (math.nan, "nan", "it is no number"),
            (-math.inf, "-inf", "it is no number"),
            ([1, 2], "[1, 2]", "list is not text, a number or a date"),
            ({"a": 1}, "{'a': 1}", "dict is not text, a number or a date"),
            (b"ab", "b'ab'", "bytes is not text, a number or a date"),
            (datetime.time(12), "12:00:00", "time is not text, a number or a date"),
            (datetime.timedelta(1), "1 day, 0:00:00", "timedelta is not text, a number or a date"),
        ],
    )
    def test_what_is_no_cell(self, tmp_path: Path, value: Any, told: str, rule: str) -> None:
        problem = the_problem(parquet(tmp_path / "in", {"name": ["a", "b", "c"], "age": [None, value, None]}))
        assert problem.file.endswith("people.parquet")
        assert (problem.row, problem.column, problem.value, problem.rule) == (2, "age", told, rule)

    def test_all_problems_at_once(self, tmp_path: Path) -> None:
        columns = {"name": ["a", "b\0", "c"], "age": [math.nan, 1.0, math.inf]}
        found = [(p.row, p.column) for p in refused(parquet(tmp_path / "in", columns))]
        assert found == [(1, "age"), (3, "age"), (2, "name")]

    @pytest.mark.parametrize("content", [b"PAR1", b"PAR1" * 5, b"name\nAda\n"])
    def test_what_is_none(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "people.parquet").write_bytes(content)
        assert the_problem(tmp_path).rule.startswith("not a readable Parquet file: ")

    @READABLE
    @given(place=st.floats(0, 0.999), byte=st.integers(0, 255))
    def test_a_damaged_file_gives_a_table_or_a_problem(self, tmp_path: Path, place: float, byte: int) -> None:
        folder = parquet(tmp_path / "in", {"name": ["Ada", "Bob"], "age": [1.5, None]})
        data = bytearray((folder / "people.parquet").read_bytes())
        data[int(place * len(data))] = byte
        (folder / "people.parquet").write_bytes(data)
        problems: tuple[Problem, ...] = ()
        try:
            read_source(str(folder), KNOWN)
        except InputError as refusal:
            problems = refusal.problems
        assert all(str(problem).isprintable() for problem in problems)

    def test_bounds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = parquet(tmp_path / "in", {f"c{n}": [1] for n in range(257)})
        assert the_problem(folder).rule == "more than 256 columns"
        monkeypatch.setattr(sources, "MAX_UNPACKED", 1000)
        folder = parquet(tmp_path / "in", {"name": [f"{n:0100}" for n in range(100)]})
        assert the_problem(folder).rule.startswith("it unpacks to more than")
        # Equal texts are kept once in the file, but not in the table.
        folder = parquet(tmp_path / "in", {"name": ["x" * 100] * 100})
        assert the_problem(folder).rule.startswith("more than")

    def test_without_what_reads_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = parquet(tmp_path / "in", {"name": ["Ada"]})
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        problem = the_problem(folder)
        assert (problem.rule, problem.hint) == ("Parquet needs pyarrow", 'pip install "xl-conversion[batch]"')


class TestSqlite:
    def test_values(self, tmp_path: Path) -> None:
        url = sqlite(
            tmp_path,
            'CREATE TABLE "People" (name TEXT, age INTEGER, share REAL, told BOOLEAN, stated TEXT)',
            "INSERT INTO people VALUES ('Ada', 9223372036854775807, 0.1 + 0.2, 1, '2.00')",
            "INSERT INTO people VALUES ('=1+1', NULL, 1e21, 0, '')",
        )
        assert cells(read_source(url, KNOWN)["people"]) == [
            ["name", "age", "share", "told", "stated"],
            ["Ada", "9223372036854775807", "0.3", "TRUE", "2.00"],
            ["=1+1", "", "1" + "0" * 21, "FALSE", ""],
        ]

    def test_views_queries_and_other_tables(self, tmp_path: Path) -> None:
        url = sqlite(
            tmp_path,
            "CREATE TABLE persons (id INTEGER, full_name TEXT)",
            "INSERT INTO persons VALUES (2, 'Bob'), (1, 'Ada')",
            "CREATE VIEW cities AS SELECT 'Ulm' AS name",
        )
        assert list(read_source(url, KNOWN)) == ["cities"]
        query = "SELECT full_name AS name FROM persons ORDER BY id"
        found = read_source(url, KNOWN, queries={"people": query})
        assert {name: cells(table)[1:] for name, table in found.items()} == {
            "cities": [["Ulm"]],
            "people": [["Ada"], ["Bob"]],
        }
        assert the_problem(url, ("people",)).rule == "no table is named people"
        assert the_problem(url, pepole=query).hint == "did you mean people?"

    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM people",
            "DROP TABLE people",
            "INSERT INTO people VALUES ('x')",
            "ATTACH DATABASE 'other.db' AS other",
            "PRAGMA writable_schema = ON",
            "SELECT 1; DROP TABLE people",
            "nonsense",
        ],
    )
    def test_nothing_is_written(self, tmp_path: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        sqlite(tmp_path, "CREATE TABLE people (name)", "INSERT INTO people VALUES ('Ada')")
        before = Path("in.db").read_bytes()
        assert the_problem("sqlite:///in.db", people=query).rule.startswith("it cannot be read: ")
        assert Path("in.db").read_bytes() == before
        assert os.listdir() == ["in.db"]

    def test_only_tables_and_views(self, tmp_path: Path) -> None:
        """A trigger may be named like a table."""
        url = sqlite(
            tmp_path,
            "CREATE TABLE other (a)",
            "CREATE TRIGGER people AFTER INSERT ON other BEGIN SELECT 1; END",
            "CREATE VIEW cities AS SELECT 'Rome' AS name",
        )
        assert {name: cells(table) for name, table in read_source(url, KNOWN).items()} == {
            "cities": [["name"], ["Rome"]]
        }

    def test_a_name_is_no_statement(self, tmp_path: Path) -> None:
        name = 'x"; DROP TABLE people; --'
        quoted = name.replace('"', '""')
        url = sqlite(
            tmp_path, f'CREATE TABLE "{quoted}" (a BOOL DEFAULT 1)', f'INSERT INTO "{quoted}" DEFAULT VALUES'
        )
        assert cells(read_source(url, (name.lower(),))[name.lower()]) == [["a"], ["TRUE"]]

    @pytest.mark.parametrize(
        ("value", "told", "rule"),
        [
            ("9e999", "inf", "it is no number"),
            ("x'6162'", "b'ab'", "bytes is not text, a number or a date"),
            ("CAST(x'ff' AS TEXT)", "\udcff", "it holds a character that is no text"),
        ],
    )
    def test_what_is_no_cell(self, tmp_path: Path, value: str, told: str, rule: str) -> None:
        url = sqlite(tmp_path, f"CREATE TABLE people AS SELECT 'Ada' AS name UNION ALL SELECT {value}")
        problem = the_problem(url)
        assert problem.file == f"{tmp_path / 'in.db'}, table people"
        assert (problem.row, problem.unit, problem.column) == (2, "record", "name")
        assert (problem.value, problem.rule) == (told, rule)

    def test_what_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "in.db").write_text("not a database at all, and long enough to be one" * 100)
        assert the_problem(f"sqlite:///{tmp_path}/in.db").rule == "it cannot be read: file is not a database"
        assert the_problem(f"sqlite:///{tmp_path}/none.db").rule == "there is no such file"
        assert not (tmp_path / "none.db").exists()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """A PostgreSQL server of this machine: the folder of its socket, and its port."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # which it refuses to run as
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    (folder / "password").write_text("hunter2\n")
    (folder / "password").chmod(0o644)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [
            *[*as_user, programs / "initdb", "-D", folder / "data", "-U", "ada", "--pwfile", folder / "password"],
            *["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C"],
        ],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                *[*as_user, programs / "postgres", "-D", folder / "data", "-k", folder, "-h", "127.0.0.1"],
                *["-p", str(port), "-F"],
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        import psycopg

        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(host=str(folder), port=port, user="ada", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > until or running.poll() is not None:
                    raise
                time.sleep(0.05)
        yield str(folder), port
    finally:
        pid = (folder / "data" / "postmaster.pid").read_text().split()[0]
        subprocess.run([*as_user, "kill", "-INT", pid], check=True)
        running.wait(60)
        shutil.rmtree(folder)


@pytest.fixture
def postgresql(server: tuple[str, int]) -> Iterator[tuple[str, Any]]:
    """The URL of an empty database, and a connection that may write."""
    import psycopg

    folder, port = server
    with psycopg.connect(host=folder, port=port, user="ada", dbname="postgres", autocommit=True) as database:
        database.execute("DROP SCHEMA IF EXISTS public CASCADE")
        database.execute("CREATE SCHEMA public")
        yield f"postgresql://ada@/postgres?host={folder}&port={port}", database


class TestPostgresql:
    def test_values(self, postgresql: tuple[str, Any]) -> None:
        url, database = postgresql
        database.execute(
            'CREATE TABLE "People" (name text, whole bigint, money numeric, share float8, small float4, '
            "told boolean, day date, at timestamp, code char(4), id uuid)"
        )
        long = "0.1000000000000000055511151231257827"
        insert = 'INSERT INTO "People" VALUES (%s, %s, %s, 0.1::float8 + 0.2::float8, 0.1, true, %s, %s, %s, %s)'
        day, id_ = "2002-02-05", "00000000-0000-0000-0000-000000000001"
        database.execute(insert, ["Ada", 9223372036854775807, D("2.00"), day, day, "ab", id_])
        database.execute('INSERT INTO "People" (name, money, share) VALUES (%s, %s, 1e21)', ["=1+1", D(long)])
        found = read_source(url, KNOWN)["people"]
        assert cells(found)[1:] == [
            ["Ada", "9223372036854775807", "2.00", "0.3", "0.1", "TRUE", day, day, "ab", id_],
            ["=1+1", "", long, "1" + "0" * 21, *[""] * 6],
        ]

    def test_views_and_queries(self, postgresql: tuple[str, Any]) -> None:
        url, database = postgresql
        database.execute("CREATE TABLE persons (id int, full_name text)")
        database.execute("INSERT INTO persons VALUES (2, 'Bob'), (1, 'Ada')")
        database.execute("CREATE VIEW cities AS SELECT 'Ulm' AS name")
        assert list(read_source(url, KNOWN)) == ["cities"]
        query = "SELECT full_name AS name FROM persons WHERE full_name NOT LIKE '%x%' ORDER BY id"
        found = read_source(url, KNOWN, queries={"people": query})
        assert cells(found["people"]) == [["name"], ["Ada"], ["Bob"]]

    def test_more_than_is_fetched_at_once(self, postgresql: tuple[str, Any]) -> None:
        url, database = postgresql
        database.execute("CREATE TABLE people AS SELECT n AS name FROM generate_series(1, 25000) n")
        found = column(read_source(url, KNOWN)["people"], "name")
        assert found == [str(n) for n in range(1, 25001)]

    @pytest.mark.parametrize(
        "query",
        ["DELETE FROM people RETURNING name", "DROP TABLE people", "SELECT 1; DROP TABLE people", "SELECT"],
    )
    def test_nothing_is_written(self, postgresql: tuple[str, Any], query: str) -> None:
        url, database = postgresql
        database.execute("CREATE TABLE people AS SELECT 'Ada' AS name")
        assert refused(url, people=query)
        writing = "SELECT setval('numbers', 7) AS name"
        database.execute("CREATE SEQUENCE numbers")
        assert "read-only transaction" in the_problem(url, people=writing).rule
        assert database.execute("SELECT name FROM people").fetchall() == [("Ada",)]

    @pytest.mark.parametrize(
        ("value", "told", "rule"),
        [
            ("'NaN'::numeric", "NaN", "it is no number"),
            ("'-Infinity'::float8", "-inf", "it is no number"),
            ("ARRAY[1, 2]", "[1, 2]", "list is not text, a number or a date"),
            ("'{\"a\": 1}'::jsonb", "{'a': 1}", "dict is not text, a number or a date"),
            ("'2002-02-05 12:30'::timestamp", "2002-02-05T12:30:00", "it is a day with a time"),
        ],
    )
    def test_what_is_no_cell(self, postgresql: tuple[str, Any], value: str, told: str, rule: str) -> None:
        url, _ = postgresql
        query = f"SELECT 'x' AS name, NULL AS age UNION ALL SELECT 'y', {value}"
        problem = the_problem(url, people=query.replace("NULL", f"NULLIF({value}, {value})"))
        assert problem.file.endswith(", table people")
        assert (problem.row, problem.unit, problem.column) == (2, "record", "age")
        assert (problem.value, problem.rule) == (told, rule)

    def test_a_day_beyond_the_calendar(self, postgresql: tuple[str, Any]) -> None:
        url, _ = postgresql
        assert the_problem(url, people="SELECT 'infinity'::date AS day").rule.startswith("it cannot be read: ")

    def test_a_password_is_never_told(self, server: tuple[str, int]) -> None:
        _, port = server
        good = f"postgresql://ada:hunter2@127.0.0.1:{port}/postgres"
        assert cells(read_source(good, KNOWN, queries={"people": "SELECT 1 AS a"})["people"]) == [["a"], ["1"]]
        place = f"127.0.0.1:{port}/postgres"
        for url in (
            f"postgresql://ada:s3cret@{place}",
            f"postgresql://ada:s3cret%20s3cret@{place}",
            f"postgresql://{place}?user=ada&password=s3cret",
            f"postgresql://ada:s3cret@s3cret@{place}",
            f"postgresql://ada:s3cret/s3cret@{place}",
            f"postgresql://ada:s3cret?s3cret@{place}",
            f"postgresql://ada:s3cret#s3cret@{place}",
            f"postgresql://ada:%s3cret@{place}",
            "postgresql://ada:s3cret",
        ):
            problem = the_problem(url)
            assert "s3cret" not in f"{problem} {problem.hint}"
        assert "password authentication failed" in the_problem(f"postgresql://ada:s3cret@{place}").rule

    def test_no_server(self) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            problem = the_problem(f"postgresql://ada:s3cret@127.0.0.1:{port}/postgres")
        assert problem.file == f"postgresql://127.0.0.1:{port}/postgres"
        assert problem.rule.startswith("it cannot be read: connection failed")

    def test_without_what_reads_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "psycopg", None)
        problem = the_problem("postgresql://db.example/fund")
        assert problem.hint == 'pip install "xl-conversion[postgresql]"'


def test_a_url_is_shown_without_its_secrets() -> None:
    assert shown("sqlite:///a@b.db") == "sqlite:///a@b.db"
    assert shown("postgresql:///fund") == "postgresql:///fund"
    assert shown("postgresql://ada:s3cret@db:5432/fund?password=s3cret") == "postgresql://db:5432/fund"
    assert shown("postgresql://db/fund?user=a@b&password=p@s3cret") == "postgresql://..."


@pytest.mark.parametrize("source", ["postgresql:/ada:s3cret@db/fund", "host=db user=ada PASSWORD = s3cret"])
def test_what_is_nearly_a_url_is_not_shown(source: str) -> None:
    problem = the_problem(source)
    assert problem.rule == "it reads like a database, but is no URL of one"
    assert "s3cret" not in f"{problem} {problem.hint}"


def plainly(path: Path, known: tuple[str, ...]) -> dict[str, Table]:
    """What the fast reader gives."""
    return tables._read_plain(path, tables._checked_package(path), known)


def wholly(path: Path, known: tuple[str, ...]) -> dict[str, Table]:
    """What openpyxl gives."""
    return tables._read_whole(path, tables._checked_package(path), known)


def told(read: Callable[[Path, tuple[str, ...]], dict[str, Table]], path: Path) -> object:
    """The tables that reading gives, or the problems."""
    try:
        return read(path, ("people",))
    except InputError as refusal:
        return refusal.problems


def either(path: Path) -> None:
    """The fast reader gives what openpyxl gives, or leaves it to openpyxl; and so does reading."""
    expected = told(wholly, path)
    try:
        found = told(plainly, path)
    except Exception:
        found = None  # left to openpyxl
    assert found in (None, expected)
    assert told(lambda path, known: read_source(str(path), known), path) == expected


FORMATS = [
    "General",
    "0",
    "0.00",
    "#,##0.00",
    '"$"#,##0.000',
    "0.00%",
    "yyyy-mm-dd",
    "@",
    "0.00E+00",
    "d/m/yy h:mm",
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.integers(0, 99_999),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-10_000, 10_000).map(lambda x: round(x, 2)),
    st.just(0.1 + 0.2),
    st.dates(datetime.date(1900, 3, 1), datetime.date(2100, 1, 1)),
    st.sampled_from(
        ["007", "1e5", "=1+1", "a & b <c>", " x ", "x\ny", "_x005F_x", "x005F_", "#N/A", "]]>", "é😀"]
    ),
    st.text("ab&<>'\" \t\n1.é", max_size=8),
)


class TestFastSheets:
    @pytest.mark.parametrize("example", ["vsource", "company"])
    def test_examples(self, tmp_path: Path, example: str) -> None:
        write_example(tmp_path, "xlsx", example)
        (path,) = tmp_path.glob("*.xlsx")
        known = tuple(record.table for record in RECORDS)
        assert plainly(path, known) == wholly(path, known)

    @READABLE
    @given(
        rows=st.lists(
            st.lists(st.tuples(VALUES, st.sampled_from(FORMATS)), min_size=1, max_size=4), min_size=1, max_size=6
        )
    )
    def test_any_cells(self, tmp_path: Path, rows: list[list[tuple[Any, str]]]) -> None:
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = "People"
        sheet.append(["a", "b", "c", "d"])
        for number, row in enumerate(rows, start=2):
            for place, (value, number_format) in enumerate(row, start=1):
                cell = sheet.cell(number, place, value)
                cell.number_format = number_format
                if isinstance(value, str) and value.startswith("="):
                    cell.data_type = "s"
        book.save(tmp_path / "in.xlsx")
        either(tmp_path / "in.xlsx")

    @READABLE
    @given(
        xml=st.lists(
            st.sampled_from(
                [
                    '<c r="A2"><v>5</v></c>',
                    '<c r="A2" t="n"><v>1.50</v></c>',
                    '<c r="A2"><v> 5 </v></c>',
                    '<c r="A2"><v>1_0</v></c>',
                    '<c r="A2"><v>-0</v></c>',
                    '<c r="A2" s="1"><v>-0.0</v></c>',
                    '<c r="A2"><v>123456789012345678</v></c>',
                    '<c r="A2"><v>1E400</v></c>',
                    '<c r="A2"><v>0005</v></c>',
                    '<c r="A2" s="99"><v>5</v></c>',
                    '<c r="A2" s="99"/>',
                    '<c r="A2" t="e"><v>#N/A</v></c>',
                    '<c r="A2" t="b"><v>1</v></c>',
                    '<c r="A2" t="b"><v>2</v></c>',
                    '<c r="A2" t="d"><v>2002-02-05</v></c>',
                    '<c r="A2" t="s"><v>0</v></c>',
                    '<c r="A2" t="s"><v>7</v></c>',
                    '<c r="A2" t="s"><v>-1</v></c>',
                    '<c r="A2" t="s"></c>',
                    '<c r="A2" t="str"><f>A1</f><v>x &amp;#65;</v></c>',
                    '<c r="A2" t="str"><f>""</f><v></v></c>',
                    '<c r="A2"><f>A1</f><v></v></c>',
                    '<c r="A2"><f>A1</f></c>',
                    '<c r="A2"><f t="shared" si="0" ref="A2:A3">1+1</f><v>2</v></c>',
                    '<c r="A2" t="inlineStr"><is><t xml:space="preserve"> &lt;x </t></is></c>',
                    '<c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>',
                    '<c r="A2" t="inlineStr"><is/></c>',
                    '<c r="A2" t="inlineStr"><v>5</v></c>',
                    '<c r="A2"><is><t>5</t></is></c>',
                    '<c r="A2" s="1"><v>2</v></c>',
                    '<c r="A2" s="2"><v>37292</v></c>',
                    '<c r="A2" s="2"><v>37292.5</v></c>',
                    '<c r="A2" s="2"><v>0.5</v></c>',
                    '<c r="A2" s="2"><v>99999999999</v></c>',
                    '<c r="A2" s="3"><v>1.5</v></c>',
                    '<c r="A3"><v>5</v></c>',
                    '<c r="B2"><v>5</v></c>',
                    '<c r="ZZ2"><v>5</v></c>',
                    '<c r="XFE2"><v>5</v></c>',
                    '<c r="IW2"><v>5</v></c>',
                    "<c><v>5</v></c>",
                    '<c r="a2"><v>5</v></c>',
                    '<c r="A2" cm="1"><v>5</v></c>',
                    '<c r="A2"><v>5</v><extLst/></c>',
                    "<!-- x -->",
                    "<?x y?>",
                    "text",
                    "&#0;",
                    "&nbsp;",
                    '</row><row r="2" x14ac:dyDescent="0.2">',
                    '</row><row r="3" spans="1:2" ht="12">',
                    '</row><row r="3"/><row>',
                    '</row><row r="1">',
                    '</row><row r="3" r="4">',
                    "</c>",
                ]
            ),
            min_size=1,
            max_size=3,
        )
    )
    def test_any_xml(self, tmp_path: Path, xml: list[str]) -> None:
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = "people"
        sheet["A1"] = "name"
        for number, number_format in enumerate(["0.00", "yyyy-mm-dd", "[h]:mm"], start=1):
            sheet.cell(number, 5).number_format = number_format
        book.save(tmp_path / "plain.xlsx")
        with zipfile.ZipFile(tmp_path / "plain.xlsx") as package:
            parts = {name: package.read(name) for name in package.namelist()}
        part = "xl/worksheets/sheet1.xml"
        start, end = parts[part].index(b"<sheetData>"), parts[part].index(b"</sheetData>")
        first = '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="2">'
        content = f"{first}{''.join(xml)}</row>"
        parts[part] = parts[part][:start] + content.encode() + parts[part][end:]
        with zipfile.ZipFile(tmp_path / "in.xlsx", "w") as package:
            for name, data in parts.items():
                package.writestr(name, data)
        either(tmp_path / "in.xlsx")

    def test_shared_strings(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, [["name"]])
        with zipfile.ZipFile(path) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        rich = "<si><r><t>Ri</t></r><r><t>ch</t></r></si>"
        phonetic = '<si><t>Ph</t><rPh sb="0" eb="1"><t>no</t></rPh></si>'
        kept = '<si><t xml:space="preserve"> x005F_a &lt;&#65;\n</t></si>'
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts[STRINGS] = f'<sst xmlns="{main}"><si><t>name</t></si>{rich}{kept}{phonetic}<si/></sst>'.encode()
        rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n - 1}</v></c></row>' for n in range(1, 6))
        sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        parts["xl/worksheets/sheet1.xml"] = sheet.encode()
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        override = f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'.encode()
        types = parts["[Content_Types].xml"]
        if STRINGS.encode() not in types:
            parts["[Content_Types].xml"] = types.replace(b"</Types>", override)
        with zipfile.ZipFile(path, "w") as package:
            for name, data in parts.items():
                package.writestr(name, data)
        found = plainly(path, KNOWN)
        assert column(found["people"], "name") == ["Rich", "a <A", "Ph"]
        assert found == wholly(path, KNOWN)

    def test_another_writers_workbook(self, tmp_path: Path) -> None:
        from rustpy_xlsxwriter import write_worksheet

        numbers = random.Random(1)  # noqa: S311
        records = [
            {
                "name": f"Fund {n} & Sons",
                "shares": numbers.randrange(10**9),
                "price": numbers.random(),
                "yes": n % 2 == 0,
            }
            for n in range(200)
        ]
        write_worksheet(records, str(tmp_path / "in.xlsx"), sheet_name="people")
        found = plainly(tmp_path / "in.xlsx", KNOWN)
        assert len(found["people"].rows) == 200
        assert found == wholly(tmp_path / "in.xlsx", KNOWN)

    def test_what_is_left_to_openpyxl(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, [["name"], ["=6*6"]])
        with pytest.raises(Unusual):
            plainly(path, KNOWN)
        (row,) = read_source(str(path), KNOWN)["people"].rows
        assert [one.rule for one in row.problems] == ["the formula in A2 has never been calculated"]


class TestHostileWorkbooks:
    def test_a_bomb(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, PEOPLE)
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
            package.open("xl/worksheets/sheet9.xml", "w") as part,
        ):
            for _ in range(300):
                part.write(bytes(2**20))
        assert path.stat().st_size < 3 * 2**20
        assert the_problem(path).rule == "it unpacks to more than 256 MiB"

    @pytest.mark.parametrize("declared", [0, 100])
    def test_a_part_that_lies_about_its_size(self, tmp_path: Path, declared: int) -> None:
        path = workbook(tmp_path, PEOPLE)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
            package.writestr("xl/media/image1.png", bytes(5_000_000))
        data = bytearray(path.read_bytes())
        start = data.rindex(b"PK\x01\x02")
        struct.pack_into("<I", data, start + 24, declared)
        path.write_bytes(data)
        assert the_problem(path).rule.startswith("not a readable workbook: Bad CRC-32")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
    def test_entities(self, tmp_path: Path, encoding: str, part: str) -> None:
        path = workbook(tmp_path, PEOPLE)
        with zipfile.ZipFile(path) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        plain = re.sub(r"^<\?xml[^>]*\?>", "", parts[part].decode())
        bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>{plain}'
        head = '<?xml version="1.0" encoding="utf-16"?>' if "16" in encoding else ""
        parts[part] = f"{head}{bomb}".encode(encoding)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in parts.items():
                package.writestr(name, content)
        assert the_problem(path).rule.startswith("not a readable workbook: ")

    @staticmethod
    def with_part(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
        with zipfile.ZipFile(path) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        parts[part] = change(parts[part])
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in parts.items():
                package.writestr(name, content)
        return path

    def test_entities_behind_many_blanks(self, tmp_path: Path) -> None:
        def laughing(sheet: bytes) -> bytes:
            return b" " * 300 + b'<!DOCTYPE x [<!ENTITY l "lol">]>' + sheet

        path = self.with_part(workbook(tmp_path, PEOPLE), "xl/worksheets/sheet1.xml", laughing)
        assert the_problem(path).rule.startswith("not a readable workbook: EntitiesForbidden")

    def test_a_number_format_without_end(self, tmp_path: Path) -> None:
        """To tell whether it is of days, openpyxl takes the square of its length: for this one, hours."""

        def formatted(styles: bytes) -> bytes:
            formats = (
                b'<numFmts count="1"><numFmt numFmtId="200" formatCode="' + b"[" * 1_000_000 + b'"/></numFmts>'
            )
            return re.sub(rb"<numFmts[^>]*/>|(?=<fonts)", formats, styles, count=1)

        path = self.with_part(workbook(tmp_path, PEOPLE), "xl/styles.xml", formatted)
        rule = "not a readable workbook: a number format has 2,000 characters or more"
        assert the_problem(path).rule == rule

    @pytest.mark.parametrize(
        "head",
        [
            b" " * 500_000,
            b"<worksheet" + b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"' * 10_000,
            b"<worksheet" + b" a=b" * 200_000,
        ],
        ids=["blanks", "names", "attributes"],
    )
    def test_a_sheet_that_begins_without_end(self, tmp_path: Path, head: bytes) -> None:
        """Looking for its cells takes no more than its length: the square of it would be minutes."""

        def begun(sheet: bytes) -> bytes:
            return head + b"<sheetData></sheetData>"

        path = self.with_part(workbook(tmp_path, PEOPLE), "xl/worksheets/sheet1.xml", begun)
        assert the_problem(path).rule.startswith(("not a readable workbook: ", "it is empty"))

    def test_macros(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, PEOPLE)
        with zipfile.ZipFile(path, "a") as package:
            package.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
        assert the_problem(path).rule == "a workbook with macros is not read"

    def test_a_protected_or_older_workbook(self, tmp_path: Path) -> None:
        (tmp_path / "in.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
        assert the_problem(tmp_path / "in.xlsx").rule == "not an .xlsx workbook"

    def test_a_password_on_a_part(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, PEOPLE)
        data = bytearray(path.read_bytes())
        for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + place] |= 1
        path.write_bytes(data)
        assert the_problem(path).rule.startswith("not a readable workbook: ")
