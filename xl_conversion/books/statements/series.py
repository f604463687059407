"""What goes into the statement of one series: each figure with its formula, its value and its style."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import gcd, lcm
from typing import Any, TypeAlias

from xl_conversion.books.native import rounded
from xl_conversion.books.page import LONGEST_FOOTER
from xl_conversion.books.statements.calculation import Calculation, calculated
from xl_conversion.books.statements.figures import (
    MONEY,
    NO_UNIT,
    PLAIN,
    Ratio,
    as_figure,
    number_of,
    quotient,
    rounded_style,
    style_of,
)
from xl_conversion.books.statements.heights import SMALL, height_of, lines_of, lines_of_formula
from xl_conversion.books.statements.notice import KINDS, Notice, notice_of, rounded_as
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.series_design import (
    FIRST_EVENT,
    FIRST_HOLDER,
    FIRST_STEP,
    HOLDERS_WIDTHS,
    ISSUANCE,
    ISSUE_PRICE,
    NO_DIGITS,
    NOTICE_WIDTHS,
    OK,
    PRICE,
    RATIO,
    RATIO_DIGITS,
    RATIO_PRICE,
    START,
    STATEMENT_WIDTHS,
    TOLERANCE,
    series_design,
)
from xl_conversion.books.statements.step_rows import TOO_NEAR, is_too_near, rounding_formula
from xl_conversion.books.statements.tie_out_rows import finding_rows
from xl_conversion.books.streaming import Plan, make_plan
from xl_conversion.books.streaming.values import Formula, Row, Styled, Value
from xl_conversion.core.changes import Change
from xl_conversion.core.events import Issued
from xl_conversion.core.holders import HolderShares
from xl_conversion.core.rounding import RoundingType, shorten
from xl_conversion.core.terms import Rounding, Series, SharesPer
from xl_conversion.inputs.reading import Case

Tables: TypeAlias = dict[str, list[Row]]

UNSOURCED = "no document named"
LONGEST_SOURCE, LONGEST_HEADING = 90, 80


@cache
def series_plan() -> Plan:
    """The plan of the statement, made once."""
    return make_plan(*series_design())


def series_values(case: Case, result: SeriesResult) -> tuple[dict[str, Value], Tables]:
    """The values and the rows of the tables of the statement of one series, for `series_plan().render`."""
    calculation, notice = calculated(case), notice_of(case, result)
    tables: Tables = {
        "history": _history(case, calculation),
        "steps": calculation.rows,
        "findings": finding_rows(case.series, result.findings, calculation),
        "holders": _holders(case.series, result.holders),
        "letters": _letters(notice, calculation),
    }
    return _statement(case, result, notice, calculation) | _notice(case, notice, calculation), tables


def _history(case: Case, calculation: Calculation) -> list[Row]:
    rows, widths = [], STATEMENT_WIDTHS
    before, cell = case.series.conversion_price.as_integer_ratio(), f"C{START}"
    rounding, ratio_rounding = case.series.price, case.series.ratio
    for place, change in enumerate(case.changes):
        event, row = change.event, FIRST_EVENT + place
        start, after, unrounded = map(as_figure, (change.price_before, change.price, change.unrounded))
        ratio, clause = as_figure(calculation.ratio_value[place]), change.clause
        what = f"{event.description}\n{change.reason}" if event.description else change.reason
        high = max(
            lines_of(event.event, widths[0]),
            lines_of(what, widths[7]),
            lines_of(clause, widths[8] * SMALL),
            lines_of(event.source, widths[9] * SMALL),
        )
        at = calculation.unrounded[place]
        linked = before == change.price_before.as_integer_ratio()
        cells: tuple[Value, ...] = (
            event.event,
            event.date,
            _kind(change),
            Styled(
                Formula(cell, start.number) if linked else start.number, rounded_style("plain", start, rounding)
            ),
            Styled(
                Formula(f"Calculation!{calculation.price[place]}", after.number),
                rounded_style("result", after, rounding),
            ),
            Styled(
                Formula(f"Calculation!{at}", unrounded.number) if at else unrounded.number,
                style_of("plain", unrounded, NO_UNIT),
            ),
            Styled(
                Formula(f"Calculation!{calculation.ratio[place]}", ratio.number),
                rounded_style("plain", ratio, ratio_rounding),
            ),
            what,
            clause,
            event.source or UNSOURCED,
        )
        rows.append(Row(cells, height_of(high)))
        before, cell = change.price.as_integer_ratio(), f"E{row}"
    return rows


def _kind(change: Change) -> str:
    """Of an issuance that is none of its own the price may well rise."""
    event = change.event
    if isinstance(event, Issued):
        return "Later closing" if change.replayed or event.closing_of else ISSUANCE
    return KINDS.get(type(event), "Event")


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
        elif is_too_near(holder.unrounded, kind, 0):
            remark = TOO_NEAR
        else:
            whole = Formula(rounding_formula(kind, "D", NO_DIGITS, row), holder.common)
        cells: tuple[Value, ...] = (
            holder.holder,
            number_of(holder.preferred),
            quotient(top, bottom),
            whole,
            quotient(top - holder.common * bottom, bottom),
            remark,
        )
        rows.append(Row(cells, height_of(lines_of(holder.holder, width))))
    return rows


def _total(figures: Sequence[Fraction]) -> Ratio:
    """The exact sum, in whole numbers: fractions are brought to a common denominator once, not one by one."""
    ratios = [figure.as_integer_ratio() for figure in figures]
    common = lcm(*{bottom for _, bottom in ratios})
    top = sum([top * (common // bottom) for top, bottom in ratios])
    shared = gcd(top, common)
    return top // shared, common // shared


def _statement(case: Case, result: SeriesResult, notice: Notice, calculation: Calculation) -> dict[str, Value]:
    series, changes = case.series, case.changes
    title = " ".join((f"{series.company}, {series.name}" if series.company else series.name).split())
    price, unrounded, ratio_price = map(as_figure, (result.price, result.price_unrounded, result.ratio_price))
    ratio, ratio_unrounded = as_figure(result.ratio), as_figure(result.ratio_unrounded)
    issue_price, start = as_figure(series.original_issue_price), as_figure(series.conversion_price)
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
            ratio_at = _ratio_formula(series.ratio, result.ratio_unrounded, f"D{RATIO}", f"C{RATIO_DIGITS}")
        last = f"Statement!C{START}"
    preferred = quotient(*_total([holder.preferred for holder in result.holders]))
    top, bottom = _total([holder.unrounded for holder in result.holders])
    common, whole = quotient(top, bottom), sum([holder.common for holder in result.holders])
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
        "issue_price": Styled(issue_price.number, style_of("input", issue_price, MONEY)),
        "issue_price_exact": issue_price.exact,
        "start": Styled(start.number, style_of("input", start, MONEY)),
        "start_exact": start.exact,
        "price_digits": None if series.price.decimals is None else Styled(series.price.decimals, "input 0"),
        "price_rounding": rounded_as(series.price),
        "ratio_digits": None if series.ratio.decimals is None else Styled(series.ratio.decimals, "input 0"),
        "ratio_rounding": rounded_as(series.ratio),
        "price": Styled(Formula(price_at, price.number), rounded_style("result", price, series.price)),
        "price_unrounded": Styled(
            Formula(unrounded_at, unrounded.number) if unrounded_at else unrounded.number,
            style_of("plain", unrounded, NO_UNIT),
        ),
        "price_exact": unrounded.exact,
        "ratio_price": Styled(
            Formula(ratio_price_at, ratio_price.number), style_of("plain", ratio_price, NO_UNIT)
        ),
        "ratio_price_exact": ratio_price.exact,
        "ratio_basis": f"the {series.ratio_basis.value} price, as the charter says",
        "ratio": Styled(
            Formula(ratio_at, ratio.number) if ratio_at else ratio.number,
            rounded_style("result", ratio, series.ratio),
        ),
        "ratio_unrounded": Styled(
            Formula(ratio_unrounded_at, ratio_unrounded.number), style_of("plain", ratio_unrounded, NO_UNIT)
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
        "fractions": quotient(top - whole * bottom, bottom),
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


def _letters(notice: Notice, calculation: Calculation) -> list[Row]:
    if notice.change is None:
        return []
    begin, end = calculation.spans[notice.place]
    return [_letter(FIRST_STEP + at, calculation.rows[at].values) for at in range(begin, end)]


def _notice(case: Case, notice: Notice, calculation: Calculation) -> dict[str, Value]:
    series, place = case.series, notice.place
    price, ratio = notice.lines
    price_before, ratio_before = f"Statement!C{PRICE}", f"Statement!C{RATIO}"
    if place >= 0:
        price_before = f"Statement!D{FIRST_EVENT + place}"
        start = f"Calculation!{calculation.ratio_price[place - 1]}" if place else f"Statement!C{START}"
        ratio_before = f"Statement!C{ISSUE_PRICE}/{start}"
        if series.ratio.decimals is not None:
            ratio_price = case.changes[place - 1].ratio_price if place else series.conversion_price
            unrounded = series.original_issue_price / ratio_price
            ratio_before = _ratio_formula(series.ratio, unrounded, ratio_before, f"Statement!C{RATIO_DIGITS}")
    figures = map(as_figure, (price.before, price.after, ratio.before, ratio.after))
    before, after, other_before, other_after = figures
    return {
        "draft": notice.draft or None,
        "company": notice.company,
        "notice_day": notice.day,
        "addressee": notice.addressee,
        "subject": notice.subject,
        "notice_text": notice.text,
        "line_1": price.label,
        "before_1": Styled(Formula(price_before, before.number), rounded_style("plain", before, price.rounding)),
        "after_1": Styled(
            Formula(f"Statement!C{PRICE}", after.number), rounded_style("result", after, price.rounding)
        ),
        "line_2": ratio.label,
        "before_2": Styled(
            Formula(ratio_before, other_before.number) if ratio_before else other_before.number,
            rounded_style("plain", other_before, ratio.rounding),
        ),
        "after_2": Styled(
            Formula(f"Statement!C{RATIO}", other_after.number),
            rounded_style("result", other_after, ratio.rounding),
        ),
        "computation": "Nothing was computed" if notice.change is None else "How the price and the ratio follow",
    }


def _ratio_formula(rounding: Rounding, unrounded: Fraction, value: str, digits: str) -> str:
    """The native rounding of a ratio, or nothing where it could go the other way."""
    if is_too_near(unrounded, rounding.rounding_type, rounding.decimals or 0):
        return ""
    return rounded(rounding.rounding_type, value, digits)


def _letter(row: int, values: Sequence[Any]) -> Row:
    """A row of Calculation in the notice."""
    _, symbol, label, how, value, double = values[:6]
    high = lines_of(label, NOTICE_WIDTHS[1])
    if isinstance(how, str):  # computed; what is said of a given figure is short
        how = how.removesuffix(f"\n{TOO_NEAR}")
        high = max(high, lines_of_formula(how, NOTICE_WIDTHS[2]))
    style = PLAIN[value.variant]
    return Row((symbol, label, how, Styled(Formula(f"Calculation!E{row}", double.value), style)), height_of(high))
