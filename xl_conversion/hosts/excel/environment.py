"""The machine with Excel: its folders, its registry, and what a Python says of itself."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from xl_conversion.hosts.excel.project import PROJECT_NAME

ADDIN: Final = f"{PROJECT_NAME}.xlam"
UDFS: Final = "xl_conversion.hosts.excel.udfs"
"""The module of the worksheet functions, by its name, since importing it takes a while."""

_SECONDS = 60
_MACHINES = {0x8664: "64", 0x14C: "32", 0xAA64: "ARM64"}
_EXCEL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
_OFFICE = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration"

_PROBE = f"""
import importlib, json, site, struct, sys
def version(name):
    try:
        found = importlib.import_module(name)
    except Exception as problem:
        return None, type(problem).__name__ + ": " + str(problem)
    return getattr(found, "__version__", ""), ""
names = ["xl_conversion", "{UDFS}", "xlwings", "pythoncom", "win32com.client"]
print(json.dumps({{
    "version": ".".join(map(str, sys.version_info[:3])), "bits": struct.calcsize("P") * 8, "prefix": sys.prefix,
    "user": site.getuserbase(), "packages": {{name: version(name) for name in names}},
}}))
"""


def _no_registry(_key: str, _name: str) -> str | None:
    return None


@dataclass(frozen=True)
class Environment:
    """All that is known of the machine. `variables` have upper-case names; `registry` gives the value of a key."""

    platform: str
    home: Path | None
    appdata: Path | None
    interpreter: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "cp1252"
    """How VBA reads a text file: in the code page of the system."""
    registry: Callable[[str, str], str | None] = _no_registry

    @classmethod
    def of_this_machine(cls) -> Environment:
        """What is the case here and now."""
        variables = {name.upper(): value for name, value in os.environ.items()}
        home, appdata = (
            Path(variables[name]) if variables.get(name) else None for name in ("USERPROFILE", "APPDATA")
        )
        windows = sys.platform == "win32"
        return cls(
            platform=sys.platform,
            home=home,
            appdata=appdata,
            interpreter=Path(sys.executable),
            variables=variables,
            encoding="mbcs" if windows else "cp1252",
            registry=_registry if windows else _no_registry,
        )

    @property
    def windows(self) -> bool:
        """Whether Excel can be served here at all."""
        return self.platform == "win32"

    @property
    def addin(self) -> Path | None:
        """The add-in in Excel's start-up folder."""
        return self.appdata / "Microsoft" / "Excel" / "XLSTART" / ADDIN if self.appdata else None

    def config(self, project: str = PROJECT_NAME) -> Path | None:
        """The settings of the user for everything with that PROJECT_NAME."""
        return self.home / f".{project}" / f"{project}.conf" if self.home else None

    def expanded(self, text: str) -> str:
        """As WScript's ExpandEnvironmentStrings gives it."""
        return re.sub(r"%([^%]+)%", lambda match: self.variables.get(match[1].upper(), match[0]), text)

    def excel_bits(self) -> str | None:
        """For which machine Excel was made: 32, 64 or ARM64; None if that is not known."""
        if not self.windows:
            return None
        program = self.registry(_EXCEL, "")
        if program and (bits := _program_bits(Path(program.strip('"')))):
            return bits
        return {"x64": "64", "x86": "32"}.get(self.registry(_OFFICE, "Platform") or "")

    def in_cloud(self, path: Path) -> bool:
        """Whether it is in a folder that OneDrive keeps."""
        parts = [part.casefold() for part in path.parts]
        for name in ("ONEDRIVE", "ONEDRIVECOMMERCIAL", "ONEDRIVECONSUMER"):
            folder = [part.casefold() for part in Path(self.variables.get(name, "")).parts]
            if folder and parts[: len(folder)] == folder:
                return True
        return any(part == "onedrive" or part.startswith("onedrive -") for part in parts)


def from_store(python: Path) -> bool:
    """Whether it is a Python of the Microsoft Store, beside which Excel cannot load xlwings."""
    return any(part.casefold() == "windowsapps" for part in python.parts)


def is_conda(prefix: Path) -> bool:
    """Whether the folder is a conda environment."""
    return (prefix / "conda-meta").is_dir()


def probe(python: Path) -> dict[str, Any]:
    """What a Python says of itself and its packages, asked as Excel starts it; its failure under "problem"."""
    try:
        # Modules are taken from the current folder too, so that is one with nothing in it.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
            done = subprocess.run(  # noqa: S603
                [str(python), "-B", "-c", _PROBE],
                cwd=empty,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result
    except subprocess.TimeoutExpired:
        return {"problem": f"no answer in {_SECONDS} seconds"}
    except OSError as problem:
        return {"problem": problem.strerror or str(problem)}
    except (ValueError, IndexError):
        return {"problem": " ".join(done.stderr.split())[-200:] or f"it ended with exit code {done.returncode}"}


def _registry(key: str, name: str) -> str | None:
    if sys.platform == "win32":
        import winreg

        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            # A 32-bit Python would see its own half of the registry only.
            for view in (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY):
                with suppress(OSError), winreg.OpenKey(root, key, 0, winreg.KEY_READ | view) as opened:
                    return str(winreg.QueryValueEx(opened, name)[0])
    return None


def _program_bits(program: Path) -> str | None:
    """From the header of an .exe, for which machine it was made."""
    try:
        with open(program, "rb") as stream:
            stream.seek(60)
            (header,) = struct.unpack("<I", stream.read(4))
            stream.seek(header)
            signature, machine = struct.unpack("<4sH", stream.read(6))
    except (OSError, struct.error):
        return None
    return _MACHINES.get(machine) if signature == b"PE\0\0" else None
