"""Whisper behind its own servers: whisper.cpp's, and speaches (formerly faster-whisper-server).

Source: the documentation of both. vLLM serves Whisper, too, by OpenAI's API: see :mod:`.vllm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from pydantic import BaseModel

from aima.adapters.engines.openai import (
    OpenAISpeaks,
    OpenAITranscribes,
    recording_form,
    recording_part,
)
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.running.startable import Installable
from aima.errors import AimaError, UnsupportedMedia
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Container, Program, Recipe
from aima.ports.inference import (
    ModelCard,
    ModelType,
    Pieces,
    Progress,
    Segment,
    TranscribeRequest,
    Transcript,
    Word,
)

_TYPES: dict[str, ModelType] = {"automatic-speech-recognition": "asr", "text-to-speech": "tts"}
_TAKEN = 409
_SERVE = ("-m", "{model}", "--convert", "--host", "{host}", "--port", "{port}")
_NOT_THERE = 404


class _Status(BaseModel):
    status: str


class _Heard(BaseModel):
    """A stretch of speech; whisper.cpp puts the words into it."""

    start: float
    end: float
    text: str
    words: list[Word] = []


class _Written(BaseModel):
    error: str | None = None
    text: str = ""
    language: str = ""
    duration: float | None = None
    segments: list[_Heard] = []


@dataclass(frozen=True)
class WhisperCppEngine(Installable):
    """A whisper.cpp server; it has one model, and its name is nobody's business but its own."""

    PRODUCT: ClassVar[Product] = Product(
        kind="whispercpp",
        title="whisper.cpp's server",
        start="whisper-server -m MODEL.bin --convert --port 8080",
        port=8080,
        types=("asr",),
        formats=("ggml",),
        many=False,
        recipe=Recipe(
            container=Container(
                image="ggml-org/whisper.cpp",
                registry="GitHub's registry",
                port=8080,
                entrypoint=("whisper-server",),
                command=_SERVE,
            ),
            program=Program(("whisper-server", *_SERVE)),
        ),
    )

    AT_ONCE: ClassVar[int] = 1

    async def models(self) -> list[ModelCard]:
        """Give the one model under the server's name, as the server tells none."""
        self._read(_Status, await self._get("/health"))
        return [ModelCard(name=self.name, engine=self.name, type="asr", loaded=True)]

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write down a recording."""
        form = recording_form(request) | {"translate": "true" if request.translate else "false"}
        with (await self.artifacts.path(request.audio)).open("rb") as file:
            parts = recording_part(request, file)
            async with self._stream("/inference", data=form, files=parts) as response:
                written = self._read(_Written, await self._all(response))
        if written.error is not None:  # with status 200
            raise UnsupportedMedia(
                f"engine {self.name!r}: {written.error}; it reads 16-bit WAV, anything else only "
                "where it was started with --convert"
            )
        words = [word for segment in written.segments for word in segment.words]
        pieces(written.text.strip())
        return Transcript(
            text=written.text.strip(),
            segments=[Segment(start=s.start, end=s.end, text=s.text) for s in written.segments],
            words=words if request.words else None,
            language=request.language or written.language,
            duration=written.duration,
            model=request.model,
        )


class _Listed(BaseModel):
    id: str
    task: str | None = None


class _Models(BaseModel):
    data: list[_Listed]


class _Loaded(BaseModel):
    models: list[str]


@dataclass(frozen=True)
class SpeachesEngine(OpenAIServer, OpenAITranscribes, OpenAISpeaks, Installable):
    """A speaches server: it hears with Whisper and speaks with Kokoro and Piper."""

    PRODUCT: ClassVar[Product] = Product(
        kind="speaches",
        title="speaches (formerly faster-whisper-server)",
        start="docker run -p 8000:8000 speaches-ai/speaches:latest-cpu",
        port=8000,
        types=("asr", "tts"),
        formats=("safetensors", "onnx"),
        many=True,
        recipe=Recipe(
            container=Container(
                image="speaches-ai/speaches",
                registry="GitHub's registry",
                port=8000,
                cache="home/ubuntu/.cache/huggingface/hub",
            ),
            key_variable="API_KEY",
        ),
    )

    async def models(self) -> list[ModelCard]:
        """List what is there, and what of it is in memory."""
        loaded = self._read(_Loaded, await self._get("/api/ps")).models
        listed = self._read(_Models, await self._get("models")).data
        return [
            ModelCard(
                name=model.id,
                engine=self.name,
                type=_TYPES.get(model.task or ""),
                loaded=model.id in loaded,
            )
            for model in listed
        ]

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model into memory."""
        progress(f"loading {model!r}")
        await self._tolerant("POST", f"/api/ps/{quote(model)}", _TAKEN)

    async def unload(self, model: str) -> None:
        """Take a model out of memory."""
        await self._tolerant("DELETE", f"/api/ps/{quote(model)}", _NOT_THERE)

    async def pull(self, model: str, *, progress: Progress) -> None:
        """Fetch a model from the hub."""
        progress(f"pulling {model!r}")
        await self._tolerant("POST", f"/v1/models/{quote(model)}", _TAKEN)

    async def _tolerant(self, method: str, door: str, fine: int) -> None:
        """Ask for a change that may have been made already."""
        try:
            async with self._stream(door, method=method) as response:
                await self._all(response)
        except AimaError as error:
            if error.status != fine:
                raise
