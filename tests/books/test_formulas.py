"""Formulas in symbols: their values are LibreOffice's; where it differs from Excel, those of Excel's rules."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils import get_column_letter, range_boundaries
from support.office import Error, Office

from xl_conversion.books.refresh.package import StoredCell
from xl_conversion.books.refresh.recalculation import Unknown, recalculated
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates import evaluation, functions
from xl_conversion.books.templates.formulas import Operand, Place, computed, written
from xl_conversion.books.templates.syntax import MOST_CHARACTERS, Binary, NotUsedHere, Unary, parsed
from xl_conversion.books.templates.values import compared, dated, day_of, serial
from xl_conversion.functions.boundary import CellError

SHEET = "Cells & more"
GRID: list[list[Any]] = [
    # A, B, C: numbers      D: mixed    E: texts      F: more texts     G: dates, H, I: with errors
    [1.0, 4.0, 0.5, 7.0, "alpha", "Series 2-A", date(2002, 2, 5), 1.0, CellError("#DIV/0!")],
    [2.0, -3.25, 1e6, None, "Beta", "", date(2024, 2, 29), CellError("#N/A")],
    [3.0, 0.1, 33831184.0, "text", "gamma", "12 West", date(1999, 12, 31), 3.0],
    [2.0, 8187842.7, -2.5, 12.5, "ALPHA", None, date(2030, 1, 1), 4.0],
    [5.0, 0.0, 1411724.0, None, "beta", "a  b ", date(2002, 2, 5), 5.0],
]
CELLS = {"N1": "A1", "N2": "B2", "N3": "B3", "N4": "C3", "N5": "B5", "N6": "C1", "BLANK": "D2"}
TEXTS = {"T1": "E1", "T2": "E2", "T3": "F1", "T4": "F5", "T5": "E4", "EMPTY": "F4"}
OTHERS = {"DAY1": "G1", "DAY2": "G2", "MISSING": "H2", "DIVIDED": "I1"}
RANGES = {
    "NUMBERS": "A1:A5",
    "AMOUNTS": "B1:B5",
    "MIXED": "D1:D5",
    "WORDS": "E1:E5",
    "GAPS": "F1:F5",
    "DAYS": "G1:G5",
    "BROKEN": "H1:H5",
    "ROW": "A2:C2",
    "TABLE": "A1:C5",
    "ALL": "A1:F5",
}
PLACES = {
    symbol: Place(SHEET, *where.split(":")) for symbol, where in {**CELLS, **TEXTS, **OTHERS, **RANGES}.items()
}


def value_of(symbol: str) -> Operand:
    place = PLACES[symbol]
    left, top, right, bottom = range_boundaries(":".join(filter(None, (place.first, place.last))))
    rows = tuple(tuple(row[left - 1 : right]) for row in GRID[top - 1 : bottom])
    if not place.last:
        return rows[0][0]  # type: ignore[no-any-return]
    return tuple(row[0] for row in rows) if left == right else rows


def write_cells(workbook: Workbook) -> None:
    sheet = workbook.active
    assert sheet is not None
    sheet.title = SHEET
    for row, values in enumerate(GRID, start=1):
        for column, value in enumerate(values, start=1):
            # An empty text is no constant that a file keeps, but what a formula gives.
            held = value.code if isinstance(value, CellError) else '=""' if value == "" else value
            sheet.cell(row, column, held)


def as_stored(value: Any) -> StoredCell:
    if isinstance(value, CellError):
        return StoredCell(ExcelErrorText(value.code))
    return StoredCell(serial(value) if isinstance(value, date) else value)


STORED = {
    f"{get_column_letter(column)}{row}": as_stored(value)
    for row, values in enumerate(GRID, start=1)
    for column, value in enumerate(values, start=1)
}


def ours(expression: str) -> float | str | Error | None:
    """As LibreOffice hands it over: 1 for TRUE, an error by its name; None where it is not known here.

    The formula with addresses, of which a file has the text, has the value that the one with symbols has.
    """
    formula = written(expression, PLACES, "Formulas").removeprefix("=")
    cells = {SHEET: STORED, "Formulas": {"A1": StoredCell(0.0, formula)}}
    result = recalculated(cells, {}, {}, ["Formulas"])["Formulas", "A1"]
    if isinstance(result, Unknown | ExcelErrorText):
        with pytest.raises(ValueError, match=r"."):
            computed(expression, value_of, constants=True)
        return Error(str(result)) if isinstance(result, ExcelErrorText) else None
    assert computed(expression, value_of, constants=True) == result
    return float(result) if isinstance(result, bool) else result


def theirs(office: Office, folder: Path, expressions: list[str]) -> list[float | str | Error | None]:
    """What LibreOffice makes of them."""
    workbook = Workbook()
    write_cells(workbook)
    sheet = workbook.create_sheet("Formulas")
    for row, expression in enumerate(expressions, start=1):
        sheet.cell(row, 1, written(expression, PLACES, "Formulas"))
    path = folder / "formulas.xlsx"
    workbook.save(path)
    with office.session() as session:
        found = session.open(path).values()
    answers = [found.get(("Formulas", f"A{row}")) for row in range(1, len(expressions) + 1)]
    # Its own error for an argument that a function does not take, which it saves as #VALUE!.
    return [Error("#VALUE!") if answer == Error("Err:502") else answer for answer in answers]


def assert_same(expressions: list[str], found: list[float | str | Error | None]) -> None:
    wrong = []
    for expression, value in zip(expressions, found, strict=True):
        expected = ours(expression)
        if isinstance(expected, float) and isinstance(value, float):
            if not math.isclose(expected, value, rel_tol=2e-15, abs_tol=0):
                wrong.append((expression, expected, value))
        elif expected != value:
            wrong.append((expression, expected, value))
    assert not wrong, "\n".join(f"{e}: {mine!r} here, {other!r} in LibreOffice" for e, mine, other in wrong)


class Writer:
    """Random formulas, each kind of value from the parts that a host takes for it in the same way."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311

    def of(self, *choices: str) -> str:
        return self.dice.choice(choices)

    def quoted(self, *choices: str) -> str:
        return f'"{self.of(*choices)}"'

    def number(self, depth: int) -> str:
        if depth == 0:
            return self.of(*CELLS, "DAY1", "2", "0.25", "-3", "1E3", "40%")
        n, t, c, q, r = (
            self.number,
            self.text,
            self.condition,
            self.quoted,
            self.of(*[k for k in RANGES if k != "BROKEN"]),
        )
        m = depth - 1
        make = self.dice.choice(
            [
                lambda: f"({n(m)}{self.of('+', '-', '*', '/')}{n(m)})",
                lambda: f"{n(m)}{self.of('+', '-', '*', '/')}{n(0)}",
                lambda: f"-{n(m)}",
                lambda: f"ABS({n(m)})^{self.of('2', 'N1', '0.5')}",
                lambda: f"({c(m)})*{n(m)}",
                lambda: f"{self.of('ABS', 'SIGN', 'INT', 'N')}({n(m)})",
                lambda: f"MOD({n(m)}, {self.of('2', '-3', 'N4', '0.5')})",
                lambda: (
                    f"{self.of('ROUND', 'ROUNDUP', 'ROUNDDOWN')}({n(m)}, {self.of('0', '2', '-2', 'N1', '4.7')})"
                ),
                lambda: f"{self.of('SUM', 'MAX', 'MIN', 'COUNT', 'COUNTA')}({r}, {n(m)})",
                lambda: f"{self.of('SUM', 'MAX', 'MIN', 'AVERAGE', 'COUNT')}({r}, {self.of(*RANGES)})",
                lambda: f"SUMPRODUCT(NUMBERS, {self.of('AMOUNTS', 'NUMBERS', 'MIXED', 'BROKEN')})",
                lambda: f"COUNTIF({r}, {self.of('N1', '2', '12.5', 'T1', 'T3', 'T5')})",
                lambda: f"COUNTBLANK({r})",
                lambda: f"SUMPRODUCT(EXACT(WORDS, {self.of('T1', 'T2', 'T5', 'EMPTY')})*1, AMOUNTS)",
                lambda: f"COUNTIFS(WORDS, {t(0)}, NUMBERS, {self.of('1', '2')})",
                lambda: f"SUMIF(WORDS, {self.of('T1', 'T2')}, {self.of('NUMBERS', 'AMOUNTS', 'MIXED', 'BROKEN')})",
                lambda: f"SUMIF(NUMBERS, {self.of('N1', '2', '5')})",
                lambda: f"SUMIFS(AMOUNTS, NUMBERS, {self.of('2', 'N1')}, WORDS, {self.of('T1', 'T2')})",
                lambda: f"INDEX({self.of('AMOUNTS', 'BROKEN', 'ROW')}, {self.of('1', '2', '3', '9')})",
                lambda: f"INDEX(TABLE, {self.of('1', '5', '6')}, {self.of('1', '3', '4')})",
                lambda: f"INDEX(AMOUNTS, MATCH({self.of('2', '5', '6', 'N1')}, NUMBERS, 0))",
                lambda: f"MATCH({self.of('T1', 'T2', 'T3')}, WORDS, 0)",
                lambda: f"{self.of('ROWS', 'COLUMNS')}({self.of('TABLE', 'ROW', 'ALL')})",
                lambda: f"{self.of('YEAR', 'MONTH', 'DAY')}({self.of('DAY1', 'INDEX(DAYS, 3)', 'DAY2+N4/9999')})",
                lambda: (
                    f"DATE(YEAR(DAY2)+{self.of('1', '7')}, MONTH(DAY2)+{self.of('-3', '11', '30')}, DAY(DAY2))"
                ),
                lambda: f"(DAY2-DAY1)*{n(m)}",
                lambda: f"IF({c(m)}, {n(m)}, {n(m)})",
                lambda: f"IFERROR({n(m)}, {n(0)})",
                lambda: f"CHOOSE({self.of('1', '2', '3', '2.9', '4')}, {n(m)}, MISSING, {n(m)})",
                lambda: f"LEN({t(m)})",
                lambda: f"FIND({self.of('T1', q('a', 't'))}, {t(m)})",
                lambda: f"NUMBERVALUE({self.of(q('1,234.5', '12%', ' 7 ', '-3e2'), 'T1')}, {q('.')}, {q(',')})",
                lambda: self.of("MISSING", "DIVIDED", "NA()", "#NUM!"),
            ]
        )
        return str(make())

    def text(self, depth: int) -> str:
        if depth == 0:
            return self.of(*TEXTS, '"plain"', '"say ""so"""', '""')
        n, t, c, q, m = self.number, self.text, self.condition, self.quoted, depth - 1
        make = self.dice.choice(
            [
                lambda: f"({t(m)}&{t(m)})",
                lambda: f"({t(m)}&ROUND({n(m)}, 3))",
                lambda: f"({t(m)}&{self.of('N1', 'N2', 'N3', 'N4', 'BLANK', 'DAY1', '(N1/N2)')})",
                lambda: f"{self.of('LEFT', 'RIGHT')}({t(m)}, {self.of('0', '2', '99', '-1', 'N1')})",
                lambda: f"{self.of('LEFT', 'RIGHT', 'UPPER', 'LOWER', 'TRIM')}({t(m)})",
                lambda: f"MID({t(m)}, {self.of('1', '3', '0', '50')}, {self.of('0', '2', '9')})",
                lambda: f"REPT({t(0)}, {self.of('0', '3', '2.9')})",
                lambda: f"SUBSTITUTE({t(m)}, {self.of(q('a'), 'T1')}, {t(0)})",
                lambda: f"TEXT({self.of('N1', '12.5', '-7', 'MONTH(DAY1)')}, {q('0', '00', '0.00', '000.0')})",
                lambda: f"FIXED({n(m)}, {self.of('0', '2', '-2', '4')})",
                lambda: f"FIXED({self.of('N2', 'N4', '1234567.891')}, 2, {self.of('TRUE()', 'FALSE()', '1')})",
                lambda: f"IF({c(m)}, {t(m)}, {t(m)})",
                lambda: f"IFERROR({t(m)}, {t(0)})",
            ]
        )
        return str(make())

    def condition(self, depth: int) -> str:
        if depth == 0:
            return self.of(
                "TRUE", "FALSE", "N1=1", "N2>N3", "BLANK=0", 'BLANK=""', "T1=T5", "T1<>T2", "T1<T2", 'T2<"c"'
            )
        n, t, c, m = self.number, self.text, self.condition, depth - 1
        make = self.dice.choice(
            [
                lambda: f"({n(m)}{self.of('=', '<>', '<', '<=', '>', '>=')}{n(0)})",
                lambda: f"({t(m)}{self.of('=', '<>')}{t(0)})",
                lambda: f"({self.of('T1', 'T2', 'EMPTY')}{self.of('=', '<>')}{self.of('N1', 'BLANK', 'EMPTY')})",
                lambda: f"{self.of('AND', 'OR')}({c(m)}, {c(m)}, {n(0)})",
                lambda: f"{self.of('AND', 'OR')}({self.of('NUMBERS', 'AMOUNTS')}, {c(m)})",
                lambda: f"NOT({c(m)})",
                lambda: f"{self.of('ISERROR', 'ISNA', 'ISNUMBER', 'ISTEXT')}({self.dice.choice([n, t])(m)})",
                lambda: f"ISBLANK({self.of('BLANK', 'N1', 'EMPTY', 'T1', 'INDEX(MIXED, 2)', 'MISSING')})",
                lambda: f"ISEVEN({self.of('N1', 'N4', '-3.7', 'DIVIDED')})",
                lambda: f"EXACT({t(m)}, {self.of(t(m), 'T1', 'T2', 'T5', 'N1', 'BLANK')})",
            ]
        )
        return str(make())


