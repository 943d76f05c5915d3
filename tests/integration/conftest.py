"""One server of each kind for all tests of a process, and labs on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aima.temporal.attributes import ATTRIBUTES
from aima.temporal.client import ensure_search_attributes
from tests.integration.lab import SERVER, TEST_SERVER, Lab, lab_on


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def local() -> AsyncIterator[Client]:
    """Start a real Temporal server."""
    extra = [f"--search-attribute={name}={kind}" for name, kind in ATTRIBUTES.items()]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=extra
    ) as started:
        yield started.client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping() -> AsyncIterator[Client]:
    """Start a Temporal server whose clock runs ahead while everybody waits."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=TEST_SERVER
    ) as started:
        await ensure_search_attributes(started.client)
        yield started.client


@pytest_asyncio.fixture(loop_scope="session")
async def lab(local: Client, tmp_path: Path) -> AsyncIterator[Lab]:
    """Give a lab on the real server."""
    with lab_on(local, tmp_path) as made:
        async with made.worker():
            yield made


@pytest_asyncio.fixture(loop_scope="session")
async def fast(skipping: Client, tmp_path: Path) -> AsyncIterator[Lab]:
    """Give a lab on the server whose clock runs ahead."""
    with lab_on(skipping, tmp_path) as made:
        async with made.worker():
            yield made


@pytest.fixture
def idle(local: Client, tmp_path: Path) -> Iterator[Lab]:
    """Give a lab on the real server whose worker does not run."""
    with lab_on(local, tmp_path) as made:
        yield made
