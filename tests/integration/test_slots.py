"""Concurrency keys on a real server: who may run, who waits, who is sent away."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper, WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from aima.temporal.line import Claim, Line
from aima.temporal.slots import LOOK_SECONDS, SLOTS, Slots, slots_id
from tests.integration.contender import Board, Contender, Contest, contest_worker
from tests.integration.lab import SERVER

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 40.0
REPOSITORY = Path(__file__).parents[2]


@dataclass
class Arena:
    """One key, its board, and the contenders for it."""

    client: Client
    contest: Contest
    board: Board
    queue: str

    async def send(self, *names: str, **wants: object) -> list[WorkflowHandle[Contender, str]]:
        """Start contenders one after the other, each once the one before has its answer."""
        contest = replace(self.contest, **wants)  # type: ignore[arg-type] # the test's own words
        handles = []
        for name in names:
            handle = await self.client.start_workflow(
                Contender.run, contest, id=self.id(name), task_queue=self.queue
            )
            await until(partial(self.answered, handle), what=f"an answer to {name}")
            handles.append(handle)
        return handles

    def id(self, name: str) -> str:
        """Give the run id of a contender."""
        return f"{name}-{self.queue}"

    def entered(self) -> str:
        """Name who got in, in order."""
        return " ".join(run.partition("-")[0] for run in self.board.entered)

    async def until_entered(self, names: str) -> None:
        """Wait until exactly these got in."""
        await until(lambda: now(self.entered() == names), what=f"{names!r}; {self.entered()!r} are")

    async def answered(self, handle: WorkflowHandle[Contender, str]) -> bool:
        """Tell whether a contender stands in the line, or has ended."""
        if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
            return True
        try:
            return (await self.line()).knows(handle.id)
        except RPCError:  # nobody has asked for the key yet
            return False

    async def line(self) -> Line:
        """Ask who holds and who waits."""
        return await self.slots.query(Slots.line)

    @property
    def slots(self) -> WorkflowHandle[Slots, None]:
        """The workflow of the key."""
        return self.client.get_workflow_handle_for(Slots.run, slots_id(self.contest.key))


async def now(value: bool) -> bool:  # noqa: FBT001 - the value
    """Give a value where one to wait for is wanted."""
    return value


async def until(condition: Callable[[], Awaitable[bool]], *, what: str) -> None:
    """Look again and again until something is true; fail loudly if it never is."""
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


def arena_on(client: Client, folder: Path) -> Arena:
    """Give a key of its own; no worker runs yet."""
    name = uuid.uuid4().hex[:8]
    board = Board(folder / "board")
    return Arena(client, Contest(f"key/{name}", str(board.file)), board, f"arena-{name}")


@pytest_asyncio.fixture(loop_scope="session")
async def arena(local: Client, tmp_path: Path) -> AsyncIterator[Arena]:
    """Give a key of its own, and a worker that serves it."""
    made = arena_on(local, tmp_path)
    async with contest_worker(local, made.queue):
        yield made


# --- queue --------------------------------------------------------------------------------------


async def test_runs_of_one_key_take_turns_in_the_order_they_came(arena: Arena) -> None:
    """First come, first served: nobody starves."""
    runs = await arena.send("a", "b", "c", "d")
    for count, run in enumerate(runs, 1):
        await arena.until_entered("a b c d"[: 2 * count - 1])
        await run.signal(Contender.finish)
        await run.result()
    assert arena.board.peak == 1


async def test_two_slots_hold_two_runs(arena: Arena) -> None:
    """The limit is the author's: a GPU may bear two."""
    runs = await arena.send("a", "b", "c", limit=2)
    await arena.until_entered("a b")
    await runs[1].signal(Contender.finish)
    await arena.until_entered("a b c")
    assert arena.board.peak == 2
    for run in (runs[0], runs[2]):
        await run.signal(Contender.finish)
        await run.result()


async def test_keys_do_not_wait_for_each_other(arena: Arena) -> None:
    """Two rooms, two conversations."""
    await arena.send("a")
    other = await arena.client.execute_workflow(
        Contender.run,
        replace(arena.contest, key=arena.contest.key + "/other", seconds=0),
        id=arena.id("other"),
        task_queue=arena.queue,
    )
    assert other == "granted"


