"""What goes into the statement of one series: each figure with its formula, its value and its style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, TypeAlias

from xl_conversion.books.native import rounded
from xl_conversion.books.page import HIGHEST_ROW, LONGEST_FOOTER
from xl_conversion.books.statements.notice import KINDS, notice_of, rounded_as
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.statements.series_design import (
    CALCULATION_WIDTHS,
    FIRST_EVENT,
    FIRST_FINDING,
    FIRST_HOLDER,
    FIRST_STEP,
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
    figure_of,
    label_of,
    rounding_formula,
    symbol_of,
    words_and_formula,
)
from xl_conversion.books.streaming import Plan, make_plan
from xl_conversion.books.streaming.values import Formula, Plain, Row, Styled, Value
from xl_conversion.books.widths import lines
from xl_conversion.books.wording import ROUNDED
from xl_conversion.core.changes import Change
from xl_conversion.core.events import Issued
from xl_conversion.core.explanations import COMMON
from xl_conversion.core.holders import HolderShares
from xl_conversion.core.rounding import RoundingType, round_whole, shorten
from xl_conversion.core.stated import Item, Written, read_written
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
_VARIANTS = {
    (look, decimals, thousands): variant(look, decimals, thousands=thousands)
    for look in LOOKS
    for decimals in range(MOST_PLACES + 1)
    for thousands in (False, True)
}
_PLAIN = {name: _VARIANTS["plain", decimals, thousands] for (_, decimals, thousands), name in _VARIANTS.items()}
_NEAR = Fraction(1, 10**6)
"""A fraction of a share nearer to a tie than this is not told from it by the formula."""


@cache
def series_plan() -> Plan:
    """The plan of the statement, made once."""
    return make_plan(*series_design())


def series_values(case: Case, result: SeriesResult) -> tuple[dict[str, Value], Tables]:
    """The values and the rows of the tables of the statement of one series, for `series_plan().render`."""
    calculation = _calculation(case)
    tables: Tables = {
        "history": _history(case, calculation),
        "steps": calculation.rows,
        "findings": _findings(case.series, result.findings, calculation),
        "holders": _holders(case.series, result.holders),
    }
    values = _statement(case, result, calculation)
    values |= _notice(case, result, calculation, tables)
    return values, tables


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
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Of each change: the places of its rows."""
    places: dict[str, int] = field(default_factory=dict)
    """Of each event: the place of its change."""


def _calculation(case: Case) -> _Calculation:
    series, done = case.series, _Calculation()
    known = [(series.conversion_price, f"Statement!$C${START}")]
    terms = {"OIP": (series.original_issue_price, f"Statement!$C${ISSUE_PRICE}")}
    for change in case.changes:
        begin = len(done.rows)
        digits = [(Fraction(series.price.decimals or 0), f"Statement!$C${PRICE_DIGITS}")]
        steps, cells = _steps(done, change, change.steps(), {"decimals": digits}, known)
        last = next(reversed(cells))
        price = cells[last]
        unrounded = next((cells[s] for s in reversed(steps) if steps[s].value == change.unrounded), "")
        own = [(change.price, price), (change.unrounded, unrounded), *known]
        digits = [(Fraction(series.ratio.decimals or 0), f"Statement!$C${RATIO_DIGITS}")]
        given = {"decimals": digits, "OIP": [terms["OIP"]], "CP": own}
        ratio_steps, ratio_cells = _steps(done, change, change.ratio_steps(), given, ())
        done.steps.append(({**ratio_steps, **steps}, {**ratio_cells, **cells}))
        done.price.append(price)
        done.unrounded.append(unrounded)
        done.ratio_price.append(ratio_cells["CP"])
        done.ratio_unrounded.append(ratio_cells["CR"])
        done.ratio.append(ratio_cells[next(reversed(ratio_cells))])
        done.places[change.event.event] = len(done.spans)
        done.spans.append((begin, len(done.rows)))
        known = [(change.price, price), (change.unrounded, unrounded), (change.ratio_price, ratio_cells["CP"])]
    return done


