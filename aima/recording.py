"""Recordings put together from parts: 16-bit sound, in the container that is asked for."""

from __future__ import annotations

import struct
import wave
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias

from aima.errors import UnsupportedMedia

AudioFormat: TypeAlias = Literal["wav", "mp3", "opus", "flac", "pcm"]
"""Containers of a recording; `pcm` is none."""

_CODECS = {  # container, codec, bits each second; the rest is as it is sampled
    "mp3": ("mp3", "libmp3lame", 64_000),
    "opus": ("ogg", "libopus", 32_000),
    "flac": ("flac", "flac", 0),
}
_MEDIA_TYPES = {"mp3": "audio/mpeg", "opus": "audio/ogg"}
_UNKNOWN_LENGTH = 0xFFFFFFFF
_OPUS_RATE = 48_000


@dataclass
class Recording:
    """Sound that grows part by part; the first part says how it is sampled."""

    rate: int = 0
    channels: int = 0
    sound: bytearray = field(default_factory=bytearray)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.sound) / (2 * self.channels * self.rate) if self.rate else 0.0

    def add(self, part: Path) -> bytes:
        """Add a WAV file; give the bytes that a listener to the whole hears next.

        Raises:
            UnsupportedMedia: it is none of 16 bits, or sampled otherwise than the first.
        """
        try:
            with wave.open(str(part)) as file:
                sampled = (file.getframerate(), file.getnchannels())
                width, sound = file.getsampwidth(), bytes(file.readframes(file.getnframes()))
        except (wave.Error, EOFError) as error:
            raise UnsupportedMedia(f"a part of the speech is no WAV file: {error}") from error
        first = not self.rate
        if width != 2 or (not first and sampled != (self.rate, self.channels)):  # noqa: PLR2004 - bytes of 16 bits
            raise UnsupportedMedia(f"a part of the speech has {8 * width} bits at {sampled[0]} Hz")
        self.rate, self.channels = sampled
        self.sound += sound
        return b"".join((self._header(), sound)) if first else sound

    def bytes_of(self, format_: str) -> tuple[bytes, str]:
        """Give the whole in a format (`wav`, `mp3`, `opus`, `flac`, `pcm`), and its media type."""
        media_type = _MEDIA_TYPES.get(format_, f"audio/{format_}")
        if format_ == "pcm":
            return bytes(self.sound), f"audio/pcm;rate={self.rate};channels={self.channels}"
        if format_ == "wav":
            return self._wav(), media_type
        return self._encoded(*_CODECS[format_]), media_type

    def _wav(self) -> bytes:
        out = BytesIO()
        with wave.open(out, "wb") as file:
            file.setframerate(self.rate)
            file.setnchannels(self.channels)
            file.setsampwidth(2)
            file.writeframes(bytes(self.sound))
        return out.getvalue()

    def _header(self) -> bytes:
        """Write the header of a WAV file whose length is not known yet (RIFF, PCM)."""
        frame = 2 * self.channels
        form = struct.pack("<HHIIHH", 1, self.channels, self.rate, frame * self.rate, frame, 16)
        riff = struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN_LENGTH, b"WAVE", b"fmt ", len(form))
        return riff + form + struct.pack("<4sI", b"data", _UNKNOWN_LENGTH)

    def _encoded(self, container: str, codec: str, bits: int) -> bytes:
        import av
        from av.audio.stream import AudioStream

        out = BytesIO()
        with (
            av.open(BytesIO(self._wav()), "r") as source,
            av.open(out, "w", format=container) as target,
        ):
            rate = _OPUS_RATE if codec == "libopus" else self.rate
            layout = "mono" if self.channels == 1 else "stereo"
            stream = target.add_stream(codec, rate=rate, layout=layout)
            assert isinstance(stream, AudioStream)  # noqa: S101 - what an audio codec makes
            if bits:
                stream.bit_rate = bits * self.channels
            for frame in source.decode(audio=0):
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
        return out.getvalue()
