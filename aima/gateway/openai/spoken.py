"""Which step of a workflow says its answer while it is made, told from its plan alone.

What a client has heard cannot be taken back. So nothing is said before the run's end unless the
answer is what one step shows, word for word, and nothing that runs beside or after that step may
refuse it or end the run with another answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.dsl.signature import Signatures
from aima.workflows.follow import shows_field

_ENDS = ("raise", "return", "wait_for")
"""Bodies by which a run may end otherwise than with its last step; approvals are among them."""

_NOT_ONE = ("for_each", "cache")


def spoken_by(plan: Plan, key: str, signatures: Signatures) -> str:
    """Name the step that says an output as it is made; empty where it is only known at the end."""
    output = plan.data.get("output")
    read = _read(output.get(key)) if isinstance(output, Mapping) else None
    if read is None:
        return ""
    name, field = read
    steps = {step["id"]: step for step in cast("list[dict[str, Any]]", plan.data["steps"])}
    step = steps.get(name)
    if step is None or step.get("stream") is not True or any(step.get(key) for key in _NOT_ONE):
        return ""
    signature = signatures.get(step.get("unit", ""))
    if signature is None or not shows_field(signature, field):
        return ""
    before = _before(name, steps)
    later = [step for step in steps.values() if step["id"] not in before]
    return "" if _may_end([*later, plan.data.get("finally")]) else name


def _read(value: Json) -> tuple[str, str] | None:
    """Give the step and the field of `${steps.A.b}`, also where that is said only if `A` ran."""
    match value:
        case {"$": {"ast": ["if", _, _, ["has", _, _, asked], read, _]}}:
            found = _path(read)
            return found if found and _path(asked) in (found, (found[0], "")) else None
        case {"$": {"ast": read}}:
            return _path(read)
    return None


def _path(tree: Json) -> tuple[str, str] | None:
    """Give the step and the field of a path; no field where it leads to the whole output."""
    match tree:
        case ["get", _, _, ["name", _, _, "steps"], [_, _, _, str(step)], [_, _, _, str(field)]]:
            return step, field
        case ["get", _, _, ["name", _, _, "steps"], [_, _, _, str(step)]]:
            return step, ""
    return None


def _before(name: str, steps: Mapping[str, dict[str, Any]]) -> set[str]:
    """Give the steps that have ended when this one begins."""
    found: set[str] = set()
    left = [name]
    while left:
        earlier = [one for one in steps[left.pop()].get("after", ()) if one in steps]
        left += [one for one in earlier if one not in found]
        found.update(earlier)
    return found


def _may_end(value: object) -> bool:
    """Tell whether there is something in a step by which the run may end."""
    if isinstance(value, Mapping):
        return value.get("body") in _ENDS or any(_may_end(inner) for inner in value.values())
    return isinstance(value, list) and any(_may_end(inner) for inner in value)
