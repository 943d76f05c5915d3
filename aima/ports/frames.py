"""What units ask of whoever can look into films."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Picking:
    """Which pictures of a film to take.

    Attributes:
        interval: seconds from one to the next, at least.
        scene: take those that differ from the one before by this share of the full range of
            brightness, and the first; None: take them by time alone.
        most: no more than so many.
        most_side: make larger ones smaller, so that neither side is longer; None: leave them.
    """

    interval: float
    scene: float | None
    most: int
    most_side: int | None


@dataclass(frozen=True)
class Picture:
    """A picture of a film, upright, as JPEG; `time` is in seconds from the film's start."""

    time: float
    width: int
    height: int
    jpeg: bytes


@dataclass
class Film:
    """A film being looked through.

    Attributes:
        pictures: those that are picked, in their order.
        seconds: how long the film says it is; None: it does not.
        more: there were more than the most; known when the pictures are at their end.
    """

    pictures: AsyncIterator[Picture]
    seconds: float | None = None
    more: bool = False


class Frames(Protocol):
    """Takes pictures out of films, where whatever is in the film harms nobody else."""

    def pick(
        self, film: Path, picking: Picking, *, progress: Callable[[str], None]
    ) -> AbstractAsyncContextManager[Film]:
        """Look a film through; leaving the context ends the work.

        Raises:
            UnsupportedMedia: it is no film that can be read, or one that breaks the decoder.
            ValidationFailed: it holds no picture at all.
            TooLarge: its pictures are larger than allowed, or need too much memory.
        """
        ...
