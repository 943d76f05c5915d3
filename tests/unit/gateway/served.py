"""Some routes served on loopback behind the door's chain, with keys that open them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

import uvicorn

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Role
from aima.gateway.chain import create_app
from aima.gateway.route import Way
from aima.store.database import Store

KEY = "a key of the test"
OTHER_KEY = "a key of somebody else"


@asynccontextmanager
async def served(ways: Iterable[Way]) -> AsyncIterator[str]:
    """Serve routes on a free port of loopback; give its address."""
    callers = {KEY: Caller("t", Role.OPERATOR), OTHER_KEY: Caller("o", Role.OPERATOR, id="other")}
    app = create_app(ways, Keys(callers, _no_store))
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Quiet(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listener.close()


def _no_store() -> AbstractContextManager[Store]:
    """Fail: nobody needs the store for a secret of the stack."""
    raise AssertionError


class _Quiet(uvicorn.Server):
    """A server inside a test: signals are not its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
