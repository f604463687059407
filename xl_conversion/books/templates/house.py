"""What every template ends with: sheets protected without a password, inputs open, names by which to find them."""

from __future__ import annotations

import re

from openpyxl.styles import Protection

from xl_conversion.books.page import Book

CODE_NAME = "cp_"
"""How the code name of a sheet of ours begins, which stays when a reader renames the sheet."""


def close(book: Book) -> None:
    """Protects every sheet, so that nothing but inputs is typed over by mistake. There is no password: who wants
    to change more takes the protection off."""
    for page in book.pages:
        sheet = page.sheet
        words = re.findall(r"[a-z0-9]+", sheet.title.lower())
        sheet.sheet_properties.codeName = CODE_NAME + "_".join(words)
        # A name on every sheet, for a program that drops code names when it saves.
        book.name(f"chk_sheet_{'_'.join(words)}", page.address(f"{page.last_column}1"))
        for coordinate in page.inputs:
            sheet[coordinate].protection = Protection(locked=False)
        protection = sheet.protection
        protection.sheet = True
        # What a reader does to look at a sheet, or to add to it, stays allowed.
        protection.formatCells = protection.formatColumns = protection.formatRows = False
        protection.sort = protection.autoFilter = False
