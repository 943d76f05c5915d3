"""All fake engines of a module's tests, each asked through AIMA's own settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from aima.adapters.engines.kinds import engine_of
from aima.adapters.engines.server import EngineServer
from aima.settings import Engine, EngineKind
from aima.testing import MemoryArtifacts
from aima.testing.engines import DIALECTS, FakeEngine, fake


@dataclass
class Faked:
    """Fakes of every dialect, and one client for all."""

    running: dict[str, FakeEngine]
    http: httpx2.AsyncClient
    artifacts: MemoryArtifacts

    def engine(self, kind: EngineKind, **told: Any) -> EngineServer:  # noqa: ANN401 - any setting
        """Make AIMA's client of the fake that speaks the dialect ``kind``."""
        return engine_of(
            "there",
            Engine(kind=kind, url=self.url(kind), **told),
            self.http,
            self.artifacts,
        )

    def url(self, kind: str) -> str:
        """Give the address to configure."""
        return self.running[kind].url + ("/v1" if kind == "openai" else "")


@asynccontextmanager
async def all_faked() -> AsyncIterator[Faked]:
    """Run one fake of each dialect."""
    async with AsyncExitStack() as open_:
        running = {name: await open_.enter_async_context(fake(name)) for name in DIALECTS}
        http = await open_.enter_async_context(httpx2.AsyncClient(timeout=5))
        yield Faked(running, http, MemoryArtifacts())
        for engine in running.values():  # all at once: each needs a moment
            engine.stop()
