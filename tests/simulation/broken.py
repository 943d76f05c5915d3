"""Interpreters with one mistake each, to show that the simulation would find it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from aima.dsl.json import Json
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Steps
from aima.workflows.interpreter import STATE, _accept
from aima.workflows.mail import Mail
from aima.workflows.run import Run
from aima.workflows.schedule import Schedule
from aima.workflows.undo import undo


class Careless:
    """What they have in common: a run that gets no signals, and its steps."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.known: Run | None = None

    @workflow.query(name=STATE)
    def state(self) -> Json:
        """Give all that the run knows."""
        return self.known.state if self.known is not None else None

    def schedule(self, args: Sequence[RawValue]) -> tuple[Run, Schedule]:
        """Read the arguments, and prepare the steps."""
        run = self.known = _accept(args, Mail())
        return run, Schedule(run.program.steps, run.frame(run.state["place"]))


@workflow.defn(dynamic=True)
class UndoesTwice(Careless):
    """Forgets what it has undone."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps; undo them twice if they fail."""
        run, steps = self.schedule(args)
        try:
            return await steps.run()
        except StepFailed as failure:
            registered = list(run.state["undos"])
            await undo(run)
            run.state["undos"] += registered
            await undo(run)
            raise ApplicationError("failed", type="FAILED") from failure


@workflow.defn(dynamic=True)
class UndoesNothing(Careless):
    """Believes that a failure is the end of it."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps."""
        run, steps = self.schedule(args)
        try:
            return await steps.run()
        except StepFailed as failure:
            run.state["undos"].clear()
            raise ApplicationError("failed", type="FAILED") from failure


@workflow.defn(dynamic=True)
class UndoesForwards(Careless):
    """Undoes first what was done first."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps; undo them in the order in which they were done."""
        run, steps = self.schedule(args)
        try:
            return await steps.run()
        except StepFailed as failure:
            run.state["undos"].reverse()
            await undo(run)
            details = {"undone": run.state["undone"]}
            raise ApplicationError("failed", details, type="FAILED") from failure


@workflow.defn(dynamic=True)
class HearsNoCancel(Careless):
    """Takes a cancel for a step that failed and need not have."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps; be content with what was done."""
        run, steps = self.schedule(args)
        try:
            return await steps.run()
        except asyncio.CancelledError:
            return run.state["outputs"]  # type: ignore[no-any-return] # JSON


@workflow.defn(dynamic=True)
class LeavesSteps(Careless):
    """Ends with the first step that is done."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps, but not all to their end."""
        run, steps = self.schedule(args)
        doing = asyncio.ensure_future(steps.run())
        await workflow.wait_condition(lambda: bool(run.state["outputs"]))
        doing.cancel()
        return None


@workflow.defn(dynamic=True)
class Hangs(Careless):
    """Waits for what never comes."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps, and then wait."""
        _, steps = self.schedule(args)
        await steps.run()
        await workflow.wait_condition(lambda: False)
        return None


@workflow.defn(dynamic=True)
class LooksAtTheWeather(Careless):
    """Starts what is ready in an order that no history knows of."""

    runs: ClassVar[int] = 0

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Json:
        """Run the steps, every other time the last one first."""
        LooksAtTheWeather.runs += 1
        run, steps = self.schedule(args)
        if LooksAtTheWeather.runs % 2:
            backwards = Steps(list(reversed(run.program.plan["steps"])))
            steps = Schedule(backwards, run.frame(run.state["place"]))
        return await steps.run()
