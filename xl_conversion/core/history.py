"""A series through its events, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xl_conversion.core.events import Adjustment, Issuance, adjust
from xl_conversion.core.terms import Basis, Series


def replay(series: Series, issuances: Iterable[Issuance]) -> tuple[Adjustment, ...]:
    """The adjustment that each issuance makes, by date; issuances of one day in the order given.

    Each starts from the price that the one before it carried on, rounded or not as the charter says.
    """
    done: list[Adjustment] = []
    for issuance in sorted(issuances, key=lambda issuance: issuance.date):
        adjustment = adjust(series, issuance)
        carried = adjustment.price if series.carried_price is Basis.ROUNDED else adjustment.price_unrounded
        series = replace(series, conversion_price=carried)
        done.append(adjustment)
    return tuple(done)
