"""What the project says of itself: the README is true, the code is clean, the layout is as fixed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from xl_conversion.functions.pages import function_table
from xl_conversion.inputs.pages import kinds_table
from xl_conversion.inputs.records import RECORDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _between(name: str) -> str:
    return README.split(f"<!-- {name}: begin -->\n")[1].split(f"\n<!-- {name}: end -->")[0]


def tables_of_readme(text: str) -> dict[str, tuple[set[str], set[str]]]:
    """The required and the further columns of each table, as a README's table of inputs tells them."""
    found = {}
    for name, required, further in re.findall(
        r"^\| `(\w+)` \| [^|`]* \| ([^|]*`[^|]*) \| ([^|]*) \|$", text, re.M
    ):
        found[name] = (set(re.findall(r"`(\w+)`", required)), set(re.findall(r"`(\w+)`", further)))
    return found


def test_function_table_is_the_catalogues() -> None:
    assert _between("functions") == function_table()


def test_kinds_of_events_are_the_inputs() -> None:
    assert _between("kinds") == kinds_table()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.table)
def test_columns_of_an_input_are_all_told(record: type) -> None:
    told = tables_of_readme(README)[record.table]  # type: ignore[attr-defined]
    fields = record.model_fields.items()  # type: ignore[attr-defined]
    columns = {field.alias or name: field.is_required() for name, field in fields if name != "note"}
    required, further = told
    assert required == {name for name, needed in columns.items() if needed}
    assert further <= set(columns) - required
    if record.table != "events":  # type: ignore[attr-defined]
        assert further == set(columns) - required


def test_the_worked_example_is_true() -> None:
    example = README.split("<!-- example -->\n```console\n")[1].split("```")[0]
    calls = re.findall(r"^\$ xl-conversion (.*)\n(.*)$", example, re.M)
    assert len(calls) == 4
    for command, printed in calls:
        done = _run(*command.split())
        assert (done.stdout, done.returncode) == (printed + "\n", 0)


def test_commands_of_the_readme_run(tmp_path: Path) -> None:
    block = README.split("xl-conversion history` replays")[1].split("```console\n")[1].split("```")[0]
    for line in block.splitlines():
        command = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', line.removeprefix("$ xl-conversion "))]
        done = _run(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_pictures_of_the_readme_are_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_nothing_at_the_top_but_what_belongs_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    code = {"pyproject.toml", "xl_conversion", "workbooks", "tests", "README.md"}
    assert visible == code | {"LICENSE", "requirements.lock"}


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=lambda c: " ".join(c[:2]),
)
def test_code_is_clean(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from xl_conversion.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False)
