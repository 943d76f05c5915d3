"""The part of the door that is about workflows and their runs, put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from aima.artifacts import FolderArtifacts
from aima.gateway.route import Way
from aima.gateway.runs.answers import RunAnswers
from aima.gateway.runs.artifact_routes import ArtifactRoutes
from aima.gateway.runs.feed import RunFeeds
from aima.gateway.runs.inputs import RunInput
from aima.gateway.runs.routes import RunRoutes
from aima.gateway.runs.starting import Starter
from aima.gateway.runs.streams import StreamRoutes
from aima.gateway.runs.workflow_runs import WorkflowRuns
from aima.gateway.workflows.applied import AppliedWorkflows
from aima.gateway.workflows.definitions import Definitions
from aima.gateway.workflows.hook_routes import HookRoutes
from aima.gateway.workflows.known import KnownWorkflows
from aima.gateway.workflows.routes import WorkflowRoutes
from aima.settings import Settings
from aima.stores import artifacts_of
from aima.streams.hub import Hub
from aima.temporal.runs import Runs
from aima.temporal.schedules import Schedules

if TYPE_CHECKING:
    from aima.store.database import Store


@dataclass(frozen=True)
class WorkflowParts:
    """Workflows and their runs, as the door has them.

    Attributes:
        artifacts: where files of runs lie.
        hub: has what steps show.
    """

    definitions: Definitions
    known: KnownWorkflows
    starter: Starter
    artifacts: FolderArtifacts
    hub: Hub
    feeds: RunFeeds

    @classmethod
    def of(
        cls,
        settings: Settings,
        definitions: Definitions,
        starter: Starter,
        store: Callable[[], AbstractContextManager[Store]],
    ) -> Self:
        """Put them together."""
        known = known_of(definitions, starter.runs, store)
        hub = Hub()
        feeds = RunFeeds(starter.runs, hub)
        return cls(definitions, known, starter, artifacts_of(settings), hub, feeds)

    @cached_property
    def files(self) -> ArtifactRoutes:
        """What takes files in and gives them out."""
        return ArtifactRoutes(self.starter.runs, self.artifacts, RunInput(self.artifacts))

    def ways(self) -> list[Way]:
        """Give the addresses."""
        answers, given, runs = RunAnswers(self.starter), self.files.input, self.starter.runs
        parts = (
            WorkflowRoutes(self.known),
            WorkflowRuns(self.known, answers, given, self.artifacts.max_bytes),
            HookRoutes(self.known.applied, runs),
            self.files,
            RunRoutes(answers, self.definitions, StreamRoutes(self.hub), self.feeds),
        )
        return [way for part in parts for way in part.ways()]


def known_of(
    definitions: Definitions, runs: Runs, store: Callable[[], AbstractContextManager[Store]]
) -> KnownWorkflows:
    """Find workflows by name."""
    schedules = Schedules(runs.client, runs.task_queue)
    return KnownWorkflows(definitions, AppliedWorkflows(schedules, store))
