"""How often a key may ask, and how often an address may be wrong: token buckets in memory."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from aima.gateway.access.permission import Caller, Role

RATES = "aima.rates"
"""Where the scope of a request has the door's :class:`Rates`."""
WINDOW_SECONDS = 60.0
MOST_BUCKETS = 10_000
"""Kept in memory; of more the one that was used longest ago is forgotten, and is full again."""


@dataclass(frozen=True)
class Left:
    """What is left of a bucket.

    Attributes:
        quota: requests in a minute.
        remaining: requests that may come now.
        wait: seconds until the next one may; 0 where one may come now.
    """

    quota: int
    remaining: int
    wait: float

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Tell the caller (draft-ietf-httpapi-ratelimit-headers-10)."""
        policy = f'"key";q={self.quota};w={WINDOW_SECONDS:.0f}'
        full = math.ceil((self.quota - self.remaining) * WINDOW_SECONDS / self.quota)
        left = f'"key";r={self.remaining};t={full}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


@dataclass
class Buckets:
    """A bucket for each name: it holds a minute's requests, and fills again evenly."""

    clock: Callable[[], float] = monotonic
    most: int = MOST_BUCKETS
    _filled: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, name: str, quota: int) -> tuple[bool, Left]:
        """Take one out, and tell whether there was one."""
        now = self.clock()
        tokens, at = self._filled.pop(name, (float(quota), now))
        tokens = min(quota, tokens + (now - at) * quota / WINDOW_SECONDS)
        taken = tokens >= 1
        tokens -= taken
        self._filled[name] = tokens, now
        while len(self._filled) > self.most:
            self._filled.popitem(last=False)
        wait = max(0.0, (1 - tokens) * WINDOW_SECONDS / quota)
        return taken, Left(quota, int(tokens), wait)


@dataclass(frozen=True)
class Rates:
    """The bounds of a door.

    Attributes:
        per_minute: requests of a key in a minute, by its role; 0 or absent: no bound.
        failures: wrong keys that an address may send in a minute; 0: no bound.
    """

    per_minute: Mapping[Role, int] = field(default_factory=dict)
    failures: int = 0
    _of_keys: Buckets = field(default_factory=Buckets)
    _of_addresses: Buckets = field(default_factory=Buckets)

    def asked(self, caller: Caller) -> tuple[bool, Left | None]:
        """Count a request of a caller; None where it has no bound."""
        quota = self.per_minute.get(caller.role, 0)
        quota = quota if caller.per_minute is None else caller.per_minute
        if not caller.id or not quota:  # the stack's own processes have no id
            return True, None
        return self._of_keys.take(caller.id, quota)

    def failed(self, address: str) -> Left | None:
        """Count a wrong key from an address; None where it may go on."""
        if not self.failures:
            return None
        taken, left = self._of_addresses.take(address, self.failures)
        return None if taken else left
