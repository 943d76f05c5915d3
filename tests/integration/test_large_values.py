"""Large, missing and poisoned values in runs on a real Temporal server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from sysconfig import get_path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.artifacts import FolderArtifacts
from aima.temporal.converter import data_converter

pytestmark = pytest.mark.asyncio(loop_scope="module")

Run: TypeAlias = WorkflowHandle[Any, Any]

MIB = 1024 * 1024
INLINE = 64 * 1024
MOST = 24 * MIB
SOON = timedelta(seconds=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Client]:
    """Start a real Temporal server; its client knows nothing of AIMA's converter."""
    program = str(Path(get_path("scripts")) / "temporal")
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=program) as started:
        yield started.client


@pytest.fixture
def store(tmp_path: Path) -> FolderArtifacts:
    """Give an empty artifact store."""
    return FolderArtifacts(tmp_path / "artifacts", max_bytes=MOST)


@pytest.fixture
def client(server: Client, store: FolderArtifacts) -> Client:
    """Give a client with AIMA's converter."""
    return client_of(server, store)


def client_of(server: Client, store: FolderArtifacts) -> Client:
    """Make a client of ``server`` that keeps large values in ``store``."""
    converter = data_converter(store, inline_bytes=INLINE, max_bytes=MOST)
    return Client(server.service_client, data_converter=converter)


def files_of(store: FolderArtifacts) -> list[Path]:
    """List all files of a store."""
    return [file for file in store.folder.rglob("*") if file.is_file()]


# --- what runs in Temporal ----------------------------------------------------------------------


@activity.defn
async def echo(value: str) -> str:
    """Give back what came."""
    return value


@activity.defn
async def make(length: int) -> str:
    """Make a text."""
    return "x" * length


@workflow.defn
class Echo:
    """Take a value through an activity."""

    @workflow.run
    async def run(self, value: str) -> str:
        """Run."""
        return await workflow.execute_activity(echo, value, start_to_close_timeout=SOON)


@workflow.defn
class Hold:
    """Have a large value made, wait, and pass it on."""

    def __init__(self) -> None:
        self.made = False
        self.released = False

    @workflow.signal
    def release(self) -> None:
        """Go on."""
        self.released = True

    @workflow.query
    def has_made(self) -> bool:
        """Tell whether the value is there."""
        return self.made

    @workflow.run
    async def run(self, length: int) -> int:
        """Run."""
        text = await workflow.execute_activity(make, length, start_to_close_timeout=SOON)
        self.made = True
        await workflow.wait_condition(lambda: self.released)
        again = await workflow.execute_activity(echo, text, start_to_close_timeout=SOON)
        return len(again)


@workflow.defn
class SendTooMuch:
    """Schedule an activity with more than may pass."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        text = "x" * (MOST + 1)
        return await workflow.execute_activity(echo, text, start_to_close_timeout=SOON)


@workflow.defn
class FetchTooMuch:
    """Call an activity that gives more than may pass; by default it would be tried for ever."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        return await workflow.execute_activity(make, MOST, start_to_close_timeout=SOON)


@workflow.defn
class FetchTooMuchLocally:
    """The same in a local activity."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        return await workflow.execute_local_activity(make, MOST, start_to_close_timeout=SOON)


@workflow.defn
class ReturnMuch:
    """Give a large value that no activity has made."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        return "x" * MIB


@workflow.defn
class ReturnTooMuch:
    """Give more than may pass."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        return "x" * MOST


@workflow.defn
class FailUnwritably:
    """Fail with an error that cannot be written as it is."""

    @workflow.run
    async def run(self) -> None:
        """Run."""
        raise ApplicationError("half a \ud83d pair", float("nan"), type="MINE")


WORKFLOWS = (
    Echo,
    Hold,
    SendTooMuch,
    FetchTooMuch,
    FetchTooMuchLocally,
    ReturnMuch,
    ReturnTooMuch,
    FailUnwritably,
)


def worker(client: Client, queue: str, *, activities: bool = True) -> Worker:
    """Make a worker; without activities it runs workflows only."""
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[echo, make] if activities else [],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def started(client: Client, kind: type, *values: object, queue: str) -> Run:
    """Start a workflow of this kind."""
    return await client.start_workflow(
        kind.__name__,
        args=values,
        id=f"w-{uuid.uuid4()}",
        task_queue=queue,
        task_timeout=timedelta(seconds=1),  # a failed task is tried again after this time
    )


async def failure_of(handle: Run) -> ApplicationError:
    """Wait for the run to fail, not to hang, and give the innermost reason."""
    with pytest.raises(WorkflowFailureError) as caught:
        await asyncio.wait_for(handle.result(), 20)
    error: BaseException | None = caught.value.cause
    if isinstance(error, ActivityError):
        error = error.cause
    assert isinstance(error, ApplicationError)
    return error


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask the server until something holds."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - the server cannot be waited on for it
            await asyncio.sleep(0.02)


async def made(handle: Run) -> None:
    """Wait until the activity of :class:`Hold` has given its value."""

    async def has_made() -> bool:
        return await handle.query(Hold.has_made)

    await until(has_made)


async def has_pending_activity(handle: Run, *, pending: bool = True) -> bool:
    """Tell whether an activity waits or runs, or that none does."""
    return bool((await handle.describe()).raw_description.pending_activities) is pending


def payloads_in(message: Message) -> Iterator[Payload]:
    """Find every payload in a history, however deep."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        is_map = field.message_type.GetOptions().map_entry
        items = value.values() if is_map else value if field.is_repeated else [value]
        for item in items:
            if isinstance(item, Payload):
                yield item
            elif isinstance(item, Message):
                yield from payloads_in(item)


