"""Reading what a request brings, checked against a model once; the route bounds its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from aima.gateway.problem import Mistakes

Model = TypeVar("Model", bound=BaseModel)
Given = TypeVar("Given")

MOST_MISTAKES = 20
"""Mistakes of one request that are told; more would only be scrolled past."""


async def read(request: Request, model: type[Model]) -> Model:
    """Read a JSON body.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        ValidationFailed: it is no JSON, or does not fit.
    """
    return accept(model.model_validate_json, await request.body(), what="the request")


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object, unknown fields and all.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        ValidationFailed: it is none.
    """
    try:
        told = from_json(await request.body(), allow_inf_nan=False)
    except ValueError as error:
        raise Mistakes(f"the request: Invalid JSON: {error}") from error
    if not isinstance(told, dict):
        raise Mistakes("the request: Input should be an object")
    return told


def accept(validate: Callable[[Given], Model], given: Given, *, what: str) -> Model:
    """Check values with a model's validator.

    Raises:
        ValidationFailed: they do not fit; ``what`` is how the message calls them.
    """
    try:
        return validate(given)
    except ValidationError as error:
        found = [
            {
                "pointer": "".join(f"/{_escaped(part)}" for part in mistake["loc"]),
                "detail": mistake["msg"].removeprefix("Value error, "),
                "code": mistake["type"],
            }
            for mistake in error.errors(include_url=False)[:MOST_MISTAKES]
        ]
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        message = f"{what}: {f'{where!r}: ' if where else ''}{found[0]['detail']}"
        raise Mistakes(message, errors=found) from error


def _escaped(part: int | str) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
