"""What a run that is tried again takes over from the one before: all that was finished.

The state of a run (:mod:`aima.workflows.run`) is what it would go on from with a new history. A
retry goes on from it too, without what was undone, what failed, and what waits for either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from aima.dsl.nearest import nearest

_KEPT = ("outputs", "place", "mail")
_LISTS = ("steps", "finally")
_BRANCHES = ("switch", "race", "catch")


class UnknownStep(Exception):
    """The run has no such step."""


def resumed(state: Mapping[str, Any], plan: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Give the state that a retry starts with.

    Args:
        state: the state of the run that ended.
        plan: the plan of both.
        start: the step to begin with again, done or not; empty: with what is not done.

    Raises:
        UnknownStep: the plan has no step ``start``.
    """
    kept: dict[str, Any] = {key: deepcopy(state.get(key, {})) for key in _KEPT}
    again = {told["step"] for told in state.get("undone", ())}
    if start:
        known = [step["id"] for step in _all(plan["steps"])]
        if start not in known:
            near = nearest(start, known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise UnknownStep(f"there is no step {start!r}; {hint}")
        again.add(start)
    _clear(plan["steps"], kept["place"], again, kept["outputs"])
    return kept


def _clear(
    steps: list[dict[str, Any]],
    place: dict[str, Any],
    again: set[str],
    outputs: dict[str, Any],
) -> None:
    """Forget what is to run again in a list, and what waits for it."""
    stale = {step["id"] for step in steps if ({step["id"]} | _inside(step)) & again}
    while more := {s["id"] for s in steps if stale & set(s["after"])} - stale:
        stale |= more
    done: dict[str, bool] = place.get("done", {})
    for step in steps:
        if step["id"] not in stale:
            continue
        done.pop(step["id"], None)
        place.get("in", {}).pop(step["id"], None)  # all of it again: a part may have read the rest
        for name in (step["id"], *_inside(step)):
            outputs.pop(name, None)


def _inside(step: Mapping[str, Any]) -> set[str]:
    return {inner["id"] for listed in _lists(step) for inner in _all(listed)}


def _all(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for listed in _lists(step):
            yield from _all(listed)


def _lists(step: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for key in _LISTS:
        if isinstance(step.get(key), list):
            yield step[key]
    for key in _BRANCHES:
        for branch in step.get(key, ()):
            yield branch["steps"]
