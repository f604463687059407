"""The notices as PDF: printed by LibreOffice, the same bytes each time."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from xl_conversion.files import SaveError, save_error

PRINT_SECONDS = 600
"""For all letters of one call; LibreOffice takes a few seconds to start and a fraction of one for each."""
LONGEST_SAID = 200
MOST_AT_ONCE = 200
"""Files in one call of LibreOffice; a command line is not endless."""

_WHERE = ("/usr/bin", "/usr/local/bin", "/opt/libreoffice/program", "/Applications/LibreOffice.app/Contents/MacOS")
_WORD = r"{\rtf1 OK}"
"""A letter that Writer alone can read."""
# What LibreOffice takes from the clock. The length stays, since a PDF counts its bytes.
_OF_THE_DAY = re.compile(
    rb"/CreationDate\(D:(?P<day>[^)]*)\)|/ID \[\s*<(?P<one>[0-9A-F]+)>\s*<(?P<two>[0-9A-F]+)>\s*\]"
    rb"|/DocChecksum /(?P<sum>[0-9A-F]+)"
)
_DAY = b"20000101000000Z'"


def check_printing() -> None:
    """Prints a letter of one word, so that what is missing is known before any work.

    Raises SaveError as :func:`print_letters`.
    """
    with TemporaryDirectory(prefix="xl-conversion-") as folder:
        letter = Path(folder, "any letter.rtf")
        letter.write_text(_WORD, encoding="ascii")
        print_letters([letter], Path(folder))


def print_letters(files: Sequence[Path], folder: Path, *, soffice: Path | None = None) -> list[bytes]:
    """The PDF of each letter, in their order; `folder` is for files on the way.

    Raises SaveError where LibreOffice is missing, takes too long or leaves one out.
    """
    if not files:
        return []
    program = soffice or _soffice()
    if program is None:
        hint = "Install LibreOffice with Writer, or take --notice docx."
        raise SaveError("Cannot print the notices: LibreOffice is not found", hint)
    targets = [folder / f"{file.stem}.pdf" for file in files]
    if len({target.name.casefold() for target in targets}) < len(targets):
        raise SaveError("Cannot print the notices: two have the same name", "Give each file a name of its own.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets:
            target.unlink(missing_ok=True)  # an old one must not pass for a new one
    except OSError as problem:
        raise save_error(folder, problem) from problem
    with TemporaryDirectory(prefix="xl-conversion-") as profile:
        for at in range(0, len(files), MOST_AT_ONCE):
            said = _print(program, folder, files[at : at + MOST_AT_ONCE], Path(profile))
            for file, target in list(zip(files, targets, strict=True))[at : at + MOST_AT_ONCE]:
                if not target.is_file():
                    hint = "Letters need LibreOffice Writer, not Calc alone: install it, or take --notice docx."
                    rule = f"LibreOffice made no PDF of it and says: {said}"
                    raise SaveError(f"Cannot print {file.stem}: {rule}", hint)
    return [settled(target.read_bytes()) for target in targets]


def settled(pdf: bytes) -> bytes:
    """A PDF without the time of its making and the identity that hangs on it.

    >>> settled(b"/CreationDate(D:20261124012604Z') /DocChecksum /65C9")
    b"/CreationDate(D:20000101000000Z') /DocChecksum /0000"
    """

    def same_length(match: re.Match[bytes]) -> bytes:
        text = match[0]
        if day := match["day"]:
            return text.replace(day, (_DAY + b" " * len(day))[: len(day)])
        for found in {match["one"], match["two"], match["sum"]} - {None}:
            text = text.replace(found, b"0" * len(found))
        return text

    return _OF_THE_DAY.sub(same_length, pdf)


def _print(program: Path, folder: Path, files: Sequence[Path], profile: Path) -> str:
    """Prints files in one call, and returns what LibreOffice says."""
    command = [
        str(program),
        # A profile of its own: another LibreOffice that runs would otherwise take the call and do nothing.
        f"-env:UserInstallation={profile.resolve().as_uri()}",
        "--headless",
        "--norestore",
        "--convert-to",
        "pdf",
        "--outdir",
        str(folder.resolve()),
        *(str(file.resolve()) for file in files),
    ]
    try:
        # In a session of its own, since soffice is a script around what does the work.
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as problem:
        raise SaveError(f"Cannot start {program}: {problem.strerror}", "Check that it may be run.") from problem
    with process:
        try:
            out, _ = process.communicate(timeout=PRINT_SECONDS)
        except subprocess.TimeoutExpired:
            rule = f"LibreOffice took more than {PRINT_SECONDS} s"
            raise SaveError(f"Cannot print the notices: {rule}", "Print fewer at once.") from None
        finally:
            if process.returncode is None:  # it took too long, or was stopped from the keyboard
                _end(process)
    said = " ".join(out.split())[-LONGEST_SAID:].strip(" .") or "nothing"
    if process.returncode:
        rule = f"LibreOffice ended with {process.returncode}"
        raise SaveError(f"Cannot print the notices: {rule}", f"It says: {said}.")
    return said


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a program with all that it has started."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603


def _soffice() -> Path | None:
    """LibreOffice, on the path or where it is installed."""
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            return Path(found)
    for folder, name in product(_WHERE, ("soffice", "libreoffice")):
        if (path := Path(folder, name)).is_file():
            return path
    return None
