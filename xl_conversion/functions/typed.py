"""What a person types as an argument, as the cell that it would be."""

from __future__ import annotations

import re
from datetime import date

from xl_conversion.functions.boundary import Cell, CellError

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
