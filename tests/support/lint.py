"""What is wrong with a workbook beyond its schema: formulas, names, validations, print set-up, protection.

Microsoft's validator (see :mod:`support.ooxml`) sees structure. This looks at sense, and reads the file by itself:
nothing that wrote the workbook is asked. Values are those that the file carries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

from openpyxl.formula.translate import Translator

from support.lint_formulas import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    Call,
    ErrorCode,
    FormulaError,
    Many,
    Name,
    Node,
    Number,
    Text,
    area,
    nesting,
    parse,
    walk,
)
from support.lint_functions import function_problem
from support.lint_reading import Content, Defined, Sheet, Table, UnreadableError, Validation, Workbook, read

LONGEST_FORMULA: Final = 8_192
DEEPEST: Final = 64
LONGEST_LIST: Final = 255
LONGEST: Final = {"error_title": 32, "prompt_title": 32, "error": 255, "prompt": 255}
LONG_TABLE: Final = 30
"""Rows of at least three cells that follow one another: from here on the header is to stay in sight."""
MOST_READ: Final = 100_000
"""Cells of a range that are looked at for blanks; a larger one is a whole column or row."""
INPUT: Final = ("0000FF", "FFF9E5")
"""Ink and fill of a cell that a reader overwrites."""
INTERFACE: Final = ("in_", "out_", "chk_")
ADDRESS: Final = re.compile(r"\$[A-Z]{1,3}\$[0-9]+(:\$[A-Z]{1,3}\$[0-9]+)?")
OF_SHAPE: Final = frozenset({"ROW", "ROWS", "COLUMN", "COLUMNS", "AREAS", "ISBLANK", "COUNTBLANK", "COUNTA"})
"""Functions that do not read what the cells hold, or ask just whether they are blank."""


def lint(
    path: Path,
    *,
    constants: bool = True,
    hidden: bool = True,
    protected: bool = False,
    print_areas: bool = True,
) -> list[str]:
    """Findings in words, each naming sheet and cell; an empty list for a sound workbook.

    `constants`: whether formulas may hold numbers of their own; `hidden`: whether sheets, rows and columns may be
    hidden; `protected`: whether each sheet must be protected, without a password, with just its inputs unlocked;
    `print_areas`: whether each sheet must have one.
    """
    try:
        workbook = read(path)
    except UnreadableError as problem:
        return [f"no workbook can be read: {problem}"]
    rules = _Rules(workbook)
    found: list[Iterable[str]] = [rules.names()]
    for sheet in workbook.sheets:
        found += [
            rules.title(sheet),
            rules.formulas(sheet, constants),
            rules.values(sheet),
            rules.validations(sheet),
            rules.conditions(sheet),
            rules.merges(sheet),
            rules.tables(sheet),
            rules.charts(sheet),
            rules.print_setup(sheet, print_areas),
            rules.freezing(sheet),
        ]
        if not hidden:
            found.append(rules.hiding(sheet))
        if protected:
            found.append(rules.protection(sheet))
    return [finding for findings in found for finding in findings]


class _Rules:
    def __init__(self, workbook: Workbook) -> None:
        self._book = workbook
        self._names = {(name.sheet.casefold(), name.name.casefold()): name for name in workbook.names}
        self._tables = {table.name.casefold(): table for sheet in workbook.sheets for table in sheet.tables}
        self._inputs = [
            node
            for name in workbook.names
            if name.name.casefold().startswith("in_")
            for node in self._areas(name.formula)
        ]

    def names(self) -> Iterator[str]:
        counts = Counter((name.sheet.casefold(), name.name.casefold()) for name in self._book.names)
        for name in self._book.names:
            where = f"name {name.name}" + (f" of sheet {name.sheet}" if name.sheet else "")
            if not name.name.startswith("_xlnm."):
                yield from _name_problems(where, name.name)
            if counts[name.sheet.casefold(), name.name.casefold()] > 1:
                yield f"{where}: there is another one of that name"
            tree, problems = self._checked(f"({name.formula})", where, name.sheet)
            yield from problems
            if tree is not None and name.name.casefold().startswith(INTERFACE):
                yield from self._interface(where, name)

    def title(self, sheet: Sheet) -> Iterator[str]:
        title = sheet.title
        if not 1 <= len(title) <= 31:
            yield f"sheet {title!r}: a title of {len(title)} characters; Excel takes 1 to 31"
        if (
            re.search(r"[\[\]:*?/\\\x00-\x1f]", title)
            or title != title.strip("'")
            or title.casefold() == "history"
        ):
            yield f"sheet {title!r}: a title that Excel does not take"
        if sum(other.title.casefold() == title.casefold() for other in self._book.sheets) > 1:
            yield f"sheet {title!r}: another one has the same title"

    def formulas(self, sheet: Sheet, constants: bool) -> Iterator[str]:
        for cell in sheet.cells.values():
            if not cell.formula:
                continue
            where = f"{sheet.title}!{cell.at}"
            tree, problems = self._checked(cell.formula, where, sheet.title)
            yield from problems
            for node in walk(tree):
                if isinstance(node, Number) and not constants:
                    yield f"{where}: the constant {node.text} in a formula"
            for read_area in dict.fromkeys(self._read_by(tree, sheet.title)):
                yield from self._blanks(where, read_area)

    def values(self, sheet: Sheet) -> Iterator[str]:
        spilled = {at for place in sheet.arrays for at in place.cells()}
        for cell in sheet.cells.values():
            where = f"{sheet.title}!{cell.at}"
            if cell.formula is not None and cell.value is None:
                yield f"{where}: a formula without its value"
            elif cell.kind == "e":
                typed = cell.formula is None and (cell.row, cell.column) not in spilled
                kind = "an error typed in" if typed else "a formula that carries an error"
                yield f"{where}: {kind}, {cell.value}"
            elif cell.kind == "s" and cell.formula is None and not self._book.styles[cell.style].quoted:
                begins = (cell.value or "")[:1]
                if begins and begins in "=+-@" and (cell.row, cell.column) not in spilled:
                    yield f"{where}: a text that begins with {begins} without the quote prefix"

    def validations(self, sheet: Sheet) -> Iterator[str]:
        for validation in sheet.validations:
            where = f"{sheet.title}!{validation.at}: the validation"
            for name, most in LONGEST.items():
                if len(text := getattr(validation, name)) > most:
                    yield f"{where}'s {name.replace('_', ' ')} has {len(text)} characters; Excel takes {most}"
            yield from self._validation_formulas(sheet, validation, where)
        placed = [(one, place) for one in sheet.validations for place in one.areas]
        for (_, first), (_, second) in combinations(placed, 2):
            if first.meets(second):
                yield f"{sheet.title}!{first}: a validation overlaps the one of {second}"

    def conditions(self, sheet: Sheet) -> Iterator[str]:
        for cells, formula in sheet.conditions:
            where = f"{sheet.title}!{cells}: the conditional format {formula!r}"
            _, problems = self._checked(formula, where, sheet.title)
            yield from problems

    def merges(self, sheet: Sheet) -> Iterator[str]:
        merged = []
        for ref in sheet.merged:
            try:
                merged.append(area(ref))
            except FormulaError as problem:
                yield f"{sheet.title}: merged cells: {problem}"
        for first, second in combinations(merged, 2):
            if first.meets(second):
                yield f"{sheet.title}!{first}: merged cells overlap those of {second}"
        for place in merged:
            for at in list(place.cells())[1:MOST_READ]:
                if at in sheet.cells and not sheet.cells[at].blank:
                    yield f"{sheet.title}!{sheet.cells[at].at}: content that the merged cells {place} hide"

    def tables(self, sheet: Sheet) -> Iterator[str]:
        taken = [name.casefold() for _, name in self._names]
        taken += [table.name.casefold() for one in self._book.sheets for table in one.tables]
        for table in sheet.tables:
            where = f"{sheet.title}!{table.ref}: table {table.name}"
            yield from _name_problems(where, table.name)
            if taken.count(table.name.casefold()) > 1:
                yield f"{where}: a name or another table is called the same"
            yield from _header_problems(sheet, table, where)

    def charts(self, sheet: Sheet) -> Iterator[str]:
        for chart in sheet.charts:
            where = f"{sheet.title}: chart {chart.part}"
            for formula in chart.formulas:
                tree, problems = self._checked(f"({formula})", where, sheet.title)
                yield from problems
                for node in walk(tree):
                    if isinstance(node, Area) and not self._filled(node, sheet.title):
                        yield f"{where}: {node} is blank"
            if not all(chart.axes):
                yield f"{where}: an axis is deleted, or not said to be kept, which Excel takes for deleted"

    def print_setup(self, sheet: Sheet, print_areas: bool) -> Iterator[str]:
        if sheet.state != "visible" or not sheet.cells:
            return
        printing = sheet.printing
        if print_areas and not self._of_print(sheet, "Print_Area"):
            yield f"{sheet.title}: no print area"
        if printing.fit and printing.wide != 1:
            yield f"{sheet.title}: fitted to {printing.wide} pages in width, not to one"
        if not printing.fit and not printing.scale:
            yield f"{sheet.title}: neither fitted to the width of a page nor scaled"
        if printing.orientation not in ("portrait", "landscape"):
            yield f"{sheet.title}: no orientation of the page"
        one_page = printing.fit and printing.wide == printing.high == 1
        if not one_page and not re.search(r"\$?\d+:\$?\d+", self._of_print(sheet, "Print_Titles")):
            yield f"{sheet.title}: may print on several pages and repeats no header row"

    def freezing(self, sheet: Sheet) -> Iterator[str]:
        counts = Counter(row for (row, _), cell in sheet.cells.items() if not cell.blank)
        run = 0
        for row in range(1, max(counts, default=0) + 1):
            run = run + 1 if counts[row] >= 3 else 0
            if run == LONG_TABLE and not sheet.frozen and sheet.state == "visible":
                yield f"{sheet.title}!A{row - LONG_TABLE + 1}: a long table without frozen panes"

    def hiding(self, sheet: Sheet) -> Iterator[str]:
        if sheet.state != "visible":
            yield f"{sheet.title}: a hidden sheet ({sheet.state})"
        for row in sheet.hidden_rows:
            yield f"{sheet.title}: row {row} is hidden"
        for column in sheet.hidden_columns:
            yield f"{sheet.title}: column {str(Area('', column, 1, column, 1))[:-1]} is hidden"

    def protection(self, sheet: Sheet) -> Iterator[str]:
        if sheet.protection is None or sheet.protection.get("sheet") not in ("1", "true"):
            yield f"{sheet.title}: the sheet is not protected"
        elif sheet.protection.keys() & {"password", "hashValue"}:
            yield f"{sheet.title}: the sheet is protected with a password"
        for cell in sheet.cells.values():
            style = self._book.styles[cell.style]
            is_input = (style.font_color, style.fill) == INPUT
            if is_input and style.locked:
                yield f"{sheet.title}!{cell.at}: looks like an input and is locked"
            elif not is_input and not style.locked:
                yield f"{sheet.title}!{cell.at}: is unlocked and does not look like an input"

    def _checked(self, formula: str, where: str, sheet: str) -> tuple[Node | None, list[str]]:
        """The formula as a tree, None if it does not parse, and what is wrong with it."""
        problems = []
        if len(formula) > LONGEST_FORMULA:
            problems.append(f"{where}: a formula of {len(formula):,} characters; Excel takes {LONGEST_FORMULA:,}")
        try:
            tree = parse(formula)
        except FormulaError as problem:
            return None, [*problems, f"{where}: the formula does not parse: {problem}"]
        if (depth := nesting(tree)) > DEEPEST:
            problems.append(f"{where}: {depth} functions one inside the other; Excel takes {DEEPEST}")
        for node in walk(tree):
            wrong = ""
            match node:
                case Call(name, arguments):
                    wrong = function_problem(name, len(arguments))
                case ErrorCode("#REF!"):
                    wrong = "refers to #REF!"
                case Area(of) | Name(_, of) if of and not self._has_sheets(of):
                    wrong = f"refers to the sheet {of!r}, which does not exist"
                case Name(name, of) if not self._known(name, of or sheet):
                    wrong = f"the name {name} is not defined"
            if wrong:
                problems.append(f"{where}: {wrong}")
        return tree, problems

    def _has_sheets(self, title: str) -> bool:
        return all(self._book.sheet(one) is not None for one in title.split(":"))

    def _known(self, name: str, sheet: str) -> bool:
        plain = name.partition("[")[0].casefold()
        return plain.startswith("_xlpm.") or plain in self._tables or self._named(name, sheet) is not None

    def _named(self, name: str, sheet: str) -> Defined | None:
        own = self._names.get((sheet.casefold(), name.casefold()))
        return own or self._names.get(("", name.casefold()))

    def _areas(self, formula: str) -> list[Area]:
        try:
            return [node for node in walk(parse(f"({formula})")) if isinstance(node, Area)]
        except FormulaError:
            return []

    def _read_by(self, node: Node | None, sheet: str) -> Iterator[Area]:
        """The cells that a formula on `sheet` reads, by address or by name."""
        match node:
            case Area(of):
                yield node if of else Area(sheet, node.left, node.top, node.right, node.bottom)
            case Name(name, of) if defined := self._named(name, of or sheet):
                yield from (found for found in self._areas(defined.formula) if found.sheet)
            case Call(name, arguments) if name.upper() not in OF_SHAPE:
                for argument in arguments:
                    yield from self._read_by(argument, sheet)
            case Many(parts):
                for part in parts:
                    yield from self._read_by(part, sheet)

    def _blanks(self, where: str, place: Area) -> Iterator[str]:
        sheet = self._book.sheet(place.sheet)
        if sheet is None or place.size > MOST_READ:
            return
        blank = [
            (row, column)
            for row, column in place.cells()
            if ((cell := sheet.cells.get((row, column))) is None or (cell.blank and not cell.style))
            and not any(
                one.holds(row, column) for one in self._inputs if one.sheet.casefold() == sheet.title.casefold()
            )
        ]
        if blank:
            row, column = blank[0]
            first = Area(sheet.title, column, row, column, row)
            more = f" and {len(blank) - 1:,} more of {place}" if len(blank) > 1 else ""
            yield f"{where}: reads {first}{more}, blank and no input"

    def _filled(self, place: Area, sheet: str) -> bool:
        found = self._book.sheet(place.sheet or sheet)
        return found is None or any(place.holds(*at) and not cell.blank for at, cell in found.cells.items())

    def _interface(self, where: str, name: Defined) -> Iterator[str]:
        node = parse(name.formula) if ADDRESS.fullmatch(name.formula.rpartition("!")[2]) else None
        if not isinstance(node, Area) or not node.sheet:
            yield f"{where}: {name.formula} is not one cell or range with $ and its sheet"
            return
        sheet = self._book.sheet(node.sheet)
        if sheet is not None and (node.size > MOST_READ or any(at not in sheet.cells for at in node.cells())):
            yield f"{where}: {node} has cells that do not exist"

    def _validation_formulas(self, sheet: Sheet, validation: Validation, where: str) -> Iterator[str]:
        if validation.kind != "none" and not validation.formulas:
            yield f"{where} has no formula"
            return
        trees = []
        for formula in validation.formulas:
            tree, problems = self._checked(formula, where, sheet.title)
            yield from problems
            trees.append(tree)
            if validation.kind == "list" and isinstance(tree, Text) and len(tree.text) > LONGEST_LIST:
                yield f"{where}'s list has {len(tree.text)} characters; Excel takes {LONGEST_LIST}"
            for place in self._read_by(tree, sheet.title):
                if not self._filled(place, sheet.title):
                    yield f"{where} refers to {place}, which is blank"
        if None in trees:
            return
        for at, cell in sheet.cells.items():
            if cell.value not in (None, "") and any(place.holds(*at) for place in validation.areas):
                allows = self._allows(sheet, validation, cell)
                if not allows(cell):
                    yield f"{sheet.title}!{cell.at}: holds {cell.value!r}, which its validation refuses"

    def _allows(self, sheet: Sheet, validation: Validation, cell: Content) -> Callable[[Content], bool]:
        """What the validation says of the cell, as far as it can be told without calculating."""
        first = validation.areas[0]
        origin = str(Area("", first.left, first.top, first.left, first.top))
        trees = [
            parse(Translator(f"={formula}", origin=origin).translate_formula(cell.at)[1:])
            for formula in validation.formulas
        ]
        limits = [self._contents(tree, sheet.title) for tree in trees]
        if validation.kind == "list" and limits[0] is not None:
            exact = isinstance(trees[0], Text)
            words = [_word(word, exact) for word in limits[0]]
            return lambda one: _word(one.value or "", exact) in words
        if validation.kind in ("whole", "decimal", "date", "time", "textLength"):
            bounds = [_number(limit[0]) if limit is not None and len(limit) == 1 else None for limit in limits]
            return lambda one: _within(validation, one, bounds)
        return lambda one: True

    def _contents(self, node: Node | None, sheet: str) -> list[str] | None:
        """The values that a validation's formula stands for; None where they would have to be calculated."""
        match node:
            case Text(text):
                return [word.strip() for word in text.split(",")]
            case Number(text):
                return [text]
            case Many((Number(text),), ("-",)):
                return [f"-{text}"]
            case Area() | Name():
                found = []
                for place in self._read_by(node, sheet):
                    of = self._book.sheet(place.sheet)
                    if of is None:
                        return None
                    cells = [of.cells[at] for at in sorted(of.cells) if place.holds(*at)]
                    found += [cell.value for cell in cells if cell.value is not None]
                return found
        return None

    def _of_print(self, sheet: Sheet, name: str) -> str:
        defined = self._names.get((sheet.title.casefold(), f"_xlnm.{name}".casefold()))
        return defined.formula if defined else ""


