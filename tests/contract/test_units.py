"""Every unit keeps what its declaration promises."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import aima.errors
import aima.ports.artifacts
import aima.ports.engine
import aima.ports.files
import aima.ports.frames
import aima.ports.vectors
from aima.catalog import discover
from aima.errors import AimaError, InternalError
from aima.shipped import shipped
from aima.unit import Example, Kind, Unit

CATALOG = discover()
UNITS, RESOURCES = list(CATALOG), list(CATALOG.resources.values())
EXAMPLES = [(unit, example) for unit in UNITS for example in unit.examples]
ARTIFACT = {"artifact": f"sha256:{'0' * 64}", "media_type": "audio/wav", "bytes": 44}
TAKES = {
    "cancel", "clear", "delete", "deregister", "disable", "drop", "end", "exec", "kill", "purge",
    "release", "remove", "reset", "restart", "restore", "revoke", "rollback", "stop", "uninstall",
    "unregister",
}  # fmt: skip
"""Verbs of what ends, replaces or takes away something that others may use."""
ADDS = {"create", "enable", "index", "install", "load", "pull", "start", "wake"}
"""Verbs of what is there afterwards; asked again it is there already."""
BEGINS_AGAIN = {"exec", "reset", "restart"}
"""Verbs of what happens once more each time."""
LOOKS = {"collections", "features", "get", "list", "models", "voices"}
"""Verbs of queries that tell how things are, from what is known anyway."""
PORTS = (
    aima.ports.engine,
    aima.ports.artifacts,
    aima.ports.vectors,
    aima.ports.files,
    aima.ports.frames,
)

every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
every_example = pytest.mark.parametrize(
    ("unit", "example"),
    EXAMPLES,
    ids=[f"{unit.name}: {example.title}" for unit, example in EXAMPLES],
)


@every_unit
def test_a_unit_says_what_it_does_in_a_sentence(unit: Unit) -> None:
    """It is the first thing a person or an agent reads of it."""
    assert re.fullmatch(r"[A-Z].*\.", unit.summary), unit.summary


@every_unit
def test_a_unit_says_how_it_fails(unit: Unit) -> None:
    """A workflow can only handle what it knows of, and only errors have a code to handle."""
    assert unit.errors
    assert all(issubclass(error, AimaError) for error in unit.errors)


@every_unit
def test_a_unit_shows_how_it_is_used(unit: Unit) -> None:
    """An example is documentation, completion and test at once."""
    assert unit.examples


@every_unit
def test_a_unit_that_takes_something_away_says_so(unit: Unit) -> None:
    """An agent asks before it calls one; its verb tells people, so the declaration must agree."""
    word = unit.name.partition(".")[2].partition("_")[0]
    assert unit.destructive == (unit.kind is Kind.COMMAND and word in TAKES)
    assert unit.repeatable or word not in ADDS
    assert not (unit.repeatable and word in BEGINS_AGAIN)


@every_unit
def test_a_view_only_looks(unit: Unit) -> None:
    """Viewers may ask it: a list, a thing and its features, and nothing an engine works for."""
    looks = unit.name.partition(".")[2] in LOOKS
    assert unit.view == (unit.kind is Kind.QUERY and looks)
    for shown in RESOURCES:
        assert shown.unit is not unit or unit.view, f"{shown.uri} shows what viewers may not ask"


@every_unit
def test_a_unit_declares_the_errors_of_the_ports_it_asks(unit: Unit) -> None:
    """What a port raises goes through a unit to its caller; undeclared, it comes as a surprise.

    A mistake of AIMA's own may come from anywhere and needs no declaration.
    """
    expected = {
        error
        for asked in methods_asked(unit)
        for error in raised_by(asked)
        if not issubclass(error, InternalError)
    }
    undeclared = {error.code for error in expected if not issubclass(error, unit.errors)}
    assert not undeclared, f"{unit.name} may fail with {sorted(undeclared)}; declare them"


@every_example
def test_an_example_is_a_valid_call(unit: Unit, example: Example) -> None:
    """People copy examples."""
    unit.input.model_validate(with_artifacts(example.input))


@every_example
def test_an_example_gives_only_what_the_unit_gives(unit: Unit, example: Example) -> None:
    """A field that the output does not have would be read in vain."""
    fields = unit.sent_schema()["properties"]
    assert example.output.keys() <= fields.keys()


def with_artifacts(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Put a reference where an example names a shipped file, which must be there."""
    if isinstance(value, str) and value.startswith("@"):
        assert (shipped("workflows") / value[1:]).is_file()
        return ARTIFACT
    if isinstance(value, Mapping):
        return {key: with_artifacts(inner) for key, inner in value.items()}
    return [with_artifacts(inner) for inner in value] if isinstance(value, list) else value


def methods_asked(unit: Unit) -> set[str]:
    """Name the methods that a unit's body calls on something."""
    tree = ast.parse(inspect.cleandoc(inspect.getsource(unit.run)))
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}


def raised_by(method: str) -> Iterator[type[AimaError]]:
    """Read off its docstring what a port's method raises."""
    for module in PORTS:
        for port in vars(module).values():
            if inspect.isclass(port) and port.__module__ == module.__name__:
                docstring = inspect.getdoc(vars(port).get(method)) or ""
                raises = docstring.partition("Raises:")[2]
                for name in re.findall(r"^    (\w+): ", raises, re.MULTILINE):
                    yield named(name, module)


def named(name: str, module: ModuleType) -> type[AimaError]:
    """Find an error by its name, in the tree or beside the port."""
    found: type[AimaError] = getattr(module, name, None) or getattr(aima.errors, name)
    return found


def test_the_files_of_examples_are_shipped() -> None:
    """Without them no example of a wheel would run."""
    assert (Path(shipped("workflows")) / "assets").is_dir()
