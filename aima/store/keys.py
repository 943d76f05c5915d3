"""Keys of the door, of which only a digest is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aima.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True)
class KeyRow:
    """A key as it is kept.

    Attributes:
        digest: SHA-256 of its secret part, in hexadecimal digits.
        scopes: the only permissions of its role that it has; None: all of them.
        expires_at: when it ends; None: never.
        used_at: about when it last opened the door; None: never.
        revoked_at: when somebody ended it.
        per_minute: how often it may ask; None: as its role may.
    """

    id: str
    name: str
    digest: str = field(repr=False)
    role: str
    scopes: tuple[str, ...] | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    per_minute: int | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether it opens the door."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class KeyTable:
    """All keys that were ever made. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[..., AbstractContextManager[Connection]]

    def add(self, key: KeyRow) -> None:
        """Keep a new key.

        Raises:
            Conflict: a key of this name is in use.
        """
        from sqlalchemy import insert, select

        from aima.store.tables import keys

        row = asdict(key) | {"scopes": None if key.scopes is None else list(key.scopes)}
        taken = select(keys.c.id).where(keys.c.name == key.name, keys.c.revoked_at.is_(None))
        with self.begin() as connection:
            if connection.execute(taken).first():
                raise Conflict(f"there is a key {key.name!r}; revoke it or choose another name")
            connection.execute(insert(keys).values(row))

    def all(self) -> list[KeyRow]:
        """List them, the oldest first."""
        from sqlalchemy import select

        from aima.store.tables import keys

        with self.begin(reads=True) as connection:
            rows = connection.execute(select(keys).order_by(keys.c.created_at, keys.c.id)).all()
        return [_key(row) for row in rows]

    def used(self, key_id: str, at: datetime) -> None:
        """Note that a key was used."""
        from sqlalchemy import update

        from aima.store.tables import keys

        with self.begin() as connection:
            connection.execute(update(keys).where(keys.c.id == key_id).values(used_at=at))

    def revoke(self, key_id: str, at: datetime) -> None:
        """End a key; the first time counts."""
        from sqlalchemy import update

        from aima.store.tables import keys

        with self.begin() as connection:
            connection.execute(
                update(keys)
                .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
                .values(revoked_at=at)
            )


def _key(row: Row[tuple[object, ...]]) -> KeyRow:
    return KeyRow(
        id=row.id,
        name=row.name,
        digest=row.digest,
        role=row.role,
        scopes=None if row.scopes is None else tuple(row.scopes),
        created_at=row.created_at.replace(tzinfo=UTC),  # SQLite keeps no zone; it is UTC
        expires_at=_utc(row.expires_at),
        used_at=_utc(row.used_at),
        revoked_at=_utc(row.revoked_at),
        per_minute=row.per_minute,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)
