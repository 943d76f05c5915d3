"""Facts that outlive a process, in an SQL database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # SQLAlchemy costs 0.2 s that a command without a store does not spend
    from aima.store.database import Store


def open_store(where: Path | str) -> Store:
    """Open the store in a file, made and upgraded as needed.

    Args:
        where: the file, or a URL such as ``sqlite:////var/lib/aima/aima.db``.

    Raises:
        InvalidRequest: the URL is of a database AIMA does not speak.
        Conflict: the file was written by a newer AIMA, or is not AIMA's.
        Forbidden: the file may not be read or written.
        InsufficientResources: the disk is full.
    """
    from aima.store.database import open_database

    return open_database(where)