class TestAgainstLibreOffice:
    @pytest.mark.parametrize("seed", range(4))
    def test_random_formulas(self, office: Office, tmp_path: Path, seed: int) -> None:
        writer, expressions = Writer(seed), []
        while len(expressions) < 300:
            make = writer.dice.choice([writer.number, writer.text, writer.condition])
            expression = make(writer.dice.choice([1, 1, 2, 3]))
            if ours(expression) is not None:
                expressions.append(expression)
        assert sum(isinstance(ours(expression), Error) for expression in expressions) < 100
        assert_same(expressions, theirs(office, tmp_path, expressions))

    def test_every_function_is_among_them(self) -> None:
        writer = Writer(0)
        drawn = "".join(make(3) for _ in range(2000) for make in (writer.number, writer.text, writer.condition))
        names = {*functions.FUNCTIONS, *evaluation.CHOOSING} - {"SUM", "TRUE", "FALSE"}
        assert {name for name in names if f"{name}(" not in drawn} == set()


class TestExcelsRules:
    """Where LibreOffice is no witness: Excel's documented rules."""

    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            # TRUE and FALSE are no numbers when compared or in a range; LibreOffice takes them for 1 and 0.
            ("TRUE=1", False),
            ("FALSE=BLANK", True),
            ("TRUE>T1", True),
            ("N1<T1", True),
            ("SUM(FLAGS)", 2.0),
            ("SUM(FLAG, N1)", 1.0),
            ("SUM(TRUE, N1)", 2.0),
            ("SUM(N1, N1=N1)", 2.0),
            ("COUNT(FLAGS)", 1.0),
            ("COUNT(TRUE, T1, N1)", 2.0),
            ("ISNUMBER(FLAG)", False),
            ("FLAG*2", 2.0),
            ("-FLAG", -1.0),
            ("N(FLAG)", 1.0),
            ("AND(FLAGS)", True),
            ("COUNTIF(FLAGS, FLAG)", 1.0),
            ("COUNTIF(FLAGS, 1)", 0.0),
            ("MATCH(FLAG, FLAGS, 0)", 1.0),
            ('"x"&(N1=N1)', "xTRUE"),
            # A text with a plain number is that number in arithmetic, in a range it is none.
            ("DIGITS*2", 24.0),
            ("-DIGITS", -12.0),
            ("SUM(DIGITS)", 0.0),
            ('SUM("12")', 12.0),
            ("COUNTIF(DIGITS, 12)", 1.0),
            ('COUNTIF(NUMBERS, "2")', 2.0),
            ("DIGITS=12", False),
            ('IF("true", "yes", "no")', "yes"),
            # Others.
            ("ISEVEN(BLANK)", True),
            ('NUMBERVALUE("")', 0.0),
            ("0.1+0.2-0.3", 0.0),
            ("0.1+0.2=0.3", True),
            ("INT((0.1+0.7)*10)", 8.0),
            ("-2^2", 4.0),
            ("2^3^2", 64.0),
            ("2^-1", 0.5),
            ("50%%", 0.005),
            ("1E+20&T1", "1E+20alpha"),
            ('1/8192/8192&""', "1.49011611938477E-08"),
            ('0.00001234&""', "0.00001234"),
            ("YEAR(60)*10000+MONTH(60)*100+DAY(60)", 19000229.0),
            ("DATE(102, 2, 5)=DAY1", True),
            ("COUNTA(GAPS)", 4.0),
            ("COUNTBLANK(GAPS)", 2.0),
            ("ROUND(1E-20, 22)", 1e-20),
            ("ROUND(123, -5)", 0.0),
            ("FIXED(0-0.001)", "0.00"),
            ('UPPER("straße")', "STRAßE"),
            ("IF(BLANK, 1, 2)", 2.0),
            ("IF(FALSE, 1)", False),
            ("IF(TRUE, , 1)", 0.0),
            ("BLANK", 0.0),
            ("DAY1", 37292.0),
            ('_xlfn.NUMBERVALUE("0a1", T1)', 0.1),
        ],
    )
    def test_values(self, expression: str, value: float | str) -> None:
        assert computed(expression, self.cells, constants=True) == value
        assert type(computed(expression, self.cells, constants=True)) is type(value)

    @pytest.mark.parametrize(
        ("expression", "code"),
        [
            ("0^0", "#NUM!"),
            ("0^-1", "#DIV/0!"),
            ("(-8)^0.5", "#NUM!"),
            ("1E200*1E200", "#NUM!"),
            ("1E200^2", "#NUM!"),
            ("MOD(N1, 0)", "#DIV/0!"),
            ("AVERAGE(WORDS)", "#DIV/0!"),
            ("MISSING+1/0", "#N/A"),
            ("1/0+MISSING", "#DIV/0!"),
            ("MISSING=1/0", "#N/A"),
            ("MOD(MISSING, 0)", "#N/A"),
            ("EMPTY2+1", "#VALUE!"),
            ("T1*2", "#VALUE!"),
            ("T3+1", "#VALUE!"),
            ("IF(T1, 1, 2)", "#VALUE!"),
            ("AND(WORDS)", "#VALUE!"),
            ("SUM(T1&T1)", "#VALUE!"),
            ("SUMPRODUCT(NUMBERS, ROW)", "#VALUE!"),
            ("SUMIFS(NUMBERS, ROW, 1)", "#VALUE!"),
            ("COUNTIFS(NUMBERS, 1, ROW, 1)", "#VALUE!"),
            ("INDEX(TABLE, 2)", "#REF!"),
            ("INDEX(TABLE, -1, 1)", "#VALUE!"),
            ("MATCH(BLANK, WORDS, 0)", "#N/A"),
            ("MATCH(1, TABLE, 0)", "#N/A"),
            ("CHOOSE(0, 1)", "#VALUE!"),
            ('REPT("x", 40000)', "#VALUE!"),
            ('REPT("x", 20000)&REPT("x", 20000)', "#VALUE!"),
            ("FIXED(1, 128)", "#VALUE!"),
            ('NUMBERVALUE("1", ".", ".")', "#VALUE!"),
            ('NUMBERVALUE("1.2.3", ".", ",")', "#VALUE!"),
            ("DATE(-1, 1, 1)", "#NUM!"),
            ("DATE(1900, 1, -1)", "#NUM!"),
            ("YEAR(-1)", "#NUM!"),
            ("YEAR(2958466)", "#NUM!"),
            ("CP_SPLIT(N1, 0, 1)", "#NUM!"),
            ("CP_SPLIT(N1, T1, 1)", "#VALUE!"),
            ("CP_SPLIT(N1, MISSING, 1)", "#N/A"),
            ("CP_SPLIT(N1, 1/0, 1)", "#DIV/0!"),
            ("CP_SPLIT(N1, , 1)", "#VALUE!"),
        ],
    )
    def test_errors(self, expression: str, code: str) -> None:
        with pytest.raises(ValueError, match=code):
            computed(expression, self.cells, constants=True)
        assert computed(f"ISERROR({expression})", self.cells, constants=True) is True
        assert computed(f"ISNA({expression})", self.cells, constants=True) is (code == "#N/A")
        assert computed(f"ISNUMBER({expression})", self.cells, constants=True) is False
        assert computed(f'IFERROR({expression}, "none")', self.cells, constants=True) == "none"
        assert computed(f"COUNT({expression}, 1)", self.cells, constants=True) == 1.0

    @staticmethod
    def cells(symbol: str) -> Operand:
        own: dict[str, Operand] = {"FLAG": True, "FLAGS": (True, None, 2.0), "DIGITS": "12", "EMPTY2": ""}
        return own[symbol] if symbol in own else value_of(symbol)


