"""A server of the OpenAI-compatible HTTP API: how it is asked, and what it serves.

What such servers can do differs, so each ability is a class of its own in :mod:`.openai`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from aima.adapters.engines.openai_answer import failure_of
from aima.adapters.engines.openai_wire import ServedModels
from aima.errors import EngineNotRunning, ExecutionFailed, TimedOut
from aima.ports.artifacts import Artifacts
from aima.ports.inference import ModelCard

_Wanted = TypeVar("_Wanted", bound=BaseModel)


@dataclass(frozen=True)
class OpenAIServer:
    """An engine behind an OpenAI-compatible address.

    Attributes:
        url: where the API starts, such as ``http://127.0.0.1:8000/v1``.
        http: the client to use; it carries the timeouts, and follows no redirects.
        artifacts: where recordings are, and where speech goes.
    """

    name: str
    url: str
    http: httpx2.AsyncClient
    artifacts: Artifacts
    api_key: str = field(default="", repr=False)

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        listed = self._read(ServedModels, await self._get("models"))
        return [
            ModelCard(
                name=model.id,
                engine=self.name,
                **model.model_dump(exclude={"id"}),
            )
            for model in listed.data
        ]

    @property
    def root(self) -> str:
        """Where the server itself starts: its own doors are beside those of OpenAI's API."""
        return self.url.removesuffix("/v1")

    def _address(self, path: str) -> str:
        return f"{self.root}{path}" if path.startswith("/") else f"{self.url}/{path}"

    async def _get(self, path: str) -> bytes:
        async with self._stream(path, method="GET") as response:
            return await response.aread()

    def _bytes(self, written: str) -> bytes:
        """Read base64 out of an answer."""
        try:
            return base64.b64decode(written, validate=True)
        except ValueError as error:
            raise ExecutionFailed(f"engine {self.name!r} answered broken base64") from error

    def _read(
        self, model: type[_Wanted], body: bytes, silent: Mapping[str, object] | None = None
    ) -> _Wanted:
        """Read an answer; ``silent`` is what a server that does not tell is taken to mean."""
        try:
            told = json.loads(body)
            return model.model_validate({**silent, **told} if silent else told)
        except (ValidationError, ValueError, TypeError) as error:
            raise ExecutionFailed(
                f"engine {self.name!r} answered something that is no {model.__name__}: {error}"
            ) from error

    @asynccontextmanager
    async def _stream(
        self,
        path: str,
        *,
        method: str = "POST",
        **content: Any,  # noqa: ANN401 - httpx2's own
    ) -> AsyncIterator[httpx2.Response]:
        headers = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        with _told(self.name):
            async with self.http.stream(
                method, self._address(path), headers=headers, **content
            ) as response:
                if not response.is_success:
                    raise failure_of(
                        await response.aread(),
                        self.name,
                        response.status_code,
                        retry_after=number(response.headers.get("retry-after")),
                    )
                yield response


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
