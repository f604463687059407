"""The template "Conversion price model": one adjustment in the life of a series, by worksheet functions and by
native formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import as_file, files

from xl_conversion import __version__
from xl_conversion.books.page import Book, Page
from xl_conversion.books.saving import workbook_bytes
from xl_conversion.books.templates import house, words
from xl_conversion.books.templates.filling import Filling
from xl_conversion.books.templates.lines import WIDTHS, iso_day
from xl_conversion.books.templates.model import AMOUNT, CHECK, SHARES, SHARES_UNROUNDED, UNROUNDED, WHOLE, Model
from xl_conversion.books.templates.price_filling import price_filling
from xl_conversion.books.templates.sheets import (
    about,
    calculation,
    capitalization,
    change_log,
    checks,
    events,
    history,
    holders,
    input_lines,
    inputs,
    notice,
    register,
    result,
    securities,
    sensitivity,
    stated,
)
from xl_conversion.books.templates.sheets import rounding as rounding_sheet
from xl_conversion.books.templates.sheets import tie_out as tie_out_sheet
from xl_conversion.core.tie_out import Result
from xl_conversion.inputs.reading import read_companies

TITLE = "Conversion price model"
NEVER = date(1980, 1, 1)
"""What the file of a blank model is dated: as zip archives are, from the first day that they know."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows there is room for."""

    holders: int = 24
    earlier: int = 12
    later: int = 6


INPUT_SHEETS = ("Inputs", "Capitalization", "Securities issued", "Events", "Register", "Stated")
SHEETS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "Inputs": (inputs.PURPOSE, input_lines.WIDTHS),
    "Capitalization": (capitalization.PURPOSE, capitalization.WIDTHS),
    "Securities issued": (securities.PURPOSE, securities.WIDTHS),
    "Events": (events.PURPOSE, events.WIDTHS),
    "Register": (register.PURPOSE, register.WIDTHS),
    "Stated": (stated.PURPOSE, stated.WIDTHS),
    "Calculation": (calculation.PURPOSE, WIDTHS),
    "Result": (result.PURPOSE, result.WIDTHS),
    "Holders": (holders.PURPOSE, holders.WIDTHS),
    "Sensitivity": (sensitivity.PURPOSE, sensitivity.WIDTHS),
    "Price history": (history.PURPOSE, history.WIDTHS),
    "Notice": (notice.PURPOSE, notice.WIDTHS),
    "Tie-out": (tie_out_sheet.PURPOSE, tie_out_sheet.WIDTHS),
    "Rounding": (rounding_sheet.PURPOSE, rounding_sheet.WIDTHS),
    "Checks": (checks.PURPOSE, checks.WIDTHS),
    "Change log": (change_log.PURPOSE, change_log.WIDTHS),
}
PORTRAIT = ("About", "Notice")
ONE_PAGE = ("Capitalization", "Calculation", "Result", "Sensitivity", "Notice", "Stated", "Tie-out")
"""Sheets that are printed on one page."""
REPEATED = 8
"""Rows that are repeated on each printed page at most, with the header as the last one."""
DIGITS = ("PRICE_DECIMALS", "RATIO_DECIMALS", "CASH_DECIMALS")
CHOICES = {
    "METHOD": "METHODS",
    "PRICE_TYPE": "TYPES",
    "RATIO_TYPE": "TYPES",
    "SHARE_TYPE": "TYPES",
    "CASH_TYPE": "TYPES",
    "CARRIED": "BASES",
    "BASIS": "BASES",
    "COUNTED": "COUNTS_AFTER",
    "SHARES_PER": "PER",
}
"""Inputs that are words, and the lists of these."""
WHAT = (
    "A model of one adjustment of the conversion price of convertible preferred stock, in the life of its series. "
    "Each figure is computed twice: by a worksheet function (CP_...), exact and rounded once, and by native "
    "formulas, which need no add-in. Stated figures are tied out. Figures of conversion chains, from notes to "
    "preferred to common, come from the conversion chain model."
)
USE = (
    "Overwrite the blue cells on Inputs, Capitalization, Securities issued, Events, Register and Stated; nothing "
    "else is typed in. The sheets are protected without a password.",
    "Read the results on Result, and on Calculation each figure with its formula and its clause.",
    "See on Tie-out which stated figures tie and which are exceptions; nothing is corrected.",
    "See in the corner of each sheet whether the formulas agree and how many stated figures do not tie.",
    "Print Notice, the notice to holders, when the checks are OK and counsel has read it.",
    "xl-conversion refresh puts new inputs in and leaves everything that you have added as it is.",
    "Worksheet functions need the add-in. Without it they show #NAME? and the checks NO ADD-IN; the native "
    "formulas, the results and the tie-out work all the same.",
)
WORDS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("Rounding types", "TYPES", words.TYPES),
    ("Prices", "BASES", words.BASES),
    ("Methods", "METHODS", words.METHODS),
    ("Counts after", "COUNTS_AFTER", words.COUNTS_AFTER),
    ("Counted as", "COUNTED_AS", words.COUNTED_AS),
    ("Kinds of class", "CLASS_KINDS", words.CLASS_KINDS),
    ("Kinds of security", "KINDS", words.KINDS),
    ("Whole shares for", "PER", words.PER),
    ("Stated items", "ITEMS", {item.value: text for item, text in stated.ITEMS.items()}),
)

