"""A saved workbook carries every value, keeps every number and is the same file every time."""

from __future__ import annotations

import hashlib
import math
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

import xl_conversion
from xl_conversion.books import saving
from xl_conversion.books.saving import (
    MAX_TEXT,
    CachedValue,
    CachedValues,
    ExcelErrorText,
    put_text,
    save_workbook,
    workbook_bytes,
)
from xl_conversion.files import TEMPORARY_PREFIX, SaveError

ROOT = Path(xl_conversion.__file__).parents[1]
AS_OF = date(2002, 2, 5)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def saved(workbook: Workbook, values: dict[tuple[str, str], CachedValue] | None = None) -> BytesIO:
    return BytesIO(workbook_bytes(workbook, CachedValues(values or {}), as_of=AS_OF))


def part(file: BytesIO, name: str) -> str:
    with zipfile.ZipFile(file) as archive:
        return archive.read(name).decode()


def cell_xml(file: BytesIO, coordinate: str, sheet: int = 1) -> str:
    found = re.search(rf'<c r="{coordinate}".*?</c>', part(file, f"xl/worksheets/sheet{sheet}.xml"), re.DOTALL)
    assert found
    return found[0]


def one_formula(value: CachedValue) -> BytesIO:
    workbook = Workbook()
    workbook.active["B5"] = "=A1"
    return saved(workbook, {("Sheet", "B5"): value})


