"""The sheets Events and History of the price model: the same prices as the core, whatever happened, and honest."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from support.lint import lint
from support.office import Document, Error, Office
from support.ooxml import Finding

from xl_conversion.books.page import Book
from xl_conversion.books.saving import save_workbook
from xl_conversion.books.templates.filling import Content, Filling, Row
from xl_conversion.books.templates.lines import Lines
from xl_conversion.books.templates.model import CHECK, NO_ADDIN, OK, Model
from xl_conversion.books.templates.sheets import events, history
from xl_conversion.books.templates.sheets.events import EVENT_COLUMNS, EventKind, write_events
from xl_conversion.books.templates.sheets.history import AS_NOTICED, DIFFERS, History
from xl_conversion.books.templates.sheets.rounding import rounded
from xl_conversion.books.templates.words import BASES, METHODS, TYPES
from xl_conversion.core.adjustments import ImpossibleArgument
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
    Waived,
)
from xl_conversion.core.history import Company
from xl_conversion.core.history import history as core_history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis, Method, Rounding, Series

F = Fraction
GUARD = 6
"""Digits behind the last one that a figure in a cell still tells from a double's own error."""
NOTICE_DAY = date(2002, 2, 5)
NOTICE = Series(
    "Series 2-A",
    "Vsource, Inc.",
    F("6.41"),
    F("6.41"),
    price=Rounding(2),
    ratio=Rounding(2),
    ratio_basis=Basis.UNROUNDED,
)
ISSUED = {"A": F(33831184), "C": F(1411724), "K": F("8187842.70"), "I": F(81728433)}


@dataclass
class Built:
    """A workbook with both sheets and scratch sheets for what stands before and in between."""

    model: Model

    def value(self, symbol: str) -> Any:
        return self.model.value(symbol)

    def save(self, path: Path) -> Path:
        book = self.model.book
        save_workbook(book.workbook, book.cached, path, as_of=book.as_of)
        return path

    def cell(self, symbol: str) -> tuple[str, str]:
        place = self.model.places[symbol]
        return place.sheet, place.first


def build(
    series: Series | None,
    earlier: Sequence[Row] = (),
    later: Sequence[Row] = (),
    *,
    studied: Mapping[str, Fraction] | None = None,
    day: date | None = NOTICE_DAY,
    notice: tuple[str, Content, Content] = ("", None, None),
    rows: tuple[int, int] = (12, 6),
) -> Built:
    """The sheets for a series; without one every input is blank. `studied` are A, C, K and I of the event."""
    book = Book("Scratch", NOTICE_DAY, overwritten=True)
    filling = Filling(tables={events.EARLIER: earlier, events.LATER: later})
    model = Model(book, filling)
    scratch = book.page("Scratch", "", (9, 20, 20, 20, 20))
    events_page = book.page("Events", events.PURPOSE, events.WIDTHS)
    history_page = book.page("Price history", history.PURPOSE, history.WIDTHS)
    calculation = book.page("Calculation", "", (9, 43, 31, 19, 19, 13, 11, 12, 21, 27))
    _inputs(model, scratch, series, studied, day, notice)
    write_events(model, events_page, *rows)
    required = ["OIP", "START", "METHOD", "EVENT", "IN_A", "IN_K", "IN_I"]
    blanks = "+".join(f"COUNTA({symbol})" for symbol in required)
    model.formula(scratch, "C60", f"{blanks}=REQUIRED", symbol="READY")
    sheet = History(model, history_page, *rows)
    sheet.write_earlier()
    _calculation(model, calculation)
    sheet.write_rest()
    return Built(model)


