"""``repeat: {while | until, max: N}`` + ``steps``: a loop that ends by a condition.

`while` is tested before each round, `until` after it; one of them is given. `max` is required:
reaching it with the condition unmet fails with `REPEAT_LIMIT`. In a round, a step that has run
is this round's; one that has not, and the step itself, are the previous round's, which the first
round does not have: read them with `has`. After the loop, steps are the last round's.

In a workflow::

    name: double-until-large
    steps:
      - id: loop
        repeat: {until: "${steps.twice.n >= 100}", max: 20}
        steps:
          - {id: twice, set: {n: "${has(steps.twice.n) ? steps.twice.n * 2 : 1}"}}
    output: {n: "${steps.twice.n}", rounds: "${steps.loop.rounds}"}

Tried with::

    expect: {output: {n: 128, rounds: 8}}
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from aima.dsl.check import NEVER, Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningBody
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node, Place, begun, inside, leave
from aima.workflows.schedule import Schedule
from aima.workflows.shapes import condition
from aima.workflows.step_list import STEP_LIST, output_of

MOST_ROUNDS = 1_000_000
_MAX: JsonSchema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_ROUNDS,
    "description": "After so many rounds it fails with `REPEAT_LIMIT`.",
}


class Repeat(RunningBody):
    """A bounded loop: ``while`` is tested before each round, ``until`` after it."""

    keys = ("repeat", "steps")
    late = ("repeat",)
    repeats = True
    nests = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {
            "repeat": {
                "type": "object",
                "required": ["max"],
                "additionalProperties": False,
                "properties": {
                    "while": condition("Tested before each round: go on while it is true."),
                    "until": condition("Tested after each round: end once it is true."),
                    "max": _MAX,
                },
                "oneOf": [{"required": ["while"]}, {"required": ["until"]}],
                "description": "When to go on, and after how many rounds to give up.",
            },
            "steps": {**STEP_LIST, "description": "What to do in each round."},
        }

    def nested(self, node: Mapping) -> Iterator[Nested]:
        """Give the steps of a round, which may never come with ``while``."""
        said = node.get("repeat")
        condition = said.get("while") if isinstance(said, Mapping) else None
        if (steps := node.get("steps")) is not None:
            yield Nested(("steps",), steps, certain=condition is None, when=condition)

    def check(self, step: Step, checker: Checker) -> None:
        """Tell a loop without an end, or with two."""
        said = step.get("repeat")
        checker = checker.inside(step, "repeat")
        if "steps" not in step.node.entries:
            checker.findings.error(MISSING_KEY, step.node.mark, "a loop needs `steps`")
        if not isinstance(said, Mapping):
            hint = "write {until: ${…}, max: 10}"
            checker.findings.error(WRONG_TYPE, said or step.node.mark, "`repeat` is a map", hint)
            return
        unknown_keys(said, ("while", "until", "max"), checker.findings, where="`repeat`")
        conditions = [key for key in ("while", "until") if key in said.entries]
        if len(conditions) != 1:
            message = "a loop has either `while` or `until`"
            checker.findings.error(MISSING_KEY, said.mark, message, "add one of them")
        for key in conditions:
            condition = said.entries[key].value
            checker.condition(condition)
            if key == "while" and checker.decided(condition) is False:
                message = "this loop never runs: its condition is false"
                checker.findings.warning(NEVER, condition, message, "remove it")
        if (most := said.get("max")) is None:
            hint = "add `max`: after so many rounds the loop fails"
            checker.findings.error(MISSING_KEY, said.mark, "a loop needs a `max`", hint)
        else:
            checker.value(most, _MAX)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give the last round's outputs, and how many rounds there were."""
        last = output_of(step.lists[0].steps if step.lists else (), checker)
        certain = bool(step.lists) and step.lists[0].nested.certain
        return {
            **last,
            "properties": {**last["properties"], "rounds": {"type": "integer"}},
            "required": [*(last["required"] if certain else ()), "rounds"],
        }

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the conditions, the bound and the steps."""
        said = step.get("repeat")
        assert isinstance(said, Mapping)  # noqa: S101 - the check has seen to it
        compiled = {key: compiler.value(entry.value) for key, entry in said.entries.items()}
        return {"repeat": compiled, "steps": compiler.steps(step, ("steps",))}

    def accept(self, node: Node) -> None:
        """Read the steps, and refuse a loop without bound."""
        node.steps("steps")
        if "max" not in node.data["repeat"]:
            raise ValueError("it loops without a bound")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run round after round; the place holds the number of those that are done."""
        place = frame.place_of(node)
        most = node.read(_count, node.value(frame, "repeat", "max"), "repeat.max")
        while True:
            done: int = place.setdefault("rounds", 0)
            frame.run.progress.note(node, rounds=done, most=most)
            if "round" not in begun(place):  # not in the middle of one
                if frame.closing:
                    raise asyncio.CancelledError
                await frame.run.window.breathe()
                if self._ends(node, frame, place):
                    return {**place.get("last", {}), "rounds": done}
                if done >= most:
                    message = f"the condition still does not hold after {most} rounds, its `max`"
                    raise StepFailed(node.error("REPEAT_LIMIT", message))
            inner = frame.within(inside(place, "round"), f"{frame.path_of(node)}#{done + 1}")
            place["last"] = await Schedule(node.steps("steps"), inner).run()
            place["rounds"] = done + 1
            leave(place, "round")

    @staticmethod
    def _ends(node: Node, frame: Frame, place: Place) -> bool:
        if "while" in node.data["repeat"]:
            return not node.decides(frame, "repeat", "while")
        return bool(place["rounds"]) and node.decides(frame, "repeat", "until")


def _count(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_ROUNDS:
        return value
    raise ValueError(f"{value!r} is no whole number from 1 to {MOST_ROUNDS}")


BODY = Repeat()