FIGURES = "OIP, START, MARKET, NOTICE_PRICE, NOTICE_RATIO, SENS_SIZE, SENS_SIZE_STEP, SENS_PRICE, SENS_PRICE_STEP"


def price_model(filling: Filling | None = None, room: Room | None = None) -> Book:
    """The model with what `filling` has in its input cells; without one, of the notice that is shipped.

    Raises ValueError for a filling that there is no room for.
    """
    filling = shipped_filling() if filling is None else filling
    room = room or Room()
    as_of = filling.given("in_as_of").value
    company, series = (filling.given(name).value or "" for name in ("in_company", "in_series"))
    title = f"{company}, {series}" if company else TITLE
    book = Book(title, as_of if isinstance(as_of, date) else NEVER, filling.digest, overwritten=True)
    book.workbook.properties.title = TITLE
    book.workbook.properties.creator = "xl_conversion"
    model = Model(book, filling)
    first = book.page("About", about.PURPOSE, about.WIDTHS, landscape=False)
    pages = {
        name: book.page(name, purpose, widths, landscape=name not in PORTRAIT)
        for name, (purpose, widths) in SHEETS.items()
    }
    for page in book.pages:
        page.sheet.page_setup.fitToHeight = int(page.sheet.title in ONE_PAGE)
    _write(model, first, pages, room)
    house.close(book)
    return book


def price_model_bytes(filling: Filling | None = None, room: Room | None = None) -> bytes:
    """The .xlsx of :func:`price_model`: the same bytes for the same filling."""
    book = price_model(filling, room)
    return workbook_bytes(book.workbook, book.cached, as_of=book.as_of)


@cache
def shipped_filling() -> Filling:
    """The notice of 5 February 2002 that the package carries."""
    with as_file(files("xl_conversion.examples") / "vsource") as folder:
        (company,) = read_companies(folder)
    return price_filling(company, "Series 2-A Convertible Preferred")


