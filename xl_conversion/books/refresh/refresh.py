"""New inputs into a workbook that exists: what changes, what the formulas give then, and the new file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from openpyxl.utils import column_index_from_string
from openpyxl.utils.cell import coordinate_from_string

from xl_conversion import __version__
from xl_conversion.books.refresh.chain import feed_of, is_chain_model, plan_chain, plan_feed, wanted_chain
from xl_conversion.books.refresh.package import Cached, Constant, Package, RefreshError
from xl_conversion.books.refresh.plan import EVENT, CellChange, Kept, Plan
from xl_conversion.books.refresh.price import LATER, is_price_model, plan_price, series_of
from xl_conversion.books.refresh.recalculation import Key, Unknown, recalculated
from xl_conversion.books.refresh.saving import replace_workbook
from xl_conversion.books.refresh.slots import Slot, Slots, Workbook, constant
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates import chain_model, price_model
from xl_conversion.books.templates.filling import Filling
from xl_conversion.books.templates.house import CODE_NAME
from xl_conversion.books.templates.price_filling import NoModel, filling_of
from xl_conversion.books.templates.sheets import change_log
from xl_conversion.inputs.reading import CompanyInput, read_companies

PRICES = {"price": "out_conversion_price_now", "chain": "out_common_shares"}
"""The result that the change log keeps, by model."""
WORDS = {"price": "conversion price now", "chain": "common of the chain"}
RESULT = "out_conversion_price"
CLOSE = 1e-9
Values = Mapping[Key, Constant | ExcelErrorText | Unknown]


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the input goes in."""

    series: str = ""
    event: str = ""
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a refresh does, or did."""

    changes: tuple[CellChange, ...]
    """Of the inputs, without the row of the change log."""
    kept: tuple[Kept, ...]
    before: Constant
    after: Constant
    """The price now, or the shares of a chain."""
    what: str
    digest: str
    warnings: tuple[str, ...]
    log: tuple[CellChange, ...]

    @property
    def constants(self) -> dict[Key, Constant]:
        """New contents by sheet and cell, with the row of the change log."""
        return {(c.slot.sheet, c.slot.coordinate): c.new for c in (*self.changes, *self.log)}


def refresh_file(
    path: Path, source: Path, asked: Asked, when: datetime, *, dry_run: bool = False, backup: bool = True
) -> tuple[Outcome, Path | None]:
    """Puts the input at `source` into the workbook at `path`; gives what was done and where the backup is.

    Nothing is written on a `dry_run`, or where nothing changes. Raises RefreshError for what cannot be done
    safely, NoModel for an input that the model cannot show, InputError for a wrong input.
    """
    package = Package.open(path)
    outcome, values = prepare(package, source, asked, when)
    if not outcome.changes:
        return outcome, None
    stored = {sheet.title: package.cells(sheet.title) for sheet in package.sheets}
    cached: dict[Key, Constant | Cached] = {**outcome.constants}
    for key, value in values.items():
        # A formula that is not known here is none of the model's: what it showed stays until a host has opened it.
        if not isinstance(value, Unknown) and not _same(stored[key[0]][key[1]].value, value):
            cached[key] = Cached(value)
    data = package.patched(cached)
    if dry_run:
        return outcome, None
    return outcome, replace_workbook(path, data, package.digest, backup=backup)


def prepare(workbook: Workbook, source: Path, asked: Asked, when: datetime) -> tuple[Outcome, Values]:
    """What the input at `source` changes in `workbook`, and the values that the model's formulas have then."""
    slots = Slots(workbook)
    kind = "price" if is_price_model(slots) else "chain" if is_chain_model(slots) else ""
    if not kind:
        raise RefreshError(
            "This is no model of xl-conversion: it has no input cells by their names",
            "xl-conversion template makes one.",
        )
    stored = {sheet.title: workbook.cells(sheet.title) for sheet in workbook.sheets}
    ours = _ours(workbook)

    def computed(changes: Mapping[Key, Constant]) -> Values:
        return recalculated(stored, workbook.names, changes, ours)

    now = computed({})
    plan, digest, expected = _planned(kind, slots, _results(workbook, now, slots), source, asked)
    tabs = [sheet.title for sheet in workbook.sheets]
    inputs = tuple(sorted(plan.changes.values(), key=lambda change: _place(tabs, change.slot)))
    values = computed({(change.slot.sheet, change.slot.coordinate): change.new for change in inputs})
    before, after = (_result(workbook, slots, found, PRICES[kind]) for found in (now, values))
    log: tuple[CellChange, ...] = ()
    if inputs:
        plan.append(
            change_log.TABLE,
            {
                change_log.WHEN: f"{when.isoformat(sep=' ', timespec='seconds')} UTC",
                change_log.WHAT: f"Refreshed from {source.name}",
                change_log.VERSION: f"xl_conversion {__version__}",
                change_log.DIGEST: digest[:16],
                change_log.BEFORE: before if isinstance(before, float) else None,
                change_log.AFTER: after if isinstance(after, float) else None,
                change_log.REMARK: _remark(len(inputs), plan.kept),
            },
        )
        log = tuple(plan.changes.values())[len(inputs) :]
    beside = "; what you have beside it does not"
    warnings = (*(told + beside for told in plan.moved), *_warnings(workbook, slots, values, expected))
    kept = tuple(sorted(plan.kept, key=lambda one: (one.why, _place(tabs, one.slot))))
    return Outcome(inputs, kept, before, after, WORDS[kind], digest, warnings, log), values


