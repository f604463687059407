"""The add-in in LibreOffice's own list of extensions: added, replaced and removed by LibreOffice's ``unopkg``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from xl_conversion import __version__
from xl_conversion.hosts.libreoffice import addin

OLDEST_PYTHON: Final = (3, 11)
_OLDEST: Final = tuple(map(int, addin.OLDEST.split(".")))
_SECONDS = 180
_NO_PYTHON = (
    "install its support of Python as well: on Debian and Ubuntu the packages python3-uno and "
    "libreoffice-script-provider-python"
)
# A program of Windows that writes to the console ends in .com.
_ENDINGS = ("", ".com", ".exe")
_PYUNO = ("libpyuno.so", "pyuno.pyd", "../Frameworks/libpyuno.dylib", "libpyuno.dylib")
_LINKED = re.compile(rb"(?:libpython|LibreOfficePython\.framework/Versions/)3\.(\d+)|python3(\d+)\.dll")
_SETTINGS = ("bootstraprc", "bootstrap.ini", "../Resources/bootstraprc")


class InstallError(Exception):
    """Something is not as it must be: `message` in one line, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class LibreOffice:
    """One LibreOffice, and the profile in which it looks for extensions; None is the user's own."""

    soffice: Path
    unopkg: Path
    profile: Path | None = None

    @cached_property
    def version(self) -> str:
        """As it says itself, such as 25.2.3.2."""
        said = self._run(self.soffice, "--version").stdout
        found = re.search(r"\b\d+\.\d+(?:\.\d+)*", said)
        if found is None:
            raise InstallError(
                f"{self.soffice} --version says {_one_line(said)!r}, which is no version of LibreOffice", PROGRAM
            )
        return found[0]

    @cached_property
    def python(self) -> tuple[int, int] | None:
        """The Python that it runs; None where that cannot be told.

        Raises InstallError if it has none.
        """
        program = self.soffice.resolve().parent
        pyuno = [path for name in _PYUNO if (path := program / name).is_file()]
        if not pyuno:
            raise InstallError(f"the LibreOffice in {program} runs no Python", _NO_PYTHON)
        found = _LINKED.search(pyuno[0].read_bytes())
        return (3, int(found[1] or found[2])) if found else None

    @property
    def lock(self) -> Path:
        """The file that is there while it runs, and after a crash."""
        return (self.profile or self._own_profile) / ".lock"

    @property
    def _own_profile(self) -> Path:
        program, home = self.soffice.resolve().parent, Path.home()
        if sys.platform == "win32":
            settings = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
        elif sys.platform == "darwin":
            settings = home / "Library" / "Application Support"
        else:
            settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        for path in (program / name for name in _SETTINGS):
            if path.is_file():
                said = path.read_text(encoding="utf-8", errors="replace")
                if found := re.search(r"(?m)^UserInstallation=\$SYSUSERCONFIG/(\S+)", said):
                    return settings / found[1]
        return settings / ("libreoffice" if sys.platform == "linux" else "LibreOffice") / "4"

    def installed(self) -> str | None:
        """The version of the extension that the profile has, None if it has none."""
        for block in re.split(r"(?m)^Identifier: ", self._unopkg("list"))[1:]:
            name, _, rest = block.partition("\n")
            if name.strip() == addin.IDENTIFIER:
                version = re.search(r"(?m)^\s*Version: (.*)$", rest)
                if re.search(r"(?m)^\s*is registered: no\b", rest):
                    return "not registered"
                return version[1].strip() if version else "without a version"
        return None

    def add(self) -> None:
        """Adds the extension or replaces the one that is there, and looks whether it is.

        Raises InstallError.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "xl_conversion.oxt"
            path.write_bytes(addin.oxt())
            self._unopkg("add", "--force", "--suppress-license", str(path))
        found = self.installed()
        if found != __version__:
            raise InstallError(
                f"after unopkg add the extension is {found or 'not there'}; it must be {__version__}",
                "Tools > Extensions in LibreOffice shows what is wrong with it",
            )

    def remove(self) -> None:
        """Removes the extension, and looks whether it is gone.

        Raises InstallError.
        """
        self._unopkg("remove", addin.IDENTIFIER)
        if self.installed() is not None:
            raise InstallError(
                "after unopkg remove the extension is still there", "remove it in Tools > Extensions"
            )

    def check(self) -> None:
        """Raises InstallError if the functions could not work in it."""
        if tuple(map(int, self.version.split(".")[:2])) < _OLDEST:
            raise InstallError(
                f"LibreOffice is {self.version}; {addin.OLDEST} or newer is needed, an older one shows #NAME? for "
                "the functions of an .xlsx",
                f"install a newer LibreOffice; {PROGRAM}",
            )
        if self.python is not None and self.python < OLDEST_PYTHON:
            raise InstallError(
                f"LibreOffice {self.version} runs Python {_dotted(self.python)}; the functions need "
                f"{_dotted(OLDEST_PYTHON)} or newer",
                "install a newer LibreOffice: 26.2 brings Python 3.12 on Windows and macOS",
            )

    def check_not_running(self) -> None:
        """Raises InstallError if it runs."""
        if self.lock.exists():
            raise InstallError(
                "LibreOffice is running",
                f"close all its windows; if none is open, it ended by a crash: delete {self.lock}",
            )

    def _unopkg(self, *arguments: str) -> str:
        profile = [f"-env:UserInstallation={self.profile.resolve().as_uri()}"] if self.profile else []
        done = self._run(self.unopkg, *arguments, *profile)
        if done.returncode:
            errors = [text for text in re.findall(r"(?m)^ERROR: (.*)", done.stderr) if text != "unopkg failed."]
            said = _one_line(" ".join(errors) or done.stderr).rstrip(".") or f"it ended with {done.returncode}"
            raise InstallError(f"{self.unopkg} {arguments[0]}: {said}", _hint(said))
        return done.stdout

    def _run(self, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603
                [str(program), *arguments],
                env=_environment(os.environ),
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise InstallError(
                f"{program}: no answer in {_SECONDS} seconds", "close LibreOffice and retry"
            ) from None
        except OSError as problem:
            raise InstallError(f"{program}: {problem.strerror or problem}", PROGRAM) from None


PROGRAM: Final = "--program says where another one is: the folder of soffice and unopkg"


def find(program: Path | None = None, profile: Path | None = None) -> LibreOffice:
    """The LibreOffice in the folder `program`, else the one on the PATH, else one in a usual place.

    Raises InstallError if there is none.
    """
    places = [program] if program else [*_on_path(), *_usual_places()]
    for place in places:
        soffice = _executable(place, "soffice")
        if soffice is None:
            continue
        beside = [place, soffice.resolve().parent]
        unopkg = next((path for folder in beside if (path := _executable(folder, "unopkg"))), None)
        if unopkg is None:
            raise InstallError(f"{soffice} has no unopkg beside it", f"install LibreOffice completely; {PROGRAM}")
        return LibreOffice(soffice, unopkg, profile)
    if program:
        raise InstallError(f"there is no soffice in {program}", "it must be the folder program of a LibreOffice")
    raise InstallError("LibreOffice is not on the PATH, nor where it usually is", f"install it; {PROGRAM}")


def _executable(folder: Path, name: str) -> Path | None:
    endings = _ENDINGS[1:] if sys.platform == "win32" else _ENDINGS[:1]
    return next((path for ending in endings if (path := folder / f"{name}{ending}").is_file()), None)


def _on_path() -> Iterator[Path]:
    found = shutil.which("soffice")
    if found:
        yield Path(found).parent


def _usual_places(root: Path = Path("/")) -> Iterator[Path]:
    if sys.platform == "win32":
        for name in ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)"):
            if folder := os.environ.get(name):
                yield Path(folder) / "LibreOffice" / "program"
    elif sys.platform == "darwin":
        for above in (root, Path.home()):
            yield above / "Applications" / "LibreOffice.app" / "Contents" / "MacOS"
    else:
        for pattern in (
            "opt/libreoffice*/program",
            "usr/lib*/libreoffice/program",
            "usr/local/lib*/libreoffice/program",
        ):
            yield from sorted(root.glob(pattern), key=_numbers, reverse=True)


def _numbers(path: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", str(path))]


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Without the virtual environment that runs this: LibreOffice's Python would take its library from there."""
    mine = Path(sys.executable).parent
    kept = {name: value for name, value in variables.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    folders: Sequence[str] = variables.get("PATH", "").split(os.pathsep)
    if sys.prefix != sys.base_prefix:
        kept["PATH"] = os.pathsep.join(folder for folder in folders if not folder or Path(folder) != mine)
    return kept


def _hint(said: str) -> str:
    if "root" in said.split():
        return "run it as the user who works in Calc"
    return "close LibreOffice and retry; Tools > Extensions in LibreOffice shows what is there"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def _one_line(text: str) -> str:
    return " ".join(text.split())
