"""Counts for Prometheus that are made where the work is; the door gives them all at `/metrics`.

Workers and the door are processes of their own. A worker keeps its counts in files of a folder
that the stack names (`PROMETHEUS_MULTIPROC_DIR`), where they outlive it, whatever ends it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aima.errors import error_classes

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus_client looks for the folder, when it is imported."""
DONE = "done"
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)


def shared_folder(data: Path) -> Path:
    """Tell where the counts of the workers of a data folder are."""
    return data / "metrics"


class UnitMeter:
    """Counts what units do: each attempt, how it ended, and how long it took."""

    def ended(self, unit: str, outcome: str, seconds: float) -> None:
        """Count an attempt; an error code that is none of AIMA's is `OTHER`."""
        known = outcome if outcome == DONE or outcome in self._codes else "OTHER"
        self._attempts.labels(unit, known).inc()
        self._seconds.labels(unit).observe(seconds)

    @cached_property
    def _codes(self) -> frozenset[str]:
        return frozenset(error.code for error in error_classes())

    @cached_property
    def _attempts(self) -> Counter:
        from prometheus_client import CollectorRegistry, Counter

        return Counter(
            "aima_unit_attempts",
            "Attempts of units in runs, by how they ended: done, or the code of the error.",
            ("unit", "outcome"),
            registry=CollectorRegistry(),
        )

    @cached_property
    def _seconds(self) -> Histogram:
        from prometheus_client import CollectorRegistry, Histogram

        return Histogram(
            "aima_unit_attempt_duration_seconds",
            "How long an attempt of a unit took.",
            ("unit",),
            registry=CollectorRegistry(),
            buckets=_SECONDS,
        )
