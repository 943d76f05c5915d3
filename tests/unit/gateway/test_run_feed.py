"""A run's feed: what is told to whom, and what is kept for those who come again."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from aima.gateway.runs.feed import MOST_BYTES, MOST_EVENTS, MOST_STEPS, RunFeed
from aima.streams.hub import Hub, Said
from aima.temporal.history import StepState


def read(frame: bytes) -> tuple[int | None, str, dict[str, Any]]:
    """Read one event: its number, its kind, its data."""
    fields = dict(line.split(": ", 1) for line in frame.decode().splitlines() if line)
    return (
        (int(fields["id"]) if "id" in fields else None),
        fields["event"],
        json.loads(fields["data"]),
    )


def kinds(frames: list[bytes]) -> list[str]:
    """Name the kinds of some events."""
    return [read(frame)[1] for frame in frames]


def say(hub: Hub, text: str, offset: int, attempt: int = 1) -> None:
    """Show a piece."""
    hub.say(Said("r", "chat", attempt, offset, text.encode(), "text/plain"))


@pytest.fixture
def hub() -> Hub:
    """A hub that nobody uses."""
    return Hub()


@pytest.fixture
def feed(hub: Hub) -> RunFeed:
    """The feed of a run that has not begun."""
    return RunFeed("r", hub)


def test_who_comes_late_hears_where_it_is(feed: RunFeed, hub: Hub) -> None:
    """Each step once, as it is; each answer whole; and a number to come again with."""
    for state in ("waiting", "running", "done"):
        feed.take(StepState("a", "lab.echo", state))
    feed.take(StepState("b", "lab.echo", "running"))
    say(hub, "Once ", 0)
    feed.take({"rows": []})
    say(hub, "upon", 5)
    frames, at = feed.news(None)
    told = [read(frame) for frame in frames]
    assert [(kind, data.get("state")) for _, kind, data in told[:2]] == [
        ("step", "done"),
        ("step", "running"),
    ]
    assert told[2][2]["text"] == "Once upon"
    assert [number for number, _, _ in told] == [None, None, None, at]
    assert feed.news(at) == ([], at)


def test_who_comes_again_hears_what_came_meanwhile(feed: RunFeed, hub: Hub) -> None:
    """Nothing twice, nothing left out, in numbers that grow."""
    feed.take(StepState("a", "lab.echo", "running"))
    _, seen = feed.news(None)
    say(hub, "one", 0)
    feed.drain()
    say(hub, "two", 3)
    feed.take({"rows": [1]})
    feed.take(StepState("a", "lab.echo", "done"))
    frames, at = feed.news(seen)
    assert kinds(frames) == ["piece", "progress", "step", "piece"]
    numbers = [read(frame)[0] for frame in frames]
    assert numbers == sorted({number for number in numbers if number}), "they grow"
    assert (numbers[-1], feed.news(at)) == (at, ([], at))


@pytest.mark.parametrize("after", [0, 1, 10**17])
def test_a_number_that_is_not_known_begins_anew(feed: RunFeed, after: int) -> None:
    """It is of a feed before this one, or too old, or made up."""
    feed.take(StepState("a", "lab.echo", "running"))
    feed.take(StepState("a", "lab.echo", "done"))
    frames, _ = feed.news(after)
    assert [read(frame)[2]["state"] for frame in frames] == ["done"]


def test_a_later_feed_has_larger_numbers(hub: Hub) -> None:
    """The door was started anew; a client's number must not be one of an event it never saw."""
    now = [1_000.0]
    first = RunFeed("r", hub, clock=lambda: now[0])
    for _ in range(500):
        first.take(StepState("a", "lab.echo", "running"))
    now[0] += 1
    second = RunFeed("r", hub, clock=lambda: now[0])
    second.take(StepState("a", "lab.echo", "done"))
    assert kinds(second.news(first.news(None)[1])[0]) == ["step"]
    assert second.news(None)[1] > first.news(None)[1]


def test_what_is_kept_is_bounded(feed: RunFeed, hub: Hub) -> None:
    """In number and in bytes; who has fallen behind is told where the run is."""
    feed.take(StepState("slow", "lab.echo", "running"))
    _, seen = feed.news(None)
    for number in range(MOST_EVENTS + 10):
        feed.take(StepState(f"s{number}", "lab.echo", "done"))
    frames, _ = feed.news(seen)
    assert len(frames) == MOST_STEPS
    assert read(frames[-1])[2]["step"] == f"s{MOST_EVENTS + 9}", "the latest are told"
    say(hub, "x" * (2 * MOST_BYTES), 0)
    _, at = feed.news(None)
    feed.take(StepState("last", "lab.echo", "done"))
    assert kinds(feed.news(at)[0]) == ["step"]
    assert sum(len(sent.frame) for sent in feed._log) <= MOST_BYTES


def test_an_attempt_that_begins_again_is_told_with_its_number(feed: RunFeed, hub: Hub) -> None:
    """A page throws away what it has shown of the one before."""
    say(hub, "lost thread", 0)
    _, at = feed.news(None)
    say(hub, "Once", 0, attempt=2)
    [(_, _, piece)] = [read(frame) for frame in feed.news(at)[0]]
    assert (piece["attempt"], piece["offset"], piece["text"]) == (2, 0, "Once")


async def test_a_quiet_feed_says_that_it_is_there(hub: Hub) -> None:
    """A proxy closes a line that nothing comes through; a comment is nothing to a client."""
    feed = RunFeed("r", hub, heartbeat=0.01)
    async with aclosing(feed.frames(None)) as frames:
        assert (await anext(frames)).startswith(b":")
        feed.take(StepState("a", "lab.echo", "running"))
        while (frame := await anext(frames)).startswith(b":"):
            pass
        assert kinds([frame]) == ["step"]


async def test_a_slow_reader_holds_nobody_up(feed: RunFeed) -> None:
    """A hundred do not read on; the feed goes on and each of them is a number."""
    readers = [feed.frames(None) for _ in range(100)]
    feed.take(StepState("a", "lab.echo", "running"))
    await asyncio.gather(*(anext(reader) for reader in readers))
    for number in range(3 * MOST_EVENTS):
        feed.take(StepState("b", "lab.echo", "running", attempt=number))
    for reader in readers:
        assert read(await anext(reader))[2]["step"] == "a", "it is told where the run is"
        assert read(await anext(reader))[2]["attempt"] == 3 * MOST_EVENTS - 1
        await reader.aclose()
