"""Columns of numbers by one function: each row as the core has it, to the last digit."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.batch import parquet
from xl_conversion.batch.columns import raised, whole, words
from xl_conversion.batch.compute import ImpossibleRows, _Adjusting, adjust, adjust_all
from xl_conversion.batch.parquet import compute_file
from xl_conversion.batch.plan import COMPUTED, Settings, planned
from xl_conversion.core.adjustments import ImpossibleArgument, round_price, weighted_average
from xl_conversion.core.rounding import RoundingType, exact
from xl_conversion.files import SaveError
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.functions.definition import HOW_TO_ROUND, Kind
from xl_conversion.inputs.problems import InputError

NAMES = ("conversion_price", "outstanding", "consideration", "issued", "other_securities")
RESULT = "conversion_price_after"
VSOURCE = {
    "conversion_price": ["6.41"],
    "outstanding": ["33831184"],
    "consideration": ["8187842.70"],
    "issued": ["81728433"],
    "other_securities": ["1411724"],
}


def by_the_core(settings: Settings, row: Mapping[str, Any]) -> tuple[Fraction | None, str]:
    """The figure of a row, or why there is none."""
    function = FUNCTIONS[settings.function]
    arguments: dict[str, Any] = {}
    for argument in function.arguments:
        if argument.kind is Kind.NUMBER:
            value = row.get(argument.name)
            default = Fraction(argument.default) if argument.default else None
            arguments[argument.name] = default if value is None else exact(value)
        elif argument.kind is Kind.CHOICE:
            arguments[argument.name] = settings.method or argument.default
    arguments |= {"decimals": settings.decimals, "rounding_type": RoundingType(settings.rounding_type)}
    numbers = [arguments[a.name] for a in function.arguments if a.kind not in HOW_TO_ROUND]
    try:
        figure: Any = function.compute(*numbers)
        return function.finish(figure, arguments) if function.finish else figure, ""
    except ImpossibleArgument as problem:
        return None, str(problem)


def batch_of(columns: Mapping[str, Any]) -> Any:
    return pa.RecordBatch.from_pydict(dict(columns))


def results(columns: Mapping[str, Any], settings: Settings = Settings()) -> list[Any]:  # noqa: B008
    plan = planned(batch_of(columns).schema, settings)
    found: list[Any] = adjust(batch_of(columns), settings).column(plan.result).to_pylist()
    return found


DECIMALS = ((4, 2), (9, 0), (18, 4), (18, 8), (38, 3))


@st.composite
def books(draw: st.DrawFn) -> tuple[Settings, dict[str, Any]]:
    """A function, a way to round, and columns for it of any size and scale, with what cannot be."""
    function = FUNCTIONS[draw(st.sampled_from(COMPUTED))]
    choices = next((a.choices for a in function.arguments if a.kind is Kind.CHOICE), ("",))
    least = -3 if function.name == "CP_ROUND" else 0
    settings = Settings(
        function.name,
        draw(st.integers(least, 8)),
        draw(st.sampled_from(RoundingType)),
        draw(st.sampled_from(choices)),
        "null",
    )
    columns, rows = {}, draw(st.integers(1, 6))
    for argument in (a for a in function.arguments if a.kind is Kind.NUMBER):
        precision, scale = draw(st.sampled_from(DECIMALS))
        most = 10 ** draw(st.sampled_from([1, 3, min(precision, 9), min(precision, 20)]))
        digits = st.none() | st.just(0) | st.integers(1, most - 1) | st.integers(1, 40)
        if argument.name == "number":
            digits |= st.integers(1 - most, 0)
        values = draw(st.lists(digits, min_size=rows, max_size=rows))
        cells = [None if value is None else Decimal(value).scaleb(-scale) for value in values]
        columns[argument.name] = pa.array(cells, pa.decimal128(precision, scale))
    return settings, columns


class TestFunctions:
    @given(books())
    def test_every_row_is_the_cores(self, book: tuple[Settings, dict[str, Any]]) -> None:
        settings, columns = book
        done = adjust(batch_of(columns), settings)
        *_, found, told = done.columns
        rows = [{name: column[i].as_py() for name, column in columns.items()} for i in range(done.num_rows)]
        kernel_less = {"market_price"} if settings.method == "subtract" else set()
        required = [a for a in FUNCTIONS[settings.function].arguments if a.kind is Kind.NUMBER and not a.optional]
        for row, result, problem in zip(rows, found.to_pylist(), told.to_pylist(), strict=True):
            blank = [a.name for a in required if row[a.name] is None]
            if blank:
                assert (result, problem) == (None, f"{blank[0]} is blank; a number is required")
                continue
            figure, why = by_the_core(settings, {k: v for k, v in row.items() if k not in kernel_less})
            if result is None and "more digits" in problem:
                assert figure is not None
                assert abs(figure) >= 10 ** (38 - max(settings.decimals, 0))
                continue
            assert (None if result is None else Fraction(result), problem or "") == (figure, why)

    @given(
        st.lists(
            st.tuples(
                st.integers(1, 10**7),
                st.integers(1, 10**7),
                st.integers(1, 10**5),
                st.sampled_from([0, -1, 1]),
            ),
            min_size=1,
            max_size=40,
        ),
        st.sampled_from(RoundingType),
    )
    def test_ties_and_what_is_next_to_them(
        self, rows: Sequence[tuple[int, int, int, int]], rounding_type: RoundingType
    ) -> None:
        # N / D = (units + 1/2) cents exactly, then the consideration is the least that a column can say off.
        columns: dict[str, list[Any]] = {name: [] for name in NAMES}
        for base, issued, units, off in rows:
            figure = 2 * units + 1  # in half cents
            before = figure // 2 + 1000
            paid = Fraction(figure * (base + issued), 200) - Fraction(before * base, 100)
            if paid < 1:
                base, paid = 1, Fraction(figure * (1 + issued), 200) - Fraction(before, 100)
            if paid < 1:
                continue
            columns["conversion_price"].append(Decimal(before).scaleb(-2))
            columns["outstanding"].append(base)
            columns["issued"].append(issued)
            columns["consideration"].append(Decimal(int(paid * 1000) + off).scaleb(-3))
            columns["other_securities"].append(None)
        if columns["issued"]:
            arrays = {**columns, "consideration": pa.array(columns["consideration"], pa.decimal128(18, 3))}
            arrays["conversion_price"] = pa.array(columns["conversion_price"], pa.decimal128(12, 2))
            arrays["other_securities"] = pa.array(columns["other_securities"], pa.int64())
            found = results(arrays, Settings(rounding_type=rounding_type))
            for row, result in enumerate(found):
                cells = [columns[name][row] or 0 for name in NAMES]
                price = weighted_average(*cells)
                before = Fraction(cells[0])
                assert Fraction(result) == round_price(price, 2, rounding_type, not_above=before)

    def test_all_ties_of_a_large_batch(self) -> None:
        # Price before 20, half of the shares new, paid so that the price is 10 and so many half cents.
        chance = np.random.default_rng(3)
        shares, cents = chance.integers(1, 10**8, 50_000), 2 * chance.integers(0, 900, 50_000) + 1
        columns = {
            "conversion_price": pa.array(np.full(50_000, 2000)),
            "outstanding": pa.array(shares),
            "issued": pa.array(shares),
            "consideration": pa.array(shares * cents),  # a whole number of cents, and odd: half of it is a tie
        }
        up = results(columns, Settings(decimals=0))
        even = results(columns, Settings(decimals=0, rounding_type="half_even"))
        half = [(2000 + int(cent), 2) for cent in cents]
        assert up == [(top + 1) // 2 for top, _ in half]
        assert even == [(top // 2) + (top // 2) % 2 for top, _ in half]

    @pytest.mark.parametrize("name", COMPUTED)
    def test_the_example_of_the_catalogue(self, name: str) -> None:
        function = FUNCTIONS[name]
        cells = dict(zip((a.name for a in function.arguments), function.example, strict=False))
        columns = {key: [cell.strip('"')] for key, cell in cells.items()}
        (result,) = results(columns, Settings(name))
        assert result == Decimal(function.example_result)

    def test_an_unmoved_price_is_not_rounded(self) -> None:
        columns = {
            "conversion_price": pa.array([Decimal("1.004"), Decimal("1.006"), Decimal("1.006")]),
            "issue_price": pa.array([Decimal("1.0045"), Decimal("1.0059"), Decimal("0.7249")]),
        }
        found = results(columns, Settings("CP_FULL_RATCHET"))
        assert found == [Decimal("1.004"), Decimal("1.006"), Decimal("0.72")]

    def test_numbers_beyond_64_bits(self) -> None:
        big = 10**24
        columns = {
            "conversion_price": pa.array([Decimal(f"{big}.01"), Decimal("2.00")], pa.decimal128(38, 2)),
            "outstanding": pa.array([Decimal(big), Decimal(10**18)], pa.decimal128(38, 0)),
            "consideration": pa.array([Decimal(1), Decimal(10**18)], pa.decimal256(50, 0)),
            "issued": pa.array([1, 10**18]),
        }
        row = (Decimal(f"{big}.01"), Decimal(big), 1, 1)
        expected = round_price(weighted_average(*row), 2, RoundingType.HALF_UP)
        assert [Fraction(value) for value in results(columns)] == [expected, Fraction(3, 2)]


class TestColumns:
    def test_all_types_that_hold_the_same_numbers_give_the_same(self) -> None:
        texts = {name: pa.array(cells) for name, cells in VSOURCE.items()}
        kinds = (
            pa.decimal128(18, 2),
            pa.decimal256(40, 2),
            pa.float64(),
            pa.string(),
            pa.large_string(),
            pa.string_view(),
            pa.dictionary(pa.int32(), pa.string()),
        )
        for kind in kinds:
            if pa.types.is_dictionary(kind):
                columns = {name: column.dictionary_encode() for name, column in texts.items()}
            else:
                columns = {name: column.cast(kind) for name, column in texts.items()}
            assert results(columns) == [2], kind
            assert batch_of(columns).column(0).type == kind
        whole_ones = {**texts, "outstanding": pa.array([33831184], pa.int32())}
        assert results({**whole_ones, "issued": pa.array([81728433], pa.uint64())}) == [2]

    def test_the_result_is_of_the_type_of_the_price_before(self) -> None:
        def kind(price: Any, decimals: int = 2) -> Any:
            columns = {"conversion_price": price, "issue_price": [1]}
            return planned(batch_of(columns).schema, Settings("CP_FULL_RATCHET", decimals)).kind

        one = pa.array([Decimal(5)])
        assert kind(one.cast(pa.decimal128(18, 4))) == pa.decimal128(18, 4)
        assert kind(one.cast(pa.decimal128(18, 4)), 6) == pa.decimal128(20, 6)
        assert kind(one.cast(pa.decimal256(60, 4))) == pa.decimal128(38, 4)
        assert kind([5]) == pa.decimal128(38, 2)
        assert kind(["5.00"]) == kind([5.0]) == pa.decimal128(38, 15)

    @given(st.lists(st.integers(-(10**14), 10**14), min_size=1), st.integers(0, 9))
    def test_doubles_are_the_digits_that_they_show(self, digits: list[int], scale: int) -> None:
        doubles = [float(Decimal(digit).scaleb(-scale)) for digit in digits]
        read = whole(pa.array(doubles))
        for double, bits, sure in zip(doubles, read.bits.tolist(), read.sure.tolist(), strict=True):
            assert not sure or Fraction(bits, 10**read.scale) == Fraction(f"{double:.15g}")

    def test_a_computed_double_means_its_15_digits(self) -> None:
        columns = {"conversion_price": [0.1 + 0.2, 0.3], "split_new": [2.0, 1.0], "split_old": [1.0, 1e-9]}
        found = results(columns, Settings("CP_SPLIT", 15))
        assert found == [Decimal("0.15"), Decimal("3E-10")]

    @pytest.mark.parametrize("rounding_type", RoundingType)
    def test_many_computed_doubles(self, rounding_type: RoundingType) -> None:
        # Some of the prices do not move, and keep all of their digits.
        chance = np.random.default_rng(11)
        columns: dict[str, Any] = {
            "conversion_price": chance.uniform(2, 20, 400),
            "outstanding": chance.integers(10**7, 10**9, 400) / 7,
            "consideration": chance.uniform(1e6, 5e8, 400),
            "issued": pa.array(chance.integers(10**6, 5 * 10**7, 400)).cast(pa.decimal128(30, 0)),
            "other_securities": pa.array([None, 1.5] * 200, pa.float64()),
        }
        found = results(columns, Settings(rounding_type=rounding_type))
        moved = 0
        for row, result in enumerate(found):
            cells = [Fraction(f"{columns[name][row]:.15g}") for name in NAMES[:3]]
            price = weighted_average(*cells, columns["issued"][row].as_py(), Fraction(3 * (row % 2), 2))
            assert Fraction(result) == round_price(price, 2, rounding_type, not_above=cells[0])
            moved += result < cells[0]
        assert 20 < moved < 380

    def test_many_numbers_too_long_for_64_bits(self) -> None:
        chance = np.random.default_rng(12)
        columns = {
            "conversion_price": [Decimal(n).scaleb(-13) for n in chance.integers(10**13, 10**15, 200).tolist()],
            "outstanding": [Decimal(n).scaleb(-2) for n in chance.integers(10**9, 10**15, 200).tolist()],
            "offered": chance.integers(10**9, 10**14, 200).tolist(),
            "offer_price": [Decimal(n).scaleb(-9) for n in chance.integers(0, 10**11, 200).tolist()],
            "market_price": [Decimal(n).scaleb(-9) for n in chance.integers(1, 10**11, 200).tolist()],
        }
        settings = Settings("CP_RIGHTS", 7, "half_even", on_error="null")
        done = adjust(batch_of(columns), settings)
        for row, (result, told) in enumerate(
            zip(*(column.to_pylist() for column in done.columns[-2:]), strict=True)
        ):
            figure, why = by_the_core(settings, {name: cells[row] for name, cells in columns.items()})
            assert (None if result is None else Fraction(result), told or "") == (figure, why)

    @pytest.mark.parametrize("text", [" 6.41", "+6.41", "641e-2", "641/100", "6.410000000000000000"])
    def test_texts_of_numbers(self, text: str) -> None:
        columns = {"conversion_price": [text, "x"], "issue_price": ["5", "5"]}
        found = adjust(batch_of(columns), Settings("CP_FULL_RATCHET", on_error="null"))
        assert found.column(RESULT).to_pylist() == [5, None]
        assert found.column("problem").to_pylist() == [None, "conversion_price is x; a number is required"]
        assert results({**columns, "conversion_price": [text] * 2, "issue_price": ["7"] * 2}, Settings(
            "CP_FULL_RATCHET")) == [Decimal("6.41")] * 2  # fmt: skip

    @given(st.lists(st.integers(-(2**60), 2**60), min_size=1), st.integers(0, 19))
    def test_words_of_raised_numbers(self, numbers: list[int], places: int) -> None:
        pairs = raised(np.array(numbers, np.int64), places)
        for number, pair in zip(numbers, pairs, strict=True):
            assert int.from_bytes(pair.tobytes(), "little", signed=True) == number * 10**places
        assert [int.from_bytes(p.tobytes(), "little", signed=True) for p in words(np.array(numbers))] == numbers

    def test_slices_of_batches(self) -> None:
        price = pa.array([Decimal("9.00"), None, Decimal("6.00"), Decimal("8.00")], pa.decimal128(9, 2))
        batch = batch_of({"conversion_price": price, "split_new": [1, 1, 2, 4], "split_old": [1, 1, 1, None]})
        done = adjust(batch.slice(1), Settings("CP_SPLIT", on_error="null"))
        assert done.column(RESULT).to_pylist() == [None, 3, None]

    def test_ways_to_round_in_columns_go_before_the_settings(self) -> None:
        columns = {
            "conversion_price": ["3.205"] * 5,
            "split_new": [1] * 5,
            "split_old": [1] * 5,
            "decimals": [2, None, 2, 0, 7],
            "rounding_type": ["half_even", "FLOOR", None, "ceiling", "normal"],
        }
        found = results(columns, Settings("CP_SPLIT", 1, "ceiling"))
        assert found == [Decimal(text) for text in ("3.2", "3.2", "3.21", "4", "3.205")]

    def test_methods_in_a_column(self) -> None:
        columns = {
            "conversion_price": [10, 10, 10],
            "dividend": [1, 3, 1],
            "market_price": [20, 20, None],
            "threshold": [None, 1, None],
            "method": ["ratio", "Excess", "subtract"],
        }
        assert results(columns, Settings("CP_CASH_DIVIDEND")) == [Decimal("9.5"), 9, 9]

    def test_the_method_of_the_settings_in_any_letter_case(self) -> None:
        columns = {"conversion_price": [10], "dividend": [1], "market_price": [20]}
        assert results(columns, Settings("CP_CASH_DIVIDEND", method="Excess")) == [Decimal("9.5")]

    def test_many_ways_to_round_that_are_none_count_as_one(self) -> None:
        # Every pair of words a way of its own would fill the memory.
        junk = [f"x{row}" for row in range(300)]
        columns = {"conversion_price": ["3"] * 300, "split_new": [1] * 300, "split_old": [1] * 300}
        columns |= {"decimals": ["2", *junk[1:]], "rounding_type": ["floor", *junk[1:]]}
        settings = Settings("CP_SPLIT", on_error="null")
        batch = batch_of(columns)
        ways, _ = _Adjusting(planned(batch.schema, settings), batch)._ways()
        assert len(ways) == 2
        found, told = adjust(batch, settings).columns[-2:]
        assert found.to_pylist() == [3] + [None] * 299
        assert told[299].as_py() == "decimals is x299; it must be a whole number from 0 to 15"

    def test_an_empty_batch(self) -> None:
        empty = batch_of(VSOURCE).slice(0, 0)
        assert adjust(empty, Settings()).num_rows == 0

    def test_all_columns_are_passed_on(self) -> None:
        columns = {"name": ["A"], **VSOURCE, "nested": [[1, {"x": None}["x"]]], "day": pa.array([3], pa.date32())}
        batch = batch_of(columns).replace_schema_metadata({"of": "me"})
        done = adjust(batch, Settings())
        assert done.schema.names == [*columns, RESULT]
        assert done.select(list(columns)).equals(batch)
        assert done.schema.metadata == {b"of": b"me"}

    def test_the_function_of_spark_and_of_workers(self) -> None:
        batches = [batch_of(VSOURCE)] * 2
        found = [done.column(RESULT).to_pylist() for done in adjust_all(iter(batches), Settings())]
        assert found == [[2], [2]]
        function, settings = pickle.loads(pickle.dumps((adjust, Settings(decimals=3))))  # noqa: S301
        assert function(batches[0], settings).column(RESULT).to_pylist() == [Decimal("2.001")]


class TestRefusals:
    @pytest.mark.parametrize(
        ("column", "cell", "told"),
        [
            ("conversion_price", "0", "conversion_price is 0; it must be above 0"),
            ("issued", "-5", "issued is -5; it must be above 0"),
            ("issued", None, "issued is blank; a number is required"),
            ("outstanding", " ", "outstanding is blank; a number is required"),
            ("outstanding", "1,000", "outstanding is 1,000; a number is required"),
            ("consideration", "-0.01", "consideration is -0.01; it must be 0 or above"),
            ("decimals", "2.5", "decimals is 2.5; it must be a whole number from 0 to 15"),
            ("decimals", "x", "decimals is x; it must be a whole number from 0 to 15"),
            ("rounding_type", "up", "rounding_type is up; it must be one of half_up, half_even, floor, ceiling"),
        ],
    )
    def test_a_row_that_cannot_be(self, column: str, cell: str | None, told: str) -> None:
        columns = {name: cells * 3 for name, cells in VSOURCE.items()} | {
            "decimals": [None] * 3,
            "rounding_type": [None] * 3,
        }
        columns[column] = [*columns[column][:1], cell, *columns[column][2:]]  # type: ignore[list-item]
        columns = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}  # type: ignore[misc]
        with pytest.raises(ImpossibleRows) as refused:
            adjust(batch_of(columns), Settings())
        assert str(refused.value) == f"row 2: {told}"
        assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)  # noqa: S301
        done = adjust(batch_of(columns), Settings(on_error="null"))
        assert done.column(RESULT).to_pylist() == [2, None, 2]
        assert done.column("problem").to_pylist() == [None, told, None]

    def test_doubles_that_are_no_numbers(self) -> None:
        columns = {"conversion_price": [float("nan"), float("inf")], "issue_price": [1.0, 1.0]}
        with pytest.raises(ImpossibleRows, match="row 1: conversion_price is nan; a number is required; row 2"):
            adjust(batch_of(columns), Settings("CP_FULL_RATCHET"))

    def test_a_problem_is_one_line(self) -> None:
        columns = {"conversion_price": ["\x1b[31m6\n41"], "issue_price": ["1"]}
        with pytest.raises(ImpossibleRows) as refused:
            adjust(batch_of(columns), Settings("CP_FULL_RATCHET"))
        assert str(refused.value) == r"row 1: conversion_price is '\x1b[31m6\n41'; a number is required"

    def test_a_price_that_rounds_to_zero(self) -> None:
        columns = {"conversion_price": ["1"], "issue_price": ["0.004"]}
        with pytest.raises(ImpossibleRows, match=r"decimals is 2; 0\.004 rounds to zero there"):
            adjust(batch_of(columns), Settings("CP_FULL_RATCHET"))

    def test_results_that_the_type_does_not_hold(self) -> None:
        columns = {"conversion_price": ["1e30", "1.0000000000000001"], "issue_price": ["1e30", "2"]}
        done = adjust(batch_of(columns), Settings("CP_FULL_RATCHET", on_error="null"))
        assert done.column("problem").to_pylist() == [
            "conversion_price_after is 1E+30; it has more digits than decimal128(38, 15) holds",
            "conversion_price is 1.0000000000...; it has more than 15 decimals",
        ]

    def test_only_the_first_rows_are_told(self) -> None:
        columns = {"conversion_price": [0] * 1000, "issue_price": [1] * 1000}
        with pytest.raises(ImpossibleRows) as refused:
            adjust(batch_of(columns), Settings("CP_FULL_RATCHET"))
        assert [problem.row for problem in refused.value.problems] == list(range(1, 21))

    @pytest.mark.parametrize(
        ("change", "settings", "told"),
        [
            ({"issued": None}, Settings(), "there is no column issued, which CP_WEIGHTED_AVERAGE needs"),
            (
                {"issued": [True]},
                Settings(),
                "the column issued is of type bool; it must be decimal, integer, text",
            ),
            (
                {"issued": pa.array([1.5], pa.float32())},
                Settings(),
                "the column issued is of type float; it must be",
            ),
            ({"rounding_type": [1]}, Settings(), "the column rounding_type is of type int64; it must be text"),
            ({RESULT: [1]}, Settings(), "there is a column conversion_price_after already"),
            ({"problem": [1]}, Settings(on_error="null"), "there is a column problem already"),
            ({}, Settings(on_error="null", result="problem"), "a result cannot be named problem"),
            ({}, Settings(result="decimals"), "a result cannot be named decimals"),
            ({}, Settings(result=" "), "the result has no name"),
            ({}, Settings("CP_HISTORY"), "function: CP_HISTORY is no function for columns"),
            ({}, Settings(decimals=16), "decimals: 16 is not from 0 to 15"),
            ({}, Settings(rounding_type="up"), "rounding_type: 'up' is not one of half_up"),
            ({}, Settings(method="ratio"), "method: ratio is no method of CP_WEIGHTED_AVERAGE"),
            ({}, Settings(on_error="skip"), "on_error: skip is neither refuse nor null"),
        ],
    )
    def test_columns_and_settings_that_do_not_fit(
        self, change: Mapping[str, Any], settings: Settings, told: str
    ) -> None:
        columns = {name: cells for name, cells in {**VSOURCE, **change}.items() if cells is not None}
        with pytest.raises(InputError) as refused:
            adjust(batch_of(columns), settings)
        assert told in str(refused.value)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 10 rows, and row groups of 40."""
    monkeypatch.setattr(parquet, "ROWS_IN_BATCH", 10)
    monkeypatch.setattr(parquet, "ROWS_IN_GROUP", 40)


