"""The table that the calculating sheets share: a line a figure, worksheet function beside native formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xl_conversion.books.page import Look, Page
from xl_conversion.books.templates.model import READY, Model

WIDTHS = (9, 43, 31, 19, 19, 13, 11, 12, 21, 27)
HEADER = (
    "Symbol",
    "Figure",
    "Formula",
    "Worksheet function",
    "Native formula",
    "Difference",
    "Tolerance",
    "Check",
    "Unit",
)
NUMERIC, CENTRED = "DEFG", "H"
FUNCTION, NATIVE, CHECKED = "D", "E", "FGH"
MUTED = 10 / 9
"""Muted text is that much smaller, so that more of it fits."""
FUNCTION_OF = "{}_BY_FUNCTION"
CLAUSE = "CLAUSE"
"""In the last column it stands for the clause that Inputs name."""


@dataclass
class Lines:
    """Writes the lines of one sheet; `last` heads the last column, a clause or a source."""

    model: Model
    page: Page
    last: str

    def header(self, *, freeze: bool = False) -> None:
        """The table's header row."""
        self.page.header([*HEADER, self.last], numeric=NUMERIC, centred=CENTRED, freeze=freeze)

    def figure(
        self,
        symbol: str,
        label: str,
        formula: str,
        native: str,
        number_format: str,
        unit: str,
        last: str,
        *,
        function: str = "",
        tolerance: str = "TOLERANCE",
        result: bool = False,
        name: str = "",
    ) -> None:
        """A figure by its `native` formula and, where there is one, by its worksheet `function`, checked.

        The native one has the `symbol`, the other one the symbol that `by_function` gives. Both are blank until
        the inputs are there.
        """
        native, function = when_ready(native), when_ready(function) if function else ""
        look: Look = "result" if result else "plain"
        row = self._words(symbol, label, formula, unit, last)
        self.model.formula(
            self.page, f"{NATIVE}{row}", native, number_format, symbol=symbol, look=look, align="right", name=name
        )
        if function:
            by_function = FUNCTION_OF.format(symbol)
            self.model.formula(
                self.page, f"{FUNCTION}{row}", function, number_format, symbol=by_function, look=look
            )
            self.model.check(
                self.page,
                CHECKED,
                f"{symbol}: {label}",
                symbol,
                by_function,
                tolerance,
                number_format,
                symbol=symbol,
            )
        else:
            self._empty(f"{FUNCTION}{CHECKED}")
        self.page.row += 1

    def given(self, symbol: str, label: str, unit: str, last: str) -> int:
        """The line of an input, whose cell the caller fills; its row."""
        row = self._words(symbol, label, "input", unit, last)
        self._empty(f"{FUNCTION}{CHECKED}")
        self.page.row += 1
        return row

    def _words(self, symbol: str, label: str, formula: str, unit: str, last: str) -> int:
        row = self.page.row
        self.page.text(f"A{row}", symbol, "symbol")
        self.page.text(f"B{row}", label)
        self.page.text(f"C{row}", formula, "muted")
        self.page.text(f"I{row}", unit, "muted")
        words = last
        if last == CLAUSE:
            self.model.formula(self.page, f"J{row}", f'{CLAUSE}&""', look="muted")
            words = self.model.texts(CLAUSE)
        else:
            self.page.text(f"J{row}", last, "muted")
        self.page.height([(label, WIDTHS[1]), (formula, MUTED * WIDTHS[2]), (words, MUTED * WIDTHS[9])])
        return row

    def _empty(self, columns: str) -> None:
        for column in columns:
            self.page.text(f"{column}{self.page.row}", "")


def when_ready(expression: str) -> str:
    """An expression that is blank until every input that a result needs is there.

    >>> when_ready("X+Y")
    'IF(READY, X+Y, "")'
    """
    return f'IF({READY}, {expression}, "")'


def by_function(symbol: str) -> str:
    """The symbol of the cell in which the worksheet function gives the figure."""
    return FUNCTION_OF.format(symbol)


def wide(
    page: Page, columns: tuple[str, str], widths: Sequence[float], text: str, *beside: tuple[str, float]
) -> None:
    """A text across several columns, with the row as high as it and the texts `beside` it need."""
    first, last = columns
    page.text(f"{first}{page.row}", text, "muted")
    page.sheet.merge_cells(f"{first}{page.row}:{last}{page.row}")
    page.height([(text, MUTED * sum(widths)), *beside])


def iso_day(symbol: str) -> str:
    """A day as text. Not by TEXT alone, whose letters for year, month and day differ with the language of the
    host."""
    return f'YEAR({symbol})&"-"&TEXT(MONTH({symbol}), "00")&"-"&TEXT(DAY({symbol}), "00")'
