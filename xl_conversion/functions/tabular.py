"""The worksheet functions on tables: what a range with a header row says, and tables that spill."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from xl_conversion.core import solver
from xl_conversion.core.capitalization import Base, ClassKind, ShareClass, State
from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType, shorten
from xl_conversion.core.stated import Item
from xl_conversion.core.terms import Basis, Closings, Method, Others, SharesPer
from xl_conversion.core.tie_out import tie_out_history
from xl_conversion.functions.boundary import MAX_MESSAGE, MISSING, VALUE, WorksheetError
from xl_conversion.functions.sheet_tables import COLUMNS, SheetTable, companies, problem_of, records
from xl_conversion.inputs.assemble import consideration_of
from xl_conversion.inputs.events import KINDS
from xl_conversion.inputs.problems import suggestion
from xl_conversion.inputs.reading import CompanyInput
from xl_conversion.inputs.records import ClassRecord, EventRecord, SecurityRecord, SeriesRecord

if TYPE_CHECKING:
    from xl_conversion.functions.boundary import Cell
    from xl_conversion.functions.definition import Figure, Function, Rows

BASES = tuple(method.value for method in (Method.COMMON, Method.NARROW, Method.BROAD, Method.BROAD_WITH_POOL))

ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "rounding_type": tuple(RoundingType),
    "base": BASES,
    "cash_dividend_method": tuple(CashForm),
    "spin_off_method": tuple(SpinOffForm),
    "series_method": tuple(Method),
    "event_kind": tuple(KINDS),
    "security_kind": tuple(SecurityKind),
    "class_kind": tuple(ClassKind),
    "stated_item": tuple(Item),
    "carried_price": tuple(Basis),
    "ratio_basis": tuple(Basis),
    "others": tuple(Others),
    "closings": tuple(Closings),
    "shares_per": tuple(SharesPer),
    "yes_no": ("yes", "no"),
}
"""The words that arguments and columns take. Where several are called alike, the name begins with whose it is."""

COMPANY = "the company"
"""What a sheet that names no company is about."""
TOGETHER = "together"


def outstanding(capitalization: SheetTable, base: str) -> Fraction:
    """Common outstanding on the base that `base` names.

    Raises WorksheetError for a base that is neither one of BASES nor names what the table has.
    """
    state = capitalization.once("state", lambda: _state_of(capitalization))
    counted = Base(state)
    named = base.strip().casefold()
    if named in BASES:
        return counted.on(Method(named)).total
    names = frozenset(name.strip().casefold() for name in base.split(";") if name.strip())
    known = {*(kind.value for kind in ClassKind), *state.common_names}
    known |= {c.name.casefold() for c in state.classes.values()}
    unknown = sorted(names - known)
    if unknown or not names:
        what = f"names {shorten(unknown[0])!r}" if unknown else "is blank"
        rule = f"it must be one of {', '.join(BASES)}, or names of classes or kinds of the table"
        raise WorksheetError(VALUE, f"base {what}; {rule}")
    return counted.on(names).total


def _state_of(table: SheetTable) -> State:
    rows = records(table, ClassRecord, {})
    if len({row.company for row in rows}) > 1:
        raise problem_of(table, "it has classes of several companies; a base is of one")
    if not any(row.kind is ClassKind.COMMON for row in rows):
        raise problem_of(table, "it has no class of kind common")
    return State.of((), (ShareClass(row.class_, row.kind, row.shares) for row in rows))


def issuance(securities: SheetTable) -> Rows:
    """What was issued, security by security and together."""
    rows = records(securities, SecurityRecord, {"event": "issuance"})
    events = {(row.series, row.event) for row in rows}
    if len(events) > 1:
        raise problem_of(securities, f"it has securities of {len(events)} issuances; give those of one")
    found: list[list[Figure]] = [["security", "kind", "shares", "consideration", "price per share", "counted"]]
    shares = paid = Fraction(0)
    for row in rows:
        counted = row.calculable
        consideration = consideration_of(row)
        found.append(
            [
                row.security,
                row.kind.value,
                row.shares,
                consideration if counted else None,
                consideration / row.shares if counted else None,
                "yes" if counted else "no",
            ]
        )
        if counted:
            shares, paid = shares + row.shares, paid + consideration
    found.append([TOGETHER, None, shares, paid, paid / shares if shares else None, "yes" if shares else "no"])
    return found


def history(
    series: SheetTable,
    events: SheetTable,
    securities: SheetTable | None,
    capitalization: SheetTable | None,
) -> Rows:
    """One row an event of each series. The price before is what the adjustment starts from, so that it times the
    factor is the unrounded price; the price carried is what the next one starts from."""
    header = ["date", "event", "price before", "exact factor", "unrounded price", "price carried", "ratio"]
    found: list[list[Figure]] = [[*header, "clause", "reason", "series", "price in force"]]
    tables = {"series": series, "events": events, "securities": securities, "capitalization": capitalization}
    for one in companies(tables, _FILL):
        for name in (s.name for s in one.company.series):
            changes = one.history.of(name)
            carried = [*(change.start for change in changes[1:]), one.history.state.positions[name].start]
            found += [
                [
                    change.event.date.isoformat(),
                    change.event.event,
                    change.start,
                    _fraction(change.factor),
                    change.unrounded,
                    next_start,
                    change.ratio,
                    change.clause,
                    change.reason,
                    name,
                    change.price,
                ]
                for change, next_start in zip(changes, carried, strict=True)
            ]
    return found


def _fraction(value: Fraction) -> Figure:
    """A fraction as such where a cell of an array can hold it, else the number."""
    if value.numerator.bit_length() + value.denominator.bit_length() > 3 * MAX_MESSAGE:
        return value
    text = str(value)
    return text if len(text) <= MAX_MESSAGE else value


_FILL = {"series": {"company": COMPANY}}


def tie_out(
    stated: SheetTable,
    series: SheetTable,
    events: SheetTable,
    securities: SheetTable | None,
    capitalization: SheetTable | None,
    conversions: SheetTable | None,
) -> Rows:
    """The findings on every figure stated."""
    header = ["event", "item", "subject", "stated", "recomputed", "at its precision", "difference", "tolerance"]
    found: list[list[Figure]] = [[*header, "result", "explanation", "basis", "series"]]
    tables = {
        "series": series,
        "events": events,
        "securities": securities,
        "conversions": conversions,
        "stated": stated,
        "capitalization": capitalization,
    }
    fill: dict[str, Mapping[str, str]] = dict(_FILL)
    names = [row.series for row in records(series, SeriesRecord, _FILL["series"])]
    if len(names) == 1:
        fill["stated"] = {"series": names[0]}
    for one in companies(tables, fill):
        for name in (s.name for s in one.company.series):
            findings = tie_out_history(one.history.of(name), one.issuances[name], one.stated[name])
            found += [
                [
                    f.event,
                    f.item.value,
                    f.subject,
                    f.stated,
                    f.recomputed,
                    f.at_precision,
                    f.difference,
                    f.tolerance,
                    f.result.value,
                    f.explanation,
                    f.basis,
                    name,
                ]
                for f in findings
            ]
    return found


def solve_round(
    capitalization: SheetTable,
    series: SheetTable,
    new_money: Fraction,
    pre_money: Fraction,
    pool_percent: Fraction,
    adjustment_in_price: bool,
) -> Fraction:
    """The exact price of the round."""
    state = series.once(("company", capitalization), lambda: _company(capitalization, series)).history.state
    solved = solver.solve_round(state, new_money, pre_money, pool_percent, adjustment_in_price=adjustment_in_price)
    return solved.price


def _company(capitalization: SheetTable, series: SheetTable) -> CompanyInput:
    found = companies({"capitalization": capitalization, "series": series}, _FILL)
    if len(found) > 1:
        raise problem_of(series, f"the series are of {len(found)} companies; a round is of one")
    dated = [s.name for s in found[0].company.series if s.ratchet_until is not None]
    if dated:
        rule = (
            f"{dated[0]} has ratchet_until, and the round has no date: leave it out, or give method full_ratchet"
        )
        raise problem_of(series, rule)
    return found[0]


def explain(name: str, *cells: Cell | SheetTable) -> Rows:
    """The steps of a function for the cells that it would take."""
    from xl_conversion.functions.evaluate import steps_of

    function = _function(name)
    if function.explain is None:
        raise WorksheetError(VALUE, f"function_name is {function.name}; it has no steps")
    given: list[Cell] = []
    for cell in cells:
        if isinstance(cell, SheetTable):
            size = f"{len(cell.cells)} x {len(cell.cells[0])}"
            raise WorksheetError(VALUE, f"{cell.name} is a range of {size} cells; it must be a single value")
        given.append(cell)
    while given and given[-1] is MISSING:
        given.pop()
    most = len(function.arguments)
    if len(given) > most:
        raise WorksheetError(VALUE, f"argument_{len(given)} is too many; {function.name} takes at most {most}")
    found: list[list[Figure]] = [["step", "symbol", "formula", "with numbers", "value", "unit", "source"]]
    for step in steps_of(function, given):
        found.append(
            [step.label, step.symbol, step.formula, step.with_numbers, step.value, step.unit, step.source]
        )
    return found


def enumeration(name: str) -> Rows:
    """The words of one enumeration."""
    words = ENUMERATIONS.get(name.strip().casefold().replace(" ", "_"))
    if words is None:
        rule = f"it must be one of {', '.join(ENUMERATIONS)}"
        raise WorksheetError(VALUE, f"enumeration is {shorten(name)!r}; {rule}")
    return [[str(word)] for word in words]


def functions() -> Rows:
    """All functions."""
    from xl_conversion.functions.catalogue import CATALOGUE

    return [
        ["function", "syntax", "gives", "since"],
        *([one.name, one.signature, one.summary, one.since] for one in CATALOGUE),
    ]


def help_of(name: str) -> Rows:
    """What there is to know of a function, or of the columns of a table."""
    from xl_conversion.functions.pages import help_lines

    record = COLUMNS.get(name.strip().casefold())
    if record is None:
        return _lines("what", help_lines(_function(name)))
    lines = [
        (f"{column.alias} (required)" if column.is_required() else column.alias, column.description)
        for column in record.model_fields.values()
    ]
    if record is EventRecord:
        for kind, one in KINDS.items():
            needs = f" Needs {', '.join(one.required)}." if one.required else ""
            may = f" May have {', '.join(one.optional)}." if one.optional else ""
            lines.append((f"kind {kind}", f"{one.help}.{needs}{may}"))
    return _lines("column", lines)


def _lines(what: str, lines: Iterable[tuple[str, str]]) -> Rows:
    """Pairs as rows, a long text in several."""
    found: list[list[Figure]] = [[what, "text"]]
    for name, text in lines:
        for place, line in enumerate(textwrap.wrap(text, MAX_MESSAGE)):
            found.append(["" if place else name, line])
    return found


def _function(name: str) -> Function:
    from xl_conversion.functions.catalogue import FUNCTIONS

    wanted = name.strip().upper().removeprefix("=").partition("(")[0]
    if wanted not in FUNCTIONS:
        hint = suggestion(wanted, FUNCTIONS) or "CP_LIST() lists all"
        raise WorksheetError(VALUE, f"function_name is {shorten(name)!r}, and there is no such function; {hint}")
    return FUNCTIONS[wanted]
