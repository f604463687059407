"""The same functions on a real cluster: a scheduler and workers that are processes, and one that dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from math import factorial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client

from xl_conversion.batch import cluster, parquet
from xl_conversion.batch.cluster import different, in_order, on_cluster
from xl_conversion.batch.parquet import compute_file
from xl_conversion.batch.plan import Settings
from xl_conversion.files import SaveError
from xl_conversion.inputs.problems import InputError

DASK = [sys.executable, "-m"]
SPLIT = Settings("CP_SPLIT")


class Dask:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.running: list[subprocess.Popen[bytes]] = []
        place = folder / "scheduler.json"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place))
        self.address: str = _soon(lambda: json.loads(place.read_text())["address"])

    def add_worker(self) -> None:
        """One more worker of one thread, which nobody starts again once it is dead."""
        options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers.append(self._start("dask_worker", self.address, *options))

    def stop(self) -> None:
        """Ends all of it."""
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def _start(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        extra = ["--no-dashboard"] if command == "dask_scheduler" else []
        with open(self.folder / f"{command}-{len(self.running)}.log", "wb") as log:
            process = subprocess.Popen(
                [*DASK, f"distributed.cli.{command}", *options, *extra], stdout=log, stderr=log, cwd=self.folder
            )
        self.running.append(process)
        return process


def _soon(look: Callable[[], str], seconds: float = 30) -> str:
    end = time.monotonic() + seconds
    while True:
        try:
            return look()
        except (OSError, ValueError, KeyError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A cluster of two workers, and after a test that ends one of them a new one."""
    running = Dask(tmp_path_factory.mktemp("dask"))
    try:
        running.add_worker()
        running.add_worker()
        yield running
    finally:
        running.stop()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 60 batches of 10 rows."""
    monkeypatch.setattr(parquet, "ROWS_IN_BATCH", 10)
    monkeypatch.setattr(parquet, "ROWS_IN_GROUP", 40)
    numbers = list(range(600))
    table = pa.table(
        {
            "conversion_price": pa.array([Decimal(500 + n).scaleb(-2) for n in numbers], pa.decimal128(18, 2)),
            "split_new": [2 + n % 3 for n in numbers],
            "split_old": [1] * 600,
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


class TestCluster:
    def test_results_are_in_the_order_of_the_items(self, dask: Dask) -> None:
        assert list(on_cluster(dask.address, factorial, range(30))) == [factorial(n) for n in range(30)]

    def test_few_items_are_under_way(self, dask: Dask) -> None:
        taken: list[int] = []
        items = (taken.append(item) or item for item in range(20))  # type: ignore[func-returns-value]
        for done, _ in enumerate(on_cluster(dask.address, factorial, items, in_flight=3), start=1):
            assert done <= len(taken) <= done + 3

    def test_nothing_is_left_on_the_cluster_when_writing_ends_early(self, dask: Dask, source: Path) -> None:
        def advance(_done: int, _total: int) -> None:
            raise SaveError("the disk is full", "free some space")

        # The exception holds on to the frames that it went through, and they to the connection.
        with pytest.raises(SaveError) as ended:
            compute_file(source, source.with_name("out"), SPLIT, scheduler=dask.address, advance=advance)
        assert ended.value.__traceback__
        assert {client.status for client in Client._instances} <= {"closed"}
        assert [path.name for path in source.parent.iterdir()] == [source.name]

    def test_what_the_function_raises_is_raised_here(self, dask: Dask) -> None:
        found = on_cluster(dask.address, factorial, [3, 2, -1, 1])
        assert (next(found), next(found)) == (6, 2)
        with pytest.raises(ValueError, match="not defined for negative"):
            next(found)

    def test_the_file_is_the_same_to_the_byte(self, dask: Dask, source: Path) -> None:
        compute_file(source, source.with_name("here"), SPLIT)
        compute_file(source, source.with_name("there"), SPLIT, scheduler=dask.address)
        assert source.with_name("here").read_bytes() == source.with_name("there").read_bytes()

    def test_a_row_that_cannot_be_is_told_as_here(self, dask: Dask, source: Path) -> None:
        table = pq.read_table(source)
        new = [0 if row == 457 else 1 for row in range(600)]
        pq.write_table(table.set_column(1, "split_new", pa.array(new)), source)
        told = []
        for address in ("", dask.address):
            with pytest.raises(InputError) as refused:
                compute_file(source, source.with_name("out"), SPLIT, scheduler=address)
            told.append(str(refused.value))
        assert told == [f"{source}, row 458: split_new is '0'; it must be above 0"] * 2

    def test_a_worker_is_killed_half_way(self, dask: Dask, source: Path) -> None:
        compute_file(source, source.with_name("here"), SPLIT)
        seen: list[int] = []

        def advance(done: int, _total: int) -> None:
            seen.append(done)
            if done == 200:
                dask.workers.pop().kill()
            if done == 400:
                dask.add_worker()

        compute_file(source, source.with_name("there"), SPLIT, scheduler=dask.address, advance=advance)
        assert seen == list(range(10, 610, 10))
        assert source.with_name("here").read_bytes() == source.with_name("there").read_bytes()

    def test_a_worker_dies_of_a_task_and_another_does_it(self, dask: Dask, tmp_path: Path) -> None:
        dask.add_worker()

        # Inside, so that the workers get it whole and need not have this file.
        def fatal_once(item: int, place: str, kill: int) -> int:
            try:
                open(place, "x").close()
            except FileExistsError:
                return -item
            os.kill(os.getpid(), kill)
            return item

        once = partial(fatal_once, place=str(tmp_path / "once"), kill=signal.SIGKILL)
        assert list(on_cluster(dask.address, once, range(8))) == [-n for n in range(8)]
        assert (tmp_path / "once").exists()


class TestRefusals:
    def test_no_scheduler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "PATIENCE", 1)
        with pytest.raises(InputError, match="no Dask scheduler answers within 1 seconds"):
            list(on_cluster("tcp://127.0.0.1:1", factorial, [1]))

    @pytest.mark.parametrize(
        "address", ["nowhere", "smoke://signals:8786", "inproc://1/2/3", "ucx://127.0.0.1:1", "tcp://a:b@c:1", ""]
    )
    def test_no_address(self, address: str) -> None:
        with pytest.raises(InputError) as refused:
            list(on_cluster(address, factorial, [1]))
        assert refused.value.problems[0].hint == "give it as tcp://host:port"

    def test_no_certificates(self) -> None:
        with pytest.raises(InputError) as refused:
            list(on_cluster("tls://127.0.0.1:1", factorial, [1]))
        assert str(refused.value) == "tls://127.0.0.1:1: Dask has no certificates"

    def test_no_workers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "PATIENCE", 2)
        alone = Dask(tmp_path)
        try:
            with pytest.raises(InputError, match="the scheduler has no workers"):
                list(on_cluster(alone.address, factorial, [1]))
        finally:
            alone.stop()

    def test_no_dask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(InputError) as refused:
            list(on_cluster("tcp://127.0.0.1:1", factorial, [1]))
        assert "Dask is not installed" in str(refused.value)
        assert refused.value.problems[0].hint == 'pip install "xl-conversion[cluster]"'

    def test_other_versions(self) -> None:
        ours = {"xl_conversion": "0.2.0", "python": "3.11.7.final.0", "distributed": "1", "cloudpickle": "3"}
        assert not different("worker", ours, {**ours, "python": "3.11.9.final.0"})
        others = {"xl_conversion": None, "python": "3.12.1.final.0", "distributed": "2", "cloudpickle": "3"}
        assert [str(problem) for problem in different("worker", ours, others)] == [
            "worker: xl-conversion is not installed on this worker",
            "worker: this worker has python 3.12; here it is 3.11",
            "worker: this worker has distributed 2; here it is 1",
        ]


def test_in_order_whoever_is_ready_first() -> None:
    last = threading.Event()

    def work(item: int) -> int:
        if item == 3:
            last.set()
        assert last.wait(10)  # the first is done only once the last has been begun
        return item

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        assert list(in_order(partial(pool.submit, work), range(4), in_flight=4)) == [0, 1, 2, 3]
