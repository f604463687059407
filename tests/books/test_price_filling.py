"""What an input puts into the price model: nothing else than the core makes of it, for any event and any input."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

import xl_conversion
from xl_conversion.books.page import Book
from xl_conversion.books.templates.filling import Filling
from xl_conversion.books.templates.price_filling import (
    ILLUSTRATION,
    REPLAYED,
    NoModel,
    blank_filling,
    filling_of,
    price_filling,
)
from xl_conversion.books.templates.price_model import Room, price_model, shipped_filling
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.changes import Change
from xl_conversion.core.events import Issued
from xl_conversion.core.history import history
from xl_conversion.core.terms import Series
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.reading import CompanyInput, read_companies

F = Fraction
EXAMPLES = Path(xl_conversion.__file__).parent / "examples"
TABLES = ("in_earlier_events", "in_later_events")
ROOM = Room(earlier=14, later=14)


@cache
def example(name: str) -> CompanyInput:
    (company,) = read_companies(EXAMPLES / name)
    return company


def shown(filling: Filling) -> tuple[Book, dict[str, tuple[object, object, object]]]:
    """The model, and by event the price after it unrounded, in force, and the ratio as Price history has them."""
    book = price_model(filling, ROOM)
    sheet, found = book.workbook["Price history"], {}
    first, second, _ = (cell.row + 1 for cell in sheet["A"] if cell.value == "No.")
    for place in range(1, 1 + ROOM.earlier + 1 + ROOM.later):
        event = book.cached["Price history", f"B{first + place}"]
        if event:
            found[str(event)] = tuple(
                book.cached["Price history", f"{column}{row + place}"]
                for column, row in (("H", first), ("N", first), ("G", second))
            )
    return book, found  # type: ignore[return-value]


def close(value: object, figure: Fraction) -> bool:
    return isinstance(value, float) and value == pytest.approx(float(figure), rel=1e-11, abs=1e-11)


def assert_as_history(filling: Filling, changes: tuple[Change, ...], studied: str) -> None:
    """The model gives the price in force, the unrounded one and the ratio of every event."""
    book, found = shown(filling)
    assert list(found) == [change.event.event for change in changes]
    replayed = {str(row["Event"]) for name in TABLES for row in filling.tables[name] if row["Kind"] == REPLAYED}
    for change in changes:
        unrounded, price, ratio = found[change.event.event]
        assert close(price, change.price), (change.event.event, price, float(change.price))
        assert close(ratio, change.ratio), (change.event.event, ratio, float(change.ratio))
        if change.event.event not in replayed:
            assert close(unrounded, change.unrounded), (change.event.event, unrounded, float(change.unrounded))
    assert studied not in replayed
    (studied_change,) = (change for change in changes if change.event.event == studied)

    def result(name: str) -> object:
        (place,) = book.workbook.defined_names[name].destinations
        return book.cached[place[0], place[1].replace("$", "")]

    assert close(result("out_conversion_price"), studied_change.price)
    assert close(result("out_conversion_price_unrounded"), studied_change.unrounded)
    assert close(result("out_conversion_ratio"), studied_change.ratio)
    assert close(result("out_conversion_price_now"), changes[-1].price)
    assert result("out_events_count") == len(changes)
    assert result("chk_all") == "OK"


class TestTheExamples:
    @pytest.mark.parametrize("name", ["Series A", "Series B", "Series C"])
    def test_every_event_of_the_company(self, name: str) -> None:
        company = example("company")
        changes, models = company.history.of(name), 0
        for change in changes:
            try:
                filling = price_filling(company, name, change.event.event)
            except NoModel as refused:
                assert change.event.event in refused.message  # noqa: PT017
                assert not isinstance(change.event, Issued) or change.effect is None or not change.effect.explain
                continue
            assert isinstance(change.event, Issued)
            models += 1
            assert_as_history(filling, changes, change.event.event)
        assert models == 2

    def test_the_last_issuance_that_moved_the_price_is_studied(self) -> None:
        studied = {
            name: price_filling(example("company"), name).given("in_event").value
            for name in ("Series A", "Series B", "Series C")
        }
        assert studied == {"Series A": "Bridge", "Series B": "Bridge", "Series C": "Lender warrants"}

    def test_what_no_formula_gives_is_replayed(self) -> None:
        filling = price_filling(example("company"), "Series A")
        kinds = {
            str(row["Event"]): (row["Kind"], row["Source"]) for name in TABLES for row in filling.tables[name]
        }
        assert {event for event, (kind, _) in kinds.items() if kind == REPLAYED} == {
            "Plan grants", "Warrants lapse", "Conversion",
        }  # fmt: skip
        assert kinds["Plan grants"][1] == "Board consent; replayed: exempted"
        assert kinds["Split"][0] == "split"
        assert kinds["Dividend"][0] == "cash_dividend"

    @pytest.mark.parametrize("day", [date(2020, 3, 15), date(2021, 6, 30), date(2022, 3, 15), date(2022, 7, 15)])
    def test_as_of_a_day_only_what_is_known_then(self, day: date) -> None:
        company = example("company")
        for name in ("Series A", "Series B"):
            changes = history(company.company, day).of(name)
            filling = price_filling(company, name, as_of=day)
            assert filling.given("in_as_of").value == day
            assert_as_history(filling, changes, str(filling.given("in_event").value))

    def test_the_notice(self) -> None:
        company = example("vsource")
        (change,) = company.history.of(company.company.series[0].name)
        assert_as_history(shipped_filling(), (change,), change.event.event)

    def test_the_holders_of_the_series(self) -> None:
        filling = price_filling(example("company"), "Series A")
        assert [row["Shares"] for row in filling.tables["in_holders"]] == [1000000, 333333, 416667]
        notes = {row["Note"] for row in shipped_filling().tables["in_holders"]}
        assert notes == {ILLUSTRATION}


class TestRefused:
    @pytest.mark.parametrize(
        ("series", "event", "words"),
        [
            (
                "",
                "",
                "Example Robotics, Inc. has several series: a model is of one of Series A, Series B, Series C",
            ),
            ("Series D", "", "there is no series Series D"),
            ("Series A", "Round", "Series A has no event Round"),
            (
                "Series A",
                "Split",
                "Split: only an issuance can be the event under study; it moves Series A by no formula",
            ),
            (
                "Series A",
                "Plan grants",
                "Plan grants: it moves Series A by no formula of the model of one: exempted",
            ),
        ],
    )
    def test_in_one_line_with_a_hint(self, series: str, event: str, words: str) -> None:
        with pytest.raises(NoModel, match=r".") as refused:
            price_filling(example("company"), series, event)
        assert words in refused.value.message
        assert refused.value.hint
        assert "\n" not in refused.value.message

    def test_of_several_companies(self) -> None:
        both = [example("company"), example("vsource")]
        assert filling_of(both, "Series B").given("in_company").value == "Example Robotics, Inc."
        with pytest.raises(NoModel, match="several companies"):
            filling_of(both)
        with pytest.raises(NoModel, match="no series Z"):
            filling_of(both, "Z")

    def test_a_series_without_an_issuance(self, tmp_path: Path) -> None:
        company = written(tmp_path, {"series": SERIES + "A,Acme,10,10,2,rounded,2,unrounded,broad,,0\n"})
        with pytest.raises(NoModel, match="A has no issuance that the model can show"):
            price_filling(company)


class TestBlank:
    def test_nothing_of_any_series(self) -> None:
        filling = blank_filling()
        assert filling.tables.keys() == {"in_change_log"}
        assert filling.given("in_company").value is None
        book = price_model(filling)
        (place,) = book.workbook.defined_names["chk_all"].destinations
        assert book.cached[place[0], place[1].replace("$", "")] == "OPEN"


# Companies at random.

SERIES = (
    "series,company,original_issue_price,conversion_price,price_decimals,carried_price,ratio_decimals,ratio_basis,"
    "method,exempted,preferred_shares\n"
)
EVENTS = (
    "event,date,series,kind,split_new,split_old,security,shares,dividend,market_price,of,outstanding_before,"
    "other_before,source\n"
)
SECURITIES = "event,security,kind,shares,consideration,category\n"
CAPITALIZATION = "class,kind,shares\nCommon,common,{}\nOptions,option,{}\nPool,pool,{}\n"


def written(folder: Path, tables: Mapping[str, str]) -> CompanyInput:
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (company,) = read_companies(folder)
    return company


def company_at_random(folder: Path, seed: int) -> CompanyInput:
    """One series, and up to nine events of several kinds; what cannot be is drawn again."""
    for attempt in range(60):
        rng = random.Random(f"{seed}/{attempt}")  # noqa: S311
        try:
            company = written(folder / f"{seed}-{attempt}", _tables(rng))
            if any(isinstance(change.event, Issued) for change in company.history.of("A")):
                return company
        except (InputError, ImpossibleArgument):
            continue
    raise AssertionError(f"no company that can be for {seed}")


def _tables(rng: random.Random) -> dict[str, str]:
    method = rng.choice(["broad", "broad_with_pool", "narrow", "common", "full_ratchet", "broad", "none"])
    bases = ["rounded", "unrounded"]
    terms = f"{rng.choice(['6.41', '5', '1.25'])},5.50,{rng.randint(3, 6)},{rng.choice(bases)},{rng.randint(2, 5)}"
    tables = {
        "series": f"{SERIES}A,Acme,{terms},{rng.choice(bases)},{method},plan,{rng.randint(0, 10**6)}\n",
        "capitalization": CAPITALIZATION.format(rng.randint(10**6, 10**7), rng.randint(1, 10**6), 300_000),
    }
    day, events, securities, names = date(2005, 1, 1), EVENTS, SECURITIES, list[str]()
    for number in range(rng.randint(1, 9)):
        day += timedelta(days=rng.randint(1, 200))
        kind = rng.choice(
            ["issuance", "issuance", "issuance", "split", "cash_dividend", "expiry", "stock_dividend"]
        )
        row = dict.fromkeys(EVENTS.strip().split(","), "")
        if kind == "expiry" and not names:
            kind = "issuance"
        row |= {"event": f"e{number}", "date": day.isoformat(), "kind": kind, "source": "Minutes"}
        match kind:
            case "issuance":
                shares, warrant = rng.randint(10**4, 10**6), rng.random() < 0.5
                paid = F(shares) * F(rng.randint(10, 700), 100)
                category = rng.choice(["", "", "", "plan"])
                securities += (
                    f"e{number},s{number},{'warrant' if warrant else 'shares'},{shares},{float(paid)},{category}\n"
                )
                names += [f"s{number}"] if warrant else []
            case "split":
                row |= {"split_new": str(rng.choice([2, 3, 1])), "split_old": str(rng.choice([1, 2]))}
            case "cash_dividend":
                row |= {"dividend": "0.05", "market_price": "3.20"}
            case "stock_dividend":
                row |= {"shares": str(rng.randint(1000, 10**5))}
            case "expiry":
                row |= {"security": names.pop(rng.randrange(len(names)))}
        events += ",".join(row.values()) + "\n"
    return {**tables, "events": events, "securities": securities}


class TestRandomCompanies:
    @pytest.mark.parametrize("seed", range(40))
    def test_every_event_that_a_model_shows(self, tmp_path: Path, seed: int) -> None:
        company = company_at_random(tmp_path, seed)
        changes = company.history.of("A")
        if _too_close(company.company.series[0], changes):
            changes = ()
        for filling in _models(company, changes):
            assert_as_history(filling, changes, str(filling.given("in_event").value))

    def test_most_of_them_have_a_model(self, tmp_path: Path) -> None:
        models, kinds = 0, set[str]()
        for seed in range(40):
            company = company_at_random(tmp_path, seed)
            for filling in _models(company, company.history.of("A")):
                models += 1
                kinds |= {str(row["Kind"]) for name in TABLES for row in filling.tables[name]}
        assert models > 40
        assert kinds == {"issuance", "split", "cash_dividend", "stock_dividend", REPLAYED}


HISTORIES = sorted((Path(__file__).parent.parent / "histories").glob("*.toml"))


class TestWorkedHistories:
    @pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
    def test_as_the_core_or_refused(self, tmp_path: Path, file: Path) -> None:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        expected = ("expect", "expect_shares")
        given = {name: rows for name, rows in tables.items() if isinstance(rows, list) and name not in expected}
        (tmp_path / "input.json").write_text(json.dumps(given), encoding="utf-8")
        (company,) = read_companies(tmp_path / "input.json")
        for series in company.company.series:
            changes = company.history.of(series.name)
            for change in changes:
                try:
                    filling = price_filling(company, series.name, change.event.event)
                except NoModel as refused:
                    assert change.event.event in refused.message  # noqa: PT017
                    continue
                assert_as_history(filling, changes, change.event.event)

    @pytest.mark.parametrize("name", ["circularity-solved", "circularity-beside-a-ratchet"])
    def test_what_others_add_is_counted(self, tmp_path: Path, name: str) -> None:
        (file,) = (file for file in HISTORIES if file.stem == name)
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        given = {key: tables[key] for key in ("series", "capitalization", "events", "securities")}
        (tmp_path / "input.json").write_text(json.dumps(given), encoding="utf-8")
        (company,) = read_companies(tmp_path / "input.json")
        filling = price_filling(company, "A", "Round")
        assert filling.given("in_counts_after").value == "own_counts"
        added = filling.tables["in_capitalization"][-1]
        assert added["Class"] == "Common that adjustments of other series add, solved"


def _models(company: CompanyInput, changes: tuple[Change, ...]) -> Iterator[Filling]:
    for change in changes:
        if isinstance(change.event, Issued):
            try:
                yield price_filling(company, "A", change.event.event)
            except NoModel as refused:
                assert change.event.event in refused.message  # noqa: PT017


def _too_close(series: Series, changes: tuple[Change, ...]) -> bool:
    """Whether a figure is so close to where rounding turns, and not there, that no double tells."""
    figures = [(change.unrounded, series.price.decimals or 0) for change in changes]
    figures += [(change.ratio_unrounded, series.ratio.decimals or 0) for change in changes]
    halves = [2 * figure * 10**decimals for figure, decimals in figures]
    return any(0 < abs(half - round(half)) <= F(2, 10**6) for half in halves)


def test_no_text_of_an_input_becomes_a_formula(tmp_path: Path) -> None:
    """Whatever looks like one is a text in its cell."""
    company = written(
        tmp_path / "texts",
        {
            "series": "series,company,original_issue_price,conversion_price,clause,source\n"
            '=A,=Acme+1,10,5,=4.4,=HYPERLINK("x")\n'.replace('"', ""),
            "events": "series,event,date,kind,outstanding_before,other_before,source\n"
            "=A,=e1,2020-01-31,issuance,1000000,0,=cmd\n=A,@e2,2021-06-30,issuance,1500000,0,+x\n",
            "securities": "series,event,security,kind,shares,consideration,source,note\n"
            "=A,=e1,=Round,shares,500000,1000000,=src,=note\n=A,@e2,-Next,shares,100000,125000,@src,+note\n",
            "stated": "series,event,item,subject,stated,source\n=A,@e2,conversion_price,,$4.00,=told\n",
            "holders": "series,holder,certificate,shares\n=A,=Ann,=1,101\n",
        },
    )
    filling = price_filling(company, "=A")
    blank, book = price_model(blank_filling()), price_model(filling)
    seen = set()
    for sheet in book.workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value[:1] in "=@+-" and cell.data_type == "s":
                    seen.add(cell.value)
                if cell.data_type == "f" and sheet.title not in ("About", "Sensitivity"):
                    twin = blank.workbook[sheet.title][cell.coordinate]
                    assert twin.data_type == "f", (sheet.title, cell.coordinate, cell.value)
    assert seen >= {"=A", "=Acme+1", "=4.4", "@e2", "=e1", "-Next", "@src", "+note", "=Ann", "=1", "=told"}
