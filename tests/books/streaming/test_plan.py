"""A rendered design is what openpyxl would make of it, cell by cell; every reader takes it; text stays text."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from support.filling_reference import assert_same, filled, look, saved
from support.office import Office
from support.ooxml import validate

import xl_conversion
from xl_conversion.books.streaming import Columns, ExcelErrorText, Formula, Plan, Row, Styled, make_plan

ROOT = Path(xl_conversion.__file__).parents[1]
AS_OF = date(2002, 2, 5)
CACHED = {
    ("Summary & co", "B6"): "total",
    ("Summary & co", "B7"): "count",
    ("The steps", "F8"): "steps.amount",
    ("The steps", "B5"): "total",
}


def realistic() -> bytes:
    """A statement as the batch makes it: a summary, steps, a sheet of notes that never changes, variants."""
    book = Workbook()
    summary = book.active
    summary.title = "Summary & co"
    styles = book.create_sheet("{{styles}}")
    steps = book.create_sheet("The steps")
    notes = book.create_sheet("Notes")
    thin = Side(style="thin", color="808080")
    for row, (label, text) in enumerate(
        [("Company", "{{company}}"), ("Series", "Series {{series}} of {{company}}"), ("Day", "{{day}}")], 1
    ):
        summary.cell(row, 1, label).font = Font(bold=True)
        summary.cell(row, 2, text).alignment = Alignment(wrap_text=True, vertical="top")
    summary["B3"].number_format = "d mmm yyyy"
    summary["B4"] = "{{price}}"
    summary["B4"].number_format = "0.0000"
    summary["B4"].border = Border(top=thin, bottom=thin)
    summary["B6"] = "=SUM('The steps'!F8:F8)"
    summary["B7"] = "=COUNTA('The steps'!$A$8:$A$8)"
    summary["B8"] = '=IF(B6>0,"D8:D8 & {more}",LOG10(100))'
    summary["B9"] = 1.5
    summary["B10"] = "100 % static < text"
    summary.merge_cells("A12:C13")
    summary["A12"] = "{{note}}"
    summary.column_dimensions["A"].width = 30
    summary.row_dimensions[2].height = 33
    summary.oddHeader.center.text = "{{company}} & more"
    summary.oddFooter.right.text = "Page &P of &N, {{series}}"
    summary.conditional_formatting.add("B4", CellIsRule("lessThan", ["1"], font=Font(color="FF0000")))
    steps["A2"] = "100% of {{company}}"
    steps["B5"] = "=SUM(F8:F8)"
    for column, (title, text) in enumerate(
        [
            ("Step", "{{steps.name}}"),
            ("Day", "{{steps.day}}"),
            ("Note", "{{steps.name}}: {{steps.note}} ({{series}})"),
            ("Shares", "{{steps.shares}}"),
            ("Price", "{{steps.price}}"),
            ("Amount", "=ROUND($D8*E8,2)"),
            ("So far", "=SUM($F$8:F8)"),
            ("Share", "=F8/SUM($F$8:$F$8)*$B$4"),
            ("Fixed", "as it is"),
            ("Merged", "{{steps.note}}"),
            ("", None),
            ("Series", "{{series}}"),
        ],
        1,
    ):
        steps.cell(7, column, title or "-").fill = PatternFill("solid", fgColor="DDDDDD")
        steps.cell(8, column, text).border = Border(bottom=thin)
    steps["B8"].number_format = "yyyy-mm-dd"
    steps["H8"].number_format = "0.0%"
    steps.merge_cells("J8:K8")
    steps.merge_cells("A2:C2")
    steps.row_dimensions[8].height = 18
    steps.freeze_panes = "A8"
    steps.print_title_rows = "7:7"
    steps.print_area = "A1:L8"
    steps.conditional_formatting.add("D8", CellIsRule("lessThan", ["0"], fill=PatternFill(bgColor="FF0000")))
    steps.conditional_formatting.add("A8:L8", FormulaRule(formula=["$D8>SUM($D$8:$D$8)/2"], font=Font(bold=True)))
    validation = DataValidation(type="decimal", operator="greaterThan", formula1="0")
    validation.add("E8")
    steps.add_data_validation(validation)
    steps.add_table(Table(displayName="Steps", ref="A7:L8"))
    notes["A1"] = "Nothing changes here"
    notes["A2"] = "=1+1"
    notes.print_area = "A1:A2"
    styles["A1"] = "alarm"
    styles["A1"].font = Font(color="FF0000", bold=True)
    styles["A2"] = "rate"
    styles["A2"].number_format = "0.000000"
    book.defined_names["AllSteps"] = DefinedName("AllSteps", attr_text="'The steps'!$F$8:$F$8")
    book.properties.title = "Statement of {{company}}"
    return saved(book)


DESIGN = realistic()
PLAN = make_plan(DESIGN, CACHED)
VALUES: dict[str, Any] = {
    "company": "Smith & <Sons> 100%",
    "series": "A",
    "day": date(2024, 2, 29),
    "price": Fraction(1, 3),
    "note": "=1+1",
    "total": 12.5,
    "count": 2,
}


def rows_of(count: int) -> list[Any]:
    rows: list[Any] = []
    for number in range(count):
        own = Styled(Formula("1+1", 2), "alarm"), Formula('"<"&"b"', "<b")
        note = ["plain", "-5", "", None, "{{company}}", Styled("x", "alarm"), *own][number % 8]
        day = AS_OF + timedelta(number)
        price = [Decimal("1.25"), 0.1, Styled(2.5, "rate"), 3][number % 4]
        row = [f"Step {number}", day, note, 1000 + number, price, 1.5 * number]
        rows.append(Row(row, 20.5 + number) if number % 3 == 1 else tuple(row))
    return ordered(rows)


def ordered(rows: list[Any]) -> list[Any]:
    order = ["name", "day", "note", "shares", "price", "amount"]

    def one(row: Any) -> Any:
        given = dict(zip(order, row, strict=True))
        return [given[name] for name in PLAN.tables["steps"]]

    return [Row(one(row.values), row.height) if isinstance(row, Row) else one(row) for row in rows]


def written(plan: Plan, values: Any, tables: Any, **options: Any) -> bytes:
    stream = BytesIO()
    plan.write(stream, values, tables, as_of=AS_OF, **options)
    return stream.getvalue()


def validated(data: bytes, folder: Path) -> list[Any]:
    path = folder / "made.xlsx"
    path.write_bytes(data)
    return validate(path)


def one_cell(text: Any = "{{x}}") -> Plan:
    book = Workbook()
    book.active["B2"] = text
    return make_plan(saved(book))


def cell_of(data: bytes, coordinate: str = "B2") -> Any:
    return load_workbook(BytesIO(data)).active[coordinate]


def simple(more: Any = None) -> Workbook:
    """A register: a total above, a text, a number and a formula in each row."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Register"
    sheet["A1"] = "{{title}}"
    sheet["B1"] = "=SUM(B4:B4)"
    sheet["C1"] = "=SUM(C4:C4)"
    for column, (title, text) in enumerate([("Name", "{{r.name}}"), ("N", "{{r.n}}"), ("Twice", "=B4*2")], 1):
        sheet.cell(3, column, title)
        sheet.cell(4, column, text)
    other = book.create_sheet("Total")
    other["A1"] = "=SUM(Register!B4:B4)"
    other["A2"] = "=COUNT(Register!C4:C4)"
    sheet.print_area = "A1:C4"
    sheet.print_title_rows = "3:3"
    sheet.auto_filter.ref = "A3:C4"
    book.defined_names["Numbers"] = DefinedName("Numbers", attr_text="Register!$B$4:$B$4")
    return book


