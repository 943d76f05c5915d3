"""Models that come and go and engines that start and end are told, each change once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aima.models.manifest import load_manifest
from aima.models.notes import Pulling, Verified
from aima.models.store import StoredModel
from aima.observing import Observer
from aima.ports.engine_lifecycle import EngineCard
from aima.store import open_store
from aima.store.database import Store

MODEL = load_manifest().models[0]


@dataclass
class Outside:
    """A model that is there or not, and an engine that runs or not."""

    folder: Path
    present: bool = False
    status: str = "stopped"
    pulling: Pulling | None = None
    verified: Verified | None = None
    rung: list[bool] = field(default_factory=list)

    def models(self) -> list[StoredModel]:
        """List the model."""
        return [StoredModel(MODEL, self.folder, self.present, self.pulling, self.verified)]

    async def look(self, name: str) -> EngineCard:
        """Look at the engine."""
        return EngineCard.model_validate({"name": name, "type": "vllm", "status": self.status})

    def observer(self, store: Store) -> Observer:
        """Make an observer, as another worker would."""
        return Observer(
            store.facts,
            self.models,
            lambda: self.pulling is not None,
            ("there",),
            self.look,
            lambda: self.rung.append(True),
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store."""
    with open_store(tmp_path / "aima.db") as opened:
        yield opened


def told(store: Store) -> list[str]:
    """Say what was told."""
    return [f"{e.event.type} {e.event.subject}" for e in store.events.after(0, limit=99)]


async def test_each_change_is_told_once_whoever_sees_it(store: Store, tmp_path: Path) -> None:
    """Two workers look, and one that begins anew knows what was told."""
    outside = Outside(tmp_path)
    one, other = outside.observer(store), outside.observer(store)
    await one.observe()
    assert (told(store), outside.rung) == ([], [])
    outside.present, outside.status = True, "running"
    await one.observe()
    await other.observe()
    outside.status = "sleeping"
    await other.observe()
    outside.present, outside.status = False, "stopped"
    await other.observe()
    await outside.observer(store).observe()
    assert told(store) == [
        f"model.created model/{MODEL.name}",
        "engine.health_changed engine/there",
        "engine.health_changed engine/there",
        f"model.deleted model/{MODEL.name}",
        "engine.health_changed engine/there",
    ]
    assert len(outside.rung) == 3


async def test_a_pull_is_told_by_looks_and_not_by_pieces(store: Store, tmp_path: Path) -> None:
    """However many pieces arrive between two looks; one that stands still is not told again."""
    outside = Outside(tmp_path)
    one, other = outside.observer(store), outside.observer(store)
    for done in (0, 0, 700):
        outside.pulling = Pulling("tiny/weights.bin", done, 1000)
        await one.observe()
        await other.observe()
    outside.pulling, outside.present = None, True
    outside.verified = Verified(at_ms=1)
    await one.observe()
    events = [entry.event for entry in store.events.after(0, limit=99)]
    assert [event.type for event in events] == [
        "model.pull_progress",
        "model.pull_progress",
        "model.verified",
        "model.created",
    ]
    assert events[1].data == {
        "model_id": MODEL.name,
        "file": "tiny/weights.bin",
        "done_bytes": 700,
        "total_bytes": 1000,
    }


async def test_each_comparison_with_checksums_is_told(store: Store, tmp_path: Path) -> None:
    """What is wrong included; one that was told is no news for a worker that begins anew."""
    outside = Outside(tmp_path, verified=Verified(1))
    await outside.observer(store).observe()
    outside.verified = Verified(2, ("tiny/weights.bin: other bytes",))
    await outside.observer(store).observe()
    await outside.observer(store).observe()
    data = [entry.event.data for entry in store.events.after(0, limit=99)]
    assert data == [
        {"model_id": MODEL.name, "valid": True, "issues": []},
        {"model_id": MODEL.name, "valid": False, "issues": ["tiny/weights.bin: other bytes"]},
    ]


async def test_what_was_told_last_outlives_the_events(store: Store, tmp_path: Path) -> None:
    """When those are forgotten, a model of last year is no news."""
    outside = Outside(tmp_path, present=True, status="running")
    await outside.observer(store).observe()
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM events")
    await outside.observer(store).observe()
    assert told(store) == []
