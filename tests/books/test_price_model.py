"""The template "Conversion price model": sound as a file, right in LibreOffice, honest when something is wrong."""

from __future__ import annotations

import math
import os
import random
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import cols_from_range, get_column_letter, range_boundaries
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Document, Error, Office
from support.ooxml import Finding as Finding_of_the_file

import xl_conversion
from xl_conversion.books.templates.filling import Content, Filling, Given
from xl_conversion.books.templates.price_filling import blank_filling, price_filling
from xl_conversion.books.templates.price_model import (
    INPUT_SHEETS,
    SHEETS,
    Room,
    price_model,
    price_model_bytes,
    shipped_filling,
)
from xl_conversion.books.templates.sheets.events import EventKind
from xl_conversion.books.templates.sheets.stated import ITEMS
from xl_conversion.books.templates.syntax import Reference, parsed
from xl_conversion.books.templates.words import CountedAs, CountsAfter
from xl_conversion.core.adjustments import (
    cash_in_lieu,
    conversion_shares,
    weighted_average,
)
from xl_conversion.core.capitalization import ClassKind, Position
from xl_conversion.core.changes import Change
from xl_conversion.core.events import (
    CashDividend,
    CashForm,
    Counts,
    Event,
    Issued,
    Rights,
    SpinOff,
    SpinOffForm,
    Split,
    StockDividend,
    TenderOffer,
)
from xl_conversion.core.history import Company, history
from xl_conversion.core.holders import Holding, convert
from xl_conversion.core.issuance import Issuance, Security, SecurityKind
from xl_conversion.core.rounding import RoundingType, round_to, round_whole
from xl_conversion.core.stated import Item, Stated, read_written, with_commas
from xl_conversion.core.terms import Basis, Method, Rounding, Series, SharesPer
from xl_conversion.core.tie_out import Check, Finding, tie_out_history
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.inputs.reading import read_companies

pytest_plugins = ["support.calc"]

ROOT = Path(xl_conversion.__file__).parents[1]
COMMITTED = ROOT / "workbooks" / "conversion-price-model.xlsx"
EXAMPLES = ROOT / "xl_conversion" / "examples"
F = Fraction
Key: TypeAlias = tuple[str, str]
"""A cell: its sheet, and where on it."""
Where: TypeAlias = str | tuple[str, int, str]
"""An input: the name of a single cell, or a table, the row (from 1) and the header."""
Value: TypeAlias = float | str | Error
NUMBER = r"-?\d+(?:\.\d+)?"


# What a model is filled with, and where its cells are.


@dataclass(frozen=True)
class State:
    """All inputs. A table's rows are by header."""

    scalars: Mapping[str, Content]
    tables: Mapping[str, tuple[Mapping[str, Content], ...]]

    def filling(self) -> Filling:
        rows = {
            name: [{k: v for k, v in row.items() if v is not None} for row in table]
            for name, table in self.tables.items()
        }
        return Filling({name: Given(content) for name, content in self.scalars.items()}, rows)

    def get(self, where: Where) -> Content:
        if isinstance(where, str):
            return self.scalars.get(where)
        table, number, header = where
        rows = self.tables[table]
        return rows[number - 1].get(header) if number <= len(rows) else None

    def changed(self, change: Mapping[Where, Content]) -> State:
        scalars = dict(self.scalars)
        tables = {name: [dict(row) for row in rows] for name, rows in self.tables.items()}
        for where, content in change.items():
            if isinstance(where, str):
                scalars[where] = content
                continue
            table, number, header = where
            while len(tables[table]) < number:
                tables[table].append({})
            tables[table][number - 1][header] = content
        return State(scalars, {name: tuple(rows) for name, rows in tables.items()})

    def number(self, name: str) -> Fraction:
        content = self.scalars[name]
        assert isinstance(content, Fraction), name
        return content

    def word(self, name: str) -> str:
        return str(self.scalars[name])


class Layout:
    """Where the inputs and results of a model stand, as its file says."""

    def __init__(self, data: bytes) -> None:
        self.book = load_workbook(BytesIO(data))
        self.stored = load_workbook(BytesIO(data), data_only=True)
        history_rows = [cell.row for cell in self.book["Price history"]["A"] if cell.value == "No."]
        self.first, self.second = history_rows[0] + 1, history_rows[1] + 1

    def name(self, name: str) -> Key:
        """The cell, or the first one of the range, that a name stands for."""
        (found,) = self.book.defined_names[name].destinations
        return found[0], found[1].replace("$", "").partition(":")[0]

    @cache  # noqa: B019
    def table(self, name: str) -> tuple[str, int, Mapping[str, str], int]:
        """Sheet, header row, column letters by header, and the number of rows."""
        (found,) = self.book.defined_names[name].destinations
        ends: Any = range_boundaries(found[1].replace("$", ""))
        left, top, right, bottom = ends
        sheet = self.book[found[0]]
        letters = {
            str(sheet.cell(top, column).value): get_column_letter(column) for column in range(left, right + 1)
        }
        return found[0], top, letters, bottom - top

    def cell(self, where: Where) -> Key:
        if isinstance(where, str):
            return self.name(where)
        table, number, header = where
        sheet, top, letters, _ = self.table(table)
        return sheet, f"{letters[header]}{top + number}"

    def formulas(self) -> Iterator[tuple[str, str, str]]:
        """Sheet, coordinate and text of every formula."""
        for sheet in self.book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, ArrayFormula):
                        yield sheet.title, cell.coordinate, str(cell.value.text)
                    elif cell.data_type == "f":
                        yield sheet.title, cell.coordinate, str(cell.value)

    @cache  # noqa: B019
    def arrays(self) -> dict[Key, list[Key]]:
        """The cells that each array formula fills."""
        return {
            (sheet.title, anchor): [
                (sheet.title, cell) for column in cols_from_range(reference) for cell in column
            ]
            for sheet in self.book.worksheets
            for anchor, reference in sheet.array_formulae.items()
        }

    @cache  # noqa: B019
    def users(self) -> dict[Key, set[Key]]:
        """For each cell the cells whose formulas refer to it."""
        found: dict[Key, set[Key]] = {}
        for sheet, coordinate, text in self.formulas():
            filled = self.arrays().get((sheet, coordinate), [(sheet, coordinate)])
            for reference in references(parsed(text.removeprefix("="), addresses=True)):
                ends = f"{reference.first}:{reference.last or reference.first}"
                for column in cols_from_range(ends):
                    for cell in column:
                        found.setdefault((reference.sheet or sheet, cell), set()).update(filled)
        return found

    def dependents(self, cells: Sequence[Key]) -> set[Key]:
        """All cells that follow from these, at any distance."""
        found: set[Key] = set()
        waiting = list(cells)
        while waiting:
            for user in self.users().get(waiting.pop(), ()):
                if user not in found:
                    found.add(user)
                    waiting.append(user)
        return found


def references(node: Any) -> Iterator[Reference]:
    """Every cell and range that a formula refers to."""
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, tuple):
        for one in node:
            yield from references(one)
    elif is_dataclass(node):
        for one in fields(node):
            yield from references(getattr(node, one.name))


@cache
def layout() -> Layout:
    """Of a model of the usual room: the same, whatever it is filled with."""
    return Layout(price_model_bytes(BASE.filling()))


def entry(content: Content) -> float | str | None:
    """As it is typed into a cell."""
    if isinstance(content, date):
        return float((content - date(1899, 12, 30)).days)
    return float(content) if isinstance(content, Fraction) else content


def put(document: Document, state: State, change: Sequence[Where]) -> None:
    """Types what `state` has for these inputs."""
    for where in change:
        document.set(*layout().cell(where), entry(state.get(where)))


def live(document: Document, name: str) -> Value | None:
    return document.value(*layout().name(name))


def close(value: object, figure: Fraction | float) -> bool:
    return isinstance(value, float) and math.isclose(value, figure, rel_tol=1e-11, abs_tol=1e-11)


# What the core makes of the inputs.

EARLIER, LATER = "in_earlier_events", "in_later_events"
NO_ROWS: tuple[Mapping[str, Content], ...] = ()


@dataclass(frozen=True)
class Said:
    """What the core says of a state: what each event left, the event under study, and the tie-out."""

    series: Series
    before: Position
    events: Mapping[str, tuple[Change | None, Position, Position]]
    """By row (E1.., X, L1..): what it did, and where the series stood before it and after it."""
    studied: Change
    issuance: Issuance
    findings: tuple[Finding, ...]


def series_of(state: State) -> Series:
    return Series(
        state.word("in_series"),
        state.word("in_company"),
        state.number("in_original_issue_price"),
        state.number("in_conversion_price"),
        price=_rounding(state, "price"),
        carried_price=Basis(state.word("in_carried_price")),
        ratio=_rounding(state, "ratio"),
        ratio_basis=Basis(state.word("in_ratio_basis")),
        share_rounding_type=RoundingType(state.word("in_share_rounding_type")),
        method=Method(state.word("in_method")),
        shares_per=SharesPer(state.word("in_shares_per")),
    )


def _rounding(state: State, stem: str) -> Rounding:
    return Rounding(int(state.number(f"in_{stem}_decimals")), RoundingType(state.word(f"in_{stem}_rounding_type")))


def issuance_of(state: State) -> Issuance:
    """The event under study with its counts."""
    counts = {
        (column, counted): sum(
            (
                _figure(row, column)
                for row in state.tables["in_capitalization"]
                if row.get("Counted as") == counted
            ),
            F(0),
        )
        for column in ("Before", "After")
        for counted in CountedAs
    }
    securities = []
    for row in state.tables["in_securities"]:
        if row.get("Shares") is None:
            continue
        shares = _figure(row, "Shares")
        in_all = row.get("Consideration in all")
        paid = (
            _figure(row, "Consideration in all")
            if in_all is not None
            else (shares * _figure(row, "Consideration per share"))
        )
        securities.append(Security(str(row["Security"]), SecurityKind(str(row["Kind"])), shares, paid))
    a, c = counts["Before", CountedAs.OUTSTANDING], counts["Before", CountedAs.OTHER]
    x, y = counts["After", CountedAs.OUTSTANDING], counts["After", CountedAs.OTHER]
    if state.word("in_counts_after") == CountsAfter.SECURITIES_LISTED:
        x, y = a + sum((security.shares for security in securities), F(0)), c
    day = state.scalars["in_event_date"]
    assert isinstance(day, date)
    return Issuance(state.word("in_event"), day, a, c, tuple(securities), x, y)


