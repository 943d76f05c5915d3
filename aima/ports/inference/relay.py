"""Requests of OpenAI's API that are passed on as they came, and where their answers go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from pydantic import ConfigDict, Field

from aima.ports.inference.request import ModelRequest


@dataclass(frozen=True)
class Upload:
    """A file of a form."""

    field: str
    name: str
    media_type: str
    file: BinaryIO


class RelayRequest(ModelRequest):
    """A request as its client wrote it; an engine gets all of it, with its own model's name."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    path: str = Field(description="Of the API, such as `chat/completions`.")
    body: dict[str, object] = Field(description="The JSON, or the fields of the form.")
    uploads: tuple[Upload, ...] = Field(default=(), description="The files of a form.")


class Outlet(Protocol):
    """Takes an answer as it comes in."""

    def begin(self, engine: str, model: str, media_type: str) -> None:
        """Learn who answers, and what the bytes are; nobody has seen anything of it yet."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Take bytes; from the first ones on nobody else is asked."""
        ...

    async def end(self) -> None:
        """Learn that this was all.

        Raises:
            ExecutionFailed: it cannot have been all.
        """
        ...
