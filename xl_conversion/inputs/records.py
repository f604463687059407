"""The tables of an input: their columns, the rule of each, and the records of the core made from them.

Every problem in a file is collected before anything is computed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Conversion, Issuance, Security, SecurityKind
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, exact, to_text
from xl_conversion.core.stated import MAX_WRITTEN_DECIMALS, OF_SECURITIES, Item, Stated, read_written
from xl_conversion.core.terms import Basis, Rounding, Series
from xl_conversion.inputs.problems import InputError, Problem, suggestion
from xl_conversion.inputs.tables import Row, Table, read_tables

MAX_NAME = 255
LARGEST = 10**18
"""Numbers are below it and not closer to 0 than its inverse, so that no cell of a workbook overflows."""
FIRST_DAY = datetime.date(1900, 3, 1)
"""Spreadsheets do not agree on earlier days."""
_DIGITS = re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _rule(text: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{text}", {"text": text})


def _required(text: str) -> str:
    if not text:
        raise _rule("a value is required")
    return text


def _name(text: str) -> str:
    if len(text) > MAX_NAME:
        raise _rule(f"it must have at most {MAX_NAME} characters")
    return text


def _number(text: str) -> Fraction:
    _required(text)
    try:
        value = exact(text)
    except ValueError:
        written = read_written(text)
        if written is not None:
            raise _rule(f"it must be a plain number: write {to_text(written.value, written.decimals)}") from None
        if not _DIGITS.fullmatch(text):
            raise _rule("it must be a number, such as 6.41") from None
        value = Fraction(LARGEST)
    if value and not Fraction(1, LARGEST) < abs(value) < LARGEST:
        raise _rule("it must be between 1e-18 and 1e18")
    return value


def _above_zero(value: Fraction) -> Fraction:
    if value <= 0:
        raise _rule("it must be above 0")
    return value


def _not_negative(value: Fraction) -> Fraction:
    if value < 0:
        raise _rule("it must be 0 or above")
    return value


def _decimals(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,2}", text) or int(text) > MAX_DECIMALS:
        raise _rule(f"it must be a whole number from 0 to {MAX_DECIMALS}, or blank for no rounding")
    return int(text)


def _date(text: str) -> datetime.date:
    _required(text)
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _ISO_DAY.fullmatch(text):
        raise _rule("it must be a date as YYYY-MM-DD")
    if day < FIRST_DAY:
        raise _rule(f"it must be {FIRST_DAY} or later")
    return day


def _rounding_type(text: str) -> RoundingType:
    try:
        return RoundingType.parse(text)
    except ValueError:
        raise _rule(f"it must be one of {', '.join(RoundingType)}") from None


E = TypeVar("E", Basis, Item, SecurityKind)


def _one_of(names: type[E]) -> BeforeValidator:
    def parse(text: str) -> E:
        wanted = {name.value.lower(): name for name in names}
        found = wanted.get(text.strip().lower().replace(" ", "_"))
        if found is None:
            raise _rule(f"it must be one of {', '.join(names)}")
        return found

    return BeforeValidator(parse)


Name = Annotated[str, AfterValidator(_required), AfterValidator(_name)]
OptionalName = Annotated[str, AfterValidator(_name)]
Price = Annotated[Fraction, BeforeValidator(_number), AfterValidator(_above_zero)]
Amount = Annotated[Fraction, BeforeValidator(_number), AfterValidator(_not_negative)]
OptionalAmount = Annotated[Amount | None, BeforeValidator(lambda text: text or None)]
Decimals = Annotated[int | None, BeforeValidator(_decimals)]
Day = Annotated[datetime.date, BeforeValidator(_date)]
RoundingName = Annotated[RoundingType, BeforeValidator(_rounding_type)]


class Record(BaseModel):
    """A row of one table. A field without a default is a required column; `note` is free for remarks."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()
    """The columns whose values may not occur twice together."""

    series: Name
    note: str = ""


