"""Fixtures on top of LibreOffice and the validator: load with `pytest_plugins = ["support.fixtures"]`.

Where a tool is missing, the tests that need it are skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.office import Office, find_soffice
from support.ooxml import Finding, find_validator, validate


def need(find: Callable[[], Path]) -> Path:
    """What `find` finds; where it raises LookupError the test is skipped, but fails in CI."""
    try:
        return find()
    except LookupError as reason:
        if os.environ.get("CI"):
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def soffice() -> Path:
    return need(find_soffice)


@pytest.fixture(scope="session")
def office(soffice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """LibreOffice without any add-in, started once."""
    with Office(tmp_path_factory.mktemp("office"), soffice=soffice) as plain:
        yield plain


@pytest.fixture(scope="session")
def validator() -> Callable[[Path], list[Finding]]:
    """Microsoft's validator: what it finds wrong with a file."""
    need(find_validator)
    return validate
