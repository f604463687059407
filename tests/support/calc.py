"""LibreOffice with the worksheet functions: the add-in as a user would install it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import Office
from xl_conversion.hosts.libreoffice.addin import write_folder


@pytest.fixture(scope="session")
def calc(soffice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """LibreOffice that knows the worksheet functions, started once."""
    work = tmp_path_factory.mktemp("calc")
    write_folder(work / "addins" / "xl_conversion.oxt")
    with Office(work, addins=work / "addins", soffice=soffice) as office:
        yield office
