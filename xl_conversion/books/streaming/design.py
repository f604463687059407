"""A design read: which cells, texts and ranges of its parts hang on values, as pieces between plain XML."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xl_conversion.books.saving import CellKey
from xl_conversion.books.streaming.looks import add_twins, formats_of
from xl_conversion.books.streaming.package import (
    APPLICATION,
    CORE,
    Package,
    attributes,
    between,
    unescaped,
    without_titles,
)
from xl_conversion.books.streaming.pieces import AS_OF, Design, Formula, Mixed, Name, Part, Sheet, Told, joined
from xl_conversion.books.streaming.placeholders import (
    STYLES_TITLE,
    nothing_left,
    nothing_refers_to_styles,
    told,
)
from xl_conversion.books.streaming.references import name_pieces, tables_in
from xl_conversion.books.streaming.worksheets import Worksheets

# A formula of a chart, by whatever prefix, whether it is that of a title, and the points that are kept of it.
_CHART_FORMULA = re.compile(
    r"(?P<title><(?:\w+:)?tx>\s*<(?:\w+:)?strRef>\s*)?"
    r"(?P<open><(?P<prefix>(?:\w+:)?)f\b[^>]*(?<!/)>)(?P<inside>.*?)(?P<close></(?P=prefix)f>)"
    r"(?:\s*<(?P<cache>(?:\w+:)?(?:numCache|strCache|multiLvlStrCache|dlblRangeCache))\b"
    r"(?:[^>]*/>|.*?</(?P=cache)>))?",
    re.DOTALL,
)
_NOT_TEXT = re.compile(r"\[Content_Types\]\.xml|.*\.rels|xl/(workbook|styles|sharedStrings|theme/.*)\.xml")


def read_design(data: bytes, cached: Mapping[CellKey, str], *, keep_values: bool = True) -> Design:
    """The design in pieces. ValueError says what is wrong, and where."""
    package = Package(data)
    parts = package.parts
    workbook = package.workbook_part()
    xml = package.text(workbook)
    if re.search(r"<workbookPr\b[^>]*\bdate1904=[\"'](1|true)", xml):
        raise ValueError("the design counts its dates from 1904: clear that option of the workbook")
    relations = package.relations(workbook)
    inside = between(xml, "sheets", workbook)
    entries = [attributes(tag) for tag in re.findall(r"<sheet\b[^>]*>", xml[inside[0] : inside[1]])]
    missing = dict(cached)
    worksheets = Worksheets(package, workbook, missing, keep_values)
    sheets: list[Sheet] = []
    dropped: int | None = None
    variants: dict[str, int] = {}
    for number, entry in enumerate(entries):
        relation = next((value for key, value in entry.items() if key.endswith(":id")), "")
        kind, target = relations.get(relation, ("", ""))
        if entry.get("name") == STYLES_TITLE:
            variants = worksheets.variants(target)
            dropped = number
            package.drop(workbook, relation, target)
            continue
        nothing_left(entry["name"], f"the title of the sheet {entry['name']!r}")
        sheets.append(Sheet(entry["name"], target if kind.endswith("/worksheet") else "", relation))
    if dropped is not None:
        del entries[dropped]
    for relation, (kind, target) in relations.items():
        if kind.endswith("/calcChain"):  # it lists formula cells; a host makes it anew
            package.drop(workbook, relation, target)
    worksheets.read([sheet for sheet in sheets if sheet.name])
    if missing:
        title, cell = next(iter(missing))
        raise ValueError(f"{title}!{cell} is to have a cached value, but the design has no formula there")
    names, around = _names(worksheets, xml, inside[1], dropped)
    first, second, third = xml[: inside[0]], xml[inside[1] : around[0]], xml[around[1] :]
    if dropped is not None:
        first = _without_sheet(first, dropped)
        if APPLICATION in parts:
            parts[APPLICATION] = without_titles(package.text(APPLICATION)).encode()
    second, third = _recalculating(second, third)
    texts = worksheets.tables | _others(worksheets, workbook)
    for text in (first, second, third):
        nothing_left(text, f"the part {workbook}")
    styles = package.styles_part(workbook)
    nothing_left(package.text(styles), "a number format or the name of a style")
    twins = add_twins(package, styles, sheets, variants)
    for sheet in sheets:
        if sheet.changed:
            del parts[sheet.name]
    del parts[workbook]
    return Design(
        parts=parts,
        sheets=sheets,
        texts=texts,
        workbook=workbook,
        before=first,
        between=second,
        after=third,
        entries=entries,
        names=names,
        anchors={anchor.table: anchor for anchor in worksheets.anchors.values()},
        twins=twins,
        variants={name: (style, twins[style]) for name, style in variants.items()},
        formats=formats_of(package, styles, variants),
        single_only=worksheets.single_only,
    )


def _names(
    worksheets: Worksheets, xml: str, start: int, dropped: int | None
) -> tuple[list[Name], tuple[int, int]]:
    """The defined names, and from where to where they stand."""
    found = re.compile(r"<definedNames\b[^>]*>(.*?)</definedNames>", re.DOTALL).search(xml, start)
    if found is None:
        place = xml.index("</sheets>") + len("</sheets>")
        for tag in ("</functionGroups>", "</externalReferences>"):
            if (end := xml.find(tag)) >= 0:
                place = end + len(tag)
        return [], (place, place)
    names = []
    for match in re.finditer(r"<definedName\b([^>]*)>(.*?)</definedName>", found[1], re.DOTALL):
        given = attributes(match[1])
        sheet = int(given.pop("localSheetId")) if "localSheetId" in given else None
        if sheet is not None and dropped is not None:
            if sheet == dropped:
                continue
            sheet -= sheet > dropped
        title, formula = given.get("name", ""), unescaped(match[2])
        where = f"the name {title!r}"
        nothing_refers_to_styles(formula, where)
        for text in (*given.values(), formula):
            nothing_left(unescaped(text), where)
        worksheets.structured(formula, where)
        alone = title.startswith("_xlnm.")
        tag = "".join(f' {key}="{value}"' for key, value in given.items())
        names.append(Name(tag, sheet, name_pieces(formula, worksheets.anchors, alone)))
    return names, found.span()


def _others(worksheets: Worksheets, workbook: str) -> dict[str, list[Part]]:
    """Texts with placeholders, and ranges of charts, in all other parts, which are taken out of the package."""
    package, texts = worksheets.package, dict[str, list[Part]]()
    sheets = {name for name in package.parts if name.startswith("xl/worksheets/")}
    for name, content in list(package.parts.items()):
        if name.endswith(".rels"):
            nothing_left(unescaped(package.text(name)), f"a link in the part {name}")
        known = name in sheets or name == workbook or _NOT_TEXT.fullmatch(name) is not None
        if known or not name.lower().endswith((".xml", ".vml")):
            continue
        chart = b"chartSpace" in content
        if b"{{" not in content and not chart and name != CORE:
            continue
        xml = package.text(name)
        parts = _chart(worksheets, xml, name) if chart else told(xml, name)
        if name == CORE:
            parts = [piece for part in parts for piece in _dated(part)]
        if name == CORE or any(not isinstance(part, str) for part in parts):
            texts[name] = joined(parts)
            del package.parts[name]
        else:
            package.parts[name] = "".join(part for part in parts if isinstance(part, str)).encode()
    return texts


def _chart(worksheets: Worksheets, xml: str, name: str) -> list[Part]:
    """A chart in pieces, without the points that are kept of the design's cells: a host takes them anew."""
    parts: list[Part] = []
    at = 0
    for match in _CHART_FORMULA.finditer(xml):
        formula, where = unescaped(match["inside"]), f"the chart {name}"
        nothing_refers_to_styles(formula, where)
        nothing_left(formula, where)
        pieces = name_pieces(formula, worksheets.anchors, False, cells=not match["title"])
        inside: Part = Formula(pieces) if tables_in(pieces) else match["inside"]
        for table in sorted(tables_in(pieces)):
            instead = "draw it from cells that add up what counts"
            worksheets.single_only.append((where, table, "a chart", instead))
        kept = xml[match.end("close") : match.end()] if "[" in formula else ""  # of another workbook
        parts += told(xml[at : match.start()], name)
        parts += [match["title"] or "", match["open"], inside, match["close"], kept]
        at = match.end()
    return [*parts, *told(xml[at:], name)]


