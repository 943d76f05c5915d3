"""Vectors and scores out of the bytes of a text: the same for the same text, without a model."""

from __future__ import annotations

import base64 as b64
import hashlib
import struct

LENGTH = 8


def vector(text: str, *, base64: bool = False) -> list[float] | str:
    """Give a vector of a text, or the bytes of its 32-bit numbers in base64."""
    numbers = [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:LENGTH]]
    if base64:
        return b64.b64encode(struct.pack(f"<{LENGTH}f", *numbers)).decode("ascii")
    return numbers


def score(query: str, text: str) -> float:
    """Give the share of a query's words that a text has."""
    words = query.lower().split()
    return sum(word in text.lower().split() for word in words) / len(words)
