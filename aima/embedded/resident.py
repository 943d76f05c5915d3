"""A model in memory: fetched and loaded on first need, once, whoever asks first."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from aima.errors import ExecutionFailed
from aima.models.manifest import Model
from aima.models.store import ModelStore

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """A model ready for use, and how long this caller waited for it."""

    value: T
    load_ms: float


class Resident(Generic[T]):
    """A model that stays in memory from its first use to the end of the process."""

    def __init__(self, model: Model, store: ModelStore, load: Callable[[Path], T]) -> None:
        """Load nothing yet; ``load`` gets the model's folder and runs in a thread."""
        self.model = model
        self._store = store
        self._load = load
        self._loading: asyncio.Task[T] | None = None

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self._loading is not None and self._loading.done()

    async def get(self) -> Loaded[T]:
        """Give the model, fetched and loaded if need be.

        A caller that leaves does not stop the loading: the next one wants it as well.

        Raises:
            AimaError: it cannot be fetched or loaded; the next call tries again.
        """
        begun = time.monotonic()
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._bring))
            self._loading.add_done_callback(self._forget_failure)
        value = await asyncio.shield(self._loading)
        return Loaded(value, (time.monotonic() - begun) * 1000)

    def _forget_failure(self, task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception():
            self._loading = None

    def _bring(self) -> T:
        name = self.model.name
        if not self._store.present(name):
            log.info("fetching model %s, %d MB", name, self.model.bytes // 1_000_000)
            self._store.pull(name)
        try:
            return self._load(self._store.path(name))
        except (RuntimeError, ValueError, KeyError) as error:  # what the native libraries raise
            raise ExecutionFailed(
                f"model {name!r} does not load ({error}); "
                f"`aima models pull {name}` checks its files and mends them"
            ) from error
