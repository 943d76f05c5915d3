"""Workflows whose triggers are active."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from aima.store import open_store
from aima.store.applied import Applied, AppliedWorkflow

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
