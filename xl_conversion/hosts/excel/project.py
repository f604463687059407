"""A VBA project as Excel reads it ([MS-OVBA]): sources only, which Excel compiles when it opens them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pyopenvba.cfb import CFB  # type: ignore[import-untyped]
from pyopenvba.vba import compress, parse_project_stream, parse_vba_project  # type: ignore[import-untyped]

PROJECT_NAME: Final = "xl_conversion"
"""Of the VBA project, and the one by which xlwings' VBA looks for its settings: on a sheet and in files."""

WORKBOOK_CODE_NAME: Final = "ThisWorkbook"
MODULE: Final = "xlwings_udfs"
"""The module of the worksheet functions."""
CARRIED: Final = "xlwings"
"""The module that reaches Python."""
MARK: Final = "' Made by xl-conversion excel build: a change is lost when it is made or imported again."
"""A line of the module of the worksheet functions, by which it is known."""

_CODE_PAGE = "cp1252"
_BASES = {True: "00020819", False: "00020820"}  # Excel's classes of workbooks and of worksheets
_HOST = "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000"


class Kind(Enum):
    """What a module is, as the PROJECT stream says it."""

    DOCUMENT = "Document"
    STANDARD = "Module"
    CLASS = "Class"


@dataclass(frozen=True, slots=True)
class Module:
    """A module and its source, the attributes at its head included."""

    name: str
    kind: Kind
    source: str
    description: str = ""


def document(code_name: str) -> Module:
    """The module without code that a workbook and each of its sheets must have."""
    base = _BASES[code_name == WORKBOOK_CODE_NAME]
    lines = (
        f'Attribute VB_Name = "{code_name}"',
        f'Attribute VB_Base = "0{{{base}-0000-0000-C000-000000000046}}"',
        "Attribute VB_GlobalNameSpace = False",
        "Attribute VB_Creatable = False",
        "Attribute VB_PredeclaredId = True",
        "Attribute VB_Exposed = True",
        "Attribute VB_TemplateDerived = False",
        "Attribute VB_Customizable = True",
    )
    return Module(code_name, Kind.DOCUMENT, "".join(f"{line}\r\n" for line in lines))


def modules_of(project: bytes) -> list[Module]:
    """The modules of a vbaProject.bin."""
    container = CFB.from_bytes(project)
    said = parse_project_stream(container.get_stream("PROJECT"))
    kinds = dict.fromkeys(said.class_modules, Kind.CLASS) | dict.fromkeys(said.standard_modules, Kind.STANDARD)
    return [
        Module(found.name, kinds.get(found.name, Kind.DOCUMENT), found.source, found.doc_string)
        for found in parse_vba_project(container).modules
    ]


def project_bytes(template: bytes, modules: Sequence[Module]) -> bytes:
    """The vbaProject.bin of `modules`, in place of those of the project `template`.

    The project refers to no library: VBA's own and Excel's are always there, and one that is missing on a machine
    would stop everything.
    """
    container = CFB.from_bytes(template)
    said = parse_project_stream(container.get_stream("PROJECT"))
    for storage in container.list_storages_at():
        if storage != "VBA":
            container.remove_storage_at((), storage)
    for stream in container.list_streams_at():
        container.remove_stream(stream)
    container.drop_streams_in_storage("VBA", lambda _: True)
    streams = {
        # 2.3.4.1: a version of 0xFFFF says that no compiled code follows, and none is in the modules.
        "_VBA_PROJECT": struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0),
        "dir": compress(b"".join(_directory(modules))),
        **{module.name: compress(module.source.encode(_CODE_PAGE)) for module in modules},
    }
    for name, content in streams.items():
        container.add_stream_at(("VBA",), name, content)
    names = b"".join(
        module.name.encode(_CODE_PAGE) + b"\0" + module.name.encode("utf-16-le") + b"\0\0" for module in modules
    )
    lines = [
        f'ID="{said.id}"',  # CMG, DPB and GC (no protection) are enciphered with it
        *map(_item, modules),
        f'Name="{PROJECT_NAME}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{said.protection.cmg}"',
        f'DPB="{said.protection.dpb}"',
        f'GC="{said.protection.gc}"',
        "",
        "[Host Extender Info]",
        _HOST,
    ]
    container.add_stream_at((), "PROJECT", "".join(f"{line}\r\n" for line in lines).encode(_CODE_PAGE))
    container.add_stream_at((), "PROJECTwm", names + b"\0\0")
    return _all_black(container.to_bytes())


def _item(module: Module) -> str:
    return f"{module.kind.value}={module.name}" + ("/&H00000000" if module.kind is Kind.DOCUMENT else "")


def _directory(modules: Sequence[Module]) -> Iterator[bytes]:
    """The records of the dir stream, 2.3.4.2."""
    yield _record(0x01, struct.pack("<I", 3))  # PROJECTSYSKIND: 64-bit Windows
    yield _record(0x02, struct.pack("<I", 0x409))  # PROJECTLCID
    yield _record(0x14, struct.pack("<I", 0x409))  # PROJECTLCIDINVOKE
    yield _record(0x03, struct.pack("<H", 1252))  # PROJECTCODEPAGE
    yield _record(0x04, PROJECT_NAME.encode(_CODE_PAGE))  # PROJECTNAME
    yield from _both(0x05, 0x40, "")  # PROJECTDOCSTRING
    yield _record(0x06, b"") + _record(0x3D, b"")  # PROJECTHELPFILEPATH
    yield _record(0x07, struct.pack("<I", 0))  # PROJECTHELPCONTEXT
    yield _record(0x08, struct.pack("<I", 0))  # PROJECTLIBFLAGS
    yield struct.pack("<HIIH", 0x09, 4, 1, 0)  # PROJECTVERSION: its size leaves out the minor version
    yield from _both(0x0C, 0x3C, "")  # PROJECTCONSTANTS
    yield _record(0x0F, struct.pack("<H", len(modules)))  # PROJECTMODULES
    yield _record(0x13, struct.pack("<H", 0xFFFF))  # PROJECTCOOKIE
    for module in modules:
        yield from _both(0x19, 0x47, module.name)  # MODULENAME
        yield from _both(0x1A, 0x32, module.name)  # MODULESTREAMNAME
        yield from _both(0x1C, 0x48, module.description)  # MODULEDOCSTRING
        yield _record(0x31, struct.pack("<I", 0))  # MODULEOFFSET: the source begins at once
        yield _record(0x1E, struct.pack("<I", 0))  # MODULEHELPCONTEXT
        yield _record(0x2C, struct.pack("<H", 0xFFFF))  # MODULECOOKIE
        yield _record(0x21 if module.kind is Kind.STANDARD else 0x22, b"")  # MODULETYPE
        yield _record(0x2B, b"")  # end of the module
    yield _record(0x10, b"")  # end of the stream


def _record(number: int, content: bytes) -> bytes:
    return struct.pack("<HI", number, len(content)) + content


def _both(number: int, unicode_number: int, text: str) -> Iterator[bytes]:
    yield _record(number, text.encode(_CODE_PAGE))
    yield _record(unicode_number, text.encode("utf-16-le"))


def _all_black(container: bytes) -> bytes:
    """The container with all names in black: the library leaves red ones together, against [MS-CFB] 2.6.4."""
    done = bytearray(container)
    # The library writes the names in one piece, and the table of small sectors after them.
    names, small = (512 * (struct.unpack_from("<I", done, at)[0] + 1) for at in (48, 60))
    for entry in range(names, small, 128):
        if done[entry + 66]:  # in use
            done[entry + 67] = 1
    return bytes(done)
