"""The lint sees what it is there to see: a sound workbook passes, and each rule has one that breaks just that."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.chart import LineChart, Reference
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font, PatternFill, Protection
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from support.lint import lint
from support.lint_formulas import FormulaError, parse
from xl_conversion.books.saving import CachedValue, save_workbook

STRICT: dict[str, bool] = {"constants": False, "hidden": False, "protected": True}


@dataclass
class Draft:
    """A sound workbook of two sheets, before a test breaks it."""

    book: Workbook = field(default_factory=Workbook)
    cached: dict[tuple[str, str], CachedValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs, result = self.book.worksheets[0], self.book.create_sheet("The result")
        inputs.title = "Inputs"
        for row, (label, value) in enumerate(
            [("Price", 6.41), ("Rounding", "floor"), ("Decimals", 2), ("Day", date(2002, 2, 5)), ("Flag", True)], 1
        ):
            inputs.cell(row, 1, label)
            self.input(f"B{row}", value)
        self.validation("list", "B2", '"floor, ceiling"')
        self.validation("whole", "B3", "-15", "15")
        self.validation("date", "B4", "$B$8", operator="greaterThan")
        self.validation("list", "B5", '"TRUE,FALSE"')
        inputs["B8"] = date(1990, 1, 1)
        self.name("in_price", "Inputs!$B$1")
        self.name("out_price", "'The result'!$B$2:$B$3")
        for row in result.iter_rows(1, 3, 1, 2):
            for cell in row:
                cell.value = "Term" if cell.column == 1 else "Figure"
        self.formula("B2", "CP_ROUND(in_price,Inputs!$B$3)", 6.41)
        self.formula("B3", 'IF(SUM(Inputs!B1:B3)>B2,ROUND(B2,Inputs!B3),_xlfn.XLOOKUP("a",A2:A3,B2:B3))', 6.41)
        result["A2"], result["A3"], result["A5"] = "a", "b", "=1+1"
        result["A5"].data_type, result["A5"].quotePrefix = "s", True
        result.add_table(Table(displayName="Steps", ref="A1:B3"))
        result.merge_cells("A7:B7")
        result.conditional_formatting.add("B2:B3", FormulaRule(["B2>Inputs!$B$1"], font=Font(bold=True)))
        chart = LineChart()
        chart.add_data(Reference(result, min_col=2, min_row=2, max_row=3))
        chart.x_axis.delete = chart.y_axis.delete = False
        result.add_chart(chart, "D2")
        for sheet in self.book.worksheets:
            sheet.print_area = "A1:B20"
            sheet.print_title_rows = "1:1"
            sheet.page_setup.orientation = "landscape"
            sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
            sheet.sheet_properties.pageSetUpPr.fitToPage = True
            sheet.protection.sheet = True

    @property
    def inputs(self) -> Worksheet:
        return self.book.worksheets[0]

    @property
    def result(self) -> Worksheet:
        return self.book.worksheets[1]

    def input(self, at: str, value: Any) -> None:
        cell = self.inputs[at]
        cell.value = value
        cell.font, cell.fill = Font(color="0000FF"), PatternFill("solid", "FFF9E5")
        cell.protection = Protection(locked=False)

    def formula(self, at: str, text: str, value: CachedValue = 1, title: str = "The result") -> None:
        self.book[title][at] = f"={text}"
        self.cached[title, at] = value

    def name(self, name: str, formula: str) -> None:
        self.book.defined_names[name] = DefinedName(name, attr_text=formula)

    def validation(self, kind: Any, cells: str, *formulas: str, **more: Any) -> None:
        made = DataValidation(type=kind, sqref=cells, **more)
        made.formula1, made.formula2 = (*formulas, None, None)[:2]
        self.inputs.add_data_validation(made)

    def save(self, path: Path) -> Path:
        save_workbook(self.book, self.cached, path, as_of=date(2002, 2, 5))
        return path


def rewrite(path: Path, part: str, old: str, new: str) -> None:
    """Replaces what a pattern finds inside one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text, count = re.subn(old, new, parts[part].decode(), flags=re.DOTALL)
    assert count, (part, old)
    parts[part] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


Change = Callable[[Draft], object]


def formula(text: str) -> Change:
    return lambda draft: draft.formula("B9", text)