class TestRefused:
    @pytest.mark.parametrize(
        "expression",
        [
            "NUMBERS+1",
            "NUMBERS",
            "IFERROR(NUMBERS, 1)",
            "ISERROR(NUMBERS*2)",
            "SUMPRODUCT(IF(NUMBERS>1, 1, 0))",
            "SUM(NUMBERS*2)",
            'COUNTIF(WORDS, "a*")',
            'COUNTIF(WORDS, "<>x")',
            'COUNTIF(WORDS, "3-1")',
            'COUNTIF(WORDS, "TRUE")',
            'MATCH("a?", WORDS, 0)',
            "MATCH(1, NUMBERS)",
            "SUMIF(NUMBERS, 1, ROW)",
            '"12%"+1',
            '"Mar 5"+1',
            '"a-b"<"ab"',
            'TEXT(1, "#,##0")',
            "RAND()",
            "IF(TRUE)",
            "LEN()",
            "SUMIFS(NUMBERS, NUMBERS)",
            "A1:B2",
            "(1",
            "1)",
            "1,2",
            "+",
            "{1}",
            "@N1",
        ],
    )
    def test_what_is_not_used_here(self, expression: str) -> None:
        """Not as an error of the cell, which IFERROR would see."""
        with pytest.raises(ValueError, match=r"."):
            computed(expression, value_of, constants=True)
        with pytest.raises(ValueError, match=r"."):
            computed(f"IFERROR({expression}, 1)", value_of, constants=True)

    @pytest.mark.parametrize("expression", ["N1+1", "IF(TRUE, 1, N1)", "IFERROR(N1*2, T1)", "N1%*1"])
    def test_a_number_written_out(self, expression: str) -> None:
        with pytest.raises(ValueError, match=r"the number [12]; numbers stand in cells with a label"):
            computed(expression, value_of)
        assert computed("N1%", value_of) == 0.01

    def test_a_long_formula(self) -> None:
        with pytest.raises(NotUsedHere, match="at most"):
            parsed("1" * (MOST_CHARACTERS + 1))

    def test_a_symbol_without_a_value_is_a_mistake_and_no_error(self) -> None:
        with pytest.raises(KeyError):
            computed("IFERROR(NO_SUCH, T1)", value_of)

    def test_a_symbol_whose_value_cannot_be_had_is_an_error(self) -> None:
        def values(symbol: str) -> Operand:
            raise ValueError(f"{symbol} shows an error")

        assert computed('IFERROR(X, "none")', values) == "none"
        with pytest.raises(ValueError, match="X shows an error"):
            computed("X", values)


