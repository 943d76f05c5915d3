"""What servers of the OpenAI-compatible API answer, as far as AIMA reads it."""

from __future__ import annotations

from typing import get_args

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from aima.ports.inference import ModelType, Timings, Usage, Voice


class ServedModel(BaseModel):
    """One entry of the list of models; what AIMA adds to it, others leave out."""

    id: str
    type: ModelType | None = None
    kind: str | None = None
    licence: str | None = None
    bytes: int | None = None
    memory_bytes: int | None = None
    present: bool = True
    loaded: bool | None = None

    @field_validator("type", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        """Take a type of somebody else's making for none."""
        return value if value in get_args(ModelType) else None


class ServedModels(BaseModel):
    """The list of models."""

    data: list[ServedModel]


class Voices(BaseModel):
    """The list of voices."""

    voices: list[Voice]


class Vector(BaseModel):
    """A text as numbers."""

    index: int
    embedding: list[float]


class Vectors(BaseModel):
    """An answer of ``/embeddings``."""

    data: list[Vector]
    model: str | None = None
    usage: Usage = Usage()
    timings: Timings | None = None


class Painted(BaseModel):
    """One picture of an answer."""

    b64_json: str


class Pictures(BaseModel):
    """An answer of ``/images/generations``; the kind is AIMA's own addition."""

    data: list[Painted]
    model: str | None = None
    kind: str = "diffusion"
    output_format: str | None = None
    timings: Timings | None = None


class Scored(BaseModel):
    """The place of one document."""

    index: int
    relevance_score: float = Field(validation_alias=AliasChoices("relevance_score", "score"))


class Scores(BaseModel):
    """An answer of ``/rerank``."""

    results: list[Scored]
    model: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, told: object) -> object:
        """Take the bare list that some servers answer for the results."""
        return {"results": told} if isinstance(told, list) else told
