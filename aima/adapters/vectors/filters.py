"""A filter as a query for the documents it lets through; values are bound, never written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from aima.ports.vectors import Filter, Scalar

Fact = int | float | str | bytes
"""A value as it is stored. SQLite sorts numbers below texts below bytes, which is what truth
values are stored as: so 1 is not `true`, and a range over numbers ends where texts begin."""

_LOWEST_TEXT = ""
_LOWEST_BYTES = b""
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Documents:
    """A query that gives the ids of documents, and what is bound in it."""

    sql: str
    bound: tuple[Fact, ...]


def documents_with(wanted: Filter, collection: int) -> Documents:
    """Make the query of a filter."""
    if wanted.field is not None:
        return _tested(wanted, collection)
    parts = [documents_with(part, collection) for part in wanted.parts]
    bound = tuple(value for part in parts for value in part.bound)
    either = " UNION ".join(f"SELECT document FROM ({part.sql})" for part in parts)
    if wanted.any is not None:
        return Documents(either, bound)
    if wanted.none is not None:
        everything = "SELECT id AS document FROM documents WHERE collection = ?"
        return Documents(
            f"{everything} EXCEPT SELECT document FROM ({either})", (collection, *bound)
        )
    both = " INTERSECT ".join(f"SELECT document FROM ({part.sql})" for part in parts)
    return Documents(both, bound)


def facts_of(metadata: Mapping[str, JsonValue], outer: str = "") -> Iterator[tuple[str, Fact]]:
    """Give what can be tested of a document's metadata: each value of each field."""
    for name, value in metadata.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from facts_of(one, f"{outer}{name}.")
            elif one is not None and not isinstance(one, list):
                yield outer + name, _fact(one)


def _tested(test: Filter, collection: int) -> Documents:
    conditions = ["collection = ?", "key = ?"]
    bound: list[Fact] = [collection, test.field or ""]
    for condition, value in _conditions(test):
        conditions.append(condition)
        bound.append(value)
    if test.one_of is not None:
        conditions.append(f"value IN ({', '.join('?' * len(test.one_of))})")
        bound += [_fact(value) for value in test.one_of]
    return Documents(f"SELECT document FROM facts WHERE {' AND '.join(conditions)}", tuple(bound))


def _conditions(test: Filter) -> Iterator[tuple[str, Fact]]:
    if test.equals is not None:
        yield "value = ?", _fact(test.equals)
    bounds = (
        ("value >= ?", test.at_least),
        ("value > ?", test.above),
        ("value <= ?", test.at_most),
        ("value < ?", test.below),
    )
    given = [(condition, value) for condition, value in bounds if value is not None]
    for condition, value in given:
        yield condition, _fact(value)
    if any(isinstance(value, str) for _, value in given):
        yield "value >= ?", _LOWEST_TEXT
        yield "value < ?", _LOWEST_BYTES
    elif given:
        yield "value < ?", _LOWEST_TEXT


def _fact(value: Scalar) -> Fact:
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        return float(value)
    return value
