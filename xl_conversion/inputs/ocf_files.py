"""Reads the files of an Open Cap Format package: the manifest, and every object of the files that it names.

Files are not trusted: sizes are bounded, packed and unpacked, no name leads out of the package, and how deep
objects are in one another is bounded too.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.problems import InputError, Problem, fail
from xl_conversion.inputs.tables import MAX_FILE, MAX_UNPACKED, strict_json

MANIFEST = "Manifest.ocf.json"
MAX_FILES = 10_000
MAX_DEPTH = 32
"""Of objects and lists in one another; the format needs 8."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the package, and where it is."""

    data: Mapping[str, Any]
    file: str
    number: int

    @property
    def id(self) -> str:
        """By which other objects mean it; "" where it has none."""
        return self.text("id")

    @property
    def type(self) -> str:
        """Its type, by the newer of two names."""
        return self.text("object_type").replace("TX_PLAN_SECURITY_", "TX_EQUITY_COMPENSATION_")

    @property
    def date(self) -> str:
        """The day of a transaction, as written."""
        return self.text("date")

    def text(self, name: str) -> str:
        """A field that is a text; "" for any other."""
        value = self.data.get(name)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts in a field that is a list."""
        value = self.data.get(name)
        return [one.strip() for one in value if isinstance(one, str)] if isinstance(value, list) else []

    @property
    def results(self) -> list[str]:
        """The securities that came of it, without what was left of the one before."""
        single = self.text("resulting_security_id")
        return [*self.texts("resulting_security_ids"), *([single] if single else [])]

    @property
    def sources(self) -> list[str]:
        """The securities that it is about."""
        single = self.text("security_id")
        return [*([single] if single else []), *self.texts("security_ids")]

    def problem(self, rule: str, hint: str, column: str = "", value: str = "") -> Problem:
        """A problem of this object."""
        what = self.text("object_type") or "object"
        return Problem(self.file, f"{what} {shorten(self.id)}: {rule}", self.number, column, value, hint, "object")


@dataclass(frozen=True, slots=True)
class Package:
    """What is in a package."""

    manifest: Mapping[str, Any]
    objects: Sequence[Object]
    """Of all its files, in the order of the manifest."""
    changed: Sequence[str]
    """Files that have another MD5 than the manifest says. That is to be told, and no reason to refuse them: the
    samples published with the format have old ones, and who changes a file on purpose changes the MD5 too."""


def open_package(path: Path) -> Package:
    """The content of the package at `path`.

    Raises InputError with all that is wrong with its files, OSError where one cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    try:
        with zipfile.ZipFile(path) as package:
            return _of_zip(path, package)
    except zipfile.BadZipFile:
        raise fail(str(path), "not a readable .zip", "export the package again") from None


def _of_folder(path: Path) -> Package:
    root, total = path.resolve(), 0

    def read(name: str) -> bytes:
        nonlocal total
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise fail(str(path / name), "it is outside of the package", "copy the file into the package")
        if not file.is_file():
            raise fail(str(path / name), "there is no such file", f"{MANIFEST} names it")
        size = file.stat().st_size
        total += size
        if size > MAX_FILE or total > MAX_UNPACKED:
            raise _too_large(path)
        return file.read_bytes()

    return _contents(path, read)


def _of_zip(path: Path, package: zipfile.ZipFile) -> Package:
    parts = package.infolist()
    if len(parts) > MAX_FILES:
        raise fail(str(path), f"it holds more than {MAX_FILES} files", "pack the one package only")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _too_large(path)
    by_name = {part.filename: part for part in parts}
    if len(by_name) < len(parts):
        raise fail(str(path), "two files in it have one name", "export the package again")
    manifests = [name for name in by_name if PurePosixPath(name).name == MANIFEST and is_part(name)]
    if len(manifests) > 1:
        raise fail(str(path), f"it holds {len(manifests)} files {MANIFEST}", "give one package at a time")
    base = PurePosixPath(manifests[0]).parent if manifests else PurePosixPath()

    def read(name: str) -> bytes:
        part = by_name.get(str(base / name))
        if part is None:
            raise fail(f"{path}, {name}", "there is no such file", f"{MANIFEST} names it")
        try:
            with package.open(part) as stream:
                # One more than it says it has: what it says may be a lie.
                data = stream.read(part.file_size + 1)
        except (RuntimeError, NotImplementedError, EOFError, zlib.error, zipfile.BadZipFile) as problem:
            rule = f"it cannot be unpacked: {shorten(str(problem), 80)}"
            raise fail(f"{path}, {name}", rule, "pack it again, without a password") from None
        if len(data) != part.file_size:
            raise fail(f"{path}, {name}", "it unpacks to another size than it says", "pack it again")
        return data

    return _contents(path, read)


