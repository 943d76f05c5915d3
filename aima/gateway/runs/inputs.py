"""The input of a run as it comes over HTTP: bytes go into the store, the run gets references."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from aima.dsl.types import ARTIFACT, Type
from aima.errors import ValidationFailed
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.runs.form_parts import Part, parts_of
from aima.media_type import HEAD_BYTES, media_type_of
from aima.mistakes import Mistakes
from aima.ports.artifacts import Artifact, Artifacts

_DATA = "data:"


@dataclass(frozen=True)
class RunInput:
    """Reads inputs."""

    artifacts: Artifacts

    async def of_form(self, request: Request, schema: Type) -> dict[str, Any]:
        """Read a form: each field is an input, and a field that is a file an artifact.

        A field is text where the workflow wants text; otherwise JSON where it is JSON. One that
        the workflow wants as a list may come several times.

        Raises:
            ValidationFailed: it is no form, or a field comes twice.
        """
        values: dict[str, Any] = {}
        async for part in parts_of(request):
            wanted = schema.child(part.name) or Type.of({})
            several = wanted.kinds() == {"array"}
            value = await self._value(part, wanted.item() if several else wanted)
            if several and not isinstance(value, list):
                values.setdefault(part.name, []).append(value)
            elif part.name in values:
                raise ValidationFailed(f"the form has the field {part.name!r} twice; keep one")
            else:
                values[part.name] = value
        filled: dict[str, Any] = await self.filled(values, schema)
        return filled

    async def filled(self, value: Any, wanted: Type | None, at: str = "") -> Any:  # noqa: ANN401 - any JSON
        """Put each data URI into the store that stands where the workflow wants an artifact.

        Raises:
            ValidationFailed: one is none.
        """
        if wanted is None:
            return value
        if isinstance(value, dict):
            return {
                key: await self.filled(inner, wanted.child(key), f"{at}/{key}")
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [
                await self.filled(one, wanted.item(), f"{at}/{number}")
                for number, one in enumerate(value)
            ]
        kinds = wanted.kinds()
        if isinstance(value, str) and ARTIFACT in kinds and "string" not in kinds:
            return await self._from_uri(value, at)
        return value

    async def _value(self, part: Part, wanted: Type) -> Any:  # noqa: ANN401 - any JSON
        kinds = wanted.kinds()
        if part.filename is not None and ARTIFACT in kinds:
            return (await self.keep(part.chunks(), part.filename)).model_dump()
        text = await part.text(MOST_BODY_BYTES)
        if kinds == {"string"} or (ARTIFACT in kinds and text.startswith(_DATA)):
            return text
        try:
            return from_json(text, allow_inf_nan=False)
        except ValueError:
            return text

    async def keep(self, data: AsyncIterator[bytes], name: str) -> Artifact:
        """Put bytes into the store as they come; what they are is told by them and their name.

        Raises:
            ValidationFailed: there are none.
            TooLarge: there are more than an artifact may have.
        """
        head = bytearray()

        async def noted() -> AsyncIterator[bytes]:
            async for chunk in data:
                if len(head) < HEAD_BYTES:
                    head.extend(chunk[:HEAD_BYTES])
                yield chunk

        kept = await self.artifacts.put(noted(), media_type="application/octet-stream")
        if not kept.bytes:
            raise ValidationFailed(f"the file {name[:200]!r} is empty; give one with content")
        return kept.model_copy(update={"media_type": media_type_of(bytes(head), name)})

    async def _from_uri(self, uri: str, at: str) -> dict[str, Any]:
        try:
            data, media_type = _decoded(uri)
            Artifact(artifact=f"sha256:{'0' * 64}", media_type=media_type, bytes=0)
        except (ValueError, ValidationError):
            detail = "a file is wanted here: a data URI, a field of a form, or a reference"
            found = [{"pointer": f"/input{at}", "detail": detail, "code": "artifact"}]
            raise Mistakes(f"the input: {at[1:]!r}: {detail}", errors=found) from None
        return (await self.artifacts.put(data, media_type=media_type)).model_dump()


def _decoded(uri: str) -> tuple[bytes, str]:
    """Read a data URI (RFC 2397): its bytes, and what they are.

    Raises:
        ValueError: it is none.
    """
    head, comma, written = uri.partition(",")
    if not comma or not head.startswith(_DATA):
        raise ValueError(uri[:20])
    media_type, base, _ = head.removeprefix(_DATA).partition(";base64")
    data = base64.b64decode(written, validate=True) if base else unquote_to_bytes(written)
    return data, media_type or media_type_of(data, "")