def _write(model: Model, first: Page, pages: Mapping[str, Page], room: Room) -> None:
    """Every sheet, in an order in which what a formula reads is there already."""
    said = about.About(WHAT, USE, WORDS, sources(model.filling))
    about.write_about(model, first, said, {name: purpose for name, (purpose, _) in SHEETS.items()})
    lines = inputs.write_inputs(model, pages["Inputs"])
    capitalization.write_capitalization(model, pages["Capitalization"])
    securities.write_securities(model, pages["Securities issued"])
    events.write_events(model, pages["Events"], room.earlier, room.later)
    register.write_register(model, pages["Register"], room.holders)
    stated.write_stated(model, pages["Stated"])
    change_log.write_change_log(model, pages["Change log"])
    own = "COUNTED=COUNTS_AFTER_own_counts"
    weighed = "METHOD<>METHODS_full_ratchet"
    lines.finish(
        {
            "common outstanding before, on Capitalization": f"AND({weighed}, SUM_A<=ZERO)",
            "common outstanding after, on Capitalization": f"AND({weighed}, {own}, SUM_X<=ZERO)",
            "shares of a security, on Securities issued": "LISTED<=ZERO",
        }
    )

    roundings = rounding_sheet.Roundings(model, pages["Rounding"])
    roundings.header()
    past = history.History(model, pages["Price history"], room.earlier, room.later)
    past.write_earlier()
    calculation.write_calculation(model, pages["Calculation"], roundings)
    past.write_rest()
    holders.write_holders(model, pages["Holders"], room.holders)
    sensitivity.write_sensitivity(model, pages["Sensitivity"])
    tie_out_sheet.TieOut(model, pages["Tie-out"], roundings).write()
    master = checks.write_checks(model, pages["Checks"], _totals(model))
    result.write_result(model, pages["Result"])
    notice.write_notice(model, pages["Notice"])
    for page in model.book.pages:
        subtitle = f'IF(COMPANY="", "{page.purpose}", COMPANY&", "&SERIES&". {page.purpose}")'
        day = 'IF(ISNUMBER(AS_OF), IFERROR("As of "&{}&". ", ""), "")'.format(iso_day("AS_OF"))
        model.heading(page, subtitle, f'{day}&"xl_conversion {__version__}."')
        _repeat(page)
    exceptions = model.value("EXCEPTIONS")
    model.book.show_status(
        model.places[master].address(),
        model.texts(master),
        model.places["EXCEPTIONS"].address(),
        int(exceptions) if isinstance(exceptions, float) else 0,
    )


def _repeat(page: Page) -> None:
    """Of a sheet that is printed on several pages each says what it is: the title is repeated with the header."""
    first, _, last = (page.sheet.print_title_rows or "").replace("$", "").rpartition(":")
    if first and int(last) <= REPEATED:
        page.sheet.print_title_rows = f"1:{last}"


def sources(filling: Filling) -> list[str]:
    """The documents behind the figures, each once."""
    given = [filling.given(name).source for name in ("in_company", "in_event", "in_notice")]
    given += [
        str(row[column])
        for rows in filling.tables.values()
        for row in rows
        for column in ("Source", "Other document")
        if row.get(column)
    ]
    parts = [part.strip() for text in given for part in text.split(";")]
    named = [part for part in parts if part and part[0].isupper()]
    return list(dict.fromkeys(named))


def _totals(model: Model) -> list[checks.Total]:
    """Checks of inputs and totals that no line of a sheet makes."""
    return [*_of_inputs(model), *_of_figures(), *_of_tie_out()]


