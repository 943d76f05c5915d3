"""What the steps of a run wait for, read off its state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aima.dsl.json import Json

_INDEX = re.compile(r"\d+")


def waits_in(state: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Json]:
    """Walk the steps that wait: ``{step, for, until, …}`` with the address to answer to."""
    yield from _in_list(plan["steps"], state.get("place", {}), "")
    for key in ("on_failure", "finally"):
        place = state.get("sections", {}).get("in", {}).get(key, {})
        yield from _in_list(plan.get(key) or [], place, "")


def _in_list(steps: list[dict[str, Any]], place: Mapping[str, Any], items: str) -> Iterator[Json]:
    here: Mapping[str, Any] = place.get("in", {})
    for step in steps:
        if step["id"] in here:
            yield from _in_step(step, here[step["id"]], items)


def _in_step(step: dict[str, Any], place: Mapping[str, Any], items: str) -> Iterator[Json]:
    """Look into a step, through the places of its items, passes and rounds."""
    if step["body"] in ("wait", "wait_for") and "until" in place:
        yield {"step": f"{step['id']}{items}", "until": place["until"], **_what(step)}
    for key, inner in place.get("in", {}).items():
        if key.startswith("pass"):
            yield from _in_step(step, inner, items)
        elif "for_each" in step and _INDEX.fullmatch(key):
            yield from _in_step(step, inner, f"{items}[{key}]")
        else:
            for steps in _lists(step):
                yield from _in_list(steps, inner, items)


def _what(step: dict[str, Any]) -> dict[str, Json]:
    if step["body"] == "wait":
        return {"for": "time"}
    said: dict[str, Any] = step["wait_for"]
    for kind in ("signal", "event", "approval"):
        if kind in said:
            known = None if _computed(said[kind]) else _literal(said[kind])
            return {"for": kind, "what": known}
    return {}


def _literal(value: Any) -> Json:  # noqa: ANN401 - a part of a plan
    """Give what is literal of a compiled value; what the run computes is left out."""
    if isinstance(value, dict):
        return {k: _literal(v) for k, v in value.items() if not _computed(v)}
    return value  # type: ignore[no-any-return] # JSON


def _computed(value: object) -> bool:
    return isinstance(value, dict) and any(str(key).startswith("$") for key in value)


def _lists(step: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for key in ("steps", "finally"):
        if isinstance(step.get(key), list):
            yield step[key]
    for key in ("switch", "race", "catch"):
        for branch in step.get(key, ()):
            yield branch["steps"]
