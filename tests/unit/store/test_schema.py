import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from aima.errors import Conflict
from aima.store import migrations, open_store
from aima.store.database import Store
from aima.store.effects import Claim
from aima.store.schema import upgrade
from aima.store.tables import metadata

MIGRATIONS = Path(migrations.__file__).parent
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"

def upgrade():
    op.create_table("later", sa.Column("x", sa.Text))
    {end}
"""


def newest() -> str:
    """Tell the number of the newest step, as Alembic understands the files."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    return head


def later_aima(folder: Path, end: str = "") -> Path:
    """Make the migrations of a later AIMA, with one step more."""
    later = folder / "migrations"
    shutil.copytree(MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"))
    step = later / "versions" / "v9999_later.py"
    step.write_text(NEXT.format(newest=newest(), end=end))
    return later


def tables_of(file: Path) -> set[str]:
    """List the tables in a database."""
    connection = sqlite3.connect(file)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    return {name for name in names if not name.startswith("sqlite_")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store and record one effect."""
    with open_store(tmp_path / "aima.db") as opened:
        opened.effects.claim("a", unit="u")
        yield opened


def test_migrations_lead_to_the_tables(store: Store) -> None:
    """The tables are said twice: where queries use them, and as steps; both must agree."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert version == newest()


def test_names_of_steps_are_their_numbers() -> None:
    """The newest step is told by file names, so that an up-to-date store needs no Alembic."""
    names = sorted(step.name for step in (MIGRATIONS / "versions").glob("v*.py"))
    assert names[-1].startswith(f"v{newest()}_")


def test_a_new_store_needs_no_backup(store: Store) -> None:
    """There is nothing to lose."""
    assert not list(store.file.parent.glob("*.bak*"))


def test_opening_again_changes_nothing(store: Store) -> None:
    """Every start of every process opens the store."""
    with open_store(store.file) as again:
        assert again.effects.claim("a", unit="u") == Claim("a", 2)
    assert not list(store.file.parent.glob("*.bak*"))


def test_an_older_store_is_backed_up_and_upgraded(store: Store, tmp_path: Path) -> None:
    """Whoever upgrades AIMA can go back."""
    upgrade(store.engine, store.file, migrations=later_aima(tmp_path))
    assert "later" in tables_of(store.file)
    backup = tmp_path / f"aima.db.{newest()}.bak"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert "later" not in tables_of(backup)
    with open_store(backup) as old, old.transaction() as connection:
        assert list(connection.scalars(text("SELECT key FROM effects"))) == ["a"]
    assert not list(tmp_path.glob("*.part"))


def test_a_step_that_fails_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    """A half upgraded store would fit neither version."""
    broken = later_aima(tmp_path, end="raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        upgrade(store.engine, store.file, migrations=broken)
    assert "later" not in tables_of(store.file)
    open_store(store.file).close()


def test_a_store_of_a_newer_aima_is_refused(store: Store, tmp_path: Path) -> None:
    """An older program must not write what a newer one would misread."""
    upgrade(store.engine, store.file, migrations=later_aima(tmp_path))
    with pytest.raises(Conflict, match=f"newer AIMA .schema 9999, this one knows {newest()}"):
        open_store(store.file)


@pytest.mark.parametrize("table", ["theirs", "alembic_version"])
def test_a_database_of_others_is_refused(tmp_path: Path, table: str) -> None:
    """A mistyped path must not add tables to somebody's data."""
    file = tmp_path / "theirs.db"
    connection = sqlite3.connect(file)
    connection.execute(f"CREATE TABLE {table} (version_num)")
    connection.close()
    with pytest.raises(Conflict, match="but not AIMA's"):
        open_store(file)
    assert tables_of(file) == {table}


def test_processes_that_open_a_new_store_at_once_agree(tmp_path: Path) -> None:
    """`aima up` starts several processes; each opens the store first thing."""
    script = (
        "import sys; from pathlib import Path; from aima.store import open_store\n"
        "import aima.store.database, alembic.command; input()\n"
        "with open_store(Path(sys.argv[1])) as store: store.effects.claim('a', unit='u')"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "aima.db")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    with open_store(tmp_path / "aima.db") as store, store.transaction() as connection:
        assert connection.scalar(text("SELECT fence FROM effects")) == 3
