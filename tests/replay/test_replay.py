"""Recorded histories replay: a change of the interpreter must not break the runs in flight."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from aima.artifacts import FolderArtifacts
from aima.dsl.json import Json
from aima.temporal.converter import data_converter
from aima.temporal.worker import interceptors
from aima.workflows import interpreter
from aima.workflows.frame import Steps
from aima.workflows.mail import Mail
from aima.workflows.schedule import Schedule
from tests.replay.record import HISTORIES, SCENARIOS, read

FILES = sorted(HISTORIES.iterdir())


@pytest.fixture
def converter(tmp_path: Path) -> DataConverter:
    """Give the converter of AIMA's workers."""
    artifacts = FolderArtifacts(tmp_path, max_bytes=2**20)
    return data_converter(artifacts, inline_bytes=65_536, max_bytes=2**20)


def history_of(file: Path) -> WorkflowHistory:
    """Load a recorded history."""
    history = WorkflowHistory.from_json(file.name, read(file))
    started = history.events[0].workflow_execution_started_event_attributes
    return replace(history, workflow_id=started.workflow_id)  # the ids of children begin with it


def replayer_of(workflow_class: type, converter: DataConverter) -> Replayer:
    """Make what replays, with the options of AIMA's workers."""
    return Replayer(
        workflows=[workflow_class],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=converter,
        interceptors=interceptors(),
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
async def test_a_recorded_run_replays(file: Path, converter: DataConverter) -> None:
    """The interpreter of today decides as the one that recorded this did."""
    await replayer_of(interpreter.Interpreter, converter).replay_workflow(history_of(file))


def test_every_scenario_is_recorded() -> None:
    """A construct without a history is one that may break unseen."""
    assert {file.name.partition(".")[0] for file in FILES} == set(SCENARIOS)


@workflow.defn(dynamic=True)
class BackToFront:
    """An interpreter that starts what is ready in the opposite order."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the plan, the last step first."""
        run = interpreter._accept(args, Mail())
        backwards = Steps(list(reversed(run.program.plan["steps"])))
        outputs: Json = await Schedule(backwards, run.frame({})).run()
        return outputs if run.program.output is None else run.program.output(run.roots)


@pytest.mark.parametrize("name", ["parallel.json", "fan-out.json.gz"])
async def test_a_change_of_order_is_noticed(name: str, converter: DataConverter) -> None:
    """These tests can fail: starting ready steps in another order is found out."""
    with pytest.raises(NondeterminismError):
        await replayer_of(BackToFront, converter).replay_workflow(history_of(HISTORIES / name))


async def test_a_chain_replays_in_any_order_of_the_document(converter: DataConverter) -> None:
    """Where data order everything, there is nothing to change."""
    await replayer_of(BackToFront, converter).replay_workflow(history_of(HISTORIES / "chain.json"))
