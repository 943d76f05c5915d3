"""The units of `inference`, with their real names, types and rules, and nothing behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import BaseModel

from activities.inference import inference
from aima.ports.inference import ChatRequest, SayRequest, SpeechReply, TranscribeRequest
from aima.testing import chat_reply, transcript
from aima.unit import Context, Unit

HEARD = "What is the capital of France?"
ANSWERED = "The capital of France is Paris."


async def transcribe(request: BaseModel, ctx: Context) -> BaseModel:
    """Hear the question, whatever was recorded."""
    del ctx
    assert isinstance(request, TranscribeRequest)
    return transcript(HEARD, model=request.model)


async def chat(request: BaseModel, ctx: Context) -> BaseModel:
    """Give the answer to the one question."""
    del ctx
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content == HEARD
    return chat_reply(ANSWERED, model=request.model)


async def synthesize(request: BaseModel, ctx: Context) -> BaseModel:
    """Speak: the bytes are the text."""
    assert isinstance(request, SayRequest)
    audio = await ctx.artifacts.put(str(request.text).encode(), media_type="audio/wav")
    return SpeechReply(audio=audio, format="wav", duration=1.0, model=request.model)


def stand_ins() -> tuple[Unit, ...]:
    """Give the three units of a voice assistant, each with another body."""
    bodies: dict[str, Callable[[BaseModel, Context], Awaitable[BaseModel]]] = {
        "inference.transcribe": transcribe,
        "inference.chat": chat,
        "inference.synthesize": synthesize,
    }
    return tuple(replace(inference.units[name], run=body) for name, body in bodies.items())
