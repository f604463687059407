"""The workbook of a holder, rendered from real inputs: figures, totals, checks that turn, links, nasty names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import to_excel
from support.lint import lint
from support.office import Office
from support.ooxml import Finding
from support.pages import page_findings

from xl_conversion.books.statements.holder import (
    EXACT,
    LETTER,
    STATEMENT,
    Position,
    holder_plan,
    holder_values,
    positions_of,
)
from xl_conversion.books.statements.results import result_of
from xl_conversion.core.holders import Holding, convert
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Rounding, Series, SharesPer
from xl_conversion.examples import write_example
from xl_conversion.inputs.reading import cases_of, read_cases
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import read_tables

AS_OF = date(2022, 10, 1)
FIRST, LETTER_FIRST, EXACT_FIRST = STATEMENT.first, LETTER.first, EXACT.first
TOTAL, LETTER_TOTAL = FIRST - 1, LETTER_FIRST - 1
NASTY = ('=HYPERLINK("http://x","y")', "N" * 300, "bell\x07 & <b> _x0041_ ]]>", "{{holder}}", "+1", "张伟 “Öz”")


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> list[Position]:
    """All positions of the example's holders."""
    folder = tmp_path_factory.mktemp("company")
    write_example(folder, example="company")
    results = [result_of(case) for case in read_cases(folder)]
    return [p for r in results for p in positions_of(r, f"../series/{r.series.company} {r.series.name}.xlsx")]


def of(holder: str, positions: Iterable[Position]) -> list[Position]:
    return [one for one in positions if one.holder == holder]


def made(path: Path, holder: str, positions: list[Position]) -> Path:
    values, tables = holder_values(holder, positions)
    path.write_bytes(holder_plan().render(values, tables, as_of=AS_OF))
    return path


def position(number: int, rounding_type: RoundingType, per: SharesPer = SharesPer.HOLDER, **more: Any) -> Position:
    """One with a fraction that is a tie where the number is odd."""
    series = Series(
        f"Series {number}",
        f"Company {number}",
        Fraction(1),
        Fraction(1),
        share_rounding_type=rounding_type,
        shares_per=per,
    )
    price = Fraction(2) if number % 2 else Fraction("0.7")
    lots = [Holding("Ann", Fraction(2 * number + 1), "1"), Holding("Ann", Fraction(2), "2")]
    (held,) = convert(series, price, lots)
    words = {"floor": "down", "ceiling": "up", "half_up": "half up", "half_even": "half even"}
    each = ", per certificate" if per is SharesPer.CERTIFICATE else ""
    return Position(
        "Ann",
        series.company,
        series.name,
        None,
        None,
        held.preferred,
        Fraction(1),
        Fraction(1),
        price,
        price,
        1 / price,
        held.unrounded,
        held.common,
        words[rounding_type.value] + each,
        0,
        "ab" * 32,
        **more,
    )


def every_rounding() -> list[Position]:
    kinds = [(number, kind) for kind in RoundingType for number in (1, 2, 3, 5, 8)]
    return [
        *(position(number, kind) for number, kind in kinds),
        *(position(number, kind, SharesPer.CERTIFICATE) for kind in RoundingType for number in (3, 4)),
    ]


def printed(path: Path, office: Office, folder: Path) -> list[str]:
    """The texts of the printed pages."""
    text = subprocess.run(
        ["pdftotext", "-layout", office.pdf(path, folder), "-"], capture_output=True, text=True, check=True
    )
    return text.stdout.split("\f")


def same(found: object, known: object) -> bool:
    if isinstance(known, datetime):
        known = to_excel(known)
    if isinstance(known, int | float) and isinstance(found, int | float):
        return abs(found - known) <= 1e-9 * max(1, abs(known))
    return (found or "") == (known or "")


