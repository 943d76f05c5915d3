"""Passages that are made, not written: the same in every run.

The vectors lie in 2 000 clusters of 48 dimensions, spread over 384 with noise, so that neighbours
are as hard to tell apart as those of texts. Each text has twelve words of a vocabulary of 30 000,
drawn by Zipf's law.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

DIMENSION = 384
LANGUAGES = ("de", "en", "fr", "ja", "zh")
_LATENT = 48
_CLUSTERS = 2000
_WORDS = 12
_VOCABULARY = 30_000
_SEED = 20_261_129
_PIECE = 10_000
_ROW_BYTES = DIMENSION * 4

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """A passage and what is known of it."""

    number: int
    vector: Vectors
    text: str

    @property
    def language(self) -> str:
        """One of five, each a fifth of all."""
        return LANGUAGES[self.number % len(LANGUAGES)]


class Corpus:
    """The vectors in a file, so that no store is charged for the memory that holds them."""

    def __init__(self, file: Path, count: int) -> None:
        """Make the file, if it is not there."""
        self.file = file
        self.count = count
        chance = np.random.default_rng(_SEED)
        self._spread = chance.standard_normal((_LATENT, DIMENSION)).astype(np.float32)
        self._centres = chance.standard_normal((_CLUSTERS, _LATENT)).astype(np.float32)
        if not file.exists():
            with file.open("wb") as out:
                for first in range(0, count, _PIECE):
                    out.write(self._made(chance, min(_PIECE, count - first)).tobytes())

    def batches(self, size: int) -> Iterator[list[Row]]:
        """Give all passages, so many at a time."""
        words = random.Random(_SEED)  # noqa: S311 - made text, no secret
        with self.file.open("rb") as source:
            for first in range(0, self.count, size):
                vectors = _read(source.read(size * _ROW_BYTES))
                yield [Row(first + n, v, self._text(words)) for n, v in enumerate(vectors)]

    def questions(self, count: int) -> Vectors:
        """Make vectors that are none of the passages'."""
        return self._made(np.random.default_rng(_SEED + 1), count)

    def nearest(
        self, questions: Vectors, top_k: int, lets: npt.NDArray[np.bool_]
    ) -> list[set[int]]:
        """Compare each question with every vector that is let through."""
        similar = []
        with self.file.open("rb") as source:
            while piece := source.read(_PIECE * _ROW_BYTES):
                similar.append(questions @ _read(piece).T)
        all_ = np.where(lets, np.concatenate(similar, axis=1), -2)
        best = np.argpartition(-all_, top_k, axis=1)[:, :top_k]
        return [set(row) for row in best.tolist()]

    def _made(self, chance: np.random.Generator, count: int) -> Vectors:
        chosen = self._centres[chance.integers(0, _CLUSTERS, count)]
        latent = chosen + 0.6 * chance.standard_normal(chosen.shape)
        noise = chance.standard_normal((count, DIMENSION))
        made = (latent @ self._spread + noise).astype(np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)

    def _text(self, words: random.Random) -> str:
        chosen = words.choices(range(_VOCABULARY), cum_weights=_WEIGHTS, k=_WORDS)
        return " ".join(f"word{number}" for number in chosen)


_WEIGHTS = np.cumsum(1 / np.arange(1, _VOCABULARY + 1)).tolist()


def _read(data: bytes) -> Vectors:
    return np.frombuffer(data, np.float32).reshape(-1, DIMENSION)
