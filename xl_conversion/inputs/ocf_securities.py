"""Which securities of a package were issued, and which came of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.ocf_files import Object
from xl_conversion.inputs.ocf_rows import Rows

MOVES = frozenset({"TX_STOCK_TRANSFER", "TX_STOCK_REISSUANCE", "TX_STOCK_CONSOLIDATION"})
"""Transactions that put stock into other hands."""


class Securities:
    """The securities by id, and the transactions that they came of and ended by."""

    def __init__(
        self, transactions: Sequence[Object], rows: Rows, left_out: Set[str], passed_over: Set[str]
    ) -> None:
        self.rows, self.left_out, self.passed_over = rows, left_out, passed_over
        self.issued: dict[str, Object] = {}
        self.came_of: dict[str, Object] = {}
        """The transaction that a security came of."""
        self.ended: dict[str, list[Object]] = {}
        self._roots: dict[str, str] = {}
        retracted: dict[str, Object] = {}
        for one in transactions:
            if one.type.endswith("_ISSUANCE"):
                security = one.text("security_id")
                if not security or security in self.issued:
                    rule = "each issuance has a security_id of its own"
                    hint = "export the package again"
                    self.rows.problems.append(one.problem(rule, hint, "security_id", security))
                self.issued.setdefault(security, one)
            elif one.type.endswith("_RETRACTION") and one.id not in self.left_out:
                retracted[one.text("security_id")] = one
            elif one.sources and not one.type.startswith(("TX_VESTING_", "TX_STOCK_PLAN_")):
                if one.type.endswith(("_ACCEPTANCE", "_REPRICING")):
                    continue
                balance = one.text("balance_security_id")
                for security in (*one.results, *([balance] if balance else [])):
                    if security in self.came_of:
                        rule = f"{security} came of {self.came_of[security].id} already"
                        self.rows.problems.append(one.problem(rule, self.rows.pass_over(one)))
                    self.came_of[security] = one
                if one.id not in self.left_out:
                    for security in one.sources:
                        self.ended.setdefault(security, []).append(one)
        for security, one in retracted.items():
            others = [
                *self.ended.get(security, []),
                *([self.came_of[security]] if security in self.came_of else []),
            ]
            if others:
                rule = f"it is of {shorten(security)}, which was not only issued: {others[0].id}"
                self.rows.problems.append(one.problem(rule, self.rows.pass_over(one), "security_id"))
        self.out = {
            security
            for security, one in self.issued.items()
            if one.id in self.left_out or one.text("stock_class_id") in self.passed_over
        }
        labels = Counter(one.text("custom_id") for one in self.issued.values())
        self.labels = {}
        for security, one in self.issued.items():
            label = one.text("custom_id")
            self.labels[security] = label if labels[label] == 1 and label else f"{label} ({security})".strip()
        self.out |= retracted.keys()
        # What is passed over stays so in other hands.
        for security in self.issued:
            if self.root(security) in self.out:
                self.out.add(security)

    def root(self, security: str) -> str:
        """The security that another goes on: of a transfer, or of what was left of it."""
        passed: dict[str, None] = {}
        while security in self.came_of and security not in passed and security not in self._roots:
            one = self.came_of[security]
            goes_on = one.type.endswith("_TRANSFER") or one.text("balance_security_id") == security
            if not goes_on or not one.sources:
                break
            passed[security] = None
            security = one.sources[0]
        found = self._roots.get(security, security)
        # Kept, since a security may have been in very many hands.
        self._roots.update(dict.fromkeys(passed, found))
        return found

    def counts(self, one: Object) -> bool:
        """Whether a transaction is of anything that is not passed over."""
        if one.id in self.left_out or one.text("stock_class_id") in self.passed_over:
            return False
        return not one.sources or any(security not in self.out for security in one.sources)

    def came_of_others(self) -> set[str]:
        """Securities that were not issued anew."""
        found = set()
        for security, one in self.came_of.items():
            # What came of one that is passed over is all that is known of it.
            anew = one.id not in self.left_out and not self.counts(one)
            if not (anew and security in one.results and one.type not in MOVES):
                found.add(security)
        return found
