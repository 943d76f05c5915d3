"""What a GGUF file says of its model, read from its head alone.

Source: the specification of GGUF, version 3. The file may lie about every length in it, so what is
read is bounded, and a file that makes no sense tells nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_KEYS = 4096
_MOST_KEY_BYTES = 1024
_MOST_HEAD_BYTES = 32 << 20
"""A vocabulary of a quarter of a million words takes half of it."""

_NUMBERS: dict[object, str] = {**dict(enumerate("BbHhIif?")), 10: "Q", 11: "q", 12: "d"}
"""How the kinds of numbers are written, by the number of the kind."""

_TEXT, _LIST = 8, 9
_BYTES_OF_A_NUMBER = 2
"""In the cache of keys and values, unless it is told to use fewer."""


class _Nonsense(ValueError):
    """The file is no GGUF, or lies."""


def memory_of(file: Path, context_tokens: int | None) -> int | None:
    """Tell what a model takes: its weights, and the keys and values of a whole context.

    Args:
        file: the model.
        context_tokens: how many it is to hold; None: as many as it was trained for.

    Returns:
        Bytes; None where the file does not tell.
    """
    try:
        with file.open("rb") as opened:
            head = _Head(opened).numbers()
        weights = file.stat().st_size
    except (OSError, _Nonsense):
        return None
    heads, length = _named(head, "attention.head_count"), _named(head, "embedding_length")
    layers, trained = _named(head, "block_count"), _named(head, "context_length")
    if not (heads and length and layers and trained):
        return None
    of_a_key = _named(head, "attention.key_length") or length // heads
    of_a_value = _named(head, "attention.value_length") or of_a_key
    rows = layers * (_named(head, "attention.head_count_kv") or heads)
    tokens = context_tokens or trained
    return weights + rows * (of_a_key + of_a_value) * tokens * _BYTES_OF_A_NUMBER


def _named(head: Mapping[str, int], name: str) -> int:
    """Find a number, whatever the model's architecture; 0 where there is none."""
    return next((number for key, number in head.items() if key.endswith(f".{name}")), 0)


class _Head:
    """Reads the head of a file, and no more than a head may hold."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MOST_HEAD_BYTES

    def numbers(self) -> dict[str, int]:
        """Give its whole numbers by name; texts and lists are passed over."""
        if self._read(4) != _MAGIC or self._one("I") not in _VERSIONS:
            raise _Nonsense
        self._one("Q")  # tensors
        found = {}
        for _ in range(self._bounded(_MOST_KEYS)):
            key = self._read(self._bounded(_MOST_KEY_BYTES)).decode(errors="replace")
            value = self._value(self._one("I"))
            if isinstance(value, int) and value > 0:
                found[key] = value
        return found

    def _value(self, kind: object) -> object:
        if kind in _NUMBERS:
            return self._one(_NUMBERS[kind])
        if kind == _TEXT:
            self._read(self._bounded(_MOST_HEAD_BYTES))
        elif kind == _LIST:
            self._pass_over(self._one("I"), self._bounded(_MOST_HEAD_BYTES))
        else:
            raise _Nonsense
        return None

    def _pass_over(self, kind: object, count: int) -> None:
        """Skip a list; one of lists is not made by anybody."""
        if kind in _NUMBERS:
            self._read(struct.calcsize(f"<{_NUMBERS[kind]}") * count)
        elif kind == _TEXT:
            for _ in range(count):
                self._read(self._bounded(_MOST_HEAD_BYTES))
        else:
            raise _Nonsense

    def _bounded(self, most: int) -> int:
        count = self._one("Q")
        if not isinstance(count, int) or count > most:
            raise _Nonsense
        return count

    def _one(self, form: str) -> object:
        return struct.unpack(f"<{form}", self._read(struct.calcsize(f"<{form}")))[0]

    def _read(self, count: int) -> bytes:
        self._left -= count
        data = self._file.read(count) if self._left >= 0 else b""
        if len(data) != count:
            raise _Nonsense
        return data
