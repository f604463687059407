"""The life of a company's series: events in, the price on every day out, with the reason for every change.

The past is never patched. When something in it turns out otherwise (an option expires, terms are amended, a
dividend is not paid, another closing follows), the events since are replayed as they would have been, and the
price from that day on is the one found so. When the record was wrong (a correction), all that follows is replayed
from its own day. Events of one day happen in the order given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import (
    ZERO,
    ClassKind,
    Position,
    Right,
    ShareClass,
    State,
    capitalization_after,
    issue,
    less,
)
from xl_conversion.core.changes import Change, settle
from xl_conversion.core.effects import Effect, effect, issuance_effects
from xl_conversion.core.events import (
    READJUSTING,
    Amended,
    Cancelled,
    Converted,
    Corrected,
    Counts,
    Event,
    Exercised,
    Expired,
    Issued,
    Merged,
    Redeemed,
    Waived,
)
from xl_conversion.core.issuance import Adjustment, Issuance, Security, SecurityKind, adjust
from xl_conversion.core.rounding import brief, round_whole
from xl_conversion.core.terms import Basis, Closings, Series


@dataclass(frozen=True, slots=True)
class Company:
    """The series of one company, what else it has issued, and what happens."""

    series: tuple[Series, ...]
    events: tuple[Event, ...]
    capitalization: tuple[ShareClass, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What became of the series: a row for each event and series, and the state after the last."""

    changes: tuple[Change, ...]
    state: State

    def of(self, series: str) -> tuple[Change, ...]:
        """The rows of one series."""
        return tuple(change for change in self.changes if change.series.name == series)


def history(company: Company, as_of: date | None = None) -> History:
    """The history up to and including `as_of`, with what is known then.

    Raises ImpossibleArgument for an event that cannot be, and names it.
    """
    known = {series.name for series in company.series}
    for event in company.events:
        if not event.series <= known:
            name = min(event.series - known)
            raise ImpossibleArgument(f"event {event.event}: series", name, "there is no such series")
    run = _Run(_effective(company.events, as_of))
    changes: list[Change] = []
    state = State.of(company.series, company.capitalization, frozenset(run.issued_in))
    state = run.play(state, 0, len(run.events), changes)
    return History(tuple(changes), state)


def replay(series: Series, issuances: Iterable[Issuance]) -> tuple[Adjustment, ...]:
    """The adjustment that each issuance makes, by date; issuances of one day in the order given.

    Each starts from the price that the one before it carried on, rounded or not as the charter says.
    """
    done: list[Adjustment] = []
    for issuance in sorted(issuances, key=lambda issuance: issuance.date):
        adjustment = adjust(series, issuance)
        carried = adjustment.price if series.carried_price is Basis.ROUNDED else adjustment.price_unrounded
        series = replace(series, conversion_price=carried)
        done.append(adjustment)
    return tuple(done)


def _effective(events: Sequence[Event], as_of: date | None) -> list[Event]:
    """The events as they really were, by date and in the order given within a day."""
    recorded = [event for event in events if not isinstance(event, Corrected)]
    names = {event.event for event in recorded}
    right: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: event.date):
        if isinstance(event, Corrected):
            if event.of not in names:
                raise ImpossibleArgument(f"event {event.event}: of", event.of, "there is no such event")
            if as_of is None or event.date <= as_of:
                wrong = next(one for one in recorded if one.event == event.of)
                right[event.of] = replace(event.right, event=event.of, series=event.right.series or wrong.series)
    found = [right.get(event.event, event) for event in recorded]
    return sorted((e for e in found if as_of is None or e.date <= as_of), key=lambda event: event.date)


