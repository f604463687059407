"""What every test gets: the hypothesis profile and the fixtures of `support`."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["support.fixtures", "support.calc"]

# Timing differs between machines, so no deadline; the number of examples keeps the suite quick.
settings.register_profile("suite", max_examples=30, deadline=None, print_blob=True)
settings.load_profile("suite")
