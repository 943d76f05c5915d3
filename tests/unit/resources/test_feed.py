"""Watching a resource: nothing is missed, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count

import pytest

from aima.errors import AimaError, EngineNotRunning, Gone, NotFound
from aima.resources.feed import MOST_COUNTED, MOST_DELETED, Feed, Versions
from aima.resources.registry import Resources
from aima.resources.resource import Change, Data, Resource, Values
from aima.resources.uri import BadAddress, Template
from aima.unit import Members

ONE = "asms://thing/{id}"


@dataclass
class Things:
    """What changes; it counts how often somebody looks."""

    rows: dict[str, Data] = field(default_factory=dict)
    trouble: list[AimaError] = field(default_factory=list)
    looks: int = 0

    async def all(self, _: Values) -> Data:
        """Show all."""
        self.looks += 1
        if self.trouble:
            raise self.trouble.pop()
        return {"items": [dict(row) for row in self.rows.values()]}

    async def one(self, values: Values) -> Data:
        """Show one."""
        self.looks += 1
        if values["id"] not in self.rows:
            raise NotFound(f"there is no thing {values['id']!r}")
        return dict(self.rows[values["id"]])

    def put(self, name: str, **more: object) -> None:
        """Change one."""
        self.rows[name] = {"name": name, **more}

    def resources(
        self, *, interval_seconds: float = 0.001, bookmark_seconds: float = 10.0
    ) -> Resources:
        """Give them as resources, looked at often."""
        items = Members("items", "name", ONE)
        return Resources(
            [
                Resource(
                    Template.parse("asms://things"), "T", "p", self.all, items, interval_seconds
                ),
                Resource(Template.parse(ONE), "T", "p", self.one, None, interval_seconds),
            ],
            versions=Versions(count(1).__next__),
            bookmark_seconds=bookmark_seconds,
        )


async def told(resources: Resources, uri: str, since: int | None, wanted: int) -> list[Change]:
    """Watch until so much was told."""
    found: list[Change] = []
    async with asyncio.timeout(30), aclosing(resources.watch(uri, since)) as changes:
        async for change in changes:
            found.append(change)
            if len(found) == wanted:
                return found
    raise AssertionError


def short(changes: list[Change]) -> list[str]:
    """Say what was told, without versions."""
    return [f"{c.type} {c.uri.removeprefix('asms://')}" for c in changes]


async def test_watching_from_the_start_tells_all_and_then_where_that_is() -> None:
    """A watcher needs no read before."""
    things = Things()
    things.put("a")
    things.put("b")
    found = await told(things.resources(), "asms://things", None, 3)
    assert short(found) == ["ADDED thing/a", "ADDED thing/b", "BOOKMARK things"]
    assert found[-1].version == found[1].version


async def test_read_and_then_watched_nothing_is_missed() -> None:
    """What happens between the two is told."""
    things = Things()
    things.put("a", size=1)
    things.put("b")
    resources = things.resources()
    seen = await resources.read("asms://things")
    things.put("a", size=2)
    things.put("c")
    del things.rows["b"]
    found = await told(resources, "asms://things", seen.version, 4)
    assert short(found) == [
        "MODIFIED thing/a",
        "ADDED thing/c",
        "DELETED thing/b",
        "BOOKMARK things",
    ]
    assert found[0].shows == {"name": "a", "size": 2}
    again = await told(resources, "asms://things", found[1].version, 2)
    assert short(again) == ["DELETED thing/b", "BOOKMARK things"]


async def test_what_is_read_twice_unchanged_keeps_its_version() -> None:
    """So it can be an ETag."""
    things = Things()
    things.put("a")
    resources = things.resources()
    first, second = [await resources.read("asms://thing/a") for _ in range(2)]
    things.put("a", size=2)
    third = await resources.read("asms://thing/a")
    assert first == second
    assert third.version > first.version


async def test_versions_grow_from_one_start_to_the_next() -> None:
    """A watcher from before a restart is told to read anew; it never misses a change."""
    old = Versions(lambda: 1000)
    assert [old.next() for _ in range(3)] == [1000, 1001, 1002]
    things = Things()
    things.put("a")
    resources = things.resources()
    with pytest.raises(Gone, match="read it again"):
        await told(resources, "asms://things", 0, 1)
    with pytest.raises(Gone):
        await told(resources, "asms://things", 10**15, 1)


async def test_a_single_one_ends_and_comes_back() -> None:
    """It is not there: to read that is an error, to watch it an event."""
    things = Things()
    things.put("a")
    resources = things.resources()
    async with asyncio.timeout(30), aclosing(resources.watch("asms://thing/a")) as changes:
        assert (await anext(changes)).type == "ADDED"
        assert (await anext(changes)).type == "BOOKMARK"
        del things.rows["a"]
        assert (await anext(changes)).type == "DELETED"
        things.put("a", size=3)
        assert (await anext(changes)).shows == {"name": "a", "size": 3}
    with pytest.raises(NotFound, match="no thing 'b'"):
        await resources.read("asms://thing/b")
    with pytest.raises(NotFound, match="no thing 'b'"):
        await told(resources, "asms://thing/b", None, 1)


async def test_trouble_is_told_once_and_ends_nothing() -> None:
    """An engine that restarts is no reason for its watchers to leave."""
    things = Things()
    things.put("a")
    resources = things.resources()
    async with asyncio.timeout(30), aclosing(resources.watch("asms://things")) as changes:
        assert short([await anext(changes), await anext(changes)])[1] == "BOOKMARK things"
        things.put("b")
        things.trouble = [EngineNotRunning("it is away") for _ in range(3)]
        wrong = await anext(changes)
        assert (await anext(changes)).uri == "asms://thing/b"
    assert (wrong.type, wrong.shows["code"], wrong.shows["retryable"]) == (
        "ERROR",
        "ENGINE_NOT_RUNNING",
        True,
    )


async def test_many_watchers_cost_one_look() -> None:
    """A thousand people at a dashboard are one question to an engine."""
    things = Things()
    things.put("a")
    resources = things.resources(interval_seconds=3600)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(told(resources, "asms://things", None, 2)) for _ in range(1000)]
    assert {tuple(short(task.result())) for task in tasks} == {("ADDED thing/a", "BOOKMARK things")}
    assert things.looks <= 2
    assert resources.watchers == 0


async def test_a_slow_watcher_gets_the_latest_and_costs_nobody_anything() -> None:
    """It sleeps through 500 changes: no memory grows, and it is told how many it missed."""
    things = Things()
    things.put("a", n=0)
    resources = things.resources()
    feed = resources.feed("asms://things")
    async with asyncio.timeout(60), aclosing(resources.watch("asms://things")) as slow:
        await anext(slow)
        await anext(slow)
        tracemalloc.start()
        for n in range(1, 501):
            things.put("a", n=n)
            await feed.read()
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        change = await anext(slow)
    assert (change.type, change.shows["n"]) == ("MODIFIED", 500)
    assert change.coalesced == MOST_COUNTED - 1
    assert grown < 50_000


async def test_a_watcher_that_wants_to_hear_seldom_knows_that_it_is_connected() -> None:
    """Its pause is an hour; proxies and people take a silence of a minute for a broken line."""
    things = Things()
    things.put("a", n=0)
    resources = things.resources(bookmark_seconds=0.01)
    changes = resources.watch("asms://things", pause_seconds=3600)
    async with asyncio.timeout(30), aclosing(changes) as slow:
        assert short([await anext(slow), await anext(slow)])[1] == "BOOKMARK things"
        things.put("a", n=1)
        told = [await anext(slow) for _ in range(5)]
    assert short(told) == ["BOOKMARK things"] * 5


async def test_a_pause_begins_with_what_was_told_last() -> None:
    """Whoever has heard nothing for longer than that hears of a change at once."""
    things = Things()
    resources = things.resources()
    changes = resources.watch("asms://things", pause_seconds=3600)
    async with asyncio.timeout(30), aclosing(changes) as seldom:
        assert (await anext(seldom)).type == "BOOKMARK"
        things.put("a", n=1)
        assert (await anext(seldom)).shows == {"name": "a", "n": 1}


async def test_ends_are_remembered_up_to_a_bound() -> None:
    """Who missed more is told so, and reads anew."""
    things = Things()
    for n in range(MOST_DELETED + 10):
        things.put(str(n))
    resources = things.resources()
    seen = await resources.read("asms://things")
    things.rows.clear()
    await resources.read("asms://things")
    with pytest.raises(Gone):
        await told(resources, "asms://things", seen.version, 1)
    assert len(resources.feed("asms://things")._items) == MOST_DELETED


async def test_feeds_that_nobody_watches_are_forgotten() -> None:
    """Addresses are easily made up; memory is not."""
    things = Things()
    resources = things.resources()
    for n in range(600):
        resources.feed(f"asms://thing/{n}")
    assert len(resources._feeds) == 500


def test_an_address_finds_its_resource_or_the_nearest_name() -> None:
    """A slip is told with the way out."""
    resources = Things().resources()
    assert [r.uri for r in resources.all()] == ["asms://things", ONE]
    assert resources.find("asms://thing/a%2Fb")[2] == {"id": "a/b"}
    with pytest.raises(NotFound, match="did you mean 'asms://things'"):
        resources.find("asms://thinks")
    with pytest.raises(NotFound, match="did you mean 'asms://thing/a'"):
        resources.find("asms://thin/a")
    with pytest.raises(BadAddress):
        resources.find("asms://thing/..")


async def test_a_mistake_in_a_resource_ends_its_watchers() -> None:
    """They do not wait for ever for something that is not looked at any more."""
    things = Things()
    things.put("a")
    resources = things.resources()
    async with asyncio.timeout(30), aclosing(resources.watch("asms://things")) as changes:
        await anext(changes)
        await anext(changes)
        things.rows["a"] = {}
        with pytest.raises(KeyError):
            await anext(changes)


def test_the_feed_is_one_for_all_spellings() -> None:
    """`ASMS://Thing/%61` is `asms://thing/a`."""
    resources = Things().resources()
    feed = resources.feed("ASMS://Thing/%61")
    assert isinstance(feed, Feed)
    assert feed is resources.feed("asms://thing/a")
