"""Around the voice model: how phonemes are parted, and sound is tidied."""

from __future__ import annotations

import numpy as np
import pytest

from aima.embedded.speech.kokoro import (
    KEPT_SECONDS,
    MOST_PHONEMES,
    PEAK,
    SAMPLE_RATE,
    portions,
    safe,
    trimmed,
)
from aima.embedded.speech.voices import ALIASES, DEFAULT, DESCRIPTIONS

VOCABULARY = {phoneme: number for number, phoneme in enumerate("abc ,", 1)}


def test_what_the_model_does_not_know_is_left_out() -> None:
    """A phoneme without a number would end the request."""
    assert list(portions("a?b!", VOCABULARY)) == ["ab"]
    assert list(portions("??", VOCABULARY)) == []
    assert list(portions(" ", VOCABULARY)) == []


def test_long_phonemes_are_parted_at_blanks_and_none_is_lost() -> None:
    """The model has 510 styles and takes no more."""
    text = "abc abc, " * 200
    parts = list(portions(text, VOCABULARY))
    assert all(0 < len(part) <= MOST_PHONEMES for part in parts)
    assert " ".join(parts) == text.strip()


def test_phonemes_without_a_blank_are_parted_anywhere() -> None:
    """Nothing else is possible."""
    parts = list(portions("a" * 1200, VOCABULARY))
    assert [len(part) for part in parts] == [510, 510, 180]


def test_silence_around_the_sound_is_cut() -> None:
    """Its length is the model's whim, and a sentence's pause is ours."""
    quiet, loud = np.zeros(SAMPLE_RATE, np.float32), np.full(100, 0.5, np.float32)
    cut = trimmed(np.concatenate([quiet, loud, quiet]))
    assert len(cut) == pytest.approx(100 + 2 * KEPT_SECONDS * SAMPLE_RATE, abs=2)
    assert trimmed(quiet).size == 0


def test_too_loud_sound_is_turned_down_and_other_left_alone() -> None:
    """Clipping is noise."""
    sound = np.array([0.5, -2.0], np.float32)
    assert np.abs(safe(sound)).max() == pytest.approx(PEAK)
    gentle = np.array([0.5, -0.5], np.float32)
    assert safe(gentle) is gentle
    assert safe(sound[:0]).size == 0


def test_every_alias_means_a_voice() -> None:
    """A name that leads nowhere would fail only when somebody uses it."""
    assert set(ALIASES.values()) <= set(DESCRIPTIONS)
    assert ALIASES["default"] == DEFAULT
    assert not set(ALIASES) & set(DESCRIPTIONS)
