"""The options of a Temporal worker that runs AIMA's interpreter and units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.settings import Settings
from aima.temporal.activity_context import Surroundings
from aima.temporal.as_activity import BEAT_SECONDS, as_activity
from aima.temporal.event_activities import event_activities
from aima.temporal.run_activities import run_activities
from aima.temporal.slot_activities import slot_activities
from aima.temporal.slots import Slots
from aima.unit import Unit
from aima.workflows.details import ShowsProgress
from aima.workflows.interpreter import Interpreter


def make_worker(
    client: Client, settings: Settings, units: Iterable[Unit], around: Surroundings
) -> Worker:
    """Make a worker for the default task queue.

    The interpreter runs outside the SDK's sandbox: it is AIMA's own code, imports no unit, and
    its histories are replayed in the tests; the sandbox would cost a third more CPU for each run.
    """
    beat = timedelta(seconds=BEAT_SECONDS)
    return Worker(
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
        interceptors=[ShowsProgress()],
        max_cached_workflows=settings.worker.cached_runs,
        max_concurrent_workflow_tasks=settings.worker.workflows,
        max_concurrent_activities=settings.worker.activities,
        # The SDK holds heartbeats back for up to a minute; a cancel is felt with the next one.
        max_heartbeat_throttle_interval=beat,
        default_heartbeat_throttle_interval=beat,
        graceful_shutdown_timeout=timedelta(seconds=settings.worker.shutdown_seconds),
    )
