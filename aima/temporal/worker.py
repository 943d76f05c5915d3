"""The options of a Temporal worker that runs AIMA's interpreter and units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker

from aima.settings import Settings
from aima.temporal.activity_context import Surroundings
from aima.temporal.as_activity import BEAT_SECONDS, as_activity
from aima.temporal.event_activities import event_activities
from aima.temporal.origin import CarriesOrigin
from aima.temporal.run_activities import run_activities
from aima.temporal.slot_activities import slot_activities
from aima.temporal.slots import Slots
from aima.unit import Unit
from aima.workflows.details import ShowsProgress
from aima.workflows.interpreter import Interpreter

THINKING_SECONDS = 8
"""For which a run may think at once; the server gives a workflow task ten."""


def make_worker(
    client: Client, settings: Settings, units: Iterable[Unit], around: Surroundings
) -> Worker:
    """Make a worker for the default task queue.

    The interpreter runs outside the SDK's sandbox: it is AIMA's own code, imports no unit, and
    its histories are replayed in the tests; the sandbox would cost a third more CPU for each run.
    """
    beat = timedelta(seconds=BEAT_SECONDS)
    worker = Worker(
        client,
        task_queue=settings.temporal.task_queue,
        workflows=[Interpreter, Slots],
        activities=[
            *(as_activity(unit, around) for unit in units),
            *event_activities(around),
            *run_activities(client),
            *slot_activities(client, settings.temporal.task_queue),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=interceptors(),
        max_cached_workflows=settings.worker.cached_runs,
        max_concurrent_workflow_tasks=settings.worker.workflows,
        max_concurrent_activities=settings.worker.activities,
        # The SDK holds heartbeats back for up to a minute; a cancel is felt with the next one.
        max_heartbeat_throttle_interval=beat,
        default_heartbeat_throttle_interval=beat,
        graceful_shutdown_timeout=timedelta(seconds=settings.worker.shutdown_seconds),
    )
    be_patient(worker)
    return worker


def interceptors() -> list[Interceptor]:
    """Give what stands before runs and steps."""
    return [ShowsProgress(), CarriesOrigin()]


def be_patient(worker: Worker) -> None:
    """Let a run think longer before it is taken for stuck.

    The SDK (1.35) allows two seconds by the clock, also on a machine where ten programs share a
    core, and then tries the same again, for ever: a run that starts 500 steps at once hung on such
    a machine for as long as the others were busy. It has no setting for that but one that ends it
    altogether and blocks the worker meanwhile.
    """
    inner = worker._workflow_worker  # noqa: SLF001 - there is no other way
    if inner is not None:
        inner._deadlock_timeout_seconds = THINKING_SECONDS  # noqa: SLF001 - neither here
