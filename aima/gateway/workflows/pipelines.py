"""Workflows and their runs as resources: the pipelines of the earlier system."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aima.blocking import in_thread
from aima.errors import NotFound
from aima.gateway.access.permission import Permission
from aima.gateway.workflows.definitions import Definitions
from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Template
from aima.temporal.runs import Run, Runs
from aima.unit import Members

if TYPE_CHECKING:
    from aima.store.database import Store

MOST_RUNS = 200
"""The latest runs, in which a workflow's are looked for."""
SHOWN_RUNS = 20
SINGLE = "exec"
"""The workflow of a unit that is run by itself."""
_ONE = "asms://pipeline/{id}"


@dataclass(frozen=True)
class Pipelines:
    """Tells of workflows that are found by name, applied or were run, and of runs.

    Attributes:
        store: opens the store.
    """

    definitions: Definitions
    runs: Runs
    store: Callable[[], AbstractContextManager[Store]]

    def resources(self) -> list[Resource]:
        """Give the resources."""
        read = Permission.RUN_READ.value
        return [
            Resource(
                Template.parse("asms://pipelines"),
                "The workflows, with how many of their runs go on and the latest one",
                read,
                self.all,
                Members("items", "id", _ONE),
            ),
            Resource(
                Template.parse(_ONE),
                "A workflow with its latest runs, or a run with its outcome",
                read,
                self.one,
                interval_seconds=1.0,
            ),
        ]

    async def all(self, _: Values) -> Data:
        """Tell of all workflows."""
        return {"items": await self._workflows()}

    async def one(self, values: Values) -> Data:
        """Tell of a workflow by its name, or of a run by its id.

        Raises:
            NotFound: there is neither.
        """
        name = values["id"]
        latest = await self.runs.latest(limit=MOST_RUNS)
        for workflow in await self._workflows(latest):
            if workflow["id"] == name:
                own = [_run(run) for run in latest if run.workflow == name]
                return {**workflow, "runs": own[:SHOWN_RUNS]}
        try:
            run = await self.runs.find(name)
        except NotFound as error:
            raise NotFound(
                f"there is no workflow and no run {name!r}; asms://pipelines lists the workflows"
            ) from error
        if run.state == "running":
            return _run(run)
        return {**_run(run), **asdict(await self.runs.outcome(run.id))}

    async def _workflows(self, latest: Iterable[Run] | None = None) -> list[Data]:
        applied = await in_thread(self._applied)
        if latest is None:
            latest = await self.runs.latest(limit=MOST_RUNS)
        by_name: dict[str, list[Run]] = {}
        for run in latest:
            by_name.setdefault(run.workflow, []).append(run)
        named = {*await in_thread(self.definitions.workflows), *applied}
        names = sorted(named | (set(by_name) - {SINGLE}))
        return [
            {
                "id": name,
                "kind": "workflow",
                "applied": name in applied,
                "source": applied.get(name),
                "running": sum(run.state == "running" for run in by_name.get(name, ())),
                "latest": _run(by_name[name][0]) if name in by_name else None,
            }
            for name in names
        ]

    def _applied(self) -> dict[str, str]:
        with self.store() as store:
            return {row.name: row.source for row in store.applied.all()}


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": "run",
        "workflow": run.workflow,
        "state": run.state,
        "started": run.started.isoformat(),
        "seconds": run.seconds,
        "labels": list(run.labels),
    }
