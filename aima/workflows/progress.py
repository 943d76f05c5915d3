"""How far a run is, as a table that the Temporal UI shows under `current details`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from aima.workflows.frame import Node, Steps

MOST_ROWS = 40
"""A longer workflow shows counts; nobody reads a longer table."""


class State(StrEnum):
    """Where a step is."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"
    skipped = "skipped"


_SIGNS = {
    State.waiting: "·",
    State.running: "▶",
    State.done: "✓",
    State.failed: "✗",
    State.cancelled: "⊘",
    State.skipped: "↷",
}


class Progress:
    """How often each step came to each state.

    Attributes:
        counts: by the id of a step, plain data, so that a continued run goes on counting.
    """

    def __init__(self, steps: Steps, counts: dict[str, dict[str, int]]) -> None:
        """Start with every step waiting, but for those counted before."""
        self.counts = counts
        self._rows = list(_rows(steps, 0))

    def set(self, node: Node, state: State) -> None:
        """Note where a step is."""
        counts = self.counts.setdefault(node.id, {})
        if state is not State.running:
            counts["running"] = counts.get("running", 1) - 1
        counts[state.value] = counts.get(state.value, 0) + 1

    def add(self, counts: dict[str, dict[str, int]]) -> None:
        """Add what another part of the run has counted."""
        for step, states in counts.items():
            mine = self.counts.setdefault(step, {})
            for state, count in states.items():
                mine[state] = mine.get(state, 0) + count

    def markdown(self) -> str:
        """Draw it."""
        if len(self._rows) > MOST_ROWS:
            return self._summary()
        rows = (self._row(node, depth) for node, depth in self._rows)
        return "\n".join(("| state | step | does |", "|--|--|--|", *rows))

    def _row(self, node: Node, depth: int) -> str:
        state = self.state(node.id)
        counts = self.counts.get(node.id, {})
        ended = sum(n for name, n in counts.items() if name != "running")
        times = f" ×{ended}" if ended > 1 else ""  # noqa: RUF001 - a multiplication sign is meant
        indent = "&emsp;" * depth
        does = node.data.get("unit", node.body)
        return f"| {_SIGNS[state]} {state}{times} | {indent}{node.id} | {does} |"

    def state(self, step: str) -> State:
        """Tell where a step is: what it does now, else how it ended, the worst first."""
        counts = self.counts.get(step, {})
        order = (State.running, State.failed, State.cancelled, State.done, State.skipped)
        return next((state for state in order if counts.get(state.value, 0) > 0), State.waiting)

    def _summary(self) -> str:
        states = [self.state(node.id) for node, _ in self._rows]
        return ", ".join(f"{states.count(state)} {state}" for state in State if state in states)


def _rows(steps: Steps, depth: int) -> Iterator[tuple[Node, int]]:
    for node in steps.nodes:
        yield node, depth
        for inner in node.lists():
            yield from _rows(inner, depth + 1)
