"""Using models: chat, transcription, speech."""

from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, Field

from aima.blocking import in_thread
from aima.errors import (
    EngineNotRunning,
    InsufficientResources,
    ModelNotFound,
    NotFound,
    RateLimited,
    TooLarge,
    UnsupportedMedia,
    ValidationFailed,
)
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    Incoming,
    ModelCard,
    ModelType,
    Request,
    SayRequest,
    SpeechReply,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    Voice,
    ignored,
)
from aima.recording import Recording
from aima.sentences import sentences
from aima.unit import Context, Domain, Event, Example, Retry

inference = Domain("inference")

ENGINE_ERRORS = (ModelNotFound, EngineNotRunning, RateLimited, ValidationFailed, TooLarge)
PATIENT = Retry(attempts=5, delay=timedelta(milliseconds=500))


class RequestCompleted(Event):
    """A model did what it was asked."""

    TYPE: ClassVar[str] = "inference.request_completed"

    unit: str
    model: str
    tokens: int | None = None


class ModelsRequest(Request):
    """Which models to list."""

    type: ModelType | None = Field(default=None, description="Only models of this type.")


class ModelList(BaseModel):
    """Models that can be used now."""

    models: list[ModelCard]


class VoicesRequest(Request):
    """Which voices to list."""

    model: str | None = Field(default=None, description="Only voices of this model.")


class VoiceList(BaseModel):
    """Voices that can speak."""

    voices: list[Voice]


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=ENGINE_ERRORS,
    emits=(RequestCompleted,),
    examples=(
        Example(
            "A question",
            {
                "model": "default",
                "messages": [{"role": "user", "content": "What is the capital of France?"}],
                "max_tokens": 32,
            },
            {"content": "The capital of France is Paris.", "finish_reason": "stop"},
            holds=(
                lambda reply: bool(reply["content"]),
                lambda reply: reply["response"] == {"content": reply["content"]},
            ),
        ),
        Example(
            "An answer of a given shape",
            {
                "messages": [{"role": "user", "content": "Bob is 30 years old."}],
                "json_schema": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                    "required": ["name", "age"],
                    "additionalProperties": False,
                },
            },
            {"data": {"name": "Bob", "age": 30}, "finish_reason": "stop"},
            holds=(
                lambda reply: (
                    isinstance(reply["data"], dict) and set(reply["data"]) == {"name", "age"}
                ),
            ),
        ),
    ),
)
async def chat(request: ChatRequest, ctx: Context) -> ChatReply:
    """Answer a conversation with a served model.

    The answer ends where the model ends it, at a `stop` text, or at `max_tokens`.
    """
    reply = await ctx.engines.chat(request, pieces=ctx.pieces)
    await ctx.emit(
        RequestCompleted(
            unit="inference.chat", model=reply.model, tokens=reply.usage.completion_tokens
        )
    )
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=(*ENGINE_ERRORS, UnsupportedMedia, NotFound),
    emits=(RequestCompleted,),
    examples=(
        Example(
            "A spoken question",
            {"model": "default", "audio": "@assets/question.wav"},
            {"text": "What is the capital of France?", "language": "en"},
            holds=(lambda reply: "capital of france" in str(reply["text"]).lower(),),
        ),
    ),
)
async def transcribe(request: TranscribeRequest, ctx: Context) -> Transcript:
    """Write down what is said in a recording.

    Silence gives an empty text.
    """
    transcript = await ctx.engines.transcribe(request, pieces=ctx.pieces)
    await ctx.emit(RequestCompleted(unit="inference.transcribe", model=transcript.model))
    return transcript


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=(*ENGINE_ERRORS, InsufficientResources, NotFound),
    emits=(RequestCompleted,),
    examples=(
        Example(
            "A sentence",
            {"model": "default", "text": "The capital of France is Paris."},
            {"format": "wav", "duration": 2.1},
            holds=(lambda reply: float(str(reply["duration"])) > 1,),
        ),
    ),
)
async def synthesize(request: SayRequest, ctx: Context) -> SpeechReply:
    """Say a text aloud, into a recording.

    A text that another step is still writing is said sentence by sentence, as they come.
    """
    if isinstance(request.text, Incoming):
        speech = await _said_as_it_comes(request, request.text, ctx)
    else:
        whole = SynthesizeRequest(**request.model_dump())
        speech = await ctx.engines.synthesize(whole, pieces=ctx.pieces)
    await ctx.emit(RequestCompleted(unit="inference.synthesize", model=speech.model))
    return speech


async def _said_as_it_comes(request: SayRequest, text: Incoming, ctx: Context) -> SpeechReply:
    how = request.model_dump(exclude={"text", "format"})
    recording, model = Recording(), request.model
    async for sentence in sentences(ctx.incoming(text)):
        part = await ctx.engines.synthesize(SynthesizeRequest(**how, text=sentence), pieces=ignored)
        ctx.pieces(recording.add(await ctx.artifacts.path(part.audio)))
        model = part.model
    sound, media_type = await in_thread(recording.bytes_of, request.format)
    audio = await ctx.artifacts.put(sound, media_type=media_type)
    return SpeechReply(audio=audio, format=request.format, duration=recording.seconds, model=model)


@inference.query(
    errors=(EngineNotRunning,),
    examples=(
        Example(
            "What can listen",
            {"type": "asr"},
            {"models": [{"name": "whisper-tiny.en", "engine": "embedded", "type": "asr"}]},
            holds=(lambda reply: "whisper-tiny.en" in str(reply["models"]),),
        ),
    ),
)
async def models(request: ModelsRequest, ctx: Context) -> ModelList:
    """List the models that can be used now."""
    return ModelList(models=await ctx.engines.models(request.type))


@inference.query(
    errors=(EngineNotRunning,),
    examples=(
        Example(
            "Every voice",
            {},
            {"voices": [{"name": "jf_alpha", "model": "kokoro-82m"}]},
            holds=(lambda reply: bool(reply["voices"]),),
        ),
    ),
)
async def voices(request: VoicesRequest, ctx: Context) -> VoiceList:
    """List the voices that can speak."""
    found = await ctx.engines.voices()
    return VoiceList(voices=[v for v in found if request.model in (None, v.model)])
