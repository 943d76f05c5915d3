"""A modifier whose value is a duration: `timeout`, `deadline` and `heartbeat` are such."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import Step
from aima.dsl.duration import parse_bound
from aima.dsl.json import Json
from aima.dsl.node import Node, Scalar
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningModifier
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Call, Frame
from aima.workflows.frame import Node as PlanNode
from aima.workflows.run import bounded
from aima.workflows.schedule import ended
from aima.workflows.shapes import duration

BAD_DURATION = define("value/bad-duration", "This is no duration.")

_DURATION: JsonSchema = {"type": "string", "description": "500ms, 30s, 1h30m, 2d or ISO 8601."}


class DurationModifier(RunningModifier):
    """A bound in time; an expression may compute it."""

    meaning: ClassVar[str]
    told: ClassVar[str]
    """What a step is told that took longer."""

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return duration(self.meaning)

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell a text that is no duration."""
        del step
        check_duration(value, checker, parse_bound)

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the duration or the expression for it."""
        del step
        return {self.key: compiler.value(value)}

    async def around(self, node: PlanNode, frame: Frame, proceed: Call) -> Json:
        """End what is inside when its time is over, which a continued run remembers."""
        bound = node.duration(frame, self.key)
        if bound is None or frame.closing:
            return await proceed(frame)
        left = frame.run.until(frame.place_of(node), self.key, bound)
        if not left:  # it was over in an earlier history
            await ended([asyncio.ensure_future(proceed(replace(frame, closing=True)))])
            raise StepFailed(node.error("TIMEOUT", self.told))
        try:
            summary = f"{frame.path_of(node)}: {self.key}"
            return await bounded(proceed(frame), left, summary=summary)
        except TimeoutError:
            raise StepFailed(node.error("TIMEOUT", self.told)) from None


def check_duration(value: Node, checker: Checker, parse: Callable[[Json], timedelta]) -> None:
    """Tell a value that is neither an expression nor, for ``parse``, a duration."""
    if isinstance(value, Scalar) and type(value.value) in (int, float):
        hint = f"write {value.value}s if seconds are meant"
        checker.findings.error(BAD_DURATION, value, "a duration needs a unit", hint)
        return
    checker.value(value, _DURATION)
    text = literal_text(value)
    if text is not None:
        try:
            parse(text)
        except ValueError as error:
            checker.findings.error(BAD_DURATION, value, str(error))


def literal_text(value: Node | None) -> str | None:
    """Give a text without expressions; None where there is none."""
    text = value.value if isinstance(value, Scalar) else None
    return text if isinstance(text, str) and "${" not in text else None
