"""Recordings made for tests: silence, noise, and known speech in odd containers."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
AnySamples = Samples | npt.NDArray[np.int32]


def wav(samples: AnySamples, *, rate: int = 16_000) -> bytes:
    """Give a WAV file of samples shaped ``(frames,)`` or ``(frames, channels)``."""
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(samples.shape[1] if samples.ndim > 1 else 1)
        file.setsampwidth(samples.itemsize)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return into.getvalue()


def samples_of(recording: bytes) -> tuple[Samples, int]:
    """Read a mono WAV file; give samples and rate."""
    with wave.open(io.BytesIO(recording)) as file:
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, np.int16), file.getframerate()


def silence(seconds: float, *, rate: int = 16_000) -> Samples:
    """Give nothing at all."""
    return np.zeros(int(seconds * rate), np.int16)


def noise(seconds: float, *, rate: int = 16_000) -> Samples:
    """Give the hiss of an empty room."""
    made = np.random.default_rng(7).normal(0, 200, int(seconds * rate))
    return made.astype(np.int16)


def converted(recording: bytes, container: str, codec: str) -> bytes:
    """Give a WAV recording in another container and codec."""
    into = io.BytesIO()
    with (
        av.open(io.BytesIO(recording), "r") as source,
        av.open(into, "w", container) as target,
    ):
        rate = 48_000 if codec == "libopus" else 16_000
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        for frame in source.decode(audio=0):
            frame.pts = None
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return into.getvalue()
