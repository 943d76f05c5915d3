"""Many resources at one address: found by whatever lists them, watched like one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from aima.errors import AimaError, EngineNotRunning, NotFound, TooLarge
from aima.resources.pattern import MOST_MATCHED
from aima.resources.registry import Resources
from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Template
from aima.unit import Members


@dataclass
class Devices:
    """Devices that come and go, with something to measure."""

    watts: dict[str, int] = field(default_factory=dict)
    broken: dict[str, AimaError] = field(default_factory=dict)
    measured: int = 0

    async def all(self, _: Values) -> Data:
        """List them."""
        return {"items": [{"id": name} for name in self.watts]}

    async def metrics(self, values: Values) -> Data:
        """Measure one."""
        self.measured += 1
        name = values["id"]
        if name in self.broken:
            raise self.broken[name]
        if name not in self.watts:
            raise NotFound(f"there is no device {name!r}")
        return {"watts": self.watts[name]}

    def resources(self) -> Resources:
        """Give them as resources, looked at often."""
        listed = Members("items", "id", "asms://device/{id}/info")
        told = [
            ("asms://devices", "d", self.all, listed),
            ("asms://device/{id}/info", "d", self.metrics, None),
            ("asms://device/{id}/metrics", "m", self.metrics, None),
            ("asms://part/{id}", "p", self.metrics, None),
        ]
        return Resources(
            Resource(Template.parse(uri), "T", permission, read, members, 0.001)
            for uri, permission, read, members in told
        )


@pytest.fixture
def devices() -> Devices:
    """Two of them."""
    return Devices({"a": 1, "b/c": 2})


async def shown(devices: Devices, uri: str) -> dict[str, Data]:
    """Read a pattern."""
    snapshot = await devices.resources().read(uri)
    return {row["uri"]: row["data"] for row in snapshot.data["items"]}


async def test_each_that_a_list_names_is_read(devices: Devices) -> None:
    """The list has their names, each has its measurements."""
    assert await shown(devices, "asms://device/*/metrics") == {
        "asms://device/a/metrics": {"watts": 1},
        "asms://device/b%2Fc/metrics": {"watts": 2},
    }


async def test_what_the_list_shows_is_not_read_again(devices: Devices) -> None:
    """One look for all of them, however many there are."""
    assert await shown(devices, "asms://device/*/info") == {
        "asms://device/a/info": {"id": "a"},
        "asms://device/b%2Fc/info": {"id": "b/c"},
    }
    assert devices.measured == 0


async def test_all_of_one(devices: Devices) -> None:
    """A star may stand for what is fixed as well."""
    assert list(await shown(devices, "asms://device/a/*")) == [
        "asms://device/a/info",
        "asms://device/a/metrics",
    ]
    assert await shown(devices, "asms://device/none/*") == {}


async def test_one_that_cannot_be_read_holds_no_other_up(devices: Devices) -> None:
    """It says why."""
    devices.broken["a"] = EngineNotRunning("it is away")
    told = await shown(devices, "asms://device/*/metrics")
    assert told["asms://device/a/metrics"]["error"]["code"] == "ENGINE_NOT_RUNNING"
    assert told["asms://device/b%2Fc/metrics"] == {"watts": 2}


async def test_they_are_watched_like_one_that_has_changes_of_its_own(devices: Devices) -> None:
    """Read, and then watched from there: what comes, what changes and what goes is told."""
    resources, uri = devices.resources(), "asms://device/*/metrics"
    seen = await resources.read(uri)
    devices.watts |= {"a": 3, "new": 4}
    del devices.watts["b/c"]
    told = []
    async with asyncio.timeout(30), aclosing(resources.watch(uri, seen.version)) as changes:
        async for change in changes:
            told.append((change.type, change.uri))
            if change.type == "BOOKMARK":
                break
    assert sorted(told) == [
        ("ADDED", "asms://device/new/metrics"),
        ("BOOKMARK", uri),
        ("DELETED", "asms://device/b%2Fc/metrics"),
        ("MODIFIED", "asms://device/a/metrics"),
    ]


def test_whoever_wants_them_must_be_allowed_each(devices: Devices) -> None:
    """The list that tells which there are included."""
    found, written, _ = devices.resources().find("asms://Device/*/metrics")
    assert (written, found.permissions()) == ("asms://device/*/metrics", ("m", "d"))


@pytest.mark.parametrize(
    ("uri", "way_out"),
    [
        ("asms://part/*", "name each"),
        ("asms://devise/*/metrics", "did you mean 'asms://device/\\*/metrics'"),
        ("asms://devices/*", "did you mean 'asms://devices'"),
    ],
)
def test_what_nobody_lists_is_told_with_the_way_out(
    devices: Devices, uri: str, way_out: str
) -> None:
    """At once: a watcher of nothing would wait for ever."""
    with pytest.raises(NotFound, match=way_out):
        devices.resources().find(uri)


async def test_a_pattern_does_not_ask_for_ever(devices: Devices) -> None:
    """Ten thousand measurements a second are more than anybody reads."""
    devices.watts = dict.fromkeys(map(str, range(MOST_MATCHED + 1)), 1)
    with pytest.raises(TooLarge, match="asms://devices"):
        await shown(devices, "asms://device/*/metrics")
    assert devices.measured == 0
