"""Whether Excel can compute the functions, as far as it can be seen without Excel; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from xl_conversion import __version__
from xl_conversion.hosts.excel.environment import ADDIN, UDFS, Environment, from_store, is_conda, probe
from xl_conversion.hosts.excel.project import PROJECT_NAME
from xl_conversion.hosts.excel.settings import first, printable, unreadable, vba_pairs
from xl_conversion.hosts.excel.workbook import is_ours, libraries, project_name, sheet_settings, vba_source

Status = Literal["OK", "WARN", "FAIL", "UNKNOWN"]

_MAX_PATH = 259
_MAX_WORKBOOK_PATH = 218
_MAX_COMMAND = 2047  # the DLL's buffer in the last published source
_LEAST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. UNKNOWN: it cannot be determined from here, which is not OK."""

    name: str
    status: Status
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return {"check": self.name, "status": self.status, "message": self.message, "hint": self.hint}


def examine(env: Environment, workbooks: Sequence[str] = ()) -> list[Check]:
    """Everything that decides whether Excel can compute the functions there and in `workbooks`."""
    return list(_Examination(env).checks(workbooks))


def verdict(checks: Sequence[Check]) -> str:
    """What the checks come to, in a sentence."""

    def named(status: Status) -> str:
        return ", ".join(dict.fromkeys(check.name for check in checks if check.status == status))

    unknown = f" Not known from here: {named('UNKNOWN')}." if named("UNKNOWN") else ""
    if named("FAIL"):
        return f"Excel will not compute the functions before this is mended: {named('FAIL')}.{unknown}"
    if named("WARN"):
        return f"Nothing that was seen keeps Excel from computing; look at: {named('WARN')}.{unknown}"
    return f"All that can be seen from outside Excel is in order.{unknown}"


@dataclass(frozen=True)
class _Settings:
    """Settings of one PROJECT_NAME in the order in which VBA looks for them."""

    env: Environment
    pairs: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        return self.env.expanded(first(self.pairs, name))

    @property
    def interpreter(self) -> Path | None:
        """The Python that Excel would start; None if that is the first one on the PATH."""
        python = self.value("INTERPRETER_WIN") or self.value("INTERPRETER") or "pythonw"
        if python not in ("python", "pythonw"):
            return Path(python)
        root, name = self.value("CONDA PATH"), self.value("CONDA ENV")
        if not root or not name:
            return None
        if name == "base":
            return Path(root) / f"{python}.exe"
        folder = Path(name) if "\\" in name or "/" in name else Path(root) / "envs" / name
        return folder / f"{python}.exe"


