"""A unit as a Temporal activity of the same name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from aima.errors import AimaError, TimedOut, ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engines
from aima.unit import Event, Unit

BEAT_SECONDS = 0.4
"""How often a running unit tells Temporal that it lives; a cancel is felt as soon."""


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
        self.message = message
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
    except (asyncio.CancelledError, ApplicationError):
        raise
    except Exception as error:
        raise ApplicationError(
            f"{unit.name} broke: {type(error).__name__}: {error}", _details(), type="INTERNAL_ERROR"
        ) from error
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await work


async def _run(
    unit: Unit, given: dict[str, Any], context: ActivityContext, effects: EffectRecord
) -> dict[str, Any]:
    try:
        request = unit.input.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed(f"{unit.name}: {_first(error)}") from error

    async def work() -> dict[str, Any]:
        output = await unit.run(request, context)
        return output.model_dump(mode="json", exclude_none=True)

    return (
        await work() if unit.idempotent else await effects.once(context.effect_key, unit.name, work)
    )


async def _watched(
    work: asyncio.Task[dict[str, Any]], context: ActivityContext, silence: float | None
) -> dict[str, Any]:
    """Beat until the work ends; a unit without progress for ``silence`` seconds has failed."""
    while True:
        done, _ = await asyncio.wait((work,), timeout=BEAT_SECONDS)
        if done:
            return work.result()
        activity.heartbeat(*([context.message] if context.message else []))
        if silence is not None and time.monotonic() - context.moved_at > silence:
            raise TimedOut(f"no progress for {silence:g} s, its `heartbeat`")


def _told(error: AimaError) -> ApplicationError:
    return ApplicationError(
        error.message, _details(), type=error.code, non_retryable=not error.retryable
    )


def _details() -> dict[str, Any]:
    return {"attempt": activity.info().attempt}


def _first(error: ValidationError) -> str:
    """Say the first thing that is wrong with an input."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"`{where}`: {first['msg']}" if where else str(first["msg"])
