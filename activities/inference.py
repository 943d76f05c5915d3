"""Using models: language, speech, pictures, vectors."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from aima.asked import TOLD, Asked
from aima.batches import Batch
from aima.errors import (
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    ModelNotFound,
    NotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    UnsupportedMedia,
    ValidationFailed,
)
from aima.ports.inference import (
    BatchDescribeReply,
    BatchDescribeRequest,
    BatchReply,
    BatchRequest,
    BatchResult,
    ChatReply,
    ChatRequest,
    CompleteReply,
    CompleteRequest,
    Described,
    DescribeReply,
    DescribeRequest,
    DetectReply,
    DetectRequest,
    EmbedReply,
    EmbedRequest,
    ImageReply,
    ImageRequest,
    Incoming,
    ItemError,
    ModelCard,
    ModelType,
    Request,
    RerankReply,
    RerankRequest,
    SayRequest,
    SpeechReply,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    VideoReply,
    VideoRequest,
    Voice,
    ignored,
)
from aima.spoken import said_as_it_comes
from aima.unit import Context, Domain, Example, Retry

inference = Domain("inference")

ENGINE_ERRORS = (ModelNotFound, EngineNotRunning, RateLimited, ValidationFailed, TooLarge)
PICTURE_ERRORS = (*ENGINE_ERRORS, UnsupportedMedia, NotFound)
OF_ONE_ITEM = (ValidationFailed, TooLarge, UnsupportedMedia, ExecutionFailed, TimedOut)
"""What is wrong with one item of a batch; anything else is wrong with all of them."""

DESCRIBED = {"description", "kind", "perceived"}
PATIENT = Retry(attempts=5, delay=timedelta(milliseconds=500))


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
    emits=TOLD,
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
    async with Asked("chat", request, ctx) as asked:
        reply = await ctx.engines.chat(request, pieces=ctx.pieces)
        await asked.done(reply.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=(*ENGINE_ERRORS, UnsupportedMedia, NotFound),
    emits=TOLD,
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
    async with Asked("transcribe", request, ctx) as asked:
        transcript = await ctx.engines.transcribe(request, pieces=ctx.pieces)
        await asked.done(transcript.model)
    return transcript


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=(*ENGINE_ERRORS, InsufficientResources, NotFound),
    emits=TOLD,
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
    async with Asked("synthesize", request, ctx) as asked:
        if isinstance(request.text, Incoming):
            speech = await said_as_it_comes(request, request.text, ctx)
        else:
            whole = SynthesizeRequest(**request.model_dump())
            speech = await ctx.engines.synthesize(whole, pieces=ctx.pieces)
        await asked.done(speech.model)
    return speech


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=ENGINE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "A sentence to end",
            {"prompt": "The capital of France is", "max_tokens": 4},
            {"text": " Paris.", "finish_reason": "length"},
            holds=(lambda reply: bool(reply["text"]),),
        ),
    ),
)
async def complete(request: CompleteRequest, ctx: Context) -> CompleteReply:
    """Continue a text with a served model."""
    async with Asked("complete", request, ctx) as asked:
        reply = await ctx.engines.complete(request, pieces=ctx.pieces)
        await asked.done(reply.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=ENGINE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "Two texts",
            {"input": ["How long is the warranty?", "It lasts 24 months."]},
            {"embeddings": [[0.02, -0.05], [0.04, 0.01]], "model": "all-minilm-l6-v2"},
            holds=(
                lambda reply: [len(vector) for vector in _list(reply, "embeddings")] == [384, 384],
                lambda reply: reply["embedding"] == _list(reply, "embeddings")[0],
            ),
        ),
    ),
)
async def embed(request: EmbedRequest, ctx: Context) -> EmbedReply:
    """Turn texts into vectors that are near each other where the texts mean alike."""
    async with Asked("embed", request, ctx) as asked:
        reply = await ctx.engines.embed(request)
        await asked.done(reply.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=ENGINE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "Which passage answers",
            {
                "query": "How long is the warranty?",
                "documents": ["Our office is in Berlin.", "The warranty lasts 24 months."],
                "top_n": 1,
            },
            {
                "results": [
                    {"index": 1, "score": 0.6, "document": "The warranty lasts 24 months."}
                ],
                "model": "minilm-late-interaction",
            },
            holds=(lambda reply: [r["index"] for r in _list(reply, "results")] == [1],),
        ),
    ),
)
async def rerank(request: RerankRequest, ctx: Context) -> RerankReply:
    """Put texts into the order in which they answer a query.

    A document with fields of its own comes back as it was given.
    """
    async with Asked("rerank", request, ctx) as asked:
        reply = await ctx.engines.rerank(request)
        await asked.done(reply.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=PICTURE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "A cup",
            {"image": "@assets/coffee.jpg"},
            {
                "detections": [
                    {
                        "label": "cup",
                        "score": 0.5,
                        "box": {"xmin": 84, "ymin": 6, "xmax": 256, "ymax": 239},
                    }
                ],
                "width": 360,
                "height": 240,
                "model": "nanodet-g",
            },
            holds=(lambda reply: "cup" in [d["label"] for d in _list(reply, "detections")],),
        ),
    ),
)
async def detect(request: DetectRequest, ctx: Context) -> DetectReply:
    """Find things in a picture, the surest first."""
    async with Asked("detect", request, ctx) as asked:
        reply = await ctx.engines.detect(request)
        await asked.done(reply.model)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=PICTURE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "What there is",
            {"image": "@assets/coffee.jpg"},
            {"description": "The picture shows a cup.", "kind": "perception"},
            holds=(
                lambda reply: "cup" in str(reply["description"]),
                lambda reply: reply["kind"] == "perception",
            ),
        ),
    ),
)
async def describe(request: DescribeRequest, ctx: Context) -> DescribeReply:
    """Put a picture into words.

    `kind` tells whether a model saw it (`vlm`), or whether things, text and colours that were
    found in it were put into words (`perception`).
    """
    async with Asked("describe", request, ctx) as asked:
        reply = await ctx.engines.describe(request, pieces=ctx.pieces)
        await asked.done(reply.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    retry=PATIENT,
    errors=(*PICTURE_ERRORS, InsufficientResources),
    emits=TOLD,
    examples=(
        Example(
            "A pattern",
            {"prompt": "a red sunset over the ocean", "size": "256x160", "seed": 7},
            {"format": "png", "kind": "procedural", "model": "procedural"},
            holds=(
                lambda reply: len(_list(reply, "images")) == 1,
                lambda reply: reply["kind"] == "procedural",
            ),
        ),
    ),
)
async def generate_image(request: ImageRequest, ctx: Context) -> ImageReply:
    """Make pictures from a prompt.

    `kind` tells how: the embedded engine has no model that paints, and computes patterns
    (`procedural`).
    """
    async with Asked("generate_image", request, ctx) as asked:
        reply = await ctx.engines.generate_image(request, progress=ctx.progress)
        await asked.done(reply.model)
    return reply


@inference.command(
    idempotent=True,
    timeout=timedelta(hours=1),
    retry=PATIENT,
    errors=(*PICTURE_ERRORS, InsufficientResources),
    emits=TOLD,
    examples=(
        Example(
            "A second of sea",
            {"prompt": "waves", "duration": 1},
            {"format": "mp4", "duration": 1.0},
            fails=ModelNotFound,
        ),
    ),
)
async def generate_video(request: VideoRequest, ctx: Context) -> VideoReply:
    """Make a film from a prompt, with an engine that has a model for it; AIMA brings none along.

    A job that an earlier attempt has begun is waited for, not begun again.
    """
    async with Asked("generate_video", request, ctx) as asked:
        reply = await ctx.engines.generate_video(request, progress=ctx.progress, memory=ctx.memory)
        await asked.done(reply.model)
    return reply


@inference.command(
    idempotent=True,
    timeout=timedelta(hours=1),
    retry=PATIENT,
    errors=(*ENGINE_ERRORS, NotFound),
    emits=TOLD,
    examples=(
        Example(
            "Two questions",
            {
                "items": [
                    "What is the capital of France?",
                    {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8},
                ],
                "max_tokens": 16,
            },
            {
                "results": [
                    {"index": 0, "content": "The capital of France is Paris."},
                    {"index": 1, "content": "Hello!"},
                ],
                "succeeded": 2,
                "failed": 0,
            },
            holds=(
                lambda reply: [r["index"] for r in _list(reply, "results")] == [0, 1],
                lambda reply: reply["failed"] == 0,
            ),
        ),
    ),
)
async def batch(request: BatchRequest, ctx: Context) -> BatchReply:
    """Answer many texts or chats, so many at once, in their order.

    An item that fails has an `error` and stops no other. Where an engine is away or too busy the
    next attempt goes on with the items that are left.
    """

    async def answered(index: int) -> BatchResult:
        try:
            reply = await ctx.engines.chat(request.chat(index), pieces=ignored)
        except OF_ONE_ITEM as error:
            return BatchResult(index=index, error=ItemError.of(error))
        return BatchResult(
            index=index,
            content=reply.content,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
        )

    async with Asked("batch", request, ctx) as asked:
        under_way = Batch(BatchResult, ctx.artifacts, ctx.memory, ctx.progress)
        results = await under_way.run(len(request.items), answered, at_once=request.batch_size)
        reply = BatchReply.of(results)
        await asked.done(request.model, reply.usage)
    return reply


@inference.command(
    idempotent=True,
    timeout=timedelta(hours=1),
    retry=PATIENT,
    errors=PICTURE_ERRORS,
    emits=TOLD,
    examples=(
        Example(
            "One picture twice",
            {"images": ["@assets/coffee.jpg", "@assets/coffee.jpg"]},
            {
                "descriptions": ["The picture shows a cup.", "The picture shows a cup."],
                "succeeded": 2,
                "failed": 0,
            },
            holds=(
                lambda reply: all("cup" in said for said in _list(reply, "descriptions")),
                lambda reply: reply["failed"] == 0,
            ),
        ),
    ),
)
async def batch_describe(request: BatchDescribeRequest, ctx: Context) -> BatchDescribeReply:
    """Put many pictures into words, such as the frames of a film, in their order.

    A picture that fails has an `error` and stops no other; after a worker's death the next
    attempt goes on with the pictures that are left.
    """

    async def described(index: int) -> Described:
        time = request.time(index)
        try:
            reply = await ctx.engines.describe(request.describe(index), pieces=ignored)
        except OF_ONE_ITEM as error:
            return Described(index=index, time=time, error=ItemError.of(error))
        return Described(index=index, time=time, **reply.model_dump(include=DESCRIBED))

    async with Asked("batch_describe", request, ctx) as asked:
        under_way = Batch(Described, ctx.artifacts, ctx.memory, ctx.progress)
        results = await under_way.run(len(request.images), described, at_once=request.batch_size)
        await asked.done(request.model)
    return BatchDescribeReply.of(results)


@inference.query(
    view=True,
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
    view=True,
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


def _list(reply: Mapping[str, object], field: str) -> list[Any]:
    """Take a list out of an example's output."""
    found = reply[field]
    return found if isinstance(found, list) else []


inference.resource("asms://inference/models", models, "The models that engines serve")
