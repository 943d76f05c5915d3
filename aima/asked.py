"""Requests to models, and what is told of them: that one began, and how it ended."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from pydantic import Field

from aima.errors import AimaError
from aima.ports.inference import ModelRequest, Usage
from aima.unit import Context, Event


class RequestStarted(Event):
    """A model is asked; told once, however many attempts there are."""

    TYPE: ClassVar[str] = "inference.request_started"

    unit: str
    model: str = Field(description="As the request names it.")


class RequestCompleted(Event):
    """A model did what it was asked."""

    TYPE: ClassVar[str] = "inference.request_completed"

    unit: str
    model: str = Field(description="The one that answered.")
    tokens: int | None = None


class RequestFailed(Event):
    """A model did not do what it was asked; a later attempt may."""

    TYPE: ClassVar[str] = "inference.request_failed"

    unit: str
    model: str = Field(description="As the request names it.")
    code: str
    message: str


TOLD = (RequestStarted, RequestCompleted, RequestFailed)


class Asked:
    """A request that is told of: that it began, and how it ended."""

    def __init__(self, verb: str, request: ModelRequest, ctx: Context) -> None:
        """Name the unit by its verb."""
        self._unit = f"inference.{verb}"
        self._model = request.model
        self._ctx = ctx

    async def __aenter__(self) -> Self:
        await self._ctx.emit(RequestStarted(unit=self._unit, model=self._model))
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, AimaError):
            failed = {"code": error.code, "message": error.message}
            await self._ctx.emit(RequestFailed(unit=self._unit, model=self._model, **failed))

    async def done(self, model: str, usage: Usage | None = None) -> None:
        """Tell which model answered, and what it wrote."""
        tokens = usage.completion_tokens if usage else None
        await self._ctx.emit(RequestCompleted(unit=self._unit, model=model, tokens=tokens))
