"""One row in the columns of the securities table of the model "Conversion price model"."""

from __future__ import annotations

from xl_conversion.books.page import Page
from xl_conversion.books.templates.chain.looks import amber, whole_as_whole
from xl_conversion.books.templates.chain.words import FeedPaid, FeedShares
from xl_conversion.books.templates.lines import when_ready, wide
from xl_conversion.books.templates.model import AMOUNT, APART, PRICE, SHARES, Model
from xl_conversion.core.issuance import SecurityKind

PURPOSE = 'The row for the securities table of the "Conversion price model"'
WIDTHS = (32, 19, 18, 16, 18, 34, 40)
HEADER = ("Security", "Kind", "Shares", "Consideration per share", "Consideration in all", "Source", "Note")
RULE = (
    "xl-conversion refresh MODEL.xlsx --from this workbook puts the row into the table there; or copy it and "
    "paste it as values. Shares and consideration are chosen on Inputs; one of the two columns of consideration "
    "stays empty."
)


BOLD = 0.9
"""Of a column's width, for bold text."""


def write_feed(model: Model, page: Page) -> None:
    """The row with its header, which together have a name, and what the row amounts to."""
    top = page.row
    page.header(HEADER, numeric="CDE", freeze=True)
    row = page.row
    stated = f"FEED_SHARES=FEEDS_{FeedShares.STATED}"
    per_share = f"FEED_PAID=PAID_{FeedPaid.PER_SHARE}"
    note = (
        f'IF({stated}, "Shares as stated; the chain gives "&FIXED(RESULT_COMMON, ZERO)&" by the route "&ROUTE&"."'
        ', "Shares by the route "&ROUTE&".")'
    )
    for column, formula, number_format, symbol, align in (
        ("A", "AGREEMENT", "General", "SECURITY", "left"),
        ("B", f"KINDS_{SecurityKind.CONVERTIBLE_NOTE}", "General", "KIND", "left"),
        ("C", f"IF({stated}, STATED_COMMON, RESULT_COMMON)", SHARES, "SHARES_OUT", "right"),
        ("D", f'IF({per_share}, PC, "")', PRICE, "EACH", "right"),
        ("E", f'IF({per_share}, "", NA)', AMOUNT, "IN_ALL", "right"),
        ("F", f'IF({stated}, NOTICE&"", "Conversion chain model")', "General", "SOURCE", "left"),
        ("G", note, "General", "NOTE", "left"),
    ):
        model.formula(
            page,
            f"{column}{row}",
            when_ready(formula),
            number_format,
            symbol=f"FEED_{symbol}",
            look="result",
            align=align,
        )
    texts = zip(("SECURITY", "SOURCE", "NOTE"), (WIDTHS[0], WIDTHS[5], WIDTHS[6]), strict=True)
    page.height([(str(model.value(f"FEED_{symbol}")), BOLD * width) for symbol, width in texts])
    model.book.name("out_securities", f"{page.address(f'A{top}')}:$G${row}")
    page.row += 2
    for label, formula, number_format, symbol in (
        (
            "Consideration that the row comes to",
            "IF(ISNUMBER(FEED_EACH), FEED_SHARES_OUT*FEED_EACH, FEED_IN_ALL)",
            AMOUNT,
            "PAID_OUT",
        ),
        ("That less the amount converted", "FEED_PAID_OUT-NA", APART, "PAID_LESS"),
        ("Shares handed on less those of the route", "FEED_SHARES_OUT-RESULT_COMMON", APART, "SHARES_LESS"),
    ):
        page.text(f"A{page.row}", label, "label")
        page.text(f"B{page.row}", "shares of common" if symbol == "SHARES_LESS" else "money", "muted")
        model.formula(
            page,
            f"C{page.row}",
            when_ready(formula),
            number_format,
            symbol=f"FEED_{symbol}",
            align="right",
        )
        if number_format == APART:
            whole_as_whole(page, f"C{page.row}")
        page.height([(label, BOLD * WIDTHS[0])])
        page.row += 1
    _warning(model, page)
    page.row += 1
    wide(page, ("A", "G"), WIDTHS, RULE)
    page.row += 1


def _warning(model: Model, page: Page) -> None:
    """Whether what is handed on is what the chain gives, and whether the notes are those of the document."""
    differs = (
        'IF(ABS(FEED_SHARES_LESS)<=TOLERANCE_AMOUNT, "The shares handed on are those that the chain gives.", '
        '"The chain gives "&FIXED(RESULT_COMMON, ZERO)&"; the figure stated, "&FIXED(FEED_SHARES_OUT, ZERO)&'
        '", is handed on.")'
    )
    others = (
        'IF(ISNUMBER(STATED_PRINCIPAL), IF(ROUND(NA, DECIMALS_PRINCIPAL)=STATED_PRINCIPAL, "", '
        '" Notes come to "&FIXED(NA, DECIMALS_PRINCIPAL)&", the amount stated is "'
        '&FIXED(STATED_PRINCIPAL, DECIMALS_PRINCIPAL)&"."), "")'
    )
    row = page.row
    model.formula(page, f"A{row}", when_ready(f"{differs}&{others}"), symbol="FEED_WARNING", align="left")
    page.sheet.merge_cells(f"A{row}:G{row}")
    amber(page, f"A{row}", f'OR(ISNUMBER(FIND("The chain gives",A{row})),ISNUMBER(FIND("Notes come to",A{row})))')
    page.row += 1
