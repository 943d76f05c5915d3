"""``retry: {max_attempts, delay, backoff, max_delay, non_retryable}``: how to try again.

For a unit it is Temporal's retry policy, and what is not said stays as the unit has it. For
anything else it is a policy of passes: before another one, what the failed pass did is undone.
Validation, authorization, not-found and size errors are never tried again, nor is a `deadline`
that is over. `delay_seconds` is the older spelling of `delay`, and implies `backoff: 1`.

In a workflow::

    name: stubborn
    steps:
      - id: answer
        type: template.render
        retry: {max_attempts: 4, delay: 500ms, backoff: 3, max_delay: 1m}
        input: {text: at last}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins:
      answer:
        - {error: {code: ENGINE_NOT_RUNNING}}
        - {error: {code: ENGINE_NOT_RUNNING}}
        - {output: {text: at last}}
    expect: {output: {text: at last}, calls: {answer: 3}}
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from temporalio import workflow

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Step, unknown_keys
from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.dsl.node import Mapping, Scalar
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.workflows.bodies.unit import signature_of, unit_defaults
from aima.workflows.constructs import RunningModifier
from aima.workflows.duration_modifier import check_duration
from aima.workflows.error_codes import warn_of_misspelt
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Call, Frame, Node, inside, leave
from aima.workflows.retry_policy import MOST_ATTEMPTS, retry_policy
from aima.workflows.shapes import duration
from aima.workflows.undo import belongs_to, undo

NOT_IDEMPOTENT = define("retry/not-idempotent", "A unit is retried that is not idempotent.")

_TEN_YEARS = 3650 * 86_400
_PLAIN: dict[str, JsonSchema] = {
    "max_attempts": {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_ATTEMPTS,
        "description": "How often it is tried, the first time included.",
    },
    "backoff": {
        "type": "number",
        "minimum": 1,
        "default": 2,
        "description": "By how much each pause is longer than the one before.",
    },
    "non_retryable": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Codes of errors after which nothing is tried again.",
    },
    "delay_seconds": {
        "type": "number",
        "minimum": 0,
        "maximum": _TEN_YEARS,
        "description": "`delay` as older files spell it; implies `backoff: 1`.",
    },
}
_DURATIONS = {
    "delay": duration("The pause before the second attempt."),
    "max_delay": duration("No pause is longer."),
}


_NEVER = frozenset(
    {
        "INVALID_REQUEST",
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "QUOTA_EXCEEDED",
        "UNIT_NOT_FOUND",
        "MODEL_NOT_FOUND",
        "RESOURCE_NOT_FOUND",
        "CONFLICT",
        "TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "CANCELLED",
    }
)
"""What another attempt cannot mend."""

_OF_A_BLOCK: dict[str, Json] = {
    "max_attempts": 3,
    "delay": 1,
    "backoff": 2,
    "max_delay": 60,
    "non_retryable": [],
}


class Retry(RunningModifier):
    """Temporal's retry policy; what is not said stays as the unit has it.

    Around anything else it is a policy of passes: what a failed pass did is undone, and what
    its steps left behind is forgotten, before there is another one.
    """

    key = "retry"
    rank = 70

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        properties = _PLAIN | _DURATIONS
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell unknown keys and values that make no policy."""
        if not isinstance(value, Mapping):
            message = "`retry` is a map"
            checker.findings.error(WRONG_TYPE, value, message, "write {max_attempts: 3}")
            return
        unknown_keys(value, (*_PLAIN, *_DURATIONS), checker.findings, where="`retry`")
        for key, schema in _PLAIN.items():
            if (given := value.get(key)) is not None:
                checker.value(given, schema)
        for key in _DURATIONS:
            if (given := value.get(key)) is not None:
                check_duration(given, checker, parse_duration)
        if (codes := value.get("non_retryable")) is not None:
            warn_of_misspelt(codes, checker)
        self._check_idempotent(value, step, checker)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the policy with the author's words over the unit's."""
        signature = signature_of(step, compiler.signatures)
        defaults = unit_defaults(signature)["retry"] if signature is not None else _OF_A_BLOCK
        return {"retry": compile_policy(value, defaults, compiler)}

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Run pass after pass."""
        said = node.value(frame, "retry")
        assert isinstance(said, dict)  # noqa: S101 - the compiler made it
        policy = retry_policy(node, said)
        place, path = frame.place_of(node), frame.path_of(node)
        while True:
            number: int = place.setdefault("pass", 1)
            if number > 1:
                frame.run.progress.note(node, **{"pass": number})
            if place.get("failed") != number:  # else a history before has seen it
                try:
                    return await proceed(_pass(node, frame, number))
                except StepFailed as failure:
                    code = failure.error.code
                    tried = number - place.get("before", 0)
                    if tried >= policy.maximum_attempts or code in _NEVER:
                        raise
                    if code in (policy.non_retryable_error_types or ()):
                        raise
                place["failed"] = number
            if frame.closing:
                raise asyncio.CancelledError
            await frame.run.shielded(undo(frame.run, belongs_to(node, frame)))
            for inner in [n for steps in node.lists() for n in steps.all_nodes()]:
                frame.outputs.pop(inner.id, None)
            wait = policy.initial_interval * policy.backoff_coefficient ** min(number - 1, 60)
            longest = policy.maximum_interval or wait
            left = frame.run.until(place, f"pause{number}", min(wait, longest))
            again = {"for": f"pass {number + 1}", "until": place[f"pause{number}"]}
            with frame.run.progress.waiting(node, frame, **again):
                await workflow.sleep(left, summary=f"{path}: before pass {number + 1}")
            leave(place, f"pass{number}")
            place["pass"] = number + 1

    def _check_idempotent(self, value: Mapping, step: Step, checker: Checker) -> None:
        unit = signature_of(step, checker.signatures)
        once = isinstance(most := value.get("max_attempts"), Scalar) and most.value == 1
        if unit is not None and not unit.idempotent and not once:
            message = f"`{unit.name}` is not idempotent; its effect is recorded, yet an outside "
            message += "system must know the effect key to drop a repeat"
            checker.findings.warning(NOT_IDEMPOTENT, value, message)


def compile_policy(value: Written, defaults: Json, compiler: Compiler) -> dict[str, Json]:
    """Give a policy: the author's words over others."""
    said = cast("dict[str, Json]", compiler.value(value))
    if "delay_seconds" in said:
        said = {"backoff": 1, "delay": said["delay_seconds"], **said}
        del said["delay_seconds"]
    return {**cast("dict[str, Json]", defaults), "backoff": 2, **said}


def _pass(node: Node, frame: Frame, number: int) -> Frame:
    """Make the frame of a pass; the first one has the paths of a step that is not retried."""
    place, path = inside(frame.place_of(node), f"pass{number}"), frame.path_of(node)
    if number == 1:
        return replace(frame, place=place, own=(node.id, path))
    return replace(frame, place=place, path=f"{path}@{number}.", own=(node.id, f"{path}@{number}"))


MODIFIER = Retry()