class TestParts:
    def test_texts_in_which_a_quotation_mark_stands(self) -> None:
        assert computed('T1&" ""x"" "', value_of) == 'alpha "x" '
        assert written('T1&" ""T1"" N1"', PLACES, SHEET) == '=E1&" ""T1"" N1"'

    def test_newer_functions_are_stored_under_their_longer_name(self) -> None:
        assert written('NUMBERVALUE(T1, ".", ",")', PLACES, SHEET) == '=_xlfn.NUMBERVALUE(E1,".",",")'
        assert written("_xlfn.NUMBERVALUE(T1)", PLACES, SHEET) == "=_xlfn.NUMBERVALUE(E1)"
        assert written("IF(TRUE, N1*1E5, #N/A)", PLACES, SHEET) == "=IF(TRUE,A1*1E5,#N/A)"

    def test_a_row_or_column_given_without_saying_which(self) -> None:
        cells: dict[str, Operand] = {"R": (1.0, 2.0, 3.0), "ONE": 1.0, "TWO": 2.0, "S": ((1.0,), (1.0,), (1.0,))}
        for expression, value in [
            ("ROWS(R)", 3.0),
            ("COLUMNS(R)", 3.0),
            ("INDEX(R, TWO)", 2.0),
            ("INDEX(R, ONE, TWO)", 2.0),
            ("INDEX(R, TWO, ONE)", 2.0),
            ("SUMPRODUCT(R, S)", 6.0),
            ("SUMIF(R, TWO, S)", 1.0),
        ]:
            assert computed(expression, cells.__getitem__) == value

    def test_binding(self) -> None:
        assert parsed("A=B&C+D*E^F") == parsed("A=(B&(C+(D*(E^F))))")
        assert parsed("A-B-C") == parsed("(A-B)-C")
        assert parsed("-A^B%") == Binary("^", Unary("-", parsed("A")), Unary("%", parsed("B")))

    @given(st.dates(min_value=date(1900, 3, 1)))
    def test_days(self, day: date) -> None:
        assert day_of(serial(day)) == day_of(day) == (day.year, day.month, day.day)
        assert dated(float(day.year), float(day.month), float(day.day)) == serial(day)
        if day < date.max:
            assert serial(day + timedelta(1)) == serial(day) + 1

    @given(*[st.none() | st.booleans() | st.floats(-1e6, 1e6) | st.text("aB1 ", max_size=3)] * 2)
    def test_comparison_has_two_sides(self, left: Any, right: Any) -> None:
        there, back = compared(left, right), compared(right, left)
        assert (there > 0, there == 0, there < 0) == (back < 0, back == 0, back > 0)
        assert compared(left, left) == 0
