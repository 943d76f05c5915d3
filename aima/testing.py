"""Fakes for testing units of your own, without a server, an engine or a store.

    from aima.testing import FakeContext, ScriptedEngine, chat_reply

    async def test_the_summary_is_the_models_answer() -> None:
        ctx = FakeContext(engine=ScriptedEngine(answers=[chat_reply("Short.")]))
        reply = await summarize(SummarizeRequest(text="Long …"), ctx)
        assert reply.summary == "Short."
        assert ctx.engine.requests[0].messages[0].content.endswith("Long …")

The fakes keep the promises of :mod:`aima.ports`; what they are asked for they remember.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, TypeVar

from aima.adapters.engines.pool import EnginePool
from aima.errors import AimaError, InternalError, NotFound, TooLarge
from aima.ports.artifacts import Artifact
from aima.ports.engine import (
    ChatReply,
    ChatRequest,
    Engines,
    ModelCard,
    Progress,
    Response,
    Speech,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    Usage,
    Voice,
)
from aima.settings import Models
from aima.unit import Event

Answer: TypeAlias = ChatReply | Transcript | bytes | AimaError
"""What a scripted engine gives next: a reply, a transcript, recorded speech, or a failure."""

EngineRequest: TypeAlias = ChatRequest | TranscribeRequest | SynthesizeRequest
_Wanted = TypeVar("_Wanted", ChatReply, Transcript, bytes)

CARDS = (
    ModelCard(name="scripted-llm", engine="scripted", type="llm"),
    ModelCard(name="scripted-asr", engine="scripted", type="asr"),
    ModelCard(name="scripted-tts", engine="scripted", type="tts"),
)


def chat_reply(content: str, *, model: str = "scripted-llm", data: object = None) -> ChatReply:
    """Make a finished answer of so many words as tokens."""
    tokens = len(content.split())
    return ChatReply(
        content=content,
        finish_reason="stop",
        usage=Usage(completion_tokens=tokens, total_tokens=tokens),
        response=Response(content=content),
        model=model,
        data=data,
    )


def transcript(text: str, *, model: str = "scripted-asr") -> Transcript:
    """Make a transcript in English without segments."""
    return Transcript(text=text, segments=[], language="en", model=model)


@dataclass
class ScriptedEngine:
    """An engine that gives prepared answers, in their order, and keeps the requests.

    Attributes:
        answers: what it gives, whatever it is asked; an error is raised.
        cards: the models it serves.
        speakers: the voices it has.
        speech_seconds: the length of its speech; None: it does not tell.
        requests: what it was asked.
    """

    answers: list[Answer] = field(default_factory=list)
    name: str = "scripted"
    cards: Sequence[ModelCard] = CARDS
    speakers: Sequence[Voice] = (Voice(name="someone", model="scripted-tts"),)
    speech_seconds: float | None = 1.0
    requests: list[EngineRequest] = field(default_factory=list)

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        return list(self.cards)

    async def voices(self) -> list[Voice]:
        """List its voices."""
        return list(self.speakers)

    async def chat(self, request: ChatRequest, *, progress: Progress) -> ChatReply:
        """Give the next answer, which must be a :class:`ChatReply` or an error."""
        reply = self._next(request, ChatReply)
        progress(f"{reply.usage.completion_tokens} tokens")
        return reply

    async def transcribe(self, request: TranscribeRequest, *, recording: Path) -> Transcript:
        """Give the next answer, which must be a :class:`Transcript` or an error."""
        del recording
        return self._next(request, Transcript)

    @asynccontextmanager
    async def synthesize(self, request: SynthesizeRequest) -> AsyncIterator[Speech]:
        """Give the next answer, which must be bytes or an error, as recorded speech."""
        spoken = self._next(request, bytes)

        async def chunks() -> AsyncIterator[bytes]:
            yield spoken

        yield Speech(
            chunks=chunks(), media_type="audio/wav", seconds=self.speech_seconds, timings=None
        )

    def _next(self, request: EngineRequest, wanted: type[_Wanted]) -> _Wanted:
        self.requests.append(request)
        if not self.answers:
            raise InternalError("the script has no further answer; add one to `answers`")
        answer = self.answers.pop(0)
        if isinstance(answer, AimaError):
            raise answer
        if not isinstance(answer, wanted):
            raise InternalError(f"the script has {answer!r} where {wanted.__name__} is asked for")
        return answer


@dataclass
class MemoryArtifacts:
    """A store of bytes in memory; files that a unit asks for vanish with the store.

    Attributes:
        max_bytes: largest single artifact.
        kept: the bytes by their names.
    """

    max_bytes: int = 64 * 1024**2
    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, data: bytes | AsyncIterable[bytes], *, media_type: str) -> Artifact:
        """Keep ``data``."""
        if not isinstance(data, bytes):
            data = b"".join([part async for part in data])
        if len(data) > self.max_bytes:
            raise TooLarge(f"{len(data)} bytes exceed the {self.max_bytes} of one artifact")
        name = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.kept[name] = data
        return Artifact(artifact=name, media_type=media_type, bytes=len(data))

    async def get(self, artifact: Artifact) -> bytes:
        """Give the bytes."""
        if artifact.artifact not in self.kept:
            raise NotFound(f"there is no artifact {artifact.artifact!r}; put it first")
        return self.kept[artifact.artifact]

    async def stream(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Give the bytes, in one chunk."""
        yield await self.get(artifact)

    async def path(self, artifact: Artifact) -> Path:
        """Give a file of the bytes."""
        file = self._folder / artifact.artifact.removeprefix("sha256:")
        file.write_bytes(await self.get(artifact))
        return file

    @cached_property
    def _folder(self) -> Path:
        folder = tempfile.mkdtemp(prefix="aima-testing-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


@dataclass
class FakeContext:
    """What a unit may ask for, all of it fake; hand it to the unit as ``ctx``.

    Attributes:
        engine: the one engine; ``default`` and each of its models' names lead to it.
        progressed: what the unit told of its progress.
        emitted: the events it emitted.
    """

    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    effect_key: str = "run/1/step"
    progressed: list[str] = field(default_factory=list)
    emitted: list[Event] = field(default_factory=list)

    @cached_property
    def engines(self) -> Engines:
        """The one engine, found by the rules of the real ones."""
        return EnginePool((self.engine,), Models())

    def progress(self, message: str) -> None:
        """Remember how far the work is."""
        self.progressed.append(message)

    async def emit(self, event: Event) -> None:
        """Remember what happened."""
        self.emitted.append(event)
