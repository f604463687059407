"""LibreOffice as the tests' second opinion: it recalculates, exports and edits workbooks, hermetically.

One `Office` is one soffice with a profile of its own, started by the first request and used by all that
follow. Doubles are read in full, not in the 15 digits that a file keeps.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openpyxl.utils import get_column_letter

OLDEST = (25, 2)  # the first that resolves an add-in's functions in an .xlsx
SYSTEM_PATH = "/usr/bin:/bin"  # soffice's Python takes its prefix from here: no virtual environment
ERROR_CODES = {
    "#NULL!": 521,
    "#DIV/0!": 532,
    "#VALUE!": 519,
    "#REF!": 524,
    "#NAME?": 525,
    "#NUM!": 503,
    "#N/A": 32767,
}
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
<prop oor:name="ODFRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""  # 0: always recalculate, so that no cached value is ever believed


@functools.cache
def find_soffice() -> Path:
    """The soffice to test with; LookupError says what is missing."""
    found = shutil.which("soffice", path=f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}")
    if found is None:
        raise LookupError("LibreOffice is not installed")
    shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+)\.(\d+)", shown)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise LookupError(f"LibreOffice {needed} or newer is needed, not {shown.strip()!r}")
    if shutil.which("pdftoppm") is None:
        raise LookupError("pdftoppm, which draws the pictures, is not installed (poppler-utils)")
    return Path(found).resolve()


class OfficeError(RuntimeError):
    """soffice refused, failed or ended; the message carries what it wrote."""


class OfficeTimeoutError(OfficeError):
    """soffice did not answer in time and was killed, with every process it had started."""


@dataclass(frozen=True, slots=True)
class Error:
    """An error in a cell: `Error("#NUM!")`, or where Excel has no such error `Error("Err:522")`."""

    name: str

    @classmethod
    def of(cls, code: int) -> Self:
        return cls(next((name for name, known in ERROR_CODES.items() if known == code), f"Err:{code}"))

    @property
    def code(self) -> int:
        return ERROR_CODES.get(self.name) or int(self.name.removeprefix("Err:"))


@dataclass(frozen=True, slots=True)
class Cell:
    """Value (None for a blank, 1.0 for TRUE, a serial for a date), displayed text, formula or entry."""

    value: float | str | Error | None
    text: str
    formula: str


class Document:
    """An open workbook."""

    def __init__(self, office: Office, path: Path) -> None:
        self._office = office
        self._number = next(office.numbers)
        office.ask("open", document=self._number, path=str(path.resolve()))
        self._group = office.group

    def sheets(self) -> list[str]:
        names: list[str] = self._ask("sheets")
        return names

    def cell(self, sheet: str, address: str) -> Cell:
        value, text, formula = self._ask("cell", sheet=sheet, address=address)
        return Cell(None if value is None else _decode(value), text, formula)

    def value(self, sheet: str, address: str) -> float | str | Error | None:
        return self.cell(sheet, address).value

    def values(self) -> dict[tuple[str, str], float | str | Error]:
        """Every cell that is not blank, as {(sheet, "A1"): value}."""
        return {
            (sheet, f"{get_column_letter(left + column + 1)}{top + row + 1}"): _decode(content)
            for sheet in self.sheets()
            for left, top, rows in self._ask("values", sheet=sheet)
            for row, contents in enumerate(rows)
            for column, content in enumerate(contents)
        }

    def set(self, sheet: str, address: str, value: float | str | None) -> None:
        """Enters a number, a text, a formula in Excel's syntax ("=SUM(A1,B1)") or, by None, a blank."""
        if value is None:
            content = None
        elif isinstance(value, str):
            content = "f" + value[1:] if value.startswith("=") else "t" + value
        else:
            content = "n" + float(value).hex()
        self._ask("set", sheet=sheet, address=address, value=content)

    def recalculate(self) -> None:
        """Calculates every formula again, whether or not its inputs have changed."""
        self._ask("recalculate")

    def save(self, path: Path, to: str = "xlsx") -> Path:
        """Writes a copy as xlsx, xlsm, ods or pdf."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._ask("save", path=str(path.resolve()), to=to)
        if not path.exists():
            raise self._office.failure(f"{path.name} was not written")
        return path

    def close(self) -> None:
        self._ask("close")

    def _ask(self, do: str, **arguments: object) -> Any:
        if self._office.group != self._group:
            raise self._office.failure(f"{do}: the soffice that had opened this workbook has ended")
        return self._office.ask(do, document=self._number, **arguments)


class Session:
    """Workbooks opened here are closed at its end."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.documents: list[Document] = []

    def open(self, path: Path) -> Document:
        self.documents.append(Document(self._office, path))
        return self.documents[-1]


