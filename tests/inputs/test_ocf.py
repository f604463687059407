"""Packages of the Open Cap Format become an input; what they do not say is asked for, all at once."""

from __future__ import annotations

import copy
import hashlib
import json
import struct
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_conversion.core.stated import Item
from xl_conversion.core.tie_out import tie_out_history
from xl_conversion.inputs import ocf, ocf_files
from xl_conversion.inputs.ocf import is_package, read_package
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case, CompanyInput, cases_of, companies_of
from xl_conversion.inputs.tables import Table

TERMS = """\
series,method,price_decimals,price_rounding_type,carried_price,ratio_basis,ratio_decimals,exempted
Series A Preferred,broad,4,half_up,rounded,rounded,,plan
Series B Preferred,broad,4,half_up,rounded,rounded,,plan
"""
NOTE = """\
event,security,shares
CN-1 2021-06-01,CN-1,50000
"""
KINDS = {
    "STOCK_CLASS": ("stock_classes_files", "OCF_STOCK_CLASSES_FILE", "StockClasses.ocf.json"),
    "STOCK_PLAN": ("stock_plans_files", "OCF_STOCK_PLANS_FILE", "StockPlans.ocf.json"),
    "STAKEHOLDER": ("stakeholders_files", "OCF_STAKEHOLDERS_FILE", "Stakeholders.ocf.json"),
    "TX": ("transactions_files", "OCF_TRANSACTIONS_FILE", "Transactions.ocf.json"),
}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def common(key: str = "common", name: str = "Common Stock") -> dict[str, Any]:
    return {
        "object_type": "STOCK_CLASS",
        "id": key,
        "name": name,
        "class_type": "COMMON",
        "default_id_prefix": "CS-",
        "initial_shares_authorized": "10000000",
        "votes_per_share": "1",
        "seniority": "1",
    }


def preferred(key: str, name: str, price: str, **changed: Any) -> dict[str, Any]:
    right = {
        "type": "STOCK_CLASS_CONVERSION_RIGHT",
        "conversion_mechanism": {
            "type": "RATIO_CONVERSION",
            "conversion_price": usd(price),
            "ratio": {"numerator": "1", "denominator": "1"},
            "rounding_type": "FLOOR",
        },
        "converts_to_stock_class_id": "common",
    }
    return {
        **common(key, name),
        "class_type": "PREFERRED",
        "default_id_prefix": "P-",
        "price_per_share": usd(price),
        "conversion_rights": [right],
        **changed,
    }


def person(key: str, name: str) -> dict[str, Any]:
    return {
        "object_type": "STAKEHOLDER",
        "id": key,
        "name": {"legal_name": name},
        "stakeholder_type": "INDIVIDUAL",
    }


def tx(kind: str, key: str, date: str, **fields: Any) -> dict[str, Any]:
    return {"object_type": f"TX_{kind}", "id": key, "date": date, **fields}


def stock(key: str, date: str, of: str, to: str, quantity: str, price: str, **more: Any) -> dict[str, Any]:
    return tx(
        "STOCK_ISSUANCE",
        f"tx-{key}",
        date,
        security_id=key,
        custom_id=key.upper(),
        stakeholder_id=to,
        stock_class_id=of,
        share_price=usd(price),
        quantity=quantity,
        security_law_exemptions=[],
        stock_legend_ids=[],
        **more,
    )


def option(key: str, date: str, quantity: str, price: str, **more: Any) -> dict[str, Any]:
    return tx(
        "EQUITY_COMPENSATION_ISSUANCE",
        f"tx-{key}",
        date,
        security_id=key,
        custom_id=key.upper(),
        stakeholder_id="ann",
        **{
            "stock_plan_id": "plan",
            "compensation_type": "OPTION_ISO",
            "quantity": quantity,
            "exercise_price": usd(price),
            "expiration_date": None,
            "termination_exercise_windows": [],
            "security_law_exemptions": [],
        }
        | more,
    )


def warrant(key: str, date: str, quantity: str, price: str, **more: Any) -> dict[str, Any]:
    trigger = {
        "trigger_id": f"{key}.1",
        "type": "ELECTIVE_AT_WILL",
        "conversion_right": {
            "type": "WARRANT_CONVERSION_RIGHT",
            "conversion_mechanism": {"type": "FIXED_AMOUNT_CONVERSION", "converts_to_quantity": quantity},
            "converts_to_stock_class_id": "common",
        },
    }
    return tx(
        "WARRANT_ISSUANCE",
        f"tx-{key}",
        date,
        security_id=key,
        custom_id=key.upper(),
        stakeholder_id="lender",
        **{
            "quantity": quantity,
            "exercise_price": usd(price),
            "purchase_price": usd("100.00"),
            "exercise_triggers": [trigger],
            "security_law_exemptions": [],
        }
        | more,
    )


