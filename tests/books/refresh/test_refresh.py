"""New inputs into workbooks that finance has made its own: what may change does, and nothing else."""

from __future__ import annotations

import csv
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from support import office as office_module
from support.office import Error, Office

from xl_conversion.books.refresh.package import Package, RefreshError
from xl_conversion.books.refresh.plan import NOTICED, OF_THE_READER, same
from xl_conversion.books.refresh.refresh import Asked, Outcome, refresh_file
from xl_conversion.books.refresh.slots import Slots
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates.chain_filling import blank_chain
from xl_conversion.books.templates.chain_model import chain_model_bytes
from xl_conversion.books.templates.price_filling import NoModel, blank_filling, filling_of
from xl_conversion.books.templates.price_model import Room, price_model, price_model_bytes
from xl_conversion.inputs.reading import read_companies

WHEN = datetime(2026, 11, 23, 21, 40, tzinfo=UTC).replace(tzinfo=None)
SERIES = "Series A"
Tables = dict[str, list[dict[str, str]]]


def example(name: str = "company") -> Tables:
    """The tables of an example."""
    with as_file(files("xl_conversion.examples") / name) as folder:
        return {
            path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
            for path in sorted(folder.glob("*.csv"))
        }


def written(folder: Path, tables: Tables) -> Path:
    """An input of these tables."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, columns)
                writer.writeheader()
                writer.writerows(rows)
    return folder


def row_of(tables: Tables, table: str, **where: str) -> dict[str, str]:
    return next(row for row in tables[table] if all(row.get(key) == value for key, value in where.items()))


_MODELS: dict[tuple[object, ...], bytes] = {}
"""Models that were made already, by what is in them."""


def template(
    path: Path, source: Path, event: str = "", *, as_of: date | None = None, room: Room | None = None
) -> Path:
    content = "".join(file.read_text(encoding="utf-8") for file in sorted(source.iterdir()))
    key = content, event, as_of, room
    if key not in _MODELS:
        _MODELS[key] = price_model_bytes(filling_of(read_companies(source), SERIES, event, as_of), room)
    path.write_bytes(_MODELS[key])
    return path


def refresh(path: Path, source: Path, event: str = "", as_of: date | None = None, **options: bool) -> Outcome:
    return refresh_file(path, source, Asked("", event, as_of), WHEN, backup=False, **options)[0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path / "data", example())


@pytest.fixture
def model(tmp_path: Path, data: Path) -> Path:
    """The model of the event with a notice, Bridge, from the example as it is."""
    return template(tmp_path / "model.xlsx", data)


def unnoticed() -> Tables:
    """The example before any notice was given."""
    return {name: rows for name, rows in example().items() if name != "stated"}


def parts(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entries(path: Path) -> dict[str, bytes]:
    """The entries of the zip file as they are stored, compressed."""
    data, found = path.read_bytes(), {}
    with ZipFile(path) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + int.from_bytes(data[info.header_offset + 26 :][:2], "little")
            start += int.from_bytes(data[info.header_offset + 28 :][:2], "little")
            found[info.filename] = data[start : start + info.compress_size]
    return found


def with_parts(path: Path, contents: Mapping[str, bytes]) -> None:
    """The workbook with some parts replaced or added."""
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, content in {**parts(path), **contents}.items():
            archive.writestr(name, content)
    path.write_bytes(stream.getvalue())


def part_of(path: Path, title: str) -> str:
    return next(sheet.part for sheet in Package.open(path).sheets if sheet.title == title)


def cells(path: Path) -> dict[tuple[str, str], Any]:
    package = Package.open(path)
    return {
        (sheet.title, place): cell
        for sheet in package.sheets
        for place, cell in package.cells(sheet.title).items()
    }


def inputs(path: Path) -> dict[str, Any]:
    """What a workbook has for inputs: single cells by name, tables as rows by header, without blank ones."""
    slots = Slots(Package.open(path))
    found: dict[str, Any] = {name: slots.value(slot) for name, slot in slots.scalars.items()}
    for name, table in slots.tables.items():
        if name not in ("in_change_log", "in_remarks", "out_securities"):
            headers = [h for h in table.columns if not slots.stored(table.slot(table.first, h)).formula]
            found[name] = [
                {h: v for h, v in row.items() if v is not None} for row in slots.rows(table, headers).values()
            ]
    return found


def value(path: Path, name: str) -> Any:
    slots = Slots(Package.open(path))
    return slots.stored(slots.places[name]).value


def table(path: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = inputs(path)[name]
    return found


def log(path: Path) -> list[dict[str, Any]]:
    slots = Slots(Package.open(path))
    there = slots.tables["in_change_log"]
    return list(slots.rows(there, there.columns).values())


def typed(path: Path, changes: Mapping[tuple[str, str], Any]) -> None:
    """What a user types over input cells; text that begins with = is a formula."""
    package = Package.open(path)
    constants = {at: content for at, content in changes.items() if not str(content).startswith("=")}
    path.write_bytes(package.patched(constants))
    for (title, place), content in changes.items():
        if str(content).startswith("="):
            part = part_of(path, title)
            xml = parts(path)[part].decode()
            cell = re.compile(rf'<c r="{place}"((?: (?!t=)\w+="[^"]*")*)(?: t="\w+")?(?:/>|>.*?</c>)')
            xml, number = cell.subn(rf'<c r="{place}"\1><f>{content[1:]}</f><v>7</v></c>', xml)
            assert number == 1, (place, number)
            with_parts(path, {part: xml.encode()})


def slot(path: Path, name: str) -> tuple[str, str]:
    found = Slots(Package.open(path)).places[name]
    return found.sheet, found.coordinate


def at(path: Path, name: str, row: int, header: str) -> tuple[str, str]:
    """The cell of a table, by its row from 1."""
    there = Slots(Package.open(path)).tables[name]
    found = there.slot(there.first + row - 1, header)
    return found.sheet, found.coordinate


def changed(outcome: Outcome) -> dict[str, tuple[Any, Any]]:
    return {change.what: (change.old, change.new) for change in outcome.changes}


def kept(outcome: Outcome) -> dict[str, tuple[Any, Any, str]]:
    return {one.what: (one.has, one.given, one.why) for one in outcome.kept}


def refused(path: Path, source: Path, *words: str, event: str = "", error: type[Exception] = RefreshError) -> None:
    """The refresh is refused in one line with these words, and the file is as it was."""
    before = path.read_bytes()
    with pytest.raises(error) as caught:
        refresh(path, source, event)
    assert path.read_bytes() == before
    assert len(str(caught.value).splitlines()) == 1
    assert getattr(caught.value, "hint", "")
    text = f"{caught.value}\n{getattr(caught.value, 'hint', '')}"
    for word in words:
        assert word in text, text


class TestWhatChanges:
    def test_a_blank_model_filled_is_the_model_that_template_writes(self, tmp_path: Path, data: Path) -> None:
        blank, fresh = tmp_path / "blank.xlsx", template(tmp_path / "fresh.xlsx", data)
        blank.write_bytes(price_model_bytes(blank_filling()))
        outcome = refresh_file(blank, data, Asked(SERIES), WHEN)[0]
        assert not outcome.kept
        assert outcome.before in (None, "")
        assert outcome.after == value(fresh, "out_conversion_price_now")
        ours, theirs = cells(blank), cells(fresh)
        for key in ours.keys() | theirs.keys():
            one, other = ((found[key].value if key in found else None) for found in (ours, theirs))
            if key[0] not in ("About", "Change log"):  # About names the documents it was made from
                # The words beside a choice that is the same, or of a blank, stay.
                words = key[0] == "Inputs" and key[1].startswith("F")
                assert words or (one or None) == (other or None) or same(one, other), key

    def test_what_is_the_same_is_not_written(self, model: Path, data: Path) -> None:
        before, stamp = model.read_bytes(), model.stat().st_mtime_ns
        outcome, backup = refresh_file(model, data, Asked(), WHEN)
        assert (outcome.changes, outcome.kept, outcome.log, backup) == ((), (), (), None)
        assert (model.read_bytes(), model.stat().st_mtime_ns) == (before, stamp)
        assert len(log(model)) == 1

    def test_a_second_time_nothing_changes(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        row_of(tables, "holders", certificate="A-1")["shares"] = "900000"
        data = written(tmp_path / "data", tables)
        assert changed(refresh(model, data)) == {"Ada Ventures, A-1: Shares": (1000000.0, 900000.0)}
        after = model.read_bytes()
        assert refresh(model, data).changes == ()
        assert model.read_bytes() == after

    def test_a_dry_run_shows_all_and_writes_nothing(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        row_of(tables, "holders", certificate="A-1")["shares"] = "900000"
        row_of(tables, "events", event="Dividend")["dividend"] = "0.10"
        data = written(tmp_path / "data", tables)
        before, stamp = model.read_bytes(), model.stat().st_mtime_ns
        told = refresh(model, data, dry_run=True)
        assert (model.read_bytes(), model.stat().st_mtime_ns) == (before, stamp)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model.xlsx"]
        done = refresh(model, data)
        assert (done.changes, done.before, done.after) == (told.changes, told.before, told.after)
        assert changed(done)["Dividend: Money per share"] == (0.05, 0.1)
        assert (done.before, done.after) == (0.473, 0.4578)

    def test_each_refresh_is_logged(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        for number, dividend in enumerate(("0.10", "0.20"), start=2):
            row_of(tables, "events", event="Dividend")["dividend"] = dividend
            outcome = refresh(model, written(tmp_path / "data", tables))
            row = log(model)[-1]
            assert len(log(model)) == number
            assert row["When"] == "2026-11-23 21:40:00 UTC"
            assert row["What"] == "Refreshed from data"
            assert row["Version"].startswith("xl_conversion ")
            assert row["Digest of the input, SHA-256"] == outcome.digest[:16]
            assert (row["Price before"], row["Price after"]) == (outcome.before, outcome.after)
            assert row["Remark"] == f"{len(outcome.changes)} input cell{'s'[: len(outcome.changes) > 1]} changed"

    def test_a_log_that_is_full_says_so(self, model: Path, tmp_path: Path) -> None:
        typed(model, {at(model, "in_change_log", 40, "What"): "a row of mine"})
        tables = example()
        row_of(tables, "holders", certificate="A-1")["shares"] = "900000"
        refused(model, written(tmp_path / "data", tables), "Change log is full", "insert rows above its last one")

    def test_as_of_an_earlier_day(self, model: Path, data: Path) -> None:
        outcome = refresh(model, data, as_of=date(2022, 6, 29))
        assert changed(outcome)["As of"] == (44835.0, 44741.0)
        assert [row["Event"] for row in table(model, "in_later_events")] == ["Warrants lapse"]
        assert outcome.after == 0.4883

    def test_inputs_that_come_from_nowhere_stay(self, model: Path, data: Path) -> None:
        typed(model, {slot(model, "in_cash_decimals"): 4.0, slot(model, "in_market_price"): 3.25})
        before = model.read_bytes()
        assert refresh(model, data).changes == ()
        assert model.read_bytes() == before

    def test_numbers_saved_in_15_digits_have_not_changed(self, model: Path, data: Path) -> None:
        """As LibreOffice saves them."""
        where = at(model, "in_capitalization", 2, "Before")
        has = cells(model)[where].value
        typed(model, {where: float(f"{has:.15g}")})
        assert cells(model)[where].value != has
        assert (refresh(model, data).changes, refresh(model, data).kept) == ((), ())


class TestRows:
    def test_rows_keep_their_places_and_notes(self, tmp_path: Path) -> None:
        tables = unnoticed()
        model = template(tmp_path / "model.xlsx", written(tmp_path / "data", tables))
        notes = {
            at(model, "in_holders", 2, "Note"): "called on Monday",
            at(model, "in_holders", 3, "Note"): "estate",
            at(model, "in_securities", 1, "Note"): "see the letter",
        }
        typed(model, notes)
        _, second, third = [row for row in tables["holders"] if row["series"] == SERIES]
        others = [row for row in tables["holders"] if row["series"] != SERIES]
        new = {"series": SERIES, "holder": "Dora", "certificate": "A-9", "shares": "100000"}
        second["shares"] = "233333"
        tables["holders"] = [*others, new, third, second]  # the first is gone, the order is another one
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert table(model, "in_holders") == [
            {"Holder": "Ada Ventures", "Certificate": "A-2", "Shares": 233333.0, "Note": "called on Monday"},
            {"Holder": "Birch Partners", "Certificate": "A-3", "Shares": 416667.0, "Note": "estate"},
            {"Holder": "Dora", "Certificate": "A-9", "Shares": 100000.0},
        ]
        assert at(model, "in_holders", 1, "Holder") not in cells(model)
        assert changed(outcome)["Ada Ventures, A-1: Shares"] == (1000000.0, None)
        assert all(cells(model)[where].value == text for where, text in notes.items())

    def test_no_room(self, tmp_path: Path) -> None:
        tables = unnoticed()
        data = written(tmp_path / "data", tables)
        model = template(tmp_path / "model.xlsx", data, room=Room(3, 3, 3))
        new = {"series": SERIES, "holder": "Dora", "certificate": "A-9", "shares": "1"}
        tables["holders"].append(new)
        refused(
            model,
            written(tmp_path / "data", tables),
            "Register has room for 3 rows, and 4 are needed",
            "--holders",
        )
        tables["holders"].remove(new)
        tables["events"].insert(
            2,
            {"event": "Small split", "date": "2020-04-01", "kind": "split", "split_new": "11", "split_old": "10"},
        )
        refused(
            model, written(tmp_path / "data", tables), "Events has room for 3 rows, and 4 are needed", "--events"
        )

    def test_the_place_of_one_that_is_gone_is_taken_when_nothing_else_is_free(self, tmp_path: Path) -> None:
        tables = unnoticed()
        model = template(tmp_path / "model.xlsx", written(tmp_path / "data", tables), room=Room(3, 6, 3))
        row_of(tables, "holders", certificate="A-2").update(holder="Dora", certificate="A-9")
        refresh(model, written(tmp_path / "data", tables))
        assert [row["Holder"] for row in table(model, "in_holders")] == ["Ada Ventures", "Dora", "Birch Partners"]

    def test_columns_of_the_reader_within_a_table_stay(self, model: Path, tmp_path: Path) -> None:
        """A column is put where a column of the model was, whose place is taken by the next one."""
        part = part_of(model, "Register")
        xml = parts(model)[part].decode()
        for column, moved in (("F", "G"), ("E", "F"), ("D", "E")):
            xml = re.sub(rf'r="{column}(\d+)"', rf'r="{moved}\1"', xml)
        for row, text in ((4, "Reviewed by"), (5, "Kim"), (6, "Lee"), (9, "Max")):
            cell = f'<c r="D{row}" t="inlineStr"><is><t>{text}</t></is></c>'
            xml = re.sub(rf'(?=<c r="E{row}")', cell, xml, count=1)
        book = parts(model)["xl/workbook.xml"].decode()
        book = re.sub(r"('?Register'?!\$A\$4:)\$F", r"\1$G", book)
        with_parts(model, {part: xml.encode(), "xl/workbook.xml": book.encode()})
        tables = example()
        tables["holders"][:3] = [
            {"series": SERIES, "holder": "New", "certificate": "A-7", "shares": "2000000"},
        ]
        refresh(model, written(tmp_path / "data", tables))
        there = cells(model)
        assert [there["Register", f"D{row}"].value for row in (4, 5, 6, 9)] == ["Reviewed by", "Kim", "Lee", "Max"]
        assert table(model, "in_holders")[-2:][0]["Holder"] == "New"

    def test_a_column_that_is_gone_is_named(self, model: Path, tmp_path: Path) -> None:
        part = part_of(model, "Register")
        typed(model, {("Register", "C4"): "Stock"})
        assert part
        tables = example()
        refused(model, written(tmp_path / "data", tables), "The table in_holders on Register has no column Shares")

    def test_names_of_the_reader_that_look_like_those_of_the_model(self, model: Path, data: Path) -> None:
        book = parts(model)["xl/workbook.xml"].decode()
        mine = '<definedName name="in_house_view">42</definedName>'
        mine += '<definedName name="out_of_scope">#REF!</definedName>'
        with_parts(model, {"xl/workbook.xml": book.replace("<definedNames>", f"<definedNames>{mine}").encode()})
        assert refresh(model, data).changes == ()

    def test_a_name_of_the_model_whose_cell_is_gone(self, model: Path, data: Path) -> None:
        book = parts(model)["xl/workbook.xml"].decode()
        book, number = re.subn(r'(<definedName name="in_clause">)[^<]*', r"\1Inputs!#REF!", book)
        assert number == 1
        with_parts(model, {"xl/workbook.xml": book.encode()})
        refused(model, data, "no cells named in_clause", "it stands for Inputs!#REF!", "Take a copy from before")


class TestFormulasOfTheReader:
    def test_stay_and_are_reported(self, model: Path, tmp_path: Path) -> None:
        where = at(model, "in_holders", 1, "Shares")
        typed(model, {where: "=3+4"})
        tables = example()
        row_of(tables, "holders", certificate="A-2")["shares"] = "300000"
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert kept(outcome) == {"Ada Ventures, A-1: Shares": (7.0, 1000000.0, OF_THE_READER)}
        assert changed(outcome) == {"Ada Ventures, A-2: Shares": (333333.0, 300000.0)}
        assert cells(model)[where].formula == "3+4"
        assert log(model)[-1]["Remark"] == "1 input cell changed; 1 kept as they were"
        before = model.read_bytes()
        assert kept(refresh(model, written(tmp_path / "data", tables)))
        assert model.read_bytes() == before

    def test_of_the_price_before_the_first_event(self, model: Path, data: Path) -> None:
        where = slot(model, "in_conversion_price")
        typed(model, {where: "=6+1"})
        outcome = refresh(model, data)
        assert kept(outcome) == {"Conversion price before the first event": (7.0, 1.0, OF_THE_READER)}
        assert not outcome.changes


class TestNotices:
    """What a notice was issued on: Lender warrants and Bridge."""

    def test_the_event_under_study_stays(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        tables["securities"] = [row for row in tables["securities"] if row["event"] != "Bridge recount"]
        tables["events"] = [row for row in tables["events"] if row["event"] != "Bridge recount"]
        row_of(tables, "securities", event="Bridge")["shares"] = "2500000"
        row_of(tables, "events", event="Bridge")["date"] = "2021-07-01"
        tables["securities"].append({**row_of(tables, "securities", event="Bridge"), "security": "More notes"})
        row_of(tables, "stated", event="Bridge", series=SERIES)["stated"] = "$0.4900"
        before = inputs(model)
        outcome = refresh(model, written(tmp_path / "data", tables))
        after = inputs(model)
        for name in ("in_event", "in_event_date", "in_notice", "in_notice_price", "in_securities", "in_stated"):
            assert after[name] == before[name], name
        told = kept(outcome)
        assert told["Bridge notes: Shares"] == (3100000.0, 2500000.0, NOTICED)
        assert told["More notes: Shares"] == (None, 2500000.0, NOTICED)
        assert told["Date of the event"] == (44377.0, 44378.0, NOTICED)
        assert told["Conversion price in the notice"] == (0.484, 0.49, NOTICED)
        assert told["conversion_price: As written"] == ("$0.4840", "$0.4900", NOTICED)

    def test_earlier_rows_stay(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        row_of(tables, "securities", event="Lender warrants")["shares"] = "900000"
        row_of(tables, "stated", event="Lender warrants", series=SERIES)["stated"] = "$0.9900"
        before = table(model, "in_earlier_events")
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert table(model, "in_earlier_events") == before
        told = kept(outcome)
        assert told["Lender warrants: Shares"] == (800000.0, 900000.0, NOTICED)
        assert told["Lender warrants: Price noticed"] == (0.984, 0.99, NOTICED)
        assert {
            (one.slot.sheet, one.slot.coordinate)
            for one in outcome.kept
            if one.what.startswith("Lender warrants: S")
        } == {("Events", "A10")}

    def test_a_notice_that_the_input_does_not_know_stays(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        del tables["stated"]
        refresh(model, written(tmp_path / "data", tables))
        assert value(model, "in_notice") == "Notice of 2 July 2021"
        assert table(model, "in_earlier_events")[1]["Price noticed"] == 0.984

    def test_without_its_event_nothing_is_written(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        for name in ("events", "securities", "stated"):
            tables[name] = [row for row in tables[name] if row["event"] != "Lender warrants"]
        tables["events"] = [row for row in tables["events"] if row["event"] != "Warrants lapse"]
        refused(
            model, written(tmp_path / "data", tables), "no event Lender warrants, which a notice was issued on"
        )
        tables = example()
        for name in ("events", "securities", "stated"):
            tables[name] = [row for row in tables[name] if not row["event"].startswith("Bridge")]
        tables["events"] = [row for row in tables["events"] if row["of"] != "Bridge"]
        refused(model, written(tmp_path / "data", tables), "no event Bridge, which a notice was issued on")

    def test_an_event_between_is_put_where_there_is_room_only(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        split = {"event": "Old split", "date": "2020-02-15", "kind": "split", "split_new": "11", "split_old": "10"}
        tables["events"].insert(1, split)
        refused(
            model,
            written(tmp_path / "data", tables),
            "Old split comes before an event that a notice was issued on: no row is free on Events",
        )
        split["date"] = "2020-04-01"
        tables["events"].insert(2, tables["events"].pop(1))
        refresh(model, written(tmp_path / "data", tables))
        names = [row["Event"] for row in table(model, "in_earlier_events")]
        assert names == ["Plan grants", "Lender warrants", "Old split", "Split"]

    def test_another_order_is_refused(self, tmp_path: Path) -> None:
        tables = example()
        tables["stated"] += [
            {**tables["stated"][0], "event": "Split", "stated": "$0.4920"},
        ]
        model = template(tmp_path / "model.xlsx", written(tmp_path / "data", tables))
        row_of(tables, "events", event="Split")["date"] = "2020-03-01"
        refused(
            model,
            written(tmp_path / "data", tables),
            "Lender warrants would have to move on Events, and a notice was issued on it",
        )

    def next_round(self) -> Tables:
        tables = example()
        round_ = {"event": "Round D", "date": "2022-11-01", "kind": "issuance", "source": "Purchase agreement"}
        tables["events"].append({**dict.fromkeys(tables["events"][0], ""), **round_})
        tables["securities"].append(
            {
                **dict.fromkeys(tables["securities"][0], ""),
                "event": "Round D",
                "security": "Series D",
                "kind": "shares",
                "shares": "4000000",
                "consideration_per_share": "0.20",
            }
        )
        return tables

    def test_the_next_event_comes(self, model: Path, tmp_path: Path) -> None:
        """The one before goes to the earlier events with the figures that were noticed."""
        tables, before = self.next_round(), table(model, "in_capitalization")
        row_of(tables, "stated", event="Bridge", series=SERIES)["stated"] = "$0.4838"
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert value(model, "in_event") == "Round D"
        assert value(model, "in_notice") is None
        bridge = table(model, "in_earlier_events")[3]
        assert bridge == {
            "Event": "Bridge",
            "Date": 44377.0,
            "Kind": "issuance",
            "Outstanding before": pytest.approx(sum(row["Before"] for row in before), rel=1e-15),
            "Shares": 3100000.0,
            "Money in all": 1240000.0,
            "Notice": "Notice of 2 July 2021",
            "Price noticed": 0.484,
            "Source": bridge["Source"],
        }
        assert kept(outcome)["Bridge: Price noticed"] == (0.484, 0.4838, NOTICED)
        assert [row["Security"] for row in table(model, "in_securities")] == ["Series D"]
        fresh = template(tmp_path / "fresh.xlsx", tmp_path / "data")
        assert outcome.after == value(fresh, "out_conversion_price_now")
        # and again from other data: the row is as noticed for good
        row_of(tables, "securities", event="Bridge recount")["shares"] = "3200000"
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert table(model, "in_earlier_events")[3] == bridge
        assert kept(outcome)["Bridge: Shares"] == (3100000.0, 3200000.0, NOTICED)

    def test_an_earlier_event_comes_back_under_study(self, model: Path, tmp_path: Path) -> None:
        tables = self.next_round()
        before = inputs(model)
        refresh(model, written(tmp_path / "data", tables))
        outcome = refresh(model, written(tmp_path / "data", tables), "Bridge")
        assert not outcome.kept
        after = inputs(model)
        for name in (
            "in_event",
            "in_notice",
            "in_notice_price",
            "in_securities",
            "in_capitalization",
            "in_stated",
        ):
            assert after[name] == before[name], name

    def test_not_with_other_figures(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        row_of(tables, "securities", event="Lender warrants")["shares"] = "900000"
        refused(
            model,
            written(tmp_path / "data", tables),
            "Lender warrants was noticed with other figures than the input has: Shares is 800,000 on Events, "
            "900,000 in the input",
            event="Lender warrants",
        )
        tables = example()
        row_of(tables, "stated", event="Lender warrants", series=SERIES)["stated"] = "$0.9900"
        outcome = refresh(model, written(tmp_path / "data", tables), "Lender warrants")
        assert value(model, "in_notice_price") == 0.984
        assert kept(outcome)["Lender warrants: Price noticed"] == (0.984, 0.99, NOTICED)

    def test_a_notice_comes_for_the_event_under_study(self, tmp_path: Path) -> None:
        model = template(tmp_path / "model.xlsx", written(tmp_path / "data", unnoticed()))
        outcome = refresh(model, written(tmp_path / "data", example()))
        assert not outcome.kept
        assert changed(outcome)["Notice, blank if none was given yet"] == (None, "Notice of 2 July 2021")
        fresh = template(tmp_path / "fresh.xlsx", tmp_path / "data")
        assert inputs(model) == inputs(fresh)


class TestOtherInputs:
    def test_another_series_or_company(self, model: Path, tmp_path: Path, data: Path) -> None:
        before = model.read_bytes()
        with pytest.raises(RefreshError, match="The workbook is of Series A, not of Series B"):
            refresh_file(model, data, Asked("Series B"), WHEN)
        tables = example()
        for row in tables["series"]:
            row["company"] = "Other, Inc."
        data = written(tmp_path / "data", tables)
        with pytest.raises(
            RefreshError, match=r"The workbook is of Example Robotics, Inc\., the input of Other, Inc\."
        ):
            refresh_file(model, data, Asked(), WHEN)
        notice = written(tmp_path / "notice", example("vsource"))
        with pytest.raises(NoModel, match="the input has no series Series A"):
            refresh_file(model, notice, Asked(), WHEN)
        assert model.read_bytes() == before

    def test_a_workbook_that_is_no_model(self, tmp_path: Path, data: Path) -> None:
        from openpyxl import Workbook

        path = tmp_path / "other.xlsx"
        Workbook().save(path)
        refused(path, data, "This is no model of xl-conversion", "xl-conversion template makes one")

    def test_text_of_the_input_is_no_formula(self, model: Path, tmp_path: Path) -> None:
        tables = example()
        row_of(tables, "holders", certificate="A-1")["holder"] = '=HYPERLINK("http://x","y")'
        refresh(model, written(tmp_path / "data", tables))
        found = [c for c in cells(model).values() if c.value == '=HYPERLINK("http://x","y")']
        assert len(found) > 0
        assert not any(cell.formula.startswith("HYPERLINK") for cell in cells(model).values())


# Workbooks that finance has made its own

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "5a5d6d3b0000000049454e44ae426082"
)
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"


def relations(*items: tuple[str, str, str]) -> bytes:
    found = "".join(
        f'<Relationship Id="{i}" Type="{_REL}/{kind}" Target="{target}"/>' for i, kind, target in items
    )
    start = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    return f'<?xml version="1.0"?>{start}{found}</Relationships>'.encode()


def made_own(path: Path) -> None:
    """Adds what openpyxl would lose: a sheet with a picture and formulas, a comment on Inputs, a sheet-wide format
    of the future, a name, macros' settings of somebody."""
    part = part_of(path, "Inputs")
    there = parts(path)
    xml = there[part].decode()
    comment = (
        f'<comments xmlns="{_MAIN}"><authors><author>CFO</author></authors><commentList>'
        '<comment ref="C9" authorId="0"><text><t>as in the charter</t></text></comment></commentList></comments>'
    )
    shape = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        '<v:shape type="#_x0000_t202" style="visibility:hidden"><x:ClientData ObjectType="Note"><x:Row>8</x:Row>'
        "<x:Column>2</x:Column></x:ClientData></v:shape></xml>"
    )
    extension = (
        '<extLst><ext uri="{00000000-0000-0000-0000-00000000ABCD}"><a:later xmlns:a="urn:later"/></ext></extLst>'
    )
    assert "<legacyDrawing" not in xml
    assert "<extLst" not in xml
    rels = part.replace("worksheets/", "worksheets/_rels/") + ".rels"
    assert rels not in there
    sheet = (
        f'<worksheet xmlns="{_MAIN}" xmlns:r="{_REL}"><sheetData><row r="1"><c r="A1"><f>in_conversion_price*2</f>'
        '<v>12345</v></c><c r="B1" t="inlineStr"><is><t>ours</t></is></c></row></sheetData>'
        '<drawing r:id="rId1"/></worksheet>'
    )
    drawing = (
        f'<xdr:wsDr xmlns:xdr="{_DRAWING}/spreadsheetDrawing" xmlns:a="{_DRAWING}/main"><xdr:oneCellAnchor>'
        "<xdr:from><xdr:col>2</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>2</xdr:row><xdr:rowOff>0</xdr:rowOff>"
        '</xdr:from><xdr:ext cx="99999" cy="99999"/><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="1" name="Logo"/>'
        f'<xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill><a:blip xmlns:r="{_REL}" r:embed="rId1"/><a:stretch>'
        '<a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"/></xdr:spPr></xdr:pic>'
        "<xdr:clientData/></xdr:oneCellAnchor></xdr:wsDr>"
    )
    types = there["[Content_Types].xml"].decode()
    more = "".join(
        f'<Override PartName="/xl/{name}" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
        for name, kind in (
            ("worksheets/finance.xml", "spreadsheetml.worksheet"),
            ("drawings/drawing77.xml", "drawing"),
            ("comments77.xml", "spreadsheetml.comments"),
        )
    )
    for extension_, kind in (
        ("png", "image/png"),
        ("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing"),
    ):
        if f'Extension="{extension_}"' not in types:
            more += f'<Default Extension="{extension_}" ContentType="{kind}"/>'
    book = there["xl/workbook.xml"].decode()
    book = book.replace("</sheets>", '<sheet name="Finance" sheetId="777" r:id="rId777"/></sheets>')
    if "xmlns:r=" not in book:
        book = book.replace('r:id="rId777"', f'xmlns:r="{_REL}" r:id="rId777"')
    book = book.replace("<definedNames>", '<definedNames><definedName name="budget">Finance!$A$1</definedName>')
    book_rels = there["xl/_rels/workbook.xml.rels"].decode()
    target = f'<Relationship Id="rId777" Type="{_REL}/worksheet" Target="worksheets/finance.xml"/></Relationships>'
    with_parts(
        path,
        {
            part: xml.replace(
                "</worksheet>", f'<legacyDrawing xmlns:r="{_REL}" r:id="c2"/>{extension}</worksheet>'
            ).encode(),
            rels: relations(
                ("c1", "comments", "../comments77.xml"), ("c2", "vmlDrawing", "../drawings/vml77.vml")
            ),
            "xl/comments77.xml": comment.encode(),
            "xl/drawings/vml77.vml": shape.encode(),
            "xl/worksheets/finance.xml": sheet.encode(),
            "xl/worksheets/_rels/finance.xml.rels": relations(("rId1", "drawing", "../drawings/drawing77.xml")),
            "xl/drawings/drawing77.xml": drawing.encode(),
            "xl/drawings/_rels/drawing77.xml.rels": relations(("rId1", "image", "../media/logo77.png")),
            "xl/media/logo77.png": PICTURE,
            "[Content_Types].xml": types.replace("</Types>", f"{more}</Types>").encode(),
            "xl/workbook.xml": book.encode(),
            "xl/_rels/workbook.xml.rels": book_rels.replace("</Relationships>", target).encode(),
            "customXml/item77.xml": b"<ours/>",
        },
    )


