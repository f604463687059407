"""The template "Conversion chain model": right by an oracle in fractions, in LibreOffice too, and honest."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from support.lint import lint
from support.office import Document, Error, Office
from support.ooxml import Finding
from support.pages import page_findings

import xl_conversion
from xl_conversion.books.page import Book
from xl_conversion.books.templates.chain import feed, notes
from xl_conversion.books.templates.chain.words import Route
from xl_conversion.books.templates.chain_filling import CONSTANTS, ILLUSTRATION, chain_filling
from xl_conversion.books.templates.chain_model import (
    SHEETS,
    blank_chain,
    chain_model,
    chain_model_bytes,
    shipped_chain,
)
from xl_conversion.books.templates.filling import Filling, Given
from xl_conversion.books.templates.sheets import securities
from xl_conversion.core.stated import Item
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.records import ConversionRecord, StatedRecord

ROOT = Path(xl_conversion.__file__).parents[1]
Key = tuple[str, str]
ENDS = re.compile(r"\$([A-Z]+)\$(\d+)")
TYPES = ("half_up", "half_even", "floor", "ceiling")


# The oracle: fractions alone, and a rounding of its own.


def made_whole(value: Fraction, kind: str, decimals: int = 0) -> Fraction:
    """`value`, never below 0, at so many decimals."""
    scaled = value * 10**decimals
    below = scaled.numerator // scaled.denominator
    over = scaled - below
    up = {
        "floor": False,
        "ceiling": over > 0,
        "half_up": over >= Fraction(1, 2),
        "half_even": over > Fraction(1, 2) or (over == Fraction(1, 2) and below % 2 == 1),
    }[kind]
    return Fraction(below + up, 10**decimals)


@dataclass(frozen=True)
class Chain:
    """Inputs of a model."""

    amounts: Sequence[tuple[Fraction, Fraction | None]]
    price: Fraction
    conversion: Fraction
    original: Fraction | None = None
    rounded: bool = False
    decimals: int = 0
    preferred_type: str = "half_up"
    common_type: str = "floor"
    route: Route = Route.UNROUNDED
    stated: tuple[str, str, str] = ("", "", "")

    @property
    def each(self) -> list[Fraction]:
        return [principal + (interest or 0) for principal, interest in self.amounts]

    @property
    def ratio(self) -> Fraction:
        return (self.original or self.price) / self.conversion

    def preferred(self, amount: Fraction, kind: str = "", decimals: int = 0) -> Fraction:
        got = amount / self.price
        return made_whole(got, kind, decimals) if kind else got

    def common(self, preferred: Fraction, kind: str = "") -> Fraction:
        got = preferred * self.ratio
        return made_whole(got, kind) if kind else got

    def routes(self) -> dict[Route, tuple[Fraction, Fraction]]:
        """Preferred and common of each."""
        total = sum(self.each, Fraction(0))
        chosen = [self.preferred(a, self.preferred_type if self.rounded else "", self.decimals) for a in self.each]

        def together(kind: str) -> tuple[Fraction, Fraction]:
            preferred = self.preferred(total, kind)
            return preferred, self.common(preferred, self.common_type)

        def by_holder(preferred: Sequence[Fraction], kind: str) -> tuple[Fraction, Fraction]:
            return sum(preferred, Fraction(0)), sum((self.common(p, kind) for p in preferred), Fraction(0))

        unrounded = [self.preferred(a) for a in self.each]
        nothing = self.preferred(total), self.common(self.preferred(total))
        return {
            Route.UNROUNDED: nothing,
            Route.PREFERRED_NEAREST: together("half_up"),
            Route.PREFERRED_DOWN: together("floor"),
            Route.HOLDER_PREFERRED_NEAREST: by_holder(
                [self.preferred(a, "half_up") for a in self.each], self.common_type
            ),
            Route.HOLDER_PREFERRED_DOWN: by_holder(
                [self.preferred(a, "floor") for a in self.each], self.common_type
            ),
            Route.HOLDER_COMMON_DOWN: by_holder(unrounded, "floor"),
            Route.HOLDER_COMMON_NEAREST: by_holder(unrounded, "half_up"),
            Route.COMMON_DOWN: (nothing[0], made_whole(nothing[1], "floor")),
            Route.COMMON_NEAREST: (nothing[0], made_whole(nothing[1], "half_up")),
            Route.AS_CHOSEN: by_holder(chosen, self.common_type),
        }

    @property
    def is_clear(self) -> bool:
        """Whether no figure is so close to a whole or a half that a model's six digits cannot tell."""
        total = sum(self.each, Fraction(0))
        figures = [*self.each, total]
        of_preferred = [self.preferred(f) for f in figures]
        whole = [made_whole(p, kind) for p in of_preferred for kind in ("half_up", "floor")]
        chosen = [self.preferred(f, self.preferred_type, self.decimals) for f in figures]
        scaled = [p * 10**self.decimals for p in of_preferred]
        all_of_them = [*of_preferred, *scaled, *(p * self.ratio for p in (*of_preferred, *whole, *chosen))]
        apart = (abs(2 * value - made_whole(2 * value, "half_up")) for value in all_of_them)
        if self.common(self.preferred(total)) > 10**9:
            return False  # a double has no six digits behind the point then
        return all(distance == 0 or distance > Fraction(1, 10**5) for distance in apart)

    def filling(self) -> Filling:
        scalars = {
            **shipped_chain().scalars,
            "in_preferred_price": Given(self.price),
            "in_conversion_price": Given(self.conversion),
            "in_original_issue_price": Given(self.original),
            "in_preferred_rounded": Given("yes" if self.rounded else "no"),
            "in_preferred_decimals": Given(Fraction(self.decimals)),
            "in_preferred_rounding_type": Given(self.preferred_type),
            "in_share_rounding_type": Given(self.common_type),
            "in_route": Given(self.route.value),
            "in_feed_shares": Given("route"),
        }
        for name, text in zip(("principal", "preferred", "common"), self.stated, strict=True):
            scalars[f"in_stated_{name}"] = Given(text or None)
        rows = [
            {notes.HOLDER: f"Number {place}", notes.PRINCIPAL: principal, notes.INTEREST: interest}
            for place, (principal, interest) in enumerate(self.amounts)
        ]
        return Filling(scalars, {notes.TABLE: rows})


