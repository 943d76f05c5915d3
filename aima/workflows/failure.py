"""How a step fails: one shape, whatever went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    RetryState,
    TerminatedError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from temporalio.exceptions import (
    TimeoutError as TemporalTimeout,
)

from aima.dsl.json import Json
from aima.dsl.template import ERROR_KEYS

if TYPE_CHECKING:
    from aima.workflows.frame import Node

_TIMEOUTS: dict[int, str] = {
    TimeoutType.START_TO_CLOSE: "the attempt took longer than its `timeout`",
    TimeoutType.SCHEDULE_TO_CLOSE: "the step took longer than its `deadline`",
    TimeoutType.SCHEDULE_TO_START: "no worker took the step in time",
    TimeoutType.HEARTBEAT: "the worker fell silent",
}
CLEANED_UP = ("undone", "cleanup")
"""What a run that did not end well tells of its cleaning up: a failed one in the details of its
failure, a cancelled one in its memo."""
_FOREIGN = {"PayloadsTooLarge": "TOO_LARGE"}
_UNREGISTERED = "NotFoundError"  # how the SDK fails an activity that its worker does not have


@dataclass(frozen=True)
class StepError:
    """What went wrong where; ``line`` is the step's in the YAML file, 0 where there is no file."""

    code: str
    message: str
    step: str
    unit: str | None
    attempt: int
    line: int = 0
    item: int | None = None

    def data(self) -> dict[str, Json]:
        """Give it as plain data, unknowns left out."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return known if self.line else {k: v for k, v in known.items() if k != "line"}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> StepError:
        """Take what :meth:`data` gave."""
        return cls(**{"unit": None, **{k: v for k, v in data.items() if k in ERROR_KEYS}})


class StepFailed(Exception):
    """A step failed for good."""

    def __init__(self, error: StepError) -> None:
        """Carry what went wrong."""
        super().__init__(error.message)
        self.error = error


class Returned(Exception):
    """A step ended the run on purpose; this is the run's output."""

    def __init__(self, output: Json) -> None:
        """Carry the output."""
        super().__init__("return")
        self.output = output


class RunCancelled(Exception):
    """Somebody cancelled the run, and its steps have ended."""


def from_activity(error: ActivityError, node: Node, *, most_attempts: int) -> StepError:
    """Read Temporal's account of a failed activity."""
    cause = error.cause
    exhausted = error.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED
    if isinstance(cause, ApplicationError):
        attempt = most_attempts if exhausted else _attempt(cause.details)
        if error.retry_state is RetryState.TIMEOUT:
            message = f"its `deadline` leaves no time for another attempt after: {cause.message}"
            return node.error("TIMEOUT", message, attempt=attempt)
        if cause.type == _UNREGISTERED:
            message = f"no worker that took the step has the unit {node.data.get('unit')!r}"
            return node.error("UNIT_NOT_FOUND", f"{message}; update them", attempt=attempt)
        code = _FOREIGN.get(cause.type or "", cause.type or "EXECUTION_FAILED")
        return node.error(code, cause.message, attempt=attempt)
    if isinstance(cause, TemporalTimeout):
        attempt = most_attempts if exhausted else _attempt(cause.last_heartbeat_details)
        message = timeout_message(cause.type)
        if isinstance(cause.cause, ApplicationError):
            message += f"; the attempt before failed: {cause.cause.message}"
        return node.error("TIMEOUT", message, attempt=attempt)
    if isinstance(cause, CancelledError):
        return node.error("CANCELLED", "somebody cancelled the step in Temporal")
    return node.error("EXECUTION_FAILED", str(cause or error))


def from_child(error: ChildWorkflowError | WorkflowAlreadyStartedError, node: Node) -> StepError:
    """Read Temporal's account of a failed child, or of one that could not start."""
    if isinstance(error, WorkflowAlreadyStartedError):
        message = f"another workflow has the id {error.workflow_id!r} of its child"
        return node.error("CONFLICT", message)
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return node.error(cause.type or "EXECUTION_FAILED", cause.message)
    if isinstance(cause, CancelledError):
        return node.error("CANCELLED", "somebody cancelled the child in Temporal")
    if isinstance(cause, TerminatedError):
        return node.error("CANCELLED", "somebody terminated the child in Temporal")
    return node.error("EXECUTION_FAILED", str(cause or error))


def timeout_message(kind: int | None) -> str:
    """Say which of Temporal's timeouts ended a step."""
    return _TIMEOUTS.get(kind or 0, "it took too long")


def _attempt(details: Sequence[object]) -> int:
    """Read which attempt a worker told of, in its failure or its last heartbeat."""
    match details:
        case [{"attempt": int(attempt)}, *_]:
            return attempt
    return 1
