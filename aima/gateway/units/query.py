"""A query asked at the door: it runs here and now, without a run, for it changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aima.errors import InternalError, StreamLost
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engines, Memory
from aima.ports.files import Files
from aima.ports.frames import Frames
from aima.ports.inference import Incoming
from aima.ports.vectors import Vectors
from aima.unit import Event


@dataclass(frozen=True)
class Outside:
    """What queries may ask of the outside."""

    engines: Engines
    artifacts: Artifacts
    vectors: Vectors
    files: Files
    frames: Frames


@dataclass
class Nothing:
    """No attempt came before, and none will come after."""

    text: str = ""
    given_up: bool = True

    def recall(self) -> str:
        """Give what was remembered."""
        return self.text

    def remember(self, text: str) -> None:
        """Keep a text for as long as the query runs."""
        self.text = text


@dataclass(frozen=True)
class QueryContext:
    """The context of one query.

    Attributes:
        effect_key: the id of its request; there is no effect.
    """

    outside: Outside
    effect_key: str
    memory: Memory = field(default_factory=Nothing)

    @property
    def engines(self) -> Engines:
        """The inference engines of this installation."""
        return self.outside.engines

    @property
    def artifacts(self) -> Artifacts:
        """The store of bytes."""
        return self.outside.artifacts

    @property
    def vectors(self) -> Vectors:
        """The store of passages."""
        return self.outside.vectors

    @property
    def files(self) -> Files:
        """The files of the project, to read."""
        return self.outside.files

    @property
    def frames(self) -> Frames:
        """Whoever takes pictures out of films."""
        return self.outside.frames

    def progress(self, message: str) -> None:
        """Tell nobody: the answer is there in a moment."""

    def pieces(self, piece: str | bytes) -> None:
        """Show nobody: the answer comes whole."""

    def incoming(self, source: Incoming) -> AsyncIterator[str]:
        """Refuse: no other step writes."""
        raise StreamLost(f"there is no step {source.step!r} beside a query")

    async def emit(self, event: Event) -> None:
        """Refuse: what changes nothing has nothing to tell."""
        raise InternalError(f"a query cannot emit {event.TYPE!r}; declare the unit as a command")
