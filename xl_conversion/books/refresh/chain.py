"""A refresh of the conversion chain model, and what that model feeds into the securities of the other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xl_conversion.books.refresh.package import Constant, RefreshError
from xl_conversion.books.refresh.plan import NOTICED, Plan
from xl_conversion.books.refresh.slots import Slots
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates.chain.inputs import BASIS, basis_of
from xl_conversion.books.templates.chain.notes import HOLDER, INTEREST, NOTE, PRINCIPAL, SOURCE, TABLE
from xl_conversion.books.templates.chain_filling import CHOICES, CONSTANTS, filling_of_notes
from xl_conversion.books.templates.filling import Filling, Given, Row
from xl_conversion.books.templates.sheets import securities
from xl_conversion.inputs.reading import CompanyInput

FEED = "out_securities"
AGREEMENT = "in_agreement"
COLUMNS = (HOLDER, PRINCIPAL, INTEREST, BASIS, SOURCE, NOTE)
FED = (
    securities.SECURITY,
    securities.KIND,
    securities.SECURITY_SHARES,
    securities.EACH,
    securities.IN_ALL,
    securities.SOURCE,
    securities.NOTE,
)


def is_chain_model(slots: Slots) -> bool:
    """Whether a workbook is one of this kind."""
    return TABLE in slots.tables and FEED in slots.tables


def wanted_chain(slots: Slots, companies: Sequence[CompanyInput], event: str) -> Filling:
    """What an input has for the notes that the workbook is of, or for the only ones where it is blank."""
    agreement = slots.given(AGREEMENT)
    return filling_of_notes(companies, str(agreement) if agreement is not None else "", event)


def plan_chain(slots: Slots, wanted: Filling) -> Plan:
    """What `wanted` changes. Choices of the reader stay, and so do holders that it replaces by no other."""
    plan = Plan(slots)
    for name in ("in_company", AGREEMENT):
        has, given = slots.given(name), wanted.given(name).value
        if has is not None and given is not None and has != given:
            raise RefreshError(
                f"The workbook is of {has}, the input of {given}",
                "A model stays with its notes: xl-conversion template makes one for others.",
            )
    own = {*CONSTANTS, *CHOICES, *(basis_of(name) for name in (*CONSTANTS, *CHOICES))}
    for name, given_here in wanted.scalars.items():
        if name not in own and given_here.value is not None:
            plan.scalar(name, given_here)
    plan.table(TABLE, wanted.tables[TABLE], COLUMNS, (HOLDER,), own=(NOTE,))
    return plan


def feed_of(slots: Slots, values: Mapping[tuple[str, str], object]) -> Filling:
    """The row that a chain model gives for the table of securities, by the `values` of its formulas. Raises
    RefreshError where it is not complete."""
    table = slots.tables[FEED]

    def value(header: str) -> Constant:
        slot = table.slot(table.first, header)
        found = values.get((slot.sheet, slot.coordinate), slots.stored(slot).value)
        if isinstance(found, ExcelErrorText) or not isinstance(found, float | int | str | bool | None):
            raise RefreshError(
                f"{table.sheet}!{slot.coordinate} of the chain model shows {found}", "Mend it first."
            )
        return None if isinstance(found, str) and not found.strip() else found

    row = {header: value(header) for header in FED}
    missing = [h for h in (securities.SECURITY, securities.SECURITY_SHARES) if row[h] is None]
    if missing:
        raise RefreshError(f"The chain model gives no {' and no '.join(missing)} yet", "Fill in its inputs first.")
    company = {"in_company": Given(slots.given("in_company"))}
    return Filling(company, {securities.TABLE: [_plain(row)]})


def plan_feed(slots: Slots, feed: Filling) -> Plan:
    """The security of a chain in the conversion price model; all others stay as they are."""
    plan = Plan(slots)
    has, given = slots.given("in_company"), feed.given("in_company").value
    if has is not None and given is not None and has != given:
        raise RefreshError(f"The workbook is of {has}, the chain model of {given}", "Take the one of the company.")
    frozen = NOTICED if slots.given("in_notice") is not None else ""
    rows = feed.tables[securities.TABLE]
    own = (securities.SOURCE, securities.NOTE)
    plan.table(securities.TABLE, rows, FED, (securities.SECURITY,), own=own, frozen=frozen, complete=False)
    return plan


def _plain(row: Mapping[str, Constant]) -> Row:
    return {header: float(value) if isinstance(value, bool) else value for header, value in row.items()}
