"""The command line: results on stdout, one line and a hint on stderr, exit codes that scripts can rely on."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.commands import Run

from xl_conversion import __version__, cli
from xl_conversion.functions.catalogue import CATALOGUE
from xl_conversion.functions.pages import function_table
from xl_conversion.inputs.pages import tables_text

SCRIPT = shutil.which("xl-conversion", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def notice(run: Run, tmp_path: Path) -> Path:
    """The example's input."""
    assert run("example", "notice").code == 0
    return tmp_path / "notice"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestCall:
    @pytest.mark.parametrize(
        ("arguments", "result"),
        [
            ("CP_SPLIT 50 2 1", "25"),
            ("cp_split 50 2 1", "25"),
            ("CP_SPLIT 50. .2e1 +1", "25"),
            ("CP_WEIGHTED_AVERAGE 6.41 33831184 8187842.70 81728433 1411724 2", "2"),
            ("CP_WEIGHTED_AVERAGE 6.41 33831184 8187842.70 81728433 1411724", "2.001301181799737"),
            ("CP_ROUND -3.205 2", "-3.21"),
            ("CP_ROUND -- -3.205 2", "-3.21"),
            ("CP_ROUND -.5 0", "-1"),
            ("CP_ROUND -1e2 -3", "0"),
            ("CP_ROUND 3.205 2 half_even", "3.2"),
            ("CP_ROUND 3.205 2 NORMAL", "3.21"),
            ("CP_VERSION", __version__),
            ("CP_ROUND --exact 3.205 2", "641/200"),
            ("CP_ROUND --exact -- -3.205 2 half_even", "-641/200"),
            ("CP_SPLIT 50 2 1 --exact", "25"),
            ("CP_WEIGHTED_AVERAGE --exact 6.41 33831184 8187842.70 81728433 1411724", "3901581383/1949522350"),
        ],
    )
    def test_gives_the_result(self, run: Run, arguments: str, result: str) -> None:
        outcome = run("call", *arguments.split())
        assert (outcome.code, outcome.out, outcome.err) == (0, result + "\n", "")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["CP_SPLIT"], "#VALUE! CP_SPLIT: conversion_price is blank; a number is required"),
            (["CP_SPLIT", "50", "", "1"], "#VALUE! CP_SPLIT: split_new is blank; a number is required"),
            (
                ["CP_SPLIT", "50", "two", "1"],
                "#VALUE! CP_SPLIT: split_new is the text 'two'; a number is required",
            ),
            (["CP_SPLIT", "50", '"2"', "1"], "#VALUE! CP_SPLIT: split_new is the text '2'; a number is required"),
            (
                ["CP_SPLIT", "50", "TRUE", "1"],
                "#VALUE! CP_SPLIT: split_new is TRUE; a number is required, not a boolean",
            ),
            (
                ["CP_SPLIT", "50", "2002-02-05", "1"],
                "#VALUE! CP_SPLIT: split_new is the date 2002-02-05; a number is required",
            ),
            (
                ["CP_SPLIT", "50", "2002-02-30", "1"],
                "#VALUE! CP_SPLIT: split_new is the text '2002-02-30'; a number is required",
            ),
            (["CP_SPLIT", "50", "#N/A", "1"], "#N/A CP_SPLIT: split_new is #N/A; an error is handed on"),
            (["CP_SPLIT", "50", "#div/0!", "1"], "#DIV/0! CP_SPLIT: split_new is #DIV/0!; an error is handed on"),
            (["CP_SPLIT", "50", "-2", "1"], "#NUM! CP_SPLIT: split_new is -2; it must be above 0"),
            (["CP_SPLIT", "-5", "2", "1"], "#NUM! CP_SPLIT: conversion_price is -5; it must be above 0"),
            (
                ["CP_SPLIT", "1e999", "2", "1"],
                "#NUM! CP_SPLIT: conversion_price is beyond what a cell can hold; "
                "a number that a cell can hold is required",
            ),
            (["CP_ROUND", "nan", "2"], "#VALUE! CP_ROUND: number is the text 'nan'; a number is required"),
            (
                ["CP_ROUND", "1", "2", "up"],
                "#VALUE! CP_ROUND: rounding_type is 'up'; it must be one of half_up, half_even, floor, ceiling",
            ),
            (["CP_SPLIT", "1", "2", "3", "4", "floor", "6"], "#VALUE! CP_SPLIT: 6 arguments; it takes at most 5"),
            (["CP_VERSION", "1"], "#VALUE! CP_VERSION: 1 arguments; it takes at most 0"),
            (["CP_ROUND", "--exact", "1", "1.5"], "#NUM! CP_ROUND: decimals is 1.5; it must be a whole number"),
        ],
    )
    def test_an_error_names_argument_value_and_rule(self, run: Run, arguments: list[str], message: str) -> None:
        outcome = run("call", *arguments)
        assert (outcome.code, outcome.out) == (1, "")
        error, hint = outcome.errors()
        assert error.startswith(message)
        assert hint.startswith(f"  hint: {arguments[0]}(")

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("CP_SPLITS", "did you mean CP_SPLIT?"),
            ("cp_weigted_average", "did you mean CP_WEIGHTED_AVERAGE?"),
            ("SUM", "xl-conversion functions lists them"),
            ("x" * 1000, "xl-conversion functions lists them"),
        ],
    )
    def test_an_unknown_function(self, run: Run, name: str, hint: str) -> None:
        outcome = run("call", name, "1")
        assert (outcome.code, outcome.out) == (1, "")
        error, given = outcome.errors()
        assert re.fullmatch(r"#NAME\? \S{1,40}: there is no such function", error)
        assert given == f"  hint: {hint}"

    @pytest.mark.parametrize("place", [0, 2])
    def test_a_misspelt_option_is_no_argument(self, run: Run, place: int) -> None:
        arguments = ["CP_SPLIT", "50", "2", "1"]
        arguments.insert(place, "--exakt")
        outcome = run("call", *arguments)
        assert outcome.code in (1, 2)
        assert "--exakt" in outcome.err

    def test_a_range_gives_rows(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "prices.csv").write_text("2.00\n\n4\n#N/A\n", encoding="utf-8")
        outcome = run("call", "CP_RATIO", "6.41", "@prices.csv")
        assert (outcome.code, outcome.out) == (1, "3.205\n#VALUE!\n1.6025\n#N/A\n")
        assert outcome.errors() == [
            "row 2: #VALUE! CP_RATIO: conversion_price is blank; a number is required",
            "row 4: #N/A CP_RATIO: conversion_price is #N/A; an error is handed on",
            "  hint: CP_RATIO(original_issue_price, conversion_price, [decimals], [rounding_type])",
        ]

    def test_an_error_in_a_grid_is_located(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "new.csv").write_text("2,x\n")
        (tmp_path / "price.csv").write_text("50\n100\n")
        outcome = run("call", "CP_SPLIT", "@price.csv", "@new.csv", "1")
        assert (outcome.code, outcome.out) == (1, "25\t#VALUE!\n50\t#VALUE!\n")
        assert outcome.errors()[:2] == [
            f"row {row}, column 2: #VALUE! CP_SPLIT: split_new is the text 'x'; a number is required"
            for row in (1, 2)
        ]

    def test_many_errors_are_counted(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "prices.csv").write_text("x\n" * 30)
        errors = run("call", "CP_RATIO", "6.41", "@prices.csv").errors()
        assert len(errors) == 22
        assert errors[19].startswith("row 20: #VALUE! ")
        assert errors[20] == "... and 10 more"

    @pytest.mark.parametrize("text", [" 6.41 ", "2,000", "1 000.5"])
    def test_spaces_and_commas_in_a_number(self, run: Run, text: str) -> None:
        outcome = run("call", "CP_ROUND", text, "2")
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.errors() == [
            f"#VALUE! CP_ROUND: number is the text {text!r}; a number is required",
            "  hint: remove spaces and commas",
        ]

    def test_commas_in_a_range(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "prices.csv").write_text('1\n"2,000"\n')
        assert run("call", "CP_ROUND", "@prices.csv", "2").errors() == [
            "row 2: #VALUE! CP_ROUND: number is the text '2,000'; a number is required",
            "  hint: remove spaces and commas",
        ]

    def test_a_column_and_a_row_give_a_grid(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "new.csv").write_text("2,4,5\n")
        (tmp_path / "price.csv").write_bytes(b"\xef\xbb\xbf50\r\n100\r\n")
        outcome = run("call", "CP_SPLIT", "@price.csv", "@new.csv", "1")
        assert (outcome.code, outcome.out, outcome.err) == (0, "25\t12.5\t10\n50\t25\t20\n", "")
        exact = run("call", "--exact", "CP_SPLIT", "@price.csv", "3", "1")
        assert exact.out == "50/3\n100/3\n"

    def test_ranges_of_different_sizes(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "two.csv").write_text("1\n2\n")
        (tmp_path / "three.csv").write_text("1\n2\n4\n")
        outcome = run("call", "CP_SPLIT", "@two.csv", "@three.csv", "1")
        assert (outcome.code, outcome.out) == (1, "1\n1\n#N/A\n")

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (None, "it cannot be read: No such file or directory"),
            (b"", "it is empty"),
            (b"\xff\xfe1\0", "not UTF-8 text"),
            (b'1\n"2\n', "not CSV: unexpected end of data"),
        ],
    )
    def test_a_range_that_cannot_be_read(self, run: Run, tmp_path: Path, content: bytes | None, rule: str) -> None:
        if content is not None:
            (tmp_path / "range.csv").write_bytes(content)
        outcome = run("call", "CP_RATIO", "6.41", "@range.csv")
        assert (outcome.code, outcome.out) == (2, "")
        error, hint = outcome.errors()
        assert error.startswith("range.csv")
        assert error.endswith(rule)
        assert hint.startswith("  hint: ")

    def test_a_stated_figure_stays_as_it_is_written(self, run: Run, tmp_path: Path) -> None:
        tables = {
            "stated": "event,item,stated\nSplit,conversion_price,5.00\n",
            "series": "series,original_issue_price,conversion_price\nA,10,9.99\n",
            "events": "event,date,kind,split_new,split_old\nSplit,2026-01-15,split,2,1\n",
        }
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        outcome = run("call", "CP_TIE_OUT", "@stated.csv", "@series.csv", "@events.csv")
        assert outcome.code == 0
        assert outcome.out.splitlines()[1].split("\t")[3:9] == ["5.00", "4.995", "5.00", "0.005", "0.005", "ties"]

    def test_every_example_of_the_catalogue(self, run: Run) -> None:
        for function in CATALOGUE:
            outcome = run("call", function.name, *function.example)
            shown = outcome.out.rstrip("\n")
            if function.spills:
                shown = " | ".join(shown.splitlines()[-1].split("\t"))
            assert (outcome.code, shown) == (0, function.example_result), function.name