def _name_problems(where: str, name: str) -> Iterator[str]:
    if not re.fullmatch(r"[^\W\d][\w.\\?]*|\\[\w.\\?]*", name) or len(name) > 255 or name.upper() in ("R", "C"):
        yield f"{where}: a name that Excel does not take"
    elif re.fullmatch(r"[Rr]\d*[Cc]\d*", name) or _is_address(name):
        yield f"{where}: reads like the address of a cell"


def _is_address(name: str) -> bool:
    if not re.fullmatch(r"[A-Za-z]{1,3}[0-9]{1,7}", name):
        return False
    try:
        place = area(name)
    except FormulaError:
        return False
    return place.right <= LAST_COLUMN and place.bottom <= LAST_ROW


def _header_problems(sheet: Sheet, table: Table, where: str) -> Iterator[str]:
    try:
        place = area(table.ref)
    except FormulaError as problem:
        yield f"{where}: {problem}"
        return
    if place.right - place.left + 1 != len(table.columns):
        yield f"{where}: {len(table.columns)} columns are named, and the cells have {place.right - place.left + 1}"
    if len({column.casefold() for column in table.columns}) < len(table.columns):
        yield f"{where}: two columns have the same name"
    for number, column in enumerate(table.columns if table.header else ()):
        cell = sheet.cells.get((place.top, place.left + number))
        if cell is None or cell.kind != "s" or cell.formula is not None or cell.value != column:
            held = "nothing" if cell is None else repr(cell.value)
            yield f"{where}: column {column!r} has {held} as its header cell"


def _word(text: str, exact: bool) -> str:
    number = _number(text)
    return text if exact and number is None else text.casefold() if number is None else repr(number)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _within(validation: Validation, cell: Content, bounds: list[float | None]) -> bool:
    """Whether the cell's value keeps the bounds; a bound that is None is not known."""
    text = cell.value or ""
    if validation.kind == "textLength":
        number: float | None = len(text)
    else:
        number = None if cell.kind in ("s", "b") else _number(text)
    if number is None or (validation.kind == "whole" and not number.is_integer()):
        return False
    if any(bound is None for bound in bounds):
        return True
    low, high = bounds[0] or 0.0, bounds[-1] or 0.0
    between = low <= number <= high
    return {
        "between": between,
        "notBetween": not between,
        "equal": number == low,
        "notEqual": number != low,
        "greaterThan": number > low,
        "greaterThanOrEqual": number >= low,
        "lessThan": number < low,
        "lessThanOrEqual": number <= low,
    }[validation.operator]
