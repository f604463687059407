"""Exact numbers and their one rounding, against the decimal module and against the definitions."""

from __future__ import annotations

import contextlib
import decimal
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xl_conversion.core.rounding import (
    MAX_DECIMALS,
    RoundingType,
    brief,
    exact,
    exact_text,
    round_to,
    round_whole,
    shorten,
    shown,
    to_text,
)

IN_DECIMAL = {
    RoundingType.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingType.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingType.FLOOR: decimal.ROUND_FLOOR,
    RoundingType.CEILING: decimal.ROUND_CEILING,
}

rounding_types = st.sampled_from(RoundingType)
every_rounding_type = pytest.mark.parametrize("rounding_type", RoundingType)
places = st.integers(-MAX_DECIMALS, MAX_DECIMALS)
fractions = st.fractions(-(10**20), 10**20, max_denominator=10**12)
decimals = st.builds(
    lambda digits, exponent: Decimal(f"{digits}E{exponent}"),
    st.integers(-(10**30), 10**30),
    st.integers(-25, 5),
)


def _quantized(value: Decimal, digits: int, rounding_type: RoundingType) -> Fraction:
    """What the decimal module rounds `value` to."""
    with decimal.localcontext(prec=200):
        return Fraction(value.quantize(Decimal(f"1E{-digits}"), rounding=IN_DECIMAL[rounding_type]))


class TestExact:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("6.41", (641, 100)),
            ("+6.410", (641, 100)),
            ("-.5", (-1, 2)),
            ("5.", (5, 1)),
            ("1e3", (1000, 1)),
            ("2.5E-3", (1, 400)),
            ("8/9", (8, 9)),
            ("-16/18", (-8, 9)),
            (" 6.41 ", (641, 100)),
            (0, (0, 1)),
            (-7, (-7, 1)),
            (Decimal("0.10"), (1, 10)),
            (Decimal("-1E+3"), (-1000, 1)),
            (Fraction(8, 9), (8, 9)),
        ],
    )
    def test_without_loss(self, value: Any, expected: tuple[int, int]) -> None:
        number = exact(value)
        assert (number.numerator, number.denominator) == expected

    @given(decimals)
    def test_text_and_decimal_are_the_same_number(self, value: Decimal) -> None:
        assert exact(value) == exact(str(value)) == Fraction(value)

    @given(st.integers(), st.integers(min_value=1))
    def test_fraction_as_text(self, numerator: int, denominator: int) -> None:
        assert exact(f"{numerator}/{denominator}") == Fraction(numerator, denominator)

    @pytest.mark.parametrize(
        "value", [6.41, 2.0, float("nan"), float("inf"), True, False, None, b"1", [1], 1j], ids=repr
    )
    def test_refuses_what_is_no_exact_number(self, value: Any) -> None:
        with pytest.raises(TypeError, match=f"^{type(value).__name__} is not an exact number: "):
            exact(value)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            ".",
            "+",
            "--1",
            "e5",
            "1e",
            "1e5.0",
            "abc",
            "nan",
            "NaN",
            "inf",
            "-Infinity",
            "0x10",
            "6,41",
            "1,000",
            "1_000",
            "1_0/3",
            "$5",
            "5%",
            "6 41",
            "- 5",
            "1 /2",
            "1/ 2",
            "1/-2",
            "1.5/2",
            "1/2/3",
            "1/2e3",
            "1\n2",
            "\u0663",  # an Arabic digit
            "1\u0660",
            "\uff11",  # a full-width digit
            "\u00bd",  # one half in one character
            "\u22125",  # a typographic minus
        ],
        ids=ascii,
    )
    def test_refuses_what_is_no_plain_number(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a number"):
            exact(text)

    @pytest.mark.parametrize("text", ["1/0", "0/0", "-3/000"])
    def test_refuses_division_by_zero(self, text: str) -> None:
        with pytest.raises(ValueError, match=f"division by zero: '{text}'"):
            exact(text)

    @pytest.mark.parametrize("name", ["NaN", "sNaN", "-Infinity"])
    def test_refuses_decimals_that_are_not_finite(self, name: str) -> None:
        with pytest.raises(ValueError, match=name):
            exact(Decimal(name))

    @pytest.mark.parametrize(
        "value",
        ["1e999999999", "-1E-999999999", "1e" + "9" * 300, "1e401", "1e-401", Decimal("1E+999999")],
        ids=str,
    )
    def test_refuses_a_giant_exponent_before_computing_it(self, value: Any) -> None:
        # Computed first, the largest of these would not come back.
        with pytest.raises(ValueError, match="400"):
            exact(value)

    def test_exponents_up_to_the_bound(self) -> None:
        assert exact("1e400") == 10**400
        assert exact("1e-400") == Fraction(1, 10**400)

    @pytest.mark.parametrize("text", ["9" * 401, "0." + "3" * 400, "1/" + "9" * 400])
    def test_refuses_more_than_400_digits(self, text: str) -> None:
        with pytest.raises(ValueError, match="at most 400 digits") as problem:
            exact(text)
        assert len(str(problem.value)) < 100

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("9" * 400, Fraction(10**400 - 1)),
            ("-" + "9" * 400, Fraction(1 - 10**400)),
            ("0." + "9" * 399, 1 - Fraction(1, 10**399)),
        ],
        ids=["digits", "sign and digits", "point and digits"],
    )
    def test_takes_400_digits(self, text: str, expected: Fraction) -> None:
        assert exact(text) == expected


