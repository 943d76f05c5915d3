"""What changes outside AIMA's own hands, told as events: models come and go, engines too.

Nobody tells when a file is removed or a server ends, so it is looked at every few seconds. What
was told last is in the store, and a change of it is written with its event. So of several workers
one tells it, and after a crash it is told by the next look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from aima.blocking import in_thread
from aima.errors import AimaError
from aima.models.store import StoredModel
from aima.ports.engine_lifecycle import EngineCard
from aima.store.events import CloudEvent
from aima.store.facts import Facts

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
PULL_SECONDS = 2.0
"""The same while a model is pulled, which is told as often at most."""
ANSWER_SECONDS = 10.0
"""An engine that takes longer to say how it is, is stopped."""
CREATED, DELETED = "model.created", "model.deleted"
PULL_PROGRESS, VERIFIED = "model.pull_progress", "model.verified"
HEALTH_CHANGED = "engine.health_changed"
TYPES = (CREATED, DELETED, PULL_PROGRESS, VERIFIED, HEALTH_CHANGED)
"""The events that looking brings about."""
_STATES = {"running": 1, "sleeping": 2, "stopped": 3}
_NAMES = {number: name for name, number in _STATES.items()}


@dataclass(frozen=True)
class Observer:
    """Tells what it sees.

    Attributes:
        models: lists the models.
        pulls: tells whether any of them may be pulled just now; asked often.
        engines: names the engines that may be asked without starting them.
        look: looks at an engine.
        published: told when there is an event.
    """

    facts: Facts
    models: Callable[[], Sequence[StoredModel]]
    pulls: Callable[[], bool]
    engines: tuple[str, ...]
    look: Callable[[str], Coroutine[None, None, EngineCard]]
    published: Callable[[], None]

    async def serve(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.observe()
                await self._along_pulls()
            except AimaError as error:
                log.warning("models and engines are looked at later: %s", error)
                await asyncio.sleep(LOOK_SECONDS)

    async def _along_pulls(self) -> None:
        """Wait for the next look; while a model is pulled tell how far that is."""
        for _ in range(int(LOOK_SECONDS / PULL_SECONDS)):
            await asyncio.sleep(PULL_SECONDS)
            if self.pulls() and await in_thread(self._models) > 0:
                self.published()

    async def observe(self) -> None:
        """Look once, and tell what is new.

        Raises:
            AimaError: the store cannot be written.
        """
        told = await in_thread(self._models)
        cards = await asyncio.gather(*map(self._card, self.engines))
        told += await in_thread(self._engines, cards)
        if told:
            self.published()

    def _models(self) -> int:
        looks = (self._pull, self._check, self._model)
        events = [look(stored) for stored in self.models() for look in looks]
        return sum(event is not None for event in events)

    def _pull(self, stored: StoredModel) -> CloudEvent | None:
        """Tell how far a pull is; its end is told as what came of it."""
        name, pulling = stored.model.name, stored.pulling
        now = 0 if pulling is None else pulling.done_bytes + 1

        def tell(_: int | None) -> CloudEvent | None:
            if pulling is None:
                return None
            return _event(PULL_PROGRESS, name, {"model_id": name, **asdict(pulling)})

        return self.facts.turn(f"pull:{name}", now, tell)

    def _check(self, stored: StoredModel) -> CloudEvent | None:
        """Tell that a model's bytes were compared with their checksums."""
        name, check = stored.model.name, stored.verified
        if check is None:
            return None
        told = {"model_id": name, "valid": check.valid, "issues": list(check.issues)}
        event = _event(VERIFIED, name, told)
        return self.facts.turn(f"verified:{name}", check.at_ms, lambda _: event)

    def _model(self, stored: StoredModel) -> CloudEvent | None:
        name = stored.model.name
        now = _made_at(stored.folder) if stored.present else 0
        data = {"model_id": name, "type": stored.model.type, "bytes": stored.model.bytes}

        def tell(before: int | None) -> CloudEvent | None:
            if not now and not before:
                return None  # it never was here
            return _event(CREATED if now else DELETED, name, data)

        return self.facts.turn(f"model:{name}", now, tell)

    async def _card(self, name: str) -> EngineCard:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.look(name)
        except TimeoutError:
            return EngineCard(name=name, type="unknown", status="stopped", reason="it is silent")

    def _engines(self, cards: Sequence[EngineCard]) -> int:
        found = [
            self.facts.turn(f"engine:{card.name}", _STATES[card.status], partial(_turned, card))
            for card in cards
        ]
        return sum(event is not None for event in found)


def _turned(card: EngineCard, before: int | None) -> CloudEvent | None:
    """Tell that an engine is otherwise than it was; what AIMA does to it its units tell."""
    if before is None and card.status == "stopped":
        return None  # it was never seen running
    told: dict[str, object] = {
        "name": card.name,
        "status": card.status,
        "was": _NAMES.get(before or 0),
    }
    told |= {"reason": card.reason} if card.reason else {}
    return _event(HEALTH_CHANGED, card.name, told)


def _event(type_: str, name: str, data: dict[str, object]) -> CloudEvent:
    domain = type_.partition(".")[0]
    return CloudEvent(
        id=str(uuid4()),
        type=type_,
        source=f"aima/{domain}s",
        subject=f"{domain}/{name}",
        data=data,
    )


def _made_at(folder: Path) -> int:
    """Tell when a model's folder was made or filled last, in milliseconds; never 0."""
    return max(int(folder.stat().st_mtime * 1000), 1) if folder.is_dir() else 1
