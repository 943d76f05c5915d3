"""Hugging Face's hosted models: a door for each model of the hub, and endpoints of one."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from aima.errors import EngineNotRunning, ExecutionFailed, RateLimited, ValidationFailed
from aima.ports.artifacts import Artifact
from aima.ports.inference import (
    ChatRequest,
    CompleteRequest,
    DetectRequest,
    EmbedRequest,
    ImageRequest,
    Message,
    RerankRequest,
    SynthesizeRequest,
    TranscribeRequest,
    ignored,
)
from aima.settings import EngineKind
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.sounds import SECONDS, silence
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS: tuple[EngineKind, ...] = ("hf_inference", "hf_endpoint")
MODEL = "org/model"
TALK = ChatRequest(model=MODEL, messages=[Message(role="user", content="Why?")])
SERVES = {MODEL: "embedding", "org/painter": "diffusion"}

each = pytest.mark.parametrize("kind", KINDS)


def engine(faked: Faked, kind: EngineKind) -> Any:  # noqa: ANN401 - either of them
    """Give AIMA's client of a fake."""
    return faked.engine(kind, serves=SERVES)


async def sound(faked: Faked) -> Artifact:
    """Keep a recording."""
    return await faked.artifacts.put(silence(), media_type="audio/wav")


async def picture(faked: Faked) -> Artifact:
    """Keep a picture."""
    return await faked.artifacts.put(base64.b64decode(PIXEL), media_type="image/png")


@each
async def test_its_models_are_those_of_the_settings(faked: Faked, kind: EngineKind) -> None:
    """It keeps no list; that it answers at all is seen."""
    cards = await engine(faked, kind).models()
    assert {card.name: card.type for card in cards} == SERVES
    silent = engine(faked, kind)
    object.__setattr__(silent, "url", "http://127.0.0.1:9/v1")
    with pytest.raises(EngineNotRunning):
        await silent.models()


@each
async def test_a_setting_without_models_says_what_is_missing(
    faked: Faked, kind: EngineKind
) -> None:
    """Else all that a user sees is that no engine serves the model."""
    with pytest.raises(ValidationFailed, match=r"'engines.there.serves'.*\"org/model\" = "):
        await faked.engine(kind).models()


@each
async def test_each_chats(faked: Faked, kind: EngineKind) -> None:
    """At the model's own door."""
    reply = await engine(faked, kind).chat(TALK, pieces=ignored)
    assert (reply.content, reply.model) == ("w0 w1 w2 w3 w4", MODEL)


@each
async def test_each_makes_vectors_and_compares(faked: Faked, kind: EngineKind) -> None:
    """One for each text; the nearest in meaning comes first."""
    there = engine(faked, kind)
    vectors = await there.embed(EmbedRequest(model=MODEL, input=["a", "b"]))
    assert [len(vector) for vector in vectors.embeddings] == [8, 8]
    query = RerankRequest(model=MODEL, query="red apple", documents=["a pear", "a red apple"])
    assert [place.index for place in (await there.rerank(query)).results] == [1, 0]


@each
async def test_each_hears(faked: Faked, kind: EngineKind) -> None:
    """In stretches or word by word; the last of them ends with the recording."""
    there, size = engine(faked, kind), f"{len(silence())} bytes"
    request = TranscribeRequest(model=MODEL, audio=await sound(faked), language="en")
    whole = await there.transcribe(request, pieces=ignored)
    assert (whole.text, whole.language, whole.duration) == (size, "en", SECONDS)
    assert [(one.text, one.end) for one in whole.segments] == [(size, SECONDS)]
    asked = request.model_copy(update={"words": True})
    words = (await there.transcribe(asked, pieces=ignored)).words or []
    assert [(word.word, word.end) for word in words] == [
        (str(len(silence())), SECONDS),
        ("bytes", SECONDS),
    ]
    with pytest.raises(ValidationFailed, match="takes none"):
        await there.transcribe(request.model_copy(update={"prompt": "x"}), pieces=ignored)


