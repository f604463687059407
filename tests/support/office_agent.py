"""The half of office.py that speaks UNO, run by LibreOffice's own Python so that the tests run on any.

Starts soffice (the command line arguments), then answers one JSON request a line. A value travels as text
whose first letter tells what it is: n number (hexadecimal, hence exact), t text, e Calc's error code,
f formula; a blank is null.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # elsewhere there may be no LibreOffice to import it from
    uno: Any = importlib.import_module("uno")

FILTERS = {
    "xlsx": "Calc MS Excel 2007 XML",
    "xlsm": "Calc MS Excel 2007 VBA XML",
    "ods": "calc8",
    "pdf": "calc_pdf_Export",
}
NOT_BLANK = 1 | 2 | 4 | 16  # com.sun.star.sheet.CellFlags: VALUE, DATETIME, STRING, FORMULA
ERROR = 4  # com.sun.star.sheet.FormulaResult


class Agent:
    def __init__(self, command: list[str]) -> None:
        pipe = f"agent{os.getpid()}"
        self.process = subprocess.Popen([*command, f"--accept=pipe,name={pipe};urp;"], stdout=sys.stderr)
        self.desktop = self._connect(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        self.documents: dict[int, Any] = {}

    def _connect(self, address: str) -> Any:
        context = uno.getComponentContext()
        resolver = context.ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
        not_yet = uno.getClass("com.sun.star.connection.NoConnectException")
        while True:
            try:
                remote = resolver.resolve(address)
            except not_yet:
                if self.process.poll() is not None:
                    code = self.process.returncode
                    raise RuntimeError(f"soffice ended at once with exit code {code}") from None
                time.sleep(0.02)
            else:
                return remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)

    def open(self, document: int, path: str) -> None:
        if not Path(path).stat().st_size:
            raise RuntimeError(f"{path} is empty")  # soffice would make it a new workbook
        settings = {"Hidden": True, "FilterName": FILTERS.get(Path(path).suffix[1:], "")}
        opened = self.desktop.loadComponentFromURL(_url(path), "_blank", 0, _properties(**settings))
        if opened is None:
            raise RuntimeError(f"soffice could not load {path}")
        self.documents[document] = opened

    def save(self, document: int, path: str, to: str) -> None:
        self.documents[document].storeToURL(_url(path), _properties(FilterName=FILTERS[to]))

    def close(self, document: int) -> None:
        self.documents.pop(document).close(True)

    def recalculate(self, document: int) -> None:
        self.documents[document].calculateAll()

    def sheets(self, document: int) -> list[str]:
        return list(self.documents[document].Sheets.ElementNames)

    def values(self, document: int, sheet: str) -> list[tuple[int, int, list[list[str | None]]]]:
        """Blocks of cells that are not blank: first column, first row, rows."""
        found = self.documents[document].Sheets.getByName(sheet)
        return [
            (box.StartColumn, box.StartRow, list(_rows(found, box)))
            for box in found.queryContentCells(NOT_BLANK).RangeAddresses
        ]

    def cell(self, document: int, sheet: str, address: str) -> tuple[str | None, str, str]:
        """Value, text as displayed, formula in Excel's syntax (or what was entered)."""
        cell = self._cell(document, sheet, address)
        formula = cell.Formula
        if cell.Type.value == "FORMULA":
            parser = self._parser(document)
            formula = "=" + parser.printFormula(cell.Tokens, cell.CellAddress)
        return _value(cell), cell.String, formula

    def set(self, document: int, sheet: str, address: str, value: str | None) -> None:
        cell = self._cell(document, sheet, address)
        kind, content = (value[0], value[1:]) if value else ("t", "")
        if kind == "n":
            cell.Value = float.fromhex(content)
        elif kind == "f":
            cell.Tokens = self._parser(document).parseFormula(content, cell.CellAddress)
        else:
            cell.String = content

    def end(self) -> None:
        """Ends soffice; the other half kills what does not obey."""
        with suppress(uno.getClass("com.sun.star.uno.Exception")):  # ended before it could answer
            self.desktop.terminate()
        self.process.wait()

    def _cell(self, document: int, sheet: str, address: str) -> Any:
        return self.documents[document].Sheets.getByName(sheet).getCellRangeByName(address).getCellByPosition(0, 0)

    def _parser(self, document: int) -> Any:
        parser = self.documents[document].createInstance("com.sun.star.sheet.FormulaParser")
        parser.CompileEnglish = True
        parser.FormulaConvention = uno.getConstantByName("com.sun.star.sheet.AddressConvention.XL_OOX")
        return parser


def _rows(sheet: Any, box: Any) -> Iterator[list[str | None]]:
    cells = sheet.getCellRangeByPosition(box.StartColumn, box.StartRow, box.EndColumn, box.EndRow)
    for row, contents in enumerate(cells.DataArray):
        yield [
            _encode(content) if content is not None else _value(cells.getCellByPosition(column, row))
            for column, content in enumerate(contents)  # None: an error
        ]


def _value(cell: Any) -> str | None:
    kind = cell.Type.value
    if kind == "EMPTY":
        return None
    if cell.getError():
        return f"e{cell.getError()}"
    is_text = kind == "TEXT" or (kind == "FORMULA" and cell.FormulaResultType2 == 2)
    return _encode(cell.String if is_text else cell.Value)


def _encode(content: float | str) -> str:
    return "t" + content if isinstance(content, str) else "n" + content.hex()


def _url(path: str) -> str:
    return Path(path).resolve().as_uri()


def _properties(**settings: object) -> tuple[Any, ...]:
    make = uno.getClass("com.sun.star.beans.PropertyValue")
    return tuple(make(name, 0, value, 0) for name, value in settings.items())


def main() -> None:
    agent: Agent | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            agent = agent or Agent(sys.argv[1:])
            do: Callable[..., object] = getattr(agent, request.pop("do"))
            answer = {"done": do(**request)}
        except Exception as problem:  # whatever UNO raised belongs to the one who asked
            answer = {"problem": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)
    if agent:
        agent.end()


if __name__ == "__main__":
    main()
