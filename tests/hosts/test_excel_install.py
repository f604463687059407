"""install, doctor and uninstall, on a machine that is Windows by its record and a folder by its files."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import pytest
import xlwings
from click.testing import CliRunner, Result

from xl_conversion import __version__
from xl_conversion.books.templates.price_model import price_model
from xl_conversion.cli_excel import doctor, excel, install, uninstall
from xl_conversion.files import SaveError
from xl_conversion.hosts.excel import build, udfs
from xl_conversion.hosts.excel import install as installing
from xl_conversion.hosts.excel.doctor import Check, examine, verdict
from xl_conversion.hosts.excel.environment import UDFS, Environment, probe
from xl_conversion.hosts.excel.install import Change, Plan, carry_out, plan_install
from xl_conversion.hosts.excel.project import Kind, Module, modules_of, project_bytes
from xl_conversion.hosts.excel.settings import first, vba_pairs
from xl_conversion.hosts.excel.workbook import is_ours, project_name, sheet_settings, vba_source

ROOT = Path(__file__).parents[2]
XLWINGS = Path(xlwings.__file__).parent
NUMBER = xlwings.__version__
APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
CLICK_TO_RUN = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration"

posix = pytest.mark.skipif(os.name != "posix", reason="the Python of the test is a shell script")


@dataclass
class Machine:
    """A machine in a folder; its Python is the one of the tests, with a pywin32 that can only be imported."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    registry: dict[tuple[str, str], str] = field(default_factory=lambda: {(CLICK_TO_RUN, "Platform"): "x64"})
    changed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("xlwings32", "xlwings64"):
            self.dll(name).parent.mkdir(parents=True, exist_ok=True)
            self.dll(name).write_bytes(b"")
        self.package("pythoncom")
        self.package("win32com")
        (self.stubs / "client.py").rename(self.package("win32com/client"))
        self.make_python(self.python)

    @property
    def home(self) -> Path:
        return self.root / "Users" / "me"

    @property
    def python(self) -> Path:
        return self.root / "venv" / "Scripts" / "python.exe"

    @property
    def stubs(self) -> Path:
        return self.root / "stubs"

    @property
    def addin(self) -> Path:
        return self.home / "AppData" / "Roaming" / "Microsoft" / "Excel" / "XLSTART" / "xl_conversion.xlam"

    @property
    def config(self) -> Path:
        return self.home / ".xl_conversion" / "xl_conversion.conf"

    def dll(self, name: str) -> Path:
        return self.root / "venv" / f"{name}-{NUMBER}.dll"

    def package(self, name: str, text: str = "") -> Path:
        """A module that this machine's Python finds before all others."""
        folder = self.stubs / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "__init__.py"
        path.write_text(text)
        (self.stubs / "client.py").write_text("")
        return path

    def make_python(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nPYTHONPATH="{self.stubs}" exec "{sys.executable}" "$@"\n')
        path.chmod(0o755)
        return path

    @property
    def env(self) -> Environment:
        env = Environment(
            platform="win32",
            home=self.home,
            appdata=self.home / "AppData" / "Roaming",
            interpreter=self.python,
            variables=self.variables,
            registry=lambda key, name: self.registry.get((key, name)),
        )
        return replace(env, **self.changed)

    def run(self, command: click.Command, *arguments: str) -> Result:
        result = CliRunner().invoke(command, arguments, obj=self.env, env={"COLUMNS": "80"})
        if result.exception is not None and not isinstance(result.exception, SystemExit | SaveError):
            raise result.exception
        return result

    def files(self) -> dict[str, bytes]:
        """Everything in the home folder."""
        return {str(p.relative_to(self.home)): p.read_bytes() for p in self.home.rglob("*") if p.is_file()}

    def write(self, path: Path, data: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "pc")


@pytest.fixture(scope="module")
def addin() -> bytes:
    return build.addin()


def settings(machine: Machine) -> list[tuple[str, str]]:
    pairs, whole = vba_pairs(machine.config.read_bytes().decode("cp1252"))
    assert whole
    return pairs


def errors(result: Result) -> tuple[str, str]:
    """What the command line tells of a refusal: see its test in a process of its own."""
    assert isinstance(result.exception, SaveError)
    assert result.output == ""
    return result.exception.message, result.exception.hint


class TestInstall:
    def test_puts_the_addin_and_its_settings_there(self, machine: Machine, addin: bytes) -> None:
        result = machine.run(install)
        assert result.exit_code == 0
        assert machine.addin.read_bytes() == addin
        assert machine.config.read_bytes().decode() == f'"INTERPRETER_WIN","{machine.python}"\r\n'
        assert len(machine.files()) == 2
        assert result.stdout.splitlines() == [
            f"write {machine.addin}",
            f"write {machine.config}",
            f"  INTERPRETER_WIN = {machine.python}",
        ]
        assert result.stderr.startswith("next: start Excel anew; xl-conversion excel doctor")

    def test_the_addin_is_the_built_one(self, addin: bytes) -> None:
        assert is_ours(addin)
        assert udfs.__name__ == UDFS
        assert sheet_settings(addin, "xl_conversion") == [("ADD_WORKBOOK_TO_PYTHONPATH", "False")]
        assert sheet_settings(addin, "xlwings") == []

    def test_a_second_time_nothing_changes(self, machine: Machine) -> None:
        machine.run(install)
        before = machine.files()
        times = [path.stat().st_mtime_ns for path in (machine.addin, machine.config)]
        result = machine.run(install)
        assert (result.exit_code, result.output) == (0, "nothing to change\n")
        assert machine.files() == before
        assert [path.stat().st_mtime_ns for path in (machine.addin, machine.config)] == times

    def test_a_dry_run_writes_nothing(self, machine: Machine) -> None:
        result = machine.run(install, "--dry-run")
        assert result.exit_code == 0
        assert result.output.splitlines()[:2] == [f"would write {machine.addin}", f"would write {machine.config}"]
        assert not machine.home.exists()

    def test_xlwings_own_settings_stay(self, machine: Machine) -> None:
        own = machine.write(machine.home / ".xlwings" / "xlwings.conf", b'"INTERPRETER_WIN","C:\\mine.exe"\r\n')
        machine.run(install)
        assert own.read_bytes() == b'"INTERPRETER_WIN","C:\\mine.exe"\r\n'

    def test_another_version_of_ours_is_replaced(self, machine: Machine, addin: bytes) -> None:
        older = other_addin(addin)
        machine.write(machine.addin, older)
        result = machine.run(install)
        assert machine.addin.read_bytes() == addin
        assert f"replace {machine.addin}" in result.stdout.splitlines()
        assert list(machine.addin.parent.iterdir()) == [machine.addin]
        machine.run(uninstall)
        assert machine.files() == {}

    def test_another_python_takes_over(self, machine: Machine) -> None:
        machine.run(install)
        new = machine.make_python(machine.root / "new" / "Scripts" / "python.exe")
        machine.changed["interpreter"] = new
        machine.run(install)
        assert first(settings(machine), "interpreter_win") == str(new)
        assert len(settings(machine)) == 1
        machine.run(uninstall)
        assert machine.files() == {}

    def test_in_the_start_up_folder_there_is_never_another_file(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[Path] = []
        real = installing.write_atomically

        def recorded(path: Path, data: bytes) -> None:
            written.append(path)
            real(path, data)

        monkeypatch.setattr(installing, "write_atomically", recorded)
        machine.run(install)
        assert len(written) == 2
        assert machine.addin.parent not in [path.parent for path in written]

    def test_an_active_conda_environment_is_activated(self, machine: Machine) -> None:
        root = machine.root / "conda"
        machine.variables["CONDA_EXE"] = str(root / "Scripts" / "conda.exe")
        for prefix, name in (
            (root, "base"),
            (root / "envs" / "deals", "deals"),
            (machine.root / "elsewhere", str(machine.root / "elsewhere")),
        ):
            (prefix / "conda-meta").mkdir(parents=True)
            machine.changed["interpreter"] = prefix / "python.exe"
            machine.run(install)
            assert settings(machine) == [
                ("INTERPRETER_WIN", "python"),
                ("CONDA PATH", str(root)),
                ("CONDA ENV", name),
            ]
        spaced = machine.root / "with space"
        (spaced / "conda-meta").mkdir(parents=True)
        machine.changed["interpreter"] = spaced / "python.exe"
        machine.run(install)
        assert settings(machine) == [("INTERPRETER_WIN", str(spaced / "python.exe"))]


OTHERS: dict[str, bytes] = {
    "comments in pairs": b'"#","of mine"\r\n"PYTHONPATH","C:\\a"\r\n# one, line of notes\r\n',
    "line feeds": b'"PYTHONPATH","C:\\a"\n"SHOW CONSOLE","True"\n',
    "mixed ends": b'"PYTHONPATH","C:\\a"\r\n"SHOW CONSOLE","True"\n"LICENSE_KEY","x"\r',
    "commas in quotes": b'"PYTHONPATH","C:\\a,b;C:\\c, d"\r\n"LICENSE_KEY","a,b,c"\r\n',
    "quotes inside": b'LICENSE_KEY,a"b"c\r\n"PYTHONPATH","C:\\a"\r\n',
    "no quotes": b"PYTHONPATH, C:\\a \r\nSHOW CONSOLE,True\r\n",
    "no last end": b'"PYTHONPATH","C:\\a"',
    "twice": b'"PYTHONPATH","C:\\a"\r\n"pythonpath","C:\\b"\r\n',
    "an empty pair": b'"PYTHONPATH","C:\\a"\r\n\r\n\r\n"LICENSE_KEY",""\r\n',
    "letters of the code page": '"PYTHONPATH","C:\\Büro\\Ärger"\r\n'.encode("cp1252"),
    "letters in UTF-8": '"PYTHONPATH","C:\\Büro\\株\x81"\r\n'.encode(),
}


class TestSettings:
    @pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS.keys())
    def test_what_the_user_added_stays(self, machine: Machine, others: bytes) -> None:
        """After ours, each name and value as VBA took them before, in the same order."""
        machine.write(machine.config, others)
        before = vba_pairs(others.decode("latin-1"))[0]
        assert machine.run(install).exit_code == 0
        after, whole = vba_pairs(machine.config.read_bytes().decode("latin-1"))
        assert whole
        assert after == [("INTERPRETER_WIN", str(machine.python)), *before]
        assert machine.run(install).output == "nothing to change\n"
        assert machine.run(uninstall).exit_code == 0
        (left,) = machine.files().values()
        assert vba_pairs(left.decode("latin-1")) == (before, True)
        assert left.count(b"\r\n") == left.count(b"\n") == len(before)
        assert machine.run(uninstall).output == "nothing to change\n"

    def test_an_older_python_of_ours_goes(self, machine: Machine) -> None:
        machine.write(
            machine.config,
            b'"Conda Env","deals"\r\n"PYTHONPATH","C:\\a"\r\n"interpreter_win","C:\\old\\python.exe"\r\n',
        )
        machine.run(install)
        assert settings(machine) == [("INTERPRETER_WIN", str(machine.python)), ("PYTHONPATH", "C:\\a")]

    @pytest.mark.parametrize("data", [b"", b"PYTHONPATH,C:\\a\n"])
    def test_uninstall_leaves_a_file_without_ours_as_it_is(self, machine: Machine, data: bytes) -> None:
        machine.write(machine.config, data)
        assert machine.run(uninstall).output == "nothing to change\n"
        assert list(machine.files().values()) == [data]

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b'# my Python\r\n"PYTHONPATH","C:\\a"\r\n', "VBA reads it in pairs, and one of 3 items is left over"),
            (b'"PYTHONPATH","C:\\a"\r\n\r\n', "VBA reads it in pairs, and one of 3 items is left over"),
            ('"A","b"\r\n'.encode("utf-16"), "its encoding is UTF-16; VBA reads settings in the code page"),
            (b'\xef\xbb\xbf"A","b"\r\n', "its encoding is UTF-8 with a byte order mark; VBA reads settings in"),
        ],
    )
    def test_what_vba_cannot_read_is_refused(self, machine: Machine, data: bytes, words: str) -> None:
        machine.write(machine.config, data)
        message, hint = errors(machine.run(install))
        assert message.startswith(f"{machine.config}: {words}")
        assert "save it as ANSI" in hint or 'must be "NAME","VALUE"' in hint
        assert machine.files() == {str(machine.config.relative_to(machine.home)): data}
        result = machine.run(uninstall)
        assert result.stdout.startswith(f"left alone: {machine.config}: {words}")
        assert machine.config.read_bytes() == data

    @pytest.mark.parametrize(
        ("text", "pairs", "whole"),
        [
            ("", [], True),
            ('"A","b"\r\n', [("A", "b")], True),
            ('"A","b"', [("A", "b")], True),
            ('"A" , "b" \r\n"C","d"', [("A", "b"), ("C", "d")], True),
            ('"A","b\r\n"C","d"\r\n', [("A", "b"), ("C", "d")], True),
            (" A, b c \r\n", [("A", "b c")], True),
            ('"A",\r\n"B","c"\r\n', [("A", ""), ("B", "c")], True),
            ('# note\r\n\r\n"A","b"\r\n', [("# note", ""), ("A", "b")], True),
            ('# note\r\n"A","b"\r\n', [("# note", "A")], False),
            ('"A","b"\r\n\r\n', [("A", "b")], False),
        ],
    )
    def test_read_as_vba_reads(self, text: str, pairs: list[tuple[str, str]], whole: bool) -> None:
        assert vba_pairs(text) == (pairs, whole)
        assert vba_pairs(text.replace("\r\n", "\r")) == (pairs, whole)


