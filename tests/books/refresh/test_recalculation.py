"""Cached values computed again: those of real workbooks to the last digit, LibreOffice's for changed inputs."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import cols_from_range
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Error, Office

import xl_conversion
from xl_conversion.books.refresh.package import Constant, Package
from xl_conversion.books.refresh.package import StoredCell as Stored
from xl_conversion.books.refresh.recalculation import Key, Unknown, recalculated
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.core.rounding import RoundingType

WORKBOOKS = Path(xl_conversion.__file__).parents[1] / "workbooks"
MODEL, GALLERY = WORKBOOKS / "conversion-price-model.xlsx", WORKBOOKS / "function-gallery.xlsx"


Cells = Mapping[str, Mapping[str, Stored]]


def stored(path: Path) -> tuple[Cells, Mapping[str, str]]:
    """The cells and the names of a workbook."""
    package = Package.open(path)
    return {sheet.title: package.cells(sheet.title) for sheet in package.sheets}, package.names


def again(
    cells: Cells, names: Mapping[str, str] = {}, changes: Mapping[Key, Constant] = {}
) -> dict[Key, Constant | ExcelErrorText | Unknown]:
    return recalculated(cells, names, changes, list(cells))


class TestRealWorkbooks:
    @pytest.mark.parametrize("path", [MODEL, GALLERY], ids=lambda path: path.stem)
    def test_unchanged_inputs_give_the_cached_values(self, path: Path) -> None:
        cells, names = stored(path)
        found = again(cells, names)
        assert len(found) > 500
        for (sheet, coordinate), value in found.items():
            cell = cells[sheet][coordinate]
            assert value == (cell.value if cell.value is not None else ""), (sheet, coordinate, cell)
            assert type(value) is type(cell.value if cell.value is not None else "")

    @pytest.mark.parametrize("path", [MODEL, GALLERY], ids=lambda path: path.stem)
    def test_so_they_do_in_what_libreoffice_saved(self, calc: Office, path: Path) -> None:
        """It keeps 15 digits of a number, also of those that were computed from others with more."""
        cells, names = stored(calc.recalculate(path))
        found = again(cells, names)
        assert len(found) > 500
        for (sheet, coordinate), value in found.items():
            kept = cells[sheet][coordinate].value
            if isinstance(value, float):
                assert isinstance(kept, float)
                assert value == pytest.approx(kept, rel=1e-14, abs=1e-9), (sheet, coordinate)
            else:
                assert value == ("" if kept is None else kept), (sheet, coordinate, cells[sheet][coordinate])

    @pytest.mark.parametrize("seed", range(18))
    def test_changed_inputs_give_what_libreoffice_gives(self, calc: Office, seed: int) -> None:
        cells, names = stored(MODEL)
        places = {name: where(target) for name, target in names.items() if name in drawn(seed)}
        places |= {cell: ("Capitalization", cell) for cell in ("C5", "C6", "D5", "D6")}
        changes = {places[name]: value for name, value in drawn(seed).items()}
        if seed % 3 == 0:  # an impossible input: errors, and checks that fail
            dice = random.Random(seed)  # noqa: S311
            wrong = dice.choice(sorted(drawn(seed)))
            changes[places[wrong]] = "nearest" if "type" in wrong else dice.choice(["n/a", -1.0, 0.0])
        found = again(cells, names, changes)
        with calc.session() as session:
            document = session.open(MODEL)
            for (sheet, coordinate), value in changes.items():
                document.set(sheet, coordinate, value)
            live = document.values()
        assert_live(found, live)
        moved = sum(value != cells[key[0]][key[1]].value for key, value in found.items())
        assert moved > 50

    def test_a_cell_that_shows_a_blank_one_is_0(self) -> None:
        """As in Excel; LibreOffice hands the blank on."""
        cells, names = stored(MODEL)
        found = again(cells, names, {where(names["in_price_rounding_type"]): None})
        blank = [
            cell for (sheet, cell), value in found.items() if (sheet, cell[0], value) == ("Rounding", "E", 0.0)
        ]
        assert blank
        assert found[where(names["chk_all"])] == "OPEN"


class TestMechanism:
    def test_a_long_chain(self) -> None:
        column = {"A1": Stored(1.0), **{f"A{row}": Stored(0.0, f"A{row - 1}+1") for row in range(2, 5001)}}
        found = recalculated({"S": column}, {}, {("S", "A1"): 10.0}, ["S"])
        assert found["S", "A5000"] == 5009.0
        assert len(found) == 4999

    def test_a_long_formula(self) -> None:
        found = again({"S": {"A1": Stored(0.0, "B1" + "+B1" * 2700), "B1": Stored(0.0, "SUM(0.5,B2)")}})
        assert found["S", "A1"] == 1350.5

    def test_only_the_sheets_asked_for(self) -> None:
        cells = {"S": {"A1": Stored(0.0, "'T''s'!B1*2")}, "T's": {"A1": Stored(3.0), "B1": Stored(0.0, "A1+1")}}
        assert recalculated(cells, {}, {}, ["S"]) == {("S", "A1"): 8.0}
        assert recalculated(cells, {}, {("T's", "B1"): 1.0}, ["S", "T's"]) == {("S", "A1"): 2.0}

    @pytest.mark.parametrize(
        ("formula", "reason"),
        [
            ("TODAY()", "S!A1: the function TODAY"),
            ("A1+1", "S!A1: it depends on itself"),
            ("SUM(A1:A3)", "S!A1: it depends on itself"),
            ("[1]Other!A1", r"S!A1: not used in a formula here: \[1\]Other!A1"),
            ("'[1]Other'!A1", r"S!A1: the sheet \[1\]Other"),
            ("Table1[Price]", r"S!A1: not used in a formula here: \[Price\]"),
            ("SUM(C:C)", "S!A1: not used in a formula here: :C"),
            ("SUM(1:1)", "S!A1: not used in a formula here: :1"),
            ("SUM({1,2})", "S!A1: not used in a formula here: {1,2}"),
            ("SUM(C1 C2)", "S!A1: not used in a formula here: cell C2 in SUM"),
            ("no_such_name", "S!A1: the name no_such_name"),
            ("half", r"S!A1: the name half, which stands for 0\.5"),
            ("C1:C3*2", "S!A1: a range where one value is wanted"),
            ("C1:C3", "S!A1: a range where one value is wanted"),
            ('COUNTIF(C1:C3,">0")', "S!A1: the criterion '>0'"),
            ("MATCH(1,C1:C3)", "S!A1: MATCH other than exact"),
            ('"1/2"+1', "S!A1: the text '1/2'"),
            ("ABS(1,2)", "S!A1: ABS with 2 arguments"),
            ("IF(TRUE)", "S!A1: IF with 1 arguments"),
            ("CP_VERSION(1)", "S!A1: CP_VERSION with 1 arguments"),
            ("CP_SPLIT(C1:C3,2,1)", "S!A1: a range where one value is wanted"),
            ("SUM(A2:XFE9)", "S!A1: A2:XFE9, which is beyond the sheet"),
            ("SUM(B1:XFD1048576)", "S!A1: the range B1:XFD1048576; at most 1000000 cells"),
            ("1+", "S!A1: not used in a formula here: its end"),
            (f"{'(' * 2000}1{')' * 2000}", "S!A1: a formula that is nested too deeply"),
            (f"1{'+1' * 5000}", "S!A1: a formula of 10001 characters; at most 8192"),
        ],
        ids=lambda text: str(text)[:40],
    )
    def test_what_is_not_known_here_is_said_also_where_it_is_used(self, formula: str, reason: str) -> None:
        cells = {
            "S": {
                "A1": Stored(1.0, formula),
                "B1": Stored(1.0, "IFERROR(A1*2,0)"),
                "B2": Stored(1.0, "SUM(B1:B1)"),
                "B3": Stored(1.0, "IF(C1>0,C1,A1)"),
                "C1": Stored(7.0),
            }
        }
        found = again(cells, {"half": "0.5"})
        for coordinate in ("A1", "B1", "B2"):
            assert isinstance(found["S", coordinate], Unknown)
            assert re.match(reason, str(found["S", coordinate]))
        assert found["S", "B3"] == 7.0

    def test_a_circle_leaves_the_others_alone(self) -> None:
        texts = {"A1": "B1", "B1": "C1", "C1": "A1+D1", "E1": "D1*2", "F1": "SUM(A1:E1)", "G1": "IF(FALSE,G1,3)"}
        found = again({"S": {"D1": Stored(2.0), **{place: Stored(0.0, text) for place, text in texts.items()}}})
        assert {place for (_, place), value in found.items() if isinstance(value, Unknown)} == {
            "A1",
            "B1",
            "C1",
            "F1",
        }
        assert (found["S", "E1"], found["S", "G1"]) == (4.0, 3.0)


ARRAYS = {
    "F1:F3": "A1:A3*2",
    "G1:I3": "A1:A3*A1:C1",
    "F5:H7": "A1:C3+1",
    "I5:I7": 'IF(A1:A3>1,B1:B3&"x","small")',
    "J5:L7": "IF(A1:C3>A1:C1,A1:C3,A1:A3)",
    "J1:J3": "CP_ROUND(A1:A3/3,2)",
    "K1:M1": "CP_SPLIT(A1:C1,2,1)",
    "N1:P3": "CP_SPLIT(A1:A3,A1:C1,1)",
    "F9:F11": "MAX(A1:C3)-A1:A3",
    "G9:G11": "INDEX(A1:A3,MATCH(A1:A3,A1:A3,0))",
    "H9": "SUM(A1:A3*B1:B3)",
    "I9": "SUM(IF(A1:A3>1,B1:B3,0))",
    "J9": "MAX(ABS(A1:C1-B1:B3))",
    "K9:K11": "COUNTIF(A1:A3,A1:A3)",
    "L9:L11": "10/A1:A3",
    "M9:M11": "IFERROR(1/(A1:A3-1),0)",
    "N9:N11": "D1:D3&A1",
}
WHOLE = {  # no arrays, though a part of each is one
    "Q1": "SUM(CP_SPLIT(A1:A3,2,1))",
    "Q2": "INDEX(CP_LIST(),2,1)",
    "Q3": "ROWS(CP_LIST())+COLUMNS(CP_LIST())",
    "Q4": "SUMPRODUCT((A1:A3>0)*(B1:B3>4),C1:C3)",
    "Q5": "SUMPRODUCT(--(A1:C1=A1:C3))",
}


class TestArrays:
    def test_elements_are_libreoffices(self, calc: Office, tmp_path: Path) -> None:
        workbook = Workbook()
        sheet = workbook["Sheet"]
        for row in ([1, 4, 7.5, "a"], [2, 5, -8, ""], [0, 6, 9, "c"]):
            sheet.append(row)
        for place, text in ARRAYS.items():
            sheet[place.partition(":")[0]] = ArrayFormula(place, f"={text}")
        for place, text in WHOLE.items():
            sheet[place] = f"={text}"
        path = tmp_path / "arrays.xlsx"
        workbook.save(path)
        with calc.session() as session:
            live = session.open(path).values()
        found = again(stored(calc.recalculate(path))[0])  # openpyxl writes an array's first cell only
        assert len(found) == sum(len(column) for place in ARRAYS for column in cols_from_range(place)) + len(WHOLE)
        assert_live(found, live)
        assert found["Sheet", "H9"] == 14.0
        assert found["Sheet", "L11"] == ExcelErrorText("#DIV/0!")

    @pytest.mark.parametrize("formula", ["A1:B1*2", "A1:A2", "CP_LIST()", "SUM(A1:A2*A1:A3)"])
    def test_other_shapes_are_not_known(self, formula: str) -> None:
        found = again({"S": {"F1": Stored(0.0, formula, "F1:F3"), "F2": Stored(0.0, spilled_from="F1")}})
        assert isinstance(found["S", "F2"], Unknown)

    def test_elements_that_no_value_was_stored_for(self) -> None:
        cells = {
            "A1": Stored(1.0),
            "A2": Stored(2.0),
            "B1": Stored(2.0, "A1:A2*2", "B1:B2"),
            "C1": Stored(4.0, "B2"),
        }
        assert again({"S": cells}, changes={("S", "A2"): 5.0}) == {("S", "B1"): 2.0, ("S", "C1"): 10.0}

    def test_an_array_of_too_many_cells(self) -> None:
        formulas = {"C1": "B9", "C2": "A1", "C3": "A2"}
        cells = {place: Stored(4.0, text) for place, text in formulas.items()}
        cells |= {"A1": Stored(1.0), "B1": Stored(2.0, "A1", "B1:B1048576"), "B2": Stored(2.0, "A1", "B2:XFE2")}
        found = again({"S": cells})
        assert found.pop(("S", "C2")) == 1.0
        assert len(found) == 4
        assert all(isinstance(value, Unknown) for value in found.values())

    def test_an_array_that_is_overwritten_at_its_first_cell(self) -> None:
        cells = {"S": {"F1": Stored(0.0, "A1:A2+1", "F1:F2"), "F2": Stored(0.0, spilled_from="F1")}}
        found = again(cells, changes={("S", "F1"): 3.0})
        assert isinstance(found["S", "F2"], Unknown)
        assert found.keys() == {("S", "F2")}


def where(target: str) -> Key:
    """The cell that a defined name stands for."""
    sheet, _, coordinate = target.rpartition("!")
    return sheet.strip("'"), coordinate.replace("$", "")


def drawn(seed: int) -> dict[str, float | str]:
    """Random inputs of the price model."""
    dice = random.Random(seed)  # noqa: S311
    before = float(dice.randrange(10**5, 10**8))
    types = [rounding_type.value for rounding_type in RoundingType]
    return {
        "in_original_issue_price": round(dice.uniform(0.5, 60), dice.randrange(1, 5)),
        "in_conversion_price": round(dice.uniform(0.5, 60), dice.randrange(1, 5)),
        "C5": before,
        "D5": before + dice.randrange(10**5, 10**8),
        "C6": float(dice.randrange(10**7)),
        "D6": float(dice.randrange(10**6, 10**7)),
        "in_price_decimals": float(dice.randrange(1, 7)),
        "in_ratio_decimals": float(dice.randrange(1, 7)),
        "in_price_rounding_type": dice.choice(types),
        "in_ratio_rounding_type": dice.choice(types),
        "in_share_rounding_type": dice.choice(types),
        "in_cash_decimals": float(dice.randrange(1, 5)),
        "in_market_price": round(dice.uniform(0.01, 20), 2),
    }


def assert_live(found: Mapping[Key, Constant | ExcelErrorText | Unknown], live: Mapping[Key, Any]) -> None:
    """The values are those that LibreOffice has."""
    wrong = []
    for key, value in found.items():
        other = live.get(key, "")
        if isinstance(value, ExcelErrorText):
            alike = other == Error(str(value)) or (value == "#VALUE!" and other == Error("Err:502"))
        elif isinstance(value, float | bool) and isinstance(other, float):
            alike = value == pytest.approx(other, rel=1e-14, abs=1e-9)
        else:
            alike = value == other
        if not alike:
            wrong.append(f"{key}: {value!r} here, {other!r} in LibreOffice")
    assert not wrong, "\n".join(wrong)
