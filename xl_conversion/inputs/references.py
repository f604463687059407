"""What the rows of different tables must say of one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from xl_conversion.core.stated import MAX_WRITTEN_DECIMALS, OF_SECURITIES, Item, read_written
from xl_conversion.inputs.assemble import Records, given
from xl_conversion.inputs.events import COUNTS, ISSUANCE, KINDS, problems_of
from xl_conversion.inputs.problems import Problem, suggestion
from xl_conversion.inputs.records import (
    ClassRecord,
    ConversionRecord,
    EventRecord,
    HolderRecord,
    Record,
    SecurityRecord,
    SeriesRecord,
    StatedRecord,
)
from xl_conversion.inputs.tables import Row, Table

Broken = tuple[str, str, Iterable[str]]
"""A column, the rule that its cell breaks, and what may have been meant."""


def reference_problems(
    rows: Mapping[str, list[tuple[Row, Record]]], tables: Mapping[str, Table], *, events_needed: bool
) -> Iterator[Problem]:
    """Every row that names what is not there, or does not fit what it names."""
    checks = _Checks(Records.of({name: [record for _, record in found] for name, found in rows.items()}))
    for table, found in rows.items():
        for row, record in found:
            for column, rule, known in checks.of(record, events_needed=events_needed):
                value = row.cells.get(column, "")
                yield Problem(tables[table].file, rule, row.number, column, value, suggestion(value, known))


_OF_EVERY_EVENT = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO, Item.DATE)


class _Checks:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.series = {row.series: row for row in records.series}
        self.events = {(row.series, row.event): row for row in records.events}
        self.securities = {(row.series, row.event, row.security) for row in records.securities}
        self.converted = {(row.series, row.event, row.security) for row in records.conversions}
        self.names = {name for *_, name in self.securities}
        self.classes = {row.class_ for row in records.capitalization}
        self.with_classes = {records.company_of(row) for row in records.capitalization}

    def of(self, record: Record, *, events_needed: bool) -> Iterator[Broken]:
        series = getattr(record, "series", "")
        if series and series not in self.series:
            yield "series", "no such row in series", self.series
            return
        match record:
            case SeriesRecord():
                if events_needed and not self.records.seen_by(record):
                    yield "series", "it has no row in events", ()
            case EventRecord():
                yield from self._event(record)
            case SecurityRecord():
                yield from self._security(record)
            case ConversionRecord():
                yield from self._of_event(record.series, record.event)
                if (record.series, record.event, record.security) not in self.securities:
                    yield "security", "no such security of that event", self.names
            case StatedRecord():
                yield from self._stated(record)
            case ClassRecord():
                if not self.records.company_of(record):
                    yield "company", "the input has several companies: name one", self.records.companies
            case HolderRecord():
                pass

    def _of_event(self, series: str, event: str) -> Iterator[Broken]:
        if (series, event) not in self.events:
            of = "that series" if series else "the company"
            yield "event", f"no such event of {of}", {name for _, name in self.events}

    def _event(self, record: EventRecord) -> Iterator[Broken]:
        company = self.records.company_of(record)
        if not company:
            yield "company", "the input has several companies: name one, or a series", self.records.companies
            return
        if company not in self.records.companies:
            yield "company", "no series is of that company", self.records.companies
            return
        columns = given(record)
        yield from ((column, rule, ()) for column, rule in problems_of(record.kind, columns))
        of_company = self.records.of_company(company)
        names = {row.event for row in of_company if row is not record}
        for column in ("of", "closing_of", "corrects"):
            if getattr(record, column) and getattr(record, column) not in names:
                yield column, "no such other event of the company", names
        if record.recorded and not record.corrects:
            yield "recorded", "it is the day on which a correction was found; corrects is blank", ()
        if record.event in names and (company in self.with_classes or not record.series):
            yield "event", "another row of the company has that name: each event needs its own", ()
        if record.kind == ISSUANCE:
            yield from self._issuance(record, columns.keys(), company)

    def _issuance(self, record: EventRecord, columns: Iterable[str], company: str) -> Iterator[Broken]:
        if not any((s, e) == (record.series, record.event) for s, e, _ in self.securities):
            yield "event", "the event has no row in securities", ()
        counted = set(columns) & set(COUNTS)
        for column in ("outstanding_before", "other_before"):
            if column not in counted and (counted or company not in self.with_classes):
                yield column, "an issuance needs it where there is no capitalization, or with the other counts", ()
        before, after = record.outstanding_before, record.outstanding_after
        if before is None or after is None:
            return
        others, others_before = record.other_after, record.other_before or Fraction(0)
        moved = Fraction(0) if others is None else others - others_before
        # What can at most become common may be counted among the other securities instead.
        if after < before or after + moved <= before:
            yield "outstanding_after", "it must be above outstanding_before, since shares were issued", ()

    def _security(self, record: SecurityRecord) -> Iterator[Broken]:
        yield from self._of_event(record.series, record.event)
        if record.consideration is None and record.consideration_per_share is None and record.calculable:
            yield "consideration", "consideration or consideration_per_share is required", ()
        elif record.consideration is not None and record.consideration_per_share is not None:
            yield "consideration", "give consideration or consideration_per_share, not both", ()
        event = self.events.get((record.series, record.event))
        if event is not None and event.kind != ISSUANCE and event.kind in KINDS:
            yield "event", f"securities are issued in an {ISSUANCE}, not in a {event.kind.replace('_', ' ')}", ()

    def _stated(self, record: StatedRecord) -> Iterator[Broken]:
        event = self.events.get((record.series, record.event)) or self.events.get(("", record.event))
        if event is None:
            yield "event", "no such event of that series", {name for _, name in self.events}
            return
        subject = (event.series, record.event, record.subject)
        if record.subject and subject not in self.securities:
            yield "subject", "no such security of that event", self.names
        elif record.item in OF_SECURITIES and not record.subject:
            yield "subject", f"{record.item} is stated of one security: name it", ()
        elif record.item is Item.PREFERRED_SHARES and subject not in self.converted:
            yield "subject", "it has no row in conversions to recompute it from", ()
        elif record.item is Item.DATE:
            if not record.reference:
                yield "reference", "a date is compared with the one in another document", ()
        elif record.subject and record.item not in OF_SECURITIES:
            yield "subject", f"{record.item} is of the whole event: leave it blank", ()
        elif record.item not in _OF_EVERY_EVENT and not self._counted(event):
            yield "item", "only an issuance with the company's own counts has that figure", ()
        else:
            yield from self._written(record)

    def _counted(self, event: EventRecord) -> bool:
        return event.kind == ISSUANCE and event.outstanding_before is not None

    def _written(self, record: StatedRecord) -> Iterator[Broken]:
        written = read_written(record.stated)
        if written is None:
            yield "stated", "it must be a number as written, such as 1,234.50", ()
        elif written.decimals > MAX_WRITTEN_DECIMALS:
            yield "stated", f"it must have at most {MAX_WRITTEN_DECIMALS} decimals", ()
