"""Files on disk: written completely or not at all, under names that every system accepts."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TEMPORARY_PREFIX = ".xl_conversion-"
"""How the name of an unfinished file begins. One that outlives its process (a power cut) may be deleted."""

MAX_NAME_CHARACTERS = 100
MAX_NAME_BYTES = 200
"""Of UTF-8. Linux allows 255, so an extension and a number still fit."""

_RESERVED = frozenset('<>:"/\\|?*')
# Marks that turn the reading direction can disguise an extension; joiners stay, since scripts need them.
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE)


class SaveError(OSError):
    """A file could not be saved; whatever was there before is untouched.

    `message` says in one line what is wrong, `hint` what to do about it. The cause is in ``__cause__``.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[SaveError], tuple[str, str]]:
        return SaveError, (self.message, self.hint)  # so that it can come back from a worker process


@dataclass
class Unfinished:
    """A file under way."""

    path: Path
    """Where it is written; there is none yet."""
    wanted: bool = True
    """Whether it takes its place in the end; if not, what is there stays."""


@contextmanager
def replacing(
    path: str | os.PathLike[str], *, through: Path | None = None, durable: bool = True
) -> Iterator[Unfinished]:
    """A new file that is at `path` when the block has ended, and not before: there is at every moment either the
    old file or the new one, complete.

    A link is followed, the permissions of an existing file are kept, the folder must exist. The unfinished file
    is beside it, or in the folder `through`, which must be on the same disk. What is not `durable` may be lost
    when the power fails, but not when the process does.
    Raises SaveError, before the block where a file must not be replaced; any error leaves nothing behind.
    """
    try:
        target, before = _target(path)
        # In the same folder, since only a rename within one file system is atomic.
        new = Unfinished((through or target.parent) / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.tmp")
    except SaveError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise save_error(path, error) from error
    moving = moved = False
    try:
        yield new
        if new.wanted:
            if durable:
                with open(new.path, "rb+") as stream:
                    os.fsync(stream.fileno())  # the content must be on disk before the name points to it
            if before is not None:
                with suppress(OSError):
                    os.chmod(new.path, stat.S_IMODE(before.st_mode))
            moving = True
            os.replace(new.path, target)
            moved = True
    except SaveError:
        raise
    except OSError as error:
        raise save_error(path, error, replacing=moving) from error
    finally:
        if not moved:
            with suppress(OSError):
                os.unlink(new.path)
    if durable and new.wanted:
        _sync_folder(target.parent)


def write_atomically(
    path: str | os.PathLike[str], data: bytes, *, through: Path | None = None, durable: bool = True
) -> None:
    """Write `data` to `path`, as :func:`replacing` does."""
    with replacing(path, through=through, durable=durable) as new:
        new.path.write_bytes(data)


def safe_file_name(text: str) -> str:
    """`text` as a file name without extension, valid on Windows, macOS and Linux; other scripts are kept.

    What a name may not hold becomes ``_``, and a name of a Windows device gets one in front. The result is in
    Unicode NFC, has at most 100 characters and 200 UTF-8 bytes, and no dot or space at either end. Applying
    the function again changes nothing. Different texts may give the same name: the caller keeps them apart.

    >>> safe_file_name("Series A/B: 2001 ")
    'Series A_B_ 2001'
    >>> safe_file_name("nul.txt"), safe_file_name(" .. ")
    ('_nul.txt', 'unnamed')
    """
    # Surrogates first: they are not text, and normalising needs text.
    name = "".join(map(_allowed, unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())))
    name = _trimmed(name)
    if _DEVICE.fullmatch(name):
        name = _trimmed(f"_{name}")
    return name or "unnamed"


def _allowed(character: str) -> str:
    if character in _RESERVED or character in _DIRECTION_MARKS:
        return "_"
    category = unicodedata.category(character)
    return " " if category == "Zs" else "_" if category in _UNPRINTABLE else character


def _trimmed(name: str) -> str:
    """Cut to length, then without the dots and spaces at the ends that Windows drops or Linux hides."""
    name = name.strip(" .")[:MAX_NAME_CHARACTERS]
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip(" .")


def _target(path: str | os.PathLike[str]) -> tuple[Path, os.stat_result | None]:
    """The file that `path` means and what is there now, None for nothing; SaveError if it may not be replaced."""
    target = Path(path)
    try:
        found = os.lstat(target)
        if stat.S_ISLNK(found.st_mode):
            target = Path(os.path.realpath(target))
            found = os.stat(target)
    except (FileNotFoundError, NotADirectoryError):
        return target, None
    shown = _shown(target)
    if stat.S_ISDIR(found.st_mode):
        raise SaveError(f"Cannot save to {shown}: it is a folder", "Give the name of a file.")
    if not stat.S_ISREG(found.st_mode):  # replacing a device or a pipe would destroy it
        raise SaveError(f"Cannot save to {shown}: it is not an ordinary file", "Choose another name.")
    if not os.access(target, os.W_OK):  # a rename would go through all the same
        raise SaveError(
            f"Cannot save {shown}: the file is read-only", "Choose another name, or make the file writable."
        )
    return target, found


def save_error(path: str | os.PathLike[str], error: OSError | ValueError, *, replacing: bool = False) -> SaveError:
    """The same failure in words that tell the user what to do; `replacing` when a file was being replaced."""
    shown = _shown(path)
    folder = _shown(Path(os.fspath(path)).parent)
    code = error.errno if isinstance(error, OSError) else None
    reason, hint = str(error), "Choose another name or folder."
    match code:
        case errno.ENOENT | errno.ENOTDIR:
            reason, hint = f"the folder {folder} does not exist", "Create the folder or choose another one."
        case errno.EACCES | errno.EPERM if replacing:
            reason = "the file is open in another program, such as Excel, or protected"
            hint = "Close it there and save again, or choose another name."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            reason = f"the folder {folder} is read-only"
            hint = "Choose another folder, or ask for permission to write to it."
        case errno.ENOSPC | errno.EDQUOT:
            reason, hint = "the disk is full", "Free some space or choose another disk."
        case errno.ENAMETOOLONG:
            reason, hint = "the name is too long", "Choose a shorter name."
        case int():
            reason = os.strerror(code)
    return SaveError(f"Cannot save {shown}: {reason}", hint)


def _shown(path: str | os.PathLike[str]) -> str:
    """The path on one line, whatever characters are in it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in os.fspath(path))


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets a folder be synchronised (not Windows)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