def assert_nothing_else_changed(before: Path, after: Path, outcome: Outcome) -> None:
    """Of a refresh: parts, and in the parts that changed all but the cells."""
    old, new = entries(before), entries(after)
    assert list(old) == list(new)
    there = cells(before)
    sheets = {sheet.part: sheet.title for sheet in Package.open(before).sheets}
    touched = {name for name in old if old[name] != new[name]}
    assert touched - {"xl/workbook.xml"} <= sheets.keys()
    plain = [
        {name: content for name, content in parts(path).items() if name in touched} for path in (before, after)
    ]
    for name in touched - {"xl/workbook.xml"}:
        bare = [re.sub(rb"<sheetData.*</sheetData>", b"", one[name], flags=re.DOTALL) for one in plain]
        assert bare[0] == bare[1], name
    bare = [re.sub(rb"<calcPr[^>]*/>", b"", one.get("xl/workbook.xml", b"")) for one in plain]
    assert bare[0] == bare[1]
    now = cells(after)
    for key in there.keys() | now.keys():
        one, other = there.get(key), now.get(key)
        if key in outcome.constants:
            assert not (one and one.formula), key
        elif one != other:
            assert one is not None, key
            assert other is not None, key
            assert one.formula or one.spilled_from, key
            assert one.formula == other.formula, key
            assert key[0] != "Finance"


