# What AIMA uses of faster-whisper, which ships no types.

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

class Word:
    start: float
    end: float
    word: str

class Segment:
    start: float
    end: float
    text: str
    words: Sequence[Word] | None

class TranscriptionInfo:
    language: str
    duration: float

class WhisperModel:
    def __init__(
        self,
        model_size_or_path: str,
        device: str = ...,
        *,
        compute_type: str = ...,
        cpu_threads: int = ...,
        num_workers: int = ...,
    ) -> None: ...
    def transcribe(
        self,
        audio: npt.NDArray[np.float32],
        language: str | None = ...,
        *,
        beam_size: int = ...,
        best_of: int = ...,
        temperature: Sequence[float] = ...,
        condition_on_previous_text: bool = ...,
        vad_filter: bool = ...,
        initial_prompt: str | None = ...,
        word_timestamps: bool = ...,
    ) -> tuple[Iterable[Segment], TranscriptionInfo]: ...
