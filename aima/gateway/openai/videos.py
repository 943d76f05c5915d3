"""Films: `/v1/videos`, where each is a run of `inference.generate_video` and has its id.

So the films that were asked for are in Temporal and nowhere else: a door that is started anew
tells of all of them. One that was cancelled is gone.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import Conflict, EngineNotRunning, ModelNotFound, NotFound
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission
from aima.gateway.incoming import read
from aima.gateway.openai.remote_media import bring_in
from aima.gateway.openai.translation.files import from_data_uri, kept
from aima.gateway.relaying import while_heard
from aima.gateway.route import Way
from aima.gateway.runs.artifact_routes import ArtifactRoutes
from aima.gateway.runs.form_parts import FORM
from aima.gateway.runs.starting import STARTING, Starter
from aima.gateway.units.operations import state_of
from aima.gateway.workflows.definitions import Definitions
from aima.mistakes import accept
from aima.outbound import Outbound
from aima.ports.artifacts import Artifact
from aima.ports.inference import Upload, VideoReply, VideoRequest
from aima.routing.router import Router
from aima.temporal.attributes import LABELS
from aima.temporal.runs import Glance, RunRequest, Runs, new_run_id

PATH = "/v1/videos"
UNIT = "inference.generate_video"
MOST_BYTES = 96 << 20
STOP_SECONDS = 10.0
"""How long who deletes a film waits for its engine to stop."""
MOST_LISTED = 1_000
_LABEL = f"unit={UNIT}"
_OURS = f"{LABELS} = '{_LABEL}' AND ExecutionStatus != 'Canceled'"
_STATUS = {"queued": "queued", "running": "in_progress", "succeeded": "completed"}
_SHARE = re.compile(r"(\d{1,3}) %")
_EXAMPLE = {"model": "default", "prompt": "waves", "seconds": 4, "size": "1280x720"}


class _Reference(BaseModel):
    image_url: str


class CreateVideo(BaseModel):
    """A film to make; beside OpenAI's fields those that servers of films take."""

    prompt: str = Field(min_length=1)
    model: str = Field(default="default", min_length=1, max_length=500)
    seconds: float | None = Field(default=None, gt=0, le=3600)
    size: str | None = Field(default=None, pattern=r"^[1-9]\d{1,4}x[1-9]\d{1,4}$")
    input_reference: _Reference | None = Field(default=None, description="The first frame.")
    negative_prompt: str | None = None
    fps: int | None = Field(default=None, gt=0, le=240)
    seed: int | None = None
    steps: int | None = Field(
        default=None, gt=0, le=1000, validation_alias=AliasChoices("num_inference_steps", "steps")
    )

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        """Take an empty field of a form for one that is not there."""
        return None if value == "" else value


class ListVideos(BaseModel):
    """Which films to list."""

    after: str = Field(default="", description="The film that the last part ended with.")
    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"


class Content(BaseModel):
    """What of a film to fetch."""

    variant: Literal["video"] = "video"