SIMPLE_CACHED = {
    ("Register", "B1"): "sum",
    ("Register", "C1"): "twice",
    ("Register", "C4"): "r.twice",
    ("Total", "A1"): "sum",
    ("Total", "A2"): "count",
}


def simple_values(count: int) -> dict[str, Any]:
    total = sum(range(count))
    return {"title": "All & everything", "sum": total, "twice": 2 * total, "count": count}


def simple_rows(count: int) -> list[tuple[str, int, int]]:
    return [(f"name {number}", number, 2 * number) for number in range(count)]


class TestAsOpenpyxl:
    @pytest.mark.parametrize("count", [0, 1, 2, 7])
    def test_render_and_write(self, count: int, tmp_path: Path) -> None:
        rows = rows_of(count)
        expected = filled(DESIGN, VALUES, {"steps": rows}, PLAN.tables)
        made = PLAN.render(VALUES, {"steps": rows}, as_of=AS_OF)
        assert_same(made, expected)
        assert_same(written(PLAN, VALUES, {"steps": rows}), expected)
        assert not validated(made, tmp_path)
        assert not validated(written(PLAN, VALUES, {"steps": rows}), tmp_path)

    def test_what_the_reference_looks_at(self) -> None:
        # The comparison itself must see a change of anything that it is there for.
        found = look(PLAN.render(VALUES, {"steps": rows_of(4)}, as_of=AS_OF))
        assert found["The steps", "D11"] == (1003.0, "n")
        assert found["The steps", "G10"] == ("=SUM($F$8:F10)", "f")
        assert found["The steps", "H10"] == ("=F10/SUM($F$8:$F$11)*$B$4", "f")
        assert found["The steps", "B5"] == ("=SUM(F8:F11)", "f")
        assert found["Summary & co", "B8"] == ('=IF(B6>0,"D8:D8 & {more}",LOG10(100))', "f")
        assert found["Summary & co", "B4"] == (1 / 3, "n")
        assert found["The steps", "heights"] == {8: 18.0, 9: 21.5, 10: 18.0, 11: 18.0}
        assert found["The steps", "merged"] == ["A2:C2", "J10:K10", "J11:K11", "J8:K8", "J9:K9"]
        assert ("D8:D11", "cellIs", ("0",), 1) in found["The steps", "rules"]
        assert ("A8:L11", "expression", ("$D8>SUM($D$8:$D$11)/2",), 2) in found["The steps", "rules"]
        assert found["The steps", "tables"] == {"Steps": "A7:L11"}
        assert found["The steps", "print"] == ("'The steps'!$A$1:$L$11", "$7:$7", "A8")
        assert found["names"] == {"AllSteps": "'The steps'!$F$8:$F$11"}
        assert found["sheets"] == ["Summary & co", "The steps", "Notes"]
        assert found["title"] == "Statement of Smith & <Sons> 100%"

    CELLS = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        st.fractions(),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30),
        st.dates(min_value=date(1900, 1, 1)),
        st.text(max_size=12),
        st.sampled_from(
            ["=1+1", "<&>", " a ", "a\r\nb", "\x07", "_x0041_", "\ud800", "\U0001f600", "{{a}}", "100%"]
        ),
        st.sampled_from(["#N/A", "#DIV/0!"]).map(ExcelErrorText),
        st.builds(Styled, st.one_of(st.text(max_size=3), st.integers(-9, 9)), st.sampled_from(["bold", "red"])),
    )

    @settings(max_examples=40, phases=set(Phase) - {Phase.explain, Phase.shrink})
    @given(data=st.data())
    def test_any_design(self, data: st.DataObject) -> None:
        book = Workbook()
        sheet = book.active
        sheet.title = data.draw(st.sampled_from(["Plain", "It's & more", "Ünï 2"]))
        quoted = "'" + sheet.title.replace("'", "''") + "'"
        other = book.create_sheet("Other")
        styles = book.create_sheet("{{styles}}", data.draw(st.sampled_from([0, 1, 2])))
        styles["A1"], styles["A2"] = "bold", "red"
        styles["A1"].font = Font(bold=True)
        styles["A2"].font = Font(color="FF0000")
        styles["A2"].number_format = data.draw(st.sampled_from(["0.00", "#,##0.0000", "#,##0"]))
        row = data.draw(st.integers(2, 6))
        texts = ["{{a}}", "{{b}} & {{a}} 5%", " {{a}}", "=1<2", "fixed", 7, None, "{{b}}"]
        inside = ["{{t.x}}", "{{t.y}} of {{t.x}}", "{{t.y}}", "{{a}}", f"=B{row}*$B$1", f"=SUM($B${row}:B{row})"]
        inside += [f"=B{row}/SUM(B{row}:B{row})", "text", None, f'="B{row}"&B{row}']
        for place in range(1, row):
            for column in range(1, 4):
                sheet.cell(place, column, data.draw(st.sampled_from(texts)))
        sheet.cell(row, 1, "{{t.x}}")
        sheet.cell(row, 9, "{{t.y}}{{a}}")
        for column in range(2, 8):
            cell = sheet.cell(row, column, data.draw(st.sampled_from(inside)))
            cell.number_format = data.draw(st.sampled_from(["General", "0.00"]))
        other["A1"] = f"=SUM({quoted}!B{row}:C{row})&{quoted}!B{row}"
        other["A2"] = "{{b}}"
        other["A3"] = "{{a}}"
        plan = make_plan(saved(book))
        values = {name: data.draw(self.CELLS) for name in plan.names}
        width = len(plan.tables["t"])
        rows: list[Any] = data.draw(st.lists(st.lists(self.CELLS, min_size=width, max_size=width), max_size=5))
        expected = filled(saved(book), values, {"t": rows}, plan.tables)
        assert_same(plan.render(values, {"t": rows}, as_of=AS_OF), expected)
        assert_same(written(plan, values, {"t": rows}), expected)
        if rows:
            columns = Columns(list(zip(*rows, strict=True)))
            assert written(plan, values, {"t": [columns]}) == written(plan, values, {"t": rows})


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "=", "=\n1"])
    def test_text_is_no_formula(self, text: str) -> None:
        cell = cell_of(one_cell().render({"x": text}, as_of=AS_OF))
        assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<&>\"'", "<&>\"'"),
            (" a ", " a "),
            ("a\r\nb\rc", "a\nb\nc"),
            ("a\x00\x07\ufffeb", "a\ufffd\ufffd\ufffdb"),
            ("\ud800", "\ufffd"),
            ("{{x}} {{y}} %s %", "{{x}} {{y}} %s %"),
            ("\U0001f600" * 16_383, "\U0001f600" * 16_383),
            ("a" * 32_767, "a" * 32_767),
            ("_x0041_", "_x005F_x0041_"),  # which Excel reads as what was given, and openpyxl leaves
            ("]]>", "]]>"),
        ],
    )
    def test_nasty_texts(self, text: str, expected: str) -> None:
        made = one_cell().render({"x": text}, as_of=AS_OF)
        assert cell_of(made).value == expected
        assert not cell_of(made).quotePrefix

    @pytest.mark.parametrize("text", ["a" * 32_768, "\U0001f600" * 16_384])
    def test_too_long(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"Sheet!B2 \(x\): a text of 32,768 characters"):
            one_cell().render({"x": text}, as_of=AS_OF)

    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            (0.1 + 0.2, "0.30000000000000004"),
            (-0.0, "0"),
            (3.0, "3"),
            (1e300, "1e+300"),
            (2**53 + 1, "9007199254740992"),
            (Fraction(1, 3), "0.3333333333333333"),
            (Decimal("0.1"), "0.1"),
            (date(1900, 1, 1), "1"),
            (date(1900, 3, 1), "61"),
            (date(2024, 2, 29), "45351"),
            (True, "1"),
        ],
    )
    def test_numbers(self, value: Any, stored: str) -> None:
        made = one_cell().render({"x": value}, as_of=AS_OF)
        with zipfile.ZipFile(BytesIO(made)) as archive:
            assert f"<v>{stored}</v>" in archive.read("xl/worksheets/sheet1.xml").decode()

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, Fraction(10**400), Decimal("NaN")])
    def test_no_number(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"Sheet!B2 \(x\): a number that no cell can hold"):
            one_cell().render({"x": value}, as_of=AS_OF)

    def test_other_types(self) -> None:
        with pytest.raises(TypeError, match=r"Sheet!B2 \(x\)"):
            one_cell().render({"x": object()}, as_of=AS_OF)  # type: ignore[dict-item]
        with pytest.raises(ValueError, match="1899"):
            one_cell().render({"x": date(1899, 12, 31)}, as_of=AS_OF)

    @pytest.mark.parametrize(
        "value",
        [
            *("plain", "a\nb", "<&>", " a ", "", "x" * 300, "_x0041_", "=1", ExcelErrorText("#N/A")),
            *(7, 2**53 + 1, -0.0, 0.1, Fraction(1, 3), Decimal("2.50"), True, None, AS_OF, date(1900, 1, 1)),
        ],
    )
    def test_kept_is_the_same_again(self, value: Any) -> None:
        # Texts, numbers and formulas are kept from one workbook to the next.
        rows = [rows_of(1)[0] for _ in range(4)]
        place = PLAN.tables["steps"].index("note")
        kinds = [value, Styled(value, "alarm"), Formula("1+1", value), Styled(Formula("1+1", value), "rate")]
        given = [[*row[:place], kind, *row[place + 1 :]] for row, kind in zip(rows, kinds, strict=True)]
        expected = filled(DESIGN, VALUES, {"steps": given}, PLAN.tables)
        first, second = (PLAN.render(VALUES, {"steps": given}, as_of=AS_OF) for _ in range(2))
        assert first == second
        assert_same(first, expected)

    def test_names_are_checked(self) -> None:
        with pytest.raises(ValueError, match="not given: x"):
            one_cell().render({}, as_of=AS_OF)
        with pytest.raises(ValueError, match="does not have: y"):
            one_cell().render({"x": 1, "y": 1}, as_of=AS_OF)
        with pytest.raises(ValueError, match="table that is not given: steps"):
            PLAN.render(VALUES, {}, as_of=AS_OF)
        with pytest.raises(ValueError, match=r"row 2 of the table 'steps' has 1 values"):
            PLAN.render(VALUES, {"steps": [*rows_of(1), [1]]}, as_of=AS_OF)
        with pytest.raises(ValueError, match="no style 'nothing'; the design has alarm, rate"):
            PLAN.render({**VALUES, "note": Styled("x", "nothing")}, {"steps": []}, as_of=AS_OF)

    def test_header_is_bounded(self) -> None:
        with pytest.raises(ValueError, match="header or footer of 'Summary & co'"):
            PLAN.render({**VALUES, "company": "x" * 300}, {"steps": []}, as_of=AS_OF)

    def test_header_is_counted_as_excel_does(self) -> None:
        book = Workbook()
        book.active.oddHeader.center.text = "{{x}}"
        plan = make_plan(saved(book))
        for text in ("x" * 253, "\U0001f600" * 126):  # and "&C" in front
            assert (
                load_workbook(BytesIO(plan.render({"x": text}, as_of=AS_OF))).active.oddHeader.center.text == text
            )
        for text in ("x" * 254, "\U0001f600" * 127):
            with pytest.raises(
                ValueError, match=r"header or footer of 'Sheet': 25[56] characters; it can have 255"
            ):
                plan.render({"x": text}, as_of=AS_OF)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (1e-07, "0.0000001"),
            (2.0, "2"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.3"),
            (1234567.891, "1234567.891"),
            (1e20, "100000000000000000000"),
            (1e21, "1E+21"),
            (-2.5e-20, "-2.5E-20"),
            (2**53 + 1, "9007199254740993"),
            (True, "TRUE"),
            (False, "FALSE"),
            (None, ""),
            ("2.0", "2.0"),
            (ExcelErrorText("#N/A"), "#N/A"),
            (date(2024, 2, 29), "2024-02-29"),
            (Fraction(1, 3), "0.3333333333..."),
            (Fraction(641, 100), "6.41"),
            (Fraction(10), "10"),
            (Decimal("2.50"), "2.5"),
            (Decimal("1E+3"), "1000"),
            (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
            (Formula("1+1", 2.0), "2"),
            (Styled(2.0, "plain"), "2"),
            (Styled(2.0, "two"), "2.00"),
            (Styled(-1234.565, "two"), "-1234.57"),
            (Styled(Fraction(-1, 1000), "two"), "0.00"),
            (Styled(Fraction(1, 3), "more"), "0.3333"),
            (Styled(-0.5, "more"), "-0.5000"),
            (Styled(Decimal("1234567.8"), "more"), "1,234,567.8000"),
            (Styled(1234567, "whole"), "1,234,567"),
            (Styled(Formula("1+1", 2), "two"), "2.00"),
            (Styled(True, "two"), "TRUE"),
            (Styled("x", "two"), "x"),
            (Styled(1e30, "two"), "1E+30"),
            (Styled(0.25, "percent"), "0.25"),
        ],
    )
    def test_numbers_within_text(self, value: Any, expected: str) -> None:
        book = Workbook()
        sheet = book.active
        sheet["B2"] = "Price: {{x}}"
        sheet["A3"], sheet["B3"] = "{{t.x}}", "{{t.x}} of {{x}}"
        sheet.oddFooter.left.text = "At {{x}}."
        book.properties.title = "For {{x}}"
        formats = {"plain": "General", "two": "0.00", "more": "#,##0.0000", "whole": "#,##0", "percent": "0.0%"}
        styles = book.create_sheet("{{styles}}")
        for row, (name, code) in enumerate(formats.items(), 1):
            styles.cell(row, 1, name).number_format = code
        design = saved(book)
        plan = make_plan(design)
        made = plan.render({"x": value}, {"t": [[value]]}, as_of=AS_OF)
        sheet = load_workbook(BytesIO(made)).active
        assert sheet["B2"].value == f"Price: {expected}"
        assert sheet["B3"].value == f"{expected} of {expected}"
        assert sheet.oddFooter.left.text == f"At {expected}."
        assert load_workbook(BytesIO(made)).properties.title == f"For {expected}"
        reference = filled(design, {"x": value}, {"t": [[value]]}, plan.tables)
        assert_same(made, reference)
        assert_same(written(plan, {"x": value}, {"t": [[value]]}), reference)

    @pytest.mark.parametrize(
        "value", [float("nan"), float("-inf"), 10**400, Fraction(10**400), Decimal("Infinity")]
    )
    def test_no_number_within_text(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"^\{\{x\}\} within a text: a number that no cell can hold"):
            one_cell("Price: {{x}}").render({"x": value}, as_of=AS_OF)

    def test_cached_values(self) -> None:
        made = PLAN.render(VALUES, {"steps": rows_of(3)}, as_of=AS_OF)
        book = load_workbook(BytesIO(made), data_only=True)
        assert book["Summary & co"]["B6"].value == 12.5
        assert [book["The steps"].cell(row, 6).value for row in (8, 9, 10)] == [0, 1.5, 3]
        assert book["The steps"]["G8"].value is None
        text = PLAN.render({**VALUES, "total": " <b>&"}, {"steps": []}, as_of=AS_OF)
        assert load_workbook(BytesIO(text), data_only=True)["Summary & co"]["B6"].value == " <b>&"
        assert load_workbook(BytesIO(text))["Summary & co"]["B6"].data_type == "f"

    def test_core_properties(self) -> None:
        made = PLAN.render(VALUES, {"steps": []}, as_of=AS_OF)
        properties = load_workbook(BytesIO(made)).properties
        assert properties.created.date() == properties.modified.date() == AS_OF


