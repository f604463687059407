"""The command on columns of numbers, as a whole: files in, a file, lines and exit codes out."""

from __future__ import annotations

import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.commands import Run

from xl_conversion.cli_compute import _Lines


@pytest.fixture
def run(run: Run) -> Run:
    """Runs the command in a folder of its own, where `rounds.parquet` is."""
    write([Decimal("81728433"), Decimal("2")])
    return partial(run, "compute")


def write(issued: list[Decimal | None]) -> None:
    rows = len(issued)
    table = pa.table(
        {
            "holder": ["Ä", "B", "C"][:rows],
            "conversion_price": pa.array([Decimal("6.41")] * rows),
            "outstanding": [33831184] * rows,
            "consideration": pa.array([Decimal("8187842.70")] * rows),
            "issued": pa.array(issued, pa.decimal128(18, 0)),
            "other_securities": [1411724.0] * rows,
        }
    )
    pq.write_table(table, "rounds.parquet")


def column(name: str) -> list[object]:
    found: list[object] = pq.read_table("prices.parquet").column(name).to_pylist()
    return found


def test_prices_of_all_rows(run: Run) -> None:
    done = run("rounds.parquet", "prices.parquet")
    assert (done.code, done.err) == (0, "")
    assert done.out == "prices.parquet: 2 rows, conversion_price_after as decimal128(3, 2)\n"
    assert column("conversion_price_after") == [Decimal("2.00"), Decimal("6.41")]
    assert column("holder") == ["Ä", "B"]
    again = run("rounds.parquet", "prices.parquet")
    assert again.out.endswith("(unchanged)\n")


def test_ways_to_round_and_names(run: Run) -> None:
    done = run(
        "rounds.parquet", "prices.parquet", "--decimals", "4", "--rounding-type", "CEILING", "--result", "cp2",
        "--workers", "3", "--quiet",
    )  # fmt: skip
    assert (done.code, done.out, done.err) == (0, "", "")
    assert column("cp2") == [Decimal("2.0014"), Decimal("6.41")]


def test_what_columns_say_goes_before_the_options_and_is_told(run: Run) -> None:
    table = pq.read_table("rounds.parquet")
    pq.write_table(table.append_column("decimals", pa.array([4, None])), "rounds.parquet")
    first, *told = run("rounds.parquet", "prices.parquet").out.splitlines()
    assert first.endswith("as decimal128(16, 15)")
    assert told == [
        "  rounded as the column decimals says; OUT shows all rows with the same decimals, filled with zeros"
    ]
    assert column("conversion_price_after") == [Decimal("2.0013"), Decimal("6.41")]
    both = run("rounds.parquet", "both.parquet", "--decimals", "1", "--rounding-type", "floor")
    assert both.out.splitlines()[1:] == [*told, "  --decimals counts only where the column decimals is blank"]
    assert pq.read_table("both.parquet").column("conversion_price_after").to_pylist()[0] == Decimal("2.0013")


def test_another_function(run: Run) -> None:
    pq.write_table(pa.table({"number": ["3.205", "-3.205"]}), "numbers.parquet")
    done = run("numbers.parquet", "prices.parquet", "--function", "cp_round", "--rounding-type", "half_even")
    assert done.code == 0
    assert column("round") == [Decimal("3.20"), Decimal("-3.20")]


def test_rows_that_cannot_be(run: Run) -> None:
    write([Decimal(1), Decimal(0), None])
    done = run("rounds.parquet", "prices.parquet")
    assert done.code == 2
    assert done.err.splitlines() == [
        "rounds.parquet, row 2: issued is '0'; it must be above 0",
        "  hint: --on-error null goes on without such rows",
        "rounds.parquet, row 3: issued is blank; a number is required",
        "  hint: --on-error null goes on without such rows",
    ]
    assert not Path("prices.parquet").exists()
    done = run("rounds.parquet", "prices.parquet", "--on-error", "null")
    assert done.code == 0
    assert done.out.splitlines()[1] == "  2 without a result; the column problem says why"
    assert column("problem") == [None, "issued is 0; it must be above 0", "issued is blank; a number is required"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("rounds.parquet rounds.parquet", "Cannot write rounds.parquet: it is the input"),
        ("none.parquet prices.parquet", "none.parquet: there is no such file"),
        ("rounds.parquet prices.parquet --function CP_SPLIT", "rounds.parquet: there is no column split_new"),
        ("rounds.parquet prices.parquet --function CP_SPLITT", "function: CP_SPLITT is no function for columns"),
        ("rounds.parquet prices.parquet --scheduler nowhere", "nowhere: it is not the address of a scheduler"),
    ],
)
def test_refusals_are_a_line_and_a_hint(run: Run, arguments: str, told: str) -> None:
    done = run(*arguments.split())
    assert done.code == 2
    first, hint, *_ = done.err.splitlines()
    assert first.startswith(told)
    assert hint.startswith("  hint: ")
    assert done.out == ""
    assert [path.name for path in Path().iterdir()] == ["rounds.parquet"]


def test_what_is_there_is_kept(run: Run) -> None:
    Path("prices.parquet").write_bytes(b"mine")
    done = run("rounds.parquet", "prices.parquet")
    assert (done.code, done.err.splitlines()[1]) == (2, "  hint: --force replaces it.")
    assert Path("prices.parquet").read_bytes() == b"mine"
    assert run("rounds.parquet", "prices.parquet", "--force").code == 0
    assert column("holder") == ["Ä", "B"]


def test_without_arrow(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("compute", "parquet", "columns", "plan", "quotients"):
        monkeypatch.delitem(sys.modules, f"xl_conversion.batch.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run("rounds.parquet", "prices.parquet")
    assert done.code == 2
    assert done.err.splitlines() == ["pyarrow is not installed", '  hint: pip install "xl-conversion[batch]"']


def test_a_log_gets_a_line_every_few_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    lines = _Lines(lambda: next(clock))
    for done in (100, 600, 700, 1200):
        lines(done, 2400)
    assert capfd.readouterr().err.splitlines() == [
        "600 of 2,400 rows, 100 a second, 18 s left",
        "1,200 of 2,400 rows, 100 a second, 12 s left",
    ]


def test_a_terminal_gets_a_bar(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = run("rounds.parquet", "prices.parquet")
    assert done.code == 0
    assert "2/2" in done.err
    assert "a second" in done.err
