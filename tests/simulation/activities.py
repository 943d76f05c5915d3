"""Activities as the server and the workers of a simulation treat them, attempt after attempt.

What Temporal promises is kept: at least one attempt, a retry after a failure or a timeout as the
policy says, a cancel that is heard with a heartbeat. What AIMA's workers promise is kept, too: an
effect is recorded under its key, and an attempt that finds it there does not have it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    TimeoutFailureInfo,
)
from temporalio.bridge.proto.activity_result import ActivityResolution, Cancellation, Success
from temporalio.bridge.proto.activity_result import Failure as Failed
from temporalio.bridge.proto.workflow_commands import ScheduleActivity, ScheduleLocalActivity

from tests.simulation.instance import CONVERTER

if TYPE_CHECKING:
    from tests.simulation.execution import Execution
    from tests.simulation.server import Server

BEAT = 0.5
"""Seconds within which a running unit hears of a cancel."""
CODES = ("EXECUTION_FAILED", "TIMEOUT", "CONFLICT", "VALIDATION_ERROR")
"""How units fail; the last two are not retried."""


@dataclass
class Sink:
    """What activities did to the world, by effect key.

    Attributes:
        effects: what came of each effect.
        attempts: how often somebody began each one.
        cache: outputs by the key of a cache.
    """

    effects: dict[str, Any] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)

    def once(self, key: str, output: Any) -> Any:  # noqa: ANN401 - JSON
        """Have an effect, unless an attempt before had it."""
        return self.effects.setdefault(key, output)


class Activity:
    """One scheduled activity."""

    def __init__(
        self,
        server: Server,
        execution: Execution,
        command: ScheduleActivity | ScheduleLocalActivity,
        ended: Callable[[Activity, ActivityResolution], None],
    ) -> None:
        """Take what a workflow scheduled; ``ended`` is told once how it went."""
        self.server = server
        self.execution = execution
        self.seq = command.seq
        self.path = command.activity_id
        self.unit = command.activity_type
        values = [CONVERTER.from_payload(argument) for argument in command.arguments]
        self.given: Any = values[0] if values else None
        self.call: dict[str, Any] = values[1] if len(values) > 1 else {}
        self.policy = command.retry_policy
        self.timeout = _seconds(command.start_to_close_timeout)
        self.until = server.now + (_seconds(command.schedule_to_close_timeout) or 10 * self.timeout)
        self.silence = 10.0
        if isinstance(command, ScheduleActivity) and command.HasField("heartbeat_timeout"):
            self.silence = _seconds(command.heartbeat_timeout)
        self.attempt = 0
        self.closed = False
        self._ended = ended
        self._running = False
        self._cancelled = False
        self._deaf = False
        self._last: Failure | None = None

    @property
    def _codes(self) -> tuple[str, ...]:
        """What AIMA asks of its own workers is tried until it is done."""
        return CODES[:2] if self.unit.startswith("aima.") else CODES

    def start(self) -> None:
        """Put it into the queue of a worker."""
        server = self.server
        server.at(self.until - server.now, lambda: self._expire(TIMED_OUT))
        server.at(server.dice.seconds(0.2), self._begin)

    def cancel(self) -> None:
        """Ask it to stop: at once between attempts, else with the next heartbeat."""
        if self.closed or self._cancelled:
            return
        self._cancelled = True
        if not self._running:
            self._close(cancelled(self))
        elif not self._deaf:
            number = self.attempt
            self.server.at(self.server.dice.seconds(BEAT), lambda: self._hear(number))

    def abandon(self) -> None:
        """Forget it: its workflow has closed."""
        self.closed = True

    def resolve(self) -> ActivityResolution:
        """Go through all attempts without any time between, as a worker does with a local one."""
        while not self.closed:
            self._begin(at_once=True)
        return self.resolution

    def _begin(self, *, at_once: bool = False) -> None:
        if self.closed:
            return
        self.attempt += 1
        self._running, self._deaf = True, False
        dice, faults, number = self.server.dice, self.server.faults, self.attempt
        key = self.call.get("effect", self.path)
        attempts = self.server.sink.attempts
        attempts[key] = attempts.get(key, 0) + 1
        took = 0.0 if at_once else dice.seconds(min(2.0, self.timeout * 0.8))
        if not at_once and dice.happens(faults.silent):
            self._die(number, took)
        elif not at_once and dice.happens(faults.hanging):
            late = dice.happens(50)
            self.server.at(self.timeout, lambda: self._time_out(number, STARTED))
            if late:
                self.server.at(self.timeout + dice.seconds(5), self._have_effect)
        elif dice.happens(faults.failing):
            self._later(took, at_once, lambda: self._fail(number, dice.one_of(*self._codes)))
        else:
            self._later(took, at_once, lambda: self._succeed(number))

    def _later(self, took: float, at_once: bool, do: Callable[[], None]) -> None:  # noqa: FBT001 - own
        if at_once:
            do()
        else:
            self.server.at(took, do)

    def _die(self, number: int, took: float) -> None:
        """Let the worker die, before the effect or after it; nobody hears of it for a while."""
        self._deaf = True
        if self.server.dice.happens(50):
            self.server.at(took, self._have_effect)
        self.server.at(took + self.silence, lambda: self._time_out(number, SILENT))

    def _hear(self, number: int) -> None:
        """Hear of the cancel and stop, or end another way all the same."""
        if self._over(number):
            return
        match self.server.dice.one_of("stop", "stop", "stop", "succeed", "fail", "ignore"):
            case "stop":
                self._close(cancelled(self))
            case "succeed":
                self._succeed(number)
            case "fail":
                self._fail(number, "EXECUTION_FAILED")

    def _succeed(self, number: int) -> None:
        if self._over(number):
            return
        payload = CONVERTER.to_payload(self._output())
        self._close(ActivityResolution(completed=Success(result=payload)))

    def _output(self) -> Any:  # noqa: ANN401 - JSON
        """Do it, and give what comes of it; from a cache where it is there."""
        if self.unit == "aima.acquire":
            return self.server.acquire(self.execution, self.given)
        if self.unit == "aima.cancel":
            return self.server.cancel(self.execution.identity.id)
        if self.unit == "aima.listen":
            return {"events": self.server.events_for(self.given)}
        if (said := self.call.get("cache")) is None:
            return self._have_effect()
        cache = self.server.sink.cache
        hit = said["key"] in cache
        return {"hit": hit, "output": cache[said["key"]] if hit else self._have_effect()}

    def _have_effect(self) -> Any:  # noqa: ANN401 - JSON
        key = str(self.call.get("effect", self.path))
        output = self.given if self.unit != "aima.emit" else {"id": key}
        if said := self.call.get("cache"):
            self.server.sink.cache.setdefault(said["key"], output)
        return self.server.sink.once(key, output)

    def _fail(self, number: int, code: str) -> None:
        if self._over(number):
            return
        details = Payloads(payloads=[CONVERTER.to_payload({"attempt": number})])
        info = ApplicationFailureInfo(type=code, non_retryable=code in CODES[2:], details=details)
        self._retry(Failure(message=f"simulated {code}", application_failure_info=info), code)

    def _time_out(self, number: int, kind: TimeoutType.ValueType) -> None:
        if self._over(number):
            return
        beat = Payloads(payloads=[CONVERTER.to_payload({"attempt": number, "message": ""})])
        info = TimeoutFailureInfo(timeout_type=kind, last_heartbeat_details=beat)
        name = "StartToClose" if kind == STARTED else "Heartbeat"
        failure = Failure(message="timeout", timeout_failure_info=info)
        self._retry(failure, f"TemporalTimeout:{name}")

    def _retry(self, failure: Failure, code: str) -> None:
        """Try again as the policy says, or be done with it."""
        self._running = False
        wait = min(
            _seconds(self.policy.initial_interval)
            * self.policy.backoff_coefficient ** min(self.attempt - 1, 50),
            _seconds(self.policy.maximum_interval) or 100.0,
        )
        final = failure.application_failure_info.non_retryable
        most = self.policy.maximum_attempts
        if final or code in self.policy.non_retryable_error_types:
            self._close(failed(self, failure, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE))
        elif self._cancelled:
            self._close(failed(self, failure, RetryState.RETRY_STATE_CANCEL_REQUESTED))
        elif most and self.attempt >= most:
            self._close(failed(self, failure, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED))
        elif self.server.now + wait > self.until:
            self._close(failed(self, failure, RetryState.RETRY_STATE_TIMEOUT))
        else:
            self._last = failure
            self.server.at(wait + self.server.dice.seconds(0.1), self._begin)

    def _expire(self, kind: TimeoutType.ValueType) -> None:
        if self.closed:
            return
        failure = Failure(
            message="timeout",
            timeout_failure_info=TimeoutFailureInfo(timeout_type=kind),
            cause=self._last,
        )
        self._close(failed(self, failure, RetryState.RETRY_STATE_TIMEOUT))

    def _over(self, number: int) -> bool:
        """Tell whether an attempt counts no more."""
        return self.closed or not self._running or self.attempt != number

    def _close(self, resolution: ActivityResolution) -> None:
        self.closed, self._running = True, False
        self.resolution = resolution
        self._ended(self, resolution)


STARTED = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
SILENT = TimeoutType.TIMEOUT_TYPE_HEARTBEAT
TIMED_OUT = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE


def failed(activity: Activity, cause: Failure, state: RetryState.ValueType) -> ActivityResolution:
    """Say that an activity failed for good, as the server does."""
    info = ActivityFailureInfo(
        activity_id=activity.path,
        activity_type=_type(activity.unit),
        retry_state=state,
    )
    failure = Failure(message="activity error", activity_failure_info=info, cause=cause)
    return ActivityResolution(failed=Failed(failure=failure))


def cancelled(activity: Activity) -> ActivityResolution:
    """Say that an activity stopped because it was asked to."""
    info = ActivityFailureInfo(activity_id=activity.path, activity_type=_type(activity.unit))
    cause = Failure(message="cancelled", canceled_failure_info=CanceledFailureInfo())
    failure = Failure(message="activity cancelled", activity_failure_info=info, cause=cause)
    return ActivityResolution(cancelled=Cancellation(failure=failure))


def payload_of(resolution: ActivityResolution) -> Payload | None:
    """Give what an activity returned; None where it did not end well."""
    return resolution.completed.result if resolution.HasField("completed") else None


def _type(name: str) -> Any:  # noqa: ANN401 - a message of the API
    from temporalio.api.common.v1 import ActivityType

    return ActivityType(name=name)


def _seconds(duration: Duration) -> float:
    return float(duration.ToTimedelta().total_seconds())