class TestDesigns:
    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ({"A1": "{{t.x}}", "A2": "below"}, r"sheet 'Sheet': A2 stands below row 1"),
            ({"A1": "{{t.x}}", "B1": "{{u.x}}"}, "Sheet!B1: a sheet has one row that is repeated"),
            ({"A1": "{{t.x}}", "A2": "{{t.y}}"}, "Sheet!A2: a sheet has one row"),
            ({"A1": "{{bad name}} {{x}}"}, "is no placeholder"),
            ({"A1": "{{}}"}, "is no placeholder"),
            ({"A1": '="{{x}}"'}, "Sheet!A1: a placeholder within a formula"),
            ({"A2": "{{t.x}}", "B2": "=A1"}, r"Sheet!B2: A1 in a formula .* write A\$1"),
            ({"A2": "{{t.x}}", "B2": "=Other!C2"}, r"write C\$2"),
            ({"A1": "{{t}}", "A2": "{{t.x}}"}, "the name of a value and of a table: t"),
        ],
    )
    def test_refused(self, cells: dict[str, str], message: str) -> None:
        book = Workbook()
        for coordinate, value in cells.items():
            book.active[coordinate] = value
        with pytest.raises(ValueError, match=message):
            make_plan(saved(book))

    def test_table_on_two_sheets(self) -> None:
        book = Workbook()
        book.active["A1"] = book.create_sheet("More")["A1"] = "{{t.x}}"
        with pytest.raises(ValueError, match="More!A1: the table 't' stands on the sheet 'Sheet' already"):
            make_plan(saved(book))

    def test_cached_names_a_formula(self) -> None:
        with pytest.raises(ValueError, match="Sheet!A1 is to have a cached value"):
            make_plan(saved(Workbook()), {("Sheet", "A1"): "x"})

    def test_no_workbook(self) -> None:
        for data in (
            b"",
            b"PK\3\4 broken",
            b"text" * 100,
            bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 100,
            DESIGN[:-40],
        ):
            with pytest.raises(ValueError, match="the design"):
                make_plan(data)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("xl/vbaProject.bin", b"x", "macros"),
            ("xl/other.xml", b"<a><b></a>", "xl/other.xml is damaged"),
            ("xl/other.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xl/other.xml is damaged"),
        ],
    )
    def test_parts_are_checked(self, name: str, content: bytes, message: str) -> None:
        file = BytesIO(DESIGN)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(name, content)
        with pytest.raises(ValueError, match=message):
            make_plan(file.getvalue())

    def test_shared_strings_and_formulas(self) -> None:
        made = make_plan(as_excel_saves(), {("Sheet", "C3"): "t.double"}).render(
            {"x": "=1", "y": 2}, {"t": [("p", 1.5, 3.0), ("q", 2.5, 5.0)]}, as_of=AS_OF
        )
        sheet = load_workbook(BytesIO(made)).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert rows == [
            ["=1", "plain", "rich 2 text"],
            ["=SUM(B3:B4)", "=SUM(C3:C4)", None],
            ["p", 1.5, "=B3*2"],
            ["q", 2.5, "=B4*2"],
        ]
        with zipfile.ZipFile(BytesIO(made)) as archive:
            assert "xl/calcChain.xml" not in archive.namelist()
            assert b"calcChain" not in archive.read("[Content_Types].xml")
            assert b"{{" not in archive.read("xl/sharedStrings.xml")
            assert archive.read("xl/media/picture.png") == b"not touched"


