"""An OpenAI-compatible engine, against a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aima.adapters.engines.openai import OpenAIEngine
from aima.errors import (
    AimaError,
    EngineNotRunning,
    ExecutionFailed,
    Forbidden,
    ModelNotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    Unauthorized,
    UnsupportedMedia,
    ValidationFailed,
    WrongAnswer,
)
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    Message,
    Tool,
    ToolCall,
)
from aima.testing import MemoryArtifacts
from tests.unit.adapters.engine_server import (
    CutOff,
    Endless,
    EngineServer,
    event,
    piece,
)

QUESTION = ChatRequest(model="m", messages=[Message(role="user", content="Why?")])


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(engine: OpenAIEngine, request: ChatRequest = QUESTION) -> ChatReply:
    """Chat without looking at the pieces."""
    return await engine.chat(request, pieces=lambda _: None)


# --- chat -----------------------------------------------------------------------------------


async def test_an_answer_is_put_together_from_its_pieces(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """As it is streamed; usage and timings come at the end."""
    server.stream(
        {"model": "m-1", **piece(None)},
        piece("Because"),
        piece(" of that.", finish_reason="stop"),
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
        {"choices": [], "timings": {"total_ms": 12.5, "load_ms": 1}},
    )
    told: list[str | bytes] = []
    reply = await engine.chat(QUESTION, pieces=told.append)
    assert reply.content == reply.response.content == "Because of that."
    assert (reply.model, reply.finish_reason) == ("m-1", "stop")
    assert reply.usage.total_tokens == 5
    assert reply.timings is not None
    assert reply.timings.total_ms == 12.5
    assert told == ["Because", " of that."]


async def test_only_what_was_said_is_sent(engine: OpenAIEngine, server: EngineServer) -> None:
    """Absent options stay with the engine's own defaults; the key goes into a header."""
    server.stream(piece("x"))
    await ask(engine, QUESTION.model_copy(update={"stop": ["."], "seed": 7, "stream": False}))
    assert server.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "stop": ["."],
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert server.headers[-1]["authorization"] == "Bearer secret"


async def test_without_a_key_no_header_is_sent(
    server: EngineServer, http: httpx2.AsyncClient
) -> None:
    """Some servers refuse an empty one."""
    server.stream(piece("x"))
    await ask(OpenAIEngine("there", server.url, http, MemoryArtifacts()))
    assert "authorization" not in server.headers[-1]


async def test_what_an_engine_does_not_tell_is_left_at_nothing(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Ollama tells no timings, others null their fields."""
    server.stream(
        {"id": "x", "model": None, "choices": None, "usage": None, "timings": {"predicted_ms": 5}},
        {"choices": [{"delta": None, "finish_reason": None}]},
        piece("Yes"),
    )
    reply = await ask(engine)
    assert (reply.content, reply.model, reply.finish_reason) == ("Yes", "m", "stop")
    assert reply.usage.total_tokens == 0
    assert reply.timings is None


async def test_signs_that_only_python_takes_for_line_ends_stay_in_the_text(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """U+2028 and its kin are legal in JSON and in what a model writes; umlauts and emoji too."""
    text = "a\u2028b\u0085c\x1cd\x0be ä€😀"
    server.stream(piece(text))
    assert (await ask(engine)).content == text


async def test_events_may_be_cut_anywhere_and_end_in_any_newline(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """TCP does not know of lines, nor of characters."""
    data = (event(piece("gr")) + event(piece("ün"))).replace(b"\n", b"\r\n")

    async def drip(_: Request) -> Response:
        async def bytes_one_by_one() -> AsyncIterator[bytes]:
            for byte in b": a comment\r\n" + data + b"data: [DONE]":
                yield bytes([byte])

        from starlette.responses import StreamingResponse

        return StreamingResponse(bytes_one_by_one())

    server.answers["chat/completions"] = drip
    assert (await ask(engine)).content == "grün"


async def test_a_stream_that_breaks_off_is_no_short_answer(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Half an answer, taken for a whole one, is worse than none."""

    async def cut(_: Request) -> Response:
        return CutOff()

    server.answers["chat/completions"] = cut
    with pytest.raises(EngineNotRunning):
        await ask(engine)


async def test_a_stream_without_an_end_mark_is_no_answer(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """The connection ended well, the answer did not."""
    server.stream(piece("Half an"), done=False)
    with pytest.raises(ExecutionFailed, match="'there' broke off before the end"):
        await ask(engine)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"message": "out of memory", "code": "INSUFFICIENT_RESOURCES"}, "InsufficientResources"),
        ({"message": "out of memory", "code": None}, "ExecutionFailed"),
        ("out of memory", "ExecutionFailed"),
    ],
)
async def test_an_error_in_the_middle_of_a_stream_is_one(
    engine: OpenAIEngine, server: EngineServer, told: object, error: str
) -> None:
    """The status was 200 long before the engine ran out of memory."""
    server.stream(piece("Half an"), {"error": told}, piece("answer"))
    with pytest.raises(AimaError, match="out of memory") as raised:
        await ask(engine)
    assert type(raised.value).__name__ == error


