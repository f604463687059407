"""What a refresh changes and keeps, on small tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from xl_conversion.books.refresh.package import RefreshError, StoredCell
from xl_conversion.books.refresh.plan import NOTICED, OF_THE_READER, Plan, same
from xl_conversion.books.refresh.slots import Slots
from xl_conversion.books.templates.filling import Given

HEADERS = ("Holder", "Shares", "Note")


@dataclass(frozen=True)
class Tab:
    """A sheet by its title."""

    title: str
    code_name: str = ""


class Book:
    """A workbook of one sheet S: `rows` from A4 on, the first of them headers, named in_table."""

    def __init__(self, *rows: tuple[Any, ...], room: int = 4, first: str = "A") -> None:
        offset = ord(first) - ord("A")
        self.sheets = [Tab("S")]
        self.stored: dict[str, StoredCell] = {}
        for number, row in enumerate(rows, start=4):
            for place, content in enumerate(row, start=1 + offset):
                if content is not None:
                    formula = content[1:] if isinstance(content, str) and content.startswith("=") else ""
                    shown = StoredCell(7.0, formula) if formula else StoredCell(content)
                    self.stored[f"{get_column_letter(place)}{number}"] = shown
        last = get_column_letter(len(rows[0]) + offset)
        self.names = {"in_table": f"S!${first}$4:${last}${4 + room}", "in_price": "S!$C$2"}
        self.stored["A1"], self.stored["C1"], self.stored["D1"] = map(StoredCell, ("Input", "Value", "Source"))
        self.stored["A2"], self.stored["C2"] = StoredCell("Price"), StoredCell(2.0)

    def cells(self, title: str) -> Mapping[str, StoredCell]:
        assert title == "S"
        return self.stored

    def plan(self) -> Plan:
        return Plan(Slots(self))

    def apply(self, plan: Plan) -> None:
        for slot, change in plan.changes.items():
            self.stored[slot.coordinate] = StoredCell(change.new)

    def rows(self, *headers: str) -> list[tuple[Any, ...]]:
        slots = Slots(self)
        found = slots.rows(slots.tables["in_table"], headers or HEADERS)
        return [(number, *row.values()) for number, row in found.items()]


def row(holder: str, shares: int, note: str | None = None) -> dict[str, Any]:
    return {"Holder": holder, "Shares": Fraction(shares), "Note": note}


def changes(plan: Plan) -> dict[str, tuple[Any, Any]]:
    return {slot.coordinate: (change.old, change.new) for slot, change in plan.changes.items()}


def table(plan: Plan, *rows: dict[str, Any], **options: Any) -> Plan:
    plan.table("in_table", rows, HEADERS, ("Holder",), own=("Note",), **options)
    return plan


def test_rows_keep_their_places_wherever_the_table_stands() -> None:
    book = Book(("Mine", "Note", "Shares", "Holder"), ("x", None, 5.0, "B"), ("y", "hers", 6.0, "A"), first="C")
    plan = table(book.plan(), row("A", 7), row("C", 8))
    assert changes(plan) == {
        "E6": (6.0, 7.0),
        "F7": (None, "C"),
        "E7": (None, 8.0),
        "F5": ("B", None),
        "E5": (5.0, None),
    }
    assert not plan.kept


@pytest.mark.parametrize(("reuse", "place"), [(True, 5), (False, 7)])
def test_the_place_of_a_row_that_is_gone(reuse: bool, place: int) -> None:
    book = Book(HEADERS, ("A", 1.0, "old note"), ("B", 2.0, None))
    book.apply(table(book.plan(), row("B", 2), row("C", 3), reuse=reuse))
    assert sorted(book.rows()) == sorted([(6, "B", 2.0, None), (place, "C", 3.0, None)])


def test_room_is_made_by_rows_that_are_gone_but_no_more() -> None:
    book = Book(HEADERS, ("A", 1.0, None), ("B", 2.0, None), room=2)
    book.apply(table(book.plan(), row("C", 3), row("D", 4)))
    assert book.rows() == [(5, "C", 3.0, None), (6, "D", 4.0, None)]
    with pytest.raises(RefreshError, match="S has room for 2 rows, and 3 are needed"):
        table(book.plan(), row("C", 3), row("D", 4), row("E", 5))
    with pytest.raises(RefreshError, match="room for 2 rows"):
        table(book.plan(), row("E", 5), complete=False)


def test_some_rows_only() -> None:
    book = Book(HEADERS, ("A", 1.0, None), ("B", 2.0, "mine"))
    assert changes(table(book.plan(), row("B", 9), complete=False)) == {"B6": (2.0, 9.0)}


def test_frozen_tables_keep_everything_but_blank_words() -> None:
    book = Book(HEADERS, ("A", 1.0, None), ("B", 2.0, "mine"), ("C", 3.0, None))
    plan = table(book.plan(), row("A", 5, "new"), row("B", 2, "other"), row("D", 4), frozen=NOTICED)
    assert changes(plan) == {"C5": (None, "new")}
    assert {(k.slot.coordinate, k.has, k.given, k.why) for k in plan.kept} == {
        ("B5", 1.0, 5.0, NOTICED),
        ("A8", None, "D", NOTICED),
        ("B8", None, 4.0, NOTICED),
        ("A7", "C", None, NOTICED),
        ("B7", 3.0, None, NOTICED),
    }
    plan = table(book.plan(), row("A", 1), row("B", 2), row("C", 3), row("D", 4), frozen=NOTICED, growing=True)
    assert changes(plan) == {"A8": (None, "D"), "B8": (None, 4.0)}
    assert not plan.kept


def test_formulas_of_the_reader_stay() -> None:
    book = Book(HEADERS, ("A", "=3+4", None))
    plan = table(book.plan(), row("A", 7))
    assert not plan.changes
    assert not plan.kept  # it shows what the input says
    plan = table(book.plan(), row("A", 8))
    assert [(k.slot.coordinate, k.has, k.given, k.why) for k in plan.kept] == [("B5", 7.0, 8.0, OF_THE_READER)]
    plan = book.plan()
    book.stored["C2"] = StoredCell(7.0, "6+1")
    plan.scalar("in_price", Given(Fraction(8), "a letter"))
    assert not plan.changes


def test_a_single_input_brings_its_source() -> None:
    book = Book(HEADERS)
    plan = book.plan()
    plan.scalar("in_price", Given(Fraction(2), "a letter"))
    assert not plan.changes
    plan.scalar("in_price", Given(Fraction(3), "a letter"))
    assert {slot.coordinate: (c.what, c.new) for slot, c in plan.changes.items()} == {
        "C2": ("Price", 3.0),
        "D2": ("Price: source", "a letter"),
    }
    with pytest.raises(RefreshError, match="no cells named in_other"):
        plan.scalar("in_other", Given("x"))


def test_rows_inserted_by_hand_are_not_filled() -> None:
    book = Book((*HEADERS, "Complete"), ("A", 1.0, None, "=1"), (None, None, None, None), (None, None, None, "=1"))
    book.apply(table(book.plan(), row("A", 1), row("B", 2)))
    assert book.rows() == [(5, "A", 1.0, None), (7, "B", 2.0, None)]


def test_a_header_that_is_there_twice() -> None:
    with pytest.raises(RefreshError, match="two columns Shares"):
        table(Book((*HEADERS, "Shares"), ("A", 1.0, None)).plan(), row("A", 1))
    plan = table(Book((*HEADERS, "Check", "Check"), ("A", 1.0, None, "x", "y")).plan(), row("A", 1))
    assert not plan.changes


def test_an_error_in_an_input_is_told() -> None:
    from xl_conversion.books.saving import ExcelErrorText

    book = Book(HEADERS, ("A", 1.0, None))
    book.stored["B5"] = StoredCell(ExcelErrorText("#REF!"))
    with pytest.raises(RefreshError, match="The input S!B5 shows #REF!"):
        table(book.plan(), row("A", 1))


EVENTS = ("Event", "Date", "Notice")


def events(plan: Plan, names: str, noticed: str = "") -> Plan:
    plan.events("in_table", [{"Event": name, "Date": Fraction(1)} for name in names], EVENTS, list(noticed))
    return plan


def history(*names: str | None) -> Book:
    return Book(EVENTS, *((name, 1.0 if name else None, None) for name in names), room=5)


@pytest.mark.parametrize(
    ("there", "names", "noticed", "after"),
    [
        (["A", "B"], "ANB", "", ["A", "N", "B"]),
        (["A", None, "B"], "ANB", "B", ["A", "N", "B"]),
        (["A", "B"], "AC", "", ["A", "C"]),
        (["A", None, "B", "C"], "BC", "B", [None, None, "B", "C"]),
        (["A", "B", "C"], "BC", "", [None, "B", "C"]),
        ([None, "B"], "ABCD", "B", ["A", "B", "C", "D"]),
    ],
)
def test_events_keep_their_order(
    there: list[str | None], names: str, noticed: str, after: list[str | None]
) -> None:
    book = history(*there)
    book.apply(events(book.plan(), names, noticed))
    assert [
        book.stored[f"A{5 + n}"].value if f"A{5 + n}" in book.stored else None for n in range(len(after))
    ] == after
    assert [name for _, name in book.rows("Event")] == list(names)


def test_events_that_would_have_to_move() -> None:
    with pytest.raises(RefreshError, match="N comes before an event that a notice was issued on"):
        events(history("A", "B").plan(), "ANB", "B")
    with pytest.raises(RefreshError, match="A would have to move on S, and a notice was issued on it"):
        events(history("A", "B").plan(), "BA", "AB")
    with pytest.raises(RefreshError, match="S has room for 5 rows, and 6 are needed"):
        events(history("A", "B").plan(), "ABCDEF")


NAMES = st.lists(st.sampled_from("ABCDEFG"), unique=True, max_size=5)


@given(NAMES, NAMES, st.data())
def test_whatever_comes_the_rows_are_those_of_the_input(
    first: list[str], second: list[str], data: st.DataObject
) -> None:
    book = Book(HEADERS, room=5)
    for names in (first, second, second):
        rows = [row(name, data.draw(st.integers(1, 9))) for name in names]
        book.apply(table(book.plan(), *rows))
        assert sorted(r[1:] for r in book.rows()) == sorted((r["Holder"], float(r["Shares"]), None) for r in rows)
        assert not table(book.plan(), *rows).changes


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1 / 3, 0.333333333333333, True),
        (4065040.650406504, 4065040.6504065, True),
        (0.1, 0.10000000000001, False),
        (True, 1.0, False),
        (True, True, True),
        ("1", 1.0, False),
        (None, 0.0, False),
        (None, None, True),
    ],
)
def test_same(old: Any, new: Any, expected: bool) -> None:
    assert same(old, new) is expected
    assert same(new, old) is expected
