"""How a worker shows the answer of a step: pieces go to the hub as they come.

Showing never fails a step and never slows it: pieces are sent by a task of their own, those that
come while a message is under way go with the next one, and without a hub they go nowhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx2

from aima.errors import ExecutionFailed, StreamLost

LEAST_PAUSE_SECONDS = 0.01
"""Between two messages, so that a fast engine costs a hundred messages a second and no more."""
PATIENCE_SECONDS = 2.0
"""How long the last message may take once the answer is there."""
SILENCE_SECONDS = 30.0
"""After which a stream is taken for lost; what it would have said comes whole, later."""


class Writer(Protocol):
    """Takes the pieces of one attempt's answer."""

    def write(self, piece: str | bytes) -> None:
        """Show a piece."""
        ...


class Streams(Protocol):
    """Where steps show their answers."""

    def open(self, run: str, step: str, attempt: int) -> AbstractAsyncContextManager[Writer]:
        """Begin the stream of an attempt; it has ended when the context ends well."""
        ...

    def listen(self, run: str, step: str) -> AsyncIterator[str]:
        """Read what a step shows, from the beginning to the end.

        Raises:
            StreamLost: nothing is shown.
            ExecutionFailed: it has begun again.
        """
        ...


class Nowhere:
    """A worker without a hub shows nothing."""

    @asynccontextmanager
    async def open(self, run: str, step: str, attempt: int) -> AsyncIterator[Writer]:
        """Begin a stream that nobody sees."""
        del run, step, attempt
        yield _Silence()

    def listen(self, run: str, step: str) -> AsyncIterator[str]:
        """Find nothing."""
        raise StreamLost(f"nobody shows step {step!r} of run {run!r}: this worker has no hub")


class _Silence:
    def write(self, piece: str | bytes) -> None:
        """Let it go."""


@dataclass(frozen=True)
class HubClient:
    """The hub of a stack, over HTTP.

    Attributes:
        url: the stack's door.
        token: lets in those who may show something.
        silence: seconds without a word for which a stream is waited for.
    """

    url: str
    token: str = field(repr=False)
    http: httpx2.AsyncClient
    silence: float = SILENCE_SECONDS

    @asynccontextmanager
    async def open(self, run: str, step: str, attempt: int) -> AsyncIterator[Writer]:
        """Begin the stream of an attempt; it has ended when the context ends well."""
        writer = _Pieces(self, {"run": run, "step": step, "attempt": str(attempt)})
        sending = asyncio.create_task(writer.send())
        try:
            yield writer
            writer.end()
            await asyncio.wait((sending,), timeout=PATIENCE_SECONDS)
        finally:
            sending.cancel()
            await asyncio.wait((sending,))

    async def listen(self, run: str, step: str) -> AsyncIterator[str]:
        """Read what a step shows, from the beginning to the end."""
        heard = 0
        try:
            async with self._read(run, step) as lines:
                async for line in lines:
                    said = json.loads(line)
                    if said["offset"] != heard:
                        raise ExecutionFailed(f"step {step!r}, which this one follows, began again")
                    heard += len(said["text"].encode())
                    if said["text"]:
                        yield said["text"]
                    if said["ended"]:
                        return
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            raise StreamLost(f"step {step!r} of run {run!r} shows nothing: {error!r}") from error
        raise StreamLost(f"the stream of step {step!r} of run {run!r} broke off")

    @asynccontextmanager
    async def _read(self, run: str, step: str) -> AsyncIterator[AsyncIterator[str]]:
        async with self.http.stream(
            "GET",
            f"{self.url}/api/v2/streams",
            params={"run": run, "step": step},
            headers={"authorization": f"Bearer {self.token}"},
            # Of a read alone: a timeout around all would end the work of whoever is listening.
            timeout=httpx2.Timeout(PATIENCE_SECONDS, read=self.silence),
        ) as response:
            response.raise_for_status()
            yield response.aiter_lines()

    async def say(self, what: Mapping[str, str], pieces: _Pieces) -> int:
        """Send what the hub does not have yet; give how much it has then.

        Raises:
            httpx2.HTTPError: it does not take it.
        """
        response = await self.http.post(
            f"{self.url}/api/v2/streams",
            params={**what, "offset": pieces.sent, "ended": int(pieces.ended)},
            content=bytes(pieces.all[pieces.sent :]),
            headers={"authorization": f"Bearer {self.token}", "content-type": pieces.media_type},
            timeout=PATIENCE_SECONDS,
        )
        response.raise_for_status()
        return int(response.json()["have"])


class _Pieces:
    """The pieces of one attempt; all are kept, since a hub that is started anew asks for them."""

    def __init__(self, hub: HubClient, what: Mapping[str, str]) -> None:
        self.all = bytearray()
        self.sent = 0
        self.ended = False
        self.media_type = "text/plain; charset=utf-8"
        self._hub = hub
        self._what = what
        self._more = asyncio.Event()
        self._more.set()  # that it begins is told at once: the one before is no longer true

    def write(self, piece: str | bytes) -> None:
        """Show a piece."""
        if isinstance(piece, bytes):
            self.media_type = "application/octet-stream"
        self.all += piece if isinstance(piece, bytes) else piece.encode(errors="replace")
        self._more.set()

    def end(self) -> None:
        """Say that this was all."""
        self.ended = True
        self._more.set()

    async def send(self) -> None:
        """Send pieces until all are sent; a hub that is away is asked again after a while."""
        pause = LEAST_PAUSE_SECONDS
        said_end = False
        while not said_end:
            await self._more.wait()
            self._more.clear()
            size, ended = len(self.all), self.ended
            try:
                self.sent = await self._hub.say(self._what, self)
            except (httpx2.HTTPError, OSError, ValueError, KeyError):
                pause = min(max(pause, LEAST_PAUSE_SECONDS) * 2, PATIENCE_SECONDS)
                self._more.set()
            else:
                pause = LEAST_PAUSE_SECONDS if size else 0.0
                said_end = ended and self.sent >= size
                if self.sent < len(self.all) or (self.ended and not said_end):
                    self._more.set()
            await asyncio.sleep(0 if said_end else pause)
