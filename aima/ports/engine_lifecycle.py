"""How an engine is, beside what it can do: one protocol for each thing that can be asked of it.

As with :mod:`aima.ports.engine`, an engine has the protocols of what it offers and no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from aima.ports.engine import Loads, Unloads
from aima.ports.engine_running import Installs, Recipe, Starts, Stops
from aima.ports.inference import ModelCard, ModelType, Progress


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


@dataclass(frozen=True)
class Product:
    """What a kind of engine is, whichever of them runs.

    Attributes:
        kind: what ``[engines.NAME] kind`` calls it.
        start: how it is started by itself, as its own documentation says.
        port: where it then listens.
        types: what its models may be.
        formats: the files its models are made of.
        many: whether it serves several models at once, or one for each process.
        recipe: how AIMA can start it.
    """

    kind: str
    title: str
    start: str
    port: int
    types: tuple[ModelType, ...]
    formats: tuple[str, ...]
    many: bool = False
    recipe: Recipe = field(default_factory=Recipe)


@runtime_checkable
class Branded(Protocol):
    """Is of a known kind."""

    @property
    def product(self) -> Product:
        """Tell what it is."""
        ...


class EngineCard(BaseModel):
    """An engine, and how it is."""

    name: str
    type: str = Field(description="Its kind, as `[engines.NAME] kind` has it.")
    status: Literal["running", "sleeping", "starting", "stopped"]
    version: str | None = Field(default=None, description="Where it tells.")
    reason: str | None = Field(default=None, description="Why it is not running.")


class Readiness(BaseModel):
    """Whether a model really answers."""

    model: str
    ready: bool | None = Field(description="Absent: of a type that is too dear to try.")
    seconds: float | None = Field(default=None, description="The least answer took so long.")
    reason: str | None = None


class EngineReport(EngineCard):
    """All that an engine tells of itself."""

    capabilities: list[str] = Field(description="What it may be asked for.")
    models: list[ModelCard]
    metrics: EngineMetrics | None = Field(default=None, description="Where it counts.")
    readiness: list[Readiness] | None = Field(default=None, description="If asked for.")
    installed: str | None = Field(default=None, description="Where it is, if AIMA starts it.")
    process_id: str | None = Field(default=None, description="If AIMA has started it.")
    max_concurrent: int | None = Field(
        default=None, description="Requests it works at, at once, where it tells."
    )


class EngineFeatures(BaseModel):
    """What an engine can do, whether or not it runs."""

    supports_streaming: bool = Field(description="It shows answers while it makes them.")
    supports_batch: bool = Field(description="It takes several inputs in one request.")
    max_concurrent: int | None = Field(description="Requests at once; absent: it keeps a line.")
    max_models: int | None = Field(description="Models at once; absent: as memory allows.")
    capabilities: list[str]
    lifecycle: list[str] = Field(description="What else may be done with it.")
    types: list[ModelType]
    formats: list[str]


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
class Activated(Protocol):
    """Starts with the first request, and ends when none came for a while."""

    def is_awake(self) -> bool:
        """Tell whether it may be asked how it is without being started by that."""
        ...


@runtime_checkable
class Estimates(Protocol):
    """Tells beforehand how much memory a model takes."""

    async def estimate_memory(self, model: str) -> int | None:
        """Give the bytes of a model with everything it needs while it answers."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """Tells how much it works at, at once."""

    async def capacity(self) -> int | None:
        """Give the requests it works at, more wait; None where it was not told to tell."""
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
    "install": Installs,
    "start": Starts,
    "stop": Stops,
    "version": Versioned,
    "metrics": Measured,
    "capacity": Bounded,
    "load": Loads,
    "unload": Unloads,
    "sleep": Sleeps,
    "estimate_memory": Estimates,
    "pull": Pulls,
}
"""What may be asked of an engine, by name."""
