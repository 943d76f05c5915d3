"""``steps: […]``: a block of steps with a shared scope for its modifiers.

The steps inside run as the data between them says, side by side where nothing is read. What is
put on the block holds for all of them together: one `if`, one `timeout` for a pass, a `retry`
that starts them all again, a `catch` for whatever fails. `finally` runs however they end, also
after a cancel. Steps inside are read by their own ids.

In a workflow::

    name: two-drafts
    steps:
      - id: drafts
        retry: {max_attempts: 2}
        steps:
          - {id: short, set: {text: Hello.}}
          - {id: long, set: {text: "${steps.short.text + ' How are you?'}"}}
        finally:
          - {id: note, emit: {type: drafts.ended}}
    output: {text: "${steps.long.text}"}

Tried with::

    expect: {output: {text: Hello. How are you?}, emitted: [drafts.ended]}
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningBody
from aima.workflows.frame import Frame, Node, inside
from aima.workflows.schedule import Schedule
from aima.workflows.step_list import STEP_LIST, output_of

FINALLY = "finally"
_AFTER_ALL = 2


class Block(RunningBody):
    """A list of steps as one step; its ``finally`` runs however they end."""

    keys = ("steps", FINALLY)
    nests = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {
            "steps": {**STEP_LIST, "description": "What to do; the order follows the data."},
            FINALLY: {**STEP_LIST, "description": "What to do after it, however it ended."},
        }

    def nested(self, node: Mapping) -> Iterator[Nested]:
        """Give its steps, and those of ``finally``."""
        if (steps := node.get("steps")) is not None:
            yield Nested(("steps",), steps)
        if (after := node.get(FINALLY)) is not None:
            yield Nested((FINALLY,), after, rank=_AFTER_ALL)

    def check(self, step: Step, checker: Checker) -> None:
        """Find nothing: the steps inside are checked like all others."""

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give the outputs of its steps, by id."""
        return output_of(step.lists[0].steps if step.lists else (), checker)

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give its steps."""
        compiled: dict[str, Json] = {"steps": compiler.steps(step, ("steps",))}
        if step.get(FINALLY) is not None:
            compiled[FINALLY] = compiler.steps(step, (FINALLY,))
        return compiled

    def accept(self, node: Node) -> None:
        """Read the steps inside."""
        for key in self.keys:
            if key in node.data:
                node.steps(key)

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run the steps, then those of ``finally``; the first error counts."""
        place = frame.place_of(node)
        steps = Schedule(node.steps("steps"), frame.within(inside(place, "steps")))
        if FINALLY not in node.data:
            return await steps.run()
        tidying = replace(frame.within(inside(place, FINALLY)), closing=False)
        after = Schedule(node.steps(FINALLY), tidying)
        try:
            output = await steps.run()
        except (Exception, asyncio.CancelledError) as error:  # not the end of the coroutine
            await frame.run.shielded(after.run(), because=error)
            raise
        await frame.run.shielded(after.run())
        return output


BODY = Block()
