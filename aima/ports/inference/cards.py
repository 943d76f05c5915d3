"""What engines say of the models they serve."""

from __future__ import annotations

from pydantic import BaseModel, Field

from aima.ports.inference.request import ModelType


class ModelCard(BaseModel):
    """A model that an engine serves."""

    name: str
    engine: str
    type: ModelType | None = Field(default=None, description="Absent where the engine is silent.")
    kind: str | None = Field(
        default=None,
        description="What it honestly is, where `type` promises more: `perception`, `procedural`.",
    )
    licence: str | None = None
    bytes: int | None = Field(default=None, description="Size on disk.")
    memory_bytes: int | None = Field(
        default=None, description="Of memory while it is loaded, where the engine tells."
    )
    present: bool = Field(default=True, description="False: fetched on first use.")
    loaded: bool | None = Field(
        default=None, description="Whether it is in memory, where the engine tells."
    )
