"""``workflow: name | ./file.yaml`` + ``input``: run another workflow as a child.

The child has its own history and its own name in the Temporal UI. It is found by name like any
workflow, or by a path beside this file. Its plan is compiled into this one, so a later change of
its file changes no run. A cancel reaches it. Once it has ended, its undos are gone: a
`compensate` of the step covers it.

In a workflow::

    name: ask-by-voice
    inputs:
      type: object
      required: [audio]
      properties: {audio: {type: string, format: artifact, contentMediaType: audio/*}}
    steps:
      - id: talk
        workflow: voice-assistant
        input: {audio: "${input.audio}"}
    output: {text: "${steps.talk.response}"}

Tried with::

    input:
      audio: &sound
        artifact: sha256:0000000000000000000000000000000000000000000000000000000000000000
        media_type: audio/wav
        bytes: 1
    stand_ins:
      transcribe:
        output: {text: What is two and two?, model: m, language: en, segments: []}
      chat:
        output:
          content: Four.
          response: {content: Four.}
          finish_reason: stop
          model: m
          usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2}
      synthesize:
        output:
          audio: *sound
          format: wav
          duration: 1.0
          model: m
    expect: {output: {text: Four.}}
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import (
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ParentClosePolicy

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.inputs import accept_input
from aima.dsl.json import Json
from aima.dsl.library import NotThere
from aima.dsl.node import Mapping, Scalar
from aima.dsl.plan import Plan
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY
from aima.errors import ValidationFailed
from aima.workflows.children import result_of
from aima.workflows.constructs import RunningBody
from aima.workflows.failure import StepFailed, from_child
from aima.workflows.frame import Frame, Node

UNKNOWN = define("workflow/unknown", "There is no such workflow, or it cannot be run.")


MOST_PLAN_CHARACTERS = 8_000_000
"""Of all children together; every run keeps them in memory."""


class Workflow(RunningBody):
    """A child with its own history and its own name in the Temporal UI."""

    keys = ("workflow", "input")

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        description = "Name of a workflow, or path of a file beside this one."
        return {
            "workflow": {"type": "string", "description": description},
            "input": {"type": "object", "description": "What the child's input is."},
        }

    def check(self, step: Step, checker: Checker) -> None:
        """Tell a workflow that is not there, and an input that does not fit it."""
        node = step.node.entries["workflow"].value
        if not (isinstance(node, Scalar) and isinstance(node.value, str)):
            checker.findings.error(WRONG_TYPE, node, "`workflow` is a name or a path")
            return
        try:
            child = checker.library.workflow(node.value)
        except NotThere as error:
            checker.findings.error(UNKNOWN, node, error.message, error.hint)
            return
        if total_characters(step, checker) > MOST_PLAN_CHARACTERS:
            message = "the plans of all children together are too large for one run"
            hint = "run one child in a loop instead of many"
            checker.findings.error(UNKNOWN, node, message, hint)
        given = step.get("input")
        if given is None:
            given = Mapping({}, step.node.mark, step.node.mark)
        schema = child.plan.data["inputs"]
        checker.value(given, schema if isinstance(schema, dict) else {"type": "object"})

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what the child leaves behind."""
        node = step.node.entries["workflow"].value
        try:
            return checker.library.workflow(str(cast("Scalar", node).value)).output
        except (NotThere, AttributeError):
            return ANY

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the child's whole plan, so that a change of its file changes no run."""
        node = cast("Scalar", step.node.entries["workflow"].value)
        given = step.get("input")
        return {
            "plan": compiler.library.workflow(str(node.value)).plan.data,
            "input": compiler.value(given) if given is not None else {},
        }

    def accept(self, node: Node) -> None:
        """Refuse what carries no plan."""
        if not {"name", "format", "steps"} <= node.data["plan"].keys():
            raise ValueError("it has no plan of a child")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run the child, and wait for it."""
        plan: dict[str, Any] = node.data["plan"]
        try:
            given = accept_input(Plan(plan), node.value(frame, "input"))
        except ValidationFailed as error:
            raise StepFailed(node.error("VALIDATION_ERROR", error.message)) from error
        path = frame.path_of(node)
        begun = frame.run.state.get("children", {}).pop(path, {})
        async with frame.run.window.place():
            try:
                handle = await workflow.start_child_workflow(
                    str(plan["name"]),
                    args=[
                        {"input": given, "config": {}, "child": True, **begun},
                        RawValue(_payload(node)),
                    ],
                    id=f"{workflow.info().workflow_id}/{path}",
                    parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                    static_summary=path,
                )
                output: Json = await result_of(handle)
            except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
                task = asyncio.current_task()
                if is_cancelled_exception(error) and task is not None and task.cancelling():
                    raise asyncio.CancelledError from error
                raise StepFailed(from_child(error, node)) from error
        return output


def total_characters(step: Step, checker: Checker) -> int:
    """Add up the plans that a document embeds, at its first child; 0 at the others."""
    children = [one for one in checker.document.all_steps if one.body == "workflow"]
    total = 0
    for child in children if step is children[0] else ():
        with suppress(NotThere, AttributeError):  # told where they stand
            named = cast("Scalar", child.node.entries["workflow"].value)
            total += len(checker.library.workflow(str(named.value)).plan.text)
    return total


def _payload(node: Node) -> Payload:
    """Encode the child's plan: the same bytes every time, so that a worker reads them once."""
    payload = workflow.payload_converter().to_payload(None)
    payload.metadata["encoding"] = b"json/plain"
    payload.data = _text(node)
    return payload


@lru_cache(maxsize=256)
def _text(node: Node) -> bytes:
    return json.dumps(node.data["plan"], separators=(",", ":"), ensure_ascii=False).encode()


BODY = Workflow()
