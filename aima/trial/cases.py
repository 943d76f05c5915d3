"""Test files: ``NAME.test.yaml`` beside a workflow, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from aima.disk import told
from aima.dsl.load import load
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, to_json
from aima.dsl.values import node_at
from aima.errors import ValidationFailed

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENDING = ".test.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failure(_Part):
    """An error that a unit gives."""

    code: str = Field(description="Its code, such as MODEL_NOT_FOUND.")
    message: str = "as the test says"


class Answer(_Part):
    """What a unit gives when it is called: an output or an error, maybe late."""

    output: dict[str, Any] | None = Field(
        default=None, description="`${input.x}` in it reads what the unit was given."
    )
    error: Failure | None = None
    delay: str = Field(default="0s", description="How long it takes; the time is skipped.")


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


Answers = Annotated[list[Answer], Field(min_length=1), BeforeValidator(_listed)]


class Sent(_Part):
    """A signal, sent when so much time has passed since the start."""

    name: str
    data: Any = None
    after: str = "0s"


class Approved(_Part):
    """A person's answer to a step that waits for one."""

    step: str = Field(description="In a loop with the item, as in `review[3]`.")
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

    state: Literal["completed", "failed", "canceled"] = "completed"
    output: Any = Field(default=None, description="All of the output.")
    output_has: Any = Field(default=None, description="Some of the output: what is named in it.")
    error: dict[str, Any] | None = Field(
        default=None, description="Some of the error: code, message, step, unit, item, line."
    )
    calls: dict[str, int] = Field(
        default={}, description="How often each step's unit was called; attempts count."
    )
    order: list[str] = Field(default=[], description="The order of the first calls.")
    inputs: dict[str, dict[str, Any] | list[dict[str, Any]]] = Field(
        default={}, description="Some of the input of a step's first call, or of each call."
    )
    emitted: list[str] = Field(default=[], description="The types of all events, in order.")
    undone: list[str] | None = Field(default=None, description="The steps undone, in order.")


class Case(_Part):
    """One run, and what is expected of it."""

    name: str
    now: str = Field(default="", description="When the run starts: a time to come, in ISO 8601.")
    input: dict[str, Any] = {}
    config: dict[str, Any] = {}
    stand_ins: dict[str, Answers] = Field(
        default={}, description="By step, `undo:STEP` or unit; the last of several repeats."
    )
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


@dataclass(frozen=True)
class Read:
    """A test file, read.

    Attributes:
        root: where everything in it stands.
    """

    file: Path
    tests: TestFile
    root: Mapping

    @property
    def workflow(self) -> Path:
        """Name the workflow that it is about."""
        name = self.tests.workflow or self.file.name.removesuffix(ENDING) + ".yaml"
        return self.file.parent / name

    def line_of(self, case: int) -> int:
        """Tell the line of a case."""
        return node_at(self.root, ("cases", case)).mark.line

    def place(self, *path: str | int) -> str:
        """Give `file:line:column` of something in it."""
        mark = node_at(self.root, path).mark
        return f"{self.file}:{mark.line}:{mark.column}"


def read_test_file(file: Path) -> Read:
    """Read a test file.

    Raises:
        ValidationFailed: it is none; each line of the message begins with `file:line:column`.
    """
    with told(file):
        source, root, diagnostics = load(file.read_bytes(), str(file))
    del source
    if diagnostics:
        found = (f"{file}:{f.line}:{f.column}: {f.message}" for f in diagnostics)
        raise ValidationFailed("\n".join(found))
    if not isinstance(root, Mapping):
        raise ValidationFailed(f"{file}:1:1: a test file is a map with `cases`")
    try:
        return Read(file, TestFile.model_validate(to_json(root)), root)
    except ValidationError as error:
        lines = (_told(file, root, one) for one in error.errors(include_url=False))
        raise ValidationFailed("\n".join(dict.fromkeys(lines))) from error


def schema_of_tests() -> dict[str, Any]:
    """Give the JSON Schema of test files, for editors."""
    schema = TestFile.model_json_schema()
    answers = schema["$defs"]["Case"]["properties"]["stand_ins"]["additionalProperties"]
    one = {"$ref": "#/$defs/Answer"}
    schema["$defs"]["Case"]["properties"]["stand_ins"]["additionalProperties"] = {
        "anyOf": [one, answers]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _told(file: Path, root: Mapping, error: ErrorDetails) -> str:
    path = [part for part in error["loc"] if not _is_made_up(part)]
    mark = node_at(root, path).mark
    way = ".".join(map(str, path))
    if error["type"] != "extra_forbidden":
        return f"{file}:{mark.line}:{mark.column}: `{way}`: {error['msg']}"
    parts = (TestFile, Case, Expected, Answer, Failure, Sent, Approved, Happened, Cancelled)
    known = dict.fromkeys(name for part in parts for name in part.model_fields)
    near = nearest(str(path[-1]), known)
    hint = f"; did you mean `{near}`?" if near else ""
    return f"{file}:{mark.line}:{mark.column}: `{way}`: there is no such key{hint}"


def _is_made_up(part: str | int) -> bool:
    """Tell a part of a way that names a type and stands in no file."""
    return isinstance(part, str) and ("[" in part and part.startswith(("dict", "list")))
