"""``type: unit.name`` + ``input: {…}``: run a unit as an activity."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.json import Json
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node as Written
from aima.dsl.node import Scalar
from aima.dsl.signature import JsonSchema, Signature, Signatures
from aima.dsl.types import ANY
from aima.dsl.values import shortened
from aima.workflows.failure import StepFailed, from_activity
from aima.workflows.frame import Frame, Node
from aima.workflows.retry_policy import retry_policy

UNKNOWN_UNIT = define("unit/unknown", "No unit has this name.")
BAD_INPUT = define("unit/bad-input", "A unit's `input` is not a map.")

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""Silence after which a worker is taken for dead; it beats every half second."""

DEADLINE = timedelta(days=1)
"""The deadline of a step whose author gave none."""

_POLICY = frozenset({"max_attempts", "delay", "backoff", "max_delay", "non_retryable"})


class UnitBody:
    """A step that runs a unit."""

    keys = ("type", "input")

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {
            "type": {"type": "string", "description": "Name of the unit."},
            "input": {"type": "object", "description": "What the unit takes."},
        }

    def check(self, step: Step, checker: Checker) -> None:
        """Tell an unknown unit, and what its input does not fit."""
        signature = signature_of(step, checker.signatures)
        node = step.get("type")
        if signature is None:
            _tell_unknown(cast("Written", node), checker)
            return
        given = step.get("input")
        if given is None:
            given = MappingNode({}, step.node.mark, step.node.mark)
        if isinstance(given, MappingNode):
            checker.value(given, signature.input)
        else:
            checker.findings.error(BAD_INPUT, given, "`input` is a map of what the unit takes")

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what the unit declares to return."""
        signature = signature_of(step, checker.signatures)
        return signature.output if signature is not None else ANY

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the unit's name, its input, and its defaults."""
        signature = compiler.signatures[str(cast("Scalar", step.get("type")).value)]
        given = step.get("input")
        return {
            **unit_defaults(signature),
            "input": compiler.value(given) if given is not None else {},
        }

    def accept(self, data: Mapping[str, Any]) -> None:
        """Refuse a step of a plan that names no unit."""
        match data:
            case {"unit": str(), "input": _, "retry": {**policy}} if policy.keys() == _POLICY:
                return
        raise ValueError("it calls no unit")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run the unit as an activity of its own name."""
        async with frame.window.place():
            payload = _payload(node, frame)
            policy = retry_policy(node, frame)
            await frame.window.carry(len(payload.data))
            try:
                output: Json = await workflow.execute_activity(
                    str(node.data["unit"]),
                    args=[RawValue(payload), _call(node, frame)],
                    activity_id=frame.activity_id(node),
                    summary=node.id,
                    start_to_close_timeout=node.duration("timeout", frame),
                    schedule_to_close_timeout=node.duration("deadline", frame) or DEADLINE,
                    heartbeat_timeout=HEARTBEAT_TIMEOUT,
                    retry_policy=policy,
                    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                )
            except ActivityError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # the run or a sibling ended this step
                    raise asyncio.CancelledError from error
                told = from_activity(error, node, most_attempts=policy.maximum_attempts)
                raise StepFailed(told) from error
        return output


def signature_of(step: Step, signatures: Signatures) -> Signature | None:
    """Give the signature of the unit that a step runs; None where it runs none that is known."""
    node = step.get("type")
    return signatures.get(str(node.value)) if isinstance(node, Scalar) else None


def unit_defaults(signature: Signature) -> dict[str, Json]:
    """Give what a unit brings into a plan where the author is silent; times in seconds."""
    retry = signature.retry
    return {
        "unit": signature.name,
        "timeout": signature.timeout.total_seconds(),
        "retry": {
            "max_attempts": retry.attempts,
            "delay": retry.delay.total_seconds(),
            "backoff": retry.backoff,
            "max_delay": retry.max_delay.total_seconds(),
            "non_retryable": [],
        },
    }


def _call(node: Node, frame: Frame) -> dict[str, Json]:
    """Tell the worker what it needs besides the input."""
    call: dict[str, Json] = {"effect": frame.effect_key(node)}
    heartbeat = node.duration("heartbeat", frame)
    if heartbeat is not None:
        call["heartbeat"] = heartbeat.total_seconds()
    return call


def _payload(node: Node, frame: Frame) -> Payload:
    """Encode a step's input once: its size is needed before it is sent."""
    try:
        return workflow.payload_converter().to_payload(node.value("input", frame))
    except ApplicationError as error:  # too large, or no JSON
        code = error.type or "VALIDATION_ERROR"
        raise StepFailed(node.error(code, f"`input`: {error.message}")) from error


def _tell_unknown(node: Written, checker: Checker) -> None:
    if not (isinstance(node, Scalar) and isinstance(node.value, str)):
        checker.findings.error(WRONG_TYPE, node, "`type` is the name of a unit")
        return
    near = nearest(node.value, checker.signatures)
    hint = f"did you mean `{near}`?" if near else "`aima units` lists them"
    checker.findings.error(UNKNOWN_UNIT, node, f"no unit is called `{shortened(node.value)}`", hint)


BODY = UnitBody()
