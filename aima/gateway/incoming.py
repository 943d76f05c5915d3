"""Reading what a request brings, checked against a model once; the route bounds its size."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json
from starlette.requests import Request

from aima.errors import UnsupportedMedia
from aima.mistakes import Mistakes, accept_json

Model = TypeVar("Model", bound=BaseModel)

_AS_JSON = frozenset(
    {
        "",
        "application/json",
        "text/json",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    }
)
"""What a body of JSON may be called; the last ones by programs that were not told, as `curl -d`."""


async def json_of(request: Request) -> bytes:
    """Give the body, which is to be JSON.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        UnsupportedMedia: it says of itself that it is something else.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind not in _AS_JSON and not kind.endswith("+json"):
        raise UnsupportedMedia(f"the body is {kind[:80]!r}; send JSON, as application/json")
    return body


async def read(request: Request, model: type[Model]) -> Model:
    """Read a JSON body.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        UnsupportedMedia: it says of itself that it is something else.
        ValidationFailed: it is no JSON, or does not fit.
    """
    return accept_json(model, await json_of(request), what="the request")


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object, unknown fields and all.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        UnsupportedMedia: it says of itself that it is something else.
        ValidationFailed: it is none.
    """
    try:
        told = from_json(await json_of(request), allow_inf_nan=False)
    except ValueError as error:
        raise Mistakes(f"the request: Invalid JSON: {error}") from error
    if not isinstance(told, dict):
        raise Mistakes("the request: Input should be an object")
    if not _is_finite(told):
        raise Mistakes("the request: a number is too large; no engine could be told of it")
    return told


def _is_finite(value: object) -> bool:
    """Tell whether all numbers fit: the parser reads `1e400` as one that JSON cannot say."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        elif isinstance(one, float) and not math.isfinite(one):
            return False
    return True
