"""Recordings of strangers, decoded within bounds."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from aima.embedded.decode import SAMPLE_RATE, decoded
from aima.embedded.stopping import Stop, Stopped
from aima.errors import UnsupportedMedia, ValidationFailed


def wav(samples: np.ndarray, rate: int = SAMPLE_RATE) -> io.BytesIO:
    """Give a WAV file."""
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype(np.int16).tobytes())
    return io.BytesIO(into.getvalue())


def tone(seconds: float, rate: int) -> np.ndarray:
    """Give a sound of 440 Hz."""
    return 8000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 192_000])
def test_any_rate_becomes_the_one_of_the_model(rate: int) -> None:
    """And the sound stays the same sound."""
    with decoded(wav(tone(1, rate), rate), stop=Stop()) as recording:
        assert recording.seconds == pytest.approx(1, abs=0.01)
        samples = recording.read(0, recording.samples)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(8000 / 32768, rel=0.05)


def test_channels_are_mixed() -> None:
    """Who speaks on the right only is heard as well."""
    right = np.stack([np.zeros(SAMPLE_RATE), tone(1, SAMPLE_RATE)], axis=1)
    with decoded(wav(right), stop=Stop()) as recording:
        assert np.abs(recording.read(0, recording.samples)).max() > 0.05


def test_a_part_can_be_read_by_itself() -> None:
    """Blocks of hours come out of a file, not out of memory."""
    with decoded(wav(np.arange(1000)), stop=Stop()) as recording:
        assert list(recording.read(500, 3) * 32768) == [500, 501, 502]


def test_nobody_waits_so_nothing_is_decoded() -> None:
    """Two hours take seconds to decode."""
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped), decoded(wav(tone(1, 16_000)), stop=stop):
        pass


def test_a_header_that_promises_more_is_told() -> None:
    """An upload that broke off must not become half a sentence."""
    cut = io.BytesIO(wav(tone(2, 16_000)).getvalue()[:-20_000])
    message = "cut off: 44044 bytes are there of the 64044"
    with pytest.raises(ValidationFailed, match=message), decoded(cut, stop=Stop()):
        pass


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x04\x00\x00\x00WAVE", bytes(1000)])
def test_fragments_of_headers_are_refused(data: bytes) -> None:
    """Whatever the library makes of them, the error is one of ours."""
    refused = pytest.raises((UnsupportedMedia, ValidationFailed))
    with refused, decoded(io.BytesIO(data), stop=Stop()):
        pass
