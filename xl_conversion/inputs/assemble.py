"""Makes the records of the core from the rows of an input that is known to be sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

from xl_conversion.core.capitalization import ShareClass
from xl_conversion.core.events import Corrected, Counts, Event, Issued
from xl_conversion.core.history import Company
from xl_conversion.core.holders import Holding
from xl_conversion.core.issuance import Conversion, Issuance, Security, SecurityKind
from xl_conversion.core.stated import Stated
from xl_conversion.core.terms import Method, Rounding, Series
from xl_conversion.inputs.events import ISSUANCE, KINDS
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

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=Record)

EVENT_COLUMNS = tuple(
    dict.fromkeys(column for kind in KINDS.values() for column in (*kind.required, *kind.optional))
)
MOST_NAMED = 10
"""More events than these are counted, not named."""


@dataclass(frozen=True)
class Records:
    """The rows of an input by table, and what is looked up in them again and again."""

    series: Sequence[SeriesRecord]
    events: Sequence[EventRecord]
    securities: Sequence[SecurityRecord]
    conversions: Sequence[ConversionRecord]
    stated: Sequence[StatedRecord]
    capitalization: Sequence[ClassRecord]
    holders: Sequence[HolderRecord]

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[Record]]) -> Records:
        """The rows, each table by its name."""
        return cls(**{name: [row for row in found if isinstance(row, Record)] for name, found in rows.items()})  # type: ignore[arg-type]

    @cached_property
    def companies(self) -> tuple[str, ...]:
        """In the order of the series."""
        return tuple(dict.fromkeys(row.company for row in self.series))

    def company_of(self, row: EventRecord | ClassRecord) -> str:
        """The company that a row is of: its series', the one it names, or the only one; "" where that is open."""
        series = row.series if isinstance(row, EventRecord) else ""
        named = self._company_of_series.get(series, row.company)
        return named or (self.companies[0] if len(self.companies) == 1 else "")

    def of_company(self, company: str) -> list[EventRecord]:
        """Its events, in the order given."""
        return _in_order(self._events_of_company.get(company, {}).values())

    @cached_property
    def issued(self) -> list[SecurityRecord]:
        """All that events issue: the rows of securities, and what an issuance without any says itself."""
        listed = {(row.series, row.event) for row in self.securities}
        own = (
            SecurityRecord(
                series=row.series,
                event=row.event,
                security=row.event,
                kind=SecurityKind.SHARES,
                shares=row.shares,
                consideration=row.consideration,
                source=row.source,
            )
            for row in self.events
            if row.kind == ISSUANCE and row.shares is not None and (row.series, row.event) not in listed
        )
        return [*self.securities, *own]

    def securities_of(self, *rows: EventRecord) -> list[SecurityRecord]:
        """What events issue, in the order given."""
        return _in_order(self._securities.get((row.series, row.event), []) for row in rows)

    def conversions_of(self, *rows: EventRecord) -> list[ConversionRecord]:
        """The conversion chains of events, in the order given."""
        return _in_order(self._conversions.get((row.series, row.event), []) for row in rows)

    def classes_of(self, company: str) -> list[ClassRecord]:
        """Its capitalization, in the order given."""
        return _in_order([self._classes.get(company, [])])

    def stated_of(self, series: str) -> list[StatedRecord]:
        """What is stated of a series."""
        return _in_order([self._stated.get(series, [])])

    def holders_of(self, series: str) -> list[HolderRecord]:
        """Who holds a series."""
        return _in_order([self._holders.get(series, [])])

    def seen_by(self, series: SeriesRecord) -> list[EventRecord]:
        """The events of a series: its own and those of all series of its company, in the order given."""
        found = self._events_of_company.get(series.company, {})
        return _in_order(found.get(name, []) for name in ("", series.series))

    @cached_property
    def _company_of_series(self) -> dict[str, str]:
        return {row.series: row.company for row in self.series}

    @cached_property
    def _events_of_company(self) -> dict[str, dict[str, list[tuple[int, EventRecord]]]]:
        """By company, then by the series that they are of, "" for all."""
        found = _grouped(self.events, lambda row: (self.company_of(row), row.series))
        companies: dict[str, dict[str, list[tuple[int, EventRecord]]]] = {}
        for (company, series), rows in found.items():
            companies.setdefault(company, {})[series] = rows
        return companies

    @cached_property
    def _securities(self) -> dict[tuple[str, str], list[tuple[int, SecurityRecord]]]:
        return _grouped(self.issued, lambda row: (row.series, row.event))

    @cached_property
    def _conversions(self) -> dict[tuple[str, str], list[tuple[int, ConversionRecord]]]:
        return _grouped(self.conversions, lambda row: (row.series, row.event))

    @cached_property
    def _classes(self) -> dict[str, list[tuple[int, ClassRecord]]]:
        return _grouped(self.capitalization, self.company_of)

    @cached_property
    def _stated(self) -> dict[str, list[tuple[int, StatedRecord]]]:
        return _grouped(self.stated, lambda row: row.series)

    @cached_property
    def _holders(self) -> dict[str, list[tuple[int, HolderRecord]]]:
        return _grouped(self.holders, lambda row: row.series)