class TestRefusals:
    def test_on_other_systems(self, machine: Machine) -> None:
        machine.changed["platform"] = "linux"
        for command in (install, uninstall):
            message, hint = errors(machine.run(command))
            assert message == "This system is linux; Excel is served on Windows only"
            assert "xl-conversion libreoffice" in hint

    def test_on_this_system(self) -> None:
        if sys.platform == "win32":
            pytest.skip("it would install")
        for command in ("install", "uninstall"):
            done = subprocess.run(
                [sys.executable, "-c", "from xl_conversion.cli import main; main()", "excel", command],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout) == (2, "")
            message, hint = done.stderr.splitlines()
            assert message.endswith("Excel is served on Windows only")
            assert hint.startswith("  hint: Run it on the Windows machine.")

    @pytest.mark.parametrize(
        ("name", "words"),
        [("appdata", "APPDATA is not set; it must be a folder"), ("home", "USERPROFILE is not set; it must be")],
    )
    def test_without_a_folder(self, machine: Machine, name: str, words: str) -> None:
        machine.changed[name] = None
        for command in (install, uninstall):
            assert errors(machine.run(command))[0].startswith(words)

    @pytest.mark.parametrize(
        "data", [b"", b"PK", b"\xd0\xcf\x11\xe0", (XLWINGS / "addin/xlwings.xlam").read_bytes()]
    )
    def test_an_addin_of_somebody_else(self, machine: Machine, data: bytes) -> None:
        machine.write(machine.addin, data)
        message, hint = errors(machine.run(install))
        assert message.startswith(f"{machine.addin}: there is another add-in of that name")
        assert "Rename it" in hint
        result = machine.run(uninstall)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            f"left alone: {machine.addin} was not made by xl-conversion, or changed since; Excel opens it",
            "nothing to change",
        ]
        assert list(machine.files().values()) == [data]

    @pytest.mark.parametrize("how", ["a macro more", "a macro less", "another line", "a sheet", "a part more"])
    def test_an_addin_of_ours_that_was_changed(self, machine: Machine, addin: bytes, how: str) -> None:
        machine.run(install)
        data = changed_addin(addin, how)
        machine.addin.write_bytes(data)
        assert not is_ours(data)
        assert errors(machine.run(install))[0].endswith("or one changed since xl-conversion made it")
        (check,) = (check for check in examine(machine.env) if check.name == "add-in")
        assert (check.status, check.message) == (
            "FAIL",
            f"{machine.addin} was not made by xl-conversion, or changed since",
        )
        assert f"left alone: {machine.addin} " in machine.run(uninstall).stdout
        assert list(machine.files().values()) == [data]

    def test_a_folder_of_that_name(self, machine: Machine) -> None:
        machine.addin.mkdir(parents=True)
        assert errors(machine.run(install))[0] == f"{machine.addin}: it is a folder"

    def test_a_python_of_the_store(self, machine: Machine) -> None:
        machine.changed["interpreter"] = machine.home / "Microsoft" / "WindowsApps" / "python.exe"
        message, hint = errors(machine.run(install))
        assert message.startswith(f"The Python is {machine.env.interpreter}; Excel cannot load xlwings beside")
        assert "python.org" in hint

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("%deals%", "in which Excel would put the value of a variable, and look for "),
            ('a"b', "which has a quotation mark or the end of a line in it"),
            ("a\rb", "which has a quotation mark or the end of a line in it"),
            ("a\nb", "which has a quotation mark or the end of a line in it"),
        ],
    )
    def test_a_path_that_would_become_another_one(self, machine: Machine, name: str, words: str) -> None:
        machine.variables["DEALS"] = "elsewhere"
        machine.changed["interpreter"] = machine.root / name / "python.exe"
        message, _ = errors(machine.run(install))
        assert message.startswith("INTERPRETER_WIN is ")
        assert words in message
        machine.changed["interpreter"] = machine.root / "100%" / "python.exe"  # nothing to put there
        assert machine.run(install).exit_code == 0

    def test_a_path_that_excel_cannot_read(self, machine: Machine) -> None:
        machine.changed["interpreter"] = machine.root / "株式" / "python.exe"
        message, hint = errors(machine.run(install))
        assert message.startswith(
            f"INTERPRETER_WIN is {machine.env.interpreter}, which has characters that are not"
        )
        assert "plain letters" in hint

    @pytest.mark.parametrize("there", [False, True])
    def test_excel_has_it_open(
        self, machine: Machine, addin: bytes, monkeypatch: pytest.MonkeyPatch, there: bool
    ) -> None:
        if there:
            machine.write(machine.addin, other_addin(addin))
        before = machine.files()
        real = os.replace

        def busy(source: Path, target: Path) -> None:
            if Path(target) == machine.addin:
                raise PermissionError(13, "Access is denied", str(target))
            real(source, target)

        monkeypatch.setattr(os, "replace", busy)
        message, hint = errors(machine.run(install))
        assert message.startswith(f"Cannot write {machine.addin}: it is open in another program, such as Excel")
        assert "Close every window of Excel" in hint
        assert machine.files() == before

    def test_excel_has_it_open_while_it_is_taken_away(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.run(install)
        before = machine.files()

        def busy(path: Path, missing_ok: bool = False) -> None:
            raise PermissionError(13, "Access is denied", str(path))

        monkeypatch.setattr(Path, "unlink", busy)
        message, _ = errors(machine.run(uninstall))
        assert message.startswith(f"Cannot remove {machine.addin}: it is open in another program")
        assert machine.files() == before

    def test_a_folder_that_may_not_be_made(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(path: Path, **_: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "mkdir", denied)
        message, _ = errors(machine.run(install))
        assert message.startswith(f"Cannot make the folder {machine.addin.parent}: ")
        assert "the folder is read-only" in message

    def test_what_was_done_is_undone_when_the_settings_cannot_be_written(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.write(machine.config, OTHERS["no quotes"])
        before = machine.files()
        real = installing.write_atomically

        def refused(path: Path, data: bytes) -> None:
            if path == machine.config:
                raise SaveError(f"Cannot save {path}: the folder {path.parent} is read-only", "Ask.")
            real(path, data)

        monkeypatch.setattr(installing, "write_atomically", refused)
        assert errors(machine.run(install)) == (
            f"Cannot save {machine.config}: the folder {machine.config.parent} is read-only",
            "Ask.",
        )
        assert machine.files() == before

    def test_a_read_only_file_of_settings(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        machine.write(machine.config, OTHERS["no quotes"]).chmod(0o444)
        if os.access(machine.config, os.W_OK):  # the administrator may write everything
            monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != machine.config)
        before = machine.files()
        assert "the file is read-only" in errors(machine.run(install))[0]
        assert machine.files() == before

    def test_an_interruption_is_undone_too(self, machine: Machine) -> None:
        made = machine.root / "a"
        changes = (Change(made, None, b"1"), Change(machine.root / "\0", None, b"2"))
        with pytest.raises((SaveError, ValueError)):
            carry_out(Plan(changes))
        assert not made.exists()


class TestUninstall:
    def test_takes_away_what_was_put_there(self, machine: Machine) -> None:
        machine.run(install)
        result = machine.run(uninstall, "--dry-run")
        assert result.stdout.splitlines() == [f"would remove {machine.addin}", f"would remove {machine.config}"]
        assert machine.files()
        assert machine.run(uninstall).exit_code == 0
        assert machine.files() == {}
        assert not machine.config.parent.exists()
        assert machine.addin.parent.exists()  # it is Excel's

    def test_works_without_xlwings(self, addin: bytes, tmp_path: Path) -> None:
        (tmp_path / "a.xlam").write_bytes(addin)
        program = (
            "import sys; from pathlib import Path; sys.modules['xlwings'] = None; "
            "import xl_conversion.hosts.excel.install, xl_conversion.hosts.excel.doctor; "
            "from xl_conversion.hosts.excel.workbook import is_ours; "
            "print(is_ours(Path(sys.argv[1]).read_bytes()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "a.xlam")], capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("True\n", "")

    def test_a_second_time_nothing_changes(self, machine: Machine) -> None:
        machine.run(install)
        machine.run(uninstall)
        result = machine.run(uninstall)
        assert (result.exit_code, result.output) == (0, "nothing to change\n")


class TestVba:
    def test_all_of_it_is_read(self) -> None:
        source = {
            line.strip() for line in vba_source((XLWINGS / "quickstart_addin.xlam").read_bytes()).splitlines()
        }
        told = (XLWINGS / "xlwings_custom_addin.bas").read_text(encoding="cp1252").splitlines()
        assert {line.strip() for line in told} - source == set()

    def test_a_workbook_without_macros(self) -> None:
        assert vba_source((Path(__file__).parents[2] / "workbooks/conversion-price-model.xlsx").read_bytes()) == ""

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 9])
    def test_no_workbook(self, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"damaged|encrypted"):
            vba_source(data)

    def test_a_damaged_project(self, addin: bytes) -> None:
        for cut in (0, 40, 600, 5000, 20000):
            broken = with_part(addin, "xl/vbaProject.bin", lambda raw, cut=cut: raw[:cut])
            with pytest.raises(ValueError, match="damaged"):
                vba_source(broken)
        assert not is_ours(with_part(addin, "xl/vbaProject.bin", lambda raw: bytes(len(raw))))


class TestSheet:
    @pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/media/picture.png"])
    def test_what_is_large_is_not_unpacked(self, addin: bytes, name: str) -> None:
        """A part that is not needed stays packed, and those that are have a limit."""
        data = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(addin)) as parts, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as copy:
            for part in dict.fromkeys([*parts.namelist(), name]):
                content = parts.read(part) if part in parts.namelist() else b""
                copy.writestr(part, content + b" " * (60_000_000 if part == name else 0))
        tracemalloc.start()
        pairs = sheet_settings(data.getvalue(), "xl_conversion")
        ours = is_ours(data.getvalue())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000
        assert len(pairs) == ("media" in name)
        assert not ours

    def test_nor_what_is_compressed_as_excel_does_not_do_it(self, addin: bytes) -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(addin)) as parts, zipfile.ZipFile(data, "w", zipfile.ZIP_BZIP2) as copy:
            for part in parts.namelist():
                copy.writestr(part, parts.read(part))
        assert sheet_settings(data.getvalue(), "xl_conversion") == []
        with pytest.raises(ValueError, match="compressed as Excel does not do it"):
            vba_source(data.getvalue())

    def test_a_text_that_reads_like_a_content_type_stays(self, addin: bytes) -> None:
        text = b"ms-excel.addin.macro"
        other = with_part(addin, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b">False<", b">%b<" % text))
        assert sheet_settings(other, "xl_conversion") == [("ADD_WORKBOOK_TO_PYTHONPATH", text.decode())]


