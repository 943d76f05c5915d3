"""MCP over standard input and output, in front of the stack that runs."""

from __future__ import annotations

from functools import partial

from httpx2 import AsyncClient
from mcp.server.stdio import stdio_server

from aima.errors import EngineNotRunning
from aima.gateway.mcp.resources import Context
from aima.gateway.mcp.rest import Reached, Rest
from aima.gateway.mcp.server import Desk, told_trace
from aima.settings import Settings
from aima.stack.lock import running_stack
from aima.trace import TRACEPARENT


async def serve_stdio(settings: Settings, *, key: str, profile: str) -> None:
    """Serve one client until it closes standard input.

    Args:
        settings: whose data folder tells where the stack is, looked up for each request: one
            that was started anew goes on where the other was.
        key: opens the door; empty: as the command line does.
        profile: which units have tools.
    """

    def reach(trace: str) -> Reached:
        state = running_stack(settings.data)
        if state is None:
            raise EngineNotRunning("no AIMA is up; `aima up` starts it")
        headers = {"authorization": f"Bearer {key or state.token}"}
        headers |= {TRACEPARENT: trace} if trace else {}
        return Reached(f"http://127.0.0.1:{state.port}", headers)

    async with AsyncClient(timeout=None, trust_env=False) as http:

        def rest(ctx: Context) -> Rest:
            return Rest(http, partial(reach, told_trace(ctx)))

        server = Desk(rest, lambda _: profile, settings.root).server()
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
