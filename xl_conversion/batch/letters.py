"""The notices as PDF: printed by LibreOffice, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xl_conversion.books.statements.notice_document import notices_as_pdf

# What LibreOffice takes from the clock. The length stays, since a PDF counts its bytes.
_OF_THE_DAY = re.compile(
    rb"/CreationDate\(D:(?P<day>[^)]*)\)|/ID \[\s*<(?P<one>[0-9A-F]+)>\s*<(?P<two>[0-9A-F]+)>\s*\]"
    rb"|/DocChecksum /(?P<sum>[0-9A-F]+)"
)
_DAY = b"20000101000000Z'"


def print_letters(files: Sequence[Path], folder: Path) -> list[bytes]:
    """The PDF of each letter; `folder` is for files on the way.

    Raises SaveError where LibreOffice is missing or fails.
    """
    return [settled(printed.read_bytes()) for printed in notices_as_pdf(folder, files)]


def settled(pdf: bytes) -> bytes:
    """A PDF without the time of its making and the identity that hangs on it.

    >>> settled(b"/CreationDate(D:20261124012604Z') /DocChecksum /65C9")
    b"/CreationDate(D:20000101000000Z') /DocChecksum /0000"
    """

    def same_length(match: re.Match[bytes]) -> bytes:
        text = match[0]
        if day := match["day"]:
            return text.replace(day, (_DAY + b" " * len(day))[: len(day)])
        for found in {match["one"], match["two"], match["sum"]} - {None}:
            text = text.replace(found, b"0" * len(found))
        return text

    return _OF_THE_DAY.sub(same_length, pdf)