def test_figures_are_the_exact_ones(portfolio: list[Position], tmp_path: Path) -> None:
    held = of("Ada Ventures", portfolio)
    assert [one.series for one in held] == ["Series A", "Series B"]
    book = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ada Ventures", held), data_only=True)
    sheet, letter = book["Statement"], book["Letter"]
    for row, one in enumerate(held, start=FIRST):
        exact = one.preferred * one.original_issue_price / one.ratio_price
        assert sheet[f"J{row}"].value == float(exact)
        assert sheet[f"L{row}"].value == exact.numerator // exact.denominator == one.whole
        assert sheet[f"M{row}"].value == float(exact - one.whole)
        assert sheet[f"D{row}"].value.date() == one.as_of
        assert one.digest[:12] in sheet[f"P{row}"].value
    assert sheet[f"E{TOTAL}"].value == 1_833_333
    assert sheet[f"L{TOTAL}"].value == sum(one.whole for one in held) == letter[f"I{LETTER_TOTAL}"].value
    assert f"{sum(one.whole for one in held):,} whole shares" in letter["A12"].value
    assert book["Exact figures"][f"D{EXACT_FIRST}"].value == "426,666,560,000 / 151,373"
    assert sheet[f"N{TOTAL}"].value == 2
    assert letter["A4"].value == "DRAFT. Stated figures of these series that do not tie: 2; see Statement"


def test_libreoffice_recalculates_the_cached_values(
    portfolio: list[Position], tmp_path: Path, office: Office
) -> None:
    files = {
        "example": made(tmp_path / "a.xlsx", "Ada Ventures", of("Ada Ventures", portfolio)),
        "roundings": made(tmp_path / "b.xlsx", "Ann", every_rounding()),
    }
    for path in files.values():
        cached = openpyxl.load_workbook(path, data_only=True)
        formulas = openpyxl.load_workbook(path)
        with office.session() as session:
            values = session.open(path).values()
        wrong = [
            (
                sheet.title,
                cell.coordinate,
                cached[sheet.title][cell.coordinate].value,
                values.get((sheet.title, cell.coordinate)),
            )
            for sheet in formulas
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f"
            and not same(values.get((sheet.title, cell.coordinate)), cached[sheet.title][cell.coordinate].value)
        ]
        assert wrong == []


def test_whole_shares_by_every_rounding(tmp_path: Path) -> None:
    """Ties among them: 3.5 shares are 3, 4, 4 and 4."""
    ties = [position(3, kind).whole for kind in RoundingType]
    assert dict(zip(RoundingType, ties, strict=True)) == {
        RoundingType.HALF_UP: 5,
        RoundingType.HALF_EVEN: 4,
        RoundingType.FLOOR: 4,
        RoundingType.CEILING: 5,
    }


@pytest.mark.parametrize(
    ("sheet", "cell", "value"),
    [
        ("Statement", f"E{FIRST}", 5),
        ("Statement", f"H{FIRST}", 3.3),
        ("Statement", f"K{FIRST}", "up"),
        ("Statement", f"G{FIRST}", 0.5),
        ("Statement", f"I{FIRST}", 2),
        ("Statement", f"L{FIRST + 1}", 7),
        ("Statement", f"N{FIRST}", 9),
        ("Letter", f"I{LETTER_FIRST}", 1),
        ("Exact figures", f"I{EXACT_FIRST}", 1),
        ("Checks", "E12", 1),
    ],
)
def test_a_check_turns_when_a_figure_is_overwritten(
    portfolio: list[Position], tmp_path: Path, office: Office, sheet: str, cell: str, value: float | str
) -> None:
    path = made(tmp_path / "a.xlsx", "Ada Ventures", of("Ada Ventures", portfolio))
    with office.session() as session:
        document = session.open(path)
        assert document.value("Letter", "J1") == "Formulas agree: OK"
        document.set(sheet, cell, value)
        assert [
            document.value(*corner)
            for corner in (("Statement", "P1"), ("Letter", "J1"), ("Checks", "I1"), ("Exact figures", "M1"))
        ] == ["Formulas agree: CHECK"] * 4