def _of_inputs(model: Model) -> list[checks.Total]:
    """Inputs that can be, and tables that are complete."""
    incomplete = f'COUNTIF({{}}, "{CHECK}")'.format
    found = [
        checks.holds("Inputs: prices are above 0", "Inputs", "MIN(OIP, START, CP1)>ZERO", "inputs_prices"),
        checks.holds(
            "Inputs: the date of the event is a date",
            "Inputs",
            "AND(ISNUMBER(EVENT_DATE), EVENT_DATE>ZERO)",
            "inputs_event_date",
        ),
        checks.holds(
            "Inputs: As of is blank or not before the event",
            "Inputs",
            "IF(ISBLANK(AS_OF), TRUE(), AND(ISNUMBER(AS_OF), AS_OF>=EVENT_DATE))",
            "inputs_as_of",
        ),
        checks.Total(
            "Inputs: decimals that are whole numbers from 0",
            "Inputs",
            "+".join(f"ROWS({symbol})" for symbol in DIGITS),
            "+".join(
                f"N(IF(ISNUMBER({symbol}), AND({symbol}=INT({symbol}), {symbol}>=ZERO), FALSE()))"
                for symbol in DIGITS
            ),
            key="inputs_decimals",
        ),
        checks.Total(
            "Inputs: choices that are words of their lists",
            "Inputs",
            "+".join(f"ROWS({symbol})" for symbol in CHOICES),
            "+".join(checks.is_word(symbol, names) for symbol, names in CHOICES.items()),
            key="inputs_choices",
        ),
        checks.holds(
            "Inputs: prices and sizes are numbers above 0, where they are given",
            "Inputs",
            f"AND(COUNT({FIGURES})=COUNTA({FIGURES}), MIN({FIGURES})>ZERO)",
            "inputs_figures",
        ),
        checks.holds(
            "Inputs: constants are what they are called, tolerances are small",
            "Inputs",
            'AND(ZERO=N(FALSE), ONE=N(TRUE), TEN=LEN("0123456789"), HALF+HALF=ONE, INT(GUARD)=GUARD, GUARD>=ZERO, '
            "TOLERANCE>=ZERO, TOLERANCE*TEN^GUARD<=ONE, TOLERANCE_AMOUNT>=ZERO, TOLERANCE_AMOUNT*TEN*TEN<=ONE)",
            "inputs_constants",
        ),
        checks.holds(
            "Capitalization: A and X are above 0, C and Y not below",
            "Capitalization",
            "AND(OR(A>ZERO, METHOD=METHODS_full_ratchet), X>ZERO, C>=ZERO, Y>=ZERO)",
            "capitalization_counts",
        ),
        checks.holds(
            "Calculation: more common after than before, X + Y > A + C",
            "Calculation",
            "X+Y>A+C",
            "calculation_increase",
        ),
        checks.holds(
            "Calculation: the price is not above the one before",
            "Calculation",
            "AND(CP2<=CP1, CP2r<=CP0)",
            "calculation_not_above",
        ),
        *(
            checks.Total(
                f"{sheet}: rows that are not complete", sheet, "ZERO", rows, key=f"{sheet.split()[0].lower()}_rows"
            )
            for sheet, rows in (
                ("Capitalization", incomplete("Q_COMPLETE")),
                ("Securities issued", incomplete("S_COMPLETE")),
                ("Events", f"{incomplete('E_COMPLETE')}+{incomplete('L_COMPLETE')}"),
            )
        ),
    ]
    for table, label, unit, key in (
        ("Q_KIND", "Capitalization: the kind of each class is one of its list", "CLASS_KINDS", "kinds_of_classes"),
        ("S_KIND", "Securities issued: the kind of each is one of its list", "KINDS", "kinds_of_securities"),
        ("T_ITEM", "Stated: every item is one of its list", "ITEMS", "stated_items"),
    ):
        known = "+".join(f"SUMPRODUCT(EXACT({table}, {symbol})*ONE)" for symbol in _members(model, unit))
        found.append(checks.Total(label, model.places[table].sheet, f"COUNTA({table})", known, key=key))
    return found


