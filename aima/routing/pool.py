"""The engines one by one: how each is, and what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import TypeVar

from aima.errors import AimaError, NotFound
from aima.ports.artifacts import Artifacts
from aima.ports.engine import ABILITIES, Chats, Completes, Embeds, Engine, Reranks, Speaks
from aima.ports.engine_lifecycle import (
    LIFECYCLE,
    Branded,
    EngineCard,
    EngineFeatures,
    EngineReport,
    Estimates,
    Measured,
    Sleeps,
    Versioned,
)
from aima.ports.inference import ModelCard
from aima.routing.readiness import prove_all

Told = TypeVar("Told")


class Pool:
    """All engines, by their names."""

    def __init__(self, engines: Iterable[Engine], most: Mapping[str, int]) -> None:
        """Know them; ``most`` is how many requests some of them bear at once."""
        self._engines = {engine.name: engine for engine in engines}
        self._most = most

    def named(self, name: str) -> Engine:
        """Give an engine."""
        if name not in self._engines:
            there = ", ".join(map(repr, self._engines)) or "none"
            raise NotFound(
                f"there is no engine {name!r}, there is {there}; [engines.{name}] would make it "
                "known"
            )
        return self._engines[name]

    async def cards(self) -> list[EngineCard]:
        """Look at all of them at once."""
        return list(await asyncio.gather(*map(_card, self._engines.values())))

    async def report(self, name: str, *, prove: Artifacts | None = None) -> EngineReport:
        """Look at one of them closely."""
        engine = self.named(name)
        card = await _card(engine)
        here = card.status != "stopped"
        models = (await _told(engine.models()) or []) if here else []
        counted = engine.metrics() if here and isinstance(engine, Measured) else None
        return EngineReport(
            **card.model_dump(),
            capabilities=_of(engine, ABILITIES),
            models=[await _estimated(engine, model) for model in models],
            metrics=await _told(counted) if counted else None,
            readiness=await prove_all(engine, models, prove) if prove else None,
        )

    def features(self, name: str) -> EngineFeatures:
        """Tell what one of them can do, without asking it."""
        engine = self.named(name)
        product = engine.product if isinstance(engine, Branded) else None
        return EngineFeatures(
            supports_streaming=isinstance(engine, Chats | Completes | Speaks),
            supports_batch=isinstance(engine, Embeds | Reranks),
            max_concurrent=self._most.get(name) or None,
            max_models=1 if product and not product.many else None,
            capabilities=_of(engine, ABILITIES),
            lifecycle=_of(engine, LIFECYCLE),
            types=list(product.types) if product else [],
            formats=list(product.formats) if product else [],
        )


def _of(engine: Engine, protocols: Mapping[str, type]) -> list[str]:
    return [name for name, protocol in protocols.items() if isinstance(engine, protocol)]


async def _card(engine: Engine) -> EngineCard:
    kind = engine.product.kind if isinstance(engine, Branded) else "unknown"
    card = EngineCard(name=engine.name, type=kind, status="running")
    try:
        await engine.models()
    except AimaError as error:
        return card.model_copy(update={"status": "stopped", "reason": error.message})
    asleep = await _told(engine.is_sleeping()) if isinstance(engine, Sleeps) else False
    if asleep:
        card.status = "sleeping"
    if isinstance(engine, Versioned):
        card.version = await _told(engine.version())
    return card


async def _estimated(engine: Engine, model: ModelCard) -> ModelCard:
    """Add what a model would take to one whose memory is not told."""
    if model.memory_bytes is not None or not isinstance(engine, Estimates):
        return model
    bytes_ = await _told(engine.estimate_memory(model.name))
    return model.model_copy(update={"memory_bytes": bytes_})


async def _told(question: Awaitable[Told]) -> Told | None:
    """Ask for what an engine need not tell: some doors are only there if it was told to."""
    try:
        return await question
    except AimaError:
        return None
