"""The kinds of events in an input: which columns each of them needs and may have, and the record made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from xl_conversion.inputs.problems import Broken

ISSUANCE = "issuance"
COUNTS = ("outstanding_before", "other_before", "outstanding_after", "other_after")
OWN_SECURITY = ("shares", "consideration")
"""What an issuance without rows in the table securities says of the one security that it issues."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: `make` takes its columns by name, beside what all events have. `told` says what a column
    means for this kind, where it is not what it means for all."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[..., Event] | None
    help: str
    told: Mapping[str, str] = field(default_factory=dict)

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


_OF_DAY = "as of the day of the event, after the splits and dividends before it"
_PREFERRED = {"shares": "Shares of the preferred"}
_SPLIT = {
    "split_new": "Shares of common after, for every split_old before",
    "split_old": "Shares of common before",
}
KINDS: Mapping[str, Kind] = {
    ISSUANCE: Kind(
        (),
        (*COUNTS, "closing_of", *OWN_SECURITY),
        None,
        "shares, or rights to shares, are issued: the rows of the table securities with its name, or its own "
        "shares and consideration. The counts are needed where there is no capitalization",
        {
            "shares": f"Shares of common issued, {_OF_DAY}: one security of kind shares, named like the event; "
            "blank: the rows in securities",
            "consideration": "Money paid for all of them together, 0 for none; needed with shares",
        },
    ),
    "amendment": Kind(
        ("security",),
        ("shares", "consideration"),
        Amended,
        "a security's terms have changed or become calculable: the price is what it would have been with them",
        {
            "shares": f"Shares that the security can now at most become, {_OF_DAY}; blank: as before",
            "consideration": "Money now paid for all of it together; blank: as before",
        },
    ),
    "expiry": Kind(
        ("security",),
        ("shares",),
        Expired,
        "a security has ended unexercised: the price is what it would have been without it",
        {"shares": f"Shares that have lapsed, {_OF_DAY}; blank: all that is left"},
    ),
    "exercise": Kind(
        ("security", "shares"),
        (),
        Exercised,
        "a security has become common; it counted when it was issued",
        {
            "shares": f"Shares of common issued, {_OF_DAY}",
        },
    ),
    "split": Kind(("split_new", "split_old"), (), _split, "more shares of common for those there were", _SPLIT),
    "combination": Kind(
        ("split_new", "split_old"), (), _split, "fewer shares of common for those there were", _SPLIT
    ),
    "stock_dividend": Kind(
        ("shares",),
        ("outstanding",),
        StockDividend,
        "common is paid on common",
        {"shares": "All the shares paid together, a whole number"},
    ),
    "cash_dividend": Kind(
        ("dividend",), ("market_price", "threshold", "form"), _cash_dividend, "cash is paid on the common"
    ),
    "rights": Kind(
        ("offered", "offer_price", "market_price"),
        ("outstanding",),
        Rights,
        "all holders of common are offered more of it below the market price",
    ),
    "spin_off": Kind(
        ("distributed_value", "market_price"), ("form",), _spin_off, "other property is distributed on the common"
    ),
    "tender_offer": Kind(
        ("consideration", "shares", "market_price"),
        ("outstanding",),
        TenderOffer,
        "common is bought back above the market price",
        {"shares": "Shares of common bought back", "consideration": "Money paid for all of them together"},
    ),
    "merger": Kind(
        ("property",), ("per_common",), _merged, "the common has become other property; the price stays"
    ),
    "waiver": Kind(("of",), (), Waived, "the holders waive an adjustment", {"of": "The event that it is of"}),
    "cancellation": Kind(
        ("of",), (), Cancelled, "an event has not taken place in the end", {"of": "The event that has not"}
    ),
    "conversion": Kind(("shares",), ("price",), Converted, "preferred has become common, by choice", _PREFERRED),
    "pay_to_play": Kind(
        ("shares",),
        ("price",),
        _pay_to_play,
        "preferred has become common, since its holders did not take part in a round",
        _PREFERRED,
    ),
    "redemption": Kind(("shares",), (), Redeemed, "preferred has been redeemed", _PREFERRED),
}
FORMS = {"cash_dividend": tuple(CashForm), "spin_off": tuple(SpinOffForm)}


def problems_of(kind: str, columns: Mapping[str, Any]) -> list[Broken]:
    """What is wrong with the columns of an event; `columns` holds those given."""
    known = KINDS.get(kind)
    if known is None:
        return [Broken("kind", f"it must be one of {', '.join(KINDS)}")]
    found = [Broken(name, f"{_a(kind)} needs it") for name in known.required if name not in columns]
    found += [Broken(name, f"{_a(kind)} has no {name}") for name in columns if name not in known.columns]
    if kind in FORMS and columns.get("form", FORMS[kind][0]) not in FORMS[kind]:
        found.append(Broken("form", f"it must be one of {', '.join(FORMS[kind])}"))
    if kind == "amendment" and not columns.keys() & {"shares", "consideration"}:
        found.append(Broken("shares", "an amendment changes shares or consideration"))
    if kind == "stock_dividend" and "shares" in columns and columns["shares"].denominator != 1:
        found.append(Broken("shares", "it is all the shares paid together, a whole number", impossible=True))
    if kind in ("split", "combination") and not found:
        rises = columns["split_new"] < columns["split_old"]
        if rises != (kind == "combination"):
            more = "fewer" if kind == "combination" else "more"
            found.append(Broken("split_new", f"{_a(kind)} makes {more} shares of split_old", impossible=True))
    return found


def _a(kind: str) -> str:
    words = kind.replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
