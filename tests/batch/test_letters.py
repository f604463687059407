"""Letters are printed by LibreOffice; what is missing or goes wrong is told, and nothing of it goes on running."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from xl_conversion.batch import letters
from xl_conversion.batch.letters import check_printing, print_letters
from xl_conversion.files import SaveError

posix = pytest.mark.skipif(os.name != "posix", reason="a program is a shell script here")


def program(folder: Path, script: str) -> Path:
    """What stands in for a LibreOffice that cannot do it."""
    path = folder / "soffice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def rtf(path: Path) -> Path:
    path.write_text(rf"{{\rtf1 {path.stem}}}", encoding="ascii")
    return path


def test_files_are_printed_in_one_call(soffice: Path, tmp_path: Path) -> None:
    files = [rtf(tmp_path / "b.rtf"), rtf(tmp_path / "a.rtf")]
    printed = print_letters(files, tmp_path / "pdf", soffice=soffice)
    assert [(tmp_path / "pdf" / name).read_bytes()[:4] for name in ("b.pdf", "a.pdf")] == [b"%PDF"] * 2
    assert [data[:4] for data in printed] == [b"%PDF"] * 2
    assert print_letters(files, tmp_path / "again", soffice=soffice) == printed
    assert print_letters([], tmp_path / "none") == []


def test_what_cannot_be_printed_is_named(soffice: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.docx"
    file.write_bytes(b"PK\3\4 no letter")
    old = tmp_path / "pdf" / "broken.pdf"
    old.parent.mkdir()
    old.write_bytes(b"%PDF of before")
    with pytest.raises(SaveError, match=r"Cannot print broken: LibreOffice made no PDF"):
        print_letters([file], old.parent, soffice=soffice)
    assert not old.exists()


@posix
def test_a_libreoffice_that_fails_is_reported_with_what_it_says(tmp_path: Path) -> None:
    fake = program(tmp_path, "echo out of order >&2\nexit 7")
    with pytest.raises(SaveError, match=r"ended with 7.*out of order"):
        print_letters([tmp_path / "a.docx"], tmp_path / "pdf", soffice=fake)


@posix
def test_a_libreoffice_that_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "open")
    lives = os.open(tmp_path / "open", os.O_RDONLY | os.O_NONBLOCK)
    fake = program(tmp_path, f"sleep 60 > '{tmp_path}/open' &\nwait")
    monkeypatch.setattr(letters, "PRINT_SECONDS", 1)
    with pytest.raises(SaveError, match="took more than"):
        print_letters([tmp_path / "a.docx"], tmp_path / "pdf", soffice=fake)
    # The pipe is hung up when the last process that has it open is gone.
    hung_up = select.poll()
    hung_up.register(lives)
    assert hung_up.poll(20_000) == [(lives, select.POLLHUP)]
    os.close(lives)


def test_without_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(letters, "_WHERE", ())
    with pytest.raises(SaveError, match=r"LibreOffice is not found\. Install LibreOffice with Writer"):
        check_printing()


@posix
def test_without_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "echo Error: source file could not be loaded >&2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SaveError, match=r"says: Error: source file could not be loaded\. Letters need .* Writer"):
        check_printing()


def test_with_writer(soffice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(soffice.parent) + os.pathsep + os.environ["PATH"])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    check_printing()
    assert not list(tmp_path.iterdir())


def test_two_letters_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "one" / "a.docx", tmp_path / "two" / "A.docx"]
    with pytest.raises(SaveError, match="same name"):
        print_letters(files, tmp_path / "pdf", soffice=tmp_path / "soffice")
