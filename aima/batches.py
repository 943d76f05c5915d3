"""Many items in one step: so many at once, in their order, and not again after a worker's death.

Answers that are there are kept as an artifact, whose name the next attempt of the step is left.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from pydantic import BaseModel

from aima.errors import AimaError, NotFound
from aima.ports.artifacts import Artifact, Artifacts
from aima.ports.engine import Memory

R = TypeVar("R", bound=BaseModel)

KEPT_EVERY_SECONDS = 2.0
"""Between two keepings: all answers so far are written each time."""


@dataclass
class Batch(Generic[R]):
    """A batch under way.

    Attributes:
        result: the model of what becomes of an item.
        told: takes a sentence on how far it is.
        done: what became of items, by their place.
    """

    result: type[R]
    artifacts: Artifacts
    memory: Memory
    told: Callable[[str], None]
    done: dict[int, R] = field(default_factory=dict)
    _kept_at: float = field(default_factory=monotonic)
    _keeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(
        self, count: int, work: Callable[[int], Awaitable[R]], *, at_once: int
    ) -> list[R]:
        """Do ``work`` for each place that an earlier attempt has not done; give all in order.

        What ``work`` raises ends the batch; what is done by then is kept for the next attempt.
        """
        await self._recall(count)
        places = iter([index for index in range(count) if index not in self.done])

        async def take() -> None:
            for index in places:
                self.done[index] = await work(index)
                self.told(f"{len(self.done)} of {count}")
                await self._keep(sparingly=True)

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(at_once, count)):
                    tasks.create_task(take())
        except BaseExceptionGroup as group:
            await self._keep()
            raise _first(group) from group
        return [self.done[index] for index in range(count)]

    async def _recall(self, count: int) -> None:
        """Read what an earlier attempt has done; what cannot be had is done again."""
        left = self.memory.recall()
        if not left:
            return
        try:
            kept = json.loads(await self.artifacts.get(Artifact.model_validate_json(left)))
        except NotFound:
            return
        read = {int(index): self.result.model_validate(value) for index, value in kept.items()}
        self.done = {index: value for index, value in read.items() if index < count}

    async def _keep(self, *, sparingly: bool = False) -> None:
        if not self.done or (sparingly and monotonic() - self._kept_at < KEPT_EVERY_SECONDS):
            return
        async with self._keeping:
            self._kept_at = monotonic()
            kept = {str(index): value.model_dump(mode="json") for index, value in self.done.items()}
            data = json.dumps(kept, ensure_ascii=False).encode()
            artifact = await self.artifacts.put(data, media_type="application/json")
            self.memory.remember(artifact.model_dump_json())


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first error of AIMA's tree, or what came first."""
    for error in group.exceptions:
        if isinstance(error, AimaError):
            return error
    return group.exceptions[0]
