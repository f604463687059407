"""The words that the choices of this template come from, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Route(StrEnum):
    """Where the way from money to common is rounded."""

    UNROUNDED = "unrounded"
    PREFERRED_NEAREST = "preferred_nearest"
    PREFERRED_DOWN = "preferred_down"
    HOLDER_PREFERRED_NEAREST = "holder_preferred_nearest"
    HOLDER_PREFERRED_DOWN = "holder_preferred_down"
    HOLDER_COMMON_DOWN = "holder_common_down"
    HOLDER_COMMON_NEAREST = "holder_common_nearest"
    COMMON_DOWN = "common_down"
    COMMON_NEAREST = "common_nearest"
    AS_CHOSEN = "as_chosen"


class FeedShares(StrEnum):
    """Which shares go into the first model."""

    ROUTE = "route"
    STATED = "stated"


class FeedPaid(StrEnum):
    """How the consideration goes into the first model."""

    PER_SHARE = "per_share"
    IN_ALL = "in_all"


class Origin(StrEnum):
    """What an input rests on."""

    STATED = "stated"
    INFERRED = "inferred"
    ASSUMED = "assumed"
    ILLUSTRATION = "illustration"


YES, NO = "yes", "no"

ROUTES: Mapping[str, str] = {
    Route.UNROUNDED: "nothing is rounded",
    Route.PREFERRED_NEAREST: "preferred of all holders together to the nearest share, then converted",
    Route.PREFERRED_DOWN: "preferred of all holders together down to whole shares, then converted",
    Route.HOLDER_PREFERRED_NEAREST: "preferred of each holder to the nearest share, then converted",
    Route.HOLDER_PREFERRED_DOWN: "preferred of each holder down to whole shares, then converted",
    Route.HOLDER_COMMON_DOWN: "preferred is not rounded, common of each holder is, down",
    Route.HOLDER_COMMON_NEAREST: "preferred is not rounded, common of each holder is, to the nearest share",
    Route.COMMON_DOWN: "preferred is not rounded, common of all holders together is, down",
    Route.COMMON_NEAREST: "preferred is not rounded, common of all holders together is, to the nearest share",
    Route.AS_CHOSEN: "preferred and common of each holder as the roundings on Inputs say",
}
BY_HOLDER = (
    Route.HOLDER_PREFERRED_NEAREST,
    Route.HOLDER_PREFERRED_DOWN,
    Route.HOLDER_COMMON_DOWN,
    Route.HOLDER_COMMON_NEAREST,
    Route.AS_CHOSEN,
)
"""Routes that need to know what each holder has."""
FEEDS: Mapping[str, str] = {
    FeedShares.ROUTE: "the common of the route that Inputs choose",
    FeedShares.STATED: "the common as stated",
}
PAID: Mapping[str, str] = {
    FeedPaid.PER_SHARE: "principal and interest for one share of common",
    FeedPaid.IN_ALL: "all principal and interest that converts",
}
ORIGINS: Mapping[str, str] = {
    Origin.STATED: "a document says so",
    Origin.INFERRED: "no document says so; figures that are stated lead to it, as the source explains",
    Origin.ASSUMED: "a choice that no document settles",
    Origin.ILLUSTRATION: "invented, to show how the model works; to be overwritten",
}
YES_NO: Mapping[str, str] = {YES: "rounded", NO: "not rounded"}
