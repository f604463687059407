"""What an export has written: `manifest.json` when it is done, a journal until then."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from xl_conversion import __version__
from xl_conversion.batch.folder import UNFINISHED, Entry
from xl_conversion.files import SaveError, save_error

MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
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
            "earlier": [_as_dict(entry) for entry in sorted(self.earlier, key=lambda entry: entry.path)],
            "files": [_as_dict(entry) for entry in sorted(self.entries, key=lambda entry: entry.path)],
        }
        return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def known_entries(root: Path) -> dict[str, Entry]:
    """The files that earlier exports into `root` have written, those of one that was ended included.

    Raises SaveError for a manifest that cannot be read: what it proves is not known then.
    """
    found: dict[str, Entry] = {}
    manifest = root / MANIFEST
    try:
        if manifest.exists():
            if manifest.stat().st_size > MOST_BYTES:
                raise ValueError("it is too large")
            content = json.loads(manifest.read_bytes())
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise ValueError("it is not a manifest of this program")
            found = {entry.path: entry for entry in map(_entry, [*content["earlier"], *content["files"]])}
    except OSError as problem:
        raise save_error(manifest, problem) from problem
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:100]
        raise SaveError(f"Cannot use {manifest}: {reason}", "Move it away, or choose another folder.") from None
    for line in _lines(root / UNFINISHED / JOURNAL):
        try:
            entry = _entry(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # the line that was being written when the export was ended
        found[entry.path] = entry
    return found


class Journal:
    """Notes each file as soon as it stands, so that `--resume` can go on from there."""

    def __init__(self, root: Path) -> None:
        self._path = root / UNFINISHED / JOURNAL
        try:
            self._file: IO[bytes] = open(self._path, "ab")  # noqa: SIM115 - closed by `close`
            self._file.write(b"\n")  # ends a line that an earlier export had begun
        except OSError as problem:
            raise save_error(self._path, problem) from problem

    def add(self, entries: Iterable[Entry]) -> None:
        """Notes files that stand."""
        lines = [json.dumps(_as_dict(entry), ensure_ascii=False) + "\n" for entry in entries]
        try:
            self._file.write("".join(lines).encode())
            self._file.flush()
        except OSError as problem:
            raise save_error(self._path, problem) from problem

    def close(self) -> None:
        """Ends it."""
        self._file.close()


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n") if path.stat().st_size <= MOST_BYTES else []
    except OSError:
        return []


def _as_dict(entry: Entry) -> dict[str, Any]:
    return {"path": entry.path, "sha256": entry.sha256, "bytes": entry.size, "of": entry.of}


def _entry(content: Mapping[str, Any]) -> Entry:
    path, sha256, size, of = (content[key] for key in ("path", "sha256", "bytes", "of"))
    if not (isinstance(path, str) and isinstance(sha256, str) and isinstance(size, int) and isinstance(of, str)):
        raise TypeError("a file's entry is not one")
    return Entry(path, sha256, size, of, written=False)
