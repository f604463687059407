"""A refresh of the conversion price model: the event under study, the events around it, and what was noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from xl_conversion.books.refresh.package import Constant, RefreshError
from xl_conversion.books.refresh.plan import DATE, EVENT, NOTICE, NOTICED, Kept, Plan, filled, same
from xl_conversion.books.refresh.slots import SOURCE, Slot, Slots, constant
from xl_conversion.books.templates.filling import Content, Filling, Given, Row
from xl_conversion.books.templates.price_filling import ILLUSTRATION
from xl_conversion.books.templates.sheets import capitalization, securities, stated, tie_out
from xl_conversion.books.templates.sheets.events import EVENT_COLUMNS, EventKind
from xl_conversion.books.templates.words import CountedAs, CountsAfter
from xl_conversion.core.terms import Method

CLOSE = 1e-12
EARLIER, LATER, HOLDERS = "in_earlier_events", "in_later_events", "in_holders"
OF_THE_EVENT = ("in_clause", "in_event_date", "in_counts_after")
OF_THE_NOTICE = ("in_notice", "in_notice_price", "in_notice_ratio")
NOTICE_COLUMNS = (NOTICE, "Price noticed", "Ratio noticed")
COUNTS = ("Outstanding before", "Other securities before", "Shares", "Money in all")
REGISTER = ("Holder", "Certificate", "Shares", "Note")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    capitalization.TABLE: (
        capitalization.CLASS,
        capitalization.KIND,
        capitalization.BEFORE,
        capitalization.AFTER,
        capitalization.COUNTED,
        capitalization.SOURCE,
    ),
    securities.TABLE: (
        securities.SECURITY,
        securities.KIND,
        securities.SECURITY_SHARES,
        securities.EACH,
        securities.IN_ALL,
        securities.SOURCE,
        securities.NOTE,
    ),
    stated.TABLE: (
        stated.ITEM,
        stated.SUBJECT,
        stated.WRITTEN,
        stated.SOURCE,
        stated.OTHER,
        stated.OTHER_SOURCE,
    ),
}
"""The input columns of the tables; others are computed, or a reader's."""


def is_price_model(slots: Slots) -> bool:
    """Whether a workbook is one of this kind."""
    return "in_original_issue_price" in slots.scalars and securities.TABLE in slots.tables


def series_of(slots: Slots) -> str:
    """The series that the workbook is of; "" for a blank one."""
    found = slots.given("in_series")
    return str(found) if found is not None else ""


def plan_price(slots: Slots, wanted: Filling, results: Mapping[str, Constant]) -> Plan:
    """What `wanted` changes; `results` are what the cells named ``out_`` show now.

    Raises RefreshError for another company or series, and for what cannot be done without touching what a notice
    was issued on.
    """
    plan = Plan(slots)
    for name in ("in_company", "in_series"):
        has, other = slots.given(name), wanted.given(name).value
        if has is not None and has != other:
            raise RefreshError(
                f"The workbook is of {has}, the input of {other}",
                "A model stays with its series: xl-conversion template makes one for another.",
            )
    event, studied = slots.given("in_event"), str(wanted.given("in_event").value)
    same_event = event == studied
    told = any(slots.given(name) is not None for name in OF_THE_NOTICE)
    frozen = NOTICED if same_event and told else ""
    noticed = _noticed_rows(slots)
    if not same_event and isinstance(event, str) and told:
        noticed[event] = Noticed(slots.scalars["in_event"], _row_of_the_event(slots, event, results))
    of_notice = {name: wanted.given(name) for name in OF_THE_NOTICE}
    if not same_event and studied in noticed:
        of_notice = _back_under_study(plan, wanted, studied, noticed.pop(studied))
    blank = slots.given("in_series") is None
    for name in wanted.scalars:
        given = filled(wanted, name, illustrations=blank)
        if given is None or given.value is None or name in OF_THE_NOTICE:
            continue  # what the input says nothing of stays
        plan.scalar(name, given, frozen=frozen if name in OF_THE_EVENT else "")
    for name, given in of_notice.items():
        # That the input tells of no notice does not take one back; of an event before it goes to the earlier ones.
        if not same_event or given.value is not None:
            plan.scalar(name, given, frozen=frozen if slots.given(name) is not None else "")
    for name, key, own in (
        (capitalization.TABLE, (capitalization.CLASS,), (capitalization.SOURCE,)),
        (securities.TABLE, (securities.SECURITY,), (securities.SOURCE, securities.NOTE)),
        (stated.TABLE, (stated.ITEM, stated.SUBJECT), (stated.SOURCE, stated.OTHER, stated.OTHER_SOURCE)),
    ):
        plan.table(
            name,
            wanted.tables[name],
            COLUMNS[name],
            key,
            own=own,
            frozen=frozen,
            growing=name == stated.TABLE,
            reuse=not same_event,
        )
    holders = wanted.tables[HOLDERS]
    if any(row.get("Note") != ILLUSTRATION for row in holders):
        plan.table(HOLDERS, holders, REGISTER, REGISTER[:2], own=("Note",))
    _events(plan, wanted, studied, noticed)
    if not plan.kept:  # else they are of other figures than those that stay
        columns = (tie_out.REMARK_TICK, tie_out.REMARK_FIGURE, tie_out.REMARK)
        plan.positional(tie_out.REMARKS, wanted.tables[tie_out.REMARKS], columns)
    return plan