class TestRoundTo:
    @given(decimals, places, rounding_types)
    def test_as_the_decimal_module(self, value: Decimal, digits: int, rounding_type: RoundingType) -> None:
        assert round_to(Fraction(value), digits, rounding_type) == _quantized(value, digits, rounding_type)

    @given(st.integers(-(10**20), 10**20), places, rounding_types)
    def test_ties_as_the_decimal_module(self, whole: int, digits: int, rounding_type: RoundingType) -> None:
        tie = Decimal(f"{10 * whole + 5}E{-digits - 1}")
        assert round_to(Fraction(tie), digits, rounding_type) == _quantized(tie, digits, rounding_type)

    @given(fractions, places, rounding_types)
    def test_by_definition(self, value: Fraction, digits: int, rounding_type: RoundingType) -> None:
        unit = Fraction(10) ** -digits
        rounded = round_to(value, digits, rounding_type)
        assert (rounded / unit).denominator == 1
        match rounding_type:
            case RoundingType.FLOOR:
                assert 0 <= value - rounded < unit
            case RoundingType.CEILING:
                assert 0 <= rounded - value < unit
            case RoundingType.HALF_UP:
                assert abs(value - rounded) <= unit / 2
                assert abs(value - rounded) < unit / 2 or abs(rounded) > abs(value)
            case RoundingType.HALF_EVEN:
                assert abs(value - rounded) <= unit / 2
                assert abs(value - rounded) < unit / 2 or rounded / unit % 2 == 0

    @pytest.mark.parametrize(
        ("value", "half_up", "half_even", "floor", "ceiling"),
        [
            ("3.205", "3.21", "3.20", "3.20", "3.21"),
            ("3.215", "3.22", "3.22", "3.21", "3.22"),
            ("-3.205", "-3.21", "-3.20", "-3.21", "-3.20"),
            ("3.2049999", "3.20", "3.20", "3.20", "3.21"),
            ("-3.2050001", "-3.21", "-3.21", "-3.21", "-3.20"),
            ("0.001", "0.00", "0.00", "0.00", "0.01"),
            ("-0.001", "0.00", "0.00", "-0.01", "0.00"),
            ("3.20", "3.20", "3.20", "3.20", "3.20"),
            ("0", "0", "0", "0", "0"),
        ],
    )
    def test_two_decimals(self, value: str, half_up: str, half_even: str, floor: str, ceiling: str) -> None:
        rounded = {kind.value: round_to(Fraction(value), 2, kind) for kind in RoundingType}
        assert rounded == {
            "half_up": Fraction(half_up),
            "half_even": Fraction(half_even),
            "floor": Fraction(floor),
            "ceiling": Fraction(ceiling),
        }

    @given(fractions, places, rounding_types)
    def test_rounding_twice_changes_nothing(
        self, value: Fraction, digits: int, rounding_type: RoundingType
    ) -> None:
        once = round_to(value, digits, rounding_type)
        assert round_to(once, digits, rounding_type) == once

    @given(fractions, places)
    def test_floor_and_ceiling_mirror_each_other(self, value: Fraction, digits: int) -> None:
        floor = round_to(value, digits, RoundingType.FLOOR)
        assert floor == -round_to(-value, digits, RoundingType.CEILING)

    @every_rounding_type
    @pytest.mark.parametrize("digits", [-MAX_DECIMALS - 1, MAX_DECIMALS + 1, 10**9])
    def test_refuses_decimals_out_of_bounds(self, digits: int, rounding_type: RoundingType) -> None:
        with pytest.raises(ValueError, match=f"^decimals {digits} is not from -15 to 15$"):
            round_to(Fraction(1), digits, rounding_type)

    @pytest.mark.parametrize("digits", [2.0, 2.5, float("nan")])
    def test_refuses_decimals_that_are_floats(self, digits: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            round_to(Fraction("3.205"), digits, RoundingType.HALF_UP)

    @given(fractions, rounding_types)
    def test_whole_is_no_decimals(self, value: Fraction, rounding_type: RoundingType) -> None:
        assert round_whole(value, rounding_type) == round_to(value, 0, rounding_type)

    @pytest.mark.parametrize(
        ("text", "value", "expected"), [("floor", "2.5", 2), ("half_even", "2.5", 2), ("ceiling", "2.4", 3)]
    )
    def test_text_for_a_rounding_type_is_never_taken_for_another(
        self, text: Any, value: str, expected: int
    ) -> None:
        with contextlib.suppress(TypeError, ValueError):  # it may be refused, but not misread
            assert round_whole(Fraction(value), text) == expected


class TestRoundingType:
    def test_names_are_released(self) -> None:
        assert [kind.value for kind in RoundingType] == ["half_up", "half_even", "floor", "ceiling"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("half_up", RoundingType.HALF_UP),
            ("Half_Up", RoundingType.HALF_UP),
            ("NORMAL", RoundingType.HALF_UP),
            ("half_even", RoundingType.HALF_EVEN),
            ("FLOOR", RoundingType.FLOOR),
            ("Ceiling", RoundingType.CEILING),
            (" floor ", RoundingType.FLOOR),
        ],
    )
    def test_parse(self, text: str, expected: RoundingType) -> None:
        assert RoundingType.parse(text) is expected

    @pytest.mark.parametrize("text", ["", " ", "bankers", "halfup", "half up", "half-up", "up", "truncate"])
    def test_parse_refuses(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not one of half_up, half_even, floor, ceiling"):
            RoundingType.parse(text)


class TestText:
    @given(fractions, st.integers(0, 30), rounding_types)
    def test_to_text_has_the_digits_asked_for(
        self, value: Fraction, digits: int, rounding_type: RoundingType
    ) -> None:
        text = to_text(value, digits, rounding_type=rounding_type)
        assert re.fullmatch(rf"-?(0|[1-9]\d*)\.\d{{{digits}}}" if digits else r"-?(0|[1-9]\d*)", text)
        assert not re.fullmatch(r"-[0.]+", text)
        assert Fraction(text) * 10**digits == round_whole(value * 10**digits, rounding_type)

    @given(decimals)
    def test_exact_text_of_what_ends(self, value: Decimal) -> None:
        text = exact_text(Fraction(value))
        assert text is not None
        assert Fraction(text) == Fraction(value)
        assert "." not in text or text[-1] != "0"  # no digit that says nothing

    @given(fractions)
    def test_exact_text_is_all_or_nothing(self, value: Fraction) -> None:
        text = exact_text(value)
        ends = 10**40 % value.denominator == 0  # denominators here are below 2 ** 40
        assert (text is not None) == ends
        assert text is None or Fraction(text) == value

    @given(st.one_of(fractions, decimals.map(Fraction)), st.integers(0, 20))
    def test_shown_digits_are_digits_of_the_figure(self, value: Fraction, digits: int) -> None:
        text = shown(value, digits)
        if not text.endswith("..."):
            assert Fraction(text) == value
            assert len(text.partition(".")[2]) <= digits or abs(value) * 10**digits < 1
            return
        cut = text.removesuffix("...")
        places = len(cut.partition(".")[2])
        assert places == digits or (places > digits and abs(value) * 10**digits < 1)
        assert cut.startswith("-") == (value < 0)
        assert Fraction(cut)
        assert 0 < abs(value) - abs(Fraction(cut)) < Fraction(1, 10**places)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Fraction(0), "0"),
            (Fraction(7), "7"),
            (Fraction(-641, 100), "-6.41"),
            (Fraction(1, 1024), "0.0009765625"),
            (Fraction(1, 2048), "0.0004882812..."),
            (Fraction(8, 9), "0.8888888888..."),
            (Fraction(-2, 3), "-0.6666666666..."),
            (Fraction(-1, 10**11), "-0.00000000001"),
            (Fraction(-1, 3 * 10**11), "-0.00000000000333..."),
        ],
    )
    def test_shown(self, value: Fraction, expected: str) -> None:
        assert shown(value) == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("0", "0"),
            ("-6.41", "-6.41"),
            ("1e-9", "0.000000001"),
            ("-123456789e-18", "-1.23E-10"),
            ("1e20", "1" + "0" * 20),
            ("-1e308", "-1E+308"),
        ],
    )
    def test_brief(self, value: str, expected: str) -> None:
        assert brief(Fraction(value)) == expected

    @given(st.integers(-5000, 5000), st.integers(-(10**30), 10**30))
    def test_brief_is_short_and_nearly_the_figure(self, exponent: int, digits: int) -> None:
        value = digits * Fraction(10) ** exponent
        text = brief(value)
        assert len(text) <= 25
        read = Fraction(text.removesuffix("..."))
        assert abs(read - value) <= abs(value) / 100
        assert (read < 0) == (value < 0)

    @given(st.text(max_size=60), st.integers(4, 60))
    @example("9" * 40, 40)
    @example("9" * 41, 40)
    def test_shorten(self, text: str, limit: int) -> None:
        short = shorten(text, limit)
        assert len(short) <= limit
        assert short == text or (short.endswith("...") and text.startswith(short[:-3]))
        assert len(text) > limit or short == text
