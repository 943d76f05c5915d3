"""How far a run is, as a table that the Temporal UI shows under `current details`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from temporalio import workflow

from aima.workflows.frame import Node

MOST_ROWS = 40
"""A longer workflow shows counts: rebuilding the table would cost more than its steps."""


class State(StrEnum):
    """Where a step is."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


_SIGNS = {
    State.waiting: "·",
    State.running: "▶",
    State.done: "✓",
    State.failed: "✗",
    State.cancelled: "⊘",
}


class Progress:
    """The states of all steps."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Start with every step waiting."""
        self._units = {node.id: str(node.data.get("unit", node.body)) for node in nodes}
        self._states = dict.fromkeys(self._units, State.waiting)
        self._counts = Counter(self._states.values())

    def set(self, step: str, state: State) -> None:
        """Note where a step is, and show it."""
        self._counts[self._states[step]] -= 1
        self._counts[state] += 1
        self._states[step] = state
        workflow.set_current_details(self.markdown())

    def markdown(self) -> str:
        """Draw it."""
        if len(self._states) > MOST_ROWS:
            return ", ".join(f"{self._counts[s]} {s}" for s in State if self._counts[s])
        rows = (
            f"| {_SIGNS[state]} {state} | {step} | {self._units[step]} |"
            for step, state in self._states.items()
        )
        return "\n".join(("| state | step | unit |", "|--|--|--|", *rows))
