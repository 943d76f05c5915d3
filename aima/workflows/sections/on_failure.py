"""``on_failure: […]``: steps that run when the run fails; they read ``error``.

They run after everything was undone, not after a cancel, and before `finally`. The run stays
failed; their own failure never hides the first error, which they read as `error`.

In a workflow::

    name: alarm
    steps:
      - {id: work, raise: {code: BROKEN, message: it broke}}
    on_failure:
      - {id: tell, emit: {type: work.failed, data: {why: "${error.message}"}}}

Tried with::

    expect: {state: failed, error: {code: BROKEN}, emitted: [work.failed]}
"""

from __future__ import annotations

from collections.abc import Iterator

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Node
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import Proceed, RunningSection
from aima.workflows.failure import StepFailed
from aima.workflows.frame import inside
from aima.workflows.run import Run
from aima.workflows.schedule import Schedule
from aima.workflows.step_list import STEP_LIST


class OnFailure(RunningSection):
    """Steps after a failure, not after a cancel; the run stays failed."""

    key = "on_failure"
    rank = 20

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return STEP_LIST

    def nested(self, value: Node) -> Iterator[Nested]:
        """Give its steps."""
        yield Nested((self.key,), value, certain=False, rank=1, error="error")

    def check(self, value: Node, checker: Checker) -> None:
        """Find nothing: its steps are checked like all others."""

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give its steps."""
        del value
        return {self.key: compiler.section(self.key)}

    async def around(self, run: Run, proceed: Proceed) -> Json:
        """Run the steps if the others fail; their own failure is noted beside the first."""
        try:
            return await proceed()
        except StepFailed as failure:
            frame = run.frame(inside(run.state["sections"], self.key))
            frame.roots["error"] = failure.error.data()
            steps = Schedule(run.program.lists[self.key], frame)
            await run.shielded(steps.run(), because=failure)
            raise


SECTION = OnFailure()
