"""The open workbook, through xlwings' own classes for Windows on top of a fake Excel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.excel import Error
from support.excel_objects import (
    AUTOMATIC,
    MANUAL,
    Application,
    Cell,
    ComError,
    ComObject,
    Desktop,
    Name,
    Range,
    Workbook,
    box_of,
    desktop,
    ignored,
    refused,
    rejected,
)

from xl_conversion.books.refresh.package import Constant, StoredCell
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.hosts.excel import live
from xl_conversion.hosts.excel.live import LiveError, LiveSheet, LiveWorkbook

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake takes the place of pywin32")

PATH = Path("/Deals/Vsource/Model.xlsx")
PRICE, RATE, SHARES, DATE, NOTE, RESULT = (("Inputs", f"B{row}") for row in range(3, 9))


@pytest.fixture
def machine() -> Iterator[Desktop]:
    with desktop() as machine:
        yield machine


@pytest.fixture
def app(machine: Desktop) -> Application:
    return machine.start()


@pytest.fixture
def book(app: Application) -> Workbook:
    return model(app)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses made, without making them."""
    naps: list[float] = []
    monkeypatch.setattr(live, "sleep", naps.append)
    return naps


def model(app: Application, full_name: str = str(PATH)) -> Workbook:
    """A model of one protected sheet: open inputs, a locked label and a formula."""
    book = app.open(full_name, "Inputs", "Notes")
    inputs = book["Inputs"]
    inputs["A3"] = Cell("Price")
    inputs["B3"] = Cell(6.41, number_format="$#,##0.00", locked=False)
    inputs["B4"] = Cell(2.0, locked=False)
    inputs["B5"] = Cell(None, locked=False)
    inputs["B6"] = Cell(37292.0, number_format="dd.mm.yyyy", locked=False)
    inputs["B7"] = Cell("half_up", number_format="@", locked=False)
    inputs["B8"] = Cell(0.0, formula="=Inputs!B3*Inputs!B4")
    app.calculate()
    inputs.protected = True
    return book


def find() -> LiveWorkbook:
    return LiveWorkbook.find(PATH)


def stored(book: Workbook) -> dict[str, dict[tuple[int, int], Cell]]:
    """All cells with something in them, apart from the mark of a text."""
    sheets = {sheet.name: deepcopy(sheet.content) for sheet in book.sheets}
    for cells in sheets.values():
        for cell in cells.values():
            cell.prefix = ""
    return {title: {at: cell for at, cell in cells.items() if cell != Cell()} for title, cells in sheets.items()}


def when(
    kind: type[ComObject], name: str, then: Callable[[], Exception | None]
) -> Callable[[ComObject, str], None]:
    """For Application.watch: at that access of an object of that kind, the exception that `then` gives."""

    def watch(item: ComObject, accessed: str) -> None:
        if isinstance(item, kind) and accessed == name and (problem := then()):
            raise problem

    return watch


def after(accesses: int, problem: Callable[[], Exception]) -> Callable[[], Exception | None]:
    """Nothing for so many times, then the exception once."""
    outcomes = iter([*[None] * accesses, problem()])
    return lambda: next(outcomes, None)


