import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from aima.store import open_store
from aima.store.database import Store
from aima.store.effects import Claim, Effects, Fenced, Finished
from aima.store.tables import effects as table

KEY = "run-1/send"
UNIT = "mail.send"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store with a table of a unit's own facts."""
    with open_store(tmp_path / "aima.db") as opened:
        with opened.transaction() as connection:
            connection.execute(text("CREATE TABLE sent (letter TEXT)"))
        yield opened


@pytest.fixture
def effects(store: Store) -> Effects:
    """Give the record."""
    return store.effects


def claimed(effects: Effects, key: str = KEY) -> Claim:
    """Claim an effect that has not happened."""
    claim = effects.claim(key, unit=UNIT)
    assert isinstance(claim, Claim)
    return claim


def sent(store: Store) -> list[str]:
    """List the unit's own facts."""
    with store.transaction() as connection:
        return list(connection.scalars(text("SELECT letter FROM sent")))


def test_a_finished_effect_gives_its_output(store: Store) -> None:
    """The attempt after a crash must not do it again; asking leaves no trace in the record."""
    output: dict[str, object] = {"id": 7, "text": "ü", "none": None}
    store.effects.finish(claimed(store.effects), output)
    assert store.effects.claim(KEY, unit=UNIT) == Finished(output)
    with store.transaction() as connection:
        row = connection.execute(select(table)).one()
    assert (row.key, row.unit, row.state, row.fence) == (KEY, UNIT, "done", 1)


def test_effects_of_different_keys_are_strangers(effects: Effects) -> None:
    """The items of a fan-out each have their own."""
    effects.finish(claimed(effects, "a"), {})
    assert claimed(effects, "b") == Claim("b", 1)


def test_a_later_attempt_takes_over(effects: Effects) -> None:
    """A worker that sleeps for an hour must not overwrite what its successor did."""
    late, next_one = claimed(effects), claimed(effects)
    with pytest.raises(Fenced, match=KEY):
        effects.finish(late, {"by": "late"})
    effects.finish(next_one, {"by": "next"})
    with pytest.raises(Fenced):
        effects.finish(late, {"by": "late"})
    assert effects.claim(KEY, unit=UNIT) == Finished({"by": "next"})


def test_the_first_output_stays(effects: Effects) -> None:
    """Others may have acted on it."""
    claim = claimed(effects)
    effects.finish(claim, {"n": 1})
    with pytest.raises(Fenced):
        effects.finish(claim, {"n": 2})
    assert effects.claim(KEY, unit=UNIT) == Finished({"n": 1})


def test_of_attempts_that_race_one_finishes(effects: Effects) -> None:
    """Two workers may hold the same step for a moment; the effect is recorded once."""
    together = threading.Barrier(8)

    def attempt(number: int) -> int | None:
        together.wait()
        claim = effects.claim(KEY, unit=UNIT)
        if isinstance(claim, Finished):
            return None
        try:
            effects.finish(claim, {"by": number})
        except Fenced:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        finished = [number for number in pool.map(attempt, range(8)) if number is not None]
    assert len(finished) == 1
    assert effects.claim(KEY, unit=UNIT) == Finished({"by": finished[0]})


# --- facts of the unit's own --------------------------------------------------------------------


def test_facts_and_record_are_written_together(store: Store) -> None:
    """An effect that lies in the database needs no outside help to happen once."""
    output: dict[str, object] = {}
    with store.effects.transaction(claimed(store.effects), output) as connection:
        row = connection.execute(text("INSERT INTO sent VALUES ('dear')"))
        output["row"] = row.lastrowid
    assert sent(store) == ["dear"]
    assert store.effects.claim(KEY, unit=UNIT) == Finished({"row": 1})


def test_facts_of_a_fenced_attempt_are_undone(store: Store) -> None:
    """Else the effect would be there twice."""
    late = claimed(store.effects)
    with store.effects.transaction(claimed(store.effects), {}) as connection:
        connection.execute(text("INSERT INTO sent VALUES ('next')"))
    with pytest.raises(Fenced), store.effects.transaction(late, {}) as connection:
        connection.execute(text("INSERT INTO sent VALUES ('late')"))
    assert sent(store) == ["next"]


