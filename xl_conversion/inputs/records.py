"""The tables of an input: one record class for each, one field for each column."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.stated import Item
from xl_conversion.core.terms import Basis, Closings, Method, Others, SharesPer
from xl_conversion.inputs.fields import (
    Amount,
    Day,
    Decimals,
    KindName,
    Name,
    Names,
    OptionalAmount,
    OptionalDay,
    OptionalName,
    OptionalPrice,
    Price,
    RoundingName,
    YesNo,
    one_of,
)


class Record(BaseModel):
    """A row of one table. A field without a default is a required column; `note` is free for remarks."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()
    """The columns whose values may not occur twice together."""

    note: str = Field("", description="Remarks, which nothing else reads")


class SeriesRecord(Record):
    """A series and its terms, as :class:`xl_conversion.core.terms.Series`."""

    table = "series"
    key = ("series",)
    series: Name = Field(description="Name of the series, by which the other tables mean it")
    company: Name = Field(description="Name of the company; the same for all of its series")
    original_issue_price: Price = Field(description="Original issue price of one share of the series, in money")
    conversion_price: Price = Field(
        description="Conversion price in force before the first event, in money for one share of common",
    )
    clause: str = Field(
        "",
        description="Where the charter has the clause, for steps and workbooks; an event may name another",
    )
    price_decimals: Decimals = Field(
        None,
        description="Decimals that the conversion price is rounded to, 0 to 15; blank: it is not rounded",
    )
    price_rounding_type: RoundingName = Field(
        RoundingType.HALF_UP,
        description="How the conversion price is rounded",
    )
    carried_price: Annotated[Basis, one_of(Basis)] = Field(
        Basis.ROUNDED,
        description="Which price the next adjustment starts from",
    )
    ratio_decimals: Decimals = Field(
        None,
        description=(
            "Decimals that the conversion ratio (common for one share of preferred) is rounded to, 0 to 15; "
            "blank: it is not rounded"
        ),
    )
    ratio_rounding_type: RoundingName = Field(
        RoundingType.HALF_UP,
        description="How the conversion ratio is rounded",
    )
    ratio_basis: Annotated[Basis, one_of(Basis)] = Field(
        Basis.UNROUNDED,
        description="Which price the ratio is taken from",
    )
    share_rounding_type: RoundingName = Field(
        RoundingType.FLOOR,
        description="How the common of one conversion is made whole shares",
    )
    source: str = Field("", description="Document that the terms are from")
    method: Annotated[Method, one_of(Method)] = Field(
        Method.BROAD,
        description="How an issuance below the price moves it",
    )
    base_classes: Names = Field(
        frozenset(),
        description="With method listed: the classes of the base, by name or kind, separated by ; "
        "in any letter case",
    )
    ratchet_until: OptionalDay = Field(
        None,
        description="Last day on which a full ratchet applies, and method after it; blank: none",
    )
    exempted: Names = Field(
        frozenset(),
        description=(
            "Categories, kinds or names of securities whose issuance moves nothing, separated by ; in any letter "
            "case"
        ),
    )
    minimum: OptionalAmount = Field(
        None,
        description=(
            "A change of the price by less, in money, is not made but carried forward; blank: every change is made"
        ),
    )
    minimum_percent: OptionalAmount = Field(
        None,
        description="The same in percent of the price in force: 1 is one percent",
    )
    floor: OptionalPrice = Field(
        None,
        description=(
            "Price below which no adjustment goes, in money for one share of common; a split moves it too; "
            "blank: none"
        ),
    )
    downward_only: YesNo = Field(False, description="Whether nothing but a combination may raise the price")
    others: Annotated[Others, one_of(Others)] = Field(
        Others.BEFORE,
        description="What the series sees of other series that adjust from the same issuance",
    )
    closings: Annotated[Closings, one_of(Closings)] = Field(
        Closings.AS_FIRST,
        description="How later closings of one issuance count",
    )
    shares_per: Annotated[SharesPer, one_of(SharesPer)] = Field(
        SharesPer.HOLDER,
        description="What is made whole shares on conversion",
    )
    preferred_shares: OptionalAmount = Field(
        None,
        description=(
            "Shares of the series outstanding before the first event. Required (0 for none) where there is a "
            "capitalization that has no class named like the series; blank where an event issues the series"
        ),
    )


