"""The user's file of settings, as xlwings' VBA reads it: what is in it, and ours put in and taken out.

The file is of ours alone. Names and values that the user added are kept, after ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from xl_conversion.files import SaveError
from xl_conversion.hosts.excel.environment import Environment, is_conda

_OURS: Final = ("INTERPRETER_WIN", "CONDA PATH", "CONDA ENV")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\xef\xbb\xbf": "UTF-8 with a byte order mark"}
_ITEM = re.compile(r'[ \t]*(?:"([^"\n]*)(?:"[ \t]*|(?=\n)|\Z)(?:,|\n|(?=.)|\Z)|([^,\n]*)(?:,|\n|\Z))')


def vba_pairs(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Names and values as VBA's ``Input #file, name, value`` takes them; False if the last name has no value.

    An item ends at a comma, the end of the line or its closing quotation mark. There are no comments, and a blank
    line is an item: with an odd number of them every search for a name that is not there ends in an error.

    >>> vba_pairs('"A","x,y"\\r\\nB, z \\r\\n')
    ([('A', 'x,y'), ('B', 'z')], True)
    """
    items: list[str] = []
    text = re.sub(r"\r\n?", "\n", text)
    place = 0
    while place < len(text):
        found = _ITEM.match(text, place)
        assert found is not None  # noqa: S101  (an item may be empty)
        items.append(found[1] if found[1] is not None else found[2].strip(" \t"))
        place = found.end()
    return list(zip(items[::2], items[1::2], strict=False)), len(items) % 2 == 0


def first(pairs: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a setting, the first of that name as VBA finds it; '' if there is none."""
    return next((value for key, value in pairs if key.lower() == name.lower()), "")


def unreadable(data: bytes) -> tuple[str, str] | None:
    """Why VBA cannot read the file, and what to do about it; None if it can."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            said = f"its encoding is {encoding}; VBA reads settings in the code page of the system only"
            return said, "Open it in the editor and save it as ANSI."
    pairs, whole = vba_pairs(data.decode("latin-1"))
    if whole:
        return None
    return (
        f"VBA reads it in pairs, and one of {2 * len(pairs) + 1} items is left over",
        'Each line must be "NAME","VALUE". A comment or a blank line is an item too: remove it, or write '
        '"#","text".',
    )


def our_settings(env: Environment) -> dict[str, str]:
    """The Python that runs here; in an activated conda environment, what xlwings needs to activate it too."""
    prefix = env.interpreter.parent
    conda = env.variables.get("CONDA_EXE")
    if conda and is_conda(prefix):
        root = Path(conda).parent.parent
        known = prefix.parent == root / "envs"
        name = "base" if prefix == root else prefix.name if known else str(prefix)
        if " " not in name:  # xlwings writes it into the command without quotation marks
            return {"INTERPRETER_WIN": "python", "CONDA PATH": str(root), "CONDA ENV": name}
    return {"INTERPRETER_WIN": str(env.interpreter)}


def with_ours(env: Environment, before: bytes, settings: Mapping[str, str]) -> bytes:
    """The file with `settings` at its top and all others after them; SaveError if it cannot hold one."""
    return b"".join(_encoded(env, name, value) for name, value in settings.items()) + _written(_others(before))


def without_ours(data: bytes) -> bytes:
    """The file without our settings, to the letter where there are none."""
    pairs = _others(data)
    return data if len(pairs) == len(_pairs(data)) else _written(pairs)


def _pairs(data: bytes) -> list[tuple[str, str]]:
    # Whatever the code page, the bytes that divide it are the same, and those between them are only moved.
    return vba_pairs(data.decode("latin-1"))[0]


def _others(data: bytes) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _pairs(data) if name.upper() not in _OURS]


def _written(pairs: Sequence[tuple[str, str]]) -> bytes:
    # VBA takes no LF alone for the end of a line. What has a quotation mark in it can only stand without them.
    items = ([item if '"' in item else f'"{item}"' for item in pair] for pair in pairs)
    return "".join(f"{name},{value}\r\n" for name, value in items).encode("latin-1")


def _encoded(env: Environment, name: str, value: str) -> bytes:
    hint = "Install xl-conversion in a virtual environment whose path has plain letters."
    if re.search('["\r\n]', value):
        reason = "which has a quotation mark or the end of a line in it"
    elif env.expanded(value) != value:
        reason = f"in which Excel would put the value of a variable, and look for {printable(env.expanded(value))}"
    else:
        try:
            return f'"{name}","{value}"\r\n'.encode(env.encoding)
        except UnicodeEncodeError:
            reason = "which has characters that are not in the code page of this system, in which VBA reads it"
    raise SaveError(f"{name} is {printable(value)}, {reason}", hint)


def printable(text: str) -> str:
    """The text on one line, whatever characters are in it."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
