"""Builds the template workbooks: ``python workbooks/build.py``; with ``--check`` it only compares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from xl_conversion.books.templates.price_model import price_model_bytes
from xl_conversion.files import write_atomically

FOLDER = Path(__file__).resolve().parent
BUILDERS = {"conversion-price-model.xlsx": price_model_bytes}


def main(arguments: Sequence[str]) -> int:
    """Writes the workbooks, or says with exit code 1 which ones differ from what would be written."""
    if arguments not in ([], ["--check"]):
        print("usage: python workbooks/build.py [--check]", file=sys.stderr)
        return 2
    differ = [name for name, build in BUILDERS.items() if not same(FOLDER / name, build())]
    for name in differ:
        if arguments:
            print(f"{name} differs: run python workbooks/build.py", file=sys.stderr)
        else:
            write_atomically(FOLDER / name, BUILDERS[name]())
            print(FOLDER / name)
    return int(bool(arguments and differ))


def same(path: Path, data: bytes) -> bool:
    """Whether the file at `path` has the parts of `data`: how they are packed may differ with the zlib release."""
    try:
        return parts(path.read_bytes()) == parts(data)
    except (FileNotFoundError, BadZipFile):
        return False


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
