"""Every column of an input is explained, and every word that it allows."""

from __future__ import annotations

import re

import pytest

from xl_conversion.inputs.events import FORMS, KINDS
from xl_conversion.inputs.pages import WIDTH, tables_text
from xl_conversion.inputs.records import RECORDS, EventRecord, Record, SeriesRecord
from xl_conversion.inputs.words import MEANINGS, types_of, words_of

every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.table)


@every_record
def test_every_column_has_a_description(record: type[Record]) -> None:
    for name, field in record.model_fields.items():
        text = field.description or ""
        assert len(text) > 8, name
        assert text[0].isupper(), name
        assert not text.endswith("."), name


@every_record
def test_a_page_explains_each_column_once_and_marks_the_required_ones(record: type[Record]) -> None:
    page = tables_text(record.table)
    assert max(map(len, page.splitlines())) <= WIDTH
    assert page.startswith(f"{record.table}: ")
    fields = {field.alias or name: field for name, field in record.model_fields.items()}
    of_kinds = {column for kind in KINDS.values() for column in kind.columns} if record is EventRecord else set()
    for column, field in fields.items():
        (mark,) = set(re.findall(rf"^  ([ *]) {column}: ", page, re.M)) or {""}
        assert mark == ("" if column in of_kinds else "*" if field.is_required() else " "), column


@every_record
def test_every_allowed_word_is_told_with_its_meaning(record: type[Record]) -> None:
    page = " ".join((tables_text(record.table)).split())
    for column in record.model_fields:
        name = record.model_fields[column].alias or column
        for kind in KINDS if name == "form" else ("",):
            for word, meaning in words_of(record, name, kind).items():
                assert (f"{word} ({meaning})" if meaning and name != "kind" else word) in page
                assert meaning in page


def test_every_enumeration_has_a_meaning_for_each_word() -> None:
    for names, meanings in MEANINGS.items():
        assert list(meanings) == [name.value for name in names]
        assert all(meanings.values())
    held = {
        one
        for record in RECORDS
        for column in record.model_fields
        if column != "class_"
        for one in types_of(record, column)
    }
    assert {one for one in held if hasattr(one, "__members__")} < MEANINGS.keys()
    assert {type(form) for forms in FORMS.values() for form in forms} < MEANINGS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_event_is_told_with_its_columns(kind: str) -> None:
    part = re.split(
        r"^  (?=\w)", tables_text("events").partition("Further columns of each kind:\n")[2], flags=re.M
    )
    (told,) = [text for text in part if text.startswith(f"{kind}: ")]
    one = KINDS[kind]
    assert one.help
    assert re.findall(r"^    \* (\w+): ", told, re.M) == list(one.required)
    assert re.findall(r"^      (\w+): ", told, re.M) == list(one.optional)
    assert one.told.keys() <= one.columns


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            "events",
            "Shares that have lapsed, as of the day of the event, after the splits and dividends before it; "
            "blank: all that is left.",
        ),
        ("securities", "as of the day of the event, after the splits and dividends before it"),
        ("securities", "Securities of category pool are granted out of the pool"),
        ("securities", "the series comes into being with the event"),
        (
            "series",
            "price_rounding_type: How the conversion price is rounded: half_up (to the nearest, a tie away "
            "from zero)",
        ),
        ("series", "Default: half_up."),
        ("series", "downward_only: Whether nothing but a combination may raise the price: yes, no. Default: no."),
        ("series", "full_ratchet (down to the issue price), none (not at all). Default: broad."),
        ("events", "Default: over_sum."),
        ("events", "Default: ratio."),
        ("events", "All the shares paid together, a whole number."),
        ("capitalization", "* class: Name of the class"),
    ],
)
def test_what_a_page_says(table: str, words: str) -> None:
    assert words in " ".join(tables_text(table).split())


def test_the_overview_is_short() -> None:
    lines = tables_text().splitlines()
    assert len(lines) == 2 * len(RECORDS) + 1
    assert lines[0] == "series: A series and its terms."
    assert lines[1] == "  required: series, company, original_issue_price, conversion_price"
    for record, line in zip(RECORDS, lines[::2], strict=False):
        assert line.startswith(f"{record.table}: ")
    assert lines[-1] == "xl-conversion tables TABLE explains every column."


def test_there_is_no_other_table() -> None:
    assert tables_text("serie") == ""
    assert tables_text("SERIES") == tables_text(SeriesRecord.table)
