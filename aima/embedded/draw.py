"""Pictures from prompts: patterns, honestly called ``procedural``; no model paints here.

Source of the protocol: the public OpenAI API reference (images), with a seed added.
"""

from __future__ import annotations

import base64
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.embedded.embed import Reading
from aima.embedded.minilm import Vectors
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.embedded.vision.patterns import paint, style_of
from aima.models.manifest import Model

LEAST_SIDE, MOST_SIDE = 16, 2048


class DrawBody(BaseModel):
    """The body of ``POST /v1/images/generations``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    prompt: str = Field(min_length=1, max_length=10_000)
    n: int = Field(default=1, ge=1, le=16)
    size: str = "512x512"
    seed: int = 0
    response_format: Literal["b64_json"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] = "png"

    @field_validator("size")
    @classmethod
    def _can_be_painted(cls, size: str) -> str:
        size = "512x512" if size == "auto" else size
        sides = size.split("x")
        if len(sides) != 2 or not all(side.isdecimal() for side in sides):  # noqa: PLR2004
            raise ValueError("write width and height, such as 512x512")
        if not all(LEAST_SIDE <= int(side) <= MOST_SIDE for side in sides):
            raise ValueError(f"each side may have {LEAST_SIDE} to {MOST_SIDE} pixels")
        return size

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = map(int, self.size.split("x"))
        return width, height


@dataclass(frozen=True)
class Drawing:
    """The pattern maker behind its queue, and the model that reads its prompts."""

    model: Model
    reading: Reading
    turns: Turns
    executor: ThreadPoolExecutor

    @property
    def loaded(self) -> bool:
        """Tell whether the model that reads prompts is in memory."""
        return self.reading.resident.loaded

    async def answer(self, request: Request, body: DrawBody) -> Response:
        """Make pictures; each has the seed after the one before."""
        begun = time.monotonic()
        vector, timings = await self.reading.do(
            request, lambda model, _: model.read(body.prompt).mean
        )
        pictures = await while_wanted(request, self._painted(body, vector))
        total_ms = (time.monotonic() - begun) * 1000
        return JSONResponse(
            {
                "created": int(time.time()),
                "model": self.model.name,
                "kind": self.model.kind,
                "output_format": body.output_format,
                "size": body.size,
                "data": [{"b64_json": base64.b64encode(p).decode("ascii")} for p in pictures],
                "timings": timings | {"total_ms": round(total_ms, 1)},
            }
        )

    async def _painted(self, body: DrawBody, vector: Vectors) -> list[bytes]:
        def work(stop: Stop) -> list[bytes]:
            made = []
            for number in range(body.n):
                stop.check()
                picture = paint(style_of(body.prompt, vector, body.seed + number), *body.sides)
                file = io.BytesIO()
                picture.save(file, body.output_format.upper(), quality=90)
                made.append(file.getvalue())
            return made

        async with self.turns.turn():
            return await in_thread(self.executor, work)
