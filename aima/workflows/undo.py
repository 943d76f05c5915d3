"""Undoing: what `compensate` has registered, in reverse order of completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aima.dsl.json import Json
from aima.workflows.activity import Call, perform
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node
from aima.workflows.run import Run


def register(node: Node, frame: Frame, call: Call) -> None:
    """Remember how to undo a step that has succeeded."""
    record: dict[str, Any] = {"step": node.id, "path": frame.path_of(node), "call": call.data()}
    if frame.items:
        record["item"] = frame.items[-1]
    frame.run.state["undos"].append(record)


async def undo(run: Run, wanted: Callable[[dict[str, Any]], bool] | None = None) -> None:
    """Undo everything, or what is wanted, one after the other, the latest first.

    What cannot be undone is noted beside what was, and the next is tried.
    """
    undos: list[dict[str, Any]] = run.state["undos"]
    frame = run.frame({})
    for record in [r for r in reversed(undos) if wanted is None or wanted(r)]:
        node = run.program.nodes[record["step"]]
        call = Call(**record["call"])
        told: dict[str, Json] = {"step": record["step"], "unit": call.unit}
        if "item" in record:
            told["item"] = record["item"]
        try:
            await perform(call, node, frame, f"undo:{record['path']}")
        except StepFailed as failure:
            told["error"] = {"code": failure.error.code, "message": failure.error.message}
        undos.remove(record)
        run.state["undone"].append(told)


def belongs_to(node: Node, frame: Frame) -> Callable[[dict[str, Any]], bool]:
    """Tell what was registered inside a step, as this frame runs it."""
    inside = {inner.id for steps in node.lists() for inner in steps.all_nodes()} | {node.id}
    return lambda record: record["step"] in inside and record["path"].startswith(frame.path)
