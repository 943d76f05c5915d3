"""Starting an engine until it really answers, and stopping it when it has no more to do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from aima.errors import AimaError, ExecutionFailed, TimedOut, ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engine
from aima.ports.engine_lifecycle import Branded, Measured
from aima.ports.engine_running import Installs, Instance, Starts, Stops, Watcher, Wish
from aima.ports.inference import ModelCard, ModelType, Progress
from aima.routing.readiness import prove_all

_LOOK_SECONDS = 0.25
_LAST_WORDS = 5
_UNTOLD: tuple[ModelType, ...] = ("llm", "embedding", "rerank")
"""What a model is tried as where its engine does not tell what it is."""
_GRACE_SECONDS = 5.0
"""How long what was begun and given up may take to end; an interrupted step has only 20 s."""


@dataclass(frozen=True)
class Start:
    """One wish to have an engine run.

    Attributes:
        artifacts: where a recording is put for an engine that hears, to try it.
        watcher: is told how it goes.
    """

    engine: Engine
    wish: Wish
    artifacts: Artifacts
    watcher: Watcher

    async def run(self) -> Instance:
        """Start it and wait until it answers; what fails or is cancelled is taken back."""
        starter = _starter(self.engine)
        await self.watcher.begins("pulling")
        goes_on = not self.wish.afresh and await starter.instance() is not None
        if isinstance(self.engine, Installs) and not goes_on:
            await self.engine.install("", progress=self.watcher.progress)
        try:
            await self.watcher.begins("starting")
            await self._end_anothers(starter)
            instance = await starter.launch(self.wish)
            await self.watcher.begins("loading")
            await self._ready_in_time(starter, instance)
        except (AimaError, asyncio.CancelledError):
            await self._take_back(starter)
            raise
        await self.watcher.begins("ready")
        return instance

    async def _ready_in_time(self, starter: Starts, instance: Instance) -> None:
        seen = ["it has said nothing"]
        try:
            async with asyncio.timeout(starter.patience()):
                await self._ready(starter, instance, seen)
        except TimeoutError:
            raise TimedOut(
                f"engine {self.engine.name!r} does not answer after {starter.patience():g} s: "
                f"{seen[-1]}; it wrote: {await _last_words(starter)}"
            ) from None

    async def _ready(self, starter: Starts, instance: Instance, seen: list[str]) -> None:
        """Look until it is ready; ``seen`` gets why it is not yet."""
        begun = monotonic()
        while True:
            if await starter.instance() != instance:
                raise ExecutionFailed(
                    f"engine {self.engine.name!r} ended while it was starting; it wrote: "
                    f"{await _last_words(starter)}"
                )
            reason = await self._unready(instance)
            if not reason:
                return
            seen.append(reason)
            self.watcher.progress(f"loading for {monotonic() - begun:.0f} s; {reason}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _unready(self, instance: Instance) -> str:
        """Tell why it does not answer yet; empty where it does.

        A model that it was started with must answer, or the one that is all it has; those it may
        bring in later are not brought in for this.
        """
        try:
            models = await self.engine.models()
        except AimaError as error:
            return error.message
        product = self.engine.product if isinstance(self.engine, Branded) else None
        if not instance.model and product and product.many:
            return ""
        if not models:
            return "it lists no model"
        return await self._refused(models[0])

    async def _refused(self, model: ModelCard) -> str:
        """Ask a model for the least it can do, whatever it may be where nobody tells."""
        types = (model.type,) if model.type else _UNTOLD
        cards = [model.model_copy(update={"type": type_}) for type_ in types]
        reasons = []
        for card in cards:
            [told] = await prove_all(self.engine, [card], self.artifacts)
            if told.ready:
                return ""
            reasons.append(told.reason or "" if told.ready is False else "")
        return reasons[0]

    async def _end_anothers(self, starter: Starts) -> None:
        """End one that another step has started, if this start is to be a new one."""
        instance = await starter.instance() if self.wish.afresh else None
        if instance is not None and instance.by != self.wish.by:
            await stop(self.engine, None, progress=self.watcher.progress)

    async def _take_back(self, starter: Starts) -> None:
        """End what this step has begun, be it an earlier attempt of it; why it is, is told."""
        with suppress(AimaError):
            instance = await starter.instance()
            if instance is None and isinstance(starter, Stops):
                await starter.clear()
            elif instance and instance.by == self.wish.by and isinstance(starter, Stops):
                await starter.stop(_GRACE_SECONDS)


async def stop(engine: Engine, seconds: float | None, *, progress: Progress) -> bool:
    """Let an engine finish what it is asked, then end it; tell whether it ran.

    Args:
        engine: which one.
        seconds: how long that may take; 0 ends it at once, None leaves it to the settings.
        progress: is told how far it is.

    """
    if not isinstance(engine, Stops):
        raise ValidationFailed(f"engine {engine.name!r} cannot be stopped from here")
    until = monotonic() + (engine.grace() if seconds is None else seconds)
    while isinstance(engine, Measured) and monotonic() < until - _GRACE_SECONDS:
        try:
            under_way = (await engine.metrics()).requests_running
        except AimaError:
            break
        if not under_way:
            break
        progress(f"{under_way:g} requests under way")
        await asyncio.sleep(_LOOK_SECONDS)
    return await engine.stop(max(0.0, until - monotonic()))


def _starter(engine: Engine) -> Starts:
    if not isinstance(engine, Starts):
        raise ValidationFailed(
            f"engine {engine.name!r} is not started by request: it starts with its first question"
            if isinstance(engine, Branded) and engine.product.kind == "embedded"
            else f"engine {engine.name!r} cannot be started from here"
        )
    return engine


async def _last_words(starter: Starts) -> str:
    lines = await starter.last_lines()
    return " | ".join(lines[-_LAST_WORDS:]) or "nothing"
