"""A shape as a Mermaid flowchart, which GitHub and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from aima.graph.shape import Box, Lane, Shape


def mermaid(shape: Shape) -> str:
    """Give the text of a flowchart."""
    lines = ["flowchart LR"]
    for index, lane in enumerate(shape.lanes):
        lines += _lane(lane, f"lane{index}", 1)
    return "\n".join(lines) + "\n"


def _lane(lane: Lane, name: str, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if lane.title:
        yield f"{pad}subgraph {name}[{_quoted(lane.title)}]"
    for box in lane.boxes:
        yield from _box(box, depth + bool(lane.title))
    for arrow in lane.arrows:
        yield f"{pad}{_id(arrow.source)} --> {_id(arrow.target)}"
    if lane.title:
        yield f"{pad}end"


def _box(box: Box, depth: int) -> Iterator[str]:
    pad, text = "  " * depth, "<br>".join(filter(None, (box.id, box.does, *box.notes)))
    if not box.lanes:
        yield f"{pad}{_id(box.id)}[{_quoted(text)}]"
        return
    yield f"{pad}subgraph {_id(box.id)}[{_quoted(text)}]"
    for index, lane in enumerate(box.lanes):
        yield from _lane(lane, f"{_id(box.id)}_{index}", depth + 1)
    yield f"{pad}end"


def _id(step: str) -> str:
    """Name a node so that no word of Mermaid's own, such as `end`, is met."""
    return f"s_{step.replace('-', '__')}"


def _quoted(text: str) -> str:
    """Quote a label; Mermaid reads entities of decimal numbers in it."""
    escaped = "".join(f"#{ord(c)};" if c in '"#&' else c for c in text.replace("<br>", "\0"))
    escaped = escaped.replace("<", "#60;").replace(">", "#62;")
    return '"' + escaped.replace("\0", "<br>") + '"'
