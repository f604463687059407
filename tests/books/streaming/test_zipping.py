"""Zip files: the sizes beyond 4 GiB, check sums put together, designs within bounds."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_conversion.books.statements.own import read_design
from xl_conversion.books.streaming import zipping
from xl_conversion.books.streaming.zipping import (
    Deflater,
    Packed,
    central_record,
    end_records,
    joined_crc,
    local_header,
    prepared,
    record,
    unpacked,
)
from xl_conversion.inputs.problems import InputError

LARGE = 5 * 2**30


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_joined_crc(parts: list[bytes]) -> None:
    assert joined_crc((zlib.crc32(part), len(part)) for part in parts) == zlib.crc32(b"".join(parts))


def test_joined_crc_of_much() -> None:
    zeros = bytes(2**20 + 7)
    assert joined_crc([(zlib.crc32(b"a"), 1), (zlib.crc32(zeros), len(zeros))]) == zlib.crc32(b"a" + zeros)


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(max_size=300), st.binary(max_size=300))
def test_one_deflater_for_all(before: list[bytes], shared: bytes, data: bytes) -> None:
    used = Deflater()
    for each in before:
        used.record("x", each * 200)
    pieces = prepared(shared), data * 300, prepared(shared * 2), shared
    entry, content = used.record("x", *pieces)
    assert (entry, content) == Deflater().record("x", *pieces)
    directory = central_record(entry, 0)
    file = ZipFile(BytesIO(content + directory + end_records(1, len(directory), len(content))))
    assert file.read("x") == shared + data * 300 + shared * 3


@pytest.mark.parametrize(
    ("packed", "size", "offset"),
    [
        (10, LARGE, 0),
        (LARGE, LARGE, 0),
        (10, 20, LARGE),
        (LARGE, LARGE, LARGE),
        (0xFFFFFFFE, 0xFFFFFFFE, 0),
        (1, 2, 3),
    ],
)
def test_large_entries_are_read(packed: int, size: int, offset: int) -> None:
    # Only the directory: zipfile believes it and looks nowhere else until an entry is opened.
    entry = Packed("xl/ä.xml", ZIP_DEFLATED, 7, packed, size)
    directory = central_record(entry, offset)

    class Hollow(BytesIO):
        """A file whose directory begins at 6 GiB, of which only this directory is there."""

        start = 6 * 2**30

        def seek(self, place: int, whence: int = 0) -> int:
            if whence == 2:
                return super().seek(place, 2) + self.start
            return super().seek(place - self.start) + self.start

        def tell(self) -> int:
            return super().tell() + self.start

    file = Hollow(directory + end_records(1, len(directory), Hollow.start))
    (info,) = ZipFile(file).infolist()
    assert (info.filename, info.compress_size, info.file_size) == ("xl/ä.xml", packed, size)
    assert info.header_offset == offset
    header = local_header(entry)
    assert (b"\x01\x00\x10\x00" in header[30:]) == (size > 0xFFFFFFFE or packed > 0xFFFFFFFE)


def test_many_entries() -> None:
    front, directory, at = [], [], 0
    for number in range(70_000):
        entry, content = record(f"{number}", b"")
        front.append(content)
        directory.append(central_record(entry, at))
        at += len(content)
    central = b"".join(directory)
    data = b"".join([*front, central, end_records(len(directory), len(central), at)])
    assert len(ZipFile(BytesIO(data)).infolist()) == 70_000


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(5000))
        archive.writestr("b", bytes(5000))
    assert set(unpacked(file.getvalue())) == {"a", "b"}
    for name, limit in (("MAX_PART", 4000), ("MAX_UNPACKED", 9000), ("MAX_ENTRIES", 1), ("MAX_DESIGN", 10)):
        with monkeypatch.context() as patch:
            patch.setattr(zipping, name, limit)
            with pytest.raises(ValueError, match="the design"):
                unpacked(file.getvalue())


def test_one_limit_for_a_design(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(zipping.MAX_DESIGN + 1)
    with pytest.raises(InputError, match=rf"large\.xlsx: larger than {zipping.MAX_DESIGN // 2**20} MiB"):
        read_design(path)
    with pytest.raises(ValueError, match=rf"at most {zipping.MAX_DESIGN // 2**20} MiB are read"):
        unpacked(path.read_bytes())


def test_a_protected_design() -> None:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("a", b"x")
    data = bytearray(file.getvalue())
    data[data.index(b"PK\1\2") + 8] |= 1
    assert zipfile.is_zipfile(BytesIO(data))
    with pytest.raises(ValueError, match="protected by a password"):
        unpacked(bytes(data))