def naming(book: bytes, python: Path) -> bytes:
    """The workbook of xlwings with a sheet of settings that is in force and names that Python."""
    used = with_part(book, "xl/workbook.xml", lambda text: text.replace(b'"_xlwings.conf"', b'"xlwings.conf"'))
    path = f"<t>{python}</t>".encode()
    return with_part(used, "xl/sharedStrings.xml", lambda text: text.replace(b"<t>python</t>", path))


def with_part(book: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as parts, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as copy:
        for part in parts.namelist():
            copy.writestr(part, change(parts.read(part)) if part == name else parts.read(part))
    return data.getvalue()


def changed_addin(addin: bytes, how: str) -> bytes:
    """What somebody else made of it."""
    if how == "a part more":
        data = io.BytesIO(addin)
        with zipfile.ZipFile(data, "a") as parts:
            parts.writestr("xl/notes.xml", "<notes/>")
        return data.getvalue()
    if how == "a sheet":
        return with_part(addin, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"False", b"True"))

    def change(raw: bytes) -> bytes:
        modules = modules_of(raw)
        if how == "a macro more":
            modules.append(Module("Mine", Kind.STANDARD, 'Attribute VB_Name = "Mine"\r\n'))
        elif how == "a macro less":
            del modules[-1]
        else:
            modules[-1] = replace(modules[-1], source=modules[-1].source + "' mine\r\n")
        return project_bytes(raw, modules)

    return with_part(addin, "xl/vbaProject.bin", change)


