"""Turns workbooks into the pictures of the gallery: ``python workbooks/pictures.py``.

Needs LibreOffice and pdftoppm. The template is recalculated with the add-in, so the pictures show what LibreOffice
computes, not what was saved.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.office import Office  # noqa: E402

from xl_conversion.books.export import export_cases  # noqa: E402
from xl_conversion.examples import write_example  # noqa: E402
from xl_conversion.hosts.libreoffice.addin import write_folder  # noqa: E402
from xl_conversion.inputs.reading import read_cases  # noqa: E402

GALLERY = HERE / "gallery"


def main() -> None:
    """Draws every page of the template and of the finished workbook of the notice."""
    GALLERY.mkdir(exist_ok=True)
    for old in GALLERY.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_folder(work / "addins" / "xl_conversion.oxt")
        write_example(work / "notice")
        (exported,) = export_cases(read_cases(work / "notice"), work / "out")
        with Office(work / "office", addins=work / "addins") as office:
            for name, path in (("model", HERE / "conversion-price-model.xlsx"), ("finished", exported.path)):
                pages = office.pictures(path, work / name, dpi=75)
                for number, page in enumerate(sorted(pages), start=1):
                    target = GALLERY / f"{name}-{number:02}.png"
                    target.write_bytes(page.read_bytes())
                    print(target.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
