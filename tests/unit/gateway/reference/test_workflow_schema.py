"""The schema for editors accepts what runs and marks what an editor can know to be wrong."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aima.catalog import discover
from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.gateway.reference.language_pages import Part, parts_of
from aima.gateway.reference.workflow_schema import workflow_schema
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped, workflows_in
from aima.workflows.constructs import language

CATALOG = discover()
SCHEMA = workflow_schema(language(), CATALOG)
VALIDATOR = Draft202012Validator(SCHEMA)

WORKFLOW: dict[str, Any] = {
    "name": "talk",
    "steps": [
        {
            "id": "chat",
            "type": "inference.chat",
            "input": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8},
            "retry": {"max_attempts": 2},
        }
    ],
}

NOTHING: Any = object()
"""Stands for: take the key away."""


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:  # noqa: ANN401 - any YAML
    """Give the workflow with another value at one place."""
    workflow = copy.deepcopy(WORKFLOW)
    here: Any = workflow
    for key in path[:-1]:
        here = here[key]
    if value is NOTHING:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return workflow


STEP = ("steps", 0)


FILES = [
    *workflows_in(shipped("workflows")),
    *(f for folder in shipped("workflows").glob("examples/*") for f in workflows_in(folder)),
]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_shipped_workflows_fit(file: Path) -> None:
    """An editor that marks a working file is switched off."""
    VALIDATOR.validate(read(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("part", parts_of(language()), ids=lambda part: part.name)
def test_examples_of_the_reference_fit(part: Part) -> None:
    """Each key of the language occurs in one of them."""
    VALIDATOR.validate(read(part.doc.example))


def read(text: str) -> Any:  # noqa: ANN401 - any YAML
    """Read YAML as workflows are read."""
    _, root, _ = load(text, "w.yaml")
    assert root is not None
    return to_json(root)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("steps", 0, "input", "messages"), "${input.messages}"),
        (("steps", 0, "input", "messages", 0), "${input.message}"),
        (("steps", 0, "input", "messages", 0, "role"), "${input.role}"),
        (("steps", 0, "input", "max_tokens"), "${config.tokens}"),
        (("steps", 0, "retry", "max_attempts"), "${config.attempts}"),
        (("steps", 0, "timeout"), "${config.patience}"),
        (("steps", 0), {"id": "own", "type": "acme.count_words", "input": {"anything": 1}}),
        (("output",), "${steps.chat.content}"),
    ],
)
def test_expressions_and_own_units_fit(path: tuple[str | int, ...], value: object) -> None:
    """What only a run or another machine can know is not the editor's to judge."""
    VALIDATOR.validate(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("steps",), NOTHING),
        (("steps",), []),
        (("name",), "Talk!"),
        (("stepz",), []),
        ((*STEP, "id"), NOTHING),
        ((*STEP, "type"), NOTHING),
        ((*STEP, "type"), "chat"),
        ((*STEP, "input"), NOTHING),
        ((*STEP, "input", "mesages"), []),
        ((*STEP, "input", "messages"), []),
        ((*STEP, "input", "messages"), "Hello"),
        ((*STEP, "input", "messages", 0, "role"), "boss"),
        ((*STEP, "input", "max_tokens"), 0),
        ((*STEP, "input", "max_tokens"), "eight"),
        ((*STEP, "on_failure"), "${config.then}"),
        ((*STEP, "retry", "max_attempts"), 0),
        ((*STEP, "retry", "atempts"), 1),
        ((*STEP, "depends_on"), "other"),
        ((*STEP, "timeout"), "5 min"),
        ((*STEP, "if"), "yes"),
        ((*STEP, "wait"), "1s"),
        (STEP, {"id": "a", "switch": [{"if": True, "stesp": []}]}),
        (STEP, {"id": "a", "repeat": {"max": 3}, "steps": [{"id": "b", "wait": "1s"}]}),
        (STEP, {"id": "a", "wait_for": {"signal": "a", "approval": {}}}),
    ],
)
def test_mistakes_are_marked(path: tuple[str | int, ...], value: object) -> None:
    """A misspelt key is found while it is typed, not when the file runs."""
    assert not VALIDATOR.is_valid(changed(path, value))


def test_the_schema_has_the_keys_that_the_checker_knows() -> None:
    """One language, told twice, must not become two: the checker lists the keys it knows."""
    definitions = Definitions(CATALOG)
    text = (
        "name: a\nqqqqqqqqqqqq: 1\nsteps:\n  - {id: a, type: inference.voices, qqqqqqqqqqqq: 1}\n"
    )
    hints = [
        set((found.hint or "").removeprefix("known are ").split(", "))
        for found in definitions.check(text, "a.yaml").diagnostics
        if found.code == "document/unknown-key"
    ]
    step = SCHEMA["$defs"]["step"]
    top, of_a_unit = hints
    assert top == set(SCHEMA["properties"])
    bodies = {key for body in language().bodies.values() for key in body.keys}
    assert of_a_unit == set(step["properties"]) - bodies | {"type", "input"}


def test_every_key_says_what_it_means() -> None:
    """The sentence is what an editor shows at the key."""
    keys = SCHEMA["properties"] | SCHEMA["$defs"]["step"]["properties"]
    mute = [key for key, told in keys.items() if not told.get("description", "").endswith(".")]
    assert not mute


def test_units_are_offered_with_their_sentence() -> None:
    """Completion of `type:` is how most people will find a unit."""
    offered = SCHEMA["$defs"]["step"]["properties"]["type"]["anyOf"]
    told = {one["const"]: one["description"] for one in offered if "const" in one}
    assert told == {unit.name: unit.summary for unit in CATALOG}


def test_a_wrong_step_is_told_in_words() -> None:
    """`is not valid under any of the given schemas` helps nobody."""
    step = SCHEMA["$defs"]["step"]
    assert "wait_for" in step["errorMessage"]
    assert "patternErrorMessage" in step["properties"]["timeout"]


def test_a_snippet_writes_what_a_unit_needs() -> None:
    """And a step with it says enough."""
    snippets = {one["label"]: one["body"] for one in SCHEMA["$defs"]["step"]["defaultSnippets"]}
    assert set(snippets["inference.chat"]["input"]) == {"messages"}
