"""Calling a unit as an activity of its own name, within Temporal's limits."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import Priority, RawValue
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

from aima.dsl.json import Json
from aima.dsl.template import is_literal, to_text
from aima.workflows.beside import Again, Attempts, beside
from aima.workflows.failure import StepFailed, from_activity
from aima.workflows.frame import Frame, Node
from aima.workflows.retry_policy import MOST_ATTEMPTS, retry_policy
from aima.workflows.schedule import check_cancelled
from aima.workflows.window import Window

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""Silence after which a worker is taken for dead; it beats every half second."""

DEADLINE = timedelta(days=1)
"""The deadline of a step whose author gave none."""


@dataclass(frozen=True)
class Call:
    """One call of a unit, all expressions evaluated; times in seconds.

    Attributes:
        more: what the worker is told besides the input: heartbeat, cache, secrets, labels.
        local: whether its first attempt is made beside the workflow, without a task of its own.
    """

    unit: str
    input: Json
    retry: dict[str, Json]
    timeout: float
    deadline: float = DEADLINE.total_seconds()
    queue: str | None = None
    priority: int | None = None
    more: dict[str, Json] = field(default_factory=dict)
    local: bool = False

    def data(self) -> dict[str, Json]:
        """Give it as plain data, so that it can be made later."""
        return asdict(self)


_BOUNDS = ("timeout", "deadline", "heartbeat", "retry", "queue", "priority", "labels", "cache")


def call_of(node: Node, frame: Frame, *at: str) -> Call:
    """Evaluate the call that the plan has at a path of a step.

    What bounds it is evaluated once for all runs of the plan where it is literal, as mostly.

    Raises:
        StepFailed: an expression in it failed, or gives what it must not.
    """
    call = node.calls.get(at)
    if call is None:
        call = _without_input(node, frame, *at)
        literal = all(is_literal(node.at(*at, key)) for key in _BOUNDS)
        if literal and not node.at(*at, "stream"):
            node.calls[at] = call
    return replace(call, input=node.value(frame, *at, "input"))


def _without_input(node: Node, frame: Frame, *at: str) -> Call:
    timeout = node.duration(frame, *at, "timeout")
    deadline = None if node.at(*at, "for_each") else node.duration(frame, *at, "deadline")
    heartbeat = node.duration(frame, *at, "heartbeat")
    more: dict[str, Json] = {}
    if heartbeat is not None:
        more["heartbeat"] = heartbeat.total_seconds()
    if node.at(*at, "labels") is not None:
        more["labels"] = node.value(frame, *at, "labels")
    if node.at(*at, "cache") is not None:
        ttl = node.duration(frame, *at, "cache", "ttl")
        key = to_text(node.value(frame, *at, "cache", "key"))
        more["cache"] = {"key": key, "ttl": ttl.total_seconds() if ttl else None}
    if node.at(*at, "stream"):
        more["stream"] = {"run": frame.run.status["id"], "step": frame.path_of(node)}
    if secrets := node.at(*at, "secrets"):
        more["secrets"] = secrets
    queue, priority = node.value(frame, *at, "queue"), node.value(frame, *at, "priority")
    retry = node.value(frame, *at, "retry")
    assert isinstance(retry, dict)  # noqa: S101 - accept() has seen to it
    return Call(
        unit=str(node.at(*at, "unit")),
        input=None,
        retry=retry,
        timeout=timeout.total_seconds() if timeout else 0.0,
        deadline=(deadline or DEADLINE).total_seconds(),
        queue=str(queue) if queue is not None else None,
        priority=priority if isinstance(priority, int) else None,
        more=more,
        local=bool(node.at(*at, "local")),
    )


async def perform(call: Call, node: Node, frame: Frame, path: str) -> Json:
    """Run a unit for a step, under a path of the run that names activity and effect.

    Raises:
        StepFailed: the unit failed for good.
    """
    async with frame.run.window.place():
        attempts = _attempts_of(call, node, frame, path)
        try:
            return await _made(attempts, call, frame.run.window)
        except ActivityError as error:
            check_cancelled()  # the run or a sibling ended this step
            most = attempts.policy.maximum_attempts
            raise StepFailed(from_activity(error, node, most_attempts=most)) from error


async def _made(attempts: Attempts, call: Call, window: Window) -> Json:
    """Make the attempts, the first one beside the workflow where it may be."""
    if call.local:
        try:
            return await beside(attempts, window)
        except Again as again:
            attempts = again.left
    await window.carry(len(attempts.given.data))
    running = workflow.start_activity(
        attempts.unit,
        args=[RawValue(attempts.given), attempts.more],
        activity_id=attempts.path,
        summary=attempts.path,
        start_to_close_timeout=attempts.timeout,
        schedule_to_close_timeout=attempts.deadline,
        retry_policy=attempts.policy,
        task_queue=call.queue,
        priority=Priority(priority_key=call.priority),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    return await _settled(running)


async def _settled(running: asyncio.Task[Json]) -> Json:
    """Wait for an activity, and pass a cancel on only while it runs.

    The SDK forgets a result that comes in the same workflow task as a cancel; what the unit did
    would never be undone.
    """
    while not running.done():
        try:
            await _end_of(running)
        except asyncio.CancelledError:
            if not running.done():
                running.cancel()
    return running.result()


async def _end_of(running: asyncio.Task[Json]) -> None:
    """Wait for a task without ending it when this is cancelled; every step does it once.

    It does what ``asyncio.wait`` does for one task, in the same turns of the loop, and costs a
    third.
    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ended(_: object) -> None:
        if not end.done():
            end.set_result(None)

    running.add_done_callback(ended)
    try:
        await end
    finally:
        running.remove_done_callback(ended)


def _attempts_of(call: Call, node: Node, frame: Frame, path: str) -> Attempts:
    return Attempts(
        unit=call.unit,
        given=_payload(call.input, node),
        more={"effect": frame.effect_key(path), **call.more},
        path=path,
        timeout=timedelta(seconds=call.timeout),
        deadline=timedelta(seconds=call.deadline),
        policy=retry_policy(node, call.retry),
    )


async def ask(activity: str, given: dict[str, Json], node: Node, frame: Frame) -> Json:
    """Ask a worker for something that is no unit, such as to publish an event.

    Raises:
        StepFailed: no worker could do it within a day.
    """
    path = frame.path_of(node)
    forever: dict[str, Json] = {
        "max_attempts": MOST_ATTEMPTS,
        "delay": 1,
        "backoff": 2,
        "max_delay": 60,
        "non_retryable": [],
    }
    call = Call(unit=activity, input=given, retry=forever, timeout=60.0)
    answer = await perform(call, node, frame, path)
    check_cancelled()
    return answer


def _payload(given: Json, node: Node) -> Payload:
    """Encode a step's input once: its size is needed before it is sent."""
    try:
        return workflow.payload_converter().to_payload(given)
    except ApplicationError as error:  # too large, or no JSON
        code = error.type or "VALIDATION_ERROR"
        raise StepFailed(node.error(code, f"`input`: {error.message}")) from error
