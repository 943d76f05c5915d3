"""A run as a tree: the steps as the file has them, and how far each one is.

This is what the Temporal UI shows under `current details` and what a terminal draws. It is made
of the plan and of what :class:`aima.workflows.progress.Progress` counts, both plain data, so a
client can make it as well as a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from aima.dsl.json import Json

Plan: TypeAlias = Mapping[str, Any]
Told: TypeAlias = Mapping[str, Any]
"""What a run tells of itself: ``counts``, ``loops`` and ``notes`` by step, ``waits``, ``undo``."""


class State(StrEnum):
    """Where a step is."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"
    skipped = "skipped"
    reused = "reused"
    """Done in the run that this one is a retry of."""


_ORDER = (
    State.running,
    State.failed,
    State.cancelled,
    State.done,
    State.reused,
    State.skipped,
)
"""What a step is said to be that came to several: what it does now, else the worst first."""

CACHED = "cached"
"""What is counted beside the states: how often the output came from the cache."""

_LOOPS = frozenset({"for_each", "retry"})
_BRANCHES = ("switch", "race", "catch")


@dataclass(frozen=True)
class Line:
    """One step of a plan, as it stands in the tree.

    Attributes:
        under: the step that it is inside of; empty at the top.
        branch: which of several lists it is in, such as ``case 1`` or ``finally``.
        index: the position of that list in ``switch``, ``race`` or ``catch``.
        section: ``on_failure`` or ``finally`` of the workflow; empty for its steps.
        looped: whether it, or what it is inside of, may run more than once.
    """

    step: Mapping[str, Any]
    depth: int
    under: str = ""
    branch: str = ""
    index: int | None = None
    section: str = ""
    looped: bool = False

    @property
    def id(self) -> str:
        """Name it."""
        return str(self.step["id"])

    @property
    def does(self) -> str:
        """Say what it does, in a word."""
        step = self.step
        if step["body"] == "workflow":
            return str(step["plan"]["name"])
        if "for_each" in step and step["body"] == "steps":
            return "for_each"
        return str(step.get("unit") or {"steps": "block"}.get(step["body"], step["body"]))


def shape(plan: Plan) -> tuple[Line, ...]:
    """Lay a plan out as a tree, in document order."""
    lines = list(_in_list(plan["steps"], 0))
    for section in ("on_failure", "finally"):
        lines += _in_list(plan.get(section) or (), 1, section=section)
    return tuple(lines)


def _in_list(steps: Any, depth: int, **where: Any) -> Iterator[Line]:  # noqa: ANN401 - a part of a plan
    for step in steps:
        again = (
            where.get("looped", False) or not _LOOPS.isdisjoint(step) or step["body"] == "repeat"
        )
        yield Line(step, depth, **{**where, "looped": again})
        for branch, index, inner in lists_of(step):
            section = where.get("section", "")
            yield from _in_list(
                inner,
                depth + 1,
                under=step["id"],
                branch=branch,
                index=index,
                section=section,
                looped=again,
            )


def lists_of(step: Mapping[str, Any]) -> Iterator[tuple[str, int | None, list[dict[str, Any]]]]:
    """Give the lists of steps inside a step: what each is called, its position, its steps."""
    if isinstance(step.get("steps"), list):
        yield "", None, step["steps"]
    for key in _BRANCHES:
        for index, branch in enumerate(step.get(key, ())):
            yield _label(key, index, branch), index, branch["steps"]
    if isinstance(step.get("finally"), list):
        yield "finally", None, step["finally"]


def _label(key: str, index: int, branch: Mapping[str, Any]) -> str:
    if key == "catch":
        return f"catch {', '.join(branch['codes'])}" if "codes" in branch else "catch"
    if key == "switch" and "if" not in branch:
        return "else"
    return f"{'case' if key == 'switch' else 'branch'} {index}"


def state_of(counts: Mapping[str, int]) -> State:
    """Tell where a step is that came to states so often."""
    return next((state for state in _ORDER if counts.get(state.value, 0) > 0), State.waiting)


