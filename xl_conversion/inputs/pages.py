"""The tables of an input as text for people."""

from __future__ import annotations

import re

from xl_conversion.inputs.events import FORMS, KINDS
from xl_conversion.inputs.records import RECORDS, EventRecord


def kinds_table() -> str:
    """The kinds of events as a Markdown table, which the README holds."""
    rows = [
        f"| `{name}` | {_columns(kind.required)} | {_columns(kind.optional, FORMS.get(name, ()))} |"
        for name, kind in KINDS.items()
    ]
    return "\n".join(["| kind of event | needs | may have |", "|---|---|---|", *rows])


def tables_text(name: str | None = None) -> str:
    """The tables of an input with their columns, or one of them; empty where there is none of that name."""
    told = []
    for record in RECORDS:
        if name not in (None, record.table):
            continue
        fields = {field.alias or column: field for column, field in record.model_fields.items()}
        required = [column for column, field in fields.items() if field.is_required()]
        further = [column for column, field in fields.items() if not field.is_required()]
        summary = " ".join((record.__doc__ or "").partition("\n\n")[0].split())
        summary = re.sub(r", as :class:`[^`]*`|:(?:class|data):`[^`]*\.(\w+)`|`(\w+)`", r"\1\2", summary)
        told.append(
            f"{record.table}: {summary}\n  required: {', '.join(required)}\n  further: {', '.join(further)}"
        )
        if record is EventRecord and name:
            told += [
                f"  {kind}: needs {', '.join(one.required) or 'nothing more'}"
                + (f"; may have {', '.join(one.optional)}" if one.optional else "")
                for kind, one in KINDS.items()
            ]
    return "\n".join(told)


def _columns(names: tuple[str, ...], forms: tuple[str, ...] = ()) -> str:
    told = [f"`{name}` ({', '.join(forms)})" if name == "form" and forms else f"`{name}`" for name in names]
    return ", ".join(told)