class TestFind:
    def test_the_workbook_with_that_path_among_several_excels(self, machine: Desktop) -> None:
        model(machine.start(), "/Elsewhere/Model.xlsx")["Inputs"]["B3"] = Cell(1.0)
        machine.start().windowless = True
        second = machine.start()
        second.open("/Deals/Other.xlsx", "Inputs")
        model(second)
        assert find().cells("Inputs")["B3"].value == 6.41

    def test_case_and_links_of_the_path_make_no_difference(self, app: Application, tmp_path: Path) -> None:
        (tmp_path / "Real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "Real")
        model(app, str(tmp_path / "Real" / "MODEL.xlsx"))
        assert LiveWorkbook.find(tmp_path / "link" / "model.XLSX").cells("Inputs")["B4"].value == 2

    @pytest.mark.parametrize(
        ("address", "path"),
        [
            ("https://d.docs.live.net/1a2b/Deals/My%20Model.xlsx", "/Users/me/OneDrive/Deals/My Model.xlsx"),
            ("https://d.docs.live.net/1a2b/My%20Model.xlsx", "/Users/me/OneDrive/My Model.xlsx"),
            (
                "https://firm-my.sharepoint.com/personal/me/Documents/a/b/Model.xlsx",
                "/Users/me/OneDrive - Firm/A/B/model.xlsx",
            ),
            ("https://firm.sharepoint.com/sites/x/Shared Documents/Deals/M.xlsx", "/Users/me/Firm/x/Deals/M.xlsx"),
        ],
    )
    def test_a_workbook_in_the_cloud_by_the_end_of_its_address(
        self, app: Application, address: str, path: str
    ) -> None:
        model(app, address)
        assert LiveWorkbook.find(Path(path)).cells("Inputs")["B4"].value == 2

    @pytest.mark.parametrize("path", ["/Users/me/OneDrive/Other/Model.xlsx", "/Elsewhere/Model.xlsx"])
    def test_not_another_one_in_the_cloud_of_the_same_name(self, app: Application, path: str) -> None:
        model(app, "https://d.docs.live.net/1a2b/Deals/Model.xlsx")
        with pytest.raises(LiveError, match=r"Model\.xlsx is not open in Excel"):
            LiveWorkbook.find(Path(path))

    def test_the_one_on_this_machine_rather_than_one_in_the_cloud(self, app: Application) -> None:
        model(app, "https://d.docs.live.net/1a2b/Vsource/Model.xlsx")["Inputs"]["B3"] = Cell(1.0)
        model(app)
        assert find().cells("Inputs")["B3"].value == 6.41

    def test_refuses_two_in_the_cloud_that_fit(self, machine: Desktop) -> None:
        for site in ("a", "b"):
            model(machine.start(), f"https://firm.sharepoint.com/{site}/Vsource/Model.xlsx")
        with pytest.raises(LiveError, match="open 2 times") as told:
            find()
        assert "/a/Vsource/" in told.value.message
        assert "/b/Vsource/" in told.value.message

    def test_the_one_that_can_be_written(self, machine: Desktop) -> None:
        model(machine.start()).read_only = True
        model(machine.start())["Inputs"]["B3"] = Cell(7.0)
        assert find().cells("Inputs")["B3"].value == 7

    def test_refuses_a_read_only_one(self, book: Workbook) -> None:
        book.read_only = True
        with pytest.raises(LiveError, match=r"^Model\.xlsx is open read-only\."):
            find()

    def test_refuses_dates_from_1904(self, book: Workbook) -> None:
        book.date1904 = True
        with pytest.raises(LiveError, match="counts its dates from 1904"):
            find()

    def test_says_that_excel_is_not_running(self, machine: Desktop) -> None:
        with pytest.raises(LiveError, match=r"^Excel is not running\. Open Model\.xlsx in Excel"):
            find()

    def test_says_that_it_is_not_open(self, app: Application) -> None:
        with pytest.raises(LiveError, match=r"^/Deals/Vsource/Model\.xlsx is not open in Excel\."):
            find()

    def test_says_that_there_is_no_excel_here(self) -> None:
        with pytest.raises(LiveError, match="in Excel on Windows only"):
            find()


class TestReading:
    def test_sheets_and_names(self, book: Workbook) -> None:
        book["Inputs"].code_name = "shInputs"
        book["Notes"].visible = 2  # very hidden
        book.names = [
            Name(book, "price", "=Inputs!$B$3"),
            Name(book, "Notes!x", "=#REF!"),
            Name(book, "_xlfn.A", "=1"),
        ]
        found = find()
        assert found.sheets == (LiveSheet("Inputs", "shInputs", True), LiveSheet("Notes", "Sheet1", False))
        assert found.names == {"price": "=Inputs!$B$3", "Notes!x": "=#REF!"}

    def test_cells_with_their_kinds(self, book: Workbook) -> None:
        book["Inputs"]["B3"].content = 1 / 3  # of which a currency has 4 digits
        book["Inputs"]["C3"] = Cell(True)
        book["Inputs"]["C4"] = Cell(Error(2007), formula="=1/0")
        book["Inputs"]["C5"] = Cell(Error(2042))
        book["Inputs"]["C6"] = Cell("=B3", prefix="'")
        book["Inputs"]["C7"] = Cell("", formula='=""')
        book["Inputs"]["C8"] = Cell(Error(2099), formula="=NEW()")
        assert find().cells("Inputs") == {
            "A3": StoredCell("Price"),
            "B3": StoredCell(1 / 3),
            "B4": StoredCell(2.0),
            "B6": StoredCell(37292.0),
            "B7": StoredCell("half_up"),
            "B8": StoredCell(12.82, "Inputs!B3*Inputs!B4"),
            "C3": StoredCell(True),
            "C4": StoredCell(ExcelErrorText("#DIV/0!"), "1/0"),
            "C5": StoredCell(ExcelErrorText("#N/A")),
            "C6": StoredCell("=B3"),
            "C7": StoredCell("", '""'),
            "C8": StoredCell(ExcelErrorText("#VALUE!"), "NEW()"),
        }

    @pytest.mark.parametrize(("content", "cells"), [(None, {}), (5.0, {"D7": StoredCell(5.0)})])
    def test_a_single_cell_or_none(self, book: Workbook, content: float | None, cells: Any) -> None:
        book["Notes"]["D7"] = Cell(content)
        assert find().cells("Notes") == cells

    def test_array_formulas_and_those_that_spill(self, book: Workbook) -> None:
        book["Notes"].fill("B2:D3", "=CP_ENUM(1)", 1.0, spills=True)
        book["Notes"].fill("F9:F9", "=SUM(B2:B3*1)", 2.0, spills=False)
        book["Notes"].fill("A5:B5", "=B2:C2", 3.0, spills=False)
        book["Notes"]["A9"] = Cell(4.0, formula="=2+2")
        cells = find().cells("Notes")
        assert cells["B2"] == StoredCell(1.0, "CP_ENUM(1)", array="B2:D3")
        assert {cells[address] for address in ("C2", "D2", "B3", "C3", "D3")} == {
            StoredCell(1.0, spilled_from="B2")
        }
        assert (cells["A5"], cells["B5"]) == (
            StoredCell(3.0, "B2:C2", array="A5:B5"),
            StoredCell(3.0, spilled_from="A5"),
        )
        assert cells["F9"] == StoredCell(2.0, "SUM(B2:B3*1)", array="F9")
        assert cells["A9"] == StoredCell(4.0, "2+2")
        assert len(cells) == 10

    def test_an_excel_in_which_nothing_spills(self, app: Application, book: Workbook) -> None:
        book["Notes"].fill("A5:B5", "=B2:C2", 3.0, spills=False)
        app.watch = when(Range, "HasSpill", lambda: ComError(-2147352570, "Unknown name."))
        assert find().cells("Notes")["B5"].spilled_from == "A5"

    def test_busy_while_it_is_asked_what_spills(self, app: Application, book: Workbook, naps: list[float]) -> None:
        found = find()
        app.watch = when(Range, "HasSpill", after(0, rejected))
        assert found.cells("Notes") == {}
        assert len(naps) == 1

    def test_values_are_read_at_once(self, app: Application, book: Workbook) -> None:
        for row in range(1, 200):
            book["Notes"][f"A{row}"] = Cell(float(row))
            book["Notes"][f"B{row}"] = Cell(1.0, formula="=2-1")
        found, accesses = find(), list[str]()
        app.watch = lambda _item, name: accesses.append(name)
        assert len(found.cells("Notes")) == 398
        assert [name for name in accesses if name in ("Value2", "Formula")] == ["Value2", "Formula"]
        assert len(accesses) < 30

    def test_an_array_is_asked_for_its_range_once(self, app: Application, book: Workbook) -> None:
        book["Notes"].fill("B2:D30", "=CP_ENUM(1)", 1.0, spills=True)
        found, accesses = find(), list[str]()
        app.watch = lambda _item, name: accesses.append(name)
        assert len(found.cells("Notes")) == 87
        assert accesses.count("SpillParent") == 1

    def test_a_sheet_too_large_to_be_read(self, book: Workbook) -> None:
        book["Notes"].used = "A1:Z1048576"
        with pytest.raises(LiveError, match="'Notes' uses 1048576 rows and 26 columns"):
            find().cells("Notes")

    def test_an_unknown_sheet(self, book: Workbook) -> None:
        with pytest.raises(LiveError, match=r"no sheet 'Input'\. It has Inputs, Notes"):
            find().cells("Input")


class TestApply:
    def test_writes_constants_and_calculates_once(self, app: Application, book: Workbook) -> None:
        found, before = find(), app.calculations
        found.apply({PRICE: 2.001301181799737, RATE: 3, SHARES: 1e22, DATE: 37293.0, NOTE: "floor"})
        cells = found.cells("Inputs")
        assert [cells[f"B{row}"].value for row in (3, 4, 5, 6, 7)] == [
            *(2.001301181799737, 3.0, 1e22, 37293.0, "floor")
        ]
        assert cells["B8"] == StoredCell(2.001301181799737 * 3, "Inputs!B3*Inputs!B4")
        assert app.calculations == before + 1
        assert book["Inputs"]["B3"].number_format == "$#,##0.00"
        assert (book.saves, app.changes_seen) == (0, 0)

    @pytest.mark.parametrize("number_format", ["General", "@", "0.00%"])
    @pytest.mark.parametrize(
        "text",
        [
            "=A1",
            "=",
            "+1",
            "-2",
            "-A1",
            "@SUM(A1)",
            "'quoted",
            "''",
            "123",
            "2.00",
            "5%",
            "1/2",
            "TRUE",
            "#N/A",
            " 7",
            "a\nb",
        ],
    )
    def test_a_text_stays_that_text(self, book: Workbook, text: str, number_format: str) -> None:
        book["Inputs"]["B5"].number_format = number_format
        find().apply({SHARES: text})
        cell = book["Inputs"]["B5"]
        assert (cell.content, cell.formula, cell.number_format) == (text, "", number_format)

    @pytest.mark.parametrize(
        ("value", "content"), [(True, True), (False, False), (None, None), ("", None), (0, 0.0)]
    )
    def test_truth_values_and_blanks(self, book: Workbook, value: Constant, content: Any) -> None:
        find().apply({PRICE: value})
        cell = book["Inputs"]["B3"]
        assert (type(cell.content), cell.content) == (type(content), content)
        assert cell.number_format == "$#,##0.00"

    def test_merged_cells(self, book: Workbook) -> None:
        book["Notes"].merged = [box_of("A1:C2")]
        book["Notes"]["A1"] = Cell("old")
        found = find()
        found.apply({("Notes", "A1"): None})
        assert book["Notes"]["A1"].content is None
        found.apply({("Notes", "A1"): "new"})
        assert book["Notes"]["A1"].content == "new"

    def test_the_mode_of_calculation_stays_as_it_is(self, app: Application, book: Workbook) -> None:
        app.settings = {"screen": True, "events": False, "calculation": MANUAL}
        found, before = find(), app.calculations
        found.apply({PRICE: 3.0})
        assert app.settings == {"screen": True, "events": False, "calculation": MANUAL}
        assert app.calculations == before + 1
        assert found.cells("Inputs")["B8"].value == 6

    def test_all_is_quiet_while_it_writes(self, app: Application, book: Workbook) -> None:
        found, seen = find(), list[dict[str, int]]()
        app.watch = when(Range, "Value2=", lambda: seen.append(dict(app.settings)))
        found.apply({PRICE: 3.0})
        assert seen == [{"screen": False, "events": False, "calculation": MANUAL}]
        assert app.settings == {"screen": True, "events": True, "calculation": AUTOMATIC}

    def test_nothing_to_write_touches_nothing(self, app: Application, book: Workbook) -> None:
        found, before = find(), app.calculations
        found.apply({})
        assert app.calculations == before

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({RESULT: 1.0}, "Inputs!B8 holds a formula, '=Inputs!B3"),
            ({("Notes", "C3"): 1.0}, "Notes!C3 is filled by the formula of B2"),
            ({("Notes", "A5"): 1.0}, "Notes!A5 holds a formula, '=B2:C2'"),
            ({("Notes", "B5"): 1.0}, "Notes!B5 is filled by the formula of A5"),
            ({("Inputs", "A3"): "x"}, "Inputs!A3 is locked on a protected sheet"),
            ({("Inputs", "Z99"): "x"}, "Inputs!Z99 is locked on a protected sheet"),
            ({("Notes", "H2"): "x"}, "Notes!H2 is hidden behind merged cells"),
            ({("Notes", "x1y"): "x"}, "Notes!x1y is not the address of a cell"),
            ({("Notes", "A1:B2"): "x"}, "Notes!A1:B2 is not the address of a cell"),
            ({("Nowhere", "A1"): "x"}, "The open workbook has no sheet 'Nowhere'"),
            ({("Notes", "J1"): 1.0, ("Notes", "$j$1"): 2.0}, r"Notes!J1 is to be written twice"),
            ({NOTE: 1.0}, "Inputs!B7 has the format Text, in which 1.0 would become a text"),
            ({("Notes", "K1"): "x"}, "Notes!K1 has the format Text, in which 5.0 would become a text"),
            ({RATE: float("nan")}, "Inputs!B4: nan is not a number that a cell can hold"),
            ({RATE: 2**53 + 1}, "Inputs!B4: 9007199254740993 is not a number that a cell can hold"),
            ({RATE: 10**5000}, "Inputs!B4: inf is not a number that a cell can hold"),
            ({RATE: "x" * 32768}, "Inputs!B4: a text of 32768 characters"),
        ],
    )
    def test_what_cannot_be_written_is_found_first(
        self, app: Application, book: Workbook, changes: dict[tuple[str, str], Constant], message: str
    ) -> None:
        book["Notes"].fill("B2:D3", "=CP_ENUM(1)", 1.0, spills=True)
        book["Notes"].fill("A5:B5", "=B2:C2", 3.0, spills=False)
        book["Notes"].merged = [box_of("G1:H2")]
        book["Notes"]["K1"] = Cell(5.0, number_format="@")
        found, before = find(), stored(book)
        app.watch = when(Range, "Value2=", lambda: AssertionError("something is written"))
        with pytest.raises(LiveError) as told:
            found.apply({PRICE: 1.0, **changes})
        assert told.value.message.startswith(message) or message in told.value.message
        assert told.value.hint
        assert "\n" not in str(told.value)
        assert stored(book) == before


