"""Whether a model really answers: it is asked for the least that it can do."""

from __future__ import annotations

import io
import wave
from collections.abc import Awaitable, Sequence
from time import monotonic

from aima.errors import AimaError
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Chats, Embeds, Engine, Reranks, Speaks, Transcribes
from aima.ports.engine_lifecycle import Readiness
from aima.ports.inference import (
    ChatRequest,
    EmbedRequest,
    Message,
    ModelCard,
    RerankRequest,
    SynthesizeRequest,
    TranscribeRequest,
    ignored,
)

_RATE = 16_000


async def prove_all(
    engine: Engine, models: Sequence[ModelCard], artifacts: Artifacts
) -> list[Readiness]:
    """Try one model after the other: loading two at once may be what an engine cannot bear."""
    return [await _prove(engine, model, artifacts) for model in models]


async def _prove(engine: Engine, model: ModelCard, artifacts: Artifacts) -> Readiness:
    question = await _least(engine, model, artifacts)
    if question is None:
        return Readiness(model=model.name, ready=None, reason="an answer costs too much to try")
    begun = monotonic()
    try:
        await question
    except AimaError as error:
        return Readiness(model=model.name, ready=False, reason=error.message)
    return Readiness(model=model.name, ready=True, seconds=round(monotonic() - begun, 3))


async def _least(
    engine: Engine, model: ModelCard, artifacts: Artifacts
) -> Awaitable[object] | None:
    """Find the smallest question for a model; None where even that one is dear."""
    name, kind = model.name, model.type or "llm"
    if kind in ("llm", "vlm") and isinstance(engine, Chats):
        said = [Message(role="user", content="Hi")]
        request = ChatRequest(model=name, messages=said, max_tokens=1, temperature=0)
        return engine.chat(request, pieces=ignored)
    if kind == "embedding" and isinstance(engine, Embeds):
        return engine.embed(EmbedRequest(model=name, input="a"))
    if kind == "rerank" and isinstance(engine, Reranks):
        return engine.rerank(RerankRequest(model=name, query="a", documents=["a"]))
    if kind == "tts" and isinstance(engine, Speaks):
        return engine.synthesize(SynthesizeRequest(model=name, text="a"), pieces=ignored)
    if kind == "asr" and isinstance(engine, Transcribes):
        audio = await artifacts.put(_silence(), media_type="audio/wav")
        return engine.transcribe(TranscribeRequest(model=name, audio=audio), pieces=ignored)
    return None


def _silence() -> bytes:
    """Record a second of nothing; shorter ones are refused by some."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(2 * _RATE))
    return file.getvalue()
