"""The words that a column allows, and what each of them means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, get_args

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.stated import Item
from xl_conversion.core.terms import Basis, Closings, Method, Others, SharesPer
from xl_conversion.inputs.events import FORMS, KINDS
from xl_conversion.inputs.records import EventRecord, Record

MEANINGS: Mapping[type[StrEnum], Mapping[str, str]] = {
    RoundingType: {
        "half_up": "to the nearest, a tie away from zero",
        "half_even": "to the nearest, a tie to the even digit",
        "floor": "down",
        "ceiling": "up",
    },
    Basis: {"rounded": "the rounded price", "unrounded": "the unrounded price"},
    Method: {
        "broad": "weighted average on common, preferred as converted, options, warrants and convertible notes",
        "broad_with_pool": "as broad, and the options not yet granted",
        "narrow": "weighted average on common and preferred as converted only",
        "common": "weighted average on common only",
        "listed": "weighted average on the classes in base_classes",
        "full_ratchet": "down to the issue price",
        "none": "not at all",
    },
    Others: {
        "before": "they count as converted before it, and their adjustments do not feed back",
        "solved": "the common that their adjustments add counts as issued for nothing, and the circle is solved",
    },
    Closings: {"as_first": "as if all had happened at the first", "separately": "each on its own day"},
    SharesPer: {"holder": "all that a holder has", "certificate": "each certificate"},
    SecurityKind: {
        "shares": "common",
        "option": "an option to buy common",
        "warrant": "a warrant to buy common",
        "convertible_note": "a note that converts",
        "preferred": "preferred that converts, of a series in the input or another",
    },
    ClassKind: {
        "common": "common outstanding",
        "preferred": "preferred that converts",
        "option": "options granted",
        "warrant": "warrants",
        "convertible_note": "notes that convert",
        "pool": "options that may still be granted",
    },
    Item: {
        "A": "common outstanding before",
        "B": "common that the consideration would buy at the price before",
        "C": "common underlying other securities before",
        "numerator": "A + B + C",
        "X": "common outstanding after",
        "Y": "common underlying other securities after",
        "denominator": "X + Y",
        "conversion_price": "price after the event",
        "conversion_ratio": "common for one share of preferred after the event",
        "preferred_shares": "preferred that a security converts into",
        "common_shares": "common that a security is or converts into",
        "date": "a date that another document gives too",
    },
    CashForm: {
        "ratio": "price x (market price - dividend) / (market price - threshold)",
        "excess": "price x (market price - what of the dividend is above the threshold) / market price",
        "subtract": "price - dividend, where that is above the threshold",
    },
    SpinOffForm: {
        "over_sum": "price x market price / (market price + value), with the market price after it",
        "over_market": "price x (market price - value) / market price, with the market price before it",
    },
}
YES_NO = {"yes": "", "no": ""}


def words_of(record: type[Record], column: str, kind: str = "") -> Mapping[str, str]:
    """The words that a column allows (of events, for one `kind`) with their meanings; none for others."""
    if record is EventRecord and column == "kind":
        return {name: one.help for name, one in KINDS.items()}
    if record is EventRecord and column == "form":
        return MEANINGS[type(FORMS[kind][0])] if kind in FORMS else {}
    held = types_of(record, column)
    return YES_NO if bool in held else next((MEANINGS[one] for one in held if one in MEANINGS), {})


def types_of(record: type[Record], column: str) -> frozenset[Any]:
    """What a cell of a column becomes; text under `company`, which every table of a portfolio may have."""
    held = next((one.type for one in record.model_fields.values() if one.alias == column), str)
    return frozenset(_parts(held))


def _parts(held: Any) -> Iterator[Any]:
    yield held
    for part in get_args(held):
        yield from _parts(part)
