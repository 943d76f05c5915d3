"""What is sent to a run: signals, approvals and events, each kept until one step takes it."""

from __future__ import annotations

import asyncio
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
    between two histories; nor is a step's turn, which is kept in line under its path.
    """

    def __init__(self) -> None:
        """Start with no letters, before the run itself is known."""
        self._letters: dict[str, list[Json]] = {}
        self._line: dict[str, list[str]] = {}
        self._here: dict[tuple[str, str], tuple[Place, asyncio.Future[None]]] = {}

    def join(self, state: dict[str, Any]) -> None:
        """Keep letters and line in a run's state from now on, behind those that are there."""
        kept: dict[str, list[Json]] = state["mail"]
        for kind, letters in self._letters.items():
            kept.setdefault(kind, []).extend(letters)
        self._letters, self._line = kept, state["waiting"]

    def put(self, kind: str, letter: Json) -> None:
        """Give a letter to the step that has waited longest, or keep it."""
        self._letters.setdefault(kind, []).append(letter)
        self._deal(kind)

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

    async def take(self, kind: str, place: Place, path: str) -> Json:
        """Wait for a letter; it stays in ``place`` until the step forgets its place.

        Args:
            kind: of what.
            place: of the step that waits.
            path: of that step; under it, it keeps its turn in a continued run.
        """
        if LETTER not in place:
            line = self._line.setdefault(kind, [])
            if path not in line:
                line.append(path)
            taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._here[kind, path] = (place, taken)
            self._deal(kind)
            try:
                await taken
            except asyncio.CancelledError:
                self._here.pop((kind, path), None)
                if LETTER in place:
                    self._letters.setdefault(kind, []).insert(0, place.pop(LETTER))
                self.forget(path)
                raise
        return place[LETTER]  # type: ignore[no-any-return] # as it was put there

    def forget(self, path: str) -> None:
        """Let the others move up: the step under this path waits no more."""
        for kind, line in list(self._line.items()):
            if path in line:
                line.remove(path)
            self._deal(kind)

    def _deal(self, kind: str) -> None:
        """Hand out letters to those in front, as far as they are here; others may still come."""
        letters, line = self._letters.get(kind), self._line.get(kind)
        while letters and line and (kind, line[0]) in self._here:
            place, taken = self._here.pop((kind, line.pop(0)))
            if taken.done():
                continue
            place[LETTER] = letters.pop(0)
            taken.set_result(None)
        for kept in (self._letters, self._line):
            if kind in kept and not kept[kind]:
                del kept[kind]
