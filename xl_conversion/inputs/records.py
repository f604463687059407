"""The tables of an input: one record class for each, one field for each column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.stated import Item
from xl_conversion.core.terms import Basis, Closings, Method, Others, SharesPer
from xl_conversion.inputs.columns import Columns, column
from xl_conversion.inputs.fields import (
    Amount,
    Day,
    Decimals,
    KindName,
    Name,
    Names,
    OptionalAmount,
    OptionalDay,
    OptionalKindName,
    OptionalName,
    OptionalPrice,
    Price,
    RoundingName,
    YesNo,
    one_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row of one table. A field without a default is a required column; `note` is free for remarks."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()
    """The columns whose values may not occur twice together."""
    model_fields = Columns()
    """The columns, by field."""

    note: str = field(default="", metadata=column("Remarks, which nothing else reads"))
    model_fields_set: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """The fields that the row fills itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecord(Record):
    """A series and its terms, as :class:`xl_conversion.core.terms.Series`."""

    table = "series"
    key = ("series",)
    series: Name = field(metadata=column("Name of the series, by which the other tables mean it"))
    company: Name = field(metadata=column("Name of the company; the same for all of its series"))
    original_issue_price: Price = field(
        metadata=column("Original issue price of one share of the series, in money")
    )
    conversion_price: Price = field(
        metadata=column("Conversion price in force before the first event, in money for one share of common")
    )
    clause: str = field(
        default="",
        metadata=column("Where the charter has the clause, for steps and workbooks; an event may name another"),
    )
    price_decimals: Decimals = field(
        default=None,
        metadata=column("Decimals that the conversion price is rounded to, 0 to 15; blank: it is not rounded"),
    )
    price_rounding_type: RoundingName = field(
        default=RoundingType.HALF_UP, metadata=column("How the conversion price is rounded")
    )
    carried_price: Annotated[Basis, one_of(Basis)] = field(
        default=Basis.ROUNDED, metadata=column("Which price the next adjustment starts from")
    )
    ratio_decimals: Decimals = field(
        default=None,
        metadata=column(
            "Decimals that the conversion ratio (common for one share of preferred) is rounded to, 0 to 15; "
            "blank: it is not rounded"
        ),
    )
    ratio_rounding_type: RoundingName = field(
        default=RoundingType.HALF_UP, metadata=column("How the conversion ratio is rounded")
    )
    ratio_basis: Annotated[Basis, one_of(Basis)] = field(
        default=Basis.UNROUNDED, metadata=column("Which price the ratio is taken from")
    )
    share_rounding_type: RoundingName = field(
        default=RoundingType.FLOOR, metadata=column("How the common of one conversion is made whole shares")
    )
    source: str = field(default="", metadata=column("Document that the terms are from"))
    method: Annotated[Method, one_of(Method)] = field(
        default=Method.BROAD, metadata=column("How an issuance below the price moves it")
    )
    base_classes: Names = field(
        default=frozenset(),
        metadata=column(
            "With method listed: the classes of the base, by name or kind, separated by ; in any letter case"
        ),
    )
    ratchet_until: OptionalDay = field(
        default=None, metadata=column("Last day on which a full ratchet applies, and method after it; blank: none")
    )
    exempted: Names = field(
        default=frozenset(),
        metadata=column(
            "Categories, kinds or names of securities whose issuance moves nothing, separated by ; in any letter "
            "case"
        ),
    )
    minimum: OptionalAmount = field(
        default=None,
        metadata=column(
            "A change of the price by less, in money, is not made but carried forward; blank: every change is made"
        ),
    )
    minimum_percent: OptionalAmount = field(
        default=None, metadata=column("The same in percent of the price in force: 1 is one percent")
    )
    floor: OptionalPrice = field(
        default=None,
        metadata=column(
            "Price below which no adjustment goes, in money for one share of common; a split moves it too; "
            "blank: none"
        ),
    )
    downward_only: YesNo = field(
        default=False, metadata=column("Whether nothing but a combination may raise the price")
    )
    others: Annotated[Others, one_of(Others)] = field(
        default=Others.BEFORE,
        metadata=column("What the series sees of other series that adjust from the same issuance"),
    )
    closings: Annotated[Closings, one_of(Closings)] = field(
        default=Closings.AS_FIRST, metadata=column("How later closings of one issuance count")
    )
    shares_per: Annotated[SharesPer, one_of(SharesPer)] = field(
        default=SharesPer.HOLDER, metadata=column("What is made whole shares on conversion")
    )
    preferred_shares: OptionalAmount = field(
        default=None,
        metadata=column(
            "Shares of the series outstanding before the first event. Required (0 for none) where there is a "
            "capitalization that has no class named like the series; blank where an event issues the series"
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord(Record):
    """An event, of the one series named or of every series of the company; each kind has columns of its own.

    An issuance without rows in the table securities says what it issues in `shares` and `consideration`. It may
    bring the company's own counts: without `outstanding_after` the securities listed are added to
    the count before, without `other_after` the other securities did not move. With `corrects` the row is what
    really happened instead of that event, as found out on the day `recorded`.
    """

    table = "events"
    key = ("series", "event")
    series: OptionalName = field(
        default="", metadata=column("The one series that the event concerns; blank: every series of the company")
    )
    event: Name = field(metadata=column("Name of the event, by which other rows mean it"))
    date: Day = field(
        metadata=column("Day of the event, YYYY-MM-DD; events of one day happen in the order of the rows")
    )
    kind: KindName = field(metadata=column("What happens, which says the columns to fill"))
    company: OptionalName = field(
        default="",
        metadata=column("Company whose event it is, where no series is named and there are several companies"),
    )
    description: str = field(default="", metadata=column("What happened, in words"))
    clause: str = field(default="", metadata=column("Clause that the event comes under; blank: the series' own"))
    source: str = field(default="", metadata=column("Document that the event is from"))
    outstanding_before: OptionalPrice = field(
        default=None,
        metadata=column("Common outstanding before the issuance, by the company's own count (A of a notice)"),
    )
    other_before: OptionalAmount = field(
        default=None,
        metadata=column(
            "Common underlying other securities before it, by the company's own count (C of a notice)"
        ),
    )
    outstanding_after: OptionalAmount = field(
        default=None,
        metadata=column(
            "Common outstanding after it, by the company's own count (X of a notice); blank: the securities are "
            "added to the count before"
        ),
    )
    other_after: OptionalAmount = field(
        default=None,
        metadata=column(
            "Common underlying other securities after it, by the company's own count (Y of a notice); blank: as "
            "before"
        ),
    )
    closing_of: OptionalName = field(
        default="", metadata=column("The event that was the first closing of the same issuance")
    )
    of: OptionalName = field(default="", metadata=column("The event that is waived or cancelled"))
    security: OptionalName = field(
        default="", metadata=column("Name of the security, as in the table securities or the capitalization")
    )
    shares: OptionalPrice = field(
        default=None,
        metadata=column("Shares that the event is about, as of its day, after the splits and dividends before it"),
    )
    consideration: OptionalAmount = field(default=None, metadata=column("Money paid for all of it together"))
    split_new: OptionalPrice = field(
        default=None,
        metadata=column(
            "Shares of common after, for every split_old before: 2 of a two-for-one split, 1 of a one-for-twenty "
            "combination"
        ),
    )
    split_old: OptionalPrice = field(default=None, metadata=column("Shares of common before"))
    outstanding: OptionalPrice = field(
        default=None, metadata=column("Common outstanding just before the event; blank: by the capitalization")
    )
    dividend: OptionalAmount = field(default=None, metadata=column("Cash paid on one share of common, in money"))
    market_price: OptionalPrice = field(
        default=None, metadata=column("Market price of one share of common as the charter defines it, in money")
    )
    threshold: OptionalAmount = field(
        default=None, metadata=column("Dividend on one share up to which nothing moves, in money; blank: 0")
    )
    form: OptionalKindName = field(default="", metadata=column("Which of the formulas the charter has"))
    offered: OptionalPrice = field(default=None, metadata=column("Shares of common offered to all holders"))
    offer_price: OptionalAmount = field(
        default=None, metadata=column("What one share costs in the offer, in money")
    )
    distributed_value: OptionalAmount = field(
        default=None, metadata=column("Fair value of what is distributed on one share of common, in money")
    )
    property: OptionalName = field(default="", metadata=column("What one share of common has become"))
    per_common: OptionalPrice = field(
        default=None, metadata=column("How much of that for one share of common; blank: 1")
    )
    price: OptionalPrice = field(
        default=None, metadata=column("Price at which the shares convert, in money; blank: at the one in force")
    )
    corrects: OptionalName = field(
        default="", metadata=column("The event whose record was wrong: this row is what really happened")
    )
    recorded: OptionalDay = field(
        default=None,
        metadata=column("Day on which a correction was found, YYYY-MM-DD; blank: the day of the event"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRecord(Record):
    """A security issued; `consideration` is for all of it, else `consideration_per_share` times `shares`, else
    `paid` and `exercise_price` times `shares`."""

    table = "securities"
    key = ("series", "event", "security")
    series: OptionalName = field(default="", metadata=column("As in its event"))
    event: Name = field(metadata=column("The issuance that issues it"))
    security: Name = field(
        metadata=column(
            "Name of the security. One named like a series is that preferred: the series comes into being with "
            "the event"
        )
    )
    kind: Annotated[SecurityKind, one_of(SecurityKind)] = field(
        metadata=column("What was issued; a right to shares counts at its maximum")
    )
    shares: Price = field(
        metadata=column(
            "Shares of common that it is, or can at most become, as of the day of the event, after the splits "
            "and dividends before it"
        )
    )
    consideration_per_share: OptionalAmount = field(
        default=None,
        metadata=column(
            "Money for one of the shares, with the least that is paid later on exercise or conversion"
        ),
    )
    consideration: OptionalAmount = field(
        default=None, metadata=column("Money for all of the shares together, instead of consideration_per_share")
    )
    paid: OptionalAmount = field(
        default=None,
        metadata=column("Money received for all of it when it was issued, where exercise_price says the rest"),
    )
    exercise_price: OptionalAmount = field(
        default=None,
        metadata=column("The least still to be paid for one of the shares, on exercise or conversion; blank: 0"),
    )
    source: str = field(default="", metadata=column("Document that it is from"))
    category: OptionalName = field(
        default="",
        metadata=column(
            "What a charter may exempt it by: plan, lender, acquisition and the like. Securities of category "
            "pool are granted out of the pool"
        ),
    )
    calculable: YesNo = field(
        default=True,
        metadata=column("Whether the consideration is known; no: it moves nothing until an amendment says it"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRecord(Record):
    """From principal to preferred to common, one row a holder or one for all."""

    table = "conversions"
    key = ("series", "event", "security", "holder")
    series: OptionalName = field(default="", metadata=column("As in its event"))
    event: Name = field(metadata=column("The issuance that issued the security"))
    security: Name = field(metadata=column("Name of the security, as in the table securities"))
    holder: OptionalName = field(default="", metadata=column("Who holds it; blank: one row for all"))
    principal: Price = field(metadata=column("Principal that converts, in money"))
    accrued_interest: OptionalAmount = field(
        default=None, metadata=column("Accrued interest that converts with it, in money; blank: 0")
    )
    preferred_price: Price = field(metadata=column("Principal for one share of preferred, in money"))
    common_per_preferred: Price = field(metadata=column("Shares of common for one share of preferred"))
    source: str = field(default="", metadata=column("Document that it is from"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedRecord(Record):
    """A figure as a document states it, and beside it what another document says."""

    table = "stated"
    key = ("series", "event", "item", "subject")
    series: Name = field(metadata=column("The series that the figure is of"))
    event: Name = field(metadata=column("The event that the figure is of"))
    item: Annotated[Item, one_of(Item)] = field(metadata=column("Which figure it is"))
    subject: OptionalName = field(
        default="",
        metadata=column(
            "The security it is of, for preferred_shares, common_shares and date; blank for all others"
        ),
    )
    stated: Name = field(
        metadata=column(
            "The figure as the document writes it, with its commas and all its decimals: they say how exact it is"
        )
    )
    source: str = field(default="", metadata=column("Document that states it"))
    reference: OptionalName = field(
        default="", metadata=column("What another document says of the same, as written")
    )
    reference_source: str = field(default="", metadata=column("That other document"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRecord(Record):
    """A class of the capitalization before the first event, as
    :class:`xl_conversion.core.capitalization.ShareClass`."""

    table = "capitalization"
    key = ("company", "class_")
    company: OptionalName = field(
        default="", metadata=column("Company that has the class, where there are several")
    )
    class_: Name = field(
        metadata=column(
            "Name of the class; one named like a series is that preferred, its shares those of the series",
            alias="class",
        )
    )
    kind: Annotated[ClassKind, one_of(ClassKind)] = field(metadata=column("What the class is"))
    shares: Amount = field(
        metadata=column(
            "Common that the class is, converts into or can at most become, before the first event; of a class "
            "named like a series, shares of that preferred"
        )
    )
    source: str = field(default="", metadata=column("Document that it is from"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderRecord(Record):
    """Preferred of a series on one certificate of a holder, as :class:`xl_conversion.core.holders.Holding`."""

    table = "holders"
    key = ("series", "holder", "certificate")
    series: Name = field(metadata=column("The series held"))
    holder: Name = field(metadata=column("Who holds it"))
    certificate: OptionalName = field(
        default="", metadata=column("Number of the certificate; blank: one row for all that the holder has")
    )
    shares: Amount = field(metadata=column("Shares of the preferred"))
    source: str = field(default="", metadata=column("Document that it is from"))


RECORDS: tuple[type[Record], ...] = (
    SeriesRecord,
    EventRecord,
    SecurityRecord,
    ConversionRecord,
    StatedRecord,
    ClassRecord,
    HolderRecord,
)
