"""The notice to the holders as a letter: a .docx that is designed once and filled for each series.

The words are those of :mod:`xl_conversion.books.statements.notice`, the same as on the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from defusedxml.ElementTree import fromstring

from xl_conversion.books.page import BAD_INK, INK, LINE
from xl_conversion.books.statements.notice import SIGN, Notice, figure, notice_of
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.books.wording import ROUNDED, formula_words, label_words, symbol_words, with_separators
from xl_conversion.core.rounding import exact, to_text
from xl_conversion.core.stated import separated
from xl_conversion.core.steps import Step
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table

HINT = 'pip install "xl-conversion[batch]"'

_BODY = "word/document.xml"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARK = re.compile(r"\{\{(\w+)\}\}")
_PARAGRAPH = r"<w:p>(?:(?!<w:p>).)*?\{\{%s\}\}.*?</w:p>"
_ROW = r"<w:tr>(?:(?!<w:tr>).)*?\{\{%s\}\}.*?</w:tr>"
_REPEATED = {"paragraph": _PARAGRAPH, "label": _ROW, "symbol": _ROW}
"""What is there once for each paragraph, each line of figures and each step, by a placeholder in it."""


class _Letter(NamedTuple):
    """The design: the text of its body, what is repeated in it, its other parts."""

    body: tuple[str, ...]
    """At odd places the names of what goes there."""
    repeated: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, bytes]


def notice_document(case: Case, result: SeriesResult) -> bytes:
    """The .docx of the notice: the same bytes for the same input.

    Raises InputError where python-docx is missing.
    """
    letter, notice = _letter(), notice_of(case, result)
    values = {
        "draft": notice.draft,
        "company": notice.company,
        "day": notice.day,
        "addressee": notice.addressee,
        "subject": notice.subject,
        "signed_for": notice.signed_for,
        "computation": "How the price and the ratio follow" if notice.change else "Nothing was computed",
    }
    repeated: dict[str, Sequence[Mapping[str, str]]] = {
        "paragraph": [{"paragraph": text} for text in notice.paragraphs if text],
        "label": [
            {
                "label": line.label,
                "before": figure(line.before, line.rounding),
                "after": figure(line.after, line.rounding),
            }
            for line in notice.lines
        ],
        "symbol": _steps(notice),
    }
    inside = {
        name: "".join(_filled(letter.repeated[name], row) for row in rows) for name, rows in repeated.items()
    }
    body = _filled(letter.body, values, inside)
    return _zipped({**letter.parts, _BODY: body.encode()})


def _steps(notice: Notice) -> list[dict[str, str]]:
    """The steps of the change, in words."""
    if notice.change is None:
        return []
    rows = []
    for steps in (notice.change.steps(), notice.change.ratio_steps()):
        for place, step in enumerate(steps):
            words, numbers = formula_words(step, steps[:place])
            rows.append(
                {
                    "symbol": symbol_words(step.symbol),
                    "what": label_words(step.label),
                    "how": f"{words} {numbers}".rstrip(),
                    "figure": _shown(step, steps[:place]),
                }
            )
    return rows


def _shown(step: Step, before: Sequence[Step]) -> str:
    """The figure; a rounded one with its decimals."""
    decimals = next((int(one.value) for one in before if one.symbol == "decimals"), None)
    if decimals is not None and step.symbol.endswith(ROUNDED):
        text = to_text(step.value, decimals)
        if exact(text) == step.value:  # a price that stays may have more
            return separated(text)
    return with_separators(step.shown)


def _filled(pieces: Sequence[str], values: Mapping[str, str], inside: Mapping[str, str] | None = None) -> str:
    """The pieces with the values, as text of the document, and with what is XML already."""
    done = list(pieces)
    for place in range(1, len(done), 2):
        name = done[place]
        done[place] = inside[name] if inside and name in inside else _text(values[name])
    return "".join(done)


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split())), quote=False)


@cache
def _letter() -> _Letter:
    """The design, taken apart."""
    with ZipFile(BytesIO(_design())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.startswith("docProps/thumb")}
    body = parts.pop(_BODY).decode()
    fromstring(body)
    repeated: dict[str, tuple[str, ...]] = {}
    for name, pattern in _REPEATED.items():
        found = re.search(pattern % name, body, re.DOTALL)
        if found is None:
            raise RuntimeError(f"the design of the letter has no {name}")
        repeated[name] = tuple(_MARK.split(found[0]))
        body = f"{body[: found.start()]}{{{{{name}}}}}{body[found.end() :]}"
    parts["docProps/core.xml"] = re.sub(
        rb"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", parts["docProps/core.xml"]
    )
    for name in ("[Content_Types].xml", "_rels/.rels"):
        # The picture of python-docx's own template goes.
        parts[name] = re.sub(rb'<(?:Relationship|Default) [^>]*(?:thumbnail|"jpeg")[^>]*/>', b"", parts[name])
    return _Letter(tuple(_MARK.split(body)), repeated, parts)


def _design() -> bytes:
    """The letter with placeholders, made with python-docx."""
    try:
        import docx
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Cm, Pt, RGBColor
    except ImportError:
        raise InputError([Problem("notice", "python-docx is not installed", hint=HINT)]) from None

    document: Document = docx.Document()
    core = document.core_properties
    core.title, core.author, core.comments = "Notice on the conversion price", "", ""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin, section.bottom_margin = Cm(2.5), Cm(2)
    normal: Any = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after = Pt(8)
    ink = RGBColor.from_string(INK)

    def line(
        text: str, size: float, *, bold: bool = False, after: float = 2, color: RGBColor | None = None
    ) -> Any:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(after)
        run = paragraph.add_run(text)
        run.bold, run.font.size = bold, Pt(size)
        if color is not None:
            run.font.color.rgb = color
        return paragraph

    line("{{draft}}", 10, bold=True, color=RGBColor.from_string(BAD_INK))
    line("{{company}}", 16, bold=True, color=ink)
    line("{{day}}", 11, after=18)
    line("{{addressee}}", 11, bold=True, after=10)
    subject = line("{{subject}}", 13, bold=True, after=8, color=ink)
    subject.paragraph_format.keep_with_next = True
    table = document.add_table(rows=2, cols=3)
    _row(table, 0, ["Adjustment", "Before", "After"], head=True)
    _row(table, 1, ["{{label}}", "{{before}}", "{{after}}"])
    _laid_out(table, (8.6, 3.7, 3.7), right=(1, 2))
    line("", 6, after=4)
    document.add_paragraph("{{paragraph}}")
    line("{{signed_for}}", 11, bold=True, after=14).paragraph_format.keep_with_next = True
    for label in SIGN:
        signature = line(f"{label}\t", 11, after=12)
        signature.paragraph_format.keep_with_next = label != SIGN[-1]
        signature.paragraph_format.tab_stops.add_tab_stop(Cm(2.2))
        signature.add_run("_" * 38)
    heading = line("{{computation}}", 12, bold=True, after=6, color=ink)
    heading.paragraph_format.page_break_before = True
    steps = document.add_table(rows=2, cols=4)
    _row(steps, 0, ["Letter", "What it is", "How it follows", "Figure"], head=True)
    _row(steps, 1, ["{{symbol}}", "{{what}}", "{{how}}", "{{figure}}"], size=9)
    _laid_out(steps, (1.9, 4.1, 5.6, 4.4), right=(3,))
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _row(table: Table, row: int, texts: Sequence[str], *, head: bool = False, size: float = 10) -> None:
    """Fills a row; the head in white on the ink of the house, and repeated on each page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    properties: Any = table.rows[row]._tr.get_or_add_trPr()
    whole = OxmlElement("w:cantSplit")
    properties.append(whole)
    if head:
        properties.append(OxmlElement("w:tblHeader"))
    for cell, text in zip(table.rows[row].cells, texts, strict=True):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
        run = paragraph.add_run(text)
        run.font.size, run.bold = Pt(size), head
        if head:
            run.font.color.rgb = RGBColor(255, 255, 255)
            shade: Any = OxmlElement("w:shd")
            for name, value in (("val", "clear"), ("color", "auto"), ("fill", INK)):
                shade.set(qn(f"w:{name}"), value)
            cell._tc.get_or_add_tcPr().append(shade)


def _laid_out(table: Table, widths: Sequence[float], right: Sequence[int]) -> None:
    """Widths in centimetres, thin lines between the rows, figures on the right."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm

    table.autofit = False
    borders: Any = OxmlElement("w:tblBorders")
    for name in ("bottom", "insideH"):
        border: Any = OxmlElement(f"w:{name}")
        for key, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", LINE)):
            border.set(qn(f"w:{key}"), value)
        borders.append(border)
    properties: Any = table._tbl.tblPr
    # Where the schema wants them: before the layout.
    properties.find(qn("w:tblLayout")).addprevious(borders)
    for place, width in enumerate(widths):
        table.columns[place].width = Cm(width)
        for row in table.rows:
            row.cells[place].width = Cm(width)
            if place in right:
                row.cells[place].paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    """The parts in an order of their own, dated 1980, so that the bytes hang on nothing but them."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = ZIP_DEFLATED, 3
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, parts[name], compresslevel=6)
    return buffer.getvalue()
