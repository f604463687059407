"""The worksheet functions as Excel calls them: through xlwings' own dispatcher and converters."""

from __future__ import annotations

import ast
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from inspect import signature
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.excel import (
    MODULE,
    OMITTED,
    Content,
    Currency,
    Date,
    Error,
    FakeRange,
    UdfRaised,
    call,
    import_functions,
)

from xl_conversion.functions.boundary import MAX_MESSAGE, MISSING, CellError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Function
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.typed import argument_of
from xl_conversion.hosts.excel import udfs

# From the reference of VBA's XlCVError, not from the code under test.
ERRORS = {
    2000: "#NULL!",
    2007: "#DIV/0!",
    2015: "#VALUE!",
    2023: "#REF!",
    2029: "#NAME?",
    2036: "#NUM!",
    2042: "#N/A",
    2043: "#GETTING_DATA",
    2045: "#SPILL!",
    2046: "#CONNECT!",
    2047: "#BLOCKED!",
    2048: "#UNKNOWN!",
    2049: "#FIELD!",
    2050: "#CALC!",
}
VBA_KEYWORDS = frozenset(
    """
    addressof alias and any as attribute boolean byref byte byval call case cdate cdbl cint circle clng close
    compare const currency date debug decimal declare defbool defdate defdbl defint deflng defobj defstr defvar dim
    do doevents double each else elseif empty end endif enum eqv erase error event exit explicit false fix for
    friend function get global gosub goto if imp implements in input int integer is let lib like line lock long
    longlong longptr loop lset me mid mod module name new next not nothing null object on open option optional or
    output paramarray preserve print private property ptrsafe public put raiseevent random read redim rem reset
    resume return rset scale seek select set sgn shared single spc static step stop string sub tab text then time
    to true type typeof unlock until variant vb_name wend while width with withevents write xor
    """.split()  # noqa: SIM905
)
PRICE = "CP_SPLIT: conversion_price"
NUMBER = "a number is required"
WHOLE_NUMBER = "it must be a whole number from -15 to 15"
ROUNDING_TYPE = "it must be one of half_up, half_even, floor, ceiling"
LEAP_DAY = Date(datetime(2024, 2, 29, 13, 30, tzinfo=UTC))

each_function = pytest.mark.parametrize("function", CATALOGUE, ids=lambda function: function.name)


def example(function: Function) -> list[Any]:
    return [argument_of(text) for text in function.example]


def bits(value: Any) -> Any:
    if isinstance(value, list):
        return [bits(one) for one in value]
    return value.hex() if isinstance(value, float) else value


def cells_of(result: Any) -> Iterator[Any]:
    if isinstance(result, list):
        yield from chain.from_iterable(map(cells_of, result))
    else:
        yield result


def texts(result: Any) -> Any:
    """A result of `evaluate` as Excel shows it."""
    if isinstance(result, list):
        return [texts(one) for one in result]
    return str(result) if isinstance(result, CellError) else result


# Values


@each_function
def test_an_example_gives_the_same_double_as_evaluate(function: Function) -> None:
    arguments = example(function)
    expected = evaluate(function, arguments)
    assert type(expected) in (float, str, list)
    constants = [tuple(map(tuple, one)) if isinstance(one, list) else one for one in arguments]
    assert bits(call(function.name, *constants)) == bits(expected)
    assert bits(call(function.name, *map(FakeRange, arguments))) == bits(expected)
    omitted = [OMITTED] * (len(function.arguments) - len(arguments))
    assert bits(call(function.name, *arguments, *omitted)) == bits(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (2.5, 2.5),
        (3, 3.0),
        (0.1 + 0.2, 0.3),
        (Currency(2.37271234567891), 2.37271234567891),
        (Currency(-99822986.66666), -99822986.66666),
        (None, "#VALUE! CP_ROUND: number is blank; a number is required"),
        ("", "#VALUE! CP_ROUND: number is blank; a number is required"),
        ("2.5", "#VALUE! CP_ROUND: number is the text '2.5'; a number is required"),
        ("#1", "#VALUE! CP_ROUND: number is the text '#1'; a number is required"),
        (True, "#VALUE! CP_ROUND: number is TRUE; a number is required, not a boolean"),
        (LEAP_DAY, "#VALUE! CP_ROUND: number is the date 2024-02-29; a number is required"),
        (
            math.inf,
            "#NUM! CP_ROUND: number is beyond what a cell can hold; a number that a cell can hold is required",
        ),
    ],
    ids=str,
)
def test_what_a_cell_may_hold(cell: Any, expected: float | str) -> None:
    result = call("CP_ROUND", FakeRange(cell), 14.0)
    assert type(result) is type(expected)
    assert bits(result) == bits(expected)


