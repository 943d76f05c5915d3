"""Recordings written down: `POST /v1/audio/transcriptions`, and `/v1/audio/translations`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field

from aima.gateway.openai.translation.files import kept, upload_of
from aima.gateway.openai.translation.written import Stream, as_it_comes, told, whole
from aima.mistakes import accept
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engine, Transcribes
from aima.ports.inference import (
    Outlet,
    RelayRequest,
    Segment,
    TranscribeRequest,
    Transcript,
    ignored,
)
from aima.subtitles import srt, vtt

_PLAIN = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
}
_TRUE = "true"


class _Able(Transcribes, Engine, Protocol):
    pass


class _Asked(BaseModel):
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    granularities: list[Literal["word", "segment"]] = Field(
        default=[], alias="timestamp_granularities[]"
    )
    stream: str = ""


@dataclass(frozen=True)
class Recordings:
    """Writes recordings down.

    Attributes:
        english: whatever is spoken, it is written in English.
    """

    artifacts: Artifacts
    english: bool = False

    async def ask(self, engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
        """Have a recording written down, in the form that is wanted."""
        given = accept(_Asked.model_validate, asked.body, what="the form")
        wanted = TranscribeRequest(
            model=asked.model,
            audio=await kept(upload_of(asked, "file"), self.artifacts),
            language=None if self.english else given.language or None,
            prompt=given.prompt or None,
            words="word" in given.granularities,
            translate=self.english,
        )
        if given.stream.lower() == _TRUE:
            await _streamed(engine, wanted, Stream(answer, engine, asked))
            return
        heard = await engine.transcribe(wanted, pieces=ignored)
        form = given.response_format
        if form == "json":
            await told(answer, engine, asked, {"text": heard.text})
        elif form == "verbose_json":
            await told(answer, engine, asked, self._verbose(heard))
        else:
            await whole(answer, engine, asked, _plain(heard, form).encode(), _PLAIN[form])

    def _verbose(self, heard: Transcript) -> dict[str, Any]:
        lines = [{"id": number, **line.model_dump()} for number, line in enumerate(_lines(heard))]
        value: dict[str, Any] = {
            "task": "translate" if self.english else "transcribe",
            "language": "en" if self.english else heard.language,
            "duration": heard.duration or max((line.end for line in _lines(heard)), default=0.0),
            "text": heard.text,
            "segments": lines,
        }
        words = {"words": [word.model_dump() for word in heard.words]} if heard.words else {}
        return value | words


async def _streamed(engine: _Able, wanted: TranscribeRequest, stream: Stream) -> None:
    async def show(text: str) -> None:
        await stream.tell({"type": "transcript.text.delta", "delta": text})

    heard = await as_it_comes(lambda pieces: engine.transcribe(wanted, pieces=pieces), show)
    await stream.tell({"type": "transcript.text.done", "text": heard.text})
    await stream.end()


def _plain(heard: Transcript, form: str) -> str:
    if form == "text":
        return f"{heard.text}\n"
    return (srt if form == "srt" else vtt)(_lines(heard))


def _lines(heard: Transcript) -> list[Segment]:
    """Give the stretches of speech; an engine that tells only words has one."""
    if heard.segments or not heard.text:
        return heard.segments
    words = heard.words or []
    ends = [heard.duration or 0.0, *(word.end for word in words)]
    return [
        Segment(start=min((w.start for w in words), default=0.0), end=max(ends), text=heard.text)
    ]
