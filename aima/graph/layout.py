"""Where everything stands in a picture: columns by what waits for what, boxes inside boxes.

Columns that would make a lane too wide go on below, as lines of a text do. In a column, boxes
stand as near to the height of their neighbours as there is room. Lengths are pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from aima.graph.columns import Grid, grid_of, with_ends
from aima.graph.shape import END, START, Box, Lane, Shape

LINE = 18
STACK = 6
"""By how much the boxes behind one that is done many times stand out."""

_CHARACTER = 7.4  # of the widest font a browser may choose, at 13 px
_CAPITAL = 9.0
_WIDE = 14.8
_HANGUL = 0x1100  # Hangul Jamo, the first block of wide characters
_BOLD = 1.12
_PADDING = 12
_GAP_X = 48
_GAP_Y = 16
_PASSING = 4  # height of a gap that an arrow passes through
_PORT = 24  # arrows join a box this far below its top, or at its middle
_WIDEST = 1500
_WIRE = 6  # between arrows that go on below beside each other
_INDENT = 28  # room for arrows that come from above
_DOT = 18  # where a workflow begins, and where it ends

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    """A box at its place; ``inner`` are the lanes inside, all in the picture's coordinates."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inner: tuple[PlacedLane, ...] = ()

    @property
    def port(self) -> float:
        """The height at which arrows join it."""
        return self.y + min(self.height / 2, _PORT)


@dataclass(frozen=True)
class PlacedLane:
    """A lane at its place; ``ways`` are the points that its arrows go through."""

    lane: Lane
    x: float
    y: float
    width: float
    height: float
    boxes: tuple[Placed, ...]
    ways: tuple[tuple[Point, ...], ...] = ()


def lay_out(shape: Shape) -> tuple[PlacedLane, ...]:
    """Place the lanes of a workflow below each other; the first shows where it begins and ends."""
    main, *others = shape.lanes
    return _stack((with_ends(main), *others), 0, 0)


def text_width(text: str, *, bold: bool = False) -> float:
    """Guess how wide a text is drawn: capitals are wide, East Asian characters wider."""
    wide = sum(
        _WIDE if ord(c) >= _HANGUL else _CAPITAL if c.isupper() else _CHARACTER for c in text
    )
    return wide * (_BOLD if bold else 1)


def _stack(lanes: tuple[Lane, ...], x: float, y: float) -> tuple[PlacedLane, ...]:
    placed: list[PlacedLane] = []
    for lane in lanes:
        here = _moved_lane(_place_lane(lane), x, y)
        placed.append(here)
        y += here.height + _GAP_Y
    return tuple(placed)


def _place_lane(lane: Lane) -> PlacedLane:
    framed = _PADDING if lane.title else 0
    top = LINE + _PADDING if lane.title else 0
    grid = grid_of(lane)
    boxes = {box.id: _place_box(box) for box in lane.boxes}
    heights = {n: boxes[n].height if n in boxes else _PASSING for c in grid.columns for n in c}
    at: dict[str, _Cell] = {}
    width, here = 0.0, float(top)
    bands = list(_bands(grid, boxes))
    left = float(framed + (_INDENT if len(bands) > 1 else 0))
    for band in bands:
        rows = _rows(grid, band, heights, boxes)
        bottom = here + max(rows[n] + heights[n] for c in band for n in c)
        across = left
        for column in band:
            wide = _column_width(column, boxes)
            at |= {n: _Cell(across, here + rows[n], across + wide, bottom) for n in column}
            across += wide + _GAP_X
        width = max(width, across - _GAP_X)
        here = bottom + 2 * _GAP_Y + _WIRE * _turning(grid, band)
    placed = {name: _moved(box, at[name].x, at[name].y) for name, box in boxes.items()}
    return PlacedLane(
        lane,
        x=0,
        y=0,
        width=max(width + framed, text_width(lane.title) + 2 * framed),
        height=here - 2 * _GAP_Y + framed,
        boxes=tuple(placed[box.id] for box in lane.boxes),
        ways=tuple(_ways([grid.ways[arrow] for arrow in lane.arrows], placed, at)),
    )


@dataclass(frozen=True)
class _Cell:
    """The corner of a place, the right edge of its column, and the bottom of its band."""

    x: float
    y: float
    right: float
    bottom: float