async def test_a_run_that_is_cancelled_while_it_waits_gives_up_its_place(arena: Arena) -> None:
    """Who has hung up must not be called."""
    a, b, c = await arena.send("a", "b", "c")
    await b.cancel()
    with pytest.raises(WorkflowFailureError):
        await b.result()
    assert [claim.run for claim in (await arena.line()).queue] == [c.id]
    await a.signal(Contender.finish)
    await arena.until_entered("a c")


async def test_asking_again_gives_the_same_answer(arena: Arena) -> None:
    """An activity that died after it had asked asks once more, and no second slot is lent."""
    a, b = await arena.send("a", "b")
    for run, answer in ((a, "granted"), (b, "queued")):
        again = Claim(run.id, 1, "cancel_running")
        assert await arena.slots.execute_update(Slots.acquire, again) == answer
    assert await arena.line() == Line([a.id], [Claim(b.id, 1, "queue")])


@pytest.mark.parametrize(
    ("wants", "message"),
    [
        ({"limit": 0}, "`concurrency.limit`: Input should be greater than or equal to 1"),
        ({"key": ""}, "`concurrency.key`: String should have at least 1 character"),
        ({"key": "x" * 201}, "`concurrency.key`: String should have at most 200 characters"),
        ({"on_conflict": "panic"}, "`concurrency.on_conflict`: Input should be 'queue', 'reject'"),
    ],
)
async def test_a_claim_that_makes_no_sense_fails_the_run(
    arena: Arena, wants: dict[str, str | int], message: str
) -> None:
    """Keys and limits may come from expressions; a run that nobody can serve must not hang."""
    with pytest.raises(WorkflowFailureError) as failed:
        await arena.client.execute_workflow(
            Contender.run,
            replace(arena.contest, **wants),  # type: ignore[arg-type] # wrong on purpose
            id=arena.id("wrong"),
            task_queue=arena.queue,
        )
    activity_failure = failed.value.cause
    assert message in str(activity_failure.__cause__)


# --- reject and cancel_running ------------------------------------------------------------------


async def test_who_comes_to_a_full_house_is_rejected_at_once(arena: Arena) -> None:
    """`reject` is for work that is pointless later."""
    [a] = await arena.send("a")
    [b] = await arena.send("b", on_conflict="reject")
    assert await b.result() == "rejected"
    await a.signal(Contender.finish)
    await a.result()
    [c] = await arena.send("c", on_conflict="reject", seconds=0)
    assert await c.result() == "granted"
    assert arena.entered() == "a c"


async def test_nobody_is_rejected_for_a_run_that_is_dead(arena: Arena) -> None:
    """Only a look at the holders can tell; without it the key would be lost for ever."""
    [a] = await arena.send("a")
    await a.terminate()
    [b] = await arena.send("b", on_conflict="reject", seconds=0)
    assert await b.result() == "granted"


async def test_the_newcomer_waits_for_its_victims_cleanup(arena: Arena) -> None:
    """Two runs that tidy up the same room at once are worse than one that waits."""
    [a] = await arena.send("a", cleanup_seconds=0.5)
    await arena.until_entered("a")
    [b] = await arena.send("b")
    [c] = await arena.send("c", on_conflict="cancel_running", seconds=0)
    with pytest.raises(WorkflowFailureError):
        await a.result()
    await c.result()
    await arena.until_entered("a c b")  # before b, which came first
    assert arena.board.peak == 1
    assert (await a.describe()).status is WorkflowExecutionStatus.CANCELED
    await b.signal(Contender.finish)