class EventRecord(Record):
    """An event, of the one series named or of every series of the company; each kind has columns of its own.

    An issuance may bring the company's own counts: without `outstanding_after` the securities listed are added to
    the count before, without `other_after` the other securities did not move. With `corrects` the row is what
    really happened instead of that event, as found out on the day `recorded`.
    """

    table = "events"
    key = ("series", "event")
    series: OptionalName = Field(
        "",
        description="The one series that the event concerns; blank: every series of the company",
    )
    event: Name = Field(description="Name of the event, by which other rows mean it")
    date: Day = Field(
        description="Day of the event, YYYY-MM-DD; events of one day happen in the order of the rows",
    )
    kind: KindName = Field(description="What happens, which says the columns to fill")
    company: OptionalName = Field(
        "",
        description="Company whose event it is, where no series is named and there are several companies",
    )
    description: str = Field("", description="What happened, in words")
    clause: str = Field("", description="Clause that the event comes under; blank: the series' own")
    source: str = Field("", description="Document that the event is from")
    outstanding_before: OptionalPrice = Field(
        None,
        description="Common outstanding before the issuance, by the company's own count (A of a notice)",
    )
    other_before: OptionalAmount = Field(
        None,
        description="Common underlying other securities before it, by the company's own count (C of a notice)",
    )
    outstanding_after: OptionalAmount = Field(
        None,
        description=(
            "Common outstanding after it, by the company's own count (X of a notice); blank: the securities are "
            "added to the count before"
        ),
    )
    other_after: OptionalAmount = Field(
        None,
        description=(
            "Common underlying other securities after it, by the company's own count (Y of a notice); blank: as "
            "before"
        ),
    )
    closing_of: OptionalName = Field("", description="The event that was the first closing of the same issuance")
    of: OptionalName = Field("", description="The event that is waived or cancelled")
    security: OptionalName = Field(
        "",
        description="Name of the security, as in the table securities or the capitalization",
    )
    shares: OptionalPrice = Field(
        None,
        description="Shares that the event is about, as of its day, after the splits and dividends before it",
    )
    consideration: OptionalAmount = Field(None, description="Money paid for all of it together")
    split_new: OptionalPrice = Field(
        None,
        description=(
            "Shares of common after, for every split_old before: 2 of a two-for-one split, 1 of a one-for-twenty "
            "combination"
        ),
    )
    split_old: OptionalPrice = Field(None, description="Shares of common before")
    outstanding: OptionalPrice = Field(
        None,
        description="Common outstanding just before the event; blank: by the capitalization",
    )
    dividend: OptionalAmount = Field(None, description="Cash paid on one share of common, in money")
    market_price: OptionalPrice = Field(
        None,
        description="Market price of one share of common as the charter defines it, in money",
    )
    threshold: OptionalAmount = Field(
        None,
        description="Dividend on one share up to which nothing moves, in money; blank: 0",
    )
    form: OptionalName = Field("", description="Which of the formulas the charter has")
    offered: OptionalPrice = Field(None, description="Shares of common offered to all holders")
    offer_price: OptionalAmount = Field(None, description="What one share costs in the offer, in money")
    distributed_value: OptionalAmount = Field(
        None,
        description="Fair value of what is distributed on one share of common, in money",
    )
    property: OptionalName = Field("", description="What one share of common has become")
    per_common: OptionalPrice = Field(None, description="How much of that for one share of common; blank: 1")
    price: OptionalPrice = Field(
        None,
        description="Price at which the shares convert, in money; blank: at the one in force",
    )
    corrects: OptionalName = Field(
        "",
        description="The event whose record was wrong: this row is what really happened",
    )
    recorded: OptionalDay = Field(
        None,
        description="Day on which a correction was found, YYYY-MM-DD; blank: the day of the event",
    )


