"""Whatever finance has put into a workbook is there after a refresh, byte for byte."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from hypothesis import given
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
from support.office import Office
from support.ooxml import Finding

from xl_conversion.books.refresh import package as module
from xl_conversion.books.refresh.package import Cached, Changes, Package, RefreshError, SheetPart, StoredCell
from xl_conversion.books.saving import ExcelErrorText

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
METADATA = (
    b'<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    b'<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" pasteAll="1" '
    b'pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" assign="1" '
    b'coerce="1" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1"><bk><extLst>'
    b'<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}"><xda:dynamicArrayProperties fDynamic="1" '
    b'fCollapsed="0"/></ext></extLst></bk></futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk>'
    b"</cellMetadata></metadata>"
)
LINK = (
    '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    f'<externalBook xmlns:r="{OFFICE}" r:id="rId1"><sheetNames><sheetName val="Rates"/></sheetNames>'
    '<sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1"><v>3</v></cell></row></sheetData></sheetDataSet>'
    "</externalBook></externalLink>"
).encode()


def finance() -> bytes:
    """A workbook as it comes back from finance: ours, and what they have added."""
    workbook = Workbook()
    inputs = workbook.active
    inputs.title = "Inputs"
    inputs["B2"], inputs["C2"], inputs["D2"] = "Conversion price", 6.41, "=C2*2"
    inputs["B3"], inputs["C3"] = "Rounded up", True
    inputs["B4"], inputs["C4"], inputs["D4"] = "Day", 37292, "their column"
    inputs["C2"].font, inputs["C2"].number_format = Font(color="0000FF", bold=True), "#,##0.00"
    inputs["D4"].comment = Comment("Ask Anna", "Finance")
    inputs["D5"] = "=SUM(C2:C4)"
    inputs["E2"] = ArrayFormula("E2:E4", "=C2:C4*2")
    inputs.merge_cells("G2:H3")
    inputs["G2"] = "merged"
    inputs.conditional_formatting.add("C2", CellIsRule("lessThan", ["0"], fill=PatternFill(bgColor="FF0000")))
    listed = DataValidation("list", '"half_up,floor"')
    listed.add("C3")
    inputs.add_data_validation(listed)
    inputs["J1"], inputs["K1"] = "security", "shares"
    inputs.append([])
    for row, (name, shares) in enumerate([("Common", 100), ("Series A", 50)], 2):
        inputs.cell(row, 10, name)
        inputs.cell(row, 11, shares)
    inputs.add_table(Table(displayName="Holdings", ref="J1:K3"))
    theirs = workbook.create_sheet("Finance's own")
    theirs["A1"], theirs["A2"] = "=Inputs!C2*100", "note"
    chart = BarChart()
    chart.add_data(Reference(inputs, min_col=3, min_row=2, max_row=4))
    theirs.add_chart(chart, "D4")
    workbook.create_chartsheet("Picture").add_chart(BarChart())
    hidden = workbook.create_sheet("Hidden")
    hidden.sheet_state = "veryHidden"
    hidden.sheet_properties.codeName = "Sheet_Hidden"
    workbook.defined_names["price"] = DefinedName("price", attr_text="Inputs!$C$2")
    theirs.defined_names["local"] = DefinedName("local", attr_text="Inputs!$C$3")
    buffer = BytesIO()
    workbook.save(buffer)
    return with_parts(buffer.getvalue())


def with_parts(data: bytes) -> bytes:
    """The workbook with parts that openpyxl does not write, in a zip file of many forms."""
    with ZipFile(BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/media/image1.png"] = PNG
    parts["xl/metadata.xml"] = METADATA
    parts["xl/externalLinks/externalLink1.xml"] = LINK
    parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = relations(
        f'<Relationship Id="rId1" Type="{OFFICE}/externalLinkPath" Target="rates.xlsx" TargetMode="External"/>'
    )
    parts["xl/printerSettings/printerSettings1.bin"] = bytes(range(256)) * 4
    parts["customXml/item1.xml"] = b'<?xml version="1.0" encoding="UTF-16"?><a/>'
    parts["xl/slicers/slicer1.xml"] = b"<slicers/>"
    parts["xl/webextensions/webextension1.xml"] = b"<webextension/>"
    parts["xl/drawings/drawing9.xml"] = b"<shape>&amp;</shape>"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>",
        (
            '<Default Extension="bin" ContentType="application/octet-stream"/>'
            f'<Override PartName="/xl/metadata.xml" ContentType="{SPREADSHEET}.sheetMetadata+xml"/>'
            '<Override PartName="/xl/externalLinks/externalLink1.xml" '
            f'ContentType="{SPREADSHEET}.externalLink+xml"/>'
            "</Types>"
        ).encode(),
    )
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace(
        b"</Relationships>",
        (
            f'<Relationship Id="rId91" Type="{OFFICE}/sheetMetadata" Target="metadata.xml"/>'
            f'<Relationship Id="rId92" Type="{OFFICE}/externalLink" Target="externalLinks/externalLink1.xml"/>'
            f'<Relationship Id="rId93" Type="{OFFICE}/customXml" Target="../customXml/item1.xml"/></Relationships>'
        ).encode(),
    )
    book = "xl/workbook.xml"
    parts[book] = parts[book].replace(
        b"<definedNames>",
        f'<externalReferences><externalReference xmlns:r="{OFFICE}" r:id="rId92"/></externalReferences>'.encode()
        + b"<definedNames>",
    )
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b'<c r="E2">', b'<c r="E2" cm="1">')
    return zipped(parts)


def relations(content: str) -> bytes:
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{content}'
        "</Relationships>"
    ).encode()


class Pipe(BytesIO):
    """A file that cannot go back, so that sizes are written behind the content."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def zipped(parts: Mapping[str, bytes], *, streamed: bool = False, zip64: bool = False) -> bytes:
    """A zip file; entries differ in compression, time and extra fields."""
    buffer = Pipe() if streamed else BytesIO()
    with ZipFile(buffer, "w") as archive:
        for number, (name, content) in enumerate(parts.items()):
            entry = ZipInfo(name, (1980 + number, 2, 5, 12, 30, 2 * (number % 30)))
            entry.compress_type = ZIP_STORED if number % 4 == 1 else ZIP_DEFLATED
            entry.external_attr = (0o600 + number % 8) << 16
            entry.create_system = number % 4
            if number % 3 == 0:
                entry.extra = struct.pack("<2H4s", 0x5455, 4, b"time")
                entry.comment = b"by hand"
            with archive.open(entry, "w", force_zip64=zip64) as stream:
                stream.write(content)
        archive.comment = b"kept by finance"
    return buffer.getvalue()


