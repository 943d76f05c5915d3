"""What happened, as it happens, for any number of readers.

While somebody reads, the outbox is looked at a few times a second, once for all of them, and its
newest events are kept at hand. A reader is a number: how far it has come. One that is behind what
is at hand reads on in the outbox itself, at its own pace, and costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aima.blocking import in_thread
from aima.errors import Gone
from aima.store.events import Entry, matches

if TYPE_CHECKING:
    from aima.store.database import Store

POLL_SECONDS = 0.25
AT_HAND = 1_000
"""Events kept in memory, for all readers together."""
AT_ONCE = 200
PAGE = 20
"""Events that are written for a reader at once: what one that does not read costs."""
SILENCE_SECONDS = 10.0
"""After so much silence a reader is told how far it is: a sign of life."""


@dataclass(frozen=True)
class Page:
    """Some events, and the number after which there may be more."""

    entries: list[Entry]
    next: int


class EventFeed:
    """The events of a stack."""

    def __init__(
        self,
        store: Callable[[], AbstractContextManager[Store]],
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """Read nothing yet; ``silence_seconds`` lie between two signs of life."""
        self.readers = 0
        self._silence_seconds = silence_seconds
        self._store = store
        self._at_hand: deque[Entry] = deque(maxlen=AT_HAND)
        self._from = 0
        self._newest = 0
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def page(self, since: int | None, *, types: Sequence[str], limit: int) -> Page:
        """Give the next events after a number; without one, the newest that there are.

        Raises:
            Gone: those that follow it are not kept any more.
        """
        return await in_thread(self._page, since, types, limit)

    async def follow(self, since: int | None, *, types: Sequence[str]) -> AsyncGenerator[Page]:
        """Give each event after a number, and then as they come; without one, from now on.

        An empty page is a sign of life, and tells how far the reader has come.

        Raises:
            Gone: those that follow the number are not kept any more.
        """
        async with self._read_along() as looking:
            page = await self.page(since if since is not None else -1, types=types, limit=PAGE)
            while True:
                yield page
                page = await self._news(page.next, types, looking)

    async def _news(self, at: int, types: Sequence[str], looking: asyncio.Task[None]) -> Page:
        """Wait for events, but not for ever."""
        loop = asyncio.get_running_loop()
        silent_at = loop.time() + self._silence_seconds
        while True:
            changed = self._changed
            page = await self._next(at, types)
            at = page.next
            if page.entries or loop.time() >= silent_at:
                return page
            await _wait(changed, looking, silent_at - loop.time())

    async def _next(self, at: int, types: Sequence[str]) -> Page:
        """Give what follows, from memory where it is at hand."""
        if at < self._from:
            return await self.page(at, types=types, limit=PAGE)
        found: list[Entry] = []
        for entry in reversed(self._at_hand):
            if entry.seq <= at:
                break
            if _is_wanted(entry, types):
                found.append(entry)
        if len(found) > PAGE:
            found = found[-PAGE:]
            return Page(found[::-1], found[0].seq)
        return Page(found[::-1], max(at, self._newest))

    def _page(self, since: int | None, types: Sequence[str], limit: int) -> Page:
        with self._store() as store:
            oldest, newest = store.events.bounds()
            if since is None:
                entries = store.events.latest(limit=limit, types=types)
                return Page(entries, newest)
            if since < 0:
                return Page([], newest)
            if since > newest:
                raise Gone(f"no event has number {since} yet: the newest has {newest}")
            if 0 < since < oldest:
                raise Gone(
                    f"the events after number {since} are not kept any more; "
                    "those after 0 are the oldest that are"
                )
            entries = store.events.after(since, limit=limit, types=types)
        last = entries[-1].seq if entries else since
        return Page(entries, last if len(entries) == limit else max(last, newest))

    @asynccontextmanager
    async def _read_along(self) -> AsyncIterator[asyncio.Task[None]]:
        """Look for events while somebody reads."""
        self.readers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        looking = self._looking
        try:
            yield looking
        finally:
            self.readers -= 1
            if not self.readers:
                looking.cancel()
                self._looking = None

    async def _look(self) -> None:
        with await in_thread(self._store) as store:
            self._at_hand.clear()
            _, self._newest = await in_thread(store.events.bounds)
            self._from = self._newest
            self._tell()  # who came meanwhile reads on in the outbox
            while True:
                found = await in_thread(self._after, store)
                if found:
                    self._keep(found)
                else:
                    await asyncio.sleep(POLL_SECONDS)

    def _after(self, store: Store) -> list[Entry]:
        return store.events.after(self._newest, limit=AT_ONCE)

    def _keep(self, found: list[Entry]) -> None:
        self._at_hand.extend(found)
        self._newest = found[-1].seq
        if len(self._at_hand) == AT_HAND:
            self._from = self._at_hand[0].seq - 1
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


async def _wait(changed: asyncio.Event, looking: asyncio.Task[None], seconds: float) -> None:
    """Wait for a change, for a while; what ended the looking ends the reading as well."""
    waiting = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait((waiting, looking), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if looking.done():
        looking.result()


def _is_wanted(entry: Entry, types: Sequence[str]) -> bool:
    return not types or any(matches(pattern, entry.event.type) for pattern in types)
