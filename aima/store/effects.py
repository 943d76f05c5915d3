"""The record of effects: each step's effect happens once, whatever dies in between.

A unit that is not idempotent (it sends a message, starts a machine) runs under an effect key that
is the same in every attempt. Each attempt claims the key; the claim's number, its fence, grows
with each one, and only the newest claim can finish. What that gives:

* **Done before.** An attempt after a crash finds the recorded output and does nothing.
* **A late writer.** An attempt that Temporal gave up, because its machine was suspended, say, may
  wake up after the next one has begun: it is refused with :class:`Fenced`.
* **Two at once.** Of attempts that race, exactly one finishes.
* **Killed between effect and record.** No record of its own can tell what the outside has done.
  Either the effect lies in this database: :meth:`Effects.transaction` writes it and the record
  as one. Or the outside is handed the effect key (``ctx.effect_key``) as its idempotency key and
  recognises the second request. A unit must do one of the two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from aima.blocking import in_thread
from aima.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

Output: TypeAlias = dict[str, object]
"""A unit's output, plain JSON."""


class Fenced(Conflict):
    """A later attempt has taken over, so this one may no longer finish."""


@dataclass(frozen=True)
class Claim:
    """The right to finish an effect, until a later attempt claims it."""

    key: str
    fence: int


@dataclass(frozen=True)
class Finished:
    """The effect has happened; this came of it."""

    output: Output


@dataclass(frozen=True)
class Effects:
    """The record. Its methods block; :meth:`once` is the one for coroutines.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[[], AbstractContextManager[Connection]]

    async def once(self, key: str, unit: str, work: Callable[[], Awaitable[Output]]) -> Output:
        """Do ``work`` and record its output under ``key``; give the record where there is one.

        Raises:
            Fenced: a later attempt took over while this one worked.
        """
        claim = await in_thread(partial(self.claim, key, unit=unit))
        if isinstance(claim, Finished):
            return claim.output
        output = await work()
        await in_thread(self.finish, claim, output)
        return output

    def claim(self, key: str, *, unit: str) -> Claim | Finished:
        """Take the effect over from whoever had it, or learn that it has happened."""
        from sqlalchemy import select
        from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's is spelt the same

        from aima.store.tables import effects

        now = datetime.now(UTC)
        new = insert(effects).values(key=key, unit=unit, state="running", fence=1, started_at=now)
        take_over = new.on_conflict_do_update(
            index_elements=[effects.c.key],
            set_={"fence": effects.c.fence + 1, "started_at": now},
            where=effects.c.state == "running",
        )
        with self.begin() as connection:
            connection.execute(take_over)
            row = connection.execute(select(effects).where(effects.c.key == key)).one()
        return Finished(row.output) if row.state == "done" else Claim(key, row.fence)

    def finish(self, claim: Claim, output: Output) -> None:
        """Record that the effect has happened.

        Raises:
            Fenced: a later attempt has claimed it, or it is finished; the first output stays.
        """
        with self.transaction(claim, output):
            pass

    @contextmanager
    def transaction(self, claim: Claim, output: Output) -> Iterator[Connection]:
        """Give a connection whose writes and the record of the effect happen together or not.

        ``output`` may be completed inside the block; it is recorded at its end. The block holds
        the database's only write lock: compute before, wait for nothing inside.

        Raises:
            Fenced: as in :meth:`finish`; what the block wrote is undone.
        """
        from sqlalchemy import update

        from aima.store.tables import effects

        with self.begin() as connection:
            yield connection
            done = connection.execute(
                update(effects)
                .where(
                    effects.c.key == claim.key,
                    effects.c.fence == claim.fence,
                    effects.c.state == "running",
                )
                .values(state="done", output=output, finished_at=datetime.now(UTC))
            )
            if done.rowcount != 1:
                raise Fenced(f"a later attempt has taken over {claim.key!r}; leave it to that one")

    def prune(self, older_than: timedelta) -> int:
        """Forget effects finished, or last claimed, longer ago than this; tell how many.

        A forgotten effect can happen again. Keep each longer than Temporal keeps its run and
        than any run lasts: as long as a run can be retried or reset.
        """
        from sqlalchemy import delete, func

        from aima.store.tables import effects

        last = func.coalesce(effects.c.finished_at, effects.c.started_at)
        with self.begin() as connection:
            return connection.execute(
                delete(effects).where(last < datetime.now(UTC) - older_than)
            ).rowcount
