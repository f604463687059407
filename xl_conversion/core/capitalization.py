"""Who holds what just before an event, and the base that a charter weights its average by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.adjustments import ImpossibleArgument, above_zero
from xl_conversion.core.events import Event, Exercised, Merged, Split, StockDividend, TenderOffer
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.terms import Basis, Method, Series

ZERO = Fraction(0)


class ClassKind(StrEnum):
    """Of a class of the capitalization."""

    COMMON = "common"
    PREFERRED = "preferred"
    OPTION = "option"
    WARRANT = "warrant"
    CONVERTIBLE_NOTE = "convertible_note"
    POOL = "pool"
    """Options that may still be granted."""


@dataclass(frozen=True, slots=True)
class ShareClass:
    """A class: the common that it is, converts into or can at most become."""

    name: str
    kind: ClassKind
    shares: Fraction
    source: str = ""


@dataclass(slots=True)
class Position:
    """Where a series stands: `price` is in force, the next adjustment starts from `start`."""

    series: Series
    price: Fraction
    unrounded: Fraction
    start: Fraction
    preferred: Fraction
    floor: Fraction | None
    minimum: Fraction | None
    live: bool = True
    """False before the event that issues the first of it: nothing concerns it yet."""

    @property
    def value(self) -> Fraction:
        """What the price divides: the preferred at original issue prices."""
        return self.preferred * self.series.original_issue_price

    @property
    def carries_forward(self) -> bool:
        """Whether there is an adjustment too small to be made yet."""
        return self.start != (self.price if self.series.carried_price is Basis.ROUNDED else self.unrounded)

    @property
    def as_converted(self) -> Fraction:
        """Common on conversion of all of it, unrounded."""
        return self.value / self.price if self.preferred else ZERO

    @property
    def ratio_price(self) -> Fraction:
        """The price that the ratio is taken from."""
        return self.unrounded if self.series.ratio_basis is Basis.UNROUNDED else self.price

    def copy(self) -> Position:
        """An independent copy."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Right:
    """A security that can still become common, `left` of it. `factor` is the state's when it was issued."""

    security: Security
    left: Fraction
    factor: Fraction


@dataclass(slots=True)
class State:
    """A company on one day. `common` is None where nobody has said how much there is."""

    common: Fraction | None
    classes: dict[str, ShareClass]
    positions: dict[str, Position]
    rights: dict[str, Right] = field(default_factory=dict)
    """Securities issued on the way that can become common."""
    factor: Fraction = Fraction(1)
    """Shares of common today for one before the first event, by splits and stock dividends."""
    property_name: str = ""
    per_common: Fraction = Fraction(1)
    common_names: frozenset[str] = frozenset({ClassKind.COMMON.value})
    """What a listed base may call the common, in small letters."""

    @classmethod
    def of(cls, series: Iterable[Series], classes: Iterable[ShareClass], to_come: Set[str] = frozenset()) -> State:
        """The state before the first event. A class named like a series is that series' preferred; a series that
        is `to_come` begins with the event that issues it."""
        listed = list(classes)
        common = [c.shares for c in listed if c.kind is ClassKind.COMMON]
        named = {c.name: c.shares for c in listed}
        positions = {
            s.name: Position(
                s,
                s.conversion_price,
                s.conversion_price,
                s.conversion_price,
                preferred := s.preferred_shares or named.get(s.name, ZERO),
                s.floor,
                s.minimum,
                bool(preferred) or s.name not in to_come,
            )
            for s in series
        }
        others = {c.name: c for c in listed if c.kind is not ClassKind.COMMON and c.name not in positions}
        called = {c.name.casefold() for c in listed if c.kind is ClassKind.COMMON} | {ClassKind.COMMON.value}
        total = sum(common, ZERO) if common else None
        return cls(total, others, positions, common_names=frozenset(called))

    def copy(self) -> State:
        """An independent copy."""
        return replace(
            self,
            classes=dict(self.classes),
            positions={name: position.copy() for name, position in self.positions.items()},
            rights=dict(self.rights),
        )

    def known_common(self) -> Fraction:
        """Common outstanding; ImpossibleArgument where it is not known."""
        if self.common is None:
            raise ImpossibleArgument("outstanding", "blank", "the event or a capitalization must give it")
        return self.common

    def scale(self, new: Fraction, old: Fraction) -> None:
        """All common, and all that becomes common, after `new` shares for every `old`."""
        if self.common is not None:
            self.common = self.common * new / old
        self.classes = {
            name: ShareClass(c.name, c.kind, c.shares * new / old, c.source) for name, c in self.classes.items()
        }
        self.rights = {name: Right(r.security, r.left * new / old, r.factor) for name, r in self.rights.items()}
        self.factor = self.factor * new / old
        for position in self.positions.values():
            if position.floor is not None:
                position.floor = position.floor * old / new
            if position.minimum is not None:
                position.minimum = position.minimum * old / new

    def holdings(self) -> Mapping[str, Fraction]:
        """Common by class as converted, in reading order: who has what."""
        found = {"common": self.common or ZERO}
        found |= {name: position.as_converted for name, position in self.positions.items()}
        found |= {name: c.shares for name, c in self.classes.items()}
        for name, right in self.rights.items():
            found[name] = found.get(name, ZERO) + right.left
        return found


