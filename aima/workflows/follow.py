"""A step that follows another: it reads its answer while that is still being made.

The compiler makes a step follow where it reads exactly ``${steps.A.field}`` into an input that
accepts a stream, and ``A`` shows that field (`stream: true`). It then starts together with
``A``, and its unit reads the stream. What ``A`` leaves behind remains the truth: a step that
heard something else, or nothing, runs again with that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from aima.dsl.compile import Compiler
from aima.dsl.document import Document, Step
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.node import Mapping, Scalar, to_json
from aima.dsl.node import Node as Written
from aima.dsl.order import said_before, steps_read
from aima.dsl.signature import Signature
from aima.workflows.activity import call_of, perform
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node

STREAM = "x-stream"
"""In a unit's schema: an input that may be read while it is written, an output shown so."""

LOST = "STREAM_LOST"
"""The code of an attempt that found no stream to follow."""

_FOLLOWER_WITHOUT = ("if", "for_each", "cache")
_FOLLOWED_WITHOUT = (*_FOLLOWER_WITHOUT, "catch", "on_failure")


def compile_follow(step: Step, signature: Signature, compiler: Compiler) -> dict[str, Json]:
    """Give ``follows: {step, field, input}`` where a step can follow another."""
    given = step.get("input")
    plain = all(step.get(key) is None for key in _FOLLOWER_WITHOUT)
    if not plain or not signature.idempotent or not isinstance(given, Mapping):
        return {}
    for name, entry in given.entries.items():
        if _is_stream(signature.input, name):
            read = path_read(entry.value, compiler.document)
            if read is not None and _can_be_followed(read, step, compiler):
                return {"follows": {"step": read[0], "field": read[1], "input": name}}
    return {}


def path_read(value: Written, document: Document) -> tuple[str, str] | None:
    """Give the step and the field of ``${steps.A.field}``; None for any other value."""
    text = value.value if isinstance(value, Scalar) else None
    if not isinstance(text, str) or "${" not in text:
        return None
    with suppress(ExpressionError):  # told by the check of the value
        template = document.template(text)
        if template.is_path:
            return _field_of(template.reads[0].path)
    return None


def _field_of(path: tuple[str, ...]) -> tuple[str, str] | None:
    match path:
        case ("steps", step, field):
            return step, field
    return None


def _can_be_followed(read: tuple[str, str], by: Step, compiler: Compiler) -> bool:
    """Tell whether a step beside ``by`` certainly runs, shows that field, and is read only so."""
    name, field = read
    beside = {step.id: step for step in compiler.scopes.places[by.id][-1].list.steps}
    step = beside.get(name)
    if step is None or step.body != "type":
        return False
    if any(step.get(key) is not None for key in _FOLLOWED_WITHOUT):
        return False
    shown = step.get("stream")
    unit = step.get("type")
    signature = compiler.signatures.get(str(unit.value) if isinstance(unit, Scalar) else "")
    reads = list(steps_read(compiler.document.texts_of(by)))
    return (
        shown is not None
        and to_json(shown) is True
        and signature is not None
        and _is_stream(signature.output, field)
        and reads.count(name) == 1
        and name not in said_before(by)
    )


def could_follow(by: Step, unit: Signature, document: Document) -> Iterator[tuple[str, str]]:
    """Give the steps whose fields a step reads where its unit accepts a stream."""
    given = by.get("input")
    for name, entry in given.entries.items() if isinstance(given, Mapping) else ():
        if _is_stream(unit.input, name) and (read := path_read(entry.value, document)):
            yield read


def shows_field(unit: Signature, field: str) -> bool:
    """Tell whether a unit shows a field of its output while it makes it."""
    return _is_stream(unit.output, field)


def shows(unit: Signature) -> bool:
    """Tell whether a unit shows a text while it makes it."""
    return any(_is_stream(unit.output, name) for name in unit.output.get("properties", {}))


def _is_stream(schema: Any, name: str) -> bool:  # noqa: ANN401 - a JSON Schema
    return bool(schema.get("properties", {}).get(name, {}).get(STREAM))


async def follow(node: Node, frame: Frame) -> Json | None:
    """Run a unit that reads a stream; None where it is to run with what is there at last.

    Raises:
        StepFailed: the unit failed for good.
    """
    told = cast("dict[str, str]", node.data["follows"])
    if told["step"] in frame.place["done"] or frame.ended is None:
        return None
    source: Json = {"run": frame.run.status["id"], "step": f"{frame.path}{told['step']}"}
    outputs = {**frame.outputs, told["step"]: {told["field"]: source}}
    call = call_of(node, replace(frame, roots={**frame.roots, "steps": outputs}))
    call = replace(call, more={**call.more, "follows": source})
    try:
        output = await perform(call, node, frame, frame.path_of(node))
    except StepFailed as failure:
        if failure.error.code != LOST:
            raise
        output = None
    await frame.ended(told["step"])
    if output is None:
        return None
    heard = cast("dict[str, Json]", output)
    followed = cast("dict[str, Json]", frame.outputs[told["step"]])
    text = str(followed[told["field"]])
    if heard["heard"] != hashlib.sha256(text.encode()).hexdigest():
        return None
    return heard["output"]
