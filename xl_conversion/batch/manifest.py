"""What an export has written: `manifest.json` when it is done, a journal until then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xl_conversion import __version__
from xl_conversion.batch.folder import JOURNAL, MANIFEST, Entry, OutFolder
from xl_conversion.files import SaveError, save_error, write_atomically

FORMAT = 1
MOST_BYTES = 512 * 2**20
"""Of a manifest that is read; a million files take less."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of an export, what they were made from and how. It says nothing of the day or the machine."""

    input_digest: str
    settings: Mapping[str, Any]
    entries: tuple[Entry, ...]
    earlier: tuple[Entry, ...] = ()
    """Files of earlier exports that stand and are not part of this one."""
    left_out: int = 0

    def to_bytes(self) -> bytes:
        """As JSON."""
        content = {
            "format": FORMAT,
            "version": __version__,
            "input": {"sha256": self.input_digest},
            "settings": dict(self.settings),
            "left_out": self.left_out,
            "earlier": [entry.as_dict() for entry in sorted(self.earlier, key=lambda entry: entry.path)],
            "files": [entry.as_dict() for entry in sorted(self.entries, key=lambda entry: entry.path)],
        }
        return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def with_known(folder: OutFolder) -> OutFolder:
    """The folder with the files that earlier exports have written, those of one that was ended included. It
    must be locked.

    Raises SaveError for a manifest that cannot be read: what it proves is not known then.
    """
    known = _of_manifest(folder.root / MANIFEST)
    noted = {entry.path: entry for journal in folder.journals for entry in _of_journal(journal)}
    if noted:
        # Gathered in one, since which of two is the newer could not be told next time.
        lines = "".join(entry.as_line() for entry in noted.values()).encode()
        write_atomically(folder.unfinished / JOURNAL, lines, durable=False)
        for journal in folder.journals[1:]:
            with suppress(OSError):
                journal.unlink()
    return replace(folder, known=known | noted)


def _of_manifest(manifest: Path) -> dict[str, Entry]:
    try:
        if not manifest.exists():
            return {}
        if manifest.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        content = json.loads(manifest.read_bytes())
        if not isinstance(content, dict) or content.get("format") != FORMAT or "files" not in content:
            raise ValueError("it is not a manifest of this program")
        return {entry.path: entry for entry in map(_entry, [*content["earlier"], *content["files"]])}
    except OSError as problem:
        raise save_error(manifest, problem) from problem
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:100]
        raise SaveError(f"Cannot use {manifest}: {reason}", "Move it away, or choose another folder.") from None


def _of_journal(journal: Path) -> Iterator[Entry]:
    try:
        lines = journal.read_bytes().split(b"\n") if journal.stat().st_size <= MOST_BYTES else []
    except OSError:
        return
    for line in lines:
        # The last one may be half a line: the export was ended while it wrote it.
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            yield _entry(json.loads(line))


def _entry(content: Mapping[str, Any]) -> Entry:
    path, sha256, size, of = (content[key] for key in ("path", "sha256", "bytes", "of"))
    if not (isinstance(path, str) and isinstance(sha256, str) and isinstance(size, int) and isinstance(of, str)):
        raise TypeError("a file's entry is not one")
    if re.search(r"[\\:]|^/|(?:^|/)\.\.(?:/|$)", path):
        raise ValueError("a path leads out of the folder")
    return Entry(path, sha256, size, of, written=False)
