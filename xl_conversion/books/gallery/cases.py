"""What each sheet of the gallery shows: the arguments it starts from, the result expected, and what is varied.

A function that is not named here shows the example of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.boundary import Cell, Range
from xl_conversion.functions.definition import Argument, Function, Kind
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.tabular import BASES
from xl_conversion.functions.typed import argument_of

DOWN, ACROSS = "{down}", "{across}"
"""In :attr:`Sensitivity.varied`: the values in the column and in the row beside the results."""
DECIMALS = "4"
"""Where the example leaves them out; no example changes by it."""


@dataclass(frozen=True, slots=True)
class Case:
    """The cells of the arguments, and the result: one cell, or the last row of a table."""

    cells: tuple[Cell | Range, ...]
    expected: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A function over a column of values, against a row of values if there are any, in one array formula."""

    title: str
    varied: Mapping[str, str]
    """What stands for an argument in the formula, in terms of `DOWN` and `ACROSS`."""
    down: tuple[Cell, ...]
    across: tuple[Cell, ...] = ()
    labels: tuple[str, str] = ("", "")
    """Of the column and of the row; where empty, the argument that varies with it."""
    chart: str = ""
    """Title of a chart of the results, if they are worth one."""

    def label(self, by: str) -> str:
        """What the column or the row holds."""
        named = self.labels[by == ACROSS]
        return named or next(name for name, text in self.varied.items() if text == by)


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths of a sheet's columns, and the columns of each field of the table of arguments."""

    widths: tuple[float, ...]
    fields: Mapping[str, str] = field(default_factory=dict)


def case_of(function: Function) -> Case:
    """The case that the sheet of `function` shows."""
    if function.name in _CASES:
        return _CASES[function.name]
    texts = list(function.example)
    for argument in function.arguments[len(texts) :]:
        text = _filled(argument)
        if not text:
            break
        texts.append(text)
    cells = tuple(argument_of(text) for text in texts)
    result = evaluate(function, [argument_of(text) for text in function.example])
    row = result[-1] if isinstance(result, list) else [result]
    words = function.example_result.split(" | ") if function.spills else [function.example_result]
    typed = zip(words, row, strict=True)
    return Case(cells, tuple(float(text) if isinstance(cell, float) else text for text, cell in typed))


def _filled(argument: Argument) -> str:
    """What a sheet puts into an argument that the example leaves out; "" for nothing."""
    if argument.kind is Kind.DECIMALS:
        return DECIMALS
    if argument.kind in (Kind.TABLE, Kind.CELL):
        return ""
    return argument.default or ""


_SERIES: Range = [
    [
        "series",
        "original_issue_price",
        "conversion_price",
        "price_decimals",
        "ratio_decimals",
        "preferred_shares",
        "method",
        "clause",
    ],
    ["A", 1.5, 1.5, 4.0, 4.0, 1_000_000.0, "broad", "Article IV 4.4"],
]
_EVENTS: Range = [
    ["event", "date", "kind", "split_new", "split_old", "security", "shares"],
    ["Grant", date(2014, 1, 15), "issuance", None, None, None, None],
    ["Split", date(2015, 3, 2), "split", 2.0, 1.0, None, None],
    ["Lapse", date(2016, 1, 15), "expiry", None, None, "Warrants", 1_200_000.0],
]
_SECURITIES: Range = [
    ["event", "consideration_per_share", "security", "kind", "shares"],
    ["Grant", 0.75, "Warrants", "warrant", 1_000_000.0],
]
_CAPITALIZATION: Range = [
    ["class", "kind", "shares"],
    ["Common", "common", 3_000_000.0],
    ["Options", "option", 1_000_000.0],
]
_STATED: Range = [
    ["event", "item", "stated"],
    ["Grant", "conversion_price", "$1.3750"],
    ["Split", "conversion_price", "$0.69"],
    ["Lapse", "conversion_price", "$0.7220"],
    ["Lapse", "conversion_ratio", "2.0770"],
]

# Warrants that lapse in part after a split, worked by hand:
#   (1.50 * 5,000,000 + 0.75 * 400,000) / (5,000,000 + 400,000) = 13/9, rounded 1.4444, and halved 0.7222.
_LAST_RATIO = Fraction("1.50") / Fraction("0.7222")

_CASES: Mapping[str, Case] = {
    "CP_EXPLAIN": Case(
        ("CP_WEIGHTED_AVERAGE", 6.41, 33_831_184.0, 8_187_842.7, 81_728_433.0, 1_411_724.0, 2.0),
        (
            "conversion price after",
            "CP2_rounded",
            "when(CP2 < CP1, min(half_up(CP2, decimals), CP1), CP1)",
            "when(2.0013011817... < 6.41, min(half_up(2.0013011817..., 2), 6.41), 6.41)",
            2.0,
            "money per share",
            "NVCA model charter, 4.4.4",
        ),
    ),
    "CP_HISTORY": Case(
        (_SERIES, _EVENTS, _SECURITIES, _CAPITALIZATION),
        (
            "2016-01-15",
            "Lapse",
            0.6875,
            "7222/6875",
            0.7222,
            0.7222,
            2.077,
            "Article IV 4.4",
            "readjusted: 1200000 of 2000000 Warrants expired",
            "A",
            0.7222,
        ),
    ),
    "CP_TIE_OUT": Case(
        (_STATED, _SERIES, _EVENTS, _SECURITIES, _CAPITALIZATION),
        (
            "Lapse",
            "conversion_ratio",
            "",
            "2.0770",
            float(_LAST_RATIO),
            "2.0770",
            float(Fraction("2.0770") - _LAST_RATIO),
            0.00005,
            "ties",
            "",
            "original issue price / price, unrounded",
            "A",
        ),
    ),
}

