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
_PASSING = ("until", "timeout", "deadline", "listening", "closed", "end")
"""What a place knows of how its construct went, besides what is done in it."""
_DECIDED = ("if", "branch")
"""What a place knows of what was decided before it was begun."""
_HAPPENED = ("done", "items", "rounds", "segments", "caught")
"""What a place knows of what has happened in it."""
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
    kept["counts"], kept["loops"] = {}, {}
    tidied = _renew(plan["steps"], kept["place"], kept)
    kept["renewed"] |= dict.fromkeys(sorted(stale | tidied), beginning)
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


def _renew(steps: list[dict[str, Any]], place: Place, kept: dict[str, Any]) -> set[str]:
    """Give what failed in a list another chance, and count what was finished.

    What a `finally` did is to happen again, when what it is for has ended again; name it all.
    """
    place.pop("end", None)
    tidied: set[str] = set()
    for step in steps:
        if step["id"] in place.get("done", {}):
            kept["counts"][step["id"]] = {State.reused.value: 1}
        elif (inner := place.get("in", {}).get(step["id"])) is not None:
            tidied |= _renew_step(step, inner, kept)
    return tidied


def _renew_step(step: Step, place: Place, kept: dict[str, Any]) -> set[str]:
    """Forget in the place of a step what would let it fail again at once."""
    for key in [key for key in place if key in _PASSING or key.startswith("pause")]:
        del place[key]
    if "for_each" in step:
        place["failed"] = {}
        if "all" in place:
            loop = {"all": place["all"], "done": len(place.get("items", ()))}
            kept["loops"][step["id"]] = loop
    else:
        place.pop("failed", None)  # a pass, which goes on
    if "pass" in place:
        place["before"] = place["pass"] - 1
    tidied: set[str] = set()
    if place.get("in", {}).pop("finally", None) is not None:
        tidied |= {inner["id"] for inner in _all(step["finally"])}
    for key, inner in place.get("in", {}).items():
        if key.startswith("pass") or ("for_each" in step and key.isdecimal()):
            one = {k: v for k, v in step.items() if k != "for_each"}
            tidied |= _renew_step(one, inner, kept)
        else:
            for _, _, listed in lists_of(step):
                tidied |= _renew(listed, inner, kept)
    _decide_again(place)
    return tidied


def _decide_again(place: Place) -> None:
    """Forget what was decided before anything happened: config may differ this time."""
    if _nothing_happened(place):
        for key in _DECIDED:
            place.pop(key, None)


def _nothing_happened(place: Place) -> bool:
    """Tell whether all that is inside of a step is still to come."""
    if "winner" in place or any(place.get(key) for key in _HAPPENED):
        return False
    return all(_nothing_happened(inner) for inner in place.get("in", {}).values())


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