class TestFunctions:
    def test_lists_every_one(self, run: Run) -> None:
        outcome = run("functions")
        signatures = [line for line in outcome.out.splitlines() if line.startswith("CP_")]
        assert (outcome.code, outcome.err) == (0, "")
        assert signatures == [function.signature for function in CATALOGUE]

    def test_explains_one(self, run: Run) -> None:
        outcome = run("functions", "cp_split")
        assert outcome.code == 0
        assert outcome.out.startswith(
            "CP_SPLIT(conversion_price, split_new, split_old, [decimals], [rounding_type])\n"
        )
        for words in (
            "split_old (shares of common; it must be above 0)",
            "CP1 x old / new",
            "Example: =CP_SPLIT(50,2,1)\n    gives 25\n",
        ):
            assert words in outcome.out
        assert max(map(len, outcome.out.splitlines())) < 100
        assert run("functions", "CP_SPLITT").errors()[1] == "  hint: did you mean CP_SPLIT?"

    def test_json_is_the_whole_catalogue(self, run: Run) -> None:
        assert json.loads(run("functions", "--json").out) == [
            json.loads(json.dumps(function.as_dict())) for function in CATALOGUE
        ]
        (one,) = json.loads(run("functions", "--json", "CP_ROUND").out)
        assert one["name"] == "CP_ROUND"

    def test_markdown_is_the_table_of_the_pages(self, run: Run) -> None:
        assert run("functions", "--markdown").out == function_table() + "\n"


