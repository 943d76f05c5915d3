"""The main colours of a picture, by the names people have for them, and how bright it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

NAMED = {
    "black": (15, 15, 15),
    "grey": (128, 128, 128),
    "white": (245, 245, 245),
    "red": (200, 30, 35),
    "orange": (240, 140, 30),
    "yellow": (240, 220, 60),
    "green": (50, 140, 60),
    "turquoise": (60, 190, 180),
    "blue": (40, 80, 190),
    "purple": (120, 50, 150),
    "pink": (240, 150, 180),
    "brown": (110, 70, 40),
    "beige": (215, 195, 160),
}
LEAST_SHARE = 0.12
MOST_COLOURS = 4
SIDE = 64


def main_colours(picture: Image) -> list[str]:
    """Name the colours that cover much of a picture, the most of it first."""
    pixels = np.asarray(picture.resize((SIDE, SIDE)), np.float32).reshape(-1, 1, 3)
    named = np.array(list(NAMED.values()), np.float32)[None]
    # The eye's "redmean" likeness of colours, after Riemersma.
    red = (pixels[..., :1] + named[..., :1]) / 2
    weights = np.concatenate([2 + red / 256, np.full_like(red, 4), 2 + (255 - red) / 256], axis=2)
    nearest = (weights * (pixels - named) ** 2).sum(axis=2).argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(NAMED)) / len(nearest)
    order = np.argsort(-shares, kind="stable")[:MOST_COLOURS]
    names = list(NAMED)
    return [names[i] for i in order if shares[i] >= LEAST_SHARE] or [names[order[0]]]


def brightness(picture: Image) -> float:
    """Tell how bright a picture is on the whole, from 0 (black) to 1 (white)."""
    return round(float(np.asarray(picture.convert("L").resize((SIDE, SIDE))).mean()) / 255, 3)
