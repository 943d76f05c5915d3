"""Workflows whose triggers are active."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from aima.store import open_store
from aima.store.applied import Applied, AppliedWorkflow
from aima.store.events import Outbox

ALARM = AppliedWorkflow(
    name="alarm",
    plan='{"name":"alarm"}',
    hash="sha256:1",
    source="alarm.yaml",
    text="name: alarm # ü",
    applied_at=datetime(2026, 3, 1, 20, tzinfo=timezone(timedelta(hours=8))),
)


@pytest.fixture
def applied(tmp_path: Path) -> Iterator[Applied]:
    """Open a fresh store."""
    with open_store(tmp_path / "aima.db") as store:
        yield store.applied


def test_an_applied_workflow_is_kept_as_it_was(applied: Applied) -> None:
    """Its plan is pinned: editing the file changes nothing until it is applied again."""
    applied.put(ALARM)
    found = applied.get("alarm")
    assert found == ALARM
    assert found is not None
    assert found.applied_at.tzinfo is UTC


def test_applying_again_replaces(applied: Applied) -> None:
    """One name is one workflow, also from another file."""
    applied.put(ALARM)
    newer = replace(
        ALARM, plan="{}", hash="sha256:2", source="new.yaml", text="", applied_at=datetime.now(UTC)
    )
    applied.put(newer)
    assert applied.all() == [newer]


def test_all_are_listed_by_name(applied: Applied) -> None:
    """A list that people read has an order."""
    for name in ("b", "c", "a"):
        applied.put(replace(ALARM, name=name))
    assert [workflow.name for workflow in applied.all()] == ["a", "b", "c"]


def test_what_is_removed_is_gone(applied: Applied) -> None:
    """And to remove what is not there is told, not raised."""
    applied.put(ALARM)
    assert applied.remove("alarm")
    assert not applied.remove("alarm")
    assert applied.get("alarm") is None


def test_a_change_is_told_and_none_where_nothing_changed(applied: Applied) -> None:
    """`aima apply` of a whole folder again is no news."""
    applied.put(ALARM)
    applied.put(replace(ALARM, source="moved.yaml"))
    applied.put(replace(ALARM, hash="sha256:2"))
    applied.remove("alarm")
    applied.remove("alarm")
    told = [entry.event for entry in Outbox(applied.begin).after(0, limit=9)]
    assert [event.type for event in told] == [
        "workflow.applied",
        "workflow.applied",
        "workflow.unapplied",
    ]
    assert told[1].data == {
        "name": "alarm",
        "plan": "sha256:2",
        "source": "alarm.yaml",
        "replaces": "sha256:1",
    }
    assert {event.subject for event in told} == {"workflow/alarm"}


APPLYING = """
import sys
from itertools import count
from aima.store import open_store
from aima.store.applied import AppliedWorkflow

store = open_store(sys.argv[1])
for number in count():
    store.applied.put(AppliedWorkflow(f"w{number}", "{}", "sha256:1", source="", text=""))
    print(f"workflow/w{number}", flush=True)
"""


def test_kill_9_parts_no_change_from_its_event(tmp_path: Path) -> None:
    """Whenever it strikes: what is there was told, what was told is there, and once."""
    file = tmp_path / "aima.db"
    script = [sys.executable, "-c", APPLYING, str(file)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline().strip() for _ in range(20)]
        process.kill()
    with open_store(file) as store:
        there = [f"workflow/{workflow.name}" for workflow in store.applied.all()]
        told = [entry.event.subject for entry in store.events.after(0, limit=10_000)]
    assert set(seen) <= set(told)
    assert sorted(there) == sorted(map(str, told))