CONTENTS = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
    st.sampled_from(["=A1", "+1", "-1", "@", "'", "1/2", "TRUE", "#N/A", "5%", "=", "2.00"]),
)
ADDRESSES = st.tuples(
    st.sampled_from(["Inputs", "Notes"]), st.sampled_from([f"{c}{r}" for c in "BCD" for r in range(3, 7)])
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[tuple[str, str], Cell], dict[tuple[str, str], Constant]]:
    """Cells of a workbook that can be written, and changes of some of them."""
    cells = draw(
        st.dictionaries(
            ADDRESSES,
            st.builds(
                Cell,
                st.one_of(CONTENTS, st.just(Error(2042))),
                number_format=st.sampled_from(["General", "$0.00", "dd.mm.yyyy"]),
            ),
        )
    )
    texts = draw(st.dictionaries(ADDRESSES, st.text("=+-@'1a", min_size=1, max_size=4), max_size=3))
    cells |= {at: Cell(text, number_format="@") for at, text in texts.items()}
    changes = draw(st.dictionaries(ADDRESSES, CONTENTS, min_size=1))
    for at in texts.keys() & changes.keys():
        if not isinstance(changes[at], str | None):
            changes[at] = str(changes[at])
    return cells, changes


def opened(machine: Desktop, cells: dict[tuple[str, str], Cell]) -> Workbook:
    book = machine.start().open(str(PATH), "Inputs", "Notes")
    for (title, address), cell in cells.items():
        book[title][address] = deepcopy(cell)
    return book


