"""Files become tables of text, or an InputError that says where and why; never anything else."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from xl_conversion.inputs import tables
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.tables import Table, csv_cells, read_tables

KNOWN = ("people", "cities")
PEOPLE = [["name", "age"], ["Ada", "36"], ["Zoë \N{GRINNING FACE}", "=1+1"]]
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
READABLE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(path: Path, known: tuple[str, ...] = KNOWN) -> tuple[Problem, ...]:
    """The problems that reading gives; each fits on one line that a terminal can show."""
    with pytest.raises(InputError) as caught:
        read_tables(path, known)
    for problem in caught.value.problems:
        assert str(problem).isprintable(), problem
        assert problem.hint.isprintable(), problem
        assert len(str(problem)) < 600
    return caught.value.problems


def read_or_refused(path: Path) -> None:
    """Reads, or is refused with problems, and raises nothing else."""
    problems: tuple[Problem, ...] = ()
    try:
        read_tables(path, KNOWN)
    except InputError as refusal:
        problems = refusal.problems
    assert all(str(problem).isprintable() for problem in problems)


def the_problem(path: Path, known: tuple[str, ...] = KNOWN) -> Problem:
    (problem,) = refused(path, known)
    return problem


def of_a_row(path: Path) -> Problem:
    """The only problem, which is one of a row."""
    (problem,) = [problem for row in read_tables(path, KNOWN)["people"].rows for problem in row.problems]
    assert str(problem).isprintable()
    return problem


def cells(table: Table) -> list[list[str]]:
    return [list(table.columns), *([row.cells[column] for column in table.columns] for row in table.rows)]


def csv_file(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def json_file(folder: Path, content: Any) -> Path:
    path = folder / "in.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def workbook(folder: Path, rows: list[list[Any]], title: str = "people") -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place, value)
            if value == "=1+1":
                cell.data_type = "s"
    path = folder / "in.xlsx"
    book.save(path)
    return path


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts.get(part, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def people(folder: Path, form: str) -> Path:
    """The same table in each form."""
    if form == "csv":
        return csv_file(folder / "in", "".join(f'"{a}","{b}"\r\n' for a, b in PEOPLE))
    if form == "json":
        records = [dict(zip(PEOPLE[0], row, strict=True)) for row in PEOPLE[1:]]
        return json_file(folder, {"people": records})
    return workbook(folder, PEOPLE)


class TestAllForms:
    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_give_the_same_table(self, tmp_path: Path, form: str) -> None:
        found = read_tables(people(tmp_path, form), KNOWN)
        assert list(found) == ["people"]
        assert cells(found["people"]) == PEOPLE
        assert [row.number for row in found["people"].rows] == ([1, 2] if form == "json" else [2, 3])

    def test_names_in_any_letter_case(self, tmp_path: Path) -> None:
        found = read_tables(csv_file(tmp_path / "in", " Name ,AGE\nAda,36\n", "People.CSV"), KNOWN)
        assert cells(found["people"]) == PEOPLE[:2]

    @pytest.mark.parametrize("name", ["in.json", "in.xlsx", "in.csv", "in", "in.xls"])
    def test_what_is_not_there(self, tmp_path: Path, name: str) -> None:
        problem = the_problem(tmp_path / name)
        assert str(problem) == f"{tmp_path / name}: there is no such file or folder"
        assert "xl-conversion example" in problem.hint

    @pytest.mark.parametrize("name", ["in.json", "in.xlsx", "in"])
    def test_a_link_to_nothing(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).symlink_to(tmp_path / "gone")
        assert the_problem(tmp_path / name).rule == "there is no such file or folder"

    @pytest.mark.parametrize("name", ["x.json", "x.xlsx", "x.csv"])
    def test_a_folder_named_like_a_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).mkdir()
        problem = the_problem(tmp_path / name)
        assert problem.rule == "the folder holds no CSV file"
        assert problem.hint == "expected people.csv, cities.csv"

    @pytest.mark.parametrize("name", ["in.txt", "in.csv", "in.xls", "in.xlsm", "in.ods", "in"])
    def test_a_file_of_another_kind(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("name,age\n")
        problem = the_problem(tmp_path / name)
        assert problem.rule == "not an input"
        assert problem.hint == "give a folder of CSV files, a .json or an .xlsx file"

    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_a_file_that_may_not_be_read(self, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        path = people(tmp_path, form)

        def denied(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", denied)
        problem = the_problem(path)
        assert problem.rule == "it may not be read"
        assert problem.hint

    def test_a_folder_that_may_not_be_entered(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = csv_file(tmp_path / "in", "name\nAda\n")

        def denied(self: Path) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        # A test that runs as root could enter any folder.
        monkeypatch.setattr(Path, "iterdir", denied)
        assert the_problem(folder).rule == "it may not be read"

    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_a_file_that_is_too_large(self, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MAX_FILE", 10)
        assert the_problem(people(tmp_path, form)).rule.startswith("larger than")

    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_too_many_rows(self, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MAX_ROWS", 1)
        assert the_problem(people(tmp_path, form)).rule == "more than 1 rows"

    @pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
    def test_a_text_that_is_too_long(self, tmp_path: Path, form: str) -> None:
        long = "x" * 30_001
        path = {
            "json": lambda: json_file(tmp_path, {"people": [{"name": long}, {"name": "x" * 30_000}]}),
            "csv": lambda: csv_file(tmp_path / "in", f"name\n{long}\n"),
            "xlsx": lambda: workbook(tmp_path, [["name"], [long]]),
        }[form]()
        problem = the_problem(path)
        place = (1, "object") if form == "json" else (2, "row")
        assert (problem.row, problem.unit, problem.column) == (*place, "name")
        assert problem.rule == "a text has at most 30000 characters"

    @pytest.mark.parametrize("bad", ["a\0b", "\x1b[2J", "x\x85y", "\ud800", "\uffff", "\x7f"])
    def test_characters_that_are_no_text(self, tmp_path: Path, bad: str) -> None:
        problem = the_problem(json_file(tmp_path, {"people": [{"name": "Ada"}, {"name": bad}]}))
        assert (problem.row, problem.unit, problem.column, problem.value) == (2, "object", "name", bad)
        assert problem.rule == "it holds a character that is no text"

    def test_all_problems_of_all_files_at_once(self, tmp_path: Path) -> None:
        folder = csv_file(tmp_path / "in", "name,age\nAda,36\nBob,1,2\nEve,\x00\nMax,3,4\n")
        csv_file(folder, "name,name\nUlm,1\n", "cities.csv")
        csv_file(folder, "name\nSo\n", "persons.csv")
        found = [(Path(p.file).name, p.row, p.rule) for p in refused(folder)]
        assert found == [
            ("cities.csv", 0, "the column name is there twice"),
            ("people.csv", 3, "it has more cells than the 2 columns"),
            ("people.csv", 4, "it holds a character that is no text"),
            ("people.csv", 5, "it has more cells than the 2 columns"),
            ("persons.csv", 0, "there is no table 'persons'"),
        ]


class TestHeader:
    @pytest.mark.parametrize(
        ("content", "rule", "row"),
        [
            ("", "it is empty", 0),
            ("\n\n", "it is empty", 0),
            (" , \n", "it is empty", 0),
            ("name,,age\nAda,x,36\n", "column 2 has no name", 0),
            ("name,age,NAME\nAda,36,x\n", "the column name is there twice", 0),
            ("name;age\nAda;36\n", "its columns are not separated by commas", 0),
            ("name\tage\nAda\t36\n", "its columns are not separated by commas", 0),
            ("name,age\nAda,36,x\n", "it has more cells than the 2 columns", 2),
            ("name,age\n\nAda,36,,,x\n", "it has more cells than the 2 columns", 3),
            ("na\x1bme\nAda\n", "column 1 is named 'na\\x1bme', which is no name", 0),
            ("n" * 300 + "\nAda\n", "column 1 is named '" + "n" * 37 + "...', which is no name", 0),
        ],
    )
    def test_of_csv(self, tmp_path: Path, content: str, rule: str, row: int) -> None:
        problem = the_problem(csv_file(tmp_path / "in", content))
        assert (problem.rule, problem.row) == (rule, row)
        assert problem.file.endswith("people.csv")
        assert problem.hint

    def test_a_number_with_thousands_separators(self, tmp_path: Path) -> None:
        problem = the_problem(csv_file(tmp_path / "in", "name,shares\nAda,33,831,184\n"))
        assert problem.rule == "it has more cells than the 2 columns"
        assert problem.hint.startswith("write 33,831,184 as 33831184, without thousands separators")

    def test_objects_of_a_name_each(self, tmp_path: Path) -> None:
        """They are refused before each gets a cell for every name: a small file would fill the memory."""
        people: list[dict[str, object]] = [{f"c{n}": "x"} for n in range(300)]
        (tmp_path / "in.json").write_text(json.dumps({"people": [*people, {"c0": ["no", "cell"]}]}))
        assert the_problem(tmp_path / "in.json").rule == "more than 256 columns"

    def test_a_cell_beside_the_columns_of_a_sheet(self, tmp_path: Path) -> None:
        problem = the_problem(workbook(tmp_path, [["name", "age"], ["Ada", 36, "x"]]))
        assert problem.rule == "it has more cells than the 2 columns"
        assert problem.hint.startswith("name each column")

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    def test_a_title_above_it(self, tmp_path: Path, form: str) -> None:
        rows = [["People of the town", ""], ["", ""], *PEOPLE]
        path = (
            workbook(tmp_path, rows)
            if form == "xlsx"
            else csv_file(tmp_path / "in", "".join(f"{a},{b}\n" for a, b in rows))
        )
        problem = the_problem(path)
        assert (problem.rule, problem.hint) == ("row 1 must hold the column names", "remove the title above them")

    def test_alone_is_a_table_without_rows(self, tmp_path: Path) -> None:
        assert cells(read_tables(csv_file(tmp_path / "in", "name,age\n"), KNOWN)["people"]) == [["name", "age"]]

    def test_blank_columns_at_its_end_are_left_out(self, tmp_path: Path) -> None:
        found = read_tables(csv_file(tmp_path / "in", "name,age,,\nAda,36,,\nBob\n"), KNOWN)
        assert cells(found["people"]) == [["name", "age"], ["Ada", "36"], ["Bob", ""]]

    def test_a_hundred_thousand_columns_do_not_take_forever(self, tmp_path: Path) -> None:
        wide = ",".join(f"c{n}" for n in range(100_000))
        assert the_problem(csv_file(tmp_path / "in", f"{wide}\n1\n")).rule == "more than 256 columns"


class TestCsv:
    @pytest.mark.parametrize(
        ("content", "rule", "place"),
        [
            ("name\nZoë\n".encode("latin-1"), "not UTF-8 text", ", line 2"),
            ("name\nZoë\n".encode("utf-16"), "not UTF-8 text", ", line 1"),
            (b'name\nAda\n"Bob\nEve\n', "not CSV: unexpected end of data", ", line 4"),
            (b'name\n"Ada"x\n', "not CSV: ", ", line 2"),
            (b'name\n"' + b"x" * 140_000 + b'"\n', "not CSV: field larger than field limit", ", line"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, content: bytes, rule: str, place: str) -> None:
        problem = the_problem(csv_file(tmp_path / "in", content))
        assert problem.rule.startswith(rule)
        assert problem.file.partition("people.csv")[2].startswith(place)
        assert problem.hint

    def test_utf_16_without_a_mark_is_not_taken_for_text(self, tmp_path: Path) -> None:
        assert "which is no name" in the_problem(csv_file(tmp_path / "in", "name\nAda\n".encode("utf-16-le"))).rule

    def test_nul_bytes(self, tmp_path: Path) -> None:
        problem = the_problem(csv_file(tmp_path / "in", b"name,age\nAda,3\x006\n"))
        assert (problem.row, problem.column) == (2, "age")

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_byte_order_mark_and_line_ends(self, tmp_path: Path, end: str) -> None:
        content = "\ufeff" + end.join(["name,age", "Ada,36", ""])
        assert cells(read_tables(csv_file(tmp_path / "in", content), KNOWN)["people"]) == PEOPLE[:2]

    def test_rows_count_as_in_a_spreadsheet(self, tmp_path: Path) -> None:
        content = '\n\nname,age\n\n"A\nda",36\n,\nBob,\n'
        found = read_tables(csv_file(tmp_path / "in", content), KNOWN)["people"]
        assert [(row.number, row.cells["name"]) for row in found.rows] == [(5, "A\nda"), (7, "Bob")]

    def test_an_unknown_file_is_refused_with_what_may_have_been_meant(self, tmp_path: Path) -> None:
        folder = csv_file(tmp_path / "in", "name\nAda\n", "pepole.csv")
        assert str(the_problem(folder)).endswith("pepole.csv: there is no table 'pepole'")
        assert the_problem(folder).hint == "did you mean people?"
        csv_file(folder, "x\n1\n", "zzz.csv")
        assert refused(folder)[1].hint == "the tables are people, cities"

    def test_other_files_and_hidden_ones_are_left_alone(self, tmp_path: Path) -> None:
        folder = csv_file(tmp_path / "in", "name\nAda\n")
        for name in ("notes.txt", ".people.csv", "._people.csv", ".~lock.people.csv#"):
            csv_file(folder, b"\xff\xfe", name)
        (folder / "cities.csv").mkdir()
        assert list(read_tables(folder, KNOWN)) == ["people"]

    def test_two_files_for_one_table(self, tmp_path: Path) -> None:
        folder = csv_file(tmp_path / "in", "name\nAda\n")
        csv_file(folder, "name\nBob\n", "People.csv")
        if len(os.listdir(folder)) == 2:  # not on a system that ignores letter case
            assert the_problem(folder).rule == "the table people is there twice"

    def test_the_modules_own_limit_is_left_as_it_was(self, tmp_path: Path) -> None:
        import csv

        before = csv.field_size_limit()
        read_tables(csv_file(tmp_path / "in", "name\nAda\n"), KNOWN)
        assert csv.field_size_limit() == before

    @READABLE
    @given(content=st.one_of(st.binary(max_size=200), st.text('na,"\n\r;\0é =', max_size=100).map(str.encode)))
    def test_any_bytes_give_a_table_or_a_problem(self, tmp_path: Path, content: bytes) -> None:
        read_or_refused(csv_file(tmp_path / "in", content))


class TestRanges:
    def test_blank_lines_are_blank_cells(self, tmp_path: Path) -> None:
        csv_file(tmp_path, "6.41\n\n2.00\n\n\n")
        assert csv_cells(tmp_path / "people.csv") == [["6.41"], [], ["2.00"]]

    def test_what_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="No such file"):
            csv_cells(tmp_path / "none.csv")
        with pytest.raises(InputError, match="directory"):
            csv_cells(tmp_path)


class TestJson:
    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            ("{", "not JSON: Expecting property name"),
            (" ", "not JSON: Expecting value"),
            ('{"people": [{"age": NaN}]}', "not JSON: NaN is not a number"),
            ('{"people": [{"age": -Infinity}]}', "not JSON: -Infinity is not a number"),
            ('{"people": [{"a": 1, "a": 2}]}', "not JSON: 'a' is there twice in one object"),
            ('{"people": [], "people": []}', "not JSON: 'people' is there twice in one object"),
            ('{"people": [{"name": "Ada"}], "People": [{"name": "Bob"}]}', "the table people is there twice"),
            ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
            ("[]", "not an object of tables"),
            ("3", "not an object of tables"),
            ('{"people": {"name": "Ada"}}', "not a list of objects"),
            ('{"people": ["Ada"]}', "not a list of objects"),
            ('{"people": []}', "it is empty"),
            ('{"people": [{}]}', "it is empty"),
            ('{"people": [{"name": {"first": "Ada"}}]}', "name: dict is not text, a number or a date"),
            ('{"people": [{"name": ["Ada"]}]}', "name: list is not text, a number or a date"),
            ('{"poeple": [{"name": "Ada"}]}', "there is no table 'poeple'"),
            ('{"people": [{"": "Ada"}, {"a": 1}]}', "column 1 has no name"),
            ('{"people": [{"a": 1, " A ": 2}]}', "the column a is there twice"),
        ],
    )
    def test_what_is_no_table(self, tmp_path: Path, content: str, rule: str) -> None:
        problem = the_problem(json_file(tmp_path, content))
        assert problem.rule.startswith(rule)
        assert problem.file.startswith(str(tmp_path / "in.json"))
        assert problem.hint

    def test_a_nested_value_is_located(self, tmp_path: Path) -> None:
        path = json_file(tmp_path, {"people": [{"name": "Ada"}, {"name": {}}]})
        assert str(the_problem(path)) == f"{path}, people, object 2: name: dict is not text, a number or a date"

    @pytest.mark.parametrize("content", [b"\xff\xfe{\0}\0", '{"people": [{"name": "ë"}]}'.encode("latin-1")])
    def test_another_encoding(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "in.json").write_bytes(content)
        assert the_problem(tmp_path / "in.json").rule.startswith("not JSON: 'utf-8' codec can't decode")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        assert the_problem(json_file(tmp_path, "")).rule == "it is empty"

    def test_numbers_stay_as_written(self, tmp_path: Path) -> None:
        numbers = "2.00", "1E400", "0.1000000000000000055511151231257827", "9" * 5000, "-0"
        content = '{"people": [' + ",".join(f'{{"age": {number}}}' for number in numbers) + "]}"
        found = read_tables(json_file(tmp_path, content), KNOWN)["people"]
        assert [row.cells["age"] for row in found.rows] == list(numbers)

    def test_numbers_of_programs_are_plain_digits(self, tmp_path: Path) -> None:
        content = '{"people": [{"age": 1e-05}, {"age": 4.56E+07}, {"age": 1e+00000000000099999999}]}'
        found = read_tables(json_file(tmp_path, content), KNOWN)["people"]
        assert [row.cells["age"] for row in found.rows] == ["0.00001", "45600000", "1e+00000000000099999999"]

    def test_other_values(self, tmp_path: Path) -> None:
        path = json_file(tmp_path, {"people": [{"a": True, "b": None}, {"b": " x "}]})
        assert cells(read_tables(path, KNOWN)["people"]) == [["a", "b"], ["TRUE", ""], ["", "x"]]

    @READABLE
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["people", "name", "age", "x\n"]), inner, max_size=3)
            ),
        )
    )
    def test_any_content_gives_tables_or_a_problem(self, tmp_path: Path, content: Any) -> None:
        read_or_refused(json_file(tmp_path, content))


class TestWorkbook:
    def test_cells_as_they_show(self, tmp_path: Path) -> None:
        path = tmp_path / "in.xlsx"
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = "People"
        sheet["A1"] = "name"
        formats = [
            (2, "0.00", "2.00"),
            (2, '"$"#,##0.00', "2.00"),
            (2, '_("$"* #,##0.00_);_("$"* (#,##0.00)', "2.00"),
            (2, "[$$-409]#,##0.000", "2.000"),
            (2, "0." + "0" * 30, "2." + "0" * 30),
            (2, "0." + "0" * 31, "2"),
            (1234567, "#,##0", "1234567"),
            (2.345, "0.00", "2.345"),
            (0.5, "0.00%", "0.5"),
            (0.1 + 0.2, "General", "0.3"),
            (1e21, "General", "1" + "0" * 21),
            (4.56e7, "0.00E+00", "45600000"),
            (1e-7, "General", "0.0000001"),
            (1.7e308, "General", "17" + "0" * 307),
            (True, "General", "TRUE"),
            (date(2002, 2, 5), "yyyy-mm-dd", "2002-02-05"),
            (datetime.fromisoformat("2002-02-05T13:00:00"), "yyyy-mm-dd", "2002-02-05T13:00:00"),
            ("  x ", "0.00", "x"),
        ]
        for row, (value, number_format, _) in enumerate(formats, start=2):
            sheet.cell(row, 1, value).number_format = number_format
        book.save(path)
        found = read_tables(path, KNOWN)["people"]
        assert [row.cells["name"] for row in found.rows] == [text for *_, text in formats]

    def test_sheets_that_are_no_tables_are_left_alone_but_not_what_looks_like_one(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, PEOPLE)
        rewritten(path, "xl/workbook.xml", lambda xml: xml.replace(b'name="people"', b'name="Summary"'))
        assert str(the_problem(path)) == f"{path}: no sheet is named people or cities"
        rewritten(path, "xl/workbook.xml", lambda xml: xml.replace(b'name="Summary"', b'name="Poeple"'))
        assert the_problem(path).hint == "did you mean people?"

    @pytest.mark.parametrize("others", [["Summary", "Calculation", "Tie-out"], ["Summary", "Calculation"]])
    def test_a_finished_workbook_is_no_input(self, tmp_path: Path, others: list[str]) -> None:
        book = Workbook()
        book.worksheets[0].title = "people"
        book["people"].append(["name"])
        for title in others:
            book.create_sheet(title)
        book.save(tmp_path / "in.xlsx")
        problem = the_problem(tmp_path / "in.xlsx")
        assert problem.rule == "this is a workbook that export wrote, not an input"
        assert problem.hint == "edit the input it came from"
        book.create_sheet("Series")
        book.save(tmp_path / "in.xlsx")
        assert list(read_tables(tmp_path / "in.xlsx", KNOWN)) == ["people"]

    def test_the_template_is_no_input(self) -> None:
        template = Path(__file__).parent.parent.parent / "workbooks" / "conversion-price-model.xlsx"
        problem = the_problem(template)
        assert problem.rule == "this is the template or a workbook made from it, not an input"
        assert problem.hint == "xl-conversion example DIR --format xlsx writes an input"

    def test_a_stale_dimension_hides_nothing(self, tmp_path: Path) -> None:
        for stale in (b"A1:A2", b"A1", b"A1:ZZ9999", b"C3:C4"):
            path = workbook(tmp_path, PEOPLE)
            rewritten(path, SHEET, lambda xml, ref=stale: xml.replace(b'ref="A1:B3"', b'ref="' + ref + b'"'))
            assert stale in zipfile.ZipFile(path).read(SHEET)
            assert cells(read_tables(path, KNOWN)["people"]) == PEOPLE

    @pytest.mark.parametrize("value", [b"<v/>", b""])
    def test_a_formula_that_was_never_calculated_is_not_blank(self, tmp_path: Path, value: bytes) -> None:
        path = workbook(tmp_path, [["name", "age"], ["Ada", "=6*6"]])
        assert b"<f>6*6</f><v" in zipfile.ZipFile(path).read(SHEET)
        rewritten(path, SHEET, lambda xml: re.sub(rb"<f>6\*6</f><v ?/>", b"<f>6*6</f>" + value, xml))
        problem = of_a_row(path)
        assert (problem.row, problem.rule) == (2, "the formula in B2 has never been calculated")
        assert (problem.column, problem.value) == ("age", "=6*6")
        assert problem.file == f"{path}, sheet people"
        assert problem.hint == "recalculate and save the file"

    def test_what_is_not_known_spoils_no_other_row(self, tmp_path: Path) -> None:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "people"
        for row in (["name", "age"], ["Ada", "=1+1"], ["Bob", 3], [None, None, "=2"]):
            sheet.append(row)
        sheet["A5"] = ArrayFormula("A5", "=A2")
        book.save(tmp_path / "in.xlsx")
        ada, bob, beside, array = read_tables(tmp_path / "in.xlsx", KNOWN)["people"].rows
        assert (dict(bob.cells), bob.problems) == ({"name": "Bob", "age": "3"}, ())
        assert dict(ada.cells) == {"name": "Ada", "age": ""}
        assert [(one.column, one.value) for one in ada.problems] == [("age", "=1+1")]
        assert [(one.row, one.column, one.value) for one in beside.problems] == [(4, "", "=2")]
        assert [(one.column, one.value) for one in array.problems] == [("name", "=A2")]

    def test_the_names_of_columns_must_be_known(self, tmp_path: Path) -> None:
        problem = the_problem(workbook(tmp_path, [["name", "=6*6"], ["Ada", 1]]))
        assert (problem.row, problem.rule) == (1, "the formula in B1 has never been calculated")

    def test_so_many_cells_that_are_not_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MAX_UNKNOWN", 2)
        assert len(read_tables(workbook(tmp_path, [["a"], ["=1"], ["=2"]]), KNOWN)["people"].rows) == 2
        problem = the_problem(workbook(tmp_path, [["a"], ["=1"], ["=2"], ["=3"]]))
        assert problem.rule.startswith("more than 2 such rows: ")

    def test_formulas_give_their_values(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, [["name", "age"], ["Ada", "=6*6"], ["Bob", '=""']])

        def calculated(xml: bytes) -> bytes:
            xml = re.sub(rb"<f>6\*6</f><v ?/>", b"<f>6*6</f><v>36</v>", xml)
            return re.sub(rb'<c r="B3"[^>]*><f>""</f><v ?/>', b'<c r="B3" t="str"><f>""</f><v></v>', xml)

        found = read_tables(rewritten(path, SHEET, calculated), KNOWN)["people"]
        assert cells(found)[1:] == [["Ada", "36"], ["Bob", ""]]

    @pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!"])
    def test_an_error_is_not_text(self, tmp_path: Path, error: str) -> None:
        path = workbook(tmp_path, [["name", "age"], ["Ada", error]])
        problem = of_a_row(path)
        assert (problem.row, problem.column, problem.rule) == (2, "age", f"the cell B2 is {error}")

    def test_a_date_beyond_the_calendar_and_a_time(self, tmp_path: Path) -> None:
        path = workbook(tmp_path, [["name"], [date(2002, 2, 5)]])
        rewritten(path, SHEET, lambda xml: re.sub(rb"<v>37292</v>", b"<v>99999999999</v>", xml))
        assert of_a_row(path).rule == "the cell A2 is #VALUE!"
        path = workbook(tmp_path, [["name"], [time(12, 30)]])
        assert str(of_a_row(path)).endswith("name is '12:30:00'; time is not text, a number or a date")

    @pytest.mark.parametrize(
        "content", [b"", b"PK", b"not a zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)]
    )
    def test_what_is_no_package(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "in.xlsx"
        path.write_bytes(content)
        problem = the_problem(path)
        assert problem.rule == ("not an .xlsx workbook" if content else "it is empty")
        assert problem.hint

    def test_a_package_that_is_no_workbook(self, tmp_path: Path) -> None:
        path = tmp_path / "in.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "x")
        assert the_problem(path).rule.startswith("not a readable workbook: ")

    @pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/VBAPROJECT.BIN", "other/vbaProject.bin"])
    def test_a_workbook_with_macros(self, tmp_path: Path, name: str) -> None:
        path = rewritten(workbook(tmp_path, PEOPLE), name, lambda _: b"\xd0\xcf\x11\xe0")
        assert the_problem(path).rule == "a workbook with macros is not read"

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = rewritten(workbook(tmp_path, PEOPLE), "xl/media/image1.png", lambda _: bytes(3_000_000))
        assert path.stat().st_size < 50_000
        monkeypatch.setattr(tables, "MAX_UNPACKED", 2 * 1024 * 1024)
        problem = the_problem(path)
        assert (problem.rule, problem.hint) == ("it unpacks to more than 2 MiB", "split it")

    def test_a_bomb_that_lies_about_its_size(self, tmp_path: Path) -> None:
        path = rewritten(workbook(tmp_path, PEOPLE), SHEET, lambda xml: xml + b" " * 20_000_000)
        data = bytearray(path.read_bytes())
        for found in re.finditer(rb"PK\x01\x02", bytes(data)):
            start = found.start()
            length = struct.unpack_from("<H", data, start + 28)[0]
            if data[start + 46 : start + 46 + length] == SHEET.encode():
                struct.pack_into("<I", data, start + 24, 100)
        path.write_bytes(data)
        assert the_problem(path).rule.startswith("not a readable workbook: ")

    @pytest.mark.parametrize(
        "part",
        [
            SHEET,
            "xl/workbook.xml",
            "xl/styles.xml",
            STRINGS,
            "[Content_Types].xml",
            "docProps/core.xml",
        ],
    )
    @pytest.mark.parametrize("entity", ['"lol"', 'SYSTEM "file:///etc/hostname"'])
    def test_entities_are_not_expanded(self, tmp_path: Path, part: str, entity: str) -> None:
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        doctype = f"<!DOCTYPE x [<!ENTITY l0 {entity}>{laughs}]>".encode()

        def expanding(xml: bytes) -> bytes:
            xml = re.sub(rb"^<\?xml[^>]*\?>", b"", xml) or b"<sst><t >x</t></sst>"
            return doctype + re.sub(rb"(<(?:v|t|dc:creator|name|font)[ >])", rb"&l9;\1", xml, count=1)

        path = rewritten(workbook(tmp_path, PEOPLE), part, expanding)
        if part == STRINGS:  # which openpyxl does not write, but Excel does
            kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
            override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
            rewritten(path, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override))
        problem = the_problem(path)
        assert problem.rule.startswith("not a readable workbook: ")
        assert "EntitiesForbidden" in problem.rule

    def test_a_row_beyond_the_sheet_does_not_take_forever(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tables, "MAX_ROWS", 1000)
        path = rewritten(
            workbook(tmp_path, PEOPLE), SHEET, lambda xml: xml.replace(b'<row r="3"', b'<row r="99999999999"')
        )
        assert the_problem(path).rule == "more than 1000 rows"

    def test_a_cell_beyond_the_sheet(self, tmp_path: Path) -> None:
        path = rewritten(workbook(tmp_path, PEOPLE), SHEET, lambda xml: xml.replace(b'r="B2"', b'r="ZZZZZZ2"'))
        assert the_problem(path).rule.startswith("not a readable workbook: ")

    def test_nothing_is_said_about_what_openpyxl_drops(
        self, tmp_path: Path, recwarn: pytest.WarningsRecorder
    ) -> None:
        extension = b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>'
        path = rewritten(workbook(tmp_path, PEOPLE), SHEET, lambda xml: xml.replace(b"</worksheet>", extension))
        read_tables(path, KNOWN)
        assert not recwarn.list

    @READABLE
    @given(place=st.floats(0, 0.999), byte=st.integers(0, 255), cut=st.booleans())
    def test_a_damaged_file_gives_tables_or_a_problem(
        self, tmp_path: Path, place: float, byte: int, cut: bool
    ) -> None:
        data = bytearray(workbook(tmp_path, PEOPLE).read_bytes())
        at = int(place * len(data))
        data[at] = byte
        path = tmp_path / "damaged.xlsx"
        path.write_bytes(data[:at] if cut else data)
        read_or_refused(path)

    @READABLE
    @given(place=st.floats(0, 0.999), byte=st.integers(0, 255), part=st.sampled_from([SHEET, "xl/styles.xml"]))
    def test_a_damaged_part_gives_tables_or_a_problem(
        self, tmp_path: Path, place: float, byte: int, part: str
    ) -> None:
        def damaged(xml: bytes) -> bytes:
            at = int(place * len(xml))
            return xml[:at] + bytes([byte]) + xml[at + 1 :]

        read_or_refused(rewritten(workbook(tmp_path, PEOPLE), part, damaged))


def test_an_error_survives_without_its_file() -> None:
    stream = io.StringIO()
    print(InputError([Problem("a.csv", "it is empty"), Problem("b.csv", "no", 3, "x", "y")]), file=stream)
    assert stream.getvalue() == "a.csv: it is empty; b.csv, row 3: x is 'y'; no\n"