def _steps(
    done: _Calculation,
    change: Change,
    steps: Sequence[Step],
    given: Mapping[str, Sequence[tuple[Fraction, str]]],
    others: Sequence[tuple[Fraction, str]],
) -> tuple[dict[str, Step], dict[str, str]]:
    """Adds a row a step. A given figure that stands elsewhere is linked: to what `given` has of its symbol, or, of
    a price before, to the `others`."""
    known: dict[str, Step] = {}
    figures: dict[str, str] = {}
    cells: dict[str, str] = {}
    widths, event = CALCULATION_WIDTHS, change.event.event
    row = FIRST_STEP + len(done.rows)
    for step in steps:
        symbol, value = step.symbol, step.value
        number, look = _number(value), "plain"
        shown: Plain | Formula
        if step.formula:
            words, formula = words_and_formula(step, known, figures, cells)
            look = "result" if symbol.endswith(ROUNDED) else "plain"
            shown = Formula(formula, number)
            text: Value = words
            high = _lines_of_formula(words, widths[3])
        else:
            candidates = given.get(symbol, others if symbol in ("CP1", "R0", "in_force") else ())
            link = next((cell for other, cell in candidates if cell and other == value), "")
            shown = Formula(link, number) if link else number
            look = "plain" if link else "input"
            elsewhere = "as on Statement" if link.startswith("Statement") else "as computed above"
            text, high = Styled(elsewhere if link else "given", "given"), 1
        exact = exact_words(value)
        first = not known
        label = label_of(step.label)
        high = max(
            high,
            _lines(label, widths[2]),
            _lines(event, widths[0] * _SMALL),
            _lines(step.source, widths[8] * _SMALL),
            _lines_of_figures(exact, widths[6]),
        )
        decimals = known.get("decimals")
        style = _style(look, value, step.unit, decimals if symbol.endswith(ROUNDED) else None)
        done.rows.append(
            Row(
                (
                    Styled(event, "first") if first else event,
                    symbol_of(symbol),
                    label,
                    text,
                    Styled(shown, style),
                    Styled(number, _PLAIN[style]),
                    exact,
                    step.unit,
                    step.source,
                    OK,
                ),
                _height(high),
            )
        )
        known[symbol], cells[symbol], figures[symbol] = step, f"E{row}", figure_of(step)
        row += 1
    return known, cells


