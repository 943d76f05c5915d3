"""Workflows as pictures."""

from itertools import pairwise
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
    assert '\n      s_end["end<br>set"]' in text
    assert "s_c --> s_loop" in text
    assert "main -.-> lane0" in text
    opened, closed = text.count("  subgraph "), text.count("  end\n")
    assert opened == closed == 3


def test_hyphens_in_ids_make_no_links_in_mermaid() -> None:
    """`a--b` is a fine id too, and two ids never become one node."""
    names = ["a-b", "a--b", "a---b", "a__b", "a_b", "a-"]
    steps = "\n".join(f"  - {{id: {name}, set: {{x: 1}}}}" for name in names)
    text = mermaid(shape(f"name: ids\nsteps:\n{steps}\n"))
    nodes = {line.strip().partition("[")[0] for line in text.splitlines() if "<br>set" in line}
    assert len(nodes) == len(names)
    assert not [node for node in nodes if "--" in node or "->" in node]


def test_text_of_others_is_only_text() -> None:
    """A condition may hold whatever closes a quote, a tag or a style."""
    hostile = "</text><script>alert(1)</script> & `**x**`"
    drawn = shape(f"""name: hostile
steps: [{{id: a, if: "${{'{hostile}' == ''}}", set: {{x: 1}}}}]
""")
    assert "<script" not in svg(drawn)
    assert "<script" not in mermaid(drawn)
    assert "`" not in mermaid(drawn)


def test_the_first_look_tells_what_is_special() -> None:
    """Skipped, repeated, undone, caught, raced: each has a mark, and the legend names it."""
    text = """
    name: marks
    steps:
      - {id: maybe, if: "${1 > 0}", set: {x: 1}}
      - id: book
        type: lab.echo
        compensate: {type: lab.undo}
        catch: [{codes: [TIMEOUT], steps: [{id: late, set: {x: 1}}]}, {steps: [{id: no, wait: 1s}]}]
      - id: run
        race: [{steps: [{id: r1, wait: 1s}]}, {steps: [{id: r2, wait: 2s}]}]
      - id: each
        for_each: {in: "${[1]}"}
        switch: [{if: "${item > 0}", steps: [{id: s1, wait: 1s}]}, {else: [{id: s2, wait: 1s}]}]
    finally: [{id: bye, set: {x: 1}}]
    """
    drawn = svg(shape(text))
    for told in (
        "undo: lab.undo",
        "on TIMEOUT",
        "on any other error",
        "racer 2",
        "if item &gt; 0",
        "for each item",
        "may be skipped",
        "finally, however it ends",
    ):
        assert f">{told}</text>" in drawn
    assert 'class="box plain optional"' in drawn


def test_colours_are_written_out() -> None:
    """Viewers without a browser know no variables, and draw black on black."""
    assert "var(" not in svg(shape(TEXT))


def test_a_long_chain_goes_on_below() -> None:
    """A picture that is 18 000 pixels wide is looked at by nobody."""
    steps = ["name: long", "steps:", "  - {id: s0, wait: 1s}"]
    steps += [f"  - {{id: s{n}, depends_on: [s{n - 1}], wait: 1s}}" for n in range(1, 100)]
    [lane] = lay_out(shape("\n".join(steps)))
    assert lane.width < 1600
    check_apart(lane)


def test_arrows_run_through_no_box() -> None:
    """One that seems to end at a box that it passes tells something false."""
    text = "name: skip\nsteps:\n  - {id: a, wait: 1s}\n  - {id: b, depends_on: [a], wait: 1s}\n"
    text += "  - {id: c, depends_on: [b], wait: 1s}\n  - {id: far, wait: 1s}\n"
    text += "  - {id: z, depends_on: [c, far], wait: 1s}\n"
    [lane] = lay_out(shape(text))
    for way in lane.ways:
        for (x1, y1), (x2, y2) in pairwise(way):
            crossed = [b for b in lane.boxes if y1 == y2 and b.y < y1 < b.y + b.height]
            assert not [b.box.id for b in crossed if max(x1, b.x) < min(x2, b.x + b.width)]


def test_dot_names_clusters_for_blocks() -> None:
    """So that Graphviz draws a frame around them."""
    text = dot(shape(TEXT))
    assert 'subgraph "cluster_loop"' in text
    assert '"loop\\lfor each of input.list\\l"' in text
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