def note(key: str, date: str, amount: str) -> dict[str, Any]:
    trigger = {
        "trigger_id": f"{key}.1",
        "type": "AUTOMATIC_ON_CONDITION",
        "trigger_condition": "next round",
        "conversion_right": {
            "type": "CONVERTIBLE_CONVERSION_RIGHT",
            "conversion_mechanism": {"type": "SAFE_CONVERSION", "conversion_mfn": False},
            "converts_to_future_round": True,
        },
    }
    return tx(
        "CONVERTIBLE_ISSUANCE",
        f"tx-{key}",
        date,
        security_id=key,
        custom_id=key.upper(),
        stakeholder_id="lender",
        investment_amount=usd(amount),
        convertible_type="SAFE",
        conversion_triggers=[trigger],
        seniority="1",
        security_law_exemptions=[],
    )


def adjustment(key: str, date: str, of: str, price: str, ratio: tuple[str, str], **more: Any) -> dict[str, Any]:
    mechanism = {
        "type": "RATIO_CONVERSION",
        "conversion_price": usd(price),
        "ratio": {"numerator": ratio[0], "denominator": ratio[1]},
        "rounding_type": "FLOOR",
    }
    return tx(
        "STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT",
        key,
        date,
        stock_class_id=of,
        new_ratio_conversion_mechanism=mechanism,
        **more,
    )


def split(key: str, date: str, new: str, old: str, of: str = "common") -> dict[str, Any]:
    ratio = {"numerator": new, "denominator": old}
    return tx("STOCK_CLASS_SPLIT", key, date, stock_class_id=of, split_ratio=ratio)


def start_up() -> list[dict[str, Any]]:
    """Founders, a plan, Series A, a warrant, a SAFE, a split and a down round: the price of A moves twice."""
    return [
        common(),
        preferred("a", "Series A Preferred", "2.00"),
        preferred("b", "Series B Preferred", "0.50"),
        {
            "object_type": "STOCK_PLAN",
            "id": "plan",
            "plan_name": "2020 Plan",
            "initial_shares_reserved": "200000",
            "stock_class_ids": ["common"],
        },
        person("ann", "Ann Founder"),
        person("bob", "Bob Founder"),
        person("fund", "Fund I, L.P."),
        person("fund2", "Fund II, L.P."),
        person("lender", "Bank"),
        stock("cs-1", "2019-01-15", "common", "ann", "600000", "0.0001"),
        stock("cs-2", "2019-01-15", "common", "bob", "400000", "0.0001"),
        stock("pa-1", "2020-03-02", "a", "fund", "300000", "2.00"),
        stock("pa-2", "2020-03-02", "a", "fund2", "200000", "2.00"),
        option("es-1", "2020-05-01", "50000", "0.25"),
        warrant("w-1", "2020-09-01", "20000", "2.50"),
        split("split-1", "2021-01-04", "2", "1"),
        note("cn-1", "2021-06-01", "100000.00"),
        stock("pb-1", "2022-02-01", "b", "fund2", "1000000", "0.50"),
    ]