@dataclass(frozen=True, slots=True)
class Parts:
    """A base: its sum, and the classes that it adds up, by name."""

    total: Fraction
    classes: Mapping[str, Fraction]


class Base:
    """The bases of one moment, each counted once however many series ask for it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._counted: dict[Method | frozenset[str], Parts] = {}

    def of(self, series: Series) -> Parts:
        """Common outstanding on the base that the charter of `series` names."""
        return self.on(series.base_classes if series.method is Method.LISTED else series.method)

    def on(self, base: Method | frozenset[str]) -> Parts:
        """Common outstanding on one of the bases, or on the classes that are listed by name or kind, in small
        letters."""
        if base not in self._counted:
            found = self._listed(base) if isinstance(base, frozenset) else self._count(base)
            counted = {name: shares for name, shares in found.items() if shares}
            self._counted[base] = Parts(sum(counted.values(), ZERO), counted)
        return self._counted[base]

    def _count(self, method: Method) -> dict[str, Fraction]:
        state = self._state
        common = {"common": state.known_common()}
        if method is Method.COMMON:
            return common
        kinds = {ClassKind.PREFERRED}
        if method is not Method.NARROW:
            kinds |= {ClassKind.OPTION, ClassKind.WARRANT, ClassKind.CONVERTIBLE_NOTE}
        if method is Method.BROAD_WITH_POOL:
            kinds.add(ClassKind.POOL)
        names = {kind.value for kind in kinds}
        return (
            common
            | {name: p.as_converted for name, p in state.positions.items()}
            | {name: c.shares for name, c in state.classes.items() if c.kind in kinds}
            | {name: r.left for name, r in state.rights.items() if r.security.kind.value in names}
        )

    def _listed(self, names: frozenset[str]) -> dict[str, Fraction]:
        state = self._state
        preferred = ClassKind.PREFERRED.value
        found = {"common": state.known_common()} if names & state.common_names else {}
        found |= {n: p.as_converted for n, p in state.positions.items() if names & {n.casefold(), preferred}}
        found |= {n: c.shares for n, c in state.classes.items() if names & {n.casefold(), c.kind.value}}
        return found | {n: r.left for n, r in state.rights.items() if names & r.security.labels}


def issue(state: State, security: Security, price: Fraction | None = None) -> None:
    """What the issuance of `security` does to the capitalization. Preferred of a series that is modelled counts by
    the common that it converts into at `price`, the one before its issuance moved it, else at the one in force.
    """
    if security.name in state.positions:
        position = state.positions[security.name]
        position.live = True
        position.preferred += security.shares * (price or position.price) / position.series.original_issue_price
    elif security.kind is SecurityKind.SHARES:
        if state.common is not None:
            state.common += security.shares
    else:
        state.rights[security.name] = Right(security, security.shares, state.factor)
    if security.category.casefold() == ClassKind.POOL.value:
        _take_from_pool(state, security.shares)


def _take_from_pool(state: State, shares: Fraction) -> None:
    """Options that are granted leave the pool, first come first served."""
    for name, one in state.classes.items():
        if one.kind is ClassKind.POOL and shares:
            taken = min(shares, one.shares)
            state.classes[name] = ShareClass(name, one.kind, one.shares - taken, one.source)
            shares -= taken


def capitalization_after(event: Event, state: State) -> None:
    """What an event that issues nothing does to the capitalization."""
    match event:
        case Split():
            state.scale(event.new, event.old)
        case StockDividend():
            common = state.known_common() if event.outstanding is None else event.outstanding
            state.scale(above_zero("outstanding", common) + event.shares, common)
        case TenderOffer() if state.common is not None:
            state.common = less("common", state.common, event.shares)
        case Merged():
            state.property_name, state.per_common = event.property_name, event.per_common
        case Exercised():
            _exercise(event, state)


def _exercise(event: Exercised, state: State) -> None:
    if event.security in state.rights:
        right = state.rights[event.security]
        state.rights[event.security] = replace(right, left=less(event.security, right.left, event.shares))
    elif event.security in state.classes:
        one = state.classes[event.security]
        state.classes[event.security] = replace(one, shares=less(event.security, one.shares, event.shares))
    else:
        raise ImpossibleArgument("security", event.security, "there is no such security that can become common")
    if state.common is not None:
        state.common += event.shares


def less(name: str, left: Fraction, shares: Fraction) -> Fraction:
    """What is left of `name` without `shares`; ImpossibleArgument where there are not so many."""
    if shares > left:
        raise ImpossibleArgument("shares", str(shares), f"only {left} are left of {name}")
    return left - shares
