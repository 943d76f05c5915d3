"""MiniLM: a text as the vectors of its tokens, and as one vector.

Source: sentence-transformers' all-MiniLM-L6-v2: the mean of the token vectors, normalised, of the
first 256 tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Vectors: TypeAlias = npt.NDArray[np.float32]

DIMENSIONS = 384
MOST_TOKENS = 256
LONGEST_TEXT = 100_000
"""Characters that are looked at; the tokenizer is slow, and nothing past 256 tokens counts."""


@dataclass(frozen=True)
class Read:
    """A text as the model reads it.

    Attributes:
        vectors: one row for each token, the marks of begin and end among them.
        special: which rows are such marks.
        cut: whether the text went on past what the model reads.
    """

    vectors: Vectors
    special: npt.NDArray[np.bool_]
    cut: bool

    @property
    def tokens(self) -> int:
        """How many tokens were read."""
        return len(self.vectors)

    @property
    def mean(self) -> Vectors:
        """The text as one vector of length 1."""
        return _normalised(self.vectors.mean(axis=0))

    @property
    def words(self) -> Vectors:
        """The vectors of the tokens that stand for words, each of length 1."""
        return _normalised(self.vectors[~self.special])


@dataclass(frozen=True)
class MiniLM:
    """A loaded model."""

    session: InferenceSession
    tokenizer: Tokenizer

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> MiniLM:
        """Read the model and its vocabulary."""
        from tokenizers import Tokenizer

        from aima.embedded.onnx import session

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return cls(session(folder / "model.onnx", threads=threads), tokenizer)

    def read(self, text: str) -> Read:
        """Read one text.

        One at a time: the 8-bit model scales its numbers by all that is in a batch, so that in
        company a text would get other vectors than alone.
        """
        encoding = self.tokenizer.encode(text[:LONGEST_TEXT])
        ids = np.array([encoding.ids], np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        vectors = np.asarray(self.session.run(None, given)[0], np.float32)[0]
        cut = bool(encoding.overflowing) or len(text) > LONGEST_TEXT
        return Read(vectors, np.array(encoding.special_tokens_mask, bool), cut)


def _normalised(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
