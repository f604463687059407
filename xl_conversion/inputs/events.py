"""The kinds of events in an input: which columns each of them needs and may have, and the record made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from xl_conversion.core.events import (
    Amended,
    Cancelled,
    CashDividend,
    CashForm,
    Converted,
    Event,
    Exercised,
    Expired,
    Merged,
    Redeemed,
    Rights,
    SpinOff,
    SpinOffForm,
    Split,
    StockDividend,
    TenderOffer,
    Waived,
)

ISSUANCE = "issuance"
COUNTS = ("outstanding_before", "other_before", "outstanding_after", "other_after")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: `make` takes its columns by name, beside what all events have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[..., Event] | None

    @property
    def columns(self) -> frozenset[str]:
        """All columns of its own."""
        return frozenset(self.required) | frozenset(self.optional)


def _split(**columns: Any) -> Event:
    new, old = columns.pop("split_new"), columns.pop("split_old")
    return Split(new=new, old=old, **columns)


def _cash_dividend(**columns: Any) -> Event:
    method = columns.pop("form", None)
    return CashDividend(method=CashForm(method) if method else CashForm.RATIO, **columns)


def _spin_off(**columns: Any) -> Event:
    method = columns.pop("form", None)
    return SpinOff(method=SpinOffForm(method) if method else SpinOffForm.OVER_SUM, **columns)


def _merged(**columns: Any) -> Event:
    per_common = columns.pop("per_common", Fraction(1))
    return Merged(property_name=columns.pop("property"), per_common=per_common, **columns)


def _pay_to_play(**columns: Any) -> Event:
    return Converted(pay_to_play=True, **columns)


KINDS: Mapping[str, Kind] = {
    ISSUANCE: Kind((), (*COUNTS, "closing_of"), None),
    "amendment": Kind(("security",), ("shares", "consideration"), Amended),
    "expiry": Kind(("security",), ("shares",), Expired),
    "exercise": Kind(("security", "shares"), (), Exercised),
    "split": Kind(("split_new", "split_old"), (), _split),
    "combination": Kind(("split_new", "split_old"), (), _split),
    "stock_dividend": Kind(("shares",), ("outstanding",), StockDividend),
    "cash_dividend": Kind(("dividend",), ("market_price", "threshold", "form"), _cash_dividend),
    "rights": Kind(("offered", "offer_price", "market_price"), ("outstanding",), Rights),
    "spin_off": Kind(("distributed_value", "market_price"), ("form",), _spin_off),
    "tender_offer": Kind(("consideration", "shares", "market_price"), ("outstanding",), TenderOffer),
    "merger": Kind(("property",), ("per_common",), _merged),
    "waiver": Kind(("of",), (), Waived),
    "cancellation": Kind(("of",), (), Cancelled),
    "conversion": Kind(("shares",), ("price",), Converted),
    "pay_to_play": Kind(("shares",), ("price",), _pay_to_play),
    "redemption": Kind(("shares",), (), Redeemed),
}
FORMS = {"cash_dividend": tuple(CashForm), "spin_off": tuple(SpinOffForm)}


def problems_of(kind: str, columns: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the columns of an event, as pairs of column and rule; `columns` holds those given."""
    known = KINDS.get(kind)
    if known is None:
        return [("kind", f"it must be one of {', '.join(KINDS)}")]
    found = [(name, f"{_a(kind)} needs it") for name in known.required if name not in columns]
    found += [(name, f"{_a(kind)} has no {name}") for name in columns if name not in known.columns]
    if kind in FORMS and columns.get("form", FORMS[kind][0]) not in FORMS[kind]:
        found.append(("form", f"it must be one of {', '.join(FORMS[kind])}"))
    if kind == "amendment" and not columns.keys() & {"shares", "consideration"}:
        found.append(("shares", "an amendment changes shares or consideration"))
    if kind in ("split", "combination") and not found:
        rises = columns["split_new"] < columns["split_old"]
        if rises != (kind == "combination"):
            more = "fewer" if kind == "combination" else "more"
            found.append(("split_new", f"{_a(kind)} makes {more} shares of split_old"))
    return found


def _a(kind: str) -> str:
    words = kind.replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
