"""The XML of a part: walked through with the place of each element in the text, and changed at such places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeAlias
from xml.parsers.expat import ExpatError  # the class only; parsing is left to defusedxml

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from xl_conversion.core.rounding import shorten

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/"

Edit: TypeAlias = tuple[int, int, bytes]
"""From where to where in the text, and what comes there."""

_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")


class RefreshError(Exception):
    """The workbook cannot be refreshed; it is untouched.

    `message` says in one line what is wrong, `hint` what to do about it.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[RefreshError], tuple[str, str]]:
        return RefreshError, (self.message, self.hint)


def shown(text: str) -> str:
    """A name on one line, whatever characters are in it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def damaged(where: str, what: str) -> RefreshError:
    """The error for a part that breaks the format."""
    return RefreshError(f"{where} is damaged: {what}", "Open the workbook in Excel, save it and try again.")


def strict(where: str) -> RefreshError:
    """The error for the variant of the format whose names are different."""
    return RefreshError(
        f"{where} is a Strict Open XML workbook", "Save it in Excel as Excel Workbook (.xlsx), without Strict."
    )


def tag_end(xml: bytes, start: int) -> int:
    """Where the tag ends that begins at `start`."""
    found = _TAG.match(xml, start)
    if found is None:
        raise RuntimeError(f"no tag at {start}")  # the parser saw one
    return found.end()


def with_attributes(tag: bytes, changes: Mapping[bytes, bytes | None]) -> bytes:
    """The start tag with attributes replaced, added at its end or, by None, taken out; the rest stays.

    >>> with_attributes(b"<c r='A1' t='s'/>", {b"t": None, b"s": b"3"})
    b'<c r=\\'A1\\' s="3"/>'
    """
    parts, at, missing = [], 0, dict(changes)
    for found in _ATTRIBUTE.finditer(tag):
        name = found[1]
        if name in missing:
            value = missing.pop(name)
            parts.append(tag[at : found.start() if value is None else found.start(2)])
            if value is not None:
                parts.append(b'"%b"' % value)
            at = found.end()
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    end -= len(tag[:end]) - len(tag[:end].rstrip())
    added = [b' %b="%b"' % (name, value) for name, value in missing.items() if value is not None]
    return b"".join([*parts, tag[at:end], *added, tag[end:]])


def spliced(xml: bytes, edits: Iterable[Edit]) -> bytes:
    """`xml` with the stretches from start to end replaced. What is inserted at one place keeps its order.

    >>> spliced(b"abcdef", [(1, 2, b"-"), (4, 4, b"+"), (4, 4, b"*")])
    b'a-cd+*ef'
    """
    parts, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        parts += [xml[at:start], new]
        at = end
    return b"".join([*parts, xml[at:]])


def prefix_of(tag: bytes) -> bytes:
    """The namespace prefix of a tag with its colon, if it has one."""
    name = tag[1:].split(None, 1)[0].rstrip(b"/>")
    return name[: name.rindex(b":") + 1] if b":" in name else b""


def filled(tag: bytes, content: bytes) -> bytes:
    """An element without content, given some.

    >>> filled(b"<x:c r='A1'/>", b"<x:v>1</x:v>")
    b"<x:c r='A1'><x:v>1</x:v></x:c>"
    """
    if not content:
        return tag
    name = tag[1:].split(None, 1)[0].rstrip(b"/>")
    return b"%b>%b</%b>" % (tag[:-2], content, name)


class XmlScan:
    """A walk through the XML of a part; the elements of `tree` are told with their place in the text.

    `tree` gives the kind of an element by the kind that it stands in (the root stands in ``""``) and its name;
    elements that are not there are passed over with all they contain. Not `whole`: only how a part begins.
    """

    tree: ClassVar[Mapping[tuple[str, str], str]]

    def __init__(self, where: str, xml: bytes, *, whole: bool = True) -> None:
        self.where, self.xml = where, xml
        self._kinds = [""]
        self._opened: list[tuple[int, int]] = []
        self._words: list[str] | None = None
        encoding = _ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
        if xml[:2] in (b"\xff\xfe", b"\xfe\xff") or (
            encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii")
        ):
            raise damaged(where, "its text is not UTF-8")
        parser: Any = XMLParser(forbid_dtd=True).parser
        self._parser = parser
        parser.DefaultHandlerExpand = None
        parser.ordered_attributes = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(xml, whole)
        except DefusedXmlException:
            raise damaged(where, "it declares a document type, which no workbook has") from None
        except ExpatError as error:
            raise damaged(where, str(error)) from None
        finally:
            del self._parser  # the two hold each other

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        """An element begins at the byte `start`; its start tag ends before `open_end`."""

    def finish(self, kind: str, text: str, start: int, open_end: int, end: int) -> None:
        """An element ends before the byte `end`; `text` is what came since `listen`."""

    def listen(self) -> None:
        """The text of the element that begins is wanted."""
        self._words = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._kinds[-1]
        kind = self.tree.get((parent, name), "-")
        if kind == "-" and not parent:
            if name.startswith(_STRICT):
                raise strict(self.where)
            raise damaged(self.where, f"it is no spreadsheet ({shorten(name.replace('}', ' '), 80)})")
        self._kinds.append(kind)
        if kind != "-":
            start = self._parser.CurrentByteIndex
            open_end = tag_end(self.xml, start)
            self._opened.append((start, open_end))
            self.begin(kind, attributes, start, open_end)

    def _end(self, name: str) -> None:
        kind = self._kinds.pop()
        if kind != "-":
            start, open_end = self._opened.pop()
            end = open_end
            if self.xml[open_end - 2 : open_end] != b"/>":
                end = self.xml.index(b">", self._parser.CurrentByteIndex) + 1
            words, self._words = self._words, None
            self.finish(kind, "".join(words or ()), start, open_end, end)

    def _text(self, text: str) -> None:
        if self._words is not None:
            self._words.append(text)


def tree_of(*elements: str) -> dict[tuple[str, str], str]:
    """A tree of the main namespace, from lines such as ``"row: c"``."""
    tree = {}
    for parent, _, children in (element.partition(":") for element in elements):
        for child in children.split():
            tree[parent, f"{MAIN}}}{child}"] = child
    return tree
