"""What the language knows of a unit: its types and its defaults, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

JsonSchema: TypeAlias = Mapping[str, Any]


class RetryDefaults(Protocol):
    """How a unit wants to be tried again where the author is silent."""

    @property
    def attempts(self) -> int:
        """How often in all."""
        ...

    @property
    def delay(self) -> timedelta:
        """The wait before the second attempt."""
        ...

    @property
    def backoff(self) -> float:
        """How many times longer each further wait is."""
        ...

    @property
    def max_delay(self) -> timedelta:
        """The longest wait."""
        ...


@dataclass(frozen=True)
class Signature:
    """A unit as the checker and the compiler see it.

    Attributes:
        pure: whether it only answers and changes nothing.
    """

    name: str
    input: JsonSchema
    output: JsonSchema
    timeout: timedelta
    retry: RetryDefaults
    idempotent: bool
    pure: bool = False


Signatures: TypeAlias = Mapping[str, Signature]
