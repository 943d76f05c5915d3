"""``timeout: 10m``: bounds the run; what cleans up afterwards is not bounded by it.

It is the interpreter's own timer, so expiry is an orderly failure with `TIMEOUT`: undos,
`on_failure` and `finally` run.

In a workflow::

    name: bounded
    timeout: 10m
    steps:
      - {id: pause, wait: 1h}
    finally:
      - {id: bye, emit: {type: work.ended}}

Tried with::

    expect: {state: failed, error: {code: TIMEOUT}, emitted: [work.ended]}
"""

from __future__ import annotations

import asyncio

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.duration import parse_bound
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.node import Node
from aima.dsl.signature import JsonSchema
from aima.dsl.template import evaluator
from aima.workflows.constructs import Proceed, RunningSection
from aima.workflows.duration_modifier import check_duration
from aima.workflows.failure import RunCancelled, StepError, StepFailed
from aima.workflows.run import Run, bounded
from aima.workflows.schedule import ended
from aima.workflows.shapes import duration


class RunTimeout(RunningSection):
    """The interpreter's own timer: undoing and ``finally`` still run, as after any failure."""

    key = "timeout"
    rank = 100

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return duration("Bounds the run; what cleans up afterwards is not bounded by it.")

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what is no duration."""
        check_duration(value, checker, parse_bound)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the duration, and where it stands."""
        at: list[Json] = [value.mark.line, value.mark.column]
        return {"timeout": {"after": compiler.value(value), "at": at}}

    async def around(self, run: Run, proceed: Proceed) -> Json:
        """End the steps when the time is over."""
        said = run.program.plan["timeout"]
        try:
            bound = parse_bound(evaluator(said["after"])(run.roots))
        except (ExpressionError, ValueError) as error:
            raise StepFailed(_error("VALIDATION_ERROR", str(error), said)) from error
        left = run.until(run.state["sections"], self.key, bound)
        try:
            if left:
                return await bounded(proceed(), left, summary="the run's timeout")
            run.closing = True  # it was over in an earlier history
            await ended([asyncio.ensure_future(proceed())])
        except TimeoutError:
            pass
        if run.cancelled:  # and its cleaning up took longer than that
            raise RunCancelled
        message = f"the run took longer than {bound.total_seconds():g} s, its `timeout`"
        raise StepFailed(_error("TIMEOUT", message, said))


def _error(code: str, message: str, said: dict[str, list[int]]) -> StepError:
    line = said["at"][0]
    return StepError(code=code, message=message, step="", unit=None, attempt=1, line=line)


SECTION = RunTimeout()