def drawn(seed: int) -> Chain:
    """A chain at random, with figures that a model can tell apart."""
    draw = random.Random(seed)  # noqa: S311
    while True:
        cents = draw.choice((1, 100))
        amounts = [
            (
                Fraction(draw.randrange(1, 10**8) * cents, 100),
                draw.choice((None, Fraction(draw.randrange(10**7), 100))),
            )
            for _ in range(draw.randint(1, draw.choice((3, 12, 24))))
        ]
        chain = Chain(
            amounts,
            Fraction(draw.choice(("1", "10", "25.5", "60", "23.685", "10000"))),
            Fraction(draw.choice(("0.10", "0.25", "1.37", "2.3727", "0.0375", "8"))),
            draw.choice((None, None, Fraction(50), Fraction("62.5"))),
            draw.random() < 0.6,
            draw.randint(0, 6),
            draw.choice(TYPES),
            draw.choice(TYPES),
            draw.choice(list(Route)),
        )
        if not chain.is_clear:
            continue
        preferred, common = chain.routes()[draw.choice(list(Route))]
        texts = (
            f"${sum(chain.each, Fraction(0)).__float__():,.2f}",
            f"{float(preferred):,.{draw.randint(0, 2)}f}",
            f"{int(common) + draw.choice((0, 0, 0, 9)):,}",
        )
        return replace(chain, stated=tuple(text if draw.random() < 0.8 else "" for text in texts))  # type: ignore[arg-type]


def expected_names(chain: Chain) -> dict[str, Fraction | str]:
    """What the cells of the interface hold, by the oracle."""
    routes = chain.routes()
    preferred, common = routes[chain.route]
    together, by_holder = routes[Route.COMMON_DOWN][1], routes[Route.HOLDER_COMMON_DOWN][1]
    found: dict[str, Fraction | str] = {
        "out_amount": sum(chain.each, Fraction(0)),
        "out_common_per_preferred": chain.ratio,
        "out_price_per_common": chain.price / chain.ratio,
        "out_preferred_shares": preferred,
        "out_common_shares": common,
        "out_cost_by_holder": together - by_holder,
        "out_most_cost": Fraction(len(chain.amounts) - 1),
        "chk_all": "OK",
    }
    exceptions = comparisons = 0
    for text, figure in zip(chain.stated, (found["out_amount"], preferred, common), strict=True):
        if text:
            assert isinstance(figure, Fraction)
            plain = text.replace("$", "").replace(",", "")
            decimals = len(plain.partition(".")[2])
            comparisons += 1
            exceptions += made_whole(figure, "half_up", decimals) != Fraction(plain)
    found |= {"out_comparisons": Fraction(comparisons), "out_exceptions": Fraction(exceptions)}
    if chain.stated[2]:
        stated = Fraction(chain.stated[2].replace(",", ""))
        short = together - stated
        found["out_stated_less_route"] = stated - common
        found["out_short"] = short
        found["out_holders_needed"] = short + 1 if short >= 0 else ""
        found["out_can_explain"] = "yes" if 0 <= short <= len(chain.amounts) - 1 else "no"
        found["out_explains"] = "yes" if short == together - by_holder else "no"
        giving = [route.value for route, (_, got) in routes.items() if made_whole(got, "half_up") == stated]
        found["out_routes_that_give_common"] = ", ".join(giving) or "none"
    return found


