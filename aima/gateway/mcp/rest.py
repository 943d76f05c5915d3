"""Asking the REST API for a caller, who has nothing but what its key allows."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from httpx2 import AsyncClient, Response, TransportError

from aima.errors import AimaError, EngineNotRunning
from aima.gateway.problem import problem

API = "/api/v2"
JSON_LINES = "application/jsonl"
EVENTS = "text/event-stream"
_DATA = "data: "


class Refused(Exception):
    """The API answered with a problem; ``problem`` is what it says (RFC 9457)."""

    def __init__(self, problem: Mapping[str, Any], /) -> None:
        """Carry the problem."""
        super().__init__(problem.get("detail", ""))
        self.problem = dict(problem)


def refused(error: AimaError) -> Refused:
    """Tell an error as the API would."""
    return Refused(problem(error))


@dataclass(frozen=True)
class Reached:
    """Where the API is, and what a request to it carries."""

    base: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Rest:
    """The API, asked for one caller.

    Attributes:
        reach: tells for each request where it goes; raises an `AimaError` where there is nothing.
    """

    http: AsyncClient
    reach: Callable[[], Reached]

    async def ask(
        self, method: str, path: str, body: object = None, *, wait: float = 0
    ) -> dict[str, Any]:
        """Ask for something.

        Args:
            method: of HTTP.
            path: below ``/api/v2``, with its query.
            body: becomes JSON.
            wait: how many seconds to wait for the end of what is asked for.

        Raises:
            Refused: it is not to be had.
        """
        async with self._opened(method, path, body, wait=wait) as response:
            text = await response.aread()
            told: dict[str, Any] = json.loads(text) if text else {}
            return told

    async def content(self, path: str) -> bytes:
        """Fetch bytes; raises as :meth:`ask` does."""
        async with self._opened("GET", path, None) as response:
            return await response.aread()

    async def lines(self, path: str) -> AsyncGenerator[dict[str, Any]]:
        """Read a stream of JSON lines; raises as :meth:`ask` does."""
        async with self._opened("GET", path, None, accept=JSON_LINES) as response:
            async for line in response.aiter_lines():
                yield json.loads(line)

    async def events(self, path: str) -> AsyncGenerator[dict[str, Any]]:
        """Read the data of a stream of events; raises as :meth:`ask` does."""
        async with self._opened("GET", path, None, accept=EVENTS) as response:
            async for line in response.aiter_lines():
                if line.startswith(_DATA):
                    yield json.loads(line.removeprefix(_DATA))

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, body: object, *, wait: float = 0, accept: str = "*/*"
    ) -> AsyncIterator[Response]:
        content = None if body is None else json.dumps(body).encode()
        try:
            reached = self.reach()
            headers = {**reached.headers, "accept": accept}
            if content is not None:
                headers["content-type"] = "application/json"
            if wait:
                headers["prefer"] = f"wait={wait:.0f}"
            url = f"{reached.base}{API}{path}"
            async with self.http.stream(method, url, content=content, headers=headers) as response:
                if response.is_error:
                    raise Refused(json.loads(await response.aread()))
                yield response
        except AimaError as error:
            raise refused(error) from error
        except TransportError as error:
            reason = str(error) or type(error).__name__
            away = EngineNotRunning(f"AIMA went away ({reason}); `aima up` starts it")
            raise refused(away) from error
