"""Agents reach everything over MCP, in both eras and over both transports, as REST does it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types import ResourceUpdatedNotification

from aima.trace import made
from tests.acceptance.agent import NEW, OLD, Agent, agent_of
from tests.acceptance.command import AIMA, REPOSITORY, Aima
from tests.acceptance.running import data_folder, running_aima

HOW_TO = REPOSITORY / "docs" / "how-to" / "use-mcp.md"

Connect = Callable[[Agent], AbstractAsyncContextManager[Client]]

CONNECTIONS: dict[str, Connect] = {
    "http, new": lambda agent: agent.over_http(NEW),
    "http, old": lambda agent: agent.over_http(OLD),
    "stdio, new": lambda agent: agent.over_stdio(NEW),
    "stdio, old": lambda agent: agent.over_stdio(OLD),
}
every_era = pytest.mark.parametrize("era", [OLD, NEW])
every_way = pytest.mark.parametrize("connect", CONNECTIONS.values(), ids=CONNECTIONS)

ITS = "io.modelcontextprotocol"
TASKS = f"{ITS}/tasks"
WAITING = "name: waiting\nsteps:\n  - id: long\n    wait: 10m\n"
GIVEN_UP = """\
name: given-up
labels: {who: WHO}
steps:
  - id: first
    type: template.render
    input: {text: x}
  - id: long
    depends_on: [first]
    wait: 10m
"""
SAYING = "name: saying\nsteps:\n  - id: said\n    set: {text: 'hello'}\noutput: ${steps.said}\n"
PING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
SPEAKS = {"accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent with the admin's key, before an AIMA that is up."""
    with running_aima(tmp_path_factory.mktemp("mcp")) as aima:
        yield agent_of(aima)


@every_way
async def test_every_way_offers_the_same_and_does_it(agent: Agent, connect: Connect) -> None:
    """What an agent can do must not depend on how old its program is, or where it runs."""
    async with connect(agent) as client, agent.over_http() as other:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == [
            tool.name for tool in (await other.list_tools()).tools
        ]
        heard: list[str | None] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            del progress, total
            heard.append(message)

        given = {"collection": "drafts", "ids": ["none"]}
        called = {"unit": "retrieval.delete", "input": given}
        answer = await client.call_tool("call_unit", called, progress_callback=hear)
        asked = await agent.ask("POST", "/command/retrieval.delete", given, wait=60)
    assert answer.structured_content == asked["result"] == {"count": 0}
    assert heard[-1] == "unit done"


async def test_a_call_belongs_to_the_trace_that_its_meta_names(agent: Agent) -> None:
    """What an agent's program recorded is the parent of all that the call brings about."""
    given = {"unit": "retrieval.delete", "input": {"collection": "drafts", "ids": ["none"]}}
    asked = {made() for _ in range(2)}
    for way, trace in zip(("http, new", "http, old"), asked, strict=True):
        async with CONNECTIONS[way](agent) as client:
            meta: Any = {"traceparent": trace}
            await client.call_tool("call_unit", given, meta=meta)
    told: set[str] = set()
    async with asyncio.timeout(60):
        while not asked <= told:
            page = await agent.ask("GET", "/events?type=pipeline.started&limit=1000")
            told = {event["traceparent"] for event in page["events"]}
    assert asked <= told


async def test_each_tool_is_described_for_programs(agent: Agent) -> None:
    """Names that every model's API takes, schemas that hold, and hints from the units."""
    async with agent.over_http(query="?profile=all") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in tools.values():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tool.name)
        for schema in (tool.input_schema, tool.output_schema or {"type": "object"}):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert tool.annotations is not None
        assert tool.description
    assert tools["inference_chat"].title == "inference.chat"
    assert _hints(tools["engine_list"]) == (True, False, True)
    assert _hints(tools["retrieval_delete"]) == (False, True, True)
    assert _hints(tools["inference_chat"]) == (False, False, True)


async def test_the_default_profile_is_short(agent: Agent) -> None:
    """Models choose badly among many tools; the rest is a search away."""
    async with agent.over_http() as client:
        assert len((await client.list_tools()).tools) <= 25
        found = await client.call_tool("search_units", {"query": "put a picture into words"})
        described = await client.call_tool("describe_unit", {"unit": "template.render"})
    assert found.structured_content["units"][0]["unit"] == "inference.describe"
    assert described.structured_content["input"]["type"] == "object"


