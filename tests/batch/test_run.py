"""An export as a whole, through real files and processes: the same bytes however it is done, whole files whenever
it is ended, nothing outside its folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from support.portfolio import Rows, portfolio, write_portfolio

from xl_conversion.batch import run as running
from xl_conversion.batch import work
from xl_conversion.batch.folder import UNFINISHED
from xl_conversion.batch.observer import Observer
from xl_conversion.batch.run import Outcome, Per, Settings, export
from xl_conversion.batch.work import Recipe
from xl_conversion.examples import write_example
from xl_conversion.files import SaveError
from xl_conversion.inputs.portfolio import problem_rows
from xl_conversion.inputs.problems import InputError

ALL = frozenset(Per)
EACH = ["--per", "series", "--per", "holder", "--per", "portfolio"]
COMMAND = [sys.executable, "-c", "from xl_conversion.cli import main; main()", "export"]
KILLS = 50
posix = pytest.mark.skipif(os.name == "nt", reason="processes and rights are others on Windows")


class Watched(Observer):
    """Does something when so much is done."""

    def __init__(self, at: int, what: Callable[[], None]) -> None:
        self.left, self.what = at, what

    def advance(self, count: int) -> None:
        before, self.left = self.left, self.left - count
        if before > 0 >= self.left:
            self.what()


def files(folder: Path) -> dict[str, bytes]:
    """The files in a folder that are meant to be seen."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in found.items() if not name.startswith(UNFINISHED)}


