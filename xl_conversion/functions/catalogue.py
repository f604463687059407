"""The worksheet functions: the only place that says what exists, and anything about it.

Host registrations, help, the README's table and the command line are made from this table. A released name,
its argument order and its meaning never change: arguments are appended, a new meaning gets a new name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from xl_conversion import __version__
from xl_conversion.core import adjustments, explanations
from xl_conversion.core.adjustments import round_price
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, exact, round_to, round_whole
from xl_conversion.core.steps import Step


class Kind(Enum):
    """What an argument takes."""

    NUMBER = "number"
    DECIMALS = "whole number"
    ROUNDING_TYPE = "text"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: `rule` is what a value must fulfil, `default` what applies when it is left out."""

    name: str
    help: str
    unit: str
    rule: str
    kind: Kind = Kind.NUMBER
    default: str | None = None
    least: int = 0

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.default is not None


Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    """One worksheet function. `compute` gives the exact figure, `finish` rounds it, `explain` its steps."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    returns: str
    unit: str
    source: str
    example: tuple[str, ...]
    """Arguments as typed into a formula; with `example_result` they show the function at work."""
    example_result: str
    compute: Callable[..., Fraction | str]
    finish: Callable[[Fraction, Arguments], Fraction] | None = None
    explain: Callable[..., tuple[Step, ...]] | None = None
    since: str = "0.1.0"

    @property
    def signature(self) -> str:
        """The function as its help shows it, optional arguments in brackets."""
        names = ", ".join(f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({names})"

    @property
    def example_formula(self) -> str:
        """The example as a formula."""
        return f"={self.name}({','.join(self.example)})"

    def as_dict(self) -> dict[str, Any]:
        """All that is said about the function, for programs."""
        return {
            "name": self.name,
            "signature": self.signature,
            "summary": self.summary,
            "arguments": [
                {
                    "name": argument.name,
                    "help": argument.help,
                    "kind": argument.kind.value,
                    "unit": argument.unit,
                    "rule": argument.rule,
                    "default": argument.default,
                }
                for argument in self.arguments
            ],
            "returns": self.returns,
            "unit": self.unit,
            "errors": list(self.errors),
            "source": self.source,
            "example": self.example_formula,
            "example_result": self.example_result,
            "since": self.since,
        }

    @property
    def errors(self) -> tuple[str, ...]:
        """Which error a cell shows, and why."""
        if not self.arguments:
            return ()
        rules = "; ".join(f"{a.name}: {a.rule}" for a in self.arguments if a.kind is not Kind.ROUNDING_TYPE)
        to_zero = (
            ", or a price or ratio rounds to zero" if self.finish in (_finish_adjustment, _finish_price) else ""
        )
        return (
            "#VALUE!: a required argument is blank, or text, a boolean or a date stands for a number, "
            "or the rounding type is unknown",
            f"#NUM!: a number breaks its rule ({rules}), or the result does not fit into a cell{to_zero}",
            "#N/A: ranges differ in size, in the elements that one of them does not have",
            "any error in an argument is handed on",
        )


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


def _finish_adjustment(value: Fraction, arguments: Arguments) -> Fraction:
    before = exact(arguments["conversion_price"])
    return round_price(value, arguments["decimals"], arguments["rounding_type"], not_above=before)


def _finish_price(value: Fraction, arguments: Arguments) -> Fraction:
    return round_price(value, arguments["decimals"], arguments["rounding_type"])


def _finish_amount(value: Fraction, arguments: Arguments) -> Fraction:
    decimals = arguments["decimals"]
    return value if decimals is None else round_to(value, decimals, arguments["rounding_type"])


def _finish_shares(value: Fraction, arguments: Arguments) -> Fraction:
    return Fraction(round_whole(value, arguments["rounding_type"]))


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
        _finish_adjustment,
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
        _finish_adjustment,
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
        _finish_price,
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
        _finish_adjustment,
        explanations.explain_stock_dividend,
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
        _finish_price,
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
        _finish_shares,
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
        _finish_amount,
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
        _finish_amount,
        explanations.explain_round,
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
