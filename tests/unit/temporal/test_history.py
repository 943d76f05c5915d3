"""Steps as a run's history tells them."""

import json
from collections.abc import Iterable

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType, PendingActivityState, TimeoutType
from temporalio.api.failure.v1 import CanceledFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.converter import DataConverter, PayloadCodec

from aima.temporal.history import Steps, StepState

STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED


class History:
    """A run's events, one second apart."""

    def __init__(self) -> None:
        self.count = 0

    def event(self, kind: str) -> HistoryEvent:
        """Make the next event."""
        self.count += 1
        event = HistoryEvent(event_id=self.count, event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
        event.event_time.FromSeconds(1_000 + self.count)
        return event

    def scheduled(self, step: str) -> HistoryEvent:
        """Schedule a step."""
        event = self.event("ACTIVITY_TASK_SCHEDULED")
        attributes = event.activity_task_scheduled_event_attributes
        attributes.activity_id, attributes.activity_type.name = step, "acme.shout"
        return event

    def ended(
        self, kind: str, scheduled: HistoryEvent, failure: Failure | None = None
    ) -> HistoryEvent:
        """End a step."""
        event = self.event(f"ACTIVITY_TASK_{kind}")
        attributes = getattr(event, f"activity_task_{kind.lower()}_event_attributes")
        attributes.scheduled_event_id = scheduled.event_id
        if failure is not None:
            attributes.failure.CopyFrom(failure)
        return event


def pending(
    step: str, *, state: int = STARTED, attempt: int = 1, **told: object
) -> PendingActivityInfo:
    """Say what the server says of a step in flight."""
    info = PendingActivityInfo(activity_id=step, attempt=attempt)
    info.state = state  # type: ignore[assignment] # an enum of protobuf
    if "progress" in told:
        details = {"attempt": told.get("of", attempt), "message": told["progress"]}
        payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(details).encode())
        info.heartbeat_details.CopyFrom(Payloads(payloads=[payload]))
    if "failure" in told:
        info.last_failure.message = str(told["failure"])
    return info


def states(changes: Iterable[StepState]) -> list[tuple[str, str]]:
    """Give step and state of each change."""
    return [(change.step, change.state) for change in changes]


@pytest.fixture
def steps() -> Steps:
    """Know nothing yet."""
    return Steps(DataConverter.default)


def test_a_step_waits_and_is_done(steps: Steps) -> None:
    """With the seconds from its scheduling to its end, the queue included."""
    history = History()
    begun = history.scheduled("a")
    assert states(steps.take(begun)) == [("a", "waiting")]
    assert list(steps.take(history.event("ACTIVITY_TASK_STARTED"))) == []
    [done] = steps.take(history.ended("COMPLETED", begun))
    assert done == StepState("a", "acme.shout", "done", seconds=2.0)


@pytest.mark.parametrize(
    ("kind", "failure", "expected"),
    [
        ("FAILED", Failure(message="too loud"), ("failed", "too loud")),
        (
            "FAILED",
            Failure(message="acme.shout broke: KeyError: 'x'", cause=Failure(message="'x'")),
            ("failed", "acme.shout broke: KeyError: 'x'"),
        ),
        ("CANCELED", None, ("cancelled", "")),
    ],
)
def test_a_step_ends_with_its_own_reason(
    steps: Steps, kind: str, failure: Failure | None, expected: tuple[str, str]
) -> None:
    """Not with that of an inner cause, which says less."""
    history = History()
    begun = history.scheduled("a")
    list(steps.take(begun))
    [end] = steps.take(history.ended(kind, begun, failure))
    assert (end.state, end.message) == expected


def test_a_timeout_is_told_in_the_words_of_the_language(steps: Steps) -> None:
    """The run's own failure says the same."""
    history = History()
    begun = history.scheduled("a")
    list(steps.take(begun))
    failure = Failure(message="activity ScheduleToClose timeout")
    failure.timeout_failure_info.timeout_type = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    [end] = steps.take(history.ended("TIMED_OUT", begun, failure))
    assert (end.state, end.message) == ("failed", "the step took longer than its `deadline`")


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT"])
def test_when_the_run_has_ended_nothing_of_it_is_in_flight(steps: Steps, end: str) -> None:
    """A terminated run leaves no event for its steps."""
    history = History()
    first, second = history.scheduled("a"), history.scheduled("b")
    for event in (first, second, history.ended("COMPLETED", first)):
        list(steps.take(event))
    assert steps.ended is False
    assert states(steps.take(history.event(f"WORKFLOW_EXECUTION_{end}"))) == [("b", "cancelled")]
    assert bool(steps.ended)
    assert steps.states["a"].state == "done"


