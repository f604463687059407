"""Placeholders in texts, and the places where none may stand."""

from __future__ import annotations

import re

from xl_conversion.books.streaming.package import unescaped
from xl_conversion.books.streaming.pieces import Mixed, Part, Told

STYLES_TITLE = "{{styles}}"

_PLACEHOLDER = re.compile(r"\{\{ *([^\W\d]\w*(?:\.[^\W\d]\w*)?) *\}\}")
_LEFT = re.compile(r"(?:\{|%7B){2}[^{}%<>\"]{0,60}(?:\}|%7D){0,2}", re.IGNORECASE)
"""A placeholder, or the beginning of one; a link may have it with its braces escaped."""
_TO_STYLES = re.compile(re.escape(STYLES_TITLE) + r"(?:'|&apos;|&#39;)!", re.IGNORECASE)
_FONT_SIZE = re.compile(r"&[0-9]+$")


def names_in(text: str) -> list[str]:
    """The names between the braces."""
    return _PLACEHOLDER.findall(text) if "{{" in text else []


def source_of(text: str, where: str, repeated: bool) -> str | Mixed:
    """What a text with placeholders takes: one value as it is, or a text."""
    whole = _PLACEHOLDER.fullmatch(text.strip(" "))
    source: str | Mixed = whole[1] if whole else mixed(text, where)
    for name in source.names if isinstance(source, Mixed) else (source,):
        if "." in name and not repeated:
            raise ValueError(f"{where}: {name!r} is a column of a table, outside of the row that is repeated")
    return source


def mixed(text: str, where: str) -> Mixed:
    """A text with placeholders in it."""
    parts = _PLACEHOLDER.split(text)
    for literal in parts[::2]:
        if "{{" in literal or "}}" in literal:
            raise ValueError(f"{where}: {literal.strip()!r} is no placeholder such as {{{{name}}}}")
    return Mixed(tuple(parts))


def told(xml: str, where: str, *, header: bool = False, most: int = 0) -> list[Part]:
    """XML with placeholders among its texts, in pieces; if it can have so many characters at most, as one."""
    if "{{" not in xml:
        return [xml] if xml else []
    where = f"a header or footer of {where!r}" if header else f"a text of {where!r}"
    nothing_refers_to_styles(xml, where)
    if most:
        source = mixed(unescaped(xml), where)
        if header and any(_FONT_SIZE.search(literal) for literal in source.parts[0:-1:2]):
            raise ValueError(f"{where}: put a blank between the size of the font and the placeholder")
        parts: list[Part] = [Told(source, header, where, most)]
    else:
        pieces = _PLACEHOLDER.split(xml)
        if found := next(filter(None, map(_LEFT.search, pieces[::2])), None):
            hint = "write it anew, as one text in one format"
            raise ValueError(f"{where}: {found[0]!r} is no placeholder such as {{{{name}}}}: {hint}")
        parts = [
            Told(Mixed(("", piece, "")), False, where) if number % 2 else piece
            for number, piece in enumerate(pieces)
            if piece
        ]
    for part in parts:
        if isinstance(part, Told) and any("." in name for name in part.source.names):
            raise ValueError(f"{where}: a column of a table, outside of the row that is repeated")
    return parts


def nothing_left(text: str, where: str) -> None:
    """Refuse a placeholder where no value goes in."""
    if ("{{" in text or "%7" in text) and (found := _LEFT.search(text)):
        raise ValueError(f"{where}: {found[0]!r} stands where no value is put in: write what it is to be")


def nothing_refers_to_styles(text: str, where: str) -> None:
    """Refuse a reference to the sheet that is left out."""
    if _TO_STYLES.search(text):
        raise ValueError(f"{where} refers to the sheet {STYLES_TITLE}, which is left out of the workbook")
