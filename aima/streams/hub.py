"""The hub: keeps what steps have shown so far, and lets any number of readers read along.

A reader holds a position in the shared pieces and nothing else, so one that is slow, or that
comes late, costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
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
        step: the path of the step in its run, such as ``pages[3].chat``.
        attempt: which attempt it is of; a higher one than before begins again.
        offset: bytes before this piece.
        data: the piece; text is UTF-8, and a character may be cut in two.
        ended: whether the attempt has said all that it will.
    """

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
class _Readers:
    """Those who read along with a run, and its streams by step."""

    streams: dict[str, Stream] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0


class Hub:
    """All streams of one stack, by run."""

    def __init__(
        self, *, clock: Callable[[], float] = monotonic, most_bytes: int = MOST_BYTES
    ) -> None:
        """Start with nothing said."""
        self._runs: dict[str, _Readers] = {}
        self._clock = clock
        self._most = most_bytes

    def say(self, run: str, said: Said) -> int:
        """Take a piece in; give how many bytes of the attempt are here.

        A piece that does not begin where the last one ended is not taken: a hub that was started
        anew has missed the beginning, and the writer sends it again from what this returns.
        """
        self._forget()
        readers = self._runs.setdefault(run, _Readers())
        stream = readers.streams.get(said.step)
        if stream is None or said.attempt > stream.attempt:
            stream = readers.streams[said.step] = Stream(said.attempt, said.media_type)
        stream.touched = self._clock()
        if said.attempt == stream.attempt and said.offset == stream.size and not stream.ended:
            if said.data and stream.size + len(said.data) <= MOST_STREAM_BYTES:
                stream.pieces.append(said.data)
                stream.size += len(said.data)
            stream.ended = said.ended
            self._tell(readers)
        return stream.size

    async def read(self, run: str, step: str | None = None) -> AsyncGenerator[Said]:
        """Read along with a run, or one step of it, from the beginning, until the reader leaves."""
        readers = self._runs.setdefault(run, _Readers())
        readers.count += 1
        at: dict[str, tuple[int, int, bool]] = {}
        try:
            while True:
                changed = readers.changed
                for said in list(_news(readers, at, step)):
                    yield said
                if changed is readers.changed:
                    await changed.wait()
        finally:
            readers.count -= 1

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(s.size for readers in self._runs.values() for s in readers.streams.values())

    def _tell(self, readers: _Readers) -> None:
        changed, readers.changed = readers.changed, asyncio.Event()
        changed.set()

    def _forget(self) -> None:
        """Forget streams that are old, and the oldest where there are too many."""
        oldest = self._clock() - KEPT_SECONDS
        for run, readers in list(self._runs.items()):
            for step, stream in list(readers.streams.items()):
                if stream.touched < oldest:
                    del readers.streams[step]
            if not readers.streams and not readers.count:
                del self._runs[run]
        while self.size > self._most:
            run, step = min(
                ((run, step) for run, r in self._runs.items() for step in r.streams),
                key=lambda key: self._runs[key[0]].streams[key[1]].touched,
            )
            del self._runs[run].streams[step]


def _news(
    readers: _Readers, at: dict[str, tuple[int, int, bool]], step: str | None
) -> Iterator[Said]:
    """Give what a reader has not read yet, and move its position."""
    for name, stream in readers.streams.items():
        if step not in (None, name):
            continue
        attempt, count, ended = at.get(name, (0, 0, False))
        if attempt != stream.attempt:
            count, ended = 0, False
        offset = sum(map(len, stream.pieces[:count]))
        new = stream.pieces[count:]
        if new or stream.ended != ended or attempt != stream.attempt:
            at[name] = (stream.attempt, len(stream.pieces), stream.ended)
            yield Said(name, stream.attempt, offset, b"".join(new), stream.media_type, stream.ended)
