"""Pictures put into words by a chat model that sees."""

from __future__ import annotations

from abc import abstractmethod

from aima.adapters.engines.server import EngineServer
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    DescribeReply,
    DescribeRequest,
    ImagePart,
    Message,
    Pieces,
    TextPart,
)

QUESTION = "Describe this picture."
"""What is asked where the request has no prompt."""


class ChatDescribes(EngineServer):
    """Describes by a chat about the picture."""

    @abstractmethod
    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation."""

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Put a picture into words, with a model that sees it."""
        asked = TextPart(text=request.prompt or QUESTION)
        said = Message(role="user", content=[ImagePart(image=request.image), asked])
        talk = ChatRequest(model=request.model, messages=[said], max_tokens=request.max_tokens)
        reply = await self.chat(talk, pieces=pieces)
        return DescribeReply(
            description=reply.content,
            kind="vlm",
            usage=reply.usage,
            model=reply.model,
            timings=reply.timings,
        )
