"""What the input cells of the "Conversion chain model" hold: nothing, an input's records, or the notice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import as_file, files

from xl_conversion import __version__
from xl_conversion.books.templates.chain.inputs import BASIS, basis_of
from xl_conversion.books.templates.chain.notes import HOLDER, INTEREST, NOTE, PRINCIPAL, SOURCE, TABLE
from xl_conversion.books.templates.chain.words import NO, FeedPaid, FeedShares, Origin, Route
from xl_conversion.books.templates.filling import Content, Filling, Given, Row
from xl_conversion.books.templates.sheets import change_log
from xl_conversion.core.rounding import RoundingType, exact_text
from xl_conversion.core.stated import Item
from xl_conversion.inputs.problems import fail
from xl_conversion.inputs.reading import CompanyInput, read_cases
from xl_conversion.inputs.records import ConversionRecord, StatedRecord

MOST_DIGITS = 15
"""Of a number in a cell."""
CONSTANTS: Mapping[str, tuple[str, str]] = {
    "in_tolerance": ("1e-9", "how far two ways of computing a figure may be apart in a double's last digits"),
    "in_tolerance_amount": ("1e-6", "the same, of amounts that are added up"),
    "in_zero": ("0", ""),
    "in_one": ("1", ""),
    "in_ten": ("10", ""),
    "in_half": ("0.5", "a figure ties where it is within half of the last digit written"),
    "in_guard": ("6", "what is further behind is a double's own error; from a billion shares on 5 is safer"),
}
CHOICES: Mapping[str, tuple[Content, str]] = {
    "in_preferred_rounded": (NO, "assumed: the preferred counts with its fractions"),
    "in_preferred_decimals": (Fraction(0), "assumed; without effect while preferred is not rounded"),
    "in_preferred_rounding_type": (
        RoundingType.HALF_UP.value,
        "assumed; without effect while preferred is not rounded",
    ),
    "in_share_rounding_type": (RoundingType.FLOOR.value, "assumed: a fraction of a share of common is not issued"),
    "in_route": (Route.UNROUNDED.value, "assumed: the figure before any rounding; it needs no holder"),
    "in_feed_shares": (FeedShares.ROUTE.value, "assumed"),
    "in_feed_consideration": (FeedPaid.PER_SHARE.value, "assumed"),
}
ILLUSTRATION: Sequence[tuple[str, str]] = (
    ("600000", "35301.48"),
    ("500000", "30684.93"),
    ("450000", "25520.55"),
    ("400000", "24547.95"),
    ("350000", "21671.23"),
    ("300000", "18493.15"),
    ("275000", "16650.68"),
    ("250000", "14109.59"),
    ("225000", "13869.86"),
    ("200000", "11835.62"),
    ("175000", "10500.00"),
    ("150000", "9082.19"),
    ("125000", "7123.29"),
    ("100000", "6191.78"),
    ("75000", "4500.00"),
    ("60000", "3682.19"),
    ("40000", "2345.21"),
    ("25000", "1486.30"),
)
"""Principal and accrued interest of invented holders. At ten cents a share of common the last digits of their
cents are tenths of a share, which add up to 9."""


def blank_chain() -> Filling:
    """No figures and no holders; constants, and the choices that are the default.

    >>> blank_chain().given("in_guard").value, blank_chain().given("in_conversion_price").value
    (Fraction(6, 1), None)
    """
    scalars = {name: Given(Fraction(value), source) for name, (value, source) in CONSTANTS.items()}
    for name, (choice, source) in CHOICES.items():
        scalars[name] = Given(choice, source)
        scalars[basis_of(name)] = Given(Origin.ASSUMED.value)
    return Filling(scalars)


def chain_filling(
    conversions: Sequence[ConversionRecord],
    stated: Iterable[StatedRecord] = (),
    *,
    as_of: date,
    company: str = "",
    preferred: str = "",
    conversion_date: date | None = None,
    principal: str = "",
    digest: str = "",
) -> Filling:
    """The filling for the notes that `conversions` has, all of one security of one event, with what is `stated` of
    it. `principal` is the total as the document writes it, with its interest.

    >>> record = ConversionRecord(
    ...     event="E", security="Notes", principal=Fraction(600), preferred_price=Fraction(60),
    ...     common_per_preferred=Fraction(600),
    ... )
    >>> chain_filling([record], as_of=date(2002, 2, 5)).given("in_conversion_price").value
    Fraction(1, 10)

    Raises InputError where there is no conversion, where they are of several securities or prices, or where no
    conversion price of 15 digits gives the common per preferred.
    """
    if not conversions:
        raise fail("conversions", "there is none", "a row for each holder, or one for all")
    first = conversions[0]
    _all_the_same(conversions)
    price = first.preferred_price / first.common_per_preferred
    if len((exact_text(price) or "x" * 99).replace(".", "").strip("0")) > MOST_DIGITS:
        raise fail(
            "conversions",
            f"preferred_price {first.preferred_price} over common_per_preferred {first.common_per_preferred} is "
            f"no conversion price of at most {MOST_DIGITS} digits",
            "the model starts from the conversion price: give a common_per_preferred that follows from one",
        )
    source = "; ".join(dict.fromkeys(r.source for r in conversions if r.source))
    remarks = "; ".join(dict.fromkeys(r.note for r in conversions if r.note))
    origin = Origin.INFERRED if Origin.INFERRED in remarks.lower() else Origin.STATED
    of_terms = "; ".join(text for text in (source, remarks) if text)
    found = {
        record.item: record
        for record in stated
        if (record.series, record.event, record.subject)
        == (first.series or record.series, first.event, first.security)
    }
    scalars = {
        **blank_chain().scalars,
        **_given("in_company", company or None, source if company else ""),
        **_given("in_agreement", first.security, source),
        **_given("in_preferred", preferred or None, source if preferred else ""),
        **_given("in_event", first.event, source),
        **_given("in_notice", next((r.source for r in found.values() if r.source), None)),
        **_given("in_conversion_date", conversion_date),
        **_given("in_as_of", as_of),
        **_given("in_preferred_price", first.preferred_price, of_terms, origin),
        **_given("in_conversion_price", price, of_terms, origin),
        "in_stated_principal": Given(principal or None, source if principal else ""),
    }
    for name, item in (("in_stated_preferred", Item.PREFERRED_SHARES), ("in_stated_common", Item.COMMON_SHARES)):
        if item in found:
            scalars[name] = Given(found[item].stated, found[item].source)
    if Item.COMMON_SHARES in found:
        scalars["in_feed_shares"] = Given(
            FeedShares.STATED.value, "assumed: what the document states is what it counts"
        )
    rows: list[Row] = [
        {
            HOLDER: record.holder or "All holders",
            PRINCIPAL: record.principal,
            INTEREST: record.accrued_interest,
            BASIS: Origin.STATED.value,
            SOURCE: record.source,
            NOTE: record.note,
        }
        for record in conversions
    ]
    return Filling(scalars, {TABLE: rows, change_log.TABLE: [_delivered(as_of, digest)]}, digest)


def filling_of_notes(companies: Sequence[CompanyInput], agreement: str = "", event: str = "") -> Filling:
    """The filling for the notes named `agreement` in an input, or for the last ones that it has.

    Raises InputError where there are none.
    """
    records = companies[0].records
    rows = [r for r in records.conversions if agreement in ("", r.security) and event in ("", r.event)]
    if not rows:
        raise fail("conversions", f"there is no row of {agreement or 'any notes'}", "see xl-conversion tables")
    last = rows[-1].event, rows[-1].security
    taken = [row for row in rows if (row.event, row.security) == last]
    day = next(row.date for row in records.events if row.event == last[0])
    of = [one.name for one in companies if taken[0].series in {"", *(s.name for s in one.company.series)}]
    digest = hashlib.sha256(repr(taken).encode()).hexdigest()
    return chain_filling(taken, records.stated, as_of=day, company=of[0], digest=digest)


@cache
def shipped_chain() -> Filling:
    """The notice of 5 February 2002 that the package carries, with an illustration in place of the holders that it
    does not name."""
    with as_file(files("xl_conversion.examples") / "vsource") as folder:
        (case,) = read_cases(folder)
    conversions = [row for row in case.records["conversions"] if isinstance(row, ConversionRecord)]
    stated = [row for row in case.records["stated"] if isinstance(row, StatedRecord)]
    event = case.issuances[-1].date
    filling = chain_filling(
        conversions,
        stated,
        as_of=event,
        company=case.series.company,
        preferred="Series 3-A",
        principal="4,557,596",
        digest=case.digest,
    )
    reasons = {
        "in_preferred_price": (
            "inferred: 4,557,596 stated for 75,960 shares is 59.99995 each; 60.00 is the only whole cent that "
            "gives 75,960 (59.99 gives 75,973, 60.01 gives 75,947). Another price moves the preferred, not the "
            "common"
        ),
        "in_conversion_price": (
            "inferred: 4,557,596 stated for 45,575,951 of common is 0.1000000197 each, and common over preferred "
            "is 599.99935. 0.10 gives 600 for a share and 45,575,960; a price of 0.11 would give 41,432,691"
        ),
        "in_original_issue_price": "assumed: blank, since no figure of the notice asks for one that differs",
    }
    scalars = dict(filling.scalars)
    for name, reason in reasons.items():
        scalars[name] = Given(filling.given(name).value, reason)
        scalars[basis_of(name)] = Given(Origin.INFERRED.value)
    scalars[basis_of("in_original_issue_price")] = Given(Origin.ASSUMED.value)
    scalars["in_as_of"] = Given(event, "the date of the notice")
    scalars["in_conversion_date"] = Given(None, "the notice names no date of conversion")
    illustrated: list[Row] = [
        {
            HOLDER: f"Holder {number}",
            PRINCIPAL: Fraction(amount),
            INTEREST: Fraction(interest),
            BASIS: Origin.ILLUSTRATION.value,
            SOURCE: "none: the notice names no holders",
            NOTE: "",
        }
        for number, (amount, interest) in enumerate(ILLUSTRATION, start=1)
    ]
    return Filling(scalars, {**filling.tables, TABLE: illustrated}, filling.digest)


def _all_the_same(conversions: Sequence[ConversionRecord]) -> None:
    """Raises InputError where the records are not of one chain."""
    for name in ("series", "event", "security", "preferred_price", "common_per_preferred"):
        values = {str(getattr(record, name)) for record in conversions}
        if len(values) > 1:
            raise fail(
                "conversions",
                f"{name} is {' and '.join(sorted(values))}; it must be one for all rows of a model",
                "a model for each",
            )


def _given(name: str, value: Content, source: str = "", origin: Origin = Origin.STATED) -> dict[str, Given]:
    """An input, and what it rests on where there is one."""
    return {name: Given(value, source), basis_of(name): Given(None if value is None else origin.value)}


def _delivered(as_of: date, digest: str) -> Row:
    return {
        change_log.WHEN: as_of.isoformat(),
        change_log.WHAT: "Delivered with these figures",
        change_log.VERSION: f"xl_conversion {__version__}",
        change_log.DIGEST: digest[:16] or None,
    }