def after_in(workbook: Workbook, outcome: Outcome) -> Constant:
    """The result of `outcome` as the formulas of an open workbook have computed it; None for an error."""
    slots = Slots(workbook)
    slot = slots.places.get(PRICES["price" if outcome.what == WORDS["price"] else "chain"])
    found = None if slot is None else slots.stored(slot).value
    return None if isinstance(found, ExcelErrorText) else found


def _place(tabs: Sequence[str], slot: Slot) -> tuple[int, int, int]:
    """Where a cell stands in the workbook."""
    column, row = coordinate_from_string(slot.coordinate)
    return tabs.index(slot.sheet), row, column_index_from_string(column)


def _planned(
    kind: str, slots: Slots, results: Mapping[str, Constant], source: Path, asked: Asked
) -> tuple[Plan, str, Constant]:
    """The plan, the digest of what goes in, and the price that the core has for the event."""
    feed = _feed(source) if kind == "price" else None
    if feed is not None:
        if asked != Asked():
            raise RefreshError(
                f"{source.name} is a chain model, of one event", "Leave --series, --event, --as-of out."
            )
        return plan_feed(slots, feed), feed.digest, None
    companies = read_companies(source)
    if kind == "chain":
        wanted = wanted_chain(slots, companies, asked.event)
        return plan_chain(slots, wanted), wanted.digest, None
    wanted = _wanted_price(slots, companies, asked)
    (delivered,) = wanted.tables[change_log.TABLE]
    price = delivered[change_log.AFTER]
    return plan_price(slots, wanted, results), wanted.digest, float(price) if price is not None else None  # type: ignore[arg-type]


def _feed(source: Path) -> Filling | None:
    """The securities that a chain model gives, where `source` is one."""
    if not source.is_file() or not zipfile.is_zipfile(source):
        return None
    try:
        package = Package.open(source)
    except RefreshError:  # what is wrong with it as an input is told by those who read inputs
        return None
    slots = Slots(package)
    if not is_chain_model(slots):
        return None
    stored = {sheet.title: package.cells(sheet.title) for sheet in package.sheets}
    feed = feed_of(slots, recalculated(stored, package.names, {}, _ours(package)))
    return Filling(feed.scalars, feed.tables, package.digest)


def _wanted_price(slots: Slots, companies: Sequence[CompanyInput], asked: Asked) -> Filling:
    day, event = slots.given("in_event_date"), slots.given("in_event")
    last = constant(asked.as_of)
    if not asked.event and isinstance(day, float) and isinstance(last, float) and day > last:
        raise RefreshError(
            f"{event}, the event under study, is after {asked.as_of}", "Name an earlier one with --event."
        )
    if asked.series and series_of(slots) not in ("", asked.series):
        raise RefreshError(
            f"The workbook is of {series_of(slots)}, not of {asked.series}",
            "A model stays with its series: xl-conversion template makes one for another.",
        )
    series = asked.series or series_of(slots)
    wanted = filling_of(companies, series, asked.event, asked.as_of)
    if not asked.event and any(row[EVENT] == event for row in wanted.tables[LATER]):
        # Other figures may make the last issuance one that moves nothing: it stays under study all the same.
        with suppress(NoModel):
            wanted = filling_of(companies, series, str(event), asked.as_of)
    return wanted


def _ours(workbook: Workbook) -> list[str]:
    """The sheets of the model: by their code names, by the named cells on them, or where a program has dropped the
    code names and there are none by their titles."""
    named = {slot.sheet for slot in Slots(workbook).places.values()}
    titles = {*price_model.SHEETS, *chain_model.SHEETS, "About"}
    return [
        sheet.title
        for sheet in workbook.sheets
        if sheet.code_name.startswith(CODE_NAME) or sheet.title in named or sheet.title in titles
    ]


def _results(workbook: Workbook, values: Values, slots: Slots) -> dict[str, Constant]:
    return {name: _result(workbook, slots, values, name) for name in workbook.names if name.startswith("out_")}


def _result(workbook: Workbook, slots: Slots, values: Values, name: str) -> Constant:
    """What a named result shows; None for an error, and for one that is not there."""
    slot = slots.places.get(name)
    if slot is None or name not in workbook.names:
        return None
    found = values.get((slot.sheet, slot.coordinate))
    return None if isinstance(found, ExcelErrorText | Unknown) else found


def _warnings(workbook: Workbook, slots: Slots, values: Values, expected: Constant) -> list[str]:
    found = []
    result = _result(workbook, slots, values, RESULT)
    if isinstance(expected, float) and not (
        isinstance(result, float) and abs(result - expected) <= CLOSE * max(1.0, abs(expected))
    ):
        found.append(
            f"the workbook gives the price {result}, the input {expected}: compare the terms on both sides"
        )
    for name, words in (
        ("out_notices_that_differ", "of the notices given differ from the recomputed figures: see Price history"),
        ("out_inputs_missing", "of the required inputs are missing: see Inputs"),
    ):
        number = _result(workbook, slots, values, name)
        if isinstance(number, float) and number:
            found.append(f"{number:g} {words}")
    unknown = sum(isinstance(value, Unknown) for value in values.values())
    if unknown:
        found.append(
            f"{unknown} formulas of yours use what is not computed here; they show what they did until a program "
            "recalculates them"
        )
    return found


def _remark(changes: int, kept: list[Kept]) -> str:
    told = f"{changes} input {'cell' if changes == 1 else 'cells'} changed"
    return f"{told}; {len(kept)} kept as they were" if kept else told


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other
