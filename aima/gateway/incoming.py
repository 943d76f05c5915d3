"""Reading what a request brings, checked against a model once; the route bounds its size."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json
from starlette.requests import Request

from aima.mistakes import Mistakes, accept_json

Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, model: type[Model]) -> Model:
    """Read a JSON body.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        ValidationFailed: it is no JSON, or does not fit.
    """
    return accept_json(model, await request.body(), what="the request")


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
