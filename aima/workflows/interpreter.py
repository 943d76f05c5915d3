"""The one workflow of AIMA: it runs any plan, under the plan's own name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.workflows.failure import CLEANED_UP, RunCancelled, StepError, StepFailed
from aima.workflows.life import live
from aima.workflows.mail import Mail
from aima.workflows.messages import deliver, refuse
from aima.workflows.progress import PROGRESS
from aima.workflows.run import Run
from aima.workflows.segment import live_segment
from aima.workflows.size import too_large

STATE = "aima.state"
"""The query that gives all that a run knows, as in :mod:`aima.workflows.run`."""

_UNREADABLE = (
    AttributeError,
    ExpressionError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@workflow.defn(dynamic=True)
class Interpreter:
    """Runs a plan. Arguments: ``{input, config, …}`` of this run, then the plan."""

    def __init__(self) -> None:
        """Be ready for what is sent before the run begins."""
        self._mail = Mail()
        self._run: Run | None = None

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the plan and give its output.

        Raises:
            ApplicationError: a step failed for good, and its details are the step's error; or
                the arguments are none that this worker runs.
        """
        run = self._run = _accept(args, self._mail)
        life = asyncio.create_task(live_segment(run) if "segment" in run.request else live(run))

        def drained() -> bool:
            return run.window.drained and workflow.all_handlers_finished()

        while not life.done():
            try:  # a condition is looked at when all that can go on has: no result is half taken
                await workflow.wait_condition(lambda: life.done() or drained() or run.window.stuck)
            except asyncio.CancelledError:
                run.cancel()
            else:
                if run.window.stuck:
                    run.window.be_patient()
                if not life.done() and drained():
                    _continue(run, args)
        try:
            return _output(life, run)
        except StepFailed as failure:
            raise _failed(failure.error, run) from failure
        except RunCancelled as cancelled:
            if told := _cleaned_up(run):  # what ends Canceled carries no details
                workflow.upsert_memo(told)
            await _cancelled_here()
            raise asyncio.CancelledError from cancelled

    @workflow.signal(dynamic=True)
    async def signalled(self, name: str, args: Sequence[RawValue]) -> None:
        """Take a signal, an event, or a grant; what nothing waits for is kept."""
        deliver(self._mail, self._run, name, _read(args))

    @workflow.update(dynamic=True)
    async def told(self, name: str, args: Sequence[RawValue]) -> Json:
        """Take a signal or an approval, and say that it was taken.

        Raises:
            ApplicationError: no step of the run can take it; the validator may have come too
                early to know.
        """
        await workflow.wait_condition(lambda: self._run is not None)
        refuse(self._run, name, _read(args))
        deliver(self._mail, self._run, name, _read(args))
        return None

    @told.validator
    def _refuse(self, name: str, args: Sequence[RawValue]) -> None:
        refuse(self._run, name, _read(args))

    @workflow.query(name=STATE)
    def state(self) -> Json:
        """Give all that the run knows."""
        return self._run.state if self._run is not None else None

    @workflow.query(name=PROGRESS)
    def how_far(self) -> Json:
        """Tell how far the run is, in a few words."""
        return self._run.progress.told() if self._run is not None else None

    def progress(self) -> str:
        """Draw how far the run is, in Markdown."""
        return self._run.progress.markdown() if self._run is not None else ""


def _accept(args: Sequence[RawValue], mail: Mail) -> Run:
    """Read the arguments of a run.

    Anybody with a client can start a workflow on AIMA's queue. What cannot be read fails the
    run: an exception of another type would fail the workflow task, which is tried for ever.
    """
    try:
        request, plan = args
        asked = workflow.payload_converter().from_payload(request.payload)
        return Run(plan.payload, asked, mail)
    except _UNREADABLE as error:
        raise ApplicationError(
            f"this run carries no plan that this worker can run: {type(error).__name__}: {error}; "
            "start it with `aima run`, and update the worker if AIMA did start it",
            type="INVALID_REQUEST",
            non_retryable=True,
        ) from error


def _output(life: asyncio.Task[Json], run: Run) -> Json:
    """Give what came of a life that is over; a cancel is too late for it, not for the truth."""
    output = life.result()
    if run.cancelled and "segment" not in run.request:
        raise RunCancelled
    return output


def _continue(run: Run, args: Sequence[RawValue]) -> None:
    """Go on in a new history with all that is known; a run that knows too much fails."""
    try:
        known = workflow.payload_converter().to_payload({**run.request, "state": run.state})
    except ApplicationError as error:
        run.window.keep_open()  # for cleaning up
        run.fail(StepFailed(too_large(run, error)))
    else:
        workflow.continue_as_new(args=[RawValue(known), RawValue(args[1].payload)])


async def _cancelled_here() -> None:
    """See to it that this history has been asked to end.

    Temporal takes a run for cancelled only if that history was asked to in which it ends, and
    cleaning up may have taken more than one.
    """
    if workflow.cancellation_reason() is not None:
        return
    asking = asyncio.create_task(
        workflow.execute_activity(
            "aima.cancel", start_to_close_timeout=timedelta(minutes=1), summary="cancelled before"
        )
    )
    with suppress(asyncio.CancelledError):
        await workflow.wait_condition(lambda: workflow.cancellation_reason() is not None)
    asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # seen


def _read(args: Sequence[RawValue]) -> list[Json]:
    convert = workflow.payload_converter().from_payload
    return [convert(arg.payload) for arg in args]


def _failed(error: StepError, run: Run) -> ApplicationError:
    where = ""
    if error.step and error.line:  # a unit asked for alone has no line, and no step of anybody's
        unit = f" ({error.unit})" if error.unit else ""
        item = f", item {error.item}" if error.item is not None else ""
        where = f"line {error.line}, step {error.step!r}{unit}{item}: "
    told = {**error.data(), **_cleaned_up(run)}
    return ApplicationError(f"{where}{error.message}", told, type=error.code, non_retryable=True)


def _cleaned_up(run: Run) -> dict[str, Json]:
    """Give what was undone, or could not be, and what else of cleaning up has failed."""
    return {key: run.state[key] for key in CLEANED_UP if run.state.get(key)}