def _history(case: Case, calculation: _Calculation) -> list[Row]:
    rows, widths = [], STATEMENT_WIDTHS
    before, cell = case.series.conversion_price, f"C{START}"
    rounding, ratio_rounding = case.series.price, case.series.ratio
    for place, change in enumerate(case.changes):
        event, row = change.event, FIRST_EVENT + place
        start, after = _number(change.price_before), _number(change.price)
        what = f"{event.description}\n{change.reason}" if event.description else change.reason
        high = max(
            _lines(event.event, widths[0]),
            _lines(what, widths[7]),
            _lines(change.clause, widths[8] * _SMALL),
            _lines(event.source, widths[9] * _SMALL),
        )
        unrounded, at = _number(change.unrounded), calculation.unrounded[place]
        linked = before == change.price_before
        rows.append(
            Row(
                (
                    event.event,
                    event.date,
                    _kind(change),
                    Styled(
                        Formula(cell, start) if linked else start,
                        _rounded_style("plain", change.price_before, rounding),
                    ),
                    Styled(
                        Formula(f"Calculation!{calculation.price[place]}", after),
                        _rounded_style("result", change.price, rounding),
                    ),
                    Styled(
                        Formula(f"Calculation!{at}", unrounded) if at else unrounded,
                        _style("plain", change.unrounded, ""),
                    ),
                    Styled(
                        Formula(f"Calculation!{calculation.ratio[place]}", _number(change.ratio)),
                        _rounded_style("plain", change.ratio, ratio_rounding),
                    ),
                    what,
                    change.clause,
                    event.source or UNSOURCED,
                ),
                _height(high),
            )
        )
        before, cell = change.price, f"E{row}"
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
    unrounded = _style("plain", stated.value - reference.value, "money")
    return (
        Styled(_number(stated.value), _written_style("input", finding, stated)),
        None,
        Styled(_number(reference.value), _written_style("input", finding, reference)),
        other,
        Styled(Formula(f"E{row}-G{row}", _number(stated.value - reference.value)), unrounded),
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
    kind, width = series.share_rounding_type, 44
    for row, holder in enumerate(holders, start=FIRST_HOLDER):
        remark: str | None = None
        whole: Value = holder.common
        if per_certificate:
            remark = "as found: made whole for each certificate"
        elif _is_near(holder.unrounded, kind):
            remark = "as found: too near to a tie for a double"
        else:
            whole = Formula(rounding_formula(kind, "D", NO_DIGITS, row), holder.common)
        rows.append(
            Row(
                (
                    holder.holder,
                    _number(holder.preferred),
                    _number(holder.unrounded),
                    whole,
                    _number(holder.fraction),
                    remark,
                ),
                _height(_lines(holder.holder, width)),
            )
        )
    return rows


def _is_near(shares: Fraction, kind: RoundingType) -> bool:
    """Whether the native formula, which takes the noise of doubles away, could round the other way."""
    if shares.denominator <= 10**6:
        return False
    at = shares if kind in (RoundingType.FLOOR, RoundingType.CEILING) else shares + Fraction(1, 2)
    return abs(at - round_whole(at, RoundingType.HALF_UP)) < _NEAR


def _statement(case: Case, result: SeriesResult, calculation: _Calculation) -> dict[str, Value]:
    series, changes = case.series, case.changes
    title = " ".join((f"{series.company}, {series.name}" if series.company else series.name).split())
    price, unrounded = _number(result.price), _number(result.price_unrounded)
    ratio_price, ratio, ratio_unrounded = map(_number, (result.ratio_price, result.ratio, result.ratio_unrounded))
    if changes:
        moved = _last_moved(changes)
        at = calculation.unrounded[moved] if moved >= 0 else calculation.price[-1]
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
    preferred = sum((h.preferred for h in result.holders), Fraction(0))
    common = sum((h.unrounded for h in result.holders), Fraction(0))
    whole = sum(h.common for h in result.holders)
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
        "issue_price": Styled(
            _number(series.original_issue_price), _style("input", series.original_issue_price, "money")
        ),
        "issue_price_exact": exact_words(series.original_issue_price),
        "start": Styled(_number(series.conversion_price), _style("input", series.conversion_price, "money")),
        "start_exact": exact_words(series.conversion_price),
        "price_digits": None if series.price.decimals is None else Styled(series.price.decimals, "input 0"),
        "price_rounding": rounded_as(series.price),
        "ratio_digits": None if series.ratio.decimals is None else Styled(series.ratio.decimals, "input 0"),
        "ratio_rounding": rounded_as(series.ratio),
        "price": Styled(Formula(price_at, price), _rounded_style("result", result.price, series.price)),
        "price_unrounded": Styled(
            Formula(unrounded_at, unrounded) if unrounded_at else unrounded,
            _style("plain", result.price_unrounded, ""),
        ),
        "price_exact": exact_words(result.price_unrounded),
        "ratio_price": Styled(Formula(ratio_price_at, ratio_price), _style("plain", result.ratio_price, "")),
        "ratio_price_exact": exact_words(result.ratio_price),
        "ratio_basis": f"the {series.ratio_basis.value} price, as the charter says",
        "ratio": Styled(Formula(ratio_at, ratio), _rounded_style("result", result.ratio, series.ratio)),
        "ratio_unrounded": Styled(
            Formula(ratio_unrounded_at, ratio_unrounded), _style("plain", result.ratio_unrounded, "")
        ),
        "ratio_exact": exact_words(result.ratio_unrounded),
        "events": len(changes),
        "comparisons": compared,
        "exceptions": exceptions,
        "stated": "each is on Tie-out" if compared else "no figure is stated, so nothing is tied out",
        "holders_text": f"{count} holder{'' if count == 1 else 's'}",
        "whole_shares": _whole_shares(series),
        "preferred": _number(preferred),
        "common": _number(common),
        "whole": whole,
        "fractions": _number(common - whole),
        "checks_say": "the formulas give the exact figures; this says nothing of the stated figures",
        "master": OK,
        "agree_line": f"Formulas agree: {OK}",
        "tie_line": f"Tie-out: {exceptions} of {compared} do not tie"
        if compared
        else "Tie-out: nothing is stated",
        "ok": OK,
        "none": 0,
        "last_price": Formula(last, price),
        "price_value": price,
        "unrounded_value": unrounded,
        "ratio_value": ratio,
        "ratio_unrounded_value": ratio_unrounded,
        "ratio_price_value": ratio_price,
        "price_value_tolerance": price * _TOLERANCE,
        "unrounded_value_tolerance": unrounded * _TOLERANCE,
        "ratio_value_tolerance": ratio * _TOLERANCE,
        "ratio_unrounded_value_tolerance": ratio_unrounded * _TOLERANCE,
        "preferred_tolerance": _number(preferred) * _TOLERANCE,
        "common_tolerance": _number(common) * _TOLERANCE,
    }


_TOLERANCE = float(TOLERANCE)


def _last_moved(changes: Sequence[Change]) -> int:
    return next(
        (at for at in range(len(changes) - 1, -1, -1) if changes[at].price != changes[at].price_before), -1
    )


@lru_cache(maxsize=1024)
def _whole_shares(series: Series) -> str:
    ways = {
        RoundingType.FLOOR: "down",
        RoundingType.CEILING: "up",
        RoundingType.HALF_EVEN: "to the nearest, a tie to the even number",
        RoundingType.HALF_UP: "to the nearest, a tie up",
    }
    per = "each certificate" if series.shares_per is SharesPer.CERTIFICATE else "all that a holder has"
    return f"whole shares for {per}, rounded {ways[series.share_rounding_type]}"


