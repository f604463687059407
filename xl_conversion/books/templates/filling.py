"""What the input cells of a template hold: by name for single cells, by header for the rows of a table.

One record serves three: a model is built from it, a refresh reads it out of an existing workbook, and the
difference between two of them is what the refresh changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeAlias

Content: TypeAlias = Fraction | float | str | date | None
"""Of an input cell; None is a blank one. A float is what a cell of a workbook held."""
Row: TypeAlias = Mapping[str, Content]
"""A row of a table, by header."""


@dataclass(frozen=True, slots=True)
class Given:
    """The content of one input cell, and the source beside it."""

    value: Content
    source: str = ""


@dataclass(frozen=True, slots=True)
class Filling:
    """All input cells of a template."""

    scalars: Mapping[str, Given] = field(default_factory=dict)
    """By defined name, such as ``in_conversion_price``."""
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """By defined name, such as ``in_securities``."""
    digest: str = ""
    """SHA-256 of the input it comes from."""

    def given(self, name: str) -> Given:
        """What a single cell holds; a blank one where nothing is given."""
        return self.scalars.get(name, Given(None))
