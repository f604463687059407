"""Who is told how far long work has come."""

from __future__ import annotations


class Observer:
    """Is told how far an export has come; does nothing with it."""

    def begin(self, unit: str, total: int) -> None:
        """So many of `unit` are to be done from now on."""

    def advance(self, count: int) -> None:
        """So many more are done."""

    def end(self) -> None:
        """Nothing more is to be done."""