class TestTables:
    def test_lists_every_one(self, run: Run) -> None:
        outcome = run("tables")
        assert (outcome.code, outcome.out, outcome.err) == (0, tables_text() + "\n", "")

    def test_explains_one(self, run: Run) -> None:
        outcome = run("tables", "events")
        assert (outcome.code, outcome.out, outcome.err) == (0, tables_text("events") + "\n", "")

    def test_another(self, run: Run) -> None:
        outcome = run("tables", "serie")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors() == ["there is no table serie", "  hint: xl-conversion tables lists them"]


class TestExample:
    @pytest.mark.parametrize(
        ("form", "names"),
        [
            ("csv", ["series.csv", "events.csv", "securities.csv", "conversions.csv", "stated.csv"]),
            ("json", ["vsource.json"]),
            ("xlsx", ["vsource.xlsx"]),
        ],
    )
    def test_writes_what_it_prints(self, run: Run, tmp_path: Path, form: str, names: list[str]) -> None:
        folder = Path("a") / "b"
        outcome = run("example", str(folder), "--format", form)
        source = str(folder) if form == "csv" else str(folder / names[0])
        assert (outcome.code, outcome.err) == (0, f"next: xl-conversion tie-out {source}\n")
        assert outcome.out.splitlines() == [str(folder / name) for name in names]
        before = tree(tmp_path)
        assert sorted(before) == sorted(outcome.out.split())
        assert run("example", str(folder), "--format", form).code == 0
        assert tree(tmp_path) == before
        assert run("tie-out", source).code == 3

    def test_keeps_files_that_differ(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "notice").mkdir()
        (tmp_path / "notice" / "stated.csv").write_text("mine")
        outcome = run("example", "notice")
        assert outcome.code == 2
        assert outcome.errors()[0] == f"Cannot write {Path('notice') / 'stated.csv'}: it is there and differs"
        assert tree(tmp_path) == {str(Path("notice") / "stated.csv"): b"mine"}

    @pytest.mark.parametrize("folder", ["file", "file/below"])
    def test_a_file_in_the_way(self, run: Run, tmp_path: Path, folder: str) -> None:
        (tmp_path / "file").write_text("x")
        outcome = run("example", folder)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors()[0].startswith(f"Cannot make the folder {Path(folder)}: ")

    def test_an_unknown_form(self, run: Run) -> None:
        outcome = run("example", "notice", "--format", "ods")
        assert outcome.code == 2
        assert "'ods' is not one of 'csv', 'json', 'xlsx'" in outcome.err


