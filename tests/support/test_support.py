"""Tests of the harness itself."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import LineChart, Reference
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from support import fixtures, office, ooxml
from support.office import Cell, Error, Office, OfficeError, OfficeTimeoutError

Validate = Callable[[Path], list[ooxml.Finding]]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A decorated workbook with one of every kind of value."""
    workbook = openpyxl.Workbook()
    sheet = workbook.create_sheet("T", 0)
    workbook.remove(workbook["Sheet"])
    sheet.append([2, 3, "=A1*B1", "=1/0", "text", "=A1&E1", '=""', None, True, "=1/3", "=0.1+0.2"])
    sheet["A3"] = "=C1+1"
    sheet["A1"].font = Font(bold=True, color="FF0000FF", underline="single")
    sheet["A1"].fill = PatternFill("solid", fgColor="FFFFF2CC")
    sheet["A1"].number_format = "#,##0.0000"
    choice = DataValidation(type="list", formula1='"floor,ceiling"')
    choice.add("E1")
    sheet.add_data_validation(choice)
    red = DifferentialStyle(font=Font(color="FF9C0006", underline="single"))
    sheet.conditional_formatting.add("A1:B1", Rule("cellIs", operator="lessThan", formula=["3"], dxf=red))
    workbook.defined_names["in_price"] = DefinedName("in_price", attr_text="T!$A$1")
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=1, max_col=2, min_row=1))
    sheet.add_chart(chart, "B5")
    workbook.create_sheet("Other 1")["B2"] = "=T!A3*2"
    path = tmp_path / "book.xlsx"
    workbook.save(path)
    return path


