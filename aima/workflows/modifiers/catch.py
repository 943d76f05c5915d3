"""``catch: [{codes, as, steps}]``: handle chosen errors; what is not chosen propagates.

Handlers are tried in order; the first that takes the error's code runs, and one without `codes`
takes every error. No handler takes a cancel. Its steps read the error under the name in `as`.
Afterwards the step counts as done, with the error as its output. It is asked after all attempts
of `retry`, and before `on_failure`.

In a workflow::

    name: second-best
    steps:
      - id: search
        raise: {code: NOTHING_FOUND, message: no match}
        catch:
          - codes: [NOTHING_FOUND]
            as: problem
            steps: [{id: instead, set: {text: "Sorry, ${problem.message}."}}]
    output: {text: "${has(steps.instead.text) ? steps.instead.text : 'found'}"}

Tried with::

    expect: {output: {text: "Sorry, no match."}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Nested
from aima.dsl.node import Mapping, Scalar, Sequence, to_json
from aima.dsl.node import Node as Written
from aima.dsl.roots import ERROR
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, TEXT, Type
from aima.dsl.values import ROOTS
from aima.workflows.constructs import RunningModifier
from aima.workflows.error_codes import warn_of_misspelt
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Call, Frame, Node, inside
from aima.workflows.schedule import Schedule
from aima.workflows.step_list import STEP_LIST

UNREACHABLE = define("catch/unreachable", "A handler comes after one that handles everything.")
BAD_NAME = define("catch/bad-name", "The name of an error is no name, or is taken.")

_KEYS = ("codes", "as", "steps")
_CODES: JsonSchema = {"type": "array", "minItems": 1, "items": TEXT}


class Catch(RunningModifier):
    """Handlers, of which the first that takes the error's code runs; the output is the error."""

    key = "catch"
    rank = 50

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        handler = {
            "type": "object",
            "required": ["steps"],
            "additionalProperties": False,
            "properties": {
                "codes": {**_CODES, "description": "Which errors; all where it is absent."},
                "as": {
                    "type": "string",
                    "default": "error",
                    "description": "The name under which its steps read the error.",
                },
                "steps": {**STEP_LIST, "description": "What to do instead."},
            },
        }
        return {"type": "array", "minItems": 1, "items": handler}

    def nested(self, value: Written, step: Mapping) -> Iterator[Nested]:
        """Give the steps of each handler; one that a literal `raise` leads to is certain."""
        raised = _raised(step)
        for index, handler in enumerate(_handlers(value)):
            takes = raised is not None and _takes(handler, raised)
            if (steps := handler.get("steps")) is not None:
                path = ("catch", index, "steps")
                yield Nested(path, steps, certain=takes, rank=1, error=_name(handler))
            if takes:
                raised = None

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell handlers without steps, and those that come too late."""
        del step
        if not isinstance(value, Sequence) or not value.items:
            hint = "write - {codes: [TIMEOUT], steps: […]}"
            checker.findings.error(WRONG_TYPE, value, "`catch` is a list of handlers", hint)
            return
        everything, taken = False, set[object]()
        for handler in value.items:
            if everything:
                message = "this handler is never reached: one before it takes every error"
                checker.findings.error(UNREACHABLE, handler.mark, message, "put it further up")
            elif (codes := _codes(handler)) and codes <= taken:
                message = "this handler is never reached: those before it take all its codes"
                checker.findings.error(UNREACHABLE, handler.mark, message, "remove it")
            taken |= _codes(handler)
            if not isinstance(handler, Mapping):
                checker.findings.error(WRONG_TYPE, handler, "a handler is a map", "write {steps}")
                continue
            unknown_keys(handler, _KEYS, checker.findings, where="a handler")
            if "steps" not in handler.entries:
                checker.findings.error(MISSING_KEY, handler.mark, "a handler needs `steps`")
            if (named := handler.get("codes")) is not None:
                checker.literal(named, _CODES)
                warn_of_misspelt(named, checker)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", _name(handler)) or _name(handler) in ROOTS:
                where = handler.entries["as"].value
                checker.findings.error(BAD_NAME, where, "this is no name for an error")
            everything = everything or "codes" not in handler.entries

    def output(self, value: Written, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind, or the error."""
        del value
        return with_error(schema)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the handlers."""
        handlers: list[Json] = []
        for index, handler in enumerate(_handlers(value)):
            compiled: dict[str, Json] = {
                "as": _name(handler),
                "steps": compiler.steps(step, ("catch", index, "steps")),
            }
            if (codes := handler.get("codes")) is not None:
                compiled["codes"] = to_json(codes)
            handlers.append(compiled)
        return {"catch": handlers}

    def accept(self, node: Node) -> None:
        """Read the steps of each handler."""
        for index, _ in enumerate(node.data["catch"]):
            node.steps("catch", index, "steps")

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Handle an error, once: a continued run goes on in the handler."""
        place = frame.place_of(node)
        if "caught" not in place:
            try:
                return await proceed(frame)
            except StepFailed as failure:
                chosen = _chosen(node, failure.error.code)
                if chosen is None:
                    raise
                frame.run.progress.note(node, went_on=1)
                place["caught"] = {"handler": chosen, "error": failure.error.data()}
        caught: dict[str, Any] = place["caught"]
        index, error = caught["handler"], caught["error"]
        roots = {**frame.roots, str(node.at("catch", index, "as")): error}
        inner = replace(frame.within(inside(place, "catch")), roots=roots)
        await Schedule(node.steps("catch", index, "steps"), inner).run()
        return {"error": error}


def with_error(schema: JsonSchema) -> JsonSchema:
    """Give the type of what a step leaves behind that may leave ``{error}`` instead.

    Its fields count as present: which of the two it is, only the run can tell, and files of the
    earlier system read them without asking.
    """
    here = Type.of(schema).resolved().schema
    if "properties" not in here:
        return ANY
    properties = {**here["properties"], "error": ERROR}
    return {**here, "properties": properties, "required": list(properties)}


def _chosen(node: Node, code: str) -> int | None:
    for index, handler in enumerate(node.data["catch"]):
        if "codes" not in handler or code in handler["codes"]:
            return index
    return None


def _handlers(value: Written) -> list[Mapping]:
    items = value.items if isinstance(value, Sequence) else ()
    return [h if isinstance(h, Mapping) else Mapping({}, h.mark, h.end) for h in items]


def _codes(handler: Written) -> set[object]:
    said = handler.get("codes") if isinstance(handler, Mapping) else None
    items = said.items if isinstance(said, Sequence) else ()
    return {item.value for item in items if isinstance(item, Scalar)}


def _name(handler: Mapping) -> str:
    said = handler.get("as")
    return str(said.value) if isinstance(said, Scalar) else "error"


def _raised(step: Mapping) -> str | None:
    """Give the code of a `raise` that is certain among the steps of a block."""
    steps = step.get("steps")
    for one in steps.items if isinstance(steps, Sequence) else ():
        if isinstance(one, Mapping) and "if" not in one.entries:
            said = one.get("raise")
            code = said.get("code") if isinstance(said, Mapping) else None
            if isinstance(code, Scalar) and isinstance(code.value, str):
                return code.value
    return None


def _takes(handler: Mapping, code: str) -> bool:
    codes = handler.get("codes")
    if not isinstance(codes, Sequence):
        return codes is None
    return any(isinstance(item, Scalar) and item.value == code for item in codes.items)


MODIFIER = Catch()
