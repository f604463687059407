"""On how many pages a sheet is printed, so that no section is cut where it need not be."""

from __future__ import annotations

from collections.abc import Sequence

from xl_conversion.books.page import PRINTED_WIDTH, Page

PRINTED_HEIGHT = 500
"""Points between the margins of a sheet of A4 on its side."""
SMALLEST = 0.6
"""A sheet is printed no smaller than this to fit on one page."""
READABLE = 0.7
"""Nor is it printed smaller than this to save a page, if its columns leave room for more."""
TITLES = "1:4"
"""Rows that each page repeats: the title, and the blank row below."""
_DEFAULT_HEIGHT = 15
_TITLE_HEIGHT = 69


def fit(page: Page, sections: Sequence[int]) -> None:
    """Prints `page` on one page, or ends pages where one of the `sections`, given by its row, begins."""
    sheet = page.sheet
    last = max(page.row, sheet.max_row)
    heights = [sheet.row_dimensions[row].height or _DEFAULT_HEIGHT for row in range(1, last + 1)]
    sheet.print_title_rows = TITLES
    if sum(heights) * SMALLEST <= PRINTED_HEIGHT:
        sheet.page_setup.fitToHeight = 1
        return
    widest = min(
        1.0,
        0.97 * PRINTED_WIDTH[str(page.sheet.page_setup.orientation)] / sum(7 * width + 5 for width in page.widths),
    )
    scales = [widest, *(widest * part for part in _PARTS if widest * part >= READABLE)]
    tried = [(scale, _breaks(heights, sections, PRINTED_HEIGHT / scale)) for scale in scales]
    fewest = min(len(breaks) for _, breaks in tried)
    scale, breaks = next((scale, breaks) for scale, breaks in tried if len(breaks) == fewest)
    end = page.row
    for page.row in breaks:
        page.break_before()
    page.row = end
    sheet.page_setup.scale = int(100 * scale)


_PARTS = (0.95, 0.9, 0.85)


def _breaks(heights: Sequence[float], sections: Sequence[int], room: float) -> list[int]:
    """The rows above which a page ends."""
    found: list[int] = []
    first, used = 1, 0.0
    for start, stop in zip(sections, [*sections[1:], len(heights) + 1], strict=True):
        needed = sum(heights[start - 1 : stop - 1])
        used = used or sum(heights[first - 1 : start - 1])
        if used + needed > room and start > first:
            found.append(start)
            first, used = start, float(_TITLE_HEIGHT)
        used += needed
    return found