@dataclass(frozen=True, slots=True)
class Noticed:
    """An event that a notice was issued on, in the columns of the events, and the cell that has its name."""

    slot: Slot
    row: Mapping[str, Content]


def _events(plan: Plan, wanted: Filling, studied: str, noticed: Mapping[str, Noticed]) -> None:
    """The earlier and the later events. A row that a notice was issued on goes on as it stands in the workbook,
    also where it moves from one table to the other."""
    tables = {name: list(wanted.tables[name]) for name in (EARLIER, LATER)}
    given = {str(row[EVENT]) for rows in tables.values() for row in rows}
    for name in noticed:
        if name not in given and name != studied:
            raise RefreshError(
                f"The input has no event {name}, which a notice was issued on",
                "Old results are kept: give the event as it was, or what corrects it.",
            )
    for table, rows in tables.items():
        told = [_as_noticed(plan, row, noticed.get(str(row[EVENT]))) for row in rows]
        plan.events(table, told, EVENT_COLUMNS, noticed.keys())


def _back_under_study(plan: Plan, wanted: Filling, event: str, noticed: Noticed) -> dict[str, Given]:
    """The notice of an event that comes back under study, as it stands in the workbook. Raises RefreshError where
    it was noticed with other figures than those of the input."""

    def number(row: Row, column: str) -> Fraction:
        found = row.get(column)
        return found if isinstance(found, Fraction) else Fraction(0)

    def counted(column: str, counted_as: CountedAs) -> Fraction:
        rows = wanted.tables[capitalization.TABLE]
        return sum((number(r, column) for r in rows if r[capitalization.COUNTED] == counted_as), Fraction(0))

    both = CountedAs.OUTSTANDING, CountedAs.OTHER
    before = [counted(capitalization.BEFORE, one) for one in both]
    after = [counted(capitalization.AFTER, one) for one in both]
    issued = wanted.tables[securities.TABLE]
    shares = sum((number(row, securities.SECURITY_SHARES) for row in issued), Fraction(0))
    paid = sum((number(r, securities.EACH) * number(r, securities.SECURITY_SHARES) for r in issued), Fraction(0))
    paid += sum((number(row, securities.IN_ALL) for row in issued), Fraction(0))
    ratchet = wanted.given("in_method").value == Method.FULL_RATCHET.value
    if not ratchet and wanted.given("in_counts_after").value == CountsAfter.OWN_COUNTS.value:
        shares = sum(after, Fraction(0)) - sum(before)
    figures = dict(zip(COUNTS, (before[0] or None, before[1] or None, shares, paid), strict=True))
    given = {DATE: wanted.given("in_event_date").value, "Kind": EventKind.ISSUANCE.value, **figures}
    for header, content in given.items():
        if not _close(constant(noticed.row.get(header)) or None, constant(content) or None):
            raise RefreshError(
                f"{event} was noticed with other figures than the input has: {header} is "
                f"{_told(noticed.row.get(header))} on {noticed.slot.sheet}, {_told(content)} in the input",
                "Old results are kept: xl-conversion template --event makes a model of it with the new figures.",
            )
    found = {}
    for name, column in zip(OF_THE_NOTICE, NOTICE_COLUMNS, strict=True):
        has, other = noticed.row.get(column), wanted.given(name)
        if has is not None and other.value is not None and not same(constant(has), constant(other.value)):
            plan.kept.append(
                Kept(noticed.slot, f"{event}: {column}", constant(has), constant(other.value), NOTICED)
            )
        found[name] = other if has is None else Given(has, other.source)
    return found


