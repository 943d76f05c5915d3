"""A unit with an effect that can be counted: rows in a database of its own."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel

from aima.ports.inference import Request
from aima.unit import Context, Domain, Example

sink = Domain("sink")

SCHEMA = """
create table if not exists attempts (key text, at real default (julianday('now')));
create table if not exists effects (key text primary key, deliveries integer default 1);
"""


class Write(Request):
    """What to write, and where."""

    file: str
    gate: str | None = None


class Written(BaseModel):
    """The effect's key."""

    key: str


@sink.command(
    idempotent=False, examples=(Example("One row", {"file": "sink.db"}, {"key": "run/first/step"}),)
)
async def write(request: Write, ctx: Context) -> Written:
    """Write the effect once the gate, a file, is there."""
    with closing(sqlite3.connect(request.file, timeout=30)) as database:
        database.executescript(SCHEMA)
        database.execute("insert into attempts (key) values (?)", (ctx.effect_key,))
        database.commit()
        while request.gate and not await asyncio.to_thread(Path(request.gate).exists):
            ctx.progress("waiting at the gate")
            await asyncio.sleep(0.05)
        database.execute(
            "insert into effects (key) values (?) "
            "on conflict (key) do update set deliveries = deliveries + 1",
            (ctx.effect_key,),
        )
        database.commit()
    return Written(key=ctx.effect_key)
