"""Rest for an instance that keeps failing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
"""In a row, before an instance rests."""
FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 30.0


@dataclass
class Breaker:
    """Closed, it lets everything through; open, nothing; half open, one trial at a time.

    Attributes:
        clock: gives seconds that only grow.
    """

    clock: Callable[[], float]
    failures: int = 0
    _rest: float = 0.0
    _until: float = 0.0
    _on_trial: bool = False

    @property
    def state(self) -> str:
        """Name what it is: ``closed``, ``open`` or ``half-open``."""
        if not self._rest:
            return "closed"
        return "open" if self.clock() < self._until else "half-open"

    @property
    def rests_for(self) -> float:
        """Seconds until something gets through again."""
        return max(0.0, self._until - self.clock()) if self._rest else 0.0

    def allows(self) -> bool:
        """Tell whether a request may go through."""
        return not self._rest or (self.clock() >= self._until and not self._on_trial)

    def enter(self) -> None:
        """Let a request through."""
        self._on_trial = bool(self._rest)

    def succeeded(self) -> None:
        """Close: the instance works."""
        self.failures = 0
        self._rest = 0.0
        self._on_trial = False

    def failed(self) -> None:
        """Count a failure; open after too many, and for longer after a failed trial."""
        self.failures += 1
        if self._on_trial:
            self._open(min(self._rest * 2, LONGEST_REST_SECONDS))
        elif self.failures >= FAILURES and not self._rest:
            self._open(FIRST_REST_SECONDS)

    def left(self) -> None:
        """Learn nothing of a request that was given up or was itself at fault."""
        self._on_trial = False

    def _open(self, seconds: float) -> None:
        self._rest = seconds
        self._until = self.clock() + seconds
        self._on_trial = False
