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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from aima.blocking import in_thread
from aima.dsl.plan import Plan
from aima.errors import NotFound
from aima.store.applied import AppliedWorkflow
from aima.temporal.schedules import Schedules

if TYPE_CHECKING:
    from aima.store.database import Store

Require: TypeAlias = Callable[[AppliedWorkflow | None], None]


def _anything(_: AppliedWorkflow | None) -> None:
    """Let anything be replaced."""


@dataclass(frozen=True)
class AppliedWorkflows:
    """Applies workflows, lists those that are, and ends that.

    Attributes:
        store: opens the store.
    """

    schedules: Schedules
    store: Callable[[], AbstractContextManager[Store]]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def all(self) -> list[AppliedWorkflow]:
        """List them by name."""
        return await in_thread(self._all)

    async def get(self, name: str) -> AppliedWorkflow | None:
        """Give one by its name; None where none is applied."""
        return await in_thread(self._get, name)

    async def apply(
        self, plan: Plan, row: AppliedWorkflow, *, require: Require = _anything
    ) -> AppliedWorkflow | None:
        """Make a plan the one that its triggers start; give what was applied before.

        Args:
            plan: the plan.
            row: how it is stored.
            require: looks at what is applied now, and raises where that must not be replaced.

        Raises:
            ValidationFailed: the input of a trigger does not fit; nothing is changed.
        """
        schedules = self.schedules.of(plan, row.source)
        async with self._turn:
            before = await in_thread(self._get, row.name)
            require(before)
            gone = [number for number in _scheduled(before) if number not in schedules]
            await self.schedules.remove(row.name, gone)
            await in_thread(self._put, row)
            await self.schedules.put(row.name, schedules)
        return before

    async def unapply(self, name: str, *, require: Require = _anything) -> None:
        """End the triggers of a workflow; runs in flight go on.

        Raises:
            NotFound: it is not applied.
        """
        async with self._turn:
            row = await in_thread(self._get, name)
            if row is None:
                raise NotFound(f"no workflow {name!r} is applied; `aima applied` lists those")
            require(row)
            await self.schedules.remove(name, _scheduled(row))
            await in_thread(self._remove, name)

    async def triggers(self, row: AppliedWorkflow) -> list[dict[str, Any]]:
        """Tell what starts runs of a workflow, and when next."""
        triggers = enumerate(triggers_of(row.plan))
        return [await self._trigger(row, number, one) for number, one in triggers]

    async def _trigger(
        self, row: AppliedWorkflow, number: int, trigger: dict[str, Any]
    ) -> dict[str, Any]:
        if "schedule" not in trigger:
            return shown(trigger, row.name)
        state = await self.schedules.find(row.name, number)
        return {
            **shown(trigger, row.name),
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


def triggers_of(plan: str) -> list[dict[str, Any]]:
    """Read the triggers off a plan's text."""
    triggers: list[dict[str, Any]] = json.loads(plan).get("triggers") or []
    return triggers


def shown(trigger: dict[str, Any], name: str) -> dict[str, Any]:
    """Tell what a trigger of a workflow is, without what it is compiled to."""
    if "event" in trigger:
        return {"event": trigger["event"]["type"]}
    if "webhook" in trigger:
        said = trigger["webhook"]
        return {"webhook": f"/hooks/{name}/{said['name']}", "signature": said["signature"]}
    return {"schedule": trigger["schedule"]}


def _scheduled(row: AppliedWorkflow | None) -> list[int]:
    """Number the triggers of a row that are schedules."""
    triggers = [] if row is None else triggers_of(row.plan)
    return [number for number, trigger in enumerate(triggers) if "schedule" in trigger]
