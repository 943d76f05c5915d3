"""``for_each: {in: …, as: item, max_parallel: 4}``: do it for each item of a list.

Items run side by side, at most `max_parallel` of them, and `steps.ID.items` has their outputs in
the order of the list: of one step its output, of a block the map of its steps. With `on_failure`
`stop`, a failure cancels the others and fails the step. With `continue`, or up to `tolerate: N`,
a failed item leaves `{error}` in its place, and `steps.ID.failed` lists it. A loop may have
100 000 items: past some hundred it goes on in segments with a history of their own.

In a workflow::

    name: squares
    config: {numbers: [3, 1, 2]}
    steps:
      - id: each
        for_each: {in: "${config.numbers}", as: n, max_parallel: 2}
        set: {square: "${n * n}", place: "${n_index}"}
    output: {squares: "${steps.each.items.map(one, one.square)}"}

Tried with::

    expect: {output: {squares: [9, 1, 4]}}
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, NAME_HINT, WRONG_TYPE, Step, unknown_keys
from aima.dsl.expression import TYPES
from aima.dsl.json import Json
from aima.dsl.node import Mapping, Scalar
from aima.dsl.node import Node as Written
from aima.dsl.roots import ERROR
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, Type
from aima.dsl.values import ROOTS
from aima.workflows.constructs import RunningModifier
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Call, Frame, Node
from aima.workflows.items import Items, Loop
from aima.workflows.segment import in_segments, needs_segments

BAD_ITEM_NAME = define("loop/bad-name", "The name of an item is no name, or is taken.")

PARALLEL = 10
MOST_PARALLEL = 500

_KEYS = ("in", "as", "index", "max_parallel", "on_failure")
_LIST: JsonSchema = {"type": "array"}
_MOST: JsonSchema = {"type": "integer", "minimum": 1, "maximum": MOST_PARALLEL}
_TOLERATE: JsonSchema = {
    "type": "object",
    "required": ["tolerate"],
    "additionalProperties": False,
    "properties": {
        "tolerate": {"type": "integer", "minimum": 0, "description": "So many may fail."}
    },
}
_ON_FAILURE: JsonSchema = {"anyOf": [{"enum": ["stop", "continue"]}, _TOLERATE]}


class ForEach(RunningModifier):
    """A loop over data; its items run side by side, and its results keep their order."""

    key = "for_each"
    per_item = False
    rank = 40

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {
            "type": "object",
            "required": ["in"],
            "additionalProperties": False,
            "properties": {
                "in": {"type": ["array", "string"], "description": "The list."},
                "as": {
                    "type": "string",
                    "description": "What an item is called.",
                    "default": "item",
                },
                "index": {
                    "type": "string",
                    "description": "What its position is called, from 0; absent: `NAME_index`.",
                },
                "max_parallel": {
                    **_MOST,
                    "default": PARALLEL,
                    "description": f"Items at a time, at most {MOST_PARALLEL}.",
                },
                "on_failure": {
                    **_ON_FAILURE,
                    "default": "stop",
                    "description": "What the failure of an item does.",
                },
            },
        }

    def names(self, value: Written, checker: Checker) -> Map[str, Type]:
        """Give the item and its position."""
        said = value if isinstance(value, Mapping) else Mapping({}, value.mark, value.end)
        items = said.get("in")
        item = checker.type_of(items).item() if items is not None else Type.of(ANY)
        name, position = _names(said)
        return {name: item, position: Type.of({"type": "integer"})}

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is no list, and names that are none."""
        del step
        if not isinstance(value, Mapping):
            hint = 'write {in: "${…}"}'
            checker.findings.error(WRONG_TYPE, value, "`for_each` is a map", hint)
            return
        unknown_keys(value, _KEYS, checker.findings, where="`for_each`")
        if (items := value.get("in")) is None:
            checker.findings.error(MISSING_KEY, value.mark, "`for_each` needs `in`, a list")
        else:
            checker.value(items, _LIST)
        for key in ("as", "index"):
            if (name := value.get(key)) is not None:
                _check_name(name, checker)
        item, position = _names(value)
        if item == position:
            message = f"item and position are both called `{item}`"
            where = value.entries["index"].value
            checker.findings.error(BAD_ITEM_NAME, where, message, "choose another name")
        if (most := value.get("max_parallel")) is not None:
            checker.value(most, _MOST)
        if (choice := value.get("on_failure")) is not None:
            checker.value(choice, _ON_FAILURE)

    def output(self, value: Written, schema: JsonSchema) -> JsonSchema:
        """Give the outputs of the items, and the failures."""
        choice = value.get("on_failure") if isinstance(value, Mapping) else None
        stops = choice is None or (isinstance(choice, Scalar) and choice.value == "stop")
        failed: JsonSchema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["index", "error"],
            "properties": {"index": {"type": "integer"}, "error": ERROR},
        }
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["items", "failed"],
            "properties": {
                "items": {"type": "array", "items": Type.of(schema) if stops else ANY},
                "failed": {"type": "array", "items": failed},
            },
        }

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the loop, what it reads from outside, and how heavy an item is."""
        said = cast("Mapping", value)
        name, position = _names(said)
        return {
            "for_each": {
                "max_parallel": PARALLEL,
                "on_failure": "stop",
                **{key: compiler.value(entry.value) for key, entry in said.entries.items()},
                "as": name,
                "index": position,
                "reads": list(compiler.reads_from_outside(step)),
                "weight": 1 + sum(1 for _ in _inside(step)),
            }
        }

    def accept(self, node: Node) -> None:
        """Refuse a loop over nothing."""
        if not {"in", "as", "index", "reads", "weight"} <= node.data["for_each"].keys():
            raise ValueError("it loops over nothing")

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Run the items here or, where they are many, in segments with a history of their own."""
        items = node.value(frame, "for_each", "in")
        if not isinstance(items, list):
            message = f"`for_each.in` is no list, but {type(items).__name__}"
            raise StepFailed(node.error("VALIDATION_ERROR", message))
        loop = _loop(node, frame)
        running = Items(node, frame, proceed, loop)
        place = frame.place_of(node)
        if "all" not in place:
            place["all"] = len(items)
            frame.run.progress.loop(node, all=len(items))
        if needs_segments(node, len(items)):
            await in_segments(node, frame, loop, items)
        else:
            await running.run(items)
        failed = running.failed
        outputs = [
            running.outputs[str(i)] if str(i) not in failed else _slot(failed[str(i)])
            for i in range(len(items))
        ]
        return {"items": outputs, "failed": [failed[key] for key in sorted(failed, key=int)]}


