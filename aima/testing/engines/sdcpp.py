"""The dialect of stable-diffusion.cpp's server: jobs in a line, results in base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.video import FILM

_NEXT = {"queued": "generating", "generating": "completed"}
_ENDED = ("completed", "failed", "cancelled")


def sdcpp(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors, post = _Doors(faults), ["POST"]
    return [
        Route("/sdcpp/v1/capabilities", doors.capabilities),
        Route("/sdcpp/v1/img_gen", doors.begin, methods=post),
        Route("/sdcpp/v1/vid_gen", doors.begin, methods=post),
        Route("/sdcpp/v1/jobs/{id}", doors.job),
        Route("/sdcpp/v1/jobs/{id}/cancel", doors.cancel, methods=post),
    ]


def _refusal(message: str) -> object:
    return {"error": message}


class _Doors:
    """A job is done once it has been asked after twice; with `load_delay` set all stay in line."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.jobs: dict[str, dict[str, Any]] = {}
        self.bodies: dict[str, dict[str, Any]] = {}

    async def capabilities(self, _: Request) -> Response:
        model = {"name": "fake.gguf", "stem": "fake", "path": "models/fake.gguf"}
        modes = ["img_gen", "vid_gen"]
        return JSONResponse({"model": model, "current_mode": "img_gen", "supported_modes": modes})

    async def begin(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        id_, kind = f"job_{len(self.jobs)}", request.url.path.rpartition("/")[2]
        self.bodies[id_] = await request.json()
        self.jobs[id_] = {"id": id_, "kind": kind, "status": "queued", "created": 0}
        told = self.jobs[id_] | {"poll_url": f"/sdcpp/v1/jobs/{id_}"}
        return JSONResponse(told, status_code=202)

    async def job(self, request: Request) -> Response:
        """Tell how far a job is, and go on with it."""
        if (job := self.jobs.get(request.path_params["id"])) is None:
            return JSONResponse(_refusal("job not found"), 404)
        told = job | {"queue_position": int(job["status"] == "queued"), "result": None}
        if job["status"] == "completed":
            told["result"] = self._result(job)
        elif self.faults.memory_short and job["status"] not in _ENDED:
            error = {"code": "generation_failed", "message": "out of memory"}
            told = job | {"status": "failed", "error": error}
        elif not self.faults.load_delay:
            job["status"] = _NEXT.get(job["status"], job["status"])
        return JSONResponse(told)

    async def cancel(self, request: Request) -> Response:
        """Take a job out of the line; one that is worked at stays."""
        if (job := self.jobs.get(request.path_params["id"])) is None:
            return JSONResponse(_refusal("job not found"), 404)
        if job["status"] != "queued":
            return JSONResponse(_refusal("job is not queued"), 409)
        job["status"] = "cancelled"
        job["error"] = {"code": "cancelled", "message": "job cancelled by client"}
        return JSONResponse(job)

    def _result(self, job: dict[str, Any]) -> dict[str, object]:
        body = self.bodies[job["id"]]
        if job["kind"] == "img_gen":
            images = [{"index": n, "b64_json": PIXEL} for n in range(body.get("batch_count", 1))]
            return {"output_format": "png", "images": images}
        film = base64.b64encode(FILM).decode("ascii")
        frames, rate = body.get("video_frames", 33), body.get("fps", 16)
        told = {"output_format": "webm", "mime_type": "video/webm", "b64_json": film}
        return told | {"fps": rate, "frame_count": frames}
