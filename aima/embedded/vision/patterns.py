"""Patterns: pictures computed from a prompt's vector and a seed. They show no things.

Fields of waves, bent by each other, are painted with a palette. The palette follows colours that
the prompt names, else the meaning of the prompt: prompts that are alike get colours that are alike.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.vision.colours import NAMED

if TYPE_CHECKING:
    from PIL.Image import Image

Field: TypeAlias = npt.NDArray[np.float32]

ALSO_NAMED = {
    "night": "black", "gray": "grey", "snow": "white", "cloud": "white", "fire": "orange",
    "sunset": "orange", "sun": "yellow", "gold": "yellow", "golden": "yellow", "forest": "green",
    "grass": "green", "sea": "turquoise", "ocean": "blue", "sky": "blue", "water": "blue",
    "violet": "purple", "rose": "pink", "wood": "brown", "earth": "brown", "sand": "beige",
}  # fmt: skip
STOPS = 5
WAVES = 5
ROWS = 128
"""Computed at once; memory does not grow with the picture's height."""


@dataclass(frozen=True)
class Style:
    """How a picture is painted.

    Attributes:
        directions: of the waves of each layer, ``(layers, waves, 2)``.
        phases: where each wave begins, ``(layers, waves)``.
        bend: how much a layer bends the next.
        palette: colours from the field's lowest value to its highest, ``(stops, 3)``, 0 to 255.
    """

    directions: Field
    phases: Field
    bend: float
    palette: Field


def style_of(prompt: str, vector: Field, seed: int) -> Style:
    """Choose how to paint; the same prompt and seed always choose alike.

    Chance comes from the prompt's letters, since a vector may differ in its last digit from one
    processor to the next, and a picture should not jump for that.
    """
    digest = hashlib.sha256(f"{seed}:{prompt}".encode()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    mood = np.tanh(vector[: 3 * WAVES * 2].reshape(3, WAVES, 2) * 12)
    scale = np.geomspace(1.2, 7, WAVES, dtype=np.float32)[None, :, None]
    directions = (chance.normal(size=(3, WAVES, 2)).astype(np.float32) + 0.8 * mood) * scale
    phases = chance.uniform(0, 2 * np.pi, (3, WAVES)).astype(np.float32)
    bend = float(0.25 + 0.35 * chance.random())
    return Style(directions.astype(np.float32), phases, bend, _palette(prompt, vector, chance))


def paint(style: Style, width: int, height: int) -> Image:
    """Compute a picture."""
    from PIL import Image

    span = max(width, height)
    x = (np.arange(width, dtype=np.float32) - width / 2) / span
    strips = []
    for top in range(0, height, ROWS):
        rows = np.arange(top, min(height, top + ROWS), dtype=np.float32)
        y = (rows - height / 2) / span
        across, down = np.meshgrid(x, y)
        strips.append(_strip(style, across.astype(np.float32), down.astype(np.float32)))
    return Image.fromarray(np.concatenate(strips), "RGB")


def _strip(style: Style, x: Field, y: Field) -> npt.NDArray[np.uint8]:
    first = _waves(x, y, style, layer=0)
    second = _waves(x + style.bend * first, y - style.bend * first, style, layer=1)
    value = _waves(x - style.bend * second, y + style.bend * first, style, layer=2)
    place = (0.5 + 0.5 * np.tanh(1.6 * value)) * (len(style.palette) - 1)
    below = np.clip(place.astype(np.int32), 0, len(style.palette) - 2)
    share = (place - below)[..., None]
    share = share * share * (3 - 2 * share)
    colour = style.palette[below] * (1 - share) + style.palette[below + 1] * share
    light = 0.86 + 0.2 * second[..., None]
    shade = 1 - 0.55 * (x * x + y * y)[..., None]
    painted: npt.NDArray[np.uint8] = np.clip(colour * light * shade, 0, 255).astype(np.uint8)
    return painted


def _waves(x: Field, y: Field, style: Style, *, layer: int) -> Field:
    """Add waves, the short ones flatter; most values lie between -1 and 1."""
    total = np.zeros_like(x)
    for number, ((across, down), phase) in enumerate(
        zip(style.directions[layer], style.phases[layer], strict=True)
    ):
        total += np.sin(2 * (across * x + down * y) + phase) / (1 + 0.7 * number)
    return total / np.float32(1.5)


def _palette(prompt: str, vector: Field, chance: np.random.Generator) -> Field:
    words = re.findall(r"[a-z]+", prompt.lower())
    names = [name for word in words if (name := ALSO_NAMED.get(word, word)) in NAMED]
    named = np.array([NAMED[name] for name in dict.fromkeys(names)], np.float32)
    if not len(named):
        named = _colours_of(vector)
    stops = [named[i % len(named)] * chance.uniform(0.55, 1.2) for i in range(STOPS)]
    stops[0] = stops[0] * 0.35  # depth, whatever the colours
    return np.clip(np.array(stops, np.float32), 0, 255)


def _colours_of(vector: Field) -> Field:
    """Give three colours around a hue that the prompt's vector chooses."""
    import colorsys

    hue = float(np.arctan2(vector[::2].sum(), vector[1::2].sum()) / (2 * np.pi))
    apart = 0.08 + 0.25 * abs(float(np.tanh(vector[:64].sum())))
    hues = (hue, hue + apart, hue + 0.5)
    return np.array([colorsys.hsv_to_rgb(h % 1, 0.6, 0.9) for h in hues], np.float32) * 255