class TestTieOut:
    def test_many_problems_are_counted(self, run: Run, notice: Path) -> None:
        rows = "\n".join(f"Series 2-A Convertible Preferred,2002-02-05,A,,x{n}," for n in range(30))
        (notice / "stated.csv").write_text(f"series,event,item,subject,stated,source\n{rows}\n")
        outcome = run("tie-out", "notice")
        assert outcome.code == 2
        assert len(outcome.errors()) == 21
        assert outcome.errors()[-1] == "... and 9 more"  # of 29 rows that are there twice

    def test_an_input_that_is_not_there(self, run: Run) -> None:
        outcome = run("tie-out", "none")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors() == [
            "none: there is no such file or folder",
            "  hint: xl-conversion example DIR writes an input",
        ]

    def test_exceptions_are_shown_with_their_explanations(self, run: Run, notice: Path) -> None:
        outcome = run("tie-out", "notice")
        assert (outcome.code, outcome.err) == (3, "")
        assert max(map(len, outcome.out.splitlines())) <= 80
        assert "…" not in outcome.out
        flat = " ".join(outcome.out.split())
        for words in (
            "numerator 36,520,262 36,520,263 exception",
            "conversion_price $2.00 2.00 ties",
            "numerator: stated 36,520,262, recomputed 36,520,263, difference -0.5553... "
            "Reconciled by: rounded down (36,520,262).",
            "difference -149,994 None of the",
            "needs at least 10 holders",
            "Exactly 3.205, half-way between two digits.",
            "The other document says 2002-01-28.",
            "16 comparisons, 6 exceptions",
        ):
            assert words in flat

    def test_zero_when_all_tie(self, run: Run, notice: Path) -> None:
        (notice / "stated.csv").write_text(
            "series,event,item,stated\nSeries 2-A Convertible Preferred,2002-02-05,conversion_price,$2.00\n"
        )
        outcome = run("tie-out", "notice")
        assert outcome.code == 0
        assert outcome.out.splitlines()[-1] == "1 comparison, 0 exceptions"

    def test_one_exception(self, run: Run, notice: Path) -> None:
        (notice / "stated.csv").write_text(
            "series,event,item,stated\nSeries 2-A Convertible Preferred,2002-02-05,conversion_price,$3.00\n"
        )
        outcome = run("tie-out", "notice")
        assert (outcome.code, outcome.out.splitlines()[-1]) == (3, "1 comparison, 1 exception")
        done = run("export", "notice", "--out", "out")
        assert "  tie-out: 1 exception in 1 comparison" in done.out.splitlines()

    def test_exceptions_are_explained_before_what_ties(
        self, run: Run, notice: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "300")
        told = re.findall(r"^(\w+).*: stated .*, recomputed ", run("tie-out", "notice").out, re.M)
        findings = json.loads(run("tie-out", "notice", "--json").out)
        explained = [finding for finding in findings if finding["explanation"]]
        exceptions = [finding["item"] for finding in explained if finding["result"] == "exception"]
        ties = [finding["item"] for finding in explained if finding["result"] != "exception"]
        assert exceptions
        assert ties
        assert told == exceptions + ties

    def test_zero_and_a_word_when_nothing_is_stated(self, run: Run, notice: Path) -> None:
        (notice / "stated.csv").unlink()
        outcome = run("tie-out", "notice")
        assert outcome.code == 0
        assert "no stated figures" in outcome.out
        assert json.loads(run("tie-out", "notice", "--json").out) == []

    def test_json_is_exact(self, run: Run, notice: Path) -> None:
        outcome = run("tie-out", "notice", "--json")
        assert (outcome.code, outcome.err) == (3, "")
        findings = json.loads(outcome.out)
        (numerator,) = (f for f in findings if f["item"] == "numerator")
        assert (
            Fraction(numerator["recomputed"]) == 33_831_184 + Fraction("8187842.70") / Fraction("6.41") + 1_411_724
        )
        assert numerator["result"] == "exception"
        assert [f["outcome"] for f in numerator["tried"]].count("reconciles") == 1
        (dated,) = (f for f in findings if f["item"] == "date")
        assert (dated["recomputed"], dated["at_precision"]) == (None, "2002-01-28")

    def test_brackets_in_names_are_no_markup(self, run: Run, notice: Path) -> None:
        for table in notice.iterdir():
            table.write_text(table.read_text().replace("January 2001 Warrants", "[red]W[/red] [x]"))
        assert "[red]W[/red] [x]" in " ".join(run("tie-out", "notice").out.split())

    def test_several_events_are_told_apart(self, run: Run, notice: Path) -> None:
        for name in ("events", "securities", "stated"):
            table = notice / f"{name}.csv"
            header, *rows = table.read_text().splitlines()
            later = [row.replace(",2002-02-05,", ",later,", 1) for row in rows if "preferred_shares" not in row]
            later = [re.sub(r"(Notes|[Ww]arrants)(?=,)", r"\1 again", row, count=1) for row in later]
            table.write_text("\n".join([header, *rows, *later]) + "\n")
        outcome = run("tie-out", "notice")
        assert outcome.code == 3
        flat = " ".join(outcome.out.split())
        assert "2002-02-05: numerator 36,520,262" in flat
        assert "later: numerator 36,520,262" in flat