class TestAnyChanges:
    @given(cases())
    def test_exactly_these_cells_change(self, case: Any) -> None:
        cells, changes = case
        with desktop() as machine:
            book = opened(machine, cells)
            expected = stored(opened(machine, cells))
            machine.running.pop()
            for (title, address), value in changes.items():
                at = box_of(address)[:2]
                cell = expected[title].pop(at, Cell())
                cell.content = value
                if cell != Cell():
                    expected[title][at] = cell
            find().apply(changes)
            assert stored(book) == expected

    @given(cases(), st.data())
    def test_a_failure_in_the_middle_leaves_all_as_it_was(self, case: Any, data: st.DataObject) -> None:
        cells, changes = case
        with desktop() as machine:
            book = opened(machine, cells)
            app, before, found = book.app, stored(book), find()
            settings = dict(app.settings)
            writes = st.integers(0, len(changes) - 1)
            count = data.draw(writes)
            attempts = iter(range(count + 1))

            def fail(item: ComObject, name: str) -> None:
                if name in ("Value2=", "ClearContents") and next(attempts, None) == count:
                    raise refused("The disk is full.")

            app.watch = fail
            with pytest.raises(LiveError, match=r"The disk is full\.") as told:
                found.apply(changes)
            assert told.value.hint.startswith("Nothing was changed")
            assert "{}!{}".format(*list(changes)[count]) in told.value.message
            assert stored(book) == before
            assert app.settings == settings


