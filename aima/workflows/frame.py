"""What a running construct sees: the plan's values, compiled, and the run around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from temporalio import workflow

from aima.dsl.duration import parse_bound
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.places import place_of
from aima.dsl.template import Evaluator, evaluator
from aima.workflows.failure import StepError, StepFailed
from aima.workflows.window import Window

Roots: TypeAlias = dict[str, object]
Parsed = TypeVar("Parsed")


class Node:
    """One step of a plan.

    Its expressions are compiled when they are first needed, once for all runs of the plan: all
    at once, those of a long plan would take longer than the SDK lets a workflow think.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take a step as the plan has it.

        Raises:
            LookupError, TypeError, ValueError: it is no step.
        """
        self.data = data
        self.id = str(data["id"])
        self.body = str(data["body"])
        self.line = int(data["at"][0])
        self.after = tuple(map(str, data["after"]))
        self.places = list(data["places"])
        self._evaluators: dict[str, Evaluator] = {}

    def value(self, key: str, frame: Frame) -> Json:
        """Evaluate what the plan has under ``key``; None where it has nothing.

        Raises:
            StepFailed: an expression in it failed, or is none.
        """
        if key not in self.data:
            return None
        try:
            if key not in self._evaluators:
                self._evaluators[key] = evaluator(self.data[key])
            return self._evaluators[key](frame.roots)
        except ExpressionError as error:
            place = place_of(error, self.places, key)
            raise StepFailed(self.error(error.code, place.tell(error), line=place.line)) from error

    def duration(self, key: str, frame: Frame) -> timedelta | None:
        """Evaluate a bound in time; None where the plan has none under ``key``.

        Raises:
            StepFailed: it is none, or zero.
        """
        if key not in self.data:
            return None
        return self.read(parse_bound, self.value(key, frame), key)

    def read(self, parse: Callable[[Json], Parsed], value: Json, key: str) -> Parsed:
        """Read an evaluated value with a function that raises ``ValueError`` for a wrong one.

        Raises:
            StepFailed: it is wrong.
        """
        try:
            return parse(value)
        except ValueError as error:
            raise StepFailed(self.error("VALIDATION_ERROR", f"`{key}`: {error}")) from error

    def error(
        self, code: str, message: str, *, attempt: int = 1, line: int | None = None
    ) -> StepError:
        """Describe a failure of this step."""
        return StepError(
            code=code,
            message=message,
            step=self.id,
            unit=self.data.get("unit"),
            attempt=attempt,
            line=line or self.line,
        )


@dataclass(frozen=True)
class Frame:
    """The run around a step."""

    roots: Roots
    window: Window
    path: str = ""
    outputs: dict[str, Json] = field(default_factory=dict)

    def activity_id(self, node: Node) -> str:
        """Name a step's activity: its path in the run, unique and the same on every replay."""
        return f"{self.path}{node.id}"

    def effect_key(self, node: Node) -> str:
        """Name a step's effect for ever: workflow, first run of the chain, path."""
        info = workflow.info()
        return f"{info.workflow_id}/{info.first_execution_run_id}/{self.activity_id(node)}"