class Office:
    """One soffice. `addins` is a folder of unpacked add-ins (NAME.oxt/); `environment` is for them."""

    def __init__(
        self,
        work: Path,
        *,
        addins: Path | None = None,
        profile: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60,
        soffice: Path | None = None,
    ) -> None:
        self.work = work.resolve()
        self.timeout = timeout
        self.numbers = itertools.count(1)
        self._log = self.work / "soffice.log"
        self._agent: subprocess.Popen[str] | None = None
        if profile is None:
            profile = self.work / "profile"
            (profile / "user").mkdir(parents=True)
            (profile / "user" / "registrymodifications.xcu").write_text(PROFILE, encoding="utf-8")
        soffice = soffice or find_soffice()
        bundled = soffice.parent / "python"  # a distribution's LibreOffice uses the system's instead
        self._command = [
            str(bundled) if bundled.exists() else "/usr/bin/python3",
            str(Path(__file__).with_name("office_agent.py")),
            str(soffice),
            f"-env:UserInstallation={profile.resolve().as_uri()}",
            *([f"-env:BUNDLED_EXTENSIONS={addins.resolve().as_uri()}"] if addins else []),
            "--headless",
            "--norestore",
            "--nologo",
            "--nodefault",
        ]
        self._environment = {
            "PATH": SYSTEM_PATH,
            "HOME": str(self.work),
            "TMPDIR": str(self.work),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPYCACHEPREFIX": str(self.work / "pycache"),
            **(environment or {}),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def group(self) -> int | None:
        """The process group that soffice runs in, None before the first request and after `close`."""
        return self._agent.pid if self._agent else None

    @contextmanager
    def session(self) -> Iterator[Session]:
        session = Session(self)
        try:
            yield session
        finally:
            for document in session.documents:
                with suppress(OfficeError):  # closed already, or its soffice is gone
                    document.close()

    def convert(self, files: Iterable[Path], outdir: Path, to: str = "xlsx") -> list[Path]:
        """Loads, recalculates and writes each file to `outdir` as xlsx, xlsm, ods or pdf."""
        written = []
        for file in files:
            with self.session() as session:
                written.append(session.open(file).save(outdir / f"{file.stem}.{to}", to))
        return written

    def recalculate(self, path: Path) -> Path:
        """A copy of the workbook in which every formula has been calculated afresh."""
        (copy,) = self.convert([path], self.work / "recalculated" / str(next(self.numbers)))
        return copy

    def pdf(self, path: Path, outdir: Path) -> Path:
        (written,) = self.convert([path], outdir, "pdf")
        return written

    def pictures(self, path: Path, outdir: Path, dpi: int = 80) -> list[Path]:
        """One PNG a printed page, in order."""
        pdf = self.pdf(path, outdir)
        command = ["pdftoppm", "-png", "-r", str(dpi), str(pdf), str(pdf.with_suffix(""))]
        subprocess.run(command, check=True, timeout=self.timeout)
        return sorted(outdir.glob(f"{pdf.stem}-*.png"))

    def ask(self, do: str, **arguments: object) -> Any:
        """One request to office_agent.py, which is started if it is not running."""
        agent = self._agent or self._start()
        assert agent.stdin is not None
        assert agent.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            _kill(agent)

        clock = threading.Timer(self.timeout, give_up)
        clock.start()
        try:
            agent.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            agent.stdin.flush()
            line = agent.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            clock.cancel()
        if not line:
            self.close()
            if late.is_set():
                raise self.failure(f"{do}: no answer within {self.timeout:g} s", OfficeTimeoutError)
            raise self.failure(f"{do}: soffice ended")
        answer = json.loads(line)
        if "problem" in answer:
            raise self.failure(f"{do}: {answer['problem']}")
        return answer["done"]

    def failure(self, what: str, kind: type[OfficeError] = OfficeError) -> OfficeError:
        written = self._log.read_text(encoding="utf-8", errors="replace")
        return kind(f"{what}\nsoffice wrote:\n{written[-2000:]}")

    def close(self) -> None:
        """Ends soffice; the next request starts it again."""
        agent, self._agent = self._agent, None
        if agent is None:
            return
        assert agent.stdin is not None
        assert agent.stdout is not None
        with suppress(BrokenPipeError):
            agent.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            agent.wait(10)
        _kill(agent)
        agent.wait()
        agent.stdout.close()

    def _start(self) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            self._agent = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                start_new_session=True,
            )
        return self._agent


def _decode(content: str) -> float | str | Error:
    kind, rest = content[0], content[1:]
    if kind == "n":
        return float.fromhex(rest)
    return rest if kind == "t" else Error.of(int(rest))


def _kill(agent: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(agent.pid, signal.SIGKILL)
