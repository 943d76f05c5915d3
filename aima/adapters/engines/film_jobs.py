"""Films are jobs at their engine, which outlive their asker.

A job's id is remembered, and whoever asks next waits for it instead of beginning another. When
nobody will ask, because the run was cancelled, the engine is told to stop it.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from aima.adapters.engines.server import EngineServer
from aima.errors import AimaError, ExecutionFailed, NotFound
from aima.ports.engine import Memory
from aima.ports.inference import Progress, VideoReply, VideoRequest

_FIRST_SECONDS, _MORE, _MOST_SECONDS = 0.25, 1.5, 10.0
"""How long to wait before asking how far a job is: short films are told soon."""

STOP_SECONDS = 5.0
"""For which a cancelled job may take to learn its id, and again to be stopped."""


@dataclass(frozen=True)
class FilmJob:
    """Where a job is.

    Attributes:
        told: how far it is, or why it failed.
    """

    id: str
    state: Literal["going", "done", "failed"]
    told: str


class FilmJobs(EngineServer):
    """Makes films by jobs; what an engine calls them is said by its own class."""

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Make one; a job that an earlier attempt has started is waited for."""
        try:
            job = await self._remembered(memory) or await self._surely_begun(request, memory)
            job = await self._waited_for(job, progress)
        except asyncio.CancelledError:
            if memory.given_up:
                await self._given_up(memory)
            raise
        if job.state == "failed":
            memory.remember("")
            raise ExecutionFailed(f"engine {self.name!r} made no film: {job.told}")
        return await self._film_of(job.id, request)

    @abstractmethod
    async def _begun(self, request: VideoRequest) -> FilmJob:
        """Begin a job."""

    @abstractmethod
    async def _asked(self, id_: str) -> FilmJob:
        """Ask where a job is.

        Raises:
            NotFound: the engine knows none of that id.
        """

    @abstractmethod
    async def _film_of(self, id_: str, request: VideoRequest) -> VideoReply:
        """Fetch what a job made."""

    @abstractmethod
    async def _stopped(self, id_: str) -> None:
        """Have the engine stop a job."""

    async def _remembered(self, memory: Memory) -> FilmJob | None:
        """Find the job of an earlier attempt, if it was begun here and is still known."""
        if not (id_ := self._id_in(memory)):
            return None
        try:
            return await self._asked(id_)
        except NotFound:
            return None

    async def _surely_begun(self, request: VideoRequest, memory: Memory) -> FilmJob:
        """Begin a job; cancelled meanwhile, learn its id first, or nobody could find it again."""

        async def begin() -> FilmJob:
            job = await self._begun(request)
            memory.remember(f"{self.name} {job.id}")
            return job

        beginning = asyncio.create_task(begin())
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait((beginning,), timeout=STOP_SECONDS)
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            raise

    async def _waited_for(self, job: FilmJob, progress: Progress) -> FilmJob:
        wait = _FIRST_SECONDS
        while job.state == "going":
            progress(job.told)
            await asyncio.sleep(wait)
            wait = min(wait * _MORE, _MOST_SECONDS)
            job = await self._asked(job.id)
        return job

    async def _given_up(self, memory: Memory) -> None:
        """Stop the job, if there is one; that must not hold up the run's end."""
        if not (id_ := self._id_in(memory)):
            return
        with suppress(AimaError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._stopped(id_)
        memory.remember("")

    def _id_in(self, memory: Memory) -> str:
        engine, _, id_ = memory.recall().partition(" ")
        return id_ if engine == self.name else ""
