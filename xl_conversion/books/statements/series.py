"""What goes into the statement of one series: each figure with its formula, its value and its style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from math import gcd, lcm
from typing import Any, NamedTuple, TypeAlias

from xl_conversion.books.native import rounded
from xl_conversion.books.page import HIGHEST_ROW, LONGEST_FOOTER
from xl_conversion.books.statements.notice import KINDS, Notice, notice_of, rounded_as
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.series_design import (
    CALCULATION_WIDTHS,
    FIRST_EVENT,
    FIRST_FINDING,
    FIRST_HOLDER,
    FIRST_STEP,
    HOLDERS_WIDTHS,
    ISSUANCE,
    ISSUE_PRICE,
    LOOKS,
    MOST_PLACES,
    NO_DIGITS,
    NOTICE_WIDTHS,
    OK,
    PRICE,
    PRICE_DIGITS,
    RATIO,
    RATIO_DIGITS,
    RATIO_PRICE,
    START,
    STATEMENT_WIDTHS,
    TIE_OUT_WIDTHS,
    TOLERANCE,
    series_design,
    variant,
)
from xl_conversion.books.statements.step_rows import (
    exact_words,
    label_of,
    rounding_formula,
    symbol_of,
    worded,
)
from xl_conversion.books.streaming import Plan, make_plan
from xl_conversion.books.streaming.values import Formula, Plain, Row, Styled, Value
from xl_conversion.books.widths import lines
from xl_conversion.books.wording import LONGEST_DECIMAL, ROUNDED
from xl_conversion.core.changes import Change
from xl_conversion.core.events import Issued
from xl_conversion.core.explanations import COMMON
from xl_conversion.core.holders import HolderShares
from xl_conversion.core.rounding import RoundingType, decimals_of, round_whole, shorten, shown
from xl_conversion.core.stated import Item, Written, read_written, separated
from xl_conversion.core.steps import Step
from xl_conversion.core.terms import Rounding, Series, SharesPer
from xl_conversion.core.tie_out import Check, Finding
from xl_conversion.inputs.reading import Case

Tables: TypeAlias = dict[str, list[Row]]

UNSOURCED = "no document named"
CELL_DIGITS = 15
LONGEST_SOURCE, LONGEST_HEADING = 90, 80
_SMALL = 10 / 9
"""More letters go into a column at 9 points."""
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
_VARIANTS: dict[tuple[str, int, bool], str] = {
    (look, decimals, thousands): variant(look, decimals, thousands=thousands)
    for look in LOOKS
    for decimals in range(MOST_PLACES + 1)
    for thousands in (False, True)
}
_PLAIN = {name: _VARIANTS["plain", decimals, thousands] for (_, decimals, thousands), name in _VARIANTS.items()}
_NEAR = Fraction(1, 10**6)
"""A fraction of a share nearer to a tie than this is not told from it by the formula."""
_MAY_BE_NEAR = 10**6
"""With a smaller denominator no fraction is that near to a tie without being one."""


@cache
def series_plan() -> Plan:
    """The plan of the statement, made once."""
    return make_plan(*series_design())


def series_values(case: Case, result: SeriesResult) -> tuple[dict[str, Value], Tables]:
    """The values and the rows of the tables of the statement of one series, for `series_plan().render`."""
    calculation, notice = _calculation(case), notice_of(case, result)
    tables: Tables = {
        "history": _history(case, calculation),
        "steps": calculation.rows,
        "findings": _findings(case.series, result.findings, calculation),
        "holders": _holders(case.series, result.holders),
        "letters": _letters(notice, calculation),
    }
    return _statement(case, result, notice, calculation) | _notice(case, notice, calculation), tables


_Ratio: TypeAlias = tuple[int, int]
"""A figure as two whole numbers, which are faster to compare and to remember than a fraction."""
_Places: TypeAlias = tuple[tuple[_Ratio, str], ...]
"""Figures and the cells that they stand in."""


@dataclass(slots=True)
class _Calculation:
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


def _calculation(case: Case) -> _Calculation:
    series, done = case.series, _Calculation()
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
    done: _Calculation, change: Change, steps: Sequence[Step], given: Mapping[str, _Places]
) -> tuple[dict[str, Step], dict[str, str]]:
    """Adds a row a step. A given figure that stands elsewhere is linked to what `given` has of its symbol."""
    known: dict[str, Step] = {}
    figures: dict[str, str] = {}
    cells: dict[str, str] = {}
    event, width = change.event.event, CALCULATION_WIDTHS[3]
    first: Value = Styled(event, "first")
    event_high = _lines(event, CALCULATION_WIDTHS[0] * _SMALL)
    row = FIRST_STEP + len(done.rows)
    for step in steps:
        symbol, value = step.symbol, step.value
        fixed, figure = _fixed(symbol, step.label, step.unit, step.source), _figure(value)
        number, high = figure.number, max(fixed.high, event_high, figure.high)
        content: Plain | Formula
        text: Value
        if step.formula:
            words, numbers, formula = worded(step, known, figures, cells)
            content, text = Formula(formula, number), f"{words}\n{numbers}"
            look = "result" if fixed.rounded else "plain"
            high = max(high, _lines(words, width) + _lines_of_figures(numbers, width))
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
        style = _style(look, figure, fixed.unit, decimals)
        cells_of_row: tuple[Value, ...] = (
            first,
            fixed.symbol,
            fixed.label,
            text,
            Styled(content, style),
            Styled(number, _PLAIN[style]),
            figure.exact,
            step.unit,
            step.source,
            OK,
        )
        done.rows.append(Row(cells_of_row, _height(high)))
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
    unit: _Unit
    high: int
    """The lines that its words take."""


@lru_cache(maxsize=8192)
def _fixed(symbol: str, label: str, unit: str, source: str) -> _Fixed:
    words, widths = label_of(label), CALCULATION_WIDTHS
    high = max(lines(words, widths[2]), lines(source, widths[8] * _SMALL))
    return _Fixed(symbol_of(symbol), words, symbol.endswith(ROUNDED), _unit(unit), high)


def _history(case: Case, calculation: _Calculation) -> list[Row]:
    rows, widths = [], STATEMENT_WIDTHS
    before, cell = case.series.conversion_price.as_integer_ratio(), f"C{START}"
    rounding, ratio_rounding = case.series.price, case.series.ratio
    for place, change in enumerate(case.changes):
        event, row = change.event, FIRST_EVENT + place
        start, after, unrounded = map(_figure, (change.price_before, change.price, change.unrounded))
        ratio, clause = _figure(calculation.ratio_value[place]), change.clause
        what = f"{event.description}\n{change.reason}" if event.description else change.reason
        high = max(
            _lines(event.event, widths[0]),
            _lines(what, widths[7]),
            _lines(clause, widths[8] * _SMALL),
            _lines(event.source, widths[9] * _SMALL),
        )
        at = calculation.unrounded[place]
        linked = before == change.price_before.as_integer_ratio()
        cells: tuple[Value, ...] = (
            event.event,
            event.date,
            _kind(change),
            Styled(
                Formula(cell, start.number) if linked else start.number, _rounded_style("plain", start, rounding)
            ),
            Styled(
                Formula(f"Calculation!{calculation.price[place]}", after.number),
                _rounded_style("result", after, rounding),
            ),
            Styled(
                Formula(f"Calculation!{at}", unrounded.number) if at else unrounded.number,
                _style("plain", unrounded, _NO_UNIT),
            ),
            Styled(
                Formula(f"Calculation!{calculation.ratio[place]}", ratio.number),
                _rounded_style("plain", ratio, ratio_rounding),
            ),
            what,
            clause,
            event.source or UNSOURCED,
        )
        rows.append(Row(cells, _height(high)))
        before, cell = change.price.as_integer_ratio(), f"E{row}"
    return rows


def _kind(change: Change) -> str:
    """Of an issuance that is none of its own the price may well rise."""
    event = change.event
    if isinstance(event, Issued):
        return "Later closing" if change.replayed or event.closing_of else ISSUANCE
    return KINDS.get(type(event), "Event")


def _findings(series: Series, findings: Sequence[Finding], calculation: _Calculation) -> list[Row]:
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
            _lines(figure, widths[2]),
            _lines(finding.event, widths[1] * _SMALL),
            _lines_of_text(explanation, widths[11]),
            _lines(finding.source, widths[12] * _SMALL),
            _lines_of_figures(finding.stated, widths[3]),
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
                _height(high),
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
    apart = _figure(stated.value - reference.value)
    return (
        Styled(_number(stated.value), _written_style("input", finding, stated)),
        None,
        Styled(_number(reference.value), _written_style("input", finding, reference)),
        other,
        Styled(Formula(f"E{row}-G{row}", apart.number), _style("plain", apart, _MONEY)),
        None,
        Formula(f'IF(E{row}=G{row},"ties","exception")', ties),
    )


def _compared(
    series: Series,
    finding: Finding,
    recomputed: Fraction,
    row: int,
    given: Mapping[tuple[str, Item, str], int],
    calculation: _Calculation,
) -> tuple[Value, ...]:
    """The cells of a stated number, from the number to the result."""
    written = read_written(finding.stated)
    if written is None or finding.difference is None or finding.tolerance is None:
        raise ValueError(f"{finding.stated!r} is not a number as written")
    stated, digits = _stated(finding, written, given)
    as_written = _written_style("plain", finding, written)
    if finding.item in _PRICES:
        unrounded = _VARIANTS["plain", 8, False]
    else:
        whole = recomputed.denominator == 1 or abs(recomputed) >= 10**9
        unrounded = _VARIANTS["plain", 0 if whole else 4, True]
    link = _recomputed(finding, recomputed, given, calculation)
    number = _number(recomputed)
    rounding = rounding_formula(_rounding_type(series, finding), "G", "F", row)
    return (
        stated,
        digits,
        Styled(Formula(link, number) if link else number, unrounded),
        Styled(Formula(rounding, float(finding.at_precision.replace(",", ""))), as_written),
        Styled(Formula(f"E{row}-G{row}", float(finding.difference)), unrounded),
        Styled(
            Formula(f"10^-F{row}/2", float(finding.tolerance)),
            _VARIANTS["plain", min(MOST_PLACES, written.decimals + 1), False],
        ),
        Formula(f'IF(H{row}=E{row},"ties","exception")', finding.result.value),
    )


def _stated(finding: Finding, written: Written, given: Mapping[tuple[str, Item, str], int]) -> tuple[Value, Value]:
    """The stated number and its digits: given, or taken from the rows where they are."""
    number = _number(written.value)
    if finding.check is Check.ROLLED_FORWARD:
        x, a = (given.get((finding.event, item, "")) for item in (Item.X, Item.A))
        if x and a:
            return (
                Styled(Formula(f"E{x}-E{a}", number), _written_style("plain", finding, written)),
                Styled(Formula(f"MAX(F{x},F{a})", written.decimals), _VARIANTS["plain", 0, False]),
            )
    elif finding.check in _OF_OTHER_ROWS:
        row = given.get((finding.event, finding.item, finding.subject))
        if row:
            return (
                Styled(Formula(f"E{row}", number), _written_style("plain", finding, written)),
                Styled(Formula(f"F{row}", written.decimals), _VARIANTS["plain", 0, False]),
            )
    return (
        Styled(number, _written_style("input", finding, written)),
        Styled(written.decimals, _VARIANTS["input", 0, False]),
    )


def _recomputed(
    finding: Finding,
    recomputed: Fraction,
    given: Mapping[tuple[str, Item, str], int],
    calculation: _Calculation,
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


def _holders(series: Series, holders: Sequence[HolderShares]) -> list[Row]:
    rows = []
    per_certificate = series.shares_per is SharesPer.CERTIFICATE
    kind, width = series.share_rounding_type, HOLDERS_WIDTHS[0]
    for row, holder in enumerate(holders, start=FIRST_HOLDER):
        remark: str | None = None
        whole: Value = holder.common
        top, bottom = holder.unrounded.as_integer_ratio()
        if per_certificate:
            remark = "as found: made whole for each certificate"
        elif bottom > _MAY_BE_NEAR and _is_near(holder.unrounded, kind):
            remark = "as found: too near to a tie for a double"
        else:
            whole = Formula(rounding_formula(kind, "D", NO_DIGITS, row), holder.common)
        cells: tuple[Value, ...] = (
            holder.holder,
            _number(holder.preferred),
            _quotient(top, bottom),
            whole,
            _quotient(top - holder.common * bottom, bottom),
            remark,
        )
        rows.append(Row(cells, _height(_lines(holder.holder, width))))
    return rows


def _is_near(shares: Fraction, kind: RoundingType) -> bool:
    """Whether the native formula, which takes the noise of doubles away, could round the other way."""
    at = shares if kind in (RoundingType.FLOOR, RoundingType.CEILING) else shares + Fraction(1, 2)
    return abs(at - round_whole(at, RoundingType.HALF_UP)) < _NEAR


def _total(figures: Sequence[Fraction]) -> _Ratio:
    """The exact sum, in whole numbers: fractions are brought to a common denominator once, not one by one."""
    ratios = [figure.as_integer_ratio() for figure in figures]
    common = lcm(*{bottom for _, bottom in ratios})
    top = sum([top * (common // bottom) for top, bottom in ratios])
    shared = gcd(top, common)
    return top // shared, common // shared


def _statement(case: Case, result: SeriesResult, notice: Notice, calculation: _Calculation) -> dict[str, Value]:
    series, changes = case.series, case.changes
    title = " ".join((f"{series.company}, {series.name}" if series.company else series.name).split())
    price, unrounded, ratio_price = map(_figure, (result.price, result.price_unrounded, result.ratio_price))
    ratio, ratio_unrounded = _figure(result.ratio), _figure(result.ratio_unrounded)
    issue_price, start = _figure(series.original_issue_price), _figure(series.conversion_price)
    if changes:
        at = calculation.price[-1] if notice.change is None else calculation.unrounded[notice.place]
        price_at, unrounded_at = f"Calculation!{calculation.price[-1]}", f"Calculation!{at}" if at else ""
        ratio_price_at = f"Calculation!{calculation.ratio_price[-1]}"
        ratio_at = f"Calculation!{calculation.ratio[-1]}"
        ratio_unrounded_at = f"Calculation!{calculation.ratio_unrounded[-1]}"
        last = f"Statement!E{FIRST_EVENT + len(changes) - 1}"
    else:
        price_at = unrounded_at = ratio_price_at = f"C{START}"
        ratio_unrounded_at = f"C{ISSUE_PRICE}/D{RATIO_PRICE}"
        ratio_at = f"D{RATIO}"
        if series.ratio.decimals is not None:
            ratio_at = rounded(series.ratio.rounding_type, f"D{RATIO}", f"C{RATIO_DIGITS}")
        last = f"Statement!C{START}"
    preferred = _quotient(*_total([holder.preferred for holder in result.holders]))
    top, bottom = _total([holder.unrounded for holder in result.holders])
    common, whole = _quotient(top, bottom), sum([holder.common for holder in result.holders])
    count, exceptions, compared = len(result.holders), result.exceptions, len(result.findings)
    as_of = "" if result.as_of is None else result.as_of.isoformat()
    return {
        "title": title,
        "heading": shorten(title, LONGEST_HEADING),
        "footer": title[:LONGEST_FOOTER],
        "as_of_words": f"As of {as_of}, the last event." if as_of else "No event is recorded.",
        "as_of_footer": f"as of {as_of}" if as_of else "no event recorded",
        "digest": result.digest[:12],
        "source": shorten(series.source, LONGEST_SOURCE) or UNSOURCED,
        "issue_price": Styled(issue_price.number, _style("input", issue_price, _MONEY)),
        "issue_price_exact": issue_price.exact,
        "start": Styled(start.number, _style("input", start, _MONEY)),
        "start_exact": start.exact,
        "price_digits": None if series.price.decimals is None else Styled(series.price.decimals, "input 0"),
        "price_rounding": rounded_as(series.price),
        "ratio_digits": None if series.ratio.decimals is None else Styled(series.ratio.decimals, "input 0"),
        "ratio_rounding": rounded_as(series.ratio),
        "price": Styled(Formula(price_at, price.number), _rounded_style("result", price, series.price)),
        "price_unrounded": Styled(
            Formula(unrounded_at, unrounded.number) if unrounded_at else unrounded.number,
            _style("plain", unrounded, _NO_UNIT),
        ),
        "price_exact": unrounded.exact,
        "ratio_price": Styled(Formula(ratio_price_at, ratio_price.number), _style("plain", ratio_price, _NO_UNIT)),
        "ratio_price_exact": ratio_price.exact,
        "ratio_basis": f"the {series.ratio_basis.value} price, as the charter says",
        "ratio": Styled(Formula(ratio_at, ratio.number), _rounded_style("result", ratio, series.ratio)),
        "ratio_unrounded": Styled(
            Formula(ratio_unrounded_at, ratio_unrounded.number), _style("plain", ratio_unrounded, _NO_UNIT)
        ),
        "ratio_exact": ratio_unrounded.exact,
        "events": len(changes),
        "comparisons": compared,
        "exceptions": exceptions,
        "stated": "each is on Tie-out" if compared else "no figure is stated, so nothing is tied out",
        "holders_text": f"{count} holder{'' if count == 1 else 's'}",
        "whole_shares": _whole_shares(series.shares_per, series.share_rounding_type),
        "preferred": preferred,
        "common": common,
        "whole": whole,
        "fractions": _quotient(top - whole * bottom, bottom),
        "checks_say": "the formulas give the exact figures; this says nothing of the stated figures",
        "master": OK,
        "agree_line": f"Formulas agree: {OK}",
        "tie_line": f"Tie-out: {exceptions} of {compared} do not tie"
        if compared
        else "Tie-out: nothing is stated",
        "ok": OK,
        "none": 0,
        "last_price": Formula(last, price.number),
        "price_value": price.number,
        "unrounded_value": unrounded.number,
        "ratio_value": ratio.number,
        "ratio_unrounded_value": ratio_unrounded.number,
        "ratio_price_value": ratio_price.number,
        "price_value_tolerance": price.number * _TOLERANCE,
        "unrounded_value_tolerance": unrounded.number * _TOLERANCE,
        "ratio_value_tolerance": ratio.number * _TOLERANCE,
        "ratio_unrounded_value_tolerance": ratio_unrounded.number * _TOLERANCE,
        "preferred_tolerance": preferred * _TOLERANCE,
        "common_tolerance": common * _TOLERANCE,
    }


_TOLERANCE = float(TOLERANCE)


@cache
def _whole_shares(shares_per: SharesPer, rounding_type: RoundingType) -> str:
    ways = {
        RoundingType.FLOOR: "down",
        RoundingType.CEILING: "up",
        RoundingType.HALF_EVEN: "to the nearest, a tie to the even number",
        RoundingType.HALF_UP: "to the nearest, a tie up",
    }
    per = "each certificate" if shares_per is SharesPer.CERTIFICATE else "all that a holder has"
    return f"whole shares for {per}, rounded {ways[rounding_type]}"


def _letters(notice: Notice, calculation: _Calculation) -> list[Row]:
    if notice.change is None:
        return []
    begin, end = calculation.spans[notice.place]
    return [_letter(FIRST_STEP + at, calculation.rows[at].values) for at in range(begin, end)]


def _notice(case: Case, notice: Notice, calculation: _Calculation) -> dict[str, Value]:
    series, place = case.series, notice.place
    price, ratio = notice.lines
    happened, follows, ratio_words, whole_words, since = notice.paragraphs
    price_before, ratio_before = f"Statement!C{PRICE}", f"Statement!C{RATIO}"
    if place >= 0:
        price_before = f"Statement!D{FIRST_EVENT + place}"
        start = f"Calculation!{calculation.ratio_price[place - 1]}" if place else f"Statement!C{START}"
        ratio_before = f"Statement!C{ISSUE_PRICE}/{start}"
        if series.ratio.decimals is not None:
            ratio_before = rounded(series.ratio.rounding_type, ratio_before, f"Statement!C{RATIO_DIGITS}")
    figures = map(_figure, (price.before, price.after, ratio.before, ratio.after))
    before, after, other_before, other_after = figures
    return {
        "draft": notice.draft or None,
        "company": notice.company,
        "notice_day": notice.day,
        "addressee": notice.addressee,
        "subject": notice.subject,
        "happened": happened,
        "follows": follows or None,
        "ratio_words": ratio_words,
        "whole_words": whole_words,
        "since": since,
        "line_1": price.label,
        "before_1": Styled(Formula(price_before, before.number), _rounded_style("plain", before, price.rounding)),
        "after_1": Styled(
            Formula(f"Statement!C{PRICE}", after.number), _rounded_style("result", after, price.rounding)
        ),
        "line_2": ratio.label,
        "before_2": Styled(
            Formula(ratio_before, other_before.number), _rounded_style("plain", other_before, ratio.rounding)
        ),
        "after_2": Styled(
            Formula(f"Statement!C{RATIO}", other_after.number),
            _rounded_style("result", other_after, ratio.rounding),
        ),
        "computation": "Nothing was computed" if notice.change is None else "How the price and the ratio follow",
    }


def _letter(row: int, values: Sequence[Any]) -> Row:
    """A row of Calculation in the notice."""
    _, symbol, label, how, value, double = values[:6]
    text = str(how.value) if isinstance(how, Styled) else str(how)
    high = max(_lines(label, NOTICE_WIDTHS[1]), _lines_of_formula(text, NOTICE_WIDTHS[2]))
    style = _PLAIN[value.variant]
    return Row((symbol, label, how, Styled(Formula(f"Calculation!E{row}", double.value), style)), _height(high))


# Figures and their styles.


class _Figure(NamedTuple):
    """What is written of a figure."""

    ratio: _Ratio
    number: float
    """What a cell holds."""
    exact: str
    in_formula: str
    high: int
    """The lines of the exact figure on Calculation."""
    places: tuple[int, int, int]
    """The decimals shown of it as a count, as an amount of money, as anything else."""


def _made(numerator: int, denominator: int) -> _Figure:
    value, ratio, own = Fraction(numerator, denominator), (numerator, denominator), _own_places(denominator)
    text, whole = shown(value), abs(numerator) // denominator
    inside = separated(text)
    exact = exact_words(value) if text.endswith("...") or len(text) > LONGEST_DECIMAL else inside
    # All decimals of a figure, ten where there are more, but no more digits than a cell shows truly.
    digits = len(str(whole)) + (numerator < 0 < whole)
    most = min(MOST_PLACES, max(0, CELL_DIGITS - digits))
    if own == 0:
        places = 0, min(2, most), 0
    else:
        other = MOST_PLACES if own is None else own
        count = 4 if own is None and whole else other
        places = min(count, most), min(max(other, 2), most), min(other, most)
    high = _lines_of_figures(exact, CALCULATION_WIDTHS[6])
    if numerator < 0:
        inside = f"({inside})"
    return _Figure(ratio, _quotient(numerator, denominator), exact, inside, high, places)


@lru_cache(maxsize=4096)
def _own_places(denominator: int) -> int | None:
    """How many decimals a figure with this denominator has; None where they do not end, or for very many."""
    places = decimals_of(denominator) if denominator.bit_length() < 64 else None
    return None if places is None or places >= _MANY_PLACES else places


_remembered = lru_cache(maxsize=1024)(_made)
"""Prices, counts and amounts come again in other steps of a series; few of them in another series."""


def _figure(value: Fraction) -> _Figure:
    numerator, denominator = value.as_integer_ratio()
    if numerator.bit_length() > _LONG or denominator.bit_length() > _LONG:
        return _made(numerator, denominator)  # it would fill the memory
    return _remembered(numerator, denominator)


_LONG = 128
_MANY_PLACES = 20


def _number(value: Fraction) -> float:
    """What a cell holds of a figure."""
    return _quotient(*value.as_integer_ratio())


def _quotient(numerator: int, denominator: int) -> float:
    """The double nearest to it, or the whole number that it is."""
    if denominator == 1 and -(10**15) < numerator < 10**15:
        return numerator
    return numerator / denominator


def _style(look: str, figure: _Figure, unit: _Unit, decimals: int | None = None) -> str:
    """The style with all decimals of a figure, or with those of a rounding where there is one."""
    if decimals is not None and _ends(figure.ratio, decimals):
        return _VARIANTS[look, min(MOST_PLACES, max(0, decimals)), unit.thousands]
    return _VARIANTS[look, figure.places[unit.kind], unit.thousands]


def _rounded_style(look: str, figure: _Figure, rounding: Rounding) -> str:
    """The style with the decimals that a figure is rounded to, or with its own where it has more."""
    places = min(MOST_PLACES, max(0, rounding.decimals or 0))
    if rounding.decimals is None or not _ends(figure.ratio, places):
        return _style(look, figure, _PER_SHARE)
    return _VARIANTS[look, places, False]


def _ends(ratio: _Ratio, decimals: int) -> bool:
    """Whether a figure has no more than so many decimals."""
    return ratio[1] == 1 or 10 ** max(0, decimals) % ratio[1] == 0


class _Unit(NamedTuple):
    """What the unit of a figure says of its style."""

    kind: int
    """Which of its :attr:`_Figure.places` is shown."""
    thousands: bool
    """Whether they are set apart, as of counts and amounts."""


def _unit(unit: str) -> _Unit:
    if unit == COMMON or unit.startswith("shares"):
        return _Unit(0, True)
    return _Unit(1 if unit.startswith("money") else 2, unit == "money")


_MONEY, _PER_SHARE, _NO_UNIT = map(_unit, ("money", "money per share", ""))


def _written_style(look: str, finding: Finding, written: Written) -> str:
    return _VARIANTS[look, min(MOST_PLACES, written.decimals), finding.item not in _PRICES]


@lru_cache(maxsize=4096)
def _item(item: Item) -> str:
    return item.value.replace("_", " ")


# Heights. Wording comes again and again and is measured once; figures are digits, as wide as a column's unit.


def _height(high: int) -> float | None:
    return min(HIGHEST_ROW, 12.75 * high + 2.25) if high > 1 else None


@lru_cache(maxsize=8192)
def _lines(text: str, width: float) -> int:
    return lines(text, width)


def _lines_of_figures(text: str, width: float) -> int:
    return 1 if len(text) + 3 <= width else lines(text, width)


def _lines_of_text(text: str, width: float) -> int:
    """Of a sentence that comes once: letters are narrower than digits, and words that go to the next line leave
    about as much free."""
    return -(-len(text) // int(width - 3)) if text.isascii() else lines(text, width)


def _lines_of_formula(text: str, width: float) -> int:
    words, _, numbers = text.partition("\n")
    return _lines(words, width) + (_lines_of_figures(numbers, width) if numbers else 0)