@pytest.mark.parametrize(
    "nonsense",
    [
        b"data: {\n\n",
        b"data: [1]\n\n",
        b'data: {"choices": 5}\n\n',
        b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',
        b'data: {"usage": {"total_tokens": "many"}}\n\n',
        b'data: {"timings": {"total_ms": "long"}}\n\n',
        b"data: " + b"x" * 5_000_000,
    ],
    ids=["cut", "list", "number", "no utf-8", "usage", "timings", "endless"],
)
async def test_an_event_that_makes_no_sense_is_an_error(
    engine: OpenAIEngine, server: EngineServer, nonsense: bytes
) -> None:
    """Passing over it would leave a hole in the answer that nobody sees."""
    server.stream(piece("a"), nonsense, piece("b"))
    with pytest.raises(ExecutionFailed, match="'there'"):
        await ask(engine)


async def test_a_cancel_closes_the_connection(engine: OpenAIEngine, server: EngineServer) -> None:
    """So that the engine stops to compute what nobody waits for."""
    endless = Endless()

    async def forever(_: Request) -> Response:
        return endless

    server.answers["chat/completions"] = forever
    asking = asyncio.create_task(ask(engine))
    async with asyncio.timeout(5):
        await endless.began.wait()
        asking.cancel()
        await endless.left.wait()
    with pytest.raises(asyncio.CancelledError):
        await asking


PERSON: dict[str, object] = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
}


async def test_an_answer_of_a_given_shape_is_also_a_value(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """The schema is sent, and the answer read."""
    server.stream(piece('{"name": "Bob",'), piece(' "age": 30}'))
    reply = await ask(engine, QUESTION.model_copy(update={"json_schema": PERSON}))
    assert reply.data == {"name": "Bob", "age": 30}
    assert server.body["response_format"]["json_schema"]["schema"] == PERSON
    assert "json_schema" not in server.body


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"name": "Bo', "a larger max_tokens may let it finish"),
        ("Bob is 30.", "asked for JSON and answered 'Bob is 30.'"),
        ('{"name": "Bob"}', "the schema does not allow: 'age' is a required property"),
        ('{"name": "Bob", "age": "thirty"}', "'thirty' is not of type 'integer'"),
    ],
)
async def test_an_answer_of_another_shape_is_none(
    engine: OpenAIEngine, server: EngineServer, answer: str, why: str
) -> None:
    """Not every server that takes a schema keeps to it; the next step relies on it."""
    server.stream(piece(answer))
    with pytest.raises(ExecutionFailed, match="'there'") as raised:
        await ask(engine, QUESTION.model_copy(update={"json_schema": PERSON}))
    assert why in raised.value.message


@pytest.mark.parametrize(
    "schema", [{"type": "persn"}, {"$ref": "http://127.0.0.1:9/schema.json"}, {"$ref": "#/nobody"}]
)
async def test_a_schema_that_is_none_is_the_callers_mistake(
    engine: OpenAIEngine, server: EngineServer, schema: dict[str, object]
) -> None:
    """No other attempt and no other engine mends it; and nothing is fetched for it."""
    server.stream(piece("{}"))
    with pytest.raises(ValidationFailed, match="`json_schema` is no JSON Schema"):
        await ask(engine, QUESTION.model_copy(update={"json_schema": schema}))


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ValidationFailed),
        (401, Unauthorized),
        (403, Forbidden),
        (404, ModelNotFound),
        (408, TimedOut),
        (413, TooLarge),
        (415, UnsupportedMedia),
        (422, ValidationFailed),
        (429, RateLimited),
        (500, ExecutionFailed),
        (502, ExecutionFailed),
        (503, EngineNotRunning),
        (504, TimedOut),
    ],
)
async def test_a_status_becomes_the_error_that_it_means(
    engine: OpenAIEngine, server: EngineServer, status: int, error: type[AimaError]
) -> None:
    """The code decides whether another attempt is worth while."""
    server.answer("chat/completions", {"error": {"message": "sorry"}}, status=status)
    with pytest.raises(AimaError, match="engine 'there': sorry") as raised:
        await ask(engine)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "m", "code": "RATE_LIMITED"}}, "m"),
        ({"error": "plain"}, "engine 'there': plain"),
        ({"object": "error", "message": "older", "code": 404}, "engine 'there': older"),
        ({"detail": [{"loc": ["body", "n"], "msg": "no"}]}, "engine 'there': ['body', 'n']: no"),
        ({"detail": "other"}, "other"),
        (b"<html>oops</html>", "<html>oops</html>"),
        (b"\xff\xfe", "\ufffd"),
        (b"", "HTTP 500"),
        ([], "[]"),
    ],
)
async def test_a_refusal_is_told_in_whatever_shape_it_came(
    engine: OpenAIEngine, server: EngineServer, body: object, message: str
) -> None:
    """Not every server has read the API's reference; AIMA's own codes pass through."""
    server.answer("chat/completions", body, status=500)
    with pytest.raises(AimaError, match="engine 'there'") as raised:
        await ask(engine)
    assert message in raised.value.message
    assert isinstance(raised.value, RateLimited) is ("RATE_LIMITED" in str(body))


