"""A server over HTTP: how it is asked, and what becomes of what goes wrong.

Whatever an engine does, its caller gets an answer that makes sense or an error of AIMA's.
"""

from __future__ import annotations

import asyncio
import base64
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from aima.adapters.engines.openai_answer import failure_of, parsed
from aima.adapters.engines.prometheus import metrics_in
from aima.errors import EngineNotRunning, ExecutionFailed, TimedOut, TooLarge
from aima.ports.artifacts import Artifacts
from aima.ports.engine_lifecycle import EngineMetrics, Product
from aima.ports.inference import ModelCard

Wanted = TypeVar("Wanted", bound=BaseModel)

_MOST_CHARACTERS = 300


@dataclass(frozen=True)
class EngineServer(ABC):
    """An engine behind an address.

    Attributes:
        url: where its API starts, such as ``http://127.0.0.1:8000/v1``.
        http: the client to use; it carries the timeouts, and follows no redirects.
        artifacts: where recordings are, and where speech goes.
    """

    name: str
    url: str
    http: httpx2.AsyncClient
    artifacts: Artifacts
    api_key: str = field(default="", repr=False)

    PRODUCT: ClassVar[Product]
    AT_ONCE: ClassVar[int] = 0
    """Requests it works at, at once, unless its user says otherwise; 0: it keeps a line itself."""
    LISTED_IN: ClassVar[float] = 10.0
    """Seconds in which it tells what it has: nothing is computed for that."""
    MOST_BYTES: ClassVar[int] = 256 << 20
    """Of an answer that is read into memory: one without an end is cut off here."""

    @property
    def product(self) -> Product:
        """What it is."""
        return self.PRODUCT

    @property
    def root(self) -> str:
        """Where the server itself starts: its own doors are beside those of OpenAI's API."""
        return self.url.removesuffix("/v1")

    def _address(self, path: str) -> str:
        return f"{self.root}{path}" if path.startswith("/") else f"{self.url}/{path}"

    async def _get(self, path: str) -> bytes:
        """Ask for what is known already; also an answer that drips in must be there in time."""
        try:
            async with (
                asyncio.timeout(self.LISTED_IN),
                self._stream(path, method="GET") as response,
            ):
                return await self._all(response)
        except TimeoutError as error:
            raise TimedOut(f"engine {self.name!r} did not answer in time") from error

    async def _post(self, path: str, body: object) -> bytes:
        """Have something done."""
        async with self._stream(path, json=body) as response:
            return await self._all(response)

    async def _all(self, response: httpx2.Response) -> bytes:
        """Read an answer to its end, if it has one."""
        read = bytearray()
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) > self.MOST_BYTES:
                raise TooLarge(
                    f"engine {self.name!r} answered with more than {self.MOST_BYTES >> 20} MB; ask "
                    "it for less at once"
                )
        return bytes(read)

    def _bytes(self, written: str) -> bytes:
        """Read base64 out of an answer."""
        try:
            return base64.b64decode(written, validate=True)
        except ValueError as error:
            raise ExecutionFailed(f"engine {self.name!r} answered broken base64") from error

    def _read(
        self, model: type[Wanted], body: bytes, silent: Mapping[str, object] | None = None
    ) -> Wanted:
        """Read an answer; ``silent`` is what a server that does not tell is taken to mean."""
        try:
            told = parsed(body)
            return model.model_validate({**silent, **told} if silent else told)
        except (ValidationError, ValueError, TypeError) as error:
            reason = str(error)[:_MOST_CHARACTERS]
            raise ExecutionFailed(
                f"engine {self.name!r} answered something that is no {model.__name__} ({reason}); "
                "is another program behind its address?"
            ) from error

    @asynccontextmanager
    async def _stream(
        self,
        path: str,
        *,
        method: str = "POST",
        accept: str = "",
        **content: Any,  # noqa: ANN401 - httpx2's own
    ) -> AsyncIterator[httpx2.Response]:
        headers = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        headers |= {"accept": accept} if accept else {}
        with _told(self.name):
            async with self.http.stream(
                method, self._address(path), headers=headers, **content
            ) as response:
                if not response.is_success:
                    raise failure_of(
                        await self._all(response),
                        self.name,
                        response.status_code,
                        retry_after=number(response.headers.get("retry-after")),
                    )
                yield response

    async def _counted(self, names: Mapping[str, str]) -> EngineMetrics:
        """Read its ``/metrics``, which call by ``names`` what AIMA's vocabulary has."""
        return metrics_in((await self._get("/metrics")).decode(errors="replace"), names)

    @abstractmethod
    async def models(self) -> list[ModelCard]:
        """List what it serves."""


@contextmanager
def _told(engine: str) -> Iterator[None]:
    """Turn the transport's exceptions into AIMA's."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise TimedOut(f"engine {engine!r} did not answer in time") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise EngineNotRunning(
            f"engine {engine!r} does not answer ({reason}); `aima doctor` tells why"
        ) from error


def number(text: str | None) -> float | None:
    """Read a header; one that is no number tells nothing."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def given(**fields: object) -> dict[str, object]:
    """Leave out what was not asked for."""
    return {key: value for key, value in fields.items() if value is not None}
