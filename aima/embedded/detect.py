"""Detection: a picture opened, looked through, and what is in it told."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.embedded.failure import WrongField
from aima.embedded.picture import picture_bytes
from aima.embedded.resident import Resident
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.embedded.vision.coco import LABELS
from aima.embedded.vision.nanodet import SIDE, NanoDet, Thing
from aima.media_image import image_size, opened_image
from aima.models.manifest import Model

THRESHOLD = 0.4


class DetectBody(BaseModel):
    """The body of ``POST /v1/detections``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    image: str
    threshold: float = Field(default=THRESHOLD, ge=0, le=1)
    labels: list[str] | None = None


@dataclass(frozen=True)
class Found:
    """What is in a picture.

    Attributes:
        size: width and height of the picture, upright.
    """

    things: list[Thing]
    size: tuple[int, int]
    load_ms: float


@dataclass(frozen=True)
class Detection:
    """A detector behind its queue."""

    model: Model
    resident: Resident[NanoDet]
    turns: Turns
    executor: ThreadPoolExecutor

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.resident.loaded

    async def answer(self, request: Request, body: DetectBody) -> Response:
        """Find things in a picture."""
        wanted = _wanted(body.labels)
        picture = picture_bytes(body.image, field="image")
        begun = time.monotonic()
        found = await while_wanted(request, self.found(picture, threshold=body.threshold))
        total_ms = (time.monotonic() - begun) * 1000
        return JSONResponse(
            {
                "model": self.model.name,
                "detections": [told(thing) for thing in found.things if thing.label in wanted],
                "width": found.size[0],
                "height": found.size[1],
                "timings": {"total_ms": round(total_ms, 1), "load_ms": round(found.load_ms, 1)},
            }
        )

    async def found(self, picture: bytes, *, threshold: float) -> Found:
        """Find things in a picture, the surest first.

        Raises:
            UnsupportedMedia: the bytes are no picture.
            ValidationFailed: it is damaged.
            TooLarge: it has too many pixels.
        """
        async with self.turns.turn():
            loaded = await self.resident.get()

            def look(stop: Stop) -> Found:
                size = image_size(picture)
                image = opened_image(picture, most_side=2 * SIDE)
                stop.check()
                things = loaded.value.find(image, size=size, threshold=threshold)
                return Found(things, size, loaded.load_ms)

            return await in_thread(self.executor, look)


def told(thing: Thing) -> dict[str, object]:
    """Give a thing as the protocol tells it."""
    sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), thing.box, strict=True))
    return {"label": thing.label, "score": thing.score, "box": sides}


def _wanted(labels: list[str] | None) -> set[str]:
    """Check the kinds of things asked for; none means all."""
    if labels is None:
        return set(LABELS)
    for label in labels:
        if label not in LABELS:
            raise WrongField(
                "labels", f"this model knows no {label!r}; it knows {', '.join(LABELS)}"
            )
    return set(labels)
