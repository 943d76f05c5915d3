"""NanoDet: things in a picture, each with a box around it.

Source: RangiLyu, NanoDet; its distances are expectations over bins, after Li et al., Generalized
Focal Loss, 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.vision.coco import LABELS

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL.Image import Image

Numbers: TypeAlias = npt.NDArray[np.float32]

SIDE = 416
STRIDES = (8, 16, 32)
BINS = 11
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
SPREAD = np.array([57.375, 57.12, 58.395], np.float32)
SAME_THING = 0.5
"""Two boxes of one kind that share more than this of their area are one thing."""
MOST_THINGS = 100
LEAST_SCORE = 0.05
"""Below, everything is noise, whatever threshold was asked for."""


@dataclass(frozen=True)
class Thing:
    """What was found, in pixels of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class NanoDet:
    """A loaded model."""

    session: InferenceSession

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> NanoDet:
        """Read the model."""
        from aima.embedded.onnx import session

        return cls(session(folder / "model.onnx", threads=threads))

    def find(self, picture: Image, *, size: tuple[int, int], threshold: float) -> list[Thing]:
        """Find things, the surest first; their boxes are scaled to a picture of ``size``."""
        outputs = [np.asarray(o)[0] for o in self.session.run(None, {"images": _input(picture)})]
        scores = np.concatenate(outputs[: len(STRIDES)])
        boxes = np.concatenate(
            [
                _boxes(distances, stride)
                for distances, stride in zip(outputs[len(STRIDES) :], STRIDES, strict=True)
            ]
        )
        boxes = np.clip(boxes, 0, SIDE) * np.tile(np.array(size, np.float32) / SIDE, 2)
        found = _distinct(scores, boxes, max(threshold, LEAST_SCORE))
        return sorted(found, key=lambda thing: -thing.score)[:MOST_THINGS]


def _input(picture: Image) -> Numbers:
    """Give the picture as the model was taught: blue first, 416 by 416, its shape not kept."""
    from PIL.Image import Resampling

    pixels = np.asarray(picture.resize((SIDE, SIDE), Resampling.BILINEAR), np.float32)
    return ((pixels[:, :, ::-1] - MEAN) / SPREAD).transpose(2, 0, 1)[None]


def _boxes(distances: Numbers, stride: int) -> Numbers:
    """Turn distances of cells' centres to their boxes' sides into corners."""
    cells = SIDE // stride
    bins = distances.reshape(-1, 4, BINS)
    odds = np.exp(bins - bins.max(axis=2, keepdims=True))
    sides = (odds / odds.sum(axis=2, keepdims=True)) @ np.arange(BINS, dtype=np.float32) * stride
    middles = (np.arange(cells, dtype=np.float32) + 0.5) * stride
    x, y = (grid.ravel() for grid in np.meshgrid(middles, middles))
    left, top, right, bottom = sides.T
    return np.stack([x - left, y - top, x + right, y + bottom], axis=1)


def _distinct(scores: Numbers, boxes: Numbers, threshold: float) -> Iterator[Thing]:
    """Give each thing once: the surest of the boxes that lie on each other."""
    for kind, label in enumerate(LABELS):
        of_kind = scores[:, kind]
        left = np.flatnonzero(of_kind >= threshold)
        left = left[np.argsort(-of_kind[left], kind="stable")]
        while len(left):
            best, rest = left[0], left[1:]
            xmin, ymin, xmax, ymax = (round(float(side), 1) for side in boxes[best])
            yield Thing(label, round(float(of_kind[best]), 4), (xmin, ymin, xmax, ymax))
            left = rest[_shared(boxes[best], boxes[rest]) <= SAME_THING]


def _shared(box: Numbers, others: Numbers) -> Numbers:
    """Tell how much of their common area a box shares with others."""
    upper, lower = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.clip(lower - upper, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(common / np.maximum(areas - common, 1e-9), np.float32)
