"""The voice: the Kokoro model turns phonemes into sound.

The model takes up to 510 phonemes at a time, a style (one of 510, chosen by how many phonemes
there are) and a speed. Source: the model card of Kokoro-82M and its ONNX export.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from aima.embedded.speech.lexicon import Lexicon
from aima.embedded.speech.normalize import sentences
from aima.embedded.speech.phonemes import Phonemizer
from aima.embedded.speech.unknown_words import UnknownWords
from aima.embedded.stopping import Stop

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

Sound: TypeAlias = npt.NDArray[np.float32]

SAMPLE_RATE = 24_000
MOST_PHONEMES = 510
PAUSE = np.zeros(SAMPLE_RATE // 4, np.float32)
SILENT_BELOW = 0.01
KEPT_SECONDS = 0.04
PEAK = 0.97


@dataclass(frozen=True)
class Kokoro:
    """A loaded voice model."""

    session: InferenceSession
    vocabulary: Mapping[str, int]
    voices: Mapping[str, Sound]
    phonemizer: Phonemizer

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> Kokoro:
        """Read the model; about 0.7 s and 400 MB."""
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait by spinning starve the other models of this process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = InferenceSession(
            str(folder / "kokoro.onnx"), options, providers=["CPUExecutionProvider"]
        )
        vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))["vocab"]
        with np.load(folder / "voices.npz", allow_pickle=False) as arrays:
            voices = {name: arrays[name][:, 0] for name in arrays.files}
        phonemizer = Phonemizer(Lexicon.load(folder), UnknownWords.load(folder))
        return cls(session, vocabulary, voices, phonemizer)

    def speak(self, text: str, *, voice: str, speed: float, stop: Stop) -> Sound:
        """Say ``text``; without a word in it that can be said, the sound is empty.

        Raises:
            Stopped: nobody waits any more; noticed at once.
        """
        from onnxruntime import RunOptions
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail

        options = RunOptions()
        # Without this the memory of the longest sentence so far (0.5 GB) is kept for ever.
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        stop.interrupts(lambda: setattr(options, "terminate", True))
        sounds: list[Sound] = []
        try:
            for sentence in sentences(text):
                stop.check()
                sounds += [PAUSE] if sounds else []
                for phonemes in portions(self.phonemizer.phonemes(sentence), self.vocabulary):
                    sounds.append(self._say(phonemes, self.voices[voice], speed, options))
        except Fail:
            stop.check()  # a run that was told to terminate fails
            raise
        return np.concatenate(sounds) if sounds else PAUSE[:0]

    def _say(self, phonemes: str, styles: Sound, speed: float, options: RunOptions) -> Sound:
        tokens = [0, *(self.vocabulary[phoneme] for phoneme in phonemes), 0]
        feed = {
            "tokens": np.array([tokens], np.int64),
            "style": styles[len(phonemes) - 1][np.newaxis],
            "speed": np.array([speed], np.float32),
        }
        (sound,) = self.session.run(None, feed, options)
        return safe(trimmed(np.asarray(sound, np.float32).ravel()))


def portions(phonemes: str, vocabulary: Mapping[str, int]) -> Iterator[str]:
    """Give what the model knows of ``phonemes``, parted at blanks where it is too much at once."""
    left = "".join(phoneme for phoneme in phonemes if phoneme in vocabulary).strip()
    while len(left) > MOST_PHONEMES:
        blank = left.rfind(" ", 1, MOST_PHONEMES)
        cut = blank if blank > 0 else MOST_PHONEMES
        yield left[:cut]
        left = left[cut:].strip()
    if left:
        yield left


def trimmed(sound: Sound) -> Sound:
    """Cut the silence before and after, whose length the model leaves to chance."""
    loud = np.flatnonzero(np.abs(sound) > SILENT_BELOW)
    if not loud.size:
        return sound[:0]
    kept = int(KEPT_SECONDS * SAMPLE_RATE)
    return sound[max(0, loud[0] - kept) : loud[-1] + kept]


def safe(sound: Sound) -> Sound:
    """Turn down what would clip."""
    peak = np.abs(sound).max(initial=0)
    return sound * np.float32(PEAK / peak) if peak > PEAK else sound
