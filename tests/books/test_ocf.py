"""What happened to a price, written in the Open Cap Format: exactly, or not at all; and read back, it ties out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.books.ocf import (
    MOST_WHOLE_DIGITS,
    numeric,
    ratio_adjustment_bytes,
    ratio_adjustments,
    ratio_numbers,
)
from xl_conversion.core.capitalization import ClassKind, ShareClass
from xl_conversion.core.changes import Change
from xl_conversion.core.events import Issued, Split
from xl_conversion.core.history import Company, history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Basis, Rounding, Series
from xl_conversion.core.tie_out import tie_out_history
from xl_conversion.inputs.ocf import read_package
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.reading import Case, cases_of

NUMERIC = re.compile(r"[+-]?[0-9]+(\.[0-9]{1,10})?")
"""The pattern that the format publishes for its numbers."""
TERMS = Series(
    "Series A Preferred",
    "Acme, Inc.",
    Fraction("6.41"),
    Fraction("6.41"),
    "4(d)",
    Rounding(2),
    ratio_basis=Basis.ROUNDED,
)


def check(value: Any, schema: Any) -> None:
    """That a value has the fields of a schema and no others: constants, patterns, or fields in fields."""
    if isinstance(schema, dict):
        assert value.keys() == schema.keys()
        for key, inner in schema.items():
            check(value[key], inner)
    elif isinstance(schema, list):
        assert isinstance(value, list)
        for one in value:
            check(one, schema[0])
    elif isinstance(schema, re.Pattern):
        assert schema.fullmatch(value), value
    else:
        assert value == schema


ADJUSTMENT = {
    "object_type": "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT",
    "id": re.compile(".+"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "stock_class_id": re.compile(".+"),
    "comments": [re.compile(".*")],
    "new_ratio_conversion_mechanism": {
        "type": "RATIO_CONVERSION",
        "conversion_price": {"amount": NUMERIC, "currency": re.compile("[A-Z]{3}")},
        "ratio": {"numerator": NUMERIC, "denominator": NUMERIC},
        "rounding_type": re.compile("CEILING|FLOOR|NORMAL"),
    },
}
"""A ratio adjustment as the format publishes it, with the fields that it requires and the comments it allows."""


def changes_of(series: Series, *events: Any) -> tuple[Change, ...]:
    classes = (
        ShareClass("Common Stock", ClassKind.COMMON, Fraction(1_000_000)),
        ShareClass(series.name, ClassKind.PREFERRED, Fraction(200_000)),
    )
    return history(Company((series,), tuple(events), classes)).of(series.name)


def down_round(price: str = "2.00", shares: int = 500_000, event: str = "Down round") -> Issued:
    security = Security("New", SecurityKind.SHARES, Fraction(shares), shares * Fraction(price))
    return Issued(event=event, date=date(2021, 6, 1), securities=(security,))


def two_for_one() -> Split:
    return Split(event="Split", date=date(2022, 1, 3), new=Fraction(2), old=Fraction(1))


def dividend_of_nothing() -> Issued:
    """An issuance above the price, which moves nothing."""
    return down_round("9.00", event="Up round")


def test_each_move_of_the_price_is_one_adjustment() -> None:
    changes = changes_of(TERMS, dividend_of_nothing(), down_round(), two_for_one())
    found = ratio_adjustments(changes, currency="USD", stock_class_id="a", digest="d")
    for one in found:
        check(one, ADJUSTMENT)
    assert [one["comments"][0] for one in found] == ["event: Down round", "event: Split"]
    mechanism = found[0]["new_ratio_conversion_mechanism"]
    # (6.41 x 1,700,000 + 1,000,000) / 2,200,000, to the cent.
    assert mechanism["conversion_price"] == {"amount": "5.41", "currency": "USD"}
    assert mechanism["ratio"] == {"numerator": "6.41", "denominator": "5.41"}
    assert mechanism["rounding_type"] == "FLOOR"
    assert [one["date"] for one in found] == ["2021-06-01", "2022-01-03"]
    assert {one["stock_class_id"] for one in found} == {"a"}


def test_the_bytes_are_the_same_in_each_run_and_others_for_another_input() -> None:
    changes = changes_of(TERMS, down_round(), two_for_one())
    first = ratio_adjustment_bytes(changes, currency="USD", digest="d")
    assert first == ratio_adjustment_bytes(
        changes_of(TERMS, down_round(), two_for_one()), currency="USD", digest="d"
    )
    assert first.endswith(b"}\n")
    content = json.loads(first)
    assert content["file_type"] == "OCF_TRANSACTIONS_FILE"
    assert content.keys() == {"file_type", "items"}
    assert first == (json.dumps(content, sort_keys=True, indent=2) + "\n").encode()
    other = json.loads(ratio_adjustment_bytes(changes, currency="USD", digest="e"))
    ids = {one["id"] for one in (*content["items"], *other["items"])}
    assert len(ids) == 4
    assert {one["stock_class_id"] for one in content["items"]} == {one["stock_class_id"] for one in other["items"]}


def refused(changes: tuple[Change, ...]) -> list[str]:
    with pytest.raises(InputError) as caught:
        ratio_adjustments(changes, currency="USD")
    assert all(problem.hint for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_a_price_that_ten_decimals_do_not_say_is_refused() -> None:
    changes = changes_of(replace(TERMS, price=Rounding()), down_round())
    (problem,) = refused(changes)
    assert problem.startswith("Series A Preferred: event Down round: the price ")
    assert str(changes[0].price) in problem
    eleven = changes_of(replace(TERMS, price=Rounding(11)), down_round())
    assert refused(eleven)[0].startswith("Series A Preferred: event Down round: the price 5.11294117647 cannot")
    assert ratio_adjustments(changes_of(replace(TERMS, price=Rounding(10)), down_round()), currency="USD")


def test_a_rounding_without_a_word_is_refused_once() -> None:
    series = replace(TERMS, share_rounding_type=RoundingType.HALF_EVEN)
    (problem,) = refused(changes_of(series, down_round(), two_for_one()))
    assert "share_rounding_type is 'half_even'" in problem
    assert ratio_adjustments(changes_of(series, dividend_of_nothing()), currency="USD") == []


@pytest.mark.parametrize(
    ("kind", "word"),
    [(RoundingType.HALF_UP, "NORMAL"), (RoundingType.FLOOR, "FLOOR"), (RoundingType.CEILING, "CEILING")],
)
def test_the_words_for_rounding(kind: RoundingType, word: str) -> None:
    (one,) = ratio_adjustments(changes_of(replace(TERMS, share_rounding_type=kind), down_round()), currency="USD")
    assert one["new_ratio_conversion_mechanism"]["rounding_type"] == word


def test_a_ratio_rounded_by_the_charter_is_the_one_written() -> None:
    (one,) = ratio_adjustments(changes_of(replace(TERMS, ratio=Rounding(4)), down_round()), currency="USD")
    assert one["new_ratio_conversion_mechanism"]["ratio"] == {"numerator": "1.2544", "denominator": "1"}


def test_a_currency_is_a_code() -> None:
    with pytest.raises(ValueError, match="is not a code such as USD"):
        ratio_adjustments((), currency="$")


FIGURES = st.fractions(min_value=Fraction(1, 10**6), max_value=10**12, max_denominator=10**13) | st.builds(
    lambda digits, places: Fraction(digits, 10**places), st.integers(1, 10**20), st.integers(0, 14)
)


@given(value=FIGURES)
def test_a_number_is_written_exactly_or_not_at_all(value: Fraction) -> None:
    text = numeric(value)
    fits = (value * 10**10).denominator == 1
    assert (text is not None) == fits
    if text is not None:
        assert NUMERIC.fullmatch(text)
        assert Fraction(text) == value


@given(over=FIGURES, under=FIGURES, ratio=st.none() | FIGURES)
def test_a_ratio_is_written_exactly_or_not_at_all(over: Fraction, under: Fraction, ratio: Fraction | None) -> None:
    ratio = over / under if ratio is None else ratio
    numbers = ratio_numbers(ratio, over, under)
    short = max(ratio.numerator, ratio.denominator) < 10**MOST_WHOLE_DIGITS
    if numbers is None:
        assert not short
    else:
        numerator, denominator = numbers
        assert NUMERIC.fullmatch(numerator)
        assert NUMERIC.fullmatch(denominator)
        assert Fraction(numerator) / Fraction(denominator) == ratio


def test_a_ratio_beyond_all_digits_is_refused() -> None:
    ratio = Fraction(10**40 + 1, 3**90)
    assert ratio_numbers(ratio, Fraction(1), Fraction(3)) is None
    series = replace(TERMS, ratio_basis=Basis.UNROUNDED, carried_price=Basis.UNROUNDED)
    rounds = [down_round(f"1.{place:02}1", 500_000 + place, f"Round {place}") for place in range(12)]
    problems = refused(changes_of(series, *rounds))
    assert all("the ratio " in problem for problem in problems)
    assert "event Round 11" in problems[-1]


# Read back.


def monetary(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def package(folder: Path, extra: list[dict[str, Any]], terms: str) -> Case:
    """A package of common, a Series A and two rounds below its price, with more transactions; its Series A."""
    folder.mkdir()
    common = {"object_type": "STOCK_CLASS", "id": "c", "name": "Common Stock", "class_type": "COMMON"}
    mechanism = {
        "type": "RATIO_CONVERSION",
        "conversion_price": monetary("6.41"),
        "ratio": {"numerator": "1", "denominator": "1"},
        "rounding_type": "NORMAL",
    }
    right = {"conversion_mechanism": mechanism, "converts_to_stock_class_id": "c"}
    series = {
        "object_type": "STOCK_CLASS",
        "id": "a",
        "name": "Series A Preferred",
        "class_type": "PREFERRED",
        "price_per_share": monetary("6.41"),
        "conversion_rights": [right],
    }
    holder = {"object_type": "STAKEHOLDER", "id": "ann", "name": {"legal_name": "Ann"}}

    def issued(key: str, day: str, of: str, quantity: str, price: str) -> dict[str, Any]:
        return {
            "object_type": "TX_STOCK_ISSUANCE",
            "id": f"tx-{key}",
            "security_id": key,
            "custom_id": key,
            "date": day,
            "stock_class_id": of,
            "stakeholder_id": "ann",
            "quantity": quantity,
            "share_price": monetary(price),
        }

    transactions = [
        issued("CS-1", "2019-01-02", "c", "1000000", "0.0001"),
        issued("PA-1", "2020-01-02", "a", "200000", "6.41"),
        issued("CS-2", "2021-06-01", "c", "500000", "2.00"),
        {
            "object_type": "TX_STOCK_CLASS_SPLIT",
            "id": "split",
            "date": "2021-06-01",
            "stock_class_id": "c",
            "split_ratio": {"numerator": "3", "denominator": "1"},
        },
        issued("CS-3", "2022-06-01", "c", "1000000", "0.33"),
        *extra,
    ]
    files = {"stock_classes": [common, series], "stakeholders": [holder], "transactions": transactions}
    manifest: dict[str, Any] = {"file_type": "OCF_MANIFEST_FILE", "issuer": {"legal_name": "Acme, Inc."}}
    for name, items in files.items():
        data = json.dumps({"file_type": f"OCF_{name.upper()}_FILE", "items": items}).encode()
        (folder / f"{name}.ocf.json").write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        manifest[f"{name}_files"] = [{"filepath": f"{name}.ocf.json", "md5": digest}]
    (folder / "Manifest.ocf.json").write_text(json.dumps(manifest))
    (folder / "xl_conversion").mkdir()
    columns = "series,method,exempted,price_decimals,price_rounding_type,carried_price,ratio_basis,ratio_decimals"
    row = f"Series A Preferred,broad,,{terms}"
    (folder / "xl_conversion" / "series.csv").write_text(f"{columns},ratio_rounding_type\n{row}\n")
    (case,) = cases_of(read_package(folder), str(folder))
    return case


@pytest.mark.parametrize(
    "terms",
    [
        "2,half_up,rounded,rounded,,",
        "2,half_up,rounded,unrounded,,",
        "4,floor,rounded,rounded,4,half_up",
        "10,ceiling,rounded,rounded,,floor",
    ],
)
def test_what_is_written_is_read_back_and_ties_out(tmp_path: Path, terms: str) -> None:
    case = package(tmp_path / "before", [], terms)
    written = json.loads(
        ratio_adjustment_bytes(case.changes, currency="USD", stock_class_id="a", digest=case.digest)
    )["items"]
    assert len(written) == 3
    again = package(tmp_path / "after", written, terms)
    findings = tie_out_history(again.changes, again.issuances, again.stated)
    assert len(findings) == 6
    assert [str(finding) for finding in findings if finding.is_exception] == []
    assert {finding.event for finding in findings} == {
        "Common Stock 2021-06-01",
        "Split 2021-06-01",
        "Common Stock 2022-06-01",
    }
    # What was stated moves nothing.
    assert [change.price for change in again.changes] == [change.price for change in case.changes]


def test_what_is_written_wrongly_does_not_tie(tmp_path: Path) -> None:
    terms = "2,half_up,rounded,rounded,,"
    case = package(tmp_path / "before", [], terms)
    written = ratio_adjustments(case.changes, currency="USD", stock_class_id="a")
    written[-1]["new_ratio_conversion_mechanism"]["conversion_price"]["amount"] += "1"
    again = package(tmp_path / "after", written, terms)
    findings = tie_out_history(again.changes, again.issuances, again.stated)
    assert [f.event for f in findings if f.is_exception] == ["Common Stock 2022-06-01"]
