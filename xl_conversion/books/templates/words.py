"""The words that the choices of the templates come from, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from xl_conversion.core.capitalization import ClassKind
from xl_conversion.core.issuance import SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis, Method, SharesPer


class CountsAfter(StrEnum):
    """Where the count after an issuance comes from."""

    OWN_COUNTS = "own_counts"
    SECURITIES_LISTED = "securities_listed"


class CountedAs(StrEnum):
    """What a class of the capitalization is in the fraction."""

    OUTSTANDING = "outstanding"
    OTHER = "other"
    NOT_COUNTED = "not_counted"


TYPES: Mapping[str, str] = {
    RoundingType.HALF_UP: "to the nearest; a tie goes up, as Excel's ROUND has it",
    RoundingType.HALF_EVEN: "to the nearest; a tie goes to the even digit",
    RoundingType.FLOOR: "down",
    RoundingType.CEILING: "up",
}
BASES: Mapping[str, str] = {
    Basis.ROUNDED: "the price as the charter rounds it",
    Basis.UNROUNDED: "the price before it is rounded",
}
KINDS: Mapping[str, str] = {
    SecurityKind.SHARES: "shares of common",
    SecurityKind.OPTION: "counts at its most shares, with the least that is still to be paid",
    SecurityKind.WARRANT: "counts at its most shares, with the least that is still to be paid",
    SecurityKind.CONVERTIBLE_NOTE: "counts at its most shares; its principal is what was paid",
    SecurityKind.PREFERRED: "counts the common that it converts into",
}
METHODS: Mapping[str, str] = {
    Method.BROAD: "weighted average; common, preferred as converted, options, warrants and notes count",
    Method.BROAD_WITH_POOL: "weighted average; as broad, and the options not yet granted",
    Method.NARROW: "weighted average; common and preferred as converted count",
    Method.COMMON: "weighted average; common alone counts",
    Method.LISTED: "weighted average; what the charter lists counts",
    Method.FULL_RATCHET: "the price becomes the lowest issue price",
    Method.NONE: "an issuance moves nothing",
}
PER: Mapping[str, str] = {
    SharesPer.HOLDER: "whole shares for all that a holder has",
    SharesPer.CERTIFICATE: "whole shares for each certificate",
}
COUNTS_AFTER: Mapping[str, str] = {
    CountsAfter.OWN_COUNTS: "X and Y are the company's own counts, in the column After of Capitalization",
    CountsAfter.SECURITIES_LISTED: "X is A with the securities listed, Y is C",
}
COUNTED_AS: Mapping[str, str] = {
    CountedAs.OUTSTANDING: "in A and X, common outstanding",
    CountedAs.OTHER: "in C and Y, common underlying other securities",
    CountedAs.NOT_COUNTED: "not in the base that the charter names",
}
CLASS_KINDS: Mapping[str, str] = {
    ClassKind.COMMON: "common outstanding",
    ClassKind.PREFERRED: "as converted, at the price before the event",
    ClassKind.OPTION: "common that it can at most become",
    ClassKind.WARRANT: "common that it can at most become",
    ClassKind.CONVERTIBLE_NOTE: "common that it can at most become",
    ClassKind.POOL: "options that may still be granted",
}
