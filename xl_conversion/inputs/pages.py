"""The tables of an input as text for people."""

from __future__ import annotations

from xl_conversion.inputs.events import FORMS, KINDS


def kinds_table() -> str:
    """The kinds of events as a Markdown table, which the README holds."""
    rows = [
        f"| `{name}` | {_columns(kind.required)} | {_columns(kind.optional, FORMS.get(name, ()))} |"
        for name, kind in KINDS.items()
    ]
    return "\n".join(["| kind of event | needs | may have |", "|---|---|---|", *rows])


def _columns(names: tuple[str, ...], forms: tuple[str, ...] = ()) -> str:
    told = [f"`{name}` ({', '.join(forms)})" if name == "form" and forms else f"`{name}`" for name in names]
    return ", ".join(told)
