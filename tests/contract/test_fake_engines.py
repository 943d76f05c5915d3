"""A product's own client library can talk to our fake of it; else the fake is wrong."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import ollama
import openai
import pytest
import pytest_asyncio
from huggingface_hub import AsyncInferenceClient
from openai.types.chat import ChatCompletionMessageParam

from aima.testing.engines import FakeEngine, Faults, fake
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.sounds import silence
from aima.testing.engines.video import FILM

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = [{"role": "user", "content": "Why?"}]
SAID: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Why?"}]
TOOL = {"type": "function", "function": {"name": "count", "parameters": {"type": "object"}}}


def client_of(engine: FakeEngine) -> openai.AsyncOpenAI:
    """Make OpenAI's own client of a fake."""
    return openai.AsyncOpenAI(base_url=f"{engine.url}/v1", api_key="x", max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["openai", "vllm"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[openai.AsyncOpenAI]:
    """Give OpenAI's own client of a fake."""
    async with (
        fake(request.param) as engine,
        openai.AsyncOpenAI(base_url=f"{engine.url}/v1", api_key="x", max_retries=0) as client,
    ):
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def llama() -> AsyncIterator[tuple[ollama.AsyncClient, FakeEngine]]:
    """Give Ollama's own client of a fake, and the fake."""
    async with fake("ollama") as engine, ollama.AsyncClient(host=engine.url) as client:
        yield client, engine


async def test_openais_client_chats(client: openai.AsyncOpenAI) -> None:
    """Whole and streamed, with usage and tools."""
    whole = await client.chat.completions.create(model="fake", messages=SAID, max_tokens=2)
    assert whole.usage is not None
    assert (whole.choices[0].message.content, whole.usage.completion_tokens) == ("w0 w1", 2)
    stream = await client.chat.completions.create(  # type: ignore[call-overload]
        model="fake",
        messages=TALK,
        stream=True,
        stream_options={"include_usage": True},
        tools=[TOOL],
    )
    chunks = [chunk async for chunk in stream]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "w0 w1 w2 w3 w4"
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [call.function.name for call in calls] == ["count"]
    assert chunks[-1].usage.completion_tokens == 5


async def test_openais_client_completes_embeds_and_lists(client: openai.AsyncOpenAI) -> None:
    """It asks for base64 by itself and unpacks it."""
    done = await client.completions.create(model="fake", prompt="Once", max_tokens=1)
    assert done.choices[0].text == "w0"
    vectors = await client.embeddings.create(model="fake", input=["a", "b"])
    plain = await client.embeddings.create(model="fake", input="a", encoding_format="float")
    assert vectors.data[0].embedding == pytest.approx(plain.data[0].embedding)
    assert [model.id for model in (await client.models.list()).data] == ["fake"]


async def test_openais_client_reads_the_refusals() -> None:
    """By class, with the message."""
    refusing = Faults(fail_every=1, status=429, retry_after=1)
    async with fake("openai", refusing) as engine, client_of(engine) as client:
        with pytest.raises(openai.RateLimitError, match="a fault that was asked for"):
            await client.embeddings.create(model="fake", input="a")


async def test_ollamas_client_chats(llama: tuple[ollama.AsyncClient, FakeEngine]) -> None:
    """Whole and streamed, with a tool."""
    client, _ = llama
    whole = await client.chat("fake", TALK, options={"num_predict": 2}, tools=[TOOL])
    assert whole.message.content == "w0 w1"
    assert [call.function.name for call in whole.message.tool_calls or ()] == ["count"]
    parts = [part async for part in await client.chat("fake", TALK, stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "w0 w1 w2 w3 w4"
    assert (parts[-1].done, parts[-1].eval_count) == (True, 5)


async def test_ollamas_client_moves_models(llama: tuple[ollama.AsyncClient, FakeEngine]) -> None:
    """In, out, and from elsewhere; what is refused is its own error."""
    client, engine = llama
    await client.generate("fake")
    assert [model.model for model in (await client.ps()).models] == ["fake:latest"]
    await client.generate("fake", keep_alive=0)
    assert not (await client.ps()).models
    statuses = [part.status async for part in await client.pull("new", stream=True)]
    assert statuses[-1] == "success"
    assert "new:latest" in [model.model for model in (await client.list()).models]
    assert (await client.show("fake-embed")).capabilities == ["embedding"]
    assert len((await client.embed("fake-embed", ["a", "b"])).embeddings) == 2
    with pytest.raises(ollama.ResponseError, match="'other' not found"):
        await client.chat("other", TALK)
    engine.faults.fail_every = 1
    with pytest.raises(ollama.ResponseError, match="a fault that was asked for"):
        await client.embed("fake-embed", "a")
    engine.heal()


async def test_hugging_faces_client_embeds() -> None:
    """Its plain address is a dialect of its own."""
    async with fake("tei") as engine, AsyncInferenceClient(model=f"{engine.url}/embed") as client:
        assert (await client.feature_extraction("a")).shape == (1, 8)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # it says `data=`
async def test_hugging_faces_client_does_each_task() -> None:
    """A model's address is a dialect of its own; each task has its shape."""
    async with fake("hf_inference") as engine:
        model = f"{engine.url}/models/org/model"
        async with AsyncInferenceClient(model=model, api_key="x") as client:
            chat = await client.chat_completion(TALK, max_tokens=2)
            assert chat.choices[0].message.content == "w0 w1"
            stream = await client.chat_completion(TALK, stream=True)
            said = [choice.delta.content or "" async for part in stream for choice in part.choices]
            assert "".join(said) == "w0 w1 w2 w3 w4"
            heard = await client.automatic_speech_recognition(
                silence(), extra_body={"return_timestamps": True}
            )
            assert (heard.text, len(heard.chunks or ())) == (f"{len(silence())} bytes", 1)
            bare = await client.automatic_speech_recognition(silence())
            assert bare.text == heard.text
            assert await client.text_to_speech("Hello.") == silence()
            assert (await client.text_to_image("red", width=1)).size == (1, 1)
            pixel = base64.b64decode(PIXEL)
            assert (await client.image_to_image(pixel, prompt="blue")).size == (1, 1)
            found = await client.object_detection(pixel, threshold=0.6)
            assert [(thing.label, thing.box.xmax) for thing in found] == [("cat", 1)]
    async with fake("hf_inference") as engine:
        pipeline = f"{engine.url}/models/org/model/pipeline"
        async with AsyncInferenceClient(api_key="x") as client:
            vectors = await client.feature_extraction(["a"], model=f"{pipeline}/feature-extraction")
            assert vectors.shape == (1, 8)
            near = f"{pipeline}/sentence-similarity"
            assert await client.sentence_similarity("a", ["b", "a"], model=near) == [0, 1]


async def test_hugging_faces_client_uses_an_endpoint() -> None:
    """Its address alone is the model's."""
    async with (
        fake("hf_endpoint") as engine,
        AsyncInferenceClient(engine.url, api_key="x") as client,
    ):
        chat = await client.chat_completion(TALK, max_tokens=1)
        assert chat.choices[0].message.content == "w0"
        assert (await client.feature_extraction(["a", "b"])).shape == (2, 8)
        assert (await client.text_to_image("red")).size == (1, 1)


async def test_openais_client_hears_speaks_and_draws(client: openai.AsyncOpenAI) -> None:
    """Each by its own door, and reads what comes back."""
    audio = client.audio
    written = await audio.transcriptions.create(
        model="fake",
        file=("a.wav", silence()),
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert written.text == f"{len(silence())} bytes"
    assert [word.word for word in written.words or ()] == [str(len(silence())), "bytes"]
    said = await audio.speech.create(model="fake", voice="alloy", input="x", response_format="wav")
    assert said.content == silence()
    drawn = await client.images.generate(model="fake", prompt="red", n=2)
    assert [image.b64_json for image in drawn.data or ()] == [PIXEL, PIXEL]


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")  # others go on with it
@pytest.mark.parametrize("dialect", ["video", "sglang"])
async def test_openais_client_films(dialect: str) -> None:
    """It begins a job, asks after it, and fetches the film."""
    async with fake(dialect) as engine, client_of(engine) as client:
        job = await client.videos.create(model="sora-2", prompt="the sun", seconds="4")
        assert (job.status, job.seconds) == ("queued", "4")
        while job.status != "completed":
            job = await client.videos.retrieve(job.id)
        film = await client.videos.download_content(job.id)
        assert film.content == FILM
        assert (await client.videos.delete(job.id)).deleted
