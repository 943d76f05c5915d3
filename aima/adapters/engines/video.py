"""Films by jobs of OpenAI's shape, `POST /videos`: vLLM-Omni takes a form, SGLang JSON.

Source: the documentation of vLLM-Omni and of SGLang's diffusion server. A job outlives its asker:
its id is remembered, and whoever asks next waits for it instead of beginning another. When nobody
will ask, because the run was cancelled, the job is deleted. vLLM-Omni stops its work then; SGLang
forgets the job and makes the film to its end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.server import EngineServer, given
from aima.errors import AimaError, ExecutionFailed, NotFound, ValidationFailed
from aima.media import seconds_of
from aima.ports.artifacts import Artifact
from aima.ports.engine import Memory
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import ModelType, Progress, VideoReply, VideoRequest

_FIRST_SECONDS, _MORE, _MOST_SECONDS = 0.25, 1.5, 10.0
"""How long to wait before asking how far a job is: short films are told soon."""

_STOP_SECONDS = 5.0
"""For which a cancelled film may take to learn its job's id, and again to delete it."""


class _Job(BaseModel):
    id: str
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    progress: float | None = None
    error: object = None


class VideoJobs(EngineServer):
    """Films by jobs that may outlive the worker that asked for them."""

    FORM: ClassVar[bool] = True
    """Whether a job is described by a multipart form, or by JSON."""

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Make one; a job that an earlier attempt has started is waited for."""
        try:
            job = await self._remembered(memory) or await self._surely_begun(request, memory)
            return await self._made(job, request, progress, memory)
        except asyncio.CancelledError:
            if memory.given_up:
                await self._stopped(memory)
            raise

    async def _made(
        self, job: _Job, request: VideoRequest, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Wait for a job's end and fetch what it made."""
        wait = _FIRST_SECONDS
        while job.status in ("queued", "in_progress"):
            progress(job.status if job.progress is None else f"{job.progress:.0f} % of the film")
            await asyncio.sleep(wait)
            wait = min(wait * _MORE, _MOST_SECONDS)
            job = await self._asked(job.id)
        if job.status != "completed":
            memory.remember("")
            raise ExecutionFailed(f"engine {self.name!r} made no film: {_reason(job)}")
        video = await self._fetched(job.id)
        return VideoReply(
            video=video,
            format=video.media_type.partition("/")[2],
            duration=await self._length(video, request),
            model=request.model,
        )

    async def _remembered(self, memory: Memory) -> _Job | None:
        """Find the job of an earlier attempt, if it was begun here and is still known."""
        engine, _, id_ = memory.recall().partition(" ")
        if engine != self.name or not id_:
            return None
        try:
            return await self._asked(id_)
        except NotFound:
            return None

    async def _surely_begun(self, request: VideoRequest, memory: Memory) -> _Job:
        """Begin a job; cancelled meanwhile, learn its id first, or nobody could find it again."""
        beginning = asyncio.create_task(self._begun(request, memory))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait((beginning,), timeout=_STOP_SECONDS)
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            raise

    async def _stopped(self, memory: Memory) -> None:
        """Delete the job, if there is one; that must not hold up the run's end."""
        engine, _, id_ = memory.recall().partition(" ")
        if engine != self.name or not id_:
            return
        with suppress(AimaError, TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._deleted(id_)
        memory.remember("")

    async def _begun(self, request: VideoRequest, memory: Memory) -> _Job:
        fields = given(
            model=request.model,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            seconds=request.duration,
            size=request.size,
            fps=request.fps,
            num_inference_steps=request.steps,
            seed=request.seed,
        )
        async with self._stream("videos", **await self._written(fields, request)) as response:
            job = self._read(_Job, await self._all(response))
        memory.remember(f"{self.name} {job.id}")
        return job

    async def _written(self, fields: dict[str, object], request: VideoRequest) -> dict[str, Any]:
        if not self.FORM:
            if request.image is not None:
                raise ValidationFailed(f"`image`: engine {self.name!r} begins with no picture")
            return {"json": fields}
        parts: list[tuple[str, object]] = [
            (key, (None, f"{value:g}" if isinstance(value, float) else str(value)))
            for key, value in fields.items()
        ]
        if request.image is not None:
            picture = await self.artifacts.get(request.image)
            parts.append(("input_reference", ("image", picture, request.image.media_type)))
        return {"files": parts}

    async def _asked(self, id_: str) -> _Job:
        return self._read(_Job, await self._get(f"videos/{id_}"))

    async def _fetched(self, id_: str) -> Artifact:
        async with self._stream(f"videos/{id_}/content", method="GET") as response:
            told = response.headers.get("content-type", "video/mp4").partition(";")[0].strip()
            if not told.startswith("video/"):
                raise ExecutionFailed(f"engine {self.name!r} answered {told} instead of a film")
            video = await self.artifacts.put(response.aiter_bytes(), media_type=told)
        with suppress(AimaError):  # it tidies up by itself some day
            await self._deleted(id_)
        return video

    async def _deleted(self, id_: str) -> None:
        async with self._stream(f"videos/{id_}", method="DELETE"):
            pass

    async def _length(self, video: Artifact, request: VideoRequest) -> float | None:
        try:
            return seconds_of(await self.artifacts.path(video))
        except AimaError:
            return request.duration


@dataclass(frozen=True)
class VideoEngine(OpenAIServer, VideoJobs):
    """A server that makes films, as vLLM-Omni does."""

    PRODUCT: ClassVar[Product] = Product(
        kind="video",
        title="a server of OpenAI's video jobs, such as vLLM-Omni",
        start="vllm serve MODEL --omni --port 8091",
        port=8091,
        types=("video_gen",),
        formats=("safetensors",),
        many=False,
    )

    type: ModelType | None = "video_gen"


def _reason(job: _Job) -> str:
    error = job.error
    told = error.get("message") if isinstance(error, dict) else error
    return str(told or job.status)
