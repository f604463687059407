"""The commands on the life of a series: history, explain, compare and solve-round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xl_conversion.cli_output import echo_json, print_table

if TYPE_CHECKING:
    from xl_conversion.core.capitalization import Position
    from xl_conversion.core.changes import Change
    from xl_conversion.core.compare import Outcome
    from xl_conversion.core.history import History
    from xl_conversion.core.solver import Round
    from xl_conversion.core.steps import Step
    from xl_conversion.core.terms import Rounding
    from xl_conversion.core.tie_out import Finding
    from xl_conversion.inputs.reading import CompanyInput

INPUT = click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="For programs: exact figures as fractions.")
AS_OF = click.option(
    "--as-of",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, value: value.date() if isinstance(value, datetime) else None,
    help="Only what had happened, and was known, at the end of that day.",
)
SERIES = click.option("--series", metavar="NAME", help="Only that series.")
BAR = 12


class Number(click.ParamType[Fraction]):
    """A number, exact; `least` must be below it unless it may be 0."""

    name = "number"

    def __init__(self, *, zero: bool = False, example: str = "2500000 or 0.10") -> None:
        self.zero, self.example = zero, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """The number that a text gives."""
        from xl_conversion.core.rounding import exact

        if isinstance(value, Fraction):
            return value
        try:
            number = exact(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a plain number, such as {self.example}", param, ctx)
        if number < 0 or (number == 0 and not self.zero):
            self.fail(f"{value} must be {'0 or above' if self.zero else 'above 0'}", param, ctx)
        return number


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion history notice
      xl-conversion history notice --as-of 2002-02-05 --json
    """
)
@INPUT
@AS_OF
@SERIES
@JSON
def history(source: Path, as_of: date | None, series: str | None, *, as_json: bool) -> None:
    """Replay the events of each series, with reasons.

    INPUT is a folder of CSV files, a .json or an .xlsx file. Notices that have been given (the prices and ratios
    in its table stated) are compared with the history and never changed.
    """
    from xl_conversion.core.holders import convert

    rows: list[dict[str, Any]] = []
    notices: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    for one, found in _histories(source, as_of):
        for name in _chosen(one, series):
            changes = found.of(name)
            position = found.state.positions[name]
            findings = _notices(one, name, changes)
            holdings = one.holdings.get(name, ())
            holders = convert(position.series, position.ratio_price, holdings)
            rows += [_change_row(change) for change in changes]
            notices += [{"series": name, **finding.as_dict()} for finding in findings]
            held += [
                {
                    "series": name,
                    "holder": h.holder,
                    "preferred": h.preferred,
                    "common": h.common,
                    "fraction": h.fraction,
                }
                for h in holders
            ]
            if as_json:
                continue
            _print_history(f"{one.name} {name}".strip(), changes)
            for finding in findings:
                if finding.is_exception:
                    click.secho(
                        f"notice of {finding.event}: {finding.item.value} stated {finding.stated}, "
                        f"the history gives {finding.at_precision}",
                        fg="red",
                    )
            if holders:
                _print_holders(held[-len(holders) :], position)
    if as_json:
        echo_json({"changes": rows, "notices": notices, "holders": held})