def _inputs(
    model: Model,
    page: Any,
    series: Series | None,
    studied: Mapping[str, Fraction] | None,
    day: date | None,
    notice: tuple[str, Content, Content],
) -> None:
    for column, words in (("D", {"TYPES": TYPES, "BASES": BASES}), ("E", {"METHODS": METHODS})):
        row = 20
        for symbol, names in words.items():
            first = row
            for name in names:
                model.listed(page, f"{column}{row}", f"{symbol}_{name}", str(name))
                row += 1
            model.range(page, symbol, f"{column}{first}", f"{column}{row - 1}")
    constants: dict[str, Content] = {
        "ZERO": F(0), "ONE": F(1), "TEN": F(10), "GUARD": F(GUARD), "TOLERANCE": F("1e-9"), "REQUIRED": F(7),
    }  # fmt: skip
    given: dict[str, Content] = dict.fromkeys(
        (
            "OIP", "START", "METHOD", "PRICE_DECIMALS", "PRICE_TYPE", "RATIO_DECIMALS", "RATIO_TYPE", "CARRIED",
            "BASIS", "EVENT", "EVENT_DATE", "NOTICE", "NOTICE_PRICE", "NOTICE_RATIO", "IN_A", "IN_C", "IN_K",
            "IN_I",
        )
    )  # fmt: skip
    if series is not None:
        counts = studied or ISSUED
        given |= {
            "OIP": series.original_issue_price,
            "START": series.conversion_price,
            "METHOD": series.method.value,
            "PRICE_DECIMALS": F(series.price.decimals or 0),
            "PRICE_TYPE": series.price.rounding_type.value,
            "RATIO_DECIMALS": F(series.ratio.decimals or 0),
            "RATIO_TYPE": series.ratio.rounding_type.value,
            "CARRIED": series.carried_price.value,
            "BASIS": series.ratio_basis.value,
            "EVENT": "The issuance under study",
            "EVENT_DATE": day,
            "NOTICE": notice[0] or None,
            "NOTICE_PRICE": notice[1],
            "NOTICE_RATIO": notice[2],
            **{f"IN_{letter}": counts[letter] for letter in "ACKI"},
        }
    for row, (symbol, content) in enumerate((constants | given).items(), start=20):
        page.text(f"B{row}", symbol)
        model.content(page, f"C{row}", symbol, content, "yyyy-mm-dd" if symbol == "EVENT_DATE" else "General")
    model.formula(page, "C61", "CP_VERSION()", symbol="VERSION")


def _calculation(model: Model, page: Any) -> None:
    """What the sheet Calculation makes of the event under study, from the price that is in force."""
    lines = Lines(model, page, "Clause")
    arguments = "CP1, IN_A, IN_K, IN_I, IN_C"
    price = "IF(METHOD=METHODS_none, CP1, IF(METHOD=METHODS_full_ratchet, {}, {}))"
    taken = rounded("CP2", "PRICE_DECIMALS", "PRICE_TYPE")
    basis = "IF(BASIS=BASES_rounded, CP2r, IF(CP2=CP1, UNROUNDED_IN, CP2))"
    for symbol, native, function in (
        ("CP1", "CARRIED_IN", ""),
        ("N", "IN_A+IN_C+IN_K/CP1", ""),
        ("D", "IN_A+IN_C+IN_I", ""),
        (
            "CP2",
            price.format("MIN(CP1, IN_K/IN_I)", "MIN(CP1, CP1*N/D)"),
            price.format("CP_FULL_RATCHET(CP1, IN_K/IN_I)", f"CP_WEIGHTED_AVERAGE({arguments})"),
        ),
        ("CP2r", f"IF(CP2=CP1, IN_FORCE_IN, MIN({taken}, IN_FORCE_IN))", ""),
        ("CPn", "IF(CP2=CP1, CP1, IF(CARRIED=BASES_rounded, CP2r, CP2))", ""),
        ("R", f"OIP/{basis}", ""),
        ("Rr", rounded("R", "RATIO_DECIMALS", "RATIO_TYPE"), ""),
    ):
        lines.figure(symbol, symbol, "", native, "General", "", "", function=function)


# Random chains, and what the core makes of them.


