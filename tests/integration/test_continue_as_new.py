"""A run goes on in a new history after every few events, and nobody can tell.

The server says when a history is long, with each workflow task, so a replay sees the same. Here
it says so after four events: each history does what one workflow task began, and no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aima.temporal.server import server_command
from tests.integration.continuations import Scenario, alone, nested, play_all, told
from tests.integration.lab import SERVER, Lab, lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def short_histories(events: int, folder: Path) -> AsyncIterator[Lab]:
    """Give a lab on a server that calls a history of so many events long."""
    ours = server_command(Path("unused"), port=0, ui_port=0)
    settings = ours[ours.index("--dynamic-config-value") :]
    for said in (
        f"limit.historyCount.suggestContinueAsNew={events}",
        'history.workflowIdReuseMinimalInterval="0s"',  # else a second between two histories
    ):
        settings += ["--dynamic-config-value", said]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=settings
    ) as server:
        with lab_on(server.client, folder) as lab:
            async with lab.worker():
                yield lab


async def compare(local: Client, folder: Path, scenarios: Iterable[Scenario], events: int) -> None:
    """Run all with one history each, and with many; the accounts must be the same."""
    played = list(scenarios)
    with lab_on(local, folder) as lab:
        async with lab.worker():
            whole = await play_all(lab, played)
    async with short_histories(events, folder) as lab:
        parts = await play_all(lab, played)
    for name, account in whole.items():
        assert parts[name] == account, name
        assert account.histories == 1, name
        for one in (account, parts[name]):
            assert len(set(one.effects)) == len(one.effects), f"{name}: an effect came twice"
            assert sorted(one.attempts) == one.effects, f"{name}: an effect was tried twice"
        if events == 4:
            assert parts[name].histories > 2, name  # it really was continued


async def test_each_construct_goes_on_in_a_new_history_at_every_point(
    local: Client, tmp_path: Path
) -> None:
    """Cancelled in the middle: the same state, effects, undos and counts."""
    await compare(local, tmp_path, alone("cancelled"), 4)


async def test_what_waits_and_what_cleans_up_goes_on_in_a_new_history(
    local: Client, tmp_path: Path
) -> None:
    """Letters in flight, losers of races, expired timeouts, children, slots: as in one history."""
    await compare(local, tmp_path, told(), 4)


@pytest.mark.nightly
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("events", [4, 7, 12])
async def test_each_construct_in_each_other_goes_on_in_a_new_history(
    local: Client, tmp_path: Path, events: int
) -> None:
    """225 pairs, each ending in three ways."""
    await compare(local, tmp_path, nested(), events)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("events", range(4, 40, 3))
async def test_a_new_history_may_begin_after_any_event(
    local: Client, tmp_path: Path, events: int
) -> None:
    """Whatever has just happened."""
    await compare(local, tmp_path, (*alone(), *told()), events)
