"""The store of passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from aima.adapters.vectors import sqlite
from aima.adapters.vectors.sqlite import SqliteVectors
from aima.errors import Conflict, Forbidden, NotFound, ValidationFailed
from aima.ports.vectors import Entry, Filter, Found, Passage, Search, StoreDamaged


@pytest.fixture
def store(tmp_path: Path) -> SqliteVectors:
    """Give an empty store."""
    return SqliteVectors(tmp_path / "vectors.db")


def entry(
    name: str, vector: Sequence[float], text: str = "", metadata: Mapping[str, object] | None = None
) -> Entry:
    """Make a document of one passage."""
    return Entry(name, f"{text}{metadata}", metadata or {}, [Passage(text or name, 0, vector)])  # type: ignore[arg-type] # JSON


async def found(store: SqliteVectors, **said: object) -> list[Found]:
    """Search the collection `c`."""
    given: dict[str, object] = {
        "vector": None,
        "words": None,
        "top_k": 10,
        "collection": "c",
        **said,
    }
    return await store.search(Search(**given))  # type: ignore[arg-type] # tests write it out


async def names(store: SqliteVectors, **said: object) -> list[str]:
    """Name the documents that are found, the best first."""
    return [hit.id for hit in await found(store, **said)]


async def test_the_nearest_comes_first(store: SqliteVectors) -> None:
    """Nearness is the angle; length counts for nothing."""
    await store.keep("c", "m", [entry("far", [0, 1]), entry("near", [9, 1]), entry("mid", [1, 1])])
    assert await names(store, vector=[5, 0]) == ["near", "mid", "far"]
    [best] = await found(store, vector=[1, 0], top_k=1)
    assert best.score == best.similarity == pytest.approx(9 / 82**0.5, abs=1e-5)


async def test_a_document_that_is_kept_again_is_replaced(store: SqliteVectors) -> None:
    """Old passages would be found for ever."""
    await store.keep("c", "m", [entry("a", [1, 0], "old words", {"n": 1})])
    await store.keep("c", "m", [entry("a", [0, 1], "new words", {"n": 2})])
    [only] = await found(store, vector=[1, 0])
    assert (only.text, only.metadata) == ("new words", {"n": 2})
    assert await found(store, words="old") == []
    assert await found(store, words="new", filter=Filter(field="n", equals=1)) == []
    [collection] = await store.collections()
    assert (collection.documents, collection.passages) == (1, 1)


async def test_what_is_there_just_like_this_is_told(store: SqliteVectors) -> None:
    """So a retry embeds only the rest."""
    kept = entry("a", [1, 0])
    await store.keep("c", "m", [kept])
    assert await store.unchanged("c", {"a": kept.digest, "b": "x"}) == {"a"}
    assert await store.unchanged("c", {"a": "another"}) == set()
    assert await store.unchanged("other", {"a": kept.digest}) == set()


@pytest.mark.parametrize(
    ("model", "vector", "said"),
    [("m", [1, 2, 3], "of 2 numbers, this one has 3"), ("other", [1, 2], "model 'm'")],
)
async def test_vectors_that_cannot_be_compared_are_refused(
    store: SqliteVectors, model: str, vector: list[float], said: str
) -> None:
    """They would give nonsense without a word."""
    await store.keep("c", "m", [entry("a", [1, 0])])
    with pytest.raises(ValidationFailed, match=said):
        await store.keep("c", model, [entry("b", vector)])
    with pytest.raises(ValidationFailed, match=said):
        await found(store, vector=vector, model=model)
    assert await names(store, vector=[1, 0]) == ["a"]


@pytest.mark.parametrize("vector", [[0, 0], [float("nan"), 1], [float("inf"), 1], []])
async def test_a_vector_without_direction_is_refused(
    store: SqliteVectors, vector: list[float]
) -> None:
    """It is near to nothing, and its distance is no number."""
    with pytest.raises(ValidationFailed, match="no direction"):
        await store.keep("c", "m", [entry("a", vector)])


async def test_a_batch_is_kept_whole_or_not_at_all(store: SqliteVectors) -> None:
    """Half of it would pass for all of it."""
    with pytest.raises(ValidationFailed):
        await store.keep("c", "m", [entry("a", [1, 0]), entry("b", [1, 0, 0])])
    assert await store.collections() == []


async def test_an_unknown_collection_is_told(store: SqliteVectors) -> None:
    """An empty answer would hide a typing mistake."""
    with pytest.raises(NotFound, match=r"retrieval\.index"):
        await found(store, vector=[1, 0])


BOOKS = [
    entry(
        "a", [1, 0], "a", {"year": 1999, "tags": ["x", "y"], "by": {"name": "Ann"}, "new": False}
    ),
    entry("b", [1, 1], "b", {"year": 2005.5, "tags": ["y"], "by": {"name": "Bo"}, "new": True}),
    entry("c", [0, 1], "c", {"year": "2010", "tags": [], "new": 1}),
]


@pytest.mark.parametrize(
    ("filter_", "passed"),
    [
        ({"field": "year", "equals": 1999}, "a"),
        ({"field": "year", "at_least": 1999, "below": 2005.5}, "a"),
        ({"field": "year", "above": 1999}, "b"),
        ({"field": "year", "at_most": 3000}, "ab"),
        ({"field": "year", "above": "2000"}, "c"),
        ({"field": "tags", "equals": "y"}, "ab"),
        ({"field": "tags", "one_of": ["x", "z"]}, "a"),
        ({"field": "by.name", "below": "B"}, "a"),
        ({"field": "new", "equals": True}, "b"),
        ({"field": "new", "equals": 1}, "c"),
        ({"any": [{"field": "new", "equals": 1}, {"field": "year", "equals": 1999}]}, "ac"),
        ({"all": [{"field": "tags", "equals": "y"}, {"field": "new", "equals": True}]}, "b"),
        ({"none": [{"field": "tags", "equals": "x"}]}, "bc"),
        ({"none": [{"any": [{"field": "tags", "equals": "y"}]}]}, "c"),
        ({"field": "a' OR '1'='1", "equals": "x"}, ""),
        ({"field": "year", "equals": 10**30}, ""),
    ],
)
async def test_a_filter_lets_through_what_it_says(
    store: SqliteVectors, filter_: dict[str, object], passed: str
) -> None:
    """By vector and by words alike, and numbers are no texts and no truth values."""
    await store.keep("c", "m", BOOKS)
    wanted = Filter.model_validate(filter_)
    assert sorted(await names(store, vector=[1, 1], filter=wanted)) == list(passed)
    assert sorted(await names(store, words="a b c", filter=wanted)) == list(passed)


async def test_a_filter_is_asked_before_the_nearest_are_chosen(store: SqliteVectors) -> None:
    """Else a rare document is never among them."""
    crowd = [entry(f"n{i}", [1, i / 1000]) for i in range(100)]
    await store.keep("c", "m", [*crowd, entry("rare", [0, 1], "rare", {"k": "rare"})])
    rare = Filter(field="k", equals="rare")
    assert await names(store, vector=[1, 0], top_k=1, filter=rare) == ["rare"]


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("capital GERMANY", ["de"]),
        ("capitals", ["de"]),
        ("München", ["bayern"]),
        ("munchen", ["bayern"]),
        ("中国首都", ["cn"]),
        ("北", ["cn"]),
        ("都", ["cn"]),
        ("東京", ["jp"]),
        ("서울", ["kr"]),
        ("ＴＯＫＹＯ", ["jp"]),
        ('" OR * NEAR( ^', []),
        ("!!!", []),
    ],
)
async def test_words_are_found_in_any_script(
    store: SqliteVectors, question: str, answers: list[str]
) -> None:
    """With or without spaces, accents and width; and no text is a query language."""
    await store.keep(
        "c",
        "m",
        [
            entry("de", [1, 0], "Berlin is the capital of Germany."),
            entry("bayern", [1, 0], "München liegt an der Isar."),
            entry("cn", [1, 0], "北京是中国的首都"),
            entry("jp", [1, 0], "東京 (Tokyo) は日本にある"),
            entry("kr", [1, 0], "대한민국의 수도는 서울이다"),
        ],
    )
    assert await names(store, words=question) == answers


async def test_words_of_one_collection_are_not_found_in_another(store: SqliteVectors) -> None:
    """They share an index."""
    await store.keep("c", "m", [entry("mine", [1, 0], "secret")])
    await store.keep("d", "m", [entry("theirs", [1, 0], "secret \ue0001")])
    assert await names(store, words="secret") == ["mine"]
    assert await names(store, words="secret", collection="d") == ["theirs"]


async def test_both_lists_together_beat_each_alone(store: SqliteVectors) -> None:
    """What is good in both stands above what is best in one."""
    await store.keep(
        "c",
        "m",
        [
            entry("near", [1, 0], "nothing of it"),
            entry("both", [1, 0.1], "the red fox"),
            entry("words", [0, 1], "red red fox fox"),
        ],
    )
    hits = await found(store, vector=[1, 0], words="red fox")
    assert hits[0].id == "both"
    assert {hit.id for hit in hits} == {"near", "both", "words"}
    assert hits[0].similarity == pytest.approx(0.995, abs=1e-3)


async def test_documents_are_forgotten_by_id_filter_or_all(store: SqliteVectors) -> None:
    """And nothing of them is left to be found."""
    await store.keep("c", "m", [*BOOKS, entry("d", [1, 0], "d")])
    assert await store.delete("c", ids=["d", "d", "nobody"]) == 1
    assert await store.delete("c", matching=Filter(field="year", equals=1999)) == 1
    assert sorted(await names(store, vector=[1, 0])) == ["b", "c"]
    assert await store.delete("c") == 2
    assert await store.delete("c") == 0
    assert await store.collections() == []
    await store.keep("c", "another", [entry("new", [1, 2, 3])])
    assert await names(store, words="a b c d") == []


async def test_many_are_searched_by_bits_and_still_found(tmp_path: Path) -> None:
    """The first search is coarse; the second puts right what it mixed up."""
    chance = np.random.default_rng(7)
    centres = chance.standard_normal((50, 64))
    rows = centres[chance.integers(0, 50, 11_000)] + 0.5 * chance.standard_normal((11_000, 64))
    store = SqliteVectors(tmp_path / "vectors.db")
    passages = [Passage(f"p{i}", i, row) for i, row in enumerate(rows.tolist())]
    await store.keep("c", "m", [Entry("all", "x", {"of": "many"}, passages)])
    assert len(rows) > sqlite.EXACT_UP_TO
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    hits = 0
    for question in chance.integers(0, 11_000, 5):
        best = set(np.argsort(-(unit @ unit[question]))[:10].tolist())
        hits += len(
            best & {hit.start for hit in await found(store, vector=rows[question].tolist())}
        )
    assert hits >= 48, "recall of 50"
    await store.keep("c", "m", [entry("twin", rows[7].tolist(), "twin", {"of": "few"})])
    for of, first in (("many", "all"), ("few", "twin")):
        filter_ = Filter(field="of", equals=of)
        assert set(await names(store, vector=rows[7].tolist(), filter=filter_)) == {first}


async def test_of_two_documents_of_one_name_the_last_is_kept(store: SqliteVectors) -> None:
    """Also where both come in one batch."""
    await store.keep("c", "m", [entry("a", [1, 0], "first"), entry("a", [0, 1], "last")])
    assert [hit.text for hit in await found(store, vector=[1, 0])] == ["last"]


async def test_a_damaged_file_is_told(store: SqliteVectors) -> None:
    """With the way out, and never as a crash."""
    store.file.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreDamaged, match="restore it"):
        await store.collections()


async def test_a_file_of_a_newer_version_is_left_alone(store: SqliteVectors) -> None:
    """Writing into it would damage it."""
    with sqlite3.connect(store.file) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(Conflict, match="newer"):
        await store.collections()


async def test_a_folder_that_is_no_folder_is_told(tmp_path: Path) -> None:
    """The disk's refusals are errors of the tree."""
    (tmp_path / "file").mkdir()
    with pytest.raises(Forbidden, match="cannot be opened"):
        await SqliteVectors(tmp_path / "file").collections()
