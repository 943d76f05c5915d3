"""The units of `retrieval`, with a real store and a scripted engine."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from activities.resource import VectorSearch, search_vectors
from activities.retrieval import (
    BATCH_PASSAGES,
    CollectionsRequest,
    DeleteRequest,
    IndexRequest,
    SearchRequest,
    collections,
    delete,
    index,
    search,
)
from aima.errors import EngineNotRunning, ValidationFailed
from aima.ports.inference import EmbedReply, EmbedRequest, Usage
from aima.testing import FakeContext, ScriptedEngine


def vectors(*rows: list[float]) -> EmbedReply:
    """Make an engine's answer."""
    return EmbedReply(embeddings=[*rows], embedding=rows[0], usage=Usage(), model="real-model")


def context(*answers: object) -> FakeContext:
    """Make a context whose engine gives these answers."""
    return FakeContext(engine=ScriptedEngine(answers=list(answers)))  # type: ignore[arg-type] # tests know


def asked(ctx: FakeContext) -> list[list[str]]:
    """Give the texts that the engine was asked to embed, request by request."""
    return [request.texts for request in ctx.engine.requests if isinstance(request, EmbedRequest)]


async def test_texts_are_embedded_and_found() -> None:
    """The whole of it: index, search, and which model it was."""
    ctx = context(vectors([1, 0], [0, 1]))
    done = await index(IndexRequest.model_validate({"documents": ["one", "two"]}), ctx)
    assert (done.count, done.unchanged, done.model) == (2, 0, "real-model")
    reply = await search(SearchRequest(query_embedding=[0.0, 1.0], top_k=1), ctx)
    assert [found.text for found in reply.documents] == ["two"]
    [there] = (await collections(CollectionsRequest(), ctx)).collections
    assert (there.name, there.model, there.dimension) == ("default", "real-model", 2)


async def test_a_retry_goes_on_where_the_last_attempt_ended() -> None:
    """Ten thousand documents are not embedded twice because the last batch failed."""
    documents = [{"id": f"d{n}", "text": f"text {n}"} for n in range(BATCH_PASSAGES + 2)]
    request = IndexRequest.model_validate({"documents": documents})
    full = vectors(*([[1.0, 0.0]] * BATCH_PASSAGES))
    ctx = context(full, EngineNotRunning("gone"), vectors([0, 1], [0, 1]))
    with pytest.raises(EngineNotRunning):
        await index(request, ctx)
    done = await index(request, ctx)
    assert (done.count, done.unchanged) == (BATCH_PASSAGES + 2, BATCH_PASSAGES)
    assert [len(texts) for texts in asked(ctx)] == [BATCH_PASSAGES, 2, 2]
    assert ctx.progressed[-1] == f"{len(documents)} of {len(documents)} documents"


async def test_a_changed_document_is_embedded_again() -> None:
    """And only that one."""
    ctx = context(vectors([1, 0], [0, 1]), vectors([1, 1]))
    first = [{"id": "a", "text": "one"}, {"id": "b", "text": "two"}]
    await index(IndexRequest.model_validate({"documents": first}), ctx)
    second = [{"id": "a", "text": "one"}, {"id": "b", "text": "three"}]
    done = await index(IndexRequest.model_validate({"documents": second}), ctx)
    assert (done.count, done.unchanged) == (2, 1)
    assert asked(ctx)[-1] == ["three"]


async def test_long_documents_are_cut_up_and_their_passages_placed() -> None:
    """A reader wants to know where in the document it stands."""
    ctx = context(vectors([1, 0], [0, 1]))
    text = "One two three. Four five six."
    given = {"documents": [{"id": "a", "text": text}], "chunking": {"size": 4, "overlap": 0}}
    await index(IndexRequest.model_validate(given), ctx)
    [found] = (await search(SearchRequest(query_embedding=[0.0, 1.0], top_k=1), ctx)).documents
    assert (found.id, found.text, found.start) == ("a", "Four five six.", 15)


async def test_documents_with_vectors_ask_no_engine() -> None:
    """Somebody has embedded them already."""
    ctx = context()
    given = {"documents": [{"text": "x", "embedding": [1, 0]}], "model": "theirs"}
    assert (await index(IndexRequest.model_validate(given), ctx)).model == "theirs"
    with pytest.raises(ValidationFailed, match="'theirs'"):
        await search(SearchRequest(query_embedding=[[1.0, 0.0]], model="ours"), ctx)


async def test_equal_texts_are_one_document_and_equal_ids_of_others_a_mistake() -> None:
    """The second would silently replace the first."""
    ctx = context(vectors([1, 0]))
    assert (await index(IndexRequest.model_validate({"documents": ["x", "x"]}), ctx)).count == 1
    twice = {"documents": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}
    with pytest.raises(ValidationFailed, match="'a'"):
        await index(IndexRequest.model_validate(twice), ctx)


async def test_the_older_name_finds_the_same() -> None:
    """`resource.search_vectors` of older files reads `documents` too."""
    ctx = context(vectors([1, 0], [0, 1]))
    await index(IndexRequest.model_validate({"documents": ["one", "two"]}), ctx)
    older = await search_vectors(VectorSearch(vector=[0, 1], top_k=2), ctx)
    assert older == await search(SearchRequest(query_embedding=[[0.0, 1.0]], top_k=2), ctx)


async def test_documents_are_deleted_by_what_is_said() -> None:
    """Never the whole collection by leaving something out."""
    ctx = context(vectors([1, 0], [0, 1]))
    await index(IndexRequest.model_validate({"documents": [{"id": "a", "text": "x"}, "y"]}), ctx)
    assert (await delete(DeleteRequest(ids=["a"]), ctx)).count == 1
    assert (await delete(DeleteRequest(everything=True), ctx)).count == 1
    with pytest.raises(ValidationError, match="everything"):
        DeleteRequest()


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        (SearchRequest, {}, "query_embedding"),
        (SearchRequest, {"query_embedding": [[1.0], [2.0]]}, "several vectors"),
        (SearchRequest, {"query": "x", "collection": "../x"}, "pattern"),
        (SearchRequest, {"query": "x", "filter": {"field": "a"}}, "say what `field` is"),
        (SearchRequest, {"query": "x", "filter": {"equals": 1}}, "either `field` or"),
        (SearchRequest, {"query": "x", "filter": {"all": []}}, "at least one"),
        (IndexRequest, {"documents": [" "]}, "pattern"),
        (IndexRequest, {"documents": ["x"], "chunking": {"size": 4, "overlap": 3}}, "half"),
        (IndexRequest, {"documents": [{"text": "x", "metadata": {"a": "b" * 20000}}]}, "metadata"),
    ],
)
def test_what_makes_no_sense_is_told(
    model: type[SearchRequest | IndexRequest], given: dict[str, object], said: str
) -> None:
    """At the door, before a run spends anything."""
    with pytest.raises(ValidationError, match=said):
        model.model_validate(given)


def test_a_filter_has_bounds() -> None:
    """It becomes a query, and a query's parser has a stack."""
    filter_: dict[str, object] = {"field": "a", "equals": 1}
    for _ in range(20):
        filter_ = {"all": [filter_]}
    with pytest.raises(ValidationError, match="deep"):
        SearchRequest.model_validate({"query": "x", "filter": filter_})