async def test_a_redirect_is_not_followed(engine: OpenAIEngine, server: EngineServer) -> None:
    """It would carry the key, and the conversation, to somebody else."""

    async def elsewhere(_: Request) -> Response:
        return RedirectResponse(f"{server.url}/elsewhere", status_code=307)

    server.answers["chat/completions"] = elsewhere
    with pytest.raises(ExecutionFailed, match="HTTP 307"):
        await ask(engine)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://[nowhere/v1", "nothing"])
async def test_an_engine_that_is_not_there_is_not_running(
    url: str, http: httpx2.AsyncClient
) -> None:
    """Whether nobody listens or the address is none: the name of the engine helps."""
    with pytest.raises(EngineNotRunning, match="engine 'gone' does not answer"):
        await ask(OpenAIEngine("gone", url, http, MemoryArtifacts()))


async def test_an_engine_that_is_too_slow_times_out(server: EngineServer) -> None:
    """With the client's own patience, told as what it is."""

    async def forever(_: Request) -> Response:
        return Endless()

    server.answers["chat/completions"] = forever
    async with httpx2.AsyncClient(timeout=0.2) as http:
        with pytest.raises(TimedOut, match="engine 'there' did not answer in time"):
            await ask(OpenAIEngine("there", server.url, http, MemoryArtifacts()))


# --- tools ----------------------------------------------------------------------------------


def call_part(index: int, arguments: str, **more: object) -> dict[str, object]:
    """Write a part of a tool call."""
    function: dict[str, object] = {"arguments": arguments}
    if "name" in more:
        function["name"] = more.pop("name")
    return {
        "choices": [{"delta": {"tool_calls": [{"index": index, "function": function, **more}]}}]
    }


async def test_tool_calls_and_thoughts_are_put_together_from_their_parts(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Several calls may come mixed; thoughts are no part of the answer."""
    server.stream(
        {"choices": [{"delta": {"reasoning_content": "Let me "}}]},
        {"choices": [{"delta": {"reasoning": "look."}}]},
        call_part(0, "", id="a", name="weather"),
        call_part(1, '{"n": 1}', id="b", name="count"),
        call_part(0, '{"city": '),
        call_part(0, '"Paris"}'),
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
    )
    tool = Tool(name="weather", parameters={"type": "object"})
    request = QUESTION.model_copy(update={"tools": [tool], "tool_choice": "weather"})
    reply = await ask(engine, request)
    assert reply.tool_calls == [
        ToolCall(id="a", name="weather", arguments={"city": "Paris"}),
        ToolCall(id="b", name="count", arguments={"n": 1}),
    ]
    assert (reply.content, reply.reasoning) == ("", "Let me look.")
    assert reply.finish_reason == "tool_calls"
    assert server.body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert server.body["tools"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize("arguments", ["{", "[1]", "nothing"])
async def test_arguments_that_are_no_object_are_a_wrong_answer(
    engine: OpenAIEngine, server: EngineServer, arguments: str
) -> None:
    """Whoever runs the tool is never handed half a thought."""
    server.stream(call_part(0, arguments, id="a", name="weather"))
    with pytest.raises(WrongAnswer, match="called the tool 'weather'"):
        await ask(engine)


async def test_a_turn_of_a_tool_is_sent_as_one(engine: OpenAIEngine, server: EngineServer) -> None:
    """The call, and what the tool said to it."""
    server.stream(piece("Sunny."))
    call = ToolCall(id="a", name="weather", arguments={"city": "Paris"})
    said = [
        Message(role="user", content="?"),
        Message(role="assistant", tool_calls=[call]),
        Message(role="tool", tool_call_id="a", content="sun"),
    ]
    await ask(engine, ChatRequest(model="m", messages=said))
    assert server.body["messages"][1]["tool_calls"] == [
        {
            "id": "a",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
        }
    ]
    assert server.body["messages"][2] == {"role": "tool", "content": "sun", "tool_call_id": "a"}