def as_excel_saves() -> bytes:
    """Texts in the table of strings, one of them rich, a shared formula, a calculation chain, another part."""
    book = Workbook()
    sheet = book.active
    sheet["A1"] = "old"
    with zipfile.ZipFile(BytesIO(saved(book))) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    start, end = parts["xl/worksheets/sheet1.xml"].split("<sheetData>")
    end = end.split("</sheetData>")[1]
    parts["xl/worksheets/sheet1.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{start}<sheetData>'
        '<row r="1" spans="1:3"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s">'
        '<v>2</v></c></row><row r="2"><c r="A2"><f t="shared" ref="A2:B2" si="0">SUM(B3:B3)</f><v>0</v></c>'
        '<c r="B2"><f t="shared" si="0"/><v>0</v></c></row>'
        '<row r="3"><c r="A3" t="s"><v>3</v></c><c r="B3" t="s"><v>4</v></c>'
        '<c r="C3"><f>B3*2</f><v>9</v></c></row>'
        f"</sheetData>{end}"
    )
    texts = ["<t>{{x}}</t>", "<t>plain</t>", "<r><t>rich {{</t></r><r><rPr><b/></rPr><t>y}} text</t></r>"]
    texts += ["<t>{{t.a}}</t>", "<t>{{t.b}}</t>"]
    parts["xl/sharedStrings.xml"] = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        + "".join(f"<si>{text}</si>" for text in texts)
        + "</sst>"
    )
    parts["xl/calcChain.xml"] = (
        '<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<c r="C3" i="1"/></calcChain>'
    )
    parts["xl/media/picture.png"] = "not touched"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace(
        "</Relationships>",
        f'<Relationship Id="rId98" Type="{kind}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId99" Type="{kind}/calcChain" Target="calcChain.xml"/></Relationships>',
    )
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "</Types>",
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{main}.sharedStrings+xml"/>'
        f'<Override PartName="/xl/calcChain.xml" ContentType="{main}.calcChain+xml"/></Types>',
    )
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


