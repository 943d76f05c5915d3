"""The dialect of OpenAI's video jobs: begun, asked after, fetched, thrown away."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import openai, refusal

FILM = b"\x00\x00\x00\x18ftypmp42 no film at all"


def video(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = VideoDoors(faults)
    models = [door for door in openai(faults) if door.path == "/v1/models"]
    return [*models, *doors.routes()]


class VideoDoors:
    """One method for each address; a job is done once it has been asked after twice."""

    def __init__(self, faults: Faults) -> None:
        """Fail as ``faults`` say; with `load_delay` set, no job ever ends."""
        self.faults = faults
        self.jobs: dict[str, dict[str, object]] = {}
        self.begun = 0

    def routes(self) -> Sequence[Route]:
        """Give the doors."""
        return [
            Route("/v1/videos", self.begin, methods=["POST"]),
            Route("/v1/videos", self.jobs_, methods=["GET"]),
            Route("/v1/videos/{id}", self.job, methods=["GET"]),
            Route("/v1/videos/{id}", self.forget, methods=["DELETE"]),
            Route("/v1/videos/{id}/content", self.content),
        ]

    async def begin(self, request: Request) -> Response:
        """Begin a job, described by a form or by JSON."""
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        if "json" in request.headers.get("content-type", ""):
            asked: dict[str, object] = await request.json()
        else:
            async with request.form() as form:
                asked = {key: str(value) for key, value in form.items()}
        id_ = f"video-{self.begun}"
        self.begun += 1
        self.jobs[id_] = {
            "id": id_,
            "object": "video",
            "model": asked.get("model", "fake"),
            "status": "queued",
            "progress": 0,
            "created_at": 0,
            "prompt": asked["prompt"],
            "seconds": str(asked.get("seconds", 4)),
            "size": asked.get("size", "720x1280"),
        }
        return JSONResponse(self.jobs[id_])

    async def jobs_(self, _: Request) -> Response:
        """List the jobs."""
        return JSONResponse({"object": "list", "data": list(self.jobs.values())})

    async def job(self, request: Request) -> Response:
        """Tell how far a job is, and go on with it."""
        if (job := self.jobs.get(request.path_params["id"])) is None:
            return JSONResponse(refusal("no such video"), status_code=404)
        told = dict(job)
        if self.faults.memory_short:
            told |= {"status": "failed", "error": {"code": "oom", "message": "out of memory"}}
        elif not self.faults.load_delay:
            going = job["status"] == "queued"
            job |= {"status": "in_progress" if going else "completed", "progress": 50}
        return JSONResponse(told)

    async def content(self, request: Request) -> Response:
        """Give the film."""
        if request.path_params["id"] not in self.jobs:
            return JSONResponse(refusal("no such video"), status_code=404)
        return Response(FILM, media_type="video/mp4")

    async def forget(self, request: Request) -> Response:
        """Throw a job away."""
        id_ = request.path_params["id"]
        self.jobs.pop(id_, None)
        return JSONResponse({"id": id_, "object": "video.deleted", "deleted": True})
