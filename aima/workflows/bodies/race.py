"""``race: [{steps}, …]``: blocks side by side; the first that succeeds wins.

The others are cancelled, what they did is undone, and their outputs are forgotten; so read a
step of a branch with `has`. A branch that fails only leaves the race; the race fails when all
have, with the error of the last.

In a workflow::

    name: fastest
    steps:
      - id: answer
        race:
          - steps:
              - {id: pause, wait: 1h}
              - {id: slow, depends_on: [pause], set: {text: slow}}
          - steps:
              - {id: quick, set: {text: quick}}
    output:
      text: "${has(steps.quick.text) ? steps.quick.text : 'slow'}"
      winner: ${steps.answer.winner}

Tried with::

    expect: {output: {text: quick, winner: 1}}
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from temporalio import workflow

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Mapping, Sequence
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningBody
from aima.workflows.ending import END, end_of, note_end
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node, Steps, inside
from aima.workflows.schedule import Schedule, ended, stop
from aima.workflows.step_list import STEP_LIST
from aima.workflows.undo import undo

WINNER = "winner"
"""Where the place of a race has who won it."""


class Race(RunningBody):
    """Branches of which the first to succeed ends the others; what those did is undone."""

    keys = ("race",)
    nests = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        branch = {
            "type": "object",
            "required": ["steps"],
            "additionalProperties": False,
            "properties": {"steps": {**STEP_LIST, "description": "What this branch does."}},
        }
        description = "Blocks that run side by side; the first that succeeds wins."
        return {
            "race": {"type": "array", "minItems": 2, "items": branch, "description": description}
        }

    def nested(self, node: Mapping) -> Iterator[Nested]:
        """Give the steps of each branch."""
        for index, branch in enumerate(_branches(node)):
            if (steps := branch.get("steps")) is not None:
                yield Nested(("race", index, "steps"), steps, certain=False)

    def check(self, step: Step, checker: Checker) -> None:
        """Tell a race of one, and branches without steps."""
        given = step.node.entries["race"].value
        if not isinstance(given, Sequence) or len(given.items) < 2:  # noqa: PLR2004 - one wins always
            message = "`race` is a list of at least two branches"
            checker.findings.error(WRONG_TYPE, given, message, "write - {steps: […]}")
            return
        for branch in given.items:
            if not isinstance(branch, Mapping):
                checker.findings.error(WRONG_TYPE, branch, "a branch is a map", "write {steps}")
                continue
            unknown_keys(branch, ("steps",), checker.findings, where="a branch")
            if "steps" not in branch.entries:
                checker.findings.error(MISSING_KEY, branch.mark, "a branch needs `steps`")

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what any branch may leave behind, and which one won."""
        properties = {s.id: checker.output(s.id) for inner in step.lists for s in inner.steps}
        winner = {"type": "integer", "description": "Position of the branch that won."}
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {**properties, "winner": winner},
            "required": ["winner"],
        }

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the branches."""
        paths = [inner.nested.path for inner in step.lists]
        return {"race": [{"steps": compiler.steps(step, path)} for path in paths]}

    def accept(self, node: Node) -> None:
        """Read the steps of each branch."""
        for index, _ in enumerate(node.data["race"]):
            node.steps("race", index, "steps")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Start all branches, in their order; the error of the last to fail counts."""
        place = frame.place_of(node)
        lists = [node.steps("race", i, "steps") for i, _ in enumerate(node.data["race"])]

        async def branch(index: int, *, closing: bool = False) -> dict[str, Json]:
            inner = frame.within(inside(place, str(index)))
            return await Schedule(lists[index], replace(inner, closing=closing)).run()

        if frame.closing or END in place or WINNER in place:
            over = [i for i, _ in enumerate(lists) if i != place.get(WINNER)]
            await ended([asyncio.create_task(branch(i, closing=True)) for i in over])
            if frame.closing or END in place:
                raise end_of(place, frame)
        else:
            tasks = [asyncio.create_task(branch(i)) for i, _ in enumerate(lists)]
            try:
                place[WINNER] = await self._first(tasks)
            except (Exception, asyncio.CancelledError) as error:  # not the end of the coroutine
                note_end(place, error)
                await stop(tasks)
                raise
            await stop(tasks)
        winner: int = place[WINNER]
        frame.run.progress.note(node, winner=winner)
        for index, steps in enumerate(lists):
            if index != winner:
                await frame.run.shielded(self._forget(steps, frame))
        return {**await branch(winner), "winner": winner}

    @staticmethod
    async def _first(tasks: list[asyncio.Task[dict[str, Json]]]) -> int:
        """Wait for the first branch that succeeds; give its position."""
        left = list(tasks)
        while True:
            done, _ = await workflow.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                left.remove(task)
                error = task.exception()
                if error is None:
                    return tasks.index(task)
                if not left or not isinstance(error, StepFailed):
                    raise error

    @staticmethod
    async def _forget(steps: Steps, frame: Frame) -> None:
        """Undo what a branch did that did not win, and forget what it left behind."""
        ids = {inner.id for inner in steps.all_nodes()}
        for name in ids:
            frame.outputs.pop(name, None)
        await undo(
            frame.run,
            lambda record: record["step"] in ids and record["path"].startswith(frame.path),
        )


def _branches(node: Mapping) -> list[Mapping]:
    given = node.get("race")
    items = given.items if isinstance(given, Sequence) else ()
    return [b if isinstance(b, Mapping) else Mapping({}, b.mark, b.end) for b in items]


BODY = Race()
