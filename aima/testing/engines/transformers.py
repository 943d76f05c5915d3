"""The dialect of `transformers serve`: OpenAI's, without end marks, and a door that loads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import OpenAIDoors, openai


def transformers(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        Route("/load_model", doors.load, methods=["POST"]),
        *openai(faults, doors=doors),
    ]


class _Doors(OpenAIDoors):
    END = b""

    async def load(self, request: Request) -> Response:
        """Load a model, told step by step."""
        name = (await request.json())["model"]
        return StreamingResponse(self._loading(name), media_type="text/event-stream")

    async def _loading(self, name: str) -> AsyncIterator[bytes]:
        half = {"current": 1, "total": 2}
        for stage, progress in (("config", None), ("weights", half)):
            told = {"status": "loading", "model": name, "stage": stage, "progress": progress}
            yield f"data: {json.dumps(told)}\n\n".encode()
        await asyncio.sleep(self.faults.load_delay)
        end: dict[str, object] = {"status": "ready", "model": f"{name}@main", "cached": False}
        if self.faults.memory_short:
            end = {"status": "error", "model": name, "message": "CUDA out of memory"}
        yield f"data: {json.dumps(end)}\n\n".encode()
