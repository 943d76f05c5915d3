"""A shape in Graphviz' DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from aima.graph.shape import Box, Lane, Shape


def dot(shape: Shape) -> str:
    """Give the text of a directed graph; blocks are clusters."""
    lines = [f"digraph {_quoted(shape.name)} {{"]
    lines += ["  rankdir=LR; compound=true;", "  node [shape=box, style=rounded];"]
    boxes = {box.id: box for lane in shape.lanes for box in _all(lane)}
    for index, lane in enumerate(shape.lanes):
        lines += _lane(lane, f"lane{index}", 1, boxes)
    return "\n".join([*lines, "}"]) + "\n"


def _lane(lane: Lane, name: str, depth: int, boxes: dict[str, Box]) -> Iterator[str]:
    pad = "  " * depth
    if lane.title:
        yield f"{pad}subgraph {_quoted(f'cluster_{name}')} {{"
        yield f"{pad}  label={_quoted(lane.title)}; style=dashed;"
    for box in lane.boxes:
        yield from _box(box, depth + bool(lane.title), boxes)
    for arrow in lane.arrows:
        source, target = boxes[arrow.source], boxes[arrow.target]
        ends = [f"ltail={_cluster(source)}"] * bool(source.lanes)
        ends += [f"lhead={_cluster(target)}"] * bool(target.lanes)
        more = f" [{', '.join(ends)}]" if ends else ""
        yield f"{pad}{_quoted(_anchor(source))} -> {_quoted(_anchor(target))}{more};"
    if lane.title:
        yield f"{pad}}}"


def _box(box: Box, depth: int, boxes: dict[str, Box]) -> Iterator[str]:
    pad = "  " * depth
    label = _quoted("\n".join(filter(None, (box.id, box.does, *box.notes))))
    if not box.lanes:
        yield f"{pad}{_quoted(box.id)} [label={label}];"
        return
    yield f"{pad}subgraph {_cluster(box)} {{"
    yield f"{pad}  label={label}; style=rounded;"
    for index, lane in enumerate(box.lanes):
        yield from _lane(lane, f"{box.id}_{index}", depth + 1, boxes)
    yield f"{pad}}}"


def _all(lane: Lane) -> Iterator[Box]:
    for box in lane.boxes:
        yield box
        for inner in box.lanes:
            yield from _all(inner)


def _anchor(box: Box) -> str:
    """Name a node to draw an arrow to: an edge cannot end at a cluster itself."""
    while box.lanes and box.lanes[0].boxes:
        box = box.lanes[0].boxes[0]
    return box.id


def _cluster(box: Box) -> str:
    return _quoted(f"cluster_{box.id}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