def _dated(part: Part) -> list[Part]:
    """Properties of the document in pieces, with a place for the day that it is of."""
    if not isinstance(part, str):
        return [part]
    pieces = re.split(r"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*", part)
    done: list[Part] = [pieces[0]]
    for tag, rest in zip(pieces[1::2], pieces[2::2], strict=True):
        done += [tag, Told(Mixed(("", AS_OF, "")), False, CORE), rest]
    return done


def _without_sheet(before: str, dropped: int) -> str:
    """The views of the workbook as they are when one sheet is missing."""

    def lower(match: re.Match[str]) -> str:
        number = int(match[2])
        return f'{match[1]}"{max(0, number - (number >= dropped and number > 0))}"'

    return re.sub(r"\b((?:activeTab|firstSheet)=)[\"']([0-9]+)[\"']", lower, before)


def _recalculating(middle: str, after: str) -> tuple[str, str]:
    """What follows the sheets and the names, in which the host is told to calculate on opening."""
    match = re.search(r"<calcPr\b[^>]*", after)
    if match is None:
        return middle, '<calcPr fullCalcOnLoad="1"/>' + after
    tag = re.sub(r"\s+fullCalcOnLoad=[\"'][^\"']*[\"']", "", match[0])
    tag = tag.replace("<calcPr", '<calcPr fullCalcOnLoad="1"', 1)
    return middle, after[: match.start()] + tag + after[match.end() :]
