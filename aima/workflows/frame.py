"""What a running construct sees: the plan's values, compiled, and the run around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from temporalio import workflow

from aima.dsl.duration import parse_duration
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.template import evaluator
from aima.workflows.failure import StepError, StepFailed
from aima.workflows.window import Window

Roots: TypeAlias = dict[str, object]


class Node:
    """One step of a plan, its expressions compiled once for all runs of the plan."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take a step as the plan has it."""
        self.data = data
        self.id: str = data["id"]
        self.body: str = data["body"]
        self.line: int = data["at"][0]
        self.after: tuple[str, ...] = tuple(data["after"])
        self._evaluators: dict[str, Callable[[Mapping[str, object]], Json]] = {}

    def value(self, key: str, frame: Frame) -> Json:
        """Evaluate what the plan has under ``key``; None where it has nothing.

        Raises:
            StepFailed: an expression in it failed.
        """
        if key not in self.data:
            return None
        evaluate = self._evaluators.get(key)
        if evaluate is None:
            evaluate = self._evaluators[key] = evaluator(self.data[key])
        try:
            return evaluate(frame.roots)
        except ExpressionError as error:
            raise StepFailed(self.error(error.code, f"`{key}`: {error.message}")) from error

    def duration(self, key: str, frame: Frame) -> timedelta | None:
        """Evaluate a duration; None where the plan has none under ``key``.

        Raises:
            StepFailed: it is none.
        """
        value = self.value(key, frame)
        return None if value is None else self.time(value, key)

    def time(self, value: Json, key: str) -> timedelta:
        """Read an evaluated duration: text such as ``30s``, or seconds.

        Raises:
            StepFailed: it is none.
        """
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return timedelta(seconds=value)
        try:
            return parse_duration(str(value))
        except ValueError as error:
            raise StepFailed(self.error("VALIDATION_ERROR", f"`{key}`: {error}")) from error

    def count(self, value: Json, key: str) -> int:
        """Read an evaluated count.

        Raises:
            StepFailed: it is no whole number of at least one.
        """
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        message = f"`{key}`: {value!r} is no whole number of at least 1"
        raise StepFailed(self.error("VALIDATION_ERROR", message))

    def error(self, code: str, message: str, *, attempt: int = 1) -> StepError:
        """Describe a failure of this step."""
        return StepError(
            code=code,
            message=message,
            step=self.id,
            unit=self.data.get("unit"),
            attempt=attempt,
            line=self.line,
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
