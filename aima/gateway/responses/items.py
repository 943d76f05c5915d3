"""The items of a conversation of the Responses API, and the messages of a chat that say the same.

Source: the public reference of OpenAI's API, whose clients send back the items they were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

Message: TypeAlias = dict[str, Any]
_INSTRUCTS = ("system", "developer")


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Words(_Given):
    """Words of anybody."""

    type: Literal["input_text", "output_text", "text"]
    text: str


class Refusal(_Given):
    """What the model said in place of an answer."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """Its words."""
        return self.refusal


class Picture(_Given):
    """A picture: its address, or its bytes as one that begins with `data:`."""

    type: Literal["input_image"]
    image_url: str
    detail: str | None = None


class Sound(_Given):
    """A recording in base64."""

    type: Literal["input_audio"]
    input_audio: dict[str, object]


class File(_Given):
    """A document's bytes, as an address that begins with `data:`."""

    type: Literal["input_file"]
    file_data: str
    filename: str = "file"


Part: TypeAlias = Annotated[
    Words | Refusal | Picture | Sound | File,
    Field(discriminator="type"),
]


def _parts(said: object) -> object:
    return [{"type": "input_text", "text": said}] if isinstance(said, str) else said


Parts: TypeAlias = Annotated[list[Part], BeforeValidator(_parts)]
"""What is said, also as a text alone."""


class Said(_Given):
    """What somebody said."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Parts


class Call(_Given):
    """A function that the model wanted called."""

    call_id: str
    name: str
    arguments: str


class CallOutput(_Given):
    """What came of it."""

    call_id: str
    output: Parts


class Thought(_Given):
    """What the model thought before; no engine wants it back."""


def _kind(item: object) -> str | None:
    """Tell what an item is; one that says nothing of it is a message."""
    kind = item.get("type") if isinstance(item, dict) else None
    return kind if isinstance(kind, str) else "message"


Item: TypeAlias = Annotated[
    Annotated[Said, Tag("message")]
    | Annotated[Call, Tag("function_call")]
    | Annotated[CallOutput, Tag("function_call_output")]
    | Annotated[Thought, Tag("reasoning")],
    Discriminator(
        _kind,
        custom_error_type="unknown_item",
        custom_error_message="the engine of this model answers chats, so an item is a `message`, "
        "a `function_call`, a `function_call_output` or `reasoning`",
    ),
]
"""One item of a conversation."""


def items_of(given: object) -> object:
    """Give the items of an input; a text alone is what a user said."""
    if not isinstance(given, str):
        return given
    content = [{"type": "input_text", "text": given}]
    return [{"type": "message", "role": "user", "content": content}]


def sees(items: Sequence[object]) -> bool:
    """Tell whether there are pictures in a conversation, as its client wrote it."""
    return any(
        isinstance(part, dict) and part.get("type") == "input_image"
        for item in items
        if isinstance(item, dict)
        for key in ("content", "output")
        if isinstance(parts := item.get(key), list)
        for part in parts
    )


def messages(instructions: str, items: Sequence[Item]) -> list[Message]:
    """Write a conversation as the messages of a chat.

    What is said to the model before anybody else speaks is one message: many templates of chats
    know no second one.
    """
    first = next((n for n, item in enumerate(items) if not _instructs(item)), len(items))
    told = [instructions, *(_text(_of(item), "\n") for item in items[:first])]
    said = "\n\n".join(text for text in told if text)
    written: list[Message] = [{"role": "system", "content": said}] if said else []
    for item in items[first:]:
        _write(item, written)
    return written


def _write(item: Item, written: list[Message]) -> None:
    """Write an item behind the messages before it; calls belong to what was said with them."""
    if isinstance(item, Call):
        if not written or written[-1]["role"] != "assistant":
            written.append({"role": "assistant", "content": ""})
        function = {"name": item.name, "arguments": item.arguments}
        called = {"id": item.call_id, "type": "function", "function": function}
        written[-1].setdefault("tool_calls", []).append(called)
    elif isinstance(item, CallOutput):
        told = {"role": "tool", "tool_call_id": item.call_id, "content": _content(item.output)}
        written.append(told)
    elif isinstance(item, Said) and item.role == "assistant":
        written.append({"role": "assistant", "content": _text(item.content, "")})
    elif isinstance(item, Said):
        role = "system" if _instructs(item) else item.role
        written.append({"role": role, "content": _content(item.content)})


def _instructs(item: Item) -> bool:
    return isinstance(item, Said) and item.role in _INSTRUCTS


def _of(item: Item) -> list[Part]:
    if isinstance(item, Said):
        return item.content
    return item.output if isinstance(item, CallOutput) else []


def _text(parts: Sequence[Part], between: str) -> str:
    return between.join(part.text for part in parts if isinstance(part, Words | Refusal))


def _content(parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    """Write what is said; words alone are a text, which every engine takes."""
    if all(isinstance(part, Words | Refusal) for part in parts):
        return _text(parts, "\n")
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Picture():
            detail = {"detail": part.detail} if part.detail else {}
            return {"type": "image_url", "image_url": {"url": part.image_url, **detail}}
        case Sound():
            return {"type": "input_audio", "input_audio": part.input_audio}
        case File():
            file = {"filename": part.filename, "file_data": part.file_data}
            return {"type": "file", "file": file}
    return {"type": "text", "text": part.text}
