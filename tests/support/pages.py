"""What is wrong with the printed pages of a workbook, as LibreOffice prints them.

The pages are read with poppler: words with their boxes (pdftotext), sizes of letters and the first page of each
sheet (pdftohtml), and the ink itself (pdftoppm), since a PDF also has the lines that the edge of a cell cuts off.
"""

from __future__ import annotations

import html
import re
import subprocess
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from defusedxml.ElementTree import fromstring

from support.lint_formulas import Area, FormulaError, area
from support.lint_reading import Sheet, Workbook, read
from support.office import Error, Office

LEAST_SIZE: Final = 5.5
"""Points on paper."""
ZOOM: Final = 3
"""The most that pdftohtml takes; it gives sizes in whole units, so they are known to a third of a point."""
LEAST_FILLED: Final = 0.1
"""Of the height of a page after the first: what holds less is nearly empty."""
SLACK: Final = 4
"""Points by which LibreOffice lets a sheet run into the margin; header and footer are further out."""
DPI: Final = 150
CONTRAST: Final = 24
"""Of 255: a part of a page whose lightest and darkest point differ by less has no ink."""
OVERPRINT: Final = 0.35
"""Of the smaller of two words; the boxes of two lines of one text share less."""

Picture: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


@dataclass(frozen=True)
class Word:
    """One word and its box in points, from the top left corner of the page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: Word) -> float:
        """The part of the smaller one's box that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        least = min(one.area for one in (self, other))
        return wide * high / least if wide > 0 and high > 0 and least else 0.0

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class Page:
    """One printed page: its words, and apart from them the words of header and footer."""

    number: int
    height: float
    words: tuple[Word, ...]
    edges: tuple[Word, ...]
    smallest: tuple[float, str]
    """The size of the smallest letters in points, a third of a point too low at most, and a text written so."""
    picture: Picture

    @property
    def texts(self) -> frozenset[str]:
        return frozenset(word.text for word in self.words)


@dataclass(frozen=True)
class Printed:
    """One sheet as it was printed; `texts` are the texts that its visible cells show."""

    sheet: Sheet
    pages: tuple[Page, ...]
    texts: dict[tuple[int, int], tuple[str, ...]]
    titles: frozenset[str]
    """The words of the rows that are repeated on each page."""

    @property
    def body(self) -> float:
        """The height between the margins."""
        return self.pages[0].height - sum(self.sheet.margins)


def page_findings(path: Path, office: Office, workdir: Path) -> list[str]:
    """Findings in words, naming sheet and page, on the workbook as `office` recalculates and prints it."""
    found = []
    for printed in _printed(path, office, workdir):
        for rule in (_hashes, _sizes, _emptiness, _width, _missing, _clipped, _overprinted, _edges):
            found += [f"{printed.sheet.title}, {finding}" for finding in rule(printed)]
    return found


def _hashes(printed: Printed) -> Iterator[str]:
    own = {word for words in printed.texts.values() for word in words}
    for page in printed.pages:
        if count := sum(bool(re.fullmatch("#{2,}", word.text)) and word.text not in own for word in page.words):
            yield f"page {page.number}: {count} x ###, for a column that is too narrow"


def _sizes(printed: Printed) -> Iterator[str]:
    for page in printed.pages:
        size, text = page.smallest
        if size < int(LEAST_SIZE * ZOOM) / ZOOM:
            yield f"page {page.number}: letters of {size:.1f} to {size + 1 / ZOOM:.1f} points: {text[:60]!r}"


def _emptiness(printed: Printed) -> Iterator[str]:
    for place, page in enumerate(printed.pages):
        left = _without_titles(page.words, printed.titles)
        if not left:
            what = "nothing but the header row" if page.words else "nothing"
            yield f"page {page.number}: holds {what}"
        elif place:
            height = max(word.bottom for word in left) - min(word.top for word in left)
            if height < LEAST_FILLED * printed.body:
                yield f"page {page.number}: holds nearly nothing: {_joined(left)}"


def _width(printed: Printed) -> Iterator[str]:
    """Cells of one row on different pages, told by words that one page has and the other has not."""
    rows: dict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
    for (row, column), words in printed.texts.items():
        if pages := frozenset(page.number for page in printed.pages if page.texts.issuperset(words)):
            rows[row].append((column, pages))
    columns: dict[int, set[int]] = defaultdict(set)
    for cells in rows.values():
        for column, pages in cells:
            if any(pages.isdisjoint(others) for _, others in cells):
                for number in pages:
                    columns[number].add(column)
    if columns:
        yield f"pages {', '.join(map(str, sorted(columns)))}: is more than one page wide"
    for number, held in sorted(columns.items()):
        if len(held) == 1:
            yield f"page {number}: holds column {_at(1, min(held))[:-1]} alone"