def _figure(row: Mapping[str, Content], header: str) -> Fraction:
    content = row.get(header)
    assert content is None or isinstance(content, Fraction)
    return F(0) if content is None else content


def event_of(name: str, row: Mapping[str, Content], position: Position) -> Event | None:
    """The event of a row; None for what was replayed and left the price in force as it was.

    Whatever was replayed came to an unrounded price, and so does a split that is made up for it.
    """
    day = row["Date"]
    assert isinstance(day, date)
    of: dict[str, Any] = {"event": name, "date": day}

    def figure(header: str) -> Fraction:
        return _figure(row, header)

    match EventKind(str(row["Kind"])):
        case EventKind.ISSUANCE:
            out, other, shares = figure("Outstanding before"), figure("Other securities before"), figure("Shares")
            sold = Security(name, SecurityKind.SHARES, shares, figure("Money in all"))
            return Issued(**of, securities=(sold,), counts=Counts(out, other, out + shares, other))
        case EventKind.SPLIT:
            return Split(**of, new=figure("New"), old=figure("Old"))
        case EventKind.STOCK_DIVIDEND:
            return StockDividend(**of, shares=figure("Shares"), outstanding=figure("Outstanding before"))
        case EventKind.CASH_DIVIDEND:
            market = figure("Market price") or None
            return CashDividend(
                **of,
                dividend=figure("Money per share"),
                market_price=market,
                threshold=figure("Threshold"),
                method=CashForm(str(row["Form"])),
            )
        case EventKind.RIGHTS:
            return Rights(
                **of,
                offered=figure("Shares"),
                offer_price=figure("Money per share"),
                market_price=figure("Market price"),
                outstanding=figure("Outstanding before"),
            )
        case EventKind.SPIN_OFF:
            return SpinOff(
                **of,
                distributed_value=figure("Money per share"),
                market_price=figure("Market price"),
                method=SpinOffForm(str(row["Form"])),
            )
        case EventKind.TENDER_OFFER:
            return TenderOffer(
                **of,
                consideration=figure("Money in all"),
                shares=figure("Shares"),
                market_price=figure("Market price"),
                outstanding=figure("Outstanding before"),
            )
        case EventKind.REPLAYED:
            price = figure("Price as replayed")
            return None if price == position.price else Split(**of, new=position.start, old=price)


def said(state: State) -> Said:
    """Raises ImpossibleArgument for events that cannot be."""
    series, issuance = series_of(state), issuance_of(state)
    played: list[Event] = []
    found: dict[str, tuple[Change | None, Position, Position]] = {}

    def play(key: str, make: Callable[[Position], Event | None]) -> None:
        before = position
        event = make(before)
        if event is None:
            found[key] = None, before, before
            return
        played.append(event)
        result = history(Company((series,), tuple(played)))
        (after,) = result.state.positions.values()
        found[key] = result.changes[-1], before, after.copy()

    (position,) = history(Company((series,), ())).state.positions.values()
    first = position
    for stem, table in (("E", EARLIER), ("X", ""), ("L", LATER)):
        for number, row in enumerate(state.tables.get(table, ({},)) if table else ({},), start=1):
            if table and not any(content is not None for content in row.values()):
                continue
            if table:
                play(f"{stem}{number}", lambda at, n=f"{stem}{number}", r=row: event_of(n, r, at))  # type: ignore[misc]
            else:
                counts = Counts(
                    issuance.outstanding_before,
                    issuance.other_before,
                    issuance.outstanding_after,
                    issuance.other_after,
                )
                studied = Issued(
                    event=issuance.event, date=issuance.date, securities=issuance.securities, counts=counts
                )
                play("X", lambda _, of=studied: of)  # type: ignore[misc]
            *_, position = found[f"{stem}{number}" if table else "X"]
    change = found["X"][0]
    assert change is not None
    rows = [
        Stated(
            issuance.event,
            Item(str(row["Item"])),
            str(row.get("As written") or ""),
            str(row.get("Of the security") or ""),
            "",
            str(row.get("Other document says") or ""),
        )
        for row in state.tables["in_stated"]
        if row.get("Item") is not None
    ]
    findings = tie_out_history([change], [issuance], rows)
    return Said(series, first, found, change, issuance, findings)


Expected: TypeAlias = dict[Key, Fraction | str]


def expected(state: State) -> Expected:
    """What the cells of the results must show, all of it by the core."""
    of = said(state)
    found: Expected = {}
    _expect_results(found, state, of)
    _expect_history(found, state, of)
    _expect_holders(found, state, of)
    _expect_tie_out(found, state, of)
    _expect_sensitivity(found, state, of)
    return found


def _ratios(series: Series, position: Position) -> tuple[Fraction, Fraction]:
    unrounded = series.original_issue_price / position.ratio_price
    return unrounded, series.ratio.price(unrounded)


def _expect_results(found: Expected, state: State, of: Said) -> None:
    series, issuance = of.series, of.issuance
    _, before, after = of.events["X"]
    *_, now = list(of.events.values())[-1]
    capitalization = state.tables["in_capitalization"]
    sums = {
        f"out_sum_{letter}": sum((_figure(r, col) for r in capitalization if r.get("Counted as") == counted), F(0))
        for letter, col, counted in (
            ("a", "Before", CountedAs.OUTSTANDING),
            ("c", "Before", CountedAs.OTHER),
            ("x", "After", CountedAs.OUTSTANDING),
            ("y", "After", CountedAs.OTHER),
        )
    }
    results: dict[str, Fraction | str] = {
        **sums,
        "out_consideration": issuance.consideration,
        "out_shares_listed": issuance.listed,
        "out_lowest_price": min(s.consideration / s.shares for s in issuance.securities),
        "out_conversion_price_unrounded": of.studied.unrounded,
        "out_conversion_price": after.price,
        "out_conversion_ratio_unrounded": _ratios(series, after)[0],
        "out_conversion_ratio": _ratios(series, after)[1],
        "out_conversion_ratio_before": _ratios(series, before)[1],
        "out_conversion_price_now": now.price,
        "out_conversion_ratio_now": _ratios(series, now)[1],
        "out_events_count": F(len(of.events)),
        "out_inputs_missing": F(0),
        "out_ready": F(1),
        "out_exceptions": F(sum(finding.is_exception for finding in of.findings)),
        "out_comparisons": F(len(of.findings)),
        "out_register_shares": sum((_figure(row, "Shares") for row in state.tables["in_holders"]), F(0)),
        "chk_all": "OK",
    }
    found.update({layout().name(name): figure for name, figure in results.items()})


def _expect_history(found: Expected, state: State, of: Said) -> None:
    sheet, room, differ = "Price history", Room(), 0
    keys = [
        *(f"E{number}" for number in range(1, room.earlier + 1)),
        "X",
        *(f"L{number}" for number in range(1, room.later + 1)),
    ]
    last = of.before
    for place, key in enumerate(keys, start=1):
        first, second = layout().first + place, layout().second + place
        if key not in of.events:
            found |= {(sheet, f"H{first}"): "", (sheet, f"N{first}"): last.price, (sheet, f"N{second}"): ""}
            continue
        change, before, after = of.events[key]
        ratio_unrounded, ratio = _ratios(of.series, after)
        found |= {
            (sheet, f"E{first}"): before.start,
            (sheet, f"H{first}"): before.start if change is None else change.unrounded,
            (sheet, f"N{first}"): after.price,
            (sheet, f"D{second}"): after.start,
            (sheet, f"E{second}"): after.unrounded,
            (sheet, f"F{second}"): ratio_unrounded,
            (sheet, f"G{second}"): ratio,
        }
        as_noticed = _as_noticed(state, key, after.price, ratio)
        differ += as_noticed == "differs"
        found[sheet, f"N{second}"] = as_noticed
        last = after
    found[layout().name("out_notices_that_differ")] = F(differ)


def _as_noticed(state: State, key: str, price: Fraction, ratio: Fraction) -> str:
    if key == "X":
        told = [state.scalars.get(name) for name in ("in_notice", "in_notice_price", "in_notice_ratio")]
    else:
        row = state.tables[EARLIER if key[0] == "E" else LATER][int(key[1:]) - 1]
        told = [row.get(header) for header in ("Notice", "Price noticed", "Ratio noticed")]
    notice, *figures = told
    if not notice or all(figure is None for figure in figures):
        return ""
    same = all(figure in (None, follows) for figure, follows in zip(figures, (price, ratio), strict=True))
    return "as noticed" if same else "differs"


def _expect_holders(found: Expected, state: State, of: Said) -> None:
    sheet, series = "Holders", of.series
    _, before, _ = of.events["X"]
    *_, now = list(of.events.values())[-1]
    price = now.ratio_price
    rows = {
        number: Holding(str(row["Holder"]), _figure(row, "Shares"), str(row.get("Certificate") or ""))
        for number, row in enumerate(state.tables["in_holders"])
        if row.get("Holder") is not None
    }
    held = list(rows.values())
    first = next(cell.row for cell in layout().book[sheet]["A"] if cell.value == "No.") + 1
    per_holder = series.shares_per is SharesPer.HOLDER
    got = {one.holder: one for one in convert(series, price, held)}
    market, pays = state.scalars.get("in_market_price"), series.share_rounding_type is RoundingType.FLOOR
    cash: Fraction | None = F(0) if pays and market is not None else None
    seen: set[str] = set()
    for number, one in rows.items():
        row = first + number
        if per_holder and one.holder in seen:
            found[sheet, f"F{row}"] = ""
            continue
        seen.add(one.holder)
        lot = got[one.holder].preferred if per_holder else one.shares
        common = round_whole(
            conversion_shares(lot, series.original_issue_price, price), series.share_rounding_type
        )
        found[sheet, f"D{row}"], found[sheet, f"F{row}"] = lot, F(common)
        if per_holder:
            assert common == got[one.holder].common
        if cash is not None:
            paid = cash_in_lieu(lot, series.original_issue_price, price, state.number("in_market_price"))
            digits = int(state.number("in_cash_decimals"))
            paid = round_to(paid, digits, RoundingType(state.word("in_cash_rounding_type")))
            found[sheet, f"L{row}"] = paid
            cash += paid
    preferred = sum((one.shares for one in held), F(0))
    common_of_all = sum((one.common for one in got.values()), 0)
    together = round_whole(
        conversion_shares(preferred, series.original_issue_price, price), series.share_rounding_type
    )
    results: dict[str, Fraction | str] = {
        "out_holders_preferred": preferred,
        "out_holders_common": F(common_of_all),
        "out_holders_common_in_aggregate": F(together),
        "out_holders_cash": "" if cash is None else cash,
    }
    found.update({layout().name(name): figure for name, figure in results.items()})
    labels = {str(cell.value): cell.row for cell in layout().book[sheet]["B"]}
    earlier = round_whole(
        conversion_shares(preferred, series.original_issue_price, before.price), series.share_rounding_type
    )
    found[sheet, f"F{labels['More common than before the event']}"] = F(together - earlier)


