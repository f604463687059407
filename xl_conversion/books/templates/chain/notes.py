"""The notes: principal and accrued interest of each holder."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.inputs import BASIS
from xl_conversion.books.templates.chain.looks import amber
from xl_conversion.books.templates.chain.words import Origin
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import AMOUNT, CHECK, OK, Model, above_zero, one_of, zero_or_above
from xl_conversion.books.templates.tables import Column, write_table

PURPOSE = "Principal and accrued interest that convert, by holder"
WIDTHS = (32, 18, 18, 20, 11, 14, 48, 48)
TABLE = "in_notes"
HOLDER, PRINCIPAL, INTEREST, SOURCE, NOTE = "Holder", "Principal", "Accrued interest", "Source", "Note"
RULE = (
    "A row is what is rounded alone: add up the notes of a holder, or give each note its row, as the agreement "
    "says. Accrued interest counts where it converts with the principal. Amounts are money, to the cent where it "
    "matters: the cents decide what rounding by holder costs."
)


def write_notes(model: Model, page: Page, holders: int) -> None:
    """The table with room for `holders`, and the totals."""
    columns = [
        Column(HOLDER, "HOLDER"),
        Column(PRINCIPAL, "PRINCIPAL", AMOUNT, align="right", rule=above_zero(PRINCIPAL)),
        Column(INTEREST, "INTEREST", AMOUNT, align="right", rule=zero_or_above(INTEREST)),
        Column("Amount converted", "AMOUNT", AMOUNT, align="right", formula=_amount),
        Column("Complete", "COMPLETE", align="center", formula=_complete),
        Column(BASIS, "BASIS", rule=one_of(BASIS, model.places["ORIGINS"], model.texts("ORIGINS"))),
        Column(SOURCE, "SOURCE"),
        Column(NOTE, "NOTE"),
    ]
    illustrated = page.row
    page.row += 2
    first, last = write_table(model, page, TABLE, "NOTE", columns, holders)
    page.mark(f"E{first}:E{last}", OK, CHECK)
    row = page.row
    for column, text in zip("AEFGH", ("All holders", "", "", "", ""), strict=True):
        page.text(f"{column}{row}", text, "result")
    for column, of, name in (
        ("B", "PRINCIPAL", "out_principal"),
        ("C", "INTEREST", "out_interest"),
        ("D", "AMOUNT", "out_amount"),
    ):
        model.formula(
            page, f"{column}{row}", f"SUM(NOTE_{of})", AMOUNT, symbol=f"ALL_{of}", look="result", name=name
        )
    page.row += 2
    wide(page, ("A", "H"), WIDTHS, RULE)
    page.row += 1
    _illustrated(model, page, illustrated)


def _illustrated(model: Model, page: Page, row: int) -> None:
    """The line above the table that says how many rows are invented; its symbol is ``NOTES_INVENTED``."""
    count = f'COUNTIFS(NOTE_BASIS, ORIGINS_{Origin.ILLUSTRATION}, NOTE_COMPLETE, "{OK}")'
    some = f'{count}&" of "&COUNT(NOTE_AMOUNT)&" rows "&IF({count}=ONE, "is an illustration", "are illustrations")'
    text = f'IF({count}=ZERO, "no row is an illustration", {some}&": invented, in no document")'
    model.formula(
        page,
        f"A{row}",
        f'IF(COUNT(NOTE_AMOUNT)=ZERO, "", {text})',
        symbol="NOTES_INVENTED",
        align="left",
    )
    page.sheet.merge_cells(f"A{row}:D{row}")
    amber(page, f"A{row}", f'ISNUMBER(FIND("invented",A{row}))')


def _amount(number: int) -> str:
    return f'IF(ISNUMBER(NOTE{number}_PRINCIPAL), NOTE{number}_PRINCIPAL+N(NOTE{number}_INTEREST), "")'


def _complete(number: int) -> str:
    name, principal, interest = (f"NOTE{number}_{column}" for column in ("HOLDER", "PRINCIPAL", "INTEREST"))
    sound = f"AND(ISTEXT({name}), N({principal})>ZERO, N({interest})>=ZERO, COUNT({interest})=COUNTA({interest}))"
    return f'IF(COUNTA({name}, {principal}, {interest})>ZERO, IF({sound}, "{OK}", "{CHECK}"), "")'
