"""What the first sheet says of this model."""

from __future__ import annotations

from xl_conversion.books.templates.chain.inputs import BASIS
from xl_conversion.books.templates.chain.stated import FIGURES
from xl_conversion.books.templates.chain.words import FEEDS, ORIGINS, PAID, ROUTES, YES_NO
from xl_conversion.books.templates.filling import Filling
from xl_conversion.books.templates.sheets.about import About
from xl_conversion.books.templates.words import KINDS, TYPES
from xl_conversion.core.issuance import SecurityKind

WHAT = (
    "The chain from convertible notes to preferred to common: principal and accrued interest by holder, the price "
    "of a share of preferred, the preferred, its conversion price and the common. Every way of rounding in "
    "between, for all holders together and for each, stands side by side, so that it is seen which of them gives "
    "a stated figure. Worksheet functions stand beside native formulas with a check for every pair, and the "
    'result is a row for the securities table of the "Conversion price model". A row of Notes whose basis is '
    "illustration is invented, and what rests on it shows what can explain a stated figure, not what a document "
    "says; Notes and Result count such rows."
)
USE = (
    "Overwrite the blue cells on Inputs, Notes and Stated, with the source and the basis of each. Until every "
    "input that a result needs is there, results are blank and checks say OPEN.",
    "Read Result: every route, how far the stated common is from it, and which of them give it. Choose the route "
    "on Inputs.",
    "Read Calculation for what rounding by holder can cost at all, and how many holders a difference takes.",
    "Read Tie-out for what does not tie, and see on Checks that the master check says OK. It says that the "
    "formulas agree and inputs are possible, nothing of the figures that are stated.",
    'Copy the row on Feed into the securities table of the "Conversion price model". Where Inputs hand on the '
    "shares as stated, they do not follow Notes: Feed says in amber how many the chain gives instead.",
    "The worksheet functions need the add-in of xl_conversion. Without it the native formulas still give every "
    "result, and checks of functions say NO ADD-IN.",
)


def about(filling: Filling) -> About:
    """The words, and the documents that the filling names."""
    notice = filling.given("in_notice").value
    found = [filling.given(name).source for _, _, name, _ in FIGURES]
    sources = list(dict.fromkeys(source for source in [str(notice or ""), *found] if source))
    note = SecurityKind.CONVERTIBLE_NOTE
    return About(
        WHAT,
        USE,
        (
            ("Route", "ROUTES", ROUTES),
            ("Rounding type", "TYPES", TYPES),
            ("Rounded", "YES_NO", YES_NO),
            ("Shares handed on", "FEEDS", FEEDS),
            ("Consideration", "PAID", PAID),
            (BASIS, "ORIGINS", ORIGINS),
            ("Kind", "KINDS", {note: KINDS[note]}),
        ),
        sources,
    )
