"""The events of an answer of the Responses API, made of the pieces of a chat as they come.

Thoughts, words and each call are items of their own. Thoughts and words end when something else
begins; calls end with the answer, since engines may write several of them side by side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aima.errors import AimaError, ExecutionFailed
from aima.gateway.responses import answered
from aima.gateway.responses.answered import Response
from aima.gateway.responses.pieces import REFUSAL, THOUGHT, WORDS, Calling, Piece, Talk, Told, Voice
from aima.gateway.sse import event

Keep = Callable[[Response], Awaitable[None]]


class Events:
    """Tells one answer."""

    def __init__(self, begun: Response, keep: Keep) -> None:
        """Begin.

        Args:
            begun: the answer, of which there is nothing yet.
            keep: gets it before anybody is told that it is whole.
        """
        self._begun = begun
        self._keep = keep
        self._number = 0
        self._pieces: list[Piece] = []
        self._talking: Talk | None = None
        self._calls: dict[object, Calling] = {}
        self._reason: object = None
        self._usage: dict[str, Any] | None = None

    def take(self, chunk: dict[str, Any]) -> Iterator[bytes]:
        """Give the events of one chunk of a chat."""
        yield from self._begin()
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        try:
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or {}
                if thought := answered.thought_in(delta):
                    yield from self._talk(THOUGHT, thought)
                if text := delta.get("content"):
                    yield from self._talk(WORDS, text, answered.logprobs(choice))
                if text := delta.get("refusal"):
                    yield from self._talk(REFUSAL, text)
                for call in delta.get("tool_calls") or ():
                    yield from self._call(call)
                self._reason = choice.get("finish_reason") or self._reason
        except (KeyError, TypeError, AttributeError) as error:
            raise ExecutionFailed("the engine sent something that is no piece of a chat") from error

    async def end(self) -> bytes:
        """Give the events that end the answer."""
        told = [*self._begin(), *self._hush()]
        for call in self._calls.values():
            told += self._tell(call.ended())
        items = [piece.item() for piece in self._pieces]
        whole = answered.ended(self._begun, items, self._reason, self._usage)
        await self._keep(whole)
        return b"".join((*told, self._event(f"response.{whole['status']}", response=whole)))

    def fail(self, error: AimaError) -> bytes:
        """Give the event that tells of a failure."""
        items = [piece.item("incomplete") for piece in self._pieces]
        broken = answered.failed(self._begun, items, error)
        return self._event("response.failed", response=broken)

    def _begin(self) -> Iterator[bytes]:
        if self._number == 0:
            yield self._event("response.created", response=self._begun)
            yield self._event("response.in_progress", response=self._begun)

    def _talk(self, voice: Voice, text: str, logprobs: list[Any] | None = None) -> Iterator[bytes]:
        """Go on with thoughts or words, or begin them after what was said before."""
        talking = self._talking
        if talking is None or talking.voice is not voice:
            yield from self._hush()
            talking = self._talking = Talk(voice, len(self._pieces))
            yield from self._begun_with(talking)
        yield from self._tell(talking.more(text, logprobs or []))

    def _call(self, call: dict[str, Any]) -> Iterator[bytes]:
        """Go on with a call, or begin it."""
        function, key = call.get("function") or {}, call.get("index", 0)
        made = self._calls.get(key)
        if made is None:
            yield from self._hush()
            called = call.get("id") or answered.name("call")
            made = Calling(called, function.get("name") or "", len(self._pieces))
            self._calls[key] = made
            yield from self._begun_with(made)
        if arguments := function.get("arguments"):
            yield from self._tell(made.more(arguments, []))

    def _begun_with(self, piece: Piece) -> Iterator[bytes]:
        self._pieces.append(piece)
        yield from self._tell(piece.began())

    def _hush(self) -> Iterator[bytes]:
        """End what is being said."""
        if self._talking is not None:
            yield from self._tell(self._talking.ended())
            self._talking = None

    def _tell(self, told: Iterator[Told]) -> Iterator[bytes]:
        for kind, data in told:
            yield self._event(f"response.{kind}", **data)

    def _event(self, kind: str, **data: object) -> bytes:
        number, self._number = self._number, self._number + 1
        return event(kind, {"type": kind, "sequence_number": number, **data})