def _slot(failure: Json) -> Json:
    return {"error": failure["error"]} if isinstance(failure, dict) else failure


def _loop(node: Node, frame: Frame) -> Loop:
    said = node.data["for_each"]
    parallel = node.read(_count, node.value(frame, "for_each", "max_parallel"), "for_each")
    tolerated = node.read(_tolerated, node.value(frame, "for_each", "on_failure"), "for_each")
    names = (str(said["as"]), str(said["index"]))
    return Loop(min(parallel, MOST_PARALLEL), tolerated, names, tuple(said["reads"]))


def _count(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError(f"`max_parallel`: {value!r} is no whole number of at least 1")


def _tolerated(value: Json) -> int | None:
    match value:
        case "stop":
            return 0
        case "continue":
            return None
        case {"tolerate": int(most)} if not isinstance(most, bool) and most >= 0:
            return most
    raise ValueError("`on_failure` is stop, continue or {tolerate: N}")


def _names(said: Mapping) -> tuple[str, str]:
    item, index = said.get("as"), said.get("index")
    name = item.value if isinstance(item, Scalar) else "item"
    position = index.value if isinstance(index, Scalar) else f"{name}_index"
    return str(name), str(position)


def _check_name(name: Written, checker: Checker) -> None:
    import re

    text = name.value if isinstance(name, Scalar) else None
    if not isinstance(text, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", text):
        checker.findings.error(BAD_ITEM_NAME, name, "this is no name of an item", NAME_HINT)
    elif text in ROOTS or text in TYPES or text in ("event", "error"):
        message = f"`{text}` has another meaning in expressions"
        checker.findings.error(BAD_ITEM_NAME, name, message, "choose another name")


def _inside(step: Step) -> Iterator[Step]:
    for inner in step.lists:
        for one in inner.steps:
            yield one
            yield from _inside(one)


MODIFIER = ForEach()
