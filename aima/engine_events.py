"""What is told of engines that AIMA runs: how their start goes, that they run, that they do not."""

from __future__ import annotations

from typing import ClassVar

from aima.errors import AimaError
from aima.ports.engine_running import Phase, Wish
from aima.unit import Context, Event


class EngineStartProgress(Event):
    """A part of a start begins: pulling, starting, loading, ready."""

    TYPE: ClassVar[str] = "engine.start_progress"

    name: str
    phase: Phase


class EngineStarted(Event):
    """An engine runs and answers."""

    TYPE: ClassVar[str] = "engine.started"

    name: str
    process_id: str


class EngineStopped(Event):
    """An engine that ran was stopped."""

    TYPE: ClassVar[str] = "engine.stopped"

    name: str


class EngineError(Event):
    """An engine could not be started or stopped; a later attempt may."""

    TYPE: ClassVar[str] = "engine.error"

    name: str
    code: str
    message: str


TOLD = (EngineStartProgress, EngineStarted, EngineStopped, EngineError)


async def start(ctx: Context, name: str, wish: Wish) -> str:
    """Have an engine run, and tell of it; give its process's number or its container's id.

    Raises:
        AimaError: as the pool of engines does.
    """
    watcher = _Told(ctx, name)
    try:
        pool = ctx.engines.pool
        instance = await pool.start(name, wish, artifacts=ctx.artifacts, watcher=watcher)
    except AimaError as error:
        await _failed(ctx, name, error)
        raise
    await ctx.emit(EngineStarted(name=name, process_id=instance.id))
    return instance.id


async def stop(ctx: Context, name: str, seconds: float | None) -> None:
    """Have an engine end, and tell of it if it ran.

    Raises:
        AimaError: as the pool of engines does.
    """
    try:
        ran = await ctx.engines.pool.stop(name, seconds, progress=ctx.progress)
    except AimaError as error:
        await _failed(ctx, name, error)
        raise
    if ran:
        await ctx.emit(EngineStopped(name=name))


async def _failed(ctx: Context, name: str, error: AimaError) -> None:
    await ctx.emit(EngineError(name=name, code=error.code, message=error.message))


class _Told:
    """Passes on how a start goes."""

    def __init__(self, ctx: Context, name: str) -> None:
        self._ctx = ctx
        self._name = name

    def progress(self, message: str) -> None:
        """Tell how far a part is."""
        self._ctx.progress(message)

    async def begins(self, phase: Phase) -> None:
        """Tell that a part begins."""
        self._ctx.progress(phase)
        await self._ctx.emit(EngineStartProgress(name=self._name, phase=phase))
