"""The chain from a note's principal to preferred to common, and what its roundings in between amount to."""

from __future__ import annotations

from collections.abc import Mapping

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import CENTRED, HEADER, NATIVE, NUMERIC, WIDTHS, Lines, wide
from xl_conversion.books.templates.model import (
    AMOUNT,
    APART,
    COMMON,
    MONEY,
    PER_SHARE,
    PREFERRED,
    PRICE,
    SHARES,
    SHARES_UNROUNDED,
    UNROUNDED,
    Model,
    above_zero,
    one_of,
)
from xl_conversion.books.templates.sheets.rounding import Roundings
from xl_conversion.books.templates.sheets.subject import Subject
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.stated import Item
from xl_conversion.inputs.records import ConversionRecord

PURPOSE = "From principal to preferred to common, each rounding on its own"
LAST = "Basis and source"
INFERRED = "inferred"

Stated = Mapping[tuple[Item, str], str]
"""Symbols of stated figures, by what they are and of which security."""


def write_chain(model: Model, page: Page, subject: Subject, roundings: Roundings, stated: Stated) -> None:
    """A block for each conversion."""
    lines = Lines(model, page, LAST)
    lines.header(freeze=True)
    for place, conversion in enumerate(subject.conversions, start=1):
        number = str(place) if place > 1 else ""
        page.section(f"{conversion.security} {conversion.holder}".strip(), place - 1)
        if conversion.note:
            wide(page, ("B", "J"), WIDTHS[1:], f"Note: {conversion.note}.")
            page.row += 1
        _terms(lines, conversion, number)
        alone = sum(other.security == conversion.security for other in subject.conversions) == 1
        preferred = stated.get((Item.PREFERRED_SHARES, conversion.security)) if alone else None
        common = stated.get((Item.COMMON_SHARES, conversion.security)) if alone else None
        if preferred and common:
            _implied(lines, number, preferred, common)
        _preferred(lines, roundings, number)
        _common(lines, number, conversion.holder, common)


def chain_totals(subject: Subject, security: str) -> tuple[str, str]:
    """Unrounded preferred and common of all conversions of a security, as formulas in symbols."""
    numbers = [
        str(place) if place > 1 else ""
        for place, conversion in enumerate(subject.conversions, start=1)
        if conversion.security == security
    ]
    return "+".join(f"PN{number}" for number in numbers), "+".join(f"QU{number}" for number in numbers)


def _terms(lines: Lines, conversion: ConversionRecord, number: str) -> None:
    inferred = INFERRED if INFERRED in conversion.note.lower() else conversion.source
    for symbol, label, value, number_format, unit, basis in (
        ("NP", "Principal of the notes", conversion.principal, AMOUNT, MONEY, conversion.source),
        (
            "PP",
            "Principal for a share of preferred",
            conversion.preferred_price,
            PRICE,
            "money per preferred",
            inferred,
        ),
        (
            "RP",
            "Common for a share of preferred",
            conversion.common_per_preferred,
            PRICE,
            "common per preferred",
            inferred,
        ),
    ):
        row = lines.given(f"{symbol}{number}", label, unit, basis)
        cell = f"{NATIVE}{row}"
        lines.model.number(lines.page, cell, f"{symbol}{number}", value, number_format)
        lines.model.validate(lines.page, cell, above_zero(label))
    lines.figure(
        f"PC{number}",
        "Principal for a share of common",
        "PP / RP",
        f"PP{number}/RP{number}",
        PRICE,
        PER_SHARE,
        "follows from the two above",
    )


def _implied(lines: Lines, number: str, preferred: str, common: str) -> None:
    page = lines.page
    page.section("What the stated figures imply: why these terms were inferred")
    for symbol, label, formula, native, unit in (
        (
            "IP",
            "Principal for a share of preferred, as stated",
            "NP / stated preferred",
            f"NP{number}/{preferred}",
            "money per preferred",
        ),
        (
            "IR",
            "Common for a share of preferred, as stated",
            "stated common / stated preferred",
            f"{common}/{preferred}",
            "common per preferred",
        ),
        (
            "IC",
            "Principal for a share of common, as stated",
            "NP / stated common",
            f"NP{number}/{common}",
            PER_SHARE,
        ),
    ):
        lines.figure(f"{symbol}{number}", label, formula, native, UNROUNDED, unit, "stated figures on Tie-out")


def _preferred(lines: Lines, roundings: Roundings, number: str) -> None:
    page, model = lines.page, lines.model
    page.section("Preferred that the principal buys")
    lines.figure(
        f"PN{number}", "Preferred, unrounded", "NP / PP", f"NP{number}/PP{number}", SHARES_UNROUNDED, PREFERRED, ""
    )
    label = "Rounding type of whole preferred"
    row = lines.given(f"PT{number}", label, "rounding type", "assumed")
    cell = f"{NATIVE}{row}"
    model.text(page, cell, f"PT{number}", RoundingType.HALF_UP.value)
    model.validate(page, cell, one_of(label, model.places["TYPES"], model.texts("TYPES")))
    what = "whole preferred"
    taken = roundings.add(f"PNr{number}", what, f"PN{number}", "ZERO", f"PT{number}", shares=True)
    lines.figure(
        f"PNr{number}",
        "Preferred, whole shares",
        "PN, rounded as PT says",
        taken,
        SHARES,
        PREFERRED,
        "see Rounding",
        function=f"CP_ROUND(PN{number}, ZERO, PT{number})",
    )


def _common(lines: Lines, number: str, holder: str, stated: str | None) -> None:
    page, model = lines.page, lines.model
    page.section("Common, by where the chain is rounded")
    heading = "Stated less this route" if stated else "Unit"
    page.header([*HEADER[:-1], heading, LAST], numeric=NUMERIC + "I" * bool(stated), centred=CENTRED)
    basis = f"holder: {holder}" if holder else "all holders together"
    for symbol, label, formula, native, number_format, function in (
        (
            "QN",
            "Whole preferred, then converted",
            "PNr × RP",
            f"PNr{number}*RP{number}",
            SHARES_UNROUNDED,
            f"CP_CONVERSION_SHARES(PNr{number}, PP{number}, PC{number})",
        ),
        (
            "QD",
            "Preferred rounded down, then converted",
            "PN rounded down × RP",
            f"PNr{number}_floor*RP{number}",
            SHARES_UNROUNDED,
            f"CP_CONVERSION_SHARES(PNr{number}_floor, PP{number}, PC{number})",
        ),
        ("QU", "Principal over price, nothing rounded", "NP / PC", f"NP{number}/PC{number}", SHARES_UNROUNDED, ""),
    ):
        row = page.row
        lines.figure(
            f"{symbol}{number}",
            label,
            formula,
            native,
            number_format,
            COMMON,
            basis,
            function=function,
        )
        if stated:
            model.formula(page, f"I{row}", f"{stated}-{symbol}{number}", APART)
    if stated:
        lines.figure(f"QS{number}", "Common as stated", "stated", stated, SHARES_UNROUNDED, COMMON, "see Tie-out")
