"""What the sheets of the gallery refer to on one another, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xl_conversion.books.page import Book, Page
from xl_conversion.books.templates.formulas import Place
from xl_conversion.books.templates.model import CHECK, NO_ADDIN, OK

CHANGED = "CHANGED"
"""A check that cannot be made, because the inputs are no longer those whose result was stated."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the result of a sheet stands (a cell or a range), and the checks by what they are of."""

    result: str
    value: float | str | None
    """Of a single result."""
    size: tuple[int, int]
    """Rows and columns."""
    checks: Mapping[str, tuple[str, str]]
    """Address, and what the check says."""
    number_format: str
    """Of a single result."""


@dataclass
class Gallery:
    """The workbook in the making."""

    book: Book
    pages: Mapping[str, Page]
    version: str = ""
    """Of the functions, in the sheet CP_VERSION: an error there means that there are none."""
    lists: dict[str, Place] = field(default_factory=dict)
    """Words for validation, by the name of the enumeration; the names of the functions are one of them."""

    sections: dict[str, list[int]] = field(default_factory=dict)
    """The rows in which the sections of each sheet begin."""

    def section(self, page: Page, title: str) -> None:
        """Begins a section."""
        page.section(title)
        self.sections.setdefault(page.sheet.title, []).append(page.row - 1)

    def write_check(self, page: Page, at: str, actual: str, holds: str, unchanged: str, value: str) -> None:
        """A check: whether `holds`, if the inputs are still `unchanged` and the functions are there."""
        judged = f'IF({holds},"{OK}","{CHECK}")'
        if unchanged:
            judged = f'IF({unchanged},{judged},"{CHANGED}")'
        absent = f'IF(ISERROR({self.version}),"{NO_ADDIN}","{CHECK}")'
        page.formula(at, f"=IF(ISERROR({actual}),{absent},{judged})", value, align="center")
        mark(page, at)


def mark(page: Page, cells: str) -> None:
    """Colours checks."""
    page.mark(cells, OK, CHECK, CHANGED)
    page.mark(cells, OK, CHECK, NO_ADDIN)


def absolute(page: Page, where: str) -> str:
    """A cell or range of a page, as a formula on any sheet names it."""
    first, _, last = where.partition(":")
    if not last:
        return page.address(first)
    return f"{page.address(first)}:{page.address(last).rpartition('!')[2]}"