def validation(kind: str, cells: str, *formulas: str, **more: Any) -> Change:
    return lambda draft: draft.validation(kind, cells, *formulas, **more)


def printing(**values: Any) -> Change:
    def change(draft: Draft) -> None:
        for name, value in values.items():
            setattr(draft.inputs.page_setup, name, value)

    return change


def attribute(of: str, **values: Any) -> Change:
    """Sets attributes of a part of the first sheet."""

    def change(draft: Draft) -> None:
        target: Any = draft.inputs
        for step in of.split(".") if of else ():
            target = target[step] if re.fullmatch("[A-Z]+[0-9]+", step) else getattr(target, step)
        for name, value in values.items():
            setattr(target, name, value)

    return change


def unfitted(draft: Draft) -> None:
    draft.inputs.sheet_properties.pageSetUpPr.fitToPage = False


def unquoted(draft: Draft) -> None:
    draft.result["A6"] = "@SUM"


def long_table(draft: Draft) -> None:
    for row in draft.inputs.iter_rows(20, 49, 4, 6):
        for cell in row:
            cell.value = 1


def hidden_row(draft: Draft) -> None:
    draft.inputs.row_dimensions[9].hidden = True


def hidden_column(draft: Draft) -> None:
    draft.inputs.column_dimensions["D"].hidden = True


def deleted_axis(draft: Draft) -> None:
    draft.result._charts[0].y_axis.delete = True


def silent_axis(draft: Draft) -> None:
    draft.result._charts[0].y_axis.delete = None


def blank_chart(draft: Draft) -> None:
    chart = LineChart()
    chart.add_data(Reference(draft.result, min_col=8, min_row=2, max_row=3))
    chart.x_axis.delete = chart.y_axis.delete = False
    draft.result.add_chart(chart, "D20")


def spilled(draft: Draft) -> None:
    draft.result["B9"] = ArrayFormula("B9:B10", "=A2:A3")
    draft.cached["The result", "B9"], draft.cached["The result", "B10"] = "=1", "-"


