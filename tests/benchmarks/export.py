"""What the exporter costs beside other ways to write the same; run it to print the tables.

    python tests/benchmarks/export.py [--rows 100000] [--workbooks 1000] [--bulk 1000000]

Each figure is a median of five, the sides of a ratio taken in turn, in one run on one machine.

The register: so many positions in 12 columns, streamed with cached values, against openpyxl's write-only mode and
a writer in Rust, which both leave the formulas without values.

The workbooks: a statement of each series, from records that have been read to bytes on disk, computation, tie-out
and notice included, against openpyxl loading the same design and filling it with values that are ready. On two
processes it is measured with many more workbooks, since to start the processes is no part of the work.

The memory: what a process takes at most beyond what it has before it writes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from itertools import cycle
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from support.portfolio import portfolio, write_portfolio

from xl_conversion.batch.folder import OutFolder, locked
from xl_conversion.batch.run import SERIES_IN_TASK, Settings, export
from xl_conversion.batch.work import statements, uncollected
from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series_design import series_design
from xl_conversion.books.streaming import Plan, make_plan
from xl_conversion.inputs.portfolio import check_company, read_portfolio
from xl_conversion.inputs.reading import Case

TIMES = 5
DAY = date(2026, 1, 31)
MANY = 8
"""As many times more workbooks where processes are compared."""


def in_turn(*works: Callable[[], object]) -> list[float]:
    """The median time of each, taken in turn so that a busy machine slows all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TIMES):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return [median(times) for times in taken]


# The register.

HEADS = ("Holder", "Company", "Series", "As of", "Preferred", "OIP", "Price", "Ratio", "Events", "Exceptions")
FORMULAS = ("Common, unrounded", "Common")


def positions(rows: int) -> list[list[object]]:
    """Realistic columns of a register, without the two of formulas."""
    number = range(rows)
    return [
        [f"Holder {n % 9973}" for n in number],
        [f"Company {n // 40} & Sons, Inc." for n in number],
        [f"Series {'ABCDE'[n % 5]}" for n in number],
        [DAY - timedelta(days=n % 3000) for n in number],
        [1_000 + 37 * n % 1_000_003 for n in number],
        [round(1 + n % 977 / 100, 2) for n in number],
        [round(0.5 + n % 511 / 100, 4) for n in number],
        [round(1 + n % 613 / 1000, 4) for n in number],
        [n % 7 for n in number],
        [n % 2 for n in number],
    ]