def _turning(grid: Grid, band: list[tuple[str, ...]]) -> int:
    """Count the arrows that leave a band for the next one."""
    here = {name for column in band for name in column}
    pairs = (pair for way in grid.ways.values() for pair in pairwise(way))
    return sum(left in here and right not in here for left, right in pairs)


def _bands(grid: Grid, boxes: Mapping[str, Placed]) -> Iterator[list[tuple[str, ...]]]:
    """Break columns into lines of bounded width."""
    band: list[tuple[str, ...]] = []
    across = 0.0
    for column in grid.columns:
        wide = _column_width(column, boxes) + _GAP_X
        if band and across + wide > _WIDEST:
            yield band
            band, across = [], 0.0
        band.append(column)
        across += wide
    if band:
        yield band


def _column_width(column: tuple[str, ...], boxes: Mapping[str, Placed]) -> float:
    here = [boxes[name] for name in column if name in boxes]
    return max((one.width + (STACK if one.box.many else 0) for one in here), default=0)


def _rows(
    grid: Grid,
    band: list[tuple[str, ...]],
    heights: Mapping[str, float],
    boxes: Mapping[str, Placed],
) -> dict[str, float]:
    """Give the top of each place in a band: in its order, near the height of its neighbours."""
    port = {n: boxes[n].port if n in boxes else _PASSING / 2 for n in heights}
    row: dict[str, float] = {}
    before, after = grid.neighbours(before=True), grid.neighbours(before=False)
    for column in band:
        floor = 0.0
        for name in column:
            row[name] = max(floor, _wanted(before[name], row, port) - port[name])
            floor = row[name] + heights[name] + _GAP_Y
    for column in reversed(band):  # what stands too high comes down, where there is room
        ceiling = float("inf")
        for name in reversed(column):
            lowest = ceiling - heights[name] - _GAP_Y
            wanted = _wanted(after[name], row, port) - port[name]
            row[name] = max(row[name], min(lowest, wanted))
            ceiling = row[name]
    return row


def _wanted(names: list[str], row: Mapping[str, float], port: Mapping[str, float]) -> float:
    known = [row[name] + port[name] for name in names if name in row]
    return sum(known) / len(known) if known else 0


def _ways(
    ways: list[tuple[str, ...]], placed: Mapping[str, Placed], at: Mapping[str, _Cell]
) -> Iterator[tuple[Point, ...]]:
    """Give the points of arrows: straight beside boxes, and in curves only between columns."""
    turned: Counter[float] = Counter()
    for way in ways:
        points = list(_out_of(placed[way[0]], at[way[0]]))
        for last, name in pairwise(way):
            before, cell = at[last], at[name]
            if cell.bottom != before.bottom:
                below = before.bottom + _GAP_Y + _WIRE * turned[before.bottom]
                turned[before.bottom] += 1
                points += [(before.right, below), (cell.x, below)]
            if name in placed:
                points.append((cell.x, placed[name].port))
            else:
                points += [(x, cell.y + _PASSING / 2) for x in (cell.x, cell.right)]
        yield tuple(points)


def _out_of(box: Placed, cell: _Cell) -> Iterator[Point]:
    yield box.x + box.width + (STACK if box.box.many else 0), box.port
    yield cell.right, box.port


def _place_box(box: Box) -> Placed:
    if box.id in (START, END):
        return Placed(box, 0, 0, _DOT, _DOT)
    name, *others = box.lines
    width = max(text_width(name, bold=True), *map(text_width, others), 0) + 2 * _PADDING
    height = LINE * len(box.lines) + 2 * _PADDING - 4
    if not box.lanes:
        return Placed(box, 0, 0, width, height)
    inner = _stack(box.lanes, _PADDING, height)
    wide = max(lane.width for lane in inner) + 2 * _PADDING
    bottom = max(lane.y + lane.height for lane in inner)
    return Placed(box, 0, 0, max(width, wide), bottom + _PADDING, inner)


def _moved(placed: Placed, x: float, y: float) -> Placed:
    """Move a box and all that is inside."""
    inner = tuple(_moved_lane(lane, x, y) for lane in placed.inner)
    return replace(placed, x=placed.x + x, y=placed.y + y, inner=inner)


def _moved_lane(lane: PlacedLane, x: float, y: float) -> PlacedLane:
    return replace(
        lane,
        x=lane.x + x,
        y=lane.y + y,
        boxes=tuple(_moved(one, x, y) for one in lane.boxes),
        ways=tuple(tuple((px + x, py + y) for px, py in way) for way in lane.ways),
    )
