"""Independent tasks on a Dask cluster, their results in the order of the tasks.

A task is a function and one item. When a worker dies, Dask gives its tasks to another, since each item stays with
the scheduler until its result has been fetched; so only few of them are under way at any time.
"""

from __future__ import annotations

import re
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from xl_conversion.inputs.problems import InputError, fail

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 10
"""Seconds to wait for a scheduler, and for its first worker."""
IN_FLIGHT = 4
"""Tasks for each thread of the workers that wait, run, or are done and not yet fetched."""
_SAME = ("xl_conversion", "python", "distributed", "cloudpickle")
"""What must have the same version here and on the workers; of Python, its minor version."""
_ADDRESS = re.compile(r"((tcp|tls)://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}", re.ASCII)
"""Dask knows other protocols, which need more than an address."""


def on_cluster(
    address: str, function: Callable[[T], R], items: Iterable[T], *, in_flight: int = 0
) -> Generator[R, None, None]:
    """What `function` gives for each of the `items`, in their order, computed by the workers of a Dask scheduler.

    The function is pure and, as the items are, can be pickled. At most `in_flight` items are taken before their
    results have been; by default four for each thread of the workers. What the function raises is raised here.

    Functions, items and results travel as pickles: a scheduler can run what it likes here and on the workers, and
    `tcp://` is not encrypted. `tls://` takes its certificates from the configuration of Dask.

    Raises InputError when Dask is not installed, the scheduler cannot be reached, has no workers, loses those that
    it has again and again, or these have other versions.
    """
    distributed = _distributed()
    # The size of an item is the caller's business.
    with _connected(distributed, address) as client, _quiet_about_size():
        try:
            threads = _threads(client, address)
            yield from in_order(
                partial(client.submit, function, pure=False), items, in_flight or IN_FLIGHT * threads
            )
        except distributed.scheduler.KilledWorker:
            hint = "look into the logs of the workers; they may need more memory"
            raise fail(address, "a task has ended every worker that tried it", hint) from None
        except (distributed.client.FutureCancelledError, distributed.comm.CommClosedError):
            raise fail(address, "the connection to the scheduler was lost", "run the command again") from None


def in_order(submit: Callable[[T], Any], items: Iterable[T], in_flight: int) -> Generator[Any, None, None]:
    """The results of the futures that `submit` makes of the items, in order, never more than `in_flight` at once.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor() as pool:
    ...     list(in_order(partial(pool.submit, abs), [-1, 2, -3], in_flight=2))
    [1, 2, 3]
    """
    coming = iter(items)
    waiting = deque(map(submit, islice(coming, in_flight)))
    try:
        while waiting:
            # It leaves the queue before the next one is made, and with it the memory of its result.
            result = waiting.popleft().result()
            waiting.extend(map(submit, islice(coming, 1)))
            yield result
            del result
    finally:
        for future in waiting:
            future.cancel()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise fail("--scheduler", "Dask is not installed", 'pip install "xl-conversion[cluster]"') from None
    return distributed


def _connected(distributed: Any, address: str) -> Any:
    # Looked at before a client is made: one that fails for these reasons cannot be closed.
    if not _ADDRESS.fullmatch(address):
        raise fail(address, "it is not the address of a scheduler", "give it as tcp://host:port")
    if address.startswith("tls:") and not distributed.Security().get_connection_args("client").get("ssl_context"):
        raise fail(address, "Dask has no certificates", "set distributed.comm.tls in the configuration of Dask")
    try:
        with warnings.catch_warnings():  # versions are compared below, with words of our own
            warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
            return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError:
        rule = f"no Dask scheduler answers within {PATIENCE} seconds"
        raise fail(address, rule, "start one with dask scheduler, and workers with dask worker") from None


def _threads(client: Any, address: str) -> int:
    """How many threads the workers have together; InputError unless there are some, and all have what we have."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise fail(address, "the scheduler has no workers", f"start some with dask worker {address}") from None
    versions = client.get_versions(packages=["xl_conversion"])
    ours = versions["client"]["packages"]
    problems = [
        problem
        for worker, theirs in sorted(versions["workers"].items())
        for problem in different(worker, ours, theirs["packages"])
    ]
    if problems:
        raise InputError([one for problem in problems for one in problem.problems])
    threads: int = sum(client.nthreads().values())
    return max(1, threads)


def different(worker: str, ours: Mapping[str, str | None], theirs: Mapping[str, str | None]) -> list[InputError]:
    """What a worker has another version of, or has not."""
    found = []
    for name in _SAME:
        here, there = _version(name, ours.get(name)), _version(name, theirs.get(name))
        package = name.replace("_", "-")
        if there is None:
            hint = f'pip install "{package}=={here}" where the worker runs'
            found.append(fail(worker, f"{package} is not installed on this worker", hint))
        elif there != here:
            rule = f"this worker has {package} {there}; here it is {here}"
            found.append(fail(worker, rule, "they must be the same"))
    return found


def _version(name: str, version: str | None) -> str | None:
    return ".".join(version.split(".")[:2]) if name == "python" and version else version


def _quiet_about_size() -> Any:
    import dask

    return dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
