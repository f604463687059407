"""Columns of Arrow as whole numbers over a power of ten, without an object for each number, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int64s: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Column: TypeAlias = Any
"""An Array of pyarrow, which has no types of its own."""

MOST_DIGITS = 38
"""Of a decimal128."""
MOST = 2**62
"""Whole numbers are below it, so that a sum of two still fits."""

_DOUBLE_SCALES = range(10)
"""Decimals that a double is tried with; one that needs more is read by its 15 digits, alone."""
_SHOWN = 1e15
"""A double shows the whole numbers below it with all their digits."""
_PLAIN = r"^\s*[+-]?([0-9]{1,18}(\.[0-9]{0,15})?|\.[0-9]{1,15})\s*$"
"""A text that is a number of so few digits that it is read with the others."""


class Whole(NamedTuple):
    """Numbers as whole ones over 10**scale; where `sure` is False there is 1 in place of what did not fit."""

    bits: Int64s
    scale: int
    sure: Mask


def is_number(kind: Any) -> bool:
    """Whether a column of that type holds exact numbers, their text, or doubles."""
    if pa.types.is_dictionary(kind):
        return is_number(kind.value_type)
    return bool(
        pa.types.is_decimal(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_float64(kind)
        or pa.types.is_null(kind)
        or is_text(kind)
    )


def is_text(kind: Any) -> bool:
    """Whether a column of that type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def whole(column: Column, blank: int | None = None) -> Whole:
    """The numbers of a column; `blank` stands where there is none.

    >>> whole(pa.array(["6.41", None, "2", "x"]), blank=0)
    Whole(bits=array([641,   0, 200,   1]), scale=2, sure=array([ True,  True,  True, False]))
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    bits, scale, sure = _reader(column.type)(column)
    if column.null_count:
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        bits = np.where(valid, bits, 1 if blank is None else blank * 10**scale)
        sure = sure & valid if blank is None else sure | ~valid
    fits = (bits < MOST) & (bits > -MOST)
    if not (fits.all() and sure.all()):
        sure = sure & fits
        bits = np.where(sure, bits, 1)
    return Whole(bits, scale, sure)


def words(bits: Int64s) -> Int64s:
    """Whole numbers as the pairs of words that a decimal128 has."""
    pairs = np.empty((len(bits), 2), np.int64)
    pairs[:, 0] = bits
    np.right_shift(bits, 63, out=pairs[:, 1])
    return pairs


def raised(bits: Int64s, places: int) -> Int64s:
    """Whole numbers times 10**places, as pairs of words."""
    most = 2**63 // 10**places
    if places <= 18 and bits.min(initial=0) > -most and bits.max(initial=0) < most:
        return words(bits * 10**places if places else bits)
    column = decimals(words(bits), pa.decimal128(19, 0)).cast(pa.decimal128(MOST_DIGITS, places))
    return _words(column, 2)


def decimals(pairs: Int64s, kind: Any, absent: Mask | None = None) -> Column:
    """The decimal128 column of pairs of words, nothing where it is `absent`."""
    validity = None
    if absent is not None and absent.any():
        validity = pa.py_buffer(np.packbits(~absent, bitorder="little"))
    return pa.Array.from_buffers(kind, len(pairs), [validity, pa.py_buffer(np.ascontiguousarray(pairs))])


def _reader(kind: Any) -> Callable[[Column], Whole]:
    types = pa.types
    if types.is_decimal(kind):
        if kind.scale < 0:
            return _nothing
        if types.is_decimal128(kind):
            return _of_decimal128
        return _of_decimal256 if types.is_decimal256(kind) else _of_small_decimal
    if types.is_integer(kind):
        return _of_integers
    if types.is_float64(kind):
        return _of_doubles
    return _of_text if is_text(kind) else _nothing


def _nothing(column: Column) -> Whole:
    """Numbers that are looked at one by one."""
    return Whole(np.ones(len(column), np.int64), 0, np.zeros(len(column), np.bool_))


def _words(column: Column, width: int) -> Int64s:
    """The words of a decimal column, lowest first."""
    start = width * column.offset
    flat = np.frombuffer(column.buffers()[1], np.int64)[start : start + width * len(column)]
    return flat.reshape(-1, width)


def _of_decimal128(column: Column) -> Whole:
    pairs = _words(column, 2)
    low = np.ascontiguousarray(pairs[:, 0])
    if column.type.precision <= 18:
        return Whole(low, column.type.scale, np.ones(len(low), np.bool_))
    return Whole(low, column.type.scale, pairs[:, 1] == low >> 63)


def _of_decimal256(column: Column) -> Whole:
    quads = _words(column, 4)
    low = np.ascontiguousarray(quads[:, 0])
    return Whole(low, column.type.scale, (quads[:, 1:] == (low >> 63)[:, None]).all(axis=1))


def _of_small_decimal(column: Column) -> Whole:
    return _of_decimal128(column.cast(pa.decimal128(column.type.precision, column.type.scale)))


def _of_integers(column: Column) -> Whole:
    values = _filled(column).to_numpy(zero_copy_only=False)
    bits = values.astype(np.int64)
    return Whole(bits, 0, bits >= 0 if pa.types.is_uint64(column.type) else np.ones(len(bits), np.bool_))


def _of_doubles(column: Column) -> Whole:
    # A whole number of up to 15 digits over a power of ten that comes back as the same double is what it shows.
    values = _filled(column).to_numpy(zero_copy_only=False)
    best = Whole(np.ones(len(values), np.int64), 0, np.zeros(len(values), np.bool_))
    many = -1
    with np.errstate(all="ignore"):
        for scale in _DOUBLE_SCALES:
            ten = 10.0**scale
            digits = np.rint(values * ten)
            written = (digits / ten == values) & (np.abs(digits) < _SHOWN)
            if (found := int(written.sum())) > many:
                best = Whole(np.where(written, digits, 1.0).astype(np.int64), scale, written)
                many = found
            if found == len(values):
                break
    return best


def _of_text(column: Column) -> Whole:
    column = column.cast(pa.string())
    plain = pc.fill_null(pc.match_substring_regex(column, _PLAIN), False)
    column = pc.utf8_trim_whitespace(pc.if_else(plain, column, "1"))
    point = pc.find_substring(column, ".")
    places = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(pc.binary_length(column), point), 1))
    scale = pc.max(places).as_py() or 0
    numbers = _of_decimal128(column.cast(pa.decimal128(18 + scale, scale)))
    return numbers._replace(sure=numbers.sure & plain.to_numpy(zero_copy_only=False))


def _filled(column: Column) -> Column:
    """The column with 1 where there is nothing, so that it becomes no column of doubles."""
    return pc.fill_null(column, 1) if column.null_count else column
