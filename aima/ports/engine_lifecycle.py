"""How an engine is, beside what it can do: one protocol for each thing that can be asked of it.

As with :mod:`aima.ports.engine`, an engine has the protocols of what it offers and no others.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pydantic import BaseModel, Field

from aima.ports.engine import Loads, Unloads
from aima.ports.inference import Progress


class EngineMetrics(BaseModel):
    """What an engine counts, in one vocabulary; None where it does not tell.

    Counts are since the engine's start, over all its models and parts.
    """

    requests_running: float | None = None
    requests_waiting: float | None = None
    kv_cache_usage_ratio: float | None = Field(default=None, description="0 to 1; of parts, most.")
    prompt_tokens: float | None = None
    generation_tokens: float | None = None
    preemptions: float | None = None
    requests_succeeded: float | None = None


@runtime_checkable
class Versioned(Protocol):
    """Tells its version."""

    async def version(self) -> str:
        """Give it as the product writes it."""
        ...


@runtime_checkable
class Measured(Protocol):
    """Counts what it does."""

    async def metrics(self) -> EngineMetrics:
        """Give the counts."""
        ...


@runtime_checkable
class Sleeps(Protocol):
    """Gives its devices' memory back without ending."""

    async def sleep(self, *, keep_weights: bool = True) -> None:
        """Leave the devices; with ``keep_weights`` they wait in the machine's own memory."""
        ...

    async def wake(self) -> None:
        """Come back."""
        ...

    async def is_sleeping(self) -> bool | None:
        """Tell whether it sleeps; None where it does not say."""
        ...


@runtime_checkable
class Estimates(Protocol):
    """Tells beforehand how much memory a model takes."""

    async def estimate_memory(self, model: str) -> int | None:
        """Give the bytes of a model with everything it needs while it answers."""
        ...


@runtime_checkable
class Pulls(Protocol):
    """Fetches models by itself."""

    async def pull(self, model: str, *, progress: Progress) -> None:
        """Fetch a model; what is there already is not fetched again.

        Raises:
            ModelNotFound: there is none of that name.
        """
        ...


LIFECYCLE: dict[str, type] = {
    "version": Versioned,
    "metrics": Measured,
    "load": Loads,
    "unload": Unloads,
    "sleep": Sleeps,
    "estimate_memory": Estimates,
    "pull": Pulls,
}
"""What may be asked of an engine, by name."""
