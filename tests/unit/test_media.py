"""What is learned about media without decoding it."""

import wave
from pathlib import Path

import pytest

from aima.errors import UnsupportedMedia
from aima.media import seconds_of
from aima.shipped import shipped


def test_a_recording_tells_its_length(tmp_path: Path) -> None:
    """From its header: an hour of music costs what a second does."""
    file = tmp_path / "a.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * 12_000)
    assert seconds_of(file) == pytest.approx(1.5)


def test_the_shipped_question_has_a_length() -> None:
    """A real recording, as a microphone makes it."""
    assert 0.5 < seconds_of(shipped("workflows") / "assets" / "question.wav") < 10


@pytest.mark.parametrize(
    "data", [b"", b"not media at all", b"\xff\xd8\xff\xe0 a picture?", b"RIFF\x04\0\0\0WAVE"]
)
def test_what_is_no_media_is_told_by_its_name(tmp_path: Path, data: bytes) -> None:
    """A picture named `.wav` is the usual case."""
    file = tmp_path / "question.wav"
    file.write_bytes(data)
    with pytest.raises(UnsupportedMedia, match=r"'question\.wav'"):
        seconds_of(file)


def test_a_file_that_is_not_there_is_told_too(tmp_path: Path) -> None:
    """Somebody removed it in between."""
    with pytest.raises(UnsupportedMedia, match=r"'gone\.wav' cannot be read"):
        seconds_of(tmp_path / "gone.wav")
