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
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, TypeVar, get_args

from aima.adapters.files.folders import FolderFiles
from aima.adapters.media.frames import ProcessFrames
from aima.adapters.vectors.sqlite import SqliteVectors
from aima.errors import AimaError, InternalError, NotFound, TooLarge
from aima.ports.artifacts import Artifact
from aima.ports.engine import Engines, Memory
from aima.ports.files import Files
from aima.ports.frames import Frames
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
    ImageReply,
    ImageRequest,
    Incoming,
    ModelCard,
    ModelReply,
    ModelRequest,
    ModelType,
    Pieces,
    Progress,
    RerankReply,
    RerankRequest,
    Response,
    SpeechReply,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    Usage,
    VideoReply,
    VideoRequest,
    Voice,
)
from aima.ports.vectors import Vectors
from aima.routing.router import Router
from aima.settings import Models, Settings
from aima.unit import Event

Answer: TypeAlias = ModelReply | bytes | AimaError
"""What a scripted engine gives next: a reply, recorded speech, or a failure."""

_Wanted = TypeVar("_Wanted", bound=ModelReply | bytes)

CARDS = tuple(
    ModelCard(name=f"scripted-{type_.replace('_', '-')}", engine="scripted", type=type_)
    for type_ in get_args(ModelType)
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
        speech_seconds: the length of its speech.
        artifacts: where its speech goes; :class:`FakeContext` gives it its own.
        requests: what it was asked.
    """

    answers: list[Answer] = field(default_factory=list)
    name: str = "scripted"
    cards: Sequence[ModelCard] = CARDS
    speakers: Sequence[Voice] = (Voice(name="someone", model="scripted-tts"),)
    speech_seconds: float = 1.0
    artifacts: MemoryArtifacts = field(default_factory=lambda: MemoryArtifacts())  # noqa: PLW0108 - defined below
    requests: list[ModelRequest] = field(default_factory=list)

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        return list(self.cards)

    async def voices(self) -> list[Voice]:
        """List its voices."""
        return list(self.speakers)

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Give the next answer, which must be a :class:`ChatReply` or an error."""
        reply = self._next(request, ChatReply)
        pieces(reply.content)
        return reply

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Give the next answer, which must be an :class:`EmbedReply` or an error."""
        return self._next(request, EmbedReply)

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Give the next answer, which must be a :class:`Transcript` or an error."""
        reply = self._next(request, Transcript)
        pieces(reply.text)
        return reply

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Give the next answer, which must be bytes or an error, as recorded speech."""
        spoken = self._next(request, bytes)
        pieces(spoken)
        audio = await self.artifacts.put(spoken, media_type=f"audio/{request.format}")
        return SpeechReply(
            audio=audio, format=request.format, duration=self.speech_seconds, model=request.model
        )

    async def complete(self, request: CompleteRequest, *, pieces: Pieces) -> CompleteReply:
        """Give the next answer, which must be a :class:`CompleteReply` or an error."""
        reply = self._next(request, CompleteReply)
        pieces(reply.text)
        return reply

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give the next answer, which must be a :class:`RerankReply` or an error."""
        return self._next(request, RerankReply)

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Give the next answer, which must be a :class:`DetectReply` or an error."""
        return self._next(request, DetectReply)

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Give the next answer, which must be a :class:`DescribeReply` or an error."""
        reply = self._next(request, DescribeReply)
        pieces(reply.description)
        return reply

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Give the next answer, which must be an :class:`ImageReply` or an error."""
        progress("painting")
        return self._next(request, ImageReply)

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Give the next answer, which must be a :class:`VideoReply` or an error."""
        progress("filming")
        memory.remember("job")
        return self._next(request, VideoReply)

    def _next(self, request: ModelRequest, wanted: type[_Wanted]) -> _Wanted:
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
        return _vanishing_folder(self)


@dataclass
class FakeMemory:
    """What attempts of a step leave to each other.

    Attributes:
        given_up: whether no attempt follows one that is cancelled.
    """

    text: str = ""
    given_up: bool = False

    def recall(self) -> str:
        """Give what was remembered last."""
        return self.text

    def remember(self, text: str) -> None:
        """Keep a text."""
        self.text = text


@dataclass
class FakeContext:
    """What a unit may ask for, all of it fake; hand it to the unit as ``ctx``.

    Attributes:
        engine: the one engine; ``default`` and each of its models' names lead to it.
        progressed: what the unit told of its progress.
        shown: the pieces of its answer.
        memory: what an earlier attempt has left.
        written: what another step writes, piece by piece, for a unit that reads along.
        emitted: the events it emitted.
    """

    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    effect_key: str = "run/1/step"
    progressed: list[str] = field(default_factory=list)
    shown: list[str | bytes] = field(default_factory=list)
    memory: FakeMemory = field(default_factory=FakeMemory)
    written: list[str] = field(default_factory=list)
    emitted: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let engine and unit share one store."""
        self.engine.artifacts = self.artifacts

    @cached_property
    def engines(self) -> Engines:
        """The one engine, found by the rules of the real ones."""
        return Router((self.engine,), Models())

    @cached_property
    def vectors(self) -> Vectors:
        """A real store of passages, which vanishes with the context."""
        return SqliteVectors(_vanishing_folder(self) / "vectors.db")

    @cached_property
    def folder(self) -> Path:
        """The folder whose files the unit may read; it vanishes with the context."""
        return _vanishing_folder(self)

    @cached_property
    def files(self) -> Files:
        """The files of ``folder``."""
        return FolderFiles((self.folder,), Settings().files.max_bytes)

    @cached_property
    def frames(self) -> Frames:
        """The real decoder of films."""
        media = Settings().media
        return ProcessFrames(media.max_pixels, media.memory_bytes)

    def progress(self, message: str) -> None:
        """Remember how far the work is."""
        self.progressed.append(message)

    def pieces(self, piece: str | bytes) -> None:
        """Remember a piece of the answer."""
        self.shown.append(piece)

    async def incoming(self, source: Incoming) -> AsyncIterator[str]:
        """Read what another step writes."""
        del source
        for text in self.written:
            yield text

    async def emit(self, event: Event) -> None:
        """Remember what happened."""
        self.emitted.append(event)


def _vanishing_folder(owner: object) -> Path:
    """Make a folder that is gone when its owner is."""
    folder = tempfile.mkdtemp(prefix="aima-testing-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