@each
async def test_each_speaks_and_draws(faked: Faked, kind: EngineKind) -> None:
    """The reply tells the format that came; a picture may begin with another."""
    there = engine(faked, kind)
    said = SynthesizeRequest(model=MODEL, text="Hello.", format="mp3")
    speech = await there.synthesize(said, pieces=ignored)
    assert (speech.format, speech.duration) == ("wav", SECONDS)
    red = ImageRequest(model=MODEL, prompt="red", n=2, size="64x32", seed=7)
    drawn = await there.generate_image(red, progress=ignored)
    assert [await faked.artifacts.get(one) for one in drawn.images] == [base64.b64decode(PIXEL)] * 2
    changed = red.model_copy(update={"image": await picture(faked), "n": 1})
    assert (await there.generate_image(changed, progress=ignored)).format == "png"
    assert await there.voices() == []


@each
async def test_each_finds_things(faked: Faked, kind: EngineKind) -> None:
    """The surest first, and only those that were asked for."""
    there = engine(faked, kind)
    request = DetectRequest(model=MODEL, image=await picture(faked), threshold=0.4)
    found = await there.detect(request)
    assert [thing.label for thing in found.detections] == ["cat", "cup"]
    assert (found.width, found.height) == (1, 1)
    only = request.model_copy(update={"labels": ["cup"]})
    assert [thing.label for thing in (await there.detect(only)).detections] == ["cup"]


async def test_an_endpoint_continues_texts(faked: Faked) -> None:
    """Those that hold a language model have this door, too."""
    request = CompleteRequest(model=MODEL, prompt="Once", max_tokens=1)
    reply = await engine(faked, "hf_endpoint").complete(request, pieces=ignored)
    assert reply.text == "w0"


@each
async def test_a_model_that_is_brought_in_is_asked_again_later(
    faked: Faked, kind: EngineKind
) -> None:
    """After the time that the hub itself tells."""
    faked.running[kind].faults.memory_short = True
    with pytest.raises(RateLimited, match="currently loading") as told:
        await engine(faked, kind).embed(EmbedRequest(model=MODEL, input="a"))
    assert told.value.retry_after == 20


async def test_it_is_asked_in_its_own_words(faked: Faked, server: EngineServer) -> None:
    """What was not asked for is left to the model."""
    there = engine(faked, "hf_inference")
    object.__setattr__(there, "url", f"{server.url}/v1")
    server.answer(f"models/{MODEL}", [])
    image = await picture(faked)
    await there.detect(DetectRequest(model=MODEL, image=image, threshold=0.25))
    assert server.body == {"inputs": PIXEL, "parameters": {"threshold": 0.25}}
    red = ImageRequest(model=MODEL, prompt="red", size="64x32", steps=3, guidance=5)
    with pytest.raises(ExecutionFailed, match="answered application/json instead of a picture"):
        await there.generate_image(red, progress=ignored)
    assert server.body == {
        "inputs": "red",
        "parameters": {"width": 64, "height": 32, "num_inference_steps": 3, "guidance_scale": 5},
    }
    schema = {"type": "object"}
    body = await there._talk(TALK.model_copy(update={"json_schema": schema}))
    assert body["response_format"] == {"type": "json_object", "value": schema}


async def test_a_vector_for_each_token_is_no_vector_of_a_text(
    faked: Faked, server: EngineServer
) -> None:
    """A model without pooling answers those; that must not become an index of nonsense."""
    there = engine(faked, "hf_inference")
    object.__setattr__(there, "url", f"{server.url}/v1")
    server.answer(f"models/{MODEL}/pipeline/feature-extraction", json.loads("[[[0.5, 0.5]]]"))
    with pytest.raises(ExecutionFailed, match="no _Vectors"):
        await there.embed(EmbedRequest(model=MODEL, input="a"))
