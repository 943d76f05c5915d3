"""Test files: ``NAME.test.yaml`` beside a workflow, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aima.disk import told
from aima.dsl.load import load
from aima.dsl.node import Mapping, Node, to_json
from aima.dsl.values import node_at
from aima.errors import ValidationFailed

ENDING = ".test.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failure(_Part):
    """An error that a unit gives."""

    code: str
    message: str = "as the test says"


class Answer(_Part):
    """What a unit gives when it is called: an output or an error, maybe late."""

    output: dict[str, Any] | None = None
    error: Failure | None = None
    delay: str = "0s"


class Sent(_Part):
    """A signal, sent when so much time has passed since the start."""

    name: str
    data: Any = None
    after: str = "0s"


class Approved(_Part):
    """A person's answer to a step that waits for one."""

    step: str
    approved: bool = True
    by: str = "tester"
    comment: str = ""
    after: str = "0s"


class Happened(_Part):
    """An event that steps may wait for."""

    type: str
    data: Any = {}
    after: str = "0s"


class Cancelled(_Part):
    """A cancel of the run."""

    after: str = "0s"


class Expected(_Part):
    """How a run must end; what is not said is not looked at."""

    state: str = "completed"
    output: Any = None
    error: dict[str, Any] | None = None
    calls: dict[str, int] = {}
    order: list[str] = []
    inputs: dict[str, dict[str, Any]] = {}
    emitted: list[str] = []
    undone: list[str] | None = None


class Case(_Part):
    """One run, and what is expected of it."""

    name: str
    input: dict[str, Any] = {}
    config: dict[str, Any] = {}
    stand_ins: dict[str, Answer | list[Answer]] = {}
    signals: list[Sent] = []
    approvals: list[Approved] = []
    events: list[Happened] = []
    cancel: Cancelled | None = None
    expect: Expected = Expected()


class TestFile(_Part):
    """The cases of one workflow."""

    __test__ = False  # no tests of pytest's

    workflow: str = Field(default="", description="The file beside this one; else its namesake.")
    cases: list[Case] = Field(min_length=1)


def read_test_file(file: Path) -> tuple[TestFile, list[int]]:
    """Read a test file; give it with the line of each case.

    Raises:
        ValidationFailed: it is none; the message begins with `file:line:column`.
    """
    with told(file):
        source, root, diagnostics = load(file.read_bytes(), str(file))
    del source
    for found in diagnostics:
        raise ValidationFailed(f"{file}:{found.line}:{found.column}: {found.message}")
    if not isinstance(root, Mapping):
        raise ValidationFailed(f"{file}:1:1: a test file is a map with `cases`")
    try:
        read = TestFile.model_validate(to_json(root))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = node_at(root, first["loc"]).mark
        way = ".".join(map(str, first["loc"]))
        message = f"{file}:{where.line}:{where.column}: `{way}`: {first['msg']}"
        raise ValidationFailed(message) from error
    return read, [node.mark.line for node in _items(root.get("cases"))]


def workflow_of(file: Path, read: TestFile) -> Path:
    """Name the workflow that a test file is about."""
    name = read.workflow or file.name.removesuffix(ENDING) + ".yaml"
    return file.parent / name


def _items(node: Node | None) -> tuple[Node, ...]:
    items: tuple[Node, ...] = getattr(node, "items", ())
    return items
