"""A unit as a Temporal activity of the same name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from aima.errors import AimaError, ExecutionFailed, InternalError, TimedOut, ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engines
from aima.unit import Event, Unit

BEAT_SECONDS = 0.4
"""How often a running unit tells Temporal that it lives; a cancel is felt as soon."""

CLEANUP_SECONDS = 20.0
"""How long a cancelled unit may clean up; then it is left alone, and its run goes on without it."""

_MOST_CHARACTERS = 200  # of a progress message: each heartbeat carries it


class BrokenUnit(InternalError):
    """A unit breaks its own declaration; no other attempt mends that."""

    retryable = False


class RunLog(Protocol):
    """Where the lines of a run go."""

    def write(self, run: str, line: dict[str, object]) -> None:
        """Append one line; never raises."""
        ...


class EffectRecord(Protocol):
    """Remembers the effects of commands that must not happen twice."""

    async def once(
        self, key: str, unit: str, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Do ``work`` and record its output under ``key``; give the record where there is one."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the worker lends to every unit."""

    engines: Engines
    artifacts: Artifacts
    effects: EffectRecord
    log: RunLog


@dataclass
class ActivityContext:
    """The context of one attempt."""

    engines: Engines
    artifacts: Artifacts
    effect_key: str
    log: RunLog
    run: str
    message: str = ""
    moved_at: float = field(default_factory=time.monotonic)

    def progress(self, message: str) -> None:
        """Tell how far the work is; the next heartbeat carries it."""
        self.message = message[:_MOST_CHARACTERS].encode(errors="replace").decode()
        self.moved_at = time.monotonic()

    async def emit(self, event: Event) -> None:
        """Write the event into the run's log."""
        told = {"event": event.TYPE, **event.model_dump()}
        self.log.write(self.run, told)


def as_activity(unit: Unit, around: Surroundings) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Make the activity of a unit."""

    @activity.defn(name=unit.name)
    async def run(given: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
        info = activity.info()
        context = ActivityContext(
            engines=around.engines,
            artifacts=around.artifacts,
            effect_key=call["effect"],
            log=around.log,
            run=info.workflow_id or "",
        )
        line = {"step": info.activity_id, "unit": unit.name, "attempt": info.attempt}
        around.log.write(context.run, {**line, "state": "started"})
        started = time.monotonic()
        try:
            output = await _attempt(unit, given, context, around.effects, call.get("heartbeat"))
        except asyncio.CancelledError:
            around.log.write(context.run, {**line, "state": "cancelled"})
            raise
        except ApplicationError as error:
            told = {"code": error.type, "message": error.message}
            around.log.write(context.run, {**line, "state": "failed", "error": told})
            raise
        seconds = round(time.monotonic() - started, 3)
        around.log.write(context.run, {**line, "state": "done", "seconds": seconds})
        return output

    return run


async def _attempt(
    unit: Unit,
    given: dict[str, Any],
    context: ActivityContext,
    effects: EffectRecord,
    silence: float | None,
) -> dict[str, Any]:
    """Run the unit once while a heart beats beside it; translate what goes wrong.

    This is the worker's edge, the one place that catches everything: Temporal must learn a code
    of the tree, and whether another attempt may help.
    """
    work = asyncio.create_task(_run(unit, given, context, effects))
    try:
        return await _watched(work, context, silence)
    except AimaError as error:
        raise _told(error) from error
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if details is not None and details.worker_shutdown:
            raise _told(ExecutionFailed("the worker stopped before the step was done")) from None
        raise
    except ApplicationError:
        raise
    except Exception as error:
        broken = InternalError(f"{unit.name} broke: {type(error).__name__}: {error}")
        raise _told(broken) from error
    finally:
        await _cleaned_up(work, context)


async def _run(
    unit: Unit, given: dict[str, Any], context: ActivityContext, effects: EffectRecord
) -> dict[str, Any]:
    try:
        request = unit.input.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed(f"{unit.name}: {_first(error)}") from error

    async def work() -> dict[str, Any]:
        try:
            output = await unit.run(request, context)
        except SystemExit as error:  # asyncio would take it for the worker's own end
            raise BrokenUnit(f"{unit.name} tried to end its worker; it may only raise") from error
        if not isinstance(output, unit.output):
            returned, declared = type(output).__name__, unit.output.__name__
            raise BrokenUnit(f"{unit.name} returned {returned!r}; it declares {declared!r}")
        return output.model_dump(mode="json", exclude_none=True)

    return (
        await work() if unit.idempotent else await effects.once(context.effect_key, unit.name, work)
    )


async def _watched(
    work: asyncio.Task[dict[str, Any]], context: ActivityContext, silence: float | None
) -> dict[str, Any]:
    """Beat until the work ends; a unit without progress for ``silence`` seconds has failed."""
    if activity.info().attempt > 1:
        _beat(context)  # so that a timeout tells which attempt it ended
    while True:
        done, _ = await asyncio.wait((work,), timeout=BEAT_SECONDS)
        if work.cancelled():
            raise BrokenUnit("the unit was cancelled from within; it may only raise")
        if done:
            return work.result()
        _beat(context)
        if silence is not None and time.monotonic() - context.moved_at > silence:
            raise TimedOut(f"no progress for {silence:g} s, its `heartbeat`")


async def _cleaned_up(
    work: asyncio.Task[dict[str, Any]], context: ActivityContext, seconds: float = CLEANUP_SECONDS
) -> None:
    """Cancel what still runs and beat until it has ended, for a bounded time."""
    work.cancel()
    until = time.monotonic() + seconds
    while not work.done() and time.monotonic() < until:
        await asyncio.wait((work,), timeout=BEAT_SECONDS)
        _beat(context)
    if work.done() and not work.cancelled():
        work.exception()  # seen: what was cancelled may end as it likes


def _beat(context: ActivityContext) -> None:
    activity.heartbeat({"attempt": activity.info().attempt, "message": context.message})


def _told(error: AimaError) -> ApplicationError:
    return ApplicationError(
        error.message,
        {"attempt": activity.info().attempt},
        type=error.code,
        non_retryable=not error.retryable,
    )


def _first(error: ValidationError) -> str:
    """Say the first thing that is wrong with an input."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"`{where}`: {first['msg']}" if where else str(first["msg"])
