"""Samples as the bytes of a recording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aima.recording import Recording


def encoded(samples: npt.NDArray[np.float32], *, rate: int, form: str) -> tuple[bytes, str]:
    """Give a mono recording in a format, and its media type."""
    return Recording(rate, 1, bytearray(pcm(samples))).bytes_of(form)


def pcm(samples: npt.NDArray[np.float32]) -> bytes:
    """Give 16-bit little-endian samples."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
