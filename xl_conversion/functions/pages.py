"""The catalogue as text for people: the README's table, CP_HELP, help pages, and what IntelliSense shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xl_conversion.functions.boundary import Cell, Range, is_blank, show
from xl_conversion.functions.catalogue import CATALOGUE
from xl_conversion.functions.definition import Argument, Function, Kind
from xl_conversion.functions.evaluate import evaluate
from xl_conversion.functions.tabular import ENUMERATIONS
from xl_conversion.functions.typed import argument_of

GALLERY = "function-gallery.xlsx"
"""The workbook with a sheet for each function, named like it; in the folder above that of the help pages."""
INDEX = "README.md"


def function_table() -> str:
    """The worksheet functions as a Markdown table, which the README holds, with links to the help pages.

    >>> print(function_table().splitlines()[2])
    | [CP_WEIGHTED_AVERAGE](workbooks/functions/CP_WEIGHTED_AVERAGE.md) | Conversion price after an issuance \
below it, by the weighted average formula. At or above the price nothing moves. | \
`=CP_WEIGHTED_AVERAGE(6.41,33831184,8187842.70,81728433,1411724,2)` | 2 |
    """
    rows = [
        [
            f"[{one.name}](workbooks/functions/{page_name(one)})",
            one.summary,
            f"`{_short_example(one)}`",
            "a table" if one.spills else one.example_result,
        ]
        for one in CATALOGUE
    ]
    return _table(["function", "gives", "example", "result"], rows)


def _short_example(function: Function) -> str:
    """The example with the names of its tables in their place."""
    given = zip(function.arguments, function.example, strict=False)
    typed = ",".join(a.name if a.kind is Kind.TABLE else text for a, text in given)
    return f"={function.name}({typed})"


def help_lines(function: Function) -> list[tuple[str, str]]:
    """What there is to know of a function, as pairs of what it is and a text."""
    lines = [("function", function.signature), ("gives", function.summary), ("returns", function.returns)]
    lines += [("unit", function.unit)]
    lines += [(f"{a.name} ({a.unit})", f"{a.help} Rule: {a.rule}.") for a in function.arguments]
    lines += [("error", error) for error in function.errors]
    lines += [("remarks", function.remarks), ("source", function.source)]
    lines += [
        ("example", function.example_formula),
        ("result", function.example_result),
        ("since", function.since),
    ]
    return [(what, text) for what, text in lines if text]


def help_pages() -> dict[str, str]:
    """The help pages by the name of their file: one a function, and the index."""
    return {INDEX: _index(), **{page_name(function): help_page(function) for function in CATALOGUE}}


def page_name(function: Function) -> str:
    """The file of a function's help page."""
    return f"{function.name}.md"


def help_page(function: Function) -> str:
    """All that is known of a function, as a page of Markdown."""
    parts = [
        f"# {function.name}",
        function.summary,
        "## Syntax",
        _code(f"={function.signature}"),
        "## Arguments",
        _arguments(function),
        "## Returns",
        f"{_sentence(function.returns)} Unit: {function.unit}.",
        *(["## Remarks", function.remarks] if function.remarks else []),
        *(["## Errors", _list(function.errors)] if function.errors else []),
        "## Example",
        _code(function.example_formula),
        _example_tables(function),
        _result(function),
        "## More",
        _more(function),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def intellisense_rows() -> list[list[str]]:
    """The rows of the sheet ``_IntelliSense_`` that Excel-DNA's IntelliSense reads, from its first cell on.

    Each row after the first is a function: name, description, help topic (none), then the name and the
    description of each argument. Optional ones are in brackets, as Excel shows its own.

    >>> rows = intellisense_rows()
    >>> rows[0], rows[2][0], rows[2][3:5]
    (['FunctionInfo', '1.0'], 'CP_FULL_RATCHET', ['conversion_price', 'Conversion price before the event.'])
    """
    rows = [["FunctionInfo", "1.0"]]
    for function in CATALOGUE:
        arguments = [
            text for a in function.arguments for text in (f"[{a.name}]" if a.optional else a.name, a.help)
        ]
        rows.append([function.name, function.summary, "", *arguments])
    return rows


def default_words(argument: Argument) -> str:
    """Whether an argument is required, and what applies where it is left out.

    >>> [default_words(a) for a in CATALOGUE[0].arguments[3:6]]
    ['required', '0', 'unrounded']
    """
    return "required" if argument.default is None else argument.default or "none"


def _index() -> str:
    rows = [[f"[{one.name}]({page_name(one)})", one.summary, one.unit, one.since] for one in CATALOGUE]
    return "\n\n".join(
        [
            "# Worksheet functions",
            "In Excel on Windows and LibreOffice Calc under the same names; each has a page here and a sheet in "
            f"[{GALLERY}](../{GALLERY}).",
            _table(["function", "gives", "unit", "since"], rows),
            "These pages are made from the catalogue of the functions by `python workbooks/build.py`.\n",
        ]
    )


def _arguments(function: Function) -> str:
    if not function.arguments:
        return "None."
    rows = [
        [f"`{a.name}`", a.unit, default_words(a), _sentence(a.rule), a.help, ", ".join(_choices(a))]
        for a in function.arguments
    ]
    return _table(["argument", "unit", "left out", "rule", "help", "words"], rows)


def _choices(argument: Argument) -> Iterable[str]:
    words = ENUMERATIONS["rounding_type"] if argument.kind is Kind.ROUNDING_TYPE else argument.choices
    return (f"`{word}`" for word in words)


def _example_tables(function: Function) -> str:
    """The array constants of the example as the tables that they stand for."""
    parts = []
    for argument, text in zip(function.arguments, function.example, strict=False):
        cells = argument_of(text)
        if argument.kind is Kind.TABLE and isinstance(cells, Sequence) and not isinstance(cells, str):
            parts += [f"Here `{argument.name}` is this table, in a sheet a range:", _cells(cells)]
    return "\n\n".join(parts)


def _result(function: Function) -> str:
    if not function.spills:
        return f"gives **{function.example_result}**"
    result = evaluate(function, [argument_of(text) for text in function.example])
    if not isinstance(result, list):
        raise ValueError(f"the example of {function.name}: {result}")
    if len(result[0]) == 1:
        return "gives\n\n" + _table(["word"], [[_shown(cell) for cell in row] for row in result])
    return f"gives\n\n{_cells(result)}"


def _more(function: Function) -> str:
    source = [f"Source: {function.source}."] if function.source else []
    gallery = f"Example sheet: `{function.name}` in [{GALLERY}](../{GALLERY})."
    return _list([*source, gallery, f"Since version {function.since}.", f"[All functions]({INDEX})"])


def _cells(rows: Range) -> str:
    header, *others = [[_shown(cell) for cell in row] for row in rows]
    return _table(header, others)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_inside(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _inside(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _shown(cell: Cell) -> str:
    """A cell in full: for a message its text would be cut."""
    return "" if is_blank(cell) else cell if isinstance(cell, str) else show(cell)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _code(text: str) -> str:
    return f"```\n{text}\n```"
