"""What units ask of the store of bytes: audio, images, video and whatever else is not JSON."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, Field

from aima.errors import InternalError


class Artifact(BaseModel, frozen=True, extra="forbid", json_schema_extra={"format": "artifact"}):
    """A reference to bytes in the artifact store.

    A field of a unit says which bytes it takes or gives with
    ``json_schema_extra={"contentMediaType": "audio/*"}``.
    """

    artifact: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$", description="SHA-256 of the bytes, their name."
    )
    media_type: str = Field(
        pattern=r"^[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?$",
        max_length=255,
        description="What the bytes are, such as `audio/wav`.",
    )
    bytes: int = Field(ge=0, description="How many there are.")


class Corrupt(InternalError):
    """The bytes in the store are not the ones that were put there; no retry brings them back."""

    retryable = False


class Artifacts(Protocol):
    """Bytes, named by their content: equal bytes have one name and are kept once."""

    async def put(self, data: bytes | AsyncIterable[bytes], *, media_type: str) -> Artifact:
        """Keep ``data``; it is on disk when this returns, and nowhere if this fails.

        Raises:
            TooLarge: there is more than one artifact may hold.
            InsufficientResources: the disk is full.
        """
        ...

    async def get(self, artifact: Artifact) -> bytes:
        """Give the bytes at once, verified; use :meth:`stream` or :meth:`path` for large ones.

        Raises:
            NotFound: the store does not hold them.
            Corrupt: it holds other bytes under their name.
        """
        ...

    def stream(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Give the bytes in chunks; the last one only when all of them proved right.

        Raises:
            NotFound: the store does not hold them.
            Corrupt: it holds other bytes under their name.
        """
        ...

    async def path(self, artifact: Artifact) -> Path:
        """Give a local file of the bytes, verified just now. Read it; never write to it.

        Raises:
            NotFound: the store does not hold them.
            Corrupt: it holds other bytes under their name.
        """
        ...
