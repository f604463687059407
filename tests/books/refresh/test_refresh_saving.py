"""The old workbook is replaced only where nobody else is at work, and is there or replaced at every moment."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from support.office import Office

import xl_conversion
from xl_conversion.books.refresh.package import RefreshError
from xl_conversion.books.refresh.saving import replace_workbook
from xl_conversion.files import TEMPORARY_PREFIX, SaveError

ROOT = Path(xl_conversion.__file__).parents[1]
OLD, NEW = b"old" * 1000, b"new" * 1000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


BACKUP = f"model.backup-{digest(OLD)[:12]}.xlsx"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.xlsx"
    path.write_bytes(OLD)
    return path


def refused(path: Path, *words: str) -> RefreshError:
    """The error that replacing gives; the folder must be as it was."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(RefreshError) as caught:
        replace_workbook(path, NEW, digest(OLD))
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    assert caught.value.hint
    assert len(str(caught.value).splitlines()) == 1
    for word in words:
        assert word in str(caught.value)
    return caught.value


def test_the_old_workbook_is_kept_beside_the_new_one(model: Path) -> None:
    kept = replace_workbook(model, NEW, digest(OLD))
    assert kept == model.with_name(BACKUP)
    assert kept.read_bytes() == OLD
    assert model.read_bytes() == NEW
    assert sorted(os.listdir(model.parent)) == [BACKUP, "model.xlsx"]


def test_without_a_backup(model: Path) -> None:
    assert replace_workbook(model, NEW, digest(OLD), backup=False) is None
    assert model.read_bytes() == NEW
    assert os.listdir(model.parent) == ["model.xlsx"]


def test_the_same_workbook_is_not_written(model: Path) -> None:
    os.utime(model, (1, 1))
    assert replace_workbook(model, OLD, digest(OLD)) is None
    assert model.stat().st_mtime == 1
    assert os.listdir(model.parent) == ["model.xlsx"]


def test_an_identical_backup_is_used_again(model: Path) -> None:
    backup = model.with_name(BACKUP)
    backup.write_bytes(OLD)
    os.utime(backup, (1, 1))
    assert replace_workbook(model, NEW, digest(OLD)) == backup
    assert backup.stat().st_mtime == 1
    assert model.read_bytes() == NEW


def test_another_file_with_the_name_of_the_backup_is_not_overwritten(model: Path) -> None:
    model.with_name(BACKUP).write_bytes(b"something else")
    refused(model, f"{BACKUP} is there and is no copy of model.xlsx", "Move it away")
    model.with_name(BACKUP).unlink()
    model.with_name(BACKUP).mkdir()
    refused(model, f"{BACKUP} is there and is no copy of model.xlsx")


def test_macro_workbooks_and_odd_names(tmp_path: Path) -> None:
    for name, backup in (
        ("a.b.xlsm", f"a.b.backup-{digest(OLD)[:12]}.xlsm"),
        ("Größe 1.XLSX", f"Größe 1.backup-{digest(OLD)[:12]}.XLSX"),
    ):
        (tmp_path / name).write_bytes(OLD)
        assert replace_workbook(tmp_path / name, NEW, digest(OLD)) == tmp_path / backup


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_links_are_followed_and_the_backup_is_as_private(model: Path, tmp_path: Path) -> None:
    model.chmod(0o600)
    os.utime(model, (1_000_000_000, 1_000_000_000))
    link = tmp_path / "links" / "link.xlsx"
    link.parent.mkdir()
    link.symlink_to(model)
    kept = replace_workbook(link, NEW, digest(OLD))
    assert kept == model.with_name(BACKUP)
    assert (link.is_symlink(), model.read_bytes()) == (True, NEW)
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(model.stat().st_mode) == 0o600
    assert kept.stat().st_mtime == 1_000_000_000
    (link.parent / "~$link.xlsx").write_bytes(b"")
    with pytest.raises(RefreshError, match=r"delete ~\$link\.xlsx|a crash has left ~\$link\.xlsx"):
        replace_workbook(link, OLD, digest(NEW))


# Who else is at work


def owner_file(name: str) -> bytes:
    """As Excel writes it: 165 bytes, the name in a code page and in UTF-16, filled with spaces."""
    ansi, wide = name.encode("cp1252", "replace"), name.encode("utf-16-le")
    return bytes([len(ansi)]) + ansi.ljust(54) + len(name).to_bytes(2, "little") + wide + b" \0" * (54 - len(name))


@pytest.mark.parametrize(
    ("content", "who"),
    [
        (owner_file("Anna Müller"), "model.xlsx is open (Anna Müller). "),
        (owner_file("東京 太郎"), "model.xlsx is open (東京 太郎). "),
        (owner_file("Anna")[:55], "model.xlsx is open (Anna). "),
        (owner_file("A\nnn"), "model.xlsx is open (A nn). "),
        (owner_file(""), "model.xlsx is open. "),
        (b"", "model.xlsx is open. "),
        (b"\xff" * 200, "model.xlsx is open. "),
    ],
)
def test_open_in_excel(model: Path, content: bytes, who: str) -> None:
    model.with_name("~$model.xlsx").write_bytes(content)
    refused(model, who, "Close it there", "a crash has left ~$model.xlsx: delete that file")


