"""The finished workbook: the figures of the core, found again by native formulas in another program."""

from __future__ import annotations

import functools
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from support.office import Document, Office
from support.ooxml import Finding as Flaw
from support.papers import Paper, write_papers

from xl_conversion.books.wording import figure_text
from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.rounding import RoundingType, round_to
from xl_conversion.core.terms import Basis
from xl_conversion.core.tie_out import Finding, tie_out
from xl_conversion.examples import write_example
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.reading import Case, read_cases

Tables = dict[str, list[dict[str, str]]]
NATIVE = {
    "ABS",
    "COUNTIF",
    "IF",
    "INT",
    "ISERROR",
    "MAX",
    "MIN",
    "MOD",
    "ROUND",
    "ROUNDDOWN",
    "ROUNDUP",
    "ROWS",
    "SUM",
}
COMMAND = (sys.executable, "-c", "from xl_conversion.cli import main; main()", "export")
RELATIVE = 1e-12
RESULTS = ("conversion_price", "conversion_price_unrounded", "conversion_ratio", "conversion_ratio_unrounded")


def cases_of(folder: Path, tables: Tables) -> list[Case]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input.json").write_text(json.dumps(tables), encoding="utf-8")
    return read_cases(folder / "input.json")


def exported(folder: Path, tables: Tables) -> Paper:
    (case,) = cases_of(folder, tables)
    (done,) = write_papers([case], folder / "out")
    return done


@functools.cache
def loaded(path: Path, *, data_only: bool = False) -> Workbook:
    return load_workbook(path, data_only=data_only)


def formulas(path: Path) -> dict[tuple[str, str], str]:
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in loaded(path).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def cached(path: Path) -> dict[tuple[str, str], Any]:
    book = loaded(path, data_only=True)
    return {(sheet, cell): book[sheet][cell].value for sheet, cell in formulas(path)}


def named(book: Workbook, name: str) -> tuple[str, str]:
    """The sheet and cell that a name stands for."""
    ((sheet, cell),) = book.defined_names[name].destinations
    return sheet, cell.replace("$", "")


def labelled(path: Path, sheet: str, text: str, column: str, *, label: str = "A") -> str:
    """The cell of `column` in the only row with that label."""
    (cell,) = (c for c in loaded(path)[sheet][label] if c.value == text)
    return f"{column}{cell.row}"


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return math.isclose(float(one), float(other), rel_tol=RELATIVE, abs_tol=1e-9)


def assert_recalculates(document: Document, path: Path) -> None:
    """Every formula gives the value that the file holds, and all checks are OK."""
    found = document.values()
    different = {
        key: (value, found.get(key))
        for key, value in cached(path).items()
        if not same(found.get(key, ""), value or 0)
    }
    assert different == {}, path
    check = named(loaded(path), "chk_all")
    assert found[check] == "OK", {key: found[key] for key in found if key[0] == "Checks" and key[1][0] in "AF"}


def assert_results(document: Document, path: Path, adjustment: Adjustment) -> None:
    """The named results are the core's."""
    figures = (adjustment.price, adjustment.price_unrounded, adjustment.ratio, adjustment.ratio_unrounded)
    book = loaded(path)
    for name, figure in zip(RESULTS, figures, strict=True):
        value = document.value(*named(book, f"out_{name}"))
        assert isinstance(value, float)
        assert same(value, float(figure)), (name, value, figure)


