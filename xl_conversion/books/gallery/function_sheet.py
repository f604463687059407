"""One sheet of the gallery: what a function takes, what it gives, what was expected, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from xl_conversion.books.gallery.arguments import FUNCTIONS as FUNCTION_NAMES
from xl_conversion.books.gallery.arguments import Arguments
from xl_conversion.books.gallery.cases import SENSITIVITIES, case_of
from xl_conversion.books.gallery.drawing import (
    GENERAL,
    UNROUNDED,
    Row,
    array,
    format_of_column,
    format_of_rounded,
    format_of_unit,
)
from xl_conversion.books.gallery.sensitivity import draw_sensitivity
from xl_conversion.books.gallery.shared import Gallery, Outcome, absolute
from xl_conversion.books.templates.formulas import Place
from xl_conversion.books.templates.model import CHECK, OK
from xl_conversion.functions.boundary import Cell, CellError, Range
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.functions.definition import HOW_TO_ROUND, Function, Kind
from xl_conversion.functions.evaluate import Value, evaluate
from xl_conversion.functions.tabular import ENUMERATIONS

VERSION, ENUM, LIST, EXPLAIN = "CP_VERSION", "CP_ENUM", "CP_LIST", "CP_EXPLAIN"
FIRST = (VERSION, ENUM, LIST)
"""Sheets that the others refer to."""
RESULT, STEPS = "result", "steps"
_WORDS_A_BAND = 7
DIGITS = format_of_unit("digits")


@dataclass
class FunctionSheet:
    """Draws the sheet of one function."""

    gallery: Gallery
    function: Function

    def __post_init__(self) -> None:
        self.page = self.gallery.pages[self.function.name]
        self.case = case_of(self.function)
        self.arguments = Arguments(self.gallery, self.function, self.case)
        self.stem = self.function.name.lower()
        self.checks: dict[str, tuple[str, str]] = {}
        self._open_checks: list[Callable[[str], None]] = []

    def draw(self) -> Outcome:
        """All sections; the checks at last, for they compare with copies at the foot of the sheet."""
        page, name = self.page, self.function.name
        page.sheet.freeze_panes = "A4"
        self._intro()
        if self.function.arguments:
            self.arguments.draw()
        result, value, size = self._spilled() if self.function.spills else self._single()
        self.gallery.book.name(f"out_{self.stem}", absolute(page, result))
        if name in SENSITIVITIES:
            draw_sensitivity(self.arguments, SENSITIVITIES[name])
        if name == VERSION:
            self.gallery.version = page.address(result)
        if name == ENUM:
            self._all_words()
        if name == LIST:
            first, last = int(result.partition(":")[0][1:]), page.row
            last = first + len(FUNCTIONS)
            self.gallery.lists[FUNCTION_NAMES] = Place(name, f"A{first + 1}", f"A{last}")
        unchanged = self.arguments.draw_delivered()
        for write in self._open_checks:
            write(unchanged)
        return Outcome(absolute(page, result), value, size, self.checks, self._shown)

    def _intro(self) -> None:
        page = self.page
        page.row += 1
        for label, text in (
            ("Syntax", f"={self.function.signature}"),
            ("Returns", self.function.returns),
            ("Remarks", self.function.remarks),
            ("Source", self.function.source),
        ):
            if text:
                row = Row(page)
                row.text("A", label, "label")
                row.text(f"B:{page.last_column}", text, "symbol" if label == "Syntax" else "plain")
                row.end()

    # One figure

    def _single(self) -> tuple[str, float | str | None, tuple[int, int]]:
        page, function, references = self.page, self.function, self.arguments.references
        self.gallery.section(page, "Result")
        names = ["Figure", "Result", "Unit", "Compared with", "Expected", "Check", "Formula"]
        page.header(names, numeric="BE", centred="F")
        at = page.row
        value = single(evaluate(function, self.case.cells))
        (expected,) = self.case.expected
        row = self._figure("Result", call(function, references), value)
        self._compare(row, RESULT, "the result stated", expected, OK if expected == value else CHECK)
        if self._rounds:
            kept = [a for a in function.arguments if a.kind not in HOW_TO_ROUND]
            exact = single(evaluate(function, self.case.cells[: len(kept)]))
            row = self._figure("Unrounded", call(function, references[: len(kept)]), exact, UNROUNDED)
            for column in "DEF":
                row.text(column, "", "muted")
            row.end()
        if function.explain is not None:
            last_step = page.row
            page.row += 1
            last, last_value = self._steps()
            end, page.row = page.row, last_step
            row = self._figure("Last step", f"={last}", last_value)
            self._compare(row, STEPS, "the result above", f"=B{at}", OK if last_value == value else CHECK, value)
            page.row = end
        return f"B{at}", value, (1, 1)

    @property
    def _rounds(self) -> bool:
        """Whether the function also gives the figure unrounded, and the sheet has it rounded."""
        optional = [a.kind for a in self.function.arguments if a.optional]
        return Kind.DECIMALS in optional and len(self.arguments.references) == len(self.function.arguments)

    @property
    def _shown(self) -> str:
        """The number format of the result."""
        return _format_of_result(self.function, self.case.cells)

    def _figure(self, label: str, formula: str, value: float | str, number_format: str = "") -> Row:
        page, row = self.page, Row(self.page)
        row.text("A", label, "label")
        page.formula(f"B{page.row}", formula, value, number_format or self._shown, "result", align="right")
        row.text("C", self.function.unit, "muted")
        row.text("G", formula, "muted")
        return row

    def _compare(
        self, row: Row, what: str, compared: str, expected: Cell, said: str, value: float | str = ""
    ) -> None:
        """Ends the row of a figure with what is expected and a check."""
        page, at = self.page, self.page.row
        row.text("D", compared, "muted")
        if what == STEPS:
            page.formula(f"E{at}", str(expected), value, self._shown, "muted", align="right")
        else:
            row.cell("E", expected, self._shown, "muted", align="right")
        row.end()
        holds = _same(f"B{at}", f"E{at}") if isinstance(expected, str) and what == RESULT else f"B{at}=E{at}"
        self._check(what, f"F{at}", f"B{at}", holds, said)

    def _check(self, what: str, at: str, actual: str, holds: str, said: str) -> None:
        page = self.page

        def write(unchanged: str) -> None:
            # Of the steps nothing was stated: whatever the inputs are, the last of them is the result.
            self.gallery.write_check(page, at, actual, holds, "" if what == STEPS else unchanged, said)

        self._open_checks.append(write)
        self.checks[what] = page.address(at), said
        suffix = "" if what == RESULT else f"_{what}"
        self.gallery.book.name(f"chk_{self.stem}{suffix}", page.address(at))

    def _steps(self) -> tuple[str, float | str]:
        """The steps by CP_EXPLAIN; where the last value stands, and what it is."""
        page = self.page
        formula = f"={EXPLAIN}({','.join(['A1', *self.arguments.references])})"
        rows = table_of(evaluate(FUNCTIONS[EXPLAIN], [self.function.name, *self.case.cells]))
        self.gallery.section(page, "Steps")
        row = Row(page)
        text = f"One array formula: {formula}. With other decimals or methods there may be other steps."
        row.text(f"A:{page.last_column}", text, "muted")
        row.end()
        where = array(page, "A", formula, rows, [GENERAL] * len(rows[0]), header=True)
        self._show_steps(where, rows, self._shown)
        value = rows[0].index("value")
        return f"{get_column_letter(value + 1)}{page.row - 1}", single(rows[-1][value])

    def _show_steps(self, where: str, rows: list[list[Value]], last: str) -> None:
        """Shows each value of the steps by its unit, and the last one in the format of the result."""
        value, unit = (rows[0].index(name) for name in ("value", "unit"))
        formats = [format_of_unit(str(row[unit])) for row in rows[1:]]
        lines = self.page.sheet[where][1:]
        for line, number_format in zip(lines, [*formats[:-1], last], strict=True):
            # Of digits there may be none with other arguments, and a price in their place.
            line[value].number_format = GENERAL if number_format == DIGITS else number_format

    # A table

    def _spilled(self) -> tuple[str, float | str | None, tuple[int, int]]:
        page, function = self.page, self.function
        rows = table_of(evaluate(function, self.case.cells))
        header = len(rows[0]) > 1
        formula = call(function, self.arguments.references)
        self.gallery.section(page, "Result")
        row = Row(page)
        row.text(f"A:{page.last_column}", f"One array formula (Ctrl+Shift+Enter): {formula}", "muted")
        row.end()
        formats = [format_of_column(cell) for cell in rows[0]]
        top = page.row
        where = array(page, "A", formula, rows, formats, header=header)
        bottom = page.row - 1
        if function.name == EXPLAIN:
            explained, *cells = self.case.cells
            formats[rows[0].index("value")] = _format_of_result(FUNCTIONS[str(explained)], cells)
            self._show_steps(where, rows, formats[rows[0].index("value")])
        page.section("Expected, as the last row")
        expected = page.row
        row = Row(page)
        for place, (cell, number_format) in enumerate(zip(self.case.expected, formats, strict=True)):
            row.cell(get_column_letter(place + 1), cell, number_format, "muted", align="left")
        row.end()
        last = get_column_letter(len(rows[0]))
        said = OK if [str(c) for c in self.case.expected] == [str(c) for c in rows[-1]] else CHECK
        got, wanted = f"A{bottom}:{last}{bottom}", f"A{expected}:{last}{expected}"
        holds = f"SUMPRODUCT(--({_same(got, wanted)}))=COLUMNS({wanted})"
        at = page.row
        row = Row(page)
        row.text("A", "", "label")
        row.text(f"B:{page.last_column}", "Check: the last row of the result is the expected one", "muted")
        row.end()
        self._check(RESULT, f"A{at}", f"A{top}", holds, said)
        return where, None, (len(rows), len(rows[0]))

    def _all_words(self) -> None:
        """Every enumeration, for the validation lists of the other sheets."""
        page, enum = self.page, FUNCTIONS[ENUM]
        names = list(ENUMERATIONS)
        self.gallery.section(page, "All words, from which the cells of the other sheets are chosen")
        row = Row(page)
        row.text(f"A:{page.last_column}", f"Below each name: {enum.name} of the cell with the name", "muted")
        row.end()
        for start in range(0, len(names), _WORDS_A_BAND):
            band = names[start : start + _WORDS_A_BAND]
            row = Row(page)
            for place, name in enumerate(band, start=1):
                row.text(get_column_letter(place), name, "header")
            row.end()
            top = bottom = page.row
            for place, name in enumerate(band, start=1):
                letter, page.row = get_column_letter(place), top
                words = table_of(evaluate(enum, [name]))
                array(page, letter, f"={enum.name}({letter}{top - 1})", words, [GENERAL])
                bottom = max(bottom, page.row)
                self.gallery.lists[name] = Place(ENUM, f"{letter}{top}", f"{letter}{page.row - 1}")
            page.row = bottom + 1


def call(function: Function, references: list[str]) -> str:
    """The formula that calls a function."""
    return f"={function.name}({','.join(references)})"


def _same(one: str, other: str) -> str:
    """Whether texts are the same. To Calc a text from an add-in equals no other until it is put together anew."""
    return f'{one}&""={other}&""'


def _format_of_result(function: Function, cells: Sequence[Cell | Range]) -> str:
    """The number format of the result of a function of `cells`."""
    for argument, cell in zip(function.arguments, cells, strict=False):
        if argument.kind is Kind.DECIMALS and isinstance(cell, float):
            return format_of_rounded(function.unit, int(cell))
    return format_of_unit(function.unit)


def single(result: Value | list[list[Value]]) -> float | str:
    """A result that is one figure or text."""
    if isinstance(result, CellError | list):
        raise ValueError(f"not a figure: {result}")
    return result


def table_of(result: Value | list[list[Value]]) -> list[list[Value]]:
    """A result that is a table."""
    if not isinstance(result, list):
        raise ValueError(f"not a table: {result}")
    return result
