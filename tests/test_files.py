"""Files are written completely or not at all, under names that every system accepts."""

from __future__ import annotations

import errno
import os
import pickle
import random
import signal
import stat
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import xl_conversion
from xl_conversion.files import (
    MAX_NAME_BYTES,
    MAX_NAME_CHARACTERS,
    TEMPORARY_PREFIX,
    SaveError,
    replacing,
    safe_file_name,
    write_atomically,
)

ROOT = Path(xl_conversion.__file__).parents[1]
DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
EVERY_CHARACTER = st.text(st.characters(exclude_categories=()), max_size=150)
TROUBLE = st.text(st.sampled_from('aNUL.nul con1 COM¹$/\\:*?"<>|\0\n\x7f\u202e\u2028é\u0301日😀\ud800 \u3000~'))


def test_writes_a_new_file_and_replaces_an_old_one(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    for data in (b"first\r\n\0", b"", b"second" * 100_000):
        write_atomically(target, data)
        assert target.read_bytes() == data
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_follow_the_umask_and_then_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    before = os.umask(0o027)
    try:
        write_atomically(target, b"1")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
    finally:
        os.umask(before)
    target.chmod(0o604)
    write_atomically(target, b"2")
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "real.bin").write_bytes(b"old")
    link = tmp_path / "link.bin"
    link.symlink_to(folder / "real.bin")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (folder / "real.bin").read_bytes() == b"new"
    assert os.listdir(folder) == ["real.bin"]


def refused(path: Path | str, *words: str) -> SaveError:
    """The SaveError that writing to `path` gives; its text must hold `words` on one line."""
    with pytest.raises(SaveError) as caught:
        write_atomically(path, b"new")
    error = caught.value
    assert isinstance(error, OSError)
    assert error.hint
    assert str(error) == f"{error.message}. {error.hint}"
    assert len(str(error).splitlines()) == 1
    for word in words:
        assert word in str(error)
    return error


def test_what_cannot_be_a_target(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    refused(tmp_path, "is a folder")
    refused(tmp_path / "missing" / "a.bin", f"the folder {tmp_path / 'missing'} does not exist", "Create")
    refused(tmp_path / "file" / "a.bin", "does not exist")
    refused(tmp_path / ("a" * 300), "too long", "shorter")
    refused(tmp_path / "a\0b", "null")
    refused(tmp_path / "new\nline" / "a\r.bin", "does not exist")
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_pipe_or_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not an ordinary file")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    target.chmod(0o444)
    if os.access(target, os.W_OK):  # the administrator may write everything
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(target, "is read-only", "make the file writable")
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("replace", errno.EACCES, ("open in another program, such as Excel", "Close it there")),
        ("replace", errno.EPERM, ("open in another program, such as Excel", "Close it there")),
        ("fsync", errno.ENOSPC, ("the disk is full", "Free some space")),
        ("fsync", errno.EDQUOT, ("the disk is full",)),
        ("fsync", errno.EIO, (os.strerror(errno.EIO), "another name or folder")),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, code: int, words: tuple[str, ...]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, function, fail)
    error = refused(target, "a.bin", *words)
    assert isinstance(error.__cause__, OSError)
    assert error.__cause__.errno == code
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug"), SaveError("No", "Do not.")])
def test_what_ends_the_writing_of_a_file_is_handed_on(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")

    def stopped() -> None:
        with replacing(tmp_path / "a.bin") as new:
            new.path.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)) as caught:
        stopped()
    assert caught.value is error
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_that_is_not_wanted_after_all_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    before = (tmp_path / "a.bin").stat()
    with replacing(tmp_path / "a.bin") as new:
        assert new.path.parent == tmp_path
        assert not new.path.exists()
        new.path.write_bytes(b"new")
        new.wanted = False
    assert (tmp_path / "a.bin").stat() == before
    assert os.listdir(tmp_path) == ["a.bin"]


def test_what_is_under_way_may_be_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "through").mkdir()
    with replacing(tmp_path / "a.bin", through=tmp_path / "through") as new:
        assert new.path.parent == tmp_path / "through"
        new.path.write_bytes(b"new")
        assert not (tmp_path / "a.bin").exists()
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert not os.listdir(tmp_path / "through")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("builtins.open", fail)
    refused(tmp_path / "a.bin", f"the folder {tmp_path} is read-only", "Choose another folder")


def test_an_interrupted_write_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.bin", b"new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_the_system_refusing_bytes_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    code = (
        "import resource, sys\n"
        "from xl_conversion.files import SaveError, write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try: write_atomically(sys.argv[1], b'x' * 100_000)\n"
        "except SaveError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.bin")]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "Cannot save" in shown
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_the_error_comes_back_from_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(SaveError("Cannot save a", "Do b.")))  # noqa: S301
    assert (error.message, error.hint, str(error)) == ("Cannot save a", "Do b.", "Cannot save a. Do b.")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_at_any_moment_the_file_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    size = 4_000_000
    code = (
        "import itertools, sys\n"
        "from xl_conversion.files import write_atomically\n"
        f"for i in itertools.count(): write_atomically(sys.argv[1], bytes([i % 256]) * {size})\n"
    )
    moments = random.Random(20020205)  # noqa: S311
    for _ in range(10):
        target.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", code, str(target)], cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while not target.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.1))
        finally:
            process.kill()
            process.wait()
        data = target.read_bytes()
        assert len(data) == size
        assert data == data[:1] * size
        assert all(name.startswith(TEMPORARY_PREFIX) for name in os.listdir(tmp_path) if name != "a.bin")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Series 2-A", "Series 2-A"),
        ("Preferred / Série B", "Preferred _ Série B"),
        ("Série", "Série"),
        ("a\u0308", "ä"),
        ("株式会社 日本", "株式会社 日本"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("😀", "😀"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("  . hidden. .", "hidden"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("nul.txt", "_nul.txt"),
        ("Con", "_Con"),
        ("COM¹", "_COM¹"),
        ("nul .tar.gz", "_nul .tar.gz"),
        ("console", "console"),
        ("com10", "com10"),
        ("a\tb\x00c\u202egpj", "a_b_c_gpj"),
        ("NUL" + " " * 200 + "x", "_NUL"),
        ("\ud800x", "_x"),
    ],
)
def test_safe_file_names(text: str, name: str) -> None:
    assert safe_file_name(text) == name


@given(EVERY_CHARACTER | TROUBLE)
@example("CON." + "a" * 97)
@example("é" * 101)
@example("日" * 67)
@example("😀" * 51)
@example("a" * 99 + ".b")
def test_every_text_becomes_a_name_that_is_valid_everywhere(text: str) -> None:
    name = safe_file_name(text)
    assert name
    assert safe_file_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert len(name) <= MAX_NAME_CHARACTERS
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    assert name[0] not in ". "
    assert name[-1] not in ". "
    assert name.split(".")[0].rstrip().upper() not in DEVICES


@given(TROUBLE)
def test_the_system_takes_the_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    name = safe_file_name(text) + ".xlsx"
    write_atomically(folder / name, b"1")
    assert [unicodedata.normalize("NFC", found) for found in os.listdir(folder)] == [name]
