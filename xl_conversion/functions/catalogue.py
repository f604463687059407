"""The worksheet functions: the only place that says what exists, and anything about it.

Host registrations, help, the README's table and the command line are made from this table. A released name,
its argument order and its meaning never change: arguments are appended, a new meaning gets a new name.
"""

from __future__ import annotations

from collections.abc import Mapping

from xl_conversion import __version__
from xl_conversion.core import adjustments, clauses, explanations
from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, exact
from xl_conversion.functions import finishing, tabular
from xl_conversion.functions.definition import SINCE, Argument, Function, Kind

__all__ = ["ABOVE_ZERO", "CATALOGUE", "FUNCTIONS", "ZERO_OR_ABOVE", "Argument", "Function", "Kind"]

ABOVE_ZERO = "it must be above 0"
ZERO_OR_ABOVE = "it must be 0 or above"

_PRICE_DECIMALS = Argument(
    "decimals",
    "Decimals that the charter rounds to. Left out: the figure is unrounded, whatever the rounding type.",
    "digits",
    f"it must be a whole number from 0 to {MAX_DECIMALS}",
    Kind.DECIMALS,
    default="unrounded",
)
_NUMBER_DECIMALS = Argument(
    "decimals",
    "Decimals to round to; negative ones are left of the point.",
    "digits",
    f"it must be a whole number from -{MAX_DECIMALS} to {MAX_DECIMALS}",
    Kind.DECIMALS,
    least=-MAX_DECIMALS,
)


def _rounding_type(default: RoundingType) -> Argument:
    return Argument(
        "rounding_type",
        "half_up (a tie goes away from zero, as with ROUND), half_even, floor or ceiling; "
        f"NORMAL is half_up. Left out or blank: {default}.",
        "text",
        f"it must be one of {', '.join(RoundingType)}",
        Kind.ROUNDING_TYPE,
        default=default.value,
    )


_ROUNDING = (_PRICE_DECIMALS, _rounding_type(RoundingType.HALF_UP))

_CONVERSION_PRICE = Argument(
    "conversion_price", "Conversion price before the event.", "money per share", ABOVE_ZERO
)
_PRICE_IN_FORCE = Argument("conversion_price", "Conversion price in force.", "money per share", ABOVE_ZERO)
_ORIGINAL_ISSUE_PRICE = Argument(
    "original_issue_price",
    "Original issue price (or stated value) of a share of preferred.",
    "money per share",
    ABOVE_ZERO,
)
_PREFERRED_SHARES = Argument(
    "preferred_shares", "Preferred shares that one holder converts.", "shares of preferred", ZERO_OR_ABOVE
)
_OUTSTANDING = Argument("outstanding", "Common outstanding just before the event.", "shares of common", ABOVE_ZERO)


_MARKET_PRICE = Argument(
    "market_price",
    "Market price of a share of common, as the charter defines it.",
    "money per share",
    ABOVE_ZERO,
)


def _one_of(name: str, words: type[CashForm] | type[SpinOffForm], help_text: str) -> Argument:
    """A method; the first of its `words` is the default."""
    choices = tuple(word.value for word in words)
    return Argument(
        name,
        f"{help_text} Left out or blank: {choices[0]}.",
        "text",
        f"it must be one of {', '.join(choices)}",
        Kind.CHOICE,
        default=choices[0],
        choices=choices,
    )


def _table(name: str, help_text: str, *, optional: bool = False) -> Argument:
    rule = "it must be a range with a header row and at least one row below it"
    end = " Left out or blank: none." if optional else ""
    return Argument(name, f"{help_text}{end}", "table", rule, Kind.TABLE, default="none" if optional else None)


_SERIES = _table(
    "series",
    "Terms, one row a series: series, original_issue_price, conversion_price; if need be method, price_decimals, "
    "ratio_decimals, preferred_shares and the other columns of the table series.",
)
_EVENTS = _table(
    "events",
    "What happened, one row an event: event, date, kind and the columns of that kind. An issuance may say shares "
    "and consideration itself.",
)
_SECURITIES = _table(
    "securities",
    "What issuances issued, one row a security: event, security, kind, shares, consideration or "
    "consideration_per_share.",
    optional=True,
)
_CAPITALIZATION_HELP = (
    "Classes before the first event, one row each: class, kind (common, preferred, option, warrant, "
    "convertible_note, pool), shares of common as converted. Preferred named like a series is that series; any "
    "other counts besides."
)
_CAPITALIZATION = _table("capitalization", _CAPITALIZATION_HELP)
_OPTIONAL_CAPITALIZATION = _table("capitalization", _CAPITALIZATION_HELP, optional=True)
_CONVERSIONS = _table(
    "conversions",
    "From principal to preferred to common: event, security, principal, preferred_price, common_per_preferred.",
    optional=True,
)
_COLUMNS_OF_TABLES = 'CP_HELP("events") lists the columns of a table, and of each kind of event.'

