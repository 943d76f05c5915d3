"""The door killed (F12), asked by many at once, and given more than it takes (F16, F23)."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import psutil
import pytest

from tests.acceptance.command import Aima, Sink, wait_until
from tests.acceptance.running import running_aima

pytestmark = pytest.mark.nightly  # three stacks, fifty runs, a thousand connections

COMMAND = "/api/v2/command/sink.write"
MB = 1 << 20


@dataclass(frozen=True)
class Door:
    """A stack, and how to ask at its door, also when it has come up again elsewhere."""

    aima: Aima
    key: str

    def client(self) -> httpx2.AsyncClient:
        """Make a client of the door where it is now."""
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.aima.door_port()}",
            headers={"authorization": f"Bearer {self.key}"},
            timeout=120,
            limits=httpx2.Limits(max_connections=None),
        )

    def process(self) -> psutil.Process:
        """Give the process of the door."""
        return psutil.Process(self.aima.pids()["stack"])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The door of a stack that is up."""
    with running_aima(tmp_path_factory.mktemp("door")) as aima:
        yield Door(aima, (aima.data / "admin.key").read_text().strip())


async def test_a_door_killed_between_request_and_answer_loses_nothing(
    aima: Aima, sink: Sink
) -> None:
    """Fifty commands, two kills: asked again under their keys, each has happened once."""
    aima.up()
    door = Door(aima, (aima.data / "admin.key").read_text().strip())
    told: dict[int, str] = {}
    for _ in range(2):
        pids = aima.pids()
        async with door.client() as http:
            asking = [asyncio.ensure_future(_command(http, sink, n, told)) for n in range(50)]
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            os.kill(pids["stack"], signal.SIGKILL)
            await asyncio.gather(*asking, return_exceptions=True)
        for pid in pids.values():
            wait_until(partial(_gone, pid), what="the end of the orphans")
        aima.up()
    before = dict(told)
    async with door.client() as http:
        await asyncio.gather(*(_command(http, sink, n, told, wait=60) for n in range(50)))
    assert len(set(told.values())) == 50
    assert before.items() <= told.items(), "an acknowledged operation has another name now"
    assert [sink.attempts("unit"), sink.deliveries("unit")] == [50, 50]
    verdict = aima.ask("audit", "--verify")
    assert verdict["faults"] == []
    listed = aima.ask("audit", "--limit", "1000")["commands"]
    assert {row["run"] for row in listed if row["subject"] == "sink.write"} >= set(before.values())


