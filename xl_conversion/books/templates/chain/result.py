"""The routes side by side, and the one that the inputs choose."""

from __future__ import annotations

from typing import NamedTuple

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.calculation import known
from xl_conversion.books.templates.chain.holders import total_by_function, total_of
from xl_conversion.books.templates.chain.looks import SHARES_UNROUNDED, amber, whole_as_whole
from xl_conversion.books.templates.chain.words import BY_HOLDER, NO, ROUTES, YES, Route
from xl_conversion.books.templates.lines import by_function, when_ready, wide
from xl_conversion.books.templates.model import APART, SHARES, Model

PURPOSE = "Every route from money to common side by side, and the one that Inputs choose"
WIDTHS = (26, 39, 15, 17, 16, 11, 10, 11, 14, 10, 10, 12, 9)
HEADER = (
    "Route",
    "What is rounded, and where",
    "Preferred",
    "Common, worksheet function",
    "Common, native formula",
    "Difference",
    "Tolerance",
    "Check",
    "Stated common less this route",
    "Gives the stated preferred",
    "Gives the stated common",
    "Rests on",
    "Chosen",
)
RESTS_ON_HOLDERS, RESTS_ON_TOTALS = "each holder", "totals"
CHOSEN = "chosen"
BOLD = 0.9
"""Of a column's width, for bold text."""
CAUTION = (
    "A route that gives the stated figure can explain it; that it was the way taken is shown only by a document "
    "that says so. Routes that rest on each holder are as good as the amounts on Notes."
)


class _Of(NamedTuple):
    """Where the figures of a route stand, by symbols."""

    preferred: str
    common: str
    function: str = ""
    whole: bool = True
    """Whether the preferred is."""


FIGURES: dict[Route, _Of] = {
    Route.UNROUNDED: _Of("PU", "CU", whole=False),
    Route.PREFERRED_NEAREST: _Of("PN", "QN", by_function("QN")),
    Route.PREFERRED_DOWN: _Of("PD", "QD", by_function("QD")),
    Route.HOLDER_PREFERRED_NEAREST: _Of(
        total_of("PREFERRED_NEAREST"), total_of("FROM_NEAREST"), total_by_function("FROM_NEAREST")
    ),
    Route.HOLDER_PREFERRED_DOWN: _Of(
        total_of("PREFERRED_DOWN"), total_of("FROM_DOWN"), total_by_function("FROM_DOWN")
    ),
    Route.HOLDER_COMMON_DOWN: _Of("PU", total_of("COMMON_DOWN"), total_by_function("COMMON_DOWN"), whole=False),
    Route.HOLDER_COMMON_NEAREST: _Of(
        "PU", total_of("COMMON_NEAREST"), total_by_function("COMMON_NEAREST"), whole=False
    ),
    Route.COMMON_DOWN: _Of("PU", "CD", by_function("CD"), whole=False),
    Route.COMMON_NEAREST: _Of("PU", "CN", by_function("CN"), whole=False),
    Route.AS_CHOSEN: _Of(
        total_of("PREFERRED_CHOSEN"), total_of("CHOSEN"), total_by_function("CHOSEN"), whole=False
    ),
}


def write_result(model: Model, page: Page) -> None:
    """The result on top, then a row a route."""
    top = page.row + 1
    page.row += 9
    page.header(HEADER, numeric="CDEFGI", centred="HJKLM", freeze=True)
    first = page.row
    for route in FIGURES:
        _route(model, page, route)
    for column, symbol in (("A", "ROUTE_WORDS"), ("C", "ROUTE_PREFERRED"), ("E", "ROUTE_COMMON")):
        model.range(page, symbol, f"{column}{first}", f"{column}{page.row - 1}")
    for column in "CEI":
        whole_as_whole(page, f"{column}{first}:{column}{page.row - 1}")
    page.mark(f"M{first}:M{page.row - 1}", CHOSEN, "?")
    page.row += 1
    wide(page, ("A", "M"), WIDTHS, CAUTION)
    end, page.row = page.row + 1, top
    _result(model, page)
    page.row = end


def routes_that_give(figure: str) -> str:
    """The routes that give the stated ``PREFERRED`` or ``COMMON``, as an expression in symbols."""
    each = "&".join(f'IF({route}_GIVES_{figure}="{YES}", ROUTES_{route}&" ", "")' for route in FIGURES)
    text = f'SUBSTITUTE(TRIM({each}), " ", ", ")'
    return known(f'IF({text}="", "none", {text})', f"STATED_{figure}")


