"""The user's file of settings, as xlwings' VBA reads it: what is in it, and our lines put in and taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from xl_conversion.files import SaveError
from xl_conversion.hosts.excel.environment import UDFS, Environment, is_conda

BOM: Final = b"\xef\xbb\xbf"
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that VBA cannot read."""

_MARK = "XL_CONVERSION"
# Pairs like all the others, since VBA has no comments. The first one also takes in a byte order mark, which VBA
# reads as part of the first name.
_BEGIN, _BEGIN_NEW, _END = "begin", "begin of a new file", "end"
_BLOCK = re.compile(rb'"%s","(begin[^"\r\n]*)"\r?\n(.*?)"%s","end"(?:\r?\n|\Z)' % ((_MARK.encode(),) * 2), re.S)
_OURS = re.compile(rb'"(?:INTERPRETER_WIN|CONDA PATH|CONDA ENV|ADD_WORKBOOK_TO_PYTHONPATH|UDF MODULES)",')
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


def our_settings(env: Environment, before: bytes | None, path: Path) -> dict[str, str]:
    """What the file must say; SaveError if VBA cannot read the one that is there."""
    if before is not None and before.startswith(UTF_16):
        raise SaveError(
            f"{path}: its encoding is UTF-16; VBA reads settings in the code page of the system only",
            "Open it in the editor and save it as ANSI.",
        )
    pairs, whole = vba_pairs(without_ours(before or b"").removeprefix(BOM).decode(env.encoding, "replace"))
    if not whole:
        raise SaveError(
            f"{path}: VBA reads it in pairs, and one of {2 * len(pairs) + 1} items is left over",
            'Each line must be "NAME","VALUE". A comment or a blank line is an item too: remove it, or write '
            '"#","text".',
        )
    modules = [part.strip() for part in first(pairs, "UDF MODULES").split(";")]
    modules = [module for module in modules if module and module != UDFS]
    return {
        **_python_settings(env),
        # These two are on the sheets of settings as well; here they serve workbooks that lost theirs.
        "ADD_WORKBOOK_TO_PYTHONPATH": "False",  # nothing of a workbook's folder, which OneDrive may show as https
        "UDF MODULES": ";".join([*modules, UDFS]),
    }


def with_ours(env: Environment, before: bytes | None, settings: Mapping[str, str]) -> bytes:
    """The file with `settings` at its top; every other byte stays.

    At the top, because VBA takes the first line of a name: what the user set stays in the file, and is in force
    again as soon as our lines go.
    """
    made = _BLOCK.search(before or b"")
    new = before is None or (made is not None and made[1].decode() == _BEGIN_NEW)
    lines = [(_MARK, _BEGIN_NEW if new else _BEGIN), *settings.items(), (_MARK, _END)]
    block = b"".join(_line(env, name, value) for name, value in lines)
    rest = without_ours(before or b"")
    mark = BOM if rest.startswith(BOM) else b""
    return mark + block + rest.removeprefix(BOM)


def without_ours(data: bytes) -> bytes:
    """The file without our lines; a line that the user wrote among them is kept."""

    def kept(block: re.Match[bytes]) -> bytes:
        return b"".join(line for line in block[2].splitlines(keepends=True) if not _OURS.match(line))

    return _BLOCK.sub(kept, data, count=1)


def remainder(data: bytes) -> bytes | None:
    """What is left once our lines are gone; None where the file was ours and has nothing else."""
    block = _BLOCK.search(data)
    rest = without_ours(data)
    return None if block and block[1].decode() == _BEGIN_NEW and rest in (b"", BOM) else rest


def _python_settings(env: Environment) -> dict[str, str]:
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


def _line(env: Environment, name: str, value: str) -> bytes:
    try:
        return f'"{name}","{value}"\r\n'.encode(env.encoding)  # VBA takes no LF alone for the end of a line
    except UnicodeEncodeError:
        raise SaveError(
            f"{name} is {printable(value)}, which has characters that are not in the code page of this system, in "
            "which VBA reads it",
            "Install xl-conversion in a virtual environment whose path has plain letters.",
        ) from None


def printable(text: str) -> str:
    """The text on one line, whatever characters are in it."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
