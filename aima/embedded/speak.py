"""Speech: a text said sentence by sentence, for as long as somebody waits for it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aima.embedded.failure import WrongField
from aima.embedded.resident import Resident
from aima.embedded.speech.voices import ALIASES, DESCRIPTIONS
from aima.embedded.stopping import Stop, in_thread, while_wanted
from aima.embedded.turns import Turns
from aima.errors import TooLarge
from aima.models.manifest import Model
from aima.recording import AudioFormat

if TYPE_CHECKING:
    from aima.embedded.speech.kokoro import Kokoro, Sound

LONGEST_TEXT = 20_000
"""Characters; about 20 minutes of speech."""


class SpeechBody(BaseModel):
    """The body of ``POST /v1/audio/speech``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = "default"
    input: str
    voice: str = "default"
    response_format: AudioFormat = "wav"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)


@dataclass(frozen=True)
class Speaking:
    """A voice model behind its queue."""

    model: Model
    resident: Resident[Kokoro]
    turns: Turns
    executor: ThreadPoolExecutor

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.resident.loaded

    async def answer(self, request: Request, body: SpeechBody) -> Response:
        """Say a text."""
        from aima.embedded import audio
        from aima.embedded.speech.kokoro import SAMPLE_RATE

        if len(body.input) > LONGEST_TEXT:
            raise TooLarge(
                f"input: the text has {len(body.input)} characters and {LONGEST_TEXT} can be said "
                "at once; send it in parts"
            )
        begun = time.monotonic()
        sound, load_ms = await while_wanted(request, self._said(body))
        headers = {
            "x-aima-total-ms": f"{(time.monotonic() - begun) * 1000:.1f}",
            "x-aima-load-ms": f"{load_ms:.1f}",
            "x-aima-audio-seconds": f"{len(sound) / SAMPLE_RATE:.3f}",
        }
        recording, media_type = await in_thread(
            self.executor,
            lambda _: audio.encoded(sound, rate=SAMPLE_RATE, form=body.response_format),
        )
        return Response(recording, headers=headers, media_type=media_type)

    async def _said(self, body: SpeechBody) -> tuple[Sound, float]:
        voice = _voice(body.voice)
        async with self.turns.turn():
            loaded = await self.resident.get()

            def say(stop: Stop) -> Sound:
                return loaded.value.speak(body.input, voice=voice, speed=body.speed, stop=stop)

            sound = await in_thread(self.executor, say)
        if not len(sound):
            raise WrongField(
                "input",
                "there is nothing this voice can say; it speaks English in Latin letters",
            )
        return sound, loaded.load_ms


def _voice(asked: str) -> str:
    voice = ALIASES.get(asked.lower(), asked)
    if voice not in DESCRIPTIONS:
        names = ", ".join([*DESCRIPTIONS, *ALIASES])
        raise WrongField("voice", f"no voice is called {asked!r}; there are: {names}")
    return voice
