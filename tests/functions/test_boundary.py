"""Cells and exact numbers: what is read from a cell, what is refused and how, what is written back."""

from __future__ import annotations

import contextlib
import math
import struct
import sys
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.boundary import (
    ERROR_CODES,
    MAX_MESSAGE,
    MISSING,
    CellError,
    WorksheetError,
    is_blank,
    number,
    rounding_type,
    show,
    to_double,
    whole_number,
)

every_code = pytest.mark.parametrize("code", ERROR_CODES)
finite = st.floats(allow_nan=False, allow_infinity=False)


def _refused(read: Any, *arguments: Any) -> tuple[str, str]:
    with pytest.raises(WorksheetError) as problem:
        read(*arguments)
    return problem.value.error.code, problem.value.error.message


class TestNumber:
    @given(finite)
    def test_is_what_15_significant_digits_show(self, double: float) -> None:
        displayed = Context(prec=15, rounding=ROUND_HALF_EVEN).create_decimal_from_float(double)
        assert number(double) == Fraction(displayed)

    @given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 15))
    def test_every_number_that_can_be_typed_is_read_as_typed(self, digits: int, places: int) -> None:
        typed = f"{digits}E-{places}"
        assert number(float(typed)) == Fraction(typed)

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (0.1 + 0.2, "0.3"),
            (1.1 * 3, "3.3"),
            (-0.0, "0"),
            (7, "7"),
            (2**53 + 1, "9007199254740990"),
            (1e308, "1e308"),
            (5e-324, "4.94065645841247e-324"),
            (Decimal("6.4100"), "6.41"),
            (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        ],
    )
    def test_read(self, cell: Any, expected: str) -> None:
        assert number(cell) == Fraction(expected)

    @pytest.mark.parametrize("cell", [None, MISSING, ""], ids=repr)
    def test_blank(self, cell: Any) -> None:
        assert _refused(number, cell) == ("#VALUE!", "is blank; a number is required")

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [
            ("abc", "the text 'abc'"),
            ("6.41", "the text '6.41'"),
            (" ", "the text ' '"),
            ("#SPILL!", "the text '#SPILL!'"),
            (date(2026, 1, 2), "the date 2026-01-02"),
            (datetime.fromisoformat("2026-01-02T03:04:05"), "the date 2026-01-02"),
            (1j, "of type complex"),
            ([1.0], "of type list"),
        ],
        ids=repr,
    )
    def test_of_another_kind(self, cell: Any, shown: str) -> None:
        assert _refused(number, cell) == ("#VALUE!", f"is {shown}; a number is required")

    @pytest.mark.parametrize(("cell", "shown"), [(True, "TRUE"), (False, "FALSE")])
    def test_boolean(self, cell: bool, shown: str) -> None:
        assert _refused(number, cell) == ("#VALUE!", f"is {shown}; a number is required, not a boolean")

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [
            (math.nan, "not a number"),
            (math.inf, "beyond what a cell can hold"),
            (-math.inf, "beyond what a cell can hold"),
            (10**400, "beyond what a cell can hold"),
            (-(10**5000), "beyond what a cell can hold"),
            (Decimal("NaN"), "not a number"),
            (Decimal("sNaN"), "not a number"),
            (Decimal("-Infinity"), "beyond what a cell can hold"),
            (Decimal("1E+350"), "beyond what a cell can hold"),
            (Decimal("1E+999999"), "beyond what a cell can hold"),
        ],
        ids=lambda value: str(value)[:20] if not isinstance(value, int) else f"int of {value.bit_length()} bits",
    )
    def test_that_no_cell_can_hold(self, cell: Any, shown: str) -> None:
        assert _refused(number, cell) == ("#NUM!", f"is {shown}; a number that a cell can hold is required")

    @pytest.mark.parametrize(
        "cell",
        [Decimal("1E-500"), Decimal("0E-500"), Decimal("1." + "1" * 500)],
        ids=["small", "zero", "long"],
    )
    def test_a_decimal_of_any_length_is_read_or_refused(self, cell: Decimal) -> None:
        with contextlib.suppress(WorksheetError):
            assert number(cell) == Fraction(cell)

    @every_code
    def test_error_is_handed_on(self, code: str) -> None:
        expected = (code, f"is {code}; an error is handed on")
        assert _refused(number, CellError(code)) == expected
        assert _refused(whole_number, CellError(code), 0, 15) == expected
        assert _refused(rounding_type, CellError(code)) == expected

    def test_a_long_text_is_cut(self) -> None:
        _, message = _refused(number, "x" * 32767)
        assert len(message) < 100


