"""Workflows as pictures."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aima.dsl.diagnostic import Findings
from aima.dsl.document import read_document
from aima.dsl.load import load
from aima.graph.dot import dot
from aima.graph.layout import Placed, PlacedLane, lay_out
from aima.graph.mermaid import mermaid
from aima.graph.shape import Shape, shape_of
from aima.graph.svg import svg
from aima.shipped import shipped
from aima.workflows.constructs import language

WORKFLOWS = [
    file
    for file in (*shipped("workflows").glob("*.yaml"), *shipped("workflows").rglob("examples/*/*"))
    if file.suffix == ".yaml" and ".test" not in file.name
]

TEXT = """
name: shape
steps:
  - {id: a, type: lab.echo}
  - {id: b, depends_on: [a], type: lab.echo}
  - {id: c, depends_on: [a, b], type: lab.echo}
  - id: loop
    depends_on: [c]
    for_each: {in: "${input.list}"}
    steps: [{id: end, set: {x: "<&\\">"}}]
finally: [{id: z, type: lab.echo}]
"""


def shape(text: str) -> Shape:
    """Read a workflow's shape."""
    _, root, _ = load(text, "w.yaml")
    assert root is not None
    document = read_document(root, language(), Findings("w.yaml"))
    assert document is not None
    return shape_of(document, language())


def test_arrows_that_others_imply_are_left_out() -> None:
    """A picture with every dependency of a long chain is black."""
    arrows = [(arrow.source, arrow.target) for arrow in shape(TEXT).lanes[0].arrows]
    assert arrows == [("a", "b"), ("b", "c"), ("c", "loop")]


def test_no_word_of_mermaids_own_breaks_the_text() -> None:
    """`end` is a fine id of a step, and ends a subgraph in Mermaid."""
    text = mermaid(shape(TEXT))
    assert "\n    s_end[" in text
    assert text.count("\n  end\n") == 2
    assert "s_c --> s_loop" in text


def test_dot_names_clusters_for_blocks() -> None:
    """So that Graphviz draws a frame around them."""
    text = dot(shape(TEXT))
    assert 'subgraph "cluster_loop"' in text
    assert '"c" -> "end" [lhead="cluster_loop"];' in text


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_picture_is_well_formed_and_no_two_boxes_overlap(file: Path) -> None:
    """What overlaps cannot be read."""
    drawn = shape(file.read_text("utf-8"))
    ET.fromstring(svg(drawn))  # noqa: S314 - our own output
    for lane in lay_out(drawn):
        check_apart(lane)


def check_apart(lane: PlacedLane) -> None:
    """Check that boxes of a lane are beside each other, and inner ones inside."""
    for index, one in enumerate(lane.boxes):
        for other in lane.boxes[index + 1 :]:
            assert apart(one, other), (one.box.id, other.box.id)
        for inner in one.inner:
            assert one.x <= inner.x
            assert inner.x + inner.width <= one.x + one.width
            assert inner.y + inner.height <= one.y + one.height
            check_apart(inner)


def apart(one: Placed, other: Placed) -> bool:
    """Tell whether two boxes have no point in common."""
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return beside or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_a_hundred_nested_blocks_are_drawn_at_once() -> None:
    """Each level once, not twice as often as the one outside."""
    lines, indent = ["name: deep", "steps:"], "  "
    for number in range(100):
        lines += [f"{indent}- id: b{number}", f"{indent}  steps:"]
        indent += "    "
    lines.append(f"{indent}- {{id: leaf, set: {{x: 1}}}}")
    assert svg(shape("\n".join(lines))).count("<rect") == 102
