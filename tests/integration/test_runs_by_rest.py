"""Runs over HTTP: followed as they go, taken up again, and what they leave behind fetched."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel, Field
from temporalio.client import Client

from aima.gateway.access.permission import Role
from aima.ports.inference import Request
from aima.ports.inference.request import SHOWN
from aima.unit import Context, Domain, Retry, Unit
from tests.integration.board import Board
from tests.integration.door import Door, door_on, key
from tests.integration.lab import lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNS = "/api/v2/runs"
STORY = """\
name: story
steps:
  - {id: tell, type: story.tell, stream: true, input: {gate: GATE}}
  - {id: after, type: lab.echo, input: {text: "${steps.tell.text}"}}
output: {text: "${steps.after.text}"}
"""
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(100))


class Tell(Request):
    """Which gate to wait at."""

    gate: str


class Told(BaseModel):
    """A story."""

    text: str = Field(json_schema_extra=SHOWN)


def story(board: Board) -> Unit:
    """Make the unit that tells one half, waits at a gate, and tells the other."""
    domain = Domain("story")

    @domain.command(timeout=timedelta(minutes=1), retry=Retry(attempts=1), idempotent=True)
    async def tell(request: Tell, ctx: Context) -> Told:
        """Tell a story."""
        ctx.pieces("Once upon a time ")
        board.seen(request.gate).set()
        await board.gates[request.gate].wait()
        ctx.pieces("there was an end.")
        return Told(text="Once upon a time there was an end.")

    [unit] = domain.units.values()
    return unit


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for the module."""
    board = Board()
    with lab_on(local, tmp_path_factory.mktemp("runs"), more=(story(board),)) as lab:
        lab.board = board
        async with door_on(lab) as opened:
            yield opened


@dataclass(frozen=True)
class Event:
    """An event as a client reads it."""

    id: int | None
    kind: str
    data: dict[str, Any]


@dataclass
class Stream:
    """What a client reads, event by event."""

    lines: AsyncIterator[str]
    read: list[Event] = field(default_factory=list)

    async def next(self) -> Event | None:
        """Read an event; None at the end."""
        fields: dict[str, str] = {}
        async for line in self.lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                number = int(fields["id"]) if "id" in fields else None
                event = Event(number, fields["event"], json.loads(fields["data"]))
                self.read.append(event)
                return event
            else:
                fields = {}
        return None

    async def until(self, kind: str, **data: object) -> Event:
        """Read up to an event of a kind with such data."""
        while (event := await self.next()) is not None:
            if event.kind == kind and data.items() <= event.data.items():
                return event
        raise AssertionError(f"no {kind} {data} in {self.read}")

    @property
    def last(self) -> int:
        """The number to come again with."""
        return max(event.id for event in self.read if event.id is not None)


@asynccontextmanager
async def events(door: Door, run: str, **headers: str) -> AsyncIterator[Stream]:
    """Follow a run."""
    asked = {**headers, "accept": "text/event-stream"}
    way = run if run.startswith("/") else f"{RUNS}/{run}/events"
    async with door.http.stream("GET", way, headers=asked) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


async def begin(door: Door, gate: str) -> str:
    """Start a story."""
    body = {"text": STORY.replace("GATE", gate), "file": "story.yaml"}
    run: str = (await door.http.post(RUNS, json=body)).json()["id"]
    return run


async def test_a_run_is_followed_to_its_end(door: Door) -> None:
    """Steps, progress, the words as they are made, and the outcome; numbers grow."""
    run = await begin(door, "followed")
    async with events(door, run, **key(Role.VIEWER)) as stream:
        await stream.until("piece", step="tell", text="Once upon a time ", offset=0)
        door.lab.board.gates["followed"].set()
        end = await stream.until("end", state="completed")
        assert await stream.next() is None
    assert end.data["output"] == {"text": "Once upon a time there was an end."}
    states = [(e.data["step"], e.data["state"]) for e in stream.read if e.kind == "step"]
    assert states[-1] == ("after", "done")
    trees = [e.data["rows"] for e in stream.read if e.kind == "progress"]
    assert [(row["step"], row["state"]) for row in trees[-1]] == [
        ("tell", "done"),
        ("after", "done"),
    ]
    numbers = [event.id for event in stream.read if event.id is not None]
    assert numbers == sorted(set(numbers))


async def test_a_broken_line_is_taken_up_again(door: Door) -> None:
    """What came meanwhile is told, nothing twice; after the end there is nothing to come for."""
    run = await begin(door, "broken")
    async with events(door, run) as first:
        await first.until("piece", text="Once upon a time ")
    door.lab.board.gates["broken"].set()
    await door.lab.outcome(run)
    again = {"last-event-id": str(first.last)}
    async with events(door, run, **again) as second:
        await second.until("end", state="completed")
    said = [e.data for e in (*first.read, *second.read) if e.kind == "piece" and e.data["text"]]
    assert [piece["text"] for piece in said] == ["Once upon a time ", "there was an end."]
    assert second.read[0].id is not None
    assert second.read[0].id > first.last
    done = await door.http.get(f"{RUNS}/{run}/events", headers={"last-event-id": str(second.last)})
    assert (done.status_code, done.content) == (204, b"")


