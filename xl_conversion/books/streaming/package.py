"""The parts of a workbook file as text, and the relations among them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from xml.sax import SAXParseException  # the class only; parsing is left to defusedxml
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parseString

from xl_conversion.books.streaming.zipping import unpacked

CONTENT_TYPES = "[Content_Types].xml"
CORE = "docProps/core.xml"
APPLICATION = "docProps/app.xml"

_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ENTITY = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_TEMPLATE = b"spreadsheetml.template.main+xml"


class Package:
    """The parts of a design, by name; those that are left out or changed are so here."""

    def __init__(self, design: bytes) -> None:
        """ValueError says why it cannot be a design."""
        self.parts = unpacked(design)
        _check(self.parts)
        self.parts[CONTENT_TYPES] = self.parts[CONTENT_TYPES].replace(_TEMPLATE, b"spreadsheetml.sheet.main+xml")

    def text(self, name: str) -> str:
        """A part; ValueError if it is missing or no text."""
        try:
            return self.parts[name].decode().removeprefix("\ufeff")
        except KeyError:
            raise ValueError(f"the design is damaged: the part {name} is missing") from None
        except UnicodeDecodeError:
            raise ValueError(f"the design's part {name} is not in UTF-8: save it again in Excel") from None

    def workbook_part(self) -> str:
        for kind, target in self.relations("").values():
            if kind.endswith("/officeDocument"):
                return target
        raise ValueError("the design is no Excel workbook: it names no workbook part")

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """By its number: the kind of a relation and the part that it leads to."""
        name = relations_name(part)
        if name not in self.parts:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for tag in re.findall(r"<Relationship\b[^>]*>", self.text(name)):
            relation = attributes(tag)
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), relation["Target"]))
                found[relation["Id"]] = relation["Type"], target.lstrip("/")
        return found

    def styles_part(self, workbook: str) -> str:
        for kind, target in self.relations(workbook).values():
            if kind.endswith("/styles"):
                return target
        raise ValueError("the design has no styles: save it again in Excel")

    def drop(self, owner: str, relation: str, part: str) -> None:
        """Leave out a part, its relations and every mention of it."""
        self.parts.pop(part, None)
        self.parts.pop(relations_name(part), None)
        name = relations_name(owner)
        found = rf"<Relationship\b(?=[^>]*\bId=[\"']{re.escape(relation)}[\"'])[^>]*?(?:/>|></Relationship>)"
        self.parts[name] = re.sub(found, "", self.text(name)).encode()
        found = rf"<Override\b(?=[^>]*\bPartName=[\"']/{re.escape(part)}[\"'])[^>]*?(?:/>|></Override>)"
        self.parts[CONTENT_TYPES] = re.sub(found, "", self.text(CONTENT_TYPES)).encode()


def attributes(tag: str) -> dict[str, str]:
    """The attributes of a tag, those of its names still escaped except for `name`."""
    found = {name: one or other for name, one, other in _ATTRIBUTE.findall(tag)}
    if "name" in found:
        found["name"] = unescaped(found["name"])
    return {key: value.replace('"', "&quot;") if key != "name" else value for key, value in found.items()}


def relations_name(part: str) -> str:
    """The part that holds the relations of another, or of the whole file."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def without_titles(application: str) -> str:
    """The properties of the application without its list of sheets, which nothing reads."""
    return re.sub(r"<(HeadingPairs|TitlesOfParts)\b.*?</\1>", "", application, flags=re.DOTALL)


def unescaped(text: str) -> str:
    """The text that XML stands for."""

    def one(match: re.Match[str]) -> str:
        if match[3]:
            return _ENTITIES[match[3]]
        return chr(int(match[1], 16) if match[1] else int(match[2]))

    return _ENTITY.sub(one, text) if "&" in text else text


def between(xml: str, tag: str, part: str) -> tuple[int, int]:
    """From where to where the inside of an element goes."""
    start = re.search(rf"<{tag}\b[^>]*(?<!/)>", xml)
    end = xml.find(f"</{tag}>", start.end() if start else 0)
    if start is None or end < 0:
        raise ValueError(f"the design's part {part} is written in an unusual form: save it again in Excel")
    return start.end(), end


def _check(parts: Mapping[str, bytes]) -> None:
    """Refuse what no design may hold: macros, XML that is damaged or an attack, other encodings."""
    if CONTENT_TYPES not in parts:
        raise ValueError("the design is no Excel workbook: its list of contents is missing")
    for name, content in parts.items():
        if name.lower().endswith("vbaproject.bin"):
            raise ValueError("the design holds macros: save it as .xlsx")
        if name.lower().endswith((".xml", ".rels", ".vml")):
            try:
                parseString(content, ContentHandler())
            except (SAXParseException, DefusedXmlException) as error:
                raise ValueError(f"the design's part {name} is damaged: {error}") from None
    if b"macroEnabled" in parts[CONTENT_TYPES]:
        raise ValueError("the design is a macro workbook: save it as .xlsx")
