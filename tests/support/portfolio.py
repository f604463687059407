"""A portfolio of invented companies, the same for the same numbers: what a fund administrator would hand over."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from xl_conversion.core.rounding import to_text
from xl_conversion.inputs.portfolio import CompanyTables, check_company, split
from xl_conversion.inputs.tables import table_of

Rows = dict[str, list[dict[str, str]]]
FIRST = ("Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Garnet", "Harbor", "Indigo", "Juniper", "Kestrel")
SECOND = ("Robotics", "Therapeutics", "Freight", "Optics", "Seeds", "Water", "Payments", "Metals", "Games")
FUNDS = ("Northwind", "Zürich Späth", "Blue & Sons", "東京成長", "O'Hara", "Quarter <5>", "Selma")
STATED_WRONG = 0.03
"""Part of the stated figures that do not tie."""


def portfolio(companies: int, *, series: int = 3, holders: int = 13, rounds: int = 3, seed: int = 2002) -> Rows:
    """The tables of so many companies, each with up to so many series and so many holders of each. Every other
    company has one series with up to so many `rounds`, and a notice of the last; with `series=0` all have."""
    tables: Rows = {
        name: []
        for name in ("series", "events", "securities", "capitalization", "stated", "holders", "conversions")
    }
    for number in range(companies):
        rng = random.Random(f"{seed}/{number}")  # noqa: S311
        name = f"{rng.choice(FIRST)} {rng.choice(SECOND)} {number + 1}, Inc."
        own = _noticed(name, rng, rounds) if number % 2 == 0 or not series else _counted(name, rng, series)
        own["holders"] = [
            {
                "company": name,
                "series": row["series"],
                "holder": f"{rng.choice(FUNDS)} Fund {rng.randrange(3 * companies + 1)}",
                "certificate": f"P-{place + 1}",
                "shares": str(rng.randrange(1_000, 400_000)),
            }
            for row in own["series"]
            for place in range(holders)
        ]
        for table, rows in own.items():
            tables[table] += rows
    return {name: rows for name, rows in tables.items() if rows}


def _noticed(company: str, rng: random.Random, rounds: int) -> Rows:
    """One series with issuances by the company's own counts, and what its notice says of the last."""
    series = {
        "company": company,
        "series": "Series 2-A",
        "clause": "Section 7d(6)",
        "original_issue_price": "6.41",
        "conversion_price": "6.41",
        "price_decimals": "2",
        "ratio_decimals": "2",
    }
    before, events, securities = rng.randrange(10**7, 9 * 10**7), [], []
    for year in range(2002, 2003 + rng.randrange(rounds)):
        sold = [rng.randrange(10**5, 3 * 10**7) for _ in range(rng.randrange(1, 5))]
        other = rng.randrange(10**6)
        events.append(
            {
                "company": company,
                "series": "Series 2-A",
                "event": f"Notes of {year}",
                "date": f"{year}-02-05",
                "kind": "issuance",
                "description": "Notes and warrants",
                "outstanding_before": str(before),
                "other_before": str(other),
            }
        )
        securities += [
            {
                "company": company,
                "series": "Series 2-A",
                "event": f"Notes of {year}",
                "security": f"Warrants {year}-{place + 1}",
                "kind": "warrant",
                "shares": str(shares),
                "consideration_per_share": f"0.{rng.randrange(5, 25):02}",
            }
            for place, shares in enumerate(sold)
        ]
        before += sum(sold)
    tables = {"series": [series], "events": events, "securities": securities}
    tables["stated"] = _stated(company, tables, rng)
    return tables


def _counted(company: str, rng: random.Random, most: int) -> Rows:
    """Several series that count one another in a capitalization, through three rounds and a split."""
    names = [f"Series {letter}" for letter in "ABCDEFGH"[: rng.randrange(1, most + 1)]]
    series = [
        {
            "company": company,
            "series": name,
            "clause": f"Article IV, 4.{place + 4}",
            "original_issue_price": f"{place + 1}.50",
            "conversion_price": f"{place + 1}.50",
            "price_decimals": "4",
            "ratio_decimals": "4",
            "method": rng.choice(("broad", "broad", "narrow", "full_ratchet")),
            "preferred_shares": str(rng.randrange(10**5, 4 * 10**6)),
        }
        for place, name in enumerate(names)
    ]
    events = [
        {"company": company, "event": name, "date": day, "kind": kind, **more}
        for name, day, kind, more in (
            ("Bridge", "2021-07-01", "issuance", {"description": "Convertible notes"}),
            ("Split", "2022-03-10", "split", {"split_new": "2", "split_old": "1"}),
            ("Extension", "2023-05-02", "issuance", {"description": "Preferred and warrants"}),
        )
    ]
    securities = [
        {
            "company": company,
            "event": event,
            "security": f"{event} {place + 1}",
            "kind": kind,
            "shares": str(rng.randrange(10**5, 4 * 10**6)),
            "consideration_per_share": f"0.{rng.randrange(20, 95)}",
        }
        for event, kind in (("Bridge", "convertible_note"), ("Extension", "warrant"))
        for place in range(rng.randrange(1, 3))
    ]
    capitalization = [
        {"company": company, "class": "Common", "kind": "common", "shares": str(rng.randrange(10**6, 10**7))},
        {"company": company, "class": "Options", "kind": "option", "shares": str(rng.randrange(10**5, 10**6))},
    ]
    tables = {"series": series, "events": events, "securities": securities, "capitalization": capitalization}
    tables["stated"] = _stated(company, tables, rng)
    return tables


def _stated(
    company: str, tables: Mapping[str, Sequence[Mapping[str, str]]], rng: random.Random
) -> list[dict[str, str]]:
    """What a notice of the last event says of the price and the ratio: right, but for a few."""
    found = []
    for case in check_company(company_tables(company, tables)).cases:
        last = case.changes[-1]
        for item, figure, decimals in (
            ("conversion_price", last.price, case.series.price.decimals or 0),
            ("conversion_ratio", last.ratio, case.series.ratio.decimals or 0),
        ):
            wrong = Fraction(1, 10**decimals) if rng.random() < STATED_WRONG else 0
            found.append(
                {
                    "company": company,
                    "series": case.series.name,
                    "event": last.event.event.partition(" (")[0],
                    "item": item,
                    "stated": to_text(figure + wrong, decimals),
                    "source": "Notice",
                }
            )
    return found


def company_tables(company: str, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> CompanyTables:
    """The tables of one company as they are read."""
    read = {name: table_of(name, f"{name}.csv", lines(rows)) for name, rows in tables.items()}
    (found,) = split(read, company).companies
    return found


def lines(rows: Sequence[Mapping[str, str]]) -> Iterable[tuple[int, list[str]]]:
    """The rows as numbered lines of cells, the header first."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    yield 1, columns
    for number, row in enumerate(rows, start=2):
        yield number, [row.get(column, "") for column in columns]


def write_portfolio(folder: Path, tables: Rows) -> Path:
    """The tables as a folder of CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(cells for _, cells in lines(rows))
    return folder