def rows(lines: tuple[Line, ...], told: Told) -> list[dict[str, Json]]:
    """Give the tree, a row for each step that has run or still may.

    A row has ``step depth under branch section does state`` and, where there is such a thing,
    ``times`` (how often the step came to which state), ``cached`` (how often its output came from
    the cache), ``loop`` (``{done, failed, all}``) and what is noted of it: ``rounds most pass
    winner``. ``undone`` counts its undos.
    """
    counts: Mapping[str, Mapping[str, int]] = told["counts"]
    begun = _begun(lines, counts)
    hidden: set[str] = set()
    found: list[dict[str, Json]] = []
    for line in lines:
        if line.under in hidden or _is_out(line, told, begun):
            hidden.add(line.id)
        else:
            found.append(_row(line, told, begun))
    return found


def _begun(
    lines: tuple[Line, ...], counts: Mapping[str, Mapping[str, int]]
) -> set[tuple[str, ...]]:
    """Name the lists in which a step was ever begun, and the steps that they are in."""
    begun: set[tuple[str, ...]] = set()
    for line in reversed(lines):  # what is inside comes first
        if any(counts.get(line.id, {}).values()) or (line.id,) in begun:
            begun |= {(line.id,), (line.under,), (line.under, line.branch), ("", line.section)}
    return begun


def _is_out(line: Line, told: Told, begun: set[tuple[str, ...]]) -> bool:
    """Tell what will not run: branches not taken, handlers that nothing has called."""
    if line.section == "on_failure" and ("", line.section) not in begun:
        return True
    if not line.branch or (line.under, line.branch) in begun:
        return False
    if line.branch.startswith("catch"):
        return True
    chosen = told["notes"].get(line.under, {}).get("branch")
    above = told["counts"].get(line.under, {})
    ended = bool(any(above.values()) and not above.get("running"))
    return ended or (chosen is not None and line.index is not None and chosen != line.index)


def _row(line: Line, told: Told, begun: set[tuple[str, ...]]) -> dict[str, Json]:
    counts = {k: n for k, n in told["counts"].get(line.id, {}).items() if n > 0}
    cached = counts.pop(CACHED, 0)
    state = state_of(counts)
    if state is State.waiting and (line.id,) in begun:
        state = State.running  # nobody has told, but a step inside has begun
    row: dict[str, Json] = {
        "step": line.id,
        "depth": line.depth,
        "under": line.under,
        "branch": line.branch,
        "section": line.section,
        "does": line.does,
        "state": state.value,
    }
    if sum(counts.values()) > 1:
        row["times"] = dict(counts)
    if cached:
        row["cached"] = cached
    if line.step["body"] == "workflow" and counts and not line.looped:
        row["child"] = line.id
    if line.id in told["loops"]:
        row["loop"] = told["loops"][line.id]
    if line.id in told["undone"]:
        row["undone"] = told["undone"][line.id]
    return {**row, **{k: v for k, v in told["notes"].get(line.id, {}).items() if k != "branch"}}


def merged(told: Told, more: Told) -> dict[str, Any]:
    """Add what a segment tells to what its run tells."""
    both: dict[str, Any] = {**told, "waits": [*told["waits"], *more["waits"]]}
    for key in ("counts", "loops"):
        both[key] = add_counts({k: dict(v) for k, v in told[key].items()}, more[key])
    both["notes"] = {**more["notes"], **told["notes"]}
    return both


def add_counts(
    mine: dict[str, dict[str, int]], more: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Add counts by step and kind to others, in place."""
    for step, kinds in more.items():
        here = mine.setdefault(step, {})
        for kind, count in kinds.items():
            here[kind] = here.get(kind, 0) + count
    return mine


NOTHING: Told = {
    "counts": {},
    "loops": {},
    "notes": {},
    "undone": {},
    "waits": [],
    "undo": {"left": 0, "done": 0, "failed": 0},
    "status": "running",
}
"""What a run tells that has not begun."""
