"""A shape in Graphviz' DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from aima.graph.shape import Box, Lane, Role, Shape

_UNIT = 'fillcolor="#e9f2ff"'
_PLAIN = 'fillcolor="#ffffff"'
_BLOCK = 'fillcolor="#f5f7fa"'
_LANES = {
    Role.body: 'style="rounded,filled"; fillcolor="#ffffff";',
    Role.branch: 'style="rounded,filled"; fillcolor="#ffffff";',
    Role.failure: 'style="rounded,filled"; fillcolor="#fff4f3"; color="#d98a86";',
    Role.cleanup: 'style="rounded,filled"; fillcolor="#f6f3ff"; color="#a99ad6";',
}


def dot(shape: Shape) -> str:
    """Give the text of a directed graph; blocks are clusters."""
    lines = [f"digraph {_quoted(shape.name)} {{"]
    lines += ["  rankdir=LR; compound=true; fontname=Helvetica; labeljust=l;"]
    lines += ['  node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica];']
    lines += ['  graph [color="#98a2b3"]; node [color="#98a2b3"];']
    lines += ['  edge [color="#7b8698", arrowsize=0.7];']
    boxes = {box.id: box for lane in shape.lanes for box in _all(lane)}
    for index, lane in enumerate(shape.lanes):
        lines += _lane(lane, f"lane{index}", 1, boxes)
    return "\n".join([*lines, "}"]) + "\n"


def _lane(lane: Lane, name: str, depth: int, boxes: dict[str, Box]) -> Iterator[str]:
    pad = "  " * depth
    if lane.title:
        yield f"{pad}subgraph {_quoted(f'cluster_{name}')} {{"
        yield f"{pad}  label={_quoted(lane.title)}; {_LANES[lane.role]}"
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
    label = _left(box.lines)
    style = '"rounded,filled,dashed"' if box.optional else '"rounded,filled"'
    colour = _UNIT if box.unit and not box.lanes else _BLOCK if box.lanes else _PLAIN
    if box.undo:
        colour += ' color="#e0b04c"'
    if not box.lanes:
        yield f"{pad}{_quoted(box.id)} [label={label}, style={style}, {colour}];"
        return
    yield f"{pad}subgraph {_cluster(box)} {{"
    yield f"{pad}  graph [label={label}, style={style}, {colour}];"
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


def _left(lines: tuple[str, ...]) -> str:
    """Write lines one below the other, each from the left."""
    return '"' + "".join(_quoted(line)[1:-1] + "\\l" for line in lines) + '"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
