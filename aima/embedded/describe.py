"""Perception: a picture's facts found by small models, then put into words by the chat model.

No model here sees. What is told is what the detector, the text reader and plain arithmetic found;
the chat model only words it, and where its wording strays from the facts they are told as they
are. Replies say so: their ``kind`` is ``perception``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.embedded.chat import Chat, Clock
from aima.embedded.chat_request import ChatBody, ChatMessage, Role
from aima.embedded.detect import THRESHOLD, Detection, told
from aima.embedded.failure import WrongField
from aima.embedded.picture import picture_bytes
from aima.embedded.resident import Resident
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.embedded.vision.colours import brightness, main_colours
from aima.embedded.vision.facts import Facts
from aima.embedded.vision.ocr import TextReader
from aima.media_image import opened_image
from aima.models.manifest import Model

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 1920
"""Pixels; letters of any size that people read are still large enough."""

MOST_PICTURES = 8
SENTENCE_TOKENS = 96
SYSTEM = "You put facts about a picture into one plain sentence. You add nothing."
EXAMPLE = (
    "Facts: a dark picture, mainly blue and white. It shows two boats.",
    "The dark picture shows two boats, mainly in blue and white.",
)
"""Without one, the small model tells tales."""

ANSWERING = "You answer a question about a picture from the facts given, in one sentence."


class DescribeBody(BaseModel):
    """The body of ``POST /v1/describe``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    image: str
    prompt: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)


@dataclass(frozen=True)
class Perception:
    """The models that find facts, and the one that words them."""

    model: Model
    resident: Resident[TextReader]
    turns: Turns
    executor: ThreadPoolExecutor
    detection: Detection
    chat: Chat

    @property
    def loaded(self) -> bool:
        """Tell whether the text reader is in memory; the others tell for themselves."""
        return self.resident.loaded

    async def answer(self, request: Request, body: DescribeBody) -> Response:
        """Describe a picture, or answer a question about it."""
        picture = picture_bytes(body.image, field="image")
        return await while_wanted(request, self._described(picture, body))

    async def converse(self, request: Request, body: ChatBody) -> Response:
        """Answer a conversation with pictures: the chat model gets their facts in their place."""
        if len(body.pictures) > MOST_PICTURES:
            raise WrongField("messages", f"there are more than {MOST_PICTURES} pictures in it")
        pictures = [picture_bytes(url, field="messages") for url in body.pictures]

        async def look() -> list[str]:
            return [(await self.perceived(picture)).sentence for picture in pictures]

        sentences = await while_wanted(request, look()) if pictures else []
        return await self.chat.answer(
            request, body.with_pictures_told(sentences), called=self.model.name
        )

    async def perceived(self, picture: bytes) -> Facts:
        """Find the facts of a picture."""
        image, lines = await self._opened_and_read(picture)
        found = await self.detection.found(picture, threshold=THRESHOLD)
        return Facts(
            tuple(found.things), tuple(lines), tuple(main_colours(image)), brightness(image)
        )

    async def _opened_and_read(self, picture: bytes) -> tuple[Image, list[str]]:
        async with self.turns.turn():
            loaded = await self.resident.get()

            def read(stop: Stop) -> tuple[Image, list[str]]:
                image = opened_image(picture, most_side=LONGEST_SIDE)
                return image, [line.text for line in loaded.value.lines(image, stop=stop)]

            return await in_thread(self.executor, read)

    async def _described(self, picture: bytes, body: DescribeBody) -> Response:
        clock = Clock()
        facts = await self.perceived(picture)
        said, usage = await self._worded(facts, body, clock)
        answer: dict[str, object] = {
            "model": self.model.name,
            "kind": self.model.kind,
            "description": said,
            "perceived": {
                "detections": [told(thing) for thing in facts.things],
                "text": facts.lines,
                "colours": facts.colours,
                "brightness": facts.brightness,
            },
            "usage": usage,
        }
        clock.stamp(answer)
        return JSONResponse(answer)

    async def _worded(
        self, facts: Facts, body: DescribeBody, clock: Clock
    ) -> tuple[str, dict[str, object] | None]:
        """Give the facts in the chat model's words if those agree, else in ours."""
        if not facts.things and not body.prompt:
            return facts.sentence, None  # there is nothing to word
        asked = ChatBody(
            messages=_question(facts, body.prompt), max_tokens=body.max_tokens or SENTENCE_TOKENS
        )
        answer = await self.chat.whole(asked, clock)
        said = answer["choices"][0]["message"]["content"].strip()
        if not facts.agrees(said, question=body.prompt or ""):
            return facts.sentence, answer["usage"]
        return said if body.prompt else f"{said} {facts.written}".strip(), answer["usage"]


def _question(facts: Facts, prompt: str | None) -> list[ChatMessage]:
    if prompt is None:
        said = [*EXAMPLE, f"Facts: {facts.look}. It shows {facts.counted}."]
        roles: tuple[Role, ...] = ("user", "assistant", "user")
        return [
            ChatMessage(role="system", content=SYSTEM),
            *(ChatMessage(role=role, content=text) for role, text in zip(roles, said, strict=True)),
        ]
    ask = f"Facts: {facts.sentence}\nQuestion: {prompt}"
    return [ChatMessage(role="system", content=ANSWERING), ChatMessage(role="user", content=ask)]
