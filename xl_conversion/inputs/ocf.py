"""Reads an Open Cap Format package: a folder or a .zip with a manifest and the files of objects that it names.

The package says who issued what to whom, what became of it, and at which price and ratio each preferred class
converts. It has no place for a charter's method, its decimals or what it exempts, and many instruments have no
number of shares yet. All that is missing is asked for at once, and given as CSV files in the spelling of the other
inputs: in the folder `xl_conversion` of a package, or beside `NAME.zip` in the folder `NAME.xl_conversion`. A row
there is laid over the row of the package that has the same key, and is a row of its own where there is none.
`left_out.csv` with the columns `id` and `reason` names objects that are passed over, with all that came of them.

- Each preferred class that converts is a series; the whole life is told, from an empty capitalization.
- All stock of one class, and of one plan, that is issued on one day is one issuance. What a transfer, an exercise
  or a conversion resulted in is no further issuance.
- The price and the ratio in a class object are those in force when it was first issued; every ratio adjustment
  after it is a figure that somebody stated, to be tied out.
- Retracted securities were never issued. Pools, vesting and authorized shares move nothing.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from xl_conversion.core.rounding import RoundingType, exact, exact_text, round_to, shorten, to_text
from xl_conversion.core.stated import MAX_WRITTEN_DECIMALS
from xl_conversion.inputs.ocf_files import Object, is_part, open_package
from xl_conversion.inputs.problems import InputError, Problem, fail, suggestion
from xl_conversion.inputs.records import RECORDS, Record, SeriesRecord
from xl_conversion.inputs.tables import Row, Table, read_tables, table_of

ENDING = ".ocf.json"
BESIDE = "xl_conversion"
LEFT_OUT = "left_out"
EVENT_COMMENT = "event: "
"""What a comment of a ratio adjustment starts with that names the event it is of."""
MAX_NUMBER = 60
PADDED = 10
"""Decimals of a Numeric, and those in which a ratio of two numbers is stated: it is exact."""

_NUMERIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]{1,10})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONEY_COLUMNS = ("consideration", "consideration_per_share", "paid", "exercise_price")
_ROUNDED_WITH = {
    "price_decimals": ("price_rounding_type", "carried_price", "ratio_basis"),
    "ratio_decimals": ("ratio_rounding_type",),
}
_MAY_BE_BLANK = ("price_decimals", "ratio_decimals", "exempted")
"""Columns that must be there though a blank cell says something."""

_OPTIONS = ("OPTION", "OPTION_ISO", "OPTION_NSO")
_FIRM = ("", "UNSPECIFIED", "INSTRUMENT_FIXED", "INSTRUMENT_MAX")
"""Where a warrant's quantity may come from and be the most of shares that it can become."""
_MOVES = frozenset({"TX_STOCK_TRANSFER", "TX_STOCK_REISSUANCE", "TX_STOCK_CONSOLIDATION"})
_OF_NO_SECURITY = ("TX_STOCK_CLASS_", "TX_STOCK_PLAN_")
_RIGHTS = ("TX_CONVERTIBLE_", "TX_WARRANT_", "TX_EQUITY_COMPENSATION_")
_NO_EFFECT = frozenset(
    {
        *(f"{one}{what}" for one in (*_RIGHTS, "TX_STOCK_") for what in ("ACCEPTANCE", "RETRACTION", "TRANSFER")),
        "TX_STOCK_REISSUANCE",
        "TX_STOCK_CONSOLIDATION",
        "TX_VESTING_START",
        "TX_VESTING_EVENT",
        "TX_VESTING_ACCELERATION",
        "TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT",
        "TX_ISSUER_AUTHORIZED_SHARES_ADJUSTMENT",
        "TX_STOCK_PLAN_POOL_ADJUSTMENT",
        "TX_STOCK_PLAN_RETURN_TO_POOL",
    }
)


@dataclass(frozen=True, slots=True)
class PackageTable(Table):
    """A table whose rows come from several files."""

    places: Mapping[int, tuple[str, int, str]] = field(default_factory=dict)
    """The file of a row, its number there, and what it is called."""

    def problem(
        self,
        rule: str,
        row: int = 0,
        column: str = "",
        value: str = "",
        hint: str = "",
        *,
        impossible: bool = False,
    ) -> Problem:
        """A problem of this table, at the place that the row comes from."""
        file, number, unit = self.places.get(row, (self.file, row, self.unit))
        return Problem(file, rule, number, column, value, hint, unit, impossible)


