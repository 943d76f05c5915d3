"""What a workflow file says of what goes in and out, read before the stack checks it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aima.dsl.load import load
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node, Sequence, to_json


@dataclass(frozen=True)
class Declared:
    """What goes in and what comes out.

    Attributes:
        inputs: JSON Schema of the input; empty where nothing is said.
        config: the defaults of its config.
        outputs: names of what comes out; None where only the run can tell.
    """

    inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    outputs: tuple[str, ...] | None


def declared(text: str, file: str) -> Declared:
    """Read a workflow's text; mistakes in it are the checker's to tell."""
    _, root, _ = load(text, file)
    if not isinstance(root, MappingNode):
        return Declared({}, {}, None)
    return Declared(_map(root.get("inputs")), _map(root.get("config")), _outputs(root))


def _map(node: Node | None) -> dict[str, Any]:
    value = to_json(node) if node is not None else None
    return value if isinstance(value, dict) else {}


def _outputs(root: MappingNode) -> tuple[str, ...] | None:
    """Name the outputs: those of `output`, else the steps."""
    output = root.get("output")
    if output is not None:
        return tuple(output.entries) if isinstance(output, MappingNode) else None
    steps = root.get("steps")
    return tuple(map(_id, steps.items)) if isinstance(steps, Sequence) else None


def _id(step: Node) -> str:
    return str(_map(step).get("id", ""))
