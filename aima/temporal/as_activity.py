"""A unit as a Temporal activity of the same name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from aima.blocking import in_thread
from aima.errors import (
    AimaError,
    Cancelled,
    ExecutionFailed,
    InternalError,
    RateLimited,
    TimedOut,
)
from aima.meters import DONE
from aima.mistakes import accept
from aima.store.cache import CacheKey
from aima.temporal.activity_context import ActivityContext, Surroundings
from aima.temporal.events import source_of
from aima.temporal.secret_input import fill_in
from aima.unit import Unit

BEAT_SECONDS = 0.4
"""How often a running unit tells Temporal that it lives; a cancel is felt as soon."""

CLEANUP_SECONDS = 20.0
"""How long a cancelled unit may clean up; then it is left alone, and its run goes on without it."""


class BrokenUnit(InternalError):
    """A unit breaks its own declaration; no other attempt mends that."""

    retryable = False


def as_activity(unit: Unit, around: Surroundings) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Make the activity of a unit.

    It takes the unit's input, and how the unit is called:

    ============= ==================================================================================
    ``effect``    the effect key
    ``heartbeat`` seconds without progress after which the attempt has failed
    ``cache``     ``{key, ttl}``, ttl in seconds or null; the result is then ``{hit, output}``
    ``secrets``   pairs of a path into the input and the parts of the text that belongs there
    ``labels``    texts by name, for the log
    ``stream``    ``{run, step}``, under which the answer is shown while it is made
    ``tried``     how many attempts the step has behind it, made beside the workflow
    ``follows``   ``{run, step}``, whose stream the unit reads; the result is ``{heard, output}``,
                  with the SHA-256 of what it read
    ============= ==================================================================================
    """

    @activity.defn(name=unit.name)
    async def run(given: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
        info = activity.info()
        context = _context_of(info, around, call)
        line = {"step": info.activity_id, "unit": unit.name, "attempt": context.attempt}
        if labels := call.get("labels"):
            line["labels"] = labels
        context.write({**line, "state": "started"})
        started = time.monotonic()
        try:
            async with AsyncExitStack() as shown:
                if (stream := call.get("stream")) and "secrets" not in call:
                    begun = info.current_attempt_scheduled_time.timestamp()
                    number = int(begun * 1000)  # by the server's clock: it only grows
                    opened = around.streams.open(stream["run"], stream["step"], number)
                    context.writer = await shown.enter_async_context(opened)
                output = await _attempt(unit, given, call, context)
        except asyncio.CancelledError:
            around.meter.ended(unit.name, Cancelled.code, time.monotonic() - started)
            context.write({**line, "state": "cancelled"})
            raise
        except ApplicationError as error:
            around.meter.ended(unit.name, error.type or "", time.monotonic() - started)
            told = {"code": error.type, "message": error.message}
            context.write({**line, "state": "failed", "error": told})
            if context.mask.secrets:
                raise context.mask.failure(error) from None
            raise
        if "cache" in call:
            line["cached"] = output["hit"]
        seconds = round(time.monotonic() - started, 3)
        around.meter.ended(unit.name, DONE, seconds)
        context.write({**line, "state": "done", "seconds": seconds})
        if "follows" in call:
            return {"heard": context.heard.hexdigest(), "output": output}
        return output

    return run


def _context_of(info: activity.Info, around: Surroundings, call: dict[str, Any]) -> ActivityContext:
    """Make the context of this attempt, with what an earlier one has left."""
    run_id = info.workflow_id or ""
    source = source_of(info.workflow_type or "", run_id)
    attempt = info.attempt + call.get("tried", 0)
    context = ActivityContext(around, call["effect"], run_id, source, attempt)
    context.memory.text = _left(info.heartbeat_details)
    context.memory.beat = partial(_beat, context)
    context.follows = call.get("follows")
    return context


async def _attempt(
    unit: Unit, given: dict[str, Any], call: dict[str, Any], context: ActivityContext
) -> dict[str, Any]:
    """Run the unit once while a heart beats beside it; translate what goes wrong.

    This is the worker's edge, the one place that catches everything: Temporal must learn a code
    of the tree, and whether another attempt may help.
    """
    work = asyncio.create_task(_cached(unit, given, call, context))
    try:
        return await _watched(work, context, call.get("heartbeat"))
    except AimaError as error:
        raise _told(error, context) from error
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if details is not None and details.worker_shutdown:
            stopped = ExecutionFailed("the worker stopped before the step was done")
            raise _told(stopped, context) from None
        raise
    except ApplicationError:
        raise
    except Exception as error:
        broken = InternalError(f"{unit.name} broke: {type(error).__name__}: {error}")
        raise _told(broken, context) from error
    finally:
        await _cleaned_up(work, context)


async def _cached(
    unit: Unit, given: dict[str, Any], call: dict[str, Any], context: ActivityContext
) -> dict[str, Any]:
    """Run the unit, unless the cache has its output; without one said, give the bare output."""
    said = call.get("cache")
    if said is None:
        return await _run(unit, given, call, context)
    cache, key = context.around.cache, CacheKey(unit.name, unit.version, said["key"])
    found = await in_thread(cache.find, key)
    if found is not None:
        return {"hit": True, "output": found}
    output = await _run(unit, given, call, context)
    ttl = None if said["ttl"] is None else timedelta(seconds=said["ttl"])
    try:
        await in_thread(partial(cache.keep, key, output, ttl=ttl))
    except AimaError as error:  # the work is done; another attempt would do it again
        context.write({"unit": unit.name, "warning": f"not cached: {error.message}"})
    return {"hit": False, "output": output}


async def _run(
    unit: Unit, given: dict[str, Any], call: dict[str, Any], context: ActivityContext
) -> dict[str, Any]:
    if secrets := call.get("secrets"):
        context.mask = await in_thread(fill_in, given, secrets)
    request = accept(unit.input.model_validate, given, what=f"the input of {unit.name}")

    async def work() -> dict[str, Any]:
        try:
            output = await unit.run(request, context)
        except SystemExit as error:  # asyncio would take it for the worker's own end
            raise BrokenUnit(f"{unit.name} tried to end its worker; it may only raise") from error
        if not isinstance(output, unit.output):
            returned, declared = type(output).__name__, unit.output.__name__
            raise BrokenUnit(f"{unit.name} returned {returned!r}; it declares {declared!r}")
        return output.model_dump(mode="json", exclude_none=True)

    if unit.idempotent:
        return await work()
    return await context.around.effects.once(context.effect_key, unit.name, work)


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
    context.memory.given_up = _given_up()
    work.cancel()
    until = time.monotonic() + seconds
    while not work.done() and time.monotonic() < until:
        await asyncio.wait((work,), timeout=BEAT_SECONDS)
        _beat(context)
    if work.done() and not work.cancelled():
        work.exception()  # seen: what was cancelled may end as it likes


def _given_up() -> bool:
    """Tell whether no attempt will follow: the run was cancelled, or this was the last one."""
    info, details = activity.info(), activity.cancellation_details()
    if details is not None and details.cancel_requested:
        return True
    paused = details is not None and (details.paused or details.reset)
    policy = info.retry_policy
    return policy is not None and policy.maximum_attempts == info.attempt and not paused


def _beat(context: ActivityContext) -> None:
    info = activity.info()
    if info.is_local:  # beside its workflow: the server knows nothing of it
        return
    beat = {"attempt": info.attempt, "message": context.message}
    if context.memory.text:
        beat["memory"] = context.memory.text
    activity.heartbeat(beat)


def _left(details: Sequence[Any]) -> str:
    """Give what the last heartbeat of an earlier attempt carried in its memory."""
    last = details[0] if details else None
    return str(last.get("memory", "")) if isinstance(last, dict) else ""


def _told(error: AimaError, context: ActivityContext) -> ApplicationError:
    asked = error.retry_after if isinstance(error, RateLimited) else None
    return ApplicationError(
        error.message,
        {"attempt": context.attempt},
        type=error.code,
        non_retryable=not error.retryable,
        next_retry_delay=None if asked is None else timedelta(seconds=asked),
    )