async def test_who_comes_after_the_end_hears_it_all(door: Door) -> None:
    """Also with a number that nobody knows any more."""
    run = await begin(door, "late")
    door.lab.board.gates["late"].set()
    await door.lab.outcome(run)
    for number in ("1", "999999999999999"):
        async with events(door, run, **{"last-event-id": number}) as stream:
            await stream.until("step", step="after", state="done")
            await stream.until("end", state="completed")
    wrong = await door.http.get(f"{RUNS}/{run}/events", headers={"last-event-id": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_REQUEST")
    assert (await door.http.get(f"{RUNS}/none/events")).status_code == 404


async def test_a_cancelled_run_says_so_as_its_last_word(door: Door) -> None:
    """Whoever watches learns why it ends."""
    run = await begin(door, "cancelled")
    async with events(door, run) as stream:
        await stream.until("step", step="tell", state="running")
        assert (await door.http.post(f"{RUNS}/{run}/cancel")).status_code == 202
        end = await stream.until("end", state="canceled")
    assert end.data["error"]["code"] == "CANCELLED"


async def test_an_operation_is_followed_below_its_own_address(door: Door) -> None:
    """Whoever has it need not know that it is a run."""
    body = {"name": "a", "times": 0}
    began = await door.http.post("/api/v2/command/lab.pay", json=body)
    way = began.headers["location"]
    assert began.json()["links"]["events"] == f"{way}/events"
    async with events(door, f"{way}/events", **key(Role.VIEWER)) as stream:
        await stream.until("end", state="completed")


async def test_pages_by_cursor_and_by_offset_have_one_order(door: Door) -> None:
    """Also where what began first ends last; and whoever asks for a run may wait for its end."""
    text = "name: lasts\nsteps:\n  - {id: w, wait: '${input.time}'}\n"
    body = {"text": text, "file": "lasts.yaml"}
    begun = [
        (await door.http.post(RUNS, json={**body, "input": {"time": time}})).json()["id"]
        for time in ("900ms", "1ms")
    ]
    for run in reversed(begun):
        ended = await door.http.get(f"{RUNS}/{run}", headers={"prefer": "wait=30"})
        assert ended.json()["state"] == "completed"
        assert ended.headers["preference-applied"] == "wait=30"
    asked: dict[str, Any] = {"workflow": "lasts", "state": "completed", "limit": 2}
    pages: list[list[str]] = [[], []]
    for _ in range(100):  # what is listed lags behind a little
        told = [await door.http.get(RUNS, params={**asked, **more}) for more in ({}, {"offset": 0})]
        pages = [[run["id"] for run in page.json()["items"]] for page in told]
        if [len(page) for page in pages] == [2, 2]:
            break
    assert pages == [begun, begun]


# --- again, and answered ---------------------------------------------------------------------

ASKED = """\
name: asked
steps:
  - id: review
    wait_for: {approval: {message: Shall it?}, timeout: 1m}
output: {by: "${steps.review.by}"}
"""


@pytest.mark.parametrize("way", ["retry", "rerun"])
async def test_a_run_is_begun_again_with_nothing_but_its_address(door: Door, way: str) -> None:
    """The answer tells where the new run is; sent again with the same key, none is begun."""
    body = {"text": "name: fails\nsteps:\n  - {id: no, raise: {code: NO, message: no}}\n"}
    run = (await door.http.post(RUNS, json={**body, "file": "fails.yaml"})).json()["id"]
    await door.lab.runs.outcome(run)
    headers = {"idempotency-key": f"again-{way}", "prefer": "wait=30"}
    begun = [await door.http.post(f"{RUNS}/{run}/{way}", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in begun] == [200, 200]
    assert begun[0].json() == begun[1].json()
    new = begun[0].json()
    assert (new["state"], new["error"]["code"]) == ("failed", "NO")
    assert new["id"] != run
    assert begun[0].headers["location"] == new["links"]["self"] == f"{RUNS}/{new['id']}"
    other = await door.http.post(f"{RUNS}/{new['id']}/{way}", headers=headers)
    assert other.status_code == 422


async def test_an_approval_is_in_the_name_of_the_key(door: Door) -> None:
    """Whoever is not the admin cannot say yes as somebody else."""
    body = {"text": ASKED, "file": "asked.yaml"}
    run = (await door.http.post(RUNS, json=body)).json()["id"]
    way, operator = f"{RUNS}/{run}/approvals/review", key(Role.OPERATOR)
    forged = await door.http.post(way, json={"by": "ann"}, headers=operator)
    assert (forged.status_code, forged.json()["code"]) == (403, "FORBIDDEN")
    assert (await door.http.post(way, json={}, headers=operator)).status_code == 202
    assert (await door.lab.runs.outcome(run)).output == {"by": "operator"}


# --- artifacts -------------------------------------------------------------------------------


async def put(door: Door, data: bytes = PICTURE, name: str = "a.png") -> dict[str, Any]:
    """Put a file into the store."""
    made = await door.http.post("/api/v2/artifacts", content=data, params={"name": name})
    assert made.status_code == 201
    told: dict[str, Any] = made.json()
    return told


async def test_the_files_of_a_run_are_listed_where_they_are(door: Door) -> None:
    """One file in three places is one file."""
    kept = await put(door)
    reference = {key: kept[key] for key in ("artifact", "media_type", "bytes")}
    text = (
        "name: pictures\n"
        "steps:\n  - {id: look, type: lab.echo, input: {seen: ['${input.picture}']}}\n"
        "output: {picture: '${input.picture}'}\n"
    )
    body = {"text": text, "file": "p.yaml", "input": {"picture": reference}}
    run = (await door.http.post(RUNS, json=body)).json()["id"]
    await door.lab.outcome(run)
    [found] = (await door.http.get(f"{RUNS}/{run}/artifacts")).json()["items"]
    assert found["at"] == ["input.picture", "steps.look.seen[0]", "output.picture"]
    assert (found["artifact"], found["media_type"]) == (kept["artifact"], "image/png")
    fetched = await door.http.get(found["links"]["self"], headers=key(Role.VIEWER))
    assert (fetched.content, fetched.headers["content-type"]) == (PICTURE, "image/png")
    device = await door.http.get(found["links"]["self"], headers=key(Role.DEVICE))
    assert device.status_code == 403


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100-", 206, 100, 108),
        ("bytes=-8", 206, 100, 108),
        ("bytes=0-99999", 206, 0, 108),
        ("bytes=108-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=0-1,5-6", 200, 0, 108),
        ("bytes=9-1", 200, 0, 108),
        ("bytes=-", 200, 0, 108),
        ("bytes=" + "9" * 5000 + "-", 200, 0, 108),
        ("lines=1-2", 200, 0, 108),
    ],
)
async def test_a_range_of_a_file_is_fetched(
    door: Door, asked: str, status: int, first: int, last: int
) -> None:
    """A player jumps, a download goes on; what makes no sense gives the whole."""
    way = (await put(door))["links"]["self"]
    answer = await door.http.get(way, headers={"range": asked})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == "bytes */108"
        assert answer.json()["code"] == "INVALID_REQUEST"
        return
    assert answer.content == PICTURE[first:last]
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/108"
    head = await door.http.head(way)
    assert (head.headers["content-length"], head.content) == ("108", b"")


async def test_a_file_that_one_has_is_not_sent_again(door: Door) -> None:
    """Its name is its content."""
    way = (await put(door))["links"]["self"]
    tag = (await door.http.get(way)).headers["etag"]
    again = await door.http.get(way, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = await door.http.get(way, headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (other.status_code, len(other.content)) == (200, 108)


@pytest.mark.parametrize(
    ("data", "name", "media_type", "shown"),
    [
        (b"<html><script>alert(1)</script>", "a.html", "text/plain; charset=utf-8", "inline"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "a.svg",
            "text/plain; charset=utf-8",
            "inline",
        ),
        (b"%PDF-1.7 \0", "a.pdf", "application/pdf", "attachment"),
        (b"\0\1\2", "a.html", "application/octet-stream", "attachment"),
        (PICTURE, "a.html", "image/png", "inline"),
    ],
)
async def test_nothing_that_is_fetched_can_run_in_a_browser(
    door: Door, data: bytes, name: str, media_type: str, shown: str
) -> None:
    """A page that a model wrote would else act with its reader's key."""
    way = (await put(door, data, name))["links"]["self"]
    headers = (await door.http.get(way)).headers
    assert headers["content-type"] == media_type
    assert headers["content-disposition"].startswith(shown)
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    named = await door.http.get(way, params={"name": "my file.html"})
    assert named.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("name", ["sha256:" + "0" * 64, "sha256:..", "%2e%2e%2fadmin.key", "x"])
async def test_what_is_not_there_is_not_found(door: Door, name: str) -> None:
    """Whatever a name looks like, it is no path."""
    assert (await door.http.get(f"/api/v2/artifacts/{name}")).status_code == 404


async def test_a_damaged_file_is_not_passed_on(door: Door) -> None:
    """Its name says what it should be."""
    kept = await put(door, b"whole and sound", "a.txt")
    file = door.lab.settings.data / "artifacts" / kept["artifact"][7:9] / kept["artifact"][9:]
    assert (await door.http.get(kept["links"]["self"])).status_code == 200
    file.write_bytes(b"broken and lost")
    answer = await door.http.get(kept["links"]["self"])
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "is damaged" in answer.json()["detail"]