@pytest.fixture(scope="module")
def own(soffice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One that may be killed."""
    work = tmp_path_factory.mktemp("own")
    with Office(work, soffice=soffice, environment={"SEEN_BY_ADDIN": "1"}) as own:
        yield own


def rewrite(path: Path, part: str, old: str, new: str) -> None:
    """Replaces text inside one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old.encode() in parts[part]
    parts[part] = parts[part].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def processes(group: int) -> dict[str, int]:
    """Members of a process group that are not zombies: name and number."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = stat.read_text().split(" (", 1)
        except (FileNotFoundError, ProcessLookupError):  # gone meanwhile
            continue
        name, _, fields = rest.rpartition(") ")
        state, _, member_of = fields.split()[:3]
        if int(member_of) == group and state not in "ZX":
            found[name] = int(number)
    return found


class TestOffice:
    def test_values_of_a_whole_workbook(self, office: Office, book: Path) -> None:
        with office.session() as session:
            values = session.open(book).values()
        assert values == {
            ("T", "A1"): 2,
            ("T", "B1"): 3,
            ("T", "C1"): 6,
            ("T", "D1"): Error("#DIV/0!"),
            ("T", "E1"): "text",
            ("T", "F1"): "2text",
            ("T", "G1"): "",
            ("T", "I1"): 1,
            ("T", "J1"): 1 / 3,
            ("T", "K1"): 0.1 + 0.2,
            ("T", "A3"): 7,
            ("Other 1", "B2"): 14,
        }

    def test_cells_one_by_one(self, office: Office, book: Path) -> None:
        with office.session() as session:
            document = session.open(book)
            assert document.sheets() == ["T", "Other 1"]
            assert document.cell("T", "A1") == Cell(2, "2.0000", "2")
            assert document.cell("T", "D1") == Cell(Error("#DIV/0!"), "#DIV/0!", "=1/0")
            assert document.cell("T", "F1") == Cell("2text", "2text", "=A1&E1")
            assert document.cell("T", "H1") == Cell(None, "", "")
            assert document.cell("Other 1", "B2").formula == "=T!A3*2"

    def test_doubles_are_exact(self, office: Office, book: Path) -> None:
        """0.1 + 0.2 is not 0.3: in 15 digits the two are the same, and so they are in a file."""
        with office.session() as session:
            document = session.open(book)
            for number in (0.1 + 0.2, math.nextafter(0.3, 0), 1 / 3, 2**53 + 2, 5e-324, -sys.float_info.max):
                document.set("T", "H1", number)
                assert document.value("T", "H1") == number
            assert document.value("T", "K1") == 0.1 + 0.2 != 0.3
        saved = openpyxl.load_workbook(office.recalculate(book), data_only=True)["T"]
        assert saved["K1"].value == 0.3

    def test_edits_reach_dependents(self, office: Office, book: Path) -> None:
        with office.session() as session:
            document = session.open(book)
            document.set("T", "A1", 2.5)
            assert [document.value("T", "C1"), document.value("Other 1", "B2")] == [7.5, 17]
            document.set("T", "B1", "=SUM(A1,0.5,in_price)+'Other 1'!Z9")
            assert document.cell("T", "B1") == Cell(5.5, "5.5", "=SUM(A1,0.5,in_price)+'Other 1'!Z9")
            assert document.value("T", "C1") == 13.75
            document.set("T", "A1", None)
            assert document.cell("T", "A1") == Cell(None, "", "")
            assert document.value("T", "C1") == 0
            document.set("T", "A1", "=NO_SUCH_NAME(1)")
            assert document.value("T", "C1") == Error("#NAME?")
            document.set("T", "A1", "3")
            assert document.value("T", "A1") == "3"

    def test_a_cached_value_is_not_believed(self, office: Office, book: Path) -> None:
        rewrite(book, "xl/worksheets/sheet1.xml", "<f>A1*B1</f><v />", "<f>A1*B1</f><v>999</v>")
        assert openpyxl.load_workbook(book, data_only=True)["T"]["C1"].value == 999
        saved = openpyxl.load_workbook(office.recalculate(book), data_only=True)["T"]
        assert [saved["C1"].value, saved["D1"].value] == [6, "#DIV/0!"]

    def test_names_of_errors(self) -> None:
        assert [Error.of(code) for code in (503, 522)] == [Error("#NUM!"), Error("Err:522")]
        assert [Error("#N/A").code, Error("Err:522").code] == [32767, 522]

    def test_exports(self, office: Office, book: Path, tmp_path: Path) -> None:
        (ods,) = office.convert([book], tmp_path / "out", to="ods")
        assert ods == tmp_path / "out" / "book.ods"
        assert zipfile.is_zipfile(ods)
        assert office.pdf(book, tmp_path / "out").read_bytes().startswith(b"%PDF")
        pictures = office.pictures(book, tmp_path / "pictures")
        assert len(pictures) >= 2
        assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)

    def test_what_cannot_be_read_is_an_error(self, office: Office, tmp_path: Path) -> None:
        with office.session() as session:
            for content in (b"", b"PK\x03\x04 not a zip"):
                path = tmp_path / "defective.xlsx"
                path.write_bytes(content)
                with pytest.raises(OfficeError, match=r"defective\.xlsx"):
                    session.open(path)
            with pytest.raises(OfficeError, match=r"missing\.xlsx"):
                session.open(tmp_path / "missing.xlsx")


class TestProcesses:
    def test_a_silent_soffice_is_killed_with_its_group(
        self, own: Office, book: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with own.session() as session:
            document = session.open(book)
            group = own.group
            assert group is not None
            monkeypatch.setattr(own, "timeout", 0.5)
            os.kill(processes(group)["soffice.bin"], signal.SIGSTOP)
            with pytest.raises(OfficeTimeoutError, match=r"0\.5 s"):
                document.values()
            assert own.group is None
            deadline = time.monotonic() + 5
            while processes(group) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not processes(group)
            with pytest.raises(OfficeError, match="has ended"):
                document.values()
        monkeypatch.undo()
        assert own.recalculate(book).exists()  # started afresh

    def test_nothing_but_what_was_given_is_in_its_environment(self, own: Office, book: Path) -> None:
        own.recalculate(book)
        assert own.group is not None
        soffice = processes(own.group)["soffice.bin"]
        environment = Path(f"/proc/{soffice}/environ").read_bytes().split(b"\0")
        assert {b"SEEN_BY_ADDIN=1", b"PATH=/usr/bin:/bin", b"TZ=UTC"} <= set(environment)
        assert not any(entry.startswith((b"VIRTUAL_ENV=", b"PYTHONPATH=")) for entry in environment)

    def test_close_leaves_no_process(self, own: Office, book: Path) -> None:
        own.recalculate(book)
        group = own.group
        own.close()
        assert group is not None
        assert not processes(group)

    def test_a_soffice_that_ends_is_reported_with_what_it_wrote(self, tmp_path: Path, book: Path) -> None:
        fake = tmp_path / "soffice"
        fake.write_text("#!/bin/sh\necho this is no office\nexit 7\n")
        fake.chmod(0o755)
        with (
            Office(tmp_path / "fake", soffice=fake) as broken,
            pytest.raises(OfficeError, match=r"(?s)exit code 7.*this is no office"),
        ):
            broken.recalculate(book)


class TestValidator:
    def test_a_sound_file_passes(self, validator: Validate, book: Path) -> None:
        assert validator(book) == []

    def test_only_the_known_findings_are_let_pass(self, validator: Validate, book: Path) -> None:
        found = ooxml.validate(book, benign=())
        assert {finding.part for finding in found} == {"/xl/styles.xml"}
        rewrite(book, "xl/styles.xml", "<name ", "<nonsense/><name ")
        assert any("nonsense" in finding.description for finding in validator(book))

    def test_a_broken_file_is_found(self, validator: Validate, book: Path) -> None:
        rewrite(book, "xl/worksheets/sheet1.xml", "<sheetData>", "<sheetData><nonsense/>")
        (finding,) = validator(book)
        assert (finding.part, finding.path) == ("/xl/worksheets/sheet1.xml", "/x:worksheet[1]/x:sheetData[1]")
        assert "nonsense" in finding.description

    def test_what_is_no_workbook_is_found(self, validator: Validate, tmp_path: Path) -> None:
        path = tmp_path / "empty.xlsx"
        path.write_bytes(b"")
        (finding,) = validator(path)
        assert (finding.part, finding.path) == ("", "")


class TestPolicy:
    @staticmethod
    def nothing() -> Path:
        raise LookupError("no such tool")

    def test_a_missing_tool_skips_at_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="no such tool"):
            fixtures.need(self.nothing)

    def test_a_missing_tool_fails_in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="no such tool"):
            fixtures.need(self.nothing)

    @pytest.mark.parametrize(
        ("shown", "reason"), [("LibreOffice 7.4.7.2 40(Build:2)", "25.2 or newer"), ("", "25.2 or newer")]
    )
    def test_an_old_libreoffice_counts_as_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, reason: str
    ) -> None:
        fake = tmp_path / "soffice"
        fake.write_text(f"#!/bin/sh\necho '{shown}'\n")
        fake.chmod(0o755)
        monkeypatch.setattr(office, "SYSTEM_PATH", str(tmp_path))
        with pytest.raises(LookupError, match=reason):
            office.find_soffice.__wrapped__()

    def test_a_wrong_path_of_the_validator_counts_as_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(ooxml.VARIABLE, str(tmp_path / "none"))
        with pytest.raises(LookupError, match="none"):
            ooxml.find_validator.__wrapped__()
