"""What is sent to a run: signals, approvals and events, each kept until one step takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from aima.dsl.json import Json
from aima.workflows.frame import Place

LETTER = "letter"
"""Where a step's place has the letter that it was given."""


class Mail:
    """First in, first out for each kind; a letter completes one wait, the oldest first.

    A kind is ``signal:NAME``, ``approval:STEP`` with the item as in ``review[3]``, or
    ``event:STEP``; ``known:STEP`` has the ids of the events that were told. A letter is put into
    the place of the step that gets it before that step hears of it, so that it is never lost
    between two histories.
    """

    def __init__(self) -> None:
        """Start with no letters, before the run itself is known."""
        self._letters: dict[str, list[Json]] = {}
        self._waiting: dict[str, deque[tuple[Place, asyncio.Future[None]]]] = {}

    def join(self, state: dict[str, Any]) -> None:
        """Keep the letters in a run's state from now on, behind those that are there."""
        kept: dict[str, list[Json]] = state["mail"]
        for kind, letters in self._letters.items():
            kept.setdefault(kind, []).extend(letters)
        self._letters = kept

    def put(self, kind: str, letter: Json) -> None:
        """Give a letter to the step that has waited longest, or keep it."""
        waiting = self._waiting.get(kind, deque())
        while waiting:
            place, taken = waiting.popleft()
            if not taken.done():
                place[LETTER] = letter
                taken.set_result(None)
                return
        self._letters.setdefault(kind, []).append(letter)

    def claim(self, wanted: Callable[[str], bool]) -> dict[str, list[Json]]:
        """Take out all letters of the kinds that are wanted."""
        kinds = [kind for kind in self._letters if wanted(kind)]
        return {kind: self._letters.pop(kind) for kind in kinds}

    def put_events(self, step: str, events: Json) -> None:
        """Give a step events, each only once, however often it is told."""
        for event in events if isinstance(events, list) else ():
            if not isinstance(event, dict) or "data" not in event:
                continue
            known = self._letters.setdefault(f"known:{step}", [])
            if event.get("id") not in known:
                known.append(event.get("id"))
                self.put(f"event:{step}", event)

    async def take(self, kind: str, place: Place) -> Json:
        """Wait for a letter; it stays in ``place`` until the step forgets its place."""
        if LETTER not in place:
            letters = self._letters.get(kind)
            if letters:
                place[LETTER] = letters.pop(0)
            else:
                await self._turn(kind, place)
        return place[LETTER]  # type: ignore[no-any-return] # as it was put there

    async def _turn(self, kind: str, place: Place) -> None:
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(kind, deque()).append((place, taken))
        try:
            await taken
        except asyncio.CancelledError:
            if LETTER in place:
                self._letters.setdefault(kind, []).insert(0, place.pop(LETTER))
            raise
