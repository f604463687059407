"""The notice in words, and as a letter."""

from __future__ import annotations

import json
import re
import subprocess
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import docx
import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from support.office import Office
from support.statements import of_example, statement_of

from xl_conversion.books.statements.notice import SIGN, notice_of
from xl_conversion.books.statements.notice_document import notice_document
from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series import series_values
from xl_conversion.books.statements.series_design import NOTICE_LINES, NOTICE_WIDTHS
from xl_conversion.books.widths import lines
from xl_conversion.examples import write_example
from xl_conversion.inputs.reading import Case, cases_of, read_cases
from xl_conversion.inputs.tables import read_tables

ODD = '=1+1 & <w:p> "{{company}}" 优先股'


def bare(folder: Path, company: str = "Co", **terms: str) -> Case:
    """A series to which nothing happens."""
    columns = {"series": "A", "company": company, "original_issue_price": "3", "conversion_price": "7", **terms}
    file = folder / "series.csv"
    values = (f'"{value}"' for value in (text.replace('"', '""') for text in columns.values()))
    file.write_text(f"{','.join(columns)}\n{','.join(values)}\n", encoding="utf-8")
    (case,) = cases_of(read_tables(folder, ["series"]), str(folder))
    return case


def notice_sheet(case: Case) -> Worksheet:
    sheet: Worksheet = load_workbook(BytesIO(statement_of(case)), data_only=True)["Notice"]
    return sheet


def printed(case: Case, calc: Office, folder: Path) -> list[str]:
    """The printed pages of the notice, as text."""
    file = folder / f"{case.series.name}.xlsx"
    file.write_bytes(statement_of(case))
    done = subprocess.run(
        ["pdftotext", "-layout", str(calc.pdf(file, folder)), "-"], capture_output=True, check=True, text=True
    )
    return [page for page in done.stdout.split("\f") if "How it follows" in page]


def test_it_says_what_was_computed_of_the_real_notice(tmp_path: Path) -> None:
    (case,) = of_example("vsource", tmp_path)
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
    assert notice.day == "As of 2002-02-05, the last event recorded"


def test_it_is_on_the_last_event_that_moved_the_price(tmp_path: Path) -> None:
    first, second, third = of_example("company", tmp_path)
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
    assert notice.day == "No event is recorded"
    assert "\n\n\n" not in notice.text
    assert {line.before == line.after for line in notice.lines} == {True}
    document = docx.Document(BytesIO(notice_document(case, result_of(case))))
    assert len(document.tables[1].rows) == 1


def test_the_letter_has_the_words_and_figures_of_the_sheet(tmp_path: Path) -> None:
    for case in (*of_example("vsource", tmp_path), *of_example("company", tmp_path)):
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
        _, tables = series_values(case, result)
        cells = [cell for row in notice_sheet(case).iter_rows() for cell in row if cell.value is not None]
        shown = {str(cell.value) for cell in cells}
        assert {*filter(None, wanted), notice.text, notice.signed_for, *SIGN} <= shown
        assert texts[texts.index(notice.signed_for) + 1 :][: len(SIGN)] == [f"{one}\t{'_' * 38}" for one in SIGN]
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


def test_the_sheet_has_a_line_for_the_signature_and_for_the_day_on_which_it_is_sent(tmp_path: Path) -> None:
    sheet = notice_sheet(bare(tmp_path))
    at = {cell.value: cell.row for (cell,) in sheet.iter_rows(max_col=1) if cell.value}
    assert {"Signature", "Date sent"} <= at.keys()
    for label in SIGN:
        assert sheet[f"B{at[label]}"].value is None
        assert sheet[f"B{at[label]}"].border.bottom.style == "thin"


@pytest.mark.parametrize("words", ["优", "many words ", "MANY WORDS "])
def test_its_text_has_room_however_long_names_and_descriptions_are(tmp_path: Path, words: str) -> None:
    (source,) = write_example(tmp_path, "json")
    tables = json.loads(source.read_text(encoding="utf-8"))
    del tables["stated"], tables["conversions"]
    long = (words * 200)[:200].strip()
    for row in (row for rows in tables.values() for row in rows):
        row |= {column: long for column in ("series", "company", "description", "clause") if column in row}
    for number, row in enumerate(tables["securities"]):
        row["security"] = f"{long} {number}"
    source.write_text(json.dumps(tables), encoding="utf-8")
    (case,) = read_cases(source)
    notice = notice_of(case, result_of(case))
    assert long[:20] in notice.text
    width = sum(NOTICE_WIDTHS)
    assert sum(lines(line, width) for line in notice.text.split("\n")) + 2 <= NOTICE_LINES  # and what came after
    sheet = notice_sheet(case)
    rows = enumerate(sheet.iter_rows(max_col=1), start=1)
    row = next(number for number, (cell,) in rows if "\n\n" in str(cell.value))
    assert sheet.row_dimensions[row].height >= 12.75 * NOTICE_LINES
    last = get_column_letter(len(NOTICE_WIDTHS))
    assert f"A{row}:{last}{row}" in {str(merged) for merged in sheet.merged_cells.ranges}


def after_the_bridge(folder: Path, warrants: int) -> Case:
    """The company's first series, whose last event is an issuance that is counted class by class."""
    (source,) = write_example(folder / "company", "json", "company")
    tables = json.loads(source.read_text(encoding="utf-8"))
    last = next(place for place, row in enumerate(tables["events"]) if row["event"] == "Bridge")
    tables["events"] = tables["events"][: last + 1]
    names = {row["event"] for row in tables["events"]}
    tables["securities"] = [row for row in tables["securities"] if row["event"] in names]
    del tables["stated"]
    for number in range(warrants):
        tables["capitalization"].append({"class": f"Warrant {number}", "kind": "warrant", "shares": "1000"})
    source.write_text(json.dumps(tables), encoding="utf-8")
    return read_cases(source)[0]


def test_it_is_printed_on_one_page(calc: Office, tmp_path: Path) -> None:
    for case in (
        *of_example("vsource", tmp_path),
        *of_example("company", tmp_path),
        after_the_bridge(tmp_path, 0),
    ):
        (page,) = printed(case, calc, tmp_path)
        assert f"For {case.series.company}" in page
        assert "CR rounded" in page  # the last step


def test_a_longer_one_goes_on_under_the_same_heading(calc: Office, tmp_path: Path) -> None:
    first, second = printed(after_the_bridge(tmp_path, 30), calc, tmp_path)
    heading = first.index("How the price and the ratio follow")
    assert first.index("For Example Robotics") < heading < first.index("How it follows") < first.index("H12")
    assert second.lstrip().startswith("How the price and the ratio follow")
    assert "CR rounded" in second