async def _command(
    http: httpx2.AsyncClient, sink: Sink, number: int, told: dict[int, str], *, wait: int = 0
) -> None:
    """Have a row written, and note which operation that was."""
    headers = {"idempotency-key": f"row-{number}"} | ({"prefer": f"wait={wait}"} if wait else {})
    answer = await http.post(COMMAND, json={"file": str(sink.file)}, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    if wait:
        assert answer.json()["state"] == "succeeded", answer.text
    assert told.setdefault(number, answer.json()["id"]) == answer.json()["id"]


OPEN_RUNS = 100
ASKED_FOR = 500


@pytest.mark.timeout(1200)
async def test_f23_five_hundred_runs_for_one_slot_are_held_at_the_door(
    aima: Aima, sink: Sink
) -> None:
    """What there is room for waits and ends well, the rest is told to come again, and does."""
    aima.settings |= {"AIMA_WORKER_ACTIVITIES": "1", "AIMA_DOOR_OPEN_RUNS": str(OPEN_RUNS)}
    aima.up()
    door = Door(aima, (aima.data / "admin.key").read_text().strip())
    gated = (aima.cwd / "workflows" / "gated.yaml").read_text()
    async with door.client() as http:
        (await http.put("/api/v2/workflows/gated", content=gated)).raise_for_status()
        before = door.process().memory_info().rss
        answers = await asyncio.gather(*(_gated(http, sink, n) for n in range(ASKED_FOR)))
        begun = [answer for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(begun) + len(refused) == ASKED_FOR
        assert OPEN_RUNS * 0.9 <= len(begun) <= OPEN_RUNS * 1.1, len(begun)
        assert {answer.json()["code"] for answer in refused} == {"TOO_MANY_RUNS"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        waited = await _queue_age(http)
        async with asyncio.timeout(60):  # Temporal looks at its queues every few seconds
            while await _queue_age(http) <= waited:  # noqa: ASYNC110 - no bell
                await asyncio.sleep(1)
        sink.gate.touch()
        await asyncio.gather(*(_until_begun(http, sink, n) for n in range(ASKED_FOR)))
        wanted: dict[str, Any] = {"workflow": "gated", "state": "running", "limit": 1000}
        async with asyncio.timeout(300):
            while (await http.get("/api/v2/runs", params=wanted)).json()["items"]:  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.5)
        ended = (await http.get("/api/v2/runs", params=wanted | {"state": "completed"})).json()
        grown = door.process().memory_info().rss - before
    assert len(ended["items"]) == ASKED_FOR, "each ended well, whatever it waited"
    assert [sink.deliveries(step) for step in ("before", "held", "after")] == [ASKED_FOR] * 3
    assert grown < 100 * MB, f"{grown / MB:.1f} MB"


async def _gated(http: httpx2.AsyncClient, sink: Sink, number: int) -> httpx2.Response:
    """Ask for a run that waits for the gate, once for each number."""
    given = {"input": {"file": str(sink.file), "gate": str(sink.gate)}}
    headers = {"idempotency-key": f"run-{number}"}
    return await http.post("/api/v2/workflows/gated/runs", json=given, headers=headers)


async def _until_begun(http: httpx2.AsyncClient, sink: Sink, number: int) -> None:
    """Come again as often as one is told to."""
    while (answer := await _gated(http, sink, number)).status_code == 429:  # noqa: ASYNC110 - as told
        await asyncio.sleep(int(answer.headers["retry-after"]))
    assert answer.status_code in (200, 202), answer.text


async def _queue_age(http: httpx2.AsyncClient) -> float:
    """Read how long the first step has waited."""
    told = (await http.get("/metrics")).text
    [line] = [
        row for row in told.splitlines() if row.startswith('aima_queue_age_seconds{kind="act')
    ]
    return float(line.split()[-1])


async def test_what_is_too_large_does_not_fill_the_memory(door: Door) -> None:
    """Bodies of 11 to 50 MB, stated and not, and one that unpacks to a gigabyte."""
    process = door.process()
    bodies: list[tuple[Any, dict[str, str], set[int]]] = [
        (b"x" * (11 * MB), {}, {413}),
        (b"x" * (50 * MB), {}, {413}),
        (_endless(50), {}, {413}),
        (gzip.compress(bytes(64 * MB)), {"content-encoding": "gzip"}, {415}),
    ]
    async with door.client() as http:
        for _ in range(2):  # the first round is what the door needs anyway
            before = process.memory_info().rss
            for body, headers, statuses in bodies:
                content = _endless(50) if isinstance(body, AsyncIterator) else body
                try:
                    answer = await http.post("/api/v2/execute", content=content, headers=headers)
                except (httpx2.WriteError, httpx2.RemoteProtocolError, httpx2.ReadError):
                    continue  # it was refused while it was still sent
                assert answer.status_code in statuses
    grown = process.memory_info().rss - before
    assert grown < 20 * MB, f"{grown / MB:.1f} MB"


async def _endless(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield b" " * MB


WATCHERS = 1000
CHANGES = 600
"""As many as ten minutes bring where something changes every second."""
RUN_EVENTS = "/api/v2/runs/{}/events"
RESOURCE = "/api/v2/resources/watch?uri=asms%3A%2F%2Fmodels%2Fregistry"


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", ["resources", "runs", "events"])
async def test_a_thousand_watchers_cost_little_and_hold_nobody_up(
    door: Door, sink: Sink, what: str
) -> None:
    """Nobody of them reads while hundreds of things happen; others are answered, in no more memory.

    Prints what the door's process has in memory with 100 of them, with all, when it all has
    happened, and when they have gone.
    """
    process = door.process()
    async with door.client() as http:
        path = await _watched(door, http, sink, what)
        async with AsyncExitStack() as open_:
            await _watch(http, open_, path, 100)  # what the first ones need is needed once
            await _ask_others(http, 20)
            with_hundred = process.memory_info().rss
            await _watch(http, open_, path, WATCHERS - 100)
            await _ask_others(http, 20)
            with_all = process.memory_info().rss
            await _happen(http, CHANGES // 2)
            half = process.memory_info().rss
            await _happen(http, CHANGES // 2)
            happened = process.memory_info().rss
        async with asyncio.timeout(120):
            while await _watching(http):  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.2)
        gone = process.memory_info().rss
    told = {"100": with_hundred, "1000": with_all, "half": half, "all": happened, "gone": gone}
    figures = {moment: round(size / MB, 1) for moment, size in told.items()}
    print(f"{what}: MiB {figures}")  # noqa: T201 - for docs/performance.md
    each = (with_all - with_hundred) / (WATCHERS - 100) / 1024
    assert each < 150, f"{each:.1f} KiB for each; {figures}"
    # What is sent to who does not read fills its socket first, in the system's memory and once.
    assert happened - half < 20 * MB, f"it grows while things happen: {figures}"
    assert gone <= happened + MB, figures


async def _watched(door: Door, http: httpx2.AsyncClient, sink: Sink, what: str) -> str:
    """Give the address that is watched; of a run, one that waits."""
    if what == "resources":
        return RESOURCE
    if what == "events":
        return "/api/v2/events?follow=true&since=0"
    gated = (door.aima.cwd / "workflows" / "gated.yaml").read_text()
    (await http.put("/api/v2/workflows/gated", content=gated)).raise_for_status()
    return RUN_EVENTS.format((await _gated(http, sink, 0)).json()["id"])


async def _happen(http: httpx2.AsyncClient, many: int) -> None:
    """Let things happen: each stores a workflow anew, which is an event, and asks for others."""
    for number in range(many):
        text = f"name: often\nversion: 1.{number}.0\nsteps: [{{id: a, set: {{b: {number}}}}}]\n"
        stored = await http.put("/api/v2/workflows/often", content=text)
        assert stored.status_code in (200, 201), stored.text
        await _ask_others(http, 1)


async def _ask_others(http: httpx2.AsyncClient, many: int) -> None:
    """Ask for something else; everybody is answered."""
    body = {"text": "Hello"}
    for _ in range(many):
        listed = await http.get("/api/v2/runs", params={"limit": 1})
        answer = await http.post("/api/v2/query/template.render", json=body)
        assert (listed.status_code, answer.status_code) == (200, 200)


async def _watching(http: httpx2.AsyncClient) -> float:
    """Read how many watch resources or events."""
    rows = (await http.get("/metrics")).text.splitlines()
    return sum(float(r.split()[-1]) for r in rows if r.startswith("aima_stream_watchers{"))


async def _watch(http: httpx2.AsyncClient, open_: AsyncExitStack, path: str, many: int) -> None:
    """Watch so many times; each watcher has heard something and reads no more."""

    async def one() -> None:
        response = await open_.enter_async_context(http.stream("GET", path))
        assert response.status_code == 200, await response.aread()
        heard = response.aiter_raw()
        open_.push_async_callback(heard.aclose)  # kept alive until then
        await anext(heard)

    for _ in range(many // 50):
        await asyncio.gather(*(one() for _ in range(50)))


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
