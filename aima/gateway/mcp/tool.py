"""A tool as agents see it, and one call of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from aima.errors import AimaError
from aima.gateway.access.permission import Permission
from aima.gateway.mcp.rest import Refused, Rest, refused
from aima.mistakes import accept

Told = dict[str, Any]
"""What a tool answers: an object of JSON."""

Asked = TypeVar("Asked", bound=BaseModel)


class Arguments(BaseModel):
    """What one of AIMA's own tools takes."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Call:
    """One call of a tool.

    Attributes:
        tell: takes a sentence on how the work goes; None where nobody listens.
        takes_tasks: what takes longer than a moment may go on as a task.
    """

    rest: Rest
    arguments: Mapping[str, Any]
    tell: Callable[[str], Awaitable[None]] | None = None
    takes_tasks: bool = False


@dataclass(frozen=True)
class Tool:
    """What agents may call.

    Attributes:
        name: as programs call it, in letters that every model's API takes.
        title: as people call it.
        input: JSON Schema of its arguments.
        output: JSON Schema of its answer; None where it may be anything.
        needs: what a caller must be allowed to do; the API asks for the same.
        reads: it changes nothing.
        destroys: it may take away what nobody else keeps.
        repeatable: calling it twice does what calling it once does.
    """

    name: str
    title: str
    description: str
    input: Mapping[str, Any]
    run: Callable[[Call], Awaitable[Told]]
    needs: Permission
    output: Mapping[str, Any] | None = None
    reads: bool = False
    destroys: bool = False
    repeatable: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)


def own_tool(
    body: Callable[[Asked, Call], Awaitable[Told]],
    *,
    needs: Permission,
    reads: bool = False,
    destroys: bool = False,
    repeatable: bool = False,
) -> Tool:
    """Make a tool of a function ``(asked, call) -> answer``, as a unit is made of one."""
    name, asked = getattr(body, "__name__", ""), _asked_of(body)

    async def run(call: Call) -> Told:
        try:
            given = accept(asked.model_validate, dict(call.arguments), what=f"the input of {name}")
        except AimaError as error:
            raise refused(error) from error
        return await body(given, call)

    return Tool(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=inspect.cleandoc(body.__doc__ or ""),
        input=asked.model_json_schema(),
        run=run,
        needs=needs,
        reads=reads,
        destroys=destroys,
        repeatable=repeatable or reads,
    )


def _asked_of(body: Callable[[Asked, Call], Awaitable[Told]]) -> type[Asked]:
    first = next(iter(inspect.get_annotations(body, eval_str=True).values()))
    if not (isinstance(first, type) and issubclass(first, Arguments)):
        raise TypeError(f"{body!r} takes no arguments of a tool")
    return first  # type: ignore[return-value] # the line above has proved it


__all__ = ["Arguments", "Call", "Refused", "Told", "Tool", "own_tool"]
