"""MCP over HTTP: one address, behind the same chain as every other."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from httpx2 import AsyncClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aima.blocking import in_thread
from aima.errors import EngineNotRunning, Forbidden, Unauthorized
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Caller, Permission
from aima.gateway.chain import LOOPBACK, TRACE
from aima.gateway.mcp.inside import Inside
from aima.gateway.mcp.profile import DEFAULT
from aima.gateway.mcp.rest import Reached, Rest
from aima.gateway.relaying import EVENTS
from aima.gateway.route import Way, caller_of
from aima.trace import TRACEPARENT

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from aima.gateway.mcp.resources import Context

PATH = "/mcp"
MOST_SESSIONS = 1000
IDLE_SECONDS = 30 * 60.0
_EXAMPLE = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
_SPOKEN = About(gives=(JSON, EVENTS), statuses=(200, 202), passes_on=True)


@dataclass
class McpRoutes:
    """Serves both eras of the protocol: requests that stand alone, and sessions.

    Attributes:
        hosts: the names of this machine that a page may have been loaded from.
        project: whose runbooks join those that AIMA ships.
    """

    hosts: Collection[str] = LOOPBACK
    project: Path | None = None
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: asyncio.Future[StreamableHTTPSessionManager] | None = None

    def ways(self) -> list[Way]:
        """Give the addresses."""
        methods = ("POST", "GET", "DELETE")
        # What the tools do is written down where they do it: at the API.
        about = {"POST": replace(_SPOKEN, example=_EXAMPLE)}
        return [
            Way(m, PATH, self.hand, Permission.UNIT_READ, looks=True, about=about.get(m, _SPOKEN))
            for m in methods
        ]

    async def serve(self, door: ASGIApp) -> None:
        """Serve until cancelled; the SDK, which takes a second, is loaded when it is wanted.

        Args:
            door: the whole door, which the tools ask.
        """
        self._ready = asyncio.get_running_loop().create_future()
        await self._wanted.wait()
        manager = await in_thread(_manager, door, self.project)
        async with manager.run():
            self._ready.set_result(manager)
            await asyncio.Event().wait()

    async def hand(self, request: Request) -> Response:
        """Speak MCP: tools, resources and prompts, for agents."""
        if not self._is_own(request.headers.getlist("origin")):
            raise Forbidden("no page of the web may speak to AIMA; it is not one of its own")
        if self._ready is None:
            raise EngineNotRunning("MCP is not served yet; try again")
        self._wanted.set()
        return _Handed(await asyncio.shield(self._ready), caller_of(request.scope))

    def _is_own(self, origins: list[str]) -> bool:
        """Tell whether a request comes from no page, or from one of this machine."""
        if not origins:
            return True
        try:
            parts = urlsplit(origins[0])
            name = parts.hostname
        except ValueError:  # such as an unclosed bracket
            return False
        return len(origins) == 1 and parts.scheme in ("http", "https") and name in self.hosts


class _Handed(Response):
    """Hands a request to the SDK, which knows whose a session is by the id of a key."""

    def __init__(self, manager: StreamableHTTPSessionManager, caller: Caller) -> None:
        self._manager = manager
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
        from mcp.server.auth.provider import AccessToken

        token = AccessToken(
            token="", client_id=self._caller.id, subject=self._caller.name, scopes=[]
        )
        scope["user"] = AuthenticatedUser(token)
        # Blanks around a value are not part of it (RFC 9110 §5.5); not every parser takes them off.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        await self._manager.handle_request(scope, receive, send)


def _manager(door: ASGIApp, project: Path | None) -> StreamableHTTPSessionManager:
    """Load the SDK and make what serves its requests."""
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from aima.gateway.mcp.server import Desk, told_trace

    http = AsyncClient(transport=Inside(door), timeout=None)

    def rest(ctx: Context) -> Rest:
        given, kept = _request(ctx), ("authorization", "x-request-id")
        carried = {name: given.headers[name] for name in kept if name in given.headers}
        carried[TRACEPARENT] = told_trace(ctx) or given.scope[TRACE]
        return Rest(http, lambda: Reached("http://127.0.0.1", carried))

    def profile(ctx: Context) -> str:
        return str(_request(ctx).query_params.get("profile", DEFAULT))

    return StreamableHTTPSessionManager(
        Desk(rest, profile, project).server(),
        max_request_body_size=MOST_BODY_BYTES,
        max_sessions=MOST_SESSIONS,
        session_idle_timeout=IDLE_SECONDS,
    )


def _request(ctx: Context) -> Request:
    if not isinstance(ctx.request, Request):
        raise Unauthorized("this call came with no request")  # and so nobody's key
    return ctx.request