class _Run:
    """Plays events on a state. What has turned out otherwise is kept here, and the states to replay from."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.place = {event.event: place for place, event in enumerate(events)}
        if len(self.place) < len(events):
            raise ImpossibleArgument("event", _twice(events), "each event needs a name of its own")
        self.issued_in: dict[str, list[Issued]] = {}
        for event in (event for event in events if isinstance(event, Issued)):
            for security in event.securities:
                self.issued_in.setdefault(security.name, []).append(event)
        self.referred = {self._target(event) for event in events} - {""}
        self.snapshots: dict[str, State] = {}
        self.securities: dict[str, Security] = {}
        """What has turned out to be the terms of a security, in the shares of its issuance."""
        self.kept: dict[tuple[str, str], Security] = {}
        """The terms by which a series, named second, still counts the issuance of a security."""
        self.moved: set[tuple[str, str]] = set()
        """The issuances, and amendments that are one, that have moved the price of a series."""
        self.deemed: dict[tuple[str, str], str] = {}
        """The amendment as of which a security counts as issued for a series."""
        self.skipped: set[str] = set()
        self.waived: set[tuple[str, str]] = set()
        self.closings: dict[str, list[Issued]] = {}

    def play(self, state: State, first: int, last: int, changes: list[Change], *, replayed: bool = False) -> State:
        """The state after the events from `first` to before `last`, whose rows are added to `changes`. When they
        are `replayed`, what has turned out otherwise is known from the start."""
        for place in range(first, last):
            event = self.events[place]
            if event.event in self.referred:
                self.snapshots[event.event] = state.copy()
            try:
                state = self._happen(event, place, state, changes, replayed)
            except ImpossibleArgument as problem:
                if problem.argument.startswith("event "):
                    raise
                named = f"event {event.event}: {problem.argument}"
                raise ImpossibleArgument(named, problem.value, problem.rule) from None
        return state

    def _target(self, event: Event) -> str:
        """The event whose outcome this one changes after the fact."""
        if isinstance(event, Amended | Expired):
            return self._issuance_of(event)
        if isinstance(event, Waived | Cancelled):
            return event.of
        return event.closing_of if isinstance(event, Issued) else ""

    def _issuance_of(self, event: Amended | Expired) -> str:
        """The issuance of its security, "" where there was none."""
        found = [one.event for one in self.issued_in.get(event.security, []) if _share_series(event, one)]
        if len(found) > 1:
            rule = f"{found[0]} and {found[1]} both issued it: each needs a name of its own"
            raise ImpossibleArgument(f"event {event.event}: security", event.security, rule)
        return found[0] if found else ""

    def _happen(self, event: Event, place: int, state: State, changes: list[Change], replayed: bool) -> State:
        if event.event in self.skipped:
            return state
        if isinstance(event, READJUSTING):
            if not replayed:
                return self._readjust(event, place, state, changes)
            if isinstance(event, Amended):
                self._deem(event, state, changes)
            return state
        if isinstance(event, Issued):
            if event.closing_of and not replayed and _any_as_first(event, state):
                return self._close(event, place, state, changes)
            self._issue(event, state, changes)
            return state
        if isinstance(event, Converted | Redeemed):
            self._preferred_leaves(event, state, changes)
            return state
        for position in state.positions.values():
            if position.live and event.concerns(position.series.name):
                if (event.event, position.series.name) in self.waived:
                    settle(position, Effect(position.start, "waived"), event, changes)
                else:
                    found = effect(event, position, state) or Effect(position.start, _no_effect(event))
                    settle(position, found, event, changes)
        capitalization_after(event, state)
        return state

    # Issuances.

    def _issue(self, event: Issued, state: State, changes: list[Change]) -> None:
        self._check_names(event)
        own = self._as_it_was(event)
        closings = [closing for closing in self.closings.get(event.event, []) if closing.event not in self.skipped]
        counted_before = event.closing_of in self.closings and event in self.closings[event.closing_of]
        as_first = {name for name, p in state.positions.items() if p.series.closings is Closings.AS_FIRST}
        plain = not (closings or self.kept or counted_before or self.waived)
        seen: dict[str, Sequence[Security]] = {}
        for name, position in state.positions.items():
            if not position.live:
                continue
            if plain and event.concerns(name):
                seen[name] = own
            elif event.concerns(name) and not (counted_before and name in as_first):
                seen[name] = self._seen_by(name, (event, *closings) if name in as_first else (event,))
        # The company's own counts are moved by what turned out otherwise: the securities are added by the effect.
        counts = event.counts
        if counts is not None:
            listed = sum((s.shares for s in event.securities), ZERO)
            counts = replace(counts, outstanding_after=counts.outstanding_after - listed)
        prices = {s.name: state.positions[s.name].price for s in own if s.name in state.positions}
        self._adjust(event, seen, counts, state, changes)
        # Where every series counts later closings as of the first, they are outstanding from then on.
        if len(as_first) < len(state.positions):
            closings = []
        elif counted_before:
            return
        for security in [*own, *(s for closing in closings for s in self._as_it_was(closing))]:
            issue(state, security, prices.get(security.name))

    def _adjust(
        self,
        event: Issued | Amended,
        seen: Mapping[str, Sequence[Security]],
        counts: Counts | None,
        state: State,
        changes: list[Change],
    ) -> None:
        noted = event.event in self.referred or isinstance(event, Amended)
        waived = {name for name in seen if (event.event, name) in self.waived} if self.waived else ()
        found = issuance_effects({n: s for n, s in seen.items() if n not in waived}, counts, event.date, state)
        for name in seen:
            position = state.positions[name]
            one = Effect(position.start, "waived") if name in waived else found[name]
            if one.moves and noted:
                self.moved.add((event.event, name))
            settle(position, one, event, changes)

    def _check_names(self, event: Issued) -> None:
        """A right that can become common is known by its name."""
        place = self.place[event.event]
        for security in event.securities:
            for other in self.issued_in[security.name] if security.kind is not SecurityKind.SHARES else ():
                if self.place[other.event] < place and _share_series(event, other):
                    rule = f"{other.event} issued it already: each issuance of a right needs a name of its own"
                    raise ImpossibleArgument("security", security.name, rule)

    def _seen_by(self, name: str, events: Sequence[Issued]) -> list[Security]:
        """What `events` issued, as one series counts it."""
        first, *later = events
        counting = [e for e in later if e.concerns(name) and (e.event, name) not in self.waived]
        return [
            security
            for event in (first, *counting)
            for sold in event.securities
            if (security := self.kept.get((sold.name, name), self.securities.get(sold.name, sold))).shares
        ]

    def _as_it_was(self, event: Issued) -> list[Security]:
        found = [self.securities.get(security.name, security) for security in event.securities]
        return [security for security in found if security.shares]

    # What turns out otherwise.

    def _close(self, event: Issued, place: int, state: State, changes: list[Change]) -> State:
        first = self._known(event.closing_of, place)
        of = self.events[self.place[first]]
        if not isinstance(of, Issued) or of.closing_of:
            raise ImpossibleArgument("closing_of", first, "it must be the first closing of an issuance")
        self.closings.setdefault(first, []).append(event)
        return self._otherwise(event, first, place, state, changes, f"as if closed with {first}")

    def _readjust(self, event: Event, place: int, state: State, changes: list[Change]) -> State:
        if isinstance(event, Waived | Cancelled):
            of = self._known(event.of, None)
            if isinstance(self.events[self.place[of]], READJUSTING):
                rule = "it says itself what was otherwise: correct or remove it instead"
                raise ImpossibleArgument("of", of, rule)
            if isinstance(event, Cancelled):
                self.skipped.add(of)
                reason = f"{of} did not take place"
            else:
                self.waived |= {(of, name) for name in state.positions if event.concerns(name)}
                reason = f"adjustment of {of} waived"
            if self.place[of] > place:
                for position in state.positions.values():
                    if position.live and event.concerns(position.series.name):
                        settle(position, Effect(position.start, f"{reason} beforehand"), event, changes)
                return state
            return self._otherwise(event, of, place, state, changes, reason)
        if not isinstance(event, Amended | Expired):
            raise TypeError(f"{type(event).__name__} changes nothing after the fact")
        target = self._issuance_of(event)
        if not target or self.place[target] > place:
            self._change_class(event, state, changes)
            return state
        right = state.rights.get(event.security)
        said = f"{event.security} {'amended' if isinstance(event, Amended) else 'expired'}"
        if isinstance(event, Expired) and event.shares is not None and right is not None:
            said = f"{brief(event.shares)} of {brief(right.left)} {said}"
        counted = self._change_security(event, target, state)
        return self._otherwise(event, target, place, state, changes, said, counted)

    def _change_class(self, event: Amended | Expired, state: State, changes: list[Change]) -> None:
        """A class of the capitalization: no adjustment was made for it that could be undone. Amended, with its
        consideration, it counts as issued then (NVCA 4.4.3(c): though issued before the original issue date)."""
        one = state.classes.get(event.security)
        if one is None:
            raise ImpossibleArgument("security", event.security, "there is no such security")
        names = [name for name, p in state.positions.items() if p.live and event.concerns(name)]
        if isinstance(event, Amended) and event.consideration is not None and one.kind is not ClassKind.POOL:
            shares = one.shares if event.shares is None else event.shares
            security = Security(one.name, SecurityKind(one.kind.value), shares, event.consideration, one.source)
            del state.classes[one.name]
            self._adjust(event, {name: [security] for name in names}, None, state, changes)
            state.rights[one.name] = Right(security, shares, state.factor)
            return
        shares = ZERO if event.shares is None else event.shares
        if isinstance(event, Expired):
            left = ZERO if event.shares is None else less(event.security, one.shares, event.shares)
        elif shares > one.shares and one.kind is not ClassKind.POOL:
            rule = "more shares count as issued when the terms are amended: it is needed"
            raise ImpossibleArgument("consideration", "blank", rule)
        else:
            left = shares
        state.classes[event.security] = replace(one, shares=left)
        for name in names:
            position = state.positions[name]
            reason = (
                f"{event.security}: {brief(one.shares)} are now {brief(left)}, no adjustment was made for them"
            )
            settle(position, Effect(position.start, reason), event, changes)

    def _change_security(self, event: Amended | Expired, target: str, state: State) -> dict[str, Security]:
        """Notes what has turned out, and returns the terms by which each series counted it until now."""
        issued = self.events[self.place[target]]
        original = next(s for s in getattr(issued, "securities", ()) if s.name == event.security)
        known = self.securities.get(event.security, original)
        right = state.rights.get(event.security)
        if not known.shares or (right is None and isinstance(event, Expired)):
            raise ImpossibleArgument("security", event.security, "nothing of it is left that could become common")
        # Splits since are taken back: a security is kept as it was issued.
        factor = state.factor / right.factor if right is not None else Fraction(1)
        if isinstance(event, Amended):
            new = replace(
                known,
                shares=known.shares if event.shares is None else event.shares / factor,
                consideration=known.consideration if event.consideration is None else event.consideration,
                calculable=known.calculable or event.consideration is not None,
            )
        else:
            left = ZERO if right is None else right.left
            gone = left if event.shares is None else left - less(event.security, left, event.shares)
            new = known.part(known.shares - gone / factor)
        self.securities[event.security] = new
        counted = {name: self.kept.get((event.security, name), known) for name in state.positions}
        for name, until_now in counted.items():
            key = (event.security, name)
            at = self.deemed.get(key, target)
            if not event.concerns(name):
                self.kept[key] = until_now
            elif isinstance(event, Expired):
                if key in self.kept:
                    self.kept[key] = until_now.part(until_now.shares * new.shares / known.shares)
            elif right is not None and not {(at, name)} & (self.moved | self.waived):
                # What moved nothing when it was issued is issued now, as amended (NVCA 4.4.3(c) and (e)).
                self.deemed[key], self.kept[key] = event.event, until_now
            elif key not in self.deemed:
                self.kept.pop(key, None)
        return counted

    def _deem(self, event: Amended, state: State, changes: list[Change]) -> None:
        """Issues what is left of a security, as amended, to the series whose price its issuance did not move."""
        names = [name for name in state.positions if self.deemed.get((event.security, name)) == event.event]
        rights, right = state.rights, state.rights.get(event.security)
        if not names or right is None or not right.left:
            return
        known = self.securities[event.security]
        amended = replace(known.part(right.left * right.factor / state.factor), shares=right.left)
        state.rights = {name: other for name, other in rights.items() if name != event.security}
        securities = [amended]
        self._adjust(event, dict.fromkeys(names, securities), None, state, changes)
        state.rights = rights

    def _otherwise(
        self,
        event: Event,
        target: str,
        place: int,
        state: State,
        changes: list[Change],
        reason: str,
        counted: Mapping[str, Security] | None = None,
    ) -> State:
        """The state had the past been what is known now. A series that the event does not concern, or whose price
        may not be raised, keeps its price, and goes on to count what it `counted`."""
        issued = self.events[self.place[target]]
        if isinstance(issued, Issued) and issued in self.closings.get(issued.closing_of, []):
            target = issued.closing_of  # as of which it counts
        found, deemed, trail = self._replayed(event, target, place)
        raised = {
            name
            for name, old in state.positions.items()
            if event.concerns(name) and old.series.downward_only and found.positions[name].price > old.price
        }
        if raised:
            for name in raised:
                self._goes_on(event, name, counted)
            # Once more, so that a later replay too finds them as they went on.
            found, deemed, trail = self._replayed(event, target, place)
        as_issued = {change.series.name: change for change in deemed}
        for name, old in state.positions.items():
            new = found.positions[name]
            if name in raised or not event.concerns(name):
                _keep(new, old)
            if not (event.concerns(name) and old.live):
                continue
            if name in as_issued and as_issued[name].price_before == old.price:
                changes.append(as_issued[name])
                continue
            rules_out = f"{reason}: would rise, which the charter rules out"
            why = rules_out if name in raised else f"readjusted: {reason}"
            changes.append(
                Change(
                    event,
                    old.series,
                    old.price,
                    old.start,
                    new.unrounded,
                    new.price,
                    new.ratio_price,
                    why,
                    new.price != old.price,
                    replayed=() if name in raised else tuple(c for c in trail if c.series.name == name),
                )
            )
        return found

    def _replayed(self, event: Event, target: str, place: int) -> tuple[State, list[Change], list[Change]]:
        """The state after `event`, the rows of the series to which it is an issuance, and those on the way."""
        deemed: list[Change] = []
        trail: list[Change] = []
        found = self.play(self.snapshots[target].copy(), self.place[target], place, trail, replayed=True)
        if isinstance(event, Amended):
            self._deem(event, found, deemed)
        else:
            found = self.play(found, place, place + 1, trail, replayed=True)
        return found, deemed, trail

    def _goes_on(self, event: Event, name: str, counted: Mapping[str, Security] | None) -> None:
        if isinstance(event, Amended | Expired) and counted is not None:
            self.kept[event.security, name] = counted[name]
        elif isinstance(event, Waived):
            self.waived.discard((event.of, name))

    def _known(self, of: str, before: int | None) -> str:
        if of not in self.place or (before is not None and self.place[of] >= before):
            argument = "of" if before is None else "closing_of"
            raise ImpossibleArgument(argument, of, "there is no such earlier event")
        return of

    # The series itself.

    def _preferred_leaves(self, event: Converted | Redeemed, state: State, changes: list[Change]) -> None:
        if not event.series and len(state.positions) > 1:
            raise ImpossibleArgument("series", "blank", "it must name the series whose shares these are")
        for name, position in state.positions.items():
            if not (event.concerns(name) and position.live):
                continue
            if event.shares > position.preferred:
                rule = f"only {position.preferred} of {name} are outstanding"
                raise ImpossibleArgument("shares", str(event.shares), rule)
            if isinstance(event, Redeemed):
                settle(position, Effect(position.start, "redeemed"), event, changes)
            else:
                words = "converted, not having taken part" if event.pay_to_play else "converted"
                # What was carried forward is made before anybody converts.
                settle(position, Effect(position.start, words), event, changes, catch_up=True)
                price = position.price if event.price is None else event.price
                common = event.shares * position.series.original_issue_price / price
                if state.common is not None:
                    state.common += round_whole(common, position.series.share_rounding_type)
            position.preferred -= event.shares


def _keep(new: Position, old: Position) -> None:
    new.price, new.unrounded, new.start = old.price, old.unrounded, old.start


def _no_effect(event: Event) -> str:
    if isinstance(event, Exercised):
        return "exercised: counted when it was issued"
    if isinstance(event, Merged):
        return f"each share of common has become {brief(event.per_common)} of {event.property_name}"
    return "no adjustment"


def _share_series(one: Event, other: Event) -> bool:
    return not one.series or not other.series or not one.series.isdisjoint(other.series)


def _any_as_first(event: Issued, state: State) -> bool:
    return any(
        position.series.closings is Closings.AS_FIRST and event.concerns(name)
        for name, position in state.positions.items()
    )


def _twice(events: Sequence[Event]) -> str:
    names = [event.event for event in events]
    return next(name for name in names if names.count(name) > 1)
