"""The engines one by one: how each is, and what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import TypeVar

from aima.errors import AimaError, NotFound, ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.ports.engine import ABILITIES, Chats, Completes, Embeds, Engine, Reranks, Speaks
from aima.ports.engine_lifecycle import (
    LIFECYCLE,
    Activated,
    Bounded,
    Branded,
    EngineCard,
    EngineFeatures,
    EngineReport,
    Estimates,
    Measured,
    Sleeps,
    Versioned,
)
from aima.ports.engine_running import Installation, Installs, Instance, Starts, Watcher, Wish
from aima.ports.inference import ModelCard, Progress
from aima.routing.readiness import prove_all
from aima.routing.starting import Start, stop

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

    async def card(self, name: str) -> EngineCard:
        """Look whether one of them runs."""
        return await _card(self.named(name))

    async def report(self, name: str, *, prove: Artifacts | None = None) -> EngineReport:
        """Look at one of them closely."""
        engine = self.named(name)
        card = await _card(engine)
        here = card.status in ("running", "sleeping")
        models = (await _told(engine.models()) or []) if here else []
        counted = engine.metrics() if here and isinstance(engine, Measured) else None
        bounded = engine.capacity() if here and isinstance(engine, Bounded) else None
        instance = await _instance(engine)
        installed = await _told(engine.installation()) if isinstance(engine, Installs) else None
        return EngineReport(
            **card.model_dump(),
            capabilities=_of(engine, ABILITIES),
            models=[await _estimated(engine, model) for model in models],
            metrics=await _told(counted) if counted else None,
            readiness=await prove_all(engine, models, prove) if prove else None,
            installed=installed.path if installed else None,
            process_id=instance.id if instance else None,
            max_concurrent=await _told(bounded) if bounded else None,
        )

    async def install(self, name: str, version: str, *, progress: Progress) -> Installation:
        """Bring one of them to this machine."""
        engine = self.named(name)
        if not isinstance(engine, Installs):
            raise ValidationFailed(
                f"engine {name!r} cannot be installed by AIMA; the page of engines tells which can"
            )
        return await engine.install(version, progress=progress)

    async def start(
        self, name: str, wish: Wish, *, artifacts: Artifacts, watcher: Watcher
    ) -> Instance:
        """Have one of them run and answer."""
        return await Start(self.named(name), wish, artifacts, watcher).run()

    async def stop(self, name: str, seconds: float | None, *, progress: Progress) -> bool:
        """Let one of them finish, then end it."""
        return await stop(self.named(name), seconds, progress=progress)

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
    if isinstance(engine, Activated) and not engine.is_awake():
        reason = "it starts with the first request"
        return card.model_copy(update={"status": "sleeping", "reason": reason})
    try:
        await engine.models()
    except AimaError as error:
        status = "starting" if await _instance(engine) else "stopped"
        return card.model_copy(update={"status": status, "reason": error.message})
    asleep = await _told(engine.is_sleeping()) if isinstance(engine, Sleeps) else False
    if asleep:
        card.status = "sleeping"
    if isinstance(engine, Versioned):
        card.version = await _told(engine.version())
    return card


async def _instance(engine: Engine) -> Instance | None:
    """Find the process or container of an engine that AIMA runs."""
    return await _told(engine.instance()) if isinstance(engine, Starts) else None


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
