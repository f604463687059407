"""A function of the catalogue for the rows of Parquet files: read, adjusted and written in pieces."""

from __future__ import annotations

import filecmp
import os
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xl_conversion.batch.cluster import in_order, on_cluster
from xl_conversion.batch.compute import Batch, ImpossibleRows, adjust
from xl_conversion.batch.plan import PROBLEM, Plan, Settings, planned
from xl_conversion.files import SaveError, replacing
from xl_conversion.inputs.problems import InputError, Problem, fail

ROWS_IN_BATCH = 65_536
"""What is adjusted in one go, and one task of a cluster."""
ROWS_IN_GROUP = 4 * ROWS_IN_BATCH
"""What is written in one go: so much is in memory, however many rows there are."""
WRITING = {"compression": "snappy", "store_decimal_as_integer": True}
"""How Parquet is written; decimals of up to 18 digits as integers, which is quicker and smaller."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What has been done."""

    target: Path
    rows: int
    result: str
    """The name of the result's column."""
    kind: str
    """Its type."""
    impossible: int
    """Rows whose result is null."""
    written: bool
    """False where the file was there already, the same."""
    by_row: tuple[str, ...] = ()
    """What the columns of the input say for each row, of decimals, rounding_type and method."""


def compute_file(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    force: bool = False,
    scheduler: str = "",
    workers: int = 0,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> Computed:
    """Adjusts the rows of a Parquet file, or of a folder of them in the order of their names, into one file.

    They are adjusted by so many `workers`, threads here (one if 0) or, with a `scheduler`, tasks at once on a Dask
    cluster (as many as it has use for if 0); the file is the same to the byte. `advance` is called with the rows
    that are done and all of them.

    Raises InputError where the input cannot be used, SaveError where the file cannot be written, or is there,
    differs, and `force` is not given. What was there before is then untouched.
    """
    _check_apart(source, target)
    files = _Files.found(source)
    if target.exists() and any(os.path.samefile(path, target) for path in files.paths):
        raise _is_input(target)
    plan = planned(files.schema, settings, str(source))
    rows, impossible = 0, 0
    with replacing(target) as new:
        work = partial(adjust, settings=settings)
        batches = files.batches()
        with _results(work, batches, scheduler, workers) as results, _Writer(new.path, plan) as writer:
            try:
                for batch in results:
                    writer.write(batch)
                    rows += batch.num_rows
                    if settings.on_error == "null":
                        column = batch.column(PROBLEM)
                        impossible += len(column) - column.null_count
                    advance(rows, files.rows)
            except ImpossibleRows as problem:
                raise InputError([files.problem(rows, one) for one in problem.problems]) from None
        new.wanted = _is_new(new.path, target, force=force)
    return Computed(target, rows, plan.result, str(plan.kind), impossible, new.wanted, plan.by_row)


@dataclass(frozen=True)
class _Files:
    """The files of an input, one after the other."""

    paths: Sequence[Path]
    ends: Sequence[int]
    """The rows up to the end of each."""
    schema: Any

    @classmethod
    def found(cls, source: Path) -> _Files:
        """The files, after looking at what they say of themselves."""
        paths = [source]
        if source.is_dir():
            paths = sorted(path for path in source.iterdir() if path.suffix == ".parquet" and path.is_file())
            if not paths:
                raise fail(str(source), "there is no .parquet file in it", "name another folder or a file")
        schema, rows = None, []
        for path in paths:
            with _opened(path) as file:
                rows.append(file.metadata.num_rows)
                own = file.schema_arrow
            if schema is None:
                schema = own
            elif not own.equals(schema):
                raise _of_other_columns(path, own, paths[0], schema)
        return cls(paths, list(accumulate(rows)), schema)

    @property
    def rows(self) -> int:
        """Of all files."""
        return self.ends[-1]

    def batches(self) -> Generator[Batch, None, None]:
        """The rows, in pieces that do not depend on who computes them."""
        for path in self.paths:
            with _opened(path) as file:
                try:
                    yield from file.iter_batches(ROWS_IN_BATCH)
                except (pa.ArrowException, OSError) as problem:
                    raise _unreadable(path, problem) from None

    def problem(self, before: int, one: Any) -> Problem:
        """A problem in a batch that begins after so many rows, with the file and the row in it."""
        row = before + one.row
        place = bisect_right(self.ends, row - 1)
        start = self.ends[place - 1] if place else 0
        hint = "--on-error null goes on without such rows"
        return Problem(str(self.paths[place]), one.rule, row - start, one.column, one.value, hint, impossible=True)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = pq.ParquetFile(path, pre_buffer=False)  # else all that was read is kept
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(path, problem) from None
    with file:
        yield file


def _unreadable(path: Path, problem: Exception) -> InputError:
    if isinstance(problem, FileNotFoundError):
        return fail(str(path), "there is no such file", "check its name")
    reason = " ".join(str(problem).split()).rstrip(".")
    return fail(str(path), f"it cannot be read as Parquet ({reason})", "name a Parquet file")


def _of_other_columns(path: Path, own: Any, first: Path, schema: Any) -> InputError:
    """The first difference between the columns of two files."""
    rule = f"its columns are not those of {first.name}, or in another order"
    for name in [*schema.names, *own.names]:
        if name not in own.names or name not in schema.names:
            has, lacks = (first, path) if name in schema.names else (path, first)
            rule = f"the column {name} is in {has.name} and not in {lacks.name}"
            break
        if schema.names.count(name) == own.names.count(name) == 1 and own.field(name) != schema.field(name):
            kind, other = (_told(columns.field(name)) for columns in (own, schema))
            rule = f"the column {name} is of type {kind}, in {first.name} of type {other}"
            break
    return fail(str(path), rule, "all files of a folder must have the same columns")


def _told(column: Any) -> str:
    return str(column.type) if column.nullable else f"{column.type} not null"


@contextmanager
def _results(
    work: Callable[[Batch], Batch], batches: Generator[Batch, None, None], scheduler: str, workers: int
) -> Iterator[Iterator[Batch]]:
    """The batches as they are done; whatever ends this, nothing is left open, under way or on the cluster."""
    with closing(batches):
        if scheduler:
            with closing(on_cluster(scheduler, work, batches, in_flight=workers)) as results:
                yield results
            return
        # Arrow and numpy leave the interpreter free: a piece is read and others adjusted while one is written.
        count = max(1, workers)
        with (
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(count) as pool,
            closing(
                in_order(lambda batch: pool.submit(work, batch), _ahead(reader, batches), count + 1)
            ) as results,
        ):
            yield results


def _ahead(reader: ThreadPoolExecutor, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, the next one always on its way."""
    following = partial(next, batches, None)
    coming = reader.submit(following)
    while (batch := coming.result()) is not None:
        coming = reader.submit(following)
        yield batch


class _Writer:
    """Writes batches in groups of as many rows as fit, whatever the size of a batch is."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.writer = pq.ParquetWriter(path, plan.schema, **WRITING)
        self.schema = plan.schema
        self.waiting: list[Batch] = []
        self.rows = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self.writer.close()

    def write(self, batch: Batch) -> None:
        """Takes a batch; a group is written once it is full."""
        self.waiting.append(batch)
        self.rows += batch.num_rows
        if self.rows >= ROWS_IN_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self.rows:
            self.writer.write_table(pa.Table.from_batches(self.waiting, self.schema), 2 * ROWS_IN_GROUP)
        self.waiting, self.rows = [], 0


# The file that is written.


def _check_apart(source: Path, target: Path) -> None:
    where, to = Path(os.path.realpath(source)), Path(os.path.realpath(target))
    same = where == to or (to.exists() and where.exists() and os.path.samefile(where, to))
    if same or (where.is_dir() and where == to.parent):
        raise _is_input(target, "" if same else ", or in the same folder")


def _is_input(target: Path, inside: str = "") -> SaveError:
    return SaveError(f"Cannot write {target}: it is the input{inside}", "Give another name or folder.")


def _is_new(unfinished: Path, target: Path, *, force: bool) -> bool:
    """Whether a file differs from the one that is there; SaveError where that one may not be replaced."""
    if not target.exists():
        return True
    if filecmp.cmp(unfinished, target, shallow=False):
        return False
    if not force:
        raise SaveError(f"Cannot write {target}: it is there and differs", "--force replaces it.")
    return True
