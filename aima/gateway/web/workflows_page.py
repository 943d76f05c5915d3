"""The first page: the workflows there are, and the latest runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aima.gateway.access.permission import Permission
from aima.gateway.route import Way, caller_of
from aima.gateway.web.drawn import drawn
from aima.gateway.web.look import Look
from aima.gateway.workflows.known import KnownWorkflow, KnownWorkflows, Origin
from aima.temporal.runs import Run, Runs

LATEST_RUNS = 6
LOOKED_AT = 100
"""The runs in which the latest of each workflow is looked for."""

_GROUPS = (
    (Origin.STORED, "Stored here"),
    (Origin.PROJECT, "Of this project"),
    (Origin.SHIPPED, "Shipped with AIMA"),
)


@dataclass(frozen=True)
class WorkflowsPage:
    """Lists workflows."""

    look: Look
    known: KnownWorkflows
    runs: Runs

    def ways(self) -> list[Way]:
        """Give the address."""
        return [self.look.way("GET", "/", self.show, Permission.WORKFLOW_READ)]

    async def show(self, request: Request) -> Response:
        """Show the workflows with a small picture of each, and what ran last."""
        found, latest = await asyncio.gather(self.known.all(), self._latest(request))
        last: dict[str, Run] = {}
        for run in latest:
            last.setdefault(run.workflow, run)
        groups = [
            (title, [_card(one, last.get(one.name)) for one in found if one.origin is origin])
            for origin, title in _GROUPS
        ]
        return self.look.page(
            request,
            "workflows",
            groups=[(title, cards) for title, cards in groups if cards],
            latest=latest[:LATEST_RUNS],
        )

    async def _latest(self, request: Request) -> list[Run]:
        sees = caller_of(request.scope).may(Permission.RUN_READ)
        return await self.runs.latest(limit=LOOKED_AT) if sees else []


def _card(one: KnownWorkflow, last: Run | None) -> dict[str, Any]:
    return {
        "name": one.name,
        "description": one.description,
        "graph": drawn(one.plan.data) if one.plan else None,
        "mistakes": len(one.diagnostics) if one.plan is None else 0,
        "last": last,
    }