async def test_a_tool_that_there_is_not_is_the_protocols_error(agent: Agent) -> None:
    """The specification says so, and a client can tell it from a failure of the work."""
    async with agent.over_http() as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
        answer = await client.call_tool("call_unit", {"unit": "no.such"})
    assert caught.value.error.code == -32602
    assert answer.is_error
    assert answer.structured_content["code"] == "UNIT_NOT_FOUND"


async def test_what_takes_long_is_an_operation(agent: Agent) -> None:
    """No client waits for ten minutes, and none needs to."""
    async with agent.over_http() as client:
        begun = await client.call_tool("try_workflow", {"text": WAITING, "wait_seconds": 0})
        name = {"id": begun.structured_content["id"]}
        waited = await client.call_tool("wait_operation", {**name, "seconds": 0.1})
        stopped = await client.call_tool("cancel_operation", name)
        ended = await client.call_tool("wait_operation", {**name, "seconds": 60})
    assert begun.structured_content["state"] in ("queued", "running")
    assert waited.structured_content["state"] in ("queued", "running")
    assert not stopped.is_error
    assert ended.structured_content["state"] == "cancelled"


async def test_what_takes_long_is_a_task_for_who_knows_tasks(agent: Agent) -> None:
    """It is the operation of the same id; short work is answered, and others hear of no task."""
    given = {"name": "try_workflow", "arguments": {"text": WAITING}}
    begun = await asked(agent, "tools/call", given)
    task = {"taskId": begun["taskId"]}
    working = await asked(agent, "tasks/get", task)
    stopped = await asked(agent, "tasks/cancel", task)
    await agent.ask("GET", f"/operations/{begun['taskId']}", wait=60)
    ended = await asked(agent, "tasks/get", task)
    assert (begun["resultType"], begun["status"]) == ("task", "working")
    assert (working["resultType"], working["status"]) == ("complete", "working")
    assert stopped["resultType"] == "complete"
    assert ended["status"] == "cancelled"
    other = await asked(agent, "tasks/get", task, knows=False)
    assert other["code"] == -32021
    none = await asked(agent, "tasks/get", {"taskId": "none"})
    assert none["code"] == -32602


async def asked(
    agent: Agent, method: str, params: dict[str, Any], *, knows: bool = True
) -> dict[str, Any]:
    """Ask as a client that knows tasks, or does not; give the result, or the error."""
    known: dict[str, Any] = {"extensions": {TASKS: {}}} if knows else {}
    meta = {f"{ITS}/protocolVersion": NEW, f"{ITS}/clientCapabilities": known}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {
        **agent.headers,
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": NEW,
        "mcp-method": method,
        "mcp-name": params.get("name") or params.get("taskId", ""),
    }
    async with httpx2.AsyncClient(headers=headers, timeout=90) as http:
        told = (await http.post(agent.url, json=body)).text
    data = told.partition("data: ")[2].splitlines()[0] if "data: " in told else told
    answer: dict[str, Any] = json.loads(data)
    found: dict[str, Any] = answer.get("result") or answer["error"]
    return found


@every_era
async def test_whoever_gives_up_has_the_work_cancelled(agent: Agent, era: str) -> None:
    """An agent that was stopped leaves nothing running behind it."""
    label = f"given-up-{era}"
    begun = asyncio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message
        begun.set()

    given = {"text": GIVEN_UP.replace("WHO", label)}
    async with agent.over_http(era) as client:
        call = client.call_tool("try_workflow", given, progress_callback=hear)
        calling = asyncio.create_task(call)
        await asyncio.wait_for(begun.wait(), 60)
        calling.cancel()
        await asyncio.wait([calling])
        query = {"query": f"AimaLabels = 'who={label}'"}
        listed = await client.call_tool("list_runs", query)
        [run] = listed.structured_content["items"]
        ended = await client.call_tool("wait_operation", {"id": run["id"], "seconds": 60})
    assert ended.structured_content["state"] == "cancelled"


