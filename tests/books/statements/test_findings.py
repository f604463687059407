"""The workbook of problems: texts as they are, filtered, printed, and what was exported all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from support.lint import lint
from support.office import Office
from support.ooxml import Finding
from support.pages import page_findings

from xl_conversion.books.statements.findings import findings_workbook
from xl_conversion.inputs.portfolio import problem_rows
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.reading import read_cases

AS_OF = date(2026, 1, 31)
NASTY = ('=HYPERLINK("http://x")', "row 7", "@sum", "-1", "bell\x07 <&> {{left}}", "x" * 300)


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The problems of a real input. Its path, which is told with each, is as long everywhere."""
    monkeypatch.chdir(tmp_path)
    folder = Path("what-we-were-sent-in-january")
    folder.mkdir()
    (folder / "series.csv").write_text("series,company,original_issue_price,conversion_price\nA,B,-1,=1\n,B,1,x\n")
    (folder / "events.csv").write_text("event,date,kind,split_new,split_old\nS,31/12/2020,splitt,2,1\n")
    (folder / "securities.csv").write_text("event,security,kind,shares,consideration_per_share\nT,a,b,1,1\n")
    with pytest.raises(InputError) as error:
        read_cases(folder)
    return problem_rows(error.value.problems)


def test_every_problem_is_a_row(rows: list[tuple[str, ...]]) -> None:
    assert len(rows) >= 5
    data = findings_workbook(rows, AS_OF, exported=1200, left_out=[("Acme", "Series X"), ("Acme", "Series Y")])
    sheet = openpyxl.load_workbook(BytesIO(data), data_only=True)["Problems"]
    found = [tuple(cell.value or "" for cell in row) for row in sheet.iter_rows(min_row=10)]
    assert found == rows
    assert sheet["A5"].value == "Exported all the same: 1,200 series that these problems do not concern."
    assert sheet["A6"].value == "Left out: 2 series: Acme, Series X; Acme, Series Y."
    assert sheet["B9"].value == len(rows)
    assert sheet.auto_filter.ref == f"A9:F{9 + len(rows)}"
    assert sheet["A3"].value.startswith("As of 2026-01-31. ")


def test_what_was_exported_is_not_made_up(rows: list[tuple[str, ...]]) -> None:
    sheet = openpyxl.load_workbook(BytesIO(findings_workbook(rows, AS_OF))).active
    assert sheet["A5"].value == "What these problems do not concern was exported all the same."
    many = [("C", f"S{number}") for number in range(20)]
    sheet = openpyxl.load_workbook(BytesIO(findings_workbook(rows, AS_OF, left_out=many))).active
    assert sheet["A6"].value.startswith("Left out: 20 series: C, S0; C, S1; ")
    assert sheet["A6"].value.endswith("; C, S7; and 12 more.")
    sheet = openpyxl.load_workbook(BytesIO(findings_workbook(rows, AS_OF, left_out=[("C", "")]))).active
    assert sheet["A6"].value == "Left out: 1 series: C, (no name)."


def test_the_names_of_what_was_left_out_are_not_cut(
    rows: list[tuple[str, ...]], tmp_path: Path, office: Office
) -> None:
    long = [
        (f"The {number} Company of Rather Long Names", f"Series {number} Convertible Preferred")
        for number in range(9)
    ]
    path = tmp_path / "a.xlsx"
    path.write_bytes(findings_workbook(rows, AS_OF, left_out=long))
    assert page_findings(path, office, tmp_path / "a") == []


def test_texts_of_the_input_are_texts() -> None:
    sheet = openpyxl.load_workbook(BytesIO(findings_workbook([NASTY], AS_OF))).active
    assert [cell.data_type for cell in sheet[10]] == ["s"] * 6
    assert [cell.value for cell in sheet[10]] == [
        text.replace("\x07", "\N{REPLACEMENT CHARACTER}") for text in NASTY
    ]


def test_it_can_be_sent_out(
    rows: list[tuple[str, ...]], tmp_path: Path, office: Office, validator: Callable[[Path], list[Finding]]
) -> None:
    for name, found in (("a", rows), ("b", [*rows, NASTY] * 12)):
        path = tmp_path / f"{name}.xlsx"
        path.write_bytes(findings_workbook(found, AS_OF, exported=3, left_out=[("Acme", "Series X")] * 30))
        assert validator(path) == []
        assert lint(path, hidden=False) == []
        assert page_findings(path, office, tmp_path / name) == []
        with office.session() as session:
            assert session.open(path).value("Problems", "B9") == len(found)


def test_the_same_problems_give_the_same_bytes(rows: list[tuple[str, ...]]) -> None:
    assert findings_workbook(rows, AS_OF) == findings_workbook(rows, AS_OF)