@pytest.mark.parametrize("number", [*ERRORS, 2051])
def test_an_error_is_handed_on(number: int) -> None:
    code = ERRORS.get(number, "#VALUE!")  # one that a later Excel adds
    expected = f"{code} CP_SPLIT: split_new is {code}; an error is handed on"
    error = Error(number)
    assert call("CP_SPLIT", 50.0, FakeRange(error), 1.0) == expected
    assert call("CP_SPLIT", 50.0, error, 1.0) == expected
    assert call("CP_SPLIT", 50.0, FakeRange([[2.0], [error]]), 1.0) == [[25.0], [expected]]
    assert call("CP_SPLIT", 50.0, (2.0, error), 1.0) == [25.0, expected]


def test_the_numbers_of_errors() -> None:
    assert dict(udfs.ERRORS) == ERRORS


def test_an_error_of_a_function_is_an_error_to_the_next_one() -> None:
    failed = call("CP_SPLIT", 50.0, 0.0, 1.0)
    assert failed == "#NUM! CP_SPLIT: split_new is 0; it must be above 0"
    handed_on = "#NUM! CP_RATIO: conversion_price is #NUM!; an error is handed on"
    assert call("CP_RATIO", 6.41, FakeRange(failed)) == handed_on
    assert call("CP_RATIO", 6.41, failed) == handed_on


def test_a_table_keeps_each_kind_of_cell() -> None:
    table: list[list[Content]] = [[1.23456789, Currency(1.23456789), LEAP_DAY], [True, None, Error(2042)]]
    assert call("CP_ROUND", FakeRange(table), 8.0) == [
        [1.23456789, 1.23456789, "#VALUE! CP_ROUND: number is the date 2024-02-29; a number is required"],
        [
            "#VALUE! CP_ROUND: number is TRUE; a number is required, not a boolean",
            "#VALUE! CP_ROUND: number is blank; a number is required",
            "#N/A CP_ROUND: number is #N/A; an error is handed on",
        ],
    ]


@pytest.mark.parametrize("left_out", [OMITTED, FakeRange(None), FakeRange(""), None, ""], ids=str)
def test_an_optional_argument_may_be_left_out_or_blank(left_out: Any) -> None:
    arguments = (6.41, 33831184.0, 8187842.7, 81728433.0)
    assert call("CP_WEIGHTED_AVERAGE", *arguments, left_out, 4.0, left_out) == evaluate(
        FUNCTIONS["CP_WEIGHTED_AVERAGE"], [*arguments, MISSING, 4.0]
    )


def test_a_required_argument_may_not_be_left_out() -> None:
    assert call("CP_SPLIT", 50.0, OMITTED, 1.0) == "#VALUE! CP_SPLIT: split_new is blank; a number is required"


# Shapes


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (FakeRange([[50.0]]), 25.0),
        (((50.0,),), 25.0),
        ((50.0,), 25.0),
        (FakeRange([[50.0, 10.0]]), [25.0, 5.0]),  # the dispatcher sends one row as a flat array
        ((50.0, 10.0), [25.0, 5.0]),
        (FakeRange([[50.0], [10.0]]), [[25.0], [5.0]]),
        (((50.0,), (10.0,)), [[25.0], [5.0]]),
        (FakeRange([[50.0, 10.0], [4.0, 2.0]]), [[25.0, 5.0], [2.0, 1.0]]),
        (((50.0, 10.0), (4.0, 2.0)), [[25.0, 5.0], [2.0, 1.0]]),
        ((), f"#VALUE! {PRICE} is blank; {NUMBER}"),
        (((50.0, 10.0), (4.0,)), [[25.0, 5.0], [2.0, f"#VALUE! {PRICE} is blank; {NUMBER}"]]),
        (((50.0,), 10.0), [f"#VALUE! {PRICE} is of type tuple; {NUMBER}", 5.0]),
    ],
    ids=str,
)
def test_shapes(prices: Any, expected: Any) -> None:
    assert call("CP_SPLIT", prices, 2.0, 1.0) == expected


