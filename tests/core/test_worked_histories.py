"""Histories worked by hand: each file has its tables, its arithmetic in comments, and what must come out."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from support.formulas import compute

from xl_conversion.core.changes import Change
from xl_conversion.core.history import Company, history
from xl_conversion.core.holders import convert
from xl_conversion.core.rounding import to_text
from xl_conversion.inputs.events import KINDS
from xl_conversion.inputs.reading import CompanyInput, read_companies

HISTORIES = Path(__file__).parent.parent / "histories"
FILES = sorted(HISTORIES.glob("*.toml"))
EXPECTED = ("expect", "expect_shares")
every_history = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _company(tables: dict[str, Any], folder: Path) -> CompanyInput:
    """The company as any input file gives it."""
    given = {name: rows for name, rows in tables.items() if isinstance(rows, list) and name not in EXPECTED}
    file = folder / "input.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    (company,) = read_companies(file)
    return company


def _changes(company: Company, as_of: str | None) -> dict[tuple[str, str], Change]:
    changes = history(company, date.fromisoformat(as_of) if as_of else None).changes
    return {(change.series.name, change.event.event): change for change in changes}


@every_history
def test_comes_out_as_worked_by_hand(file: Path, tmp_path: Path) -> None:
    tables = _read(file)
    company = _company(tables, tmp_path).company
    for row in tables["expect"]:
        change = _changes(company, row.get("as_of"))[row["series"], row["event"]]
        found = {"conversion_price": change.price, "unrounded": change.unrounded, "ratio": change.ratio}
        stated = {name: Fraction(row[name]) for name in found if name in row}
        assert {name: found[name] for name in stated} == stated, row
        assert row["reason"] in change.reason
        assert {"conversion_price", "ratio"} <= stated.keys()


@every_history
def test_holders_get_as_worked_by_hand(file: Path, tmp_path: Path) -> None:
    tables = _read(file)
    read = _company(tables, tmp_path)
    state = history(read.company).state
    got = {
        (name, holder.holder): (holder.common, holder.fraction)
        for name, held in read.holdings.items()
        for holder in convert(state.positions[name].series, state.positions[name].price, held)
    }
    for row in tables.get("expect_shares", []):
        assert got[row["series"], row["holder"]] == (int(row["common"]), Fraction(row["fraction"]))


@every_history
def test_its_arithmetic(file: Path) -> None:
    """What the comments compute is so: `#   6.00 * 2/3 = 4.00`, and after `~` what it is rounded."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#   ") or "CPa" in line:
            continue
        exactly, _, rounded = line.removeprefix("#").partition(" ~ ")
        first, *others = [compute(side.strip(), {}) for side in exactly.split(" = ")]
        assert others == [first] * len(others), line
        assert others or rounded, line
        if rounded:
            assert to_text(first, len(rounded.strip().partition(".")[2])) == rounded.strip(), line


@every_history
def test_says_what_it_shows(file: Path) -> None:
    text, tables = file.read_text(encoding="utf-8"), _read(file)
    assert tables["title"]
    assert tables["clause"]
    assert "\n# " in text
    cells = [cell for rows in tables.values() if isinstance(rows, list) for row in rows for cell in row.values()]
    assert all(isinstance(cell, str) for cell in cells)


@every_history
def test_every_step_evaluates(file: Path, tmp_path: Path) -> None:
    for change in history(_company(_read(file), tmp_path).company).changes:
        for steps, figure in ((change.steps(), change.price), (change.ratio_steps(), change.ratio)):
            values: dict[str, Fraction] = {}
            for step in steps:
                if step.formula:
                    assert compute(step.formula, values) == step.value
                values[step.symbol] = step.value
            assert steps[-1].value == figure, change


def test_every_kind_of_event_and_every_term_is_shown() -> None:
    assert len(FILES) >= 40
    tables = [_read(file) for file in FILES]
    assert {row["kind"] for table in tables for row in table["events"]} == set(KINDS)
    terms = {(name, row[name]) for table in tables for row in table["series"] for name in row}
    named = {name for name, _ in terms}
    assert {
        *("base_classes", "ratchet_until", "exempted", "minimum", "minimum_percent", "floor"),
        *("price_decimals", "ratio_decimals", "preferred_shares"),
    } <= named
    methods = ("broad", "broad_with_pool", "narrow", "common", "listed", "full_ratchet", "none")
    assert {("method", method) for method in methods} <= terms
    roundings = ("half_up", "half_even", "floor", "ceiling")
    assert {("price_rounding_type", rounding) for rounding in roundings} <= terms
    assert {
        *(("carried_price", "rounded"), ("carried_price", "unrounded")),
        *(("ratio_basis", "rounded"), ("ratio_basis", "unrounded")),
        *(("others", "solved"), ("closings", "separately"), ("downward_only", "yes")),
        *(("shares_per", "holder"), ("shares_per", "certificate"), ("share_rounding_type", "ceiling")),
    } <= terms
