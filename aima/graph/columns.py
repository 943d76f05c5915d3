"""Which column and which row each box of a lane stands in.

A box stands one column to the right of the last one that it waits for (longest-path layering).
Where an arrow passes a column, a gap is kept for it, so that no arrow runs through a box. Rows are
ordered by the middle of the neighbours, there and back (barycentres, as in Sugiyama, Tagawa, Toda
1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aima.graph.shape import END, START, Arrow, Box, Lane

_SWEEPS = 4
_LONG = 8  # columns


@dataclass(frozen=True)
class Grid:
    """The columns of a lane, from left to right.

    Attributes:
        columns: names of boxes, and of gaps that arrows pass through.
        ways: for each arrow, what it goes through: its source, gaps, its target.
    """

    columns: tuple[tuple[str, ...], ...]
    ways: Mapping[Arrow, tuple[str, ...]]

    def neighbours(self, *, before: bool) -> dict[str, list[str]]:
        """Name what each place is joined with in the column before it, or after it."""
        found: dict[str, list[str]] = {name: [] for column in self.columns for name in column}
        for way in self.ways.values():
            for left, right in pairwise(way):
                found[right if before else left].append(left if before else right)
        return found


def with_ends(lane: Lane) -> Lane:
    """Show where a lane begins, before all that wait for none, and where it ends.

    In a long one only the last steps lead to the end: from side branches of long ago, arrows would
    run through the whole picture.
    """
    level = _levels(lane)
    last = max(level.values(), default=0)
    targets = {arrow.target for arrow in lane.arrows}
    sources = {arrow.source for arrow in lane.arrows}
    begin = (Arrow(START, name) for name in level if name not in targets)
    ends = (name for name in level if name not in sources)
    end = (Arrow(name, END) for name in ends if last < _LONG or level[name] == last)
    boxes = (Box(START, ""), *lane.boxes, Box(END, ""))
    return replace(lane, boxes=boxes, arrows=(*begin, *lane.arrows, *end))


def grid_of(lane: Lane) -> Grid:
    """Give each box its column and row."""
    level = _levels(lane)
    columns: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for box in lane.boxes:
        columns[level[box.id]].append(box.id)
    ways: dict[Arrow, tuple[str, ...]] = {}
    for number, arrow in enumerate(lane.arrows):
        between = range(level[arrow.source] + 1, level[arrow.target])
        gaps = [f"{number}>{column}" for column in between]  # `>` is in no id
        for column, gap in zip(between, gaps, strict=True):
            columns[column].append(gap)
        ways[arrow] = (arrow.source, *gaps, arrow.target)
    grid = Grid(tuple(tuple(column) for column in columns if column), ways)
    return Grid(_ordered(grid), ways)


def _levels(lane: Lane) -> dict[str, int]:
    before: dict[str, list[str]] = {box.id: [] for box in lane.boxes}
    for arrow in lane.arrows:
        before[arrow.target].append(arrow.source)
    level: dict[str, int] = dict.fromkeys(before, 0)
    for _ in lane.boxes:  # as many sweeps as the longest way has steps; mostly one or two
        changed = False
        for name, sources in before.items():
            deepest = max((level[source] + 1 for source in sources), default=0)
            if level[name] != deepest and deepest < len(before):
                level[name], changed = deepest, True
        if not changed:
            break
    return level


def _ordered(grid: Grid) -> tuple[tuple[str, ...], ...]:
    columns = [list(column) for column in grid.columns]
    row = {name: float(index) for column in columns for index, name in enumerate(column)}
    for sweep in range(_SWEEPS):
        joined = grid.neighbours(before=sweep % 2 == 0)
        for column in columns if sweep % 2 == 0 else reversed(columns):
            middle = {name: _middle(joined[name], row, row[name]) for name in column}
            column.sort(key=middle.__getitem__)
            row.update((name, float(index)) for index, name in enumerate(column))
    return tuple(tuple(column) for column in columns)


def _middle(names: Sequence[str], row: Mapping[str, float], otherwise: float) -> float:
    return sum(row[name] for name in names) / len(names) if names else otherwise
