"""Any engine that speaks the OpenAI-compatible HTTP API: the embedded one, Ollama, vLLM.

Source of the protocol: the public OpenAI API reference (chat, completions, embeddings, audio,
images, models).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import httpx2

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai_answer import Answer, server_sent
from aima.adapters.engines.openai_body import chat_body, complete_body, image_body
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.openai_wire import Pictures, Vectors, Voices
from aima.adapters.engines.running.startable import Startable
from aima.adapters.engines.server import EngineServer, number
from aima.errors import AimaError, ExecutionFailed
from aima.media import seconds_of
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    CompleteReply,
    CompleteRequest,
    EmbedReply,
    EmbedRequest,
    ImageReply,
    ImageRequest,
    Pieces,
    Progress,
    SpeechReply,
    SynthesizeRequest,
    Timings,
    TranscribeRequest,
    Transcript,
    Voice,
)

_FORMATS = {"audio/mpeg": "mp3", "audio/ogg": "opus"}
_NO_SUCH_LIST = 404
_EXTENSIONS = {  # some servers go by the name; Python's own table knows no audio/wav
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/webm": ".webm",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}


class OpenAIChats(EngineServer):
    """Chats by `POST /chat/completions`."""

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation, read as a stream so that a cancel is felt at once."""
        answer = Answer(engine=self.name, model=request.model)
        body = await self._talk(request)
        async with self._stream(self._chats_at(request.model), json=body) as response:
            async for event in server_sent(response.aiter_bytes(), self.name):
                if words := answer.add(event):
                    pieces(words)
        return answer.reply(request.json_schema)

    def _chats_at(self, model: str) -> str:
        """Tell where a model chats."""
        del model
        return "chat/completions"

    async def _talk(self, request: ChatRequest) -> dict[str, object]:
        """Write the conversation as the engine wants it."""
        return await chat_body(request, self.artifacts)


class OpenAICompletes(EngineServer):
    """Continues texts by `POST /completions`."""

    async def complete(self, request: CompleteRequest, *, pieces: Pieces) -> CompleteReply:
        """Continue a text, read as a stream so that a cancel is felt at once."""
        answer = Answer(engine=self.name, model=request.model, trimmed=False)
        async with self._stream("completions", json=complete_body(request)) as response:
            async for event in server_sent(response.aiter_bytes(), self.name):
                if words := answer.add(event):
                    pieces(words)
        return answer.completion()


class OpenAIEmbeds(EngineServer):
    """Makes vectors by `POST /embeddings`."""

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors."""
        body = {"model": request.model, "input": request.texts, "dimensions": request.dimensions}
        sent = {key: value for key, value in body.items() if value is not None}
        async with self._stream("embeddings", json=sent) as response:
            told = self._read(Vectors, await self._all(response))
        vectors = [v.embedding for v in sorted(told.data, key=lambda vector: vector.index)]
        if len(vectors) != len(request.texts):
            raise ExecutionFailed(
                f"engine {self.name!r} gave {len(vectors)} vectors for {len(request.texts)} texts"
            )
        return EmbedReply(
            embeddings=vectors,
            embedding=vectors[0] if vectors else [],
            usage=told.usage,
            model=told.model or request.model,
            timings=told.timings,
        )


class OpenAITranscribes(EngineServer):
    """Writes speech down by `POST /audio/transcriptions`."""

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write down a recording."""
        with (await self.artifacts.path(request.audio)).open("rb") as file:
            # English out of any language is a door of its own in this protocol.
            door = "audio/translations" if request.translate else "audio/transcriptions"
            form, parts = recording_form(request), recording_part(request, file)
            async with self._stream(door, data=form, files=parts) as response:
                body = await self._all(response)
        silent = {"segments": [], "language": request.language or "", "model": request.model}
        transcript = self._read(Transcript, body, silent)
        pieces(transcript.text)
        return transcript


