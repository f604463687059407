"""What is computed of which columns: settings and columns are checked once, before any row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from xl_conversion.batch.columns import MOST_DIGITS, is_number, is_text
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, shorten
from xl_conversion.functions import boundary, finishing
from xl_conversion.functions.boundary import WorksheetError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS
from xl_conversion.functions.definition import Function, Kind
from xl_conversion.functions.kernels import KERNELS
from xl_conversion.inputs.problems import InputError, Problem, fail, suggestion

Schema: TypeAlias = Any

PROBLEM = "problem"
"""The column that says why a result is null."""
BY_ROW = ("decimals", "rounding_type", "method")
"""Settings that a column may say for each row; those given are for the rows where it is blank."""
COMPUTED = tuple(f.name for f in CATALOGUE if any(name == f.name for name, _ in KERNELS))
"""The functions that there are for columns."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is computed. Columns `decimals`, `rounding_type` and `method` of a batch go before these."""

    function: str = "CP_WEIGHTED_AVERAGE"
    decimals: int = 2
    rounding_type: str = ""
    """As the function's default says, if empty."""
    method: str = ""
    """As the function's default says, if empty."""
    on_error: str = "refuse"
    """`null` gives nothing for a row that cannot be, and the reason in a column `problem`."""
    result: str = ""
    """The name of the column; by default `conversion_price_after`, or that of the function without CP_."""


@dataclass(frozen=True)
class Plan:
    """What the columns of a batch and the settings come to."""

    settings: Settings
    function: Function
    kind: Any
    """The decimal type of the result."""
    schema: Schema
    """That of the batch with the result."""

    @property
    def result(self) -> str:
        """The name of the result's column."""
        return self.settings.result or _result_name(self.function)

    @property
    def by_row(self) -> tuple[str, ...]:
        """The settings that columns of the batch say for each row."""
        return tuple(a.name for a in self.function.arguments if a.name in BY_ROW and a.name in self.schema.names)


def planned(schema: Schema, settings: Settings, where: str = "columns") -> Plan:
    """Checks the settings and the columns; InputError says what is wrong, and `where`."""
    function = _function(settings)
    arguments = {a.name: a for a in function.arguments}
    _check_settings(function, settings)
    names = list(schema.names)
    problems = []
    twice = sorted({name for name in names if names.count(name) > 1 and name in arguments})
    problems += [Problem(where, f"there are two columns {name}", hint="rename one of them") for name in twice]
    for name, argument in arguments.items():
        if name not in names:
            if not argument.optional and argument.kind is Kind.NUMBER:
                rule = f"there is no column {name}, which {function.name} needs"
                problems.append(Problem(where, rule, hint=suggestion(name, names) or function.signature))
            continue
        kind = schema.field(name).type if name not in twice else pa.null()
        if argument.kind in (Kind.NUMBER, Kind.DECIMALS):
            if not is_number(kind):
                rule = f"the column {name} is of type {kind}; it must be decimal, integer, text or float64"
                problems.append(Problem(where, rule, hint="cast it to a decimal"))
        elif not (is_text(kind) or pa.types.is_null(kind) or _is_text_dictionary(kind)):
            problems.append(Problem(where, f"the column {name} is of type {kind}; it must be text"))
    result = settings.result or _result_name(function)
    if not result.strip() or result in arguments or (result == PROBLEM and settings.on_error == "null"):
        rule = f"a result cannot be named {result}, as an argument or the column {PROBLEM} is"
        rule = rule if result.strip() else "the result has no name"
        problems.append(Problem(where, rule, hint="give another name with --result"))
    for name in (result, PROBLEM) if settings.on_error == "null" else (result,):
        if name in names:
            hint = "rename it, or name the result with --result" if name == result else "rename it"
            problems.append(Problem(where, f"there is a column {name} already", hint=hint))
    if problems:
        raise InputError(problems)
    kind = _result_type(function, schema, settings)
    fields = [pa.field(result, kind)]
    if settings.on_error == "null":
        fields.append(pa.field(PROBLEM, pa.string()))
    return Plan(settings, function, kind, pa.schema([*schema, *fields], schema.metadata))


def _function(settings: Settings) -> Function:
    name = settings.function.upper()
    if name not in COMPUTED:
        rule = f"{shorten(settings.function)} is no function for columns"
        raise fail("function", rule, suggestion(name, COMPUTED) or f"one of {', '.join(COMPUTED)}")
    return FUNCTIONS[name]


def _check_settings(function: Function, settings: Settings) -> None:
    arguments = {a.kind: a for a in function.arguments}
    least = arguments[Kind.DECIMALS].least if Kind.DECIMALS in arguments else 0
    if not least <= settings.decimals <= MAX_DECIMALS:
        rule = f"{settings.decimals} is not from {least} to {MAX_DECIMALS}"
        raise fail("decimals", rule, "give the decimals that the charter rounds to")
    if settings.rounding_type:
        try:
            RoundingType.parse(settings.rounding_type)
        except ValueError as problem:
            raise fail("rounding_type", str(problem)) from None
    if settings.method:
        choices = arguments[Kind.CHOICE].choices if Kind.CHOICE in arguments else ()
        try:
            boundary.word(settings.method, choices)
        except WorksheetError:
            rule = f"{shorten(settings.method)} is no method of {function.name}"
            raise fail("method", rule, f"one of {', '.join(choices)}" if choices else "leave it out") from None
    if settings.on_error not in ("refuse", "null"):
        raise fail("on_error", f"{shorten(settings.on_error)} is neither refuse nor null")


def _result_name(function: Function) -> str:
    if function.arguments[0].name == "conversion_price":
        return "conversion_price_after"
    return function.name.removeprefix("CP_").lower()


def _result_type(function: Function, schema: Schema, settings: Settings) -> Any:
    """The decimal that holds every result: as many decimals as a price before may have that did not move."""
    names = schema.names
    scale = 0 if function.finish is finishing.shares else max(settings.decimals, 0)
    if "decimals" in names and any(a.name == "decimals" for a in function.arguments):
        scale = max(scale, MAX_DECIMALS)
    if function.finish is not finishing.adjusted_price:
        return pa.decimal128(MOST_DIGITS, scale)
    before = schema.field("conversion_price").type
    if pa.types.is_dictionary(before):
        before = before.value_type
    if pa.types.is_decimal(before):
        own, digits = max(before.scale, 0), before.precision - before.scale
        # Nothing is above the price before, so that its digits in front of the point are enough.
        scale = min(max(scale, own), MOST_DIGITS)
        return pa.decimal128(min(max(digits, 1) + scale, MOST_DIGITS), scale)
    return pa.decimal128(MOST_DIGITS, scale if pa.types.is_integer(before) else max(scale, MAX_DECIMALS))


def _is_text_dictionary(kind: Any) -> bool:
    return bool(pa.types.is_dictionary(kind) and is_text(kind.value_type))
