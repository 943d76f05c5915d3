"""The hub: keeps what steps have shown so far, and lets any number of readers read along.

A reader holds a position in the shared pieces and nothing else, so one that is slow, or that
comes late, costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

KEPT_SECONDS = 300.0
"""How long a stream that nobody writes to any more is kept."""
MOST_STREAM_BYTES = 64 << 20
MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Said:
    """A piece of a step's answer, or what became of it.

    Attributes:
        run: the run of the step; one inside of another has that one's id, ``/`` and more.
        step: the path of the step in its run, such as ``pages[3].chat``.
        attempt: which attempt it is of; a higher one than before begins again.
        offset: bytes before this piece.
        data: the piece; text is UTF-8, and a character may be cut in two.
        ended: whether the attempt has said all that it will.
    """

    run: str
    step: str
    attempt: int
    offset: int
    data: bytes
    media_type: str
    ended: bool = False


@dataclass
class Stream:
    """What one step has shown."""

    attempt: int
    media_type: str
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    ended: bool = False
    touched: float = 0.0


@dataclass
class _Family:
    """A run with those inside of it: their streams by run and step, and who reads along."""

    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    readers: int = 0


class Hub:
    """All streams of one stack, by run."""

    def __init__(
        self, *, clock: Callable[[], float] = monotonic, most_bytes: int = MOST_BYTES
    ) -> None:
        """Start with nothing said."""
        self._families: dict[str, _Family] = {}
        self._clock = clock
        self._most = most_bytes

    def say(self, said: Said) -> int:
        """Take a piece in; give how many bytes of the attempt are here.

        A piece that does not begin where the last one ended is not taken: a hub that was started
        anew has missed the beginning, and the writer sends it again from what this returns.
        """
        self._forget()
        family = self._family(said.run)
        stream = family.streams.get((said.run, said.step))
        if stream is None or said.attempt > stream.attempt:
            stream = Stream(said.attempt, said.media_type)
            family.streams[said.run, said.step] = stream
        stream.touched = self._clock()
        if said.attempt == stream.attempt and said.offset == stream.size and not stream.ended:
            if said.data and stream.size + len(said.data) <= MOST_STREAM_BYTES:
                stream.media_type = said.media_type
                stream.pieces.append(said.data)
                stream.size += len(said.data)
            stream.ended = said.ended
            self._tell(family)
        return stream.size

    @contextmanager
    def reader(self, run: str, step: str | None = None) -> Iterator[Reader]:
        """Read along with a run and those inside of it, or with one step, from the beginning."""
        family = self._family(run)
        family.readers += 1
        try:
            yield Reader(family, run, step)
        finally:
            family.readers -= 1

    async def read(self, run: str, step: str | None = None) -> AsyncGenerator[Said]:
        """Give all that :meth:`reader` reads until whoever asked leaves."""
        with self.reader(run, step) as reader:
            while True:
                for said in reader.news():
                    yield said
                await reader.changed()

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(s.size for family in self._families.values() for s in family.streams.values())

    def _family(self, run: str) -> _Family:
        return self._families.setdefault(run.partition("/")[0], _Family())

    def _tell(self, family: _Family) -> None:
        changed, family.changed = family.changed, asyncio.Event()
        changed.set()

    def _forget(self) -> None:
        """Forget streams that are old, and the oldest where there are too many."""
        oldest = self._clock() - KEPT_SECONDS
        for name, family in list(self._families.items()):
            for key, stream in list(family.streams.items()):
                if stream.touched < oldest:
                    del family.streams[key]
            if not family.streams and not family.readers:
                del self._families[name]
        while self.size > self._most:
            name, key = min(
                ((name, key) for name, f in self._families.items() for key in f.streams),
                key=lambda at: self._families[at[0]].streams[at[1]].touched,
            )
            del self._families[name].streams[key]


@dataclass(frozen=True)
class _Position:
    """How far a reader has read a stream."""

    attempt: int = -1
    pieces: int = 0
    bytes: int = 0
    ended: bool = False


@dataclass
class Reader:
    """One who reads along: a position in each stream, and nothing else."""

    family: _Family
    run: str
    step: str | None = None
    _at: dict[tuple[str, str], _Position] = field(default_factory=dict)
    _seen: asyncio.Event = field(default_factory=asyncio.Event)

    def news(self) -> list[Said]:
        """Give what was not read yet, in one piece for each stream."""
        self._seen = self.family.changed
        found = (self._of(*key, stream) for key, stream in self.family.streams.items())
        return [said for said in found if said is not None]

    async def changed(self) -> None:
        """Wait until there are more news than those given last."""
        await self._seen.wait()

    def _of(self, run: str, step: str, stream: Stream) -> Said | None:
        if not self._wants(run, step):
            return None
        at = self._at.get((run, step), _Position())
        if at.attempt != stream.attempt:
            at = _Position(stream.attempt)
        elif at.bytes == stream.size and at.ended == stream.ended:
            return None
        now = _Position(stream.attempt, len(stream.pieces), stream.size, stream.ended)
        self._at[run, step] = now
        new = b"".join(stream.pieces[at.pieces :])
        return Said(run, step, stream.attempt, at.bytes, new, stream.media_type, stream.ended)

    def _wants(self, run: str, step: str) -> bool:
        if self.step is not None:
            return (run, step) == (self.run, self.step)
        return run == self.run or run.startswith(f"{self.run}/")
