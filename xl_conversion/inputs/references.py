"""What the rows of different tables must say of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from fractions import Fraction

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.compare import NEXT_ROUND
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import shorten
from xl_conversion.core.stated import MAX_WRITTEN_DECIMALS, OF_SECURITIES, Item, read_written
from xl_conversion.core.terms import Method
from xl_conversion.inputs.assemble import Records, given
from xl_conversion.inputs.events import COUNTS, ISSUANCE, KINDS, OWN_SECURITY, problems_of
from xl_conversion.inputs.fields import SCIENTIFIC, SCIENTIFIC_HINT, is_scientific
from xl_conversion.inputs.problems import Broken, Problem, suggestion
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


def reference_problems(
    rows: Mapping[str, list[tuple[Row, Record]]], tables: Mapping[str, Table], *, events_needed: bool
) -> Iterator[Problem]:
    """Every row that names what is not there, or does not fit what it names."""
    checks = _Checks(Records.of({name: [record for _, record in found] for name, found in rows.items()}))
    found = [
        (tables[table], row, broken)
        for table, records in rows.items()
        for row, record in records
        for broken in checks.of(record, events_needed=events_needed)
    ]
    often = Counter(broken.same for *_, broken in found)
    told: set[Hashable] = set()
    for place, (table, row, broken) in enumerate(found):
        if broken.same in told:
            continue
        if place >= MOST_SUGGESTED:
            broken = broken._replace(known=())  # to look for names that were meant takes long
        told |= {broken.same} - {None}
        more = often[broken.same] - 1 if broken.same is not None else 0
        rule = broken.rule + (f", and so in {more} more {table.unit}{'s' * (more > 1)}" if more else "")
        yield table.broken(row, broken._replace(rule=rule))


def alone(record: Record) -> Iterator[Broken]:
    """What a row must say, whatever other tables say."""
    if isinstance(record, ClassRecord):
        if record.class_.casefold() in _RESERVED and record.kind is not ClassKind.COMMON:
            yield Broken("class", "the name is taken: call the class otherwise")
    elif isinstance(record, SecurityRecord):
        if record.security.casefold() in _RESERVED and record.kind is not SecurityKind.SHARES:
            yield Broken("security", "the name is taken: call the security otherwise")
        apart = record.paid is not None or record.exercise_price is not None
        ways = (record.consideration is not None) + (record.consideration_per_share is not None) + apart
        if ways == 0 and record.calculable:
            yield Broken(
                "consideration", "consideration, consideration_per_share, or paid and exercise_price is required"
            )
        elif ways > 1:
            rule = "give consideration, consideration_per_share, or paid and exercise_price: one of them"
            yield Broken("consideration", rule)


MOST_SUGGESTED = 20
"""More problems than a reader is shown get no suggestion."""

_OF_EVERY_EVENT = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO, Item.DATE)


_RESERVED = frozenset({"common", "new money", "pool top-up", NEXT_ROUND, "together"})
"""What tables of who has what call their own rows."""


class _Checks:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.series = {row.series: row for row in records.series}
        self.events = {(row.series, row.event): row for row in records.events}
        self.securities = {(row.series, row.event, row.security) for row in records.issued}
        self.listed = {(row.series, row.event) for row in records.securities}
        self.converted = {(row.series, row.event, row.security) for row in records.conversions}
        self.names = {name for *_, name in self.securities}
        self.classes = {row.class_ for row in records.capitalization}
        self.with_classes = {records.company_of(row) for row in records.capitalization}
        self.issued: dict[tuple[str, str], str] = {}
        """The event that issues a security, by company and name."""
        self.rights: set[tuple[str, str]] = set()
        """The securities, by company and name, that are known by their name until they become common."""
        self.labels: dict[str, dict[str, str]] = {}
        """What a charter may name what a company has or issues by: as written, by the same in lower case."""
        self.astray = {e.event for e in records.events if e.series and e.series not in self.series}
        """Events of a series that is not there: what refers to them rightly is not told too."""
        self.often = {name: Counter(row.event for row in records.of_company(name)) for name in records.companies}
        self._look_at_names()

    def _look_at_names(self) -> None:
        kinds = (*SecurityKind, *ClassKind)
        names = {company: [kind.value for kind in kinds] for company in self.records.companies}
        for series in self.records.series:
            names[series.company].append(series.series)
        for one in self.records.capitalization:
            names.setdefault(self.records.company_of(one), []).append(one.class_)
        for security in self.records.issued:
            event = self.events.get((security.series, security.event))
            company = self.records.company_of(event) if event else ""
            names.setdefault(company, []).extend((security.security, security.category))
            self.issued.setdefault((company, security.security), security.event)
            if security.kind is not SecurityKind.SHARES:
                self.rights.add((company, security.security))
        # A security of an event that is not there may be anybody's.
        lost = names.pop("", [])
        self.labels = {
            c: {name.casefold(): name for name in (*found, *lost) if name} for c, found in names.items()
        }

    def of(self, record: Record, *, events_needed: bool) -> Iterator[Broken]:
        series = getattr(record, "series", "")
        if series and series not in self.series:
            yield Broken("series", "no such row in series", self.series, same=("series", series))
            return
        match record:
            case SeriesRecord():
                if events_needed and not self.records.seen_by(record) and not self.astray:
                    yield Broken("series", "it has no row in events")
                yield from self._preferred(record)
                yield from self._names_of(record)
                yield from self._method(record)
            case EventRecord():
                yield from self._event(record)
            case SecurityRecord():
                yield from self._security(record)
            case ConversionRecord():
                yield from self._of_event(record.series, record.event)
                yield from self._of_security(record.series, record.event, record.security, "security")
            case StatedRecord():
                yield from self._stated(record)
            case ClassRecord():
                if not self.records.company_of(record):
                    yield Broken("company", "the input has several companies: name one", self.records.companies)
                elif record.company and record.company not in self.records.companies:
                    yield Broken("company", "no series is of that company", self.records.companies)
                yield from alone(record)
                yield from self._class(record)
            case HolderRecord():
                pass

    def _preferred(self, record: SeriesRecord) -> Iterator[Broken]:
        """How much of a series there is before the first event is said once."""
        company, name = record.company, record.series
        is_class = any(
            c.class_ == name and self.records.company_of(c) == company for c in self.records.capitalization
        )
        event = self.issued.get((company, name))
        if event is None:
            if record.preferred_shares is None and company in self.with_classes and not is_class:
                rule = "the base needs it where there is a capitalization (0 for none)"
                yield Broken("preferred_shares", rule)
            return
        if record.preferred_shares is not None:
            yield Broken("preferred_shares", f"event {event} issues the series: leave it blank")
        if is_class:
            rule = (
                f"event {event} issues the series, so it is no class of the capitalization before the first event"
            )
            yield Broken("series", rule, hint="remove the class, or name the security of the event otherwise")

    def _method(self, record: SeriesRecord) -> Iterator[Broken]:
        if record.method is Method.FULL_RATCHET and record.ratchet_until is not None:
            rule = "the full ratchet ends on ratchet_until: it must be the method that applies after that day"
            yield Broken("method", rule)
        if record.method is Method.LISTED and not record.base_classes:
            yield Broken("base_classes", "the method listed needs the classes that the charter lists")
        if record.method is not Method.LISTED and record.base_classes:
            yield Broken("base_classes", f"only the method listed has them, not {record.method.value}")

    def _class(self, record: ClassRecord) -> Iterator[Broken]:
        company, name = self.records.company_of(record), record.class_
        if (company, name) in self.rights and name not in self.series:
            event = self.issued[company, name]
            yield Broken("class", f"event {event} issues a security of that name: call one of them otherwise")
        series = self.series.get(name)
        if series is not None and series.company == company:
            if record.kind is not ClassKind.PREFERRED:
                yield Broken("kind", f"the class is the series {name}: it must be preferred")
            if series.preferred_shares is not None and series.preferred_shares != record.shares:
                yield Broken("shares", f"preferred_shares of the series {name} says otherwise: give one of them")

    def _names_of(self, record: SeriesRecord) -> Iterator[Broken]:
        known = self.labels[record.company]
        for column in ("exempted", "base_classes"):
            for name in sorted(getattr(record, column) - known.keys()):
                close = suggestion(name, known).removeprefix("did you mean ").removesuffix("?")
                yield Broken(
                    column,
                    f"{shorten(name)!r} is no category, kind or name of what the company has or issues",
                    hint=f"did you mean {known[close]}?"
                    if close
                    else "leave it out until there is such a security",
                )

    def _of_event(self, series: str, event: str) -> Iterator[Broken]:
        if (series, event) not in self.events and event not in self.astray:
            of = "that series" if series else "the company"
            same = ("event", series, event)
            yield Broken("event", f"no such event of {of}", {name for _, name in self.events}, same=same)

    def _of_security(self, series: str, event: str, security: str, column: str) -> Iterator[Broken]:
        pair = (series, event)
        if pair in self.events and (*pair, security) not in self.securities and not self._issued_astray(event):
            yield Broken(column, "no such security of that event", self.names, same=("security", *pair, security))

    def _issued_astray(self, event: str) -> bool:
        """Whether an event may have securities that are said to be of a series that is not there."""
        return any(e == event and s and s not in self.series for s, e, _ in self.securities)

    def _event(self, record: EventRecord) -> Iterator[Broken]:
        company = self.records.company_of(record)
        if not company:
            yield Broken(
                "company", "the input has several companies: name one, or a series", self.records.companies
            )
            return
        if company not in self.records.companies:
            yield Broken("company", "no series is of that company", self.records.companies)
            return
        columns = given(record)
        yield from problems_of(record.kind, columns)
        often = self.often[company]
        names = often.keys() if often[record.event] > 1 else often.keys() - {record.event}
        for column in ("of", "closing_of", "corrects"):
            if getattr(record, column) and getattr(record, column) not in names:
                yield Broken(column, "no such other event of the company", names)
        if record.recorded and not record.corrects:
            yield Broken("recorded", "it is the day on which a correction was found; corrects is blank")
        if record.event in names and (company in self.with_classes or not record.series):
            yield Broken("event", "another row of the company has that name: each event needs its own")
        if record.kind == ISSUANCE:
            yield from self._issuance(record, columns.keys(), company)

    def _issuance(self, record: EventRecord, columns: Iterable[str], company: str) -> Iterator[Broken]:
        own = [column for column in OWN_SECURITY if column in columns]
        if (record.series, record.event) in self.listed:
            rule = "the event has rows in securities too: give the securities in one place"
            yield from (Broken(column, rule) for column in own[:1])
        elif own:
            rule = f"an issuance needs both {' and '.join(OWN_SECURITY)}, or rows in securities instead"
            yield from (Broken(column, rule) for column in OWN_SECURITY if column not in own)
        elif not self._issued_astray(record.event):
            yield Broken("event", "the event has no row in securities")
        counted = set(columns) & set(COUNTS)
        for column in ("outstanding_before", "other_before"):
            if column not in counted and (counted or company not in self.with_classes):
                rule = "an issuance needs it where there is no capitalization, or with the other counts"
                known = company in self.with_classes
                yield Broken(column, rule, hint="" if known else "or add a table capitalization")
        before, after = record.outstanding_before, record.outstanding_after
        if before is None or after is None:
            return
        others, others_before = record.other_after, record.other_before or Fraction(0)
        moved = Fraction(0) if others is None else others - others_before
        # What can at most become common may be counted among the other securities instead.
        if after < before or after + moved <= before:
            rule = "it must be above outstanding_before, since shares were issued"
            yield Broken("outstanding_after", rule, impossible=True)

    def _security(self, record: SecurityRecord) -> Iterator[Broken]:
        yield from self._of_event(record.series, record.event)
        yield from alone(record)
        event = self.events.get((record.series, record.event))
        if event is not None and event.kind != ISSUANCE and event.kind in KINDS:
            yield Broken(
                "event", f"securities are issued in an {ISSUANCE}, not in a {event.kind.replace('_', ' ')}"
            )

    def _stated(self, record: StatedRecord) -> Iterator[Broken]:
        event = self.events.get((record.series, record.event)) or self.events.get(("", record.event))
        if event is None:
            yield from self._of_event(record.series, record.event)
            return
        if event.corrects:
            yield Broken("event", f"the row corrects {event.corrects}: state the figure of that event")
            return
        subject = (event.series, record.event, record.subject)
        if record.subject and subject not in self.securities:
            yield from self._of_security(*subject, "subject")
        elif record.item in OF_SECURITIES and not record.subject:
            yield Broken("subject", f"{record.item} is stated of one security: name it")
        elif record.item is Item.PREFERRED_SHARES and subject not in self.converted:
            yield Broken("subject", "it has no row in conversions to recompute it from")
        elif record.item is Item.DATE:
            if not record.reference:
                yield Broken("reference", "a date is compared with the one in another document")
        elif record.subject and record.item not in OF_SECURITIES:
            yield Broken("subject", f"{record.item} is of the whole event: leave it blank")
        elif record.item not in _OF_EVERY_EVENT and not self._counted(event):
            yield Broken("item", "only an issuance with the company's own counts has that figure")
        else:
            yield from self._written(record)

    def _counted(self, event: EventRecord) -> bool:
        return event.kind == ISSUANCE and event.outstanding_before is not None

    def _written(self, record: StatedRecord) -> Iterator[Broken]:
        written = read_written(record.stated)
        if is_scientific(record.stated):
            yield Broken("stated", SCIENTIFIC, hint=SCIENTIFIC_HINT)
            return
        if written is None:
            yield Broken("stated", "it must be a number as written, such as 1,234.50")
        elif written.decimals > MAX_WRITTEN_DECIMALS:
            yield Broken("stated", f"it must have at most {MAX_WRITTEN_DECIMALS} decimals", impossible=True)