def rich_workbook() -> tuple[Workbook, CachedValues]:
    """A bit of everything that openpyxl writes, and the values of its formulas."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Summary & 'more'"
    sheet.append(["a", "b", "c"])
    for row in range(2, 10):
        sheet.append([row / 7, f'=IF(A{row}<1,"<&>",A{row}*3)', f"text {row}"])
        sheet[f"B{row}"].number_format = "0.0000"
    for reference in ("E1:F1", "H1:H4", "A20:C20", "E2:F2", "E3:G3"):
        sheet.merge_cells(reference)
    sheet["A2"].comment = Comment("seen", "reviewer")
    sheet["A3"].hyperlink = "https://example.org/"
    sheet["A4"].font = Font(color="0000FF")
    sheet.conditional_formatting.add("A2:A9 C2", CellIsRule("equal", ["1"], fill=PatternFill("solid")))
    allowed = DataValidation("list", '"a,b"')
    sheet.add_data_validation(allowed)
    for reference in ("K1", "K5:K9", "L3"):
        allowed.add(reference)
    sheet.add_table(Table(displayName="T1", ref="A1:C9"))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=9), titles_from_data=True)
    sheet.add_chart(chart, "J12")
    workbook.defined_names["in_price"] = DefinedName("in_price", attr_text=f"{sheet.title!r}!$A$2")
    other = workbook.create_sheet("系列")
    other["B1"] = ArrayFormula("B1:B3", "=ROW(A1:A3)*2")
    put_text(other["A1"], "=not a formula")
    values = CachedValues({(sheet.title, f"B{row}"): row * 3 / 7 for row in range(3, 10)})
    values[sheet.title, "B2"] = "<&>"
    values.update({("系列", f"B{row}"): row * 2 for row in range(1, 4)})
    return workbook, values


@pytest.mark.parametrize(
    ("value", "xml"),
    [
        (1.5, "<v>1.5</v>"),
        (0.1 + 0.2, "<v>0.30000000000000004</v>"),
        (3, "<v>3</v>"),
        (3.0, "<v>3</v>"),
        (-0.0, "<v>0</v>"),
        (10**22, "<v>1e+22</v>"),
        ("", "<v></v>"),
        ("a<b & \"c\" ]]> 'd'", "<v>a&lt;b &amp; \"c\" ]]&gt; 'd'</v>"),
        ("  edge ", '<v xml:space="preserve">  edge </v>'),
        ("a\nb\tc", "<v>a\nb\tc</v>"),
        ("a\rb", "<v>a&#13;b</v>"),
        ("日本 😀", "<v>日本 😀</v>"),
        ("#N/A", "<v>#N/A</v>"),
        ("=1+1", "<v>=1+1</v>"),
        (True, "<v>1</v>"),
        (False, "<v>0</v>"),
        (ExcelErrorText("#N/A"), "<v>#N/A</v>"),
        (ExcelErrorText("#DIV/0!"), "<v>#DIV/0!</v>"),
    ],
)
def test_a_formula_keeps_its_text_and_carries_its_value(value: CachedValue, xml: str) -> None:
    file = one_formula(value)
    kinds = {bool: ' t="b"', ExcelErrorText: ' t="e"', str: ' t="str"'}
    assert cell_xml(file, "B5") == f'<c r="B5"{kinds.get(type(value), "")}><f>A1</f>{xml}</c>'
    assert load_workbook(file).active["B5"].value == "=A1"
    read = load_workbook(file, data_only=True).active["B5"]
    assert read.value == (value if value != "" else None)
    if isinstance(value, bool | str) and value != "":
        assert isinstance(read.value, bool) == isinstance(value, bool)
        assert read.data_type == {bool: "b", ExcelErrorText: "e", str: "s"}[type(value)]


@given(FINITE | st.integers(-(10**18), 10**18))
@example(math.nextafter(1e16, 0))
@example(math.nextafter(1, 2))
@example(5e-324)
@example(1.7976931348623157e308)
def test_a_number_reads_back_as_the_same_double(number: float) -> None:
    _, element = saving._rendered(("Sheet", "A1"), number)
    written = element.removeprefix("<v>").removesuffix("</v>")
    assert float(written) == float(number)
    assert len(written) <= len(repr(float(number)))


def test_plain_numbers_are_not_rounded_either() -> None:
    numbers = [0.1 + 0.2, 2.0000000000000004, 1 / 3, 100.0, 1e300, 4.35 * 100, Decimal("0.30000000000000004")]
    workbook = Workbook()
    for row, number in enumerate(numbers, 1):
        workbook.active.cell(row, 1, number)
    workbook.active["A2"].number_format = "0.00"
    file = saved(workbook)
    read = load_workbook(file).active
    assert [cell.value for cell in read["A"]] == [float(number) for number in numbers]
    assert read["A2"].number_format == "0.00"
    assert "<f" not in cell_xml(file, "A1")
    assert [cell.value for cell in workbook.active["A"]] == numbers
    with pytest.raises(ValueError, match=r"without a formula: 'Sheet'!A1$"):
        saved(workbook, {("Sheet", "A1"): 0.3})


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"'Sheet'!B5: a number that no cell can hold"):
        one_formula(number)
    workbook = Workbook()
    workbook.active["C7"] = number
    with pytest.raises(ValueError, match=r"'Sheet'!C7: a number that no cell can hold"):
        saved(workbook)


def test_every_cell_of_an_array_formula_carries_its_value() -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet["B1"] = ArrayFormula("B1:C2", "=A1:A2*{1,2}")
    sheet["C1"].font = Font(bold=True)
    put_text(sheet["C2"], "=stale")
    values: dict[tuple[str, str], CachedValue] = {
        ("Sheet", "B1"): 1,
        ("Sheet", "C1"): " two",
        ("Sheet", "B2"): True,
        ("Sheet", "C2"): ExcelErrorText("#N/A"),
    }
    file = saved(workbook, values)
    assert cell_xml(file, "B1") == '<c r="B1"><f t="array" ref="B1:C2">A1:A2*{1,2}</f><v>1</v></c>'
    assert cell_xml(file, "B2") == '<c r="B2" t="b"><v>1</v></c>'
    assert cell_xml(file, "C1") == '<c r="C1" s="1" t="str"><v xml:space="preserve"> two</v></c>'
    read = load_workbook(file, data_only=True).active
    assert [[cell.value for cell in row] for row in read["B1:C2"]] == [[1, " two"], [True, "#N/A"]]
    again = load_workbook(file).active
    assert (again["B1"].value.text, again["B1"].value.ref) == ("=A1:A2*{1,2}", "B1:C2")
    # The caller's workbook is as it was.
    assert (sheet["B2"].value, sheet["C2"].value, sheet["C2"].data_type) == (None, "=stale", "s")
    del values["Sheet", "B2"]
    with pytest.raises(ValueError, match=r"a formula without a recorded value: 'Sheet'!B2$"):
        saved(workbook, values)


def test_a_formula_without_a_value_is_named() -> None:
    workbook, values = rich_workbook()
    del values["系列", "B2"], values["Summary & 'more'", "B7"]
    with pytest.raises(ValueError, match=r"without a recorded value: 'Summary & ''more'''!B7, '系列'!B2$"):
        saved(workbook, dict(values))
    with pytest.raises(ValueError, match=r"B2, .*B9, '系列'!B1, '系列'!B2 and 1 more$"):
        saved(workbook)


def test_a_value_without_a_formula_is_named() -> None:
    workbook = Workbook()
    workbook.active["A1"] = 1
    workbook.active["A2"] = "=A1"
    value: dict[tuple[str, str], CachedValue] = {("Sheet", "A2"): 1}
    for cell in (("Sheet", "A1"), ("Sheet", "B9"), ("Other", "A2")):
        with pytest.raises(ValueError, match=f"a recorded value without a formula: '{cell[0]}'!{cell[1]}$"):
            saved(workbook, {**value, cell: 2})
    saved(workbook, value)


def test_what_cannot_be_recorded() -> None:
    values = CachedValues()
    for coordinate in ("", "B", "5", "b5", "$B$5", "B0", "B5:C6", "ABCD1"):
        with pytest.raises(ValueError, match="is not a cell"):
            values["Sheet", coordinate] = 1
    for text, words in (("a\x07b", r"U\+0007"), ("\ud800", r"U\+D800"), ("\ufffe", r"U\+FFFE")):
        with pytest.raises(ValueError, match=rf"'Sheet'!B5: a text holds the character {words}"):
            values["Sheet", "B5"] = text
    with pytest.raises(ValueError, match=r"'Sheet'!B5: a text of 32,768 characters; a cell holds 32,767"):
        values["Sheet", "B5"] = "😀" * (MAX_TEXT // 2 + 1)
    with pytest.raises(ValueError, match=r"'Sheet'!B5: a number that no cell can hold"):
        values["Sheet", "B5"] = 10**400
    wrong: list[Any] = [None, Decimal(1), b"a", AS_OF, [1]]
    for value in wrong:
        with pytest.raises(TypeError, match=r"'Sheet'!B5: .* is not a number, a text"):
            values["Sheet", "B5"] = value
    with pytest.raises(ValueError, match="not an error code"):
        ExcelErrorText("#OOPS!")
    assert not values


def test_an_error_value_survives_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(ExcelErrorText("#NUM!")))  # noqa: S301
    assert isinstance(error, ExcelErrorText)
    assert error == "#NUM!"


def test_a_write_only_workbook_is_refused() -> None:
    with pytest.raises(ValueError, match="write-only"):
        saved(Workbook(write_only=True))


def test_what_no_workbook_can_carry_makes_no_file() -> None:
    workbook = Workbook()
    workbook.active["A1"].comment = Comment("bell \x07", "reviewer")
    # With lxml openpyxl finds it, without nobody would.
    with pytest.raises(ValueError, match=r"xl/comments/comment1\.xml holds what no workbook|XML compatible"):
        saved(workbook)


def test_a_formula_in_an_unknown_form_is_not_passed_over() -> None:
    with pytest.raises(RuntimeError, match="'Sheet' holds a formula in a form that is not known"):
        saving._filled(b'<c s="1" r="A1"><f>1</f><v/></c>', "Sheet", {("Sheet", "A1"): 1}, ())


def test_hosts_recalculate_on_opening() -> None:
    workbook = Workbook()
    workbook.calculation.fullCalcOnLoad = False
    assert re.search(r'<calcPr [^>]*fullCalcOnLoad="1"', part(saved(workbook), "xl/workbook.xml"))


def test_merged_cells_are_written_in_one_order() -> None:
    files = []
    for references in (("E2:F2", "E1:F1", "A20:C20", "H1:H4"), ("H1:H4", "A20:C20", "E1:F1", "E2:F2")):
        workbook = Workbook()
        for reference in references:
            workbook.active.merge_cells(reference)
        files.append(saved(workbook))
    merged = re.findall('<mergeCell ref="(.*?)"', part(files[0], "xl/worksheets/sheet1.xml"))
    assert merged == ["A20:C20", "E1:F1", "E2:F2", "H1:H4"]
    assert files[0].getvalue() == files[1].getvalue()


@pytest.mark.parametrize("as_of", [AS_OF, datetime(2002, 2, 5, 13, 30)])  # noqa: DTZ001
def test_the_document_is_dated_as_of(as_of: date) -> None:
    workbook = Workbook()
    workbook.properties.created = datetime(1999, 1, 1)  # noqa: DTZ001
    file = BytesIO(workbook_bytes(workbook, {}, as_of=as_of))
    properties = load_workbook(file).properties
    assert properties.created == properties.modified == datetime(2002, 2, 5)  # noqa: DTZ001
    with zipfile.ZipFile(file) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {(entry.create_system, entry.external_attr >> 16) for entry in archive.infolist()} == {(3, 0o600)}
        assert archive.namelist() == sorted(archive.namelist())


def test_nothing_is_lost_on_the_way() -> None:
    workbook, values = rich_workbook()
    plain = BytesIO()
    workbook.save(plain)
    file = saved(workbook, dict(values))
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(file) as after:
        assert sorted(before.namelist()) == after.namelist()
        for name in before.namelist():
            if "core.xml" not in name and "Content_Types" not in name and "worksheets/sheet" not in name:
                assert before.read(name) == after.read(name)
    read, expected = load_workbook(file), load_workbook(plain)
    for sheet in expected:
        assert read[sheet.title].merged_cells == sheet.merged_cells
        for row in sheet.iter_rows():
            for cell in row:
                other = read[sheet.title][cell.coordinate]
                assert other.style_id == cell.style_id
                if isinstance(cell.value, str):
                    assert (other.value, other.data_type) == (cell.value, cell.data_type)


def test_the_same_bytes_again_and_after_a_reload() -> None:
    workbook, values = rich_workbook()
    first = workbook_bytes(workbook, values, as_of=AS_OF)
    assert workbook_bytes(workbook, values, as_of=AS_OF) == first
    assert workbook_bytes(*rich_workbook(), as_of=AS_OF) == first
    assert workbook_bytes(workbook, values, as_of=date(2002, 2, 6)) != first
    loaded = load_workbook(BytesIO(first))
    second = workbook_bytes(loaded, values, as_of=AS_OF)
    assert workbook_bytes(load_workbook(BytesIO(first)), values, as_of=AS_OF) == second


def with_macros(data: bytes) -> bytes:
    """The workbook with the kinds of parts that openpyxl copies for its macros."""
    file = BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        for name in ("vbaProject.bin", "media/image1.emf", "media/image2.emf", "drawings/vmlDrawing7.vml"):
            archive.writestr(f"xl/{name}", b"<xml/>")
    return file.getvalue()


def test_the_same_bytes_in_every_environment() -> None:
    """Another time zone, locale, hash seed and moment; macro workbooks have parts that openpyxl keeps in a set."""
    code = (
        "import hashlib, runpy, sys\n"
        "from io import BytesIO\n"
        "from openpyxl import load_workbook\n"
        "from xl_conversion.books.saving import workbook_bytes\n"
        "test = runpy.run_path(sys.argv[1])\n"
        "workbook, values = test['rich_workbook']()\n"
        "data = workbook_bytes(workbook, values, as_of=test['AS_OF'])\n"
        "workbook = load_workbook(BytesIO(test['with_macros'](data)), keep_vba=True)\n"
        "for sheet in workbook: sheet.legacy_drawing = None\n"
        "for made in (data, workbook_bytes(workbook, values, as_of=test['AS_OF'])):\n"
        "    print(hashlib.sha256(made).hexdigest())\n"
    )
    command = [sys.executable, "-c", code, __file__]
    environments = [
        {"TZ": "UTC", "PYTHONHASHSEED": "0", "LC_ALL": "C"},
        {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
        {"TZ": "America/Los_Angeles", "PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8", "PYTHONUTF8": "1"},
        {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "3", "LC_ALL": "tr_TR.UTF-8", "PYTHONOPTIMIZE": "1"},
    ]
    shown = {
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, **changed}, capture_output=True, text=True, check=True
        ).stdout
        for changed in environments
    }
    assert len(shown) == 1
    own = hashlib.sha256(workbook_bytes(*rich_workbook(), as_of=AS_OF)).hexdigest()
    assert shown.pop().splitlines()[0] == own


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=", "+1", "-5", "@SUM(A1)", "#N/A", "#REF!", "12", "TRUE", "plain", " edge ", "a\nb", "<&>", "日本"],
)
def test_data_is_always_text(text: str) -> None:
    workbook = Workbook()
    cell = workbook.active["A1"]
    cell.font = Font(bold=True)
    put_text(cell, text)
    assert (cell.value, cell.data_type) == (text, "s")
    file = saved(workbook)
    assert '<c r="A1" s="1" t="inlineStr"><is>' in part(file, "xl/worksheets/sheet1.xml")
    read = load_workbook(file).active["A1"]
    assert (read.value, read.data_type, read.font.b) == (text, "s", True)
    assert bool(read.quotePrefix) == (text[0] in "=+-@")


def test_the_quote_prefix_goes_when_it_is_not_needed() -> None:
    cell = Workbook().active["A1"]
    put_text(cell, "plain")
    assert not cell.has_style
    put_text(cell, "=1")
    assert cell.quotePrefix
    put_text(cell, "plain")
    assert not cell.quotePrefix


def test_text_that_a_cell_cannot_hold() -> None:
    workbook = Workbook()
    cell = workbook.active["B2"]
    put_text(cell, "a\x00b\x0bc\ud800d\uffffe\r\nf\rg")
    assert cell.value == "a\ufffdb\ufffdc\ufffdd\ufffde\nf\ng"
    assert load_workbook(saved(workbook)).active["B2"].value == cell.value
    put_text(cell, "x" * MAX_TEXT)
    with pytest.raises(ValueError, match=r"'Sheet'!B2: a text of 32,768 characters; a cell holds 32,767"):
        put_text(cell, "y" * (MAX_TEXT + 1))
    assert cell.value == "x" * MAX_TEXT


def test_what_excel_would_decode_is_escaped() -> None:
    cell = Workbook().active["A1"]
    put_text(cell, "_x0041_ _x41_ __x00e9_x0041_")
    assert cell.value == "_x005F_x0041_ _x41_ __x005F_x00e9_x005F_x0041_"


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=40))
def test_any_text_survives_as_data_and_as_the_value_of_a_formula(text: str) -> None:
    workbook = Workbook()
    sheet = workbook.active
    put_text(sheet["A1"], text)
    sheet["B1"] = "=A1"
    read = load_workbook(saved(workbook, {("Sheet", "B1"): sheet["A1"].value}), data_only=True).active
    assert read["A1"].value == read["B1"].value == sheet["A1"].value


def test_saving_to_a_file(tmp_path: Path) -> None:
    workbook, values = rich_workbook()
    for _ in range(2):
        save_workbook(workbook, values, tmp_path / "a.xlsx", as_of=AS_OF)
        assert (tmp_path / "a.xlsx").read_bytes() == workbook_bytes(workbook, values, as_of=AS_OF)
    assert os.listdir(tmp_path) == ["a.xlsx"]
    with pytest.raises(SaveError, match="is a folder"):
        save_workbook(workbook, values, tmp_path, as_of=AS_OF)
    with pytest.raises(ValueError, match="without a recorded value"):
        save_workbook(workbook, {}, tmp_path / "a.xlsx", as_of=AS_OF)
    assert (tmp_path / "a.xlsx").read_bytes() == workbook_bytes(workbook, values, as_of=AS_OF)


def test_a_full_temporary_folder_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    workbook = Workbook()
    workbook.active["A1"] = 0.1 + 0.2
    monkeypatch.setattr(workbook, "save", full)
    with pytest.raises(SaveError, match=r"No space left on device\. Check the folder for temporary files"):
        save_workbook(workbook, {}, tmp_path / "a.xlsx", as_of=AS_OF)
    assert workbook.active["A1"].value == 0.1 + 0.2
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_at_any_moment_the_workbook_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    code = (
        "import itertools, runpy, sys\n"
        "from xl_conversion.books.saving import save_workbook\n"
        "test = runpy.run_path(sys.argv[1])\n"
        "workbook, values = test['rich_workbook']()\n"
        "for i in itertools.count():\n"
        "    workbook['系列']['D1'] = i\n"
        "    save_workbook(workbook, values, sys.argv[2], as_of=test['AS_OF'])\n"
    )
    moments = random.Random(7)  # noqa: S311
    for _ in range(4):
        target.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", code, __file__, str(target)], cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while not target.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.2))
        finally:
            process.kill()
            process.wait()
        with zipfile.ZipFile(target) as archive:
            assert archive.testzip() is None
        assert load_workbook(target, data_only=True)["系列"]["B3"].value == 6
        assert all(name.startswith(TEMPORARY_PREFIX) for name in os.listdir(tmp_path) if name != "a.xlsx")