class TestHelp:
    COMMANDS = sorted(cli.cli.commands)

    def test_of_all(self, run: Run) -> None:
        outcome = run("--help")
        assert outcome.code == 0
        assert all(command in outcome.out for command in self.COMMANDS)
        assert run("-h").out == outcome.out
        bare = run()
        assert (bare.code, bare.err or bare.out) == (2, outcome.out)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_each_has_an_example_that_works(self, run: Run, notice: Path, tmp_path: Path, command: str) -> None:
        assert run("example", "company", "--of", "company").code == 0
        if command == "example":
            (tmp_path / "company").rename(tmp_path / "kept")
        outcome = run(command, "--help")
        assert outcome.code == 0
        (tmp_path / "prices.csv").write_text("2.00\n")
        rounds = {"conversion_price": 6, "outstanding": 9, "consideration": 6, "issued": 3, "other_securities": 1}
        for name, row in ("rounds", rounds), ("splits", {"conversion_price": 6, "split_new": 2, "split_old": 1}):
            pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"{name}.parquet")
        examples = outcome.out.partition("Example")[2].split("xl-conversion ")[1:]
        assert examples
        for example in examples:
            assert example.startswith((f"{command} ", "example ", "template "))
            assert run(*shlex.split(example)).code in (0, 3), example

    def test_version(self, run: Run) -> None:
        assert run("--version").out == f"xl-conversion, version {__version__}\n"

    @pytest.mark.parametrize("arguments", [["nope"], ["tie-ou", "x"], ["call"], ["functions", "--yaml"]])
    def test_wrong_usage(self, run: Run, arguments: list[str]) -> None:
        outcome = run(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors()[-1].startswith("Error: ")


class TestFailures:
    def test_what_was_not_foreseen_is_one_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("a\nb")

        monkeypatch.setattr("xl_conversion.functions.evaluate.evaluate", broken)
        outcome = run("call", "CP_VERSION")
        assert (outcome.code, outcome.out) == (70, "")
        assert outcome.errors() == [
            "internal error, RuntimeError: a b",
            "  hint: please report it; XL_CONVERSION_TRACEBACK=1 shows where it happened",
        ]

    def test_a_traceback_is_there_on_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("a")

        monkeypatch.setattr("xl_conversion.functions.evaluate.evaluate", broken)
        monkeypatch.setattr(sys, "argv", ["xl-conversion", "call", "CP_VERSION"])
        monkeypatch.setenv("XL_CONVERSION_TRACEBACK", "1")
        with pytest.raises(RuntimeError, match="a"):
            cli.main()

    def test_a_file_that_the_system_refuses(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object) -> None:
            raise PermissionError(13, "Permission denied", "a.csv")

        monkeypatch.setattr("xl_conversion.examples.write_example", denied)
        outcome = run("example", "notice")
        assert outcome.code == 2
        assert outcome.errors()[0] == "a.csv: Permission denied"


class TestInstalled:
    """The console script, in a process of its own."""

    def script(self, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        assert SCRIPT is not None
        return subprocess.run(
            [SCRIPT, *arguments],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def test_works(self, tmp_path: Path) -> None:
        assert self.script("call", "CP_SPLIT", "50", "2", "1", cwd=tmp_path).stdout == "25\n"
        failed = self.script("call", "CP_SPLIT", "50", "0", "1", cwd=tmp_path)
        assert (failed.returncode, failed.stdout) == (1, "")
        assert failed.stderr.startswith("#NUM! CP_SPLIT: split_new is 0; it must be above 0\n")

    def test_a_terminal_that_cannot_show_a_name(self, tmp_path: Path) -> None:
        self.script("example", "in", "--format", "json", cwd=tmp_path)
        source = tmp_path / "in" / "vsource.json"
        source.write_text(source.read_text().replace("Vsource, Inc.", "\\u0634\\u0631\\u0643\\u0629"))
        for encoding in ("ascii", "cp1252", "utf-8"):
            for command in (["tie-out", str(source)], ["export", str(source), "--out", "out"]):
                done = self.script(*command, cwd=tmp_path, PYTHONIOENCODING=encoding)
                assert (done.returncode, done.stderr) == (3 if command[0] == "tie-out" else 0, "")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--help"],
            ["functions"],
            ["functions", "--json"],
            ["functions", "--markdown"],
            ["call", "CP_SPLIT", "50", "2", "1"],
            ["call", "CP_SPLIT", "50", "@range.csv", "1"],
        ],
    )
    def test_loads_nothing_heavy(self, tmp_path: Path, arguments: list[str]) -> None:
        (tmp_path / "range.csv").write_text("1\n2\n")
        code = (
            "import atexit, sys\n"
            f"sys.argv = ['xl-conversion', *{arguments!r}]\n"
            "from xl_conversion.cli import main\n"
            "try:\n    main()\n"
            "except SystemExit as end:\n    assert not end.code\n"
            "heavy = {'openpyxl', 'xlwings', 'numpy', 'pydantic', 'pandas', 'rich'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_options_are_declared_once() -> None:
    for command in cli.cli.commands.values():
        names = [name for parameter in command.params for name in parameter.opts]
        assert len(names) == len(set(names))
        assert all(
            parameter.help
            for parameter in command.params
            if isinstance(parameter, click.Option)
            if parameter.name != "form"
        )
