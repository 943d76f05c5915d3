"""Samples as the bytes of a recording."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt


def pcm(samples: npt.NDArray[np.float32]) -> bytes:
    """Give 16-bit little-endian samples."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def wav(samples: npt.NDArray[np.float32], *, rate: int) -> bytes:
    """Give a mono WAV file."""
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm(samples))
    return into.getvalue()
