"""Films by jobs of OpenAI's shape, `POST /videos`: vLLM-Omni takes a form, SGLang JSON.

Source: the documentation of vLLM-Omni and of SGLang's diffusion server. A job that is deleted ends
in vLLM-Omni; SGLang forgets it and makes the film to its end.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from aima.adapters.engines.film_jobs import FilmJob, FilmJobs
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.server import given
from aima.errors import AimaError, ExecutionFailed, ValidationFailed
from aima.media import seconds_of
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Container, Package, Recipe
from aima.ports.inference import ModelType, VideoReply, VideoRequest

_SERVE = ("serve", "{model}", "--omni", "--host", "{host}", "--port", "{port}")


class _Job(BaseModel):
    id: str
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    progress: float | None = None
    error: object = None


class VideoJobs(FilmJobs):
    """Films by jobs of OpenAI's shape."""

    FORM: ClassVar[bool] = True
    """Whether a job is described by a multipart form, or by JSON."""

    async def _begun(self, request: VideoRequest) -> FilmJob:
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
            return _told(self._read(_Job, await self._all(response)))

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

    async def _asked(self, id_: str) -> FilmJob:
        return _told(self._read(_Job, await self._get(f"videos/{id_}")))

    async def _film_of(self, id_: str, request: VideoRequest) -> VideoReply:
        async with self._stream(f"videos/{id_}/content", method="GET") as response:
            told = response.headers.get("content-type", "video/mp4").partition(";")[0].strip()
            if not told.startswith("video/"):
                raise ExecutionFailed(f"engine {self.name!r} answered {told} instead of a film")
            video = await self.artifacts.put(response.aiter_bytes(), media_type=told)
        with suppress(AimaError):  # it tidies up by itself some day
            await self._stopped(id_)
        return VideoReply(
            video=video,
            format=video.media_type.partition("/")[2],
            duration=await self._length(video, request),
            model=request.model,
        )

    async def _stopped(self, id_: str) -> None:
        async with self._stream(f"videos/{id_}", method="DELETE"):
            pass

    async def _length(self, video: Artifact, request: VideoRequest) -> float | None:
        try:
            return seconds_of(await self.artifacts.path(video))
        except AimaError:
            return request.duration


@dataclass(frozen=True)
class VideoEngine(OpenAIServer, VideoJobs, Installable):
    """A server that makes films, as vLLM-Omni does."""

    PRODUCT: ClassVar[Product] = Product(
        kind="video",
        title="a server of OpenAI's video jobs, such as vLLM-Omni",
        start="vllm serve MODEL --omni --port 8091",
        port=8091,
        types=("video_gen",),
        formats=("safetensors",),
        many=False,
        recipe=Recipe(
            container=Container(
                image="vllm/vllm-omni",
                port=8091,
                entrypoint=("vllm",),
                command=_SERVE,
                cache="root/.cache/huggingface",
                shared_memory_bytes=8 << 30,
            ),
            package=Package("vllm-omni", ("{bin}/vllm", *_SERVE)),
            key_variable="VLLM_API_KEY",
        ),
    )

    type: ModelType | None = "video_gen"


def _told(job: _Job) -> FilmJob:
    """Read a job in the words of all engines."""
    if job.status in ("queued", "in_progress"):
        told = job.status if job.progress is None else f"{job.progress:.0f} % of the film"
        return FilmJob(job.id, "going", told)
    error = job.error
    reason = error.get("message") if isinstance(error, dict) else error
    state: Literal["done", "failed"] = "done" if job.status == "completed" else "failed"
    return FilmJob(job.id, state, str(reason or job.status))
