"""Which steps and branches of a workflow its cases have reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aima.dsl.document import Document, Step


@dataclass
class Coverage:
    """What was reached, over all cases of a workflow."""

    document: Document
    ran: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    def add(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Take the counts of one run: how often each step came to each state."""
        for step, states in counts.items():
            for state, count in states.items():
                if count:
                    (self.skipped if state == "skipped" else self.ran).add(step)

    @property
    def steps(self) -> tuple[int, int]:
        """How many steps ran, and how many there are."""
        ids = [step.id for step in self.document.all_steps]
        return sum(name in self.ran for name in ids), len(ids)

    @property
    def branches(self) -> tuple[int, int]:
        """How many ways were gone, and how many there are: both of an `if`, and each branch."""
        ways = list(self._ways())
        return sum(gone for gone, _ in ways), len(ways)

    def missed(self) -> list[tuple[str, int]]:
        """Name what was never reached, each with its line."""
        steps = [
            (f"step {step.id}", step.place.mark.line)
            for step in self.document.all_steps
            if step.id not in self.ran
        ]
        ways = [what for gone, what in self._ways() if not gone]
        return steps + ways

    def _ways(self) -> Iterator[tuple[bool, tuple[str, int]]]:
        for step in self.document.all_steps:
            line = step.place.mark.line
            if step.get("if") is not None:
                yield step.id in self.ran, (f"{step.id} where its `if` is true", line)
                yield step.id in self.skipped, (f"{step.id} where its `if` is false", line)
            for inner in step.lists:
                if not inner.nested.certain and inner.steps:
                    first: Step = inner.steps[0]
                    reached = any(s.id in self.ran | self.skipped for s in inner.steps)
                    what = f"the branch of {step.id} that begins with {first.id}"
                    yield reached, (what, first.place.mark.line)