class SeriesRecord(Record):
    """A series and its terms, as :class:`xl_conversion.core.terms.Series`."""

    table = "series"
    key = ("series",)
    company: Name
    original_issue_price: Price
    conversion_price: Price
    clause: str = ""
    price_decimals: Decimals = None
    price_rounding_type: RoundingName = RoundingType.HALF_UP
    carried_price: Annotated[Basis, _one_of(Basis)] = Basis.ROUNDED
    ratio_decimals: Decimals = None
    ratio_rounding_type: RoundingName = RoundingType.HALF_UP
    ratio_basis: Annotated[Basis, _one_of(Basis)] = Basis.UNROUNDED
    share_rounding_type: RoundingName = RoundingType.FLOOR
    source: str = ""


class EventRecord(Record):
    """An issuance and the capitalization around it, as :class:`xl_conversion.core.events.Issuance`.

    Without `outstanding_after` the securities listed are added to the count before, without `other_after` the
    other securities did not move.
    """

    table = "events"
    key = ("series", "event")
    event: Name
    date: Day
    kind: Name
    description: str = ""
    clause: str = ""
    outstanding_before: Price
    other_before: Amount
    outstanding_after: OptionalAmount = None
    other_after: OptionalAmount = None
    source: str = ""


class SecurityRecord(Record):
    """A security issued; `consideration` is for all of it, else `consideration_per_share` times `shares`."""

    table = "securities"
    key = ("series", "event", "security")
    event: Name
    security: Name
    kind: Annotated[SecurityKind, _one_of(SecurityKind)]
    shares: Price
    consideration_per_share: OptionalAmount = None
    consideration: OptionalAmount = None
    source: str = ""


class ConversionRecord(Record):
    """From principal to preferred to common, one row a holder or one for all."""

    table = "conversions"
    key = ("series", "event", "security", "holder")
    event: Name
    security: Name
    holder: OptionalName = ""
    principal: Price
    preferred_price: Price
    common_per_preferred: Price
    source: str = ""


class StatedRecord(Record):
    """A figure as a document states it, and beside it what another document says."""

    table = "stated"
    key = ("series", "event", "item", "subject")
    event: Name
    item: Annotated[Item, _one_of(Item)]
    subject: OptionalName = ""
    stated: Name
    source: str = ""
    reference: OptionalName = ""
    reference_source: str = ""


RECORDS: tuple[type[Record], ...] = (SeriesRecord, EventRecord, SecurityRecord, ConversionRecord, StatedRecord)
REQUIRED_TABLES = ("series", "events", "securities")
ISSUANCE = "issuance"


