"""A design of one's own: the written one, changed in a spreadsheet, filled with the figures of a real series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook import Workbook
from support.office import Office
from support.ooxml import Finding

from xl_conversion.books.statements.own import EVERY_NAME, fitted, named_in, own_plan, read_design
from xl_conversion.books.statements.results import SeriesResult, result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.cli_templates import template
from xl_conversion.examples import write_example
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case, read_cases


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, SeriesResult]:
    folder = tmp_path_factory.mktemp("company")
    write_example(folder, example="company")
    first = read_cases(folder)[0]
    return first, result_of(first)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The design as the command writes it."""
    path = tmp_path / "ours.xlsx"
    done = CliRunner().invoke(template, ["statement", "--out", str(path)])
    assert done.exit_code == 0, done.output
    return path


def filled(design: Path, case: tuple[Case, SeriesResult]) -> Path:
    """The workbook of a series by the design."""
    data = read_design(design)
    path = design.with_name("filled.xlsx")
    path.write_bytes(own_plan(data).render(*fitted(data, *series_values(*case)), as_of=case[1].as_of or date.min))
    return path


def saved(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path


def designed(path: Path, *rows: list[str]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book, path)


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(InputError) as error:
        read_design(path)
    return list(error.value.problems)


def test_the_written_design_changed_in_a_spreadsheet(
    written: Path, case: tuple[Case, SeriesResult], office: Office, validator: Callable[[Path], list[Finding]]
) -> None:
    """A line, a colour and a sheet are its owner's; the formulas give the figures still."""
    book = openpyxl.load_workbook(written)
    book["Holders"]["A4"] = "Ours: {{company}}, {{events}} events"
    book["Holders"]["A11"].fill = PatternFill("solid", "FFEE00")
    sheet = book.create_sheet("Ours")
    sheet["B1"] = "{{price}}"
    sheet["B2"] = "=B1*2"
    sheet["B3"] = "=SUM(Holders!B11:B11)"
    path = filled(saved(book, written), case)
    assert validator(path) == []
    found, (of, result) = openpyxl.load_workbook(path), case
    assert "{{styles}}" not in found.sheetnames
    assert found["Holders"]["A4"].value == f"Ours: {of.series.company}, {len(of.changes)} events"
    names = [found["Holders"][f"A{11 + row}"].value for row in range(len(result.holders))]
    assert names == [one.holder for one in result.holders]
    assert {found["Holders"][f"A{11 + row}"].fill.fgColor.rgb for row in range(len(names))} == {"00FFEE00"}
    with office.session() as session:
        document = session.open(path)
        assert document.value("Ours", "B1") == pytest.approx(float(result.price))
        assert document.value("Ours", "B2") == pytest.approx(2 * float(result.price))
        assert document.value("Ours", "B3") == sum(one.preferred for one in result.holders)
        assert document.value("Statement", "C10") == pytest.approx(float(result.price))


def test_rows_take_the_style_of_their_own(tmp_path: Path, case: tuple[Case, SeriesResult]) -> None:
    """Figures that are formulas in the statement are plain ones in a design that does not compute them."""
    path = designed(tmp_path / "a.xlsx", ["{{title}}"], ["{{holders.whole}}", "{{holders.holder}}", "=A2*2"])
    book = openpyxl.load_workbook(path)
    book.active["A2"].font, book.active["A2"].number_format = Font(name="Arial", bold=True), "#,##0"
    sheet = openpyxl.load_workbook(filled(saved(book, path), case)).active
    for row, one in enumerate(case[1].holders, start=2):
        assert [cell.value for cell in sheet[row]] == [one.common, one.holder, f"=A{row}*2"]
        assert (sheet[f"A{row}"].font.name, sheet[f"A{row}"].number_format) == ("Arial", "#,##0")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("conversion_prize", EVERY_NAME),
        ("issue_prise", "did you mean issue_price or "),
        ("holders.hodler", "did you mean holders.holder or "),
        ("holders.xyzzy_and_more", EVERY_NAME),
    ],
)
def test_an_unknown_name_is_told(tmp_path: Path, name: str, hint: str) -> None:
    (problem,) = problems_of(designed(tmp_path / "a.xlsx", ["{{company}}"], [f"{{{{{name}}}}}"]))
    assert problem.rule == f"there is no figure {{{{{name}}}}}"
    assert problem.hint.startswith(hint)
    assert problem.hint.endswith(EVERY_NAME)


