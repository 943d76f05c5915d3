"""Outputs kept for later runs: the same unit, version and key give the same output again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sqlalchemy import Connection

Output: TypeAlias = dict[str, object]
"""A unit's output, plain JSON."""


@dataclass(frozen=True)
class CacheKey:
    """What an output is kept under.

    Attributes:
        version: of the unit; outputs of its other versions are not found.
        key: the author's own, such as a question.
    """

    unit: str
    version: int
    key: str


@dataclass(frozen=True)
class Cache:
    """The outputs. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[[], AbstractContextManager[Connection]]

    def find(self, key: CacheKey) -> Output | None:
        """Give the output that is kept; None where there is none, or its time is over."""
        from sqlalchemy import or_, select

        from aima.store.tables import cache

        found = select(cache.c.output).where(
            cache.c.unit == key.unit,
            cache.c.version == key.version,
            cache.c.key == key.key,
            or_(cache.c.expires_at.is_(None), cache.c.expires_at > datetime.now(UTC)),
        )
        with self.begin() as connection:
            output: Output | None = connection.scalar(found)
        return output

    def keep(self, key: CacheKey, output: Output, *, ttl: timedelta | None) -> None:
        """Keep an output in place of an older one; without ``ttl`` until a newer one comes."""
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import cache

        expires_at = None if ttl is None else datetime.now(UTC) + ttl
        row = insert(cache).values(
            unit=key.unit, version=key.version, key=key.key, output=output, expires_at=expires_at
        )
        newer = row.on_conflict_do_update(
            index_elements=[cache.c.unit, cache.c.version, cache.c.key],
            set_={"output": row.excluded.output, "expires_at": row.excluded.expires_at},
        )
        with self.begin() as connection:
            connection.execute(newer)

    def prune(self) -> int:
        """Remove outputs whose time is over; tell how many."""
        from sqlalchemy import delete

        from aima.store.tables import cache

        with self.begin() as connection:
            return connection.execute(
                delete(cache).where(cache.c.expires_at <= datetime.now(UTC))
            ).rowcount
