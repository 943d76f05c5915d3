"""``switch: [{if, steps}, …, {else: […]}]``: run the first branch whose condition is true.

At most one branch runs; without `else`, perhaps none. Steps of a branch are read from outside
with `has`, since another branch may have been chosen.

In a workflow::

    name: greet
    config: {language: de}
    steps:
      - id: greeting
        switch:
          - if: ${config.language == 'de'}
            steps: [{id: german, set: {text: Guten Tag}}]
          - if: ${config.language == 'fr'}
            steps: [{id: french, set: {text: Bonjour}}]
          - else: [{id: english, set: {text: Good day}}]
    output: ${steps.greeting}

Tried with::

    expect: {output: {german: {text: Guten Tag}}}
"""

from __future__ import annotations

from collections.abc import Iterator

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Mapping, Scalar, Sequence
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningBody
from aima.workflows.frame import Frame, Node, inside
from aima.workflows.schedule import Schedule
from aima.workflows.shapes import condition
from aima.workflows.step_list import STEP_LIST

UNREACHABLE = define("switch/unreachable", "A branch can never be chosen.")


class Switch(RunningBody):
    """Branches, of which at most one runs."""

    keys = ("switch",)
    nests = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        branch = {
            "type": "object",
            "required": ["if", "steps"],
            "additionalProperties": False,
            "properties": {
                "if": condition("Whether this branch is chosen, if none before it is."),
                "steps": {**STEP_LIST, "description": "What to do then."},
            },
        }
        otherwise = {
            "type": "object",
            "required": ["else"],
            "additionalProperties": False,
            "properties": {"else": {**STEP_LIST, "description": "What to do where none is."}},
        }
        return {
            "switch": {
                "type": "array",
                "minItems": 1,
                "items": {"if": {"required": ["else"]}, "then": otherwise, "else": branch},
                "description": "Branches; the first one whose `if` is true runs.",
            }
        }

    def nested(self, node: Mapping) -> Iterator[Nested]:
        """Give the steps of each branch."""
        for index, branch in enumerate(_branches(node)):
            for key in ("steps", "else"):
                if (steps := branch.get(key)) is not None:
                    path = ("switch", index, key)
                    yield Nested(path, steps, certain=False, when=branch.get("if"))

    def check(self, step: Step, checker: Checker) -> None:
        """Tell branches without condition or steps, and those that none can reach."""
        given = step.get("switch")
        if not isinstance(given, Sequence) or not given.items:
            where = given if given is not None else step.node.mark
            message = "`switch` is a list of branches"
            checker.findings.error(WRONG_TYPE, where, message, "write - {if: …, steps: […]}")
            return
        closed, asked = False, set[str]()
        for branch in given.items:
            condition = _condition(branch)
            if closed:
                message = "this branch is never reached: one before it always runs"
                checker.findings.error(UNREACHABLE, branch.mark, message, "put it further up")
            elif condition in asked:
                message = "this branch is never reached: one before it has the same condition"
                checker.findings.error(UNREACHABLE, branch.mark, message, "change one of the two")
            asked |= {condition} - {""}
            closed = self._check_branch(branch, checker) or closed

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what any branch may leave behind."""
        properties = {s.id: checker.output(s.id) for inner in step.lists for s in inner.steps}
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the branches; the last one may have no condition."""
        branches: list[Json] = []
        for index, branch in enumerate(_branches(step.node)):
            key = "else" if "else" in branch.entries else "steps"
            compiled: dict[str, Json] = {"steps": compiler.steps(step, ("switch", index, key))}
            if (condition := branch.get("if")) is not None:
                compiled["if"] = compiler.value(condition)
            branches.append(compiled)
        return {"switch": branches}

    def accept(self, node: Node) -> None:
        """Read the steps of each branch."""
        for index, _ in enumerate(node.data["switch"]):
            node.steps("switch", index, "steps")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run the first branch whose condition is true; without one, nothing."""
        place = frame.place_of(node)
        if "branch" not in place:
            place["branch"] = self._chosen(node, frame)
        chosen: int | None = place["branch"]
        frame.run.progress.note(node, branch=-1 if chosen is None else chosen)
        if chosen is None:
            return {}
        steps = node.steps("switch", chosen, "steps")
        return await Schedule(steps, frame.within(inside(place, "steps"))).run()

    @staticmethod
    def _chosen(node: Node, frame: Frame) -> int | None:
        for index, branch in enumerate(node.data["switch"]):
            if "if" not in branch or node.decides(frame, "switch", index, "if"):
                return index
        return None

    @staticmethod
    def _check_branch(branch: Written, checker: Checker) -> bool:
        """Check one branch; tell whether it always runs."""
        if not isinstance(branch, Mapping):
            checker.findings.error(WRONG_TYPE, branch, "a branch is a map", "write {if, steps}")
            return False
        condition = branch.get("if")
        if "else" in branch.entries:
            unknown_keys(branch, ("else",), checker.findings, where="an `else` branch")
            return True
        unknown_keys(branch, ("if", "steps"), checker.findings, where="a branch")
        for key in ("if", "steps"):
            if key not in branch.entries:
                checker.findings.error(MISSING_KEY, branch.mark, f"a branch needs `{key}`")
        if condition is not None:
            checker.condition(condition)
            if checker.decided(condition) is False:
                message = "this branch never runs: its condition is false"
                checker.findings.error(UNREACHABLE, condition, message, "remove it")
        return condition is not None and checker.decided(condition) is True


def _condition(branch: Written) -> str:
    """Give the expression that a branch asks; empty where it asks none."""
    said = branch.get("if") if isinstance(branch, Mapping) else None
    text = said.value if isinstance(said, Scalar) else None
    return text if isinstance(text, str) and "${" in text else ""


def _branches(node: Mapping) -> list[Mapping]:
    """Give the branches that are maps; others hold no steps."""
    given = node.get("switch")
    items = given.items if isinstance(given, Sequence) else ()
    return [b if isinstance(b, Mapping) else Mapping({}, b.mark, b.end) for b in items]


BODY = Switch()
