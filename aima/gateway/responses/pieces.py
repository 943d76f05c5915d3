"""The items of an answer of the Responses API while they are being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from aima.gateway.responses.answered import called, message, name, refused, thinking, thought, words

Told = tuple[str, dict[str, Any]]
"""An event: its name behind `response.`, and what it says."""


class Piece(Protocol):
    """An item that is being written."""

    def began(self) -> Iterator[Told]:
        """Tell that it begins."""
        ...

    def more(self, text: str, logprobs: list[Any]) -> Iterator[Told]:
        """Tell how it goes on."""
        ...

    def ended(self) -> Iterator[Told]:
        """Tell that it is at its end."""
        ...

    def item(self, status: str = "completed") -> dict[str, Any]:
        """Give what there is of it."""
        ...


@dataclass(frozen=True)
class Voice:
    """A way to talk.

    Attributes:
        prefix: of the names of its items.
        events: how its events begin.
        text: the key of its text.
        part: writes it.
        made: writes the item around it.
    """

    prefix: str
    events: str
    text: str
    part: Callable[[str, list[Any]], dict[str, Any]]
    made: Callable[[str, list[dict[str, Any]], str], dict[str, Any]]


WORDS = Voice("msg", "output_text", "text", words, message)
REFUSAL = Voice("msg", "refusal", "refusal", lambda text, _: refused(text), message)
THOUGHT = Voice("rs", "reasoning_text", "text", lambda text, _: thought(text), thinking)


class Talk:
    """What the model says or thinks."""

    def __init__(self, voice: Voice, index: int) -> None:
        """Begin it, as an item at a place of the answer."""
        self.voice = voice
        self._name = name(voice.prefix)
        self._index = {"output_index": index}
        self._place = {"item_id": self._name, **self._index, "content_index": 0}
        self._text = ""
        self._logprobs: list[Any] = []

    def began(self) -> Iterator[Told]:
        """Tell that it begins."""
        item = self.voice.made(self._name, [], "in_progress")
        yield "output_item.added", {**self._index, "item": item}
        yield "content_part.added", {**self._place, "part": self.voice.part("", [])}

    def more(self, text: str, logprobs: list[Any]) -> Iterator[Told]:
        """Tell how it goes on."""
        self._text += text
        self._logprobs += logprobs
        told = {"logprobs": logprobs} if self.voice is WORDS else {}
        yield f"{self.voice.events}.delta", {**self._place, "delta": text, **told}

    def ended(self) -> Iterator[Told]:
        """Tell that it is at its end."""
        told = {"logprobs": self._logprobs} if self.voice is WORDS else {}
        whole = {self.voice.text: self._text, **told}
        yield f"{self.voice.events}.done", {**self._place, **whole}
        yield "content_part.done", {**self._place, "part": self._part()}
        yield "output_item.done", {**self._index, "item": self.item()}

    def item(self, status: str = "completed") -> dict[str, Any]:
        """Give what there is of it."""
        return self.voice.made(self._name, [self._part()], status)

    def _part(self) -> dict[str, Any]:
        return self.voice.part(self._text, self._logprobs)


class Calling:
    """A function that the model wants called."""

    def __init__(self, call: str, function: str, index: int) -> None:
        """Begin it, as an item at a place of the answer."""
        self._name = name("fc")
        self._call, self._function = call, function
        self._index = {"output_index": index}
        self._arguments = ""

    def began(self) -> Iterator[Told]:
        """Tell that it begins."""
        yield "output_item.added", {**self._index, "item": self.item("in_progress")}

    def more(self, text: str, _: list[Any]) -> Iterator[Told]:
        """Tell how what it is given goes on."""
        self._arguments += text
        yield "function_call_arguments.delta", {**self._place(), "delta": text}

    def ended(self) -> Iterator[Told]:
        """Tell that it is at its end."""
        told = {"name": self._function, "arguments": self._arguments or "{}"}
        yield "function_call_arguments.done", {**self._place(), **told}
        yield "output_item.done", {**self._index, "item": self.item()}

    def item(self, status: str = "completed") -> dict[str, Any]:
        """Give what there is of it."""
        arguments = self._arguments or ("{}" if status == "completed" else "")
        return called(self._name, self._call, self._function, status) | {"arguments": arguments}

    def _place(self) -> dict[str, Any]:
        return {"item_id": self._name, **self._index}
