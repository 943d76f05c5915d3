"""What a retry takes over of the run before."""

from __future__ import annotations

from typing import Any

import pytest

from aima.workflows.resume import resumed

Json = dict[str, Any]


def plan(*steps: Json) -> Json:
    """Make a plan with these steps."""
    return {"steps": list(steps)}


def step(name: str, **more: Any) -> Json:  # noqa: ANN401 - a part of a plan
    """Make a step."""
    return {"id": name, "after": [], "body": "type", **more}


def kept(of: Json, place: Json) -> Any:  # noqa: ANN401 - any place
    """Give the place that a retry starts with."""
    return resumed({"place": {"done": {}, "in": place}}, of).state["place"]["in"]


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ({"if": True}, {}),
        ({"branch": 1, "in": {"steps": {"done": {}, "in": {"x": {"if": True}}}}}, None),
        (
            {"if": True, "branch": 0, "in": {"steps": {"done": {"x": True}, "in": {}}}},
            {"branch": 0},
        ),
        ({"if": True, "rounds": 2}, {"if": True, "rounds": 2}),
    ],
    ids=["a step that failed", "a branch", "a branch half done", "a loop half done"],
)
def test_what_was_decided_before_anything_happened_is_decided_again(
    place: Json, left: Json | None
) -> None:
    """`aima retry --set` may mean just that; half of a branch is not left for another one."""
    branches = [{"steps": [step("x")]}, {"steps": [step("x")]}]
    found = kept(plan(step("s", switch=branches)), {"s": place})["s"]
    inner = found.pop("in", None)
    if left is None:
        assert found == {}
        assert inner == {"steps": {"done": {}, "in": {"x": {}}}}
    else:
        assert left.items() <= found.items()
