"""A pull and a check leave notes for whoever looks, and nothing else behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aima.errors import ExecutionFailed
from aima.models.notes import Notes
from aima.models.store import ModelStore
from tests.unit.models.making import GivenSource, file_entry, manifest_of, unreachable

DATA = b"weights of a tiny model" * 1000


def store_with(folder: Path, source: GivenSource) -> ModelStore:
    """Give a store of one model."""
    manifest = manifest_of(file_entry(DATA))
    return ModelStore(folder, None, manifest=manifest, hub=unreachable(), packages=source)


def test_a_pull_says_how_far_it_is_while_it_lasts(tmp_path: Path) -> None:
    """To whoever lists the models, from whatever process."""
    notes = Notes(tmp_path, tmp_path / ".locks")
    store = store_with(tmp_path, GivenSource([DATA]))
    with store._locked(store.manifest.models[0]), notes.pulling("tiny", 100) as note:
        assert not store.pulls()
        note("tiny/weights.bin", 40)
        [pulling] = [one.pulling for one in store.list()]
        assert store.pulls()
    assert pulling is not None
    assert (pulling.file, pulling.done_bytes, pulling.total_bytes) == ("tiny/weights.bin", 40, 100)
    assert [one.pulling for one in store.list()] == [None]
    assert not store.pulls()


def test_the_note_of_a_pull_that_was_killed_is_none(tmp_path: Path) -> None:
    """Nobody holds its lock any more."""
    (tmp_path / ".pulling").mkdir()
    told = {"file": "tiny/weights.bin", "done_bytes": 1, "total_bytes": 2}
    (tmp_path / ".pulling" / "tiny").write_text(json.dumps(told))
    store = store_with(tmp_path, GivenSource([DATA]))
    assert [one.pulling for one in store.list()] == [None]
    store.pull("tiny")
    assert not store.pulls()


def test_what_was_pulled_was_verified_and_what_breaks_later_is_found(tmp_path: Path) -> None:
    """A pull keeps only what has the right checksum; a disk may lose it afterwards."""
    store = store_with(tmp_path, GivenSource([DATA]))
    store.pull("tiny")
    [pulled] = store.list()
    (tmp_path / "tiny" / "weights.bin").write_bytes(b"x" * len(DATA))
    assert store.check("tiny") == ("tiny/weights.bin: other bytes",)
    (tmp_path / "tiny" / "weights.bin").unlink()
    assert store.check("tiny") == ("tiny/weights.bin: missing",)
    [checked] = store.list()
    assert pulled.verified is not None
    assert pulled.verified.valid
    assert checked.verified is not None
    assert not checked.verified.valid
    assert checked.verified.at_ms >= pulled.verified.at_ms


def test_what_cannot_be_noted_stops_no_pull(tmp_path: Path) -> None:
    """Nor does what nobody can read stop whoever looks."""
    (tmp_path / ".verified").write_text("no folder")
    (tmp_path / ".pulling").mkdir()
    (tmp_path / ".pulling" / "tiny").write_text("{")
    store = store_with(tmp_path, GivenSource([DATA]))
    store.pull("tiny")
    assert [(one.present, one.verified) for one in store.list()] == [(True, None)]


def test_a_pull_that_fails_leaves_no_note(tmp_path: Path) -> None:
    """Else it would go on for ever."""
    store = store_with(tmp_path, GivenSource([b"something else"]))
    with pytest.raises(ExecutionFailed):
        store.pull("tiny")
    assert not store.pulls()
    assert [one.verified for one in store.list()] == [None]
