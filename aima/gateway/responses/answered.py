"""Answers of OpenAI's chats as the Responses API tells them whole."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from aima.errors import AimaError, ExecutionFailed

Response = dict[str, Any]
"""An answer, as its clients read it."""
_CUT = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not whole, by what a chat says."""
_THOUGHTS = ("reasoning_content", "reasoning")
"""Where engines put what a model thinks."""


def begun(model: str, echoed: Mapping[str, Any], *, store: bool) -> Response:
    """Write an answer of which there is nothing yet; ``store``: it will be kept."""
    return {
        "id": name("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
        "store": store,
        **echoed,
    }


def answered(told: Mapping[str, Any], begun: Response) -> Response:
    """Write a whole answer.

    Raises:
        ExecutionFailed: the engine's answer is none to a chat.
    """
    try:
        [choice, *_] = told["choices"]
        said = choice["message"]
        output: list[dict[str, Any]] = []
        if found := thought_in(said):
            output.append(thinking(name("rs"), [thought(found)]))
        parts = [words(said["content"], logprobs(choice))] if said.get("content") else []
        parts += [refused(said["refusal"])] if said.get("refusal") else []
        if parts:
            output.append(message(name("msg"), parts))
        for call in said.get("tool_calls") or ():
            function = call["function"]
            made = called(name("fc"), call["id"], function["name"])
            output.append(made | {"arguments": function.get("arguments") or "{}"})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExecutionFailed("the engine answered something that is no chat") from error
    return ended(begun, output, choice.get("finish_reason"), told.get("usage"))


def ended(
    begun: Response, output: list[dict[str, Any]], reason: object, usage: Mapping[str, Any] | None
) -> Response:
    """Write an answer that is at its end, whole or cut off."""
    cut = _CUT.get(str(reason))
    if cut and output:
        output = [*output[:-1], output[-1] | {"status": "incomplete"}]
    told = {"status": "incomplete", "incomplete_details": {"reason": cut}} if cut else {}
    whole = {"status": "completed", "completed_at": int(time.time())}
    return begun | (told or whole) | {"output": output, "usage": spent(usage)}


def failed(begun: Response, output: list[dict[str, Any]], error: AimaError) -> Response:
    """Write an answer that broke off."""
    told = {"code": "server_error", "message": error.message}
    return begun | {"status": "failed", "output": output, "error": told}


def message(item: str, parts: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    """Write what the model said."""
    said = {"type": "message", "role": "assistant", "content": parts}
    return {"id": item, "status": status, **said}


def words(text: str, told: list[Any] | None = None) -> dict[str, Any]:
    """Write words."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": told or []}


def refused(text: str) -> dict[str, Any]:
    """Write a refusal."""
    return {"type": "refusal", "refusal": text}


def thinking(item: str, parts: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    """Write what the model thought."""
    return {"id": item, "type": "reasoning", "status": status, "summary": [], "content": parts}


def thought(text: str) -> dict[str, Any]:
    """Write a thought."""
    return {"type": "reasoning_text", "text": text}


def called(item: str, call: str, function: str, status: str = "completed") -> dict[str, Any]:
    """Write a call, so far without what it is given."""
    told = {"call_id": call, "name": function, "arguments": "", "status": status}
    return {"id": item, "type": "function_call", **told}


def thought_in(said: Mapping[str, Any]) -> str:
    """Find what the model thinks in a message, or a piece of one."""
    found = next((said[key] for key in _THOUGHTS if said.get(key)), "")
    return found if isinstance(found, str) else ""


def logprobs(choice: Mapping[str, Any]) -> list[Any]:
    """Find how likely each word was."""
    told = choice.get("logprobs")
    found = told.get("content") if isinstance(told, dict) else None
    return found if isinstance(found, list) else []


def spent(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Write what an answer cost; None where the engine does not tell."""
    if not told:
        return None
    read, written = told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": _detail(told, "prompt_tokens_details", "cached_tokens"),
            "cache_write_tokens": 0,
        },
        "output_tokens": written,
        "output_tokens_details": {
            "reasoning_tokens": _detail(told, "completion_tokens_details", "reasoning_tokens")
        },
        "total_tokens": told.get("total_tokens") or read + written,
    }


def name(kind: str) -> str:
    """Make a name for something new."""
    return f"{kind}_{secrets.token_hex(16)}"


def _detail(told: Mapping[str, Any], group: str, key: str) -> int:
    found = told.get(group)
    return (found.get(key) or 0) if isinstance(found, dict) else 0
