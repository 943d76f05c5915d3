"""A fake engine on a free port of loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aima.testing.engines.a1111 import a1111
from aima.testing.engines.comfyui import comfyui
from aima.testing.engines.faults import Faults, Hindered, change
from aima.testing.engines.huggingface import hf_endpoint, hf_inference
from aima.testing.engines.kokoro import kokoro
from aima.testing.engines.llamacpp import llamacpp
from aima.testing.engines.ollama import ollama
from aima.testing.engines.openai import openai
from aima.testing.engines.piper import piper
from aima.testing.engines.rerank import rerank
from aima.testing.engines.sdcpp import sdcpp
from aima.testing.engines.sglang import sglang
from aima.testing.engines.speaches import speaches
from aima.testing.engines.tei import tei
from aima.testing.engines.tgi import tgi
from aima.testing.engines.transformers import transformers
from aima.testing.engines.video import video
from aima.testing.engines.vllm import vllm
from aima.testing.engines.whispercpp import whispercpp

DIALECTS: dict[str, Callable[[Faults], Sequence[Route]]] = {
    "a1111": a1111,
    "comfyui": comfyui,
    "hf_endpoint": hf_endpoint,
    "hf_inference": hf_inference,
    "kokoro": kokoro,
    "llamacpp": llamacpp,
    "ollama": ollama,
    "openai": openai,
    "piper": piper,
    "rerank": rerank,
    "sdcpp": sdcpp,
    "sglang": sglang,
    "speaches": speaches,
    "tei": tei,
    "tgi": tgi,
    "transformers": transformers,
    "video": video,
    "vllm": vllm,
    "whispercpp": whispercpp,
}
"""What a fake may speak."""


@dataclass
class FakeEngine:
    """A fake that runs.

    Attributes:
        url: where it listens, without a path.
        faults: what goes wrong from now on.
        stop: lets it end; the block waits until it has.
    """

    url: str
    faults: Faults
    stop: Callable[[], None]

    def heal(self) -> None:
        """Turn every knob back."""
        for name, value in Faults():
            setattr(self.faults, name, value)


def app_of(dialect: str, faults: Faults) -> Starlette:
    """Make the application of a dialect."""

    async def knobs(request: Request) -> Response:
        return await change(request, faults)

    routes = [*DIALECTS[dialect](faults), Route("/__faults", knobs, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(Hindered, faults)])


@asynccontextmanager
async def fake(
    dialect: str, faults: Faults | None = None, *, port: int = 0
) -> AsyncIterator[FakeEngine]:
    """Run a fake engine in this process while the block lasts; 0 takes a free port."""
    faults = faults or Faults()
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or words wait for receipts
    config = uvicorn.Config(app_of(dialect, faults), log_level="critical", lifespan="off")
    server = Inside(config)
    faults.crash_by(server.stop)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield FakeEngine(f"http://127.0.0.1:{listener.getsockname()[1]}", faults, server.stop)
    finally:
        server.stop()
        await serving
        left = list(server.server_state.tasks)  # of clients that have not gone yet
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        listener.close()


class Inside(uvicorn.Server):
    """A server inside another program, whose signals are not its own."""

    def stop(self) -> None:
        """Begin to end, without waiting for clients."""
        self.should_exit = self.force_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