def _tie_out_rows() -> dict[str, int]:
    """The rows of Tie-out by number."""
    return {str(cell.value): cell.row for cell in layout().book["Tie-out"]["A"] if isinstance(cell.value, int)}


DERIVED = {
    (Check.ROLLED_FORWARD, Item.X): 21,
    (Check.OTHER_COUNT, Item.CONVERSION_PRICE): 22,
    (Check.OTHER_COUNT, Item.CONVERSION_RATIO): 23,
    (Check.STATED_PRICE, Item.CONVERSION_RATIO): 24,
}


def _expect_tie_out(found: Expected, state: State, of: Said) -> None:
    sheet, rows = "Tie-out", _tie_out_rows()
    by_row = {(f.check, f.item, f.subject): f for f in of.findings}
    for number in range(1, 25):
        found[sheet, f"K{rows[str(number)]}"] = ""
    for number, row in enumerate(state.tables["in_stated"], start=1):
        if row.get("Item") is None:
            continue
        item, subject, place = Item(str(row["Item"])), str(row.get("Of the security") or ""), rows[str(number)]
        check = Check.REFERENCE if item is Item.DATE else Check.RECOMPUTED
        _expect_finding(found, place, by_row[check, item, subject])
        if item is not Item.DATE:
            reference = by_row.get((Check.REFERENCE, item, subject))
            found[sheet, f"M{place}"] = reference.result.value if reference else ""
    for (check, item), number in DERIVED.items():
        findings = [f for f in of.findings if f.check is check and f.item is item]
        assert len(findings) <= 1
        for finding in findings:
            _expect_finding(found, rows[str(number)], finding)


def _expect_finding(found: Expected, row: int, finding: Finding) -> None:
    found["Tie-out", f"K{row}"] = finding.result.value
    if finding.recomputed is None:
        return
    written = read_written(finding.at_precision)
    assert written is not None
    found |= {
        ("Tie-out", f"G{row}"): finding.recomputed,
        ("Tie-out", f"H{row}"): written.value,
        ("Tie-out", f"F{row}"): F(written.decimals),
    }


def _expect_sensitivity(found: Expected, state: State, of: Said) -> None:
    names = ("size", "size_step", "price", "price_step")
    size, size_step, price, price_step = (state.number(f"in_sensitivity_{name}") for name in names)
    sheet = layout().book["Sensitivity"]
    top, below = (cell.row for cell in sheet["A"] if str(cell.value).startswith("Shares issued, by"))
    _, before, _ = of.events["X"]
    for i in range(10):
        for j, (native, function) in enumerate(zip("BCDEF", "IJKLM", strict=True)):
            sold, each = size + i * size_step, price + j * price_step
            figure = weighted_average(
                before.start, of.issuance.outstanding_before, sold * each, sold, of.issuance.other_before
            )
            for column in (native, function):
                found["Sensitivity", f"{column}{top + 1 + i}"] = figure
            # What moves is rounded and not above the price in force, which stays where nothing moves.
            moves = figure < before.start
            rounded = min(of.series.price.price(figure), before.price) if moves else before.price
            found["Sensitivity", f"{native}{below + 1 + i}"] = rounded


def too_close(state: State) -> bool:
    """Whether a figure is so close to where rounding turns, and not there, that no double tells."""
    of = said(state)
    figures = [(change.unrounded, of.series.price.decimals or 0) for change, *_ in of.events.values() if change]
    for _, before, after in of.events.values():
        figures += [(_ratios(of.series, at)[0], of.series.ratio.decimals or 0) for at in (before, after)]
    for finding in of.findings:
        if finding.recomputed is not None and (written := read_written(finding.at_precision)):
            figures.append((finding.recomputed, written.decimals))
    halves = [2 * figure * 10**decimals for figure, decimals in figures]
    return any(0 < abs(half - round(half)) <= F(2, 10**6) for half in halves)


def wrong(values: Mapping[Key, Value], wanted: Expected) -> dict[Key, tuple[object, object]]:
    """The cells that do not show what they must, with what they show and what they must."""
    found: dict[Key, tuple[object, object]] = {}
    for key, figure in wanted.items():
        value = values.get(key, "")
        if not (value == figure if isinstance(figure, str) else close(value, figure)):
            found[key] = value, figure if isinstance(figure, str) else float(figure)
    return found


# The inputs that are changed: a series with a history of every kind, and how each of its inputs may be drawn.


def _rows(headers: str, *rows: Sequence[object]) -> tuple[Mapping[str, Content], ...]:
    """Rows of a table: numbers are given as text or int, texts after a quotation mark."""
    return tuple(
        {header: _content(content) for header, content in zip(headers.split("|"), row, strict=True)}
        for row in rows
    )


def _content(content: object) -> Content:
    if isinstance(content, int):
        return F(content)
    if isinstance(content, str):
        return content[1:] if content.startswith("'") else F(content) if re.fullmatch(NUMBER, content) else content
    assert content is None or isinstance(content, date)
    return content


EVENT_HEADERS = (
    "Event|Date|Kind|Outstanding before|Other securities before|Shares|Money in all|Money per share|Threshold|"
    "Market price|New|Old|Form|Price as replayed|Notice|Price noticed|Ratio noticed"
)
NIL: None = None
BASE = State(
    {
        **{name: given.value for name, given in blank_filling().scalars.items()},
        "in_company": "Example Robotics, Inc.",
        "in_series": "Series A Preferred",
        "in_clause": "Article IV 4.4",
        "in_currency": "US$",
        "in_event": "Bridge round",
        "in_event_date": date(2012, 5, 4),
        "in_as_of": date(2015, 1, 31),
        "in_notice": "Notice of 7 May 2012",
        "in_notice_price": F("1.5463"),
        "in_notice_ratio": F("4.145"),
        "in_original_issue_price": F("6.41"),
        "in_conversion_price": F("5.8235"),
        "in_price_decimals": F(4),
        "in_ratio_decimals": F(3),
        "in_counts_after": CountsAfter.OWN_COUNTS.value,
        "in_market_price": F("1.37"),
        "in_sensitivity_size": F(2_000_000),
        "in_sensitivity_size_step": F(1_500_000),
        "in_sensitivity_price": F("0.15"),
        "in_sensitivity_price_step": F("0.35"),
    },
    {
        "in_capitalization": _rows(
            "Class|Kind|Before|After|Counted as|Source",
            ("Common", "common", 31_000_000, 53_000_000, "outstanding", "Ledger"),
            ("Series B", "preferred", 2_831_184, 2_831_184, "outstanding", "Ledger"),
            ("Options", "option", 1_411_724, 1_611_724, "other", "Option ledger"),
            ("Pool", "pool", 900_000, 700_000, "not_counted", "Plan"),
        ),
        "in_securities": _rows(
            "Security|Kind|Shares|Consideration per share|Consideration in all|Source|Note",
            ("Bridge notes", "convertible_note", 15_575_951, "0.40", NIL, "Agreement", "Principal"),
            ("Bridge warrants", "warrant", 6_256_500, NIL, "3128250.55", "Agreement", NIL),
            ("Adviser shares", "shares", 350_000, "0.35", NIL, "Letter", "For services"),
        ),
        EARLIER: _rows(
            EVENT_HEADERS,
            (
                "Seed round",
                date(2003, 2, 1),
                "issuance",
                9_000_000,
                400_000,
                2_500_000,
                "7250000.50",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                "Notice 1",
                "5.2093",
                "1.23",
            ),
            (
                "Two for one",
                date(2004, 9, 1),
                "split",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                2,
                1,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "Stock dividend",
                date(2005, 3, 1),
                "stock_dividend",
                23_000_000,
                NIL,
                1_150_000,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                "Notice 2",
                "2.4807",
                NIL,
            ),
            (
                "Cash dividend",
                date(2006, 6, 30),
                "cash_dividend",
                NIL,
                NIL,
                NIL,
                NIL,
                "0.06",
                "0.02",
                "3.20",
                NIL,
                NIL,
                "ratio",
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "Rights",
                date(2007, 1, 15),
                "rights",
                24_150_000,
                NIL,
                3_000_000,
                NIL,
                "2.10",
                NIL,
                "3.05",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "Spin-off",
                date(2008, 10, 1),
                "spin_off",
                NIL,
                NIL,
                NIL,
                NIL,
                "0.11",
                NIL,
                "2.90",
                NIL,
                NIL,
                "over_sum",
                NIL,
                "Notice 3",
                NIL,
                "2.9",
            ),
            (
                "Tender offer",
                date(2009, 4, 1),
                "tender_offer",
                27_000_000,
                NIL,
                1_200_000,
                4_080_000,
                NIL,
                NIL,
                "3.00",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "Warrants lapse",
                date(2010, 2, 2),
                "replayed",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                "2.25125",
                NIL,
                NIL,
                NIL,
            ),
        ),
        LATER: _rows(
            EVENT_HEADERS,
            (
                "Later round",
                date(2012, 11, 5),
                "issuance",
                56_000_000,
                NIL,
                4_000_000,
                2_000_000,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                "Notice 4",
                "1.4765",
                "4.341",
            ),
            (
                "Excess dividend",
                date(2013, 2, 1),
                "cash_dividend",
                NIL,
                NIL,
                NIL,
                NIL,
                "0.05",
                "0.01",
                "1.90",
                NIL,
                NIL,
                "excess",
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "Distribution",
                date(2013, 8, 1),
                "spin_off",
                NIL,
                NIL,
                NIL,
                NIL,
                "0.08",
                NIL,
                "1.75",
                NIL,
                NIL,
                "over_market",
                NIL,
                NIL,
                NIL,
                NIL,
            ),
            (
                "One for ten",
                date(2014, 1, 2),
                "split",
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                NIL,
                1,
                10,
                NIL,
                NIL,
                "Notice 5",
                "13.5",
                NIL,
            ),
        ),
        "in_holders": _rows(
            "Holder|Certificate|Shares|Note",
            ("Ada Ventures", "A-1", 1_000_003, NIL),
            ("Birch Partners", "A-2", 333_331, "Nominee"),
            ("Ada Ventures", "A-3", 416_667, NIL),
            ("'12", "A-4", 77, NIL),
        ),
        "in_stated": _rows(
            "Item|Of the security|As written|Source|Other document says|Other document",
            ("A", NIL, "'33,831,184", "Notice", NIL, NIL),
            ("B", NIL, "'4,211,403", "Notice", NIL, NIL),
            ("C", NIL, "'1,411,724", "Notice", "'1,411,724", "Ledger"),
            ("numerator", NIL, "'39,417,000", "Notice", NIL, NIL),
            ("X", NIL, "'55,831,184", "Notice", NIL, NIL),
            ("Y", NIL, "'1,611,724", "Notice", "'1,611,000", "Ledger"),
            ("denominator", NIL, "'57,442,908", "Notice", NIL, NIL),
            ("conversion_price", NIL, "$1.5463", "Notice", NIL, NIL),
            ("conversion_ratio", NIL, "'4.149", "Notice", NIL, NIL),
            ("common_shares", "Bridge notes", "'15,575,951", "Notice", NIL, NIL),
            ("date", "Bridge warrants", "'2012-05-04", "Notice", "'2012-05-05", "Agreement"),
        ),
    },
)
Change_of_inputs: TypeAlias = Mapping[Where, Content]