BROKEN: dict[str, tuple[Change, str]] = {
    "not closed": (formula("SUM(B2,B3"), r"B9: the formula does not parse: a bracket \( is not closed"),
    "closed twice": (formula("SUM(B2))"), r"does not parse: unexpected '\)'"),
    "no operand": (formula("B2+"), "ends where a value is missing"),
    "two operands": (formula('B2 "a"'), "does not parse: unexpected"),
    "text not closed": (formula('B2&"a'), "does not parse: unexpected"),
    "array of references": (formula("SUM({1,B2})"), "only constants stand in braces"),
    "ragged array": (formula('SUM({"a";"b","c"})'), "differ in length"),
    "no function": (formula("ROUNDED(B2)"), "ROUNDED is no function of Excel"),
    "too few arguments": (formula("ROUND(B2)"), "ROUND takes 2 arguments, not 1"),
    "too many arguments": (formula("IF(B2,B2,B2,B2)"), "IF takes 2 to 3 arguments, not 4"),
    "no function of ours": (formula("CP_NONE(B2)"), "CP_NONE is no function of the catalogue"),
    "arguments of ours": (formula("CP_SPLIT(B2)"), "CP_SPLIT takes 3 to 5 arguments, not 1"),
    "no prefix": (formula("IFNA(B2,B3)"), "IFNA is newer than 2007 and needs _xlfn"),
    "needless prefix": (formula("_xlfn.SUM(B2)"), "SUM is of 2007 and has no prefix"),
    "half a prefix": (formula("_xlfn.FILTER(B2:B3,B2:B3)"), "is written _xlfn._xlws.FILTER"),
    "no such sheet": (formula("Input!B1"), "refers to the sheet 'Input', which does not exist"),
    "column outside": (formula("XFE1:XFE2"), "XFE1:XFE2 is outside the grid"),
    "row outside": (formula("A1048577"), "A1048577 is outside the grid"),
    "lost reference": (formula("#REF!+B2"), "refers to #REF!"),
    "lost on a sheet": (formula("Inputs!#REF!+B2"), "refers to #REF!"),
    "no such name": (formula("in_prices+B2"), "the name in_prices is not defined"),
    "blank": (formula("B2+Inputs!$D$30"), r"The result!B9: reads Inputs!D30, blank and no input"),
    "blanks": (formula("SUM(B2:B5)"), "reads The result!B4 and 1 more of The result!B2:B5, blank"),
    "long": (formula("+".join(["B2"] * 2732)), "a formula of 8,195 characters; Excel takes 8,192"),
    "deep": (formula("ABS(" * 65 + "B2" + ")" * 65), "65 functions one inside the other; Excel takes 64"),
    "constant": (formula("B2*2"), "B9: the constant 2 in a formula"),
    "name like a cell": (
        lambda draft: draft.name("tax2002", "Inputs!$B$1"),
        "name tax2002: reads like the address",
    ),
    "name like R1C1": (lambda draft: draft.name("R1C1", "Inputs!$B$1"), "reads like the address of a cell"),
    "name with a blank": (
        lambda draft: draft.name("a b", "Inputs!$B$1"),
        "name a b: a name that Excel does not take",
    ),
    "name twice": (lambda draft: draft.name("IN_PRICE", "Inputs!$B$1"), "another one of that name"),
    "name of no sheet": (
        lambda draft: draft.name("rate", "Rates!$B$1"),
        "the sheet 'Rates', which does not exist",
    ),
    "name of nothing": (lambda draft: draft.name("rate", "#REF!"), "name rate: refers to #REF!"),
    "name outside": (lambda draft: draft.name("rate", "Inputs!$ZZZ$1"), "outside the grid"),
    "interface of a formula": (
        lambda draft: draft.name("out_sum", "SUM(Inputs!$B$1)"),
        r"name out_sum: SUM\(Inputs!\$B\$1\) is not one cell",
    ),
    "interface without $": (lambda draft: draft.name("in_two", "Inputs!B1"), "is not one cell or range with"),
    "interface of no cell": (
        lambda draft: draft.name("chk_all", "Inputs!$H$9"),
        "Inputs!H9 has cells that do not",
    ),
    "long list": (validation("list", "B7", f'"{"a," * 130}"'), "list has 260 characters; Excel takes 255"),
    "validation of no sheet": (
        validation("list", "B7", "Words!$A$1:$A$2"),
        "the sheet 'Words', which does not exist",
    ),
    "validation of blanks": (validation("list", "B7", "$D$1:$D$9"), "refers to Inputs!D1:D9, which is blank"),
    "validation without end": (validation("custom", "B7", "SUM(B1"), "a bracket"),
    "validation without formula": (validation("whole", "B7"), "the validation has no formula"),
    "error title": (validation("whole", "B7", "1", "2", errorTitle="x" * 33), "error title has 33 characters"),
    "error text": (validation("whole", "B7", "1", "2", error="x" * 256), "error has 256 characters"),
    "prompt title": (validation("whole", "B7", "1", "2", promptTitle="x" * 33), "prompt title has 33 characters"),
    "prompt": (validation("whole", "B7", "1", "2", prompt="x" * 256), "prompt has 256 characters"),
    "overlapping": (
        validation("custom", "B3:B7", "TRUE"),
        "validation overlaps the one of B3:B7",
    ),
    "word": (lambda draft: draft.input("B2", "Floor"), "B2: holds 'Floor', which its validation refuses"),
    "word of a range": (validation("list", "A1", "$A$2:$A$5"), "A1: holds 'Price', which its validation refuses"),
    "number": (lambda draft: draft.input("B3", 16), "B3: holds '16', which its validation refuses"),
    "below": (lambda draft: draft.input("B3", -16), "B3: holds '-16', which"),
    "part": (lambda draft: draft.input("B3", 1.5), "B3: holds '1.5', which"),
    "text for a number": (lambda draft: draft.input("B3", "2"), "B3: holds '2', which"),
    "day": (lambda draft: draft.input("B4", date(1980, 1, 1)), "B4: holds '29221', which"),
    "relative limit": (validation("decimal", "B1:B1", "B8", operator="greaterThan"), "B1: holds '6.41', which"),
    "text length": (validation("textLength", "A1", "4", operator="lessThanOrEqual"), "A1: holds 'Price', which"),
    "condition": (
        lambda draft: draft.inputs.conditional_formatting.add("A1", FormulaRule(["A1=="])),
        "Inputs!A1: the conditional format 'A1==': the formula does not parse",
    ),
    "condition of no sheet": (
        lambda draft: draft.inputs.conditional_formatting.add("A1", FormulaRule(["None!A1=A1"])),
        "the sheet 'None', which does not exist",
    ),
    "overlapping merges": (lambda draft: draft.result.merge_cells("B7:C8"), "A7:B7: merged cells overlap"),
    "typed error": (
        lambda draft: attribute("A9", value="#N/A", data_type="e")(draft),
        "A9: an error typed in, #N/A",
    ),
    "no quote prefix": (unquoted, "The result!A6: a text that begins with @ without the quote prefix"),
    "hidden sheet": (attribute("", sheet_state="hidden"), r"Inputs: a hidden sheet \(hidden\)"),
    "hidden row": (hidden_row, "Inputs: row 9 is hidden"),
    "hidden column": (hidden_column, "Inputs: column D is hidden"),
    "no print area": (attribute("", print_area=None), "Inputs: no print area"),
    "not fitted": (unfitted, "Inputs: neither fitted to the width of a page nor scaled"),
    "fitted to two": (printing(fitToWidth=2), "Inputs: fitted to 2 pages in width"),
    "no orientation": (printing(orientation=None), "Inputs: no orientation"),
    "long table": (long_table, "Inputs!A20: a long table without frozen panes"),
    "not protected": (attribute("protection", sheet=False), "Inputs: the sheet is not protected"),
    "password": (attribute("protection", password="x"), "Inputs: the sheet is protected with a password"),  # noqa: S106
    "locked input": (attribute("B1", protection=Protection(locked=True)), "B1: looks like an input and is locked"),
    "unlocked": (attribute("A1", protection=Protection(locked=False)), "A1: is unlocked and does not look like"),
    "deleted axis": (deleted_axis, "The result: chart chart1.xml: an axis is deleted"),
    "silent axis": (silent_axis, "an axis is deleted, or not said to be kept"),
    "blank chart": (blank_chart, "chart chart2.xml: The result!H2:H3 is blank"),
}

