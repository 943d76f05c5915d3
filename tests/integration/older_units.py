"""The units that older files use, by the names and fields they know, with nothing behind them.

Each says back what it was given, so that a test sees what arrived. They stand in also for units
that AIMA has already: what is tested is the dialect.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from activities.inference import inference as real_units
from aima.catalog import catalog_of
from aima.errors import RateLimited
from aima.ports.inference import ChatReply, ChatRequest, SayRequest, SpeechReply, Transcript
from aima.testing import chat_reply, transcript
from aima.unit import Context, Domain, Unit

inference, resource, retrieval = Domain("inference"), Domain("resource"), Domain("retrieval")

BUSY = "busy"
"""The model that never has time."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Embed(_Request):
    model: str
    input: str


class _Embedded(BaseModel):
    embeddings: list[list[float]]
    embedding: list[float]


class _Search(_Request):
    query_embedding: list[float] | list[list[float]]
    top_k: int


class _OlderSearch(_Request):
    vector: list[float]
    top_k: int


class _Found(BaseModel):
    documents: list[dict[str, object]]


class _Rerank(_Request):
    model: str
    query: str
    documents: list[dict[str, object]]


class _Results(BaseModel):
    results: list[object]


class _Describe(_Request):
    model: str
    image: str


class _Description(BaseModel):
    description: str


class _Load(_Request):
    path: str


class _Items(BaseModel):
    items: list[str]


class _Batch(_Request):
    model: str
    items: list[str]
    batch_size: int


class _Extract(_Request):
    video: str
    interval: int


class _Frames(BaseModel):
    frames: list[str]


class _BatchDescribe(_Request):
    model: str
    images: list[str]


class _Descriptions(BaseModel):
    descriptions: list[str]


async def chat(request: BaseModel, ctx: Context) -> ChatReply:
    """Say all messages back."""
    del ctx
    assert isinstance(request, ChatRequest)
    if request.model == BUSY:
        raise RateLimited("no time now; ask later")
    said = " | ".join(message.text for message in request.messages)
    return chat_reply(said, model=request.model)


async def transcribe(request: BaseModel, ctx: Context) -> Transcript:
    """Hear always the same."""
    del request, ctx
    return transcript("what was said")


async def synthesize(request: BaseModel, ctx: Context) -> SpeechReply:
    """Speak: the bytes are the text."""
    assert isinstance(request, SayRequest)
    audio = await ctx.artifacts.put(str(request.text).encode(), media_type="audio/wav")
    return SpeechReply(audio=audio, format="wav", duration=1.0, model=request.model)


def older_units() -> tuple[Unit, ...]:
    """Give every unit that an older file may name."""
    bodies = {"chat": chat, "transcribe": transcribe, "synthesize": synthesize}
    real = [replace(real_units.units[f"inference.{n}"], run=body) for n, body in bodies.items()]
    return (*real, *catalog_of(inference, resource, retrieval))


@inference.query()
async def embed(request: _Embed, ctx: Context) -> _Embedded:
    """Measure a text by its length."""
    del ctx
    vector = [float(len(request.input)), 0.5]
    return _Embedded(embeddings=[vector], embedding=vector)


@retrieval.query()
async def search(request: _Search, ctx: Context) -> _Found:
    """Find pages that say what was searched."""
    del ctx
    return _pages(request.query_embedding, request.top_k)


@resource.query()
async def search_vectors(request: _OlderSearch, ctx: Context) -> _Found:
    """Find pages that say what was searched."""
    del ctx
    return _pages(request.vector, request.top_k)


def _pages(vector: list[float] | list[list[float]], count: int) -> _Found:
    flat = vector[0] if isinstance(vector[0], list) else vector
    return _Found(documents=[{"page": number, "near": flat} for number in range(count)])


@inference.query()
async def rerank(request: _Rerank, ctx: Context) -> _Results:
    """Turn the order around."""
    del ctx
    return _Results(results=list(reversed(request.documents)))


@inference.query()
async def describe(request: _Describe, ctx: Context) -> _Description:
    """Name the picture."""
    del ctx
    return _Description(description=f"a picture of {request.image}")


@resource.query()
async def load(request: _Load, ctx: Context) -> _Items:
    """Give two lines."""
    del ctx
    return _Items(items=[f"{request.path}:1", f"{request.path}:2"])


@inference.query()
async def batch(request: _Batch, ctx: Context) -> _Results:
    """Say the items back, and how many at once."""
    del ctx
    return _Results(results=[*request.items, request.batch_size])


@resource.query()
async def extract_frames(request: _Extract, ctx: Context) -> _Frames:
    """Cut twice."""
    del ctx
    return _Frames(frames=[f"{request.video}@{n * request.interval}" for n in range(2)])


@inference.query()
async def batch_describe(request: _BatchDescribe, ctx: Context) -> _Descriptions:
    """Name the pictures."""
    del ctx
    return _Descriptions(descriptions=[f"a picture of {image}" for image in request.images])
