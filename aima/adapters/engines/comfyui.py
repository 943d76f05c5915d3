"""ComfyUI: a graph of nodes makes the pictures; a request fills in its blanks.

Source: ComfyUI's documentation of its routes. The graph is the file that ComfyUI saves as *API
format*; where a value in it is exactly ``$prompt``, ``$steps`` … the request's own is put in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode
from uuid import uuid4

from pydantic import BaseModel, RootModel

from aima.adapters.engines.running.startable import Startable
from aima.errors import AimaError, ExecutionFailed, ValidationFailed
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import (
    ImageReply,
    ImageRequest,
    ModelCard,
    Progress,
)

_FIRST_SECONDS, _MORE, _MOST_SECONDS = 0.1, 1.5, 5.0
_STOP_SECONDS = 5.0
"""How long a cancelled run may take to leave the engine."""
_SEEDS = 2**32
_USUAL: dict[str, object] = {
    "negative_prompt": "",
    "width": 512,
    "height": 512,
    "n": 1,
    "steps": 20,
    "guidance": 7.0,
}

GRAPH: dict[str, object] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "$model"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "$prompt", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "$negative_prompt", "clip": ["1", 1]}},
    "4": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": "$width", "height": "$height", "batch_size": "$n"},
    },
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["3", 0],
            "latent_image": ["4", 0],
            "seed": "$seed",
            "steps": "$steps",
            "cfg": "$guidance",
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
        },
    },
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "aima"}},
}
"""Text to picture with any checkpoint of Stable Diffusion's kind."""


class _Queued(BaseModel):
    prompt_id: str


class _Queue(BaseModel):
    queue_running: list[list[object]] = []


class _File(BaseModel):
    filename: str
    subfolder: str = ""
    type: str = "output"


class _Status(BaseModel):
    status_str: str = ""
    completed: bool = False
    messages: list[object] = []


class _Ran(BaseModel):
    outputs: dict[str, dict[str, object]] = {}
    status: _Status = _Status()


class _History(RootModel[dict[str, _Ran]]):
    """What has run, by its id."""


class _Names(RootModel[list[str]]):
    """The files of one kind of models."""


class _System(BaseModel):
    comfyui_version: str


class _Stats(BaseModel):
    system: _System


@dataclass(frozen=True)
class ComfyEngine(Startable):
    """A ComfyUI.

    Attributes:
        graph: a file with the graph to run; without one, pictures by any checkpoint.
    """

    PRODUCT: ClassVar[Product] = Product(
        kind="comfyui",
        title="ComfyUI",
        start="python main.py --port 8188",
        port=8188,
        types=("diffusion",),
        formats=("safetensors", "gguf"),
        many=True,
    )
    AT_ONCE: ClassVar[int] = 1

    graph: Path | None = None

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Stats, await self._get("/system_stats")).system.comfyui_version

    async def models(self) -> list[ModelCard]:
        """List the checkpoints."""
        names = self._read(_Names, await self._get("/models/checkpoints")).root
        return [ModelCard(name=name, engine=self.name, type="diffusion") for name in names]

    async def unload(self, model: str) -> None:
        """Take all models out: it cannot take one."""
        del model
        await self._post("/free", {"unload_models": True, "free_memory": True})

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Run the graph once."""
        if request.image is not None:
            raise ValidationFailed("`image`: the graph begins with no picture; leave it out")
        told = request.model_dump(exclude_none=True, exclude={"image", "format"})
        id_ = await self._begun(told)
        files = await self._made(id_, progress)
        images = [await self._fetched(file) for file in files]
        return ImageReply(
            images=images,
            format=images[0].media_type.partition("/")[2],
            model=request.model,
        )

    async def _begun(self, told: dict[str, object]) -> str:
        width, _, height = str(told.pop("size", "")).partition("x")
        sizes = {"width": int(width), "height": int(height)} if width else {}
        wanted = told | sizes
        values = _USUAL | {"seed": uuid4().int % _SEEDS} | wanted
        graph, used = filled(self._graph(), values)
        if unused := wanted.keys() - used - {"model", "n"}:
            raise ValidationFailed(
                f"the graph of engine {self.name!r} has no place for {', '.join(sorted(unused))}: "
                "leave it out, or write `$name` there"
            )
        sent = {"prompt": graph, "client_id": uuid4().hex}
        return self._read(_Queued, await self._post("/prompt", sent)).prompt_id

    def _graph(self) -> object:
        if self.graph is None:
            return GRAPH
        try:
            return json.loads(self.graph.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValidationFailed(
                f"setting 'engines.{self.name}.graph': {self.graph} is no graph: {error}"
            ) from error

    async def _made(self, id_: str, progress: Progress) -> list[_File]:
        """Wait for a run; given up, it is taken out of the queue, or interrupted."""
        wait = _FIRST_SECONDS
        try:
            while (ran := await self._ended(id_)) is None:
                waits = id_.encode() in await self._get("/queue")
                if not waits and await self._ended(id_) is None:
                    raise ExecutionFailed(f"engine {self.name!r} has lost the run; it began anew?")
                progress("in the queue, or running")
                await asyncio.sleep(wait)
                wait = min(wait * _MORE, _MOST_SECONDS)
        except asyncio.CancelledError:
            with suppress(AimaError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._post("/queue", {"delete": [id_]})
                    await self._interrupted(id_)
            raise
        return self._files(ran)

    async def _interrupted(self, id_: str) -> None:
        """Interrupt a run, unless it is another's that runs now."""
        queue = self._read(_Queue, await self._get("/queue"))
        if any(id_ in entry for entry in queue.queue_running):
            await self._post("/interrupt", {"prompt_id": id_})

    async def _ended(self, id_: str) -> _Ran | None:
        return self._read(_History, await self._get(f"/history/{id_}")).root.get(id_)

    def _files(self, ran: _Ran) -> list[_File]:
        if ran.status.status_str == "error":
            raise ExecutionFailed(f"engine {self.name!r} failed: {ran.status.messages[-1:]}")
        found = [_File.model_validate(file) for out in ran.outputs.values() for file in _of(out)]
        kept = [file for file in found if file.type == "output"] or found
        if not kept:
            raise ExecutionFailed(f"the graph of engine {self.name!r} saves nothing")
        return kept

    async def _fetched(self, file: _File) -> Artifact:
        where = urlencode(file.model_dump())
        async with self._stream(f"/view?{where}", method="GET") as response:
            told = response.headers.get("content-type", "image/png").partition(";")[0].strip()
            return await self.artifacts.put(response.aiter_bytes(), media_type=told)


def filled(graph: object, values: dict[str, object]) -> tuple[object, set[str]]:
    """Put values into the blanks of a graph; tell which of them had one."""
    used: set[str] = set()

    def put(node: object) -> object:
        if isinstance(node, dict):
            return {key: put(value) for key, value in node.items()}
        if isinstance(node, list):
            return [put(value) for value in node]
        if isinstance(node, str) and node.startswith("$") and node[1:] in values:
            used.add(node[1:])
            return values[node[1:]]
        return node

    return put(graph), used


def _of(out: dict[str, object]) -> Iterator[object]:
    """Find the files of a node's output, under whatever name it tells them."""
    for key in ("images", "gifs"):
        files = out.get(key)
        yield from files if isinstance(files, list) else ()
