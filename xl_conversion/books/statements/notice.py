"""The notice to the holders in words: one source for the sheet and for the letter.

It says what was computed and no more: who is paid what for a fraction, or whether a stated figure is right, is
not for it to say. Where stated figures do not tie it is a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any
from unicodedata import east_asian_width

from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.wording import rounding_words
from xl_conversion.core.changes import Change
from xl_conversion.core.events import (
    Amended,
    Cancelled,
    CashDividend,
    Converted,
    Corrected,
    Event,
    Exercised,
    Expired,
    Issued,
    Merged,
    Redeemed,
    Rights,
    SpinOff,
    Split,
    StockDividend,
    TenderOffer,
    Waived,
)
from xl_conversion.core.rounding import RoundingType, exact_text, shorten, shown
from xl_conversion.core.stated import separated, with_commas
from xl_conversion.core.terms import Basis, Rounding, Series, SharesPer
from xl_conversion.inputs.reading import Case

KINDS: Mapping[type[Event], str] = {
    Issued: "Issuance",
    Amended: "Amendment of a security",
    Expired: "Expiry",
    Exercised: "Exercise",
    Split: "Split",
    StockDividend: "Stock dividend",
    CashDividend: "Cash dividend",
    Rights: "Rights offered",
    SpinOff: "Distribution",
    TenderOffer: "Tender offer",
    Merged: "Merger",
    Waived: "Waiver",
    Cancelled: "Cancellation",
    Converted: "Conversion",
    Redeemed: "Redemption",
    Corrected: "Correction",
}
"""Of each kind of event, what a reader calls it."""
LONGEST_NAME, LONGEST_TEXT, LONGEST_CLAUSE = 60, 100, 50
"""Of a name, a description and a clause in the letter; the sheets and the inputs have them whole."""
MOST_PLACES = 15
SIGN = ("Signature", "Name", "Title", "Date sent")
"""What is filled in by hand at the end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure before and after; `decimals` are those that it is rounded to."""

    label: str
    before: Fraction
    after: Fraction
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class Notice:
    """What the notice says. `change` is the last event that moved the price, None where nothing has."""

    draft: str
    """Why it is not to be sent as it is; empty where nothing is known against it."""
    company: str
    day: str
    """What it is as of, in words: not the day on which it is sent, which is filled in by hand."""
    addressee: str
    subject: str
    paragraphs: tuple[str, str, str, str, str]
    """What happened, what it does to the price, the ratio, whole shares, and what came after; empty where there is
    nothing to say."""
    lines: tuple[Line, ...]
    place: int
    """Of the change, among all; -1 for none."""
    change: Change | None

    @property
    def text(self) -> str:
        """The paragraphs, with an empty line between them."""
        return "\n\n".join(filter(None, self.paragraphs))

    @property
    def signed_for(self) -> str:
        """The line above the signature."""
        return f"For {self.company}"


def notice_of(case: Case, result: SeriesResult) -> Notice:
    """The notice on the last event that moved the price, or that none has.

    Raises nothing: every history has one.
    """
    series, changes = result.series, case.changes
    place = next((at for at in range(len(changes) - 1, -1, -1) if _moved(changes[at])), -1)
    change = changes[place] if place >= 0 else None
    name, company = _name(series.name), _name(series.company) or "[company]"
    started = changes[place - 1].ratio_price if place > 0 else series.conversion_price
    per_preferred = series.original_issue_price / started
    lines = (
        Line(
            "Conversion price, for one share of common",
            result.price if change is None else change.price_before,
            result.price,
            series.price,
        ),
        Line(
            "Shares of common for one share of preferred",
            result.ratio if change is None else series.ratio.price(per_preferred),
            result.ratio,
            series.ratio,
        ),
    )
    if change is None:
        subject, happened, follows = "Notice on the conversion price", _nothing_moved(name, result), ""
    else:
        subject = "Notice of an adjustment of the conversion price"
        happened, follows = _happened(change), _effect(change, result)
    return Notice(
        _draft(result),
        company,
        "No event is recorded"
        if result.as_of is None
        else f"As of {result.as_of.isoformat()}, the last event recorded",
        f"To the holders of {name}",
        subject,
        (happened, follows, _ratio(name, result), _whole(series), _since(place, case, result)),
        lines,
        place,
        change,
    )


def figure(value: Fraction, rounding: Rounding) -> str:
    """A figure as a letter has it: with the decimals that it is rounded to, with all of them where it has more,
    and cut, with an ellipsis, where they do not end.

    >>> figure(Fraction(2), Rounding(2)), figure(Fraction("2.125"), Rounding(2))
    ('2.00', '2.125')
    >>> figure(Fraction(1, 3), Rounding())
    '0.333333333333333...'
    """
    places = max(rounding.decimals or 0, 0)
    if 10**places % value.denominator == 0:
        return with_commas(value, places)
    text = exact_text(value) if value.denominator.bit_length() < 200 else None
    if text is not None and len(text.partition(".")[2]) <= MOST_PLACES:
        return separated(text)
    return separated(shown(value, MOST_PLACES))


@lru_cache(maxsize=256)
def rounded_as(rounding: Rounding) -> str:
    """How a figure is rounded, in words.

    >>> rounded_as(Rounding(1)), rounded_as(Rounding(4, RoundingType.FLOOR)), rounded_as(Rounding())
    ('rounded to 1 decimal (half up)', 'rounded to 4 decimals (down)', 'not rounded')
    """
    if rounding.decimals is None:
        return "not rounded"
    places = "1 decimal" if rounding.decimals == 1 else f"{rounding.decimals} decimals"
    return f"rounded to {places} ({rounding_words(rounding.rounding_type)})"


def _moved(change: Change) -> bool:
    return change.price is not change.price_before and change.price != change.price_before


def _draft(result: SeriesResult) -> str:
    if not result.exceptions:
        return ""
    return f"DRAFT: stated figures that do not tie: {result.exceptions} of {len(result.findings)}; see the tie-out"


def _nothing_moved(name: str, result: SeriesResult) -> str:
    price = figure(result.price, result.series.price)
    if result.as_of is None:
        return f"No event is recorded. The conversion price of {name} is {price}, as at the beginning."
    events = "The event recorded has" if result.events == 1 else f"None of the {result.events} events recorded has"
    moved = "not moved" if result.events == 1 else "moved"
    return (
        f"{events} {moved} the conversion price of {name} up to {result.as_of.isoformat()}: it is {price}, as at "
        "the beginning."
    )


def _happened(change: Change) -> str:
    event = change.event
    words = _WORDS.get(type(event), lambda _: "an event took place")(event)
    described = f" ({_short(event.description, LONGEST_TEXT)})" if event.description else ""
    return f"On {event.date.isoformat()} {words}{described}."


def _effect(change: Change, result: SeriesResult) -> str:
    series, rounding = result.series, change.series.price
    verb = "reduced" if change.price < change.price_before else "raised"
    if isinstance(change.event, Split | StockDividend):
        verb = "adjusted"  # what a share converts into is worth the same
    before, after = figure(change.price_before, rounding), figure(change.price, rounding)
    follows = ""
    # What a floor or a limit has given is not the rounded figure, and is not said to be.
    if change.price != change.unrounded and rounding.price(change.unrounded) == change.price:
        follows = f" Unrounded it is {figure(change.unrounded, Rounding())}; it is {rounded_as(rounding)}."
    clause = _short(change.clause, LONGEST_CLAUSE)
    reason = f" Basis: {_short(change.reason, LONGEST_CLAUSE)}, under {clause}."
    name = _name(series.name)
    return (
        f"The conversion price of {name} is {verb} from {before} to {after} per share of common, from that day on."
        f"{reason}{follows}"
    )


def _ratio(name: str, result: SeriesResult) -> str:
    series = result.series
    taken = figure(result.ratio_price, series.price)
    unrounded = series.ratio_basis is Basis.UNROUNDED and result.ratio_price != result.price
    basis = " before rounding" if unrounded else ""
    rounding = "" if series.ratio.decimals is None else f"; the result is {rounded_as(series.ratio)}"
    ratio, issued = figure(result.ratio, series.ratio), figure(series.original_issue_price, Rounding(2))
    return (
        f"One share of {name} converts into {ratio} shares of common: the original issue price, {issued}, divided "
        f"by the conversion price{basis}, {taken}{rounding}."
    )


def _whole(series: Series) -> str:
    per = "each certificate" if series.shares_per is SharesPer.CERTIFICATE else "all that a holder converts"
    ways = {
        RoundingType.FLOOR: "rounded down",
        RoundingType.CEILING: "rounded up",
        RoundingType.HALF_EVEN: "rounded to the nearest, a tie to the even number,",
        RoundingType.HALF_UP: "rounded to the nearest, a tie up,",
    }
    return f"The shares of common for {per} are {ways[series.share_rounding_type]} to whole shares."


def _since(place: int, case: Case, result: SeriesResult) -> str:
    later = len(case.changes) - 1 - place
    if place < 0 or later == 0 or result.as_of is None:
        return ""
    events = "One event has" if later == 1 else f"{later} events have"
    return (
        f"{events} been recorded since, up to {result.as_of.isoformat()}; the conversion price did not move again."
    )


def _issued(event: Issued) -> str:
    names = _short(", ".join(security.name for security in event.securities), LONGEST_TEXT)
    words = f"the company issued, or is deemed to have issued, {names or 'securities'}"
    if event.securities and all(security.calculable for security in event.securities):
        paid = sum((security.consideration for security in event.securities), Fraction(0))
        words += f", for {figure(paid, Rounding(2))} in all"
    return words


def _split(event: Split) -> str:
    what = "was split" if event.new >= event.old else "was combined"
    return f"the common {what}, {_count(event.new)} for every {_count(event.old)}"


def _count(value: Fraction) -> str:
    return figure(value, Rounding(0))


def _money(value: Fraction) -> str:
    return figure(value, Rounding(2))


def _name(text: str) -> str:
    return _short(text, LONGEST_NAME)


def _short(text: str, most: int) -> str:
    """On one line, and cut so that it takes no more room than so many letters; those of Chinese, say, take two.

    >>> _short("Series\\nA", 8), _short("A" * 9, 8), _short("优" * 9, 8)
    ('Series A', 'AAAAA...', '优...')
    """
    line = " ".join(text.split())
    wide = 0 if line.isascii() else sum(east_asian_width(letter) in "WF" for letter in line)
    return shorten(line, most * len(line) // (len(line) + wide)) if len(line) + wide > most else line


_WORDS: Mapping[type[Event], Callable[[Any], str]] = {
    Issued: _issued,
    Split: _split,
    Amended: lambda event: f"the terms of {_name(event.security)} changed, or became known",
    Expired: lambda event: f"{_name(event.security)} expired or ended unexercised, in whole or in part",
    Exercised: lambda event: f"{_name(event.security)} became common",
    StockDividend: lambda event: f"a dividend of {_count(event.shares)} shares of common was made on the common",
    CashDividend: lambda event: f"a dividend of {_money(event.dividend)} in cash was made on each share of common",
    Rights: lambda event: (
        f"rights to {_count(event.offered)} shares of common at {_money(event.offer_price)} each were offered to "
        "the holders of common"
    ),
    SpinOff: lambda event: (
        f"property of {_money(event.distributed_value)} was distributed on each share of common"
    ),
    TenderOffer: lambda event: (
        f"the company bought back {_count(event.shares)} shares of common for {_money(event.consideration)} in all"
    ),
    Merged: lambda event: f"the common became {_name(event.property_name)}",
    Waived: lambda event: f"the adjustment made by {_name(event.of)} was waived",
    Cancelled: lambda event: f"it became known that {_name(event.of)} does not take place",
    Converted: lambda event: "preferred became common",
    Redeemed: lambda event: "preferred was redeemed",
}
