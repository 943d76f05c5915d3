"""Answers of OpenAI's chats as the Messages API tells them, whole or as events."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from aima.errors import AimaError, ExecutionFailed
from aima.gateway.problem import anthropic_error
from aima.gateway.sse import event

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def message(told: dict[str, Any], model: str) -> dict[str, Any]:
    """Write a whole answer.

    Raises:
        ExecutionFailed: the engine's answer is none to a chat.
    """
    try:
        [choice, *_] = told["choices"]
        said = choice["message"]
        blocks: list[dict[str, Any]] = []
        if said.get("content"):
            blocks.append({"type": "text", "text": said["content"]})
        calls = said.get("tool_calls") or ()
        blocks += [_use(call["id"], call["function"]["name"], _input(call)) for call in calls]
        return {
            **_head(model),
            "content": blocks,
            "stop_reason": _REASONS.get(choice.get("finish_reason") or "", "end_turn"),
            "usage": _usage(told.get("usage")),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExecutionFailed("the engine answered something that is no chat") from error


class Events:
    """The events of one answer: its text is one block, each call of a tool another."""

    def __init__(self, model: str) -> None:
        """Begin an answer of a model."""
        self._model = model
        self._open: str = ""
        self._index = -1
        self._began = False
        self._reason = "end_turn"
        self._spent = _usage(None)

    def take(self, chunk: dict[str, Any]) -> Iterator[bytes]:
        """Give the events of one chunk of a chat."""
        yield from self._begin()
        if isinstance(chunk.get("usage"), dict):
            self._spent = _usage(chunk["usage"])
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if text := delta.get("content"):
                yield from self._turn("text", {"type": "text", "text": ""})
                yield self._delta({"type": "text_delta", "text": text})
            for call in delta.get("tool_calls") or ():
                yield from self._call(call)
            if reason := choice.get("finish_reason"):
                self._reason = _REASONS.get(reason, "end_turn")

    async def end(self) -> bytes:
        """Give the events that end the answer."""
        delta = {"stop_reason": self._reason, "stop_sequence": None}
        ended = _event("message_delta", delta=delta, usage=self._spent)
        return b"".join((*self._begin(), *self._close(), ended, _event("message_stop")))

    def fail(self, error: AimaError) -> bytes:
        """Give the event that tells of a failure."""
        return event("error", anthropic_error(error))

    def _begin(self) -> Iterator[bytes]:
        if not self._began:
            self._began = True
            begun = {
                **_head(self._model),
                "content": [],
                "stop_reason": None,
                "usage": _usage(None),
            }
            yield _event("message_start", message=begun)

    def _call(self, call: dict[str, Any]) -> Iterator[bytes]:
        function = call.get("function") or {}
        key = f"call {call.get('index', 0)}"
        name = function.get("name") or ""
        yield from self._turn(key, _use(call.get("id") or f"toolu_{key[5:]}", name, {}))
        if arguments := function.get("arguments"):
            yield self._delta({"type": "input_json_delta", "partial_json": arguments})

    def _turn(self, key: str, block: dict[str, Any]) -> Iterator[bytes]:
        """Go on in a block, or begin it after the one before."""
        if self._open != key:
            yield from self._close()
            self._open, self._index = key, self._index + 1
            yield _event("content_block_start", index=self._index, content_block=block)

    def _close(self) -> Iterator[bytes]:
        if self._open:
            self._open = ""
            yield _event("content_block_stop", index=self._index)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", index=self._index, delta=delta)


def _event(kind: str, **data: object) -> bytes:
    return event(kind, {"type": kind, **data})


def _head(model: str) -> dict[str, Any]:
    name = f"msg_{secrets.token_hex(12)}"
    told = {"type": "message", "role": "assistant", "model": model, "stop_sequence": None}
    return {"id": name, **told}


def _use(call: str, name: str, given: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": given}


def _input(call: dict[str, Any]) -> dict[str, Any]:
    """Read what a tool is to be given; a model may have written no JSON."""
    given = json.loads(call["function"].get("arguments") or "{}")
    if not isinstance(given, dict):
        raise TypeError
    return given


def _usage(told: dict[str, Any] | None) -> dict[str, int]:
    told = told or {}
    return {
        "input_tokens": told.get("prompt_tokens") or 0,
        "output_tokens": told.get("completion_tokens") or 0,
    }
