"""What a person types as an argument, as the cell that it would be."""

from __future__ import annotations

import re
from datetime import date

from xl_conversion.core.rounding import shorten
from xl_conversion.functions.boundary import Cell, CellError, Range

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ERROR = re.compile(r"#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!)")


def cell_of(text: str) -> Cell:
    """The cell for `text`: a number as a double, an ISO date, TRUE or FALSE, an error, else text; "" is blank.

    Double quotes around it, as in a formula, make it text.

    >>> cell_of("-6.41"), cell_of("2002-02-05"), cell_of("half_up"), cell_of(""), cell_of('"5"')
    (-6.41, datetime.date(2002, 2, 5), 'half_up', None, '5')
    """
    if text == "":
        return None
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1].replace('""', '"')
    if _NUMBER.fullmatch(text):
        return float(text)  # a number too large for a cell becomes infinite, and is refused as such
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if _ERROR.fullmatch(text.upper()):
        return CellError(text.upper())
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


_ITEM = re.compile(r'\s*("(?:[^"]|"")*"|[^",;{}]*)\s*([,;]|$)')


def argument_of(text: str) -> Cell | Range:
    """What an argument in a formula is: an array constant, or a cell as :func:`cell_of` reads it.

    >>> argument_of('{"class","shares";"Common",4000}')
    [['class', 'shares'], ['Common', 4000.0]]
    >>> argument_of("2")
    2.0

    Raises ValueError for what begins like an array constant and is none.
    """
    if not text.startswith("{"):
        return cell_of(text)
    if not text.endswith("}"):
        raise ValueError(f"an array constant ends with }}: {shorten(text)}")
    rows: list[list[Cell]] = [[]]
    inside, place = text[1:-1], 0
    while True:
        item = _ITEM.match(inside, place)
        if item is None:
            raise ValueError(f"not an array constant at {shorten(inside[place:])!r}")
        rows[-1].append(cell_of(item[1].strip()))
        place = item.end()
        if not item[2]:
            break
        if item[2] == ";":
            rows.append([])
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"the rows of an array constant are of one length: {shorten(text)}")
    return rows


def nearly_number(text: str) -> bool:
    """Whether `text` would be a number without its spaces and commas.

    >>> nearly_number(" 6.41 "), nearly_number("2,000"), nearly_number("6.41"), nearly_number("two")
    (True, True, False, False)
    """
    return not _NUMBER.fullmatch(text) and _NUMBER.fullmatch(re.sub(r"[\s,]", "", text)) is not None


def shown_number(value: float) -> str:
    """A double in the fewest digits that read back as the same double.

    >>> shown_number(2.0), shown_number(0.1), shown_number(2.001301181799737)
    ('2', '0.1', '2.001301181799737')
    """
    return repr(value).removesuffix(".0")