SENSITIVITIES: Mapping[str, Sensitivity] = {
    "CP_WEIGHTED_AVERAGE": Sensitivity(
        "How far the price moves: size of the issuance against its price",
        {"issued": DOWN, "consideration": f"{DOWN}*{ACROSS}"},
        (5e6, 10e6, 20e6, 40e6, 60e6, 80e6, 100e6, 150e6, 200e6),
        (0.1, 1.0, 2.0, 4.0, 6.41),
        ("issued", "issue price"),
        "Conversion price after an issuance, by its size and issue price",
    ),
    "CP_FULL_RATCHET": Sensitivity(
        "At every issue price", {"issue_price": DOWN}, (2.0, 5.0, 8.0, 9.99, 10.0, 12.0)
    ),
    "CP_SPLIT": Sensitivity(
        "Splits and combinations: shares after against shares before",
        {"split_new": DOWN, "split_old": ACROSS},
        (1.0, 2.0, 3.0, 5.0, 10.0),
        (1.0, 2.0, 10.0, 20.0, 100.0),
    ),
    "CP_STOCK_DIVIDEND": Sensitivity(
        "Size of the dividend against the shares outstanding",
        {"dividend_shares": DOWN, "outstanding": ACROSS},
        (0.0, 1.0, 2.0, 5.0, 10.0),
        (10.0, 20.0, 50.0, 100.0, 1000.0),
    ),
    "CP_CASH_DIVIDEND": Sensitivity(
        "The three methods side by side",
        {"dividend": DOWN, "method": ACROSS},
        (0.25, 0.5, 0.75, 1.0, 2.0, 4.0),
        tuple(form.value for form in CashForm),
    ),
    "CP_RIGHTS": Sensitivity(
        "Price of the offer against its size",
        {"offer_price": DOWN, "offered": ACROSS},
        (0.0, 2.5, 5.0, 7.5, 10.0, 12.0),
        (5.0, 10.0, 20.0, 50.0, 100.0),
    ),
    "CP_SPIN_OFF": Sensitivity(
        "The two methods side by side",
        {"distributed_value": DOWN, "method": ACROSS},
        (0.0, 1.0, 2.5, 5.0, 10.0, 15.0),
        tuple(form.value for form in SpinOffForm),
    ),
    "CP_TENDER_OFFER": Sensitivity(
        "What was paid against the market price",
        {"consideration": DOWN, "market_price": ACROSS},
        (150.0, 200.0, 250.0, 300.0, 400.0),
        (8.0, 10.0, 12.0, 15.0, 20.0),
    ),
    "CP_RATIO": Sensitivity(
        "The price and the decimals that the charter rounds the ratio to",
        {"conversion_price": DOWN, "decimals": ACROSS},
        (1.0, 2.0, 2.001301181799737, 3.0, 6.41, 10.0),
        (0.0, 1.0, 2.0, 3.0, 4.0),
    ),
    "CP_CONVERSION_SHARES": Sensitivity(
        "Rounding types side by side",
        {"preferred_shares": DOWN, "rounding_type": ACROSS},
        (0.0, 1.0, 99.0, 100.0, 23685.0),
        tuple(kind.value for kind in RoundingType),
    ),
    "CP_CASH_IN_LIEU": Sensitivity(
        "Preferred converted against the market price of the common",
        {"preferred_shares": DOWN, "market_price": ACROSS},
        (1.0, 2.0, 50.0, 101.0, 200.0),
        (0.1, 0.5, 1.0, 2.0, 5.0),
    ),
    "CP_ROUND": Sensitivity(
        "Rounding types side by side",
        {"number": DOWN, "rounding_type": ACROSS},
        (3.205, 1.005, 2.675, 2.665, 1.001, -3.205, -1.001),
        tuple(kind.value for kind in RoundingType),
    ),
    "CP_OUTSTANDING": Sensitivity("The bases side by side", {"base": DOWN}, BASES),
    "CP_SOLVE_ROUND": Sensitivity(
        "Value before the new money against the pool",
        {"pre_money": DOWN, "pool_percent": ACROSS},
        (2_000_000.0, 3_000_000.0, 4_000_000.0, 6_000_000.0, 10_000_000.0),
        (0.0, 5.0, 10.0, 15.0, 20.0),
    ),
}

_WIDE = Layout(
    (30, 22, 22, 22, 22, 22, 44),
    {"argument": "A", "value": "B", "unit": "C", "rule": "D", "delivered": "E", "left out": "F", "help": "G"},
)
_LAYOUTS: Mapping[str, Layout] = {
    "CP_HISTORY": Layout(
        (15, 24, 17, 16, 16, 17, 12, 15, 26, 8, 14),
        {"argument": "A", "value": "B", "rule": "C:E", "delivered": "F", "left out": "G", "help": "H:K"},
    ),
    "CP_TIE_OUT": Layout(
        (15, 24, 16, 15, 15, 17, 14, 14, 10, 18, 20, 8),
        {"argument": "A", "value": "B", "rule": "C:E", "delivered": "F", "left out": "G", "help": "H:L"},
    ),
    "CP_LIST": Layout((28, 74, 74, 10)),
    "CP_HELP": Layout(
        (34, 84, 14, 34, 22),
        {"argument": "A", "value": "B", "unit": "C", "rule": "D", "delivered": "E"},
    ),
}


def layout_of(function: Function) -> Layout:
    """The layout of the sheet of `function`."""
    return _LAYOUTS.get(function.name, _WIDE)
