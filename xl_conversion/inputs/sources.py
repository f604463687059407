"""Reads tables from wherever they are kept: files, Parquet, an Open Cap Format package, SQLite, PostgreSQL.

Exact numbers stay exact; a binary floating point number becomes the 15 digits that Excel shows. Databases are read
in one transaction that cannot write, and no error shows a password.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import UUID

from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.problems import InputError, Problem, fail, suggestion
from xl_conversion.inputs.tables import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNPACKED,
    Table,
    bounded,
    plain_digits,
    read_csv,
    read_folder,
    read_tables,
    table_of,
)

RECORD = "record"
"""What a row is called where there are no lines to count: the first one is record 1."""
_FETCHED = 10_000
_CONNECT_SECONDS = 15
_TIME = "it is a day with a time"
_TIME_HINT = "give the day alone"


def read_source(
    source: str, known: Sequence[str], *, queries: Mapping[str, str] | None = None
) -> dict[str, Table]:
    """The tables in `source`, by name; `known` are the names that tables may have.

    `source` is a folder of CSV and Parquet files, a .json or .xlsx file, an Open Cap Format package (a folder or a
    .zip) or the URL of a database (`sqlite:///company.db`, `postgresql://user@host/name`): there, each table or
    view that has a known name is read. `queries` gives a table by what selects it instead, such as
    `{"series": "SELECT name AS series, ... FROM classes"}`.

    Raises InputError with what is wrong and what to do.
    """
    queries = queries or {}
    for name in queries:
        if name not in known:
            hint = suggestion(name, known) or f"the tables are {', '.join(known)}"
            raise fail(shown(source), f"a query is of {shorten(name)!r}, which is no table", hint)
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme == "sqlite":
        return _read_sqlite(source, known, queries)
    if scheme in ("postgresql", "postgres"):
        return _read_postgresql(source, known, queries)
    if scheme:
        rule = "a database of that kind is not read"
        raise fail(shown(source), rule, "give sqlite:///FILE or postgresql://USER@HOST/NAME")
    if re.match(r"(?:postgres(?:ql)?|mysql|sqlite):|.*\bpassword\s*=", source, re.IGNORECASE):
        # Which is not shown: it may hold a password.
        hint = "give sqlite:///FILE or postgresql://USER@HOST/NAME"
        raise fail("INPUT", "it reads like a database, but is no URL of one", hint)
    if queries:
        raise fail(source, "it is no database, so that there is nothing to query", "leave the queries out")
    from xl_conversion.inputs.ocf import is_package, read_package

    path = Path(source)
    try:
        if is_package(path):
            return read_package(path)
        if path.suffix.lower() == ".zip" and path.is_file():
            raise fail(source, "a .zip without the files of an Open Cap Format package", "unpack it")
        if path.is_dir():
            return read_folder(path, known, {".csv": read_csv, ".parquet": read_parquet})
    except PermissionError as problem:
        raise fail(source, "it may not be read", "check its permissions, and close it elsewhere") from problem
    except OSError as problem:
        raise fail(source, f"it cannot be read: {problem.strerror}") from problem
    return read_tables(path, known)


def shown(source: str) -> str:
    """A source as it may be shown: a URL without user and password.

    >>> shown("postgresql://ada:secret@db.example:5432/fund?sslmode=require")
    'postgresql://db.example:5432/fund'
    """
    scheme, is_url, rest = source.partition("://")
    if not is_url or scheme.lower() == "sqlite":
        return source
    place, _, options = rest.partition("?")
    # A password that is not escaped may hold any of these.
    plain = re.fullmatch(r"([^:/]*(?::\d+)?(?:/[^:]*)?)", place.rpartition("@")[2])
    return f"{scheme}://{plain[1] if plain and '@' not in options else '...'}"


class _Texts:
    """Makes texts of the values of one table, and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.size = 0

    def of(self, value: Any, number: int, column: str) -> str:
        """A value as text; "" for one that is none."""
        if value is None:
            return ""
        match value:
            case str():
                # A database has gigabytes; a table has to stay in memory.
                self.size += len(value)
                if self.size > MAX_UNPACKED:
                    raise fail(self.file, f"more than {MAX_UNPACKED // 2**20} MiB of text", "split it")
                return value
            case bool():
                return str(value).upper()
            case int():
                return str(value)
            case float():
                return plain_digits(value) if isfinite(value) else self.wrong(value, number, column)
            case Decimal():
                return f"{value:f}" if value.is_finite() else self.wrong(value, number, column)
            case datetime():
                if value.time() == time():
                    return value.date().isoformat()
                return self.wrong(value.isoformat(), number, column, _TIME, _TIME_HINT)
            case date():
                return value.isoformat()
            case UUID():
                return str(value)
        rule = f"{type(value).__name__} is not text, a number or a date"
        if isinstance(value, bytes):
            value = value[:100]  # of which no more is shown
        return self.wrong(value, number, column, rule, "give one value")

    def wrong(
        self, value: Any, number: int, column: str, rule: str = "it is no number", hint: str = "leave it blank"
    ) -> str:
        """Adds a problem, and gives a blank."""
        text = shorten(str(value))
        self.problems.append(Problem(self.file, rule, number, column, text, hint, RECORD))
        return ""

    def table(self, name: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> Table:
        """The table of these values, the first record being number 1.

        Raises InputError with all that is wrong with them.
        """

        def lines() -> Iterator[tuple[int, list[str]]]:
            yield 0, list(columns)
            for number, values in enumerate(records, start=1):
                if number > MAX_ROWS:
                    raise fail(self.file, f"more than {MAX_ROWS} rows", "split it")
                yield (
                    number,
                    [self.of(value, number, column) for value, column in zip(values, columns, strict=True)],
                )

        problems: list[Problem] = []
        table = None
        try:
            table = table_of(name, self.file, lines(), unit=RECORD)
        except InputError as found:
            problems.extend(found.problems)
        if self.problems or table is None:
            raise InputError([*self.problems, *problems])
        return table


def read_parquet(name: str, file: Path) -> Table:
    """The table in a Parquet file.

    Raises InputError with all that is wrong with it.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise fail(str(file), "Parquet needs pyarrow", 'pip install "xl-conversion[batch]"') from None
    import io

    where = str(file)
    try:
        data = bounded(file)
        with pq.ParquetFile(io.BytesIO(data)) as content:
            _check_parquet(content, where)
            of_text = [field.name for field in content.schema_arrow if _is_text(field.type)]
        with pq.ParquetFile(io.BytesIO(data), read_dictionary=of_text) as content:
            columns = [field.name for field in content.schema_arrow]
            texts = _Texts(where)
            return texts.table(name, columns, _parquet_records(content, texts))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as problem:
        if isinstance(problem, PermissionError):
            raise
        raise fail(where, f"not a readable Parquet file: {_words(problem)}", "write it again") from None


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    of = pa.types
    return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_binary(kind) or of.is_large_binary(kind))


def _check_parquet(content: Any, where: str) -> None:
    """Refuses what is too large before anything is unpacked."""
    told = content.metadata
    if told.num_columns > MAX_COLUMNS:
        raise fail(where, f"more than {MAX_COLUMNS} columns", "leave out what is not needed")
    if told.num_rows > MAX_ROWS:
        raise fail(where, f"more than {MAX_ROWS} rows", "split it")
    size = sum(told.row_group(n).total_byte_size for n in range(told.num_row_groups))
    if size > MAX_UNPACKED:
        raise fail(where, f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB", "split it")


def _parquet_records(content: Any, texts: _Texts) -> Iterator[Sequence[Any]]:
    first = 1
    for batch in content.iter_batches(batch_size=_FETCHED):
        columns = [
            _parquet_column(column, field.name, first, texts)
            for column, field in zip(batch.columns, batch.schema, strict=True)
        ]
        yield from zip(*columns, strict=True)
        first += batch.num_rows


def _parquet_column(column: Any, name: str, first: int, texts: _Texts) -> list[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        column = column.dictionary_decode()
    if pa.types.is_dictionary(column.type):
        # Each value once, however often it is meant: a small file may mean a long text a million times.
        known = column.dictionary.to_pylist()
        return [None if place is None else known[place] for place in column.indices.to_pylist()]
    kind = column.type
    if pa.types.is_timestamp(kind):
        # A time zone's own days, and nanoseconds that Python's own times do not have.
        local = pc.local_timestamp(column) if kind.tz else column
        return [
            _day(ticks, kind.unit, number, name, texts)
            for number, ticks in enumerate(local.cast(pa.int64()).to_pylist(), start=first)
        ]
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        # Their own digits, of which a double of the same value has more.
        texts_of = column.cast(pa.float32()).cast(pa.string()).to_pylist()
        return [None if one is None else float(one) for one in texts_of]
    values: list[Any] = column.to_pylist()
    return values


def _day(ticks: int | None, unit: str, number: int, column: str, texts: _Texts) -> date | None:
    if ticks is None:
        return None
    second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    days, rest = divmod(ticks, 86_400 * second)
    try:
        day = date(1970, 1, 1) + timedelta(days=days)
    except OverflowError:
        texts.wrong(ticks, number, column, "it is beyond the calendar", "")
        return None
    if rest:
        seconds, parts = divmod(rest, second)
        clock = (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S")
        text = f"{day}T{clock}" + (f".{parts}" if parts else "")
        texts.wrong(text, number, column, _TIME, _TIME_HINT)
        return None
    return day


def _read_sqlite(source: str, known: Sequence[str], queries: Mapping[str, str]) -> dict[str, Table]:
    path = Path(unquote(source.partition("://")[2].partition("?")[0].removeprefix("/")))
    where = str(path)
    if not path.is_file():
        raise fail(where, "there is no such file", "sqlite:///FILE, and sqlite:////FILE from the root")
    try:
        # Opened so that nothing is written, not even where it was left in the middle of a transaction.
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
            database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_UNPACKED)
            database.execute("PRAGMA query_only = ON")
            database.execute("PRAGMA trusted_schema = OFF")
            database.set_authorizer(_only_reading)
            database.execute("BEGIN")
            found = {
                row[0]: row[0]
                for row in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            }
            return _read_database(
                where,
                known,
                found,
                queries,
                lambda name, what: _sqlite_table(database, where, name, what, is_query=name in queries),
            )
    except sqlite3.Error as problem:
        raise fail(where, f"it cannot be read: {_words(problem)}", "check the database and the query") from None


def _only_reading(action: int, *_: str | None) -> int:
    reading = (
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
    )
    return sqlite3.SQLITE_OK if action in reading else sqlite3.SQLITE_DENY


def _sqlite_table(database: sqlite3.Connection, where: str, name: str, what: str, *, is_query: bool) -> Table:
    texts = _Texts(f"{where}, table {name}")
    cursor = database.execute(what if is_query else f"SELECT * FROM {_quoted(what)}")  # noqa: S608
    if cursor.description is None:
        raise fail(texts.file, "the query gives no rows", "write a SELECT")
    columns = [one[0] for one in cursor.description]
    yes_no = set() if is_query else _sqlite_booleans(database, what)
    records: Iterable[Sequence[Any]] = cursor
    if yes_no:
        # SQLite keeps them as 0 and 1.
        places = {place for place, column in enumerate(columns) if column in yes_no}
        records = (
            [bool(v) if place in places and v in (0, 1) else v for place, v in enumerate(row)] for row in cursor
        )
    return texts.table(name, columns, records)


def _sqlite_booleans(database: sqlite3.Connection, table: str) -> set[str]:
    """The columns that a table declares as booleans."""
    database.set_authorizer(None)
    try:
        rows = database.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
    finally:
        database.set_authorizer(_only_reading)
    return {row[1] for row in rows if str(row[2]).upper().startswith("BOOL")}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _read_database(
    where: str,
    known: Sequence[str],
    found: Mapping[str, Any],
    queries: Mapping[str, str],
    read: Callable[[str, Any], Table],
) -> dict[str, Table]:
    """The known tables among those `found`, each as `read` gives it, and the queries."""
    wanted: dict[str, Any] = {}
    for name, what in found.items():
        plain = name.lower()
        if plain in known and plain not in queries:
            if plain in wanted:
                raise fail(where, f"the table {plain} is there twice", "remove one of the two")
            wanted[plain] = what
    wanted.update(queries)
    if not wanted:
        raise fail(where, f"no table is named {' or '.join(known)}", "make views of these names, or give queries")
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    for name, what in wanted.items():
        try:
            tables[name] = read(name, what)
        except InputError as refused:
            problems.extend(refused.problems)
    if problems:
        raise InputError(problems)
    return tables


def _read_postgresql(source: str, known: Sequence[str], queries: Mapping[str, str]) -> dict[str, Table]:
    where = shown(source)
    try:
        import psycopg
        from psycopg import sql
    except ImportError:
        raise fail(where, "PostgreSQL needs psycopg", 'pip install "xl-conversion[postgresql]"') from None
    try:
        with psycopg.connect(source, connect_timeout=_CONNECT_SECONDS) as database:
            database.read_only = True
            database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            # Else a large table may be read from where another reader stands.
            database.execute("SET synchronize_seqscans = off")
            rows = database.execute(
                "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND pg_catalog.pg_table_is_visible(c.oid)"
                " AND lower(c.relname) = ANY(%s) ORDER BY c.relname",
                [list(known)],
            ).fetchall()

            def read(name: str, what: Any) -> Table:
                statement = what if isinstance(what, str) else sql.SQL("SELECT * FROM {}").format(what)
                texts = _Texts(f"{where}, table {name}")
                with database.cursor(name="xl_conversion") as cursor:
                    cursor.itersize = _FETCHED
                    cursor.execute(statement)
                    columns = [one.name for one in cursor.description or ()]
                    return texts.table(name, columns, cursor)

            found = {name: sql.Identifier(schema, name) for schema, name in rows}
            return _read_database(where, known, found, queries, read)
    except psycopg.Error as problem:
        raise fail(where, *_told(problem, source)) from None


def _told(problem: Exception, source: str) -> tuple[str, str]:
    """What PostgreSQL says, unless that holds a piece of the password."""
    said = _words(problem)
    rest = source.partition("://")[2]
    secrets = [rest.rpartition("@")[0].partition(":")[2]]
    try:
        secrets += parse_qs(urlsplit(source).query).get("password", [])
    except ValueError:
        secrets.append(rest)
    pieces = {piece for text in secrets for one in (text, unquote(text)) for piece in re.findall(r"\w+", one)}
    if any(piece in said for piece in pieces):
        return "it cannot be read", "check host, port, database, user and password"
    return f"it cannot be read: {said}", ""


def _words(problem: Exception) -> str:
    """What another program says, on one line that a terminal can show."""
    said = " ".join(str(problem).split()) or type(problem).__name__
    return shorten("".join(letter if letter.isprintable() else "?" for letter in said), 200)
