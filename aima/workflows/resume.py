"""What a run that is tried again takes over from the one before: all that was finished.

The state of a run (:mod:`aima.workflows.run`) is what it would go on from with a new history. A
retry goes on from it too, without what was undone, what failed, and what waits for either.

An effect happens once under its key, and the keys of a run begin with its ``effects``. A retry
keeps that beginning: a step whose effect happened, though its end was lost, finds it done. Steps
that are to happen again, because they were undone or because somebody says so, get another
beginning (``renewed``, by step).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

from aima.dsl.nearest import nearest
from aima.workflows.outline import State, lists_of

Step: TypeAlias = Mapping[str, Any]
Place: TypeAlias = dict[str, Any]

_KEPT = ("outputs", "place", "mail", "renewed")
_TIMES = ("until", "timeout", "deadline")
_SECTIONS = ("on_failure", "finally")


class UnknownStep(Exception):
    """The run has no such step."""


@dataclass(frozen=True)
class Resumed:
    """What a retry starts with.

    Attributes:
        state: the state to go on from.
        again: the steps that happen again though they had happened.
    """

    state: dict[str, Any]
    again: frozenset[str]


def resumed(
    state: Mapping[str, Any], plan: Mapping[str, Any], start: str = "", *, beginning: str = ""
) -> Resumed:
    """Give the state that a retry starts with.

    Args:
        state: the state of the run that ended.
        plan: the plan of both.
        start: the step to begin with again, done or not; empty: with what is not done.
        beginning: what the effect keys of steps that happen again begin with.

    Raises:
        UnknownStep: the plan has no step ``start``.
    """
    kept: dict[str, Any] = {key: deepcopy(state.get(key, {})) for key in _KEPT}
    again = {told["step"] for told in state.get("undone", ())}
    if start:
        _require(plan, start)
        again.add(start)
    stale = _clear(plan["steps"], kept["place"], again, kept["outputs"])
    kept["renewed"] |= dict.fromkeys(sorted(stale), beginning)
    kept["counts"], kept["loops"] = {}, {}
    _renew(plan["steps"], kept["place"], kept)
    return Resumed(kept, frozenset(stale))


def _require(plan: Mapping[str, Any], start: str) -> None:
    known = [step["id"] for step in _all(plan["steps"])]
    if start in known:
        return
    sections = {step["id"] for key in _SECTIONS for step in _all(plan.get(key) or [])}
    if start in sections:
        hint = "it belongs to `on_failure` or `finally`, which run whenever the steps have ended"
        raise UnknownStep(f"no retry begins with step {start!r}: {hint}")
    near = nearest(start, known)
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
    raise UnknownStep(f"there is no step {start!r}; {hint}")


def _clear(
    steps: list[dict[str, Any]],
    place: Place,
    again: set[str],
    outputs: dict[str, Any],
) -> set[str]:
    """Forget what is to run again in a list, and what waits for it; name it all."""
    stale = {step["id"] for step in steps if ({step["id"]} | _inside(step)) & again}
    while more := {s["id"] for s in steps if stale & set(s["after"])} - stale:
        stale |= more
    done: dict[str, bool] = place.get("done", {})
    names: set[str] = set()
    for step in steps:
        if step["id"] not in stale:
            continue
        done.pop(step["id"], None)
        place.get("in", {}).pop(step["id"], None)  # all of it again: a part may have read the rest
        for name in (step["id"], *_inside(step)):
            outputs.pop(name, None)
            names.add(name)
    return names


def _renew(steps: list[dict[str, Any]], place: Place, kept: dict[str, Any]) -> None:
    """Give what failed in a list another chance, and count what was finished."""
    for step in steps:
        if step["id"] in place.get("done", {}):
            kept["counts"][step["id"]] = {State.reused.value: 1}
        elif (inner := place.get("in", {}).get(step["id"])) is not None:
            _renew_step(step, inner, kept)


def _renew_step(step: Step, place: Place, kept: dict[str, Any]) -> None:
    """Forget in the place of a step what would let it fail again at once."""
    for key in [key for key in place if key in _TIMES or key.startswith("pause")]:
        del place[key]
    place.pop("listening", None)  # another run asks for the events
    if "for_each" in step:
        place["failed"] = {}
        if "all" in place:
            loop = {"all": place["all"], "done": len(place.get("items", ()))}
            kept["loops"][step["id"]] = loop
    if "pass" in place:
        place["before"] = place["pass"] - 1
    for key, inner in place.get("in", {}).items():
        if key.startswith("pass") or ("for_each" in step and key.isdecimal()):
            _renew_step({k: v for k, v in step.items() if k != "for_each"}, inner, kept)
        else:
            for _, _, listed in lists_of(step):
                _renew(listed, inner, kept)


def _inside(step: Step) -> set[str]:
    return {inner["id"] for _, _, listed in lists_of(step) for inner in _all(listed)}


def _all(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for _, _, listed in lists_of(step):
            yield from _all(listed)


def step_in(path: str) -> str:
    """Name the step of a path in a run: without items, rounds, passes, and what it is inside."""
    last = path.removeprefix("undo:").rpartition(".")[2]
    for mark in "[#@":
        last = last.partition(mark)[0]
    return last
