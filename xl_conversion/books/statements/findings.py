"""The problems of an input as a workbook: to be filtered, printed, and sent to whoever can mend them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

from xl_conversion.books.statements.register import NAMELESS, PROBLEMS_WIDTHS, problem_table, problems_page
from xl_conversion.books.statements.sheets import Design, Draft, Values
from xl_conversion.books.streaming import Plan, make_plan
from xl_conversion.core.rounding import shorten

MOST_NAMED, LONGEST_NAME = 8, 30
"""Series that are named in the line on what was left out."""


def findings_workbook(
    rows: Sequence[Sequence[str]],
    as_of: date,
    *,
    exported: int | None = None,
    left_out: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The .xlsx of problems, each with its file, place, column, value, rule and suggestion: the same bytes for the
    same problems. It says how many series were `exported` all the same, where that is known, and names the company
    and series of those `left_out`.

    >>> problem = ("holders.csv", "row 7", "shares", "-1", "it must be above 0", "")
    >>> findings_workbook([problem], date(2026, 1, 31))[:2]
    b'PK'
    """
    values: Values = {
        "all_problems": len(rows),
        "as_of_words": as_of.isoformat(),
        "exported": _exported(exported),
        "left": _left_out(left_out),
    }
    return findings_plan().render(values, {"problems": list(problem_table(rows))}, as_of=as_of)


def _exported(count: int | None) -> str:
    if count is None:
        return "What these problems do not concern was exported all the same."
    return f"Exported all the same: {count:,} series that these problems do not concern."


def _left_out(series: Sequence[tuple[str, str]]) -> str:
    if not series:
        return "Left out: what these problems concern."
    names = [
        f"{shorten(company, LONGEST_NAME)}, {shorten(name, LONGEST_NAME) or NAMELESS}" for company, name in series
    ]
    more = f"; and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"Left out: {len(names):,} series: {'; '.join(names[:MOST_NAMED])}{more}."


@cache
def findings_plan() -> Plan:
    """The plan of the workbook, made once a process."""
    return make_plan(*findings_design())


def findings_design() -> Design:
    """The design of the workbook, and the placeholders that give the values of its formulas."""
    draft = Draft("Input", "Problems of an input", short="Problems of an input")
    page = draft.page("Problems", "What is wrong with it: mend it, and export again", PROBLEMS_WIDTHS)
    draft.paragraph(page, 5, "{{exported}}")
    draft.paragraph(page, 6, "{{left}}", longest=MOST_NAMED * (2 * LONGEST_NAME + 4) + 45)
    problems_page(draft, page, 10)
    return draft.finish("")
