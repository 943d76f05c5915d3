"""Applied workflows: their triggers are active, with the plan as it was then.

A row in the store says what is applied, schedules in Temporal make it happen, and the two cannot
change as one. So the row covers the schedules at every moment: what a new plan no longer has is
deleted before its row is written, what it has is created after that, and the row of a workflow
that is unapplied goes last. Whatever dies in between, nothing starts runs that `aima applied`
does not list, and the same command again completes the change.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.blocking import in_thread
from aima.dsl.plan import Plan
from aima.errors import NotFound
from aima.gateway.definitions import Definitions
from aima.gateway.incoming import read
from aima.gateway.problem import Mistakes
from aima.gateway.route import caller_of
from aima.store.applied import AppliedWorkflow
from aima.temporal.schedules import Schedules

if TYPE_CHECKING:
    from aima.store.database import Store


class Apply(BaseModel):
    """Apply a workflow given as text."""

    model_config = ConfigDict(extra="forbid")

    text: str
    file: str = Field(description="What messages call the text.")
    source: str = Field(default="", description="Where it came from, for `--prune` and people.")


@dataclass(frozen=True)
class AppliedWorkflows:
    """Applies workflows, lists those that are, and ends that.

    Attributes:
        store: opens the store.
    """

    definitions: Definitions
    schedules: Schedules
    store: Callable[[], AbstractContextManager[Store]]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def post(self, request: Request) -> Response:
        """Check, compile and apply a workflow; from then on its triggers start this plan."""
        asked = await read(request, Apply)
        definitions = self.definitions.readable_by(caller_of(request.scope))
        checked = definitions.check(asked.text, asked.file, asked.source)
        diagnostics = [asdict(found) for found in checked.diagnostics]
        if not checked.ok:
            raise Mistakes(f"the workflow {asked.file!r} has errors", diagnostics=diagnostics)
        plan = definitions.plan(checked, asked.source)
        source = asked.source or asked.file
        row = AppliedWorkflow(plan.name, plan.text, plan.hash, source=source, text=asked.text)
        before = await self.apply(plan, row)
        state = "new" if before is None else "same" if before.hash == plan.hash else "changed"
        return JSONResponse({**await self._told(row), "state": state, "diagnostics": diagnostics})

    async def get(self, _: Request) -> Response:
        """List the workflows that are applied, and when their schedules start them next."""
        rows = await in_thread(self._all)
        return JSONResponse({"definitions": [await self._told(row) for row in rows]})

    async def delete(self, request: Request) -> Response:
        """End a workflow's triggers; runs in flight go on."""
        await self.unapply(request.path_params["name"])
        return Response(status_code=204)

    async def apply(self, plan: Plan, row: AppliedWorkflow) -> AppliedWorkflow | None:
        """Make a plan the one that its triggers start; give what was applied before.

        Raises:
            ValidationFailed: the input of a trigger does not fit; nothing is changed.
        """
        schedules = self.schedules.of(plan, row.source)
        async with self._turn:
            before = await in_thread(self._get, row.name)
            gone = [number for number in _scheduled(before) if number not in schedules]
            await self.schedules.remove(row.name, gone)
            await in_thread(self._put, row)
            await self.schedules.put(row.name, schedules)
        return before

    async def unapply(self, name: str) -> None:
        """End the triggers of a workflow.

        Raises:
            NotFound: it is not applied.
        """
        async with self._turn:
            row = await in_thread(self._get, name)
            if row is None:
                raise NotFound(f"no workflow {name!r} is applied; `aima applied` lists those")
            await self.schedules.remove(name, _scheduled(row))
            await in_thread(self._remove, name)

    async def _told(self, row: AppliedWorkflow) -> dict[str, Any]:
        triggers = [await self._trigger(row, n) for n in range(len(_triggers(row)))]
        return {
            "name": row.name,
            "plan": row.hash,
            "source": row.source,
            "applied_at": row.applied_at.isoformat(),
            "triggers": triggers,
        }

    async def _trigger(self, row: AppliedWorkflow, number: int) -> dict[str, Any]:
        trigger = _triggers(row)[number]
        if "event" in trigger:
            return {"event": trigger["event"]["type"]}
        state = await self.schedules.find(row.name, number)
        return {
            "schedule": trigger["schedule"],
            "active": state is not None and not state.paused,
            "next": state.next.isoformat() if state and state.next else None,
        }

    def _get(self, name: str) -> AppliedWorkflow | None:
        with self.store() as store:
            return store.applied.get(name)

    def _all(self) -> list[AppliedWorkflow]:
        with self.store() as store:
            return store.applied.all()

    def _put(self, row: AppliedWorkflow) -> None:
        with self.store() as store:
            store.applied.put(row)

    def _remove(self, name: str) -> None:
        with self.store() as store:
            store.applied.remove(name)


def _triggers(row: AppliedWorkflow) -> list[dict[str, Any]]:
    triggers: list[dict[str, Any]] = json.loads(row.plan).get("triggers") or []
    return triggers


def _scheduled(row: AppliedWorkflow | None) -> list[int]:
    """Number the triggers of a row that are schedules."""
    triggers = [] if row is None else _triggers(row)
    return [number for number, trigger in enumerate(triggers) if "schedule" in trigger]
