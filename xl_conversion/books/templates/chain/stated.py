"""The figures as stated, typed as written: their decimals say how exact they are."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.looks import SHARES_UNROUNDED, whole_as_whole
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import AMOUNT, COMMON, MONEY, PREFERRED, SHARES, WHOLE, Model
from xl_conversion.books.templates.sheets.input_lines import HEADER, InputLines

PURPOSE = "What the document says, as it is written"
WIDTHS = (8, 40, 24, 22, 10, 60, 20, 11)
UNREAD = "no number"
FIGURES = (
    ("PRINCIPAL", "Principal and interest that convert", "in_stated_principal", MONEY),
    ("PREFERRED", "Shares of preferred", "in_stated_preferred", PREFERRED),
    ("COMMON", "Shares of common", "in_stated_common", COMMON),
)
FORMATS = {"PRINCIPAL": AMOUNT, "PREFERRED": SHARES_UNROUNDED, "COMMON": SHARES}
RULE = (
    "Type each figure with its commas and all its decimals; leave blank what is not stated. The number is read "
    "out of the text, with a point before the decimals whatever the language of the host."
)


def write_stated(model: Model, page: Page) -> None:
    """A line a figure, the number in it and the decimals written; the numbers have the symbols ``STATED_...``."""
    lines = InputLines(model, page)
    header = [*HEADER, "Number", "Decimals written"]
    header[1], header[2] = "Stated figure", "As written"
    page.header(header, numeric="CGH", freeze=True)
    for figure, label, name, unit in FIGURES:
        row, written = page.row, f"WRITTEN_{figure}"
        lines.text(written, label, name, unit=unit)
        text = bare(figure)
        number = f'IFERROR(NUMBERVALUE({text}, ".", ","), "{UNREAD}")'
        model.formula(
            page,
            f"G{row}",
            f'IF({text}="", "", {number})',
            FORMATS[figure],
            symbol=f"STATED_{figure}",
            align="right",
        )
        if FORMATS[figure] == SHARES_UNROUNDED:
            whole_as_whole(page, f"G{row}")
        decimals = f'IFERROR(LEN({text})-FIND(".", {text}), ZERO)'
        model.formula(
            page,
            f"H{row}",
            f'IF(ISNUMBER(STATED_{figure}), {decimals}, "")',
            WHOLE,
            symbol=f"DECIMALS_{figure}",
            align="right",
        )
    page.row += 1
    wide(page, ("B", "F"), WIDTHS[1:6], RULE)
    page.row += 1


def bare(figure: str) -> str:
    """What is written as a figure without its currency, as an expression in symbols.

    >>> bare("COMMON")
    'SUBSTITUTE(SUBSTITUTE(TRIM(WRITTEN_COMMON), "US", ""), "$", "")'
    """
    return f'SUBSTITUTE(SUBSTITUTE(TRIM(WRITTEN_{figure}), "US", ""), "$", "")'


def unread() -> str:
    """The condition that something typed as a figure is none, as an expression in symbols."""
    conditions = (f'STATED_{figure}="{UNREAD}"' for figure, *_ in FIGURES)
    return f"OR({', '.join(conditions)})"