class TestFailures:
    def test_a_value_that_excel_does_not_keep(self, app: Application, book: Workbook) -> None:
        found, before = find(), stored(book)

        def flush(item: ComObject, name: str) -> None:  # as Excel does with numbers that small
            if book["Inputs"]["B4"].content == 5e-324:
                book["Inputs"]["B4"].content = 0.0

        app.watch = flush
        with pytest.raises(LiveError, match=r"^Inputs!B4 does not take 5e-324\. Nothing was changed"):
            found.apply({PRICE: 1.0, RATE: 5e-324})
        assert stored(book) == before

    def test_says_what_could_not_be_put_back(self, app: Application, book: Workbook) -> None:
        found = find()
        writes = iter([None, None, refused("Full."), refused("Full."), None])
        app.watch = when(Range, "Value2=", lambda: next(writes))
        with pytest.raises(LiveError, match=r"Inputs!B6: Full\. Not put back, and changed therefore: Inputs!B4\."):
            found.apply({PRICE: 1.0, RATE: 9.0, DATE: 1.0})
        assert (book["Inputs"]["B3"].content, book["Inputs"]["B4"].content) == (6.41, 9.0)
        assert app.settings["calculation"] == AUTOMATIC

    def test_a_calculation_that_fails_puts_everything_back(self, app: Application, book: Workbook) -> None:
        found, before = find(), stored(book)
        app.watch = when(Application, "Calculate", lambda: refused("Out of memory."))
        with pytest.raises(
            LiveError, match=r"^Excel refused while calculating: Out of memory\. Nothing was changed"
        ):
            found.apply({PRICE: 1.0})
        assert stored(book) == before

    def test_a_property_that_pywin32_cannot_set(self, app: Application, book: Workbook) -> None:
        found, before = find(), stored(book)
        app.watch = when(
            Range, "Value2=", after(1, lambda: AttributeError("Property 'Range.Value2' can not be set."))
        )
        with pytest.raises(LiveError, match=r"writing Inputs!B4: .* can not be set\. Nothing was changed"):
            found.apply({PRICE: 1.0, RATE: 1.0})
        assert stored(book) == before

    def test_an_interruption_puts_everything_back(self, app: Application, book: Workbook) -> None:
        found, before = find(), stored(book)

        def interrupt(item: ComObject, name: str) -> None:
            if name == "Calculate":
                raise KeyboardInterrupt

        app.watch = interrupt
        with pytest.raises(KeyboardInterrupt):
            found.apply({PRICE: 1.0})
        assert stored(book) == before
        assert app.settings == {"screen": True, "events": True, "calculation": AUTOMATIC}

    def test_a_setting_that_cannot_be_made(self, app: Application, book: Workbook) -> None:
        found, before = find(), stored(book)
        app.watch = when(Application, "EnableEvents=", after(0, lambda: refused("No.")))
        with pytest.raises(LiveError, match=r"Excel refused: No\."):
            found.apply({PRICE: 1.0})
        assert stored(book) == before
        assert app.settings == {"screen": True, "events": True, "calculation": AUTOMATIC}

    def test_says_which_setting_could_not_be_set_back(self, app: Application, book: Workbook) -> None:
        found = find()
        app.watch = when(Application, "Calculation=", after(1, lambda: refused("No.")))
        with pytest.raises(LiveError, match=r"All cells are written.*set back by hand: calculation = automatic"):
            found.apply({PRICE: 1.0})
        assert book["Inputs"]["B3"].content == 1
        assert app.settings == {"screen": True, "events": True, "calculation": MANUAL}

    def test_says_both_what_failed_and_what_could_not_be_set_back(self, app: Application, book: Workbook) -> None:
        found, modes = find(), iter([None, refused("No.")])

        def fail(item: ComObject, name: str) -> None:
            problem = next(modes) if name == "Calculation=" else None
            if problem or name == "Calculate":
                raise problem or refused("Out of memory.")

        app.watch = fail
        with pytest.raises(LiveError, match=r"Out of memory\. Nothing was changed.*calculation = automatic"):
            found.apply({PRICE: 1.0})