# Reading a workbook.


def named(workbook: Workbook, name: str) -> Key:
    """The cell that a name stands for."""
    (found,) = workbook.defined_names[name].destinations
    return found[0], found[1].replace("$", "")


def same(value: object, expected: Fraction | str, within: float = 1e-9) -> bool:
    if isinstance(expected, str):
        return (value or "") == expected
    return isinstance(value, float | int) and math.isclose(value, expected, rel_tol=1e-12, abs_tol=within)


def assert_right(chain: Chain, value: Callable[[str, str], object], workbook: Workbook) -> None:
    """Every name and every route of a workbook against the oracle."""
    for name, expected in expected_names(chain).items():
        got = value(*named(workbook, name))
        # A difference has the error of what it is taken of, of which there may be a billion.
        assert same(got, expected, 1e-6 if "less" in name else 1e-9), (name, got, expected, chain)
    sheet = workbook["Result"]
    rows = {sheet[f"B{row}"].value: row for row in range(10, 25)}
    words = {value("Result", f"A{row}"): row for row in rows.values()}
    for route, (preferred, common) in chain.routes().items():
        row = words[route.value]
        for column, expected in (("C", preferred), ("E", common)):
            assert same(value("Result", f"{column}{row}"), expected), (route, column, chain)
        if route is not Route.UNROUNDED:
            assert same(value("Result", f"D{row}"), common), (route, chain)


def formula_cells(workbook: Workbook) -> Iterator[tuple[str, str, str]]:
    """Sheet, coordinate and text of every formula."""
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    yield sheet.title, cell.coordinate, str(cell.value)


def held(book: Book, sheet: str, cell: str) -> object:
    """The value that a cell will have in the file."""
    return book.cached.get((sheet, cell), book.workbook[sheet][cell].value)


def reader(path: Path) -> Callable[[str, str], object]:
    """The values that the file carries."""
    workbook = load_workbook(path, data_only=True)
    return lambda sheet, cell: workbook[sheet][cell].value


@contextmanager
def opened(office: Office, path: Path) -> Iterator[Document]:
    with office.session() as session:
        yield session.open(path)


def entered(document: Document, workbook: Workbook, changes: Mapping[str, float | str | None]) -> None:
    """Types into the input cells of these names."""
    for name, content in changes.items():
        document.set(*named(workbook, name), content)


def enter(document: Document, workbook: Workbook, chain: Chain) -> None:
    """Types a whole chain into an open workbook."""
    filling = chain.filling()
    entered(
        document,
        workbook,
        {
            name: float(given.value) if isinstance(given.value, Fraction) else given.value
            for name, given in filling.scalars.items()
            if isinstance(given.value, Fraction | str | None) and not name.startswith("in_basis_")
        },
    )
    top = int(ENDS.findall(workbook.defined_names[notes.TABLE].attr_text)[0][1])
    for place in range(24):
        principal, interest = chain.amounts[place] if place < len(chain.amounts) else (None, None)
        for column, content in (("B", principal), ("C", interest)):
            document.set("Notes", f"{column}{top + 1 + place}", None if content is None else float(content))
        document.set("Notes", f"A{top + 1 + place}", None if principal is None else f"Number {place}")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "chain.xlsx"
    path.write_bytes(chain_model_bytes())
    return path


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "blank.xlsx"
    path.write_bytes(chain_model_bytes(blank_chain()))
    return path


@pytest.fixture(scope="module")
def formulas(shipped: Path) -> Workbook:
    return load_workbook(shipped)


