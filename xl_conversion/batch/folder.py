"""The folder exported to: complete files only, nothing of anybody's overwritten, nothing outside it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from xl_conversion.files import SaveError, save_error, write_atomically

UNFINISHED = ".xl_conversion-unfinished"
"""The folder, inside the one exported to, for files being written and for what is needed to go on later."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that stands: its path under the folder, its content, and a digest of what it was made from."""

    path: str
    sha256: str
    size: int
    of: str
    written: bool = field(default=True, compare=False)
    """False where it was there already with the same content."""


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

    def prepare(self, *folders: str) -> None:
        """Makes the folder and those inside it.

        Raises SaveError where that cannot be, or where one leads elsewhere.
        """
        for one in (self.root, self.unfinished, *(self.root / name for name in folders)):
            try:
                one.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise SaveError(
                    f"Cannot make the folder {one}: a file has that name", "Choose another folder."
                ) from None
            except OSError as problem:
                message = f"Cannot make the folder {one}: {problem.strerror}"
                raise SaveError(message, "Choose another one, or ask for permission.") from problem
            if one != self.root and one.is_symlink():
                raise SaveError(
                    f"Cannot write into {one}: it leads elsewhere", "Remove the link, or choose another folder."
                )
        for old in self.unfinished.glob("*.tmp"):  # of an export that was ended
            with suppress(OSError):
                old.unlink()

    def proven(self, path: str, of: str) -> Entry | None:
        """The entry of a file that stands as it was made from the same; None where it has to be made."""
        entry = self.known.get(path) if self.resume else None
        if entry is None or entry.of != of or self._digest(path) != entry.sha256:
            return None
        return Entry(path, entry.sha256, entry.size, of, written=False)

    def place(self, path: str, data: bytes, of: str) -> Entry:
        """Writes a file.

        Raises SaveError where something else is there, which only `force` replaces.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self._may_stand(path, digest):
            return Entry(path, digest, len(data), of, written=False)
        if (self.root / path).is_symlink():
            raise SaveError(
                f"Cannot write {self.root / path}: it is a link", "Remove it, or choose another folder."
            )
        write_atomically(self.root / path, data, through=self.unfinished, durable=False)
        return Entry(path, digest, len(data), of)

    @contextmanager
    def stream(self, path: str, of: str) -> Iterator[tuple[IO[bytes], list[Entry]]]:
        """A large file, written piece by piece; its entry is in the list when the block has ended."""
        temporary = self.unfinished / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.tmp"
        found: list[Entry] = []
        target = self.root / path
        try:
            with open(temporary, "w+b") as file:
                yield file, found
                file.flush()
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.seek(0, os.SEEK_END)
            written = not self._may_stand(path, digest)
            if written:
                os.replace(temporary, target)
            found.append(Entry(path, digest, size, of, written))
        except SaveError:
            raise
        except OSError as problem:
            raise save_error(target, problem, replacing=target.exists()) from problem
        finally:
            with suppress(OSError):
                temporary.unlink()

    def close(self) -> None:
        """Removes what only an unfinished export needs."""
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def _may_stand(self, path: str, digest: str) -> bool:
        """Whether a file is there with that very content; SaveError where another one is that may not go."""
        there = self._digest(path)
        if there is None or there == digest:
            return there == digest
        entry = self.known.get(path)
        if not self.force and (entry is None or entry.sha256 != there):
            shown = self.root / path
            raise SaveError(f"Cannot write {shown}: it is there and differs", "--force replaces it.")
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
def locked(folder: OutFolder) -> Iterator[None]:
    """Keeps a second export out of the folder.

    Raises SaveError while another one is writing into it. The lock ends with the process, however it ends.
    """
    try:
        file = open(folder.unfinished / "lock", "w+b")  # noqa: SIM115 - it is open for as long as the lock is held
    except OSError as problem:
        raise save_error(folder.unfinished / "lock", problem) from problem
    with file:
        try:
            _lock(file)
        except OSError:
            raise SaveError(
                f"Cannot write into {folder.root}: another export is doing so", "Wait until it has ended."
            ) from None
        yield


def _lock(file: IO[Any]) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