async def test_an_agent_writes_a_workflow(agent: Agent) -> None:
    """Examples, the language, a check with lines, and a run: all it takes."""
    async with agent.over_http() as client:
        examples = await client.call_tool("show_examples", {})
        names = [one["name"] for one in examples.structured_content["examples"]]
        shown = await client.call_tool("show_examples", {"name": "summarize-many"})
        page = await client.call_tool("describe_language", {"topic": "for_each"})
        wrong = await client.call_tool("check_workflow", {"text": "name: x\nsteps: [{id: a}]\n"})
        [mistake] = wrong.structured_content["diagnostics"]
        told = await client.call_tool("describe_language", {"topic": mistake["code"]})
        nothing = await client.call_tool("describe_language", {"topic": "for_eech"})
        ran = await client.call_tool("try_workflow", {"text": SAYING})
    assert {"rag", "summarize-many"} <= set(names)
    assert "for_each" in shown.structured_content["workflow"]
    assert page.structured_content["page"].startswith("# for_each")
    assert not wrong.structured_content["ok"]
    assert mistake["code"] in told.structured_content["page"]
    assert "did you mean 'for_each'?" in nothing.structured_content["detail"]
    assert ran.structured_content["result"] == {"text": "hello"}


async def test_a_run_that_failed_is_looked_into(agent: Agent) -> None:
    """The agent reads which step failed, why, and in which line."""
    text = "name: fails\nsteps:\n  - id: bad\n    raise: {code: BROKEN, message: too bad}\n"
    async with agent.over_http() as client:
        failed = await client.call_tool("try_workflow", {"text": text})
        looked = await client.call_tool(
            "look_at_run", {"id": failed.structured_content["operation"]}
        )
    assert failed.is_error
    assert failed.structured_content["code"] == "BROKEN"
    assert failed.structured_content["detail"] == "line 3, step 'bad': too bad"
    assert looked.structured_content["error"]["line"] == 3


@every_era
async def test_resources_are_read_and_heard_of(agent: Agent, era: str) -> None:
    """An agent that waits for a change needs not ask again and again."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    text = "name: heard-of-KIND\nsteps:\n  - id: said\n    set: {text: hello}\n"

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.put_nowait(str(message.params.uri))

    async with agent.over_http(era, hear=hear) as client:
        listed = [str(one.uri) for one in (await client.list_resources()).resources]
        templates = (await client.list_resource_templates()).resource_templates
        read = await client.read_resource("asms://pipelines")
        with pytest.raises(MCPError) as caught:
            await client.read_resource("asms://nothing/x")
        async with hearing(client, "asms://pipelines", heard):
            called = {"text": text.replace("KIND", era)}
            stored = await client.call_tool("store_workflow", called)
            assert await asyncio.wait_for(heard.get(), 60) == "asms://pipelines"
        again = await client.read_resource("asms://pipelines")
        ran = await client.call_tool(f"workflow_heard-of-{era}", {})
    assert "asms://pipelines" in listed
    assert "asms://pipeline/{id}" in [one.uri_template for one in templates]
    assert caught.value.error.code == (-32602 if era == NEW else -32002)
    assert not stored.is_error
    assert f"heard-of-{era}" not in str(read.contents[0])
    assert f"heard-of-{era}" in str(again.contents[0])
    assert ran.structured_content["result"] == {"said": {"text": "hello"}}


async def test_a_stored_workflow_becomes_a_tool(agent: Agent) -> None:
    """With its inputs as schema; a client that listens is told of the new tool."""
    text = (
        "name: greet\ndescription: Greet somebody.\n"
        "inputs: {type: object, required: [who], properties: {who: {type: string}}}\n"
        "steps:\n  - id: said\n    set: {text: 'hello ${input.who}'}\noutput: ${steps.said.text}\n"
    )
    async with agent.over_http() as client, client.listen(tools_list_changed=True) as news:
        assert not (await client.call_tool("store_workflow", {"text": text})).is_error
        event = await asyncio.wait_for(anext(news), 60)
        tools = {tool.name: tool for tool in (await client.list_tools(cache_mode="bypass")).tools}
        done = await client.call_tool("workflow_greet", {"who": "Ann"})
        wrong = await client.call_tool("workflow_greet", {})
        by_name = await client.call_tool("run_workflow", {"name": "greet", "input": {"who": "Bo"}})
        listed = await client.call_tool("list_workflows", {})
    assert isinstance(event, ToolsListChanged)
    assert tools["workflow_greet"].input_schema["required"] == ["who"]
    assert "Greet somebody." in (tools["workflow_greet"].description or "")
    assert done.structured_content["result"] == "hello Ann"
    assert wrong.structured_content["code"] == "VALIDATION_ERROR"
    assert by_name.structured_content["result"] == "hello Bo"
    names = [one["name"] for one in listed.structured_content["items"]]
    assert {"greet", "rag"} <= set(names)


async def test_a_key_sees_what_it_may(agent: Agent) -> None:
    """A reader's agent is offered no tool that changes anything, and none works for it."""
    reader = agent.with_key("reader", "--role", "viewer")
    async with reader.over_http() as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        refused = await client.call_tool("try_workflow", {"text": SAYING})
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        runbook = await client.get_prompt("diagnose-a-run", {"run": "exec-1"})
    async with reader.over_stdio() as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == names
    assert "look_at_run" in names
    assert prompts == ["diagnose-a-run"]
    assert "`exec-1`" in str(runbook.messages[0].content)
    assert not names & {"try_workflow", "call_unit", "cancel_operation", "inference_chat"}
    assert refused.is_error
    assert refused.structured_content["code"] == "FORBIDDEN"


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic d3Jvbmc="])
async def test_strangers_are_asked_for_a_key(agent: Agent, given: str) -> None:
    """Loopback is open to every program and every user of the machine."""
    async with httpx2.AsyncClient() as http:
        headers = {**SPEAKS, "authorization": given}
        answer = await http.post(agent.url, json=PING, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil.example@127.0.0.1"},
        {"origin": "http://evil.example"},
        {"origin": "https://127.0.0.1.evil.example"},
        {"origin": "http://127.0.0.1@evil.example"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"origin": "file://"},
    ],
    ids=str,
)
async def test_a_page_of_the_web_is_refused(agent: Agent, headers: dict[str, str]) -> None:
    """With DNS rebinding a page reaches loopback; it cannot hide where it came from."""
    async with httpx2.AsyncClient(headers=agent.headers) as http:
        answer = await http.post(agent.url, json=PING, headers={**SPEAKS, **headers})
        own = {**SPEAKS, "origin": f"http://localhost:{agent.port}"}
        allowed = await http.post(agent.url, json=PING, headers=own)
    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assert allowed.status_code == 200


