"""The tables of an input: one record class for each, one field for each column."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, ClassVar

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

    note: str = ""


class SeriesRecord(Record):
    """A series and its terms, as :class:`xl_conversion.core.terms.Series`."""

    table = "series"
    key = ("series",)
    series: Name
    company: Name
    original_issue_price: Price
    conversion_price: Price
    clause: str = ""
    price_decimals: Decimals = None
    price_rounding_type: RoundingName = RoundingType.HALF_UP
    carried_price: Annotated[Basis, one_of(Basis)] = Basis.ROUNDED
    ratio_decimals: Decimals = None
    ratio_rounding_type: RoundingName = RoundingType.HALF_UP
    ratio_basis: Annotated[Basis, one_of(Basis)] = Basis.UNROUNDED
    share_rounding_type: RoundingName = RoundingType.FLOOR
    source: str = ""
    method: Annotated[Method, one_of(Method)] = Method.BROAD
    base_classes: Names = frozenset()
    ratchet_until: OptionalDay = None
    exempted: Names = frozenset()
    minimum: OptionalAmount = None
    minimum_percent: OptionalAmount = None
    floor: OptionalPrice = None
    downward_only: YesNo = False
    others: Annotated[Others, one_of(Others)] = Others.BEFORE
    closings: Annotated[Closings, one_of(Closings)] = Closings.AS_FIRST
    shares_per: Annotated[SharesPer, one_of(SharesPer)] = SharesPer.HOLDER
    preferred_shares: Amount = Fraction(0)


class EventRecord(Record):
    """An event, of the one series named or of every series of the company; each kind has columns of its own
    (`xl-conversion tables events`).

    An issuance may bring the company's own counts: without `outstanding_after` the securities listed are added to
    the count before, without `other_after` the other securities did not move. With `corrects` the row is what
    really happened instead of that event, as found out on the day `recorded`.
    """

    table = "events"
    key = ("series", "event")
    series: OptionalName = ""
    event: Name
    date: Day
    kind: KindName
    company: OptionalName = ""
    description: str = ""
    clause: str = ""
    source: str = ""
    outstanding_before: OptionalPrice = None
    other_before: OptionalAmount = None
    outstanding_after: OptionalAmount = None
    other_after: OptionalAmount = None
    closing_of: OptionalName = ""
    of: OptionalName = ""
    security: OptionalName = ""
    shares: OptionalPrice = None
    consideration: OptionalAmount = None
    split_new: OptionalPrice = None
    split_old: OptionalPrice = None
    outstanding: OptionalPrice = None
    dividend: OptionalAmount = None
    market_price: OptionalPrice = None
    threshold: OptionalAmount = None
    form: OptionalName = ""
    offered: OptionalPrice = None
    offer_price: OptionalAmount = None
    distributed_value: OptionalAmount = None
    property: OptionalName = ""
    per_common: OptionalPrice = None
    price: OptionalPrice = None
    corrects: OptionalName = ""
    recorded: OptionalDay = None


class SecurityRecord(Record):
    """A security issued; `consideration` is for all of it, else `consideration_per_share` times `shares`."""

    table = "securities"
    key = ("series", "event", "security")
    series: OptionalName = ""
    event: Name
    security: Name
    kind: Annotated[SecurityKind, one_of(SecurityKind)]
    shares: Price
    consideration_per_share: OptionalAmount = None
    consideration: OptionalAmount = None
    source: str = ""
    category: OptionalName = ""
    calculable: YesNo = True


class ConversionRecord(Record):
    """From principal to preferred to common, one row a holder or one for all."""

    table = "conversions"
    key = ("series", "event", "security", "holder")
    series: OptionalName = ""
    event: Name
    security: Name
    holder: OptionalName = ""
    principal: Price
    preferred_price: Price
    common_per_preferred: Price
    source: str = ""


class StatedRecord(Record):
    """A figure as a document states it, and beside it what another document says."""

    table = "stated"
    key = ("series", "event", "item", "subject")
    series: Name
    event: Name
    item: Annotated[Item, one_of(Item)]
    subject: OptionalName = ""
    stated: Name
    source: str = ""
    reference: OptionalName = ""
    reference_source: str = ""


class ClassRecord(Record):
    """A class of the capitalization before the first event, as
    :class:`xl_conversion.core.capitalization.ShareClass`."""

    table = "capitalization"
    key = ("company", "class_")
    company: OptionalName = ""
    class_: Name = Field(alias="class")
    kind: Annotated[ClassKind, one_of(ClassKind)]
    shares: Amount
    source: str = ""


class HolderRecord(Record):
    """Preferred of a series on one certificate of a holder, as :class:`xl_conversion.core.holders.Holding`."""

    table = "holders"
    key = ("series", "holder", "certificate")
    series: Name
    holder: Name
    certificate: OptionalName = ""
    shares: Amount
    source: str = ""


RECORDS: tuple[type[Record], ...] = (
    SeriesRecord,
    EventRecord,
    SecurityRecord,
    ConversionRecord,
    StatedRecord,
    ClassRecord,
    HolderRecord,
)


def __getattr__(name: str) -> Any:
    from xl_conversion.inputs import reading

    return getattr(reading, name)
