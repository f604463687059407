"""The folder exported to: complete files only, nothing of anybody's overwritten, nothing outside it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from xl_conversion.batch.folder import JOURNAL, MANIFEST, UNFINISHED, Entry, OutFolder, locked
from xl_conversion.batch.manifest import Manifest, with_known
from xl_conversion.files import SaveError


@pytest.fixture
def folder(tmp_path: Path) -> OutFolder:
    found = OutFolder(tmp_path / "out")
    found.prepare("series")
    return found


def known(folder: OutFolder, *entries: Entry, resume: bool = False, force: bool = False) -> OutFolder:
    return OutFolder(folder.root, {entry.path: entry for entry in entries}, force, resume)


class TestPlace:
    def test_writes_and_says_what_it_wrote(self, folder: OutFolder) -> None:
        entry = folder.place("series/a.xlsx", b"data", "of")
        assert (folder.root / "series/a.xlsx").read_bytes() == b"data"
        assert (entry.size, entry.written) == (4, True)
        assert entry.sha256 == "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"

    def test_the_same_content_is_left_alone(self, folder: OutFolder) -> None:
        folder.place("series/a.xlsx", b"data", "of")
        before = (folder.root / "series/a.xlsx").stat().st_ino
        assert not folder.place("series/a.xlsx", b"data", "of").written
        assert (folder.root / "series/a.xlsx").stat().st_ino == before

    def test_somebody_elses_file_is_not_overwritten(self, folder: OutFolder) -> None:
        (folder.root / "series/a.xlsx").write_bytes(b"mine")
        with pytest.raises(SaveError, match=r"a\.xlsx: it is there and differs") as found:
            folder.place("series/a.xlsx", b"data", "of")
        assert "--force" in found.value.hint
        assert (folder.root / "series/a.xlsx").read_bytes() == b"mine"

    def test_but_with_force(self, folder: OutFolder) -> None:
        (folder.root / "series/a.xlsx").write_bytes(b"mine")
        assert known(folder, force=True).place("series/a.xlsx", b"data", "of").written

    def test_a_file_of_an_earlier_export_is_replaced_unless_it_was_changed(self, folder: OutFolder) -> None:
        later = known(folder, folder.place("series/a.xlsx", b"data", "of"))
        assert later.place("series/a.xlsx", b"new", "of").written
        (folder.root / "series/a.xlsx").write_bytes(b"changed by hand")
        with pytest.raises(SaveError, match="it is there and differs"):
            later.place("series/a.xlsx", b"newer", "of")

    @pytest.mark.skipif(os.name == "nt", reason="a link takes rights on Windows")
    def test_a_link_is_not_followed_out_of_the_folder(self, folder: OutFolder, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere.xlsx"
        elsewhere.write_bytes(b"theirs")
        (folder.root / "series/a.xlsx").symlink_to(elsewhere)
        with pytest.raises(SaveError, match="a link"):
            known(folder, force=True).place("series/a.xlsx", b"data", "of")
        assert elsewhere.read_bytes() == b"theirs"

    def test_a_folder_of_that_name_is_told(self, folder: OutFolder) -> None:
        (folder.root / "series/a.xlsx").mkdir()
        with pytest.raises(SaveError, match="it is a folder"):
            folder.place("series/a.xlsx", b"data", "of")


class TestStream:
    def test_piece_by_piece(self, folder: OutFolder) -> None:
        with folder.stream("register.xlsx", "of") as (file, found):
            file.write(b"da")
            file.write(b"ta")
            assert not (folder.root / "register.xlsx").exists()
        assert (folder.root / "register.xlsx").read_bytes() == b"data"
        assert found == [Entry("register.xlsx", folder.place("series/x", b"data", "").sha256, 4, "of")]

    def test_an_error_leaves_nothing(self, folder: OutFolder) -> None:
        def fails() -> None:
            with folder.stream("register.xlsx", "of") as (file, _):
                file.write(b"half")
                raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 - it is the one raised above
            fails()
        assert not (folder.root / "register.xlsx").exists()
        assert not list((folder.root / UNFINISHED).glob("*.tmp"))

    def test_somebody_elses_file_is_not_overwritten(self, folder: OutFolder) -> None:
        (folder.root / "register.xlsx").write_bytes(b"mine")
        with pytest.raises(SaveError, match="differs"), folder.stream("register.xlsx", "of") as (file, _):
            file.write(b"data")
        assert (folder.root / "register.xlsx").read_bytes() == b"mine"


class TestPrepare:
    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("")
        with pytest.raises(SaveError, match="a file has that name"):
            OutFolder(tmp_path / "out").prepare()

    @pytest.mark.skipif(os.name == "nt", reason="a link takes rights on Windows")
    def test_a_folder_that_leads_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out/series").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(SaveError, match="leads elsewhere"):
            OutFolder(tmp_path / "out").prepare("series")

    @pytest.mark.skipif(os.name == "nt", reason="rights are others on Windows")
    def test_a_folder_that_may_not_be_written(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o555)
        own = os.geteuid()
        if own == 0:  # who may write anywhere
            os.seteuid(65534)
        try:
            with pytest.raises(SaveError, match="Permission denied"):
                OutFolder(tmp_path / "out").prepare()
        finally:
            os.seteuid(own)

    def test_tells_what_it_made_the_innermost_first(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        out = OutFolder(tmp_path / "a/b/out")
        assert out.prepare("series") == [out.root / "series", out.unfinished, out.root, tmp_path / "a/b"]
        assert out.prepare("series") == []

    @pytest.mark.skipif(os.name == "nt", reason="a link takes rights on Windows")
    @pytest.mark.parametrize("name", ["lock", JOURNAL, "journal-1.jsonl"])
    def test_what_is_written_on_the_way_follows_no_link(
        self, folder: OutFolder, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "theirs").write_bytes(b"theirs")
        (folder.unfinished / name).symlink_to(tmp_path / "theirs")
        with locked(folder):
            with_known(folder).place("series/a", b"data", "of")
        assert (tmp_path / "theirs").read_bytes() == b"theirs"

    @pytest.mark.skipif(os.name == "nt", reason="a link takes rights on Windows")
    def test_a_manifest_that_leads_elsewhere(self, folder: OutFolder, tmp_path: Path) -> None:
        (folder.root / MANIFEST).symlink_to(tmp_path / "elsewhere.json")
        with pytest.raises(SaveError, match=r"manifest\.json: it leads elsewhere"):
            folder.prepare()


class TestLocked:
    def test_one_export_at_a_time(self, folder: OutFolder) -> None:
        code = (
            "import sys; from pathlib import Path; from xl_conversion.batch.folder import OutFolder, locked\n"
            "with locked(OutFolder(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(folder.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert other.stdin is not None
        assert other.stdout is not None
        with other:
            assert other.stdout.readline() == b"held\n"
            being_written = folder.unfinished / "half.tmp"
            being_written.write_bytes(b"half")
            with pytest.raises(SaveError, match="another export is doing so"), locked(folder):
                pass
            assert being_written.exists()
            other.kill()
            other.wait()
            with locked(folder):  # it has ended with its process, and what it left half is removed
                assert not being_written.exists()

    def test_in_the_end_only_what_was_written_is_there(self, tmp_path: Path) -> None:
        out = OutFolder(tmp_path / "a/out")
        with locked(out, "series", "holders"):
            out.place("series/a", b"data", "of")
        assert [path.relative_to(out.root).as_posix() for path in sorted(out.root.rglob("*"))] == [
            "series",
            "series/a",
        ]

    def test_after_an_error_what_was_written_is_noted(self, tmp_path: Path) -> None:
        out = OutFolder(tmp_path / "out")
        with suppress(ZeroDivisionError), locked(out, "series", "holders"):
            entry = out.place("series/a", b"data", "of")
            raise ZeroDivisionError
        assert not (out.root / "holders").exists()
        with locked(out):
            assert with_known(out).known == {"series/a": entry}

    def test_after_an_error_before_anything_was_written_nothing_is_left(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), locked(OutFolder(tmp_path / "a/out"), "series"):
            raise ZeroDivisionError
        assert not list(tmp_path.iterdir())

    def test_but_what_somebody_else_has_there(self, tmp_path: Path) -> None:
        (tmp_path / "out/series").mkdir(parents=True)
        (tmp_path / "out/series/theirs").write_bytes(b"theirs")
        (tmp_path / "out/empty").mkdir()
        with suppress(ZeroDivisionError), locked(OutFolder(tmp_path / "out"), "series", "holders"):
            (tmp_path / "out/holders/theirs").write_bytes(b"theirs")
            raise ZeroDivisionError
        found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
        assert found == [
            "out",
            "out/empty",
            "out/holders",
            "out/holders/theirs",
            "out/series",
            "out/series/theirs",
        ]


class TestKnown:
    def test_the_manifest_and_the_journal_of_an_ended_export(self, folder: OutFolder) -> None:
        first = Entry("series/a", "0" * 64, 1, "of")
        (folder.root / MANIFEST).write_bytes(Manifest("input", {}, (first,)).to_bytes())
        second = folder.place("series/b", b"b", "of")
        (journal,) = folder.journals
        with journal.open("ab") as file:
            file.write(b'\n{"path": "series/c", "sha')  # ended in the middle of a line
        third = folder.place("series/d", b"d", "of")
        for _ in range(2):
            found = with_known(folder).known
            assert found == {entry.path: entry for entry in (first, second, third)}
            assert [path.name for path in folder.journals] == [JOURNAL]

    def test_the_newer_of_two_notes_is_known_whoever_made_it(self, folder: OutFolder) -> None:
        old, new = (Entry("series/a", digit * 64, 1, "of") for digit in "01")
        (folder.unfinished / "journal-9.jsonl").write_text(old.as_line())
        with_known(folder)
        (folder.unfinished / "journal-10.jsonl").write_text(new.as_line())
        assert with_known(folder).known == {"series/a": new}

    def test_what_is_known_is_not_noted_again(self, folder: OutFolder) -> None:
        folder.place("series/a", b"data", "of")
        later = with_known(folder)
        later.place("series/a", b"data", "of")
        assert [path.name for path in later.journals] == [JOURNAL]
        assert later.part(["series/b"]).known == {}
        assert later.part(["series/a", "series/b"]).known == later.known

    def test_a_file_is_removed_unless_it_was_changed(self, folder: OutFolder) -> None:
        later = known(folder, folder.place("series/a", b"data", "of"), folder.place("series/b", b"data", "of"))
        (folder.root / "series/b").write_bytes(b"changed by hand")
        for name in "abc":
            later.remove(f"series/{name}")
        assert [path.name for path in (folder.root / "series").iterdir()] == ["b"]

    def test_only_what_is_as_it_was_is_proven(self, folder: OutFolder) -> None:
        entry = folder.place("series/a", b"data", "of")
        assert known(folder, entry).proven("series/a", "of") is None
        later = known(folder, entry, resume=True)
        assert later.proven("series/a", "of") == entry
        assert later.proven("series/a", "of something else") is None
        (folder.root / "series/a").write_bytes(b"date")
        assert later.proven("series/a", "of") is None

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            '{"format": 2}',
            '{"format": 1, "files": 3}',
            "[" * 100_000,
            Manifest("", {}, (Entry("../x", "0", 1, ""),)).to_bytes().decode(),
            Manifest("", {}, (Entry("/x", "0", 1, ""),)).to_bytes().decode(),
        ],
        ids=["empty", "list", "newer", "other", "deep", "up", "root"],
    )
    def test_a_manifest_that_is_none_is_told(self, folder: OutFolder, content: str) -> None:
        (folder.root / MANIFEST).write_text(content)
        with pytest.raises(SaveError, match=r"Cannot use .*manifest\.json"):
            with_known(folder)