class TestManyRows:
    @pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 7, 12, 13])
    def test_further_sheets(self, count: int, tmp_path: Path) -> None:
        # Six rows fit on a sheet of nine.
        book = simple()
        book["Register"].add_table(Table(displayName="All", ref="A3:C4"))
        book["Register"].auto_filter.ref = None
        plan = make_plan(saved(book), SIMPLE_CACHED)
        rows = simple_rows(count)
        made = written(plan, simple_values(count), {"r": iter(rows)}, max_rows=9)
        assert made == written(plan, simple_values(count), {"r": rows}, max_rows=9)
        (tmp_path / "made.xlsx").write_bytes(made)
        assert not validate(tmp_path / "made.xlsx")
        read = load_workbook(BytesIO(made), data_only=True)
        formulas = load_workbook(BytesIO(made))
        sheets = max(1, -(-count // 6))
        titles = ["Register", "Register (2)", "Register (3)"][:sheets]
        assert read.sheetnames == [*titles, "Total"]
        found = [
            tuple(cell.value for cell in row)
            for title in titles
            for row in read[title].iter_rows(min_row=4)
            if row[0].value is not None
        ]
        assert found == rows
        lasts = [3 + min(6, max(1, count - 6 * number)) for number in range(sheets)]
        for title, last in zip(titles, lasts, strict=True):
            assert formulas[title].max_row == last
            assert read[title]["A1"].value == "All & everything"
            assert read[title]["B1"].value == sum(range(count))
            if count:
                assert formulas[title].cell(last, 3).value == f"=B{last}*2"
            assert formulas[title].print_area == f"'{title}'!$A$1:$C${last}"
            assert formulas[title].print_title_rows == "$3:$3"
            assert [ref for _, ref in formulas[title].tables.items()] == [f"A3:C{last}"]
        if sheets == 2:
            union = f"Register!B4:B9,'Register (2)'!B4:B{lasts[1]}"
            assert formulas["Total"]["A1"].value == f"=SUM({union})"
            assert formulas["Register (2)"]["B1"].value == f"=SUM({union})"

    def test_totals_foot_in_libreoffice(self, office: Office, tmp_path: Path) -> None:
        plan = make_plan(saved(simple()), SIMPLE_CACHED)
        (tmp_path / "made.xlsx").write_bytes(
            written(plan, simple_values(20), {"r": iter(simple_rows(20))}, max_rows=9)
        )
        with office.session() as session:
            document = session.open(tmp_path / "made.xlsx")
            document.recalculate()
            assert document.value("Total", "A1") == 190
            assert document.value("Total", "A2") == 20
            assert document.value("Register (3)", "C1") == 380
            assert document.value("Register (4)", "C5") == 38

    def test_blocks_of_any_kind(self) -> None:
        plan = make_plan(saved(simple()), SIMPLE_CACHED)
        rows = simple_rows(5000)
        expected = written(plan, simple_values(5000), {"r": rows})
        columns = [list(column) for column in zip(*rows, strict=True)]
        assert written(plan, simple_values(5000), {"r": iter([Columns(columns)])}) == expected
        read = load_workbook(BytesIO(expected), data_only=True)["Register"]
        assert list(read.iter_rows(min_row=4, values_only=True)) == rows
        sheet = load_workbook(BytesIO(expected))["Register"]
        assert [sheet.cell(row, 3).value for row in range(4, 5004)] == [f"=B{row}*2" for row in range(4, 5004)]
        mixed = [rows[0], Columns([column[1:3000] for column in columns]), *rows[3000:]]
        again = load_workbook(BytesIO(written(plan, simple_values(5000), {"r": iter(mixed)})))["Register"]
        assert list(again.values) == list(sheet.values)

    def test_failing_row_is_named(self) -> None:
        plan = make_plan(saved(simple()), SIMPLE_CACHED)
        rows: list[Any] = simple_rows(3000)
        rows[2500] = ("x", float("nan"), 1)
        stream = BytesIO()
        with pytest.raises(ValueError, match=r"Register!B2504 \(r\.n\): a number that no cell can hold: nan"):
            plan.write(stream, simple_values(3000), {"r": rows}, as_of=AS_OF)
        assert not stream.getvalue()

    def test_columns_are_checked(self) -> None:
        plan = make_plan(saved(simple()), SIMPLE_CACHED)
        with pytest.raises(ValueError, match="'r' is given 2 columns; it has name, n, twice"):
            written(plan, simple_values(0), {"r": [Columns([[1], [2]])]})
        with pytest.raises(ValueError, match=r"columns of \[1, 2\] rows"):
            written(plan, simple_values(0), {"r": [Columns([[1], [2], [3, 4]])]})

    @pytest.mark.parametrize(
        ("formula", "function"),
        [
            ('COUNTIF(Register!B4:B4,">2")', "COUNTIF"),
            ("sumif(Register!B4:B4,2,Register!C4:C4)", "SUMIF"),
            ("SUM(1,IFERROR(MATCH(2, Register!B4:B4 ,0),0))", "MATCH"),
            ("_xlfn.XLOOKUP(2,Register!B4:B4,Register!C4:C4)", "XLOOKUP"),
            ("SUM(Register!B4:B4*2)", "SUM"),
            ('IF(MAX(1,2)>1,ROWS(Register!B4:B4),")")', "ROWS"),
            ("SUMPRODUCT(Register!B4:B4)", "SUMPRODUCT"),
            ("Register!B4:B4", "the formula"),
        ],
    )
    def test_functions_of_one_range(self, formula: str, function: str) -> None:
        book = simple()
        book["Total"]["A3"] = f"={formula}"
        plan = make_plan(saved(book), SIMPLE_CACHED)
        fits = load_workbook(BytesIO(written(plan, simple_values(6), {"r": iter(simple_rows(6))}, max_rows=9)))
        assert fits["Total"]["A3"].value == f"={formula.replace('B4:B4', 'B4:B9').replace('C4:C4', 'C4:C9')}"
        message = rf"^Total!A3: {function} cannot take the rows of 'r', which go on over 2 sheets: .* SUM$"
        for rows in (simple_rows(7), iter(simple_rows(7))):
            stream = BytesIO()
            with pytest.raises(ValueError, match=message):
                plan.write(stream, simple_values(7), {"r": rows}, as_of=AS_OF, max_rows=9)
            assert not stream.getvalue()

    def test_a_function_of_one_range_in_the_row(self) -> None:
        book = simple()
        book["Register"]["C4"] = "=COUNTIF($B$4:$B$4,B4)+COUNTIF($B$4:B4,B4)"
        plan = make_plan(saved(book), SIMPLE_CACHED)
        written(plan, simple_values(6), {"r": simple_rows(6)}, max_rows=9)
        with pytest.raises(ValueError, match="Register!C4: COUNTIF cannot take the rows of 'r'"):
            written(plan, simple_values(7), {"r": simple_rows(7)}, max_rows=9)

    @pytest.mark.parametrize(
        "formula", ["MAX(1,Register!B4:B4)", "AVERAGE( Register!B4:B4 )", "SUBTOTAL(9,{}:{})"]
    )
    def test_functions_of_many_ranges(self, formula: str) -> None:
        book = simple()
        book["Total"]["A3"] = "=" + formula.format("Register!B4", "B4")
        made = written(make_plan(saved(book), SIMPLE_CACHED), simple_values(7), {"r": simple_rows(7)}, max_rows=9)
        assert "Register!B4:B9,'Register (2)'!B4:B4" in load_workbook(BytesIO(made))["Total"]["A3"].value

    def test_rows_that_need_their_number(self) -> None:
        with pytest.raises(ValueError, match="give them as a list"):
            written(PLAN, VALUES, {"steps": iter(rows_of(3))})


class TestFiles:
    def test_same_bytes_in_another_process(self, tmp_path: Path) -> None:
        (tmp_path / "design.xlsx").write_bytes(DESIGN)
        script = (
            "import hashlib, sys; sys.path.insert(0, 'tests'); sys.path.insert(0, 'tests/books/streaming')\n"
            "import test_plan as t\n"
            "plan = t.make_plan(open(sys.argv[1], 'rb').read(), t.CACHED)\n"
            "rows = {'steps': t.rows_of(5)}\n"
            "print(hashlib.sha256(plan.render(t.VALUES, rows, as_of=t.AS_OF)).hexdigest())\n"
            "print(hashlib.sha256(t.written(plan, t.VALUES, rows)).hexdigest())\n"
        )
        rows = {"steps": rows_of(5)}
        expected = [
            hashlib.sha256(data).hexdigest()
            for data in (PLAN.render(VALUES, rows, as_of=AS_OF), written(PLAN, VALUES, rows))
        ]
        run = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "design.xlsx"],
            cwd=ROOT,
            env={**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "123"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split() == expected

    def test_a_plan_can_be_sent(self) -> None:
        rows = {"steps": rows_of(2)}
        again = pickle.loads(pickle.dumps(PLAN))  # noqa: S301 - our own
        assert again.render(VALUES, rows, as_of=AS_OF) == PLAN.render(VALUES, rows, as_of=AS_OF)

    def test_untouched_parts_stay(self) -> None:
        made = PLAN.render(VALUES, {"steps": []}, as_of=AS_OF)
        with zipfile.ZipFile(BytesIO(made)) as archive, zipfile.ZipFile(BytesIO(DESIGN)) as design:
            assert archive.testzip() is None
            assert archive.namelist()[0] == "[Content_Types].xml"
            assert len(set(archive.namelist())) == len(archive.namelist())
            for name in ("xl/theme/theme1.xml", "xl/worksheets/sheet4.xml"):
                assert archive.read(name) == design.read(name)
            for info in archive.infolist():
                assert info.date_time == (1980, 1, 1, 0, 0, 0)
                assert info.create_system == 3

    def test_opens_and_recalculates(self, office: Office, tmp_path: Path) -> None:
        rows = rows_of(4)
        amounts = [(1000 + number) * price for number, price in enumerate([1.25, 0.1, 2.5, 3])]
        place = PLAN.tables["steps"].index("amount")
        for row, amount in zip(rows, amounts, strict=True):
            (row.values if isinstance(row, Row) else row)[place] = round(amount, 2)
        values = {**VALUES, "total": round(sum(amounts), 2), "count": 4}
        (tmp_path / "made.xlsx").write_bytes(PLAN.render(values, {"steps": rows}, as_of=AS_OF))
        with office.session() as session:
            document = session.open(tmp_path / "made.xlsx")
            document.recalculate()
            book = load_workbook(tmp_path / "made.xlsx", data_only=True)
            compared = 0
            for title, coordinate in [*CACHED, ("The steps", "F10"), ("The steps", "F11")]:
                assert document.value(title, coordinate) == pytest.approx(book[title][coordinate].value, rel=1e-12)
                compared += 1
            assert compared == 6
            assert document.value("Summary & co", "A12") == "=1+1"