async def test_the_newest_of_several_newcomers_wins(arena: Arena) -> None:
    """Who speaks a third time before the first answer has stopped wants only the third."""
    [a] = await arena.send("a", cleanup_seconds=1.5)
    await arena.until_entered("a")
    [b] = await arena.send("b", on_conflict="cancel_running")
    [c] = await arena.send("c", on_conflict="cancel_running", seconds=0)
    assert await c.result() == "queued"
    with pytest.raises(WorkflowFailureError):
        await b.result()
    assert arena.entered() == "a c"
    assert (await arena.line()).empty
    assert (await a.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_dead_victim_need_not_be_waited_for(arena: Arena) -> None:
    """It cannot be cancelled, and that tells that its slot is free."""
    [a] = await arena.send("a")
    await a.terminate()
    [b] = await arena.send("b", on_conflict="cancel_running", seconds=0)
    await asyncio.wait_for(b.result(), LOOK_SECONDS / 2)


# --- the dead -----------------------------------------------------------------------------------


async def test_a_holder_that_dies_is_found_out(arena: Arena) -> None:
    """A terminated run says no word; it must not hold the key for ever."""
    a, b = await arena.send("a", "b")
    await arena.until_entered("a")
    await a.terminate()
    await arena.until_entered("a b")
    await b.signal(Contender.finish)


async def test_one_who_waits_and_dies_is_passed_over(arena: Arena) -> None:
    """Its turn goes to the next, not into the void."""
    a, b, c, _ = await arena.send("a", "b", "c", "d")
    await b.terminate()
    await c.terminate()
    await a.signal(Contender.finish)
    await arena.until_entered("a d")


# --- load, crashes, long lives ------------------------------------------------------------------


async def test_fifty_contenders_are_never_more_than_the_limit(arena: Arena) -> None:
    """And each of them gets in once."""
    contest = replace(arena.contest, limit=3, seconds=0.01)
    runs = await asyncio.gather(
        *(
            arena.client.start_workflow(
                Contender.run, contest, id=arena.id(f"r{n}"), task_queue=arena.queue
            )
            for n in range(50)
        )
    )
    await asyncio.gather(*(run.result() for run in runs))
    assert sorted(arena.board.entered) == sorted(run.id for run in runs)
    assert arena.board.peak == 3
    assert (await arena.line()).empty


async def test_a_killed_worker_changes_nothing(local: Client, tmp_path: Path) -> None:
    """The line is in the history: order and limit outlive the process that kept them."""
    arena = arena_on(local, tmp_path)
    address = local.service_client.config.target_host
    command = [sys.executable, "-m", "tests.integration.contender", address, arena.queue]
    killed = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY)
    try:
        runs = await arena.send("a", "b", "c", "d")
        await arena.until_entered("a")
    finally:
        killed.kill()
        await killed.wait()
    await runs[0].signal(Contender.finish)
    async with contest_worker(local, arena.queue):
        for count, run in enumerate(runs, 1):
            await arena.until_entered("a b c d"[: 2 * count - 1])
            await run.signal(Contender.finish)
            await run.result()
    assert arena.board.peak == 1
    replayer = Replayer(workflows=[Slots], workflow_runner=UnsandboxedWorkflowRunner())
    await replayer.replay_workflow(await arena.slots.fetch_history())


async def test_a_long_life_goes_on_in_a_new_history(tmp_path: Path) -> None:
    """A busy key must not reach Temporal's limit of a history; the line goes along."""
    often = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=60"]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=often
    ) as server:
        arena = arena_on(server.client, tmp_path)
        async with contest_worker(server.client, arena.queue):
            names = "a b c d e f g h i j k l m n o p"
            runs = await arena.send(*names.split())
            first = (await arena.slots.describe()).raw_description.workflow_execution_info
            for count, run in enumerate(runs, 1):
                await arena.until_entered(names[: 2 * count - 1])
                await run.signal(Contender.finish)
                await run.result()
            assert first.first_run_id != first.execution.run_id
            assert arena.board.peak == 1
            history = await arena.slots.fetch_history()
            assert len(history.events) < 120


async def test_a_key_that_nobody_wants_ends_and_can_come_back(arena: Arena) -> None:
    """Keys may come from inputs: a thousand rooms must not leave a thousand open workflows."""
    skipping = TimeSkipper(arena.client).client
    idle = await skipping.start_workflow(
        SLOTS, arena.contest.key, id=arena.slots.id, task_queue=arena.queue
    )
    await idle.result()
    [a] = await arena.send("a", seconds=0)
    assert await a.result() == "granted"
