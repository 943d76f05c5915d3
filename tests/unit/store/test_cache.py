"""Outputs that later runs use again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aima.store import open_store
from aima.store.cache import CacheKey
from aima.store.database import Store
from aima.store.tables import cache as table

KEY = CacheKey("inference.chat", 1, "What is the capital of France?")
OVER = timedelta(seconds=-1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a fresh store."""
    with open_store(tmp_path / "aima.db") as opened:
        yield opened


def rows(store: Store) -> int:
    """Count what lies in the table."""
    with store.transaction() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_an_output_is_found_again(store: Store) -> None:
    """Also by another process, whatever JSON it is."""
    output: dict[str, object] = {"text": "Löwe", "none": None, "list": [1, 2.5]}
    store.cache.keep(KEY, output, ttl=None)
    with open_store(store.file) as again:
        assert again.cache.find(KEY) == output


def test_an_empty_output_is_an_output(store: Store) -> None:
    """A unit may have nothing to say; running it again would say no more."""
    store.cache.keep(KEY, {}, ttl=None)
    assert store.cache.find(KEY) == {}


@pytest.mark.parametrize(
    "other",
    [replace(KEY, unit="inference.embed"), replace(KEY, version=2), replace(KEY, key="what is")],
)
def test_other_units_versions_and_keys_find_nothing(store: Store, other: CacheKey) -> None:
    """A unit that got better raises its version, and old outputs are out of the way."""
    store.cache.keep(KEY, {"text": "Paris"}, ttl=None)
    assert store.cache.find(other) is None


def test_a_newer_output_takes_the_place_of_an_older_one(store: Store) -> None:
    """With its own time to live."""
    store.cache.keep(KEY, {"n": 1}, ttl=OVER)
    store.cache.keep(KEY, {"n": 2}, ttl=timedelta(hours=1))
    assert store.cache.find(KEY) == {"n": 2}
    store.cache.keep(KEY, {"n": 3}, ttl=OVER)
    assert store.cache.find(KEY) is None
    assert rows(store) == 1


def test_what_is_over_is_removed_and_the_rest_stays(store: Store) -> None:
    """Keys come and go; without this the table would only grow."""
    store.cache.keep(KEY, {}, ttl=OVER)
    store.cache.keep(replace(KEY, key="young"), {}, ttl=timedelta(hours=1))
    store.cache.keep(replace(KEY, key="for ever"), {}, ttl=None)
    assert store.cache.prune() == 1
    assert rows(store) == 2