@dataclass(frozen=True, slots=True)
class Case:
    """One series, its issuances and the figures stated of them."""

    series: Series
    issuances: tuple[Issuance, ...]
    stated: tuple[Stated, ...]
    records: Mapping[str, tuple[Record, ...]]
    """The rows that it was made from, by table."""

    @property
    def digest(self) -> str:
        """SHA-256 of the input of this series: the same for the same figures, whatever file they came in."""
        rows = {table: [record.model_dump() for record in records] for table, records in self.records.items()}
        text = json.dumps(rows, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def read_cases(path: Path) -> list[Case]:
    """Every series of an input, in its order.

    Raises InputError with all problems found.
    """
    tables = read_tables(path, [record.table for record in RECORDS])
    problems = [
        Problem(str(path), f"the table {name} is missing", hint=f"an input has {', '.join(REQUIRED_TABLES)}")
        for name in REQUIRED_TABLES
        if name not in tables
    ]
    rows: dict[str, list[tuple[Row, Record]]] = {record.table: [] for record in RECORDS}
    for record in RECORDS:
        if record.table in tables:
            rows[record.table] = list(_records(tables[record.table], record, problems))
    if not problems:
        _check_references(rows, tables, problems)
    if problems:
        raise InputError(problems)
    records = {name: [record for _, record in found] for name, found in rows.items()}
    cases: list[Case] = []
    for row, series in rows["series"]:
        if isinstance(series, SeriesRecord):
            case = _case(series, records)
            try:
                replay(case.series, case.issuances)
            except ImpossibleArgument as problem:
                problems.append(Problem(tables["series"].file, str(problem), row.number))
            cases.append(case)
    if problems:
        raise InputError(problems)
    return cases


def _records(table: Table, record: type[Record], problems: list[Problem]) -> list[tuple[Row, Record]]:
    fields = record.model_fields
    missing = [name for name, field in fields.items() if field.is_required() and name not in table.columns]
    extra = [name for name in table.columns if name not in fields]
    unfilled = [name for name in fields if name not in table.columns]
    problems.extend(
        Problem(table.file, f"the column {name} is not known", hint=suggestion(name, unfilled) or _columns(record))
        for name in extra
    )
    problems.extend(
        Problem(table.file, f"the column {name} is missing", hint=_columns(record)) for name in missing
    )
    if missing or extra:
        return []
    if not table.rows:
        problems.append(Problem(table.file, "it has a header but no rows", hint="add a row, or remove the table"))
    found: list[tuple[Row, Record]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in table.rows:
        # A blank cell under an optional column is as good as no column.
        cells = {name: cell for name, cell in row.cells.items() if cell or fields[name].is_required()}
        try:
            made = record.model_validate(cells)
        except ValidationError as error:
            problems.extend(
                Problem(
                    table.file, detail["msg"], row.number, str(detail["loc"][0]), row.cells[str(detail["loc"][0])]
                )
                for detail in error.errors()
            )
            continue
        key = tuple(getattr(made, name) for name in record.key)
        if key in seen:
            what = ", ".join(record.key)
            problems.append(Problem(table.file, f"the same {what} as in row {seen[key]}", row.number))
        seen.setdefault(key, row.number)
        found.append((row, made))
    return found


def _columns(record: type[Record]) -> str:
    return f"the columns are {', '.join(record.model_fields)}"


def _check_references(
    rows: Mapping[str, list[tuple[Row, Record]]], tables: Mapping[str, Table], problems: list[Problem]
) -> None:
    series = {record.series for _, record in rows["series"]}
    events = {(r.series, r.event) for _, r in rows["events"] if isinstance(r, EventRecord)}
    securities = {(r.series, r.event, r.security) for _, r in rows["securities"] if isinstance(r, SecurityRecord)}

    converted = {
        (r.series, r.event, r.security) for _, r in rows["conversions"] if isinstance(r, ConversionRecord)
    }
    adjusted = {r.series for _, r in rows["events"]}

    def problem(table: str, row: Row, column: str, rule: str, known: set[str]) -> None:
        value = row.cells[column]
        problems.append(Problem(tables[table].file, rule, row.number, column, value, suggestion(value, known)))

    for table, found in rows.items():
        for row, record in found:
            event = getattr(record, "event", "")
            if record.series not in series:
                problem(table, row, "series", "no such row in series", series)
            elif table == "series" and record.series not in adjusted:
                problem(table, row, "series", "it has no row in events", set())
            elif table not in ("series", "events") and (record.series, event) not in events:
                problem(table, row, "event", "no such event of that series", {e for _, e in events})
            elif isinstance(record, EventRecord):
                _check_event(record, row, tables[table].file, securities, problems)
            elif isinstance(record, SecurityRecord):
                if record.consideration is None and record.consideration_per_share is None:
                    rule = "consideration or consideration_per_share is required"
                    problems.append(Problem(tables[table].file, rule, row.number))
                elif record.consideration is not None and record.consideration_per_share is not None:
                    rule = "give consideration or consideration_per_share, not both"
                    problems.append(Problem(tables[table].file, rule, row.number))
            elif isinstance(record, ConversionRecord):
                if (record.series, event, record.security) not in securities:
                    names = {name for *_, name in securities}
                    problem(table, row, "security", "no such security of that event", names)
            elif isinstance(record, StatedRecord):
                broken = _stated_problem(record, securities, converted)
                if broken:
                    column, rule = broken
                    known = {name for *_, name in securities} if column == "subject" else set()
                    problem(table, row, column, rule, known)


def _stated_problem(
    record: StatedRecord, securities: Set[tuple[str, str, str]], converted: Set[tuple[str, str, str]]
) -> tuple[str, str] | None:
    """The column and the rule that it breaks."""
    subject = (record.series, record.event, record.subject)
    if record.subject and subject not in securities:
        return "subject", "no such security of that event"
    if record.item in OF_SECURITIES and not record.subject:
        return "subject", f"{record.item} is stated of one security: name it"
    if record.item is Item.PREFERRED_SHARES and subject not in converted:
        return "subject", "it has no row in conversions to recompute it from"
    if record.item is Item.DATE:
        return None if record.reference else ("reference", "a date is compared with the one in another document")
    if record.subject and record.item not in OF_SECURITIES:
        return "subject", f"{record.item} is of the whole event: leave it blank"
    written = read_written(record.stated)
    if written is None:
        return "stated", "it must be a number as written, such as 1,234.50"
    if written.decimals > MAX_WRITTEN_DECIMALS:
        return "stated", f"it must have at most {MAX_WRITTEN_DECIMALS} decimals"
    return None


def _check_event(
    record: EventRecord, row: Row, file: str, securities: set[tuple[str, str, str]], problems: list[Problem]
) -> None:
    if record.kind.lower() != ISSUANCE:
        problems.append(Problem(file, f"it must be {ISSUANCE}", row.number, "kind", record.kind))
    if not any((s, e) == (record.series, record.event) for s, e, _ in securities):
        problems.append(Problem(file, "the event has no row in securities", row.number, "event", record.event))
    after, others = record.outstanding_after, record.other_after
    moved = Fraction(0) if others is None else others - record.other_before
    # What can at most become common may be counted among the other securities instead.
    if after is not None and (after < record.outstanding_before or after + moved <= record.outstanding_before):
        rule = "it must be above outstanding_before, since shares were issued"
        problems.append(Problem(file, rule, row.number, "outstanding_after", row.cells["outstanding_after"]))


def _case(series: SeriesRecord, records: Mapping[str, list[Record]]) -> Case:
    mine = {
        name: tuple(record for record in found if record.series == series.series)
        for name, found in records.items()
    }
    return Case(
        Series(
            series.series,
            series.company,
            series.original_issue_price,
            series.conversion_price,
            series.clause,
            Rounding(series.price_decimals, series.price_rounding_type),
            series.carried_price,
            Rounding(series.ratio_decimals, series.ratio_rounding_type),
            series.ratio_basis,
            series.share_rounding_type,
            series.source,
        ),
        tuple(_issuance(event, mine) for event in mine["events"] if isinstance(event, EventRecord)),
        tuple(
            Stated(r.event, r.item, r.stated, r.subject, r.source, r.reference, r.reference_source)
            for r in mine["stated"]
            if isinstance(r, StatedRecord)
        ),
        mine,
    )


def _issuance(event: EventRecord, mine: Mapping[str, tuple[Record, ...]]) -> Issuance:
    securities = tuple(
        Security(r.security, r.kind, r.shares, _consideration(r), r.source)
        for r in mine["securities"]
        if isinstance(r, SecurityRecord) and r.event == event.event
    )
    conversions = tuple(
        Conversion(r.security, r.principal, r.preferred_price, r.common_per_preferred, r.holder, r.source)
        for r in mine["conversions"]
        if isinstance(r, ConversionRecord) and r.event == event.event
    )
    after = event.outstanding_after
    if after is None:
        after = event.outstanding_before + sum((s.shares for s in securities), Fraction(0))
    return Issuance(
        event.event,
        event.date,
        event.outstanding_before,
        event.other_before,
        securities,
        after,
        event.other_before if event.other_after is None else event.other_after,
        conversions,
        event.description,
        event.clause,
        event.source,
    )


def _consideration(record: SecurityRecord) -> Fraction:
    if record.consideration is not None:
        return record.consideration
    return (record.consideration_per_share or Fraction(0)) * record.shares
