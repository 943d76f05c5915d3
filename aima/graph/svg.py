"""A shape as an SVG picture, drawn without a browser; light or dark as the reader's system is.

Colours are written out, not as variables: converters and image viewers know no variables and
would draw everything black.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import NamedTuple

from aima.graph.layout import LINE, STACK, Placed, PlacedLane, Point, lay_out, text_width
from aima.graph.shape import END, START, Box, Lane, Role, Shape

_MARGIN = 24
_EDGE = 8
_TITLE = 34
_LEGEND = 34
_TURN = 24
_MANY = "many"

_LIGHT: Mapping[str, str] = {
    ".paper": "fill:#ffffff",
    "text": "fill:#566072",
    ".id": "fill:#1b2330",
    ".undo": "fill:#8a5a00",
    ".fails": "fill:#a3262a",
    ".cleans": "fill:#5a4a94",
    "rect.box": "fill:#ffffff;stroke:#98a2b3",
    "rect.unit": "fill:#e9f2ff;stroke:#7aa5dc",
    "rect.block": "fill:#f5f7fa;stroke:#98a2b3",
    "rect.lane": "fill:#ffffff;stroke:#b5bdcb",
    "rect.failure": "fill:#fff4f3;stroke:#d98a86",
    "rect.cleanup": "fill:#f6f3ff;stroke:#a99ad6",
    ".arrow": "stroke:#7b8698",
    ".tip": "fill:#7b8698",
    ".dot": "fill:#7b8698",
    ".badge": "fill:#fff3d6;stroke:#e0b04c",
}
_DARK: Mapping[str, str] = {
    ".paper": "fill:#10151d",
    "text": "fill:#a3adbf",
    ".id": "fill:#eef1f7",
    ".undo": "fill:#e8b95b",
    ".fails": "fill:#f0918c",
    ".cleans": "fill:#b9abf0",
    "rect.box": "fill:#1b222d;stroke:#667085",
    "rect.unit": "fill:#182a44;stroke:#4a76ad",
    "rect.block": "fill:#151b25;stroke:#667085",
    "rect.lane": "fill:#10151d;stroke:#4d586b",
    "rect.failure": "fill:#2b1718;stroke:#8f4a47",
    "rect.cleanup": "fill:#1d1930;stroke:#6a5ca3",
    ".arrow": "stroke:#7b8698",
    ".badge": "fill:#33280f;stroke:#8f6d23",
}
_FORM = """
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
  .id { font-weight: 600 }
  .arrow { fill: none; stroke-width: 1.5 }
  .optional, .maybe { stroke-dasharray: 5 4 }
