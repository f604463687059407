"""How many shares of common an option, a warrant or a convertible can become, and what is paid for it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction

from xl_conversion.inputs.ocf_figures import Figures, cell_of
from xl_conversion.inputs.ocf_files import Object

_OPTIONS = ("OPTION", "OPTION_ISO", "OPTION_NSO")
_FIRM = ("", "UNSPECIFIED", "INSTRUMENT_FIXED", "INSTRUMENT_MAX")
"""Where a warrant's quantity may come from and be the most of shares that it can become."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Each gives cells of the table securities, and why there is no number of shares among them."""

    figures: Figures
    common: Set[str]
    """The ids of the classes of common."""
    plans: Mapping[str, Object]
    """The stock plans by id."""

    def option(self, one: Object) -> tuple[dict[str, str], str]:
        """An option or another right of a plan."""
        plan = self.plans.get(one.text("stock_plan_id"))
        into = [one.text("stock_class_id")] if one.text("stock_class_id") else []
        if plan is not None and not into:
            single = plan.text("stock_class_id")
            into = [*plan.texts("stock_class_ids"), *([single] if single else [])]
        cells = {"category": "plan" if one.text("stock_plan_id") else ""}
        quantity = cell_of(self.figures.number(one, "quantity"))
        if one.text("compensation_type") not in _OPTIONS:
            return cells, f"{one.text('compensation_type') or 'it'} is no option to buy shares"
        cells["exercise_price"] = cell_of(self.figures.money(one, "exercise_price"))
        if not into or any(key not in self.common for key in into):
            return cells, "it is not said to be for common"
        return cells | {"shares": quantity}, ""

    def warrant(self, one: Object) -> tuple[dict[str, str], str]:
        """A warrant."""
        cells = {
            "paid": cell_of(self.figures.money(one, "purchase_price")),
            "exercise_price": cell_of(self.figures.money(one, "exercise_price")),
        }
        quantity = self.figures.number(one, "quantity")
        into, fixed = self._triggers(one, "exercise_triggers")
        if quantity is not None and one.text("quantity_source") not in _FIRM:
            return cells, f"its quantity is {one.text('quantity_source')}"
        if not into or any(key not in self.common for key in into):
            return cells, "it is not said to be for common"
        known = {number for number in (quantity, *fixed) if number}
        if len(known) != 1 or (None in fixed and quantity is None):
            return cells, "it is not said for how many shares it is"
        return cells | {"shares": cell_of(known.pop())}, ""

    def convertible(self, one: Object) -> tuple[dict[str, str], str]:
        """A convertible."""
        cells = {"consideration": cell_of(self.figures.money(one, "investment_amount"))}
        into, fixed = self._triggers(one, "conversion_triggers")
        known = set(fixed)
        if len(known) != 1 or None in known or not into or any(key not in self.common for key in into):
            return cells, "its terms do not say a number of common"
        return cells | {"shares": cell_of(known.pop())}, ""

    def _triggers(self, one: Object, name: str) -> tuple[list[str], list[Fraction | None]]:
        """The classes that a right may become, and of how many shares where they are fixed."""
        into: list[str] = []
        fixed: list[Fraction | None] = []
        triggers = one.data.get(name)
        for trigger in triggers if isinstance(triggers, list) else []:
            right = trigger.get("conversion_right") if isinstance(trigger, dict) else None
            if isinstance(right, dict):
                into.append(str(right.get("converts_to_stock_class_id") or ""))
                mechanism = right.get("conversion_mechanism")
                of_number = isinstance(mechanism, dict) and "converts_to_quantity" in mechanism
                fixed.append(self.figures.number(one, "converts_to_quantity", mechanism) if of_number else None)
        return into, fixed