@dataclass(frozen=True)
class Chain:
    """A series, its events in the core's records, and which of them is under study."""

    series: Series
    events: tuple[Event, ...]
    studied: int

    def changes(self) -> tuple[Change, ...]:
        return core_history(Company((self.series,), self.events)).changes

    def states(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """The price in force, the one carried on, and the one of the ratio, after each event."""
        found = []
        for count in range(1, len(self.events) + 1):
            (position,) = core_history(Company((self.series,), self.events[:count])).state.positions.values()
            found.append((position.price, position.start, position.ratio_price))
        return found

    def too_close(self) -> bool:
        """Whether a figure is so close to where the rounding turns, and not there, that no double tells."""
        figures = [(change.unrounded, self.series.price.decimals or 0) for change in self.changes()]
        figures += [(change.ratio_unrounded, self.series.ratio.decimals or 0) for change in self.changes()]
        halves = [2 * figure * 10**decimals for figure, decimals in figures]
        return any(0 < abs(half - round(half)) <= 2 * F(1, 10**GUARD) for half in halves)

    def rows(self) -> tuple[list[Row], list[Row]]:
        """The rows of both tables."""
        changes = {change.event.event: change for change in self.changes()}
        found = [_row(event, changes[event.event]) for event in self.events]
        return found[: self.studied], found[self.studied + 1 :]

    def build(self) -> Built:
        earlier, later = self.rows()
        issued = self.events[self.studied]
        assert isinstance(issued, Issued)
        assert issued.counts is not None
        security = issued.securities[0]
        studied = {
            "A": issued.counts.outstanding_before,
            "C": issued.counts.other_before,
            "K": security.consideration,
            "I": security.shares,
        }
        return build(self.series, earlier, later, studied=studied, day=issued.date)

    def keys(self) -> list[str]:
        later = len(self.events) - self.studied - 1
        return [
            *(f"HE{number}" for number in range(1, self.studied + 1)),
            "HX",
            *(f"HL{number}" for number in range(1, later + 1)),
        ]


def _row(event: Event, change: Change) -> Row:
    row: dict[str, Content] = {"Event": event.event, "Date": event.date}
    match event:
        case Issued(securities=(security,), counts=Counts() as counts) if not security.category:
            row |= {
                "Kind": EventKind.ISSUANCE.value,
                "Outstanding before": counts.outstanding_before,
                "Other securities before": counts.other_before,
                "Shares": security.shares,
                "Money in all": security.consideration,
            }
        case Split():
            row |= {"Kind": EventKind.SPLIT.value, "New": event.new, "Old": event.old}
        case StockDividend():
            row |= {"Kind": EventKind.STOCK_DIVIDEND.value, "Outstanding before": event.outstanding}
            row |= {"Shares": event.shares}
        case CashDividend():
            row |= {"Kind": EventKind.CASH_DIVIDEND.value, "Money per share": event.dividend}
            row |= {"Market price": event.market_price, "Threshold": event.threshold or None}
            row |= {"Form": event.method.value}
        case Rights():
            row |= {"Kind": EventKind.RIGHTS.value, "Outstanding before": event.outstanding}
            row |= {"Shares": event.offered, "Money per share": event.offer_price}
            row |= {"Market price": event.market_price}
        case SpinOff():
            row |= {"Kind": EventKind.SPIN_OFF.value, "Money per share": event.distributed_value}
            row |= {"Market price": event.market_price, "Form": event.method.value}
        case TenderOffer():
            row |= {"Kind": EventKind.TENDER_OFFER.value, "Outstanding before": event.outstanding}
            row |= {"Shares": event.shares, "Money in all": event.consideration}
            row |= {"Market price": event.market_price}
        case _:
            # What was exempted leaves the price in force; a readjustment is told unrounded.
            price = change.unrounded if change.effect is None else change.price
            row |= {"Kind": EventKind.REPLAYED.value, "Price as replayed": price}
    return {header: content for header, content in row.items() if content is not None}


def chain(seed: int) -> Chain:
    """One of all kinds, in which every event can be."""
    for attempt in range(100):
        made = _tried(random.Random(f"{seed}/{attempt}"))  # noqa: S311
        try:
            if all(change.ratio for change in made.changes()) and not made.too_close():
                return made
        except ImpossibleArgument:
            continue
    raise AssertionError("no chain that can be")


def _tried(rng: random.Random) -> Chain:
    start = F(rng.choice(["6.41", "1", "12.345", "0.7", "250"]))
    types, bases = list(RoundingType), list(Basis)
    series = Series(
        "A",
        "C",
        F(rng.choice(["6.41", "10", "1000"])),
        start,
        price=Rounding(rng.randint(2, 6), rng.choice(types)),
        carried_price=rng.choice(bases),
        ratio=Rounding(rng.randint(1, 5), rng.choice(types)),
        ratio_basis=rng.choice(bases),
        exempted=frozenset({"plan"}),
        method=rng.choice([Method.BROAD, Method.COMMON, Method.BROAD, Method.FULL_RATCHET, Method.NONE]),
    )
    earlier, later = rng.randint(0, 9), rng.randint(0, 6)
    day, made = date(2001, 1, 1), list[Event]()
    for number in range(earlier + 1 + later):
        day += timedelta(days=rng.randint(0, 90))
        kind = 0 if number == earlier else rng.randrange(10)
        made.append(_event(rng, kind, f"E{number}", day, start, made))
    return Chain(series, tuple(made), earlier)


def _event(rng: random.Random, kind: int, name: str, day: date, price: Fraction, before: list[Event]) -> Event:
    out = F(rng.randint(1_000, 90_000_000))
    some = F(max(1, int(out * rng.randint(1, 40) / 100)))
    market = price * F(rng.randint(50, 200), 100)
    cents = F(int(market * 100 * rng.randint(1, 30) / 100), 100)
    match kind:
        case 1:
            return Split(event=name, date=day, new=F(rng.choice([1, 2, 3, 1])), old=F(rng.choice([1, 2, 20])))
        case 2:
            return StockDividend(event=name, date=day, shares=some, outstanding=out)
        case 3:
            form = rng.choice(list(CashForm))
            threshold = F(rng.choice([0, 0, 1, 3]), 50)
            given = None if form is CashForm.SUBTRACT else market
            return CashDividend(
                event=name, date=day, dividend=cents / 10, market_price=given, threshold=threshold, method=form
            )
        case 4:
            offer = market * F(rng.choice([50, 80, 95, 100, 120]), 100)
            return Rights(
                event=name, date=day, offered=some, offer_price=offer, market_price=market, outstanding=out
            )
        case 5:
            form = rng.choice(list(SpinOffForm))
            return SpinOff(event=name, date=day, distributed_value=cents, market_price=market, method=form)
        case 6:
            paid = some * market * F(rng.choice([90, 100, 110, 150]), 100)
            return TenderOffer(
                event=name, date=day, consideration=paid, shares=some, market_price=market, outstanding=out
            )
        case 7 if before:
            waived = rng.choice([event.event for event in before if not isinstance(event, Waived)])
            return Waived(event=name, date=day, of=waived)
    other = F(rng.choice([0, 0, 1411724]))
    paid = F(int(some * price * F(rng.choice([5, 30, 60, 90, 100, 150]), 100) * 100), 100)
    category = "plan" if kind == 8 else ""
    sold = Security(f"{name} shares", SecurityKind.SHARES, some, max(paid, F(1)), category=category)
    return Issued(event=name, date=day, securities=(sold,), counts=Counts(out, other, out + some, other))


CHAINS = [chain(seed) for seed in range(72)]
FEW = (3, 2)
"""Rows of the tables where no more are needed."""


def near(value: object, expected: Fraction) -> bool:
    return isinstance(value, float) and abs(value - float(expected)) <= 1e-9 * max(1.0, abs(float(expected)))


def problems(one: Chain, value: Any) -> list[str]:
    """Where the sheet differs from the core; `value` gives what a symbol's cell shows."""
    found = []
    series = one.series
    for key, change, (price, carried, ratio_price) in zip(one.keys(), one.changes(), one.states(), strict=True):
        ratio = series.ratio.price(series.original_issue_price / ratio_price)
        expected = {
            "PRICE": price,
            "AFTER": change.unrounded,
            "NEXT": carried,
            "RATIO": ratio,
            "FROM": change.start,
        }
        found += [
            f"{key}_{symbol} ({type(change.event).__name__}): {value(f'{key}_{symbol}')} for {float(figure)}"
            for symbol, figure in expected.items()
            if not near(value(f"{key}_{symbol}"), figure)
        ]
    return found


class TestAgainstTheCore:
    def test_the_chains_have_every_kind(self) -> None:
        kinds = {type(event) for one in CHAINS for event in one.events}
        assert kinds >= {Issued, Split, StockDividend, CashDividend, Rights, SpinOff, TenderOffer, Waived}
        assert {event.method for one in CHAINS for event in one.events if isinstance(event, CashDividend)} == set(
            CashForm
        )
        assert {one.series.method for one in CHAINS} >= {Method.FULL_RATCHET, Method.NONE, Method.BROAD}

    @pytest.mark.parametrize("seed", range(len(CHAINS)))
    def test_same_prices_and_ratios(self, seed: int) -> None:
        one = CHAINS[seed]
        built = one.build()
        assert problems(one, built.value) == []
        checks = [s for s in built.model.places if s.startswith("HISTORY_") and s.endswith("_RESULT")]
        results = [built.value(symbol) for symbol in checks]
        assert set(built.value("AGAIN_CHECKED")) == {OK}
        assert set(results) <= {OK, ""}
        exempted = [e for e in one.events if isinstance(e, Issued) and e.securities[0].category]
        checked = sum(not isinstance(event, Waived) for event in one.events) - len(exempted) - 1
        assert results.count(OK) == checked
        assert built.value("EVENTS_COUNT") == len(one.events)
        price, _, ratio_price = one.states()[-1]
        assert near(built.value("PRICE_NOW"), price)
        assert near(
            built.value("RATIO_NOW"), one.series.ratio.price(one.series.original_issue_price / ratio_price)
        )

    def test_a_price_in_force_is_not_undercut_by_what_is_carried(self) -> None:
        series = replace(NOTICE, conversion_price=F(2), carried_price=Basis.UNROUNDED, method=Method.NONE)
        paid = [
            StockDividend(event=f"D{shares}", date=date(2001, 1, 1), shares=F(shares), outstanding=F(1_000_000))
            for shares in (1_000, 500)
        ]
        one = Chain(series, (*paid, _event(random.Random(1), 0, "X", NOTICE_DAY, F(2), [])), 2)  # noqa: S311
        assert [price for price, _, _ in one.states()] == [2, 2, 2]
        assert problems(one, one.build().value) == []

    def test_back_at_the_first_price_it_is_not_rounded(self) -> None:
        series = replace(NOTICE, conversion_price=F("6.4167"), method=Method.NONE)
        halved = Split(event="Split", date=date(2001, 1, 1), new=F(2), old=F(1))
        waived = Waived(event="Waiver", date=date(2001, 2, 1), of="Split")
        one = Chain(series, (halved, waived, _event(random.Random(1), 0, "X", NOTICE_DAY, F(2), [])), 2)  # noqa: S311
        assert one.states()[1][0] == F("6.4167")
        assert problems(one, one.build().value) == []


def differing(document: Document, built: Built) -> list[str]:
    """Cells that LibreOffice computes otherwise than the file says."""
    found = []
    shown = document.values()
    for (sheet, cell), value in built.model.book.cached.items():
        other = shown.get((sheet, cell), "")
        same = (
            abs(other - value) <= 1e-9 * max(1.0, abs(value))
            if isinstance(other, float) and isinstance(value, int | float)
            else other == value
        )
        if not same:
            found.append(f"{sheet}!{cell}: {other!r} for {value!r}")
    return found


def errors(document: Document) -> dict[tuple[str, str], Error]:
    return {cell: value for cell, value in document.values().items() if isinstance(value, Error)}


class TestInLibreOffice:
    def test_the_notice(self, calc: Office, tmp_path: Path) -> None:
        built = build(NOTICE, notice=("Notice of 5 February 2002", F(2), F("3.20")))
        assert built.value("HX_AFTER") == pytest.approx(2.001301181799737, abs=1e-15)
        assert (built.value("PRICE_NOW"), built.value("RATIO_NOW")) == (2.0, 3.2)
        assert built.value("HX_AS_NOTICED") == AS_NOTICED
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "notice.xlsx"))
            assert differing(document, built) == []

    @pytest.mark.parametrize("seed", range(0, len(CHAINS), 9))
    def test_recalculated_with_the_functions(self, seed: int, calc: Office, tmp_path: Path) -> None:
        one = CHAINS[seed]
        built = one.build()
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "chain.xlsx"))
            assert differing(document, built) == []
            assert errors(document) == {}
            assert problems(one, lambda symbol: document.value(*built.cell(symbol))) == []

    def test_blank_sheets_show_no_error(self, calc: Office, tmp_path: Path) -> None:
        built = build(None, day=None)
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "blank.xlsx"))
            assert errors(document) == {}
            assert differing(document, built) == []
            assert document.value(*built.cell("PRICE_NOW")) in ("", None)

    def test_without_the_functions_the_prices_are_there(self, office: Office, tmp_path: Path) -> None:
        one = next(one for one in CHAINS if one.studied > 3)
        built = one.build()
        with office.session() as session:
            document = session.open(built.save(tmp_path / "chain.xlsx"))
            assert problems(one, lambda symbol: document.value(*built.cell(symbol))) == []
            results = {
                document.value(*built.cell(symbol))
                for symbol in built.model.places
                if symbol.startswith("HISTORY_E") and symbol.endswith("_RESULT")
            }
            assert NO_ADDIN in results
            assert results <= {NO_ADDIN, "", None}

    def test_an_event_typed_in_moves_all_that_follows(self, calc: Office, tmp_path: Path) -> None:
        built = build(NOTICE)
        split = {"EVENT": "Split of 2003", "DATE": 37700.0, "KIND": "split", "NEW": 1.0, "OLD": 20.0}
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "typed.xlsx"))
            for symbol, content in split.items():
                document.set(*built.cell(f"L2_{symbol}"), content)
                expected = OK if symbol == "OLD" else CHECK
                assert document.value(*built.cell("L2_COMPLETE")) == expected
            assert document.value(*built.cell("PRICE_NOW")) == 40.0
            assert document.value(*built.cell("HL2_KIND")) == "split"
            assert document.value(*built.cell("EVENTS_COUNT")) == 2.0
            assert document.value(*built.cell("HISTORY_L2_RESULT")) == OK
            document.set(*built.cell("L2_DATE"), 30000.0)
            assert document.value(*built.cell("L2_COMPLETE")) == CHECK
            assert document.value(*built.cell("HL2_KIND")) == history.NOT_COMPLETE
            assert document.value(*built.cell("PRICE_NOW")) == 2.0

    def test_a_formula_typed_over_fails_its_check(self, calc: Office, tmp_path: Path) -> None:
        built = build(NOTICE, [SPLIT])
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "over.xlsx"))
            assert document.value(*built.cell("HISTORY_E1_RESULT")) == OK
            document.set(*built.cell("HE1_AFTER"), 3.3)
            assert document.value(*built.cell("HISTORY_E1_RESULT")) == CHECK

    def test_any_figure_typed_over_fails_a_check(self, calc: Office, tmp_path: Path) -> None:
        built = build(NOTICE, [SPLIT], notice=("Notice", F(2), F("3.20")), rows=(2, 1))
        results = [built.cell(symbol) for symbol in ("PRICE_NOW", "RATIO_NOW", "EVENTS_COUNT", "NOTICES_DIFFER")]
        checks = [
            (place.sheet, f"L{row}")
            for symbol in ("HISTORY_CHECKED", "AGAIN_CHECKED")
            for place in [built.model.places[symbol]]
            for row in range(int(place.first[1:]), int(place.last[1:]) + 1)
        ]
        sheet = built.model.book.workbook["Price history"]
        changed = set()
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "over.xlsx"))
            before = [document.value(*cell) for cell in results]
            for (title, cell), value in list(built.model.book.cached.items()):
                if title != sheet.title or not isinstance(value, int | float) or isinstance(value, bool):
                    continue
                document.set(title, cell, float(value) * 1.07)
                if [document.value(*one) for one in results] != before:
                    changed.add(cell[0])
                    assert CHECK in [document.value(*one) for one in checks], cell
                document.set(title, cell, sheet[cell].value)
                assert [document.value(*one) for one in results] == before, cell
        assert changed >= {"D", "E", "H", "N"}

    def test_a_dividend_of_all_that_is_left_is_no_price(self, calc: Office, tmp_path: Path) -> None:
        row = {**DIVIDEND, "Form": "subtract"}
        built = build(NOTICE, [row])
        with calc.session() as session:
            document = session.open(built.save(tmp_path / "nothing.xlsx"))
            document.set(*built.cell("E1_EACH"), 7.0)
            assert errors(document).keys() == {built.cell("HE1_FUNCTION")}
            assert document.value(*built.cell("HISTORY_E1_RESULT")) == CHECK
            assert document.value(*built.cell("CARRIED_IN")) == 6.41

    @pytest.mark.parametrize("seed", [0, 5])
    def test_three_printed_pages_and_one_of_events(self, seed: int, calc: Office, tmp_path: Path) -> None:
        built = CHAINS[seed].build() if seed else build(NOTICE)
        book = built.model.book.workbook
        for sheet in list(book.worksheets):
            if sheet.title not in ("Events", "Price history"):
                sheet.sheet_state = "hidden"
        book.active = 1
        assert len(calc.pictures(built.save(tmp_path / "printed.xlsx"), tmp_path, dpi=20)) == 4


