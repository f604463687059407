"""The sheet Calculation of a statement: a row for each step of each change, and where each figure stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from xl_conversion.books.statements.figures import PLAIN, Ratio, Unit, as_figure, style_of, unit_of
from xl_conversion.books.statements.heights import SMALL, height_of, lines_of, lines_of_figures
from xl_conversion.books.statements.series_design import (
    CALCULATION_WIDTHS,
    FIRST_STEP,
    ISSUE_PRICE,
    OK,
    PRICE_DIGITS,
    RATIO_DIGITS,
    START,
)
from xl_conversion.books.statements.step_rows import TOO_NEAR, label_of, rounds_too_near, symbol_of, worded
from xl_conversion.books.streaming.values import Formula, Plain, Row, Styled, Value
from xl_conversion.books.widths import lines
from xl_conversion.books.wording import ROUNDED
from xl_conversion.core.changes import Change
from xl_conversion.core.steps import Step
from xl_conversion.inputs.reading import Case

_Places: TypeAlias = tuple[tuple[Ratio, str], ...]
"""Figures and the cells that they stand in."""


@dataclass(slots=True)
class Calculation:
    """The steps of all changes as rows, and where each figure stands."""

    rows: list[Row] = field(default_factory=list)
    steps: list[tuple[dict[str, Step], dict[str, str]]] = field(default_factory=list)
    """Of each change: its steps and their cells on Calculation by symbol."""
    price: list[str] = field(default_factory=list)
    """Of each change: the cell of the price after it, of the unrounded one if there is one, and so on."""
    unrounded: list[str] = field(default_factory=list)
    ratio_price: list[str] = field(default_factory=list)
    ratio_unrounded: list[str] = field(default_factory=list)
    ratio: list[str] = field(default_factory=list)
    ratio_value: list[Fraction] = field(default_factory=list)
    """Of each change: the ratio itself, rounded."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Of each change: the places of its rows."""
    places: dict[str, int] = field(default_factory=dict)
    """Of each event: the place of its change."""


def calculated(case: Case) -> Calculation:
    """The rows of all changes of a series."""
    series, done = case.series, Calculation()
    known: _Places = ((series.conversion_price.as_integer_ratio(), f"Statement!$C${START}"),)
    issue_price = ((series.original_issue_price.as_integer_ratio(), f"Statement!$C${ISSUE_PRICE}"),)
    digits = (((series.price.decimals or 0, 1), f"Statement!$C${PRICE_DIGITS}"),)
    ratio_digits = (((series.ratio.decimals or 0, 1), f"Statement!$C${RATIO_DIGITS}"),)
    for change in case.changes:
        begin = len(done.rows)
        given = {"decimals": digits, "CP1": known, "R0": known, "in_force": known}
        steps, cells = _steps(done, change, change.steps(), given)
        price = cells[next(reversed(cells))]
        after, exact = change.price.as_integer_ratio(), change.unrounded.as_integer_ratio()
        unrounded = next((cells[s] for s in reversed(steps) if steps[s].value.as_integer_ratio() == exact), "")
        own = ((after, price), (exact, unrounded))
        given = {"decimals": ratio_digits, "OIP": issue_price, "CP": own + known}
        ratio_steps, ratio_cells = _steps(done, change, change.ratio_steps(), given)
        last = next(reversed(ratio_cells))
        done.steps.append((ratio_steps | steps, ratio_cells | cells))
        done.price.append(price)
        done.unrounded.append(unrounded)
        done.ratio_price.append(ratio_cells["CP"])
        done.ratio_unrounded.append(ratio_cells["CR"])
        done.ratio.append(ratio_cells[last])
        done.ratio_value.append(ratio_steps[last].value)
        done.places[change.event.event] = len(done.spans)
        done.spans.append((begin, len(done.rows)))
        known = (*own, (change.ratio_price.as_integer_ratio(), ratio_cells["CP"]))
    return done


def _steps(
    done: Calculation, change: Change, steps: Sequence[Step], given: Mapping[str, _Places]
) -> tuple[dict[str, Step], dict[str, str]]:
    """Adds a row a step. A given figure that stands elsewhere is linked to what `given` has of its symbol."""
    known: dict[str, Step] = {}
    figures: dict[str, str] = {}
    cells: dict[str, str] = {}
    event, width = change.event.event, CALCULATION_WIDTHS[3]
    first: Value = Styled(event, "first")
    event_high = lines_of(event, CALCULATION_WIDTHS[0] * SMALL)
    row = FIRST_STEP + len(done.rows)
    for step in steps:
        symbol, value = step.symbol, step.value
        fixed, figure = _fixed(symbol, step.label, step.unit, step.source), as_figure(value)
        number, high = figure.number, max(fixed.high, event_high, figure.high)
        content: Plain | Formula
        text: Value
        if step.formula:
            words, numbers, formula = worded(step, known, figures, cells)
            content, text = Formula(formula, number), f"{words}\n{numbers}"
            look = "result" if fixed.rounded else "plain"
            high = max(high, lines_of(words, width) + lines_of_figures(numbers, width))
            if fixed.rounded and rounds_too_near(step.formula, known):
                content, text, high = number, f"{text}\n{TOO_NEAR}", high + 1
        else:
            link = ""
            if symbol in given:
                link = next((cell for other, cell in given[symbol] if other == figure.ratio and cell), "")
            if link:
                content, look = Formula(link, number), "plain"
                text = _ON_STATEMENT if link.startswith("Statement") else _ABOVE
            else:
                content, text, look = number, _GIVEN, "input"
        decimals = known["decimals"].value.numerator if fixed.rounded and "decimals" in known else None
        style = style_of(look, figure, fixed.unit, decimals)
        cells_of_row: tuple[Value, ...] = (
            first,
            fixed.symbol,
            fixed.label,
            text,
            Styled(content, style),
            Styled(number, PLAIN[style]),
            figure.exact,
            step.unit,
            step.source,
            OK,
        )
        done.rows.append(Row(cells_of_row, height_of(high)))
        first = event
        known[symbol], cells[symbol], figures[symbol] = step, f"E{row}", figure.in_formula
        row += 1
    return known, cells


_GIVEN, _ON_STATEMENT, _ABOVE = (
    Styled(text, "given") for text in ("given", "as on Statement", "as computed above")
)


class _Fixed(NamedTuple):
    """What a row of Calculation has whatever its figures are."""

    symbol: str
    label: str
    rounded: bool
    unit: Unit
    high: int
    """The lines that its words take."""


@lru_cache(maxsize=8192)
def _fixed(symbol: str, label: str, unit: str, source: str) -> _Fixed:
    words, widths = label_of(label), CALCULATION_WIDTHS
    high = max(lines(words, widths[2]), lines(source, widths[8] * SMALL))
    return _Fixed(symbol_of(symbol), words, symbol.endswith(ROUNDED), unit_of(unit), high)
