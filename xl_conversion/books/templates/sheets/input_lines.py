"""The lines of an input sheet: one input each, with its unit, rule and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import DAY, TEXT, Page
from xl_conversion.books.templates.lines import MUTED
from xl_conversion.books.templates.model import READY, WHOLE, Model, above_zero, one_of, whole, zero_or_above
from xl_conversion.core.rounding import MAX_DECIMALS

WIDTHS = (7, 44, 30, 19, 34, 58)
HEADER = ("Symbol", "Input", "Value", "Unit", "Rule", "Source")
MISSING = "MISSING"


@dataclass
class InputLines:
    """Writes an input sheet."""

    model: Model
    page: Page
    _required: dict[str, str] = field(default_factory=dict)
    """Symbols of inputs without which there is no result, with their labels."""
    _status_row: int = 0

    def start(self) -> None:
        """Room for what is missing, and the header row."""
        self._status_row = self.page.row
        self.page.row += 3
        self.page.header(HEADER, numeric="C", freeze=True)

    def finish(self, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Counts and names the required inputs that are blank, and what is missing of other sheets: of `more`, in
        words, where the condition holds. From here on READY is known."""
        end, self.page.row = self.page.row, self._status_row
        blank = "+".join(
            [*(f"N(ISBLANK({symbol}))" for symbol in self._required), *(f"N({m})" for m in more.values())]
        )
        which = "&".join(f'IF(ISBLANK({symbol}), "{label}; ", "")' for symbol, label in self._required.items())
        for label, formula, number_format, symbol, name in (
            ("Required inputs that are still missing", blank, WHOLE, MISSING, "out_inputs_missing"),
            ("Every input that a result needs is there", f"{MISSING}=ZERO", "General", READY, "out_ready"),
        ):
            for column in "AB":
                self.page.text(f"{column}{self.page.row}", label if column == "B" else "", "label")
            self.model.formula(
                self.page,
                f"C{self.page.row}",
                formula,
                number_format,
                symbol=symbol,
                look="result",
                align="right",
                name=name,
            )
            if symbol == MISSING:
                more_of = "&".join(f'IF({condition}, "{words}; ", "")' for words, condition in more.items())
                missing = f"{which}&{more_of}" if more else which
                self.model.formula(self.page, f"D{self.page.row}", missing, look="muted", align="left")
                self.page.sheet.merge_cells(f"D{self.page.row}:F{self.page.row}")
            self.page.row += 1
        self.page.row = end

    def text(self, symbol: str, label: str, name: str, *, unit: str = "text", required: bool = False) -> None:
        """A text."""
        self._line(symbol, label, name, TEXT, unit, None, required=required)

    def day(self, symbol: str, label: str, name: str, *, required: bool = False) -> None:
        """A date."""
        self._line(symbol, label, name, DAY, "date", None, required=required)

    def number(
        self,
        symbol: str,
        label: str,
        name: str,
        number_format: str,
        unit: str,
        *,
        positive: bool = True,
        shown: str = "",
        required: bool = False,
    ) -> None:
        """A number above 0, or from 0 where it need not be `positive`."""
        rule = above_zero(label) if positive else zero_or_above(label)
        self._line(symbol, label, name, number_format, unit, rule, shown=shown, required=required)

    def constant(self, symbol: str, label: str, name: str, number_format: str, unit: str) -> None:
        """A number that formulas use and nobody overwrites."""
        page, row, given = self.page, self.page.row, self.model.filling.given(name)
        for column, text, look in (("A", "", "symbol"), ("B", label, "plain"), ("D", unit, "muted")):
            page.text(f"{column}{row}", text, look)  # type: ignore[arg-type]
        page.text(f"E{row}", "", "muted")
        page.text(f"F{row}", given.source, "muted")
        if isinstance(given.value, Fraction):
            self.model.number(page, f"C{row}", symbol, given.value, number_format, look="plain", name=name)
        page.row += 1

    def decimals(self, symbol: str, label: str, name: str) -> None:
        """A number of decimals."""
        self._line(symbol, label, name, WHOLE, "digits", whole(label, 0, MAX_DECIMALS), required=True)

    def choice(self, symbol: str, label: str, name: str, names: str, unit: str) -> None:
        """A word out of the range `names`."""
        rule = one_of(label, self.model.places[names], self.model.texts(names))
        self._line(symbol, label, name, TEXT, unit, rule, required=True)

    def _line(
        self,
        symbol: str,
        label: str,
        name: str,
        number_format: str,
        unit: str,
        rule: DataValidation | None,
        *,
        shown: str = "",
        required: bool = False,
    ) -> None:
        page, row, given = self.page, self.page.row, self.model.filling.given(name)
        words = (rule.error or "").removeprefix(f"{label}: it must be ").rstrip(".") if rule else ""
        if required:
            words = f"needed; {words}" if words else "needed"
        page.text(f"A{row}", shown, "symbol")
        page.text(f"B{row}", label)
        page.text(f"D{row}", unit, "muted")
        page.text(f"E{row}", words, "muted")
        page.text(f"F{row}", given.source, "input")  # overwritten with its figure
        self.model.slot(page, f"C{row}", name, symbol, number_format)
        if rule is not None:
            self.model.validate(page, f"C{row}", rule)
        if required:
            self._required[symbol] = label
        page.height(
            [
                (label, WIDTHS[1]),
                (given.value if isinstance(given.value, str) else "", WIDTHS[2] - 1),
                (words, MUTED * WIDTHS[4]),
                (given.source, WIDTHS[5]),
            ]
        )
        page.row += 1
