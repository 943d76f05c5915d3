"""One run as all see it who watch it: read once, however many there are.

A feed keeps where the run is now, and the latest events. Whoever comes gets the first, then each
event; whoever comes again with the number of an event that is still there gets what came after
it. A reader is a number and nothing else, so one that is slow costs nobody anything: where it has
fallen too far behind it is told again where the run is.

Events say what is, not what to change: a step's state, the tree, and a piece of an answer with
its place. So it does no harm to hear one twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from temporalio.service import RPCError

from aima.errors import AimaError
from aima.gateway.runs.answers import way_of
from aima.gateway.runs.streams import as_json
from aima.gateway.sse import event
from aima.streams.hub import Hub, Said
from aima.temporal.history import StepState
from aima.temporal.runs import Outcome, Runs
from aima.temporal.watch import Tree

HEARTBEAT_SECONDS = 10.0
LINGER_SECONDS = 60.0
"""How long a feed that nobody reads is kept, so that who comes again misses nothing."""

MOST_EVENTS = 2_000
MOST_BYTES = 1 << 20
MOST_STEPS = 1_000
"""So many steps, the latest, are told to who comes late; the tree tells of all."""

MOST_OUTPUT_CHARACTERS = 256_000
"""An output that is longer is not in the last event."""


@dataclass(frozen=True)
class Sent:
    """An event as it is sent, and its number."""

    number: int
    frame: bytes


@dataclass
class RunFeed:
    """What is told of one run.

    Attributes:
        hub: has what its steps show.
        clock: seconds since 1970; numbers begin there, so that those of a later feed are larger.
        heartbeat: seconds of silence after which a reader is told that there is nothing new.
        watchers: how many read it now.
        ended: the number of the last event; None while more may come.
    """

    run_id: str
    hub: Hub
    clock: Callable[[], float] = time.time
    heartbeat: float = HEARTBEAT_SECONDS
    watchers: int = 0
    ended: int | None = None
    _number: int = 0
    _log: deque[Sent] = field(default_factory=deque)
    _bytes: int = 0
    _dropped: int = 0
    _steps: dict[str, StepState] = field(default_factory=dict)
    _tree: Tree = field(default_factory=dict)
    _closing: tuple[str, dict[str, Any]] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Begin with numbers that no feed of this run has given before."""
        self._number = self._dropped = int(self.clock() * 1000)
        self._open = ExitStack()
        self._reader = self._open.enter_context(self.hub.reader(self.run_id))

    def close(self) -> None:
        """Read no longer what the steps show."""
        self._open.close()

    @property
    def failed(self) -> bool:
        """Whether it broke off, and whoever comes next should try anew."""
        return self._closing is not None and self._closing[0] == "error"

    async def follow(self, runs: Runs) -> None:
        """Take in what happens until the run has ended."""
        along = asyncio.create_task(self._read_along())
        try:
            async with aclosing(runs.follow(self.run_id, trees=True)) as changes:
                async for change in changes:
                    self.take(change)
            outcome = await runs.outcome(self.run_id)
            self.drain()
            self._close("end", _ending(self.run_id, outcome))
        except (AimaError, RPCError) as error:
            code = error.code if isinstance(error, AimaError) else "TEMPORAL_UNREACHABLE"
            self._close("error", {"code": code, "detail": error.message})
        finally:
            along.cancel()
            await asyncio.wait((along,))

    async def frames(self, after: int | None) -> AsyncGenerator[bytes]:
        """Give what there is to tell after a number, then whatever comes, until the end."""
        while True:
            changed = self._changed  # before the look: what comes during the sending counts
            told, after = self.news(after)
            for frame in told:
                yield frame
            if self.ended is not None and after >= self.ended:
                return
            try:
                async with asyncio.timeout(self.heartbeat):
                    await changed.wait()
            except TimeoutError:
                yield b": nothing new\n\n"

    def news(self, after: int | None) -> tuple[list[bytes], int]:
        """Give what to send to who has heard up to a number, and up to where that is."""
        self.drain()
        known = after is not None and self._dropped <= after <= self._number
        if known:
            return [sent.frame for sent in self._log if sent.number > (after or 0)], self._number
        return list(self._all()), self._number

    def take(self, change: StepState | Tree) -> None:
        """Take in a change of a step, or the tree; an empty one tells that time has passed."""
        if isinstance(change, StepState):
            self._steps.pop(change.step, None)
            self._steps[change.step] = change  # the latest last
            self._add("step", asdict(change))
        elif change and change != self._tree:
            self._tree = change
            self._add("progress", change)

    def drain(self) -> None:
        """Take in what was shown meanwhile."""
        for said in self._reader.news():
            self._add("piece", _piece(said))

    async def _read_along(self) -> None:
        while True:
            self.drain()
            await self._reader.changed()

    def _all(self) -> Iterator[bytes]:
        """Tell where the run is; only the last event has a number, for only then one has it all."""
        latest = islice(reversed(self._steps.values()), MOST_STEPS)
        told = [("step", asdict(step)) for step in reversed(list(latest))]
        with self.hub.reader(self.run_id) as anew:
            told += [("piece", _piece(said)) for said in anew.news()]
        told += [("progress", self._tree)] if self._tree else []
        told += [self._closing] if self._closing is not None else []
        for kind, data in told[:-1]:
            yield event(kind, data)
        for kind, data in told[-1:]:
            yield event(kind, data, number=self._number)

    def _close(self, kind: str, data: dict[str, Any]) -> None:
        self._closing = (kind, data)
        self._add(kind, data)
        self.ended = self._number

    def _add(self, kind: str, data: dict[str, Any]) -> None:
        self._number = max(self._number + 1, int(self.clock() * 1000))
        sent = Sent(self._number, event(kind, data, number=self._number))
        self._log.append(sent)
        self._bytes += len(sent.frame)
        while len(self._log) > MOST_EVENTS or self._bytes > MOST_BYTES:
            dropped = self._log.popleft()
            self._bytes -= len(dropped.frame)
            self._dropped = dropped.number
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass
class RunFeeds:
    """The feeds of all runs that somebody watches, or has just watched."""

    runs: Runs
    hub: Hub
    linger: float = LINGER_SECONDS
    _feeds: dict[str, tuple[RunFeed, asyncio.Task[None]]] = field(default_factory=dict)

    @contextmanager
    def watched(self, run_id: str) -> Iterator[RunFeed]:
        """Watch a run."""
        feed = self._feed(run_id)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            seconds = 0.0 if feed.failed else self.linger
            asyncio.get_running_loop().call_later(seconds, self._forget, feed)

    def close(self) -> None:
        """Watch nothing any more."""
        for _, task in self._feeds.values():
            task.cancel()
        self._feeds.clear()

    def _feed(self, run_id: str) -> RunFeed:
        if run_id not in self._feeds:
            feed = RunFeed(run_id, self.hub)
            task = asyncio.create_task(feed.follow(self.runs))
            task.add_done_callback(lambda _: feed.close())
            self._feeds[run_id] = (feed, task)
        feed, _ = self._feeds[run_id]
        return feed

    def _forget(self, feed: RunFeed) -> None:
        known, task = self._feeds.get(feed.run_id, (None, None))
        if known is feed and task is not None and not feed.watchers:
            del self._feeds[feed.run_id]
            task.cancel()


def _piece(said: Said) -> dict[str, Any]:
    return {key: value for key, value in as_json(said).items() if key != "type"}


def _ending(run_id: str, outcome: Outcome) -> dict[str, Any]:
    told = {"id": run_id, **asdict(outcome), "links": {"self": way_of(run_id)}}
    if len(str(outcome.output)) > MOST_OUTPUT_CHARACTERS:
        told |= {"output": None, "large": True}
    return told
