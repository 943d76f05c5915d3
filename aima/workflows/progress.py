"""How far a run is: counted as it goes, told to the Temporal UI and to whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from temporalio import workflow

from aima.dsl.json import Json
from aima.workflows.outline import CACHED, Line, State, add_counts, rows, state_of
from aima.workflows.progress_table import MOST_ROWS, summary, table

if TYPE_CHECKING:
    from aima.workflows.frame import Frame, Node

__all__ = ["PROGRESS", "Progress", "State"]

PROGRESS = "aima.progress"
"""The query that tells how far a run is, in a few words however long it is."""

MOST_WAITS = 20
"""So many of the waits are told one by one."""


class Progress:
    """How often each step came to each state, how far the loops are, and what is waited for.

    All of it but the waits is part of the run's state, so that a continued run goes on counting;
    the steps that wait tell so again.
    """

    def __init__(self, lines: tuple[Line, ...], state: dict[str, Any], run_id: str) -> None:
        """Start with every step waiting, but for those counted before."""
        self.waits: dict[str, dict[str, Json]] = {}
        self._lines = lines
        self._state = state
        self._id = run_id
        self._namespace = workflow.info().namespace
        self.counts: dict[str, dict[str, int]] = state["counts"]
        for counts in self.counts.values():
            counts.pop("running", None)  # what ran when the last history ended begins again
        self._loops: dict[str, dict[str, int]] = state.setdefault("loops", {})
        self._notes: dict[str, dict[str, int]] = state.setdefault("notes", {})

    def set(self, node: Node, state: State) -> None:
        """Note where a step is."""
        counts = self.counts.setdefault(node.id, {})
        if state is not State.running:
            counts["running"] = counts.get("running", 1) - 1
        counts[state.value] = counts.get(state.value, 0) + 1

    def from_cache(self, node: Node) -> None:
        """Note that a step's output came from the cache."""
        add_counts(self.counts, {node.id: {CACHED: 1}})

    def loop(self, node: Node, **more: int) -> None:
        """Note more items of a loop: ``all`` that there are, those ``done``, those ``failed``."""
        add_counts(self._loops, {node.id: more})

    def note(self, node: Node, **notes: int) -> None:
        """Note something about a step: ``rounds``, ``most``, ``pass``, ``branch``, ``winner``."""
        self._notes.setdefault(node.id, {}).update(notes)

    @contextmanager
    def waiting(self, node: Node, frame: Frame, **what: Json) -> Iterator[None]:
        """Tell that a step waits, for as long as it does."""
        path = frame.path_of(node)
        address = node.id + "".join(f"[{index}]" for index in frame.items)
        self.waits[path] = {"step": address, **what}
        try:
            yield
        finally:
            del self.waits[path]

    def add(self, told: Mapping[str, Any]) -> None:
        """Add what a segment of the run has counted."""
        add_counts(self.counts, told["counts"])
        add_counts(self._loops, told.get("loops", {}))
        for step, notes in told.get("notes", {}).items():
            self._notes.setdefault(step, {}).update(notes)

    def told(self) -> dict[str, Json]:
        """Tell how far the run is."""
        undone: list[dict[str, Any]] = self._state["undone"]
        failed = sum("error" in record for record in undone)
        undo: dict[str, Json] = {
            "left": len(self._state["undos"]),
            "done": len(undone) - failed,
            "failed": failed,
        }
        waits = list(self.waits.values())
        told: dict[str, Any] = {
            "counts": self.counts,
            "loops": self._loops,
            "notes": self._notes,
            "undone": Counter(record["step"] for record in undone if "error" not in record),
            "waits": waits[:MOST_WAITS],
            "more_waits": max(len(waits) - MOST_WAITS, 0),
            "undo": undo,
            "status": next(iter(self._state.get("ended", {})), "running"),
        }
        return told

    def markdown(self) -> str:
        """Draw it for the Temporal UI, when somebody looks."""
        if len(self._lines) <= MOST_ROWS:
            told = self.told()
            return table(rows(self._lines, told), told, self._id, self._namespace)
        running = [step for step, counts in self.counts.items() if counts.get("running")]
        totals = Counter(state_of(self.counts.get(line.id, {})) for line in self._lines)
        return summary(totals, running, self.told(), self._id)
