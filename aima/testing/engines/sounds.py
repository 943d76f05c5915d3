"""Sound that nobody said: a short silence as WAV, and what a listener writes of it."""

from __future__ import annotations

import io
import wave

from starlette.requests import Request

SECONDS = 0.1
_RATE = 16_000


def silence() -> bytes:
    """Give a tenth of a second."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(2 * int(_RATE * SECONDS)))
    return file.getvalue()


async def form_of(request: Request) -> tuple[dict[str, str], bytes]:
    """Read an upload: its fields, and the recording."""
    fields: dict[str, str] = {}
    recording = b""
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields[name] = value
            else:
                recording = await value.read()
    return fields, recording


def written(recording: bytes, *, words: bool) -> dict[str, object]:
    """Write the length of a recording down, as no listener would."""
    text = f"{len(recording)} bytes"
    heard = [{"word": word, "start": 0.0, "end": SECONDS} for word in text.split()]
    return {
        "task": "transcribe",
        "language": "en",
        "duration": SECONDS,
        "text": text,
        "segments": [{"id": 0, "start": 0.0, "end": SECONDS, "text": text}],
        **({"words": heard} if words else {}),
    }
