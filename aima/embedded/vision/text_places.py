"""Where a picture has writing: places on a map of likelihoods, each a line of text.

Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020. Lines
are taken to lie level, as they do on screens, papers and signs seen from the front.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Map: TypeAlias = npt.NDArray[np.float32]

LIKELY = 0.3
SURE = 0.5
LEAST_SIDE = 3
GROWTH = 1.6
"""The map shows a line's heart; it is grown by this times its area over its circumference."""


@dataclass(frozen=True)
class Place:
    """A rectangle, in cells of the map or pixels of a picture; the far sides are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        """From the top to the bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """From left to right."""
        return self.right - self.left

    def grown(self) -> Place:
        """Give the whole line around its heart."""
        by = round(self.width * self.height * GROWTH / (2 * (self.width + self.height)))
        return Place(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def scaled(self, x: float, y: float, *, within: tuple[int, int]) -> Place:
        """Give the same place in another measure, cut at the edges."""
        width, height = within
        return Place(
            max(0, round(self.left * x)),
            max(0, round(self.top * y)),
            min(width, round(self.right * x)),
            min(height, round(self.bottom * y)),
        )


def text_places(likelihood: Map) -> list[Place]:
    """Find the lines on a map, as they are read: from the top, and from the left."""
    found = [
        place
        for place in connected(likelihood > LIKELY)
        if min(place.width, place.height) >= LEAST_SIDE
        and _mean_of_likely(likelihood, place) >= SURE
    ]
    return in_reading_order([place.grown() for place in found])


def _mean_of_likely(likelihood: Map, place: Place) -> float:
    inside = likelihood[place.top : place.bottom, place.left : place.right]
    return float(inside[inside > LIKELY].mean())


def in_reading_order(places: list[Place]) -> list[Place]:
    """Sort into rows, and each row from the left."""
    rows: list[list[Place]] = []
    for place in sorted(places, key=lambda p: (p.top + p.bottom, p.left)):
        row = rows[-1] if rows else []
        if row and 2 * row[-1].bottom > place.top + place.bottom:  # its middle is beside the last
            row.append(place)
        else:
            rows.append([place])
    return [place for row in rows for place in sorted(row, key=lambda p: p.left)]


def connected(mask: npt.NDArray[np.bool_]) -> list[Place]:
    """Find the rectangles around cells that hang together, side by side or corner to corner."""
    parents: list[int] = []
    runs: list[tuple[int, int, int]] = []
    before: list[int] = []
    for row, spans in _runs(mask):
        here: list[int] = []
        for left, right in spans:
            number = len(runs)
            runs.append((row, left, right))
            parents.append(number)
            here.append(number)
            for above in before:
                if runs[above][0] == row - 1 and runs[above][1] <= right and left <= runs[above][2]:
                    parents[_root(parents, above)] = _root(parents, number)
        before = here
    return _rectangles(runs, parents)


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Give each row that has cells, and from where to where they go without a gap."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    for row in np.flatnonzero(mask.any(axis=1)):
        starts, ends = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        yield int(row), list(zip(starts.tolist(), ends.tolist(), strict=True))


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _rectangles(runs: list[tuple[int, int, int]], parents: list[int]) -> list[Place]:
    found: dict[int, Place] = {}
    for number, (row, left, right) in enumerate(runs):
        root = _root(parents, number)
        so_far = found.get(root, Place(left, row, right, row))
        found[root] = Place(min(so_far.left, left), so_far.top, max(so_far.right, right), row + 1)
    return list(found.values())
