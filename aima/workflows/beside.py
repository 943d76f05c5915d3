"""Running a short, pure unit beside the workflow: inside the workflow's own task.

Temporal calls this a local activity. It saves the unit a task and the run five of six events. But
until it ends the workflow's task stays open, so that nothing else that happens to the run is
seen; and all that such units leave goes to the server in one message, which is refused past 4 MB,
again and again. So the first attempt alone is made here, a few at a time, what they leave is
counted, and what fails or is too slow is tried again as a task of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    RetryState,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout

from aima.dsl.json import Json
from aima.workflows.retry_policy import TIMEOUTS
from aima.workflows.schedule import check_cancelled
from aima.workflows.window import Window

_FAILURE_BYTES = 40_000
"""The most that a failure weighs: the messages and traces of itself and four causes, all cut."""


@dataclass(frozen=True)
class Attempts:
    """The attempts to run a unit, and what bounds them.

    Attributes:
        given: the unit's input, encoded.
        more: what the worker is told besides.
        path: names them in the run.
        timeout: bounds each of them.
        deadline: bounds them together.
    """

    unit: str
    given: Payload
    more: dict[str, Json]
    path: str
    timeout: timedelta
    deadline: timedelta
    policy: RetryPolicy


class Again(Exception):
    """It must be a task of its own: the worker does not have the unit, or it failed here."""

    def __init__(self, left: Attempts) -> None:
        """Carry the attempts that are left."""
        super().__init__(left.unit)
        self.left = left


async def beside(attempts: Attempts, window: Window) -> Json:
    """Make the first attempt; give the unit's output.

    Raises:
        ActivityError: it failed, and another attempt is not allowed.
        Again: it is time for the others.
    """
    begun = workflow.now()
    try:
        return await _first(attempts, window)
    except ActivityError as error:
        check_cancelled()
        if not _may_try_again(error, attempts.policy):
            raise
        delay = _delay(error, attempts.policy)
        left = attempts.deadline - (workflow.now() - begun) - delay
        if left <= timedelta():
            raise _failed(attempts, RetryState.TIMEOUT) from error.cause
    await workflow.sleep(delay, summary=f"{attempts.path}: before attempt 2")
    policy, more = _after_the_first(attempts.policy), {**attempts.more, "tried": 1}
    raise Again(replace(attempts, deadline=left, policy=policy, more=more))


async def _first(attempts: Attempts, window: Window) -> Json:
    async with window.beside():
        try:
            running = workflow.start_local_activity(
                attempts.unit,
                args=[RawValue(attempts.given), attempts.more],
                result_type=RawValue,
                activity_id=attempts.path,
                summary=attempts.path,
                start_to_close_timeout=attempts.timeout,
                schedule_to_close_timeout=attempts.deadline,
                retry_policy=replace(attempts.policy, maximum_attempts=1),
            )
        except ValueError as error:  # the SDK: this worker does not have it
            raise Again(attempts) from error
        try:
            output = cast("RawValue", await running).payload
        except FailureError as error:
            window.weigh(_FAILURE_BYTES)
            # The SDK wraps some failures and not others, in a replay not the same ones.
            raise _failed(attempts) from _cause(error)
        window.weigh(len(output.data) + 2 * len(attempts.path))
    return cast("Json", workflow.payload_converter().from_payload(output))


def _may_try_again(error: ActivityError, policy: RetryPolicy) -> bool:
    """Tell whether a policy allows another attempt after the first one."""
    never = policy.non_retryable_error_types or ()
    if policy.maximum_attempts == 1:
        return False
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return not cause.non_retryable and cause.type not in never
    if isinstance(cause, TemporalTimeout):
        return cause.type == TimeoutType.START_TO_CLOSE and TIMEOUTS[0] not in never
    return False


def _delay(error: ActivityError, policy: RetryPolicy) -> timedelta:
    """Give the wait before the second attempt: the policy's, unless the unit asked for another."""
    asked = error.cause.next_retry_delay if isinstance(error.cause, ApplicationError) else None
    return asked or policy.initial_interval or timedelta()


def _after_the_first(policy: RetryPolicy) -> RetryPolicy:
    """Give the policy of the attempts that are left."""
    longest = policy.maximum_interval or policy.initial_interval
    return replace(
        policy,
        maximum_attempts=policy.maximum_attempts - 1,
        initial_interval=min(policy.initial_interval * policy.backoff_coefficient, longest),
    )


def _cause(error: FailureError) -> BaseException | None:
    return error.cause if isinstance(error, ActivityError) else error


def _failed(attempts: Attempts, state: RetryState | None = None) -> ActivityError:
    """Say that the first attempt failed as Temporal says it of a task."""
    return ActivityError(
        "the attempt beside the workflow failed",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=attempts.unit,
        activity_id=attempts.path,
        retry_state=state,
    )
