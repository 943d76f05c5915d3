"""A plan as a picture: what a run runs, whatever became of the file that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from aima.graph.shape import Box, Lane, Role, Shape, arrows
from aima.graph.svg import drawing
from aima.workflows.outline import Line, lists_of

_SECTIONS = (
    ("on_failure", "when the run fails", Role.failure),
    ("finally", "finally", Role.cleanup),
)


def drawn(plan: Mapping[str, Any]) -> Markup:
    """Draw a plan as a part of a page; whatever its texts hold is escaped."""
    return Markup(drawing(shape_of_plan(plan)))  # noqa: S704 - it escapes what it draws


def shape_of_plan(plan: Mapping[str, Any]) -> Shape:
    """Give the shape of a plan, without the conditions and bounds that its file shows."""
    more = (_lane(plan[key], title, role) for key, title, role in _SECTIONS if plan.get(key))
    return Shape(str(plan["name"]), (_lane(plan["steps"], "", Role.body), *more))


def _lane(steps: list[dict[str, Any]], title: str, role: Role) -> Lane:
    known = {step["id"] for step in steps}
    order = {step["id"]: [id_ for id_ in step["after"] if id_ in known] for step in steps}
    return Lane(title, tuple(map(_box, steps)), tuple(arrows(order)), role)


def _box(step: dict[str, Any]) -> Box:
    does = Line(step, 0).does
    undo = step.get("compensate")
    return Box(
        id=step["id"],
        does="" if does in ("block", "repeat", "for_each") else does,
        lanes=tuple(_lanes(step)),
        unit=step["body"] == "type",
        optional="if" in step,
        many="for_each" in step,
        undo=str(undo.get("unit", "")) if isinstance(undo, dict) else "",
    )


def _lanes(step: dict[str, Any]) -> Iterator[Lane]:
    for title, _, steps in lists_of(step):
        kind = title.partition(" ")[0]
        role = {"catch": Role.failure, "finally": Role.cleanup, "": Role.body}.get(kind)
        yield _lane(steps, title, role or Role.branch)