""".strip("\n")
_ROLES = {Role.failure: "fails", Role.cleanup: "cleans"}


def svg(shape: Shape) -> str:
    """Give the picture."""
    lanes = lay_out(shape)
    wide = max((lane.x + lane.width for lane in lanes), default=0)
    legend = list(_legend(shape))
    told = sum(text_width(text) + 44 for _, text in legend)
    width = max(wide, told, text_width(shape.name)) + 2 * _MARGIN
    height = max((lane.y + lane.height for lane in lanes), default=0)
    height += 2 * _MARGIN + _TITLE + (_LEGEND if legend else 0)
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img">',
            f"<title>{escape(shape.name)}</title>",
            f"<style>\n{_style()}\n</style>",
            f'<rect class="paper" {size}/>',
            f'<text class="id" x="{_MARGIN}" y="{_MARGIN + 10}">{escape(shape.name)}</text>',
            f'<g transform="translate({_MARGIN} {_MARGIN + _TITLE})">',
            *(line for lane in lanes for line in _lane(lane)),
            "</g>",
            *_drawn_legend(legend, height - _MARGIN),
            "</svg>\n",
        )
    )


def drawing(shape: Shape) -> str:
    """Give the picture for a page that brings the style: no title, no legend, no colours.

    Each step is a group with its id as ``data-step``, so that a page can show how far it is.
    """
    lanes = lay_out(shape)
    width = max((lane.x + lane.width for lane in lanes), default=0) + 2 * _EDGE
    height = max((lane.y + lane.height for lane in lanes), default=0) + 2 * _EDGE
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        (
            f'<svg class="graph" {size} role="img">',
            f"<title>Graph of {escape(shape.name)}</title>",
            f'<g transform="translate({_EDGE} {_EDGE})">',
            *(line for lane in lanes for line in _lane(lane)),
            "</g></svg>",
        )
    )


def _style() -> str:
    light = [f"  {name} {{ {said} }}" for name, said in _LIGHT.items()]
    dark = [f"    {name} {{ {said} }}" for name, said in _DARK.items()]
    dark = ["  @media (prefers-color-scheme: dark) {", *dark, "  }"]
    return "\n".join([_FORM, *light, *dark])


def _lane(lane: PlacedLane) -> Iterator[str]:
    if lane.lane.title:
        role = lane.lane.role
        yield _rect(f"lane {role}", _Area(lane.x, lane.y, lane.width, lane.height))
        style = _ROLES.get(role, "plain")
        yield _text(style, lane.x + 12, lane.y + LINE, lane.lane.title)
    for way in lane.ways:
        yield from _arrow(way)
    for placed in lane.boxes:
        yield from _box(placed)


def _box(placed: Placed) -> Iterator[str]:
    box = placed.box
    if box.id in (START, END):
        yield from _end(placed)
        return
    kind = "block" if box.lanes else "unit" if box.unit else "plain"
    style = f"box {kind} optional" if box.optional else f"box {kind}"
    wide, high = placed.width, placed.height
    yield f'<g data-step="{escape(box.id)}">'
    for behind in (STACK, STACK // 2) if box.many else ():
        yield _rect(style, _Area(placed.x + behind, placed.y + behind, wide, high))
    yield _rect(style, _Area(placed.x, placed.y, wide, high))
    for index, line in enumerate(box.lines):
        y = placed.y + 4 + LINE * (index + 1)
        undo = bool(box.undo) and index == len(box.lines) - 1
        if undo:
            yield _rect("badge", _Area(placed.x + 8, y - LINE + 5, text_width(line) + 8, LINE), 4)
        yield _text("id" if index == 0 else "undo" if undo else "plain", placed.x + 12, y, line)
    yield "</g>"
    for lane in placed.inner:
        yield from _lane(lane)


def _end(placed: Placed) -> Iterator[str]:
    """Draw where the workflow begins, or where it ends."""
    radius = placed.width / 2
    at = f'cx="{placed.x + radius:.1f}" cy="{placed.port:.1f}"'
    yield f'<circle class="dot" {at} r="{radius - 4:.1f}"/>'
    if placed.box.id == END:
        yield f'<circle class="arrow" {at} r="{radius - 1:.1f}"/>'


def _arrow(way: tuple[Point, ...]) -> Iterator[str]:
    """Draw a curve through points, and a tip at the last one."""
    (x, y), (tip_x, tip_y) = way[0], way[-1]
    drawn, leftward = f"M{x:.1f} {y:.1f}", False
    for (x1, y1), (x2, y2) in pairwise((*way[:-1], (tip_x - 6, tip_y))):
        if y1 == y2:
            drawn += f" H{x2:.1f}"
        elif x2 > x1:
            middle = (x1 + x2) / 2
            drawn += f" C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        else:  # down beside the last column, or down before the first one
            side = x1 - _TURN if leftward else x1 + _TURN
            drawn += f" C{side:.1f} {y1:.1f} {side:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        leftward = x2 < x1
    yield f'<path class="arrow" d="{drawn}"/>'
    yield f'<path class="tip" d="M{tip_x:.1f} {tip_y:.1f} l-8 -4 v8 z"/>'


def _legend(shape: Shape) -> Iterator[tuple[str, str]]:
    """Explain the marks that occur."""
    boxes = [box for lane in shape.lanes for box in _all(lane)]
    roles = {lane.role for box in boxes for lane in box.lanes} | {ln.role for ln in shape.lanes}
    if any(box.unit for box in boxes):
        yield "box unit", "runs a unit"
    if any(box.optional for box in boxes):
        yield "box plain optional", "may be skipped"
    if any(box.many for box in boxes):
        yield _MANY, "for each item"
    if any(box.undo for box in boxes):
        yield "badge", "undone if the run fails later, the last first"
    if Role.failure in roles:
        yield "lane failure", "on errors"
    if Role.cleanup in roles:
        yield "lane cleanup", "always"


def _drawn_legend(legend: list[tuple[str, str]], y: float) -> Iterator[str]:
    x = float(_MARGIN)
    for style, text in legend:
        if style == _MANY:
            yield _rect("box plain", _Area(x + 3, y - 9, 16, 12), 3)
        yield _rect("box plain" if style == _MANY else style, _Area(x, y - 12, 16, 12), 3)
        yield _text("plain", x + 24, y - 1, text)
        x += text_width(text) + 44


def _all(lane: Lane) -> Iterator[Box]:
    for box in lane.boxes:
        yield box
        for inner in box.lanes:
            yield from _all(inner)


class _Area(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def _rect(style: str, area: _Area, round_: int = 8) -> str:
    x, y, width, height = area
    return (
        f'<rect class="{style}" rx="{round_}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}"/>'
    )


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
