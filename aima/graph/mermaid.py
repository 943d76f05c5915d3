"""A shape as a Mermaid flowchart, which GitHub and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from aima.graph.shape import Box, Lane, Role, Shape

_CLASSES = (
    "  classDef unit fill:#e9f2ff,stroke:#7aa5dc,color:#1b2330",
    "  classDef optional stroke-dasharray: 5 4",
    "  classDef undone stroke:#e0b04c,stroke-width:2px",
    "  classDef failure fill:#fff4f3,stroke:#d98a86,color:#a3262a",
    "  classDef cleanup fill:#f6f3ff,stroke:#a99ad6,color:#5a4a94",
)
_SIGNS = '"#&<>`'  # those that mean something in HTML, or in Mermaid's Markdown
_ROLES = (Role.failure, Role.cleanup)


def mermaid(shape: Shape) -> str:
    """Give the text of a flowchart."""
    main, *others = shape.lanes
    lines = ["flowchart LR", f"  subgraph main[{_quoted(shape.name)}]"]
    lines += _inside(main, 2)
    lines += ["  end"]
    for index, lane in enumerate(others):
        lines += _lane(lane, f"lane{index}", 1)
        lines += [f"  main -.-> lane{index}"]
    return "\n".join([*lines, *_CLASSES]) + "\n"


def _lane(lane: Lane, name: str, depth: int) -> Iterator[str]:
    """Draw a list of steps; one with a title has a frame of its own."""
    if not lane.title:
        yield from _inside(lane, depth)
        return
    pad = "  " * depth
    yield f"{pad}subgraph {name}[{_quoted(lane.title)}]"
    yield from _inside(lane, depth + 1)
    yield f"{pad}end"
    if lane.role in _ROLES:
        yield f"{pad}class {name} {lane.role}"


def _inside(lane: Lane, depth: int) -> Iterator[str]:
    for box in lane.boxes:
        yield from _box(box, depth)
    for arrow in lane.arrows:
        yield f"{'  ' * depth}{_id(arrow.source)} --> {_id(arrow.target)}"


def _box(box: Box, depth: int) -> Iterator[str]:
    pad, text = "  " * depth, _quoted(*box.lines)
    if not box.lanes:
        yield f"{pad}{_id(box.id)}[{text}]"
    else:
        yield f"{pad}subgraph {_id(box.id)}[{text}]"
        for index, lane in enumerate(box.lanes):
            yield from _lane(lane, f"in_{_id(box.id)}/{index}", depth + 1)
        yield f"{pad}end"
    if styles := ",".join(_styles(box)):
        yield f"{pad}class {_id(box.id)} {styles}"


def _styles(box: Box) -> Iterator[str]:
    if box.unit and not box.lanes:
        yield "unit"
    if box.optional:
        yield "optional"
    if box.undo:
        yield "undone"


def _id(step: str) -> str:
    """Name a node so that no word of Mermaid's own, such as `end` or `--`, is met."""
    name = step.replace("---", "-/-/-").replace("--", "-/-")
    return f"s_{name}"


def _quoted(*lines: str) -> str:
    """Quote a label; Mermaid reads entities of decimal numbers in it."""
    escaped = ("".join(f"#{ord(c)};" if c in _SIGNS else c for c in line) for line in lines)
    return f'"{"<br>".join(escaped)}"'
