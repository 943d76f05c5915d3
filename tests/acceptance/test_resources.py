"""What AIMA manages is read and watched, what happens is told, and starts workflows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from click.testing import CliRunner
from mcp_types import TextResourceContents
from prometheus_client.parser import text_string_to_metric_families

from aima.gateway.cli.main import cli
from aima.gateway.cli.resource_watch import changes
from aima.gateway.cli.stack_client import StackClient
from aima.stack.lock import running_stack
from tests.acceptance.agent import agent_of
from tests.acceptance.command import AIMA, REPOSITORY, Aima, wait_until
from tests.acceptance.running import data_folder
from tests.contract.test_resources import CATALOG, CATALOGUE

HOW_TO = REPOSITORY / "docs" / "how-to" / "watch-and-react.md"
AFTER = """\
name: after
inputs: {type: object, required: [run], properties: {run: {type: string}}}
triggers:
  - event: {type: pipeline.completed, if: "${event.data.workflow == 'exec'}"}
    input: {run: "${event.data.run_id}"}
steps:
  - id: told
    type: template.render
    input: {text: "after {{ run }}", values: {run: "${input.run}"}}
"""


@pytest.fixture(scope="module")
def vllm_url() -> Iterator[str]:
    """Run the public fake of a vLLM."""
    command = [sys.executable, "-m", "aima.testing.engines", "vllm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def aima(tmp_path_factory: pytest.TempPathFactory, vllm_url: str) -> Iterator[Aima]:
    """AIMA, up for the whole module, with one engine that counts."""
    with data_folder(tmp_path_factory.mktemp("resources")) as aima:
        aima.settings = {
            "AIMA_EMBEDDED_ENABLED": "false",
            "AIMA_ENGINES": f'{{there = {{url = "{vllm_url}", kind = "vllm"}}}}',
        }
        aima.up()
        yield aima


@contextmanager
def listening(aima: Aima, *arguments: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Run a command that prints JSON lines until it is interrupted."""
    with subprocess.Popen(
        [str(AIMA), *arguments, "--json"],
        cwd=aima.cwd,
        env=aima.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield map(json.loads, process.stdout)
        finally:
            process.send_signal(signal.SIGINT)


def render(aima: Aima) -> str:
    """Run the quickest of units; give its run."""
    done = aima.ask("exec", "template.render", "-i", "text=hi")
    assert done["state"] == "completed"
    return str(done["id"])


def test_a_resource_is_read_by_its_address_or_its_domain(aima: Aima) -> None:
    """The same as its query says."""
    read = aima.ask("get", "asms://engines/status")
    assert [row["name"] for row in read["data"]["items"]] == ["there"]
    assert aima.ask("get", "engines") == read
    assert "asms://pipelines" in aima.call("get").stdout
    assert aima.call("get", "asms://engine/none").returncode == 3
    assert "did you mean 'engines'" in aima.call("get", "enginess").stderr
    assert "such as asms://engines/status" in aima.call("watch", "engines").stderr
    assert "did you mean 'asms://engine/there'" in aima.call("watch", "asms://engin/there").stderr


EXAMPLES = {
    "asms://engine/{name}": "asms://engine/there",
    "asms://model/{id}": "asms://model/whisper-tiny.en",
    "asms://pipeline/{id}": "asms://pipeline/voice-assistant",
}
"""One of each template; a new one belongs here."""


def begun(client: StackClient, uri: str) -> Iterator[dict[str, Any]]:
    """Watch a resource as the command line does, until all that there is was told."""
    with closing(changes(client, uri, "")) as told:
        for change in told:
            yield change
            if change["type"] == "BOOKMARK":
                return


async def test_each_resource_is_read_listed_and_watched_at_every_door(aima: Aima) -> None:
    """REST, MCP and the command line have the same addresses and say the same of them."""
    wanted = {uri for uri, query in CATALOGUE.items() if not query or query in CATALOG.units}
    agent = agent_of(aima)
    told = await agent.ask("GET", "/resources")
    fixed = {row["uri"] for row in told["resources"]}
    assert fixed | {row["uri_template"] for row in told["templates"]} >= wanted
    uris = sorted(EXAMPLES.get(uri, uri) for uri in wanted)
    state = running_stack(aima.data)
    assert state is not None
    async with agent.over_http() as client:
        assert fixed == {str(one.uri) for one in (await client.list_resources()).resources}
        templates = (await client.list_resource_templates()).resource_templates
        assert {one.uri_template for one in templates} == set(EXAMPLES)
        for uri in uris:
            read = await agent.ask("GET", f"/resources?uri={quote(uri, safe='')}")
            [text] = (await client.read_resource(uri)).contents
            assert isinstance(text, TextResourceContents)
            assert json.loads(text.text).keys() == read["data"].keys()
            got = CliRunner().invoke(cli, ["get", uri, "--json"], env=aima.environ)
            assert json.loads(got.stdout)["data"].keys() == read["data"].keys()
            assert "BOOKMARK" in {change["type"] for change in begun(StackClient(state), uri)}
        async with client.listen(resource_subscriptions=uris) as heard:
            assert set(heard.honored.resource_subscriptions or ()) == set(uris)


def test_a_run_is_watched_to_its_end(aima: Aima) -> None:
    """First what there is; with a version one goes on where one was."""
    run_id = render(aima)
    with listening(aima, "watch", f"asms://pipeline/{run_id}") as changes:
        added, bookmark = next(changes), next(changes)
    assert (added["type"], added["object"]["state"]) == ("ADDED", "completed")
    assert added["object"]["output"] == {"text": "hi"}
    assert bookmark["type"] == "BOOKMARK"
    gone = aima.call("watch", "asms://pipelines", "--since", "1")
    assert "read it again" in gone.stderr


def test_what_happens_is_followed(aima: Aima) -> None:
    """From the start of a run to its end, in CloudEvents."""
    with listening(aima, "events", "--follow", "--type", "pipeline.*") as events:
        run_id = render(aima)
        mine = (event for event in events if event["correlationid"] == run_id)
        told = [next(mine) for _ in range(3)]
    assert {event["type"] for event in told} == {
        "pipeline.started",
        "pipeline.step_completed",
        "pipeline.completed",
    }
    assert {event["subject"] for event in told} == {f"pipeline/{run_id}"}
    numbers = [event["sequence"] for event in told]
    assert numbers == sorted(set(numbers))


def test_the_end_of_a_run_starts_a_workflow_once_whoever_is_killed(
    aima: Aima, tmp_path: Path
) -> None:
    """The worker, which tells and passes on, is killed with the run barely over."""
    file = tmp_path / "after.yaml"
    file.write_text(AFTER)
    aima.ask("apply", file)
    run_id = render(aima)
    os.kill(aima.pids()["worker"], signal.SIGKILL)

    with listening(aima, "events", "--follow", "--type", "pipeline.completed") as events:
        end = next(event for event in events if event["data"]["workflow"] == "after")
    runs = aima.ask("runs", "--query", "WorkflowType = 'after'")["runs"]
    assert [run["id"] for run in runs] == [end["data"]["run_id"]]
    output = aima.ask("get", f"pipeline/{end['data']['run_id']}")["data"]["output"]
    assert output == {"told": {"text": f"after {run_id}"}}


def gone(pid: int) -> bool:
    """Tell whether a process has ended, though nobody may have looked at it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.nightly
def test_the_end_of_a_run_starts_a_workflow_once_though_the_door_is_killed(
    aima: Aima, tmp_path: Path
) -> None:
    """The door and all that it holds, Temporal too; the next one tells what happened before."""
    file = tmp_path / "later.yaml"
    file.write_text(AFTER.replace("name: after", "name: later"))
    aima.ask("apply", file)
    run_id = render(aima)
    pids = aima.pids()
    os.kill(pids["stack"], signal.SIGKILL)
    for pid in pids.values():
        wait_until(partial(gone, pid), what="the end of the orphans")
    aima.up()

    def started() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = aima.ask("runs", "--query", "WorkflowType = 'later'")["runs"]
        return [run for run in found if run["state"] == "completed"]

    [run] = wait_until(started, what="the run that the end of another starts")
    output = aima.ask("get", f"pipeline/{run['id']}")["data"]["output"]
    assert output == {"told": {"text": f"after {run_id}"}}


def metrics(aima: Aima) -> dict[str, list[Any]]:
    """Read the metrics as a scraper does, without a key; give the samples by name."""
    port = json.loads((aima.data / "stack.json").read_text())["port"]
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain")
    finally:
        connection.close()
    found: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("aima_")
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(samples: list[Any], **labels: str) -> float:
    """Give the value of the one sample with these labels."""
    [sample] = [s for s in samples if labels.items() <= s.labels.items()]
    return float(sample.value)


def test_prometheus_reads_what_is_counted(aima: Aima) -> None:
    """Units of the worker, requests of the door, runs of Temporal, and an engine's own counts."""
    render(aima)
    found = metrics(aima)
    attempts = found["aima_unit_attempts_total"]
    assert value(attempts, unit="template.render", outcome="done") >= 1
    assert value(found["aima_unit_attempt_duration_seconds_count"], unit="template.render") >= 1
    assert value(found["aima_runs"], state="completed") >= 1
    assert value(found["aima_queue_backlog"], kind="activity") == 0
    assert value(found["aima_http_requests_total"], route="/api/v2/execute") >= 1
    assert value(found["aima_engine_up"], engine="there") == 1
    assert value(found["aima_engine_requests_running"], engine="there") >= 0
    assert value(found["aima_events_total"]) >= 1
    routes = {sample.labels["route"] for sample in found["aima_http_requests_total"]}
    assert not [route for route in routes if "exec-" in route]


def test_the_how_to_does_what_it_says(aima: Aima) -> None:
    """Every command of the page, as a reader pastes it."""
    blocks = re.findall(r"```sh\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    port = json.loads((aima.data / "stack.json").read_text())["port"]
    environ = aima.environ | {"DOOR": f"http://127.0.0.1:{port}"}
    environ["PATH"] = f"{AIMA.parent}:{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)],
        cwd=aima.cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("asms://engines/status", "pipeline.", "react-ev-", "BOOKMARK"):
        assert told in done.stdout
