"""Speech to text and text to speech."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from aima.ports.artifacts import Artifact
from aima.ports.inference.request import SHOWN, Incoming, ModelReply, ModelRequest

AudioFormat: TypeAlias = Literal["wav", "mp3", "opus", "flac", "pcm"]


class TranscribeRequest(ModelRequest):
    """Speech to write down."""

    audio: Artifact = Field(
        description="The recording: any common container and codec.",
        json_schema_extra={"contentMediaType": "audio/*"},
    )
    language: str | None = Field(default=None, description="ISO 639-1 code; absent: detected.")
    prompt: str | None = Field(default=None, description="Names and words that may be heard.")
    words: bool = Field(default=False, description="Tell when each word was said.")
    translate: bool = Field(default=False, description="Write it in English, whatever was spoken.")


class Segment(BaseModel):
    """A stretch of speech, in seconds from the start."""

    start: float
    end: float
    text: str


class Word(BaseModel):
    """A word, in seconds from the start."""

    start: float
    end: float
    word: str


class Transcript(ModelReply):
    """What was said."""

    text: str = Field(description="All of it; empty for silence.")
    segments: list[Segment]
    words: list[Word] | None = Field(default=None, description="Where they were asked for.")
    language: str
    duration: float | None = Field(default=None, description="Length of the recording, seconds.")


class Saying(ModelRequest):
    """How to say something."""

    voice: str | None = Field(default=None, description="A voice of `inference.voices`.")
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="1 is the voice's own pace.")
    format: AudioFormat = Field(
        default="wav", description="How to record it; `pcm` is bare 16-bit sound."
    )
    stream: bool | None = Field(
        default=None,
        description="The earlier system's switch, without effect: speech is always streamed.",
    )


class SynthesizeRequest(Saying):
    """Text to say."""

    text: str = Field(min_length=1, description="What to say.")


class SayRequest(Saying):
    """Text to say, all of it or as another step writes it."""

    text: Annotated[str, Field(min_length=1)] | Incoming = Field(
        description="What to say; read while another step writes it, where that one shows it.",
        json_schema_extra=SHOWN,
    )


class SpeechReply(ModelReply):
    """Recorded speech."""

    audio: Artifact = Field(json_schema_extra=SHOWN)
    format: str = Field(description="Container of the recording, such as `wav`.")
    duration: float = Field(description="Length in seconds.")


class Voice(BaseModel):
    """A voice that can speak."""

    name: str
    model: str
    language: str | None = None
    description: str | None = None
