"""Which engines serve a name: a served model first, then an alias, then `default`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from aima.errors import AimaError, EngineNotRunning, ModelNotFound
from aima.ports.engine import Engine, Speaks
from aima.ports.inference import ModelCard, ModelType, Voice
from aima.settings import Models

Answered = TypeVar("Answered")

FRESH_SECONDS = 5.0
"""How long a list of served models is believed before the engines are asked again."""

PATIENCE_SECONDS = 2.0
"""For an engine's list, once others have told theirs; what it said last holds meanwhile."""

_ALSO: dict[ModelType, tuple[ModelType, ...]] = {"llm": ("vlm",), "vlm": ("llm",)}
"""Types that a name may have as well: a model that sees can talk, and one that talks may see."""


@dataclass
class _List:
    """What one engine serves, as far as it is known.

    Attributes:
        silent: why it is not known.
        known: whether it was told, or refused, ever.
        late: whether it takes longer than anybody waits for it.
    """

    cards: list[ModelCard] = field(default_factory=list)
    silent: AimaError | None = None
    known: bool = False
    late: bool = False
    _asking: asyncio.Task[None] | None = None

    def ask(self, engine: Engine) -> asyncio.Task[None]:
        """Ask for it, unless an answer is still awaited."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(engine))
        return self._asking

    async def _ask(self, engine: Engine) -> None:
        try:
            self.cards, self.silent = await engine.models(), None
        except AimaError as error:
            self.cards, self.silent = [], error
        self.known, self.late = True, False


@dataclass
class Directory:
    """What all engines serve, asked in the order of the configuration.

    One that hangs holds up only those who want what nobody else serves, and only until it has
    once failed to tell.

    Attributes:
        patience: seconds for which an engine is waited for where others have answered.
        fresh: seconds for which a list is believed before the engines are asked again.
    """

    engines: tuple[Engine, ...]
    names: Models
    patience: float = PATIENCE_SECONDS
    fresh: float = FRESH_SECONDS
    _lists: dict[str, _List] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _reading: asyncio.Task[None] | None = None

    @property
    def _cards(self) -> list[ModelCard]:
        return [card for one in self._of_all() for card in one.cards]

    @property
    def _silent(self) -> list[AimaError]:
        return [one.silent for one in self._of_all() if one.silent is not None]

    def _of_all(self) -> list[_List]:
        return [self._lists.setdefault(engine.name, _List()) for engine in self.engines]

    async def serving(self, model: str, model_type: ModelType) -> list[ModelCard]:
        """Give the card of each engine that serves ``model``, in their order.

        Raises:
            ModelNotFound: no engine does; the message lists the models of that type.
            EngineNotRunning: an engine that might does not answer.
        """
        cards = self._find(model, model_type)
        if not cards or monotonic() - self._read_at > self.fresh:
            await self._read()
            cards = self._find(model, model_type)
        if not cards and await self._read_unknown():
            cards = self._find(model, model_type)
        if not cards:
            raise self._missing(model, model_type)
        return cards

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve; one that is silent hides nothing of the others."""
        await self._read()
        await self._read_unknown()
        if self._silent and not self._cards:
            raise self._silent[0]
        return [c for c in self._cards if model_type in (None, c.type)]

    async def voices(self) -> list[Voice]:
        """List the voices of all engines; one that is silent hides nothing of the others."""
        speakers = [engine for engine in self.engines if isinstance(engine, Speaks)]
        answers, silent = await _ask_all(engine.voices() for engine in speakers)
        if silent and not answers:
            raise silent[0]
        return [voice for voices in answers for voice in voices]

    async def _read(self) -> None:
        """Ask all engines, once for all who want to know just now."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._ask())
            self._reading.add_done_callback(self._has_read)
        await asyncio.shield(self._reading)

    def _has_read(self, _: object) -> None:
        self._reading = None

    async def _ask(self) -> None:
        """Ask all engines; those that were late before are heard when they answer."""
        asked = [
            (one, one.ask(engine)) for one, engine in zip(self._of_all(), self.engines, strict=True)
        ]
        waited = [asking for one, asking in asked if not one.late]
        if waited:
            await asyncio.wait(waited, timeout=self.patience)
        for one, asking in asked:
            one.late = not asking.done()
            if asking.done():
                asking.result()  # a mistake of ours must be seen
        self._read_at = monotonic()

    async def _read_unknown(self) -> bool:
        """Wait for engines that have never told anything; tell whether there was one."""
        asked = zip(self._of_all(), self.engines, strict=True)
        unknown = [one.ask(engine) for one, engine in asked if not one.known]
        await asyncio.gather(*map(asyncio.shield, unknown))
        return bool(unknown)

    def _find(self, model: str, model_type: ModelType) -> list[ModelCard]:
        followed: set[str] = set()
        while model not in followed:
            followed.add(model)
            if found := self._named(model, (model_type, None, *_ALSO.get(model_type, ()))):
                return found
            if model == "default":
                model = self.names.default.get(model_type, model)
            else:
                model = self.names.aliases.get(model, model)
        # Names that lead nowhere mean the first model, if `default` is among them and no choice.
        if "default" not in followed or self._is_chosen(model_type):
            return []
        # An engine that does not tell types (Ollama, vLLM) is taken to serve language models.
        told: tuple[ModelType | None, ...] = (
            (model_type, None) if model_type == "llm" else (model_type,)
        )
        first = next((c for c in self._cards if c.type in told), None)
        return self._named(first.name, told) if first else []

    def _named(self, name: str, types: tuple[ModelType | None, ...]) -> list[ModelCard]:
        return [card for card in self._cards if card.name == name and card.type in types]

    def _is_chosen(self, model_type: ModelType) -> bool:
        return self.names.default.get(model_type, "default") != "default"

    def _missing(self, model: str, model_type: ModelType) -> AimaError:
        if self._silent and not self._cards:
            return self._silent[0]
        known = sorted({c.name for c in self._cards if c.type in (model_type, None)})
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