@pytest.mark.parametrize("name", NASTY)
def test_names_are_text_whatever_they_are(
    tmp_path: Path, validator: Callable[[Path], list[Finding]], name: str
) -> None:
    held = [
        Position(
            *(name, name, name, None, None),
            *map(Fraction, (7, 1, 1, 2, 2)),
            *(Fraction(1, 2), Fraction(7, 2), 3, "down", 0, ""),
        )
    ]
    path = made(tmp_path / "a.xlsx", name, held)
    assert validator(path) == []
    assert lint(path) == []
    book = openpyxl.load_workbook(path)
    shown = name.replace("\x07", "\N{REPLACEMENT CHARACTER}").replace("_x0041_", "_x005F_x0041_")
    assert book["Statement"]["A4"].value == shown
    assert book["Statement"][f"B{FIRST}"].value == shown
    assert book["Statement"][f"B{FIRST}"].data_type == "s"


@pytest.mark.parametrize("name", ["a b", "it's", "Müller", "公司", "50% #1 %25", "=x", "a&b", "{{holder}}", "[1]"])
def test_links_are_relative_and_lead_to_the_file(tmp_path: Path, office: Office, name: str) -> None:
    """As a host makes the address: what is escaped is undone, and a # would begin a place in the file."""
    held = [position(1, RoundingType.FLOOR, workbook=f"../series/{name}.xlsx")]
    path = made(tmp_path / "a.xlsx", "Ann", held)
    with office.session() as session:
        document = session.open(path)
        formula = document.cell("Statement", f"O{FIRST}").formula
        assert formula.startswith("=IF(INDEX(")
        address = re.search(r"HYPERLINK\((SUBSTITUTE\(SUBSTITUTE\(.*\)),\"open\"\)", formula)
        assert address is not None
        document.set("Statement", "R1", f"={address[1]}")
        found = document.value("Statement", "R1")
        assert document.value("Statement", f"O{FIRST}") == "open"
    assert found == "../series/" + name.replace("%", "%25").replace("#", "%23") + ".xlsx"


def test_without_a_workbook_there_is_no_link(tmp_path: Path, office: Office) -> None:
    too_long = f"../series/{'#' * 90}.xlsx"
    held = [position(1, RoundingType.FLOOR), position(2, RoundingType.FLOOR, workbook=too_long)]
    path = made(tmp_path / "a.xlsx", "Ann", held)
    with office.session() as session:
        document = session.open(path)
        assert [document.value("Statement", f"O{FIRST + row}") for row in range(2)] == ["", ""]


def test_a_holder_is_told_by_its_name_alone(tmp_path: Path) -> None:
    write_example(tmp_path, example="company")
    holders = tmp_path / "holders.csv"
    holders.write_text(holders.read_text().replace("A,Ada Ventures,A-1", "A, Ada Ventures ,A-1"))
    found = {one.holder for case in read_cases(tmp_path) for one in positions_of(result_of(case))}
    assert found == {"Ada Ventures", "Birch Partners", "Cedar Fund"}


def test_what_no_cell_can_hold_is_there_in_full(tmp_path: Path) -> None:
    big = Fraction(10**20 + 1)
    held = [
        Position("Ann", "C", "S", None, None, big, *map(Fraction, (1, 1, 1, 1, 1)), big, int(big), "down", 0, "")
    ]
    book = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ann", held), data_only=True)
    assert book["Exact figures"][f"D{EXACT_FIRST}"].value == "100,000,000,000,000,000,001"


