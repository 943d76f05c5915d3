"""Whatever goes wrong with an engine, of whatever kind, is told as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx2
import pytest

from aima.adapters.engines.openai import OpenAIEngine
from aima.errors import (
    AimaError,
    EngineNotRunning,
    ExecutionFailed,
    ModelNotFound,
    RateLimited,
    TimedOut,
    TooLarge,
)
from aima.ports.inference import (
    ChatRequest,
    CompleteRequest,
    EmbedRequest,
    Message,
    RerankRequest,
    SynthesizeRequest,
    TranscribeRequest,
    ignored,
)
from aima.settings import EngineKind
from aima.testing import MemoryArtifacts
from aima.testing.engines import Faults, fake
from aima.testing.engines.sounds import silence
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

Asking = Callable[[Any], Coroutine[Any, Any, object]]
MODEL = "fake"
TALK = ChatRequest(model=MODEL, messages=[Message(role="user", content="Why?")])


async def chat(engine: Any) -> object:  # noqa: ANN401 - any that chats
    """Ask for a chat."""
    return await engine.chat(TALK, pieces=ignored)


async def complete(engine: Any) -> object:  # noqa: ANN401 - any that completes
    """Ask for a continued text."""
    return await engine.complete(CompleteRequest(model=MODEL, prompt="Once"), pieces=ignored)


async def embed(engine: Any) -> object:  # noqa: ANN401 - any that embeds
    """Ask for a vector."""
    return await engine.embed(EmbedRequest(model=MODEL, input="x"))


async def rerank(engine: Any) -> object:  # noqa: ANN401 - any that reranks
    """Ask for an order."""
    return await engine.rerank(RerankRequest(model=MODEL, query="a", documents=["a", "b"]))


async def transcribe(engine: Any) -> object:  # noqa: ANN401 - any that hears
    """Ask for a transcript."""
    audio = await engine.artifacts.put(silence(), media_type="audio/wav")
    return await engine.transcribe(TranscribeRequest(model=MODEL, audio=audio), pieces=ignored)


async def synthesize(engine: Any) -> object:  # noqa: ANN401 - any that speaks
    """Ask for speech."""
    return await engine.synthesize(SynthesizeRequest(model=MODEL, text="x"), pieces=ignored)


WORK: list[tuple[EngineKind, Asking]] = [
    ("openai", chat),
    ("openai", complete),
    ("openai", embed),
    ("ollama", chat),
    ("ollama", embed),
    ("vllm", rerank),
    ("tei", embed),
    ("tei", rerank),
    ("sglang", rerank),
    ("speaches", transcribe),
    ("whispercpp", transcribe),
    ("kokoro", synthesize),
    ("piper", synthesize),
]
"""One of each way in which an answer is read."""

each = pytest.mark.parametrize(
    ("kind", "ask"), WORK, ids=[f"{kind}-{ask.__name__}" for kind, ask in WORK]
)


async def fails(asking: Awaitable[object]) -> AimaError:
    """Give the error that an engine's trouble becomes; it must name the engine."""
    with pytest.raises(AimaError, match="engine 'there'") as raised:
        await asking
    return raised.value


@each
@pytest.mark.parametrize("fault", ["garbage", "malformed", "empty"])
async def test_an_answer_that_is_none_is_the_engines_failure(
    faked: Faked, kind: EngineKind, ask: Asking, fault: str
) -> None:
    """A web page of a proxy, half an object, nothing: all with status 200."""
    setattr(faked.running[kind].faults, fault, True)
    assert type(await fails(ask(faked.engine(kind)))) is ExecutionFailed


@each
@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimited), (503, EngineNotRunning), (500, ExecutionFailed)]
)
async def test_a_refusal_is_told_in_the_engines_own_words(
    faked: Faked, kind: EngineKind, ask: Asking, status: int, error: type[AimaError]
) -> None:
    """Each dialect writes its errors in a way of its own; none of them is shown raw."""
    faults = faked.running[kind].faults
    faults.fail_every, faults.status, faults.retry_after = 1, status, 7
    raised = await fails(ask(faked.engine(kind)))
    assert type(raised) is error
    assert raised.message == "engine 'there': a fault that was asked for"
    assert getattr(raised, "retry_after", 7) == 7


