"""One server for all tests of a process, and labs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import TimeSkipper, WorkflowEnvironment

from aima.temporal.server import server_command
from tests.integration.lab import SERVER, Lab, lab_on


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def local() -> AsyncIterator[Client]:
    """Start a real Temporal server, with the settings of the one that AIMA brings along."""
    ours = server_command(Path("unused"), port=0, ui_port=0)
    settings = ours[ours.index("--dynamic-config-value") :]
    skipping = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=[*settings, *skipping]
    ) as started:
        yield started.client


@pytest_asyncio.fixture(loop_scope="session")
async def lab(local: Client, tmp_path: Path) -> AsyncIterator[Lab]:
    """Give a lab whose worker runs."""
    with lab_on(local, tmp_path) as made:
        async with made.worker():
            yield made


@pytest_asyncio.fixture(loop_scope="session")
async def fast(lab: Lab) -> Lab:
    """Give a lab in whose runs time passes at once while nothing happens."""
    return replace(lab, client=TimeSkipper(lab.client).client)


@pytest.fixture
def idle(local: Client, tmp_path: Path) -> Iterator[Lab]:
    """Give a lab whose worker does not run."""
    with lab_on(local, tmp_path) as made:
        yield made