SHEET1, SHEET2, BOOK = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/workbook.xml"
PATCHED: dict[str, tuple[str, str, str, str]] = {
    "no value": (SHEET2, r"<v>6\.41</v>", "", "The result!B[23]: a formula without its value"),
    "carried error": (
        SHEET2,
        r' t="n"(><f>CP_ROUND[^<]*</f><v>)6\.41|(><f>CP_ROUND[^<]*</f><v>)6\.41',
        r' t="e"\2#N/A',
        "B2: a formula that carries an error, #N/A",
    ),
    "hidden by a merge": (
        SHEET2,
        '<mergeCell ref="A7:B7" ?/>',
        '<mergeCell ref="A2:A3"/>',
        "The result!A3: content that",
    ),
    "table header": (
        "xl/tables/table1.xml",
        'name="Figure"',
        'name="Price"',
        "column 'Price' has 'Figure' as its header",
    ),
    "table columns": (
        "xl/tables/table1.xml",
        'name="Figure"',
        'name="TERM"',
        "two columns have the same name|header",
    ),
    "table width": (
        "xl/tables/table1.xml",
        'ref="A1:B3"',
        'ref="A1:C3"',
        "2 columns are named, and the cells have 3",
    ),
    "table called like a cell": (
        "xl/tables/table1.xml",
        'displayName="Steps"',
        'displayName="ABC1"',
        "reads like the",
    ),
    "title with a bracket": (
        BOOK,
        'name="The result"',
        'name="The [result]"',
        "a title that Excel does not take|which does not exist",
    ),
    "long title": (
        BOOK,
        'name="The result"',
        f'name="{"x" * 32}"',
        "a title of 32 characters|which does not exist",
    ),
    "chart of no sheet": (
        "xl/charts/chart1.xml",
        "'The result'!",
        "Lost!",
        "chart1.xml: refers to the sheet 'Lost'",
    ),
    "no title rows": (
        BOOK,
        r'<definedName name="_xlnm.Print_Titles" localSheetId="0"[^>]*>[^<]*</definedName>',
        "",
        "Inputs: may print on several pages and repeats no header row",
    ),
    "table called like a name": (
        "xl/tables/table1.xml",
        'displayName="Steps"',
        'displayName="OUT_price"',
        "table OUT_price: a name or another table is called the same",
    ),
    "no entity": (SHEET1, "<sheetData>", "<sheetData>&none;", "no workbook can be read"),
}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return Draft().save(tmp_path / "sound.xlsx")


