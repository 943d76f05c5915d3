"""Embeddings and rerank: one model that reads texts, asked in two ways.

Sources of the protocols: the public API references of OpenAI (embeddings) and Jina (rerank).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.embedded.failure import WrongField
from aima.embedded.minilm import DIMENSIONS, MiniLM, Read, Vectors
from aima.embedded.resident import Resident
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.models.manifest import Model

MOST_TEXTS = 2048
T = TypeVar("T")


class EmbedBody(BaseModel):
    """The body of ``POST /v1/embeddings``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None

    @field_validator("input", mode="before")
    @classmethod
    def _is_words(cls, value: object) -> object:
        """Refuse the numbers of another model's vocabulary, which would mean other words here."""
        if isinstance(value, list) and any(isinstance(part, int | list) for part in value):
            raise ValueError("this engine takes texts, not numbers of tokens")
        return value

    @property
    def texts(self) -> list[str]:
        """The texts as a list."""
        return [self.input] if isinstance(self.input, str) else self.input


class Document(BaseModel):
    """A text with its name; other fields are the caller's own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str


class RerankBody(BaseModel):
    """The body of ``POST /v1/rerank``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    query: str = Field(min_length=1)
    documents: list[str | Document]
    top_n: int | None = Field(default=None, gt=0)
    return_documents: bool = True

    @property
    def texts(self) -> list[str]:
        """The texts of the documents."""
        return [d if isinstance(d, str) else d.text for d in self.documents]


@dataclass(frozen=True)
class Reading:
    """The model behind its queue."""

    resident: Resident[MiniLM]
    turns: Turns
    executor: ThreadPoolExecutor

    async def do(
        self, request: Request, work: Callable[[MiniLM, Stop], T]
    ) -> tuple[T, dict[str, float]]:
        """Do work with the model while the client listens; tell how long it took."""
        begun = time.monotonic()

        async def in_turn() -> tuple[T, float]:
            async with self.turns.turn():
                loaded = await self.resident.get()
                done = await in_thread(self.executor, lambda stop: work(loaded.value, stop))
                return done, loaded.load_ms

        done, load_ms = await while_wanted(request, in_turn())
        total_ms = (time.monotonic() - begun) * 1000
        return done, {"total_ms": round(total_ms, 1), "load_ms": round(load_ms, 1)}


@dataclass(frozen=True)
class Embedding:
    """Texts as vectors."""

    model: Model
    reading: Reading

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.reading.resident.loaded

    async def answer(self, request: Request, body: EmbedBody) -> Response:
        """Give one vector for each text."""
        texts = body.texts
        _check(texts, "input")
        if body.dimensions not in {None, DIMENSIONS}:
            raise WrongField("dimensions", f"this model's vectors have {DIMENSIONS}; leave it out")
        reads, timings = await self.reading.do(request, lambda m, stop: _means(m, texts, stop))
        tokens = sum(count for _, count, _ in reads)
        return JSONResponse(
            {
                "object": "list",
                "model": self.model.name,
                "data": [
                    {"object": "embedding", "index": i, "embedding": _written(vector, body)}
                    for i, (vector, _, _) in enumerate(reads)
                ],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                "truncated": [i for i, (_, _, cut) in enumerate(reads) if cut],
                "timings": timings,
            }
        )


@dataclass(frozen=True)
class Reranking:
    """Texts in the order in which they answer a query: late interaction, no cross-encoder.

    Each token of the query looks for the token of the text that is most like it (MaxSim); the
    mean of these likenesses is the score. Source: Khattab and Zaharia, ColBERT, 2020.
    """

    model: Model
    reading: Reading

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.reading.resident.loaded

    async def answer(self, request: Request, body: RerankBody) -> Response:
        """Give the texts, the best first."""
        texts = body.texts
        if len(texts) > MOST_TEXTS:
            raise WrongField("documents", f"there are more than {MOST_TEXTS}; send them in parts")
        (scores, tokens), timings = await self.reading.do(
            request, lambda m, stop: _scores(m, body.query, texts, stop)
        )
        order = sorted(range(len(texts)), key=lambda index: (-scores[index], index))
        results: list[dict[str, object]] = [
            {"index": index, "relevance_score": round(scores[index], 6)}
            | ({"document": {"text": texts[index]}} if body.return_documents else {})
            for index in order[: body.top_n]
        ]
        return JSONResponse(
            {
                "model": self.model.name,
                "kind": self.model.kind,
                "results": results,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                "timings": timings,
            }
        )


def _check(texts: list[str], field: str) -> None:
    if not 0 < len(texts) <= MOST_TEXTS:
        raise WrongField(field, f"send 1 to {MOST_TEXTS} texts at once, not {len(texts)}")
    if empty := [i for i, text in enumerate(texts) if not text.strip()]:
        raise WrongField(f"{field}.{empty[0]}", "an empty text has no meaning; leave it out")


def _means(model: MiniLM, texts: list[str], stop: Stop) -> list[tuple[Vectors, int, bool]]:
    means = []
    for text in texts:
        stop.check()
        read = model.read(text)
        means.append((read.mean, read.tokens, read.cut))
    return means


def _scores(model: MiniLM, query: str, texts: list[str], stop: Stop) -> tuple[list[float], int]:
    asked = model.read(query)
    scores, tokens = [], asked.tokens
    for text in texts:
        stop.check()
        read = model.read(text)
        tokens += read.tokens
        scores.append(late_interaction(asked, read))
    return scores, tokens


def late_interaction(query: Read, text: Read) -> float:
    """Tell how well a text answers a query, from -1 to 1; a text without words is the worst."""
    if not len(text.words) or not len(query.words):
        return -1.0
    return float((query.words @ text.words.T).max(axis=1).mean())


def _written(vector: Vectors, body: EmbedBody) -> object:
    if body.encoding_format == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return [float(number) for number in np.round(vector, 7)]
