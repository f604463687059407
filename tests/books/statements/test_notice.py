"""The notice in words, as a letter, and printed."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import docx
import pytest
from openpyxl import load_workbook

from xl_conversion.books.statements import notice_document as module
from xl_conversion.books.statements.notice import notice_of
from xl_conversion.books.statements.notice_document import notice_document, notices_as_pdf
from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.examples import write_example
from xl_conversion.files import SaveError
from xl_conversion.inputs.reading import Case, cases_of, read_cases
from xl_conversion.inputs.tables import read_tables

ODD = '=1+1 & <w:p> "{{company}}" 优先股'


def example(name: str, folder: Path) -> list[Case]:
    write_example(folder / name, "csv", name)
    return read_cases(folder / name)


def bare(folder: Path, company: str = "Co", **terms: str) -> Case:
    """A series to which nothing happens."""
    columns = {"series": "A", "company": company, "original_issue_price": "3", "conversion_price": "7", **terms}
    file = folder / "series.csv"
    values = (f'"{value}"' for value in (text.replace('"', '""') for text in columns.values()))
    file.write_text(f"{','.join(columns)}\n{','.join(values)}\n", encoding="utf-8")
    (case,) = cases_of(read_tables(folder, ["series"]), str(folder))
    return case


def test_it_says_what_was_computed_of_the_real_notice(tmp_path: Path) -> None:
    (case,) = example("vsource", tmp_path)
    notice = notice_of(case, result_of(case))
    happened, follows, ratio, whole, since = notice.paragraphs
    assert notice.draft == "DRAFT: stated figures that do not tie: 6 of 16; see the tie-out"
    assert "On 2002-02-05 the company issued" in happened
    assert "for 8,187,842.70 in all" in happened
    assert "reduced from 6.41 to 2.00 per share" in follows
    assert "Section 7d(6)" in follows
    assert "converts into 3.20 shares of common" in ratio
    assert "conversion price before rounding, 2.001301181799736..." in ratio
    assert whole.endswith("rounded down to whole shares.")
    assert since == ""


def test_it_is_on_the_last_event_that_moved_the_price(tmp_path: Path) -> None:
    first, second, third = example("company", tmp_path)
    notice = notice_of(first, result_of(first))
    assert notice.change is not None
    assert notice.change.event.event == "Dividend"
    assert notice.paragraphs[4] == (
        "One event has been recorded since, up to 2022-10-01; the conversion price did not move again."
    )
    waived = notice_of(second, result_of(second))
    assert "is raised from 1.1088 to 1.2109" in waived.paragraphs[1]
    assert notice_of(third, result_of(third)).draft == ""  # nothing is stated wrongly


def test_it_is_short_when_nothing_has_moved_the_price(tmp_path: Path) -> None:
    case = bare(tmp_path)
    notice = notice_of(case, result_of(case))
    assert notice.change is None
    assert notice.paragraphs[0] == "No event is recorded. The conversion price of A is 7, as at the beginning."
    assert notice.paragraphs[1] == notice.paragraphs[4] == ""
    assert {line.before == line.after for line in notice.lines} == {True}
    document = docx.Document(BytesIO(notice_document(case, result_of(case))))
    assert len(document.tables[1].rows) == 1


def test_the_letter_has_the_words_and_figures_of_the_sheet(tmp_path: Path) -> None:
    for case in (*example("vsource", tmp_path), *example("company", tmp_path)):
        result = result_of(case)
        notice, data = notice_of(case, result), notice_document(case, result)
        assert data == notice_document(case, result)
        document = docx.Document(BytesIO(data))
        texts = [paragraph.text for paragraph in document.paragraphs]
        wanted = [notice.draft, notice.company, notice.day, notice.addressee, notice.subject]
        assert texts[: len(wanted)] == wanted
        assert [text for text in notice.paragraphs if text] == [
            text for text in texts if text in notice.paragraphs
        ][-len([text for text in notice.paragraphs if text]) :]
        values, tables = series_values(case, result)
        sheet = load_workbook(
            BytesIO(series_plan().render(values, tables, as_of=result.as_of or date(2000, 1, 1))), data_only=True
        )["Notice"]
        shown = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None}
        assert {text for text in (*notice.paragraphs[:3], notice.company, notice.subject) if text} <= shown
        figures = [[cell.text for cell in row.cells] for row in document.tables[0].rows][1:]
        assert [row[0] for row in figures] == [line.label for line in notice.lines]
        for row, line in zip(figures, notice.lines, strict=True):
            assert [float(text.rstrip(".").replace(",", "")) for text in row[1:]] == pytest.approx(
                [float(line.before), float(line.after)]
            )
        assert notice.change is not None
        steps = [*notice.change.steps(), *notice.change.ratio_steps()]
        assert len(document.tables[1].rows) == 1 + len(steps)
        assert len(tables["letters"]) == len(steps)


def test_odd_texts_stay_texts_in_the_letter(tmp_path: Path) -> None:
    case = bare(tmp_path, company=ODD)
    data = notice_document(case, result_of(case))
    texts = [paragraph.text for paragraph in docx.Document(BytesIO(data)).paragraphs]
    assert ODD in texts
    with ZipFile(BytesIO(data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        body = archive.read("word/document.xml").decode()
    assert re.findall(r"\{\{\w+\}\}", body) == ["{{company}}"] * 2  # in the name alone


def test_files_are_printed_in_one_call(soffice: Path, tmp_path: Path) -> None:
    """With a workbook: Calc is what the tests have of LibreOffice."""
    files = []
    for case in example("company", tmp_path)[:2]:
        result = result_of(case)
        values, tables = series_values(case, result)
        files.append(tmp_path / f"{case.series.name}.xlsx")
        files[-1].write_bytes(series_plan().render(values, tables, as_of=result.as_of or date(2000, 1, 1)))
    printed = notices_as_pdf(tmp_path / "pdf", files, soffice=soffice)
    assert [path.name for path in printed] == ["Series A.pdf", "Series B.pdf"]
    assert all(path.read_bytes().startswith(b"%PDF") for path in printed)


def test_what_cannot_be_printed_is_named(soffice: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.docx"
    file.write_bytes(b"PK\3\4 no letter")
    old = tmp_path / "pdf" / "broken.pdf"
    old.parent.mkdir()
    old.write_bytes(b"%PDF of before")
    with pytest.raises(SaveError, match=r"broken\.docx: LibreOffice made no PDF"):
        notices_as_pdf(old.parent, [file], soffice=soffice)
    assert not old.exists()


def test_a_libreoffice_that_fails_is_reported_with_what_it_says(tmp_path: Path) -> None:
    fake = tmp_path / "soffice"
    fake.write_text("#!/bin/sh\necho out of order >&2\nexit 7\n")
    fake.chmod(0o755)
    with pytest.raises(SaveError, match=r"ended with 7.*out of order"):
        notices_as_pdf(tmp_path / "pdf", [tmp_path / "a.docx"], soffice=fake)


def test_a_libreoffice_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "soffice"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(module, "PDF_SECONDS", 0.2)
    with pytest.raises(SaveError, match="took more than"):
        notices_as_pdf(tmp_path / "pdf", [tmp_path / "a.docx"], soffice=fake)


def test_without_libreoffice_the_letters_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "_WHERE", ())
    with pytest.raises(SaveError, match="LibreOffice is not found"):
        notices_as_pdf(tmp_path / "pdf", [tmp_path / "a.docx"])


def test_two_letters_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "one" / "a.docx", tmp_path / "two" / "A.docx"]
    with pytest.raises(SaveError, match="same name"):
        notices_as_pdf(tmp_path / "pdf", files, soffice=tmp_path / "soffice")