def _missing(printed: Printed) -> Iterator[str]:
    shown = {word.text for page in printed.pages for word in page.words}
    every = "\n".join(shown)
    for at, words in printed.texts.items():
        lost = [word for word in words if word not in every and not _pieced(word, shown)]
        if lost:
            yield f"cell {_at(*at)}: cut, without {' '.join(lost[:5])!r}"


def _clipped(printed: Printed) -> Iterator[str]:
    for page in printed.pages:
        for word in page.words:
            upright = word.bottom - word.top < 2 * (word.right - word.left) or len(word.text) < 3
            if not upright or not any(map(str.isalnum, word.text)):
                continue
            if not _ink(page.picture, word, 0.05, 0.95):
                yield f"page {page.number}: {word.text!r} cannot be seen{_of(printed, word.text)}"
            elif len(word.text) > 2 and word.text[-1].isalnum() and word.text.isascii():
                last = 1 - 1 / len(word.text)
                if not _ink(page.picture, word, last, 1):
                    yield f"page {page.number}: the end of {word.text!r} is cut{_of(printed, word.text)}"


def _overprinted(printed: Printed) -> Iterator[str]:
    for page in printed.pages:
        for words in (page.words, page.edges):
            ordered = sorted(words, key=lambda word: word.top)
            for place, word in enumerate(ordered):
                for other in ordered[place + 1 :]:
                    if other.top >= word.bottom:
                        break
                    if word.shared(other) > OVERPRINT:
                        yield f"page {page.number}: {word.text!r} and {other.text!r} are printed over one another"


def _edges(printed: Printed) -> Iterator[str]:
    """Words of header and footer that are cut, or that touch the next part so that they read as one."""
    codes = r'&"[^"]*"|&[0-9]{1,3}|&K[0-9A-Fa-f]{6}|&[BIUSXYEH]'
    for text in printed.sheet.edges:
        for part in re.split(r"&[LCR]", re.sub(codes, "", text.replace("&&", "\0"))):
            words = [word.replace("\0", "&") for word in _words(part) if "&" not in word]
            for page in printed.pages:
                held = {word.text for word in page.edges}
                if lost := [word for word in words if word not in held]:
                    yield f"page {page.number}: header or footer without {' '.join(lost[:5])!r}"


def _printed(path: Path, office: Office, workdir: Path) -> Iterator[Printed]:
    workbook = read(path)
    workdir.mkdir(parents=True, exist_ok=True)
    with office.session() as session:
        document = session.open(path)
        values = document.values()
        pdf = document.save(workdir / f"{path.stem}.pdf", "pdf")
    starts, sizes = _outline(_run("pdftohtml", "-xml", "-i", "-stdout", "-zoom", str(ZOOM), str(pdf)))
    boxes = fromstring(
        re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", _run("pdftotext", "-bbox-layout", str(pdf), "-"))
    )
    found = [element for element in boxes.iter() if element.tag.endswith("}page")]
    pictures = _pictures(pdf)
    for place, (title, first) in enumerate(starts):
        sheet = workbook.sheet(title)
        last = starts[place + 1][1] if place + 1 < len(starts) else len(found) + 1
        if sheet is None or sheet.state != "visible":
            continue  # LibreOffice prints a hidden sheet that has a print area, Excel does not
        pages = []
        for number in range(first, last):
            element = found[number - 1]
            height = float(element.get("height", "0"))
            top, bottom = sheet.margins
            every = [_word(each) for each in element.iter() if each.tag.endswith("}word")]
            words = tuple(
                word
                for word in every
                if word.text and top - SLACK <= (word.top + word.bottom) / 2 <= height - bottom + SLACK
            )
            edges = tuple(word for word in every if word not in words)
            smallest = sizes.get(number, (LEAST_SIZE, ""))
            pages.append(Page(number, height, words, edges, smallest, pictures[number - 1]))
        texts = _texts(workbook, sheet, values)
        repeated = _defined(workbook, sheet, "Print_Titles")
        titles = frozenset(
            word for at, words in texts.items() if any(one.holds(*at) for one in repeated) for word in words
        )
        yield Printed(sheet, tuple(pages), texts, titles)


def _texts(
    workbook: Workbook, sheet: Sheet, values: dict[tuple[str, str], float | str | Error]
) -> dict[tuple[int, int], tuple[str, ...]]:
    """The words of every text on the sheet that is to be printed."""
    printed = _defined(workbook, sheet, "Print_Area")
    found = {}
    for (title, at), value in values.items():
        if title != sheet.title or not isinstance(value, str):
            continue
        place = area(at)
        seen = place.top not in sheet.hidden_rows and place.left not in sheet.hidden_columns
        words = _words(value)
        if words and seen and (not printed or any(one.holds(place.top, place.left) for one in printed)):
            found[place.top, place.left] = words
    return found