async def test_a_session_belongs_to_its_key(agent: Agent) -> None:
    """An id that was overheard opens nothing."""
    other = agent.with_key("other", "--role", "admin")
    async with httpx2.AsyncClient(headers=SPEAKS) as http:
        opened = await http.post(agent.url, json=PING, headers=agent.headers)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
        stolen = await http.post(agent.url, json=listing, headers={**other.headers, **session})
        ended = await http.delete(agent.url, headers={**agent.headers, **session})
    assert stolen.status_code == 404
    assert ended.status_code == 200


def test_the_how_to_works_as_it_stands(agent: Agent) -> None:
    """A page whose commands fail teaches nobody."""
    blocks = re.findall(r"```sh\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    environ = agent.aima.environ | {"DOOR": f"http://127.0.0.1:{agent.port}"}
    environ["PATH"] = f"{AIMA.parent}:{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)],
        cwd=agent.aima.cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in ('"structuredContent":{"text":"Hello Ann."}', "aima_"):
        assert told in done.stdout


def test_the_how_to_shows_json_that_is_json() -> None:
    """It is pasted into the settings of other programs."""
    for block in re.findall(r"```json\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL):
        assert json.loads(block)


def test_without_a_stack_the_way_out_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What speaks the protocol on standard output says nothing else there."""
    with data_folder(tmp_path_factory.mktemp("down")) as aima:
        done = _mcp(aima)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "`aima up` starts it" in done.stderr


@asynccontextmanager
async def hearing(client: Client, uri: str, heard: asyncio.Queue[str]) -> AsyncIterator[None]:
    """Have the changes of a resource put into a queue, as a client of its era does."""
    if client.protocol_version != NEW:  # its message handler hears
        with pytest.warns(MCPDeprecationWarning):
            await client.subscribe_resource(uri)
        yield
        with pytest.warns(MCPDeprecationWarning):
            await client.unsubscribe_resource(uri)
        return
    async with client.listen(resource_subscriptions=[uri]) as news:

        async def hear() -> None:
            async for event in news:
                assert isinstance(event, ResourceUpdated)
                heard.put_nowait(event.uri)

        hearing = asyncio.create_task(hear())
        yield
        hearing.cancel()


def _mcp(aima: Aima) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AIMA, "mcp"],
        cwd=aima.cwd,
        env=aima.environ,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _hints(tool: Any) -> tuple[bool, bool, bool]:  # noqa: ANN401 - of the client
    hints = tool.annotations
    return hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint
