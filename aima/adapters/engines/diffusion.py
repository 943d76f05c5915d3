"""Pictures by the web API of AUTOMATIC1111's server, which Forge and SD.Next have as well.

Source: that API's own description at ``/docs``. ComfyUI is in :mod:`.comfyui`,
stable-diffusion.cpp in :mod:`.sdcpp`; servers of OpenAI's images (LocalAI) are of kind ``openai``.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, RootModel

from aima.adapters.engines.running.startable import Startable
from aima.adapters.engines.server import given
from aima.errors import AimaError, UnsupportedMedia
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import ImageReply, ImageRequest, ModelCard, Progress

_LOOK_SECONDS = 1.0


class _Listed(BaseModel):
    model_name: str
    title: str


class _Models(RootModel[list[_Listed]]):
    """The checkpoints that are there."""


class _Options(BaseModel):
    sd_model_checkpoint: str | None = None


class _Drawn(BaseModel):
    images: list[str]


class _Progress(BaseModel):
    progress: float = 0


@dataclass(frozen=True)
class A1111Engine(Startable):
    """A Stable Diffusion web UI that was started with ``--api``; it draws for one at a time."""

    PRODUCT: ClassVar[Product] = Product(
        kind="a1111",
        title="Stable Diffusion web UI (AUTOMATIC1111, Forge, SD.Next)",
        start="./webui.sh --api --port 7860",
        port=7860,
        types=("diffusion",),
        formats=("safetensors", "pytorch"),
        many=False,
    )
    AT_ONCE: ClassVar[int] = 1

    async def models(self) -> list[ModelCard]:
        """List the checkpoints, and which of them is in memory."""
        listed = self._read(_Models, await self._get("/sdapi/v1/sd-models")).root
        chosen = self._read(_Options, await self._get("/sdapi/v1/options")).sd_model_checkpoint
        return [
            ModelCard(
                name=model.model_name,
                engine=self.name,
                type="diffusion",
                loaded=chosen in (model.title, model.model_name),
            )
            for model in listed
        ]

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a checkpoint in, in the place of the one that is there."""
        progress(f"loading {model!r}")
        await self._post("/sdapi/v1/options", {"sd_model_checkpoint": model})

    async def unload(self, model: str) -> None:
        """Take the checkpoint out that is in, whichever it is."""
        del model
        await self._post("/sdapi/v1/unload-checkpoint", {})

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures; given up, the server is told to stop."""
        if request.format != "png":
            raise UnsupportedMedia(f"`format`: engine {self.name!r} makes png; ask for that")
        body, door = await self._body(request)
        watching = asyncio.create_task(self._watched(progress))
        try:
            drawn = self._read(_Drawn, await self._post(door, body))
        except asyncio.CancelledError:
            with suppress(AimaError):
                await self._post("/sdapi/v1/interrupt", {})
            raise
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        made = [self._bytes(image) for image in drawn.images[: request.n]]
        images = [await self.artifacts.put(data, media_type="image/png") for data in made]
        return ImageReply(images=images, format="png", model=request.model)

    async def _body(self, request: ImageRequest) -> tuple[dict[str, object], str]:
        width, _, height = (request.size or "").partition("x")
        body = given(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=int(width) if width else None,
            height=int(height) if height else None,
            batch_size=request.n,
            steps=request.steps,
            cfg_scale=request.guidance,
            seed=request.seed,
        )
        body["override_settings"] = {"sd_model_checkpoint": request.model}
        if request.image is None:
            return body, "/sdapi/v1/txt2img"
        picture = await self.artifacts.get(request.image)
        body["init_images"] = [base64.b64encode(picture).decode("ascii")]
        return body, "/sdapi/v1/img2img"

    async def _watched(self, progress: Progress) -> None:
        """Tell how far the server is, as long as anybody waits."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            with suppress(AimaError):
                told = await self._get("/sdapi/v1/progress?skip_current_image=true")
                progress(f"{100 * self._read(_Progress, told).progress:.0f} % of the pictures")
