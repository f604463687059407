"""The catalogue as text for people."""

from __future__ import annotations

from xl_conversion.functions.catalogue import CATALOGUE


def function_table() -> str:
    """The worksheet functions as a Markdown table, which the README holds.

    >>> print(function_table().splitlines()[2])
    | `CP_WEIGHTED_AVERAGE(conversion_price, outstanding, consideration, issued, [other_securities], [decimals], \
[rounding_type])` | Conversion price after an issuance below it, by the weighted average formula. At or above the \
price nothing moves. | `=CP_WEIGHTED_AVERAGE(6.41,33831184,8187842.70,81728433,1411724,2)` | 2 |
    """
    rows = [
        f"| `{one.signature}` | {one.summary} | `{one.example_formula}` | {one.example_result} |"
        for one in CATALOGUE
    ]
    return "\n".join(["| function | gives | example | result |", "|---|---|---|---|", *rows])
