"""Writes what happened to the price of a series as ratio adjustments of the Open Cap Format.

A number of the format is a text of digits with at most ten decimals. What they cannot say exactly is refused and
never rounded: a price in force with more of them, or a rounding of shares that the format has no word for.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from xl_conversion.core.changes import Change
from xl_conversion.core.rounding import RoundingType, brief, exact_text
from xl_conversion.inputs.ocf import EVENT_COMMENT
from xl_conversion.inputs.problems import InputError, Problem

MOST_DECIMALS = 10
MOST_WHOLE_DIGITS = 34
"""The format sets no limit to the digits before the point; these are those that decimal arithmetic carries."""
ROUNDING_WORDS = {
    RoundingType.HALF_UP: "NORMAL",
    RoundingType.FLOOR: "FLOOR",
    RoundingType.CEILING: "CEILING",
}
_NAMES = uuid.UUID("6f0c3f6e-8a55-5c0e-9a7e-0d5f2b7a9c11")
_CURRENCY = re.compile("[A-Z]{3}")


def ratio_adjustments(
    changes: Sequence[Change], *, currency: str, stock_class_id: str | None = None, digest: str = ""
) -> list[dict[str, Any]]:
    """One object for each of the changes of a series that moved its price in force.

    `stock_class_id` is that of the series in the package that they are for; without one it is made of the names of
    company and series. Ids are made of `digest` (of the input), series and event: the same in each run.

    Raises InputError with every figure that the format cannot say exactly, ValueError for a `currency` that is no
    code of three capitals.
    """
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"currency {currency!r} is not a code such as USD")
    moved = [change for change in changes if change.price != change.price_before]
    problems = [problem for change in moved for problem in _unsayable(change)]
    problems += [
        _no_word(change) for change in moved[:1] if change.series.share_rounding_type not in ROUNDING_WORDS
    ]
    if problems:
        raise InputError(problems)
    return [_adjustment(change, currency, stock_class_id, digest) for change in moved]


def ratio_adjustment_bytes(
    changes: Sequence[Change], *, currency: str, stock_class_id: str | None = None, digest: str = ""
) -> bytes:
    """The same as a transactions file, the same bytes for the same changes.

    Raises as :func:`ratio_adjustments`.
    """
    items = ratio_adjustments(changes, currency=currency, stock_class_id=stock_class_id, digest=digest)
    content = {"file_type": "OCF_TRANSACTIONS_FILE", "items": items}
    return (json.dumps(content, sort_keys=True, indent=2) + "\n").encode("ascii")


def numeric(value: Fraction) -> str | None:
    """A number as the format writes it; None where ten decimals do not say it exactly.

    >>> numeric(Fraction("3.205")), numeric(Fraction(1, 3)), numeric(Fraction(1, 10**11))
    ('3.205', None, None)
    """
    text = exact_text(value)
    if text is None:
        return None
    whole, _, part = text.lstrip("-").partition(".")
    return text if len(part) <= MOST_DECIMALS and len(whole) <= MOST_WHOLE_DIGITS else None


def ratio_numbers(ratio: Fraction, over: Fraction, under: Fraction) -> tuple[str, str] | None:
    """Numerator and denominator that say a ratio exactly: `over` and `under` where it is their quotient, else its
    own digits, else whole numbers; None where none of them is short enough.

    >>> ratio_numbers(Fraction("3.205"), Fraction("6.41"), Fraction(2))
    ('6.41', '2')
    >>> ratio_numbers(Fraction("3.21"), Fraction("6.41"), Fraction(2))
    ('3.21', '1')
    >>> ratio_numbers(Fraction(1, 3), Fraction(1), Fraction("3.00000000001"))
    ('1', '3')
    """
    pairs = [(ratio, Fraction(1)), (Fraction(ratio.numerator), Fraction(ratio.denominator))]
    if over / under == ratio:
        pairs.insert(0, (over, under))
    for pair in pairs:
        numerator, denominator = map(numeric, pair)
        if numerator is not None and denominator is not None:
            return numerator, denominator
    return None


def _unsayable(change: Change) -> Iterator[Problem]:
    series, event = change.series, change.event.event
    limit = f"the Open Cap Format has at most {MOST_DECIMALS} decimals"
    if numeric(change.price) is None:
        rule = f"event {event}: the price {_exactly(change.price)} cannot be said exactly: {limit}"
        yield Problem(series.name, rule, hint=f"give price_decimals of {MOST_DECIMALS} or fewer")
    if ratio_numbers(change.ratio, series.original_issue_price, change.ratio_price) is None:
        rule = f"event {event}: the ratio {_exactly(change.ratio)} cannot be said exactly: {limit}"
        yield Problem(series.name, rule, hint="give ratio_decimals, or take the ratio from the rounded price")


def _no_word(change: Change) -> Problem:
    series = change.series
    rule = f"event {change.event.event}: the Open Cap Format has no word for {series.share_rounding_type}"
    hint = f"share_rounding_type may be {', '.join(ROUNDING_WORDS)}"
    return Problem(
        series.name, rule, column="share_rounding_type", value=series.share_rounding_type.value, hint=hint
    )


def _exactly(value: Fraction) -> str:
    """All of a figure, in digits where they end."""
    text = exact_text(value) or str(value)
    return text if len(text) <= 2 * MOST_WHOLE_DIGITS else f"{text[: 2 * MOST_WHOLE_DIGITS]}... ({brief(value)})"


def _adjustment(change: Change, currency: str, stock_class_id: str | None, digest: str) -> dict[str, Any]:
    series, event = change.series, change.event
    numbers = ratio_numbers(change.ratio, series.original_issue_price, change.ratio_price)
    assert numbers is not None  # noqa: S101  # looked at before
    return {
        "object_type": "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT",
        "id": _id("adjustment", digest, series.company, series.name, event.event, event.date.isoformat()),
        "date": event.date.isoformat(),
        "stock_class_id": stock_class_id or _id("stock class", series.company, series.name),
        "new_ratio_conversion_mechanism": {
            "type": "RATIO_CONVERSION",
            "conversion_price": {"amount": numeric(change.price), "currency": currency},
            "ratio": {"numerator": numbers[0], "denominator": numbers[1]},
            "rounding_type": ROUNDING_WORDS[series.share_rounding_type],
        },
        "comments": [f"{EVENT_COMMENT}{event.event}", f"{change.clause}: {change.reason}"],
    }


def _id(*parts: str) -> str:
    # As JSON, so that no two lists of parts are one text.
    return str(uuid.uuid5(_NAMES, json.dumps(parts)))