def test_a_column_against_a_row_is_a_grid() -> None:
    column = ((50.0,), (None,), (0.1,))
    row = ((2.0, 3.0, 0.0, "x"),)
    expected = evaluate(FUNCTIONS["CP_SPLIT"], [column, row, 1.0])
    assert call("CP_SPLIT", FakeRange(column), FakeRange(row), 1.0) == texts(expected)


def test_ranges_that_differ_in_size() -> None:
    result = call("CP_SPLIT", FakeRange([[50.0], [10.0], [4.0]]), FakeRange([[2.0], [4.0]]), 1.0)
    assert result == [[25.0], [2.5], ["#N/A CP_SPLIT: the ranges differ in size"]]


def test_a_long_column_is_one_call() -> None:
    prices = [[1 + place / 7] for place in range(1000)]
    expected = evaluate(FUNCTIONS["CP_SPLIT"], [prices, 3.0, 2.0])
    assert call("CP_SPLIT", FakeRange(prices), 3.0, 2.0) == expected


def test_a_range_too_large_is_not_read() -> None:
    huge = FakeRange([[1.0] * 3000] * 2000, fails="it was read")
    expected = "#NUM! CP_SPLIT: split_new is a range of 2000 x 3000 cells; at most 5000000"
    assert call("CP_SPLIT", 50.0, huge, 1.0) == expected


def test_a_reference_of_several_areas() -> None:
    expected = "#VALUE! CP_SPLIT: split_old is a reference of several areas; it must be one range"
    assert call("CP_SPLIT", 50.0, 2.0, FakeRange(1.0, areas=2)) == expected


# Failures


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("CP_SPLIT", (-50.0, 2.0, 1.0), f"#NUM! {PRICE} is -50; it must be above 0"),
        ("CP_RATIO", (6.41, 2.0, "2"), f"#VALUE! CP_RATIO: decimals is the text '2'; {NUMBER}"),
        ("CP_ROUND", (1.0, 2.5), f"#NUM! CP_ROUND: decimals is 2.5; {WHOLE_NUMBER}"),
        ("CP_ROUND", (1.0, 16.0), f"#NUM! CP_ROUND: decimals is 16; {WHOLE_NUMBER}"),
        ("CP_ROUND", (1.0, 2.0, "up"), f"#VALUE! CP_ROUND: rounding_type is 'up'; {ROUNDING_TYPE}"),
        ("CP_ROUND", (1.0, 2.0, 5.0), f"#VALUE! CP_ROUND: rounding_type is 5; {ROUNDING_TYPE}"),
        ("CP_ROUND", (1.0, None), f"#VALUE! CP_ROUND: decimals is blank; {NUMBER}"),
    ],
)
def test_bad_input_says_what_is_wrong(name: str, arguments: tuple[Any, ...], expected: str) -> None:
    assert call(name, *arguments) == expected


def test_a_long_text_does_not_exceed_what_an_array_may_hold() -> None:
    result = call("CP_SPLIT", FakeRange([["x" * 5000], [1.0]]), 2.0, 1.0)
    assert result[0][0].startswith("#VALUE! CP_SPLIT: conversion_price is the text 'xxx")
    assert len(result[0][0]) <= MAX_MESSAGE


def test_an_unexpected_exception_is_one_line_and_no_traceback() -> None:
    result = call("CP_SPLIT", FakeRange(50.0, fails="Excel\nis busy " + "x" * 500), 2.0, 1.0)
    assert result.startswith("#VALUE! CP_SPLIT: internal error: ")
    assert "is busy" in result
    assert "\n" not in result
    assert len(result) <= MAX_MESSAGE


def test_the_fake_lets_a_traceback_through() -> None:
    with pytest.raises(UdfRaised, match="CP_UNKNOWN"):
        call("CP_UNKNOWN")


