"""Zip files of parts that are compressed already, the same bytes everywhere; designs unpacked within bounds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

MAX_DESIGN = 50 * 2**20
MAX_PART = 64 * 2**20
MAX_UNPACKED = 128 * 2**20
MAX_ENTRIES = 5_000

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_STORED = struct.Struct("<B2H")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_DAY = 0x21
"""1 January 1980, the first day that a zip file knows."""
_UNIX = 3 << 8
_RIGHTS = 0o600 << 16
_FULL = 0xFFFFFFFF
_SHORT = 5_000
"""Bytes up to which a piece is stored as it is."""
_LAST = b"\3\0"
"""An empty block that is the last one."""
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class Packed(NamedTuple):
    """What stands in a zip file for an entry, without its content."""

    name: str
    method: int
    crc: int
    packed: int
    """Bytes that the content takes in the file."""
    size: int
    """Bytes that it has."""


class Prepared(NamedTuple):
    """A piece that contents share, compressed once for all of them."""

    data: bytes
    packed: bytes


def prepared(data: bytes) -> Prepared:
    """A piece that is compressed now, as well as can be."""
    return Prepared(data, Deflater(9).squeezed(data))


class Deflater:
    """Compresses one content after the other, which is faster than to set up the compression for each."""

    def __init__(self, level: int = 1) -> None:
        self._compressor = zlib.compressobj(level, zlib.DEFLATED, -15)

    def piece(self, data: bytes) -> bytes:
        """Ends at a whole byte, and nothing behind it refers to it. A short one is stored as it is: to compress it
        takes longer than to write what it would save."""
        if len(data) <= _SHORT:
            return _STORED.pack(0, len(data), len(data) ^ 0xFFFF) + data if data else b""
        return self.squeezed(data)

    def squeezed(self, data: bytes) -> bytes:
        """The same, compressed however short it is."""
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_FULL_FLUSH)

    def whole(self, data: bytes) -> bytes:
        """Compressed with its end."""
        return self.piece(data) + _LAST

    def record(self, name: str, *pieces: bytes | Prepared) -> tuple[Packed, bytes]:
        """An entry and its whole record: header, and compressed content, which is one piece after the other."""
        packed: list[bytes] = []
        crc = size = 0
        for piece in pieces:
            if isinstance(piece, Prepared):
                data = piece.data
                packed.append(piece.packed)
            else:
                data = piece
                packed.append(self.piece(data))
            crc, size = zlib.crc32(data, crc), size + len(data)
        packed.append(_LAST)
        content = b"".join(packed)
        entry = Packed(name, ZIP_DEFLATED, crc, len(content), size)
        return entry, local_header(entry) + content


def record(name: str, data: bytes, level: int = 1) -> tuple[Packed, bytes]:
    """An entry and its whole record."""
    return Deflater(level).record(name, data)


def local_header(entry: Packed) -> bytes:
    """What stands in front of the content of an entry."""
    name, flags = _name(entry.name)
    large = entry.size >= _FULL or entry.packed >= _FULL
    extra = struct.pack("<2H2Q", 1, 16, entry.size, entry.packed) if large else b""
    packed, size = (_FULL, _FULL) if large else (entry.packed, entry.size)
    version = 45 if large else 20
    return (
        _LOCAL.pack(
            b"PK\3\4", version, flags, entry.method, 0, _DAY, entry.crc, packed, size, len(name), len(extra)
        )
        + name
        + extra
    )


def central_record(entry: Packed, offset: int) -> bytes:
    """The line of an entry in the directory at the end; `offset` is where its local header stands."""
    name, flags = _name(entry.name)
    large = [value for value in (entry.size, entry.packed, offset) if value >= _FULL]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    # The local header announces Zip64 for its sizes only; the directory for its offset, too.
    version = 45 if large else 20
    return (
        _CENTRAL.pack(
            b"PK\1\2",
            _UNIX | version,
            version,
            flags,
            entry.method,
            0,
            _DAY,
            entry.crc,
            min(entry.packed, _FULL),
            min(entry.size, _FULL),
            len(name),
            len(extra),
            0,
            0,
            0,
            _RIGHTS,
            min(offset, _FULL),
        )
        + name
        + extra
    )


def end_records(count: int, size: int, offset: int) -> bytes:
    """The end of a zip file with `count` entries, whose directory has `size` bytes and begins at `offset`."""
    end = b""
    if count >= 0xFFFF or size >= _FULL or offset >= _FULL:
        end = _END64.pack(b"PK\6\6", 44, _UNIX | 45, 45, 0, 0, count, count, size, offset)
        end += _LOCATOR.pack(b"PK\6\7", 0, offset + size, 1)
    short = min(count, 0xFFFF)
    return end + _END.pack(b"PK\5\6", 0, 0, short, short, min(size, _FULL), min(offset, _FULL), 0)


def joined_crc(parts: Iterable[tuple[int, int]]) -> int:
    """The check sum of contents one after the other, from the check sum and the length of each."""
    total = 0
    for crc, length in parts:
        total = _shifted(total, length) ^ crc
    return total


def unpacked(design: bytes) -> dict[str, bytes]:
    """The parts of a workbook file, in their order. ValueError says why it cannot be a design."""
    if len(design) > MAX_DESIGN:
        raise ValueError(f"the design has {len(design):,} bytes; at most {MAX_DESIGN // 2**20} MiB are read")
    if design.startswith(_OLE):
        raise ValueError("the design is protected by a password or in the old format (.xls): save it as .xlsx")
    try:
        with ZipFile(BytesIO(design)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if any(info.flag_bits & 1 for info in infos):
                raise ValueError("the design is protected by a password: save it without")
            if len(infos) > MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_UNPACKED:
                raise ValueError(f"the design unpacks to more than {MAX_UNPACKED // 2**20} MiB")
            parts: dict[str, bytes] = {}
            for info in infos:
                if info.file_size > MAX_PART:
                    raise ValueError(f"the design has a part of more than {MAX_PART // 2**20} MiB")
                if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                    raise ValueError("the design is compressed as no workbook is: save it again in Excel")
                if info.filename in parts:
                    raise ValueError(f"the design is damaged: the part {info.filename!a} is there twice")
                with archive.open(info) as stream:
                    parts[info.filename] = stream.read(info.file_size + 1)
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, struct.error, zlib.error) as error:
        raise ValueError("the design is no Excel workbook, or a damaged one: save it again in Excel") from error
    return parts


def _name(name: str) -> tuple[bytes, int]:
    """A name as it is stored, and the flag that says whether it is more than ASCII."""
    return name.encode(), 0 if name.isascii() else 0x800


def _shifted(crc: int, length: int) -> int:
    """The check sum of the same data with `length` zero bytes behind it, as zlib's crc32_combine does it."""
    odd = [0xEDB88320, *(1 << bit for bit in range(31))]  # one zero bit
    matrix = _squared(_squared(odd))  # four
    while length:
        matrix = _squared(matrix)  # a byte in the first round, then twice as many in each
        if length & 1:
            crc = _times(matrix, crc)
        length >>= 1
    return crc


def _times(matrix: list[int], vector: int) -> int:
    result, row = 0, 0
    while vector:
        if vector & 1:
            result ^= matrix[row]
        vector >>= 1
        row += 1
    return result


def _squared(matrix: list[int]) -> list[int]:
    return [_times(matrix, column) for column in matrix]
