"""The tables of an input as text for people."""

from __future__ import annotations

import re
import textwrap

from xl_conversion.inputs.columns import Column
from xl_conversion.inputs.events import FORMS, KINDS
from xl_conversion.inputs.records import RECORDS, EventRecord, Record
from xl_conversion.inputs.words import words_of

WIDTH = 96


def kinds_table() -> str:
    """The kinds of events as a Markdown table, which the README holds."""
    rows = [
        f"| `{name}` | {_columns(kind.required)} | {_columns(kind.optional, FORMS.get(name, ()))} |"
        for name, kind in KINDS.items()
    ]
    return "\n".join(["| kind of event | needs | may have |", "|---|---|---|", *rows])


def tables_text(name: str | None = None) -> str:
    """The tables of an input in short, or every column of one; empty where there is none of that name."""
    if name is None:
        told = [f"{r.table}: {_summary(r)}\n{_wrapped(f'required: {_required(r)}', '  ')}" for r in RECORDS]
        return "\n".join([*told, "xl-conversion tables TABLE explains every column."])
    return next((_told(record) for record in RECORDS if record.table == name.lower()), "")


def _told(record: type[Record]) -> str:
    lines = [_wrapped(f"{record.table}: {_summary(record)} Columns with * are required.", "")]
    of_kinds = {column for kind in KINDS.values() for column in kind.columns} if record is EventRecord else set()
    for column in _fields(record):
        if column not in of_kinds:
            lines.append(_column(record, column))
    if record is EventRecord:
        lines.append("Further columns of each kind:")
        for kind, one in KINDS.items():
            lines.append(_wrapped(f"{kind}: {one.help}", "  "))
            lines += [_column(record, column, kind) for column in (*one.required, *one.optional)]
    if "company" not in _fields(record):
        lines.append(_wrapped("In a portfolio of several companies also company: whose row it is.", ""))
    return "\n".join(lines)


def _column(record: type[Record], column: str, kind: str = "") -> str:
    """One column: what it means, the words that it allows, and what it is where it is blank."""
    field = _fields(record)[column]
    said = KINDS[kind].told.get(column, "") if kind else ""
    text = said or field.description
    words = words_of(record, column, kind)
    if words and not (record is EventRecord and column == "kind"):
        text += ": " + ", ".join(f"{word} ({meaning})" if meaning else word for word, meaning in words.items())
    elif words:
        text += f": {', '.join(words)}"
    default = None if field.is_required() else field.default
    if kind in FORMS and column == "form":
        default = FORMS[kind][0]
    if isinstance(default, bool):
        text += f". Default: {'yes' if default else 'no'}"
    elif default:
        text += f". Default: {default}"
    required = column in KINDS[kind].required if kind else field.is_required()
    return _wrapped(f"{'*' if required else ' '} {column}: {text}.", "    " if kind else "  ")


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _fields(record: type[Record]) -> dict[str, Column]:
    """By the names of the columns, `note` last."""
    found = {field.alias: field for field in record.model_fields.values()}
    return {**{column: field for column, field in found.items() if column != "note"}, "note": found["note"]}


def _required(record: type[Record]) -> str:
    return ", ".join(column for column, field in _fields(record).items() if field.is_required())


def _summary(record: type[Record]) -> str:
    summary = " ".join((record.__doc__ or "").partition("\n\n")[0].split())
    return re.sub(r", as :class:`[^`]*`|:(?:class|data):`[^`]*\.(\w+)`|`(\w+)`", r"\1\2", summary)


def _columns(names: tuple[str, ...], forms: tuple[str, ...] = ()) -> str:
    told = [f"`{name}` ({', '.join(forms)})" if name == "form" and forms else f"`{name}`" for name in names]
    return ", ".join(told)
