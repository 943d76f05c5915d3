"""Pictures: `POST /v1/images/generations`, and `/v1/images/edits`."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import AliasChoices, BaseModel, Field

from aima.errors import UnsupportedMedia
from aima.gateway.openai.translation.files import kept, upload_of
from aima.gateway.openai.translation.written import told
from aima.mistakes import Mistakes, accept
from aima.ports.artifacts import Artifact, Artifacts
from aima.ports.engine import Draws, Engine
from aima.ports.inference import ImageRequest, Outlet, RelayRequest, ignored


class _Able(Draws, Engine, Protocol):
    pass


class _Asked(BaseModel):
    """What is wanted, and under their usual names what servers of OpenAI's API take beside."""

    prompt: str = Field(min_length=1)
    n: int = Field(default=1, ge=1, le=16)
    size: str = Field(default="auto", pattern=r"^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$")
    response_format: Literal["b64_json"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] | None = None
    stream: Literal[False, "false"] = False
    negative_prompt: str | None = None
    steps: int | None = Field(
        default=None, gt=0, validation_alias=AliasChoices("num_inference_steps", "steps")
    )
    guidance: float | None = Field(
        default=None, ge=0, validation_alias=AliasChoices("guidance_scale", "guidance")
    )
    seed: int | None = None


@dataclass(frozen=True)
class Pictures:
    """Makes pictures.

    Attributes:
        from_picture: a form brings the picture to begin with.
    """

    artifacts: Artifacts
    from_picture: bool = False

    async def ask(self, engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
        """Have pictures made.

        Raises:
            UnsupportedMedia: the engine makes others than are wanted.
        """
        given = accept(_Asked.model_validate, asked.body, what="the request")
        wanted = ImageRequest(
            model=asked.model,
            prompt=given.prompt,
            n=given.n,
            size=None if given.size == "auto" else given.size,
            format=given.output_format or "png",
            image=await self._first(asked) if self.from_picture else None,
            **given.model_dump(include={"negative_prompt", "steps", "guidance", "seed"}),
        )
        reply = await engine.generate_image(wanted, progress=ignored)
        if given.output_format not in (None, reply.format):
            raise UnsupportedMedia(
                f"'output_format': engine {engine.name!r} makes {reply.format}; ask for that"
            )
        data = [{"b64_json": await self._written(image)} for image in reply.images]
        value = {"created": int(time.time()), "output_format": reply.format, "data": data}
        await told(answer, engine, asked, value)

    async def _first(self, asked: RelayRequest) -> Artifact:
        if any(upload.field == "mask" for upload in asked.uploads):
            raise Mistakes("the form: 'mask': this engine changes whole pictures; leave it out")
        return await kept(upload_of(asked, "image", "image[]"), self.artifacts)

    async def _written(self, image: Artifact) -> str:
        return base64.b64encode(await self.artifacts.get(image)).decode()