def _defined(workbook: Workbook, sheet: Sheet, name: str) -> list[Area]:
    """The areas of the sheet's print area or of its repeated rows and columns."""
    found = []
    for defined in workbook.names:
        if defined.name == f"_xlnm.{name}" and defined.sheet == sheet.title:
            for part in re.findall(r"!([$A-Z0-9:]+)", defined.formula):
                try:
                    found.append(area(part))
                except FormulaError:
                    continue  # the lint of the names says so
    return found


def _outline(xml: str) -> tuple[list[tuple[str, int]], dict[int, tuple[float, str]]]:
    """Each sheet with its first page, and the smallest letters of each page."""
    fonts = {found[1]: int(found[2]) / ZOOM for found in re.finditer(r'<fontspec id="(\d+)" size="(-?\d+)"', xml)}
    sizes = {}
    for page in xml.split("<page ")[1:]:
        number = re.match(r'number="(\d+)"', page)
        texts = re.findall(r'<text [^>]*font="(\d+)"[^>]*>([^\n]*\w[^\n]*)</text>', page)
        if number and texts:
            font, text = min(texts, key=lambda each: fonts[each[0]])
            sizes[int(number[1])] = fonts[font], html.unescape(re.sub("<[^>]*>", "", text))
    items = re.findall(r'<item page="(\d+)">(.*?)</item>', xml, re.DOTALL)
    return [(html.unescape(title), int(page)) for page, title in items], sizes


def _pictures(pdf: Path) -> list[Picture]:
    """Every page in shades of grey."""
    stem = pdf.with_suffix("")
    _run("pdftoppm", "-gray", "-r", str(DPI), str(pdf), str(stem))
    found = []
    for path in sorted(pdf.parent.glob(f"{escape(stem.name)}-*.pgm")):
        data = path.read_bytes()
        header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
        assert header is not None, path
        found.append(np.frombuffer(data[header.end() :], np.uint8).reshape(int(header[2]), int(header[1])))
        path.unlink()
    return found


def _ink(picture: Picture, word: Word, start: float, end: float) -> bool:
    """Whether there is anything to see in that part of the word's width, by the middle of its height."""
    scale, wide, high = DPI / 72, word.right - word.left, word.bottom - word.top
    rows = slice(int((word.top + 0.2 * high) * scale), int((word.top + 0.8 * high) * scale) + 1)
    columns = slice(int((word.left + start * wide) * scale), int((word.left + end * wide) * scale) + 1)
    part = picture[rows, columns]
    return bool(part.size) and int(part.max()) - int(part.min()) >= CONTRAST


def _pieced(word: str, shown: set[str]) -> bool:
    """Whether lines that a page shows make up the word: one that is longer than its column is broken."""
    longest = max(map(len, shown), default=0)
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(start in reached and word[start:end] in shown for start in range(max(0, end - longest), end)):
            reached.add(end)
    return len(word) in reached


def _without_titles(words: Sequence[Word], titles: frozenset[str]) -> list[Word]:
    """The words below the lines at the top of a page that hold nothing but words of the repeated rows."""
    ordered = sorted(words, key=lambda word: word.top)
    place = next((place for place, word in enumerate(ordered) if word.text not in titles), len(ordered))
    return ordered[place:]


def _word(element: Any) -> Word:
    box = (float(element.get(name, "0")) for name in ("xMin", "yMin", "xMax", "yMax"))
    return Word(" ".join(_words(element.text or "")), *box)


def _words(text: str) -> tuple[str, ...]:
    """The words of a text, in the one form that a cell's and a page's are compared in: without ligatures and marks
    of direction. Of what is written from the right poppler mixes up the order, so there the letters are sorted."""
    plain = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    return tuple(
        "".join(sorted(filter(str.isalnum, word)))
        if any(unicodedata.bidirectional(each) in ("R", "AL") for each in word)
        else word
        for word in plain.split()
    )


def _of(printed: Printed, text: str) -> str:
    """The cells that have the word, where they are few."""
    cells = [_at(*at) for at, words in printed.texts.items() if any(text in word for word in words)]
    return f" (cell {' or '.join(cells)})" if 1 <= len(cells) <= 3 else ""


def _at(row: int, column: int) -> str:
    return str(Area("", column, row, column, row))


def _joined(words: Sequence[Word]) -> str:
    text = " ".join(word.text for word in sorted(words, key=lambda word: (round(word.top), word.left)))
    return f"{text[:60]}..." if len(text) > 60 else text


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, check=True, encoding="utf-8", errors="replace", timeout=120
    )
    return done.stdout
