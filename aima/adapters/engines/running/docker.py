"""The API of Docker's engine, of which Podman's socket speaks enough.

Source: the Docker Engine API, 1.41, which both have. It is spoken over HTTP rather than by the
``docker`` program, so that no secret is ever on a command line.
"""

from __future__ import annotations

import json
import os
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, Field, ValidationError

from aima.errors import (
    AimaError,
    Conflict,
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    NotFound,
    TimedOut,
)
from aima.ports.inference import Progress

Read = TypeVar("Read", bound=BaseModel)

_VERSION = "v1.41"
_USUAL = ("/var/run/docker.sock", "/run/podman/podman.sock")
_NO_CONTENT, _NOT_MODIFIED, _NOT_FOUND, _CONFLICT = 204, 304, 404, 409
_MOST_BYTES = 4 << 20
_PULL_SECONDS = 600.0
"""Silence in which a pull is given up; a layer tells of itself while it comes."""


class State(BaseModel):
    """How a container is."""

    running: bool = Field(alias="Running")
    exit_code: int = Field(default=0, alias="ExitCode")


class Config(BaseModel):
    """What a container was made with."""

    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class Inspected(BaseModel):
    """A container, looked at."""

    id: str = Field(alias="Id")
    state: State = Field(alias="State")
    config: Config = Field(alias="Config")

    @property
    def labels(self) -> dict[str, str]:
        """What is written on it."""
        return self.config.labels or {}


class _Made(BaseModel):
    id: str = Field(alias="Id")


class _Image(BaseModel):
    id: str = Field(alias="Id")


class _Refusal(BaseModel):
    message: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Docker:
    """Whoever runs containers here.

    Attributes:
        address: ``unix:///…`` or ``tcp://…``; empty: where it usually listens.
    """

    address: str = ""

    async def image(self, reference: str) -> str | None:
        """Give the id of an image that is here."""
        found = await self._ask("GET", f"/images/{reference}/json", allowed=(_NOT_FOUND,))
        return _read(_Image, found).id if found else None

    async def pull(self, reference: str, *, progress: Progress) -> None:
        """Fetch an image.

        Raises:
            NotFound: there is none of that name.
        """
        params = {"fromImage": reference} if "@" in reference else _split(reference)
        timeout = httpx2.Timeout(_PULL_SECONDS, connect=5)
        path = "/images/create"
        async with self._stream("POST", path, params=params, timeout=timeout) as response:
            await _checked(response)
            async for line in response.aiter_lines():
                told = json.loads(line) if line.strip() else {}
                if "error" in told:
                    raise _failure(_NOT_FOUND, f"pulling {reference!r}: {told['error']}")
                progress(f"pulling: {told.get('status', '')} {told.get('progress', '')}".strip())

    async def inspect(self, name: str) -> Inspected | None:
        """Look at a container."""
        found = await self._ask("GET", f"/containers/{name}/json", allowed=(_NOT_FOUND,))
        return _read(Inspected, found) if found else None

    async def create(self, name: str, body: Mapping[str, object]) -> str:
        """Make a container; give its id.

        Raises:
            Conflict: there is one of that name.
        """
        made = await self._ask("POST", "/containers/create", params={"name": name}, json=body)
        return _read(_Made, made).id

    async def start(self, container: str) -> None:
        """Start a container; one that runs goes on."""
        await self._ask("POST", f"/containers/{container}/start")

    async def stop(self, container: str, seconds: float) -> None:
        """End a container: SIGTERM, after so many seconds SIGKILL."""
        params = {"t": str(int(seconds))}
        timeout = httpx2.Timeout(seconds + 30, connect=5)
        path = f"/containers/{container}/stop"
        await self._ask("POST", path, allowed=(_NOT_FOUND,), params=params, timeout=timeout)

    async def remove(self, container: str) -> None:
        """Take a container away; its named volumes stay."""
        params = {"force": "true"}
        await self._ask(
            "DELETE", f"/containers/{container}", allowed=(_NOT_FOUND, _CONFLICT), params=params
        )

    async def logs(self, container: str, count: int) -> list[str]:
        """Give the last lines that a container wrote."""
        params = {"stdout": "true", "stderr": "true", "tail": str(count)}
        written = await self._ask(
            "GET", f"/containers/{container}/logs", allowed=(_NOT_FOUND,), params=params
        )
        return _unframed(written).decode(errors="replace").splitlines()[-count:]

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        allowed: tuple[int, ...] = (),
        **content: Any,  # noqa: ANN401 - httpx2's own
    ) -> bytes:
        """Ask for something; nothing comes back where one of the ``allowed`` refusals does."""
        async with self._stream(method, path, **content) as response:
            if response.status_code in (*allowed, _NO_CONTENT, _NOT_MODIFIED):
                return b""
            await _checked(response)
            return await _all(response)

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        **content: Any,  # noqa: ANN401 - httpx2's own
    ) -> AsyncIterator[httpx2.Response]:
        where = self.address or os.environ.get("DOCKER_HOST", "") or _usual()
        socket = where.removeprefix("unix://") if where.startswith("unix://") else None
        base = "http://docker" if socket else where.replace("tcp://", "http://", 1)
        no_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to load them takes 20 ms
        transport = httpx2.AsyncHTTPTransport(uds=socket, verify=no_authorities)
        content.setdefault("timeout", httpx2.Timeout(60, connect=5))
        try:
            async with (
                httpx2.AsyncClient(transport=transport, base_url=base) as client,
                client.stream(method, f"/{_VERSION}{path}", **content) as response,
            ):
                yield response
        except httpx2.TimeoutException as error:
            raise TimedOut(f"what runs containers at {where!r} did not answer in time") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise EngineNotRunning(
                f"nothing runs containers at {where!r} ({str(error) or type(error).__name__}); "
                "start Docker or Podman, or say containers.address"
            ) from error


