"""The commands template and refresh, as typed: results on stdout, one line and a hint on stderr, exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from support.commands import Outcome, Run
from support.excel_objects import Cell, Desktop, Name, desktop
from support.excel_objects import Workbook as OpenWorkbook

from xl_conversion.books.refresh.package import Package
from xl_conversion.books.refresh.slots import Slots
from xl_conversion.books.statements.series import series_plan


@pytest.fixture
def company(run: Run, tmp_path: Path) -> Path:
    """The input of a company with three series, and model.xlsx of the first of them."""
    assert run("example", "company", "--of", "company").code == 0
    assert run("template", "price", "--out", "model.xlsx", "--from", "company", "--series", "Series A").code == 0
    return tmp_path / "company"


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def value(path: str, name: str) -> Any:
    slots = Slots(Package.open(Path(path)))
    return slots.value(slots.places[name])


def stops(outcome: Outcome, *words: str) -> None:
    """One line and a hint, exit code 2, nothing on stdout."""
    assert (outcome.code, outcome.out) == (2, "")
    line, *rest = outcome.err.splitlines()
    assert len(rest) == 1
    assert rest[0].startswith("  hint: ")
    for word in words:
        assert word in outcome.err, outcome.err
    assert line.isprintable()


class TestTemplate:
    @pytest.mark.parametrize("model", ["price", "chain"])
    def test_of_the_notice_blank_and_from_an_input(self, run: Run, model: str) -> None:
        assert run("example", "notice").code == 0
        assert run("template", model, "--out", "shipped.xlsx").out == "shipped.xlsx\n"
        assert run("template", model, "--out", "blank.xlsx", "--blank").code == 0
        assert run("template", model, "--out", "filled.xlsx", "--from", "notice").code == 0
        company = [value(f"{name}.xlsx", "in_company") for name in ("shipped", "blank", "filled")]
        assert company == ["Vsource, Inc.", None, "Vsource, Inc."]

    def test_series_event_and_day(self, run: Run, company: Path) -> None:
        arguments = ("template", "price", "--out", "other.xlsx", "--from", "company", "--series", "Series B")
        outcome = run(*arguments, "--event", "Lender warrants", "--as-of", "2020-12-31")
        assert outcome.code == 0
        assert value("other.xlsx", "in_series") == "Series B"
        assert value("other.xlsx", "in_event") == "Lender warrants"
        assert value("other.xlsx", "in_as_of") == 44196.0

    def test_names_of_a_design(self, run: Run, tmp_path: Path) -> None:
        outcome = run("template", "statement", "--names")
        assert (outcome.code, outcome.err) == (0, "")
        assert not list(tmp_path.iterdir())
        plan = series_plan()
        printed = {line.split()[0] for line in outcome.out.splitlines() if line.split()}
        assert {name for name in plan.names if len(name) < 20} <= printed
        assert {f"{table}.{column}" for table, columns in plan.tables.items() for column in columns} <= printed
        assert re.search(r"price +Conversion price +Statement!C10 +0\.473", outcome.out)
        stops(run("template", "price", "--names"), "--names")
        stops(run("template", "statement", "--names", "--out", "ours.xlsx"), "--names")
        assert run("template", "statement").err.splitlines()[-1] == "Error: Missing option '--out'."

    def test_room(self, run: Run) -> None:
        assert run("template", "price", "--out", "m.xlsx", "--blank", "--holders", "40", "--events", "9").code == 0
        tables = Slots(Package.open(Path("m.xlsx"))).tables
        rooms = [
            tables[n].last - tables[n].first + 1 for n in ("in_holders", "in_earlier_events", "in_later_events")
        ]
        assert rooms == [40, 9, 4]
        assert run("template", "chain", "--out", "c.xlsx", "--blank", "--holders", "7").code == 0
        notes = Slots(Package.open(Path("c.xlsx"))).tables["in_notes"]
        assert notes.last - notes.first + 1 == 7

    def test_a_file_that_is_there(self, run: Run) -> None:
        Path("m.xlsx").write_bytes(b"mine")
        stops(run("template", "price", "--out", "m.xlsx", "--blank"), "m.xlsx is there already", "--force")
        assert Path("m.xlsx").read_bytes() == b"mine"
        assert run("template", "price", "--out", "m.xlsx", "--blank", "--force").code == 0
        assert value("m.xlsx", "in_company") is None

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ("--out m.xls", ["m.xls: a model is an .xlsx workbook"]),
            ("--out m", ["m: a model is an .xlsx workbook"]),
            ("--out m.xlsx --blank --from company", ["--blank and --from contradict each other"]),
            ("--out m.xlsx --from company", ["several series", "--series"]),
            ("--out m.xlsx --from company --series A", ["no series A", "Series A, Series B, Series C"]),
            ("--out m.xlsx --from company --event Bridge", ["several series"]),
            ("--out m.xlsx --from nowhere", ["nowhere"]),
            ("--out no/folder/m.xlsx --blank", ["the folder", "does not exist"]),
            ("--out m.xlsx --series X", ["--series", "--from"]),
            ("--out m.xlsx --blank --as-of 2020-01-01", ["--as-of", "--from"]),
            (
                "--out m.xlsx --from company --holders 2 --series=Series\xa0A",
                ["3 certificates of holders", "--holders"],
            ),
            ("--out m.xlsx --from company --events 2 --series=Series\xa0A", ["3 earlier events", "--events"]),
            ("--out m.xlsx --from company --events 4 --series=Series\xa0A", ["3 later events", "--events"]),
        ],
    )
    def test_what_cannot_be_is_told_in_one_line(
        self, run: Run, company: Path, arguments: str, words: list[str]
    ) -> None:
        outcome = run("template", "price", *(one.replace("\xa0", " ") for one in arguments.split(" ")))
        stops(outcome, *words)
        assert not Path("m.xlsx").exists()

    def test_a_chain_that_there_is_no_room_or_no_input_for(self, run: Run, company: Path) -> None:
        stops(run("template", "chain", "--out", "c.xlsx", "--from", "company"), "conversions", "no row")
        assert run("example", "notice").code == 0
        path = Path("notice/conversions.csv")
        header, row = path.read_text().splitlines()
        others = [row.replace("Notes,,", f"Notes,H{number},") for number in range(3)]
        path.write_text("\n".join([header, *others]))
        arguments = ("template", "chain", "--out", "c.xlsx", "--from", "notice", "--holders", "2")
        stops(run(*arguments), "3 holders", "--holders")
        stops(
            run("template", "chain", "--out", "c.xlsx", "--from", "notice", "--series", "X"), "--series", "price"
        )

    def test_wrong_data_is_told_whole(self, run: Run, company: Path) -> None:
        replaced(company / "events.csv", "2020-09-01", "yesterday")
        replaced(company / "holders.csv", "1000000", "many")
        outcome = run("template", "price", "--out", "m.xlsx", "--from", "company", "--series", "Series A")
        assert outcome.code == 2
        assert "events.csv, row 4: date is 'yesterday'" in outcome.err
        assert "holders.csv, row 2: shares is 'many'" in outcome.err
        assert not Path("m.xlsx").exists()

    def test_help_has_examples(self, run: Run) -> None:
        for command in ("template", "refresh"):
            text = run(command, "--help").out
            assert "Examples:" in text
            assert text.count(f"  xl-conversion {command}") >= 2


class TestRefresh:
    def test_shows_what_changed(self, run: Run, company: Path) -> None:
        replaced(company / "events.csv", ",0.05,1.60", ",0.10,1.60")
        told = run("refresh", "model.xlsx", "--from", "company", "--dry-run")
        assert told.code == 0
        assert "Cells that would change" in told.out
        assert re.search(r"Events!H25 +Dividend: Money per share +0\.05 +0\.1\b", told.out)
        assert "conversion price now: 0.473 before, 0.4578 after" in told.out
        assert told.out.endswith("model.xlsx: nothing was written\n")
        done = run("refresh", "model.xlsx", "--from", "company")
        assert done.code == 0
        assert "Cells that changed" in done.out
        assert re.search(r"^model\.xlsx\nas it was: .*model\.backup-[0-9a-f]{12}\.xlsx$", done.out, re.MULTILINE)
        assert value("model.xlsx", "out_conversion_price_now") == 0.4578
        again = run("refresh", "model.xlsx", "--from", "company")
        assert (again.code, again.out) == (0, "model.xlsx: nothing changes\n")
        assert again.err == "note: 1 of the notices given differ from the recomputed figures: see Price history\n"

    def test_without_a_backup(self, run: Run, company: Path) -> None:
        replaced(company / "events.csv", ",0.05,1.60", ",0.10,1.60")
        assert run("refresh", "model.xlsx", "--from", "company", "--no-backup").code == 0
        assert sorted(path.name for path in Path().iterdir()) == ["company", "model.xlsx"]

    def test_what_is_kept_is_listed_and_gives_3(self, run: Run, company: Path) -> None:
        replaced(company / "securities.csv", "800000,0.75", "900000,0.75")
        before = Path("model.xlsx").read_bytes()
        outcome = run("refresh", "model.xlsx", "--from", "company")
        assert outcome.code == 3
        assert "Kept as they are: a notice was issued on it" in outcome.out
        assert re.search(r"Events!A10 +Lender wa.*: Shares +800,000 +900,000", outcome.out)
        told = json.loads(run("refresh", "model.xlsx", "--from", "company", "--json").out)
        assert not told["written"]
        assert {"sheet", "cell", "input", "has", "given", "why"} == told["kept"][0].keys()
        assert Path("model.xlsx").read_bytes() == before

    def test_days_are_days(self, run: Run, company: Path) -> None:
        arguments = ("refresh", "model.xlsx", "--from", "company", "--as-of", "2022-07-01", "--dry-run")
        assert re.search(r"Inputs!C14 +As of +2022-10-01 +2022-07-01", run(*arguments).out)
        told = json.loads(run(*arguments, "--json").out)
        change = next(one for one in told["changes"] if one["input"] == "As of")
        assert (change["old"], change["new"]) == ("2022-10-01", "2022-07-01")
        assert (told["written"], told["backup"]) == (False, None)

    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_each_cell_is_a_line(
        self, run: Run, company: Path, monkeypatch: pytest.MonkeyPatch, width: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", str(width))
        assert run("template", "price", "--out", "blank.xlsx", "--blank").code == 0
        arguments = ("refresh", "blank.xlsx", "--from", "company", "--series", "Series A")
        outcome = run(*arguments, "--dry-run")
        number = len(json.loads(run(*arguments, "--dry-run", "--json").out)["changes"])
        lines = outcome.out.splitlines()
        assert max(map(len, lines)) <= max(width, 60)
        assert sum("!" in line for line in lines) == number > 100
        shown = run(*arguments).out
        assert f"... and {number - 40} more; --json lists all" in shown
        assert sum("!" in line for line in shown.splitlines()) == 40

    def test_from_a_chain_model(self, run: Run) -> None:
        assert run("example", "notice").code == 0
        Path("notice/stated.csv").unlink()
        assert run("template", "price", "--out", "model.xlsx", "--from", "notice").code == 0
        assert run("template", "chain", "--out", "chain.xlsx", "--from", "notice").code == 0
        outcome = run("refresh", "model.xlsx", "--from", "chain.xlsx")
        assert outcome.code == 0
        assert re.search(r"Securities issued!C5 +Conve.*: Shares +45,575,951 +45,575,960", outcome.out)

    def test_a_macro_workbook(self, run: Run) -> None:
        assert run("excel", "build", "--out", "built").code == 0
        (model,) = Path("built").glob("*price-model*.xlsm")
        assert run("example", "notice").code == 0
        replaced(Path("notice/series.csv"), "6.41,6.41", "6.50,6.41")
        with ZipFile(model) as archive:
            macros = archive.read("xl/vbaProject.bin")
        outcome = run("refresh", str(model), "--from", "notice", "--no-backup")
        assert outcome.code == 0, outcome.err
        with ZipFile(model) as archive:
            assert archive.read("xl/vbaProject.bin") == macros
        assert value(str(model), "in_original_issue_price") == 6.5

    def test_wrong_data_is_told_whole(self, run: Run, company: Path) -> None:
        replaced(company / "events.csv", "2020-09-01", "yesterday")
        replaced(company / "holders.csv", "1000000", "many")
        before = Path("model.xlsx").read_bytes()
        outcome = run("refresh", "model.xlsx", "--from", "company")
        assert (outcome.code, outcome.out) == (2, "")
        assert "events.csv, row 4: date is 'yesterday'" in outcome.err
        assert "holders.csv, row 2: shares is 'many'" in outcome.err
        assert Path("model.xlsx").read_bytes() == before

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ("none.xlsx --from company", ["no file none.xlsx"]),
            ("company --from company", ["company"]),
            ("company/series.csv --from company", ["series.csv is no Excel workbook"]),
            ("old.xls --from company", ["old format (.xls)"]),
            ("other.xlsx --from company", ["no model of xl-conversion", "xl-conversion template"]),
            ("model.xlsx --from nowhere", ["nowhere"]),
            ("model.xlsx --from model.xlsx", ["model.xlsx"]),
            ("model.xlsx --from other.xlsx", ["other.xlsx"]),
            ("model.xlsx --from company --event Nothing", ["no event Nothing"]),
            ("model.xlsx --from company --event Split", ["by no formula"]),
            ("model.xlsx --from company --series Other", ["of Series A, not of Other"]),
            ("model.xlsx --from company --as-of 2019-12-31", ["Bridge, the event under study, is after"]),
            ("model.xlsx --from company --live", ["Excel on Windows only", "without --live"]),
        ],
    )
    def test_what_cannot_be_is_told_in_one_line(
        self, run: Run, company: Path, arguments: str, words: list[str]
    ) -> None:
        Workbook().save("other.xlsx")
        Path("old.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)
        before = Path("model.xlsx").read_bytes()
        outcome = run("refresh", *arguments.split())
        assert (outcome.code, outcome.out) == (2, "")
        for word in words:
            assert word in outcome.err, outcome.err
        assert "  hint: " in outcome.err
        assert Path("model.xlsx").read_bytes() == before

    @pytest.mark.parametrize("lock", ["~$model.xlsx", ".~lock.model.xlsx#"])
    def test_open_elsewhere(self, run: Run, company: Path, lock: str) -> None:
        replaced(company / "events.csv", ",0.05,1.60", ",0.10,1.60")
        Path(lock).write_bytes(b"")
        before = Path("model.xlsx").read_bytes()
        stops(run("refresh", "model.xlsx", "--from", "company"), "model.xlsx is open", f"a crash has left {lock}")
        assert run("refresh", "model.xlsx", "--from", "company", "--dry-run").code == 0
        assert Path("model.xlsx").read_bytes() == before

    def test_read_only(self, run: Run, company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        replaced(company / "events.csv", ",0.05,1.60", ",0.10,1.60")
        before = Path("model.xlsx").read_bytes()
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # the administrator may write everything
        stops(run("refresh", "model.xlsx", "--from", "company"), "model.xlsx is read-only")
        assert Path("model.xlsx").read_bytes() == before

    @pytest.mark.parametrize(
        ("table", "old", "new"),
        [
            ("holders", "Birch Partners", "=cmd|' /C calc'!A0"),
            ("holders", "Birch Partners", "+1+1"),
            ("holders", "Birch Partners", "Б&<>\"' 東京 😀"),
            ("holders", "Birch Partners", "B" * 5000),
            ("holders", "416667", "1"),
            ("holders", "416667", "9" * 30),
            ("events", "Bridge recount,", "Bridge [bold]recount[/bold],"),
        ],
    )
    def test_odd_data_goes_in_as_it_is_or_is_refused(
        self, run: Run, company: Path, table: str, old: str, new: str
    ) -> None:
        quoted = f'"{new.replace(chr(34), chr(34) * 2)}"' if '"' in new else new
        replaced(company / f"{table}.csv", old, quoted)
        outcome = run("refresh", "model.xlsx", "--from", "company")
        assert outcome.code in (0, 2), outcome.err
        if outcome.code == 2:
            assert outcome.out == ""
            return
        package = Package.open(Path("model.xlsx"))
        cells = [cell for sheet in package.sheets for cell in package.cells(sheet.title).values()]
        if table == "holders" and not new.isdigit():
            assert any(cell.value == new and not cell.formula for cell in cells)


# In an open Excel


@pytest.fixture
def machine() -> Iterator[Desktop]:
    with desktop() as machine:
        yield machine


def opened(machine: Desktop, path: Path) -> OpenWorkbook:
    """The workbook as Excel has it open, without its formulas: the fake Excel multiplies and nothing else."""
    package = Package.open(path)
    book = machine.start().open(str(path), *(sheet.title for sheet in package.sheets))
    for sheet in package.sheets:
        book[sheet.title].code_name = sheet.code_name
        for coordinate, cell in package.cells(sheet.title).items():
            book[sheet.title][coordinate] = Cell(cell.value, formula=f"={cell.formula}" if cell.formula else "")
    book.names = [Name(book, name, f"={target}") for name, target in package.names.items()]
    return book


@pytest.mark.skipif(sys.platform == "win32", reason="the fake takes the place of pywin32")
class TestLive:
    def test_changes_what_the_file_refresh_changes_and_saves_nothing(
        self, run: Run, company: Path, machine: Desktop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replaced(company / "events.csv", ",0.05,1.60", ",0.10,1.60")
        replaced(company / "holders.csv", "A-1,1000000", "A-1,900000")
        path = Path("model.xlsx").resolve()
        shutil.copy(path, "file.xlsx")
        before, book = path.read_bytes(), opened(machine, path)
        there = Package.open(path)
        told = json.loads(run("refresh", str(path), "--from", "company", "--live", "--dry-run", "--json").out)
        assert book["Events"]["H25"].content == 0.05
        live = json.loads(run("refresh", str(path), "--from", "company", "--live", "--json").out)
        file = json.loads(run("refresh", "file.xlsx", "--from", "company", "--json").out)
        assert live["changes"] == file["changes"] == told["changes"]
        assert live["before"] == file["before"]
        assert live["written"]
        assert live["backup"] is None
        for change in file["changes"]:
            assert book[change["sheet"]][change["cell"]].content == change["new"]
        inputs = {(c["sheet"], c["cell"]) for c in file["changes"]}
        for sheet in there.sheets:
            for coordinate, cell in there.cells(sheet.title).items():
                if not cell.formula and (sheet.title, coordinate) not in inputs:
                    assert book[sheet.title][coordinate].content == cell.value
        assert book["Change log"]["B6"].content == "Refreshed from company"
        assert (book.saves, path.read_bytes()) == (0, before)

    def test_says_so(self, run: Run, company: Path, machine: Desktop) -> None:
        replaced(company / "holders.csv", "A-1,1000000", "A-1,900000")
        path = Path("model.xlsx").resolve()
        opened(machine, path)
        assert (
            f"{path}: changed in Excel; save it there"
            in run("refresh", str(path), "--from", "company", "--live").out
        )

    def test_excel_is_not_running(self, run: Run, company: Path, machine: Desktop) -> None:
        stops(run("refresh", "model.xlsx", "--from", "company", "--live"), "Excel is not running")
