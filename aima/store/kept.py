"""A store that a process opens once, for all its requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from aima.store.database import Store


class KeptStore:
    """Opens a store when it is first asked for, and keeps it open.

    To open one takes a look at its schema, which costs a request more than its own question does.
    What other processes write is seen at once: each question asks the database.
    """

    def __init__(self, open_: Callable[[], Store]) -> None:
        """Open nothing yet."""
        self._open = open_
        self._store: Store | None = None
        self._turn = Lock()

    def __call__(self) -> AbstractContextManager[Store]:
        """Give the store; the end of the block leaves it open. It blocks."""
        with self._turn:
            if self._store is None:
                self._store = self._open()
            return nullcontext(self._store)

    def close(self) -> None:
        """Let go of the store; asked again it is opened again."""
        with self._turn:
            if self._store is not None:
                self._store.close()
                self._store = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the store, when nobody asks any more."""
        self.close()
