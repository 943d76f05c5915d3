"""Recordings put together from parts."""

import wave
from io import BytesIO
from pathlib import Path

import av
import pytest

from aima.errors import UnsupportedMedia
from aima.recording import Recording


def part(folder: Path, name: str, *, frames: int = 2400, rate: int = 24_000) -> Path:
    """Write a short WAV file."""
    path = folder / name
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\1\0" * frames)
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two tenths of a second in two parts."""
    made = Recording()
    made.add(part(tmp_path, "a"))
    made.add(part(tmp_path, "b"))
    return made


@pytest.mark.parametrize("form", ["wav", "mp3", "opus", "flac"])
def test_the_whole_plays_in_every_format(recording: Recording, form: str) -> None:
    """As long as its parts together; encoders add a little silence."""
    data, media_type = recording.bytes_of(form)
    assert media_type.startswith("audio/")
    with av.open(BytesIO(data), "r") as container:
        seconds = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
    assert seconds == pytest.approx(0.2, abs=0.08)
    assert recording.seconds == pytest.approx(0.2)


def test_bare_sound_has_no_header(recording: Recording) -> None:
    """Two bytes a sample."""
    assert recording.bytes_of("pcm")[0] == b"\1\0" * 4800


def test_what_a_listener_hears_is_one_recording(tmp_path: Path) -> None:
    """A header once, whose length is left open, then nothing but sound."""
    made = Recording()
    heard = made.add(part(tmp_path, "a")) + made.add(part(tmp_path, "b"))
    with av.open(BytesIO(heard), "r", format="wav") as container:
        assert sum(f.samples for f in container.decode(audio=0)) == 4800


def test_a_part_that_does_not_fit_is_refused(recording: Recording, tmp_path: Path) -> None:
    """It would play at the wrong pace."""
    with pytest.raises(UnsupportedMedia, match="16 bits at 8000 Hz"):
        recording.add(part(tmp_path, "c", rate=8000))
    (tmp_path / "d").write_bytes(b"ID3")
    with pytest.raises(UnsupportedMedia, match="no WAV file"):
        recording.add(tmp_path / "d")
