"""Ollama's dialect: newline-delimited JSON, models that come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from aima.testing.engines.faults import Faults, StreamError
from aima.testing.engines.vectors import vector

_DIGEST = "sha256:" + "0" * 64
_BYTES = 1000  # of a file
_THERE = {"fake:latest": ["completion", "tools"], "fake-embed:latest": ["embedding"]}


def ollama(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    post = ["POST"]
    return [
        Route("/api/version", doors.version),
        Route("/api/tags", doors.tags),
        Route("/api/ps", doors.running),
        Route("/api/show", doors.show, methods=post),
        Route("/api/chat", doors.chat, methods=post),
        Route("/api/embed", doors.embed, methods=post),
        Route("/api/generate", doors.generate, methods=post),
        Route("/api/pull", doors.pull, methods=post),
    ]


def _refusal(message: str) -> object:
    return {"error": message}


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.pulled: dict[str, list[str]] = {}
        self.loaded: set[str] = set()

    @property
    def there(self) -> dict[str, list[str]]:
        named = {_full(name): ["completion", "tools"] for name in self.faults.models}
        return {**(named or _THERE), **self.pulled}

    async def version(self, _: Request) -> Response:
        return JSONResponse({"version": "0.12.0"})

    async def tags(self, _: Request) -> Response:
        return JSONResponse({"models": [self._card(name) for name in self.there]})

    async def running(self, _: Request) -> Response:
        cards = [
            self._card(name) | {"size_vram": self.faults.memory_bytes}
            for name in sorted(self.loaded)
        ]
        return JSONResponse({"models": cards})

    async def show(self, request: Request) -> Response:
        body = await request.json()
        if (name := self._named(body)) is None:
            return _unknown(body)
        info = {
            "general.architecture": "fake",
            "fake.block_count": 2,
            "fake.context_length": 1024,
            "fake.embedding_length": 64,
            "fake.attention.head_count": 8,
            "fake.attention.head_count_kv": 2,
        }
        can = self.there[name]
        return JSONResponse({"capabilities": can, "details": {}, "model_info": info})

    async def generate(self, request: Request) -> Response:
        """Load or unload, which is what a call without a prompt means."""
        return await self._moved(await request.json())

    async def chat(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        body = await request.json()
        if (name := self._named(body)) is None:
            return _unknown(body)
        self.loaded.add(name)
        words = self.faults.words(request, (body.get("options") or {}).get("num_predict"))
        if body.get("stream", True):
            return StreamingResponse(self._lines(words, body), media_type="application/x-ndjson")
        said = [word async for word in words]
        message = {"role": "assistant", "content": "".join(said), **_calls(body)}
        return JSONResponse({"model": body["model"], "message": message, **_end(len(said))})

    async def embed(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        body = await request.json()
        if "input" not in body or not body["input"]:
            return await self._moved(body)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        vectors = [vector(text) for text in texts]
        told = {"model": body["model"], "embeddings": vectors, "prompt_eval_count": len(texts)}
        return JSONResponse(told)

    async def pull(self, request: Request) -> Response:
        body = await request.json()
        return StreamingResponse(self._pulling(body), media_type="application/x-ndjson")

    async def _pulling(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        yield self._line({"status": "pulling manifest"})
        name = str(body["model"])
        if name.startswith("missing"):
            # The real one says so with status 200, too: the headers have gone out already.
            yield self._line({"error": "pull model manifest: file does not exist"})
            return
        part = {"status": f"pulling {_DIGEST[7:19]}", "digest": _DIGEST, "total": _BYTES}
        yield self._line(part | {"completed": _BYTES // 2})
        await asyncio.sleep(self.faults.load_delay)
        yield self._line(part | {"completed": _BYTES})
        self.pulled[_full(name)] = ["completion"]
        yield self._line({"status": "success"})

    async def _moved(self, body: dict[str, Any]) -> Response:
        if (name := self._named(body)) is None:
            return _unknown(body)
        out = body.get("keep_alive") == 0
        if self.faults.memory_short and not out:
            short = "model requires more system memory (9.9 GiB) than is available (1.0 GiB)"
            return JSONResponse(_refusal(short), status_code=500)
        if out:
            self.loaded.discard(name)
        else:
            await asyncio.sleep(self.faults.load_delay)
            self.loaded.add(name)
        reason = "unload" if out else "load"
        told = {"model": body["model"], "response": "", "done": True, "done_reason": reason}
        return JSONResponse(told | {"embeddings": []})

    async def _lines(self, words: AsyncIterator[str], body: dict[str, Any]) -> AsyncIterator[bytes]:
        count = 0
        message: dict[str, object]
        try:
            async for word in words:
                count += 1
                message = {"role": "assistant", "content": word}
                yield self._line({"model": body["model"], "message": message, "done": False})
        except StreamError as error:
            yield self._line(_refusal(str(error)))
            return
        if calls := _calls(body):
            message = {"role": "assistant", "content": "", **calls}
            yield self._line({"model": body["model"], "message": message, "done": False})
        message = {"role": "assistant", "content": ""}
        yield self._line({"model": body["model"], "message": message, **_end(count)})

    def _line(self, data: object) -> bytes:
        return self.faults.encoded(json.dumps(data) + "\n")

    def _card(self, name: str) -> dict[str, object]:
        return {"name": name, "model": name, "size": _BYTES, "digest": _DIGEST, "details": {}}

    def _named(self, body: dict[str, Any]) -> str | None:
        name = _full(str(body["model"]))
        return name if name in self.there else None


def _calls(body: dict[str, Any]) -> dict[str, object]:
    """Call the first tool, if there are any; here it comes whole, and not as text."""
    if not body.get("tools"):
        return {}
    name = body["tools"][0]["function"]["name"]
    return {"tool_calls": [{"function": {"name": name, "arguments": {"n": 1}}}]}


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _unknown(body: dict[str, Any]) -> Response:
    return JSONResponse(_refusal(f"model {body['model']!r} not found"), status_code=404)


def _end(count: int) -> dict[str, object]:
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": 12_000_000,
        "load_duration": 2_000_000,
        "prompt_eval_count": 1,
        "eval_count": count,
    }