@each
async def test_silence_ends_with_the_callers_patience(
    faked: Faked, kind: EngineKind, ask: Asking
) -> None:
    """Nobody waits for ever for a first byte."""
    faked.running[kind].faults.hang = True
    async with httpx2.AsyncClient(timeout=0.2) as http:
        faked.http, patient = http, faked.http
        try:
            raised = await fails(ask(faked.engine(kind)))
        finally:
            faked.http = patient
    assert type(raised) is TimedOut


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_stream_that_is_cut_is_no_short_answer(faked: Faked, kind: EngineKind) -> None:
    """The pieces were shown; the answer is still an error."""
    faked.running[kind].faults.die_after = 2
    shown: list[str | bytes] = []
    engine: Any = faked.engine(kind)
    raised = await fails(engine.chat(TALK, pieces=shown.append))
    assert (type(raised), shown) == (EngineNotRunning, ["w0", " w1"])


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_stream_that_is_no_text_is_refused(faked: Faked, kind: EngineKind) -> None:
    """Bytes that are not UTF-8 would come out as something that nobody wrote."""
    faked.running[kind].faults.bad_utf8 = True
    assert type(await fails(chat(faked.engine(kind)))) is ExecutionFailed


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_cancel_is_felt_while_the_engine_still_thinks(
    faked: Faked, kind: EngineKind
) -> None:
    """Nothing is left running on this side."""
    faked.running[kind].faults.endless = True
    began = asyncio.Event()
    engine: Any = faked.engine(kind)
    asking = asyncio.create_task(engine.chat(TALK, pieces=lambda _: began.set()))
    await began.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_answer_without_an_end_is_cut_off(faked: Faked) -> None:
    """The worker's memory is not the engine's to fill."""

    class Small(OpenAIEngine):
        MOST_BYTES = 1 << 20

    faked.running["openai"].faults.endless = True
    small = Small("there", faked.url("openai"), faked.http, faked.artifacts)
    assert type(await fails(embed(small))) is TooLarge


@each
async def test_an_engine_that_is_gone_is_not_running(
    faked: Faked, kind: EngineKind, ask: Asking
) -> None:
    """Refused connections are told with the way to find out why."""
    gone = faked.engine(kind)
    object.__setattr__(gone, "url", "http://127.0.0.1:9/v1")
    raised = await fails(ask(gone))
    assert type(raised) is EngineNotRunning
    assert "`aima doctor` tells why" in raised.message


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_an_error_in_the_middle_of_a_stream_is_the_answer(
    faked: Faked, kind: EngineKind
) -> None:
    """It comes with status 200, and each dialect writes it in a way of its own."""
    faked.running[kind].faults.error_after = 2
    shown: list[str | bytes] = []
    engine: Any = faked.engine(kind)
    raised = await fails(engine.chat(TALK, pieces=shown.append))
    assert raised.message == "engine 'there': a fault that was asked for"
    assert shown == ["w0", " w1"]


@pytest.mark.parametrize("kind", ["openai", "ollama", "tei"])
async def test_a_list_that_drips_in_is_not_waited_for(faked: Faked, kind: EngineKind) -> None:
    """Each byte comes in time, and all of them would take minutes: others wait for this list."""
    faked.running[kind].faults.drip = 0.05
    engine = faked.engine(kind)
    object.__setattr__(engine, "LISTED_IN", 0.2)
    assert type(await fails(engine.models())) is TimedOut


async def test_an_answer_that_drips_in_is_read_to_its_end(faked: Faked) -> None:
    """Events are cut anywhere; the step's own timeout bounds it."""
    faults = faked.running["openai"].faults
    faults.drip, faults.tokens = 0.0001, 1
    engine: Any = faked.engine("openai")
    assert (await engine.chat(TALK, pieces=ignored)).content == "w0"


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_fake_has_the_models_that_it_is_told(faked: Faked, kind: EngineKind) -> None:
    """Several instances of one model are played by several fakes."""
    faked.running[kind].faults.models = ("a", "b")
    cards = await faked.engine(kind).models()
    assert [card.name for card in cards] == ["a", "b"]


async def test_a_fake_may_count_nothing(faked: Faked) -> None:
    """Metrics are switched on by hand in some products."""
    faked.running["vllm"].faults.no_metrics = True
    engine: Any = faked.engine("vllm")
    assert type(await fails(engine.metrics())) is ModelNotFound


async def test_a_fake_crashes_with_the_request_that_it_is_told() -> None:
    """It answers no more; what it said before stays true."""
    async with fake("openai", Faults(crash_after=2)) as mortal, httpx2.AsyncClient() as http:
        engine = OpenAIEngine("there", f"{mortal.url}/v1", http, MemoryArtifacts())
        assert (await engine.chat(TALK, pieces=ignored)).content
        for _ in range(2):
            assert type(await fails(engine.chat(TALK, pieces=ignored))) is EngineNotRunning