def _grouped(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, list[tuple[int, R]]]:
    """The rows of each key, with the places that they have among all."""
    found: dict[K, list[tuple[int, R]]] = {}
    for place, row in enumerate(rows):
        found.setdefault(key(row), []).append((place, row))
    return found


def _in_order(groups: Iterable[Sequence[tuple[int, R]]]) -> list[R]:
    """The rows of several groups, in the order in which they were given."""
    return [row for _, row in sorted(chain.from_iterable(groups), key=itemgetter(0))]


def given(row: EventRecord) -> dict[str, Any]:
    """The columns of its kind that an event fills."""
    found = {name: getattr(row, name) for name in EVENT_COLUMNS}
    return {name: value for name, value in found.items() if value not in (None, "")}


def series_of(row: SeriesRecord) -> Series:
    """The terms that a row states."""
    return Series(
        row.series,
        row.company,
        row.original_issue_price,
        row.conversion_price,
        row.clause,
        Rounding(row.price_decimals, row.price_rounding_type),
        row.carried_price,
        Rounding(row.ratio_decimals, row.ratio_rounding_type),
        row.ratio_basis,
        row.share_rounding_type,
        row.source,
        row.method,
        row.base_classes,
        row.ratchet_until,
        row.exempted,
        row.minimum,
        row.minimum_percent,
        row.floor,
        row.downward_only,
        row.others,
        row.closings,
        row.shares_per,
        row.preferred_shares or Fraction(0),
    )


def company_of(name: str, records: Records) -> Company:
    """A company with its series, events and capitalization."""
    return Company(
        tuple(series_of(row) for row in records.series if row.company == name),
        tuple(event_of(row, records, event) for event, row in named_events(name, records)),
        tuple(ShareClass(row.class_, row.kind, row.shares, row.source) for row in records.classes_of(name)),
    )


def named_events(company: str, records: Records) -> list[tuple[str, EventRecord]]:
    """The events of a company under the names by which a history tells them apart: series may have events of
    their own under one name."""
    rows = records.of_company(company)
    often = Counter(row.event for row in rows)
    return [(row.event if often[row.event] == 1 else f"{row.event} ({row.series})", row) for row in rows]


def event_of(row: EventRecord, records: Records, name: str) -> Event:
    """The event that a row states; a correction where it corrects another."""
    common: dict[str, Any] = {
        "event": name,
        "date": row.date,
        "description": row.description,
        "clause": row.clause,
        "source": row.source,
        "series": frozenset({row.series}) if row.series else frozenset(),
    }
    make = KINDS[row.kind].make
    event = _issued(row, records, common) if make is None else make(**common, **given(row))
    if not row.corrects:
        return event
    return Corrected(
        event=name, date=row.recorded or row.date, description=row.description, of=row.corrects, right=event
    )


def _issued(row: EventRecord, records: Records, common: Mapping[str, Any]) -> Issued:
    securities = securities_of(row, records)
    return Issued(
        **common,
        securities=securities,
        counts=counts_of(row, securities),
        conversions=conversions_of(row, records),
        closing_of=row.closing_of,
    )


