"""How a record class says what the columns of its table are.

Each field that is a column has :func:`column` as its metadata, and beside its type what makes a value of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, by what a field of a record says of it."""

    alias: str
    """What it is called in a table: as the field, but for a word that Python keeps for itself."""
    description: str
    type: Any
    """Of its values."""
    parsers: tuple[Callable[[Any], Any], ...]
    """What makes the value of a text, one after the other."""
    default: Any
    """The value of a blank cell; MISSING where there must be one."""

    def is_required(self) -> bool:
        """Whether every table has it, and no cell of it is blank."""
        return self.default is MISSING

    def read(self, text: str) -> Any:
        """The value of a cell.

        Raises Unfit with the rule that it breaks.
        """
        value: Any = text
        for parse in self.parsers:
            value = parse(value)
        return value


def column(description: str, *, alias: str = "") -> Mapping[str, str]:
    """The metadata of a field that is a column."""
    return {"description": description, "alias": alias}


class Columns:
    """The columns of a record class, by the names of its fields and in their order."""

    def __get__(self, record: object, of: type) -> Mapping[str, Column]:
        return _columns_of(of)


@cache
def _columns_of(record: type[Any]) -> Mapping[str, Column]:
    hints = get_type_hints(record, include_extras=True)
    found = {}
    for one in fields(record):
        if "description" in one.metadata:
            hint = hints[one.name]
            kind, *parsers = get_args(hint) if get_origin(hint) is Annotated else (hint,)
            alias, description = one.metadata["alias"] or one.name, one.metadata["description"]
            found[one.name] = Column(alias, description, kind, tuple(parsers), one.default)
    return found