def test_a_sound_workbook_passes(sound: Path) -> None:
    assert lint(sound, **STRICT) == []


@pytest.mark.parametrize("rule", BROKEN)
def test_a_workbook_that_breaks_one_rule(tmp_path: Path, rule: str) -> None:
    change, expected = BROKEN[rule]
    draft = Draft()
    change(draft)
    found = lint(draft.save(tmp_path / "broken.xlsx"), **STRICT)
    assert found
    assert [finding for finding in found if not re.search(expected, finding)] == []


@pytest.mark.parametrize("rule", PATCHED)
def test_a_file_that_breaks_one_rule(sound: Path, rule: str) -> None:
    part, old, new, expected = PATCHED[rule]
    rewrite(sound, part, old, new)
    found = lint(sound, **STRICT)
    assert found
    assert [finding for finding in found if not re.search(expected, finding)] == []


def test_two_sheets_of_one_title(tmp_path: Path) -> None:
    draft = Draft()
    draft.book.create_sheet("Third")
    path = draft.save(tmp_path / "book.xlsx")
    rewrite(path, BOOK, 'name="Third"', 'name="INPUTS"')
    found = [finding for finding in lint(path) if "title" in finding]
    assert found == [f"sheet {title!r}: another one has the same title" for title in ("Inputs", "INPUTS")]


def test_what_a_caller_allows_is_no_finding(tmp_path: Path) -> None:
    draft = Draft()
    draft.formula("B9", "B2*2")
    hidden_row(draft)
    for sheet in draft.book.worksheets:
        sheet.protection.sheet = False
        sheet.print_area = None
    path = draft.save(tmp_path / "book.xlsx")
    assert len(lint(path, **STRICT)) == 6
    assert lint(path, print_areas=False) == []


def test_what_a_formula_spills_is_no_text_of_data(tmp_path: Path) -> None:
    draft = Draft()
    spilled(draft)
    assert lint(draft.save(tmp_path / "book.xlsx"), **STRICT) == []


def test_blank_inputs_may_be_read_and_shapes_asked(tmp_path: Path) -> None:
    draft = Draft()
    draft.input("B7", None)
    draft.name("in_more", "Inputs!$D$1:$D$2")
    draft.inputs["D1"].font = draft.inputs["D2"].font = copy(draft.inputs["B1"].font)
    draft.inputs["D1"].value, draft.inputs["D2"].value = None, None
    draft.formula("B9", "Inputs!B7+SUM(in_more)+ROWS(H1:H9)")
    assert lint(draft.save(tmp_path / "book.xlsx"), **STRICT) == []


def test_a_shared_formula_is_read_in_each_cell(sound: Path) -> None:
    rewrite(sound, SHEET2, "<f>CP_ROUND[^<]*</f>", '<f t="shared" ref="B2:B3" si="0">Inputs!B1</f>')
    rewrite(sound, SHEET2, r"<f>IF\(SUM[^<]*</f>", '<f t="shared" si="0"/>')
    assert lint(sound, **STRICT) == []
    rewrite(sound, SHEET2, "Inputs!B1</f>", "Inputs!B6</f>")
    assert [finding.split(":")[0] for finding in lint(sound)] == ["The result!B2", "The result!B3"]


def test_what_is_no_workbook_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "none.xlsx"
    path.write_bytes(b"PK")
    (finding,) = lint(path)
    assert finding.startswith("no workbook can be read: none.xlsx")


@pytest.mark.parametrize(
    "text",
    [
        "-A1%+(B2:INDEX(B:B,ROWS(B2:B3)))^-1",
        "SUM((A1,B2:C3),1:1,'It''s a sheet'!$A:$A)",
        "Steps[[#Headers],[Figure]]&Sheet1!name",
        'IF(,TRUE,"say ""x"""&1.5E-3)',
        "A1:B9 B2:C3",
        'SUM({1,-2;"a",TRUE})',
        "LOG10(A1)=_xlfn.SINGLE(A1:A3)",
    ],
)
def test_formulas_that_parse(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    "text", ["", "A1 (B", "(A1", "{A1}", "A1,", "Sheet1!", "[x", "A1:XFE9", "A0", "T[x", "1 2"]
)
def test_formulas_that_do_not_parse(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text)
