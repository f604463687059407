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
from fractions import Fraction
from pathlib import Path

from xl_conversion.core.rounding import exact, shorten
from xl_conversion.inputs.ocf_figures import Figures, below, cell_of, rounding_of, same_ratio, written_ratio
from xl_conversion.inputs.ocf_files import MANIFEST, Object, Package, is_part, open_package
from xl_conversion.inputs.ocf_rights import Rights
from xl_conversion.inputs.ocf_rows import LEFT_OUT, MONEY_COLUMNS, Rows, read_beside
from xl_conversion.inputs.ocf_securities import MOVES, Securities
from xl_conversion.inputs.problems import InputError, Problem, fail
from xl_conversion.inputs.records import Record, SeriesRecord
from xl_conversion.inputs.tables import Table

ENDING = ".ocf.json"
BESIDE = "xl_conversion"
EVENT_COMMENT = "event: "
"""What a comment of a ratio adjustment starts with that names the event it is of."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ROUNDED_WITH = {
    "price_decimals": ("price_rounding_type", "carried_price", "ratio_basis"),
    "ratio_decimals": ("ratio_rounding_type",),
}
_MAY_BE_BLANK = ("price_decimals", "ratio_decimals", "exempted")
"""Columns that must be there though a blank cell says something."""

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
        given = read_beside(folder)
        package = open_package(path)
    except PermissionError as problem:
        raise fail(str(path), "it may not be read", "check its permissions") from problem
    except OSError as problem:
        raise fail(str(path), f"it cannot be read: {problem.strerror}", "check the name") from problem
    return _Reader(package, Rows(path, folder, given)).tables()


class _Reader:
    """Makes the tables; each problem found on the way is kept."""

    def __init__(self, package: Package, rows: Rows) -> None:
        self.rows, self.manifest, self.changed = rows, package.manifest, package.changed
        self.figures = Figures(rows.problems)
        holders = rows.given.get("holders")
        self.own_holders = {row.cells.get("series", "") for row in holders.rows} if holders else set()
        """The series whose holders are given beside the package."""
        objects = package.objects
        self.left_out = rows.left_out({one.id for one in objects})
        kept = [one for one in objects if one.id not in self.left_out]
        self.classes = {one.id: one for one in kept if one.type == "STOCK_CLASS"}
        self.plans = {one.id: one for one in kept if one.type == "STOCK_PLAN"}
        self.common = self._of_type("COMMON")
        self.preferred = self._of_type("PREFERRED")
        self.holders = self._stakeholders(kept)
        transactions = [one for one in objects if one.type.startswith("TX_")]
        self.rows.problems.extend(
            one.problem("date must be YYYY-MM-DD", "export the package again", "date", one.date)
            for one in transactions
            if not _DAY.fullmatch(one.date)
        )
        transactions.sort(key=lambda one: one.date)
        passed_over = {one.id for one in objects if one.type == "STOCK_CLASS"} - self.classes.keys()
        self.securities = Securities(transactions, rows, self.left_out, passed_over)
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
        self.transactions = [one for one in transactions if self.securities.counts(one)]
        self.series: dict[str, dict[str, str]] = {}
        """The row of each series, by the id of its class."""
        self.first: dict[str, str] = {}
        """The day on which the first of a class was issued."""
        self.names: set[str] = set()

    # What there is.

    def _of_type(self, kind: str) -> dict[str, Object]:
        found = {key: one for key, one in self.classes.items() if one.text("class_type") == kind}
        names = Counter(one.text("name") for one in self.classes.values())
        for one in found.values():
            if names[one.text("name")] > 1 or not one.text("name"):
                rule = "each class has a name of its own"
                self.rows.problems.append(one.problem(rule, "rename one of them", "name", one.text("name")))
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

    # Reading fields.

    def _event(self, name: str, cells: Mapping[str, str], one: Object) -> dict[str, str]:
        """Adds an event under a name that no other has."""
        free, number = name, 1
        while free in self.names:
            number += 1
            free = f"{name} ({number})"
        self.names.add(free)
        source = f"{one.text('object_type')} {one.id}"
        return self.rows.add("events", {"event": free, "date": one.date, "source": source, **cells}, one)

    # Making the tables.

    def tables(self) -> dict[str, Table]:
        for one in self.classes.values():
            if one.id not in self.common and one.id not in self.preferred:
                self.rows.ask(one, "class_type must be COMMON or PREFERRED", "class_type")
        if self.rows.problems:
            # What is issued under no date or class cannot be asked about.
            raise InputError(self.rows.problems)
        for one in self.preferred.values():
            self._class(one)
        for one in self.common.values():
            source = f"STOCK_CLASS {one.id}"
            row = {"class": one.text("name"), "kind": "common", "shares": "0", "source": source}
            self.rows.add("capitalization", {**row, "note": "before the first transaction"}, one)
        if not self.common:
            rule = "no stock class is COMMON"
            self.rows.problems.append(
                Problem(str(self.rows.path), rule, hint="a package has the class that others become")
            )
        groups: dict[tuple[str, str, str], list[Object]] = {}
        old = self.securities.came_of_others()
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
        if len(self.figures.currencies) > 1:
            one = list(self.figures.currencies.values())[1]
            self.rows.ask(one, f"its money is not in one currency: {', '.join(sorted(self.figures.currencies))}")
        names = [one.text("name") for one in self.preferred.values()]
        found = {name: self.rows.table(name, names) for name in self.rows.of}
        if self.rows.problems:
            raise InputError(self.rows.problems)
        return {name: table for name, table in found.items() if table is not None}

    def _class(self, one: Object) -> None:
        name = one.text("name")
        rights = one.data.get("conversion_rights")
        found = [right for right in rights if isinstance(right, dict)] if isinstance(rights, list) else []
        right = found[0] if len(found) == 1 else {}
        mechanism = right.get("conversion_mechanism")
        mechanism = mechanism if isinstance(mechanism, dict) else {}
        target = right.get("converts_to_stock_class_id")
        if (target and target not in self.common) or right.get("converts_to_future_round") is True:
            self.rows.ask(one, "it does not convert into common", hint=self.rows.pass_over(one))
        original = self.figures.money(one, "price_per_share")
        price = self.figures.money(one, "conversion_price", mechanism)
        ratio = self.figures.ratio(one, mechanism.get("ratio"))
        note = "price and ratio of the class, as in force when it was first issued"
        if price is None and ratio and original:
            price, note = original / ratio, f"{note}; price: original issue price / ratio"
        if self.changed:
            note += f"; MD5 other than in {MANIFEST}: {shorten(', '.join(self.changed), 200)}"
        issuer = self.manifest.get("issuer")
        company = issuer.get("legal_name") if isinstance(issuer, dict) else None
        row = self.rows.add(
            "series",
            {
                "series": name,
                "company": company.strip() if isinstance(company, str) else "",
                "original_issue_price": cell_of(original),
                "conversion_price": cell_of(price),
                "share_rounding_type": rounding_of(mechanism.get("rounding_type")),
                "source": f"STOCK_CLASS {one.id}",
                "note": note,
            },
            one,
        )
        self.series[one.id] = row
        laid = self.rows.overlay.get("series", {}).get((name,))
        own = laid.cells if laid else {}
        if ratio and original and price and not own.get("conversion_price"):
            if not same_ratio(ratio, mechanism.get("ratio"), original / price):
                rule = "price_per_share / conversion_price is not its ratio"
                row["conversion_price"] = ""
                self.rows.need(one, "series", row, "conversion_price", rule, _means("conversion_price"))
            elif price and self._says_last(one, price):
                rule = "its conversion price is that of the last adjustment: the one before the first is not known"
                row["conversion_price"] = ""
                self.rows.need(one, "series", row, "conversion_price", rule, _means("conversion_price"))
        for column in ("company", "original_issue_price", "conversion_price", "share_rounding_type"):
            if not any(
                p.row == one.number and p.file == one.file and p.column == column for p in self.rows.problems
            ):
                self.rows.need(one, "series", row, column, f"it has no {column.replace('_', ' ')}", _means(column))
        why = "the format has no place for it, and the price depends on it"
        self.rows.need(one, "series", row, "method", why, _means("method"))
        for column in _MAY_BE_BLANK:
            if column not in own:
                means = _means(column)
                means += "" if "blank:" in means else "; blank: none"
                self.rows.need(
                    one, "series", row, column, f"{why}: give the column, if only with a blank cell", means
                )
            elif own[column]:
                for further in _ROUNDED_WITH.get(column, ()):
                    self.rows.need(one, "series", row, further, f"{column} is given: {why}", _means(further))

    def _says_last(self, one: Object, price: Fraction) -> bool:
        """Whether a class says the price after its adjustments instead of the one before."""
        own = [a for a in self.adjustments if a.text("stock_class_id") == one.id]
        if not own:
            return False
        mechanism = own[-1].data.get("new_ratio_conversion_mechanism")
        return isinstance(mechanism, dict) and self.figures.money(own[-1], "conversion_price", mechanism) == price

    def _stock(self, group: Sequence[Object]) -> None:
        """All stock of one class that is issued on one day."""
        one, kind = group[0], group[0].text("stock_class_id")
        held = self.classes.get(kind)
        if held is None:
            self.rows.ask(one, f"there is no stock class {shorten(kind)!r}", "stock_class_id")
            return
        quantities = [self.figures.number(g, "quantity") for g in group]
        prices = [self.figures.money(g, "share_price") for g in group]
        for g, quantity in zip(group, quantities, strict=True):
            if not quantity:
                self.rows.ask(g, "it has no quantity", "quantity")
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
            "consideration": "" if several else cell_of(paid),
        }
        why_shares = ""
        if kind in self.common:
            cells["shares"] = cell_of(total)
        else:
            self.first.setdefault(kind, one.date)
            if not all(self.series[kind].get(column) for column in ("original_issue_price", "conversion_price")):
                return  # they have been asked for
            ratio, why_shares, note = self._ratio_on(kind, one)
            cells["shares"] = cell_of(total * ratio) if ratio else ""
            cells["note"] = f"{cell_of(total)} shares of {name}{note}"
        row = self.rows.add("securities", cells, one)
        self.rows.need(
            one, "securities", row, "shares", why_shares or "not known", "the common that it converts into"
        )
        if not row.get("consideration_per_share") and not row.get("paid"):
            why = "stock of the day has several prices" if several else "it has no share_price"
            means = (
                f"of all {cell_of(total)} shares, {cell_of(paid)} if they are one issuance"
                if several and paid
                else ""
            )
            self.rows.need(one, "securities", row, "consideration", why, means or "money for all of it together")

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
                stated = (
                    self.figures.ratio(adjustment, mechanism.get("ratio")) if isinstance(mechanism, dict) else None
                )
                if stated is None:
                    return None, f"{adjustment.id} states no ratio", ""
                ratio, since, strictly = stated, adjustment.date, True
        for split in self.splits:
            if split.text("stock_class_id") in self.common and since < split.date <= day:
                return None, f"no ratio is recorded after the split {split.id}", ""
        price = original / ratio
        exempted = {name.strip().casefold() for name in row.get("exempted", "").split(";")}
        days = {event.cells["event"]: event.cells["date"] for event in self.rows.of["events"]}
        for security in self.rows.of["securities"]:
            cells = security.cells
            when = days.get(cells["event"], "")
            labels = {cells["security"].casefold(), cells.get("category", "").casefold(), cells["kind"]}
            later = when > since if strictly else when >= since
            if not later or row.get("method") == "none" or labels & exempted:
                continue
            if when <= day and cells["security"] != row["series"] and below(cells, price):
                rule = f"no ratio is recorded after {cells['event']}, which may have moved the price"
                return None, rule, ""
        return ratio, "", f", as converted at the ratio recorded by {since}"

    def _right(self, one: Object) -> None:
        """An option, a warrant or a convertible."""
        label = self.securities.labels[one.text("security_id")]
        kinds = {
            "TX_EQUITY_COMPENSATION_ISSUANCE": "option",
            "TX_WARRANT_ISSUANCE": "warrant",
            "TX_CONVERTIBLE_ISSUANCE": "convertible_note",
        }
        kind = kinds.get(one.type)
        if kind is None:
            self.rows.ask(one, "what it issues is not known")
            return
        event = self._event(f"{label} {one.date}", {"kind": "issuance", "description": label}, one)
        cells = {"event": event["event"], "security": label, "kind": kind, "source": event["source"]}
        rights = Rights(self.figures, self.common.keys(), self.plans)
        match kind:
            case "option":
                found, why = rights.option(one)
            case "warrant":
                found, why = rights.warrant(one)
            case _:
                found, why = rights.convertible(one)
        row = self.rows.add("securities", cells | found, one)
        means = "the most of common that it can become"
        if kind == "convertible_note":
            means += "; calculable=no beside it where the consideration for one is not known"
        self.rows.need(one, "securities", row, "shares", why or "it has no quantity", means)
        if row.get("calculable", "").lower() not in ("no", "false"):
            given = row.keys() & (set(MONEY_COLUMNS) - {"paid"})
            if not given:
                rule = "what is still to be paid for a share is not said"
                self.rows.need(one, "securities", row, "consideration", rule, "money for all of it together")

    def _transaction(self, one: Object) -> None:
        kind = one.type
        security = one.sources[0] if one.sources else ""
        of_security = kind.startswith(("TX_STOCK_", *_RIGHTS)) and not kind.startswith(_OF_NO_SECURITY)
        if of_security and security not in self.securities.issued:
            self.rows.ask(one, f"no security {shorten(security)!r} has been issued", "security_id")
            return
        match kind:
            case _ if kind in _NO_EFFECT:
                if kind in MOVES:
                    self._same_shares(one)
            case "TX_STOCK_CLASS_SPLIT":
                self._split(one)
            case "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT":
                if one.text("stock_class_id") not in self.classes:
                    self.rows.ask(one, "there is no such stock class", "stock_class_id")
            case "TX_STOCK_CONVERSION" | "TX_STOCK_REPURCHASE" | "TX_STOCK_CANCELLATION":
                self._less_stock(one, security)
            case "TX_EQUITY_COMPENSATION_EXERCISE" | "TX_WARRANT_EXERCISE" | "TX_CONVERTIBLE_CONVERSION":
                self._exercise(one, security)
            case "TX_EQUITY_COMPENSATION_CANCELLATION" | "TX_WARRANT_CANCELLATION":
                quantity = self.figures.number(one, "quantity")
                if quantity:
                    self._expiry(one, security, quantity)
                else:
                    self.rows.ask(one, "it has no quantity", "quantity")
            case "TX_CONVERTIBLE_CANCELLATION":
                amount = self.figures.money(one, "amount")
                all_of_it = amount and amount == self.figures.money(
                    self.securities.issued[security], "investment_amount"
                )
                if all_of_it and self.securities.root(security) == security:
                    self._expiry(one, security, None)
                else:
                    self.rows.ask(one, "it is of a part, and the format does not say of how many shares", "amount")
            case _:
                self.rows.ask(one, "what it does to the capitalization is not known here")

    def _split(self, one: Object) -> None:
        ratio, kind = self.figures.ratio(one, one.data.get("split_ratio")), one.text("stock_class_id")
        if ratio is None or kind not in self.classes:
            self.rows.ask(one, "it needs a split_ratio and the stock class that it is of", "split_ratio")
            return
        if kind not in self.common:
            self.rows.ask(one, "a split of preferred changes its original issue price, which no event does")
            return
        together = [
            split.text("stock_class_id")
            for split in self.splits
            if split.date == one.date and self.figures.ratio(split, split.data.get("split_ratio")) == ratio
        ]
        if not self.common.keys() <= set(together):
            self.rows.ask(one, "only some of the classes of common are split, or not alike")
            return
        if kind == next(k for k in together if k in self.common):
            word = "combination" if ratio < 1 else "split"
            new, old = cell_of(Fraction(ratio.numerator)), cell_of(Fraction(ratio.denominator))
            cells = {"kind": word, "split_new": new, "split_old": old}
            self._event(f"{word.capitalize()} {one.date}", cells, one)

    def _less_stock(self, one: Object, security: str) -> None:
        held = self.securities.issued[security]
        kind = held.text("stock_class_id")
        converts = one.type == "TX_STOCK_CONVERSION"
        quantity = self.figures.number(one, "quantity_converted" if converts else "quantity")
        if kind not in self.preferred:
            self.rows.ask(one, "common becomes less, which a charter may take for an event")
            return
        if not quantity:
            self.rows.ask(one, "it has no quantity")
            return
        series = self.series[kind]["series"]
        cells = {"series": series, "shares": cell_of(quantity), "description": self.securities.labels[security]}
        if converts:
            became = [self.securities.issued.get(result) for result in one.results]
            if not became or any(r is None or r.text("stock_class_id") not in self.common for r in became):
                self.rows.ask(one, "it is not said to have become common", "resulting_security_ids")
                return
            common = sum((self.figures.number(r, "quantity") or Fraction(0) for r in became if r), Fraction(0))
            cells["note"] = f"the package has {cell_of(common)} shares of common for it"
        else:
            cells["note"] = one.text("reason_text")
        word = "Conversion" if converts else "Redemption"
        self._event(
            f"{word} of {self.securities.labels[security]} {one.date}", cells | {"kind": word.lower()}, one
        )
        self._same_shares(one)

    def _exercise(self, one: Object, security: str) -> None:
        root = self.securities.root(security)
        became = [self.securities.issued.get(result) for result in one.results]
        if not became or any(r is None or r.text("stock_class_id") not in self.common for r in became):
            rule = "it is not said to have become common"
            self.rows.ask(one, rule, "resulting_security_ids")
            return
        shares = sum((self.figures.number(r, "quantity") or Fraction(0) for r in became if r), Fraction(0))
        quantity = self.figures.number(one, "quantity")
        if quantity is None:
            quantity = self.figures.number(self.securities.issued[security], "quantity")
            if quantity is not None:
                quantity *= self._factor("", self.securities.issued[security].date, one.date)
        if not shares or (quantity is not None and quantity != shares):
            rule = (
                f"{cell_of(quantity) or 'it'} became {cell_of(shares)} shares: how many were given up is not said"
            )
            self.rows.ask(one, rule)
            return
        label = self.securities.labels[root]
        cells = {"kind": "exercise", "security": label, "shares": cell_of(shares)}
        self._event(f"Exercise of {label} {one.date}", cells, one)

    def _expiry(self, one: Object, security: str, quantity: Fraction | None) -> None:
        label = self.securities.labels[self.securities.root(security)]
        cells = {"kind": "expiry", "security": label, "shares": cell_of(quantity), "note": one.text("reason_text")}
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
                factor *= self.figures.ratio(split, split.data.get("split_ratio")) or 1
        return factor

    def _same_shares(self, one: Object) -> None:
        """Stock in other hands is as much as before, and of the same class."""
        held = [self.securities.issued.get(security) for security in one.sources]
        kinds = {h.text("stock_class_id") for h in held if h}
        series = {self.series[k]["series"] for k in kinds if k in self.series}
        if series and series <= self.own_holders:
            return
        hint = self.rows.pass_over(one)
        if series:
            hint = f"give who holds {' and '.join(sorted(series))} in {self.rows.folder / 'holders'}.csv"
        balance = one.text("balance_security_id")
        after = [*(one.results if one.type in MOVES else []), *([balance] if balance else [])]
        found = [self.securities.issued.get(security) for security in after]
        if None in held or None in found:
            missing = next(s for s in (*one.sources, *after) if s not in self.securities.issued)
            self.rows.ask(one, f"no issuance has the security_id {shorten(missing)!r}", hint=hint)
            return
        if len(kinds | {f.text("stock_class_id") for f in found if f}) > 1:
            self.rows.ask(one, "its securities are of several classes", hint=hint)
            return
        if one.text("split_transaction_id"):
            return
        total = Fraction(0)
        for h in held:
            if h is not None:
                factor = self._factor(h.text("stock_class_id"), h.date, one.date)
                total += (self.figures.number(h, "quantity") or Fraction(0)) * factor
        quantity = self.figures.number(
            one, "quantity_converted" if one.type == "TX_STOCK_CONVERSION" else "quantity"
        )
        moved = total if quantity is None else quantity
        sums = [sum((self.figures.number(f, "quantity") or Fraction(0) for f in found if f), Fraction(0))]
        left = total if one.type in MOVES else total - moved
        if one.type == "TX_STOCK_TRANSFER" and balance:
            rest = self.figures.number(self.securities.issued[balance], "quantity") or Fraction(0)
            sums.append(rest + moved)
        if any(value != left for value in sums):
            self.rows.ask(
                one, f"of {cell_of(total)} shares {cell_of(sums[0])} are there after it", "quantity", hint
            )

    def _never_issued(self, one: Object) -> None:
        row = self.series[one.id]
        if one.id not in self.first:
            rule = "none of it has been issued: from which day on an issuance concerns it is not known"
            hint = f"name {one.id} and a reason in {self.rows.folder / LEFT_OUT}.csv, or give preferred_shares (0)"
            if not row.get("preferred_shares"):
                self.rows.ask(one, rule, "preferred_shares", hint)

    def _stated(self) -> None:
        """What each ratio adjustment states, of the event of its day."""
        by_day: dict[str, list[tuple[str, str]]] = {}
        events: list[Mapping[str, str]] = [row.cells for row in self.rows.of["events"]]
        if "events" in self.rows.given:
            laid = {
                row.number for row in self.rows.given["events"].rows if ("events", row.number) in self.rows.used
            }
            events += [row.cells for row in self.rows.given["events"].rows if row.number not in laid]
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
                    f"name {one.id} and a reason in {self.rows.folder / LEFT_OUT}.csv, and state price and ratio "
                    f"in {self.rows.folder / 'stated'}.csv with series, event, item and stated"
                )
                self.rows.ask(one, rule, "date", hint)
                continue
            self._state(one, row, found[0])

    def _state(self, one: Object, row: Mapping[str, str], event: str) -> None:
        mechanism = one.data.get("new_ratio_conversion_mechanism")
        mechanism = mechanism if isinstance(mechanism, dict) else {}
        cells = {"series": row["series"], "event": event, "source": f"{one.text('object_type')} {one.id}"}
        money = mechanism.get("conversion_price")
        if self.figures.money(one, "conversion_price", mechanism) and isinstance(money, dict):
            price = {"item": "conversion_price", "stated": money["amount"].lstrip("+")}
            self.rows.add("stated", cells | price, one)
        else:
            self.rows.ask(one, "it states no conversion price", "conversion_price")
        ratio = self.figures.ratio(one, mechanism.get("ratio"))
        if ratio is None:
            self.rows.ask(one, "it states no ratio", "ratio")
            return
        note = f"{mechanism['ratio']['numerator']} / {mechanism['ratio']['denominator']}"
        self.rows.add(
            "stated", cells | {"item": "conversion_ratio", "stated": written_ratio(ratio, row), "note": note}, one
        )

    def _held(self) -> None:
        """Who holds each series in the end."""
        for security, one in self.securities.issued.items():
            kind = one.text("stock_class_id")
            if one.type != "TX_STOCK_ISSUANCE" or kind not in self.preferred or security in self.securities.out:
                continue
            series = self.series[kind]["series"]
            came_of = self.securities.came_of.get(security)
            if series in self.own_holders or (came_of is not None and came_of.id in self.left_out):
                continue
            ended = self.securities.ended.get(security, [])
            if len(ended) > 1:
                rule = f"{security} has ended already by {ended[0].id}"
                hint = f"give who holds {series} in {self.rows.folder / 'holders'}.csv"
                self.rows.ask(ended[1], rule, "security_id", hint)
            quantity = self.figures.number(one, "quantity")
            if ended or not quantity:
                continue
            holder = self.holders.get(one.text("stakeholder_id"))
            if holder is None:
                self.rows.ask(one, "there is no such stakeholder", "stakeholder_id")
                continue
            cells = {"series": series, "holder": holder, "certificate": self.securities.labels[security]}
            source = f"{one.text('object_type')} {one.id}"
            self.rows.add("holders", cells | {"shares": cell_of(quantity), "source": source}, one)

    def _pool(self) -> None:
        """A base with the pool needs the pool, which the format has day by day and a capitalization has not."""
        table = self.rows.given.get("capitalization")
        known = table is not None and any(row.cells.get("kind") == "pool" for row in table.rows)
        for key, row in self.series.items():
            names = {name.strip().casefold() for name in row.get("base_classes", "").split(";")}
            if self.plans and not known and (row.get("method") == "broad_with_pool" or "pool" in names):
                rule = "its base has the pool, and what was in it before the first transaction is not known"
                hint = f"give a class of kind pool in {self.rows.folder / 'capitalization'}.csv"
                self.rows.ask(self.classes[key], rule, "method", hint)


def _means(column: str, record: type[Record] = SeriesRecord) -> str:
    """What a column means, short enough for a hint."""
    (found,) = (one for one in record.model_fields.values() if one.alias == column)
    return found.description[:1].lower() + found.description[1:]


def _sources(group: Sequence[Object]) -> str:
    """The objects that a row is from, or how many there are."""
    first = f"{group[0].text('object_type')} {group[0].id}"
    return first if len(group) == 1 else f"{first} and {len(group) - 1} more"