def assert_as_libreoffice_has_it(path: Path, calc: Office, *, without: Iterable[str] = ()) -> None:
    """The cached values of a workbook against those that LibreOffice computes."""
    with calc.session() as session:
        live = session.open(path).values()
    compared = 0
    for key, cell in cells(path).items():
        if not (cell.formula or cell.spilled_from) or key[0] in without:
            continue
        found = live.get(key, "")
        compared += 1
        if isinstance(cell.value, ExcelErrorText):
            assert found == Error(str(cell.value)), key
        elif isinstance(cell.value, float | bool):
            # A cell that shows a blank one is 0 in Excel; LibreOffice hands the blank on.
            assert (found or 0.0) == pytest.approx(float(cell.value), rel=1e-9, abs=1e-9), (key, cell)
        else:
            assert found == (cell.value or ""), (key, cell)
    assert compared > 500


class TestWorkbooksOfFinance:
    def test_what_openpyxl_would_lose_stays_byte_for_byte(self, model: Path, tmp_path: Path) -> None:
        made_own(model)
        before = tmp_path / "before.xlsx"
        shutil.copy(model, before)
        tables = TestNotices().next_round()
        outcome = refresh(model, written(tmp_path / "data", tables))
        assert len(outcome.changes) > 20
        assert_nothing_else_changed(before, model, outcome)

    def test_macros_stay(self, model: Path, tmp_path: Path) -> None:
        from xl_conversion.hosts.excel.build import macro_workbook

        path = tmp_path / "model.xlsm"
        path.write_bytes(macro_workbook(price_model(filling_of(read_companies(tmp_path / "data"), SERIES))))
        before = tmp_path / "before.xlsm"
        shutil.copy(path, before)
        outcome = refresh(path, written(tmp_path / "data", TestNotices().next_round()))
        assert len(outcome.changes) > 20
        assert entries(path)["xl/vbaProject.bin"] == entries(before)["xl/vbaProject.bin"]
        assert_nothing_else_changed(before, path, outcome)

    def test_rows_and_columns_inserted_sheets_renamed_in_libreoffice(
        self, model: Path, tmp_path: Path, office: Office, calc: Office
    ) -> None:
        edited = tmp_path / "edited.xlsx"
        edit(office, model, edited, EDITS)
        assert {"Inputs, signed off", "Finance", "Q's"} <= {sheet.title for sheet in Package.open(edited).sheets}
        assert any("chart" in name for name in parts(edited))
        tables = TestNotices().next_round()
        tables["holders"].insert(0, {"series": SERIES, "holder": "Dora", "certificate": "A-9", "shares": "5"})
        data = written(tmp_path / "data", tables)
        before = tmp_path / "before.xlsx"
        shutil.copy(edited, before)
        outcome = refresh(edited, data)
        assert_nothing_else_changed(before, edited, outcome)
        fresh = inputs(template(tmp_path / "fresh.xlsx", data))
        now = inputs(edited)
        for name in ("in_event", "in_clause", "in_later_events", "in_capitalization", "in_as_of"):
            assert now[name] == fresh[name], name
        assert [row["Security"] for row in now["in_securities"]] == ["Series D"]
        there = cells(edited)
        assert there["Register", "B5"].value == "checked"  # the reader's own column within the table
        assert at(edited, "in_holders", 1, "Certificate")[1] == "C5"
        assert {row["Holder"] for row in now["in_holders"]} == {"Ada Ventures", "Birch Partners", "Dora"}
        assert_as_libreoffice_has_it(edited, calc, without=["Finance"])
        assert refresh(edited, data).changes == ()

    def test_a_row_that_was_inserted_within_a_table_is_not_counted_on(
        self, model: Path, tmp_path: Path, office: Office, calc: Office
    ) -> None:
        edited = tmp_path / "edited.xlsx"
        edit(
            office,
            model,
            edited,
            "sheet('Register').Rows.insertByIndex(6, 1)\nsheet('Events').Rows.insertByIndex(11, 1)",
        )
        tables = example()
        tables["holders"].insert(0, {"series": SERIES, "holder": "Dora", "certificate": "A-9", "shares": "5"})
        split = {
            "event": "Small split",
            "date": "2020-10-01",
            "kind": "split",
            "split_new": "11",
            "split_old": "10",
        }
        tables["events"].insert(3, split)
        data = written(tmp_path / "data", tables)
        outcome = refresh(edited, data)
        places = {(change.slot.sheet, change.slot.coordinate[1:]) for change in outcome.changes}
        assert places.isdisjoint({("Register", "7"), ("Events", "12")})
        assert outcome.after == value(template(tmp_path / "fresh.xlsx", data), "out_conversion_price_now")
        assert_as_libreoffice_has_it(edited, calc)


