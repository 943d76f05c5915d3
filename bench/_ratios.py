"""Ratios of paired measurements with a bootstrap interval."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_RESAMPLES = 5000
_SEED = 20_260_101


@dataclass(frozen=True)
class Ratio:
    """How many times larger the second of each pair is, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Give it as ``1.04 (1.01 to 1.07)``."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratio_of_means(first: Sequence[float], second: Sequence[float]) -> Ratio:
    """Compare the means of paired samples; the pairs are resampled together."""
    pairs = list(zip(first, second, strict=True))
    chance = random.Random(_SEED)  # noqa: S311 - a bootstrap, no secret
    ratios = sorted(
        _ratio(sample)
        for sample in (chance.choices(pairs, k=len(pairs)) for _ in range(_RESAMPLES))
    )
    return Ratio(_ratio(pairs), ratios[_RESAMPLES * 25 // 1000], ratios[_RESAMPLES * 975 // 1000])


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Compare sums; where the first is too small for its clock, nothing can be said."""
    first = sum(a for a, _ in pairs)
    return sum(b for _, b in pairs) / first if first else math.inf


def spread(samples: list[float]) -> str:
    """Give the median and the middle half of samples."""
    low, middle, high = statistics.quantiles(samples, n=4) if samples[1:] else samples * 3
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"
