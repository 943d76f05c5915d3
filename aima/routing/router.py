"""All engines as one: a request goes to the instance that serves its model best now."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar, cast

from aima.errors import AimaError, EngineNotRunning, ValidationFailed
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
    Relays,
    Reranks,
    Responds,
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
    ignored,
)
from aima.ports.translation import Translation
from aima.routing.budget import RetryBudget
from aima.routing.directory import Directory
from aima.routing.instance import Instance, helps_elsewhere
from aima.routing.line import MOST_WAITING, Line
from aima.routing.pool import Pool
from aima.routing.slots import OwnSlots, Slots
from aima.settings import Models

Answered = TypeVar("Answered")
Able = TypeVar("Able")
Asked = TypeVar("Asked", bound=ModelRequest)


@dataclass(frozen=True)
class Place:
    """A place at an instance, and the model's card there."""

    engine: Engine
    card: ModelCard


class Router:
    """Finds the instances that serve a model, chooses one, and asks the next where that helps."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        engines: tuple[Engine, ...],
        names: Models,
        *,
        most: Mapping[str, int] | None = None,
        slots: Slots | None = None,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Route among engines.

        Args:
            engines: in the order of the configuration, the embedded one last.
            names: what `default` and other names mean.
            most: requests that an engine bears at once, by its name.
            slots: counts them; those of this process alone, unless given.
            most_waiting: requests that may wait for a model.
            clock: gives seconds that only grow.
        """
        self.directory = Directory(engines, names)
        slots = slots or OwnSlots()
        self.instances = {
            engine.name: Instance(engine, (most or {}).get(engine.name, 0), slots, clock)
            for engine in engines
        }
        self.pool = Pool(engines, most or {})
        self.budget = RetryBudget()
        self._most_waiting = most_waiting
        self._lines: dict[str, Line] = {}

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve."""
        return await self.directory.models(model_type)

    async def voices(self) -> list[Voice]:
        """List the voices of all engines."""
        return await self.directory.voices()

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation; one with pictures goes to a model that sees."""
        sees = any(isinstance(part, ImagePart) for m in request.messages for part in m.content)
        ask = _Ask(Chats, "vlm" if sees else "llm", request, pieces)
        return await self._ask(ask, lambda e, r: e.chat(r, pieces=ask.pieces))

    async def complete(self, request: CompleteRequest, *, pieces: Pieces) -> CompleteReply:
        """Continue a text."""
        ask = _Ask(Completes, "llm", request, pieces)
        return await self._ask(ask, lambda e, r: e.complete(r, pieces=ask.pieces))

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors."""
        return await self._ask(_Ask(Embeds, "embedding", request), lambda e, r: e.embed(r))

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write a recording down."""
        ask = _Ask(Transcribes, "asr", request, pieces)
        return await self._ask(ask, lambda e, r: e.transcribe(r, pieces=ask.pieces))

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text aloud."""
        ask = _Ask(Speaks, "tts", request, pieces)
        return await self._ask(ask, lambda e, r: e.synthesize(r, pieces=ask.pieces))

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures."""
        ask = _Ask(Draws, "diffusion", request, progress=progress)
        return await self._ask(ask, lambda e, r: e.generate_image(r, progress=progress))

    async def generate_video(
        self, request: VideoRequest, *, progress: Progress, memory: Memory
    ) -> VideoReply:
        """Make a film."""
        ask = _Ask(Films, "video_gen", request, progress=progress)
        return await self._ask(
            ask, lambda e, r: e.generate_video(r, progress=progress, memory=memory)
        )

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Put texts into the order in which they answer a query."""
        return await self._ask(_Ask(Reranks, "rerank", request), lambda e, r: e.rerank(r))

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Find things in a picture."""
        return await self._ask(_Ask(Detects, "detection", request), lambda e, r: e.detect(r))

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Put a picture into words."""
        ask = _Ask(Describes, "vlm", request, pieces)
        return await self._ask(ask, lambda e, r: e.describe(r, pieces=ask.pieces))

    async def relay(
        self,
        request: RelayRequest,
        model_type: ModelType,
        answer: Outlet,
        *,
        translation: Translation | None = None,
    ) -> None:
        """Pass a request of OpenAI's API on to an engine that speaks it.

        Where none does, ``translation`` asks one that can do the same in other words.
        """
        ask = _Ask(Engine, model_type, request)
        ask.abilities = (Relays, translation.ability) if translation else (Relays,)
        passed = _Passed(answer, ask)

        async def call(engine: Engine, asked: RelayRequest) -> None:
            if isinstance(engine, Relays) and engine.takes(asked.path):
                await engine.relay(asked, answer=passed)
            elif translation and isinstance(engine, translation.ability):
                await translation.ask(engine, asked, passed)
            else:
                raise ValidationFailed(f"engine {engine.name!r} has no `/v1/{asked.path}`")

        await self._ask(ask, call)

    async def respond(self, request: RelayRequest, model_type: ModelType, answer: Outlet) -> None:
        """Pass a request of the Responses API on to an engine that has it."""
        ask = _Ask(Responds, model_type, request)
        passed = _Passed(answer, ask)
        await self._ask(ask, lambda e, r: e.respond(r, answer=passed))

    async def responds(self, model: str, model_type: ModelType) -> bool:
        """Tell whether an engine that serves a model has the Responses API."""
        cards = await self.directory.serving(model, model_type)
        return any(isinstance(self.instances[card.engine].engine, Responds) for card in cards)

    async def _ask(
        self, ask: _Ask[Able, Asked], call: Callable[[Able, Asked], Awaitable[Answered]]
    ) -> Answered:
        """Ask one instance after the other, until one answers or asking does not help."""
        self.budget.earn()
        served = await self._serving(ask.request.model, ask.model_type, ask.abilities)
        session = getattr(ask.request, "session", None)
        while True:
            entered = await self._enter(served, session)
            try:
                async with self._held(served, entered, ask) as place:
                    await entered[0].ready(place.card, ask.progress)
                    ask.sent_to(entered[0])
                    request = ask.request.model_copy(update={"model": place.card.name})
                    return await call(cast("Able", place.engine), request)
            except AimaError as error:
                del served[entered[0].engine.name]
                others = any(self.instances[name].is_well() for name in served)
                again = others and helps_elsewhere(error) and not ask.began
                if not again or not self.budget.take():
                    raise

    async def _serving(
        self, model: str, model_type: ModelType, abilities: Sequence[type]
    ) -> dict[str, ModelCard]:
        """Give the cards of a model at the engines that serve it and can do what is asked.

        It can be asked in several ways, the best first.
        """
        cards = {card.engine: card for card in await self.directory.serving(model, model_type)}
        for ability in abilities:
            able = {n: c for n, c in cards.items() if isinstance(self.instances[n].engine, ability)}
            if able:
                return able
        name, card = next(iter(cards.items()))
        engine = self.instances[name].engine
        can = ", ".join(key for key, kind in ABILITIES.items() if isinstance(engine, kind))
        raise ValidationFailed(
            f"engine {name!r}, which serves {card.name!r}, cannot do this; it can: {can}"
        )

    async def _enter(
        self, served: Mapping[str, ModelCard], session: str | None
    ) -> tuple[Instance, int]:
        """Take a place at the best of these instances, waiting in line where all are full."""
        instances = [self.instances[name] for name in served]
        return await self._line(served).first(lambda: _choose(instances, session))

    @asynccontextmanager
    async def _held(
        self,
        served: Mapping[str, ModelCard],
        entered: tuple[Instance, int],
        ask: _Ask[Able, Asked],
    ) -> AsyncIterator[Place]:
        instance, number = entered
        ask.since = None
        error: BaseException | None = None
        try:
            yield Place(instance.engine, served[instance.engine.name])
        except BaseException as raised:
            error = raised
            raise
        finally:
            instance.leave(number, error, since=ask.since)
            self._line(served).freed()

    def _line(self, served: Mapping[str, ModelCard]) -> Line:
        model = next(iter(served.values())).name
        return self._lines.setdefault(model, Line(model, self._most_waiting))


class _Ask(Generic[Able, Asked]):
    """What is asked, and whether the answer has begun."""

    def __init__(
        self,
        ability: type[Able],
        model_type: ModelType,
        request: Asked,
        pieces: Pieces = ignored,
        *,
        progress: Progress = ignored,
    ) -> None:
        self.abilities: tuple[type, ...] = (ability,)
        self.model_type = model_type
        self.request = request
        self.progress = progress
        self.began = False
        self.since: float | None = None
        self._instance: Instance | None = None
        self._pieces = pieces

    def sent_to(self, instance: Instance) -> None:
        """Note who is asked, and since when: a model that had to be loaded first is there."""
        self._instance, self.since = instance, instance.clock()

    def begin(self) -> None:
        """Note that a piece has come; from the first one on nobody else is asked."""
        self.began = True
        if self._instance is not None:
            self._instance.heard()

    def pieces(self, piece: str | bytes) -> None:
        """Pass a piece on."""
        self.begin()
        self._pieces(piece)


class _Passed:
    """Takes an answer; from its first bytes on nobody else is asked."""

    def __init__(self, outlet: Outlet, ask: _Ask[Any, RelayRequest]) -> None:
        self._outlet = outlet
        self._ask = ask

    def begin(self, engine: str, model: str, media_type: str) -> None:
        self._outlet.begin(engine, model, media_type)

    async def write(self, chunk: bytes) -> None:
        self._ask.begin()
        await self._outlet.write(chunk)

    async def end(self) -> None:
        await self._outlet.end()


def _choose(instances: Sequence[Instance], session: str | None) -> tuple[Instance, int] | None:
    """Take a place at the session's own instance, else at the one with the least to do.

    Of several with as little, they take turns.

    Raises:
        EngineNotRunning: none of them is well.
    """
    well = [instance for instance in instances if instance.is_well()]
    if not well:
        seconds = min(instance.rests_for for instance in instances)
        names = ", ".join(repr(instance.engine.name) for instance in instances)
        raise EngineNotRunning(
            f"engine {names} has failed too often and rests; it is tried again in {seconds:.0f} s"
        )
    well.sort(key=lambda instance: (instance.under_way, instance.turn))
    if session is not None:
        own = max(well, key=lambda instance: _score(session, instance.engine.name))
        well.sort(key=lambda instance: instance is not own)
    for instance in well:
        if (number := instance.enter()) is not None:
            instance.turn = 1 + max(one.turn for one in instances)
            return instance, number
    return None


def _score(session: str, name: str) -> bytes:
    """Rank an instance for a session: highest random weight, so that few sessions ever move."""
    return hashlib.blake2b(f"{session}\0{name}".encode(), digest_size=8).digest()
