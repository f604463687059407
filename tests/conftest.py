"""What every test gets: the hypothesis profile and the fixtures of `support`."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

import xl_conversion  # noqa: F401 - before anything imports openpyxl, whose bytes depend on it

collect_ignore = ["benchmarks"]  # scripts; one of them puts other modules in the place of the process's own
pytest_plugins = ["support.fixtures", "support.calc", "support.commands"]

# Timing differs between machines, so no deadline; the number of examples keeps the suite quick.
settings.register_profile("suite", max_examples=30, deadline=None, print_blob=True)
settings.load_profile("suite")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """In CI a test that is skipped has failed: what it needs was to be installed."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
