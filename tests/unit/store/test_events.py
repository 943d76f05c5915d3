"""The outbox: nothing is lost, nothing comes twice, and nobody depends on when they began."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from aima.store import open_store
from aima.store.database import Store
from aima.store.events import CloudEvent, Entry, Outbox, Wait, matches

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store."""
    with open_store(tmp_path / "aima.db") as opened:
        yield opened


@pytest.fixture
def outbox(store: Store) -> Outbox:
    """Give its outbox."""
    return store.events


def event(name: str, type_: str = "order.paid", *, time: datetime = NOON) -> CloudEvent:
    """Make an event."""
    return CloudEvent(id=name, type=type_, source="aima/test/run", data={"n": name}, time=time)


def ids(entries: list[Entry]) -> list[str]:
    """Name the events of entries."""
    return [entry.event.id for entry in entries]


# --- publishing and reading ---------------------------------------------------------------------


def test_an_event_comes_back_as_it_was_told(outbox: Outbox) -> None:
    """Also one from elsewhere: the time is the same moment, whatever its zone."""
    abroad = NOON.astimezone(timezone(timedelta(hours=8)))
    told = CloudEvent(
        "a", "order.paid", "aima/x/y", data=["ü", None, 1.5], time=abroad, subject="7"
    )
    outbox.publish(told)
    [entry] = outbox.after(0, limit=10)
    assert entry.event == told
    assert entry.event.time.utcoffset() == timedelta()


def test_an_event_of_no_data_has_data_all_the_same(outbox: Outbox) -> None:
    """`null` is JSON and not an absent value."""
    outbox.publish(CloudEvent("a", "t.t", "s", data=None))
    assert outbox.after(0, limit=1)[0].event.data is None


def test_an_event_told_twice_is_there_once(outbox: Outbox) -> None:
    """An attempt after a crash tells it again; others have acted on what the first said."""
    assert outbox.publish(event("a"))
    assert not outbox.publish(event("a", "order.lost"))
    assert [entry.event.type for entry in outbox.after(0, limit=10)] == ["order.paid"]


