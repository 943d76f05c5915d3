"""Pictures and sounds of an answer, for agents that can see and hear: small ones come along."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import mcp_types as types

from aima.gateway.mcp.rest import Refused, Rest
from aima.gateway.mcp.tool import Told
from aima.ports.artifacts import Artifact

Shown: TypeAlias = types.ImageContent | types.AudioContent

MOST_BYTES = 600_000
"""Of all that one answer shows; some programs refuse answers of more than a megabyte of text."""
MOST_SHOWN = 4


async def shown(rest: Rest, told: object) -> list[Shown]:
    """Fetch what an answer names and an agent can see or hear; what is too large is left out."""
    left, found = MOST_BYTES, list[Shown]()
    for artifact in _media(told):
        if artifact.bytes > left or len(found) == MOST_SHOWN:
            continue
        try:
            data = await rest.content(f"/artifacts/{artifact.artifact}")
        except Refused:  # the file is gone, or not for this key; it is named all the same
            continue
        left -= len(data)
        found.append(_content(artifact.media_type, data))
    return found


def result_of(
    told: Told, media: Sequence[Shown] = (), *, failed: bool = False
) -> types.CallToolResult:
    """Write an answer as the protocol has it, with what it shows."""
    text = json.dumps(told, ensure_ascii=False)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text), *media],
        structured_content=told,
        is_error=failed,
    )


def _content(media_type: str, data: bytes) -> Shown:
    text = base64.b64encode(data).decode()
    if media_type.startswith("image/"):
        return types.ImageContent(type="image", data=text, mime_type=media_type)
    return types.AudioContent(type="audio", data=text, mime_type=media_type)


def _media(told: object) -> Iterator[Artifact]:
    """Find the artifacts that are pictures and sounds, in the order in which they are named."""
    match told:
        case {"artifact": str(name), "media_type": str(kind), "bytes": int(size)}:
            if kind.startswith(("image/", "audio/")):
                yield Artifact(artifact=name, media_type=kind, bytes=size)
        case dict():
            for value in told.values():
                yield from _media(value)
        case list():
            for value in told:
                yield from _media(value)
