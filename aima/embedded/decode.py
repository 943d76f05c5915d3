"""A recording of any kind as 16 kHz mono samples, with every size bounded.

Recordings come from strangers. Only demuxers of sound and film are allowed: others (playlists,
concatenations) would open the files and addresses named inside. What is decoded goes to a
temporary file past ``MEMORY_BYTES``, and never beyond ``LONGEST_SECONDS``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.stopping import Stop
from aima.errors import TooLarge, UnsupportedMedia, ValidationFailed

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

Samples: TypeAlias = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
SAMPLE_BYTES = 2
LONGEST_SECONDS = 2 * 3600
MEMORY_BYTES = 32 << 20
FORMATS = (
    "wav,w64,aiff,au,caf,flac,mp3,ogg,aac,ac3,eac3,amr,amrnb,amrwb,opus,wv,tta,ape,asf,avi,flv,"
    "mpegts,mpeg,gsm,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"
)
GUESSING = {"mp3", "aac", "ac3", "eac3", "ogg", "mpegts", "mpeg", "amr"}
"""Containers that do not state their length; the library guesses it from the bit rate."""
RIFF_HEAD_BYTES = 12
UNKNOWN_SIZE = 0x7FFF_0000
"""Programs that pipe a WAV cannot know its size, and write one of the largest there are."""
MISSING_SHARE = 0.05
MISSING_SECONDS = 0.5


@dataclass(frozen=True)
class Recording:
    """Decoded sound: 16-bit samples in a temporary file."""

    file: IO[bytes]
    samples: int

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / SAMPLE_RATE

    def read(self, start: int, count: int) -> Samples:
        """Give samples between -1 and 1."""
        self.file.seek(start * SAMPLE_BYTES)
        samples = np.frombuffer(self.file.read(count * SAMPLE_BYTES), np.int16)
        return samples.astype(np.float32) / np.float32(32768)


@contextmanager
def decoded(source: IO[bytes], *, stop: Stop) -> Iterator[Recording]:
    """Decode a recording; its samples are gone when the context ends.

    Raises:
        UnsupportedMedia: these bytes are no sound anybody can read.
        ValidationFailed: it is empty or cut off.
        TooLarge: it is longer than ``LONGEST_SECONDS``.
        Stopped: nobody waits any more.
    """
    with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
        _check_riff(source)
        stated_seconds = _decode(source, spool, stop)
        recording = Recording(spool, spool.tell() // SAMPLE_BYTES)
        _check_length(recording.seconds, stated_seconds)
        yield recording


def _check_riff(source: IO[bytes]) -> None:
    """Compare a WAV file's size with the one it states, which the library does not."""
    head = source.read(RIFF_HEAD_BYTES)
    actual = source.seek(0, os.SEEK_END)
    source.seek(0)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        stated = int.from_bytes(head[4:8], "little") + 8
        if actual < stated < UNKNOWN_SIZE:
            raise ValidationFailed(
                f"the recording is cut off: {actual} bytes are there of the {stated} it states; "
                "send all of it"
            )


def _decode(source: IO[bytes], into: IO[bytes], stop: Stop) -> float | None:
    """Write the samples of ``source``; give the length that its container states, if it does."""
    import av

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
    try:
        with av.open(source, "r", options=options, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise UnsupportedMedia("the file holds no sound; send a recording")
            for frame in _resampled(container):
                stop.check()
                into.write(frame.to_ndarray().tobytes())
                if into.tell() > LONGEST_SECONDS * SAMPLE_RATE * SAMPLE_BYTES:
                    raise TooLarge(
                        f"the recording is longer than {LONGEST_SECONDS // 3600} hours; "
                        "send it in parts"
                    )
            return _stated_seconds(container)
    except av.FFmpegError as error:
        raise UnsupportedMedia(
            f"these bytes are no recording this engine can read ({error.strerror}); "
            "send WAV, MP3, FLAC, Ogg, MP4 or WebM"
        ) from error


def _resampled(container: InputContainer) -> Iterator[AudioFrame]:
    """Give frames of 16 kHz mono; damaged packets are left out."""
    from av import AudioResampler, InvalidDataError

    resamplers: dict[tuple[str, str, int], AudioResampler] = {}
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except InvalidDataError:
            continue
        for frame in frames:
            # A stream may change its shape, and a resampler takes one shape only.
            shape = (frame.format.name, frame.layout.name, frame.rate)
            if shape not in resamplers:
                for resampler in resamplers.values():
                    yield from resampler.resample(None)
                resamplers = {shape: AudioResampler("s16", "mono", SAMPLE_RATE)}
            frame.pts = None
            yield from resamplers[shape].resample(frame)
    for resampler in resamplers.values():
        yield from resampler.resample(None)


def _stated_seconds(container: InputContainer) -> float | None:
    if GUESSING & set(container.format.name.split(",")) or container.duration is None:
        return None
    return container.duration / 1_000_000


def _check_length(seconds: float, stated: float | None) -> None:
    if seconds == 0:
        raise ValidationFailed("the recording is empty: it holds no samples")
    if stated and stated - seconds > max(MISSING_SECONDS, MISSING_SHARE * stated):
        raise ValidationFailed(
            f"the recording is cut off: {seconds:.1f} s are there of the {stated:.1f} s it states; "
            "send all of it"
        )