def test_a_figure_of_many_digits_is_told_by_its_first_ones(tmp_path: Path) -> None:
    """No cell holds them, and no reader compares them."""
    long = Fraction(10**20_000 + 1, 3 * 10**19_999)
    held = [
        Position(
            *("Ann", "C", "S", None, None),
            *map(Fraction, (10, 1, 3, 3, 3)),
            *(Fraction("0.33"), long, 3, "down", 0, ""),
        )
    ]
    book = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ann", held), data_only=True)
    text = book["Exact figures"][f"D{EXACT_FIRST}"].value
    assert text == "3.333333333333... (fraction of 20,001 / 20,000 digits)"


def test_certificates_are_made_whole_as_the_charter_says(tmp_path: Path) -> None:
    (folder := tmp_path / "company").mkdir()
    (folder / "series.csv").write_text(
        "series,company,original_issue_price,conversion_price,share_rounding_type,shares_per\n"
        "A,B,1,2,ceiling,certificate\n"
    )
    (folder / "events.csv").write_text("event,date,kind,split_new,split_old\nS,2020-01-01,split,2,1\n")
    (folder / "holders.csv").write_text("series,holder,certificate,shares\nA,Ann,1,1.5\nA,Ann,2,2.5\n")
    (result,) = (result_of(case) for case in cases_of(read_tables(folder, [r.table for r in RECORDS]), ""))
    (one,) = positions_of(result)
    assert (one.rounding, one.unrounded, one.whole, one.fraction) == ("up, per certificate", 4, 5, -1)
    path = made(tmp_path / "a.xlsx", "Ann", [one])
    letter = openpyxl.load_workbook(path, data_only=True)["Letter"]
    assert letter["A12"].value == "At the prices in force it converts into 5 whole shares of common."
    assert letter[f"J{LETTER_FIRST}"].value == -1
    assert not letter["A4"].value


def test_the_letter_has_the_day_of_each_price(tmp_path: Path) -> None:
    """Companies have had the last events that moved it on different days."""
    days = (date(2004, 2, 5), date(2023, 5, 2), None)
    held = [
        replace(position(n, RoundingType.FLOOR), as_of=date(2023, 5, 2), since=day)
        for n, day in enumerate(days, start=1)
    ]
    letter = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ann", held), data_only=True)["Letter"]
    found = [letter[f"G{LETTER_FIRST + row}"].value for row in range(3)]
    assert [day.date() for day in found[:2]] == [*days[:2]]
    assert found[2] == "beginning"
    assert letter["A3"].value.startswith("As of 2023-05-02. ")


@pytest.mark.parametrize(
    ("decimals", "before", "price", "ratio"),
    [
        (0, "5", "2", "3"),
        (2, "5.00", "2.00", "2.50"),
        (4, "5.0000", "2.0000", "2.5000"),
        (None, "5.00", "2.00", "2.50"),
    ],
)
def test_prices_have_the_decimals_that_they_are_rounded_to(
    decimals: int | None, before: str, price: str, ratio: str, tmp_path: Path, office: Office
) -> None:
    """As a number, and as it is shown."""
    rounding = Rounding(decimals)
    held = replace(
        position(1, RoundingType.FLOOR),
        price_before=Fraction(5),
        price=Fraction(2),
        ratio_price=Fraction(2),
        ratio=rounding.price(Fraction(5, 2)),
        price_rounding=rounding,
        ratio_rounding=rounding,
    )
    path = made(tmp_path / "a.xlsx", "Ann", [held])
    with office.session() as session:
        document = session.open(path)
        statement = [document.cell("Statement", f"{column}{FIRST}") for column in "GHI"]
        letter = [document.cell("Letter", f"{column}{LETTER_FIRST}") for column in "EFH"]
    assert [one.text for one in statement] == [price, price, ratio]
    assert [one.text for one in letter] == [before, price, ratio]
    assert [one.value for one in letter] == [float(before), float(price), float(ratio)]


