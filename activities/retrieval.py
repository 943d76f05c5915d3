"""Documents that are found by what they mean, and by their words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue, model_validator

from aima.blocking import in_thread
from aima.errors import (
    EngineNotRunning,
    Forbidden,
    InsufficientResources,
    ModelNotFound,
    NotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    ValidationFailed,
)
from aima.passages import Cut, Unit
from aima.ports.inference import EmbedRequest, Request
from aima.ports.vectors import Collection, Entry, Filter, Found, Passage, Search
from aima.unit import Context, Domain, Example, Retry

retrieval = Domain("retrieval")

STORE_ERRORS = (ValidationFailed, TimedOut, Forbidden, InsufficientResources)
PATIENT = Retry(attempts=5, delay=timedelta(milliseconds=500))
BATCH_PASSAGES = 32
"""Passages that are embedded, and kept, at once; a retry begins after the last batch."""
MOST_METADATA = 16_384
MOST_TOP_K = 1000

Name = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,99}$", description="Name of the collection.")]
Text = Annotated[str, Field(pattern=r"\S")]
Vector = Annotated[list[float], Field(min_length=1, max_length=8192)]


class Chunking(Request):
    """How documents are cut into passages; each passage is found by itself."""

    size: int = Field(default=256, ge=1, le=8192, description="The most a passage holds.")
    overlap: int = Field(
        default=32,
        ge=0,
        description="What a passage shares with the one before, at most; at most half of `size`.",
    )
    unit: Unit = Field(
        default="tokens",
        description="What both count: `characters`, or `tokens`: a Chinese, Japanese or Thai "
        "character, up to six letters of a word, or a mark. Much like that count models.",
    )

    @model_validator(mode="after")
    def _overlap_is_less(self) -> Chunking:
        if self.overlap * 2 > self.size:
            raise ValueError("`overlap` is at most half of `size`")
        return self


class Document(Request):
    """A text to find again."""

    text: Text = Field(description="The text.")
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Its name; indexing it again replaces it. Absent: made from the text.",
    )
    metadata: dict[str, JsonValue] = Field(default={}, description="What filters can test.")
    embedding: Vector | None = Field(
        default=None, description="Its vector, if it has one already; it is then not cut up."
    )

    @model_validator(mode="after")
    def _small_metadata(self) -> Document:
        if len(json.dumps(self.metadata)) > MOST_METADATA:
            raise ValueError(f"`metadata` is more than {MOST_METADATA} characters of JSON")
        return self

    @property
    def name(self) -> str:
        """Its id, or the hash of its text."""
        return self.id or f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"


class IndexRequest(Request):
    """Documents to keep."""

    documents: list[Text | Document] = Field(
        min_length=1, max_length=100_000, description="Texts, or documents with ids and metadata."
    )
    model: str | None = Field(
        default=None,
        description="The embedding model; absent: `default`. Of documents that bring their "
        "`embedding` it is the model that made them.",
    )
    collection: Name = "default"
    chunking: Chunking | None = Field(
        default=None, description="Cut long documents up. Absent: each is one passage."
    )


class Indexed(BaseModel):
    """What is in the collection now."""

    count: int = Field(description="Documents of this request; all of them are there.")
    unchanged: int = Field(description="How many of them were there before, just like this.")
    collection: str
    model: str | None = Field(default=None, description="The model of the collection's vectors.")


class SearchRequest(Request):
    """What to look for."""

    query_embedding: Vector | Annotated[list[Vector], Field(min_length=1)] | None = Field(
        default=None, description="The question's vector, or a list with just one."
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        description="The question's words. With a vector, both lists are fused.",
    )
    collection: Name = "default"
    top_k: int = Field(default=5, ge=1, le=MOST_TOP_K, description="How many passages, at most.")
    filter: Filter | None = Field(
        default=None, description="Look only at documents with such metadata."
    )
    model: str | None = Field(
        default=None, description="The model that made the vector; another one is refused."
    )

    @model_validator(mode="after")
    def _something_to_look_for(self) -> SearchRequest:
        if self.query_embedding is None and self.query is None:
            raise ValueError("give `query_embedding`, `query`, or both")
        given = self.query_embedding or [0.0]
        if isinstance(given[0], list) and len(given) != 1:
            raise ValueError("`query_embedding` holds several vectors; search for one")
        return self

    @property
    def vector(self) -> list[float] | None:
        """The one vector."""
        if self.query_embedding is None:
            return None
        first = self.query_embedding[0]
        return first if isinstance(first, list) else self.query_embedding  # type: ignore[return-value] # no list in it


class Documents(BaseModel):
    """What was found, the best first."""

    documents: list[Found]


class DeleteRequest(Request):
    """Documents to forget."""

    collection: Name = "default"
    ids: list[str] | None = Field(default=None, description="These documents.")
    filter: Filter | None = Field(default=None, description="Documents with such metadata.")
    everything: bool = Field(default=False, description="The whole collection.")

    @model_validator(mode="after")
    def _one_of_three(self) -> DeleteRequest:
        if (self.ids is not None) + (self.filter is not None) + self.everything != 1:
            raise ValueError("give one of `ids`, `filter`, `everything: true`")
        return self


class Deleted(BaseModel):
    """How much is gone."""

    count: int = Field(description="Documents that were there and are no more.")


class CollectionsRequest(Request):
    """Nothing to say."""


class Collections(BaseModel):
    """What can be searched."""

    collections: list[Collection]


GERMANY = {"id": "de", "text": "Berlin is the capital of Germany.", "embedding": [0.9, 0.1, 0.2]}
CHINA = {
    "id": "cn",
    "text": "\u5317\u4eac\u662f\u4e2d\u56fd\u7684\u9996\u90fd\u3002",
    "metadata": {"language": "zh"},
    "embedding": [0.1, 0.9, 0.3],
}


@retrieval.command(
    idempotent=True,
    timeout=timedelta(hours=1),
    retry=PATIENT,
    errors=(*STORE_ERRORS, ModelNotFound, EngineNotRunning, RateLimited, TooLarge),
    examples=(
        Example(
            "Documents with vectors of their own",
            {"documents": [GERMANY, CHINA], "collection": "capitals", "model": "by-hand"},
            {"count": 2, "unchanged": 0, "collection": "capitals", "model": "by-hand"},
            holds=(lambda reply: reply["count"] == 2,),  # noqa: PLR2004 - it gives two
        ),
    ),
)
async def index(request: IndexRequest, ctx: Context) -> Indexed:
    """Keep documents so that `retrieval.search` finds them.

    A document that is there is replaced; one that is there just like this costs nothing, so a
    retry goes on where the last attempt ended.
    """
    named = _named(request)
    digests = await in_thread(
        lambda: {name: _digest(document, request) for name, document in named.items()}
    )
    there = await ctx.vectors.unchanged(request.collection, digests)
    model, done = request.model, len(there)
    waiting = [doc for name, doc in named.items() if name not in there]
    for batch in await in_thread(lambda: list(_batches(waiting, request.chunking))):
        entries, model = await _embedded(batch, request, ctx)
        await ctx.vectors.keep(request.collection, model, entries)
        done += len(batch)
        ctx.progress(f"{done} of {len(named)} documents")
    return Indexed(
        count=len(named), unchanged=len(there), collection=request.collection, model=model
    )


@retrieval.query(
    errors=(*STORE_ERRORS, NotFound),
    examples=(
        Example(
            "Nearest to a vector",
            {"query_embedding": [[1, 0, 0]], "collection": "capitals", "top_k": 1},
            {
                "documents": [
                    {
                        "id": "de",
                        "text": "Berlin is the capital of Germany.",
                        "score": 0.970495,
                        "metadata": {},
                        "start": 0,
                        "similarity": 0.970495,
                    }
                ]
            },
        ),
    ),
)
async def search(request: SearchRequest, ctx: Context) -> Documents:
    """Find the passages that fit a question best, by its vector, by its words, or by both."""
    wanted = Search(
        collection=request.collection,
        vector=request.vector,
        words=request.query,
        top_k=request.top_k,
        filter=request.filter,
        model=request.model,
    )
    return Documents(documents=await ctx.vectors.search(wanted))


@retrieval.command(
    idempotent=True,
    destructive=True,
    timeout=timedelta(minutes=30),
    errors=STORE_ERRORS,
    examples=(
        Example(
            "By metadata",
            {"collection": "drafts", "filter": {"field": "year", "below": 2020}},
            {"count": 0},
        ),
    ),
)
async def delete(request: DeleteRequest, ctx: Context) -> Deleted:
    """Forget documents, by id, by metadata, or a whole collection.

    What is not there is no error: `count` is then 0.
    """
    count = await ctx.vectors.delete(request.collection, ids=request.ids, matching=request.filter)
    return Deleted(count=count)


@retrieval.query(
    view=True,
    errors=STORE_ERRORS,
    examples=(
        Example(
            "All of them",
            {},
            {"collections": [{"name": "capitals", "dimension": 3, "documents": 2, "passages": 2}]},
            holds=(lambda reply: isinstance(reply["collections"], list),),
        ),
    ),
)
async def collections(request: CollectionsRequest, ctx: Context) -> Collections:
    """List the collections, with their models and sizes."""
    del request
    return Collections(collections=await ctx.vectors.collections())


def _named(request: IndexRequest) -> dict[str, Document]:
    """Give the documents by name; one that is there twice is there once.

    Raises:
        ValidationFailed: two different documents have one id.
    """
    named: dict[str, Document] = {}
    for given in request.documents:
        document = Document(text=given) if isinstance(given, str) else given
        if named.setdefault(document.name, document) != document:
            raise ValidationFailed(f"two different documents have the id {document.name!r}")
    return named


def _digest(document: Document, request: IndexRequest) -> str:
    cut = request.chunking.model_dump() if request.chunking else None
    said = [document.model_dump(), cut, request.model]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


Piece = tuple[int, str]
Batch = list[tuple[Document, list[Piece]]]


def _batches(documents: Sequence[Document], chunking: Chunking | None) -> Iterator[Batch]:
    """Cut the documents up; whole documents make a batch of about so many passages."""
    cut = Cut(chunking.size, chunking.overlap, chunking.unit) if chunking else None
    batch: Batch = []
    size = 0
    for document in documents:
        pieces = [(0, document.text)]
        if cut and document.embedding is None:
            pieces = [
                (start, document.text[start:end]) for start, end in cut.passages(document.text)
            ]
        if batch and size + len(pieces) > BATCH_PASSAGES:
            yield batch
            batch, size = [], 0
        batch.append((document, pieces))
        size += len(pieces)
    if batch:
        yield batch


async def _embedded(
    batch: Batch, request: IndexRequest, ctx: Context
) -> tuple[list[Entry], str | None]:
    """Give each passage its vector, and tell the model that made them."""
    model, vectors = request.model, iter(list[list[float]]())
    texts = [text for doc, pieces in batch if doc.embedding is None for _, text in pieces]
    if texts:
        made: list[list[float]] = []
        for first in range(0, len(texts), BATCH_PASSAGES):
            some = texts[first : first + BATCH_PASSAGES]
            reply = await ctx.engines.embed(
                EmbedRequest(model=request.model or "default", input=some)
            )
            made += reply.embeddings
            model = reply.model
            ctx.progress(f"{len(made)} of {len(texts)} passages of this batch")
        vectors = iter(made)
    entries = [
        Entry(
            id=doc.name,
            digest=_digest(doc, request),
            metadata=doc.metadata,
            passages=[
                Passage(text=text, start=start, vector=doc.embedding or next(vectors))
                for start, text in pieces
            ],
        )
        for doc, pieces in batch
    ]
    return entries, model
