"""All engines that the settings name as one, for workers and for the door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.adapters.engines.kinds import KINDS, Machine, engine_of
from aima.adapters.engines.running.docker import Docker
from aima.adapters.engines.server import EngineServer
from aima.connections import Connections
from aima.ports.artifacts import Artifacts
from aima.ports.engine_lifecycle import EngineCard, Product
from aima.routing.router import Router
from aima.routing.slots import FileSlots
from aima.settings import Engine, Settings
from aima.stores import artifacts_of
from aima.trace import TRACEPARENT, current

EMBEDDED = "embedded"
_OFF = {"enabled": False}
_TIMEOUT = httpx2.Timeout(connect=5, read=600, write=600, pool=None)
"""An engine may load a model for minutes before its first byte; the step's own timeout rules."""
_LIMITS = httpx2.Limits(
    max_connections=None,
    max_keepalive_connections=100,
    keepalive_expiry=2,  # engines close after five seconds; a request must not meet that
)
"""How many ask at once is bounded elsewhere, where those who wait stand in line."""


def engine_client() -> httpx2.AsyncClient:
    """Make the HTTP client for engines, which learn of the trace that they are asked for."""
    hooks = {"request": [_say_trace]}
    client = httpx2.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, event_hooks=hooks)
    transport = client._transport  # noqa: SLF001 - httpx2 has no setting for what lies below its pool
    if isinstance(transport, httpx2.AsyncHTTPTransport):
        transport._pool._network_backend = Connections()  # noqa: SLF001 - nor here
    return client


async def _say_trace(request: httpx2.Request) -> None:
    if trace := current():
        request.headers[TRACEPARENT] = trace


def engines_of(
    settings: Settings,
    http: httpx2.AsyncClient,
    artifacts: Artifacts,
    *,
    awake: Callable[[], bool] = lambda: True,
) -> Router:
    """Make the clients of all configured engines, the embedded one last.

    Args:
        settings: with the address of the embedded one.
        http: the client to use.
        artifacts: where recordings are, and where speech goes.
        awake: tells whether the embedded one runs, or a question would start it.
    """
    docker = Docker(settings.containers.address)
    machine = Machine(settings.data, docker, settings.models.mirror)
    engines: list[EngineServer] = [
        engine_of(name, _with_graph(told, settings.root), http, artifacts, machine)
        for name, told in settings.engines.items()
    ]
    if settings.embedded.enabled and settings.embedded.url:
        url = settings.embedded.url.rstrip("/")
        engines.append(EmbeddedEngine(EMBEDDED, url, http, artifacts, awake=awake))
    told = {name: engine.concurrency for name, engine in settings.engines.items()}
    most = {engine.name: told.get(engine.name) or engine.AT_ONCE for engine in engines}
    slots = FileSlots(settings.data / "slots")
    return Router(tuple(engines), settings.models, most=most, slots=slots)


def _with_graph(told: Engine, root: Path | None) -> Engine:
    """Find a graph beside the project's settings, wherever the worker was started."""
    if told.graph is None or root is None:
        return told
    return told.model_copy(update={"graph": root / told.graph.expanduser()})


async def look_at_engines(settings: Settings) -> list[EngineCard]:
    """Look at the configured engines; the embedded one starts when it is needed."""
    alone = settings.model_copy(update={"embedded": settings.embedded.model_copy(update=_OFF)})
    async with engine_client() as http:
        return await engines_of(alone, http, artifacts_of(settings)).pool.cards()


def kinds_of_engines() -> dict[str, type[EngineServer]]:
    """Give the class that speaks to each kind of engine, the embedded one first."""
    kinds: dict[str, type[EngineServer]] = {EMBEDDED: EmbeddedEngine}
    kinds.update((str(kind), cls) for kind, cls in KINDS.items())
    return kinds


def products_of_engines() -> list[Product]:
    """Tell of each kind of engine what it runs."""
    return [cls.PRODUCT for cls in kinds_of_engines().values()]
