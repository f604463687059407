"""What was prepared for some numbers of rows, kept for the next workbook that has as many."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

MOST_CELLS = 50_000
"""What is kept of one sheet: some 10 MB. A sheet with more is prepared each time."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Prepared things by key, forgotten from the oldest on when they are too large together; threads may share it.

    >>> kept = Kept(most=10)
    >>> kept.keep("a", "first", 6); kept.keep("b", "second", 4); kept.keep("c", "third", 5)
    >>> kept.of("a"), kept.of("b"), kept.of("c")
    (None, 'second', 'third')
    """

    def __init__(self, most: int = MOST_CELLS) -> None:
        self._most = most
        self._kept: dict[K, tuple[V, int]] = {}
        self._size = 0
        self._lock = Lock()

    def of(self, key: K) -> V | None:
        """What is kept for `key`."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Keep what was prepared for `key`; `size` is about the cells that it has."""
        size = max(1, size)
        if size > self._most:
            return
        with self._lock:
            if key in self._kept:
                return  # another thread was faster
            self._kept[key] = value, size
            self._size += size
            while self._size > self._most:
                self._size -= self._kept.pop(next(iter(self._kept)))[1]
