"""Terms and totals, all holders together; what the stated figures imply; what rounding by holder can cost."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.inputs import PER_PREFERRED
from xl_conversion.books.templates.chain.looks import SHARES_UNROUNDED
from xl_conversion.books.templates.chain.roundings import down, nearest
from xl_conversion.books.templates.chain.words import NO, YES
from xl_conversion.books.templates.lines import Lines, by_function
from xl_conversion.books.templates.model import (
    AMOUNT,
    APART,
    COMMON,
    MONEY,
    PER_SHARE,
    PREFERRED,
    PRICE,
    RATIO,
    SHARES,
    UNROUNDED,
    WHOLE,
    Model,
)
from xl_conversion.books.templates.sheets.rounding import rounded

PURPOSE = "From money to preferred to common, all holders together, and what rounding by holder can cost"
LAST = "Where it comes from"
FRACTIONS = "#,##0.0000####"


def write_calculation(model: Model, page: Page) -> Lines:
    """Everything that needs no holder; :func:`write_costs` goes on."""
    lines = Lines(model, page, LAST)
    lines.header(freeze=True)
    _terms(lines)
    _amounts(lines)
    _together(lines)
    _implied(lines)
    return lines


def _terms(lines: Lines) -> None:
    lines.page.section("Terms", 0)
    lines.figure(
        "OIP",
        "Original issue price of the preferred",
        "as given, else PP",
        "IF(ISNUMBER(OIP_GIVEN), OIP_GIVEN, PP)",
        PRICE,
        PER_PREFERRED,
        "Inputs",
    )
    lines.figure(
        "R",
        "Common for a share of preferred",
        "OIP / CP",
        "OIP/CP",
        PRICE,
        RATIO,
        "Inputs",
        function="CP_RATIO(OIP, CP)",
        name="out_common_per_preferred",
    )
    lines.figure(
        "PC",
        "Principal and interest for a share of common",
        "PP × CP / OIP",
        "PP*CP/OIP",
        PRICE,
        PER_SHARE,
        "Inputs",
        name="out_price_per_common",
    )


def _amounts(lines: Lines) -> None:
    lines.page.section("Principal and accrued interest")
    for symbol, label, formula, native in (
        ("NP", "Principal", "sum of Notes", "ALL_PRINCIPAL"),
        ("NI", "Accrued interest", "sum of Notes", "ALL_INTEREST"),
        ("NA", "Amount converted", "NP + NI", "NP+NI"),
    ):
        lines.figure(symbol, label, formula, native, AMOUNT, MONEY, "Notes")


def _together(lines: Lines) -> None:
    page, basis = lines.page, "all holders together"
    page.section("Preferred, all holders together")
    lines.figure("PU", "Preferred, unrounded", "NA / PP", "NA/PP", SHARES_UNROUNDED, PREFERRED, basis)
    for symbol, label, formula, native, kind in (
        ("PN", "Preferred, to the nearest share", "PU to the nearest", nearest("PU"), "half_up"),
        ("PD", "Preferred, down to whole shares", "PU down", down("PU"), "floor"),
    ):
        function = f"CP_ROUND(PU, ZERO, TYPES_{kind})"
        lines.figure(symbol, label, formula, native, SHARES, PREFERRED, basis, function=function)
    page.section("Common, all holders together")
    lines.figure(
        "CU",
        "Common, nothing rounded",
        "NA × OIP / (PP × CP)",
        "NA*OIP/(PP*CP)",
        SHARES_UNROUNDED,
        COMMON,
        basis,
    )
    for symbol, label, formula, native, kind in (
        ("CN", "Common, to the nearest share", "CU to the nearest", nearest("CU"), "half_up"),
        ("CD", "Common, down to whole shares", "CU down", down("CU"), "floor"),
    ):
        function = f"CP_ROUND(CU, ZERO, TYPES_{kind})"
        lines.figure(symbol, label, formula, native, SHARES, COMMON, basis, function=function)
    for symbol, label, preferred in (
        ("QN", "Common from preferred to the nearest", "PN"),
        ("QD", "Common from preferred rounded down", "PD"),
    ):
        lines.figure(
            symbol,
            label,
            f"{preferred} × R, whole as Inputs say",
            rounded(f"{preferred}*R", "ZERO", "SHARE_TYPE"),
            SHARES,
            COMMON,
            basis,
            function=f"CP_CONVERSION_SHARES({by_function(preferred)}, OIP, CP, SHARE_TYPE)",
        )


def _implied(lines: Lines) -> None:
    """Why terms that no document states can be inferred, and how far the stated figures agree among themselves."""
    lines.page.section("What the stated figures imply")
    for symbol, label, formula, needed, native, number_format, unit in (
        (
            "IP",
            "Principal and interest for a share of preferred",
            "stated amount / stated preferred",
            ("STATED_PRINCIPAL", "STATED_PREFERRED"),
            "STATED_PRINCIPAL/STATED_PREFERRED",
            UNROUNDED,
            PER_PREFERRED,
        ),
        (
            "IR",
            "Common for a share of preferred",
            "stated common / stated preferred",
            ("STATED_COMMON", "STATED_PREFERRED"),
            "STATED_COMMON/STATED_PREFERRED",
            UNROUNDED,
            RATIO,
        ),
        (
            "IC",
            "Principal and interest for a share of common",
            "stated amount / stated common",
            ("STATED_PRINCIPAL", "STATED_COMMON"),
            "STATED_PRINCIPAL/STATED_COMMON",
            UNROUNDED,
            PER_SHARE,
        ),
        (
            "IQ",
            "Common that the stated preferred converts into",
            "stated preferred × R",
            ("STATED_PREFERRED",),
            "STATED_PREFERRED*R",
            SHARES_UNROUNDED,
            COMMON,
        ),
        (
            "ID",
            "Stated common less that",
            "stated common - IQ",
            ("STATED_PREFERRED", "STATED_COMMON"),
            "STATED_COMMON-IQ",
            APART,
            COMMON,
        ),
        (
            "IH",
            "Half of the last digit of the stated preferred, as common: how far ID can come from its rounding",
            "half a digit × R",
            ("STATED_PREFERRED",),
            "HALF/TEN^DECIMALS_PREFERRED*R",
            SHARES_UNROUNDED,
            COMMON,
        ),
    ):
        lines.figure(symbol, label, formula, known(native, *needed), number_format, unit, "Stated")


def write_costs(lines: Lines) -> None:
    """What rounding by holder can cost in general, and what it costs with the holders of Notes."""
    lines.page.section("What rounding common down by holder can cost")
    enough = f'IF(AND(SH>=ZERO, SH<=HM), "{YES}", "{NO}")'
    exactly = f'IF(SH=HC, "{YES}", "{NO}")'
    for symbol, label, formula, native, number_format, unit, source, name in (
        ("HN", "Holders", "count", "COUNT(H_AMOUNT)", WHOLE, "holders", "Notes", ""),
        (
            "HF",
            "Fractions of a share that the holders are left with",
            "sum of the fractions",
            "SUM_FRACTION",
            FRACTIONS,
            COMMON,
            "Holders",
            "",
        ),
        (
            "HC",
            "Common that rounding down by holder costs",
            "CD - sum by holder; HF down",
            "CD-SUM_COMMON_DOWN",
            SHARES,
            COMMON,
            "Holders",
            "out_cost_by_holder",
        ),
        (
            "HM",
            "At most, with so many holders: each loses less than a share",
            "HN - 1",
            "MAX(HN-ONE, ZERO)",
            SHARES,
            COMMON,
            "follows from HN",
            "out_most_cost",
        ),
        (
            "SH",
            "Stated common short of the common rounded down together",
            "CD - stated common",
            known("CD-STATED_COMMON", "STATED_COMMON"),
            SHARES,
            COMMON,
            "Stated",
            "out_short",
        ),
        (
            "HL",
            "Holders that this takes at least",
            "SH + 1",
            known('IF(SH>=ZERO, SH+ONE, "")', "SH"),
            SHARES,
            "holders",
            "follows from SH",
            "out_holders_needed",
        ),
        (
            "HE",
            "So many holders can cost that much",
            "SH is not above HM",
            known(enough, "SH"),
            "General",
            "yes or no",
            "a condition, no proof",
            "out_can_explain",
        ),
        (
            "HX",
            "The holders of Notes cost exactly that much",
            "SH = HC",
            known(exactly, "SH"),
            "General",
            "yes or no",
            "as good as Notes are",
            "out_explains",
        ),
    ):
        lines.figure(symbol, label, formula, native, number_format, unit, source, result=bool(name), name=name)


def known(expression: str, *symbols: str) -> str:
    """An expression that is blank unless all `symbols` are numbers.

    >>> known("A/B", "A", "B")
    'IF(ISNUMBER(A), IF(ISNUMBER(B), A/B, ""), "")'
    """
    for symbol in reversed(symbols):
        expression = f'IF(ISNUMBER({symbol}), {expression}, "")'
    return expression