def other_addin(addin: bytes) -> bytes:
    """One of ours that is not the present one."""
    other = with_part(addin, "docProps/core.xml", lambda text: text + b"\n")
    assert other != addin
    assert is_ours(other)
    return other


def found(checks: Sequence[Check], name: str) -> list[str]:
    return [check.status for check in checks if check.name == name]


@posix
class TestDoctor:
    def test_a_good_installation(self, machine: Machine) -> None:
        machine.run(install)
        result = machine.run(doctor)
        lines = result.stdout.splitlines()
        assert result.exit_code == 0, result.stdout
        assert [line for line in lines if line.startswith(("WARN", "FAIL"))] == []
        assert [line.split()[1] for line in lines if line.startswith("UNKNOWN")] == ["trust"]
        assert (
            lines[-1] == "All that can be seen from outside Excel is in order. Not known from here: trust center."
        )
        for line in (
            "OK       system: Windows",
            f"OK       interpreter: {machine.python}",
            f"OK       packages: xl_conversion {__version__}",
            f"OK       packages: xlwings {NUMBER}",
            "OK       packages: pywin32",
            "OK       excel: Excel of 64 bit",
            f"OK       library: xlwings64-{NUMBER}.dll is beside the Python",
            f"OK       add-in: {machine.addin} is current",
        ):
            assert line in lines

    @pytest.mark.parametrize("reason", ["missing", "another version"])
    def test_without_a_usable_xlwings_of_its_own(
        self, machine: Machine, reason: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.run(install)
        if reason == "missing":
            monkeypatch.setitem(sys.modules, "xl_conversion.hosts.excel.build", None)
        else:
            monkeypatch.setattr(build.xw, "__version__", "0.99.0")
        result = machine.run(doctor)
        assert result.exit_code == 3
        lines = result.stdout.splitlines()
        (line,) = (line for line in lines if line.startswith("FAIL"))
        assert line.startswith(
            "FAIL     build: the add-in cannot be made here, so the one in use is not compared: "
        )
        for line in (
            f"OK       packages: xlwings {NUMBER}",
            f"OK       library: xlwings64-{NUMBER}.dll is beside the Python",
            f"UNKNOWN  add-in: {machine.addin} was made by xl-conversion; whether it is current is not known",
        ):
            assert line in lines

    def test_begins_without_xlwings(self, tmp_path: Path) -> None:
        (tmp_path / "xlwings.py").write_text("raise ImportError('not here')")
        done = subprocess.run(
            [sys.executable, "-c", "from xl_conversion.cli import main; main()", "excel", "doctor"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        )
        assert (done.returncode, done.stderr) == (3, "")
        assert "FAIL     build: the add-in cannot be made here" in done.stdout
        assert "ImportError: not here" in done.stdout

    def test_takes_no_module_from_the_shared_temporary_folder(
        self, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shared = tmp_path / "shared"
        shared.mkdir()
        for name in ("json", "xlwings"):
            (shared / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        monkeypatch.setattr(tempfile, "tempdir", str(shared))
        assert probe(machine.python)["packages"]["xlwings"] == [NUMBER, ""]
        assert not (tmp_path / "ran").exists()
        assert sorted(path.name for path in shared.iterdir()) == ["json.py", "xlwings.py"]

    def test_changes_nothing(self, machine: Machine) -> None:
        assert machine.run(doctor).exit_code == 3
        assert not machine.home.exists()

    def test_for_programs(self, machine: Machine) -> None:
        machine.run(install)
        machine.dll("xlwings64").unlink()
        result = machine.run(doctor, "--json")
        assert result.exit_code == 3
        told = json.loads(result.stdout)
        assert set(told) == {"verdict", "checks"}
        assert told["verdict"].startswith("Excel will not compute the functions before this is mended: library.")
        (library,) = (check for check in told["checks"] if check["check"] == "library")
        assert library["status"] == "FAIL"
        assert f"xlwings64-{NUMBER}.dll is not in {machine.python.parent} or " in library["message"]
        assert f"pip install --force-reinstall xlwings=={NUMBER}" in library["hint"]

    def test_on_another_system(self, machine: Machine) -> None:
        machine.changed = {"platform": "linux", "home": None, "appdata": None}
        result = machine.run(doctor, str(XLWINGS / "quickstart_standalone.xlsm"))
        assert result.exit_code == 3
        lines = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
        assert lines[0] == "FAIL     system: linux; Excel is served on Windows only"
        assert [line.split()[0] for line in lines[:-1]].count("FAIL") == 1
        unknown = {line.split()[1] for line in lines if line.startswith("UNKNOWN")}
        assert unknown >= {"settings:", "excel:", "library:", "add-in:", "trust"}
        assert f"OK       quickstart_standalone.xlsm: it needs xlwings {NUMBER}, which is there" in lines

    def test_on_this_system(self) -> None:
        result = CliRunner().invoke(doctor, [])
        assert result.exit_code == 3
        assert result.stdout.startswith("FAIL     system: ")
        assert result.stderr == ""


def prepared(machine: Machine, trap: Callable[[Machine], object]) -> Machine:
    """A machine in a folder of its own where all is in order, but for what the trap does."""
    new = Machine(machine.root / f"trap{len(list(machine.root.iterdir()))}")
    carry_out(plan_install(new.env))
    trap(new)
    return new


def set_line(machine: Machine, old: bytes, new: bytes) -> None:
    data = machine.config.read_bytes()
    assert old in data
    machine.config.write_bytes(data.replace(old, new))


def use(machine: Machine, python: Path) -> None:
    """As after an install from that Python; its xlwings lies beside it."""
    set_line(machine, str(machine.python).encode(), str(python).encode("cp1252"))
    machine.make_python(python)
    machine.dll("xlwings64").rename(python.parent / machine.dll("xlwings64").name)
    machine.changed["interpreter"] = python


def program(machine: Machine, kind: int) -> None:
    """An excel.exe of that machine."""
    path = machine.write(
        machine.root / "excel.exe", bytes(60) + struct.pack("<I", 64) + b"PE\0\0" + kind.to_bytes(2, "little")
    )
    machine.registry = {(APP_PATHS, ""): f'"{path}"'}


def user_library(machine: Machine) -> None:
    machine.dll("xlwings64").unlink()
    base = machine.root / "base"
    machine.write(base / machine.dll("xlwings64").name, b"")
    machine.python.write_text(
        f'#!/bin/sh\nPYTHONUSERBASE="{base}" PYTHONPATH="{machine.stubs}" exec "{sys.executable}" "$@"\n'
    )


TRAPS: dict[tuple[str, str, str], Callable[[Machine], object]] = {
    ("settings", "FAIL", "is not there"): lambda m: m.config.unlink(),
    ("settings", "FAIL", "left over"): lambda m: m.config.write_bytes(m.config.read_bytes() + b"# note\r\n"),
    ("settings", "FAIL", "UTF-16"): lambda m: m.config.write_bytes(
        m.config.read_bytes().decode().encode("utf-16")
    ),
    ("settings", "WARN", "LF"): lambda m: m.config.write_bytes(m.config.read_bytes().replace(b"\r\n", b"\n")),
    ("settings", "FAIL", "byte order mark"): lambda m: m.config.write_bytes(
        b"\xef\xbb\xbf" + m.config.read_bytes()
    ),
    ("interpreter", "FAIL", "is not there"): lambda m: m.python.unlink(),
    ("interpreter", "WARN", "Excel starts"): lambda m: m.changed.update(
        interpreter=m.make_python(m.root / "other" / "python.exe")
    ),
    ("interpreter", "WARN", "not set"): lambda m: set_line(m, b"INTERPRETER_WIN", b"PYTHON"),
    ("store", "FAIL", "Microsoft Store"): lambda m: use(m, m.root / "WindowsApps" / "python.exe"),
    ("conda", "WARN", "without activating"): lambda m: (m.python.parent / "conda-meta").mkdir(),
    ("characters", "WARN", "other than ASCII"): lambda m: use(m, m.root / "Büro" / "python.exe"),
    ("length", "FAIL", "characters"): lambda m: use(m, m.root / ("long" * 30) / ("path" * 30) / "python.exe"),
    ("cloud", "WARN", "OneDrive"): lambda m: use(m, m.home / "OneDrive - Firm" / "python.exe"),
    ("python", "FAIL", "could not be asked"): lambda m: m.python.write_text(
        "#!/bin/sh\necho broken >&2\nexit 1\n"
    ),
    ("packages", "FAIL", "cannot be imported: ImportError: no"): lambda m: m.package(
        "xl_conversion", "raise ImportError('no')"
    ),
    ("packages", "WARN", "has xl_conversion 0.0.1"): lambda m: m.package("xl_conversion", "__version__ = '0.0.1'"),
    ("packages", "FAIL", "xlwings cannot be imported"): lambda m: m.package("xlwings", "raise OSError('no')"),
    ("packages", "FAIL", "pywin32 cannot be imported"): lambda m: m.package(
        "pythoncom", "raise ImportError('DLL')"
    ),
    ("excel", "WARN", "32 bit and the Python 64"): lambda m: program(m, 0x14C),
    ("excel", "WARN", "ARM"): lambda m: program(m, 0xAA64),
    ("excel", "UNKNOWN", "not in the registry"): lambda m: m.registry.clear(),
    ("library", "FAIL", f"xlwings64-{NUMBER}.dll is not in"): lambda m: m.dll("xlwings64").unlink(),
    ("library", "FAIL", "where pip installs for one user"): user_library,
    ("add-in", "FAIL", "is not there"): lambda m: m.addin.unlink(),
    ("add-in", "FAIL", "was not made by xl-conversion"): lambda m: m.addin.write_bytes(b"PK"),
    ("add-in", "WARN", "differs from what would be built"): lambda m: m.addin.write_bytes(
        other_addin(build.addin())
    ),
    ("blocked", "WARN", "came from the internet"): lambda m: m.write(
        Path(f"{m.addin}:Zone.Identifier"), b"[ZoneTransfer]\r\nZoneId=3\r\n"
    ),
    ("twice", "WARN", "is there too"): lambda m: m.write(
        m.home / "AppData" / "Roaming" / "Microsoft" / "AddIns" / m.addin.name, b""
    ),
}


@posix
@pytest.mark.parametrize(("named", "trap"), TRAPS.items(), ids=[" ".join(key[:2]) for key in TRAPS])
def test_doctor_finds(machine: Machine, named: tuple[str, str, str], trap: Callable[[Machine], object]) -> None:
    name, status, words = named
    checks = examine(prepared(machine, trap).env)
    told = [check for check in checks if check.name == name and check.status == status]
    assert any(words in check.message for check in told), checks
    assert name in verdict(checks)
    assert all(check.hint for check in checks if check.status in ("WARN", "FAIL"))


@posix
class TestDoctorOnAWorkbook:
    @pytest.fixture
    def book(self, machine: Machine) -> Path:
        machine.run(install)
        machine.write(
            machine.home / ".xlwings" / "xlwings.conf", f'"INTERPRETER_WIN","{machine.python}"\r\n'.encode()
        )
        return machine.write(
            machine.root / "books" / "deal.xlsm", (XLWINGS / "quickstart_standalone.xlsm").read_bytes()
        )

    def told(self, machine: Machine, path: Path | str) -> list[tuple[str, str]]:
        checks = examine(machine.env, [str(path)])
        name = str(path).rsplit("/", 1)[-1]
        return [(check.status, check.message) for check in checks if check.name == name]

    def test_a_good_one(self, machine: Machine, book: Path) -> None:
        assert self.told(machine, book) == [
            ("OK", f"it needs xlwings {NUMBER}, which is there"),
            ("OK", f"xlwings64-{NUMBER}.dll is beside the Python"),
            ("OK", "deal.xlsm carries no mark of the internet"),
        ]

    def test_of_another_xlwings(self, machine: Machine, book: Path) -> None:
        machine.package("xlwings", "__version__ = '0.1.2'")
        assert self.told(machine, book)[0] == ("FAIL", f"it needs xlwings {NUMBER}; {machine.python} has 0.1.2")

    @pytest.mark.parametrize("where", ["folder", "sheet", "conda"])
    def test_no_python_is_run_that_only_the_workbook_names(
        self, machine: Machine, book: Path, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evil = machine.root / "evil" / "python.exe"
        self.spy(evil, tmp_path / "ran")
        if where == "sheet":
            book.write_bytes(naming(book.read_bytes(), evil))
        else:
            lines = f'"INTERPRETER_WIN","{evil}"\r\n'
            if where == "conda":
                lines = f'"INTERPRETER_WIN","python"\r\n"CONDA PATH","{evil.parent}"\r\n"CONDA ENV","base"\r\n'
            machine.write(book.with_name("xlwings.conf"), lines.encode())
        looked_for = self.looked_for(monkeypatch)
        assert self.told(machine, book) == [
            ("UNKNOWN", f"it needs xlwings {NUMBER}; its settings name {evil}; not asked"),
            ("OK", "deal.xlsm carries no mark of the internet"),
        ]
        assert not (tmp_path / "ran").exists()
        assert str(evil) not in looked_for  # on a server, that alone would sign in there

    @pytest.mark.parametrize("name", ["../../books/x", "/books/x", "a/b", "a\\\\b", "C:x", ".", ""])
    def test_the_name_of_its_project_leads_to_no_other_folder(self, name: str) -> None:
        """It is a part of the path of its user's settings, which name a Python that is asked."""
        assert project_name(f'Public Const PROJECT_NAME As String = "{name}"') == "xlwings"
        assert project_name('Public Const PROJECT_NAME As String = "deal-1"') == "deal-1"

    @staticmethod
    def spy(python: Path, trace: Path) -> None:
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\ntouch "{trace}"\n')
        python.chmod(0o755)

    @staticmethod
    def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
        seen: list[str] = []
        real = os.stat

        def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
            seen.append(str(path))
            return real(path, *arguments, **options)

        monkeypatch.setattr(os, "stat", stat)
        return seen

    def test_that_names_the_python_of_its_user(self, machine: Machine, book: Path) -> None:
        (machine.home / ".xlwings" / "xlwings.conf").unlink()
        book.write_bytes(naming(book.read_bytes(), machine.python))
        assert [status for status, _ in self.told(machine, book)] == ["OK", "OK", "OK"]

    def test_that_names_no_python(self, machine: Machine, book: Path) -> None:
        (machine.home / ".xlwings" / "xlwings.conf").unlink()
        checks = [check for check in examine(machine.env, [str(book)]) if check.name == book.name]
        assert checks[0].status == "WARN"
        assert checks[0].message == "no settings name its Python, so Excel would start the first one on the PATH"
        assert checks[0].hint.startswith("on its sheet xlwings.conf add")
        assert checks[0].hint.endswith(f"Interpreter_Win and {machine.python}")

    def test_of_ours(self, machine: Machine, book: Path) -> None:
        """The settings that install wrote are its settings too."""
        ours = machine.write(book.with_name("ours.xlsm"), build.macro_workbook(price_model()))
        assert self.told(machine, ours) == [
            ("OK", f"it needs xlwings {NUMBER}, which is there"),
            ("OK", f"xlwings64-{NUMBER}.dll is beside the Python"),
            ("OK", "ours.xlsm carries no mark of the internet"),
        ]
        machine.config.unlink()
        (check, *_) = (check for check in examine(machine.env, [str(ours)]) if check.name == ours.name)
        assert (check.status, check.hint) == ("WARN", "xl-conversion excel install names one")

    def test_whose_python_cannot_be_asked(self, machine: Machine, book: Path) -> None:
        machine.write(machine.home / ".xlwings" / "xlwings.conf", b'"INTERPRETER_WIN","C:\\none.exe"\r\n')
        assert self.told(machine, book)[0][0] == "UNKNOWN"

    def test_without_macros(self, machine: Machine, book: Path) -> None:
        plain = Path(__file__).parents[2] / "workbooks" / "conversion-price-model.xlsx"
        assert self.told(machine, plain)[0] == ("OK", "it has no macros; its functions come from the add-in")
        book.write_bytes((XLWINGS / "quickstart.xlsm").read_bytes())
        assert self.told(machine, book)[0][1].startswith("it has macros but none of xlwings")

    @pytest.mark.parametrize(
        ("zone", "status"), [(b"ZoneId=3", "FAIL"), (b"ZoneId=1", "OK"), (b"unreadable", "FAIL")]
    )
    def test_from_the_internet(self, machine: Machine, book: Path, zone: bytes, status: str) -> None:
        machine.write(Path(f"{book}:Zone.Identifier"), b"[ZoneTransfer]\r\n" + zone)
        assert self.told(machine, book)[2][0] == status

    def test_in_onedrive(self, machine: Machine, book: Path) -> None:
        machine.variables["ONEDRIVECOMMERCIAL"] = str(book.parent)
        assert ("WARN", "it is in a folder of OneDrive, for which Excel gives an address instead of a path") in (
            self.told(machine, book)
        )

    def test_an_address(self, machine: Machine, book: Path) -> None:
        ((status, message),) = self.told(machine, "https://firm.sharepoint.com/deal.xlsm")
        assert (status, message) == (
            "UNKNOWN",
            "https://firm.sharepoint.com/deal.xlsm is an address; only a file can be examined",
        )

    def test_a_long_path(self, machine: Machine, book: Path) -> None:
        far = machine.write(machine.root / ("far" * 30) / ("away" * 30) / "deal.xlsm", book.read_bytes())
        assert any("Excel opens at most 218" in message for _, message in self.told(machine, far))
        further = far
        for _ in range(8):
            further = further.parent / ("away" * 50) / "deal.xlsm"
        machine.write(further, book.read_bytes())
        assert any("the command that starts Python" in message for _, message in self.told(machine, further))

    @pytest.mark.parametrize("data", [None, b"", b"\xd0\xcf\x11\xe0"])
    def test_that_cannot_be_read(self, machine: Machine, book: Path, data: bytes | None) -> None:
        book.unlink()
        if data is not None:
            book.write_bytes(data)
        ((status, message),) = self.told(machine, book)
        assert status == "FAIL"
        assert message.startswith(f"{book} cannot be read: ")


def test_the_real_environment() -> None:
    env = Environment.of_this_machine()
    assert env.platform == sys.platform
    assert env.interpreter == Path(sys.executable)
    assert env.registry("none", "none") is None
    assert replace(env, variables={"TEMP": "here"}).expanded(r"%temp%\a %none%") == r"here\a %none%"


def test_each_command_has_an_example_and_help_for_its_options() -> None:
    assert excel.commands.keys() == {"install", "doctor", "uninstall", "build"}
    for command in excel.commands.values():
        shown = CliRunner().invoke(command, ["--help"]).stdout
        assert f"xl-conversion excel {command.name}" in shown
        assert all(option.help for option in command.params if isinstance(option, click.Option))
