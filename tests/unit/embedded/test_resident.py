"""A model in memory: loaded once, on first need, whoever asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from aima.embedded.resident import Resident
from aima.errors import ExecutionFailed
from aima.models.store import ModelStore
from tests.unit.models.making import GivenSource, file_entry, manifest_of, unreachable

DATA = b"weights"


@dataclass
class Loader:
    """Loads a model's one file, and remembers how often; fails as often as told."""

    failures: int = 0
    loads: int = 0
    waits_for: Event = field(default_factory=Event)

    def __call__(self, folder: Path) -> bytes:
        """Load."""
        self.loads += 1
        assert self.waits_for.wait(10)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("bad magic")
        return (folder / "weights.bin").read_bytes()


def resident_of(
    folder: Path, loader: Loader, *, source: GivenSource | None = None
) -> Resident[bytes]:
    """Give a model that is not on this machine yet."""
    manifest = manifest_of(file_entry(DATA))
    store = ModelStore(folder, manifest=manifest, packages=source or GivenSource([DATA]))
    return Resident(manifest.models[0], store, loader)


async def test_the_first_need_fetches_and_loads(tmp_path: Path) -> None:
    """And the time it took is told to who waited."""
    loader = Loader()
    resident = resident_of(tmp_path, loader)
    asyncio.get_running_loop().call_later(0.05, loader.waits_for.set)
    first = await resident.get()
    assert first.value == DATA
    assert first.load_ms >= 40
    second = await resident.get()
    assert second.load_ms < first.load_ms
    assert resident.loaded
    assert loader.loads == 1


async def test_two_that_need_it_at_once_load_it_once(tmp_path: Path) -> None:
    """Twice the memory could be the end of a small machine."""
    loader = Loader()
    loader.waits_for.set()
    resident = resident_of(tmp_path, loader)
    await asyncio.gather(resident.get(), resident.get())
    assert loader.loads == 1


async def test_a_caller_that_leaves_does_not_stop_the_loading(tmp_path: Path) -> None:
    """The next one finds it done."""
    loader = Loader()
    resident = resident_of(tmp_path, loader)
    impatient = asyncio.create_task(resident.get())
    await asyncio.sleep(0)
    impatient.cancel()
    loader.waits_for.set()
    assert (await resident.get()).value == DATA
    assert loader.loads == 1


async def test_a_model_that_does_not_load_is_told_and_tried_again(tmp_path: Path) -> None:
    """A damaged file is mended by a pull; the process needs no restart for it."""
    loader = Loader(failures=1)
    loader.waits_for.set()
    resident = resident_of(tmp_path, loader)
    with pytest.raises(
        ExecutionFailed, match=r"'tiny' does not load \(bad magic\).*models pull tiny"
    ):
        await resident.get()
    assert not resident.loaded
    assert (await resident.get()).value == DATA


async def test_a_model_that_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    """The reasons of the sources reach the user."""
    resident = resident_of(tmp_path, Loader(), source=unreachable())
    with pytest.raises(ExecutionFailed, match="out of reach"):
        await resident.get()
