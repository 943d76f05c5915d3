"""The door's routes for bytes: put some into the store, list those of a run, fetch them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from aima.artifacts import FolderArtifacts
from aima.blocking import in_thread
from aima.errors import InsufficientResources, InvalidRequest, NotFound
from aima.gateway.about import About
from aima.gateway.access.permission import Permission
from aima.gateway.precondition import Precondition
from aima.gateway.problem import tell
from aima.gateway.route import Way
from aima.gateway.runs.answers import PATH as RUNS
from aima.gateway.runs.inputs import RunInput
from aima.media_type import HEAD_BYTES, media_type_of
from aima.ports.artifacts import Artifact
from aima.temporal.runs import Runs

PATH = "/api/v2/artifacts"
_BYTES = "application/octet-stream"
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_SHOWN = re.compile(r"(audio|video)/.*|image/(?!svg).*|text/plain|application/json")
"""What a browser may show by itself; nothing of it can run."""

_SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, max-age=31536000, immutable",
}


class Name(BaseModel):
    """What a file is called."""

    name: str = Field(default="", description="Its name, which helps to tell what it is.")


class NoSuchRange(InvalidRequest):
    """The bytes that are asked for lie behind the end."""

    status = 416


@dataclass(frozen=True)
class ArtifactRoutes:
    """Takes bytes in and gives them out."""

    runs: Runs
    store: FolderArtifacts
    input: RunInput
    _sound: dict[Path, int] = field(default_factory=dict)

    def ways(self) -> list[Way]:
        """Give the addresses."""
        may, most = Permission, self.store.max_bytes
        given = About(query=Name, takes=(_BYTES,), statuses=(201,), errors=(InsufficientResources,))
        part = {"Range": "`bytes=0-99` fetches the first hundred bytes."}
        fetched = About(
            query=Name,
            gives=(_BYTES,),
            headers=part,
            errors=(NotFound, NoSuchRange),
            statuses=(200, 206, 304),
        )
        listed, of_run = About(errors=(NotFound,)), f"{RUNS}/{{id:path}}/artifacts"
        return [
            Way("POST", PATH, self.post, may.RUN_START, most_bytes=most, about=given),
            Way("GET", f"{PATH}/{{id}}", self.get, may.RUN_READ, about=fetched),
            Way("GET", of_run, self.of_run, may.RUN_READ, about=listed),
        ]

    async def post(self, request: Request) -> Response:
        """Put a file into the store, of any size; `name` helps to tell what it is."""
        name = request.query_params.get("name", "")
        kept = await self.input.keep(request.stream(), name)
        return JSONResponse(_told(kept), 201, {"location": way_of(kept.artifact)})

    async def of_run(self, request: Request) -> Response:
        """List the files that went into a run and came out of it and its steps."""
        run = await self.runs.find(request.path_params["id"])
        asked, _ = await self.runs.started_with(run.id)
        found: dict[str, dict[str, Any]] = {}
        _note(found, asked["input"], "input")
        async for step, output in self.runs.step_outputs(run.id):
            _note(found, output, f"steps.{step}")
        if run.state == "completed":
            _note(found, (await self.runs.outcome(run.id)).output, "output")
        return JSONResponse({"items": list(found.values()), "next_cursor": None})

    async def get(self, request: Request) -> Response:
        """Fetch a file, or a range of its bytes; with `name` it is saved under that name."""
        name = _ID.fullmatch(request.path_params["id"])
        if name is None:
            raise NotFound("an artifact is called sha256: and 64 digits")
        return await self.give(request, name[1])

    async def give(self, request: Request, digest: str) -> Response:
        """Give the file of this content, or the range that is asked for."""
        file = self.store.file_of(digest)
        size, head = await in_thread(self._look, file)
        tag = f'"{digest}"'
        headers = {**_SAFE, "etag": tag}
        if Precondition.of(request).has(tag):
            return Response(status_code=304, headers=headers)
        refused = _fitting(request, size)
        if refused is not None:
            return refused
        media_type = media_type_of(head, "")
        given = request.query_params.get("name")
        shown = given is None and _SHOWN.fullmatch(media_type)
        return FileResponse(
            file,
            headers=headers,
            media_type=media_type,
            filename=given or digest[:16],
            content_disposition_type="inline" if shown else "attachment",
        )

    def _look(self, file: Path) -> tuple[int, bytes]:
        """Give the size and the first bytes of a file, whose content was once found right.

        Raises:
            NotFound: it is not there.
            Corrupt: it is damaged.
        """
        try:
            state = file.stat()
        except FileNotFoundError:
            raise NotFound("the store holds no such artifact") from None
        if self._sound.get(file) != state.st_mtime_ns:
            self.store.verify(_artifact(file, state.st_size))
            self._sound[file] = state.st_mtime_ns
        with file.open("rb") as opened:
            return state.st_size, opened.read(HEAD_BYTES)


def way_of(artifact: str) -> str:
    """Give the address of an artifact."""
    return f"{PATH}/{artifact}"


def _artifact(file: Path, size: int) -> Artifact:
    name = f"sha256:{file.parent.name}{file.name}"
    return Artifact(artifact=name, media_type="application/octet-stream", bytes=size)


def _fitting(request: Request, size: int) -> Response | None:
    """See to a range that cannot be served: several, or none at all, give the whole file."""
    asked = request.headers.get("range")
    if asked is None:
        return None
    found = _RANGE.fullmatch(asked.strip())
    first, last = found.groups() if found else ("", "")
    backwards = bool(first and last) and int(last) < int(first)
    if not (first or last) or backwards:
        headers = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
        request.scope["headers"] = headers
    elif (first and int(first) >= size) or (not first and not int(last)):
        answer = tell(request, NoSuchRange(f"the artifact has {size} bytes"))
        answer.headers["content-range"] = f"bytes */{size}"
        return answer
    return None


def _told(artifact: Artifact) -> dict[str, Any]:
    return {**artifact.model_dump(), "links": {"self": way_of(artifact.artifact)}}


def _note(found: dict[str, dict[str, Any]], value: object, at: str) -> None:
    """Note the references in a value, and where they are."""
    for place, artifact in _references(value, at):
        found.setdefault(artifact.artifact, {**_told(artifact), "at": []})["at"].append(place)


def _references(value: object, at: str) -> Iterator[tuple[str, Artifact]]:
    if isinstance(value, dict) and "artifact" in value:
        try:
            yield at, Artifact.model_validate(value)
        except ValidationError:  # a map that only looks like one
            pass
        else:
            return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _references(inner, f"{at}[{number}]")
