"""Writes the LibreOffice Calc add-in: every worksheet function of the catalogue under its own name.

The add-in carries its own copy of what it needs of the package, so it needs nothing installed. The Python that
Calc runs must be 3.11 or newer.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import xl_conversion
from xl_conversion.files import write_atomically
from xl_conversion.functions.catalogue import CATALOGUE, Argument, Function
from xl_conversion.hosts.libreoffice import runtime
from xl_conversion.hosts.libreoffice.runtime import IMPLEMENTATION, INTERFACE, SERVICE, uno_name

IDENTIFIER = "xl_conversion.calc"
"""What LibreOffice knows the extension by: a newer version replaces the one with the same identifier."""
OLDEST = "25.2"
"""The first LibreOffice that the add-in was run in."""
CATEGORY = "Financial"
"""Of the function wizard. Calc knows its own categories only and puts any other under Add-In."""
NOT_CARRIED = frozenset(
    f"xl_conversion.{name}" for name in ("functions.arrays", "inputs.portfolio", "inputs.sheets", "inputs.sources")
)
"""The first needs numpy, which LibreOffice does not bring; without it the functions compute the same, one by one.
The others read files, which no worksheet function does."""
TIMESTAMP = (1980, 1, 1, 0, 0, 0)

ROWS = "sequence< sequence<any> >"
"""Rows of cells: the only type that can carry both one value and a range back to Calc."""

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
COMPONENT = '''"""Hands the worksheet functions to Calc."""

import sys
from pathlib import Path

# In front: an installed xl_conversion of another version must not answer in this one's place.
sys.path.insert(0, str(Path(__file__).with_name("python")))

from xl_conversion.hosts.libreoffice import runtime

g_ImplementationHelper = runtime.implementation_helper()
'''
COMPONENTS = f"""{XML}<components xmlns="http://openoffice.org/2010/uno-components">
<component loader="com.sun.star.loader.Python" uri="component.py">
<implementation name="{IMPLEMENTATION}"><service name="{SERVICE}"/></implementation>
</component>
</components>
"""
DESCRIPTION = f"""{XML}<description xmlns="http://openoffice.org/extensions/description/2006"
 xmlns:d="http://openoffice.org/extensions/description/2006"
 xmlns:l="http://libreoffice.org/extensions/description/2011">
<identifier value="{IDENTIFIER}"/>
<version value="{xl_conversion.__version__}"/>
<dependencies><l:LibreOffice-minimal-version value="{OLDEST}" d:name="LibreOffice {OLDEST}"/></dependencies>
<display-name><name lang="en">Conversion price functions (xl_conversion)</name></display-name>
</description>
"""
MEDIA_TYPES = {
    "XFunctions.idl": "application/vnd.sun.star.uno-typelibrary;type=RDB",
    "functions.components": "application/vnd.sun.star.uno-components",
    "CalcAddIns.xcu": "application/vnd.sun.star.configuration-data",
}


def files() -> dict[str, bytes]:
    """The files of the add-in by name, in order. The same catalogue gives the same bytes."""
    written = {
        "META-INF/manifest.xml": _manifest(),
        "CalcAddIns.xcu": _configuration(),
        "XFunctions.idl": _interface(),
        "component.py": COMPONENT,
        "description.xml": DESCRIPTION,
        "functions.components": COMPONENTS,
    }
    return {**{name: text.encode() for name, text in written.items()}, **dict(_carried())}


def write_folder(folder: Path) -> Path:
    """Writes the unpacked add-in to `folder`, which must be named NAME.oxt for Calc to find it.

    Calc finds it without installation when its parent is given as ``-env:BUNDLED_EXTENSIONS=file:///...``.
    """
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def oxt() -> bytes:
    """The add-in as an extension to install (Tools > Extensions, or ``unopkg add``). The same bytes every time."""
    packed = io.BytesIO()
    # Stored, not compressed: the bytes then do not depend on the version of zlib either.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files().items():
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def write_oxt(path: Path) -> Path:
    """Writes the extension to `path`."""
    write_atomically(path, oxt())
    return path


def _carried() -> Iterator[tuple[str, bytes]]:
    root = Path(xl_conversion.__file__).parent.parent
    for path in sorted(_needed(root)):
        yield f"python/{path.relative_to(root).as_posix()}", path.read_bytes()


def _needed(root: Path) -> set[Path]:
    """The files of the package that the runtime imports, and whatever these import in turn, now or later."""
    found: set[Path] = set()
    waiting = [runtime.__name__]
    while waiting:
        name = waiting.pop()
        base = root.joinpath(*name.split("."))
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        ours = name.startswith(xl_conversion.__name__) and path.is_file()  # else a library, or a name in a module
        if not ours or path in found or name in NOT_CARRIED:
            continue
        found.add(path)
        waiting.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                waiting += [imported.name for imported in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{imported.name}" for imported in node.names)]
    return found


def _manifest() -> str:
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{media_type}"/>\n'
        for name, media_type in MEDIA_TYPES.items()
    )
    namespace = "http://openoffice.org/2001/manifest"
    return f'{XML}<manifest:manifest xmlns:manifest="{namespace}">\n{entries}</manifest:manifest>\n'


def _interface() -> str:
    methods = "".join(
        f"  {ROWS} {uno_name(function.name)}({', '.join(map(_parameter, function.arguments))});\n"
        for function in CATALOGUE
    )
    *modules, name = INTERFACE.split(".")
    opened = " ".join(f"module {module} {{" for module in modules)
    return f"{opened}\ninterface {name} {{\n{methods}}};\n{'}; ' * len(modules)}\n"


def _parameter(argument: Argument) -> str:
    # Either type takes a value as well as a range. `any` may be left out, and the wizard says so.
    return f"[in] {'any' if argument.optional else ROWS} {uno_name(argument.name)}"


def _configuration() -> str:
    nodes = "".join(map(_function, CATALOGUE))
    return (
        f'{XML}<oor:component-data xmlns:oor="http://openoffice.org/2001/registry" oor:name="CalcAddIns" '
        'oor:package="org.openoffice.Office">\n'
        f"{_open('AddInInfo', new=False)}{_open(IMPLEMENTATION)}{_open('AddInFunctions', new=False)}"
        f"{nodes}</node></node></node>\n</oor:component-data>\n"
    )


def _function(function: Function) -> str:
    # CompatibilityName is the name in an .xlsx file.
    return (
        f"{_described(function.name, function.summary)}{_text('CompatibilityName', function.name)}"
        f'<prop oor:name="Category"><value>{CATEGORY}</value></prop>\n'
        f"{_open('Parameters', new=False)}{''.join(map(_argument, function.arguments))}</node></node>\n"
    )


def _argument(argument: Argument) -> str:
    return f"{_described(argument.name, argument.help)}</node>\n"


def _described(name: str, text: str) -> str:
    return f"{_open(uno_name(name))}{_text('DisplayName', name)}{_text('Description', text)}"


def _open(name: str, *, new: bool = True) -> str:
    operation = ' oor:op="replace"' if new else ""
    return f"<node oor:name={quoteattr(name)}{operation}>\n"


def _text(name: str, text: str) -> str:
    return f'<prop oor:name="{name}"><value xml:lang="en-US">{escape(text)}</value></prop>\n'
