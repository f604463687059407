"""The refreshed workbook in the place of the old one, unless somebody has it open or has changed it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from xl_conversion.books.refresh.scanning import RefreshError, shown
from xl_conversion.files import SaveError, write_atomically

_SHARING_VIOLATIONS = (32, 33)
"""What Windows says of a file, or a part of it, that another program has locked."""
_MOST = 4096
"""Bytes that are read of a lock file."""


def replace_workbook(path: Path, data: bytes, read_digest: str, *, backup: bool = True) -> Path | None:
    """Write `data` in the place of the workbook at `path`, whose SHA-256 was `read_digest` when it was read.

    The old workbook is kept beside it as ``name.backup-<12 digits of its digest>.xlsx``, and that path is
    returned; None without `backup`, and where the file holds `data` already. At every moment the file is the old
    one or the new one, complete. A link is followed.

    Raises RefreshError, and then leaves the file as it is, if it is open elsewhere, has changed since it was read
    or is read-only, and if something else has the name of the backup; SaveError if it cannot be written.
    """
    target = Path(os.path.realpath(path))
    _refuse_open(path, target)
    _refuse_changed(target, read_digest)
    if hashlib.sha256(data).hexdigest() == read_digest:
        return None
    kept = _backed_up(target, read_digest) if backup else None
    # Again, since a backup on a slow disk takes its time.
    _refuse_open(path, target)
    _refuse_changed(target, read_digest)
    try:
        write_atomically(target, data)
    except SaveError as error:
        if _is_locked(error.__cause__):
            raise _open_elsewhere(target) from error
        raise
    return kept


def _refuse_open(path: Path, target: Path) -> None:
    for file in dict.fromkeys((target, Path(os.path.abspath(path)))):
        # LibreOffice writes both, and tells more in its own.
        for lock, who in (
            (file.with_name(f".~lock.{file.name}#"), _libreoffice_user),
            (file.with_name(f"~${file.name}"), _excel_user),
        ):
            try:
                with lock.open("rb") as stream:
                    content = stream.read(_MOST)
            except PermissionError:  # it is there, but Excel does not let it be read
                content = b""
            except OSError:
                continue
            user = who(content)
            raise RefreshError(
                f"{shown(target.name)} is open{f' ({user})' if user else ''}",
                f"Close it there. If nobody has it open, a crash has left {shown(lock.name)}: delete that file.",
            )


def _libreoffice_user(content: bytes) -> str:
    """Who has the file open and since when: user, login, computer, time, profile, separated by commas."""
    text = content.decode("utf-8", "replace")
    fields = [re.sub(r"\\(.)", r"\1", one) for one in re.findall(r"((?:[^\\,;]|\\.)*)[,;]", text)]
    name, login, computer, since, *_ = [*fields, "", "", "", ""]
    who = name or login
    at = f" on {computer}" if computer else ""
    then = f" since {since}" if since else ""
    return _plain(f"{who}{at}{then}, in LibreOffice".lstrip(", ")) if who or computer or since else ""


def _excel_user(content: bytes) -> str:
    """Who has the file open: a length, the name in 54 bytes, and both again in UTF-16."""
    for start, width, encoding in ((55, 2, "utf-16-le"), (0, 1, "cp1252")):
        length = int.from_bytes(content[start : start + width], "little")
        name = content[start + width : start + width + length * width]
        if 0 < length <= 54 and len(name) == length * width:
            text = _plain(name.decode(encoding, "replace"))
            if text:
                return text
    return ""


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()[:100]


def _refuse_changed(target: Path, read_digest: str) -> None:
    name = shown(target.name)
    try:
        if not os.access(target, os.W_OK) and target.exists():  # a rename would go through all the same
            raise RefreshError(f"{name} is read-only", "Make the file writable, or refresh a copy.")
        with target.open("r+b") as stream:  # for writing too, which Windows refuses while Excel has the file
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise RefreshError(f"{name} is gone", "Somebody has moved or deleted it since it was read.") from None
    except OSError as error:
        if _is_locked(error):
            raise _open_elsewhere(target) from error
        if isinstance(error, PermissionError):
            raise RefreshError(f"{name} is read-only", "Make the file writable, or refresh a copy.") from error
        raise RefreshError(f"{name} cannot be read: {error.strerror}", "Check the name and the disk.") from error
    if digest != read_digest:
        raise RefreshError(f"{name} has changed since it was read", "Somebody has saved it; refresh it again.")


def _is_locked(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and getattr(error, "winerror", None) in _SHARING_VIOLATIONS


def _open_elsewhere(target: Path) -> RefreshError:
    return RefreshError(f"{shown(target.name)} is open in another program", "Close it there and try again.")


def _backed_up(target: Path, digest: str) -> Path:
    """The copy of `target` beside it, which is made unless it is there."""
    copy = target.with_name(f"{target.stem}.backup-{digest[:12]}{target.suffix}")
    if os.path.lexists(copy):
        with suppress(OSError), copy.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == digest:
                return copy
        raise RefreshError(f"{shown(copy.name)} is there and is no copy of {shown(target.name)}", "Move it away.")
    data = target.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise RefreshError(f"{shown(target.name)} has changed since it was read", "Refresh it again.")
    write_atomically(copy, data)
    with suppress(OSError):
        shutil.copystat(target, copy)  # who may read it, and from when it is
    return copy
