"""An instance of an engine as the router sees it: how busy and how well it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aima.errors import (
    AimaError,
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    ModelNotFound,
    RateLimited,
    TimedOut,
    WrongAnswer,
)
from aima.ports.engine import Engine, Loads
from aima.ports.inference import ModelCard, Progress
from aima.routing.breaker import Breaker
from aima.routing.slots import Slots

USUAL_REST_SECONDS = 1.0
"""For an instance that has too much to do and does not say for how long."""

SILENT_SECONDS = 1.0
"""Whoever gives up sooner is impatient; later, with no word from the instance, it counts."""

_SICK = (EngineNotRunning, ExecutionFailed, InsufficientResources, TimedOut)


def is_sick(error: BaseException) -> bool:
    """Tell an error of the instance from one of the request."""
    return isinstance(error, _SICK) and not isinstance(error, WrongAnswer)


def helps_elsewhere(error: AimaError) -> bool:
    """Tell whether another instance may do better."""
    return is_sick(error) or isinstance(error, ModelNotFound | RateLimited)


@dataclass
class Instance:
    """One engine, and what goes on there.

    Attributes:
        most: requests it bears at once; 0: it keeps its own line.
        under_way: requests of this process that it has.
        turn: grows with each request that it gets; the lowest of several was idle longest.
    """

    engine: Engine
    most: int
    slots: Slots
    clock: Callable[[], float]
    under_way: int = 0
    turn: int = 0
    breaker: Breaker = field(init=False)
    _rests_until: float = float("-inf")
    _heard_at: float = float("-inf")
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _loads: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start well."""
        self.breaker = Breaker(self.clock)

    @property
    def rests_for(self) -> float:
        """Seconds for which it should not be asked."""
        return max(self.breaker.rests_for, self._rests_until - self.clock(), 0.0)

    def is_well(self) -> bool:
        """Tell whether it may be asked."""
        return self.breaker.allows() and self.clock() >= self._rests_until

    def enter(self) -> int | None:
        """Take a place, 0 where places are not counted; None where it is full."""
        place = self.slots.take(self.engine.name, self.most) if self.most else 0
        if place is not None:
            self.under_way += 1
            self.breaker.enter()
        return place

    def heard(self) -> None:
        """Note that it gave a sign of life."""
        self._heard_at = self.clock()

    def leave(self, place: int, error: BaseException | None, *, since: float | None) -> None:
        """Give the place back, and learn from how the request ended.

        One that was given up, by a step's timeout or a client that went, tells something only if
        nothing at all came from the instance meanwhile: an engine that hangs ends no request
        itself, and would be chosen for ever.

        Args:
            place: what :meth:`enter` gave.
            error: how it ended; None: well.
            since: when it was sent; None: never, it waited for its model to be loaded.
        """
        self.under_way -= 1
        if place:
            self.slots.free(place)
        if error is None:
            self.heard()
            self.breaker.succeeded()
        elif isinstance(error, RateLimited):
            self._rests_until = self.clock() + (error.retry_after or USUAL_REST_SECONDS)
            self.breaker.left()
        elif is_sick(error):
            self.breaker.failed()
        elif isinstance(error, AimaError):
            self.breaker.succeeded()
        elif since is not None and self.clock() - max(since, self._heard_at) >= SILENT_SECONDS:
            self.breaker.failed()
        else:
            self.breaker.left()

    async def ready(self, card: ModelCard, progress: Progress) -> None:
        """Bring a model into memory that is not there: one at a time, once for all who wait."""
        if card.loaded is not False or not isinstance(self.engine, Loads):
            return
        loading = self._loads.get(card.name)
        if loading is None:
            loading = asyncio.create_task(self._load(self.engine, card.name, progress))
            self._loads[card.name] = loading
            loading.add_done_callback(lambda _: self._loads.pop(card.name, None))
        await asyncio.shield(loading)
        card.loaded = True

    async def _load(self, engine: Loads, model: str, progress: Progress) -> None:
        async with self._loading:
            await engine.load(model, progress=progress)