@pytest.fixture(scope="module")
def notice(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    folder = tmp_path_factory.mktemp("notice")
    (source,) = write_example(folder, "json")
    (done,) = write_papers(read_cases(source), folder / "out")
    return done


class TestTheNotice:
    def test_shows_its_results_to_who_never_calculates(self, notice: Paper) -> None:
        book, values = loaded(notice.path), cached(notice.path)
        shown = [values[named(book, f"out_{name}")] for name in RESULTS]
        assert shown == [
            2.0,
            float(Fraction(3_901_581_383, 1_949_522_350)),
            3.2,
            float(Fraction(24_992_876_527, 7_803_162_766)),
        ]
        assert str(shown[1]).startswith("2.00130118")
        assert str(shown[3]).startswith("3.20291621")
        for name in ("out_conversion_price", "out_conversion_ratio"):
            sheet, cell = named(book, name)
            assert book[sheet][cell].number_format == "0.00"
        summary = {
            row[0].value: [cell.value for cell in row] for row in loaded(notice.path, data_only=True)["Summary"]
        }
        assert summary["Conversion price before"][1:4] == [6.41, 6.41, "6.41"]
        assert summary["Conversion price after"][1:4] == [2.0, shown[1], "3,901,581,383 / 1,949,522,350"]
        assert summary["Common per preferred after"][1:4] == [3.2, shown[3], "24,992,876,527 / 7,803,162,766"]
        assert summary["Exceptions"][1] == 6
        assert summary["Summary"][-1] == "Formulas agree: OK"

    def test_has_a_value_in_every_formula_cell_and_nothing_but_native_formulas(self, notice: Paper) -> None:
        assert all(value is not None for value in cached(notice.path).values())
        used = {name for text in formulas(notice.path).values() for name in re.findall(r"([A-Z_.]+)\(", text)}
        assert used <= NATIVE
        with zipfile.ZipFile(notice.path) as archive:
            assert not [name for name in archive.namelist() if "external" in name.lower() or "vba" in name.lower()]
            assert not any(b"CP_" in archive.read(name) for name in archive.namelist() if "sheet" in name)

    def test_has_no_hidden_sheet_and_names_only_for_its_interface(self, notice: Paper) -> None:
        book = loaded(notice.path)
        assert [sheet.sheet_state for sheet in book.worksheets] == ["visible"] * len(book.sheetnames)
        assert all(re.match("(in|out|chk)_", name) for name in book.defined_names)
        assert book.sheetnames[0] == "Summary"
        assert book.sheetnames[-1] == "Checks"

    def test_names_its_sheets_on_the_first_one(self, notice: Paper) -> None:
        book = loaded(notice.path)
        links = [cell.hyperlink.location or cell.hyperlink.ref for cell in book["Summary"]["A"] if cell.hyperlink]
        named_there = [cell.value for cell in book["Summary"]["A"] if cell.hyperlink]
        assert named_there == book.sheetnames[1:]
        assert len(links) == len(book.sheetnames) - 1

    def test_has_every_exception_with_its_explanation(self, notice: Paper) -> None:
        rows = list(loaded(notice.path, data_only=True)["Tie-out"].iter_rows(values_only=True))
        found = {(str(row[1]).partition("\n")[0], row[2]): row for row in rows if row[9] == "exception"}
        assert len(found) == 6 - 1  # two of the ratio, which is stated once
        assert found["numerator", "36,520,262"][3:9] == (
            36_520_262,
            0,
            float(Fraction(23_409_488_298, 641)),
            36_520_263,
            float(36_520_262 - Fraction(23_409_488_298, 641)),
            0.5,
        )
        explanations = loaded(notice.path)["Explanations"].iter_rows(values_only=True)
        outcomes = [row[4] for row in explanations if row[0] and "numerator" in str(row[0])]
        assert sorted(outcomes) == ["no", "no", "no", "reconciles"]

    def test_is_the_same_bytes_everywhere(self, notice: Paper, tmp_path: Path) -> None:
        (source,) = write_example(tmp_path, "json")
        for number, environment in enumerate(
            (
                {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
                {"TZ": "UTC", "PYTHONHASHSEED": "77", "LC_ALL": "C"},
            )
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            subprocess.run(
                [*COMMAND, str(source), "--out", "out", "--template", "working-paper"],
                cwd=folder,
                env={**os.environ, **environment},
                check=True,
                capture_output=True,
            )
            (exported,) = (folder / "out" / "series").iterdir()
            assert exported.read_bytes() == notice.path.read_bytes()

    def test_is_what_the_schema_says(self, notice: Paper, validator: Callable[[Path], list[Flaw]]) -> None:
        assert validator(notice.path) == []


def tie_rows(document: Document, path: Path) -> list[tuple[float | str, ...]]:
    """What the tie-out sheet says now: recomputed, at the digits written, result."""
    sheet = loaded(path, data_only=True)["Tie-out"]
    rows = [cell.row for cell in sheet["J"] if cell.value in ("ties", "exception")]
    return [tuple(document.value("Tie-out", f"{column}{row}") for column in "FGJ") for row in rows]  # type: ignore[misc]


class TestAnotherProgram:
    def test_recalculates_every_figure(self, office: Office, notice: Paper) -> None:
        with office.session() as session:
            document = session.open(notice.path)
            assert_recalculates(document, notice.path)
            assert_results(document, notice.path, notice.adjustments[-1])

    @pytest.mark.parametrize("what", ["X", "security", "original issue price", "price", "decimals"])
    def test_follows_a_change_of_the_inputs(self, office: Office, notice: Paper, what: str) -> None:
        path, case = notice.path, notice.case
        series, (issuance,) = case.series, case.issuances
        book = loaded(path)
        match what:
            case "X":
                cell = ("Inputs", labelled(path, "Inputs", "X: common outstanding after", "B"))
                value, issuance = 90_000_000, replace(issuance, outstanding_after=Fraction(90_000_000))
            case "security":
                cell = ("Securities", labelled(path, "Securities", "Series B Warrants", "D", label="B"))
                value = 30_000_000
                changed = [
                    replace(s, shares=Fraction(value), consideration=Fraction(value) / 10)
                    if s.name == "Series B Warrants"
                    else s
                    for s in issuance.securities
                ]
                issuance = replace(issuance, securities=tuple(changed))
            case "original issue price":
                cell = named(book, "in_original_issue_price")
                value, series = 7.5, replace(series, original_issue_price=Fraction("7.5"))
            case "price":
                cell = named(book, "in_conversion_price")
                value, series = 5.25, replace(series, conversion_price=Fraction("5.25"))
            case _:
                cell = named(book, "in_price_decimals")
                value, series = 4, replace(series, price=replace(series.price, decimals=4))
        (adjustment,) = replay(series, [issuance])
        with office.session() as session:
            document = session.open(path)
            document.set(*cell, value)
            assert_results(document, path, adjustment)
            expected = {(f.item, f.check): f for f in tie_out(adjustment, case.stated)}
            rows = tie_rows(document, path)
            compared = 0
            for before, (recomputed, _, result) in zip(notice.findings, rows, strict=True):
                now = expected.get((before.item, before.check))
                if now is not None and now.recomputed is not None:
                    assert isinstance(recomputed, float)
                    assert same(recomputed, float(now.recomputed)), now
                    assert result == now.result.value, now
                    compared += 1
            assert compared >= 12
            # The exact figures stay what they were, so the checks say that something has changed.
            assert document.value(*named(book, "chk_all")) == "CHECK"
            assert document.value("Summary", "E1") == "Formulas agree: CHECK"

    def test_follows_a_change_of_what_is_stated(self, office: Office, notice: Paper) -> None:
        sheet = loaded(notice.path)["Tie-out"]
        row = {str(cell.value).partition("\n")[0]: cell.row for cell in reversed(list(sheet["B"]))}
        with office.session() as session:
            document = session.open(notice.path)
            document.set("Tie-out", f"D{row['numerator']}", 36_520_263)
            assert document.value("Tie-out", f"J{row['numerator']}") == "ties"
            assert document.value(*named(loaded(notice.path), "chk_all")) == "CHECK"
            document.set("Tie-out", f"D{row['X']}", 115_709_611)
            assert document.value("Tie-out", f"D{row['X issued, X - A']}") == sum(
                int(s.shares) for s in notice.case.issuances[0].securities
            )
            assert document.value("Tie-out", f"J{row['X issued, X - A']}") == "ties"
            document.set("Tie-out", f"D{row['conversion price']}", 2.003)
            assert document.value("Tie-out", f"J{row['conversion price']}") == "exception"


ODD_NAMES = (
    'O\'Neil & "Sons" <Series>',
    "=1+1",
    "\N{GRINNING FACE} Preferred",
    "شركة ممتازة",
    "x" * 255,
    "-5",
    "@SUM(A1)",
    "#N/A",
    "Line\nbreak",
    "优先股",
    "+1",
    "TRUE",
)
SYMBOLS = ("A", "K", "X", "listed", "CP1", "N", "CR", "C", "Y", "D", "B", "OIP")


def random_tables(seed: int) -> Tables:
    """A series with everything that an input may have, drawn by lot."""
    lot = random.Random(seed)  # noqa: S311
    kinds = list(RoundingType)
    series = ODD_NAMES[seed % len(ODD_NAMES)]
    issue_price = lot.choice(["6.41", "1", "10000", "0.3333", "1/3"])
    price = str(round(lot.uniform(3, 12), lot.choice([0, 2, 4])))
    tables: Tables = {
        "series": [
            {
                "series": series,
                "company": lot.choice(["Company", "=A1", "Ünïcode GmbH"]),
                "original_issue_price": issue_price,
                "conversion_price": price,
                "clause": lot.choice(["", "4.4.4"]),
                "price_decimals": lot.choice(["", "0", "2", "4", "6"]) if float(price) > 6 else "6",
                "price_rounding_type": kinds[seed % 4].value,
                "carried_price": list(Basis)[seed // 2 % 2].value,
                "ratio_decimals": lot.choice(["", "4", "8"]),
                "ratio_rounding_type": kinds[(seed + 1) % 4].value,
                "ratio_basis": list(Basis)[seed % 2].value,
                "source": lot.choice(["", "-see page 3", "x" * 500]),
                "note": lot.choice(["", "=note"]),
            }
        ],
        "events": [],
        "securities": [],
        "conversions": [],
        "stated": [],
    }
    for number in range(lot.randint(1, 3)):
        event = {"series": series, "event": lot.choice(["E", "=E", "2002-02-05 "]) + str(number)}
        before = lot.randint(10**6, 10**8)
        count = 12 if seed == 5 else lot.randint(1, 4)
        pool = SYMBOLS if lot.random() < 0.5 else [f"{n} {ODD_NAMES[n][:200]}" for n in range(12)]
        names = [f"{name} {number}" if number else name for name in pool[:count]]
        total = 0
        for name in names:
            shares = lot.randint(10**4, 10**7)
            total += shares
            paid = str(round(shares * lot.uniform(0, 2), 2)) if lot.random() < 0.5 else ""
            tables["securities"].append(
                {
                    **event,
                    "security": name,
                    "kind": lot.choice(["shares", "option", "warrant", "convertible_note", "preferred"]),
                    "shares": str(shares) + lot.choice(["", ".25"]),
                    "consideration_per_share": "" if paid else lot.choice(["0", "0.1", "1.375"]),
                    "consideration": paid,
                    "note": lot.choice(["", "+note"]),
                }
            )
        for place, name in enumerate(names[:2]):
            for holder in range(lot.randint(0, 3)):
                conversion = {
                    **event,
                    "security": name,
                    "holder": f"{holder}",
                    "principal": str(lot.randint(10**4, 10**7)),
                    "preferred_price": lot.choice(["60", "7.3"]),
                    "common_per_preferred": lot.choice(["600", "1.5"]),
                    "note": f"{number} {place} {holder}",
                }
                tables["conversions"].insert(lot.randint(0, len(tables["conversions"])), conversion)
        others = lot.randint(0, 10**6)
        tables["events"].append(
            {
                **event,
                "date": f"20{10 + number}-0{lot.randint(1, 9)}-15",
                "kind": "issuance",
                "description": lot.choice(["", "A round", "=round"]),
                "outstanding_before": str(before),
                "other_before": str(others),
                "outstanding_after": lot.choice(["", str(before + total), str(before + total - total // 5)]),
                "other_after": lot.choice(["", str(others), str(others + 1000)]),
            }
        )
        stated = {
            "A": f"{before:,}",
            "B": str(lot.randint(1, 10**6)),
            "X": f"{before + total:,}",
            "numerator": "1,000,000.5",
            "denominator": f"{before}",
            "conversion_price": lot.choice(["$3.25", "3", "4.1234"]),
            "conversion_ratio": lot.choice(["1.5", "2.00", "0"]),
        }
        for item in lot.sample(sorted(stated), lot.randint(0, len(stated))):
            other = lot.choice(["", stated[item], "1", "page 3"])
            tables["stated"].append(
                {**event, "item": item, "subject": "", "stated": stated[item], "reference": other}
            )
        for name in names:
            tables["stated"].append(
                {**event, "item": "common_shares", "subject": name, "stated": "77,777", "reference": ""}
            )
    return {name: rows for name, rows in tables.items() if rows}


class TestAnyInput:
    def test_is_recalculated_to_the_cores_figures(self, office: Office, tmp_path: Path) -> None:
        made = [exported(tmp_path / str(seed), random_tables(seed)) for seed in range(12)]
        with office.session() as session:
            for done in made:
                document = session.open(done.path)
                assert_recalculates(document, done.path)
                assert_results(document, done.path, done.adjustments[-1])
                document.close()

    def test_drawn_by_lot_covers_what_there_is(self, tmp_path: Path) -> None:
        """What the test above is worth."""
        cases = [case for seed in range(12) for case in cases_of(tmp_path / str(seed), random_tables(seed))]
        series = [case.series for case in cases]
        assert {s.price.rounding_type for s in series} == set(RoundingType)
        assert {s.ratio.rounding_type for s in series} == set(RoundingType)
        assert {(s.carried_price, s.ratio_basis) for s in series} == {(a, b) for a in Basis for b in Basis}
        assert None in {s.price.decimals for s in series}
        assert None in {s.ratio.decimals for s in series}
        issuances = [issuance for case in cases for issuance in case.issuances]
        assert max(len(issuance.securities) for issuance in issuances) == 12
        assert any(len(case.issuances) == 3 for case in cases)
        events = [record for case in cases for record in case.records["events"]]
        assert {getattr(r, "other_after", 0) is None for r in events} == {True, False}
        assert {getattr(r, "outstanding_after", 0) is None for r in events} == {True, False}
        securities = [record for case in cases for record in case.records["securities"]]
        assert {getattr(r, "consideration", 0) is None for r in securities} == {True, False}

    def test_is_what_the_schema_says(self, tmp_path: Path, validator: Callable[[Path], list[Flaw]]) -> None:
        for seed in (1, 5):
            assert validator(exported(tmp_path / str(seed), random_tables(seed)).path) == []

    @pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
    def test_is_printed_without_a_figure_wider_than_its_column(
        self, office: Office, notice: Paper, tmp_path: Path
    ) -> None:
        for number, path in enumerate((notice.path, exported(tmp_path / "in", random_tables(8)).path)):
            pdf = office.pdf(path, tmp_path / str(number))
            text = subprocess.run(
                ["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True
            ).stdout.decode()
            assert "Formulas agree: OK" in text
            assert "###" not in text


def simple(**series: str) -> Tables:
    """One issuance, whose price after is half of the price before."""
    event = {"series": "S", "event": "E"}
    return {
        "series": [
            {"series": "S", "company": "Co", "original_issue_price": "10", "conversion_price": "10", **series}
        ],
        "events": [
            {**event, "date": "2020-01-02", "kind": "issuance", "outstanding_before": "100", "other_before": "0"}
        ],
        "securities": [{**event, "security": "New", "kind": "shares", "shares": "100", "consideration": "0"}],
    }


def two_events(**series: str) -> Tables:
    """Two issuances, the first of which gives a price with more digits than the charter keeps."""
    terms = {
        "original_issue_price": "6.41",
        "conversion_price": "6.41",
        "price_decimals": "2",
        "ratio_decimals": "2",
    }
    tables = simple(**terms, **series)
    tables["events"][0] |= {"outstanding_before": "1000", "outstanding_after": "3001"}
    tables["events"].append(
        {**tables["events"][0], "event": "F", "date": "2021-01-02", "description": "Second"}
        | {"outstanding_before": "3001", "outstanding_after": "3500"}
    )
    tables["securities"].append({**tables["securities"][0], "event": "F"})
    return tables


def falling(prices: Iterable[Fraction], **series: str) -> Tables:
    """Issuances, after which the unrounded price is each of `prices` in turn."""
    tables = simple(conversion_price="10", price_decimals="2", **series)
    event, security = tables["events"].pop(), tables["securities"].pop()
    before = Fraction(10)
    for day, price in enumerate(prices, start=1):
        # With nothing paid it is CP1 x A / X.
        counts = {"outstanding_before": price * 10**6, "outstanding_after": before * 10**6}
        named_event = {**event, "event": f"E{day}", "date": f"2020-01-{day:02}"}
        tables["events"].append({**named_event, **{name: str(value) for name, value in counts.items()}})
        tables["securities"].append({**security, "event": f"E{day}"})
        before = round_to(price, 2, RoundingType(series["price_rounding_type"]))
    return tables


class TestRounding:
    # In doubles most of these are not what they say, and times 100 they are no whole number of halves.
    TIES = ("9.005", "8.125", "4.015", "2.675", "1.005", "0.565", "0.145", "0.035")
    FEW_DIGITS = ("9.07", "8.29", "4.35", "2.3", "1.1", "0.57", "0.29", "0.07")

    @pytest.mark.parametrize("rounding_type", list(RoundingType))
    def test_of_few_digits_keeps_them(self, office: Office, tmp_path: Path, rounding_type: RoundingType) -> None:
        self.check(office, tmp_path, rounding_type, self.FEW_DIGITS)

    @pytest.mark.parametrize(
        "rounding_type",
        [
            RoundingType.HALF_UP,
            RoundingType.HALF_EVEN,
            RoundingType.FLOOR,
            RoundingType.CEILING,
        ],
    )
    def test_of_a_tie_is_the_charters(self, office: Office, tmp_path: Path, rounding_type: RoundingType) -> None:
        self.check(office, tmp_path, rounding_type, self.TIES)

    def check(self, office: Office, tmp_path: Path, rounding_type: RoundingType, prices: Sequence[str]) -> None:
        exact = [Fraction(price) for price in prices]
        done = exported(tmp_path, falling(exact, price_rounding_type=rounding_type.value))
        assert [adjustment.price_unrounded for adjustment in done.adjustments] == exact
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)

    def test_a_price_that_did_not_move_is_not_rounded(self, office: Office, tmp_path: Path) -> None:
        tables = simple(conversion_price="6.415", price_decimals="2", ratio_decimals="2")
        tables["securities"][0]["consideration"] = "10000"
        done = exported(tmp_path, tables)
        assert done.adjustments[0].price == Fraction("6.415")
        summary = loaded(done.path)["Summary"]
        cell = labelled(done.path, "Summary", "Conversion price after", "B")
        assert summary[cell].number_format == "0.000"
        with office.session() as session:
            document = session.open(done.path)
            assert_recalculates(document, done.path)
            assert document.cell("Summary", cell).text == "6.415"

    def test_a_price_that_did_not_move_does_with_other_inputs(self, office: Office, tmp_path: Path) -> None:
        tables = simple(conversion_price="6.415", price_decimals="2", ratio_decimals="2")
        tables["securities"][0]["consideration"] = "10000"
        done = exported(tmp_path / "before", tables)
        tables["securities"][0]["consideration"] = "0"
        with office.session() as session:
            document = session.open(done.path)
            document.set("Securities", labelled(done.path, "Securities", "New", "F", label="B"), 0)
            assert_results(document, done.path, exported(tmp_path / "after", tables).adjustments[0])


class TestSummary:
    def test_a_later_event_starts_from_what_the_earlier_one_gave(self, office: Office, tmp_path: Path) -> None:
        tables = simple(
            original_issue_price="6.41", price_decimals="1", ratio_decimals="2", ratio_rounding_type="floor"
        )
        for name in ("events", "securities"):
            tables[name].append({**tables[name][0], "event": "F", "date": "2021-01-02"})
            tables[name][-1].pop("date") if name == "securities" else None
        done = exported(tmp_path, tables)
        rows = list(loaded(done.path, data_only=True)["Summary"].iter_rows(values_only=True))
        before = [row[1:4] for row in rows if "before" in str(row[0])]
        after = [row[1:4] for row in rows if str(row[0]).endswith("after")]
        assert [row[0] for row in before[2:]] == [row[0] for row in after[:2]]
        assert before[1][0] == 0.64  # 0.641, which this charter rounds down
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)

    @pytest.mark.parametrize("carried", list(Basis))
    def test_a_later_event_shows_the_price_that_it_was_computed_from(
        self, office: Office, tmp_path: Path, carried: Basis
    ) -> None:
        done = exported(tmp_path, two_events(carried_price=carried.value))
        first, second = done.adjustments
        rows = list(loaded(done.path, data_only=True)["Summary"].iter_rows(values_only=True))
        prices = [row for row in rows if str(row[0]).startswith("Conversion price before")]
        ratios = [row for row in rows if str(row[0]).startswith("Common per preferred before")]
        started = first.price if carried is Basis.ROUNDED else first.price_unrounded
        assert second.price_before == started
        assert prices[1][1:4] == (float(started), float(started), figure_text(started))
        ratio = done.case.series.original_issue_price / started
        rounded = done.case.series.ratio.price(ratio)
        assert ratios[1][1:4] == (float(rounded), pytest.approx(float(ratio), rel=1e-15), figure_text(ratio))
        assert ratios[0][0] == "Common per preferred before"
        # The ratio in force was another one only where it was not taken from the price carried.
        assert ("at that price" in str(ratios[1][0])) == (rounded != first.ratio)
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)


class TestWords:
    def test_a_clean_check_is_no_clean_opinion(self, office: Office, notice: Paper) -> None:
        book = loaded(notice.path)
        with office.session() as session:
            document = session.open(notice.path)
            for sheet in book.worksheets:
                corner = sheet.dimensions.partition(":")[2].rstrip("0123456789")
                assert document.value(sheet.title, f"{corner}1") == "Formulas agree: OK"
                assert document.value(sheet.title, f"{corner}2") == "Tie-out: 6 exceptions"
            row = {str(c.value).partition("\n")[0]: c.row for c in reversed(list(book["Tie-out"]["B"]))}
            document.set("Tie-out", f"D{row['numerator']}", 36_520_263)
            assert document.value("Summary", "E2") == "Tie-out: 5 exceptions"
        label = "Tie-out: number of exceptions, as found by the exact computation"
        assert book["Checks"][labelled(notice.path, "Checks", label, "B")].value == 6
        texts = [str(cell.value) for sheet in book.worksheets for cells in sheet for cell in cells]
        assert not any("All checks: OK" in text for text in texts)

    def test_one_exception_is_not_several_and_none_stated_is_none(self, tmp_path: Path) -> None:
        tables = two_events()
        tables["stated"] = [{"series": "S", "event": "E", "item": "conversion_price", "stated": "7"}]
        done = exported(tmp_path / "one", tables)
        assert loaded(done.path, data_only=True)["Summary"]["E2"].value == "Tie-out: 1 exception"
        done = exported(tmp_path / "none", simple())
        assert loaded(done.path, data_only=True)["Summary"]["E2"].value is None

    def test_formulas_are_told_in_words(self, notice: Paper) -> None:
        rows = {row[0]: row for row in loaded(notice.path)["Calculation"].iter_rows(values_only=True)}
        assert rows["CP2 rounded"][2] == (
            "CP2 rounded to 2 decimals (half up), not above CP1\n2.0013011817... → 2.00"
        )
        assert rows["CP2"][2] == (
            "CP1 × N / D, not above CP1, if P is below CP1, else CP1\n"
            "= 6.41 × 36,520,262.5553822152... / 116,971,341, not above 6.41, since 0.1 is below 6.41"
        )
        assert rows["X"][4] == "115,559,617"
        texts = [str(value) for row in rows.values() for value in row if value and str(value)[0] != "="]
        assert not any(re.search(r"when\(|min\(|half_up|_rounded", text) for text in texts)

    def test_a_price_that_stays_says_so(self, tmp_path: Path) -> None:
        tables = simple(conversion_price="6.415", price_decimals="2", ratio_decimals="2")
        tables["securities"][0]["consideration"] = "10000"
        done = exported(tmp_path, tables)
        rows = {row[0]: row for row in loaded(done.path)["Calculation"].iter_rows(values_only=True)}
        assert rows["CP2 rounded"][2] == "CP1, since CP2 is not below it: what stays is not rounded\n= 6.415"

    def test_a_price_paid_at_the_price_before_moves_nothing_whatever_the_counts_say(
        self, office: Office, tmp_path: Path
    ) -> None:
        tables = two_events()
        tables["securities"][0] |= {"consideration": "641"}  # 100 shares at 6.41; the counts say 2001
        done = exported(tmp_path, tables)
        assert done.adjustments[0].price == Fraction("6.41")
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)

    @pytest.mark.parametrize("given", [True, False])
    def test_a_term_that_was_not_given_is_the_default(self, tmp_path: Path, given: bool) -> None:
        terms = {"price_decimals": "2", "ratio_decimals": "2", "source": "Charter"}
        if given:
            terms |= {"price_rounding_type": "half_up", "ratio_basis": "unrounded", "share_rounding_type": "floor"}
        rows = {row[0]: row for row in loaded(exported(tmp_path, simple(**terms)).path)["Inputs"].values}
        for label in ("Price rounding type", "Price that the ratio is taken from", "Share rounding type"):
            assert (rows[label][3] == "default") != given
        assert rows["Price that the next adjustment starts from"][3] == "default"
        assert rows["Price decimals"][3] != "default"
        assert rows["Original issue price"][3] == "Charter"

    def test_another_document_is_no_recomputation(self, notice: Paper) -> None:
        rows = list(loaded(notice.path)["Summary"].iter_rows(values_only=True))
        (date_row,) = (row for row in rows if str(row[0]).startswith("date"))
        assert date_row[2] == "other document:\n2002-01-28"
        (tied,) = (row for row in loaded(notice.path)["Tie-out"].values if str(row[1]).startswith("date"))
        assert (tied[5], tied[6]) == ("other document", "2002-01-28")

    def test_the_digest_is_explained(self, notice: Paper) -> None:
        rows = {row[0]: row for row in loaded(notice.path)["Summary"].iter_rows(values_only=True)}
        assert str(rows["Input"][1]).startswith(f"SHA-256 of the input: {notice.case.digest}")


class TestLayout:
    def test_figures_and_headers_of_a_column_are_aligned(self, notice: Paper, tmp_path: Path) -> None:
        for path in (notice.path, exported(tmp_path, two_events()).path):
            for sheet in loaded(path).worksheets:
                assert_aligned(sheet)

    @pytest.mark.parametrize(("sheet", "columns"), [("Securities", "DEF"), ("Conversions", "DEFGHI")])
    def test_a_column_has_one_number_format_with_its_total(self, notice: Paper, sheet: str, columns: str) -> None:
        for column in columns:
            cells = [
                c for c in loaded(notice.path)[sheet][column] if c.row > 5 and c.data_type in "nf" and c.value
            ]
            assert len({cell.number_format for cell in cells}) == 1, column
            assert len({cell.font.sz for cell in cells}) == 1

    def test_each_event_has_its_own_printed_page(self, office: Office, tmp_path: Path) -> None:
        done = exported(tmp_path, two_events())
        sheet = loaded(done.path)["Calculation"]
        (row,) = (b.id for b in sheet.row_breaks.brk)
        assert sheet[f"A{row + 1}"].value == "Event F, Second: conversion price"
        headings = [str(cell.value) for cell in sheet["A"] if str(cell.value).startswith("Event")]
        assert [heading.partition(":")[0] for heading in headings] == ["Event E"] * 2 + ["Event F, Second"] * 2
        assert not sheet.sheet_properties.pageSetUpPr.fitToPage  # with which Excel leaves breaks out
        wide = sum(7 * d.width + 5 for d in sheet.column_dimensions.values())
        assert wide * sheet.page_setup.scale / 100 < 1026
        pdf = office.pdf(done.path, tmp_path / "pdf")
        pages = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True).stdout.decode()
        (second,) = (page for page in pages.split("\f") if "Event F, Second: conversion ratio" in page)
        assert "Event F, Second: conversion price" in second
        assert "Event E" not in second
        assert re.search(r"Symbol\s+Figure", second)


def assert_aligned(sheet: Worksheet) -> None:
    """Under each header figures stand as the header does, and so do the texts of the first row."""
    for header in (cell for cells in sheet.iter_rows(min_row=4) for cell in cells if is_header(cell)):
        for row in range(header.row + 1, sheet.max_row + 1):
            cell = sheet.cell(row, header.column)
            if is_header(cell) or not any(c.has_style and c.border.bottom.style for c in sheet[row]):
                break
            merged = any(cell.coordinate in area for area in sheet.merged_cells.ranges)
            figure = cell.data_type == "n" and cell.value is not None
            if not merged and (figure or (row == header.row + 1 and cell.value)):
                assert cell.alignment.horizontal == header.alignment.horizontal, (sheet.title, cell.coordinate)
                assert cell.alignment.indent == header.alignment.indent, (sheet.title, cell.coordinate)


def is_header(cell: Any) -> bool:
    return bool(cell.value and cell.fill.fgColor.rgb == "001F3A5F")


def tie_out_result(document: Document, path: Path, finding: Finding, findings: Iterable[Finding]) -> Any:
    rows = [c.row for c in loaded(path, data_only=True)["Tie-out"]["J"] if c.value in ("ties", "exception")]
    return document.value("Tie-out", f"J{rows[list(findings).index(finding)]}")


class TestTexts:
    def test_of_users_stay_text(self, tmp_path: Path) -> None:
        text = '=HYPERLINK("http://x","y")'
        tables = random_tables(1)
        tables["series"][0] |= {"company": text, "note": "+1", "source": "-1", "clause": "@x"}
        for row in tables["securities"]:
            row["source"] = "\t=1"
        done = exported(tmp_path, tables)
        book = loaded(done.path)
        starting = 0
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                        assert cell.data_type == "f" or cell.quotePrefix, (sheet.title, cell.coordinate)
                        starting += cell.data_type != "f"
                    if cell.data_type == "f":
                        assert "HYPERLINK" not in cell.value
        assert starting > 5

    def test_a_security_may_be_called_like_a_symbol(self, office: Office, tmp_path: Path) -> None:
        tables = simple()
        tables["securities"] = [
            {**tables["securities"][0], "security": name, "shares": str(1000 + n)}
            for n, name in enumerate(SYMBOLS)
        ]
        tables["stated"] = [
            {"series": "S", "event": "E", "item": "common_shares", "subject": name, "stated": str(1000 + n)}
            for n, name in enumerate(SYMBOLS)
        ]
        done = exported(tmp_path, tables)
        assert not any(finding.is_exception for finding in done.findings)
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)

    def test_references_are_compared_as_the_core_does(self, office: Office, tmp_path: Path) -> None:
        tables = simple(price_decimals="2", ratio_decimals="2")
        stated = {"series": "S", "event": "E", "subject": ""}
        tables["stated"] = [
            {**stated, "item": "conversion_price", "stated": "$5.00", "reference": "5"},
            {**stated, "item": "conversion_ratio", "stated": "2.00", "reference": "2.01"},
            {**stated, "item": "date", "stated": "5 May", "reference": "5 MAY"},
            {**stated, "item": "X", "stated": "200", "reference": "two hundred"},
        ]
        done = exported(tmp_path, tables)
        with office.session() as session:
            document = session.open(done.path)
            assert_recalculates(document, done.path)
            for finding in done.findings:
                result = tie_out_result(document, done.path, finding, done.findings)
                assert result == finding.result.value, finding

    def test_events_are_told_apart_in_the_tie_out(self, tmp_path: Path) -> None:
        done = exported(tmp_path, random_tables(8))
        assert len(done.adjustments) > 1
        named_figures = [str(cell.value) for cell in loaded(done.path)["Tie-out"]["B"] if "\n" in str(cell.value)]
        events = [adjustment.issuance.event for adjustment in done.adjustments]
        assert all(figure.startswith(tuple(f"Event {event}: " for event in events)) for figure in named_figures)

    def test_many_holders_are_one_sum(self, office: Office, tmp_path: Path) -> None:
        """Excel takes 255 arguments at most."""
        tables = simple()
        tables["securities"].insert(0, {**tables["securities"][0], "security": "Other", "shares": "10"})
        tables["conversions"] = [
            {
                "series": "S",
                "event": "E",
                "security": ("New", "Other")[holder % 2],
                "holder": f"holder {holder}",
                "principal": str(1000 + holder),
                "preferred_price": "7",
                "common_per_preferred": "3",
                "note": f"note of {holder}",
            }
            for holder in range(600)
        ]
        done = exported(tmp_path, tables)
        assert max(map(len, formulas(done.path).values())) < 500
        rows = loaded(done.path)["Conversions"].iter_rows(values_only=True)
        holders = [row for row in rows if str(row[2]).startswith("holder")]
        assert [row[1] for row in holders] == ["Other"] * 300 + ["New"] * 300
        assert all(row[10] == f"note of {str(row[2])[7:]}" for row in holders)
        with office.session() as session:
            assert_recalculates(session.open(done.path), done.path)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=40),
    number=st.sampled_from(["0.000000000001", "999999999999999999", "1/3", "123456789012345.678", "1e-17"]),
    place=st.sampled_from(
        ["shares", "consideration", "outstanding_before", "original_issue_price", "conversion_price"]
    ),
)
def test_what_is_read_is_exported(tmp_path: Path, text: str, number: str, place: str) -> None:
    tables = simple(company=text or "x", note=text)
    for rows in tables.values():
        for row in rows:
            if place in row:
                row[place] = number
    tables["events"][0]["description"] = text
    tables["securities"][0]["source"] = text
    try:
        cases = cases_of(tmp_path, tables)
    except InputError:
        cases = []
    for done in write_papers(cases, tmp_path / "out"):
        assert done.path.is_file()