def _route(model: Model, page: Page, route: Route) -> None:
    row, figures = page.row, FIGURES[route]
    preferred, common, function = (f"{route}_{what}" for what in ("PREFERRED", "COMMON", "FUNCTION"))
    model.formula(page, f"A{row}", f"ROUTES_{route}", look="symbol", symbol=f"{route}_WORD")
    page.text(f"B{row}", ROUTES[route])
    of_common = SHARES if figures.function else SHARES_UNROUNDED
    for column, symbol, formula, digits in (
        ("C", preferred, figures.preferred, SHARES if figures.whole else SHARES_UNROUNDED),
        ("E", common, figures.common, of_common),
        ("D", function, figures.function, of_common),
    ):
        if formula:
            model.formula(page, f"{column}{row}", when_ready(formula), digits, symbol=symbol, align="right")
    if figures.function:
        label = f"Result, {route}: common"
        model.check(page, "FGH", label, common, function, "TOLERANCE", SHARES, symbol=f"ROUTE_{route}".upper())
    else:
        for column in "DFGH":
            page.text(f"{column}{row}", "")
    less = when_ready(known(f"STATED_COMMON-{common}", "STATED_COMMON"))
    model.formula(page, f"I{row}", less, APART, symbol=f"{route}_LESS", align="right")
    for column, figure in (("J", "PREFERRED"), ("K", "COMMON")):
        at_digits = f"ROUND({route}_{figure}, DECIMALS_{figure})"
        gives = when_ready(known(f'IF({at_digits}=STATED_{figure}, "{YES}", "{NO}")', f"STATED_{figure}"))
        model.formula(page, f"{column}{row}", gives, symbol=f"{route}_GIVES_{figure}", align="center")
    page.text(f"L{row}", RESTS_ON_HOLDERS if route in BY_HOLDER else RESTS_ON_TOTALS, "muted", align="center")
    model.formula(page, f"M{row}", f'IF(ROUTE={route}_WORD, "{CHOSEN}", "")', align="center")
    page.height([(ROUTES[route], WIDTHS[1])])
    page.row += 1


def _result(model: Model, page: Page) -> None:
    """The figures of the route that Inputs choose."""
    place = "MATCH(ROUTE, ROUTE_WORDS, ZERO)"
    for label, formula, symbol, name in (
        (
            "Preferred, by the route that Inputs choose",
            f"INDEX(ROUTE_PREFERRED, {place})",
            "PREFERRED",
            "preferred_shares",
        ),
        ("Common, by that route", f"INDEX(ROUTE_COMMON, {place})", "COMMON", "common_shares"),
        ("Common as stated", known("STATED_COMMON", "STATED_COMMON"), "COMMON_STATED", ""),
        (
            "Stated less that route",
            known("STATED_COMMON-RESULT_COMMON", "STATED_COMMON"),
            "LESS",
            "stated_less_route",
        ),
        ("Routes that give the stated common", routes_that_give("COMMON"), "GIVEN_BY", "routes_that_give_common"),
        ("What explains the difference", _explained(), "EXPLAINED", ""),
        ("What Notes rest on", "NOTES_INVENTED", "INVENTED", ""),
    ):
        row, words = page.row, symbol in ("GIVEN_BY", "EXPLAINED", "INVENTED")
        for column, text in zip("AB", (label, ""), strict=True):
            page.text(f"{column}{row}", text, "label")
        page.sheet.merge_cells(f"A{row}:B{row}")
        model.formula(
            page,
            f"C{row}",
            when_ready(formula),
            {"LESS": APART, "COMMON_STATED": SHARES}.get(symbol, SHARES_UNROUNDED),
            symbol=f"RESULT_{symbol}",
            look="result",
            align="left" if words else "right",
            name=f"out_{name}" if name else "",
        )
        if words:
            page.sheet.merge_cells(f"C{row}:M{row}")
            page.height([(str(model.value(f"RESULT_{symbol}")), BOLD * sum(WIDTHS[2:]))])
        else:
            whole_as_whole(page, f"C{row}")
        if symbol == "INVENTED":
            amber(page, f"C{row}", f'ISNUMBER(FIND("invented",C{row}))')
        page.row += 1


def _explained() -> str:
    """The sentence on what is stated and what rounding by holder costs, as an expression in symbols."""
    aggregate = '" the aggregate rounded down, "&FIXED(CD, ZERO)&"'
    holders = 'IF(HN=ONE, "the one on Notes costs ", "the "&HN&" on Notes cost ")&FIXED(HC, ZERO)&"."'
    short = (
        f'"The figure stated is "&FIXED(SH, DECIMALS_COMMON)&" short of"&{aggregate}. Rounding down for each of '
        f'at least "&FIXED(HL, ZERO)&" holders can cost that; "&{holders}'
    )
    above = (
        f'"The figure stated is "&FIXED(ABS(SH), DECIMALS_COMMON)&" above"&{aggregate}. '
        'Rounding down for each holder cannot give that."'
    )
    equal = f'"The figure stated is"&{aggregate}; rounding down for each holder would cost "&FIXED(HC, ZERO)&"."'
    return known(f"IF(SH>ZERO, {short}, IF(SH=ZERO, {equal}, {above}))", "SH")
