"""Cells are read as a host reads them, and nothing in a worksheet changes but the cells that are to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from xl_conversion.books.refresh.cells import (
    Cached,
    Change,
    Constant,
    RefreshError,
    StoredCell,
    Worksheet,
    escaped,
    held,
    moved,
    shared_strings,
    unescaped,
)
from xl_conversion.books.saving import MAX_TEXT, ExcelErrorText

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
COMPATIBILITY = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def part(rows: str, before: str = "", after: str = "") -> bytes:
    return f"<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>".encode()


def sheet(xml: bytes, strings: Sequence[str] = ()) -> Worksheet:
    return Worksheet("model.xlsx, sheet Inputs", "Inputs", xml, lambda: strings)


def patched(rows: str, changes: Mapping[str, Change], before: str = "", after: str = "") -> str:
    """The rows with the changes; what stands around them must be the same."""
    new = sheet(part(rows, before, after), ["zero", "one"]).patched(changes).decode()
    start, end = f"<worksheet {MAIN}>{before}<sheetData>", f"</sheetData>{after}</worksheet>"
    assert new.startswith(start)
    assert new.endswith(end)
    return new[len(start) : len(new) - len(end)]


# Reading


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("<v>1.5</v>", 1.5),
        (' t="n"><v> -1.0000000000000001E-5 </v>', -1.0000000000000001e-05),
        (' t="b"><v>1</v>', True),
        (' t="b"><v>false</v>', False),
        (' t="e"><v>#N/A</v>', ExcelErrorText("#N/A")),
        (' t="e"><v>#SPILL!</v>', ExcelErrorText("#VALUE!")),
        (' t="s"><v>1</v>', "one"),
        (' t="str"><v> a &amp; b&#10;</v>', " a & b\n"),
        (' t="str"><v/>', ""),
        (' t="inlineStr"><is><r><rPr><b/></rPr><t>bo</t></r><r><t xml:space="preserve">ld </t></r></is>', "bold "),
        (' t="inlineStr"><is><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></is>', "東京"),
        (' t="inlineStr"><is><t>_x0041__x000D_ _x005F_x0041_ _xD83D__xDE00_</t></is>', "A\r _x0041_ \U0001f600"),
        (' t="inlineStr"><is><t/></is>', ""),
        (' t="d"><v>2002-02-05</v>', 37292.0),
        (' t="d"><v>2002-02-05T12:00:00Z</v>', 37292.5),
        ("<!-- 7 --><v>1<!-- 8 --><![CDATA[2]]></v>", 12.0),
    ],
)
def test_values(cell: str, value: object) -> None:
    cell = cell if cell.startswith(" ") else f">{cell}"
    found = sheet(part(f'<row r="5"><c r="B5"{cell}</c></row>'), ["zero", "one"]).cells["B5"]
    assert (found, type(found.value)) == (StoredCell(value), type(value))  # type: ignore[arg-type]


def test_cells_without_a_value_are_not_there() -> None:
    rows = '<row r="1"><c r="A1" s="3"/><c r="B1"><v></v></c><c r="C1" t="s"/><c r="D1" t="inlineStr"/></row>'
    assert sheet(part(rows)).cells == {}


def test_positions_are_counted_where_they_are_not_told() -> None:
    rows = (
        "<row><c><v>1</v></c><c><v>2</v></c></row><row r='4'><c r='C4'><v>3</v></c><c><v>4</v></c></row><row><c>"
    )
    cells = sheet(part(rows + "<v>5</v></c></row>")).cells
    assert {where: cell.value for where, cell in cells.items()} == {"A1": 1, "B1": 2, "C4": 3, "D4": 4, "A5": 5}


def test_elements_elsewhere_are_no_cells() -> None:
    foreign = '<row r="9"><c r="A9"><v>9</v></c></row>'
    after = (
        f"<mc:AlternateContent {COMPATIBILITY}>"
        f'<mc:Choice Requires="x14"><sheetData>{foreign}</sheetData></mc:Choice></mc:AlternateContent>'
        f'<extLst><ext uri="u">{foreign}</ext></extLst>'
    )
    rows = '<row r="1"><c r="A1"><v>1</v><extLst><ext uri="u"><v>2</v></ext></extLst></c></row>'
    assert sheet(part(rows, after=after)).cells == {"A1": StoredCell(1.0)}


def test_formulas() -> None:
    rows = (
        '<row r="1"><c r="A1"><f>_xlfn.XLOOKUP(1,B:B,C:C)</f><v>2</v></c><c r="B1"><f ca="1">NOW()</f></c>'
        '<c r="C1" t="str"><f t="array" ref="C1:D2">_xlfn._xlws.SORT(A1:A2)</f><v>x</v></c>'
        '<c r="D1"><v>8</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">A1*$B$1</f><v>1</v></c>'
        '<c r="C2" t="e"><v>#N/A</v></c><c r="D2" s="4"/></row>'
        '<row r="3"><c r="A3"><f t="shared" si="0"/><v>3</v></c><c r="C3"><v>1</v></c>'
        '<c r="E3"><f t="dataTable" ref="E3:E4" dt2D="1" dtr="1" r1="A1" r2="A2"/><v>4</v></c></row>'
        '<row r="4"><c r="B4"><f t="array" ref="B4">SUM(A1:A2*1)</f></c><c r="E4"><v>5</v></c></row>'
    )
    assert sheet(part(rows)).cells == {
        "A1": StoredCell(2.0, "_xlfn.XLOOKUP(1,B:B,C:C)"),
        "B1": StoredCell(None, "NOW()"),
        "C1": StoredCell("x", "_xlfn._xlws.SORT(A1:A2)", "C1:D2"),
        "D1": StoredCell(8.0, spilled_from="C1"),
        "A2": StoredCell(1.0, "A1*$B$1"),
        "C2": StoredCell(ExcelErrorText("#N/A"), spilled_from="C1"),
        "D2": StoredCell(None, spilled_from="C1"),
        "A3": StoredCell(3.0, "A2*$B$1"),
        "C3": StoredCell(1.0),
        "E3": StoredCell(4.0, "TABLE(A1,A2)", "E3:E4"),
        "B4": StoredCell(None, "SUM(A1:A2*1)", "B4"),
        "E4": StoredCell(5.0, spilled_from="E3"),
    }


@pytest.mark.parametrize(
    ("formula", "target", "expected"),
    [
        ("A1+$A1+A$1+$A$1", "C4", "C3+$A3+C$1+$A$1"),
        ("SUM(A:B,$A:B,1:2,$1:2)", "C3", "SUM(C:D,$A:D,2:3,$1:3)"),
        ("Rates!A1+'It''s A1'!A1:B2", "C3", "Rates!C2+'It''s A1'!C2:D3"),
        ("Rates!A1:Rates!B2", "C3", "Rates!C2:Rates!D3"),
        ("Jan:Mar!A1+'Q1:Q4'!A1", "C3", "Jan:Mar!C2+'Q1:Q4'!C2"),
        ("[1]Sheet1!A1+'[Book A1.xlsx]S'!A1", "C3", "[1]Sheet1!C2+'[Book A1.xlsx]S'!C2"),
        ("Data[A1]+Data[[#This Row],[A1]:[B2]]+Data[it'[s A1]", "C3", None),
        ('Rates!price_A1+TAXES2024+x.A1+LOG10(2)+1E5+"A1"+_xlfn.ANCHORARRAY(5)', "C3", None),
        ("#REF!+Rates!#REF!", "C3", None),
        ("A1:INDEX(B1,2)", "C3", "C2:INDEX(D2,2)"),
        ("A1", "A1", "#REF!"),
        ("XFD1:XFD2", "B2", "#REF!"),
        ("A1048576", "A3", "#REF!"),
    ],
)
def test_a_shared_formula_moves(formula: str, target: str, expected: str | None) -> None:
    assert moved(formula, "A2", target) == (formula if expected is None else expected)


def test_shared_texts() -> None:
    xml = (
        f'<sst {MAIN} count="4"><si><t>plain_x000D_</t></si>'
        '<si><r><rPr><b/></rPr><t xml:space="preserve">two </t></r><r><t>runs</t></r></si>'
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>'
        "<si/></sst>"
    )
    assert shared_strings("sst", xml.encode()) == ["plain\r", "two runs", "東京", ""]


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (part('<row r="1"><c r="A1"><v>x</v></c></row>'), "the cell A1 holds 'x'"),
        (part('<row r="1"><c r="A1"><v>1e999</v></c></row>'), "the cell A1 holds '1e999'"),
        (part('<row r="1"><c r="A1"><v>1_0</v></c></row>'), "the cell A1 holds '1_0'"),
        (part('<row r="1"><c r="A1"><v>nan</v></c></row>'), "the cell A1 holds 'nan'"),
        (part('<row r="1"><c r="A1" t="s"><v>2</v></c></row>'), "the cell A1 holds '2'"),
        (part('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'), "the cell A1 holds '-1'"),
        (part('<row r="1"><c r="A1" t="b"><v>2</v></c></row>'), "the cell A1 holds '2'"),
        (part('<row r="1"><c r="A1" t="d"><v>soon</v></c></row>'), "the cell A1 holds 'soon'"),
        (part('<row r="1"><c r="A1" t="new"><v>1</v></c></row>'), "the cell A1 holds '1'"),
        (part('<row r="1"><c r="A1"><v>1</v><v>2</v></c></row>'), "two of <v>"),
        (part('<row r="1"><c r="B1"/><c r="A1"/></row>'), "the cell A1 is out of place"),
        (part('<row r="1"><c r="A1"/><c r="A1"/></row>'), "the cell A1 is out of place"),
        (part('<row r="1"><c r="A2"/></row>'), "the cell A2 is out of place"),
        (part('<row r="2"/><row r="1"/>'), "row 1 comes after row 2"),
        (part('<row r="1048577"/>'), "'1048577' is no number"),
        (part('<row r="1"><c r="XFE1"/></row>'), "'XFE1' is outside the sheet"),
        (part('<row r="1"><c r="a1"/></row>'), "'a1' is not a cell"),
        (part('<row r="1"><c r="XFD1"/><c/></row>'), "too many cells"),
        (part('<row r="1"><c r="A1"><f t="shared" si="0"/></c></row>'), "shares a formula that is not there"),
        (part('<row r="1"><c r="B1"><f t="array" ref="A1:B2">1</f></c></row>'), "the formula in B1 fills A1:B2"),
        (part('<row r="1"/></sheetData><sheetData>'), "come twice"),
        (f"<worksheet {MAIN}/>".encode(), "no place for rows"),
        (f"<sst {MAIN}/>".encode(), "no spreadsheet"),
        (part("<row>"), "mismatched tag"),
        (b"", "no element found"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + part(""), "document type"),
        (b'<!DOCTYPE a SYSTEM "b">' + part(""), "document type"),
        (part("").decode().encode("utf-16"), "not UTF-8"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + part(""), "not UTF-8"),
        (part(f"<mc:AlternateContent {COMPATIBILITY}/>"), "alternative cells"),
        (part("").replace(b"schemas.openxmlformats.org", b"purl.oclc.org/ooxml"), "Strict"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_for_certain_is_refused(xml: bytes, words: str) -> None:
    with pytest.raises(RefreshError) as caught:
        sheet(xml, ["zero", "one"])
    assert caught.value.message.startswith("model.xlsx, sheet Inputs is ")
    assert words in caught.value.message
    assert caught.value.hint


# Changing

OLD = '<row r="5" spans="2:4" s="9"><c r="B5" s="1"><v>1</v></c> <c r="D5" s="2" t="s"><v>0</v></c></row>'


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ('<c r="B5" s="1"><v>1</v></c>', 0.1, '<c r="B5" s="1"><v>0.1</v></c>'),
        ('<c r="B5" s="1" t="n"><v>1</v></c>', 2, '<c r="B5" s="1" t="n"><v>2</v></c>'),
        ('<c r="B5"><v>1</v></c>', -0.0, '<c r="B5"><v>0</v></c>'),
        ('<c r="B5"><v>1</v></c>', 1e22, '<c r="B5"><v>1e+22</v></c>'),
        ('<c r="B5" t="s" s="1"><v>1</v></c>', 2.0, '<c r="B5" s="1"><v>2</v></c>'),
        ("<c  r='B5' t = 's' s='1' ><v>1</v></c >", True, "<c  r='B5' t = \"b\" s='1' ><v>1</v></c >"),
        ('<c r="B5"><v>1</v></c>', True, '<c r="B5" t="b"><v>1</v></c>'),
        ('<c r="B5" s="7"/>', "a<b", '<c r="B5" s="7" t="inlineStr"><is><t>a&lt;b</t></is></c>'),
        ('<c r="B5" />', 1, '<c r="B5" ><v>1</v></c>'),
        ('<c r="B5"></c>', "=1+1", '<c r="B5" t="inlineStr"><is><t>=1+1</t></is></c>'),
        ('<c r="B5" s="7" t="s"><v>1</v></c>', None, '<c r="B5" s="7"/>'),
        ('<c r="B5" t="inlineStr"><is><t>a</t></is></c>', 1, '<c r="B5"><v>1</v></c>'),
        (
            '<c r="B5" t="s"><v>1</v></c>',
            " a\r\nb_x0041_\x00 ",
            '<c r="B5" t="inlineStr"><is><t xml:space="preserve"> a\nb_x005F_x0041_\N{REPLACEMENT CHARACTER} </t>'
            "</is></c>",
        ),
        ('<c r="B5" s="1" cm="1" vm="2" ph="1"><v>1</v></c>', 3, '<c r="B5" s="1" cm="1" ph="1"><v>3</v></c>'),
        (
            '<c r="B5"><!-- <v> --><v>1</v><extLst><ext uri="u"/></extLst></c>',
            3,
            '<c r="B5"><!-- <v> --><v>3</v><extLst><ext uri="u"/></extLst></c>',
        ),
        ('<c r="B5"><!-- <v> --><v>1</v></c>', None, '<c r="B5"><!-- <v> --></c>'),
        (
            '<c r="B5" x:y=">" xmlns:x="t=\'s\' "><v>1</v></c>',
            3,
            '<c r="B5" x:y=">" xmlns:x="t=\'s\' "><v>3</v></c>',
        ),
        ('<c r="B5"><f ca="1">NOW( )</f><v>1</v></c>', Cached(2), '<c r="B5"><f ca="1">NOW( )</f><v>2</v></c>'),
        ('<c r="B5"><f>A1</f></c>', Cached("a"), '<c r="B5" t="str"><f>A1</f><v>a</v></c>'),
        ('<c r="B5"><f>A1</f><v>1</v></c>', Cached(""), '<c r="B5" t="str"><f>A1</f><v></v></c>'),
        ('<c r="B5" t="str"><f>A1</f><v>a</v></c>', Cached(None), '<c r="B5"><f>A1</f></c>'),
        ('<c r="B5"><f>A1</f><v>1</v></c>', Cached(False), '<c r="B5" t="b"><f>A1</f><v>0</v></c>'),
        (
            '<c r="B5"><f>A1</f><v>1</v></c>',
            Cached(ExcelErrorText("#N/A")),
            '<c r="B5" t="e"><f>A1</f><v>#N/A</v></c>',
        ),
        (
            '<c r="B5" cm="1" vm="1" t="e"><f t="array" ref="B5">A1</f><v>#VALUE!</v></c>',
            Cached(4),
            '<c r="B5" cm="1"><f t="array" ref="B5">A1</f><v>4</v></c>',
        ),
    ],
)
def test_a_cell_changes_and_nothing_else(old: str, change: Change, new: str) -> None:
    around = '<row r="4"><c r="B4"><v>1</v></c></row>\n<row r="5"><c r="A5"/>{}<c r="C5"/></row><!-- e -->'
    assert patched(around.format(old), {"B5": change}) == around.format(new)


def test_what_a_cell_holds_already_is_no_change() -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1.50</v></c><c r="B1" t="s" vm="1"><v>1</v></c><c r="C1" s="1"/>'
        '<c r="D1" t="d"><v>2002-02-05</v></c><c r="E1"><f>A1</f><v>2</v></c></row>'
    )
    xml = part(rows)
    old = sheet(xml, ["zero", "one"])
    same = {"A1": 1.5, "B1": "one", "C1": None, "D1": 37292, "E1": Cached(2), "F9": None}
    assert old.patched(same) is xml
    assert old.patched({**same, "A1": True}) == xml.replace(b'"A1"><v>1.50', b'"A1" t="b"><v>1')


def test_new_cells_and_rows_go_where_they_belong() -> None:
    rows = '\n<row r="2"><c r="B2"/>\n<c r="D2"/></row>\n<row r="4"/><row r="7" s="5" customFormat="1"></row>\n'
    changes: dict[str, Change] = {
        "E2": 5, "A2": 1, "C2": 3, "B4": 4, "A4": 2, "A1": 0,
        "A3": 9, "B9": "z", "A9": "y", "B7": 7, "C1": 1, "B5": 1,
    }  # fmt: skip
    before = '<cols><col min="3" max="4" width="9" style="6"/><col min="5" max="5" style="0"/></cols>'
    assert patched(rows, changes, before) == (
        '<row r="1"><c r="A1"><v>0</v></c><c r="C1" s="6"><v>1</v></c></row>'
        '\n<row r="2"><c r="A2"><v>1</v></c><c r="B2"/><c r="C2" s="6"><v>3</v></c>\n<c r="D2"/>'
        '<c r="E2"><v>5</v></c></row><row r="3"><c r="A3"><v>9</v></c></row>\n'
        '<row r="4"><c r="A4"><v>2</v></c><c r="B4"><v>4</v></c></row><row r="5"><c r="B5"><v>1</v></c></row>'
        '<row r="7" s="5" customFormat="1"><c r="B7" s="5"><v>7</v></c></row>'
        '<row r="9"><c r="A9" t="inlineStr"><is><t>y</t></is></c>'
        '<c r="B9" t="inlineStr"><is><t>z</t></is></c></row>\n'
    )


def test_new_cells_beside_cells_without_a_position() -> None:
    rows = "<row><c><v>1</v></c><c r='C1'><v>3</v></c><c><v>4</v></c></row><row><c/></row>"
    new = sheet(part(patched(rows, {"B1": 2, "E1": 5, "A2": 6, "B2": 7})))
    assert {where: cell.value for where, cell in new.cells.items()} == {
        "A1": 1, "B1": 2, "C1": 3, "D1": 4, "E1": 5, "A2": 6, "B2": 7
    }  # fmt: skip


def test_a_sheet_without_rows() -> None:
    xml = f'<worksheet {MAIN}><dimension ref="A1"/><sheetData/><pageMargins left="1"/></worksheet>'.encode()
    assert sheet(xml).patched({"C2": 1, "B2": 2, "A3": 3}) == xml.replace(b'"A1"', b'"A1:C3"').replace(
        b"<sheetData/>",
        b'<sheetData><row r="2"><c r="B2"><v>2</v></c><c r="C2"><v>1</v></c></row>'
        b'<row r="3"><c r="A3"><v>3</v></c></row></sheetData>',
    )


def test_hints_are_widened_only_where_they_must() -> None:
    inside = patched(OLD, {"C5": 1}, '<dimension ref="B2:D5"/>')
    assert inside == OLD.replace("</c> <c", '</c><c r="C5"><v>1</v></c> <c')
    xml = part(OLD, '<dimension ref="B2:D5"/>')
    outside = sheet(xml, ["zero"]).patched({"F5": 1, "B1": 1}).decode()
    assert '<dimension ref="B1:F5"/>' in outside
    assert '<row r="5" spans="2:6" s="9">' in outside


def test_a_prefix_is_kept() -> None:
    xml = (
        '\N{BYTE ORDER MARK}<?xml version="1.0" encoding="utf-8"?>\r\n'
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns="urn:other">'
        '<c r="A1"><v>1</v></c><x:sheetData><x:row r="1"><x:c r="A1" t="str"><x:v>ä</x:v></x:c><x:c r="B1"/>'
        "</x:row></x:sheetData></x:worksheet>"
    ).encode()
    assert sheet(xml).cells == {"A1": StoredCell("ä")}
    new = sheet(xml).patched({"A1": "ö", "B1": 2, "C1": True, "A2": None, "A3": "ü"})
    assert new == xml.replace(
        '<x:c r="A1" t="str"><x:v>ä</x:v></x:c><x:c r="B1"/></x:row>'.encode(),
        '<x:c r="A1" t="inlineStr"><x:is><x:t>ö</x:t></x:is></x:c><x:c r="B1"><x:v>2</x:v></x:c>'
        '<x:c r="C1" t="b"><x:v>1</x:v></x:c></x:row>'
        '<x:row r="3"><x:c r="A3" t="inlineStr"><x:is><x:t>ü</x:t></x:is></x:c></x:row>'.encode(),
    )
    assert sheet(new).cells["A3"] == StoredCell("ü")


def test_results_of_formulas_that_fill_a_range() -> None:
    rows = (
        '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:B2">X</f><v>1</v></c><c r="B1"><v>2</v></c></row>'
        '<row r="2"><c r="A2" s="3"/></row>'
    )
    changes = {"A1": Cached(5), "B1": Cached("x"), "A2": Cached(None), "B2": Cached(True)}
    assert patched(rows, changes) == (
        '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:B2">X</f><v>5</v></c>'
        '<c r="B1" t="str"><v>x</v></c></row>'
        '<row r="2"><c r="A2" s="3"/><c r="B2" t="b"><v>1</v></c></row>'
    )


@pytest.mark.parametrize(
    ("coordinate", "change", "words"),
    [
        ("A1", 1.0, "'Inputs'!A1 holds the formula =B1*2"),
        ("A1", None, "no value may replace a formula"),
        ("A2", 5.0, "holds the formula =B1*2"),
        ("A3", 2.0, "holds the formula =B1 * 4"),
        ("C1", 1.0, "holds the formula =X"),
        ("C2", 1.0, "holds the formula =X"),
        ("D2", 1.0, "holds the formula =X"),
        ("E1", 1.0, "holds the formula =TABLE(,B1)"),
        ("E2", 1.0, "holds the formula =TABLE(,B1)"),
        ("B1", Cached(1), "'Inputs'!B1 holds no formula"),
        ("Z99", Cached(1), "'Inputs'!Z99 holds no formula"),
        ("G2", 1.0, "'Inputs'!G2 is merged into G1"),
        ("H3", "new", "'Inputs'!H3 is in the header"),
    ],
)
def test_what_may_not_be_changed(coordinate: str, change: Change, words: str) -> None:
    rows = (
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="1">B1*2</f><v>1</v></c><c r="B1"><v>1</v></c>'
        '<c r="C1"><f t="array" ref="C1:D2">X</f><v>1</v></c><c r="D1"><v>1</v></c>'
        '<c r="E1"><f t="dataTable" ref="E1:E2" r1="B1"/><v>1</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="1">B1*2</f><v>2</v></c><c r="C2"><v>1</v></c>'
        '<c r="E2"><v>1</v></c></row><row r="3"><c r="A3"><f>B1 *\n4</f><v>2</v></c></row>'
    )
    after = '<mergeCells count="1"><mergeCell ref="G1:G3"/></mergeCells>'
    old = sheet(part(rows, after=after))
    with pytest.raises(RefreshError, match=re.escape(words)) as caught:
        old.patched({"G1": 1, coordinate: change}, [((8, 3, 9, 3), "in the header")])
    assert caught.value.hint
    assert len(str(caught.value).splitlines()) == 1
    old.patched({"G1": 1, "H4": 1, "H3": None, "G2": None}, [((8, 3, 9, 3), "in the header")])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, "x" * (MAX_TEXT + 1), "\U0001f600" * 16_384]
)
def test_what_no_cell_can_hold(value: Constant) -> None:
    with pytest.raises(ValueError, match=r"^'Inputs'!A1: "):
        sheet(part("")).patched({"A1": value})


@pytest.mark.parametrize("coordinate", ["", "a1", "A0", "$A$1", "A1:B2", "XFE1", "A1048577", "AAAA1"])
def test_what_is_no_cell(coordinate: str) -> None:
    with pytest.raises(ValueError, match=r"is not a cell|outside the sheet"):
        sheet(part("")).patched({coordinate: 1})


@given(st.text(st.characters(exclude_categories=())), st.text("_x0041F5 "))
@example("\ud83d\ude00\r\n\r\x00\ufffe]]>", "_x005F_x0041_")
def test_every_text_comes_back_as_a_cell_can_hold_it(some: str, tricky: str) -> None:
    text = held(some) + tricky
    assert unescaped(escaped(text)) == text
    new = sheet(sheet(part("")).patched({"B2": text}))
    assert new.cells == {"B2": StoredCell(text)}


@given(FINITE)
@example(-0.0)
@example(5e-324)
@example(0.1 + 0.2)
def test_every_number_comes_back_exactly(number: float) -> None:
    stored = sheet(sheet(part('<row r="1"><c r="A1" t="str"><v>a</v></c></row>')).patched({"A1": number})).cells
    assert stored["A1"].value == number


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8).map(held)
CONSTANT = st.one_of(st.none(), st.booleans(), FINITE, TEXT)
PLACE = st.tuples(st.integers(1, 6), st.integers(1, 6))


@st.composite
def worksheets(draw: st.DrawFn) -> tuple[bytes, dict[str, StoredCell]]:
    """A worksheet in one of many spellings, and what is in it."""
    prefix = draw(st.sampled_from(["", "x:"]))
    space = st.sampled_from(["", "\n  ", "<!-- <c r='A1'/> -->"])
    cells: dict[str, StoredCell] = {}
    rows = []
    counted_row = 0
    for row in sorted(draw(st.sets(st.integers(1, 6)))):
        found, counted = [], 0
        for column in sorted(draw(st.sets(st.integers(1, 6)))):
            coordinate = f"{get_column_letter(column)}{row}"
            value, formula = draw(CONSTANT), draw(st.sampled_from(["", "", f"{prefix}A1"]))
            r = "" if column == counted + 1 and draw(st.booleans()) else f' r="{coordinate}"'
            counted = column
            kind, content = "", ""
            match value:
                case bool():
                    kind, content = "b", f"<{prefix}v>{value:d}</{prefix}v>"
                case float():
                    content = f"<{prefix}v>{value!r}</{prefix}v>"
                case str():
                    kind = "str"
                    quoted = escaped(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                    content = f"<{prefix}v>{quoted}</{prefix}v>"
            attributes = r + (f" t='{kind}'" if kind else "") + draw(st.sampled_from(["", ' s="1"']))
            f = f"<{prefix}f>SUM(1)</{prefix}f>" if formula else ""
            inner = draw(space) + f + content
            found.append(f"<{prefix}c{attributes}>{inner}</{prefix}c>" if inner else f"<{prefix}c{attributes} />")
            if value is not None or formula:
                cells[coordinate] = StoredCell(value, "SUM(1)" if formula else "")
        r = "" if row == counted_row + 1 and draw(st.booleans()) else f" r='{row}'"
        counted_row = row
        inner = draw(space).join(found)
        rows.append(f"<{prefix}row{r}>{inner}</{prefix}row>" if inner else f"<{prefix}row{r}/>")
    inner = draw(space).join(rows)
    data = f"<{prefix}sheetData>{inner}</{prefix}sheetData>" if inner else f"<{prefix}sheetData/>"
    name = MAIN.replace("xmlns=", f"xmlns:{prefix[:-1]}=" if prefix else "xmlns=")
    return f"<{prefix}worksheet {name}>{data}</{prefix}worksheet>".encode(), cells


@given(worksheets(), st.dictionaries(PLACE, CONSTANT))
def test_changes_overlay_what_was_there(
    made: tuple[bytes, dict[str, StoredCell]], wanted: dict[tuple[int, int], Constant]
) -> None:
    xml, cells = made
    old = sheet(xml)
    assert old.cells == cells
    changes: dict[str, Change] = {}
    expected, back = dict(cells), dict[str, Change]()
    for (column, row), value in wanted.items():
        where = f"{get_column_letter(column)}{row}"
        before = cells.get(where, StoredCell(None))
        changes[where] = Cached(value) if before.formula else value
        back[where] = Cached(before.value) if before.formula else before.value
        expected[where] = StoredCell(value, before.formula)
        if value is None and not before.formula:
            del expected[where]
    new = sheet(old.patched(changes))
    assert _typed(new.cells) == _typed(expected)
    assert _typed(sheet(new.patched(back)).cells) == _typed(cells)


def _typed(cells: Mapping[str, StoredCell]) -> dict[str, tuple[StoredCell, type]]:
    return {where: (cell, type(cell.value)) for where, cell in cells.items()}