@dataclass(frozen=True)
class VideoRoutes:
    """Has films made, tells how far they are, and gives them out.

    Attributes:
        outbound: fetches a first frame that is named by its address.
        files: gives out what was made.
        _deleted: films that Temporal has been told to delete, which takes it up to a minute.
    """

    definitions: Definitions
    engines: Router
    outbound: Outbound
    starter: Starter
    files: ArtifactRoutes
    _deleted: deque[str] = field(default_factory=partial(deque, maxlen=MOST_LISTED))

    @property
    def runs(self) -> Runs:
        """The runs."""
        return self.starter.runs

    def ways(self) -> list[Way]:
        """Give the addresses."""
        may, one = Permission, f"{PATH}/{{id}}"
        created = About(body=CreateVideo, takes=(FORM,), example=_EXAMPLE, headers=IDEMPOTENT)
        created = replace(created, errors=(ModelNotFound, *STARTING))
        there, listed = About(errors=(NotFound,)), About(query=ListVideos)
        film = About(query=Content, gives=("video/mp4",), errors=(NotFound, Conflict))
        return [
            Way("POST", PATH, self.create, may.UNIT_RUN, MOST_BYTES, about=created),
            Way("GET", PATH, self.list_, may.RUN_READ, about=listed),
            Way("GET", f"{one}/content", self.content, may.RUN_READ, about=film),
            Way("GET", one, self.get, may.RUN_READ, about=there),
            Way("DELETE", one, self.delete, may.RUN_CONTROL, about=there),
        ]

    async def create(self, request: Request) -> Response:
        """Have a film made; the answer tells its id at once, and the film is never lost."""
        wanted = await self._asked(request)
        with suppress(EngineNotRunning):  # the run waits for it
            await self.engines.directory.serving(wanted.model, "video_gen")
        note(request.scope, subject=UNIT)
        value = wanted.model_dump(mode="json", exclude_none=True)
        plan = self.definitions.single(self.definitions.catalog.get(UNIT))
        made_up = "" if "idempotency-key" in request.headers else new_run_id("video")
        run = RunRequest(value, id=made_up)
        id_ = await self.starter.start(request, plan, run, what=UNIT)
        return JSONResponse(await self._told(await self.runs.glance(id_)))

    async def get(self, request: Request) -> Response:
        """Tell how far a film is."""
        return JSONResponse(await self._told(await self._film(request)))

    async def list_(self, request: Request) -> Response:
        """List the films, the latest first."""
        asked = accept(ListVideos.model_validate, dict(request.query_params), what="the query")
        runs = await self.runs.latest(limit=MOST_LISTED, query=_OURS)
        there = [run.id for run in runs if run.id not in self._deleted]
        ids = there if asked.order == "desc" else there[::-1]
        if asked.after:
            ids = ids[ids.index(asked.after) + 1 :] if asked.after in ids else []
        part = ids[: asked.limit]
        glances = await asyncio.gather(*map(self.runs.glance, part))
        told = await asyncio.gather(*map(self._told, glances))
        ends = {"first_id": part[0], "last_id": part[-1]} if part else {}
        more = len(ids) > len(part)
        return JSONResponse({"object": "list", "data": told, "has_more": more, **ends})

    async def content(self, request: Request) -> Response:
        """Fetch a film, or a range of its bytes."""
        accept(Content.model_validate, dict(request.query_params), what="the query")
        film = await self._film(request)
        state = state_of(film)
        if state != "succeeded":
            raise Conflict(f"film {film.run.id!r} is not there: it is {_STATUS.get(state, state)}")
        outcome = await self.runs.outcome(film.run.id)
        made = VideoReply.model_validate(outcome.output).video
        return await self.files.give(request, made.artifact)

    async def delete(self, request: Request) -> Response:
        """Forget a film; one that is being made is stopped at its engine."""
        film = await self._film(request)
        id_ = film.run.id
        if film.run.state != "running":
            await self.runs.forget(id_)
            self._deleted.append(id_)
        else:
            with suppress(Conflict, TimeoutError):  # it has just ended, or the engine is slow
                await self.runs.cancel(id_)
                async with asyncio.timeout(STOP_SECONDS):
                    await self.runs.outcome(id_)
        return JSONResponse({"id": id_, "object": "video.deleted", "deleted": True})

    async def _film(self, request: Request) -> Glance:
        """Look a film up.

        Raises:
            NotFound: there is none, or it was deleted.
        """
        id_ = request.path_params["id"]
        missing = f"there is no film {id_!r}; `GET {PATH}` lists those there are"
        try:
            glance = await self.runs.glance(id_)
        except NotFound:
            raise NotFound(missing) from None
        gone = glance.run.state == "canceled" or id_ in self._deleted
        if gone or _LABEL not in glance.run.labels:
            raise NotFound(missing)
        return glance

    async def _asked(self, request: Request) -> VideoRequest:
        """Read what is asked for, as JSON or as a form."""
        image: Artifact | None = None
        if request.headers.get("content-type", "").lower().startswith(FORM):
            async with request.form(max_files=1, max_fields=20) as form:
                given = {n.rstrip("]").replace("[", "."): v for n, v in form.items()}
                file = given.pop("input_reference", None)
                if isinstance(file, UploadFile):
                    image = await kept(_upload(file), self.files.store)
                texts: dict[str, Any] = {n: v for n, v in given.items() if isinstance(v, str)}
            if url := texts.pop("input_reference.image_url", None):
                texts["input_reference"] = {"image_url": url}
            asked = accept(CreateVideo.model_validate, texts, what="the form")
        else:
            asked = await read(request, CreateVideo)
        if asked.input_reference is not None:
            reference: dict[str, Any] = asked.input_reference.model_dump()
            await while_heard(request, bring_in(reference, self.outbound))
            image = await from_data_uri(reference["image_url"], self.files.store)
        same = asked.model_dump(exclude={"seconds", "input_reference"})
        return VideoRequest(**same, duration=asked.seconds, image=image)

    async def _told(self, film: Glance) -> dict[str, Any]:
        """Tell of a film as OpenAI's API does."""
        run, state = film.run, state_of(film)
        asked = VideoRequest.model_validate((await self.runs.started_with(run.id))[0]["input"])
        told: dict[str, Any] = {
            "id": run.id,
            "object": "video",
            "model": asked.model,
            "prompt": asked.prompt,
            "status": _STATUS.get(state, "failed"),
            "progress": 100 if state == "succeeded" else _share(film),
            "created_at": int(run.started.timestamp()),
            "completed_at": int(run.ended.timestamp()) if run.ended else None,
            "expires_at": None,
            "size": asked.size,
            "seconds": _number(asked.duration),
            "remixed_from_video_id": None,
            "error": None,
        }
        if run.state != "running":
            outcome = await self.runs.outcome(run.id)
            if outcome.error is None:
                made = VideoReply.model_validate(outcome.output).duration
                told["seconds"] = _number(made) or told["seconds"]
            else:
                error = outcome.error
                told["error"] = {"code": str(error["code"]).lower(), "message": error["message"]}
        return told


def _upload(file: UploadFile) -> Upload:
    kind = file.content_type or "application/octet-stream"
    return Upload("input_reference", file.filename or "file", kind, file.file)


def _share(film: Glance) -> int:
    """Give how many of a hundred parts are made, where the engine tells."""
    found = (_SHARE.search(step.message) for step in film.steps)
    return next((min(int(share[1]), 99) for share in found if share), 0)


def _number(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:g}"