def raw(data: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Of each entry, in their order: its record with the compressed bytes, its record in the directory."""
    with ZipFile(BytesIO(data)) as archive:
        infos, at = archive.infolist(), archive.start_dir
    starts = sorted([info.header_offset for info in infos] + [at])
    found = {}
    for info in infos:
        end = starts[starts.index(info.header_offset) + 1]
        size = 46 + sum(struct.unpack_from("<3H", data, at + 28))
        # Without the offset, which moves.
        found[info.filename] = data[info.header_offset : end], data[at : at + 42] + data[at + 46 : at + size]
        at += size
    assert data[at : at + 4] == b"PK\x05\x06"
    return found


def contents(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def opened(path: Path, data: bytes) -> Package:
    path.write_bytes(data)
    return Package.open(path)


CHANGES: Changes = {
    ("Inputs", "C2"): 0.1 + 0.2,
    ("Inputs", "B3"): "Rounded <up>",
    ("Inputs", "C3"): None,
    ("Inputs", "C9"): "new",
    ("Inputs", "D2"): Cached(0.6),
    ("Inputs", "K3"): 75,
    ("Inputs", "E3"): Cached(ExcelErrorText("#N/A")),
}


def test_what_a_workbook_holds(tmp_path: Path) -> None:
    package = opened(tmp_path / "model.xlsx", finance())
    assert package.path == tmp_path / "model.xlsx"
    assert package.sheets == (
        SheetPart("Inputs", "xl/worksheets/sheet1.xml", "", True),
        SheetPart("Finance's own", "xl/worksheets/sheet2.xml", "", True),
        SheetPart("Hidden", "xl/worksheets/sheet3.xml", "Sheet_Hidden", False),
    )
    assert package.names == {"price": "Inputs!$C$2"}
    cells = package.cells("Inputs")
    assert cells is package.cells("Inputs")
    assert {where: cells[where] for where in ("B2", "C2", "D2", "C3", "C4", "E2", "G2")} == {
        "B2": StoredCell("Conversion price"),
        "C2": StoredCell(6.41),
        "D2": StoredCell(None, "C2*2"),
        "C3": StoredCell(True),
        "C4": StoredCell(37292.0),
        "E2": StoredCell(None, "C2:C4*2", "E2:E4"),
        "G2": StoredCell("merged"),
    }
    with pytest.raises(RefreshError, match=r"model\.xlsx has no sheet 'Picture'"):
        package.cells("Picture")


@pytest.mark.parametrize("form", ["as written", "streamed", "zip64"])
def test_every_other_part_stays_byte_for_byte(tmp_path: Path, form: str) -> None:
    data = finance()
    if form != "as written":
        parts = contents(data)
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
        data = zipped(parts, streamed=form == "streamed", zip64=form == "zip64")
    new = opened(tmp_path / "model.xlsx", data).patched(CHANGES)
    before, after = raw(data), raw(new)
    # As written, the workbook part says already that everything is to be calculated.
    changed = {"xl/worksheets/sheet1.xml"} | ({"xl/workbook.xml"} if form != "as written" else set())
    assert list(after) == list(before)
    assert {name for name in before if before[name] != after[name]} == changed
    assert new.endswith(b"kept by finance")
    with ZipFile(BytesIO(data)) as old_zip, ZipFile(BytesIO(new)) as new_zip:
        for old, one in zip(old_zip.infolist(), new_zip.infolist(), strict=True):
            for field in ("date_time", "comment", "external_attr", "create_system", "compress_type"):
                assert getattr(old, field) == getattr(one, field)
    contents(new)


def test_nothing_changes_without_a_change(tmp_path: Path) -> None:
    data = finance()
    package = opened(tmp_path / "model.xlsx", data)
    assert package.patched({}) == data
    assert (
        package.patched({("Inputs", "C2"): 6.41, ("Inputs", "B2"): "Conversion price", ("Hidden", "A1"): None})
        == data
    )


def test_a_patched_workbook_holds_the_changes(tmp_path: Path) -> None:
    package = opened(tmp_path / "model.xlsx", finance())
    new = opened(tmp_path / "new.xlsx", package.patched(CHANGES))
    expected = {sheet.title: dict(package.cells(sheet.title)) for sheet in package.sheets}
    for (title, where), change in CHANGES.items():
        old = expected[title].get(where, StoredCell(None, spilled_from="E2" if where == "E3" else ""))
        value = change.value if isinstance(change, Cached) else change
        expected[title][where] = StoredCell(value, old.formula, old.array, old.spilled_from)
        if value is None:
            del expected[title][where]
    assert {sheet.title: dict(new.cells(sheet.title)) for sheet in new.sheets} == expected
    assert (new.sheets, new.names) == (package.sheets, package.names)
    read = load_workbook(tmp_path / "new.xlsx")["Inputs"]
    assert (read["C2"].value, read["C2"].font.b, read["C2"].number_format) == (0.1 + 0.2, True, "#,##0.00")
    assert (read["B3"].value, read["C3"].value, read["D4"].comment.text) == ("Rounded <up>", None, "Ask Anna")


def test_other_programs_accept_it(
    tmp_path: Path, office: Office, validator: Callable[[Path], list[Finding]]
) -> None:
    old, new = tmp_path / "model.xlsx", tmp_path / "new.xlsx"
    new.write_bytes(opened(old, finance()).patched({**CHANGES, ("Inputs", "C3"): 7}))
    assert validator(new) == validator(old)
    with office.session() as session:
        document = session.open(new)
        assert document.value("Inputs", "C9") == "new"
        assert document.value("Inputs", "D2") == 2 * (0.1 + 0.2)
        assert document.value("Inputs", "D5") == 0.1 + 0.2 + 7 + 37292
        assert document.value("Finance's own", "A1") == (0.1 + 0.2) * 100
        assert [document.value("Inputs", f"E{row}") for row in (2, 3, 4)] == [0.6000000000000001, 14, 74584]


def test_a_workbook_that_libreoffice_saved(tmp_path: Path, office: Office) -> None:
    (tmp_path / "model.xlsx").write_bytes(finance())
    with office.session() as session:
        document = session.open(tmp_path / "model.xlsx")
        document.set("Finance's own", "C5", "=Inputs!C2+1")
        document.set("Inputs", "C7", " two\nlines ")
        saved = document.save(tmp_path / "saved.xlsx")
    package = Package.open(saved)
    cells = package.cells("Inputs")
    assert cells["C7"].value == " two\nlines "
    assert cells["D2"] == StoredCell(12.82, "C2*2")
    assert cells["E2"] == StoredCell(12.82, "C2:C4*2", "E2:E4")
    assert cells["E4"] == StoredCell(74584.0, spilled_from="E2")
    changes: Changes = {
        ("Inputs", "C2"): 3,
        ("Inputs", "C7"): "one",
        ("Inputs", "D2"): Cached(6),
        ("Inputs", "Z50"): 1,
    }
    data = package.patched(changes)
    before, after = raw(saved.read_bytes()), raw(data)
    assert {name for name in before if before[name] != after[name]} <= {
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
    }
    new = opened(tmp_path / "new.xlsx", data)
    assert new.cells("Inputs") == {
        **cells,
        "C2": StoredCell(3.0),
        "C7": StoredCell("one"),
        "D2": StoredCell(6.0, "C2*2"),
        "Z50": StoredCell(1.0),
    }
    with office.session() as session:
        document = session.open(new.path)
        assert [document.value("Finance's own", where) for where in ("A1", "C5")] == [300, 4]
        assert document.value("Inputs", "E2") == 6


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("J1", "in the header row of the table Holdings"),
        ("H2", "is merged into G2"),
        ("D5", "the formula =SUM(C2:C4)"),
    ],
)
def test_cells_that_are_not_inputs(tmp_path: Path, where: str, words: str) -> None:
    package = opened(tmp_path / "model.xlsx", finance())
    with pytest.raises(RefreshError, match=re.escape(words)):
        package.patched({("Inputs", "C2"): 1, ("Inputs", where): 2})


def test_the_totals_of_a_table(tmp_path: Path) -> None:
    parts = contents(finance())
    parts["xl/tables/table1.xml"] = parts["xl/tables/table1.xml"].replace(
        b'headerRowCount="1"', b'headerRowCount="0" totalsRowCount="1"'
    )
    package = opened(tmp_path / "model.xlsx", zipped(parts))
    package.patched({("Inputs", "J1"): "a", ("Inputs", "J2"): "a"})
    with pytest.raises(RefreshError, match="in the totals row of the table Holdings"):
        package.patched({("Inputs", "J3"): "a"})


# The workbook part


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<calcPr/>", '<calcPr fullCalcOnLoad="1"/>'),
        (
            '<calcPr calcId="1" calcMode="manual" fullCalcOnLoad="0" iterate="1" />',
            '<calcPr calcId="1" calcMode="manual" fullCalcOnLoad="1" iterate="1" />',
        ),
        ("\n<calcPr calcMode='manual'></calcPr>", "\n<calcPr calcMode='manual' fullCalcOnLoad=\"1\"></calcPr>"),
        ("\n<pivotCaches/>", '<calcPr fullCalcOnLoad="1"/>\n<pivotCaches/>'),
        ("", '<calcPr fullCalcOnLoad="1"/>'),
        ('<calcPr fullCalcOnLoad="1"/>', '<calcPr fullCalcOnLoad="1"/>'),
    ],
)
@pytest.mark.parametrize("prefix", ["", "x:"])
@pytest.mark.parametrize("names", ["", "<definedNames><definedName name='a'>1</definedName></definedNames>"])
def test_the_host_is_told_to_recalculate(tmp_path: Path, old: str, new: str, prefix: str, names: str) -> None:
    def workbook(calculation: str) -> str:
        xmlns = f"xmlns:{prefix[:-1]}=" if prefix else "xmlns="
        return re.sub(
            "<(/?)(?=[a-z])",
            rf"<\1{prefix}",
            f'<workbook {xmlns}"http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{OFFICE}">'
            '<workbookPr/><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>'
            f"{names}{calculation}</workbook>",
        )

    package = opened(tmp_path / "a.xlsx", zipped(small(workbook(old))))
    assert contents(package.patched({("a", "A1"): 2}))["xl/workbook.xml"].decode() == workbook(new)


def small(workbook: str = "", rows: str = '<row r="1"><c r="A1"><v>1</v></c></row>') -> dict[str, bytes]:
    """The parts of the smallest workbook."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    workbook = workbook or (
        f'<workbook {main} xmlns:r="{OFFICE}"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    )
    return {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{SPREADSHEET}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SPREADSHEET}.worksheet+xml"/></Types>'
        ).encode(),
        "_rels/.rels": relations(
            f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": workbook.encode(),
        "xl/_rels/workbook.xml.rels": relations(
            f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        ),
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>".encode(),
    }


