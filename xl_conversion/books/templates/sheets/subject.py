"""What the model is about: one event of one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Adjustment, Issuance
from xl_conversion.core.terms import Series
from xl_conversion.core.tie_out import Finding, tie_out
from xl_conversion.inputs.reading import Case
from xl_conversion.inputs.records import ConversionRecord, EventRecord, Record, SecurityRecord

R = TypeVar("R", SecurityRecord, ConversionRecord, EventRecord)


@dataclass(frozen=True, slots=True)
class Subject:
    """An adjustment, the figures stated of it, and the rows of the input behind it."""

    case: Case
    adjustment: Adjustment
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, case: Case, event: str = "") -> Subject:
        """The last event of a case, or the one named. Raises LookupError where there is none."""
        done = [a for a in replay(case.series, case.issuances) if event in ("", a.issuance.event)]
        if not done:
            raise LookupError(f"{case.series.name} has no event {event}".rstrip())
        return cls(case, done[-1], tie_out(done[-1], case.stated))

    @property
    def series(self) -> Series:
        """The series and its terms, with the price before this event."""
        return self.adjustment.series

    @property
    def issuance(self) -> Issuance:
        """The event."""
        return self.adjustment.issuance

    @property
    def record(self) -> Record:
        """The row of the input that states the terms."""
        (record,) = self.case.records["series"]
        return record

    @property
    def clause(self) -> str:
        """The clause that the event falls under."""
        return self.issuance.clause or self.series.clause

    @property
    def securities(self) -> list[SecurityRecord]:
        """What was issued."""
        return self._rows(SecurityRecord)

    @property
    def conversions(self) -> list[ConversionRecord]:
        """Chains from principal to common."""
        return self._rows(ConversionRecord)

    @property
    def sources(self) -> list[str]:
        """The documents behind the figures, each once."""
        found = [self.series.source, self.issuance.source]
        found += [security.source for security in self.securities]
        found += [conversion.source for conversion in self.conversions]
        found += [finding.source for finding in self.findings]
        found += [s.reference_source for s in self.case.stated if s.event == self.issuance.event]
        parts = [part.strip() for text in found for part in text.split(";")]
        return list(dict.fromkeys(part for part in parts if part))

    def _rows(self, kind: type[R]) -> list[R]:
        rows: tuple[Record, ...] = self.case.records.get(kind.table, ())
        return [row for row in rows if isinstance(row, kind) and row.event == self.issuance.event]