@click.command(epilog="Example: xl-conversion explain notice --event 2002-02-05")
@INPUT
@AS_OF
@SERIES
@click.option("--event", metavar="NAME", help="Only that event.")
@JSON
def explain(source: Path, as_of: date | None, series: str | None, event: str | None, *, as_json: bool) -> None:
    """Show the steps of each price and ratio.

    INPUT is a folder of CSV files, a .json or an .xlsx file.
    """
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for one, found in _histories(source, as_of):
        for name in _chosen(one, series):
            for change in found.of(name):
                seen.add(change.event.event)
                if event not in (None, change.event.event):
                    continue
                for figure, steps in (("price", change.steps()), ("ratio", change.ratio_steps())):
                    rows += [
                        {"series": name, "event": change.event.event, "figure": figure, **step._asdict()}
                        for step in steps
                    ]
                    if not as_json:
                        heading = f"{name}, {change.event.event}: {figure} ({change.reason}; {change.clause})"
                        click.secho(heading, bold=True)
                        _print_steps(steps)
    if event is not None and event not in seen:
        raise click.BadParameter(
            f"{event!r} is no event; there are {', '.join(sorted(seen)) or 'none'}", param_hint="--event"
        )
    if as_json:
        echo_json(rows)


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion example company --of company
      xl-conversion compare company --method broad --method narrow --method full_ratchet
      xl-conversion compare company --price 0.20 --price 0.40 --size 5000000
    """
)
@INPUT
@click.option("--method", "methods", metavar="METHOD", multiple=True, help="A charter's method; give several.")
@click.option(
    "--price", "prices", metavar="PRICE", multiple=True, type=Number(), help="Of a next round of common."
)
@click.option(
    "--size", "sizes", metavar="SHARES", multiple=True, type=Number(), help="Of a next round, in shares."
)
@AS_OF
@JSON
def compare(
    source: Path,
    methods: tuple[str, ...],
    prices: tuple[Fraction, ...],
    sizes: tuple[Fraction, ...],
    as_of: date | None,
    *,
    as_json: bool,
) -> None:
    """Compare charters or next rounds.

    The question is who ends up with what, from the same events. With --price and --size every combination is
    tried, else the methods (all of them unless some are named).
    """
    from xl_conversion.core.compare import compare_methods, compare_rounds, outcomes
    from xl_conversion.core.history import history as history_of
    from xl_conversion.core.terms import Method
    from xl_conversion.inputs.reading import read_companies

    if bool(prices) != bool(sizes):
        raise click.UsageError("--price and --size go together")
    if methods and prices:
        raise click.UsageError("--method compares charters, --price and --size rounds: use one of them")
    unknown = [name for name in methods if name not in list(Method)]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(Method)}", param_hint="--method")
    rows: list[dict[str, Any]] = []
    for one in read_companies(source):
        if prices:
            found = compare_rounds(one.company, prices, sizes, as_of)
        else:
            # A listed base is the charter's own list: without one there is nothing to compare.
            listed = all(series.base_classes for series in one.company.series)
            chosen = [m for m in Method if m in methods or (not methods and (m is not Method.LISTED or listed))]
            found = (
                *outcomes("as written", history_of(one.company, as_of).state),
                *compare_methods(one.company, chosen, as_of),
            )
        rows += [_outcome_row(one.name, outcome) for outcome in found]
        if not as_json:
            _print_outcomes(one, found)
    if as_json:
        echo_json(rows)


@click.command(
    "solve-round",
    epilog="""
    \b
    Examples:
      xl-conversion example company --of company
      xl-conversion solve-round company --new-money 3000000 --pre-money 9000000 --pool-percent 10
    """,
)
@INPUT
@click.option("--new-money", metavar="MONEY", type=Number(), required=True, help="That the round brings.")
@click.option("--pre-money", metavar="MONEY", type=Number(), required=True, help="Value before the new money.")
@click.option(
    "--pool-percent",
    metavar="PERCENT",
    type=Number(zero=True, example="10"),
    default="0",
    help="Options not yet granted, in percent of everything after closing.",
)
@click.option(
    "--adjustment-in-price/--no-adjustment-in-price",
    default=True,
    help="Whether the common that anti-dilution adds counts in the price.  [default: it does]",
)
@AS_OF
@JSON
def solve_round_command(
    source: Path,
    new_money: Fraction,
    pre_money: Fraction,
    pool_percent: Fraction,
    as_of: date | None,
    *,
    adjustment_in_price: bool,
    as_json: bool,
) -> None:
    """Solve the price of a down round.

    The common that anti-dilution and the pool's top-up add counts in the price, which is found exactly.

    INPUT is a folder of CSV files, a .json or an .xlsx file with a table capitalization.
    """
    from xl_conversion.core.solver import solve_round

    solved = []
    for one, found in _histories(source, as_of):
        result = solve_round(
            found.state,
            new_money,
            pre_money,
            pool_percent,
            adjustment_in_price=adjustment_in_price,
            day=as_of or max((event.date for event in one.company.events), default=None),
        )
        solved.append(_round_row(one.name, result))
        if not as_json:
            _print_round(one, result, pool_percent)
    if as_json:
        echo_json(solved)


def _histories(source: Path, as_of: date | None) -> Iterable[tuple[CompanyInput, History]]:
    from xl_conversion.core.history import history as of
    from xl_conversion.inputs.reading import read_companies

    read = read_companies(source)
    return [(one, one.history if as_of is None else of(one.company, as_of)) for one in read]


def _chosen(one: CompanyInput, series: str | None) -> list[str]:
    names = [s.name for s in one.company.series]
    if series is None:
        return names
    if series not in names:
        raise click.BadParameter(f"{series!r} is not one of {', '.join(names)}", param_hint="--series")
    return [series]


def _notices(one: CompanyInput, name: str, changes: Sequence[Change]) -> list[Finding]:
    """The prices and ratios that notices have stated, against the history."""
    from xl_conversion.core.stated import Item
    from xl_conversion.core.tie_out import tie_out_change

    results = (Item.CONVERSION_PRICE, Item.CONVERSION_RATIO)
    stated = [row for row in one.stated.get(name, ()) if row.item in results]
    return [finding for change in changes for finding in tie_out_change(change, stated)]


def _print_steps(steps: Sequence[Step]) -> None:
    """A given figure on one line; one that follows with its formula, the same in numbers, and its value."""
    width = max(len(step.symbol) for step in steps)
    for step in steps:
        said = f"  {step.symbol.ljust(width)}  {step.label} ({step.unit})"
        if not step.formula:
            click.echo(f"{said} = {step.shown}")
            continue
        click.echo(said)
        for line in (step.formula, step.with_numbers, step.shown):
            click.echo(f"{' ' * (width + 4)}= {line}")
    click.echo()


def _change_row(change: Change) -> dict[str, Any]:
    return {
        "series": change.series.name,
        "date": change.event.date.isoformat(),
        "event": change.event.event,
        "price_before": change.price_before,
        "factor": change.factor,
        "price_unrounded": change.unrounded,
        "price": change.price,
        "ratio_price": change.ratio_price,
        "ratio_unrounded": change.ratio_unrounded,
        "ratio": change.ratio,
        "made": change.made,
        "reason": change.reason,
        "clause": change.clause,
    }


def _written(value: Fraction, rounding: Rounding) -> str:
    from xl_conversion.core.rounding import shown, to_text

    if rounding.decimals is None or (value * 10**rounding.decimals).denominator != 1:
        return shown(value, 6)
    return to_text(value, rounding.decimals)


def _print_history(title: str, changes: Sequence[Change]) -> None:
    from xl_conversion.core.rounding import shown

    print_table(
        title,
        ("date", "event", "before", "unrounded", "price", "ratio", "why"),
        [
            (
                change.event.date.isoformat(),
                change.event.event,
                _written(change.price_before, change.series.price),
                shown(change.unrounded, 6) if change.unrounded != change.start else "",
                _written(change.price, change.series.price),
                _written(change.ratio, change.series.ratio),
                change.reason,
            )
            for change in changes
        ],
        right=("before", "unrounded", "price", "ratio"),
        empty="nothing has happened yet",
    )


def _print_holders(rows: Sequence[dict[str, Any]], position: Position) -> None:
    from xl_conversion.core.rounding import shown
    from xl_conversion.core.stated import shown_with_commas, with_commas

    print_table(
        f"On conversion, at the {position.series.ratio_basis.value} price {shown(position.ratio_price)}",
        ("holder", "preferred", "common", "fraction"),
        [
            (
                r["holder"],
                shown_with_commas(r["preferred"]),
                with_commas(Fraction(r["common"]), 0),
                shown(r["fraction"], 6),
            )
            for r in rows
        ],
        right=("preferred", "common", "fraction"),
    )
    listed = sum((r["preferred"] for r in rows), Fraction(0))
    known = position.preferred or position.series.preferred_shares
    if known and listed != position.preferred:
        outstanding = shown_with_commas(position.preferred)
        click.echo(f"  the holders have {shown_with_commas(listed)} of {outstanding} outstanding")


def _outcome_row(company: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "company": company,
        "variant": outcome.variant,
        "holder": outcome.holder,
        "conversion_price": outcome.price,
        "ratio": outcome.ratio,
        "common": outcome.common,
        "part": outcome.part,
    }


def _print_outcomes(one: CompanyInput, found: Sequence[Outcome]) -> None:
    from xl_conversion.core.rounding import to_text
    from xl_conversion.core.stated import with_commas

    terms = {series.name: series for series in one.company.series}
    print_table(
        one.name,
        ("variant", "holder", "price", "ratio", "common", "percent", "part"),
        [
            (
                outcome.variant if place == 0 or found[place - 1].variant != outcome.variant else "",
                outcome.holder,
                "" if outcome.price is None else _written(outcome.price, terms[outcome.holder].price),
                "" if outcome.ratio is None else _written(outcome.ratio, terms[outcome.holder].ratio),
                with_commas(outcome.common, 0),
                "" if outcome.part is None else to_text(outcome.part * 100, 2),
                "" if outcome.part is None else "█" * round(outcome.part * BAR),
            )
            for place, outcome in enumerate(found)
        ],
        right=("price", "ratio", "common", "percent"),
        groups=True,
    )
    if any(outcome.part is None for outcome in found):
        click.echo("  percentages need a table capitalization with the common outstanding")


def _round_row(company: str, result: Round) -> dict[str, Any]:
    return {
        "company": company,
        "price": result.price,
        "shares": result.shares,
        "paid": result.paid,
        "fully_diluted_before": result.fully_diluted_before,
        "counted_in_price": result.counted,
        "pool_top_up": result.pool_top_up,
        "series": [
            {
                "series": one.series,
                "price_before": one.price_before,
                "price_unrounded": one.price_unrounded,
                "price": one.price,
                "common_before": one.common_before,
                "common_after": one.common_after,
            }
            for one in result.adjustments
        ],
        "after": dict(result.holdings_after),
    }


def _print_round(one: CompanyInput, result: Round, pool_percent: Fraction) -> None:
    from xl_conversion.core.rounding import shown, to_text
    from xl_conversion.core.stated import with_commas

    click.secho(one.name, bold=True)
    click.echo(f"price {shown(result.price)} = pre-money / {with_commas(result.counted, 2)} fully diluted")
    click.echo(f"{with_commas(Fraction(result.shares), 0)} shares for {with_commas(result.paid, 2)}")
    if pool_percent:
        click.echo(f"pool {shown(pool_percent)}% of everything after closing")
    terms = {series.name: series for series in one.company.series}
    print_table(
        "",
        ("series", "before", "unrounded", "price", "common before", "common after"),
        [
            (
                a.series,
                shown(a.price_before, 6),
                shown(a.price_unrounded),
                _written(a.price, terms[a.series].price),
                with_commas(a.common_before, 0),
                with_commas(a.common_after, 0),
            )
            for a in result.adjustments
        ],
        right=("before", "unrounded", "price", "common before", "common after"),
    )
    everything = sum(result.holdings_after.values(), Fraction(0))
    print_table(
        "After closing",
        ("holder", "common", "percent", "part"),
        [
            (
                name,
                with_commas(common, 0),
                to_text(common / everything * 100, 2),
                "█" * round(common / everything * BAR),
            )
            for name, common in (*result.holdings_after.items(), ("together", everything))
        ],
        right=("common", "percent"),
    )
    click.echo("  the price is exact; common after is at rounded prices, so that the last digits differ from it")
