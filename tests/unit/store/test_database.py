import fcntl
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from aima.errors import (
    AimaError,
    Conflict,
    Forbidden,
    InsufficientResources,
    InvalidRequest,
    NotFound,
    TimedOut,
)
from aima.store import open_store
from aima.store.database import Store
from aima.store.effects import Claim


def test_a_store_is_safe_against_power_cuts_and_strangers(tmp_path: Path) -> None:
    """A lost commit is an effect that happens twice; an output may hold private text."""
    file = tmp_path / "data" / "aima.db"
    with open_store(file) as store, store.transaction() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
        connection.execute(text("CREATE TABLE filled (x)"))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }
    assert modes == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_a_store_is_named_by_path_or_url(tmp_path: Path, form: str) -> None:
    """Settings give a URL, tests a path."""
    file = tmp_path / "aima.db"
    open_store(form.format(file)).close()
    assert file.is_file()


@pytest.mark.parametrize("url", ["postgresql://me:secret@db/aima", "sqlite://", "mysql://x/y"])
def test_other_databases_are_refused(url: str) -> None:
    """With what can be given instead, and without the password."""
    with pytest.raises(InvalidRequest, match="give a file or sqlite:////path") as caught:
        open_store(url)
    assert "secret" not in caught.value.message


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """A change and what belongs to it are one."""
    with open_store(tmp_path / "aima.db") as store:
        with store.transaction() as connection:
            connection.execute(text("CREATE TABLE facts (x UNIQUE)"))
        twice = text("INSERT INTO facts SELECT 1 UNION ALL SELECT 1")
        with pytest.raises(IntegrityError), store.transaction() as connection:
            connection.execute(twice)
        with store.transaction() as connection:
            assert connection.scalar(text("SELECT count(*) FROM facts")) == 0


def test_a_transaction_that_reads_first_can_write(tmp_path: Path) -> None:
    """Let another one write in between, and SQLite refuses this one's write without waiting."""
    with open_store(tmp_path / "aima.db") as store, ThreadPoolExecutor() as pool:
        with store.transaction() as connection:
            connection.execute(text("SELECT * FROM effects"))
            other = pool.submit(store.effects.claim, "other", unit="u")
            wait([other], timeout=0.2)
            assert not other.done()
            connection.execute(text("DELETE FROM effects"))
        assert other.result() == Claim("other", 1)


def test_an_opening_waits_for_another(tmp_path: Path) -> None:
    """Two that upgrade at once would back up what the first has already changed."""
    with Path(f"{tmp_path / 'aima.db'}.lock").open("w") as lock, ThreadPoolExecutor() as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        opening = pool.submit(open_store, tmp_path / "aima.db")
        wait([opening], timeout=0.2)
        assert not opening.done()
        fcntl.flock(lock, fcntl.LOCK_UN)
        opening.result().close()


def test_a_full_disk_is_told_and_heals(tmp_path: Path) -> None:
    """SQLite's own bound on pages stands for the disk; the error is the same."""
    with open_store(tmp_path / "aima.db") as store:
        claim = store.effects.claim("a", unit="u")
        assert isinstance(claim, Claim)
        limit(store, "max_page_count = 1")
        with pytest.raises(InsufficientResources, match="no space left"):
            store.effects.finish(claim, {"text": "x" * 1_000_000})
        limit(store, "max_page_count = 1000000")
        store.effects.finish(claim, {"text": "x" * 1_000_000})


def test_a_writer_that_does_not_let_go_is_told(tmp_path: Path) -> None:
    """After a bounded wait, so that the attempt ends and can be made again."""
    file = tmp_path / "aima.db"
    with open_store(file) as store:
        limit(store, "busy_timeout = 20")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimedOut, match="held by another process"):
            store.effects.claim("a", unit="u")
        other.close()
        assert isinstance(store.effects.claim("a", unit="u"), Claim)


def test_a_store_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """A read-only mount, say."""
    with open_store(tmp_path / "aima.db") as store:
        limit(store, "query_only = 1")
        with pytest.raises(Forbidden, match="may not be read or written"):
            store.effects.claim("a", unit="u")


def limit(store: Store, pragma: str) -> None:
    """Set a pragma on the store's one connection, which its pool hands out again."""
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute(f"PRAGMA {pragma}")


@pytest.mark.parametrize("header", [b"this is no database at all, " * 100, b"\0" * 5000])
def test_a_damaged_store_is_refused(tmp_path: Path, header: bytes) -> None:
    """With a clear line, and nothing is changed in it."""
    file = tmp_path / "aima.db"
    file.write_bytes(header)
    with pytest.raises(Conflict, match="restore it from a backup"):
        open_store(file)
    assert file.read_bytes() == header


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    """The message names the place."""
    (tmp_path / "file").touch()
    kinds: dict[Path, type[AimaError]] = {
        tmp_path / "file" / "aima.db": Conflict,
        tmp_path / "file" / "below" / "aima.db": NotFound,
        tmp_path / ("x" * 300) / "aima.db": NotFound,
        tmp_path: Forbidden,
    }
    for place, kind in kinds.items():
        with pytest.raises(kind, match=str(tmp_path)):
            open_store(place)


def test_the_door_to_the_store_is_light(tmp_path: Path) -> None:
    """A command that needs no store does not pay for SQLAlchemy, an open one not for Alembic."""
    check = (
        "import sys, aima.store as s; heavy = 'sqlalchemy' in sys.modules\n"
        "s.open_store(sys.argv[1]).close(); first = 'alembic' in sys.modules\n"
        "print(int(heavy), int(first))"
    )
    outputs = []
    for _ in range(2):
        script = [sys.executable, "-c", check, str(tmp_path / "aima.db")]
        done = subprocess.run(script, check=True, capture_output=True, text=True)
        outputs.append(done.stdout.strip())
    assert outputs == ["0 1", "0 0"]


def test_whoever_only_reads_waits_for_no_writer(tmp_path: Path) -> None:
    """A request that looks something up must not wait until another one's commit is on disk."""
    with open_store(tmp_path / "aima.db") as store, store.transaction() as writing:
        writing.execute(text("CREATE TABLE facts_of_mine (x)"))
        with ThreadPoolExecutor() as pool:
            before = pool.submit(store.events.bounds).result(timeout=5)
    assert before == (0, 0)
