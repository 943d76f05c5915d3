"""Where everything stands in a picture: columns by what waits for what, boxes inside boxes.

A lane is laid out in columns: a box stands one column to the right of the last one that it waits
for (longest-path layering), and in a column near the middle of those (one barycentre sweep, as
in Sugiyama, Tagawa, Toda 1981). Lengths are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aima.graph.shape import Box, Lane, Shape

LINE = 18
_CHARACTER = 7.4  # of the widest font a browser may choose, at 13 px
_PADDING = 12
_GAP_X = 44
_GAP_Y = 16


@dataclass(frozen=True)
class Placed:
    """A box at its place; ``inner`` are the lanes inside, all in the picture's coordinates."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inner: tuple[PlacedLane, ...] = ()


@dataclass(frozen=True)
class PlacedLane:
    """A lane at its place."""

    lane: Lane
    x: float
    y: float
    width: float
    height: float
    boxes: tuple[Placed, ...]


def lay_out(shape: Shape) -> tuple[PlacedLane, ...]:
    """Place the lanes of a workflow below each other."""
    return _stack(shape.lanes, 0, 0)


def _stack(lanes: tuple[Lane, ...], x: float, y: float) -> tuple[PlacedLane, ...]:
    placed: list[PlacedLane] = []
    for lane in lanes:
        here = _place_lane(lane, x, y)
        placed.append(here)
        y += here.height + _GAP_Y
    return tuple(placed)


def _place_lane(lane: Lane, x: float, y: float) -> PlacedLane:
    top = y + (LINE + _PADDING if lane.title else 0)
    left = x + (_PADDING if lane.title else 0)
    sized = {box.id: _place_box(box, 0, 0) for box in lane.boxes}
    boxes: list[Placed] = []
    here, most = left, top
    for column in _columns(lane):
        down = top
        widest = max(sized[name].width for name in column)
        for name in column:
            boxes.append(_moved(sized[name], here, down))
            down += sized[name].height + _GAP_Y
        most = max(most, down - _GAP_Y)
        here += widest + _GAP_X
    titled = _text_width(lane.title) + 2 * _PADDING
    width = max(here - _GAP_X - x + (_PADDING if lane.title else 0), titled)
    height = most - y + (_PADDING if lane.title else 0)
    return PlacedLane(lane, x, y, width, height, tuple(boxes))


def _columns(lane: Lane) -> list[list[str]]:
    before: dict[str, list[str]] = {box.id: [] for box in lane.boxes}
    for arrow in lane.arrows:
        before[arrow.target].append(arrow.source)
    level: dict[str, int] = {}
    for _ in lane.boxes:  # as many sweeps as the longest way has steps; mostly one or two
        changed = False
        for name, sources in before.items():
            deepest = max((level.get(s, 0) + 1 for s in sources), default=0)
            if level.get(name) != deepest and deepest <= len(before):
                level[name], changed = deepest, True
        if not changed:
            break
    columns: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for name in before:
        columns[level[name]].append(name)
    row: dict[str, float] = {}
    for column in filter(None, columns):
        column.sort(key=lambda name: _middle(before[name], row, len(row)))
        row |= {name: index for index, name in enumerate(column)}
    return [column for column in columns if column]


def _middle(sources: list[str], row: dict[str, float], otherwise: float) -> float:
    known = [row[source] for source in sources if source in row]
    return sum(known) / len(known) if known else otherwise


def _place_box(box: Box, x: float, y: float) -> Placed:
    lines = [box.id, box.does, *box.notes]
    width = max(map(_text_width, lines)) + 2 * _PADDING
    height = LINE * len(list(filter(None, lines))) + 2 * _PADDING - 4
    if not box.lanes:
        return Placed(box, x, y, width, height)
    inner = _stack(box.lanes, x + _PADDING, y + height)
    wide = max(lane.width for lane in inner) + 2 * _PADDING
    bottom = max(lane.y + lane.height for lane in inner)
    return Placed(box, x, y, max(width, wide), bottom + _PADDING - y, inner)


def _moved(placed: Placed, x: float, y: float) -> Placed:
    """Move a box and all that is inside."""
    inner = tuple(
        replace(
            lane,
            x=lane.x + x,
            y=lane.y + y,
            boxes=tuple(_moved(one, x, y) for one in lane.boxes),
        )
        for lane in placed.inner
    )
    return replace(placed, x=placed.x + x, y=placed.y + y, inner=inner)


def _text_width(text: str) -> float:
    """Guess how wide a text is drawn; wide East Asian characters take two places."""
    return _CHARACTER * sum(2 if ord(c) >= 0x1100 else 1 for c in text)  # noqa: PLR2004 - Hangul Jamo, the first wide block