def inodes(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file each is: one that was written again is another."""
    stats = {name: (folder / name).stat() for name in files(folder)}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def written(outcome: Outcome) -> set[str]:
    return {entry.path for entry in outcome.entries if entry.written}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portfolio of about sixty series."""
    return write_portfolio(tmp_path_factory.mktemp("source"), portfolio(40, holders=2))


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an export of it by one process gives."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    export(str(source), out, Settings(ALL))
    return files(out)


def few(tmp_path: Path, *, change: Callable[[Rows], None] = lambda _: None) -> str:
    """A portfolio of some series."""
    tables = portfolio(4, holders=2)
    change(tables)
    return str(write_portfolio(tmp_path / "few", tables))


class TestSameBytes:
    @pytest.mark.parametrize(
        ("options", "environment"),
        [
            (["--workers", "2"], {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"}),
            (["--workers", "1"], {"TZ": "America/Los_Angeles", "PYTHONHASHSEED": "2", "LC_ALL": "C"}),
        ],
    )
    def test_by_other_processes_elsewhere(
        self,
        source: Path,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
        options: list[str],
        environment: dict[str, str],
    ) -> None:
        moved = shutil.copytree(source, tmp_path / "moved" / "source")
        command = [*COMMAND, str(moved), "--out", "out", *EACH, *options]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert files(tmp_path / "out") == undisturbed

    def test_years_later(self, source: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
        later = """
import time, datetime
clock = {name: getattr(time, name) for name in ("time", "localtime", "gmtime")}
time.time = lambda: clock["time"]() + 3e8
time.localtime = lambda *of: clock["localtime"](*(of or [time.time()]))
time.gmtime = lambda *of: clock["gmtime"](*(of or [time.time()]))
class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(3000)
    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)
datetime.datetime = Later
assert datetime.date.today() > datetime.date(2030, 1, 1)
from xl_conversion.cli import main
main()
"""
        command = [sys.executable, "-c", later, "export", str(source), "--out", str(tmp_path / "out"), *EACH]
        done = subprocess.run([*command, "--workers", "1"], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert files(tmp_path / "out") == undisturbed

    def test_the_manifest_tells_every_file(self, undisturbed: dict[str, bytes]) -> None:
        import hashlib

        told = json.loads(undisturbed["manifest.json"])
        found = {name: hashlib.sha256(data).hexdigest() for name, data in undisturbed.items()}
        found.pop("manifest.json")
        assert {one["path"]: one["sha256"] for one in told["files"]} == found
        assert [one["bytes"] for one in told["files"]] == [len(undisturbed[name]) for name in sorted(found)]
        assert len(told["input"]["sha256"]) == 64
        assert told["settings"]["per"] == ["holder", "portfolio", "series"]

    def test_rows_that_are_nobodys_are_part_of_the_input(self, tmp_path: Path) -> None:
        digests = []
        for name in "AB":

            def change(tables: Rows, company: str = name) -> None:
                tables["holders"].append({"company": company, "series": "S", "holder": "H", "shares": "1"})

            export(few(tmp_path, change=change), tmp_path / name, Settings())
            digests.append(json.loads((tmp_path / name / "manifest.json").read_bytes())["input"])
        assert digests[0] != digests[1]


# A process that has everything imported, and for each line of arguments starts one that exports.
LAUNCHER = """
import json, os, sys
from xl_conversion import cli, cli_export
from xl_conversion.batch import run, work
work.series_plan(), work.holder_plan(), run.register_plan()
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os.setsid()
        arguments, log = json.loads(line)
        sys.stderr = open(log, "w")
        sys.stdout = open(os.devnull, "w")
        sys.argv = ["xl-conversion", "export", *arguments]
        code = 70
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    print("began", pid, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Launcher:
    """Starts exports, one at a time."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, *arguments: str) -> int:
        """The number of a process that exports, and of the group that it leads."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([arguments, str(self.log)]) + "\n")
        self._process.stdin.flush()
        word, number = self._told()
        assert word == "began"
        return number

    def ended(self) -> int:
        """Its exit code; minus the signal that ended it."""
        word, code = self._told()
        assert word == "ended"
        return code

    def _told(self) -> tuple[str, int]:
        assert self._process.stdout is not None
        word, number = self._process.stdout.readline().split()
        return word, int(number)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    found = Launcher(tmp_path_factory.mktemp("launcher") / "log")
    yield found
    found.stop()


def soon(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_gone(group: int) -> bool:
    """Whether no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@posix
class TestEnded:
    def test_killed_at_random_moments(
        self, source: Path, undisturbed: dict[str, bytes], launcher: Launcher, tmp_path: Path
    ) -> None:
        out, rng = tmp_path / "out", random.Random(KILLS)  # noqa: S311
        launcher.start(str(source), "--out", str(out), *EACH, "--workers", "1")
        began = time.monotonic()  # not sooner: everything had to be imported
        assert launcher.ended() == 0
        longest = time.monotonic() - began
        assert files(out) == undisturbed
        shutil.rmtree(out)
        stood: Counter[int] = Counter()
        kept: dict[str, tuple[int, int]] = {}
        while stood.total() < KILLS:
            workers = "2" if stood.total() % 10 == 9 else "1"
            process = launcher.start(str(source), "--out", str(out), *EACH, "--resume", "--workers", workers)
            if workers == "2":
                soon(lambda: any((out / UNFINISHED).glob("journal-*")) or (out / "manifest.json").exists())
            time.sleep(rng.uniform(0, longest))
            with suppress(ProcessLookupError):  # it has ended
                os.kill(process, signal.SIGKILL)
            code = launcher.ended()
            soon(lambda group=process: is_gone(group))  # type: ignore[misc]
            found = files(out) if out.exists() else {}
            assert all(undisturbed.get(name) == data for name, data in found.items())
            if code == 0:  # it was quicker: from the beginning
                assert found == undisturbed
                shutil.rmtree(out)
                kept = {}
                continue
            assert code == -signal.SIGKILL
            stood[len(found)] += 1
            # What had been noted was not made again.
            now = inodes(out) if out.exists() else {}
            assert {name: now[name] for name in kept} == kept
            kept = {name: which for name, which in now.items() if name != "manifest.json"}
        # Half-way, and at different moments: files of some series appear together.
        half_way = {count: times for count, times in stood.items() if 0 < count < len(undisturbed)}
        assert sum(half_way.values()) > KILLS // 2, stood
        assert len(half_way) > KILLS // 10, stood
        process = launcher.start(str(source), "--out", str(out), *EACH, "--resume", "--workers", "1")
        assert launcher.ended() == 0
        assert files(out) == undisturbed
        assert not (out / UNFINISHED).exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]

    def test_interrupted(
        self, source: Path, undisturbed: dict[str, bytes], launcher: Launcher, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        process = launcher.start(str(source), "--out", str(out), *EACH, "--workers", "2")
        soon(lambda: (out / "series").exists() and any((out / "series").iterdir()))
        os.killpg(process, signal.SIGINT)  # as a terminal does
        assert launcher.ended() == 130
        assert launcher.log.read_text() == (
            f"stopped before all files were written; each that is in {out} is complete\n"
            "  hint: --resume goes on from there\n"
        )
        soon(lambda: is_gone(process))
        before = inodes(out)
        assert 0 < len(before) < len(undisturbed)
        assert all(undisturbed[name] == data for name, data in files(out).items())
        outcome = export(str(source), out, Settings(ALL, resume=True))
        assert files(out) == undisturbed
        assert {name: inodes(out)[name] for name in before} == before
        assert not written(outcome) & set(before)
        assert not (out / UNFINISHED).exists()

    def test_workers_end_with_the_one_in_charge(self, source: Path, launcher: Launcher, tmp_path: Path) -> None:
        out = tmp_path / "out"
        process = launcher.start(str(source), "--out", str(out), "--workers", "2")
        soon(lambda: (out / "series").exists() and any((out / "series").iterdir()))
        os.kill(process, signal.SIGKILL)
        assert launcher.ended() == -signal.SIGKILL
        soon(lambda: is_gone(process))

    def test_a_worker_is_killed(
        self, source: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "SERIES_IN_TASK", 1)

        def kill() -> None:
            for child in active_children():
                child.kill()

        with pytest.raises(SaveError) as told:
            export(str(source), tmp_path, Settings(ALL, workers=2), observer=Watched(1, kill))
        assert told.value.message == "A worker process was ended"
        assert "--resume" in told.value.hint
        assert not active_children()
        before = inodes(tmp_path)
        assert before
        monkeypatch.undo()
        export(str(source), tmp_path, Settings(ALL, resume=True))
        assert files(tmp_path) == undisturbed
        assert {name: inodes(tmp_path)[name] for name in before} == before


class TestResume:
    def test_what_is_proven_stays_and_is_not_even_rendered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        settings = Settings(ALL, Recipe(documents=True, currency="USD"), resume=True)
        first = export(source, out, settings)
        assert written(first) == {entry.path for entry in first.entries}
        before = inodes(out)

        def never(*_: object, **__: object) -> bytes:
            raise AssertionError

        monkeypatch.setattr("xl_conversion.batch.work._RENDERED", dict.fromkeys(work._RENDERED, never))
        monkeypatch.setattr("xl_conversion.batch.work.holder_values", never)
        monkeypatch.setattr(running, "register_plan", never)
        assert not written(export(source, out, settings))
        before.pop("manifest.json")
        now = inodes(out)
        assert {name: now[name] for name in before} == before

    def test_a_file_that_is_gone_or_changed_is_made_again(self, tmp_path: Path) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        export(source, out, Settings(ALL))
        whole = files(out)
        gone, changed, *_ = (name for name in whole if name.startswith("series/"))
        (out / gone).unlink()
        assert written(export(source, out, Settings(ALL, resume=True))) == {gone}
        (out / changed).write_bytes(b"changed by hand")
        with pytest.raises(SaveError, match="it is there and differs"):
            export(source, out, Settings(ALL, resume=True))
        assert written(export(source, out, Settings(ALL, resume=True, force=True))) == {changed}
        assert files(out) == whole

    def test_of_a_changed_input_only_what_it_concerns_is_made_again(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        export(few(tmp_path), out, Settings(ALL))
        companies: list[str] = []
        holders: set[str] = set()

        def change(tables: Rows) -> None:
            row = tables["holders"][0]
            companies.append(row["company"])
            holders.update(one["holder"] for one in tables["holders"] if one["company"] == row["company"])
            row["shares"] = "7"

        outcome = export(few(tmp_path, change=change), out, Settings(ALL, resume=True))
        ours = written(outcome)
        assert "register.xlsx" in ours
        assert all(name.startswith(f"series/{companies[0][:-1]}") for name in ours if name.startswith("series/"))
        assert {name for name in ours if name.startswith("holders/")} <= {f"holders/{one}.xlsx" for one in holders}
        afresh = tmp_path / "afresh"
        export(few(tmp_path, change=change), afresh, Settings(ALL))
        assert files(out) == files(afresh)

    def test_a_mended_input_after_an_end_half_way(self, tmp_path: Path) -> None:
        out = tmp_path / "out"

        def stop() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export(few(tmp_path), out, Settings(ALL), observer=Watched(1, stop))
        assert files(out)

        def change(tables: Rows) -> None:
            for row in tables["series"]:
                row["clause"] = "Another clause"

        export(few(tmp_path, change=change), out, Settings(ALL, resume=True))
        afresh = tmp_path / "afresh"
        export(few(tmp_path, change=change), afresh, Settings(ALL))
        assert files(out) == files(afresh)

    def test_notes_do_not_grow(self, tmp_path: Path) -> None:
        source, out, sizes = few(tmp_path), tmp_path / "out", []

        def stop() -> None:
            sizes.append(sum(path.stat().st_size for path in (out / UNFINISHED).glob("journal*")))
            raise KeyboardInterrupt

        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                export(source, out, Settings(ALL, resume=True), observer=Watched(1, stop))
        assert sizes[0] == sizes[1] == sizes[2] == sizes[3] > 0

    def test_one_thing_after_another_in_one_folder(self, tmp_path: Path) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        for per in Per:
            export(source, out, Settings(frozenset({per}), Recipe(workbooks=per is Per.SERIES)))
        told = json.loads((out / "manifest.json").read_bytes())
        assert {one["path"] for one in told["files"]} == {"register.xlsx"}
        known = {one["path"] for one in [*told["files"], *told["earlier"]]}
        assert known == set(files(out)) - {"manifest.json"}
        (out / told["earlier"][0]["path"]).write_bytes(b"changed by hand")
        outcome = export(source, out, Settings(frozenset({Per.PORTFOLIO}), Recipe(workbooks=False), resume=True))
        assert told["earlier"][0]["path"] not in outcome.earlier


class TestFolders:
    def test_a_second_export_at_the_same_time(self, tmp_path: Path) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        told: list[str] = []

        def second() -> None:
            (out / UNFINISHED / "being-written.tmp").write_bytes(b"half")
            with pytest.raises(SaveError) as refused:
                export(source, out, Settings(ALL, force=True))
            told.append(str(refused.value))
            assert (out / UNFINISHED / "being-written.tmp").exists()

        export(source, out, Settings(ALL), observer=Watched(1, second))
        assert told == [f"Cannot write into {out}: another export is doing so. Wait until it has ended."]
        alone = tmp_path / "alone"
        export(source, alone, Settings(ALL))
        assert files(out) == files(alone)
        assert not (out / UNFINISHED).exists()

    @posix
    def test_the_disk_is_full(self, source: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk") as (disk, grow):
            done = subprocess.run(
                [*COMMAND, str(source), "--out", str(disk / "out"), *EACH, "--workers", "1"],
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=None if grow else limit_files,
            )
            assert done.returncode == 2
            error, hint = done.stderr.splitlines()
            assert error.startswith(f"Cannot save {disk / 'out'}")
            assert error.endswith("the disk is full" if grow else "File too large")
            assert hint.startswith("  hint: ")
            found = files(disk / "out")
            assert all(undisturbed[name] == data for name, data in found.items())
            assert not list(disk.rglob("*.tmp"))
            if grow:
                grow()
            export(str(source), disk / "out", Settings(ALL, resume=True))
            assert files(disk / "out") == undisturbed

    @posix
    @pytest.mark.parametrize("name", ["series", "holders", "notices", "ocf", UNFINISHED, "manifest.json"])
    def test_a_link_inside_that_leads_elsewhere(self, tmp_path: Path, name: str) -> None:
        source, out, theirs = few(tmp_path), tmp_path / "out", tmp_path / "theirs"
        out.mkdir()
        theirs.mkdir()
        (theirs / "file").write_bytes(b"theirs")
        (out / name).symlink_to(theirs if name != "manifest.json" else theirs / "new.json")
        settings = Settings(ALL, Recipe(documents=True, currency="USD"), force=True)
        with pytest.raises(SaveError, match="it leads elsewhere"):
            export(source, out, settings)
        assert files(theirs) == {"file": b"theirs"}
        assert [path.name for path in out.iterdir() if path.is_symlink()] == [name]

    @posix
    @pytest.mark.parametrize("name", ["register.xlsx", "holders/Selma Fund 1.xlsx"])
    def test_a_link_in_the_place_of_a_file(self, tmp_path: Path, name: str) -> None:
        def change(tables: Rows) -> None:
            tables["holders"][0]["holder"] = "Selma Fund 1"

        source, out = few(tmp_path, change=change), tmp_path / "out"
        (out / "holders").mkdir(parents=True)
        (tmp_path / "theirs").write_bytes(b"theirs")
        (out / name).symlink_to(tmp_path / "theirs")
        for force in (False, True):
            with pytest.raises(SaveError, match="it is a link" if force else "it is there and differs"):
                export(source, out, Settings(ALL, force=force))
        assert (tmp_path / "theirs").read_bytes() == b"theirs"
        assert (out / name).is_symlink()

    @posix
    def test_no_permission(self, tmp_path: Path) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        export(source, out, Settings())
        for folder in (out, out / "series"):
            folder.chmod(0o555)
        own = os.geteuid()
        if own == 0:  # who may write anywhere
            shared = Path(tempfile.gettempdir())
            for folder in (tmp_path, *tmp_path.parents):
                if shared in folder.parents:  # below the folder that everybody uses, which stays as it is
                    folder.chmod(0o755)
            os.seteuid(65534)
        try:
            with pytest.raises(SaveError, match="Permission denied") as told:
                export(source, out, Settings(ALL))
        finally:
            os.seteuid(own)
        assert told.value.hint

    def test_a_manifest_of_another_program(self, tmp_path: Path) -> None:
        source, out = few(tmp_path), tmp_path / "out"
        out.mkdir()
        (out / "manifest.json").write_text('{"name": "a web page"}')
        with pytest.raises(SaveError, match="it is not a manifest of this program"):
            export(source, out, Settings(ALL, force=True))
        assert [path.name for path in out.iterdir()] == ["manifest.json"]


def limit_files() -> None:
    """No file may get larger, which is as near to a full disk as one gets without rights."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Path, Callable[[], None] | None]]:
    """A disk of half a megabyte and what makes it large; None for that where nobody may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(folder), "-o"]
    try:
        done = subprocess.run([*mount, "size=512k"], capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        yield folder, None
        return

    def grow() -> None:
        subprocess.run([*mount, "remount,size=64m"], capture_output=True, check=True)

    try:
        yield folder, grow
    finally:
        subprocess.run(["umount", str(folder)], check=True)


HOSTILE = (
    "../../x",
    "..\\..\\x",
    "/etc/passwd",
    "CON",
    "nul.txt",
    "x" * 255,
    "x" * 254 + "y",
    "Größe Ä",
    "株式会社東京",
    "شركة المثال",
    "🚀 to the moon 👩‍👩‍👧",
    "dots...",
    "dots",
    "ACME",
    "Acme",
    "a/b",
    "a:b",
    "a?b",
    "\N{RIGHT-TO-LEFT OVERRIDE}xslx.exe",
    "e\N{COMBINING ACUTE ACCENT}",
    "é",
    "~$lock",
    "-rf",
    ".hidden",
    "%00",
    "'quoted' & <b>",
)


class TestNames:
    def test_of_companies_series_and_holders(self, tmp_path: Path) -> None:
        series = {"original_issue_price": "1", "conversion_price": "1"}
        # A company that is written in two ways is another test's.
        alike = ("..\\..\\x", "dots", "Acme", "a:b", "a?b", "é")
        companies = [name for name in HOSTILE if name not in alike]
        names = [(company, "S") for company in companies] + [("One", name) for name in HOSTILE]
        tables: Rows = {
            "series": [{"company": company, "series": name, **series} for company, name in names],
            "holders": [{"company": "One", "series": "CON", "holder": name, "shares": "10"} for name in HOSTILE],
        }
        source, out = write_portfolio(tmp_path / "source", tables), tmp_path / "deep/er/out"
        everything = Settings(ALL, Recipe(documents=True, currency="USD"))
        outcome = export(str(source), out, everything)
        assert not [(problem.rule, problem.value) for problem in outcome.problems]
        found = files(out)
        for kind, count in ("series", len(names)), ("holders", len(HOSTILE)), ("notices", len(names)):
            stems = [name.split("/") for name in found if name.startswith(f"{kind}/")]
            assert len({stem.casefold() for _, stem in stems}) == len(stems) == count
            for _, stem in stems:
                assert len(stem.encode()) <= 255
                assert not set(stem) & set('<>:"\\|?*')
                assert stem == stem.strip(" .")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "source"]
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["er"]
        assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["out"]
        assert sorted(path.name for path in out.iterdir()) == [
            "holders", "manifest.json", "notices", "ocf", "register.xlsx", "series",
        ]  # fmt: skip
        before = inodes(out)
        assert not written(export(str(source), out, Settings(ALL, everything.recipe, workers=2, resume=True)))
        assert {name: which for name, which in inodes(out).items() if name != "manifest.json"} == {
            name: which for name, which in before.items() if name != "manifest.json"
        }


def spoil(tables: Rows) -> None:
    """A holding that is none, one of nobody, and a stated figure that is none."""
    tables["holders"][0]["shares"] = "many"
    tables["holders"].append({"company": "Nobody", "series": "S", "holder": "H", "shares": "1"})
    tables["stated"][-1]["stated"] = "2.0.0"


def texts(file: Path) -> list[str]:
    cells = (cell for sheet in load_workbook(file) for row in sheet for cell in row)
    return [str(cell.value) for cell in cells if cell.data_type == "s"]


class TestProblems:
    def test_a_name_that_is_too_long_to_be_one(self, tmp_path: Path) -> None:
        def change(tables: Rows) -> None:
            tables["holders"][0]["holder"] = "x" * 300

        outcome = export(few(tmp_path, change=change), tmp_path / "out", Settings(ALL))
        assert [one.rule for one in outcome.problems] == ["it must have at most 255 characters"]
        assert not [name for name in files(tmp_path / "out") if "xxx" in name]

    def test_all_are_in_the_findings_and_the_good_series_are_exported(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        outcome = export(few(tmp_path, change=spoil), out, Settings(ALL))
        assert len(outcome.problems) == 3
        assert len(outcome.left_out) == 2
        assert outcome.results
        found = texts(out / "findings.xlsx")
        for row in problem_rows(outcome.problems):
            assert {cell for cell in row if cell} <= set(found), row
        assert {tuple(one) for one in outcome.left_out}.isdisjoint(outcome.workbooks)
        assert set(outcome.workbooks.values()) <= set(files(out))
        assert len([name for name in files(out) if name.startswith("series/")]) == len(outcome.results)

    def test_findings_of_an_earlier_export_go_when_all_is_well(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        export(few(tmp_path, change=spoil), out, Settings(ALL))
        assert not export(few(tmp_path), out, Settings(ALL)).problems
        afresh = tmp_path / "afresh"
        export(few(tmp_path), afresh, Settings(ALL))
        assert files(out) == files(afresh)

    def test_but_not_those_of_somebody_else(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "findings.xlsx").write_bytes(b"mine")
        export(few(tmp_path), out, Settings())
        assert (out / "findings.xlsx").read_bytes() == b"mine"

    def test_the_register_is_made_again_when_only_its_problems_change(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        export(few(tmp_path), out, Settings(ALL))

        def change(tables: Rows) -> None:
            tables["holders"].append({"company": "Nobody", "series": "S", "holder": "H", "shares": "1"})

        outcome = export(few(tmp_path, change=change), out, Settings(ALL, resume=True))
        assert written(outcome) == {"register.xlsx", "findings.xlsx"}
        assert "Nobody" in texts(out / "register.xlsx")
        moved = (tmp_path / "few").rename(tmp_path / "moved")
        outcome = export(str(moved), out, Settings(ALL, resume=True))
        assert written(outcome) == {"register.xlsx", "findings.xlsx"}
        assert str(moved / "holders.csv") in texts(out / "register.xlsx")

    @pytest.mark.parametrize("workers", [1, 2])
    def test_strict_writes_nothing(self, tmp_path: Path, workers: int) -> None:
        out = tmp_path / "out"
        with pytest.raises(InputError) as told:
            export(few(tmp_path, change=spoil), out, Settings(ALL, workers=workers, strict=True))
        assert len(told.value.problems) == 3
        assert not out.exists()
        assert not export(few(tmp_path), out, Settings(strict=True, workers=workers)).problems

    def test_where_no_series_is_good_nothing_is_left(self, tmp_path: Path) -> None:
        def change(tables: Rows) -> None:
            for row in tables["series"]:
                row["conversion_price"] = "-1"

        source = few(tmp_path, change=change)
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs/file").write_bytes(b"theirs")
        for out in (tmp_path / "a/b/out", tmp_path / "theirs"):
            with pytest.raises(InputError):
                export(source, out, Settings(ALL))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "theirs"]
        assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["file"]

    def test_what_the_format_cannot_say_leaves_the_workbook(self, tmp_path: Path) -> None:
        def change(tables: Rows) -> None:
            tables["series"][0]["share_rounding_type"] = "half_even"

        recipe = Recipe(currency="USD")
        outcome = export(few(tmp_path, change=change), tmp_path / "out", Settings(recipe=recipe))
        (problem,) = outcome.problems
        company = outcome.results[0].series
        assert problem.file == f"{company.company}, {company.name}"
        found = files(tmp_path / "out")
        assert outcome.workbooks[company.company, company.name] in found
        assert len([name for name in found if name.startswith("ocf/")]) == len(outcome.results) - 1

    def test_what_the_working_paper_cannot_show_has_no_link(self, tmp_path: Path) -> None:
        settings = Settings(ALL, Recipe(template="working-paper"))
        outcome = export(few(tmp_path), tmp_path / "out", settings)
        assert 0 < len(outcome.workbooks) < len(outcome.results)
        assert len(outcome.problems) == len(outcome.results) - len(outcome.workbooks)
        found = files(tmp_path / "out")
        assert set(outcome.workbooks.values()) == {name for name in found if name.startswith("series/")}


FORMULAS = ("=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+cmd|x", "@SUM(cmd|x)", '=HYPERLINK("http://cmd|x")')
TEXT_COLUMNS = {
    "series", "company", "clause", "event", "security", "class", "holder", "certificate", "source", "note",
    "description", "subject",
}  # fmt: skip


def injected(tables: Mapping[str, list[dict[str, str]]]) -> Rows:
    """The tables with every text of somebody's a formula; the same text is the same formula."""
    texts: dict[str, str] = {}

    def formula(text: str) -> str:
        return texts.setdefault(text, f"{FORMULAS[len(texts) % len(FORMULAS)]} {text}")

    return {
        name: [
            {column: formula(cell) if column in TEXT_COLUMNS and cell else cell for column, cell in row.items()}
            for row in rows
        ]
        for name, rows in tables.items()
    }


class TestFormulas:
    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        tables = portfolio(4, holders=2)
        for row in [one for rows in tables.values() for one in rows]:
            row["source"] = "A source"
        for row in tables["series"]:
            row["note"] = "A note"
        for row in tables["holders"]:
            row["series"] = row["series"]
        spoilt = injected(tables)
        spoilt["holders"].append({**spoilt["holders"][0], "company": FORMULAS[0], "source": FORMULAS[1]})
        return str(write_portfolio(tmp_path / "source", spoilt))

    @pytest.mark.parametrize("template", ["statement", "working-paper", "own"])
    def test_no_text_of_the_input_becomes_one(self, source: str, tmp_path: Path, template: str) -> None:
        design = b""
        if template == "own":
            book = Workbook()
            assert book.active is not None
            book.active.append(["{{company}}", "{{source}}", "about {{title}}"])
            book.active.append(["{{steps.event}}", "{{steps.label}}"])
            book.save(tmp_path / "own.xlsx")
            design = (tmp_path / "own.xlsx").read_bytes()
        recipe = Recipe(template=template, design=design, documents=True)
        outcome = export(source, tmp_path / "out", Settings(ALL, recipe))
        assert outcome.results
        assert outcome.problems
        books = [path for path in (tmp_path / "out").rglob("*.xlsx") if "own" not in path.name]
        assert {path.parent.name for path in books} == {"out", "series", "holders"}
        for path in books:
            seen = 0
            for cell in (cell for sheet in load_workbook(path) for row in sheet for cell in row):
                if isinstance(cell.value, str) and "cmd|" in cell.value:
                    seen += 1
                    assert cell.data_type == "s", (path, cell.coordinate, cell.value)
            assert seen, path
            with ZipFile(path) as archive:
                parts = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
            assert not any(b"cmd|" in piece.partition(b"</f>")[0] for p in parts for piece in p.split(b"<f>")[1:])


class Dask:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()
        place = folder / "scheduler.json"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place))
        soon(lambda: place.exists() and place.read_text().endswith("}"))
        self.address: str = json.loads(place.read_text())["address"]
        for _ in range(2):
            options = ("--no-nanny", "--nthreads", "1", "--local-directory", str(folder))
            self._start("dask_worker", self.address, *options)

    def _start(self, command: str, *options: str) -> None:
        with open(self.folder / f"{len(self.running)}.log", "wb") as log:
            line = [sys.executable, "-m", f"distributed.cli.{command}", *options, "--no-dashboard"]
            self.running.append(subprocess.Popen(line, stdout=log, stderr=log, cwd=self.folder))

    def stop(self) -> None:
        for process in reversed(self.running):
            process.kill()
            process.wait()


@posix
def test_on_a_cluster_one_of_whose_workers_is_killed(
    source: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SERIES_IN_TASK", 1)
    (tmp_path / "dask").mkdir()
    dask = Dask(tmp_path / "dask")
    out = tmp_path / "out"
    try:
        kill = Watched(
            len([name for name in undisturbed if name.startswith("series/")]) // 2, lambda: dask.running[1].kill()
        )
        export(str(source), out, Settings(ALL, scheduler=dask.address), observer=kill)
        assert kill.left <= 0
        assert dask.running[1].wait() == -signal.SIGKILL
        assert files(out) == undisturbed
        assert not written(export(str(source), out, Settings(ALL, scheduler=dask.address, resume=True)))
    finally:
        dask.stop()


def test_letters_are_printed_once(source: Path, soffice: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_example(tmp_path / "in", "csv", "vsource")
    settings = Settings(recipe=Recipe(documents=True), pdf=True, resume=True)
    outcome = export(str(tmp_path / "in"), tmp_path / "out", settings)
    (letter,) = (name for name in files(tmp_path / "out") if name.endswith(".pdf"))
    assert letter in written(outcome)
    data = (tmp_path / "out" / letter).read_bytes()
    assert data.startswith(b"%PDF")
    assert not written(export(str(tmp_path / "in"), tmp_path / "out", settings))
    export(str(tmp_path / "in"), tmp_path / "again", settings)
    assert (tmp_path / "again" / letter).read_bytes() == data
