"""The command line in the tests' own process, as typed: load with `pytest_plugins = ["support.commands"]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from xl_conversion import cli


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def errors(self) -> list[str]:
        """The messages on stderr, each one line, and its hint."""
        assert all(line.isprintable() for line in self.err.splitlines())
        return self.err.splitlines()


Run = Callable[..., Outcome]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The whole command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("XL_CONVERSION_TRACEBACK", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["xl-conversion", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, out, err)

    return call