SPLIT: Row = {
    "Event": "Split",
    "Date": date(2001, 6, 1),
    "Kind": "split",
    "New": F(2),
    "Old": F(1),
    "Notice": "Letter of 2 June 2001",
    "Price noticed": F("3.21"),
    "Ratio noticed": F(2),
}
DIVIDEND: Row = {
    "Event": "Dividend",
    "Date": date(2001, 7, 1),
    "Kind": "cash_dividend",
    "Money per share": F(1),
    "Market price": F(20),
    "Form": "ratio",
}


class TestNotices:
    @pytest.mark.parametrize(
        ("price", "ratio", "expected"),
        [
            ("3.21", "2", AS_NOTICED),
            ("3.20", "2", DIFFERS),
            ("3.21", "1.99", DIFFERS),
            ("3.21", None, AS_NOTICED),
            (None, "2.01", DIFFERS),
            (None, None, ""),
        ],
    )
    def test_what_follows_against_what_was_told(self, price: str | None, ratio: str | None, expected: str) -> None:
        row = {**SPLIT, "Price noticed": F(price) if price else None, "Ratio noticed": F(ratio) if ratio else None}
        built = build(NOTICE, [row], rows=FEW)
        assert built.value("HE1_PRICE") == 3.21
        assert built.value("HE1_AS_NOTICED") == expected
        assert built.value("NOTICES_DIFFER") == (expected == DIFFERS)

    def test_no_notice_is_not_compared(self) -> None:
        built = build(NOTICE, [{**SPLIT, "Notice": None, "Price noticed": F(1)}], notice=("", F(1), None))
        assert built.value("HE1_AS_NOTICED") == ""
        assert built.value("HX_AS_NOTICED") == ""
        assert built.value("NOTICES_DIFFER") == 0

    def test_the_ratio_of_the_price_that_was_told_differs(self) -> None:
        built = build(NOTICE, [], notice=("Notice", F(2), F("3.21")))
        assert built.value("HX_AS_NOTICED") == DIFFERS
        assert built.value("NOTICES_DIFFER") == 1


