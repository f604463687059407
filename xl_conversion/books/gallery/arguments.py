"""The arguments of a function on its sheet: cells to overwrite, with units and rules, and tables as ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.gallery.cases import Case, layout_of
from xl_conversion.books.gallery.drawing import Row, format_of_unit, table
from xl_conversion.books.gallery.shared import Gallery, absolute
from xl_conversion.books.page import Page
from xl_conversion.books.templates.model import above_zero, one_of, whole, zero_or_above
from xl_conversion.core.rounding import MAX_DECIMALS
from xl_conversion.core.stated import Item
from xl_conversion.core.terms import Method
from xl_conversion.functions.boundary import Cell, Range
from xl_conversion.functions.catalogue import ABOVE_ZERO, ZERO_OR_ABOVE
from xl_conversion.functions.catalogue import FUNCTIONS as FUNCTIONS_BY_NAME
from xl_conversion.functions.definition import Argument, Function, Kind
from xl_conversion.functions.pages import default_words
from xl_conversion.functions.tabular import ENUMERATIONS

FUNCTIONS = "functions"
"""The list of the names of all functions, beside the enumerations."""
LEFT_OUT = "(left out)"
_HEADERS = {
    "argument": "Argument",
    "value": "Value",
    "unit": "Unit",
    "rule": "Rule: it must be",
    "delivered": "As delivered",
    "left out": "If left out",
    "help": "Help",
}
_WIDE = 40
"""In a wider column a text is not aligned to the right."""
_KINDS = {"events": "event_kind", "securities": "security_kind", "capitalization": "class_kind"}


@dataclass
class Arguments:
    """The section of the arguments."""

    gallery: Gallery
    function: Function
    case: Case
    references: list[str] = field(default_factory=list)
    """What stands for each argument in a formula."""
    tables: list[tuple[str, str, Range]] = field(default_factory=list)
    """Name, range and content of each."""
    _rows: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.page: Page = self.gallery.pages[self.function.name]
        self.fields = layout_of(self.function).fields
        self.stem = self.function.name.lower()

    def draw(self) -> None:
        """The table of the arguments, and below it the tables that are arguments."""
        page = self.page
        self.gallery.section(page, "Arguments")
        row = Row(page)
        for name, columns in self.fields.items():
            figures = name in ("value", "delivered") and not self._wide(columns)
            row.text(columns, _HEADERS[name], "header", align="right" if figures else "left")
        row.end()
        given = len(self.case.cells)
        groups = list(_alike(self.function.arguments[given:]))
        first = page.row
        # The tables come first, for the rows above them tell where they stand.
        page.row += given + len(groups)
        self._rows = first, page.row - 1
        where = {
            argument.name: self._table(argument, cell)
            for argument, cell in zip(self.function.arguments, self.case.cells, strict=False)
            if isinstance(cell, Sequence) and not isinstance(cell, str)
        }
        end, page.row = page.row, first
        for argument, cell in zip(self.function.arguments, self.case.cells, strict=False):
            single = None if isinstance(cell, Sequence) and not isinstance(cell, str) else cell
            self._given(argument, single, where.get(argument.name, ""))
        for group in groups:
            self._left_out(group)
        page.row = end

    def draw_delivered(self) -> str:
        """Copies of the tables as delivered; gives the formula for whether all inputs still are as delivered."""
        value, delivered = (self.fields.get(name, "") for name in ("value", "delivered"))
        pairs = []
        if self.references:
            first, last = self._rows
            pairs.append((f"{value}{first}:{value}{last}", f"{delivered}{first}:{delivered}{last}"))
        for name, where, rows in self.tables:
            self.gallery.section(self.page, f"Table {name} as delivered, which the check compares")
            pairs.append((where, table(self.page, rows, "muted")))
        same = "+".join(f"SUMPRODUCT(--({one}={other}))" for one, other in pairs)
        cells = "+".join(f"ROWS({one})*COLUMNS({one})" for one, _ in pairs)
        return f"{same}={cells}" if pairs else ""

    def _table(self, argument: Argument, cells: Range) -> str:
        page = self.page
        self.gallery.section(page, f"Table {argument.name}")
        where = table(page, cells, "input")
        self.tables.append((argument.name, where, cells))
        top, bottom = page.row - len(cells), page.row - 1
        words = {
            "kind": _KINDS.get(argument.name, ""),
            "method": _named(tuple(Method)),
            "item": _named(tuple(Item)),
        }
        for column, header in enumerate(cells[0], start=1):
            if enumeration := words.get(str(header), ""):
                letter = get_column_letter(column)
                self._add(self._one_of(str(header), enumeration), f"{letter}{top + 1}:{letter}{bottom}")
        return where

    def _given(self, argument: Argument, cell: Cell, where: str) -> None:
        row = Row(self.page)
        value, delivered = self.fields["value"], self.fields["delivered"]
        at = where or f"{value}{self.page.row}"
        if where:
            row.text(value, where, align="right")
            row.text(delivered, where, "muted", align="right")
        else:
            align = "left" if self._wide(value) else "right"
            shown = format_of_unit(self._unit(argument))
            row.cell(value, cell, shown, "input", align=align)
            row.cell(delivered, cell, shown, "muted", align="right")
            self._validate(argument, at)
        self.references.append(at)
        self.gallery.book.name(f"in_{self.stem}_{argument.name}", absolute(self.page, at))
        self._words(row, argument, argument.name, argument.help)

    def _unit(self, argument: Argument) -> str:
        """The unit of an argument; of one that is handed on to another function, the unit that it has there."""
        if argument.kind is not Kind.CELL:
            return argument.unit
        own = self.function.arguments
        first = next(place for place, one in enumerate(own) if one.kind is Kind.CELL)
        unit = FUNCTIONS_BY_NAME[str(self.case.cells[0])].arguments[own.index(argument) - first].unit
        return "" if unit == "digits" else unit

    def _wide(self, column: str) -> bool:
        return self.page.widths[column_index_from_string(column[0]) - 1] > _WIDE

    def _left_out(self, group: Sequence[Argument]) -> None:
        row = Row(self.page)
        for name in ("value", "delivered"):
            row.text(self.fields[name], LEFT_OUT, "muted", align="right")
        first, last = group[0], group[-1]
        if first is last:
            self._words(row, first, first.name, first.help)
        else:
            self._words(row, first, f"{first.name} to {last.name}", "As the ones above.")

    def _words(self, row: Row, argument: Argument, name: str, explanation: str) -> None:
        row.text(self.fields["argument"], name, "symbol")
        for what, text in (
            ("unit", argument.unit),
            ("rule", argument.rule.removeprefix("it must be ")),
            ("left out", default_words(argument)),
            ("help", explanation),
        ):
            if what in self.fields:
                row.text(self.fields[what], text, "muted")
        row.end()

    def _validate(self, argument: Argument, at: str) -> None:
        """Lets a cell hold only what the rule says, where a rule of the host can."""
        name = argument.name
        if argument.kind is Kind.ROUNDING_TYPE:
            self._add(self._one_of(name, "rounding_type"), at)
        elif argument.kind is Kind.CHOICE:
            self._add(self._one_of(name, _named(argument.choices)), at)
        elif argument.kind is Kind.DECIMALS:
            self._add(whole(name, argument.least, MAX_DECIMALS), at)
        elif argument.rule == ABOVE_ZERO:
            self._add(above_zero(name), at)
        elif argument.rule == ZERO_OR_ABOVE:
            self._add(zero_or_above(name), at)
        elif argument.kind is Kind.FLAG:
            self._add(_truth(argument), at)
        elif name == "base":
            rule = self._one_of(name, "base")
            rule.errorStyle = "warning"  # names of classes are right too
            self._add(rule, at)
        elif name == "function_name":
            self._add(one_of(name, self.gallery.lists[FUNCTIONS], "the names that CP_LIST gives"), at)

    def _one_of(self, label: str, enumeration: str) -> DataValidation:
        return one_of(label, self.gallery.lists[enumeration], ", ".join(ENUMERATIONS[enumeration]))

    def _add(self, rule: DataValidation, at: str) -> None:
        self.page.sheet.add_data_validation(rule)
        rule.add(at)


def _named(words: tuple[str, ...]) -> str:
    """The name of the enumeration that has the words."""
    return next(name for name, known in ENUMERATIONS.items() if known == words)


def _truth(argument: Argument) -> DataValidation:
    return DataValidation(
        type="list",
        formula1='"TRUE,FALSE"',
        allow_blank=True,
        showErrorMessage=True,
        errorTitle=argument.name[:32],
        error=f"{argument.name}: {argument.rule}.",
    )


def _alike(arguments: Sequence[Argument]) -> Iterator[list[Argument]]:
    """Neighbours of which the same is said, such as argument_4 to argument_12."""
    group: list[Argument] = []
    for argument in arguments:
        if group and argument.kind is Kind.CELL is group[0].kind:
            group.append(argument)
            continue
        if group:
            yield group
        group = [argument]
    if group:
        yield group