def _notice(case: Case, result: SeriesResult, calculation: _Calculation, tables: Tables) -> dict[str, Value]:
    notice = notice_of(case, result)
    series, place = case.series, notice.place
    price, ratio = notice.lines
    happened, follows, ratio_words, whole_words, since = notice.paragraphs
    letters: list[Row] = []
    price_before, ratio_before = f"Statement!C{PRICE}", f"Statement!C{RATIO}"
    if place >= 0:
        price_before = f"Statement!D{FIRST_EVENT + place}"
        start = f"Calculation!{calculation.ratio_price[place - 1]}" if place else f"Statement!C{START}"
        ratio_before = f"Statement!C{ISSUE_PRICE}/{start}"
        if series.ratio.decimals is not None:
            ratio_before = rounded(series.ratio.rounding_type, ratio_before, f"Statement!C{RATIO_DIGITS}")
        begin, end = calculation.spans[place]
        letters = [_letter(FIRST_STEP + at, calculation.rows[at].values) for at in range(begin, end)]
    tables["letters"] = letters
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
        "before_1": Styled(
            Formula(price_before, _number(price.before)), _rounded_style("plain", price.before, price.rounding)
        ),
        "after_1": Styled(
            Formula(f"Statement!C{PRICE}", _number(price.after)),
            _rounded_style("result", price.after, price.rounding),
        ),
        "line_2": ratio.label,
        "before_2": Styled(
            Formula(ratio_before, _number(ratio.before)), _rounded_style("plain", ratio.before, ratio.rounding)
        ),
        "after_2": Styled(
            Formula(f"Statement!C{RATIO}", _number(ratio.after)),
            _rounded_style("result", ratio.after, ratio.rounding),
        ),
        "computation": "How the price and the ratio follow" if letters else "Nothing was computed",
    }


def _letter(row: int, values: Sequence[Any]) -> Row:
    """A row of Calculation in the notice."""
    _, symbol, label, how, value, double, *_ = values
    text = str(how.value) if isinstance(how, Styled) else str(how)
    high = max(_lines(label, NOTICE_WIDTHS[1]), _lines_of_formula(text, NOTICE_WIDTHS[2]))
    style = _PLAIN[value.variant]
    return Row((symbol, label, how, Styled(Formula(f"Calculation!E{row}", double.value), style)), _height(high))


# Figures and their styles.


def _number(value: Fraction) -> float:
    """What a cell holds of a figure."""
    if value.denominator == 1 and -(10**15) < value.numerator < 10**15:
        return value.numerator
    return value.numerator / value.denominator


def _style(look: str, value: Fraction, unit: str, decimals: Step | None = None) -> str:
    """The style with all decimals of a figure, ten where there are more, but no more digits than a cell shows
    truly; with those of a rounding where there is one. Thousands of counts and amounts."""
    counts = unit == COMMON or unit.startswith("shares")
    thousands = counts or unit == "money"
    if decimals is not None and (value * 10 ** max(0, int(decimals.value))).denominator == 1:
        return _VARIANTS[look, min(MOST_PLACES, max(0, int(decimals.value))), thousands]  # type: ignore[index]
    own = _places(value.denominator)
    if own is None:
        own = 4 if counts and abs(value.numerator) >= value.denominator else MOST_PLACES
    if unit.startswith("money"):
        own = max(own, 2)
    if own:
        own = min(own, MOST_PLACES, max(0, CELL_DIGITS - len(str(int(value)))))
    return _VARIANTS[look, own, thousands]  # type: ignore[index]


def _rounded_style(look: str, value: Fraction, rounding: Rounding) -> str:
    """The style with the decimals that a figure is rounded to, or with its own where it has more."""
    places = min(MOST_PLACES, max(0, rounding.decimals or 0))
    if rounding.decimals is None or (value * 10**places).denominator != 1:
        return _style(look, value, "money per share")
    return _VARIANTS[look, places, False]  # type: ignore[index]


def _written_style(look: str, finding: Finding, written: Written) -> str:
    return _VARIANTS[look, min(MOST_PLACES, written.decimals), finding.item not in _PRICES]  # type: ignore[index]


@lru_cache(maxsize=4096)
def _item(item: Item) -> str:
    return item.value.replace("_", " ")


def _places(denominator: int) -> int | None:
    """How many decimals a figure with this denominator has; None where they do not end, or for very many."""
    return _few_places(denominator) if denominator.bit_length() < 64 else None


@lru_cache(maxsize=4096)
def _few_places(denominator: int) -> int | None:
    return next((places for places in range(20) if 10**places % denominator == 0), None)


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
