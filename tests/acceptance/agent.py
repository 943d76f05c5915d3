"""An agent's client, which nobody here wrote: the official one, by every way and in both eras."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.session import MessageHandlerFnT
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.acceptance.command import AIMA, Aima

OLD, NEW = "legacy", "2026-07-28"
"""The eras: a handshake and a session, or requests that stand alone."""


@dataclass(frozen=True)
class Agent:
    """Who speaks MCP to a running AIMA."""

    aima: Aima
    port: int
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where MCP is served over HTTP."""
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def headers(self) -> dict[str, str]:
        """What lets it in."""
        return {"authorization": f"Bearer {self.key}"}

    @asynccontextmanager
    async def over_http(
        self, era: str = NEW, query: str = "", hear: MessageHandlerFnT | None = None
    ) -> AsyncIterator[Client]:
        """Connect to the door; ``hear`` takes what it tells by itself."""
        async with httpx2.AsyncClient(headers=self.headers, timeout=90) as http:
            transport = streamable_http_client(f"{self.url}{query}", http_client=http)
            async with Client(transport, mode=era, message_handler=hear) as client:
                yield client

    @asynccontextmanager
    async def over_stdio(self, era: str = NEW, *arguments: str) -> AsyncIterator[Client]:
        """Have the client start `aima mcp`, as desktop programs do."""
        environ = {**self.aima.environ, "AIMA_KEY": self.key}
        command = StdioServerParameters(
            command=str(AIMA), args=["mcp", *arguments], env=environ, cwd=self.aima.cwd
        )
        async with Client(stdio_client(command), mode=era) as client:
            yield client

    async def ask(self, method: str, path: str, body: Any = None, wait: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Ask the REST API the same."""
        headers = {**self.headers, **({"prefer": f"wait={wait}"} if wait else {})}
        async with httpx2.AsyncClient(headers=headers, timeout=90) as http:
            url = f"http://127.0.0.1:{self.port}/api/v2{path}"
            return (await http.request(method, url, json=body)).json()

    def with_key(self, *arguments: str) -> Agent:
        """Give the agent a key of its own, made with the command line."""
        made = self.aima.ask("key", "create", *arguments)
        return Agent(self.aima, self.port, made["key"])


def agent_of(aima: Aima) -> Agent:
    """Give an agent with the admin's key."""
    state = json.loads((aima.data / "stack.json").read_text())
    return Agent(aima, state["port"], (aima.data / "admin.key").read_text().strip())
