"""The template "Conversion price model": sound as a file, right in LibreOffice, honest when something is wrong."""

from __future__ import annotations

import math
import os
import random
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from support.office import Document, Error, Office
from support.ooxml import Finding

import xl_conversion
from xl_conversion.books.templates.formulas import computed
from xl_conversion.books.templates.price_model import SHEETS, price_model, price_model_bytes, save_price_model
from xl_conversion.books.templates.price_model import shipped_case as shipped
from xl_conversion.core.adjustments import cash_in_lieu, conversion_shares
from xl_conversion.core.issuance import Adjustment, adjust
from xl_conversion.core.rounding import RoundingType, round_to, round_whole
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import tie_out
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.inputs.reading import Case, read_cases

pytest_plugins = ["support.calc"]

ROOT = Path(xl_conversion.__file__).parents[1]
COMMITTED = ROOT / "workbooks" / "conversion-price-model.xlsx"
Key = tuple[str, str]
LINK = re.compile(r"='?([^'!]+)'?!\$([A-Z]+)\$(\d+)")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.xlsx"
    save_price_model(path)
    return path


@pytest.fixture(scope="module")
def formulas(model: Path) -> Workbook:
    return load_workbook(model)


@pytest.fixture(scope="module")
def cached(model: Path) -> Workbook:
    return load_workbook(model, data_only=True)


