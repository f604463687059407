"""The workbook part, and the parts of the sheets that go on where one is full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from xl_conversion.books.streaming.package import (
    APPLICATION,
    CONTENT_TYPES,
    attributes,
    relations_name,
    without_titles,
)
from xl_conversion.books.streaming.pieces import Design, Part
from xl_conversion.books.streaming.references import Area, Layout, Stretch, resolved
from xl_conversion.books.streaming.texts import element
from xl_conversion.books.streaming.values import escaped


class Further:
    """The parts that a workbook needs for the sheets that continue others."""

    def __init__(self, design: Design, layout: Layout) -> None:
        self.parts: dict[str, bytes] = {}
        """Those that are new or changed."""
        self.sheets: dict[str, list[str]] = {}
        """By table: the parts of its further sheets."""
        self.relations: dict[str, list[str]] = {}
        taken = {*design.parts, *design.texts, *(sheet.name for sheet in design.sheets)}
        overrides: list[str] = []
        relations: list[str] = []
        number = 0
        table_id = 0
        for parts in design.texts.values():
            if found := re.search(r"<table\b[^>]*?\sid=[\"']([0-9]+)", _literal(parts)):
                table_id = max(table_id, int(found[1]))
        for name, content in design.parts.items():
            if name.startswith("xl/tables/") and (one := re.search(rb"<table\b[^>]*?\sid=[\"']([0-9]+)", content)):
                table_id = max(table_id, int(one[1]))
        for sheet in design.sheets:
            if sheet.anchor is None:
                continue
            stretches = layout[sheet.anchor.table]
            names, ids = (
                self.sheets.setdefault(sheet.anchor.table, []),
                self.relations.setdefault(sheet.anchor.table, []),
            )
            for place, stretch in enumerate(stretches[1:], 2):
                number += 1
                name = _free(f"{sheet.name.removesuffix('.xml')}_{place}", taken)
                names.append(name)
                ids.append(f"rIdMore{number}")
                relations.append(
                    '<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                    f'worksheet" Target="/{name}" Id="rIdMore{number}"/>'
                )
                overrides.append(_override(name, "worksheet"))
                tables: dict[str, str] = {}
                for part in sheet.tables:
                    table_id += 1
                    target = _free(f"{part.removesuffix('.xml')}_{place}", taken)
                    tables[part] = target
                    overrides.append(_override(target, "table"))
                    xml = "".join(
                        piece if isinstance(piece, str) else resolved(piece, layout, stretch)
                        for piece in design.texts[part]
                        if isinstance(piece, str | Area)
                    )
                    self.parts[target] = _renamed_table(xml, table_id, place).encode()
                own = relations_name(sheet.name)
                if own in design.parts:
                    self.parts[relations_name(name)] = _sheet_relations(
                        design.parts[own].decode(), tables
                    ).encode()
        if number:
            types = design.parts[CONTENT_TYPES].decode()
            self.parts[CONTENT_TYPES] = types.replace("</Types>", "".join(overrides) + "</Types>").encode()
            rels = relations_name(design.workbook)
            text = design.parts[rels].decode()
            self.parts[rels] = text.replace("</Relationships>", "".join(relations) + "</Relationships>").encode()
            if APPLICATION in design.parts:
                self.parts[APPLICATION] = without_titles(design.parts[APPLICATION].decode()).encode()


def workbook_xml(design: Design, layout: Layout, more: Further) -> str:
    """The workbook part: its sheets and names."""
    entries: list[str] = []
    places: list[int] = []
    of_sheets: list[list[Stretch]] = []
    highest = max((int(entry.get("sheetId", "0")) for entry in design.entries), default=0)
    for sheet, entry in zip(design.sheets, design.entries, strict=True):
        places.append(len(entries))
        entries.append(_sheet_tag(entry))
        stretches = list(layout[sheet.anchor.table]) if sheet.anchor else []
        of_sheets.append(stretches)
        if sheet.anchor:
            for stretch, relation in zip(stretches[1:], more.relations[sheet.anchor.table], strict=True):
                highest += 1
                changed = {**entry, "name": stretch.title, "sheetId": str(highest)}
                changed = {key: relation if key.endswith(":id") else value for key, value in changed.items()}
                entries.append(_sheet_tag(changed))
    names: list[str] = []
    for name in design.names:
        stretches = of_sheets[name.sheet] if name.sheet is not None else []
        alone: list[Stretch | None] = [None]
        for number, own in enumerate([*stretches] or alone):
            text = "".join(
                piece if isinstance(piece, str) else resolved(piece, layout, own)
                for piece in name.pieces
                if isinstance(piece, str | Area)
            )
            place = "" if name.sheet is None else f' localSheetId="{places[name.sheet] + number}"'
            if number and own is not None and "_xlnm." in name.attributes:
                text = _on_sheet(text, stretches[0], own)
            names.append(f"<definedName{name.attributes}{place}>{element(text)}</definedName>")
    defined = f"<definedNames>{''.join(names)}</definedNames>" if names else ""
    return f"{design.before}{''.join(entries)}{design.between}{defined}{design.after}"


def _sheet_tag(entry: Mapping[str, str]) -> str:
    shown = "".join(f' {key}="{escaped(value) if key == "name" else value}"' for key, value in entry.items())
    return f"<sheet{shown}/>"


def _on_sheet(text: str, first: Stretch, stretch: Stretch) -> str:
    """What prints of a sheet, on the sheet that continues it."""
    new = "'" + stretch.title.replace("'", "''") + "'!"
    old = "'" + first.title.replace("'", "''") + "'!"
    return re.sub(rf"{re.escape(old)}|(?<![\w.'])" + re.escape(first.title) + "!", lambda _: new, text)


def _renamed_table(xml: str, number: int, place: int) -> str:
    start = xml.index("<table")
    end = xml.index(">", start)
    new = re.sub(r"(?<=\s)id=[\"'][0-9]+[\"']", f'id="{number}"', xml[start:end])
    new = re.sub(r"(?<=\s)((?:displayName|name)=[\"'])([^\"']*)", rf"\1\2_{place}", new)
    new = re.sub(r"\s[\w]+:uid=[\"'][^\"']*[\"']", "", new)
    return xml[:start] + new + xml[end:]


def _sheet_relations(xml: str, tables: Mapping[str, str]) -> str:
    """The relations of a sheet that continues another: its own tables, and links."""
    kept = []
    for tag in re.findall(r"<Relationship\b[^>]*>", xml):
        kind, target = attributes(tag).get("Type", ""), attributes(tag).get("Target", "")
        if kind.endswith("/hyperlink"):
            kept.append(tag if tag.endswith("/>") else tag.removesuffix(">") + "/>")
        elif kind.endswith("/table"):
            new = next(new for old, new in tables.items() if old.endswith(target.rpartition("/")[2]))
            kept.append(
                f'<Relationship Type="{kind}" Target="/{new}" Id="{attributes(tag)["Id"]}"/>',
            )
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{''.join(kept)}</Relationships>"
    )


def _free(name: str, taken: set[str]) -> str:
    while f"{name}.xml" in taken:
        name += "_"
    taken.add(f"{name}.xml")
    return f"{name}.xml"


def _override(part: str, kind: str) -> str:
    return (
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
        f'{kind}+xml"/>'
    )


def _literal(parts: Iterable[Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
