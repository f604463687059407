"""The command export, as typed: files in the folder, lines on stdout and stderr, exit codes."""

from __future__ import annotations

import json
import os
import sys
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from support.commands import Outcome, Run

from xl_conversion import cli_export
from xl_conversion.books.statements.own import EVERY_NAME
from xl_conversion.cli_export import _Lines
from xl_conversion.inputs.problems import InputError

NAME = "Vsource, Inc. Series 2-A Convertible Preferred"
WORKBOOK = Path("out", "series", f"{NAME}.xlsx")


@pytest.fixture
def notice(run: Run, tmp_path: Path) -> Path:
    """The input of one series."""
    assert run("example", "notice").code == 0
    return tmp_path / "notice"


@pytest.fixture
def company(run: Run, tmp_path: Path) -> Path:
    """The input of a company of three series, with a whole life and holders."""
    assert run("example", "company", "--of", "company").code == 0
    return tmp_path / "company"


def tree(folder: str | Path) -> list[str]:
    """The files in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def two_series(notice: Path) -> None:
    """Adds the same once more, as another series."""
    for table in notice.iterdir():
        header, *rows = table.read_text(encoding="utf-8").splitlines()
        others = [row.replace("Series 2-A", "Series 4-A", 1) for row in rows]
        table.write_text("\n".join([header, *rows, *others]) + "\n", encoding="utf-8")


class TestExport:
    def test_prints_the_results_and_where_the_workbook_is(self, run: Run, notice: Path) -> None:
        outcome = run("export", "notice", "--out", "out")
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.splitlines() == [
            NAME,
            "  conversion price 6.41 -> 2.00, unrounded 2.0013011817...",
            "  common per preferred 3.20, unrounded 3.2029162118...",
            "  tie-out: 6 exceptions in 16 comparisons",
            f"  workbook: {WORKBOOK}",
            f"1 file written; {Path('out', 'manifest.json')} lists them",
        ]
        assert tree("out") == ["manifest.json", f"series/{NAME}.xlsx"]
        assert load_workbook(WORKBOOK).sheetnames[0] == "Statement"

    def test_again_changes_nothing(self, run: Run, notice: Path) -> None:
        run("export", "notice", "--out", "out")
        before, stat = WORKBOOK.read_bytes(), WORKBOOK.stat()
        outcome = run("export", "notice", "--out", "out")
        assert outcome.code == 0
        assert f"  workbook: {WORKBOOK} (unchanged)" in outcome.out.splitlines()
        assert outcome.out.splitlines()[-1].startswith("0 files written, 1 unchanged; ")
        assert (WORKBOOK.read_bytes(), WORKBOOK.stat().st_mtime_ns) == (before, stat.st_mtime_ns)

    def test_all_that_can_be_asked_for(self, run: Run, company: Path) -> None:
        each = ("--per", "series", "--per", "holder", "--per", "portfolio")
        outcome = run("export", "company", "--out", "out", *each, "--notice", "docx", "--ocf", "USD")
        assert (outcome.code, outcome.err) == (0, "")
        assert f"register: {Path('out', 'register.xlsx')}" in outcome.out.splitlines()
        found = tree("out")
        for letter in "ABC":
            stem = f"Example Robotics, Inc. Series {letter}"
            assert {f"series/{stem}.xlsx", f"notices/{stem}.docx", f"ocf/{stem}.ocf.json"} <= set(found)
        told = json.loads(Path("out/manifest.json").read_bytes())
        assert [one["path"] for one in told["files"]] == [name for name in found if name != "manifest.json"]
        assert told["settings"]["notices"] == ["docx"]
        only = run("export", "company", "--out", "out", "--per", "portfolio")
        assert only.out.splitlines()[-1].startswith("not part of this export, from an earlier one: holders/")
        assert tree("out") == found

    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_the_portfolio_to_try_it_with(self, run: Run, form: str) -> None:
        told = run("example", "portfolio", "--of", "portfolio", "--format", form).err
        source = "portfolio" if form == "csv" else str(Path("portfolio", f"portfolio.{form}"))
        assert told == f"next: xl-conversion export {source} --out out\n"
        each = ("--per", "series", "--per", "holder", "--per", "portfolio")
        outcome = run("export", source, "--out", "out", "--strict", *each)
        assert (outcome.code, outcome.err) == (0, "")
        names = [NAME, *(f"Example Optics, Inc. Series {letter}" for letter in "AB")]
        files = [
            *(f"holders/{name}.xlsx" for name in ("Ada Ventures", "Birch Partners", "Cedar Fund")),
            "manifest.json",
            "register.xlsx",
            *(f"series/{name}.xlsx" for name in (*names, "Example Seeds, Inc. Series Seed")),
        ]
        assert tree("out") == sorted(files)
        exceptions = [line for line in outcome.out.splitlines() if "tie-out: " in line]
        assert exceptions == [
            "  tie-out: 6 exceptions in 16 comparisons",
            "  tie-out: 0 exceptions in 2 comparisons",
            "  tie-out: 0 exceptions in 1 comparison",
            "  tie-out: 1 exception in 2 comparisons",
        ]

    def test_a_few_are_shown_and_many_summed(
        self, run: Run, company: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cli_export, "MOST_SHOWN", 2)
        outcome = run("export", "company", "--out", "out")
        assert outcome.out.splitlines()[:2] == ["3 series of 1 company", "tie-out: 2 exceptions in 4 comparisons"]

    def test_quiet_says_nothing(self, run: Run, notice: Path) -> None:
        assert run("export", "notice", "--out", "out", "--quiet") == Outcome(0, "", "")
        assert WORKBOOK.exists()

    def test_the_working_paper_of_issuances_with_counts(self, run: Run, notice: Path) -> None:
        assert run("export", "notice", "--out", "out", "--template", "working-paper").code == 0
        assert "Calculation" in load_workbook(WORKBOOK).sheetnames

    def test_of_a_whole_life_there_is_no_working_paper_and_the_reasons_are_told(
        self, run: Run, company: Path
    ) -> None:
        outcome = run("export", "company", "--out", "out", "--template", "working-paper")
        assert outcome.code == 3
        assert outcome.errors()[:2] == [
            "Example Robotics, Inc., Series A: export writes workbooks for issuances with the company's own "
            "counts only; Series A also has: exempted, events Split, Bridge recount, Warrants lapse, Dividend, "
            "Conversion, events without counts Plan grants, Lender warrants, Bridge",
            "  hint: --template statement has the whole life",
        ]
        assert "workbook: " not in outcome.out
        assert tree("out") == ["findings.xlsx", "manifest.json"]
        assert not Path("out/series").exists()

    def test_what_it_wrote_is_no_input(self, run: Run, notice: Path) -> None:
        run("export", "notice", "--out", "out")
        outcome = run("tie-out", str(WORKBOOK))
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors()[0].startswith(f"{WORKBOOK}")
        run("export", "notice", "--out", "papers", "--template", "working-paper")
        paper = Path("papers", *WORKBOOK.parts[1:])
        assert run("tie-out", str(paper)).errors() == [
            f"{paper}: this is a workbook that export wrote, not an input",
            "  hint: edit the input it came from",
        ]

    def test_a_query_of_a_database(self, run: Run, tmp_path: Path) -> None:
        import sqlite3

        database = sqlite3.connect(tmp_path / "deals.db")
        database.execute("CREATE TABLE deals (firm, class, price)")
        database.execute("INSERT INTO deals VALUES ('Acme', 'Series A', '2.50')")
        database.commit()
        database.close()
        sql = "SELECT firm AS company, class AS series, price AS original_issue_price, price AS conversion_price"
        query = f"series={sql} FROM deals"
        outcome = run("export", "sqlite:///deals.db", "--out", "out", "--query", query)
        assert (outcome.code, outcome.err) == (0, "")
        assert tree("out") == ["manifest.json", "series/Acme Series A.xlsx"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--ocf", "usd"), "--ocf usd: it is not a currency's code of three capitals"),
            (("--query", "series"), "--query series: not TABLE=SQL"),
            (("--query", "series=SELECT 1"), "notice: it is no database, so that there is nothing to query"),
            (("--template", "statment"), "statment: it cannot be read: No such file or directory"),
            (("--template", "notice/series.csv"), "notice/series.csv: "),
            (("--scheduler", "nowhere"), "nowhere: "),
        ],
    )
    def test_an_option_is_told_and_nothing_written(
        self, run: Run, notice: Path, options: tuple[str, ...], told: str
    ) -> None:
        outcome = run("export", "notice", "--out", "out", *options)
        assert (outcome.code, outcome.out) == (2, "")
        error, hint = outcome.errors()
        assert error.startswith(told)
        assert hint.startswith("  hint: ")
        assert not Path("out").exists()

    def test_without_python_docx(self, run: Run, notice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("xl_conversion.batch.run.find_spec", {"docx": None}.get)
        outcome = run("export", "notice", "--out", "out", "--notice", "pdf")
        assert outcome.code == 2
        assert outcome.errors() == [
            "--notice: python-docx is not installed",
            '  hint: pip install "xl-conversion[batch]"',
        ]
        assert not Path("out").exists()

    @pytest.mark.skipif(os.name != "posix", reason="a program is a shell script here")
    def test_without_writer_before_anything_is_done(
        self, run: Run, notice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin" / "soffice"
        program.write_text("#!/bin/sh\necho Error: source file could not be loaded >&2\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        (notice / "series.csv").write_text("not even read")
        outcome = run("export", "notice", "--out", "out", "--notice", "pdf")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors() == [
            "Cannot print any letter: LibreOffice made no PDF of it and says: "
            "Error: source file could not be loaded",
            "  hint: Letters need LibreOffice Writer, not Calc alone: install it, or take --notice docx.",
        ]
        assert not Path("out").exists()

    def test_into_the_input(self, run: Run, notice: Path) -> None:
        outcome = run("export", "notice", "--out", "notice/../notice")
        assert (outcome.code, outcome.errors()[0]) == (2, "--out notice/../notice: it is the input")

    def test_without_a_folder(self, run: Run, notice: Path) -> None:
        outcome = run("export", "notice")
        assert outcome.code == 2
        assert "Missing option '--out'" in outcome.err

    def test_an_input_that_is_not_there(self, run: Run) -> None:
        outcome = run("export", "none", "--out", "out")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors()[0] == "none: there is no such file or folder"

    def test_a_workbook_that_differs_is_only_replaced_by_force(self, run: Run, notice: Path) -> None:
        WORKBOOK.parent.mkdir(parents=True)
        WORKBOOK.write_bytes(b"mine")
        outcome = run("export", "notice", "--out", "out")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.errors() == [
            f"Cannot write {WORKBOOK}: it is there and differs",
            "  hint: --force replaces it.",
        ]
        assert tree("out") == [f"series/{NAME}.xlsx"]
        assert WORKBOOK.read_bytes() == b"mine"
        assert run("export", "notice", "--out", "out", "--force").code == 0
        assert WORKBOOK.read_bytes().startswith(b"PK")

    def test_what_stands_before_one_that_cannot_is_complete(self, run: Run, notice: Path) -> None:
        two_series(notice)
        WORKBOOK.parent.mkdir(parents=True)
        in_the_way = Path(str(WORKBOOK).replace("2-A", "4-A"))
        in_the_way.write_bytes(b"mine")
        assert run("export", "notice", "--out", "out").code == 2
        first = WORKBOOK.stat().st_ino, WORKBOOK.stat().st_mtime_ns
        assert in_the_way.read_bytes() == b"mine"
        in_the_way.unlink()
        outcome = run("export", "notice", "--out", "out", "--resume")
        assert outcome.out.splitlines()[-1].startswith("1 file written, 1 unchanged; ")
        assert (WORKBOOK.stat().st_ino, WORKBOOK.stat().st_mtime_ns) == first

    @pytest.mark.parametrize("folder", ["notice/series.csv", "notice/series.csv/below"])
    def test_a_file_in_the_way(self, run: Run, notice: Path, folder: str) -> None:
        outcome = run("export", "notice", "--out", folder)
        assert (outcome.code, outcome.out) == (2, "")
        error, hint = outcome.errors()
        assert error.startswith(f"Cannot make the folder {Path(folder)}: ")
        assert hint.startswith("  hint: Choose another ")

    @pytest.mark.skipif(os.name == "nt", reason="rights are others on Windows")
    def test_a_folder_that_may_not_be_written_to(self, run: Run, notice: Path, tmp_path: Path) -> None:
        Path("out").mkdir(mode=0o555)
        own = os.geteuid()
        if own == 0:  # who may write anywhere
            os.chmod(tmp_path, 0o755)  # noqa: S103
            os.seteuid(65534)
        try:
            outcome = run("export", str(notice.relative_to(tmp_path)), "--out", "out")
        finally:
            os.seteuid(own)
        assert outcome.code == 2
        assert "Permission denied" in outcome.errors()[0]
        assert not list(Path("out").iterdir())

    def test_a_workbook_of_that_name_is_a_folder(self, run: Run, notice: Path) -> None:
        WORKBOOK.mkdir(parents=True)
        for force in ([], ["--force"]):
            outcome = run("export", "notice", "--out", "out", *force)
            assert outcome.code == 2
            assert outcome.errors()[0].endswith("it is a folder")
        assert not list(WORKBOOK.iterdir())

    def test_interrupted(self, run: Run, notice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("xl_conversion.batch.work.result_of", interrupted)
        outcome = run("export", "notice", "--out", "out")
        assert outcome == Outcome(
            130,
            "",
            "stopped before all files were written; each that is in out is complete\n"
            "  hint: --resume goes on from there\n",
        )


class TestProblems:
    def test_of_the_only_series(self, run: Run, notice: Path, tmp_path: Path) -> None:
        stated = notice / "stated.csv"
        stated.write_text(stated.read_text().replace("36,520,262", "many").replace("$2.00", "2.0.0"))
        outcome = run("export", "notice", "--out", "a/out")
        assert (outcome.code, outcome.out) == (2, "")
        source = Path("notice", "stated.csv")
        assert [line for line in outcome.errors() if "hint" not in line] == [
            f"{source}, row 5: stated is 'many'; it must be a number as written, such as 1,234.50",
            f"{source}, row 9: stated is '2.0.0'; it must be a number as written, such as 1,234.50",
        ]
        assert [path.name for path in tmp_path.iterdir()] == ["notice"]

    def test_all_are_told_where_there_is_no_workbook_of_them(self, run: Run, notice: Path) -> None:
        rows = "\n".join(f"Series 2-A Convertible Preferred,2002-02-05,conversion_price,,x{n}," for n in range(30))
        (notice / "stated.csv").write_text(f"series,event,item,subject,stated,source\n{rows}\n")
        told = run("export", "notice", "--out", "out").errors()
        assert [int(line.split("row ")[1].partition(":")[0]) for line in told] == list(range(3, 32))

    def test_the_good_series_are_exported_and_the_exit_code_says_so(self, run: Run, notice: Path) -> None:
        two_series(notice)
        stated = notice / "stated.csv"
        text = stated.read_text()
        stated.write_text(text[:-200] + text[-200:].replace("Series 4-A", "Series 4-A", 1))
        header, *rows = text.splitlines()
        rows[-1] = rows[-1].replace("Series 4-A Convertible Preferred,", "Series 4-A Convertible Preferred,x", 1)
        stated.write_text("\n".join([header, *rows]) + "\n")
        strict = run("export", "notice", "--out", "out", "--strict")
        assert (strict.code, strict.out) == (2, "")
        assert not Path("out").exists()
        outcome = run("export", "notice", "--out", "out")
        assert outcome.code == 3
        first, *_, last, hint = outcome.errors()
        assert first.startswith(f"{Path('notice', 'stated.csv')}, row {len(rows) + 1}: ")
        assert last == f"1 problem, 1 series left out; {Path('out', 'findings.xlsx')} lists them"
        assert hint == "  hint: mend what is wrong and export again with --resume"
        assert tree("out") == ["findings.xlsx", "manifest.json", f"series/{NAME}.xlsx"]
        stated.write_text(text)
        outcome = run("export", "notice", "--out", "out", "--resume")
        assert (outcome.code, outcome.err) == (0, "")
        assert tree("out") == ["manifest.json", f"series/{NAME}.xlsx", f"series/{NAME.replace('2-A', '4-A')}.xlsx"]

    def test_a_formula_that_was_never_calculated_is_wrong_in_its_row_alone(self, run: Run) -> None:
        assert run("example", "in", "--of", "company", "--format", "xlsx").code == 0
        source = Path("in", "company.xlsx")
        book = load_workbook(source)
        book["holders"]["D3"] = "=300000+33333"
        book.save(source)
        told = (
            f"{source}, sheet holders, row 3: shares is '=300000+33333'; "
            "the formula in D3 has never been calculated",
            "  hint: recalculate and save the file",
        )
        strict = run("export", str(source), "--out", "out", "--strict")
        assert (strict.code, strict.errors()) == (2, [*told, "nothing was written"])
        assert not Path("out").exists()
        outcome = run("export", str(source), "--out", "out")
        assert (outcome.code, tuple(outcome.errors()[:2])) == (3, told)
        assert tree("out") == [
            "findings.xlsx",
            "manifest.json",
            *(f"series/Example Robotics, Inc. Series {letter}.xlsx" for letter in "BC"),
        ]
        cells = [cell for row in load_workbook("out/findings.xlsx").worksheets[0] for cell in row]
        found = {cell.value: cell.data_type for cell in cells}
        assert {"row 3", "shares", told[1].partition(": ")[2]} <= found.keys()
        assert found["=300000+33333"] == "s"

    def test_who_has_part_in_what_is_left_out_gets_no_workbook(self, run: Run, company: Path) -> None:
        holders = company / "holders.csv"
        text = holders.read_text()
        holders.write_text(text + "Series B,Ada Ventures,B-9,-5\n")
        outcome = run("export", "company", "--out", "out", "--per", "holder", "--per", "series")
        assert outcome.code == 3
        assert "no workbook is written of who has part in what is left out: Ada Ventures" in outcome.err
        assert "holders/Ada Ventures.xlsx" not in tree("out")
        holders.write_text(text)
        outcome = run("export", "company", "--out", "out", "--per", "holder", "--per", "series", "--resume")
        assert outcome.code == 0
        assert "holders/Ada Ventures.xlsx" in tree("out")

    def test_files_of_what_is_left_out_now_are_told(self, run: Run, company: Path) -> None:
        run("export", "company", "--out", "out")
        with (company / "holders.csv").open("a") as holders:
            holders.write("Series B,Ada Ventures,B-9,-5\n")
        outcome = run("export", "company", "--out", "out", "--quiet")
        assert outcome.errors()[-1].startswith("from an earlier export, of what is left out now: series/")

    def test_files_that_cannot_be_are_no_series_left_out(self, run: Run, company: Path) -> None:
        outcome = run("export", "company", "--out", "out", "--template", "working-paper")
        assert (outcome.code, outcome.errors()[-2].partition(";")[0]) == (
            3,
            "3 problems, 0 series left out, 3 files of others not written",
        )

    def test_more_than_a_terminal_shows(self, run: Run, notice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        two_series(notice)
        with (notice / "stated.csv").open("a") as file:
            file.writelines(
                f"Series 4-A Convertible Preferred,2002-02-05,conversion_price,,x{n},\n" for n in range(30)
            )
        monkeypatch.setattr(cli_export, "MOST_PROBLEMS", 4)
        outcome = run("export", "notice", "--out", "out")
        assert outcome.code == 3
        assert any(line.startswith("... and ") for line in outcome.errors())


class TestOwnTemplate:
    def design(self, *rows: tuple[str, ...], name: str = "ours.xlsx") -> str:
        book = Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        book.save(name)
        return name

    def test_its_names_are_filled_and_its_row_is_repeated(self, run: Run, notice: Path) -> None:
        row = ("{{steps.event}}", "{{steps.label}}", "{{steps.value}}")
        design = self.design(("{{company}}", "{{price}}"), row)
        outcome = run("export", "notice", "--out", "out", "--template", design)
        assert (outcome.code, outcome.err) == (0, "")
        sheet = load_workbook(WORKBOOK).worksheets[0]
        assert (sheet["A1"].value, sheet["B1"].value) == ("Vsource, Inc.", 2)
        assert sheet.max_row > 5
        before = WORKBOOK.read_bytes()
        other = self.design(("{{company}}",), name="other.xlsx")
        assert run("export", "notice", "--out", "out", "--template", other, "--resume").code == 0
        assert WORKBOOK.read_bytes() != before

    def test_a_name_that_is_of_no_figure(self, run: Run, notice: Path) -> None:
        design = self.design(("{{compny}}", "{{price}}"))
        outcome = run("export", "notice", "--out", "out", "--template", design)
        assert outcome.code == 2
        error, hint = outcome.errors()
        assert error == "ours.xlsx: there is no figure {{compny}}"
        assert hint.startswith("  hint: did you mean company")
        assert hint.endswith(EVERY_NAME)

    def test_a_column_that_no_table_has(self, run: Run, notice: Path) -> None:
        design = self.design(("{{history.befor}}",))
        outcome = run("export", "notice", "--out", "out", "--template", design)
        error, hint = outcome.errors()
        assert (outcome.code, error) == (2, "ours.xlsx: there is no figure {{history.befor}}")
        assert hint.startswith("  hint: did you mean history.before or history.")

    def test_no_names(self, run: Run, notice: Path) -> None:
        outcome = run("export", "notice", "--out", "out", "--template", self.design(("company",)))
        assert outcome.code == 2
        assert outcome.errors()[0].startswith("ours.xlsx: no cell names a figure")

    def test_macros_are_refused(self, run: Run, notice: Path) -> None:
        from zipfile import ZipFile

        design = self.design(("{{company}}",), name="ours.xlsm")
        with ZipFile(design, "a") as archive:
            archive.writestr("xl/vbaProject.bin", b"macros")
        outcome = run("export", "notice", "--out", "out", "--template", design)
        assert outcome.code == 2
        assert "macro" in outcome.errors()[0]

    def test_what_unpacks_to_too_much_is_refused(self, run: Run, notice: Path) -> None:
        from zipfile import ZIP_DEFLATED, ZipFile

        design = self.design(("{{company}}",))
        with ZipFile(design, "a", ZIP_DEFLATED) as archive, archive.open("xl/bomb.xml", "w") as file:
            for _ in range(600):
                file.write(bytes(2**20))
        outcome = run("export", "notice", "--out", "out", "--template", design)
        assert outcome.code == 2
        assert len(outcome.errors()) == 2
        assert not Path("out").exists()


class TestProgress:
    def test_a_terminal_gets_a_bar_with_the_rate(
        self, run: Run, company: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
        done = run("export", "company", "--out", "out", "--per", "series", "--per", "holder")
        assert done.code == 0
        for words in ("series", "3/3", "holders", "/s"):
            assert words in done.err

    def test_a_log_gets_a_line_every_few_seconds(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
        monkeypatch.setattr("xl_conversion.cli_export.time.monotonic", lambda: next(clock))
        lines = _Lines()
        lines.begin("series", 2400)
        for count in (100, 500, 100, 500):
            lines.advance(count)
        assert capfd.readouterr().err.splitlines() == [
            "600 of 2,400 series, 100/s, 18 s left",
            "1,200 of 2,400 series, 100/s, 12 s left",
        ]

    def test_the_bar_ends_before_what_is_wrong_is_told(
        self, run: Run, notice: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended: list[str] = []
        monkeypatch.setattr(_Lines, "end", lambda _: ended.append("bar"))

        def refused(*_: object) -> None:
            raise InputError([])

        monkeypatch.setattr("xl_conversion.batch.work.result_of", refused)
        assert run("export", "notice", "--out", "out").code == 2
        assert ended


def test_findings_of_an_export_can_be_opened(run: Run, company: Path) -> None:
    run("export", "company", "--out", "out", "--template", "working-paper")
    book = load_workbook(BytesIO(Path("out/findings.xlsx").read_bytes()))
    texts = [cell.value for sheet in book for row in sheet for cell in row if isinstance(cell.value, str)]
    assert "Example Robotics, Inc., Series B" in texts
