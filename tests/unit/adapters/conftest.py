"""A server for the tests of a module, and an engine behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from aima.adapters.engines.openai import OpenAIEngine
from aima.testing import MemoryArtifacts
from tests.unit.adapters.engine_server import EngineServer, engine_server
from tests.unit.adapters.faked import Faked, all_faked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[EngineServer]:
    """Run a server to talk to."""
    async with engine_server() as started:
        yield started


@pytest.fixture
def server(running: EngineServer) -> EngineServer:
    """Give the server with nothing to answer yet."""
    running.answers.clear()
    running.headers.clear()
    running.bodies.clear()
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    async with httpx2.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
def engine(server: EngineServer, http: httpx2.AsyncClient) -> OpenAIEngine:
    """Give an engine behind that server."""
    return OpenAIEngine("there", server.url, http, MemoryArtifacts(), "secret")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_fakes() -> AsyncIterator[Faked]:
    """Run a fake of each engine."""
    async with all_faked() as started:
        yield started


@pytest.fixture
def faked(all_fakes: Faked) -> Faked:
    """Give the fakes with nothing wrong yet."""
    for engine in all_fakes.running.values():
        engine.heal()
    return all_fakes