class SecurityRecord(Record):
    """A security issued; `consideration` is for all of it, else `consideration_per_share` times `shares`."""

    table = "securities"
    key = ("series", "event", "security")
    series: OptionalName = Field("", description="As in its event")
    event: Name = Field(description="The issuance that issues it")
    security: Name = Field(
        description=(
            "Name of the security. One named like a series is that preferred: the series comes into being with "
            "the event"
        )
    )
    kind: Annotated[SecurityKind, one_of(SecurityKind)] = Field(
        description="What was issued; a right to shares counts at its maximum",
    )
    shares: Price = Field(
        description=(
            "Shares of common that it is, or can at most become, as of the day of the event, after the splits "
            "and dividends before it"
        )
    )
    consideration_per_share: OptionalAmount = Field(
        None,
        description="Money for one of the shares, with the least that is paid later on exercise or conversion",
    )
    consideration: OptionalAmount = Field(
        None,
        description="Money for all of the shares together, instead of consideration_per_share",
    )
    source: str = Field("", description="Document that it is from")
    category: OptionalName = Field(
        "",
        description=(
            "What a charter may exempt it by: plan, lender, acquisition and the like. Securities of category "
            "pool are granted out of the pool"
        ),
    )
    calculable: YesNo = Field(
        True,
        description="Whether the consideration is known; no: it moves nothing until an amendment says it",
    )


class ConversionRecord(Record):
    """From principal to preferred to common, one row a holder or one for all."""

    table = "conversions"
    key = ("series", "event", "security", "holder")
    series: OptionalName = Field("", description="As in its event")
    event: Name = Field(description="The issuance that issued the security")
    security: Name = Field(description="Name of the security, as in the table securities")
    holder: OptionalName = Field("", description="Who holds it; blank: one row for all")
    principal: Price = Field(description="Principal that converts, in money")
    preferred_price: Price = Field(description="Principal for one share of preferred, in money")
    common_per_preferred: Price = Field(description="Shares of common for one share of preferred")
    source: str = Field("", description="Document that it is from")


class StatedRecord(Record):
    """A figure as a document states it, and beside it what another document says."""

    table = "stated"
    key = ("series", "event", "item", "subject")
    series: Name = Field(description="The series that the figure is of")
    event: Name = Field(description="The event that the figure is of")
    item: Annotated[Item, one_of(Item)] = Field(description="Which figure it is")
    subject: OptionalName = Field(
        "",
        description="The security it is of, for preferred_shares, common_shares and date; blank for all others",
    )
    stated: Name = Field(
        description=(
            "The figure as the document writes it, with its commas and all its decimals: they say how exact it is"
        )
    )
    source: str = Field("", description="Document that states it")
    reference: OptionalName = Field("", description="What another document says of the same, as written")
    reference_source: str = Field("", description="That other document")


class ClassRecord(Record):
    """A class of the capitalization before the first event, as
    :class:`xl_conversion.core.capitalization.ShareClass`."""

    table = "capitalization"
    key = ("company", "class_")
    company: OptionalName = Field("", description="Company that has the class, where there are several")
    class_: Name = Field(
        alias="class",
        description="Name of the class; one named like a series is that preferred, its shares those of the series",
    )
    kind: Annotated[ClassKind, one_of(ClassKind)] = Field(description="What the class is")
    shares: Amount = Field(
        description=(
            "Common that the class is, converts into or can at most become, before the first event; of a class "
            "named like a series, shares of that preferred"
        )
    )
    source: str = Field("", description="Document that it is from")


class HolderRecord(Record):
    """Preferred of a series on one certificate of a holder, as :class:`xl_conversion.core.holders.Holding`."""

    table = "holders"
    key = ("series", "holder", "certificate")
    series: Name = Field(description="The series held")
    holder: Name = Field(description="Who holds it")
    certificate: OptionalName = Field(
        "",
        description="Number of the certificate; blank: one row for all that the holder has",
    )
    shares: Amount = Field(description="Shares of the preferred")
    source: str = Field("", description="Document that it is from")


RECORDS: tuple[type[Record], ...] = (
    SeriesRecord,
    EventRecord,
    SecurityRecord,
    ConversionRecord,
    StatedRecord,
    ClassRecord,
    HolderRecord,
)
