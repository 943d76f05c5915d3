"""What was said before: answers that are kept for a time, each for the key that asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aima.blocking import in_thread
from aima.errors import NotFound
from aima.gateway.responses.asked import Named
from aima.mistakes import Mistakes
from aima.store.database import Store
from aima.store.responses import KeptResponse

MOST_BYTES = 1 << 20
"""Of a conversation that is kept; one with large pictures is sent anew each time."""


@dataclass(frozen=True)
class Conversation:
    """What was said, and who may go on from what is answered to it.

    Attributes:
        items: as they were sent and answered, the oldest first.
        is_kept: whether anybody may.
    """

    kept: Kept
    owner: str
    items: list[Any]
    is_kept: bool

    async def keep(self, response: dict[str, Any]) -> None:
        """Keep an answer, before anybody is told that it is there."""
        told = isinstance(response.get("id"), str) and isinstance(response.get("output"), list)
        if self.is_kept and told and len(json.dumps([response, self.items])) <= MOST_BYTES:
            await in_thread(self.kept.keep, KeptResponse(self.owner, response, self.items))


@dataclass(frozen=True)
class Kept:
    """Keeps answers.

    Attributes:
        lasts: for how long; zero keeps none.
    """

    store: Callable[[], AbstractContextManager[Store]]
    lasts: timedelta

    async def conversation(self, owner: str, named: Named, said_bytes: int) -> Conversation:
        """Put together what was said before with what is said now, in so many bytes.

        Raises:
            ValidationFailed: what it goes on from is not kept.
        """
        items = named.input
        if (before := named.previous_response_id) is not None:
            try:
                found = await self.find(owner, before)
            except NotFound as error:
                at = {"pointer": "/previous_response_id", "detail": error.message}
                raise Mistakes(error.message, errors=[at]) from error
            items = [*found.input, *found.response["output"], *items]
        wanted = named.store is not False and bool(self.lasts)
        return Conversation(self, owner, items, wanted and said_bytes <= MOST_BYTES)

    def keep(self, kept: KeptResponse) -> None:
        """Keep an answer; this blocks."""
        with self.store() as store:
            store.responses.keep(kept, self.lasts)

    async def find(self, owner: str, name: str) -> KeptResponse:
        """Give an answer.

        Raises:
            NotFound: none is kept under this name for this owner.
        """
        found = await in_thread(self._find, owner, name) if self.lasts else None
        if found is None:
            raise self._missing(name)
        return found

    async def drop(self, owner: str, name: str) -> None:
        """Forget an answer.

        Raises:
            NotFound: as :meth:`find`.
        """
        if not self.lasts or not await in_thread(self._drop, owner, name):
            raise self._missing(name)

    def _missing(self, name: str) -> NotFound:
        hours = self.lasts / timedelta(hours=1)
        rule = (
            f"they are kept for {hours:g} h for the key that asked, unless `store` is false or "
            f"what was said is over {MOST_BYTES >> 20} MiB"
            if self.lasts
            else "`door.responses_hours` is 0, so none is"
        )
        return NotFound(
            f"no answer {name[:80]!r} is kept: {rule}; send the whole conversation as `input`"
        )

    def _find(self, owner: str, name: str) -> KeptResponse | None:
        with self.store() as store:
            return store.responses.find(owner, name)

    def _drop(self, owner: str, name: str) -> bool:
        with self.store() as store:
            return store.responses.drop(owner, name)
