"""A recording of any kind as 16 kHz mono samples, with every size bounded.

Recordings come from strangers. Only demuxers of audio and video containers are allowed: others
(playlists, concatenations) would make the library open files and addresses named inside. What
is decoded goes to a temporary file past ``MEMORY_BYTES``, and never beyond ``LONGEST_SECONDS``.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.stopping import Stopped
from aima.errors import InsufficientResources, TooLarge, UnsupportedMedia, ValidationFailed

if TYPE_CHECKING:
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
ESTIMATED = {"mp3", "aac", "ac3", "eac3", "ogg", "mpegts", "mpeg", "amr"}
"""Containers whose stated length is a guess."""
CUT_OFF_SHARE = 0.05
CUT_OFF_SECONDS = 0.5


@dataclass(frozen=True)
class Recording:
    """Decoded speech: 16-bit samples in a temporary file."""

    file: IO[bytes]
    samples: int

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / SAMPLE_RATE

    def read(self, start: int, count: int) -> Samples:
        """Give samples between -1 and 1."""
        self.file.seek(start * SAMPLE_BYTES)
        data = np.frombuffer(self.file.read(count * SAMPLE_BYTES), np.int16)
        return data.astype(np.float32) / 32768


@contextmanager
def decoded(source: IO[bytes], *, stop: Event) -> Iterator[Recording]:
    """Decode a recording; its samples are gone when the context ends.

    Raises:
        UnsupportedMedia: these bytes are no audio anybody can read.
        ValidationFailed: it is empty or cut off.
        TooLarge: it is longer than ``LONGEST_SECONDS``.
        Stopped: ``stop`` was set.
    """
    with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
        try:
            stated = _decode(source, spool, stop)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise InsufficientResources(
                f"no space left in {tempfile.gettempdir()} to decode the recording"
            ) from error
        recording = Recording(spool, spool.tell() // SAMPLE_BYTES)
        _check(recording.seconds, stated)
        yield recording


def _decode(source: IO[bytes], into: IO[bytes], stop: Event) -> float | None:
    """Write the samples of ``source``; give the length its container states, if it does."""
    import av

    try:
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
        with av.open(source, mode="r", options=options, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise UnsupportedMedia("the file holds no sound; send a recording")
            for chunk in _samples(container):
                if stop.is_set():
                    raise Stopped
                into.write(chunk)
                if into.tell() > LONGEST_SECONDS * SAMPLE_RATE * SAMPLE_BYTES:
                    raise TooLarge(
                        f"the recording is longer than {LONGEST_SECONDS // 3600} hours; "
                        "send it in parts"
                    )
            return _stated_seconds(container)
    except av.FFmpegError as error:
        raise UnsupportedMedia(
            f"these bytes are no recording this can read ({error.strerror}); "
            "send WAV, MP3, FLAC, Ogg, MP4 or WebM"
        ) from error


def _samples(container: InputContainer) -> Iterator[bytes]:
    """Give 16 kHz mono samples frame by frame; damaged packets are left out."""
    from av import AudioFrame, AudioResampler, InvalidDataError

    stream = container.streams.audio[0]
    resampler, shape = None, None
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except InvalidDataError:
            continue
        for frame in frames:
            if not isinstance(frame, AudioFrame):
                continue
            if shape != (frame.format.name, frame.layout.name, frame.rate):
                shape = (frame.format.name, frame.layout.name, frame.rate)
                resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            frame.pts = None
            for made in resampler.resample(frame) if resampler else ():
                yield made.to_ndarray().tobytes()
    for made in resampler.resample(None) if resampler else ():
        yield made.to_ndarray().tobytes()


def _stated_seconds(container: InputContainer) -> float | None:
    if ESTIMATED & set(container.format.name.split(",")) or container.duration is None:
        return None
    return container.duration / 1_000_000


def _check(seconds: float, stated: float | None) -> None:
    if seconds == 0:
        raise ValidationFailed("the recording is empty: it holds no samples")
    if stated and stated - seconds > max(CUT_OFF_SECONDS, CUT_OFF_SHARE * stated):
        raise ValidationFailed(
            f"the recording is cut off: {seconds:.1f} s are there of the {stated:.1f} s it states"
        )
