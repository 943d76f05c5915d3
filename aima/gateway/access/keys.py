"""Keys of the door: made once, kept as a digest, looked up for each request.

A key reads ``aima_ID_SECRET``. The secret has 256 random bits, so no salt and no slow hash is
needed, and a CRC at its end, by which scanners of leaked texts know it from other words.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from aima.blocking import in_thread
from aima.disk import sync_folder, told
from aima.errors import NotFound
from aima.gateway.access.permission import Caller, Role
from aima.gateway.access.tokens import Tokens, is_token
from aima.store.keys import KeyRow

if TYPE_CHECKING:
    from aima.store.database import Store

log = logging.getLogger(__name__)

ADMIN_KEY = "admin.key"
"""The file in the data folder that holds the key made at the first start."""

_MARK = "aima"
_NOBODYS = hashlib.sha256(b"").hexdigest()
_REREAD_SECONDS = 5.0
"""How soon an unknown key makes the door look into the store again."""
_USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a key is kept."""


@dataclass(frozen=True)
class NewKey:
    """A key that was just made; its text is told once and kept nowhere."""

    text: str = field(repr=False)
    row: KeyRow


def new_key(
    name: str,
    role: Role,
    *,
    scopes: tuple[str, ...] | None = None,
    lasts: timedelta | None = None,
    per_minute: int | None = None,
) -> NewKey:
    """Make a key.

    Args:
        name: what people call it.
        role: what it may do.
        scopes: the only permissions of the role that it has; None: all of them.
        lasts: after how long it ends; None: never.
        per_minute: how often it may ask; None: as its role may.
    """
    key_id, random = secrets.token_hex(6), secrets.token_urlsafe(32)
    secret = f"{random}{_checksum(random)}"
    now = datetime.now(UTC)
    row = KeyRow(
        id=key_id,
        name=name,
        digest=_digest(secret),
        role=role.value,
        scopes=scopes,
        created_at=now,
        expires_at=None if lasts is None else now + lasts,
        per_minute=per_minute,
    )
    return NewKey(f"{_MARK}_{key_id}_{secret}", row)


def first_key(data: Path, store: Callable[[], AbstractContextManager[Store]]) -> None:
    """Make the admin's key, where no key was ever made, and leave it in the data folder."""
    with store() as opened:
        if opened.keys.all():
            return
        made = new_key("admin", Role.ADMIN)
        # The file comes first: a crash in between leaves a file that the next start replaces.
        _write(data / ADMIN_KEY, made.text)
        opened.keys.add(made.row)


@dataclass
class Keys:
    """Knows who comes in with which secret.

    Attributes:
        own: the secrets of this stack's own processes.
        store: opens the store.
        tokens: knows those of a provider; None: there are none.
    """

    own: Mapping[str, Caller] = field(repr=False)
    store: Callable[[], AbstractContextManager[Store]]
    tokens: Tokens | None = None
    _rows: dict[str, KeyRow] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _noting: set[asyncio.Future[None]] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def caller(self, secret: bytes) -> Caller | None:
        """Tell whose secret this is; None for nobody's, an ended one's or a broken one's."""
        found = None
        for known, owner in self.own.items():
            if hmac.compare_digest(known.encode(), secret):
                found = owner
        text = secret.decode("latin-1")
        if found is None and self.tokens is not None and is_token(text):
            return await self.tokens.caller(text)
        return found or await self._keyholder(text)

    def still(self, caller: Caller) -> bool:
        """Tell whether the key that somebody came with has neither ended nor been revoked."""
        row = self._rows.get(caller.id)
        return not caller.id or (row is not None and row.is_valid(datetime.now(UTC)))

    def has_ended(self, caller: Caller) -> bool:
        """Tell whether somebody came with a key that was revoked, or is over, since."""
        row = self._rows.get(caller.id)
        return row is not None and not row.is_valid(datetime.now(UTC))

    async def add(self, made: NewKey) -> None:
        """Let a new key open the door.

        Raises:
            Conflict: a key of this name is in use.
        """
        async with self._turn:
            await in_thread(self._in_store, lambda store: store.keys.add(made.row))
            self._rows[made.row.id] = made.row

    async def all(self) -> list[KeyRow]:
        """List the keys, the oldest first."""
        async with self._turn:
            await self._read()
        return list(self._rows.values())

    async def revoke(self, name: str) -> KeyRow:
        """End a key, given by its id or its name; from now on it opens nothing.

        Raises:
            NotFound: no key in use is called so.
        """
        now = datetime.now(UTC)
        async with self._turn:
            await self._read()
            in_use = [row for row in self._rows.values() if row.revoked_at is None]
            row = next((row for row in in_use if name in (row.id, row.name)), None)
            if row is None:
                raise NotFound(f"there is no key {name[:80]!r} in use; `aima key list` shows them")
            self._rows[row.id] = replace(row, revoked_at=now)
            await in_thread(self._in_store, lambda store: store.keys.revoke(row.id, now))
        return self._rows[row.id]

    async def _keyholder(self, text: str) -> Caller | None:
        mark, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        if mark == _MARK and key_id not in self._rows:
            async with self._turn:
                if monotonic() - self._read_at > _REREAD_SECONDS:
                    await self._read()
        row, now = self._rows.get(key_id), datetime.now(UTC)
        # An unknown id costs as much as a known one: nobody learns from the time which there are.
        right = hmac.compare_digest(_digest(secret), row.digest if row else _NOBODYS)
        if row is None or not right or not row.is_valid(now):
            return None
        self._note(row, now)
        scopes = None if row.scopes is None else frozenset(row.scopes)
        return Caller(row.name, Role(row.role), scopes, row.id, row.per_minute)

    def _note(self, row: KeyRow, now: datetime) -> None:
        """Keep when a key was used, not for each request."""
        if row.used_at is not None and now - row.used_at < _USED_EVERY:
            return
        self._rows[row.id] = replace(row, used_at=now)
        used = in_thread(self._in_store, lambda store: store.keys.used(row.id, now))
        noting = asyncio.ensure_future(used)
        self._noting.add(noting)
        noting.add_done_callback(self._noted)

    def _noted(self, noting: asyncio.Future[None]) -> None:
        self._noting.discard(noting)
        if not noting.cancelled() and (error := noting.exception()):
            log.warning("the last use of a key could not be kept: %s", error)

    async def _read(self) -> None:
        rows: list[KeyRow] = []
        await in_thread(self._in_store, lambda store: rows.extend(store.keys.all()))
        self._rows = {row.id: row for row in rows}
        self._read_at = monotonic()

    def _in_store(self, do: Callable[[Store], None]) -> None:
        with self.store() as store:
            do(store)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _checksum(random: str) -> str:
    return f"{zlib.crc32(random.encode()):08x}"


def _write(file: Path, text: str) -> None:
    """Write a file for its owner alone; it has its name only when it is complete."""
    part = file.with_name(f"{file.name}.new")
    with told(file):
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{text}\n")
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
        sync_folder(file.parent)
