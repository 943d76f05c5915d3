"""Pictures and films by stable-diffusion.cpp's own server, which works through a line of jobs.

Source: `api.md` of that server. A job that waits in the line can be taken out of it; one that is
worked at is made to its end.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel

from aima.adapters.engines.film_jobs import STOP_SECONDS, FilmJob, FilmJobs
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.server import given
from aima.errors import AimaError, ExecutionFailed
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Container, Program, Recipe
from aima.ports.inference import (
    ImageReply,
    ImageRequest,
    ModelCard,
    ModelType,
    Progress,
    VideoReply,
    VideoRequest,
)

_SERVE = ("--listen-ip", "{host}", "--listen-port", "{port}", "-m", "{model}")
_FIRST_SECONDS, _MORE, _MOST_SECONDS = 0.1, 1.5, 5.0
_USUAL_RATE = 16
"""Frames each second where a film has a length and nobody said how many: that of its examples."""

_TYPES: dict[str, ModelType] = {"img_gen": "diffusion", "vid_gen": "video_gen"}


class _Model(BaseModel):
    stem: str


class _Capabilities(BaseModel):
    model: _Model
    supported_modes: list[str] = ["img_gen"]


class _Error(BaseModel):
    message: str = ""


class _Picture(BaseModel):
    b64_json: str


class _Pictures(BaseModel):
    output_format: str
    images: list[_Picture]


class _Film(BaseModel):
    mime_type: str
    fps: int = 0
    frame_count: int = 0
    b64_json: str


class _Job(BaseModel):
    id: str
    status: Literal["queued", "generating", "completed", "failed", "cancelled"]
    queue_position: int = 0
    result: _Pictures | _Film | None = None
    error: _Error | None = None

    @property
    def how_far(self) -> FilmJob:
        """Give it in the words of all engines."""
        match self.status:
            case "queued":
                place = f"number {self.queue_position} " if self.queue_position else ""
                return FilmJob(self.id, "going", f"{place}in the line")
            case "generating":
                return FilmJob(self.id, "going", "being made")
            case "completed":
                return FilmJob(self.id, "done", "made")
        return FilmJob(self.id, "failed", (self.error and self.error.message) or self.status)


@dataclass(frozen=True)
class SdCppEngine(FilmJobs, Installable):
    """A stable-diffusion.cpp server; it serves one model, and works at one job at a time."""

    PRODUCT: ClassVar[Product] = Product(
        kind="sdcpp",
        title="stable-diffusion.cpp's server",
        start="sd-server -m MODEL.gguf --listen-port 1234",
        port=1234,
        types=("diffusion", "video_gen"),
        formats=("gguf", "safetensors", "pytorch"),
        many=False,
        recipe=Recipe(
            container=Container(
                image="leejet/stable-diffusion.cpp",
                registry="GitHub's registry",
                port=1234,
                command=_SERVE,
            ),
            program=Program(("sd-server", *_SERVE)),
        ),
    )

    async def models(self) -> list[ModelCard]:
        """Give the one model, once for each thing that it makes."""
        told = self._read(_Capabilities, await self._get("/sdcpp/v1/capabilities"))
        return [
            ModelCard(name=told.model.stem, engine=self.name, type=_TYPES[mode], loaded=True)
            for mode in told.supported_modes
            if mode in _TYPES
        ]

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures; given up, they leave the line."""
        body = await self._body(request) | given(
            batch_count=request.n, output_format=request.format
        )
        if request.guidance is not None:
            body["sample_params"] = {**_steps(request), "guidance": {"txt_cfg": request.guidance}}
        job = await self._sent("img_gen", body)
        try:
            job = await self._ended(job, progress)
        except asyncio.CancelledError:
            with suppress(AimaError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._stopped(job.id)
            raise
        made = job.result
        if not isinstance(made, _Pictures):
            raise ExecutionFailed(f"engine {self.name!r} made no picture: {job.how_far.told}")
        kind = f"image/{made.output_format}"
        images = [await self._kept(picture.b64_json, kind) for picture in made.images]
        return ImageReply(images=images, format=made.output_format, model=request.model)

    async def _begun(self, request: VideoRequest) -> FilmJob:
        rate = request.fps or _USUAL_RATE
        frames = None if request.duration is None else max(1, round(request.duration * rate))
        body = await self._body(request) | given(video_frames=frames, fps=request.fps)
        if frames is not None:
            body["fps"] = rate
        return (await self._sent("vid_gen", body)).how_far

    async def _asked(self, id_: str) -> FilmJob:
        return (await self._job(id_)).how_far

    async def _film_of(self, id_: str, request: VideoRequest) -> VideoReply:
        made = (await self._job(id_)).result
        if not isinstance(made, _Film):
            raise ExecutionFailed(f"engine {self.name!r} told a film that is none")
        video = await self._kept(made.b64_json, made.mime_type)
        seconds = made.frame_count / made.fps if made.fps else request.duration
        form = made.mime_type.partition("/")[2].removeprefix("x-")
        return VideoReply(video=video, format=form, duration=seconds, model=request.model)

    async def _stopped(self, id_: str) -> None:
        await self._post(f"/sdcpp/v1/jobs/{id_}/cancel", {})

    async def _body(self, request: ImageRequest | VideoRequest) -> dict[str, object]:
        width, _, height = (request.size or "").partition("x")
        body = given(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=int(width) if width else None,
            height=int(height) if height else None,
            seed=request.seed,
        )
        if steps := _steps(request):
            body["sample_params"] = steps
        if request.image is not None:
            picture = await self.artifacts.get(request.image)
            body["init_image"] = base64.b64encode(picture).decode("ascii")
        return body

    async def _sent(self, mode: str, body: dict[str, object]) -> _Job:
        return self._read(_Job, await self._post(f"/sdcpp/v1/{mode}", body))

    async def _job(self, id_: str) -> _Job:
        async with self._stream(f"/sdcpp/v1/jobs/{id_}", method="GET") as response:
            return self._read(_Job, await self._all(response))  # with what it made, any size

    async def _ended(self, job: _Job, progress: Progress) -> _Job:
        wait = _FIRST_SECONDS
        while job.status in ("queued", "generating"):
            progress(job.how_far.told)
            await asyncio.sleep(wait)
            wait = min(wait * _MORE, _MOST_SECONDS)
            job = await self._job(job.id)
        return job

    async def _kept(self, written: str, media_type: str) -> Artifact:
        return await self.artifacts.put(self._bytes(written), media_type=media_type)


def _steps(request: ImageRequest | VideoRequest) -> dict[str, object]:
    return given(sample_steps=request.steps)
