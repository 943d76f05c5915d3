"""``concurrency: {key, limit, on_conflict}``: how many runs with one key at a time.

A run holds its slot until it has cleaned up. When all slots of the key are taken, a run waits its
turn (`queue`), fails with `CONFLICT` (`reject`), or cancels the run that holds the slot and waits
for its cleanup (`cancel_running`). Keys hold across all workflows; a child shares its parent's.
The run's `timeout` starts with the slot.

In a workflow::

    name: one-per-room
    inputs: {type: object, required: [room], properties: {room: {type: string}}}
    concurrency: {key: "voice/${input.room}", limit: 1, on_conflict: queue}
    steps:
      - {id: done, set: {text: "${input.room} is ready"}}
    output: {text: "${steps.done.text}"}

Tried with::

    input: {room: kitchen}
    expect: {output: {text: kitchen is ready}}
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping as Map
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, TemporalError
from temporalio.workflow import ActivityCancellationType

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, unknown_keys
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.node import Mapping, Node
from aima.dsl.signature import JsonSchema
from aima.dsl.template import evaluator, to_text
from aima.dsl.types import TEXT
from aima.workflows.constructs import Proceed, RunningSection
from aima.workflows.failure import RunCancelled, StepError, StepFailed
from aima.workflows.run import Run
from aima.workflows.schedule import check_cancelled

_LIMIT: JsonSchema = {"type": "integer", "minimum": 1}
_CHOICES: JsonSchema = {"enum": ["queue", "reject", "cancel_running"]}


class Concurrency(RunningSection):
    """A slot that a run holds from before its first step until it has cleaned up.

    Keys are global and first come, first served. A child shares its ancestor's slot.
    """

    key = "concurrency"
    rank = 0

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {
            "type": "object",
            "required": ["key"],
            "additionalProperties": False,
            "properties": {
                "key": {**TEXT, "description": "Runs with the same key share the slots."},
                "limit": {**_LIMIT, "default": 1, "description": "How many slots there are."},
                "on_conflict": {
                    **_CHOICES,
                    "default": "queue",
                    "description": "What a run does that finds no slot.",
                },
            },
        }

    def check(self, value: Node, checker: Checker) -> None:
        """Tell a slot without a key."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`concurrency` is a mapping")
            return
        unknown_keys(value, ("key", "limit", "on_conflict"), checker.findings, where="it")
        if (key := value.get("key")) is None:
            checker.findings.error(MISSING_KEY, value.mark, "`concurrency` needs a `key`")
        else:
            checker.value(key, TEXT)
        if (limit := value.get("limit")) is not None:
            checker.value(limit, _LIMIT)
        if (choice := value.get("on_conflict")) is not None:
            checker.literal(choice, _CHOICES)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give key, limit and what to do, and where it stands."""
        said = compiler.value(value)
        assert isinstance(said, dict)  # noqa: S101 - the check has seen to it
        at: list[Json] = [value.mark.line, value.mark.column]
        return {"concurrency": {"limit": 1, "on_conflict": "queue", **said, "at": at}}

    async def around(self, run: Run, proceed: Proceed) -> Json:
        """Get a slot, run, and give it back."""
        if run.request.get("child"):
            return await proceed()
        said: Map[str, Any] = run.program.plan["concurrency"]
        place: dict[str, Any] = run.state["sections"].setdefault(self.key, {})
        if "key" not in place:
            place.update(_evaluated(run, said))
        try:
            if not place.get("granted"):
                if run.cancelled:
                    raise RunCancelled  # noqa: TRY301 - it gives back what it asked for
                await run.interruptible(_acquired(run, place, said))
            output = await proceed()
        except (Exception, asyncio.CancelledError):  # not the end of the coroutine itself
            await _released(place["key"])
            raise
        await _released(place["key"])
        return output


async def _released(key: str) -> None:
    slots = workflow.get_external_workflow_handle(f"aima-slots:{key}")
    with suppress(TemporalError):  # nobody wanted a slot for so long that it has ended
        await slots.signal("release", workflow.info().workflow_id)


async def _acquired(run: Run, place: dict[str, Any], said: Map[str, Any]) -> Json:
    if place.get("granted"):
        return None
    try:
        async with run.window.place():
            answer = await workflow.execute_activity(
                "aima.acquire",
                {key: place[key] for key in ("key", "limit", "on_conflict")},
                activity_id="aima.acquire",
                summary="concurrency",
                start_to_close_timeout=timedelta(minutes=1),
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
    except ActivityError as error:
        check_cancelled()
        message = f"the concurrency key {place['key']!r} could not be asked for: {error.cause}"
        raise StepFailed(_error("EXECUTION_FAILED", message, said)) from error
    check_cancelled()
    if answer == "rejected":
        message = f"another run holds the concurrency key {place['key']!r}"
        raise StepFailed(_error("CONFLICT", message, said))
    if answer == "queued":
        run.progress.waits["concurrency"] = {
            "step": "this run",
            "for": f"its turn with the concurrency key {place['key']!r}",
        }
        await run.mail.take(f"granted:{place['key']}", place, "concurrency")
        del run.progress.waits["concurrency"]
    place["granted"] = True
    return None


def _evaluated(run: Run, said: Map[str, Any]) -> dict[str, Json]:
    """Evaluate key and limit.

    Raises:
        StepFailed: an expression failed, or the limit is none.
    """
    try:
        key = to_text(evaluator(said["key"])(run.roots))
        limit = evaluator(said["limit"])(run.roots)
    except ExpressionError as error:
        raise StepFailed(_error(error.code, f"`concurrency`: {error}", said)) from error
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise StepFailed(_error("VALIDATION_ERROR", f"`limit`: {limit!r} is no count", said))
    return {"key": key, "limit": limit, "on_conflict": said["on_conflict"]}


def _error(code: str, message: str, said: Map[str, Any]) -> StepError:
    line = said["at"][0]
    return StepError(code=code, message=message, step="", unit=None, attempt=1, line=line)


SECTION = Concurrency()
