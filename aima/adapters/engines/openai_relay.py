"""Passing requests of OpenAI's API on, unread, and their answers back."""

from __future__ import annotations

from typing import Any

from aima.adapters.engines.server import EngineServer
from aima.ports.inference import Outlet, RelayRequest


class OpenAIRelays(EngineServer):
    """Takes requests of OpenAI's API as they came."""

    def takes(self, path: str) -> bool:
        """Tell whether it takes such requests as they are."""
        del path
        return True

    async def relay(self, request: RelayRequest, *, answer: Outlet) -> None:
        """Pass a request on, and its answer as it comes in."""
        body = request.body | {"model": request.model}
        content: dict[str, Any] = {"json": body}
        if request.uploads:
            for upload in request.uploads:
                upload.file.seek(0)  # another engine may have read it before
            files = [(u.field, (u.name, u.file, u.media_type)) for u in request.uploads]
            content = {"data": body, "files": files}
        async with self._stream(request.path, **content) as response:
            answer.begin(self.name, request.model, response.headers.get("content-type", ""))
            packed = (
                "content-encoding" in response.headers
            )  # unpacking costs, also where nothing is
            async for chunk in response.aiter_bytes() if packed else response.aiter_raw():
                await answer.write(chunk)
            await answer.end()


class OpenAIResponds(OpenAIRelays):
    """Takes requests of the Responses API, too."""

    async def respond(self, request: RelayRequest, *, answer: Outlet) -> None:
        """Pass a request on, and its answer as it comes in."""
        await self.relay(request, answer=answer)
