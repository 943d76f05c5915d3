"""Requests of bounded size, whatever they state."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aima.errors import TooLarge


class BodyLimit:
    """Refuses a body that goes past its bound, while it comes in."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        """Guard ``app``."""
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its bytes."""
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most_bytes:
                raise TooLarge(
                    f"the body has more than {self._most_bytes >> 20} MiB; send it in parts"
                )
            return message

        await self._app(scope, counted, send)
