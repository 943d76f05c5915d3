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
from aima.dsl.order import find_cycle
from aima.dsl.places import place_of
from aima.dsl.plan import READABLE
from aima.dsl.template import evaluator
from aima.workflows.constructs import running_bodies
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
            ExpressionError, LookupError, TypeError, ValueError: it is none that this worker runs;
                the expressions of its steps are read only as they are needed.
        """
        if plan["format"] not in READABLE:
            raise ValueError(f"format {plan['format']!r}; this worker reads {sorted(READABLE)}")
        self.name = str(plan["name"])
        self.config = dict(plan["config"])
        self.places = list(plan["places"])
        self.output = None if plan["output"] is None else evaluator(plan["output"])
        self.nodes = tuple(Node(step) for step in plan["steps"])
        for node in self.nodes:
            running_bodies()[node.body].accept(node.data)
        order = {node.id: node.after for node in self.nodes}
        if len(order) < len(self.nodes) or find_cycle(order):
            raise ValueError("two of its steps have one id or wait for each other")


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
            ApplicationError: a step failed for good, and its details are the step's error; or
                the arguments are none that this worker runs.
        """
        program, frame = _accept(args)
        try:
            await Schedule(program.nodes, frame, Progress(program.nodes)).run()
        except StepFailed as failure:
            raise _failed(failure.error) from failure
        return _output(program, frame)


_UNREADABLE = (
    AttributeError,
    ExpressionError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def _accept(args: Sequence[RawValue]) -> tuple[Program, Frame]:
    """Read the arguments of a run.

    Anybody with a client can start a workflow on AIMA's queue. What cannot be read fails the
    run: an exception of another type would fail the workflow task, which is tried for ever.
    """
    try:
        request, plan = args
        program = _program(plan.payload.data)
        return program, _frame(program, workflow.payload_converter().from_payload(request.payload))
    except _UNREADABLE as error:
        raise ApplicationError(
            f"this run carries no plan that this worker can run: {type(error).__name__}: {error}; "
            "start it with `aima run`, and update the worker if AIMA did start it",
            type="INVALID_REQUEST",
            non_retryable=True,
        ) from error


def _frame(program: Program, request: dict[str, Any]) -> Frame:
    info = workflow.info()
    outputs: dict[str, Json] = {}
    roots: Roots = {
        "input": request["input"],
        "config": {**program.config, **request["config"]},
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
        return {node.id: frame.outputs[node.id] for node in program.nodes}
    try:
        return program.output(frame.roots)
    except ExpressionError as error:
        place = place_of(error, program.places, "output")
        message = place.tell(error)
        details: dict[str, Json] = {"code": error.code, "message": message, "line": place.line}
        raise ApplicationError(message, details, type=error.code, non_retryable=True) from error


def _failed(error: StepError) -> ApplicationError:
    where = f"step {error.step!r}" + (f" ({error.unit})" if error.unit else "")
    return ApplicationError(
        f"line {error.line}, {where}: {error.message}",
        error.data(),
        type=error.code,
        non_retryable=True,
    )
