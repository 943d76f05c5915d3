"""How a step fails: one shape, whatever went wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutType,
)
from temporalio.exceptions import (
    TimeoutError as TemporalTimeout,
)

from aima.dsl.json import Json

if TYPE_CHECKING:
    from aima.workflows.frame import Node

_TIMEOUTS = {
    TimeoutType.START_TO_CLOSE: "the attempt took longer than its `timeout`",
    TimeoutType.SCHEDULE_TO_CLOSE: "the step took longer than its `deadline`",
    TimeoutType.SCHEDULE_TO_START: "no worker took the step in time",
    TimeoutType.HEARTBEAT: "the worker fell silent",
}
_FOREIGN = {"PayloadsTooLarge": "TOO_LARGE"}


@dataclass(frozen=True)
class StepError:
    """What went wrong where; ``line`` is the step's in the YAML file."""

    code: str
    message: str
    step: str
    unit: str | None
    attempt: int
    line: int

    def data(self) -> dict[str, Json]:
        """Give it as plain data, unknowns left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class StepFailed(Exception):
    """A step failed for good."""

    def __init__(self, error: StepError) -> None:
        """Carry what went wrong."""
        super().__init__(error.message)
        self.error = error


def from_activity(error: ActivityError, node: Node, *, attempt: int = 1) -> StepError:
    """Read Temporal's account of a failed activity."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        code = _FOREIGN.get(cause.type or "", cause.type or "EXECUTION_FAILED")
        told = cause.details[0] if cause.details else None
        if isinstance(told, dict) and isinstance(told.get("attempt"), int):
            attempt = told["attempt"]
        return node.error(code, cause.message, attempt=attempt)
    if isinstance(cause, TemporalTimeout):
        kind = cause.type or TimeoutType.SCHEDULE_TO_CLOSE
        return node.error("TIMEOUT", _TIMEOUTS.get(kind, "it took too long"), attempt=attempt)
    if isinstance(cause, CancelledError):
        return node.error("CANCELLED", "the step was cancelled", attempt=attempt)
    return node.error("EXECUTION_FAILED", str(cause or error), attempt=attempt)
