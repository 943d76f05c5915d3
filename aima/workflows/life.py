"""The life of a run: its steps, then undoing if they failed, and the sections around them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.places import place_of
from aima.dsl.template import Evaluator
from aima.workflows.constructs import Proceed, RunningSection, running_sections
from aima.workflows.failure import Returned, RunCancelled, StepError, StepFailed
from aima.workflows.run import Run
from aima.workflows.schedule import Schedule
from aima.workflows.size import check_output
from aima.workflows.undo import undo

STEPS_RANK = 100
"""Sections of a lower rank go around undoing as well; the others around the steps alone."""


async def live(run: Run) -> Json:
    """Run a program to its end and give its output.

    Raises:
        StepFailed: a step failed for good.
        RunCancelled: somebody cancelled the run.
    """
    steps = _around(run, lambda: _steps(run), inner=True)
    try:
        output = await _around(run, lambda: _undone(run, steps), inner=False)()
        if run.cancelled:  # too late for the steps, not for the truth
            raise RunCancelled  # noqa: TRY301 - what was done is undone as after any cancel
    except (StepFailed, RunCancelled):
        main = {node.id for node in run.program.steps.all_nodes()}
        await undo(run, lambda record: record["step"] in main)
        raise
    return output


def _around(run: Run, proceed: Proceed, *, inner: bool) -> Proceed:
    for section in reversed(running_sections()):
        if (section.rank >= STEPS_RANK) is inner and run.program.plan.get(section.key):
            proceed = _in_section(section, run, proceed)
    return proceed


def _in_section(section: RunningSection, run: Run, proceed: Proceed) -> Proceed:
    return lambda: section.around(run, proceed)


async def _undone(run: Run, steps: Proceed) -> Json:
    """Run the steps, once in all histories, and undo what they did if they do not end well."""
    if "ended" not in run.state:
        run.state["ended"] = await _end(steps())
    ended: dict[str, Any] = run.state["ended"]
    if "output" in ended:
        run.status["status"] = "completed"
        return ended["output"]  # type: ignore[no-any-return] # JSON, as it was put there
    run.status["status"] = "canceled" if "cancelled" in ended else "failed"
    await undo(run)
    if "cancelled" in ended:
        raise RunCancelled
    raise StepFailed(StepError.of(ended["error"]))


async def _end(steps: Awaitable[Json]) -> dict[str, Json]:
    try:
        return {"output": await steps}
    except StepFailed as failure:
        return {"error": failure.error.data()}
    except Returned as returned:
        return {"output": returned.output}
    except RunCancelled:
        return {"cancelled": True}


async def _steps(run: Run) -> Json:

    async def work() -> Json:
        frame = run.frame(run.state["place"], closing=run.closing)
        return await Schedule(run.program.steps, frame).run()

    outputs = await run.interruptible(work())
    output = outputs if run.program.output is None else _evaluated(run, run.program.output)
    check_output(run, output)
    return output


def _evaluated(run: Run, output: Evaluator) -> Json:
    try:
        return output(run.roots)
    except ExpressionError as error:
        place = place_of(error, run.program.places, "output")
        told = StepError(
            code=error.code,
            message=place.tell(error),
            step="",
            unit=None,
            attempt=1,
            line=place.line or 1,
        )
        raise StepFailed(told) from error
