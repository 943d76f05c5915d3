"""The runs: which there are, how each is, and how old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from starlette.requests import Request
from starlette.responses import Response

from aima.gateway.access.permission import Permission
from aima.gateway.paging import decoded, encoded
from aima.gateway.route import Way
from aima.gateway.runs.routes import ListRuns, RunState
from aima.gateway.web.look import Look
from aima.mistakes import accept
from aima.temporal.runs import Runs

SHOWN = 50


@dataclass(frozen=True)
class RunsPage:
    """Lists runs."""

    look: Look
    runs: Runs

    def ways(self) -> list[Way]:
        """Give the address."""
        return [self.look.way("GET", "/runs", self.show, Permission.RUN_READ)]

    async def show(self, request: Request) -> Response:
        """Show the runs of a state or a workflow, a page of them at a time."""
        given = {key: value for key, value in request.query_params.items() if value}
        asked = accept(ListRuns.model_validate, {"limit": SHOWN, **given}, what="the query")
        after = decoded(asked.cursor) or None
        page = await self.runs.page(limit=SHOWN, query=asked.visibility, after=after)
        return self.look.page(
            request,
            "runs",
            runs=sorted(page.runs, key=lambda run: run.started, reverse=True),
            asked=asked,
            states=get_args(RunState),
            following=encoded(page.following) if page.following else "",
        )
