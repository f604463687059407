"""What an input puts into the cells of the conversion price model: one event of one series, and its history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from xl_conversion import __version__
from xl_conversion.books.templates.filling import Filling, Given, Row
from xl_conversion.books.templates.sheets import capitalization, change_log, securities, stated, tie_out
from xl_conversion.books.templates.sheets.events import EventKind
from xl_conversion.books.templates.words import CountedAs, CountsAfter
from xl_conversion.books.wording import term_source
from xl_conversion.core import explanations
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.changes import Change
from xl_conversion.core.events import (
    CashDividend,
    CashForm,
    Event,
    Issued,
    Rights,
    SpinOff,
    SpinOffForm,
    Split,
    StockDividend,
    TenderOffer,
)
from xl_conversion.core.history import history
from xl_conversion.core.issuance import Security
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, brief, round_whole
from xl_conversion.core.stated import Item, Stated, read_written
from xl_conversion.core.terms import Basis, Method, Rounding, Series
from xl_conversion.core.tie_out import Check, Finding, tie_out_history
from xl_conversion.inputs.assemble import Records
from xl_conversion.inputs.reading import CompanyInput
from xl_conversion.inputs.records import SecurityRecord, SeriesRecord

ILLUSTRATION = "illustration, in no document: overwrite"
OF_THE_MODEL = "of this model"
REPLAYED = EventKind.REPLAYED.value
"""The kind of an event whose price no formula of the model gives."""


_DIGITS = "give the series more decimals; xl-conversion history shows the whole life of a series"
_GUARD = 6
"""Digits beyond the last that count in rounding."""

Columns: TypeAlias = dict[str, Fraction | str | date | None]
"""An event in the columns of its kind."""


class NoModel(ValueError):
    """An input that the model cannot show; `message` in one line, `hint` what else there is."""

    def __init__(self, message: str, hint: str = "xl-conversion history shows the whole life of a series") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Letters(NamedTuple):
    """An issuance in the letters of the fraction; `parts` are the classes that A adds up, where the base is
    counted from a capitalization."""

    outstanding_before: Fraction
    other_before: Fraction
    consideration: Fraction
    shares: Fraction
    outstanding_after: Fraction | None = None
    other_after: Fraction | None = None
    parts: Mapping[str, Fraction] = {}
    added: Fraction = Fraction(0)
    """Common that the adjustments of other series add, which counts as issued."""

    def after(self) -> Fraction:
        """Common after, X + Y."""
        if self.outstanding_after is not None and self.other_after is not None:
            return self.outstanding_after + self.other_after
        return self.outstanding_before + self.other_before + self.shares + self.added

    def listed(self) -> Letters:
        """The same, had nothing but the securities listed been counted after."""
        return self._replace(outstanding_after=None, other_after=None, added=Fraction(0))


class State(NamedTuple):
    """Prices that a row of Price history leaves: in force, carried on, unrounded; and what its formula gave."""

    price: Fraction
    carried: Fraction
    unrounded: Fraction
    after: Fraction | None = None

    def as_it_was(self) -> State:
        """After a row that moves nothing."""
        return self._replace(after=self.carried)


def blank_filling() -> Filling:
    """Nothing of any series; what the model itself needs is there."""
    made = {change_log.WHAT: "Made blank", change_log.VERSION: f"xl_conversion {__version__}"}
    return Filling(dict(_of_the_model()), {change_log.TABLE: [made]})


def filling_of(
    companies: Sequence[CompanyInput], series: str = "", event: str = "", as_of: date | None = None
) -> Filling:
    """As :func:`price_filling`, of the company among `companies` that has the series."""
    among = [one for one in companies if not series or any(s.name == series for s in one.company.series)]
    if not among:
        names = ", ".join(s.name for one in companies for s in one.company.series)
        raise NoModel(f"the input has no series {series}", f"it has {names}")
    if len(among) > 1:
        raise NoModel("the input has several companies", "name the series with --series")
    return price_filling(among[0], series, event, as_of)


def price_filling(company: CompanyInput, series: str = "", event: str = "", as_of: date | None = None) -> Filling:
    """The last issuance of `series`, or the `event` named, with what came before it and, up to `as_of`, after.

    Without `series` the company must have one only. Raises NoModel where there is no such series or event, or
    where it is no issuance that moves a price by a formula of the model.
    """
    record = _series(company.records, company.name, series)
    changes = history(company.company, as_of).of(record.series) if as_of else company.history.of(record.series)
    studied, letters, earlier, later = _studied(changes, record, event)
    terms = studied.series
    findings = [
        finding
        for finding in tie_out_history(changes, company.issuances[record.series], company.stated[record.series])
        if finding.event == studied.event.event
    ]
    told = {row.event: row for row in company.stated[record.series] if row.item is Item.CONVERSION_PRICE}
    ratios = {row.event: row for row in company.stated[record.series] if row.item is Item.CONVERSION_RATIO}
    scalars = {
        **_of_the_model(),
        **_terms(record, terms, _method(studied)),
        **_event(studied, letters, as_of or changes[-1].event.date, told, ratios),
        **_sensitivity(letters, studied),
    }
    tables: dict[str, Sequence[Row]] = {
        capitalization.TABLE: _capitalization(letters, studied, company),
        securities.TABLE: _securities(studied, company.records),
        "in_earlier_events": [_past(one, row, told, ratios) for one, row in earlier],
        "in_later_events": [_past(one, row, told, ratios) for one, row in later],
        "in_holders": _holders(company, record.series),
        stated.TABLE: _stated(company.stated[record.series], studied.event.event, company.records),
        tie_out.REMARKS: _remarks(findings),
    }
    for table, most in ((capitalization.TABLE, capitalization.ROWS), (securities.TABLE, securities.ROWS)):
        if len(tables[table]) > most:
            what = "classes" if table == capitalization.TABLE else "securities"
            raise NoModel(f"{studied.event.event}: {len(tables[table])} {what}, the model has room for {most}")
    digest = _digest(scalars, tables)
    tables[change_log.TABLE] = [
        {
            change_log.WHEN: (as_of or changes[-1].event.date).isoformat(),
            change_log.WHAT: "Delivered with these figures",
            change_log.VERSION: f"xl_conversion {__version__}",
            change_log.DIGEST: digest[:16],
            change_log.BEFORE: studied.start,
            change_log.AFTER: studied.price,
            change_log.REMARK: f"{studied.event.event}: {studied.reason}",
        }
    ]
    return Filling(scalars, tables, digest)


def _digest(scalars: Mapping[str, Given], tables: Mapping[str, Sequence[Row]]) -> str:
    """SHA-256 of what is put in: the same for the same figures, whatever file they came in."""
    text = repr([(name, _plain(given.value)) for name, given in sorted(scalars.items())])
    text += repr(
        [
            (name, [sorted((k, _plain(v)) for k, v in row.items()) for row in rows])
            for name, rows in sorted(tables.items())
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _series(records: Records, company: str, name: str) -> SeriesRecord:
    found = [row for row in records.series if row.company == company]
    names = ", ".join(row.series for row in found)
    if name:
        found = [row for row in found if row.series == name]
    if len(found) != 1:
        what = f"there is no series {name}" if name else f"{company} has several series"
        raise NoModel(f"{what}: a model is of one of {names}", "name it with --series")
    return found[0]


Rows: TypeAlias = list[tuple[Change, Columns]]
"""Events with the columns of their kind."""


def _studied(changes: Sequence[Change], record: SeriesRecord, event: str) -> tuple[Change, Letters, Rows, Rows]:
    """The event that the model is of, in letters, and the rows of those before and after it."""
    series = record.series
    if event:
        named = [place for place, change in enumerate(changes) if change.event.event == event]
        if not named:
            raise NoModel(
                f"{series} has no event {event}", f"its events: {', '.join(c.event.event for c in changes)}"
            )
        return _rolled(changes, named[0], record)
    issuances = [place for place, change in enumerate(changes) if isinstance(change.event, Issued)]
    moved = [place for place in issuances if changes[place].effect and changes[place].made]
    refused: NoModel | None = None
    for place in dict.fromkeys([*reversed(moved), *reversed(issuances)]):
        try:
            return _rolled(changes, place, record)
        except NoModel as problem:
            refused = refused or problem
    why = f": {refused.message}" if refused else ""
    raise NoModel(f"{series} has no issuance that the model can show{why}")


def _rolled(changes: Sequence[Change], place: int, record: SeriesRecord) -> tuple[Change, Letters, Rows, Rows]:
    """The event in that place as the one under study, if the formulas of the sheets, rolled forward from row to
    row, give the prices and ratios of the history."""
    studied = changes[place]
    letters, method = _letters(studied), _method(studied)
    name, series = studied.event.event, record.series
    if letters is None:
        only = "" if isinstance(studied.event, Issued) else "only an issuance can be the event under study; "
        raise NoModel(f"{name}: {only}it moves {series} by no formula of the model of one: {studied.reason}")
    state = State(record.conversion_price, record.conversion_price, record.conversion_price)
    rows: Rows = []
    for number, change in enumerate(changes):
        following = changes[number + 1].start if number + 1 < len(changes) else None
        if number == place:
            state = _studied_state(studied, letters, state)
        else:
            row, state = _row(change, studied.series, method, state, record.conversion_price, following)
            rows.append((change, row))
    return studied, letters, rows[:place], rows[place:]


def _studied_state(studied: Change, letters: Letters, state: State) -> State:
    """What the event under study leaves by the formulas of Calculation. Raises NoModel if that is not what the
    history has, or if there is no figure for a cell of the model."""
    series, method, event = studied.series, _method(studied), studied.event.event
    new = _moved_by_letters(studied, letters, state, method)

    def ratio(of: State) -> Fraction:
        return _ratio_of(of, series)

    try:
        ratio(state)
        found = {
            "price in force before": (state.price, studied.price_before),
            "price that it starts from": (state.carried, studied.start),
            "unrounded price": (new.after or new.carried, studied.unrounded),
            "price": (new.price, studied.price),
            "ratio": (ratio(new), studied.ratio),
        }
        # Calculation has the ratio from either price, and both again with the securities listed.
        listed = _moved_by_letters(studied, letters.listed(), state, method)
        for one in (new, listed):
            for price in (one.price, one.unrounded):
                series.ratio.price(series.original_issue_price / price)
    except ImpossibleArgument as problem:
        raise NoModel(f"{event}: a price or ratio of the model would be 0: {problem}", _DIGITS) from None
    for what, (here, there) in found.items():
        if here != there:
            raise NoModel(
                f"{event}: {what} {brief(there)}, by the formulas of the model {brief(here)} ({studied.reason})"
            )
    return new


def _moved_by_letters(studied: Change, letters: Letters, state: State, method: Method) -> State:
    """The prices after the event under study, by its letters."""
    cp1, paid, series = state.carried, letters.consideration, studied.series
    securities = counted_securities(studied)
    tested = paid / letters.shares
    if method is Method.FULL_RATCHET:
        tested = min(security.consideration / security.shares for security in securities)
    if method is Method.NONE or tested >= cp1:
        return state.as_it_was()
    after = tested
    if method is not Method.FULL_RATCHET:
        a, c = letters.outstanding_before, letters.other_before
        after = min(cp1, cp1 * (a + c + paid / cp1) / letters.after())
    if after == cp1:
        return state.as_it_was()
    price = min(_taken(after, series.price), state.price)
    return State(price, price if series.carried_price is Basis.ROUNDED else after, after, after)


def _row(
    change: Change, series: Series, method: Method, state: State, first: Fraction, following: Fraction | None
) -> tuple[Columns, State]:
    """The columns of an earlier or later event that give its price in force and its ratio; by the formula of its
    kind where this gives the unrounded price too. Raises NoModel where none do.

    Of several ways to replay it, the one by which the next event starts from where it does is taken.
    """
    # One that no adjustment was made by stays in force as it was.
    adjusted = change.effect is None or change.made
    kept: Columns = {"Kind": REPLAYED, "Price as replayed": change.price}
    moved: Columns = {"Kind": REPLAYED, "Price as replayed": change.unrounded}
    ways = [kept, moved] if not adjusted or change.unrounded == state.carried else [moved, kept]
    for unrounded in dict.fromkeys((change.unrounded, change.ratio_price, following or change.unrounded)):
        told: Columns = {"Price as replayed": unrounded, "Price in force as replayed": change.price}
        ways.append({"Kind": REPLAYED, **told})
    by_formula = _by_formula(change, method)
    best: tuple[int, Columns, State] | None = None
    for row in [by_formula, *ways] if by_formula is not None else ways:
        new = _row_state(row, series, method, state, first)
        if new is None or new.price != change.price or _ratio(new, series) != change.ratio:
            continue
        exact = new.after == change.unrounded
        if row is by_formula:
            if state.carried == change.start and exact:
                return row, new
            continue
        fits = 2 * (following is None or new.carried == following) + (exact or not adjusted)
        if best is None or fits > best[0]:
            best = fits, row, new
    if best is None:
        raise NoModel(f"{change.event.event}: the model has no row that gives its price and ratio")
    return best[1], best[2]


def _row_state(row: Columns, series: Series, method: Method, state: State, first: Fraction) -> State | None:
    """What a row of Events leaves by the formulas of Price history; None if it is not complete there."""
    start, rounded_only = state.carried, series.carried_price is Basis.ROUNDED
    if row["Kind"] == REPLAYED:
        after, told = row["Price as replayed"], row.get("Price in force as replayed")
        if not isinstance(after, Fraction):
            return None
        if not isinstance(told, Fraction):
            if after in (state.price, start):
                return state.as_it_was()
            told = first if after == first else _taken(after, series.price)
        return State(told, told if rounded_only else after, after, after)
    fraction = _fraction(row, method, start)
    if fraction is None or fraction <= 0:
        return None
    split = row["Kind"] == EventKind.SPLIT
    after = start * fraction if split else min(start, start * fraction)
    if after == start:
        return state.as_it_was()
    price = _taken(after, series.price)
    price = price if split else min(price, state.price)
    return State(price, price if rounded_only else after, after, after)


def _fraction(row: Columns, method: Method, start: Fraction) -> Fraction | None:
    """N / D of an event, as Price history has it; None where it is not complete or there is none."""

    def figure(header: str) -> Fraction:
        found = row.get(header)
        return found if isinstance(found, Fraction) else Fraction(0)

    out, other, shares = figure("Outstanding before"), figure("Other securities before"), figure("Shares")
    money, each, market = figure("Money in all"), figure("Money per share"), figure("Market price")
    excess, form = each - figure("Threshold"), row.get("Form")
    match row["Kind"]:
        case EventKind.ISSUANCE if shares > 0 and method is Method.NONE:
            return Fraction(1)
        case EventKind.ISSUANCE if shares > 0 and method is Method.FULL_RATCHET:
            return money / shares / start
        case EventKind.ISSUANCE if shares > 0 and out > 0:
            return (out + other + money / start) / (out + other + shares)
        case EventKind.SPLIT:
            return figure("Old") / figure("New")
        case EventKind.STOCK_DIVIDEND if out > 0 and shares > 0:
            return out / (out + shares)
        case EventKind.CASH_DIVIDEND if excess <= 0:
            return Fraction(1) if form == CashForm.SUBTRACT or market > 0 else None
        case EventKind.CASH_DIVIDEND if form == CashForm.SUBTRACT:
            return (start - each) / start
        case EventKind.CASH_DIVIDEND if form == CashForm.EXCESS and market > 0:
            return (market - excess) / market
        case EventKind.CASH_DIVIDEND if market > each:
            return (market - each) / (market - each + excess)
        case EventKind.RIGHTS if out > 0 and shares > 0 and market > 0:
            return (out + shares * each / market) / (out + shares)
        case EventKind.SPIN_OFF if form == SpinOffForm.OVER_SUM and market > 0:
            return market / (market + each)
        case EventKind.SPIN_OFF if market > each:
            return (market - each) / market
        case EventKind.TENDER_OFFER if out > shares > 0 and market > 0:
            return market * out / (money + market * (out - shares))
    return None


def _taken(value: Fraction, rounding: Rounding) -> Fraction:
    """`value` rounded as the sheets do: where it is not to the nearest, what a double cannot tell goes first."""
    if rounding.decimals is None:
        return value
    scale = Fraction(10) ** rounding.decimals
    if rounding.rounding_type is not RoundingType.HALF_UP:
        fine = scale * 10**_GUARD
        value = Fraction(round_whole(value * fine, RoundingType.HALF_UP)) / fine
    return round_whole(value * scale, rounding.rounding_type) / scale


def _ratio_of(state: State, series: Series) -> Fraction:
    """The ratio as the sheets have it. Raises ImpossibleArgument where it rounds to 0."""
    price = state.price if series.ratio_basis is Basis.ROUNDED else state.unrounded
    if price <= 0:
        raise ImpossibleArgument("price", "0", "nothing is left of it")
    return series.ratio.price(series.original_issue_price / price)


def _ratio(state: State, series: Series) -> Fraction | None:
    try:
        return _ratio_of(state, series)
    except ImpossibleArgument:
        return None


def _letters(change: Change) -> Letters | None:
    """An issuance in letters, where the price before and these give the price after."""
    if not isinstance(change.event, Issued) or change.effect is None or change.replayed:
        return None
    arguments, explain = change.effect.arguments, change.effect.explain
    found: Letters | None = None
    if explain is explanations.explain_weighted_average:
        _, base, paid, new, _ = arguments
        issued = sum((security.shares for security in counted_securities(change)), Fraction(0))
        found = Letters(base, Fraction(0), paid, issued, parts=change.effect.parts, added=new - issued)
    elif explain is explanations.explain_weighted_average_charter:
        _, a, paid, c, x, y, new = arguments
        found = Letters(a, c, paid, new, x, y)
    elif explain is explanations.explain_full_ratchet:
        # A ratchet weighs nothing: the counts are shown where the company gives them.
        counted = counted_securities(change)
        paid = sum((security.consideration for security in counted), Fraction(0))
        new = sum((security.shares for security in counted), Fraction(0))
        counts = change.event.counts
        if counts is None:
            found = Letters(Fraction(0), Fraction(0), paid, new)
        else:
            after = counts.outstanding_after, counts.other_after
            found = Letters(counts.outstanding_before, counts.other_before, paid, new, *after)
    return found


def counted_securities(change: Change) -> tuple[Security, ...]:
    """What an issuance issued, without what the charter exempts or cannot be computed yet."""
    if not isinstance(change.event, Issued):
        return ()
    exempted = change.series.exempted
    return tuple(s for s in change.event.securities if s.calculable and not s.labels & exempted)


def _of_the_model() -> dict[str, Given]:
    """What the model itself needs, and the defaults of choices."""
    nearest, down = RoundingType.HALF_UP.value, RoundingType.FLOOR.value
    found = {
        name: Given(Fraction(value), OF_THE_MODEL)
        for name, value in (
            ("in_tolerance", "1e-9"),
            ("in_tolerance_amount", "1e-6"),
            ("in_zero", "0"),
            ("in_one", "1"),
            ("in_ten", "10"),
            ("in_half", "0.5"),
            ("in_guard", "6"),
        )
    }
    for name, value in (
        ("in_method", Method.BROAD.value),
        ("in_price_decimals", Fraction(2)),
        ("in_price_rounding_type", nearest),
        ("in_carried_price", "rounded"),
        ("in_ratio_decimals", Fraction(2)),
        ("in_ratio_rounding_type", nearest),
        ("in_ratio_basis", "unrounded"),
        ("in_counts_after", CountsAfter.SECURITIES_LISTED.value),
        ("in_share_rounding_type", down),
        ("in_shares_per", "holder"),
        ("in_cash_decimals", Fraction(2)),
        ("in_cash_rounding_type", nearest),
    ):
        found[name] = Given(value, "default of this model")
    for name, value in (
        ("in_sensitivity_size", "1000000"),
        ("in_sensitivity_size_step", "1000000"),
        ("in_sensitivity_price", "0.25"),
        ("in_sensitivity_price_step", "0.25"),
    ):
        found[name] = Given(Fraction(value), ILLUSTRATION)
    return found


def _method(change: Change) -> Method:
    """How an issuance of that day moves the price: a ratchet may hold for a time."""
    return Method.FULL_RATCHET if change.series.ratchets_on(change.event.date) else change.series.method


def _terms(record: SeriesRecord, terms: Series, method: Method) -> dict[str, Given]:
    source = terms.source

    def term(name: str, value: Fraction | str | int) -> Given:
        return Given(Fraction(value) if isinstance(value, int) else value, term_source(record, name))

    found = {
        "in_company": Given(terms.company, source),
        "in_series": Given(terms.name, source),
        "in_original_issue_price": Given(terms.original_issue_price, source),
        "in_conversion_price": Given(record.conversion_price, source),
        "in_method": term("method", method.value),
        "in_carried_price": term("carried_price", terms.carried_price.value),
        "in_share_rounding_type": term("share_rounding_type", terms.share_rounding_type.value),
        "in_shares_per": term("shares_per", terms.shares_per.value),
    }
    for stem, rounding in (("price", terms.price), ("ratio", terms.ratio)):
        given = term(f"{stem}_decimals", MAX_DECIMALS if rounding.decimals is None else rounding.decimals)
        if rounding.decimals is None:
            given = Given(given.value, f"{given.source}: not rounded, {MAX_DECIMALS} digits kept")
        found[f"in_{stem}_decimals"] = given
        found[f"in_{stem}_rounding_type"] = term(f"{stem}_rounding_type", rounding.rounding_type.value)
    basis = term("ratio_basis", terms.ratio_basis.value)
    # What a reader notes of a series says why the ratio is taken from the one price or the other.
    found["in_ratio_basis"] = Given(basis.value, f"{basis.source}; {record.note}" if record.note else basis.source)
    return found


def _event(
    studied: Change, letters: Letters, as_of: date, told: Mapping[str, Stated], ratios: Mapping[str, Stated]
) -> dict[str, Given]:
    event, own = studied.event, letters.outstanding_after is not None or letters.added != 0
    notice, price, ratio = _noticed(event, told, ratios)
    of_notice = told[event.event].source if event.event in told else ""
    return {
        "in_clause": Given(studied.clause, event.source if event.clause else studied.series.source),
        "in_currency": Given(_currency(told.get(event.event)), of_notice),
        "in_event": Given(event.event, event.source),
        "in_event_date": Given(event.date, event.source),
        "in_as_of": Given(as_of, "last day of what is recorded here"),
        "in_notice": Given(notice or None, of_notice),
        "in_notice_price": Given(price, of_notice),
        "in_notice_ratio": Given(ratio, of_notice),
        "in_counts_after": Given(
            (CountsAfter.OWN_COUNTS if own else CountsAfter.SECURITIES_LISTED).value,
            ("computed: what adjustments of other series add counts as issued" if letters.added else event.source)
            if own
            else "the company gives no counts of its own",
        ),
    }


def _currency(told: Stated | None) -> str | None:
    """What stands before a price as it was stated: a sign or letters."""
    found = re.match(r"\s*([A-Z]{0,3}[$€£¥]|[A-Z]{3})", told.text) if told is not None else None
    return found[1] if found else None


def _noticed(
    event: Event, told: Mapping[str, Stated], ratios: Mapping[str, Stated]
) -> tuple[str, Fraction | None, Fraction | None]:
    """Which notice was given of an event, and what it says; a price stated is one."""
    if event.event not in told:
        return "", None, None
    found = told[event.event]
    price = read_written(found.text)
    ratio = read_written(ratios[event.event].text) if event.event in ratios else None
    return found.source or "stated", price.value if price else None, ratio.value if ratio else None


def _sensitivity(letters: Letters, studied: Change) -> dict[str, Given]:
    """Sizes around the issue and prices up to the conversion price before it, in round steps."""
    size, price = _round_step(letters.shares / 4), _round_step(studied.start / 6)
    return {
        "in_sensitivity_size": Given(size, ILLUSTRATION),
        "in_sensitivity_size_step": Given(size, ILLUSTRATION),
        "in_sensitivity_price": Given(price, ILLUSTRATION),
        "in_sensitivity_price_step": Given(price, ILLUSTRATION),
    }


def _round_step(value: Fraction) -> Fraction:
    """The largest of 1, 2 or 5 times a power of ten that is not above `value`.

    >>> _round_step(Fraction(20469606)), _round_step(Fraction("1.07")), _round_step(Fraction("0.06"))
    (Fraction(20000000, 1), Fraction(1, 1), Fraction(1, 20))
    """
    power = Fraction(1)
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return max(step * power for step in (1, 2, 5) if step * power <= value)


def _capitalization(letters: Letters, studied: Change, company: CompanyInput) -> list[Row]:
    def row(
        name: str, kind: str, before: Fraction, after: Fraction | None, counted: CountedAs, source: str
    ) -> Row:
        return {
            capitalization.CLASS: name,
            capitalization.KIND: kind,
            capitalization.BEFORE: before,
            capitalization.AFTER: after,
            capitalization.COUNTED: counted.value,
            capitalization.SOURCE: source,
        }

    source = studied.event.source
    if letters.outstanding_after is not None:
        outstanding = "Common outstanding, by the company's own count"
        others = "Common underlying other securities, by the company's own count"
        return [
            row(
                outstanding,
                ClassKind.COMMON,
                letters.outstanding_before,
                letters.outstanding_after,
                CountedAs.OUTSTANDING,
                source,
            ),
            row(
                others, ClassKind.OPTION.value, letters.other_before, letters.other_after, CountedAs.OTHER, source
            ),
        ]
    kinds = _kinds(company)
    rolled = "capitalization, rolled forward to the event"
    solved = letters.added != 0
    rows = [
        row(
            name,
            kinds.get(name, ClassKind.OPTION),
            shares,
            shares if solved else None,
            CountedAs.OUTSTANDING,
            rolled,
        )
        for name, shares in letters.parts.items()
    ]
    if solved:
        for name, shares, why in (
            ("Common of the securities issued", letters.shares, "Securities issued"),
            (
                "Common that adjustments of other series add, solved",
                letters.added,
                "the charter counts it as issued",
            ),
        ):
            rows.append(row(name, ClassKind.COMMON, Fraction(0), shares, CountedAs.OUTSTANDING, why))
    return rows


def _kinds(company: CompanyInput) -> dict[str, ClassKind]:
    """What each class is, by name."""
    found = {"common": ClassKind.COMMON}
    found |= {series.name: ClassKind.PREFERRED for series in company.company.series}
    found |= {one.name: one.kind for one in company.company.capitalization}
    known = {kind.value: kind for kind in ClassKind}
    for event in company.company.events:
        if isinstance(event, Issued):
            found |= {s.name: known[s.kind.value] for s in event.securities if s.kind.value in known}
    return found


def _securities(studied: Change, records: Records) -> list[Row]:
    """What was issued, without what the charter exempts."""
    event = studied.event
    if not isinstance(event, Issued):
        return []
    rows = {(row.event, row.security): row for row in records.issued if row.series in ("", studied.series.name)}
    found: list[Row] = []
    for security in counted_securities(studied):
        row = rows.get((event.event, security.name))
        each = row.consideration_per_share if row is not None and row.consideration is None else None
        found.append(
            {
                securities.SECURITY: security.name,
                securities.KIND: security.kind.value,
                securities.SECURITY_SHARES: security.shares,
                securities.EACH: each,
                securities.IN_ALL: security.consideration if each is None else None,
                securities.SOURCE: security.source or None,
                securities.NOTE: _note(row),
            }
        )
    return found


def _note(row: SecurityRecord | None) -> str | None:
    return row.note or None if row is not None else None


def _past(change: Change, columns: Columns, told: Mapping[str, Stated], ratios: Mapping[str, Stated]) -> Row:
    """An earlier or later event: by the columns of its kind where a formula gives its price, else as replayed."""
    event = change.event
    notice, price, ratio = _noticed(event, told, ratios)
    source = event.source
    if columns["Kind"] == REPLAYED:
        source = "; ".join(filter(None, (event.source, f"replayed: {change.reason}")))
    return {
        "Event": event.event,
        "Date": event.date,
        "Notice": notice or None,
        "Price noticed": price,
        "Ratio noticed": ratio,
        "Source": source or None,
        **columns,
    }


def _by_formula(change: Change, method: Method) -> Columns | None:
    """The columns of its kind, by which a formula may give its price; None where there is none."""
    event = change.event
    if change.effect is None or change.replayed:
        return None
    letters = _letters(change)
    if letters is not None:
        if _method(change) is not method:  # the model has one for all its issuances
            return None
        shares = letters.after() - letters.outstanding_before - letters.other_before
        return {
            "Kind": EventKind.ISSUANCE.value,
            "Outstanding before": letters.outstanding_before or None,
            "Other securities before": letters.other_before or None,
            # What the price of a ratchet is taken of, whatever the counts say.
            "Shares": letters.shares if method is Method.FULL_RATCHET else shares,
            "Money in all": letters.consideration,
        }
    arguments = change.effect.arguments
    match event:
        case Split():
            return {"Kind": "split", "New": event.new, "Old": event.old}
        case StockDividend():
            return {"Kind": "stock_dividend", "Outstanding before": arguments[1], "Shares": event.shares}
        case CashDividend():
            return {
                "Kind": "cash_dividend",
                "Money per share": event.dividend,
                "Threshold": event.threshold or None,
                "Market price": event.market_price,
                "Form": event.method.value,
            }
        case Rights():
            return {
                "Kind": "rights",
                "Outstanding before": arguments[1],
                "Shares": event.offered,
                "Money per share": event.offer_price,
                "Market price": event.market_price,
            }
        case SpinOff():
            return {
                "Kind": "spin_off",
                "Money per share": event.distributed_value,
                "Market price": event.market_price,
                "Form": event.method.value,
            }
        case TenderOffer():
            return {
                "Kind": "tender_offer",
                "Outstanding before": arguments[2],
                "Shares": event.shares,
                "Money in all": event.consideration,
                "Market price": event.market_price,
            }
    return None


def _holders(company: CompanyInput, series: str) -> list[Row]:
    holdings = company.holdings[series]
    if holdings:
        return [
            {"Holder": one.holder, "Certificate": one.certificate or None, "Shares": one.shares}
            for one in holdings
        ]
    return [
        {
            "Holder": f"Holder {number}",
            "Certificate": str(number),
            "Shares": Fraction(shares),
            "Note": ILLUSTRATION,
        }
        for number, shares in enumerate((100, 101, 2500), start=1)
    ]


def _stated(rows: Sequence[Stated], event: str, records: Records) -> list[Row]:
    """What is stated of the event, but for chains of conversion, which have a model of their own."""
    chained = {row.security for row in records.conversions if row.event == event}
    return [
        {
            stated.ITEM: row.item.value,
            stated.SUBJECT: row.subject or None,
            stated.WRITTEN: row.text,
            stated.SOURCE: row.source or None,
            stated.OTHER: row.reference or None,
            stated.OTHER_SOURCE: row.reference_source or None,
        }
        for row in rows
        if row.event == event
        and row.item in stated.ITEMS
        and not (row.item is Item.COMMON_SHARES and row.subject in chained)
    ]


def _remarks(findings: Sequence[Finding]) -> list[Row]:
    """What the tie-out found out about the exceptions."""
    found: list[Row] = []
    for finding in findings:
        if finding.explanation and finding.check is not Check.CHAIN:
            of = f", {finding.subject}" if finding.subject else ""
            found.append(
                {
                    tie_out.REMARK_TICK: finding.check.value,
                    tie_out.REMARK_FIGURE: f"{finding.item.value.replace('_', ' ')}{of}, stated {finding.stated}",
                    tie_out.REMARK: finding.explanation,
                }
            )
    return found[: tie_out.REMARK_ROWS]
