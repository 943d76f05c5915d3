"""A workflow that wants a slot, as the interpreter does, and a worker for it as a process."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.temporal.slot_activities import ACQUIRE, slot_activities
from aima.temporal.slots import GRANTED, Slots, slots_id

_SECONDS = timedelta(seconds=10)


@dataclass(frozen=True)
class Contest:
    """What a contender wants, and how it behaves.

    Attributes:
        board: the file on which it notes when it enters and leaves.
        seconds: how long it holds its slot; None: until it is told to finish.
        cleanup_seconds: how long it takes to leave.
    """

    key: str
    board: str
    limit: int = 1
    on_conflict: str = "queue"
    seconds: float | None = None
    cleanup_seconds: float = 0


@dataclass
class Board:
    """What contenders have noted; a process that is killed may have noted twice."""

    file: Path
    names: list[str] = field(default_factory=list)

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Who entered or left, in order."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [(line.split()[0], line.split()[1]) for line in dict.fromkeys(lines)]

    @property
    def entered(self) -> list[str]:
        """Who entered, in order."""
        return [name for what, name in self.notes if what == "enter"]

    @property
    def peak(self) -> int:
        """How many were in at once at most."""
        inside: set[str] = set()
        most = 0
        for what, name in self.notes:
            (inside.add if what == "enter" else inside.discard)(name)
            most = max(most, len(inside))
        return most


@activity.defn
def note(board: str, what: str) -> None:
    """Write on the board."""
    with Path(board).open("a") as file:
        file.write(f"{what} {activity.info().workflow_id}\n")


@workflow.defn
class Contender:
    """Gets a slot, holds it, gives it back."""

    def __init__(self) -> None:
        """Begin without one."""
        self._granted = False
        self._finished = False
        self._inside = False

    @workflow.run
    async def run(self, contest: Contest) -> str:
        """Tell what became of it."""
        answer: str = await workflow.execute_activity(
            ACQUIRE,
            {"key": contest.key, "limit": contest.limit, "on_conflict": contest.on_conflict},
            start_to_close_timeout=timedelta(seconds=40),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        if answer == "rejected":
            return answer
        try:
            await self._take_turn(contest, answer)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(self._leave(contest)))
            raise
        await self._leave(contest)
        return answer

    @workflow.signal(name=GRANTED)
    def granted(self, _: str) -> None:
        """Hear that the turn has come."""
        self._granted = True

    @workflow.signal
    def finish(self) -> None:
        """Hold it no longer."""
        self._finished = True

    async def _take_turn(self, contest: Contest, answer: str) -> None:
        if answer == "queued":
            await workflow.wait_condition(lambda: self._granted)
        self._inside = True
        await self._note(contest, "enter")
        if contest.seconds is None:
            await workflow.wait_condition(lambda: self._finished)
        else:
            await workflow.sleep(contest.seconds)

    async def _leave(self, contest: Contest) -> None:
        if self._inside:
            if contest.cleanup_seconds:
                await workflow.sleep(contest.cleanup_seconds)
            await self._note(contest, "leave")
        slots = workflow.get_external_workflow_handle(slots_id(contest.key))
        await slots.signal("release", workflow.info().workflow_id)

    async def _note(self, contest: Contest, what: str) -> None:
        await workflow.execute_activity(
            note,
            args=[contest.board, what],
            start_to_close_timeout=_SECONDS,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
        )


def contest_worker(client: Client, queue: str) -> Worker:
    """Make a worker for slots and contenders."""
    return Worker(
        client,
        task_queue=queue,
        workflows=[Slots, Contender],
        activities=[note, *slot_activities(client, queue)],
        activity_executor=ThreadPoolExecutor(100),
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    )


async def serve(address: str, queue: str) -> None:
    """Work until killed."""
    async with contest_worker(await Client.connect(address), queue):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
