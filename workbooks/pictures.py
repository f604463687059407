"""Turns workbooks into the pictures of the gallery: ``python workbooks/pictures.py``.

Needs LibreOffice and pdftoppm. The workbooks are recalculated with the add-in, so the pictures show what
LibreOffice computes, not what was saved.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.office import Office  # noqa: E402
from support.papers import write_papers  # noqa: E402

from xl_conversion.batch.run import Per, Settings, export  # noqa: E402
from xl_conversion.books.gallery.gallery import gallery  # noqa: E402
from xl_conversion.books.gallery.intellisense import SHEET  # noqa: E402
from xl_conversion.books.saving import save_workbook  # noqa: E402
from xl_conversion.examples import write_example  # noqa: E402
from xl_conversion.hosts.libreoffice.addin import write_folder  # noqa: E402
from xl_conversion.inputs.reading import read_cases  # noqa: E402

GALLERY = HERE / "gallery"
SHOWN = {"Functions": 0, "CP_WEIGHTED_AVERAGE": -1, "CP_HISTORY": -1}
"""Sheets of the function gallery, and which of the pages of each is drawn."""


def main() -> None:
    """Draws every page of the models and of what export writes, and some of the functions."""
    GALLERY.mkdir(exist_ok=True)
    for old in GALLERY.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_folder(work / "addins" / "xl_conversion.oxt")
        write_example(work / "notice")
        write_example(work / "company", "csv", "company")
        (paper,) = write_papers(read_cases(work / "notice"), work / "out")
        export(str(work / "notice"), work / "one", Settings())
        export(str(work / "company"), work / "all", Settings(per=frozenset(Per)))
        (statement,) = (work / "one" / "series").iterdir()
        with Office(work / "office", addins=work / "addins") as office:
            for name, path in (
                ("price-model", HERE / "conversion-price-model.xlsx"),
                ("chain-model", HERE / "conversion-chain-model.xlsx"),
                ("working-paper", paper.path),
                ("statement", statement),
                ("holder", min((work / "all" / "holders").iterdir())),
                ("register", work / "all" / "register.xlsx"),
            ):
                _keep(office.pictures(path, work / name, dpi=75), name)
            pages = []
            for sheet, page in SHOWN.items():
                pictures = office.pictures(_alone(sheet, work / f"{sheet}.xlsx"), work / sheet, dpi=75)
                pages.append(sorted(pictures)[page])
            _keep(pages, "functions")


def _alone(title: str, path: Path) -> Path:
    """The function gallery of which only one sheet is printed."""
    book = gallery()
    book.workbook.remove(book.workbook[SHEET])  # LibreOffice prints hidden sheets too if they have a print area
    for place, sheet in enumerate(book.workbook.worksheets):
        if sheet.title == title:
            book.workbook.active = place
        else:
            sheet.sheet_state = "hidden"
    save_workbook(book.workbook, book.cached, path, as_of=book.as_of)
    return path


def _keep(pages: list[Path], name: str) -> None:
    for number, page in enumerate(pages, start=1):
        target = GALLERY / f"{name}-{number:02}.png"
        target.write_bytes(page.read_bytes())
        print(target.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