MAX_EXPLAINED = 12
"""Arguments of the function that CP_EXPLAIN explains."""

_A = '{"class","kind","shares";"Common","common",4000000;"Options","option",500000;"Pool","pool",250000}'
_B = '{"series","original_issue_price","conversion_price","price_decimals";"A",10,10,2}'
_C = '{"event","date","kind","split_new","split_old";"Split","2026-01-15","split",2,1}'
_D = '{"security","kind","shares","consideration_per_share";"Shares","shares",1000,2;"Warrant","warrant",500,0.5}'
_E = '{"event","item","stated";"Split","conversion_price","4.99"}'
_F = '{"series","original_issue_price","conversion_price","preferred_shares";"A",1,1,2000000}'


CATALOGUE: tuple[Function, ...] = (
    Function(
        "CP_WEIGHTED_AVERAGE",
        "Conversion price after an issuance below it, by the weighted average formula. "
        "At or above the price nothing moves.",
        (
            _CONVERSION_PRICE,
            _OUTSTANDING,
            Argument(
                "consideration",
                "Aggregate consideration for the shares issued, minimum further consideration included.",
                "money",
                ZERO_OR_ABOVE,
            ),
            Argument(
                "issued",
                "Shares of common issued, or issuable at most under what was issued.",
                "shares of common",
                ABOVE_ZERO,
            ),
            Argument(
                "other_securities",
                "Common underlying other securities that the charter counts. Left out or blank: 0.",
                "shares of common",
                ZERO_OR_ABOVE,
                default="0",
            ),
            *_ROUNDING,
        ),
        "CP1 x (A + B) / (A + C), A = outstanding + other securities, B = consideration / CP1, C = issued",
        "money per share",
        "NVCA model charter, 4.4.4",
        ("6.41", "33831184", "8187842.70", "81728433", "1411724", "2"),
        "2",
        adjustments.weighted_average,
        finishing.adjusted_price,
        explanations.explain_weighted_average,
    ),
    Function(
        "CP_FULL_RATCHET",
        "Conversion price after an issuance below it, by a full ratchet: the issue price.",
        (
            _CONVERSION_PRICE,
            Argument("issue_price", "Price of the shares issued.", "money per share", ABOVE_ZERO),
            *_ROUNDING,
        ),
        "the lower of the conversion price and the issue price",
        "money per share",
        "full ratchet clause",
        ("10", "5"),
        "5",
        adjustments.full_ratchet,
        finishing.adjusted_price,
        explanations.explain_full_ratchet,
    ),
    Function(
        "CP_SPLIT",
        "Conversion price after a split (2 for 1) or a combination (1 for 20) of the common.",
        (
            _CONVERSION_PRICE,
            Argument("split_new", "Shares after, for every split_old before.", "shares of common", ABOVE_ZERO),
            Argument("split_old", "Shares before.", "shares of common", ABOVE_ZERO),
            *_ROUNDING,
        ),
        "CP1 x old / new",
        "money per share",
        "splits and combinations clause",
        ("50", "2", "1"),
        "25",
        adjustments.split,
        finishing.price,
        explanations.explain_split,
    ),
    Function(
        "CP_STOCK_DIVIDEND",
        "Conversion price after a dividend of common paid on common.",
        (
            _CONVERSION_PRICE,
            _OUTSTANDING,
            Argument("dividend_shares", "Common paid as dividend.", "shares of common", ZERO_OR_ABOVE),
            *_ROUNDING,
        ),
        "CP1 x outstanding / (outstanding + dividend shares)",
        "money per share",
        "stock dividends clause",
        ("12.28", "10", "1", "3"),
        "11.164",
        adjustments.stock_dividend,
        finishing.adjusted_price,
        explanations.explain_stock_dividend,
    ),
    Function(
        "CP_CASH_DIVIDEND",
        "Conversion price after a cash dividend on the common, by the method of the charter. At or below the "
        "threshold nothing moves.",
        (
            _CONVERSION_PRICE,
            Argument("dividend", "Cash paid on a share of common.", "money per share", ZERO_OR_ABOVE),
            Argument(
                "market_price",
                "Market price of a share of common, as the charter defines it. Left out or blank: none, which "
                "only the method subtract allows.",
                "money per share",
                ABOVE_ZERO,
                default="",
            ),
            Argument(
                "threshold",
                "Dividend on a share at or below which nothing moves. Left out or blank: 0.",
                "money per share",
                ZERO_OR_ABOVE,
                default="0",
            ),
            _one_of(
                "method",
                CashForm,
                "ratio: CP1 x (market - dividend) / (market - threshold); excess: CP1 x (market - (dividend - "
                "threshold)) / market; subtract: CP1 - dividend.",
            ),
            *_ROUNDING,
        ),
        "CP1 x (market - dividend) / (market - threshold), or as the method says",
        "money per share",
        "cash dividends clause",
        ("10", "1", "20", "0.50", '"ratio"', "4"),
        "9.7436",
        clauses.cash_dividend_price,
        finishing.adjusted_price,
        clauses.explain_cash_dividend_price,
    ),
    Function(
        "CP_RIGHTS",
        "Conversion price after all holders of common were offered more of it below the market price. At or above "
        "it nothing moves.",
        (
            _CONVERSION_PRICE,
            _OUTSTANDING,
            Argument("offered", "Common offered to all holders together.", "shares of common", ABOVE_ZERO),
            Argument("offer_price", "What a share costs in the offer.", "money per share", ZERO_OR_ABOVE),
            _MARKET_PRICE,
            *_ROUNDING,
        ),
        "CP1 x (N + n x offer price / market price) / (N + n), N = outstanding, n = offered",
        "money per share",
        "rights offerings clause",
        ("12", "100", "20", "5", "10"),
        "11",
        adjustments.rights,
        finishing.adjusted_price,
        explanations.explain_rights,
    ),
    Function(
        "CP_SPIN_OFF",
        "Conversion price after other property was distributed on the common, by the method of the charter.",
        (
            _CONVERSION_PRICE,
            Argument(
                "distributed_value",
                "Fair value of what is distributed on a share of common.",
                "money per share",
                ZERO_OR_ABOVE,
            ),
            Argument(
                "market_price",
                "Market price of a share of common: after the distribution for over_sum, before it for "
                "over_market.",
                "money per share",
                ABOVE_ZERO,
            ),
            _one_of(
                "method",
                SpinOffForm,
                "over_sum: CP1 x market / (market + value); over_market: CP1 x (market - value) / market.",
            ),
            *_ROUNDING,
        ),
        "CP1 x market / (market + value), or as the method says",
        "money per share",
        "distributions clause",
        ("10", "5", "20", '"over_market"'),
        "7.5",
        clauses.spin_off_price,
        finishing.adjusted_price,
        clauses.explain_spin_off_price,
    ),
    Function(
        "CP_TENDER_OFFER",
        "Conversion price after common was bought back above the market price. At or below it nothing moves.",
        (
            _CONVERSION_PRICE,
            Argument("consideration", "Aggregate paid for the shares bought back.", "money", ZERO_OR_ABOVE),
            Argument(
                "outstanding_before",
                "Common outstanding before, with what is bought back.",
                "shares of common",
                ABOVE_ZERO,
            ),
            Argument(
                "outstanding_after",
                "Common outstanding after; not above outstanding_before.",
                "shares of common",
                ABOVE_ZERO,
            ),
            _MARKET_PRICE,
            *_ROUNDING,
        ),
        "CP1 x (SP x OS0) / (AC + SP x OS1), SP = market price, OS0, OS1 = outstanding before, after, "
        "AC = consideration",
        "money per share",
        "tender offers clause",
        ("10", "300", "100", "80", "10", "4"),
        "9.0909",
        adjustments.tender_offer,
        finishing.adjusted_price,
        explanations.explain_tender_offer,
    ),
    Function(
        "CP_RATIO",
        "Conversion ratio: common per share of preferred.",
        (_ORIGINAL_ISSUE_PRICE, _PRICE_IN_FORCE, *_ROUNDING),
        "original issue price / conversion price",
        "common per preferred",
        "conversion clause",
        ("6.41", "2.00", "2", '"half_even"'),
        "3.2",
        adjustments.conversion_ratio,
        finishing.price,
        explanations.explain_conversion_ratio,
    ),
    Function(
        "CP_CONVERSION_SHARES",
        "Whole shares of common on conversion of one holder's preferred.",
        (
            _PREFERRED_SHARES,
            _ORIGINAL_ISSUE_PRICE,
            _PRICE_IN_FORCE,
            _rounding_type(RoundingType.FLOOR),
        ),
        "preferred shares x original issue price / conversion price, in whole shares",
        "shares of common",
        "conversion clause",
        ("23685", "10000", "2.3727"),
        "99822986",
        adjustments.conversion_shares,
        finishing.shares,
        explanations.explain_conversion_shares,
    ),
    Function(
        "CP_CASH_IN_LIEU",
        "Cash paid for the fraction of a share that a conversion leaves over, whole shares rounded down.",
        (
            _PREFERRED_SHARES,
            _ORIGINAL_ISSUE_PRICE,
            _PRICE_IN_FORCE,
            Argument("market_price", "Market price of a share of common.", "money per share", ABOVE_ZERO),
            *_ROUNDING,
        ),
        "(shares on conversion - whole shares) x market price",
        "money",
        "fractional shares clause",
        ("101", "6.41", "2.00", "0.50", "2"),
        "0.35",
        adjustments.cash_in_lieu,
        finishing.amount,
        explanations.explain_cash_in_lieu,
    ),
    Function(
        "CP_ROUND",
        "A number rounded once and exactly, as its 15 displayed digits say.",
        (
            Argument("number", "Number to round.", "number", "it must be a number"),
            _NUMBER_DECIMALS,
            _rounding_type(RoundingType.HALF_UP),
        ),
        "the rounded number",
        "number",
        "rounding clause",
        ("3.205", "2"),
        "3.21",
        exact,
        finishing.amount,
        explanations.explain_round,
    ),
    Function(
        "CP_OUTSTANDING",
        "Common outstanding on the base that the charter names, added up from a capitalization.",
        (
            _CAPITALIZATION,
            Argument(
                "base",
                f"{', '.join(tabular.BASES)}, or the classes or kinds that the charter lists, separated by ; "
                "in any letter case. Left out or blank: broad.",
                "text",
                f"it must be one of {', '.join(tabular.BASES)}, or names of classes or kinds of the table",
                Kind.TEXT,
                default="broad",
            ),
        ),
        "the sum of the classes that the base counts",
        "shares of common",
        "weighted average clause",
        (_A, '"broad"'),
        "4500000",
        tabular.outstanding,
        remarks="common counts the common only; narrow also preferred as converted; broad also options, warrants "
        "and convertible notes; broad_with_pool also options that may still be granted.",
    ),
    Function(
        "CP_ISSUANCE",
        "What an issuance issued, security by security and together: options and convertibles at their maximum "
        "shares, with the least that is still to be paid.",
        (
            _table(
                "securities",
                "One row a security: security, kind (shares, option, warrant, convertible_note, preferred), "
                "shares at the most, and consideration, consideration_per_share, or paid and exercise_price.",
            ),
        ),
        "security, kind, shares, consideration, price per share, counted; the last row is all that counts "
        "together",
        "table",
        "deemed issuance clause",
        (_D,),
        "together |  | 1500 | 2250 | 1.5 | yes",
        tabular.issuance,
        spills=True,
    ),
    Function(
        "CP_HISTORY",
        "The price of a series through its events, one row an event, readjustments replayed.",
        (_SERIES, _EVENTS, _SECURITIES, _OPTIONAL_CAPITALIZATION),
        "date, event, price before, exact factor, unrounded price, price carried, ratio, clause, reason, series, "
        "price in force",
        "table",
        "the clauses of the charter",
        (_B, _C),
        "2026-01-15 | Split | 10 | 1/2 | 5 | 5 | 2 | charter | split | A | 5",
        tabular.history,
        spills=True,
        remarks="price before x exact factor = unrounded price; the next adjustment starts from the price "
        f"carried. {_COLUMNS_OF_TABLES}",
    ),
    Function(
        "CP_EXPLAIN",
        "The steps of a function of single values, the last of them the figure that the function gives.",
        (
            Argument(
                "function_name",
                "Name of a function that gives one figure from single values, such as CP_SPLIT.",
                "text",
                "it must be the name of a function that has steps",
                Kind.TEXT,
            ),
            *(
                Argument(
                    f"argument_{place}",
                    f"Argument {place} of that function. Left out: as when it is left out there.",
                    "as in the function",
                    "it must be what the function takes there",
                    Kind.CELL,
                    default="left out",
                )
                for place in range(1, MAX_EXPLAINED + 1)
            ),
        ),
        "step, symbol, formula, with numbers, value, unit, source",
        "table",
        "that of the function",
        ('"CP_SPLIT"', "50", "2", "1"),
        "conversion price after, unrounded | CP2 | CP1 * old / new | 50 * 1 / 2 | 25 | money per share | "
        "splits and combinations clause",
        tabular.explain,
        spills=True,
    ),
    Function(
        "CP_TIE_OUT",
        "Stated figures against recomputed ones, with what would explain each difference.",
        (
            _table(
                "stated",
                "Figures as a document writes them, one row each: event, item, stated. Put stated as text, such "
                "as '2.00: its decimals say how exact it is.",
            ),
            _SERIES,
            _EVENTS,
            _SECURITIES,
            _OPTIONAL_CAPITALIZATION,
            _CONVERSIONS,
        ),
        "event, item, subject, stated, recomputed, at its precision, difference, tolerance, result, explanation, "
        "basis, series",
        "table",
        "the clauses of the charter",
        (_E, _B, _C),
        "Split | conversion_price |  | 4.99 | 5 | 5.00 | -0.01 | 0.005 | exception | No rounding explains it. | "
        "price in force after it: split | A",
        tabular.tie_out,
        spills=True,
        remarks=_COLUMNS_OF_TABLES,
    ),
    Function(
        "CP_SOLVE_ROUND",
        "Price of a share in a round that triggers anti-dilution, the common that it and the pool's top-up add "
        "counted in the number that sets the price.",
        (
            _CAPITALIZATION,
            _SERIES,
            Argument("new_money", "Money that the round brings.", "money", ABOVE_ZERO),
            Argument("pre_money", "Value of the company before the new money.", "money", ABOVE_ZERO),
            Argument(
                "pool_percent",
                "Options not yet granted after closing, in percent of everything: 10 is ten percent. Left out or "
                "blank: 0.",
                "percent",
                "it must be from 0 to below 100",
                default="0",
            ),
            Argument(
                "adjustment_in_price",
                "Whether the common that the adjustments add counts in the price. Left out or blank: TRUE.",
                "TRUE or FALSE",
                "it must be TRUE or FALSE",
                Kind.FLAG,
                default="TRUE",
            ),
            *_ROUNDING,
        ),
        "pre-money value / everything that counts, solved exactly",
        "money per share",
        "weighted average clause",
        (_A, _F, "1000000", "3000000", "10", "TRUE", "4"),
        "0.3743",
        tabular.solve_round,
        finishing.price,
    ),
    Function(
        "CP_ENUM",
        "The words of an enumeration, one a row, for a validation list.",
        (
            Argument(
                "enumeration",
                f"{', '.join(tabular.ENUMERATIONS)}.",
                "text",
                "it must be the name of an enumeration",
                Kind.TEXT,
            ),
        ),
        "the words",
        "table",
        "",
        ('"rounding_type"',),
        "ceiling",
        tabular.enumeration,
        spills=True,
    ),
    Function(
        "CP_LIST",
        "All functions, one a row.",
        (),
        "function, syntax, what it gives, since",
        "table",
        "",
        (),
        f"CP_VERSION | CP_VERSION() | Version of the functions that computed the sheet. | {SINCE}",
        tabular.functions,
        spills=True,
    ),
    Function(
        "CP_HELP",
        "What there is to know of a function (arguments with their units, errors, source and an example), or of "
        "the columns of a table.",
        (
            Argument(
                "function_name",
                "Name of a function, such as CP_SPLIT, or of a table, such as events.",
                "text",
                "it must be the name of a function or of a table",
                Kind.TEXT,
            ),
        ),
        "what, text",
        "table",
        "",
        ('"CP_VERSION"',),
        f"since | {SINCE}",
        tabular.help_of,
        spills=True,
    ),
    Function(
        "CP_VERSION",
        "Version of the functions that computed the sheet.",
        (),
        "the version",
        "text",
        "",
        (),
        __version__,
        lambda: __version__,
    ),
)

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in CATALOGUE}
