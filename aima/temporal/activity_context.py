"""What a running unit gets: its worker's surroundings, and what belongs to this attempt."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aima.errors import TooLarge, ValidationFailed
from aima.meters import UnitMeter
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engines
from aima.ports.files import Files
from aima.ports.frames import Frames
from aima.ports.inference import Incoming
from aima.ports.vectors import Vectors
from aima.store.cache import Cache
from aima.store.events import CloudEvent
from aima.streams.publisher import Nowhere, Streams, Writer
from aima.temporal.events import Events, belonging, event_id
from aima.temporal.origin import origin_here
from aima.temporal.secret_input import Mask
from aima.unit import Event

_MOST_CHARACTERS = 200  # of a progress message: each heartbeat carries it
_MOST_REMEMBERED = 10_000


class RunLog(Protocol):
    """Where the lines of a run go."""

    def write(self, run: str, line: dict[str, object]) -> None:
        """Append one line; never raises."""
        ...


class EffectRecord(Protocol):
    """Remembers the effects of commands that must not happen twice."""

    async def once(
        self, key: str, unit: str, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Do ``work`` and record its output under ``key``; give the record where there is one."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the worker lends to every unit."""

    engines: Engines
    artifacts: Artifacts
    vectors: Vectors
    files: Files
    frames: Frames
    effects: EffectRecord
    log: RunLog
    events: Events
    cache: Cache
    streams: Streams = field(default_factory=Nowhere)
    meter: UnitMeter = field(default_factory=UnitMeter)


@dataclass
class HeartbeatMemory:
    """What attempts of a step leave to each other: each heartbeat carries it to the server.

    Attributes:
        given_up: whether no attempt follows the one that is cancelled now.
        beat: sends a heartbeat.
    """

    text: str = ""
    given_up: bool = False
    beat: Callable[[], None] = lambda: None

    def recall(self) -> str:
        """Give what was remembered last."""
        return self.text

    def remember(self, text: str) -> None:
        """Keep a short text; it is on its way to the server at once.

        Raises:
            TooLarge: it is longer than a heartbeat should carry.
        """
        if len(text) > _MOST_REMEMBERED:
            raise TooLarge(f"{len(text)} characters to remember; {_MOST_REMEMBERED} is the most")
        self.text = text
        self.beat()


@dataclass
class ActivityContext:
    """The context of one attempt.

    Attributes:
        run: the run's id, where its log is.
        source: who tells the events of this attempt.
        attempt: which attempt of its step it is, from 1.
        mask: hides the secrets of this attempt in all that it says.
        writer: shows the answer while it is made.
        follows: the stream that this attempt may read, as the run names it.
        heard: the digest of what it has read there.
    """

    around: Surroundings
    effect_key: str
    run: str
    source: str
    attempt: int = 1
    mask: Mask = field(default_factory=Mask)
    memory: HeartbeatMemory = field(default_factory=HeartbeatMemory)
    writer: Writer | None = None
    follows: object = None
    heard: hashlib._Hash = field(default_factory=hashlib.sha256)
    message: str = ""
    moved_at: float = field(default_factory=time.monotonic)
    emitted: int = 0
    tokens: int = 0
    sound_bytes: int = 0

    @property
    def engines(self) -> Engines:
        """The inference engines of this installation."""
        return self.around.engines

    @property
    def artifacts(self) -> Artifacts:
        """The store of bytes."""
        return self.around.artifacts

    @property
    def vectors(self) -> Vectors:
        """The store of passages."""
        return self.around.vectors

    @property
    def files(self) -> Files:
        """The files of the project, to read."""
        return self.around.files

    @property
    def frames(self) -> Frames:
        """Whoever takes pictures out of films."""
        return self.around.frames

    def progress(self, message: str) -> None:
        """Tell how far the work is; the next heartbeat carries it."""
        shown = self.mask.text(message)[:_MOST_CHARACTERS]
        self.message = shown.encode(errors="replace").decode()
        self.moved_at = time.monotonic()

    def pieces(self, piece: str | bytes) -> None:
        """Show a piece of the answer, and count it as progress."""
        if self.writer is not None:
            self.writer.write(piece)
        if isinstance(piece, str):
            self.tokens += 1
            self.progress(f"{self.tokens} tokens")
        else:
            self.sound_bytes += len(piece)
            self.progress(f"{self.sound_bytes} bytes")

    async def incoming(self, source: Incoming) -> AsyncIterator[str]:
        """Read a text while another step writes it, and remember what was heard."""
        if self.follows != source.model_dump():
            raise ValidationFailed("a text that another step writes is named by the run alone")
        async for text in self.around.streams.listen(source.run, source.step):
            self.heard.update(text.encode())
            yield text

    async def emit(self, event: Event) -> None:
        """Publish the event and write it into the run's log.

        Its id is that of the step's first, second … event and its type, so what an earlier
        attempt has published is not published again.
        """
        data = self.mask.value(event.model_dump(mode="json"))
        self.emitted += 1
        await self.around.events.publish(
            CloudEvent(
                id=event_id(f"{self.effect_key}#{self.emitted} {event.TYPE}"),
                type=event.TYPE,
                source=self.source,
                data=data,
                extensions=belonging(self.run, origin_here()),
            )
        )
        self.write({"event": event.TYPE, **data})

    def write(self, line: dict[str, object]) -> None:
        """Append a line to the run's log."""
        self.around.log.write(self.run, self.mask.value(line))