class OpenAISpeaks(EngineServer):
    """Speaks by `POST /audio/speech`."""

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text; the recording is kept as it comes in."""
        body = {
            "model": request.model,
            "input": request.text,
            "voice": request.voice or "default",
            "response_format": request.format,
            "speed": request.speed,
        }
        async with self._stream("audio/speech", json=body) as response:
            told = response.headers
            audio = await kept(self, response, f"audio/{request.format}", pieces)
        total = number(told.get("x-aima-total-ms"))
        seconds = number(told.get("x-aima-audio-seconds"))
        return SpeechReply(
            audio=audio,
            format=_FORMATS.get(
                audio.media_type, audio.media_type.partition("/")[2].removeprefix("x-")
            ),
            duration=seconds or seconds_of(await self.artifacts.path(audio)),
            model=request.model,
            timings=Timings(total_ms=total, load_ms=number(told.get("x-aima-load-ms")))
            if total is not None
            else None,
        )

    async def voices(self) -> list[Voice]:
        """List the voices it speaks with; none where the server has no such list."""
        try:
            body = await self._get("audio/voices")
        except AimaError as error:
            if error.status == _NO_SUCH_LIST:
                return []
            raise
        return self._read(Voices, body).voices


class OpenAIDraws(EngineServer):
    """Draws by `POST /images/generations`."""

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures."""
        progress(f"{request.n} to make")
        async with self._stream("images/generations", json=image_body(request)) as response:
            told = self._read(Pictures, await self._all(response))
        form = told.output_format or request.format
        images = [
            await self.artifacts.put(self._bytes(made.b64_json), media_type=f"image/{form}")
            for made in told.data
        ]
        return ImageReply(
            images=images,
            format=form,
            kind=told.kind,
            model=told.model or request.model,
            timings=told.timings,
        )


@dataclass(frozen=True)
class OpenAIAll(
    OpenAIServer,
    OpenAIChats,
    OpenAICompletes,
    OpenAIEmbeds,
    OpenAITranscribes,
    OpenAISpeaks,
    OpenAIDraws,
    ChatDescribes,
):
    """An engine that has the whole protocol."""


@dataclass(frozen=True)
class OpenAIEngine(OpenAIAll, Startable):
    """An engine of which nothing is known but the protocol: it may be asked for all of it."""

    PRODUCT: ClassVar[Product] = Product(
        kind="openai",
        title="any server of the OpenAI-compatible API",
        start="",
        port=0,
        types=("llm", "vlm", "embedding", "asr", "tts", "diffusion"),
        formats=(),
        many=True,
    )


def recording_form(request: TranscribeRequest) -> dict[str, str]:
    """Write what is to be done with a recording."""
    form = {"model": request.model, "response_format": "verbose_json"}
    if request.language:
        form["language"] = request.language
    if request.prompt:
        form["prompt"] = request.prompt
    if request.words:
        form["timestamp_granularities[]"] = "word"
    return form


def recording_part(
    request: TranscribeRequest, file: BinaryIO
) -> dict[str, tuple[str, BinaryIO, str]]:
    """Write the recording itself, under a name that tells its format."""
    media_type = request.audio.media_type
    name = "audio" + _EXTENSIONS.get(media_type.partition(";")[0].strip(), "")
    return {"file": (name, file, media_type)}


async def kept(
    engine: EngineServer, response: httpx2.Response, usual: str, pieces: Pieces
) -> Artifact:
    """Keep a sound as it comes in, and show it meanwhile.

    Raises:
        ExecutionFailed: it is none; a proxy's web page has status 200, too.
    """
    media_type = response.headers.get("content-type", usual).partition(";")[0].strip()
    if not media_type.startswith(("audio/", "application/octet-stream")):
        raise ExecutionFailed(
            f"engine {engine.name!r} answered {media_type} where sound was asked for; is another "
            "program behind its address?"
        )

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in response.aiter_bytes():
            pieces(chunk)
            yield chunk

    return await engine.artifacts.put(chunks(), media_type=media_type)