def displayed(workbook: Workbook, sheet: str, coordinate: str) -> bool:
    """Whether a figure is there to be looked at: a tolerance, which the constants give, TRUE or FALSE, or a total
    of preferred by worksheet functions, which no formula reads."""
    column, row = re.findall(r"[A-Z]+|\d+", coordinate)
    headers = [cell.value for cell in workbook[sheet][column][: int(row) - 1]]
    if "Tolerance" in headers:
        return True
    if sheet == "Holders by function" and column in "GHI":
        return str(workbook[sheet][f"B{row}"].value) == "All holders"
    return (sheet, coordinate) == named(workbook, "out_ready")


def shipped_inputs() -> Chain:
    """The inputs of the notice, typed here again."""
    amounts = [(Fraction(principal), Fraction(interest)) for principal, interest in ILLUSTRATION]
    return Chain(amounts, Fraction(60), Fraction("0.10"), stated=("4,557,596", "75,960", "45,575,951"))


class TestNotice:
    def test_the_figures(self, shipped: Path, formulas: Workbook) -> None:
        assert_right(shipped_inputs(), reader(shipped), formulas)
        value = reader(shipped)
        assert value(*named(formulas, "out_common_shares")) == 45_575_960
        assert value(*named(formulas, "out_stated_less_route")) == -9
        assert value(*named(formulas, "out_exceptions")) == 1
        assert value(*named(formulas, "out_holders_needed")) == 10
        assert value(*named(formulas, "out_routes_that_give_common")) == "holder_common_down, as_chosen"

    def test_rounding_down_by_holder_gives_what_is_stated(self) -> None:
        routes = shipped_inputs().routes()
        assert routes[Route.UNROUNDED][1] == 45_575_960
        assert routes[Route.HOLDER_COMMON_DOWN][1] == 45_575_951
        assert routes[Route.PREFERRED_NEAREST] == (Fraction(75_960), Fraction(45_576_000))
        assert sum(shipped_inputs().each) == 4_557_596

    def test_what_is_invented_or_inferred_says_so(self, shipped: Path, formulas: Workbook) -> None:
        value = reader(shipped)
        for name, basis in (
            ("preferred_price", "inferred"),
            ("conversion_price", "inferred"),
            ("route", "assumed"),
            ("preferred", "stated"),
        ):
            assert value(*named(formulas, f"in_basis_{name}")) == basis
            sheet, cell = named(formulas, f"in_{name}")
            assert value(sheet, f"F{cell[1:]}"), name
        top = int(ENDS.findall(formulas.defined_names[notes.TABLE].attr_text)[0][1])
        for row in range(top + 1, top + 1 + len(ILLUSTRATION)):
            assert value("Notes", f"F{row}") == "illustration"
            assert re.fullmatch(r"Holder \d+", str(value("Notes", f"A{row}")))
        for sheet, cell in (("Notes", "A4"), ("Result", "C11")):
            assert value(sheet, cell) == "18 of 18 rows are illustrations: invented, in no document"
        about = " ".join(str(cell.value) for cell in formulas["About"]["A"])
        assert "A row of Notes whose basis is illustration is invented" in about
        assert "As delivered, the holders" not in about
        fixed = [cell.value for row in formulas["Notes"].iter_rows() for cell in row if cell.data_type == "s"]
        assert not [text for text in fixed if "18" in str(text) and text != "Holder 18"]

    def test_one_sentence_explains_the_difference(self, shipped: Path) -> None:
        assert reader(shipped)("Result", "C10") == (
            "The figure stated is 9 short of the aggregate rounded down, 45,575,960. Rounding down for each of at "
            "least 10 holders can cost that; the 18 on Notes cost 9."
        )
        assert (
            reader(shipped)("Feed", "A10")
            == "The chain gives 45,575,960; the figure stated, 45,575,951, is handed on."
        )

    def test_the_row_for_the_securities_table(self, shipped: Path, formulas: Workbook) -> None:
        assert feed.HEADER == (
            securities.SECURITY,
            securities.KIND,
            securities.SECURITY_SHARES,
            securities.EACH,
            securities.IN_ALL,
            securities.SOURCE,
            securities.NOTE,
        )
        area = formulas.defined_names["out_securities"].attr_text
        (left, top), (right, bottom) = ENDS.findall(area)
        assert (area.partition("!")[0], left, right, int(bottom)) == ("'Feed'", "A", "G", int(top) + 1)
        value = reader(shipped)
        assert [value("Feed", f"{column}{top}") for column in "ABCDEFG"] == list(feed.HEADER)
        row = [value("Feed", f"{column}{bottom}") for column in "ABCDEF"]
        assert row[:4] == ["Convertible Promissory Notes", "convertible_note", 45_575_951, 0.1]
        assert not row[4]
        assert row[5] == "Notice of 5 February 2002"