def test_an_event_read_twice_changes_nothing(steps: Steps) -> None:
    """After the server was away the history is read again from its start."""
    history = History()
    begun = history.scheduled("a")
    done = history.ended("COMPLETED", begun)
    for event in (begun, done):
        assert len(list(steps.take(event))) == 1
    for event in (begun, done):
        assert list(steps.take(event)) == []
    assert steps.states["a"].state == "done"


async def test_what_no_event_tells_comes_from_the_server(steps: Steps) -> None:
    """That it runs, how far it is, that it is tried again and why."""
    list(steps.take(History().scheduled("a")))
    running = await steps.take_pending(pending("a"))
    assert running == StepState("a", "acme.shout", "running")
    assert await steps.take_pending(pending("a")) is None
    further = await steps.take_pending(pending("a", progress="7 tokens"))
    assert further is not None
    assert further.message == "7 tokens"
    again = await steps.take_pending(
        pending("a", state=SCHEDULED, attempt=2, failure="busy", progress="7 tokens", of=1)
    )
    assert again == StepState("a", "acme.shout", "retrying", attempt=2, message="busy")
    second = await steps.take_pending(pending("a", attempt=2, progress="7 tokens", of=1))
    assert second == StepState("a", "acme.shout", "running", attempt=2)


async def test_a_step_that_is_not_known_or_has_ended_is_no_news(steps: Steps) -> None:
    """The server's answer may be older than the history."""
    assert await steps.take_pending(pending("a")) is None
    history = History()
    begun = history.scheduled("a")
    for event in (begun, history.ended("COMPLETED", begun)):
        list(steps.take(event))
    assert await steps.take_pending(pending("a")) is None


async def test_an_end_that_is_read_while_the_progress_is_decoded_stays_the_end() -> None:
    """Decoding waits for a codec; an event may come in between."""
    history = History()
    begun = history.scheduled("a")

    class SlowCodec(PayloadCodec):
        async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
            return list(payloads)

        async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
            list(known.take(history.ended("COMPLETED", begun)))
            return list(payloads)

    known = Steps(DataConverter(payload_codec=SlowCodec()))
    list(known.take(begun))
    assert await known.take_pending(pending("a", progress="7 tokens")) is None
    assert known.states["a"].state == "done"


def beside(over: dict[str, int] | None, failure: Failure | None = None) -> HistoryEvent:
    """Make the event of a step that ran beside the workflow, from second 10 on."""
    event = History().event("MARKER_RECORDED")
    marker = event.marker_recorded_event_attributes
    marker.marker_name = "core_local_activity"
    told = {"activity_id": "a", "activity_type": "acme.shout", "complete_time": over}
    data = json.dumps({**told, "original_schedule_time": {"seconds": 10, "nanos": 0}})
    marker.details["data"].payloads.append(Payload(data=data.encode()))
    if failure is not None:
        marker.failure.CopyFrom(failure)
    return event


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, ("done", "")),
        (Failure(message="too loud"), ("failed", "too loud")),
        (Failure(canceled_failure_info=CanceledFailureInfo()), ("cancelled", "")),
    ],
)
def test_a_step_beside_the_workflow_is_known_by_its_one_event(
    steps: Steps, failure: Failure | None, expected: tuple[str, str]
) -> None:
    """Nothing of it is in the history before it is over."""
    [found] = steps.take(beside({"seconds": 11, "nanos": 500_000_000}, failure))
    assert found == StepState("a", "acme.shout", expected[0], seconds=1.5, message=expected[1])


def test_a_step_beside_the_workflow_may_be_cancelled_before_it_began(steps: Steps) -> None:
    """Another one failed in the same moment; the SDK then writes no end, and nobody knows one."""
    failure = Failure(canceled_failure_info=CanceledFailureInfo())
    assert list(steps.take(beside(None, failure))) == [StepState("a", "acme.shout", "cancelled")]


def test_other_markers_are_no_steps(steps: Steps) -> None:
    """The SDK writes them for reasons of its own."""
    event = History().event("MARKER_RECORDED")
    event.marker_recorded_event_attributes.marker_name = "core_patch"
    assert list(steps.take(event)) == []
