"""Samples as files."""

from __future__ import annotations

import io
import wave

import numpy as np

from aima.embedded.audio import encoded, pcm


def test_samples_are_sixteen_bit_little_endian_and_bounded() -> None:
    """Beyond full scale a plain cast would wrap around into a crack."""
    samples = np.array([0, 1, -1, 2, -2, 0.5], np.float32)
    assert list(np.frombuffer(pcm(samples), "<i2")) == [0, 32767, -32767, 32767, -32767, 16383]


def test_a_file_tells_what_is_in_it() -> None:
    """Players read the header."""
    data, _ = encoded(np.zeros(240, np.float32), rate=24_000, form="wav")
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 24_000, 2)
        assert file.getnframes() == 240
