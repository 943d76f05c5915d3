"""Whisper: what was said in a recording.

Long recordings are heard in blocks, cut where it is quietest, so that memory does not grow with
their length. Silence is recognised first (by the voice detector that comes with
faster-whisper), since Whisper makes up words for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aima.embedded.decode import SAMPLE_RATE, Recording, Samples
from aima.embedded.stopping import Stop

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

BLOCK_SECONDS = 120
CUT_WITHIN_SECONDS = 20
WINDOW_SECONDS = 0.1
TEMPERATURES = (0.0, 0.4)
"""Tried in order until the text does not repeat itself; each costs the whole time again."""


@dataclass(frozen=True)
class Hearing:
    """How to listen.

    Attributes:
        words: tell when each word was said; takes about a third longer.
        prompt: names and words that may be heard.
    """

    language: str
    words: bool = False
    prompt: str | None = None


@dataclass(frozen=True)
class Spoken:
    """A word, in seconds from the start of the recording."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Segment:
    """A stretch of speech, in seconds from the start of the recording."""

    start: float
    end: float
    text: str
    words: tuple[Spoken, ...] = ()


@dataclass(frozen=True)
class Whisper:
    """A loaded Whisper model."""

    model: WhisperModel

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> Whisper:
        """Read a CTranslate2 model; about 0.5 s and 250 MB. A folder's path asks no hub."""
        from faster_whisper import WhisperModel

        return cls(
            WhisperModel(
                str(folder), "cpu", compute_type="int8", cpu_threads=threads, num_workers=1
            )
        )

    def segments(self, recording: Recording, hearing: Hearing, *, stop: Stop) -> Iterator[Segment]:
        """Give what was said, stretch by stretch.

        Raises:
            Stopped: nobody waits any more; noticed between stretches.
        """
        for offset, samples in blocks(recording):
            stop.check()
            found, _ = self.model.transcribe(
                samples,
                hearing.language,
                beam_size=1,
                best_of=1,
                temperature=TEMPERATURES,
                condition_on_previous_text=False,
                vad_filter=True,
                initial_prompt=hearing.prompt,
                word_timestamps=hearing.words,
            )
            for segment in found:
                stop.check()
                end = min(offset + segment.end, recording.seconds)
                if text := segment.text.strip():
                    words = tuple(
                        Spoken(offset + word.start, min(offset + word.end, end), word.word.strip())
                        for word in segment.words or ()
                    )
                    yield Segment(offset + segment.start, end, text, words)


def blocks(recording: Recording) -> Iterator[tuple[float, Samples]]:
    """Give a recording in blocks, each with its start in seconds."""
    start = 0
    while start < recording.samples:
        samples = recording.read(start, BLOCK_SECONDS * SAMPLE_RATE)
        if start + len(samples) < recording.samples:
            samples = samples[: _quietest(samples)]
        yield start / SAMPLE_RATE, samples
        start += len(samples)


def _quietest(samples: Samples) -> int:
    """Find the quietest moment in the last seconds of a block."""
    span, window = CUT_WITHIN_SECONDS * SAMPLE_RATE, int(WINDOW_SECONDS * SAMPLE_RATE)
    loudness = np.square(samples[-span:].reshape(-1, window)).mean(axis=1)
    return len(samples) - span + int(loudness.argmin()) * window + window // 2
