"""Register, Holders, Sensitivity and Notice of the template: right in LibreOffice, whatever is in the inputs."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import count
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Error, Office
from support.ooxml import Finding

from xl_conversion.books.page import Book, Page
from xl_conversion.books.saving import save_workbook
from xl_conversion.books.templates.filling import Content, Filling
from xl_conversion.books.templates.lines import by_function
from xl_conversion.books.templates.model import Model
from xl_conversion.books.templates.sheets import holders, notice, register, sensitivity
from xl_conversion.books.templates.sheets.rounding import rounded
from xl_conversion.books.widths import lines
from xl_conversion.core.adjustments import cash_in_lieu, conversion_shares, round_price, weighted_average
from xl_conversion.core.holders import Holding, convert
from xl_conversion.core.rounding import RoundingType, round_to, round_whole
from xl_conversion.core.terms import Basis, Method, Series, SharesPer

Value = float | str | Error | None

NOTICE: Mapping[str, Content] = {
    "COMPANY": "Vsource, Inc.",
    "SERIES": "Series 2-A Convertible Preferred",
    "CLAUSE": "Section 7d(6)",
    "EVENT": "Convertible notes and warrants issued at about ten cents",
    "EVENT_DATE": date(2002, 2, 5),
    "AS_OF": date(2002, 2, 5),
    "CURRENCY": None,
    "OIP": Fraction("6.41"),
    "IN_CP1": Fraction("6.41"),
    "IN_A": Fraction(33_831_184),
    "IN_C": Fraction(1_411_724),
    "IN_X": Fraction(115_559_617),
    "IN_Y": Fraction(1_411_724),
    "IN_K": Fraction("8187842.70"),
    "MARKET": Fraction("0.10"),
    "SENS_SIZE": Fraction(10_000_000),
    "SENS_SIZE_STEP": Fraction(10_000_000),
    "SENS_PRICE": Fraction("0.10"),
    "SENS_PRICE_STEP": Fraction("0.50"),
}
TERMS: Mapping[str, Content] = {
    "METHOD": Method.BROAD.value,
    "PRICE_DECIMALS": Fraction(2),
    "PRICE_TYPE": RoundingType.HALF_UP.value,
    "RATIO_DECIMALS": Fraction(2),
    "RATIO_TYPE": RoundingType.HALF_UP.value,
    "BASIS": Basis.UNROUNDED.value,
    "SHARE_TYPE": RoundingType.FLOOR.value,
    "SHARES_PER": SharesPer.HOLDER.value,
    "CASH_DECIMALS": Fraction(2),
    "CASH_TYPE": RoundingType.HALF_UP.value,
}
CONSTANTS = {
    "ZERO": Fraction(0),
    "ONE": Fraction(1),
    "TEN": Fraction(10),
    "HALF": Fraction(1, 2),
    "GUARD": Fraction(6),
    "TOLERANCE": Fraction("1e-9"),
    "TOLERANCE_AMOUNT": Fraction("1e-6"),
}
LISTS = {"METHODS": Method, "TYPES": RoundingType, "BASES": Basis, "PER": SharesPer}
REQUIRED = ("OIP", "IN_CP1", "IN_A", "IN_C", "IN_X", "IN_Y", "IN_K")
FIGURES = {
    "UNROUNDED_IN": "IN_CP1",
    "CP0": "IN_CP1",
    "CP1": "IN_CP1",
    "A": "IN_A",
    "K": "IN_K",
    "C": "IN_C",
    "X": "IN_X",
    "Y": "IN_Y",
    "B": "K/CP1",
    "N": "A+B+C",
    "D": "X+Y",
    "I": "D-A-C",
    "CP2": "MIN(CP1, CP1*N/D)",
    "CP2r": f"IF(CP2<CP1, MIN({rounded('CP2', 'PRICE_DECIMALS', 'PRICE_TYPE')}, CP0), CP0)",
    "CPu": "IF(CP2<CP1, CP2, UNROUNDED_IN)",
    "CPb": "IF(BASIS=BASES_rounded, CP2r, CPu)",
    "R0": "OIP/IF(BASIS=BASES_rounded, CP0, UNROUNDED_IN)",
    "R": "OIP/CPb",
    "Rr": rounded("R", "RATIO_DECIMALS", "RATIO_TYPE"),
    "L": "I",
    "P": "K/L",
    "PRICE_NOW": "CP2r",
    "PRICE_NOW_UNROUNDED": "CPu",
}
TITLES = {"Register": register, "Holders": holders, "Sensitivity": sensitivity, "Notice": notice}


@dataclass(frozen=True)
class Built:
    """The workbook, and where its symbols stand."""

    path: Path
    model: Model

    def at(self, symbol: str) -> tuple[str, str]:
        place = self.model.places[symbol]
        return place.sheet, place.first


def build(
    path: Path,
    given: Mapping[str, Content],
    held: Sequence[Holding] = (),
    *,
    rows: int = register.ROWS,
    master: str = "OK",
    titles: Sequence[str] = tuple(TITLES),
    save: bool = True,
) -> Built:
    """The sheets `titles`, and the figures that they refer to on a sheet of their own."""
    book = Book("Trial", date(2002, 2, 5), overwritten=True)
    table = [{"Holder": h.holder, "Certificate": h.certificate or None, "Shares": h.shares} for h in held]
    model = Model(book, Filling(tables={"in_holders": table}))
    inputs = book.page("Inputs", "", (24, 24, 24))
    write: Mapping[str, Callable[[Page], None]] = {
        "Register": lambda page: register.write_register(model, page, rows),
        "Holders": lambda page: holders.write_holders(model, page, rows),
        "Sensitivity": lambda page: sensitivity.write_sensitivity(model, page),
        "Notice": lambda page: notice.write_notice(model, page),
    }
    inputs.sheet.page_setup.fitToHeight = 1
    write_figures(model, inputs, {**dict.fromkeys(NOTICE), **TERMS, **given}, master)
    for title in titles:
        sheet = TITLES[title]
        write[title](book.page(title, sheet.PURPOSE, sheet.WIDTHS, landscape=title != "Notice"))
    book.show_status(model.places["MASTER"].address(), master)
    if save:
        save_workbook(book.workbook, book.cached, path, as_of=book.as_of)
    return Built(path, model)


def write_figures(model: Model, page: Page, given: Mapping[str, Content], master: str) -> None:
    rows = count(page.row)
    for symbol, content in {**given, **CONSTANTS}.items():
        model.content(page, f"B{next(rows)}", symbol, content, "@" if isinstance(content, str) else "General")
    for stem, words in LISTS.items():
        for word in words:
            model.listed(page, f"B{next(rows)}", f"{stem}_{word.value}", word.value)
    model.listed(page, f"B{next(rows)}", "MASTER", master)
    first, last = next(rows), next(rows)
    model.range(page, "L_EVENT", f"B{first}", f"B{last}")  # no later events
    numbers = ", ".join(f"ISNUMBER({symbol})" for symbol in REQUIRED)
    model.formula(page, f"B{next(rows)}", f"AND({numbers})", symbol="READY")
    model.formula(page, f"B{next(rows)}", "CP_VERSION()", symbol="VERSION")
    for symbol, formula in FIGURES.items():
        model.formula(page, f"B{next(rows)}", f'IF(READY, {formula}, "")', symbol=symbol, align="right")
    model.formula(page, f"B{next(rows)}", "CPb", symbol=by_function("CPb"), align="right")


def registers(seed: int) -> list[Holding]:
    """Holders, some of them with several certificates, in any order."""
    chance = random.Random(seed)  # noqa: S311
    names = [f"Holder {place}" for place in range(chance.randint(1, 12))] + [
        "A*",
        "12",
        ">5",
        "May 5",
        "Who?",
        "~",
    ]
    return [
        Holding(chance.choice(names), Fraction(chance.randint(1, 10 ** chance.randint(1, 7))), f"P-{place}")
        for place in range(chance.randint(1, register.ROWS))
    ]


def opened(office: Office, built: Built) -> dict[tuple[str, str], Value]:
    with office.session() as session:
        return dict(session.open(built.path).values())


def is_error(value: Value) -> bool:
    return isinstance(value, Error)


def the_same(value: Value, cached: object) -> bool:
    if isinstance(cached, str) or isinstance(value, str) or value is None:
        return (value or "") == cached
    return not isinstance(value, Error) and value == pytest.approx(float(str(float(cached))), rel=1e-13, abs=1e-15)  # type: ignore[arg-type]


BIG = [Holding(f"Holder {place % 20}", Fraction(1000 * place + 7), f"P-{place}") for place in range(30)]
FEW = [
    Holding("Ann Lee", Fraction(101), "P-1"),
    Holding("Bob", Fraction(7), "P-2"),
    Holding("Ann Lee", Fraction(333), "P-3"),
]
OTHER_TERMS = {
    "METHOD": Method.FULL_RATCHET.value,
    "SHARE_TYPE": RoundingType.HALF_EVEN.value,
    "SHARES_PER": SharesPer.CERTIFICATE.value,
}


class TestInLibreOffice:
    @pytest.mark.parametrize(
        ("given", "held", "rows", "master"),
        [
            (NOTICE, FEW, register.ROWS, "OK"),
            ({}, [], register.ROWS, "OPEN"),
            ({**NOTICE, **OTHER_TERMS}, BIG, 33, "CHECK"),
            ({**NOTICE, "MARKET": None, "PRICE_DECIMALS": Fraction(15)}, FEW, 3, "NO ADD-IN"),
        ],
        ids=["the notice", "blank", "thirty rows", "no market price"],
    )
    def test_every_value_is_the_one_that_is_stored(
        self,
        calc: Office,
        tmp_path: Path,
        given: Mapping[str, Content],
        held: Sequence[Holding],
        rows: int,
        master: str,
    ) -> None:
        built = build(tmp_path / "book.xlsx", given, held, rows=rows, master=master)
        values = opened(calc, built)
        assert not [key for key, value in values.items() if is_error(value)]
        cached = built.model.book.cached
        assert len(cached) > 300
        assert not {key: (values.get(key), c) for key, c in cached.items() if not the_same(values.get(key), c)}
        results = {values.get(built.at(check.result), "") for check in built.model.checks}
        assert results <= ({"OPEN", ""} if not given else {"OK", ""})

    @pytest.mark.parametrize("given", [NOTICE, {}], ids=["the notice", "blank"])
    def test_each_sheet_is_one_page_and_nothing_is_cut(
        self, calc: Office, tmp_path: Path, given: Mapping[str, Content]
    ) -> None:
        built = build(tmp_path / "book.xlsx", given, FEW if given else ())
        pdf = calc.pdf(built.path, tmp_path / "pdf")
        text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True)
        assert text.stdout.count("\f") == 1 + len(TITLES)
        assert "###" not in text.stdout

    def test_without_the_add_in_native_formulas_work_and_checks_say_so(
        self, office: Office, tmp_path: Path
    ) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE, FEW)
        values = opened(office, built)
        cached = built.model.book.cached
        for symbol in (
            "HOLDERS_PREFERRED",
            "HOLDERS_COMMON",
            "HOLDERS_CASH",
            "HOLDERS_AGGREGATE",
            "SN3_2",
            "SR3_2",
        ):
            assert the_same(values[built.at(symbol)], cached[built.at(symbol)])
        results = {check.label: values.get(built.at(check.result), "") for check in built.model.checks}
        assert results["Array formula of CP_WEIGHTED_AVERAGE, greatest difference"] == "NO ADD-IN"
        assert values[built.at("HO1_COMMON_RESULT")] == "NO ADD-IN"
        assert values.get(built.at("HO3_COMMON_RESULT"), "") == ""
        assert results["Preferred of the register, each share once"] == "OK"
        notices = [value for (sheet, _), value in values.items() if sheet == "Notice"]
        assert not any(map(is_error, notices))


class TestHolders:
    def expected(
        self, series: Series, price: Fraction, held: Sequence[Holding], market: Fraction
    ) -> tuple[dict[str, int], Fraction]:
        """Common by holder, and cash of all, exactly."""
        cash = Fraction(0)
        if series.share_rounding_type is RoundingType.FLOOR:
            lots: dict[str, list[Fraction]] = {}
            for holding in held:
                lots.setdefault(holding.holder, []).append(holding.shares)
            for shares in lots.values():
                each = [sum(shares, Fraction(0))] if series.shares_per is SharesPer.HOLDER else shares
                for lot in each:
                    paid = cash_in_lieu(lot, series.original_issue_price, price, market)
                    cash += round_to(paid, 2, RoundingType.HALF_UP)
        return {got.holder: got.common for got in convert(series, price, held)}, cash

    def test_a_hundred_registers(self, calc: Office, tmp_path: Path) -> None:
        """Each against exact fractions by the stored values, every tenth by LibreOffice's own."""
        seen = set()
        for seed in range(100):
            chance = random.Random(seed)  # noqa: S311
            kind, per = list(RoundingType)[seed % 4], list(SharesPer)[seed // 4 % 2]
            seen.add((kind, per))
            held, again = registers(seed), seed % 10 == seed // 10
            given: dict[str, Content] = {
                **NOTICE,
                "OIP": Fraction(chance.randint(1, 5000), 100),
                "IN_CP1": Fraction(chance.randint(200, 5000), 100),
                "IN_K": Fraction(chance.randint(1, 10**9), 100),
                "MARKET": Fraction(chance.randint(1, 1000), 100),
                "BASIS": chance.choice(list(Basis)).value,
                "SHARE_TYPE": kind.value,
                "SHARES_PER": per.value,
            }
            built = build(tmp_path / f"{seed}.xlsx", given, held, titles=("Register", "Holders"), save=again)
            number = {symbol: value for symbol, value in given.items() if isinstance(value, Fraction)}
            increase = number["IN_X"] + number["IN_Y"] - number["IN_A"] - number["IN_C"]
            price = weighted_average(number["IN_CP1"], number["IN_A"], number["IN_K"], increase, number["IN_C"])
            if given["BASIS"] == Basis.ROUNDED.value:
                price = round_price(price, 2, RoundingType.HALF_UP, not_above=number["IN_CP1"])
            series = Series("", "", number["OIP"], number["IN_CP1"], share_rounding_type=kind, shares_per=per)
            common, cash = self.expected(series, price, held, number["MARKET"])
            cached = built.model.book.cached
            values = opened(calc, built) if again else cached
            got: dict[str, float] = {}
            for place, holding in enumerate(held, start=1):
                shares = values.get(built.at(f"HO{place}_COMMON"), "")
                got[holding.holder] = got.get(holding.holder, 0) + (shares if isinstance(shares, float) else 0)
                assert values.get(built.at(by_function(f"HO{place}_COMMON")), "") == shares
            assert got == common, seed
            preferred = sum((holding.shares for holding in held), Fraction(0))
            assert values[built.at("HOLDERS_PREFERRED")] == preferred
            assert values[built.at("HOLDERS_COMMON")] == sum(common.values())
            together = round_whole(conversion_shares(preferred, number["OIP"], price), kind)
            assert values[built.at("HOLDERS_AGGREGATE")] == together
            assert values[built.at("HOLDERS_ROUNDING")] == sum(common.values()) - together
            if kind is RoundingType.FLOOR:
                assert values[built.at("HOLDERS_CASH")] == pytest.approx(float(cash), abs=1e-9)
            else:
                assert values.get(built.at("HOLDERS_CASH"), "") == ""
        assert len(seen) == 8

    def test_a_holder_with_several_rows_counts_once_or_by_certificate(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE, FEW)
        with calc.session() as session:
            document = session.open(built.path)
            assert document.value(*built.at("HO1_PREFERRED")) == 434
            assert document.value(*built.at("HO3_PREFERRED")) == "with no. 1"
            document.set(*built.at("SHARES_PER"), SharesPer.CERTIFICATE.value)
            assert document.value(*built.at("HO1_PREFERRED")) == 101
            assert document.value(*built.at("HO3_PREFERRED")) == 333
            document.set(*built.at("H4_HOLDER"), " ANN LEE ")
            document.set(*built.at("H4_SHARES"), 5.0)
            document.set(*built.at("SHARES_PER"), SharesPer.HOLDER.value)
            assert document.value(*built.at("HO1_PREFERRED")) == 439
            assert document.value(*built.at("HOLDERS_PREFERRED")) == 446

    def test_rows_that_are_not_complete_are_told(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE, FEW)
        with calc.session() as session:
            document = session.open(built.path)
            document.set(*built.at("H2_HOLDER"), None)
            assert document.value(*built.at("H2_COMPLETE")) == "CHECK"
            assert document.value(*built.at("HOLDERS_ALL_RESULT")) == "CHECK"
            assert document.value(*built.at("HOLDERS_INCOMPLETE_RESULT")) == "CHECK"
            document.set(*built.at("H2_HOLDER"), "Bob")
            assert document.value(*built.at("HOLDERS_ALL_RESULT")) == "OK"
            assert document.value(*built.at("HOLDERS_INCOMPLETE_RESULT")) == "OK"
            document.set(*built.at("H2_SHARES"), None)
            assert document.value(*built.at("HOLDERS_INCOMPLETE_RESULT")) == "CHECK"

    def test_a_wrong_native_figure_is_found(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE, FEW)
        with calc.session() as session:
            document = session.open(built.path)
            for symbol, check in (("HO1_COMMON", "HO1_COMMON"), ("HO2_CASH", "HO2_CASH")):
                document.set(*built.at(symbol), 1.0)
                assert document.value(*built.at(f"{check}_RESULT")) == "CHECK"


class TestSensitivity:
    def grid(self, values: Mapping[tuple[str, str], Value], built: Built, stem: str) -> list[list[Value]]:
        sizes, prices = range(1, sensitivity.SIZES + 1), range(1, sensitivity.PRICES + 1)
        return [[values.get(built.at(f"{stem}{i}_{j}")) for j in prices] for i in sizes]

    def exact(self, size: Fraction, step: Fraction, price: Fraction, more: Fraction) -> list[list[Fraction]]:
        cp1, a, c = (Fraction(str(NOTICE[symbol])) for symbol in ("IN_CP1", "IN_A", "IN_C"))
        return [
            [
                weighted_average(cp1, a, (size + i * step) * (price + j * more), size + i * step, c)
                for j in range(sensitivity.PRICES)
            ]
            for i in range(sensitivity.SIZES)
        ]

    def test_both_grids_are_exact_also_after_the_axes_change(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE)
        axes = (
            [10_000_000, 10_000_000, Fraction("0.1"), Fraction("0.5")],
            [5000, 12_345, Fraction(5), Fraction("0.7")],
        )
        with calc.session() as session:
            document = session.open(built.path)
            for axis in axes:
                for symbol, value in zip(
                    ("SENS_SIZE", "SENS_SIZE_STEP", "SENS_PRICE", "SENS_PRICE_STEP"), axis, strict=True
                ):
                    document.set(*built.at(symbol), float(value))
                values = document.values()
                wanted = self.exact(*map(Fraction, axis))
                for i, (native, function, rounded_, row) in enumerate(
                    zip(*(self.grid(values, built, stem) for stem in ("SN", "SF", "SR")), wanted, strict=True)
                ):
                    assert native == pytest.approx([float(price) for price in row], rel=1e-14), i
                    assert function == pytest.approx([float(price) for price in row], rel=1e-14), i
                    cp1 = Fraction("6.41")
                    shown = [float(round_price(p, 2, RoundingType.HALF_UP, not_above=cp1)) for p in row]
                    assert rounded_ == shown
                assert values[built.at("SENSITIVITY_RESULT")] == "OK"

    def test_errors_that_cancel_are_found(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE)
        with calc.session() as session:
            document = session.open(built.path)
            for symbol, by in (("SN2_3", 0.01), ("SN2_4", -0.01)):
                value = document.value(*built.at(symbol))
                assert isinstance(value, float)
                document.set(*built.at(symbol), value + by)
            assert document.value(*built.at("SENSITIVITY_RESULT")) == "CHECK"

    def test_one_array_formula_fills_the_grid(self, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE)
        sheet = load_workbook(built.path)["Sensitivity"]
        ((anchor, reference),) = sheet.array_formulae.items()
        last = built.at(f"SF{sensitivity.SIZES}_{sensitivity.PRICES}")[1]
        assert reference == f"{built.at('SF1_1')[1]}:{last}"
        array = sheet[anchor].value
        assert isinstance(array, ArrayFormula)
        assert array.text.count("CP_WEIGHTED_AVERAGE(") == 1
        stored = load_workbook(built.path, data_only=True)["Sensitivity"]
        assert all(isinstance(cell.value, float) for row in stored[reference] for cell in row)

    def test_a_blank_axis_leaves_the_sheet_blank(self, calc: Office, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", {**NOTICE, "SENS_PRICE_STEP": None})
        values = opened(calc, built)
        assert not any(map(is_error, values.values()))
        assert {cell or "" for row in self.grid(values, built, "SN") for cell in row} == {""}
        assert values.get(built.at("SENSITIVITY_RESULT"), "") == ""

    @pytest.mark.parametrize("method", Method)
    def test_other_methods_are_told(self, tmp_path: Path, method: Method) -> None:
        built = build(tmp_path / "book.xlsx", {**NOTICE, "METHOD": method.value})
        text = str(built.model.book.cached["Sensitivity", "A4"])
        told = "shows the weighted average all the same" in text
        assert told == (method in (Method.FULL_RATCHET, Method.NONE))

    def test_the_chart_has_its_axes(self, tmp_path: Path) -> None:
        built = build(tmp_path / "book.xlsx", NOTICE)
        with ZipFile(built.path) as archive:
            chart = archive.read("xl/charts/chart1.xml").decode()
        assert chart.count('<c:delete val="0"') + chart.count('<delete val="0"') == 2
        assert len(re.findall(r"<(?:c:)?ser>", chart)) == sensitivity.PRICES
        assert not re.search(r"<(?:c:)?(?:max|min) ", chart)


class TestNotice:
    def lines(self, built: Built) -> list[str]:
        """The texts of the printed page, row by row."""
        sheet = load_workbook(built.path, data_only=True)["Notice"]
        (area,) = sheet.print_area.split(",")
        rows = sheet[area.rpartition("!")[2].replace("$", "")]
        return [" | ".join(str(cell.value) for cell in row if cell.value not in (None, "")) for row in rows]

    def test_the_figures_of_the_notice(self, tmp_path: Path) -> None:
        found = self.lines(build(tmp_path / "book.xlsx", NOTICE))
        assert found[0] == ""
        for line in (
            "Vsource, Inc.",
            "2002-02-05",
            "To the holders of Series 2-A Convertible Preferred",
            "Notice of an adjustment of the conversion price",
            "On 2002-02-05 the company issued common, or securities that become common, for 8,187,842.70 in all "
            "(Convertible notes and warrants issued at about ten cents). It falls under Section 7d(6) of the "
            "terms of the series. The conversion price is reduced from 6.41 to 2.00. Effective date: 2002-02-05. "
            "A conversion from that day on is made at the price after the event.",
            "Conversion price, for a share of common | 6.41 | 2.00",
            "Shares of common for one share of the series | 1.00 | 3.20",
            "B | Common that K would buy at the price before | 1,277,354.56 | shares of common",
            "D | X + Y | 116,971,341 | shares of common",
            "Fractions: the shares of common for all that a holder converts are rounded down to whole shares. The "
            "fraction left over is paid in cash, at a market price of 0.10 for a share of common.",
            "For Vsource, Inc.",
        ):
            assert line in found
        assert notice.FOOTER not in found  # it stands below the letter and is not printed
        (ratio,) = (line for line in found if line.startswith("The shares of common are"))
        assert "6.41, divided by the conversion price before it is rounded, 2.0013011818;" in ratio
        assert found.count("2002-02-05") == 1

    @pytest.mark.parametrize(
        ("given", "master", "draft"),
        [
            (NOTICE, "OK", False),
            (NOTICE, "CHECK", True),
            (NOTICE, "NO ADD-IN", False),
            ({**NOTICE, "IN_K": None}, "OK", True),
        ],
        ids=["all OK", "a check", "no add-in", "not ready"],
    )
    def test_it_says_when_it_is_a_draft(
        self, tmp_path: Path, given: Mapping[str, Content], master: str, draft: bool
    ) -> None:
        found = self.lines(build(tmp_path / "book.xlsx", given, master=master))
        assert (found[0] == notice.DRAFT) == draft

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"IN_K": Fraction(10**12)}, "not below the conversion price: that stays at 6.41."),
            ({"IN_CP1": Fraction("6.4123")}, "is reduced from 6.4123 to 2.00."),
            ({"PRICE_DECIMALS": Fraction(15)}, "to 2.00130118179974."),
            ({"PRICE_DECIMALS": Fraction(15)}, "The result is not rounded."),
            ({"PRICE_DECIMALS": Fraction(1)}, "rounded to 1 decimal, to the nearest; a tie goes up."),
            ({"PRICE_TYPE": "ceiling"}, "rounded to 2 decimals, up."),
            ({"METHOD": "full_ratchet"}, "by a full ratchet"),
            ({"METHOD": "full_ratchet"}, "Y | Common underlying other securities after | not used"),
            ({"METHOD": "none"}, "adjust nothing for an issuance"),
            ({"CLAUSE": None}, "about ten cents). The conversion price is reduced"),
            ({"EVENT": "2002-02-05"}, "8,187,842.70 in all. It falls under"),
            ({"EVENT": None}, "8,187,842.70 in all. It falls under"),
            ({"SHARE_TYPE": "ceiling"}, "converts are rounded up to whole shares."),
            ({"SHARE_TYPE": "half_even"}, "rounded to the nearest (a tie to the even number) to whole shares."),
            ({"SHARES_PER": "certificate"}, "the shares of common for each certificate are rounded down"),
            ({"MARKET": None}, "converts are rounded down to whole shares."),
            ({"CURRENCY": "$"}, "is reduced from $6.41 to $2.00."),
            ({"CURRENCY": "USD"}, "is reduced from USD 6.41 to USD 2.00."),
            ({"COMPANY": None}, "[company]"),
            ({"EVENT_DATE": None}, "Effective date: [date]."),
        ],
    )
    def test_what_it_says_of_other_inputs(self, tmp_path: Path, given: Mapping[str, Content], words: str) -> None:
        found = self.lines(build(tmp_path / "book.xlsx", {**NOTICE, **given}))
        assert any(words in line for line in found), found
        cash = {**NOTICE, **TERMS, **given}
        paid = cash["MARKET"] is not None and cash["SHARE_TYPE"] == "floor"
        assert any("paid in cash" in line for line in found) == paid

    def test_long_texts_have_room(self, tmp_path: Path) -> None:
        long = "A long name of a company or an event, as some of them are, LLC"
        given = {**NOTICE, "EVENT": f"{long} {long}", "CLAUSE": long, "COMPANY": long, "SERIES": long}
        built = build(tmp_path / "book.xlsx", {**given, "PRICE_DECIMALS": Fraction(15)})
        sheet = load_workbook(built.path)["Notice"]
        stored = load_workbook(built.path, data_only=True)["Notice"]
        wrapped = 0
        for area in sheet.merged_cells.ranges:
            cell = sheet.cell(area.min_row, area.min_col)
            if cell.data_type != "f":
                continue
            if cell.alignment.wrap_text:
                wrapped += 1
                needed = 12.75 * lines(str(stored[cell.coordinate].value), sum(notice.WIDTHS))
                assert sheet.row_dimensions[cell.row].height >= needed
            else:
                assert cell.alignment.shrink_to_fit
        assert wrapped == 4


def test_the_validator_finds_nothing(validator: Callable[[Path], list[Finding]], tmp_path: Path) -> None:
    assert validator(build(tmp_path / "book.xlsx", NOTICE, FEW).path) == []


def test_no_constant_in_a_formula(tmp_path: Path) -> None:
    book = load_workbook(build(tmp_path / "book.xlsx", NOTICE, FEW).path)
    found = 0
    for title in TITLES:
        for row in book[title].iter_rows():
            for cell in row:
                value = cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value
                if isinstance(value, str) and value.startswith("="):
                    found += 1
                    bare = re.sub(r"""'[^']*'!|"[^"]*"|[A-Z_]+\(|\$?[A-Z]{1,3}\$?\d+""", " ", value)
                    assert not re.search(r"\d", bare), (title, cell.coordinate, value)
                    assert len(value) < 8192
    assert found > 500