EDITS = """
sheet("Securities issued").Rows.insertByIndex(2, 3)
sheet("Register").Columns.insertByIndex(1, 1)
cell("Register", "B4").String = "Seen"
cell("Register", "B5").String = "checked"
sheet("Events").Columns.insertByIndex(2, 2)
sheet("Capitalization").Rows.insertByIndex(0, 1)
sheet("Inputs").Rows.insertByIndex(7, 2)
sheet("Inputs").Columns.insertByIndex(0, 1)
sheet("Inputs").Name = "Inputs, signed off"
sheet("Change log").Name = "Q's"
sheets.insertNewByName("Finance", 1)
cell("Finance", "A1").Formula = "=$'Inputs, signed off'.D11"
cell("Finance", "A2").Value = 4
cell("Finance", "A3").Value = 5
note = cell("Finance", "A2").CellAddress
sheet("Finance").Annotations.insertNew(note, "of the CFO")
box = uno.createUnoStruct("com.sun.star.awt.Rectangle")
box.X, box.Y, box.Width, box.Height = 1000, 3000, 8000, 6000
figures = sheet("Finance").getCellRangeByName("A2:A3").RangeAddress
sheet("Finance").Charts.addNewByName("Ours", box, (figures,), False, False)
"""
EDITOR = """
import json, sys
sys.path.insert(0, sys.argv[1])
import uno
import office_agent
office_agent.uno = uno
path, target, edits = sys.argv[2:5]
agent = office_agent.Agent(sys.argv[5:])
try:
    agent.open(1, path)
    sheets = agent.documents[1].Sheets
    def sheet(name):
        found = sheets.getByName(name)
        found.unprotect("")
        return found
    def cell(name, place):
        return sheet(name).getCellRangeByName(place)
    exec(edits)
    agent.save(1, target, "xlsx")
    agent.close(1)
finally:
    agent.end()
"""