def words(names: type[StrEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in names)


CHOICES: Mapping[str, type[StrEnum]] = {
    "in_method": Method,
    "in_price_rounding_type": RoundingType,
    "in_ratio_rounding_type": RoundingType,
    "in_share_rounding_type": RoundingType,
    "in_cash_rounding_type": RoundingType,
    "in_carried_price": Basis,
    "in_ratio_basis": Basis,
    "in_counts_after": CountsAfter,
    "in_shares_per": SharesPer,
}
LOCKED = ("in_zero", "in_one", "in_ten", "in_half", "in_guard")
"""Numbers that formulas use and nobody types."""
CONSTANTS = (*LOCKED, "in_tolerance", "in_tolerance_amount")
TEXTS = ("in_company", "in_series", "in_clause", "in_event", "in_notice", "in_currency")
DECIMALS = {"in_price_decimals": (3, 9), "in_ratio_decimals": (1, 8), "in_cash_decimals": (0, 5)}
STRANGE = ("+1", 'O\'Neil & "Sons"', "<b>Société</b>", "12", "TRUE", "-x", "@Series", "#N/A")
"""Texts as somebody may write them."""


def drawn(rng: random.Random, where: Where) -> Content:
    """Another content for an input, valid where the others stay."""
    old = BASE.get(where)
    if isinstance(where, str):
        if where in CHOICES:
            return rng.choice([word for word in words(CHOICES[where]) if word != old])
        if where in DECIMALS:
            return F(rng.choice([n for n in range(*DECIMALS[where]) if n != old]))
        if where == "in_event_date":
            return date(2012, 5, 4) + timedelta(days=rng.randint(-90, 90))
        if where in TEXTS:
            return rng.choice(STRANGE)
    elif where[2] == "As written":
        return _written(rng, where)
    elif where[2] == "Counted as":
        return rng.choice([word for word in words(CountedAs) if word != old])
    elif where[2] == "Kind" and where[0] == "in_capitalization":
        return rng.choice([word for word in words(ClassKind) if word != old])
    elif where[2] == "Kind" and where[0] == "in_securities":
        return rng.choice([word for word in words(SecurityKind) if word != old])
    if isinstance(old, date):
        return old + timedelta(days=rng.randint(1, 60))
    if isinstance(old, Fraction):
        if isinstance(where, tuple) and where[2] in ("New", "Old"):
            return old + rng.randint(1, 3)
        return _near(rng, old)
    return f"{rng.choice(STRANGE)} {rng.randint(1, 99)}"


def _near(rng: random.Random, old: Fraction) -> Fraction:
    """A little less or more, with as many decimals or one more; a whole number stays one."""
    while True:
        factor = F(rng.choice([80, 88, 93, 97, 99, 101, 104, 110, 118]), 100)
        digits = 0 if old.denominator == 1 and old > 50 else rng.randint(2, 4)
        new = round_to(old * factor, digits, RoundingType.HALF_UP)
        if new not in (old, 0):
            return new


def _written(rng: random.Random, where: tuple[str, int, str]) -> str:
    """A figure as a notice may state it: right at other digits, or wrong by a little."""
    text = str(BASE.get(where))
    written = read_written(text)
    if written is None:
        return "2012-05-05"
    sign = rng.choice(["", "", "$", "US$", "USD "])
    if rng.random() < 0.5:
        return sign + with_commas(
            written.value + F(rng.choice([-1, 1, 7]), 10**written.decimals), written.decimals
        )
    digits = rng.randint(0, 6)
    (row,) = (r for n, r in enumerate(BASE.tables["in_stated"], start=1) if n == where[1])
    (finding,) = (
        f for f in said(BASE).findings if f.check is Check.RECOMPUTED and f.item == Item(str(row["Item"]))
    )
    assert finding.recomputed is not None
    return sign + with_commas(round_to(finding.recomputed, digits, rng.choice(list(RoundingType))), digits)


def _inputs() -> list[Where]:
    """Every input that is not blank, but for the constants of the model and what is a choice of a kind."""
    found: list[Where] = [name for name in BASE.scalars if name not in CONSTANTS]
    for table, rows in BASE.tables.items():
        for number, row in enumerate(rows, start=1):
            for header, content in row.items():
                if content is None or (table in (EARLIER, LATER) and header in ("Kind", "Form")):
                    continue
                if header in ("Item", "Of the security") or content == STATED_OF:
                    continue
                found.append((table, number, header))
    return found


STATED_OF = "Bridge notes"
"""The security of which something is stated: its name changes only where it is stated, too."""
BLANK_ROW: Mapping[str, Content] = dict.fromkeys(EVENT_HEADERS.split("|"))


def _row_of(table: str, number: int, row: Mapping[str, Content]) -> Change_of_inputs:
    """A whole row, what it does not say left blank."""
    blank: Mapping[str, Content] = BLANK_ROW if table in (EARLIER, LATER) else dict.fromkeys(BASE.tables[table][0])
    return {(table, number, header): content for header, content in {**blank, **row}.items()}


def _event_rows() -> Iterator[Change_of_inputs]:
    """Each kind and form in the place of another, a row more, and rows less."""
    days = {"earlier": date(2010, 6, 1), "later": date(2014, 6, 1)}
    for number, row in enumerate((*BASE.tables[EARLIER], *BASE.tables[LATER]), start=1):
        yield _row_of(EARLIER, 9, {**row, "Event": f"Once more {number}", "Date": days["earlier"]})
        yield _row_of(LATER, 5, {**row, "Event": f"Once more {number}", "Date": days["later"]})
    for form, market in (("subtract", None), ("excess", F("3.2")), ("ratio", F("3.2"))):
        dividend: dict[str, Content] = {
            "Event": form,
            "Date": date(2006, 6, 30),
            "Kind": "cash_dividend",
            "Money per share": F("0.07"),
        }
        yield _row_of(EARLIER, 4, {**dividend, "Market price": market, "Form": form})
    for number in (8, 1, 5):
        yield _row_of(EARLIER, number, {})
    yield {key: content for number in range(1, 9) for key, content in _row_of(EARLIER, number, {}).items()}
    yield {key: content for number in range(1, 5) for key, content in _row_of(LATER, number, {}).items()}
    rising: dict[str, Content] = {
        "Event": "Rescinded",
        "Date": date(2010, 3, 1),
        "Kind": "replayed",
        "Price as replayed": F("2.4"),
    }
    yield _row_of(EARLIER, 9, rising)
    yield _row_of(LATER, 1, {**rising, "Date": date(2012, 8, 1), "Price as replayed": F("1.1234567")})


def _more_rows() -> Iterator[Change_of_inputs]:
    """Rows more and less in the other tables, and terms that meet one another."""
    yield _row_of("in_holders", 5, {"Holder": "Cedar Fund", "Certificate": "A-5", "Shares": F(41)})
    yield _row_of("in_holders", 24, {"Holder": "Ada Ventures", "Certificate": "A-9", "Shares": F(5_001)})
    yield _row_of("in_holders", 1, {})
    yield _row_of("in_securities", 4, {"Security": "More", "Kind": "option", "Shares": F(100_000),
                                       "Consideration in all": F(25_000)})  # fmt: skip
    yield _row_of("in_securities", 12, {"Security": "Free", "Kind": "shares", "Shares": F(1_000),
                                        "Consideration per share": F(0)})  # fmt: skip
    yield _row_of("in_securities", 2, {})
    yield _row_of("in_capitalization", 14, {"Class": "Notes", "Kind": "convertible_note", "Before": F(2_000_000),
                                            "After": F(2_000_000), "Counted as": "other"})  # fmt: skip
    yield _row_of("in_capitalization", 2, {})
    for number in range(1, 12):
        yield _row_of("in_stated", number, {})
    yield _row_of("in_stated", 20, {"Item": "common_shares", "Of the security": "Adviser shares",
                                    "As written": "350,001"})  # fmt: skip
    yield {
        ("in_stated", 3, "Other document says"): "1411724",
        ("in_stated", 6, "Other document says"): "$1,611,724.0",
    }
    renamed = "Notes of 2012"
    yield {("in_securities", 1, "Security"): renamed, ("in_stated", 10, "Of the security"): renamed}
    yield {"in_market_price": None}
    yield {"in_notice": None}
    yield {"in_notice_price": None, "in_notice_ratio": None}
    yield {("in_securities", 1, "Consideration per share"): F(9)}  # not below the price: nothing moves
    for method in (Method.FULL_RATCHET, Method.NONE):
        for counts in CountsAfter:
            yield {"in_method": method.value, "in_counts_after": counts.value}
    for carried in Basis:
        for basis in Basis:
            yield {"in_carried_price": carried.value, "in_ratio_basis": basis.value, "in_price_decimals": F(2)}


def sound(change: Change_of_inputs) -> bool:
    """Whether the inputs after it can be: the core refuses nothing, and doubles tell every rounding."""
    state = BASE.changed(change)
    counts = issuance_of(state)
    if counts.outstanding_before <= 0 or counts.outstanding_after <= 0:
        return False
    after = counts.outstanding_after + counts.other_after
    if after <= counts.outstanding_before + counts.other_before:
        return False
    try:
        return not too_close(state)
    except ValueError:
        return False


def _drawn() -> Iterator[tuple[str, Change_of_inputs]]:
    """Every input once, every word of every choice, every kind of row, and many inputs together."""
    rng = random.Random(20020205)  # noqa: S311
    inputs = _inputs()
    for where in inputs:
        for _attempt in range(20):
            change: Change_of_inputs = {where: drawn(rng, where)}
            if change[where] != BASE.get(where) and sound(change):
                yield f"{where if isinstance(where, str) else ' '.join(map(str, where))}", change
                break
        else:
            raise AssertionError(f"nothing sound for {where}")
    for name, names in CHOICES.items():
        for word in words(names):
            if word != BASE.get(name):
                yield f"{name} {word}", {name: word}
    for number, change in enumerate((*_event_rows(), *_more_rows()), start=1):
        assert sound(change), change
        yield f"rows {number}", change
    for number in range(60):
        while True:
            chosen = rng.sample(inputs, rng.randint(2, 14))
            together = {where: drawn(rng, where) for where in chosen}
            if sound(together):
                break
        yield f"together {number}", together


@cache
def changes() -> Mapping[str, Change_of_inputs]:
    return dict(_drawn())


@dataclass
class Live:
    """The base, open, and every value that it showed when it was opened."""

    document: Document
    values: Mapping[Key, Value]

    @contextmanager
    def typed(self, change: Change_of_inputs) -> Iterator[dict[Key, Value]]:
        """All values with other inputs, which are set back."""
        put(self.document, BASE.changed(change), list(change))
        try:
            self.document.recalculate()
            yield self.document.values()
        finally:
            put(self.document, BASE, list(change))


@pytest.fixture(scope="module")
def opened_base(calc: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    path = tmp_path_factory.mktemp("base") / "base.xlsx"
    path.write_bytes(price_model_bytes(BASE.filling()))
    with calc.session() as session:
        document = session.open(path)
        document.recalculate()
        yield Live(document, document.values())


class TestChangedInputs:
    def test_at_least_two_hundred_and_every_input_among_them(self) -> None:
        assert len(changes()) >= 200
        touched = {where for change in changes().values() for where in change}
        names = {name for name in layout().book.defined_names if name.startswith("in_")}
        tables = {*BASE.tables, "in_change_log", "in_remarks"}
        assert {where for where in touched if isinstance(where, str)} == names - tables - set(CONSTANTS)
        for table in BASE.tables:
            headers = {where[2] for where in touched if isinstance(where, tuple) and where[0] == table}
            assert headers >= set(BASE.tables[table][0])
        for name, choice in CHOICES.items():
            assert {BASE.get(name), *(c[name] for c in changes().values() if name in c)} == set(words(choice))
        for table in (EARLIER, LATER):
            kinds = {
                c for change in changes().values() for w, c in change.items() if w[0] == table and w[2] == "Kind"
            }
            assert kinds >= set(words(EventKind))

    def test_the_base_is_as_the_core_has_it(self, opened_base: Live) -> None:
        wanted = expected(BASE)
        assert wrong(opened_base.values, wanted) == {}
        assert len(wanted) > 250
        assert set(words_of(wanted, "Tie-out", "K")) >= {"ties", "exception", ""}
        assert set(words_of(wanted, "Price history", "N")) >= {"as noticed", "differs", ""}

    @pytest.mark.parametrize("name", changes())
    def test_what_follows_changes_and_nothing_else(self, opened_base: Live, name: str) -> None:
        change = changes()[name]
        before, after = expected(BASE), expected(BASE.changed(change))
        typed = [layout().cell(where) for where in change]
        follow = layout().dependents(typed)
        with opened_base.typed(change) as values:
            assert wrong(values, after) == {}
            shown = opened_base.values
            moved = {key for key in {*shown, *values} if shown.get(key, "") != values.get(key, "")}
            assert moved <= follow | set(typed)
            # What differs for the core has changed, and is among what follows.
            must = {key for key in before.keys() & after if before[key] != after[key]}
            assert must <= moved & follow
            errors = {key for key, value in values.items() if isinstance(value, Error)}
            assert not errors


def words_of(wanted: Expected, sheet: str, column: str) -> list[str]:
    return [v for (s, c), v in wanted.items() if s == sheet and c.startswith(column) and isinstance(v, str)]


# The file.

NAMES = frozenset(
    """
    chk_a chk_all chk_at_digits chk_average_price chk_c chk_calculation_increase chk_calculation_not_above
    chk_capitalization_counts chk_capitalization_rows chk_comparisons chk_cp0 chk_cp1 chk_cp2 chk_cp2r
    chk_cp2r_rounded chk_cpb chk_cpl chk_cplr chk_cplr_rounded chk_cpn chk_cpu chk_d chk_dl chk_events_rows
    chk_exceptions chk_holders_aggregate chk_holders_all chk_holders_before chk_holders_cash chk_holders_common
    chk_holders_differences chk_holders_incomplete chk_holders_price chk_holders_rows chk_holders_together
    chk_inputs_as_of chk_inputs_choices chk_inputs_constants chk_inputs_decimals chk_inputs_event_date
    chk_inputs_figures chk_inputs_prices chk_k chk_kinds_of_classes chk_kinds_of_securities chk_l
    chk_lowest_price chk_n chk_p chk_prices chk_r chk_r0 chk_r0r chk_r0r_rounded chk_r1 chk_r1r chk_r1r_rounded
    chk_r2 chk_r2r chk_r2r_rounded chk_rl chk_rlr chk_rlr_rounded chk_rr chk_securities_rows chk_sensitivity
    chk_sheet_about chk_sheet_calculation chk_sheet_capitalization chk_sheet_change_log chk_sheet_checks
    chk_sheet_events chk_sheet_holders chk_sheet_inputs chk_sheet_notice chk_sheet_price_history
    chk_sheet_register chk_sheet_result chk_sheet_rounding chk_sheet_securities_issued chk_sheet_sensitivity
    chk_sheet_stated chk_sheet_tie_out chk_stated_items chk_stated_results chk_stated_together chk_sum_x
    chk_sum_y chk_x chk_y in_as_of in_capitalization in_carried_price in_cash_decimals in_cash_rounding_type
    in_change_log in_clause in_company in_conversion_price in_counts_after in_currency in_earlier_events
    in_event in_event_date in_guard in_half in_holders in_later_events in_market_price in_method in_notice
    in_notice_price in_notice_ratio in_one in_original_issue_price in_price_decimals in_price_rounding_type
    in_ratio_basis in_ratio_decimals in_ratio_rounding_type in_remarks in_securities in_sensitivity_price
    in_sensitivity_price_step in_sensitivity_size in_sensitivity_size_step in_series in_share_rounding_type
    in_shares_per in_stated in_ten in_tolerance in_tolerance_amount in_zero out_comparisons out_consideration
    out_conversion_price out_conversion_price_now out_conversion_price_unrounded out_conversion_ratio
    out_conversion_ratio_before out_conversion_ratio_now out_conversion_ratio_unrounded out_events_count
    out_exceptions out_holders_cash out_holders_common out_holders_common_in_aggregate out_holders_preferred
    out_inputs_missing out_lowest_price out_notices_that_differ out_ready out_register_shares out_shares_listed
    out_sum_a out_sum_c out_sum_x out_sum_y out_version
    """.split()  # noqa: SIM905
)
"""The interface: whoever reads or fills the workbook finds its cells by these. None may go."""


def parts(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def company_fillings() -> Mapping[str, Filling]:
    """Of each series of the company example, the last issuance that moved its price."""
    (company,) = read_companies(EXAMPLES / "company")
    return {series.name: price_filling(company, series.name) for series in company.company.series}


@cache
def fillings() -> Mapping[str, Filling]:
    """What a model is built with here: the notice, nothing, the company's series, and drawn inputs."""
    rng = random.Random(641)  # noqa: S311
    some = rng.sample([name for name in changes() if name.startswith(("together", "rows", "in_method"))], 20)
    return {
        "the notice": shipped_filling(),
        "blank": blank_filling(),
        "every kind": BASE.filling(),
        **company_fillings(),
        **{name: BASE.changed(changes()[name]).filling() for name in some},
    }


@cache
def built(name: str) -> bytes:
    return price_model_bytes(fillings()[name])


FILLINGS = ("the notice", "blank", "every kind", "Series A", "Series B", "Series C")


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
                env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LANG": language, "LC_ALL": language},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for zone, seed, language in (("UTC", "1", "C"), ("Pacific/Kiritimati", "2", "tr_TR.UTF-8"))
        }
        assert len(seen) == 1
        assert price_model_bytes() == built("the notice")

    def test_the_committed_file_is_a_fresh_build(self, capsys: pytest.CaptureFixture[str]) -> None:
        fresh, committed = parts(built("the notice")), parts(COMMITTED.read_bytes())
        assert committed.keys() == fresh.keys()
        for name, content in fresh.items():
            assert committed[name] == content, f"{name} differs: run python workbooks/build.py"
        build = runpy.run_path(str(ROOT / "workbooks" / "build.py"))
        assert COMMITTED.name in build["files"]()
        assert build["main"](["--wrong"]) == 2
        assert "usage" in capsys.readouterr().err

    def test_the_build_says_what_differs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        copied = tmp_path / "build.py"
        copied.write_bytes((ROOT / "workbooks" / "build.py").read_bytes())
        build = runpy.run_path(str(copied))["main"]
        assert build(["--check"]) == 1
        assert f"{COMMITTED.name} differs" in capsys.readouterr().err
        assert build([]) == 0
        assert (tmp_path / COMMITTED.name).read_bytes() == built("the notice")
        assert build(["--check"]) == 0
        (tmp_path / COMMITTED.name).write_bytes(b"no workbook")
        assert build(["--check"]) == 1

    @pytest.mark.parametrize("name", FILLINGS)
    def test_every_formula_has_a_value_and_none_is_an_error(self, name: str) -> None:
        of, raw = Layout(built(name)), parts(built(name))
        found = list(of.formulas())
        assert len(found) > 2000
        cells = [cell for part, content in raw.items() if "worksheets/" in part for cell in _cells(content)]
        assert sum(b"<f" in cell for cell in cells) == len(found)
        assert all(re.search(rb"<v[ />]", cell) for cell in cells if b"<f" in cell)
        for sheet, coordinate, _text in found:
            assert of.stored[sheet][coordinate].data_type != "e", (sheet, coordinate)

    @pytest.mark.parametrize("name", FILLINGS)
    def test_the_validator_finds_nothing(
        self, validator: Callable[[Path], list[Finding_of_the_file]], tmp_path: Path, name: str
    ) -> None:
        path = tmp_path / "model.xlsx"
        path.write_bytes(built(name))
        assert validator(path) == []

    def test_the_figures_of_the_notice(self) -> None:
        of = Layout(built("the notice"))

        def value(name: str) -> object:
            sheet, cell = of.name(name)
            return of.stored[sheet][cell].value

        assert value("out_conversion_price") == 2
        assert value("out_conversion_price_unrounded") == float(F(3901581383, 1949522350))
        assert value("out_conversion_ratio") == 3.2
        assert (value("out_comparisons"), value("out_exceptions")) == (14, 5)
        assert value("chk_all") == "OK"
        assert of.stored["About"]["D2"].value == "Tie-out: 5 exceptions"
        assert of.book.properties.title == "Conversion price model"

    def test_the_blank_twin(self) -> None:
        of = Layout(built("blank"))
        sheet, cell = of.name("chk_all")
        assert of.stored[sheet][cell].value == "OPEN"
        results = [of.stored[s][c].value for s, c in map(of.name, NAMES) if c and s == "Calculation"]
        assert set(results) <= {None, "", "OPEN", "Formulas agree: OPEN"}
        texts = {str(c.value) for s in of.stored.worksheets for row in s.iter_rows() for c in row if c.value}
        assert not any("Vsource" in text for text in texts)


def _cells(sheet: bytes) -> list[bytes]:
    return re.findall(rb"<c [^>]*?(?<!/)>.*?</c>", sheet, re.DOTALL)


class TestLint:
    @pytest.fixture(scope="class")
    def of(self) -> Layout:
        return Layout(built("every kind"))

    def test_no_constant_in_a_formula(self, of: Layout) -> None:
        for sheet, coordinate, text in of.formulas():
            bare = re.sub(r"""'[^']*'!|"[^"]*"|[A-Z]+\(|\$?[A-Z]{1,3}\$?\d+""", " ", text)
            assert not re.search(r"\d", bare), (sheet, coordinate, text)
            assert len(text) < 8192

    def test_every_function_of_an_adjustment_is_used(self, of: Layout) -> None:
        used = {name for *_, text in of.formulas() for name in re.findall(r"CP_[A-Z_]+", text)}
        wanted = {
            "CP_WEIGHTED_AVERAGE", "CP_FULL_RATCHET", "CP_SPLIT", "CP_STOCK_DIVIDEND", "CP_CASH_DIVIDEND",
            "CP_RIGHTS", "CP_SPIN_OFF", "CP_TENDER_OFFER", "CP_RATIO", "CP_CONVERSION_SHARES", "CP_CASH_IN_LIEU",
            "CP_ROUND", "CP_VERSION",
        }  # fmt: skip
        assert wanted == used <= FUNCTIONS.keys()

    def test_nothing_is_hidden(self, of: Layout) -> None:
        assert of.book.sheetnames == ["About", *SHEETS]
        for sheet in of.book.worksheets:
            assert sheet.sheet_state == "visible"
            dimensions = [*sheet.row_dimensions.values(), *sheet.column_dimensions.values()]
            assert not any(dimension.hidden for dimension in dimensions)
            assert not any(cell.protection.hidden for row in sheet.iter_rows() for cell in row)
            assert not any((cell.number_format or "") == ";;;" for row in sheet.iter_rows() for cell in row)

    def test_names_are_the_interface(self, of: Layout) -> None:
        names = set(of.book.defined_names)
        assert names == NAMES
        tables = {*BASE.tables, "in_change_log", "in_remarks"}
        cells = [of.name(name) for name in names - tables]
        assert len(cells) == len(set(cells)) > 90

    def test_input_cells_are_open_and_nothing_else_is(self, of: Layout) -> None:
        given = {of.cell(where) for where in (*BASE.scalars, *_inputs()) if where not in LOCKED}
        for sheet in of.book.worksheets:
            assert sheet.protection.sheet
            assert not sheet.protection.password
            for row in sheet.iter_rows():
                for cell in row:
                    if not cell.protection.locked and sheet.title != "About":  # which has a sample of one
                        assert sheet.title in (*INPUT_SHEETS, "Change log"), (sheet.title, cell.coordinate)
                        assert cell.data_type != "f", (sheet.title, cell.coordinate)
        assert not [key for key in given if of.book[key[0]][key[1]].protection.locked]

    def test_merged_cells_do_not_overlap(self, of: Layout) -> None:
        for sheet in of.book.worksheets:
            seen: set[tuple[int, int]] = set()
            for merged in sheet.merged_cells.ranges:
                cells = set(merged.cells)
                assert not cells & seen
                seen |= cells

    def test_lists_offer_exactly_the_words_of_the_core(self, of: Layout) -> None:
        columns: dict[Where, type[StrEnum]] = {
            **dict(CHOICES.items()),
            ("in_capitalization", 1, "Kind"): ClassKind,
            ("in_capitalization", 1, "Counted as"): CountedAs,
            ("in_securities", 1, "Kind"): SecurityKind,
            (EARLIER, 1, "Kind"): EventKind,
            (LATER, 6, "Kind"): EventKind,
            ("in_stated", 20, "Item"): Item,
        }
        forms = {*words(CashForm), *words(SpinOffForm)}
        wanted = {of.cell(where): set(words(names)) for where, names in columns.items()}
        wanted[of.cell(("in_stated", 20, "Item"))] = {item.value for item in ITEMS}
        wanted[of.cell((EARLIER, 12, "Form"))] = wanted[of.cell((LATER, 1, "Form"))] = forms
        for (title, cell), names in wanted.items():
            rules = [
                rule
                for rule in of.book[title].data_validations.dataValidation
                if rule.type == "list" and any(cell in area for area in _areas(rule))
            ]
            assert [set(_offered(of.book, rule)) for rule in rules] == [names], (title, cell)

    def test_validations_name_their_rule(self, of: Layout) -> None:
        lists = 0
        for sheet in of.book.worksheets:
            for rule in sheet.data_validations.dataValidation:
                assert rule.showErrorMessage
                assert rule.error
                assert " must be " in rule.error
                assert len(rule.error) <= 255
                assert len(rule.errorTitle or "") <= 32
                assert len(rule.formula1 or "") <= 255
                if rule.type == "list":
                    lists += 1
                    offered = _offered(of.book, rule)
                    listed = ", ".join(offered)
                    assert listed[:150] in rule.error or "About" in rule.error
                    for area in _areas(rule):
                        shown = {sheet[cell].value for column in cols_from_range(area.coord) for cell in column}
                        assert shown <= {None, *offered}
        assert lists >= len(CHOICES) + 7

    def test_inputs_look_like_inputs_and_formulas_do_not(self, of: Layout) -> None:
        spilled = {key for keys in of.arrays().values() for key in keys}
        locked = {of.name(name) for name in LOCKED}
        for sheet in of.book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    blue = cell.font.color is not None and cell.font.color.rgb == "000000FF"
                    if cell.data_type == "f":
                        assert not blue, (sheet.title, cell.coordinate)
                    elif cell.data_type in ("n", "d") and cell.value is not None and cell.column > 1:
                        if (sheet.title, cell.coordinate) in spilled:
                            continue
                        constant = (sheet.title, cell.coordinate) in locked
                        assert blue != constant, (sheet.title, cell.coordinate)
                        assert sheet.title in (*INPUT_SHEETS, "Change log")

    def test_no_currency_format(self, of: Layout) -> None:
        for sheet in of.book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert not re.search(r"[$€£¥]|_\(|\[\$", cell.number_format), (sheet.title, cell.coordinate)

    def test_print_set_up_and_panes(self, of: Layout) -> None:
        for sheet in of.book.worksheets:
            assert str(sheet.page_setup.paperSize) == "9"
            footer: Any = sheet.oddFooter
            if sheet.title == "Notice":  # a letter, which says nothing of a workbook
                assert footer.left.text is None
            else:
                assert (footer.left.text, footer.right.text) == (sheet.title, "Page &P of &N")
            if sheet.title != "About":
                assert sheet.freeze_panes

    def test_each_printed_page_says_of_what(self, of: Layout) -> None:
        for sheet in of.book.worksheets:
            if sheet.page_setup.fitToHeight != 1:
                assert str(sheet.print_title_rows).startswith("$1:$"), sheet.title

    def test_code_names_are_all_different(self, of: Layout) -> None:
        names = [sheet.sheet_properties.codeName for sheet in of.book.worksheets]
        assert len({str(name).casefold() for name in names}) == len(names)
        assert all(re.fullmatch(r"cp_[a-z_]+", str(name)) for name in names)

    def test_a_filling_that_there_is_no_room_for_is_refused(self) -> None:
        with pytest.raises(ValueError, match="in_holders: 4 rows"):
            price_model(BASE.filling(), Room(holders=3))
        book = price_model(BASE.filling(), Room(holders=40, earlier=9, later=4))
        assert book.cached[Layout.name(layout(), "chk_all")] is not None


def _areas(rule: Any) -> list[Any]:
    return list(rule.sqref.ranges)


def _offered(book: Workbook, rule: Any) -> list[str]:
    match = re.fullmatch(r"'?([^'!]+)'?!(.+)", rule.formula1)
    assert match
    cells = cols_from_range(match[2].replace("$", ""))
    return [str(book[match[1]][cell].value) for column in cells for cell in column]


# In LibreOffice.


@contextmanager
def opened(office: Office, data: bytes, folder: Path) -> Iterator[Document]:
    path = folder / "model.xlsx"
    path.write_bytes(data)
    with office.session() as session:
        document = session.open(path)
        document.recalculate()
        yield document


def differing(of: Layout, values: Mapping[Key, Value]) -> dict[Key, tuple[object, object]]:
    """The formulas that do not give the value that the file carries for them."""
    found: dict[Key, tuple[object, object]] = {}
    filled = {(s, c) for s, c, _ in of.formulas()} | {key for keys in of.arrays().values() for key in keys}
    for sheet, coordinate in filled:
        stored, value = of.stored[sheet][coordinate].value, values.get((sheet, coordinate), "")
        if hasattr(stored, "year"):
            stored = entry(stored.date())
        if isinstance(stored, bool | int | float):
            same = isinstance(value, float) and math.isclose(value, stored, rel_tol=1e-11, abs_tol=1e-8)
        else:
            same = value == (stored or "")
        if not same:
            found[sheet, coordinate] = stored, value
    return found


class TestLibreOffice:
    @pytest.mark.parametrize("name", [*FILLINGS, *(f"drawn {number}" for number in range(20))])
    def test_every_cell_recalculates_to_its_cached_value(self, calc: Office, tmp_path: Path, name: str) -> None:
        if name.startswith("drawn"):
            name = list(fillings())[len(FILLINGS) + int(name.split()[1])]
        with opened(calc, built(name), tmp_path) as document:
            values = document.values()
        of = Layout(built(name))
        assert differing(of, values) == {}
        assert values[of.name("chk_all")] == ("OPEN" if name == "blank" else "OK")

    def test_a_blank_model_filled_cell_by_cell_is_the_filled_one(self, calc: Office, tmp_path: Path) -> None:
        wanted, blank = Layout(built("the notice")), Layout(built("blank"))
        notice = shipped_filling()
        given: dict[Where, Content] = {name: one.value for name, one in notice.scalars.items()}
        for table, rows in notice.tables.items():
            if table in BASE.tables:
                for number, row in enumerate(rows, start=1):
                    given |= {(table, number, header): content for header, content in row.items()}
        assert len(given) > 120
        with opened(calc, built("blank"), tmp_path) as document:
            assert document.value(*blank.name("chk_all")) == "OPEN"
            for count, (where, content) in enumerate(given.items(), start=1):
                document.set(*blank.cell(where), entry(content))
                if count % 8 == 0:
                    values = document.values()
                    assert not [key for key, value in values.items() if isinstance(value, Error)]
                    assert values[blank.name("chk_all")] in ("OPEN", "OK", "CHECK")
            values = document.values()
        own = ("About", "Change log")
        assert values[blank.name("chk_all")] == "OK"
        assert not {key: pair for key, pair in differing(wanted, values).items() if key[0] not in own}

    @pytest.mark.parametrize("name", ["every kind", "Series A"])
    def test_without_the_add_in_the_native_side_works(self, office: Office, tmp_path: Path, name: str) -> None:
        of = Layout(built(name))
        with opened(office, built(name), tmp_path) as document:
            values = document.values()
        assert values[of.name("chk_all")] == "NO ADD-IN"
        assert values["About", "D1"] == "Formulas agree: NO ADD-IN"
        said_so = (Error("#NAME?"), "n/a", "NO ADD-IN")
        wanting = {key for key, (_, value) in differing(of, values).items()}
        by_function = {(s, c) for s, c, text in of.formulas() if "CP_" in text}
        by_function |= {key for start in by_function for key in of.arrays().get(start, ())}
        # What differs follows from a function, and says so; no result and no check of inputs is among them.
        assert wanting <= by_function | of.dependents(list(by_function))
        for name_of, key in ((n, of.name(n)) for n in NAMES if n.startswith("out_")):
            if name_of != "out_version":
                assert key not in wanting
                assert values.get(key, "") not in said_so
        if name == "every kind":
            wanted = expected(BASE)
            skip = {key for key in wanted if key[0] == "Sensitivity" and key[1][0] in "IJKLM"}
            skip.add(of.name("chk_all"))
            assert wrong(values, {key: figure for key, figure in wanted.items() if key not in skip}) == {}

    def test_the_lines_under_a_title_follow_the_inputs(self, opened_base: Live) -> None:
        change: dict[Where, Content] = {
            "in_company": 'O\'Neil & "Sons"',
            "in_series": "Series Z",
            "in_as_of": date(2021, 3, 5),
        }
        with opened_base.typed({**change, "in_clause": "Article 9"}) as values:
            for sheet in layout().book.sheetnames:
                assert str(values[sheet, "A2"]).startswith('O\'Neil & "Sons", Series Z. ')
                assert str(values[sheet, "A3"]).startswith("As of 2021-03-05. xl_conversion ")
            assert "Article 9" in {values.get(("Calculation", f"J{row}")) for row in range(5, 20)}
            assert not [key for key, value in values.items() if "Example Robotics" in str(value)]

    def test_every_check_can_fail(self, opened_base: Live) -> None:
        """Each expected figure is overwritten in turn: its check and the master check say so."""
        sheet, document = layout().book["Checks"], opened_base.document
        rows = [cell.row for cell in sheet["A"] if str(cell.value).isdigit()]
        link = re.compile(r"='?([^'!]+)'?!\$([A-Z]+)\$(\d+)")
        master = layout().name("chk_all")
        for row in rows:
            found = link.fullmatch(str(sheet[f"D{row}"].value))
            at = (found[1], found[2] + found[3]) if found and found[1] != "Inputs" else ("Checks", f"D{row}")
            if found and found[1] == "Inputs":  # a constant: the other side is overwritten
                at = "Checks", f"E{row}"
                other = link.fullmatch(str(sheet[f"E{row}"].value).partition("ISERROR(")[2].partition(")")[0])
                other = other or re.search(r"'?([^'!(]+)'?!\$([A-Z]+)\$(\d+)", str(sheet[f"E{row}"].value))
                assert other
                at = other[1], other[2] + other[3]
            before = document.cell(*at)
            assert isinstance(before.value, float), (row, at)
            document.set(*at, before.value + 1000)
            assert document.value("Checks", f"H{row}") == "CHECK", (row, at)
            assert document.value(*master) == "CHECK"
            assert document.value("About", "D1") == "Formulas agree: CHECK"
            document.set(*at, before.formula)
            assert document.value(*master) == "OK", row
        assert len(rows) >= 40


GUARDED = ("Capitalization", "Securities issued", "Calculation", "Holders", "Tie-out")
SHOWN_ONLY = {
    "Calculation": ("Tolerance",),
    "Holders": ("Tolerance",),
    "Tie-out": ("Stated less recomputed", "Half of the last digit"),
}
"""Columns from which nothing follows, and those that repeat a tolerance of Inputs."""


def guarded() -> Iterator[Key]:
    """The cells with a formula from which a result follows."""
    for sheet, coordinate, _ in layout().formulas():
        if sheet not in GUARDED:
            continue
        letter, row = re.sub(r"\d", "", coordinate), int(re.sub(r"\D", "", coordinate))
        column = layout().book[sheet][letter]
        shown = SHOWN_ONLY.get(sheet, ())
        headed = any(cell.value in shown for cell in column[: row - 1])
        if not headed and layout().book[sheet][f"A{row}"].value != "G":  # which is there to be seen
            yield sheet, coordinate


@pytest.mark.parametrize("sheet", GUARDED)
def test_a_formula_that_was_overwritten_is_found(opened_base: Live, sheet: str) -> None:
    document, master, found = opened_base.document, layout().name("chk_all"), 0
    for key in (key for key in guarded() if key[0] == sheet):
        cell = document.cell(*key)
        if not isinstance(cell.value, float):
            continue
        digits = layout().book[sheet][key[1]].number_format == "0"
        document.set(*key, cell.value + 1 if digits or cell.value == 0 else cell.value * 1.07)
        assert document.value(*master) == "CHECK", (key, cell)
        document.set(*key, cell.formula)
        found += 1
    assert document.value(*master) == "OK"
    assert found >= {"Capitalization": 4, "Securities issued": 10, "Calculation": 40}.get(sheet, 50)


THIRDS: Change_of_inputs = {
    **{
        key: None
        for table in (EARLIER, LATER)
        for n in range(1, 1 + len(BASE.tables[table]))
        for key in _row_of(table, n, {})
    },
    "in_original_issue_price": F(1),
    "in_conversion_price": F(1),
    "in_price_decimals": F(2),
    "in_ratio_decimals": F(2),
    "in_ratio_rounding_type": "floor",
    "in_counts_after": CountsAfter.SECURITIES_LISTED.value,
    **_row_of("in_capitalization", 1, {"Class": "Common", "Kind": "common", "Before": F(100),
                                       "Counted as": "outstanding"}),
    **{key: None for n in (2, 3, 4) for key in _row_of("in_capitalization", n, {})},
    **_row_of("in_securities", 1, {"Security": "Bridge notes", "Kind": "shares", "Shares": F(50),
                                   "Consideration in all": F(0)}),
    **{key: None for n in (2, 3) for key in _row_of("in_securities", n, {})},
    ("in_holders", 2, "Shares"): F(100),
}  # fmt: skip
"""The price falls from 1 to two thirds, so that the ratio is one and a half."""
ONE_THIRD: Change_of_inputs = {("in_securities", 1, "Shares"): F(200)}
RATCHET: Change_of_inputs = {"in_method": "full_ratchet", ("in_securities", 1, "Shares"): F(3),
           ("in_securities", 1, "Consideration in all"): F(2)}  # fmt: skip
SPLIT: Mapping[str, Content] = {"Kind": "split", "New": F(3), "Old": F(2)}
EVEN: Mapping[str, Change_of_inputs] = {
    "two thirds": {},
    "two thirds, up": {"in_ratio_rounding_type": "ceiling", "in_share_rounding_type": "ceiling"},
    "one third": ONE_THIRD,
    "one third, up": {**ONE_THIRD, "in_ratio_rounding_type": "ceiling", "in_share_rounding_type": "ceiling"},
    "by a ratchet": RATCHET,
    "by a ratchet, up": {**RATCHET, "in_ratio_rounding_type": "ceiling", "in_share_rounding_type": "ceiling"},
    "carried unrounded, then a half": {
        "in_carried_price": "unrounded",
        "in_price_rounding_type": "ceiling",
        **_row_of(EARLIER, 1, {"Event": "Split", "Date": date(2003, 2, 1), **SPLIT}),
        ("in_securities", 1, "Shares"): F(100),
    },
    "split before and after": {
        "in_carried_price": "unrounded",
        **_row_of(EARLIER, 1, {"Event": "Split", "Date": date(2003, 2, 1), **SPLIT}),
        **_row_of(LATER, 1, {"Event": "Split", "Date": date(2013, 2, 1), **SPLIT}),
    },
    "capped by the price in force": {
        "in_carried_price": "unrounded",
        "in_price_rounding_type": "ceiling",
        **_row_of(EARLIER, 1, {"Event": "Replayed", "Date": date(2003, 2, 1), "Kind": "replayed",
                               "Price as replayed": F("0.99213")}),
        ("in_capitalization", 1, "Before"): F(1_000_000),
        ("in_securities", 1, "Shares"): F(2),
    },
    "nothing moves, unrounded": {
        "in_carried_price": "unrounded",
        "in_price_rounding_type": "ceiling",
        **_row_of(EARLIER, 1, {"Event": "Split", "Date": date(2003, 2, 1), **SPLIT}),
        ("in_securities", 1, "Consideration in all"): F(500),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", EVEN)
def test_what_comes_out_even_is_no_difference(opened_base: Live, name: str) -> None:
    """Of a price such as two thirds a cell has 15 digits; neither side may round by the digits that it lacks."""
    for basis in Basis:
        change = {**THIRDS, **EVEN[name], "in_ratio_basis": basis.value}
        wanted = {k: v for k, v in expected(BASE.changed(change)).items() if k[0] != "Tie-out"}
        with opened_base.typed(change) as values:
            assert wrong(values, wanted) == {}


def test_the_securities_of_a_stated_figure_are_named_exactly(opened_base: Live) -> None:
    names = ("Warrants", "warrants", "*Warrants", "A?~<=", "=1+1", "12", "<5", "Ω*")
    change: dict[Where, Content] = {}
    for number, name in enumerate(names, start=1):
        shares = F(3_000_000 + number)
        change |= _row_of("in_securities", number, {"Security": name, "Kind": "warrant", "Shares": shares,
                                                    "Consideration per share": F("0.4")})  # fmt: skip
        change |= _row_of("in_stated", number, {"Item": "common_shares", "Of the security": name,
                                                "As written": with_commas(shares, 0)})  # fmt: skip
    change |= {key: None for number in (9, 10, 11) for key in _row_of("in_stated", number, {})}
    state = BASE.changed(change)
    stored = Layout(price_model_bytes(state.filling())).stored["Tie-out"]
    rows = _tie_out_rows()
    assert {stored[f"K{rows[str(number)]}"].value for number in range(1, 9)} == {"ties"}
    # LibreOffice would take it for a formula.
    change |= {**_row_of("in_securities", 5, {}), **_row_of("in_stated", 5, {})}
    wanted = expected(BASE.changed(change))
    with opened_base.typed(change) as values:
        assert wrong(values, wanted) == {}
        assert values["Tie-out", f"K{rows['3']}"] == "ties"


def test_what_is_stated_and_no_number_is_told(opened_base: Live) -> None:
    row = _tie_out_rows()["8"]
    with opened_base.typed({("in_stated", 8, "As written"): "2.00 per share"}) as values:
        assert [values.get(("Tie-out", f"{column}{row}"), "") for column in "EFHJK"] == [
            "",
            "",
            "",
            "",
            "no number",
        ]
        assert values[layout().name("chk_stated_results")] == "CHECK"
    with opened_base.typed({("in_stated", 8, "As written"): "US$.10"}) as values:
        assert [values["Tie-out", f"{column}{row}"] for column in "EFK"] == [0.1, 2, "exception"]
        assert values[layout().name("chk_all")] == "OK"


IMPOSSIBLE: Sequence[tuple[Where, Sequence[object]]] = (
    ("in_original_issue_price", (0, -1, "text", None)),
    ("in_conversion_price", (0, -1, "text", None)),
    ("in_market_price", (0, -1, "text")),
    ("in_notice_price", (0, "text")),
    ("in_event_date", ("text", None, -5)),
    ("in_event_date", (0, "2012-05-04")),
    ("in_as_of", ("text", -5, date(2012, 5, 3))),
    *((name, ("nearest", None)) for name in CHOICES),
    ("in_method", ("full_ratchet ", "full*", "Broad")),
    ("in_share_rounding_type", ("f*", " floor")),
    *((name, ("text", -1, None)) for name in DECIMALS),
    ("in_sensitivity_size", ("text", 0)),
    ("in_sensitivity_price_step", ("text", -1)),
    *((name, ("text", -1)) for name in CONSTANTS),
    ("in_zero", (1,)),
    ("in_one", (2, 0)),
    ("in_ten", (9,)),
    ("in_tolerance", ("0.5",)),
    ("in_tolerance_amount", ("0.5",)),
    (("in_capitalization", 1, "Before"), ("text", "'31000000", -1)),
    (("in_capitalization", 1, "After"), ("text", "'53000000", -1, None, 0)),
    (("in_capitalization", 2, "Before"), ("'2831184", -1)),
    (("in_capitalization", 3, "After"), ("'1611724", -1)),
    (("in_capitalization", 4, "Before"), ("'900000", -1)),
    (("in_capitalization", 1, "Counted as"), ("all", None, "out*", "outstanding ")),
    (("in_capitalization", 1, "Kind"), ("shares of stock",)),
    (("in_securities", 1, "Kind"), ("bond", "war*")),
    (("in_securities", 1, "Shares"), ("text", "'15575951", 0, -1, None)),
    (("in_securities", 1, "Consideration per share"), ("text", "'0.40", -1, None)),
    (("in_securities", 2, "Consideration in all"), ("text", "'3128250.55", -1)),
    ((EARLIER, 1, "Date"), ("text", None, date(2020, 1, 1))),
    ((EARLIER, 1, "Kind"), ("merger", None)),
    ((EARLIER, 1, "Shares"), ("text", 0, -1, None)),
    ((EARLIER, 1, "Price noticed"), ("text", -1)),
    ((EARLIER, 4, "Form"), ("average", "over_sum")),
    ((LATER, 4, "Old"), ("text", 0, -1)),
    ((LATER, 1, "Event"), (None,)),
    (("in_holders", 1, "Shares"), ("text", 0, -1, None)),
    (("in_holders", 1, "Holder"), (None,)),
    (("in_stated", 1, "Item"), ("letter",)),
    (("in_stated", 1, "As written"), ("'33831184 or so", None)),
    (("in_stated", 8, "As written"), ("2.00 per share",)),
)
"""Inputs, and what none of them can be."""


@pytest.mark.parametrize(
    ("where", "contents"),
    IMPOSSIBLE,
    ids=[w if isinstance(w, str) else "-".join(map(str, w)) for w, _ in IMPOSSIBLE],
)
def test_an_impossible_input_is_no_ok_and_is_found(
    opened_base: Live, where: Where, contents: Sequence[object]
) -> None:
    sheet, _cell = layout().cell(where)
    for content in contents:
        typed: Content = content if content is None or isinstance(content, date) else _content(content)
        with opened_base.typed({where: typed}) as values:
            master = values[layout().name("chk_all")]
            assert master in ("CHECK", "OPEN"), (where, content)
            assert values["About", "D1"] == f"Formulas agree: {master}"
            if master == "OPEN":
                # Something is missing, and Inputs say so; without its zero a model knows nothing.
                assert values[layout().name("out_inputs_missing")] != 0 or where == "in_zero"
            else:
                failed = [
                    str(values["Checks", f"C{cell[1:]}"])
                    for (title, cell), value in values.items()
                    if title == "Checks" and cell[0] == "H" and value != "OK" and f"C{cell[1:]}" != "C5"
                    and ("Checks", f"C{cell[1:]}") in values and cell != "H7" and value
                ]  # fmt: skip
                marked = [value for (title, _), value in values.items() if title == sheet and value == "CHECK"]
                assert failed or marked, (where, content)
    assert opened_base.document.value(*layout().name("chk_all")) == "OK"


class TestTieOut:
    """The exceptions of the notice, and of what is stated at random, are those that the core finds."""

    def test_the_exceptions_of_the_notice(self) -> None:
        (company,) = read_companies(EXAMPLES / "vsource")
        series = company.company.series[0].name
        (change,) = company.history.of(series)
        (issuance,) = company.issuances[series]
        found = tie_out_history([change], [issuance], company.stated[series])
        of_the_model = [finding for finding in found if finding.check is not Check.CHAIN]
        of = Layout(built("the notice"))
        sheet = of.stored["Tie-out"]
        shown = [
            (str(sheet[f"B{row}"].value), str(sheet[f"K{row}"].value))
            for row in range(8, 32)
            if sheet[f"K{row}"].value in ("ties", "exception")
        ]
        assert sorted(shown) == sorted(
            (f.check.value, f.result.value) for f in of_the_model if f.item != "common_shares"
        )
        told = {str(sheet[f"C{row}"].value): sheet[f"L{row}"].value for row in range(8, 32)}
        assert told["Common per preferred, from the price as stated"] == "floor, half_even"
        assert told["Numerator, A + B + C"] == "floor"
        assert told["X - A as stated, against the securities issued"] == "none"
        assert not told["Conversion price after"]

    def test_random_statements(self, opened_base: Live) -> None:
        rng = random.Random(5)  # noqa: S311
        rows = range(1, len(BASE.tables["in_stated"]) + 1)
        seen: set[tuple[str, str]] = set()
        for _number in range(12):
            while True:
                change: dict[Where, Content] = {
                    where: _written(rng, where)
                    for where in (("in_stated", row, "As written") for row in rows)
                    if rng.random() < 0.7
                }
                if sound(change):
                    break
            wanted = {k: v for k, v in expected(BASE.changed(change)).items() if k[0] == "Tie-out"}
            with opened_base.typed(change) as values:
                assert wrong(values, wanted) == {}
            seen |= {(f.check.value, f.result.value) for f in said(BASE.changed(change)).findings}
        assert seen >= {(check, result) for check in "RFP" for result in ("ties", "exception")} - {("F", "ties")}