def is_package(path: Path) -> bool:
    """Whether a folder or .zip holds files of the Open Cap Format; nothing of them is read."""
    try:
        if path.is_dir():
            return any(p.name.lower().endswith(ENDING) for p in path.iterdir())
        if path.suffix.lower() != ".zip" or not path.is_file():
            return False
        with zipfile.ZipFile(path) as package:
            return any(is_part(name) and name.lower().endswith(ENDING) for name in package.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def read_package(path: Path) -> dict[str, Table]:
    """The tables of an input, from the package at `path` and what is given beside it.

    Raises InputError with all that is wrong with it or missing, and how to give it.
    """
    try:
        folder = path / BESIDE if path.is_dir() else path.with_name(f"{path.stem}.{BESIDE}")
        given = _given(folder)
        manifest, objects = open_package(path)
    except PermissionError as problem:
        raise fail(str(path), "it may not be read", "check its permissions") from problem
    except OSError as problem:
        raise fail(str(path), f"it cannot be read: {problem.strerror}", "check the name") from problem
    return _Reader(path, folder, given, manifest, objects).tables()


def _given(folder: Path) -> dict[str, Table]:
    names = [record.table for record in RECORDS]
    return read_tables(folder, [*names, LEFT_OUT]) if folder.is_dir() else {}


@dataclass(slots=True)
class _Cells:
    """A row that is being made, and where it comes from."""

    cells: dict[str, str]
    place: tuple[str, int, str]


class _Reader:
    """Makes the tables; each problem found on the way is kept."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        given: Mapping[str, Table],
        manifest: Mapping[str, Any],
        objects: Sequence[Object],
    ) -> None:
        self.path, self.folder, self.given, self.manifest = path, folder, given, manifest
        self.problems: list[Problem] = []
        self.rows: dict[str, list[_Cells]] = {record.table: [] for record in RECORDS}
        self.keys = {record.table: [record.model_fields[k].alias for k in record.key] for record in RECORDS}
        self.overlay: dict[str, dict[tuple[str, ...], Row]] = {}
        self.used: set[tuple[str, int]] = set()
        self.currencies: dict[str, Object] = {}
        for name, table in given.items():
            if name != LEFT_OUT:
                keyed = ((tuple(row.cells.get(k, "") for k in self.keys[name]), row) for row in table.rows)
                self.overlay[name] = dict(keyed)
        holders = given.get("holders")
        self.own_holders = {row.cells.get("series", "") for row in holders.rows} if holders else set()
        """The series whose holders are given beside the package."""
        self.left_out = self._left_out({one.id for one in objects})
        kept = [one for one in objects if one.id not in self.left_out]
        self.classes = {one.id: one for one in kept if one.type == "STOCK_CLASS"}
        self.plans = {one.id: one for one in kept if one.type == "STOCK_PLAN"}
        self.common = self._of_type("COMMON")
        self.preferred = self._of_type("PREFERRED")
        self.passed_over = {one.id for one in objects if one.type == "STOCK_CLASS"} - self.classes.keys()
        self.holders = self._stakeholders(kept)
        transactions = [one for one in objects if one.type.startswith("TX_")]
        self.problems.extend(
            one.problem("date must be YYYY-MM-DD", "export the package again", "date", one.date)
            for one in transactions
            if not _DAY.fullmatch(one.date)
        )
        transactions.sort(key=lambda one: one.date)
        self._sort_securities(transactions)
        self.splits = [
            one for one in transactions if one.type == "TX_STOCK_CLASS_SPLIT" and one.id not in self.left_out
        ]
        self.adjustments = [
            one
            for one in transactions
            if one.type == "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT"
            and one.id not in self.left_out
            and one.text("stock_class_id") in self.preferred
        ]
        self.transactions = [one for one in transactions if self._counts(one)]
        self.series: dict[str, dict[str, str]] = {}
        """The row of each series, by the id of its class."""
        self.first: dict[str, str] = {}
        """The day on which the first of a class was issued."""
        self.names: set[str] = set()

    # What there is.

    def _left_out(self, known: set[str]) -> set[str]:
        table = self.given.get(LEFT_OUT)
        if table is None:
            return set()
        for column in ("id", "reason"):
            if column not in table.columns:
                self.problems.append(table.problem(f"the column {column} is missing", hint="it has id and reason"))
                return set()
        for row in table.rows:
            for column in ("id", "reason"):
                if not row.cells[column]:
                    hint = "name the object and say why"
                    self.problems.append(table.problem("a value is required", row.number, column, hint=hint))
            name = row.cells["id"]
            if name and name not in known:
                hint = suggestion(name, known) or "the id of an object"
                self.problems.append(table.problem("no object has that id", row.number, "id", name, hint))
        return {row.cells["id"] for row in table.rows}

    def _of_type(self, kind: str) -> dict[str, Object]:
        found = {key: one for key, one in self.classes.items() if one.text("class_type") == kind}
        names = Counter(one.text("name") for one in self.classes.values())
        for one in found.values():
            if names[one.text("name")] > 1 or not one.text("name"):
                rule = "each class has a name of its own"
                self.problems.append(one.problem(rule, "rename one of them", "name", one.text("name")))
        return found

    def _stakeholders(self, objects: Iterable[Object]) -> dict[str, str]:
        named = {}
        for one in objects:
            if one.type == "STAKEHOLDER":
                name = one.data.get("name")
                legal = name.get("legal_name") if isinstance(name, dict) else name
                named[one.id] = legal.strip() if isinstance(legal, str) else ""
        often = Counter(named.values())
        # Two people of one name are not one holder.
        return {
            key: name if name and often[name] == 1 else f"{name} ({key})".strip() for key, name in named.items()
        }

    def _sort_securities(self, transactions: Sequence[Object]) -> None:
        """Looks at which securities there are, and which came of others."""
        self.issued: dict[str, Object] = {}
        self.came_of: dict[str, Object] = {}
        """The transaction that a security came of."""
        self.ended: dict[str, list[Object]] = {}
        retracted: dict[str, Object] = {}
        for one in transactions:
            if one.type.endswith("_ISSUANCE"):
                security = one.text("security_id")
                if not security or security in self.issued:
                    rule = "each issuance has a security_id of its own"
                    hint = "export the package again"
                    self.problems.append(one.problem(rule, hint, "security_id", security))
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
                        self.problems.append(one.problem(rule, self._pass_over(one)))
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
                self.problems.append(one.problem(rule, self._pass_over(one), "security_id"))
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
            if self._root(security) in self.out:
                self.out.add(security)

    def _root(self, security: str) -> str:
        """The security that another goes on: of a transfer, or of what was left of it."""
        seen: set[str] = set()
        while security in self.came_of and security not in seen:
            seen.add(security)
            one = self.came_of[security]
            goes_on = one.type.endswith("_TRANSFER") or one.text("balance_security_id") == security
            if not goes_on or not one.sources:
                return security
            security = one.sources[0]
        return security

    def _counts(self, one: Object) -> bool:
        if one.id in self.left_out or one.text("stock_class_id") in self.passed_over:
            return False
        return not one.sources or any(security not in self.out for security in one.sources)

    # Reading fields.

    def _pass_over(self, one: Object) -> str:
        return (
            f"name {shorten(one.id)} and a reason in {self.folder / LEFT_OUT}.csv; what it did is a row of "
            f"{self.folder / 'events'}.csv"
        )

    def _ask(self, one: Object, rule: str, column: str = "", hint: str = "") -> None:
        self.problems.append(one.problem(rule, hint or self._pass_over(one), column))

    def _number(self, one: Object, name: str, data: Mapping[str, Any] | None = None) -> Fraction | None:
        """A number, not below 0; None where there is none, and a problem where it is not one."""
        value = (one.data if data is None else data).get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and len(value) <= MAX_NUMBER and _NUMERIC.fullmatch(value):
            number = Fraction(value)
            if number >= 0:
                return number
        rule = f"{name} must be a number of 0 or above in digits, with at most ten decimals"
        self.problems.append(one.problem(rule, "correct it", name, str(value)))
        return None

    def _money(self, one: Object, name: str, data: Mapping[str, Any] | None = None) -> Fraction | None:
        value = (one.data if data is None else data).get(name)
        if not isinstance(value, dict):
            return None
        amount = self._number(one, "amount", value)
        if amount is not None:
            currency = value.get("currency")
            if isinstance(currency, str):
                self.currencies.setdefault(currency, one)
        return amount

    def _ratio(self, one: Object, value: Any) -> Fraction | None:
        if not isinstance(value, dict):
            return None
        over, under = self._number(one, "numerator", value), self._number(one, "denominator", value)
        return over / under if over and under else None

    def _add(self, table: str, cells: Mapping[str, str], one: Object) -> dict[str, str]:
        """Adds a row, with what is given for it laid over it."""
        row = {column: cell for column, cell in cells.items() if cell}
        laid = self.overlay.get(table, {}).get(tuple(row.get(k, "") for k in self.keys[table]))
        if laid is not None:
            self.used.add((table, laid.number))
            own = {column: cell for column, cell in laid.cells.items() if cell}
            if table == "securities" and own.keys() & set(_MONEY_COLUMNS):
                row = {column: cell for column, cell in row.items() if column not in _MONEY_COLUMNS}
            row |= own
        self.rows[table].append(_Cells(row, (one.file, one.number, "object")))
        return row

    def _need(self, one: Object, table: str, row: Mapping[str, str], column: str, why: str, means: str) -> None:
        """Asks for a cell that is blank."""
        if row.get(column):
            return
        keys = " and ".join(f"{key}={row[key]}" for key in self.keys[table] if row.get(key))
        self._ask(one, why, column, f"give {column} ({means}) in {self.folder / table}.csv, in a row with {keys}")

    def _event(self, name: str, cells: Mapping[str, str], one: Object) -> dict[str, str]:
        """Adds an event under a name that no other has."""
        free, number = name, 1
        while free in self.names:
            number += 1
            free = f"{name} ({number})"
        self.names.add(free)
        source = f"{one.text('object_type')} {one.id}"
        return self._add("events", {"event": free, "date": one.date, "source": source, **cells}, one)

    # Making the tables.

    def tables(self) -> dict[str, Table]:
        for one in self.classes.values():
            if one.id not in self.common and one.id not in self.preferred:
                self._ask(one, "class_type must be COMMON or PREFERRED", "class_type")
        if self.problems:
            # What is issued under no date or class cannot be asked about.
            raise InputError(self.problems)
        for one in self.preferred.values():
            self._class(one)
        for one in self.common.values():
            source = f"STOCK_CLASS {one.id}"
            row = {"class": one.text("name"), "kind": "common", "shares": "0", "source": source}
            self._add("capitalization", {**row, "note": "before the first transaction"}, one)
        if not self.common:
            rule = "no stock class is COMMON"
            self.problems.append(Problem(str(self.path), rule, hint="a package has the class that others become"))
        groups: dict[tuple[str, str, str], list[Object]] = {}
        old = self._came_of_others()
        for one in self.transactions:
            if one.type == "TX_STOCK_ISSUANCE" and one.text("security_id") not in old:
                key = (one.date, one.text("stock_class_id"), one.text("stock_plan_id"))
                groups.setdefault(key, []).append(one)
        firsts = {group[0].id: group for group in groups.values()}
        for one in self.transactions:
            if one.type == "TX_STOCK_ISSUANCE":
                if one.id in firsts:
                    self._stock(firsts[one.id])
            elif one.type.endswith("_ISSUANCE"):
                if one.text("security_id") not in old:
                    self._right(one)
            else:
                self._transaction(one)
        for one in self.preferred.values():
            self._never_issued(one)
        self._stated()
        self._held()
        self._pool()
        if len(self.currencies) > 1:
            one = list(self.currencies.values())[1]
            self._ask(one, f"its money is not in one currency: {', '.join(sorted(self.currencies))}")
        found = {name: self._table(name) for name in self.rows}
        if self.problems:
            raise InputError(self.problems)
        return {name: table for name, table in found.items() if table is not None}

    def _came_of_others(self) -> set[str]:
        """Securities that were not issued anew."""
        found = set()
        for security, one in self.came_of.items():
            # What came of one that is passed over is all that is known of it.
            anew = one.id not in self.left_out and not self._counts(one)
            if not (anew and security in one.results and one.type not in _MOVES):
                found.add(security)
        return found

    def _class(self, one: Object) -> None:
        name = one.text("name")
        rights = one.data.get("conversion_rights")
        found = [right for right in rights if isinstance(right, dict)] if isinstance(rights, list) else []
        right = found[0] if len(found) == 1 else {}
        mechanism = right.get("conversion_mechanism")
        mechanism = mechanism if isinstance(mechanism, dict) else {}
        target = right.get("converts_to_stock_class_id")
        if (target and target not in self.common) or right.get("converts_to_future_round") is True:
            self._ask(one, "it does not convert into common", hint=self._pass_over(one))
        original = self._money(one, "price_per_share")
        price = self._money(one, "conversion_price", mechanism)
        ratio = self._ratio(one, mechanism.get("ratio"))
        note = "price and ratio of the class, as in force when it was first issued"
        if price is None and ratio and original:
            price, note = original / ratio, f"{note}; price: original issue price / ratio"
        issuer = self.manifest.get("issuer")
        company = issuer.get("legal_name") if isinstance(issuer, dict) else None
        row = self._add(
            "series",
            {
                "series": name,
                "company": company.strip() if isinstance(company, str) else "",
                "original_issue_price": _text(original),
                "conversion_price": _text(price),
                "share_rounding_type": _rounding(mechanism.get("rounding_type")),
                "source": f"STOCK_CLASS {one.id}",
                "note": note,
            },
            one,
        )
        self.series[one.id] = row
        laid = self.overlay.get("series", {}).get((name,))
        own = laid.cells if laid else {}
        if ratio and original and price and not own.get("conversion_price"):
            if not _same_ratio(ratio, mechanism.get("ratio"), original / price):
                rule = "price_per_share / conversion_price is not its ratio"
                row["conversion_price"] = ""
                self._need(one, "series", row, "conversion_price", rule, _means("conversion_price"))
            elif price and self._says_last(one, price):
                rule = "its conversion price is that of the last adjustment: the one before the first is not known"
                row["conversion_price"] = ""
                self._need(one, "series", row, "conversion_price", rule, _means("conversion_price"))
        for column in ("company", "original_issue_price", "conversion_price", "share_rounding_type"):
            if not any(p.row == one.number and p.file == one.file and p.column == column for p in self.problems):
                self._need(one, "series", row, column, f"it has no {column.replace('_', ' ')}", _means(column))
        why = "the format has no place for it, and the price depends on it"
        self._need(one, "series", row, "method", why, _means("method"))
        for column in _MAY_BE_BLANK:
            if column not in own:
                means = _means(column)
                means += "" if "blank:" in means else "; blank: none"
                self._need(one, "series", row, column, f"{why}: give the column, if only with a blank cell", means)
            elif own[column]:
                for further in _ROUNDED_WITH.get(column, ()):
                    self._need(one, "series", row, further, f"{column} is given: {why}", _means(further))

    def _says_last(self, one: Object, price: Fraction) -> bool:
        """Whether a class says the price after its adjustments instead of the one before."""
        own = [a for a in self.adjustments if a.text("stock_class_id") == one.id]
        if not own:
            return False
        mechanism = own[-1].data.get("new_ratio_conversion_mechanism")
        return isinstance(mechanism, dict) and self._money(own[-1], "conversion_price", mechanism) == price

    def _stock(self, group: Sequence[Object]) -> None:
        """All stock of one class that is issued on one day."""
        one, kind = group[0], group[0].text("stock_class_id")
        held = self.classes.get(kind)
        if held is None:
            self._ask(one, f"there is no stock class {shorten(kind)!r}", "stock_class_id")
            return
        quantities = [self._number(g, "quantity") for g in group]
        prices = [self._money(g, "share_price") for g in group]
        for g, quantity in zip(group, quantities, strict=True):
            if not quantity:
                self._ask(g, "it has no quantity", "quantity")
        total = sum((q for q in quantities if q), Fraction(0))
        if not total:
            return
        name = held.text("name")
        plan = "plan" if one.text("stock_plan_id") else ""
        event = self._event(
            f"{name} {one.date}",
            {"kind": "issuance", "source": _sources(group), "description": f"{name}, {len(group)} holders"}
            if len(group) > 1
            else {"kind": "issuance", "description": name},
            one,
        )
        paid = (
            None
            if None in prices
            else sum((q * p for q, p in zip(quantities, prices, strict=True) if q and p), Fraction(0))
        )
        several = len({p for p in prices if p is not None}) > 1
        cells = {
            "event": event["event"],
            "security": name,
            "kind": "shares" if kind in self.common else "preferred",
            "source": _sources(group),
            "category": plan,
            "consideration": "" if several else _text(paid),
        }
        why_shares = ""
        if kind in self.common:
            cells["shares"] = _text(total)
        else:
            self.first.setdefault(kind, one.date)
            if not all(self.series[kind].get(column) for column in ("original_issue_price", "conversion_price")):
                return  # they have been asked for
            ratio, why_shares, note = self._ratio_on(kind, one)
            cells["shares"] = _text(total * ratio) if ratio else ""
            cells["note"] = f"{_text(total)} shares of {name}{note}"
        row = self._add("securities", cells, one)
        self._need(one, "securities", row, "shares", why_shares or "not known", "the common that it converts into")
        if not row.get("consideration_per_share") and not row.get("paid"):
            why = "stock of the day has several prices" if several else "it has no share_price"
            means = (
                f"of all {_text(total)} shares, {_text(paid)} if they are one issuance" if several and paid else ""
            )
            self._need(one, "securities", row, "consideration", why, means or "money for all of it together")

    def _ratio_on(self, kind: str, one: Object) -> tuple[Fraction | None, str, str]:
        """Common for one share of a series on the day of an issuance; why it is not known; a remark."""
        row, day = self.series[kind], one.date
        try:
            original = exact(row["original_issue_price"])
            ratio = original / exact(row["conversion_price"])
        except (KeyError, ValueError, ZeroDivisionError):
            return None, "the conversion price of the class is not known", ""
        since, strictly = self.first[kind], False
        if since == day:
            return ratio, "", ""
        for adjustment in self.adjustments:
            if adjustment.text("stock_class_id") == kind and adjustment.date < day:
                mechanism = adjustment.data.get("new_ratio_conversion_mechanism")
                stated = self._ratio(adjustment, mechanism.get("ratio")) if isinstance(mechanism, dict) else None
                if stated is None:
                    return None, f"{adjustment.id} states no ratio", ""
                ratio, since, strictly = stated, adjustment.date, True
        for split in self.splits:
            if split.text("stock_class_id") in self.common and since < split.date <= day:
                return None, f"no ratio is recorded after the split {split.id}", ""
        price = original / ratio
        exempted = {name.strip().casefold() for name in row.get("exempted", "").split(";")}
        days = {event.cells["event"]: event.cells["date"] for event in self.rows["events"]}
        for security in self.rows["securities"]:
            cells = security.cells
            when = days.get(cells["event"], "")
            labels = {cells["security"].casefold(), cells.get("category", "").casefold(), cells["kind"]}
            later = when > since if strictly else when >= since
            if not later or row.get("method") == "none" or labels & exempted:
                continue
            if when <= day and cells["security"] != row["series"] and _below(cells, price):
                rule = f"no ratio is recorded after {cells['event']}, which may have moved the price"
                return None, rule, ""
        return ratio, "", f", as converted at the ratio recorded by {since}"

    def _right(self, one: Object) -> None:
        """An option, a warrant or a convertible."""
        label = self.labels[one.text("security_id")]
        kinds = {
            "TX_EQUITY_COMPENSATION_ISSUANCE": "option",
            "TX_WARRANT_ISSUANCE": "warrant",
            "TX_CONVERTIBLE_ISSUANCE": "convertible_note",
        }
        kind = kinds.get(one.type)
        if kind is None:
            self._ask(one, "what it issues is not known")
            return
        event = self._event(f"{label} {one.date}", {"kind": "issuance", "description": label}, one)
        cells = {"event": event["event"], "security": label, "kind": kind, "source": event["source"]}
        match kind:
            case "option":
                found, why = self._option(one)
            case "warrant":
                found, why = self._warrant(one)
            case _:
                found, why = self._convertible(one)
        row = self._add("securities", cells | found, one)
        means = "the most of common that it can become"
        if kind == "convertible_note":
            means += "; calculable=no beside it where the consideration for one is not known"
        self._need(one, "securities", row, "shares", why or "it has no quantity", means)
        if row.get("calculable", "").lower() not in ("no", "false"):
            given = row.keys() & (set(_MONEY_COLUMNS) - {"paid"})
            if not given:
                rule = "what is still to be paid for a share is not said"
                self._need(one, "securities", row, "consideration", rule, "money for all of it together")

    def _option(self, one: Object) -> tuple[dict[str, str], str]:
        plan = self.plans.get(one.text("stock_plan_id"))
        into = [one.text("stock_class_id")] if one.text("stock_class_id") else []
        if plan is not None and not into:
            single = plan.text("stock_class_id")
            into = [*plan.texts("stock_class_ids"), *([single] if single else [])]
        cells = {"category": "plan" if one.text("stock_plan_id") else ""}
        quantity = _text(self._number(one, "quantity"))
        if one.text("compensation_type") not in _OPTIONS:
            return cells, f"{one.text('compensation_type') or 'it'} is no option to buy shares"
        cells["exercise_price"] = _text(self._money(one, "exercise_price"))
        if not into or any(key not in self.common for key in into):
            return cells, "it is not said to be for common"
        return cells | {"shares": quantity}, ""

    def _warrant(self, one: Object) -> tuple[dict[str, str], str]:
        cells = {
            "paid": _text(self._money(one, "purchase_price")),
            "exercise_price": _text(self._money(one, "exercise_price")),
        }
        quantity = self._number(one, "quantity")
        into, fixed = self._triggers(one, "exercise_triggers")
        if quantity is not None and one.text("quantity_source") not in _FIRM:
            return cells, f"its quantity is {one.text('quantity_source')}"
        if not into or any(key not in self.common for key in into):
            return cells, "it is not said to be for common"
        known = {number for number in (quantity, *fixed) if number}
        if len(known) != 1 or (None in fixed and quantity is None):
            return cells, "it is not said for how many shares it is"
        return cells | {"shares": _text(known.pop())}, ""

    def _convertible(self, one: Object) -> tuple[dict[str, str], str]:
        cells = {"consideration": _text(self._money(one, "investment_amount"))}
        into, fixed = self._triggers(one, "conversion_triggers")
        known = set(fixed)
        if len(known) != 1 or None in known or not into or any(key not in self.common for key in into):
            return cells, "its terms do not say a number of common"
        return cells | {"shares": _text(known.pop())}, ""

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
                fixed.append(self._number(one, "converts_to_quantity", mechanism) if of_number else None)
        return into, fixed

    def _transaction(self, one: Object) -> None:
        kind = one.type
        security = one.sources[0] if one.sources else ""
        of_security = kind.startswith(("TX_STOCK_", *_RIGHTS)) and not kind.startswith(_OF_NO_SECURITY)
        if of_security and security not in self.issued:
            self._ask(one, f"no security {shorten(security)!r} has been issued", "security_id")
            return
        match kind:
            case _ if kind in _NO_EFFECT:
                if kind in _MOVES:
                    self._same_shares(one)
            case "TX_STOCK_CLASS_SPLIT":
                self._split(one)
            case "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT":
                if one.text("stock_class_id") not in self.classes:
                    self._ask(one, "there is no such stock class", "stock_class_id")
            case "TX_STOCK_CONVERSION" | "TX_STOCK_REPURCHASE" | "TX_STOCK_CANCELLATION":
                self._less_stock(one, security)
            case "TX_EQUITY_COMPENSATION_EXERCISE" | "TX_WARRANT_EXERCISE" | "TX_CONVERTIBLE_CONVERSION":
                self._exercise(one, security)
            case "TX_EQUITY_COMPENSATION_CANCELLATION" | "TX_WARRANT_CANCELLATION":
                quantity = self._number(one, "quantity")
                if quantity:
                    self._expiry(one, security, quantity)
                else:
                    self._ask(one, "it has no quantity", "quantity")
            case "TX_CONVERTIBLE_CANCELLATION":
                amount = self._money(one, "amount")
                all_of_it = amount and amount == self._money(self.issued[security], "investment_amount")
                if all_of_it and self._root(security) == security:
                    self._expiry(one, security, None)
                else:
                    self._ask(one, "it is of a part, and the format does not say of how many shares", "amount")
            case _:
                self._ask(one, "what it does to the capitalization is not known here")

    def _split(self, one: Object) -> None:
        ratio, kind = self._ratio(one, one.data.get("split_ratio")), one.text("stock_class_id")
        if ratio is None or kind not in self.classes:
            self._ask(one, "it needs a split_ratio and the stock class that it is of", "split_ratio")
            return
        if kind not in self.common:
            self._ask(one, "a split of preferred changes its original issue price, which no event does")
            return
        together = [
            split.text("stock_class_id")
            for split in self.splits
            if split.date == one.date and self._ratio(split, split.data.get("split_ratio")) == ratio
        ]
        if not self.common.keys() <= set(together):
            self._ask(one, "only some of the classes of common are split, or not alike")
            return
        if kind == next(k for k in together if k in self.common):
            word = "combination" if ratio < 1 else "split"
            new, old = _text(Fraction(ratio.numerator)), _text(Fraction(ratio.denominator))
            cells = {"kind": word, "split_new": new, "split_old": old}
            self._event(f"{word.capitalize()} {one.date}", cells, one)

    def _less_stock(self, one: Object, security: str) -> None:
        held = self.issued[security]
        kind = held.text("stock_class_id")
        converts = one.type == "TX_STOCK_CONVERSION"
        quantity = self._number(one, "quantity_converted" if converts else "quantity")
        if kind not in self.preferred:
            self._ask(one, "common becomes less, which a charter may take for an event")
            return
        if not quantity:
            self._ask(one, "it has no quantity")
            return
        series = self.series[kind]["series"]
        cells = {"series": series, "shares": _text(quantity), "description": self.labels[security]}
        if converts:
            became = [self.issued.get(result) for result in one.results]
            if not became or any(r is None or r.text("stock_class_id") not in self.common for r in became):
                self._ask(one, "it is not said to have become common", "resulting_security_ids")
                return
            common = sum((self._number(r, "quantity") or Fraction(0) for r in became if r), Fraction(0))
            cells["note"] = f"the package has {_text(common)} shares of common for it"
        else:
            cells["note"] = one.text("reason_text")
        word = "Conversion" if converts else "Redemption"
        self._event(f"{word} of {self.labels[security]} {one.date}", cells | {"kind": word.lower()}, one)
        self._same_shares(one)

    def _exercise(self, one: Object, security: str) -> None:
        root = self._root(security)
        became = [self.issued.get(result) for result in one.results]
        if not became or any(r is None or r.text("stock_class_id") not in self.common for r in became):
            rule = "it is not said to have become common"
            self._ask(one, rule, "resulting_security_ids")
            return
        shares = sum((self._number(r, "quantity") or Fraction(0) for r in became if r), Fraction(0))
        quantity = self._number(one, "quantity")
        if quantity is None:
            quantity = self._number(self.issued[security], "quantity")
            if quantity is not None:
                quantity *= self._factor("", self.issued[security].date, one.date)
        if not shares or (quantity is not None and quantity != shares):
            rule = f"{_text(quantity) or 'it'} became {_text(shares)} shares: how many were given up is not said"
            self._ask(one, rule)
            return
        label = self.labels[root]
        cells = {"kind": "exercise", "security": label, "shares": _text(shares)}
        self._event(f"Exercise of {label} {one.date}", cells, one)

    def _expiry(self, one: Object, security: str, quantity: Fraction | None) -> None:
        label = self.labels[self._root(security)]
        cells = {"kind": "expiry", "security": label, "shares": _text(quantity), "note": one.text("reason_text")}
        self._event(f"End of {label} {one.date}", cells, one)

    def _factor(self, kind: str, since: str, until: str) -> Fraction:
        """Shares today for one at first; of all classes of common where no one is named."""
        factor, days = Fraction(1), set()
        for split in self.splits:
            of = split.text("stock_class_id")
            if since < split.date <= until and (of == kind or (not kind and of in self.common)):
                if not kind and split.date in days:
                    continue
                days.add(split.date)
                factor *= self._ratio(split, split.data.get("split_ratio")) or 1
        return factor

    def _same_shares(self, one: Object) -> None:
        """Stock in other hands is as much as before, and of the same class."""
        held = [self.issued.get(security) for security in one.sources]
        kinds = {h.text("stock_class_id") for h in held if h}
        series = {self.series[k]["series"] for k in kinds if k in self.series}
        if series and series <= self.own_holders:
            return
        hint = self._pass_over(one)
        if series:
            hint = f"give who holds {' and '.join(sorted(series))} in {self.folder / 'holders'}.csv"
        balance = one.text("balance_security_id")
        after = [*(one.results if one.type in _MOVES else []), *([balance] if balance else [])]
        found = [self.issued.get(security) for security in after]
        if None in held or None in found:
            missing = next(s for s in (*one.sources, *after) if s not in self.issued)
            self._ask(one, f"no issuance has the security_id {shorten(missing)!r}", hint=hint)
            return
        if len(kinds | {f.text("stock_class_id") for f in found if f}) > 1:
            self._ask(one, "its securities are of several classes", hint=hint)
            return
        if one.text("split_transaction_id"):
            return
        total = Fraction(0)
        for h in held:
            if h is not None:
                factor = self._factor(h.text("stock_class_id"), h.date, one.date)
                total += (self._number(h, "quantity") or Fraction(0)) * factor
        quantity = self._number(one, "quantity_converted" if one.type == "TX_STOCK_CONVERSION" else "quantity")
        moved = total if quantity is None else quantity
        sums = [sum((self._number(f, "quantity") or Fraction(0) for f in found if f), Fraction(0))]
        left = total if one.type in _MOVES else total - moved
        if one.type == "TX_STOCK_TRANSFER" and balance:
            rest = self._number(self.issued[balance], "quantity") or Fraction(0)
            sums.append(rest + moved)
        if any(value != left for value in sums):
            self._ask(one, f"of {_text(total)} shares {_text(sums[0])} are there after it", "quantity", hint)

    def _never_issued(self, one: Object) -> None:
        row = self.series[one.id]
        if one.id not in self.first:
            rule = "none of it has been issued: from which day on an issuance concerns it is not known"
            hint = f"name {one.id} and a reason in {self.folder / LEFT_OUT}.csv, or give preferred_shares (0)"
            if not row.get("preferred_shares"):
                self._ask(one, rule, "preferred_shares", hint)

    def _stated(self) -> None:
        """What each ratio adjustment states, of the event of its day."""
        by_day: dict[str, list[tuple[str, str]]] = {}
        events: list[Mapping[str, str]] = [row.cells for row in self.rows["events"]]
        if "events" in self.given:
            laid = {row.number for row in self.given["events"].rows if ("events", row.number) in self.used}
            events += [row.cells for row in self.given["events"].rows if row.number not in laid]
        for cells in events:
            what = (cells.get("event", ""), cells.get("series", ""))
            by_day.setdefault(cells.get("date", ""), []).append(what)
        often = Counter((a.date, a.text("stock_class_id")) for a in self.adjustments)
        for one in self.adjustments:
            named = [c.removeprefix(EVENT_COMMENT) for c in one.texts("comments") if c.startswith(EVENT_COMMENT)]
            row = self.series[one.text("stock_class_id")]
            there = [name for name, series in by_day.get(one.date, []) if series in ("", row["series"])]
            found = [name for name in named if name in there]
            if not found and there and often[one.date, one.text("stock_class_id")] == 1:
                found = there[-1:]
            if len(found) != 1:
                rule = "no event of that day is the one that it is of" if not there else "several are of that day"
                hint = (
                    f"name {one.id} and a reason in {self.folder / LEFT_OUT}.csv, and state price and ratio in "
                    f"{self.folder / 'stated'}.csv with series, event, item and stated"
                )
                self._ask(one, rule, "date", hint)
                continue
            self._state(one, row, found[0])

    def _state(self, one: Object, row: Mapping[str, str], event: str) -> None:
        mechanism = one.data.get("new_ratio_conversion_mechanism")
        mechanism = mechanism if isinstance(mechanism, dict) else {}
        cells = {"series": row["series"], "event": event, "source": f"{one.text('object_type')} {one.id}"}
        money = mechanism.get("conversion_price")
        if self._money(one, "conversion_price", mechanism) and isinstance(money, dict):
            price = {"item": "conversion_price", "stated": money["amount"].lstrip("+")}
            self._add("stated", cells | price, one)
        else:
            self._ask(one, "it states no conversion price", "conversion_price")
        ratio = self._ratio(one, mechanism.get("ratio"))
        if ratio is None:
            self._ask(one, "it states no ratio", "ratio")
            return
        note = f"{mechanism['ratio']['numerator']} / {mechanism['ratio']['denominator']}"
        self._add("stated", cells | {"item": "conversion_ratio", "stated": _stated(ratio, row), "note": note}, one)

    def _held(self) -> None:
        """Who holds each series in the end."""
        for security, one in self.issued.items():
            kind = one.text("stock_class_id")
            if one.type != "TX_STOCK_ISSUANCE" or kind not in self.preferred or security in self.out:
                continue
            series = self.series[kind]["series"]
            came_of = self.came_of.get(security)
            if series in self.own_holders or (came_of is not None and came_of.id in self.left_out):
                continue
            ended = self.ended.get(security, [])
            if len(ended) > 1:
                rule = f"{security} has ended already by {ended[0].id}"
                hint = f"give who holds {series} in {self.folder / 'holders'}.csv"
                self._ask(ended[1], rule, "security_id", hint)
            quantity = self._number(one, "quantity")
            if ended or not quantity:
                continue
            holder = self.holders.get(one.text("stakeholder_id"))
            if holder is None:
                self._ask(one, "there is no such stakeholder", "stakeholder_id")
                continue
            cells = {"series": series, "holder": holder, "certificate": self.labels[security]}
            source = f"{one.text('object_type')} {one.id}"
            self._add("holders", cells | {"shares": _text(quantity), "source": source}, one)

    def _pool(self) -> None:
        """A base with the pool needs the pool, which the format has day by day and a capitalization has not."""
        table = self.given.get("capitalization")
        known = table is not None and any(row.cells.get("kind") == "pool" for row in table.rows)
        for key, row in self.series.items():
            names = {name.strip().casefold() for name in row.get("base_classes", "").split(";")}
            if self.plans and not known and (row.get("method") == "broad_with_pool" or "pool" in names):
                rule = "its base has the pool, and what was in it before the first transaction is not known"
                hint = f"give a class of kind pool in {self.folder / 'capitalization'}.csv"
                self._ask(self.classes[key], rule, "method", hint)

    def _table(self, name: str) -> Table | None:
        rows = list(self.rows[name])
        beside = self.given.get(name)
        if beside is not None:
            for row in beside.rows:
                if (name, row.number) not in self.used:
                    if name == "series":
                        known = [one.text("name") for one in self.preferred.values()]
                        hint = suggestion(row.cells.get("series", ""), known) or f"they are {', '.join(known)}"
                        rule, value = (
                            "no preferred class of the package has that name",
                            row.cells.get("series", ""),
                        )
                        self.problems.append(beside.problem(rule, row.number, "series", value, hint))
                    rows.append(_Cells(dict(row.cells), (beside.file, row.number, "row")))
        if not rows:
            return None
        record = next(record for record in RECORDS if record.table == name)
        # Columns that a table must have, so that what is missing is told of the row.
        wanted = [c.alias for c in record.model_fields.values() if c.is_required()]
        columns = list(dict.fromkeys([*wanted, *(column for row in rows for column in row.cells)]))
        # The class objects come first though they are from another file.
        lines = [(number, [row.cells.get(c, "") for c in columns]) for number, row in enumerate(rows, start=1)]
        places = {number: row.place for number, row in enumerate(rows, start=1)}
        files = list(dict.fromkeys(row.place[0] for row in rows))
        file = files[0] if len(files) == 1 else f"{self.path}, {name}"
        try:
            made = table_of(name, file, [(0, columns), *lines], unit="object")
        except InputError as found:
            for one in found.problems:
                at = places.get(one.row, (one.file, one.row, one.unit))
                self.problems.append(Problem(at[0], one.rule, at[1], one.column, one.value, one.hint, at[2]))
            return None
        return PackageTable(made.name, made.file, made.columns, made.rows, made.unit, made.header, places)


def _means(column: str, record: type[Record] = SeriesRecord) -> str:
    """What a column means, short enough for a hint."""
    (found,) = (one for one in record.model_fields.values() if one.alias == column)
    return found.description[:1].lower() + found.description[1:]


def _text(value: Fraction | None) -> str:
    """A number as a cell has it: in digits where they end, else as a fraction."""
    return "" if value is None else exact_text(value) or str(value)


def _rounding(value: Any) -> str:
    try:
        return RoundingType.parse(value).value if isinstance(value, str) else ""
    except ValueError:
        return ""


def _same_ratio(ratio: Fraction, written: Any, computed: Fraction) -> bool:
    """Whether a ratio is the one computed, as exact as it is written."""
    decimals = len(written["numerator"].partition(".")[2])
    unit = Fraction(1, 10**decimals) / Fraction(written["denominator"])
    return ratio == computed or (decimals > 0 and abs(ratio - computed) < unit)


def _below(cells: Mapping[str, str], price: Fraction) -> bool:
    """Whether a security is issued below a price, or may be."""
    try:
        each = cells.get("consideration_per_share")
        if each:
            return exact(each) < price
        shares = exact(cells["shares"])
        if "consideration" in cells:
            return exact(cells["consideration"]) < price * shares
        return exact(cells.get("paid", "0")) + exact(cells["exercise_price"]) * shares < price * shares
    except (KeyError, ValueError, ZeroDivisionError):
        return True


def _stated(ratio: Fraction, row: Mapping[str, str]) -> str:
    """A ratio as a document would write it: with the decimals of the charter, where those say all of it; else with
    so many that it is seen to be exact."""
    digits = exact_text(ratio)
    own = len(digits.partition(".")[2]) if digits else MAX_WRITTEN_DECIMALS
    decimals = row.get("ratio_decimals", "")
    charter = int(decimals) if re.fullmatch("[0-9]{1,2}", decimals) else PADDED
    places = min(max(own, charter), MAX_WRITTEN_DECIMALS)
    rounding = _rounding(row.get("ratio_rounding_type")) or RoundingType.HALF_UP.value
    return to_text(round_to(ratio, places, RoundingType(rounding)), places)


def _sources(group: Sequence[Object]) -> str:
    """The objects that a row is from, or how many there are."""
    first = f"{group[0].text('object_type')} {group[0].id}"
    return first if len(group) == 1 else f"{first} and {len(group) - 1} more"
