"""How many requests may be tried again: a share of those that come, so that failures stay cheap."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.2
"""Tries again for each request: with every instance failing, 1.2 calls for each request."""
MOST = 10.0
"""Tries saved up in quiet times."""


@dataclass
class RetryBudget:
    """Tries that are left; each request earns a share of one."""

    left: float = MOST

    def earn(self) -> None:
        """Count a request."""
        self.left = min(MOST, self.left + SHARE)

    def take(self) -> bool:
        """Use one up, if there is one."""
        if self.left < 1:
            return False
        self.left -= 1
        return True