def test_facts_of_a_failed_attempt_are_undone(store: Store) -> None:
    """A later attempt starts from nothing."""
    claim = claimed(store.effects)

    def send_and_fail() -> None:
        with store.effects.transaction(claim, {}) as connection:
            connection.execute(text("INSERT INTO sent VALUES ('failed')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send_and_fail()
    assert sent(store) == []
    assert isinstance(store.effects.claim(KEY, unit=UNIT), Claim)


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import text
from aima.store import open_store

store = open_store(Path(sys.argv[1]))
claim = store.effects.claim("run-1/send", unit="mail.send")
if sys.argv[2] == "inside":
    with store.effects.transaction(claim, {}) as connection:
        connection.execute(text("INSERT INTO sent VALUES ('killed')"))
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("where", ["inside", "before"])
def test_a_killed_attempt_leaves_the_effect_to_the_next(store: Store, where: str) -> None:
    """`kill -9` at the worst moment: neither half an effect nor a record without one."""
    script = [sys.executable, "-c", KILLED, str(store.file), where]
    killed = subprocess.run(script, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert sent(store) == []
    claim = store.effects.claim(KEY, unit=UNIT)
    assert claim == Claim(KEY, 2)
    with store.effects.transaction(claim, {}) as connection:
        connection.execute(text("INSERT INTO sent VALUES ('next')"))
    assert sent(store) == ["next"]


# --- for coroutines -----------------------------------------------------------------------------


async def test_work_is_done_once(effects: Effects) -> None:
    """The second attempt gets the record, whatever its work would have given."""

    async def work() -> dict[str, object]:
        done.append("work")
        return {"n": len(done)}

    done: list[str] = []
    assert await effects.once(KEY, UNIT, work) == {"n": 1}
    assert await effects.once(KEY, UNIT, work) == {"n": 1}
    assert done == ["work"]


async def test_work_that_fails_is_tried_again(effects: Effects) -> None:
    """A failure is no effect."""

    async def fail() -> dict[str, object]:
        raise TimeoutError

    async def work() -> dict[str, object]:
        return {"ok": True}

    with pytest.raises(TimeoutError):
        await effects.once(KEY, UNIT, fail)
    assert await effects.once(KEY, UNIT, work) == {"ok": True}


async def test_work_that_ends_too_late_is_refused(effects: Effects) -> None:
    """The output of the attempt that took over is the truth."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, object]:
        begun.set()
        await go_on.wait()
        return {"by": "slow"}

    async def fast() -> dict[str, object]:
        return {"by": "fast"}

    late = asyncio.create_task(effects.once(KEY, UNIT, slow))
    await begun.wait()
    assert await effects.once(KEY, UNIT, fast) == {"by": "fast"}
    go_on.set()
    with pytest.raises(Fenced):
        await late
    assert effects.claim(KEY, unit=UNIT) == Finished({"by": "fast"})


async def test_a_cancel_after_the_effect_does_not_lose_its_record(effects: Effects) -> None:
    """A cancel that arrives between effect and record would make the effect happen again."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    free = threading.Event()

    async def work() -> dict[str, object]:
        loop.run_in_executor(None, free.wait)  # the record has to wait for its thread
        attempt.cancel()
        loop.call_later(0.05, free.set)
        return {"done": True}

    attempt = asyncio.create_task(effects.once(KEY, UNIT, work))
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert effects.claim(KEY, unit=UNIT) == Finished({"done": True})


# --- forgetting ---------------------------------------------------------------------------------


def test_old_effects_are_forgotten(store: Store) -> None:
    """The record must not grow for ever; what is young may still be asked for."""
    for key in ("old", "old and abandoned", "young", "begun long ago"):
        claim = claimed(store.effects, key)
        if key != "old and abandoned":
            store.effects.finish(claim, {})
    with store.transaction() as connection:
        long_ago = datetime.now(UTC) - timedelta(days=91)
        old = update(table).where(table.c.key.like("old%"))
        connection.execute(old.values(started_at=long_ago))
        connection.execute(old.where(table.c.state == "done").values(finished_at=long_ago))
        begun = update(table).where(table.c.key == "begun long ago")
        connection.execute(begun.values(started_at=long_ago))
    assert store.effects.prune(timedelta(days=90)) == 2
    assert isinstance(store.effects.claim("young", unit=UNIT), Finished)
    assert isinstance(store.effects.claim("begun long ago", unit=UNIT), Finished)
    assert store.effects.claim("old", unit=UNIT) == Claim("old", 1)
