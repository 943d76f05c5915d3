"""The one workflow of AIMA: it runs any plan, under the plan's own name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.plan import READABLE
from aima.dsl.template import evaluator
from aima.workflows.failure import StepError, StepFailed
from aima.workflows.frame import Frame, Node, Roots
from aima.workflows.progress import Progress
from aima.workflows.schedule import Schedule
from aima.workflows.window import Window


class Program:
    """A plan made ready to run; runs of the same plan share it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Read a plan.

        Raises:
            ApplicationError: the plan is of a format this version does not read.
        """
        if plan.get("format") not in READABLE:
            raise ApplicationError(
                f"the plan has format {plan.get('format')!r} and this worker reads "
                f"{sorted(READABLE)}; update the worker",
                type="INVALID_REQUEST",
                non_retryable=True,
            )
        self.name: str = plan["name"]
        self.config: dict[str, Json] = plan["config"]
        self.nodes = tuple(Node(step) for step in plan["steps"])
        self.output = None if plan["output"] is None else evaluator(plan["output"])


@lru_cache(maxsize=256)
def _program(payload: bytes) -> Program:
    """Read a plan off its bytes, once in a worker: the same bytes are the same program."""
    import json

    return Program(json.loads(payload))


@workflow.defn(dynamic=True)
class Interpreter:
    """Runs a plan. Arguments: ``{input, config}`` of this run, then the plan."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the plan and give its output.

        Raises:
            ApplicationError: a step failed for good; its details are the step's error.
        """
        request = workflow.payload_converter().from_payload(args[0].payload)
        program = _program(args[1].payload.data)
        frame = _frame(program, request)
        try:
            await Schedule(program.nodes, frame, Progress(program.nodes)).run()
        except StepFailed as failure:
            raise _failed(failure.error) from failure
        return _output(program, frame)


def _frame(program: Program, request: dict[str, Json]) -> Frame:
    info = workflow.info()
    outputs: dict[str, Json] = {}
    given = request.get("config")
    roots: Roots = {
        "input": request.get("input"),
        "config": {**program.config, **given} if isinstance(given, dict) else program.config,
        "steps": outputs,
        "run": {
            "id": info.workflow_id,
            "name": program.name,
            "status": "running",
            "attempt": info.attempt,
            "started_at": info.workflow_start_time.isoformat(),
        },
    }
    return Frame(roots=roots, window=Window(), outputs=outputs)


def _output(program: Program, frame: Frame) -> Json:
    if program.output is None:
        return frame.outputs
    try:
        return program.output(frame.roots)
    except ExpressionError as error:
        raise ApplicationError(
            f"`output`: {error.message}", {"code": error.code}, type=error.code, non_retryable=True
        ) from error


def _failed(error: StepError) -> ApplicationError:
    where = f"step {error.step!r}" + (f" ({error.unit})" if error.unit else "")
    return ApplicationError(
        f"line {error.line}, {where}: {error.message}",
        error.data(),
        type=error.code,
        non_retryable=True,
    )