def counts_of(row: EventRecord, securities: Sequence[Security]) -> Counts | None:
    """The company's own counts, where an issuance brings them."""
    if row.outstanding_before is None or row.other_before is None:
        return None
    after = row.outstanding_after
    if after is None:
        after = row.outstanding_before + sum((s.shares for s in securities), Fraction(0))
    others = row.other_before if row.other_after is None else row.other_after
    return Counts(row.outstanding_before, row.other_before, after, others)


def securities_of(row: EventRecord, records: Records) -> tuple[Security, ...]:
    """What an event issues."""
    return tuple(
        Security(r.security, r.kind, r.shares, consideration_of(r), r.source, r.calculable, r.category)
        for r in records.securities_of(row)
    )


def conversions_of(row: EventRecord, records: Records) -> tuple[Conversion, ...]:
    """The conversion chains of an event."""
    return tuple(
        Conversion(
            r.security,
            r.principal + (r.accrued_interest or 0),
            r.preferred_price,
            r.common_per_preferred,
            r.holder,
            r.source,
        )
        for r in records.conversions_of(row)
    )


def issuances_of(series: SeriesRecord, records: Records) -> tuple[Issuance, ...]:
    """The issuances of a series that bring the company's own counts."""
    found = []
    for row in records.seen_by(series):
        counts = counts_of(row, securities := securities_of(row, records)) if row.kind == ISSUANCE else None
        if counts is not None:
            found.append(
                Issuance(
                    row.event,
                    row.date,
                    counts.outstanding_before,
                    counts.other_before,
                    securities,
                    counts.outstanding_after,
                    counts.other_after,
                    conversions_of(row, records),
                    row.description,
                    row.clause,
                    row.source,
                )
            )
    return tuple(found)


def more_than_counted(series: SeriesRecord, records: Records) -> str:
    """What of a series is not an issuance by weighted average with the company's own counts, and why it is not
    exported; "" for nothing."""
    terms = series_of(series)
    plain = Series(
        terms.name,
        terms.company,
        terms.original_issue_price,
        terms.conversion_price,
        terms.clause,
        terms.price,
        terms.carried_price,
        terms.ratio,
        terms.ratio_basis,
        terms.share_rounding_type,
        terms.source,
        terms.method,
        shares_per=terms.shares_per,
        preferred_shares=terms.preferred_shares,
    )
    found = [term.name for term in fields(Series) if getattr(terms, term.name) != getattr(plain, term.name)]
    if terms.method in (Method.FULL_RATCHET, Method.NONE):
        found.insert(0, f"method {terms.method}")
    others, uncounted, unknown = [], [], []
    for row in records.seen_by(series):
        if row.kind != ISSUANCE or row.closing_of or row.corrects:
            others.append(row.event)
        elif not {"outstanding_before", "other_before"} <= given(row).keys():
            uncounted.append(row.event)
        elif not all(s.calculable for s in securities_of(row, records)):
            unknown.append(row.event)
    for told, names in (("", others), (" without counts", uncounted), (" with what is not calculable", unknown)):
        if names:
            found.append(f"{'event' if len(names) == 1 else 'events'}{told} {_listed(names)}")
    if not found:
        return ""
    only = "export writes workbooks for issuances with the company's own counts only"
    return f"{only}; {series.series} also has: {', '.join(found)}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def stated_of(series: SeriesRecord, records: Records) -> tuple[Stated, ...]:
    """The figures stated of a series."""
    return tuple(
        Stated(r.event, r.item, r.stated, r.subject, r.source, r.reference, r.reference_source)
        for r in records.stated_of(series.series)
    )


def holdings_of(series: SeriesRecord, records: Records) -> tuple[Holding, ...]:
    """The holders of a series."""
    return tuple(Holding(r.holder, r.shares, r.certificate) for r in records.holders_of(series.series))


def consideration_of(record: SecurityRecord) -> Fraction:
    """For all of a security, with the least that is still to be paid; 0 where it is not known."""
    if record.consideration is not None:
        return record.consideration
    per_share = record.consideration_per_share or record.exercise_price or Fraction(0)
    return (record.paid or Fraction(0)) + per_share * record.shares