def write(folder: Path, objects: list[dict[str, Any]], beside: Mapping[str, str] | None = None) -> Path:
    """A package of the objects, and CSV files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {
        "ocf_version": "1.2.0",
        "file_type": "OCF_MANIFEST_FILE",
        "issuer": {"object_type": "ISSUER", "id": "issuer", "legal_name": "Acme, Inc."},
        "as_of": "2022-12-31",
        "generated_at": "2023-01-01T00:00:00Z",
        "stock_legend_templates_files": [],
        "vesting_terms_files": [],
        "valuations_files": [],
    }
    for kind, (key, file_type, name) in KINDS.items():
        items = [one for one in objects if one["object_type"].startswith(kind)]
        data = json.dumps({"file_type": file_type, "items": items}).encode()
        (folder / name).write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        manifest[key] = [{"filepath": f"./{name}", "md5": digest}]
    (folder / ocf_files.MANIFEST).write_text(json.dumps(manifest))
    for name, text in (beside or {}).items():
        (folder / ocf.BESIDE).mkdir(exist_ok=True)
        (folder / ocf.BESIDE / f"{name}.csv").write_text(text)
    return folder


def zipped(folder: Path, file: Path, top: str = "") -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for one in sorted(folder.glob("*.json")):
            package.write(one, top + one.name)
    return file


def refused(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read_package(path)
    for problem in caught.value.problems:
        assert str(problem).isprintable(), problem
        assert problem.hint, problem
        assert problem.hint.isprintable(), problem
    return caught.value.problems


def the_problem(path: Path) -> Problem:
    (problem,) = refused(path)
    return problem


def cells(table: Table, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row.cells.get(column, "") for column in columns) for row in table.rows]


def company(path: Path) -> CompanyInput:
    (found,) = companies_of(read_package(path), str(path))
    return found


BESIDE = {"series": TERMS, "securities": NOTE}


def test_a_package_becomes_the_tables_of_an_input(tmp_path: Path) -> None:
    tables = read_package(write(tmp_path / "acme", start_up(), BESIDE))
    assert cells(tables["series"], "series", "company", "original_issue_price", "conversion_price", "method") == [
        ("Series A Preferred", "Acme, Inc.", "2", "2", "broad"),
        ("Series B Preferred", "Acme, Inc.", "0.5", "0.5", "broad"),
    ]
    assert cells(tables["series"], "share_rounding_type") == [("floor",), ("floor",)]
    assert cells(tables["capitalization"], "class", "kind", "shares") == [("Common Stock", "common", "0")]
    assert cells(tables["events"], "event", "kind") == [
        ("Common Stock 2019-01-15", "issuance"),
        ("Series A Preferred 2020-03-02", "issuance"),
        ("ES-1 2020-05-01", "issuance"),
        ("W-1 2020-09-01", "issuance"),
        ("Split 2021-01-04", "split"),
        ("CN-1 2021-06-01", "issuance"),
        ("Series B Preferred 2022-02-01", "issuance"),
    ]
    money = ("consideration", "paid", "exercise_price")
    assert cells(tables["securities"], "security", "kind", "shares", "category", *money) == [
        ("Common Stock", "shares", "1000000", "", "100", "", ""),
        ("Series A Preferred", "preferred", "500000", "", "1000000", "", ""),
        ("ES-1", "option", "50000", "plan", "", "", "0.25"),
        ("W-1", "warrant", "20000", "", "", "100", "2.5"),
        ("CN-1", "convertible_note", "50000", "", "100000", "", ""),
        ("Series B Preferred", "preferred", "1000000", "", "500000", "", ""),
    ]
    assert cells(tables["holders"], "series", "holder", "certificate", "shares") == [
        ("Series A Preferred", "Fund I, L.P.", "PA-1", "300000"),
        ("Series A Preferred", "Fund II, L.P.", "PA-2", "200000"),
        ("Series B Preferred", "Fund II, L.P.", "PB-1", "1000000"),
    ]


def test_the_whole_life_of_a_series_is_computed(tmp_path: Path) -> None:
    found = company(write(tmp_path / "acme", start_up(), BESIDE))
    changes = {change.event.event: change for change in found.history.of("Series A Preferred")}
    assert changes["Split 2021-01-04"].price == 1
    # 2,000,000 common, 500,000 A at a ratio of 2, options, warrant and note, as of the day of the round.
    before = Fraction(2_000_000 + 1_000_000 + 100_000 + 40_000 + 50_000)
    exact = (before + Fraction(500_000)) / (before + 1_000_000)
    assert changes["Series B Preferred 2022-02-01"].unrounded == exact
    assert changes["Series B Preferred 2022-02-01"].price == Fraction("0.8807")
    assert [holding.shares for holding in found.holdings["Series A Preferred"]] == [300_000, 200_000]


def test_a_zip_says_the_same_as_a_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    (tmp_path / "packed.xl_conversion").mkdir()
    for name, text in BESIDE.items():
        (tmp_path / "packed.xl_conversion" / f"{name}.csv").write_text(text)
    packed = zipped(folder, tmp_path / "packed.zip", "Acme/")
    of_folder, of_zip = read_package(folder), read_package(packed)
    assert is_package(packed)
    assert {n: [r.cells for r in t.rows] for n, t in of_zip.items()} == {
        n: [r.cells for r in t.rows] for n, t in of_folder.items()
    }


def test_all_that_is_missing_is_asked_for_at_once(tmp_path: Path) -> None:
    problems = refused(write(tmp_path / "acme", start_up()))
    asked = [(Path(p.file).name, p.row, p.column, p.unit) for p in problems]
    of_terms = ["method", "price_decimals", "ratio_decimals", "exempted"]
    assert asked == [
        *(("StockClasses.ocf.json", 2, column, "object") for column in of_terms),
        *(("StockClasses.ocf.json", 3, column, "object") for column in of_terms),
        ("Transactions.ocf.json", 8, "shares", "object"),
    ]
    assert "STOCK_CLASS a: the format has no place for it" in str(problems[0])
    assert "xl_conversion/series.csv, in a row with series=Series A Preferred" in problems[0].hint
    assert "event=CN-1 2021-06-01 and security=CN-1" in problems[-1].hint


def test_what_is_given_answers_what_is_asked(tmp_path: Path) -> None:
    """Each hint names the row and the column that end the problem."""
    folder = write(tmp_path / "acme", start_up(), {"series": TERMS})
    assert [p.column for p in refused(folder)] == ["shares"]
    (folder / ocf.BESIDE / "securities.csv").write_text(NOTE)
    assert read_package(folder)


def test_decimals_ask_how_they_are_rounded(tmp_path: Path) -> None:
    terms = "series,method,price_decimals,ratio_decimals,exempted\nSeries A Preferred,broad,2,4,\n"
    objects = [common(), preferred("a", "Series A Preferred", "2.00"), person("ann", "Ann")]
    objects.append(stock("pa-1", "2020-03-02", "a", "ann", "10", "2.00"))
    problems = refused(write(tmp_path / "acme", objects, {"series": terms}))
    assert [p.column for p in problems] == [
        "price_rounding_type",
        "carried_price",
        "ratio_basis",
        "ratio_rounding_type",
    ]


def test_a_problem_of_a_table_points_at_the_object(tmp_path: Path) -> None:
    objects = start_up()
    objects[1]["name"] = "Series A Preferred" + "!" * 300
    terms = TERMS.replace("Series A Preferred", objects[1]["name"])
    folder = write(tmp_path / "acme", objects, {"series": terms, "securities": NOTE})
    with pytest.raises(InputError) as caught:
        cases_of(read_package(folder), str(folder))
    first = caught.value.problems[0]
    assert (Path(first.file).name, first.row, first.unit) == ("StockClasses.ocf.json", 2, "object")


def test_a_problem_of_a_row_beside_the_package_points_at_it(tmp_path: Path) -> None:
    stated = "series,event,item,stated\nSeries A Preferred,Nothing,conversion_price,2.00\n"
    folder = write(tmp_path / "acme", start_up(), {**BESIDE, "stated": stated})
    with pytest.raises(InputError) as caught:
        cases_of(read_package(folder), str(folder))
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.row, problem.unit) == ("stated.csv", 2, "row")


def test_a_recorded_adjustment_is_tied_out(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        adjustment("adj-1", "2021-01-04", "a", "1.0000000000", ("2", "1")),
        adjustment("adj-2", "2022-02-01", "a", "0.8807", ("2.0000", "0.8807")),
    ]
    found = company(write(tmp_path / "acme", objects, BESIDE))
    name = "Series A Preferred"
    findings = tie_out_history(found.history.of(name), found.issuances[name], found.stated[name])
    assert len(findings) == 4
    assert not any(finding.is_exception for finding in findings)
    objects[-1] = adjustment("adj-2", "2022-02-01", "a", "0.8808", ("2.0000", "0.8808"))
    found = company(write(tmp_path / "acme", objects, BESIDE))
    findings = tie_out_history(found.history.of(name), found.issuances[name], found.stated[name])
    assert [f.item for f in findings if f.is_exception] == [Item.CONVERSION_PRICE, Item.CONVERSION_RATIO]


def test_an_adjustment_of_a_day_without_an_event_is_asked_about(tmp_path: Path) -> None:
    objects = [*start_up(), adjustment("adj-1", "2022-02-02", "a", "0.8807", ("2", "0.8807"))]
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert "no event of that day is the one that it is of" in problem.rule
    left_out = "id,reason\nadj-1,recorded a day later\n"
    stated = "series,event,item,stated\nSeries A Preferred,Series B Preferred 2022-02-01,conversion_price,0.8807\n"
    tables = read_package(write(tmp_path / "acme", objects, {**BESIDE, "left_out": left_out, "stated": stated}))
    assert cells(tables["stated"], "event", "stated") == [("Series B Preferred 2022-02-01", "0.8807")]


@pytest.mark.parametrize(
    ("transaction", "event"),
    [
        (
            tx("EQUITY_COMPENSATION_CANCELLATION", "x", "2020-06-01", security_id="es-1", quantity="50000"),
            ("End of ES-1 2020-06-01", "expiry", "ES-1", "50000"),
        ),
        (
            tx("PLAN_SECURITY_CANCELLATION", "x", "2020-06-01", security_id="es-1", quantity="50000"),
            ("End of ES-1 2020-06-01", "expiry", "ES-1", "50000"),
        ),
        (
            tx("WARRANT_CANCELLATION", "x", "2020-10-01", security_id="w-1", quantity="20000"),
            ("End of W-1 2020-10-01", "expiry", "W-1", "20000"),
        ),
        (
            tx("CONVERTIBLE_CANCELLATION", "x", "2021-07-01", security_id="cn-1", amount=usd("100000")),
            ("End of CN-1 2021-07-01", "expiry", "CN-1", ""),
        ),
        (
            tx("STOCK_REPURCHASE", "x", "2020-06-01", security_id="pa-1", quantity="300000", price=usd("2")),
            ("Redemption of PA-1 2020-06-01", "redemption", "", "300000"),
        ),
    ],
)
def test_what_becomes_of_a_security_is_an_event(
    tmp_path: Path, transaction: dict[str, Any], event: tuple[str, ...]
) -> None:
    folder = write(tmp_path / "acme", [*start_up(), transaction], BESIDE)
    assert event in cells(read_package(folder)["events"], "event", "kind", "security", "shares")
    assert company(folder).history


def test_an_exercise_adds_common_once(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        tx(
            "EQUITY_COMPENSATION_EXERCISE",
            "x",
            "2020-06-01",
            security_id="es-1",
            quantity="50000",
            resulting_security_ids=["cs-3"],
        ),
        stock("cs-3", "2020-06-01", "common", "ann", "50000", "0.25"),
    ]
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert ("Exercise of ES-1 2020-06-01", "exercise", "50000") in cells(
        tables["events"], "event", "kind", "shares"
    )
    assert [s for (s,) in cells(tables["securities"], "security")].count("Common Stock") == 1
    objects[-1] = stock("cs-3", "2020-06-01", "common", "ann", "30000", "0.25")
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert "50000 became 30000 shares" in problem.rule
    assert "left_out.csv" in problem.hint


def test_a_warrant_is_exercised_after_a_split(tmp_path: Path) -> None:
    exercise = tx("WARRANT_EXERCISE", "x", "2021-02-01", security_id="w-1", resulting_security_ids=["cs-3"])
    objects = [*start_up(), exercise, stock("cs-3", "2021-02-01", "common", "lender", "40000", "1.25")]
    folder = write(tmp_path / "acme", objects, BESIDE)
    assert ("Exercise of W-1 2021-02-01", "40000") in cells(read_package(folder)["events"], "event", "shares")
    assert company(folder).history


def test_preferred_that_converts(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        tx(
            "STOCK_CONVERSION",
            "x",
            "2020-06-01",
            security_id="pa-1",
            quantity_converted="100000",
            resulting_security_ids=["cs-3"],
            balance_security_id="pa-3",
        ),
        stock("cs-3", "2020-06-01", "common", "fund", "100000", "2.00"),
        stock("pa-3", "2020-06-01", "a", "fund", "200000", "2.00"),
    ]
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert ("conversion", "Series A Preferred", "100000") in cells(tables["events"], "kind", "series", "shares")
    assert cells(tables["holders"], "certificate", "shares") == [
        ("PA-2", "200000"),
        ("PA-3", "200000"),
        ("PB-1", "1000000"),
    ]
    objects[-1]["quantity"] = "200001"
    assert "200001 are there after it" in the_problem(write(tmp_path / "acme", objects, BESIDE)).rule


def transferred(*after: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        *start_up(),
        tx(
            "STOCK_TRANSFER",
            "x",
            "2020-06-01",
            security_id="pa-1",
            quantity="100000",
            resulting_security_ids=["pa-3"],
            balance_security_id="pa-4",
        ),
        *(stock(key, "2020-06-01", "a", "bob", quantity, "2.00") for key, quantity in after),
    ]


def test_transfers_change_who_holds_and_nothing_else(tmp_path: Path) -> None:
    objects = transferred(("pa-3", "100000"), ("pa-4", "200000"))
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    before = read_package(write(tmp_path / "before", start_up(), BESIDE))
    assert [row.cells for row in tables["events"].rows] == [row.cells for row in before["events"].rows]
    assert cells(tables["holders"], "holder", "certificate", "shares") == [
        ("Fund II, L.P.", "PA-2", "200000"),
        ("Bob Founder", "PA-3", "100000"),
        ("Bob Founder", "PA-4", "200000"),
        ("Fund II, L.P.", "PB-1", "1000000"),
    ]


@pytest.mark.parametrize(
    "after", [[("pa-3", "100000")], [("pa-3", "100000"), ("pa-4", "1")], [("pa-3", "1"), ("pa-4", "299999")]]
)
def test_a_transfer_that_loses_shares_asks_for_the_holders(tmp_path: Path, after: list[tuple[str, str]]) -> None:
    objects = transferred(*after)
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert "holders.csv" in problem.hint
    holders = "series,holder,shares\nSeries A Preferred,Bob,500000\n"
    tables = read_package(write(tmp_path / "acme", objects, {**BESIDE, "holders": holders}))
    assert cells(tables["holders"], "holder", "shares") == [("Fund II, L.P.", "1000000"), ("Bob", "500000")]


def test_what_was_retracted_was_never_issued(tmp_path: Path) -> None:
    retraction = tx("CONVERTIBLE_RETRACTION", "x", "2021-06-02", security_id="cn-1", reason_text="an error")
    tables = read_package(write(tmp_path / "acme", [*start_up(), retraction], {"series": TERMS}))
    assert "CN-1" not in [s for (s,) in cells(tables["securities"], "security")]


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ([split("x", "2022-03-01", "2", "1", "a")], "a split of preferred changes its original issue price"),
        (
            [tx("STOCK_CANCELLATION", "x", "2020-06-01", security_id="cs-1", quantity="5", reason_text="")],
            "common becomes less",
        ),
        (
            [tx("CONVERTIBLE_CANCELLATION", "x", "2021-07-01", security_id="cn-1", amount=usd("5"))],
            "it is of a part",
        ),
        ([tx("CONVERTIBLE_CANCELLATION", "x", "2021-07-01", security_id="cn-1")], "it is of a part"),
        ([tx("STOCK_REPURCHASE", "x", "2021-07-01", quantity="5")], "no security '' has been issued"),
        ([tx("SOMETHING_NEW", "x", "2020-06-01")], "what it does to the capitalization is not known here"),
        (
            [tx("EQUITY_COMPENSATION_REPRICING", "x", "2020-06-01", security_id="es-1")],
            "what it does to the capitalization is not known here",
        ),
        ([stock("pa-9", "2020-03-02", "a", "nobody", "5", "2.00")], "there is no such stakeholder"),
        ([stock("pa-9", "2020-03-02", "a", "fund", "5", "1.00")], "stock of the day has several prices"),
        ([stock("pa-9", "2021-02-01", "a", "fund", "5", "2.00")], "no ratio is recorded after the split"),
        ([stock("cs-9", "2020-06-01", "common", "ann", "5.00000000001", "1")], "at most ten decimals"),
        ([warrant("w-9", "2020-09-02", "5", "1", quantity_source="INSTRUMENT_MIN")], "INSTRUMENT_MIN"),
        ([option("es-9", "2020-09-02", "5", "1", compensation_type="CSAR")], "CSAR is no option to buy shares"),
    ],
)
def test_what_is_not_said_is_asked_for_not_guessed(tmp_path: Path, more: list[dict[str, Any]], rule: str) -> None:
    problems = refused(write(tmp_path / "acme", [*start_up(), *more], BESIDE))
    assert any(rule in problem.rule for problem in problems), problems
    assert any(more[-1]["id"] in problem.rule for problem in problems) or "several prices" in rule


def test_a_later_closing_counts_at_the_ratio_recorded(tmp_path: Path) -> None:
    recorded = adjustment("adj-1", "2021-01-04", "a", "1", ("2", "1"))
    objects = [*start_up(), recorded, stock("pa-9", "2021-02-01", "a", "fund", "5", "2.00")]
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert ("Series A Preferred 2021-02-01", "10") in cells(tables["securities"], "event", "shares")


def test_a_later_closing_after_a_cheaper_issuance_is_asked_about(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        stock("cs-8", "2020-10-01", "common", "ann", "1000", "0.10"),
        stock("pa-9", "2020-11-01", "a", "fund", "5", "2.00"),
    ]
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert "Common Stock 2020-10-01, which may have moved the price" in problem.rule
    assert problem.column == "shares"


def test_the_price_of_a_class_follows_from_its_ratio(tmp_path: Path) -> None:
    objects = start_up()
    mechanism = objects[1]["conversion_rights"][0]["conversion_mechanism"]
    del mechanism["conversion_price"]
    mechanism["ratio"] = {"numerator": "4", "denominator": "3"}
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert cells(tables["series"], "conversion_price")[0] == ("1.5",)
    mechanism["conversion_price"] = usd("1.40")
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert (problem.column, "is not its ratio" in problem.rule) == ("conversion_price", True)


def test_a_class_that_says_the_price_of_today_is_asked_about(tmp_path: Path) -> None:
    objects = [*start_up(), adjustment("adj-1", "2021-01-04", "a", "2.00", ("1", "1"))]
    problem = the_problem(write(tmp_path / "acme", objects, BESIDE))
    assert "its conversion price is that of the last adjustment" in problem.rule


def test_objects_are_left_out_by_name_and_with_a_reason(tmp_path: Path) -> None:
    left_out = {"left_out": "id,reason\ntx-cn-1,never converted\n"}
    tables = read_package(write(tmp_path / "acme", start_up(), {"series": TERMS, **left_out}))
    assert "CN-1" not in [s for (s,) in cells(tables["securities"], "security")]
    for wrong, rule in (("tx-cn-2,why", "no object has that id"), ("tx-cn-1,", "a value is required")):
        beside = {**BESIDE, "left_out": f"id,reason\n{wrong}\n"}
        assert rule in the_problem(write(tmp_path / "acme", start_up(), beside)).rule


def test_a_note_that_was_left_out_becomes_preferred_like_any_other(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        tx("CONVERTIBLE_CONVERSION", "x", "2022-02-01", security_id="cn-1", resulting_security_ids=["pb-2"]),
        stock("pb-2", "2022-02-01", "b", "lender", "200000", "0.50"),
    ]
    left_out = {"left_out": "id,reason\ntx-cn-1,exempted by the charter\n"}
    tables = read_package(write(tmp_path / "acme", objects, {"series": TERMS, **left_out}))
    assert ("Series B Preferred", "1200000", "600000") in cells(
        tables["securities"], "security", "shares", "consideration"
    )
    assert ("Bank", "200000") in cells(tables["holders"], "holder", "shares")


def test_what_was_retracted_after_a_transfer_is_asked_about(tmp_path: Path) -> None:
    """Else shares would be lost without a word."""
    retraction = tx("STOCK_RETRACTION", "y", "2020-06-02", security_id="pa-3", reason_text="an error")
    objects = [*transferred(("pa-3", "100000"), ("pa-4", "200000")), retraction]
    assert "which was not only issued: x" in the_problem(write(tmp_path / "acme", objects, BESIDE)).rule


def test_a_note_that_was_left_out_becomes_a_warrant_like_any_other(tmp_path: Path) -> None:
    objects = [
        *start_up(),
        tx("CONVERTIBLE_CONVERSION", "x", "2022-02-01", security_id="cn-1", resulting_security_ids=["w-2"]),
        warrant("w-2", "2022-02-01", "30000", "0.50"),
    ]
    left_out = {"left_out": "id,reason\ntx-cn-1,exempted by the charter\n"}
    tables = read_package(write(tmp_path / "acme", objects, {"series": TERMS, **left_out}))
    assert ("W-2", "30000") in cells(tables["securities"], "security", "shares")


def test_an_adjustment_is_of_an_event_that_concerns_its_series(tmp_path: Path) -> None:
    """Not of a redemption of another series that happens to be of that day."""
    objects = [
        *start_up(),
        tx("STOCK_REPURCHASE", "x", "2022-02-01", security_id="pb-1", quantity="1000000", price=usd("1")),
        adjustment("adj-1", "2022-02-01", "a", "0.8807", ("2", "0.8807")),
    ]
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert set(cells(tables["stated"], "event")) == {("Series B Preferred 2022-02-01",)}


@pytest.mark.parametrize("text", ["1e999999999", "9" * 1000, "1/0", "abc"])
def test_a_figure_beside_the_package_is_never_computed_without_end(tmp_path: Path, text: str) -> None:
    objects = [*start_up(), stock("pa-9", "2020-11-01", "a", "fund", "5", "2.00")]
    securities = f"event,security,consideration,shares\nW-1 2020-09-01,W-1,{text},\nCN-1 2021-06-01,CN-1,,50000\n"
    problems = refused(write(tmp_path / "acme", objects, {"series": TERMS, "securities": securities}))
    assert "which may have moved the price" in problems[0].rule


def test_two_holders_of_one_name_are_two_holders(tmp_path: Path) -> None:
    objects = start_up()
    objects[7]["name"]["legal_name"] = "Fund I, L.P."
    tables = read_package(write(tmp_path / "acme", objects, BESIDE))
    assert cells(tables["holders"], "holder")[:2] == [("Fund I, L.P. (fund)",), ("Fund I, L.P. (fund2)",)]


def test_money_is_in_one_currency(tmp_path: Path) -> None:
    objects = start_up()
    objects[-1]["share_price"]["currency"] = "EUR"
    assert "EUR, USD" in the_problem(write(tmp_path / "acme", objects, BESIDE)).rule


def test_a_series_beside_the_package_is_one_of_its_classes(tmp_path: Path) -> None:
    terms = TERMS.replace("Series B", "Serie B")
    problems = refused(write(tmp_path / "acme", start_up(), {"series": terms, "securities": NOTE}))
    assert "did you mean Series B Preferred?" in [problem.hint for problem in problems]


# Files that are not to be trusted.


def test_what_is_a_package(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", start_up())
    packed = zipped(folder, tmp_path / "acme.zip")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("series.csv", "series")
        other.writestr("__MACOSX/._Manifest.ocf.json", "")
    assert is_package(folder)
    assert is_package(packed)
    for name in ("empty", "text.zip", "other.zip", "nothing", "acme/Transactions.ocf.json"):
        assert not is_package(tmp_path / name), name


def repacked(folder: Path, **changed: Any) -> Path:
    """The package with other names of files in its manifest."""
    manifest = json.loads((folder / ocf_files.MANIFEST).read_text())
    (folder / ocf_files.MANIFEST).write_text(json.dumps(manifest | changed))
    return folder


@pytest.mark.parametrize(
    "name",
    ["../secret.json", "/etc/passwd", "a/../../secret.json", "..\\secret.json", "C:secret.json", "", "a\x00b"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_no_file_outside_of_the_package_is_read(tmp_path: Path, name: str, packed: bool) -> None:
    (tmp_path / "secret.json").write_text('{"items": []}')
    folder = repacked(write(tmp_path / "acme", start_up(), BESIDE), stock_plans_files=[{"filepath": name}])
    problem = the_problem(zipped(folder, tmp_path / "acme.zip") if packed else folder)
    assert "named twice or outside of the package" in problem.rule


def test_no_link_leads_out_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"items": []}')
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    repacked(folder, stock_plans_files=[{"filepath": "link.json"}])
    assert the_problem(folder).rule == "it is outside of the package"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"items": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
        ('{"items": [{"id": ' + "[" * 40 + "]" * 40 + "}]}", "deep in one another"),
        ('{"items": [{"id": NaN}]}', "not JSON"),
        ('{"items": [], "items": []}', "not JSON"),
        ('{"items": [1]}', "no list of objects in items"),
        ("[]", "not an object"),
        ("\xff", "not an object"),
        ('{"items": [{"object_type": "STOCK_PLAN"}]}', "every object has an id"),
        ('{"items": [{"object_type": "STOCK_PLAN", "id": "common"}]}', "has that id"),
    ],
)
def test_defective_files_are_refused(tmp_path: Path, text: str, rule: str) -> None:
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    (folder / "plans.json").write_bytes(text.encode("latin-1") if text == "\xff" else text.encode())
    repacked(folder, stock_plans_files=[{"filepath": "plans.json"}])
    problems = refused(folder)
    assert rule in problems[0].rule or "not JSON" in problems[0].rule


def test_an_md5_that_is_another_is_told_in_the_note(tmp_path: Path) -> None:
    """Samples published with the format have old ones."""
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    manifest = folder / ocf_files.MANIFEST
    plain = read_package(folder)
    content = json.loads(manifest.read_text())
    for entry in content["stock_plans_files"]:
        del entry["md5"]
    for entry in content["stock_classes_files"]:
        entry["md5"] = entry["md5"].upper()
    for key in ("transactions_files", "stakeholders_files"):
        content[key][0]["md5"] = "c3e68dd645c6ab810f036923706355c8"
    manifest.write_text(json.dumps(content))
    found = read_package(folder)
    for before, after in zip(plain["series"].rows, found["series"].rows, strict=True):
        note, _, files = after.cells["note"].partition("; MD5 other than in Manifest.ocf.json: ")
        assert sorted(files.split(", ")) == ["Stakeholders.ocf.json", "Transactions.ocf.json"]
        assert {**after.cells, "note": note} == before.cells
    assert {name: table.rows for name, table in found.items() if name != "series"} == {
        name: table.rows for name, table in plain.items() if name != "series"
    }


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    packed = zipped(folder, tmp_path / "acme.zip")
    monkeypatch.setattr(ocf_files, "MAX_UNPACKED", 1000)
    assert "unpacked" in the_problem(packed).rule
    assert all("unpacked" in problem.rule for problem in refused(folder))


@pytest.mark.parametrize("claimed", [10, 10_000_000])
def test_a_lying_size_is_refused(tmp_path: Path, claimed: int) -> None:
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    packed = zipped(folder, tmp_path / "acme.zip")
    data = bytearray(packed.read_bytes())
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        if data[start + 46 :].startswith(b"Transactions"):
            data[start + 24 : start + 28] = struct.pack("<I", claimed)
        start += 4
    packed.write_bytes(data)
    problem = the_problem(packed)
    assert "unpack" in problem.rule


def test_an_archive_with_too_many_or_twice_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "acme", start_up())
    packed = zipped(folder, tmp_path / "acme.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(packed, "a") as more:
        more.writestr("Transactions.ocf.json", "{}")
    assert "two files in it have one name" in the_problem(packed).rule
    monkeypatch.setattr(ocf_files, "MAX_FILES", 2)
    assert "more than 2 files" in the_problem(packed).rule


def test_there_is_one_manifest(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", start_up())
    packed = zipped(folder, tmp_path / "acme.zip", "one/")
    with zipfile.ZipFile(packed, "a") as more:
        more.writestr("two/Manifest.ocf.json", "{}")
    assert "2 files Manifest.ocf.json" in the_problem(packed).rule
    (folder / ocf_files.MANIFEST).unlink()
    assert "there is no such file" in the_problem(folder).rule


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["a", "common", "1", "pa-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["amount", "numerator", "name", "id"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_field_may_be_anything(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Read, or refused with problems that say where; nothing else is raised."""
    objects = copy.deepcopy(transferred(("pa-3", "100000"), ("pa-4", "200000")))
    objects += [
        adjustment("adj-1", "2022-02-01", "a", "0.8807", ("2", "0.8807")),
        tx("STOCK_REPURCHASE", "y", "2022-03-01", security_id="pb-1", quantity="1000000", price=usd("1")),
        tx("CONVERTIBLE_CANCELLATION", "z", "2021-07-01", security_id="cn-1", amount=usd("100000")),
        tx("WARRANT_EXERCISE", "w", "2022-03-01", security_id="w-1", resulting_security_ids=["cs-3"]),
        stock("cs-3", "2022-03-01", "common", "lender", "40000", "1.25"),
    ]
    one = data.draw(st.sampled_from(objects))
    key = data.draw(st.sampled_from(sorted(set(one) - {"object_type"})))
    one[key] = data.draw(JSON)
    folder = write(tmp_path_factory.mktemp("any") / "acme", objects, BESIDE)
    problems: tuple[Problem, ...] = ()
    try:
        companies_of(read_package(folder), str(folder))
    except InputError as refusal:
        problems = refusal.problems
    assert all(problem.file and problem.rule for problem in problems)


def test_cases_are_read_from_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", start_up(), BESIDE)
    cases: list[Case] = cases_of(read_package(folder), str(folder))
    assert [case.series.name for case in cases] == ["Series A Preferred", "Series B Preferred"]
    assert cases[0].digest == cases_of(read_package(folder), "elsewhere")[0].digest
