"""Bringing a store's schema up to date."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from aima.disk import sync_folder, told
from aima.errors import Conflict

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, file: Path, *, migrations: Path = _MIGRATIONS) -> None:
    """Apply the missing steps to the store in ``file``, all or none, after a backup.

    The backup of a store at step 3 is ``FILE.0003.bak`` beside it.

    Raises:
        Conflict: the store was written by a newer AIMA, or by something else.
    """
    steps = sorted(step.name[1:5] for step in migrations.glob("versions/v*.py"))
    with engine.begin() as connection:
        version = _version(connection, file)
    if version == steps[-1]:
        return  # without Alembic, whose import takes 0.1 s
    if version is not None:
        if version not in steps:
            raise Conflict(
                f"{str(file)!r} was written by a newer AIMA (schema {version}, this one knows "
                f"{steps[-1]}); install that version, or restore an older backup"
            )
        _back_up(engine, file.with_name(f"{file.name}.{version}.bak"))

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: Connection, file: Path) -> str | None:
    """Tell the newest step that was applied; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" in tables:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if isinstance(version, str):
            return version
    raise Conflict(f"{str(file)!r} is a database, but not AIMA's; choose another file")


def _back_up(engine: Engine, target: Path) -> None:
    """Copy the whole database; the copy has its name only when it is complete."""
    part = target.with_name(f"{target.name}.part")
    with told(part):
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(part),))
    finally:
        connection.close()
    with told(target):
        with part.open("rb") as copy:
            os.fsync(copy)
        part.replace(target)
        sync_folder(target.parent)
