"""ComfyUI's dialect: graphs in, runs in a queue, files out."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.pixel import PIXEL

_LOOKS = 2
"""How often a run is looked for until it has ended: it takes its time."""


def comfyui(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors, post = _Doors(faults), ["POST"]
    return [
        Route("/system_stats", doors.stats),
        Route("/models/checkpoints", doors.models),
        Route("/prompt", doors.begin, methods=post),
        Route("/history/{id}", doors.history),
        Route("/queue", doors.queue),
        Route("/queue", doors.delete, methods=post),
        Route("/interrupt", doors.interrupt, methods=post),
        Route("/view", doors.view),
        Route("/free", doors.free, methods=post),
    ]


def _refusal(message: str) -> object:
    return {"error": {"type": "fault", "message": message, "details": ""}, "node_errors": {}}


class _Doors:
    """A run waits, is done, or with `load_delay` set is worked at for ever."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.runs: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = {}
        self.running: str | None = None

    async def stats(self, _: Request) -> Response:
        return JSONResponse({"system": {"comfyui_version": "0.3.70"}, "devices": []})

    async def models(self, _: Request) -> Response:
        return JSONResponse(["fake.safetensors"])

    async def begin(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        id_ = f"run-{len(self.runs)}"
        self.runs[id_], self.looks[id_] = (await request.json())["prompt"], 0
        return JSONResponse({"prompt_id": id_, "number": 1, "node_errors": {}})

    async def history(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        self.looks[id_] = self.looks.get(id_, 0) + 1
        if id_ not in self.runs or self.looks[id_] < _LOOKS:
            return JSONResponse({})
        if self.faults.load_delay:
            self.running = id_
            return JSONResponse({})
        if self.faults.memory_short:
            status = {"status_str": "error", "completed": False, "messages": [["out of memory"]]}
            return JSONResponse({id_: {"outputs": {}, "status": status}})
        latent = next((n for n in self.runs[id_].values() if "batch_size" in n["inputs"]), None)
        count = latent["inputs"]["batch_size"] if latent else 1
        files = [{"filename": f"{n}.png", "subfolder": "", "type": "output"} for n in range(count)]
        status = {"status_str": "success", "completed": True, "messages": []}
        return JSONResponse({id_: {"outputs": {"7": {"images": files}}, "status": status}})

    async def queue(self, _: Request) -> Response:
        waiting = [[0, id_] for id_ in self.runs if self.looks[id_] < _LOOKS]
        running = [[0, self.running, {}, {}, []]] if self.running else []
        return JSONResponse({"queue_running": running, "queue_pending": waiting})

    async def delete(self, request: Request) -> Response:
        for id_ in (await request.json())["delete"]:
            if id_ != self.running:
                self.runs.pop(id_, None)
        return Response()

    async def interrupt(self, request: Request) -> Response:
        if (await request.json()).get("prompt_id") in (self.running, None):
            self.runs.pop(self.running or "", None)
            self.running = None
        return Response()

    async def view(self, _: Request) -> Response:
        return Response(base64.b64decode(PIXEL), media_type="image/png")

    async def free(self, _: Request) -> Response:
        return Response()
