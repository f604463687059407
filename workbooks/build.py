"""Builds what this folder holds: ``python workbooks/build.py``; with ``--check`` it only compares.

That is the two models and their blank editions, the gallery of the functions, the LibreOffice extension, and the
help pages.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from xl_conversion.books.gallery.gallery import gallery_bytes
from xl_conversion.books.templates.chain_filling import blank_chain
from xl_conversion.books.templates.chain_model import chain_model_bytes
from xl_conversion.books.templates.price_filling import blank_filling
from xl_conversion.books.templates.price_model import price_model_bytes
from xl_conversion.files import write_atomically
from xl_conversion.functions.pages import GALLERY, help_pages
from xl_conversion.hosts.libreoffice.addin import oxt

FOLDER = Path(__file__).resolve().parent
PAGES = "functions"
BUILDERS = {
    "conversion-price-model.xlsx": price_model_bytes,
    "conversion-price-model-blank.xlsx": lambda: price_model_bytes(blank_filling()),
    "conversion-chain-model.xlsx": chain_model_bytes,
    "conversion-chain-model-blank.xlsx": lambda: chain_model_bytes(blank_chain()),
    GALLERY: gallery_bytes,
    "xl-conversion.oxt": oxt,
}


def main(arguments: Sequence[str]) -> int:
    """Writes the files, or says with exit code 1 which ones differ from what would be written."""
    if arguments not in ([], ["--check"]):
        print("usage: python workbooks/build.py [--check]", file=sys.stderr)
        return 2
    built = files()
    differ = [name for name, data in built.items() if not same(FOLDER / name, data)]
    stale = [path.relative_to(FOLDER).as_posix() for path in sorted((FOLDER / PAGES).glob("*.md"))]
    stale = [name for name in stale if name not in built]
    for name in (*differ, *stale):
        path = FOLDER / name
        if arguments:
            what = "differs" if name in built else "is of no function"
            print(f"{name} {what}: run python workbooks/build.py", file=sys.stderr)
        elif name in built:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, built[name])
            print(path)
        else:
            path.unlink()
    return int(bool(arguments and (differ or stale)))


@cache
def files() -> dict[str, bytes]:
    """Every file, by its name in this folder."""
    pages = {f"{PAGES}/{name}": text.encode() for name, text in help_pages().items()}
    return {**{name: build() for name, build in BUILDERS.items()}, **pages}


def same(path: Path, data: bytes) -> bool:
    """Whether the file at `path` has the content of `data`: how a workbook is packed may differ with the zlib
    release."""
    try:
        found = path.read_bytes()
        if path.suffix == ".md":
            return found.replace(b"\r\n", b"\n") == data  # as git may have checked it out
        return parts(found) == parts(data)
    except (FileNotFoundError, BadZipFile):
        return False


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of a workbook or an extension by name."""
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