constants = st.one_of(
    st.floats(),
    st.integers(-(2**31), 2**31 - 1),
    st.booleans(),
    st.none(),
    st.text(max_size=300),
    st.sampled_from(["", " ", "half_even", "FLOOR", "#N/A", "#NUM! CP_X: y", "1e999999999", "\ud800", "x\ny"]),
    st.builds(Error, st.integers(1990, 2060)),
)
cells = st.one_of(
    constants,
    st.builds(Currency, st.floats(-9e14, 9e14)),
    st.builds(Date, st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31))),  # noqa: DTZ001
)
widths = st.integers(1, 3)
arguments = st.one_of(
    st.just(OMITTED),
    constants,
    st.lists(constants, max_size=3).map(tuple),
    st.lists(st.lists(constants, max_size=3).map(tuple), max_size=3).map(tuple),
    cells.map(FakeRange),
    widths.flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=3)
    ).map(FakeRange),
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_cells_hold_the_result_is_numbers_and_errors(data: st.DataObject) -> None:
    function = data.draw(st.sampled_from(CATALOGUE))
    result = call(function.name, *(data.draw(arguments) for _ in function.arguments))
    for cell in cells_of(result):
        if type(cell) is float:
            assert math.isfinite(cell)
        else:
            assert type(cell) is str
            texts_too = function.spills or function.unit == "text"
            assert texts_too or cell.partition(" ")[0] in ERRORS.values()
            assert texts_too or cell
            assert len(cell) <= MAX_MESSAGE
            assert cell.isprintable()
            assert "internal error" not in cell


# Registration


@each_function
def test_what_excel_is_told_is_the_catalogue(function: Function) -> None:
    options = import_functions().options[function.name]
    assert options["Category"] == "Conversion price"
    assert options["Description"] == function.summary[:255]
    described = [argument.help[:255] for argument in function.arguments]
    assert (options["ArgumentDescriptions"] or []) == described


def test_every_function_is_registered_and_nothing_else() -> None:
    registration = import_functions()
    assert registration.options.keys() == FUNCTIONS.keys() == udfs.WRAPPERS.keys()
    assert set(re.findall(r"^Function (\w+)\(", registration.vba, re.MULTILINE)) == FUNCTIONS.keys()
    assert "Sub " not in registration.vba


@each_function
def test_the_vba_of_a_function(function: Function) -> None:
    vba = import_functions().vba
    declared = [f"Optional {a.name}" if a.optional else a.name for a in function.arguments]
    passed = ", ".join(argument.name for argument in function.arguments)
    body = re.search(
        rf"^Function {function.name}\({re.escape(', '.join(declared))}\)\n(.*?)^End Function$",
        vba,
        re.MULTILINE | re.DOTALL,
    )
    assert body
    assert (
        f'{function.name} = XLPy.CallUDF("{MODULE}", "{function.name}", Array({passed}), '
        "ThisWorkbook, Application.Caller)\n"
    ) in body[1]
    assert body[1].endswith(f"failed:\n    {function.name} = Err.Description\n")
    assert body[1].count("#If ") == body[1].count("#End If") == 1


def test_the_vba_can_be_compiled() -> None:
    vba = import_functions().vba
    assert vba.isascii()
    assert max(map(len, vba.splitlines())) < 1024
    for function in CATALOGUE:
        names = [function.name.lower(), *(argument.name.lower() for argument in function.arguments)]
        assert len(set(names)) == len(names)
        # `caller` is xlwings' own, the others are used by its wrappers.
        assert not VBA_KEYWORDS.union(["caller", "failed", "k", "app", "xlpy", "array"]).intersection(names)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,254}", name) for name in names)


@each_function
def test_a_wrapper_is_plain(function: Function) -> None:
    wrapper = getattr(udfs, function.name)
    assert wrapper is udfs.WRAPPERS[function.name]
    assert wrapper.__annotations__ == {}
    parameters = signature(wrapper).parameters.values()
    assert [p.name for p in parameters] == [a.name for a in function.arguments]
    assert [p.default for p in parameters] == [
        MISSING if argument.optional else p.empty
        for p, argument in zip(parameters, function.arguments, strict=True)
    ]
    assert bits(wrapper(*example(function))) == bits(evaluate(function, example(function)))


def test_only_what_needs_no_licence_is_imported() -> None:
    tree = ast.parse(Path(udfs.__file__).read_text(encoding="utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    parts = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {name for name in plain | parts if name.startswith("xlwings")} == {"xlwings", "xlwings.conversion"}


def test_the_functions_do_without_xlwings() -> None:
    program = (
        "import sys, xl_conversion.functions.catalogue, xl_conversion.functions.evaluate\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'xlwings'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