def test_the_letter_can_be_signed_and_sent(portfolio: list[Position], tmp_path: Path, office: Office) -> None:
    """It is dated, signed and complete; what is for the sender stands elsewhere."""
    held = [replace(one, exceptions=0) for one in of("Ada Ventures", portfolio)]
    path = made(tmp_path / "a.xlsx", "Ada Ventures", held)
    (page,) = [text for text in printed(path, office, tmp_path) if "Yours sincerely" in text]
    for text in (
        *("Date", "To Ada Ventures", "Your preferred stock", "For Example Robotics, Inc."),
        *("Signature", "Name", "Title", "0.4883", "0.4730", "2.1140", "2,818,643", "2022-06-30"),
    ):
        assert text in page
    for text in ("Formulas agree", "xl_conversion", "DRAFT", "letter by letter", "Holdings.", "list of holders"):
        assert text not in page
    checks = openpyxl.load_workbook(path)["Checks"]
    remarks = " ".join(str(cell.value) for cell in checks["A"])
    assert "letter by letter" in remarks
    assert "redeemed are not taken off" in remarks


def test_the_letter_of_several_companies_is_signed_for_all(tmp_path: Path) -> None:
    held = [position(n, RoundingType.FLOOR) for n in (1, 2)]
    letter = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ann", held), data_only=True)["Letter"]
    assert letter["A5"].value is None
    assert letter["A15"].value == "For the companies in the list below"
    assert "2 series of 2 companies" in letter["A11"].value


def test_no_figure_has_the_sign_of_a_currency(portfolio: list[Position], tmp_path: Path) -> None:
    """As in the statement of a series: no input names one."""
    book = openpyxl.load_workbook(made(tmp_path / "a.xlsx", "Ada Ventures", of("Ada Ventures", portfolio)))
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if "$" in cell.number_format]
    assert {book["Statement"][f"{column}{FIRST - 2}"].value for column in "FGH"} == {"money per share"}


def test_a_price_of_many_digits_is_shown(tmp_path: Path, office: Office) -> None:
    """Charters that round neither prices nor ratios: no column is too narrow."""
    issued, digits = Fraction("123.4567"), Fraction("12.3456789012345")
    held = [
        replace(p, price=digits, ratio=digits, ratio_price=digits, original_issue_price=issued)
        for p in every_rounding()[:4]
    ]
    held = [replace(p, unrounded=u, whole=int(u)) for p in held if (u := p.preferred * issued / digits)]
    assert page_findings(made(tmp_path / "a.xlsx", "Ann", held), office, tmp_path / "a") == []


def test_the_pages_can_be_sent_out(
    portfolio: list[Position], tmp_path: Path, office: Office, validator: Callable[[Path], list[Finding]]
) -> None:
    long = [position(n, RoundingType.FLOOR) for n in range(1, 121)]
    for path in (
        made(tmp_path / "a.xlsx", "Ada Ventures", of("Ada Ventures", portfolio)),
        made(
            tmp_path / "b.xlsx",
            "The Trustees of the Pension Fund of the City of Springfield and Surroundings",
            long,
        ),
        made(
            tmp_path / "c.xlsx",
            "Ann",
            [
                replace(
                    position(
                        1, RoundingType.FLOOR, source="Third Restated Certificate of Incorporation, 2 March 2019"
                    ),
                    company="The Very Long-Named Company for the Advancement of Robotics, Incorporated",
                    series="Series 2-A Cumulative Redeemable Convertible Participating Preferred",
                )
            ],
        ),
    ):
        assert validator(path) == []
        assert lint(path, hidden=False) == []
        assert page_findings(path, office, tmp_path / path.stem) == []


def test_the_same_positions_give_the_same_bytes(portfolio: list[Position]) -> None:
    made_twice = {
        holder_plan().render(*holder_values("Ada Ventures", of("Ada Ventures", portfolio)), as_of=AS_OF)
        for _ in range(2)
    }
    (one,) = made_twice
    assert openpyxl.load_workbook(BytesIO(one)).properties.title == "Statement of holdings: Ada Ventures"
