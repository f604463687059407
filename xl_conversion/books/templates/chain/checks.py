"""The checks of inputs and totals, and of figures in another way; those with a function stand beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from xl_conversion.books.templates.chain.result import FIGURES as OF_ROUTES
from xl_conversion.books.templates.chain.roundings import down
from xl_conversion.books.templates.chain.stated import FIGURES, bare, unread
from xl_conversion.books.templates.chain.tie_out import FIGURES as TIED
from xl_conversion.books.templates.chain.words import FEEDS, ORIGINS, PAID, ROUTES, YES_NO, FeedPaid, FeedShares
from xl_conversion.books.templates.model import AMOUNT, CHECK, PRICE, SHARES
from xl_conversion.books.templates.sheets.checks import Total, holds
from xl_conversion.books.templates.words import TYPES
from xl_conversion.core.tie_out import Result

CHOICES: Sequence[tuple[str, str, str, Mapping[str, str]]] = (
    ("Preferred of a holder rounded", "PREFERRED_ROUNDED", "YES_NO", YES_NO),
    ("Rounding type of preferred", "PREFERRED_TYPE", "TYPES", TYPES),
    ("Rounding type of common", "SHARE_TYPE", "TYPES", TYPES),
    ("Route", "ROUTE", "ROUTES", ROUTES),
    ("Shares for the securities table", "FEED_SHARES", "FEEDS", FEEDS),
    ("Consideration for the securities table", "FEED_PAID", "PAID", PAID),
)
"""Label, symbol, and the words that it is one of."""
NUMBERS = ("AS_OF", "PP", "CP", "PREFERRED_DECIMALS")
CONSTANTS = ("TOLERANCE", "TOLERANCE_AMOUNT", "ZERO", "ONE", "TEN", "HALF", "GUARD")
OPTIONAL = ("OIP_GIVEN", "EVENT_DATE")


def totals() -> Sequence[Total]:
    """Every one of them."""
    return (*_inputs(), *_stated(), *_calculation(), *_result(), *_feed(), *_tie_out())


def _inputs() -> Iterator[Total]:
    for label, symbol, names, words in CHOICES:
        # Not by COUNTIF, which takes * and ? for any letters.
        which = _any(f"{symbol}={names}_{word}" for word in words)
        yield holds(f"{label}: one of the words listed on About", "Inputs", which)
    numbers = [f"ISNUMBER({symbol})" for symbol in (*NUMBERS, *CONSTANTS)]
    blank_or = [f"COUNT({symbol})=COUNTA({symbol})" for symbol in OPTIONAL]
    yield holds("Numbers and dates are such; others are blank", "Inputs", _all([*numbers, *blank_or]))
    yield holds("Prices are above 0", "Inputs", "AND(PP>ZERO, CP>ZERO, OIP>ZERO)")
    yield holds(
        "Preferred is rounded to whole decimals, no more than count in rounding",
        "Inputs",
        "AND(PREFERRED_DECIMALS>=ZERO, PREFERRED_DECIMALS<=GUARD, INT(PREFERRED_DECIMALS)=PREFERRED_DECIMALS)",
    )
    yield holds(
        "Every note has its principal, and interest that is a number",
        "Notes",
        f'COUNTIF(NOTE_COMPLETE, "{CHECK}")=ZERO',
    )
    known = "+".join(f"COUNTIF(NOTE_BASIS, ORIGINS_{origin})" for origin in ORIGINS)
    yield Total(
        "Notes with a basis: those with one of the words listed on About", "Notes", "COUNTA(NOTE_BASIS)", known
    )


def _stated() -> Iterator[Total]:
    yield holds("What is stated is a number as written, or blank", "Stated", f"NOT({unread()})")
    for figure, label, *_ in FIGURES:
        number = f"STATED_{figure}"
        digits = f'SUBSTITUTE(SUBSTITUTE({bare(figure)}, ",", ""), ".", "")'
        yield Total(
            f"{label}: the digits written",
            "Stated",
            f'IF(ISNUMBER({number}), NUMBERVALUE({digits}, ".", ","), ZERO)',
            f"IF(ISNUMBER({number}), ROUND({number}*TEN^DECIMALS_{figure}, ZERO), ZERO)",
            SHARES,
        )


def _calculation() -> Iterator[Total]:
    where = "Calculation"
    yield Total(
        "Original issue price: as given, or the price of preferred",
        where,
        "N(OIP_GIVEN)+N(COUNT(OIP_GIVEN)=ZERO)*PP",
        "OIP",
        PRICE,
    )
    yield holds("Price per common × common is the amount converted", where, _like("PC*CU", "NA"))
    yield Total("Principal and interest: the sums of Notes", where, "ALL_AMOUNT", "NA", AMOUNT)
    yield Total("Amounts of the holders: the sum of Notes", "Holders", "NA", "SUM_AMOUNT", AMOUNT)
    yield Total("Preferred unrounded: the holders' together", "Holders", "PU", "SUM_PREFERRED", AMOUNT)
    yield Total("Common unrounded: the holders' together", "Holders", "CU", "SUM_COMMON", AMOUNT)
    yield Total("Common unrounded: preferred × common for a share of it", where, "PU*R", "CU", AMOUNT)
    for label, column in (
        ("Preferred to the nearest", "PREFERRED_NEAREST"),
        ("Preferred down", "PREFERRED_DOWN"),
        ("Preferred as chosen", "PREFERRED_CHOSEN"),
        ("Common before rounding, as chosen", "BEFORE_CHOSEN"),
    ):
        yield Total(
            f"{label}: the holders' together", "Holders", f"SUMPRODUCT(H_{column})", f"SUM_{column}", AMOUNT
        )
    yield Total(
        "Common down by holder and the fractions make the whole", "Holders", "CU", "SUM_COMMON_DOWN+HF", AMOUNT
    )
    stated = "ISNUMBER(STATED_COMMON)"
    yield Total("Holders: the rows of Notes", where, "COUNT(NOTE_AMOUNT)", "HN")
    yield Total("Cost of rounding by holder: the fractions, whole", where, down("HF"), "HC")
    yield Total("Most that it can cost: a share less than there are holders", where, "MAX(HN, ONE)", "HM+ONE")
    yield holds("Rounding by holder costs no more than it can", where, "AND(HC>=ZERO, HC<=HM)")
    yield Total(
        "Stated common short: by the sum of the holders and their cost",
        where,
        f"IF({stated}, HC+SUM_COMMON_DOWN-STATED_COMMON, ZERO)",
        "N(SH)",
        AMOUNT,
    )
    yield Total(
        "Holders that this takes: by the common rounded down together",
        where,
        f"IF(AND({stated}, N(SH)>=ZERO), CD-STATED_COMMON+ONE, ZERO)",
        "N(HL)",
        AMOUNT,
    )
    yield holds(
        "What the stated figures imply agrees among itself",
        where,
        _all(
            [
                f"IF(ISNUMBER(IP), {_like('IP*STATED_PREFERRED', 'STATED_PRINCIPAL')}, TRUE)",
                f"IF(ISNUMBER(IR), {_like('IR*STATED_PREFERRED', 'STATED_COMMON')}, TRUE)",
                f"IF(ISNUMBER(IC), {_like('IC*STATED_COMMON', 'STATED_PRINCIPAL')}, TRUE)",
                f"IF(ISNUMBER(IQ), {_like('IQ/R', 'STATED_PREFERRED')}, TRUE)",
                f"IF(ISNUMBER(ID), {_near('IQ+ID', 'STATED_COMMON')}, TRUE)",
                f"IF(ISNUMBER(IH), {_like('IH*TEN^DECIMALS_PREFERRED', 'HALF*R')}, TRUE)",
            ]
        ),
    )


def _result() -> Iterator[Total]:
    where = "Result"
    for label, figure in (("Preferred", "PREFERRED"), ("Common", "COMMON")):
        same = (f"{route}_{figure}={getattr(of, figure.lower())}" for route, of in OF_ROUTES.items())
        yield holds(f"{label} of each route: where it is computed", where, _all(same))
    less = (_near(f"{route}_COMMON+{route}_LESS", "STATED_COMMON") for route in OF_ROUTES)
    yield holds(
        "Stated common less each route: what makes up the stated",
        where,
        f"IF(ISNUMBER(STATED_COMMON), {_all(less)}, TRUE)",
    )
    for label, figure in (("Preferred", "PREFERRED"), ("Common", "COMMON")):
        yield Total(
            f"{label} of the route chosen: by its word",
            where,
            f"SUMIF(ROUTE_WORDS, ROUTE, ROUTE_{figure})",
            f"RESULT_{figure}",
            AMOUNT,
        )
    yield Total(
        "Common as stated: the number on Stated", where, "N(STATED_COMMON)", "N(RESULT_COMMON_STATED)", SHARES
    )
    yield Total(
        "Stated less the route chosen: by its word",
        where,
        "IF(ISNUMBER(STATED_COMMON), STATED_COMMON-SUMIF(ROUTE_WORDS, ROUTE, ROUTE_COMMON), ZERO)",
        "N(RESULT_LESS)",
        AMOUNT,
    )


def _feed() -> Iterator[Total]:
    where = "Feed"
    yield holds(
        "The row handed on has shares and one of the two considerations",
        where,
        "AND(FEED_SHARES_OUT>ZERO, COUNT(FEED_EACH, FEED_IN_ALL)=ONE)",
    )
    yield Total(
        "Shares handed on: of the route, or stated",
        where,
        f"IF(FEED_SHARES=FEEDS_{FeedShares.ROUTE}, RESULT_COMMON, N(STATED_COMMON))",
        "FEED_SHARES_OUT",
        AMOUNT,
    )
    in_all = f"FEED_PAID=PAID_{FeedPaid.IN_ALL}"
    yield Total("Consideration per share", where, f"IF({in_all}, ZERO, PC)", "N(FEED_EACH)", PRICE)
    yield Total("Consideration in all", where, f"IF({in_all}, ALL_AMOUNT, ZERO)", "N(FEED_IN_ALL)", AMOUNT)
    yield Total(
        "What the row comes to",
        where,
        "N(FEED_EACH)*FEED_SHARES_OUT+N(FEED_IN_ALL)",
        "FEED_PAID_OUT",
        AMOUNT,
    )
    yield Total("That less the amount converted", where, "FEED_PAID_OUT", "FEED_PAID_LESS+NA", AMOUNT)
    yield Total(
        "Shares less those of the route", where, "FEED_SHARES_OUT", "FEED_SHARES_LESS+RESULT_COMMON", AMOUNT
    )


def _tie_out() -> Iterator[Total]:
    where = "Tie-out"
    for figure, label, recomputed, _ in TIED:
        tied, stated = f"TIE_{figure}", f"STATED_{figure}"
        decimals = f"DECIMALS_{figure}"
        agree = (
            f"{tied}_STATED={stated}",
            f"{tied}_DECIMALS={decimals}",
            f"{tied}={recomputed}",
            _near(f"{tied}+{tied}_LESS", stated),
            _like(f"{tied}_HALF*TEN^{decimals}", "HALF"),
        )
        yield holds(
            f"{label.partition(':')[0]}: what is compared is what stands elsewhere",
            where,
            f"IF(ISNUMBER({stated}), {_all(agree)}, TRUE)",
        )
    yield Total("Comparisons: stated figures", where, f"COUNT({_each('STATED')})", "COMPARISONS")
    yield Total(
        "Exceptions and what ties make the comparisons",
        where,
        "COMPARISONS",
        f'EXCEPTIONS+COUNTIF(RESULTS, "{Result.TIES}")',
    )


def _each(what: str) -> str:
    return ", ".join(f"{what}_{figure}" for figure, *_ in FIGURES)


def _all(conditions: Iterable[str]) -> str:
    return f"AND({', '.join(conditions)})"


def _any(conditions: Iterable[str]) -> str:
    return f"OR({', '.join(conditions)})"


def _near(left: str, right: str) -> str:
    """The condition that a sum is equal to a figure but for a double's last digits."""
    return f"ABS({left}-{right})<=TOLERANCE_AMOUNT"


def _like(left: str, right: str) -> str:
    """The same of a product, whose error grows with it."""
    return f"ABS({left}-{right})<=TOLERANCE*ABS({right})"