def test_events_of_all_threads_are_read_in_the_order_of_their_numbers(outbox: Outbox) -> None:
    """A reader that has seen a number has missed none before it."""
    together = threading.Barrier(4)

    def publish(thread: int) -> None:
        together.wait()
        for number in range(5):
            outbox.publish(event(f"{thread}-{number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))
    entries = outbox.after(0, limit=100)
    assert [entry.seq for entry in entries] == list(range(1, 21))
    for thread in range(4):
        mine = [name for name in ids(entries) if name.startswith(f"{thread}-")]
        assert mine == sorted(mine)


def test_a_reader_takes_bites(outbox: Outbox) -> None:
    """A backlog of a week must fit into memory."""
    for name in "abcde":
        outbox.publish(event(name))
    assert ids(outbox.after(1, limit=2)) == ["b", "c"]
    assert ids(outbox.after(5, limit=2)) == []


def test_a_cursor_only_goes_on(outbox: Outbox) -> None:
    """Of two readers that share it the slower one must not undo what the faster one did."""
    assert outbox.cursor("x") == 0
    outbox.advance("x", 5)
    outbox.advance("x", 3)
    assert (outbox.cursor("x"), outbox.cursor("y")) == (5, 0)


def test_the_json_of_an_event_is_a_cloud_event() -> None:
    """Other programs read it; an absent subject is left out, as the specification has it."""
    assert event("a").to_json() == {
        "specversion": "1.0",
        "id": "a",
        "type": "order.paid",
        "source": "aima/test/run",
        "time": "2026-03-01T12:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"n": "a"},
        "partitionkey": "aima/test/run",
    }
    told = CloudEvent("a", "t", "s", subject="7").to_json()
    assert (told["subject"], told["partitionkey"]) == ("7", "7")


KILLED = """
import os, signal, sys
from aima.store import open_store
from aima.store.events import CloudEvent

store = open_store(sys.argv[1])
store.events.publish(CloudEvent("told", "order.paid", "s"))
with store.transaction() as connection:
    connection.exec_driver_sql(
        "INSERT INTO events (id, type, source, time, data) VALUES ('half', 't', 's', '', '{}')"
    )
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_published_survives_kill_9(store: Store) -> None:
    """And what was not yet, leaves no gap that a reader would fall into."""
    script = [sys.executable, "-c", KILLED, str(store.file)]
    assert subprocess.run(script, check=False).returncode == -signal.SIGKILL
    store.events.publish(event("next"))
    assert [(e.seq, e.event.id) for e in store.events.after(0, limit=9)] == [
        (1, "told"),
        (2, "next"),
    ]


# --- waiting ------------------------------------------------------------------------------------


def test_a_wait_is_given_what_happened_since_the_runs_start(outbox: Outbox) -> None:
    """A step that begins to wait late has missed nothing; what was before is not its business."""
    hour = timedelta(hours=1)
    outbox.publish(event("before", time=NOON - hour))
    outbox.publish(event("at", time=NOON))
    outbox.publish(event("other", "order.lost", time=NOON))
    outbox.publish(event("after", time=NOON + hour))
    abroad = NOON.astimezone(timezone(-8 * hour))
    found = outbox.wait("run", "step", type="order.paid", since=abroad)
    assert [one.id for one in found] == ["at", "after"]


def test_each_event_is_in_the_answer_or_is_delivered(outbox: Outbox) -> None:
    """Never both, never neither: the number tells."""
    outbox.publish(event("missed"))
    assert len(outbox.wait("run", "step", type="order.paid", since=NOON)) == 1
    outbox.publish(event("later"))
    missed, later = outbox.after(0, limit=10)
    assert outbox.waits_for(missed) == []
    assert outbox.waits_for(later) == [Wait("run", "step", "order.paid", missed.seq)]


def test_no_event_falls_between_waiting_and_publishing(outbox: Outbox) -> None:
    """Both happen at the same time in different processes, day after day."""
    together = threading.Barrier(2)

    def publish() -> None:
        together.wait()
        for number in range(30):
            outbox.publish(event(str(number)))

    def wait(step: int) -> set[str]:
        found = outbox.wait("run", f"step{step}", type="order.paid", since=NOON)
        return {one.id for one in found}

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish)
        together.wait()
        answers = [wait(step) for step in range(30)]
        publishing.result()
    entries = outbox.after(0, limit=100)
    for step, answer in enumerate(answers):
        delivered = {
            entry.event.id
            for entry in entries
            if any(wait.step == f"step{step}" for wait in outbox.waits_for(entry))
        }
        assert not answer & delivered
        assert len(answer | delivered) == 30


def test_waiting_again_begins_anew(outbox: Outbox) -> None:
    """The answer of the first attempt was lost; the next one gives all of it again."""
    outbox.publish(event("a"))
    outbox.wait("run", "step", type="other.type", since=NOON)
    assert len(outbox.wait("run", "step", type="order.paid", since=NOON)) == 1
    outbox.publish(event("b"))
    [wait] = outbox.waits_for(outbox.after(1, limit=1)[0])
    assert wait.type == "order.paid"


def test_a_wait_that_is_forgotten_is_told_nothing(outbox: Outbox) -> None:
    """Its run has ended; others wait on."""
    for run in ("gone", "there"):
        outbox.wait(run, "step", type="order.paid", since=NOON)
    outbox.forget("gone", "step")
    outbox.forget("never", "was")
    outbox.publish(event("a"))
    assert [wait.run for wait in outbox.waits_for(outbox.after(0, limit=1)[0])] == ["there"]


@pytest.mark.parametrize(
    ("pattern", "type_", "expected"),
    [
        ("order.paid", "order.paid", True),
        ("order.paid", "order.paid.twice", False),
        ("order.*", "order.paid", True),
        ("order.*", "order.paid.twice", True),
        ("order.paid.*", "order.paid", False),
        ("order.*", "order", False),
        ("order.*", "orders.paid", False),
        ("order.*", "Order.paid", False),
        ("order.*", "order/paid", False),
        ("*", "order.paid", False),
        ("%.*", "order.paid", False),
        ("order_.*", "orderx.paid", False),
    ],
)
def test_a_pattern_is_a_type_or_a_beginning(
    outbox: Outbox, pattern: str, type_: str, *, expected: bool
) -> None:
    """Triggers ask in Python, waits in SQL, deliveries the other way round: all must agree."""
    assert matches(pattern, type_) is expected
    outbox.wait("run", "early", type=pattern, since=NOON)
    outbox.publish(event("a", type_))
    assert bool(outbox.waits_for(outbox.after(0, limit=1)[0])) is expected
    assert bool(outbox.wait("run", "late", type=pattern, since=NOON)) is expected


# --- forgetting ---------------------------------------------------------------------------------


def test_old_events_are_forgotten_once_they_are_dealt_with(outbox: Outbox) -> None:
    """The outbox must not grow for ever, and what nobody has passed on yet is not old."""
    now = datetime.now(UTC)
    for name, age in (("old", 31), ("young", 29), ("old and waiting", 31)):
        outbox.publish(event(name, time=now - timedelta(days=age)))
    assert outbox.prune(timedelta(days=30)) == 0
    outbox.advance("x", 2)
    assert outbox.prune(timedelta(days=30)) == 1
    assert ids(outbox.after(0, limit=10)) == ["young", "old and waiting"]


def test_a_number_never_comes_back(outbox: Outbox) -> None:
    """A cursor stands behind the pruned events; a new one under an old number would be skipped."""
    outbox.publish(event("a", time=NOON - timedelta(days=1000)))
    outbox.advance("x", 1)
    assert outbox.prune(timedelta(days=30)) == 1
    outbox.publish(event("b"))
    assert [entry.seq for entry in outbox.after(1, limit=10)] == [2]