def _of_figures() -> list[checks.Total]:
    """Figures that worksheet function and native formula both build on, each found another way: where a formula
    was overwritten, both would follow it."""

    def counted(word: str, column: str) -> str:
        return f"SUMPRODUCT(EXACT(Q_AS, COUNTED_AS_{word})*ONE, Q_{column})"

    own = "COUNTED=COUNTS_AFTER_own_counts"
    a, c, x, y = (counted(word, column) for column in ("BEFORE", "AFTER") for word in ("outstanding", "other"))
    consideration, listed = "SUMPRODUCT(S_SHARES, S_EACH)+SUM(S_IN_ALL)", "SUM(S_SHARES)"
    after, other_after = f"IF({own}, {x}, {a}+{listed})", f"IF({own}, {y}, {c})"
    lowest = "IF(METHOD=METHODS_full_ratchet, MIN(S_PRICE), CONSIDERATION/LISTED)"
    holders_price = "IF(BASIS=BASES_rounded, PRICE_NOW, PRICE_NOW_UNROUNDED)"
    return [
        checks.Total(f"{sheet}: {label}, another way", sheet, expected, actual, number_format, key)
        for key, sheet, label, expected, actual, number_format in (
            ("cp0", "Calculation", "CP0, as Price history has it", "IN_FORCE_IN", "CP0", UNROUNDED),
            ("cp1", "Calculation", "CP1, as Price history has it", "CARRIED_IN", "CP1", UNROUNDED),
            ("k", "Calculation", "K", consideration, "K", AMOUNT),
            ("l", "Calculation", "L", listed, "L", SHARES_UNROUNDED),
            ("a", "Calculation", "A", a, "A", SHARES_UNROUNDED),
            ("c", "Calculation", "C", c, "C", SHARES_UNROUNDED),
            ("x", "Calculation", "X", after, "X", SHARES_UNROUNDED),
            ("y", "Calculation", "Y", other_after, "Y", SHARES_UNROUNDED),
            ("n", "Calculation", "N", "A+C+K/CP1", "N", SHARES_UNROUNDED),
            ("d", "Calculation", "D", f"{after}+{other_after}", "D", SHARES_UNROUNDED),
            ("p", "Calculation", "P", lowest, "P", UNROUNDED),
            ("dl", "Calculation", "DL", f"{a}+{listed}+{other_after}", "DL", SHARES_UNROUNDED),
            ("sum_x", "Capitalization", "X", x, "SUM_X", SHARES_UNROUNDED),
            ("sum_y", "Capitalization", "Y", y, "SUM_Y", SHARES_UNROUNDED),
            ("prices", "Securities issued", "shares at their prices", consideration,
             "SUMPRODUCT(S_SHARES, S_PRICE)", AMOUNT),
            ("average_price", "Securities issued", "shares at the average price", consideration,
             "LISTED*EACH_ON_AVERAGE", AMOUNT),
            ("lowest_price", "Securities issued", "the lowest price", "MIN(S_PRICE)", "LOWEST", UNROUNDED),
            ("holders_price", "Holders", "price", holders_price, "HOLDERS_PRICE", UNROUNDED),
            ("holders_together", "Holders", "preferred of both conversions together", "SUM(H_SHARES, H_SHARES)",
             "HOLDERS_AGGREGATE_PREFERRED+HOLDERS_BEFORE_PREFERRED", SHARES),
            ("holders_differences", "Holders", "all less before", "HOLDERS_COMMON-HOLDERS_BEFORE",
             "HOLDERS_ROUNDING+HOLDERS_INCREASE", SHARES),
            ("holders_rows", "Holders", "rows of the register that are not complete",
             f'COUNTIF(H_COMPLETE, "{CHECK}")', "HOLDERS_INCOMPLETE", WHOLE),
        )
    ]  # fmt: skip


def _of_tie_out() -> list[checks.Total]:
    """That every stated figure is read, compared and counted."""

    def results(*words: str) -> str:
        return "+".join(f'SUMPRODUCT(({cells}="{word}")*ONE)' for cells in ("RESULTS", "OTHERS") for word in words)

    def same(number: int, stated: str, decimals: str) -> str:
        this = f"V{number}"
        found = f"AND({this}_STATED={stated}, {this}_DECIMALS={decimals})"
        return f"IF(ISNUMBER({this}_STATED), {found}, TRUE())"

    price, ratio = ((f"LOOK_{item.value}", f"LOOK_{item.value}_DECIMALS") for item in tie_out_sheet.RESULTS)
    derived = (
        same(1, "LOOK_X-LOOK_A", "MAX(LOOK_X_DECIMALS, LOOK_A_DECIMALS)"),
        same(2, *price),
        same(3, *ratio),
        same(4, *ratio),
    )
    return [
        checks.Total(
            "Tie-out: every stated figure has a result",
            "Tie-out",
            "COUNTA(T_ITEM)",
            "+".join(f'COUNTIF(W_RESULTS, "{result}")' for result in Result),
            key="stated_results",
        ),
        checks.holds(
            "Tie-out: what follows from several figures is taken from these",
            "Tie-out",
            f"AND({', '.join(derived)})",
            "stated_together",
        ),
        checks.Total(
            "Tie-out: figures at the digits written, all together",
            "Tie-out",
            "SUM(AT_DIGITS_TAKEN)",
            "SUM(AT_DIGITS)",
            SHARES_UNROUNDED,
            "at_digits",
        ),
        checks.Total(
            "Tie-out: comparisons, another way", "Tie-out", results(*Result), "COMPARISONS", key="comparisons"
        ),
        checks.Total(
            "Tie-out: exceptions, another way",
            "Tie-out",
            results(Result.EXCEPTION),
            "EXCEPTIONS",
            key="exceptions",
        ),
    ]


def _members(model: Model, symbol: str) -> list[str]:
    """The symbols of the words of an enumeration."""
    values = model.value(symbol)
    return [f"{symbol}_{value}" for value in (values if isinstance(values, tuple) else (values,))]
