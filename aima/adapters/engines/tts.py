"""Speech behind its own servers: Kokoro-FastAPI's, and Piper's.

Source: the documentation of both. Speaches speaks, too (:mod:`.whisper`), and vLLM-Omni.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, RootModel

from aima.adapters.engines.openai import OpenAISpeaks, kept
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.server import given
from aima.errors import UnsupportedMedia
from aima.media import seconds_of
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Container, Package, Recipe
from aima.ports.inference import (
    ModelCard,
    ModelType,
    Pieces,
    SpeechReply,
    SynthesizeRequest,
    Voice,
)


class _Named(BaseModel):
    id: str
    name: str | None = None


class _Listed(BaseModel):
    voices: list[_Named | str]


class _Voices(RootModel[list[_Named | str] | _Listed]):
    """The three shapes in which servers list their voices."""

    @property
    def names(self) -> list[str]:
        """What to call them in a request."""
        told = self.root.voices if isinstance(self.root, _Listed) else self.root
        return [voice if isinstance(voice, str) else voice.id for voice in told]


@dataclass(frozen=True)
class KokoroEngine(OpenAIServer, OpenAISpeaks, Installable):
    """A Kokoro-FastAPI server; the names of its models are all the same one."""

    PRODUCT: ClassVar[Product] = Product(
        kind="kokoro",
        title="Kokoro-FastAPI",
        start="docker run -p 8880:8880 remsky/kokoro-fastapi-cpu",
        port=8880,
        types=("tts",),
        formats=("pytorch",),
        many=False,
        recipe=Recipe(
            container=Container(
                image="remsky/kokoro-fastapi-cpu", registry="GitHub's registry", port=8880
            ),
        ),
    )

    type: ModelType | None = "tts"

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text, with the first of its voices unless one is named."""
        voice = request.voice or (await self._names())[0]
        spoken = request.model_copy(update={"voice": voice})
        return await super().synthesize(spoken, pieces=pieces)

    async def voices(self) -> list[Voice]:
        """List its voices; a mix such as ``af_bella(2)+af_sky`` is none of them and works."""
        model = (await self.models())[0].name
        return [Voice(name=name, model=model) for name in await self._names()]

    async def _names(self) -> list[str]:
        return self._read(_Voices, await self._get("audio/voices")).names


class _Language(BaseModel):
    code: str | None = None


class _Config(BaseModel):
    language: _Language = _Language()


class _Configs(RootModel[dict[str, _Config]]):
    """Piper's voices with what their files say of them."""


@dataclass(frozen=True)
class PiperEngine(Installable):
    """Piper's own server; its voices are its models, so it has one model of its own name."""

    PRODUCT: ClassVar[Product] = Product(
        kind="piper",
        title="Piper",
        start="python -m piper.http_server -m VOICE --port 5000",
        port=5000,
        types=("tts",),
        formats=("onnx",),
        many=False,
        recipe=Recipe(
            package=Package(
                "piper-tts[http]",
                (
                    *("{python}", "-m", "piper.http_server", "-m", "{model}"),
                    *("--host", "{host}", "--port", "{port}"),
                ),
                licence="GPL-3.0",
            ),
        ),
    )

    AT_ONCE: ClassVar[int] = 1

    async def models(self) -> list[ModelCard]:
        """Give the one model that all voices are."""
        await self.voices()
        return [ModelCard(name=self.name, engine=self.name, type="tts", loaded=True)]

    async def voices(self) -> list[Voice]:
        """List the voices that are there."""
        configs = self._read(_Configs, await self._get("/voices")).root
        return [
            Voice(name=name, model=self.name, language=config.language.code)
            for name, config in configs.items()
        ]

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text, as WAV."""
        if request.format != "wav":
            raise UnsupportedMedia(
                f"`format`: engine {self.name!r} (Piper) makes wav, not {request.format}; ask for "
                "wav"
            )
        body = given(text=request.text, voice=request.voice, length_scale=1 / request.speed)
        async with self._stream("/synthesize", json=body) as response:
            audio = await kept(self, response, "audio/wav", pieces)
        return SpeechReply(
            audio=audio,
            format="wav",
            duration=seconds_of(await self.artifacts.path(audio)),
            model=request.model,
        )
