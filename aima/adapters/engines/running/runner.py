"""What each way of running an engine can do."""

from __future__ import annotations

from typing import Protocol

from aima.ports.engine_running import Installation, Instance
from aima.ports.inference import Progress


class Runner(Protocol):
    """Runs one engine on this machine, in one of the ways."""

    async def installation(self) -> Installation | None:
        """Tell what is there of it."""
        ...

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Bring it here; ``version`` has been checked, and is empty where nobody has said one."""
        ...

    async def find(self) -> Instance | None:
        """Give the one that runs."""
        ...

    async def launch(self, model: str, *, by: str) -> Instance:
        """Start one, unless it runs.

        Raises:
            Conflict: it runs with something else.
        """
        ...

    async def end(self, seconds: float) -> bool:
        """End it, politely for so many seconds; tell whether it ran."""
        ...

    async def clear(self) -> None:
        """Take away what one that has ended has left behind."""
        ...

    async def last_lines(self, count: int) -> list[str]:
        """Give what it wrote last."""
        ...
