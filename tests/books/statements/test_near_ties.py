"""Figures that a double cannot tell from a tie or a whole digit: the statement says them exactly all the same."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from support.office import Office
from support.statements import cells, differing, of_tables, statement_of

from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.step_rows import TOO_NEAR, is_too_near
from xl_conversion.core.rounding import RoundingType, round_to

CAPITALIZATION = [
    {"class": "Common", "kind": "common", "shares": "4000000"},
    {"class": "A", "kind": "preferred", "shares": "1000000"},
]
NEAR = {
    RoundingType.FLOOR: ("1.9999999999", "3.9999999996"),
    RoundingType.CEILING: ("1.0000000001", "2.0000000004"),
    RoundingType.HALF_UP: ("1.00499999999999999", "2.019999999999999"),
    RoundingType.HALF_EVEN: ("1.00500000000000001", "2.01"),
}
"""A price and an original issue price that make the price and the ratio near to where they turn."""


def ratcheted(kind: RoundingType, price: str, issue_price: str) -> dict[str, Any]:
    """A full ratchet down to `price`, a later event, and a holder of one share."""
    series = {
        "series": "A",
        "company": "Example, Inc.",
        "original_issue_price": issue_price,
        "conversion_price": "5.00",
        "price_decimals": "2",
        "price_rounding_type": kind,
        "ratio_decimals": "2",
        "ratio_rounding_type": kind,
        "carried_price": "unrounded",
        "share_rounding_type": kind,
        "method": "full_ratchet",
    }
    shares = {"security": "Common", "kind": "shares", "shares": "1000"}
    return {
        "series": [series],
        "capitalization": CAPITALIZATION,
        "events": [{"event": "Round", "date": "2010-05-03", "kind": "issuance"}],
        "securities": [{**shares, "event": "Round", "consideration_per_share": price}],
        "stated": [{"event": "Round", "series": "A", "item": "conversion_price", "stated": "1.99"}],
        "holders": [{"series": "A", "holder": "One", "certificate": "P-1", "shares": "1"}],
    }


@pytest.mark.parametrize("kind", NEAR, ids=str)
def test_another_program_computes_what_is_given(kind: RoundingType, calc: Office, tmp_path: Path) -> None:
    (case,) = of_tables(ratcheted(kind, *NEAR[kind]), tmp_path)
    result = result_of(case)
    price = Fraction(NEAR[kind][0])
    assert result.price == round_to(price, 2, kind)
    path = tmp_path / "statement.xlsx"
    path.write_bytes(statement_of(case))
    kept, found = cells(path), cells(calc.recalculate(path))
    assert differing(kept, found) == []
    remarked = {sheet for (sheet, _), value in kept.items() if isinstance(value, str) and TOO_NEAR in value}
    assert remarked == {"Calculation"} | ({"Holders"} if is_too_near(result.ratio_unrounded, kind, 0) else set())


def test_a_difference_of_two_stated_figures_is_taken_without_noise(calc: Office, tmp_path: Path) -> None:
    series = {
        "series": "A",
        "company": "Example, Inc.",
        "original_issue_price": "2",
        "conversion_price": "2",
        "price_decimals": "4",
    }
    tables = {
        "series": [series],
        "events": [
            {
                "event": "Round",
                "date": "2010-05-03",
                "kind": "issuance",
                "series": "A",
                "outstanding_before": "1000000.1",
                "other_before": "0",
            }
        ],
        "securities": [
            {
                "event": "Round",
                "series": "A",
                "security": "Common",
                "kind": "shares",
                "shares": "3000000.2",
                "consideration": "1000000",
            }
        ],
        "stated": [
            {"event": "Round", "series": "A", "item": "A", "stated": "1000000.1"},
            {"event": "Round", "series": "A", "item": "X", "stated": "4000000.3"},
        ],
    }
    (case,) = of_tables(tables, tmp_path)
    path = tmp_path / "statement.xlsx"
    path.write_bytes(statement_of(case))
    kept, found = cells(path), cells(calc.recalculate(path))
    assert 4000000.3 - 1000000.1 != 3000000.2
    assert differing(kept, found) == []
    assert 3000000.2 in [value for (sheet, _), value in found.items() if sheet == "Tie-out"]
    # LibreOffice takes the noise away by itself.
    column = [str(cell.value) for cell in load_workbook(path)["Tie-out"]["E"]]
    assert [formula for formula in column if re.fullmatch(r"=ROUND\(E\d+-E\d+,F\d+\)", formula)]


@pytest.mark.parametrize(
    ("value", "kind", "decimals", "expected"),
    [
        ("2", RoundingType.FLOOR, 2, False),
        ("1.9999999999", RoundingType.FLOOR, 2, True),
        ("1.995", RoundingType.FLOOR, 2, False),
        ("2.005", RoundingType.HALF_UP, 2, False),
        ("2.00499999999999999", RoundingType.HALF_UP, 2, True),
        ("2.0000000001", RoundingType.HALF_EVEN, 2, False),
        # A double of this size has about two decimals.
        ("99999999999999.4999", RoundingType.HALF_UP, 0, True),
        ("99999999999999.25", RoundingType.HALF_UP, 0, False),
    ],
)
def test_how_near_is_too_near(value: str, kind: RoundingType, decimals: int, expected: bool) -> None:
    assert is_too_near(Fraction(value), kind, decimals) is expected
