"""Files that travel inside a request, put where units take them from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import cast

from aima.blocking import in_thread
from aima.media_type import HEAD_BYTES, media_type_of
from aima.mistakes import Mistakes
from aima.ports.artifacts import Artifact, Artifacts
from aima.ports.inference import RelayRequest, Upload

_CHUNK = 1 << 20


def upload_of(asked: RelayRequest, *fields: str) -> Upload:
    """Find the one file that a form must bring.

    Raises:
        ValidationFailed: it brings none, or several.
    """
    found = [upload for upload in asked.uploads if upload.field in fields]
    if len(found) != 1:
        count = "no file" if not found else f"{len(found)} files"
        raise Mistakes(f"the form: it has {count} in {fields[0]!r}, where one belongs")
    return found[0]


async def kept(upload: Upload, artifacts: Artifacts) -> Artifact:
    """Keep a file of a form; what it is is told by its content, then by its name."""
    upload.file.seek(0)  # another engine may have read it before
    head = cast("bytes", await in_thread(upload.file.read, HEAD_BYTES))
    if not head:
        raise Mistakes(f"the form: the file {upload.name[:200]!r} is empty")

    async def chunks() -> AsyncIterator[bytes]:
        chunk = head
        while chunk:
            yield chunk
            chunk = cast("bytes", await in_thread(upload.file.read, _CHUNK))

    return await artifacts.put(chunks(), media_type=media_type_of(head, upload.name))


async def from_data_uri(uri: str, artifacts: Artifacts) -> Artifact:
    """Keep what a data URI (RFC 2397) holds.

    Raises:
        ValidationFailed: it is none.
    """
    head, comma, written = uri.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        raise Mistakes("the request: a picture is an address, or `data:TYPE;base64,BYTES`")
    return await from_base64(written, artifacts)


async def from_base64(written: str, artifacts: Artifacts) -> Artifact:
    """Keep what is written in base64.

    Raises:
        ValidationFailed: it is none.
    """
    try:
        data = base64.b64decode(written, validate=True)
    except binascii.Error as error:
        raise Mistakes("the request: the bytes of a file are no base64") from error
    return await artifacts.put(data, media_type=media_type_of(data[:HEAD_BYTES], ""))