class TestOracle:
    @pytest.mark.parametrize("block", range(10))
    def test_a_hundred_chains_by_the_values_that_are_written(self, block: int) -> None:
        for seed in range(10 * block, 10 * block + 10):
            chain = drawn(seed)
            book = chain_model(chain.filling(), holders=len(chain.amounts))
            assert_right(chain, partial(held, book), book.workbook)

    def test_a_hundred_chains_are_of_every_kind(self) -> None:
        chains = [drawn(seed) for seed in range(100)]
        assert {chain.route for chain in chains} == set(Route)
        assert {chain.common_type for chain in chains if chain.rounded} == set(TYPES)
        explained = [expected_names(chain).get("out_explains") for chain in chains]
        assert min(explained.count(word) for word in ("yes", "no", None)) >= 5
        assert any(chain.original for chain in chains)

    def test_in_libreoffice_with_inputs_changed(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        with opened(calc, shipped) as document:
            for seed in (3, 14, 15, 92, 65, 35):
                chain = drawn(seed)
                enter(document, formulas, chain)
                assert_right(chain, document.value, formulas)

    def test_the_most_digits_for_preferred(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        with opened(calc, shipped) as document:
            for decimals, master in ((6, "OK"), (7, "CHECK")):
                entered(document, formulas, {"in_preferred_rounded": "yes", "in_preferred_decimals": decimals})
                assert document.value(*named(formulas, "chk_all")) == master


class TestLibreOffice:
    @pytest.mark.parametrize("which", ["shipped", "blank"])
    def test_every_cell_recalculates_to_its_cached_value(
        self, calc: Office, which: str, request: pytest.FixtureRequest
    ) -> None:
        path: Path = request.getfixturevalue(which)
        known = reader(path)
        with opened(calc, path) as document:
            live = document.values()
        for sheet, coordinate, text in formula_cells(load_workbook(path)):
            expected, value = known(sheet, coordinate), live.get((sheet, coordinate), "")
            where = sheet, coordinate, text, expected, value
            if isinstance(expected, int | float):
                assert isinstance(value, float), where
                assert math.isclose(value, expected, rel_tol=1e-12, abs_tol=0), where
            else:
                assert value == (expected or ""), where

    def test_without_the_add_in_the_native_side_is_right(
        self, office: Office, shipped: Path, formulas: Workbook
    ) -> None:
        chain = drawn(7)
        with opened(office, shipped) as document:
            enter(document, formulas, chain)
            live = document.values()
        expected = {**expected_names(chain), "chk_all": "NO ADD-IN"}
        for name, wanted in expected.items():
            assert same(live.get(named(formulas, name), ""), wanted), name
        wrong = {key for key, value in live.items() if isinstance(value, Error)}
        functions = {(s, c) for s, c, text in formula_cells(formulas) if "CP_" in text}
        totals = {key for key in wrong if key[0] in ("Holders by function", "Result")}
        assert wrong - functions <= totals
        assert {live[key] for key in wrong} == {Error("#NAME?")}
        assert live["About", "D1"] == "Formulas agree: NO ADD-IN"

    def test_a_blank_model_shows_nothing_wrong(self, calc: Office, blank: Path) -> None:
        workbook = load_workbook(blank)
        with opened(calc, blank) as document:
            live = document.values()
        assert not [key for key, value in live.items() if isinstance(value, Error)]
        assert live[named(workbook, "chk_all")] == "OPEN"
        assert live[named(workbook, "out_inputs_missing")] == 6
        for name in ("out_common_shares", "out_preferred_shares", "out_explains", "chk_tie_common_rounded"):
            assert not live.get(named(workbook, name)), name
        assert live[named(workbook, "out_exceptions")] == 0
        assert live["About", "D2"] == "Tie-out: 0 exceptions"

    def test_a_blank_model_that_is_filled_is_right(self, calc: Office, blank: Path) -> None:
        workbook, chain = load_workbook(blank), drawn(21)
        with opened(calc, blank) as document:
            enter(document, workbook, chain)
            entered(document, workbook, {"in_company": "A & B", "in_agreement": "Notes", "in_as_of": 37292})
            assert_right(chain, document.value, workbook)
            assert str(document.value("Result", "A2")).startswith("A & B, Notes. ")
            assert str(document.value("Result", "A3")).startswith("As of 2002-02-05. ")

    @pytest.mark.parametrize(
        ("change", "master"),
        [
            ({"in_stated_common": "about 45 million"}, "OPEN"),
            ({"in_stated_preferred": "many"}, "CHECK"),
            ({"in_conversion_price": 0}, "CHECK"),
            ({"in_conversion_price": None}, "OPEN"),
            ({"in_route": "by_guess"}, "CHECK"),
            ({"in_route": "unround*"}, "CHECK"),
            ({"in_preferred_rounded": "Yes "}, "CHECK"),
            ({"in_feed_shares": "Stated "}, "CHECK"),
            ({"in_feed_consideration": "per share"}, "CHECK"),
            ({"in_preferred_rounding_type": "up"}, "CHECK"),
            ({"in_share_rounding_type": "floor "}, "CHECK"),
            ({"in_original_issue_price": "sixty"}, "CHECK"),
            ({"in_preferred_price": "60.00 each"}, "CHECK"),
            ({"in_preferred_decimals": 1.5}, "CHECK"),
            ({"in_preferred_decimals": "two"}, "CHECK"),
            ({"in_conversion_date": "soon"}, "CHECK"),
            ({"in_as_of": "soon"}, "CHECK"),
            ({"in_tolerance": "none"}, "CHECK"),
            ({"in_original_issue_price": 50}, "OK"),
        ],
        ids=str,
    )
    def test_what_cannot_be_is_seen(
        self,
        calc: Office,
        shipped: Path,
        formulas: Workbook,
        change: dict[str, float | str | None],
        master: str,
    ) -> None:
        with opened(calc, shipped) as document:
            entered(document, formulas, change)
            assert document.value(*named(formulas, "chk_all")) == master

    def test_a_note_without_principal_is_seen(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        top = int(ENDS.findall(formulas.defined_names[notes.TABLE].attr_text)[0][1])
        with opened(calc, shipped) as document:
            document.set("Notes", f"B{top + 3}", None)
            assert document.value("Notes", f"E{top + 3}") == "CHECK"
            assert document.value(*named(formulas, "chk_all")) == "CHECK"

    def test_a_basis_that_is_none_is_seen(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        top = int(ENDS.findall(formulas.defined_names[notes.TABLE].attr_text)[0][1])
        with opened(calc, shipped) as document:
            document.set("Notes", f"F{top + 1}", "a guess")
            assert document.value(*named(formulas, "chk_all")) == "CHECK"

    def test_what_is_said_of_holders_follows_them(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        top = int(ENDS.findall(formulas.defined_names[notes.TABLE].attr_text)[0][1])
        with opened(calc, shipped) as document:

            def said() -> tuple[object, object, object]:
                return (
                    document.value("Notes", "A4"),
                    document.value("Result", "C11"),
                    document.value("Result", "C10"),
                )

            for row in range(top + 1, top + 18):
                document.set("Notes", f"F{row}", "stated")
            text = "1 of 18 rows is an illustration: invented, in no document"
            assert said()[:2] == (text, text)
            document.set("Notes", f"F{top + 18}", "stated")
            document.set("Notes", f"B{top + 1}", 700000.1)
            assert said() == (
                "no row is an illustration",
                "no row is an illustration",
                "The figure stated is 1,000,010 short of the aggregate rounded down, 46,575,961. Rounding down "
                "for each of at least 1,000,011 holders can cost that; the 18 on Notes cost 9.",
            )
            assert document.value("Feed", "A10") == (
                "The chain gives 46,575,961; the figure stated, 45,575,951, is handed on. "
                "Notes come to 4,657,596, the amount stated is 4,557,596."
            )
            entered(document, formulas, {"in_stated_common": "46,575,961", "in_stated_principal": None})
            assert said()[2] == (
                "The figure stated is the aggregate rounded down, 46,575,961; rounding down for each holder would "
                "cost 9."
            )
            assert document.value("Feed", "A10") == "The shares handed on are those that the chain gives."
            entered(document, formulas, {"in_stated_common": "46,575,971"})
            assert said()[2] == (
                "The figure stated is 10 above the aggregate rounded down, 46,575,961. Rounding down for each "
                "holder cannot give that."
            )
            entered(document, formulas, {"in_stated_common": None, "in_feed_shares": "route"})
            assert not said()[2]
            assert document.value(*named(formulas, "chk_all")) == "OK"

    @pytest.mark.parametrize(
        "changes", [{}, {"in_feed_shares": "route", "in_feed_consideration": "in_all"}], ids=str
    )
    def test_a_formula_that_is_overwritten_is_seen(
        self, calc: Office, shipped: Path, formulas: Workbook, changes: dict[str, str]
    ) -> None:
        master, tried = named(formulas, "chk_all"), 0
        with opened(calc, shipped) as document:
            entered(document, formulas, changes)
            live = document.values()
            for sheet, coordinate, text in formula_cells(formulas):
                number = live.get((sheet, coordinate))
                if isinstance(number, float) and not (sheet == "Checks" or displayed(formulas, sheet, coordinate)):
                    document.set(sheet, coordinate, 1.07 * number if number else 0.07)
                    assert document.value(*master) == ("OPEN" if sheet == "Inputs" else "CHECK"), (
                        sheet,
                        coordinate,
                    )
                    document.set(sheet, coordinate, text)
                    tried += 1
            assert document.value(*master) == "OK"
        assert tried > 500

    def test_what_is_handed_on_follows_the_choices(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        row = ENDS.findall(formulas.defined_names["out_securities"].attr_text)[1][1]
        with opened(calc, shipped) as document:
            entered(
                document,
                formulas,
                {"in_feed_shares": "route", "in_route": "preferred_nearest", "in_feed_consideration": "in_all"},
            )
            got = [document.value("Feed", f"{column}{row}") for column in "CDEF"]
            assert got == [45_576_000, "", 4_557_596, "Conversion chain model"]
            assert "by the route preferred_nearest" in str(document.value("Feed", f"G{row}"))

    def test_stated_figures_are_read_as_written(self, calc: Office, shipped: Path, formulas: Workbook) -> None:
        row = named(formulas, "in_stated_principal")[1][1:]
        with opened(calc, shipped) as document:
            for text, number, decimals in (
                ("4,557,596", 4_557_596, 0),
                ("US$4,557,596.00", 4_557_596, 2),
                (" $4557595.9 ", 4_557_595.9, 1),
                ("4 million", "no number", ""),
            ):
                document.set("Stated", f"C{row}", text)
                assert document.value("Stated", f"G{row}") == number
                assert (document.value("Stated", f"H{row}") or 0) == (decimals or 0)


class TestFile:
    def test_the_same_bytes_each_time_and_everywhere(self) -> None:
        code = (
            "import hashlib; from xl_conversion.books.templates.chain_model import chain_model_bytes;"
            "print(hashlib.sha256(chain_model_bytes()).hexdigest())"
        )
        seen = {
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LANG": "tr_TR.UTF-8"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for zone, seed in (("UTC", "1"), ("Pacific/Kiritimati", "2"))
        }
        assert len(seen) == 1

    @pytest.mark.parametrize("which", ["shipped", "blank"])
    def test_the_validator_finds_nothing(
        self, validator: Callable[[Path], list[Finding]], which: str, request: pytest.FixtureRequest
    ) -> None:
        assert validator(request.getfixturevalue(which)) == []

    @pytest.mark.parametrize("which", ["shipped", "blank"])
    def test_the_lint_finds_nothing_in_the_formulas(self, which: str, request: pytest.FixtureRequest) -> None:
        found = lint(request.getfixturevalue(which), print_areas=False)
        several = tuple(f"{sheet}: may print on several pages" for sheet in ("About", "Inputs"))
        assert [finding for finding in found if not finding.startswith(several)] == []

    @pytest.mark.parametrize("which", ["shipped", "blank"])
    def test_printed_pages_are_whole(
        self, calc: Office, which: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        assert page_findings(request.getfixturevalue(which), calc, tmp_path) == []

    def test_sheets_and_their_order(self, formulas: Workbook) -> None:
        assert formulas.sheetnames == ["About", *SHEETS]
        assert formulas.properties.title == "Conversion chain model"
        for sheet in formulas.worksheets:
            assert sheet.protection.sheet
            assert sheet.sheet_state == "visible"
            assert sheet.page_setup.fitToWidth == 1 or sheet.page_setup.scale
            assert sheet.title == "About" or (sheet.freeze_panes and sheet.print_title_rows)

    def test_no_constant_in_a_formula(self, formulas: Workbook) -> None:
        for sheet, coordinate, text in formula_cells(formulas):
            bare = re.sub(r"""'[^']*'!|"[^"]*"|[A-Z_a-z.]+\(|\$?[A-Z]{1,3}\$?\d+""", " ", text)
            assert not re.search(r"\d", bare), (sheet, coordinate, text)

    def test_functions_are_ours_or_stored_by_their_full_names(self, formulas: Workbook) -> None:
        texts = [text for *_, text in formula_cells(formulas)]
        used = {name for text in texts for name in re.findall(r"CP_[A-Z_]+", text)}
        wanted = {"CP_RATIO", "CP_ROUND", "CP_CONVERSION_SHARES", "CP_VERSION"}
        assert used == wanted <= FUNCTIONS.keys()
        reading = [text for text in texts if "NUMBERVALUE" in text]
        assert reading
        assert all("_xlfn.NUMBERVALUE(" in text for text in reading)

    def test_names_are_of_the_interface_and_stand_for_one_cell_each(self, formulas: Workbook) -> None:
        assert all(re.match(r"(in|out|chk)_[a-z0-9_]+\Z", name) for name in formulas.defined_names)
        cells = [formulas.defined_names[name].attr_text for name in formulas.defined_names]
        assert len(cells) == len(set(cells))

    def test_inputs_are_open_and_formulas_are_locked(self, formulas: Workbook) -> None:
        fixed = {name for name in CONSTANTS if "tolerance" not in name}
        for name in formulas.defined_names:
            if name.startswith("in_") and ":" not in formulas.defined_names[name].attr_text:
                sheet, cell = named(formulas, name)
                assert formulas[sheet][cell].protection.locked == (name in fixed), name
        for sheet, cell, _ in formula_cells(formulas):
            assert formulas[sheet][cell].protection.locked

    def test_formats_are_never_currency(self, formulas: Workbook) -> None:
        for sheet in formulas.worksheets:
            for row in sheet.iter_rows():
                assert not any(re.search(r"[$€£¥]|_\(", cell.number_format) for cell in row)

    def test_room_for_holders(self, tmp_path: Path) -> None:
        filling = drawn(0).filling()
        rows = filling.tables[notes.TABLE]
        with pytest.raises(ValueError, match=f"in_notes: {len(rows)} rows"):
            chain_model(filling, holders=len(rows) - 1)
        assert chain_model(filling, holders=len(rows)).workbook.sheetnames[0] == "About"


def record(**changes: Any) -> ConversionRecord:
    given: dict[str, Any] = {
        "event": "E",
        "security": "Notes",
        "holder": "Ann",
        "principal": Fraction(1000),
        "accrued_interest": Fraction("12.34"),
        "preferred_price": Fraction(60),
        "common_per_preferred": Fraction(600),
        "source": "Agreement",
    }
    return ConversionRecord(**{**given, **changes})


class TestFilling:
    def test_records_of_an_input(self, tmp_path: Path) -> None:
        stated = [
            StatedRecord(series="A", event="E", item=Item(item), subject=subject, stated=text, source="Notice")
            for item, subject, text in (
                ("preferred_shares", "Notes", "33"),
                ("common_shares", "Notes", "20,246"),
                ("common_shares", "Warrants", "7"),
                ("A", "", "1,000"),
            )
        ]
        records = [record(series="A"), record(series="A", holder="Bob", accrued_interest=None)]
        filling = chain_filling(
            records, stated, as_of=date(2024, 5, 6), company="C", principal="2,012.34", digest="ab" * 32
        )
        path = tmp_path / "chain.xlsx"
        path.write_bytes(chain_model_bytes(filling))
        workbook, value = load_workbook(path), reader(path)
        chain = Chain(
            [(Fraction(1000), Fraction("12.34")), (Fraction(1000), None)],
            Fraction(60),
            Fraction("0.10"),
            stated=("2,012.34", "33", "20,246"),
        )
        assert_right(chain, value, workbook)
        assert value(*named(workbook, "in_basis_conversion_price")) == "stated"
        assert value("Notes", "A4") == "no row is an illustration"

    def test_what_a_note_infers_is_not_stated(self) -> None:
        filling = chain_filling([record(note="60 a share is inferred")], as_of=date(2024, 5, 6))
        assert filling.given("in_basis_preferred_price").value == "inferred"
        assert "60 a share is inferred" in filling.given("in_preferred_price").source

    @pytest.mark.parametrize(
        ("records", "message"),
        [
            ([], "conversions: there is none"),
            ([record(), record(preferred_price=Fraction(61))], "preferred_price is 60 and 61; it must be one"),
            ([record(), record(security="Others")], "security is Notes and Others; it must be one"),
            ([record(common_per_preferred=Fraction(7))], "60 over common_per_preferred 7 is no conversion price"),
        ],
    )
    def test_what_is_no_chain(self, records: list[ConversionRecord], message: str) -> None:
        with pytest.raises(InputError, match=message) as raised:
            chain_filling(records, as_of=date(2024, 5, 6))
        assert raised.value.problems[0].hint
