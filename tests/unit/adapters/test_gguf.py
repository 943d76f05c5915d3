"""What the head of a GGUF file tells of the memory that its model takes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from aima.adapters.engines.gguf import memory_of

SMALL = {
    "small.block_count": 2,
    "small.embedding_length": 64,
    "small.attention.head_count": 8,
    "small.attention.head_count_kv": 4,
    "small.context_length": 1000,
}


def head(numbers: Mapping[str, int], *, keys: int | None = None) -> bytes:
    """Write a head with these numbers behind a text and a list."""
    written = [_key("general.architecture", 8) + _text("small")]
    words = b"".join(map(_text, ("a", "b", "c")))
    written.append(_key("tokenizer.ggml.tokens", 9) + struct.pack("<IQ", 8, 3) + words)
    written.append(_key("tokenizer.ggml.scores", 9) + struct.pack("<IQfff", 6, 3, 0, 0, 0))
    written += [_key(name, 4) + struct.pack("<I", number) for name, number in numbers.items()]
    return struct.pack("<4sIQQ", b"GGUF", 3, 1, keys or len(written)) + b"".join(written)


def _key(name: str, kind: int) -> bytes:
    return _text(name) + struct.pack("<I", kind)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def test_a_model_takes_its_weights_and_the_keys_and_values_of_its_context(tmp_path: Path) -> None:
    """Both are there from the first request on."""
    file = tmp_path / "model.gguf"
    file.write_bytes(head(SMALL) + bytes(500))
    weights, of_a_token = file.stat().st_size, 2 * 4 * (8 + 8) * 2
    assert memory_of(file, 100) == weights + 100 * of_a_token
    assert memory_of(file, None) == weights + 1000 * of_a_token


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a model",
        head({"small.block_count": 2}),
        head(SMALL)[:-3],
        head(SMALL, keys=2**60),
        struct.pack("<4sIQQQ", b"GGUF", 3, 1, 1, 2**50),
        struct.pack("<4sIQQ", b"GGUF", 99, 1, 0),
        struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + _key("x", 9) + struct.pack("<IQ", 9, 2**20),
        struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + _key("x", 77),
    ],
)
def test_a_file_that_makes_no_sense_tells_nothing(tmp_path: Path, data: bytes) -> None:
    """Its lengths are a stranger's; none of them is believed beyond a bound."""
    file = tmp_path / "model.gguf"
    file.write_bytes(data)
    assert memory_of(file, 100) is None
    assert memory_of(tmp_path / "none.gguf", 100) is None
