"""What units ask of inference engines: one protocol for each thing an engine may be able to do.

An engine has the protocols of what it does and no others, so what it can do is asked with
``isinstance`` and never written down twice. ``model`` in a request to an engine is one of the
engine's own names; :class:`Engines` takes any name, chooses an instance, and asks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

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
    ModelCard,
    ModelType,
    Outlet,
    Pieces,
    Progress,
    RelayRequest,
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

if TYPE_CHECKING:
    from aima.ports.engine_pool import EnginePool


class Memory(Protocol):
    """What an attempt leaves to the next one of the same step, a worker's death later."""

    def recall(self) -> str:
        """Give what was remembered last; empty where nothing was."""
        ...

    def remember(self, text: str) -> None:
        """Keep a short text, such as the id of a job; a heartbeat carries it at once."""
        ...

    @property
    def given_up(self) -> bool:
        """Whether nobody comes back for what a cancelled attempt has begun.

        So it is when the run was cancelled; not where only the worker stops.
        """
        ...


@runtime_checkable
class Chats(Protocol):
    """Answers conversations."""

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer; ``pieces`` gets the words as they come. A cancel stops the engine's work."""
        ...


@runtime_checkable
class Completes(Protocol):
    """Continues texts."""

    async def complete(self, request: CompleteRequest, *, pieces: Pieces) -> CompleteReply:
        """Continue; ``pieces`` gets the words as they come."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Turns texts into vectors."""

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Give one vector for each text, in their order."""
        ...


@runtime_checkable
class Transcribes(Protocol):
    """Writes speech down."""

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write a recording down; ``pieces`` gets the text as it is heard, if the engine can."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """Says texts aloud."""

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text; ``pieces`` gets the sound as it is made."""
        ...

    async def voices(self) -> list[Voice]:
        """List the voices it speaks with."""
        ...


@runtime_checkable
class Draws(Protocol):
    """Makes pictures."""

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make them."""
        ...


@runtime_checkable
class Films(Protocol):
    """Makes films."""

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Make one; a job that an earlier attempt has started is waited for, not begun again."""
        ...


@runtime_checkable
class Reranks(Protocol):
    """Puts texts into the order in which they answer a query."""

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give them, the best first."""
        ...


@runtime_checkable
class Detects(Protocol):
    """Finds things in pictures."""

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Give what was found, the surest first."""
        ...


@runtime_checkable
class Describes(Protocol):
    """Puts pictures into words."""

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Describe; ``pieces`` gets the words as they come."""
        ...


@runtime_checkable
class Loads(Protocol):
    """Brings models into memory by request."""

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model in; it answers when this returns.

        Raises:
            InsufficientResources: there is no room for it.
        """
        ...


@runtime_checkable
class Unloads(Protocol):
    """Takes models out of memory by request."""

    async def unload(self, model: str) -> None:
        """Take a model out; that one is not in is no mistake."""
        ...


@runtime_checkable
class Relays(Protocol):
    """Speaks OpenAI's API, so that a request of it can be passed on unread."""

    def takes(self, path: str) -> bool:
        """Tell whether it takes such requests as they are; it may speak a part of the API only."""
        ...

    async def relay(self, request: RelayRequest, *, answer: Outlet) -> None:
        """Ask it; ``answer`` gets the bytes as they come. A cancel stops the engine's work."""
        ...


@runtime_checkable
class Responds(Protocol):
    """Has OpenAI's Responses API, too; who has not is asked by chats."""

    async def respond(self, request: RelayRequest, *, answer: Outlet) -> None:
        """Ask it; ``answer`` gets the bytes as they come. A cancel stops the engine's work."""
        ...


@runtime_checkable
class Engine(Protocol):
    """An instance of an inference engine."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        ...

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        ...


ABILITIES: dict[str, type] = {
    "chat": Chats,
    "complete": Completes,
    "embed": Embeds,
    "transcribe": Transcribes,
    "synthesize": Speaks,
    "generate_image": Draws,
    "generate_video": Films,
    "rerank": Reranks,
    "detect": Detects,
    "describe": Describes,
}
"""What an engine may be able to do, by the name of the unit that asks for it."""


class Engines(
    Chats,
    Completes,
    Embeds,
    Transcribes,
    Speaks,
    Draws,
    Films,
    Reranks,
    Detects,
    Describes,
    Protocol,
):
    """All engines of this installation as one; it finds the one that serves a model.

    Each ability raises, beside the engine's own errors:
        ModelNotFound: no engine serves such a model; the message lists those of that type.
        EngineNotRunning: those that might serve it do not answer.
    """

    @property
    def pool(self) -> EnginePool:
        """The engines one by one."""
        ...

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve."""
        ...
