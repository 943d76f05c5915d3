"""A shape as an SVG picture, drawn without a browser; light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from aima.graph.layout import LINE, Placed, PlacedLane, lay_out
from aima.graph.shape import Shape

_MARGIN = 20
_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 8 4 0 8z"/></marker>'
)
_STYLE = """
  svg { color-scheme: light dark; --ink: #1c2330; --soft: #5b6577; --line: #8a94a6;
        --box: #ffffff; --block: #f3f5f9; --unit: #e8f1ff; --paper: #ffffff; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e8ecf4; --soft: #a3adbf; --line: #6b7588;
          --box: #1d2430; --block: #171d27; --unit: #1b2d47; --paper: #10151d; } }
  .paper { fill: var(--paper); }
  text { font: 13px system-ui, sans-serif; fill: var(--soft); }
  .id { font-weight: 600; fill: var(--ink); }
  rect.box { fill: var(--box); stroke: var(--line); }
  rect.unit { fill: var(--unit); }
  rect.block { fill: var(--block); }
  rect.lane { fill: none; stroke: var(--line); stroke-dasharray: 5 4; }
  path.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
  marker path { fill: var(--line); }
""".strip()


def svg(shape: Shape) -> str:
    """Give the picture."""
    lanes = lay_out(shape)
    width = max((lane.x + lane.width for lane in lanes), default=0) + 2 * _MARGIN
    height = max((lane.y + lane.height for lane in lanes), default=0) + 2 * _MARGIN + LINE
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f"0 0 {width:.0f} {height:.0f}"
    drawn = [line for lane in lanes for line in _lane(lane)]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{view}" role="img">',
            f"<title>{escape(shape.name)}</title>",
            f"<style>{_STYLE}</style>",
            f"<defs>{_TIP}</defs>",
            f'<rect class="paper" {size}/>',
            f'<text class="id" x="{_MARGIN}" y="{_MARGIN + 4}">{escape(shape.name)}</text>',
            f'<g transform="translate({_MARGIN} {_MARGIN + LINE})">',
            *drawn,
            "</g>",
            "</svg>\n",
        )
    )


def _lane(lane: PlacedLane) -> Iterator[str]:
    if lane.lane.title:
        yield (
            f'<rect class="lane" rx="8" x="{lane.x:.1f}" y="{lane.y:.1f}" '
            f'width="{lane.width:.1f}" height="{lane.height:.1f}"/>'
        )
        title = escape(lane.lane.title)
        yield f'<text x="{lane.x + 12:.1f}" y="{lane.y + LINE:.1f}">{title}</text>'
    places = {placed.box.id: placed for placed in lane.boxes}
    for arrow in lane.lane.arrows:
        yield _arrow(places[arrow.source], places[arrow.target])
    for placed in lane.boxes:
        yield from _box(placed)


def _box(placed: Placed) -> Iterator[str]:
    box = placed.box
    kind = "block" if box.lanes else "unit" if "." in box.does else "plain"
    yield (
        f'<rect class="box {kind}" rx="8" x="{placed.x:.1f}" y="{placed.y:.1f}" '
        f'width="{placed.width:.1f}" height="{placed.height:.1f}"/>'
    )
    lines = [line for line in (box.id, box.does, *box.notes) if line]
    for index, line in enumerate(lines):
        style = ' class="id"' if index == 0 else ""
        x, y = placed.x + 12, placed.y + 4 + LINE * (index + 1)
        yield f'<text{style} x="{x:.1f}" y="{y:.1f}">{escape(line)}</text>'
    for lane in placed.inner:
        yield from _lane(lane)


def _arrow(source: Placed, target: Placed) -> str:
    """Draw an arrow from the right of one box to the left of another."""
    x1, y1 = source.x + source.width, source.y + min(source.height / 2, 26)
    x2, y2 = target.x - 2, target.y + min(target.height / 2, 26)
    bend = max((x2 - x1) / 2, 18)
    return (
        f'<path class="arrow" marker-end="url(#tip)" d="M{x1:.1f} {y1:.1f} '
        f'C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"/>'
    )