def test_parts_are_found_however_they_are_referred_to(tmp_path: Path) -> None:
    parts = small()
    rels = "xl/_rels/workbook.xml.rels"
    for target in (b"/XL/Worksheets/Sheet1.xml", b"./worksheets/../worksheets/sheet%31.xml"):
        one = {**parts, rels: parts[rels].replace(b"worksheets/sheet1.xml", target)}
        package = opened(tmp_path / "a.xlsx", zipped(one))
        assert package.sheets == (SheetPart("a", "xl/worksheets/sheet1.xml", "", True),)
        assert package.cells("a") == {"A1": StoredCell(1.0)}


# What is refused


def edited(parts: Mapping[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    assert old.encode() in parts[name]
    return {**parts, name: parts[name].replace(old.encode(), new.encode())}


def flagged(data: bytes) -> bytes:
    """The zip file with its first entry marked as encrypted."""
    with ZipFile(BytesIO(data)) as archive:
        at = archive.start_dir
    return data[:6] + b"\x01\x00" + data[8 : at + 8] + b"\x01\x00" + data[at + 10 :]


def of_method(method: int) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", method) as archive:
        for name, content in small().items():
            archive.writestr(name, content)
    return buffer.getvalue()


def lying() -> bytes:
    """A part that is not what its check sum says."""
    data = zipped(small())
    place = raw(data)["xl/_rels/workbook.xml.rels"][0]
    return data.replace(place, place[:-5] + bytes(byte ^ 0xFF for byte in place[-5:]))


def twice() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in {**small(), "XL/workbook.xml": b"<other/>"}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


MAIN_RELS = "_rels/.rels"
BOOK = "xl/workbook.xml"
REFUSED: list[tuple[str, bytes | Callable[[], bytes], str]] = [
    ("empty", b"", "is no Excel workbook"),
    ("text", b"a,b\n", "is no Excel workbook"),
    ("cut off", zipped(small())[:-40], "is no Excel workbook"),
    ("ole", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "protected by a password or in the old format"),
    ("zip", lambda: zipped({"a.txt": b"a"}), "is no Excel workbook"),
    ("word", lambda: zipped(edited(small(), BOOK, "spreadsheetml", "wordprocessingml")), "is no spreadsheet"),
    ("xlsb", lambda: zipped(edited(small(), MAIN_RELS, "workbook.xml", "workbook.bin")), "is a binary workbook"),
    ("no part", lambda: zipped(edited(small(), MAIN_RELS, "workbook.xml", "book.xml")), "xl/book.xml is missing"),
    (
        "strict",
        lambda: zipped(
            edited(small(), MAIN_RELS, "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                   "http://purl.oclc.org/ooxml/officeDocument/relationships")
        ),
        "is a Strict Open XML workbook",
    ),
    (
        "strict main",
        lambda: zipped(
            edited(small(), BOOK, "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                   "http://purl.oclc.org/ooxml/spreadsheetml/main")
        ),
        "is a Strict Open XML workbook",
    ),
    ("signed", lambda: zipped({**small(), "_xmlsignatures/origin.sigs": b""}), "is signed"),
    ("shared", lambda: zipped({**small(), "xl/revisions/revisionHeaders.xml": b"<a/>"}), "is a shared workbook"),
    (
        "1904",
        lambda: zipped(edited(small(), BOOK, "<sheets>", '<workbookPr date1904="1"/><sheets>')),
        "counts its dates from 1904",
    ),
    ("no sheet", lambda: zipped(edited(small(), BOOK, "rId1", "rId2")), "the sheet 'a' has no part"),
    (
        "entities",
        lambda: zipped(edited(small(), BOOK, "<workbook", '<!DOCTYPE a [<!ENTITY b "c">]><workbook')),
        "it declares a document type",
    ),
    ("encrypted entry", lambda: flagged(zipped(small())), "is protected by a password"),
    ("bzip2", lambda: of_method(ZIP_BZIP2), "compressed as Excel never does"),
    ("check sum", lying, "cannot be unpacked"),
    ("twice", twice, "a part is there twice"),
    ("in front", lambda: b"#!/bin/sh\n" + zipped(small()), "a zip file of an unusual form"),
    ("ratio", lambda: zipped({**small(), "0": b"", "bomb": bytes(3_000_000)}), "unpacks to a multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_cannot_be_refreshed_safely(tmp_path: Path, data: bytes | Callable[[], bytes], words: str) -> None:
    (tmp_path / "model.xlsx").write_bytes(data if isinstance(data, bytes) else data())
    with pytest.raises(RefreshError) as caught:
        Package.open(tmp_path / "model.xlsx")
    assert caught.value.message.startswith("model.xlsx")
    assert words in caught.value.message
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.hint


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RefreshError, match=r"There is no file model\.xlsx\. Check the name\."):
        Package.open(tmp_path / "model.xlsx")
    with pytest.raises(RefreshError, match="cannot be read"):
        Package.open(tmp_path)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("MAX_FILE", "is larger than 0 MiB"),
        ("MAX_ENTRIES", "has more than 3 parts"),
        ("MAX_UNPACKED", "unpacks to more than 0 MiB"),
        ("MAX_PART", "has a part of more than 0 MiB"),
    ],
)
def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, words: str) -> None:
    opened(tmp_path / "a.xlsx", zipped(small()))
    monkeypatch.setattr(module, limit, 3)
    with pytest.raises(RefreshError, match=words):
        Package.open(tmp_path / "a.xlsx")


@given(st.data())
def test_a_damaged_file_gives_an_error_or_its_cells(data: st.DataObject) -> None:
    """Whatever bytes are wrong: the file is refused in words, or read, and then patched into one that reads."""
    whole = zipped(small())
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:place] + data.draw(st.binary(min_size=1, max_size=4)) + whole[place + 1 :]
    try:
        package = Package(Path("a.xlsx"), broken)
        patched = package.patched({("a", "B1"): 2})
    except RefreshError:
        return
    assert Package(Path("a.xlsx"), patched).cells("a") == {**package.cells("a"), "B1": StoredCell(2.0)}
