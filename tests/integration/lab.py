"""A worker with steerable units on a real Temporal server, and short ways to run workflows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sysconfig import get_path
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from aima.artifacts import FolderArtifacts
from aima.catalog import Catalog
from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.gateway.workflows.definitions import Definitions
from aima.runlog import RunLogs
from aima.settings import Settings
from aima.store import open_store
from aima.temporal.activity_context import Surroundings
from aima.temporal.converter import data_converter
from aima.temporal.events import Events
from aima.temporal.runs import Outcome, RunRequest, Runs
from aima.temporal.worker import make_worker
from aima.testing import FakeContext
from aima.unit import Unit
from tests.integration.board import Board, lab_units

SERVER = str(Path(get_path("scripts")) / "temporal")
PATIENCE = 60.0
MOST_BYTES = 16 * 1024**2


@dataclass
class Lab:
    """A worker and what belongs to it."""

    client: Client
    settings: Settings
    around: Surroundings
    board: Board = field(default_factory=Board)
    more: tuple[Unit, ...] = ()

    @property
    def runs(self) -> Runs:
        """The runs on this lab's queue."""
        return Runs(self.client, self.settings.temporal.task_queue)

    @property
    def catalog(self) -> Catalog:
        """The lab's units and those that were added."""
        units = {**lab_units(self.board).units, **{unit.name: unit for unit in self.more}}
        return Catalog(dict(sorted(units.items())))

    def plan(self, text: str) -> Plan:
        """Compile a workflow; a mistake in it is a mistake of the test."""
        definitions = Definitions(self.catalog)
        checked = definitions.check(text, "test.yaml")
        assert checked.ok, checked.diagnostics
        return definitions.plan(checked)

    def worker(self, units: Iterable[Unit] | None = None) -> Worker:
        """Make a worker, with all the units unless told which."""
        catalog = self.catalog if units is None else units
        return make_worker(self.client, self.settings, catalog, self.around)

    async def start(self, text: str, input: Json = None, **config: Json) -> str:  # noqa: A002 - as in a workflow
        """Start a workflow."""
        return await self.runs.start(self.plan(text), RunRequest(input or {}, config))

    async def run(self, text: str, input: Json = None, **config: Json) -> Outcome:  # noqa: A002 - as in a workflow
        """Run a workflow to its end."""
        return await self.outcome(await self.start(text, input, **config))

    async def outcome(self, run_id: str) -> Outcome:
        """Wait for a run's end."""
        async with asyncio.timeout(PATIENCE):
            return await self.runs.outcome(run_id)

    def handle(self, run_id: str) -> WorkflowHandle[Any, Any]:
        """Reach a run through Temporal's own client."""
        return self.client.get_workflow_handle(run_id)

    async def history(self, run_id: str) -> WorkflowHistory:
        """Fetch a run's history."""
        return await self.handle(run_id).fetch_history()

    async def scheduled(self, run_id: str) -> list[HistoryEvent]:
        """List the events that scheduled a step, in their order."""
        events = (await self.history(run_id)).events
        return [e for e in events if e.HasField("activity_task_scheduled_event_attributes")]


@contextmanager
def lab_on(
    client: Client, folder: Path, *, more: tuple[Unit, ...] = (), inline_bytes: int = 65_536
) -> Iterator[Lab]:
    """Make a lab with a queue and a data folder of its own; its worker does not run yet."""
    settings = Settings.model_validate(
        {
            "data": folder,
            "temporal": {"task_queue": f"lab-{uuid.uuid4()}"},
            "worker": {"activities": 1000, "shutdown_seconds": 1},
        }
    )
    artifacts = FolderArtifacts(folder / "artifacts", max_bytes=MOST_BYTES)
    converter = data_converter(artifacts, inline_bytes=inline_bytes, max_bytes=MOST_BYTES)
    config = client.config()
    config["data_converter"] = converter
    fake = FakeContext()
    with open_store(folder / "aima.db") as store:
        around = Surroundings(
            engines=fake.engines,
            artifacts=artifacts,
            vectors=fake.vectors,
            files=fake.files,
            frames=fake.frames,
            effects=store.effects,
            log=RunLogs(folder / "logs"),
            events=Events(store.events),
            cache=store.cache,
        )
        yield Lab(Client(**config), settings, around, more=more)
