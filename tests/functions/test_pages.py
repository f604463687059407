"""The help pages and the rows for IntelliSense: they say all that the catalogue does, and the files are theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import Workbook

import xl_conversion
from xl_conversion.books.gallery.intellisense import SHEET, append_intellisense
from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Function, Kind
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.pages import GALLERY, INDEX, default_words, help_pages, intellisense_rows, page_name
from xl_conversion.functions.typed import argument_of

FOLDER = Path(xl_conversion.__file__).parents[1] / "workbooks" / "functions"
PAGES = help_pages()

every_function = pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows below the header of the first table after a line."""
    table = page.split(f"{heading}\n", 1)[1].split("| --- |", 1)[1].split("\n\n", 1)[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@every_function
def test_a_page_says_all_that_the_catalogue_does(function: Function) -> None:
    page = PAGES[page_name(function)]
    assert page.startswith(f"# {function.name}\n")
    assert page.endswith("\n")
    assert function.summary in page
    assert f"={function.signature}" in page
    assert function.returns[1:] in page
    assert f"Unit: {function.unit}." in page
    for text in (function.remarks, function.source, f"Since version {function.since}."):
        assert text in page
    for error in function.errors:
        assert f"- {error}\n" in page
    assert function.example_formula in page
    assert f"`{function.name}` in [{GALLERY}](../{GALLERY})" in page


@pytest.mark.parametrize(
    "function", [function for function in CATALOGUE if function.arguments], ids=lambda function: function.name
)
def test_a_page_has_every_argument_with_its_rule(function: Function) -> None:
    rows = rows_of(PAGES[page_name(function)], "## Arguments")
    assert len(rows) == len(function.arguments)
    for argument, row in zip(function.arguments, rows, strict=True):
        name, unit, left_out, rule, explanation, words = row
        assert name == f"`{argument.name}`"
        assert (unit, left_out, explanation) == (argument.unit, default_words(argument), argument.help)
        assert rule.lower() == f"{argument.rule}.".lower()
        choices = list(RoundingType) if argument.kind is Kind.ROUNDING_TYPE else argument.choices
        assert words == ", ".join(f"`{choice}`" for choice in choices)
        assert (left_out == "required") == (not argument.optional)


@every_function
def test_a_page_shows_the_whole_result_of_the_example(function: Function) -> None:
    page = PAGES[page_name(function)]
    if not function.spills:
        assert f"gives **{function.example_result}**" in page
        return
    result = evaluate(function, [argument_of(text) for text in function.example])
    assert isinstance(result, list)
    shown = rows_of(page, "gives")
    body = result if len(result[0]) == 1 else result[1:]
    assert len(shown) == len(body)
    assert shown[-1] == function.example_result.split(" | ")
    assert all(
        isinstance(cell, float) or cell == text
        for row, line in zip(body, shown, strict=True)
        for cell, text in zip(row, line, strict=True)
    )


@every_function
def test_tables_of_the_example_are_shown_as_tables(function: Function) -> None:
    page = PAGES[page_name(function)]
    for argument, text in zip(function.arguments, function.example, strict=False):
        told = f"Here `{argument.name}` is this table" in page
        assert told == (argument.kind is Kind.TABLE)
        if told:
            cells = argument_of(text)
            assert isinstance(cells, list)
            rows = rows_of(page, f"Here `{argument.name}` is this table, in a sheet a range:")
            assert len(rows) == len(cells) - 1


def test_every_line_of_a_table_has_as_many_cells() -> None:
    for name, page in PAGES.items():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
            widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, name


def test_the_index_leads_to_every_page() -> None:
    links = re.findall(r"\]\(([A-Z_]+\.md)\)", PAGES[INDEX])
    assert links == [page_name(function) for function in CATALOGUE]
    assert PAGES.keys() == {INDEX, *links}
    for function in CATALOGUE:
        assert f"| {function.summary} |" in PAGES[INDEX]


def test_the_files_are_these_pages() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert found.keys() == PAGES.keys()
    assert [name for name in PAGES if found[name] != PAGES[name]] == [], "run python workbooks/build.py"


def test_rows_are_what_intellisense_reads() -> None:
    """As its WorkbookIntelliSenseProvider does: by the used range, from the second row on, texts only."""
    workbook = Workbook()
    sheet = append_intellisense(workbook)
    assert workbook.sheetnames[-1] == SHEET == "_IntelliSense_"
    assert (sheet.dimensions.partition(":")[0], sheet.sheet_state) == ("A1", "visible")
    used = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert used[0][:2] == ["FunctionInfo", "1.0"]
    assert not any(used[0][2:])
    read = {}
    for name, description, topic, *pairs in used[1:]:
        assert topic is None
        read[name] = description, [(n, d) for n, d in zip(pairs[::2], pairs[1::2], strict=True) if n]
    assert list(read) == list(FUNCTIONS)
    for name, (description, arguments) in read.items():
        function = FUNCTIONS[name]
        assert description == function.summary
        assert [text for _, text in arguments] == [argument.help for argument in function.arguments]
        named = ", ".join(argument for argument, _ in arguments)
        assert f"{name}({named})" == function.signature
    assert all(len(text) <= 255 for row in intellisense_rows() for text in row)