class TestWholeNumber:
    @pytest.mark.parametrize(("cell", "expected"), [(0.0, 0), (2.0, 2), (15, 15), (2.0000000000000004, 2)])
    def test_read(self, cell: float, expected: int) -> None:
        whole = whole_number(cell, 0, 15)
        assert whole == expected
        assert type(whole) is int

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [(2.5, "2.5"), (16.0, "16"), (-1.0, "-1"), (16, "16"), (1e308, "1e+308"), (Decimal("0.5"), "0.5")],
    )
    def test_refused(self, cell: Any, shown: str) -> None:
        assert _refused(whole_number, cell, 0, 15) == (
            "#NUM!",
            f"is {shown}; it must be a whole number from 0 to 15",
        )

    @pytest.mark.parametrize("cell", [None, "2", True, date(2026, 1, 2)], ids=repr)
    def test_of_another_kind(self, cell: Any) -> None:
        code, message = _refused(whole_number, cell, 0, 15)
        assert (code, message) == _refused(number, cell)


class TestRoundingType:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("half_up", RoundingType.HALF_UP),
            ("Normal", RoundingType.HALF_UP),
            ("HALF_EVEN", RoundingType.HALF_EVEN),
            ("Floor", RoundingType.FLOOR),
            ("ceiling ", RoundingType.CEILING),
        ],
    )
    def test_read(self, cell: str, expected: RoundingType) -> None:
        assert rounding_type(cell) is expected

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [("bankers", "'bankers'"), (" ", "' '"), (2.0, "2"), (True, "TRUE"), (None, "blank")],
    )
    def test_refused(self, cell: Any, shown: str) -> None:
        assert _refused(rounding_type, cell) == (
            "#VALUE!",
            f"is {shown}; it must be one of half_up, half_even, floor, ceiling",
        )


class TestToDouble:
    @given(st.fractions(max_denominator=10**30))
    def test_is_the_nearest(self, value: Fraction) -> None:
        double = to_double(value)
        error = abs(Fraction(double) - value)
        for neighbour in (math.nextafter(double, math.inf), math.nextafter(double, -math.inf)):
            other = abs(Fraction(neighbour) - value)
            assert error < other or (error == other and _is_even(double))

    @given(finite.filter(lambda double: double == 0 or abs(double) >= sys.float_info.min))
    @example(sys.float_info.min)
    @example(sys.float_info.max)
    def test_a_double_is_itself(self, double: float) -> None:
        assert to_double(Fraction(double)) == double

    @pytest.mark.parametrize("value", [Fraction(10) ** 309, -(Fraction(10) ** 4000), Fraction(2) ** 1024])
    def test_too_large(self, value: Fraction) -> None:
        assert _refused(to_double, value) == ("#NUM!", "the result is too large for a cell")

    @pytest.mark.parametrize("value", [Fraction(1, 10**309), Fraction(-1, 10**4000), Fraction(5e-324)])
    def test_never_0_for_what_is_not(self, value: Fraction) -> None:
        # Excel has no denormal numbers: it would show 0 here.
        assert _refused(to_double, value) == ("#NUM!", "the result is too close to 0 for a cell")

    def test_zero(self) -> None:
        assert math.copysign(1, to_double(Fraction(0))) == 1


def _is_even(double: float) -> bool:
    return struct.pack(">d", double)[-1] % 2 == 0


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "blank"),
        [
            (None, True),
            (MISSING, True),
            ("", True),
            (" ", False),
            ("x", False),
            (0.0, False),
            (False, False),
            (CellError("#N/A"), False),
        ],
        ids=repr,
    )
    def test_blank(self, cell: Any, blank: bool) -> None:
        assert is_blank(cell) is blank

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (None, "blank"),
            (MISSING, "blank"),
            (False, "FALSE"),
            (2.0, "2"),
            (0.1 + 0.2, "0.3"),
            (-1.5, "-1.5"),
            (7, "7"),
            ("text", "text"),
            (Decimal("2.50"), "2.50"),
            (date(2026, 1, 2), "2026-01-02"),
            (CellError("#REF!"), "#REF!"),
        ],
        ids=repr,
    )
    def test_show(self, cell: Any, expected: str) -> None:
        assert show(cell) == expected

    def test_error_codes_are_excels(self) -> None:
        assert ERROR_CODES == ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")

    def test_error_as_text(self) -> None:
        assert str(CellError("#N/A")) == "#N/A"
        assert str(CellError("#NUM!", "CP_SPLIT: split_new is 0")) == "#NUM! CP_SPLIT: split_new is 0"
        assert len(str(CellError("#NUM!", "x" * 1000))) == MAX_MESSAGE == 255