def register_plan_of_twelve() -> Plan:
    """A sheet of twelve columns, two of them formulas with values."""
    book = Workbook()
    sheet = book.active
    sheet.append([*HEADS, *FORMULAS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.append([f"{{{{lines.c{place}}}}}" for place in range(len(HEADS))] + ["=E2*F2/G2", "=INT(K2)"])
    sheet["D2"].number_format = "yyyy-mm-dd"
    for column in "EKL":
        sheet[f"{column}2"].number_format = "#,##0"
    file = BytesIO()
    book.save(file)
    return make_plan(file.getvalue(), {("Sheet", "K2"): "lines.unrounded", ("Sheet", "L2"): "lines.whole"})


def blocks(columns: Sequence[Sequence[object]], plan: Plan) -> object:
    """The rows as the plan takes them, with the values of the formulas."""
    unrounded = [e * f / g for e, f, g in zip(*columns[4:7], strict=True)]  # type: ignore[operator]
    whole = [int(value) for value in unrounded]
    by_name = {f"c{place}": column for place, column in enumerate(columns)}
    by_name |= {"unrounded": unrounded, "whole": whole}
    return zip(*(by_name[name] for name in plan.tables["lines"]), strict=True)


def streamed(columns: Sequence[Sequence[object]], plan: Plan, path: Path) -> None:
    """By this package."""
    with path.open("w+b") as file:
        plan.write(file, {}, {"lines": blocks(columns, plan)}, as_of=DAY)  # type: ignore[dict-item]


def write_only(columns: Sequence[Sequence[object]], path: Path) -> None:
    """By openpyxl's fastest way, with the same styles."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    heads = [WriteOnlyCell(sheet, head) for head in (*HEADS, *FORMULAS)]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    formats = {3: "yyyy-mm-dd", 4: "#,##0", 10: "#,##0", 11: "#,##0"}
    for number, row in enumerate(zip(*columns, strict=True), start=2):
        cells = [WriteOnlyCell(sheet, v) for v in (*row, f"=E{number}*F{number}/G{number}", f"=INT(K{number})")]
        for place, number_format in formats.items():
            cells[place].number_format = number_format
        sheet.append(cells)
    book.save(path)


def in_rust(records: Sequence[dict[str, object]], path: Path) -> None:
    """By a writer in Rust, from rows that are ready."""
    from rustpy_xlsxwriter import Format, write_worksheet

    write_worksheet(
        records,
        str(path),
        bold_headers=True,
        column_formats={
            "As of": Format().set_num_format("yyyy-mm-dd"),
            "Preferred": Format().set_num_format("#,##0"),
        },
        formula_columns={FORMULAS[0]: "=E{row}*F{row}/G{row}", FORMULAS[1]: "=INT(K{row})"},
    )


def register(rows: int) -> None:
    """The table of the register."""
    columns, plan = positions(rows), register_plan_of_twelve()
    records = [dict(zip(HEADS, row, strict=True)) for row in zip(*columns, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "register.xlsx"
        ours, rust, openpyxl = in_turn(
            lambda: streamed(columns, plan, path),
            lambda: in_rust(records, path),
            lambda: write_only(columns, path),
        )
    print(f"\nRegister of {rows:,} rows in 12 columns, two of them formulas")
    print(f"  {'streamed, with cached values':<44}{ours:8.2f} s")
    print(f"  {'Rust writer, without':<44}{rust:8.2f} s   streamed / Rust: {ours / rust:.2f}")
    print(f"  {'openpyxl write-only, without':<44}{openpyxl:8.2f} s   openpyxl / streamed: {openpyxl / ours:.1f}")


# The workbooks.


def portfolio_of(workbooks: int, folder: Path) -> Path:
    """A portfolio of at least so many series, with one to three adjustments each."""
    return write_portfolio(folder, portfolio(workbooks * 2 // 3, holders=5))


def notices_of(workbooks: int, folder: Path) -> Path:
    """So many companies, each with one series, one adjustment and a notice of it."""
    return write_portfolio(folder, portfolio(workbooks, series=0, holders=5, rounds=1))


def load_and_fill(design: bytes, values: Sequence[Sequence[object]], path: Path) -> None:
    """What one does with openpyxl: load the design, fill its cells, save it. The values are ready."""
    book = load_workbook(BytesIO(design))
    for sheet in book.worksheets:
        ready = cycle(values)
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and "{{" in cell.value:
                    cell.value = next(iter(next(ready)), None)  # type: ignore[assignment]
    book.save(path)


def workbooks(count: int) -> None:
    """The table of the workbooks."""
    print(f"Statements of {count:,} series: computed, tied out, with the notice, to files, in one process")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [
            (label, cases_at(make(count, folder / label), count))
            for label, make in (("one adjustment each", notices_of), ("one to three each", portfolio_of))
        ]
        design, _ = series_design()
        few = range(max(1, count // 20))

        def filled() -> None:
            for number in few:
                load_and_fill(design, [[number], ["text"]], folder / "filled.xlsx")

        works: list[Callable[[], object]] = [partial(state, cases, folder) for _, cases in found]
        works[0]()  # the design is planned once
        *ours, other = in_turn(*works, filled)
        each_filled = other / len(few)
        print(f"  {'openpyxl, design loaded and filled, saved':<44}{each_filled * 1e3:8.2f} ms each")
        for (label, cases), seconds in zip(found, ours, strict=True):
            each = seconds / len(cases)
            print(f"  {f'streamed, {label}':<44}{each * 1e3:8.2f} ms each", end="")
            print(f"   openpyxl / streamed: {each_filled / each:.1f}")


def cases_at(source: Path, count: int) -> list[Case]:
    """So many series of an input, read and checked."""
    companies = read_portfolio(str(source)).companies
    return [case for company in companies for case in check_company(company).cases][:count]


def state(cases: Sequence[Case], folder: Path) -> None:
    """The statement of each, as a file in a folder that is new."""
    out = OutFolder(Path(tempfile.mkdtemp(dir=folder)))
    with locked(out, "series"), uncollected():
        for start in range(0, len(cases), SERIES_IN_TASK):  # as the export has them in a task
            some = cases[start : start + SERIES_IN_TASK]
            made = statements(some, [result_of(case) for case in some])
            for number, data in enumerate(made, start):
                assert isinstance(data, bytes)
                out.place(f"series/{number}.xlsx", data, "")


def processes(count: int) -> None:
    """The whole command on one process and on two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = str(portfolio_of(count * MANY, folder / "in"))
        made: list[Path] = []

        def whole(workers: int) -> None:
            made.append(Path(tempfile.mkdtemp(dir=folder)))  # what stands is not written again
            export(source, made[-1], Settings(workers=workers))

        taken = in_turn(partial(whole, 1), partial(whole, 2))
        done = len(list((made[-1] / "series").iterdir()))
        print(f"\nThe whole command, reading and checking included, for {done:,} series")
        for label, seconds in zip(("one process", "two processes"), taken, strict=True):
            print(f"  {label:<44}{seconds:8.2f} s   {seconds / done * 1e3:.2f} ms each")
        print(f"  {'one / two':<44}{taken[0] / taken[1]:8.2f}")


# The memory.

GENERATED = """
import re, sys
sys.path.insert(0, sys.argv[2])
from benchmarks.export import *
plan = register_plan_of_twelve()
def rows(count):
    for n in range(count):
        yield (f"Holder {n % 9973}", "Company", "Series A", DAY, n, 1.5, 1.25, 1.2, 1, 0, n * 1.2, int(n * 1.2))
def megabytes(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
with open(sys.argv[3], "w+b") as file:
    plan.write(file, {}, {"lines": rows(10)}, as_of=DAY)
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before = megabytes("VmRSS")
with open(sys.argv[3], "w+b") as file:
    plan.write(file, {}, {"lines": rows(int(sys.argv[1]))}, as_of=DAY)
print(megabytes("VmHWM") - before)
"""


def memory(*counts: int) -> None:
    """The table of the memory; Linux tells the peak of a part of a process."""
    print("\nMemory that streaming the register takes at most")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", GENERATED, str(count), str(Path(__file__).parents[1])]
            done = subprocess.run(
                [*command, str(Path(folder) / "register.xlsx")], capture_output=True, text=True, check=True
            )
        print(f"  {f'{count:,} rows':<44}{float(done.stdout):8.0f} MB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of the register")
    parser.add_argument("--workbooks", type=int, default=1_000)
    parser.add_argument(
        "--bulk", type=int, default=1_000_000, help="rows of the register whose memory is measured"
    )
    options = parser.parse_args(arguments)
    workbooks(options.workbooks)
    processes(options.workbooks)
    register(options.rows)
    memory(options.rows, options.bulk)


if __name__ == "__main__":
    main()
