"""The register: who holds how many shares of the preferred, certificate by certificate."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.lines import wide
from xl_conversion.books.templates.model import CHECK, OK, SHARES, Model, above_zero
from xl_conversion.books.templates.tables import Column, write_table

PURPOSE = "Who holds the preferred: a row for each certificate"
WIDTHS = (36, 18, 18, 46, 12, 42)
ROWS = 24
TABLE, PREFIX = "in_holders", "H"
RULE = (
    "Each row needs its holder and its shares. Rows of the same holder need not follow one another; letter case "
    "and spaces at the ends make no other holder."
)
# Wherever a name is looked for, a host takes these for patterns.
_PATTERNS = {"~": "(tilde)", "*": "(star)", "?": "(question mark)"}


def write_register(model: Model, page: Page, rows: int = ROWS) -> None:
    """The table with room for `rows`, and its total."""
    columns = (
        Column("Holder", "HOLDER"),
        Column("Certificate", "CERTIFICATE"),
        Column("Shares", "SHARES", SHARES, "right", above_zero("Shares")),
        Column("Note", "NOTE"),
        Column("Complete", "COMPLETE", "General", "center", formula=_complete),
        Column("Holder, as compared", "KEY", "General", formula=_key, look="muted"),
    )
    first, last = write_table(model, page, TABLE, PREFIX, columns, rows)
    page.mark(f"E{first}:E{last}", OK, CHECK)
    for column, text in zip("ABDEF", ("All preferred of the register", "", "", "", ""), strict=True):
        page.text(f"{column}{page.row}", text, "result")
    model.formula(
        page,
        f"C{page.row}",
        f"SUM({PREFIX}_SHARES)",
        SHARES,
        symbol="REGISTERED",
        look="result",
        name="out_register_shares",
    )
    page.row += 2
    wide(page, ("A", "F"), WIDTHS, RULE)
    page.row += 1


def _complete(row: int) -> str:
    holder, certificate, shares = (f"{PREFIX}{row}_{symbol}" for symbol in ("HOLDER", "CERTIFICATE", "SHARES"))
    there = f"AND(NOT(ISBLANK({holder})), ISNUMBER({shares}), N({shares})>ZERO)"
    return f'IF(COUNTA({holder}, {certificate}, {shares})=ZERO, "", IF({there}, "{OK}", "{CHECK}"))'


def _key(row: int) -> str:
    """The holder, such that a host that looks for it takes it for a text and for nothing else: no number, date,
    comparison or pattern."""
    holder = f"{PREFIX}{row}_HOLDER"
    name = f"TRIM({holder})"
    for sign, words in _PATTERNS.items():
        name = f'SUBSTITUTE({name}, "{sign}", "{words}")'
    return f'IF(ISBLANK({holder}), "", "holder "&{name})'
