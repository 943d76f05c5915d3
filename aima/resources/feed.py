"""The changes of one resource, for any number of watchers.

One look at the resource serves all of them: while somebody watches it is read every few seconds,
and what is new is kept as the latest state of each item, with the version of its last change. A
watcher is a version and nothing else. It asks what is newer, whenever it is ready: one that is
slow gets the latest state of what changed meanwhile, and costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time_ns

from aima.errors import AimaError, Gone, NotFound
from aima.resources.resource import Change, Data, Kind, Resource, Snapshot, Values

MOST_DELETED = 1_000
"""Deleted items whose end is remembered; a watcher that missed older ones reads anew."""
MOST_COUNTED = 100
"""Changes of an item that are counted one by one."""
BOOKMARK_SECONDS = 10.0
"""After so much silence a watcher is told how far it is: a sign of life."""
LONGEST_PAUSE_SECONDS = 30.0


class Versions:
    """Numbers that only grow, also from one start of the door to the next."""

    def __init__(self, now_ms: Callable[[], int] = lambda: time_ns() // 1_000_000) -> None:
        """Begin with the time, in milliseconds."""
        self._now_ms = now_ms
        self.last = 0

    def next(self) -> int:
        """Give a number that is higher than all before."""
        self.last = max(self.last + 1, self._now_ms())
        return self.last


@dataclass
class Item:
    """The latest state of something that changes by itself."""

    data: Data
    added: int
    deleted: bool = False
    changes: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_COUNTED))

    @property
    def version(self) -> int:
        """When it changed last."""
        return self.changes[-1]

    def since(self, uri: str, version: int) -> Change:
        """Tell what became of it after a version."""
        kind: Kind = "DELETED" if self.deleted else "ADDED" if self.added > version else "MODIFIED"
        missed = sum(1 for change in self.changes if change > version) - 1
        return Change(kind, uri, self.version, self.data, coalesced=missed)


class Feed:
    """One resource, read for all that want it."""

    def __init__(
        self,
        resource: Resource,
        uri: str,
        values: Values,
        versions: Versions,
        *,
        bookmark_seconds: float = BOOKMARK_SECONDS,
    ) -> None:
        """Read nothing yet; ``bookmark_seconds`` lie between two signs of life."""
        self._bookmark_seconds = bookmark_seconds
        self.resource = resource
        self.uri = uri
        self.watchers = 0
        self._values = values
        self._versions = versions
        self._items: dict[str, Item] = {}
        self._data: Data = {}
        self._version = 0
        self._oldest = 0
        self._trouble: AimaError | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def read(self) -> Snapshot:
        """Read it now; those who ask at once share one look.

        Raises:
            AimaError: what the resource says.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._look())
        await asyncio.shield(self._reading)
        if self._trouble is not None:
            raise self._trouble
        return Snapshot(self.uri, self._version, self._data)

    async def watch(
        self, since: int | None, *, pause_seconds: float = 0.0
    ) -> AsyncGenerator[Change]:
        """Tell what changes after a version; without one, first all that there is.

        A bookmark tells that this was all, up to now; more of them come when nothing changes.

        Args:
            since: the version of a snapshot, or of the last change that was seen.
            pause_seconds: between two tellings, at least.

        Raises:
            Gone: what happened since then is no longer known; read anew.
            AimaError: it cannot be read at all.
        """
        async with self._watched() as looking:
            await self.read()
            at, told, begun = self._from(since), None, False
            loop, quiet_until = asyncio.get_running_loop(), 0.0
            while True:
                changed, trouble = self._changed, self._wrong(at)
                for change in self._news(at):
                    quiet_until = loop.time() + pause_seconds
                    yield change
                at = max(at, self._version)
                if not begun:
                    yield Change("BOOKMARK", self.uri, at)
                begun = True
                if trouble is not None and trouble.shows != told:
                    yield trouble
                told = trouble and trouble.shows
                await self._wait(changed, looking)
                if changed is self._changed:
                    yield Change("BOOKMARK", self.uri, at)
                while changed is not self._changed and (left := quiet_until - loop.time()) > 0:
                    await asyncio.sleep(min(left, self._bookmark_seconds))
                    if left > self._bookmark_seconds:
                        yield Change("BOOKMARK", self.uri, at)
                self._from(at)

    def _from(self, since: int | None) -> int:
        """Say where a watcher begins, or goes on."""
        if since is None:
            return 0
        if since < self._oldest or since > self._versions.last:
            raise Gone(
                f"what happened to {self.uri!r} after version {since} is not known any more; "
                "read it again and watch from there"
            )
        return since

    def _news(self, at: int) -> list[Change]:
        found = [
            item.since(uri, at)
            for uri, item in self._items.items()
            if item.version > at and not (item.deleted and at == 0)
        ]
        return sorted(found, key=lambda change: change.version)

    def _wrong(self, at: int) -> Change | None:
        """Tell why it cannot be read; that it is not there is no trouble."""
        trouble = self._trouble
        if trouble is None or isinstance(trouble, NotFound):
            return None
        told: Data = {"code": trouble.code, "status": trouble.status, "detail": trouble.message}
        return Change("ERROR", self.uri, at, {**told, "retryable": trouble.retryable})

    async def _wait(self, changed: asyncio.Event, looking: asyncio.Task[None]) -> None:
        """Wait for a change, for a while; what ended the looking ends the watching as well."""
        waiting = asyncio.ensure_future(changed.wait())
        try:
            await asyncio.wait(
                (looking, waiting),
                timeout=self._bookmark_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()
        if looking.done():
            looking.result()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[asyncio.Task[None]]:
        """Look again and again while there is a watcher."""
        self.watchers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        looking = self._looking
        try:
            yield looking
        finally:
            self.watchers -= 1
            if not self.watchers:
                looking.cancel()
                self._looking = None

    async def _look_on(self) -> None:
        pause = self.resource.interval_seconds
        while True:
            await asyncio.sleep(pause)
            try:
                await self.read()
                pause = self.resource.interval_seconds
            except AimaError:  # the watchers are told
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _look(self) -> None:
        try:
            data = await self.resource.read(self._values)
        except NotFound as missing:
            self._take({}, missing)
        except AimaError as trouble:
            self._trouble = trouble
            self._tell()
        else:
            self._data = data
            self._take(self.resource.items(self.uri, data), None)

    def _take(self, items: dict[str, Data], trouble: NotFound | None) -> None:
        """Compare with what was there before."""
        before, news = self._trouble, False
        self._trouble = trouble
        for uri, data in items.items():
            news |= self._put(uri, data)
        for uri in [u for u, item in self._items.items() if not item.deleted and u not in items]:
            self._items[uri].deleted = True
            self._items[uri].changes.append(self._next())
            news = True
        if not self._oldest:
            self._oldest = self._version or self._next()
        self._forget()
        if news or trouble is not None or before is not None:
            self._tell()

    def _put(self, uri: str, data: Data) -> bool:
        item = self._items.get(uri)
        if item is not None and not item.deleted and item.data == data:
            return False
        if item is None or item.deleted:
            changes = item.changes if item else deque[int](maxlen=MOST_COUNTED)
            item = self._items[uri] = Item(data, self._next(), changes=changes)
        else:
            self._next()
        item.data = data
        item.changes.append(self._version)
        return True

    def _next(self) -> int:
        self._version = self._versions.next()
        return self._version

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _forget(self) -> None:
        """Forget the oldest ends; who has not heard of them must read anew."""
        ends = sorted((i.version, u) for u, i in self._items.items() if i.deleted)
        for version, uri in ends[: max(len(ends) - MOST_DELETED, 0)]:
            del self._items[uri]
            self._oldest = max(self._oldest, version)
