"""The add-in in Excel's start-up folder and its settings: put there, and taken away again.

Two files, both of ours alone:

- ``%APPDATA%\\Microsoft\\Excel\\XLSTART\\xl_conversion.xlam``. Excel opens what is there at every start, and
  trusts it. The AddIns folder would need an entry in the registry besides, which Excel rewrites whenever it ends.
- ``%USERPROFILE%\\.xl_conversion\\xl_conversion.conf``. The VBA of the add-in and of the macro workbooks looks for
  settings under its PROJECT_NAME: on a sheet of its own workbook, in a file beside that, then in this one. The
  file of xlwings itself is left as it is: INTERPRETER_WIN would send the user's other workbooks to a Python
  without their packages.

Python is started by xlwings' DLL through ``cmd.exe``, which shows or hides its window itself, so INTERPRETER_WIN
is the python.exe that runs here, as in xlwings' own ``config create``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xl_conversion.files import SaveError, write_atomically
from xl_conversion.hosts.excel.environment import Environment, from_store
from xl_conversion.hosts.excel.project import PROJECT_NAME
from xl_conversion.hosts.excel.settings import our_settings, unreadable, with_ours, without_ours
from xl_conversion.hosts.excel.workbook import is_ours


@dataclass(frozen=True)
class Change:
    """A file that shall be made, replaced or removed (`after` is None). `through` is where it is written first."""

    path: Path
    before: bytes | None
    after: bytes | None
    details: tuple[str, ...] = ()
    through: Path | None = None

    @property
    def verb(self) -> str:
        """What is done to the file, in a word."""
        return "remove" if self.after is None else "write" if self.before is None else "replace"


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order, and what there is to say of what is left alone."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()


def plan_install(env: Environment) -> Plan:
    """What is still to be done so that Excel has the functions; SaveError if it cannot be done here."""
    from xl_conversion.hosts.excel.build import addin  # takes a while, and the other commands do not need it

    target, config = _places(env)
    if from_store(env.interpreter):
        raise SaveError(
            f"The Python is {env.interpreter}; Excel cannot load xlwings beside a Python of the Microsoft Store",
            "Install Python from python.org, or make a virtual environment, and install xl-conversion there.",
        )
    there, before = _read(target), _read(config)
    if there is not None and not is_ours(there):
        raise SaveError(
            f"{target}: there is another add-in of that name, or one changed since xl-conversion made it",
            "Rename it or move it out of the folder, and install again.",
        )
    if before is not None and (problem := unreadable(before)):
        raise SaveError(f"{config}: {problem[0]}", problem[1])
    settings = our_settings(env)
    lines = tuple(f"{name} = {value}" for name, value in settings.items())
    # Nothing else goes into the start-up folder, since Excel opens every file there: neither the one that is
    # replaced, nor the new one before it is complete.
    wanted = (
        Change(target, there, addin(), through=target.parent.with_name(f"{target.name}.new")),
        Change(config, before, with_ours(env, before or b"", settings), lines),
    )
    return Plan(tuple(change for change in wanted if change.after != change.before))


def plan_uninstall(env: Environment) -> Plan:
    """What is still to be done so that nothing of install is left; what the user wrote stays."""
    target, config = _places(env)
    changes, notes = [], []
    there, before = _read(target), _read(config)
    if there is not None and is_ours(there):
        changes.append(Change(target, there, None))
    elif there is not None:
        notes.append(f"left alone: {target} was not made by xl-conversion, or changed since; Excel opens it")
    if before is not None and (problem := unreadable(before)):
        notes.append(f"left alone: {config}: {problem[0]}")
    elif before is not None and (after := without_ours(before)) != before:
        changes.append(Change(config, before, after or None))
    return Plan(tuple(changes), tuple(notes))


def carry_out(plan: Plan) -> None:
    """Makes the changes; if one fails, those before it are undone. Raises SaveError."""
    done: list[Change] = []
    try:
        for change in plan.changes:
            _make(change)
            done.append(change)
    except BaseException:
        for change in reversed(done):
            with suppress(Exception):
                _make(Change(change.path, change.after, change.before, through=change.through))
        raise
    for folder in {change.path.parent for change in plan.changes if change.after is None}:
        if folder.name == f".{PROJECT_NAME}":  # the other one is Excel's
            with suppress(OSError):
                folder.rmdir()  # if nothing is left in it


def _places(env: Environment) -> tuple[Path, Path]:
    if not env.windows:
        raise SaveError(
            f"This system is {env.platform}; Excel is served on Windows only",
            "Run it on the Windows machine. Here, xl-conversion libreoffice brings the functions to Calc.",
        )
    target, config = env.addin, env.config()
    hint = "Run it in a command prompt of the user who works in Excel."
    if target is None:
        raise SaveError(r"APPDATA is not set; it must be a folder such as C:\Users\me\AppData\Roaming", hint)
    if config is None:
        raise SaveError(r"USERPROFILE is not set; it must be a folder such as C:\Users\me", hint)
    return target, config


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        reason = "it is a folder" if path.is_dir() else problem.strerror or str(problem)
        raise SaveError(f"{path}: {reason}", "It must be a file that you may read; close Excel.") from problem


def _make(change: Change) -> None:
    path = change.path
    doing = f"remove {path}" if change.after is None else f"make the folder {path.parent}"
    try:
        if change.after is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(change.through or path, change.after)
        if change.through is not None:
            doing = f"write {path}"
            os.replace(change.through, path)
    except SaveError:
        raise
    except OSError as problem:
        if change.through is not None:
            with suppress(OSError):
                change.through.unlink()
        reason = problem.strerror or str(problem)
        if isinstance(problem, PermissionError):
            reason = "it is open in another program, such as Excel, or the folder is read-only"
        hint = f"Close every window of Excel and try again, or ask for permission to write to {path.parent}."
        raise SaveError(f"Cannot {doing}: {reason}", hint) from problem
