"""The extension brought into LibreOffice by its unopkg, in a profile that is thrown away, and what stops it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Office

from xl_conversion import __version__
from xl_conversion.cli import cli
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.typed import argument_of
from xl_conversion.hosts.libreoffice import addin, install
from xl_conversion.hosts.libreoffice.install import InstallError, LibreOffice

SOFFICE = "soffice.com" if sys.platform == "win32" else "soffice"

NOBODY = 65534
# unopkg refuses to work for root: there it runs as nobody, who must be able to read what it is given.
AS_NOBODY = """#!/bin/sh
for given; do case $given in *.oxt) chmod 755 "$(dirname "$given")" && chmod 644 "$given";; esac; done
exec setpriv --reuid={nobody} --regid={nobody} --clear-groups {unopkg} "$@"
"""
OTHER = {  # an extension whose identifier begins as ours does
    "description.xml": '<description xmlns="http://openoffice.org/extensions/description/2006">'
    '<identifier value="xl_conversion.calculator"/><version value="7"/></description>',
    "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest"/>',
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["libreoffice", *map(str, arguments)], prog_name="xl-conversion")


# --- the real unopkg and the real soffice ------------------------------------------------------------------------


@pytest.fixture
def real(soffice: Path) -> Iterator[Path]:
    """A folder with a profile that is thrown away, and, where the tests run as root, programs that do not."""
    with tempfile.TemporaryDirectory(prefix="xl-conversion-") as name:  # not below a folder of root's alone
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "profile").mkdir()
        (folder / "profile").chmod(0o777)
        (folder / "program").mkdir()
        (folder / "program" / "soffice").symlink_to(soffice)
        unopkg = soffice.parent / "unopkg"
        if os.geteuid():
            (folder / "program" / "unopkg").symlink_to(unopkg)
        else:
            (folder / "program" / "unopkg").write_text(AS_NOBODY.format(unopkg=unopkg, nobody=NOBODY))
            (folder / "program" / "unopkg").chmod(0o755)
        yield folder


@pytest.mark.skipif(sys.platform == "win32", reason="written for the programs of Linux")
def test_installed_replaced_used_and_removed(
    real: Path, soffice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--program", real / "program", "--profile", real / "profile")
    office = install.find(real / "program", real / "profile")
    assert office.python is not None
    assert office.python >= install.OLDEST_PYTHON
    with zipfile.ZipFile(real / "other.oxt", "w") as other:
        for name, text in OTHER.items():
            other.writestr(name, text)
    office._unopkg("add", str(real / "other.oxt"))

    done = run("install", *where, "--dry-run")
    assert (done.exit_code, office.installed()) == (0, None)
    assert done.stdout.startswith(f"would add xl_conversion.calc {__version__}\n")

    with monkeypatch.context() as older:
        older.setattr(addin, "DESCRIPTION", addin.DESCRIPTION.replace(f'"{__version__}"', '"0.0.9"'))
        older.setattr(install, "__version__", "0.0.9")
        assert run("install", *where).exit_code == 0
        assert office.installed() == "0.0.9"
    for before in ("0.0.9", __version__):
        done = run("install", *where)
        assert (done.exit_code, office.installed()) == (0, __version__)
        assert f"added xl_conversion.calc {__version__}, in place of {before}\n" in done.output

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["A2"] = "=CP_VERSION()", "=CP_WEIGHTED_AVERAGE(6.41,33831184,8187842.7,81728433,1411724,2)"
    history = FUNCTIONS["CP_HISTORY"]
    sheet["A4"] = ArrayFormula("A4:K5", history.example_formula)
    book.save(tmp_path / "book.xlsx")
    with Office(tmp_path, profile=real / "profile", soffice=soffice) as calc, calc.session() as session:
        found = {address: value for (_, address), value in session.open(tmp_path / "book.xlsx").values().items()}
        refused = run("install", *where)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith("LibreOffice is running\n  hint: close all its windows; ")
    if not os.geteuid():
        for path in real.rglob("*"):  # what soffice wrote, for what is no root
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    assert (found["A1"], found["A2"]) == (__version__, 2.0)
    expected = evaluate(history, [argument_of(text) for text in history.example])
    assert [[found[f"{letter}{row}"] for letter in "ABCDEFGHIJK"] for row in (4, 5)] == expected

    done = run("uninstall", *where, "--dry-run")
    assert (done.stdout, office.installed()) == (f"would remove xl_conversion.calc {__version__}\n", __version__)
    done = run("uninstall", *where)
    assert (done.stdout, office.installed()) == (f"removed xl_conversion.calc {__version__}\n", None)
    done = run("uninstall", *where)
    assert (done.exit_code, done.stdout) == (0, "nothing to change\n")
    assert "Identifier: xl_conversion.calculator\n" in office._unopkg("list")


# --- a LibreOffice that is only said to be there -----------------------------------------------------------------


class Said:
    """What the programs of a LibreOffice say; what they were asked."""

    def __init__(self) -> None:
        self.version = "LibreOffice 25.2.3.2 520(Build:2)\n"
        self.extensions: list[tuple[str, str, str]] = [("xl_conversion.calculator", "7", "yes")]
        self.problem = ""
        self.asked: list[tuple[str, ...]] = []
        self.registers = "yes"

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        name, arguments = Path(program).stem, [a for a in arguments if not a.startswith("-env:")]
        self.asked.append((name, *arguments[:1]))
        if name == "soffice":
            return subprocess.CompletedProcess(command, 0, self.version, "")
        if self.problem:
            return subprocess.CompletedProcess(
                command, 1, "", f"\nERROR: {self.problem}\n\nERROR: unopkg failed.\n"
            )
        if arguments[0] == "add":
            self.extensions.append((addin.IDENTIFIER, __version__, self.registers))
        if arguments[0] == "remove":
            self.extensions = [one for one in self.extensions if one[0] != arguments[1]]
        listed = "All deployed user extensions:\n\n" + "".join(
            f"Identifier: {name}\n  Version: {version}\n  URL: somewhere\n  is registered: {registered}\n"
            "  bundled Packages: {\n      URL: somewhere\n      is registered: yes\n  }\n\n"
            for name, version, registered in self.extensions
        )
        return subprocess.CompletedProcess(command, 0, listed, "")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    said = Said()
    monkeypatch.setattr(install.subprocess, "run", said.run)
    return said


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    for name in ("soffice", "unopkg", "soffice.com", "unopkg.com"):
        (folder / name).write_bytes(b"")
    (folder / "libpyuno.so").write_bytes(b"\0libpython3.12.so.1.0\0")
    return folder


@pytest.fixture
def where(program: Path, tmp_path: Path) -> tuple[object, ...]:
    return ("--program", program, "--profile", tmp_path / "profile")


def refused(done: Result) -> tuple[str, str]:
    """The message and the hint."""
    assert (done.exit_code, done.stdout) == (2, "")
    message, hint = done.stderr.splitlines()
    assert hint.startswith("  hint: ")
    return message, hint


def test_an_install_is_looked_at_afterwards(said: Said, where: tuple[object, ...]) -> None:
    done = run("install", *where)
    assert done.exit_code == 0
    assert said.asked == [("soffice", "--version"), *(("unopkg", verb) for verb in ("list", "add", "list"))]
    assert done.stdout.splitlines() == [
        f"added xl_conversion.calc {__version__}",
        f"  to LibreOffice 25.2.3.2 with Python 3.12: {Path(str(where[1]), SOFFICE)}",
    ]
    assert done.stderr == "next: start LibreOffice; =CP_VERSION() in a cell shows whether it has them\n"


def test_an_uninstall_leaves_what_others_installed(said: Said, where: tuple[object, ...]) -> None:
    said.extensions.append((addin.IDENTIFIER, "0.0.9", "yes"))
    assert run("uninstall", *where).stdout == "removed xl_conversion.calc 0.0.9\n"
    assert said.extensions == [("xl_conversion.calculator", "7", "yes")]
    assert run("uninstall", *where).stdout == "nothing to change\n"


def test_a_dry_run_only_looks(said: Said, where: tuple[object, ...]) -> None:
    said.extensions.append((addin.IDENTIFIER, "0.0.9", "yes"))
    done = run("install", *where, "--dry-run")
    assert done.stdout.startswith(f"would add xl_conversion.calc {__version__}, in place of 0.0.9\n")
    assert run("uninstall", *where, "--dry-run").stdout == "would remove xl_conversion.calc 0.0.9\n"
    assert {asked for asked in said.asked if asked[0] == "unopkg"} == {("unopkg", "list")}


def test_an_extension_that_is_not_registered_is_no_success(said: Said, where: tuple[object, ...]) -> None:
    said.registers = "no"
    message, _ = refused(run("install", *where))
    assert message == f"after unopkg add the extension is not registered; it must be {__version__}"


@pytest.mark.parametrize(
    "version", ["LibreOffice 7.4.7.2 40(Build:2)\n", "LibreOffice 24.8.4.2\n", "LibreOffice 25.1.0\n"]
)
def test_a_libreoffice_that_is_too_old(said: Said, where: tuple[object, ...], version: str) -> None:
    said.version = version
    message, hint = refused(run("install", *where))
    assert message.startswith(
        f"LibreOffice is {version.split()[1]}; 25.2 or newer is needed, an older one shows #NAME?"
    )
    assert "newer LibreOffice" in hint
    assert ("unopkg", "add") not in said.asked
    assert run("uninstall", *where).stdout == "nothing to change\n"  # which any version can


def test_what_says_no_version(said: Said, where: tuple[object, ...]) -> None:
    said.version = "an office\n"
    message, _ = refused(run("install", *where))
    assert message.endswith(f"{SOFFICE} --version says 'an office', which is no version of LibreOffice")


@pytest.mark.parametrize(
    ("name", "content", "python"),
    [
        ("libpyuno.so", b"\0libpython3.11.so.1.0\0", (3, 11)),
        ("libpyuno.so", b"\0libpython3.9.so.1.0\0", (3, 9)),
        ("pyuno.pyd", b"\0python310.dll\0", (3, 10)),
        ("../Frameworks/libpyuno.dylib", b"@loader_path/LibreOfficePython.framework/Versions/3.12/Lib", (3, 12)),
        ("libpyuno.so", b"linked in a way of its own", None),
    ],
)
def test_which_python_it_runs(program: Path, name: str, content: bytes, python: tuple[int, int] | None) -> None:
    (program / "libpyuno.so").unlink()
    (program / name).parent.mkdir(exist_ok=True)
    (program / name).write_bytes(content)
    assert LibreOffice(program / "soffice", program / "unopkg").python == python


def test_a_python_that_is_too_old(said: Said, where: tuple[object, ...], program: Path) -> None:
    (program / "libpyuno.so").write_bytes(b"libpython3.10.so.1.0")
    message, hint = refused(run("install", *where))
    assert message == "LibreOffice 25.2.3.2 runs Python 3.10; the functions need 3.11 or newer"
    assert "newer LibreOffice" in hint
    (program / "libpyuno.so").unlink()
    message, hint = refused(run("install", *where))
    assert message.endswith("runs no Python")
    assert "python3-uno" in hint


def test_a_libreoffice_that_runs(said: Said, where: tuple[object, ...], tmp_path: Path) -> None:
    (tmp_path / "profile").mkdir()
    lock = tmp_path / "profile" / ".lock"
    lock.touch()
    for verb in ("install", "uninstall"):
        message, hint = refused(run(verb, *where))
        assert message == "LibreOffice is running"
        assert str(lock) in hint
    assert said.asked == []


def test_what_unopkg_says_is_handed_on(said: Said, where: tuple[object, ...]) -> None:
    said.problem = "Cannot run unopkg as root without --shared or --bundled option."
    message, hint = refused(run("install", *where))
    assert message.endswith(f"list: {said.problem.rstrip('.')}")
    assert hint == "  hint: run it as the user who works in Calc"
    said.problem = "something else"
    assert "close LibreOffice" in refused(run("uninstall", *where))[1]


def test_no_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message, hint = refused(run("install", "--program", tmp_path))
    assert message == f"there is no soffice in {tmp_path}"
    monkeypatch.setattr(install, "_on_path", list)
    monkeypatch.setattr(install, "_usual_places", lambda: [tmp_path / "none"])
    message, hint = refused(run("install"))
    assert message == "LibreOffice is not on the PATH, nor where it usually is"
    assert "--program" in hint
    for name in ("soffice", "soffice.com"):
        (tmp_path / name).write_bytes(b"")
    message, _ = refused(run("install", "--program", tmp_path))
    assert message.endswith("has no unopkg beside it")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("win32", {"ProgramFiles": "P"}, ["P/LibreOffice/program"]),
        (
            "darwin",
            {},
            ["/Applications/LibreOffice.app/Contents/MacOS", "/h/Applications/LibreOffice.app/Contents/MacOS"],
        ),
    ],
)
def test_the_usual_places(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.setattr(install.sys, "platform", platform)
    monkeypatch.setattr(install.os, "environ", variables)
    monkeypatch.setattr(install.Path, "home", lambda: Path("/h"))
    assert [path.as_posix() for path in install._usual_places()] == expected


def test_the_usual_places_of_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install.sys, "platform", "linux")
    places = ["opt/libreoffice25.8/program", "opt/libreoffice25.2/program", "usr/lib64/libreoffice/program"]
    for place in (*places, "usr/share/libreoffice/program"):
        (tmp_path / place).mkdir(parents=True)
    found = [path.relative_to(tmp_path).as_posix() for path in install._usual_places(tmp_path)]
    assert found == places


@pytest.mark.parametrize(
    ("platform", "settings", "expected"),
    [
        ("linux", "bootstraprc", "/c/thatoffice/4"),
        ("linux", "", "/c/libreoffice/4"),
        ("win32", "bootstrap.ini", "/a/thatoffice/4"),
        ("win32", "", "/a/LibreOffice/4"),
        ("darwin", "", "/h/Library/Application Support/LibreOffice/4"),
    ],
)
def test_the_profile_of_the_user(
    program: Path, monkeypatch: pytest.MonkeyPatch, platform: str, settings: str, expected: str
) -> None:
    if settings:
        (program / settings).write_text("[Bootstrap]\nUserInstallation=$SYSUSERCONFIG/thatoffice/4\n")
    monkeypatch.setattr(install.sys, "platform", platform)
    monkeypatch.setattr(install.os, "environ", {"XDG_CONFIG_HOME": "/c", "APPDATA": "/a"})
    monkeypatch.setattr(install.Path, "home", lambda: Path("/h"))
    assert LibreOffice(program / "soffice", program / "unopkg").lock.as_posix() == f"{expected}/.lock"


def test_libreoffice_does_not_see_the_virtual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.sys, "prefix", "/another")
    mine = str(Path(sys.executable).parent)
    path = os.pathsep.join((mine, "/usr/bin"))
    kept = install._environment({"PATH": path, "PYTHONPATH": "x", "PYTHONHOME": "y", "HOME": "z"})
    assert kept == {"PATH": "/usr/bin", "HOME": "z"}


def test_a_program_that_cannot_be_started(program: Path) -> None:
    with pytest.raises(InstallError, match="soffice"):
        _ = LibreOffice(program / "soffice", program / "unopkg").version