def is_part(name: str) -> bool:
    """Whether a name in a .zip is of a package; systems leave copies of files there."""
    return not any(part == "__MACOSX" or part.startswith("._") for part in PurePosixPath(name).parts)


def _too_large(path: Path) -> InputError:
    rule = f"larger than {MAX_UNPACKED // 2**20} MiB unpacked, or a file of it than {MAX_FILE // 2**20} MiB"
    return fail(str(path), rule, "split it")


def _contents(path: Path, read: Callable[[str], bytes]) -> Package:
    manifest = _json(read(MANIFEST), f"{path}/{MANIFEST}")
    problems: list[Problem] = []
    objects: list[Object] = []
    changed: list[str] = []
    seen: set[str] = set()
    for entry, where in _named_files(manifest, f"{path}/{MANIFEST}", problems):
        name = _inside(str(entry.get("filepath", "")))
        if name is None or name in seen:
            rule = f"the file {shorten(str(entry.get('filepath', '')))!r} is named twice or outside of the package"
            problems.append(Problem(where, rule, hint="the files are beside the manifest"))
            continue
        seen.add(name)
        try:
            data = read(name)
            objects.extend(_objects(data, f"{path}/{name}"))
        except InputError as found:
            problems.extend(found.problems)
            continue
        digest = str(entry.get("md5") or "").strip().lower()
        if digest and digest != hashlib.md5(data, usedforsecurity=False).hexdigest():
            changed.append(name)
    problems.extend(_same_ids(objects))
    if problems:
        raise InputError(problems)
    return Package(manifest, objects, changed)


def _named_files(
    manifest: Mapping[str, Any], where: str, problems: list[Problem]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    files = 0
    for key, entries in manifest.items():
        if not key.endswith("_files"):
            continue
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            problems.append(Problem(where, f"{shorten(key)} is not a list of files", hint="export it again"))
            continue
        files += len(entries)
        if files > MAX_FILES:
            raise fail(where, f"it names more than {MAX_FILES} files", "export it again")
        yield from ((entry, where) for entry in entries)


def _objects(data: bytes, where: str) -> Iterator[Object]:
    items = _json(data, where).get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise fail(where, "it has no list of objects in items", '{"file_type": "...", "items": [{...}, ...]}')
    return (Object(item, where, number) for number, item in enumerate(items, start=1))


def _inside(name: str) -> str | None:
    """A name in the manifest as a path below it; None for any that is not."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or re.search(r"[\\:\x00-\x1f]", name):
        return None
    return str(PurePosixPath(*parts))


def _same_ids(objects: Iterable[Object]) -> Iterator[Problem]:
    seen: dict[str, Object] = {}
    for one in objects:
        if not one.id:
            yield one.problem("every object has an id", "export the package again", "id")
        elif one.id in seen:
            first = seen[one.id]
            yield one.problem(f"object {first.number} of {first.file} has that id", "ids are unique", "id", one.id)
        seen.setdefault(one.id, one)


def _json(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        content = strict_json(data)
    except (ValueError, RecursionError) as problem:
        raise fail(where, f"not JSON: {shorten(str(problem), 100)}", "export the package again") from None
    if not isinstance(content, dict):
        raise fail(where, "not an object", '{"file_type": "...", ...}')
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return content
    raise fail(where, f"objects are more than {MAX_DEPTH} deep in one another", "export the package again")