def _usual() -> str:
    """Find where Docker or Podman usually listens."""
    own = f"{os.environ.get('XDG_RUNTIME_DIR', '/run')}/podman/podman.sock"
    here = next((path for path in (*_USUAL, own) if Path(path).exists()), _USUAL[0])
    return f"unix://{here}"


def _split(reference: str) -> dict[str, str]:
    """Tell name and tag apart; a port of a registry has a colon, too."""
    name, _, tag = reference.rpartition(":")
    return {"fromImage": name, "tag": tag} if "/" not in tag and name else {"fromImage": reference}


async def _checked(response: httpx2.Response) -> None:
    if response.is_success:
        return
    body = await _all(response)
    try:
        told = _Refusal.model_validate_json(body)
        message = told.message or told.cause
    except ValidationError:
        message = body[:200].decode(errors="replace")
    raise _failure(response.status_code, message or f"status {response.status_code}")


async def _all(response: httpx2.Response) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_bytes():
        read += chunk
        if len(read) > _MOST_BYTES:
            break
    return bytes(read[:_MOST_BYTES])


def _failure(status: int, message: str) -> AimaError:
    if "no space left" in message.lower():
        return InsufficientResources(f"the disk of the containers is full: {message}")
    if status == _NOT_FOUND:
        return NotFound(f"there is no such image or container: {message}")
    if status == _CONFLICT:
        return Conflict(f"the container is in use: {message}")
    return ExecutionFailed(f"the container could not be run: {message}")


def _read(model: type[Read], body: bytes) -> Read:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ExecutionFailed(
            f"what runs containers answered something that is no {model.__name__}; is another "
            "program at its address?"
        ) from error


def _unframed(written: bytes) -> bytes:
    """Join what a container wrote: each piece comes behind eight bytes that tell its length."""
    joined, place = bytearray(), 0
    while place + 8 <= len(written):
        stream, length = struct.unpack_from(">BxxxI", written, place)
        if stream > 2:  # noqa: PLR2004 - stdin, stdout, stderr; anything else is no frame
            return written  # a terminal's, which has no frames
        joined += written[place + 8 : place + 8 + length]
        place += 8 + length
    return bytes(joined)