@pytest.mark.parametrize(
    ("content", "who"),
    [
        (
            "Anna,anna,pc-7,23.11.2026 21:40,file:///home/anna/.config;",
            "(Anna on pc-7 since 23.11.2026 21:40, in LibreOffice)",
        ),
        (",anna,pc-7,23.11.2026 21:40,file:///x;", "(anna on pc-7 since 23.11.2026 21:40, in LibreOffice)"),
        ("M\\, A\\;\\\\,a,b,c,d;", "(M, A;\\ on b since c, in LibreOffice)"),
        ("Anna,", "(Anna, in LibreOffice)"),
        ("", "model.xlsx is open. "),
    ],
)
def test_open_in_libreoffice(model: Path, content: str, who: str) -> None:
    model.with_name(".~lock.model.xlsx#").write_text(content, encoding="utf-8")
    model.with_name("~$model.xlsx").write_bytes(owner_file("Anna"))
    refused(model, who, "a crash has left .~lock.model.xlsx#: delete that file")


def test_a_running_libreoffice_is_noticed(tmp_path: Path, office: Office) -> None:
    workbook, path = Workbook(), tmp_path / "model.xlsx"
    workbook.save(path)
    old = path.read_bytes()
    with office.session() as session:
        session.open(path)
        with pytest.raises(RefreshError, match=r"model\.xlsx is open \(.* since .*, in LibreOffice\)"):
            replace_workbook(path, NEW, digest(old))
    assert replace_workbook(path, NEW, digest(old))


def test_changed_gone_or_read_only(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model.write_bytes(b"saved by somebody")
    refused(model, "model.xlsx has changed since it was read")
    model.write_bytes(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: False)  # the administrator may write everything
        refused(model, "model.xlsx is read-only", "Make the file writable")
    model.unlink()
    refused(model, "model.xlsx is gone")


def locked(code: int) -> PermissionError:
    """The error of Windows for a file that another program has open."""
    error = PermissionError(13, "The process cannot access the file")
    error.winerror = code  # type: ignore[attr-defined, unused-ignore]
    return error


@pytest.mark.parametrize("code", [32, 33])
@pytest.mark.parametrize("function", ["replace", "open"])
def test_a_sharing_violation(model: Path, monkeypatch: pytest.MonkeyPatch, code: int, function: str) -> None:
    model.with_name(BACKUP).write_bytes(OLD)
    if function == "replace":

        def replace(*_: object) -> None:
            raise locked(code)

        monkeypatch.setattr(os, "replace", replace)
    else:
        usual: Callable[..., object] = Path.open

        def only_reading(path: Path, mode: str = "r", *rest: object) -> object:
            if "+" in mode:
                raise locked(code)
            return usual(path, mode, *rest)

        monkeypatch.setattr(Path, "open", only_reading)
    refused(model, "model.xlsx is open in another program", "Close it there")


def test_other_failures_are_told_as_they_are(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="the disk is full"):
        replace_workbook(model, NEW, digest(OLD))
    assert os.listdir(model.parent) == ["model.xlsx"]
    assert model.read_bytes() == OLD


def test_a_change_while_the_backup_is_written_is_noticed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.replace

    def replaced_and_saved(source: str, target: str) -> None:
        usual(source, target)
        model.write_bytes(b"saved by somebody")

    monkeypatch.setattr(os, "replace", replaced_and_saved)
    with pytest.raises(RefreshError, match=r"model\.xlsx has changed since it was read"):
        replace_workbook(model, NEW, digest(OLD))
    assert model.read_bytes() == b"saved by somebody"


WORKER = """
import hashlib, os, sys
from pathlib import Path
from xl_conversion.books.refresh.saving import replace_workbook

path, versions = Path(sys.argv[1]), [bytes([one]) * 1_000_000 for one in (1, 2)]
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        old, started = path.read_bytes(), False
        while True:
            new = versions[old == versions[0]]
            kept = replace_workbook(path, new, hashlib.sha256(old).hexdigest())
            if not started:
                started = bool(os.write(1, b"started\\n"))
            kept.unlink()  # so that the next one writes it again
            old = new
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_at_any_moment_both_workbooks_are_complete(tmp_path: Path) -> None:
    versions = [bytes([one]) * 1_000_000 for one in (1, 2)]
    names = {f"model.backup-{digest(one)[:12]}.xlsx": one for one in versions}
    path = tmp_path / "model.xlsx"
    path.write_bytes(versions[0])
    moments = random.Random(20020205)  # noqa: S311
    seen: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdin
        assert driver.stdout
        for _ in range(50):
            driver.stdin.write("go\n")
            driver.stdin.flush()
            lines = {driver.stdout.readline().strip(), driver.stdout.readline().strip()}
            assert "started" in lines
            (child,) = lines - {"started"}
            time.sleep(moments.uniform(0, 0.02))
            os.kill(int(child), signal.SIGKILL)
            assert driver.stdout.readline() == "ended\n"
            assert path.read_bytes() in versions
            for file in tmp_path.iterdir():
                if file.name in names:
                    assert file.read_bytes() == names[file.name]
                    seen.add("backup")
                elif file != path:
                    assert re.fullmatch(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]+[.]tmp", file.name)
                    seen.add("temporary")
                    file.unlink()
        driver.stdin.close()
    assert seen == {"backup", "temporary"}  # it was killed before, between and after
