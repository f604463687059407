"""The folder exported to: complete files only, nothing of anybody's overwritten, nothing outside it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from xl_conversion.files import SaveError, replacing, save_error, write_atomically

UNFINISHED = ".xl_conversion-unfinished"
"""The folder, inside the one exported to, for files being written and for what is needed to go on later."""
MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
"""What has been written, gathered from the `journal-*.jsonl` that each process writes."""
_JOURNALS = "journal*.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that stands: its path under the folder, its content, and a digest of what it was made from."""

    path: str
    sha256: str
    size: int
    of: str
    written: bool = field(default=True, compare=False)
    """False where it was there already with the same content."""

    def as_dict(self) -> dict[str, Any]:
        """As the manifest and the journal have it."""
        return {"path": self.path, "sha256": self.sha256, "bytes": self.size, "of": self.of}

    def as_line(self) -> str:
        """A line of a journal. What a process that was ended has left of its last one is no JSON."""
        return f"\n{json.dumps(self.as_dict(), ensure_ascii=True)}"


@dataclass(frozen=True)
class OutFolder:
    """Where files go. `known` are files of earlier exports, which may be replaced; it can be handed to other
    processes."""

    root: Path
    known: Mapping[str, Entry] = field(default_factory=dict)
    force: bool = False
    resume: bool = False
    """Whether files that are proven stay as they are."""

    @property
    def unfinished(self) -> Path:
        """Where files are until they are complete."""
        return self.root / UNFINISHED

    @property
    def journals(self) -> list[Path]:
        """What has been noted since the manifest, the gathered one first."""
        return sorted(self.unfinished.glob(_JOURNALS), key=lambda path: (path.name != JOURNAL, path.name))

    def prepare(self, *folders: str) -> list[Path]:
        """Makes the folder and those inside it; returns those that were not there, the innermost first.

        Raises SaveError where that cannot be, or where one leads elsewhere.
        """
        inside = [self.unfinished, *(self.root / name for name in folders)]
        made: list[Path] = []
        for one in (self.root, *inside):
            try:
                made = [*(path for path in (one, *one.parents) if not path.exists()), *made]
                one.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise SaveError(
                    f"Cannot make the folder {one}: a file has that name", "Choose another folder."
                ) from None
            except OSError as problem:
                message = f"Cannot make the folder {one}: {problem.strerror}"
                raise SaveError(message, "Choose another one, or ask for permission.") from problem
        for one in (*inside, self.root / MANIFEST):
            if one.is_symlink():
                raise SaveError(
                    f"Cannot write into {one}: it leads elsewhere", "Remove the link, or choose another folder."
                )
        for one in self.unfinished.iterdir():
            if one.is_symlink():
                one.unlink()
        return made

    def part(self, paths: Iterable[str]) -> OutFolder:
        """The same for these files alone, to be handed to another process."""
        return replace(self, known={path: self.known[path] for path in paths if path in self.known})

    def proven(self, path: str, of: str) -> Entry | None:
        """The entry of a file that stands as it was made from the same; None where it has to be made."""
        entry = self.known.get(path) if self.resume else None
        if entry is None or entry.of != of or self._digest(path) != entry.sha256:
            return None
        return Entry(path, entry.sha256, entry.size, of, written=False)

    def place(self, path: str, data: bytes, of: str) -> Entry:
        """Writes a file, and notes that it stands.

        Raises SaveError where something else is there, which only `force` replaces.
        """
        digest = hashlib.sha256(data).hexdigest()
        written = not self._may_stand(path, digest)
        if written:
            write_atomically(self.root / path, data, through=self.unfinished, durable=False)
        return self._noted(Entry(path, digest, len(data), of, written))

    @contextmanager
    def stream(self, path: str, of: str) -> Iterator[tuple[IO[bytes], list[Entry]]]:
        """A large file, written piece by piece; its entry is in the list when the block has ended."""
        found: list[Entry] = []
        with replacing(self.root / path, through=self.unfinished, durable=False) as new:
            with open(new.path, "w+b") as file:
                yield file, found
                file.flush()
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.seek(0, os.SEEK_END)
            new.wanted = not self._may_stand(path, digest)
        found.append(self._noted(Entry(path, digest, size, of, new.wanted)))

    def remove(self, path: str) -> None:
        """Removes a file of an earlier export, unless it was changed since."""
        entry = self.known.get(path)
        if entry and self._digest(path) == entry.sha256:
            try:
                (self.root / path).unlink()
            except OSError as problem:
                raise save_error(self.root / path, problem, replacing=True) from problem

    def stands(self, entry: Entry) -> bool:
        """Whether the file of an entry is there as it was written."""
        try:
            return self._digest(entry.path) == entry.sha256
        except SaveError:
            return False

    def _noted(self, entry: Entry) -> Entry:
        if self.known.get(entry.path) != entry:
            # Of this process alone: lines of several in one file could get mixed.
            path = self.unfinished / f"journal-{os.getpid()}.jsonl"
            try:
                with open(path, "ab", buffering=0) as file:
                    file.write(entry.as_line().encode())
            except OSError as problem:
                raise save_error(path, problem) from problem
        return entry

    def _may_stand(self, path: str, digest: str) -> bool:
        """Whether a file is there with that very content; SaveError where another one is that may not go."""
        if not os.path.lexists(os.path.join(self.root, path)):  # mostly, and it is the fastest to ask
            return False
        target = self.root / path
        there = self._digest(path)
        if there == digest:
            return True
        entry = self.known.get(path)
        if there is not None and not self.force and (entry is None or entry.sha256 != there):
            raise SaveError(f"Cannot write {target}: it is there and differs", "--force replaces it.")
        if target.is_symlink():
            raise SaveError(f"Cannot write {target}: it is a link", "Remove it, or choose another folder.")
        return False

    def _digest(self, path: str) -> str | None:
        """Of the file that is there; None for none."""
        try:
            with open(self.root / path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            raise SaveError(f"Cannot write {self.root / path}: it is a folder", "Choose another folder.") from None
        except OSError as problem:
            raise save_error(self.root / path, problem) from problem


@contextmanager
def locked(folder: OutFolder, *folders: str) -> Iterator[None]:
    """Prepares the folder, and keeps a second export out of it. In the end nothing is left in it that only an
    unfinished export needs; where it was ended by an error, what it has written is noted there.

    Raises SaveError while another one is writing into it. The lock ends with the process, however it ends.
    """
    made = folder.prepare(*folders)
    path = folder.unfinished / "lock"
    try:
        file = open(path, "ab")  # noqa: SIM115 - it is open for as long as the lock is held
    except OSError as problem:
        raise save_error(path, problem) from problem
    with file:
        try:
            _lock(file, path)
        except (BlockingIOError, PermissionError, FileNotFoundError):
            raise SaveError(
                f"Cannot write into {folder.root}: another export is doing so", "Wait until it has ended."
            ) from None
        except OSError as problem:
            raise save_error(path, problem) from problem
        try:
            for old in folder.unfinished.glob("*.tmp"):  # of an export that was ended
                with suppress(OSError):
                    old.unlink()
            yield
            for one in folder.journals:  # the manifest has it all
                one.unlink()
        finally:
            _clean(folder, made)
    if os.name == "nt":  # where a file that is open cannot be removed
        _clean(folder, made)


def _clean(folder: OutFolder, made: list[Path]) -> None:
    """Removes what is not needed to go on, and the folders that were made for nothing."""
    if not folder.journals:
        shutil.rmtree(folder.unfinished, ignore_errors=True)
    for one in made:
        with suppress(OSError):
            one.rmdir()


def _lock(file: IO[Any], path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):  # its holder has just removed it
            raise BlockingIOError
