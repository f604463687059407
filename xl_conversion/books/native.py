"""The formula of a step in Excel's own functions, so that a reviewer can recompute without the add-in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xl_conversion.core.rounding import RoundingType


def native(formula: str, cells: Mapping[str, str]) -> str:
    """A step's formula with its symbols replaced by `cells`, as an Excel formula.

    >>> native("min(half_up(CP2, decimals), CP1)", {"CP2": "F9", "decimals": "F10", "CP1": "F2"})
    '=MIN(ROUND(F9,F10),F2)'

    Raises KeyError for a symbol that has no cell.
    """
    names = {
        "min": "MIN",
        "max": "MAX",
        "when": "IF",
        **{kind.value: kind.value for kind in RoundingType},
        **cells,
    }
    replaced = re.sub(r"[A-Za-z_]\w*", lambda found: names[found[0]], formula).replace(" ", "")
    kinds = "|".join(RoundingType)
    return "=" + re.sub(
        rf"({kinds})\(([^,()]+),([^,()]+)\)",
        lambda found: rounded(RoundingType(found[1]), found[2], found[3]),
        replaced,
    )


def rounded(rounding_type: RoundingType, value: str, decimals: str) -> str:
    """The expression that rounds a value to the decimals in a cell.

    A double is hardly ever the decimal that it stands for. ROUND knows that; for the others the noise is removed
    first: what is within a millionth of the last digit from a tie is a tie, and from a digit that digit.

    >>> rounded(RoundingType.FLOOR, "A1", "B1")
    'ROUNDDOWN(ROUND(A1,B1+6),B1)'
    """
    if rounding_type is RoundingType.HALF_UP:
        return f"ROUND({value},{decimals})"
    if rounding_type is RoundingType.HALF_EVEN:
        # A tie is halved, rounded and doubled, which ends on the even digit.
        scaled, unit = f"ROUND(({value})*10^{decimals},6)", f"10^{decimals}"
        return f"IF({scaled}-INT({scaled})=0.5,2*ROUND({scaled}/2,0)/{unit},ROUND({value},{decimals}))"
    # Prices and counts are positive, so down is towards zero.
    down_or_up = "ROUNDDOWN" if rounding_type is RoundingType.FLOOR else "ROUNDUP"
    return f"{down_or_up}(ROUND({value},{decimals}+6),{decimals})"
