"""Answers of the Responses API that are kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aima.store import open_store
from aima.store.database import Store
from aima.store.responses import MOST_OF_AN_OWNER, KeptResponse
from aima.store.tables import responses

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store."""
    with open_store(tmp_path / "aima.db") as opened:
        yield opened


def kept(name: str, *, owner: str = "ann") -> KeptResponse:
    """Write an answer."""
    return KeptResponse(owner, {"id": name, "output": []}, [{"role": "user", "content": "Löwe"}])


def test_an_answer_is_found_by_its_owner_alone(store: Store) -> None:
    """Also where somebody else's engine gives an answer the same name."""
    store.responses.keep(kept("a"), HOUR)
    store.responses.keep(kept("a", owner="bob"), HOUR)
    assert store.responses.find("ann", "a") == kept("a")
    assert store.responses.find("bob", "a") is None
    assert not store.responses.drop("bob", "a")
    assert store.responses.drop("ann", "a")
    assert store.responses.find("ann", "a") is None


def test_an_answer_whose_time_is_over_is_gone(store: Store) -> None:
    """At once for who asks, and from the disk when the store is tidied."""
    store.responses.keep(kept("old"), -HOUR)
    store.responses.keep(kept("new"), HOUR)
    assert store.responses.find("ann", "old") is None
    assert store.responses.prune() == 1
    assert store.responses.find("ann", "new") is not None


def test_one_key_cannot_fill_the_disk(store: Store) -> None:
    """Its oldest answers make room for its new ones; those of others stay."""
    store.responses.keep(kept("other", owner="bob"), HOUR)
    start = datetime.now(UTC) + HOUR
    same = {"owner": "ann", "response": {}, "input": []}
    rows = [
        {**same, "id": str(n), "expires_at": start + n * SECOND} for n in range(MOST_OF_AN_OWNER)
    ]
    with store.transaction() as connection:
        connection.execute(responses.insert(), rows)
    store.responses.keep(kept("new"), timedelta(days=400))
    assert store.responses.find("ann", "0") is None
    assert store.responses.find("ann", "1") is not None
    assert store.responses.find("bob", "other") is not None