@pytest.mark.parametrize("refusal", [rejected, ignored])
class TestBusy:
    def test_waits_until_excel_answers(
        self, app: Application, book: Workbook, naps: list[float], refusal: Callable[[], ComError]
    ) -> None:
        times = iter(range(3))

        def busy(item: ComObject, name: str) -> None:
            if next(times, None) is not None:
                raise refusal()

        app.watch = busy
        found = find()
        times = iter(range(2))
        assert found.cells("Inputs")["B3"].value == 6.41
        times = iter(range(2))
        found.apply({PRICE: 1.0})
        assert book["Inputs"]["B3"].content == 1
        assert len(naps) == 7

    def test_gives_up_in_the_end(
        self, app: Application, book: Workbook, naps: list[float], refusal: Callable[[], ComError]
    ) -> None:
        found, before = find(), stored(book)

        def busy(item: ComObject, name: str) -> None:
            raise refusal()

        app.watch = busy
        for act in (find, lambda: found.cells("Inputs"), lambda: found.sheets, lambda: found.apply({PRICE: 1.0})):
            with pytest.raises(LiveError, match=r"^Excel is busy and does not answer\. Finish the cell"):
                act()
        assert stored(book) == before
        assert len(naps) == 4 * 4

    def test_in_the_middle_of_writing(
        self, app: Application, book: Workbook, naps: list[float], refusal: Callable[[], ComError]
    ) -> None:
        found, before = find(), stored(book)
        attempts = iter(range(6))
        app.watch = when(Range, "Value2=", lambda: refusal() if next(attempts, 0) else None)
        with pytest.raises(
            LiveError, match=r"^Excel is busy and does not answer while writing Inputs!B4\. Nothing"
        ):
            found.apply({PRICE: 1.0, RATE: 1.0})
        assert stored(book) == before

    def test_another_excel_may_be_busy(
        self, machine: Desktop, naps: list[float], refusal: Callable[[], ComError]
    ) -> None:
        busy = machine.start()
        busy.watch = when(ComObject, "Workbooks", refusal)
        with pytest.raises(LiveError, match="Excel is busy"):
            find()  # it may be there
        model(machine.start())
        assert find().cells("Inputs")["B3"].value == 6.41

    def test_the_patience_of_xlwings_is_as_before(
        self, app: Application, book: Workbook, refusal: Callable[[], ComError]
    ) -> None:
        windows = sys.modules["xlwings._xlwindows"]
        seen = []
        app.watch = lambda _item, _name: seen.append(vars(windows)["N_COM_ATTEMPTS"])
        find()
        assert set(seen) == {1}
        assert vars(windows)["N_COM_ATTEMPTS"] == 0


def test_busy_where_pywin32_asks_for_the_name_first(app: Application, book: Workbook, naps: list[float]) -> None:
    def busy(item: ComObject, name: str) -> None:
        raise rejected() if name == "GetIDsOfNames" else AttributeError(name)

    app.watch = busy
    with pytest.raises(LiveError, match=r"^Excel is busy"):
        find()


def test_is_imported_without_xlwings() -> None:
    program = "import sys, xl_conversion.hosts.excel.live; sys.exit('xlwings' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