WHOLE: dict[str, Row] = {
    "issuance": {"Outstanding before": F(100), "Shares": F(10), "Money in all": F(20)},
    "split": {"New": F(2), "Old": F(1)},
    "stock_dividend": {"Outstanding before": F(100), "Shares": F(10)},
    "cash_dividend": {"Money per share": F(1), "Market price": F(20), "Form": "ratio"},
    "rights": {"Outstanding before": F(100), "Shares": F(10), "Money per share": F(1), "Market price": F(20)},
    "spin_off": {"Money per share": F(1), "Market price": F(20), "Form": "over_market"},
    "tender_offer": {"Outstanding before": F(100), "Shares": F(9), "Money in all": F(99), "Market price": F(3)},
    "replayed": {"Price as replayed": F(5)},
}


class TestComplete:
    @pytest.mark.parametrize("kind", list(EventKind))
    def test_all_that_a_kind_needs_and_nothing_less(self, kind: EventKind) -> None:
        whole: Row = {"Event": "It", "Date": date(2001, 6, 1), "Kind": kind.value, **WHOLE[kind]}
        assert build(NOTICE, [whole], rows=FEW).value("E1_COMPLETE") == OK
        for left_out in whole:
            rest = {header: content for header, content in whole.items() if header != left_out}
            built = build(NOTICE, [rest], rows=FEW)
            assert built.value("E1_COMPLETE") == CHECK, left_out
            assert built.value("HE1_KIND") == history.NOT_COMPLETE
            assert built.value("CARRIED_IN") == 6.41

    @pytest.mark.parametrize(
        ("kind", "wrong"),
        [
            ("cash_dividend", {"Money per share": F(20)}),
            ("cash_dividend", {"Form": "over_sum"}),
            ("cash_dividend", {"Form": "excess", "Money per share": F(21), "Threshold": F(1)}),
            ("spin_off", {"Form": "ratio"}),
            ("spin_off", {"Money per share": F(20)}),
            ("tender_offer", {"Shares": F(100)}),
            ("issuance", {"Shares": F(0)}),
            ("issuance", {"Other securities before": "many"}),
            ("split", {"New": "two"}),
            ("split", {"Date": date(2002, 3, 1)}),
            ("split", {"Kind": "merger"}),
        ],
    )
    def test_what_cannot_be(self, kind: str, wrong: Row) -> None:
        row: Row = {"Event": "It", "Date": date(2001, 6, 1), "Kind": kind, **WHOLE[kind], **wrong}
        built = build(NOTICE, [row], rows=FEW)
        assert built.value("E1_COMPLETE") == CHECK
        assert built.value("PRICE_NOW") == 2.0

    def test_a_threshold_is_no_part_of_what_the_excess_takes(self) -> None:
        form = {"Form": "excess", "Money per share": F("20.5"), "Threshold": F(1)}
        built = build(NOTICE, [{**DIVIDEND, **form}], rows=FEW)
        assert built.value("E1_COMPLETE") == OK
        assert built.value("HE1_AFTER") == pytest.approx(6.41 * 0.5 / 20)

    def test_oldest_first(self) -> None:
        built = build(NOTICE, [{**SPLIT, "Date": date(2001, 9, 1)}, SPLIT], [SPLIT])
        assert [built.value(f"{row}_COMPLETE") for row in ("E1", "E2", "E3", "L1")] == [OK, CHECK, "", CHECK]

    def test_a_ratchet_needs_no_counts_and_a_charter_without_a_clause_none_either(self) -> None:
        row: Row = {"Event": "It", "Date": date(2001, 6, 1), "Kind": "issuance", "Shares": F(10)}
        for method, money, price in ((Method.FULL_RATCHET, "20", 2.0), (Method.NONE, "20", 6.41)):
            series = replace(NOTICE, method=method)
            built = build(series, [{**row, "Money in all": F(money)}], rows=FEW)
            assert built.value("E1_COMPLETE") == OK
            assert built.value("CARRIED_IN") == price
        free = build(replace(NOTICE, method=Method.FULL_RATCHET), [{**row, "Money in all": F(0)}], rows=FEW)
        assert free.value("E1_COMPLETE") == CHECK


