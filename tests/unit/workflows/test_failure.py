"""Temporal's account of a failed activity, read."""

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout

from aima.workflows.failure import StepError, from_activity
from aima.workflows.frame import Node

NODE = Node(
    {"id": "a", "body": "type", "at": [7, 3], "after": [], "places": [], "unit": "acme.shout"}
)


def failed(cause: BaseException, state: RetryState | None = None, *, most: int = 5) -> StepError:
    """Read the failure of an activity with this cause."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="w",
        activity_type="acme.shout",
        activity_id="a",
        retry_state=state,
    )
    error.__cause__ = cause
    return from_activity(error, NODE, most_attempts=most)


def timed_out(kind: TimeoutType, *details: object) -> TemporalTimeout:
    """Make a timeout of Temporal's."""
    return TemporalTimeout("activity timeout", type=kind, last_heartbeat_details=details)


def test_a_units_failure_keeps_its_code_and_message() -> None:
    """With the attempt that the worker told."""
    error = failed(ApplicationError("too loud", {"attempt": 2}, type="RATE_LIMITED"))
    assert error == StepError("RATE_LIMITED", "too loud", "a", "acme.shout", 2, 7)
    assert error.data() == {
        "code": "RATE_LIMITED",
        "message": "too loud",
        "step": "a",
        "unit": "acme.shout",
        "attempt": 2,
        "line": 7,
    }


def test_what_is_not_known_is_left_out() -> None:
    """A step that runs no unit has none."""
    assert "unit" not in StepError("X", "m", "a", None, 1, 1).data()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (TimeoutType.START_TO_CLOSE, "the attempt took longer than its `timeout`"),
        (TimeoutType.SCHEDULE_TO_CLOSE, "the step took longer than its `deadline`"),
        (TimeoutType.SCHEDULE_TO_START, "no worker took the step in time"),
        (TimeoutType.HEARTBEAT, "the worker fell silent"),
    ],
)
def test_each_of_temporals_timeouts_is_a_timeout_in_plain_words(
    kind: TimeoutType, says: str
) -> None:
    """All have one code; which it was is in the message."""
    error = failed(timed_out(kind, {"attempt": 3, "message": "7 tokens"}))
    assert (error.code, error.message, error.attempt) == ("TIMEOUT", says, 3)


@pytest.mark.parametrize("details", [(), ("7 tokens",), ({"attempt": "3"},), ({},), (None,)])
def test_without_a_word_from_the_worker_it_was_the_first_attempt(
    details: tuple[object, ...],
) -> None:
    """Each later attempt tells its number as it begins."""
    assert failed(timed_out(TimeoutType.SCHEDULE_TO_CLOSE, *details)).attempt == 1


def test_when_all_attempts_are_used_up_it_was_the_last_one() -> None:
    """Temporal says so itself, whatever the worker came to tell."""
    exhausted = RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert failed(timed_out(TimeoutType.START_TO_CLOSE), exhausted).attempt == 5
    assert failed(ApplicationError("x", {"attempt": 1}), exhausted).attempt == 5


def test_a_deadline_between_two_attempts_is_a_timeout_that_names_the_last_failure() -> None:
    """Temporal reports the last failure; the author asked for a deadline."""
    error = failed(ApplicationError("busy", type="RATE_LIMITED"), RetryState.TIMEOUT)
    assert error.code == "TIMEOUT"
    assert error.message == "its `deadline` leaves no time for another attempt after: busy"


def test_a_timeout_tells_what_the_attempt_before_died_of() -> None:
    """The deadline came while the next one ran."""
    timeout = timed_out(TimeoutType.SCHEDULE_TO_CLOSE)
    timeout.__cause__ = ApplicationError("busy", type="RATE_LIMITED")
    assert failed(timeout).message == (
        "the step took longer than its `deadline`; the attempt before failed: busy"
    )


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (ApplicationError("x", type="PayloadsTooLarge"), "TOO_LARGE"),
        (ApplicationError("x"), "EXECUTION_FAILED"),
        (ApplicationError("x", type="TheirOwn"), "TheirOwn"),
        (CancelledError("x"), "CANCELLED"),
        (RuntimeError("x"), "EXECUTION_FAILED"),
    ],
)
def test_every_failure_has_a_code(cause: BaseException, code: str) -> None:
    """Temporal's own names are translated; what units of others say is theirs."""
    assert failed(cause).code == code


def test_a_unit_that_the_worker_does_not_have_is_named() -> None:
    """The SDK lists all the others instead."""
    cause = ApplicationError("Activity function … is not registered", type="NotFoundError")
    error = failed(cause)
    assert error.code == "UNIT_NOT_FOUND"
    assert error.message == "no worker that took the step has the unit 'acme.shout'; update them"
