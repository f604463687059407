"""Designs as Excel, LibreOffice and openpyxl write them: charts, templates, and what no value goes into."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.table import Table, TableFormula
from support.filling_reference import saved
from support.office import Office
from support.ooxml import validate

from xl_conversion.books.streaming import Plan, make_plan

AS_OF = date(2002, 2, 5)
ROWS = [("2000", 6.41), ("2001", 5.5), ("2002", 2.0), ("2003", 2.5)]


def written(plan: Plan, values: Any, tables: Any, **options: Any) -> bytes:
    stream = BytesIO()
    plan.write(stream, values, tables, as_of=AS_OF, **options)
    return stream.getvalue()


def part_of(file: bytes, name: str) -> str:
    with zipfile.ZipFile(BytesIO(file)) as archive:
        return archive.read(name).decode()


def changed(file: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """The file with one part as `change` makes it."""
    done = BytesIO()
    with zipfile.ZipFile(BytesIO(file)) as old, zipfile.ZipFile(done, "w") as new:
        for one in old.namelist():
            content = old.read(one).decode()
            if one == name:
                content, before = change(content), content
                assert content != before
            new.writestr(one, content)
    return done.getvalue()


def history() -> Workbook:
    """A history of prices; `Total` adds them up."""
    book = Workbook()
    sheet = book.active
    sheet.title = "History"
    sheet.append(["Year", "Price"])
    sheet.append(["{{history.year}}", "{{history.price}}"])
    book.create_sheet("Total")["A1"] = "{{title}}"
    return book


def charted() -> bytes:
    book = history()
    sheet = book["History"]
    first = LineChart()
    first.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
    first.set_categories(Reference(sheet, min_col=1, min_row=2))
    book["Total"].add_chart(first, "B3")
    second = BarChart()
    second.title = "{{title}}"
    second.add_data(Reference(sheet, min_col=2, min_row=2))
    sheet.add_chart(second, "E2")  # saved as the first part
    return saved(book)


class TestCharts:
    def check(self, design: bytes, office: Office, folder: Path) -> None:
        made = make_plan(design).render({"title": "Prices & more"}, {"history": ROWS}, as_of=AS_OF)
        path = folder / "made.xlsx"
        path.write_bytes(made)
        assert not validate(path)
        book = load_workbook(path)
        ((line,), (bar,)) = book["Total"]._charts, book["History"]._charts
        assert plain(line.series[0].tx.strRef.f) == "History!B1"
        for chart in (line, bar):
            assert plain(chart.series[0].val.numRef.f) == "History!B2:B5"
            assert chart.series[0].val.numRef.numCache is None
        categories = line.series[0].cat
        assert plain((categories.strRef or categories.numRef).f) == "History!A2:A5"
        assert "Prices &amp; more" in part_of(made, "xl/charts/chart1.xml") + part_of(made, "xl/charts/chart2.xml")
        assert "{{" not in part_of(made, "xl/charts/chart1.xml") + part_of(made, "xl/charts/chart2.xml")
        # The points that a host draws.
        again = office.recalculate(path)
        for sheet in ("Total", "History"):
            (chart,) = load_workbook(again)[sheet]._charts
            points = chart.series[0].val.numRef.numCache.pt
            assert [float(point.v) for point in points] == [price for _, price in ROWS]

    def test_by_openpyxl(self, office: Office, tmp_path: Path) -> None:
        assert "<numRef><f>'History'!$B$2</f></numRef>" in part_of(charted(), "xl/charts/chart1.xml")
        self.check(charted(), office, tmp_path)

    def test_by_a_host(self, office: Office, tmp_path: Path) -> None:
        # With the prefix, and the points that it has kept.
        (tmp_path / "design.xlsx").write_bytes(charted())
        (design,) = office.convert([tmp_path / "design.xlsx"], tmp_path / "saved")
        charts = [part_of(design.read_bytes(), f"xl/charts/chart{number}.xml") for number in (1, 2)]
        assert all("<c:f>" in chart and "Cache>" in chart for chart in charts)
        assert any("{{history.year}}" in chart for chart in charts)
        self.check(design.read_bytes(), office, tmp_path)

    def test_points_of_another_workbook_stay(self) -> None:
        cache = "<numCache><ptCount val='1'/><pt idx='0'><v>7</v></pt></numCache>"
        design = changed(
            charted(),
            "xl/charts/chart1.xml",
            lambda xml: re.sub(r"<f>'History'!\$B\$2</f>", f"<f>[1]Sheet1!$B$2</f>{cache}", xml),
        )
        made = make_plan(design).render({"title": ""}, {"history": ROWS}, as_of=AS_OF)
        assert f"<f>[1]Sheet1!$B$2</f>{cache}" in part_of(made, "xl/charts/chart1.xml")

    def test_over_several_sheets(self) -> None:
        plan = make_plan(charted())
        written(plan, {"title": ""}, {"history": ROWS}, max_rows=5)
        message = (
            r"^the chart xl/charts/chart1\.xml: a chart cannot take the rows of 'history', which go on over 2"
        )
        with pytest.raises(ValueError, match=message):
            written(plan, {"title": ""}, {"history": ROWS}, max_rows=4)


def plain(reference: str) -> str:
    return reference.replace("'", "").replace("$", "")


def test_a_template_becomes_a_workbook(office: Office, tmp_path: Path) -> None:
    book = history()
    book.template = True
    assert "template.main+xml" in part_of(saved(book), "[Content_Types].xml")
    made = make_plan(saved(book)).render({"title": "x"}, {"history": ROWS}, as_of=AS_OF)
    types = part_of(made, "[Content_Types].xml")
    assert "template" not in types
    assert types.count("spreadsheetml.sheet.main+xml") == 1
    (tmp_path / "made.xlsx").write_bytes(made)
    assert not validate(tmp_path / "made.xlsx")
    with office.session() as session:
        assert session.open(tmp_path / "made.xlsx").value("History", "B5") == 2.5


@pytest.mark.parametrize("kind", ["sheet", "template"])
def test_macros_are_refused(kind: str) -> None:
    design = changed(
        saved(history()),
        "[Content_Types].xml",
        lambda xml: xml.replace(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            f"application/vnd.ms-excel.{kind}.macroEnabled.main+xml",
        ),
    )
    with pytest.raises(ValueError, match="macro"):
        make_plan(design)


def titled(book: Workbook) -> None:
    book["Total"].title = "Of {{title}}"


def linked(book: Workbook) -> None:
    book["Total"]["A2"] = "Details"
    book["Total"]["A2"].hyperlink = "https://example.com/{{title}}"


def linked_escaped(book: Workbook) -> None:
    book["Total"]["A2"] = "Details"
    book["Total"]["A2"].hyperlink = "https://example.com/%7B%7Btitle%7d%7d"


def named(book: Workbook) -> None:
    book.defined_names["{{title}}"] = DefinedName("{{title}}", attr_text="Total!$A$1")


def named_formula(book: Workbook) -> None:
    book.defined_names["Day"] = DefinedName("Day", attr_text='"{{title}}"')


def table_header(book: Workbook) -> None:
    sheet = book["Total"]
    sheet["C1"], sheet["C2"] = "{{title}}", 1
    sheet.add_table(Table(displayName="Small", ref="C1:C2"))


def repeated_table_header(book: Workbook) -> None:
    book["History"]["B1"] = "{{title}}"
    book["History"].add_table(Table(displayName="Prices", ref="A1:B2"))


def number_format(book: Workbook) -> None:
    book["Total"]["A2"] = 1
    book["Total"]["A2"].number_format = '"{{title}}" 0'


def broken_comment(book: Workbook) -> None:
    book["Total"]["A2"].comment = Comment("Of {{the title}}", "me")


def validation_formula(book: Workbook) -> None:
    rule = DataValidation(type="list", formula1='"{{title}},b"')
    rule.add("A2")
    book["Total"].add_data_validation(rule)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (titled, r"^the title of the sheet 'Of \{\{title\}\}': '\{\{title\}\}' stands where no value is put in"),
        (linked, r"^the link of Total!A2: '\{\{title\}\}' stands"),
        (linked_escaped, r"^the link of Total!A2: '%7B%7Btitle%7d%7d' stands"),
        (named, r"^the name '\{\{title\}\}': '\{\{title\}\}' stands"),
        (named_formula, r"^the name 'Day': '\{\{title\}\}' stands"),
        (table_header, r"^a header of the Excel table 'Small': '\{\{title\}\}' stands"),
        (repeated_table_header, r"^a header of the Excel table 'Prices': '\{\{title\}\}' stands"),
        (number_format, r"^a number format or the name of a style: '\{\{title\}\}' stands"),
        (broken_comment, r"^a text of 'xl/comments/comment1\.xml': '\{\{the title\}\}' is no placeholder such as"),
        (validation_formula, "^sheet 'Total': a placeholder within a formula of a rule"),
    ],
)
def test_no_placeholder_is_left(change: Callable[[Workbook], None], message: str) -> None:
    book = history()
    make_plan(saved(book))
    change(book)
    with pytest.raises(ValueError, match=message):
        make_plan(saved(book))


def test_texts_elsewhere_are_filled(tmp_path: Path) -> None:
    book = history()
    sheet = book["Total"]
    sheet["A2"].comment = Comment("Of {{title}}", "me")
    rule = DataValidation(type="whole", formula1="1", prompt="One of {{title}}")
    rule.errorTitle = rule.error = "Not of {{title}}"
    rule.promptTitle = "It's {{title}}"
    rule.add("A3")
    sheet.add_data_validation(rule)
    sheet["A4"] = "there"
    sheet["A4"].hyperlink = Hyperlink(ref="A4", location="History!A1", tooltip="All of {{title}}")
    sheet["A5"].hyperlink = Hyperlink(ref="A5", location="History!A1", tooltip="Some of {{title}}")
    title = 'A "quo"\n<t>\'s & more'
    design = changed(
        saved(book),
        "xl/worksheets/sheet2.xml",
        lambda xml: xml.replace('"Some of {{title}}"', "'Some of {{title}}'"),
    )
    made = make_plan(design).render({"title": title}, {"history": ROWS}, as_of=AS_OF)
    (tmp_path / "made.xlsx").write_bytes(made)
    assert not validate(tmp_path / "made.xlsx")
    sheet = load_workbook(BytesIO(made))["Total"]
    assert sheet["A2"].comment.text == f"Of {title}"
    (rule,) = sheet.data_validations.dataValidation
    assert (rule.promptTitle, rule.prompt) == (f"It's {title}", f"One of {title}")
    assert (rule.errorTitle, rule.error) == (f"Not of {title}", f"Not of {title}")
    assert (sheet["A4"].hyperlink.tooltip, sheet["A4"].hyperlink.location) == (f"All of {title}", "History!A1")
    assert sheet["A5"].hyperlink.tooltip == f"Some of {title}"
    with zipfile.ZipFile(BytesIO(made)) as archive:
        assert not [name for name in archive.namelist() if b"{{" in archive.read(name)]


@pytest.mark.parametrize(
    ("attribute", "most"), [("promptTitle", 32), ("prompt", 255), ("errorTitle", 32), ("error", 255)]
)
def test_texts_of_bounded_length(attribute: str, most: int, tmp_path: Path) -> None:
    book = history()
    rule = DataValidation(type="whole", formula1="1", **{attribute: "{{title}}"})
    rule.add("A3")
    book["Total"].add_data_validation(rule)
    plan = make_plan(saved(book))
    made = plan.render({"title": "\U0001f600" * (most // 2)}, {"history": ROWS}, as_of=AS_OF)
    (tmp_path / "made.xlsx").write_bytes(made)
    assert not validate(tmp_path / "made.xlsx")
    with pytest.raises(ValueError, match=rf"^a text of 'Total': {most + 1} characters; it can have {most}$"):
        plan.render({"title": "x" * (most + 1)}, {"history": ROWS}, as_of=AS_OF)


def styles_name(book: Workbook) -> None:
    book.defined_names["Looks"] = DefinedName("Looks", attr_text="'{{styles}}'!$A$1")


def styles_area(book: Workbook) -> None:
    book["Total"].defined_names["Own"] = DefinedName("Own", attr_text="Total!$A$1,'{{styles}}'!$A$1")


def styles_formula(book: Workbook) -> None:
    book["Total"]["B2"] = "=LEN('{{styles}}'!A1)"


def styles_rule(book: Workbook) -> None:
    book["Total"].conditional_formatting.add("A1", FormulaRule(formula=["'{{styles}}'!$A$1=1"]))


def styles_link(book: Workbook) -> None:
    book["Total"]["A4"].hyperlink = Hyperlink(ref="A4", location="'{{styles}}'!A1")


def styles_chart(book: Workbook) -> None:
    chart = LineChart()
    chart.add_data(Reference(book["{{styles}}"], min_col=1, min_row=1, max_row=2))
    book["Total"].add_chart(chart, "B3")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (styles_name, "the name 'Looks'"),
        (styles_area, "the name 'Own'"),
        (styles_formula, "Total!B2"),
        (styles_rule, "sheet 'Total'"),
        (styles_link, "a text of 'Total'"),
        (styles_chart, r"the chart xl/charts/chart1\.xml"),
    ],
)
def test_nothing_refers_to_the_styles(change: Callable[[Workbook], None], where: str) -> None:
    book = history()
    styles = book.create_sheet("{{styles}}")
    styles["A1"] = "alarm"
    styles.print_area = "A1:A1"
    styles.print_title_rows = "1:1"
    plan = make_plan(saved(book))
    made = plan.render({"title": "x"}, {"history": ROWS}, as_of=AS_OF)
    assert "definedName" not in part_of(made, "xl/workbook.xml")
    change(book)
    with pytest.raises(ValueError, match=rf"^{where} refers to the sheet \{{\{{styles\}}\}}, which is left out"):
        make_plan(saved(book))


def structured_cell(book: Workbook) -> None:
    book["Total"]["B2"] = '="SUM(Prices[Price])"&SUM(1,prices[Price])'


def structured_cached(book: Workbook) -> None:
    book["Total"]["B3"] = "=ROWS(Prices[])"


def structured_row(book: Workbook) -> None:
    book["History"]["C2"] = "=Prices[[#This Row],[Price]]*2"


def structured_name(book: Workbook) -> None:
    book.defined_names["All"] = DefinedName("All", attr_text="Prices[Price]")


def structured_rule(book: Workbook) -> None:
    rule = DataValidation(type="custom", formula1="SUM(Prices[Price])>0")
    rule.add("A2")
    book["Total"].add_data_validation(rule)


def structured_column(book: Workbook) -> None:
    table = book["History"].tables["Prices"]
    table._initialise_columns()
    table.tableColumns[0].name, table.tableColumns[1].name = "Year", "Price"
    table.tableColumns[1].calculatedColumnFormula = TableFormula(attr_text="Prices[[#This Row],[Year]]")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (structured_cell, "Total!B2"),
        (structured_cached, "Total!B3"),
        (structured_row, "History!C2"),
        (structured_name, "the name 'All'"),
        (structured_rule, "sheet 'Total': a formula of a rule"),
        (structured_column, "the formula of a column on the sheet 'History'"),
    ],
)
def test_structured_references_over_several_sheets(change: Callable[[Workbook], None], where: str) -> None:
    book = history()
    book["History"].add_table(Table(displayName="Prices", ref="A1:B2"))
    fixed = book.create_sheet("Fixed")
    for row in (["Rate"], [1]):
        fixed.append(row)
    fixed.add_table(Table(displayName="Rates", ref="A1:A2"))
    fixed["C1"] = '=SUM(Rates[Rate])&"Prices[Price]"'
    cached = {("Total", "B3"): "title"}
    plan = make_plan(saved(book))
    written(plan, {"title": "x"}, {"history": ROWS}, max_rows=4)
    change(book)
    plan = make_plan(saved(book), cached if change is structured_cached else None)
    made = load_workbook(BytesIO(written(plan, {"title": "x"}, {"history": ROWS}, max_rows=5)))
    assert made["History"].tables["Prices"].ref == "A1:B5"
    message = (
        rf"^{where}: the Excel table 'Prices' cannot take the rows of 'history', which go on over 2 sheets: write"
        r" a range such as 'History'!B2:B2 instead of Prices\[\.\.\.\]$"
    )
    with pytest.raises(ValueError, match=message):
        written(plan, {"title": "x"}, {"history": ROWS}, max_rows=4)
