"""The part of the door that is about workflows and their runs, put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from aima.gateway.applied import AppliedWorkflows
from aima.gateway.artifact_routes import ArtifactRoutes
from aima.gateway.definitions import Definitions
from aima.gateway.hook_routes import HookRoutes
from aima.gateway.known_workflows import KnownWorkflows
from aima.gateway.route import Way
from aima.gateway.run_answers import RunAnswers
from aima.gateway.run_feed import RunFeeds
from aima.gateway.run_input import RunInput
from aima.gateway.run_routes import RunRoutes
from aima.gateway.starting import Starter
from aima.gateway.streams import StreamRoutes
from aima.gateway.workflow_routes import WorkflowRoutes
from aima.gateway.workflow_runs import WorkflowRuns
from aima.settings import Settings
from aima.stores import artifacts_of
from aima.streams.hub import Hub
from aima.temporal.runs import Runs
from aima.temporal.schedules import Schedules

if TYPE_CHECKING:
    from aima.store.database import Store


def workflow_ways(
    settings: Settings,
    definitions: Definitions,
    starter: Starter,
    store: Callable[[], AbstractContextManager[Store]],
) -> list[Way]:
    """Give the addresses for workflows and their runs."""
    known = known_of(definitions, starter.runs, store)
    applied = known.applied
    answers, artifacts = RunAnswers(starter), artifacts_of(settings)
    given, hub = RunInput(artifacts), Hub()
    feeds = RunFeeds(starter.runs, hub)
    parts = (
        WorkflowRoutes(known),
        WorkflowRuns(known, answers, given, settings.artifacts.max_bytes),
        HookRoutes(applied, starter.runs),
        ArtifactRoutes(starter.runs, artifacts, given),
        RunRoutes(answers, definitions, StreamRoutes(hub), feeds),
    )
    return [way for part in parts for way in part.ways()]


def known_of(
    definitions: Definitions, runs: Runs, store: Callable[[], AbstractContextManager[Store]]
) -> KnownWorkflows:
    """Find workflows by name."""
    schedules = Schedules(runs.client, runs.task_queue)
    return KnownWorkflows(definitions, AppliedWorkflows(schedules, store))
