"""All configured engines as one: which of them serves a name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from aima.errors import AimaError, EngineNotRunning, ModelNotFound, ValidationFailed
from aima.ports.engine import (
    ABILITIES,
    Chats,
    Completes,
    Describes,
    Detects,
    Draws,
    Embeds,
    Engine,
    Films,
    Memory,
    Reranks,
    Speaks,
    Transcribes,
)
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    CompleteReply,
    CompleteRequest,
    DescribeReply,
    DescribeRequest,
    DetectReply,
    DetectRequest,
    EmbedReply,
    EmbedRequest,
    ImagePart,
    ImageReply,
    ImageRequest,
    ModelCard,
    ModelRequest,
    ModelType,
    Pieces,
    Progress,
    RerankReply,
    RerankRequest,
    SpeechReply,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    VideoReply,
    VideoRequest,
    Voice,
)
from aima.settings import Models

Answered = TypeVar("Answered")
Able = TypeVar("Able")
Asked = TypeVar("Asked", bound=ModelRequest)

_FRESH_SECONDS = 5.0
"""How long a list of served models is believed before the engines are asked again."""


@dataclass
class EnginePool:
    """The engines, asked in the order of the configuration, the embedded one last."""

    engines: tuple[Engine, ...]
    names: Models
    _cards: list[ModelCard] = field(default_factory=list)
    _silent: list[AimaError] = field(default_factory=list)
    _read_at: float = float("-inf")

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation; one with pictures goes to a model that sees."""
        sees = any(isinstance(part, ImagePart) for m in request.messages for part in m.content)
        kind: ModelType = "vlm" if sees else "llm"
        return await self._ask(Chats, kind, request, lambda e, r: e.chat(r, pieces=pieces))

    async def complete(self, request: CompleteRequest, *, pieces: Pieces) -> CompleteReply:
        """Continue a text."""
        return await self._ask(Completes, "llm", request, lambda e, r: e.complete(r, pieces=pieces))

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors."""
        return await self._ask(Embeds, "embedding", request, lambda e, r: e.embed(r))

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write a recording down."""
        return await self._ask(
            Transcribes, "asr", request, lambda e, r: e.transcribe(r, pieces=pieces)
        )

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text aloud."""
        return await self._ask(Speaks, "tts", request, lambda e, r: e.synthesize(r, pieces=pieces))

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures."""
        return await self._ask(
            Draws, "diffusion", request, lambda e, r: e.generate_image(r, progress=progress)
        )

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Make a film."""
        return await self._ask(
            Films,
            "video_gen",
            request,
            lambda e, r: e.generate_video(r, progress=progress, memory=memory),
        )

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Put texts into the order in which they answer a query."""
        return await self._ask(Reranks, "rerank", request, lambda e, r: e.rerank(r))

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Find things in a picture."""
        return await self._ask(Detects, "detection", request, lambda e, r: e.detect(r))

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Put a picture into words."""
        return await self._ask(Describes, "vlm", request, lambda e, r: e.describe(r, pieces=pieces))

    async def _ask(
        self,
        ability: type[Able],
        model_type: ModelType,
        request: Asked,
        ask: Callable[[Able, Asked], Awaitable[Answered]],
    ) -> Answered:
        """Ask the engine that serves the model for what it is able to do."""
        engine, name = await self.serving(request.model, model_type)
        if not isinstance(engine, ability):
            can = ", ".join(key for key, kind in ABILITIES.items() if isinstance(engine, kind))
            raise ValidationFailed(
                f"engine {engine.name!r}, which serves {name!r}, cannot do this; it can: {can}"
            )
        return await ask(engine, request.model_copy(update={"model": name}))

    async def serving(self, model: str, model_type: ModelType) -> tuple[Engine, str]:
        """Find the engine that serves ``model`` and its name there."""
        card = self._find(model, model_type)
        if card is None or monotonic() - self._read_at > _FRESH_SECONDS:
            await self._read()
            card = self._find(model, model_type)
        if card is None:
            raise self._missing(model, model_type)
        engine = next(e for e in self.engines if e.name == card.engine)
        return engine, card.name

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve; one that is silent hides nothing of the others."""
        await self._read()
        if self._silent and not self._cards:
            raise self._silent[0]
        return [c for c in self._cards if model_type in (None, c.type)]

    async def voices(self) -> list[Voice]:
        """List the voices of all engines; one that is silent hides nothing of the others."""
        answers, silent = await _ask_all(
            engine.voices() for engine in self.engines if isinstance(engine, Speaks)
        )
        if silent and not answers:
            raise silent[0]
        return [voice for voices in answers for voice in voices]

    async def _read(self) -> None:
        answers, self._silent = await _ask_all(engine.models() for engine in self.engines)
        self._cards = [card for cards in answers for card in cards]
        self._read_at = monotonic()

    def _find(self, model: str, model_type: ModelType) -> ModelCard | None:
        """Look a name up: a served model first, then an alias, then `default`."""
        followed: set[str] = set()
        while model not in followed:
            followed.add(model)
            for card in self._cards:
                if card.name == model and card.type in (model_type, None):
                    return card
            if model == "default":
                model = self.names.default.get(model_type, model)
            else:
                model = self.names.aliases.get(model, model)
        # Names that lead nowhere mean the first model, if `default` is among them and no choice.
        if "default" not in followed or self._is_chosen(model_type):
            return None
        # An engine that does not tell types (Ollama, vLLM) is taken to serve language models.
        told: tuple[ModelType | None, ...] = (
            (model_type, None) if model_type == "llm" else (model_type,)
        )
        return next((c for c in self._cards if c.type in told), None)

    def _is_chosen(self, model_type: ModelType) -> bool:
        return self.names.default.get(model_type, "default") != "default"

    def _missing(self, model: str, model_type: ModelType) -> AimaError:
        if self._silent and not self._cards:
            return self._silent[0]
        known = sorted(c.name for c in self._cards if c.type in (model_type, None))
        there = (
            f"there are {', '.join(map(repr, known))}, or 'default'" if known else "there is none"
        )
        what = f"no engine serves the {model_type} model {model!r}; {there}"
        if self._silent:
            why = "; ".join(error.message for error in self._silent)
            return EngineNotRunning(f"{what}; one that might serve it is silent: {why}")
        return ModelNotFound(what if known else f"{what}: `aima doctor` tells why")


async def _ask_all(
    questions: Iterable[Awaitable[Answered]],
) -> tuple[list[Answered], list[AimaError]]:
    """Ask every engine at once; give the answers, and why others have none."""
    answers: list[Answered] = []
    silent: list[AimaError] = []
    for answer in await asyncio.gather(*questions, return_exceptions=True):
        if isinstance(answer, AimaError):
            silent.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            answers.append(answer)
    return answers, silent