class _Examination:
    """The checks of one machine; what several of them need is found out once."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.excel_bits = env.excel_bits()
        self.settings = self.settings_of(PROJECT_NAME)
        # The Python that Excel would start; the one that runs here if there are no settings yet.
        self.python = self.settings.interpreter if self.settings.pairs else env.interpreter
        # What cannot be found is missing on Windows, and elsewhere not to be expected.
        self.absent: Status = "FAIL" if env.windows else "UNKNOWN"

    def checks(self, workbooks: Sequence[str]) -> Iterator[Check]:
        yield self.system()
        yield from self.user_settings()
        yield from self.interpreter()
        yield from self.packages()
        yield self.excel()
        if isinstance(self.built, str):
            said = f"the add-in cannot be made here, so the one in use is not compared: {self.built}"
            yield Check(
                "build", "FAIL", said, f'in a clone of the project, "{self.env.interpreter}" -m pip install .'
            )
        yield self.library("library", self.source, self.python)
        yield from self.installed()
        for workbook in workbooks:
            yield from self.workbook(workbook)
        yield Check(
            "trust center",
            "UNKNOWN",
            "Excel's own settings for macros cannot be read from here",
            "File > Options > Trust Center > Trust Center Settings: under Macro Settings not 'Disable ... without "
            "notification'; under Trusted Locations the start-up folder, and not 'Disable all'; under Add-ins "
            "nothing ticked. File > Options > Add-ins > Manage Disabled Items: not in the list",
        )

    @cached_property
    def probe(self) -> dict[str, Any]:
        """What the Python says of itself, or its failure under "problem"."""
        return probe(self.python) if self.python else {"problem": "which Python it is, is not known"}

    @cached_property
    def built(self) -> bytes | str:
        """The add-in that would be built now, or why it cannot be."""
        try:
            from xl_conversion.hosts.excel.build import addin

            return addin()
        except Exception as problem:  # xlwings may be missing, damaged or of another version
            return _one_line(f"{type(problem).__name__}: {problem}")

    @cached_property
    def source(self) -> str:
        """The VBA of the add-in: the one that would be built, else the one in use."""
        with suppress(OSError, ValueError):
            if isinstance(self.built, bytes):
                return vba_source(self.built)
            if self.env.addin:
                return vba_source(self.env.addin.read_bytes())
        return ""

    def settings_of(self, project: str, *, book: bytes = b"", folder: Path | None = None) -> _Settings:
        """Sheet, folder and user, as VBA's GetConfig goes through them."""
        pairs = sheet_settings(book, project) if book else []
        for path in (folder / f"{project}.conf" if folder else None, self.env.config(project)):
            if path is not None:
                with suppress(OSError):
                    pairs += vba_pairs(path.read_bytes().decode(self.env.encoding, "replace"))[0]
        return _Settings(self.env, tuple(pairs))

    def system(self) -> Check:
        if self.env.windows:
            return Check("system", "OK", "Windows")
        said = f"{self.env.platform}; Excel is served on Windows only"
        return Check("system", "FAIL", said, "here, xl-conversion libreoffice brings the functions to Calc")

    def user_settings(self) -> Iterator[Check]:
        path = self.env.config()
        if path is None:
            yield Check("settings", self.absent, "USERPROFILE is not set, so it is not known where they are")
            return
        install = "xl-conversion excel install writes it"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            yield Check("settings", "FAIL", f"{path} is not there", install)
            return
        except OSError as problem:
            yield Check("settings", "FAIL", f"{path}: {problem.strerror}", "make it readable")
            return
        if bad := unreadable(data):
            yield Check("settings", "FAIL", f"{path}: {bad[0]}", bad[1])
        elif re.search(rb"(?<!\r)\n", data):
            hint = "save it with line ends of Windows (CR LF)"
            yield Check("settings", "WARN", f"{path} has lines that end with LF, which VBA does not take", hint)
        else:
            yield Check("settings", "OK", str(path))

    def interpreter(self) -> Iterator[Check]:
        python = self.python
        if python is None:
            said = "INTERPRETER_WIN is not set, so Excel starts the first python on the PATH"
            yield Check("interpreter", "WARN", said, "xl-conversion excel install names one")
            return
        if not python.is_file():
            said = f"{python} is not there"
            yield Check("interpreter", "FAIL", said, "xl-conversion excel install, run with the Python to use")
        elif self.env.windows and not _same(python, self.env.interpreter):
            said = f"Excel starts {python}; this is {self.env.interpreter}"
            yield Check("interpreter", "WARN", said, "xl-conversion excel install, if Excel shall use this one")
        else:
            yield Check("interpreter", "OK", str(python))
        if from_store(python):
            hint = "use Python from python.org, or a virtual environment; then xl-conversion excel install"
            yield Check("store", "FAIL", f"{python} is a Python of the Microsoft Store", hint)
        else:
            yield Check("store", "OK", "not a Python of the Microsoft Store")
        yield self.conda(python)
        yield self.characters(python)
        longest = max(python, self.env.addin or python, key=lambda path: len(str(path)))
        if len(str(longest)) > _MAX_PATH:
            said = f"{longest} has {len(str(longest))} characters; at most {_MAX_PATH} are safe"
            yield Check("length", "FAIL", said, "use a virtual environment in a folder near the root of the drive")
        else:
            yield Check("length", "OK", f"no path has more than {_MAX_PATH} characters")
        if self.env.in_cloud(python):
            said = f"{python} is in a folder that OneDrive keeps; files there may be absent or locked"
            yield Check("cloud", "WARN", said, "make the virtual environment in a folder of this machine only")
        else:
            yield Check("cloud", "OK", "the Python is not in a folder of OneDrive")

    def conda(self, python: Path) -> Check:
        if not is_conda(python.parent):
            return Check("conda", "OK", "not a conda environment")
        root = self.settings.value("CONDA PATH")
        if not root or not self.settings.value("CONDA ENV"):
            said = f"{python.parent} is a conda environment, and Excel starts it without activating it"
            return Check("conda", "WARN", said, "activate the environment and run xl-conversion excel install")
        if not (Path(root) / "condabin" / "conda.bat").is_file():
            said = f"CONDA PATH is {root}; there is no condabin\\conda.bat in it"
            return Check("conda", "FAIL", said, "activate the environment and run xl-conversion excel install")
        return Check("conda", "OK", f"{python.parent}, activated by the settings")

    def characters(self, python: Path) -> Check:
        text = str(python)
        if text.isascii():
            return Check("characters", "OK", "the path of the Python is plain ASCII")
        hint = "use a virtual environment whose path has plain letters"
        try:
            text.encode(self.env.encoding)
        except UnicodeEncodeError:
            said = f"{printable(text)} has characters that are not in the code page of this system"
            return Check("characters", "FAIL", said, hint)
        return Check("characters", "WARN", f"{text} has letters other than ASCII", f"if Excel finds none: {hint}")

    def packages(self) -> Iterator[Check]:
        found = self.probe
        if "problem" in found:
            status: Status = "FAIL" if self.python else "UNKNOWN"
            yield Check("python", status, f"could not be asked: {found['problem']}", "start it by hand and see")
            return
        said = f"Python {found['version']}, {found['bits']} bit"
        if tuple(map(int, found["version"].split("."))) < _LEAST_PYTHON:
            least = ".".join(map(str, _LEAST_PYTHON))
            yield Check("python", "FAIL", f"{said}; at least {least} is needed", "install a later Python")
        else:
            yield Check("python", "OK", said)
        packages = found["packages"]
        for name in ("xl_conversion", UDFS, "xlwings"):
            number, problem = packages[name]
            hint = f'in a clone of the project, "{self.python}" -m pip install .'
            if number is None:
                yield Check("packages", "FAIL", f"{name} cannot be imported: {_one_line(problem)}", hint)
            elif name == "xl_conversion" and number != __version__:
                said = f"Excel's Python has xl_conversion {number}; this is {__version__}"
                yield Check("packages", "WARN", said, hint)
            else:
                yield Check("packages", "OK", f"{name} {number}".strip())
        problems = [packages[name][1] for name in ("pythoncom", "win32com.client") if packages[name][0] is None]
        if not problems:
            yield Check("packages", "OK", "pywin32")
        elif self.env.windows:
            hint = f'"{self.python}" -m pip install --force-reinstall pywin32'
            yield Check("packages", "FAIL", f"pywin32 cannot be imported: {_one_line(problems[0])}", hint)
        else:
            yield Check("packages", "UNKNOWN", "pywin32 is there on Windows only")

    def excel(self) -> Check:
        bits = self.excel_bits
        if bits is None:
            where = "is not in the registry" if self.env.windows else "is seen on Windows only"
            return Check("excel", "UNKNOWN", f"which Excel there is, and of how many bits, {where}")
        if bits == "ARM64":
            return Check("excel", "WARN", "Excel for ARM; whether it loads xlwings' DLL is not known", "try it")
        python = str(self.probe.get("bits", bits))
        if python != bits:
            said = f"Excel has {bits} bit and the Python {python}; they are separate programs, so it should work"
            return Check("excel", "WARN", said, f"if it does not, use a Python of {bits} bit")
        return Check("excel", "OK", f"Excel of {bits} bit")

    def library(self, name: str, source: str, python: Path | None) -> Check:
        """Whether the DLL that this VBA names is where it looks: beside the Python, or one folder above."""
        prefix = f"xlwings{'32' if self.excel_bits == '32' else '64'}-"
        wanted = {one: number for one, number in libraries(source).items() if one.startswith(prefix)}
        if not self.env.windows or python is None or not wanted:
            said = (
                "whether xlwings' DLL is where Excel looks is seen on Windows only, with a known Python and add-in"
            )
            return Check(name, "UNKNOWN", said)
        beside = (python.parent, python.parent.parent)
        missing = [one for one in sorted(wanted) if not any((at / one).is_file() for at in beside)]
        if not missing:
            return Check(name, "OK", f"{', '.join(sorted(wanted))} is beside the Python")
        said = f"{', '.join(missing)} is not in {' or '.join(map(str, beside))}"
        elsewhere = [Path(self.probe[key]) for key in ("user", "prefix") if key in self.probe]
        hint = f'"{python}" -m pip install --force-reinstall xlwings=={wanted[missing[0]]}'
        if any((at / one).is_file() for at in elsewhere for one in missing):
            said += ", but where pip installs for one user"
            hint = "install xl-conversion in a virtual environment, and not with --user"
        return Check(name, "FAIL", said, hint)

    def installed(self) -> Iterator[Check]:
        path = self.env.addin
        if self.env.appdata is None or path is None:
            yield Check("add-in", self.absent, "APPDATA is not set, so it is not known where Excel looks for it")
            return
        install = "close Excel and run xl-conversion excel install"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            yield Check("add-in", "FAIL", f"{path} is not there", install)
            return
        except OSError as problem:
            yield Check("add-in", "UNKNOWN", f"{path}: {problem.strerror}", "close Excel and look again")
            return
        if data == self.built:
            yield Check("add-in", "OK", f"{path} is current")
        elif not is_ours(data):
            said = f"{path} was not made by xl-conversion, or changed since"
            yield Check("add-in", "FAIL", said, "move it elsewhere and run xl-conversion excel install")
        elif isinstance(self.built, str):
            yield Check(
                "add-in", "UNKNOWN", f"{path} was made by xl-conversion; whether it is current is not known"
            )
        else:
            theirs, mine = (_versions(source) for source in (vba_source(data), self.source))
            said = f"{path} differs from what would be built now"
            if theirs == mine:
                yield Check("add-in", "WARN", said, install)
            else:
                yield Check("add-in", "FAIL", f"{said}: it needs xlwings {theirs}, which now is {mine}", install)
        yield self.blocked("blocked", path, "WARN")  # Excel trusts the folder
        other = self.env.appdata / "Microsoft" / "AddIns" / ADDIN
        if other.exists():
            yield Check("twice", "WARN", f"{other} is there too; Excel may open both", "remove it")
        else:
            yield Check("twice", "OK", "no second copy in the AddIns folder")

    def blocked(self, name: str, path: Path, status: Status = "FAIL") -> Check:
        """The mark that Windows puts on what came from the internet, as an alternate data stream."""
        if not self.env.windows:
            return Check(name, "UNKNOWN", f"whether Windows blocks {path.name} is seen on Windows only")
        try:
            mark = Path(f"{path}:Zone.Identifier").read_bytes()
        except FileNotFoundError:
            return Check(name, "OK", f"{path.name} carries no mark of the internet")
        except OSError as problem:
            return Check(name, "UNKNOWN", f"{path.name}: {problem.strerror or problem}")
        zone = re.search(rb"ZoneId=(\d)", mark)
        if zone and int(zone[1]) < 3:
            return Check(name, "OK", f"{path.name} comes from zone {int(zone[1])}, which Excel does not block")
        hint = "its Properties in the Explorer > tick Unblock"
        return Check(name, status, f"{path} came from the internet; Excel blocks the macros of such files", hint)

    def workbook(self, text: str) -> Iterator[Check]:
        name = re.split(r"[/\\]", text)[-1]
        if "://" in text:
            said = f"{text} is an address; only a file can be examined"
            yield Check(name, "UNKNOWN", said, "save a copy in a folder of this machine and examine that")
            return
        path = Path(text).absolute()
        try:
            data = path.read_bytes()
            source = vba_source(data)
        except OSError as problem:
            said = f"{path} cannot be read: {problem.strerror}"
            yield Check(name, "FAIL", said, "check its name, and close it elsewhere")
            return
        except ValueError as problem:
            said = f"{path} cannot be read: {problem}"
            yield Check(name, "FAIL", said, "give a workbook of Excel 2007 or later, without a password")
            return
        yield from self.macros(name, source, data, path.parent)
        yield self.blocked(name, path)
        if self.env.in_cloud(path):
            said = "it is in a folder of OneDrive, for which Excel gives an address instead of a path"
            yield Check(name, "WARN", said, "if a function fails, try a copy in a folder of this machine")
        if len(str(path)) > _MAX_WORKBOOK_PATH:
            said = f"its path has {len(str(path))} characters; Excel opens at most {_MAX_WORKBOOK_PATH}"
            yield Check(name, "WARN", said, "move it nearer to the root of the drive")

    def macros(self, name: str, source: str, data: bytes, folder: Path) -> Iterator[Check]:
        """Which Python the macros of a workbook start, and whether they go with its xlwings.

        A Python that only the workbook or its folder names is not asked, nor looked for: the workbook may be
        anybody's, and to ask is to run it.
        """
        if not source:
            yield Check(name, "OK", "it has no macros; its functions come from the add-in")
            return
        versions = _versions(source)
        if not versions:
            yield Check(name, "OK", "it has macros but none of xlwings; its functions come from the add-in")
            return
        project = project_name(source)
        python = self.settings_of(project, book=data, folder=folder).interpreter
        if python is None:
            python = self.python  # whose xlwings it would need
            if self.env.windows:
                said = "no settings name its Python, so Excel would start the first one on the PATH"
                hint = f"on its sheet {project}.conf add, right below the rows, Interpreter_Win and {python}"
                if project == PROJECT_NAME:
                    hint = "xl-conversion excel install names one"
                yield Check(name, "WARN", said, hint)
            else:
                yield Check(name, "UNKNOWN", "which Python it starts is in the settings of its user on Windows")
        known = (self.python, self.env.interpreter, self.settings_of(project).interpreter)
        if python is not None and python not in known:
            said = f"it needs xlwings {versions}; its settings name {printable(str(python))}; not asked"
            hint = f'if you trust it, "{printable(str(python))}" -m pip show xlwings says which version it has'
            yield Check(name, "UNKNOWN", said, hint)
            return
        found = self.probe if python == self.python else probe(python) if python else {}
        number = found.get("packages", {}).get("xlwings", [None])[0]
        if number is None:
            said = f"it needs xlwings {versions}; which one its Python has is not known"
            yield Check(name, "UNKNOWN", said, f"its settings name {python}")
        elif versions != number:
            hint = f"xl-conversion excel build makes a new one; or pip install xlwings=={versions.split(', ')[0]}"
            yield Check(name, "FAIL", f"it needs xlwings {versions}; {python} has {number}", hint)
        else:
            yield Check(name, "OK", f"it needs xlwings {versions}, which is there")
        yield self.library(name, source, python)
        if python is not None and (length := _command_length(python, folder / name)) > _MAX_COMMAND:
            said = f"the command that starts Python has about {length} characters; {_MAX_COMMAND} are safe"
            yield Check(name, "WARN", said, "move workbook or virtual environment nearer to the root of the drive")


def _versions(source: str) -> str:
    return ", ".join(sorted(set(libraries(source).values())))


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return one == other


def _command_length(python: Path, book: Path) -> int:
    """About how long the command is that starts Python; it has the book twice, with every backslash doubled."""
    return 240 + len(str(python)) + 2 * (len(str(book)) + len(book.parts))


def _one_line(text: str) -> str:
    return " ".join(text.split())
