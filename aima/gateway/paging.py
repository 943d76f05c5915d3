"""Long lists, a page at a time: by cursor, or by offset as in the earlier system."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from aima.errors import InvalidRequest

Item = TypeVar("Item")
_SUM_BYTES = 6


class PageQuery(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=1000, description="How many, at most.")
    cursor: str = Field(default="", max_length=10_000, description="`next_cursor` of a page.")
    offset: int | None = Field(
        default=None, ge=0, le=100_000, description="Pass over so many; tells the `total` too."
    )


def page_of(
    items: Sequence[Item], asked: PageQuery, name: Callable[[Item], str]
) -> tuple[Sequence[Item], dict[str, Any]]:
    """Give the items of a page, and what stands beside them; items are sorted by name.

    Raises:
        InvalidRequest: the cursor is none.
    """
    rest: Sequence[Item] = items
    told: dict[str, Any] = {}
    if asked.cursor:
        after = decoded(asked.cursor).decode(errors="replace")
        rest = [item for item in items if name(item) > after]
    if asked.offset is not None:
        rest = rest[asked.offset :]
        told["total"] = len(items)
    page = rest[: asked.limit]
    more = len(rest) > len(page)
    return page, {**told, "next_cursor": encoded(name(page[-1]).encode()) if more else None}


def encoded(position: bytes) -> str:
    """Write a position as a cursor, which is nobody's business to read."""
    return base64.urlsafe_b64encode(_sum(position) + position).decode("ascii")


def decoded(cursor: str) -> bytes:
    """Read a cursor; the empty one is the beginning.

    Raises:
        InvalidRequest: it is none: whoever keeps the list would fail on it, and try again.
    """
    try:
        data = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b"?"
    told, position = data[:_SUM_BYTES], data[_SUM_BYTES:]
    if cursor and told != _sum(position):
        raise InvalidRequest("the query: 'cursor' is none that this list gave")
    return position


def _sum(position: bytes) -> bytes:
    return hashlib.sha256(position).digest()[:_SUM_BYTES]
