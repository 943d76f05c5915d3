"""Speech: `POST /v1/audio/speech`.

An engine that does not speak OpenAI's API mostly makes WAV; the other formats are made of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from aima.blocking import in_thread
from aima.errors import UnsupportedMedia
from aima.gateway.openai.translation.written import whole
from aima.mistakes import accept
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engine, Speaks
from aima.ports.inference import AudioFormat, Outlet, RelayRequest, SynthesizeRequest, ignored
from aima.recording import Recording

_OPENAIS = {
    *("default", "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
    *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
}
"""Voices that every program asks for, since its client must name one."""


class _Able(Speaks, Engine, Protocol):
    pass


class _Asked(BaseModel):
    input: str = Field(min_length=1)
    voice: str = "default"
    response_format: AudioFormat = "mp3"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    stream_format: Literal["audio"] = "audio"


@dataclass(frozen=True)
class Speech:
    """Says texts aloud."""

    artifacts: Artifacts

    async def ask(self, engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
        """Have a text said; OpenAI's own voices are the engine's usual one, where it has no such.

        Raises:
            UnsupportedMedia: the engine makes neither the format that is wanted nor WAV.
        """
        given = accept(_Asked.model_validate, asked.body, what="the request")
        there = {voice.name for voice in await engine.voices()}
        usual = given.voice in _OPENAIS - there
        wanted = SynthesizeRequest(
            model=asked.model,
            text=given.input,
            voice=None if usual else given.voice,
            speed=given.speed,
        )
        reply = await engine.synthesize(wanted, pieces=ignored)
        form = given.response_format
        if reply.format == form:
            sound, kind = await self.artifacts.get(reply.audio), reply.audio.media_type
        elif reply.format == "wav":
            path = await self.artifacts.path(reply.audio)
            sound, kind = await in_thread(_made, path, form)
        else:
            raise UnsupportedMedia(
                f"'response_format': engine {engine.name!r} makes {reply.format}, not {form}; ask "
                f"for {reply.format}"
            )
        await whole(answer, engine, asked, sound, kind)


def _made(path: Path, form: str) -> tuple[bytes, str]:
    recording = Recording()
    recording.add(path)
    return recording.bytes_of(form)