async def payloads_of(handle: Run) -> list[Payload]:
    """Give every payload of the run's history as the server keeps it."""
    return [
        payload async for event in handle.fetch_history_events() for payload in payloads_in(event)
    ]


# --- large values -------------------------------------------------------------------------------


async def test_twenty_megabytes_leave_no_large_payload_in_the_history(
    client: Client, store: FolderArtifacts
) -> None:
    """Temporal's limits are 2 MB a payload and 50 MB a history; beyond them runs hang or die."""
    text = "ä" * (10 * MIB)
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        handle = await started(client, Echo, text, queue=queue)
        assert await handle.result() == text
    payloads = await payloads_of(handle)
    assert len(payloads) >= 4
    assert max(payload.ByteSize() for payload in payloads) <= INLINE
    assert len(files_of(store)) == 1  # the same value four times is kept once


async def test_a_large_value_survives_the_worker(
    client: Client, server: Client, store: FolderArtifacts
) -> None:
    """A second worker, with nothing in memory, replays the run from the history and the store."""
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        handle = await started(client, Hold, 20 * MIB, queue=queue)
        await made(handle)
    async with worker(client_of(server, store), queue):
        await handle.signal(Hold.release)
        assert await handle.result() == 20 * MIB
    assert max(payload.ByteSize() for payload in await payloads_of(handle)) <= INLINE


@pytest.mark.parametrize("kind", [SendTooMuch, FetchTooMuch, FetchTooMuchLocally, ReturnTooMuch])
async def test_a_value_over_the_limit_fails_the_run(client: Client, kind: type) -> None:
    """Left to the SDK three of these hang and one runs the activity again for ever."""
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        error = await failure_of(await started(client, kind, queue=queue))
    assert error.type == "TOO_LARGE"
    assert str(MOST) in error.message


async def test_an_input_over_the_limit_is_refused_before_the_start(client: Client) -> None:
    """The caller learns the limit, and no run begins."""
    with pytest.raises(ApplicationError, match=str(MOST)) as caught:
        await started(client, Echo, "x" * MOST, queue="nobody")
    assert caught.value.type == "TOO_LARGE"


# --- trouble with the store ---------------------------------------------------------------------


async def test_a_run_waits_for_a_store_that_cannot_be_written(
    client: Client, store: FolderArtifacts
) -> None:
    """A full disk or an unmounted one costs time, not runs: once mended, no restart is needed."""
    queue = str(uuid.uuid4())
    writing, away = store.folder / "tmp", store.folder / "away"
    writing.rename(away)
    async with worker(client, queue):
        handle = await started(client, ReturnMuch, queue=queue)

        async def has_failed_task() -> bool:
            events = [event async for event in handle.fetch_history_events()]
            return any(e.HasField("workflow_task_failed_event_attributes") for e in events)

        await until(has_failed_task)
        away.rename(writing)
        assert len(await asyncio.wait_for(handle.result(), 20)) == MIB


async def test_a_missing_value_fails_the_run_that_needs_it(
    client: Client, store: FolderArtifacts
) -> None:
    """A history that cannot be read would otherwise be retried for ever."""
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        handle = await started(client, Hold, 1 * MIB, queue=queue)
        await made(handle)
    [file] = files_of(store)
    file.unlink()
    async with worker(client, queue):
        await handle.signal(Hold.release)
        error = await failure_of(handle)
    assert error.type == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("damage", [b"", b"other"])
async def test_a_damaged_argument_fails_the_activity_at_once(
    client: Client, store: FolderArtifacts, damage: bytes
) -> None:
    """The SDK says "Failed decoding arguments" and retries; no retry mends a damaged file."""
    queue = str(uuid.uuid4())
    async with worker(client, queue, activities=False):
        handle = await started(client, Echo, "x" * MIB, queue=queue)
        await until(lambda: has_pending_activity(handle))
    [file] = files_of(store)
    file.write_bytes(damage)

    async with Worker(client, task_queue=queue, activities=[echo]):  # nobody replays the run
        await until(lambda: has_pending_activity(handle, pending=False))
    [failure] = [
        event.activity_task_failed_event_attributes.failure
        async for event in handle.fetch_history_events()
        if event.HasField("activity_task_failed_event_attributes")
    ]
    assert failure.application_failure_info.type == "INTERNAL_ERROR"
    assert failure.application_failure_info.non_retryable
    assert str(file) in failure.message
    await handle.terminate()


@pytest.mark.parametrize("data", [b'"\xff"', b"[" * 100_000, b"NaN", b'{"not": "text"}'])
async def test_a_poisoned_input_fails_its_run_only(client: Client, data: bytes) -> None:
    """A mistake in one value must neither hang its run nor touch another."""
    poison = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data))
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        bad = await started(client, Echo, poison, queue=queue)
        good = await started(client, Echo, "fine", queue=queue)
        error = await failure_of(bad)
        assert await good.result() == "fine"
    assert error.type == "VALIDATION_ERROR"


async def test_a_run_that_fails_unwritably_fails_all_the_same(client: Client) -> None:
    """The reason matters more than its details; the SDK alone would retry the task for ever."""
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        error = await failure_of(await started(client, FailUnwritably, queue=queue))
    assert error.type == "MINE"
    assert error.message.startswith("half a ? pair (told in part")
