"""The styles of a design: those that values are put in, and those that are named as variants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xl_conversion.books.streaming.package import Package, attributes, between, unescaped
from xl_conversion.books.streaming.pieces import Put, Sheet
from xl_conversion.books.streaming.values import Digits

_XF = re.compile(r"<xf\b(?:[^>]*?/>|[^>]*>.*?</xf>)", re.DOTALL)
_NUMBER_FORMAT = re.compile(r"<numFmt\b[^>]*>")
_FIXED = re.compile(r"(#,##)?0(?:\.(0+))?")
_BUILTIN = {"1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00"}


def add_twins(package: Package, part: str, sheets: Sequence[Sheet], variants: Mapping[str, int]) -> dict[int, int]:
    """For each style that a value is put in: the same with the quote prefix, added if it is not there."""
    used = {
        piece.style
        for sheet in sheets
        for piece in (*sheet.head, *sheet.row)
        if isinstance(piece, Put) and not piece.tag
    } | set(variants.values())
    xml = package.text(part)
    start, end = between(xml, "cellXfs", part)
    styles = _XF.findall(xml[start:end])
    twins: dict[int, int] = {}
    added: list[str] = []
    for style in sorted(used):
        if style >= len(styles):
            raise ValueError(f"the design is damaged: it has no style {style}")
        tag = styles[style]
        if re.match(r"<xf\b[^>]*\bquotePrefix=[\"'](1|true)", tag):
            twins[style] = style
            continue
        head, close, rest = tag.partition(">")
        bare = re.sub(r"\s+quotePrefix=[\"'][^\"']*[\"']", "", head)
        added.append(bare.replace("<xf", '<xf quotePrefix="1"', 1) + close + rest)
        twins[style] = len(styles) + len(added) - 1
    # For cached values, which have no use for a quote prefix.
    for sheet in sheets:
        for piece in (*sheet.head, *sheet.row):
            if isinstance(piece, Put):
                twins.setdefault(piece.style, piece.style)
    if added:
        opening = re.sub(r"\s+count=[\"'][^\"']*[\"']", "", xml[xml.rindex("<", 0, start) : start - 1])
        opening += f' count="{len(styles) + len(added)}">'
        begin = xml.rindex("<", 0, start)
        package.parts[part] = (xml[:begin] + opening + xml[start:end] + "".join(added) + xml[end:]).encode()
    return twins


def formats_of(package: Package, part: str, variants: Mapping[str, int]) -> dict[str, Digits]:
    """By variant: the decimals of its number format, where it has nothing but fixed ones."""
    xml = package.text(part)
    start, end = between(xml, "cellXfs", part)
    styles = _XF.findall(xml[start:end])
    codes = dict(_BUILTIN)
    for tag in map(attributes, _NUMBER_FORMAT.findall(xml)):
        codes[tag.get("numFmtId", "")] = unescaped(tag.get("formatCode", ""))
    found: dict[str, Digits] = {}
    for name, style in variants.items():
        number = attributes(styles[style].partition(">")[0]).get("numFmtId", "0")
        if fixed := _FIXED.fullmatch(codes.get(number, "")):
            found[name] = Digits(len(fixed[2] or ""), bool(fixed[1]))
    return found