def parts(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def formula_cells(workbook: Workbook) -> Iterator[tuple[str, str, str]]:
    """Sheet, coordinate and text of every formula."""
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    yield sheet.title, cell.coordinate, str(cell.value)


def named(workbook: Workbook, name: str) -> Key:
    """The cell that a name stands for."""
    (found,) = workbook.defined_names[name].destinations
    return found[0], found[1].replace("$", "")


def checks_of(workbook: Workbook) -> list[int]:
    """The rows of the sheet Checks that hold one."""
    sheet = workbook["Checks"]
    return [row for row in range(1, sheet.max_row + 1) if str(sheet[f"A{row}"].value).isdigit()]


def stated_at(workbook: Workbook, what: str) -> str:
    """The cell of the sheet Tie-out in which that figure is stated."""
    row = next(cell.row for cell in workbook["Tie-out"]["C"] if cell.value == what)
    return f"E{row}"


class TestFile:
    def test_the_same_bytes_each_time_and_everywhere(self) -> None:
        code = (
            "import hashlib, sys; from xl_conversion.books.templates.price_model import price_model_bytes;"
            "print(hashlib.sha256(price_model_bytes()).hexdigest())"
        )
        seen = {
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LANG": "tr_TR.UTF-8"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for zone, seed in (("UTC", "1"), ("Pacific/Kiritimati", "2"))
        }
        assert len(seen) == 1
        assert price_model_bytes() == price_model_bytes()

    def test_the_committed_file_is_a_fresh_build(self, capsys: pytest.CaptureFixture[str]) -> None:
        fresh, committed = parts(price_model_bytes()), parts(COMMITTED.read_bytes())
        assert committed.keys() == fresh.keys()
        for name, content in fresh.items():
            assert committed[name] == content, f"{name} differs: run python workbooks/build.py"
        build = runpy.run_path(str(ROOT / "workbooks" / "build.py"))
        assert build["main"](["--check"]) == 0
        assert build["main"](["--wrong"]) == 2
        assert "usage" in capsys.readouterr().err

    def test_the_build_says_what_differs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        copied = tmp_path / "build.py"
        copied.write_bytes((ROOT / "workbooks" / "build.py").read_bytes())
        build = runpy.run_path(str(copied))["main"]
        assert build(["--check"]) == 1
        assert "conversion-price-model.xlsx differs" in capsys.readouterr().err
        assert build([]) == 0
        assert build(["--check"]) == 0
        (tmp_path / "conversion-price-model.xlsx").write_bytes(b"no workbook")
        assert build(["--check"]) == 1

    def test_every_formula_has_a_value_and_none_is_an_error(self, formulas: Workbook, cached: Workbook) -> None:
        found = list(formula_cells(formulas))
        assert len(found) > 500
        raw = parts(price_model_bytes())
        assert sum(len(re.findall(rb"<f[ >]", raw[name])) for name in raw if "worksheets/" in name) == len(found)
        for sheet, coordinate, text in found:
            cell = cached[sheet][coordinate]
            assert cell.data_type != "e", (sheet, coordinate)
            assert cell.value is not None or text.endswith(',"")') or '""' in text, (sheet, coordinate)

    def test_the_validator_finds_nothing(self, validator: Callable[[Path], list[Finding]], model: Path) -> None:
        assert validator(model) == []

    def test_the_figures_of_the_notice(self, cached: Workbook, formulas: Workbook) -> None:
        values = {name: cached[s][c].value for name in formulas.defined_names for s, c in [named(formulas, name)]}
        assert values["out_conversion_price"] == 2
        assert values["out_conversion_price_unrounded"] == float(Fraction(3901581383, 1949522350))
        assert values["out_conversion_ratio"] == 3.2
        assert values["out_exceptions"] == 6
        assert values["chk_all"] == "OK"
        chain = {cached["Chain"][f"A{row}"].value: cached["Chain"][f"E{row}"].value for row in range(5, 30)}
        assert [chain[symbol] for symbol in ("QN", "QD", "QU", "QS")] == [45576000, 45575400, 45575960, 45575951]
        assert cached.properties.title == "Conversion price model"


class TestLint:
    def test_no_constant_in_a_formula(self, formulas: Workbook) -> None:
        for sheet, coordinate, text in formula_cells(formulas):
            bare = re.sub(r"""'[^']*'!|"[^"]*"|[A-Z]+\(|\$?[A-Z]{1,3}\$?\d+""", " ", text)
            assert not re.search(r"\d", bare), (sheet, coordinate, text)

    def test_every_function_is_used(self, formulas: Workbook) -> None:
        used = {name for *_, text in formula_cells(formulas) for name in re.findall(r"CP_[A-Z_]+", text)}
        wanted = {
            "CP_WEIGHTED_AVERAGE",
            "CP_FULL_RATCHET",
            "CP_SPLIT",
            "CP_STOCK_DIVIDEND",
            "CP_RATIO",
            "CP_CONVERSION_SHARES",
            "CP_CASH_IN_LIEU",
            "CP_ROUND",
            "CP_VERSION",
        }
        assert wanted == used <= FUNCTIONS.keys()

    def test_nothing_is_hidden(self, formulas: Workbook) -> None:
        assert formulas.sheetnames == ["About", *SHEETS]
        for sheet in formulas.worksheets:
            assert sheet.sheet_state == "visible"
            dimensions = [*sheet.row_dimensions.values(), *sheet.column_dimensions.values()]
            assert not any(dimension.hidden for dimension in dimensions)
            assert not any(cell.protection.hidden for row in sheet.iter_rows() for cell in row)
            assert not any((cell.number_format or "") == ";;;" for row in sheet.iter_rows() for cell in row)

    def test_names_are_of_the_interface(self, formulas: Workbook) -> None:
        assert all(re.match(r"(in|out|chk)_[a-z0-9_]+\Z", name) for name in formulas.defined_names)
        cells = [named(formulas, name) for name in formulas.defined_names]
        assert len(cells) == len(set(cells)) > 80
        assert all(formulas[sheet][cell].value is not None for sheet, cell in cells)

    def test_merged_cells_do_not_overlap(self, formulas: Workbook) -> None:
        for sheet in formulas.worksheets:
            seen: set[tuple[int, int]] = set()
            for merged in sheet.merged_cells.ranges:
                cells = set(merged.cells)
                assert not cells & seen
                seen |= cells

    def test_validations_name_their_rule(self, formulas: Workbook) -> None:
        lists = 0
        for sheet in formulas.worksheets:
            for rule in sheet.data_validations.dataValidation:
                assert rule.showErrorMessage
                assert rule.error
                assert " must be " in rule.error
                assert len(rule.error) <= 255
                assert len(rule.errorTitle or "") <= 32
                assert len(rule.formula1 or "") <= 255
                if rule.type == "list":
                    lists += 1
                    title, first, last = re.fullmatch(r"'?(\w+)'?!\$(.*):\$(.*)", rule.formula1).groups()
                    left, top, right, bottom = range_boundaries(f"{first}:{last}".replace("$", ""))
                    assert (left, bottom - top > 0) == (right, True)
                    texts = [formulas[title].cell(row, left).value for row in range(top, bottom + 1)]
                    assert all(str(text) in rule.error for text in texts)
                    (area,) = rule.sqref.ranges
                    chosen = sheet.cell(area.min_row, area.min_col).value
                    assert chosen is None or chosen in texts
        assert lists >= 8 + 6

    def test_inputs_look_like_inputs_and_formulas_do_not(self, formulas: Workbook) -> None:
        for sheet in formulas.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    blue = cell.font.color is not None and cell.font.color.rgb == "000000FF"
                    if cell.data_type == "f":
                        assert not blue, (sheet.title, cell.coordinate)
                    elif cell.data_type in ("n", "d") and cell.value is not None and cell.column > 1:
                        assert blue, (sheet.title, cell.coordinate)

    def test_no_currency_format(self, formulas: Workbook) -> None:
        for sheet in formulas.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert not re.search(r"[$€£¥]|_\(|\[\$", cell.number_format), (sheet.title, cell.coordinate)

    def test_print_set_up_and_panes(self, formulas: Workbook) -> None:
        for sheet in formulas.worksheets:
            assert sheet.page_setup.fitToWidth == 1
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            footer = sheet.oddFooter
            assert (footer.left.text, footer.right.text) == (sheet.title, "Page &P of &N")
            assert not footer.center.text
            if sheet.title != "About":
                assert sheet.freeze_panes
                assert sheet.print_title_rows

    def test_no_text_is_wider_than_its_row_is_high(self, formulas: Workbook) -> None:
        """A careful estimate: Calibri has about 1.2 characters of text for one unit of width."""
        for sheet in formulas.worksheets:
            merged = {area.coord.partition(":")[0]: area for area in sheet.merged_cells.ranges}
            for row in sheet.iter_rows(min_row=4):
                for cell in row:
                    if cell.data_type != "s" or not cell.alignment.wrap_text:
                        continue
                    area = merged.get(cell.coordinate)
                    last = area.max_col if area else cell.column
                    width = sum(
                        sheet.column_dimensions[get_column_letter(column)].width
                        for column in range(cell.column, last + 1)
                    )
                    size = (cell.font.sz or 11) / 10
                    lines = math.ceil(len(str(cell.value)) * size / (1.3 * (width - 1)))
                    height = sheet.row_dimensions[cell.row].height or 15
                    assert lines * 12 * size <= height + 3, (sheet.title, cell.coordinate, cell.value)


# In LibreOffice.


@contextmanager
def opened(office: Office, path: Path) -> Iterator[Document]:
    with office.session() as session:
        yield session.open(path)


def assert_as_cached(document: Document, path: Path) -> None:
    """Every formula recalculates to its cached value; worksheet functions bit for bit."""
    live, workbook, known = document.values(), load_workbook(path), load_workbook(path, data_only=True)
    for sheet, coordinate, text in formula_cells(workbook):
        expected = known[sheet][coordinate].value
        value = live.get((sheet, coordinate), "")
        where = sheet, coordinate, text, expected, value
        if not isinstance(expected, int | float):
            assert value == (expected or ""), where
        elif text.startswith("=CP_"):
            assert value == expected, where
        else:
            assert isinstance(value, float), where
            assert math.isclose(value, expected, rel_tol=1e-12, abs_tol=0), where


class TestLibreOffice:
    def test_every_cell_recalculates_to_its_cached_value(self, calc: Office, model: Path) -> None:
        with opened(calc, model) as document:
            assert_as_cached(document, model)
            document.recalculate()
            assert_as_cached(document, model)

    def test_without_the_add_in_the_native_side_works(
        self, office: Office, model: Path, formulas: Workbook, cached: Workbook
    ) -> None:
        with opened(office, model) as document:
            live = document.values()
        assert live[named(formulas, "chk_all")] == "NO ADD-IN"
        for sheet, coordinate, text in formula_cells(formulas):
            expected, value = cached[sheet][coordinate].value, live.get((sheet, coordinate), "")
            if "CP_" in text:
                assert value == Error("#NAME?"), (sheet, coordinate)
            elif expected == "OK" and (sheet, coordinate) != ("Checks", "H5"):
                assert value in ("OK", "NO ADD-IN"), (sheet, coordinate)
            elif coordinate.endswith("1") and str(expected).startswith("Formulas agree"):
                assert value == "Formulas agree: NO ADD-IN"
            elif value in ("n/a", "NO ADD-IN", Error("#NAME?")):
                assert sheet not in ("Tie-out", "Inputs", "Securities"), (sheet, coordinate)
                assert coordinate[0] != "E" or sheet in ("Checks",), (sheet, coordinate)
            elif isinstance(expected, int | float):
                assert isinstance(value, float), (sheet, coordinate)
                assert math.isclose(value, expected, rel_tol=1e-12, abs_tol=0), (sheet, coordinate)
            else:
                assert value == (expected or ""), (sheet, coordinate)
        for name in ("out_conversion_price", "out_conversion_ratio", "out_exceptions", "out_conversion_shares"):
            sheet, coordinate = named(formulas, name)
            assert live[sheet, coordinate] == cached[sheet][coordinate].value

    @pytest.mark.parametrize(
        ("change", "label"),
        [
            ({"in_outstanding_after": 33_000_000}, "X + Y > A + C"),
            ({"in_outstanding_after": 33_831_184}, "X + Y > A + C"),
            ({"in_outstanding_after": 33_000_000}, "P is not below 0"),
            ({"E5": -0.5}, "no consideration is below 0"),
            ({"E7": -0.5}, "no consideration is below 0"),
            ({"in_conversion_price": 0}, "prices, A and X are above 0"),
            ({"in_other_after": -1}, "no number is below 0"),
        ],
        ids=str,
    )
    def test_without_the_add_in_impossible_inputs_are_seen(
        self, office: Office, model: Path, formulas: Workbook, change: dict[str, float], label: str
    ) -> None:
        (row,) = (cell.row for cell in formulas["Checks"]["B"] if label in str(cell.value))
        with opened(office, model) as document:
            assert document.value(*named(formulas, "chk_all")) == "NO ADD-IN"
            for name, value in change.items():
                where = named(formulas, name) if name.startswith("in_") else ("Securities", name)
                document.set(*where, value)
            assert document.value("Checks", f"H{row}") == "CHECK"
            assert document.value(*named(formulas, "chk_all")) == "CHECK"
            assert document.value("Checks", "H1") == "Formulas agree: CHECK"

    def test_without_the_add_in_an_error_of_a_native_formula_is_no_missing_add_in(
        self, office: Office, model: Path, formulas: Workbook
    ) -> None:
        with opened(office, model) as document:
            document.set(*named(formulas, "in_original_issue_price"), "=NA()")
            rows = {str(formulas["Checks"][f"B{row}"].value): row for row in checks_of(formulas)}
            row = next(row for label, row in rows.items() if label.startswith("R1: "))
            assert document.value("Checks", f"H{row}") == "CHECK"
            row = next(row for label, row in rows.items() if label.startswith("CP2: "))
            assert document.value("Checks", f"H{row}") == "NO ADD-IN"

    def test_the_lines_under_a_title_follow_the_inputs(
        self, office: Office, model: Path, formulas: Workbook, cached: Workbook
    ) -> None:
        digest = shipped().digest[:12]
        with opened(office, model) as document:
            document.set(*named(formulas, "in_company"), 'O\'Neil & "Sons"')
            document.set(*named(formulas, "in_series"), "Series Z")
            document.set(*named(formulas, "in_event_date"), 44_260)
            document.set(*named(formulas, "in_clause"), "Article 9")
            live = document.values()
        for sheet in formulas.sheetnames:
            assert str(cached[sheet]["A2"].value).startswith("Vsource, Inc., Series 2-A Convertible Preferred. ")
            assert str(live[sheet, "A2"]).startswith('O\'Neil & "Sons", Series Z. ')
            assert live[sheet, "A3"] == str(cached[sheet]["A3"].value).replace("2002-02-05", "2021-03-05")
            assert f"SHA-256 of the figures as delivered: {digest}." in str(live[sheet, "A3"])
        assert {value for (sheet, cell), value in live.items() if "Vsource" in str(value)} == set()
        assert "Article 9" in {live.get(("Calculation", f"J{row}")) for row in range(5, 20)}
        rows = formulas["About"].iter_rows(values_only=True)
        assert any(row[1] == digest and "the workbook was delivered with" in str(row[2]) for row in rows)

    def test_the_corner_counts_the_exceptions(self, office: Office, model: Path, formulas: Workbook) -> None:
        with opened(office, model) as document:
            assert document.value("About", "D2") == "Tie-out: 6 exceptions"
            document.set("Tie-out", stated_at(formulas, "Numerator, A + B + C"), 36_520_263)
            assert document.value("Inputs", "F2") == "Tie-out: 5 exceptions"

    def test_every_rounding_that_gives_a_figure_is_told(
        self, office: Office, model: Path, formulas: Workbook, cached: Workbook
    ) -> None:
        sheet = cached["Tie-out"]
        found = {sheet[f"C{row}"].value: sheet[f"L{row}"].value for row in reversed(range(8, 40))}
        assert found["Common per preferred, from the price as stated"] == "floor, half_even"
        assert found["Numerator, A + B + C"] == "floor"
        assert found["X - A, against the securities listed"] == "none"
        assert not found["Conversion price after"]
        cell = stated_at(formulas, "Numerator, A + B + C")
        with opened(office, model) as document:
            document.set("Tie-out", cell, 1)
            assert document.value("Tie-out", f"L{cell[1:]}") == "none"

    def test_sources_of_terms_are_what_the_input_knows(self, cached: Workbook, tmp_path: Path, bare: Case) -> None:
        rows = {row[1]: row[5] for row in cached["Inputs"].iter_rows(values_only=True)}
        notice = "Notice of 5 February 2002"
        assert str(rows["Original issue price"]).startswith(notice)
        for label in ("Price decimals", "Price rounding type", "Ratio rounding type", "Ratio decimals"):
            assert rows[label] == "given or inferred; no document named"
        assert "only so is it the 3.20 stated" in str(rows["Price that the ratio is taken from"])
        save_price_model(tmp_path / "bare.xlsx", bare)
        rows = {row[1]: row[5] for row in load_workbook(tmp_path / "bare.xlsx")["Inputs"].values}
        assert rows["Price decimals"] == "default: not rounded, 15 digits kept"
        assert rows["Price rounding type"] == "default"
        assert rows["Original issue price"] == "Charter"

    def test_headings_of_the_checks_claim_nothing(self, formulas: Workbook) -> None:
        header = next(row for row in formulas["Checks"].iter_rows(values_only=True) if row[0] == "No.")
        assert header[3:5] == ("Expected", "Actual")

    def test_every_check_can_fail(self, calc: Office, model: Path, formulas: Workbook) -> None:
        """Each native formula is overwritten in turn: its check and the master check say so."""
        sheet, tried = formulas["Checks"], 0
        with opened(calc, model) as document:
            for row in checks_of(formulas):
                expected = LINK.fullmatch(sheet[f"D{row}"].value)
                at = (expected[1], expected[2] + expected[3]) if expected else ("Checks", f"D{row}")
                if at[0] == "Inputs":  # a constant: the other side is overwritten
                    at = "Checks", f"E{row}"
                before = document.cell(*at)
                assert isinstance(before.value, float)
                document.set(*at, before.value + 1000)
                assert document.value("Checks", f"H{row}") == "CHECK", row
                assert document.value(*named(formulas, "chk_all")) == "CHECK"
                assert document.value("About", "D1") == "Formulas agree: CHECK"
                document.set(*at, before.formula)
                assert document.value(*named(formulas, "chk_all")) == "OK", row
                tried += 1
        assert tried == len(checks_of(formulas)) > 50

    @pytest.mark.parametrize("value", ["text", None, -1.0, "=NA()"])
    def test_an_impossible_input_is_no_ok(
        self, calc: Office, model: Path, formulas: Workbook, value: str | float | None
    ) -> None:
        with opened(calc, model) as document:
            for name in ("in_original_issue_price", "in_outstanding_after", "in_price_decimals"):
                before = document.cell(*named(formulas, name))
                document.set(*named(formulas, name), value)
                assert document.value(*named(formulas, "chk_all")) == "CHECK", name
                document.set(*named(formulas, name), before.value if isinstance(before.value, float) else 0)
            assert document.value(*named(formulas, "chk_all")) == "OK"

    def test_an_unknown_choice_is_no_ok(self, calc: Office, model: Path, formulas: Workbook) -> None:
        with opened(calc, model) as document:
            for name in ("in_price_rounding_type", "in_ratio_basis", "in_carried_price"):
                before = document.value(*named(formulas, name))
                assert isinstance(before, str)
                document.set(*named(formulas, name), "nearest")
                assert document.value(*named(formulas, "chk_all")) == "CHECK", name
                document.set(*named(formulas, name), before)
            assert document.value(*named(formulas, "chk_all")) == "OK"

    def test_an_incomplete_security_is_no_ok(self, calc: Office, model: Path, formulas: Workbook) -> None:
        with opened(calc, model) as document:
            for cell, value in (("E6", None), ("F6", 100.0), ("D9", 10.0), ("E9", 0.5)):
                before = document.value("Securities", cell)
                document.set("Securities", cell, value)
                assert document.value("Securities", f"H{cell[1]}") == "CHECK", cell
                assert document.value(*named(formulas, "chk_all")) == "CHECK"
                document.set("Securities", cell, before if isinstance(before, float) else None)
            document.set("Securities", "D9", 1_000_000.0)
            document.set("Securities", "F9", 250_000.0)
            assert document.value(*named(formulas, "chk_all")) == "OK"
            assert document.value(*named(formulas, "out_consideration")) == pytest.approx(8437842.70, rel=1e-15)


Change = dict[str, Any]
CHANGES: list[Change] = [
    {"in_original_issue_price": "7.25"},
    {"in_conversion_price": "3.2"},
    {"in_conversion_price": "0.09"},
    {"in_outstanding_before": "20000000", "in_other_before": "0"},
    {"in_outstanding_after": "90000000", "in_other_after": "5000000"},
    {"in_price_rounding_type": "floor", "in_price_decimals": "4"},
    {"in_price_rounding_type": "ceiling", "in_ratio_rounding_type": "ceiling"},
    {"in_ratio_basis": "rounded"},
    {"in_ratio_basis": "rounded", "in_ratio_rounding_type": "half_even"},
    {"in_ratio_basis": "rounded", "in_ratio_rounding_type": "floor", "in_share_rounding_type": "ceiling"},
    {"in_price_decimals": "1", "in_ratio_decimals": "15"},
    {"in_preferred_shares": "123457", "in_market_price": "1.37", "in_share_rounding_type": "half_even"},
    {"shares": "1000000", "each": "0.75"},
]


def drawn(number: int) -> Change:
    """Random inputs, always the same ones for a number."""
    dice = random.Random(number)  # noqa: S311
    before = dice.randrange(10**5, 10**8)
    return {
        "in_original_issue_price": f"{dice.uniform(0.5, 60):.{dice.randrange(1, 5)}f}",
        "in_conversion_price": f"{dice.uniform(0.5, 60):.{dice.randrange(1, 5)}f}",
        "in_outstanding_before": str(before),
        "in_outstanding_after": str(before + dice.randrange(10**5, 10**8)),
        "in_other_before": str(dice.randrange(10**7)),
        "in_other_after": str(dice.randrange(10**6, 10**7)),
        "in_price_decimals": str(dice.randrange(1, 7)),
        "in_ratio_decimals": str(dice.randrange(1, 7)),
        "in_price_rounding_type": dice.choice(list(RoundingType)).value,
        "in_ratio_rounding_type": dice.choice(list(RoundingType)).value,
        "in_share_rounding_type": dice.choice(list(RoundingType)).value,
        "in_ratio_basis": dice.choice(list(Basis)).value,
        "in_preferred_shares": str(dice.randrange(1, 10**6)),
        "in_market_price": f"{dice.uniform(0.01, 20):.2f}",
        "shares": str(dice.randrange(10**5, 10**7)),
        "each": f"{dice.uniform(0.01, 5):.2f}",
    }


def by_the_core(change: Change) -> Adjustment:
    """The adjustment with the shipped figures changed."""
    case = shipped()
    (issuance,) = case.issuances
    first, *rest = issuance.securities
    if "shares" in change:
        shares = Fraction(change["shares"])
        first = replace(first, shares=shares, consideration=shares * Fraction(change["each"]))
    fields = ("outstanding_before", "outstanding_after", "other_before", "other_after")
    counts = {name: Fraction(change[f"in_{name}"]) for name in fields if f"in_{name}" in change}
    series = case.series
    for stem, rounding in (("price", series.price), ("ratio", series.ratio)):
        rounding = replace(
            rounding,
            decimals=int(change.get(f"in_{stem}_decimals", rounding.decimals)),
            rounding_type=RoundingType(change.get(f"in_{stem}_rounding_type", rounding.rounding_type)),
        )
        series = replace(series, **{stem: rounding})  # type: ignore[arg-type]
    series = replace(
        series,
        original_issue_price=Fraction(change.get("in_original_issue_price", "6.41")),
        conversion_price=Fraction(change.get("in_conversion_price", "6.41")),
        ratio_basis=Basis(change.get("in_ratio_basis", "unrounded")),
        share_rounding_type=RoundingType(change.get("in_share_rounding_type", "floor")),
    )
    return adjust(series, replace(issuance, securities=(first, *rest), **counts))


class TestChangedInputs:
    @pytest.mark.parametrize("change", [*CHANGES, *map(drawn, range(12))], ids=str)
    def test_results_are_the_cores_and_all_checks_hold(
        self, calc: Office, model: Path, formulas: Workbook, change: Change
    ) -> None:
        expected = by_the_core(change)
        series = expected.series
        taken = expected.price_unrounded if series.ratio_basis is Basis.UNROUNDED else expected.price
        held = Fraction(change.get("in_preferred_shares", "100"))
        shares = conversion_shares(held, series.original_issue_price, taken)
        market = Fraction(change.get("in_market_price", "0.10"))
        cash = cash_in_lieu(held, series.original_issue_price, taken, market)
        results = {
            "out_conversion_price_unrounded": expected.price_unrounded,
            "out_conversion_price": expected.price,
            "out_conversion_ratio_unrounded": expected.ratio_unrounded,
            "out_conversion_ratio": expected.ratio,
            "out_conversion_shares": Fraction(round_whole(shares, series.share_rounding_type)),
            "out_cash_in_lieu": round_to(cash, 2, RoundingType.HALF_UP),
        }
        with opened(calc, model) as document:
            for name, value in change.items():
                at = {"shares": ("Securities", "D5"), "each": ("Securities", "E5")}.get(name)
                text = value.isalpha() or "_" in value
                document.set(*(at or named(formulas, name)), value if text else float(value))
            for name, figure in results.items():
                sheet, coordinate = named(formulas, name)
                for column in "DE":  # by worksheet function, and by native formula
                    value = document.value(sheet, f"{column}{coordinate[1:]}")
                    assert isinstance(value, float), (name, column, value)
                    assert math.isclose(value, figure, rel_tol=1e-12, abs_tol=1e-15), (name, column)
            assert document.value(*named(formulas, "chk_all")) == "OK"

    def test_tie_out_follows(self, calc: Office, model: Path, formulas: Workbook, cached: Workbook) -> None:
        """Each result is the core's finding, also after an input has changed."""
        change = {"in_ratio_basis": "rounded", "in_outstanding_after": "115709611"}
        for adjustment, inputs in ((by_the_core({}), {}), (by_the_core(change), change)):
            found = tie_out(adjustment, shipped().stated)
            with opened(calc, model) as document:
                for name, value in inputs.items():
                    document.set(*named(formulas, name), value if value.isalpha() else float(value))
                sheet = formulas["Tie-out"]
                rows = [row for row in range(5, 40) if str(sheet[f"A{row}"].value).isdigit()]
                live = {}
                for row in rows:
                    result = document.value("Tie-out", f"K{row}")
                    if result in ("ties", "exception"):
                        live[sheet[f"B{row}"].value, sheet[f"C{row}"].value] = result
                words = {(f.check.value, f.item.value, f.subject): f.result.value for f in found}
                assert len(live) == 16
                by_check = sorted((check, result) for (check, _), result in live.items())
                if not inputs:
                    assert by_check == sorted((check, result) for (check, *_), result in words.items())
                exceptions = sum(f.is_exception for f in found if f.check.value in "RHPD")
                tested = [result for (check, _), result in live.items() if check in "RHPD"]
                assert tested.count("exception") == exceptions


# Other cases.

SERIES = "series,company,original_issue_price,conversion_price,clause,price_decimals,ratio_basis,source\n"
EVENTS = "series,event,date,kind,outstanding_before,other_before,source\n"
SECURITIES = "series,event,security,kind,shares,consideration,consideration_per_share,source\n"
CONVERSIONS = "series,event,security,holder,principal,preferred_price,common_per_preferred,source\n"
STATED = "series,event,item,subject,stated,source\n"


def case_of(folder: Path, **tables: str) -> Case:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_cases(folder)[0]


@pytest.fixture
def bare(tmp_path: Path) -> Case:
    """The least that an input can be: nothing stated, nothing converted, no rounding."""
    return case_of(
        tmp_path,
        series=SERIES + "=A,<Acme & Co>,10,5,4.4.4,,unrounded,Charter\n",
        events=EVENTS
        + "=A,e1,2020-01-31,issuance,1000000,0,Minutes\n=A,e2,2021-06-30,issuance,1500000,0,Minutes\n",
        securities=SECURITIES + "=A,e1,Round,shares,500000,1000000,,Minutes\n"
        "=A,e2,'Next',shares,100000,,1.25,Minutes\n",
    )


@pytest.fixture
def holders(tmp_path: Path) -> Case:
    """Two holders of one note, and one figure stated of it."""
    return case_of(
        tmp_path,
        series=SERIES + "B,Beta,8,8,7(d),3,rounded,Charter\n",
        events=EVENTS + "B,e,2020-01-31,issuance,1000000,2000,Minutes\n",
        securities=SECURITIES + "B,e,Notes,convertible_note,200333,,0.5,Agreement\n"
        "B,e,Options,option,5000,,2,Plan\n",
        conversions=CONVERSIONS + "B,e,Notes,One,60100,30,60,Agreement\nB,e,Notes,Two,40067,30,60,Agreement\n",
        stated=STATED + 'B,e,common_shares,Notes,"200,333",Notice\nB,e,common_shares,Options,"5,001",Notice\n'
        'B,e,conversion_price,,USD 6.824,Notice\nB,e,preferred_shares,Notes,"3,339",Notice\n',
    )


class TestOtherCases:
    @pytest.mark.parametrize("event", ["", "e1", "e2"])
    def test_a_bare_case(self, calc: Office, tmp_path: Path, bare: Case, event: str) -> None:
        path = tmp_path / "bare.xlsx"
        save_price_model(path, bare, event)
        workbook = load_workbook(path)
        assert workbook.sheetnames == [
            "About", "Inputs", "Securities", "Calculation", "What if", "Rounding", "Checks",
        ]  # fmt: skip
        with opened(calc, path) as document:
            assert_as_cached(document, path)
            assert document.value(*named(workbook, "chk_all")) == "OK"
            price = document.value(*named(workbook, "out_conversion_price"))
        assert price == (4 if event == "e1" else pytest.approx(3.828125, rel=1e-15))

    def test_holders(self, calc: Office, tmp_path: Path, holders: Case) -> None:
        path = tmp_path / "holders.xlsx"
        save_price_model(path, holders)
        workbook = load_workbook(path)
        found = tie_out(adjust(holders.series, holders.issuances[0]), holders.stated)
        with opened(calc, path) as document:
            assert_as_cached(document, path)
            assert document.value(*named(workbook, "chk_all")) == "OK"
            results = [document.value(*named(workbook, f"out_tie_out_{n}")) for n in range(1, len(found) + 1)]
        assert results == [finding.result.value for finding in found]
        assert set(results) == {"ties", "exception"}

    def test_an_unknown_event(self, bare: Case) -> None:
        with pytest.raises(LookupError, match="=A has no event e3"):
            price_model(bare, "e3")

    def test_a_price_that_rounds_to_nothing_is_refused(self, bare: Case) -> None:
        series = replace(bare.series, price=replace(bare.series.price, decimals=0))
        with pytest.raises(ValueError, match="rounds to zero"):
            price_model(replace(bare, series=replace(series, conversion_price=Fraction("0.4"))))


class TestFormulas:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("A+B*C", 14.0),
            ("(A+B)*C/A", 10.0),
            ("C^A-B", 13.0),
            ("A-B", -1.0),
            ("MAX(A, B)-MIN(A, B)", 1.0),
            ('IF(A<>B, IF(A>=B, "x", "y"), "z")', "y"),
            ('IFERROR(A/(A-A), "none")', "none"),
            ("SUM(R)+COUNT(R)+ROWS(R)", 11.0),
            ('COUNTIF(R, "TEXT")', 1.0),
            ("INDEX(R, MATCH(B, R, A-A))", 3.0),
            ("SUMPRODUCT(R, R)", 13.0),
            ('T&" and "&A', "text and 2"),
            ('IF(T="TEXT", ISNUMBER(A), ISNUMBER(T))', True),
            ("CP_SPLIT(A, B, C)", 8 / 3),
            ("ROUND(B/A, Z)+ROUNDDOWN(B/A, Z)+ROUNDUP(B/A, Z)", 5.0),
            ("AVERAGE(A, B)", 2.5),
            ("ABS(A-B)", 1.0),
        ],
    )
    def test_values(self, expression: str, value: float | str) -> None:
        cells: dict[str, Any] = {
            "A": 2.0, "B": 3.0, "C": 4.0, "Z": 0.0, "T": "text", "N": None, "R": (2.0, 3.0, None, "text"),
        }  # fmt: skip
        assert computed(expression, cells.__getitem__) == value

    @pytest.mark.parametrize("expression", ["A+1", "A/N", "R", 'A+"x"', "MATCH(T, R, A)", "CP_SPLIT(A, N, A)"])
    def test_refused(self, expression: str) -> None:
        cells: dict[str, Any] = {"A": 2.0, "N": None, "T": "none", "R": (1.0, "x")}
        with pytest.raises(ValueError, match=r"."):
            computed(expression, cells.__getitem__)