class TestFile:
    def test_headers_words_and_room(self) -> None:
        built = build(NOTICE, rows=(30, 10))
        place = built.model.places["E_COMPLETE"]
        assert (place.first[0], int(place.last[1:]) - int(place.first[1:]) + 1) == ("T", 30)
        assert built.value("EVENT_KINDS") == tuple(EventKind)
        assert built.value("FORMS") == (*CashForm, *SpinOffForm)
        assert len(EVENT_COLUMNS) == 19
        with pytest.raises(ValueError, match="in_earlier_events"):
            build(NOTICE, [SPLIT] * 13)

    def test_sound_as_a_file(self, validator: Callable[[Path], list[Finding]], tmp_path: Path) -> None:
        one = max(CHAINS, key=lambda one: len(one.events))
        for name, built in (("many", one.build()), ("none", build(NOTICE)), ("blank", build(None, day=None))):
            path = built.save(tmp_path / f"{name}.xlsx")
            assert validator(path) == []
            found = lint(path)
            assert [f for f in found if "Scratch" not in f and "Calculation" not in f] == []

    def test_a_price_that_goes_on_is_drawn_level(self) -> None:
        built = build(NOTICE)
        sheet = built.model.book.workbook["Price history"]
        (chart,) = sheet._charts
        assert not chart.x_axis.delete
        assert not chart.y_axis.delete
        shown = built.model.book.cached
        rows = range(6, 6 + 2 * 20)
        points = {(shown["Price history", f"P{row}"], shown["Price history", f"Q{row}"]) for row in rows}
        assert points == {(0.0, 6.41), (1.0, 6.41), (1.0, 2.0), (2.0, 2.0)}
        reference = chart.series[0].yVal.numRef.f
        assert reference.endswith("$Q$6:$Q$45")

    def test_print_set_up(self, tmp_path: Path) -> None:
        workbook = load_workbook(build(NOTICE).save(tmp_path / "print.xlsx"))
        sheet = workbook["Price history"]
        # Text of nine points at that scale.
        assert sheet.page_setup.scale * 9 / 100 >= 6.5
        assert sheet.page_setup.orientation == workbook["Events"].page_setup.orientation == "landscape"
        assert workbook["Events"].page_setup.fitToWidth == 1
