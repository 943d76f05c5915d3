"""Transcription: a recording decoded, heard, and told in the form asked for."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from aima.embedded.decode import decoded
from aima.embedded.failure import WrongField
from aima.embedded.resident import Resident
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.embedded.whisper import Hearing, Segment, Whisper
from aima.models.manifest import Model
from aima.subtitles import srt, vtt


class TranscribeForm(BaseModel):
    """The fields of ``POST /v1/audio/transcriptions`` beside the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    language: str | None = None
    response_format: Literal["json", "verbose_json", "text", "srt", "vtt"] = "json"
    prompt: str | None = Field(default=None, max_length=1000)
    words: bool = False
    stream: bool = False
    task: Literal["transcribe", "translate"] = "transcribe"


@dataclass(frozen=True)
class Heard:
    """What a recording holds."""

    seconds: float
    segments: tuple[Segment, ...]
    load_ms: float

    @property
    def text(self) -> str:
        """All of it; empty for silence."""
        return " ".join(segment.text for segment in self.segments)


@dataclass(frozen=True)
class Transcription:
    """A speech recogniser behind its queue."""

    model: Model
    resident: Resident[Whisper]
    turns: Turns
    executor: ThreadPoolExecutor

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.resident.loaded

    async def answer(self, request: Request, form: TranscribeForm, file: IO[bytes]) -> Response:
        """Write down a recording."""
        language = self._language("en" if form.task == "translate" else form.language)
        begun = time.monotonic()
        heard = await while_wanted(request, self._heard(file, _hearing(language, form)))
        total_ms = (time.monotonic() - begun) * 1000
        if form.stream:
            return Response(_events(heard), media_type="text/event-stream")
        match form.response_format:
            case "text":
                return PlainTextResponse(heard.text)
            case "srt":
                return PlainTextResponse(srt(heard.segments), media_type="application/x-subrip")
            case "vtt":
                return PlainTextResponse(vtt(heard.segments), media_type="text/vtt")
        told: dict[str, object] = {"text": heard.text}
        if form.response_format == "verbose_json":
            told |= self._details(heard, language) | {"task": form.task}
        if form.words:
            told["words"] = [
                {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
                for segment in heard.segments
                for word in segment.words
            ]
        timings = {"total_ms": round(total_ms, 1), "load_ms": round(heard.load_ms, 1)}
        return JSONResponse(told | {"timings": timings})

    async def _heard(self, file: IO[bytes], hearing: Hearing) -> Heard:
        async with self.turns.turn():
            loaded = await self.resident.get()

            def hear(stop: Stop) -> Heard:
                with decoded(file, stop=stop) as recording:
                    found = loaded.value.segments(recording, hearing, stop=stop)
                    return Heard(recording.seconds, tuple(found), loaded.load_ms)

            return await in_thread(self.executor, hear)

    def _details(self, heard: Heard, language: str) -> dict[str, object]:
        segments = [
            {
                "id": number,
                "start": round(segment.start, 3),
                "end": round(segment.end, 3),
                "text": segment.text,
            }
            for number, segment in enumerate(heard.segments)
        ]
        return {
            "model": self.model.name,
            "language": language,
            "duration": round(heard.seconds, 3),
            "segments": segments,
        }

    def _language(self, asked: str | None) -> str:
        """Give the language to hear; without one asked for, the model's main language.

        Raises:
            WrongField: the model does not know the language asked for.
        """
        known = self.model.languages
        if not asked:
            return known[0]
        code = asked.lower().split("-")[0]
        if code in known:
            return code
        raise WrongField(
            "language",
            f"model {self.model.name!r} hears {', '.join(known)} only, not {asked!r}; "
            "use a model of another engine",
        )


def _events(heard: Heard) -> bytes:
    """Write a transcript as the events of a stream, one for each stretch of speech."""
    between = ["", *(" " for _ in heard.segments[1:])]
    told: list[dict[str, str]] = [
        {"type": "transcript.text.delta", "delta": space + segment.text}
        for space, segment in zip(between, heard.segments, strict=False)
    ]
    told.append({"type": "transcript.text.done", "text": heard.text})
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in told)


def _hearing(language: str, form: TranscribeForm) -> Hearing:
    return Hearing(language, words=form.words, prompt=form.prompt)
