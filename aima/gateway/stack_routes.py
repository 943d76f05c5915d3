"""The door's routes for the stack itself: whether it lives, who uses it, and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from temporalio.client import Client
from temporalio.service import RPCError

from aima import __version__
from aima.errors import TemporalUnreachable
from aima.gateway.about import About
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.stack.lock import StackState
from aima.temporal.server import LOOPBACK

if TYPE_CHECKING:
    from aima.stack.supervisor import Supervisor


_READY_SECONDS = 2.0


@dataclass(frozen=True)
class StackRoutes:
    """What the routes work on.

    Attributes:
        key: the file with the admin's key.
    """

    key: Path
    supervisor: Supervisor
    state: StackState
    client: Client

    def ways(self) -> list[Way]:
        """Give the addresses, and who may use each."""
        may = Permission
        lives = About(gives=(), statuses=(204,))
        ready = replace(lives, errors=(TemporalUnreachable,))
        held, ended = About(gives=("application/jsonl",)), About(gives=(), statuses=(202,))
        return [
            Way("GET", "/livez", self.live, may.PUBLIC, about=lives),
            Way("GET", "/readyz", self.ready, may.PUBLIC, about=ready),
            Way("GET", "/health", self.health, may.HEALTH_READ),
            Way("GET", "/stack/attach", self.attach, may.STACK_CONTROL, about=held),
            Way("POST", "/stack/stay", self.stay, may.STACK_CONTROL, about=lives),
            Way("POST", "/stack/stop", self.stop, may.STACK_CONTROL, about=ended),
        ]

    async def live(self, _: Request) -> Response:
        """Tell anybody no more than that it lives."""
        return Response(status_code=204)

    async def ready(self, _: Request) -> Response:
        """Tell anybody whether it takes work on; 503 while Temporal does not answer."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self.client.service_client.check_health()
        except (RPCError, TimeoutError) as error:
            raise TemporalUnreachable(
                "Temporal does not answer; wait, or see `aima doctor`"
            ) from error
        return Response(status_code=204)

    async def health(self, _: Request) -> Response:
        """Tell that it lives, its processes, and who uses it."""
        return JSONResponse(
            {
                "version": __version__,
                "temporal": self.state.temporal,
                "ui": self.state.ui,
                "door": f"http://{LOOPBACK}:{self.state.port}",
                "key": str(self.key) if self.key.exists() else "",
                "stays": self.supervisor.stays,
                "clients": sorted(self.supervisor.clients),
                "pids": self.supervisor.pids,
            }
        )

    async def attach(self, request: Request) -> Response:
        """Hold the stack up for as long as the client reads; its number is the first line."""
        works = request.query_params.get("works") == "true"
        client = await self.supervisor.attach(works=works)

        async def lines() -> AsyncIterator[bytes]:
            try:
                yield json.dumps({"client": client}).encode() + b"\n"
                await asyncio.Event().wait()  # until the client goes, which cancels this
            finally:
                self.supervisor.detach(client)

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def stay(self, _: Request) -> Response:
        """Let the stack outlive its clients."""
        await self.supervisor.stay()
        return Response(status_code=204)

    async def stop(self, _: Request) -> Response:
        """End the stack."""
        self.supervisor.ended.set()
        return Response(status_code=202)
