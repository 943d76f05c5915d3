"""The reference of expressions: every function with examples, each evaluated as it is written."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

from aima.dsl.expression import ExpressionError, parse
from aima.dsl.expression.functions import FUNCTIONS
from aima.dsl.expression.limits import MAX_CHARACTERS, MAX_STEPS
from aima.dsl.expression.macros import MACRO_BODIES
from aima.gateway.reference.pages import table

_ROOTS = {
    "input": "what the run was given",
    "config": "the document's `config`, with what the run overrides",
    "steps": "the outputs of steps, by id",
    "run": "the run: `id`, `name`, `status`, `attempt`, `started_at`",
    "secrets": "references to secrets; no operator works on them",
    "event": "the event, in conditions and inputs of triggers and waits",
    "error": "the error, in handlers and in the document's `on_failure`",
}

_DATA: dict[str, Any] = {
    "input": {"name": "Ada", "tags": ["x", "y"], "odd key": 1},
    "steps": {"count": {"n": 3}},
}

_SYNTAX = (
    ("a path", "steps.count.n + 1"),
    ("a place in a list", "input.tags[0]"),
    ("a key that is no name", "input['odd key']"),
    ("whether something is there", "has(input.nickname)"),
    ("a value that may be missing", "input.?nickname.orValue(input.name)"),
    ("a place that may be missing", "input.tags[?9].orValue('none')"),
    ("whole numbers: `/` drops the rest", "7 / 2"),
    ("doubles; never mixed with whole numbers", "double(7) / 2.0"),
    ("comparison", "steps.count.n >= 2 && input.name != 'Bob'"),
    ("this or that", "steps.count.n > 2 ? 'many' : 'few'"),
    ("whether it is in a list, or a key of a map", "'x' in input.tags && 'name' in input"),
    ("texts and lists are joined", "'Dear ' + input.name"),
    ("a list and a map", "[1, {'a': input.name}]"),
    ("text over several lines, and without escapes", '"""a\nb""" + r"\\d"'),
)

_WRONG = ("input.nickname", "1 + 1.5", "input.name > 1", "input.tags[9]", "unknown.x")

_GROUPS = {
    "Text": "functions_text",
    "Lists and maps": "functions_collection",
    "Loops in an expression": "macros",
    "From one type to another": "functions_conversion",
    "What may be missing": "functions_optional",
    "Times": "functions_moment",
}


def expression_page() -> Iterator[str]:
    """Give the lines of the page."""
    yield "# Expressions\n"
    yield "`${…}` holds one expression of a subset of CEL, the Common Expression Language. A string"
    yield "that is exactly one `${…}` keeps the value's type; in longer text the value is text too,"
    yield "maps and lists as JSON. `$${` is a literal `${`. Expressions stand in values, never in"
    yield "keys, and not under `id`, `type`, `workflow`, `depends_on`, `inputs`, `config` and"
    yield "`secrets`. What comes from input, a model or a step is data: it is never evaluated.\n"
    yield f"They know no clock and no chance, take at most {MAX_STEPS:,} steps and give at most"
    yield f"{MAX_CHARACTERS:,} characters. Each example was evaluated as this page was written.\n"
    yield "## What they read\n"
    yield from table(("name", "is"), ((f"`{name}`", told) for name, told in _ROOTS.items()))
    yield "\nInside a `for_each` also the item and its position, under the names given there.\n"
    yield "## How they are written\n"
    yield f"With `{json.dumps(_DATA)}`:\n"
    rows = ((told, f"`{_line(text)}`", f"`{evaluated(text)}`") for told, text in _SYNTAX)
    yield from table(("meaning", "expression", "gives"), rows)
    yield "\n`if`, `while` and `until` must be true or false: nothing is true by being there.\n"
    yield "## What is an error\n"
    yield "Never an empty text; most of it is found by `aima check` already.\n"
    yield from table(("expression", "error"), ((f"`{t}`", evaluated(t)) for t in _WRONG))
    yield from _functions()


def _functions() -> Iterator[str]:
    bodies = [*(function.body for function in FUNCTIONS.values()), *MACRO_BODIES.values()]
    for title, module in _GROUPS.items():
        yield f"\n## {title}\n"
        rows = (_row(body) for body in bodies if body.__module__.endswith(f".{module}"))
        yield from table(("function", "gives", "example"), rows)


def _row(body: Callable[..., object]) -> tuple[str, str, str]:
    told, examples = doc_of_function(body)
    shape, _, meaning = told.partition("``: ")
    shown = "<br>".join(f"`{text}` → `{evaluated(text)}`" for text in examples)
    meaning = meaning[:1].upper() + meaning[1:]
    return f"{shape}``".replace("``", "`"), meaning.replace("``", "`"), shown


def doc_of_function(body: Callable[..., object]) -> tuple[str, list[str]]:
    """Give the sentence of a function, and its examples."""
    lines = inspect.cleandoc(body.__doc__ or "").split("\n")
    return lines[0], [line[4:] for line in lines if line.startswith(">>> ")]


def evaluated(text: str) -> str:
    """Give what an expression gives, as JSON; of an error, its message."""
    try:
        return json.dumps(parse(text).evaluate(_DATA), ensure_ascii=False)
    except ExpressionError as error:
        return str(error)


def _line(text: str) -> str:
    return text.replace("\n", "⏎")