def _noticed_rows(slots: Slots) -> dict[str, Noticed]:
    """The rows of events that a notice was issued on, as they stand in the workbook."""
    found: dict[str, Noticed] = {}
    named: Counter[str] = Counter()
    for name in (EARLIER, LATER):
        if name not in slots.tables:
            raise slots.missing(name)
        table = slots.tables[name]
        table.slot(table.first, NOTICE)  # without it nobody knows
        headers = [header for header in EVENT_COLUMNS if header in table.columns]
        for number, values in slots.rows(table, headers).items():
            named[str(values.get(EVENT))] += 1
            if all(values.get(column) is None for column in NOTICE_COLUMNS):
                continue
            if values.get(EVENT) is None:
                raise RefreshError(
                    f"{table.sheet}, row {number}, has a notice but no event", "Name the event, or clear the row."
                )
            found[str(values[EVENT])] = Noticed(table.slot(number, EVENT), dict(values))
    for event, one in found.items():
        if named[event] > 1:
            raise RefreshError(
                f"{one.slot.sheet} has two rows of {event}, which a notice was issued on", "Clear or rename one."
            )
    return found


def _row_of_the_event(slots: Slots, event: str, results: Mapping[str, Constant]) -> dict[str, Content]:
    """The event that was under study until now, in the columns of an earlier one."""

    def number(name: str) -> float:
        found = results.get(name)
        return float(found) if isinstance(found, float | int) else 0.0

    before = number("out_sum_a"), number("out_sum_c")
    shares = number("out_shares_listed")
    ratchet = slots.given("in_method") == Method.FULL_RATCHET.value  # which weighs nothing
    if not ratchet and slots.given("in_counts_after") == CountsAfter.OWN_COUNTS.value:
        shares = number("out_sum_x") + number("out_sum_y") - sum(before)
    figures = (before[0] or None, before[1] or None, shares, number("out_consideration"))
    notice = {column: slots.given(name) for column, name in zip(NOTICE_COLUMNS, OF_THE_NOTICE, strict=True)}
    return {
        EVENT: event,
        DATE: slots.given("in_event_date"),
        "Kind": EventKind.ISSUANCE.value,
        **dict(zip(COUNTS, figures, strict=True)),
        **notice,
    }


def _as_noticed(plan: Plan, row: Row, noticed: Noticed | None) -> Row:
    """A row of the input, or where a notice was issued on it what the workbook has; differences are reported."""
    if noticed is None:
        return row
    for header in EVENT_COLUMNS:
        has, given = constant(noticed.row.get(header)), constant(row.get(header))
        # A source is words, and that the input tells of no notice does not take one back.
        told = header != SOURCE and (header not in NOTICE_COLUMNS or given is not None)
        if told and not _close(has, given):
            what = f"{row[EVENT]}: {header}"
            plan.kept.append(Kept(noticed.slot, what, has, given, NOTICED, day=header == DATE))
    return {SOURCE: row.get(SOURCE), **noticed.row}


def _close(one: Constant, other: Constant) -> bool:
    """Whether two figures are the same but for what doubles lose when they are added up."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= CLOSE * max(abs(one), abs(other))
    return same(one, other)


def _told(content: Content) -> str:
    found = constant(content) if not isinstance(content, date) else content.isoformat()
    return "blank" if found is None else f"{found:,.15g}" if isinstance(found, float) else str(found)
