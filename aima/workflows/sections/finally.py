"""``finally: […]``: steps that run always, also after a failure and after a cancel.

No cancel reaches them, and the run's `timeout` does not bound them. If they fail, a run that went
well fails; one that failed already keeps its first error. A step that may not have run is read
with `has`.

In a workflow::

    name: tidy
    steps:
      - {id: work, raise: {code: BROKEN, message: it broke}}
    finally:
      - {id: bye, emit: {type: work.ended}}

Tried with::

    expect: {state: failed, error: {code: BROKEN}, emitted: [work.ended]}
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
from aima.workflows.failure import RunCancelled, StepFailed
from aima.workflows.frame import inside
from aima.workflows.run import Run
from aima.workflows.schedule import Schedule
from aima.workflows.step_list import STEP_LIST


class Finally(RunningSection):
    """The last steps; a cancel does not reach them, and their failure fails a good run."""

    key = "finally"
    rank = 10

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return STEP_LIST

    def nested(self, value: Node) -> Iterator[Nested]:
        """Give its steps."""
        yield Nested((self.key,), value, rank=2)

    def check(self, value: Node, checker: Checker) -> None:
        """Find nothing: its steps are checked like all others."""

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give its steps."""
        del value
        return {self.key: compiler.section(self.key)}

    async def around(self, run: Run, proceed: Proceed) -> Json:
        """Run the steps however the others end."""
        frame = run.frame(inside(run.state["sections"], self.key))
        steps = Schedule(run.program.lists[self.key], frame)
        try:
            output = await proceed()
        except (StepFailed, RunCancelled) as error:
            await run.shielded(steps.run(), because=error)
            raise
        await run.shielded(steps.run())
        return output


SECTION = Finally()