def edit(office: Office, path: Path, target: Path, edits: str) -> None:
    """Carries out `edits` in a LibreOffice, as a user would do by hand, and saves the workbook as `target`."""
    work = target.parent / "editor"
    work.mkdir()
    editor = Office(work)
    python, _, *soffice = editor._command
    command = [
        python,
        "-c",
        EDITOR,
        str(Path(office_module.__file__).parent),
        str(path),
        str(target),
        edits,
        *soffice,
    ]
    done = subprocess.run(
        command, env=editor._environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert target.exists()


class TestRandomInputs:
    """Inputs drawn at random, one after the other into the same workbook."""

    @pytest.mark.parametrize("seed", range(4))
    def test_cached_values_are_those_of_libreoffice(self, tmp_path: Path, calc: Office, seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311
        model = template(tmp_path / "model.xlsx", written(tmp_path / "data", drawn(dice)), room=Room(12, 12, 8))
        made_own(model)
        finance = entries(model)["xl/worksheets/finance.xml"]
        for _ in range(2):
            refresh(model, written(tmp_path / "data", drawn(dice)))
        assert entries(model)["xl/worksheets/finance.xml"] == finance
        assert_as_libreoffice_has_it(model, calc, without=["Finance"])

    @pytest.mark.parametrize("seed", range(10, 16))
    def test_in_the_end_the_inputs_are_those_of_the_last(self, tmp_path: Path, seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311
        room = Room(12, 12, 8)
        start = written(tmp_path / "data", drawn(dice))
        model = template(tmp_path / "model.xlsx", start, room=room)
        other = tmp_path / "other.xlsx"
        shutil.copy(model, other)
        for _ in range(dice.randint(1, 4)):
            last = drawn(dice)
            refresh(model, written(tmp_path / "data", last))
        data = written(tmp_path / "data", last)
        refresh(other, data)
        # Without --event a refresh does not go back to an event before the one under study.
        fresh = template(tmp_path / "fresh.xlsx", data, inputs(model)["in_event"], room=room)
        assert comparable(inputs(model)) == comparable(inputs(fresh))
        again = template(tmp_path / "again.xlsx", data, inputs(other)["in_event"], room=room)
        assert comparable(inputs(other)) == comparable(inputs(again))
        assert value(model, "out_conversion_price_now") == pytest.approx(value(fresh, "out_conversion_price_now"))
        assert refresh(model, data).changes == ()


def drawn(dice: random.Random) -> Tables:
    """An input like the example without notices: with other figures, holders, events and order of rows."""
    tables = unnoticed()
    for row in tables["securities"]:
        row["shares"] = str(dice.randint(1, 30) * 100_000)
        row["consideration_per_share"] = dice.choice(["0.05", "0.10", "0.15", "0.3333"])
    for row in tables["capitalization"]:
        row["shares"] = str(dice.randint(1, 90) * 100_001)
    if dice.random() < 0.5:
        tables["events"] = [row for row in tables["events"] if not row["event"].startswith("Bridge")]
        tables["securities"] = [row for row in tables["securities"] if not row["event"].startswith("Bridge")]
    if dice.random() < 0.5:
        tables["events"] = [row for row in tables["events"] if row["event"] not in ("Split", "Dividend")]
    else:
        row_of(tables, "events", event="Split")["split_new"] = str(dice.randint(2, 5))
        row_of(tables, "events", event="Dividend")["dividend"] = dice.choice(["0.01", "0.125", "0.3"])
    tables["holders"] = [
        {
            "series": SERIES,
            "holder": dice.choice(["Ada", "Birch", "Cedar", "Dora"]),
            "certificate": f"A-{number}",
            "shares": str(dice.randint(1, 500_000)),
        }
        for number in dice.sample(range(20), dice.randint(1, 8))
    ]
    return tables


def comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without the words and choices that stay by rule, and without the order of rows that has none."""

    def rows(content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {k: f"{v:.15g}" if isinstance(v, float) else v for k, v in row.items() if k not in ("Source", "Note")}
            for row in content
        ]

    return {
        name: (rows(content) if name.endswith("_events") else sorted(rows(content), key=str))
        if isinstance(content, list)
        else content
        for name, content in found.items()
        if not name.startswith("in_sensitivity")
    }


# The chain


def conversions(*holders: tuple[str, str, str]) -> Tables:
    """The notice's input with its notes by holder: name, principal, accrued interest."""
    tables = example("vsource")
    (row,) = tables["conversions"]
    tables["conversions"] = [
        {**row, "holder": name, "principal": principal, "accrued_interest": interest}
        for name, principal, interest in holders
    ]
    return tables


class TestChain:
    @pytest.fixture
    def chain(self, tmp_path: Path) -> Path:
        path = tmp_path / "chain.xlsx"
        path.write_bytes(chain_model_bytes(blank_chain(), holders=4))
        return path

    def test_notes_by_holder(self, chain: Path, tmp_path: Path, calc: Office) -> None:
        first = conversions(("Ada", "600000", "35301.48"), ("Birch", "500000", ""), ("Cedar", "4000", "0.55"))
        outcome = refresh(chain, written(tmp_path / "data", first))
        assert (outcome.before, outcome.after) == ("", pytest.approx(11393020.3, rel=1e-15))
        assert_as_libreoffice_has_it(chain, calc)
        typed(chain, {at(chain, "in_notes", 2, "Note"): "by wire"})
        second = conversions(
            ("Dora", "1000", ""), ("Birch", "510000", "1.00"), ("Eve", "2000", ""), ("Max", "3", "")
        )
        outcome = refresh(chain, written(tmp_path / "data", second))
        notes = [
            {k: row.get(k) for k in ("Holder", "Principal", "Accrued interest")}
            for row in table(chain, "in_notes")
        ]
        assert notes == [
            {"Holder": "Eve", "Principal": 2000.0, "Accrued interest": None},
            {"Holder": "Birch", "Principal": 510000.0, "Accrued interest": 1.0},
            {"Holder": "Max", "Principal": 3.0, "Accrued interest": None},
            {"Holder": "Dora", "Principal": 1000.0, "Accrued interest": None},
        ]
        assert outcome.after == pytest.approx((1000 + 510001 + 2000 + 3) * 10)
        assert_as_libreoffice_has_it(chain, calc)
        assert log(chain)[-1]["Price after"] == outcome.after
        assert refresh(chain, tmp_path / "data").changes == ()
        refused(
            chain,
            written(tmp_path / "data", conversions(*((f"H{number}", "1", "") for number in range(5)))),
            "Notes has room for 4 rows, and 5 are needed",
            "--holders",
        )

    def test_choices_of_the_reader_stay(self, chain: Path, tmp_path: Path) -> None:
        data = written(tmp_path / "data", conversions(("Ada", "600000", "35301.48")))
        refresh(chain, data)
        typed(chain, {slot(chain, "in_route"): "by_holder", slot(chain, "in_share_rounding_type"): "half_up"})
        assert refresh(chain, data).changes == ()

    def test_its_row_goes_to_the_securities(self, chain: Path, tmp_path: Path, calc: Office) -> None:
        tables = example("vsource")
        del tables["stated"]
        source = written(tmp_path / "data", tables)
        model = tmp_path / "model.xlsx"
        model.write_bytes(price_model_bytes(filling_of(read_companies(source))))
        typed(model, {at(model, "in_securities", 1, "Note"): "mine"})
        before = table(model, "in_securities")
        refresh(
            chain, written(tmp_path / "notes", conversions(("Ada", "600000", "35301.48"), ("Birch", "500000", "")))
        )
        typed(chain, {slot(chain, "in_feed_shares"): "route"})
        outcome = refresh(model, chain)
        after = table(model, "in_securities")
        assert [row["Security"] for row in after] == [row["Security"] for row in before]
        assert after[0]["Shares"] == pytest.approx(11353014.8, rel=1e-15)
        assert after[0]["Consideration per share"] == 0.1
        assert after[0]["Source"] == "Conversion chain model"
        assert after[1:] == before[1:]
        assert len(outcome.digest) == 64
        assert log(model)[-1]["What"] == "Refreshed from chain.xlsx"
        assert_as_libreoffice_has_it(model, calc)
        assert refresh(model, chain).changes == ()

    def test_but_not_where_a_notice_was_issued(self, chain: Path, tmp_path: Path) -> None:
        model = tmp_path / "model.xlsx"
        model.write_bytes(price_model_bytes())
        refresh(chain, written(tmp_path / "notes", conversions(("Ada", "600000", "35301.48"))))
        before = model.read_bytes()
        outcome = refresh(model, chain)
        assert model.read_bytes() == before
        assert not outcome.changes
        typed(chain, {slot(chain, "in_feed_shares"): "route"})
        outcome = refresh(model, chain)
        assert kept(outcome) == {
            "Convertible Promissory Notes: Shares": (45575951.0, pytest.approx(6353014.8), NOTICED)
        }
        assert model.read_bytes() == before

    def test_one_that_is_not_complete_or_of_others(self, chain: Path, tmp_path: Path) -> None:
        model = tmp_path / "model.xlsx"
        model.write_bytes(price_model_bytes())
        refused(model, chain, "The chain model gives no Security and no Shares yet", "Fill in its inputs first")
        data = written(tmp_path / "data", conversions(("Ada", "600000", "")))
        refresh(chain, data)
        tables = conversions(("Ada", "600000", ""))
        for row in tables["series"]:
            row["company"] = "Other, Inc."
        refused(
            chain, written(tmp_path / "data", tables), "The workbook is of Vsource, Inc., the input of Other, Inc."
        )


# Whatever happens meanwhile

WORKER = """
import sys
from pathlib import Path
from xl_conversion.books.refresh.refresh import Asked, refresh_file
from datetime import datetime

path, sources = Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]]
print("ready", flush=True)
while True:
    for source in sources:
        refresh_file(path, source, Asked(), datetime(2026, 11, 23), backup=False)
        print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_at_any_moment_the_workbook_is_complete(tmp_path: Path) -> None:
    tables = unnoticed()
    model = template(tmp_path / "model.xlsx", written(tmp_path / "one", tables))
    row_of(tables, "holders", certificate="A-1")["shares"] = "900000"
    row_of(tables, "securities", event="Bridge recount")["shares"] = "2000000"
    sources = written(tmp_path / "one", unnoticed()), written(tmp_path / "two", tables)
    wanted = [1000000.0, 900000.0]
    found = set()
    dice = random.Random(20020205)  # noqa: S311
    for _ in range(6):
        order = sources if value_of_holder(model) == wanted[1] else sources[::-1]
        with subprocess.Popen(
            [sys.executable, "-c", WORKER, str(model), *map(str, order)], stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdout
            for _ in range(dice.randint(1, 4)):
                assert worker.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(dice.uniform(0, 0.6))
            worker.kill()
        package = Package.open(model)
        for sheet in package.sheets:
            package.cells(sheet.title)
        first = value_of_holder(model)
        securities = table(model, "in_securities")[0]["Shares"]
        assert (first, securities) in {(1000000.0, 3100000.0), (900000.0, 2000000.0)}
        assert [row["Remark"] for row in log(model)[1:] if "changed" not in row["Remark"]] == []
        found.add(first)
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} <= {".xlsx", ".tmp"}


def value_of_holder(model: Path) -> float:
    found: float = table(model, "in_holders")[0]["Shares"]
    return found


def test_changed_on_the_disk_meanwhile(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = example()
    row_of(tables, "holders", certificate="A-1")["shares"] = "900000"
    data = written(tmp_path / "data", tables)
    patched: Callable[..., bytes] = Package.patched
    saved = b"saved by somebody"

    def slowly(package: Package, changes: Any) -> bytes:
        model.write_bytes(saved)
        return patched(package, changes)

    monkeypatch.setattr(Package, "patched", slowly)
    with pytest.raises(RefreshError, match=r"model\.xlsx has changed since it was read"):
        refresh(model, data)
    assert model.read_bytes() == saved