def rounds(rows: Iterable[int]) -> Any:
    """A table of rows that all differ."""
    numbers = list(rows)
    return pa.table(
        {
            "row": numbers,
            "conversion_price": pa.array([Decimal(500 + n).scaleb(-2) for n in numbers], pa.decimal128(18, 2)),
            "split_new": pa.array([2 + n % 3 for n in numbers], pa.int32()),
            "split_old": pa.array([1] * len(numbers), pa.int8()),
        }
    )


SPLIT = Settings("CP_SPLIT")


class TestFiles:
    @pytest.mark.usefixtures("small_pieces")
    def test_rows_and_their_order_are_kept(self, tmp_path: Path) -> None:
        table = rounds(range(105))
        pq.write_table(table, tmp_path / "in.parquet", row_group_size=17)
        seen: list[tuple[int, int]] = []
        done = compute_file(
            tmp_path / "in.parquet", tmp_path / "out.parquet", SPLIT, advance=lambda *rows: seen.append(rows)
        )
        assert (done.rows, done.result, done.written, done.impossible) == (105, RESULT, True, 0)
        assert seen[-1] == (105, 105)
        assert [rows for rows, _ in seen] == sorted({rows for rows, _ in seen})
        found = pq.read_table(tmp_path / "out.parquet")
        assert found.drop_columns(RESULT).equals(table)
        for row, result in enumerate(found.column(RESULT).to_pylist()):
            price = Fraction(500 + row, 100) / (2 + row % 3)
            assert Fraction(result) == round_price(price, 2, RoundingType.HALF_UP)
        groups = pq.ParquetFile(tmp_path / "out.parquet").metadata
        assert groups.num_row_groups < 7
        assert max(groups.row_group(n).num_rows for n in range(groups.num_row_groups)) < 60

    @pytest.mark.usefixtures("small_pieces")
    def test_threads_write_the_same_bytes(self, tmp_path: Path) -> None:
        pq.write_table(rounds(range(105)), tmp_path / "in.parquet", row_group_size=17)
        for workers in (1, 4):
            compute_file(tmp_path / "in.parquet", tmp_path / str(workers), SPLIT, workers=workers)
        assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()

    @pytest.mark.usefixtures("small_pieces")
    def test_a_folder_is_read_in_the_order_of_the_names(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        pq.write_table(rounds(range(25, 40)), folder / "b.parquet")
        pq.write_table(rounds(range(25)), folder / "a.parquet")
        (folder / "readme.txt").write_text("no table")
        compute_file(folder, tmp_path / "out.parquet", SPLIT)
        assert pq.read_table(tmp_path / "out.parquet").column("row").to_pylist() == list(range(40))

    @pytest.mark.usefixtures("small_pieces")
    def test_a_problem_is_told_with_its_file_and_row(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        pq.write_table(rounds(range(25)), folder / "a.parquet")
        table = rounds(range(23))
        new, old = (table.column(name).to_pylist() for name in ("split_new", "split_old"))
        new[17], old[18] = 0, None
        table = table.set_column(2, "split_new", pa.array(new, pa.int32()))
        pq.write_table(table.set_column(3, "split_old", pa.array(old, pa.int8())), folder / "b.parquet")
        with pytest.raises(InputError) as refused:
            compute_file(folder, tmp_path / "out.parquet", SPLIT)
        assert [str(problem) for problem in refused.value.problems] == [
            f"{folder / 'b.parquet'}, row 18: split_new is '0'; it must be above 0",
            f"{folder / 'b.parquet'}, row 19: split_old is blank; a number is required",
        ]
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
        done = compute_file(folder, tmp_path / "out.parquet", Settings("CP_SPLIT", on_error="null"))
        assert done.impossible == 2
        found = pq.read_table(tmp_path / "out.parquet")
        assert [row for row, told in enumerate(found.column("problem").to_pylist()) if told] == [42, 43]

    def test_no_rows(self, tmp_path: Path) -> None:
        pq.write_table(rounds([]), tmp_path / "in.parquet")
        assert compute_file(tmp_path / "in.parquet", tmp_path / "out.parquet", SPLIT).rows == 0
        assert pq.read_schema(tmp_path / "out.parquet").names[-1] == RESULT

    def test_what_is_there_is_replaced_only_by_force(self, tmp_path: Path) -> None:
        source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
        pq.write_table(rounds(range(5)), source)
        compute_file(source, target, SPLIT)
        first = target.read_bytes()
        assert not compute_file(source, target, SPLIT).written
        finer = Settings("CP_SPLIT", 4)
        with pytest.raises(SaveError, match="it is there and differs"):
            compute_file(source, target, finer)
        assert target.read_bytes() == first
        assert compute_file(source, target, finer, force=True).written
        assert target.read_bytes() != first
        assert len(list(tmp_path.iterdir())) == 2

    def test_the_input_is_not_written_to(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        source = folder / "a.parquet"
        pq.write_table(rounds(range(5)), source)
        before = source.read_bytes()
        (tmp_path / "link").symlink_to(source)
        for one, other in itertools.product([source, folder], [source, tmp_path / "link", folder / "new.parquet"]):
            if one == folder or other.name != "new.parquet":
                with pytest.raises(SaveError, match="it is the input"):
                    compute_file(one, other, SPLIT, force=True)
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "a.parquet").symlink_to(source)
        with pytest.raises(SaveError, match="it is the input"):
            compute_file(tmp_path / "links", source, SPLIT, force=True)
        assert source.read_bytes() == before
        assert [path.name for path in folder.iterdir()] == ["a.parquet"]

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("missing.parquet", "missing.parquet: there is no such file"),
            ("text.parquet", "text.parquet: it cannot be read as Parquet"),
            ("empty", "empty: there is no .parquet file in it"),
            ("mixed", "b.parquet: the column split_new is of type int64, in a.parquet of type int32"),
            ("other", "b.parquet: the column split_new is in a.parquet and not in b.parquet"),
            ("needed", "b.parquet: the column row is of type int64 not null, in a.parquet of type int64"),
        ],
    )
    def test_inputs_that_cannot_be_read(self, tmp_path: Path, name: str, told: str) -> None:
        (tmp_path / "text.parquet").write_text("no table")
        for folder in ("empty", "mixed", "other", "needed"):
            (tmp_path / folder).mkdir()
        table = rounds(range(3))
        for folder in ("mixed", "other", "needed"):
            pq.write_table(table, tmp_path / folder / "a.parquet")
        wider = table.set_column(2, "split_new", table.column("split_new").cast(pa.int64()))
        pq.write_table(wider, tmp_path / "mixed" / "b.parquet")
        pq.write_table(table.drop_columns("split_new"), tmp_path / "other" / "b.parquet")
        needed = table.schema.set(0, table.schema.field(0).with_nullable(False))
        pq.write_table(table.cast(needed), tmp_path / "needed" / "b.parquet")
        with pytest.raises(InputError) as refused:
            compute_file(tmp_path / name, tmp_path / "out.parquet", SPLIT)
        assert told in str(refused.value)
        assert not (tmp_path / "out.parquet").exists()

    def test_places_that_cannot_be_written_to(self, tmp_path: Path) -> None:
        pq.write_table(rounds(range(3)), tmp_path / "in.parquet")
        with pytest.raises(SaveError, match=r"the folder .*no does not exist"):
            compute_file(tmp_path / "in.parquet", tmp_path / "no" / "out.parquet", SPLIT)
        (tmp_path / "folder").mkdir()
        with pytest.raises(SaveError, match="it is a folder"):
            compute_file(tmp_path / "in.parquet", tmp_path / "folder", SPLIT, force=True)

    def test_killed_half_way_the_old_file_is_still_there(self, tmp_path: Path) -> None:
        pq.write_table(rounds(range(1000)), tmp_path / "in.parquet")
        target = tmp_path / "out.parquet"
        target.write_bytes(b"as it was")
        code = (
            "import sys, time; from pathlib import Path\n"
            "from xl_conversion.batch import parquet; from xl_conversion.batch.plan import Settings\n"
            "parquet.ROWS_IN_BATCH, parquet.ROWS_IN_GROUP = 10, 20\n"
            "def advance(done, total):\n"
            "    if done == 500: print('half', flush=True); time.sleep(60)\n"
            "parquet.compute_file(Path(sys.argv[1]), Path(sys.argv[2]), Settings('CP_SPLIT'), force=True,"
            " advance=advance)\n"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "in.parquet"), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout
            assert running.stdout.readline() == "half\n"
            running.kill()
        assert target.read_bytes() == b"as it was"
        compute_file(tmp_path / "in.parquet", target, SPLIT, force=True)
        assert pq.read_metadata(target).num_rows == 1000