def test_a_design_without_a_name(tmp_path: Path) -> None:
    (problem,) = problems_of(designed(tmp_path / "a.xlsx", ["Conversion price"]))
    assert problem.rule == "no cell names a figure, such as {{price}}"
    assert read_design(designed(tmp_path / "b.xlsx", ["{{price}}"]))


def test_what_is_no_design(written: Path) -> None:
    """One line for each, with what to do."""
    with ZipFile(written) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    rules = {}
    for name, more in (("macros", {"xl/vbaProject.bin": b"x"}), ("huge", {"xl/media/a.png": bytes(2**27 + 1)})):
        with ZipFile(written.with_name(f"{name}.xlsx"), "w", ZIP_DEFLATED) as archive:
            for part, data in (parts | more).items():
                archive.writestr(part, data)
    written.with_name("half.xlsx").write_bytes(written.read_bytes()[:9000])
    written.with_name("text.xlsx").write_text("{{company}}")
    for name in ("macros", "huge", "half", "text", "missing"):
        (problem,) = problems_of(written.with_name(f"{name}.xlsx"))
        rules[name] = problem.rule
        assert problem.hint
    assert rules["macros"] == "the design holds macros: save it as .xlsx"
    assert rules["huge"] == "the design unpacks to more than 128 MiB"
    assert rules["half"] == rules["text"]
    assert rules["text"].startswith("the design is no Excel workbook")
    assert rules["missing"].startswith("it cannot be read: ")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with path.open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    (problem,) = problems_of(path)
    assert (problem.rule, problem.hint) == ("larger than 50 MiB", "take pictures out")


def test_the_design_as_it_is_written_gives_the_statement(written: Path, case: tuple[Case, SeriesResult]) -> None:
    book = openpyxl.load_workbook(written)
    book["Statement"]["A1"] = "Our statement"
    book["Statement"]["A1"].font = Font(size=20)
    book.create_sheet("Legal notes")["A1"] = "Confidential"
    values, tables = series_values(*case)
    plain = series_plan().render(values, tables, as_of=case[1].as_of or date.min)
    theirs = openpyxl.load_workbook(filled(saved(book, written), case), data_only=True)
    ours = openpyxl.load_workbook(BytesIO(plain), data_only=True)
    for sheet in ours:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.coordinate != "A1":
                    other = theirs[sheet.title][cell.coordinate]
                    assert (other.value, other.number_format) == (cell.value, cell.number_format)


def test_a_formula_left_by_a_removed_sheet_is_refused(written: Path) -> None:
    book = openpyxl.load_workbook(written)
    del book["Checks"]
    with pytest.raises(InputError) as refused:
        read_design(saved(book, written))
    assert "Statement!C21 refers to the sheet Checks, which is not there" in str(refused.value)


def test_a_changed_design_has_no_values_that_may_be_wrong(written: Path, case: tuple[Case, SeriesResult]) -> None:
    book = openpyxl.load_workbook(written)
    book["Statement"]["C15"] = "=1+1"
    sheet = openpyxl.load_workbook(filled(saved(book, written), case), data_only=True)["Statement"]
    assert sheet["C15"].value is None
    assert sheet["J1"].value is None


def test_every_name_is_listed_with_what_it_gives(case: tuple[Case, SeriesResult], tmp_path: Path) -> None:
    values, tables = series_values(*case)
    named = {one.name: one for one in named_in(values, tables)}
    plan = series_plan()
    columns = [f"{table}.{column}" for table, names in plan.tables.items() for column in names]
    assert list(named) == [*plan.names, *columns]
    assert named["price"][1:] == ("Conversion price in force", "Statement!C10", 0.473)
    assert named["history.before"][1:3] == ("Price before", "Statement!D25")
    assert named["footer"][1:3] == ("", "")
    listed = [one for name, one in named.items() if name in plan.names]
    made = openpyxl.load_workbook(
        filled(designed(tmp_path / "every.xlsx", *([f"{{{{{one.name}}}}}"] for one in listed)), case)
    )
    assert [row[0].value for row in made.worksheets[0].iter_rows()] == [one.value for one in listed]
