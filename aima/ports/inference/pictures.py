"""Pictures and films: made, looked at, described."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from aima.ports.artifacts import Artifact
from aima.ports.inference.request import ModelReply, ModelRequest, Usage

IMAGE: JsonDict = {"contentMediaType": "image/*"}


class ImageRequest(ModelRequest):
    """A picture to make."""

    prompt: str = Field(min_length=1, description="What to show.")
    negative_prompt: str | None = Field(default=None, description="What not to show.")
    size: str | None = Field(
        default=None, pattern=r"^[1-9]\d{1,4}x[1-9]\d{1,4}$", description="Such as `512x512`."
    )
    n: int = Field(default=1, ge=1, le=16, description="How many pictures.")
    steps: int | None = Field(default=None, gt=0, le=1000, description="How long to refine.")
    guidance: float | None = Field(default=None, ge=0, description="How closely to follow.")
    seed: int | None = Field(default=None, description="Makes the picture repeatable.")
    format: Literal["png", "jpeg", "webp"] = "png"
    image: Artifact | None = Field(
        default=None, description="A picture to change.", json_schema_extra=IMAGE
    )


class ImageReply(ModelReply):
    """Pictures that were made."""

    images: list[Artifact]
    format: str
    kind: str = Field(
        default="diffusion", description="How they were made, such as `diffusion`, `procedural`."
    )


class VideoRequest(ModelRequest):
    """A film to make."""

    prompt: str = Field(min_length=1, description="What to show.")
    negative_prompt: str | None = None
    duration: float | None = Field(default=None, gt=0, le=3600, description="Seconds.")
    size: str | None = Field(default=None, pattern=r"^[1-9]\d{1,4}x[1-9]\d{1,4}$")
    fps: int | None = Field(default=None, gt=0, le=240, description="Frames each second.")
    steps: int | None = Field(default=None, gt=0, le=1000)
    seed: int | None = None
    image: Artifact | None = Field(
        default=None, description="The first frame.", json_schema_extra=IMAGE
    )


class VideoReply(ModelReply):
    """A film that was made."""

    video: Artifact
    format: str
    duration: float | None = Field(default=None, description="Length in seconds, where known.")


class Box(BaseModel):
    """A rectangle in pixels of the picture, from its upper left corner."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


class Detection(BaseModel):
    """A thing that was found."""

    label: str
    score: float = Field(ge=0, le=1)
    box: Box


class DetectRequest(ModelRequest):
    """A picture to find things in."""

    image: Artifact = Field(json_schema_extra=IMAGE)
    threshold: float = Field(default=0.4, ge=0, le=1, description="Leave out what is less sure.")
    labels: list[str] | None = Field(default=None, description="Only these kinds of things.")


class DetectReply(ModelReply):
    """Things that were found, the surest first."""

    detections: list[Detection]
    width: int = Field(description="Of the picture, in pixels.")
    height: int


class DescribeRequest(ModelRequest):
    """A picture to put into words."""

    image: Artifact = Field(json_schema_extra=IMAGE)
    prompt: str | None = Field(default=None, description="What to tell; absent: what there is.")
    max_tokens: int | None = Field(default=None, gt=0)


class Perceived(BaseModel):
    """Facts of a picture, found by means other than a model that sees."""

    detections: list[Detection]
    text: list[str] = Field(description="What is written in it, line by line.")
    colours: list[str] = Field(description="The main ones, most of it first.")
    brightness: float = Field(ge=0, le=1)


class DescribeReply(ModelReply):
    """A picture in words."""

    description: str
    kind: Literal["vlm", "perception"] = Field(
        default="vlm",
        description="`vlm`: by a model that sees. `perception`: from the facts in `perceived`.",
    )
    perceived: Perceived | None = None
    usage: Usage | None = None


class Frame(BaseModel):
    """A picture out of a film."""

    image: Artifact = Field(json_schema_extra=IMAGE)
    index: int = Field(description="Its place among the pictures taken, from 0.")
    time: float = Field(description="When it is shown, seconds from the start.")
    width: int
    height: int
