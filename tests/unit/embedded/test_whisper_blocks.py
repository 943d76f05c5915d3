"""How a long recording is parted for the recogniser."""

from __future__ import annotations

import io

import numpy as np
import pytest

from aima.embedded.decode import SAMPLE_RATE, Recording
from aima.embedded.whisper import BLOCK_SECONDS, CUT_WITHIN_SECONDS, blocks


def recording_of(samples: np.ndarray) -> Recording:
    """Give samples as a recording."""
    return Recording(io.BytesIO(samples.astype(np.int16).tobytes()), len(samples))


def test_a_short_recording_is_one_block() -> None:
    """Cutting costs context; most recordings are seconds long."""
    samples = np.full(SAMPLE_RATE, 16384)
    ((start, block),) = blocks(recording_of(samples))
    assert start == 0
    assert block == pytest.approx(np.full(SAMPLE_RATE, 0.5))


def test_a_long_recording_is_cut_where_it_is_quiet() -> None:
    """Never through a word, if there is a pause in reach."""
    samples = np.full(2 * BLOCK_SECONDS * SAMPLE_RATE, 8000)
    pause = (BLOCK_SECONDS - 7) * SAMPLE_RATE
    samples[pause : pause + SAMPLE_RATE // 2] = 0
    found = list(blocks(recording_of(samples)))
    (_, first), (start, _) = found[:2]
    assert pause <= len(first) <= pause + SAMPLE_RATE // 2
    assert start == len(first) / SAMPLE_RATE


def test_no_sample_is_lost_and_no_block_is_too_long() -> None:
    """Whatever the sound is like."""
    samples = np.random.default_rng(1).integers(-9000, 9000, 3 * BLOCK_SECONDS * SAMPLE_RATE + 5)
    found = list(blocks(recording_of(samples)))
    assert sum(len(block) for _, block in found) == len(samples)
    assert all(len(block) <= BLOCK_SECONDS * SAMPLE_RATE for _, block in found)
    shortest = (BLOCK_SECONDS - CUT_WITHIN_SECONDS) * SAMPLE_RATE
    assert all(len(block) >= shortest for _, block in found[:-1])


def test_a_recording_of_exactly_one_block_is_not_cut() -> None:
    """The edge."""
    samples = np.ones(BLOCK_SECONDS * SAMPLE_RATE)
    assert len(list(blocks(recording_of(samples)))) == 1
