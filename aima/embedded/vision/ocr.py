"""PP-OCR: what is written in a picture, line by line.

One model finds the lines, another reads each. Source: Du et al., PP-OCR, 2020, and its
version 4; it reads Latin letters, digits and Chinese.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.stopping import Stop
from aima.embedded.vision.text_places import Place, text_places

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL.Image import Image

Numbers: TypeAlias = npt.NDArray[np.float32]

LONGEST_SIDE = 960
LEAST_SIDE = 32
CELL = 32
LINE_HEIGHT = 48
LEAST_WIDTH = 320
MOST_WIDTH = 3200
MOST_LINES = 100
SURE = 0.6
UPRIGHT = 1.5
"""A line that is so much higher than wide is taken to be turned."""


@dataclass(frozen=True)
class Line:
    """A line of text, and how sure its letters are, from 0 to 1."""

    text: str
    score: float


@dataclass(frozen=True)
class TextReader:
    """The two loaded models, and the letters that the second knows."""

    finder: InferenceSession
    reader: InferenceSession
    letters: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> TextReader:
        """Read the models."""
        from aima.embedded.onnx import session

        reader = session(folder / "text_recognition.onnx", threads=threads)
        letters = reader.get_modelmeta().custom_metadata_map["character"].splitlines()
        return cls(
            session(folder / "text_detection.onnx", threads=threads), reader, ("", *letters, " ")
        )

    def lines(self, picture: Image, *, stop: Stop) -> list[Line]:
        """Read what is written, from the top; what can hardly be read is left out."""
        lines = []
        for place in self._places(picture)[:MOST_LINES]:
            stop.check()
            line = self._read(picture, place)
            if line.text.strip() and line.score >= SURE:
                lines.append(line)
        return lines

    def _places(self, picture: Image) -> list[Place]:
        width, height = picture.size
        scale = min(1.0, LONGEST_SIDE / max(width, height))
        cells = [max(LEAST_SIDE, round(side * scale / CELL) * CELL) for side in (width, height)]
        small = picture.resize((cells[0], cells[1]))
        [likelihood] = self.finder.run(None, {"x": _input(small)})
        found = text_places(np.asarray(likelihood, np.float32)[0, 0])
        scaled = [
            place.scaled(width / cells[0], height / cells[1], within=picture.size)
            for place in found
        ]
        return [place for place in scaled if place.width > 0 and place.height > 0]

    def _read(self, picture: Image, place: Place) -> Line:
        strip = picture.crop((place.left, place.top, place.right, place.bottom))
        if strip.height > UPRIGHT * strip.width:
            strip = strip.rotate(90, expand=True)
        width = min(MOST_WIDTH, max(1, round(LINE_HEIGHT * strip.width / strip.height)))
        given = np.zeros((1, 3, LINE_HEIGHT, max(width, LEAST_WIDTH)), np.float32)
        given[:, :, :, :width] = _input(strip.resize((width, LINE_HEIGHT)))
        [odds] = self.reader.run(None, {"x": given})
        return self._spelt(np.asarray(odds, np.float32)[0])

    def _spelt(self, odds: Numbers) -> Line:
        """Take the likeliest letter at each moment; one that goes on counts once."""
        best = odds.argmax(axis=1)
        fresh = (best != 0) & (best != np.concatenate([[0], best[:-1]]))
        if not fresh.any():
            return Line("", 0.0)
        text = "".join(self.letters[number] for number in best[fresh])
        return Line(text.strip(), float(odds.max(axis=1)[fresh].mean()))


def _input(picture: Image) -> Numbers:
    """Give the picture as the models were taught: blue first, from -1 to 1."""
    pixels = np.asarray(picture, np.float32)[:, :, ::-1]
    return np.ascontiguousarray((pixels / 127.5 - 1).transpose(2, 0, 1)[None])
