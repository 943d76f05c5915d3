"""What happened, read at the door: in order, complete, and at each reader's own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aima.errors import Gone
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Role
from aima.gateway.chain import create_app
from aima.gateway.events.feed import AT_HAND, PAGE, EventFeed, Page
from aima.gateway.events.routes import EventRoutes
from aima.store import open_store
from aima.store.database import Store
from aima.store.events import CloudEvent
from tests.unit.gateway.test_door_parts import no_store

OpenStore = Callable[[], Store]


@pytest.fixture
def store(tmp_path: Path) -> OpenStore:
    """A store of its own."""
    return partial(open_store, tmp_path / "aima.db")


def publish(store: OpenStore, *types: str, first: int = 0) -> None:
    """Publish events of some types, all at once."""
    with store() as opened:
        opened.events.publish(
            *(CloudEvent(f"{first + n}", type_, "test") for n, type_ in enumerate(types))
        )


async def read(pages: AsyncGenerator[Page], wanted: int) -> list[str]:
    """Read so many events."""
    found: list[str] = []
    async with asyncio.timeout(30):
        async for page in pages:
            found += [entry.event.id for entry in page.entries]
            if len(found) >= wanted:
                return found
    raise AssertionError


async def test_who_follows_from_a_number_misses_nothing(store: OpenStore) -> None:
    """What was there before, and what comes while it reads."""
    publish(store, "a.a", "b.b", "a.c")
    feed = EventFeed(store)
    async with aclosing(feed.follow(1, types=())) as pages:
        assert await read(pages, 2) == ["1", "2"]
        publish(store, "a.d", first=3)
        assert await read(pages, 1) == ["3"]
        publish(store, *["x.x"] * 500, first=4)
        assert await read(pages, 500) == [str(n) for n in range(4, 504)]
    assert feed.readers == 0


async def test_who_asks_for_no_number_hears_what_comes_from_now_on(store: OpenStore) -> None:
    """Its first page is empty, and tells where that is."""
    publish(store, "a.a")
    async with aclosing(EventFeed(store).follow(None, types=())) as pages:
        assert await anext(pages) == Page([], 1)
        publish(store, "a.b", first=1)
        assert await read(pages, 1) == ["1"]


async def test_types_are_chosen(store: OpenStore) -> None:
    """By name, or by how they begin."""
    publish(store, "model.created", "modelling.done", "engine.started")
    feed = EventFeed(store)
    page = await feed.page(0, types=["model.*", "engine.started"], limit=10)
    assert [entry.event.id for entry in page.entries] == ["0", "2"]
    async with aclosing(feed.follow(0, types=["engine.*"])) as pages:
        assert await read(pages, 1) == ["2"]
        publish(store, "model.created", "engine.stopped", first=3)
        assert await read(pages, 1) == ["4"]


async def test_pages_lead_to_the_end(store: OpenStore) -> None:
    """And without a number come the newest."""
    publish(store, *["a.a"] * 25)
    feed, at, found = EventFeed(store), 0, []
    while (page := await feed.page(at, types=(), limit=10)).entries:
        found += [entry.seq for entry in page.entries]
        at = page.next
    assert found == list(range(1, 26))
    newest = await feed.page(None, types=(), limit=3)
    assert ([entry.seq for entry in newest.entries], newest.next) == ([23, 24, 25], 25)


async def test_a_reader_who_is_far_behind_reads_on_in_the_outbox(store: OpenStore) -> None:
    """What is at hand is bounded; what it has not read is not lost."""
    feed = EventFeed(store)
    async with aclosing(feed.follow(None, types=())) as slow:
        async with aclosing(feed.follow(None, types=())) as fast:
            await anext(slow)
            await anext(fast)
            publish(store, *["a.a"] * (AT_HAND + 300))
            await read(fast, AT_HAND + 300)
        assert len(feed._at_hand) <= AT_HAND
        assert await read(slow, AT_HAND + 300) == [str(n) for n in range(AT_HAND + 300)]


async def test_a_number_that_is_not_kept_any_more_is_told(store: OpenStore) -> None:
    """Also one of another data folder."""
    publish(store, "a.a", "a.b", "a.c")
    with store() as opened, opened.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE seq < 3")
    feed = EventFeed(store)
    assert (await feed.page(2, types=(), limit=9)).entries[0].seq == 3
    for number in (1, 4):
        with pytest.raises(Gone):
            await feed.page(number, types=(), limit=9)
    assert (await feed.page(0, types=(), limit=9)).entries[0].seq == 3


async def test_a_silent_stream_gives_signs_of_life(store: OpenStore) -> None:
    """Also where all that happens is of no interest; each tells how far it is."""
    publish(store, "a.a")
    feed = EventFeed(store, silence_seconds=0.01)
    async with aclosing(feed.follow(0, types=["b.*"])) as pages:
        assert [await anext(pages), await anext(pages)] == [Page([], 1)] * 2


@pytest.fixture
def client(store: OpenStore) -> TestClient:
    """A door with nothing but events."""
    return TestClient(
        create_app(
            EventRoutes(EventFeed(store)).ways(),
            Keys({r.value: Caller(r.value, r) for r in Role}, no_store),
        ),
        base_url="http://127.0.0.1",
        headers={"authorization": "Bearer viewer"},
        raise_server_exceptions=False,
    )


def test_an_event_has_what_the_standard_asks_for(client: TestClient, store: OpenStore) -> None:
    """And a sequence that sorts as text."""
    publish(store, "a.a", "b.b")
    told = client.get("/api/v2/events?type=b.*,c").json()
    [found] = told["events"]
    assert found["specversion"] == "1.0"
    assert {"id", "source", "type", "time", "data"} <= set(found)
    assert (found["sequence"], found["partitionkey"], told["next"]) == (f"{2:020}", "test", "2")
    batch = client.get("/api/v2/events", headers={"accept": "application/cloudevents-batch+json"})
    assert [row["type"] for row in batch.json()] == ["a.a", "b.b"]
    assert batch.headers["content-type"] == "application/cloudevents-batch+json"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?limit=0", 400),
        ("?limit=x", 400),
        ("?type=*", 400),
        ("?type=a%20b", 400),
        ("?since=-1", 400),
        ("?since=99", 410),
        ("?since=99&follow=true", 410),
    ],
)
def test_what_cannot_be_read_has_a_status(client: TestClient, query: str, status: int) -> None:
    """Also as a stream."""
    assert client.get(f"/api/v2/events{query}").status_code == status


def test_a_device_reads_no_events(client: TestClient) -> None:
    """They hold what runs say."""
    headers = {"authorization": "Bearer device"}
    assert client.get("/api/v2/events", headers=headers).status_code == 403


async def test_a_reader_who_is_behind_is_given_a_few_at_a_time(store: OpenStore) -> None:
    """From the outbox and from what is at hand: a page waits in memory for who does not read."""
    publish(store, *["a.a"] * 300)
    feed = EventFeed(store)
    async with (
        aclosing(feed.follow(0, types=())) as slow,
        aclosing(feed.follow(0, types=())) as fast,
    ):
        pages = [await anext(slow)]
        publish(store, *["a.b"] * 300, first=300)
        await read(fast, 600)
        while sum(len(page.entries) for page in pages) < 600:
            pages.append(await anext(slow))
    assert {len(page.entries) for page in pages} == {PAGE}
    seen = [entry.event.id for page in pages for entry in page.entries]
    assert seen == [str(number) for number in range(600)]
