"""The sheet Tie-out of a statement: a row for each finding, whose formulas compare what was stated anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from xl_conversion.books.statements.calculation import Calculation
from xl_conversion.books.statements.figures import MONEY, VARIANTS, as_figure, number_of, style_of
from xl_conversion.books.statements.heights import SMALL, height_of, lines_of, lines_of_figures, lines_of_text
from xl_conversion.books.statements.series_design import FIRST_FINDING, ISSUE_PRICE, MOST_PLACES, TIE_OUT_WIDTHS
from xl_conversion.books.statements.step_rows import is_too_near, rounding_formula
from xl_conversion.books.streaming.values import Formula, Row, Styled, Value
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.stated import Item, Written, read_written
from xl_conversion.core.terms import Series
from xl_conversion.core.tie_out import Check, Finding

_PRICES = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO)
_OF_OTHER_ROWS = (Check.ROLLED_FORWARD, Check.OTHER_COUNT, Check.STATED_PRICE)
"""Checks of what is stated in other rows already."""
_SYMBOLS = {
    Item.NUMERATOR: ("N",),
    Item.DENOMINATOR: ("D",),
    Item.CONVERSION_PRICE: ("CP2", "CP2_rounded", "CP1"),
    Item.CONVERSION_RATIO: ("CR",),
}
"""The steps that a stated figure may be."""


def finding_rows(series: Series, findings: Sequence[Finding], calculation: Calculation) -> list[Row]:
    """The rows of all findings; what was recomputed is linked to where it stands on Calculation."""
    rows, widths = [], TIE_OUT_WIDTHS
    given: dict[tuple[str, Item, str], int] = {}
    for row, finding in enumerate(findings, start=FIRST_FINDING):
        if finding.check is Check.RECOMPUTED:
            given[finding.event, finding.item, finding.subject] = row
    for row, finding in enumerate(findings, start=FIRST_FINDING):
        against = "against " if finding.check is Check.REFERENCE else ""
        what = f"{_item(finding.item)} {finding.subject}".rstrip()
        figure = f"{what}\n{against}{finding.basis.replace('*', '×')}"
        explanation = finding.explanation
        if finding.recomputed is None:
            cells = _reference(finding, row)
        else:
            cells = _compared(series, finding, finding.recomputed, row, given, calculation)
        written: Value = finding.stated
        if finding.check in _OF_OTHER_ROWS:
            written = Styled(finding.stated, "compared")
        high = max(
            lines_of(figure, widths[2]),
            lines_of(finding.event, widths[1] * SMALL),
            lines_of_text(explanation, widths[11]),
            lines_of(finding.source, widths[12] * SMALL),
            lines_of_figures(finding.stated, widths[3]),
        )
        rows.append(
            Row(
                (
                    finding.check.value,
                    finding.event,
                    figure,
                    written,
                    *cells,
                    explanation or None,
                    finding.source or None,
                ),
                height_of(high),
            )
        )
    return rows


def _reference(finding: Finding, row: int) -> tuple[Value, ...]:
    """Two documents: their numbers are compared where both state one, else their texts."""
    stated, reference = read_written(finding.stated), read_written(finding.at_precision)
    other = Styled(finding.at_precision, "stated")
    ties = finding.result.value
    if stated is None or reference is None:
        compared = Formula(f'IF(D{row}=H{row},"ties","exception")', ties)
        return None, None, Styled("other document", "compared"), other, None, None, compared
    apart = as_figure(stated.value - reference.value)
    return (
        Styled(number_of(stated.value), _written_style("input", finding, stated)),
        None,
        Styled(number_of(reference.value), _written_style("input", finding, reference)),
        other,
        Styled(Formula(f"E{row}-G{row}", apart.number), style_of("plain", apart, MONEY)),
        None,
        Formula(f'IF(E{row}=G{row},"ties","exception")', ties),
    )


def _compared(
    series: Series,
    finding: Finding,
    recomputed: Fraction,
    row: int,
    given: Mapping[tuple[str, Item, str], int],
    calculation: Calculation,
) -> tuple[Value, ...]:
    """The cells of a stated number, from the number to the result."""
    written = read_written(finding.stated)
    if written is None or finding.difference is None or finding.tolerance is None:
        raise ValueError(f"{finding.stated!r} is not a number as written")
    stated, digits = _stated(finding, written, row, given)
    as_written = _written_style("plain", finding, written)
    if finding.item in _PRICES:
        unrounded = VARIANTS["plain", 8, False]
    else:
        whole = recomputed.denominator == 1 or abs(recomputed) >= 10**9
        unrounded = VARIANTS["plain", 0 if whole else 4, True]
    link = _recomputed(finding, recomputed, given, calculation)
    number = number_of(recomputed)
    kind, at_precision = _rounding_type(series, finding), float(finding.at_precision.replace(",", ""))
    too_near = is_too_near(recomputed, kind, written.decimals)
    return (
        stated,
        digits,
        Styled(Formula(link, number) if link else number, unrounded),
        Styled(
            at_precision if too_near else Formula(rounding_formula(kind, "G", "F", row), at_precision), as_written
        ),
        Styled(Formula(f"E{row}-G{row}", float(finding.difference)), unrounded),
        Styled(
            Formula(f"10^-F{row}/2", float(finding.tolerance)),
            VARIANTS["plain", min(MOST_PLACES, written.decimals + 1), False],
        ),
        Formula(f'IF(H{row}=E{row},"ties","exception")', finding.result.value),
    )


def _stated(
    finding: Finding, written: Written, row: int, given: Mapping[tuple[str, Item, str], int]
) -> tuple[Value, Value]:
    """The stated number and its digits: given, or taken from the rows where they are."""
    number = number_of(written.value)
    if finding.check is Check.ROLLED_FORWARD:
        x, a = (given.get((finding.event, item, "")) for item in (Item.X, Item.A))
        if x and a:
            return (
                Styled(
                    # Without the noise of the difference of two doubles.
                    Formula(f"ROUND(E{x}-E{a},F{row})", number),
                    _written_style("plain", finding, written),
                ),
                Styled(Formula(f"MAX(F{x},F{a})", written.decimals), VARIANTS["plain", 0, False]),
            )
    elif finding.check in _OF_OTHER_ROWS:
        same = given.get((finding.event, finding.item, finding.subject))
        if same:
            return (
                Styled(Formula(f"E{same}", number), _written_style("plain", finding, written)),
                Styled(Formula(f"F{same}", written.decimals), VARIANTS["plain", 0, False]),
            )
    return (
        Styled(number, _written_style("input", finding, written)),
        Styled(written.decimals, VARIANTS["input", 0, False]),
    )


def _recomputed(
    finding: Finding,
    recomputed: Fraction,
    given: Mapping[tuple[str, Item, str], int],
    calculation: Calculation,
) -> str:
    """Where the recomputed figure comes from, if that is in this workbook."""
    if finding.check is Check.STATED_PRICE:
        price = given.get((finding.event, Item.CONVERSION_PRICE, ""))
        return f"Statement!$C${ISSUE_PRICE}/E{price}" if price else ""
    place = calculation.places.get(finding.event)
    if place is None or finding.check is not Check.RECOMPUTED:
        return ""
    steps, cells = calculation.steps[place]
    for symbol in _SYMBOLS.get(finding.item, (finding.item.value,)):
        step = steps.get(symbol)
        if step is not None and step.value == recomputed:
            return f"Calculation!{cells[symbol]}"
    return ""


def _rounding_type(series: Series, finding: Finding) -> RoundingType:
    if finding.item is Item.CONVERSION_PRICE:
        return series.price.rounding_type
    return series.ratio.rounding_type if finding.item is Item.CONVERSION_RATIO else RoundingType.HALF_UP


@lru_cache(maxsize=4096)
def _item(item: Item) -> str:
    return item.value.replace("_", " ")


def _written_style(look: str, finding: Finding, written: Written) -> str:
    return VARIANTS[look, min(MOST_PLACES, written.decimals), finding.item not in _PRICES]
