"""The composition root of a worker: settings, adapters and units meet here."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2

from aima.adapters.files.folders import FolderFiles
from aima.adapters.media.frames import ProcessFrames
from aima.adapters.vectors.sqlite import SqliteVectors
from aima.blocking import in_thread
from aima.catalog import Catalog, discover
from aima.engines import engine_client, engines_of
from aima.errors import AimaError
from aima.observing import Observer
from aima.settings import Settings, load_settings
from aima.shipped import shipped
from aima.stack.activation import EngineSocket
from aima.stack.child import Children
from aima.stack.ports import listen
from aima.stores import artifacts_of, converter_of, logs_of, models_of, store_of
from aima.streams.publisher import HubClient, Nowhere, Streams
from aima.temporal.activity_context import Surroundings
from aima.temporal.client import connect, wait_for_namespace
from aima.temporal.dispatcher import Dispatcher
from aima.temporal.events import Events
from aima.temporal.run_events import RunEvents
from aima.temporal.runs import Runs
from aima.temporal.worker import make_worker

if TYPE_CHECKING:
    from aima.store.database import Store

log = logging.getLogger(__name__)

_READY_SECONDS = 30.0
_TIDY_SECONDS = 6 * 3600.0
_EFFECTS_KEPT = timedelta(days=365)


def units_of(settings: Settings) -> Catalog:
    """Find the units of this installation; a project's own only where its settings say so."""
    return discover(settings.root if settings.project.activities else None)


def streams_of(settings: Settings, http: httpx2.AsyncClient) -> Streams:
    """Find where answers are shown while they are made."""
    if not settings.streams.url:
        return Nowhere()
    return HubClient(settings.streams.url, settings.streams.token.get_secret_value(), http)


def vectors_of(settings: Settings) -> SqliteVectors:
    """Open the store of passages."""
    return SqliteVectors(settings.data / "vectors.db")


def frames_of(settings: Settings) -> ProcessFrames:
    """Prepare to take pictures out of films."""
    return ProcessFrames(settings.media.max_pixels, settings.media.memory_bytes)


def files_of(settings: Settings) -> FolderFiles:
    """Open the folders that units may read; what AIMA ships is always among them, last."""
    project = [settings.root] if settings.root else []
    roots = settings.files.roots if settings.files.roots is not None else project
    return FolderFiles((*roots, shipped("workflows")), settings.files.max_bytes)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Serve the task queue until ``stop``.

    Raises:
        TemporalUnreachable: no server answers at ``temporal.address``.
    """
    address = settings.temporal.address
    client = await connect(settings.temporal, address, converter_of(settings))
    await wait_for_namespace(client, seconds=_READY_SECONDS)
    async with AsyncExitStack() as open_:
        http = await open_.enter_async_context(engine_client())
        settings = await _with_engine(settings, open_)
        store = open_.enter_context(store_of(settings))
        await asyncio.to_thread(_tidy, store, settings)
        artifacts = artifacts_of(settings)
        engines = engines_of(settings, http, artifacts)
        around = Surroundings(
            engines=engines,
            artifacts=artifacts,
            vectors=vectors_of(settings),
            files=files_of(settings),
            frames=frames_of(settings),
            effects=store.effects,
            log=logs_of(settings),
            events=Events(store.events),
            cache=store.cache,
            streams=streams_of(settings, http),
        )
        runs = Runs(client, settings.temporal.task_queue)
        dispatcher = Dispatcher(runs, around.events, store.applied)
        models = models_of(settings)
        observer = Observer(
            store.facts,
            models.list,
            models.pulls,
            tuple(settings.engines),  # to ask the embedded one would start it
            engines.pool.card,
            around.events.published.set,
        )
        async with make_worker(client, settings, units_of(settings), around):
            gc.freeze()  # it all stays: looking through it again would hold every step up
            await _beside(
                stop,
                dispatcher.serve(),
                RunEvents(runs, around.events).serve(),
                observer.serve(),
                _tidy_on(store, settings),
            )


async def _beside(stop: asyncio.Event, *serving: Coroutine[None, None, None]) -> None:
    """Wait for ``stop`` while something else is served; what breaks it ends the worker."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in serving]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _tidy_on(store: Store, settings: Settings) -> None:
    """Forget again and again, for as long as the worker lives."""
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        try:
            await in_thread(_tidy, store, settings)
        except AimaError as error:  # its disk is full, say: the next time will do
            log.warning("the store is tidied later: %s", error)


def _tidy(store: Store, settings: Settings) -> None:
    """Forget what nobody can ask for any more; an event is kept as long as a run that ended."""
    store.effects.prune(_effects_kept(settings))
    store.events.prune(timedelta(days=settings.temporal.retention_days))
    store.cache.prune()
    store.responses.prune()


def _effects_kept(settings: Settings) -> timedelta:
    """Tell how long the record of an effect is kept: longer than any run can be repeated."""
    return max(_EFFECTS_KEPT, 2 * timedelta(days=settings.temporal.retention_days))


async def _with_engine(settings: Settings, open_: AsyncExitStack) -> Settings:
    """Bring the embedded engine along where nobody else runs it for this worker."""
    if not settings.embedded.enabled or settings.embedded.url:
        return settings
    listener = listen(0, what="the embedded engine", setting="AIMA_EMBEDDED_URL")
    record = settings.data / f"worker-{os.getpid()}.json"
    engine = EngineSocket(Children(record), listener, settings.data / "logs" / "engine.log")
    serving = asyncio.create_task(engine.serve())

    async def stop() -> None:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        record.unlink(missing_ok=True)

    open_.push_async_callback(stop)
    embedded = settings.embedded.model_copy(update={"url": engine.url})
    return settings.model_copy(update={"embedded": embedded})


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    settings = load_settings()

    async def until_told() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await work(settings, stop)

    asyncio.run(until_told())
    # Left to itself the interpreter sometimes aborts in the SDK's native threads while it shuts
    # down (1 of 14, measured); the work is complete here.
    os._exit(0)
